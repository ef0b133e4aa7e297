//! When sessions open and close by the schedule, early closes included, and what the local clock shows.

use super::holidays::nth_weekday;
use super::zone::Zone;
use super::{Calendar, DAY_MICROS, civil, date_of, weekday};

/// Microseconds of one minute.
pub const MINUTE_MICROS: i64 = 60_000_000;

/// Hours of sessions asked for one after the other: those of the last one are remembered.
#[derive(Clone, Copy, Debug)]
pub struct Hours {
    calendar: Calendar,
    last: Option<(i32, (i64, i64))>,
}

impl Hours {
    /// None asked for yet.
    pub fn new(calendar: Calendar) -> Hours {
        Hours { calendar, last: None }
    }

    /// [`Calendar::hours`] of a date.
    pub fn of(&mut self, date: i32) -> (i64, i64) {
        match self.last {
            Some((known, hours)) if known == date => hours,
            _ => {
                let hours = self.calendar.hours(date);
                self.last = Some((date, hours));
                hours
            }
        }
    }
}

impl Calendar {
    /// When the session of a date opens (microseconds UTC), `None` if the regular schedule has none.
    pub fn session_open(self, date: i32) -> Option<i64> {
        self.is_scheduled(date).then(|| self.hours(date).0)
    }

    /// When the session of a date closes (microseconds UTC), early closes that were known in advance included; `None`
    /// if the regular schedule has no session.
    pub fn session_close(self, date: i32) -> Option<i64> {
        self.is_scheduled(date).then(|| self.hours(date).1)
    }

    /// Open and close (microseconds UTC) that a date has or, without a session on the schedule, would have.
    pub fn hours(self, date: i32) -> (i64, i64) {
        let (open, close) = self.local_hours(date);
        let midnight = i64::from(date).saturating_mul(DAY_MICROS);
        let instant = |minutes: i64| self.zone().instant(midnight.saturating_add(minutes * MINUTE_MICROS));
        (instant(open), instant(close))
    }

    /// Minutes after local midnight that the clock shows at an instant, more than 0 and up to 1440: a bar that closes at
    /// midnight belongs to the day that ends.
    pub fn local_minutes(self, micros: i64) -> f64 {
        let inside = self.zone().local(micros).saturating_sub(1).rem_euclid(DAY_MICROS) + 1;
        inside as f64 / MINUTE_MICROS as f64
    }

    pub(super) fn zone(self) -> Zone {
        match self {
            Calendar::AlwaysOpen => Zone::Utc,
            Calendar::Xnys | Calendar::Weekdays => Zone::NewYork,
            Calendar::Xlon => Zone::London,
            Calendar::Xetr => Zone::Berlin,
            Calendar::Xpar => Zone::Paris,
            Calendar::Xtks => Zone::Tokyo,
            Calendar::Xtse => Zone::Toronto,
        }
    }

    /// Open and close in minutes after the date's local midnight.
    fn local_hours(self, date: i32) -> (i64, i64) {
        match self {
            Calendar::AlwaysOpen => (0, 24 * 60),
            // The trading day of foreign exchange rolls at 17:00 in New York.
            Calendar::Weekdays => (-7 * 60, 17 * 60),
            Calendar::Xnys => new_york(date),
            _ => self.elsewhere(date),
        }
    }

    /// Hours of the exchanges outside the United States, by their rules of the years since [`Calendar::exact_from`].
    fn elsewhere(self, date: i32) -> (i64, i64) {
        const HALF: i64 = 30;
        let (_, month, day) = civil(date);
        let eve = month == 12 && matches!(day, 24 | 31);
        match self {
            // Half days are the last sessions before Christmas and before the new year.
            Calendar::Xlon => (8 * 60, if self.is_last_before_feast(date) { 12 * 60 + HALF } else { 16 * 60 + HALF }),
            Calendar::Xetr => (9 * 60, if self.is_last_of_year(date) { 14 * 60 } else { 17 * 60 + HALF }),
            Calendar::Xpar => (9 * 60, if eve { 14 * 60 + 5 } else { 17 * 60 + HALF }),
            Calendar::Xtks => {
                let longer = date_of(2024, 11, 5).is_some_and(|first| date >= first);
                (9 * 60, 15 * 60 + if longer { HALF } else { 0 })
            }
            _ => (9 * 60 + HALF, if (month, day) == (12, 24) { 13 * 60 } else { 16 * 60 }),
        }
    }

    fn is_last_of_year(self, date: i32) -> bool {
        civil(self.next_session(date)).0 != civil(date).0
    }

    fn is_last_before_feast(self, date: i32) -> bool {
        let (year, month, day) = civil(date);
        let christmas = || date_of(year, 12, 25).is_some_and(|feast| self.next_session(date) > feast);
        month == 12 && (22..25).contains(&day) && christmas() || month == 12 && self.is_last_of_year(date)
    }
}

