//! One run of a workload with some layers on, timed.
//!
//! Every run starts cold: whatever its layers keep, they keep from the run's start to its end, and filling them is
//! inside the clock. Only worker threads outlive runs, as they do in every other command.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use sandtable_core::context::Prepared;
use sandtable_core::plan::{BundleFacts, Direction, Plan};
use sandtable_core::results::{ParquetSink, Results, Schema, TrialRow};
use sandtable_core::run::{Batch, Caches, Evaluator, OneThread, Outcome, Scratch, View, Workers, planner};
use sandtable_core::{Error, Result};
use serde::Serialize;

use super::variant::{Layer, Layers};
use super::workload::{Study, Workload};
use crate::drive::Pooled;
use crate::pool::Pool;
use crate::{caches, files};

/// Trials whose columns are computed together.
const BATCH: usize = 1024;

/// What one run took and came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Wall time from before the bundle is opened to after the last backtest.
    pub seconds: f64,
    /// Backtests.
    pub backtests: u64,
    /// Rows of panels that they read.
    pub rows_read: u64,
    /// Executions.
    pub fills: u64,
    /// Backtests that took the fast path.
    pub fast: u64,
    /// BLAKE3 of the results as Parquet, and of the numbers of fills: equal only for equal bits.
    pub results_hash: String,
}

/// Outcomes of one plan, in the order of their indices.
type Evaluated = (Arc<Plan>, Vec<Outcome>);

