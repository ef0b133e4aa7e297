//! Who evaluates a run: the calling thread until it is known that more of them pay, then a pool.

use std::sync::Arc;
use std::time::Instant;

use sandtable_core::Result;
use sandtable_core::cache::Column;
use sandtable_core::context::{BoundColumn, Condition, Prepared};
use sandtable_core::run::planner::{self, Choice, Left, Machine};
use sandtable_core::run::{Evaluator, Outcome, Scratch, Workers};

use crate::pool::{self, Pool};
use crate::{contain, drive};

/// The threads of one run. Small work is done by the calling thread, with nothing started for it.
#[derive(Debug)]
pub struct Crew {
    machine: Machine,
    /// Trials of the whole run that are not done yet.
    trials: u64,
    /// Whether the planner was asked about work that was left.
    asked: bool,
    /// Memory of the calling thread.
    alone: Scratch,
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
            alone: Scratch::default(),
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

    /// Asks the planner again, and lets a pool take over where it says so.
    fn grows(&mut self, parts: usize, seconds: f64) {
        let following = self.trials as f64 * self.seconds.trial;
        if parts < 2 && self.asked {
            // Nothing left to share: what was decided before stands, and so does its reason.
            return;
        }
        self.asked |= parts > 1;
        self.threads = self.machine.threads(Left { parts, seconds: seconds + following });
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
    fn columns(&mut self, evaluator: &Evaluator, wanted: &[(BoundColumn, usize)], points: &[Vec<f64>]) -> Vec<Column> {
        let mut made = Vec::with_capacity(wanted.len());
        while self.pool.is_none() && made.len() < wanted.len() {
            let began = Instant::now();
            let (column, k) = &wanted[made.len()];
            made.push(evaluator.compute(column, &points[*k]));
            self.seconds.column = began.elapsed().as_secs_f64();
            let left = wanted.len() - made.len();
            self.grows(left, left as f64 * self.seconds.column);
        }
        if let Some(pool) = &self.pool {
            made.extend(drive::columns(pool, evaluator, &wanted[made.len()..], points));
        }
        made
    }

    fn comparisons(
        &mut self,
        evaluator: &Evaluator,
        wanted: &[(BoundColumn, usize)],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Vec<Arc<Condition>> {
        match &self.pool {
            Some(pool) => drive::comparisons(pool, evaluator, wanted, points, prepared),
            None => evaluator.compare_all(wanted, points, prepared),
        }
    }

    fn trials(
        &mut self,
        evaluator: &Evaluator,
        indices: &[u64],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Vec<Outcome> {
        let mut made: Vec<Outcome> = Vec::with_capacity(indices.len());
        // One thread that was asked for has nothing to decide: all at once, in whole groups of lanes.
        let alone = self.machine.wanted == 1;
        let some = planner::first_trials(evaluator.context.panel.simulated_rows());
        let first = if alone { indices.len().max(1) } else { some };
        while self.pool.is_none() && made.len() < indices.len() {
            let range = made.len()..(made.len() + first).min(indices.len());
            let count = range.len();
            let began = Instant::now();
            let (some, their) = (&indices[range.clone()], &points[range]);
            made.extend(contain::trials(evaluator, some, their, prepared, &mut self.alone));
            self.seconds.trial = began.elapsed().as_secs_f64() / count as f64;
            self.trials = self.trials.saturating_sub(count as u64);
            self.grows(indices.len() - made.len(), 0.0);
            self.portion = planner::portion(count, 1, self.seconds.trial);
        }
        if let Some(pool) = &self.pool
            && made.len() < indices.len()
        {
            let count = indices.len() - made.len();
            self.portion = planner::portion(count, pool.threads(), self.seconds.trial);
            let began = Instant::now();
            let (indices, points) = (&indices[made.len()..], &points[made.len()..]);
            made.extend(drive::trials(pool, evaluator, indices, points, prepared, self.portion.value));
            self.seconds.trial = began.elapsed().as_secs_f64() * pool.threads() as f64 / count as f64;
            self.trials = self.trials.saturating_sub(count as u64);
        }
        made
    }
}
