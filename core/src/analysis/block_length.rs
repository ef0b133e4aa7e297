//! How long the blocks of a bootstrap should be, from the series itself.
//!
//! Politis and White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econometric Reviews 23, 2004, with
//! the correction of Patton, Politis and White 2009. Given a series, this gives lengths in its rows.

use crate::metrics::striped;
use crate::num;
use crate::simd::{self, Eight, Work};

/// Best mean lengths of blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockLength {
    /// For the stationary bootstrap.
    pub stationary: f64,
    /// For the circular block bootstrap.
    pub circular: f64,
}

/// The lengths for a series, which may be below 1 where it is hardly dependent; 1 for fewer than nine values or no
/// deviation, where there is nothing to estimate from.
pub fn optimal_block_length(series: &[f64]) -> BlockLength {
    let n = series.len() as f64;
    let none = BlockLength { stationary: 1.0, circular: 1.0 };
    if series.len() < 9 {
        return none;
    }
    let longest = (3.0 * num::sqrt(n)).min(n / 3.0).ceil();
    let mean = series.iter().sum::<f64>() / n;
    let apart: Vec<f64> = series.iter().map(|x| x - mean).collect();
    let (covariances, band) = autocovariances(&apart);
    let (mut slope, mut spectrum) = (0.0, covariances[0]);
    for (k, covariance) in covariances.iter().enumerate().take(band + 1).skip(1) {
        // The flat-top window.
        let share = k as f64 / band as f64;
        let window = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        slope += 2.0 * window * k as f64 * covariance;
        spectrum += 2.0 * window * covariance;
    }
    let length = |factor: f64| {
        let ratio = 2.0 * slope * slope / (factor * spectrum * spectrum);
        num::pow(ratio * n, 1.0 / 3.0).min(longest)
    };
    let determined = slope.is_finite() && spectrum != 0.0;
    if determined { BlockLength { stationary: length(2.0), circular: length(4.0 / 3.0) } } else { none }
}

/// The bandwidth where a run of correlations is insignificant after this lag.
fn bandwidth(lag: usize) -> usize {
    2 * lag.max(1)
}

/// Covariances at each lag up to the bandwidth at least, and the bandwidth.
fn autocovariances(apart: &[f64]) -> (Vec<f64>, usize) {
    let n = apart.len();
    let run = (num::log10(n as f64) as usize).max(5);
    let most = (num::sqrt(n as f64).ceil() as usize + run).min(n - 2);
    let insignificant = 2.0 * num::sqrt(num::log10(n as f64) / n as f64);
    let (mut covariances, mut quiet, mut found) = (Vec::with_capacity(most + 1), 0, None);
    for lag in 0..=most {
        if quiet >= run && found.is_none() {
            found = Some(lag - run);
        }
        // Nobody asks for covariances beyond the bandwidth.
        if found.is_some_and(|found| lag > bandwidth(found)) {
            break;
        }
        let [cross, late, early] = simd::run(Products { apart, lag });
        covariances.push(cross / n as f64);
        let correlation = cross.abs() / num::sqrt(late * early);
        quiet = if correlation < insignificant { quiet + 1 } else { 0 };
    }
    (covariances, found.map_or(most, bandwidth).min(most))
}

#[inline(always)]
fn product<E: Eight>(a: E, b: E) -> [E; 1] {
    [a.mul(b)]
}

#[inline(always)]
fn square<E: Eight>(a: E) -> [E; 1] {
    [a.mul(a)]
}

/// A series times itself some rows earlier, and the energies of both.
struct Products<'a> {
    apart: &'a [f64],
    lag: usize,
}

impl Work for Products<'_> {
    type Output = [f64; 3];

    #[inline(always)]
    fn run<E: Eight>(self) -> [f64; 3] {
        let Products { apart, lag } = self;
        let n = apart.len();
        let [cross] = striped::sums2::<E, 1>(&apart[lag..], &apart[..n - lag], product);
        // The energies leave out one value more than the lag, as the widely used implementation has them.
        let [late] = striped::sums::<E, 1>(&apart[lag + 1..], square);
        let [early] = striped::sums::<E, 1>(&apart[..n - lag - 1], square);
        [cross, late, early]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn dependent_series_get_longer_blocks() {
        let mut stream = Stream::new(5, [0, 0]);
        let noise: Vec<f64> = (0..4000).map(|_| stream.normal()).collect();
        let mut level = 0.0;
        let momentum: Vec<f64> = noise
            .iter()
            .map(|x| {
                level = 0.8 * level + x;
                level
            })
            .collect();
        let (short, long) = (optimal_block_length(&noise), optimal_block_length(&momentum));
        assert!(short.stationary < 10.0 && long.stationary > 20.0, "{short:?} {long:?}");
        // The two differ by the cube root of 3/2 where no bound is met.
        assert!((long.circular / long.stationary - num::pow(1.5, 1.0 / 3.0)).abs() < 1e-12);
    }

    #[test]
    fn nothing_to_estimate_from_gives_single_rows() {
        for series in [&[][..], &[1.0; 8], &[1.0; 100], &[f64::NAN; 100]] {
            assert_eq!(optimal_block_length(series).stationary, 1.0);
        }
    }
}
