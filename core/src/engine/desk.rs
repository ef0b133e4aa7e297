//! What stands between a strategy and its account: bars come in, orders go out, fills are booked.
//!
//! This file holds the order API that strategies see; the steps of the simulation are in the files beside it:
//! `fills.rs` (open orders against a bar), `execution.rs` (what one order comes to), `actions.rs` (splits, dividends,
//! interest, margin calls, sessions).

use super::account::Account;
use super::book::{Amount, Role, Waiting};
use super::event::{Cancel, Event, Happening, Limit};
use super::number::Number;
use super::order::{Bracket, Distance, Kind, Level, Order, Size, Ticket};
use super::pricing;
use super::reference::{Record, Workspace};
use super::sizing::{self, Measure};
use crate::bundle::Field;
use crate::context::{Panel, PositionState};
use crate::ledger::Fill;
use crate::num::{self, NAN};
use crate::plan::{Fill as FillAt, Settings, SizeAt};

/// No bar at this timestamp.
pub(super) const NO_ROW: usize = usize::MAX;

/// Bars over which volatility and average volume are taken.
pub(super) const LIQUIDITY_BARS: usize = 20;

/// An account at one timestamp, as a strategy sees it.
#[derive(Debug)]
pub struct Desk<'a, N: Number = f64> {
    pub(super) panel: &'a Panel,
    pub(super) settings: &'a Settings,
    pub(super) record: Record,
    pub(super) w: &'a mut Workspace<N>,
    pub(super) t: usize,
    pub(super) noting: bool,
    /// Whether any symbol disappears.
    pub(super) delists: bool,
}

