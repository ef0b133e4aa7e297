//! Quantiles of the returns: value at risk, its conditional mean, and the ratio of the tails.
//!
//! Quantiles are linear between order statistics, at rank `q (n − 1)`, as numpy's default (Hyndman and Fan's type 7).

use super::{NOISE, Returns, striped};
use crate::num;

/// Probability of each tail.
const TAIL: f64 = 0.05;

/// Quantiles of the returns; NaN without returns.
#[derive(Clone, Copy, Debug)]
pub struct Tails {
    /// 5th percentile.
    pub low: f64,
    /// 95th percentile.
    pub high: f64,
    /// Mean of the lowest `⌊(n − 1) × 0.05⌋ + 1` returns.
    pub low_mean: f64,
}

impl Tails {
    pub(super) fn of(returns: &[f64], moments: &Returns, scratch: &mut Vec<f64>) -> Self {
        if returns.is_empty() {
            return Tails { low: num::NAN, high: num::NAN, low_mean: num::NAN };
        }
        let width = if moments.deviation > 0.0 { moments.deviation } else { 0.0 };
        let (low, lowest) = lowest(returns, |r| r, (moments.mean, width), scratch);
        lowest.sort_unstable_by(f64::total_cmp);
        let [sum] = striped::sums(lowest, |x| [x]);
        let low_mean = sum / lowest.len() as f64;
        // The 95th percentile is the 5th of the mirrored returns.
        let (high, _) = self::lowest(returns, |r| -r, (-moments.mean, width), scratch);
        Tails { low, high: -high, low_mean }
    }

    /// `|p95| / |p5|`; NaN when the low percentile is zero (a strategy that is mostly in cash).
    pub fn ratio(&self) -> f64 {
        if self.low.abs() > NOISE { self.high.abs() / self.low.abs() } else { num::NAN }
    }
}

/// Deviations below the mean at which to look for the 5th percentile: the first leaves some 8 % of most samples, the
/// second is for those that are mostly still.
const GUESSES: [f64; 2] = [1.3, 0.8];

/// The 5th percentile of `side(returns)`, and in no order the values up to its rank.
///
/// Only values below a guess are looked at if there are enough of them. The guess changes the time, never the result.
#[inline(always)]
fn lowest<'a>(
    returns: &[f64],
    side: impl Fn(f64) -> f64,
    (mean, width): (f64, f64),
    scratch: &'a mut Vec<f64>,
) -> (f64, &'a mut [f64]) {
    let rank = (returns.len() - 1) as f64 * TAIL;
    let below = rank as usize;
    let next = (below + 1).min(returns.len() - 1);
    if scratch.len() < returns.len() {
        scratch.resize(returns.len(), 0.0);
    }
    let mut found = 0;
    for guess in GUESSES.map(|deviations| mean - deviations * width) {
        found = 0;
        for &r in returns {
            let value = side(r);
            scratch[found] = value;
            found += usize::from(value < guess);
        }
        if found > next {
            break;
        }
    }
    if found <= next {
        for (slot, &r) in scratch.iter_mut().zip(returns) {
            *slot = side(r);
        }
        found = returns.len();
    }
    let (lower, &mut upper, _) = scratch[..found].select_nth_unstable_by(next, f64::total_cmp);
    // The rank before is the largest of what lies below; a single return is all there is.
    let largest = lower.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    let quantile = largest + (upper - largest) * (rank - below as f64);
    (quantile, &mut scratch[..=below])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tails(returns: &[f64]) -> Tails {
        Tails::of(returns, &Returns::of(returns, 0.0), &mut Vec::new())
    }

    #[test]
    fn percentiles_interpolate_between_ranks() {
        // numpy.percentile([0.01, -0.02], [5, 95]) = [-0.0185, 0.0085].
        let t = tails(&[0.01, -0.02]);
        assert!((t.low - -0.0185).abs() < 1e-15 && (t.high - 0.0085).abs() < 1e-15);
        assert_eq!(t.low_mean, -0.02);
        // 0..=100 in any order: p5 = 5, p95 = 95, and the lowest 6 values average 2.5.
        let values: Vec<f64> = (0..=100).map(|k| f64::from(k * 37 % 101)).collect();
        let t = tails(&values);
        assert_eq!((t.low, t.high, t.low_mean), (5.0, 95.0, 2.5));
    }

    #[test]
    fn one_return_is_its_own_percentile() {
        let t = tails(&[0.0123]);
        assert_eq!((t.low, t.high, t.low_mean, t.ratio()), (0.0123, 0.0123, 0.0123, 1.0));
    }

    #[test]
    fn the_guess_does_not_change_the_result() {
        let values: Vec<f64> = (0..500).map(|k| f64::from(k * k * 7919 % 1009) / 1009.0 - 0.5).collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = 499.0 * TAIL;
        let expected = sorted[24] + (sorted[25] - sorted[24]) * (rank - 24.0);
        for guess in [f64::NEG_INFINITY, -0.45, -0.4, 0.0, f64::INFINITY, f64::NAN] {
            assert_eq!(lowest(&values, |r| r, (guess, 0.0), &mut Vec::new()).0, expected, "guess {guess}");
        }
    }

    #[test]
    fn mostly_cash_has_no_tail_ratio() {
        let mut returns = vec![0.0; 100];
        returns[3] = -0.02;
        returns[7] = 0.03;
        assert!(tails(&returns).ratio().is_nan());
        assert!(tails(&[]).low.is_nan());
    }
}
