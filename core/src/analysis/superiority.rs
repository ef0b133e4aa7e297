//! Whether any of many trials beats a benchmark, all of them having been tried.
//!
//! White, "A Reality Check for Data Snooping", Econometrica 68, 2000; Hansen, "A Test for Superior Predictive Ability",
//! Journal of Business & Economic Statistics 23, 2005; Romano and Wolf, "Stepwise Multiple Testing as Formalized Data
//! Snooping", Econometrica 73, 2005. Given a panel of differences to a benchmark, positive where a trial is better, this gives
//! p-values: small ones say that the best trial's mean is more than the luck of the best.

use serde::Serialize;

use super::{Alone, Hands, Panel, StationaryBootstrap, percentile};
use crate::num;
use crate::simd::{self, Eight, LANES, Work};

/// Replications whose means are summed at once: their weights and a tile of eight trials stay in the nearest cache.
const AT_ONCE: usize = 4;

/// Fewest replications that a thread takes at a time.
const FEWEST: usize = 32;

/// Three p-values by what is assumed of trials that look bad.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PValues {
    /// Trials below the benchmark are taken to be no better than it: the lower bound.
    pub lower: f64,
    /// Those clearly below it are left out of the comparison: consistent.
    pub consistent: f64,
    /// All are taken to be as good as the benchmark: the upper bound; of plain means this is White's reality check.
    pub upper: f64,
}

/// What the tests say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Superiority {
    /// Largest mean difference, per row.
    pub largest_mean: f64,
    /// Largest mean in units of its own deviation, `√T mean / ω` (Hansen's statistic before it is cut at zero).
    pub largest_ratio: f64,
    /// By plain means.
    pub raw: PValues,
    /// By means in units of their deviation.
    pub studentized: PValues,
    /// Replications.
    pub replications: u32,
    /// Mean length of the bootstrap's blocks, in rows.
    pub block: f64,
}

/// How often each row is drawn, for each replication.
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    rows: usize,
    /// Replication after replication, how often each row was drawn.
    counts: Vec<f64>,
}

impl Draws {
    /// `replications` of a bootstrap over so many rows.
    pub fn of(bootstrap: &StationaryBootstrap, rows: usize, replications: u32) -> Draws {
        let mut counts = vec![0.0; rows * replications as usize];
        for (replication, counts) in (0..replications).zip(counts.chunks_exact_mut(rows.max(1))) {
            bootstrap.draw(replication, |row| {
                if let Some(count) = counts.get_mut(row as usize) {
                    *count += 1.0;
                }
            });
        }
        Draws { rows, counts }
    }

    /// Replications from given row numbers; numbers beyond the rows are left out.
    pub fn given<'a>(rows: usize, replications: impl IntoIterator<Item = &'a [u32]>) -> Draws {
        let mut counts = Vec::new();
        for drawn in replications {
            let from = counts.len();
            counts.resize(from + rows, 0.0);
            for row in drawn {
                if let Some(count) = counts[from..].get_mut(*row as usize) {
                    *count += 1.0;
                }
            }
        }
        Draws { rows, counts }
    }

    /// Number of replications.
    pub fn replications(&self) -> usize {
        self.counts.len().checked_div(self.rows).unwrap_or(0)
    }

    /// Weights of the rows in each replication, together 1, where rows weigh `shares` by themselves.
    fn weights(&self, shares: &[f64]) -> Vec<f64> {
        let mut weights = Vec::with_capacity(self.counts.len());
        for counts in self.counts.chunks_exact(self.rows.max(1)) {
            let whole: f64 = counts.iter().zip(shares).map(|(count, share)| count * share).sum();
            weights.extend(counts.iter().zip(shares).map(|(count, share)| count * share / whole));
        }
        weights
    }
}

/// What is subtracted from each column's resampled mean, and what the rest is multiplied by. A NaN leaves a column out.
struct Statistic {
    center: Vec<[f64; LANES]>,
    scale: Vec<[f64; LANES]>,
}

impl Statistic {
    fn new(center: impl Iterator<Item = f64>, scale: impl Iterator<Item = f64>) -> Statistic {
        let tiles = |values: Vec<f64>| {
            let mut tiles = vec![[num::NAN; LANES]; values.len().div_ceil(LANES)];
            for (place, value) in values.into_iter().enumerate() {
                tiles[place / LANES][place % LANES] = value;
            }
            tiles
        };
        Statistic { center: tiles(center.collect()), scale: tiles(scale.collect()) }
    }
}

/// Replication by replication the largest value of each statistic over columns.
struct Maxima<'a> {
    panel: &'a Panel,
    weights: &'a [f64],
    statistics: &'a [Statistic],
}

