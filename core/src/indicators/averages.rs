//! Averages: weighted, exponential and adaptive, and the oscillators that are differences of averages.
//!
//! Given a column and periods, this module gives columns. Exponential averages start from the plain mean of their
//! first window, as TA-Lib's do, so their first values depend on where the data begin.

use super::window::sma;
use crate::num::NAN;

/// Exponential moving average with weight 2 / (n + 1), seeded by the mean of the first n: defined from row n - 1.
pub(super) fn ema(x: &[f64], period: usize, out: &mut [f64]) {
    let seed = x[..period].iter().fold(0.0, |total, value| total + value) / period as f64;
    out[..period - 1].fill(NAN);
    out[period - 1] = seed;
    let (keep, take) = ema_weights(period);
    let mut average = seed;
    for (out, value) in out[period..].iter_mut().zip(&x[period..]) {
        // Not `average + take * (value - average)`: that waits for three operations in a row, this for two.
        average = keep * average + take * value;
        *out = average;
    }
}

/// The weights of the last average and of the new value; they add up to one exactly.
pub(super) fn ema_weights(period: usize) -> (f64, f64) {
    let n = period as f64;
    let keep = (n - 1.0) / (n + 1.0);
    let take = 1.0 - keep;
    (1.0 - take, take)
}

/// Exponential averages of each other: `levels[0]` of `x`, `levels[1]` of the first one's defined rows, and so on.
fn ema_cascade<const LEVELS: usize>(x: &[f64], period: usize) -> [Vec<f64>; LEVELS] {
    let mut levels: [Vec<f64>; LEVELS] = std::array::from_fn(|_| vec![NAN; x.len()]);
    for level in 0..LEVELS {
        let skip = level * (period - 1);
        let (before, at) = levels.split_at_mut(level);
        let source = before.last().map_or(x, |column| column.as_slice());
        ema(&source[skip..], period, &mut at[0][skip..]);
    }
    levels
}

/// 2 e1 - e2: defined from row 2 (n - 1).
pub(super) fn dema(x: &[f64], period: usize, out: &mut [f64]) {
    let [e1, e2] = ema_cascade::<2>(x, period);
    for (row, out) in out.iter_mut().enumerate() {
        *out = 2.0 * e1[row] - e2[row];
    }
}

/// 3 e1 - 3 e2 + e3: defined from row 3 (n - 1).
pub(super) fn tema(x: &[f64], period: usize, out: &mut [f64]) {
    let [e1, e2, e3] = ema_cascade::<3>(x, period);
    for (row, out) in out.iter_mut().enumerate() {
        *out = (3.0 * e1[row] - 3.0 * e2[row]) + e3[row];
    }
}

/// Tillson's T3, six averages deep: defined from row 6 (n - 1).
pub(super) fn t3(x: &[f64], period: usize, factor: f64, out: &mut [f64]) {
    if period == 1 {
        out.copy_from_slice(x);
        return;
    }
    let [_, _, e3, e4, e5, e6] = ema_cascade::<6>(x, period);
    let square = factor * factor;
    let c1 = -(square * factor);
    let c2 = 3.0 * (square - c1);
    let c3 = -6.0 * square - 3.0 * (factor - c1);
    let c4 = 1.0 + 3.0 * factor - c1 + 3.0 * square;
    for (row, out) in out.iter_mut().enumerate() {
        *out = c1 * e6[row] + c2 * e5[row] + c3 * e4[row] + c4 * e3[row];
    }
}

/// Change of the triple average in percent: defined from row 3 (n - 1) + 1.
pub(super) fn trix(x: &[f64], period: usize, out: &mut [f64]) {
    let [_, _, e3] = ema_cascade::<3>(x, period);
    let first = 3 * (period - 1) + 1;
    out[..first].fill(NAN);
    for row in first..out.len() {
        out[row] = if e3[row - 1] == 0.0 { 0.0 } else { (e3[row] / e3[row - 1] - 1.0) * 100.0 };
    }
}

/// Weights 1 … n, the newest the heaviest: defined from row n - 1.
pub(super) fn wma(x: &[f64], period: usize, out: &mut [f64]) {
    if period == 1 {
        out.copy_from_slice(x);
        return;
    }
    let n = period as f64;
    let divider = n * (n + 1.0) / 2.0;
    out[..period - 1].fill(NAN);
    // Both sums start anew in every stripe, so that rounding cannot pile up.
    let stripe = (8 * period).max(256);
    let mut start = 0;
    for part in out[period - 1..].chunks_mut(stripe) {
        let (mut plain, mut weighted, mut weight) = (0.0, 0.0, 1.0);
        for value in &x[start..start + period - 1] {
            plain += value;
            weighted += value * weight;
            weight += 1.0;
        }
        for (step, out) in part.iter_mut().enumerate() {
            let entering = x[start + step + period - 1];
            plain += entering;
            weighted += entering * n;
            *out = weighted / divider;
            weighted -= plain;
            plain -= x[start + step];
        }
        start += part.len();
    }
}

/// Average of averages, weights rising to the middle of the window: defined from row n - 1.
pub(super) fn trima(x: &[f64], period: usize, out: &mut [f64]) {
    let first = period / 2 + 1;
    let second = period + 1 - first;
    let mut inner = vec![NAN; x.len()];
    sma(x, first, &mut inner);
    out[..period - 1].fill(NAN);
    sma(&inner[first - 1..], second, &mut out[first - 1..]);
}