impl<'a, N: Number> Desk<'a, N> {
    pub(super) fn new(
        panel: &'a Panel,
        settings: &'a Settings,
        record: Record,
        w: &'a mut Workspace<N>,
    ) -> Desk<'a, N> {
        let delists = panel.spans.iter().any(|span| span.delisted);
        Desk { panel, settings, record, w, t: panel.start, noting: false, delists }
    }

    /// The bars of the run.
    pub fn panel(&self) -> &'a Panel {
        self.panel
    }

    /// The switches of the run.
    pub fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// Number of bars simulated before this one.
    pub fn bar(&self) -> usize {
        self.t - self.panel.start
    }

    /// This timestamp, microseconds UTC.
    pub fn time(&self) -> i64 {
        self.panel.timeline[self.t]
    }

    /// Date of its session, days since 1970-01-01.
    pub fn session(&self) -> i32 {
        self.panel.sessions[self.t]
    }

    /// Names of the symbols, in the order of their indices.
    pub fn symbols(&self) -> &'a [String] {
        &self.panel.symbols
    }

    /// Index of a symbol.
    pub fn symbol(&self, name: &str) -> Option<usize> {
        self.panel.symbols.iter().position(|symbol| symbol == name)
    }

    /// Whether a symbol has a bar at this timestamp.
    pub fn has_bar(&self, symbol: usize) -> bool {
        self.row(symbol).is_some()
    }

    /// A value of the symbol's last bar up to now; `None` before its first.
    pub fn current(&self, symbol: usize, field: Field) -> Option<f64> {
        let row = self.last_row(symbol)?;
        Some(self.panel.field(field)[row])
    }

    /// The last `n` values up to now, oldest first, warm-up bars included; fewer if the symbol has fewer bars.
    ///
    /// Where the bundle's prices are raw, they are adjusted for the actions known at this timestamp.
    pub fn history(&self, symbol: usize, field: Field, n: usize) -> Vec<f64> {
        let Some(row) = self.last_row(symbol) else { return Vec::new() };
        let first = self.panel.spans[symbol].offset.max((row + 1).saturating_sub(n));
        self.panel.adjusted(symbol, field, first..row + 1, self.session())
    }

    /// Whether this is the symbol's first bar of a session later than its bar before, by `same`: pass a function that
    /// says whether two dates belong to the same period.
    pub fn starts_period(&self, symbol: usize, same: impl Fn(i32, i32) -> bool) -> bool {
        let Some(row) = self.row(symbol) else { return false };
        let before = row.checked_sub(1).filter(|&before| before >= self.panel.spans[symbol].offset);
        before.is_none_or(|before| !same(self.panel.row_session[before], self.panel.row_session[row]))
    }

    /// Whether this is the symbol's first bar of a calendar month.
    pub fn starts_month(&self, symbol: usize) -> bool {
        let month = |date| {
            let (year, month, _) = crate::calendar::civil(date);
            (year, month)
        };
        self.starts_period(symbol, |a, b| month(a) == month(b))
    }

    /// Whether this is the symbol's first bar of a week (Monday to Sunday).
    pub fn starts_week(&self, symbol: usize) -> bool {
        // 1970-01-01 was a Thursday.
        self.starts_period(symbol, |a, b| (a + 3).div_euclid(7) == (b + 3).div_euclid(7))
    }

    /// Whether this is the symbol's first bar of a session.
    pub fn starts_session(&self, symbol: usize) -> bool {
        self.starts_period(symbol, |a, b| a == b)
    }

    /// Money not invested.
    pub fn cash(&self) -> N {
        self.w.account.cash
    }

    /// Cash and positions at the last closes.
    pub fn equity(&self) -> N {
        self.w.account.mark().0
    }

    /// Signed units held.
    pub fn position(&self, symbol: usize) -> N {
        self.w.account.quantities[symbol]
    }

    /// Average price of what is held; `None` when flat.
    pub fn entry_price(&self, symbol: usize) -> Option<f64> {
        let row = self.last_row(symbol)?;
        Some(self.w.account.state(symbol, row).entry_price).filter(|price| !price.is_nan())
    }

    /// What rules may know of a symbol's position: as of its last bar up to now.
    pub fn position_state(&self, symbol: usize) -> PositionState {
        self.last_row(symbol).map_or(PositionState::FLAT, |row| self.state(symbol, row))
    }

    /// What rules may know of a position.
    pub(super) fn state(&self, symbol: usize, row: usize) -> PositionState {
        self.w.account.state(symbol, row)
    }

    /// Executions since the strategy looked last, with the orders that they belong to (ticket 0 for none): those of this
    /// bar, and those that closed the bar before after the strategy had seen it.
    pub fn fills(&self) -> impl Iterator<Item = (Ticket, Fill<N>)> + '_ {
        self.w.bar_fills.iter().map(|&(ticket, fill)| (Ticket(ticket), fill))
    }

    /// The entries of a symbol that are still open, oldest first, with their signed units.
    pub fn open_entries(&self, symbol: usize) -> Vec<(Ticket, N)> {
        let mut entries: Vec<(Ticket, N)> = Vec::new();
        self.w.account.open_tickets(symbol, |ticket, units| match entries.iter_mut().find(|e| e.0.0 == ticket) {
            Some(entry) => entry.1 = entry.1 + units,
            None => entries.push((Ticket(ticket), units)),
        });
        entries
    }

    /// The open orders of a symbol that a strategy placed, oldest first.
    pub fn open_orders(&self, symbol: usize) -> Vec<Ticket> {
        let own = self.w.book.orders.iter().filter(|order| !order.done && order.symbol as usize == symbol);
        own.filter(|order| order.role == Role::Strategy).map(|order| Ticket(order.ticket)).collect()
    }

    /// The exits of an entry that are open, with what they are.
    pub fn exits(&self, entry: Ticket) -> Vec<(Role, Ticket)> {
        let open = self.w.book.orders.iter().filter(|order| !order.done && order.role.is_exit());
        open.filter(|order| order.closes == entry.0).map(|order| (order.role, Ticket(order.ticket))).collect()
    }

    /// Whether an order is open.
    pub fn is_open(&self, ticket: Ticket) -> bool {
        self.w.book.find(ticket.0).is_some()
    }

    /// Buys (or sells, if negative) units at the market.
    pub fn order(&mut self, symbol: usize, units: f64) -> Option<Ticket> {
        self.place(Order::market(symbol, Size::Shares(units)))
    }

    /// Brings the position to a fraction of equity, negative for short.
    pub fn order_target_percent(&mut self, symbol: usize, weight: f64) -> Option<Ticket> {
        self.place(Order::market(symbol, Size::TargetPercent(weight)))
    }

    /// Brings the position to a value in money.
    pub fn order_target_value(&mut self, symbol: usize, value: f64) -> Option<Ticket> {
        self.place(Order::market(symbol, Size::TargetValue(value)))
    }

    /// Brings the position to units.
    pub fn order_target(&mut self, symbol: usize, units: f64) -> Option<Ticket> {
        self.place(Order::market(symbol, Size::TargetShares(units)))
    }

    /// Closes a position at the market.
    pub fn close(&mut self, symbol: usize) -> Option<Ticket> {
        self.place(Order::market(symbol, Size::Close))
    }

    /// Cancels an open order; false if it is not open.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        let Some(index) = self.w.book.find(ticket.0) else { return false };
        self.drop_order(index, Cancel::ByStrategy);
        self.w.book.orders.remove(index);
        true
    }

    /// Cancels all open orders of a symbol that a strategy placed.
    pub fn cancel_all(&mut self, symbol: usize) {
        for ticket in self.open_orders(symbol) {
            self.cancel(ticket);
        }
    }

    /// Puts a new order in the place of an open one; `None` if that is not open any more, or the new one is refused.
    pub fn replace(&mut self, ticket: Ticket, order: Order) -> Option<Ticket> {
        if self.cancel(ticket) { self.place(order) } else { None }
    }

    /// Moves the stop-loss of what an entry opened to a price (makes one if it has none); false if the entry is over.
    pub fn move_stop(&mut self, entry: Ticket, price: f64) -> bool {
        self.move_exit(entry, Role::StopLoss, price)
    }

    /// Moves the take-profit of what an entry opened to a price (makes one if it has none); false if the entry is over.
    pub fn move_target(&mut self, entry: Ticket, price: f64) -> bool {
        self.move_exit(entry, Role::TakeProfit, price)
    }

    fn move_exit(&mut self, entry: Ticket, role: Role, price: f64) -> bool {
        let Some(symbol) = (0..self.panel.spans.len()).find(|&s| self.w.account.left_of(s, entry.0) != N::ZERO) else {
            return false;
        };
        if !(price > 0.0 && price.is_finite()) {
            return false;
        }
        let exits = |order: &Waiting<N>| order.closes == entry.0 && order.role.is_exit() && !order.done;
        let group = self.w.book.orders.iter().find(|order| exits(order)).map(|order| order.group);
        let old = self.w.book.orders.iter().position(|order| exits(order) && order.role == role);
        if let Some(index) = old {
            self.drop_order(index, Cancel::Replaced);
            self.w.book.orders.remove(index);
        }
        let group = group.unwrap_or_else(|| self.w.book.next_group());
        self.place_exit(symbol, entry.0, group, role, Some(N::of(price)), None, N::of(price), 0);
        true
    }

    /// Places an order; `None` if it is refused at once (no position to close, a size or price that is no number).
    ///
    /// Its size is fixed now, from this bar's close and equity, unless `size_at` says otherwise.
    pub fn place(&mut self, order: Order) -> Option<Ticket> {
        if order.symbol >= self.panel.spans.len() {
            return None;
        }
        let symbol = order.symbol as u32;
        let mut waiting = self.w.book.market(symbol, Amount::Later(order.size), self.t as u32);
        waiting.bracket = order.bracket;
        waiting.time_in_force = order.time_in_force;
        waiting.closes = order.closes.map_or(0, |ticket| ticket.0);
        waiting.reverses = order.reverses;
        let close = self.w.account.closes[order.symbol];
        waiting.best = N::of(close);
        let buys = self.buys(&order, close);
        match order.kind {
            Kind::Market => {}
            Kind::Limit(limit) => waiting.limit = Some(self.on_tick(limit, buys)),
            Kind::Stop(stop) => waiting.stop = Some(self.on_tick(stop, !buys)),
            Kind::StopLimit { stop, limit } => {
                waiting.stop = Some(self.on_tick(stop, !buys));
                waiting.limit = Some(self.on_tick(limit, buys));
            }
            Kind::Trailing(by) => waiting.trail = Some(by),
        }
        let prices = [waiting.limit, waiting.stop].into_iter().flatten();
        let sound = prices.into_iter().all(|price| price.is_defined() && price > N::ZERO);
        let refusal = if !sound { Some(Limit::Undefined) } else { self.fix_size(&order, &mut waiting) };
        if order.closes.is_some() || matches!(order.size, Size::Close) {
            // What closes goes before what opens.
            waiting.rank = self.w.book.next_rank(true);
        }
        if let Some(other) = order.oco.and_then(|other| self.w.book.find(other.0)) {
            let group = match self.w.book.orders[other].group {
                0 => self.w.book.next_group(),
                group => group,
            };
            self.w.book.orders[other].group = group;
            waiting.group = group;
        }
        self.note_placed(&waiting, order.size);
        if let Some(limit) = refusal {
            if limit != Limit::Nothing {
                self.w.counters.rejected_orders += 1;
            }
            self.note(Some(symbol), waiting.ticket, Happening::Refused(limit));
            return None;
        }
        self.w.book.orders.push(waiting);
        Some(Ticket(waiting.ticket))
    }

    /// Turns the size of a new order into units, if they are fixed at the decision.
    fn fix_size(&mut self, order: &Order, waiting: &mut Waiting<N>) -> Option<Limit> {
        let held = self.w.account.quantities[order.symbol];
        match order.size {
            Size::Close => {
                let units =
                    if waiting.closes == 0 { held } else { self.w.account.left_of(order.symbol, waiting.closes) };
                waiting.amount = Amount::Close;
                return (units == N::ZERO).then_some(Limit::Nothing);
            }
            Size::BuyingPower(part) => return (!part.is_finite() || part == 0.0).then_some(Limit::Undefined),
            _ => {}
        }
        let later = self.settings.size_at != SizeAt::Decision;
        if later && !matches!(order.size, Size::Shares(_) | Size::Risk(_) | Size::Volatility(_)) {
            return None;
        }
        let close = N::of(self.w.account.closes[order.symbol]);
        let price = waiting.limit.or(waiting.stop).unwrap_or(close);
        let measure = self.measure(order, price, self.w.account.mark().0);
        let units = sizing::units(self.settings, order.size, measure);
        waiting.amount = Amount::Units(units);
        if !units.is_defined() {
            return Some(Limit::Undefined);
        }
        (units == N::ZERO).then_some(Limit::Nothing)
    }

    /// What the size of an order is measured against at a price.
    pub(super) fn measure(&self, order: &Order, price: N, equity: N) -> Measure<N> {
        let symbol = order.symbol;
        let mut held = self.w.account.quantities[symbol];
        if self.settings.targets_count_orders && !self.w.book.orders.is_empty() {
            held = held + self.w.book.open_units(symbol as u32);
        }
        let risk = match order.size {
            Size::Risk(part) => match order.bracket.stop_loss {
                Some(Level::Price(level)) => (price - N::of(level)).abs(),
                Some(Level::From(distance)) => distance_of(distance, price),
                None => match order.bracket.trailing {
                    Some(distance) if part.is_finite() => distance_of(distance, price),
                    _ => N::UNDEFINED,
                },
            },
            _ => N::UNDEFINED,
        };
        let sigma = match order.size {
            Size::Volatility(_) => N::of(self.yearly_volatility(symbol)),
            _ => N::UNDEFINED,
        };
        Measure { equity, price, held, risk, sigma }
    }

    /// Standard deviation of a symbol's last 20 returns, in a year.
    fn yearly_volatility(&self, symbol: usize) -> f64 {
        let closes = self.history(symbol, Field::Close, LIQUIDITY_BARS + 1);
        deviation_of_returns(&closes) * num::sqrt(self.panel.calendar.periods_per_year())
    }

    /// Whether an order buys.
    fn buys(&self, order: &Order, close: f64) -> bool {
        match order.size {
            Size::Shares(x) | Size::Value(x) | Size::Percent(x) => x > 0.0,
            Size::BuyingPower(x) | Size::Risk(x) | Size::Volatility(x) => x > 0.0,
            Size::Close => {
                let units = match order.closes {
                    Some(ticket) => self.w.account.left_of(order.symbol, ticket.0),
                    None => self.w.account.quantities[order.symbol],
                };
                units < N::ZERO
            }
            Size::TargetShares(_) | Size::TargetValue(_) | Size::TargetPercent(_) => {
                let measure = self.measure(order, N::of(close), self.w.account.mark().0);
                sizing::value(order.size, measure) > N::ZERO
            }
        }
    }

    pub(super) fn on_tick(&self, price: f64, rounds_down: bool) -> N {
        pricing::on_tick(self.settings.tick, N::of(price), rounds_down)
    }

    /// The row of a symbol's bar at this timestamp.
    pub(super) fn row(&self, symbol: usize) -> Option<usize> {
        self.w.rows.get(symbol).copied().filter(|&row| row != NO_ROW)
    }

    /// The row of a symbol's last bar up to now.
    pub(super) fn last_row(&self, symbol: usize) -> Option<usize> {
        let row = self.w.cursors[symbol].checked_sub(1)?;
        (row >= self.panel.spans[symbol].offset).then_some(row)
    }

    /// Gives an entry its exits; `moment_row` is the row from which they are tried.
    pub(super) fn attach(
        &mut self,
        entry: &Waiting<N>,
        bought: bool,
        price: N,
        from_row: usize,
    ) -> std::ops::Range<usize> {
        let first = self.w.book.orders.len();
        let symbol = entry.symbol as usize;
        let attached = |order: &Waiting<N>| order.closes == entry.ticket && order.role.is_exit() && !order.done;
        if entry.bracket.is_empty() || self.w.book.orders.iter().any(attached) {
            return first..first;
        }
        let Bracket { stop_loss, take_profit, trailing, break_even, time_stop } = entry.bracket;
        let group = self.w.book.next_group();
        let level = |level: Level, favours: bool| match level {
            Level::Price(price) => N::of(price),
            Level::From(by) if favours == bought => price + distance_of(by, price),
            Level::From(by) => price - distance_of(by, price),
        };
        if let Some(target) = take_profit {
            let at = level(target, true);
            self.place_exit(symbol, entry.ticket, group, Role::TakeProfit, Some(at), None, price, from_row);
        }
        if stop_loss.is_some() || break_even.is_some() {
            let at = stop_loss.map(|stop| level(stop, false));
            self.place_exit(symbol, entry.ticket, group, Role::StopLoss, at, None, price, from_row);
            if let Some(order) = self.w.book.orders.last_mut() {
                order.bracket.break_even = break_even;
            }
        }
        if let Some(by) = trailing {
            self.place_exit(symbol, entry.ticket, group, Role::TrailingStop, None, Some(by), price, from_row);
        }
        if let (Some(bars), Some(row)) = (time_stop, self.row(symbol)) {
            let from = row + bars as usize + usize::from(self.settings.fill != FillAt::SameClose);
            self.place_exit(symbol, entry.ticket, group, Role::TimeStop, None, None, price, from);
        }
        first..self.w.book.orders.len()
    }

    #[expect(clippy::too_many_arguments, reason = "an exit is all of these, and nothing else groups them")]
    fn place_exit(
        &mut self,
        symbol: usize,
        entry: u32,
        group: u32,
        role: Role,
        level: Option<N>,
        trail: Option<Distance>,
        price: N,
        from_row: usize,
    ) {
        let mut order = self.w.book.market(symbol as u32, Amount::Close, self.t as u32);
        order.closes = entry;
        order.group = group;
        order.role = role;
        order.trail = trail;
        order.entry = price;
        order.best = price;
        order.from_row = from_row;
        match role {
            Role::TakeProfit => order.limit = level,
            _ => {
                order.stop = level;
                order.rank = self.w.book.next_rank(true);
            }
        }
        self.note_placed(&order, Size::Close);
        self.w.book.orders.push(order);
    }

    /// Places an order of the rules.
    pub(super) fn place_rule(&mut self, order: Waiting<N>, size: Size) {
        self.note_placed(&order, size);
        self.w.book.orders.push(order);
    }

    fn note_placed(&mut self, order: &Waiting<N>, size: Size) {
        if self.noting {
            let units = if let Amount::Units(units) = order.amount { Some(units) } else { None };
            let float = |price: Option<N>| price.map(N::float);
            let kind = match (float(order.stop), float(order.limit), order.trail) {
                (_, _, Some(by)) => Kind::Trailing(by),
                (Some(stop), Some(limit), None) => Kind::StopLimit { stop, limit },
                (Some(stop), None, None) => Kind::Stop(stop),
                (None, Some(limit), None) => Kind::Limit(limit),
                (None, None, None) => Kind::Market,
            };
            let what = Happening::Placed { role: order.role, kind, size, units };
            self.note(Some(order.symbol), order.ticket, what);
        }
    }

    /// Marks an order as gone without a fill.
    pub(super) fn drop_order(&mut self, index: usize, why: Cancel) {
        let order = &mut self.w.book.orders[index];
        order.done = true;
        let (symbol, ticket) = (order.symbol, order.ticket);
        self.note(Some(symbol), ticket, Happening::Cancelled(why));
    }

    #[inline]
    pub(super) fn note(&mut self, symbol: Option<u32>, ticket: u32, what: Happening<N>) {
        if self.noting {
            self.w.events.push(Event { bar: self.t as u32, symbol, ticket, what });
        }
    }

    /// The account, for the steps of the simulation.
    pub(super) fn account(&mut self) -> &mut Account<N> {
        &mut self.w.account
    }
}

/// A distance in money from a price.
pub(super) fn distance_of<N: Number>(by: Distance, price: N) -> N {
    match by {
        Distance::Amount(amount) => N::of(amount),
        Distance::Fraction(part) => price * N::of(part),
    }
}

/// Standard deviation (ddof 1) of the simple returns between prices; NaN for fewer than three prices.
pub(super) fn deviation_of_returns(prices: &[f64]) -> f64 {
    let n = prices.len().saturating_sub(1);
    if n < 2 {
        return NAN;
    }
    let returns = || prices.windows(2).map(|pair| pair[1] / pair[0] - 1.0);
    let mean = returns().sum::<f64>() / n as f64;
    num::sqrt(returns().map(|r| (r - mean) * (r - mean)).sum::<f64>() / (n - 1) as f64)
}
