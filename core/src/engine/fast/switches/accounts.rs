//! The accounts of a group's trials, a lane each: cash and counts, and sums over closed round trips.

use super::super::trips::Trips;
use super::Lanes;
use crate::metrics::Counters;
use crate::simd::{Eight, LANES};

/// Cash, counts and sums of all lanes. Counts are whole numbers.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
pub(super) struct Accounts {
    pub cash: Lanes,
    /// The weight that is held or not.
    pub weight: Lanes,
    /// Equity that the orders of the last bar were sized by.
    pub equity: Lanes,
    pub fees: Lanes,
    pub traded: Lanes,
    pub fills: Lanes,
    pub rejected: Lanes,
    pub bars_in_market: Lanes,
    /// Largest gross value over equity.
    pub leverage: Lanes,
    pub trips: Trips,
    /// Symbols that are held, a bit each.
    pub held: [u64; LANES],
    /// The bar whose orders are under way, from which on equity is not filled in.
    pub marked: [usize; LANES],
    /// The bar of the last event, if there was one.
    pub decided: [Option<u32>; LANES],
}

/// Adds to one of the sums.
#[inline(always)]
pub(super) fn increase<E: Eight>(sums: &mut Lanes, by: E) {
    E::load(sums).add(by).store(sums);
}

impl Accounts {
    /// Opens an account.
    pub fn open(&mut self, lane: usize, capital: f64, weight: f64) {
        let Accounts { equity, fees, traded, fills, rejected, bars_in_market, leverage, .. } = self;
        for sum in [equity, fees, traded, fills, rejected, bars_in_market, leverage] {
            sum[lane] = 0.0;
        }
        self.trips.forget(lane);
        (self.cash[lane], self.weight[lane]) = (capital, weight);
        (self.held[lane], self.marked[lane], self.decided[lane]) = (0, 0, None);
    }

    /// What was counted in a lane over so many bars.
    pub fn counters(&self, lane: usize, bars: usize) -> Counters {
        Counters {
            bars: bars as u64,
            // Counted in whole numbers far below 2^53.
            bars_in_market: self.bars_in_market[lane] as u64,
            traded_value: self.traded[lane],
            max_leverage: self.leverage[lane],
            fees: self.fees[lane],
            fills: self.fills[lane] as u64,
            rejected_orders: self.rejected[lane] as u64,
            ..Counters::default()
        }
    }
}
