//! Evaluates a run batch by batch, in the order in which it asks; each batch is in index order.
//!
//! Given a run and somebody who keeps its trials, this file evaluates those that are not known yet. A run that is resumed
//! asks for the same trials again and is told what they came to then, so one that learns from them learns the same.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sandtable_core::Result;
use sandtable_core::context::Prepared;
use sandtable_core::run::{Batch, Evaluator, Outcome, Run, Scratch, Workers, planner};

use crate::contain;
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
    /// Trials, evaluated or known.
    pub trials: u64,
    /// Those of these trials that saw a part of the data.
    pub in_part: u64,
    /// Rows of the panel that these trials simulated.
    pub rows_read: u64,
    /// Those of these trials that were known and not evaluated.
    pub known: u64,
    /// The rows that those had simulated.
    pub known_rows: u64,
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
    let rows = evaluator.simulated_rows();
    let quick = planner::expected(0, STRETCH as u64, rows) * 8.0 < PATIENCE.as_secs_f64();
    if quick && evaluator.fast_path().is_ok() { STRETCH } else { 0 }
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
    let mut trials = first_stretch(evaluator);
    while let Some(batch) = run.next_stretch(trials) {
        if stop.load(Ordering::Relaxed) {
            tally.interrupted = true;
            break;
        }
        let known = keeper.known(&batch)?;
        if batch.is_whole() {
            known.iter().flatten().for_each(|outcome| evaluator.recall(outcome));
        }
        let began = Instant::now();
        let outcomes = if known.iter().all(Option::is_none) {
            stretch(evaluator, &batch, workers, &mut tally)
        } else {
            complete(evaluator, &batch, known, workers, &mut tally)
        };
        trials = if began.elapsed() < PATIENCE { STRETCH } else { 0 };
        tally.trials += outcomes.len() as u64;
        tally.in_part += if batch.is_whole() { 0 } else { outcomes.len() as u64 };
        tally.rows_read += outcomes.iter().map(|outcome| outcome.rows_read).sum::<u64>();
        tally.fills += outcomes.iter().map(|outcome| outcome.fills).sum::<u64>();
        tally.by_reference += outcomes.iter().filter(|outcome| outcome.by_reference).count() as u64;
        run.tell(&batch, &outcomes);
        keeper.accept(&batch, &outcomes, &tally)?;
    }
    Ok(tally)
}

/// Evaluates trials whose numbers are known once more, for what the evaluator notes of them.
pub fn again(evaluator: &Evaluator, batch: &Batch, workers: &mut impl Workers) {
    stretch(evaluator, batch, workers, &mut Tally::default());
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
    let prepared = contain::prepare(evaluator, batch, workers);
    tally.columns += prepared.computed() as u64;
    tally.preparing += began.elapsed();
    let began = Instant::now();
    let outcomes = workers.trials(evaluator.at(batch.budget), &batch.indices, &batch.points, &prepared);
    evaluator.context.recycle(prepared);
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
        for (&k, outcome) in missing.iter().zip(stretch(evaluator, &batch.part(&missing), workers, tally)) {
            known[k] = Some(outcome);
        }
    }
    known.into_iter().flatten().collect()
}

/// A pool of threads as the core sees it.
#[derive(Clone, Copy, Debug)]
pub struct Pooled<'a>(pub &'a Pool);

impl Workers for Pooled<'_> {
    fn threads(&self) -> usize {
        self.0.threads()
    }

    fn evaluate(
        evaluator: &Evaluator,
        indices: &[u64],
        points: &[Vec<f64>],
        prepared: &Prepared,
        scratch: &mut Scratch,
    ) -> Vec<Outcome> {
        contain::trials(evaluator, indices, points, prepared, scratch)
    }

    fn map<R: Send>(
        &mut self,
        portions: &[Range<usize>],
        work: impl Fn(Range<usize>, &mut Scratch) -> Vec<R> + Sync,
    ) -> Vec<R> {
        self.0.map(portions, work)
    }
}
