//! Weights by means and covariances: Kelly's, and Markowitz's tangency portfolio, both without short positions.
//!
//! For small returns the growth of wealth is `w'μ − ½ w'Σw` (Kelly 1956; Thorp, "The Kelly Criterion in Blackjack, Sports
//! Betting and the Stock Market", 2006). Its maximum over `w ≥ 0` is the full bet; scaled to sum to 1 it is also the
//! portfolio with the largest Sharpe ratio (Markowitz 1952). Means are estimated far worse than variances, so the full
//! bet of an estimate is too large: half of it is usual.

use super::{Covariance, ledoit_wolf, mean};

/// Rounds over all members at most.
const MOST_ROUNDS: usize = 10_000;
/// Change of a weight, relative to the largest, at which the rounds end.
const CLOSE: f64 = 1e-12;

/// The maximum of `w'μ − ½ w'Σw` over `w ≥ 0`, one member at a time; zero for members that lower the growth. Every
/// variance must be positive.
pub fn growth(means: &[f64], covariance: &Covariance) -> Vec<f64> {
    let mut weights = vec![0.0; covariance.size];
    for _ in 0..MOST_ROUNDS {
        let (mut change, mut largest) = (0.0_f64, 0.0_f64);
        for member in 0..covariance.size {
            let (variance, old) = (covariance.at(member, member), weights[member]);
            let others = covariance.with_portfolio(member, &weights) - variance * old;
            let new = ((means[member] - others) / variance).max(0.0);
            change = change.max((new - old).abs());
            largest = largest.max(new);
            weights[member] = new;
        }
        if change <= CLOSE * largest {
            break;
        }
    }
    weights
}

/// A fraction of the bet with the largest growth; scaled down to sum to 1 where it is more. Every column must vary.
pub fn kelly(members: &[&[f64]], fraction: f64) -> Vec<f64> {
    let weights: Vec<f64> = full_bet(members).iter().map(|weight| weight * fraction).collect();
    let all: f64 = weights.iter().sum();
    if all > 1.0 { weights.iter().map(|weight| weight / all).collect() } else { weights }
}

/// The weights, summing to 1, with the largest mean for their deviation; all zero where no member has a positive mean.
/// Every column must vary.
pub fn mean_variance(members: &[&[f64]]) -> Vec<f64> {
    let weights = full_bet(members);
    let all: f64 = weights.iter().sum();
    if all > 0.0 { weights.iter().map(|weight| weight / all).collect() } else { weights }
}

fn full_bet(members: &[&[f64]]) -> Vec<f64> {
    let means: Vec<f64> = members.iter().map(|returns| mean(returns)).collect();
    growth(&means, &ledoit_wolf(members))
}
