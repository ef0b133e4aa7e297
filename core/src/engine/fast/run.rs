//! One trial, from event to event.

use super::super::decisions::{Decisions, EntryRules, LevelRule, When};
use super::super::order::Distance;
use super::super::reference::{Record, Workspace};
use super::exits::{Bracket, Exits};
use super::grid::Grid;
use super::ledger::Ledger;
use super::market::{self, Amount, Done, Moment, Ready, Role, Terms};
use super::marks::Marks;
use super::seek;
use super::signals::Signals;
use crate::context::{Panel, PositionState, Rule};
use crate::metrics::Counters;
use crate::num::NAN;
use crate::plan::{BeyondLimit, EntryBarExits, Fill as FillAt, LevelsFrom, Settings, SizeAt};
use crate::strategy::{LevelIn, SizeIn};

/// No bar.
const NEVER: usize = usize::MAX;

/// Memory of the fast path, reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Memory {
    marks: Marks,
    ledger: Ledger,
    signals: Signals,
    symbols: Vec<Symbol>,
    /// The next bar at which each symbol's rule may ask for something, and the least of them (or an earlier one).
    wakes: Vec<usize>,
    next_wake: usize,
    /// The next bar at which an exit of each symbol may fill; `NEVER` without exits.
    exit_bars: Vec<usize>,
    /// Symbols with open orders, in order.
    open: Vec<u32>,
    ready: Vec<Ready>,
    /// Positions with exits so far.
    groups: u32,
}

/// What is open of one symbol.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    /// The row of its next wake.
    wake_row: usize,
    /// The target that it last acted upon.
    last_target: f64,
    /// Whether an order to leave is open.
    leaves: bool,
    /// An open order to enter.
    enters: Option<Amount>,
    /// The exits that the entry brings with it.
    bracket: Bracket,
    exits: Option<Exits>,
}

impl Symbol {
    const IDLE: Symbol = Symbol {
        wake_row: 0,
        last_target: NAN,
        leaves: false,
        enters: None,
        bracket: Bracket { stop_loss: None, take_profit: None, time_stop: None },
        exits: None,
    };

    fn waits(&self) -> bool {
        self.leaves || self.enters.is_some()
    }
}

/// A trial came to something that only the reference knows.
struct Unknown;

/// Simulates one trial as [`super::super::simulate`] does, with the same result in `workspace`; false if it came to
/// something that the reference must decide, which then simulates it from the start. The strategy and the run must be
/// [covered](super::covers), and `grid` must be that of `panel` and `settings`.
#[must_use]
pub fn simulate(
    panel: &Panel,
    grid: &Grid,
    decisions: &Decisions,
    settings: &Settings,
    record: Record,
    workspace: &mut Workspace,
) -> bool {
    let mut m = std::mem::take(&mut workspace.fast);
    let terms = Terms::of(&settings.costs);
    let exits = matches!(decisions, Decisions::Signals { entry: Some(_), .. });
    let mut run = Run { panel, grid, settings, decisions, terms, counters: Counters::default(), exits, m: &mut m };
    let known = run.all(&record).is_ok();
    if known {
        run.finish(&record, workspace);
    }
    workspace.fast = m;
    known
}

struct Run<'a> {
    panel: &'a Panel,
    grid: &'a Grid,
    settings: &'a Settings,
    decisions: &'a Decisions,
    terms: Terms,
    counters: Counters,
    /// Whether entries bring exits with them.
    exits: bool,
    m: &'a mut Memory,
}