/// Runs a workload once.
///
/// # Errors
/// The bundle cannot be read, or lacks what the workload needs.
pub fn run(workload: &Workload, layers: Layers, pool: &Pool) -> Result<Measured> {
    let began = Instant::now();
    let caches = Caches::new(caches::BUDGET);
    let run = Run::new(workload, layers, pool, &caches);
    let mut results = Vec::new();
    for (study, then) in &workload.steps {
        let indices: Vec<u64> = (0..study.trials).collect();
        let searched = run.evaluate(study, &indices)?;
        let winner = best(&searched);
        results.push(searched);
        if let Some(then) = then {
            results.push(run.evaluate(then, &[winner])?);
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let outcomes = || results.iter().flat_map(|(_, outcomes)| outcomes);
    Ok(Measured {
        seconds,
        backtests: outcomes().count() as u64,
        rows_read: outcomes().map(|outcome| outcome.rows_read).sum(),
        fills: outcomes().map(|outcome| outcome.fills).sum(),
        fast: run.fast_backtests(),
        results_hash: hash(&results)?,
    })
}

/// The trial that the plan's objective likes best; of equal ones the first, and an undefined one last.
fn best((plan, outcomes): &Evaluated) -> u64 {
    let objective = plan.objective();
    let score = |outcome: &Outcome| match (outcome.metrics[objective.metric], objective.direction) {
        (value, _) if value.is_nan() => f64::NEG_INFINITY,
        (value, Direction::Max) => value,
        (value, Direction::Min) => -value,
    };
    let better = |a: &&Outcome, b: &&Outcome| score(a).total_cmp(&score(b)).then(b.index.cmp(&a.index));
    outcomes.iter().max_by(better).map_or(0, |outcome| outcome.index)
}

fn hash(results: &[Evaluated]) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for (plan, outcomes) in results {
        let schema = Arc::new(Schema::of(plan));
        let mut rows = Results::new(schema.clone());
        let mut point = Vec::new();
        for outcome in outcomes {
            plan.space().point(outcome.index, &mut point);
            rows.push(TrialRow {
                index: outcome.index,
                params: &point,
                metrics: &outcome.metrics,
                budget: 1.0,
                bars_read: outcome.rows_read,
                status: outcome.status(),
            });
            hasher.update(&outcome.fills.to_le_bytes());
        }
        let mut sink = ParquetSink::new(Vec::new(), schema)?;
        sink.append(&rows)?;
        hasher.update(&sink.finish()?);
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// A run under way: its layers and what they keep.
struct Run<'a> {
    path: &'a Path,
    layers: Layers,
    pool: &'a Pool,
    view: View<'a>,
    fast: AtomicU64,
}

impl<'a> Run<'a> {
    fn new(workload: &'a Workload, layers: Layers, pool: &'a Pool, caches: &'a Caches) -> Run<'a> {
        let view = caches.view(layers.switches());
        Run { path: &workload.data.path, layers, pool, view, fast: 0.into() }
    }

    fn fast_backtests(&self) -> u64 {
        self.fast.load(Ordering::Relaxed)
    }

    /// Evaluates points of a study: together where the context is kept, otherwise each from the bundle on.
    fn evaluate(&self, study: &Study, indices: &[u64]) -> Result<Evaluated> {
        if self.layers.has(Layer::Contexts) {
            let evaluator = self.open(study)?;
            let outcomes = indices.chunks(BATCH).flat_map(|indices| self.batch(&evaluator, indices)).collect();
            return Ok((evaluator.plan, outcomes));
        }
        let alone = |&index: &u64| {
            let evaluator = self.open(study)?;
            let outcome = self.single(&evaluator, index)?;
            Ok((evaluator.plan, outcome))
        };
        let each: Vec<(Arc<Plan>, Outcome)> = if self.layers.has(Layer::Pool) {
            let portions = planner::portions(indices.len(), self.pool.threads(), 1, 1);
            let each = self.pool.map(&portions, |range, _| indices[range].iter().map(alone).collect());
            each.into_iter().collect::<Result<_>>()?
        } else {
            indices.iter().map(alone).collect::<Result<_>>()?
        };
        let plan = each.first().map(|(plan, _)| plan.clone());
        let plan = plan.ok_or_else(|| Error::plan("a study without backtests"))?;
        Ok((plan, each.into_iter().map(|(_, outcome)| outcome).collect()))
    }

    /// Opens the bundle and joins it with the study's plan, as every command does.
    fn open(&self, study: &Study) -> Result<Evaluator> {
        let bundle = files::open_shared(self.path, &self.view)?;
        let plan = study.plan(&BundleFacts::from(&*bundle))?;
        Evaluator::cached(Arc::new(plan), &bundle, &self.view)
    }

    /// One backtest with memory of its own.
    fn single(&self, evaluator: &Evaluator, index: u64) -> Result<Outcome> {
        let batch = batch_of(evaluator, &[index]);
        let prepared = self.prepared(evaluator, &batch, &mut OneThread::default());
        let outcomes = self.trials(evaluator, &batch, &prepared, &mut OneThread::default());
        outcomes.into_iter().next().ok_or_else(|| Error::machine(format!("backtest {index} gave no outcome")))
    }

    /// Backtests over the same context.
    fn batch(&self, evaluator: &Evaluator, indices: &[u64]) -> Vec<Outcome> {
        let batch = batch_of(evaluator, indices);
        if !self.layers.has(Layer::Pool) {
            let prepared = self.prepared(evaluator, &batch, &mut OneThread::default());
            return self.trials(evaluator, &batch, &prepared, &mut OneThread::default());
        }
        let prepared = self.prepared(evaluator, &batch, &mut Pooled(self.pool));
        if self.layers.has(Layer::Fast) {
            return self.trials(evaluator, &batch, &prepared, &mut Pooled(self.pool));
        }
        let portions = planner::portions(batch.indices.len(), self.pool.threads(), 1, 1);
        self.pool.map(&portions, |range, scratch| {
            let (indices, points) = (&batch.indices[range.clone()], &batch.points[range]);
            let trial =
                |(&index, point): (&u64, &Vec<f64>)| evaluator.reference_trial(index, point, &prepared, scratch);
            indices.iter().zip(points).map(trial).collect()
        })
    }

    fn prepared(&self, evaluator: &Evaluator, batch: &Batch, workers: &mut impl Workers) -> Prepared {
        if self.layers.has(Layer::History) { evaluator.prepare(batch, workers) } else { Prepared::default() }
    }

    /// Evaluates a batch by the simulator that is switched on; the reference simulator on this thread.
    fn trials(
        &self,
        evaluator: &Evaluator,
        batch: &Batch,
        prepared: &Prepared,
        workers: &mut impl Workers,
    ) -> Vec<Outcome> {
        let Batch { indices, points, .. } = batch;
        if self.layers.has(Layer::Fast) {
            let outcomes = workers.trials(evaluator, indices, points, prepared);
            let fast = outcomes.iter().filter(|outcome| !outcome.by_reference).count();
            self.fast.fetch_add(fast as u64, Ordering::Relaxed);
            return outcomes;
        }
        let mut scratch = Scratch::default();
        let trial =
            |(&index, point): (&u64, &Vec<f64>)| evaluator.reference_trial(index, point, prepared, &mut scratch);
        indices.iter().zip(points).map(trial).collect()
    }
}

fn batch_of(evaluator: &Evaluator, indices: &[u64]) -> Batch {
    let point = |&index: &u64| {
        let mut point = Vec::new();
        evaluator.plan.space().point(index, &mut point);
        point
    };
    Batch::whole(indices.to_vec(), indices.iter().map(point).collect())
}
