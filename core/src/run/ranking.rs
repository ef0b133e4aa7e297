//! Which trials are the best by a plan's own objective.
//!
//! Given a plan and its results, this gives rows, best first. It never knows how the trials were found.

use crate::plan::{Direction, Plan, Score};
use crate::results::{Results, TopK, top_rows};
use crate::search::standings;

/// The rows of the `k` best trials by the plan's objective: its metric or expression, constraints heeded, and under
/// `robust` the median of a trial's neighbourhood. Trials that failed or violate a constraint come last.
pub fn best_rows(plan: &Plan, results: &Results, k: usize) -> Vec<usize> {
    let (scoring, direction) = (plan.scoring(), plan.objective().direction);
    if scoring.is_metric() && !plan.searching().robust {
        return top_rows(results, plan.objective().metric, k, direction);
    }
    let mut top = TopK::new(k, direction);
    for (row, (&index, value)) in results.index().iter().zip(values(plan, results)).enumerate() {
        top.offer(index, value, || row);
    }
    top.into_sorted().into_iter().map(|(_, _, row)| row).collect()
}

/// The objective of every row, in its own direction.
fn values(plan: &Plan, results: &Results) -> Vec<f64> {
    let scoring = plan.scoring();
    let rows = 0..results.len();
    if !plan.searching().robust {
        return rows.map(|row| scoring.value(&results.metrics_of(row))).collect();
    }
    let scores: Vec<Score> = rows.map(|row| scoring.score(&results.metrics_of(row))).collect();
    let value = |loss: f64| match plan.objective().direction {
        Direction::Max => -loss,
        Direction::Min => loss,
    };
    standings(plan.space(), results.index(), &scores).into_iter().map(value).collect()
}
