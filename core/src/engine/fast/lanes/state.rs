//! Cash, positions and open orders of a group: for each quantity the numbers of all trials side by side.

use super::lists::Lists;
use super::lots::Lot;
use super::{LANES, Lanes};
use crate::num::NAN;

/// All that changes while a group is simulated.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub books: Vec<Book>,
    pub money: Money,
    /// Closed round trips of each trial in the order of their exits: profit after commissions and entry value.
    pub trips: Lists<[f64; 2]>,
    /// Lots behind the oldest one, symbol by symbol.
    pub queues: Vec<Lists<Lot>>,
    /// Whether any position was ever short.
    pub shorts: bool,
}

/// What the trials hold and want of one symbol.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Book {
    /// Signed units held.
    pub units: Lanes,
    /// Signed units of the oldest lot, what it was paid, its commission for each unit, and its bar.
    pub first_units: Lanes,
    pub first_price: Lanes,
    pub first_fee: Lanes,
    pub first_bar: Lanes,
    /// Signed units of the open order; 0 without one.
    pub order: Lanes,
    /// Weight of the open order, where orders are sized at their fill; NaN without one.
    pub weight: Lanes,
    /// The target last acted upon.
    pub target: Lanes,
    /// Whether any trial has an open order.
    pub pending: bool,
    /// Whether the units of any order are no finite number.
    pub odd: bool,
}

/// Cash and counts, of each trial. Counts are whole numbers.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Money {
    pub cash: Lanes,
    pub fees: Lanes,
    pub traded: Lanes,
    pub fills: Lanes,
    pub rejected: Lanes,
    pub bars_in_market: Lanes,
    pub leverage: Lanes,
    /// Bars from entry to exit, summed over the closed round trips.
    pub holding: Lanes,
}

/// What the trials are worth at given prices.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Marks {
    pub equity: Lanes,
    pub gross: Lanes,
}

impl Default for Book {
    fn default() -> Book {
        let zero = [0.0; LANES];
        Book {
            units: zero,
            first_units: zero,
            first_price: zero,
            first_fee: zero,
            first_bar: zero,
            order: zero,
            weight: [NAN; LANES],
            target: [NAN; LANES],
            pending: false,
            odd: false,
        }
    }
}

impl Default for Money {
    fn default() -> Money {
        let zero = [0.0; LANES];
        Money {
            cash: zero,
            fees: zero,
            traded: zero,
            fills: zero,
            rejected: zero,
            bars_in_market: zero,
            leverage: zero,
            holding: zero,
        }
    }
}

impl Book {
    #[inline(always)]
    pub fn forget_orders(&mut self) {
        self.order = [0.0; LANES];
        self.weight = [NAN; LANES];
        self.pending = false;
        self.odd = false;
    }
}

impl State {
    pub fn reset(&mut self, symbols: usize, cash: f64) {
        self.books.clear();
        self.books.resize_with(symbols, Book::default);
        self.money = Money { cash: [cash; LANES], ..Money::default() };
        self.trips.clear();
        self.queues.resize_with(symbols, Lists::default);
        self.queues.iter_mut().for_each(Lists::clear);
        self.shorts = false;
    }

    /// Cash and positions at prices, symbol after symbol. A position of nothing adds nothing: prices are finite.
    #[inline(always)]
    pub fn mark(&self, prices: &[f64]) -> Marks {
        let mut marks = Marks { equity: self.money.cash, gross: [0.0; LANES] };
        for (book, &price) in self.books.iter().zip(prices) {
            for lane in 0..LANES {
                let value = book.units[lane] * price;
                marks.equity[lane] += value;
                marks.gross[lane] += value.abs();
            }
        }
        marks
    }

    /// Counts a bar at whose end the trials are worth so much.
    #[inline(always)]
    pub fn expose(&mut self, marks: &Marks) {
        let Money { bars_in_market, leverage, .. } = &mut self.money;
        for lane in 0..LANES {
            let (equity, gross) = (marks.equity[lane], marks.gross[lane]);
            bars_in_market[lane] += if gross > 0.0 { 1.0 } else { 0.0 };
            let ratio = gross / equity;
            let ratio = if (gross > 0.0) & (equity > 0.0) { ratio } else { 0.0 };
            leverage[lane] = if ratio > leverage[lane] { ratio } else { leverage[lane] };
        }
    }
}
