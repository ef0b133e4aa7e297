//! Dates and times as files write them. A file has one way of writing; a row written in another way is a defect, never
//! a guess.

use crate::calendar::{DAY_MICROS, HOUR_MICROS, date_of, new_york_instant};

/// A way of writing times. What stands behind the date (time of day, fraction, zone) may vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateFormat {
    /// `2019-01-31`, `2019/01/31`.
    Iso,
    /// `20190131`.
    Compact,
    /// `01/31/2019`: month, day, year.
    MonthDayYear,
    /// `31/01/2019`: day, month, year.
    DayMonthYear,
    /// `31.01.2019`.
    Dotted,
    /// Whole seconds, milliseconds, microseconds or nanoseconds since 1970-01-01T00:00:00Z, told apart by their size.
    Unix,
}

impl DateFormat {
    /// The name that options and messages use.
    pub fn name(self) -> &'static str {
        match self {
            DateFormat::Iso => "iso",
            DateFormat::Compact => "yyyymmdd",
            DateFormat::MonthDayYear => "mdy",
            DateFormat::DayMonthYear => "dmy",
            DateFormat::Dotted => "d.m.y",
            DateFormat::Unix => "unix",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<DateFormat> {
        use DateFormat::{Compact, DayMonthYear, Dotted, Iso, MonthDayYear, Unix};
        [Iso, Compact, MonthDayYear, DayMonthYear, Dotted, Unix].into_iter().find(|format| format.name() == name)
    }
}

/// The zone of times that carry none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// Greenwich.
    #[default]
    Utc,
    /// New York, summer time included.
    NewYork,
    /// A fixed number of minutes east of Greenwich.
    Fixed(i32),
}

impl Zone {
    /// The zone of a name: `UTC`, `America/New_York` (or `new-york`), `+05:30`.
    pub fn from_name(name: &str) -> Option<Zone> {
        match name.to_ascii_lowercase().as_str() {
            "utc" | "z" | "gmt" => Some(Zone::Utc),
            "america/new_york" | "new-york" | "new_york" | "us/eastern" => Some(Zone::NewYork),
            text => match parse_offset(text)? {
                Offset::Minutes(minutes) => Some(Zone::Fixed(minutes)),
                Offset::Zulu => Some(Zone::Utc),
            },
        }
    }

    fn instant(self, local: i64) -> i64 {
        match self {
            Zone::Utc => local,
            Zone::NewYork => new_york_instant(local),
            Zone::Fixed(minutes) => local.saturating_sub(i64::from(minutes) * 60_000_000),
        }
    }
}

/// A zone that a timestamp carries itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    /// `Z`.
    Zulu,
    /// Minutes east of Greenwich.
    Minutes(i32),
}

/// One parsed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The date as written (days since 1970-01-01).
    pub date: i32,
    /// The time of day as written, microseconds; `None` if there is a date only.
    pub time_of_day: Option<i64>,
    /// The zone as written.
    pub offset: Option<Offset>,
}

impl Stamp {
    /// The instant, microseconds since 1970-01-01T00:00:00Z; a time without a zone is in `zone`.
    pub fn instant(&self, zone: Zone) -> i64 {
        let local = i64::from(self.date) * DAY_MICROS + self.time_of_day.unwrap_or_default();
        match self.offset {
            Some(Offset::Zulu) => local,
            Some(Offset::Minutes(minutes)) => local - i64::from(minutes) * 60_000_000,
            None => zone.instant(local),
        }
    }

    /// Whether the date lies in the years 1600 to 2400: anything else is a mistake of unit.
    pub fn is_plausible(&self) -> bool {
        (-135_140..157_054).contains(&self.date)
    }

    /// The stamp of an instant, as UTC writes it.
    pub fn of_instant(micros: i64) -> Stamp {
        let time_of_day = Some(micros.rem_euclid(DAY_MICROS));
        Stamp { date: crate::calendar::utc_date(micros), time_of_day, offset: Some(Offset::Zulu) }
    }
}

/// What a text looks like, before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One format only.
    Certain(DateFormat),
    /// `a/b/year`: which of `a` and `b` is the month is for the whole file to say.
    Slashes(u32, u32),
    /// No date at all.
    Nothing,
}

