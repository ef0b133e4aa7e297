//! The loop over splits and trials: the best trial of each half, and how many do worse than it in the other half.
//!
//! Trials are ordered by `a |a| / b`, where `a` is the sum of a trial's returns over the half and `b` the sum of their
//! squares: over equally many returns this orders them as their Sharpe ratios do, without a root. Dividing all of them would
//! take most of the time: a trial comes near the best so far where its `a |a|` comes near its `b` times the best ratio, and
//! only such trials are divided. Trials that are often the best are looked at first, so that hardly any other comes near;
//! their order changes no result. A half without any return counts as zero. A trial does worse than another by more than
//! the rounding of these sums.
//!
//! The order of splits keeps the subset of the first two parts of the blocks for many splits, so that their sums are added
//! once; the table of the third part stays in a second-level cache.

use std::ops::Range;

use super::super::{BlockSums, Hands};
use super::ratios::sharpe_ratios;
use super::tables::{Chunk, Pair, SMALLEST};
use crate::simd::{self, Eight, LANES, Work};

/// Trials whose tables are made at once: the third table of 16 blocks has 1 MiB then. More of them are gone through twice.
const CHUNK: usize = 1024;

/// Vectors of trials that are looked at first: those that were best most often in every [`SAMPLED`]th split. Of the 400
/// trials of a grid of crossovers, 32 hold the best one in 98 of 100 halves.
const HEAD: usize = 4;
const SAMPLED: usize = 32;

/// Fewest splits that a thread takes at a time.
const FEWEST: usize = 256;

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

/// The bits of a mask that fall into a part, as a mask of that part.
#[inline(always)]
fn within(mask: u32, part: &Range<usize>) -> usize {
    (mask >> part.start) as usize & ((1 << part.len()) - 1)
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
}

impl Sides<'_> {
    fn of(chunk: &Chunk) -> Sides<'_> {
        let early = [0; 2].map(|_| vec![Pair::default(); chunk.width]);
        Sides { chunk, early_mask: u32::MAX, early, late: [0; 2] }
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
                let (first, second) = (within(half, &parts[0]), within(half, &parts[1]));
                for ((early, a), b) in early.iter_mut().zip(tables[0].row(first)).zip(tables[1].row(second)) {
                    for ((early, a), b) in early.0.iter_mut().zip(&a.0).zip(&b.0) {
                        E::load(a).add(E::load(b)).store(early);
                    }
                }
            }
        }
        self.late = [within(halves[0], &parts[2]), within(halves[1], &parts[2])];
    }

    /// The scores of eight trials, of which these are the sums over the first two parts and over the third: `a |a|`, `b`.
    #[inline(always)]
    fn scores<E: Eight>(early: &Pair, late: &Pair) -> [E; 2] {
        let a = E::load(&early.0[0]).add(E::load(&late.0[0]));
        [a.mul(a.abs()), E::load(&early.0[1]).add(E::load(&late.0[1]))]
    }

    /// The best place of the half and that of its complement, and how many trials do worse than it in the other one.
    ///
    /// Most often it is one of the first: the trials below that are counted while a better one is looked for.
    #[inline(always)]
    fn best<E: Eight>(&self) -> [(Top, u32); 2] {
        let Chunk { width, ref trials, .. } = *self.chunk;
        let early = [&self.early[0][..width], &self.early[1][..width]];
        let table = &self.chunk.tables[2];
        let late = [&table.row(self.late[0])[..width], &table.row(self.late[1])[..width]];
        let head = HEAD.min(width);
        let likely = [
            Top::first::<E>(trials, &early[0][..head], &late[0][..head]),
            Top::first::<E>(trials, &early[1][..head], &late[1][..head]),
        ];
        // No closures: they would not be compiled for these vectors.
        let outside = [ratio(self.sums_at(1, likely[0].place)), ratio(self.sums_at(0, likely[1].place))];
        let limits = [E::splat(less(outside[0])), E::splat(less(outside[1]))];
        let mut near = [E::splat(less(likely[0].ratio)), E::splat(less(likely[1].ratio))];
        let (mut best, mut below) = (likely, [E::none(), E::none()]);
        for at in 0..head {
            let [s0, b0] = Self::scores::<E>(&early[0][at], &late[0][at]);
            let [s1, b1] = Self::scores::<E>(&early[1][at], &late[1][at]);
            below[0] = E::tally(below[0], s1.lt(limits[0].mul(b1)));
            below[1] = E::tally(below[1], s0.lt(limits[1].mul(b0)));
        }
        let mut at = head;
        while at < width {
            // Hardly any trial comes near. Who does is looked at outside of this loop: a call in it would write its vectors to
            // memory for every eight trials.
            let mut hits = [E::mask(0), E::mask(0)];
            while at < width {
                let [s0, b0] = Self::scores::<E>(&early[0][at], &late[0][at]);
                let [s1, b1] = Self::scores::<E>(&early[1][at], &late[1][at]);
                below[0] = E::tally(below[0], s1.lt(limits[0].mul(b1)));
                below[1] = E::tally(below[1], s0.lt(limits[1].mul(b0)));
                hits = [near[0].mul(b0).le(s0), near[1].mul(b1).le(s1)];
                at += 1;
                if E::any(E::either(hits[0], hits[1])) {
                    break;
                }
            }
            for side in 0..2 {
                let hits = E::bits(hits[side]);
                if hits != 0 {
                    best[side].look(trials, at - 1, hits, &early[side][at - 1], &late[side][at - 1]);
                    near[side] = E::splat(less(best[side].ratio));
                }
            }
        }
        let mut below = [E::counted(below[0]), E::counted(below[1])];
        for side in 0..2 {
            if best[side].place != likely[side].place {
                below[side] = self.below::<E>(1 - side, ratio(self.sums_at(1 - side, best[side].place)));
            }
        }
        [(best[0], below[0]), (best[1], below[1])]
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
        let (limit, mut below) = (E::splat(less(ratio)), E::none());
        for (early, late) in self.early[side].iter().zip(self.chunk.tables[2].row(self.late[side])) {
            let [s, b] = Self::scores::<E>(early, late);
            below = E::tally(below, s.lt(limit.mul(b)));
        }
        E::counted(below)
    }
}

