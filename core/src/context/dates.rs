//! What the calendar says of each bar, from the exchange's schedule alone.

use super::evaluate::Context;
use super::panel::Panel;
use super::workspace::{Value, Workspace};
use crate::bundle::Frequency;
use crate::calendar::{self, Hours, MINUTE_MICROS};
use crate::num::NAN;
use crate::strategy::CalendarFunction;

impl Context {
    pub(super) fn calendar(&self, function: CalendarFunction, workspace: &mut Workspace) -> Value {
        let panel = &*self.panel;
        let mut out = workspace.buffer(panel.rows());
        let mut hours = Hours::new(panel.calendar);
        for span in &panel.spans {
            for row in span.rows() {
                let before = (row > span.offset).then(|| panel.row_session[row - 1]);
                out[row] = says(panel, function, row, before, &mut hours);
            }
        }
        Value::Own(out)
    }
}

/// What is said of a row; `before` is the session of the symbol's bar before.
fn says(panel: &Panel, function: CalendarFunction, row: usize, before: Option<i32>, hours: &mut Hours) -> f64 {
    use CalendarFunction as C;
    let flag = |b: bool| if b { 1.0 } else { 0.0 };
    let week = |session: i32| session.wrapping_add(3).div_euclid(7);
    let session = panel.row_session[row];
    let (year, month, day) = calendar::civil(session);
    match function {
        C::MonthEnd => flag(panel.calendar.ends_month(session)),
        C::WeekEnd => flag(panel.calendar.ends_week(session)),
        C::MonthStart => flag(before.is_none_or(|b| {
            let (y, m, _) = calendar::civil(b);
            (y, m) != (year, month)
        })),
        C::WeekStart => flag(before.is_none_or(|b| week(b) != week(session))),
        C::SessionStart => flag(before != Some(session)),
        C::Weekday => f64::from(calendar::weekday(session)),
        C::Month => f64::from(month),
        C::Day => f64::from(day),
        C::Year => f64::from(year),
        // A bar of a whole session ends with it, and has no time of day.
        C::SessionEnd if panel.frequency != Frequency::Intraday => 1.0,
        _ if panel.frequency != Frequency::Intraday => NAN,
        C::SessionEnd | C::MinutesSinceOpen | C::MinutesToClose | C::TimeOfDay => {
            let time = panel.timeline[panel.row_time[row] as usize];
            let (open, close) = hours.of(session);
            let minutes = |micros: i64| micros as f64 / MINUTE_MICROS as f64;
            match function {
                C::SessionEnd => flag(time == close),
                C::MinutesSinceOpen => minutes(time - open),
                C::MinutesToClose => minutes(close - time),
                _ => panel.calendar.local_minutes(time),
            }
        }
    }
}
