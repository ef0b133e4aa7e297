//! What happens to an account without an order of its strategy: corporate actions, interest and fees, margin calls, the
//! ends of sessions and of the run.

use super::account::Booking;
use super::book::{Amount, Role, Waiting};
use super::desk::Desk;
use super::event::{Cancel, Happening};
use super::number::Number;
use super::order::Ticket;
use super::pricing::{self, Charge};
use super::reference::Due;
use crate::bundle::Frequency;
use crate::ledger::{Fill, Flow, FlowKind};
use crate::plan::{Margin, SplitCash};

/// Microseconds of a year of 365 days.
const YEAR_MICROS: f64 = 365.0 * 86_400.0 * 1e6;

impl<N: Number> Desk<'_, N> {
    /// Applies the actions that are effective in this session, before any order is tried.
    pub(super) fn apply_actions(&mut self) {
        let first = self.t == self.panel.start || self.panel.sessions[self.t - 1] != self.session();
        if !first || self.panel.actions.is_empty() {
            self.delist();
            return;
        }
        for symbol in 0..self.panel.spans.len() {
            while let Some(action) = self.panel.actions[symbol].get(self.w.next_action[symbol]) {
                if action.ex_date > self.session() {
                    break;
                }
                self.w.next_action[symbol] += 1;
                // Actions before the run, or before the symbol's first bar, meet no position and no order.
                if action.cash_dividend > 0.0 {
                    let cash = self.w.account.quantities[symbol] * N::of(action.cash_dividend);
                    let pay_date = action.pay_date.unwrap_or(action.ex_date);
                    if cash != N::ZERO {
                        self.w.dues.push(Due { symbol: symbol as u32, pay_date, cash });
                    }
                }
                if action.split_ratio != 1.0 {
                    self.split(symbol, action.split_ratio);
                }
            }
        }
        self.pay_dividends();
        self.delist();
    }

    fn pay_dividends(&mut self) {
        let session = self.session();
        let mut dues = std::mem::take(&mut self.w.dues);
        dues.retain(|due| {
            if due.pay_date <= session {
                self.flow(Some(due.symbol), FlowKind::Dividend, due.cash, N::ZERO);
            }
            due.pay_date > session
        });
        self.w.dues = dues;
    }

    /// Books a change of cash or units.
    fn flow(&mut self, symbol: Option<u32>, kind: FlowKind, cash: N, units: N) {
        let bar = self.t as u32;
        self.account().flow(Flow { bar, symbol, kind, cash, units });
        self.note(symbol, 0, Happening::Flow { kind, cash, units });
    }

    /// Turns every old share into `ratio` new ones, in the position and in open orders.
    fn split(&mut self, symbol: usize, ratio: f64) {
        let ratio = N::of(ratio);
        let before = self.w.account.quantities[symbol];
        let settings = self.settings;
        let lot = N::of(settings.lot);
        let whole = |units: N| if settings.fractional { units } else { (units / lot).trunc() * lot };
        let basis = self.w.account.average_cost(symbol);
        // The last close is per old share too, whether anything is held or not.
        self.account().split(symbol, ratio);
        let after = self.w.account.quantities[symbol];
        let kept = if settings.hedging { self.w.account.whole_by_lot(symbol, whole) } else { whole(after) };
        let cents = |money: N| (money * N::of(100.0)).round() / N::of(100.0);
        let mut cash = N::ZERO;
        let bar = self.t as u32;
        if settings.hedging {
            let price = N::of(self.w.account.closes[symbol]);
            self.account().cut_lots(symbol, bar, price, whole);
            cash = (after - kept) * price;
        } else if kept != after {
            cash = match settings.split_cash {
                SplitCash::LastPrice => (after - kept) * N::of(self.w.account.closes[symbol]),
                SplitCash::CostBasis => cents((after - kept) * cents(basis / ratio)),
            };
            self.account().cut(symbol, kept, bar, cash / (after - kept));
        }
        if kept != before || cash != N::ZERO {
            self.flow(Some(symbol as u32), FlowKind::Split, cash, kept - before);
        }
        for index in 0..self.w.book.orders.len() {
            let order = self.w.book.orders[index];
            if order.symbol as usize != symbol {
                continue;
            }
            let buys = self.would_buy(&order);
            let scaled = |price: Option<N>, down: bool| price.map(|p| pricing::on_tick(settings.tick, p / ratio, down));
            let nearest = |price: Option<N>, down: bool| match settings.tick > 0.0 {
                true => price.map(|p| (p / ratio / N::of(settings.tick)).round() * N::of(settings.tick)),
                false => scaled(price, down),
            };
            let order = &mut self.w.book.orders[index];
            if let Amount::Units(units) = order.amount {
                // Total and filled part are cut to whole lots each on its own.
                let total = if units < N::ZERO { units - order.charge.units } else { units + order.charge.units };
                let filled = whole(order.charge.units * ratio);
                let total = whole(total * ratio);
                order.amount = Amount::Units(if units < N::ZERO { total + filled } else { total - filled });
            }
            order.charge.units = whole(order.charge.units * ratio);
            order.limit = nearest(order.limit, buys);
            order.stop = nearest(order.stop, !buys);
            order.best = order.best / ratio;
            order.entry = order.entry / ratio;
        }
    }

    /// Interest on cash and fees for borrowed shares since the bar before, by calendar time.
    pub(super) fn accrue(&mut self) {
        let costs = &self.settings.costs;
        if (costs.borrow_bps == 0.0 && costs.interest_bps == 0.0 && costs.debit_bps == 0.0)
            || self.t == self.panel.start
        {
            return;
        }
        let micros = self.panel.timeline[self.t] - self.panel.timeline[self.t - 1];
        let years = N::of(micros as f64) / N::of(YEAR_MICROS);
        let rate = |bps: f64| N::of(bps) * N::of(1e-4) * years;
        let cash = self.w.account.cash;
        let interest = cash * rate(if cash > N::ZERO { costs.interest_bps } else { costs.debit_bps });
        if interest != N::ZERO {
            self.flow(None, FlowKind::Interest, interest, N::ZERO);
        }
        if costs.borrow_bps == 0.0 {
            return;
        }
        for symbol in 0..self.panel.spans.len() {
            let held = self.w.account.quantities[symbol];
            if held < N::ZERO {
                let fee = held * N::of(self.w.account.closes[symbol]) * rate(costs.borrow_bps);
                self.flow(Some(symbol as u32), FlowKind::Borrow, fee, N::ZERO);
            }
        }
    }

    /// Pays out the positions of symbols that disappeared: at the last price less the haircut.
    fn delist(&mut self) {
        if !self.delists {
            return;
        }
        for symbol in 0..self.panel.spans.len() {
            let span = self.panel.spans[symbol];
            let gone = span.delisted && self.w.cursors[symbol] == span.offset + span.len && self.row(symbol).is_none();
            if !gone {
                continue;
            }
            for index in 0..self.w.book.orders.len() {
                if self.w.book.orders[index].symbol as usize == symbol {
                    self.drop_order(index, Cancel::Delisted);
                }
            }
            self.w.book.orders.retain(|order| !order.done);
            let last = N::of(self.w.account.closes[symbol]);
            let left = N::of(1.0) - N::of(self.settings.delisting_haircut);
            // A short position gains what is lost.
            for (ticket, units) in self.open_entries(symbol) {
                if self.w.account.left_of(symbol, ticket.0) == N::ZERO {
                    continue;
                }
                self.book_plain(symbol, ticket.0, -units, last * left, N::ZERO);
            }
        }
    }

    /// Books a fill that no order asked for, against the lots of one order (all, if that is 0).
    fn book_plain(&mut self, symbol: usize, closes: u32, quantity: N, price: N, fee: N) {
        let fill = Fill { bar: self.t as u32, symbol: symbol as u32, quantity, price, fee };
        let row = self.w.cursors[symbol].saturating_sub(1);
        self.account().book_as(fill, row, Booking { closes, ..Booking::default() });
        self.w.bar_fills.push((0, fill));
        self.note(Some(symbol as u32), 0, Happening::Filled { fill, market: price, left: N::ZERO });
    }

    /// Whether the account lost everything and trades no more.
    pub(super) fn is_ruined(&self) -> bool {
        self.w.ruined
    }

    /// Sells off what equity does not carry at this close (`reg_t`), at the next bar; an account without equity is
    /// closed at this close.
    pub(super) fn call_margin(&mut self) {
        if self.settings.margin != Margin::RegT || self.w.ruined {
            return;
        }
        let (equity, gross) = self.w.account.mark();
        if gross == N::ZERO {
            return;
        }
        if equity <= N::ZERO {
            self.w.ruined = true;
            for index in 0..self.w.book.orders.len() {
                self.drop_order(index, Cancel::PositionClosed);
            }
            self.w.book.orders.clear();
            for symbol in 0..self.panel.spans.len() {
                self.close_at(symbol, N::of(self.w.account.closes[symbol]));
            }
            let debt = -self.w.account.cash;
            if self.settings.negative_balance_protection && debt > N::ZERO {
                self.flow(None, FlowKind::Forgiven, debt, N::ZERO);
            }
            return;
        }
        if equity >= gross * N::of(self.settings.maintenance_margin) {
            return;
        }
        // Every position is reduced in the same proportion, down to what opening it would allow.
        let kept = equity / (gross * N::of(self.settings.initial_margin));
        let part = (N::of(1.0) - kept).max(N::ZERO).min(N::of(1.0));
        for symbol in 0..self.panel.spans.len() {
            let held = self.w.account.quantities[symbol];
            if held == N::ZERO || self.has_forced_order(symbol) {
                continue;
            }
            let lot = N::of(self.settings.lot);
            let mut units = held.abs() * part;
            if !self.settings.fractional {
                // Rounded up: a margin call is met, not nearly met.
                units = (-(-units / lot).floor() * lot).min(held.abs());
            }
            let signed = if held > N::ZERO { -units } else { units };
            let mut order = self.w.book.market(symbol as u32, Amount::Units(signed), self.t as u32);
            order.role = Role::Liquidation;
            order.rank = self.w.book.next_rank(true);
            self.place_forced(order);
        }
    }

    fn has_forced_order(&self, symbol: usize) -> bool {
        self.w.book.orders.iter().any(|order| order.symbol as usize == symbol && order.role == Role::Liquidation)
    }

    fn place_forced(&mut self, order: Waiting<N>) {
        let units = if let Amount::Units(units) = order.amount { Some(units) } else { None };
        let size = super::order::Size::Shares(units.map_or(0.0, N::float));
        let what = Happening::Placed { role: order.role, kind: super::order::Kind::Market, size, units };
        self.note(Some(order.symbol), order.ticket, what);
        self.w.book.orders.push(order);
    }

    /// Closes a position at a price of this bar, with slippage and commission; lots that stand beside each other one by
    /// one.
    fn close_at(&mut self, symbol: usize, base: N) {
        let held = self.w.account.quantities[symbol];
        let parts = match self.settings.hedging {
            true => self.open_entries(symbol),
            false if held == N::ZERO => Vec::new(),
            false => vec![(Ticket(0), held)],
        };
        for (ticket, units) in parts {
            // What is left of a position that is over went with the part before.
            if ticket.0 != 0 && self.w.account.left_of(symbol, ticket.0) == N::ZERO {
                continue;
            }
            let costs = &self.settings.costs;
            let price = pricing::fill_price(costs, base, units < N::ZERO, false);
            let fee = Charge::default().commission(costs, units, price);
            self.book_plain(symbol, ticket.0, -units, price, fee);
        }
    }

    /// Closes every position where its session ends by the exchange's schedule.
    pub(super) fn end_session(&mut self) {
        let intraday = self.panel.frequency == Frequency::Intraday;
        if !(self.settings.flat_at_close && intraday && self.panel.closes_session(self.t)) {
            return;
        }
        for index in 0..self.w.book.orders.len() {
            self.drop_order(index, Cancel::Expired);
        }
        self.w.book.orders.clear();
        for symbol in 0..self.panel.spans.len() {
            if self.row(symbol).is_some() {
                self.close_at(symbol, N::of(self.w.account.closes[symbol]));
            } else if self.w.account.quantities[symbol] != N::ZERO {
                // Without a bar now it is closed at its next one.
                let mut order = self.w.book.market(symbol as u32, Amount::Close, self.t as u32);
                order.role = Role::SessionEnd;
                self.place_forced(order);
            }
        }
    }

    /// Closes every position at the last bar.
    pub(super) fn close_all(&mut self) {
        self.w.book.orders.clear();
        for symbol in 0..self.panel.spans.len() {
            let Some(row) = self.w.cursors[symbol].checked_sub(1) else { continue };
            let base = if self.settings.end_at_open { self.panel.open[row] } else { self.panel.close[row] };
            self.close_at(symbol, N::of(base));
        }
    }

    /// Records equity after everything that happened at this bar.
    pub(super) fn record_equity(&mut self) {
        let (equity, gross) = self.w.account.mark();
        let counters = &mut self.w.counters;
        counters.bars += 1;
        if gross > N::ZERO {
            counters.bars_in_market += 1;
            if equity > N::ZERO {
                counters.max_leverage = counters.max_leverage.max((gross / equity).float());
            }
        }
        if self.record.bars {
            self.w.bar_equity.push(equity);
        }
        if self.panel.ends_session(self.t) {
            self.w.session_equity.push(equity);
        }
    }
}
