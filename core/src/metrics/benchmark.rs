//! Regression of the returns on a benchmark's, over the sessions where the benchmark has one.

use super::{NOISE, ratio, striped};
use crate::num;

/// The account against its benchmark; NaN where fewer than two sessions can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Relative {
    /// Covariance over the benchmark's variance; NaN when that is zero.
    pub beta: f64,
    /// Mean of `(r − rf) − beta (f − rf)` per session.
    pub alpha: f64,
    /// Mean of `r − f` over its deviation (ddof 1), per session; NaN when the account is the benchmark.
    pub information_ratio: f64,
}

impl Relative {
    /// Without a benchmark.
    pub const UNDEFINED: Self = Relative { beta: num::NAN, alpha: num::NAN, information_ratio: num::NAN };

    #[inline(always)]
    pub(super) fn of(returns: &[f64], benchmark: &[f64], risk_free: f64) -> Self {
        let present = |f: f64| if f.is_finite() { 1.0 } else { 0.0 };
        let [n, sum_r, sum_f] =
            striped::sums2(returns, benchmark, |r, f| if f.is_finite() { [present(f), r, f] } else { [0.0; 3] });
        if n < 2.0 {
            return Self::UNDEFINED;
        }
        let (mean_r, mean_f) = (sum_r / n, sum_f / n);
        let [variance, covariance, tracking] = striped::sums2(returns, benchmark, |r, f| {
            let (dr, df) = (r - mean_r, f - mean_f);
            let apart = dr - df;
            if f.is_finite() { [df * df, dr * df, apart * apart] } else { [0.0; 3] }
        });
        let beta = if num::sqrt(variance / n) > NOISE { covariance / variance } else { num::NAN };
        let excess = mean_r - mean_f;
        Relative {
            beta,
            alpha: (mean_r - risk_free) - beta * (mean_f - risk_free),
            information_ratio: ratio(excess, num::sqrt(tracking / (n - 1.0)), 1.0 + excess.abs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_benchmark_has_beta_two() {
        let f = [0.01, -0.02, 0.005, 0.03];
        let r = f.map(|x| 2.0 * x + 0.001);
        let fit = Relative::of(&r, &f, 0.0);
        assert!((fit.beta - 2.0).abs() < 1e-12 && (fit.alpha - 0.001).abs() < 1e-12);
        // With a riskless return, alpha = 0.001 − rf + 2 rf.
        assert!((Relative::of(&r, &f, 0.0002).alpha - 0.0012).abs() < 1e-12);
    }

    #[test]
    fn sessions_without_a_benchmark_do_not_count() {
        let with = Relative::of(&[0.01, 9.0, -0.02, 0.004], &[0.02, f64::NAN, -0.01, 0.001], 0.0);
        let without = Relative::of(&[0.01, -0.02, 0.004], &[0.02, -0.01, 0.001], 0.0);
        assert!((with.beta - without.beta).abs() < 1e-12);
        assert!((with.information_ratio - without.information_ratio).abs() < 1e-12);
    }

    #[test]
    fn undefined_where_nothing_can_be_compared() {
        let f = [0.01, -0.02, 0.005];
        assert!(Relative::of(&f, &f, 0.0).information_ratio.is_nan(), "the benchmark itself");
        assert!((Relative::of(&f, &f, 0.0).beta - 1.0).abs() < 1e-15);
        assert!(Relative::of(&f, &[0.01; 3], 0.0).beta.is_nan(), "a benchmark that does not move");
        assert!(Relative::of(&f, &[0.01, f64::NAN, f64::NAN], 0.0).beta.is_nan(), "one common session");
        assert!(Relative::of(&[], &f, 0.0).beta.is_nan());
    }
}
