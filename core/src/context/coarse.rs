//! Coarser bars made of finer ones, and expressions evaluated on them.

use super::evaluate::{Context, Prepared};
use super::panel::Panel;
use super::workspace::{Value, Workspace};
use crate::bundle::{Bars, Frequency};
use crate::calendar::{self, Calendar, DAY_MICROS};
use crate::num::NAN;
use crate::strategy::{NodeId, Period, Strategy};

/// A context over coarser bars.
#[derive(Debug)]
pub(super) struct Coarse {
    pub context: Context,
    /// For each fine row the number (from 1, 0 for none) of the last coarse row that was complete at its close.
    pub completed: Vec<u32>,
}

impl Context {
    pub(super) fn coarse_value(
        &self,
        strategy: &Strategy,
        period: Period,
        inner: NodeId,
        point: &[f64],
        workspace: &mut Workspace,
    ) -> Value {
        let cell = self.coarser(period);
        let Some(coarse) = cell.get() else { return Value::Scalar(NAN) };
        let mut apart = Workspace::default();
        let value = coarse
            .context
            .evaluate(strategy, &[inner], point, &Prepared::default(), &mut apart)
            .pop()
            .map_or(Value::Scalar(NAN), |value| apart.widen(value));
        let mut out = workspace.buffer(self.panel.rows());
        for (out, &completed) in out.iter_mut().zip(&coarse.completed) {
            if completed > 0 {
                *out = value.at(&coarse.context.panel, completed as usize - 1);
            }
        }
        Value::Own(out)
    }
}

impl Panel {
    /// The same symbols on completed coarser bars, and for each fine row the index (plus one, 0 for none) of the last
    /// coarse row that was complete at its close.
    pub fn coarsen(&self, period: Period) -> (Panel, Vec<u32>) {
        let mut completed = vec![0u32; self.rows()];
        let mut coarse = Vec::with_capacity(self.spans.len());
        let mut offset = 0u32;
        for span in &self.spans {
            let fine = self.span_bars(*span);
            let (bars, row_of) = resample(&fine, period);
            for (k, row) in span.rows().enumerate() {
                let own = row_of[k];
                // The bar being formed counts only once its period is over by the exchange's schedule. Intraday bars
                // cannot know that theirs is the session's last one, so they wait for the next period.
                let over = self.frequency != Frequency::Intraday
                    && ends_period(self.calendar, self.row_session[row], period)
                    && row_of.get(k + 1) != Some(&own);
                let count = if over { own + 1 } else { own };
                completed[row] = if count == 0 { 0 } else { offset + count };
            }
            offset += bars.len() as u32;
            coarse.push(bars);
        }
        let references = self.references.iter().map(|(name, bars)| (name.clone(), resample(bars, period).0)).collect();
        let panel = Panel::join(self.symbols.clone(), coarse, i32::MIN, self.calendar, Frequency::Coarse, references);
        (panel, completed)
    }
}

/// Number of the period that a date lies in, ascending.
fn period_of(session: i32, period: Period) -> i32 {
    match period {
        // Weeks start on Monday; 1970-01-01 was a Thursday.
        Period::Weekly => session.wrapping_add(3).div_euclid(7),
        Period::Monthly => {
            let (year, month, _) = calendar::civil(session);
            year * 12 + month as i32 - 1
        }
    }
}

fn ends_period(calendar: Calendar, session: i32, period: Period) -> bool {
    match period {
        Period::Weekly => calendar.ends_week(session),
        Period::Monthly => calendar.ends_month(session),
    }
}

/// Coarser bars, and for each fine bar the index of the coarse bar that it belongs to. Coarse bars are stamped with
/// the last date of their period, so that symbols with different last bars still meet on one timeline.
fn resample(bars: &Bars, period: Period) -> (Bars, Vec<u32>) {
    let mut coarse = Bars::default();
    let mut row_of = Vec::with_capacity(bars.len());
    let mut current = None;
    for k in 0..bars.len() {
        let id = period_of(bars.session[k], period);
        if current != Some(id) {
            current = Some(id);
            let stamp = period_stamp(id, period);
            coarse.time.push(i64::from(stamp) * DAY_MICROS);
            coarse.session.push(stamp);
            coarse.open.push(bars.open[k]);
            coarse.high.push(bars.high[k]);
            coarse.low.push(bars.low[k]);
            coarse.close.push(bars.close[k]);
            coarse.volume.push(bars.volume[k]);
        } else {
            let last = coarse.close.len() - 1;
            coarse.high[last] = coarse.high[last].max(bars.high[k]);
            coarse.low[last] = coarse.low[last].min(bars.low[k]);
            coarse.close[last] = bars.close[k];
            coarse.volume[last] += bars.volume[k];
        }
        row_of.push(coarse.close.len() as u32 - 1);
    }
    (coarse, row_of)
}

fn period_stamp(id: i32, period: Period) -> i32 {
    match period {
        Period::Weekly => id.saturating_mul(7).saturating_add(3),
        Period::Monthly => {
            let next = id + 1;
            calendar::date_of(next.div_euclid(12), next.rem_euclid(12) as u32 + 1, 1).unwrap_or(0) - 1
        }
    }
}
