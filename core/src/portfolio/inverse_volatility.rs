//! Weights in proportion to one over the deviation of returns: equal risk, were the members not correlated.

use super::mean;
use crate::num;

/// `(1/σ_m) / Σ (1/σ)`. Every column must vary.
pub fn inverse_volatility(members: &[&[f64]]) -> Vec<f64> {
    let inverse: Vec<f64> = members
        .iter()
        .map(|returns| {
            let mean = mean(returns);
            // The divisor is the same for all members, so any does.
            1.0 / num::sqrt(returns.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>())
        })
        .collect();
    let all: f64 = inverse.iter().sum();
    inverse.iter().map(|x| x / all).collect()
}
