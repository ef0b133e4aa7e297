//! The widest vector instructions that the processor has, chosen while the program runs.
//!
//! Given a piece of work that is inlined whole, this file runs a copy of it compiled for the processor at hand. It never
//! changes a result: every copy does the same operations in the same order, because rustc neither fuses nor reorders
//! floating-point operations; wider instructions only do several of them at once. In WebAssembly the vector
//! instructions are those that the module was built with.

#[expect(clippy::needless_range_loop, reason = "a lane is a place in several arrays at once")]
mod eight;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "vectors written as arrays became scalar code, at a third of the speed")]
mod x86;

#[cfg(any(test, not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))))]
pub(crate) use eight::Plain;
pub use eight::{Eight, LANES, Work};

#[cfg(target_arch = "x86_64")]
use std::sync::atomic::{AtomicU8, Ordering};

/// What was found out about the processor: 0 nothing yet, then the level plus one.
#[cfg(target_arch = "x86_64")]
static LEVEL: AtomicU8 = AtomicU8::new(0);

/// Runs `work` with the widest vector instructions at hand. `work` and what it calls take part as far as they are
/// inlined: write `widest(#[inline(always)] || …)`.
#[inline(always)]
pub fn widest<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "each copy is called only where the processor was found to have its instructions")]
    match level() {
        // SAFETY: `level` found all features that `with_512` is compiled for.
        3 => return unsafe { with_512(work) },
        // SAFETY: `level` found all features that `with_256` is compiled for.
        2 => return unsafe { with_256(work) },
        _ => {}
    }
    work()
}

/// Runs `work` over the widest vectors at hand.
#[inline(always)]
pub fn run<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "each copy is called only where the processor was found to have its instructions")]
    return match level() {
        // SAFETY: `level` found all features that `with_512` is compiled for.
        3 => unsafe {
            with_512(
                #[inline(always)]
                || work.run::<x86::Wide>(),
            )
        },
        // SAFETY: `level` found all features that `with_256` is compiled for.
        2 => unsafe {
            with_256(
                #[inline(always)]
                || work.run::<x86::Pair>(),
            )
        },
        _ => work.run::<x86::Four>(),
    };
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return work.run::<wasm::Four>();
    #[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
    return work.run::<Plain>();
}

/// Bits of the vectors that [`widest`] uses here, for records and reports.
pub fn width() -> u32 {
    #[cfg(target_arch = "x86_64")]
    return match level() {
        3 => 512,
        2 => 256,
        _ => 128,
    };
    #[cfg(not(target_arch = "x86_64"))]
    return if cfg!(any(target_feature = "simd128", target_arch = "aarch64")) { 128 } else { 64 };
}

/// Lets [`widest`] use vectors of at most so many bits, for tests that compare the copies; 0 is no limit.
pub fn limit(bits: u32) {
    #[cfg(target_arch = "x86_64")]
    {
        let most = match bits {
            0 | 512.. => 3,
            256..512 => 2,
            _ => 1,
        };
        LEVEL.store(found().min(most), Ordering::Relaxed);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bits;
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn level() -> u8 {
    match LEVEL.load(Ordering::Relaxed) {
        0 => detect(),
        level => level,
    }
}

#[cfg(target_arch = "x86_64")]
#[cold]
fn detect() -> u8 {
    let level = found();
    LEVEL.store(level, Ordering::Relaxed);
    level
}

#[cfg(target_arch = "x86_64")]
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

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn with_512<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn with_256<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation on lanes of awkward numbers, against plain arithmetic.
    struct Everything;

    impl Work for Everything {
        type Output = Vec<u64>;

        fn run<E: Eight>(self) -> Vec<u64> {
            let numbers = [0.0, -0.0, 1.5, -2.25, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-310];
            let mut out = Vec::new();
            for turn in 0..LANES {
                let mut turned = numbers;
                turned.rotate_left(turn);
                let (a, b) = (E::load(&numbers), E::load(&turned));
                for value in [a.add(b), a.sub(b), a.mul(b), a.div(b), a.abs(), a.min(b), a.max(b), E::splat(7.5)] {
                    out.extend(value.array().map(|x| crate::num::canonical(x).to_bits()));
                }
                for mask in [a.lt(b), a.le(b), a.eq(b), a.unordered(b)] {
                    out.push(E::bits(mask).into());
                    out.extend(E::select(mask, a, b).array().map(|x| crate::num::canonical(x).to_bits()));
                }
            }
            out
        }
    }

    #[test]
    fn lanes_do_what_plain_arithmetic_does() {
        let plain = Everything.run::<Plain>();
        for bits in [64, 256, 512, 0] {
            limit(bits);
            assert_eq!(run(Everything), plain, "{} bits", width());
        }
    }

    #[test]
    fn every_width_gives_the_same_bits() {
        let values: Vec<f64> = (0..1000).map(|k| f64::from(k * 7919 % 1009) / 7.0).collect();
        let sum = || {
            widest(
                #[inline(always)]
                || values.iter().map(|x| x * x - 3.0 / (x + 1.0)).fold([0.0; 2], |[a, b], x| [b, a + x]),
            )
        };
        let widths = [64, 256, 512, 0].map(|bits| {
            limit(bits);
            (width(), sum().map(f64::to_bits))
        });
        assert!(widths.iter().all(|(_, bits)| *bits == widths[0].1), "{widths:?}");
        assert!(widths[0].0 <= widths[3].0);
    }
}