/// Kaufman's adaptive average with fast 2 and slow 30, starting from the value at row n - 1: defined from row n (from
/// row 0, as the value itself, for n = 1).
pub(super) fn kama(x: &[f64], period: usize, out: &mut [f64]) {
    if period == 1 {
        out.copy_from_slice(x);
        return;
    }
    let slow: f64 = 2.0 / 31.0;
    let spread = 2.0 / 3.0 - slow;
    out[..period].fill(NAN);
    let mut average = x[period - 1];
    let mut path = 0.0;
    for step in x[..period].windows(2) {
        path += (step[1] - step[0]).abs();
    }
    // Bars in a row without any move: a whole window of them has a path of exactly zero.
    let mut still = 0;
    for row in period..x.len() {
        let step = (x[row] - x[row - 1]).abs();
        path += step;
        still = if step == 0.0 { still + 1 } else { 0 };
        if still >= period {
            path = 0.0;
        }
        let way = x[row] - x[row - period];
        // A path below the way is rounding: efficiency cannot pass one.
        let efficiency = if path <= 0.0 || path <= way { 1.0 } else { (way / path).abs().min(1.0) };
        let weight = efficiency * spread + slow;
        average += (x[row] - average) * (weight * weight);
        out[row] = average;
        path -= (x[row + 1 - period] - x[row - period]).abs();
    }
}

/// Moving average convergence/divergence. The fast average is seeded by the `fast` values that end where the slow
/// one's seed ends. All three outputs are defined from row slow + signal - 2.
pub(super) fn macd(x: &[f64], fast: usize, slow: usize, signal: usize, outputs: &mut [&mut [f64]]) {
    let (fast, slow) = (fast.min(slow), fast.max(slow));
    let first = slow - 1 + signal - 1;
    let [line, smooth, histogram] = outputs else { return };
    let mut fast_average = vec![NAN; x.len()];
    ema(&x[slow - fast..], fast, &mut fast_average[slow - fast..]);
    ema(x, slow, line);
    for (line, fast) in line.iter_mut().zip(&fast_average) {
        *line = fast - *line;
    }
    smooth[..slow - 1].fill(NAN);
    ema(&line[slow - 1..], signal, &mut smooth[slow - 1..]);
    line[..first].fill(NAN);
    for (out, (line, smooth)) in histogram.iter_mut().zip(line.iter().zip(smooth.iter())) {
        *out = line - smooth;
    }
}

/// Fast minus slow simple average, in units of the slow one and percent if `percent`: defined from the slower one's
/// row n - 1.
pub(super) fn price_oscillator(x: &[f64], fast: usize, slow: usize, percent: bool, out: &mut [f64]) {
    let (fast, slow) = (fast.min(slow), fast.max(slow));
    let mut fast_average = vec![NAN; x.len()];
    sma(x, fast, &mut fast_average);
    sma(x, slow, out);
    for (out, fast) in out[slow - 1..].iter_mut().zip(&fast_average[slow - 1..]) {
        let slow = *out;
        *out = match percent {
            false => fast - slow,
            true if slow.abs() < 1e-14 => 0.0,
            true => (fast - slow) / slow * 100.0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::cases::{assert_close, run};

    #[test]
    fn by_hand() {
        let x = [1.0, 2.0, 3.0, 5.0, 4.0];
        assert_close(&run("sma", &[&x], &[2.0])[0], &[NAN, 1.5, 2.5, 4.0, 4.5]);
        // seed 2, weight 1/2
        assert_close(&run("ema", &[&x], &[3.0])[0], &[NAN, NAN, 2.0, 3.5, 3.75]);
        assert_close(&run("wma", &[&x], &[3.0])[0], &[NAN, NAN, 14.0 / 6.0, 23.0 / 6.0, 25.0 / 6.0]);
        assert_close(&run("trima", &[&x], &[3.0])[0], &[NAN, NAN, 2.0, 3.25, 4.25]);
        assert_close(&run("trima", &[&x], &[4.0])[0], &[NAN, NAN, NAN, 16.0 / 6.0, 22.0 / 6.0]);
        // e1 = [-, 1.5, 2.5, 25/6, 73/18], e2 seeded by (1.5 + 2.5) / 2
        let e2 = [2.0, 2.0 / 3.0 + 25.0 / 9.0];
        assert_close(&run("dema", &[&x], &[2.0])[0][2..4], &[5.0 - e2[0], 25.0 / 3.0 - e2[1]]);
    }

    #[test]
    fn a_straight_line_is_followed_without_delay() {
        let x: Vec<f64> = (0..40).map(f64::from).collect();
        for name in ["dema", "tema"] {
            let out = &run(name, &[&x], &[4.0])[0];
            assert!((out[39] - 39.0).abs() < 1e-9, "{name} {}", out[39]);
        }
        // Efficiency 1: weight (2/3)^2 from the value before.
        assert_close(&run("kama", &[&x], &[3.0])[0][..4], &[NAN, NAN, NAN, 2.0 + 4.0 / 9.0]);
    }

    #[test]
    fn macd_swaps_its_periods_and_starts_all_outputs_together() {
        let x: Vec<f64> = (0..30).map(|i| f64::from(i * i % 17)).collect();
        let a = run("macd", &[&x], &[3.0, 7.0, 4.0]);
        let b = run("macd", &[&x], &[7.0, 3.0, 4.0]);
        assert_close(&a[0], &b[0]);
        for out in &a {
            assert_eq!(out.iter().position(|v| !v.is_nan()), Some(9));
        }
        assert!((a[0][20] - a[1][20] - a[2][20]).abs() < 1e-12);
    }

    #[test]
    fn a_price_oscillator_around_zero_is_zero() {
        let x = [0.0; 5];
        assert_close(&run("ppo", &[&x], &[2.0, 3.0])[0], &[NAN, NAN, 0.0, 0.0, 0.0]);
        assert_close(&run("apo", &[&[1.0, 2.0, 6.0]], &[2.0, 3.0])[0], &[NAN, NAN, 1.0]);
    }
}
