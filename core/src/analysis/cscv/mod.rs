//! Probability of backtest overfitting by combinatorially symmetric cross-validation.
//!
//! Bailey, Borwein, López de Prado and Zhu, "The Probability of Backtest Overfitting", Journal of Computational Finance
//! 20(4), 2017: sessions are cut into S blocks; each choice of half of them is a sample in which the best trial is chosen,
//! and the other half shows how that trial does among all. Given block sums, this gives the distribution of its rank. It
//! never knows why a trial is good.
//!
//! With `rank` = 1 + number of trials with a lower Sharpe ratio out of sample and N trials, `w = rank / (N + 1)` and the
//! logit is `ln(w / (1 − w))`; the probability of overfitting is the share of logits at or below 0.

mod dominance;
mod kernel;
mod ratios;
mod splits;
mod tables;

pub use dominance::Dominance;
pub(super) use dominance::Everyone;
pub(super) use splits::Halves;

use serde::Serialize;

use super::{BlockSums, Hands};
use crate::error::{Error, Result};
use crate::num;

/// One choice of half of the blocks as sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// Blocks of the sample: bit `k` is block `k`.
    pub blocks: u32,
    /// The trial with the best Sharpe ratio in the sample, the first of equal ones.
    pub best: u32,
    /// Its Sharpe ratio in the sample, per return; NaN without deviation.
    pub inside: f64,
    /// Its Sharpe ratio out of the sample.
    pub outside: f64,
    /// 1 + number of trials with a Sharpe ratio out of sample that is lower by more than rounding.
    pub rank: u32,
    /// Logit of its relative rank.
    pub logit: f64,
}

/// What cross-validation says about a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overfitting {
    /// Number of blocks.
    pub blocks: u32,
    /// Returns that were used: a multiple of the blocks.
    pub rows: u64,
    /// Trials compared.
    pub trials: u64,
    /// Splits.
    pub splits: u64,
    /// Probability of backtest overfitting: share of logits at or below 0.
    pub pbo: f64,
    /// Mean of the logits.
    pub logit_mean: f64,
    /// Median of the logits.
    pub logit_median: f64,
    /// The logits, counted.
    pub logits: Histogram,
    /// Least squares of the chosen trial's Sharpe ratio out of sample on that in it: NaN where that does not vary.
    pub slope: f64,
    /// Where the line meets zero.
    pub intercept: f64,
    /// Share of the variance that the line explains.
    pub r_squared: f64,
    /// Share of splits in which the chosen trial loses out of sample.
    pub probability_of_loss: f64,
    /// Mean Sharpe ratio of the chosen trial in the sample, per return.
    pub mean_inside: f64,
    /// Mean Sharpe ratio of the chosen trial out of the sample.
    pub mean_outside: f64,
    /// Share of splits in which the chosen trial is above the median out of sample.
    pub above_median: f64,
    /// Mean over the splits looked at in detail of the trials' median Sharpe ratio out of sample.
    pub mean_median: f64,
    /// Whether choosing beats not choosing.
    pub dominance: Dominance,
}

/// Numbers counted in cells of equal width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// Lower end of the first cell.
    pub low: f64,
    /// Upper end of the last cell, which is in it.
    pub high: f64,
    /// Numbers in each cell.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// Counts of `values`, which must be finite, in so many cells from the lowest to the highest.
    pub fn of(values: &[f64], cells: usize) -> Histogram {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut counts = vec![0; cells.max(1)];
        let width = (high - low) / counts.len() as f64;
        for value in values {
            let cell = if width > 0.0 { ((value - low) / width) as usize } else { 0 };
            let last = counts.len() - 1;
            counts[cell.min(last)] += 1;
        }
        Histogram { low, high, counts }
    }
}

/// Cells of the histogram of logits.
const CELLS: usize = 41;

/// The outcomes of all splits.
pub(super) struct Splits<'a> {
    halves: &'a Halves,
    /// For each half that holds block 0, the outcomes with it as sample and with its complement.
    chosen: Vec<[kernel::Chosen; 2]>,
    trials: usize,
    /// Logit of each rank, for as many as are worth a table.
    logits: Vec<f64>,
}

impl Splits<'_> {
    fn of<'a>(all: &BlockSums, halves: &'a Halves, hands: &mut impl Hands) -> Result<Splits<'a>> {
        if all.trials() < 2 {
            let message = format!("cross-validation needs at least 2 trials to choose from, found {}", all.trials());
            return Err(Error::plan(message));
        }
        let chosen = kernel::chosen(all, halves.masks(), hands);
        let trials = all.trials();
        // There are hardly more ranks than trials, and often fewer trials than splits.
        let logits = (0..=(trials as u32).min(1 << 12)).map(|rank| logit(rank, trials)).collect();
        Ok(Splits { halves, chosen, trials, logits })
    }

    fn len(&self) -> usize {
        self.halves.len()
    }

    /// A split, counted in lexicographic order of the blocks in the sample.
    #[inline]
    fn at(&self, place: usize) -> Split {
        let chosen = match self.chosen.get(place) {
            Some([chosen, _]) => chosen,
            None => &self.chosen[self.len() - 1 - place][1],
        };
        let rank = 1 + chosen.below;
        Split {
            blocks: self.halves.at(place),
            best: chosen.trial,
            inside: chosen.inside,
            outside: chosen.outside,
            rank,
            logit: self.logits.get(rank as usize).copied().unwrap_or_else(|| logit(rank, self.trials)),
        }
    }

    fn iter(&self) -> impl Iterator<Item = Split> {
        (0..self.len()).map(|place| self.at(place))
    }
}

