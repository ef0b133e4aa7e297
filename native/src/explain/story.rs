//! What happened at a bar, one sentence for each event.
//!
//! Given an inspected bar, this walks through its events in order and keeps cash, positions and orders as they stood at
//! each of them, so that a sentence can say which price missed which level and what the account could pay.

use std::collections::BTreeMap;

use sandtable_core::context::Panel;
use sandtable_core::engine::{Cancel, Event, Happening, Kind, Limit, OpenOrder, Role, Size, TimeInForce, Wait};
use sandtable_core::ledger::{Fill, FlowKind};
use sandtable_core::plan::{Plan, Settings, Touch};
use sandtable_core::run::Inspection;
use sandtable_core::strategy::{Rebalance, Rules};

use super::moment::time_of;
use crate::view::number::{parameter, price, short, units};
use crate::words::{self, money};

/// One event as a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Index of the symbol; `None` for the account.
    pub symbol: Option<u32>,
    /// The order that it happened to; 0 if to none.
    pub ticket: u32,
    /// The sentence, without symbol and full stop.
    pub text: String,
}

/// An account in the course of a bar.
struct Course<'a> {
    plan: &'a Plan,
    panel: &'a Panel,
    bar: &'a Inspection,
    cash: f64,
    held: Vec<f64>,
    orders: BTreeMap<u32, OpenOrder>,
}

/// Every event of a bar that an order, cash or a position changed by, and where levels moved; reasons for doing nothing
/// are told with the rules.
pub fn lines(plan: &Plan, panel: &Panel, bar: &Inspection) -> Vec<Line> {
    let mut course = Course {
        plan,
        panel,
        bar,
        cash: bar.before.cash,
        held: bar.before.positions.clone(),
        orders: bar.orders_before.iter().map(|order| (order.ticket, *order)).collect(),
    };
    course.split_levels();
    let mut lines = Vec::new();
    for (k, event) in bar.events.iter().enumerate() {
        // A cut to nothing is told by the refusal that follows it.
        let refused = |next: &Event| next.ticket == event.ticket && matches!(next.what, Happening::Refused(_));
        match event.what {
            Happening::Idle(_) => continue,
            Happening::Cut { to: 0.0, .. } if bar.events.get(k + 1).is_some_and(refused) => continue,
            _ => {}
        }
        let text = course.sentence(event.symbol, event.ticket, &event.what);
        course.follow(event.symbol, event.ticket, &event.what);
        lines.push(Line { symbol: event.symbol, ticket: event.ticket, text });
    }
    lines.extend(course.moved_levels());
    lines
}

