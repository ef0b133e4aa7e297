//! When members are weighted again, and what is seen then.

use std::ops::Range;

use sandtable_core::calendar::civil;
use sandtable_core::portfolio::{LEAST_SESSIONS, Scheme};
use sandtable_core::{Error, Result};

/// Sessions of a year, from which the first weights are estimated if there are enough.
const YEAR: usize = 252;

/// When weights are estimated again and members brought back to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebalance {
    /// Once, at the start; after that the members' parts drift.
    Never,
    /// At the first session of a week.
    Weekly,
    /// At the first session of a month.
    Monthly,
    /// At the first session of a quarter.
    Quarterly,
    /// At the first session of a year.
    Yearly,
}

/// From which sessions weights are estimated: always ones before the day on which they are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learn {
    /// All sessions before it. The account trades from the second year on, or from the second quarter of the sessions.
    Expanding,
    /// The first half of the sessions, once. The account trades in the second half.
    FirstHalf,
    /// The last sessions before it, so many. The account trades once there are so many.
    Rolling(usize),
}

impl Rebalance {
    /// Whether two days, the first one earlier, are in different periods.
    pub fn parts(self, before: i32, now: i32) -> bool {
        let months = |day: i32| {
            let (year, month, _) = civil(day);
            year * 12 + month as i32 - 1
        };
        match self {
            Rebalance::Never => false,
            // 1970-01-01 was a Thursday.
            Rebalance::Weekly => (before + 3).div_euclid(7) != (now + 3).div_euclid(7),
            Rebalance::Monthly => months(before) != months(now),
            Rebalance::Quarterly => months(before).div_euclid(3) != months(now).div_euclid(3),
            Rebalance::Yearly => months(before).div_euclid(12) != months(now).div_euclid(12),
        }
    }

    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Rebalance::Never => "never",
            Rebalance::Weekly => "weekly",
            Rebalance::Monthly => "monthly",
            Rebalance::Quarterly => "quarterly",
            Rebalance::Yearly => "yearly",
        }
    }
}

impl Learn {
    /// Reads `expanding`, `first-half`, or a number of sessions.
    ///
    /// # Errors
    /// Something else, or too few sessions.
    pub fn parse(text: &str) -> Result<Learn> {
        match (text, text.parse::<usize>()) {
            ("expanding", _) => Ok(Learn::Expanding),
            ("first-half", _) => Ok(Learn::FirstHalf),
            (_, Ok(sessions)) if sessions >= LEAST_SESSIONS => Ok(Learn::Rolling(sessions)),
            _ => Err(Error::plan(format!("`--learn {text}` says no sessions to estimate weights from"))
                .help(format!("say `expanding`, `first-half`, or a number of sessions of at least {LEAST_SESSIONS}"))),
        }
    }

    /// What is said on the command line.
    pub fn name(self) -> String {
        match self {
            Learn::Expanding => "expanding".to_owned(),
            Learn::FirstHalf => "first-half".to_owned(),
            Learn::Rolling(sessions) => sessions.to_string(),
        }
    }

    /// The first of `sessions` sessions at which the account trades.
    ///
    /// # Errors
    /// There are too few to estimate anything before it.
    pub fn first(self, scheme: Scheme, sessions: usize) -> Result<usize> {
        if !scheme.estimates() {
            return Ok(0);
        }
        let first = match self {
            Learn::Expanding => YEAR.min(sessions / 4),
            Learn::FirstHalf => sessions / 2,
            Learn::Rolling(window) => window,
        };
        if first < LEAST_SESSIONS || first >= sessions {
            let message = format!("the members share {sessions} sessions: too few for `{}`", scheme.name());
            return Err(Error::plan(message).help("search over longer dates, or say `--weights fixed`"));
        }
        Ok(first)
    }

    /// The sessions that may be seen at session `now`, which is not before `first`.
    pub fn seen(self, first: usize, now: usize) -> Range<usize> {
        match self {
            Learn::Expanding => 0..now,
            Learn::FirstHalf => 0..first,
            Learn::Rolling(window) => now.saturating_sub(window)..now,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use sandtable_core::calendar::date_of;

    use super::*;

    #[test]
    fn periods_end_where_the_calendar_says() {
        let day = |y, m, d| date_of(y, m, d).unwrap();
        let (friday, monday) = (day(2021, 1, 1), day(2021, 1, 4));
        for (rebalance, expected) in [
            (Rebalance::Never, [false, false, false, false]),
            (Rebalance::Weekly, [true, true, true, true]),
            (Rebalance::Monthly, [false, true, true, true]),
            (Rebalance::Quarterly, [false, false, true, true]),
            (Rebalance::Yearly, [false, false, false, true]),
        ] {
            let later = [monday, day(2021, 2, 1), day(2021, 4, 1), day(2022, 1, 3)];
            assert_eq!(later.map(|now| rebalance.parts(friday, now)), expected, "{rebalance:?}");
        }
        assert!(!Rebalance::Weekly.parts(monday, day(2021, 1, 8)));
    }

    #[test]
    fn nothing_on_or_after_the_day_is_seen() {
        for learn in [Learn::Expanding, Learn::FirstHalf, Learn::Rolling(40)] {
            let first = learn.first(Scheme::Kelly, 400).unwrap();
            for now in first..400 {
                let seen = learn.seen(first, now);
                assert!(seen.end <= now && seen.len() >= LEAST_SESSIONS, "{learn:?} {now} {seen:?}");
            }
        }
        assert_eq!(Learn::Expanding.first(Scheme::Fixed, 3).unwrap(), 0);
        assert!(Learn::Expanding.first(Scheme::Kelly, 79).is_err());
        assert!(Learn::Rolling(50).first(Scheme::Kelly, 50).is_err());
        assert!(Learn::parse("19").is_err() && Learn::parse("all").is_err());
        for learn in [Learn::Expanding, Learn::FirstHalf, Learn::Rolling(20)] {
            assert_eq!(Learn::parse(&learn.name()).unwrap(), learn);
        }
    }
}
