//! One switch of every lane: an order to open a position or to close it, its fill, and what that leaves. The arithmetic is
//! that of `sizing.rs`, `pricing.rs` and `account.rs`.

use super::super::lanes::{TINY, units_paid};
use super::super::trips::Closed;
use super::accounts::increase;
use super::{Group, Lanes, Lot, Memory};
use crate::plan::{Fill as FillAt, Margin, Sequence, SizeAt};
use crate::simd::{Eight, LANES};

/// What the lanes' events find: of each the market's price at its fill and at its decision, and the position.
#[derive(Clone, Copy)]
struct Found {
    /// Lanes whose symbol is to be held.
    up: u8,
    bars: [usize; LANES],
    /// Where the symbol stands among the units and lots of all lanes.
    places: [usize; LANES],
    symbols: [u8; LANES],
    /// Bars of the fills, whole numbers.
    now: Lanes,
    filled: Lanes,
    sized: Lanes,
    held: Lanes,
    price: Lanes,
    fee: Lanes,
    bar: Lanes,
}

impl Group<'_> {
    /// Takes the next event of each lane that is `active`.
    #[inline(always)]
    pub(super) fn step<E: Eight, const BY_VALUE: bool>(&mut self, active: u8) {
        if self.settings.sequence == Sequence::ByValue {
            self.sort_sells(active);
        }
        let found = self.look(active);
        self.size::<E>(active, &found.bars);
        let (zero, one) = (E::zero(), E::splat(1.0));
        let Memory { accounts, units, lots, .. } = &mut *self.memory;
        let (up, on) = (E::mask(found.up), E::mask(active));
        let held = E::load(&found.held);
        let target = E::load(&accounts.weight).mul(E::load(&accounts.equity).max(zero)).div(E::load(&found.sized));
        let mut order = E::select(on, E::select(up, target, zero.sub(held)), zero);
        // A position that is there already is changed, and one that is next to nothing may be worth nothing.
        let tiny = E::both(zero.lt(target), target.lt(E::splat(TINY)));
        let strange = E::bits(E::both(E::both(on, up), E::either(zero.lt(held), tiny)));
        self.odd |= strange != 0 || E::bits(order.abs().lt(E::splat(f64::INFINITY))) != u8::MAX;

        let filled = E::load(&found.filled);
        let price = E::select(up, self.costs.bought_at(filled), self.costs.sold_at(filled));
        let (mut value, mut fee) = (order.mul(price), self.costs.fees::<E, BY_VALUE>(order, price));
        let cash = E::load(&accounts.cash);
        if self.settings.margin == Margin::Cash {
            let unpaid = E::bits(E::without(E::both(up, zero.lt(order)), value.add(fee).le(cash)));
            if unpaid != 0 {
                let (mut orders, prices) = (order.array(), price.array());
                for lane in (0..LANES).filter(|lane| unpaid >> lane & 1 == 1) {
                    orders[lane] = units_paid(self.settings, orders[lane], prices[lane], accounts.cash[lane]);
                    accounts.rejected[lane] += if orders[lane] == 0.0 { 1.0 } else { 0.0 };
                }
                order = E::load(&orders);
                (value, fee) = (order.mul(price), self.costs.fees::<E, BY_VALUE>(order, price));
            }
        }
        // No units cost nothing, and nothing added changes no sum: none of them is ever a negative zero.
        cash.sub(value.add(fee)).store(&mut accounts.cash);
        increase(&mut accounts.fees, fee);
        increase(&mut accounts.traded, value.abs());
        let size = order.abs();
        let live = zero.lt(size);
        let (opens, closes) = (E::both(live, up), E::without(live, up));
        if self.settings.refuse_unpaid_sales {
            // A sale that does not pay its commission is refused, and the position stays.
            self.odd |= E::bits(E::both(closes, zero.sub(value).lt(fee))) != 0;
        }
        increase(&mut accounts.fills, E::select(live, one, zero));

        // All of a lot, at its price and the fill's, with the commissions of both.
        let fee = fee.div(size);
        let (entry, now) = (E::load(&found.price), E::load(&found.now));
        let profit = held.mul(price.sub(entry)).sub(held.mul(E::load(&found.fee).add(fee)));
        let bars = now.sub(E::load(&found.bar));
        accounts.trips.close(closes, Closed { profit, value: held.mul(entry), bars });

        let after = E::select(opens, order, E::select(closes, zero, held)).array();
        let (price, fee, bar) = (price.array(), fee.array(), now.array());
        for lane in (0..LANES).filter(|lane| active >> lane & 1 == 1) {
            let place = found.places[lane];
            units[place] = after[lane];
            // Where nothing was filled there is no position: what its lot says does not count.
            lots[place] = Lot { price: price[lane], fee: fee[lane], bar: bar[lane] };
            let (bit, is_held) = (1 << found.symbols[lane], u64::from(after[lane] != 0.0) << found.symbols[lane]);
            accounts.held[lane] = accounts.held[lane] & !bit | is_held;
        }
    }

    /// Bars from a decision to its fill.
    #[inline(always)]
    fn delay(&self) -> usize {
        usize::from(self.settings.fill != FillAt::SameClose)
    }

    /// Brings the sells of bars that lanes come to into the order of their values.
    #[inline(never)]
    fn sort_sells(&mut self, active: u8) {
        let (delay, symbols) = (self.delay(), self.grid.symbols);
        let Memory { events, accounts, units, .. } = &mut *self.memory;
        for lane in (0..LANES).filter(|lane| active >> lane & 1 == 1) {
            let bar = events.next_bar(lane);
            if accounts.decided[lane] != Some(bar as u32) {
                let prices = self.grid.fills_at(bar + delay);
                events.sort_sells(lane, |symbol| 0.0 - units[lane * symbols + symbol] * prices[symbol]);
            }
        }
    }

    /// Reads what the next event of each lane needs. All lanes at once and without a branch, for most of it is far away in
    /// memory.
    #[inline(always)]
    fn look(&mut self, active: u8) -> Found {
        let (delay, closes, bars) = (self.delay(), self.grid.closes_by_symbol(), self.grid.bars);
        let Memory { events, units, lots, shifts, .. } = &mut *self.memory;
        let zero = [0.0; LANES];
        let mut found = Found {
            up: 0,
            bars: [0; LANES],
            places: [0; LANES],
            symbols: [0; LANES],
            now: zero,
            filled: zero,
            sized: zero,
            held: zero,
            price: zero,
            fee: zero,
            bar: zero,
        };
        for lane in 0..LANES {
            let on = active >> lane & 1;
            let event = events.take(lane, on == 1);
            let (bar, symbol) = (event.bar(), event.symbol());
            found.up |= (event.held() & on) << lane;
            found.bars[lane] = bar;
            found.now[lane] = (bar + delay) as f64;
            found.symbols[lane] = symbol as u8;
            found.sized[lane] = closes[symbol * bars + bar];
            found.filled[lane] = self.fills[(bar + delay).wrapping_add(shifts[symbol])];
            let place = lane * self.grid.symbols + symbol;
            found.places[lane] = place;
            found.held[lane] = units[place];
            let Lot { price, fee, bar } = lots[place];
            (found.price[lane], found.fee[lane], found.bar[lane]) = (price, fee, bar);
        }
        if self.settings.size_at == SizeAt::Fill {
            found.sized = found.filled;
        }
        found
    }

    /// Fills in the equity of lanes that come to another bar, and keeps what its orders are sized by: one number for all
    /// orders of a bar.
    #[inline(always)]
    fn size<E: Eight>(&mut self, active: u8, bars: &[usize; LANES]) {
        let delay = self.delay();
        for lane in 0..LANES {
            let bar = bars[lane];
            if active >> lane & 1 == 0 || self.memory.accounts.decided[lane] == Some(bar as u32) {
                continue;
            }
            self.memory.accounts.decided[lane] = Some(bar as u32);
            self.mark::<E>(lane, bar + delay);
            let equity = if self.settings.size_at == SizeAt::Fill {
                let Memory { units, accounts, .. } = &*self.memory;
                let units = units[lane * self.grid.symbols..][..self.grid.symbols].iter();
                let prices = self.grid.fills_at(bar + delay);
                units.zip(prices).fold(accounts.cash[lane], |sum, (units, price)| sum + units * price)
            } else if delay == 1 && self.grid.session_ends().is_none() {
                self.memory.courses[lane][bar]
            } else {
                self.equity_at(lane, bar)
            };
            self.memory.accounts.equity[lane] = equity;
        }
    }
}
