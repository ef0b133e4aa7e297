//! Wilder's family: true range, directional movement and its indices, the parabolic stop.
//!
//! Given high, low and close and a period, this module gives columns. Wilder's averages start from plain sums, so
//! their first values depend on where the data begin.

use super::momentum::true_range;
use crate::num::NAN;

/// The three price columns of an indicator.
#[derive(Clone, Copy)]
pub(super) struct Prices<'a> {
    /// Highest price of every bar.
    pub(super) high: &'a [f64],
    /// Lowest price.
    pub(super) low: &'a [f64],
    /// Last price.
    pub(super) close: &'a [f64],
}

impl Prices<'_> {
    fn true_range(&self, row: usize) -> f64 {
        true_range(self.high[row], self.low[row], self.close[row - 1])
    }
}

/// True range: defined from row 1.
pub(super) fn trange(prices: Prices<'_>, out: &mut [f64]) {
    out[0] = NAN;
    for (row, out) in out.iter_mut().enumerate().skip(1) {
        *out = prices.true_range(row);
    }
}

/// Average true range, seeded by the mean of the first n: defined from row n.
pub(super) fn atr(prices: Prices<'_>, period: usize, out: &mut [f64]) {
    let n = period as f64;
    let mut average = 0.0;
    for row in 1..=period {
        average += prices.true_range(row);
    }
    average /= n;
    out[..period].fill(NAN);
    out[period] = average;
    for (row, out) in out.iter_mut().enumerate().skip(period + 1) {
        average = (average * (n - 1.0) + prices.true_range(row)) / n;
        *out = average;
    }
}

/// Average true range in percent of the close, 0 where the close is 0: defined from row n. For n = 1 it is the true
/// range itself, not in percent, as in TA-Lib.
pub(super) fn natr(prices: Prices<'_>, period: usize, out: &mut [f64]) {
    if period == 1 {
        return trange(prices, out);
    }
    atr(prices, period, out);
    for (out, close) in out.iter_mut().zip(prices.close).skip(period) {
        *out = if *close == 0.0 { 0.0 } else { *out / close * 100.0 };
    }
}

/// The part of a bar's range that lies above (plus) or below (minus) the bar before; only the larger one counts.
fn movement(high: &[f64], low: &[f64], row: usize) -> (f64, f64) {
    let up = high[row] - high[row - 1];
    let down = low[row - 1] - low[row];
    let plus = if up > 0.0 && up > down { up } else { 0.0 };
    let minus = if down > 0.0 && down > up { down } else { 0.0 };
    (plus, minus)
}

/// Which side of the movement is wanted.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    /// Upward.
    Plus,
    /// Downward.
    Minus,
}

impl Side {
    fn of(self, (plus, minus): (f64, f64)) -> f64 {
        if self == Side::Plus { plus } else { minus }
    }
}

/// Wilder's running sums of movement and range: plain sums of bars 1 … n - 1, then s - s/n + x.
struct Sums {
    plus: f64,
    minus: f64,
    range: f64,
    n: f64,
}

impl Sums {
    /// The sums after row `period - 1`.
    fn seed(prices: Prices<'_>, period: usize) -> Self {
        let mut sums = Sums { plus: 0.0, minus: 0.0, range: 0.0, n: period as f64 };
        for row in 1..period {
            let (plus, minus) = movement(prices.high, prices.low, row);
            sums.plus += plus;
            sums.minus += minus;
            sums.range += prices.true_range(row);
        }
        sums
    }

    fn advance(&mut self, prices: Prices<'_>, row: usize) {
        let (plus, minus) = movement(prices.high, prices.low, row);
        self.plus = self.plus - self.plus / self.n + plus;
        self.minus = self.minus - self.minus / self.n + minus;
        self.range = self.range - self.range / self.n + prices.true_range(row);
    }

    /// Directional index, `None` without any movement or range.
    fn index(&self) -> Option<f64> {
        if self.range <= 0.0 {
            return None;
        }
        let (plus, minus) = (100.0 * (self.plus / self.range), 100.0 * (self.minus / self.range));
        let both = plus + minus;
        (both >= 1e-14).then(|| 100.0 * ((minus - plus).abs() / both))
    }
}

