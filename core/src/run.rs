//! A run: what to evaluate next, or done. A state machine without threads or clock.
//!
//! Given a plan and outcomes, this room gives the next batch of trials. It never knows who evaluates them: the caller
//! takes a [`Batch`], prepares its columns and evaluates its trials on as many threads as it likes, in any order, and
//! hands the outcomes back in index order.

mod caches;
mod exploration;
#[cfg(test)]
mod exploration_tests;
mod inspect;
mod judging;
mod kept;
mod outcome;
pub mod planner;
mod preparing;
mod ranges;
mod ranking;
mod shares;
mod tiles;
mod times;
mod walking;
pub mod workers;

pub use caches::{CacheCounters, Caches, View};
pub use exploration::{Exploration, MOST_TRIALS, Progress};
pub use inspect::{Books, Inspection, Seen, Value};
pub use preparing::Layout;
pub use ranking::{Front, best_rows, front};
pub use times::Times;
pub use walking::{Tested, Walking};
pub use workers::{OneThread, Workers};

use std::sync::{Arc, OnceLock};

use crate::bundle::{Bars, Bundle};
use crate::cache::{Column, RunHistory};
pub use crate::cache::{Layer, Switches};
use crate::context::{self, BoundColumn, Context, Need, Panel, Prepared, Window};
use crate::engine::fast::{self, lanes};
use crate::engine::{self, Decisions, Record};
use crate::error::{Error, Result};
use crate::ledger::{Fill, Trade};
use crate::metrics;
use crate::num::NAN;
use crate::plan::{Plan, Score};
use crate::search::Searcher;
use ranges::{Part, Sessions};

/// Trials by which it is judged whether they go side by side.
const FIRST_LOOK: usize = 4;

/// Why single trials take the reference simulator although the fast path covers their study.
const LEFT_BY_FAST_PATH: &str =
    "in them something happened that the fast path leaves to it, such as an exit that was cut";

/// Everything that all trials of a plan share.
#[derive(Debug)]
pub struct Evaluator {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Panel and columns.
    pub context: Arc<Context>,
    /// Columns that trials share.
    columns: Vec<Need>,
    /// Comparisons that they share.
    comparisons: Vec<Need>,
    panelled: Arc<Panelled>,
    /// What is simulated of the panel: all of it, or the plan's ranges.
    parts: Vec<Part>,
    sessions: Arc<Sessions>,
    never_fast: bool,
    /// What is kept of trials so that the search can be judged.
    judging: Option<judging::Judging>,
    /// The same over parts of the data, made when a trial first asks for one.
    shares: OnceLock<Vec<shares::Share>>,
}

/// What plans over the same bars share: the panel, its sessions and the market's returns.
#[derive(Debug)]
pub struct Panelled {
    panel: Arc<Panel>,
    /// The simulated sessions.
    sessions: Arc<Sessions>,
}

/// The bars that a plan is simulated on.
fn window(plan: &Plan) -> Window {
    let warmup_bars = u32::try_from(plan.warmup_bars()).unwrap_or(u32::MAX);
    Window { from: Some(plan.start()), to: Some(plan.end()), warmup_bars, adjust: plan.adjust(), bars: plan.bars() }
}

/// Names a panel by what it is made of.
fn panel_key(plan: &Plan) -> String {
    // Symbols may hold any character: their lengths keep two lists from being the same text.
    let list = |symbols: &[String]| symbols.iter().map(|s| format!("{}:{s}", s.len())).collect::<Vec<_>>().join(",");
    let (version, symbols, foreign) = (&plan.bundle().version, list(plan.symbols()), list(&plan.symbols_to_load()));
    format!("{version}|{symbols}|{foreign}|{:?}|{:?}", plan.benchmark(), window(plan))
}

impl Panelled {
    fn new(plan: &Plan, bundle: &Bundle) -> Result<Panelled> {
        let panel = Panel::new(bundle, plan.symbols(), &window(plan), &plan.symbols_to_load())?;
        let (dates, benchmark) = course(plan, &panel);
        let sessions = Sessions { dates, benchmark: metrics::Benchmark::new(benchmark) };
        Ok(Panelled { panel: Arc::new(panel), sessions: Arc::new(sessions) })
    }

