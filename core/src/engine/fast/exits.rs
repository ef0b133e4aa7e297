//! Exits that come with an entry: stop-loss, take-profit and time stop, found without looking at every bar.
//!
//! Given the levels of a position and its symbol's bars, this file gives the next row at which one of them is touched.
//! It never knows the account.

use super::super::order::Distance;
use crate::context::Panel;
use crate::num::NAN;
use crate::simd::{self, Eight, LANES, Work};

/// Exits of an entry as they are decided, before its price is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bracket {
    pub stop_loss: Option<Distance>,
    pub take_profit: Option<Distance>,
    pub time_stop: Option<u32>,
}

/// Exits of an open position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exits {
    /// Names the position.
    pub group: u32,
    pub long: bool,
    /// Price of the stop-loss; beyond reach if there is none.
    pub stop: f64,
    /// Price of the take-profit; beyond reach if there is none.
    pub target: f64,
    /// Row from which the position is closed whatever happens.
    pub time_row: usize,
    /// First row that was not looked at.
    pub from: usize,
    /// Row before `from` at which a level is touched.
    pub touched: Option<usize>,
}

/// How a bar meets the exits of a position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Met {
    /// Whether the stop is touched; whether the bar opens beyond it.
    pub stop: Option<bool>,
    /// Whether the target is touched; whether the bar opens beyond it.
    pub target: Option<bool>,
}

impl Bracket {
    /// Distance from a price to the stop-loss; undefined without one.
    pub fn risk(&self, price: f64) -> f64 {
        self.stop_loss.map_or(NAN, |by| distance(by, price))
    }
}

fn distance(by: Distance, price: f64) -> f64 {
    match by {
        Distance::Amount(amount) => amount,
        Distance::Fraction(part) => price * part,
    }
}

impl Exits {
    /// The exits of a position that was opened at `price`, without group and rows.
    pub fn attach(bracket: &Bracket, long: bool, price: f64) -> Exits {
        let (nothing_below, nothing_above) = (f64::NEG_INFINITY, f64::INFINITY);
        let below = |by: Option<Distance>| by.map_or(nothing_below, |by| price - distance(by, price));
        let above = |by: Option<Distance>| by.map_or(nothing_above, |by| price + distance(by, price));
        let (stop, target) = match long {
            true => (below(bracket.stop_loss), above(bracket.take_profit)),
            false => (above(bracket.stop_loss), below(bracket.take_profit)),
        };
        Exits { group: 0, long, stop, target, time_row: usize::MAX, from: 0, touched: None }
    }

    /// Looks for the next row up to `end` at which a level is touched.
    pub fn seek(&mut self, panel: &Panel, end: usize) {
        if self.touched.is_none() && self.from < end {
            let bounds = if self.long { (self.stop, self.target) } else { (self.target, self.stop) };
            let rows = self.from..end;
            let found = simd::run(Touch { low: &panel.low[rows.clone()], high: &panel.high[rows], bounds });
            self.touched = found.map(|k| self.from + k);
            self.from = self.touched.map_or(end, |row| row + 1);
        }
    }

    /// The next row at which something may happen: a touch, the time stop, or the end of what was looked at.
    pub fn next_row(&self) -> usize {
        self.touched.unwrap_or(self.from).min(self.time_row)
    }

    /// How a bar meets the levels.
    pub fn meet(&self, open: f64, high: f64, low: f64) -> Met {
        let fell_to = |level: f64| (low <= level).then_some(open <= level);
        let rose_to = |level: f64| (high >= level).then_some(open >= level);
        // A bar may open beyond a level without its range saying so, if its prices contradict each other.
        let falls = |level: f64| if open <= level { Some(true) } else { fell_to(level) };
        let rises = |level: f64| if open >= level { Some(true) } else { rose_to(level) };
        match self.long {
            true => Met { stop: fell_to(self.stop), target: rises(self.target) },
            false => Met { stop: rose_to(self.stop), target: falls(self.target) },
        }
    }
}

/// The first place at which a low is down to the lower bound or a high up to the upper one.
struct Touch<'a> {
    low: &'a [f64],
    high: &'a [f64],
    bounds: (f64, f64),
}

impl Work for Touch<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run<E: Eight>(self) -> Option<usize> {
        let Touch { low, high, bounds } = self;
        let (lower, upper) = (E::splat(bounds.0), E::splat(bounds.1));
        let (lows, rest_low) = low.as_chunks::<LANES>();
        let (highs, rest_high) = high.as_chunks::<LANES>();
        for (k, (low, high)) in lows.iter().zip(highs).enumerate() {
            let bits = E::bits(E::load(low).le(lower)) | E::bits(upper.le(E::load(high)));
            if bits != 0 {
                return Some(k * LANES + bits.trailing_zeros() as usize);
            }
        }
        let mut rest = rest_low.iter().zip(rest_high);
        rest.position(|(&low, &high)| low <= bounds.0 || high >= bounds.1).map(|k| lows.len() * LANES + k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touch_is_found_at_every_place() {
        for len in 1..40 {
            for place in 0..len {
                let (mut low, mut high) = (vec![10.0; len], vec![11.0; len]);
                low[place] = 9.0;
                let touch = |low: &[f64], high: &[f64], bounds| simd::run(Touch { low, high, bounds });
                assert_eq!(touch(&low, &high, (9.0, f64::INFINITY)), Some(place));
                assert_eq!(touch(&low, &high, (8.0, f64::INFINITY)), None);
                low[place] = 10.0;
                high[place] = 12.0;
                assert_eq!(touch(&low, &high, (f64::NEG_INFINITY, 12.0)), Some(place));
            }
        }
    }

    #[test]
    fn levels_lie_on_the_sides_that_a_position_needs() {
        let bracket = Bracket {
            stop_loss: Some(Distance::Fraction(0.1)),
            take_profit: Some(Distance::Amount(30.0)),
            time_stop: None,
        };
        let long = Exits::attach(&bracket, true, 100.0);
        assert_eq!((long.stop, long.target), (90.0, 130.0));
        let short = Exits::attach(&bracket, false, 100.0);
        assert_eq!((short.stop, short.target), (110.0, 70.0));
        assert_eq!(long.meet(95.0, 99.0, 90.0), Met { stop: Some(false), target: None });
        assert_eq!(long.meet(89.0, 131.0, 80.0), Met { stop: Some(true), target: Some(false) });
        assert_eq!(short.meet(95.0, 111.0, 69.0), Met { stop: Some(false), target: Some(false) });
    }
}