impl Course<'_> {
    fn settings(&self) -> &Settings {
        self.plan.settings()
    }

    fn held(&self, symbol: Option<u32>) -> f64 {
        symbol.and_then(|symbol| self.held.get(symbol as usize)).copied().unwrap_or(0.0)
    }

    /// Levels of open orders in new units, where the bar begins with a split.
    fn split_levels(&mut self) {
        for order in self.orders.values_mut() {
            let ratio = split_ratio(self.panel, order.symbol, self.bar.t);
            order.limit = order.limit.map(|limit| limit / ratio);
            order.stop = order.stop.map(|stop| stop / ratio);
        }
    }

    /// Takes an event into the books.
    fn follow(&mut self, symbol: Option<u32>, ticket: u32, what: &Happening) {
        match what {
            Happening::Filled { fill, .. } => {
                self.cash -= fill.quantity * fill.price + fill.fee;
                if let Some(held) = self.held.get_mut(fill.symbol as usize) {
                    *held += fill.quantity;
                }
            }
            Happening::Flow { cash, units, .. } => {
                self.cash += cash;
                if let Some(held) = symbol.and_then(|symbol| self.held.get_mut(symbol as usize)) {
                    *held += units;
                }
            }
            Happening::Placed { role, kind, size, units } => {
                if let Some(symbol) = symbol {
                    let order = placed(self.bar, symbol, ticket, *role, *kind, *size, *units, self.held(Some(symbol)));
                    self.orders.insert(ticket, order);
                }
            }
            Happening::Woken => {
                if let Some(order) = self.orders.get_mut(&ticket) {
                    order.woken = true;
                }
            }
            _ => {}
        }
    }

    fn sentence(&self, symbol: Option<u32>, ticket: u32, what: &Happening) -> String {
        let order = self.orders.get(&ticket);
        let name = match order {
            Some(order) => order_name(order),
            None => format!("order {ticket}"),
        };
        match what {
            Happening::Placed { role, kind, size, units } => {
                let who = self.rule_of(*role, *size, symbol);
                let order = self.bar.orders_after.iter().find(|order| order.ticket == ticket);
                let lasts = match order.map(|order| order.time_in_force) {
                    Some(TimeInForce::Day) => ", for one session".into(),
                    Some(TimeInForce::Bars(1)) => ", for one bar".into(),
                    Some(TimeInForce::Bars(bars)) => format!(", for {bars} bars"),
                    _ => String::new(),
                };
                match (role, order.and_then(|order| bars_until(self.bar, order))) {
                    (Role::Strategy | Role::Liquidation | Role::SessionEnd, _) => {
                        format!("{who} places order {ticket}: {}{lasts}", words::order(*kind, *size, *units))
                    }
                    (Role::TimeStop, Some(ahead)) => {
                        format!("the entry gets a time stop (order {ticket}): it closes the position in {ahead} bars")
                    }
                    _ => format!("the entry gets a {who} (order {ticket}) {}", words::price(*kind)),
                }
            }
            Happening::Waits(wait) => format!("{name} waits: {}", self.why_waiting(*wait, order, symbol)),
            Happening::Cut { from, to, limit } => format!(
                "{name} is cut from {} to {}: {}",
                units(from.abs()),
                units(to.abs()),
                self.why_limited(*limit, symbol)
            ),
            Happening::Refused(Limit::Cash) => {
                format!("{name} is refused: cash does not pay for any of it (cash now: {})", money(self.cash))
            }
            Happening::Refused(limit) => format!("{name} is refused: {}", self.why_limited(*limit, symbol)),
            Happening::Cancelled(why) => format!("{name} is cancelled: {}", self.why_cancelled(*why, order)),
            Happening::Filled { fill, market, left } => self.filled(fill, *market, *left, ticket, order),
            Happening::Flow { kind: FlowKind::Split, .. } => {
                let ratio = symbol.map_or(1.0, |symbol| split_ratio(self.panel, symbol, self.bar.t));
                format!("{} ({} new for each old)", words::happening(what), parameter(ratio))
            }
            Happening::Woken => format!("{name}: {}", words::happening(what)),
            Happening::Flow { .. } | Happening::Ambiguous | Happening::Idle(_) => words::happening(what),
        }
    }

    /// The rule that an order comes from, under its name in the strategy file.
    fn rule_of(&self, role: Role, size: Size, symbol: Option<u32>) -> &'static str {
        if role != Role::Strategy {
            return words::role(role);
        }
        let long = self.held(symbol) > 0.0;
        match (&self.plan.strategy().rules, size) {
            (Rules::Target { .. }, _) => "target",
            // Without a rule for leaving a side, an entry on the other side leaves it.
            (Rules::Signals { exit_long: Some(_), .. }, Size::Close) if long => "exit_long",
            (Rules::Signals { .. }, Size::Close) if long => "enter_short",
            (Rules::Signals { exit_short: Some(_), .. }, Size::Close) => "exit_short",
            (_, Size::Shares(x) | Size::Value(x) | Size::Percent(x)) if x < 0.0 => "enter_short",
            (_, Size::BuyingPower(x) | Size::Risk(x) | Size::Volatility(x)) if x < 0.0 => "enter_short",
            _ => "enter_long",
        }
    }

    /// Open, high, low, close and volume of the symbol's bar.
    fn prices(&self, symbol: Option<u32>) -> Option<[f64; 5]> {
        let row = self.bar.symbols.get(symbol? as usize)?.row?;
        let panel = self.panel;
        Some([panel.open[row], panel.high[row], panel.low[row], panel.close[row], panel.volume[row]])
    }

    fn why_waiting(&self, wait: Wait, order: Option<&OpenOrder>, symbol: Option<u32>) -> String {
        let plain = || words::wait(wait).to_string();
        let (Some(order), Some([_, high, low, close, volume])) = (order, self.prices(symbol)) else { return plain() };
        let side = match (order.buys, order.limit, order.stop) {
            (Some(buys), ..) => Some(buys),
            (None, Some(limit), _) => Some(limit < close),
            (None, None, stop) => stop.map(|stop| stop > close),
        };
        let buys = side.unwrap_or_default();
        let only_close = self.settings().touch == Touch::Close;
        match wait {
            Wait::LimitNotReached => {
                let Some(limit) = order.limit.map(price) else { return plain() };
                match (only_close, buys) {
                    (true, true) => format!("the close {} is above its limit {limit}", price(close)),
                    (true, false) => format!("the close {} is below its limit {limit}", price(close)),
                    (false, true) => format!("the low {} did not reach its limit {limit}", price(low)),
                    (false, false) => format!("the high {} did not reach its limit {limit}", price(high)),
                }
            }
            Wait::StopNotReached => {
                let Some(stop) = order.stop.map(price) else { return plain() };
                match (only_close, buys) {
                    (true, true) => format!("the close {} is below its stop {stop}", price(close)),
                    (true, false) => format!("the close {} is above its stop {stop}", price(close)),
                    (false, true) => format!("the high {} did not reach its stop {stop}", price(high)),
                    (false, false) => format!("the low {} did not reach its stop {stop}", price(low)),
                }
            }
            Wait::LimitAfterStop => {
                let (Some(stop), Some(limit)) = (order.stop.map(price), order.limit.map(price)) else { return plain() };
                format!(
                    "the bar ({} to {}) reached its stop {stop}, and nothing says that it came to its limit {limit} \
                     after that; it is a limit order from now on",
                    price(low),
                    price(high)
                )
            }
            Wait::NotYet => match bars_until(self.bar, order) {
                Some(ahead) if ahead > 0 => {
                    format!("it may fill {ahead} {} from now", if ahead == 1 { "bar" } else { "bars" })
                }
                _ if self.has_window() => words::limit(Limit::TradeWindow).into(),
                _ => plain(),
            },
            Wait::VolumeLimit => format!("{} is all used up", self.volume_part(volume)),
            _ => plain(),
        }
    }

    fn has_window(&self) -> bool {
        self.settings().trade_from > 0 || self.settings().trade_until > 0
    }

    fn volume_part(&self, volume: f64) -> String {
        let limit = self.settings().volume_limit;
        format!(
            "what it may trade, {}% of the bar's volume {} = {},",
            parameter(limit * 100.0),
            units(volume),
            units(limit * volume)
        )
    }

    fn why_limited(&self, limit: Limit, symbol: Option<u32>) -> String {
        let plain = words::limit(limit);
        let settings = self.settings();
        match limit {
            Limit::Cash => format!("{plain} (cash now: {})", money(self.cash)),
            Limit::Margin => format!(
                "{plain} (initial_margin = {}, equity before the bar: {})",
                parameter(settings.initial_margin),
                money(self.bar.before.equity)
            ),
            Limit::Volume => match self.prices(symbol) {
                Some([.., volume]) => format!("{} allows no more; the rest stays open", self.volume_part(volume)),
                None => plain.into(),
            },
            Limit::MaxPositions => format!("{plain} (max_positions = {})", settings.max_positions),
            Limit::MaxWeight => format!("{plain} (max_weight = {})", parameter(settings.max_weight)),
            Limit::MaxLeverage => format!("{plain} (max_leverage = {})", parameter(settings.max_leverage)),
            Limit::MaxOrder => format!("{plain} (max_order = {})", units(settings.max_order)),
            Limit::TradeWindow => {
                let time = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
                format!("{plain} (from {} until {})", time(settings.trade_from), time(settings.trade_until))
            }
            Limit::MinOrder => format!("{plain} (min_order = {})", units(settings.min_order)),
            _ => plain.into(),
        }
    }

    fn why_cancelled(&self, why: Cancel, order: Option<&OpenOrder>) -> String {
        match (why, order.map(|order| order.time_in_force)) {
            (Cancel::Expired, Some(TimeInForce::Bars(1))) => "it was open for one bar (entry_bars)".into(),
            (Cancel::Expired, Some(TimeInForce::Bars(bars))) => format!("it was open for {bars} bars (entry_bars)"),
            _ => words::cancel(why).into(),
        }
    }

    fn filled(&self, fill: &Fill, market: f64, left: f64, ticket: u32, order: Option<&OpenOrder>) -> String {
        let who = match order {
            Some(order) => order_name(order),
            None if ticket == 0 => self.without_order(fill.symbol),
            None => format!("order {ticket}"),
        };
        let verb = if fill.quantity > 0.0 { "buys" } else { "sells" };
        let worse = (fill.price - market) * fill.quantity.signum();
        let level = self.level_met(fill.symbol, market, order);
        let costs = match worse {
            0.0 if level.is_empty() => String::new(),
            0.0 => format!(" ({level})"),
            worse if worse > 0.0 => format!(
                " (market {}{}{level}, {} for spread, slippage and impact: {} bps)",
                price(market),
                if level.is_empty() { "" } else { " = " },
                signed(fill.price - market),
                parameter((worse / market * 1e6).round() / 100.0)
            ),
            _ => format!(" (market {})", price(market)),
        };
        let fee = if fill.fee == 0.0 { String::new() } else { format!(", commission {}", money(fill.fee)) };
        let value = fill.quantity * fill.price;
        let rest = if left == 0.0 { String::new() } else { format!("; {} of it still open", units(left.abs())) };
        format!(
            "{who} {verb} {} at {}{costs}; {} {}{fee}, cash now {}{rest}",
            units(fill.quantity.abs()),
            price(fill.price),
            money(value.abs()),
            if value > 0.0 { "paid" } else { "received" },
            money(self.cash - value - fill.fee),
        )
    }

    /// What the market's price of a fill is to its order's level.
    fn level_met(&self, symbol: u32, market: f64, order: Option<&OpenOrder>) -> String {
        let Some([open, _, _, close, _]) = self.prices(Some(symbol)) else { return String::new() };
        let stop = order.and_then(|order| order.stop.filter(|_| !order.woken)).map(|stop| ("stop", "past", stop));
        let limit = order.and_then(|order| order.limit).map(|limit| ("limit", "better than", limit));
        match stop.or(limit) {
            Some((word, _, level)) if level == market => format!("its {word}"),
            Some((word, beyond, level)) if market == open => format!("the open, {beyond} its {word} {}", price(level)),
            Some((word, beyond, level))
                if order.is_some_and(|order| order.role != Role::Strategy) && market != close =>
            {
                format!("the price of the entry, {beyond} its {word} {}", price(level))
            }
            _ => String::new(),
        }
    }

    /// Why a fill has no order.
    fn without_order(&self, symbol: u32) -> String {
        let settings = self.settings();
        let gone = self.bar.symbols.get(symbol as usize).is_some_and(|seen| seen.row.is_none());
        let last = self.bar.t + 1 == self.panel.timeline.len();
        if self.bar.ruined {
            "ruin: equity is gone, so the account"
        } else if gone {
            "the symbol disappeared: the account is paid out and"
        } else if settings.close_at_end && last {
            "the end of the run (close_at_end)"
        } else if settings.flat_at_close {
            "the session's close (flat_at_close)"
        } else {
            "the account"
        }
        .into()
    }

    /// Stops that follow the price, or went to the entry.
    fn moved_levels(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for after in &self.bar.orders_after {
            let Some(before) = self.orders.get(&after.ticket) else { continue };
            let (Some(to), Some(row)) = (after.stop, self.bar.symbols[after.symbol as usize].row) else { continue };
            let best = format!("high {}, low {}", price(self.panel.high[row]), price(self.panel.low[row]));
            let text = match before.stop {
                Some(from) if from == to => continue,
                Some(from) if after.trail.is_some() => {
                    format!(
                        "{} follows the price ({best}): its stop moves from {} to {}",
                        order_name(after),
                        price(from),
                        price(to)
                    )
                }
                Some(from) => format!("{} moves from {} to {} ({best})", order_name(after), price(from), price(to)),
                None if before.role == Role::StopLoss => {
                    format!(
                        "{} gets its level {}: the profit of break_even was reached ({best})",
                        order_name(after),
                        price(to)
                    )
                }
                None => continue,
            };
            lines.push(Line { symbol: Some(after.symbol), ticket: after.ticket, text });
        }
        lines
    }
}

