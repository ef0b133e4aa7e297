//! What a search keeps of its trials while they come in: the folder's files, the best ones, the heatmap, the bar.
//!
//! Given outcomes batch by batch, in the order of the search, this file passes them on to all of these. It never knows
//! whether a trial was evaluated now or by an earlier process.

use std::sync::Arc;

use indicatif::ProgressBar;
use sandtable_core::Result;
use sandtable_core::plan::{Plan, Scoring};
use sandtable_core::results::{Aggregate, Heatmap, HeatmapBuilder, Results, Schema, Status, TopK, TrialRow};
use sandtable_core::run::{Batch, Outcome, best_rows};

use crate::drive::{Keeper, Tally};
use crate::judge::surface::Scores;
use crate::search::Best;
use crate::study::store::Store;

/// What a search comes to, trial by trial.
pub struct Gathering {
    store: Store,
    scoring: Scoring,
    /// What the trials are ranked by, as typed.
    goal: String,
    rows: Results,
    top: TopK<(Vec<f64>, Vec<f64>)>,
    heatmap: Option<HeatmapBuilder>,
    failed: u64,
    /// All trials, where the standing of one is known when all are: under `robust`, and with several objectives.
    all: Option<Results>,
    /// The objective of every trial, if the search is judged.
    scores: Option<Scores>,
    bar: ProgressBar,
}

/// What is left of it at the end.
pub struct Gathered {
    /// The best trials, the best first.
    pub top: Vec<Best>,
    /// The objective over two parameters, if two vary.
    pub heatmap: Option<Heatmap>,
    /// Trials that failed.
    pub failed: u64,
    /// All trials, where the best ones were found among all.
    pub all: Option<Results>,
    /// The objective of every trial, if the search is judged.
    pub scores: Option<Scores>,
}

/// The heatmap of a plan over these parameters, empty yet.
///
/// # Errors
/// There is no such parameter.
pub fn heatmap(plan: &Plan, axes: Option<&(String, String)>) -> Result<Option<HeatmapBuilder>> {
    let (schema, objective) = (Arc::new(Schema::of(plan)), plan.objective());
    let builder = |(x, y): &(String, String)| {
        HeatmapBuilder::new(&schema, x, y, objective.name, Aggregate::Best(objective.direction))
    };
    axes.map(builder).transpose()
}

impl Gathering {
    /// Nothing yet.
    pub fn new(
        plan: &Plan,
        store: Store,
        heatmap: Option<HeatmapBuilder>,
        judged: bool,
        bar: ProgressBar,
    ) -> Gathering {
        let (objective, schema) = (plan.objective(), Arc::new(Schema::of(plan)));
        let keeps_all = plan.searching().robust || plan.scoring().goals() > 1;
        let most = usize::try_from(plan.top()).unwrap_or(usize::MAX).max(1);
        Gathering {
            store,
            scoring: plan.scoring().clone(),
            goal: plan.scoring().texts().collect::<Vec<_>>().join(", "),
            rows: Results::new(schema.clone()),
            top: TopK::new(most, objective.direction),
            heatmap,
            failed: 0,
            all: keeps_all.then(|| Results::new(schema)),
            scores: judged.then(|| Scores::new(objective.direction)),
            bar,
        }
    }

    /// Ends: everything that was taken is on disk.
    ///
    /// # Errors
    /// The last part cannot be written.
    pub fn finish(self, plan: &Plan) -> Result<Gathered> {
        self.bar.finish_and_clear();
        self.store.finish()?;
        let top = match &self.all {
            Some(all) => best_of(plan, all),
            None => {
                let best = |(index, _, (point, metrics))| Best { index, point, metrics };
                self.top.into_sorted().into_iter().map(best).collect()
            }
        };
        Ok(Gathered {
            top,
            heatmap: self.heatmap.map(HeatmapBuilder::finish).transpose()?,
            failed: self.failed,
            all: self.all,
            scores: self.scores,
        })
    }
}

/// The best of all rows, as many as the plan reports.
fn best_of(plan: &Plan, rows: &Results) -> Vec<Best> {
    let most = usize::try_from(plan.top()).unwrap_or(usize::MAX).min(rows.len());
    let best = |row: usize| Best { index: rows.index()[row], point: rows.point(row), metrics: rows.metrics_of(row) };
    best_rows(plan, rows, most).into_iter().map(best).collect()
}

impl Keeper for Gathering {
    fn known(&mut self, batch: &Batch) -> Result<Vec<Option<Outcome>>> {
        self.store.known(batch)
    }

    fn accept(&mut self, batch: &Batch, outcomes: &[Outcome], tally: &Tally) -> Result<()> {
        self.rows.clear();
        for (outcome, point) in outcomes.iter().zip(&batch.points) {
            let (metrics, status) = (&outcome.metrics, outcome.status());
            let bars_read = outcome.rows_read;
            let budget = batch.budget;
            self.rows.push(TrialRow { index: outcome.index, params: point, metrics, budget, bars_read, status });
            self.failed += u64::from(status == Status::Failed);
            // What a trial came to on a part of the data ranks it for the search alone.
            if !batch.is_whole() {
                continue;
            }
            let score = self.scoring.value(metrics);
            self.top.offer(outcome.index, score, || (point.clone(), metrics.clone()));
            if let Some(scores) = &mut self.scores {
                scores.add(outcome.index, score);
            }
        }
        self.store.append(&self.rows)?;
        if let Some(heatmap) = &mut self.heatmap {
            heatmap.add(&self.rows)?;
        }
        if let Some(all) = &mut self.all {
            all.append(&self.rows, 0..self.rows.len())?;
        }
        self.bar.set_position(tally.trials);
        if let Some((_, score)) = self.top.best() {
            self.bar.set_message(format!("best {} {score:.4}", self.goal));
        }
        Ok(())
    }
}
