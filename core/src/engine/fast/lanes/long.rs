//! The fills of a bar where no position is short and none becomes so: sells, then buys, with cash in registers. The
//! arithmetic is that of `fill.rs`, without what only short positions ask.
//!
//! Sells close round trips and buys do not, and no trial has both of one symbol, so that each fill changes its position
//! at once. What has to be done trial by trial interrupts the vectors' work: a call within it would have all registers
//! saved and restored for every fill.

use super::super::trips::Closed;
use super::fill::{Market, TINY, Venue};
use super::lots::Exit;
use super::state::{State, each};
use super::{load, store};
use crate::plan::Margin;
use crate::simd::{self, Eight, Work};

/// What every fill of a half changes, kept at hand from fill to fill.
#[derive(Clone, Copy)]
struct Purse<E> {
    cash: E,
    fees: E,
    traded: E,
    fills: E,
}

/// What is left to be done trial by trial after sells.
#[derive(Clone, Copy)]
struct Rest<E> {
    /// Trials whose position is over, and had several lots.
    over: u8,
    /// Trials that sell more than the oldest of several lots, but not all.
    deep: u8,
    /// Units of positions that are over, and the commission of each unit that is sold.
    closed: E,
    fee: E,
    /// Trials that are like no others, and their units.
    odd: u8,
    units: E,
}

/// The sells among it that close more than one lot.
#[derive(Clone, Copy)]
struct Several {
    over: u8,
    deep: u8,
    closed: [f64; simd::LANES],
    fee: [f64; simd::LANES],
    units: [f64; simd::LANES],
}

/// What is left to be done trial by trial about buys.
#[derive(Clone, Copy)]
enum Left<E> {
    Nothing,
    /// These trials' cash does not pay, and nothing is done.
    Unpaid(u8),
    /// These trials' positions are to be changed by their units.
    Odd(u8, E),
}

/// Fills the orders of a half at one bar, of 64 symbols a word, each kind in the order of the symbols. Units that are
/// sold are held.
#[inline(always)]
pub(super) fn fill<E: Eight, const BY_VALUE: bool>(state: &mut State, half: usize, words: &[u64], venue: Venue) {
    let money = &state.money;
    let mut purse = Purse::<E> {
        cash: load(&money.cash, half),
        fees: load(&money.fees, half),
        traded: load(&money.traded, half),
        fills: load(&money.fills, half),
    };
    for (word, &fills) in words.iter().enumerate() {
        let symbols = state.asks[word].sells[half] & fills;
        sell_all::<E, BY_VALUE>(state, half, word, symbols, venue, &mut purse);
    }
    for (word, &fills) in words.iter().enumerate() {
        let symbols = state.asks[word].buys[half] & fills;
        buy_all::<E, BY_VALUE>(state, half, word, symbols, venue, &mut purse);
    }
    let money = &mut state.money;
    store(purse.cash, &mut money.cash, half);
    store(purse.fees, &mut money.fees, half);
    store(purse.traded, &mut money.traded, half);
    store(purse.fills, &mut money.fills, half);
}

/// Fills sells of some symbols of a word.
#[inline(always)]
fn sell_all<E: Eight, const BY_VALUE: bool>(
    state: &mut State,
    half: usize,
    word: usize,
    mut symbols: u64,
    venue: Venue,
    purse: &mut Purse<E>,
) {
    while symbols != 0 {
        let mut rest = Rest::none(E::zero());
        let mut symbol = 0;
        while symbols != 0 {
            symbol = word * 64 + symbols.trailing_zeros() as usize;
            symbols &= symbols - 1;
            rest = venue.market(symbol).sell::<E, BY_VALUE>(state, half, purse);
            if rest.over | rest.deep | rest.odd != 0 {
                break;
            }
        }
        if rest.over | rest.deep != 0 {
            let Rest { over, deep, .. } = rest;
            let [closed, fee, units] = [rest.closed.array(), rest.fee.array(), rest.units.array()];
            venue.market(symbol).close_several(state, half, Several { over, deep, closed, fee, units });
        }
        if rest.odd != 0 {
            venue.market(symbol).change_some::<E, BY_VALUE>(state, half, rest.odd, rest.units);
        }
    }
}

