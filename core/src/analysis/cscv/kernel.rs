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

/// Trials that were best in splits before and are looked at first. In six halves of seven of a grid of 400 the best one is
/// among eight of them, and all others are found worse without a division.
const KNOWN: usize = LANES;

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

    /// Adds the Sharpe ratio of each trial over it, of `count` returns; NaN where a trial has none. A trial without any
    /// return in it counts as zero, as in its rank.
    pub fn ratios(&self, all: &Turned, count: f64, out: &mut Vec<f64>) {
        simd::run(HalfRatios { half: self, all, count, out });
    }
}

/// Sums of all trials over each block, eight trials side by side.
pub(super) struct Turned {
    blocks: usize,
    trials: usize,
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
        Turned { blocks, trials: all.trials(), sums }
    }
}

struct HalfRatios<'a> {
    half: &'a Half,
    all: &'a Turned,
    count: f64,
    out: &'a mut Vec<f64>,
}

impl Work for HalfRatios<'_> {
    type Output = ();

    /// In the order in which the tables add: only so is a trial equal to itself. The sum of squares of a half without
    /// returns is [`SMALLEST`].
    #[inline(always)]
    fn run<E: Eight>(self) {
        let HalfRatios { half, all, count, out } = self;
        let end = out.len() + all.trials;
        for eight in all.sums.chunks_exact(2 * all.blocks) {
            let mut sums = [[0.0; LANES]; 2];
            for which in 0..2 {
                let start = [0.0, SMALLEST][which];
                let mut parts = [E::zero(), E::zero(), E::splat(start)];
                for (sum, blocks) in parts.iter_mut().zip(&half.0) {
                    for &block in blocks {
                        *sum = sum.add(E::load(&eight[which * all.blocks + block]));
                    }
                }
                let [first, second, third] = parts;
                first.add(second).add(third).store(&mut sums[which]);
            }
            let mut ratios = [0.0; LANES];
            for lane in 0..LANES {
                let (sum, squares) = (sums[0][lane], sums[1][lane]);
                let none = sum == 0.0 && squares <= SMALLEST;
                let ratio = sharpe([sum, squares], count);
                ratios[lane] = if none { 0.0 } else { ratio };
            }
            out.extend_from_slice(&ratios);
        }
        // Behind the last trial.
        out.truncate(end);
    }
}

/// Sums of eight trials, and their sums of squares, each in a cache line of its own.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Pair([[f64; LANES]; 2]);

impl Pair {
    /// A trial's sum and its sum of squares.
    #[inline(always)]
    pub fn lane(&self, lane: usize) -> [f64; 2] {
        [self.0[0][lane], self.0[1][lane]]
    }
}

/// Sums over all subsets of one part of the blocks, for a chunk of trials.
struct Subsets {
    /// Pairs of one subset.
    width: usize,
    rows: Vec<Pair>,
}

