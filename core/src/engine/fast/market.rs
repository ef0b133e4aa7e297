//! Market orders under the settings that the fast path covers.
//!
//! Given prices, equity and the account, this file gives quantities and books fills, with the arithmetic of
//! `sizing.rs` and `pricing.rs` and in the order of the reference.

use super::super::account::Account;
use super::super::pricing::{self, Charge};
use super::super::sizing;
pub(super) use super::super::sizing::toward;
use crate::context::Panel;
use crate::ledger::Fill;
use crate::num::NAN;
use crate::plan::{Margin, Sequence, Settings};
use crate::strategy::SizeIn;

/// An open order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub symbol: u32,
    pub amount: Amount,
}

/// How much an order is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Amount {
    /// Signed units, fixed at the decision.
    Units(f64),
    /// All of the position.
    Close,
    /// Difference to this weight of equity, fixed at the fill.
    Weight(f64),
    /// A new position of this signed size, fixed at the fill.
    Size(f64, SizeIn),
}

/// An order that this bar can fill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub order: Order,
    pub row: usize,
    /// The market's price.
    pub base: f64,
    pub quantity: f64,
    /// Money that the order moves, before lots and cash cut it.
    pub value: f64,
}

impl Order {
    /// The order at a bar where the market's price is `base`.
    pub fn ready(self, row: usize, base: f64) -> Ready {
        Ready { order: self, row, base, quantity: 0.0, value: 0.0 }
    }
}

impl Ready {
    /// Sizes the order.
    #[inline]
    pub fn size(&mut self, settings: &Settings, account: &Account, equity: f64) {
        let held = account.quantities[self.order.symbol as usize];
        self.quantity = self.order.amount.quantity(settings, self.base, equity, held);
        if settings.sequence == Sequence::ByValue {
            self.value = self.order.amount.value(self.base, equity, held);
        }
    }
}

impl Amount {
    /// Signed units at a price, whole lots where lots are whole.
    #[inline]
    pub fn quantity(self, settings: &Settings, price: f64, equity: f64, held: f64) -> f64 {
        match self {
            Amount::Units(units) => units,
            Amount::Close => -held,
            Amount::Weight(weight) => toward(settings, weight, equity, price, held),
            Amount::Size(size, unit) => sized(settings, size, unit, equity, price),
        }
    }

    /// Money that an order moves at a price, signed. Equal targets give equal bits, so that ties stay ties.
    fn value(self, price: f64, equity: f64, held: f64) -> f64 {
        match self {
            Amount::Units(units) => units * price,
            Amount::Close => -held * price,
            Amount::Weight(weight) => weight * equity - held * price,
            Amount::Size(size, SizeIn::Shares) => size * price,
            Amount::Size(size, SizeIn::Value) => size,
            Amount::Size(size, _) => size * equity,
        }
    }
}

/// Units of a new position.
pub(super) fn sized(settings: &Settings, size: f64, unit: SizeIn, equity: f64, price: f64) -> f64 {
    match unit {
        SizeIn::Shares => pricing::whole_lots(settings, size),
        SizeIn::Value => pricing::whole_lots(settings, size / price),
        SizeIn::Equity => sizing::percent(settings, size, equity, price),
        // The fast path takes no strategy with these units.
        SizeIn::BuyingPower | SizeIn::Risk | SizeIn::Volatility => NAN,
    }
}

/// Brings the orders of one bar, oldest first, into the order of their execution.
pub(super) fn sort(sequence: Sequence, ready: &mut [Ready]) {
    // The sorts are stable, which leaves age as the last criterion.
    match sequence {
        Sequence::SellsFirst => ready.sort_by_key(|r| (r.quantity > 0.0, r.order.symbol)),
        Sequence::Symbol => ready.sort_by_key(|r| r.order.symbol),
        // The fast path does not take the queue.
        Sequence::Queue => {}
        Sequence::ByValue => {
            ready.sort_by(|a, b| a.value.total_cmp(&b.value).then(a.order.symbol.cmp(&b.order.symbol)));
        }
    }
}

/// Executes `quantity` units of an order as far as cash and the ban on shorts allow; false if it is refused.
#[inline]
pub(super) fn execute(account: &mut Account, settings: &Settings, t: usize, ready: &Ready, mut quantity: f64) -> bool {
    let symbol = ready.order.symbol;
    let held = account.quantities[symbol as usize];
    if quantity == 0.0 {
        return true;
    }
    if quantity < 0.0 && !settings.shorts {
        quantity = quantity.max(-held.max(0.0));
    }
    let buys = quantity > 0.0;
    let opens = held == 0.0 || (held > 0.0) == buys;
    let price = pricing::fill_price(&settings.costs, ready.base, buys, opens);
    if buys && settings.margin == Margin::Cash {
        let paid = pricing::affordable(settings, Some(quantity), price, account.cash, &Charge::default());
        // The rounding noise that an all-cash purchase leaves in the account buys nothing.
        quantity = if paid < quantity * 1e-9 { 0.0 } else { paid };
    }
    if quantity == 0.0 || !quantity.is_finite() || price.is_nan() || price <= 0.0 {
        return false;
    }
    let fee = pricing::commission(&settings.costs, quantity, price);
    if settings.refuse_unpaid_sales && quantity < 0.0 && -quantity * price < fee {
        return false;
    }
    account.book(Fill { bar: t as u32, symbol, quantity, price, fee }, ready.row);
    true
}

/// Closes the position of a symbol at the prices of `row`, its last one.
pub(super) fn close_at_end(
    account: &mut Account,
    settings: &Settings,
    panel: &Panel,
    t: usize,
    symbol: usize,
    row: usize,
) {
    let held = account.quantities[symbol];
    let base = if settings.end_at_open { panel.open[row] } else { panel.close[row] };
    let price = pricing::fill_price(&settings.costs, base, held < 0.0, false);
    let fee = pricing::commission(&settings.costs, held, price);
    account.book(Fill { bar: t as u32, symbol: symbol as u32, quantity: -held, price, fee }, row);
}