/// New York Stock Exchange, as minutes after midnight; early closes are exact from 1993 on, and some of the years
/// before had closes at 14:00 that are not told.
fn new_york(date: i32) -> (i64, i64) {
    let (year, month, day) = civil(date);
    let since = |y, m, d| date_of(y, m, d).is_some_and(|first| date >= first);
    let open = if since(1985, 9, 30) { 9 * 60 + 30 } else { 10 * 60 };
    let close = if since(1974, 10, 1) { 16 * 60 } else { 15 * 60 + 30 };
    let early = match (month, day) {
        (7, 3) => match weekday(date) {
            0 | 1 | 3 => year >= 1995,
            2 => year >= 2013,
            _ => false,
        },
        (7, 5) => weekday(date) == 4 && (1996..=2012).contains(&year),
        (11, _) => year >= 1993 && nth_weekday(year, 11, 3, 4).saturating_add(1) == date,
        (12, 24) => year >= 1993,
        (12, 26) => matches!(year, 1997 | 2003),
        (12, 31) => year == 1999,
        _ => false,
    };
    (open, if early { 13 * 60 } else { close })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::calendar::{HOUR_MICROS, format_date, parse_date};

    fn date(text: &str) -> i32 {
        parse_date(text).unwrap()
    }

    /// Time of day in UTC.
    fn clock(micros: i64) -> String {
        let minutes = micros.rem_euclid(DAY_MICROS) / MINUTE_MICROS;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }

    #[test]
    fn new_york_opens_and_closes() {
        let hours = |day: &str| {
            let calendar = Calendar::Xnys;
            let (open, close) = (calendar.session_open(date(day))?, calendar.session_close(date(day))?);
            Some(format!("{} {}", clock(open), clock(close)))
        };
        for (day, expected) in [
            ("2024-03-08", "14:30 21:00"),
            ("2024-03-11", "13:30 20:00"),
            ("2024-11-01", "13:30 20:00"),
            ("2024-11-04", "14:30 21:00"),
            ("2023-11-24", "14:30 18:00"),
            ("2024-12-24", "14:30 18:00"),
            ("2024-07-03", "13:30 17:00"),
            ("2023-07-03", "13:30 17:00"),
            ("2012-07-03", "13:30 17:00"),
            ("2002-07-05", "13:30 17:00"),
            ("2013-07-05", "13:30 20:00"),
            ("1999-12-31", "14:30 18:00"),
            ("1984-06-01", "14:00 20:00"),
        ] {
            assert_eq!(hours(day).as_deref(), Some(expected), "{day}");
        }
        for closed in ["2024-07-04", "2024-07-06", "2021-12-24", "2020-07-03"] {
            assert_eq!(hours(closed), None, "{closed}");
        }
        // Nobody foresaw the storm.
        assert!(hours("2012-10-29").is_some());
    }

    #[test]
    fn other_exchanges_open_and_close_on_their_own_clocks() {
        let cases = [
            (Calendar::Xlon, "2024-03-28", "08:00 16:30"),
            (Calendar::Xlon, "2024-04-02", "07:00 15:30"),
            (Calendar::Xlon, "2023-12-22", "08:00 12:30"),
            (Calendar::Xlon, "2023-12-27", "08:00 16:30"),
            (Calendar::Xlon, "2023-12-29", "08:00 12:30"),
            (Calendar::Xetr, "2024-07-01", "07:00 15:30"),
            (Calendar::Xetr, "2024-12-30", "08:00 13:00"),
            (Calendar::Xpar, "2024-12-24", "08:00 13:05"),
            (Calendar::Xtks, "2024-11-01", "00:00 06:00"),
            (Calendar::Xtks, "2024-11-05", "00:00 06:30"),
            (Calendar::Xtse, "2024-12-24", "14:30 18:00"),
        ];
        for (calendar, day, expected) in cases {
            let (open, close) = calendar.hours(date(day));
            assert_eq!(format!("{} {}", clock(open), clock(close)), expected, "{} {day}", calendar.name());
        }
    }

    #[test]
    fn early_closes_of_known_years() {
        // As the exchange published them.
        let published = [
            (2010, "11-26"),
            (2011, "11-25"),
            (2012, "07-03 11-23 12-24"),
            (2013, "07-03 11-29 12-24"),
            (2014, "07-03 11-28 12-24"),
            (2016, "11-25"),
            (2018, "07-03 11-23 12-24"),
            (2021, "11-26"),
            (2023, "07-03 11-24"),
            (2024, "07-03 11-29 12-24"),
            (2025, "07-03 11-28 12-24"),
        ];
        for (year, days) in published {
            let (first, last) = (date_of(year, 1, 1).unwrap(), date_of(year, 12, 31).unwrap());
            let early: Vec<String> = (first..=last)
                .filter(|&day| Calendar::Xnys.is_scheduled(day) && new_york(day).1 == 13 * 60)
                .map(|day| format_date(day)[5..].to_string())
                .collect();
            assert_eq!(early.join(" "), days, "{year}");
        }
    }

    #[test]
    fn hours_hold_the_sessions_bars_and_follow_each_other() {
        for calendar in Calendar::ALL {
            let mut before = i64::MIN;
            for day in date("1995-01-01")..date("2030-01-01") {
                let Some(open) = calendar.session_open(day) else { continue };
                let close = calendar.session_close(day).unwrap();
                assert!(before <= open && open < close, "{} {}", calendar.name(), format_date(day));
                for inside in [open + 1, close] {
                    assert_eq!(calendar.session_of_close(inside), day, "{} {}", calendar.name(), format_date(day));
                }
                before = close;
            }
        }
    }

    #[test]
    fn the_local_clock_of_a_bar_that_closes_at_midnight_shows_the_end_of_its_day() {
        let midnight = i64::from(date("2024-05-01")) * DAY_MICROS;
        assert_eq!(Calendar::AlwaysOpen.local_minutes(midnight), 1440.0);
        assert_eq!(Calendar::AlwaysOpen.local_minutes(midnight + MINUTE_MICROS), 1.0);
        assert_eq!(Calendar::Xnys.local_minutes(midnight + 20 * HOUR_MICROS), 960.0);
        let _ = (Calendar::Xnys.local_minutes(i64::MIN), Calendar::Weekdays.hours(i32::MAX));
    }
}
