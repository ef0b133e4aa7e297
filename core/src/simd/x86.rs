//! Eight lanes in the vectors of x86-64: one of 512 bits, two of 256, or four of 128.
//!
//! The types are private to this file: values of them come into being only inside of [`run`], which chose them because
//! the processor has the instructions. That is the proof for every `unsafe` here.

use std::arch::x86_64::*;
use std::sync::atomic::{AtomicU8, Ordering};

use super::eight::{Eight, LANES, Work};

/// What was found out about the processor: 0 nothing yet, then the level plus one.
static LEVEL: AtomicU8 = AtomicU8::new(0);

#[inline(always)]
pub(super) fn widest<R>(work: impl FnOnce() -> R) -> R {
    match level() {
        // SAFETY: `level` found all features that `with_512` is compiled for.
        3 => unsafe { with_512(work) },
        // SAFETY: `level` found all features that `with_256` is compiled for.
        2 => unsafe { with_256(work) },
        _ => work(),
    }
}

#[inline(always)]
pub(super) fn run<W: Work>(work: W) -> W::Output {
    match level() {
        // SAFETY: `level` found all features that `with_512` is compiled for.
        3 => unsafe {
            with_512(
                #[inline(always)]
                || work.run::<Wide>(),
            )
        },
        // SAFETY: `level` found all features that `with_256` is compiled for.
        2 => unsafe {
            with_256(
                #[inline(always)]
                || work.run::<Pair>(),
            )
        },
        _ => work.run::<Four>(),
    }
}

pub(super) fn width() -> u32 {
    match level() {
        3 => 512,
        2 => 256,
        _ => 128,
    }
}

pub(super) fn limit(bits: u32) {
    let most = match bits {
        0 | 512.. => 3,
        256..512 => 2,
        _ => 1,
    };
    LEVEL.store(found().min(most), Ordering::Relaxed);
}

#[inline(always)]
fn level() -> u8 {
    match LEVEL.load(Ordering::Relaxed) {
        0 => detect(),
        level => level,
    }
}

#[cold]
fn detect() -> u8 {
    let level = found();
    LEVEL.store(level, Ordering::Relaxed);
    level
}