/// Fills buys of some symbols of a word.
#[inline(always)]
fn buy_all<E: Eight, const BY_VALUE: bool>(
    state: &mut State,
    half: usize,
    word: usize,
    mut symbols: u64,
    venue: Venue,
    purse: &mut Purse<E>,
) {
    each(symbols, |place| state.queues[word * 64 + place][half].expect(1));
    let mut is_cut = false;
    while symbols != 0 {
        let (mut left, mut symbol) = (Left::Nothing, 0);
        while symbols != 0 {
            symbol = word * 64 + symbols.trailing_zeros() as usize;
            left = venue.market(symbol).buy::<E, BY_VALUE>(state, half, purse, is_cut);
            if let Left::Unpaid(_) = left {
                break;
            }
            is_cut = false;
            symbols &= symbols - 1;
            if let Left::Odd(..) = left {
                break;
            }
        }
        match left {
            Left::Nothing => {}
            Left::Unpaid(unpaid) => {
                store(purse.cash, &mut state.money.cash, half);
                venue.market(symbol).cut_to_cash(state, half, unpaid);
                is_cut = true;
            }
            Left::Odd(odd, units) => venue.market(symbol).change_some::<E, BY_VALUE>(state, half, odd, units),
        }
    }
}

impl<E: Eight> Rest<E> {
    /// Nothing, where these units were sold.
    #[inline(always)]
    fn none(units: E) -> Rest<E> {
        Rest { over: 0, deep: 0, closed: E::zero(), fee: E::zero(), odd: 0, units }
    }
}

impl<E: Eight> Purse<E> {
    /// Pays for the fills of some trials. No units cost nothing, and nothing added changes no sum: none of them is ever a
    /// negative zero.
    #[inline(always)]
    fn pay(&mut self, live: E::Mask, value: E, fee: E) {
        self.cash = self.cash.sub(value.add(fee));
        self.fees = self.fees.add(fee);
        self.traded = self.traded.add(value.abs());
        self.fills = self.fills.add(E::select(live, E::splat(1.0), E::zero()));
    }
}

