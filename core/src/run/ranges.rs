//! Ranges of sessions that are simulated each by itself, over columns that all of them share.
//!
//! Given an evaluator and ranges of its sessions, this file gives one whose trials see just these: an account is opened
//! with the plan's capital at the start of each range, indicators have seen the bars before it, and nothing after its end
//! is looked at. The courses of several ranges are joined by their returns, as if each went on with what the one before
//! left. It never knows why the ranges were chosen.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::{Detail, Evaluator, Panelled, Scratch, course};
use crate::context::Panel;
use crate::engine::fast::{self, lanes};
use crate::engine::{self, Decisions, Record};
use crate::error::{Error, Result};
use crate::folds::{Folds, Gap};
use crate::metrics::{self, Counters, TradeSums};
use crate::plan::Plan;

/// Bars that are simulated in one go.
#[derive(Debug)]
pub(super) struct Part {
    pub panel: Arc<Panel>,
    pub grid: OnceLock<std::result::Result<fast::Grid, &'static str>>,
}

impl Part {
    fn new(panel: Arc<Panel>) -> Part {
        Part { panel, grid: OnceLock::new() }
    }

    /// The same bars, never on the fast path.
    pub fn by_reference(self) -> Part {
        Part { grid: OnceLock::from(Err("the reference simulator was asked for")), ..self }
    }
}

/// The sessions that trials report, and the market's returns in them.
#[derive(Debug)]
pub(super) struct Sessions {
    pub dates: Vec<i32>,
    pub benchmark: metrics::Benchmark,
}

/// The parts that a plan simulates of its panel, and their sessions joined.
pub(super) fn parts(plan: &Plan, panelled: &Panelled) -> (Vec<Part>, Arc<Sessions>) {
    if plan.ranges().is_empty() {
        return (vec![Part::new(panelled.panel.clone())], panelled.sessions.clone());
    }
    let (mut dates, mut benchmark) = (Vec::new(), Vec::new());
    let mut part = |&(from, to): &(i32, i32)| {
        let panel = panelled.panel.within(from, to);
        let (own, returns) = course(plan, &panel);
        dates.extend(own);
        benchmark.extend(returns);
        Part::new(Arc::new(panel))
    };
    let parts = plan.ranges().iter().map(&mut part).collect();
    (parts, Arc::new(Sessions { dates, benchmark: metrics::Benchmark::new(benchmark) }))
}

/// A course made of several, one after another.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    /// What the parts so far left of the capital, in capitals; without anything left, later parts change nothing.
    worth: f64,
    pub equity: Vec<f64>,
    pub bar_equity: Vec<f64>,
    pub trades: TradeSums,
    pub counters: Counters,
    pub rows_read: u64,
}

impl Default for Joined {
    fn default() -> Self {
        Joined {
            worth: 1.0,
            equity: Vec::new(),
            bar_equity: Vec::new(),
            trades: TradeSums::default(),
            counters: Counters::default(),
            rows_read: 0,
        }
    }
}

impl Joined {
    /// Adds a part that began with `capital`.
    pub fn add(
        &mut self,
        capital: f64,
        [equity, bar_equity]: [&[f64]; 2],
        trades: &TradeSums,
        counters: &Counters,
        rows_read: u64,
    ) {
        let worth = self.worth;
        if worth > 0.0 {
            self.equity.extend(equity.iter().map(|equity| equity * worth));
            self.bar_equity.extend(bar_equity.iter().map(|equity| equity * worth));
            self.worth = self.equity.last().map_or(worth, |last| last / capital);
            self.trades.join(trades, worth);
        } else {
            let last = worth * capital;
            self.equity.resize(self.equity.len() + equity.len(), last);
            self.bar_equity.resize(self.bar_equity.len() + bar_equity.len(), last);
        }
        let sum = &mut self.counters;
        sum.bars += counters.bars;
        sum.bars_in_market += counters.bars_in_market;
        sum.traded_value += counters.traded_value * worth.max(0.0);
        sum.max_leverage = sum.max_leverage.max(counters.max_leverage);
        sum.fees += counters.fees * worth.max(0.0);
        sum.fills += counters.fills;
        sum.ambiguous_bars += counters.ambiguous_bars;
        sum.rejected_orders += counters.rejected_orders;
        sum.partial_fills += counters.partial_fills;
        self.rows_read += rows_read;
    }
}

