//! The reference simulator: one trial, one event loop, written to be read.

use super::account::Account;
use super::decisions::{Decisions, When};
use super::fast;
use super::orders::{self, Amount, Order, Ready};
use crate::context::{Panel, PositionState, Rule};
use crate::metrics::Counters;
use crate::num::NAN;
use crate::plan::{Fill as FillAt, Settings, SizeAt};
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
    pub(super) orders: Vec<Order>,
    pub(super) ready: Vec<Ready>,
    cursors: Vec<usize>,
    present: Vec<(u32, usize)>,
    pub(super) last_target: Vec<f64>,
    pub(super) fast: fast::Memory,
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
        let mut open = std::mem::take(&mut self.w.orders);
        open.retain(|order| {
            let row = self.w.present.iter().find(|(symbol, _)| *symbol == order.symbol).map(|&(_, row)| row);
            let Some(row) = row.filter(|&row| self.tradable(order.symbol, row)) else { return true };
            ready.push(order.ready(row, self.base_price(row)));
            false
        });
        self.w.orders = open;
        if !ready.is_empty() {
            // Orders that were sized at the decision ask for no equity.
            let equity = if self.settings.size_at == SizeAt::Decision { NAN } else { self.equity_at_fill() };
            for entry in &mut ready {
                entry.size(self.settings, &self.w.account, equity);
            }
            orders::sort(self.settings.sequence, &mut ready);
            for entry in &ready {
                self.fill(t, entry);
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

    /// Executes one order.
    fn fill(&mut self, t: usize, ready: &Ready) {
        let held = self.w.account.quantities[ready.order.symbol as usize];
        let quantity = match ready.order.amount {
            // Sized when its turn comes: earlier fills of this bar may have changed position and equity.
            Amount::Close => -held,
            amount if self.settings.size_at == SizeAt::Order => {
                amount.quantity(self.settings, ready.base, self.equity_at_fill(), held)
            }
            _ => ready.quantity,
        };
        if !orders::execute(&mut self.w.account, self.settings, t, ready, quantity) {
            self.w.counters.rejected_orders += 1;
        }
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
                let units = orders::toward(self.settings, target, equity, self.panel.close[row], held);
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
                Amount::Units(orders::sized(self.settings, signed, size_in, equity, self.panel.close[row]))
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
            orders::close_at_end(&mut self.w.account, self.settings, self.panel, t, symbol, row);
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
