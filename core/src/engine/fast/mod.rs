//! The fast path: the same simulation as the reference, but only where something happens.
//!
//! Given a panel laid out as a [`Grid`], a trial's rules and the run's settings, it gives what the reference gives, bit
//! for bit. A symbol *wakes* at the next row where its rule may ask for an order in the state that its position is in;
//! what lies between such bars and open orders is skipped. Equity is filled in afterwards (`marks.rs`).
//!
//! What orders come to is not written twice: sizes, executions and round trips are those of `orders.rs`, `pricing.rs`
//! and `account.rs`. [`covers`] says which strategies it takes.

mod grid;
pub mod lanes;
mod market;
mod marks;
mod seek;

pub use grid::Grid;
pub(crate) use marks::Marks;

use super::decisions::{Decisions, When};
use super::reference::{Record, Workspace};
use crate::context::{Panel, PositionState, Rule};
use crate::metrics::Counters;
use crate::num::NAN;
use crate::plan::{Fill as FillAt, Margin, Sequence, Settings, SizeAt, SpreadOn};
use crate::strategy::{Entry, Rules, SizeIn, Strategy};
use market::{Amount, Order, Ready};

/// No bar.
const NEVER: usize = usize::MAX;

/// Bits of a row's flags: what the rules of entry and exit say at it.
mod bit {
    /// Enter a long position, and not a short one.
    pub const ENTER_LONG: u8 = 1;
    /// Enter a short position, and not a long one.
    pub const ENTER_SHORT: u8 = 2;
    /// Close a long position.
    pub const LEAVE_LONG: u8 = 4;
    /// Close a short position.
    pub const LEAVE_SHORT: u8 = 8;
}

/// Memory of the fast path, reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub marks: Marks,
    orders: Vec<Order>,
    ready: Vec<Ready>,
    /// The target that each symbol last acted upon.
    last_target: Vec<f64>,
    /// When each symbol's rule may next ask for something.
    wakes: Vec<Wake>,
    /// What the rules of entry and exit say, row by row.
    flags: Vec<u8>,
    /// Which symbols have an open order.
    open: Vec<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Wake {
    bar: usize,
    row: usize,
}

/// Whether a strategy can take the fast path.
///
/// # Errors
/// The reason why it takes the reference simulator.
pub fn covers(strategy: &Strategy) -> Result<(), &'static str> {
    let stateful = |root: &crate::strategy::NodeId| strategy.program.node_type(*root).stateful;
    if strategy.rules.nodes().iter().any(stateful) {
        return Err("its rules ask for the position (entry_price, bars_held, …)");
    }
    if let Rules::Signals { entry, size_in, .. } = &strategy.rules {
        if *entry != Entry::default() {
            return Err("its entries come with prices or exits (stop_loss, entry_limit, …)");
        }
        if matches!(size_in, SizeIn::BuyingPower | SizeIn::Risk | SizeIn::Volatility) {
            return Err("its sizes depend on more than equity and price");
        }
    }
    Ok(())
}

/// Whether a run's settings and bars can take the fast path.
///
/// # Errors
/// The reason why it takes the reference simulator.
pub fn covers_run(panel: &Panel, settings: &Settings) -> Result<(), &'static str> {
    let plain = Settings::default();
    let costs = &settings.costs;
    if settings.margin == Margin::RegT || settings.lock_short_cash || settings.unaffordable != plain.unaffordable {
        return Err("its account is on margin, or refuses orders instead of cutting them");
    }
    if settings.volume_limit > 0.0 || costs.volume_impact > 0.0 || costs.sqrt_impact > 0.0 {
        return Err("its fills depend on volume");
    }
    if !costs.tiers.as_slice().is_empty() || costs.maker_bps > 0.0 || costs.taker_bps > 0.0 {
        return Err("its commissions depend on more than the fill");
    }
    if costs.borrow_bps != 0.0 || costs.interest_bps != 0.0 || costs.debit_bps != 0.0 {
        return Err("cash and short positions earn or cost interest");
    }
    let limits = [settings.max_weight, settings.max_leverage, settings.max_order, settings.min_order];
    if settings.max_positions > 0 || limits.iter().any(|limit| *limit > 0.0) {
        return Err("its account has limits");
    }
    if settings.hedging || settings.sequence == Sequence::Queue || settings.flat_at_close {
        return Err("its orders follow rules of their own (hedging, queue, flat_at_close)");
    }
    if costs.spread_on == SpreadOn::Entry && (costs.spread > 0.0 || costs.spread_amount > 0.0) {
        return Err("only entries pay the spread, which splits what closes from what opens");
    }
    if settings.trade_from > 0 || settings.trade_until > 0 {
        return Err("its entries are limited to a time of day");
    }
    if panel.actions.iter().any(|actions| !actions.is_empty()) || panel.spans.iter().any(|span| span.delisted) {
        return Err("its symbols split, pay dividends or disappear");
    }
    Ok(())
}

