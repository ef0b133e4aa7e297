//! Market orders and exits under the settings that the fast path covers.
//!
//! Given prices, equity and the account, this file gives quantities and books fills, with the arithmetic of
//! `sizing.rs` and `pricing.rs` and in the order of the reference.

use super::super::pricing::{self, Charge};
use super::super::sizing;
pub(super) use super::super::sizing::toward;
use super::ledger::Ledger;
use crate::ledger::Fill;
use crate::num::NAN;
use crate::plan::{Costs, Margin, Sequence, Settings};
use crate::strategy::SizeIn;

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

/// What an order is to the position of its symbol; in the order in which orders of one symbol fill at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Stop-loss.
    Stop,
    /// Closing after some bars.
    Time,
    /// Take-profit, an order as old as its entry.
    Target,
    /// What the rules decided to leave.
    Leave,
    /// What the rules decided to hold: a target, or an entry.
    Enter,
}

/// The moment of a bar at which an order fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// At its first price.
    Open,
    /// When the price gets there.
    Inside,
    /// At its last price.
    Close,
}

/// An order that this bar can fill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub symbol: u32,
    pub role: Role,
    pub moment: Moment,
    pub amount: Amount,
    /// The position whose exit it is; 0 for orders of the rules.
    pub group: u32,
    /// The market's price.
    pub base: f64,
    pub quantity: f64,
    /// Money that the order moves, before lots and cash cut it.
    pub value: f64,
}

/// Costs with what does not change from fill to fill computed once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Factors of a buyer's and a seller's price.
    buy: f64,
    sell: f64,
    /// Half of the spread in money.
    amount: f64,
    bps: f64,
    per_share: f64,
    per_share_minimum: f64,
    per_trade: f64,
}

impl Terms {
    pub fn of(costs: &Costs) -> Terms {
        let worse = costs.spread * 0.5 + costs.slippage_bps * 1e-4;
        Terms {
            buy: 1.0 + worse,
            sell: 1.0 - worse,
            amount: costs.spread_amount * 0.5,
            bps: costs.bps * 1e-4,
            per_share: costs.per_share,
            per_share_minimum: costs.per_share_minimum,
            per_trade: costs.per_trade,
        }
    }

    /// As `pricing::fill_price`.
    #[inline]
    pub fn price(&self, base: f64, buys: bool) -> f64 {
        if buys { base * self.buy + self.amount } else { base * self.sell - self.amount }
    }

    /// As `pricing::commission`.
    #[inline]
    pub fn commission(&self, quantity: f64, price: f64) -> f64 {
        let units = quantity.abs();
        let by_share = (self.per_share * units).max(self.per_share_minimum);
        by_share + self.per_trade + self.bps * units * price
    }
}

impl Ready {
    /// Sizes the order.
    #[inline]
    pub fn size(&mut self, settings: &Settings, ledger: &Ledger, equity: f64) {
        let held = ledger.units[self.symbol as usize];
        self.quantity = self.amount.quantity(settings, self.base, equity, held);
        if settings.sequence == Sequence::ByValue {
            self.value = self.amount.value(self.base, equity, held);
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

/// Units of which the fraction `part` of equity is lost at a stop that lies `risk` away.
pub(super) fn at_risk(settings: &Settings, part: f64, equity: f64, risk: f64) -> f64 {
    pricing::whole_lots(settings, part * equity.max(0.0) / risk)
}

/// Brings the orders of one bar, given by symbol and role, into the order of their execution.
pub(super) fn sort(sequence: Sequence, ready: &mut [Ready]) {
    let by_symbol = |a: &Ready, b: &Ready| a.symbol.cmp(&b.symbol).then(a.role.cmp(&b.role));
    ready.sort_by(|a, b| {
        a.moment.cmp(&b.moment).then_with(|| match sequence {
            Sequence::SellsFirst => (a.quantity > 0.0).cmp(&(b.quantity > 0.0)).then_with(|| by_symbol(a, b)),
            Sequence::ByValue => a.value.total_cmp(&b.value).then_with(|| by_symbol(a, b)),
            // The fast path does not take the queue.
            Sequence::Symbol | Sequence::Queue => by_symbol(a, b),
        })
    });
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Done {
    /// It filled at this price; whether cash or the ban on shorts cut it.
    Filled { price: f64, cut: bool },
    /// There was nothing to trade.
    Nothing,
    /// It was refused.
    Refused,
}

/// Executes `quantity` units of an order at a price as far as cash and the ban on shorts allow.
#[inline]
pub(super) fn execute(
    ledger: &mut Ledger,
    settings: &Settings,
    terms: &Terms,
    bar: u32,
    symbol: u32,
    mut quantity: f64,
    price: f64,
) -> Done {
    if quantity == 0.0 {
        return Done::Nothing;
    }
    let wanted = quantity;
    if quantity < 0.0 && !settings.shorts {
        quantity = quantity.max(-ledger.units[symbol as usize].max(0.0));
    }
    let mut fee = terms.commission(quantity, price);
    // A price that is no number is not paid either.
    let paid = quantity * price + fee <= ledger.cash;
    if quantity > 0.0 && settings.margin == Margin::Cash && !paid {
        let paid = pricing::affordable(settings, Some(quantity), price, ledger.cash, &Charge::default());
        // The rounding noise that an all-cash purchase leaves in the account buys nothing.
        quantity = if paid < quantity * 1e-9 { 0.0 } else { paid };
        fee = terms.commission(quantity, price);
    }
    if quantity == 0.0 || !quantity.is_finite() || price.is_nan() || price <= 0.0 {
        return Done::Refused;
    }
    if settings.refuse_unpaid_sales && quantity < 0.0 && -quantity * price < fee {
        return Done::Refused;
    }
    ledger.book(Fill { bar, symbol, quantity, price, fee });
    Done::Filled { price, cut: quantity != wanted }
}
