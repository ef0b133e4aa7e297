//! Which trials are the best by a plan's own objective.
//!
//! Given a plan and its results, this gives rows, best first. It never knows how the trials were found.

use crate::num;
use crate::plan::{Direction, Plan, Score};
use crate::results::{Results, TopK, top_rows};
use crate::search::{hypervolume, pareto_set, standings};

/// The rows of the `k` best trials by the plan's objective: its metric or expression, constraints heeded, and under
/// `robust` the median of a trial's neighbourhood. Trials that failed or violate a constraint come last;
/// those that saw a part of the data are none.
pub fn best_rows(plan: &Plan, results: &Results, k: usize) -> Vec<usize> {
    let (scoring, direction) = (plan.scoring(), plan.objective().direction);
    if scoring.is_metric() && !plan.searching().robust {
        return top_rows(results, plan.objective().metric, k, direction);
    }
    let mut top = TopK::new(k, direction);
    let whole: Vec<usize> = (0..results.len()).filter(|&row| results.is_whole(row)).collect();
    for (&row, value) in whole.iter().zip(values(plan, results, &whole)) {
        top.offer(results.index()[row], value, || row);
    }
    top.into_sorted().into_iter().map(|(_, _, row)| row).collect()
}

/// The trials that nothing beats where there are several objectives, and the volume that they dominate.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    /// Rows of the results, in the order of the first objective, the best first.
    pub rows: Vec<usize>,
    /// In the units of the objectives multiplied, as far as the worst value of each among the feasible trials; the ends
    /// of the front themselves may touch it and then add nothing.
    pub hypervolume: f64,
}

/// The front of a plan's trials; of one objective, those with the best value.
pub fn front(plan: &Plan, results: &Results) -> Front {
    let score = |row: usize| {
        if results.is_whole(row) { plan.scoring().score(&results.metrics_of(row)) } else { Score::of(num::NAN) }
    };
    let scores: Vec<Score> = (0..results.len()).map(score).collect();
    let rows = pareto_set(&scores);
    let feasible: Vec<&Score> = scores.iter().filter(|score| score.is_feasible()).collect();
    let worst = |goal: usize| feasible.iter().map(|score| score.losses[goal]).fold(f64::MIN, f64::max);
    let reference: Vec<f64> = (0..plan.scoring().goals()).map(worst).collect();
    let points: Vec<Vec<f64>> = rows.iter().map(|&row| scores[row].losses.clone()).collect();
    Front { rows, hypervolume: hypervolume(&points, &reference) }
}

/// The objective of some rows, in its own direction.
fn values(plan: &Plan, results: &Results, rows: &[usize]) -> Vec<f64> {
    let scoring = plan.scoring();
    if !plan.searching().robust {
        return rows.iter().map(|&row| scoring.value(&results.metrics_of(row))).collect();
    }
    let scores: Vec<Score> = rows.iter().map(|&row| scoring.score(&results.metrics_of(row))).collect();
    let indices: Vec<u64> = rows.iter().map(|&row| results.index()[row]).collect();
    let value = |loss: f64| match plan.objective().direction {
        Direction::Max => -loss,
        Direction::Min => loss,
    };
    standings(plan.space(), &indices, &scores).into_iter().map(value).collect()
}