    /// Bytes that it takes, roughly: columns of the panel and of the symbols kept aside.
    fn bytes(&self) -> u64 {
        let aside: usize = self.panel.references.values().map(|bars| bars.len()).sum();
        let fine = self.panel.fine.as_ref().map_or(0, |fine| fine.bytes());
        let Sessions { dates, benchmark } = &*self.sessions;
        let times = self.panel.timeline.len() + dates.len() + 3 * benchmark.returns().len();
        ((self.panel.rows() + aside) * 52 + times * 16 + fine) as u64
    }
}

/// Memory of one worker, reused from trial to trial.
#[derive(Debug, Default)]
pub struct Scratch {
    columns: context::Workspace,
    engine: engine::Workspace,
    lanes: fast::GroupMemory,
    finished: Vec<lanes::Finished>,
    metrics: metrics::Workspace,
    values: Vec<f64>,
    /// Whether the reference simulator evaluated the last trial.
    by_reference: bool,
}

impl Scratch {
    /// The simulation's memory after the last trial.
    pub fn engine(&self) -> &engine::Workspace {
        &self.engine
    }
}

/// What one trial came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Index of the trial in the plan's space.
    pub index: u64,
    /// Metrics in the order of [`metrics::TABLE`].
    pub metrics: Vec<f64>,
    /// Rows of the panel that were simulated.
    pub rows_read: u64,
    /// Executions.
    pub fills: u64,
    /// Whether the reference simulator evaluated it; [`Evaluator::by_reference_because`] says why.
    pub by_reference: bool,
}

/// One trial in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// Metrics in the order of [`metrics::TABLE`].
    pub metrics: Vec<f64>,
    /// Timestamps of the simulated bars, microseconds UTC.
    pub time: Times,
    /// Equity at each of them.
    pub equity: Vec<f64>,
    /// Dates of the simulated sessions.
    pub sessions: Vec<i32>,
    /// Equity at the end of each session.
    pub session_equity: Vec<f64>,
    /// The benchmark's worth at the end of each session, starting from the same capital.
    pub benchmark_equity: Vec<f64>,
    /// Executions; `bar` counts from the first simulated bar.
    pub fills: Vec<Fill>,
    /// Round trips, open ones last; bars count from the first simulated bar.
    pub trades: Vec<Trade>,
}

/// Trials to evaluate together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Indices in the plan's space, ascending.
    pub indices: Vec<u64>,
    /// The parameter values of each.
    pub points: Vec<Vec<f64>>,
    /// The part of the data that all of them see: 1 for all of it. [`Evaluator::at`] evaluates it.
    pub budget: f64,
}

impl Default for Batch {
    fn default() -> Self {
        Batch::whole(Vec::new(), Vec::new())
    }
}

impl Evaluator {
    /// Joins a plan with the bundle that it was resolved for.
    ///
    /// # Errors
    /// A symbol that the bundle lacks, or dates without bars.
    pub fn new(plan: Arc<Plan>, bundle: &Bundle, history: impl Into<RunHistory>) -> Result<Evaluator> {
        let panelled = Arc::new(Panelled::new(&plan, bundle)?);
        let key = panel_key(&plan);
        Ok(Evaluator::over(plan, &panelled, &key, history.into()))
    }