/// The shape of a text.
pub fn shape(text: &str) -> Shape {
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    let digits = |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    let parts = |separator: char| -> Option<[&str; 3]> {
        let mut split = date.split(separator);
        let three = [split.next()?, split.next()?, split.next()?];
        (split.next().is_none() && three.iter().all(|part| digits(part))).then_some(three)
    };
    if let Some([year, ..]) = parts('-') {
        return if year.len() == 4 { Shape::Certain(DateFormat::Iso) } else { Shape::Nothing };
    }
    if let Some([a, b, _]) = parts('/') {
        return if a.len() == 4 {
            Shape::Certain(DateFormat::Iso)
        } else {
            Shape::Slashes(a.parse().unwrap_or_default(), b.parse().unwrap_or_default())
        };
    }
    if parts('.').is_some_and(|[day, _, year]| day.len() <= 2 && year.len() == 4) {
        return Shape::Certain(DateFormat::Dotted);
    }
    if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) {
        return Shape::Certain(DateFormat::Compact);
    }
    let number = text.strip_prefix('-').unwrap_or(text);
    if number.len() >= 9 && number.len() <= 19 && number.bytes().all(|b| b.is_ascii_digit()) {
        return Shape::Certain(DateFormat::Unix);
    }
    Shape::Nothing
}

/// Reads a text in a format.
pub fn parse(text: &str, format: DateFormat) -> Option<Stamp> {
    if format == DateFormat::Unix {
        return parse_unix(text);
    }
    let (date_text, rest) = match text.find([' ', 'T']) {
        Some(at) => (&text[..at], text[at + 1..].trim_start()),
        None => (text, ""),
    };
    let date = parse_date(date_text, format)?;
    if rest.is_empty() {
        return Some(Stamp { date, time_of_day: None, offset: None });
    }
    let (time_of_day, offset) = parse_time(rest)?;
    Some(Stamp { date, time_of_day: Some(time_of_day), offset })
}

