//! Sums and extremes of sliding windows, each in time linear in the column whatever the period.
//!
//! Given a column and a period, this module gives the column of window values. It never knows which indicator asks.

use crate::num::NAN;

/// Outputs of one stripe of [`window_sums`]: long enough that adding up its first window is a small part of it.
pub(super) fn stripe(period: usize) -> usize {
    (4 * period).max(256)
}

/// Sums of every window of `period` values; `out[i]` is the sum of `x[i..i + period]`, so `out` is
/// `x.len() + 1 - period` long.
///
/// The sum slides as in TA-Lib: add the value that enters, store, subtract the value that leaves. It starts anew in
/// every stripe, which keeps rounding from piling up over a long column and lets four stripes advance together
/// (one alone would wait for its own additions). Stripes are counted from the first value, so a later value
/// changes no earlier sum.
pub(super) fn window_sums(x: &[f64], period: usize, out: &mut [f64]) {
    window_sums_then(x, period, out, |_| ());
}

/// [`window_sums`], handing every finished part of the output to `then` while it is still near the processor.
fn window_sums_then(x: &[f64], period: usize, out: &mut [f64], then: impl Fn(&mut [f64])) {
    let stripe = stripe(period);
    let mut start = 0;
    let mut groups = out.chunks_exact_mut(4 * stripe);
    for group in &mut groups {
        four_stripes(&x[start..], period, stripe, group);
        then(group);
        start += 4 * stripe;
    }
    for part in groups.into_remainder().chunks_mut(stripe) {
        let mut total: f64 = 0.0;
        for value in &x[start..start + period - 1] {
            total += value;
        }
        let entering = &x[start + period - 1..][..part.len()];
        let leaving = &x[start..][..part.len()];
        for ((sum, entering), leaving) in part.iter_mut().zip(entering).zip(leaving) {
            total += entering;
            *sum = total;
            total -= leaving;
        }
        then(part);
        start += part.len();
    }
}

/// Four stripes of window sums side by side.
fn four_stripes(x: &[f64], period: usize, stripe: usize, out: &mut [f64]) {
    let mut totals = [0.0f64; 4];
    for step in 0..period - 1 {
        for (lane, total) in totals.iter_mut().enumerate() {
            *total += x[lane * stripe + step];
        }
    }
    let entering = [0, 1, 2, 3].map(|lane| &x[lane * stripe + period - 1..][..stripe]);
    let leaving = [0, 1, 2, 3].map(|lane| &x[lane * stripe..][..stripe]);
    let (first, second) = out.split_at_mut(2 * stripe);
    let (out0, out1) = first.split_at_mut(stripe);
    let (out2, out3) = second.split_at_mut(stripe);
    let (out2, out3) = (&mut out2[..stripe], &mut out3[..stripe]);
    let [mut t0, mut t1, mut t2, mut t3] = totals;
    for i in 0..stripe {
        t0 += entering[0][i];
        t1 += entering[1][i];
        t2 += entering[2][i];
        t3 += entering[3][i];
        out0[i] = t0;
        out1[i] = t1;
        out2[i] = t2;
        out3[i] = t3;
        t0 -= leaving[0][i];
        t1 -= leaving[1][i];
        t2 -= leaving[2][i];
        t3 -= leaving[3][i];
    }
}

/// Moving sum: defined from row `period - 1`.
pub(super) fn sum(x: &[f64], period: usize, out: &mut [f64]) {
    let (head, tail) = out.split_at_mut(period - 1);
    head.fill(NAN);
    window_sums(x, period, tail);
}

/// Simple moving average: defined from row `period - 1`.
pub(super) fn sma(x: &[f64], period: usize, out: &mut [f64]) {
    let (head, tail) = out.split_at_mut(period - 1);
    head.fill(NAN);
    let count = period as f64;
    window_sums_then(x, period, tail, |part| part.iter_mut().for_each(|value| *value /= count));
}

