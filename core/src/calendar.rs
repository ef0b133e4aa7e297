//! Sessions and civil dates: which day a timestamp belongs to, what comes next on an exchange's schedule.
//!
//! Times are `i64` microseconds since 1970-01-01T00:00:00Z; sessions are civil dates as `i32` days since 1970-01-01.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

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

/// Which days an exchange is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Calendar {
    /// New York Stock Exchange: weekdays without its holidays; 252 periods a year.
    #[default]
    #[serde(rename = "XNYS")]
    Xnys,
    /// Every weekday (foreign exchange); 252 periods a year.
    #[serde(rename = "weekdays")]
    Weekdays,
    /// Every day (crypto); 365 periods a year.
    #[serde(rename = "24/7")]
    AlwaysOpen,
}

impl Calendar {
    /// Sessions a year, for annualising.
    pub fn periods_per_year(self) -> f64 {
        match self {
            Calendar::Xnys | Calendar::Weekdays => 252.0,
            Calendar::AlwaysOpen => 365.0,
        }
    }

    /// Whether the exchange's regular schedule has a session on this date.
    pub fn is_session(self, date: i32) -> bool {
        match self {
            Calendar::AlwaysOpen => true,
            // TODO(holidays): the New York schedule.
            Calendar::Weekdays | Calendar::Xnys => weekday(date) < 5,
        }
    }

    /// The next date after `date` with a session on the regular schedule.
    pub fn next_session(self, date: i32) -> i32 {
        // No regular schedule closes for longer than this; the bound keeps the loop finite for any date.
        (1..=10).filter_map(|k| date.checked_add(k)).find(|&d| self.is_session(d)).unwrap_or(date)
    }

    /// Whether `date` is the last scheduled session of its ISO week.
    pub fn ends_week(self, date: i32) -> bool {
        self.next_session(date).wrapping_sub(date) >= 7 - weekday(date) as i32
    }

    /// Whether `date` is the last scheduled session of its month.
    pub fn ends_month(self, date: i32) -> bool {
        civil(self.next_session(date)).1 != civil(date).1
    }
}