fn parse_date(text: &str, format: DateFormat) -> Option<i32> {
    let number = |part: &str| -> Option<u32> {
        (!part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    if format == DateFormat::Compact {
        if text.len() != 8 || !text.is_ascii() {
            return None;
        }
        return date_of(number(&text[..4])? as i32, number(&text[4..6])?, number(&text[6..])?);
    }
    let separators: &[char] = match format {
        DateFormat::Iso => &['-', '/'],
        DateFormat::Dotted => &['.'],
        _ => &['/'],
    };
    let mut parts = text.split(separators);
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (year, month, day) = match format {
        DateFormat::Iso => (a, b, c),
        DateFormat::MonthDayYear => (c, a, b),
        _ => (c, b, a),
    };
    let mut full = number(year)? as i32;
    // Two digits of a year: 69 to 99 lie before 2000, as in POSIX.
    if year.len() == 2 {
        full += if full < 69 { 2000 } else { 1900 };
    }
    date_of(full, number(month)?, number(day)?)
}

/// `HH:MM[:SS[.fraction]]`, `HHMM[SS]`, with an optional AM/PM and zone.
fn parse_time(text: &str) -> Option<(i64, Option<Offset>)> {
    let zone_at = text.find(['+', '-', 'Z', 'z', 'U', 'u']);
    let (clock, zone) = text.split_at(zone_at.unwrap_or(text.len()));
    let offset = if zone.is_empty() { None } else { Some(parse_offset(zone)?) };
    let clock = clock.trim().to_ascii_uppercase();
    let (clock, half) = match (clock.strip_suffix("AM"), clock.strip_suffix("PM")) {
        (Some(clock), _) => (clock.trim_end(), Some(0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12)),
        _ => (clock.as_str(), None),
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let parts: Vec<&str> = if whole.contains(':') {
        whole.split(':').collect()
    } else if (whole.len() == 4 || whole.len() == 6) && whole.is_ascii() {
        (0..whole.len()).step_by(2).map(|i| &whole[i..i + 2]).collect()
    } else {
        return None;
    };
    let number = |part: &&str| -> Option<i64> {
        (part.len() <= 2 && !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let numbers: Vec<i64> = parts.iter().map(number).collect::<Option<_>>()?;
    let (mut hour, minute, second) = match numbers[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    if let Some(half) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + half;
    }
    let micros = if fraction.is_empty() {
        0
    } else if fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit()) {
        format!("{fraction:0<9}").parse::<i64>().ok()? / 1000
    } else {
        return None;
    };
    let valid = hour <= 24 && minute < 60 && second < 60 && (hour < 24 || (minute, second, micros) == (0, 0, 0));
    valid.then_some((hour * HOUR_MICROS + minute * 60_000_000 + second * 1_000_000 + micros, offset))
}

fn parse_offset(text: &str) -> Option<Offset> {
    let text = text.trim();
    if ["z", "utc", "gmt"].contains(&text.to_ascii_lowercase().as_str()) {
        return Some(Offset::Zulu);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|&c| c != ':').collect();
    let valid = matches!(digits.len(), 2 | 4) && digits.bytes().all(|b| b.is_ascii_digit());
    let (hours, minutes) = if valid { digits.split_at(2) } else { return None };
    let hours: i32 = hours.parse().ok()?;
    let minutes: i32 = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
    (hours <= 15 && minutes < 60).then_some(Offset::Minutes(sign * (hours * 60 + minutes)))
}

fn parse_unix(text: &str) -> Option<Stamp> {
    if !matches!(shape(text), Shape::Certain(DateFormat::Unix)) {
        return None;
    }
    Some(Stamp::of_instant(unix_micros(text.parse().ok()?)))
}

/// Microseconds of a Unix time whose unit is told by its size: seconds up to the year 5138, then milliseconds,
/// microseconds, nanoseconds.
pub fn unix_micros(value: i64) -> i64 {
    match value.unsigned_abs() {
        0..=99_999_999_999 => value * 1_000_000,
        100_000_000_000..=99_999_999_999_999 => value * 1000,
        100_000_000_000_000..=99_999_999_999_999_999 => value,
        _ => value.div_euclid(1000),
    }
}

/// An instant for people: the date, and the time of day in UTC if it is not midnight.
pub fn format_instant(micros: i64) -> String {
    let date = crate::calendar::format_date(crate::calendar::utc_date(micros));
    let seconds = micros.rem_euclid(DAY_MICROS) / 1_000_000;
    if seconds == 0 {
        return date;
    }
    format!("{date} {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn ways_of_writing() {
        use DateFormat::*;
        let cases = [
            ("2019-01-31", Iso, "2019-01-31"),
            ("2019/01/31", Iso, "2019-01-31"),
            ("2019-01-31T16:00:00", Iso, "2019-01-31 16:00:00"),
            ("2019-01-31 16:00", Iso, "2019-01-31 16:00:00"),
            ("2019-01-31 16:00:00.123456789-05:00", Iso, "2019-01-31 21:00:00"),
            ("2019-01-31T16:00:00Z", Iso, "2019-01-31 16:00:00"),
            ("2019-01-31 16:00:00 UTC", Iso, "2019-01-31 16:00:00"),
            ("2019-01-31T24:00:00Z", Iso, "2019-02-01"),
            ("20190131", Compact, "2019-01-31"),
            ("20190131 093000", Compact, "2019-01-31 09:30:00"),
            ("01/31/2019", MonthDayYear, "2019-01-31"),
            ("1/31/19 4:00 PM", MonthDayYear, "2019-01-31 16:00:00"),
            ("31/01/2019", DayMonthYear, "2019-01-31"),
            ("31.01.2019 16:00", Dotted, "2019-01-31 16:00:00"),
            ("1548950400", Unix, "2019-01-31 16:00:00"),
            ("1548950400000", Unix, "2019-01-31 16:00:00"),
            ("1548950400000000", Unix, "2019-01-31 16:00:00"),
            ("1548950400000000000", Unix, "2019-01-31 16:00:00"),
        ];
        for (text, format, expected) in cases {
            match shape(text) {
                Shape::Certain(found) => assert_eq!(found, format, "{text}"),
                found => assert!(matches!(found, Shape::Slashes(..)), "{text}: {found:?}"),
            }
            let stamp = parse(text, format).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(format_instant(stamp.instant(Zone::Utc)), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "date",
            "2019-13-01",
            "2019-02-30",
            "31/31/2019",
            "2019-01-31Tnoon",
            "2019-01-31 25:00",
            "-",
            "2019-01-31 16:00+5",
        ] {
            let read = match shape(text) {
                Shape::Certain(format) => parse(text, format),
                Shape::Slashes(..) => parse(text, DateFormat::MonthDayYear),
                Shape::Nothing => None,
            };
            assert_eq!(read, None, "{text}");
        }
    }

    #[test]
    fn zones() {
        assert_eq!(Zone::from_name("+05:30"), Some(Zone::Fixed(330)));
        assert_eq!(Zone::from_name("America/New_York"), Some(Zone::NewYork));
        assert_eq!(Zone::from_name("Mars"), None);
        let stamp = parse("2019-07-01 16:00", DateFormat::Iso).unwrap();
        assert_eq!(format_instant(stamp.instant(Zone::NewYork)), "2019-07-01 20:00:00");
        assert_eq!(format_instant(stamp.instant(Zone::Fixed(330))), "2019-07-01 10:30:00");
    }
}
