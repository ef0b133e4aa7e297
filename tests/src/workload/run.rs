//! Evaluates a workload as the program would, with the clock running.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sandtable::caches::BUDGET;
use sandtable::crew::Crew;
use sandtable::{arrangement, drive};
use sandtable_core::bundle::Bundle;
use sandtable_core::results::{ParquetSink, Results, Schema, TrialRow};
use sandtable_core::run::{Batch, Detail, Evaluator, Outcome, Run, Workers, planner};
use sandtable_core::{Error, Result};

use super::sample::Sample;
use super::{COUNTS, Settings, Shape, Workload, grid_of, history, windows};

/// How a workload is measured.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Stop after so many trials (up to a batch later); of W9, the only number of backtests.
    pub trials: Option<u64>,
    /// Keep every trial's point and metrics.
    pub keep_all: bool,
}

/// One number of backtests of W9.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// How many.
    pub backtests: u64,
    /// Plan and panel.
    pub set_up: Duration,
    /// Columns, trials and the results' encoding.
    pub work: Duration,
}

/// What a workload came to.
#[derive(Debug, Default)]
pub struct Measured {
    /// Rows of the panel that a trial simulates, of the last plan.
    pub bars: usize,
    /// Trials evaluated.
    pub trials: u64,
    /// Rows of the panel that these trials simulated.
    pub rows_read: u64,
    /// Executions.
    pub fills: u64,
    /// What a single backtest kept (W7).
    pub detail: Option<Detail>,
    /// Worker threads of the last plan.
    pub threads: usize,
    /// Time on columns and trials.
    pub inside: Duration,
    /// Of it, time on columns; nothing for a single backtest.
    pub columns: Duration,
    /// Why the reference simulator evaluated the trials; `None` if the fast path did.
    pub reference_because: Option<&'static str>,
    /// BLAKE3 of the results as the program would write them; see [`Measured::results_hash`].
    hash: String,
    /// Numbers of backtests (W9).
    pub steps: Vec<Step>,
    /// Return of the trials that were chosen in a window on the sessions after it (W3), one for each window.
    pub out_of_sample: Vec<f64>,
    /// Trials to be simulated again.
    pub sample: Sample,
    /// Point and metrics of every trial, if asked for.
    pub all: Vec<Trial>,
}

/// A trial of the results.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Values of its parameters.
    pub point: Vec<f64>,
    /// Its metrics, in the order of the table of metrics.
    pub metrics: Vec<f64>,
}

/// What all parts of a measurement share.
pub(super) struct Bench<'a> {
    pub workload: &'a Workload,
    pub bundle: &'a Bundle,
    /// Worker threads, 0 where the planner decides.
    pub threads: usize,
    pub asked: &'a Asked,
    pub found: Measured,
    hasher: blake3::Hasher,
}

/// Evaluates a workload's trials and encodes their results, which are hashed and dropped.
///
/// # Errors
/// The bundle does not hold what the workload needs.
pub fn measure(workload: &Workload, bundle: &Bundle, threads: usize, asked: &Asked) -> Result<Measured> {
    let (found, hasher) = (Measured::default(), blake3::Hasher::new());
    let mut bench = Bench { workload, bundle, threads, asked, found, hasher };
    match workload.shape {
        Shape::Grid => {
            let evaluator = bench.evaluator(&Settings::new())?;
            bench.found.all = bench.grid(&evaluator, asked.trials, asked.keep_all)?;
        }
        Shape::Sample(points) => {
            let evaluator = bench.evaluator(&Settings::new())?;
            let points = asked.trials.unwrap_or(points);
            bench.found.all = bench.drawn(&evaluator, &Workload::sample(points, evaluator.plan.space().size()))?;
        }
        Shape::Full => bench.full()?,
        Shape::WalkForward => windows::measure(&mut bench)?,
        Shape::Counts => bench.counts()?,
    }
    bench.found.hash = bench.hasher.finalize().to_hex().to_string();
    Ok(bench.found)
}

