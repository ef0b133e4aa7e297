//! From orders to fills, for all trials at once: what they cost, what cash pays, and what they do to positions. The
//! arithmetic is that of `pricing.rs` and `account.rs`.
//!
//! Cash is booked in the order of the fills of a bar; lots and units, on which no other fill of the bar depends, are
//! booked afterwards, sells and buys of a symbol in one go where no short position makes their order matter.

use super::super::trips::Closed;
use super::state::{Book, State, count, each};
use super::{HALVES, LANES, Lanes, load, store};
use crate::engine::pricing::{self, Charge};
use crate::plan::{self, Margin, Settings};
use crate::simd::Eight;

/// What a bar fills, in the order of the symbols. Kept from bar to bar.
#[derive(Clone, Debug, Default)]
pub(super) struct Ready {
    /// Symbols whose orders fill, 64 a word.
    pub words: Vec<u64>,
    /// The same as a list.
    pub symbols: Vec<u32>,
    sells: Halves,
    buys: Halves,
    /// Those with one of both.
    all: Halves,
}

/// Some halves.
#[derive(Clone, Debug, Default)]
struct Halves {
    list: Vec<Place>,
    count: usize,
}

/// A half of a book.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub symbol: u32,
    pub half: u32,
}

impl Halves {
    /// Writes a half behind the last one, where it counts if it belongs there: nothing to mispredict.
    #[inline(always)]
    fn push_if(&mut self, belongs: bool, place: Place) {
        self.list[self.count] = place;
        self.count += usize::from(belongs);
    }

    #[inline(always)]
    fn get(&self) -> &[Place] {
        &self.list[..self.count]
    }
}

impl Ready {
    /// Makes room for the halves of all symbols.
    pub fn reset(&mut self, symbols: usize) {
        self.symbols.clear();
        for halves in [&mut self.sells, &mut self.buys, &mut self.all] {
            halves.list.resize(symbols * HALVES + 1, Place::default());
        }
    }

    /// Halves with sells.
    #[inline(always)]
    pub fn sells(&self) -> &[Place] {
        self.sells.get()
    }

    /// Halves with buys.
    #[inline(always)]
    pub fn buys(&self) -> &[Place] {
        self.buys.get()
    }

    /// All halves with orders.
    #[inline(always)]
    pub fn all(&self) -> &[Place] {
        self.all.get()
    }

    /// Whether a half has sells and buys.
    #[inline(always)]
    pub fn is_mixed(&self) -> bool {
        self.sells.count + self.buys.count > self.all.count
    }

    /// Lists the symbols, and sorts their halves by what they have.
    #[inline(always)]
    pub fn sort<E: Eight>(&mut self, books: &[Book]) {
        self.symbols.clear();
        (self.sells.count, self.buys.count, self.all.count) = (0, 0, 0);
        for (word, &fills) in self.words.iter().enumerate() {
            each(fills, |place| self.symbols.push((word * 64 + place) as u32));
        }
        for place in 0..self.symbols.len() {
            let symbol = self.symbols[place];
            for half in 0..HALVES {
                let order = load::<E>(&books[symbol as usize].order, half);
                let (down, up) = (E::bits(order.lt(E::zero())) != 0, E::bits(E::zero().lt(order)) != 0);
                let place = Place { symbol, half: half as u32 };
                self.sells.push_if(down, place);
                self.buys.push_if(up, place);
                self.all.push_if(down | up, place);
            }
        }
    }
}

/// Commissions, ready for use.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Costs {
    plan: plan::Costs,
    /// Part of the value.
    rate: f64,
    /// Whether there is no other commission than on the value.
    pub by_value_only: bool,
}

/// All symbols at one bar.
#[derive(Clone, Copy)]
pub(super) struct Venue<'a> {
    pub costs: &'a Costs,
    pub settings: &'a Settings,
    pub bar: usize,
    /// What a unit of each symbol costs and brings.
    pub paid: &'a [[f64; 2]],
}

impl<'a> Venue<'a> {
    /// One of them.
    #[inline(always)]
    pub fn market(self, symbol: usize) -> Market<'a> {
        let [bought, sold] = self.paid[symbol];
        Market { costs: self.costs, settings: self.settings, bar: self.bar, symbol, bought, sold }
    }
}

/// One symbol at one bar.
#[derive(Clone, Copy)]
pub(super) struct Market<'a> {
    pub costs: &'a Costs,
    pub settings: &'a Settings,
    pub bar: usize,
    pub symbol: usize,
    /// Price of one unit that is bought.
    pub bought: f64,
    /// Price of one unit that is sold.
    pub sold: f64,
}