/// Largest value of every window: defined from row `period - 1`.
pub(super) fn max(x: &[f64], period: usize, out: &mut [f64]) {
    extreme(x, period, out, f64::NEG_INFINITY, |a, b| if b > a { b } else { a });
}

/// Smallest value of every window: defined from row `period - 1`.
pub(super) fn min(x: &[f64], period: usize, out: &mut [f64]) {
    extreme(x, period, out, f64::INFINITY, |a, b| if b < a { b } else { a });
}

/// Extremes by blocks of one period (van Herk 1992; Gil and Werman 1993): a window is the end of one block and the
/// start of the next, so it takes three comparisons a value whatever the period.
fn extreme(x: &[f64], period: usize, out: &mut [f64], neutral: f64, pick: impl Fn(f64, f64) -> f64) {
    // ends[r] is the extreme of the previous block from its row r on; the last entry stands for "nothing".
    let mut ends = vec![neutral; period + 1];
    for (values, out) in x.chunks(period).zip(out.chunks_mut(period)) {
        let mut best = neutral;
        for ((value, end), out) in values.iter().zip(&ends[1..]).zip(out.iter_mut()) {
            best = pick(best, *value);
            *out = pick(best, *end);
        }
        if values.len() == period {
            let mut best = neutral;
            for (value, end) in values.iter().zip(&mut ends).rev() {
                best = pick(best, *value);
                *end = best;
            }
        }
    }
    out[..period - 1].fill(NAN);
}

/// For every row from `span` on, how many bars ago the latest extreme of the last `span + 1` bars was; `beats(a, b)`
/// says that a newer `a` takes the place of `b` (ties included, so the latest bar wins). Rows before `span` are left.
pub(super) fn bars_since(x: &[f64], span: usize, beats: impl Fn(f64, f64) -> bool, mut at: impl FnMut(usize, usize)) {
    // Rows that can still become the extreme, oldest first, each better than all after it.
    let mut candidates: Vec<usize> = Vec::new();
    let mut oldest = 0;
    for (row, &value) in x.iter().enumerate() {
        while candidates.len() > oldest && beats(value, x[candidates[candidates.len() - 1]]) {
            candidates.pop();
        }
        candidates.push(row);
        if candidates[oldest] + span < row {
            oldest += 1;
        }
        if row >= span {
            at(row, row - candidates[oldest]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(len: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 7919) % 1009) as f64 / 8.0).collect()
    }

    #[test]
    fn striped_sums_equal_plain_sums() {
        // Eighths add up exactly, so any difference is a wrong window.
        for (len, period) in [(1, 1), (7, 3), (256, 2), (1025, 1), (5000, 30), (9000, 200), (5000, 4999)] {
            let x = values(len);
            let mut out = vec![0.0; len];
            sum(&x, period, &mut out);
            for row in 0..len {
                if row + 1 < period {
                    assert!(out[row].is_nan());
                } else {
                    assert_eq!(out[row], x[row + 1 - period..=row].iter().sum::<f64>(), "{len} {period} {row}");
                }
            }
        }
    }

    #[test]
    fn extremes_equal_the_plain_definition() {
        for (len, period) in [(1, 1), (10, 3), (100, 7), (100, 100), (99, 2), (1000, 64)] {
            let x = values(len);
            let (mut high, mut low) = (vec![0.0; len], vec![0.0; len]);
            max(&x, period, &mut high);
            min(&x, period, &mut low);
            for row in period - 1..len {
                let window = &x[row + 1 - period..=row];
                assert_eq!(high[row], window.iter().copied().fold(f64::NEG_INFINITY, f64::max));
                assert_eq!(low[row], window.iter().copied().fold(f64::INFINITY, f64::min));
            }
        }
    }

    #[test]
    fn ties_belong_to_the_latest_bar() {
        let mut ages = Vec::new();
        bars_since(&[3.0, 1.0, 3.0, 2.0, 2.0], 2, |new, old| new >= old, |row, age| ages.push((row, age)));
        assert_eq!(ages, [(2, 0), (3, 1), (4, 2)]);
    }
}
