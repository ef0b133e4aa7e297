//! The loop over splits and trials: the best trial of each half, and how many do worse than it in the other half.
//!
//! Trials are ordered by `a |a| / b`, where `a` is the sum of a trial's returns over the half and `b` the sum of their
//! squares: over equally many returns this orders them as their Sharpe ratios do, without a root. A half without any
//! return counts as zero.
//!
//! The sums over a half are those over its blocks in three parts of all blocks. Each part has a table with all its subsets,
//! made once for a chunk of trials. The order of splits keeps the subset of the first two parts for many splits, so
//! that their sums are added once; the third table stays in a second-level cache.

use std::ops::Range;

use super::super::BlockSums;
use crate::num;
use crate::simd::{Eight, LANES, Work};

/// Trials whose tables are made at once: the third table of 16 blocks has 512 KiB then.
const CHUNK: usize = 512;

/// What a sum of squares starts at, so that none is zero; far below any square of a return.
pub(super) const SMALLEST: f64 = 1e-200;

/// The outcome of one half as sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chosen {
    /// Best trial in the half, the first of equal ones.
    pub trial: u32,
    /// Trials that do worse than it in the other half.
    pub below: u32,
    /// Its score in the half.
    score: f64,
}

/// Where the three parts of the blocks begin and end.
fn parts(blocks: usize) -> [Range<usize>; 3] {
    let third = blocks - blocks * 3 / 8;
    [0..third / 2, third / 2..third, third..blocks]
}

/// The bits of a mask that fall into a part, as a mask of that part.
fn within(mask: u32, part: &Range<usize>) -> usize {
    (mask >> part.start) as usize & ((1 << part.len()) - 1)
}

/// Sum and sum of squares of a trial over a half, in the order in which the tables add: only so is a trial equal to
/// itself. The sum of squares of a half without returns is [`SMALLEST`].
pub(super) fn sums(all: &BlockSums, trial: usize, mask: u32) -> [f64; 2] {
    let (a, b) = all.trial(trial);
    let [first, second, third] = parts(all.blocks());
    // Zero instead of a branch: the masks of splits cannot be foreseen.
    let part = |values: &[f64], part: Range<usize>, start: f64| {
        part.fold(start, |sum, block| sum + if mask >> block & 1 == 1 { values[block] } else { 0.0 })
    };
    let over = |values, start| {
        part(values, first.clone(), 0.0) + part(values, second.clone(), 0.0) + part(values, third.clone(), start)
    };
    [over(a, 0.0), over(b, SMALLEST)]
}

fn score([a, b]: [f64; 2]) -> f64 {
    a * a.abs() / b
}

/// One row of sums for eight trials at a time, then one of their sums of squares.
type Row = [[f64; LANES]];

/// Sums over all subsets of one part of the blocks, for a chunk of trials.
struct Subsets {
    /// Length of a [`Row`].
    length: usize,
    rows: Vec<[f64; LANES]>,
}

impl Subsets {
    fn of(all: &BlockSums, part: &Range<usize>, trials: Range<usize>, squares_from: f64) -> Subsets {
        let width = trials.len().div_ceil(LANES);
        let length = 2 * width;
        let mut rows = vec![[0.0; LANES]; length << part.len()];
        rows[width..length].fill([squares_from; LANES]);
        for (bit, block) in part.clone().enumerate() {
            let (done, next) = rows.split_at_mut(length << bit);
            for (from, to) in done.chunks_exact(length).zip(next.chunks_exact_mut(length)) {
                for (place, trial) in trials.clone().enumerate() {
                    let (a, b) = all.trial(trial);
                    let (at, lane) = (place / LANES, place % LANES);
                    to[at][lane] = from[at][lane] + a[block];
                    to[width + at][lane] = from[width + at][lane] + b[block];
                }
            }
        }
        // A place without a trial is neither better nor worse than any.
        for row in rows.chunks_exact_mut(length) {
            for place in trials.len()..width * LANES {
                row[place / LANES][place % LANES] = num::NAN;
            }
        }
        Subsets { length, rows }
    }

    #[inline(always)]
    fn row(&self, mask: usize) -> &Row {
        &self.rows[mask * self.length..][..self.length]
    }
}

/// The tables of a chunk of trials, and what was added up for the split before.
struct Chunk {
    from: usize,
    width: usize,
    whole: u32,
    parts: [Range<usize>; 3],
    tables: [Subsets; 3],
    /// Mask that `early` belongs to; of no half at first.
    early_mask: u32,
    /// Sums over the blocks of the first two parts, in a half and in its complement.
    early: [Vec<[f64; LANES]>; 2],
    /// Scores in a half and in its complement.
    scores: [Vec<[f64; LANES]>; 2],
}

impl Chunk {
    fn of(all: &BlockSums, from: usize) -> Chunk {
        let trials = from..(from + CHUNK).min(all.trials());
        let width = trials.len().div_ceil(LANES);
        let parts = parts(all.blocks());
        let table = |part: usize, start| Subsets::of(all, &parts[part], trials.clone(), start);
        let zeros = |length| [vec![[0.0; LANES]; length], vec![[0.0; LANES]; length]];
        Chunk {
            from,
            width,
            whole: ((1_u64 << all.blocks()) - 1) as u32,
            tables: [table(0, 0.0), table(1, 0.0), table(2, SMALLEST)],
            parts,
            early_mask: u32::MAX,
            early: zeros(2 * width),
            scores: zeros(width),
        }
    }