    /// As [`Evaluator::new`], with panel and columns from caches that runs share: all layers (`&caches`), or those that
    /// a [`View`] lets through.
    ///
    /// # Errors
    /// As [`Evaluator::new`].
    pub fn cached<'a>(plan: Arc<Plan>, bundle: &Bundle, caches: impl Into<View<'a>>) -> Result<Evaluator> {
        let (view, key) = (caches.into(), panel_key(&plan));
        let panelled = view.panel(&key, || Panelled::new(&plan, bundle))?;
        Ok(Evaluator::over(plan, &panelled, &key, view.history()))
    }

    /// The same, but every trial takes the reference simulator.
    #[must_use]
    pub fn by_reference(mut self) -> Evaluator {
        self.never_fast = true;
        self.shares = OnceLock::new();
        self.parts = self.parts.into_iter().map(Part::by_reference).collect();
        self
    }

    fn over(plan: Arc<Plan>, panelled: &Arc<Panelled>, key: &str, history: RunHistory) -> Evaluator {
        let roots = plan.strategy().rules.nodes();
        let (columns, comparisons) =
            (Need::columns(plan.strategy(), &roots), Need::comparisons(plan.strategy(), &roots, &[]));
        let context = Arc::new(Context::new(panelled.panel.clone(), key, history));
        let (parts, sessions) = ranges::parts(&plan, panelled);
        let (panelled, never_fast, judging, shares) = (panelled.clone(), false, None, OnceLock::new());
        Evaluator { plan, context, columns, comparisons, panelled, parts, sessions, never_fast, judging, shares }
    }

    /// Computes one of the wanted columns.
    pub fn compute(&self, wanted: &BoundColumn, point: &[f64]) -> Column {
        self.context.compute(self.plan.strategy(), wanted, point)
    }

    /// Where the fast path reads its prices, laid out at the first call; of several ranges, the first one's.
    ///
    /// # Errors
    /// Why trials take the reference simulator instead.
    pub fn fast_path(&self) -> std::result::Result<&fast::Grid, &'static str> {
        let mut first = Err("it has no bars");
        for part in self.parts.iter().rev() {
            let lay_out = || {
                fast::covers(self.plan.strategy())?;
                fast::covers_run(self.plan.strategy(), &part.panel, self.plan.settings())?;
                fast::Grid::new(&part.panel, self.plan.settings())
            };
            first = Ok(part.grid.get_or_init(lay_out).as_ref().map_err(|reason| *reason)?);
        }
        first
    }

    /// Why some or all trials are evaluated by the reference simulator, if there are any.
    pub fn by_reference_because(&self) -> &'static str {
        self.fast_path().err().unwrap_or(LEFT_BY_FAST_PATH)
    }

    /// Evaluates one trial: a pure function of its point. It takes the fast path where that is open.
    pub fn trial(&self, index: u64, point: &[f64], prepared: &Prepared, scratch: &mut Scratch) -> Outcome {
        self.simulate(point, prepared, self.fast_path().is_ok(), Record::default(), scratch);
        self.outcome(index, scratch)
    }

    /// Evaluates trials, side by side where that is faster: the outcomes are those of [`Evaluator::trial`].
    pub fn trials(
        &self,
        indices: &[u64],
        points: &[Vec<f64>],
        prepared: &Prepared,
        scratch: &mut Scratch,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(indices.len());
        for (indices, points) in indices.chunks(lanes::LANES).zip(points.chunks(lanes::LANES)) {
            if !self.side_by_side(indices, points, prepared, scratch, &mut outcomes) {
                let trial = |(&index, point): (&u64, &Vec<f64>)| self.trial(index, point, prepared, scratch);
                outcomes.extend(indices.iter().zip(points).map(trial));
            }
        }
        outcomes
    }

    /// Whether trials like these are evaluated faster in whole groups, judged by the first ones.
    pub fn side_by_side_pays(&self, points: &[Vec<f64>], prepared: &Prepared) -> bool {
        let (panel, settings, strategy) = (&**self.panel(), self.plan.settings(), self.plan.strategy());
        let some = &points[..points.len().min(FIRST_LOOK)];
        let Ok(grid) = self.fast_path() else { return false };
        if !lanes::may_pay(panel, some.len()) {
            return false;
        }
        let mut columns = context::Workspace::default();
        let bind = |point: &Vec<f64>| Decisions::bind(&self.context, strategy, point, prepared, &mut columns);
        fast::group_pays(panel, grid, settings, &some.iter().map(bind).collect::<Vec<_>>())
    }

    /// Evaluates trials as one group, if that is faster.
    fn side_by_side(
        &self,
        indices: &[u64],
        points: &[Vec<f64>],
        prepared: &Prepared,
        scratch: &mut Scratch,
        outcomes: &mut Vec<Outcome>,
    ) -> bool {
        let (panel, settings, strategy) = (&**self.panel(), self.plan.settings(), self.plan.strategy());
        let Ok(grid) = self.fast_path() else { return false };
        if !lanes::may_pay(panel, points.len()) {
            return false;
        }
        let bind = |point: &Vec<f64>| Decisions::bind(&self.context, strategy, point, prepared, &mut scratch.columns);
        let decisions: Vec<Decisions> = points.iter().map(bind).collect();
        if fast::group_pays(panel, grid, settings, &decisions) && self.is_open_to(&decisions) {
            self.simulate_lanes(&decisions, scratch);
            for (place, (&index, decisions)) in indices.iter().zip(&decisions).enumerate() {
                let Scratch { finished, metrics, values, .. } = &mut *scratch;
                let lanes::Finished { session_equity, trades, counters, rows_read, unknown, .. } = &finished[place];
                if *unknown {
                    self.follow(decisions, true, Record::default(), scratch);
                    outcomes.push(self.outcome(index, scratch));
                    continue;
                }
                metrics::evaluate(&self.account(session_equity, trades, *counters), metrics, values);
                let (metrics, rows_read, fills) = (values.clone(), *rows_read, counters.fills);
                outcomes.push(Outcome { index, metrics, rows_read, fills, by_reference: false });
                self.note(index, scratch);
            }
        } else {
            for (&index, decisions) in indices.iter().zip(&decisions) {
                self.follow(decisions, true, Record::default(), scratch);
                outcomes.push(self.outcome(index, scratch));
            }
        }
        decisions.into_iter().for_each(|decisions| decisions.recycle(&mut scratch.columns));
        true
    }

    /// Evaluates one trial by the reference simulator, whatever the fast path covers.
    pub fn reference_trial(&self, index: u64, point: &[f64], prepared: &Prepared, scratch: &mut Scratch) -> Outcome {
        self.simulate(point, prepared, false, Record::default(), scratch);
        self.outcome(index, scratch)
    }

    fn outcome(&self, index: u64, scratch: &Scratch) -> Outcome {
        self.note(index, scratch);
        Outcome {
            index,
            metrics: scratch.values.clone(),
            rows_read: scratch.engine.rows_read,
            fills: scratch.engine.counters.fills,
            by_reference: scratch.by_reference,
        }
    }

    /// Evaluates one trial and keeps everything.
    pub fn detail(&self, point: &[f64]) -> Detail {
        self.keep(self.recorded(point))
    }

    /// Memory in which one trial left everything.
    fn recorded(&self, point: &[f64]) -> Scratch {
        let mut scratch = Scratch::default();
        let record = Record { fills: true, bars: true, ..Record::default() };
        self.simulate(point, &self.alone(point), self.fast_path().is_ok(), record, &mut scratch);
        scratch
    }

    /// Runs a strategy that is written in Rust over the plan's bars, under its settings, and keeps everything. The plan's
    /// own strategy only says how many bars before the first one there are. Of a plan with several ranges, the first is run.
    pub fn detail_of<S: engine::Strategy + ?Sized>(&self, strategy: &mut S) -> Detail {
        let mut scratch = Scratch::default();
        let record = Record { fills: true, bars: true, ..Record::default() };
        engine::simulate(self.panel(), strategy, self.plan.settings(), record, &mut scratch.engine);
        self.judge(&mut scratch);
        self.keep(scratch)
    }

    /// Everything that happens to orders and cash while a strategy that is written in Rust runs over the plan's bars, or
    /// while the [`Evaluator::decisions`] of a point do.
    pub fn events_of<S: engine::Strategy + ?Sized>(&self, strategy: &mut S) -> Vec<engine::Event> {
        let panel = &*self.context.panel;
        let mut run = engine::Workspace::default();
        let record = Record { events: 0..panel.timeline.len(), ..Record::default() };
        engine::simulate(panel, strategy, self.plan.settings(), record, &mut run);
        run.events
    }

    fn keep(&self, scratch: Scratch) -> Detail {
        let start = self.panel().start as u32;
        let Scratch { engine, values, .. } = scratch;
        let mut fills = engine.account.fills;
        fills.iter_mut().for_each(|fill| fill.bar -= start);
        let mut trades = engine.account.trades;
        for trade in &mut trades {
            trade.entry_bar -= start;
            trade.exit_bar -= start;
        }
        let mut worth = self.plan.settings().capital;
        let benchmark_equity = self
            .sessions
            .benchmark
            .returns()
            .iter()
            .map(|r| {
                worth *= 1.0 + if r.is_nan() { 0.0 } else { *r };
                worth
            })
            .collect();
        Detail {
            metrics: values,
            time: Times::of(self.parts.iter().map(|part| &part.panel)),
            equity: engine.bar_equity,
            sessions: self.sessions.dates.clone(),
            session_equity: engine.session_equity,
            benchmark_equity,
            fills,
            trades,
        }
    }

    /// The simulated bars of one of the plan's symbols.
    ///
    /// # Errors
    /// The plan does not trade it.
    pub fn bars(&self, symbol: &str) -> Result<Bars> {
        let panel = &**self.panel();
        let Some(place) = panel.symbols.iter().position(|known| known == symbol) else {
            return Err(Error::plan(format!("the plan does not trade `{symbol}`"))
                .help(format!("it trades {}", panel.symbols.join(", "))));
        };
        let span = panel.spans[place];
        let rows = span.offset + panel.first_simulated(span)..span.offset + span.len;
        Ok(Bars {
            time: panel.row_time[rows.clone()].iter().map(|&t| panel.timeline[t as usize]).collect(),
            session: panel.row_session[rows.clone()].to_vec(),
            open: panel.open[rows.clone()].to_vec(),
            high: panel.high[rows.clone()].to_vec(),
            low: panel.low[rows.clone()].to_vec(),
            close: panel.close[rows.clone()].to_vec(),
            volume: panel.volume[rows].to_vec(),
        })
    }

    /// Evaluates one trial and checks the identities of its ledger, that of the first range where there are several.
    ///
    /// # Errors
    /// An identity that does not hold.
    pub fn check(&self, point: &[f64]) -> Result<()> {
        let mut scratch = Scratch::default();
        let (panel, settings) = (self.panel(), self.plan.settings());
        let record = Record { fills: true, bars: true, ..Record::default() };
        engine::simulate(panel, &mut &self.decisions(point), settings, record, &mut scratch.engine);
        engine::check_ledger(panel, settings, &scratch.engine)
    }

    /// Metrics of decisions that were made elsewhere, under the plan's settings.
    pub fn metrics_of(&self, decisions: &Decisions) -> Vec<f64> {
        let mut scratch = Scratch::default();
        self.follow(decisions, false, Record::default(), &mut scratch);
        scratch.values
    }

    fn simulate(&self, point: &[f64], prepared: &Prepared, fast: bool, record: Record, scratch: &mut Scratch) {
        let strategy = self.plan.strategy();
        let decisions = Decisions::bind(&self.context, strategy, point, prepared, &mut scratch.columns);
        self.follow(&decisions, fast, record, scratch);
        decisions.recycle(&mut scratch.columns);
    }

    fn follow(&self, decisions: &Decisions, fast: bool, record: Record, scratch: &mut Scratch) {
        let done = match &self.parts[..] {
            [part] => {
                let (panel, settings, engine) = (&*part.panel, self.plan.settings(), &mut scratch.engine);
                let grid = part.grid.get().and_then(|grid| grid.as_ref().ok()).filter(|_| fast);
                let run = |grid| fast::simulate(panel, grid, decisions, settings, record.clone(), engine);
                let done = grid.is_some_and(run);
                if !done {
                    engine::simulate(panel, &mut &*decisions, settings, record, &mut scratch.engine);
                }
                done
            }
            _ => self.follow_parts(decisions, fast, &record, scratch),
        };
        scratch.by_reference = !done;
        self.judge(scratch);
    }

    /// Computes the metrics of the run that the scratch memory holds.
    fn judge(&self, scratch: &mut Scratch) {
        let Scratch { engine, metrics, values, .. } = scratch;
        let account = self.account(&engine.session_equity, &engine.trades, engine.counters);
        metrics::evaluate(&account, metrics, values);
    }

    /// What the metrics read of a trial.
    fn account<'a>(
        &'a self,
        equity: &'a [f64],
        trades: &'a metrics::TradeSums,
        counters: metrics::Counters,
    ) -> metrics::Account<'a> {
        metrics::Account {
            initial_cash: self.plan.settings().capital,
            equity,
            dates: &self.sessions.dates,
            benchmark: Some(&self.sessions.benchmark),
            trades,
            periods_per_year: self.plan.periods_per_year(),
            risk_free: self.plan.risk_free_per_session(),
            mar: 0.0,
            counters,
        }
    }
}

