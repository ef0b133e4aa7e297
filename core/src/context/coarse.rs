//! Coarser bars made of finer ones, and expressions evaluated on them.

use std::sync::Arc;

use super::evaluate::{Context, Prepared};
use super::panel::Panel;
use super::workspace::{Value, Workspace};
use crate::bundle::{Bars, Frequency};
use crate::cache::Column;
use crate::calendar::{self, Calendar, DAY_MICROS, Hours, MINUTE_MICROS};
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

impl Context {
    /// True at each symbol's first bar of a period.
    pub(super) fn starts_of(&self, period: Period) -> Column {
        let panel = &*self.panel;
        let periods = Periods { calendar: panel.calendar, frequency: panel.frequency, period };
        let mut starts = vec![0.0; panel.rows()];
        for span in &panel.spans {
            let row_of = periods.rows(&panel.span_bars(*span));
            for (k, row) in span.rows().enumerate() {
                starts[row] = f64::from(u8::from(k == 0 || row_of[k - 1] != row_of[k]));
            }
        }
        starts.into()
    }
}

impl Panel {
    /// The same symbols on completed coarser bars, and for each fine row the index (plus one, 0 for none) of the last
    /// coarse row that was complete at its close.
    pub fn coarsen(&self, period: Period) -> (Panel, Vec<u32>) {
        let periods = Periods { calendar: self.calendar, frequency: self.frequency, period };
        let mut completed = vec![0u32; self.rows()];
        let mut coarse = Vec::with_capacity(self.spans.len());
        let mut offset = 0u32;
        let mut hours = Hours::new(self.calendar);
        for span in &self.spans {
            let fine = self.span_bars(*span);
            let (bars, row_of) = periods.resample(&fine);
            for (k, row) in span.rows().enumerate() {
                let own = row_of[k];
                // The bar being formed counts once its period is over by the exchange's schedule.
                let over =
                    periods.ends_with(fine.time[k], fine.session[k], &mut hours) && row_of.get(k + 1) != Some(&own);
                let count = if over { own + 1 } else { own };
                completed[row] = if count == 0 { 0 } else { offset + count };
            }
            offset += bars.len() as u32;
            coarse.push(std::borrow::Cow::Owned(bars));
        }
        let resampled = |(name, bars): (&String, &Arc<Bars>)| (name.clone(), Arc::new(periods.resample(bars).0));
        let references = self.references.iter().map(resampled).collect();
        let frequency = match (self.frequency, period) {
            (Frequency::Intraday, Period::Minutes(_)) => Frequency::Intraday,
            (_, Period::Minutes(_) | Period::Daily) => Frequency::Daily,
            _ => Frequency::Coarse,
        };
        let panel = Panel::join(self.symbols.clone(), &coarse, i32::MIN, self.calendar, frequency, references);
        (panel, completed)
    }
}

/// How the bars of one spacing make those of another.
///
/// Of intraday bars each coarser one ends at an instant that the schedule tells: so many minutes from the open, or the
/// close of a session. What trades after the close belongs to the next session's bar: else a day would not be over at
/// its close.
#[derive(Clone, Copy, Debug)]
pub(super) struct Periods {
    pub calendar: Calendar,
    /// Spacing of the finer bars.
    pub frequency: Frequency,
    pub period: Period,
}

impl Periods {
    /// Names the period of a bar, ascending: an instant of its end for minutes, else a date or a number of dates.
    fn key(self, time: i64, session: i32, hours: &mut Hours) -> i64 {
        match (self.frequency, self.period) {
            (Frequency::Intraday, Period::Minutes(minutes)) => end_of_minutes(minutes, time, hours.of(session)),
            (_, Period::Minutes(_)) => time,
            (_, period) => i64::from(period_of(self.trading_date(time, session, hours), period)),
        }
    }

    /// Whether a bar that closes at `time` is known to be the last of its period by the schedule.
    fn ends_with(self, time: i64, session: i32, hours: &mut Hours) -> bool {
        let by_date = || match self.period {
            Period::Minutes(_) | Period::Daily => true,
            Period::Weekly => self.calendar.ends_week(session),
            Period::Monthly => self.calendar.ends_month(session),
            Period::Quarterly => self.calendar.ends_month(session) && calendar::civil(session).1.is_multiple_of(3),
        };
        match (self.frequency, self.period) {
            (Frequency::Intraday, Period::Minutes(_)) => time == self.key(time, session, hours),
            (Frequency::Intraday, _) => time == hours.of(session).1 && by_date(),
            _ => by_date(),
        }
    }

