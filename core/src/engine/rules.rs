//! Rules of the expression language as a strategy: what they say of a bar becomes orders.

use super::book::{Amount, Role};
use super::decisions::{Decisions, EntryRules, LevelRule, When};
use super::desk::Desk;
use super::event::{Cancel, Happening, Idle};
use super::number::Number;
use super::order::{Bracket, Distance, Level, Order, Size};
use super::reference::Strategy;
use super::sizing;
use crate::context::{PositionState, Rule};
use crate::plan::SizeAt;
use crate::strategy::{LevelIn, SizeIn};

impl<N: Number> Strategy<N> for &Decisions {
    fn next(&mut self, desk: &mut Desk<'_, N>) {
        match self {
            Decisions::Target { weight, when } => desk.decide_targets(weight, when),
            Decisions::Signals { enter_long, exit_long, enter_short, exit_short, size, size_in, entry } => {
                let rules = [enter_long, exit_long, enter_short, exit_short].map(Option::as_ref);
                desk.decide_signals(rules, size, *size_in, entry.as_deref());
            }
        }
    }
}

impl<N: Number> Desk<'_, N> {
    fn decide_targets(&mut self, weight: &Rule, when: &When) {
        let mut equity = N::UNDEFINED;
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
                if self.noting {
                    self.idle(symbol, idle_target(target, when));
                }
                continue;
            }
            self.w.last_target[symbol as usize] = target;
            // A new target replaces what is still open of the last one.
            self.drop_entries(symbol);
            let held = self.w.account.quantities[symbol as usize];
            if target == 0.0 && held == N::ZERO {
                self.idle(symbol, Idle::TargetReached);
                continue;
            }
            let amount = if self.settings.size_at == SizeAt::Decision {
                if !equity.is_defined() {
                    equity = self.w.account.mark().0;
                }
                let close = N::of(self.panel.close[row]);
                let units = sizing::toward(self.settings, N::of(target), equity, close, held);
                if units == N::ZERO {
                    self.idle(symbol, Idle::TargetReached);
                    continue;
                }
                Amount::Units(units)
            } else {
                Amount::Later(Size::TargetPercent(target))
            };
            self.place_market(symbol, amount, Size::TargetPercent(target));
        }
    }

    fn decide_signals(&mut self, rules: [Option<&Rule>; 4], size: &Rule, size_in: SizeIn, entry: Option<&EntryRules>) {
        let [enter_long, exit_long, enter_short, exit_short] = rules;
        for index in 0..self.w.present.len() {
            let (symbol, row) = self.w.present[index];
            let state = self.state(symbol as usize, row);
            let holds = |rule: Option<&Rule>| rule.is_some_and(|rule| rule.is_true(row, &state));
            let (long_entry, short_entry) = (holds(enter_long), holds(enter_short));
            if long_entry && short_entry {
                self.idle(symbol, Idle::BothSides);
            }
            // Both at once say nothing.
            let side = match (long_entry, short_entry) {
                (true, false) => 1.0,
                (false, true) => -1.0,
                _ => 0.0,
            };
            let held = state.position;
            let leaves = if held > 0.0 {
                // Without a rule for leaving a side, an entry on the other side leaves it.
                exit_long.map_or(side < 0.0, |rule| rule.is_true(row, &state))
            } else if held < 0.0 {
                exit_short.map_or(side > 0.0, |rule| rule.is_true(row, &state))
            } else {
                false
            };
            if let Some(entry) = entry.filter(|_| held != 0.0 && !leaves) {
                self.follow_levels(symbol as usize, row, &state, entry);
            }
            let same_side = held != 0.0 && (held > 0.0) == (side > 0.0);
            if leaves {
                // What still waits to be filled would contradict the exit.
                self.drop_entries(symbol);
                self.place_market(symbol, Amount::Close, Size::Close);
                // An exit and an entry to the same side on one bar: the exit wins.
                if same_side {
                    self.idle(symbol, Idle::ExitWins);
                    continue;
                }
            } else if !self.may_enter(symbol, held, same_side, entry) {
                if side != 0.0 {
                    let waits = held == 0.0 || self.waits(symbol);
                    self.idle(symbol, if waits { Idle::Pending } else { Idle::Held });
                }
                continue;
            }
            match entry {
                _ if side == 0.0 => {}
                Some(entry) => self.enter(symbol, row, side, size, size_in, &state, entry),
                None => self.enter_at_market(symbol, row, side, size, size_in, &state),
            }
        }
    }

    /// Whether an entry may be placed: flat, or fewer entries on this side than the most. One that waits for its price
    /// is replaced, one at the market is waited for.
    fn may_enter(&self, symbol: u32, held: f64, same_side: bool, entry: Option<&EntryRules>) -> bool {
        let priced = entry.is_some_and(|entry| entry.limit.is_some() || entry.stop.is_some());
        let most = entry.map_or(1, |entry| entry.most);
        let room = held == 0.0 || same_side && most > 1 && self.open_entries(symbol as usize).len() < most;
        room && (priced || !self.waits(symbol))
    }

    /// A plain entry at the market.
    fn enter_at_market(
        &mut self,
        symbol: u32,
        row: usize,
        side: f64,
        size: &Rule,
        size_in: SizeIn,
        state: &PositionState,
    ) {
        let amount = size.at(row, state);
        if !(amount > 0.0 && amount.is_finite()) {
            self.idle(symbol, Idle::Size);
            return;
        }
        let size = unit(amount * side, size_in);
        let plain = !matches!(size, Size::Risk(_) | Size::Volatility(_) | Size::BuyingPower(_));
        if !plain {
            self.place(Order::market(symbol as usize, size));
            return;
        }
        let amount = if self.settings.size_at == SizeAt::Decision {
            let measure = sizing::Measure {
                equity: self.w.account.mark().0,
                price: N::of(self.panel.close[row]),
                held: N::ZERO,
                risk: N::UNDEFINED,
                sigma: N::UNDEFINED,
            };
            Amount::Units(sizing::units(self.settings, size, measure))
        } else {
            Amount::Later(size)
        };
        self.place_market(symbol, amount, size);
    }

    /// An entry with its price and exits.
    #[expect(clippy::too_many_arguments, reason = "what a rule may ask at one bar")]
    fn enter(
        &mut self,
        symbol: u32,
        row: usize,
        side: f64,
        size: &Rule,
        size_in: SizeIn,
        state: &PositionState,
        entry: &EntryRules,
    ) {
        let amount = size.at(row, state);
        if !(amount > 0.0 && amount.is_finite()) {
            self.idle(symbol, Idle::Size);
            return;
        }
        let close = self.panel.close[row];
        let mut order = Order::market(symbol as usize, unit(amount * side, size_in));
        // A limit stands on the better side of the close, a stop on the worse.
        let at = |rule: &LevelRule, sign: f64| {
            let value = rule.value.at(row, state);
            match rule.unit {
                LevelIn::Price => value,
                LevelIn::Fraction => close * (1.0 + sign * value),
                LevelIn::Amount => close + sign * value,
            }
        };
        let mut sound = true;
        if let Some(limit) = &entry.limit {
            let price = at(limit, -side);
            sound &= price > 0.0 && price.is_finite();
            order = order.limit(price);
        }
        if let Some(stop) = &entry.stop {
            let price = at(stop, side);
            sound &= price > 0.0 && price.is_finite();
            order = order.stop(price);
        }
        // An undefined price is not acted upon, as an undefined condition is not.
        let Some(bracket) = bracket(entry, row, state).filter(|_| sound) else {
            self.idle(symbol, Idle::Level);
            return;
        };
        if entry.limit.is_some() || entry.stop.is_some() {
            self.drop_entries(symbol);
            order = order.bars(entry.bars);
        }
        self.place(order.bracket(bracket));
    }

    /// Moves stop-losses and take-profits that are given as prices to this bar's.
    fn follow_levels(&mut self, symbol: usize, row: usize, state: &PositionState, entry: &EntryRules) {
        let price = |rule: &Option<LevelRule>| {
            let rule = rule.as_ref().filter(|rule| rule.unit == LevelIn::Price)?;
            Some(rule.value.at(row, state)).filter(|price| *price > 0.0 && price.is_finite())
        };
        let (stop, target) = (price(&entry.stop_loss), price(&entry.take_profit));
        if stop.is_none() && target.is_none() {
            return;
        }
        for (ticket, _) in self.open_entries(symbol) {
            if let Some(stop) = stop {
                self.move_stop(ticket, stop);
            }
            if let Some(target) = target {
                self.move_target(ticket, target);
            }
        }
    }

    /// Whether an order of the strategy is open for a symbol.
    fn waits(&self, symbol: u32) -> bool {
        self.w.book.orders.iter().any(|order| order.symbol == symbol && !order.role.is_exit())
    }

    /// Cancels the open orders of a symbol, but not the exits of what is held.
    fn drop_entries(&mut self, symbol: u32) {
        if self.w.book.orders.is_empty() {
            return;
        }
        for index in 0..self.w.book.orders.len() {
            let order = &self.w.book.orders[index];
            if order.symbol == symbol
                && !matches!(order.role, Role::Liquidation | Role::SessionEnd)
                && !order.role.is_exit()
            {
                self.drop_order(index, Cancel::Replaced);
            }
        }
        self.w.book.orders.retain(|order| !order.done);
    }

    fn idle(&mut self, symbol: u32, why: Idle) {
        self.note(Some(symbol), 0, Happening::Idle(why));
    }

    fn place_market(&mut self, symbol: u32, amount: Amount<N>, size: Size) {
        let order = self.w.book.market(symbol, amount, self.t as u32);
        self.place_rule(order, size);
    }
}