/// Walks through the plan's trials, batch by batch.
#[derive(Debug)]
pub struct Run {
    plan: Arc<Plan>,
    searcher: Searcher,
}

impl Batch {
    /// Trials that see all of the data.
    pub fn whole(indices: Vec<u64>, points: Vec<Vec<f64>>) -> Batch {
        Batch { indices, points, budget: 1.0 }
    }

    /// Whether its trials see all of the data.
    pub fn is_whole(&self) -> bool {
        self.budget >= 1.0
    }

    /// Some of its trials, by their positions.
    pub fn part(&self, positions: &[usize]) -> Batch {
        Batch {
            indices: positions.iter().map(|&k| self.indices[k]).collect(),
            points: positions.iter().map(|&k| self.points[k].clone()).collect(),
            budget: self.budget,
        }
    }
}

impl Run {
    /// All trials of the plan.
    pub fn new(plan: Arc<Plan>) -> Run {
        let searcher = Searcher::new(&plan, 0..plan.space().size());
        Run { plan, searcher }
    }

    /// The next batches as one, up to so many trials but at least one batch; `None` when there is nothing left. An
    /// exhaustive search waits for no scores, and trials that are evaluated together share their columns.
    pub fn next_stretch(&mut self, trials: usize) -> Option<Batch> {
        let mut stretch = self.next_batch()?;
        while !self.searcher.learns() && stretch.indices.len() + self.plan.batch() <= trials {
            let Some(Batch { indices, points, .. }) = self.next_batch() else { break };
            stretch.indices.extend(indices);
            stretch.points.extend(points);
        }
        Some(stretch)
    }

