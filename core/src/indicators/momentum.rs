//! Momentum: changes, relative strength, stochastics and other oscillators of where the price stands.
//!
//! Given columns and periods, this module gives columns.

use super::window::{bars_since, max, min, sma, window_sums};
use crate::num::NAN;

/// `f(now, then)` for values `lag` bars apart: defined from row `lag`.
pub(super) fn change(x: &[f64], lag: usize, out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
    out[..lag].fill(NAN);
    for ((out, now), then) in out[lag..].iter_mut().zip(&x[lag..]).zip(x) {
        *out = f(*now, *then);
    }
}

/// `f(gain, loss)` of Wilder's averages of gains and losses, seeded by the means of the first n changes: defined
/// from row n.
pub(super) fn gain_loss(x: &[f64], period: usize, out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
    let n = period as f64;
    let split = |row: usize| {
        let step = x[row] - x[row - 1];
        let gain = if step > 0.0 { step } else { 0.0 };
        (gain, gain - step)
    };
    let (mut gains, mut losses) = (0.0, 0.0);
    for row in 1..=period {
        let (gain, loss) = split(row);
        gains += gain;
        losses += loss;
    }
    gains /= n;
    losses /= n;
    out[..period].fill(NAN);
    out[period] = f(gains, losses);
    for (row, out) in out.iter_mut().enumerate().skip(period + 1) {
        let (gain, loss) = split(row);
        gains = (gains * (n - 1.0) + gain) / n;
        losses = (losses * (n - 1.0) + loss) / n;
        *out = f(gains, losses);
    }
}

/// Relative strength index, 0 … 100, 50 without any move: defined from row n.
pub(super) fn rsi(x: &[f64], period: usize, out: &mut [f64]) {
    gain_loss(x, period, out, |gain, loss| {
        let moved = gain + loss;
        if moved > 0.0 { 100.0 * (gain / moved) } else { 50.0 }
    });
}

/// Chande's momentum oscillator, -100 … 100: defined from row n.
pub(super) fn cmo(x: &[f64], period: usize, out: &mut [f64]) {
    gain_loss(x, period, out, |gain, loss| {
        let moved = gain + loss;
        if moved > 0.0 { 100.0 * ((gain - loss) / moved) } else { 0.0 }
    });
}

/// Whether a range is only the rounding of its ends.
fn is_flat(high: f64, low: f64) -> bool {
    (high - low).abs() <= 1e-14 * (high.abs() + low.abs())
}

/// Where the close stands between the lowest low and the highest high of the window, 0 … 100, 0 in a flat window:
/// defined from row n - 1.
fn raw_stochastic(high: &[f64], low: &[f64], close: &[f64], period: usize, out: &mut [f64]) {
    let mut lowest = vec![NAN; low.len()];
    min(low, period, &mut lowest);
    max(high, period, out);
    for ((out, low), close) in out.iter_mut().zip(&lowest).zip(close).skip(period - 1) {
        let high = *out;
        *out = if is_flat(high, *low) { 0.0 } else { (close - low) / (high - low) * 100.0 };
    }
}

/// Fast stochastic: k and its simple average d, both defined where d is.
pub(super) fn stochf(high: &[f64], low: &[f64], close: &[f64], periods: [usize; 2], outputs: &mut [&mut [f64]]) {
    let [k, d] = periods;
    let [fast_k, fast_d] = outputs else { return };
    raw_stochastic(high, low, close, k, fast_k);
    fast_d[..k - 1].fill(NAN);
    sma(&fast_k[k - 1..], d, &mut fast_d[k - 1..]);
    fast_k[..k + d - 2].fill(NAN);
}

