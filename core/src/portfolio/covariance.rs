//! Covariance of returns, pulled towards a multiple of the identity as far as the data ask for.
//!
//! `Σ = δ m I + (1 − δ) S` with `m = tr(S)/p`, `δ = min(b̄², d²)/d²`, `d² = ‖S − m I‖²/p`,
//! `b̄² = Σ_t ‖x_t x_t' − S‖² / (n² p)`: Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance
//! matrices", Journal of Multivariate Analysis 88(2), 2004. `S` divides by the number of sessions, as in the paper.

use super::mean;

/// A symmetric matrix over members.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariance {
    /// Number of members.
    pub size: usize,
    /// `size × size` numbers, by rows, per session.
    pub values: Vec<f64>,
    /// How far it was pulled: 0 is the covariance of the data, 1 the same variance for all and no correlation.
    pub shrinkage: f64,
}

impl Covariance {
    /// Covariance of two members.
    pub fn at(&self, one: usize, other: usize) -> f64 {
        self.values[one * self.size + other]
    }

    /// Covariance of a member with the portfolio of these weights.
    pub fn with_portfolio(&self, member: usize, weights: &[f64]) -> f64 {
        let row = &self.values[member * self.size..(member + 1) * self.size];
        row.iter().zip(weights).map(|(covariance, weight)| covariance * weight).sum()
    }

    /// Part of the portfolio's variance that each member contributes, all together 1; NaN for one without variance.
    pub fn contributions(&self, weights: &[f64]) -> Vec<f64> {
        let parts: Vec<f64> =
            (0..self.size).map(|member| weights[member] * self.with_portfolio(member, weights)).collect();
        let all: f64 = parts.iter().sum();
        parts.iter().map(|part| if all > 0.0 { part / all } else { crate::num::NAN }).collect()
    }
}

/// The covariance of columns of equal length.
pub fn ledoit_wolf(members: &[&[f64]]) -> Covariance {
    let (p, n) = (members.len(), members.first().map_or(0, |returns| returns.len()));
    let centred: Vec<Vec<f64>> = members
        .iter()
        .map(|returns| {
            let mean = mean(returns);
            returns.iter().map(|r| r - mean).collect()
        })
        .collect();
    let mut values = vec![0.0; p * p];
    let mut noise = 0.0;
    for one in 0..p {
        for other in 0..=one {
            let products = || centred[one].iter().zip(&centred[other]).map(|(a, b)| a * b);
            let covariance = products().sum::<f64>() / n as f64;
            values[one * p + other] = covariance;
            values[other * p + one] = covariance;
            let spread: f64 = products().map(|x| (x - covariance) * (x - covariance)).sum();
            noise += if one == other { spread } else { 2.0 * spread };
        }
    }
    let (size, sessions) = (p as f64, n as f64);
    let middle = (0..p).map(|member| values[member * p + member]).sum::<f64>() / size;
    let target = |place: usize| if place / p == place % p { middle } else { 0.0 };
    let distance = values.iter().enumerate().map(|(place, x)| (x - target(place)) * (x - target(place))).sum::<f64>();
    let error = noise / (sessions * sessions);
    let shrinkage = if distance > 0.0 { (error / distance).min(1.0) } else { 1.0 };
    let pulled = values.iter().enumerate().map(|(place, x)| shrinkage * target(place) + (1.0 - shrinkage) * x);
    Covariance { size: p, values: pulled.collect(), shrinkage }
}