/// Bars of its symbol after this one until an order may fill, if that is fixed; `None` without a bar here.
pub fn bars_until(bar: &Inspection, order: &OpenOrder) -> Option<usize> {
    let row = bar.symbols.get(order.symbol as usize)?.row?;
    order.from_row.checked_sub(row)
}

/// `stop-loss (order 12)`, or `order 12`.
pub fn order_name(order: &OpenOrder) -> String {
    match order.role {
        Role::Strategy => format!("order {}", order.ticket),
        role => format!("{} (order {})", words::role(role), order.ticket),
    }
}

fn signed(amount: f64) -> String {
    format!("{}{}", if amount < 0.0 { "-" } else { "+" }, short(amount.abs()))
}

/// New shares for each old one at the beginning of a bar; 1 without a split.
fn split_ratio(panel: &Panel, symbol: u32, t: usize) -> f64 {
    let session = panel.sessions[t];
    let before = t.checked_sub(1).filter(|_| t > panel.start).map_or(i32::MIN, |t| panel.sessions[t]);
    let now = panel.actions.get(symbol as usize).into_iter().flatten();
    let now = now.filter(|action| action.ex_date > before && action.ex_date <= session && before != i32::MIN);
    now.map(|action| action.split_ratio).product()
}

/// An order as its placing tells it, or as it stands after the bar where it still does.
#[expect(clippy::too_many_arguments, reason = "what an event tells of an order")]
fn placed(
    bar: &Inspection,
    symbol: u32,
    ticket: u32,
    role: Role,
    kind: Kind,
    size: Size,
    units: Option<f64>,
    held: f64,
) -> OpenOrder {
    let (limit, stop, trail) = match kind {
        Kind::Market => (None, None, None),
        Kind::Limit(limit) => (Some(limit), None, None),
        Kind::Stop(stop) => (None, Some(stop), None),
        Kind::StopLimit { stop, limit } => (Some(limit), Some(stop), None),
        Kind::Trailing(by) => (None, None, Some(by)),
    };
    let buys = match (units, size) {
        (Some(units), _) => Some(units > 0.0),
        (None, Size::Close) if held != 0.0 => Some(held < 0.0),
        (None, Size::Shares(x) | Size::Value(x) | Size::Percent(x)) => Some(x > 0.0),
        _ => None,
    };
    let later = bar.orders_after.iter().find(|order| order.ticket == ticket);
    OpenOrder {
        ticket,
        symbol,
        role,
        buys: later.and_then(|order| order.buys).or(buys),
        units,
        size: Some(size),
        limit,
        // Where a trailing stop was put first is seen only at the end of the bar.
        stop: stop.or_else(|| later.filter(|order| order.trail.is_some()).and_then(|order| order.stop)),
        trail,
        break_even: None,
        woken: false,
        time_in_force: later.map_or(TimeInForce::Gtc, |order| order.time_in_force),
        tried: 0,
        placed: bar.t as u32,
        from_row: 0,
    }
}