impl Run<'_> {
    fn all(&mut self, record: &Record) -> Result<(), Unknown> {
        self.reset(record);
        for symbol in 0..self.grid.symbols {
            self.set_wake(symbol, self.grid.rows[symbol].first);
        }
        let mut bar = self.next_bar(0);
        while bar < self.grid.bars {
            self.step(bar)?;
            bar = self.next_bar(bar + 1);
        }
        if self.settings.close_at_end {
            self.close_all();
        }
        Ok(())
    }

    fn reset(&mut self, record: &Record) {
        let symbols = self.grid.symbols;
        self.m.ledger.reset(symbols, self.settings.capital, record.fills);
        self.m.marks.reset(symbols, self.settings.capital);
        self.m.symbols.clear();
        self.m.symbols.resize(symbols, Symbol::IDLE);
        for bars in [&mut self.m.wakes, &mut self.m.exit_bars] {
            bars.clear();
            bars.resize(symbols, NEVER);
        }
        self.m.next_wake = NEVER;
        self.m.open.clear();
        self.m.groups = 0;
        if let Decisions::Signals { enter_long, exit_long, enter_short, exit_short, .. } = self.decisions {
            let rules = [enter_long, exit_long, enter_short, exit_short].map(Option::as_ref);
            self.m.signals.set(rules, self.panel.rows());
        }
    }

    /// The next bar from `from` on at which something can happen.
    fn next_bar(&self, from: usize) -> usize {
        if !self.m.open.is_empty() {
            return from;
        }
        let next_exit = if self.exits { least(&self.m.exit_bars) } else { NEVER };
        self.m.next_wake.min(next_exit).max(from)
    }

    fn step(&mut self, bar: usize) -> Result<(), Unknown> {
        let same_close = self.settings.fill == FillAt::SameClose;
        self.collect(bar, same_close, false);
        if !self.m.ready.is_empty() {
            self.fill(bar, bar, false)?;
        }
        if self.m.next_wake <= bar {
            // Equity at this bar's closes, once a decision asks for it.
            let mut equity = NAN;
            for symbol in 0..self.m.wakes.len() {
                if self.m.wakes[symbol] == bar {
                    self.decide(symbol, bar, &mut equity);
                }
            }
            self.m.next_wake = least(&self.m.wakes);
        }
        if same_close {
            self.collect(bar, same_close, true);
            if !self.m.ready.is_empty() {
                self.fill(bar, bar + 1, true)?;
            }
        }
        Ok(())
    }

    /// When the rule of a symbol may next ask for something, from row `from` on.
    fn set_wake(&mut self, symbol: usize, from: usize) {
        let end = self.grid.rows[symbol].end;
        let state = &self.m.symbols[symbol];
        let row = match self.decisions {
            Decisions::Target { weight, when } => match when {
                When::OnChange => seek::change(weight, from..end, state.last_target),
                When::EveryBar => (from < end).then_some(from),
                When::True(rule) => seek::truth(rule, from..end),
            },
            Decisions::Signals { .. } => {
                let held = self.m.ledger.units[symbol];
                // An entry that is not filled yet stands until it is.
                if held == 0.0 && state.waits() { None } else { self.m.signals.next(held, from..end) }
            }
        };
        let bar = row.map_or(NEVER, |row| self.grid.bar_of(self.panel, symbol, row));
        self.m.symbols[symbol].wake_row = row.unwrap_or(end);
        self.m.wakes[symbol] = bar;
        self.m.next_wake = self.m.next_wake.min(bar);
        if self.exits {
            self.seek_exit(symbol);
        }
    }

    /// Looks for the next touch of a position's exits, as far as the rule does not end the position first.
    fn seek_exit(&mut self, symbol: usize) {
        let state = &mut self.m.symbols[symbol];
        let Some(exits) = &mut state.exits else { return };
        let end = self.grid.rows[symbol].end;
        // What the rule decides fills at the next bar, if that trades; then it is looked at again.
        let until = state.wake_row.saturating_add(2).max(exits.from).min(end).min(exits.time_row.saturating_add(1));
        exits.seek(self.panel, until);
        let row = exits.next_row();
        self.m.exit_bars[symbol] = if row < end { self.grid.bar_of(self.panel, symbol, row) } else { NEVER };
    }

    /// Lets a symbol's rule place orders, and sets its next wake.
    fn decide(&mut self, symbol: usize, bar: usize, equity: &mut f64) {
        let decisions = self.decisions;
        let row = self.m.symbols[symbol].wake_row;
        match decisions {
            Decisions::Target { weight, .. } => {
                self.decide_target(symbol, bar, weight.at(row, &PositionState::FLAT), equity);
            }
            Decisions::Signals { size, size_in, entry, .. } => {
                self.decide_signals(symbol, bar, row, (size, *size_in), entry.as_deref(), equity);
            }
        }
        self.set_wake(symbol, row + 1);
    }

    fn decide_target(&mut self, symbol: usize, bar: usize, target: f64, equity: &mut f64) {
        if !target.is_finite() {
            return;
        }
        // A new target replaces what is still open of the last one.
        self.drop_orders(symbol);
        self.m.symbols[symbol].last_target = target;
        let held = self.m.ledger.units[symbol];
        if target == 0.0 && held == 0.0 {
            return;
        }
        let amount = if self.settings.size_at == SizeAt::Decision {
            let close = self.grid.closes_at(bar)[symbol];
            let units = market::toward(self.settings, target, self.equity_at(bar, equity), close, held);
            if units == 0.0 {
                return;
            }
            Amount::Units(units)
        } else {
            Amount::Weight(target)
        };
        self.enter(symbol, amount);
    }

    fn decide_signals(
        &mut self,
        symbol: usize,
        bar: usize,
        row: usize,
        size: (&Rule, SizeIn),
        entry: Option<&EntryRules>,
        equity: &mut f64,
    ) {
        let held = self.m.ledger.units[symbol];
        let side = self.m.signals.side(row);
        if held != 0.0 {
            // A symbol that holds something wakes to leave it.
            self.drop_orders(symbol);
            self.list_open(symbol);
            self.m.symbols[symbol].leaves = true;
        }
        if side == 0.0 || (held != 0.0 && (held > 0.0) == (side > 0.0)) {
            return;
        }
        let amount = size.0.at(row, &PositionState::FLAT);
        if !(amount > 0.0 && amount.is_finite()) {
            return;
        }
        let signed = amount * side;
        let Some(entry) = entry else {
            let amount = if self.settings.size_at == SizeAt::Decision {
                let close = self.grid.closes_at(bar)[symbol];
                let units = market::sized(self.settings, signed, size.1, self.equity_at(bar, equity), close);
                Amount::Units(units)
            } else {
                Amount::Size(signed, size.1)
            };
            return self.enter(symbol, amount);
        };
        let Some(bracket) = bracket(entry, row) else { return };
        let late = self.settings.size_at != SizeAt::Decision;
        let amount = if late && !matches!(size.1, SizeIn::Shares | SizeIn::Risk) {
            Amount::Size(signed, size.1)
        } else {
            let close = self.grid.closes_at(bar)[symbol];
            let worth = self.equity_at(bar, equity);
            let units = match size.1 {
                SizeIn::Risk => market::at_risk(self.settings, signed, worth, bracket.risk(close)),
                unit => market::sized(self.settings, signed, unit, worth, close),
            };
            if !units.is_finite() {
                self.counters.rejected_orders += 1;
            }
            if units == 0.0 || !units.is_finite() {
                return;
            }
            Amount::Units(units)
        };
        self.m.symbols[symbol].bracket = bracket;
        self.enter(symbol, amount);
    }

    fn enter(&mut self, symbol: usize, amount: Amount) {
        if !self.m.symbols[symbol].waits() {
            self.list_open(symbol);
        }
        self.m.symbols[symbol].enters = Some(amount);
    }

    /// Lists a symbol among those with open orders.
    fn list_open(&mut self, symbol: usize) {
        let symbol = symbol as u32;
        let place = self.m.open.partition_point(|&other| other < symbol);
        self.m.open.insert(place, symbol);
    }

    fn drop_orders(&mut self, symbol: usize) {
        let state = &mut self.m.symbols[symbol];
        if state.waits() {
            (state.leaves, state.enters) = (false, None);
            self.m.open.retain(|&other| other as usize != symbol);
        }
    }

    /// Equity at the closes of a bar, kept in `known` once it is computed.
    fn equity_at(&self, bar: usize, known: &mut f64) -> f64 {
        if known.is_nan() {
            *known = self.worth(self.grid.closes_at(bar));
        }
        *known
    }

    /// Cash and positions at `prices`.
    #[inline]
    fn worth(&self, prices: &[f64]) -> f64 {
        let ledger = &self.m.ledger;
        ledger.units.iter().zip(prices).fold(ledger.cash, |sum, (units, price)| sum + units * price)
    }

    /// Finds the orders that a bar reaches; at its close only those that fill there.
    fn collect(&mut self, bar: usize, same_close: bool, at_close: bool) {
        self.m.ready.clear();
        let market = same_close == at_close;
        let moment = if self.settings.fill == FillAt::NextOpen { Moment::Open } else { Moment::Close };
        if self.exits {
            for symbol in 0..self.m.exit_bars.len() {
                if self.m.exit_bars[symbol] == bar {
                    self.collect_exits(symbol, bar, (market, !at_close), moment);
                }
            }
        }
        if !market || self.m.open.is_empty() {
            return;
        }
        let (tradable, fills) = (self.grid.tradable_at(bar), self.grid.fills_at(bar));
        let Memory { symbols, open, ready, .. } = &mut *self.m;
        open.retain(|&symbol| {
            let place = symbol as usize;
            if !tradable[place] {
                return true;
            }
            let state = &mut symbols[place];
            let (amount, base) = (Amount::Close, fills[place]);
            let order = Ready { symbol, role: Role::Leave, moment, amount, group: 0, base, quantity: 0.0, value: 0.0 };
            if std::mem::replace(&mut state.leaves, false) {
                ready.push(order);
            }
            if let Some(amount) = state.enters.take() {
                ready.push(Ready { role: Role::Enter, amount, ..order });
            }
            false
        });
    }

    /// Finds the exits of a symbol that a bar reaches, and looks for the next ones.
    fn collect_exits(&mut self, symbol: usize, bar: usize, (market, priced): (bool, bool), moment: Moment) {
        let row = self.grid.row_from(self.panel, symbol, bar);
        let tradable = self.grid.tradable_at(bar)[symbol];
        let fill = self.grid.fills_at(bar)[symbol];
        let Some(exits) = &mut self.m.symbols[symbol].exits else { return };
        let timed = exits.time_row <= row;
        let exit = Ready {
            symbol: symbol as u32,
            role: Role::Time,
            moment,
            amount: Amount::Close,
            group: exits.group,
            base: fill,
            quantity: 0.0,
            value: 0.0,
        };
        if tradable && timed && market {
            self.m.ready.push(exit);
        }
        if priced {
            exits.seek(self.panel, row + 1);
            if exits.touched == Some(row) {
                if tradable {
                    meet(exits, self.panel, row, exit, &mut self.m.ready);
                }
                exits.touched = None;
            }
        }
        if market && timed {
            exits.time_row = row + 1;
        }
        if market || !timed {
            self.seek_exit(symbol);
        }
    }

    /// Fills what `collect` found. Rules are asked again from the bar `next` on.
    fn fill(&mut self, bar: usize, next: usize, at_close: bool) -> Result<(), Unknown> {
        let mut ready = std::mem::take(&mut self.m.ready);
        let result = self.fill_all(&mut ready, bar, at_close);
        if result.is_ok() {
            self.m.marks.note_cash(bar, self.m.ledger.cash);
            let signals = matches!(self.decisions, Decisions::Signals { .. });
            for entry in &ready {
                let symbol = entry.symbol as usize;
                self.m.marks.note_units(symbol, bar, self.m.ledger.units[symbol]);
                if signals {
                    // What a rule is asked depends on the position that there is now.
                    self.set_wake(symbol, self.grid.row_from(self.panel, symbol, next));
                }
            }
        }
        self.m.ready = ready;
        result
    }

    fn fill_all(&mut self, ready: &mut Vec<Ready>, bar: usize, at_close: bool) -> Result<(), Unknown> {
        let prices = self.grid.fills_at(bar);
        let equity = if self.settings.size_at == SizeAt::Decision { NAN } else { self.worth(prices) };
        for entry in &mut *ready {
            entry.size(self.settings, &self.m.ledger, equity);
        }
        if ready.len() > 1 {
            market::sort(self.settings.sequence, ready);
        }
        let mut place = 0;
        while place < ready.len() {
            let entry = ready[place];
            place += 1;
            let before = ready.len();
            if entry.group == 0 {
                self.fill_order(&entry, bar, at_close, ready)?;
            } else if self.m.symbols[entry.symbol as usize].exits.is_some_and(|exits| exits.group == entry.group) {
                self.count_ambiguous(&entry, &ready[place..]);
                self.fill_exit(&entry, bar)?;
            }
            if ready.len() > before {
                market::sort(self.settings.sequence, &mut ready[place..]);
            }
        }
        Ok(())
    }

    /// Fills an order of the rules; exits that it brings and that the rest of the bar reaches are added to `ready`.
    fn fill_order(&mut self, entry: &Ready, bar: usize, at_close: bool, ready: &mut Vec<Ready>) -> Result<(), Unknown> {
        let symbol = entry.symbol as usize;
        let held = self.m.ledger.units[symbol];
        let quantity = match entry.amount {
            // Sized when its turn comes: earlier fills of this bar may have changed position and equity.
            Amount::Close => -held,
            amount if self.settings.size_at == SizeAt::Order => {
                amount.quantity(self.settings, entry.base, self.worth(self.grid.fills_at(bar)), held)
            }
            _ => entry.quantity,
        };
        let price = self.terms.price(entry.base, quantity > 0.0);
        let t = (self.panel.start + bar) as u32;
        let done = market::execute(&mut self.m.ledger, self.settings, &self.terms, t, entry.symbol, quantity, price);
        if done == Done::Refused {
            self.counters.rejected_orders += 1;
        }
        if !self.exits {
            return Ok(());
        }
        let bracket = self.m.symbols[symbol].bracket;
        match (entry.role, done) {
            (Role::Leave, Done::Filled { cut, .. }) if self.m.symbols[symbol].exits.is_some() => {
                if cut {
                    return Err(Unknown);
                }
                self.end_exits(symbol);
            }
            (Role::Enter, Done::Filled { price, .. }) if bracket != Bracket::default() => {
                if held != 0.0 {
                    return Err(Unknown);
                }
                self.attach(entry, &bracket, price, bar, at_close, ready);
            }
            _ => {}
        }
        Ok(())
    }

    /// Gives a new position its exits, and tries them against the rest of its bar.
    fn attach(
        &mut self,
        entry: &Ready,
        bracket: &Bracket,
        price: f64,
        bar: usize,
        at_close: bool,
        ready: &mut Vec<Ready>,
    ) {
        let symbol = entry.symbol as usize;
        let row = self.grid.row_from(self.panel, symbol, bar);
        let level = if self.settings.levels_from == LevelsFrom::Fill { price } else { entry.base };
        let mut exits = Exits::attach(bracket, self.m.ledger.units[symbol] > 0.0, level);
        self.m.groups += 1;
        exits.group = self.m.groups;
        exits.from = row + 1;
        if let Some(bars) = bracket.time_stop {
            exits.time_row = row + bars as usize + usize::from(self.settings.fill != FillAt::SameClose);
        }
        let tried = entry.moment == Moment::Open && self.settings.entry_bar_exits != EntryBarExits::Never;
        if tried && !at_close {
            let exit = Ready { group: exits.group, amount: Amount::Close, quantity: 0.0, value: 0.0, ..*entry };
            meet(&exits, self.panel, row, exit, ready);
        }
        self.m.symbols[symbol].exits = Some(exits);
        self.m.exit_bars[symbol] = NEVER;
    }

    fn end_exits(&mut self, symbol: usize) {
        self.m.symbols[symbol].exits = None;
        self.m.exit_bars[symbol] = NEVER;
    }

    fn fill_exit(&mut self, entry: &Ready, bar: usize) -> Result<(), Unknown> {
        let symbol = entry.symbol as usize;
        let quantity = -self.m.ledger.units[symbol];
        let buys = quantity > 0.0;
        let slips = entry.role == Role::Time || entry.moment == Moment::Close || self.settings.exit_slippage;
        let mut price = if slips { self.terms.price(entry.base, buys) } else { entry.base };
        if let (Role::Target, true, Some(exits)) = (entry.role, slips, self.m.symbols[symbol].exits) {
            let beyond = if buys { price > exits.target } else { price < exits.target };
            if beyond && self.settings.beyond_limit == BeyondLimit::Cap {
                price = exits.target;
            }
        }
        let t = (self.panel.start + bar) as u32;
        match market::execute(&mut self.m.ledger, self.settings, &self.terms, t, entry.symbol, quantity, price) {
            Done::Filled { cut: false, .. } => {
                self.end_exits(symbol);
                Ok(())
            }
            _ => Err(Unknown),
        }
    }

    /// Counts a bar in which a stop and a target of one position were both inside, with nothing to say which was first.
    fn count_ambiguous(&mut self, entry: &Ready, rest: &[Ready]) {
        if entry.moment == Moment::Inside
            && rest.iter().any(|other| other.group == entry.group && other.moment == Moment::Inside)
        {
            self.counters.ambiguous_bars += 1;
        }
    }

    /// Closes every position at the last bar.
    fn close_all(&mut self) {
        let Some(last) = self.grid.bars.checked_sub(1) else { return };
        for symbol in 0..self.grid.symbols {
            let Some(row) = self.grid.rows[symbol].end.checked_sub(1) else { continue };
            let held = self.m.ledger.units[symbol];
            if held != 0.0 {
                let base = if self.settings.end_at_open { self.panel.open[row] } else { self.panel.close[row] };
                let price = self.terms.price(base, held < 0.0);
                let fee = self.terms.commission(held, price);
                let bar = (self.panel.start + last) as u32;
                self.m.ledger.book(crate::ledger::Fill { bar, symbol: symbol as u32, quantity: -held, price, fee });
                self.m.marks.note_units(symbol, last, 0.0);
            }
        }
        self.m.marks.note_cash(last, self.m.ledger.cash);
    }

    fn finish(&mut self, record: &Record, workspace: &mut Workspace) {
        let Memory { marks, ledger, .. } = &mut *self.m;
        let Workspace { account, trades, counters, session_equity, bar_equity, rows_read, .. } = workspace;
        let exposure = marks.mark(self.grid);
        let equity = &mut marks.equity;
        session_equity.clear();
        bar_equity.clear();
        match self.grid.session_ends() {
            None => session_equity.extend_from_slice(equity),
            Some(ends) => session_equity.extend(ends.iter().map(|&bar| equity[bar as usize])),
        }
        account.reset(self.grid.symbols, ledger.cash, record.fills);
        account.quantities.copy_from_slice(&ledger.units);
        if record.bars {
            std::mem::swap(bar_equity, equity);
        }
        if record.fills {
            let closes = self.grid.bars.checked_sub(1).map_or(&[][..], |last| self.grid.closes_at(last));
            ledger.list_open(self.panel.timeline.len().saturating_sub(1) as u32, closes);
            std::mem::swap(&mut account.fills, &mut ledger.fills);
            std::mem::swap(&mut account.trades, &mut ledger.trades);
        }
        std::mem::swap(trades, &mut ledger.sums);
        *counters = Counters {
            bars: self.grid.bars as u64,
            bars_in_market: exposure.bars_in_market,
            max_leverage: exposure.max_leverage,
            fees: ledger.fees,
            fills: ledger.fill_count,
            traded_value: ledger.traded_value,
            ..self.counters
        };
        *rows_read = self.grid.row_count();
    }
}

