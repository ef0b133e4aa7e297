//! Bars with noise on their returns: a strategy that lives on the exact prices of one history falls apart on them.
//!
//! Given columns of open, high, low and close, this gives others. Noise goes on returns, not on levels, so that it adds up
//! as prices do; half of its variance lies between a close and the next open, half within the session. High and low keep
//! their distance, in proportion, to the body of the bar, so that a bar that was consistent stays so. It never knows
//! volumes, splits or dates.

use crate::error::{Error, Result};
use crate::num;
use crate::rng::Stream;

/// Name of the noise's streams.
const STREAM: u32 = 0x6e6f_6973;

/// Prices of one symbol, equally long columns; NaN where there is no bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// First prices.
    pub open: Vec<f64>,
    /// Highest prices.
    pub high: Vec<f64>,
    /// Lowest prices.
    pub low: Vec<f64>,
    /// Last prices.
    pub close: Vec<f64>,
}

/// The same bars with noise whose deviation is `share` of that of the close's returns. `run` and `symbol` name the stream, so
/// that every symbol of every run has its own. The noise leaves expected prices as they are. Bars with a price that is not a
/// positive number are kept as they are and take no noise.
///
/// # Errors
/// Columns of different lengths, a share that is not in [0, 1].
pub fn with_noise(prices: &Prices, share: f64, seed: u64, run: u32, symbol: u32) -> Result<Prices> {
    let Prices { open, high, low, close } = prices;
    if [high.len(), low.len(), close.len()] != [open.len(); 3] {
        return Err(Error::data("open, high, low and close of one symbol have different numbers of bars"));
    }
    if !(0.0..=1.0).contains(&share) {
        let message = format!("noise of {share} times the volatility: expected a share from 0 to 1");
        return Err(Error::plan(message).help("0.1 is a mild stress, 0.5 a hard one"));
    }
    let part = share * deviation(close) * std::f64::consts::FRAC_1_SQRT_2;
    let mut stream = Stream::new(seed ^ u64::from(run).rotate_left(32), [STREAM, symbol]);
    let mut factor = 1.0;
    let mut noisy = Prices::default();
    for (((&o, &h), &l), &c) in open.iter().zip(high).zip(low).zip(close) {
        // Drawn for every bar, so that a missing one does not shift the noise of those after it.
        let mut shock = || num::exp(part * stream.normal() - part * part / 2.0);
        let (gap, session) = (shock(), shock());
        if ![o, h, l, c].iter().all(|&price| price > 0.0 && price.is_finite()) {
            noisy.push([o, h, l, c]);
            continue;
        }
        let opened = factor * gap;
        factor = opened * session;
        let (new_open, new_close) = (o * opened, c * factor);
        // Ratios of at least (most) 1 round to no less (more), so that a body never leaves its bar.
        let top = new_open.max(new_close) * (h / o.max(c));
        let bottom = new_open.min(new_close) * (l / o.min(c));
        noisy.push([new_open, top, bottom, new_close]);
    }
    Ok(noisy)
}

impl Prices {
    fn push(&mut self, [open, high, low, close]: [f64; 4]) {
        self.open.push(open);
        self.high.push(high);
        self.low.push(low);
        self.close.push(close);
    }
}

/// Deviation (ddof 1) of the returns between closes that are positive numbers; 0 for fewer than two returns.
fn deviation(close: &[f64]) -> f64 {
    let present: Vec<f64> = close.iter().copied().filter(|&c| c > 0.0 && c.is_finite()).collect();
    let returns: Vec<f64> = present.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    let n = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / n;
    let squares: f64 = returns.iter().map(|r| (r - mean) * (r - mean)).sum();
    if returns.len() < 2 { 0.0 } else { num::sqrt(squares / (n - 1.0)) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    fn prices(bars: usize) -> Prices {
        let mut stream = Stream::new(8, [0, 0]);
        let mut prices = Prices::default();
        let mut last = 100.0;
        for _ in 0..bars {
            let open = last * (1.0 + 0.005 * stream.normal());
            last = open * (1.0 + 0.01 * stream.normal());
            let (top, bottom) = (open.max(last), open.min(last));
            prices.push([open, top * (1.0 + 0.01 * stream.uniform()), bottom * (1.0 - 0.01 * stream.uniform()), last]);
        }
        prices
    }

    #[test]
    fn bars_stay_bars() {
        let prices = prices(3000);
        for share in [0.0, 0.1, 1.0] {
            let noisy = with_noise(&prices, share, 1, 2, 3).unwrap();
            for bar in 0..3000 {
                let [o, h, l, c] = [noisy.open[bar], noisy.high[bar], noisy.low[bar], noisy.close[bar]];
                assert!(l > 0.0 && l <= o.min(c) && h >= o.max(c), "bar {bar} at {share}: {o} {h} {l} {c}");
            }
        }
        let same = with_noise(&prices, 0.0, 1, 2, 3).unwrap();
        assert!(same.close.iter().zip(&prices.close).all(|(a, b)| a == b), "no noise, no change");
    }

    #[test]
    fn variance_grows_by_the_square_of_the_share() {
        let prices = prices(20_000);
        let noisy = with_noise(&prices, 0.5, 1, 0, 0).unwrap();
        let growth = deviation(&noisy.close) / deviation(&prices.close);
        assert!((growth - num::sqrt(1.25)).abs() < 0.01, "{growth}");
    }

    #[test]
    fn every_symbol_and_run_has_its_own_noise_and_gaps_shift_nothing() {
        let whole = prices(50);
        let first = with_noise(&whole, 0.2, 1, 0, 0).unwrap();
        assert_eq!(first, with_noise(&whole, 0.2, 1, 0, 0).unwrap());
        assert!(
            first != with_noise(&whole, 0.2, 1, 1, 0).unwrap() && first != with_noise(&whole, 0.2, 1, 0, 1).unwrap()
        );
        let mut holes = whole.clone();
        holes.close[10] = num::NAN;
        let noisy = with_noise(&holes, 0.2, 1, 0, 0).unwrap();
        assert!(noisy.close[10].is_nan() && noisy.open[10] == whole.open[10]);
        assert!(noisy.close[11].is_finite());
    }

    #[test]
    fn bad_input_is_refused() {
        let short = Prices { open: vec![1.0], ..Prices::default() };
        assert!(with_noise(&short, 0.1, 0, 0, 0).is_err());
        assert!(with_noise(&prices(5), 1.5, 0, 0, 0).is_err() && with_noise(&prices(5), f64::NAN, 0, 0, 0).is_err());
        assert!(with_noise(&Prices::default(), 0.1, 0, 0, 0).unwrap().open.is_empty());
    }
}
