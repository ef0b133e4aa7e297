//! A run on coarser bars than the bundle's: how they are made, and the finer ones that they are made of.

use super::adjust::{Adjust, CorporateAction, Pending};
use super::coarse::Periods;
use crate::bundle::{Bars, Frequency};
use crate::calendar::{Calendar, DAY_MICROS, Hours};
use crate::strategy::Period;

/// Bars that a run is simulated on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BarSize {
    /// Those of the bundle.
    #[default]
    Bundle,
    /// Five minutes.
    FiveMinutes,
    /// Fifteen minutes.
    FifteenMinutes,
    /// Thirty minutes.
    ThirtyMinutes,
    /// One hour.
    Hour,
    /// Sessions.
    Daily,
    /// ISO weeks.
    Weekly,
}

impl BarSize {
    /// The period of coarser bars; `None` for the bundle's own.
    pub fn period(self) -> Option<Period> {
        match self {
            BarSize::Bundle => None,
            BarSize::FiveMinutes => Some(Period::Minutes(5)),
            BarSize::FifteenMinutes => Some(Period::Minutes(15)),
            BarSize::ThirtyMinutes => Some(Period::Minutes(30)),
            BarSize::Hour => Some(Period::Minutes(60)),
            BarSize::Daily => Some(Period::Daily),
            BarSize::Weekly => Some(Period::Weekly),
        }
    }

    /// The size that differs from a bundle's own bars, as far as its frequency tells; `None` if these are longer.
    pub fn over(self, frequency: Frequency) -> Option<BarSize> {
        match (self, frequency) {
            (BarSize::Bundle, _) | (BarSize::Daily, Frequency::Daily) => Some(BarSize::Bundle),
            (_, Frequency::Intraday) | (BarSize::Weekly, Frequency::Daily) => Some(self),
            (_, Frequency::Daily | Frequency::Coarse) => None,
        }
    }

    /// Spacing of such bars made of finer ones.
    pub(super) fn frequency(self) -> Option<Frequency> {
        match self.period()? {
            Period::Minutes(_) => Some(Frequency::Intraday),
            Period::Daily => Some(Frequency::Daily),
            Period::Weekly | Period::Monthly | Period::Quarterly => Some(Frequency::Coarse),
        }
    }
}

/// The finer bars inside the rows of a panel, symbol after symbol. Prices are those of the row: of a row in which an
/// action became effective the fine bars before it are adjusted for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fine {
    /// First fine bar of each row of the panel, and at the end the number of fine bars.
    pub first: Vec<u32>,
    /// Timestamps, microseconds UTC.
    pub time: Vec<i64>,
    /// First prices.
    pub open: Vec<f64>,
    /// Highest prices.
    pub high: Vec<f64>,
    /// Lowest prices.
    pub low: Vec<f64>,
    /// Last prices.
    pub close: Vec<f64>,
}

impl Fine {
    /// The fine bars of a row of the panel.
    pub fn rows(&self, row: usize) -> std::ops::Range<usize> {
        self.first[row] as usize..self.first[row + 1] as usize
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.time.len() * 40 + self.first.len() * 4
    }

    /// Appends one symbol's.
    pub(super) fn append(&mut self, bars: &Bars, row_of: &[u32]) {
        let offset = self.time.len() as u32;
        self.first.pop();
        for (k, row) in row_of.iter().enumerate() {
            if k == 0 || row_of[k - 1] != *row {
                self.first.push(offset + k as u32);
            }
        }
        self.time.extend_from_slice(&bars.time);
        self.open.extend_from_slice(&bars.open);
        self.high.extend_from_slice(&bars.high);
        self.low.extend_from_slice(&bars.low);
        self.close.extend_from_slice(&bars.close);
        self.first.push(self.time.len() as u32);
    }
}

/// Makes the bars of a run out of finer ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coarser {
    periods: Periods,
    /// Last date that any of the run's bars belongs to: no bar is stamped later.
    last: i32,
}

impl Coarser {
    /// For the symbols of a run.
    pub fn new<'a>(
        calendar: Calendar,
        frequency: Frequency,
        period: Period,
        bars: impl Iterator<Item = &'a Bars>,
    ) -> Coarser {
        let periods = Periods { calendar, frequency, period };
        let mut hours = Hours::new(calendar);
        let mut date = |bars: &Bars| Some(periods.trading_date(*bars.time.last()?, *bars.session.last()?, &mut hours));
        let last = bars.filter_map(&mut date).max();
        Coarser { periods, last: last.unwrap_or(i32::MAX) }
    }

    /// One symbol's coarser bars, for each fine bar the index of its coarse bar, and the fine bars: those before an
    /// action that became effective within their coarse bar are adjusted for it, so that one bar has one unit.
    pub fn make(self, mut fine: Bars, actions: &[CorporateAction]) -> (Bars, Vec<u32>, Bars) {
        let row_of = self.periods.rows(&fine);
        let rows = row_of.last().map_or(0, |&row| row as usize + 1);
        let mut hours = Hours::new(self.periods.calendar);
        let mut pending = Pending::new(actions, Adjust::All);
        let mut sessions = Vec::with_capacity(rows);
        let mut start = 0;
        for row in 0..rows {
            let end = start + row_of[start..].partition_point(|&of| of as usize == row);
            let session = self.session(fine.time[end - 1], fine.session[end - 1], &mut hours);
            while let Some(rescale) = pending.next(session) {
                rescale.bars(&mut fine, start..end);
            }
            sessions.push(session);
            start = end;
        }
        let mut coarse = self.periods.join(&fine, &row_of);
        if !matches!(self.periods.period, Period::Minutes(_)) {
            coarse.time = sessions.iter().map(|&session| i64::from(session) * DAY_MICROS).collect();
        }
        coarse.session = sessions;
        (coarse, row_of, fine)
    }

    /// The session that a coarse bar is stamped with: its last one by the schedule, the same for all symbols.
    fn session(self, time: i64, session: i32, hours: &mut Hours) -> i32 {
        let date = self.periods.trading_date(time, session, hours);
        match self.periods.period {
            Period::Minutes(_) => session,
            Period::Daily => date,
            Period::Weekly | Period::Monthly | Period::Quarterly => {
                let next = |&date: &i32| Some(self.periods.calendar.next_session(date));
                let ahead = std::iter::successors(Some(date), next).take(100);
                let end = ahead.take_while(|&later| self.periods.joins(date, later)).last();
                end.unwrap_or(date).min(self.last).max(date)
            }
        }
    }
}