/// Hashes what is written and keeps nothing.
struct Hashed<'a>(&'a mut blake3::Hasher);

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes outcomes as they come: encodes them and keeps some.
struct Taker<'a> {
    evaluator: &'a Arc<Evaluator>,
    sink: ParquetSink<Hashed<'a>>,
    rows: Results,
    total: u64,
    taken: u64,
    found: &'a mut Measured,
    kept: Option<Vec<Trial>>,
}

impl Taker<'_> {
    fn take(&mut self, batch: &Batch, outcomes: &[Outcome]) -> Result<()> {
        self.rows.clear();
        for (outcome, point) in outcomes.iter().zip(&batch.points) {
            self.rows.push(TrialRow {
                index: outcome.index,
                params: point,
                metrics: &outcome.metrics,
                budget: batch.budget,
                bars_read: outcome.rows_read,
                status: outcome.status(),
            });
            self.found.sample.offer(self.taken, self.total, self.evaluator, point, outcome);
            if let Some(kept) = &mut self.kept {
                kept.push(Trial { point: point.clone(), metrics: outcome.metrics.clone() });
            }
            self.found.trials += 1;
            self.found.rows_read += outcome.rows_read;
            self.found.fills += outcome.fills;
            self.taken += 1;
        }
        self.sink.append(&self.rows)
    }

    fn finish(self) -> Result<Vec<Trial>> {
        self.sink.finish()?;
        Ok(self.kept.unwrap_or_default())
    }
}

