//! Regression of the returns on a benchmark's, over the sessions where the benchmark has one.

use super::{NOISE, Returns, ratio, striped};
use crate::num;
use crate::simd::{self, Eight, Work};

/// The returns of a benchmark, with what every trial that is compared with them needs to know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Benchmark {
    /// Return of each session; NaN where it has none.
    returns: Vec<f64>,
    /// Returns less their mean; 0 where there is none.
    apart: Vec<f64>,
    /// 1 where there is a return, else 0.
    present: Vec<f64>,
    /// Number of returns.
    count: f64,
    mean: f64,
    /// Sum of the squares of `apart`.
    squares: f64,
}

impl Benchmark {
    /// A benchmark with these returns; what is not finite is none.
    pub fn new(returns: Vec<f64>) -> Benchmark {
        let known: Vec<f64> = returns.iter().map(|&f| if f.is_finite() { f } else { 0.0 }).collect();
        let present: Vec<f64> = returns.iter().map(|f| if f.is_finite() { 1.0 } else { 0.0 }).collect();
        let count = present.iter().sum::<f64>();
        let mean = simd::run(Sum(&known)) / count;
        let apart: Vec<f64> = returns.iter().map(|f| if f.is_finite() { f - mean } else { 0.0 }).collect();
        let squares: Vec<f64> = apart.iter().map(|df| df * df).collect();
        let squares = simd::run(Sum(&squares));
        Benchmark { returns, apart, present, count, mean, squares }
    }

    /// Return of each session.
    pub fn returns(&self) -> &[f64] {
        &self.returns
    }

    /// Returns less their mean, if it has one in each of so many sessions.
    pub(super) fn complete(&self, sessions: usize) -> Option<&[f64]> {
        (sessions == self.apart.len() && self.count == sessions as f64).then_some(&self.apart)
    }
}

/// `x` where `present` is 1, else 0.
#[inline(always)]
fn counts<E: Eight>(present: E, x: E) -> E {
    E::select(E::zero().lt(present), x, E::zero())
}

struct Sum<'a>(&'a [f64]);

impl Work for Sum<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<E: Eight>(self) -> f64 {
        striped::sums::<E, 1>(
            self.0,
            #[inline(always)]
            |x| [x],
        )[0]
    }
}

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

    /// The regression, from the sums that the moments of the returns brought along where the benchmark is complete.
    #[inline(always)]
    pub(super) fn of<E: Eight>(returns: &[f64], moments: &Returns, benchmark: &Benchmark, risk_free: f64) -> Self {
        if let Some([covariance, tracking]) = moments.against {
            return Self::from_sums(
                moments.count,
                (moments.mean, benchmark.mean),
                benchmark.squares,
                covariance,
                tracking,
                risk_free,
            );
        }
        if returns.len() != benchmark.returns.len() || benchmark.count < 2.0 {
            return Self::UNDEFINED;
        }
        let n = benchmark.count;
        let [sum] = striped::sums2::<E, 1>(
            returns,
            &benchmark.present,
            #[inline(always)]
            |r, present| [counts(present, r)],
        );
        let mean = E::splat(sum / n);
        // Where the benchmark has no return, its product is zero; the difference is left out below.
        let [covariance] = striped::sums2::<E, 1>(
            returns,
            &benchmark.apart,
            #[inline(always)]
            |r, df| [r.sub(mean).mul(df)],
        );
        let tracking: Vec<f64> = returns.iter().zip(&benchmark.apart).map(|(r, df)| (r - sum / n) - df).collect();
        let [tracking] = striped::sums2::<E, 1>(
            &tracking,
            &benchmark.present,
            #[inline(always)]
            |x, present| [counts(present, x.mul(x))],
        );
        let mean = sum / n;
        Self::from_sums(n, (mean, benchmark.mean), benchmark.squares, covariance, tracking, risk_free)
    }

    fn from_sums(
        n: f64,
        (mean_r, mean_f): (f64, f64),
        variance: f64,
        covariance: f64,
        tracking: f64,
        risk_free: f64,
    ) -> Self {
        if n < 2.0 {
            return Self::UNDEFINED;
        }
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

    use crate::simd::Plain;

    fn relative(returns: &[f64], benchmark: &[f64], risk_free: f64) -> Relative {
        let benchmark = Benchmark::new(benchmark.to_vec());
        let moments = Returns::of::<Plain>(returns, returns.iter().sum(), 0.0, benchmark.complete(returns.len()));
        Relative::of::<Plain>(returns, &moments, &benchmark, risk_free)
    }

    #[test]
    fn twice_the_benchmark_has_beta_two() {
        let f = [0.01, -0.02, 0.005, 0.03];
        let r = f.map(|x| 2.0 * x + 0.001);
        let fit = relative(&r, &f, 0.0);
        assert!((fit.beta - 2.0).abs() < 1e-12 && (fit.alpha - 0.001).abs() < 1e-12);
        // With a riskless return, alpha = 0.001 − rf + 2 rf.
        assert!((relative(&r, &f, 0.0002).alpha - 0.0012).abs() < 1e-12);
    }

    #[test]
    fn sessions_without_a_benchmark_do_not_count() {
        let with = relative(&[0.01, 9.0, -0.02, 0.004], &[0.02, f64::NAN, -0.01, 0.001], 0.0);
        let without = relative(&[0.01, -0.02, 0.004], &[0.02, -0.01, 0.001], 0.0);
        assert!((with.beta - without.beta).abs() < 1e-12);
        assert!((with.information_ratio - without.information_ratio).abs() < 1e-12);
    }

    #[test]
    fn undefined_where_nothing_can_be_compared() {
        let f = [0.01, -0.02, 0.005];
        assert!(relative(&f, &f, 0.0).information_ratio.is_nan(), "the benchmark itself");
        assert!((relative(&f, &f, 0.0).beta - 1.0).abs() < 1e-15);
        assert!(relative(&f, &[0.01; 3], 0.0).beta.is_nan(), "a benchmark that does not move");
        assert!(relative(&f, &[0.01, f64::NAN, f64::NAN], 0.0).beta.is_nan(), "one common session");
        assert!(relative(&[], &f, 0.0).beta.is_nan());
    }
}