/// Directional movement, Wilder-summed: defined from row n - 1; for n = 1 the bar's own, from row 1.
pub(super) fn movement_sum(high: &[f64], low: &[f64], period: usize, side: Side, out: &mut [f64]) {
    if period == 1 {
        out[0] = NAN;
        for (row, out) in out.iter_mut().enumerate().skip(1) {
            *out = side.of(movement(high, low, row));
        }
        return;
    }
    let mut sum = 0.0;
    for row in 1..period {
        sum += side.of(movement(high, low, row));
    }
    out[..period - 1].fill(NAN);
    out[period - 1] = sum;
    for (row, out) in out.iter_mut().enumerate().skip(period) {
        sum = sum - sum / period as f64 + side.of(movement(high, low, row));
        *out = sum;
    }
}

/// Directional indicator, movement in percent of range: defined from row n. For n = 1 it is the bar's own, as a
/// fraction, not in percent, as in TA-Lib.
pub(super) fn indicator(prices: Prices<'_>, period: usize, side: Side, out: &mut [f64]) {
    out[..period].fill(NAN);
    if period == 1 {
        for (row, out) in out.iter_mut().enumerate().skip(1) {
            let range = prices.true_range(row);
            let moved = side.of(movement(prices.high, prices.low, row));
            *out = if range <= 0.0 { 0.0 } else { moved / range };
        }
        return;
    }
    let mut sums = Sums::seed(prices, period);
    for (row, out) in out.iter_mut().enumerate().skip(period) {
        sums.advance(prices, row);
        let moved = side.of((sums.plus, sums.minus));
        *out = if sums.range > 0.0 { 100.0 * (moved / sums.range) } else { 0.0 };
    }
}

/// Directional index: how one-sided the movement is, 0 … 100; the last one where there is no movement. Defined from
/// row n.
pub(super) fn dx(prices: Prices<'_>, period: usize, out: &mut [f64]) {
    out[..period].fill(NAN);
    let mut sums = Sums::seed(prices, period);
    let mut last = 0.0;
    for (row, out) in out.iter_mut().enumerate().skip(period) {
        sums.advance(prices, row);
        last = sums.index().unwrap_or(last);
        *out = last;
    }
}

/// Average directional index: mean of the first n directional indices, then Wilder's average: defined from row
/// 2n - 1.
pub(super) fn adx(prices: Prices<'_>, period: usize, out: &mut [f64]) {
    let n = period as f64;
    let first = 2 * period - 1;
    let mut sums = Sums::seed(prices, period);
    let mut total = 0.0;
    for row in period..=first {
        sums.advance(prices, row);
        total += sums.index().unwrap_or(0.0);
    }
    let mut average = total / n;
    out[..first].fill(NAN);
    out[first] = average;
    for (row, out) in out.iter_mut().enumerate().skip(first + 1) {
        sums.advance(prices, row);
        if let Some(index) = sums.index() {
            average -= (average - index) / n;
        }
        *out = average;
    }
}

/// Mean of the average directional index and of the one n - 1 bars before: defined from row 3n - 2.
pub(super) fn adxr(prices: Prices<'_>, period: usize, out: &mut [f64]) {
    let mut average = vec![NAN; out.len()];
    adx(prices, period, &mut average);
    let first = 3 * period - 2;
    out[..first].fill(NAN);
    for (row, out) in out.iter_mut().enumerate().skip(first) {
        *out = (average[row] + average[row + 1 - period]) / 2.0;
    }
}

/// Parabolic stop and reverse: trails the price, faster with every new extreme, and turns when it is touched.
/// Starts long unless the first movement is down: defined from row 1.
pub(super) fn sar(high: &[f64], low: &[f64], acceleration: f64, maximum: f64, out: &mut [f64]) {
    let acceleration = if acceleration > maximum { maximum } else { acceleration };
    // Upside down, a falling market rises: one rule serves both sides.
    let mut long = movement(high, low, 1).1 <= 0.0;
    let bar = |row: usize, long: bool| if long { (high[row], low[row]) } else { (-low[row], -high[row]) };
    let (mut extreme, mut stop) = (bar(1, long).0, bar(0, long).1);
    let mut factor = acceleration;
    out[0] = NAN;
    for (row, out) in out.iter_mut().enumerate().skip(1) {
        let (mut top, mut bottom) = bar(row, long);
        // At the first bar, TA-Lib takes that bar itself for the one before.
        let mut before = bar((row - 1).max(1), long);
        let turned = bottom <= stop;
        if turned {
            // The other way round, from the extreme, but not inside the last two bars.
            long = !long;
            (top, bottom) = bar(row, long);
            before = bar((row - 1).max(1), long);
            stop = lowest([-extreme, before.1, bottom]);
            extreme = top;
            factor = acceleration;
        }
        *out = if long { stop } else { -stop };
        if !turned && top > extreme {
            extreme = top;
            factor = if factor + acceleration > maximum { maximum } else { factor + acceleration };
        }
        stop = lowest([stop + factor * (extreme - stop), before.1, bottom]);
    }
}

