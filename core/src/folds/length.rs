//! Lengths of time over the dates of sessions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::calendar::{civil, date_of};
use crate::error::{Error, Result};

/// A length in sessions or in calendar units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// So many sessions.
    Sessions(usize),
    /// So many calendar months.
    Months(u32),
    /// So many calendar quarters.
    Quarters(u32),
    /// So many calendar years.
    Years(u32),
}

/// Longest length in months: a thousand years.
const MOST_MONTHS: u32 = 12_000;

impl Length {
    /// Reads `250`, `250 sessions`, `12 months`, `2 quarters` or `1 year`.
    ///
    /// # Errors
    /// Another unit, no whole number, or none at all.
    pub fn parse(text: &str) -> Result<Length> {
        let wrong = || {
            let shown: String = text.chars().take(40).collect();
            Error::plan(format!("`{shown}` is no length of time")).help(
                "write a whole number of sessions, or \"250 sessions\", \"12 months\", \"2 quarters\", \"1 year\"",
            )
        };
        let mut words = text.split_whitespace();
        let number: u32 = words.next().and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
        let length = match words.next() {
            None | Some("session" | "sessions") => Length::Sessions(number as usize),
            Some("month" | "months") => Length::Months(number),
            Some("quarter" | "quarters") => Length::Quarters(number),
            Some("year" | "years") => Length::Years(number),
            Some(_) => return Err(wrong()),
        };
        if words.next().is_some() || length.is_zero() { Err(wrong()) } else { Ok(length) }
    }

    /// Months of a calendar length; none in sessions.
    pub(super) fn months(self) -> Option<u32> {
        match self {
            Length::Sessions(_) => None,
            Length::Months(n) => Some(n.min(MOST_MONTHS)),
            Length::Quarters(n) => Some(n.saturating_mul(3).min(MOST_MONTHS)),
            Length::Years(n) => Some(n.saturating_mul(12).min(MOST_MONTHS)),
        }
    }

    /// Months of the calendar's unit: where a test may start. None in sessions.
    pub(super) fn unit(self) -> Option<i64> {
        match self {
            Length::Sessions(_) => None,
            Length::Months(_) => Some(1),
            Length::Quarters(_) => Some(3),
            Length::Years(_) => Some(12),
        }
    }

    /// Whether it is no time at all.
    pub(super) fn is_zero(self) -> bool {
        matches!(self, Length::Sessions(0) | Length::Months(0) | Length::Quarters(0) | Length::Years(0))
    }
}

impl fmt::Display for Length {
    /// As [`Length::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match *self {
            Length::Sessions(number) => (number as u64, "session"),
            Length::Months(number) => (u64::from(number), "month"),
            Length::Quarters(number) => (u64::from(number), "quarter"),
            Length::Years(number) => (u64::from(number), "year"),
        };
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

/// Months since year 0 of a date.
pub(super) fn month_of(date: i32) -> i64 {
    let (year, month, _) = civil(date);
    i64::from(year) * 12 + i64::from(month) - 1
}

/// First session on or after the first day of a month (months since year 0).
pub(super) fn start_of_month(dates: &[i32], month: i64) -> usize {
    dates.partition_point(|&date| month_of(date) < month)
}

/// The session so many months before session `at`: on the same day of the month or the next session after it. A session that
/// opens its month counts as the first day, so that whole months stay whole whatever holidays they open with.
pub(super) fn months_before(dates: &[i32], at: usize, months: u32) -> usize {
    let opens = at.checked_sub(1).and_then(|before| Some(month_of(*dates.get(before)?)));
    let Some(&date) = dates.get(at) else {
        // The end of all sessions: counted from the month after the last one.
        let next = dates.last().map_or(0, |&last| month_of(last) + 1);
        return start_of_month(dates, next - i64::from(months));
    };
    let month = month_of(date) - i64::from(months);
    if opens != Some(month_of(date)) {
        return start_of_month(dates, month);
    }
    let (year, number) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let day = civil(date).2;
    // The 31st of a shorter month is the first of the next.
    match i32::try_from(year).ok().and_then(|year| date_of(year, number as u32, day)) {
        Some(wanted) => dates.partition_point(|&date| date < wanted),
        None => start_of_month(dates, month + 1),
    }
}
