//! Whether any of many trials beats a benchmark, all of them having been tried.
//!
//! White, "A Reality Check for Data Snooping", Econometrica 68, 2000; Hansen, "A Test for Superior Predictive Ability",
//! Journal of Business & Economic Statistics 23, 2005; Romano and Wolf, "Stepwise Multiple Testing as Formalized Data
//! Snooping", Econometrica 73, 2005. Given a panel of differences to a benchmark, positive where a trial is better, this gives
//! p-values: small ones say that the best trial's mean is more than the luck of the best.

use std::ops::Range;

use serde::Serialize;

use super::{Alone, Hands, Panel, StationaryBootstrap, percentile};
use crate::num;
use crate::simd::{self, Eight, LANES, Work};

/// Replications whose means are summed at once, and tiles of columns, where eight lanes are one vector: eight sums that do
/// not wait for each other, and each row of a panel is fetched once for four replications.
const AT_ONCE: usize = 4;
const TILES: usize = 2;
/// As many times that many replications go through a tile while it is in the first cache, with the weights of all of them.
const ROUNDS: usize = 4;

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
    replications: usize,
    from: Drawn,
}

#[derive(Clone, Debug, PartialEq)]
enum Drawn {
    /// Drawn when they are asked for: that takes less time than to fetch them.
    By(StationaryBootstrap),
    /// Replication after replication, how often each row was drawn.
    Given(Vec<u32>),
}

impl Draws {
    /// `replications` of a bootstrap over so many rows.
    pub fn of(bootstrap: &StationaryBootstrap, rows: usize, replications: u32) -> Draws {
        Draws { rows, replications: replications as usize, from: Drawn::By(*bootstrap) }
    }

    /// Replications from given row numbers; numbers beyond the rows are left out.
    pub fn given<'a>(rows: usize, replications: impl IntoIterator<Item = &'a [u32]>) -> Draws {
        let mut counts = Vec::new();
        for drawn in replications {
            let from = counts.len();
            counts.resize(from + rows, 0);
            for row in drawn {
                if let Some(count) = counts[from..].get_mut(*row as usize) {
                    *count += 1;
                }
            }
        }
        Draws { rows, replications: counts.len().checked_div(rows).unwrap_or(0), from: Drawn::Given(counts) }
    }

    /// Number of replications.
    pub fn replications(&self) -> usize {
        self.replications
    }

    /// Writes the weights of the rows in each of the replications from `first` on, together 1, where rows weigh `shares` by
    /// themselves. Replications that there are not have some weights or NaN.
    #[inline(always)]
    fn weigh(&self, first: usize, shares: &[f64], weights: &mut [[f64; AT_ONCE]]) {
        weights.fill([0.0; AT_ONCE]);
        match &self.from {
            Drawn::By(bootstrap) => {
                let replications = std::array::from_fn(|place| (first + place) as u32);
                bootstrap.draw_several::<AT_ONCE>(replications, |place, row| {
                    if let Some(weights) = weights.get_mut(row as usize) {
                        weights[place] += 1.0;
                    }
                });
            }
            Drawn::Given(counts) => {
                for (place, counts) in counts[first * self.rows..].chunks_exact(self.rows).take(AT_ONCE).enumerate() {
                    weights.iter_mut().zip(counts).for_each(|(weights, count)| weights[place] = f64::from(*count));
                }
            }
        }
        let mut whole = [0.0; AT_ONCE];
        for (weights, share) in weights.iter_mut().zip(shares) {
            for (weight, whole) in weights.iter_mut().zip(&mut whole) {
                *weight *= share;
                *whole += *weight;
            }
        }
        for weights in weights {
            weights.iter_mut().zip(whole).for_each(|(weight, whole)| *weight /= whole);
        }
    }
}

/// What is subtracted from each column's resampled mean, and what the rest is multiplied by: there are two largest values, of
/// the rest and of the product. A NaN leaves a column out.
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

/// Values of a statistic.
const BOTH: usize = 2;

/// Replication by replication the largest values of each statistic over columns.
struct Maxima<'a> {
    panel: &'a Panel,
    draws: &'a Draws,
    replications: Range<usize>,
    statistics: &'a [Statistic],
}