/// Stochastic: the raw value averaged once (k) and twice (d), both defined where d is.
pub(super) fn stoch(high: &[f64], low: &[f64], close: &[f64], periods: [usize; 3], outputs: &mut [&mut [f64]]) {
    let [raw_period, k, d] = periods;
    let [slow_k, slow_d] = outputs else { return };
    let mut raw = vec![NAN; close.len()];
    raw_stochastic(high, low, close, raw_period, &mut raw);
    let (first_k, first_d) = (raw_period - 1, raw_period + k - 2);
    sma(&raw[first_k..], k, &mut slow_k[first_k..]);
    slow_d[..first_d].fill(NAN);
    sma(&slow_k[first_d..], d, &mut slow_d[first_d..]);
    slow_k[..first_d + d - 1].fill(NAN);
}

/// Fast stochastic of the relative strength index.
pub(super) fn stochrsi(x: &[f64], period: usize, periods: [usize; 2], outputs: &mut [&mut [f64]]) {
    let mut strength = vec![NAN; x.len()];
    rsi(x, period, &mut strength);
    let [fast_k, fast_d] = outputs else { return };
    fast_k[..period].fill(NAN);
    fast_d[..period].fill(NAN);
    let strength = &strength[period..];
    stochf(strength, strength, strength, periods, &mut [&mut fast_k[period..], &mut fast_d[period..]]);
}

/// Williams' %R: where the close stands below the highest high, -100 … 0, 0 in a flat window: from row n - 1.
pub(super) fn willr(high: &[f64], low: &[f64], close: &[f64], period: usize, out: &mut [f64]) {
    let mut lowest = vec![NAN; low.len()];
    min(low, period, &mut lowest);
    max(high, period, out);
    for ((out, low), close) in out.iter_mut().zip(&lowest).zip(close).skip(period - 1) {
        let high = *out;
        *out = if is_flat(high, *low) { 0.0 } else { ((high - close) / (high - low) * -100.0).clamp(-100.0, 0.0) };
    }
}

/// How long ago the extremes of the last n + 1 bars were: down (low) and up (high), 100 for this bar, 0 for n bars ago;
/// the latest of equal extremes counts. Defined from row n.
pub(super) fn aroon(high: &[f64], low: &[f64], period: usize, outputs: &mut [&mut [f64]]) {
    let [down, up] = outputs else { return };
    let factor = 100.0 / period as f64;
    down[..period].fill(NAN);
    up[..period].fill(NAN);
    bars_since(low, period, |new, old| new <= old, |row, age| down[row] = factor * (period - age) as f64);
    bars_since(high, period, |new, old| new >= old, |row, age| up[row] = factor * (period - age) as f64);
}

/// Aroon up minus down: defined from row n.
pub(super) fn aroonosc(high: &[f64], low: &[f64], period: usize, out: &mut [f64]) {
    let factor = 100.0 / period as f64;
    out[..period].fill(NAN);
    bars_since(low, period, |new, old| new <= old, |row, age| out[row] = age as f64);
    bars_since(high, period, |new, old| new >= old, |row, age| out[row] = factor * (out[row] - age as f64));
}

/// Ultimate oscillator: buying pressure over true range in three windows, weights 4, 2, 1 from the shortest: defined
/// from the longest period's row n.
pub(super) fn ultosc(high: &[f64], low: &[f64], close: &[f64], mut periods: [usize; 3], out: &mut [f64]) {
    periods.sort_unstable();
    let longest = periods[2];
    let rows = close.len() - 1;
    let (mut pressure, mut range) = (vec![0.0; rows], vec![0.0; rows]);
    for row in 0..rows {
        let (before, high, low, close) = (close[row], high[row + 1], low[row + 1], close[row + 1]);
        let floor = if before < low { before } else { low };
        pressure[row] = close - floor;
        range[row] = true_range(high, low, before);
    }
    out.fill(0.0);
    out[..longest].fill(NAN);
    for (period, weight) in periods.into_iter().zip([4.0, 2.0, 1.0]) {
        let count = rows + 1 - period;
        let (mut pressures, mut ranges) = (vec![0.0; count], vec![0.0; count]);
        window_sums(&pressure, period, &mut pressures);
        window_sums(&range, period, &mut ranges);
        let skip = longest - period;
        for ((out, pressure), range) in out[longest..].iter_mut().zip(&pressures[skip..]).zip(&ranges[skip..]) {
            if *range > 0.0 {
                *out += weight * (pressure / range);
            }
        }
    }
    for out in &mut out[longest..] {
        *out = 100.0 * (*out / 7.0);
    }
}