/// Positions smaller than this are looked at one by one: their worth may be rounded to nothing.
pub(in super::super) const TINY: f64 = 1e-150;

impl Costs {
    pub fn new(plan: &plan::Costs) -> Costs {
        let by_value_only = plan.per_share == 0.0 && plan.per_share_minimum == 0.0 && plan.per_trade == 0.0;
        Costs { plan: *plan, rate: plan.bps * 1e-4, by_value_only }
    }

    /// Price of one unit, paid or received. The fast path takes no spread that depends on more.
    #[inline(always)]
    pub fn price(&self, base: f64, buys: bool) -> f64 {
        pricing::fill_price(&self.plan, base, buys, true)
    }

    /// Commission of an order that is filled at once; 0 of no units.
    #[inline(always)]
    pub fn fee<const BY_VALUE: bool>(&self, units: f64, price: f64) -> f64 {
        let units = units.abs();
        let by_value = self.rate * units * price;
        if BY_VALUE {
            return by_value;
        }
        let by_share = self.plan.per_share * units;
        let least = self.plan.per_share_minimum;
        let fee = (if by_share > least { by_share } else { least }) + self.plan.per_trade + by_value;
        if units == 0.0 { 0.0 } else { fee }
    }

    /// By what part of itself a price is worse than the market's.
    #[inline(always)]
    fn worse(&self) -> f64 {
        self.plan.spread * 0.5 + self.plan.slippage_bps * 1e-4
    }

    /// Price of one unit that is sold, costs included, where the market's price is not the same for all.
    #[inline(always)]
    pub fn sold_at<E: Eight>(&self, base: E) -> E {
        base.mul(E::splat(1.0 - self.worse())).sub(E::splat(self.plan.spread_amount * 0.5))
    }

    /// Price of one unit that is bought, costs included.
    #[inline(always)]
    pub fn bought_at<E: Eight>(&self, base: E) -> E {
        base.mul(E::splat(1.0 + self.worse())).add(E::splat(self.plan.spread_amount * 0.5))
    }

    /// Commissions of several orders that are filled at once; 0 of no units.
    #[inline(always)]
    pub fn fees<E: Eight, const BY_VALUE: bool>(&self, units: E, price: E) -> E {
        let units = units.abs();
        let by_value = E::splat(self.rate).mul(units).mul(price);
        if BY_VALUE {
            return by_value;
        }
        let by_share = E::splat(self.plan.per_share).mul(units).max(E::splat(self.plan.per_share_minimum));
        let fee = by_share.add(E::splat(self.plan.per_trade)).add(by_value);
        E::select(units.eq(E::zero()), E::zero(), fee)
    }
}

/// Units of a buy that cash pays; none where it buys only the rounding noise that an all-cash purchase leaves in the
/// account.
pub(in super::super) fn units_paid(settings: &Settings, wanted: f64, price: f64, cash: f64) -> f64 {
    let paid = pricing::affordable(settings, Some(wanted), price, cash, &Charge::default());
    if paid < wanted * 1e-9 || !paid.is_finite() { 0.0 } else { paid }
}

/// Adds to one of the sums.
#[inline(always)]
fn increase<E: Eight>(sums: &mut Lanes, half: usize, by: E) {
    store(load::<E>(sums, half).add(by), sums, half);
}

impl<'a> Market<'a> {
    /// The same market where it trades at another price.
    pub fn at(self, base: f64) -> Self {
        Market { bought: self.costs.price(base, true), sold: self.costs.price(base, false), ..self }
    }

    /// Takes out the orders that are refused whatever cash there is, and counts them.
    #[inline(never)]
    pub fn screen<const BY_VALUE: bool>(&self, state: &mut State) {
        let sound = |price: f64| price > 0.0 && price < f64::INFINITY;
        let (book, money) = (&mut state.books[self.symbol], &mut state.money);
        for lane in 0..LANES {
            let order = book.order[lane];
            let held = book.units[lane];
            let most = if held > 0.0 { -held } else { 0.0 };
            let units = if !self.settings.shorts && order < most { most } else { order };
            let price = if units > 0.0 { self.bought } else { self.sold };
            let unpaid = -units * price < self.costs.fee::<BY_VALUE>(units, price);
            let refused = self.settings.refuse_unpaid_sales & (units < 0.0) & unpaid;
            let live = order.is_finite() & (units != 0.0) & sound(price) & !refused;
            money.rejected[lane] += if (order != 0.0) & !live { 1.0 } else { 0.0 };
            book.order[lane] = if live { units } else { 0.0 };
        }
    }

