//! Evaluates a run on the worker pool, batch by batch, in index order.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::ThreadPool;
use rayon::prelude::*;
use sandtable_core::Result;
use sandtable_core::cache::Column;
use sandtable_core::context::{BoundColumn, Prepared};
use sandtable_core::engine::fast::lanes::LANES;
use sandtable_core::run::{Batch, Evaluator, Outcome, Run, Scratch, Workers};

thread_local! {
    /// Each worker keeps its memory between trials, batches and runs.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What a drive came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Trials evaluated.
    pub trials: u64,
    /// Rows of the panel that these trials simulated.
    pub rows_read: u64,
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

/// Evaluates all batches of `run`; `accept` is called for each in order, on the calling thread.
///
/// A set `stop` ends it after the batch in hand: everything accepted so far is whole.
///
/// # Errors
/// Whatever `accept` reports; nothing is evaluated after that.
pub fn drive(
    evaluator: &Evaluator,
    run: &mut Run,
    pool: &ThreadPool,
    stop: &AtomicBool,
    mut accept: impl FnMut(&Batch, &[Outcome], &Tally) -> Result<()>,
) -> Result<Tally> {
    let mut tally = Tally::default();
    while let Some(batch) = run.next_batch() {
        if stop.load(Ordering::Relaxed) {
            tally.interrupted = true;
            break;
        }
        let began = Instant::now();
        let prepared = evaluator.prepare(&batch, &mut Pooled(pool));
        tally.columns += prepared.len() as u64;
        tally.preparing += began.elapsed();

        let began = Instant::now();
        let outcomes = Pooled(pool).trials(evaluator, &batch.indices, &batch.points, &prepared);
        tally.evaluating += began.elapsed();
        tally.trials += outcomes.len() as u64;
        tally.rows_read += outcomes.iter().map(|outcome| outcome.rows_read).sum::<u64>();
        tally.fills += outcomes.iter().map(|outcome| outcome.fills).sum::<u64>();
        accept(&batch, &outcomes, &tally)?;
    }
    Ok(tally)
}

/// A pool of threads as the core sees it. Everything is collected in order, whatever thread evaluated what.
#[derive(Clone, Copy, Debug)]
pub struct Pooled<'a>(pub &'a ThreadPool);

impl Workers for Pooled<'_> {
    fn columns(&mut self, evaluator: &Evaluator, wanted: &[(BoundColumn, usize)], points: &[Vec<f64>]) -> Vec<Column> {
        self.0.install(|| wanted.par_iter().map(|(column, k)| evaluator.compute(column, &points[*k])).collect())
    }

    fn trials(
        &mut self,
        evaluator: &Evaluator,
        indices: &[u64],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Vec<Outcome> {
        // Whole groups where there are many trials; where there are few, something for every thread.
        let group = indices.len().div_ceil(4 * self.0.current_num_threads()).clamp(1, LANES);
        let trials = |(indices, points): (&[u64], &[Vec<f64>])| {
            SCRATCH.with_borrow_mut(|scratch| evaluator.trials(indices, points, prepared, scratch))
        };
        self.0.install(|| indices.par_chunks(group).zip(points.par_chunks(group)).flat_map_iter(trials).collect())
    }
}
