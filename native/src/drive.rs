//! Evaluates a run batch by batch, in the order in which it asks.
//!
//! Given a run and somebody who keeps its trials, this file evaluates those that are not known yet. A run that is resumed
//! asks for the same trials again and is told what they came to then, so one that learns from them learns the same.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sandtable_core::Result;
use sandtable_core::cache::Column;
use sandtable_core::context::{BoundColumn, Condition, Prepared};
use sandtable_core::engine::fast::lanes::LANES;
use sandtable_core::run::{Batch, Evaluator, Outcome, Run, Scratch, Workers, planner};

use crate::contain;
use crate::pool::Pool;

thread_local! {
    /// Each worker keeps its memory between trials, batches and runs.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What a drive came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Trials, evaluated or known.
    pub trials: u64,
    /// Rows of the panel that these trials simulated.
    pub rows_read: u64,
    /// Those of these trials that were known and not evaluated.
    pub known: u64,
    /// The rows that those had simulated.
    pub known_rows: u64,
    /// Executions.
    pub fills: u64,
    /// Distinct columns computed, summed over batches.
    pub columns: u64,
    /// Time spent on columns.
    pub preparing: Duration,
    /// Time spent on trials.
    pub evaluating: Duration,
    /// Whether it was stopped before the end.
    pub interrupted: bool,
}

/// Who keeps the trials of a run, and may know some of them before they are evaluated.
pub trait Keeper {
    /// What is known of a batch, in its order.
    ///
    /// # Errors
    /// What is kept cannot be read.
    fn known(&mut self, batch: &Batch) -> Result<Vec<Option<Outcome>>>;

    /// Takes all outcomes of the batch, known ones too.
    ///
    /// # Errors
    /// They cannot be kept.
    fn accept(&mut self, batch: &Batch, outcomes: &[Outcome], tally: &Tally) -> Result<()>;
}

/// Nothing is known; outcomes go to a function.
struct Fresh<F>(F);

impl<F: FnMut(&Batch, &[Outcome], &Tally) -> Result<()>> Keeper for Fresh<F> {
    fn known(&mut self, _batch: &Batch) -> Result<Vec<Option<Outcome>>> {
        Ok(Vec::new())
    }

    fn accept(&mut self, batch: &Batch, outcomes: &[Outcome], tally: &Tally) -> Result<()> {
        self.0(batch, outcomes, tally)
    }
}

/// Evaluates all batches of `run`; `accept` is called for each in order, on the calling thread.
///
/// A set `stop` ends it after the batch in hand: everything accepted so far is whole.
///
/// # Errors
/// Whatever `accept` reports; nothing is evaluated after that.
pub fn drive(
    evaluator: &Evaluator,
    run: &mut Run,
    workers: &mut impl Workers,
    stop: &AtomicBool,
    accept: impl FnMut(&Batch, &[Outcome], &Tally) -> Result<()>,
) -> Result<Tally> {
    drive_kept(evaluator, run, workers, stop, &mut Fresh(accept))
}

/// As [`drive`], but trials that `keeper` knows are not evaluated again.
///
/// # Errors
/// Whatever `keeper` reports; nothing is evaluated after that.
pub fn drive_kept(
    evaluator: &Evaluator,
    run: &mut Run,
    workers: &mut impl Workers,
    stop: &AtomicBool,
    keeper: &mut impl Keeper,
) -> Result<Tally> {
    let mut tally = Tally::default();
    while let Some(batch) = run.next_batch() {
        if stop.load(Ordering::Relaxed) {
            tally.interrupted = true;
            break;
        }
        let known = keeper.known(&batch)?;
        let outcomes = if known.iter().all(Option::is_none) {
            evaluate(evaluator, &batch, workers, &mut tally)
        } else {
            complete(evaluator, &batch, known, workers, &mut tally)
        };
        tally.trials += outcomes.len() as u64;
        tally.rows_read += outcomes.iter().map(|outcome| outcome.rows_read).sum::<u64>();
        tally.fills += outcomes.iter().map(|outcome| outcome.fills).sum::<u64>();
        keeper.accept(&batch, &outcomes, &tally)?;
    }
    Ok(tally)
}

