//! Sums in eight fixed stripes: the order is part of the result's definition, and leaves room for any SIMD width.
//!
//! Term `i` is added to stripe `i mod 8`; in the end stripes are added as
//! `((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))`.

use crate::simd::{Eight, LANES};

/// The sums of the `K` terms that `term` makes of each value.
#[inline(always)]
pub(crate) fn sums<E: Eight, const K: usize>(values: &[f64], term: impl Fn(E) -> [E; K]) -> [f64; K] {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut stripes = [E::zero(); K];
    for block in blocks {
        add(&mut stripes, term(E::load(block)));
    }
    let last = if rest.is_empty() { None } else { Some(term(E::load(&padded(rest)))) };
    total(stripes, last, rest.len())
}

/// The same over two columns side by side, which are equally long.
#[inline(always)]
pub(crate) fn sums2<E: Eight, const K: usize>(a: &[f64], b: &[f64], term: impl Fn(E, E) -> [E; K]) -> [f64; K] {
    let (blocks_a, rest_a) = a.as_chunks::<LANES>();
    let (blocks_b, rest_b) = b.as_chunks::<LANES>();
    let mut stripes = [E::zero(); K];
    for (a, b) in blocks_a.iter().zip(blocks_b) {
        add(&mut stripes, term(E::load(a), E::load(b)));
    }
    let rest = rest_a.len().min(rest_b.len());
    let last = if rest == 0 { None } else { Some(term(E::load(&padded(rest_a)), E::load(&padded(rest_b)))) };
    total(stripes, last, rest)
}

/// The values of a block that is not full, and zeros.
#[inline(always)]
pub(super) fn padded(rest: &[f64]) -> [f64; LANES] {
    let mut block = [0.0; LANES];
    for (place, &value) in block.iter_mut().zip(rest) {
        *place = value;
    }
    block
}

#[inline(always)]
fn add<E: Eight, const K: usize>(stripes: &mut [E; K], terms: [E; K]) {
    for (stripe, term) in stripes.iter_mut().zip(terms) {
        *stripe = stripe.add(term);
    }
}

/// The sums of all stripes, after the terms of the last `rest` values are added to the first ones.
#[inline(always)]
pub(super) fn total<E: Eight, const K: usize>(stripes: [E; K], last: Option<[E; K]>, rest: usize) -> [f64; K] {
    let mut sums = [0.0; K];
    for (k, sum) in sums.iter_mut().enumerate() {
        let mut stripe = stripes[k].array();
        if let Some(last) = last {
            for (stripe, term) in stripe.iter_mut().zip(last[k].array()).take(rest) {
                *stripe += term;
            }
        }
        *sum = fold(stripe);
    }
    sums
}

/// The sum of all stripes.
#[inline(always)]
pub(crate) fn fold(s: [f64; LANES]) -> f64 {
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Plain;

    #[test]
    fn every_value_counts_once_at_any_length() {
        for n in 0..40_u32 {
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            let expected = f64::from(n * (n + 1) / 2);
            assert_eq!(sums::<Plain, 2>(&values, |x| [x, x.add(x)]), [expected, 2.0 * expected]);
            assert_eq!(sums2::<Plain, 1>(&values, &values, |x, y| [x.sub(y)]), [0.0]);
        }
    }

    #[test]
    fn the_order_is_the_documented_one() {
        let values: Vec<f64> = (0..21).map(|k| 0.1 * f64::from(k) + 1e-9).collect();
        let mut s = [0.0; LANES];
        for (i, value) in values.iter().enumerate() {
            s[i % LANES] += value;
        }
        assert_eq!(sums::<Plain, 1>(&values, |x| [x]), [fold(s)]);
    }
}
