//! A search in small steps whose results stay in memory: what a page needs to show a grid while it fills.
//!
//! Given an [`Evaluator`] and somebody who evaluates, this gives results that grow batch by batch, each in index order, step by step. It
//! never knows about threads or time: the caller says how many trials a step has and on what they are evaluated. What
//! judgement needs is kept of every trial, and what was prepared is kept for the run that comes after.

use std::sync::Arc;

use super::kept::Kept;
use super::{Batch, Detail, Evaluator, Outcome, Run, Workers, best_rows};
use crate::analysis::Judgement;
use crate::context::Prepared;
use crate::error::{Error, Result};
use crate::results::{Results, Schema, TrialRow};

/// Most trials whose results are kept in memory.
pub const MOST_TRIALS: u64 = 200_000;

/// How far a search is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether there is nothing left.
    pub done: bool,
    /// Trials evaluated.
    pub trials: u64,
    /// Trials of the plan.
    pub total: u64,
    /// Rows of the panel that these trials simulated.
    pub rows_read: u64,
    /// Executions.
    pub fills: u64,
    /// Columns computed or taken from the cache.
    pub columns: u64,
    /// Trials that the reference simulator evaluated.
    pub by_reference: u64,
}

/// A search in progress.
#[derive(Debug)]
pub struct Exploration {
    evaluator: Evaluator,
    run: Run,
    batch: Arc<Batch>,
    prepared: Arc<Prepared>,
    /// What was prepared so far, for a run that comes after.
    kept: Kept,
    /// What a run before has left.
    inherited: Kept,
    /// Trials of the batch that are evaluated.
    taken: usize,
    /// Their outcomes, until the batch is whole.
    outcomes: Vec<Outcome>,
    results: Results,
    progress: Progress,
}

impl Exploration {
    /// All trials of the evaluator's plan, none of them evaluated yet.
    ///
    /// # Errors
    /// The plan has more than [`MOST_TRIALS`].
    pub fn new(evaluator: Evaluator) -> Result<Exploration> {
        let plan = evaluator.plan.clone();
        // Exact below the limit: `count_valid` walks spaces of this size.
        let count = plan.count_trials(16 * MOST_TRIALS);
        if count.points > MOST_TRIALS {
            return Err(Error::unsupported(format!(
                "the study has {}{} trials; at most {MOST_TRIALS} are explored in memory",
                if count.exact { "" } else { "about " },
                count.points
            ))
            .help("use larger steps or fix some parameters, or run it with `sandtable optimize`"));
        }
        let results = Results::new(Arc::new(Schema::of(&plan)));
        Ok(Exploration {
            run: Run::new(plan),
            evaluator: evaluator.judged(),
            batch: Arc::default(),
            prepared: Arc::default(),
            kept: Kept::default(),
            inherited: Kept::default(),
            taken: 0,
            outcomes: Vec::new(),
            results,
            progress: Progress { total: count.points, done: count.points == 0, ..Progress::default() },
        })
    }

    /// Takes over the columns and comparisons that another run has prepared, if it is of the same strategy over the same
    /// bars: a run that differs in costs or capital then has none to compute. Whether it is. No result depends on it, and
    /// the other run goes on as if nothing had been taken.
    pub fn inherit(&mut self, before: &Exploration) -> bool {
        let (evaluator, other) = (&self.evaluator, &before.evaluator);
        let same = evaluator.context.is_same_as(&other.context) && evaluator.plan.strategy() == other.plan.strategy();
        if same {
            let rows = self.evaluator.context.panel.rows();
            self.inherited.take_over(&before.kept, rows);
            self.inherited.take_over(&before.inherited, rows);
        }
        same
    }

