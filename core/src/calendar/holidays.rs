//! Full-day holidays of exchanges, by rule.

use super::{civil, date_of, weekday};

/// New York's full-day closures since 1971 that are no yearly holiday: (year, month, day).
pub(super) const XNYS_UNFORESEEN: [(i32, u32, u32); 18] = [
    // Presidential elections and mourning for H. S. Truman and L. B. Johnson.
    (1972, 11, 7),
    (1972, 12, 28),
    (1973, 1, 25),
    (1976, 11, 2),
    // Blackout, election, hurricane Gloria, mourning for R. M. Nixon.
    (1977, 7, 14),
    (1980, 11, 4),
    (1985, 9, 27),
    (1994, 4, 27),
    // The attacks on New York.
    (2001, 9, 11),
    (2001, 9, 12),
    (2001, 9, 13),
    (2001, 9, 14),
    // Mourning for R. W. Reagan and G. R. Ford.
    (2004, 6, 11),
    (2007, 1, 2),
    // Hurricane Sandy.
    (2012, 10, 29),
    (2012, 10, 30),
    // Mourning for G. H. W. Bush and J. E. Carter.
    (2018, 12, 5),
    (2025, 1, 9),
];

/// Whether a weekday is a full-day holiday of the New York Stock Exchange's regular schedule.
pub(super) fn new_york(date: i32) -> bool {
    let (year, month, day) = civil(date);
    match month {
        // A New Year's Day on Saturday is not made up for: the year's books close on 31 December.
        1 => day == 1 || (day == 2 && weekday(date) == 0) || (year >= 1998 && nth_weekday(year, 1, 0, 3) == date),
        2 => nth_weekday(year, 2, 0, 3) == date,
        3 | 4 => easter(year).is_some_and(|sunday| sunday - 2 == date),
        5 => last_weekday(year, 5, 0) == date,
        6 => year >= 2022 && observed(date, 19),
        7 => observed(date, 4),
        9 => nth_weekday(year, 9, 0, 1) == date,
        11 => nth_weekday(year, 11, 3, 4) == date,
        12 => observed(date, 25),
        _ => false,
    }
}

/// Whether a weekday keeps the holiday on `day` of its month: Saturday's is kept on Friday, Sunday's on Monday.
fn observed(date: i32, day: u32) -> bool {
    let (_, _, today) = civil(date);
    today == day || (today + 1 == day && weekday(date) == 4) || (today == day + 1 && weekday(date) == 0)
}

/// The `n`-th (from 1) given weekday (0 = Monday) of a month.
pub(super) fn nth_weekday(year: i32, month: u32, day_of_week: u32, n: i32) -> i32 {
    let first = date_of(year, month, 1).unwrap_or_default();
    let ahead = (day_of_week + 7 - weekday(first)) % 7;
    first + ahead as i32 + 7 * (n - 1)
}

/// The last given weekday (0 = Monday) of a month.
pub(super) fn last_weekday(year: i32, month: u32, day_of_week: u32) -> i32 {
    let fifth = nth_weekday(year, month, day_of_week, 5);
    if civil(fifth).1 == month { fifth } else { fifth - 7 }
}

/// Easter Sunday of the Gregorian calendar (the algorithm of "New Scientist", 30 March 1961).
pub(super) fn easter(year: i32) -> Option<i32> {
    let a = year.rem_euclid(19);
    let (b, c) = (year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b.div_euclid(4), b.rem_euclid(4));
    let g = (8 * b + 13).div_euclid(25);
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c.div_euclid(4), c.rem_euclid(4));
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 19 * l).div_euclid(433);
    let month = (h + l - 7 * m + 90).div_euclid(25);
    let day = (h + l - 7 * m + 33 * month + 19).rem_euclid(32);
    date_of(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}