/// What a symbol's rules came to at a bar: the orders that they placed, or why none.
pub fn outcome(plan: &Plan, panel: &Panel, bar: &Inspection, symbol: u32) -> Vec<String> {
    let Some(seen) = bar.symbols.get(symbol as usize).filter(|seen| seen.row.is_some()) else { return Vec::new() };
    if bar.ruined {
        return vec!["no order: the account lost everything, and trades no more".into()];
    }
    let own = || bar.events.iter().filter(move |event| event.symbol == Some(symbol));
    let mut reasons: Vec<String> = Vec::new();
    for event in own() {
        if let Happening::Idle(why) = event.what {
            reasons.push(format!("no order: {}", idle(plan, panel, bar, symbol, why)));
        }
    }
    let course = Course {
        plan,
        panel,
        bar,
        cash: bar.before.cash,
        held: bar.symbols.iter().map(|seen| seen.state.position).collect(),
        orders: BTreeMap::new(),
    };
    for event in own() {
        if let Happening::Placed { role: Role::Strategy, size, .. } = event.what {
            let rule = course.rule_of(Role::Strategy, size, Some(symbol));
            reasons.push(format!("{rule} places order {}", event.ticket));
        }
    }
    if !reasons.is_empty() {
        return reasons;
    }
    let said = |name: &str| {
        let value = seen.values.iter().find(|value| value.name == name)?;
        let word = match value.value {
            value if value.is_nan() => "undefined, which counts as false",
            1.0 => "true",
            _ => "false",
        };
        Some(format!("{name} is {word}"))
    };
    let held = seen.state.position;
    let rules: &[&str] = match held {
        held if held > 0.0 => &["exit_long"],
        held if held < 0.0 => &["exit_short"],
        _ => &["enter_long", "enter_short"],
    };
    let mut told: Vec<String> = rules.iter().filter_map(|rule| said(rule)).collect();
    if told.is_empty() {
        // Without a rule for leaving a side, an entry on the other side leaves it.
        let other = if held > 0.0 { "enter_short" } else { "enter_long" };
        let exits = bar.orders_after.iter().any(|order| order.symbol == symbol && order.role != Role::Strategy);
        let nothing =
            if exits { "no rule closes the position, its exits wait below" } else { "no rule closes the position" };
        told.push(said(other).unwrap_or_else(|| nothing.into()));
    }
    let position = if held == 0.0 { "flat".to_string() } else { format!("holding {}", units(held)) };
    vec![format!("no order: {position}; {}", told.join("; "))]
}

