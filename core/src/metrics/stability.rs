//! Stability: how straight the logarithm of wealth grows. R² of `ln W_t` on `t`, as empyrical's
//! `stability_of_timeseries`.

use super::extremes::{BLOCK, Extremes};
use super::{NOISE, striped};
use crate::num;
use crate::simd::{Eight, LANES};

/// R² of the least-squares line through the logarithm of equity; NaN below two sessions, after a total loss, and for
/// equity that never changes. `blocks` are the extremes of its blocks.
///
/// The line through `ln W_t` fits as well as the one through the cumulated log returns, which differ from it by a
/// constant, and needs no running sum.
#[inline(always)]
pub(super) fn r_squared<E: Eight>(equity: &[f64], blocks: &[Extremes], scratch: &mut Vec<f64>) -> f64 {
    let n = equity.len() as f64;
    if n < 2.0 || !blocks.iter().all(|block| block.lowest >= f64::MIN_POSITIVE) {
        return num::NAN;
    }
    let sum = logarithms::<E>(equity, blocks, scratch);
    let (mean, middle) = (E::splat(sum / n), E::splat((n - 1.0) / 2.0));
    // Session i goes to stripe i mod 8.
    let mut places = E::load(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    let [mut syy, mut sxy] = [E::zero(); 2];
    let (vectors, rest) = scratch.as_chunks::<LANES>();
    for vector in vectors {
        let [yy, xy] = terms(E::load(vector), places, mean, middle);
        (syy, sxy) = (syy.add(yy), sxy.add(xy));
        places = places.add(E::splat(LANES as f64));
    }
    let last = if rest.is_empty() { None } else { Some(terms(E::load(&striped::padded(rest)), places, mean, middle)) };
    let [syy, sxy] = striped::total([syy, sxy], last, rest.len());
    if num::sqrt(syy / n) <= NOISE {
        return num::NAN;
    }
    let sxx = n * (n * n - 1.0) / 12.0;
    (sxy * sxy / (sxx * syy)).min(1.0)
}

/// What one logarithm adds to the sums of squares and of products.
#[inline(always)]
fn terms<E: Eight>(y: E, places: E, mean: E, middle: E) -> [E; 2] {
    let d = y.sub(mean);
    [d.mul(d), d.mul(places.sub(middle))]
}

/// Most by which equity may change within a block for the series of [`ln_ratio`].
const STEP: f64 = 1.2;

/// `ln(e_i / e_0)`, block after block: within one, the logarithm of the ratio to the last session before it. Gives their
/// sum: blocks are whole vectors, so that each session goes to its stripe.
#[inline(always)]
fn logarithms<E: Eight>(equity: &[f64], blocks: &[Extremes], out: &mut Vec<f64>) -> f64 {
    out.resize(equity.len(), 0.0);
    let (mut base, mut log) = (equity[0], 0.0);
    let (mut stripes, mut end) = (E::zero(), None);
    for ((values, out), block) in equity.chunks(BLOCK).zip(out.chunks_mut(BLOCK)).zip(blocks) {
        if block.highest <= STEP * base && base <= STEP * block.lowest {
            let (vectors, rest) = values.as_chunks::<LANES>();
            let (vectors_out, rest_out) = out.as_chunks_mut::<LANES>();
            for (vector, out) in vectors.iter().zip(vectors_out) {
                let logs = ln_ratio(E::load(vector), E::splat(base)).add(E::splat(log));
                stripes = stripes.add(logs);
                logs.store(out);
            }
            if !rest.is_empty() {
                let mut padded = [base; LANES];
                padded[..rest.len()].copy_from_slice(rest);
                let logs = ln_ratio(E::load(&padded), E::splat(base)).add(E::splat(log));
                rest_out.copy_from_slice(&logs.array()[..rest.len()]);
                end = Some([logs]);
            }
        } else {
            for (value, out) in values.iter().zip(out.iter_mut()) {
                *out = log + num::ln(value / base);
            }
            let (vectors, rest) = out.as_chunks();
            for vector in vectors {
                stripes = stripes.add(E::load(vector));
            }
            end = (!rest.is_empty()).then(|| [E::load(&striped::padded(rest))]);
        }
        if let (Some(&value), Some(&last)) = (values.last(), out.last()) {
            (base, log) = (value, last);
        }
    }
    let [sum] = striped::total([stripes], end, equity.len() % LANES);
    sum
}

/// `ln(x / b)` of numbers that differ by at most a factor of [`STEP`]: `2 artanh(u)` with `u = (x − b) / (x + b)`, cut after
/// `u¹⁵`; wrong by less than 3e-16.
#[inline(always)]
fn ln_ratio<E: Eight>(x: E, b: E) -> E {
    let u = x.sub(b).div(x.add(b));
    let s = u.mul(u);
    let mut tail = E::splat(1.0 / 15.0);
    for denominator in [13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        tail = E::splat(1.0 / denominator).add(s.mul(tail));
    }
    let half = u.add(u.mul(s.mul(tail)));
    half.add(half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::extremes;
    use crate::simd::Plain;

    fn growth(returns: &[f64]) -> Vec<f64> {
        let mut worth = 1e5;
        returns
            .iter()
            .map(|r| {
                worth *= 1.0 + r;
                worth
            })
            .collect()
    }

    fn r_squared(equity: &[f64]) -> f64 {
        let mut blocks = Vec::new();
        extremes::of_blocks::<Plain>(equity, &mut blocks);
        super::r_squared::<Plain>(equity, &blocks, &mut Vec::new())
    }

    #[test]
    fn the_series_is_the_logarithm() {
        for k in -1000..=1000 {
            let x = 1e5 * (1.0 + f64::from(k) / 6000.0);
            let (found, exact) = (ln_ratio(Plain::splat(x), Plain::splat(1e5)).array()[3], num::ln(x / 1e5));
            assert!((found - exact).abs() <= 3e-16, "ln {x} = {found} {exact}");
        }
    }

    #[test]
    fn logarithms_of_wild_and_of_calm_blocks_join() {
        // The last block is calm or wild, and its end fills no vector.
        for last in [0.002, 4.0] {
            let mut rates = [0.001, -0.002, 0.01].repeat(41);
            (rates[50], rates[90], rates[122]) = (7.0, -0.9, last);
            let equity = growth(&rates);
            let (mut blocks, mut logs) = (Vec::new(), Vec::new());
            extremes::of_blocks::<Plain>(&equity, &mut blocks);
            let sum = logarithms::<Plain>(&equity, &blocks, &mut logs);
            for (e, log) in equity.iter().zip(&logs) {
                assert!((log - num::ln(e / equity[0])).abs() < 2e-15);
            }
            let [in_stripes] = striped::sums::<Plain, 1>(&logs, |y| [y]);
            assert_eq!(sum, in_stripes);
        }
    }

    #[test]
    fn steady_growth_is_perfectly_stable() {
        assert!((r_squared(&growth(&[0.01; 50])) - 1.0).abs() < 1e-12);
        assert!((r_squared(&growth(&[0.5; 50])) - 1.0).abs() < 1e-12);
        assert!((r_squared(&growth(&[0.01, -0.02])) - 1.0).abs() < 1e-12, "two points lie on a line");
    }

    #[test]
    fn undefined_without_movement_or_after_a_total_loss() {
        assert!(r_squared(&growth(&[0.0; 50])).is_nan());
        assert!(r_squared(&growth(&[0.01])).is_nan());
        assert!(r_squared(&growth(&[0.01, 0.01, -1.0])).is_nan());
    }
}
