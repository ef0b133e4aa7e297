//! The loop over splits and trials: the best trial of each half, and how many do worse than it in the other half.
//!
//! Trials are ordered by `a |a| / b`, where `a` is the sum of a trial's returns over the half and `b` the sum of their
//! squares: over equally many returns this orders them as their Sharpe ratios do, without a root. Nor is anything divided,
//! which would take most of the time: of two trials the better one is that whose `a |a|` times the other's `b` is larger. A
//! half without any return counts as zero.
//!
//! The sums over a half are those over its blocks in three parts of all blocks. Each part has a table with all its subsets,
//! made once for a chunk of trials. The order of splits keeps the subset of the first two parts for many splits, so
//! that their sums are added once; the third table stays in a second-level cache.

use std::ops::Range;

use super::super::{BlockSums, Hands};
use crate::num;
use crate::simd::{self, Eight, LANES, Work};

/// Trials whose tables are made at once: the third table of 16 blocks has 512 KiB then.
const CHUNK: usize = 512;

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
    /// Its [`sums`] in the half.
    pub inside: [f64; 2],
    /// Its [`sums`] in the other half.
    pub outside: [f64; 2],
}

/// How good a trial is in a half: `a |a|`, and `b` to divide it by.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Score([f64; 2]);

impl Score {
    /// Worse than any.
    const NONE: Score = Score([f64::NEG_INFINITY, 1.0]);

    fn of([a, b]: [f64; 2]) -> Score {
        Score([a * a.abs(), b])
    }

    fn beats(self, other: Score) -> bool {
        self.0[0] * other.0[1] > other.0[0] * self.0[1]
    }
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

/// Sums of eight trials, and their sums of squares.
type Pair = [[f64; LANES]; 2];

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
    /// Scores in a half and in its complement: `a |a|` and `b`.
    scores: [Vec<Pair>; 2],
}

impl Sides<'_> {
    fn of(chunk: &Chunk) -> Sides<'_> {
        let zeros = || [0; 2].map(|_| vec![[[0.0; LANES]; 2]; chunk.width]);
        Sides { chunk, early_mask: u32::MAX, early: zeros(), late: [0; 2], scores: zeros() }
    }

    /// Computes the scores in a half and in its complement, and gives the best place of each with its score.
    #[inline(always)]
    fn score<E: Eight>(&mut self, mask: u32) -> [(usize, Score); 2] {
        let Chunk { width, whole, parts, tables, .. } = self.chunk;
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
        let late = self.late.map(|mask| tables[2].row(mask));
        let early = [0, 1].map(|side| &self.early[side][..*width]);
        let [one, other] = &mut self.scores;
        let scores = [&mut one[..*width], &mut other[..*width]];
        let mut top = [[E::splat(Score::NONE.0[0]), E::splat(Score::NONE.0[1]), E::zero()]; 2];
        for at in 0..*width {
            // Both sides in one loop: each waits for what was best before.
            for side in 0..2 {
                let (early, late) = (&early[side][at], &late[side][at]);
                let a = E::load(&early[0]).add(E::load(&late[0]));
                let b = E::load(&early[1]).add(E::load(&late[1]));
                let s = a.mul(a.abs());
                s.store(&mut scores[side][at][0]);
                b.store(&mut scores[side][at][1]);
                let [best, divisor, place] = top[side];
                let better = best.mul(b).lt(s.mul(divisor));
                top[side] = [
                    E::select(better, s, best),
                    E::select(better, b, divisor),
                    E::select(better, E::splat(at as f64), place),
                ];
            }
        }
        top.map(|top| first_best(top.map(E::array)))
    }

    /// [`sums`] of the trial at a place in a half (0) or its complement (1).
    #[inline(always)]
    fn sums_at(&self, side: usize, place: usize) -> [f64; 2] {
        let (at, lane) = (place / LANES, place % LANES);
        let late = self.chunk.tables[2].row(self.late[side]);
        [0, 1].map(|which| self.early[side][at][which][lane] + late[at][which][lane])
    }

    /// How many scores of a half (0) or its complement (1) are lower.
    #[inline(always)]
    fn below<E: Eight>(&self, side: usize, limit: Score) -> u32 {
        let ([s, b], mut below) = (limit.0.map(E::splat), 0);
        for [signed, square] in &self.scores[side] {
            below += E::bits(E::load(signed).mul(b).lt(s.mul(E::load(square)))).count_ones();
        }
        below
    }
}