    /// Fills the sells or the buys of a half. Positions are left as they are where `paid_only`.
    #[inline(always)]
    pub fn trade<E: Eight, const BY_VALUE: bool, const BUYS: bool>(
        &self,
        state: &mut State,
        half: usize,
        paid_only: bool,
    ) {
        let mut order = load::<E>(&state.books[self.symbol].order, half);
        let price = E::splat(if BUYS { self.bought } else { self.sold });
        let on = if BUYS { E::zero().lt(order) } else { order.lt(E::zero()) };
        let mut units = E::select(on, order, E::zero());
        let mut value = units.mul(price);
        let mut fee = self.costs.fees::<E, BY_VALUE>(units, price);
        if BUYS && self.settings.margin == Margin::Cash {
            let pays = value.add(fee).le(load::<E>(&state.money.cash, half));
            let unpaid = E::bits(E::without(on, pays));
            if unpaid != 0 {
                self.cut_to_cash(state, half, unpaid);
                order = load::<E>(&state.books[self.symbol].order, half);
                units = E::select(on, order, E::zero());
                value = units.mul(price);
                fee = self.costs.fees::<E, BY_VALUE>(units, price);
            }
        }
        // No units cost nothing, and nothing added changes no sum: none of them is ever a negative zero.
        let money = &mut state.money;
        store(load::<E>(&money.cash, half).sub(value.add(fee)), &mut money.cash, half);
        increase(&mut money.fees, half, fee);
        increase(&mut money.traded, half, value.abs());
        if !paid_only {
            let live = if BUYS { E::zero().lt(units) } else { units.lt(E::zero()) };
            self.settle_some::<E, BY_VALUE>(state, half, live, order, price, fee);
        }
    }

    /// Fills sells of a half at prices of their own.
    #[inline(always)]
    pub fn sell_at<E: Eight, const BY_VALUE: bool>(&self, state: &mut State, half: usize, units: E, price: E) {
        let on = units.lt(E::zero());
        let price = E::select(on, price, E::zero());
        let value = units.mul(price);
        let fee = self.costs.fees::<E, BY_VALUE>(units, price);
        let money = &mut state.money;
        store(load::<E>(&money.cash, half).sub(value.add(fee)), &mut money.cash, half);
        increase(&mut money.fees, half, fee);
        increase(&mut money.traded, half, value.abs());
        self.settle::<E, BY_VALUE>(state, half, on, units, price, fee);
    }

    /// Changes the positions of a half by its sells and buys, which are paid.
    #[inline(always)]
    pub fn settle_both<E: Eight, const BY_VALUE: bool>(&self, state: &mut State, half: usize) {
        let order = load::<E>(&state.books[self.symbol].order, half);
        let up = E::zero().lt(order);
        let price = E::select(up, E::splat(self.bought), E::splat(self.sold));
        let fee = self.costs.fees::<E, BY_VALUE>(order, price);
        self.settle_some::<E, BY_VALUE>(state, half, E::either(up, order.lt(E::zero())), order, price, fee);
    }

    /// Changes the positions of a half by orders at the market's price: all at once, or each by itself where they are few.
    #[inline(always)]
    fn settle_some<E: Eight, const BY_VALUE: bool>(
        &self,
        state: &mut State,
        half: usize,
        live: E::Mask,
        order: E,
        price: E,
        fee: E,
    ) {
        let bits = E::bits(live);
        if bits.count_ones() > E::FEW {
            return self.settle::<E, BY_VALUE>(state, half, live, order, price, fee);
        }
        each(bits.into(), |place| {
            let lane = half * 8 + place;
            let units = state.books[self.symbol].order[lane];
            state.money.fills[lane] += 1.0;
            self.change::<BY_VALUE>(state, lane, units);
        });
    }

    /// Cuts buys that cash does not pay to what it does.
    #[inline(never)]
    pub fn cut_to_cash(&self, state: &mut State, half: usize, unpaid: u8) {
        let (book, money) = (&mut state.books[self.symbol], &mut state.money);
        each(unpaid.into(), |place| {
            let lane = half * 8 + place;
            let units = units_paid(self.settings, book.order[lane], self.bought, money.cash[lane]);
            book.order[lane] = units;
            money.rejected[lane] += if units == 0.0 { 1.0 } else { 0.0 };
        });
    }