    /// The next batch, or `None` when there is nothing left. Its size belongs to the plan, never to the machine. A search
    /// has to be told the outcomes of one batch before it is asked for the next.
    pub fn next_batch(&mut self) -> Option<Batch> {
        let mut indices = Vec::new();
        let budget = self.searcher.ask(self.plan.batch(), &mut indices);
        if indices.is_empty() {
            return None;
        }
        let points = indices
            .iter()
            .map(|&index| {
                let mut point = Vec::new();
                self.plan.space().point(index, &mut point);
                point
            })
            .collect();
        Some(Batch { indices, points, budget })
    }

    /// Points that were asked for and saw only a part of the data, so far.
    pub fn seen_in_part(&self) -> u64 {
        self.searcher.seen_in_part()
    }

    /// Takes the outcomes of the last batch, parallel to its trials. A search asks for its next trials by them.
    pub fn tell(&mut self, batch: &Batch, outcomes: &[Outcome]) {
        if self.searcher.learns() {
            let scoring = self.plan.scoring();
            let score = |outcome: &Outcome| {
                let metrics = &outcome.metrics;
                if batch.is_whole() { scoring.score(metrics) } else { scoring.score_in_part(metrics, batch.budget) }
            };
            let scores: Vec<Score> = outcomes.iter().map(score).collect();
            self.searcher.tell(&batch.indices, &scores);
        }
    }
}