fn least(bars: &[usize]) -> usize {
    bars.iter().fold(NEVER, |least, &bar| least.min(bar))
}

/// Adds the exits that a bar reaches to `ready`; `exit` is one of them but for role, moment and price.
fn meet(exits: &Exits, panel: &Panel, row: usize, exit: Ready, ready: &mut Vec<Ready>) {
    let open = panel.open[row];
    let met = exits.meet(open, panel.high[row], panel.low[row]);
    let mut reached = |role: Role, met: Option<bool>, level: f64| {
        if let Some(gap) = met {
            let (moment, base) = if gap { (Moment::Open, open) } else { (Moment::Inside, level) };
            ready.push(Ready { role, moment, base, ..exit });
        }
    };
    reached(Role::Stop, met.stop, exits.stop);
    reached(Role::Target, met.target, exits.target);
}

/// The exits of an entry decided at `row`; `None` if one of them is undefined there.
fn bracket(entry: &EntryRules, row: usize) -> Option<Bracket> {
    let distance = |rule: &Option<LevelRule>| match rule {
        None => Ok(None),
        Some(rule) => {
            let value = rule.value.at(row, &PositionState::FLAT);
            let by = if rule.unit == LevelIn::Fraction { Distance::Fraction(value) } else { Distance::Amount(value) };
            if value > 0.0 && value.is_finite() { Ok(Some(by)) } else { Err(Unknown) }
        }
    };
    let (stop_loss, take_profit) = (distance(&entry.stop_loss).ok()?, distance(&entry.take_profit).ok()?);
    Some(Bracket { stop_loss, take_profit, time_stop: entry.time_stop })
}
