//! The stationary bootstrap: series drawn from a series in blocks of random length.
//!
//! Politis and Romano, "The Stationary Bootstrap", JASA 89, 1994: a draw goes on with the next row (the first follows the
//! last) with probability `1 − 1/block`, and else starts anew anywhere. Given a seed, this gives row numbers, and
//! intervals of a statistic. It never knows what the rows hold.

use super::normal;
use crate::num;
use crate::rng;

/// Name of the bootstrap's streams.
const STREAM: u32 = 0x626f_6f74;

/// Draws of rows, each a pure function of (seed, replication).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StationaryBootstrap {
    seed: u64,
    rows: u32,
    /// A draw whose 32 bits are below this starts a new block.
    start_below: u64,
}

impl StationaryBootstrap {
    /// Draws from `rows` rows with blocks of `block` rows on average (at least 1, the independent bootstrap).
    pub fn new(seed: u64, rows: u32, block: f64) -> StationaryBootstrap {
        let p = 1.0 / block.max(1.0);
        StationaryBootstrap { seed, rows, start_below: (p * 4_294_967_296.0) as u64 }
    }

    /// Calls `visit` with each of the rows of a replication, in order; not at all without rows.
    #[inline(always)]
    pub fn draw(&self, replication: u32, mut visit: impl FnMut(u32)) {
        self.draw_several([replication], |_, row| visit(row));
    }

    /// The same for several replications, draw by draw: none waits for the numbers of another. `visit` is also told which of
    /// them it is.
    #[inline(always)]
    pub fn draw_several<const N: usize>(&self, replications: [u32; N], mut visit: impl FnMut(usize, u32)) {
        if self.rows == 0 {
            return;
        }
        // A row takes at most two numbers, the first one takes one. No closure: it would not be compiled for the vectors at
        // hand.
        let mut numbers = [const { Vec::new() }; N];
        for (numbers, replication) in numbers.iter_mut().zip(replications) {
            *numbers = rng::numbers(self.seed, [STREAM, replication], 2 * self.rows as usize);
        }
        // Multiply-shift: with 32 bits its bias is below rows / 2³².
        let anywhere = |number: u32| ((u64::from(number) * u64::from(self.rows)) >> 32) as u32;
        let (mut rows, mut used) = ([0; N], [1; N]);
        for k in 0..N {
            rows[k] = anywhere(numbers[k][0]);
            visit(k, rows[k]);
        }
        for _ in 1..self.rows {
            for k in 0..N {
                let starts = u64::from(numbers[k][used[k]]) < self.start_below;
                let fresh = anywhere(numbers[k][used[k] + 1]);
                let next = if rows[k] + 1 == self.rows { 0 } else { rows[k] + 1 };
                // A choice by bits: a branch would be mispredicted every other time.
                rows[k] = next ^ ((next ^ fresh) & u32::from(starts).wrapping_neg());
                used[k] += 1 + usize::from(starts);
                visit(k, rows[k]);
            }
        }
    }
}

/// How an interval is read off the resampled statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Their quantiles.
    Percentile,
    /// Their quantiles mirrored at the statistic itself.
    Basic,
    /// Quantiles corrected for bias and skewness (Efron, "Better Bootstrap Confidence Intervals", JASA 82, 1987), the
    /// acceleration by the jackknife.
    BiasCorrected,
}

/// Bounds between which a statistic of `values` lies with probability `level`; NaN where there are no replications.
/// `resampled` are the statistic's values over bootstrapped series, sorted here.
pub fn interval(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> f64,
    resampled: &mut [f64],
    kind: Interval,
    level: f64,
) -> [f64; 2] {
    resampled.sort_unstable_by(f64::total_cmp);
    let tails = [(1.0 - level) / 2.0, (1.0 + level) / 2.0];
    match kind {
        Interval::Percentile => tails.map(|q| percentile(resampled, q)),
        Interval::Basic => {
            let center = statistic(values);
            [2.0 * center - percentile(resampled, tails[1]), 2.0 * center - percentile(resampled, tails[0])]
        }
        Interval::BiasCorrected => {
            let center = statistic(values);
            let below = resampled.iter().filter(|&&x| x < center).count() as f64 / resampled.len() as f64;
            let bias = normal::quantile(below);
            let acceleration = acceleration(values, statistic);
            tails.map(|q| {
                let z = bias + normal::quantile(q);
                percentile(resampled, normal::cdf(bias + z / (1.0 - acceleration * z)))
            })
        }
    }
}

