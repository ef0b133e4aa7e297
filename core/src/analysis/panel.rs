//! Returns of many trials side by side, and what a resampling test asks of them.
//!
//! Given columns of equal length, eight trials lie together, so that a loop over rows reads memory in order. It never knows
//! which hypothesis is tested.

use crate::error::{Error, Result};
use crate::num;
use crate::simd::LANES;

/// Values of many columns over the same rows, in tiles of eight columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    rows: usize,
    columns: usize,
    /// Tile after tile, in it row after row; places without a column are NaN.
    tiles: Vec<[f64; LANES]>,
    /// How much each row weighs; together 1.
    shares: Vec<f64>,
}

impl Panel {
    /// A panel of columns. Where a row stands for several sessions, `lengths` says for how many, and values are means over
    /// them; without it all weigh the same.
    ///
    /// # Errors
    /// No rows, columns of different lengths, a value that is not finite, a wrong number of lengths.
    pub fn new<C: AsRef<[f64]>>(columns: &[C], lengths: Option<&[f64]>) -> Result<Panel> {
        let rows = columns.first().map_or(0, |column| column.as_ref().len());
        if rows == 0 {
            return Err(Error::data("a test of returns needs at least one trial with one return, found none"));
        }
        let mut tiles = vec![[num::NAN; LANES]; rows * columns.len().div_ceil(LANES)];
        for (place, column) in columns.iter().map(AsRef::as_ref).enumerate() {
            if column.len() != rows || !column.iter().all(|x| x.is_finite()) {
                let message = format!("trial {place} of a test has not {rows} finite returns as the first one");
                return Err(Error::data(message));
            }
            let tile = &mut tiles[place / LANES * rows..][..rows];
            for (row, &value) in tile.iter_mut().zip(column) {
                row[place % LANES] = value;
            }
        }
        let even = vec![1.0; rows];
        let lengths = lengths.unwrap_or(&even);
        let whole: f64 = lengths.iter().sum();
        if lengths.len() != rows || !lengths.iter().all(|&length| length > 0.0) || !whole.is_finite() {
            return Err(Error::data(format!("{rows} rows need {rows} positive lengths, found {}", lengths.len())));
        }
        let shares = lengths.iter().map(|length| length / whole).collect();
        Ok(Panel { rows, columns: columns.len(), tiles, shares })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Weights of the rows; together 1.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// All tiles, one after the other.
    pub(super) fn all_tiles(&self) -> &[[f64; LANES]] {
        &self.tiles
    }

    /// The rows of eight columns, tile after tile.
    pub(super) fn tiles(&self) -> impl ExactSizeIterator<Item = &[[f64; LANES]]> {
        self.tiles.chunks_exact(self.rows)
    }

    /// Mean of each column, weighted.
    pub fn means(&self) -> Vec<f64> {
        let mut means = Vec::with_capacity(self.columns + LANES);
        for tile in self.tiles() {
            let mut sums = [0.0; LANES];
            for (row, share) in tile.iter().zip(&self.shares) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value * share;
                }
            }
            means.extend(sums);
        }
        means.truncate(self.columns);
        means
    }

    /// Long-run variance of each column as the stationary bootstrap with blocks of `block` rows sees it:
    /// `g0 + 2 Σ k_i g_i`, `k_i = (1 − i/T)(1 − p)^i + (i/T)(1 − p)^(T − i)`, `p = 1/block` (Politis and Romano 1994).
    pub fn long_run_variances(&self, block: f64) -> Vec<f64> {
        let (n, keep) = (self.rows as f64, 1.0 - 1.0 / block.max(1.0));
        // Lags whose weight is below rounding change nothing.
        let kernel: Vec<(usize, f64)> = (1..self.rows)
            .map(|lag| {
                let share = lag as f64 / n;
                let weight = (1.0 - share) * num::pow(keep, lag as f64) + share * num::pow(keep, n - lag as f64);
                (lag, weight)
            })
            .filter(|(_, weight)| *weight > 1e-18)
            .collect();
        let means = self.means();
        let mut variances = Vec::with_capacity(self.columns + LANES);
        let mut apart = vec![[0.0; LANES]; self.rows];
        for (tile, means) in self.tiles().zip(means.chunks(LANES)) {
            let mut center = [0.0; LANES];
            center[..means.len()].copy_from_slice(means);
            for (apart, row) in apart.iter_mut().zip(tile) {
                *apart = std::array::from_fn(|lane| row[lane] - center[lane]);
            }
            let mut variance = dot(&apart, &apart).map(|sum| sum / n);
            for &(lag, weight) in &kernel {
                let covariance = dot(&apart[..self.rows - lag], &apart[lag..]);
                for (variance, covariance) in variance.iter_mut().zip(covariance) {
                    *variance += 2.0 * weight * covariance / n;
                }
            }
            variances.extend(variance);
        }
        variances.truncate(self.columns);
        variances
    }
}

/// Lane by lane the sum of products.
fn dot(a: &[[f64; LANES]], b: &[[f64; LANES]]) -> [f64; LANES] {
    crate::simd::widest(
        #[inline(always)]
        || {
            let mut sums = [0.0; LANES];
            for (a, b) in a.iter().zip(b) {
                for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                    *sum += a * b;
                }
            }
            sums
        },
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn means_and_variances_are_those_of_each_column() {
        let columns: Vec<Vec<f64>> = (0..11).map(|c| (0..9).map(|r| f64::from(c * 3 + r * r % 7)).collect()).collect();
        let panel = Panel::new(&columns, None).unwrap();
        let (means, variances) = (panel.means(), panel.long_run_variances(1.0));
        assert_eq!((means.len(), variances.len()), (11, 11));
        for (column, (mean, variance)) in columns.iter().zip(means.iter().zip(variances)) {
            let expected = column.iter().sum::<f64>() / 9.0;
            let spread = column.iter().map(|x| (x - expected) * (x - expected)).sum::<f64>() / 9.0;
            // Blocks of one row have no covariances.
            assert!((mean - expected).abs() < 1e-12 && (variance - spread).abs() < 1e-12);
        }
    }

    #[test]
    fn rows_weigh_as_long_as_they_are() {
        let panel = Panel::new(&[[1.0, 4.0]], Some(&[2.0, 1.0])).unwrap();
        assert!((panel.means()[0] - 2.0).abs() < 1e-15);
        for (columns, lengths) in [(vec![vec![]], None), (vec![vec![1.0], vec![1.0, 2.0]], None)] {
            assert!(Panel::new(&columns, lengths).is_err());
        }
        assert!(Panel::new(&[[f64::NAN]], None).is_err());
        assert!(Panel::new(&[[1.0]], Some(&[0.0])).is_err() && Panel::new(&[[1.0]], Some(&[1.0, 1.0])).is_err());
    }
}
