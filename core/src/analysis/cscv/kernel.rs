//! The loop over splits and trials: the best trial of each half, and how many do worse than it in the other half.
//!
//! Trials are ordered by `a |a| / b`, where `a` is the sum of a trial's returns over the half and `b` the sum of their
//! squares: over equally many returns this orders them as their Sharpe ratios do, without a root. Dividing all of them would
//! take most of the time: a trial comes near the best so far where its `a |a|` comes near its `b` times the best ratio, and
//! only such trials are divided. Which trial is held for the best at first, the one before was, changes no result. A half
//! without any return counts as zero. A trial does worse than another by more than the rounding of these sums.
//!
//! The sums over a half are those over its blocks in three parts of all blocks. Each part has a table with all its subsets,
//! made once for a chunk of trials. The order of splits keeps the subset of the first two parts for many splits, so
//! that their sums are added once; the third table stays in a second-level cache.

use std::ops::Range;

use super::super::{BlockSums, Hands};
use super::sharpe;
use crate::num;
use crate::simd::{self, Eight, LANES, Work};

/// Trials whose tables are made at once: the third table of 16 blocks has 1 MiB then. More of them are gone through twice.
const CHUNK: usize = 1024;

/// Fewest splits that a thread takes at a time.
const FEWEST: usize = 256;

/// What a sum of squares starts at, so that none is zero; far below any square of a return.
pub(super) const SMALLEST: f64 = 1e-200;

/// The outcome of one half as sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chosen {
    /// Best trial in the half, the first of equal ones.
    pub trial: u32,
    /// Trials that do worse than it in the other half.
    pub below: u32,
    /// Its Sharpe ratio in the half.
    pub inside: f64,
    /// Its Sharpe ratio in the other half.
    pub outside: f64,
}

/// How good a trial is in a half, by its sums there.
#[inline(always)]
fn ratio([a, b]: [f64; 2]) -> f64 {
    a * a.abs() / b
}

/// A little less than a ratio, by more than the rounding of a product and a quotient.
#[inline(always)]
fn less(ratio: f64) -> f64 {
    ratio - ratio.abs() * 1e-14
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

/// The blocks of a half, part by part.
pub(super) struct Half([Vec<usize>; 3]);

impl Half {
    pub fn of(blocks: usize, mask: u32) -> Half {
        Half(parts(blocks).map(|part| part.filter(|block| mask >> block & 1 == 1).collect()))
    }

    /// The sums of each trial over it: eight trials' sums, then their sums of squares; what lies behind the last trial is
    /// zero.
    pub fn sums(&self, all: &Turned, out: &mut Vec<Pair>) {
        simd::run(HalfSums { half: self, all, out });
    }
}

/// Sums of all trials over each block, eight trials side by side.
pub(super) struct Turned {
    blocks: usize,
    /// Of eight trials, the sums over each block, then the sums of squares.
    sums: Vec<[f64; LANES]>,
}

impl Turned {
    pub fn of(all: &BlockSums) -> Turned {
        let blocks = all.blocks();
        let mut sums = vec![[0.0; LANES]; all.trials().div_ceil(LANES) * 2 * blocks];
        for trial in 0..all.trials() {
            let (a, b) = all.trial(trial);
            let eight = &mut sums[trial / LANES * 2 * blocks..][..2 * blocks];
            eight.iter_mut().zip(a.iter().chain(b)).for_each(|(sums, sum)| sums[trial % LANES] = *sum);
        }
        Turned { blocks, sums }
    }
}

struct HalfSums<'a> {
    half: &'a Half,
    all: &'a Turned,
    out: &'a mut Vec<Pair>,
}

impl Work for HalfSums<'_> {
    type Output = ();

    /// In the order in which the tables add: only so is a trial equal to itself. The sum of squares of a half without
    /// returns is [`SMALLEST`].
    #[inline(always)]
    fn run<E: Eight>(self) {
        let HalfSums { half, all, out } = self;
        out.clear();
        for eight in all.sums.chunks_exact(2 * all.blocks) {
            let mut pair = [[0.0; LANES]; 2];
            for which in 0..2 {
                let start = [0.0, SMALLEST][which];
                let mut parts = [E::zero(), E::zero(), E::splat(start)];
                for (sum, blocks) in parts.iter_mut().zip(&half.0) {
                    for &block in blocks {
                        *sum = sum.add(E::load(&eight[which * all.blocks + block]));
                    }
                }
                let [first, second, third] = parts;
                first.add(second).add(third).store(&mut pair[which]);
            }
            out.push(pair);
        }
    }
}

