//! The reference simulator: one trial, one event loop, written to be read.

use super::account::Account;
use super::decisions::{Decisions, When};
use super::pricing;
use crate::context::{Panel, PositionState, Rule};
use crate::ledger::Fill;
use crate::metrics::Counters;
use crate::num::NAN;
use crate::plan::{Fill as FillAt, Margin, Sequence, Settings, SizeAt};
use crate::strategy::SizeIn;

/// What a run keeps besides its counters, session equity and round trips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Every execution.
    pub fills: bool,
    /// Equity at every bar of the timeline.
    pub bars: bool,
}

/// Memory of a simulation, reused from trial to trial, and its result once [`simulate`] returns.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Cash, positions, fills and round trips.
    pub account: Account,
    /// Equity at the last bar of each session.
    pub session_equity: Vec<f64>,
    /// Equity at each simulated bar, if recorded.
    pub bar_equity: Vec<f64>,
    /// What was counted.
    pub counters: Counters,
    /// Rows of the panel that were simulated.
    pub rows_read: u64,
    orders: Vec<Order>,
    ready: Vec<Ready>,
    cursors: Vec<usize>,
    present: Vec<(u32, usize)>,
    last_target: Vec<f64>,
}

/// An open order.
#[derive(Clone, Copy, Debug)]
struct Order {
    symbol: u32,
    amount: Amount,
}

/// How much an order is for.
#[derive(Clone, Copy, Debug)]
enum Amount {
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
struct Ready {
    order: usize,
    row: usize,
    base: f64,
    quantity: f64,
    /// Money that the order moves, before lots and cash cut it.
    value: f64,
}

/// Simulates one trial over `panel` from its start to its end; the result is in `workspace`.
pub fn simulate(panel: &Panel, decisions: &Decisions, settings: &Settings, record: Record, workspace: &mut Workspace) {
    let mut run = Run { panel, settings, record, w: workspace };
    run.reset();
    for t in panel.start..panel.timeline.len() {
        run.see_bars(t);
        if settings.fill != FillAt::SameClose {
            run.fill_orders(t);
        }
        run.mark_bars();
        run.decide(decisions);
        if settings.fill == FillAt::SameClose {
            run.fill_orders(t);
        }
        if settings.close_at_end && t + 1 == panel.timeline.len() {
            run.close_all(t);
        }
        run.record_equity(t);
    }
    run.finish();
}

struct Run<'a> {
    panel: &'a Panel,
    settings: &'a Settings,
    record: Record,
    w: &'a mut Workspace,
}

