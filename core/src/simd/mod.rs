//! The widest vector instructions that the processor has, chosen while the program runs.
//!
//! Given a piece of work that is inlined whole, this room runs a copy of it compiled for the processor at hand. It never
//! changes a result: every copy does the same operations in the same order, because rustc neither fuses nor reorders
//! floating-point operations; wider instructions only do several of them at once. In WebAssembly the vector
//! instructions are those that the module was built with.

#[expect(clippy::needless_range_loop, reason = "a lane is a place in several arrays at once")]
mod eight;
// One file for each kind of machine, with the same functions.
#[cfg(target_arch = "x86_64")]
#[path = "x86.rs"]
#[expect(unsafe_code, reason = "vectors written as arrays became scalar code, at a third of the speed")]
mod machine;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "wasm.rs"]
mod machine;
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
#[path = "elsewhere.rs"]
mod machine;

pub use eight::{Eight, LANES, Plain, Work};

/// Runs `work` with the widest vector instructions at hand. `work` and what it calls take part as far as they are
/// inlined: write `widest(#[inline(always)] || …)`.
#[inline(always)]
pub fn widest<R>(work: impl FnOnce() -> R) -> R {
    machine::widest(work)
}

/// Runs `work` over the widest vectors at hand.
#[inline(always)]
pub fn run<W: Work>(work: W) -> W::Output {
    machine::run(work)
}

/// Bits of the vectors that [`widest`] uses here, for records and reports.
pub fn width() -> u32 {
    machine::width()
}

/// Lets [`widest`] use vectors of at most so many bits, for tests that compare the copies; 0 is no limit.
pub fn limit(bits: u32) {
    machine::limit(bits);
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
                let [less, same, odd] = [a.lt(b), a.eq(b), a.unordered(b)];
                let some = E::mask(0b1001_0110_u8.rotate_left(turn as u32));
                let logic = [E::both(some, odd), E::either(less, same), E::without(some, less), some];
                for mask in [less, a.le(b), same, odd].into_iter().chain(logic) {
                    out.push(E::bits(mask).into());
                    out.extend(E::select(mask, a, b).array().map(|x| crate::num::canonical(x).to_bits()));
                    let twice = E::tally(E::tally(E::none(), mask), less);
                    out.extend([u64::from(E::any(mask)), E::counted(twice).into()]);
                    let mut some = [0.0; LANES];
                    let count = a.compress(mask, &mut some);
                    out.push(count as u64);
                    out.extend(some[..count].iter().map(|x| crate::num::canonical(*x).to_bits()));
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