fn found() -> u8 {
    macro_rules! all {
        ($($feature:tt),*) => { $(std::is_x86_feature_detected!($feature))&&* };
    }
    if !all!("avx2", "bmi1", "bmi2", "lzcnt", "popcnt") {
        1
    } else if all!("avx512f", "avx512bw", "avx512dq", "avx512vl") {
        3
    } else {
        2
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn with_512<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn with_256<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// One vector of 512 bits; masks are mask registers.
#[derive(Clone, Copy)]
struct Wide(__m512d);

impl Eight for Wide {
    type Mask = __mmask8;
    type Count = u32;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        // SAFETY: see the head of the file.
        Wide(unsafe { _mm512_set1_pd(x) })
    }

    #[inline(always)]
    fn load(from: &[f64; LANES]) -> Self {
        // SAFETY: see the head of the file; the array holds eight numbers, and any alignment will do.
        Wide(unsafe { _mm512_loadu_pd(from.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f64; LANES]) {
        // SAFETY: as for `load`.
        unsafe { _mm512_storeu_pd(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see the head of the file.
        Wide(unsafe { _mm512_add_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see the head of the file.
        Wide(unsafe { _mm512_sub_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see the head of the file.
        Wide(unsafe { _mm512_mul_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see the head of the file.
        Wide(unsafe { _mm512_div_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the head of the file.
        Wide(unsafe { _mm512_abs_pd(self.0) })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see the head of the file.
        Wide(unsafe { _mm512_min_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see the head of the file.
        Wide(unsafe { _mm512_max_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn lt(self, other: Self) -> __mmask8 {
        // SAFETY: see the head of the file.
        unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, other.0) }
    }

    #[inline(always)]
    fn le(self, other: Self) -> __mmask8 {
        // SAFETY: see the head of the file.
        unsafe { _mm512_cmp_pd_mask::<_CMP_LE_OQ>(self.0, other.0) }
    }

    #[inline(always)]
    fn eq(self, other: Self) -> __mmask8 {
        // SAFETY: see the head of the file.
        unsafe { _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(self.0, other.0) }
    }

    #[inline(always)]
    fn unordered(self, other: Self) -> __mmask8 {
        // SAFETY: see the head of the file.
        unsafe { _mm512_cmp_pd_mask::<_CMP_UNORD_Q>(self.0, other.0) }
    }

    #[inline(always)]
    fn select(mask: __mmask8, then: Self, other: Self) -> Self {
        // SAFETY: see the head of the file.
        Wide(unsafe { _mm512_mask_blend_pd(mask, other.0, then.0) })
    }

    #[inline(always)]
    fn compress(self, mask: __mmask8, to: &mut [f64; LANES]) -> usize {
        // SAFETY: see the head of the file; the array holds eight numbers, and any alignment will do.
        unsafe { _mm512_storeu_pd(to.as_mut_ptr(), _mm512_maskz_compress_pd(mask, self.0)) }
        mask.count_ones() as usize
    }

    #[inline(always)]
    fn bits(mask: __mmask8) -> u8 {
        mask
    }

    #[inline(always)]
    fn mask(bits: u8) -> __mmask8 {
        bits
    }

    #[inline(always)]
    fn none() -> u32 {
        0
    }

    #[inline(always)]
    fn tally(count: u32, mask: __mmask8) -> u32 {
        count + mask.count_ones()
    }

    #[inline(always)]
    fn counted(count: u32) -> u32 {
        count
    }

    #[inline(always)]
    fn both(a: __mmask8, b: __mmask8) -> __mmask8 {
        a & b
    }

    #[inline(always)]
    fn either(a: __mmask8, b: __mmask8) -> __mmask8 {
        a | b
    }

    #[inline(always)]
    fn without(a: __mmask8, b: __mmask8) -> __mmask8 {
        a & !b
    }
}

/// Several vectors that together have eight lanes; masks are vectors of all ones or all zeros.
macro_rules! several {
    ($name:ident, $doc:literal, $vector:ty, $count:literal, $width:literal, {
        $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $min:ident, $max:ident,
        $and_not:ident, $bits:ident, $and:ident, $or:ident
    }, $lt:expr, $le:expr, $eq:expr, $unordered:expr, $select:expr, $mask:expr, $less:expr) => {
        #[doc = $doc]
        #[derive(Clone, Copy)]
        struct $name([$vector; $count]);

        impl $name {
            #[inline(always)]
            fn zip(self, other: Self, f: impl Fn($vector, $vector) -> $vector) -> [$vector; $count] {
                let mut out = self.0;
                for k in 0..$count {
                    out[k] = f(self.0[k], other.0[k]);
                }
                out
            }
        }

        impl Eight for $name {
            type Mask = [$vector; $count];
            /// Whole numbers of 64 bits.
            type Count = [$vector; $count];
            const VECTORS: usize = $count;

            #[inline(always)]
            fn splat(x: f64) -> Self {
                // SAFETY: see the head of the file.
                $name([unsafe { $splat(x) }; $count])
            }

            #[inline(always)]
            fn load(from: &[f64; LANES]) -> Self {
                let mut out = Self::splat(0.0).0;
                let (parts, _) = from.as_chunks::<$width>();
                for (out, part) in out.iter_mut().zip(parts) {
                    // SAFETY: see the head of the file; the part holds as many numbers as the vector.
                    *out = unsafe { $load(part.as_ptr()) };
                }
                $name(out)
            }

            #[inline(always)]
            fn store(self, to: &mut [f64; LANES]) {
                let (parts, _) = to.as_chunks_mut::<$width>();
                for (part, vector) in parts.iter_mut().zip(self.0) {
                    // SAFETY: as for `load`.
                    unsafe { $store(part.as_mut_ptr(), vector) }
                }
            }

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: see the head of the file.
                $name(self.zip(other, |a, b| unsafe { $add(a, b) }))
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                // SAFETY: see the head of the file.
                $name(self.zip(other, |a, b| unsafe { $sub(a, b) }))
            }

            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                // SAFETY: see the head of the file.
                $name(self.zip(other, |a, b| unsafe { $mul(a, b) }))
            }

            #[inline(always)]
            fn div(self, other: Self) -> Self {
                // SAFETY: see the head of the file.
                $name(self.zip(other, |a, b| unsafe { $div(a, b) }))
            }

            #[inline(always)]
            fn abs(self) -> Self {
                // SAFETY: see the head of the file.
                $name(self.zip(Self::splat(-0.0), |a, sign| unsafe { $and_not(sign, a) }))
            }

            #[inline(always)]
            fn min(self, other: Self) -> Self {
                // SAFETY: see the head of the file.
                $name(self.zip(other, |a, b| unsafe { $min(a, b) }))
            }

            #[inline(always)]
            fn max(self, other: Self) -> Self {
                // SAFETY: see the head of the file.
                $name(self.zip(other, |a, b| unsafe { $max(a, b) }))
            }

            #[inline(always)]
            fn lt(self, other: Self) -> [$vector; $count] {
                self.zip(other, $lt)
            }

            #[inline(always)]
            fn le(self, other: Self) -> [$vector; $count] {
                self.zip(other, $le)
            }

            #[inline(always)]
            fn eq(self, other: Self) -> [$vector; $count] {
                self.zip(other, $eq)
            }

            #[inline(always)]
            fn unordered(self, other: Self) -> [$vector; $count] {
                self.zip(other, $unordered)
            }

            #[inline(always)]
            fn select(mask: [$vector; $count], then: Self, other: Self) -> Self {
                let mut out = other.0;
                for k in 0..$count {
                    out[k] = $select(mask[k], then.0[k], other.0[k]);
                }
                $name(out)
            }

            #[inline(always)]
            fn bits(mask: [$vector; $count]) -> u8 {
                let mut bits = 0;
                for (k, mask) in mask.into_iter().enumerate() {
                    // SAFETY: see the head of the file.
                    bits |= (unsafe { $bits(mask) } as u8) << (k * $width);
                }
                bits
            }

            #[inline(always)]
            fn mask(bits: u8) -> [$vector; $count] {
                let mut out = Self::splat(0.0).0;
                for (k, out) in out.iter_mut().enumerate() {
                    *out = $mask(bits >> (k * $width));
                }
                out
            }

            #[inline(always)]
            fn none() -> [$vector; $count] {
                Self::splat(0.0).0
            }

            /// A lane that is set has all bits set, which is −1: to gather the bits of several vectors in one number, and to
            /// count them there, takes longer.
            #[inline(always)]
            fn tally(count: [$vector; $count], mask: [$vector; $count]) -> [$vector; $count] {
                $name(count).zip($name(mask), $less)
            }

            #[inline(always)]
            fn counted(count: [$vector; $count]) -> u32 {
                $name(count).array().into_iter().fold(0, |sum, count| sum + count.to_bits() as u32)
            }

            #[inline(always)]
            fn any(mask: [$vector; $count]) -> bool {
                let mut all = mask[0];
                for &mask in &mask[1..] {
                    // SAFETY: see the head of the file.
                    all = unsafe { $or(all, mask) };
                }
                // SAFETY: see the head of the file.
                unsafe { $bits(all) != 0 }
            }

            #[inline(always)]
            fn both(a: [$vector; $count], b: [$vector; $count]) -> [$vector; $count] {
                // SAFETY: see the head of the file.
                $name(a).zip($name(b), |a, b| unsafe { $and(a, b) })
            }

            #[inline(always)]
            fn either(a: [$vector; $count], b: [$vector; $count]) -> [$vector; $count] {
                // SAFETY: see the head of the file.
                $name(a).zip($name(b), |a, b| unsafe { $or(a, b) })
            }

            #[inline(always)]
            fn without(a: [$vector; $count], b: [$vector; $count]) -> [$vector; $count] {
                // SAFETY: see the head of the file.
                $name(a).zip($name(b), |a, b| unsafe { $and_not(b, a) })
            }
        }
    };
}

several!(Pair, "Two vectors of 256 bits.", __m256d, 2, 4, {
    _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_add_pd, _mm256_sub_pd, _mm256_mul_pd, _mm256_div_pd,
    _mm256_min_pd, _mm256_max_pd, _mm256_andnot_pd, _mm256_movemask_pd, _mm256_and_pd, _mm256_or_pd
},
    // SAFETY: see the head of the file.
    |a, b| unsafe { _mm256_cmp_pd::<_CMP_LT_OQ>(a, b) },
    // SAFETY: see the head of the file.
    |a, b| unsafe { _mm256_cmp_pd::<_CMP_LE_OQ>(a, b) },
    // SAFETY: see the head of the file.
    |a, b| unsafe { _mm256_cmp_pd::<_CMP_EQ_OQ>(a, b) },
    // SAFETY: see the head of the file.
    |a, b| unsafe { _mm256_cmp_pd::<_CMP_UNORD_Q>(a, b) },
    // SAFETY: see the head of the file.
    |mask, then, other| unsafe { _mm256_blendv_pd(other, then, mask) },
    |bits: u8| {
        // SAFETY: see the head of the file.
        unsafe {
            let places = _mm256_set_epi64x(8, 4, 2, 1);
            _mm256_castsi256_pd(_mm256_cmpeq_epi64(_mm256_and_si256(_mm256_set1_epi64x(bits.into()), places), places))
        }
    },
    // SAFETY: see the head of the file.
    |a, b| unsafe { _mm256_castsi256_pd(_mm256_sub_epi64(_mm256_castpd_si256(a), _mm256_castpd_si256(b))) }
);

several!(Four, "Four vectors of 128 bits, which every x86-64 has.", __m128d, 4, 2, {
    _mm_set1_pd, _mm_loadu_pd, _mm_storeu_pd, _mm_add_pd, _mm_sub_pd, _mm_mul_pd, _mm_div_pd, _mm_min_pd, _mm_max_pd,
    _mm_andnot_pd, _mm_movemask_pd, _mm_and_pd, _mm_or_pd
},
    // SAFETY: see the head of the file.
    |a, b| unsafe { _mm_cmplt_pd(a, b) },
    // SAFETY: see the head of the file.
    |a, b| unsafe { _mm_cmple_pd(a, b) },
    // SAFETY: see the head of the file.
    |a, b| unsafe { _mm_cmpeq_pd(a, b) },
    // SAFETY: see the head of the file.
    |a, b| unsafe { _mm_cmpunord_pd(a, b) },
    // SAFETY: see the head of the file.
    |mask, then, other| unsafe { _mm_or_pd(_mm_and_pd(mask, then), _mm_andnot_pd(mask, other)) },
    |bits: u8| {
        // SAFETY: see the head of the file.
        unsafe {
            // Halves of the lanes: what is compared is 32 bits wide.
            let places = _mm_set_epi32(2, 2, 1, 1);
            _mm_castsi128_pd(_mm_cmpeq_epi32(_mm_and_si128(_mm_set1_epi32(bits.into()), places), places))
        }
    },
    // SAFETY: see the head of the file.
    |a, b| unsafe { _mm_castsi128_pd(_mm_sub_epi64(_mm_castpd_si128(a), _mm_castpd_si128(b))) }
);