/// The best place so far.
#[derive(Clone, Copy)]
struct Top {
    place: usize,
    ratio: f64,
}

impl Top {
    /// The best one of the first places: at least one, at most as many as 32 bits have names for.
    #[inline(always)]
    fn first<E: Eight>(trials: &[u32], early: &[Pair], late: &[Pair]) -> Top {
        let mut ratios = [E::splat(f64::NEG_INFINITY); HEAD];
        let mut most = ratios[0];
        for ((ratios, early), late) in ratios.iter_mut().zip(early).zip(late) {
            let [s, b] = Sides::scores::<E>(early, late);
            *ratios = s.div(b);
            // A place without a trial is NaN, and no more than any.
            most = ratios.max(most);
        }
        let mut ratio = f64::NEG_INFINITY;
        for other in most.array() {
            ratio = if other > ratio { other } else { ratio };
        }
        let (mut equal, all) = (0_u32, E::splat(ratio));
        for (at, ratios) in ratios.iter().enumerate() {
            equal |= u32::from(E::bits(ratios.eq(all))) << (at * LANES);
        }
        // Sums beyond all numbers may have no ratio at all.
        let mut best = Top { place: if equal == 0 { 0 } else { equal.trailing_zeros() as usize }, ratio };
        equal &= equal.wrapping_sub(1);
        while equal != 0 {
            best.take(trials, equal.trailing_zeros() as usize, ratio);
            equal &= equal - 1;
        }
        best
    }

    /// Looks at some of eight trials: a better one is the best from now on, of equal ones the first.
    #[inline(never)]
    fn look(&mut self, trials: &[u32], at: usize, mut hits: u8, early: &Pair, late: &Pair) {
        while hits != 0 {
            let lane = hits.trailing_zeros() as usize;
            hits &= hits - 1;
            self.take(trials, at * LANES + lane, ratio(together(early, late, lane)));
        }
    }

    #[inline(always)]
    fn take(&mut self, trials: &[u32], place: usize, ratio: f64) {
        if ratio > self.ratio || (ratio == self.ratio && trials[place] < trials[self.place]) {
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
}

/// What is kept of the best ones of four splits.
trait Keep {
    type Kept: Copy;

    fn keep(&self, found: &[Found; LANES]) -> [Self::Kept; LANES];
}

/// All of it.
struct Everything;

impl Keep for Everything {
    type Kept = Found;

    #[inline(always)]
    fn keep(&self, found: &[Found; LANES]) -> [Found; LANES] {
        *found
    }
}

/// Without what is known only while others are looked for. Halves have so many returns.
struct Outcome(f64);

impl Keep for Outcome {
    type Kept = Chosen;

    #[inline(always)]
    fn keep(&self, found: &[Found; LANES]) -> [Chosen; LANES] {
        let mut ratios = [[0.0; LANES]; 2];
        for (side, ratios) in ratios.iter_mut().enumerate() {
            let mut sums = [[0.0; LANES]; 2];
            for (k, found) in found.iter().enumerate() {
                [sums[0][k], sums[1][k]] = found.sums[side];
            }
            *ratios = sharpe_ratios(&sums, self.0);
        }
        let mut chosen = [Chosen { trial: 0, below: 0, inside: 0.0, outside: 0.0 }; LANES];
        for (k, chosen) in chosen.iter_mut().enumerate() {
            let Found { trial, below, .. } = found[k];
            *chosen = Chosen { trial, below, inside: ratios[0][k], outside: ratios[1][k] };
        }
        chosen
    }
}

/// For each mask, what is kept of the best of a chunk in it and in its complement.
struct Best<'a, K> {
    chunk: &'a Chunk,
    masks: &'a [u32],
    keep: K,
}

impl<K: Keep> Work for Best<'_, K> {
    type Output = Vec<[K::Kept; 2]>;

