//! From orders to fills, for all trials at once: what they cost, what cash pays, and what they do to positions. The
//! arithmetic is that of `pricing.rs` and `account.rs`.
//!
//! Cash is booked in the order of the fills of a bar; lots and units, on which no other fill of the bar depends, are
//! booked afterwards, sells and buys of a symbol in one go where no short position makes their order matter.

use super::lots::Lot;
use super::prices::Prices;
use super::state::{Book, Money, State};
use super::{LANES, Lanes};
use crate::engine::pricing::{self, Charge};
use crate::plan::{self, Margin, Settings};

/// Which orders are booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Sells,
    Buys,
    Both,
}

/// Commissions, ready for use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Costs {
    plan: plan::Costs,
    /// Part of the value.
    rate: f64,
    /// Whether there is no other commission than on the value.
    pub by_value_only: bool,
}

/// One symbol at one bar.
#[derive(Clone, Copy)]
pub(super) struct Market<'a> {
    pub costs: &'a Costs,
    pub settings: &'a Settings,
    pub bar: usize,
    pub symbol: usize,
    /// Price of one unit that is bought.
    bought: f64,
    /// Price of one unit that is sold.
    sold: f64,
}

/// What the fills of one symbol do to its lots.
#[repr(align(64))]
struct Changes {
    /// Commission of the fills per unit.
    fees: Lanes,
    /// Round trips of the lots that are cut: profit and entry value.
    profits: Lanes,
    values: Lanes,
    /// Whether a lot is added, or a part of the oldest one is closed; all else is done lane by lane.
    adds: [bool; LANES],
    cuts: [bool; LANES],
    others: [bool; LANES],
}

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
}

/// Eight flags as one number, which is how they are written too: the processor need not wait for them.
#[inline(always)]
fn words(set: &[bool; LANES]) -> impl Iterator<Item = u64> {
    let (words, _) = set.as_chunks::<8>();
    words.iter().map(|word| u64::from_le_bytes(word.map(u8::from)))
}

/// Whether any is set.
#[inline(always)]
fn any(set: &[bool; LANES]) -> bool {
    words(set).fold(0, |any, word| any | word) != 0
}

/// Calls `visit` with every lane that is set.
#[inline(always)]
fn each(set: &[bool; LANES], mut visit: impl FnMut(usize)) {
    for (place, mut bits) in words(set).enumerate() {
        while bits != 0 {
            visit(place * 8 + (bits.trailing_zeros() / 8) as usize);
            bits &= bits - 1;
        }
    }
}

/// Books cash, commissions and value of one side's orders. No units cost nothing, and nothing added changes no sum:
/// none of them is ever a negative zero.
#[inline(always)]
fn pay<const BY_VALUE: bool, const BUYS: bool>(book: &Book, money: &mut Money, costs: &Costs, price: f64) {
    for lane in 0..LANES {
        let order = book.order[lane];
        let on = if BUYS { order > 0.0 } else { order < 0.0 };
        let units = if on { order } else { 0.0 };
        let value = units * price;
        let fee = costs.fee::<BY_VALUE>(units, price);
        money.cash[lane] -= value + fee;
        money.fees[lane] += fee;
        money.traded[lane] += value.abs();
    }
}

/// Whether any buy costs more than there is.
#[inline(always)]
fn lacks<const BY_VALUE: bool>(book: &Book, money: &Money, costs: &Costs, price: f64) -> bool {
    let mut lacks = false;
    for lane in 0..LANES {
        let order = book.order[lane];
        let paid = order * price + costs.fee::<BY_VALUE>(order, price);
        let pays = paid <= money.cash[lane];
        lacks |= (order > 0.0) & !pays;
    }
    lacks
}

/// Books units and the lots that one fill makes or cuts. `LONG` says that no trial holds a short position.
#[inline(always)]
fn book<const BY_VALUE: bool, const LONG: bool>(
    market: &Market,
    side: Side,
    book: &mut Book,
    money: &mut Money,
    changes: &mut Changes,
) {
    let bar = market.bar as f64;
    let (sells, buys) = (side != Side::Buys, side != Side::Sells);
    for lane in 0..LANES {
        let (order, held) = (book.order[lane], book.units[lane]);
        let (up, down) = ((order > 0.0) & buys, (order < 0.0) & sells);
        let price = if up { market.bought } else { market.sold };
        let part = order.abs();
        let fee_per_unit = market.costs.fee::<BY_VALUE>(order, price) / part;
        let (first, first_price) = (book.first_units[lane], book.first_price[lane]);
        let after = held + order;
        let (adds, cuts) = if LONG {
            (up & (held > 0.0), down & (after > 1e-12 * held) & (part < first))
        } else {
            let stays = after.abs() > 1e-12 * held.abs();
            let long = down & (held > 0.0) & (after > 0.0);
            let short = up & (held < 0.0) & (after < 0.0);
            let more = (up & (held > 0.0)) | (down & (held < 0.0));
            (more, (long | short) & stays & (part < first.abs()))
        };
        let live = up | down;
        book.units[lane] = if adds | cuts { after } else { held };
        changes.profits[lane] = -order * (price - first_price) - part * (book.first_fee[lane] + fee_per_unit);
        changes.values[lane] = part * first_price;
        changes.fees[lane] = fee_per_unit;
        book.first_units[lane] = if cuts { first + order } else { first };
        money.holding[lane] += if cuts { bar - book.first_bar[lane] } else { 0.0 };
        money.fills[lane] += if live { 1.0 } else { 0.0 };
        changes.adds[lane] = adds;
        changes.cuts[lane] = cuts;
        changes.others[lane] = live & !(adds | cuts);
    }
}

