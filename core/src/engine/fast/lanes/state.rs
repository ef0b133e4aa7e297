//! Cash, positions and open orders of a group: for each quantity the numbers of all trials side by side.

use super::super::trips::Trips;
use super::queue::Queue;
use super::{HALVES, LANES, Lanes, load, store};
use crate::num::NAN;
use crate::simd::Eight;

/// All that changes while a group is simulated.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub books: Vec<Book>,
    pub money: Money,
    /// Sums over the closed round trips of each half.
    pub trips: [Trips; HALVES],
    /// Lots behind the oldest one, symbol by symbol and half by half.
    pub queues: Vec<[Queue; HALVES]>,
    /// Symbols with open orders.
    pub asks: Vec<Asks>,
    /// Halves that have trials.
    pub halves: usize,
    /// Whether any position was ever short.
    pub shorts: bool,
    /// Whether any order may have sold more than was held.
    pub turns: bool,
    /// Whether the units of any order were no finite number.
    pub odd: bool,
    /// Whether positions must be looked at one by one to know whether they are worth anything.
    pub exact: bool,
}

/// Sixty-four symbols, a bit each: bit `k` of word `w` is symbol `64 w + k`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asks {
    /// Those with open orders.
    pub open: u64,
    /// Those that a half sells.
    pub sells: [u64; HALVES],
    /// Those that a half buys.
    pub buys: [u64; HALVES],
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
    /// Trials with an open order.
    pub open: [u8; HALVES],
    /// Trials with lots behind the oldest one.
    pub queued: [u8; HALVES],
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
    /// Open positions.
    pub positions: Lanes,
    /// Bars in which a stop and a target were both inside.
    pub ambiguous: Lanes,
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
            open: [0; HALVES],
            queued: [0; HALVES],
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
            positions: zero,
            ambiguous: zero,
        }
    }
}

/// One bit of a word.
#[inline(always)]
fn put(word: &mut u64, bit: usize, is: bool) {
    *word = *word & !(1 << bit) | u64::from(is) << bit;
}

impl Asks {
    /// Notes the order of a half for units of one symbol; `bit` says which.
    #[inline(always)]
    pub fn note<E: Eight>(&mut self, bit: usize, half: usize, order: E) {
        put(&mut self.sells[half], bit, E::bits(order.lt(E::zero())) != 0);
        put(&mut self.buys[half], bit, E::bits(E::zero().lt(order)) != 0);
    }

    /// Notes whether a symbol has an open order.
    #[inline(always)]
    pub fn keep_open(&mut self, bit: usize, is: bool) {
        put(&mut self.open, bit, is);
    }

    /// Forgets the orders of some symbols.
    #[inline(always)]
    pub fn forget(&mut self, symbols: u64) {
        self.open &= !symbols;
        for half in 0..HALVES {
            self.sells[half] &= !symbols;
            self.buys[half] &= !symbols;
        }
    }
}

impl Book {
    #[inline(always)]
    pub fn forget_orders(&mut self) {
        self.order = [0.0; LANES];
        self.open = [0; HALVES];
    }
}

/// Lists every bit that is set.
#[inline(always)]
pub(super) fn each(mut bits: u64, mut visit: impl FnMut(usize)) {
    while bits != 0 {
        visit(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

impl State {
    /// Begins anew. `payable` says that all prices are above zero, `exact` that a price of some bar is too small to tell a
    /// position's worth from nothing.
    pub fn reset(&mut self, symbols: usize, cash: f64, payable: bool, exact: bool) {
        self.books.clear();
        self.books.resize_with(symbols, Book::default);
        self.money = Money { cash: [cash; LANES], ..Money::default() };
        self.trips = Default::default();
        self.queues.resize_with(symbols, Default::default);
        self.queues.iter_mut().flatten().for_each(Queue::clear);
        self.asks.clear();
        self.asks.resize(symbols.div_ceil(64), Asks::default());
        self.shorts = false;
        self.turns = !payable;
        self.odd = false;
        self.exact = exact;
    }

    /// Cash and positions at prices, symbol after symbol. A position of nothing adds nothing: prices are finite.
    #[inline(always)]
    pub fn worth<E: Eight>(&self, prices: &[f64]) -> [E; HALVES] {
        let [mut first, mut second] = [load::<E>(&self.money.cash, 0), load::<E>(&self.money.cash, 1)];
        for (book, &price) in self.books.iter().zip(prices) {
            let price = E::splat(price);
            first = first.add(load::<E>(&book.units, 0).mul(price));
            second = second.add(load::<E>(&book.units, 1).mul(price));
        }
        [first, second]
    }

    /// Positions at prices without their signs.
    #[inline(always)]
    fn gross<E: Eight>(&self, prices: &[f64], half: usize) -> E {
        let mut gross = E::zero();
        for (book, &price) in self.books.iter().zip(prices) {
            gross = gross.add(load::<E>(&book.units, half).mul(E::splat(price)).abs());
        }
        gross
    }

    /// Counts a bar at whose end, at `closes`, the trials are worth `equity`.
    #[inline(always)]
    pub fn expose<E: Eight>(&mut self, equity: &[E; HALVES], closes: &[f64]) {
        for half in 0..self.halves {
            let equity = equity[half];
            if self.exact || self.shorts {
                self.expose_exactly(equity, closes, half);
                continue;
            }
            let money = &mut self.money;
            let invested = E::zero().lt(load::<E>(&money.positions, half));
            count::<E>(&mut money.bars_in_market, half, invested);
            // Without short positions the part of equity that is cash says how much is invested, up to rounding. Only
            // what comes near the most so far is looked at; where cash is not negative, no rounding makes it more than 1.
            let (cash, most) = (load::<E>(&money.cash, half), load::<E>(&money.leverage, half));
            let spare = E::splat(SPARE).sub(most).max(E::zero()).mul(equity);
            let rises = E::either(most.lt(E::splat(1.0)), cash.lt(E::zero()));
            if E::bits(E::without(E::both(invested, rises), spare.le(cash))) != 0 {
                let gross = self.gross::<E>(closes, half);
                self.lever(equity, gross, invested, half);
            }
        }
    }

    #[inline(never)]
    fn expose_exactly<E: Eight>(&mut self, equity: E, closes: &[f64], half: usize) {
        let gross = self.gross::<E>(closes, half);
        let invested = E::zero().lt(gross);
        count::<E>(&mut self.money.bars_in_market, half, invested);
        self.lever(equity, gross, invested, half);
    }

    /// Notes the largest gross value over equity.
    #[inline(always)]
    fn lever<E: Eight>(&mut self, equity: E, gross: E, invested: E::Mask, half: usize) {
        let most = load::<E>(&self.money.leverage, half);
        let sound = E::both(invested, E::zero().lt(equity));
        store(E::select(sound, gross.div(equity), E::zero()).max(most), &mut self.money.leverage, half);
    }
}

/// A little more than 1: more than the rounding of the sums over all symbols.
pub(in super::super) const SPARE: f64 = 1.0 + 1e-9;

/// Counts one more where `mask` is set.
#[inline(always)]
pub(super) fn count<E: Eight>(counts: &mut Lanes, half: usize, mask: E::Mask) {
    let before = load::<E>(counts, half);
    store(before.add(E::select(mask, E::splat(1.0), E::zero())), counts, half);
}