/// Sums of eight trials, and their sums of squares.
pub(super) type Pair = [[f64; LANES]; 2];

/// Sums over all subsets of one part of the blocks, for a chunk of trials.
struct Subsets {
    /// Pairs of one subset.
    width: usize,
    rows: Vec<Pair>,
}

impl Subsets {
    fn of(all: &BlockSums, part: &Range<usize>, trials: Range<usize>, squares_from: f64) -> Subsets {
        let width = trials.len().div_ceil(LANES);
        let mut rows = vec![[[0.0; LANES]; 2]; width << part.len()];
        rows[..width].fill([[0.0; LANES], [squares_from; LANES]]);
        for (bit, block) in part.clone().enumerate() {
            let (done, next) = rows.split_at_mut(width << bit);
            for (from, to) in done.chunks_exact(width).zip(next.chunks_exact_mut(width)) {
                for (place, trial) in trials.clone().enumerate() {
                    let (a, b) = all.trial(trial);
                    let (at, lane) = (place / LANES, place % LANES);
                    to[at][0][lane] = from[at][0][lane] + a[block];
                    to[at][1][lane] = from[at][1][lane] + b[block];
                }
            }
        }
        // A place without a trial is neither better nor worse than any.
        for row in rows.chunks_exact_mut(width) {
            for place in trials.len()..width * LANES {
                row[place / LANES].iter_mut().for_each(|sums| sums[place % LANES] = num::NAN);
            }
        }
        Subsets { width, rows }
    }

    #[inline(always)]
    fn row(&self, mask: usize) -> &[Pair] {
        &self.rows[mask * self.width..][..self.width]
    }
}

/// The tables of a chunk of trials.
struct Chunk {
    from: usize,
    /// Vectors of trials.
    width: usize,
    whole: u32,
    parts: [Range<usize>; 3],
    tables: [Subsets; 3],
}

impl Chunk {
    fn of(all: &BlockSums, from: usize) -> Chunk {
        let trials = from..(from + CHUNK).min(all.trials());
        let parts = parts(all.blocks());
        let table = |part: usize, start| Subsets::of(all, &parts[part], trials.clone(), start);
        Chunk {
            from,
            width: trials.len().div_ceil(LANES),
            whole: ((1_u64 << all.blocks()) - 1) as u32,
            tables: [table(0, 0.0), table(1, 0.0), table(2, SMALLEST)],
            parts,
        }
    }
}

/// What is added up of a chunk for one split after another.
struct Sides<'a> {
    chunk: &'a Chunk,
    /// Mask that `early` belongs to; of no half at first.
    early_mask: u32,
    /// Sums over the blocks of the first two parts, in a half and in its complement.
    early: [Vec<Pair>; 2],
    /// The masks within the third part of a half and of its complement.
    late: [usize; 2],
    /// The places that were best in the half before and in its complement.
    likely: [usize; 2],
}

