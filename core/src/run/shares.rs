//! Parts of the data: which sessions a budget means.
//!
//! Given an evaluator and a budget, this file gives one whose trials see that part of its sessions. The sessions are cut
//! into equal blocks, and of each the last ones are taken, as many as the budget says: a part has its share of every
//! stretch of the past, so that trials are not ranked by one kind of market alone, and a smaller part lies inside each
//! larger one. Every block is simulated by itself, with indicators that have seen all bars before it, and the blocks are
//! joined by their returns. Blocks of the smallest part are not shorter than a quarter of a year, for what is bought in
//! one has to be held for a while before its end; short runs have fewer blocks. It never knows why a part is asked for.

use std::ops::Range;

use super::Evaluator;
use crate::plan::brackets::{SMALLEST, budgets};

/// Sessions of a block in the smallest part, at least, where there is more than one.
const SHORTEST: usize = 63;

/// Most blocks.
const MOST_BLOCKS: usize = 8;

/// An evaluator of a part of the data.
#[derive(Debug)]
pub(super) struct Share {
    budget: f64,
    evaluator: Evaluator,
}

impl Evaluator {
    /// The same plan over the part of its sessions that a budget stands for, one of [`budgets`]; itself for all of them.
    /// Panel and columns are shared.
    pub fn at(&self, budget: f64) -> &Evaluator {
        if budget >= 1.0 {
            return self;
        }
        let shares = self.shares.get_or_init(|| self.shares());
        shares.iter().find(|share| share.budget == budget).map_or(self, |share| &share.evaluator)
    }

    fn shares(&self) -> Vec<Share> {
        let parts = budgets().into_iter().filter(|&budget| budget < 1.0);
        let share = |budget: f64| {
            let ranges = self.cut(&sessions_of(self.sessions().len(), budget));
            // Without sessions there is no part, and the whole is as empty.
            self.within(&ranges).ok().map(|evaluator| Share { budget, evaluator })
        };
        parts.filter_map(share).collect()
    }

    /// Ranges of sessions cut where the plan's own ranges end: what lies between them is not the plan's.
    fn cut(&self, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
        let ends: Vec<usize> = (self.plan.ranges().iter())
            .map(|(_, last)| self.sessions().partition_point(|session| session <= last))
            .collect();
        let mut cut = Vec::new();
        for range in ranges {
            let mut from = range.start;
            for &end in ends.iter().filter(|&&end| range.start < end && end < range.end) {
                cut.push(from..end);
                from = end;
            }
            cut.push(from..range.end);
        }
        cut
    }
}

/// The ranges of `sessions` sessions that a budget stands for.
fn sessions_of(sessions: usize, budget: f64) -> Vec<Range<usize>> {
    let smallest = (sessions as f64 * SMALLEST) as usize;
    let blocks = (smallest / SHORTEST).clamp(1, MOST_BLOCKS);
    let bound = |block: usize| sessions * block / blocks;
    let share = |block: usize| {
        let (from, to) = (bound(block), bound(block + 1));
        let length = (((to - from) as f64 * budget).ceil() as usize).min(to - from);
        to - length..to
    };
    (0..blocks).map(share).filter(|range| !range.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_part_lies_inside_each_larger_one_and_has_its_share_of_every_block() {
        for sessions in [1, 7, 250, 1260, 2520, 6288, 50_000] {
            let parts: Vec<Vec<Range<usize>>> = budgets().iter().map(|&part| sessions_of(sessions, part)).collect();
            for (small, large) in parts.iter().zip(&parts[1..]) {
                assert_eq!(small.len(), large.len());
                assert!(small.iter().zip(large).all(|(a, b)| b.start <= a.start && a.end == b.end), "{sessions}");
            }
            for (part, budget) in parts.iter().zip(budgets()) {
                let count: usize = part.iter().map(Range::len).sum();
                assert!((count as f64 - sessions as f64 * budget).abs() <= part.len() as f64, "{sessions} at {budget}");
            }
            assert_eq!(parts[3].iter().map(Range::len).sum::<usize>(), sessions);
        }
        assert_eq!(sessions_of(6288, SMALLEST).len(), 4);
        assert_eq!(sessions_of(1000, SMALLEST), vec![950..1000; 1]);
    }
}
