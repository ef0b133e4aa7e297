//! When a search ends before it has spent its trials.
//!
//! Given all that was told after each generation, this says whether the target is reached or patience has run out. It
//! never knows which method asks.

use super::score::{Score, Told};
use crate::plan::Searching;

/// What ends a search early.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Generations without improvement after which it ends; 0 for any number.
    patience: u64,
    /// The loss at which it ends.
    target: Option<f64>,
    /// The best score so far.
    best: Option<Score>,
    /// Generations since it got better.
    waited: u64,
}

impl Ending {
    /// Of a search; `target` is a loss.
    pub fn new(searching: &Searching, target: Option<f64>) -> Ending {
        Ending { patience: searching.patience, target, best: None, waited: 0 }
    }

    /// Looks at all that was told so far, once a generation. Scores that were smoothed may have changed since.
    pub fn look(&mut self, told: &[Told]) {
        let best = told.iter().map(|trial| &trial.score).min_by(|a, b| a.order(b)).cloned();
        let better = match (&best, &self.best) {
            (Some(new), Some(old)) => new.order(old).is_lt(),
            (new, old) => new.is_some() && old.is_none(),
        };
        self.waited = if better { 0 } else { self.waited.saturating_add(1) };
        self.best = best;
    }

    /// Whether the target is reached or patience has run out.
    pub fn has_come(&self) -> bool {
        let reached = |target: f64| self.best.as_ref().is_some_and(|best| best.is_feasible() && best.loss() <= target);
        (self.patience > 0 && self.waited >= self.patience) || self.target.is_some_and(reached)
    }
}
