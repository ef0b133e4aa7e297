//! Quantiles of the returns: value at risk, its conditional mean, and the ratio of the tails.
//!
//! Quantiles are linear between order statistics, at rank `q (n − 1)`, as numpy's default (Hyndman and Fan's type 7).

use super::{NOISE, Returns, extremes, striped};
use crate::num;
use crate::simd::{Eight, LANES};

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
    /// Quantiles of returns with these moments; `lows` and `highs` are memory.
    #[inline(always)]
    pub(super) fn of<E: Eight>(returns: &[f64], moments: &Returns, lows: &mut Vec<f64>, highs: &mut Vec<f64>) -> Self {
        if returns.is_empty() {
            return Tails { low: num::NAN, high: num::NAN, low_mean: num::NAN };
        }
        let (mean, width) = (moments.mean, if moments.deviation > 0.0 { moments.deviation } else { 0.0 });
        let rank = (returns.len() - 1) as f64 * TAIL;
        let count = rank as usize + 1;
        beyond::<E>(returns, mean - GUESSES[0] * width, mean + GUESSES[0] * width, lows, highs);
        if lows.len().min(highs.len()) < (count + 1).min(returns.len()) {
            widen::<E>(returns, mean, width, count, [&mut *lows, &mut *highs]);
        }
        // The 95th percentile is the 5th of the mirrored returns.
        let (low, high) = (neighbours::<E>(lows, count), neighbours::<E>(highs, count));
        Tails { low: low.between(rank), high: -high.between(rank), low_mean: low.mean::<E>(returns) }
    }

    /// `|p95| / |p5|`; NaN when the low percentile is zero (a strategy that is mostly in cash).
    pub fn ratio(&self) -> f64 {
        if self.low.abs() > NOISE { self.high.abs() / self.low.abs() } else { num::NAN }
    }
}

/// Deviations from the mean beyond which to look for a percentile: the first leaves some 8 % of most samples, the second is
/// for those that are mostly still. A guess changes the time, never the result.
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

    /// Mean of the lowest `count` returns: the sum of those below `at`, and the rest, which equal it.
    #[inline(always)]
    fn mean<E: Eight>(self, returns: &[f64]) -> f64 {
        let (at, one) = (E::splat(self.at), E::splat(1.0));
        let [sum, below] = striped::sums::<E, 2>(
            returns,
            #[inline(always)]
            |r| {
                let counts = r.lt(at);
                [E::select(counts, r, E::zero()), E::select(counts, one, E::zero())]
            },
        );
        (sum + (self.count as f64 - below) * self.at) / self.count as f64
    }
}

/// The returns below `low`, and the mirror images of those above `high`, in the order of time.
#[inline(always)]
fn beyond<E: Eight>(returns: &[f64], low: f64, high: f64, lows: &mut Vec<f64>, highs: &mut Vec<f64>) {
    // A vector too much: what is written behind the last one is written over, or cut off.
    lows.resize(returns.len() + LANES, 0.0);
    highs.resize(returns.len() + LANES, 0.0);
    let (mut low_count, mut high_count) = (0, 0);
    let (below, above, minus) = (E::splat(low), E::splat(high), E::splat(-1.0));
    let (vectors, rest) = returns.as_chunks::<LANES>();
    for values in vectors {
        let values = E::load(values);
        if let Some(to) = lows[low_count..].first_chunk_mut() {
            low_count += values.compress(values.lt(below), to);
        }
        if let Some(to) = highs[high_count..].first_chunk_mut() {
            high_count += values.mul(minus).compress(above.lt(values), to);
        }
    }
    for &r in rest {
        if r < low {
            (lows[low_count], low_count) = (r, low_count + 1);
        }
        if r > high {
            (highs[high_count], high_count) = (-r, high_count + 1);
        }
    }
    lows.truncate(low_count);
    highs.truncate(high_count);
}

