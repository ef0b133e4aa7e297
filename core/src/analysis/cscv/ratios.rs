//! Sharpe ratios of all trials over a half of the blocks.

use super::super::BlockSums;
use super::tables::{SMALLEST, parts};
use crate::metrics::NOISE;
use crate::num;
use crate::simd::{self, Eight, LANES, Work};

/// Sharpe ratios from sums and sums of squares over `n` returns, ddof 1; NaN without deviation.
#[inline(always)]
pub(super) fn sharpe_ratios([sums, squares]: &[[f64; LANES]; 2], n: f64) -> [f64; LANES] {
    let mut ratios = [num::NAN; LANES];
    for ((ratio, sum), squares) in ratios.iter_mut().zip(sums).zip(squares) {
        let mean = sum / n;
        let deviation = num::sqrt((squares - n * mean * mean) / (n - 1.0));
        let some = mean / deviation;
        *ratio = if deviation > NOISE * mean.abs().max(1.0) { some } else { num::NAN };
    }
    ratios
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
            let mut ratios = sharpe_ratios(&sums, count);
            for ((ratio, sum), squares) in ratios.iter_mut().zip(sums[0]).zip(sums[1]) {
                let none = (sum == 0.0) & (squares <= SMALLEST);
                *ratio = if none { 0.0 } else { *ratio };
            }
            out.extend_from_slice(&ratios);
        }
        // Behind the last trial.
        out.truncate(end);
    }
}
