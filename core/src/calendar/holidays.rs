//! Full-day holidays of exchanges, by rule.

use super::{Calendar, civil, date_of, weekday};

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

/// Full-day closures that nobody knew a fortnight ahead: (year, month, day).
pub(super) fn unforeseen(calendar: Calendar) -> &'static [(i32, u32, u32)] {
    match calendar {
        Calendar::Xnys => &XNYS_UNFORESEEN,
        // Funeral of Elizabeth II.
        Calendar::Xlon => &[(2022, 9, 19)],
        // The exchange's computers.
        Calendar::Xtks => &[(2020, 10, 1)],
        _ => &[],
    }
}

/// Whether a weekday is a full-day holiday of the regular schedule.
pub(super) fn is_holiday(calendar: Calendar, date: i32) -> bool {
    match calendar {
        Calendar::Xnys => new_york(date),
        Calendar::Xlon => london(date),
        Calendar::Xetr => frankfurt(date),
        Calendar::Xpar => euronext(date),
        Calendar::Xtks => tokyo(date),
        Calendar::Xtse => toronto(date),
        Calendar::Weekdays | Calendar::AlwaysOpen => false,
    }
}

/// Whether a weekday is a full-day holiday of the New York Stock Exchange's regular schedule.
fn new_york(date: i32) -> bool {
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
fn last_weekday(year: i32, month: u32, day_of_week: u32) -> i32 {
    let fifth = nth_weekday(year, month, day_of_week, 5);
    if civil(fifth).1 == month { fifth } else { fifth - 7 }
}

/// Easter Sunday of the Gregorian calendar (the algorithm of "New Scientist", 30 March 1961).
fn easter(year: i32) -> Option<i32> {
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

/// Days from Easter Sunday, where it is near.
fn from_easter(date: i32) -> Option<i32> {
    easter(civil(date).0).map(|sunday| date.saturating_sub(sunday))
}

/// Whether a weekday keeps Christmas and the day after it, in countries that make up for weekends after them.
fn christmas_made_up(month: u32, day: u32, weekday: u32) -> bool {
    month == 12 && (matches!(day, 25 | 26) || matches!((day, weekday), (27 | 28, 0 | 1)))
}

/// Whether a weekday keeps New Year's Day, made up for on Monday.
fn new_year_made_up(month: u32, day: u32, weekday: u32) -> bool {
    month == 1 && (day == 1 || (weekday == 0 && day <= 3))
}

fn london(date: i32) -> bool {
    let (year, month, day) = civil(date);
    let today = weekday(date);
    let easter = matches!(from_easter(date), Some(-2 | 1));
    let may = match (year, month) {
        // Fifty and seventy-five years after the end of the war.
        (1995 | 2020, 5) => day == 8,
        (_, 5) => today == 0 && day <= 7,
        _ => false,
    };
    // Jubilees moved the spring holiday and added a day; then a wedding, a coronation, and the turn of the millennium.
    let spring = match year {
        2002 => month == 6 && matches!(day, 3 | 4),
        2012 => month == 6 && matches!(day, 4 | 5),
        2022 => month == 6 && matches!(day, 2 | 3),
        _ => last_weekday(year, 5, 0) == date,
    };
    let once = matches!((year, month, day), (2011, 4, 29) | (2023, 5, 8) | (1999, 12, 31));
    let summer = last_weekday(year, 8, 0) == date;
    let winter = christmas_made_up(month, day, today) || new_year_made_up(month, day, today);
    easter || may || spring || once || summer || winter
}

fn frankfurt(date: i32) -> bool {
    let (year, month, day) = civil(date);
    let easter = match from_easter(date) {
        Some(-2 | 1) => true,
        // Whit Monday was a trading day before and is one again.
        Some(50) => (2015..=2021).contains(&year),
        _ => false,
    };
    let unity = (month, day) == (10, 3) && (2014..=2021).contains(&year);
    // Five hundred years after the Reformation.
    let once = (year, month, day) == (2017, 10, 31);
    easter || unity || once || matches!((month, day), (1, 1) | (5, 1) | (12, 24 | 25 | 26 | 31))
}

fn euronext(date: i32) -> bool {
    let (_, month, day) = civil(date);
    matches!(from_easter(date), Some(-2 | 1)) || matches!((month, day), (1, 1) | (5, 1) | (12, 25 | 26))
}

fn toronto(date: i32) -> bool {
    let (year, month, day) = civil(date);
    let today = weekday(date);
    let monday = |n: i32| nth_weekday(year, month, 0, n) == date;
    let regular = match month {
        2 => year >= 2008 && monday(3),
        // The Monday before 25 May.
        5 => today == 0 && (18..=24).contains(&day),
        7 => day == 1 || (today == 0 && matches!(day, 2 | 3)),
        8 | 9 => monday(1),
        10 => monday(2),
        _ => false,
    };
    let winter = christmas_made_up(month, day, today) || new_year_made_up(month, day, today);
    regular || winter || from_easter(date) == Some(-2)
}

/// National holidays of Japan, those made up for on the next free day, those between two others, and the turn of the
/// year.
fn tokyo(date: i32) -> bool {
    let (_, month, day) = civil(date);
    if matches!((month, day), (12, 31) | (1, 1..=3)) || japanese(date) {
        return true;
    }
    // A holiday on Sunday is made up for on the first day after it that is none.
    let mut before = date.wrapping_sub(1);
    while japanese(before) {
        if weekday(before) == 6 {
            return true;
        }
        before = before.wrapping_sub(1);
    }
    japanese(date.wrapping_sub(1)) && japanese(date.wrapping_add(1))
}

/// Whether a date is a national holiday of Japan by itself.
fn japanese(date: i32) -> bool {
    let (year, month, day) = civil(date);
    let monday = |n: i32| nth_weekday(year, month, 0, n) == date;
    // Days of the equinoxes between 1980 and 2099, as the observatory computes them.
    let equinox = |millionths: i64| {
        let years = i64::from(year) - 1980;
        i64::from(day) == (millionths + 242_194 * years).div_euclid(1_000_000) - years.div_euclid(4)
    };
    // For the Olympic Games three holidays were moved, two years in a row.
    let (marine, sports, mountain) = match year {
        2020 => ((7, 23), (7, 24), (8, 10)),
        2021 => ((7, 22), (7, 23), (8, 8)),
        _ => ((0, 0), (0, 0), (8, 11)),
    };
    let games = matches!(year, 2020 | 2021);
    match (month, day) {
        (2, 11) | (4, 29) | (5, 3..=5) | (11, 3 | 23) => true,
        (2, 23) => year >= 2020,
        (12, 23) => (1989..=2018).contains(&year),
        // The change of emperors.
        (5, 1) | (10, 22) if year == 2019 => true,
        (1, 15) if year < 2000 => true,
        (7, 20) if (1996..=2002).contains(&year) => true,
        (9, 15) if year < 2003 => true,
        (10, 10) if year < 2000 => true,
        today if games && (today == marine || today == sports) => true,
        today if year >= 2016 && today == mountain => true,
        (1, _) => year >= 2000 && monday(2),
        (7, _) => year >= 2003 && !games && monday(3),
        (9, _) => (year >= 2003 && monday(3)) || equinox(23_248_800),
        (10, _) => year >= 2000 && !games && monday(2),
        (3, _) => equinox(20_843_100),
        _ => false,
    }
}