impl Market<'_> {
    /// Fills the sells of a half.
    #[inline(always)]
    fn sell<E: Eight, const BY_VALUE: bool>(&self, state: &mut State, half: usize, purse: &mut Purse<E>) -> Rest<E> {
        let zero = E::zero();
        let book = &mut state.books[self.symbol];
        let order = load::<E>(&book.order, half);
        let live = order.lt(zero);
        let (units, price) = (E::select(live, order, zero), E::splat(self.sold));
        let fee = self.costs.fees::<E, BY_VALUE>(units, price);
        purse.pay(live, units.mul(price), fee);
        let live_bits = E::bits(live);
        if live_bits.count_ones() <= E::FEW {
            return Rest { odd: live_bits, ..Rest::none(units) };
        }
        let held = load::<E>(&book.units, half);
        let first = load::<E>(&book.first_units, half);
        let (first_price, first_fee) = (load::<E>(&book.first_price, half), load::<E>(&book.first_fee, half));
        let bars = E::splat(self.bar as f64).sub(load::<E>(&book.first_bar, half));
        let (after, part) = (held.add(units), units.abs());
        let fee = fee.div(part);
        // What rounding leaves of a position is nothing.
        let over = E::both(live, after.le(E::splat(1e-12).mul(held)));
        let stays = E::both(E::without(live, over), E::splat(TINY).lt(after));
        let cuts = E::both(stays, part.lt(first));
        let mut exits = cuts;
        let mut closed = Closed {
            profit: part.mul(price.sub(first_price)).sub(part.mul(first_fee.add(fee))),
            value: part.mul(first_price),
            bars,
        };
        let (mut after, mut shorter) = (E::select(cuts, after, held), E::select(cuts, first.add(units), first));
        let over_bits = E::bits(over);
        let several = over_bits & book.queued[half];
        if over_bits != 0 {
            // All of a position that has one lot, which bears what is left of the commission, not what rounding left of
            // it.
            let closes = E::mask(over_bits & !several);
            let rest = part.min(held);
            let plain = first.mul(first_fee.add(fee));
            let fees = E::select(rest.eq(first), plain, first.mul(first_fee).add(rest.mul(fee)));
            let profit = first.mul(price.sub(first_price)).sub(fees);
            closed.profit = E::select(closes, profit, closed.profit);
            closed.value = E::select(closes, first.mul(first_price), closed.value);
            exits = E::either(cuts, closes);
            (after, shorter) = (E::select(over, zero, after), E::select(closes, zero, shorter));
            let positions = load::<E>(&state.money.positions, half);
            store(positions.sub(E::select(over, E::splat(1.0), zero)), &mut state.money.positions, half);
        }
        store(after, &mut book.units, half);
        store(shorter, &mut book.first_units, half);
        let exit_bits = E::bits(exits);
        let deep = E::bits(stays) & !exit_bits & book.queued[half];
        let odd = live_bits & !(exit_bits | several | deep);
        if exit_bits != 0 {
            state.trips[half].close(exits, closed);
        }
        Rest { over: several, deep, closed: part.min(held), fee, odd, units }
    }

    /// Closes lots of positions that have several of them. Not a part of what calls it, which is compiled many times.
    #[inline(never)]
    fn close_several(&self, state: &mut State, half: usize, several: Several) {
        simd::run(Closing { market: self, state, half, several });
    }

    /// Fills the buys of a half, if cash pays them or they are cut to what it does.
    #[inline(always)]
    fn buy<E: Eight, const BY_VALUE: bool>(
        &self,
        state: &mut State,
        half: usize,
        purse: &mut Purse<E>,
        is_cut: bool,
    ) -> Left<E> {
        let zero = E::zero();
        let book = &mut state.books[self.symbol];
        let (units, price) = (load::<E>(&book.order, half).max(zero), E::splat(self.bought));
        let (value, fee) = (units.mul(price), self.costs.fees::<E, BY_VALUE>(units, price));
        let live = zero.lt(units);
        if self.settings.margin == Margin::Cash && !is_cut {
            let unpaid = E::bits(E::without(live, value.add(fee).le(purse.cash)));
            if unpaid != 0 {
                return Left::Unpaid(unpaid);
            }
        }
        purse.pay(live, value, fee);
        let live_bits = E::bits(live);
        if live_bits.count_ones() <= E::FEW {
            return if live_bits == 0 { Left::Nothing } else { Left::Odd(live_bits, units) };
        }
        let held = load::<E>(&book.units, half);
        let fee = fee.div(units);
        let (flat, after) = (held.eq(zero), held.add(units));
        let opens = E::both(E::both(live, flat), E::splat(TINY).lt(after));
        let adds = E::without(live, flat);
        let (opens_bits, adds_bits) = (E::bits(opens), E::bits(adds));
        store(E::select(E::either(opens, adds), after, held), &mut book.units, half);
        if opens_bits != 0 {
            let bar = E::splat(self.bar as f64);
            store(E::select(opens, units, load(&book.first_units, half)), &mut book.first_units, half);
            store(E::select(opens, price, load(&book.first_price, half)), &mut book.first_price, half);
            store(E::select(opens, fee, load(&book.first_fee, half)), &mut book.first_fee, half);
            store(E::select(opens, bar, load(&book.first_bar, half)), &mut book.first_bar, half);
            let positions = load::<E>(&state.money.positions, half);
            store(positions.add(E::select(opens, E::splat(1.0), zero)), &mut state.money.positions, half);
        }
        if adds_bits != 0 {
            book.queued[half] |= adds_bits;
            state.queues[self.symbol][half].push_some(adds, units, fee, self.bought, self.bar as f64);
        }
        match live_bits & !(opens_bits | adds_bits) {
            0 => Left::Nothing,
            odd => Left::Odd(odd, units),
        }
    }

    /// Changes the positions of some trials one by one.
    #[inline(always)]
    fn change_some<E: Eight, const BY_VALUE: bool>(&self, state: &mut State, half: usize, some: u8, units: E) {
        let units = units.array();
        each(some.into(), |place| self.change::<BY_VALUE>(state, half * simd::LANES + place, units[place]));
    }
}

/// Sells that close more than one lot, of one symbol and half.
struct Closing<'a> {
    market: &'a Market<'a>,
    state: &'a mut State,
    half: usize,
    several: Several,
}

