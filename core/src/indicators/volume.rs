//! Volume: flows of money and volume with and against the price.
//!
//! Given price and volume columns, this module gives columns. Cumulative ones have no level of their own: theirs is
//! set by the first bar of the data, only their changes mean anything.

use super::averages::ema_weights;
use super::direction::Prices;
use super::window::window_sums;
use crate::num::NAN;

/// On-balance volume: starts with the first bar's volume, then adds volume on a rise and subtracts it on a fall.
pub(super) fn obv(close: &[f64], volume: &[f64], out: &mut [f64]) {
    let mut balance = volume[0];
    let mut before = close[0];
    for ((out, close), volume) in out.iter_mut().zip(close).zip(volume) {
        if *close > before {
            balance += volume;
        } else if *close < before {
            balance -= volume;
        }
        before = *close;
        *out = balance;
    }
}

/// Accumulation/distribution: running sum of volume weighted by where the close stands in the bar's range.
pub(super) fn ad(prices: Prices<'_>, volume: &[f64], out: &mut [f64]) {
    let mut total = 0.0;
    for (row, out) in out.iter_mut().enumerate() {
        let (high, low, close) = (prices.high[row], prices.low[row], prices.close[row]);
        let range = high - low;
        if range > 0.0 {
            total += ((close - low) - (high - close)) / range * volume[row];
        }
        *out = total;
    }
}

/// Fast minus slow exponential average of accumulation/distribution, both starting from its first value: defined from
/// the slower one's row n - 1.
pub(super) fn adosc(prices: Prices<'_>, volume: &[f64], fast: usize, slow: usize, out: &mut [f64]) {
    ad(prices, volume, out);
    let (keep_fast, take_fast) = ema_weights(fast);
    let (keep_slow, take_slow) = ema_weights(slow);
    let (mut fast_average, mut slow_average) = (out[0], out[0]);
    for out in out.iter_mut() {
        let level = *out;
        fast_average = keep_fast * fast_average + take_fast * level;
        slow_average = keep_slow * slow_average + take_slow * level;
        *out = fast_average - slow_average;
    }
    out[..fast.max(slow) - 1].fill(NAN);
}

/// Money flow index, 0 … 100: typical price times volume on rises, in percent of that on rises and falls: defined
/// from row n; 0 where the window has no flow.
pub(super) fn mfi(prices: Prices<'_>, volume: &[f64], period: usize, out: &mut [f64]) {
    let typical = |row: usize| (prices.high[row] + prices.low[row] + prices.close[row]) / 3.0;
    let rows = out.len() - 1;
    let (mut rises, mut falls) = (vec![0.0; rows], vec![0.0; rows]);
    let mut before = typical(0);
    for row in 0..rows {
        let price = typical(row + 1);
        let step = price - before;
        // Prices that differ by rounding only are equal.
        if step.abs() > 1e-14 * (price.abs() + before.abs()) {
            let side = if step < 0.0 { &mut falls } else { &mut rises };
            side[row] = price * volume[row + 1];
        }
        before = price;
    }
    let count = rows + 1 - period;
    let mut falling = vec![0.0; count];
    let (head, tail) = out.split_at_mut(period);
    head.fill(NAN);
    window_sums(&rises, period, tail);
    window_sums(&falls, period, &mut falling);
    // Windows without any flow: their sliding sums hold rounding only.
    let mut still = 0;
    for row in 0..rows {
        still = if rises[row] == 0.0 && falls[row] == 0.0 { still + 1 } else { 0 };
        if row + 1 < period {
            continue;
        }
        let at = row + 1 - period;
        let (rise, both) = (tail[at], tail[at] + falling[at]);
        let empty = still >= period || both <= 0.0;
        tail[at] = if empty { 0.0 } else { 100.0 * (rise / both).clamp(0.0, 1.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::cases::{assert_close, run};

    #[test]
    fn by_hand() {
        let close = [1.0, 2.0, 2.0, 1.0];
        let volume = [10.0, 5.0, 7.0, 2.0];
        assert_close(&run("obv", &[&close, &volume], &[])[0], &[10.0, 15.0, 15.0, 13.0]);
        // Ranges of 2 around the close moved by 0, 1, -1 and none.
        let (high, low) = ([2.0, 2.0, 4.0, 1.0], [0.0, 0.0, 2.0, 1.0]);
        let ad = [0.0, 5.0, -2.0, -2.0];
        assert_close(&run("ad", &[&high, &low, &close, &volume], &[])[0], &ad);
        // Fast weight 2/3, slow 1/2, both from 0.
        let (fast, slow) = ([10.0 / 3.0, 10.0 / 9.0 - 4.0 / 3.0], [2.5, 1.25 - 1.0]);
        let out = run("adosc", &[&high, &low, &close, &volume], &[2.0, 3.0]);
        assert_close(&out[0][..3], &[NAN, NAN, fast[1] - slow[1]]);
        // Flows +10, 0, -2.
        let out = run("mfi", &[&close, &close, &close, &volume], &[2.0]);
        assert_close(&out[0], &[NAN, NAN, 100.0, 0.0]);
        let out = run("mfi", &[&close, &close, &close, &volume], &[3.0]);
        assert_close(&out[0], &[NAN, NAN, NAN, 1000.0 / 12.0]);
    }

    #[test]
    fn a_window_without_flow_is_zero_even_after_a_huge_one() {
        let mut volume = vec![0.0; 30];
        volume[3] = 1e17;
        volume[4] = 3.0;
        let close: Vec<f64> = (0..30).map(|i| f64::from(i % 3) + 0.1).collect();
        let out = &run("mfi", &[&close, &close, &close, &volume], &[4.0])[0];
        assert!(out[9..].iter().all(|&v| v == 0.0));
    }
}
