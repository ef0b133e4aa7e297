//! What happens to orders, in plain words.
//!
//! Given events and orders, this gives sentences without a full stop. It never knows which command prints them.

use sandtable_core::engine::{Cancel, Distance, Event, Happening, Idle, Kind, Limit, OpenOrder, Role, Size, Wait};
use sandtable_core::ledger::{Fill, FlowKind};
use sandtable_core::metrics::Unit;

use crate::view::number;

/// Money with two decimals, or three digits if it is less than a cent.
pub fn money(amount: f64) -> String {
    // What cents do not show is shown in digits.
    if amount != 0.0 && amount.abs() < 0.01 { number::short(amount) } else { number::metric(amount, Unit::Money) }
}

/// An event in one line, the symbol first.
pub fn event(event: &Event, symbols: &[String]) -> String {
    let name = event.symbol.and_then(|symbol| symbols.get(symbol as usize)).map_or("the account", String::as_str);
    format!("{name}: {}", happening(&event.what))
}

/// What happened, without whom it happened to.
pub fn happening(what: &Happening) -> String {
    match what {
        Happening::Placed { role, kind, size, units } => {
            format!("{} places an order: {}", self::role(*role), order(*kind, *size, *units))
        }
        Happening::Waits(wait) => format!("waits: {}", self::wait(*wait)),
        Happening::Woken => "its stop was reached: from now on it is a limit order".into(),
        Happening::Cut { from, to, limit } => {
            format!("cut from {} to {}: {}", number::units(from.abs()), number::units(to.abs()), self::limit(*limit))
        }
        Happening::Refused(limit) => format!("refused: {}", self::limit(*limit)),
        Happening::Cancelled(why) => format!("cancelled: {}", cancel(*why)),
        Happening::Filled { fill, left, .. } => {
            let rest = match *left {
                0.0 => String::new(),
                left => format!(", {} still open", number::units(left.abs())),
            };
            format!("{}{rest}", traded(fill))
        }
        Happening::Flow { kind, cash, units } => flow(*kind, *cash, *units),
        Happening::Ambiguous => "stop and target were both inside the bar; the stop is taken to be first".into(),
        Happening::Idle(why) => format!("no order: {}", idle(*why)),
    }
}

/// An execution in short.
pub fn fill(fill: &Fill, symbol: &str) -> String {
    format!("{symbol} {}", traded(fill))
}

fn traded(fill: &Fill) -> String {
    let verb = if fill.quantity > 0.0 { "buys" } else { "sells" };
    format!("{verb} {} at {}", number::units(fill.quantity.abs()), number::price(fill.price))
}

/// Who placed an order.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Strategy => "the strategy",
        Role::StopLoss => "stop-loss",
        Role::TrailingStop => "trailing stop",
        Role::TakeProfit => "take-profit",
        Role::TimeStop => "time stop",
        Role::SessionEnd => "end of session",
        Role::Liquidation => "margin call",
    }
}

/// An order that was just placed.
pub fn order(kind: Kind, size: Size, units: Option<f64>) -> String {
    format!("{} {}", amount(size, units), price(kind))
}