    /// Computes the scores in a half and in its complement, and gives the largest of each.
    #[inline(always)]
    fn score<E: Eight>(&mut self, mask: u32) -> [f64; 2] {
        let halves = [mask, self.whole ^ mask];
        let early_mask = mask & ((1 << self.parts[2].start) - 1);
        if early_mask != self.early_mask {
            self.early_mask = early_mask;
            for (half, early) in halves.into_iter().zip(&mut self.early) {
                let rows = [0, 1].map(|part| self.tables[part].row(within(half, &self.parts[part])));
                for ((early, a), b) in early.iter_mut().zip(rows[0]).zip(rows[1]) {
                    E::load(a).add(E::load(b)).store(early);
                }
            }
        }
        let mut largest = [0.0; 2];
        for (side, half) in halves.into_iter().enumerate() {
            let (early_a, early_b) = self.early[side].split_at(self.width);
            let (late_a, late_b) = self.tables[2].row(within(half, &self.parts[2])).split_at(self.width);
            let mut top = E::splat(f64::NEG_INFINITY);
            let sums = early_a.iter().zip(early_b).zip(late_a.iter().zip(late_b));
            for (score, ((early_a, early_b), (late_a, late_b))) in self.scores[side].iter_mut().zip(sums) {
                let a = E::load(early_a).add(E::load(late_a));
                let b = E::load(early_b).add(E::load(late_b));
                let value = a.mul(a.abs()).div(b);
                value.store(score);
                top = value.max(top);
            }
            largest[side] = top.array().into_iter().fold(f64::NEG_INFINITY, f64::max);
        }
        largest
    }

    /// The first place with this score in a half (0) or its complement (1).
    #[inline(always)]
    fn place<E: Eight>(&self, side: usize, score: f64) -> usize {
        let wanted = E::splat(score);
        for (at, scores) in self.scores[side].iter().enumerate() {
            let equal = E::bits(E::load(scores).eq(wanted));
            if equal != 0 {
                return at * LANES + equal.trailing_zeros() as usize;
            }
        }
        0
    }

    /// How many scores of a half (0) or its complement (1) are lower.
    #[inline(always)]
    fn below<E: Eight>(&self, side: usize, score: f64) -> u32 {
        let (limit, mut below) = (E::splat(score), 0);
        for scores in &self.scores[side] {
            below += E::bits(E::load(scores).lt(limit)).count_ones();
        }
        below
    }
}

/// For each mask, the outcome with it as sample and that with its complement.
pub(super) struct Splits<'a> {
    pub all: &'a BlockSums,
    pub masks: &'a [u32],
}

impl Work for Splits<'_> {
    type Output = Vec<[Chosen; 2]>;

    #[inline(always)]
    fn run<E: Eight>(self) -> Vec<[Chosen; 2]> {
        let nobody = Chosen { trial: 0, below: 0, score: f64::NEG_INFINITY };
        let mut chosen = vec![[nobody; 2]; self.masks.len()];
        let single = self.all.trials() <= CHUNK;
        for from in (0..self.all.trials()).step_by(CHUNK) {
            let mut chunk = Chunk::of(self.all, from);
            for (&mask, chosen) in self.masks.iter().zip(&mut chosen) {
                let largest = chunk.score::<E>(mask);
                for (side, (chosen, score)) in chosen.iter_mut().zip(largest).enumerate() {
                    // A later chunk must be better, so that the first of equal ones stays.
                    if score > chosen.score {
                        let place = chunk.place::<E>(side, score);
                        *chosen = Chosen { trial: (chunk.from + place) as u32, below: 0, score };
                    }
                    if single {
                        let place = chosen.trial as usize;
                        let outside = chunk.scores[1 - side][place / LANES][place % LANES];
                        chosen.below = chunk.below::<E>(1 - side, outside);
                    }
                }
            }
        }
        if !single {
            self.count::<E>(&mut chosen);
        }
        chosen
    }
}

impl Splits<'_> {
    /// Counts who does worse, where the best was known only after all chunks.
    #[inline(always)]
    fn count<E: Eight>(&self, chosen: &mut [[Chosen; 2]]) {
        let whole = ((1_u64 << self.all.blocks()) - 1) as u32;
        let outside = |trial: u32, mask| score(sums(self.all, trial as usize, mask));
        let limits: Vec<[f64; 2]> = (self.masks.iter().zip(&*chosen))
            .map(|(&mask, [one, other])| [outside(one.trial, whole ^ mask), outside(other.trial, mask)])
            .collect();
        for from in (0..self.all.trials()).step_by(CHUNK) {
            let mut chunk = Chunk::of(self.all, from);
            for ((&mask, limits), [one, other]) in self.masks.iter().zip(&limits).zip(&mut *chosen) {
                chunk.score::<E>(mask);
                one.below += chunk.below::<E>(1, limits[0]);
                other.below += chunk.below::<E>(0, limits[1]);
            }
        }
    }
}