/// The best of eight lanes' scores, the one at the first place of equal ones: `a |a|`, `b` and the vector of each.
#[inline(always)]
fn first_best([signed, squares, vectors]: [[f64; LANES]; 3]) -> (usize, Score) {
    let mut best = (0, Score::NONE);
    for lane in 0..LANES {
        let (place, score) = (vectors[lane] as usize * LANES + lane, Score([signed[lane], squares[lane]]));
        if score.beats(best.1) || (place < best.0 && !best.1.beats(score)) {
            best = (place, score);
        }
    }
    best
}

/// The best of a chunk in a half, with its score.
type Found = (Chosen, Score);

/// For each mask, the best of a chunk in it and in its complement.
struct Best<'a> {
    chunk: &'a Chunk,
    masks: &'a [u32],
    /// Whether the chunk has all trials, so that those that do worse can be counted at once.
    counts: bool,
}

impl Work for Best<'_> {
    type Output = Vec<[Found; 2]>;

    #[inline(always)]
    fn run<E: Eight>(self) -> Vec<[Found; 2]> {
        let Best { chunk, masks, counts } = self;
        let mut sides = Sides::of(chunk);
        let mut all = Vec::with_capacity(masks.len());
        for &mask in masks {
            let best = sides.score::<E>(mask);
            let mut found = [NOBODY; 2];
            for (side, (place, score)) in best.into_iter().enumerate() {
                let [inside, outside] = [side, 1 - side].map(|side| sides.sums_at(side, place));
                let below = if counts { sides.below::<E>(1 - side, Score::of(outside)) } else { 0 };
                found[side] = (Chosen { trial: (chunk.from + place) as u32, below, inside, outside }, score);
            }
            all.push(found);
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
        for (&mask, [(one, _), (other, _)]) in self.masks.iter().zip(self.chosen) {
            sides.score::<E>(mask);
            let below = [(1, one), (0, other)].map(|(side, of)| sides.below::<E>(side, Score::of(of.outside)));
            all.push(below);
        }
        all
    }
}

const NOBODY: Found = (Chosen { trial: 0, below: 0, inside: [0.0, SMALLEST], outside: [0.0, SMALLEST] }, Score::NONE);

/// For each mask, the outcome with it as sample and that with its complement.
pub(super) fn chosen(all: &BlockSums, masks: &[u32], hands: &mut impl Hands) -> Vec<[Chosen; 2]> {
    let counts = all.trials() <= CHUNK;
    let mut chosen = vec![[NOBODY; 2]; masks.len()];
    for from in (0..all.trials()).step_by(CHUNK) {
        let chunk = &Chunk::of(all, from);
        let best = hands.map(masks.len(), FEWEST, |range| simd::run(Best { chunk, masks: &masks[range], counts }));
        for (chosen, found) in chosen.iter_mut().flatten().zip(best.into_iter().flatten()) {
            // A later chunk must be better, so that the first of equal ones stays.
            if found.1.beats(chosen.1) {
                *chosen = found;
            }
        }
    }
    // Of several chunks, the best one is known only now.
    for from in (0..if counts { 0 } else { all.trials() }).step_by(CHUNK) {
        let (chunk, known) = (&Chunk::of(all, from), &chosen);
        let below = hands.map(masks.len(), FEWEST, |range| {
            simd::run(Below { chunk, masks: &masks[range.clone()], chosen: &known[range] })
        });
        for ((chosen, _), below) in chosen.iter_mut().flatten().zip(below.into_iter().flatten()) {
            chosen.below += below;
        }
    }
    chosen.into_iter().map(|sides| sides.map(|(chosen, _)| chosen)).collect()
}