/// Dates of a panel's simulated sessions, and the market's return in each.
fn course(plan: &Plan, panel: &Panel) -> (Vec<i32>, Vec<f64>) {
    let mut dates = panel.sessions[panel.start..].to_vec();
    dates.dedup();
    let benchmark = match plan.benchmark() {
        Some(symbol) => benchmark_returns(panel, symbol),
        None => returns(1.0, &hold_all(panel)),
    };
    (dates, benchmark)
}

/// Worth at the end of each simulated session of one unit of money put into all symbols in equal parts at the start
/// and left there; a symbol that lists later keeps its part in cash until its first close.
fn hold_all(panel: &Panel) -> Vec<f64> {
    let part = 1.0 / panel.spans.len() as f64;
    let mut cursors: Vec<usize> = panel.spans.iter().map(|s| s.offset + panel.first_simulated(*s)).collect();
    let mut first = vec![NAN; panel.spans.len()];
    let mut worth = vec![part; panel.spans.len()];
    let mut sessions = Vec::new();
    for t in panel.start..panel.timeline.len() {
        for (symbol, span) in panel.spans.iter().enumerate() {
            let row = cursors[symbol];
            if row < span.offset + span.len && panel.row_time[row] as usize == t {
                if first[symbol].is_nan() {
                    first[symbol] = panel.close[row];
                }
                worth[symbol] = part * panel.close[row] / first[symbol];
                cursors[symbol] += 1;
            }
        }
        if panel.ends_session(t) {
            sessions.push(worth.iter().sum());
        }
    }
    sessions
}

/// Returns of a reference symbol in each simulated session; NaN before it has two closes.
fn benchmark_returns(panel: &Panel, symbol: &str) -> Vec<f64> {
    let Some(bars) = panel.references.get(symbol) else { return Vec::new() };
    let mut seen = 0;
    let mut last = NAN;
    let mut sessions = Vec::new();
    for t in 0..panel.timeline.len() {
        let before = last;
        if !panel.ends_session(t) {
            continue;
        }
        while seen < bars.len() && bars.session[seen] <= panel.sessions[t] {
            last = bars.close[seen];
            seen += 1;
        }
        if t >= panel.start {
            sessions.push(last / before - 1.0);
        }
    }
    sessions
}

fn returns(mut before: f64, worth: &[f64]) -> Vec<f64> {
    worth
        .iter()
        .map(|&now| {
            let r = now / before - 1.0;
            before = now;
            r
        })
        .collect()
}