impl<'a> Market<'a> {
    #[inline(always)]
    pub fn new(prices: &'a Prices, costs: &'a Costs, settings: &'a Settings, bar: usize, symbol: usize) -> Self {
        let (bought, sold) = (prices.bought(symbol)[bar], prices.sold(symbol)[bar]);
        Market { costs, settings, bar, symbol, bought, sold }
    }

    /// The same market where it trades at another price.
    pub fn at(self, base: f64) -> Self {
        Market { bought: self.costs.price(base, true), sold: self.costs.price(base, false), ..self }
    }

    /// Takes out the orders that are refused whatever cash there is, and counts them.
    #[inline(always)]
    pub fn screen<const BY_VALUE: bool>(&self, state: &mut State) {
        let sound = |price: f64| price > 0.0 && price < f64::INFINITY;
        let (book, money) = (&mut state.books[self.symbol], &mut state.money);
        let free = self.settings.shorts && !self.settings.refuse_unpaid_sales;
        if free && !book.odd && sound(self.bought) && sound(self.sold) {
            return;
        }
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

    /// Books the cash of the sells.
    #[inline(always)]
    pub fn sell<const BY_VALUE: bool>(&self, state: &mut State) {
        pay::<BY_VALUE, false>(&state.books[self.symbol], &mut state.money, self.costs, self.sold);
    }

    /// Books the cash of the buys, cut to what it pays.
    #[inline(always)]
    pub fn buy<const BY_VALUE: bool>(&self, state: &mut State) {
        let (book, money) = (&mut state.books[self.symbol], &mut state.money);
        let limited = self.settings.margin == Margin::Cash;
        if limited && lacks::<BY_VALUE>(book, money, self.costs, self.bought) {
            self.cut_to_cash(book, money);
        }
        pay::<BY_VALUE, true>(book, money, self.costs, self.bought);
    }

    /// Cuts buys to what cash pays.
    #[inline(always)]
    fn cut_to_cash(&self, book: &mut Book, money: &mut Money) {
        for lane in 0..LANES {
            let wanted = book.order[lane];
            let buys = wanted > 0.0;
            if !buys {
                continue;
            }
            let charge = Charge::default();
            let paid = pricing::affordable(self.settings, Some(wanted), self.bought, money.cash[lane], &charge);
            // The rounding noise that an all-cash purchase leaves in the account buys nothing.
            let units = if paid < wanted * 1e-9 || !paid.is_finite() { 0.0 } else { paid };
            book.order[lane] = units;
            money.rejected[lane] += if units == 0.0 { 1.0 } else { 0.0 };
        }
    }

    /// Books units and lots of one side's orders.
    #[inline(always)]
    pub fn settle<const BY_VALUE: bool>(&self, state: &mut State, side: Side) {
        let none = [false; LANES];
        let zero = [0.0; LANES];
        let mut changes = Changes { fees: zero, profits: zero, values: zero, adds: none, cuts: none, others: none };
        let (books, money) = (&mut state.books[self.symbol], &mut state.money);
        if state.shorts {
            book::<BY_VALUE, false>(self, side, books, money, &mut changes);
        } else {
            book::<BY_VALUE, true>(self, side, books, money, &mut changes);
        }
        if any(&changes.cuts) {
            state.trips.push_where(&changes.cuts, |lane| [changes.profits[lane], changes.values[lane]]);
        }
        if any(&changes.adds) {
            let State { books, queues, shorts, .. } = &mut *state;
            let (orders, queue) = (&books[self.symbol].order, &mut queues[self.symbol]);
            let bar = self.bar as f64;
            let lot = |lane: usize, price: f64| Lot { units: orders[lane], fee: changes.fees[lane], price, bar };
            if *shorts {
                let price = |lane: usize| if orders[lane] > 0.0 { self.bought } else { self.sold };
                queue.push_where(&changes.adds, |lane| lot(lane, price(lane)));
            } else {
                queue.push_where(&changes.adds, |lane| lot(lane, self.bought));
            }
        }
        if any(&changes.others) {
            each(&changes.others, |lane| {
                let order = state.books[self.symbol].order[lane];
                let price = if order > 0.0 { self.bought } else { self.sold };
                let fee = self.costs.fee::<BY_VALUE>(order, price);
                self.change_position(state, lane, order, price, fee);
            });
        }
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