    /// Evaluates up to so many more trials, at least one.
    pub fn step(&mut self, trials: usize, workers: &mut impl Workers) -> Progress {
        let mut left = trials.max(1);
        while left > 0 && !self.progress.done {
            if self.taken == self.batch.indices.len() && !self.next_batch(workers) {
                self.progress.done = true;
                break;
            }
            let end = self.taken.saturating_add(left).min(self.batch.indices.len());
            let range = self.taken..end;
            let points = &self.batch.points[range.clone()];
            let evaluator = self.evaluator.at(self.batch.budget);
            let outcomes = workers.trials(evaluator, &self.batch.indices[range.clone()], points, &self.prepared);
            for (outcome, point) in outcomes.iter().zip(points) {
                self.results.push(TrialRow {
                    index: outcome.index,
                    params: point,
                    metrics: &outcome.metrics,
                    budget: self.batch.budget,
                    bars_read: outcome.rows_read,
                    status: outcome.status(),
                });
                self.progress.trials += 1;
                self.progress.rows_read += outcome.rows_read;
                self.progress.fills += outcome.fills;
                self.progress.by_reference += u64::from(outcome.by_reference);
            }
            self.taken = end;
            left -= range.len();
            self.outcomes.extend(outcomes);
            if end == self.batch.indices.len() {
                self.run.tell(&self.batch, &self.outcomes);
                self.outcomes.clear();
            }
        }
        // Where a trial fails, a search by budgets has more trials than it was expected to have.
        let bounded = !self.evaluator.plan.method().has_budgets();
        if bounded && self.progress.trials >= self.progress.total {
            self.progress.done = true;
        }
        if self.progress.done {
            // A search may end before it has spent its trials.
            self.progress.total = self.progress.trials;
            self.inherited = Kept::default();
        }
        self.progress
    }

    /// Takes the next batch and prepares its columns; `false` when there is none.
    fn next_batch(&mut self, workers: &mut impl Workers) -> bool {
        let Some(batch) = self.run.next_batch() else { return false };
        let prepared = self.inherited.find(&batch);
        let prepared = prepared.unwrap_or_else(|| Arc::new(self.evaluator.prepare(&batch, workers)));
        self.batch = Arc::new(batch);
        self.kept.keep(&self.batch, &prepared, self.evaluator.context.panel.rows());
        if let Some(unused) = Arc::into_inner(std::mem::replace(&mut self.prepared, prepared)) {
            self.evaluator.context.recycle(unused);
        }
        self.progress.columns += self.prepared.computed() as u64;
        self.taken = 0;
        true
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// The trials evaluated so far, in the order of their batches; those of a grid in index order.
    pub fn results(&self) -> &Results {
        &self.results
    }

    /// Where the results hold a trial that saw all of the data.
    pub fn row_of(&self, index: u64) -> Option<usize> {
        let rows = self.results.index().iter().enumerate();
        rows.filter(|(row, known)| **known == index && self.results.is_whole(*row)).map(|(row, _)| row).next()
    }

    /// Plan and panel.
    pub fn evaluator(&self) -> &Evaluator {
        &self.evaluator
    }

    /// One trial of the plan in full, evaluated or not, with the point that its index names.
    ///
    /// # Errors
    /// The plan has no such trial.
    pub fn detail(&self, index: u64) -> Result<(Vec<f64>, Detail)> {
        let space = self.evaluator.plan.space();
        if !space.is_valid(index) {
            return Err(Error::plan(format!("the plan has no trial {index}"))
                .help(format!("indices run from 0 to {}", space.size().saturating_sub(1))));
        }
        let mut point = Vec::new();
        space.point(index, &mut point);
        let detail = self.evaluator.detail(&point);
        Ok((point, detail))
    }

    /// How far the best of the trials evaluated so far can be believed; `None` where nothing can be judged: no trial, or
    /// fewer than eight sessions.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn judgement(&self, workers: &mut impl Workers) -> Result<Option<Judgement>> {
        let Some(&row) = best_rows(&self.evaluator.plan, &self.results, 1).first() else { return Ok(None) };
        let index = self.results.index()[row];
        let (_, detail) = self.detail(index)?;
        self.evaluator.passed_over(self.run.seen_in_part());
        self.evaluator.judgement(index, &detail, workers)
    }
}
