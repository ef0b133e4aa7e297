//! Whether choosing the best trial beats taking any: the distributions of both out of sample, side by side.

use std::ops::Range;

use serde::Serialize;

use super::super::{BlockSums, Hands};
use super::splits::Halves;
use super::{Histogram, Splits, kernel, median, ratios};
use crate::num;
use crate::simd::LANES;

/// Cells of the distributions.
const CELLS: usize = 64;

/// Distributions of the Sharpe ratio out of sample, of the chosen trial and of all trials.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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

/// Fewest splits that a thread takes at a time.
const FEWEST: usize = 8;

/// All trials out of sample, in the splits looked at in detail. Which trial was chosen is not needed for that.
pub(in super::super) struct Everyone {
    /// For each split looked at, its place among all and the trials' ratios; NaN where a trial has none.
    looks: Vec<(usize, Vec<f64>)>,
    /// Mean over the splits of the trials' median.
    pub mean_median: f64,
    /// The ratios of all.
    cells: Cells,
    shares: [f64; CELLS],
}

impl Everyone {
    /// Looks at about `most` splits, spread evenly, at least one.
    pub fn of(all: &BlockSums, halves: &Halves, most: usize, hands: &mut impl Hands) -> Everyone {
        let most = most.clamp(1, halves.len());
        let turned = ratios::Turned::of(all);
        let looks = hands.map(most, FEWEST, |range| looks(all, &turned, halves, range, most));
        let mut everyone = Vec::with_capacity(most * all.trials());
        let mut medians = 0.0;
        for (_, ratios) in &looks {
            let from = everyone.len();
            everyone.extend(ratios.iter().filter(|x| x.is_finite()));
            medians += median(&mut everyone[from..]);
        }
        let cells = Cells::of(&everyone);
        let shares = cells.shares(&everyone);
        Everyone { looks, mean_median: num::canonical(medians / most as f64), cells, shares }
    }

    /// Beside the trials that were chosen.
    pub fn beside(&self, splits: &Splits) -> Dominance {
        let chosen = self.looks.iter().map(|(place, ratios)| ratios[splits.at(*place).best as usize]);
        let chosen: Vec<f64> = chosen.filter(|x| x.is_finite()).collect();
        Dominance::of(&self.cells, self.cells.shares(&chosen), self.shares)
    }
}

/// Some of `most` splits.
fn looks(
    all: &BlockSums,
    turned: &ratios::Turned,
    halves: &Halves,
    range: Range<usize>,
    most: usize,
) -> Vec<(usize, Vec<f64>)> {
    let count = kernel::returns_in_half(all);
    let mut looks = Vec::with_capacity(range.len());
    for k in range {
        let place = k * halves.len() / most;
        let mut ratios = Vec::with_capacity(all.trials().next_multiple_of(LANES));
        ratios::Half::of(all.blocks(), halves.whole() ^ halves.at(place)).ratios(turned, count, &mut ratios);
        looks.push((place, ratios));
    }
    looks
}

/// Cells of equal width that ratios are counted in.
struct Cells {
    low: f64,
    width: f64,
}

impl Cells {
    /// From the lowest of some values to the highest.
    fn of(values: &[f64]) -> Cells {
        let range = Histogram::of(values, 1);
        Cells { low: range.low, width: (range.high - range.low) / CELLS as f64 }
    }

    /// For each cell, the share of the values that are at most its upper end.
    fn shares(&self, values: &[f64]) -> [f64; CELLS] {
        let mut counts = [0_u32; CELLS];
        for value in values {
            // Rounded up, which processors without an instruction for it call a function for.
            let place = (value - self.low) / self.width;
            let whole = place as usize;
            let cell = whole + usize::from(place > whole as f64);
            counts[cell.clamp(1, CELLS) - 1] += 1;
        }
        let mut sum = 0;
        counts.map(|count| {
            sum += count;
            f64::from(sum) / values.len() as f64
        })
    }
}

impl Dominance {
    /// Of the shares of the chosen trial's ratios and of all ratios in these cells.
    fn of(cells: &Cells, chosen: [f64; CELLS], all: [f64; CELLS]) -> Dominance {
        let at: Vec<f64> = (1..=CELLS).map(|k| cells.low + cells.width * k as f64).collect();
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

    fn dominance(chosen: &[f64], all: &[f64]) -> Dominance {
        let cells = Cells::of(all);
        Dominance::of(&cells, cells.shares(chosen), cells.shares(all))
    }

    #[test]
    fn better_everywhere_dominates_and_worse_nowhere() {
        let all: Vec<f64> = (0..1000).map(f64::from).collect();
        let better: Vec<f64> = (500..1000).map(f64::from).collect();
        let worse: Vec<f64> = (0..500).map(f64::from).collect();
        let good = dominance(&better, &all);
        assert!(good.first_order && good.second_order);
        let bad = dominance(&worse, &all);
        assert!(!bad.first_order && !bad.second_order);
        assert_eq!((good.chosen[CELLS - 1], good.all[CELLS - 1]), (1.0, 1.0));
        let same = dominance(&all, &all);
        assert!(!same.first_order && !same.second_order, "equal is not better");
    }

    #[test]
    fn the_same_mean_with_less_risk_dominates_only_in_the_second_order() {
        let all: Vec<f64> = (0..1000).map(f64::from).collect();
        let narrow: Vec<f64> = (300..700).map(f64::from).collect();
        let dominance = dominance(&narrow, &all);
        assert!(!dominance.first_order && dominance.second_order, "{dominance:?}");
    }
}