impl Evaluator {
    /// The same plan over some of its sessions: `sessions` are indices of [`Evaluator::sessions`], ascending, not
    /// overlapping. Panel, columns and their cache are shared.
    ///
    /// A range comes to the bits of a plan over its dates alone whose indicators begin where this panel begins: they have
    /// seen every bar before the range, not only as many as they look back.
    ///
    /// # Errors
    /// No range, an empty one, or one that the plan's sessions do not hold.
    pub fn within(&self, sessions: &[Range<usize>]) -> Result<Evaluator> {
        let dates = &self.sessions.dates;
        let mut end = 0;
        let mut ranges = Vec::with_capacity(sessions.len());
        for range in sessions {
            if range.is_empty() || range.start < end || range.end > dates.len() {
                let message = format!("sessions {range:?} are no range after {end} of {} sessions", dates.len());
                return Err(Error::plan(message).help("give ascending ranges that do not overlap"));
            }
            end = range.end;
            ranges.push((dates[range.start], dates[range.end - 1]));
        }
        if ranges.is_empty() {
            return Err(Error::plan("no range of sessions is given").help("give at least one"));
        }
        let plan = Arc::new(self.plan.within(ranges));
        let (mut parts, sessions) = parts(&plan, &self.panelled);
        if self.never_fast {
            parts = parts.into_iter().map(Part::by_reference).collect();
        }
        Ok(Evaluator {
            plan,
            context: self.context.clone(),
            columns: self.columns.clone(),
            comparisons: self.comparisons.clone(),
            panelled: self.panelled.clone(),
            parts,
            sessions,
            never_fast: self.never_fast,
            judging: None,
            shares: OnceLock::new(),
        })
    }

    /// The folds of the plan's sessions, and the sessions that were taken out of training around tests.
    ///
    /// # Errors
    /// As [`Folds::new`].
    pub fn folds(&self) -> Result<(Folds, Gap)> {
        let panel = self.panel();
        let bars = panel.timeline.len() - panel.start;
        self.plan.folds(self.sessions(), bars.div_ceil(self.sessions().len().max(1)))
    }

    /// Dates of the sessions that trials report, days since 1970-01-01, ascending.
    pub fn sessions(&self) -> &[i32] {
        &self.sessions.dates
    }

    /// The bars that are simulated; of several ranges, the first one's.
    pub fn panel(&self) -> &Arc<Panel> {
        &self.parts[0].panel
    }

    /// Rows that a trial simulates.
    pub fn simulated_rows(&self) -> usize {
        self.parts.iter().map(|part| part.panel.simulated_rows()).sum()
    }

    /// Simulates every part and leaves the joined course in the scratch memory. Whether the fast path did all of it.
    pub(super) fn follow_parts(
        &self,
        decisions: &Decisions,
        fast: bool,
        record: &Record,
        scratch: &mut Scratch,
    ) -> bool {
        let settings = self.plan.settings();
        let mut joined = Joined::default();
        let (mut fills, mut trades) = (Vec::new(), Vec::new());
        let (mut all_fast, mut bars) = (true, 0);
        for part in &self.parts {
            let (engine, panel) = (&mut scratch.engine, &*part.panel);
            let grid = part.grid.get().and_then(|grid| grid.as_ref().ok()).filter(|_| fast);
            let done =
                grid.is_some_and(|grid| fast::simulate(panel, grid, decisions, settings, record.clone(), engine));
            if !done {
                engine::simulate(panel, &mut &*decisions, settings, record.clone(), engine);
            }
            all_fast &= done;
            let courses = [&engine.session_equity[..], &engine.bar_equity];
            joined.add(settings.capital, courses, &engine.trades, &engine.counters, engine.rows_read);
            // Bars are counted as if the parts were one run that starts where the first part does.
            let shift = |bar: u32| bar - panel.start as u32 + bars + self.parts[0].panel.start as u32;
            fills.extend(engine.account.fills.drain(..).map(|mut fill| {
                fill.bar = shift(fill.bar);
                fill
            }));
            trades.extend(engine.account.trades.drain(..).map(|mut trade| {
                (trade.entry_bar, trade.exit_bar) = (shift(trade.entry_bar), shift(trade.exit_bar));
                trade
            }));
            bars += (panel.timeline.len() - panel.start) as u32;
        }
        let engine = &mut scratch.engine;
        (engine.session_equity, engine.bar_equity) = (joined.equity, joined.bar_equity);
        (engine.trades, engine.counters, engine.rows_read) = (joined.trades, joined.counters, joined.rows_read);
        (engine.account.fills, engine.account.trades) = (fills, trades);
        all_fast
    }

