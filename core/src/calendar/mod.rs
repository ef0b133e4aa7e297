//! Sessions and civil dates: which day a timestamp belongs to, what comes next on an exchange's schedule.
//!
//! Times are `i64` microseconds since 1970-01-01T00:00:00Z; sessions are civil dates as `i32` days since 1970-01-01.
//!
//! Schedules are written by rule (New York's is exchange rule 7.2), so they have no end; each is exact from
//! [`Calendar::exact_from`] on. Two questions are kept apart: [`Calendar::is_session`] says whether the exchange *did*
//! open, closures after an attack, a storm or a death included, and serves the checking of data;
//! [`Calendar::is_scheduled`] and all that looks forward say what was *known in advance*, so that no strategy sees a
//! closure coming.

mod holidays;
mod hours;
mod zone;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

pub use hours::{Hours, MINUTE_MICROS};
pub use zone::{new_york_instant, new_york_local, new_york_offset_hours};

/// Microseconds of one day.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// The civil date (days since 1970-01-01) that contains a timestamp, in UTC.
pub fn utc_date(micros: i64) -> i32 {
    micros.div_euclid(DAY_MICROS).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// (year, month 1–12, day 1–31) of a date; the epoch for a date outside chrono's range.
pub fn civil(date: i32) -> (i32, u32, u32) {
    let date = naive(date);
    (date.year(), date.month(), date.day())
}

/// Days since 1970-01-01 of a civil date, `None` if there is no such date.
pub fn date_of(year: i32, month: u32, day: u32) -> Option<i32> {
    NaiveDate::from_ymd_opt(year, month, day).map(|date| date.to_epoch_days())
}

/// 0 = Monday … 6 = Sunday.
pub fn weekday(date: i32) -> u32 {
    // 1970-01-01 was a Thursday.
    (i64::from(date) + 3).rem_euclid(7) as u32
}

/// `YYYY-MM-DD`.
pub fn format_date(date: i32) -> String {
    let (year, month, day) = civil(date);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Parses `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<i32> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|date| date.to_epoch_days())
}

fn naive(date: i32) -> NaiveDate {
    NaiveDate::from_epoch_days(date).unwrap_or_default()
}

/// First date (1971-01-01) from which the New York schedule here is exact; the holidays were other ones before.
pub const XNYS_EXACT_FROM: i32 = 365;

/// Which days an exchange is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Calendar {
    /// New York Stock Exchange: weekdays without its holidays; 252 periods a year.
    #[default]
    #[serde(rename = "XNYS")]
    Xnys,
    /// London Stock Exchange; 252 periods a year.
    #[serde(rename = "XLON")]
    Xlon,
    /// Xetra, Frankfurt; 252 periods a year.
    #[serde(rename = "XETR")]
    Xetr,
    /// Euronext Paris; 252 periods a year.
    #[serde(rename = "XPAR")]
    Xpar,
    /// Tokyo Stock Exchange; 252 periods a year.
    #[serde(rename = "XTKS")]
    Xtks,
    /// Toronto Stock Exchange; 252 periods a year.
    #[serde(rename = "XTSE")]
    Xtse,
    /// Every weekday (foreign exchange); 252 periods a year.
    #[serde(rename = "weekdays")]
    Weekdays,
    /// Every day (crypto); 365 periods a year.
    #[serde(rename = "24/7")]
    AlwaysOpen,
}

impl Calendar {
    /// All of them.
    pub const ALL: [Calendar; 8] = [
        Calendar::Xnys,
        Calendar::Xlon,
        Calendar::Xetr,
        Calendar::Xpar,
        Calendar::Xtks,
        Calendar::Xtse,
        Calendar::Weekdays,
        Calendar::AlwaysOpen,
    ];

    /// The name that manifests and commands use.
    pub fn name(self) -> &'static str {
        match self {
            Calendar::Xnys => "XNYS",
            Calendar::Xlon => "XLON",
            Calendar::Xetr => "XETR",
            Calendar::Xpar => "XPAR",
            Calendar::Xtks => "XTKS",
            Calendar::Xtse => "XTSE",
            Calendar::Weekdays => "weekdays",
            Calendar::AlwaysOpen => "24/7",
        }
    }

    /// Sessions a year, for annualising.
    pub fn periods_per_year(self) -> f64 {
        match self {
            Calendar::AlwaysOpen => 365.0,
            _ => 252.0,
        }
    }

    /// First date from which the schedule is exact. Before, it is that of the years after, as far as the rules reach.
    pub fn exact_from(self) -> i32 {
        match self {
            Calendar::Weekdays | Calendar::AlwaysOpen => i32::MIN,
            Calendar::Xnys => XNYS_EXACT_FROM,
            // 2010-01-01: what was compared with the exchanges' own calendars.
            Calendar::Xlon | Calendar::Xetr | Calendar::Xpar | Calendar::Xtks | Calendar::Xtse => 14_610,
        }
    }

    /// Whether the exchange had a session on this date, unforeseen closures known.
    pub fn is_session(self, date: i32) -> bool {
        self.is_scheduled(date) && !holidays::unforeseen(self).contains(&civil(date))
    }

    /// Whether the regular schedule, known in advance, has a session on this date.
    pub fn is_scheduled(self, date: i32) -> bool {
        self == Calendar::AlwaysOpen || weekday(date) < 5 && !holidays::is_holiday(self, date)
    }

    /// The next date after `date` with a session on the regular schedule.
    pub fn next_session(self, date: i32) -> i32 {
        // No regular schedule closes for longer than this; the bound keeps the loop finite for any date.
        (1..=10).filter_map(|k| date.checked_add(k)).find(|&d| self.is_scheduled(d)).unwrap_or(date)
    }

    /// Whether `date` is the last scheduled session of its ISO week.
    pub fn ends_week(self, date: i32) -> bool {
        self.next_session(date).wrapping_sub(date) >= 7 - weekday(date) as i32
    }

    /// Whether `date` is the last scheduled session of its month.
    pub fn ends_month(self, date: i32) -> bool {
        civil(self.next_session(date)).1 != civil(date).1
    }

    /// The session of an intraday bar, from its close instant: the local date of an exchange, the trading day that
    /// rolls at 17:00 New York for foreign exchange, UTC's date for a market that never closes. A bar that closes on
    /// the boundary belongs to the day that ends.
    pub fn session_of_close(self, micros: i64) -> i32 {
        let inside = micros.saturating_sub(1);
        let local = self.zone().local(inside);
        utc_date(if self == Calendar::Weekdays { local.saturating_add(7 * HOUR_MICROS) } else { local })
    }
}

/// Microseconds of one hour.
pub const HOUR_MICROS: i64 = 3_600_000_000;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    fn date(text: &str) -> i32 {
        parse_date(text).unwrap()
    }

    fn sessions(from: &str, to: &str) -> usize {
        (date(from)..=date(to)).filter(|&d| Calendar::Xnys.is_session(d)).count()
    }

    #[test]
    fn closed_days_of_known_years() {
        // Full-day closures as the exchange published them.
        let published = [
            (1990, "01-01 02-19 04-13 05-28 07-04 09-03 11-22 12-25"),
            (1999, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),
            (2004, "01-01 01-19 02-16 04-09 05-31 06-11 07-05 09-06 11-25 12-24"),
            (2011, "01-17 02-21 04-22 05-30 07-04 09-05 11-24 12-26"),
            (2012, "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25"),
            (2021, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),
            (2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26"),
            (2024, "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25"),
            (2025, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25"),
        ];
        for (year, days) in published {
            let (first, last) = (date_of(year, 1, 1).unwrap(), date_of(year, 12, 31).unwrap());
            let closed: Vec<String> = (first..=last)
                .filter(|&d| weekday(d) < 5 && !Calendar::Xnys.is_session(d))
                .map(|d| format_date(d)[5..].to_string())
                .collect();
            assert_eq!(closed.join(" "), days, "{year}");
        }
    }

    #[test]
    fn closed_days_of_known_years_elsewhere() {
        // As the exchanges published them.
        let published = [
            (Calendar::Xlon, 2012, "01-02 04-06 04-09 05-07 06-04 06-05 08-27 12-25 12-26"),
            (Calendar::Xlon, 2015, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28"),
            (Calendar::Xlon, 2020, "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28"),
            (Calendar::Xlon, 2022, "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27"),
            (Calendar::Xetr, 2016, "01-01 03-25 03-28 05-16 10-03 12-26"),
            (Calendar::Xetr, 2017, "04-14 04-17 05-01 06-05 10-03 10-31 12-25 12-26"),
            (Calendar::Xetr, 2024, "01-01 03-29 04-01 05-01 12-24 12-25 12-26 12-31"),
            (Calendar::Xpar, 2024, "01-01 03-29 04-01 05-01 12-25 12-26"),
            (
                Calendar::Xtks,
                2015,
                "01-01 01-02 01-12 02-11 04-29 05-04 05-05 05-06 07-20 09-21 09-22 09-23 10-12 11-03 11-23 12-23 12-31",
            ),
            (
                Calendar::Xtks,
                2019,
                "01-01 01-02 01-03 01-14 02-11 03-21 04-29 04-30 05-01 05-02 05-03 05-06 07-15 08-12 09-16 09-23 10-14 10-22 11-04 12-31",
            ),
            (
                Calendar::Xtks,
                2021,
                "01-01 01-11 02-11 02-23 04-29 05-03 05-04 05-05 07-22 07-23 08-09 09-20 09-23 11-03 11-23 12-31",
            ),
            (Calendar::Xtse, 2020, "01-01 02-17 04-10 05-18 07-01 08-03 09-07 10-12 12-25 12-28"),
            (Calendar::Xtse, 2022, "01-03 02-21 04-15 05-23 07-01 08-01 09-05 10-10 12-26 12-27"),
        ];
        for (calendar, year, days) in published {
            let (first, last) = (date_of(year, 1, 1).unwrap(), date_of(year, 12, 31).unwrap());
            let closed: Vec<String> = (first..=last)
                .filter(|&d| weekday(d) < 5 && !calendar.is_session(d))
                .map(|d| format_date(d)[5..].to_string())
                .collect();
            assert_eq!(closed.join(" "), days, "{} {year}", calendar.name());
        }
    }

    #[test]
    fn session_counts() {
        assert_eq!(sessions("2008-01-01", "2008-12-31"), 253);
        assert_eq!(sessions("2019-01-01", "2019-12-31"), 252);
        assert_eq!(sessions("2000-01-03", "2024-12-31"), 6289);
    }

    #[test]
    fn what_looks_forward_does_not_foresee_closures() {
        // Hurricane Sandy closed Monday and Tuesday; on Friday nobody planned with it.
        assert_eq!(format_date(Calendar::Xnys.next_session(date("2012-10-26"))), "2012-10-29");
        assert!(!Calendar::Xnys.is_session(date("2012-10-29")));
        assert!(Calendar::Xnys.ends_week(date("2019-04-18")), "Thursday before Good Friday");
        assert!(Calendar::Xnys.ends_month(date("2024-03-28")), "Good Friday 2024 is 29 March");
        assert!(!Calendar::Weekdays.ends_month(date("2024-03-28")));
        for year in 1980..2060 {
            let d = date_of(year, 7, 1).unwrap();
            assert!(Calendar::AlwaysOpen.next_session(d) == d + 1);
        }
    }

    #[test]
    fn new_york_clock() {
        let noon = |text: &str| i64::from(date(text)) * DAY_MICROS + 12 * HOUR_MICROS;
        for (day, offset) in [
            ("2019-03-09", -5),
            ("2019-03-10", -4),
            ("2019-11-02", -4),
            ("2019-11-03", -5),
            ("2006-04-01", -5),
            ("2006-04-02", -4),
            ("2006-10-29", -5),
            ("1986-04-26", -5),
            ("1986-04-27", -4),
        ] {
            assert_eq!(new_york_offset_hours(noon(day)), offset, "{day}");
            assert_eq!(new_york_instant(new_york_local(noon(day))), noon(day), "{day}");
        }
        // 20:00 in New York in winter is 01:00 UTC of the next day.
        let close = i64::from(date("2019-01-03")) * DAY_MICROS + HOUR_MICROS;
        assert_eq!(format_date(Calendar::Xnys.session_of_close(close)), "2019-01-02");
        assert_eq!(format_date(Calendar::AlwaysOpen.session_of_close(close)), "2019-01-03");
        // Foreign exchange: Sunday evening belongs to Monday, and midnight UTC closes the crypto day before.
        let sunday = i64::from(date("2019-01-06")) * DAY_MICROS + 23 * HOUR_MICROS;
        assert_eq!(format_date(Calendar::Weekdays.session_of_close(sunday)), "2019-01-07");
        let midnight = i64::from(date("2019-01-06")) * DAY_MICROS;
        assert_eq!(format_date(Calendar::AlwaysOpen.session_of_close(midnight)), "2019-01-05");
    }

    #[test]
    fn any_date_is_answered() {
        for d in [i32::MIN, i32::MIN + 1, -1_000_000, 0, 1_000_000, i32::MAX] {
            for calendar in Calendar::ALL {
                let _ =
                    (calendar.is_session(d), calendar.next_session(d), calendar.ends_week(d), calendar.ends_month(d));
            }
        }
        let _ = (new_york_offset_hours(i64::MIN), new_york_local(i64::MAX), new_york_instant(i64::MIN));
    }
}
