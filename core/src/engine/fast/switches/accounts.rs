//! The accounts of a group's trials, a lane each: cash and counts, and sums over closed round trips.

use super::Lanes;
use crate::metrics::{Counters, TradeSums};
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
    /// Profits of the round trips, lane after lane, with the same room for each, and where each list ends.
    profits: Vec<f64>,
    room: usize,
    ends: [usize; LANES],
}

/// Sums over closed round trips, field by field those of [`TradeSums`].
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
pub(super) struct Trips {
    count: Lanes,
    wins: Lanes,
    losses: Lanes,
    won: Lanes,
    lost: Lanes,
    profit: Lanes,
    gains: Lanes,
    best: Lanes,
    worst: Lanes,
    holding: Lanes,
    traded: Lanes,
}

/// Round trips, of the lanes in which one closes.
#[derive(Clone, Copy)]
pub(super) struct Closed<E> {
    /// Profit after commissions.
    pub profit: E,
    /// Entry value.
    pub value: E,
    /// Bars from entry to exit.
    pub bars: E,
}

/// Adds to one of the sums.
#[inline(always)]
pub(super) fn increase<E: Eight>(sums: &mut Lanes, by: E) {
    E::load(sums).add(by).store(sums);
}

impl Accounts {
    /// Makes room for so many round trips of each lane.
    pub fn expect(&mut self, trips: usize) {
        self.room = trips;
        self.profits.resize(self.profits.len().max(trips * LANES), 0.0);
        // Of all lanes: those without a trial write there too.
        self.ends = std::array::from_fn(|lane| lane * trips);
    }

    /// Opens an account.
    pub fn open(&mut self, lane: usize, capital: f64, weight: f64) {
        let Accounts { equity, fees, traded, fills, rejected, bars_in_market, leverage, .. } = self;
        for sum in [equity, fees, traded, fills, rejected, bars_in_market, leverage] {
            sum[lane] = 0.0;
        }
        let Trips { count, wins, losses, won, lost, profit, gains, holding, traded, best, worst } = &mut self.trips;
        for sum in [count, wins, losses, won, lost, profit, gains, holding, traded] {
            sum[lane] = 0.0;
        }
        (best[lane], worst[lane]) = (f64::NEG_INFINITY, f64::INFINITY);
        (self.cash[lane], self.weight[lane]) = (capital, weight);
        (self.held[lane], self.marked[lane], self.decided[lane]) = (0, 0, None);
        self.ends[lane] = lane * self.room;
    }

    /// Adds a round trip where one closes.
    #[inline(always)]
    pub fn close<E: Eight>(&mut self, closes: E::Mask, closed: Closed<E>) {
        let (zero, one) = (E::zero(), E::splat(1.0));
        let profit = E::select(closes, closed.profit, zero);
        let gain = E::select(closes, closed.profit.div(closed.value), zero);
        let (wins, losses) = (zero.lt(profit), profit.lt(zero));
        let trips = &mut self.trips;
        increase(&mut trips.count, E::select(closes, one, zero));
        increase(&mut trips.wins, E::select(wins, one, zero));
        increase(&mut trips.won, E::select(wins, profit, zero));
        increase(&mut trips.losses, E::select(losses, one, zero));
        E::load(&trips.lost).sub(E::select(losses, profit, zero)).store(&mut trips.lost);
        increase(&mut trips.profit, profit);
        increase(&mut trips.gains, gain);
        let (best, worst) = (E::load(&trips.best), E::load(&trips.worst));
        E::select(E::both(closes, best.lt(gain)), gain, best).store(&mut trips.best);
        E::select(E::both(closes, gain.lt(worst)), gain, worst).store(&mut trips.worst);
        increase(&mut trips.holding, E::select(closes, closed.bars, zero));
        increase(&mut trips.traded, E::select(closes, closed.value, zero));
        // Written in any case, counted where it is one: nothing to mispredict.
        let (profit, closes) = (profit.array(), E::bits(closes));
        for lane in 0..LANES {
            self.profits[self.ends[lane]] = profit[lane];
            self.ends[lane] += usize::from(closes >> lane & 1);
        }
    }

    /// Sums over the round trips of a lane.
    pub fn trades(&self, lane: usize) -> TradeSums {
        let trips = &self.trips;
        let (count, profit) = (trips.count[lane], trips.profit[lane]);
        let mean = profit / count;
        let profits = &self.profits[lane * self.room..self.ends[lane]];
        TradeSums {
            count,
            wins: trips.wins[lane],
            losses: trips.losses[lane],
            won: trips.won[lane],
            lost: trips.lost[lane],
            profit,
            gains: trips.gains[lane],
            best: trips.best[lane],
            worst: trips.worst[lane],
            holding: trips.holding[lane],
            traded: trips.traded[lane],
            squares: Some(profits.iter().fold(0.0, |sum, profit| sum + (profit - mean) * (profit - mean))),
            ..TradeSums::default()
        }
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
