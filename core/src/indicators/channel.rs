//! Prices of a bar, and channels between the extremes of a window.
//!
//! Given price columns, this module gives columns.

use super::window::{max, min};
use crate::num::NAN;

/// Middle between the largest value of one column and the smallest of another: defined from row n - 1.
pub(super) fn middle(high: &[f64], low: &[f64], period: usize, out: &mut [f64]) {
    let mut lowest = vec![NAN; low.len()];
    min(low, period, &mut lowest);
    max(high, period, out);
    for (out, low) in out.iter_mut().zip(&lowest) {
        *out = (*out + low) / 2.0;
    }
}

/// Donchian channel: highest high, their middle, lowest low of the last n bars, this one included: defined from row
/// n - 1.
pub(super) fn donchian(high: &[f64], low: &[f64], period: usize, outputs: &mut [&mut [f64]]) {
    let [upper, middle, lower] = outputs else { return };
    max(high, period, upper);
    min(low, period, lower);
    for ((middle, upper), lower) in middle.iter_mut().zip(upper.iter()).zip(lower.iter()) {
        *middle = (upper + lower) / 2.0;
    }
}

/// `f(row)` for every row: defined from row 0.
pub(super) fn each(out: &mut [f64], f: impl Fn(usize) -> f64) {
    for (row, out) in out.iter_mut().enumerate() {
        *out = f(row);
    }
}

/// Balance of power: the bar's gain in parts of its range, 0 without a range.
pub(super) fn balance(open: f64, high: f64, low: f64, close: f64) -> f64 {
    let range = high - low;
    if range <= 0.0 { 0.0 } else { (close - open) / range }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::cases::{assert_close, run};

    #[test]
    fn by_hand() {
        let (high, low) = ([3.0, 5.0, 4.0], [1.0, 2.0, 3.0]);
        let channel = run("donchian", &[&high, &low], &[2.0]);
        assert_close(&channel[0], &[NAN, 5.0, 5.0]);
        assert_close(&channel[1], &[NAN, 3.0, 3.5]);
        assert_close(&channel[2], &[NAN, 1.0, 2.0]);
        assert_close(&run("midprice", &[&high, &low], &[2.0])[0], &[NAN, 3.0, 3.5]);
        assert_close(&run("midpoint", &[&high], &[2.0])[0], &[NAN, 4.0, 4.5]);
        assert_close(&run("max", &[&high], &[2.0])[0], &[NAN, 5.0, 5.0]);
        assert_close(&run("min", &[&high], &[2.0])[0], &[NAN, 3.0, 4.0]);
        assert_close(&run("sum", &[&high], &[2.0])[0], &[NAN, 8.0, 9.0]);
        let bar: [&[f64]; 4] = [&[1.0], &[4.0], &[0.0], &[3.0]];
        assert_close(&run("avgprice", &bar, &[])[0], &[2.0]);
        assert_close(&run("bop", &bar, &[])[0], &[0.5]);
        assert_close(&run("medprice", &bar[1..3], &[])[0], &[2.0]);
        assert_close(&run("typprice", &bar[1..], &[])[0], &[7.0 / 3.0]);
        assert_close(&run("wclprice", &bar[1..], &[])[0], &[2.5]);
    }
}
