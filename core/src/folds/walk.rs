//! Walk-forward: training, then the sessions after it, again and again.

use std::ops::Range;

use super::length::{Length, month_of, months_before, start_of_month};
use super::{Fold, Folds, MOST_FOLDS, Stretch, Walk};
use crate::calendar::civil;
use crate::error::{Error, Result};

/// Days by which the data may miss the edge of a calendar unit that still counts as whole: long weekends and holidays.
const EDGE_DAYS: i32 = 7;

/// One fold whose test is the last part.
pub(super) fn holdout(dates: &[i32], test: Length, gap: usize) -> Result<Folds> {
    if test.is_zero() {
        return Err(Error::plan("a holdout needs a test that is longer than nothing"));
    }
    let start = match (test, test.months()) {
        (Length::Sessions(sessions), _) => dates.len().checked_sub(sessions),
        (_, months) => Some(months_before(dates, dates.len(), months.unwrap_or(0))),
    };
    match start {
        Some(start) if start > gap && start < dates.len() => {
            let fold = Fold { train: one(0..start - gap), test: one(start..dates.len()) };
            Ok(joined(vec![fold]))
        }
        _ => {
            let message = format!("{} sessions have no room for a holdout and training before it", dates.len());
            Err(Error::plan(message).help("choose a shorter test or a longer range of dates"))
        }
    }
}

/// All folds of a walk whose tests are whole.
pub(super) fn folds(dates: &[i32], walk: &Walk) -> Result<Folds> {
    if walk.train.is_zero() || walk.test.is_zero() {
        return Err(Error::plan("walk-forward needs training and tests that are longer than nothing"));
    }
    let tests = match walk.test {
        Length::Sessions(length) => session_tests(dates, walk, length),
        _ => calendar_tests(dates, walk),
    };
    let mut folds = Vec::new();
    for test in tests {
        let Some(end) = test.start.checked_sub(walk.gap) else { continue };
        let Some(begin) = begin_of_training(dates, walk, test.start, end) else { continue };
        let train = if walk.anchored { 0..end } else { begin..end };
        if train.is_empty() || test.is_empty() {
            continue;
        }
        folds.push(Fold { train: one(train), test: one(test) });
        if folds.len() > MOST_FOLDS {
            let message = format!("walk-forward over {} sessions has more than {MOST_FOLDS} folds", dates.len());
            return Err(Error::plan(message).help("choose longer tests"));
        }
    }
    if folds.is_empty() {
        let message = format!("{} sessions have no room for training and one whole test", dates.len());
        return Err(Error::plan(message).help("choose shorter lengths or a longer range of dates"));
    }
    Ok(joined(folds))
}

/// Whole tests of so many sessions. Those without room for training before them are dropped by the caller.
fn session_tests(dates: &[i32], walk: &Walk, length: usize) -> Vec<Range<usize>> {
    let first = if walk.from_end {
        dates.len() % length
    } else {
        let train = match walk.train {
            Length::Sessions(sessions) => sessions,
            // From the first whole month on.
            calendar => start_of_month(dates, first_whole_month(dates) + i64::from(calendar.months().unwrap_or(0))),
        };
        train.saturating_add(walk.gap)
    };
    let starts = (first..dates.len()).step_by(length);
    starts.map(|start| start..start.saturating_add(length)).filter(|test| test.end <= dates.len()).collect()
}

/// Whole tests of calendar units, on the calendar's borders, from the first that has training before it.
fn calendar_tests(dates: &[i32], walk: &Walk) -> Vec<Range<usize>> {
    let (Some(months), Some(unit), Some(&last)) = (walk.test.months(), walk.test.unit(), dates.last()) else {
        return Vec::new();
    };
    let opens = first_whole_month(dates);
    // The month after the last whole one.
    let closes = month_of(last) + i64::from(ends_month(last));
    let mut month = opens.div_euclid(unit) * unit;
    let mut tests = Vec::new();
    while month + i64::from(months) <= closes {
        let test = start_of_month(dates, month)..start_of_month(dates, month + i64::from(months));
        let trained = match walk.train {
            Length::Sessions(sessions) => test.start >= sessions.saturating_add(walk.gap),
            calendar => month - i64::from(calendar.months().unwrap_or(0)) >= opens,
        };
        if trained && month >= opens {
            tests.push(test);
            month += i64::from(months);
        } else {
            month += unit;
        }
    }
    tests
}

/// Where training begins that ends at `end`, for a test that starts at `test`; none if there is no room.
fn begin_of_training(dates: &[i32], walk: &Walk, test: usize, end: usize) -> Option<usize> {
    match (walk.train, walk.train.months()) {
        (Length::Sessions(sessions), _) => end.checked_sub(sessions),
        (_, months) => {
            let months = months.unwrap_or(0);
            let covered = month_of(*dates.get(test)?) - i64::from(months) >= first_whole_month(dates);
            Some(months_before(dates, test, months)).filter(|&begin| covered && begin < end)
        }
    }
}

/// The first month that the data cover from its beginning.
fn first_whole_month(dates: &[i32]) -> i64 {
    dates.first().map_or(0, |&date| month_of(date) + i64::from(civil(date).2 as i32 > EDGE_DAYS))
}

/// Whether a last session lies so near to the end of its month that the month counts as whole.
fn ends_month(date: i32) -> bool {
    month_of(date.saturating_add(EDGE_DAYS)) != month_of(date)
}

fn one(range: Range<usize>) -> Vec<Range<usize>> {
    vec![range]
}

/// Folds whose tests follow each other in one path.
fn joined(folds: Vec<Fold>) -> Folds {
    let stretch = |(fold, one): (usize, &Fold)| Stretch { sessions: one.test[0].clone(), fold };
    let path = folds.iter().enumerate().map(stretch).collect();
    Folds { folds, paths: vec![path] }
}
