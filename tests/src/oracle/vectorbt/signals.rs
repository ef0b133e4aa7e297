//! `Portfolio.from_signals`: entries and exits for both sides, what becomes of those that meet, and stops.

use std::collections::BTreeMap;

use sandtable_core::bundle::Field;
use sandtable_core::engine::{Bracket, Desk, Distance, Kind, Level, Order, Size, Ticket};
use serde_json::Value;

use super::inputs::{Account, Argument, Inputs};
use super::{place, units_or_all};
use crate::oracle::Verdict;
use crate::oracle::replay::failed;

/// The call as a strategy.
pub struct Signals<'a> {
    inputs: &'a Inputs,
    account: &'a Account,
    long: (Argument, Argument),
    short: (Argument, Argument),
    size: Argument,
    size_type: SizeType,
    accumulate: Accumulate,
    long_conflict: String,
    short_conflict: String,
    direction_conflict: String,
    opposite_entry: String,
    allow_partial: bool,
    stops: Stops,
    states: Vec<State>,
    /// Bars at which a stop of the peer takes the turn of the signals, by column, and whether it closes at the open.
    known: &'a Known,
}

/// See [`Signals::known`]: what the peer knows of a bar before its open, and we do not.
pub type Known = BTreeMap<(usize, usize), bool>;

#[derive(Clone, Copy, PartialEq)]
enum SizeType {
    Amount,
    Value,
    Percent,
}

#[derive(Clone, Copy, PartialEq)]
enum Accumulate {
    No,
    Both,
    AddOnly,
    RemoveOnly,
}

impl Accumulate {
    fn adds(self) -> bool {
        matches!(self, Accumulate::Both | Accumulate::AddOnly)
    }

    fn removes(self) -> bool {
        matches!(self, Accumulate::Both | Accumulate::RemoveOnly)
    }
}

struct Stops {
    loss: Argument,
    profit: Argument,
    trailing: bool,
    /// What a stop does: closes or reverses.
    reverses: bool,
    from: From,
}

/// What the levels of stops are measured from.
#[derive(Clone, Copy, PartialEq)]
enum From {
    /// The close of the bar of the fill.
    Close,
    /// The price paid.
    Fill,
    /// The market's price, before slippage.
    Market,
}

/// What is known of a symbol's position and its stops.
#[derive(Clone, Default)]
struct State {
    /// Orders placed for the next fill.
    waiting: Vec<Ticket>,
    /// The order whose fill sets the stops at these fractions, where its price is not known before.
    pending: Option<(Ticket, f64, f64)>,
    levels: Option<Levels>,
    /// Resting orders at the levels.
    resting: Vec<Ticket>,
}

/// Prices that stop-loss and take-profit are measured from, and their fractions.
#[derive(Clone, Copy)]
struct Levels {
    stop_from: f64,
    target_from: f64,
    loss: f64,
    profit: f64,
}

/// Signals of one bar: long entry and exit, short entry and exit.
#[derive(Clone, Copy, Default)]
struct Now {
    long_entry: bool,
    long_exit: bool,
    short_entry: bool,
    short_exit: bool,
}