impl Sides<'_> {
    fn of(chunk: &Chunk) -> Sides<'_> {
        let early = [0; 2].map(|_| vec![[[0.0; LANES]; 2]; chunk.width]);
        Sides { chunk, early_mask: u32::MAX, early, late: [0; 2], likely: [0; 2] }
    }

    /// Goes on to a half and its complement.
    #[inline(always)]
    fn turn<E: Eight>(&mut self, mask: u32) {
        let Chunk { whole, parts, tables, .. } = self.chunk;
        let halves = [mask, whole ^ mask];
        let early_mask = mask & ((1 << parts[2].start) - 1);
        if early_mask != self.early_mask {
            self.early_mask = early_mask;
            for (half, early) in halves.into_iter().zip(&mut self.early) {
                let rows = [0, 1].map(|part| tables[part].row(within(half, &parts[part])));
                for ((early, a), b) in early.iter_mut().zip(rows[0]).zip(rows[1]) {
                    E::load(&a[0]).add(E::load(&b[0])).store(&mut early[0]);
                    E::load(&a[1]).add(E::load(&b[1])).store(&mut early[1]);
                }
            }
        }
        self.late = halves.map(|half| within(half, &parts[2]));
    }

    /// The scores of eight trials, of which these are the sums over the first two parts and over the third: `a |a|`, `b`.
    #[inline(always)]
    fn scores<E: Eight>(early: &Pair, late: &Pair) -> [E; 2] {
        let a = E::load(&early[0]).add(E::load(&late[0]));
        [a.mul(a.abs()), E::load(&early[1]).add(E::load(&late[1]))]
    }

    /// The best place of the half and that of its complement, and how many trials do worse than it in the other one.
    ///
    /// Most often it is the one that was best before: the trials below that are counted while a better one is looked for.
    #[inline(always)]
    fn best<E: Eight>(&mut self) -> [(Top, u32); 2] {
        let width = self.chunk.width;
        let likely = self.likely;
        let mut best = [0, 1].map(|side| Top { place: likely[side], ratio: ratio(self.sums_at(side, likely[side])) });
        let (mut near, mut limits, mut below) = ([E::zero(); 2], [E::zero(); 2], [0; 2]);
        for side in 0..2 {
            near[side] = E::splat(less(best[side].ratio));
            limits[side] = E::splat(less(ratio(self.sums_at(1 - side, likely[side]))));
        }
        let early = [&self.early[0][..width], &self.early[1][..width]];
        let late = self.late.map(|mask| &self.chunk.tables[2].row(mask)[..width]);
        for at in 0..width {
            let scores: [[E; 2]; 2] =
                [Self::scores(&early[0][at], &late[0][at]), Self::scores(&early[1][at], &late[1][at])];
            for side in 0..2 {
                let [s, b] = scores[side];
                let hits = E::bits(near[side].mul(b).le(s)) & !best[side].own(at);
                if hits != 0 {
                    best[side].look(at, hits, &[s.array(), b.array()]);
                    near[side] = E::splat(less(best[side].ratio));
                }
                let [s, b] = scores[1 - side];
                below[side] += E::bits(s.lt(limits[side].mul(b))).count_ones();
            }
        }
        for side in 0..2 {
            if best[side].place != likely[side] {
                below[side] = self.below::<E>(1 - side, ratio(self.sums_at(1 - side, best[side].place)));
            }
        }
        self.likely = best.map(|best| best.place);
        [(best[0], below[0]), (best[1], below[1])]
    }

    /// [`HalfSums`] of the trial at a place in a half (0) or its complement (1).
    #[inline(always)]
    fn sums_at(&self, side: usize, place: usize) -> [f64; 2] {
        let (at, lane) = (place / LANES, place % LANES);
        let (early, late) = (&self.early[side][at], &self.chunk.tables[2].row(self.late[side])[at]);
        [early[0][lane] + late[0][lane], early[1][lane] + late[1][lane]]
    }

    /// How many trials of a half (0) or its complement (1) do worse than a ratio.
    #[inline(always)]
    fn below<E: Eight>(&self, side: usize, ratio: f64) -> u32 {
        let (limit, mut below) = (E::splat(less(ratio)), 0);
        for (early, late) in self.early[side].iter().zip(self.chunk.tables[2].row(self.late[side])) {
            let [s, b] = Self::scores::<E>(early, late);
            below += E::bits(s.lt(limit.mul(b))).count_ones();
        }
        below
    }
}

/// The best place so far.
#[derive(Clone, Copy)]
struct Top {
    place: usize,
    ratio: f64,
}

impl Top {
    /// Its bit in a vector; none if it is elsewhere.
    #[inline(always)]
    fn own(&self, at: usize) -> u8 {
        u8::from(self.place / LANES == at) << (self.place % LANES)
    }

    /// Looks at some of a vector of scores: a better one is the best from now on, of equal ones the first.
    #[inline(never)]
    fn look(&mut self, at: usize, mut hits: u8, [signed, squares]: &Pair) {
        while hits != 0 {
            let lane = hits.trailing_zeros() as usize;
            hits &= hits - 1;
            let (place, ratio) = (at * LANES + lane, signed[lane] / squares[lane]);
            if ratio > self.ratio || (ratio == self.ratio && place < self.place) {
                *self = Top { place, ratio };
            }
        }
    }
}

/// The best of a chunk in a half.
#[derive(Clone, Copy, Debug)]
struct Found {
    trial: u32,
    below: u32,
    ratio: f64,
    /// [`HalfSums`] in the half and in the other one.
    sums: [[f64; 2]; 2],
}

