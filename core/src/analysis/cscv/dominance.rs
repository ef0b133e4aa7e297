//! Whether choosing the best trial beats taking any: the distributions of both out of sample, side by side.

use std::ops::Range;

use serde::Serialize;

use super::super::{BlockSums, Hands};
use super::{Histogram, Splits, kernel, median, sharpe};
use crate::num;
use crate::simd::LANES;

/// Cells of the distributions.
const CELLS: usize = 64;

/// Distributions of the Sharpe ratio out of sample, of the chosen trial and of all trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dominance {
    /// Upper ends of the cells, per return, ascending.
    pub at: Vec<f64>,
    /// Share of splits in which the chosen trial's ratio is at most that.
    pub chosen: Vec<f64>,
    /// Share of trials and splits whose ratio is at most that.
    pub all: Vec<f64>,
    /// First order: at no ratio is the chosen trial more likely to be at most that, and at some it is less.
    pub first_order: bool,
    /// Second order: the same of the areas below both curves. Whoever shuns risk prefers to choose.
    pub second_order: bool,
}

/// What the splits looked at in detail give.
pub(super) struct Detail {
    pub mean_median: f64,
    pub dominance: Dominance,
}

/// Fewest splits that a thread takes at a time.
const FEWEST: usize = 8;

/// A split looked at in detail.
struct Look {
    /// The trials' ratios out of sample, those that have one.
    ratios: Vec<f64>,
    median: f64,
    /// That of the chosen trial; NaN if it has none.
    chosen: f64,
}

/// Looks at about `most` splits, spread evenly, at least one.
pub(super) fn look(all: &BlockSums, splits: &Splits, most: usize, hands: &mut impl Hands) -> Detail {
    let most = most.clamp(1, splits.len());
    let turned = kernel::Turned::of(all);
    let looks = hands.map(most, FEWEST, |range| looks(all, &turned, splits, range, most));
    let mut everyone = Vec::with_capacity(most * all.trials());
    looks.iter().for_each(|look| everyone.extend_from_slice(&look.ratios));
    let chosen: Vec<f64> = looks.iter().map(|look| look.chosen).filter(|x| x.is_finite()).collect();
    let medians: f64 = looks.iter().map(|look| look.median).sum();
    Detail { mean_median: num::canonical(medians / most as f64), dominance: Dominance::of(&chosen, &everyone) }
}

/// Some of `most` splits.
fn looks(all: &BlockSums, turned: &kernel::Turned, splits: &Splits, range: Range<usize>, most: usize) -> Vec<Look> {
    let count = kernel::returns_in_half(all);
    let (mut sums, mut sorted) = (Vec::new(), Vec::with_capacity(all.trials()));
    let mut looks = Vec::with_capacity(range.len());
    for k in range {
        let split = splits.at(k * splits.len() / most);
        kernel::Half::of(all.blocks(), splits.whole ^ split.blocks).sums(turned, &mut sums);
        // A trial without any return out of sample counts as zero, as in its rank; one without deviation is left out.
        let ratio = |trial: usize| match sums[trial / LANES].lane(trial % LANES) {
            [0.0, squares] if squares <= kernel::SMALLEST => 0.0,
            sums => sharpe(sums, count),
        };
        let ratios: Vec<f64> = (0..all.trials()).map(ratio).filter(|x| x.is_finite()).collect();
        sorted.clone_from(&ratios);
        looks.push(Look { chosen: ratio(split.best as usize), median: median(&mut sorted), ratios });
    }
    looks
}

impl Dominance {
    /// Of ratios of the chosen trial and of all.
    fn of(chosen: &[f64], all: &[f64]) -> Dominance {
        let range = Histogram::of(all, 1);
        let width = (range.high - range.low) / CELLS as f64;
        let at: Vec<f64> = (1..=CELLS).map(|k| range.low + width * k as f64).collect();
        let shares = |values: &[f64]| {
            let mut counts = [0_u32; CELLS];
            for value in values {
                // Rounded up, which processors without an instruction for it call a function for.
                let place = (value - range.low) / width;
                let whole = place as usize;
                let cell = whole + usize::from(place > whole as f64);
                counts[cell.clamp(1, CELLS) - 1] += 1;
            }
            let mut sum = 0;
            counts.map(|count| {
                sum += count;
                f64::from(sum) / values.len() as f64
            })
        };
        let (chosen, all) = (shares(chosen), shares(all));
        let mut area = 0.0;
        let areas = all.iter().zip(&chosen).map(|(all, chosen)| {
            area += all - chosen;
            area
        });
        // Shares of different counts: equal ones may differ by rounding.
        let dominates = |above: &mut dyn Iterator<Item = f64>| {
            let (least, most) = above.fold((0.0_f64, 0.0_f64), |(least, most), x| (least.min(x), most.max(x)));
            least > -1e-12 && most > 1e-12
        };
        Dominance {
            first_order: dominates(&mut all.iter().zip(&chosen).map(|(all, chosen)| all - chosen)),
            second_order: dominates(&mut { areas }),
            at,
            chosen: chosen.to_vec(),
            all: all.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_everywhere_dominates_and_worse_nowhere() {
        let all: Vec<f64> = (0..1000).map(f64::from).collect();
        let better: Vec<f64> = (500..1000).map(f64::from).collect();
        let worse: Vec<f64> = (0..500).map(f64::from).collect();
        let good = Dominance::of(&better, &all);
        assert!(good.first_order && good.second_order);
        let bad = Dominance::of(&worse, &all);
        assert!(!bad.first_order && !bad.second_order);
        assert_eq!((good.chosen[CELLS - 1], good.all[CELLS - 1]), (1.0, 1.0));
        let same = Dominance::of(&all, &all);
        assert!(!same.first_order && !same.second_order, "equal is not better");
    }

    #[test]
    fn the_same_mean_with_less_risk_dominates_only_in_the_second_order() {
        let all: Vec<f64> = (0..1000).map(f64::from).collect();
        let narrow: Vec<f64> = (300..700).map(f64::from).collect();
        let dominance = Dominance::of(&narrow, &all);
        assert!(!dominance.first_order && dominance.second_order, "{dominance:?}");
    }
}