/// How much, with the side.
pub fn amount(size: Size, units: Option<f64>) -> String {
    let side = |signed: f64| if signed < 0.0 { "sell" } else { "buy" };
    let percent = |part: f64| number::parameter(part.abs() * 100.0) + "%";
    let asked = match size {
        Size::Shares(_) => String::new(),
        Size::Value(value) => money(value.abs()),
        Size::Percent(part) => format!("{} of equity", percent(part)),
        Size::BuyingPower(part) => format!("{} of what the account can spend", percent(part)),
        Size::Risk(part) => format!("{} of equity at risk", percent(part)),
        Size::Volatility(part) => format!("{} of equity a year of volatility", percent(part)),
        Size::TargetShares(target) => format!("toward {}", number::units(target)),
        Size::TargetValue(value) => format!("toward {}", money(value)),
        Size::TargetPercent(weight) => format!("toward {}{} of equity", sign(weight), percent(weight)),
        Size::Close => return "close the position".into(),
    };
    match (units, size) {
        (Some(units), _) if asked.is_empty() => format!("{} {}", side(units), number::units(units.abs())),
        (Some(units), _) => format!("{} {} ({asked})", side(units), number::units(units.abs())),
        (None, Size::TargetShares(_) | Size::TargetValue(_) | Size::TargetPercent(_)) => {
            format!("trade {asked}, sized at the fill")
        }
        (None, Size::Shares(x)) => format!("{} {}", side(x), number::units(x.abs())),
        (None, Size::Value(x) | Size::Percent(x) | Size::BuyingPower(x) | Size::Risk(x) | Size::Volatility(x)) => {
            format!("{} {asked}, sized at the fill", side(x))
        }
        (None, Size::Close) => asked,
    }
}

fn sign(value: f64) -> &'static str {
    if value < 0.0 { "-" } else { "" }
}

/// At what price.
pub fn price(kind: Kind) -> String {
    match kind {
        Kind::Market => "at the market".into(),
        Kind::Limit(limit) => format!("at the limit {}", number::price(limit)),
        Kind::Stop(stop) => format!("at the stop {}", number::price(stop)),
        Kind::StopLimit { stop, limit } => {
            format!("at the stop {}, then at the limit {}", number::price(stop), number::price(limit))
        }
        Kind::Trailing(by) => format!("at a stop that trails the best price by {}", distance(by)),
    }
}

/// A distance from a price.
pub fn distance(by: Distance) -> String {
    match by {
        Distance::Amount(amount) => number::price(amount),
        Distance::Fraction(part) => number::parameter(part * 100.0) + "%",
    }
}

/// Where an open order stands.
pub fn level(order: &OpenOrder) -> String {
    let stop = order.stop.filter(|_| !order.woken).map(number::price);
    let limit = order.limit.map(number::price);
    let text = match (stop, limit) {
        (Some(stop), Some(limit)) => format!("stop {stop}, then limit {limit}"),
        (Some(stop), None) => format!("stop {stop}"),
        (None, Some(limit)) => format!("limit {limit}"),
        (None, None) if order.role == Role::StopLoss => "no level yet".into(),
        (None, None) if order.trail.is_some() => "trailing".into(),
        (None, None) => "market".into(),
    };
    let trail = order.trail.map(|by| format!(" (trails by {})", distance(by))).unwrap_or_default();
    let even = order.break_even.filter(|_| order.role == Role::StopLoss);
    let even = even.map(|by| format!(" (to the entry at +{})", distance(by))).unwrap_or_default();
    format!("{text}{trail}{even}")
}

/// Why an order waits.
pub fn wait(wait: Wait) -> &'static str {
    match wait {
        Wait::NoBar => "the symbol has no bar here",
        Wait::NoVolume => "nothing was traded in the bar",
        Wait::VolumeLimit => "the account traded all that it may of the bar's volume",
        Wait::LimitNotReached => "the price did not reach its limit",
        Wait::StopNotReached => "the price did not reach its stop",
        Wait::LimitAfterStop => "its stop was reached, but not its limit after that, as far as the bar tells",
        Wait::BeyondLimit => "with slippage the price is beyond its limit",
        Wait::NotYet => "it can fill from a later bar on",
    }
}

/// What cut or refused an order.
pub fn limit(limit: Limit) -> &'static str {
    match limit {
        Limit::Cash => "cash pays for no more",
        Limit::Margin => "equity carries no more on margin",
        Limit::NoShorts => "short positions are not allowed (shorts = false)",
        Limit::Volume => "the bar's volume allows no more (volume_limit)",
        Limit::MaxPositions => "as many symbols are held as allowed (max_positions)",
        Limit::MaxWeight => "the position would be larger than max_weight allows",
        Limit::MaxLeverage => "all positions together would be larger than max_leverage allows",
        Limit::MaxOrder => "the order is larger than max_order",
        Limit::MinOrder => "what is left is smaller than min_order",
        Limit::Nothing => "there is nothing to trade: less than one lot, or nothing left to close",
        Limit::Undefined => "its size or price is undefined or not positive",
        Limit::UnpaidSale => "the proceeds do not pay the commission (refuse_unpaid_sales)",
        Limit::TradeWindow => "entries are not allowed at this time of day",
        Limit::Ruined => "the account lost everything",
    }
}