/// A statistic over `replications` bootstrapped series.
pub fn resample(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> f64,
    bootstrap: &StationaryBootstrap,
    replications: u32,
) -> Vec<f64> {
    let mut drawn = Vec::with_capacity(values.len());
    let one = |replication| {
        drawn.clear();
        bootstrap.draw(replication, |row| drawn.extend(values.get(row as usize)));
        statistic(&drawn)
    };
    (0..replications).map(one).collect()
}

/// Acceleration from the statistics without each value in turn; 0 where these do not differ.
fn acceleration(values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> f64 {
    let mut rest = values.to_vec();
    let mut without = Vec::with_capacity(values.len());
    // The place of the last value holds the one left out, and the prefix before it all others.
    for k in 0..values.len() {
        rest.copy_from_slice(values);
        rest.copy_within(k + 1.., k);
        without.push(statistic(&rest[..values.len() - 1]));
    }
    let mean = without.iter().sum::<f64>() / without.len() as f64;
    let [mut two, mut three] = [0.0; 2];
    for x in without {
        let d = mean - x;
        (two, three) = (two + d * d, three + d * d * d);
    }
    if two > 0.0 { three / (6.0 * two * num::sqrt(two)) } else { 0.0 }
}

/// The quantile of ascending numbers, linear between the two nearest; NaN of none or for a NaN.
pub fn percentile(ascending: &[f64], q: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else { return num::NAN };
    if q.is_nan() {
        return num::NAN;
    }
    let place = q.clamp(0.0, 1.0) * last as f64;
    let low = place.floor();
    let (a, b) = (ascending[low as usize], ascending[(low as usize + 1).min(last)]);
    a + (b - a) * (place - low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn blocks_are_as_long_as_asked_and_every_row_is_drawn_alike() {
        let bootstrap = StationaryBootstrap::new(1, 50, 8.0);
        let (mut starts, mut draws, mut seen) = (0_u32, 0_u32, [0_u32; 50]);
        for replication in 0..2000 {
            let mut before = None;
            bootstrap.draw(replication, |row| {
                starts += u32::from(before.is_none_or(|before: u32| (before + 1) % 50 != row));
                (draws, before) = (draws + 1, Some(row));
                seen[row as usize] += 1;
            });
        }
        let block = f64::from(draws) / f64::from(starts);
        // The first draw of each series starts a block, and one new block in fifty goes on by chance.
        assert!((block - 1.0 / (0.02 + 0.98 * 0.125 * 0.98)).abs() < 0.15, "{block}");
        assert!(seen.iter().all(|&n| (1800..2200).contains(&n)), "{seen:?}");
    }

    #[test]
    fn a_replication_does_not_depend_on_others() {
        let bootstrap = StationaryBootstrap::new(9, 20, 3.0);
        let rows = |replication| {
            let mut rows = Vec::new();
            bootstrap.draw(replication, |row| rows.push(row));
            rows
        };
        assert_eq!(rows(7), rows(7));
        assert_ne!(rows(7), rows(8));
        StationaryBootstrap::new(9, 0, 3.0).draw(0, |_| unreachable!());
    }

    #[test]
    fn intervals_cover_the_mean_of_normal_numbers() {
        let mut stream = Stream::new(3, [0, 0]);
        let mut covered = [0; 3];
        let rounds = 200;
        for round in 0..rounds {
            let values: Vec<f64> = (0..60).map(|_| stream.normal()).collect();
            let bootstrap = StationaryBootstrap::new(round, 60, 1.0);
            let mut resampled = resample(&values, mean, &bootstrap, 300);
            for (k, kind) in [Interval::Percentile, Interval::Basic, Interval::BiasCorrected].into_iter().enumerate() {
                let [low, high] = interval(&values, mean, &mut resampled, kind, 0.9);
                covered[k] += u32::from(low <= 0.0 && 0.0 <= high);
            }
        }
        assert!(covered.iter().all(|&n| (165..=195).contains(&n)), "{covered:?} of {rounds} at 90 %");
    }

    #[test]
    fn percentiles_are_linear_and_null_of_nothing() {
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 1.0), 4.0);
        assert!(percentile(&[], 0.5).is_nan() && percentile(&[1.0], num::NAN).is_nan());
        assert!(interval(&[], mean, &mut [], Interval::Percentile, 0.9)[0].is_nan());
    }
}