/// Evaluates a batch.
fn evaluate(evaluator: &Evaluator, batch: &Batch, workers: &mut impl Workers, tally: &mut Tally) -> Vec<Outcome> {
    let began = Instant::now();
    let prepared = contain::prepare(evaluator, batch, workers);
    tally.columns += prepared.len() as u64;
    tally.preparing += began.elapsed();
    let began = Instant::now();
    let outcomes = workers.trials(evaluator, &batch.indices, &batch.points, &prepared);
    tally.evaluating += began.elapsed();
    outcomes.into_iter().map(Outcome::settled).collect()
}

/// Evaluates those trials of a batch that are not known.
fn complete(
    evaluator: &Evaluator,
    batch: &Batch,
    mut known: Vec<Option<Outcome>>,
    workers: &mut impl Workers,
    tally: &mut Tally,
) -> Vec<Outcome> {
    known.resize(batch.indices.len(), None);
    for outcome in known.iter().flatten() {
        tally.known += 1;
        tally.known_rows += outcome.rows_read;
    }
    let missing: Vec<usize> = (0..known.len()).filter(|&k| known[k].is_none()).collect();
    if !missing.is_empty() {
        let rest = Batch {
            indices: missing.iter().map(|&k| batch.indices[k]).collect(),
            points: missing.iter().map(|&k| batch.points[k].clone()).collect(),
        };
        for (&k, outcome) in missing.iter().zip(evaluate(evaluator, &rest, workers, tally)) {
            known[k] = Some(outcome);
        }
    }
    known.into_iter().flatten().collect()
}

/// A pool of threads as the core sees it. Everything is collected in order, whatever thread evaluated what.
#[derive(Clone, Copy, Debug)]
pub struct Pooled<'a>(pub &'a Pool);

impl Workers for Pooled<'_> {
    fn columns(&mut self, evaluator: &Evaluator, wanted: &[(BoundColumn, usize)], points: &[Vec<f64>]) -> Vec<Column> {
        columns(self.0, evaluator, wanted, points)
    }

    fn comparisons(
        &mut self,
        evaluator: &Evaluator,
        wanted: &[(BoundColumn, usize)],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Vec<Arc<Condition>> {
        comparisons(self.0, evaluator, wanted, points, prepared)
    }

    fn trials(
        &mut self,
        evaluator: &Evaluator,
        indices: &[u64],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Vec<Outcome> {
        let portion = planner::portion(indices.len(), self.0.threads(), 0.0).value;
        trials(self.0, evaluator, indices, points, prepared, portion)
    }
}

/// Computes columns on a pool, one at a time on each thread.
pub fn columns(
    pool: &Pool,
    evaluator: &Evaluator,
    wanted: &[(BoundColumn, usize)],
    points: &[Vec<f64>],
) -> Vec<Column> {
    let compute = |(column, k): &(BoundColumn, usize)| evaluator.compute(column, &points[*k]);
    pool.map(wanted, 1, |wanted| wanted.iter().map(compute).collect())
}

/// Makes comparisons on a pool, each thread its part.
pub fn comparisons(
    pool: &Pool,
    evaluator: &Evaluator,
    wanted: &[(BoundColumn, usize)],
    points: &[Vec<f64>],
    prepared: &Prepared,
) -> Vec<Arc<Condition>> {
    let portion = wanted.len().div_ceil(pool.threads());
    pool.map(wanted, portion, |wanted| evaluator.compare_all(wanted, points, prepared))
}

/// Evaluates trials on a pool, `portion` of them at a time on each thread.
pub fn trials(
    pool: &Pool,
    evaluator: &Evaluator,
    indices: &[u64],
    points: &[Vec<f64>],
    prepared: &Prepared,
    portion: usize,
) -> Vec<Outcome> {
    // Whole groups of lanes, where there is something for every thread all the same.
    let grouped = indices.len() >= 2 * pool.threads() * LANES;
    let portion = if grouped { portion.next_multiple_of(LANES) } else { portion };
    let places: Vec<usize> = (0..indices.len()).collect();
    pool.map(&places, portion, |places| {
        let range = places.first().map_or(0..0, |&first| first..first + places.len());
        SCRATCH.with_borrow_mut(|scratch| {
            contain::trials(evaluator, &indices[range.clone()], &points[range], prepared, scratch)
        })
    })
}
