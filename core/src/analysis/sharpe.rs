//! How sure a Sharpe ratio is: its moments, and the probability that the true one is above a benchmark.
//!
//! Given returns, this gives numbers per return, nothing annualised. It never knows how many trials there were:
//! that is `deflated.rs`.

use serde::Serialize;

use super::normal;
use crate::metrics::NOISE;
use crate::num;

/// How deviation, skewness and kurtosis are estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Convention {
    /// Deviation with ddof 1, skewness and kurtosis of the sample as a population: Bailey and López de Prado.
    #[default]
    Plain,
    /// Deviation with ddof 0, skewness and kurtosis corrected for bias (G1, G2 + 3).
    Corrected,
}

/// What the distribution of a Sharpe ratio's estimate depends on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Moments {
    /// Number of returns.
    pub count: f64,
    /// Mean over deviation, per return; NaN below two returns or without deviation.
    pub sharpe: f64,
    /// Skewness; NaN as the Sharpe ratio, or below three returns if corrected.
    pub skew: f64,
    /// Kurtosis, 3 for the normal distribution; NaN as the Sharpe ratio, or below four returns if corrected.
    pub kurtosis: f64,
}

impl Moments {
    /// Moments of a series of returns.
    pub fn of(returns: &[f64], convention: Convention) -> Moments {
        let n = returns.len() as f64;
        let mean = returns.iter().sum::<f64>() / n;
        let [mut two, mut three, mut four] = [0.0; 3];
        for r in returns {
            let d = r - mean;
            let square = d * d;
            (two, three, four) = (two + square, three + square * d, four + square * square);
        }
        let variance = two / n;
        // Deviation of rounding alone counts as none; `!` also catches NaN.
        if !(num::sqrt(variance) > NOISE * mean.abs().max(1.0) && n >= 2.0) {
            return Moments { count: n, sharpe: num::NAN, skew: num::NAN, kurtosis: num::NAN };
        }
        let (g1, g2) = (three / n / (variance * num::sqrt(variance)), four / n / (variance * variance));
        let (sharpe, skew, kurtosis) = match convention {
            Convention::Plain => (mean / num::sqrt(two / (n - 1.0)), g1, g2),
            Convention::Corrected => {
                let skew = g1 * num::sqrt(n * (n - 1.0)) / (n - 2.0);
                let excess = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * (g2 - 3.0) + 6.0);
                let kurtosis = if n > 3.0 { excess + 3.0 } else { num::NAN };
                (mean / num::sqrt(variance), if n > 2.0 { skew } else { num::NAN }, kurtosis)
            }
        };
        Moments { count: n, sharpe, skew, kurtosis }
    }

    /// `1 − g3 S + (g4 − 1)/4 S²`: variance of the estimate times `n − 1` (Mertens 2002). NaN where it is not positive,
    /// which moments of too few returns can give.
    pub fn variance_of_estimate(&self) -> f64 {
        let s = self.sharpe;
        let variance = 1.0 - self.skew * s + (self.kurtosis - 1.0) / 4.0 * s * s;
        if variance > 0.0 { variance } else { num::NAN }
    }

    /// Probabilistic Sharpe ratio: the probability that the true Sharpe ratio is above `benchmark` (per return).
    ///
    /// `Φ((S − b) √(n − 1) / √(1 − g3 S + (g4 − 1)/4 S²))`: Bailey and López de Prado, "The Sharpe Ratio Efficient
    /// Frontier", Journal of Risk 15(2), 2012.
    pub fn probability_above(&self, benchmark: f64) -> f64 {
        let z = (self.sharpe - benchmark) * num::sqrt(self.count - 1.0) / num::sqrt(self.variance_of_estimate());
        num::canonical(normal::cdf(z))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_known_sample() {
        // scipy.stats.skew and kurtosis of [1, 2, 3, 10].
        let plain = Moments::of(&[1.0, 2.0, 3.0, 10.0], Convention::Plain);
        assert!((plain.sharpe - 4.0 / 4.082_482_904_638_63).abs() < 1e-14);
        let corrected = Moments::of(&[1.0, 2.0, 3.0, 10.0], Convention::Corrected);
        assert!((corrected.skew - 1.763_632_614_803_888).abs() < 1e-12);
        assert!((corrected.kurtosis - 6.228).abs() < 1e-12);
    }

    #[test]
    fn where_there_is_nothing_to_judge_it_is_null() {
        for returns in [&[][..], &[0.1], &[0.1, 0.1, 0.1], &[0.0; 50], &[f64::NAN, 1.0, 2.0]] {
            let moments = Moments::of(returns, Convention::Plain);
            assert!(moments.sharpe.is_nan() && moments.probability_above(0.0).is_nan(), "{returns:?}");
        }
        let two = Moments::of(&[0.1, 0.2], Convention::Corrected);
        assert!(two.skew.is_nan() && two.kurtosis.is_nan() && two.probability_above(0.0).is_nan());
    }

    #[test]
    fn a_ratio_at_its_benchmark_is_a_coin() {
        let moments = Moments { count: 250.0, sharpe: 0.05, skew: -1.0, kurtosis: 9.0 };
        assert_eq!(moments.probability_above(0.05), 0.5);
        assert!(moments.probability_above(0.0) > 0.75 && moments.probability_above(0.1) < 0.25);
    }
}
