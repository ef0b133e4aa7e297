//! Highest and lowest equity of blocks of sessions, which tell drawdowns and logarithms where to look closely.

use crate::simd::{Eight, LANES};

/// Sessions of one block.
pub(super) const BLOCK: usize = 4 * LANES;

/// The extremes of one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extremes {
    pub lowest: f64,
    pub highest: f64,
}

/// The extremes of every block of `equity`, the last one as long as there are sessions.
#[inline(always)]
pub(super) fn of_blocks<E: Eight>(equity: &[f64], out: &mut Vec<Extremes>) {
    out.clear();
    let (blocks, rest) = equity.as_chunks::<BLOCK>();
    for block in blocks {
        out.push(of_block::<E>(block));
    }
    if let Some(&first) = rest.first() {
        let mut block = [first; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        out.push(of_block::<E>(&block));
    }
}

#[inline(always)]
fn of_block<E: Eight>(block: &[f64; BLOCK]) -> Extremes {
    let (vectors, _) = block.as_chunks::<LANES>();
    let [mut low, mut high] = [E::load(&vectors[0]); 2];
    for vector in &vectors[1..] {
        let vector = E::load(vector);
        (low, high) = (vector.min(low), vector.max(high));
    }
    Extremes { lowest: lowest(low.array()), highest: highest(high.array()) }
}

/// The least of eight numbers.
#[inline(always)]
pub(super) fn lowest(s: [f64; LANES]) -> f64 {
    let pick = |a: f64, b: f64| if b < a { b } else { a };
    pick(pick(pick(s[0], s[4]), pick(s[2], s[6])), pick(pick(s[1], s[5]), pick(s[3], s[7])))
}

/// The greatest of eight numbers.
#[inline(always)]
pub(super) fn highest(s: [f64; LANES]) -> f64 {
    let pick = |a: f64, b: f64| if b > a { b } else { a };
    pick(pick(pick(s[0], s[4]), pick(s[2], s[6])), pick(pick(s[1], s[5]), pick(s[3], s[7])))
}