    #[inline(always)]
    fn run<E: Eight>(self) -> Vec<[K::Kept; 2]> {
        let Best { chunk, masks, keep } = self;
        let mut sides = Sides::of(chunk);
        let mut all = Vec::with_capacity(masks.len());
        for masks in masks.chunks(LANES / 2) {
            let mut found = [Found::NOBODY; LANES];
            for (&mask, found) in masks.iter().zip(found.as_chunks_mut::<2>().0) {
                sides.turn::<E>(mask);
                let best = sides.best::<E>();
                for side in 0..2 {
                    let (Top { place, ratio }, below) = best[side];
                    let sums = [sides.sums_at(side, place), sides.sums_at(1 - side, place)];
                    found[side] = Found { trial: chunk.trials[place], below, ratio, sums };
                }
            }
            all.extend_from_slice(&keep.keep(&found).as_chunks().0[..masks.len()]);
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
    simd::run(Best { chunk, masks, keep: Everything })
}

/// The same, where there is one chunk.
#[inline(never)]
fn chosen_in(chunk: &Chunk, masks: &[u32], count: f64) -> Vec<[Chosen; 2]> {
    simd::run(Best { chunk, masks, keep: Outcome(count) })
}

/// For each mask, how many of a chunk do worse than the chosen ones.
#[inline(never)]
fn below_in(chunk: &Chunk, masks: &[u32], chosen: &[[Found; 2]]) -> Vec<[u32; 2]> {
    simd::run(Below { chunk, masks, chosen })
}

/// The chunk from a trial on; first come those that are the best in some of the splits.
fn chunk(all: &BlockSums, from: usize, masks: &[u32]) -> Chunk {
    let whole = |trial: usize| {
        let (sums, squares) = all.trial(trial);
        ratio([sums.iter().sum(), SMALLEST + squares.iter().sum::<f64>()])
    };
    let mut trials: Vec<(u32, f64, u32)> =
        (from..(from + CHUNK).min(all.trials())).map(|trial| (0, whole(trial), trial as u32)).collect();
    let mut in_order = |times: &[u32]| {
        for (count, _, trial) in &mut trials {
            *count = times.get(*trial as usize - from).copied().unwrap_or(0);
        }
        trials.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        Chunk::of(all, trials.iter().map(|(_, _, trial)| *trial).collect())
    };
    let chunk = in_order(&[]);
    if chunk.width <= HEAD {
        return chunk;
    }
    let sampled: Vec<u32> = masks.iter().copied().step_by(SAMPLED).collect();
    let mut times = vec![0; chunk.trials.len()];
    for found in found_in(&chunk, &sampled).iter().flatten() {
        times[found.trial as usize - from] += 1;
    }
    // The new tables get its memory.
    drop(chunk);
    in_order(&times)
}

/// For each mask, the outcome with it as sample and that with its complement.
pub(super) fn chosen(all: &BlockSums, masks: &[u32], hands: &mut impl Hands) -> Vec<[Chosen; 2]> {
    let count = returns_in_half(all);
    if all.trials() <= CHUNK {
        let chunk = &chunk(all, 0, masks);
        return hands.map(masks.len(), FEWEST, |range| chosen_in(chunk, &masks[range], count));
    }
    let mut best = vec![[Found::NOBODY; 2]; masks.len()];
    for from in (0..all.trials()).step_by(CHUNK) {
        let chunk = &chunk(all, from, masks);
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
        let trials = from..(from + CHUNK).min(all.trials());
        let (chunk, known) = (&Chunk::of(all, trials.map(|trial| trial as u32).collect()), &best);
        let below = hands.map(masks.len(), FEWEST, |range| below_in(chunk, &masks[range.clone()], &known[range]));
        for (best, below) in best.iter_mut().flatten().zip(below.into_iter().flatten()) {
            best.below += below;
        }
    }
    let mut chosen = Vec::with_capacity(best.len());
    for best in best.chunks(LANES / 2) {
        let mut found = [Found::NOBODY; LANES];
        found.as_chunks_mut().0[..best.len()].copy_from_slice(best);
        chosen.extend_from_slice(&Outcome(count).keep(&found).as_chunks().0[..best.len()]);
    }
    chosen
}

/// Returns of one half.
pub(super) fn returns_in_half(all: &BlockSums) -> f64 {
    (all.rows_in_block() * all.blocks() / 2) as f64
}