/// Why an order went without a fill.
pub fn cancel(why: Cancel) -> &'static str {
    match why {
        Cancel::ByStrategy => "by the strategy",
        Cancel::Replaced => "a newer order or an exit takes its place",
        Cancel::Oco => "the order beside it filled",
        Cancel::PositionClosed => "what it would close is gone",
        Cancel::Expired => "its time is over",
        Cancel::Delisted => "the symbol disappeared",
    }
}

/// Why rules placed no order.
pub fn idle(why: Idle) -> &'static str {
    match why {
        Idle::TargetUndefined => "the target is undefined, which means no change",
        Idle::TargetUnchanged => "the target is the one last acted upon",
        Idle::NotRebalanced => "it is not the time to rebalance",
        Idle::TargetReached => "the position is at its target already",
        Idle::Held => "an entry is wanted, but a position is held already",
        Idle::Pending => "an entry is wanted, but an order of the symbol is still open",
        Idle::BothSides => "enter_long and enter_short are both true, which says nothing",
        Idle::ExitWins => "an exit and an entry on the same side at once: the exit wins",
        Idle::Size => "an entry is wanted, but its size is undefined or not positive",
        Idle::Level => "an entry is wanted, but its price or one of its exits is undefined or not positive",
    }
}

fn flow(kind: FlowKind, cash: f64, units: f64) -> String {
    let paid = if cash < 0.0 { "pays" } else { "receives" };
    let cash_text = money(cash.abs());
    match kind {
        FlowKind::Dividend => format!("{paid} {cash_text} of dividends"),
        FlowKind::Interest => format!("{paid} {cash_text} of interest"),
        FlowKind::Borrow => format!("{paid} {cash_text} for borrowed shares"),
        FlowKind::Forgiven => format!("is forgiven a debt of {cash_text}: the account is ruined"),
        FlowKind::Split => {
            let change = format!("split: the position changes by {}", signed_units(units));
            if cash == 0.0 { change } else { format!("{change}, and {paid} {cash_text} for the fraction left over") }
        }
    }
}

/// Units with their sign.
pub fn signed_units(units: f64) -> String {
    format!("{}{}", if units < 0.0 { "-" } else { "+" }, number::units(units.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_prices_read_as_sentences() {
        let said = |size, kind, units| order(kind, size, units);
        assert_eq!(
            said(Size::Percent(0.125), Kind::Limit(100.5), Some(12.5)),
            "buy 12.5 (12.5% of equity) at the limit 100.50"
        );
        assert_eq!(said(Size::Shares(-10.0), Kind::Market, Some(-10.0)), "sell 10 at the market");
        assert_eq!(
            said(Size::TargetPercent(-0.5), Kind::Market, None),
            "trade toward -50% of equity, sized at the fill at the market"
        );
        assert_eq!(said(Size::Close, Kind::Stop(9.0), None), "close the position at the stop 9.00");
        let trailing = Kind::Trailing(Distance::Fraction(0.05));
        assert!(said(Size::Close, trailing, None).ends_with("trails the best price by 5%"));
    }

    #[test]
    fn money_moves_in_a_direction() {
        assert_eq!(flow(FlowKind::Dividend, -12.5, 0.0), "pays 12.50 of dividends");
        assert_eq!(flow(FlowKind::Interest, 0.25, 0.0), "receives 0.25 of interest");
        assert!(flow(FlowKind::Split, 3.0, -5.0).contains("changes by -5, and receives 3.00"));
    }
}
