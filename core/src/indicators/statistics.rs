//! Statistics of sliding windows: variance, bands, regression on time, correlation, mean deviation.
//!
//! Given columns and periods, this module gives columns. Sums slide, measured from a value near the window so that
//! little is lost in the subtraction; they are rebuilt regularly, and at once where a large value has left the
//! window and only its rounding would remain.

use super::window::sma;
use crate::num::{NAN, atan, sqrt};

/// A sum of squares below this part of the largest one since the last rebuild is mostly rounding.
const COLLAPSE: f64 = 1e-6;

/// Windows between two rebuilds.
const REBUILD: usize = 32;

/// Sums over one window of two columns, measured from `shift`.
#[derive(Clone, Copy, Default)]
struct Sums {
    shift: [f64; 2],
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Sums {
    fn add(&mut self, x: f64, y: f64) {
        let (x, y) = (x - self.shift[0], y - self.shift[1]);
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.yy += y * y;
        self.xy += x * y;
    }

    fn remove(&mut self, x: f64, y: f64) {
        let (x, y) = (x - self.shift[0], y - self.shift[1]);
        self.x -= x;
        self.y -= y;
        self.xx -= x * x;
        self.yy -= y * y;
        self.xy -= x * y;
    }

    fn over(shift: [f64; 2], x: &[f64], y: &[f64]) -> Self {
        let mut sums = Sums { shift, ..Sums::default() };
        for (&x, &y) in x.iter().zip(y) {
            sums.add(x, y);
        }
        sums
    }

    /// Sums of squared deviations from the means and of their products, times nothing: (x, y, xy).
    fn centred(&self, count: f64) -> (f64, f64, f64) {
        (self.xx - self.x * self.x / count, self.yy - self.y * self.y / count, self.xy - self.x * self.y / count)
    }

    /// Whether either centred sum has shrunk to the rounding of what the sums have held.
    fn collapsed(&self, count: f64, peak: (f64, f64)) -> bool {
        let (xx, yy, _) = self.centred(count);
        xx < COLLAPSE * peak.0 || yy < COLLAPSE * peak.1
    }

    /// Fresh sums of a window from its means, or from its own last values where it is flat.
    fn rebuilt(x: &[f64], y: &[f64]) -> Self {
        let count = x.len() as f64;
        let mean = |values: &[f64]| values.iter().fold(0.0, |total, v| total + v) / count;
        let sums = Sums::over([mean(x), mean(y)], x, y);
        if !sums.collapsed(count, (sums.xx, sums.yy)) {
            return sums;
        }
        // A flat window's mean may be off by a rounding; its own value is exact and gives exact zeros.
        let (xx, yy, _) = sums.centred(count);
        let shift = [
            if xx < COLLAPSE * sums.xx { x[x.len() - 1] } else { sums.shift[0] },
            if yy < COLLAPSE * sums.yy { y[y.len() - 1] } else { sums.shift[1] },
        ];
        Sums::over(shift, x, y)
    }
}

/// Slides sums of `period` rows over two columns of equal length and hands each full window's to `at(row, sums)`.
fn slide(x: &[f64], y: &[f64], period: usize, mut at: impl FnMut(usize, &Sums)) {
    let count = period as f64;
    let mut sums = Sums::over([x[0], y[0]], &x[..period - 1], &y[..period - 1]);
    let mut peak = (sums.xx, sums.yy);
    let mut left = REBUILD * period;
    for row in period - 1..x.len() {
        sums.add(x[row], y[row]);
        peak = (if sums.xx > peak.0 { sums.xx } else { peak.0 }, if sums.yy > peak.1 { sums.yy } else { peak.1 });
        left -= 1;
        let start = row + 1 - period;
        if left == 0 || sums.collapsed(count, peak) {
            sums = Sums::rebuilt(&x[start..=row], &y[start..=row]);
            peak = (sums.xx, sums.yy);
            left = REBUILD * period;
        }
        at(row, &sums);
        sums.remove(x[start], y[start]);
    }
}

/// Centred sums of squares never fall below zero, and below the rounding of their terms they are zero.
fn floor(centred: f64, raw: f64) -> f64 {
    if centred > 1e-14 * raw { centred } else { 0.0 }
}

/// Calls `at(row, mean, variance)` for every full window (population variance).
fn moments(x: &[f64], period: usize, mut at: impl FnMut(usize, f64, f64)) {
    let count = period as f64;
    // The same algorithm as `slide`, for one column: the second one would double the work.
    let mut shift = x[0];
    let (mut total, mut squares) = deviations(&x[..period - 1], shift);
    let mut peak = squares;
    let mut left = REBUILD * period;
    for row in period - 1..x.len() {
        let entering = x[row] - shift;
        total += entering;
        squares += entering * entering;
        peak = if squares > peak { squares } else { peak };
        left -= 1;
        let start = row + 1 - period;
        let mut mean = total / count;
        let mut variance = squares / count - mean * mean;
        if left == 0 || variance < COLLAPSE * (peak / count) {
            let window = &x[start..=row];
            shift = window.iter().fold(0.0, |total, v| total + v) / count;
            (total, squares) = deviations(window, shift);
            mean = total / count;
            variance = squares / count - mean * mean;
            if variance < COLLAPSE * (squares / count) {
                // A flat window's mean may be off by a rounding; its own value is exact and gives exact zeros.
                shift = x[row];
                (total, squares) = deviations(window, shift);
                mean = total / count;
                variance = squares / count - mean * mean;
            }
            peak = squares;
            left = REBUILD * period;
        }
        at(row, shift + mean, floor(variance, squares / count));
        let leaving = x[start] - shift;
        total -= leaving;
        squares -= leaving * leaving;
    }
}

/// Sum and sum of squares of the deviations from `shift`.
fn deviations(x: &[f64], shift: f64) -> (f64, f64) {
    let (mut total, mut squares) = (0.0, 0.0);
    for value in x {
        let deviation = value - shift;
        total += deviation;
        squares += deviation * deviation;
    }
    (total, squares)
}

/// Population variance: defined from row n - 1.
pub(super) fn var(x: &[f64], period: usize, out: &mut [f64]) {
    out[..period - 1].fill(NAN);
    moments(x, period, |row, _, variance| out[row] = variance);
}

/// Population standard deviation times `scale`: defined from row n - 1.
pub(super) fn stddev(x: &[f64], period: usize, scale: f64, out: &mut [f64]) {
    out[..period - 1].fill(NAN);
    moments(x, period, |row, _, variance| out[row] = sqrt(variance) * scale);
}

/// Distance from the mean in standard deviations (population): defined from row n - 1 except where the window is
/// flat.
pub(super) fn zscore(x: &[f64], period: usize, out: &mut [f64]) {
    out[..period - 1].fill(NAN);
    moments(x, period, |row, mean, variance| {
        out[row] = if variance > 0.0 { (x[row] - mean) / sqrt(variance) } else { NAN };
    });
}

/// Simple average plus and minus population deviations: upper, middle, lower, defined from row n - 1.
pub(super) fn bbands(x: &[f64], period: usize, up: f64, down: f64, outputs: &mut [&mut [f64]]) {
    let [upper, middle, lower] = outputs else { return };
    sma(x, period, middle);
    stddev(x, period, 1.0, upper);
    for ((upper, middle), lower) in upper.iter_mut().zip(middle.iter()).zip(lower.iter_mut()) {
        let deviation = *upper;
        *lower = middle - deviation * down;
        *upper = middle + deviation * up;
    }
}

/// What is wanted of the least-squares line over the window's bars 0 … n - 1.
#[derive(Clone, Copy)]
pub(super) enum Line {
    /// Its value at the last bar.
    End,
    /// Its rise a bar.
    Slope,
    /// Its value at the first bar.
    Intercept,
    /// The slope as an angle in degrees.
    Angle,
    /// Its value one bar ahead.
    Next,
}

/// Least-squares line of the window over time: defined from row n - 1 (n at least 2).
pub(super) fn regression(x: &[f64], period: usize, line: Line, out: &mut [f64]) {
    let n = period as f64;
    let sum_t = n * (n - 1.0) * 0.5;
    let sum_tt = n * (n - 1.0) * (2.0 * n - 1.0) / 6.0;
    let divisor = n * sum_tt - sum_t * sum_t;
    let last = period - 1;
    out[..last].fill(NAN);
    let mut sums = LineSums::over(x[0], &x[..period]);
    let mut left = REBUILD * period;
    for row in last..x.len() {
        if row > last {
            let leaving = x[row - period] - sums.shift;
            sums.advance(leaving, x[row] - sums.shift, n - 1.0);
            left -= 1;
            if left == 0 || (n * leaving).abs() > 100.0 * sums.size {
                sums = LineSums::over(x[row - last], &x[row - last..=row]);
                left = REBUILD * period;
            }
        }
        let slope = (n * sums.timed - sum_t * sums.plain) / divisor;
        let intercept = sums.shift + (sums.plain - slope * sum_t) / n;
        out[row] = match line {
            Line::End => intercept + slope * (n - 1.0),
            Line::Slope => slope,
            Line::Intercept => intercept,
            Line::Angle => atan(slope) * (180.0 / std::f64::consts::PI),
            Line::Next => intercept + slope * n,
        };
    }
}

/// Sums for a line: of values, of values times their place in the window, of sizes; all measured from `shift`.
struct LineSums {
    shift: f64,
    plain: f64,
    timed: f64,
    size: f64,
}

impl LineSums {
    fn over(shift: f64, window: &[f64]) -> Self {
        let mut sums = LineSums { shift, plain: 0.0, timed: 0.0, size: 0.0 };
        let mut time = 0.0;
        for value in window {
            let value = value - shift;
            sums.plain += value;
            sums.timed += time * value;
            sums.size += value.abs();
            time += 1.0;
        }
        sums
    }

