//! Weights by which every member contributes the same risk.
//!
//! `w_m (Σw)_m` is the same for all: Maillard, Roncalli and Teiletche, "The Properties of Equally Weighted Risk
//! Contribution Portfolios", Journal of Portfolio Management 36(4), 2010. The weights are the minimum of
//! `½ w'Σw − (1/p) Σ ln w_m`, scaled to sum to 1, found one member at a time: Griveau-Billion, Richard and Roncalli, "A
//! Fast Algorithm for Computing High-Dimensional Risk Parity Portfolios", 2013.

use super::Covariance;
use crate::num;

/// Rounds over all members at most; ten are enough for members that are not nearly the same.
const MOST_ROUNDS: usize = 1000;
/// Relative change of a weight at which the rounds end.
const CLOSE: f64 = 1e-13;

/// The weights. Every variance must be positive.
pub fn equal_risk(covariance: &Covariance) -> Vec<f64> {
    let part = 1.0 / covariance.size as f64;
    let mut weights: Vec<f64> =
        (0..covariance.size).map(|member| num::sqrt(part / covariance.at(member, member))).collect();
    for _ in 0..MOST_ROUNDS {
        let mut change = 0.0_f64;
        for member in 0..covariance.size {
            let (variance, old) = (covariance.at(member, member), weights[member]);
            let others = covariance.with_portfolio(member, &weights) - variance * old;
            // The positive root of `variance x² + others x − part`, in the form that does not cancel.
            let root = num::sqrt(others * others + 4.0 * variance * part);
            let new = if others > 0.0 { 2.0 * part / (others + root) } else { (root - others) / (2.0 * variance) };
            change = change.max((new - old).abs() / new);
            weights[member] = new;
        }
        if change <= CLOSE {
            break;
        }
    }
    let all: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / all).collect()
}
