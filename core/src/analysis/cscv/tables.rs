//! Sums of many trials over subsets of the blocks.
//!
//! Given block sums, a chunk of trials has a table with all subsets of each of three parts of the blocks, so that the sums
//! over a half are three of their rows. In each part blocks are added in their order, then the parts in theirs: only sums in
//! this order are those of the tables, bit for bit.

use std::ops::Range;

use super::super::BlockSums;
use crate::num;
use crate::simd::{self, Eight, LANES, Work};

/// What a sum of squares starts at, so that none is zero; far below any square of a return.
pub(super) const SMALLEST: f64 = 1e-200;

/// Where the three parts of the blocks begin and end.
pub(super) fn parts(blocks: usize) -> [Range<usize>; 3] {
    let third = blocks - blocks * 3 / 8;
    [0..third / 2, third / 2..third, third..blocks]
}

/// Sums of eight trials, and their sums of squares, each in a cache line of its own.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Pair(pub [[f64; LANES]; 2]);

impl Pair {
    /// A trial's sum and its sum of squares.
    #[inline(always)]
    pub fn lane(&self, lane: usize) -> [f64; 2] {
        [self.0[0][lane], self.0[1][lane]]
    }
}

/// Sums over all subsets of one part of the blocks, for a chunk of trials.
pub(super) struct Subsets {
    /// Pairs of one subset.
    width: usize,
    rows: Vec<Pair>,
}

impl Subsets {
    /// The pairs of the subset with this mask.
    #[inline(always)]
    pub fn row(&self, mask: usize) -> &[Pair] {
        &self.rows[mask * self.width..][..self.width]
    }
}

/// The tables of a chunk of trials.
pub(super) struct Chunk {
    /// The trial at each place.
    pub trials: Vec<u32>,
    /// Vectors of trials.
    pub width: usize,
    /// The mask of all blocks.
    pub whole: u32,
    pub parts: [Range<usize>; 3],
    pub tables: [Subsets; 3],
}

impl Chunk {
    /// Of these trials, in this order.
    pub fn of(all: &BlockSums, trials: Vec<u32>) -> Chunk {
        let width = trials.len().div_ceil(LANES);
        // A place without a trial is neither better nor worse than any.
        let mut blocks = vec![Pair([[num::NAN; LANES]; 2]); width * all.blocks()];
        for (place, &trial) in trials.iter().enumerate() {
            let (sums, squares) = all.trial(trial as usize);
            for (block, (sum, square)) in sums.iter().zip(squares).enumerate() {
                let Pair([a, b]) = &mut blocks[block * width + place / LANES];
                (a[place % LANES], b[place % LANES]) = (*sum, *square);
            }
        }
        let parts = parts(all.blocks());
        let table = |part: usize, squares_from| {
            let blocks = &blocks[parts[part].start * width..parts[part].end * width];
            simd::run(AllSubsets { width, blocks, squares_from })
        };
        let tables = [table(0, 0.0), table(1, 0.0), table(2, SMALLEST)];
        Chunk { trials, width, whole: ((1_u64 << all.blocks()) - 1) as u32, parts, tables }
    }
}

/// The table of a part from the sums over one of its blocks after another.
struct AllSubsets<'a> {
    width: usize,
    blocks: &'a [Pair],
    /// What sums of squares start at.
    squares_from: f64,
}

impl Work for AllSubsets<'_> {
    type Output = Subsets;

    #[inline(always)]
    fn run<E: Eight>(self) -> Subsets {
        let AllSubsets { width, blocks, squares_from } = self;
        let mut rows = vec![Pair::default(); width << (blocks.len() / width)];
        rows[..width].fill(Pair([[0.0; LANES], [squares_from; LANES]]));
        for (bit, block) in blocks.chunks_exact(width).enumerate() {
            let (done, next) = rows.split_at_mut(width << bit);
            for (from, to) in done.chunks_exact(width).zip(next.chunks_exact_mut(width)) {
                for ((from, to), block) in from.iter().zip(to).zip(block) {
                    for ((from, to), block) in from.0.iter().zip(&mut to.0).zip(&block.0) {
                        E::load(from).add(E::load(block)).store(to);
                    }
                }
            }
        }
        Subsets { width, rows }
    }
}