    /// One bar on: every value that stays moves one place down.
    fn advance(&mut self, leaving: f64, entering: f64, last: f64) {
        self.plain -= leaving;
        self.timed = self.timed - self.plain + last * entering;
        self.plain += entering;
        self.size = self.size - leaving.abs() + entering.abs();
    }
}

/// Pearson's correlation of two columns, 0 where either is flat: defined from row n - 1.
pub(super) fn correl(x: &[f64], y: &[f64], period: usize, out: &mut [f64]) {
    let count = period as f64;
    out[..period - 1].fill(NAN);
    slide(x, y, period, |row, sums| {
        let (xx, yy, xy) = sums.centred(count);
        let product = floor(xx, sums.xx) * floor(yy, sums.yy);
        out[row] = if product > 0.0 { (xy / sqrt(product)).clamp(-1.0, 1.0) } else { 0.0 };
    });
}

/// Slope of `y`'s one-bar relative changes on `x`'s, 0 where `x`'s are all alike: defined from row n.
pub(super) fn beta(x: &[f64], y: &[f64], period: usize, out: &mut [f64]) {
    let changes = |values: &[f64]| -> Vec<f64> {
        values.windows(2).map(|pair| if pair[0] == 0.0 { 0.0 } else { (pair[1] - pair[0]) / pair[0] }).collect()
    };
    let (x, y) = (changes(x), changes(y));
    let count = period as f64;
    out[..period].fill(NAN);
    slide(&x, &y, period, |row, sums| {
        let (xx, _, xy) = sums.centred(count);
        let spread = floor(xx, sums.xx);
        out[row + 1] = if spread > 0.0 { xy / spread } else { 0.0 };
    });
}

/// Commodity channel index: distance of the typical price from its mean, over 0.015 mean absolute deviations;
/// defined from row n - 1, 0 where the window is flat.
pub(super) fn cci(high: &[f64], low: &[f64], close: &[f64], period: usize, out: &mut [f64]) {
    let typical: Vec<f64> = high.iter().zip(low).zip(close).map(|((h, l), c)| (h + l + c) / 3.0).collect();
    let count = period as f64;
    out[..period - 1].fill(NAN);
    for (out, window) in out[period - 1..].iter_mut().zip(typical.windows(period)) {
        let mean = striped(window, |value| value) / count;
        let deviation = striped(window, |value| (value - mean).abs()) / count;
        let distance = window[period - 1] - mean;
        // Both below the rounding of the mean: the window is flat.
        let noise = 1e-14 * mean.abs();
        let unit = 0.015 * deviation;
        let defined = distance.abs() > noise && deviation > noise && unit != 0.0;
        *out = if defined { distance / unit } else { 0.0 };
    }
}

/// Sum of `f` over a window in four fixed stripes: the same order on every machine, and no wait for one chain.
fn striped(window: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut stripes = [0.0f64; 4];
    let mut chunks = window.chunks_exact(4);
    for chunk in &mut chunks {
        for (stripe, value) in stripes.iter_mut().zip(chunk) {
            *stripe += f(*value);
        }
    }
    let mut total = (stripes[0] + stripes[1]) + (stripes[2] + stripes[3]);
    for value in chunks.remainder() {
        total += f(*value);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::cases::{assert_close, run};

    #[test]
    fn by_hand() {
        let x = [2.0, 4.0, 6.0, 6.0];
        assert_close(&run("var", &[&x], &[2.0, 1.0])[0], &[NAN, 1.0, 1.0, 0.0]);
        assert_close(&run("stddev", &[&x], &[2.0, 3.0])[0], &[NAN, 3.0, 3.0, 0.0]);
        assert_close(&run("zscore", &[&x], &[2.0])[0], &[NAN, 1.0, 1.0, NAN]);
        let bands = run("bbands", &[&x], &[2.0, 2.0, 1.0]);
        assert_close(&bands[0], &[NAN, 5.0, 7.0, 6.0]);
        assert_close(&bands[1], &[NAN, 3.0, 5.0, 6.0]);
        assert_close(&bands[2], &[NAN, 2.0, 4.0, 6.0]);
        // Over 0, 1, 2: slope (x2 - x0) / 2, mean 4 then 16/3.
        assert_close(&run("linearreg_slope", &[&x], &[3.0])[0], &[NAN, NAN, 2.0, 1.0]);
        assert_close(&run("linearreg", &[&x], &[3.0])[0], &[NAN, NAN, 6.0, 19.0 / 3.0]);
        assert_close(&run("linearreg_intercept", &[&x], &[3.0])[0], &[NAN, NAN, 2.0, 13.0 / 3.0]);
        assert_close(&run("linearreg_angle", &[&x], &[3.0])[0][3..], &[45.0]);
        assert_close(&run("tsf", &[&x], &[3.0])[0], &[NAN, NAN, 8.0, 22.0 / 3.0]);
        let y = [1.0, 0.0, -1.0, 3.0];
        assert_close(&run("correl", &[&x, &y], &[3.0])[0][..3], &[NAN, NAN, -1.0]);
        // x changes 1, 1/2; y changes 1, 2: slope -2.
        assert_close(&run("beta", &[&[1.0, 2.0, 3.0], &[1.0, 2.0, 6.0]], &[2.0])[0], &[NAN, NAN, -2.0]);
        // Typical price 1, 2, 6: mean 3, mean deviation 2.
        let price = [1.0, 2.0, 6.0];
        assert_close(&run("cci", &[&price, &price, &price], &[3.0])[0], &[NAN, NAN, 3.0 / (0.015 * 2.0)]);
    }

    #[test]
    fn flat_windows_after_a_spike_have_exactly_no_spread() {
        let mut x = vec![0.1 + 0.2; 200];
        x[20] = 1e9;
        let out = &run("stddev", &[&x], &[10.0, 1.0])[0];
        assert!(out[40..].iter().all(|&v| v == 0.0), "{:?}", &out[28..34]);
        let out = &run("correl", &[&x, &x], &[10.0])[0];
        assert!(out[40..].iter().all(|&v| v == 0.0));
        assert!((out[25] - 1.0).abs() < 1e-12);
        let out = &run("linearreg_slope", &[&x], &[10.0])[0];
        assert!(out[40..].iter().all(|&v| v == 0.0));
    }

    #[test]
    fn a_small_spread_on_a_large_level_survives() {
        let x: Vec<f64> = (0..5000).map(|i| 1e6 + f64::from(i % 2) * 1e-3).collect();
        let out = &run("stddev", &[&x], &[20.0, 1.0])[0];
        assert!(out[19..].iter().all(|v| (v - 5e-4).abs() < 1e-9));
    }
}