impl Work for Maxima<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<E: Eight>(self) -> Vec<f64> {
        let Maxima { panel, draws, replications, statistics } = self;
        let rows = panel.rows();
        let mut maxima = Vec::with_capacity(replications.len() * statistics.len() * BOTH);
        let mut weights = vec![[0.0; AT_ONCE]; rows * ROUNDS];
        let mut largest = vec![[[E::zero(); AT_ONCE]; BOTH]; statistics.len() * ROUNDS];
        // Of several vectors each, the sums of one tile fill the registers.
        let (tiles_at_once, all) = (if E::VECTORS == 1 { TILES } else { 1 }, panel.all_tiles().len() / rows);
        for from in replications.clone().step_by(AT_ONCE * ROUNDS) {
            let count = (AT_ONCE * ROUNDS).min(replications.end - from);
            let rounds = count.div_ceil(AT_ONCE);
            for (round, weights) in weights.chunks_exact_mut(rows).take(rounds).enumerate() {
                draws.weigh(from + round * AT_ONCE, panel.shares(), weights);
            }
            largest.fill([[E::splat(f64::NEG_INFINITY); AT_ONCE]; BOTH]);
            for (number, tiles) in panel.all_tiles().chunks(rows * tiles_at_once).enumerate() {
                let first = number * tiles_at_once;
                let of_rounds = weights.chunks_exact(rows).zip(largest.chunks_exact_mut(statistics.len()));
                for (weights, largest) in of_rounds.take(rounds) {
                    let means = if tiles.len() == rows * TILES {
                        means::<E, TILES>([&tiles[..rows], &tiles[rows..]], weights)
                    } else {
                        let [alone] = means::<E, 1>([tiles], weights);
                        [alone, [E::splat(num::NAN); AT_ONCE]]
                    };
                    for (tile, means) in (first..all.min(first + tiles_at_once)).zip(means) {
                        for ([plain, scaled], statistic) in largest.iter_mut().zip(statistics) {
                            let (center, scale) = (E::load(&statistic.center[tile]), E::load(&statistic.scale[tile]));
                            for ((plain, scaled), mean) in plain.iter_mut().zip(scaled).zip(means) {
                                let rest = mean.sub(center);
                                *plain = rest.max(*plain);
                                *scaled = rest.mul(scale).max(*scaled);
                            }
                        }
                    }
                }
            }
            for place in 0..count {
                let of_lanes = |largest: &[E; AT_ONCE]| {
                    largest[place % AT_ONCE].array().into_iter().fold(f64::NEG_INFINITY, f64::max)
                };
                let largest = &largest[place / AT_ONCE * statistics.len()..][..statistics.len()];
                maxima.extend(largest.iter().flatten().map(of_lanes));
            }
        }
        maxima
    }
}

/// For each replication the largest values of each statistic, replication after replication.
fn maxima(panel: &Panel, draws: &Draws, statistics: &[Statistic], hands: &mut impl Hands) -> Vec<Vec<f64>> {
    // Whole parts of the list: a number at a time would be handed over one by one.
    hands.map(draws.replications(), FEWEST, |replications| vec![maxima_in(panel, draws, replications, statistics)])
}

/// The same of some replications. Compiled here and not where somebody's hands take it up, as the splits of
/// cross-validation are.
#[inline(never)]
fn maxima_in(panel: &Panel, draws: &Draws, replications: Range<usize>, statistics: &[Statistic]) -> Vec<f64> {
    simd::run(Maxima { panel, draws, replications, statistics })
}

/// Means of the columns of some tiles under the weights of each replication.
#[inline(always)]
fn means<E: Eight, const N: usize>(tiles: [&[[f64; LANES]]; N], weights: &[[f64; AT_ONCE]]) -> [[E; AT_ONCE]; N] {
    let mut sums = [[E::zero(); AT_ONCE]; N];
    for (row, weights) in weights.iter().enumerate() {
        // A row that a replication did not draw adds zero. One weight after the other: all of them at once would not leave a
        // register for each sum.
        let mut values = [E::zero(); N];
        for (values, tile) in values.iter_mut().zip(&tiles) {
            *values = E::load(&tile[row]);
        }
        for (k, weight) in weights.iter().enumerate() {
            let weight = E::splat(*weight);
            for (sums, values) in sums.iter_mut().zip(values) {
                sums[k] = sums[k].add(values.mul(weight));
            }
        }
    }
    sums
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
    let statistics =
        [0, 1, 2].map(|assumption| Statistic::new(columns.centers(assumption), columns.scales.iter().copied()));
    let maxima = maxima(panel, draws, &statistics, hands);
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NEG_INFINITY, f64::max);
    let mean = largest(&mut columns.means.iter().copied());
    let ratio = largest(&mut columns.means.iter().zip(&columns.scales).map(|(mean, scale)| mean * scale));
    let share = |statistic: usize, observed: f64| {
        let of_replications = maxima.iter().flat_map(|part| part.chunks_exact(statistics.len() * BOTH));
        let above = of_replications.filter(|maxima| maxima[statistic] > observed).count();
        num::canonical(above as f64 / draws.replications() as f64)
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
    let mut left = vec![true; panel.columns()];
    loop {
        let scale = left.iter().map(|&left| if left { 1.0 } else { num::NAN });
        let statistics = [Statistic::new(columns.centers(1), scale)];
        let both = maxima(panel, draws, &statistics, &mut Alone).concat();
        let mut maxima: Vec<f64> = both.into_iter().skip(1).step_by(BOTH).collect();
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
        let mut weights = [[0.0; AT_ONCE]; 2];
        Draws::given(2, [&[0, 1][..], &[1, 1]]).weigh(0, lengths.shares(), &mut weights);
        assert_eq!(weights.map(|weights| [weights[0], weights[1]]), [[0.8, 0.0], [0.2, 1.0]]);
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