    /// The session whose daily bar takes in a bar.
    pub fn trading_date(self, time: i64, session: i32, hours: &mut Hours) -> i32 {
        let after = self.frequency == Frequency::Intraday && time > hours.of(session).1;
        if after { self.calendar.next_session(session) } else { session }
    }

    /// Whether two dates lie in one period.
    pub fn joins(self, a: i32, b: i32) -> bool {
        period_of(a, self.period) == period_of(b, self.period)
    }

    /// Time and session that a coarse bar is stamped with: the same for all symbols, so that they meet on one timeline.
    fn stamp(self, key: i64, session: i32) -> (i64, i32) {
        if matches!(self.period, Period::Minutes(_)) {
            return (key, session);
        }
        let stamp = period_stamp(key.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32, self.period);
        (i64::from(stamp) * DAY_MICROS, stamp)
    }

    /// Coarser bars, and for each fine bar the index of the coarse bar that it belongs to.
    pub fn resample(self, bars: &Bars) -> (Bars, Vec<u32>) {
        let row_of = self.rows(bars);
        (self.join(bars, &row_of), row_of)
    }

    /// For each fine bar the index of the coarse bar that it belongs to.
    pub fn rows(self, bars: &Bars) -> Vec<u32> {
        let mut hours = Hours::new(self.calendar);
        let mut current = None;
        let mut rows = 0u32;
        let row = |(&time, &session): (&i64, &i32)| {
            let key = self.key(time, session, &mut hours);
            if current.replace(key) != Some(key) {
                rows += 1;
            }
            rows - 1
        };
        bars.time.iter().zip(&bars.session).map(row).collect()
    }

    /// The coarse bars of fine ones of which `row_of` says where they belong.
    pub fn join(self, bars: &Bars, row_of: &[u32]) -> Bars {
        let mut hours = Hours::new(self.calendar);
        let mut coarse = Bars::default();
        for (k, &row) in row_of.iter().enumerate() {
            if row as usize == coarse.len() {
                let key = self.key(bars.time[k], bars.session[k], &mut hours);
                let (time, session) = self.stamp(key, bars.session[k]);
                coarse.push(time, session, [bars.open[k], bars.high[k], bars.low[k], bars.close[k], bars.volume[k]]);
            } else {
                let last = row as usize;
                coarse.high[last] = coarse.high[last].max(bars.high[k]);
                coarse.low[last] = coarse.low[last].min(bars.low[k]);
                coarse.close[last] = bars.close[k];
                coarse.volume[last] += bars.volume[k];
            }
        }
        coarse
    }
}

/// When the bar of so many minutes ends that holds the instant before `time`.
fn end_of_minutes(minutes: u16, time: i64, (open, close): (i64, i64)) -> i64 {
    let step = i64::from(minutes.max(1)) * MINUTE_MICROS;
    let up = |from: i64| {
        let steps = time.saturating_sub(from).saturating_add(step - 1).div_euclid(step);
        from.saturating_add(steps.saturating_mul(step))
    };
    match time {
        time if time > close => up(close),
        time if time > open => up(open).min(close),
        _ => up(open),
    }
}

/// Number of the period that a date lies in, ascending.
fn period_of(session: i32, period: Period) -> i32 {
    let month = || {
        let (year, month, _) = calendar::civil(session);
        year * 12 + month as i32 - 1
    };
    match period {
        Period::Minutes(_) | Period::Daily => session,
        // Weeks start on Monday; 1970-01-01 was a Thursday.
        Period::Weekly => session.wrapping_add(3).div_euclid(7),
        Period::Monthly => month(),
        Period::Quarterly => month().div_euclid(3),
    }
}

/// The last date of a period.
fn period_stamp(id: i32, period: Period) -> i32 {
    let before_month = |next: i32| {
        calendar::date_of(next.div_euclid(12), next.rem_euclid(12) as u32 + 1, 1).unwrap_or(0).saturating_sub(1)
    };
    match period {
        Period::Minutes(_) | Period::Daily => id,
        Period::Weekly => id.saturating_mul(7).saturating_add(3),
        Period::Monthly => before_month(id.saturating_add(1)),
        Period::Quarterly => before_month(id.saturating_add(1).saturating_mul(3)),
    }
}