/// The bar's range, stretched to the close before it.
pub(super) fn true_range(high: f64, low: f64, before: f64) -> f64 {
    let mut range = high - low;
    for stretched in [(high - before).abs(), (low - before).abs()] {
        if stretched > range {
            range = stretched;
        }
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::cases::{assert_close, run};

    #[test]
    fn by_hand() {
        let x = [1.0, 2.0, 4.0, 3.0, 3.0];
        assert_close(&run("mom", &[&x], &[2.0])[0], &[NAN, NAN, 3.0, 1.0, -1.0]);
        assert_close(&run("roc", &[&x], &[1.0])[0], &[NAN, 100.0, 100.0, -25.0, 0.0]);
        assert_close(&run("rocp", &[&x], &[1.0])[0], &[NAN, 1.0, 1.0, -0.25, 0.0]);
        assert_close(&run("rocr", &[&x], &[1.0])[0], &[NAN, 2.0, 2.0, 0.75, 1.0]);
        // Gains 3/2, 3/4, 3/8; losses 0, 1/2, 1/4.
        assert_close(&run("rsi", &[&x], &[2.0])[0], &[NAN, NAN, 100.0, 60.0, 60.0]);
        assert_close(&run("cmo", &[&x], &[2.0])[0], &[NAN, NAN, 100.0, 20.0, 20.0]);
        assert_close(&run("roc", &[&[0.0, 1.0]], &[1.0])[0], &[NAN, 0.0]);
    }

    #[test]
    fn the_close_between_the_extremes() {
        let (high, low, close) = ([2.0, 4.0, 4.0, 4.0], [0.0, 1.0, 2.0, 4.0], [1.0, 4.0, 2.0, 4.0]);
        let prices: [&[f64]; 3] = [&high, &low, &close];
        let fast = run("stochf", &prices, &[2.0, 2.0]);
        assert_close(&fast[0], &[NAN, NAN, 100.0 / 3.0, 100.0]);
        assert_close(&fast[1], &[NAN, NAN, 200.0 / 3.0, 200.0 / 3.0]);
        let slow = run("stoch", &prices, &[2.0, 1.0, 2.0]);
        assert_close(&slow[0], &fast[0]);
        assert_close(&slow[1], &fast[1]);
        assert_close(&run("willr", &prices, &[2.0])[0], &[NAN, 0.0, -200.0 / 3.0, 0.0]);
        // A flat bar of a window of one: stochastic 0 by TA-Lib's rule.
        assert_close(&run("stochf", &prices, &[1.0, 1.0])[0], &[50.0, 100.0, 0.0, 0.0]);
    }

    #[test]
    fn aroon_counts_from_the_latest_extreme() {
        let (high, low) = ([3.0, 3.0, 1.0, 2.0], [1.0, 2.0, 2.0, 3.0]);
        let out = run("aroon", &[&high, &low], &[2.0]);
        assert_close(&out[0], &[NAN, NAN, 0.0, 50.0]);
        assert_close(&out[1], &[NAN, NAN, 50.0, 0.0]);
        assert_close(&run("aroonosc", &[&high, &low], &[2.0])[0], &[NAN, NAN, 50.0, -50.0]);
    }

    #[test]
    fn ultimate_oscillator_by_hand() {
        // Pressure 1, 1 over ranges 2, 1.
        let (high, low, close) = ([1.0, 3.0, 3.0], [1.0, 1.0, 2.0], [1.0, 2.0, 3.0]);
        let out = run("ultosc", &[&high, &low, &close], &[1.0, 2.0, 2.0]);
        assert_close(&out[0], &[NAN, NAN, 100.0 * (4.0 + 2.0 * (2.0 / 3.0) + 2.0 / 3.0) / 7.0]);
    }
}
