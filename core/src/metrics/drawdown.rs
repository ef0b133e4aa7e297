//! Drawdowns: episodes in which equity stands below its running peak, the initial cash being the first peak.
//!
//! An episode lasts from the first session below the peak to the last one, both counted; one that has not recovered
//! lasts to the end of the run.

use super::extremes::{self, BLOCK, Extremes};
use crate::num;
use crate::simd::{Eight, LANES};

/// Depth and durations of the drawdowns; all NaN without sessions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawdowns {
    /// Number of episodes.
    pub episodes: f64,
    /// Lowest `W_t / peak − 1`; 0 without an episode.
    pub deepest: f64,
    /// Sessions of the longest episode.
    pub longest: f64,
    /// Calendar days of the longest episode (in days), first and last session counted; NaN without dates.
    pub longest_days: f64,
    /// Sessions below the peak, over all episodes.
    pub under: f64,
    /// Calendar days over all episodes; NaN without dates.
    pub under_days: f64,
}

impl Drawdowns {
    const UNDEFINED: Self = Drawdowns {
        episodes: num::NAN,
        deepest: num::NAN,
        longest: num::NAN,
        longest_days: num::NAN,
        under: num::NAN,
        under_days: num::NAN,
    };
    const NONE: Self =
        Drawdowns { episodes: 0.0, deepest: 0.0, longest: 0.0, longest_days: 0.0, under: 0.0, under_days: 0.0 };

    /// Episodes of an equity series with the extremes of its blocks.
    #[inline(always)]
    pub(super) fn of<E: Eight>(initial_cash: f64, equity: &[f64], blocks: &[Extremes], dates: &[i32]) -> Self {
        if equity.is_empty() {
            return Self::UNDEFINED;
        }
        let mut all = Self::NONE;
        let mut peak = initial_cash;
        let mut trough = peak;
        let mut start = 0;
        let mut look = |first: usize, values: &[f64], peak: &mut f64, trough: &mut f64| {
            for (i, &value) in (first..).zip(values) {
                if value < *peak {
                    *trough = if value < *trough { value } else { *trough };
                } else {
                    if start < i {
                        all.add(*trough / *peak - 1.0, start, i - 1, dates);
                    }
                    (*peak, *trough, start) = (value, value, i + 1);
                }
            }
        };
        for (k, (values, block)) in equity.chunks(BLOCK).zip(blocks).enumerate() {
            if block.highest < peak {
                // All of it lies below the peak, as most blocks do.
                trough = if block.lowest < trough { block.lowest } else { trough };
                continue;
            }
            let (vectors, rest) = values.as_chunks::<LANES>();
            let mut first = k * BLOCK;
            for vector in vectors {
                let numbers = E::load(vector);
                if E::bits(numbers.lt(E::splat(peak))) == u8::MAX {
                    let lowest = extremes::lowest(*vector);
                    trough = if lowest < trough { lowest } else { trough };
                } else {
                    look(first, vector, &mut peak, &mut trough);
                }
                first += LANES;
            }
            look(first, rest, &mut peak, &mut trough);
        }
        if start < equity.len() {
            all.add(trough / peak - 1.0, start, equity.len() - 1, dates);
        }
        if dates.len() != equity.len() {
            (all.longest_days, all.under_days) = (num::NAN, num::NAN);
        }
        all
    }

    /// Books the episode of sessions `first..=last`. Within one the peak stands still, so its deepest point is that
    /// of its lowest equity: one division an episode.
    fn add(&mut self, depth: f64, first: usize, last: usize, dates: &[i32]) {
        let sessions = (last - first + 1) as f64;
        self.episodes += 1.0;
        self.deepest = self.deepest.min(depth);
        self.longest = self.longest.max(sessions);
        self.under += sessions;
        if let (Some(from), Some(to)) = (dates.get(first), dates.get(last)) {
            let days = (i64::from(*to) - i64::from(*from) + 1) as f64;
            self.longest_days = self.longest_days.max(days);
            self.under_days += days;
        }
    }
}

/// `W_t / peak − 1` at each session, at most 0, the initial cash being the first peak.
pub fn drawdowns(initial_cash: f64, equity: &[f64]) -> Vec<f64> {
    let mut peak = initial_cash;
    let below = |&value: &f64| {
        peak = if value > peak { value } else { peak };
        value / peak - 1.0
    };
    equity.iter().map(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Plain;

    fn of(initial_cash: f64, equity: &[f64], dates: &[i32]) -> Drawdowns {
        let mut blocks = Vec::new();
        extremes::of_blocks::<Plain>(equity, &mut blocks);
        Drawdowns::of::<Plain>(initial_cash, equity, &blocks, dates)
    }

    #[test]
    fn two_episodes_the_second_open_at_the_end() {
        //                  below  below  peak   peak   below  below  below
        let equity = [99.0, 95.0, 100.0, 120.0, 90.0, 110.0, 119.0];
        let dates = [10, 11, 14, 15, 16, 17, 21];
        let d = of(100.0, &equity, &dates);
        let expected =
            Drawdowns { episodes: 2.0, deepest: -0.25, longest: 3.0, longest_days: 6.0, under: 5.0, under_days: 8.0 };
        assert_eq!(d, expected);
    }

    #[test]
    fn the_deepest_point_is_that_of_the_plain_definition() {
        let equity: Vec<f64> = (0..400).map(|k: u32| 100.0 + f64::from(k * k * 31 % 57) + f64::from(k) / 7.0).collect();
        let (mut peak, mut deepest) = (100.0_f64, 0.0_f64);
        for &e in &equity {
            peak = peak.max(e);
            deepest = deepest.min(e / peak - 1.0);
        }
        assert_eq!(of(100.0, &equity, &[]).deepest, deepest);
        assert_eq!(drawdowns(100.0, &equity).into_iter().fold(0.0, f64::min), deepest);
    }

    #[test]
    fn never_below_and_no_dates() {
        assert_eq!(of(100.0, &[100.0, 101.0], &[1, 2]), Drawdowns::NONE);
        let d = of(100.0, &[99.0], &[]);
        assert!(d.longest == 1.0 && d.longest_days.is_nan());
        assert!(of(100.0, &[], &[]).deepest.is_nan());
    }
}
