//! What was told so far, in order.
//!
//! Given trials with their scores, this file ranks them and fills in numbers for those that have none. It never knows
//! what a loss is made of.

pub use crate::plan::Score;

/// A trial that was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its index in the space.
    pub index: u64,
    /// Its digits in the cube.
    pub digits: Vec<u64>,
    /// Its score.
    pub score: Score,
}

/// Positions of trials, the best first; of equal ones the smaller index.
pub fn ranking(told: &[Told]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..told.len()).collect();
    order.sort_by(|&a, &b| told[a].score.order(&told[b].score).then(told[a].index.cmp(&told[b].index)));
    order
}

/// Losses for a model that needs numbers: trials that are not feasible get the worst feasible loss, nothing worse, since
/// how bad they are says nothing about their neighbours' losses. `None` without a feasible trial.
pub fn filled_losses(told: &[Told]) -> Option<Vec<f64>> {
    let feasible = told.iter().filter(|trial| trial.score.is_feasible() && trial.score.loss().is_finite());
    let worst = feasible.map(|trial| trial.score.loss()).reduce(f64::max)?;
    let loss = |trial: &Told| if trial.score.is_feasible() { trial.score.loss().clamp(f64::MIN, worst) } else { worst };
    Some(told.iter().map(loss).collect())
}
