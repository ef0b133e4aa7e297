//! What the calendar says of each bar, from the exchange's schedule alone.

use super::evaluate::Context;
use super::workspace::{Value, Workspace};
use crate::calendar;
use crate::strategy::CalendarFunction;

impl Context {
    pub(super) fn calendar(&self, function: CalendarFunction, workspace: &mut Workspace) -> Value {
        use CalendarFunction as C;
        let panel = &*self.panel;
        let mut out = workspace.buffer(panel.rows());
        let flag = |b: bool| if b { 1.0 } else { 0.0 };
        let week = |session: i32| session.wrapping_add(3).div_euclid(7);
        for span in &panel.spans {
            for row in span.rows() {
                let session = panel.row_session[row];
                let before = (row > span.offset).then(|| panel.row_session[row - 1]);
                let (year, month, day) = calendar::civil(session);
                out[row] = match function {
                    C::MonthEnd => flag(panel.calendar.ends_month(session)),
                    C::WeekEnd => flag(panel.calendar.ends_week(session)),
                    C::MonthStart => flag(before.is_none_or(|b| {
                        let (y, m, _) = calendar::civil(b);
                        (y, m) != (year, month)
                    })),
                    C::WeekStart => flag(before.is_none_or(|b| week(b) != week(session))),
                    C::Weekday => f64::from(calendar::weekday(session)),
                    C::Month => f64::from(month),
                    C::Day => f64::from(day),
                    C::Year => f64::from(year),
                };
            }
        }
        Value::Own(out)
    }
}
