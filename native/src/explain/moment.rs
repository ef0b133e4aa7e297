//! Bars by date and time, and dates and times of bars.

use sandtable_core::bundle::Frequency;
use sandtable_core::calendar::{self, DAY_MICROS, format_date};
use sandtable_core::context::Panel;
use sandtable_core::{Error, Result};

use crate::export::timestamp;

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Day of the week in words.
pub fn weekday(date: i32) -> &'static str {
    WEEKDAYS.get(calendar::weekday(date) as usize).copied().unwrap_or("a day")
}

/// When a bar is: its session's date, or the instant of its close if the bars are intraday ones.
pub fn time_of(panel: &Panel, t: usize) -> String {
    match (panel.frequency, panel.timeline.get(t), panel.sessions.get(t)) {
        (Frequency::Intraday, Some(&time), _) => minute(time),
        (_, _, Some(&session)) => format_date(session),
        _ => "?".into(),
    }
}

/// An instant to the minute, unless it has seconds.
fn minute(micros: i64) -> String {
    let text = timestamp(micros);
    match text.strip_suffix(":00Z") {
        Some(whole) => format!("{whole}Z"),
        None => text,
    }
}

/// A bar that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its index on the run's timeline.
    pub t: usize,
    /// What to know of the choice.
    pub note: Option<String>,
}

/// The bar at `YYYY-MM-DD`, or at `YYYY-MM-DDTHH:MM` (UTC, the bar's close) where bars are intraday ones.
///
/// # Errors
/// The text is no date, or there is no bar: then with the nearest ones.
pub fn find(panel: &Panel, at: &str) -> Result<Found> {
    let (date_text, time_text) = match at.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (at, None),
    };
    let unreadable = || {
        Error::plan(format!("`--at {at}` is no date"))
            .help("write `--at 2020-03-16`, or `--at 2020-03-16T14:35` (UTC) for a bar inside a session")
    };
    let date = calendar::parse_date(date_text).ok_or_else(unreadable)?;
    let intraday = panel.frequency == Frequency::Intraday;
    match time_text {
        Some(_) if !intraday => {
            Err(Error::plan(format!("`--at {at}` names a time of day, but the run's bars are not intraday ones"))
                .help(format!("write `--at {date_text}`")))
        }
        Some(time) => {
            let time = seconds(time).ok_or_else(unreadable)?;
            find_time(panel, i64::from(date) * DAY_MICROS + time * 1_000_000)
        }
        None => find_session(panel, date, intraday),
    }
}

/// Seconds after midnight of `HH:MM` or `HH:MM:SS`, with or without a `Z`.
fn seconds(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let mut parts = text.split(':').map(|part| part.parse::<u8>().ok().filter(|_| part.len() == 2).map(i64::from));
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    let sound = parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 60;
    sound.then_some((hours * 60 + minutes) * 60 + seconds)
}

fn find_session(panel: &Panel, date: i32, intraday: bool) -> Result<Found> {
    let first = panel.sessions.partition_point(|&session| session < date);
    let after = panel.sessions.partition_point(|&session| session <= date);
    let day = format!("{} ({})", format_date(date), weekday(date));
    if first == after || first < panel.start {
        let why = if intraday || panel.frequency == Frequency::Daily {
            let name = panel.calendar.name();
            if panel.calendar.is_session(date) {
                format!("no symbol of the run has a bar on {day}, a session of the {name} calendar")
            } else {
                format!("no symbol of the run has a bar on {day}: the {name} calendar has no session then")
            }
        } else {
            format!("no bar of the run is dated {day}")
        };
        return Err(missing(panel, first, why));
    }
    let count = after - first;
    let note = (intraday && count > 1).then(|| {
        format!(
            "the session of {} has {count} bars, {} to {}; this is the first. Name another by its close, as in \
             `--at {}`, or see those that follow with --bars",
            format_date(date),
            minute(panel.timeline[first]),
            minute(panel.timeline[after - 1]),
            minute(panel.timeline[after - 1]).trim_end_matches('Z'),
        )
    });
    Ok(Found { t: first, note })
}

fn find_time(panel: &Panel, micros: i64) -> Result<Found> {
    let place = panel.timeline.partition_point(|&time| time < micros);
    match panel.timeline.get(place) {
        Some(&time) if time == micros && place >= panel.start => Ok(Found { t: place, note: None }),
        _ => Err(missing(panel, place, format!("no bar of the run closes at {}", minute(micros)))),
    }
}

/// There is no simulated bar; the one that would come next on the timeline is at `place`.
fn missing(panel: &Panel, place: usize, why: String) -> Error {
    let (first, last) = (panel.start, panel.timeline.len().saturating_sub(1));
    let (from, to) = (time_of(panel, first), time_of(panel, last));
    if place < first || place == first && first == 0 {
        let warmup = if first > 0 { "; bars before that only let indicators warm up" } else { "" };
        return Error::plan(why).help(format!("the run starts on {from}{warmup}; it ends on {to}"));
    }
    if place > last {
        return Error::plan(why).help(format!("the run ends on {to}; it starts on {from}"));
    }
    if place == first {
        return Error::plan(why).help(format!("the run's first bar is {from}; it ends on {to}"));
    }
    Error::plan(why).help(format!("the nearest bars are {} and {}", time_of(panel, place - 1), time_of(panel, place)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_strictly() {
        assert_eq!(seconds("14:35"), Some(52_500));
        assert_eq!(seconds("14:35:10Z"), Some(52_510));
        for wrong in ["", "14", "24:00", "14:60", "1:30", "14:35:10:00", "14:3x", "-1:00"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(weekday(0), "Thursday");
    }
}
