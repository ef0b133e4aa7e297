//! What a trial came to, as one that can be compared with others.
//!
//! Given losses and a violation, this file orders trials: feasible ones by their loss, infeasible ones below all feasible
//! ones by how much they violate, failed ones last. It never knows what a loss is made of.

use std::cmp::Ordering;

use crate::num;

/// What a trial came to. Every number is the better the smaller it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// One loss for each objective, at least one; NaN if the trial failed.
    pub losses: Vec<f64>,
    /// By how much constraints are violated; 0 for a feasible trial.
    pub violation: f64,
}

impl Score {
    /// A feasible trial with one objective.
    pub fn of(loss: f64) -> Score {
        Score { losses: vec![loss], violation: 0.0 }
    }

    /// The first loss, NaN if there is none.
    pub fn loss(&self) -> f64 {
        self.losses.first().copied().unwrap_or(num::NAN)
    }

    /// Whether a loss is undefined.
    pub fn failed(&self) -> bool {
        self.losses.is_empty() || self.losses.iter().any(|loss| loss.is_nan())
    }

    /// Whether it neither failed nor violates a constraint.
    pub fn is_feasible(&self) -> bool {
        !self.failed() && self.violation <= 0.0
    }

    /// The better one is less, by the first loss. Total: equal scores are equal, whatever their bits.
    pub fn order(&self, other: &Score) -> Ordering {
        let rank = |score: &Score| match (score.failed(), score.is_feasible()) {
            (true, _) => 2,
            (_, true) => 0,
            _ => 1,
        };
        rank(self).cmp(&rank(other)).then_with(|| match rank(self) {
            0 => num::nan_last(self.loss(), other.loss()),
            1 => num::nan_last(self.violation, other.violation),
            _ => Ordering::Equal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_trials_are_below_infeasible_ones_and_these_below_feasible_ones() {
        let infeasible = |loss, violation| Score { losses: vec![loss], violation };
        let ascending =
            [Score::of(-2.0), Score::of(5.0), infeasible(-9.0, 0.5), infeasible(-99.0, 2.0), Score::of(f64::NAN)];
        for (a, better) in ascending.iter().enumerate() {
            for (b, worse) in ascending.iter().enumerate() {
                assert_eq!(better.order(worse), a.cmp(&b), "{a} against {b}");
            }
        }
    }
}