impl Subsets {
    fn of(all: &BlockSums, part: &Range<usize>, trials: Range<usize>, squares_from: f64) -> Subsets {
        let width = trials.len().div_ceil(LANES);
        let mut rows = vec![Pair::default(); width << part.len()];
        rows[..width].fill(Pair([[0.0; LANES], [squares_from; LANES]]));
        for (bit, block) in part.clone().enumerate() {
            let (done, next) = rows.split_at_mut(width << bit);
            for (from, to) in done.chunks_exact(width).zip(next.chunks_exact_mut(width)) {
                for (place, trial) in trials.clone().enumerate() {
                    let (a, b) = all.trial(trial);
                    let (at, lane) = (place / LANES, place % LANES);
                    let [sum, squares] = from[at].lane(lane);
                    to[at].0[0][lane] = sum + a[block];
                    to[at].0[1][lane] = squares + b[block];
                }
            }
        }
        // A place without a trial is neither better nor worse than any.
        for row in rows.chunks_exact_mut(width) {
            for place in trials.len()..width * LANES {
                row[place / LANES].0.iter_mut().for_each(|sums| sums[place % LANES] = num::NAN);
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
    /// Places that were best in halves before, the latest first, and in their complements.
    known: [[usize; KNOWN]; 2],
}

impl Sides<'_> {
    fn of(chunk: &Chunk) -> Sides<'_> {
        let early = [0; 2].map(|_| vec![Pair::default(); chunk.width]);
        Sides { chunk, early_mask: u32::MAX, early, late: [0; 2], known: [[0; KNOWN]; 2] }
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
                    for ((early, a), b) in early.0.iter_mut().zip(&a.0).zip(&b.0) {
                        E::load(a).add(E::load(b)).store(early);
                    }
                }
            }
        }
        self.late = halves.map(|half| within(half, &parts[2]));
    }

    /// The scores of eight trials, of which these are the sums over the first two parts and over the third: `a |a|`, `b`.
    #[inline(always)]
    fn scores<E: Eight>(early: &Pair, late: &Pair) -> [E; 2] {
        let a = E::load(&early.0[0]).add(E::load(&late.0[0]));
        [a.mul(a.abs()), E::load(&early.0[1]).add(E::load(&late.0[1]))]
    }

    /// The best place of the half and that of its complement, and how many trials do worse than it in the other one.
    ///
    /// Most often it is one that was best before: the trials below that are counted while a better one is looked for.
    #[inline(always)]
    fn best<E: Eight>(&mut self) -> [(Top, u32); 2] {
        let width = self.chunk.width;
        let likely = [self.likeliest::<E>(0), self.likeliest::<E>(1)];
        let outside = [0, 1].map(|side| ratio(self.sums_at(1 - side, likely[side].place)));
        let limits = outside.map(|ratio| E::splat(less(ratio)));
        let mut near = likely.map(|top| E::splat(less(top.ratio)));
        let (mut best, one) = (likely, E::splat(1.0));
        let mut counts = [E::zero(); 2];
        let early = [&self.early[0][..width], &self.early[1][..width]];
        let late = self.late.map(|mask| &self.chunk.tables[2].row(mask)[..width]);
        for at in 0..width {
            let [s0, b0] = Self::scores::<E>(&early[0][at], &late[0][at]);
            let [s1, b1] = Self::scores::<E>(&early[1][at], &late[1][at]);
            let (hits0, hits1) = (near[0].mul(b0).le(s0), near[1].mul(b1).le(s1));
            counts[0] = E::select(s1.lt(limits[0].mul(b1)), counts[0].add(one), counts[0]);
            counts[1] = E::select(s0.lt(limits[1].mul(b0)), counts[1].add(one), counts[1]);
            // The best one itself comes here, and hardly any other. Sums are fetched again where they are needed:
            // vectors handed over would be written to memory for every eight trials.
            if E::bits(E::either(hits0, hits1)) != 0 {
                for (side, hits) in [E::bits(hits0), E::bits(hits1)].into_iter().enumerate() {
                    let hits = hits & !best[side].own(at);
                    if hits != 0 {
                        best[side].look(at, hits, &early[side][at], &late[side][at]);
                        near[side] = E::splat(less(best[side].ratio));
                    }
                }
            }
        }
        // Whole numbers far below 2^53.
        let mut below = counts.map(|counts| counts.array().iter().sum::<f64>() as u32);
        for side in 0..2 {
            if best[side].place != likely[side].place {
                below[side] = self.below::<E>(1 - side, ratio(self.sums_at(1 - side, best[side].place)));
            }
            remember(&mut self.known[side], best[side].place);
        }
        [(best[0], below[0]), (best[1], below[1])]
    }

    /// One of the best of those that were best before.
    #[inline(always)]
    fn likeliest<E: Eight>(&self, side: usize) -> Top {
        let known = &self.known[side];
        let (mut sums, mut squares) = ([0.0; KNOWN], [0.0; KNOWN]);
        for k in 0..KNOWN {
            [sums[k], squares[k]] = self.sums_at(side, known[k]);
        }
        let sums = E::load(&sums);
        let ratios = sums.mul(sums.abs()).div(E::load(&squares)).array();
        let mut best = Top { place: known[0], ratio: ratios[0] };
        for k in 1..KNOWN {
            if ratios[k] > best.ratio {
                best = Top { place: known[k], ratio: ratios[k] };
            }
        }
        best
    }

    /// The sums of the trial at a place in a half (0) or its complement (1).
    #[inline(always)]
    fn sums_at(&self, side: usize, place: usize) -> [f64; 2] {
        let (at, lane) = (place / LANES, place % LANES);
        let (early, late) = (&self.early[side][at], &self.chunk.tables[2].row(self.late[side])[at]);
        together(early, late, lane)
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

    /// Looks at some of eight trials: a better one is the best from now on, of equal ones the first.
    #[inline(never)]
    fn look(&mut self, at: usize, mut hits: u8, early: &Pair, late: &Pair) {
        while hits != 0 {
            let lane = hits.trailing_zeros() as usize;
            hits &= hits - 1;
            self.take(at * LANES + lane, ratio(together(early, late, lane)));
        }
    }

    #[inline(always)]
    fn take(&mut self, place: usize, ratio: f64) {
        if ratio > self.ratio || (ratio == self.ratio && place < self.place) {
            *self = Top { place, ratio };
        }
    }
}