impl<'a> Signals<'a> {
    /// Reads the call's arguments.
    pub fn new(
        call: &Value,
        inputs: &'a Inputs,
        account: &'a Account,
        known: &'a Known,
    ) -> Result<Signals<'a>, Verdict> {
        let word = |key: &str, default: &str| call[key].as_str().unwrap_or(default).to_lowercase();
        let read = |name: &str, absent: f64| inputs.argument(call, name, account, absent);
        let (entries, exits) = (read("entries", 0.0)?, read("exits", 0.0)?);
        let never = || Argument::One(0.0);
        let separate = !call["short_entries"].is_null() || !call["short_exits"].is_null();
        let (long, short) = match &*word("direction", "longonly") {
            _ if separate => ((entries, exits), (read("short_entries", 0.0)?, read("short_exits", 0.0)?)),
            "shortonly" => ((never(), never()), (entries, exits)),
            // An exit of the one side is an entry of the other.
            "both" => ((entries, never()), (exits, never())),
            _ => ((entries, exits), (never(), never())),
        };
        let accumulate = match &call["accumulate"] {
            Value::Bool(true) => Accumulate::Both,
            Value::String(text) => match &*text.to_lowercase() {
                "addonly" => Accumulate::AddOnly,
                "removeonly" => Accumulate::RemoveOnly,
                "both" => Accumulate::Both,
                _ => Accumulate::No,
            },
            _ => Accumulate::No,
        };
        let stops = Stops {
            loss: read("sl_stop", f64::NAN)?,
            profit: read("tp_stop", f64::NAN)?,
            trailing: call["sl_trail"] == true,
            reverses: word("upon_stop_exit", "close").starts_with("reverse"),
            from: match &*word("stop_entry_price", "close") {
                "fillprice" => From::Fill,
                "price" | "valprice" => From::Market,
                _ => From::Close,
            },
        };
        Ok(Signals {
            inputs,
            account,
            long,
            short,
            size: read("size", f64::INFINITY)?,
            size_type: match &*word("size_type", "amount") {
                "amount" => SizeType::Amount,
                "value" => SizeType::Value,
                "percent" => SizeType::Percent,
                other => return Err(failed(format!("signals have no sizes in {other}"))),
            },
            accumulate,
            long_conflict: word("upon_long_conflict", "ignore"),
            short_conflict: word("upon_short_conflict", "ignore"),
            direction_conflict: word("upon_dir_conflict", "ignore"),
            opposite_entry: word("upon_opposite_entry", "reversereduce"),
            allow_partial: call["allow_partial"] != false,
            known,
            stops,
            states: vec![State::default(); account.columns.len()],
        })
    }

    /// Looks at a bar and places orders.
    pub fn next(&mut self, desk: &mut Desk<'_>) {
        let bar = self.inputs.bar_of(desk.time());
        for symbol in 0..self.account.columns.len() {
            let known = self.known.get(&(self.account.columns[symbol], bar)).copied();
            for ticket in std::mem::take(&mut self.states[symbol].waiting) {
                desk.cancel(ticket);
            }
            let stopped = self.follow_stops(desk, symbol);
            if stopped || !self.inputs.at_open && !desk.has_bar(symbol) {
                continue;
            }
            if let Some(closes) = known {
                if closes && let Some(ticket) = desk.close(symbol) {
                    self.forget(desk, symbol);
                    self.states[symbol].waiting.push(ticket);
                }
                continue;
            }
            let held = desk.position(symbol);
            let (now, accumulate) = self.resolved(symbol, bar, held);
            let Some(order) = self.order(symbol, bar, held, now, accumulate) else { continue };
            self.submit(desk, symbol, bar, held, order);
        }
    }

    /// The signals that are left once those that meet are resolved.
    fn resolved(&self, symbol: usize, bar: usize, held: f64) -> (Now, Accumulate) {
        let holds = |argument: &Argument| argument.holds(symbol, bar);
        let mut now = Now {
            long_entry: holds(&self.long.0),
            long_exit: holds(&self.long.1),
            short_entry: holds(&self.short.0),
            short_exit: holds(&self.short.1),
        };
        let conflict = |entry: &mut bool, exit: &mut bool, word: &str| {
            if *entry && *exit {
                let (keep_entry, keep_exit) = match word {
                    "entry" => (true, false),
                    "exit" => (false, true),
                    "adjacent" => (held != 0.0, false),
                    "opposite" => (false, held != 0.0),
                    _ => (false, false),
                };
                (*entry, *exit) = (keep_entry, keep_exit);
            }
        };
        conflict(&mut now.long_entry, &mut now.long_exit, &self.long_conflict);
        conflict(&mut now.short_entry, &mut now.short_exit, &self.short_conflict);
        if now.long_entry && now.short_entry {
            let (long, short) = match &*self.direction_conflict {
                "long" => (true, false),
                "short" => (false, true),
                "adjacent" => (held > 0.0, held < 0.0),
                "opposite" => (held < 0.0, held > 0.0),
                _ => (false, false),
            };
            (now.long_entry, now.short_entry) = (long, short);
        }
        let mut accumulate = self.accumulate;
        let opposite = held > 0.0 && now.short_entry || held < 0.0 && now.long_entry;
        if opposite {
            let word = &*self.opposite_entry;
            if matches!(word, "close" | "reverse") {
                accumulate = Accumulate::No;
            }
            if matches!(word, "ignore" | "close" | "closereduce") {
                let closes = word != "ignore";
                if held > 0.0 {
                    now.short_entry = false;
                    now.long_exit |= closes;
                } else {
                    now.long_entry = false;
                    now.short_exit |= closes;
                }
            }
        }
        (now, accumulate)
    }

    /// The order that signals come to.
    fn order(&self, symbol: usize, bar: usize, held: f64, now: Now, accumulate: Accumulate) -> Option<Order> {
        let size = self.size.at(symbol, bar);
        let side = if held > 0.0 { 1.0 } else { -1.0 };
        let (enters, exits, opposes) = if held >= 0.0 {
            (now.long_entry, now.long_exit, now.short_entry)
        } else {
            (now.short_entry, now.short_exit, now.long_entry)
        };
        let sized = |sign: f64| match self.size_type {
            SizeType::Amount => units_or_all(sign * size),
            SizeType::Value if size.is_infinite() => units_or_all(sign * size),
            SizeType::Value => Size::Value(sign * size),
            SizeType::Percent => Size::BuyingPower(sign * size),
        };
        let market = |size: Size| Some(Order::market(symbol, size));
        if held == 0.0 {
            return match (now.long_entry, now.short_entry) {
                (true, _) => market(sized(1.0)),
                (_, true) => market(sized(-1.0)),
                _ => None,
            };
        }
        if opposes {
            // An order against the position takes away from it, or closes it and opens the other.
            let size = sized(-side);
            // All that the account can trade counts the position already.
            let reverses = !accumulate.removes() && !matches!(size, Size::BuyingPower(_));
            return Some(Order { reverses, ..Order::market(symbol, size) });
        }
        if exits {
            if !accumulate.removes() || size.is_infinite() {
                return market(Size::Close);
            }
            return match self.size_type {
                SizeType::Amount => market(Size::Shares(-side * size.min(held.abs()))),
                SizeType::Value => market(Size::Value(-side * size)),
                SizeType::Percent => market(Size::Shares(-side * size * held.abs())),
            };
        }
        if enters && accumulate.adds() { market(sized(side)) } else { None }
    }

    /// Places an order with the stops that its fill brings.
    fn submit(&mut self, desk: &mut Desk<'_>, symbol: usize, bar: usize, held: f64, mut order: Order) {
        let (loss, profit) = (self.stops.loss.at(symbol, bar), self.stops.profit.at(symbol, bar));
        let buys = match order.size {
            Size::Shares(x) | Size::Value(x) | Size::BuyingPower(x) => x > 0.0,
            _ => held < 0.0,
        };
        let against = held != 0.0 && (held > 0.0) != buys;
        let reverses = order.reverses || against && matches!(order.size, Size::BuyingPower(_));
        let opens = reverses || !against && self.fills(desk, &order);
        let has_stops = opens && !(loss.is_nan() && profit.is_nan());
        let bracketed = !self.inputs.at_open && !self.stops.reverses && self.accumulate == Accumulate::No;
        if has_stops && bracketed {
            let fraction = |part: f64| (!part.is_nan()).then_some(Distance::Fraction(part));
            order.bracket = Bracket {
                stop_loss: fraction(loss).filter(|_| !self.stops.trailing).map(Level::From),
                trailing: fraction(loss).filter(|_| self.stops.trailing),
                take_profit: fraction(profit).map(Level::From),
                ..Bracket::default()
            };
        }
        let Some(ticket) = place(desk, self.inputs, order) else { return };
        let close = desk.current(symbol, Field::Close).unwrap_or(f64::NAN);
        self.states[symbol].waiting.push(ticket);
        if matches!(order.size, Size::Close) && !self.inputs.at_open {
            self.forget(desk, symbol);
        }
        if !has_stops || bracketed {
            return;
        }
        if self.inputs.at_open {
            self.states[symbol].pending = Some((ticket, loss, profit));
            return;
        }
        // At a close that is seen, the price of the fill is known.
        let slippage = desk.settings().costs.slippage_bps * 1e-4;
        let from = match self.stops.from {
            From::Fill if buys => close * (1.0 + slippage),
            From::Fill => close * (1.0 - slippage),
            From::Close | From::Market => close,
        };
        self.set(desk, symbol, buys, Levels { stop_from: from, target_from: from, loss, profit });
    }

    /// Follows fills and prices with the stops of a position; true if a stop has taken this bar's turn.
    fn follow_stops(&mut self, desk: &mut Desk<'_>, symbol: usize) -> bool {
        let now = desk.bar() + desk.panel().start;
        let own = desk.fills().filter(|(_, fill)| fill.symbol as usize == symbol);
        let filled: Vec<(Ticket, f64, bool)> =
            own.map(|(ticket, fill)| (ticket, fill.price, fill.bar as usize == now)).collect();
        let held = desk.position(symbol);
        let field = |field: Field| desk.current(symbol, field).unwrap_or(f64::NAN);
        let (open, high, low, close) = (field(Field::Open), field(Field::High), field(Field::Low), field(Field::Close));
        let price_of = |ticket: Ticket| filled.iter().find(|fill| fill.0 == ticket).map(|fill| fill.1);
        // Orders of signals fill at the close after this look, so that what filled at this bar was a stop.
        let stopped = !self.inputs.at_open && filled.iter().any(|&(_, _, at_this_bar)| at_this_bar);
        let stop_price = self.states[symbol].resting.iter().find_map(|&ticket| price_of(ticket));
        let entered = self.states[symbol]
            .pending
            .take()
            .and_then(|(ticket, loss, profit)| price_of(ticket).map(|price| (price, loss, profit)));
        if held == 0.0 {
            self.forget(desk, symbol);
            return stopped;
        }
        let levels = self.states[symbol].levels;
        let slippage = desk.settings().costs.slippage_bps * 1e-4;
        match (stop_price, entered) {
            (Some(price), _) => {
                // The stop reversed the position.
                let Some(Levels { loss, profit, .. }) = levels else { return stopped };
                let paid = if desk.settings().exit_slippage { slippage } else { 0.0 };
                let from = match self.stops.from {
                    From::Close => close,
                    From::Fill => price,
                    From::Market if held > 0.0 => price / (1.0 + paid),
                    From::Market => price / (1.0 - paid),
                };
                self.set(desk, symbol, held > 0.0, Levels { stop_from: from, target_from: from, loss, profit });
            }
            (None, Some((price, loss, profit))) => {
                let from = match self.stops.from {
                    From::Close => close,
                    From::Fill => price,
                    From::Market => open,
                };
                self.set(desk, symbol, held > 0.0, Levels { stop_from: from, target_from: from, loss, profit });
            }
            (None, None) => {
                let Some(levels) = levels.filter(|_| self.stops.trailing && desk.has_bar(symbol)) else {
                    return stopped;
                };
                let best = if held > 0.0 { levels.stop_from.max(high) } else { levels.stop_from.min(low) };
                self.set(desk, symbol, held > 0.0, Levels { stop_from: best, ..levels });
            }
        }
        stopped
    }

    /// Whether an order at the close that is seen will fill, as far as cash tells: an order that does not leaves the
    /// stops of the position as they are.
    fn fills(&self, desk: &Desk<'_>, order: &Order) -> bool {
        let settings = desk.settings();
        let close = desk.current(order.symbol, Field::Close).unwrap_or(f64::NAN);
        let buys = match order.size {
            Size::Shares(x) | Size::Value(x) | Size::BuyingPower(x) => x > 0.0,
            _ => return true,
        };
        let limited = buys || settings.lock_short_cash || matches!(order.size, Size::BuyingPower(_));
        if self.inputs.at_open || !limited {
            return true;
        }
        // Short positions tie up what they brought, and as much again.
        let debt = |symbol: usize| (-desk.position(symbol)).max(0.0) * desk.entry_price(symbol).unwrap_or(0.0);
        let tied: f64 = (0..desk.symbols().len()).map(|symbol| 2.0 * debt(symbol)).sum();
        let tied = if buys && !settings.lock_short_cash { 0.0 } else { tied };
        let slippage = settings.costs.slippage_bps * if buys { 1e-4 } else { -1e-4 };
        let paid = close * (1.0 + slippage) * (1.0 + settings.costs.bps * 1e-4);
        let most = (desk.cash() - tied - settings.costs.per_trade) / paid;
        let wanted = match order.size {
            Size::Shares(units) => units.abs(),
            Size::Value(value) => value.abs() / close,
            _ => f64::INFINITY,
        };
        let least = if settings.fractional { settings.min_order } else { settings.lot.max(settings.min_order) };
        most >= if self.allow_partial || wanted.is_infinite() { least } else { wanted }
    }

    fn forget(&mut self, desk: &mut Desk<'_>, symbol: usize) {
        self.states[symbol].levels = None;
        for ticket in std::mem::take(&mut self.states[symbol].resting) {
            desk.cancel(ticket);
        }
    }

    /// Places the resting orders at the levels of a position, or of one that is about to be opened.
    fn set(&mut self, desk: &mut Desk<'_>, symbol: usize, long: bool, levels: Levels) {
        self.forget(desk, symbol);
        let away = |from: f64, part: f64, up: bool| {
            (!part.is_nan()).then_some(if up { from * (1.0 + part) } else { from * (1.0 - part) })
        };
        let order = if self.stops.reverses {
            let size = self.size.at(symbol, 0);
            Order { reverses: true, ..Order::market(symbol, units_or_all(if long { -size } else { size })) }
        } else {
            // Whatever is held by then.
            Order::market(symbol, Size::TargetShares(0.0))
        };
        let stop = away(levels.stop_from, levels.loss, !long);
        let stop = stop.and_then(|level| desk.place(Order { kind: Kind::Stop(level), ..order }));
        let target = away(levels.target_from, levels.profit, long);
        let target = target.and_then(|level| desk.place(Order { kind: Kind::Limit(level), oco: stop, ..order }));
        self.states[symbol].resting = [stop, target].into_iter().flatten().collect();
        self.states[symbol].levels = Some(levels);
    }
}