impl Work for Maxima<'_> {
    type Output = Vec<Vec<f64>>;

    #[inline(always)]
    fn run<E: Eight>(self) -> Vec<Vec<f64>> {
        let rows = self.panel.rows();
        let mut maxima = Vec::with_capacity(self.weights.len() / rows);
        let mut largest = vec![[E::zero(); AT_ONCE]; self.statistics.len()];
        for group in self.weights.chunks(rows * AT_ONCE) {
            // A group that is not full repeats its first replication, and what that gives is not kept.
            let count = group.len() / rows;
            let weights: [&[f64]; AT_ONCE] =
                std::array::from_fn(|k| &group[if k < count { k * rows } else { 0 }..][..rows]);
            largest.fill([E::splat(f64::NEG_INFINITY); AT_ONCE]);
            for (number, tile) in self.panel.tiles().enumerate() {
                let means = means::<E>(tile, weights);
                for (largest, statistic) in largest.iter_mut().zip(self.statistics) {
                    let center = E::load(&statistic.center[number]);
                    let scale = E::load(&statistic.scale[number]);
                    for (largest, mean) in largest.iter_mut().zip(means) {
                        *largest = mean.sub(center).mul(scale).max(*largest);
                    }
                }
            }
            let across = |lanes: E| lanes.array().into_iter().fold(f64::NEG_INFINITY, f64::max);
            maxima.extend((0..count).map(|k| largest.iter().map(|largest| across(largest[k])).collect::<Vec<f64>>()));
        }
        maxima
    }
}

/// For each replication the largest value of each statistic.
fn maxima(panel: &Panel, weights: &[f64], statistics: &[Statistic], hands: &mut impl Hands) -> Vec<Vec<f64>> {
    let rows = panel.rows().max(1);
    hands.map(weights.len() / rows, FEWEST, |replications| {
        let weights = &weights[replications.start * rows..replications.end * rows];
        simd::run(Maxima { panel, weights, statistics })
    })
}

/// Weighted means of eight columns in each of the replications.
#[inline(always)]
fn means<E: Eight>(tile: &[[f64; LANES]], weights: [&[f64]; AT_ONCE]) -> [E; AT_ONCE] {
    let [w0, w1, w2, w3] = weights;
    let [mut s0, mut s1, mut s2, mut s3] = [E::zero(); AT_ONCE];
    for ((((row, w0), w1), w2), w3) in tile.iter().zip(w0).zip(w1).zip(w2).zip(w3) {
        let row = E::load(row);
        s0 = s0.add(row.mul(E::splat(*w0)));
        s1 = s1.add(row.mul(E::splat(*w1)));
        s2 = s2.add(row.mul(E::splat(*w2)));
        s3 = s3.add(row.mul(E::splat(*w3)));
    }
    [s0, s1, s2, s3]
}

/// What each column is compared with and by.
struct Columns {
    means: Vec<f64>,
    /// `√T / ω`; NaN for a column without variance, which has no ratio.
    scales: Vec<f64>,
    /// Hansen's threshold below which a mean is clearly bad.
    thresholds: Vec<f64>,
}

impl Columns {
    fn of(panel: &Panel, block: f64) -> Columns {
        let n = panel.rows() as f64;
        let variances = panel.long_run_variances(block);
        // The iterated logarithm is negative below e rows, where nothing is clearly bad.
        let iterated = 2.0 * num::ln(num::ln(n).max(1.0));
        let scale = |&v: &f64| if v > 0.0 { num::sqrt(n) / num::sqrt(v) } else { num::NAN };
        let threshold = |&v: &f64| -num::sqrt(v.max(0.0) / n * iterated);
        Columns {
            means: panel.means(),
            scales: variances.iter().map(scale).collect(),
            thresholds: variances.iter().map(threshold).collect(),
        }
    }

    /// Means as each of the three assumptions takes them, lower first.
    fn centers(&self, assumption: usize) -> impl Iterator<Item = f64> {
        self.means.iter().zip(&self.thresholds).map(move |(&mean, &threshold)| match assumption {
            0 => mean.max(0.0),
            1 if mean < threshold => 0.0,
            _ => mean,
        })
    }
}

/// White's and Hansen's tests of whether any column's mean is above zero, with given draws from blocks of `block` rows.
pub fn superiority(panel: &Panel, draws: &Draws, block: f64, hands: &mut impl Hands) -> Superiority {
    let columns = Columns::of(panel, block);
    let plain = || std::iter::repeat_n(1.0, panel.columns());
    let mut statistics = Vec::with_capacity(6);
    for assumption in 0..3 {
        statistics.push(Statistic::new(columns.centers(assumption), plain()));
        statistics.push(Statistic::new(columns.centers(assumption), columns.scales.iter().copied()));
    }
    let weights = draws.weights(panel.shares());
    let maxima = maxima(panel, &weights, &statistics, hands);
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NEG_INFINITY, f64::max);
    let mean = largest(&mut columns.means.iter().copied());
    let ratio = largest(&mut columns.means.iter().zip(&columns.scales).map(|(mean, scale)| mean * scale));
    let share = |statistic: usize, observed: f64| {
        let above = maxima.iter().filter(|maxima| maxima[statistic] > observed).count();
        num::canonical(above as f64 / maxima.len() as f64)
    };
    let p = |from: usize, observed: f64| PValues {
        lower: share(from, observed),
        consistent: share(from + 2, observed),
        upper: share(from + 4, observed),
    };
    let finite = |x: f64| if x.is_finite() { x } else { num::NAN };
    Superiority {
        largest_mean: mean,
        largest_ratio: finite(ratio),
        raw: p(0, mean),
        studentized: if ratio.is_finite() { p(1, ratio) } else { PValues::NONE },
        replications: draws.replications() as u32,
        block,
    }
}