/// A trial's sums over the first two parts and the third.
#[inline(always)]
fn together(early: &Pair, late: &Pair, lane: usize) -> [f64; 2] {
    let ([a, b], [c, d]) = (early.lane(lane), late.lane(lane));
    [a + c, b + d]
}

/// Puts a place first; of the others the one that was not best for the longest time goes.
#[inline(always)]
fn remember(known: &mut [usize; KNOWN], place: usize) {
    let mut next = place;
    for known in known {
        std::mem::swap(known, &mut next);
        if next == place {
            break;
        }
    }
}

/// The best of a chunk in a half.
#[derive(Clone, Copy, Debug)]
struct Found {
    trial: u32,
    below: u32,
    ratio: f64,
    /// Its sums in the half and in the other one.
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

// What follows is compiled here and not where somebody's hands take it up: there, parts of it were not inlined, and
// everything took half as long again.

/// The best of a chunk for each mask.
#[inline(never)]
fn found_in(chunk: &Chunk, masks: &[u32]) -> Vec<[Found; 2]> {
    simd::run(Best { chunk, masks, give: |found| found })
}

/// The same, where there is one chunk.
#[inline(never)]
fn chosen_in(chunk: &Chunk, masks: &[u32], count: f64) -> Vec<[Chosen; 2]> {
    simd::run(Best { chunk, masks, give: |found: Found| found.chosen(count) })
}

/// For each mask, how many of a chunk do worse than the chosen ones.
#[inline(never)]
fn below_in(chunk: &Chunk, masks: &[u32], chosen: &[[Found; 2]]) -> Vec<[u32; 2]> {
    simd::run(Below { chunk, masks, chosen })
}

/// For each mask, the outcome with it as sample and that with its complement.
pub(super) fn chosen(all: &BlockSums, masks: &[u32], hands: &mut impl Hands) -> Vec<[Chosen; 2]> {
    let count = returns_in_half(all);
    if all.trials() <= CHUNK {
        let chunk = &Chunk::of(all, 0);
        return hands.map(masks.len(), FEWEST, |range| chosen_in(chunk, &masks[range], count));
    }
    let mut best = vec![[Found::NOBODY; 2]; masks.len()];
    for from in (0..all.trials()).step_by(CHUNK) {
        let chunk = &Chunk::of(all, from);
        let found = hands.map(masks.len(), FEWEST, |range| found_in(chunk, &masks[range]));
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
        let below = hands.map(masks.len(), FEWEST, |range| below_in(chunk, &masks[range.clone()], &known[range]));
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