/// Simulates one trial as [`super::simulate`] does, with the same result in `workspace`. The rules must not ask for the
/// position ([`covers`]), and `grid` must be that of `panel` and `settings`.
pub fn simulate(
    panel: &Panel,
    grid: &Grid,
    decisions: &Decisions,
    settings: &Settings,
    record: Record,
    workspace: &mut Workspace,
) {
    let mut run = Run { panel, grid, settings, decisions, w: workspace };
    run.reset(&record);
    run.wake_all();
    let mut bar = run.next_bar(0);
    while bar < grid.bars {
        run.step(bar);
        bar = run.next_bar(bar + 1);
    }
    if settings.close_at_end {
        run.close_all();
    }
    run.finish(&record);
}

struct Run<'a> {
    panel: &'a Panel,
    grid: &'a Grid,
    settings: &'a Settings,
    decisions: &'a Decisions,
    w: &'a mut Workspace,
}

impl Run<'_> {
    fn reset(&mut self, record: &Record) {
        let symbols = self.grid.symbols;
        let w = &mut *self.w;
        w.account.reset(symbols, self.settings.capital, record.fills);
        w.session_equity.clear();
        w.bar_equity.clear();
        w.counters = Counters::default();
        w.fast.orders.clear();
        w.fast.last_target.clear();
        w.fast.last_target.resize(symbols, NAN);
        w.fast.marks.reset(symbols, self.settings.capital);
        w.fast.wakes.clear();
        w.fast.open.clear();
        w.fast.open.resize(symbols, false);
        if let Decisions::Signals { enter_long, exit_long, enter_short, exit_short, .. } = self.decisions {
            let rules = [enter_long, enter_short, exit_long, exit_short].map(Option::as_ref);
            set_flags(rules, self.panel.rows(), &mut w.fast.flags);
        }
    }

    /// The next bar from `from` on at which something can happen.
    fn next_bar(&self, from: usize) -> usize {
        if !self.w.fast.orders.is_empty() {
            return from;
        }
        self.w.fast.wakes.iter().fold(NEVER, |next, wake| next.min(wake.bar))
    }

    fn step(&mut self, bar: usize) {
        let same_close = self.settings.fill == FillAt::SameClose;
        if !same_close && !self.w.fast.orders.is_empty() {
            self.fill_orders(bar);
        }
        // Equity at this bar's closes, once a decision asks for it.
        let mut equity = NAN;
        for symbol in 0..self.w.fast.wakes.len() {
            let wake = self.w.fast.wakes[symbol];
            if wake.bar == bar {
                self.decide(symbol, wake, &mut equity);
            }
        }
        if same_close && !self.w.fast.orders.is_empty() {
            self.fill_orders(bar);
        }
    }

    /// The first wake of every symbol.
    fn wake_all(&mut self) {
        for symbol in 0..self.grid.symbols {
            let wake = self.next_wake(symbol, self.grid.rows[symbol].first);
            self.w.fast.wakes.push(wake);
        }
    }

    /// When the rule of a symbol may next ask for something, from row `from` on.
    fn next_wake(&self, symbol: usize, from: usize) -> Wake {
        let end = self.grid.rows[symbol].end;
        let row = match self.decisions {
            Decisions::Target { weight, when } => match when {
                When::OnChange => seek::change(weight, from..end, self.w.fast.last_target[symbol]),
                When::EveryBar => (from < end).then_some(from),
                When::True(rule) => seek::truth(rule, from..end),
            },
            Decisions::Signals { .. } => {
                let held = self.w.account.quantities[symbol];
                let mask = if held > 0.0 {
                    bit::LEAVE_LONG
                } else if held < 0.0 {
                    bit::LEAVE_SHORT
                } else if self.w.fast.open[symbol] {
                    // An entry that is not filled yet stands until it is.
                    return Wake { bar: NEVER, row: end };
                } else {
                    bit::ENTER_LONG | bit::ENTER_SHORT
                };
                seek::flagged(&self.w.fast.flags, from..end, mask)
            }
        };
        match row {
            Some(row) => Wake { bar: self.grid.bar_of(self.panel, symbol, row), row },
            None => Wake { bar: NEVER, row: end },
        }
    }

    /// Lets a symbol's rule place orders, and sets its next wake.
    fn decide(&mut self, symbol: usize, wake: Wake, equity: &mut f64) {
        let decisions = self.decisions;
        match decisions {
            Decisions::Target { weight, .. } => {
                self.decide_target(symbol, wake, weight.at(wake.row, &PositionState::FLAT), equity);
            }
            Decisions::Signals { size, size_in, .. } => self.decide_signals(symbol, wake, size, *size_in, equity),
        }
        self.w.fast.wakes[symbol] = self.next_wake(symbol, wake.row + 1);
    }

    fn decide_target(&mut self, symbol: usize, wake: Wake, target: f64, equity: &mut f64) {
        if !target.is_finite() {
            return;
        }
        self.w.fast.last_target[symbol] = target;
        // A new target replaces what is still open of the last one.
        self.drop_orders(symbol);
        let held = self.w.account.quantities[symbol];
        if target == 0.0 && held == 0.0 {
            return;
        }
        let amount = if self.settings.size_at == SizeAt::Decision {
            let close = self.grid.closes_at(wake.bar)[symbol];
            let units = market::toward(self.settings, target, self.equity_at(wake.bar, equity), close, held);
            if units == 0.0 {
                return;
            }
            Amount::Units(units)
        } else {
            Amount::Weight(target)
        };
        self.place(symbol, amount);
    }

    fn decide_signals(&mut self, symbol: usize, wake: Wake, size: &Rule, size_in: SizeIn, equity: &mut f64) {
        let flags = self.w.fast.flags[wake.row];
        let held = self.w.account.quantities[symbol];
        let entry = match flags & (bit::ENTER_LONG | bit::ENTER_SHORT) {
            bit::ENTER_LONG => 1.0,
            bit::ENTER_SHORT => -1.0,
            _ => 0.0,
        };
        if held != 0.0 {
            // A symbol that holds something wakes to leave it.
            self.drop_orders(symbol);
            self.place(symbol, Amount::Close);
        }
        if entry == 0.0 || (held != 0.0 && (held > 0.0) == (entry > 0.0)) {
            return;
        }
        let amount = size.at(wake.row, &PositionState::FLAT);
        if !(amount > 0.0 && amount.is_finite()) {
            return;
        }
        let signed = amount * entry;
        let amount = if self.settings.size_at == SizeAt::Decision {
            let close = self.grid.closes_at(wake.bar)[symbol];
            Amount::Units(market::sized(self.settings, signed, size_in, self.equity_at(wake.bar, equity), close))
        } else {
            Amount::Size(signed, size_in)
        };
        self.place(symbol, amount);
    }

    fn place(&mut self, symbol: usize, amount: Amount) {
        self.w.fast.orders.push(Order { symbol: symbol as u32, amount });
        self.w.fast.open[symbol] = true;
    }

    fn drop_orders(&mut self, symbol: usize) {
        if std::mem::replace(&mut self.w.fast.open[symbol], false) {
            self.w.fast.orders.retain(|order| order.symbol as usize != symbol);
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
    fn worth(&self, prices: &[f64]) -> f64 {
        let account = &self.w.account;
        account.quantities.iter().zip(prices).fold(account.cash, |sum, (quantity, price)| sum + quantity * price)
    }

    /// Tries the open orders against a bar.
    fn fill_orders(&mut self, bar: usize) {
        let prices = self.grid.fills_at(bar);
        let tradable = self.grid.tradable_at(bar);
        let mut ready = std::mem::take(&mut self.w.fast.ready);
        ready.clear();
        let Memory { orders, open, .. } = &mut self.w.fast;
        orders.retain(|order| {
            let symbol = order.symbol as usize;
            if tradable[symbol] {
                open[symbol] = false;
                ready.push(order.ready(bar, prices[symbol]));
            }
            !tradable[symbol]
        });
        if !ready.is_empty() {
            let equity = if self.settings.size_at == SizeAt::Decision { NAN } else { self.worth(prices) };
            for entry in &mut ready {
                entry.size(self.settings, &self.w.account, equity);
            }
            if ready.len() > 1 {
                market::sort(self.settings.sequence, &mut ready);
            }
            for entry in &ready {
                let symbol = entry.order.symbol as usize;
                let quantity = match entry.order.amount {
                    // Sized when its turn comes: earlier fills of this bar may have changed position and equity.
                    Amount::Close => -self.w.account.quantities[symbol],
                    amount if self.settings.size_at == SizeAt::Order => amount.quantity(
                        self.settings,
                        entry.base,
                        self.worth(prices),
                        self.w.account.quantities[symbol],
                    ),
                    _ => entry.quantity,
                };
                let t = self.panel.start + bar;
                if !market::execute(&mut self.w.account, self.settings, t, entry, quantity) {
                    self.w.counters.rejected_orders += 1;
                }
                self.w.fast.marks.note_units(symbol, bar, self.w.account.quantities[symbol]);
            }
            self.w.fast.marks.note_cash(bar, self.w.account.cash);
            if matches!(self.decisions, Decisions::Signals { .. }) {
                // What a rule is asked depends on the position that there is now.
                let next = bar + usize::from(self.settings.fill == FillAt::SameClose);
                for entry in &ready {
                    let symbol = entry.order.symbol as usize;
                    let from = self.grid.row_from(self.panel, symbol, next);
                    self.w.fast.wakes[symbol] = self.next_wake(symbol, from);
                }
            }
        }
        self.w.fast.ready = ready;
    }

    /// Closes every position at the last bar.
    fn close_all(&mut self) {
        let Some(last) = self.grid.bars.checked_sub(1) else { return };
        self.w.fast.orders.clear();
        for symbol in 0..self.grid.symbols {
            let Some(row) = self.grid.rows[symbol].end.checked_sub(1) else { continue };
            if self.w.account.quantities[symbol] != 0.0 {
                market::close_at_end(
                    &mut self.w.account,
                    self.settings,
                    self.panel,
                    self.panel.start + last,
                    symbol,
                    row,
                );
                self.w.fast.marks.note_units(symbol, last, 0.0);
            }
        }
        self.w.fast.marks.note_cash(last, self.w.account.cash);
    }

    fn finish(&mut self, record: &Record) {
        let Workspace { account, fast, trades, counters, session_equity, bar_equity, .. } = &mut *self.w;
        trades.collect(&account.trades);
        let exposure = fast.marks.mark(self.grid);
        let equity = &fast.marks.equity;
        match self.grid.session_ends() {
            None => session_equity.extend_from_slice(equity),
            Some(ends) => session_equity.extend(ends.iter().map(|&bar| equity[bar as usize])),
        }
        if record.bars {
            bar_equity.extend_from_slice(equity);
        }
        if let Some(last) = self.grid.bars.checked_sub(1) {
            account.closes.copy_from_slice(self.grid.closes_at(last));
        }
        account.list_open(self.panel.timeline.len().saturating_sub(1) as u32);
        counters.bars = self.grid.bars as u64;
        counters.bars_in_market = exposure.bars_in_market;
        counters.max_leverage = exposure.max_leverage;
        counters.fees = account.fees;
        counters.fills = account.fill_count;
        counters.traded_value = account.traded_value;
        self.w.rows_read = self.grid.row_count();
    }
}

/// Writes what the rules of entry and exit (enter long, enter short, exit long, exit short) say into row flags.
fn set_flags(rules: [Option<&Rule>; 4], rows: usize, flags: &mut Vec<u8>) {
    flags.clear();
    flags.resize(rows, 0);
    for (place, rule) in rules.into_iter().enumerate() {
        if let Some(rule) = rule {
            seek::flag(rule, 1 << place, flags);
        }
    }
    let (leaves_long, leaves_short) = (rules[2].is_some(), rules[3].is_some());
    for flags in flags {
        let raw = *flags;
        // Both entries at once say nothing.
        let enters = if raw & 3 == 3 { 0 } else { raw & 3 };
        // Without a rule for leaving a side, an entry on the other side leaves it.
        let long = if leaves_long { raw & bit::LEAVE_LONG } else { (enters & bit::ENTER_SHORT) << 1 };
        let short = if leaves_short { raw & bit::LEAVE_SHORT } else { (enters & bit::ENTER_LONG) << 3 };
        *flags = enters | long | short;
    }
}