impl Work for Closing<'_> {
    type Output = ();

    #[inline(always)]
    fn run<E: Eight>(mut self) {
        if self.several.deep != 0 {
            self.close_oldest::<E>();
        }
        if self.several.over != 0 {
            self.close_all::<E>();
        }
    }
}

impl Closing<'_> {
    /// Closes the lots of positions that are over and had several of them.
    #[inline(always)]
    fn close_all<E: Eight>(&mut self) {
        let Closing { market, half, .. } = *self;
        let Several { over, closed, fee, .. } = self.several;
        let State { books, queues, trips, .. } = &mut *self.state;
        let (book, queue) = (&mut books[market.symbol], &mut queues[market.symbol][half]);
        // No closure: what it does with vectors would not be compiled for them.
        let mut left = over;
        while left != 0 {
            let place = left.trailing_zeros() as usize;
            left &= left - 1;
            let exit = Exit { lane: half * simd::LANES + place, price: market.sold, fee_per_unit: fee[place] };
            market.close_queue::<E>(book.leader(exit.lane), queue, &mut trips[half], exit, closed[place]);
            book.first_units[exit.lane] = 0.0;
        }
        book.queued[half] &= !over;
    }

    /// Closes lots, oldest first, of positions that stay, until the sold units are closed: `Market::close_lots` for all
    /// trials at once.
    #[inline(always)]
    fn close_oldest<E: Eight>(&mut self) {
        let zero = E::zero();
        let Closing { market, half, .. } = *self;
        let (sold, fees) = (E::load(&self.several.units), E::load(&self.several.fee));
        let State { books, queues, trips, money, .. } = &mut *self.state;
        let (book, queue) = (&mut books[market.symbol], &mut queues[market.symbol][half]);
        let (bar, price) = (E::splat(market.bar as f64), E::splat(market.sold));
        let mut units = load::<E>(&book.first_units, half);
        let mut paid = load::<E>(&book.first_price, half);
        let mut fee = load::<E>(&book.first_fee, half);
        let mut since = load::<E>(&book.first_bar, half);
        let mut left = sold.abs();
        let (mut busy, mut ended) = (self.several.deep, 0);
        while busy != 0 {
            let part = left.min(units);
            left = left.sub(part);
            let used = E::bits(part.eq(units)) & busy;
            let last = used & !book.queued[half];
            let mut profit = part.mul(price.sub(paid)).sub(part.mul(fee.add(fees)));
            if last != 0 {
                // What rounding left of the fill found no lot: its fee goes with the rest.
                let missing = E::both(E::mask(last), zero.lt(left));
                profit = E::select(missing, profit.sub(left.mul(fees)), profit);
                ended |= last;
            }
            let closed = Closed { profit, value: part.mul(paid), bars: bar.sub(since) };
            trips[half].close(E::mask(busy), closed);
            units = E::select(E::mask(busy & !used), units.sub(part), units);
            units = E::select(E::mask(last), zero, units);
            busy = used & !last;
            let mut next = busy;
            while next != 0 {
                let place = next.trailing_zeros() as usize;
                let one = E::mask(next & next.wrapping_neg());
                next &= next - 1;
                // Where a lot is queued there is one.
                let lot = queue.pop(place).unwrap_or_default();
                units = E::select(one, E::splat(lot.units), units);
                paid = E::select(one, E::splat(lot.price), paid);
                fee = E::select(one, E::splat(lot.fee), fee);
                since = E::select(one, E::splat(lot.bar), since);
                if queue.is_empty(place) {
                    book.queued[half] &= !(1 << place);
                }
            }
            busy &= E::bits(zero.lt(left));
        }
        let (deep, over) = (E::mask(self.several.deep), E::mask(ended));
        let held = load::<E>(&book.units, half);
        let after = E::select(over, zero, E::select(deep, held.add(sold), held));
        store(after, &mut book.units, half);
        store(units, &mut book.first_units, half);
        store(paid, &mut book.first_price, half);
        store(fee, &mut book.first_fee, half);
        store(since, &mut book.first_bar, half);
        if ended != 0 {
            let positions = load::<E>(&money.positions, half);
            store(positions.sub(E::select(over, E::splat(1.0), zero)), &mut money.positions, half);
        }
    }
}