/// Why a target that is not acted upon is not.
fn idle_target(target: f64, when: &When) -> Idle {
    match when {
        _ if !target.is_finite() => Idle::TargetUndefined,
        When::True(_) => Idle::NotRebalanced,
        When::OnChange | When::EveryBar => Idle::TargetUnchanged,
    }
}

fn unit(amount: f64, size_in: SizeIn) -> Size {
    match size_in {
        SizeIn::Equity => Size::Percent(amount),
        SizeIn::Shares => Size::Shares(amount),
        SizeIn::Value => Size::Value(amount),
        SizeIn::BuyingPower => Size::BuyingPower(amount),
        SizeIn::Risk => Size::Risk(amount),
        SizeIn::Volatility => Size::Volatility(amount),
    }
}

/// The exits of an entry decided at `row`; `None` if one of them is undefined there.
fn bracket(entry: &EntryRules, row: usize, state: &PositionState) -> Option<Bracket> {
    let mut sound = true;
    let mut value = |rule: &LevelRule| {
        let value = rule.value.at(row, state);
        sound &= value > 0.0 && value.is_finite();
        value
    };
    let mut distance = |rule: &Option<LevelRule>| {
        rule.as_ref().map(|rule| match (rule.unit, value(rule)) {
            (LevelIn::Fraction, part) => Distance::Fraction(part),
            (_, amount) => Distance::Amount(amount),
        })
    };
    let (trailing, break_even) = (distance(&entry.trailing_stop), distance(&entry.break_even));
    let mut level = |rule: &Option<LevelRule>| {
        let unit = rule.as_ref().map(|rule| rule.unit);
        distance(rule).map(|by| match (unit, by) {
            (Some(LevelIn::Price), Distance::Amount(price)) => Level::Price(price),
            _ => Level::From(by),
        })
    };
    let (stop_loss, take_profit) = (level(&entry.stop_loss), level(&entry.take_profit));
    let bracket = Bracket { stop_loss, take_profit, trailing, break_even, time_stop: entry.time_stop };
    sound.then_some(bracket)
}