impl Bench<'_> {
    /// A plan of the workload with other keys laid over it, its columns cached by itself.
    pub fn evaluator(&mut self, more: &[(&'static str, String)]) -> Result<Arc<Evaluator>> {
        let evaluator = Arc::new(self.workload.evaluator(self.bundle, more, &history())?);
        self.found.bars = evaluator.context.panel.simulated_rows();
        Ok(evaluator)
    }

    fn taker<'a>(&'a mut self, evaluator: &'a Arc<Evaluator>, total: u64, keep: bool) -> Result<Taker<'a>> {
        let schema = Arc::new(Schema::of(&evaluator.plan));
        let sink = ParquetSink::new(Hashed(&mut self.hasher), schema.clone())?;
        let (rows, kept) = (Results::new(schema), keep.then(Vec::new));
        Ok(Taker { evaluator, sink, rows, total, taken: 0, found: &mut self.found, kept })
    }

    /// Every point of a plan, or the first ones; the trials if they are to be kept.
    pub fn grid(&mut self, evaluator: &Arc<Evaluator>, most: Option<u64>, keep: bool) -> Result<Vec<Trial>> {
        let most = most.unwrap_or(u64::MAX);
        let total = evaluator.plan.space().size().min(most);
        let mut crew = Crew::new(self.threads, evaluator.plan.space().count_valid(1 << 16).points.min(most))?;
        self.keep_columns_where_that_pays(evaluator);
        let mut run = Run::new(evaluator.plan.clone());
        let stop = AtomicBool::new(false);
        let mut taker = self.taker(evaluator, total, keep)?;
        let tally = drive::drive(evaluator, &mut run, &mut crew, &stop, |batch, outcomes, _| {
            taker.take(batch, outcomes)?;
            stop.store(taker.taken >= most, Ordering::Relaxed);
            Ok(())
        })?;
        let kept = taker.finish()?;
        self.found.threads = crew.threads().value;
        self.found.inside += tally.preparing + tally.evaluating;
        self.found.columns += tally.preparing;
        self.found.reference_because = evaluator.fast_path().err();
        Ok(kept)
    }

    /// Leaves the history layer to the planner, as the program does.
    fn keep_columns_where_that_pays(&self, evaluator: &Evaluator) {
        let Some(history) = evaluator.context.history() else { return };
        let demand = arrangement::demand(evaluator, BUDGET);
        if !planner::history(true, demand).value {
            history.usage().switch_off();
        }
    }

    /// Some points of a plan, in batches of the plan's size.
    fn drawn(&mut self, evaluator: &Arc<Evaluator>, indices: &[u64]) -> Result<Vec<Trial>> {
        let keep = self.asked.keep_all;
        let mut crew = Crew::new(self.threads, indices.len() as u64)?;
        let (mut inside, mut columns) = (Duration::ZERO, Duration::ZERO);
        let mut taker = self.taker(evaluator, indices.len() as u64, keep)?;
        for part in indices.chunks(evaluator.plan.batch().max(1)) {
            let point = |&index: &u64| {
                let mut point = Vec::new();
                evaluator.plan.space().point(index, &mut point);
                point
            };
            let batch = Batch::whole(part.to_vec(), part.iter().map(point).collect());
            let began = Instant::now();
            let prepared = evaluator.prepare(&batch, &mut crew);
            columns += began.elapsed();
            let outcomes = crew.trials(evaluator, &batch.indices, &batch.points, &prepared);
            inside += began.elapsed();
            taker.take(&batch, &outcomes)?;
        }
        let kept = taker.finish()?;
        self.found.threads = crew.threads().value;
        self.found.inside += inside;
        self.found.columns += columns;
        self.found.reference_because = evaluator.fast_path().err();
        Ok(kept)
    }

    /// One backtest in full.
    fn full(&mut self) -> Result<()> {
        let evaluator = self.evaluator(&Settings::new())?;
        let mut point = Vec::new();
        evaluator.plan.space().point(0, &mut point);
        let began = Instant::now();
        let detail = evaluator.detail(&point);
        self.found.inside += began.elapsed();
        self.found.trials = 1;
        // With one symbol, each bar of the run is a row of the panel.
        self.found.rows_read = detail.equity.len() as u64;
        self.found.fills = detail.fills.len() as u64;
        self.found.reference_because = evaluator.fast_path().err();
        let (rows_read, fills) = (self.found.rows_read, self.found.fills);
        let outcome = Outcome { index: 0, metrics: detail.metrics.clone(), rows_read, fills, by_reference: true };
        self.found.sample.offer(0, 1, &evaluator, &point, &outcome);
        self.found.detail = Some(detail);
        Ok(())
    }

    /// Grids of several sizes, each from plan to results.
    fn counts(&mut self) -> Result<()> {
        let asked = self.asked.trials;
        if let Some(other) = asked.filter(|count| !COUNTS.contains(count)) {
            let known = COUNTS.map(|count| count.to_string()).join(", ");
            return Err(
                Error::plan(format!("W9 has no part of {other} backtests")).help(format!("choose one of {known}"))
            );
        }
        for count in COUNTS.into_iter().filter(|&count| asked.is_none_or(|only| only == count)) {
            let began = Instant::now();
            let evaluator = self.evaluator(&grid_of(count))?;
            let set_up = began.elapsed();
            self.grid(&evaluator, None, false)?;
            self.found.steps.push(Step { backtests: count, set_up, work: began.elapsed().saturating_sub(set_up) });
        }
        Ok(())
    }
}

impl Measured {
    /// Names the results by their bits: those of the encoded rows, or what a single backtest kept.
    pub fn results_hash(&self) -> String {
        let Some(detail) = &self.detail else { return self.hash.clone() };
        let trades = detail.trades.iter().map(|trade| trade.profit);
        let bars = detail.trades.iter().flat_map(|trade| [trade.entry_bar, trade.exit_bar]).map(f64::from);
        let all = detail.metrics.iter().chain(&detail.equity).copied().chain(trades).chain(bars);
        let bytes: Vec<u8> = all.flat_map(|x| x.to_bits().to_le_bytes()).collect();
        blake3::hash(&bytes).to_hex().to_string()
    }
}