impl PValues {
    /// Nothing can be said.
    const NONE: PValues = PValues { lower: num::NAN, consistent: num::NAN, upper: num::NAN };
}

/// Columns whose means are above zero, by Romano and Wolf's steps at a familywise error rate of `size`: whenever some are
/// found, the rest is compared among itself. By plain means with Hansen's consistent centers; ascending.
pub fn superior_columns(panel: &Panel, draws: &Draws, block: f64, size: f64) -> Vec<usize> {
    let columns = Columns::of(panel, block);
    let weights = draws.weights(panel.shares());
    let mut left = vec![true; panel.columns()];
    loop {
        let scale = left.iter().map(|&left| if left { 1.0 } else { num::NAN });
        let statistics = [Statistic::new(columns.centers(1), scale)];
        let mut maxima = maxima(panel, &weights, &statistics, &mut Alone).concat();
        maxima.sort_unstable_by(f64::total_cmp);
        let critical = percentile(&maxima, 1.0 - size);
        let found: Vec<usize> = (0..left.len()).filter(|&k| left[k] && columns.means[k] > critical).collect();
        found.iter().for_each(|&k| left[k] = false);
        if found.is_empty() || !left.contains(&true) {
            return (0..left.len()).filter(|&k| !left[k]).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::rng::Stream;

    fn noise(seed: u64, trials: u32, rows: usize, edge: f64) -> Panel {
        let series = |trial| -> Vec<f64> {
            let mut stream = Stream::new(seed, [3, trial]);
            (0..rows).map(|_| stream.normal() + if trial < 2 { edge } else { 0.0 }).collect()
        };
        Panel::new(&(0..trials).map(series).collect::<Vec<_>>(), None).unwrap()
    }

    fn draws(seed: u64, rows: usize, replications: u32) -> Draws {
        Draws::of(&StationaryBootstrap::new(seed, rows as u32, 1.0), rows, replications)
    }

    #[test]
    fn on_noise_it_rejects_as_often_as_it_says() {
        let repetitions = 400;
        let rejections = (0..repetitions).filter(|&seed| {
            let tests = superiority(&noise(seed, 10, 80, 0.0), &draws(seed, 80, 200), 1.0, &mut Alone);
            assert!(tests.raw.lower <= tests.raw.consistent && tests.raw.consistent <= tests.raw.upper);
            tests.studentized.consistent < 0.1
        });
        let share = rejections.count() as f64 / repetitions as f64;
        assert!((share - 0.1).abs() < 0.05, "{share} at 10 %");
    }

    #[test]
    fn a_planted_edge_is_found_and_named() {
        let panel = noise(1, 21, 250, 0.4);
        let draws = draws(2, 250, 501);
        let tests = superiority(&panel, &draws, 1.0, &mut Alone);
        assert!(tests.raw.upper < 0.01 && tests.studentized.upper < 0.01, "{tests:?}");
        assert_eq!(superior_columns(&panel, &draws, 1.0, 0.05), [0, 1]);
        assert_eq!(tests.replications, 501);
    }

    #[test]
    fn given_rows_and_weights_are_what_they_say() {
        let panel = Panel::new(&[[1.0, 2.0, 6.0]], None).unwrap();
        let draws = Draws::given(3, [&[2, 2, 2][..], &[0, 0, 1], &[9, 0, 0]]);
        assert_eq!(draws.replications(), 3);
        let tests = superiority(&panel, &draws, 1.0, &mut Alone);
        // Means 6, 4/3 and 1 less 3, against 3: none is above.
        assert_eq!((tests.largest_mean, tests.raw.upper), (3.0, 0.0));
        let lengths = Panel::new(&[[0.0, 5.0]], Some(&[4.0, 1.0])).unwrap();
        assert_eq!(Draws::given(2, [&[0, 1][..]]).weights(lengths.shares()), [0.8, 0.2]);
    }

    #[test]
    fn trials_that_never_moved_have_no_ratio() {
        let panel = Panel::new(&[[0.0; 30], [0.0; 30]], None).unwrap();
        let tests = superiority(&panel, &draws(1, 30, 50), 1.0, &mut Alone);
        assert_eq!((tests.largest_mean, tests.raw.upper), (0.0, 0.0));
        assert!(tests.largest_ratio.is_nan() && tests.studentized.consistent.is_nan());
        let none = superiority(&panel, &Draws::given(30, []), 1.0, &mut Alone);
        assert!(none.raw.upper.is_nan() && none.replications == 0);
    }

    #[test]
    fn every_width_of_vectors_gives_the_same_bits() {
        let panel = noise(5, 19, 50, 0.1);
        let runs = [64, 256, 512, 0].map(|bits| {
            simd::limit(bits);
            superiority(&panel, &draws(5, 50, 30), 2.0, &mut Alone)
        });
        assert!(runs.iter().all(|run| *run == runs[0]));
    }
}
