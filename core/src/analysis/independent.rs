//! How many independent trials a search is worth: neighbours in a grid are nearly the same trial.
//!
//! Given the returns of a sample of trials, this gives their correlations in two numbers, and from them a number of trials
//! for the deflated Sharpe ratio. It never knows where the trials lie in a space.

use serde::Serialize;

use super::Panel;
use crate::num;
use crate::simd::{self, Eight, LANES, Work};

/// Trials whose correlations are taken pair by pair for [`Independence::participation`].
const PAIRWISE: usize = 128;

/// Correlation of trials, and what it makes of their number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Independence {
    /// Mean correlation over all pairs of trials.
    pub average_correlation: f64,
    /// Number of independent trials by the mean correlation: `ρ + (1 − ρ) N`, the interpolation of Bailey and López de
    /// Prado, "The Deflated Sharpe Ratio", 2014, appendix 3. It is the larger one of the two where trials are alike, so the
    /// deflated Sharpe ratio uses it: it errs on the side of doubt.
    pub trials: f64,
    /// Number of independent trials as the participation ratio of the eigenvalues of their correlations,
    /// `(Σ λ)² / Σ λ² = N² / Σ ρ²`: how many directions the trials spread over. The squares are taken over at most 128
    /// trials, less what independent series of this length show by chance.
    pub participation: f64,
}

impl Independence {
    /// Of `count` trials, `sample` of which are given (all, or evenly drawn). Columns that do not vary are left out. With
    /// fewer than two that vary or four rows there is nothing to estimate: the trials count as independent.
    ///
    /// The mean of all correlations needs no pairs: with standardised columns it is `(Var(Σ z) − N) / (N (N − 1))`.
    pub fn of(sample: &Panel, count: u64) -> Independence {
        let n = count as f64;
        let standard = standardised(sample);
        let kept = standard.len() as f64;
        if standard.len() < 2 || sample.rows() < 4 {
            return Independence { average_correlation: num::NAN, trials: n, participation: n };
        }
        let rows = sample.rows();
        let mut sum = vec![0.0; rows];
        for column in &standard {
            sum.iter_mut().zip(column).for_each(|(sum, z)| *sum += z);
        }
        let variance = sum.iter().map(|z| z * z).sum::<f64>() / rows as f64;
        // Rounding may lead out of the range that a mean correlation can have.
        let average = ((variance - kept) / (kept * (kept - 1.0))).clamp(-1.0 / (kept - 1.0), 1.0);
        let squares = mean_square(&standard, rows);
        Independence {
            average_correlation: average,
            trials: (average + (1.0 - average) * n).clamp(1.0, n.max(1.0)),
            participation: (n / (1.0 + (n - 1.0) * squares)).clamp(1.0, n.max(1.0)),
        }
    }
}

/// Columns with mean 0 and variance 1, those without variance left out.
fn standardised(sample: &Panel) -> Vec<Vec<f64>> {
    let rows = sample.rows() as f64;
    let mut columns = Vec::with_capacity(sample.columns());
    for (number, tile) in sample.tiles().enumerate() {
        // Eight columns side by side, as they lie in memory.
        let (mut means, mut variances) = ([0.0; LANES], [0.0; LANES]);
        for row in tile {
            means.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        means.iter_mut().for_each(|mean| *mean /= rows);
        for row in tile {
            for lane in 0..LANES {
                let off = row[lane] - means[lane];
                variances[lane] += off * off;
            }
        }
        for lane in 0..LANES.min(sample.columns() - number * LANES) {
            let (mean, scale) = (means[lane], 1.0 / num::sqrt(variances[lane] / rows));
            if scale.is_finite() {
                columns.push(tile.iter().map(|row| (row[lane] - mean) * scale).collect());
            }
        }
    }
    columns
}

/// Mean of the squared correlations between different columns, less `1/(rows − 1)`, which independent ones show by chance.
fn mean_square(columns: &[Vec<f64>], rows: usize) -> f64 {
    let step = columns.len().div_ceil(PAIRWISE);
    let picked: Vec<&[f64]> = columns.iter().step_by(step).map(Vec::as_slice).collect();
    let [sum, pairs] = simd::run(Squares { columns: &picked, rows });
    let chance = 1.0 / (rows as f64 - 1.0);
    if pairs > 0.0 { ((sum / pairs - chance) / (1.0 - chance)).clamp(0.0, 1.0) } else { 0.0 }
}

/// Sum of the squared correlations of all pairs of standardised columns, and the number of pairs.
struct Squares<'a> {
    columns: &'a [&'a [f64]],
    rows: usize,
}

