//! `Portfolio.from_signals`: entries and exits for both sides, what becomes of those that meet, and stops.

use sandtable_core::bundle::Field;
use sandtable_core::engine::{Bracket, Desk, Distance, Kind, Level, Order, Size, Ticket};
use sandtable_core::plan::LevelsFrom;
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
    stops: Stops,
    states: Vec<State>,
}

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
    /// Whether levels are measured from the close of the entry's bar.
    from_close: bool,
}

/// What is known of a symbol's position and its stops.
#[derive(Clone, Default)]
struct State {
    /// Orders placed for the next fill.
    waiting: Vec<Ticket>,
    /// The entry whose stops are to be set once it has filled, and their fractions.
    entry: Option<(Ticket, f64, f64)>,
    /// Price that the levels are measured from, and their fractions.
    reference: Option<(f64, f64, f64)>,
    /// Resting orders that stop and reverse.
    resting: Vec<Ticket>,
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
    pub fn new(call: &Value, inputs: &'a Inputs, account: &'a Account) -> Result<Signals<'a>, Verdict> {
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
            from_close: word("stop_entry_price", "close") == "close",
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
            stops,
            states: vec![State::default(); account.columns.len()],
        })
    }

    /// Looks at a bar and places orders.
    pub fn next(&mut self, desk: &mut Desk<'_>) {
        let bar = self.inputs.bar_of(desk.time());
        for symbol in 0..self.account.columns.len() {
            for ticket in std::mem::take(&mut self.states[symbol].waiting) {
                desk.cancel(ticket);
            }
            let stopped = self.follow_stops(desk, symbol);
            if stopped || !self.inputs.at_open && !desk.has_bar(symbol) {
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
            return match accumulate.removes() {
                true => market(sized(-side)),
                false => Some(Order { reverses: true, ..Order::market(symbol, sized(-side)) }),
            };
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
        let opens = !against || order.reverses;
        let has_stops = opens && !(loss.is_nan() && profit.is_nan());
        let simple = !self.inputs.at_open && !self.stops.reverses && self.accumulate == Accumulate::No;
        let fraction = |part: f64| (!part.is_nan()).then_some(Distance::Fraction(part));
        if has_stops && !self.inputs.at_open && !self.stops.reverses {
            let trails = simple && self.stops.trailing;
            order.bracket = Bracket {
                stop_loss: fraction(loss).filter(|_| !trails).map(Level::From),
                trailing: fraction(loss).filter(|_| trails),
                take_profit: fraction(profit).map(Level::From),
                ..Bracket::default()
            };
        }
        let Some(ticket) = place(desk, self.inputs, order) else { return };
        let close = desk.current(symbol, Field::Close).unwrap_or(f64::NAN);
        let state = &mut self.states[symbol];
        state.waiting.push(ticket);
        if matches!(order.size, Size::Close) || against {
            // The position that they belong to ends, or is reversed, with this order.
            if !self.accumulate.removes() || order.reverses {
                state.reference = None;
                for ticket in std::mem::take(&mut state.resting) {
                    desk.cancel(ticket);
                }
            }
        }
        if !has_stops || simple {
            return;
        }
        if self.inputs.at_open {
            self.states[symbol].entry = Some((ticket, loss, profit));
            return;
        }
        // At a close that is seen, the price of the fill is known.
        let slippage = desk.settings().costs.slippage_bps * 1e-4;
        let paid = if desk.settings().levels_from == LevelsFrom::Fill {
            close * if buys { 1.0 + slippage } else { 1.0 - slippage }
        } else {
            close
        };
        self.states[symbol].reference = Some((paid, loss, profit));
        if self.stops.reverses {
            self.rest(desk, symbol, buys);
        } else {
            self.move_stops(desk, symbol, buys);
        }
    }

    /// Follows fills and prices with the stops of a position; true if a stop has filled at this bar.
    fn follow_stops(&mut self, desk: &mut Desk<'_>, symbol: usize) -> bool {
        let now = desk.bar() + desk.panel().start;
        let filled: Vec<(Ticket, f64, bool)> = desk
            .fills()
            .filter(|(_, fill)| fill.symbol as usize == symbol)
            .map(|(ticket, fill)| (ticket, fill.price, fill.bar as usize == now))
            .collect();
        let held = desk.position(symbol);
        let field = |field: Field| desk.current(symbol, field).unwrap_or(f64::NAN);
        let (high, low, close) = (field(Field::High), field(Field::Low), field(Field::Close));
        let present = desk.has_bar(symbol);
        // Orders of signals fill at the close after this look, so that what filled at this bar was a stop.
        let stopped = !self.inputs.at_open && filled.iter().any(|&(_, _, at_this_bar)| at_this_bar);
        let state = &mut self.states[symbol];
        if let Some((ticket, loss, profit)) = state.entry.take() {
            if let Some(&(_, price, _)) = filled.iter().find(|(filled, _, _)| *filled == ticket) {
                let from = match desk.settings().levels_from {
                    _ if self.stops.from_close => close,
                    LevelsFrom::Fill => price,
                    LevelsFrom::Market => field(Field::Open),
                };
                state.reference = Some((from, loss, profit));
                self.move_stops(desk, symbol, held > 0.0);
            }
            return stopped;
        }
        if stopped && self.stops.reverses {
            let reversed = state.resting.iter().any(|&ticket| filled.iter().any(|&(filled, _, _)| filled == ticket));
            state.resting.clear();
            if reversed && held != 0.0 {
                let Some((_, loss, profit)) = state.reference else { return stopped };
                state.reference = Some((close, loss, profit));
                self.rest(desk, symbol, held > 0.0);
            }
            return stopped;
        }
        if held == 0.0 {
            state.reference = None;
            for ticket in std::mem::take(&mut state.resting) {
                desk.cancel(ticket);
            }
            return stopped;
        }
        if let Some((reference, _, _)) = state.reference.as_mut().filter(|_| self.stops.trailing && present) {
            *reference = if held > 0.0 { reference.max(high) } else { reference.min(low) };
            if self.stops.reverses {
                for ticket in std::mem::take(&mut self.states[symbol].resting) {
                    desk.cancel(ticket);
                }
                self.rest(desk, symbol, held > 0.0);
            } else {
                self.move_stops(desk, symbol, held > 0.0);
            }
        }
        stopped
    }

    /// Levels of stop-loss and take-profit of a position.
    fn levels(&self, symbol: usize, long: bool) -> (Option<f64>, Option<f64>) {
        let Some((reference, loss, profit)) = self.states[symbol].reference else { return (None, None) };
        let away = |part: f64, up: bool| {
            (!part.is_nan()).then_some(if up { reference * (1.0 + part) } else { reference * (1.0 - part) })
        };
        (away(loss, !long), away(profit, long))
    }

    /// Moves the exits of all that is held to the levels.
    fn move_stops(&mut self, desk: &mut Desk<'_>, symbol: usize, long: bool) {
        let (loss, profit) = self.levels(symbol, long);
        for (entry, _) in desk.open_entries(symbol) {
            if let Some(level) = loss {
                desk.move_stop(entry, level);
            }
            if let Some(level) = profit {
                desk.move_target(entry, level);
            }
        }
    }

    /// Places resting orders that close a position and open its opposite.
    fn rest(&mut self, desk: &mut Desk<'_>, symbol: usize, long: bool) {
        let (loss, profit) = self.levels(symbol, long);
        let size = self.size.at(symbol, 0);
        let units = units_or_all(if long { -size } else { size });
        let order = Order { reverses: true, ..Order::market(symbol, units) };
        let stop = loss.and_then(|level| desk.place(Order { kind: Kind::Stop(level), ..order }));
        let target = profit.and_then(|level| desk.place(Order { kind: Kind::Limit(level), oco: stop, ..order }));
        self.states[symbol].resting = [stop, target].into_iter().flatten().collect();
    }
}
