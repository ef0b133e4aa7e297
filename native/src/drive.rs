//! Evaluates a run batch by batch, each in index order.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sandtable_core::Result;
use sandtable_core::run::{Batch, Evaluator, Outcome, Run, Scratch, Workers, planner};

use crate::pool::Pool;

/// Trials that are evaluated together where that does not take long: several batches, which share their columns and
/// keep all threads busy.
pub const STRETCH: usize = 1024;
/// Time that a stretch may take: whoever ends a search waits for the one in hand.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of the columns that are computed beforehand for trials evaluated together.
pub const COLUMN_BYTES: usize = 64_000_000;

/// What a drive came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Trials evaluated.
    pub trials: u64,
    /// Rows of the panel that these trials simulated.
    pub rows_read: u64,
    /// Executions.
    pub fills: u64,
    /// Trials that the reference simulator evaluated.
    pub by_reference: u64,
    /// Distinct columns computed, summed over batches.
    pub columns: u64,
    /// Time spent on columns.
    pub preparing: Duration,
    /// Time spent on trials.
    pub evaluating: Duration,
    /// Whether it was stopped before the end.
    pub interrupted: bool,
}

/// Trials of the first stretch: one batch where a stretch might take long.
fn first_stretch(evaluator: &Evaluator) -> usize {
    let rows = evaluator.context.panel.simulated_rows();
    let quick = planner::expected(0, STRETCH as u64, rows) * 8.0 < PATIENCE.as_secs_f64();
    if quick && evaluator.fast_path().is_ok() { STRETCH } else { 0 }
}

/// Evaluates all batches of `run`, as many together as make a stretch; `accept` is called for each stretch in order,
/// on the calling thread.
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
    mut accept: impl FnMut(&Batch, &[Outcome], &Tally) -> Result<()>,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut trials = first_stretch(evaluator);
    while let Some(batch) = run.next_stretch(trials) {
        if stop.load(Ordering::Relaxed) {
            tally.interrupted = true;
            break;
        }
        let began = Instant::now();
        let outcomes = stretch(evaluator, &batch, workers, &mut tally);
        trials = if began.elapsed() < PATIENCE { STRETCH } else { 0 };
        tally.trials += outcomes.len() as u64;
        tally.rows_read += outcomes.iter().map(|outcome| outcome.rows_read).sum::<u64>();
        tally.fills += outcomes.iter().map(|outcome| outcome.fills).sum::<u64>();
        tally.by_reference += outcomes.iter().filter(|outcome| outcome.by_reference).count() as u64;
        run.tell(&batch, &outcomes);
        accept(&batch, &outcomes, &tally)?;
    }
    Ok(tally)
}

/// Evaluates a stretch of trials, tile by tile; outcomes are in the order of the stretch.
fn stretch(evaluator: &Evaluator, batch: &Batch, workers: &mut impl Workers, tally: &mut Tally) -> Vec<Outcome> {
    let began = Instant::now();
    let tiles = evaluator.tiles(&batch.points, COLUMN_BYTES);
    tally.preparing += began.elapsed();
    if tiles.len() < 2 {
        return tile(evaluator, batch, workers, tally);
    }
    let mut made: Vec<(usize, Outcome)> = Vec::with_capacity(batch.indices.len());
    for positions in tiles {
        let outcomes = tile(evaluator, &batch.part(&positions), workers, tally);
        made.extend(positions.into_iter().zip(outcomes));
    }
    made.sort_unstable_by_key(|(position, _)| *position);
    made.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Evaluates trials that share their columns.
fn tile(evaluator: &Evaluator, batch: &Batch, workers: &mut impl Workers, tally: &mut Tally) -> Vec<Outcome> {
    let began = Instant::now();
    let prepared = evaluator.prepare(batch, workers);
    tally.columns += prepared.len() as u64;
    tally.preparing += began.elapsed();
    let began = Instant::now();
    let outcomes = workers.trials(evaluator, &batch.indices, &batch.points, &prepared);
    evaluator.context.recycle(prepared);
    tally.evaluating += began.elapsed();
    outcomes
}

/// A pool of threads as the core sees it.
#[derive(Clone, Copy, Debug)]
pub struct Pooled<'a>(pub &'a Pool);

impl Workers for Pooled<'_> {
    fn threads(&self) -> usize {
        self.0.threads()
    }

    fn map<R: Send>(
        &mut self,
        portions: &[Range<usize>],
        work: impl Fn(Range<usize>, &mut Scratch) -> Vec<R> + Sync,
    ) -> Vec<R> {
        self.0.map(portions, work)
    }
}