fn lowest([first, second, third]: [f64; 3]) -> f64 {
    let least = if second < first { second } else { first };
    if third < least { third } else { least }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::cases::{assert_close, run};

    const HIGH: [f64; 5] = [2.0, 4.0, 5.0, 4.0, 6.0];
    const LOW: [f64; 5] = [1.0, 3.0, 3.0, 1.0, 4.0];
    const CLOSE: [f64; 5] = [2.0, 4.0, 3.0, 2.0, 5.0];

    #[test]
    fn ranges_by_hand() {
        let prices: [&[f64]; 3] = [&HIGH, &LOW, &CLOSE];
        assert_close(&run("trange", &prices, &[])[0], &[NAN, 2.0, 2.0, 3.0, 4.0]);
        assert_close(&run("atr", &prices, &[2.0])[0], &[NAN, NAN, 2.0, 2.5, 3.25]);
        assert_close(&run("natr", &prices, &[2.0])[0], &[NAN, NAN, 200.0 / 3.0, 125.0, 65.0]);
        assert_close(&run("natr", &prices, &[1.0])[0], &[NAN, 2.0, 2.0, 3.0, 4.0]);
        assert_close(&run("plus_di", &prices, &[1.0])[0], &[NAN, 1.0, 0.5, 0.0, 0.5]);
        assert_close(&run("minus_dm", &prices[..2], &[1.0])[0], &[NAN, 0.0, 0.0, 2.0, 0.0]);
    }

    #[test]
    fn directional_movement_by_hand() {
        let prices: [&[f64]; 3] = [&HIGH, &LOW, &CLOSE];
        // Movement up 2, 1, 0, 2; down 0, 0, 2, 0.
        assert_close(&run("plus_dm", &prices[..2], &[2.0])[0], &[NAN, 2.0, 2.0, 1.0, 2.5]);
        assert_close(&run("minus_dm", &prices[..2], &[2.0])[0], &[NAN, 0.0, 0.0, 2.0, 1.0]);
        // Range sums 2, 3, 4.5, 6.25.
        assert_close(&run("plus_di", &prices, &[2.0])[0], &[NAN, NAN, 200.0 / 3.0, 200.0 / 9.0, 40.0]);
        assert_close(&run("minus_di", &prices, &[2.0])[0], &[NAN, NAN, 0.0, 400.0 / 9.0, 16.0]);
        let dx = [100.0, 100.0 / 3.0, 100.0 * 1.5 / 3.5];
        assert_close(&run("dx", &prices, &[2.0])[0][2..], &dx);
        let adx = [(dx[0] + dx[1]) / 2.0, ((dx[0] + dx[1]) / 2.0 + dx[2]) / 2.0];
        assert_close(&run("adx", &prices, &[2.0])[0], &[NAN, NAN, NAN, adx[0], adx[1]]);
        assert_close(&run("adxr", &prices, &[2.0])[0][4..], &[(adx[0] + adx[1]) / 2.0]);
    }

    #[test]
    fn the_stop_trails_and_turns() {
        // Long from 1: 1, then 1 + 0.1 (4 - 1) held below the low of row 1, then touched at row 3.
        let out = &run("sar", &[&HIGH, &LOW], &[0.1, 0.2])[0];
        assert_close(&out[..4], &[NAN, 1.0, 1.3, 5.0]);
        let falling: Vec<f64> = (0..20).map(|i| 100.0 - f64::from(i)).collect();
        let out = &run("sar", &[&falling, &falling], &[0.02, 0.2])[0];
        assert!(out[1..].iter().zip(&falling[1..]).all(|(stop, price)| stop > price));
    }
}