fn idle(plan: &Plan, panel: &Panel, bar: &Inspection, symbol: u32, why: sandtable_core::engine::Idle) -> String {
    use sandtable_core::engine::Idle;
    let plain = words::idle(why);
    let held = bar.symbols[symbol as usize].state.position;
    match why {
        Idle::TargetUnchanged => format!("{plain} (rebalance = \"on_change\")"),
        Idle::NotRebalanced => match &plan.strategy().rules {
            Rules::Target { rebalance: Rebalance::Weekly, .. } => {
                "this is not the first bar of a week (rebalance = \"weekly\")".into()
            }
            Rules::Target { rebalance: Rebalance::Monthly, .. } => {
                "this is not the first bar of a month (rebalance = \"monthly\")".into()
            }
            _ => "the condition of `rebalance` is not true".into(),
        },
        Idle::TargetReached if held == 0.0 => "the target is 0, and nothing is held".into(),
        Idle::TargetReached => format!("{plain} (holding {})", units(held)),
        Idle::Held => format!("{plain} ({})", units(held)),
        Idle::Pending => {
            let open = bar.orders_before.iter().chain(&bar.orders_after).find(|order| order.symbol == symbol);
            match open {
                Some(order) => {
                    format!("{plain} ({}, since {})", order_name(order), time_of(panel, order.placed as usize))
                }
                None => plain.into(),
            }
        }
        _ => plain.into(),
    }
}
