//! Eight lanes in four vectors of WebAssembly, which are part of the module from its build on.

use std::arch::wasm32::*;

use super::eight::{Eight, LANES, Work};

#[inline(always)]
pub(super) fn widest<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[inline(always)]
pub(super) fn run<W: Work>(work: W) -> W::Output {
    work.run::<Four>()
}

pub(super) fn width() -> u32 {
    128
}

pub(super) fn limit(_bits: u32) {}

/// Four vectors of 128 bits; masks are vectors of all ones or all zeros.
#[derive(Clone, Copy)]
struct Four([v128; 4]);

impl Four {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(v128, v128) -> v128) -> [v128; 4] {
        let (a, b) = (self.0, other.0);
        [f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])]
    }
}

impl Eight for Four {
    type Mask = [v128; 4];
    /// Whole numbers of 64 bits.
    type Count = [v128; 4];
    const VECTORS: usize = 4;
    const FEW: u32 = 2;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        Four([f64x2_splat(x); 4])
    }

    #[inline(always)]
    fn load(from: &[f64; LANES]) -> Self {
        let pair = |k: usize| f64x2(from[k], from[k + 1]);
        Four([pair(0), pair(2), pair(4), pair(6)])
    }

    #[inline(always)]
    fn store(self, to: &mut [f64; LANES]) {
        for (pair, vector) in to.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [f64x2_extract_lane::<0>(vector), f64x2_extract_lane::<1>(vector)];
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Four(self.zip(other, |a, b| f64x2_add(a, b)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Four(self.zip(other, |a, b| f64x2_sub(a, b)))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Four(self.zip(other, |a, b| f64x2_mul(a, b)))
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Four(self.zip(other, |a, b| f64x2_div(a, b)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Four(self.0.map(|a| f64x2_abs(a)))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // `pmin(b, a)` is `if a < b { a } else { b }`.
        Four(self.zip(other, |a, b| f64x2_pmin(b, a)))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // `pmax(b, a)` is `if b < a { a } else { b }`.
        Four(self.zip(other, |a, b| f64x2_pmax(b, a)))
    }

    #[inline(always)]
    fn lt(self, other: Self) -> [v128; 4] {
        self.zip(other, |a, b| f64x2_lt(a, b))
    }

    #[inline(always)]
    fn le(self, other: Self) -> [v128; 4] {
        self.zip(other, |a, b| f64x2_le(a, b))
    }

    #[inline(always)]
    fn eq(self, other: Self) -> [v128; 4] {
        self.zip(other, |a, b| f64x2_eq(a, b))
    }

    #[inline(always)]
    fn unordered(self, other: Self) -> [v128; 4] {
        self.zip(other, |a, b| v128_or(f64x2_ne(a, a), f64x2_ne(b, b)))
    }

    #[inline(always)]
    fn select(mask: [v128; 4], then: Self, other: Self) -> Self {
        // Written out, it is a single operation where one of both is zero; elsewhere it becomes the same instruction.
        let pick = |k: usize| v128_or(v128_and(mask[k], then.0[k]), v128_andnot(other.0[k], mask[k]));
        Four([pick(0), pick(1), pick(2), pick(3)])
    }

    #[inline(always)]
    fn none() -> [v128; 4] {
        [i64x2_splat(0); 4]
    }

    /// A lane that is set has all bits set, which is −1: to gather the bits of four vectors in one number takes longer.
    #[inline(always)]
    fn tally(count: [v128; 4], mask: [v128; 4]) -> [v128; 4] {
        Four(count).zip(Four(mask), |count, mask| i64x2_sub(count, mask))
    }

    #[inline(always)]
    fn counted(counts: [v128; 4]) -> u32 {
        let count = i64x2_add(i64x2_add(counts[0], counts[1]), i64x2_add(counts[2], counts[3]));
        (i64x2_extract_lane::<0>(count) + i64x2_extract_lane::<1>(count)) as u32
    }

    #[inline(always)]
    fn any(mask: [v128; 4]) -> bool {
        v128_any_true(v128_or(v128_or(mask[0], mask[1]), v128_or(mask[2], mask[3])))
    }

    #[inline(always)]
    fn bits(mask: [v128; 4]) -> u8 {
        let two = |k: usize| i64x2_bitmask(mask[k]) << (2 * k);
        two(0) | two(1) | two(2) | two(3)
    }

    #[inline(always)]
    fn mask(bits: u8) -> [v128; 4] {
        let bits = i64x2_splat(bits.into());
        let two = |k: u32| {
            let places = i64x2(1 << (2 * k), 2 << (2 * k));
            i64x2_eq(v128_and(bits, places), places)
        };
        [two(0), two(1), two(2), two(3)]
    }

    #[inline(always)]
    fn both(a: [v128; 4], b: [v128; 4]) -> [v128; 4] {
        Four(a).zip(Four(b), |a, b| v128_and(a, b))
    }

    #[inline(always)]
    fn either(a: [v128; 4], b: [v128; 4]) -> [v128; 4] {
        Four(a).zip(Four(b), |a, b| v128_or(a, b))
    }

    #[inline(always)]
    fn without(a: [v128; 4], b: [v128; 4]) -> [v128; 4] {
        Four(a).zip(Four(b), |a, b| v128_andnot(a, b))
    }
}