/// Looks again where the first guess left too few: beyond the second, else at all returns.
#[inline(always)]
fn widen<E: Eight>(returns: &[f64], mean: f64, width: f64, count: usize, [lows, highs]: [&mut Vec<f64>; 2]) {
    let guess = GUESSES[1] * width;
    beyond::<E>(returns, mean - guess, mean + guess, lows, highs);
    let enough = (count + 1).min(returns.len());
    if lows.len() < enough {
        lows.clear();
        lows.extend_from_slice(returns);
    }
    if highs.len() < enough {
        highs.clear();
        highs.extend(returns.iter().map(|r| -r));
    }
}

/// The `count`-th lowest of `values` and the one after it: a few counts over all values, several at once, take less time
/// than moving them. `values` is filled up to whole vectors.
#[inline(always)]
fn neighbours<E: Eight>(values: &mut Vec<f64>, count: usize) -> Neighbours {
    let len = values.len();
    // What fills it up lies behind every value.
    values.resize(len.next_multiple_of(LANES), f64::INFINITY);
    let (vectors, _) = values.as_chunks::<LANES>();
    let (mut low, mut high) =
        (extremes::lowest(least::<E>(vectors)), greatest_below::<E>(vectors, f64::INFINITY, true));
    // `high` always has at least `count` values up to it; nothing below `low` is looked for.
    let (mut up_to_low, mut up_to_high) = (0, len);
    let mut halve = false;
    let at = loop {
        // Where the rank would lie if values were spread evenly, and every other time the middle, lest that creeps.
        let part = if halve { 0.5 } else { (count - up_to_low) as f64 / (up_to_high - up_to_low) as f64 };
        halve = !halve;
        let mut middle = low + (high - low) * part;
        if !(middle > low && middle < high) {
            middle = low + (high - low) * 0.5;
            if !(middle > low && middle < high) {
                // No number lies between: it is one of the two.
                break if E::count_up_to(vectors, low) >= count { low } else { high };
            }
        }
        let found = E::count_up_to(vectors, middle);
        if found == count {
            break greatest_below::<E>(vectors, middle, false);
        }
        if found > count { (high, up_to_high) = (middle, found) } else { (low, up_to_low) = (middle, found) }
    };
    let next = if E::count_up_to(vectors, at) > count { at } else { least_above::<E>(vectors, at) };
    Neighbours { count, at, next: if next.is_finite() { next } else { at } }
}

#[inline(always)]
fn least<E: Eight>(vectors: &[[f64; LANES]]) -> [f64; LANES] {
    let mut least = E::splat(f64::INFINITY);
    for vector in vectors {
        least = E::load(vector).min(least);
    }
    least.array()
}

/// The greatest value up to `most`, or `below` it.
#[inline(always)]
fn greatest_below<E: Eight>(vectors: &[[f64; LANES]], most: f64, below: bool) -> f64 {
    let (bound, none) = (E::splat(most), E::splat(f64::NEG_INFINITY));
    let mut greatest = none;
    for vector in vectors {
        let value = E::load(vector);
        let counts = if below { value.lt(bound) } else { value.le(bound) };
        greatest = E::select(counts, value, none).max(greatest);
    }
    extremes::highest(greatest.array())
}

/// The least value above `bound`; infinite without one.
#[inline(always)]
fn least_above<E: Eight>(vectors: &[[f64; LANES]], bound: f64) -> f64 {
    let (bound, none) = (E::splat(bound), E::splat(f64::INFINITY));
    let mut least = none;
    for vector in vectors {
        let value = E::load(vector);
        least = E::select(bound.lt(value), value, none).min(least);
    }
    extremes::lowest(least.array())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Plain;

    fn tails(returns: &[f64]) -> Tails {
        Tails::of::<Plain>(
            returns,
            &Returns::of::<Plain>(returns, returns.iter().sum(), 0.0, None),
            &mut Vec::new(),
            &mut Vec::new(),
        )
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
                let (mut lows, mut highs) = (Vec::new(), Vec::new());
                beyond::<Plain>(&values, guess, -guess, &mut lows, &mut highs);
                if lows.len() < 26 {
                    widen::<Plain>(&values, guess, 0.0, 25, [&mut lows, &mut highs]);
                }
                let found = neighbours::<Plain>(&mut lows, 25);
                assert_eq!((found.count, found.at, found.next), (25, sorted[24], sorted[25]), "{distinct}, {guess}");
                let low_mean = found.mean::<Plain>(&values);
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