impl Run<'_> {
    fn reset(&mut self) {
        let symbols = self.panel.spans.len();
        let w = &mut *self.w;
        w.account.reset(symbols, self.settings.capital, self.record.fills);
        w.session_equity.clear();
        w.bar_equity.clear();
        w.counters = Counters::default();
        w.rows_read = 0;
        w.orders.clear();
        w.present.clear();
        w.last_target.clear();
        w.last_target.resize(symbols, NAN);
        w.cursors.clear();
        for span in &self.panel.spans {
            w.cursors.push(span.offset + self.panel.first_simulated(*span));
        }
    }

    /// Finds the symbols that have a bar at `t`.
    fn see_bars(&mut self, t: usize) {
        let w = &mut *self.w;
        w.present.clear();
        for (symbol, (span, cursor)) in self.panel.spans.iter().zip(&mut w.cursors).enumerate() {
            let row = *cursor;
            if row < span.offset + span.len && self.panel.row_time[row] as usize == t {
                w.present.push((symbol as u32, row));
                *cursor = row + 1;
            }
        }
        w.rows_read += w.present.len() as u64;
    }

    /// Values positions at this bar's closes.
    fn mark_bars(&mut self) {
        let panel = self.panel;
        for &(symbol, row) in &self.w.present {
            self.w.account.see_bar(symbol as usize, panel.high[row], panel.low[row], panel.close[row]);
        }
    }

    /// The price that an order of a symbol would trade at on this bar.
    fn base_price(&self, row: usize) -> f64 {
        match self.settings.fill {
            FillAt::NextOpen => self.panel.open[row],
            FillAt::NextClose | FillAt::SameClose => self.panel.close[row],
        }
    }

    fn tradable(&self, symbol: u32, row: usize) -> bool {
        let span = self.panel.spans[symbol as usize];
        !(self.panel.volume[row] == 0.0 && span.has_volume && !self.settings.fill_without_volume)
    }

    /// Tries the open orders against the bar at `t`.
    fn fill_orders(&mut self, t: usize) {
        if self.w.orders.is_empty() {
            return;
        }
        let mut ready = std::mem::take(&mut self.w.ready);
        ready.clear();
        for (index, order) in self.w.orders.iter().enumerate() {
            let row = self.w.present.iter().find(|(symbol, _)| *symbol == order.symbol).map(|&(_, row)| row);
            if let Some(row) = row.filter(|&row| self.tradable(order.symbol, row)) {
                ready.push(Ready { order: index, row, base: self.base_price(row), quantity: 0.0, value: 0.0 });
            }
        }
        if !ready.is_empty() {
            // Orders that were sized at the decision ask for no equity.
            let equity = if self.settings.size_at == SizeAt::Decision { NAN } else { self.equity_at_fill() };
            for entry in &mut ready {
                let order = &self.w.orders[entry.order];
                entry.quantity = self.quantity(order, entry.base, equity);
                entry.value = self.value(order, entry.base, equity);
            }
            self.sort(&mut ready);
            for entry in &ready {
                self.fill(t, *entry);
            }
            if ready.len() == self.w.orders.len() {
                self.w.orders.clear();
            } else {
                let mut index = 0;
                self.w.orders.retain(|_| {
                    index += 1;
                    !ready.iter().any(|entry| entry.order + 1 == index)
                });
            }
        }
        self.w.ready = ready;
    }

    /// Equity with every symbol that has a bar valued at the price of this bar's fills.
    fn equity_at_fill(&self) -> f64 {
        let account = &self.w.account;
        let mut present = self.w.present.iter().peekable();
        let mut equity = account.cash;
        for (symbol, (quantity, close)) in account.quantities.iter().zip(&account.closes).enumerate() {
            let row = present.next_if(|(s, _)| *s as usize == symbol).map(|&(_, row)| row);
            let price = row.map_or(*close, |row| self.base_price(row));
            equity += quantity * price;
        }
        equity
    }

    /// Signed units of an order at a price, whole lots where lots are whole.
    fn quantity(&self, order: &Order, price: f64, equity: f64) -> f64 {
        let held = self.w.account.quantities[order.symbol as usize];
        match order.amount {
            Amount::Units(units) => units,
            Amount::Close => -held,
            Amount::Weight(weight) => self.toward(weight, equity, price, held),
            Amount::Size(size, unit) => self.sized(size, unit, equity, price),
        }
    }

    /// Money that an order moves at a price, signed. Equal targets give equal bits, so that ties stay ties.
    fn value(&self, order: &Order, price: f64, equity: f64) -> f64 {
        let held = self.w.account.quantities[order.symbol as usize];
        match order.amount {
            Amount::Units(units) => units * price,
            Amount::Close => -held * price,
            Amount::Weight(weight) => weight * equity - held * price,
            Amount::Size(size, SizeIn::Shares) => size * price,
            Amount::Size(size, SizeIn::Value) => size,
            Amount::Size(size, SizeIn::Equity) => size * equity,
        }
    }

    /// Units from what is held to a weight of equity; noise of the last bits is no order.
    fn toward(&self, weight: f64, equity: f64, price: f64, held: f64) -> f64 {
        if weight == 0.0 {
            return -held;
        }
        let target = weight * equity.max(0.0) / price;
        let units = target - held;
        if units.abs() <= 1e-12 * held.abs().max(target.abs()) {
            return 0.0;
        }
        pricing::whole_lots(self.settings, units)
    }

    /// Units of a new position.
    fn sized(&self, size: f64, unit: SizeIn, equity: f64, price: f64) -> f64 {
        let units = match unit {
            SizeIn::Shares => size,
            SizeIn::Value => size / price,
            SizeIn::Equity if self.settings.size_includes_costs => {
                let costs = &self.settings.costs;
                let paid = pricing::fill_price(costs, price, size > 0.0, true);
                size * equity.max(0.0) / pricing::unit_cost(costs, paid)
            }
            SizeIn::Equity => size * equity.max(0.0) / price,
        };
        pricing::whole_lots(self.settings, units)
    }

    fn sort(&self, ready: &mut [Ready]) {
        let orders = &self.w.orders;
        // Orders are stored by age, so a stable sort leaves age as the last criterion.
        match self.settings.sequence {
            Sequence::SellsFirst => ready.sort_by_key(|r| (r.quantity > 0.0, orders[r.order].symbol)),
            Sequence::Symbol => ready.sort_by_key(|r| orders[r.order].symbol),
            Sequence::ByValue => ready
                .sort_by(|a, b| a.value.total_cmp(&b.value).then(orders[a.order].symbol.cmp(&orders[b.order].symbol))),
        }
    }

    /// Executes one order as far as cash and the ban on shorts allow.
    fn fill(&mut self, t: usize, ready: Ready) {
        let order = self.w.orders[ready.order];
        let symbol = order.symbol as usize;
        let held = self.w.account.quantities[symbol];
        let mut quantity = match order.amount {
            // Sized when its turn comes: earlier fills of this bar may have changed position and equity.
            Amount::Close => -held,
            _ if self.settings.size_at == SizeAt::Order => self.quantity(&order, ready.base, self.equity_at_fill()),
            _ => ready.quantity,
        };
        if quantity == 0.0 {
            return;
        }
        if quantity < 0.0 && !self.settings.shorts {
            quantity = quantity.max(-held.max(0.0));
        }
        let buys = quantity > 0.0;
        let opens = held == 0.0 || (held > 0.0) == buys;
        let price = pricing::fill_price(&self.settings.costs, ready.base, buys, opens);
        if buys && self.settings.margin == Margin::Cash {
            let paid = pricing::affordable(self.settings, quantity, price, self.w.account.cash);
            // The rounding noise that an all-cash purchase leaves in the account buys nothing.
            quantity = if paid < quantity * 1e-9 { 0.0 } else { paid };
        }
        if quantity == 0.0 || !quantity.is_finite() || price.is_nan() || price <= 0.0 {
            self.w.counters.rejected_orders += 1;
            return;
        }
        let fee = pricing::commission(&self.settings.costs, quantity, price);
        if self.settings.refuse_unpaid_sales && quantity < 0.0 && -quantity * price < fee {
            self.w.counters.rejected_orders += 1;
            return;
        }
        let fill = Fill { bar: t as u32, symbol: order.symbol, quantity, price, fee };
        self.w.account.book(fill, ready.row);
    }

    /// Lets the strategy see the bar and place orders.
    fn decide(&mut self, decisions: &Decisions) {
        match decisions {
            Decisions::Target { weight, when } => self.decide_targets(weight, when),
            Decisions::Signals { enter_long, exit_long, enter_short, exit_short, size, size_in } => {
                let rules = [enter_long, exit_long, enter_short, exit_short].map(Option::as_ref);
                self.decide_signals(rules, size, *size_in);
            }
        }
    }

    fn decide_targets(&mut self, weight: &Rule, when: &When) {
        let mut equity = NAN;
        let column = weight.column();
        for index in 0..self.w.present.len() {
            let (symbol, row) = self.w.present[index];
            let target = column.map_or_else(|| weight.at(row, &PositionState::FLAT), |column| column[row]);
            let acts = match when {
                When::OnChange => target != self.w.last_target[symbol as usize],
                When::EveryBar => true,
                When::True(rule) => rule.is_true(row, &PositionState::FLAT),
            };
            if !acts || !target.is_finite() {
                continue;
            }
            self.w.last_target[symbol as usize] = target;
            // A new target replaces what is still open of the last one.
            if !self.w.orders.is_empty() {
                self.w.orders.retain(|order| order.symbol != symbol);
            }
            let held = self.w.account.quantities[symbol as usize];
            if target == 0.0 && held == 0.0 {
                continue;
            }
            let amount = if self.settings.size_at == SizeAt::Decision {
                if equity.is_nan() {
                    equity = self.w.account.mark().0;
                }
                let units = self.toward(target, equity, self.panel.close[row], held);
                if units == 0.0 {
                    continue;
                }
                Amount::Units(units)
            } else {
                Amount::Weight(target)
            };
            self.w.orders.push(Order { symbol, amount });
        }
    }

    fn decide_signals(&mut self, rules: [Option<&Rule>; 4], size: &Rule, size_in: SizeIn) {
        let [enter_long, exit_long, enter_short, exit_short] = rules;
        for index in 0..self.w.present.len() {
            let (symbol, row) = self.w.present[index];
            let state = self.w.account.state(symbol as usize, row);
            let holds = |rule: Option<&Rule>| rule.is_some_and(|rule| rule.is_true(row, &state));
            let (long_entry, short_entry) = (holds(enter_long), holds(enter_short));
            // Both at once say nothing.
            let entry = match (long_entry, short_entry) {
                (true, false) => 1.0,
                (false, true) => -1.0,
                _ => 0.0,
            };
            let held = state.position;
            let leaves = if held > 0.0 {
                // Without a rule for leaving a side, an entry on the other side leaves it.
                exit_long.map_or(entry < 0.0, |rule| rule.is_true(row, &state))
            } else if held < 0.0 {
                exit_short.map_or(entry > 0.0, |rule| rule.is_true(row, &state))
            } else {
                false
            };
            let waiting = self.w.orders.iter().any(|order| order.symbol == symbol);
            if leaves {
                // What still waits to be filled would contradict the exit.
                self.w.orders.retain(|order| order.symbol != symbol);
                self.w.orders.push(Order { symbol, amount: Amount::Close });
            } else if waiting || held != 0.0 {
                continue;
            }
            // An exit and an entry to the same side on one bar: the exit wins.
            if entry == 0.0 || (held != 0.0 && (held > 0.0) == (entry > 0.0)) {
                continue;
            }
            let amount = size.at(row, &state);
            if !(amount > 0.0 && amount.is_finite()) {
                continue;
            }
            let signed = amount * entry;
            let amount = if self.settings.size_at == SizeAt::Decision {
                let equity = self.w.account.mark().0;
                Amount::Units(self.sized(signed, size_in, equity, self.panel.close[row]))
            } else {
                Amount::Size(signed, size_in)
            };
            self.w.orders.push(Order { symbol, amount });
        }
    }

    /// Closes every position at the last bar.
    fn close_all(&mut self, t: usize) {
        self.w.orders.clear();
        for symbol in 0..self.panel.spans.len() {
            let held = self.w.account.quantities[symbol];
            let Some(row) = self.w.cursors[symbol].checked_sub(1) else { continue };
            if held == 0.0 {
                continue;
            }
            let base = if self.settings.end_at_open { self.panel.open[row] } else { self.panel.close[row] };
            let price = pricing::fill_price(&self.settings.costs, base, held < 0.0, false);
            let fee = pricing::commission(&self.settings.costs, held, price);
            self.w.account.book(Fill { bar: t as u32, symbol: symbol as u32, quantity: -held, price, fee }, row);
        }
    }

    fn record_equity(&mut self, t: usize) {
        let (equity, gross) = self.w.account.mark();
        let counters = &mut self.w.counters;
        counters.bars += 1;
        if gross > 0.0 {
            counters.bars_in_market += 1;
            if equity > 0.0 {
                counters.max_leverage = counters.max_leverage.max(gross / equity);
            }
        }
        if self.record.bars {
            self.w.bar_equity.push(equity);
        }
        if self.panel.ends_session(t) {
            self.w.session_equity.push(equity);
        }
    }

    fn finish(&mut self) {
        let last = self.panel.timeline.len().saturating_sub(1) as u32;
        self.w.account.list_open(last);
        self.w.counters.fees = self.w.account.fees;
        self.w.counters.fills = self.w.account.fill_count;
        self.w.counters.traded_value = self.w.account.traded_value;
    }
}