impl Work for Squares<'_> {
    type Output = [f64; 2];

    #[inline(always)]
    fn run<E: Eight>(self) -> [f64; 2] {
        let Squares { columns, rows } = self;
        let (mut sum, mut pairs) = (0.0, 0.0);
        let mut tile = vec![[0.0; LANES]; rows];
        for (number, eight) in columns.chunks(LANES).enumerate() {
            for (row, values) in tile.iter_mut().enumerate() {
                eight.iter().zip(values).for_each(|(column, value)| *value = column[row]);
            }
            // Each column with those before it; of a column's own tile some are behind it.
            for (place, column) in columns.iter().enumerate().skip(number * LANES + 1) {
                let mut products = E::zero();
                for (row, z) in tile.iter().zip(*column) {
                    products = products.add(E::load(row).mul(E::splat(*z)));
                }
                let before = (place - number * LANES).min(eight.len());
                for product in &products.array()[..before] {
                    let r = product / rows as f64;
                    (sum, pairs) = (sum + r * r, pairs + 1.0);
                }
            }
        }
        [sum, pairs]
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::rng::Stream;

    /// Columns that share a part of their variance.
    fn panel(columns: u32, shared: f64) -> Panel {
        let mut common = Stream::new(1, [0, 0]);
        let common: Vec<f64> = (0..400).map(|_| common.normal()).collect();
        let column = |k| -> Vec<f64> {
            let mut stream = Stream::new(1, [1, k]);
            let own = |c: &f64| num::sqrt(shared) * c + num::sqrt(1.0 - shared) * stream.normal();
            common.iter().map(own).collect()
        };
        Panel::new(&(0..columns).map(column).collect::<Vec<_>>(), None).unwrap()
    }

    #[test]
    fn independent_trials_count_in_full_and_equal_ones_as_one() {
        let free = Independence::of(&panel(100, 0.0), 100);
        assert!(free.average_correlation.abs() < 0.01 && free.trials > 99.0, "{free:?}");
        assert!(free.participation > 80.0, "{free:?}");
        let same = Independence::of(&panel(100, 1.0), 1_000_000);
        assert!(same.trials < 1.001 && same.participation < 1.001, "{same:?}");
        let half = Independence::of(&panel(100, 0.5), 100);
        assert!((half.average_correlation - 0.5).abs() < 0.05 && (half.trials - 50.0).abs() < 5.0, "{half:?}");
        assert!(half.participation < half.trials, "{half:?}");
    }

    #[test]
    fn nothing_to_estimate_from_counts_as_independent() {
        let still = Panel::new(&[[0.0; 9], [0.0; 9]], None).unwrap();
        let short = Panel::new(&[[0.1, 0.2], [0.3, 0.1]], None).unwrap();
        for panel in [still, short] {
            let found = Independence::of(&panel, 7);
            assert!(found.average_correlation.is_nan() && found.trials == 7.0 && found.participation == 7.0);
        }
    }

    #[test]
    fn opposite_trials_are_no_more_than_there_are() {
        let panel = Panel::new(&[[1.0, -1.0, 2.0, 0.5], [-1.0, 1.0, -2.0, -0.5]], None).unwrap();
        let found = Independence::of(&panel, 2);
        assert_eq!((found.average_correlation, found.trials), (-1.0, 2.0));
    }
}