impl Found {
    const NOBODY: Found = Found { trial: 0, below: 0, ratio: f64::NEG_INFINITY, sums: [[0.0, SMALLEST]; 2] };

    /// Without what is known of it only while others are looked for. Halves have `count` returns.
    #[inline(always)]
    fn chosen(self, count: f64) -> Chosen {
        let [inside, outside] = self.sums.map(|sums| sharpe(sums, count));
        Chosen { trial: self.trial, below: self.below, inside, outside }
    }
}

/// For each mask, what `give` makes of the best of a chunk in it and in its complement.
struct Best<'a, F> {
    chunk: &'a Chunk,
    masks: &'a [u32],
    give: F,
}

impl<R, F: Fn(Found) -> R> Work for Best<'_, F> {
    type Output = Vec<[R; 2]>;

    #[inline(always)]
    fn run<E: Eight>(self) -> Vec<[R; 2]> {
        let Best { chunk, masks, give } = self;
        let mut sides = Sides::of(chunk);
        let mut all = Vec::with_capacity(masks.len());
        for &mask in masks {
            sides.turn::<E>(mask);
            let best = sides.best::<E>();
            let found = [0, 1].map(|side| {
                let (Top { place, ratio }, below) = best[side];
                let sums = [sides.sums_at(side, place), sides.sums_at(1 - side, place)];
                Found { trial: (chunk.from + place) as u32, below, ratio, sums }
            });
            all.push(found.map(&give));
        }
        all
    }
}

/// For each mask, how many of a chunk do worse than the chosen ones where these were not chosen.
struct Below<'a> {
    chunk: &'a Chunk,
    masks: &'a [u32],
    chosen: &'a [[Found; 2]],
}

impl Work for Below<'_> {
    type Output = Vec<[u32; 2]>;

    #[inline(always)]
    fn run<E: Eight>(self) -> Vec<[u32; 2]> {
        let mut sides = Sides::of(self.chunk);
        let mut all = Vec::with_capacity(self.masks.len());
        for (&mask, [one, other]) in self.masks.iter().zip(self.chosen) {
            sides.turn::<E>(mask);
            all.push([(1, one), (0, other)].map(|(side, of)| sides.below::<E>(side, ratio(of.sums[1]))));
        }
        all
    }
}

/// For each mask, the outcome with it as sample and that with its complement.
pub(super) fn chosen(all: &BlockSums, masks: &[u32], hands: &mut impl Hands) -> Vec<[Chosen; 2]> {
    let count = returns_in_half(all);
    if all.trials() <= CHUNK {
        let (chunk, give) = (&Chunk::of(all, 0), |found: Found| found.chosen(count));
        return hands.map(masks.len(), FEWEST, |range| simd::run(Best { chunk, masks: &masks[range], give }));
    }
    let mut best = vec![[Found::NOBODY; 2]; masks.len()];
    for from in (0..all.trials()).step_by(CHUNK) {
        let (chunk, give) = (&Chunk::of(all, from), |found| found);
        let found = hands.map(masks.len(), FEWEST, |range| simd::run(Best { chunk, masks: &masks[range], give }));
        for (best, found) in best.iter_mut().flatten().zip(found.into_iter().flatten()) {
            // A later chunk must be better, so that the first of equal ones stays.
            if found.ratio > best.ratio {
                *best = found;
            }
        }
    }
    // Of several chunks, the best one is known only now: what was counted was of its own chunk.
    best.iter_mut().flatten().for_each(|best| best.below = 0);
    for from in (0..all.trials()).step_by(CHUNK) {
        let (chunk, known) = (&Chunk::of(all, from), &best);
        let below = hands.map(masks.len(), FEWEST, |range| {
            simd::run(Below { chunk, masks: &masks[range.clone()], chosen: &known[range] })
        });
        for (best, below) in best.iter_mut().flatten().zip(below.into_iter().flatten()) {
            best.below += below;
        }
    }
    best.into_iter().map(|sides| sides.map(|found| found.chosen(count))).collect()
}

/// Returns of one half.
pub(super) fn returns_in_half(all: &BlockSums) -> f64 {
    (all.rows_in_block() * all.blocks() / 2) as f64
}