/// Logit of a rank among so many trials.
fn logit(rank: u32, trials: usize) -> f64 {
    let w = f64::from(rank) / (trials + 1) as f64;
    num::ln(w / (1.0 - w))
}

/// Every split, in lexicographic order of the blocks in the sample.
///
/// # Errors
/// Fewer than two trials.
pub fn splits(all: &BlockSums, hands: &mut impl Hands) -> Result<Vec<Split>> {
    Ok(Splits::of(all, &Halves::of(all.blocks()), hands)?.iter().collect())
}

/// Cross-validation of a search. `detailed` splits, spread evenly, are also asked for all trials' Sharpe ratios, for the
/// median and for dominance (64 are enough for a picture; [`usize::MAX`] takes all).
///
/// # Errors
/// Fewer than two trials.
pub fn overfitting(all: &BlockSums, detailed: usize, hands: &mut impl Hands) -> Result<Overfitting> {
    let halves = &Halves::of(all.blocks());
    let selection = Selection::of(all, halves, hands)?;
    Ok(selection.beside(&Everyone::of(all, halves, detailed, hands)))
}

/// What cross-validation says of the chosen trials by themselves.
pub(super) struct Selection<'a> {
    splits: Splits<'a>,
    /// All but what needs the other trials' ratios.
    found: Overfitting,
}

impl Selection<'_> {
    /// Goes through all splits.
    ///
    /// # Errors
    /// Fewer than two trials.
    pub fn of<'a>(all: &BlockSums, halves: &'a Halves, hands: &mut impl Hands) -> Result<Selection<'a>> {
        let splits = Splits::of(all, halves, hands)?;
        let (n, trials) = (splits.len() as f64, all.trials() as u32);
        let mut logits = Vec::with_capacity(splits.len());
        let (mut overfit, mut losing, mut above_median) = (0_u32, 0_u32, 0_u32);
        for split in splits.iter() {
            logits.push(split.logit);
            overfit += u32::from(split.logit <= 0.0);
            losing += u32::from(split.outside < 0.0);
            // Of an even number the median is the mean of two: to be above it is to be at least the upper one.
            above_median += u32::from(split.rank > trials.div_ceil(2));
        }
        let share = |count: u32| f64::from(count) / n;
        let pairs = splits.chosen.iter().map(|[half, _]| half).chain(splits.chosen.iter().rev().map(|[_, half]| half));
        let line = Line::through(
            pairs.map(|chosen| (chosen.inside, chosen.outside)).filter(|(x, y)| x.is_finite() && y.is_finite()),
        );
        let found = Overfitting {
            blocks: all.blocks() as u32,
            rows: (all.rows_in_block() * all.blocks()) as u64,
            trials: u64::from(trials),
            splits: splits.len() as u64,
            pbo: share(overfit),
            logit_mean: logits.iter().sum::<f64>() / n,
            logits: Histogram::of(&logits, CELLS),
            logit_median: median(&mut logits),
            slope: line.slope,
            intercept: line.mean_y - line.slope * line.mean_x,
            r_squared: line.r_squared,
            probability_of_loss: share(losing),
            mean_inside: line.mean_x,
            mean_outside: line.mean_y,
            above_median: share(above_median),
            mean_median: num::NAN,
            dominance: Dominance::default(),
        };
        Ok(Selection { splits, found })
    }

    /// Beside all trials.
    pub fn beside(self, everyone: &Everyone) -> Overfitting {
        Overfitting { mean_median: everyone.mean_median, dominance: everyone.beside(&self.splits), ..self.found }
    }
}

/// Least squares of the ratios out of sample on those in it.
struct Line {
    mean_x: f64,
    mean_y: f64,
    slope: f64,
    r_squared: f64,
}

impl Line {
    fn through(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Line {
        let (n, x, y) = pairs.clone().fold((0.0, 0.0, 0.0), |(n, a, b), (x, y)| (n + 1.0, a + x, b + y));
        let (x, y) = (x / n, y / n);
        let [xx, xy, yy] = pairs.fold([0.0; 3], |[xx, xy, yy], (a, b)| {
            let (a, b) = (a - x, b - y);
            [xx + a * a, xy + a * b, yy + b * b]
        });
        Line {
            mean_x: num::canonical(x),
            mean_y: num::canonical(y),
            slope: num::canonical(xy / xx),
            r_squared: num::canonical(xy * xy / (xx * yy)),
        }
    }
}

/// The median, of an even number the mean of the middle two; NaN of none.
fn median(values: &mut [f64]) -> f64 {
    let (count, half) = (values.len(), values.len() / 2);
    if count == 0 {
        return num::NAN;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(lower) if count.is_multiple_of(2) => (lower + upper) / 2.0,
        _ => upper,
    }
}

#[cfg(test)]
mod tests;
