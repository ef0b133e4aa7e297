//! Moments of the session returns, and the partial moments around the minimal acceptable return.
//!
//! Given returns, this gives mean, deviation, skew, kurtosis, downside deviation, gains and losses.

use super::{NOISE, striped};
use crate::num;

/// Moments of the returns; NaN where there are too few.
#[derive(Clone, Copy, Debug)]
pub struct Returns {
    /// Number of returns; 0 for an account without sessions or ruined before its last one.
    pub count: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation, ddof 1; exactly 0 when it is rounding noise; NaN below two returns.
    pub deviation: f64,
    /// Bias-corrected skewness G1; NaN below three returns or without deviation.
    pub skew: f64,
    /// Bias-corrected excess kurtosis G2; NaN below four returns or without deviation.
    pub kurtosis: f64,
    /// Mean of `r − mar`.
    pub mean_over_mar: f64,
    /// Root of the mean of `min(r − mar, 0)²` over all returns; 0 when it is rounding noise.
    pub downside: f64,
    /// Mean of `max(r − mar, 0)`.
    pub gain: f64,
    /// Mean of `max(mar − r, 0)`; 0 when it is rounding noise.
    pub loss: f64,
}

/// Simple returns of the equity series, the first against the initial cash. None at all if any base is zero or less.
#[inline(always)]
pub(super) fn fill(initial_cash: f64, equity: &[f64], returns: &mut Vec<f64>) {
    returns.clear();
    let Some((_, bases)) = equity.split_last() else { return };
    if !bases.iter().fold(true, |ok, &base| ok & (base > 0.0)) {
        return;
    }
    returns.resize(equity.len(), 0.0);
    returns[0] = equity[0] / initial_cash - 1.0;
    // Written out as a loop, which is compiled for the processor's vectors together with its caller.
    for ((r, now), base) in returns[1..].iter_mut().zip(&equity[1..]).zip(bases) {
        *r = now / base - 1.0;
    }
}

impl Returns {
    #[inline(always)]
    pub(super) fn of(returns: &[f64], mar: f64) -> Self {
        let n = returns.len() as f64;
        let [sum] = striped::sums(returns, |r| [r]);
        let mean = if n > 0.0 { sum / n } else { num::NAN };
        let [two, three, four, below, gain, loss] = striped::sums(returns, |r| {
            let d = r - mean;
            let square = d * d;
            let over = r - mar;
            let (up, down) = (over.max(0.0), (-over).max(0.0));
            [square, square * d, square * square, down * down, up, down]
        });
        let scale = 1.0 + mean.abs();
        let denoised = |x: f64| if x <= NOISE * scale { 0.0 } else { x };
        let deviation = if n >= 2.0 { denoised(num::sqrt(two / (n - 1.0))) } else { num::NAN };
        Returns {
            count: n,
            mean,
            deviation,
            skew: if deviation > 0.0 { skew(n, two / n, three / n) } else { num::NAN },
            kurtosis: if deviation > 0.0 { kurtosis(n, two / n, four / n) } else { num::NAN },
            mean_over_mar: mean - mar,
            downside: denoised(num::sqrt(below / n)),
            gain: gain / n,
            loss: denoised(loss / n),
        }
    }
}

/// G1 of Joanes and Gill (1998) from the second and third central moment.
fn skew(n: f64, m2: f64, m3: f64) -> f64 {
    if n < 3.0 {
        return num::NAN;
    }
    num::sqrt(n * (n - 1.0)) / (n - 2.0) * (m3 / (m2 * num::sqrt(m2)))
}

/// G2 of Joanes and Gill (1998), excess over the normal distribution, from the second and fourth central moment.
fn kurtosis(n: f64, m2: f64, m4: f64) -> f64 {
    if n < 4.0 {
        return num::NAN;
    }
    (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * (m4 / (m2 * m2) - 3.0) + 6.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_start_from_the_initial_cash() {
        let mut returns = Vec::new();
        fill(100.0, &[110.0, 99.0], &mut returns);
        assert_eq!(returns, [110.0 / 100.0 - 1.0, 99.0 / 110.0 - 1.0]);
        fill(100.0, &[50.0], &mut returns);
        assert_eq!(returns, [-0.5]);
        fill(100.0, &[], &mut returns);
        assert!(returns.is_empty());
    }

    #[test]
    fn ruin_before_the_end_leaves_no_returns() {
        let mut returns = Vec::new();
        fill(100.0, &[50.0, 0.0], &mut returns);
        assert_eq!(returns, [-0.5, -1.0], "ruin in the last session is still a return");
        fill(100.0, &[50.0, 0.0, 0.0], &mut returns);
        assert!(returns.is_empty());
        fill(100.0, &[50.0, -10.0, 20.0], &mut returns);
        assert!(returns.is_empty());
    }

    #[test]
    fn moments_of_a_known_sample() {
        // scipy.stats.skew and kurtosis of [1, 2, 3, 10] with bias=False: 1.7635... and 3.2380...
        let r = Returns::of(&[1.0, 2.0, 3.0, 10.0], 0.0);
        assert!((r.deviation - 4.082_482_904_638_63).abs() < 1e-14);
        assert!((r.skew - 1.763_632_614_803_888).abs() < 1e-12, "{}", r.skew);
        assert!((r.kurtosis - 3.228).abs() < 1e-12, "{}", r.kurtosis);
    }

    #[test]
    fn a_deviation_of_rounding_is_none() {
        // Three positions that grow alike: their sum grows by the same rate, but for rounding.
        let (mut positions, mut equity) = ([33.3, 41.7, 25.1], Vec::new());
        for _ in 0..300 {
            equity.push(positions.iter().sum());
            positions = positions.map(|value| value * 1.0004);
        }
        let mut returns = Vec::new();
        fill(equity[0], &equity[1..], &mut returns);
        assert!(returns.iter().any(|r| *r != returns[0]), "the returns do carry rounding");
        let r = Returns::of(&returns, 0.0004);
        assert_eq!((r.deviation, r.downside, r.loss), (0.0, 0.0, 0.0));
        assert!(r.skew.is_nan() && r.kurtosis.is_nan());
    }
}
