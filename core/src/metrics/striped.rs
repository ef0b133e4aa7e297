//! Sums in eight fixed stripes: the order is part of the result's definition, and leaves room for any SIMD width.
//!
//! Term `i` is added to stripe `i mod 8`; in the end stripes are added as
//! `((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))`.

/// Number of stripes; a part of the engine's format, not of the machine.
pub(super) const STRIPES: usize = 8;

/// The sums of the `K` terms that `term` makes of each value.
#[inline(always)]
pub(super) fn sums<const K: usize>(values: &[f64], term: impl Fn(f64) -> [f64; K]) -> [f64; K] {
    let mut stripes = [[0.0; STRIPES]; K];
    let (blocks, rest) = values.as_chunks::<STRIPES>();
    for block in blocks {
        for (lane, &value) in block.iter().enumerate() {
            add(&mut stripes, lane, term(value));
        }
    }
    for (lane, &value) in rest.iter().enumerate() {
        add(&mut stripes, lane, term(value));
    }
    stripes.map(fold)
}

/// The same over two columns side by side, as long as the shorter one.
#[inline(always)]
pub(super) fn sums2<const K: usize>(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> [f64; K]) -> [f64; K] {
    let len = a.len().min(b.len());
    let mut stripes = [[0.0; STRIPES]; K];
    let (blocks_a, rest_a) = a[..len].as_chunks::<STRIPES>();
    let (blocks_b, rest_b) = b[..len].as_chunks::<STRIPES>();
    for (block_a, block_b) in blocks_a.iter().zip(blocks_b) {
        for lane in 0..STRIPES {
            add(&mut stripes, lane, term(block_a[lane], block_b[lane]));
        }
    }
    for (lane, (&x, &y)) in rest_a.iter().zip(rest_b).enumerate() {
        add(&mut stripes, lane, term(x, y));
    }
    stripes.map(fold)
}

#[inline(always)]
fn add<const K: usize>(stripes: &mut [[f64; STRIPES]; K], lane: usize, terms: [f64; K]) {
    for (stripe, term) in stripes.iter_mut().zip(terms) {
        stripe[lane] += term;
    }
}

/// The sum of all stripes.
pub(super) fn fold(s: [f64; STRIPES]) -> f64 {
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_counts_once_at_any_length() {
        for len in 0..40 {
            let values: Vec<f64> = (1..=len).map(f64::from).collect();
            let n = f64::from(len);
            assert_eq!(sums(&values, |x| [x, 1.0]), [n * (n + 1.0) / 2.0, n]);
            assert_eq!(sums2(&values, &values, |x, y| [x - y, x * y]), [0.0, n * (n + 1.0) * (2.0 * n + 1.0) / 6.0]);
        }
    }

    #[test]
    fn the_order_of_additions_is_the_documented_one() {
        // With these magnitudes any other grouping loses or keeps a different 1.
        let values: [f64; 9] = [1e16, 1.0, -1e16, 1.0, 1.0, -1.0, 1.0, 3.0, 1.0];
        let s = [1e16 + 1.0, 1.0, -1e16, 1.0, 1.0, -1.0, 1.0, 3.0];
        let expected: f64 = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
        assert_eq!(sums(&values, |x| [x])[0].to_bits(), expected.to_bits());
    }
}
