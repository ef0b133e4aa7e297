//! Stability: how straight the logarithm of wealth grows. R² of `ln W_t` on `t`, as empyrical's
//! `stability_of_timeseries`.

use super::{NOISE, striped};
use crate::num;

/// Returns up to this size take the series of [`ln_growth`], whose error is then below 1e-16 of the value.
const SERIES_UP_TO: f64 = 0.1;

/// R² of the least-squares line through the cumulated log returns; NaN below two returns, after a total loss, and
/// for wealth that never changes.
pub(super) fn r_squared(returns: &[f64], scratch: &mut Vec<f64>) -> f64 {
    let n = returns.len() as f64;
    if n < 2.0 || returns.iter().fold(false, |lost, &r| lost | (r <= -1.0)) {
        return num::NAN;
    }
    scratch.clear();
    scratch.extend(returns.iter().map(|&r| ln_growth(r)));
    let mut wealth = 0.0;
    for (slot, &r) in scratch.iter_mut().zip(returns) {
        wealth += if r.abs() <= SERIES_UP_TO { *slot } else { num::ln_1p(r) };
        *slot = wealth;
    }
    let [sum] = striped::sums(scratch, |y| [y]);
    let (mean, middle) = (sum / n, (n - 1.0) / 2.0);
    let (mut syy, mut sxy) = ([0.0; 4], [0.0; 4]);
    // Session i goes to stripe i mod 4.
    let mut add = |lane: usize, i: f64, y: f64| {
        let d = y - mean;
        syy[lane] += d * d;
        sxy[lane] += d * (i - middle);
    };
    let (blocks, rest) = scratch.as_chunks::<4>();
    let mut places = [0.0, 1.0, 2.0, 3.0];
    for block in blocks {
        for lane in 0..4 {
            add(lane, places[lane], block[lane]);
        }
        places = places.map(|i| i + 4.0);
    }
    for (lane, &y) in rest.iter().enumerate() {
        add(lane, places[lane], y);
    }
    let total = |s: [f64; 4]| (s[0] + s[2]) + (s[1] + s[3]);
    let (syy, sxy) = (total(syy), total(sxy));
    if num::sqrt(syy / n) <= NOISE {
        return num::NAN;
    }
    let sxx = n * (n * n - 1.0) / 12.0;
    (sxy * sxy / (sxx * syy)).min(1.0)
}

/// `ln(1 + r)` for small returns: `2 artanh(u)` with `u = r / (2 + r)`, cut after `u¹¹`. A tenth of the cost of the
/// general logarithm, and the compiler can do several sessions at once.
#[inline(always)]
fn ln_growth(r: f64) -> f64 {
    let u = r / (2.0 + r);
    let s = u * u;
    let tail = s * (1.0 / 3.0 + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * (1.0 / 9.0 + s * (1.0 / 11.0)))));
    2.0 * (u + u * tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_the_logarithm() {
        for k in -1000..=1000 {
            let r = f64::from(k) / 1000.0 * SERIES_UP_TO;
            let exact = num::ln_1p(r);
            assert!((ln_growth(r) - exact).abs() <= 4e-16 * exact.abs(), "r = {r}");
        }
    }

    #[test]
    fn steady_growth_is_perfectly_stable() {
        assert!((r_squared(&[0.01; 50], &mut Vec::new()) - 1.0).abs() < 1e-12);
        assert!((r_squared(&[0.5; 50], &mut Vec::new()) - 1.0).abs() < 1e-12, "large returns take the exact logarithm");
        assert!((r_squared(&[0.01, -0.02], &mut Vec::new()) - 1.0).abs() < 1e-12, "two points lie on a line");
    }

    #[test]
    fn undefined_without_movement_or_after_a_total_loss() {
        assert!(r_squared(&[0.0; 50], &mut Vec::new()).is_nan());
        assert!(r_squared(&[0.01], &mut Vec::new()).is_nan());
        assert!(r_squared(&[0.01, 0.01, -1.0], &mut Vec::new()).is_nan());
    }
}
