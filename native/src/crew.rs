//! Who evaluates a run: the calling thread until it is known that more of them pay, then a pool.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use sandtable_core::Result;
use sandtable_core::cache::Column;
use sandtable_core::context::{BoundColumn, Prepared};
use sandtable_core::run::planner::{self, Choice, Left, Machine};
use sandtable_core::run::{Evaluator, OneThread, Outcome, Scratch, Workers, workers};

use crate::contain;
use crate::pool::{self, Pool};

/// The threads of one run. Small work is done by the calling thread, with nothing started for it.
#[derive(Debug)]
pub struct Crew {
    machine: Machine,
    /// Trials of the whole run that are not done yet.
    trials: u64,
    /// Whether the planner was asked about work that was left.
    asked: bool,
    /// Memory of the calling thread.
    alone: OneThread,
    pool: Option<Arc<Pool>>,
    threads: Choice<usize>,
    portion: Choice<usize>,
    seconds: PerPart,
}

/// Seconds that one of each takes on one thread; 0 until one was timed.
#[derive(Clone, Copy, Debug, Default)]
struct PerPart {
    column: f64,
    trial: f64,
}

impl Crew {
    /// A crew for a run of about so many trials; `threads` = 0 leaves their number to the planner.
    ///
    /// # Errors
    /// The machine refuses to start the threads that were asked for.
    pub fn new(threads: usize, trials: u64) -> Result<Crew> {
        let processors = pool::default_threads();
        let machine = Machine { processors, pool_runs: pool::runs(processors), wanted: threads };
        let settled = machine.settled();
        let pool = match &settled {
            Some(Choice { value: 2.., .. }) => Some(pool::pool(threads)?),
            _ => None,
        };
        Ok(Crew {
            machine,
            trials,
            asked: false,
            alone: OneThread::default(),
            pool,
            threads: settled.unwrap_or_else(|| Choice::new(1, "nothing had to be evaluated")),
            portion: planner::portion(0, 1, 0.0),
            seconds: PerPart::default(),
        })
    }

    /// The number of threads, as far as it was decided.
    pub fn threads(&self) -> &Choice<usize> {
        &self.threads
    }

    /// Trials that a thread took at a time in the last batch.
    pub fn portion(&self) -> &Choice<usize> {
        &self.portion
    }

    /// Lets a pool take over at once where the work is surely large.
    fn foresees(&mut self, parts: usize, rows: usize) {
        if self.pool.is_some() || parts < 2 {
            return;
        }
        if let Some(threads) = self.machine.foresees(planner::expected(parts, self.trials, rows)) {
            self.starts(threads);
        }
    }

    /// Asks the planner again, and lets a pool take over where it says so.
    fn grows(&mut self, parts: usize, seconds: f64) {
        let following = self.trials as f64 * self.seconds.trial;
        if parts < 2 && self.asked {
            // Nothing left to share: what was decided before stands, and so does its reason.
            return;
        }
        self.asked |= parts > 1;
        let threads = self.machine.threads(Left { parts, seconds: seconds + following });
        self.starts(threads);
    }

    /// Takes over a decision, and starts what it needs.
    fn starts(&mut self, threads: Choice<usize>) {
        self.threads = threads;
        if self.threads.value < 2 {
            return;
        }
        match pool::pool(self.threads.value) {
            Ok(pool) => self.pool = Some(pool),
            // The work is done anyway, and the record says how.
            Err(error) => {
                self.threads = Choice::new(1, error.message().to_owned());
                self.machine.wanted = 1;
            }
        }
    }
}

impl Workers for Crew {
    fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.threads())
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
        match &self.pool {
            Some(pool) => pool.map(portions, work),
            None => self.alone.map(portions, work),
        }
    }

    fn columns(&mut self, evaluator: &Evaluator, wanted: &[(BoundColumn, usize)], points: &[Vec<f64>]) -> Vec<Column> {
        self.foresees(wanted.len(), evaluator.context.panel.rows());
        let mut made = Vec::with_capacity(wanted.len());
        while self.pool.is_none() && made.len() < wanted.len() {
            let began = Instant::now();
            let (column, k) = &wanted[made.len()];
            made.push(evaluator.compute(column, &points[*k]));
            self.seconds.column = began.elapsed().as_secs_f64();
            let left = wanted.len() - made.len();
            self.grows(left, left as f64 * self.seconds.column);
        }
        let left = &wanted[made.len()..];
        made.extend(workers::columns(self, evaluator, left, points));
        made
    }

    fn trials(
        &mut self,
        evaluator: &Evaluator,
        indices: &[u64],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Vec<Outcome> {
        self.foresees(indices.len(), evaluator.simulated_rows());
        let mut made: Vec<Outcome> = Vec::with_capacity(indices.len());
        // One thread that was asked for has nothing to decide: all at once, in whole groups of lanes.
        let alone = self.machine.wanted == 1;
        // Nor has small work.
        let expected = planner::expected(0, self.trials, evaluator.simulated_rows());
        let small = self.machine.is_small(expected);
        let small = small.filter(|_| self.pool.is_none() && evaluator.side_by_side_pays(points, prepared));
        let some = planner::first_trials(evaluator.simulated_rows());
        let first = if alone || small.is_some() { indices.len().max(1) } else { some };
        while self.pool.is_none() && made.len() < indices.len() {
            let range = made.len()..(made.len() + first).min(indices.len());
            let count = range.len();
            let began = Instant::now();
            let (some, their) = (&indices[range.clone()], &points[range]);
            made.extend(contain::trials(evaluator, some, their, prepared, self.alone.memory()));
            self.seconds.trial = began.elapsed().as_secs_f64() / count as f64;
            self.trials = self.trials.saturating_sub(count as u64);
            self.grows(indices.len() - made.len(), 0.0);
            self.portion = planner::portion(count, 1, self.seconds.trial);
        }
        // What was decided by a clock stands, and so does its reason.
        if let (Some(small), false) = (small, self.asked) {
            self.threads = small;
        }
        let count = indices.len() - made.len();
        if count > 0 {
            let threads = Workers::threads(self);
            self.portion = planner::portion(count, threads, self.seconds.trial);
            let began = Instant::now();
            let (indices, points) = (&indices[made.len()..], &points[made.len()..]);
            made.extend(workers::trials(self, evaluator, indices, points, prepared, self.portion.value));
            self.seconds.trial = began.elapsed().as_secs_f64() * threads as f64 / count as f64;
            self.trials = self.trials.saturating_sub(count as u64);
        }
        made
    }
}
