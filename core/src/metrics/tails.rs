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
    #[inline(always)]
    pub(super) fn of(returns: &[f64], moments: &Returns, scratch: &mut Vec<f64>) -> Self {
        if returns.is_empty() {
            return Tails { low: num::NAN, high: num::NAN, low_mean: num::NAN };
        }
        let width = if moments.deviation > 0.0 { moments.deviation } else { 0.0 };
        let rank = (returns.len() - 1) as f64 * TAIL;
        let low = lowest(returns, |r| r, (moments.mean, width), scratch);
        let low_mean = low.mean(scratch);
        // The 95th percentile is the 5th of the mirrored returns.
        let high = lowest(returns, |r| -r, (-moments.mean, width), scratch);
        Tails { low: low.between(rank), high: -high.between(rank), low_mean }
    }

    /// `|p95| / |p5|`; NaN when the low percentile is zero (a strategy that is mostly in cash).
    pub fn ratio(&self) -> f64 {
        if self.low.abs() > NOISE { self.high.abs() / self.low.abs() } else { num::NAN }
    }
}

/// Deviations below the mean at which to look for the 5th percentile: the first leaves some 8 % of most samples, the
/// second is for those that are mostly still.
const GUESSES: [f64; 2] = [1.3, 0.8];

/// Two neighbouring order statistics.
#[derive(Clone, Copy, Debug)]
struct Neighbours {
    /// Number of values up to `at`, by rank.
    count: usize,
    /// The value at rank `count − 1`.
    at: f64,
    /// The value at the next rank; `at` if there is none.
    next: f64,
}

impl Neighbours {
    /// The quantile at a rank that lies between the two.
    fn between(self, rank: f64) -> f64 {
        self.at + (self.next - self.at) * (rank - (self.count - 1) as f64)
    }

    /// Mean of the lowest `count` values: the sum of those below `at`, in the order of time in eight stripes, and the
    /// rest, which equal it. `values` holds them all, and loses the others.
    #[inline(always)]
    fn mean(self, values: &mut Vec<f64>) -> f64 {
        values.retain(|&value| value < self.at);
        let [sum] = striped::sums(values, |x| [x]);
        (sum + (self.count - values.len()) as f64 * self.at) / self.count as f64
    }
}

/// The order statistics around the 5th percentile of `side(returns)`; leaves in `scratch`, in the order of time, at
/// least the values up to them.
///
/// Only values below a guess are looked at if there are enough of them. The guess changes the time, never the result.
#[inline(always)]
fn lowest(returns: &[f64], side: impl Fn(f64) -> f64, (mean, width): (f64, f64), scratch: &mut Vec<f64>) -> Neighbours {
    let count = ((returns.len() - 1) as f64 * TAIL) as usize + 1;
    let enough = (count + 1).min(returns.len());
    for deviations in GUESSES {
        below(returns, &side, mean - deviations * width, scratch);
        if scratch.len() >= enough {
            return neighbours(scratch, count);
        }
    }
    scratch.clear();
    scratch.extend(returns.iter().map(|&r| side(r)));
    neighbours(scratch, count)
}

/// The values of `side(returns)` below a guess, in their order.
#[inline(always)]
fn below(returns: &[f64], side: impl Fn(f64) -> f64, guess: f64, found: &mut Vec<f64>) {
    found.clear();
    let (blocks, rest) = returns.as_chunks::<64>();
    for block in blocks {
        // One bit a value, without a branch: only the few that are set cost more than a comparison.
        let mut bits = 0u64;
        for (k, &r) in block.iter().enumerate() {
            bits |= u64::from(side(r) < guess) << k;
        }
        while bits != 0 {
            found.push(side(block[bits.trailing_zeros() as usize]));
            bits &= bits - 1;
        }
    }
    for &r in rest {
        if side(r) < guess {
            found.push(side(r));
        }
    }
}

/// The `count`-th lowest of `values` and the one after it, by bisection: a few counts over all values, several at once,
/// take less time than moving them.
#[inline(always)]
fn neighbours(values: &[f64], count: usize) -> Neighbours {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &value in values {
        low = if value < low { value } else { low };
        high = if value > high { value } else { high };
    }
    // `high` always has at least `count` values up to it, and nothing below `low` is looked for.
    let at = loop {
        let middle = low + (high - low) * 0.5;
        if !(middle > low && middle < high) {
            // No number lies between: it is one of the two.
            break if up_to(values, low) >= count { low } else { high };
        }
        let found = up_to(values, middle);
        if found == count {
            break extreme(values, |value| value <= middle, f64::NEG_INFINITY, |a, b| a > b);
        }
        if found > count { high = middle } else { low = middle }
    };
    let next =
        if up_to(values, at) > count { at } else { extreme(values, |value| value > at, f64::INFINITY, |a, b| a < b) };
    Neighbours { count, at, next: if next.is_finite() { next } else { at } }
}

#[inline(always)]
fn up_to(values: &[f64], most: f64) -> usize {
    values.iter().fold(0u64, |found, &value| found + u64::from(value <= most)) as usize
}

/// The value that comes `first` among those that `count`; `none` without any.
#[inline(always)]
fn extreme(values: &[f64], counts: impl Fn(f64) -> bool, none: f64, first: impl Fn(f64, f64) -> bool) -> f64 {
    values.iter().fold(none, |best, &value| if counts(value) & first(value, best) { value } else { best })
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
        // Few distinct values, so that ties lie at the quantile too.
        for distinct in [1009, 37, 5, 1] {
            let values: Vec<f64> =
                (0..500).map(|k| f64::from(k * k * 7919 % distinct) / f64::from(distinct) - 0.5).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let mean = sorted[..25].iter().sum::<f64>() / 25.0;
            let mut bits = Vec::new();
            for guess in [f64::NEG_INFINITY, -0.45, -0.4, 0.0, f64::INFINITY, f64::NAN] {
                let mut scratch = Vec::new();
                let found = lowest(&values, |r| r, (guess, 0.0), &mut scratch);
                assert_eq!((found.count, found.at, found.next), (25, sorted[24], sorted[25]), "{distinct}, {guess}");
                let low_mean = found.mean(&mut scratch);
                assert!((low_mean - mean).abs() < 1e-15, "{distinct}, {guess}: {low_mean} {mean}");
                bits.push(low_mean.to_bits());
            }
            assert!(bits.iter().all(|&b| b == bits[0]), "{bits:?}");
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
