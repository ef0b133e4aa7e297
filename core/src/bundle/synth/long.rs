//! Long one-minute series that are made faster than they are simulated: a plain random walk without clusters or fat
//! tails, for workloads in which only the number of bars matters.

use super::{MAX_BARS, date, draft};
use crate::bundle::{Bars, BundleDraft, Frequency};
use crate::calendar::{Calendar, DAY_MICROS};

/// One-minute bars without a pause of one symbol, `bars` in all (at most 128 million), from 2005-01-01 on.
///
/// A close is the last one times one plus a sum of four uniform numbers (standard deviation 0.058 %), pulled back to
/// 100.00 by a millionth of the distance a bar, which keeps prices between about 10 and 1000. A bar opens at the last
/// close; its range reaches up to 0.1 % beyond open and close.
pub fn long_series(bars: u64, seed: u64) -> BundleDraft {
    let count = bars.min(MAX_BARS);
    let mut series = Bars::with_capacity(count as usize);
    let first = date(2005, 1, 1);
    let start = i64::from(first) * DAY_MICROS;
    let mut random = Mixer(seed);
    let mut level: f64 = 100.0;
    let mut open = cents(level);
    for k in 0..count as i64 {
        let (steps, rest) = (random.next(), random.next());
        level *= 1.0 + (noise(steps) * 0.001 + 1e-6 * (1.0 - level / 100.0));
        let close = cents(level);
        let reach = level * 0.1;
        let above = (reach * fraction(rest)) as i64;
        let below = (reach * fraction(rest >> 16)) as i64;
        let (high, low) = (open.max(close) + above, (open.min(close) - below).max(1));
        let volume = 1_000 + (rest >> 52);
        let session = first + (k / MINUTES_A_DAY) as i32;
        series.push(
            start + (k + 1) * MINUTE_MICROS,
            session,
            [money(open), money(high), money(low), money(close), volume as f64],
        );
        open = close;
    }
    draft("long", Frequency::Intraday, Calendar::AlwaysOpen, vec![("M00000".to_string(), series)], seed)
}

const MINUTE_MICROS: i64 = 60_000_000;
const MINUTES_A_DAY: i64 = 1440;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct Mixer(u64);

impl Mixer {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The lowest 16 bits as a number in [0, 1).
fn fraction(bits: u64) -> f64 {
    (bits & 0xffff) as f64 * (1.0 / 65_536.0)
}

/// Sum of four uniform numbers, mean 0, between −2 and 2.
fn noise(bits: u64) -> f64 {
    let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    (sum as i64 - 2 * 65_535) as f64 * (1.0 / 65_536.0)
}

fn cents(level: f64) -> i64 {
    ((level * 100.0 + 0.5) as i64).max(1)
}

fn money(cents: i64) -> f64 {
    cents as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_stay_where_they_are_said_to_be() {
        let draft = long_series(2_000_000, 7);
        assert!(draft.check().is_ok());
        let close = &draft.bars[0].close;
        let (low, high) = close.iter().fold((f64::MAX, 0.0f64), |(low, high), &x| (low.min(x), high.max(x)));
        assert!(low > 10.0 && high < 1000.0 && high / low > 1.5, "{low} … {high}");
        let changes: Vec<f64> = close.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
        let mean = changes.iter().sum::<f64>() / changes.len() as f64;
        let variance = changes.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / changes.len() as f64;
        assert!((5.6e-4..6.0e-4).contains(&variance.sqrt()), "deviation {}", variance.sqrt());
        assert!(mean.abs() < 3e-6, "mean {mean}");
    }

    #[test]
    fn sessions_are_those_of_the_calendar() {
        let bars = &long_series(3000, 1).bars[0];
        for (&time, &session) in bars.time.iter().zip(&bars.session) {
            assert_eq!(Calendar::AlwaysOpen.session_of_close(time), session);
        }
    }

    #[test]
    fn a_shorter_series_is_the_beginning_of_a_longer_one() {
        assert_eq!(long_series(1000, 3).bars[0].close[..], long_series(2000, 3).bars[0].close[..1000]);
        assert_ne!(long_series(1000, 3).bars[0].close, long_series(1000, 4).bars[0].close);
    }
}
