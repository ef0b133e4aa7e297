//! Moments of the session returns, and the partial moments around the minimal acceptable return.
//!
//! Given returns, this gives mean, deviation, skew, kurtosis, downside deviation, gains and losses.

use super::{NOISE, striped};
use crate::num;
use crate::simd::{Eight, LANES};

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
    /// Against a benchmark that has a return in every session, the sums of the products of both deviations from their
    /// means, and of the squares of their differences.
    pub(super) against: Option<[f64; 2]>,
}

/// What one pass over the equity gives besides the returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct First {
    /// Whether equity and initial cash are finite, and the latter positive.
    pub finite: bool,
    /// Mean equity.
    pub mean: f64,
    /// Sum of the returns, where there are any.
    pub returns: f64,
}

/// Simple returns of the equity series, the first against the initial cash. None at all if any base is zero or less.
#[inline(always)]
pub(super) fn fill<E: Eight>(initial_cash: f64, equity: &[f64], returns: &mut Vec<f64>) -> First {
    returns.resize(equity.len(), 0.0);
    // `bad` is 0 in the lanes of finite numbers, NaN in others.
    let (mut sum, mut total, mut lowest, mut bad) = (E::zero(), E::zero(), E::splat(f64::INFINITY), E::zero());
    let (blocks, rest) = equity.as_chunks::<LANES>();
    let (out, rest_out) = returns.as_chunks_mut::<LANES>();
    for (k, (now, out)) in blocks.iter().zip(out).enumerate() {
        let base = match (k * LANES).checked_sub(1).and_then(|before| equity[before..].first_chunk()) {
            Some(base) => E::load(base),
            None => E::load(&behind(initial_cash, now)),
        };
        let now = E::load(now);
        (sum, lowest, bad) = (sum.add(now), base.min(lowest), bad.add(now.sub(now)));
        let r = now.div(base).sub(E::splat(1.0));
        total = total.add(r);
        r.store(out);
    }
    let mut last = None;
    if !rest.is_empty() {
        let before = if blocks.is_empty() { initial_cash } else { equity[blocks.len() * LANES - 1] };
        let mut now = [1.0; LANES];
        now[..rest.len()].copy_from_slice(rest);
        let mut base = behind(before, &now);
        // Lanes without a session change nothing that is asked of all lanes.
        base[rest.len()..].fill(1.0);
        let (now, base) = (E::load(&now), E::load(&base));
        (lowest, bad) = (base.min(lowest), bad.add(now.sub(now)));
        let r = now.div(base).sub(E::splat(1.0));
        rest_out.copy_from_slice(&r.array()[..rest.len()]);
        last = Some([now, r]);
    }
    let finite = initial_cash > 0.0 && initial_cash.is_finite() && bad.array() == [0.0; LANES];
    if !(finite && E::bits(E::zero().lt(lowest)) == u8::MAX) {
        returns.clear();
    }
    let [sum, total] = striped::total([sum, total], last, rest.len());
    First { finite, mean: sum / equity.len() as f64, returns: total }
}

/// The numbers one place later, after `before`.
#[inline(always)]
fn behind(before: f64, now: &[f64; LANES]) -> [f64; LANES] {
    let mut base = [before; LANES];
    base[1..].copy_from_slice(&now[..LANES - 1]);
    base
}

/// The deviation of a return from the mean, and the terms of its moments and partial moments.
#[inline(always)]
fn moments<E: Eight>(r: E, mean: E, floor: E) -> (E, [E; 6]) {
    let d = r.sub(mean);
    let square = d.mul(d);
    let (up, down) = (r.sub(floor).max(E::zero()), floor.sub(r).max(E::zero()));
    (d, [square, square.mul(d), square.mul(square), down.mul(down), up, down])
}

impl Returns {
    /// Moments of returns whose sum is known; `apart` are a benchmark's returns in the same sessions, less their mean.
    #[inline(always)]
    pub(super) fn of<E: Eight>(returns: &[f64], sum: f64, mar: f64, apart: Option<&[f64]>) -> Self {
        let n = returns.len() as f64;
        let mean = if n > 0.0 { sum / n } else { num::NAN };
        let (center, floor) = (E::splat(mean), E::splat(mar));
        let ([two, three, four, below, gain, loss], against) = match apart {
            Some(apart) if apart.len() == returns.len() => {
                let [two, three, four, below, gain, loss, covariance, tracking] = striped::sums2::<E, 8>(
                    returns,
                    apart,
                    #[inline(always)]
                    |r, df| {
                        let (d, [two, three, four, below, gain, loss]) = moments(r, center, floor);
                        let tracking = d.sub(df);
                        [two, three, four, below, gain, loss, d.mul(df), tracking.mul(tracking)]
                    },
                );
                ([two, three, four, below, gain, loss], Some([covariance, tracking]))
            }
            _ => (
                striped::sums::<E, 6>(
                    returns,
                    #[inline(always)]
                    |r| moments(r, center, floor).1,
                ),
                None,
            ),
        };
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
            against,
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
    use crate::simd::Plain;

    fn fill(initial_cash: f64, equity: &[f64], returns: &mut Vec<f64>) {
        let First { returns: sum, .. } = super::fill::<Plain>(initial_cash, equity, returns);
        assert!(returns.is_empty() || (sum - returns.iter().sum::<f64>()).abs() < 1e-12);
    }

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
        let r = Returns::of::<Plain>(&[1.0, 2.0, 3.0, 10.0], 16.0, 0.0, None);
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
        let r = Returns::of::<Plain>(&returns, returns.iter().sum(), 0.0004, None);
        assert_eq!((r.deviation, r.downside, r.loss), (0.0, 0.0, 0.0));
        assert!(r.skew.is_nan() && r.kurtosis.is_nan());
    }
}