    /// Whether trials can be simulated side by side in every range.
    pub(super) fn is_open_to(&self, decisions: &[Decisions]) -> bool {
        let mut grids = self.parts.iter().map(|part| part.grid.get().and_then(|grid| grid.as_ref().ok()));
        grids.all(|grid| grid.is_some_and(|grid| lanes::open_to(grid, decisions)))
    }

    /// Simulates trials of one group side by side, range after range; `finished` holds their courses, joined.
    pub(super) fn simulate_lanes(&self, decisions: &[Decisions], scratch: &mut Scratch) {
        let settings = self.plan.settings();
        let Scratch { lanes: memory, finished, .. } = scratch;
        finished.resize_with(decisions.len(), lanes::Finished::default);
        let grids = self.parts.iter().filter_map(|part| Some((&*part.panel, part.grid.get()?.as_ref().ok()?)));
        if self.parts.len() == 1 {
            grids.for_each(|(panel, grid)| fast::simulate_group(panel, grid, settings, decisions, memory, finished));
            return;
        }
        let mut joined = vec![Joined::default(); decisions.len()];
        let mut unknown = vec![false; decisions.len()];
        for (panel, grid) in grids {
            fast::simulate_group(panel, grid, settings, decisions, memory, finished);
            for (joined, done) in joined.iter_mut().zip(&*finished) {
                let courses = [&done.session_equity[..], &[]];
                joined.add(settings.capital, courses, &done.trades, &done.counters, done.rows_read);
            }
            unknown.iter_mut().zip(&*finished).for_each(|(unknown, done)| *unknown |= done.unknown);
        }
        for ((finished, joined), unknown) in finished.iter_mut().zip(joined).zip(unknown) {
            finished.unknown = unknown;
            finished.session_equity = joined.equity;
            (finished.trades, finished.counters) = (joined.trades, joined.counters);
            finished.rows_read = joined.rows_read;
        }
    }

    /// Courses of other plans over the same panel, one after another as one: what stretches of time come to that have
    /// each their own parameters.
    ///
    /// Equity goes on with what the stretch before left; `fills` and `trades` stay those of each stretch's own account.
    ///
    /// # Errors
    /// As [`Evaluator::within`].
    pub fn stitched(&self, stretches: &[(Range<usize>, Vec<f64>)]) -> Result<Detail> {
        let ranges: Vec<Range<usize>> = stretches.iter().map(|(range, _)| range.clone()).collect();
        let whole = self.within(&ranges)?;
        let mut joined = Joined::default();
        let (mut fills, mut trades, mut bars) = (Vec::new(), Vec::new(), 0);
        for (range, point) in stretches {
            let part = self.within(std::slice::from_ref(range))?;
            let mut scratch = part.recorded(point);
            let engine = &mut scratch.engine;
            let courses = [&engine.session_equity[..], &engine.bar_equity];
            joined.add(self.plan.settings().capital, courses, &engine.trades, &engine.counters, engine.rows_read);
            let detail = part.keep(scratch);
            fills.extend(detail.fills.into_iter().map(|mut fill| {
                fill.bar += bars;
                fill
            }));
            trades.extend(detail.trades.into_iter().map(|mut trade| {
                trade.entry_bar += bars;
                trade.exit_bar += bars;
                trade
            }));
            bars += detail.time.len() as u32;
        }
        let mut scratch = Scratch::default();
        let engine = &mut scratch.engine;
        (engine.session_equity, engine.bar_equity) = (joined.equity, joined.bar_equity);
        (engine.trades, engine.counters, engine.rows_read) = (joined.trades, joined.counters, joined.rows_read);
        whole.judge(&mut scratch);
        let detail = whole.keep(scratch);
        Ok(Detail { fills, trades, ..detail })
    }
}