    /// Changes positions and lots by the orders of a half that are `live`, at their prices and commissions.
    #[inline(always)]
    fn settle<E: Eight, const BY_VALUE: bool>(
        &self,
        state: &mut State,
        half: usize,
        live: E::Mask,
        order: E,
        price: E,
        fee: E,
    ) {
        let State { books, money, .. } = state;
        let book = &mut books[self.symbol];
        let zero = E::zero();
        let held = load::<E>(&book.units, half);
        let (up, down) = (zero.lt(order), order.lt(zero));
        let part = order.abs();
        let fee = fee.div(part);
        let first = load::<E>(&book.first_units, half);
        let (first_price, first_fee) = (load::<E>(&book.first_price, half), load::<E>(&book.first_fee, half));
        let first_bar = load::<E>(&book.first_bar, half);
        let after = held.add(order);
        let (size, left) = (first.abs(), after.abs());
        let flat = held.eq(zero);
        let same = E::either(E::both(up, zero.lt(held)), E::both(down, held.lt(zero)));
        let against = E::without(E::without(live, flat), same);
        let sound = E::splat(TINY).lt(left);
        let noise = left.le(E::splat(1e-12).mul(held.abs()));
        let kept = E::either(E::both(zero.lt(held), zero.lt(after)), E::both(held.lt(zero), after.lt(zero)));
        let opens = E::both(E::both(live, flat), sound);
        let adds = E::both(live, same);
        let cuts = E::both(E::both(E::without(against, noise), E::both(kept, sound)), part.lt(size));
        // All of a position that has one lot.
        let closes = E::without(E::both(against, noise), E::mask(book.queued[half]));

        let exits = E::either(cuts, closes);
        let moves = E::either(E::either(opens, adds), cuts);
        store(E::select(moves, after, E::select(closes, zero, held)), &mut book.units, half);
        let shorter = E::select(cuts, first.add(order), E::select(closes, zero, first));
        store(E::select(opens, order, shorter), &mut book.first_units, half);
        let (opens_bits, adds_bits, exits_bits) = (E::bits(opens), E::bits(adds), E::bits(exits));
        if opens_bits != 0 {
            store(E::select(opens, price, first_price), &mut book.first_price, half);
            store(E::select(opens, fee, first_fee), &mut book.first_fee, half);
            store(E::select(opens, E::splat(self.bar as f64), first_bar), &mut book.first_bar, half);
        }
        state.shorts |= E::bits(E::both(opens, down)) != 0;
        count::<E>(&mut money.fills, half, live);
        if exits_bits != 0 {
            // A part of the oldest lot, or all of it; then the lot bears what is left of the commission, not what rounding
            // left of it.
            let over = part.min(held.abs());
            let closed = E::select(cuts, part, size);
            let signed = E::select(cuts, order.mul(E::splat(-1.0)), first);
            let gain = signed.mul(price.sub(first_price));
            let fees = closed.mul(first_fee.add(fee));
            let rest = closed.mul(first_fee).add(over.mul(fee));
            let plain = E::either(cuts, over.eq(size));
            let profit = gain.sub(E::select(plain, fees, rest));
            let bars = E::splat(self.bar as f64).sub(first_bar);
            state.trips[half].close(exits, Closed { profit, value: closed.mul(first_price), bars });
        }
        if adds_bits != 0 {
            book.queued[half] |= adds_bits;
            let queue = &mut state.queues[self.symbol][half];
            queue.expect(2);
            // Who buys pays another price than who sells short gets.
            for (side, price) in [(up, self.bought), (down, self.sold)] {
                let some = E::both(adds, side);
                if E::bits(some) != 0 {
                    queue.push_some(some, order, fee, price, self.bar as f64);
                }
            }
        }
        let positions = load::<E>(&money.positions, half);
        let more = E::select(opens, E::splat(1.0), E::select(closes, E::splat(-1.0), zero));
        store(positions.add(more), &mut money.positions, half);
        let others = E::bits(live) & !(opens_bits | adds_bits | exits_bits);
        if others != 0 {
            let units = order.array();
            each(others.into(), |place| self.change::<BY_VALUE>(state, half * 8 + place, units[place]));
        }
    }

    /// Books the units of one trial.
    #[inline(never)]
    pub fn change<const BY_VALUE: bool>(&self, state: &mut State, lane: usize, units: f64) {
        let price = if units > 0.0 { self.bought } else { self.sold };
        let fee = self.costs.fee::<BY_VALUE>(units, price);
        self.change_position(state, lane, units, price, fee);
    }

    /// Closes the position of one trial at the market's price.
    pub fn close(&self, state: &mut State, lane: usize) {
        let held = state.books[self.symbol].units[lane];
        if held == 0.0 {
            return;
        }
        let price = if held < 0.0 { self.bought } else { self.sold };
        let fee = self.costs.fee::<false>(held, price);
        let money = &mut state.money;
        money.cash[lane] -= -held * price + fee;
        money.fees[lane] += fee;
        money.traded[lane] += (-held * price).abs();
        money.fills[lane] += 1.0;
        self.change_position(state, lane, -held, price, fee);
    }
}
