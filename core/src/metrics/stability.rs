//! Stability: how straight the logarithm of wealth grows. R² of `ln W_t` on `t`, as empyrical's
//! `stability_of_timeseries`.

use super::NOISE;
use super::striped::{self, STRIPES};
use crate::num;

/// R² of the least-squares line through the logarithm of equity; NaN below two sessions, after a total loss, and for
/// equity that never changes.
///
/// The line through `ln W_t` fits as well as the one through the cumulated log returns, which differ from it by a
/// constant, and needs no running sum.
#[inline(always)]
pub(super) fn r_squared(equity: &[f64], scratch: &mut Vec<f64>) -> f64 {
    let n = equity.len() as f64;
    // Nothing is traded in amounts near the smallest numbers, whose logarithm `ln` does not know.
    if n < 2.0 || !equity.iter().fold(true, |ok, &e| ok & (e >= f64::MIN_POSITIVE)) {
        return num::NAN;
    }
    scratch.resize(equity.len(), 0.0);
    for (y, &e) in scratch.iter_mut().zip(equity) {
        *y = ln(e);
    }
    let [sum] = striped::sums(scratch, |y| [y]);
    let (mean, middle) = (sum / n, (n - 1.0) / 2.0);
    let (mut syy, mut sxy) = ([0.0; STRIPES], [0.0; STRIPES]);
    // Session i goes to stripe i mod 8.
    let mut add = |lane: usize, i: f64, y: f64| {
        let d = y - mean;
        syy[lane] += d * d;
        sxy[lane] += d * (i - middle);
    };
    let (blocks, rest) = scratch.as_chunks::<STRIPES>();
    let mut places = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    for block in blocks {
        for lane in 0..STRIPES {
            add(lane, places[lane], block[lane]);
        }
        places = places.map(|i| i + STRIPES as f64);
    }
    for (lane, &y) in rest.iter().enumerate() {
        add(lane, places[lane], y);
    }
    let (syy, sxy) = (striped::fold(syy), striped::fold(sxy));
    if num::sqrt(syy / n) <= NOISE {
        return num::NAN;
    }
    let sxx = n * (n * n - 1.0) / 12.0;
    (sxy * sxy / (sxx * syy)).min(1.0)
}

/// `ln x` of a positive normal number, without branches, so that the compiler does several sessions at once: the
/// exponent apart, then `2 artanh(u)` with `u = (m − 1) / (m + 1)` and `√½ ≤ m < √2`, cut after `u¹⁹`; wrong by less than 3e-16 of
/// the larger of 1 and the result.
#[inline(always)]
fn ln(x: f64) -> f64 {
    /// The bits of √½, where one octave begins.
    const BEGIN: u64 = 0x3fe6_a09e_667f_3bcd;
    /// 2^52 as a number: what is added to its last bits is an integer in its own right.
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    // 1023 is added, so that nothing is below zero.
    let octave = (x.to_bits() + (1023 << 52) - BEGIN) >> 52;
    let m = f64::from_bits(x.to_bits() + (1023 << 52) - (octave << 52));
    let exponent = f64::from_bits(TWO_52.to_bits() + octave) - (TWO_52 + 1023.0);
    let u = (m - 1.0) / (m + 1.0);
    let s = u * u;
    let tail = s
        * (1.0 / 3.0
            + s * (1.0 / 5.0
                + s * (1.0 / 7.0
                    + s * (1.0 / 9.0
                        + s * (1.0 / 11.0
                            + s * (1.0 / 13.0 + s * (1.0 / 15.0 + s * (1.0 / 17.0 + s * (1.0 / 19.0)))))))));
    exponent * std::f64::consts::LN_2 + 2.0 * (u + u * tail)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_series_is_the_logarithm() {
        let mut x = f64::MIN_POSITIVE;
        while x < f64::MAX / 2.0 {
            for y in [x, x * 1.000_000_1, x * 1.37, x * std::f64::consts::SQRT_2] {
                let exact = num::ln(y);
                assert!((ln(y) - exact).abs() <= 3e-16 * exact.abs().max(1.0), "ln {y} = {} {exact}", ln(y));
            }
            x *= 1.618;
        }
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn steady_growth_is_perfectly_stable() {
        assert!((r_squared(&growth(&[0.01; 50]), &mut Vec::new()) - 1.0).abs() < 1e-12);
        assert!((r_squared(&growth(&[0.5; 50]), &mut Vec::new()) - 1.0).abs() < 1e-12);
        assert!((r_squared(&growth(&[0.01, -0.02]), &mut Vec::new()) - 1.0).abs() < 1e-12, "two points lie on a line");
    }

    #[test]
    fn undefined_without_movement_or_after_a_total_loss() {
        assert!(r_squared(&growth(&[0.0; 50]), &mut Vec::new()).is_nan());
        assert!(r_squared(&growth(&[0.01]), &mut Vec::new()).is_nan());
        assert!(r_squared(&growth(&[0.01, 0.01, -1.0]), &mut Vec::new()).is_nan());
    }
}
