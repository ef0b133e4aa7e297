//! What one order comes to: how much of it fills, at which price, for which commission.

use super::account::Booking;
use super::book::{Amount, Moment, Ready, Role, Waiting};
use super::desk::{Desk, LIQUIDITY_BARS, deviation_of_returns};
use super::event::{Cancel, Happening, Limit, Wait};
use super::number::Number;
use super::order::Size;
use super::pricing::{self, Charge, Liquidity};
use super::sizing;
use crate::bundle::{Field, Frequency};
use crate::calendar;
use crate::ledger::Fill;
use crate::plan::{BeyondLimit, ExitFill, Margin, Settings, SizeAt, SpreadOn, Unaffordable};

/// An order on its way to its fill.
#[derive(Clone, Copy)]
struct Deal<N> {
    index: usize,
    order: Waiting<N>,
    symbol: usize,
    row: usize,
    /// Units held before it.
    held: N,
    /// The market's price.
    base: N,
    /// Signed units.
    quantity: N,
    /// Units that the bar's volume leaves for later.
    later: N,
    charge: Charge<N>,
}

impl<N: Number> Desk<'_, N> {
    /// Executes one order as far as volume, limits, cash and the ban on shorts allow.
    pub(super) fn execute(&mut self, entry: &Ready<N>) {
        let order = self.w.book.orders[entry.index];
        let symbol = order.symbol as usize;
        let held = self.w.account.quantities[symbol];
        let limit_waits =
            order.limit.is_some() && (entry.moment == Moment::Inside || (order.placed as usize) + 1 < self.t);
        let mut deal = Deal {
            index: entry.index,
            order,
            symbol,
            row: entry.row,
            held,
            base: entry.base,
            quantity: N::ZERO,
            later: N::ZERO,
            charge: Charge { maker: limit_waits, month: self.units_this_month(), ..order.charge },
        };
        deal.quantity = self.wanted(&deal, entry.quantity);
        match self.settle(&mut deal, entry) {
            Ok(price) => self.complete(&deal, price, entry),
            Err(Stop::Waits(wait)) => self.note(Some(order.symbol), order.ticket, Happening::Waits(wait)),
            Err(Stop::Refused(limit)) => self.refuse(entry.index, limit),
            Err(Stop::Over) => self.drop_order(entry.index, Cancel::PositionClosed),
        }
    }

    /// Units that the order asks for, now that its turn has come.
    fn wanted(&self, deal: &Deal<N>, sized: N) -> N {
        let Deal { order, symbol, held, base, .. } = *deal;
        let mut quantity = match order.amount {
            Amount::Units(units) => units,
            Amount::Close if order.closes != 0 => -self.w.account.left_of(symbol, order.closes),
            Amount::Close => -held,
            Amount::Later(Size::BuyingPower(part)) => self.buying_power_units(deal, N::of(part)),
            // Earlier fills of this bar may have changed position and equity.
            Amount::Later(size) if self.settings.size_at == SizeAt::Order => {
                sizing::units(self.settings, size, self.measure_at_fill(&order, base, self.equity_at_fill()))
            }
            Amount::Later(_) => sized,
        };
        if order.closes != 0 && !matches!(order.amount, Amount::Close) {
            // An order that closes an entry never goes beyond what is left of it.
            let left = self.w.account.left_of(symbol, order.closes);
            let most = if (left > N::ZERO) == (quantity > N::ZERO) { N::ZERO } else { left.abs() };
            quantity = if quantity < N::ZERO { -(quantity.abs().min(most)) } else { quantity.min(most) };
        }
        let against = held != N::ZERO && (held > N::ZERO) != (quantity > N::ZERO);
        let opens = order.closes == 0 && !matches!(order.amount, Amount::Close);
        if order.reverses && against && opens { quantity - held } else { quantity }
    }

    /// Units that a fraction of the buying power trades, commissions included.
    fn buying_power_units(&self, deal: &Deal<N>, part: N) -> N {
        let buys = part > N::ZERO;
        let settings = self.settings;
        let price = pricing::fill_price(&settings.costs, deal.base, buys, true);
        let payable = |settings, power| pricing::affordable(settings, None, price, power, &deal.charge);
        match (settings.margin, buys) {
            (Margin::RegT, true) => payable(settings, part * self.power(deal, price, false)),
            (Margin::RegT, false) => -payable(settings, -part * self.power(deal, price, false)),
            (_, true) => payable(settings, part * self.spendable(deal, price, deal.held < N::ZERO)),
            (_, false) => {
                // What is held can be sold, and its proceeds carry a short position beyond it; those of other shorts
                // do not.
                let long = deal.held.max(N::ZERO);
                let fixed = deal.charge.commission(&settings.costs, N::ZERO, price);
                let power = self.free_cash() + self.proceeds(deal, long, price) - fixed;
                let short = payable(&Settings { fractional: true, ..*settings }, -part * power + fixed);
                let units = -part * long + short;
                if settings.fractional {
                    return -units;
                }
                -(units / N::of(settings.lot)).floor() * N::of(settings.lot)
            }
        }
    }

    /// Cuts a deal to what is allowed, and finds its price.
    fn settle(&mut self, deal: &mut Deal<N>, entry: &Ready<N>) -> Result<N, Stop> {
        let zero = N::ZERO;
        if deal.quantity == zero {
            return Err(if deal.order.closes != 0 { Stop::Over } else { Stop::Refused(Limit::Nothing) });
        }
        if entry.buys.is_some_and(|buys| buys != (deal.quantity > zero)) {
            // A target that was above when the price was reached may be below once it is sized.
            return Err(Stop::Refused(Limit::Nothing));
        }
        if !deal.quantity.is_defined() {
            return Err(Stop::Refused(Limit::Undefined));
        }
        if deal.quantity < zero && !self.settings.shorts {
            let most = -deal.held.max(zero);
            if deal.quantity < most {
                self.cut(deal, most, Limit::NoShorts);
            }
            if deal.quantity == zero {
                return Err(Stop::Refused(Limit::NoShorts));
            }
        }
        self.respect_trade_window(deal)?;
        self.respect_size_limits(deal)?;
        self.respect_volume(deal)?;
        let price = self.price(deal, entry)?;
        self.respect_limits(deal, price)?;
        self.respect_cash(deal, price)?;
        self.respect_unpaid_sale(deal, price)?;
        if self.settings.min_order > 0.0 && deal.quantity.abs() < N::of(self.settings.min_order) {
            return Err(Stop::Refused(Limit::MinOrder));
        }
        if !price.is_defined() || price <= zero {
            return Err(Stop::Refused(Limit::Undefined));
        }
        Ok(price)
    }

    fn cut(&mut self, deal: &mut Deal<N>, to: N, limit: Limit) {
        let from = deal.quantity;
        deal.quantity = to;
        if self.noting && from != to {
            let (symbol, ticket) = (deal.order.symbol, deal.order.ticket);
            self.note(Some(symbol), ticket, Happening::Cut { from, to, limit });
        }
    }

    /// Entries are made at certain times of day only: what waits for a price waits on, the rest is refused.
    fn respect_trade_window(&self, deal: &Deal<N>) -> Result<(), Stop> {
        let Settings { trade_from, trade_until, .. } = *self.settings;
        if (trade_from == 0 && trade_until == 0) || self.panel.frequency != Frequency::Intraday {
            return Ok(());
        }
        let reduces = deal.held != N::ZERO && (deal.held > N::ZERO) != (deal.quantity > N::ZERO);
        let minutes = self.panel.calendar.local_minutes(self.time());
        let late = trade_until > 0 && minutes > f64::from(trade_until);
        if reduces || (minutes > f64::from(trade_from) && !late) {
            return Ok(());
        }
        let priced = deal.order.limit.is_some() || deal.order.stop.is_some() || deal.order.trail.is_some();
        Err(if priced { Stop::Waits(Wait::NotYet) } else { Stop::Refused(Limit::TradeWindow) })
    }

    fn respect_size_limits(&mut self, deal: &mut Deal<N>) -> Result<(), Stop> {
        let most = N::of(self.settings.max_order);
        if self.settings.max_order > 0.0 && deal.quantity.abs() > most {
            if self.settings.unaffordable == Unaffordable::Reject {
                return Err(Stop::Refused(Limit::MaxOrder));
            }
            self.cut(deal, if deal.quantity > N::ZERO { most } else { -most }, Limit::MaxOrder);
        }
        Ok(())
    }

    /// Leaves for later what goes beyond the account's part of the bar's volume.
    fn respect_volume(&mut self, deal: &mut Deal<N>) -> Result<(), Stop> {
        if self.settings.volume_limit <= 0.0 || !self.panel.spans[deal.symbol].has_volume {
            return Ok(());
        }
        let part = N::of(self.settings.volume_limit) * N::of(self.panel.volume[deal.row]);
        let mut most = (part - self.w.traded[deal.symbol]).max(N::ZERO);
        if !self.settings.fractional {
            most = (most / N::of(self.settings.lot)).floor() * N::of(self.settings.lot);
        }
        if most <= N::ZERO || !most.is_defined() {
            return Err(Stop::Waits(Wait::VolumeLimit));
        }
        if deal.quantity.abs() > most {
            let wanted = deal.quantity;
            self.cut(deal, if wanted > N::ZERO { most } else { -most }, Limit::Volume);
            deal.later = wanted - deal.quantity;
        }
        Ok(())
    }

    /// The price of the deal: spread, slippage and impact, but never beyond a limit unless the settings allow it.
    fn price(&self, deal: &Deal<N>, entry: &Ready<N>) -> Result<N, Stop> {
        let buys = deal.quantity > N::ZERO;
        let costs = &self.settings.costs;
        if deal.order.leaves_at_level() && !self.settings.exit_slippage && entry.moment != Moment::Close {
            return Ok(deal.base);
        }
        let opens = deal.held == N::ZERO || (deal.held > N::ZERO) == buys || self.settings.hedging;
        let opens = opens && deal.order.closes == 0;
        let mut price = pricing::fill_price(costs, deal.base, buys, opens);
        if costs.volume_impact > 0.0 || costs.sqrt_impact > 0.0 {
            let market = self.liquidity(deal);
            price = pricing::impacted(self.settings, price, buys, deal.quantity, self.w.traded[deal.symbol], market);
        }
        // What is put off to the close does not wait for its level any more.
        let put_off = entry.moment == Moment::Close && self.settings.exit_fill == ExitFill::Close;
        let Some(limit) = deal.order.limit.filter(|_| !(put_off && deal.order.leaves_at_level())) else {
            return Ok(price);
        };
        let beyond = if buys { price > limit } else { price < limit };
        match self.settings.beyond_limit {
            BeyondLimit::Cap if beyond => Ok(limit),
            BeyondLimit::Wait if beyond => Err(Stop::Waits(Wait::BeyondLimit)),
            _ => Ok(price),
        }
    }

    fn liquidity(&self, deal: &Deal<N>) -> Liquidity {
        let span = self.panel.spans[deal.symbol];
        let volume = self.panel.volume[deal.row];
        let before = deal.row - span.offset;
        if self.settings.costs.sqrt_impact <= 0.0 || before < LIQUIDITY_BARS + 1 {
            return Liquidity { volume, sigma: f64::NAN, adv: f64::NAN };
        }
        let rows =
            |bars: usize, field| self.panel.adjusted(deal.symbol, field, deal.row - bars..deal.row, self.session());
        let sigma = deviation_of_returns(&rows(LIQUIDITY_BARS + 1, Field::Close));
        let adv = rows(LIQUIDITY_BARS, Field::Volume).iter().sum::<f64>() / LIQUIDITY_BARS as f64;
        Liquidity { volume, sigma, adv }
    }

    /// Limits of the account: how many positions, how large one, how large all.
    fn respect_limits(&mut self, deal: &mut Deal<N>, price: N) -> Result<(), Stop> {
        let settings = self.settings;
        if settings.max_positions == 0 && settings.max_weight <= 0.0 && settings.max_leverage <= 0.0 {
            return Ok(());
        }
        let after = deal.held + deal.quantity;
        if after.abs() <= deal.held.abs() && (after == N::ZERO || (after > N::ZERO) == (deal.held > N::ZERO)) {
            return Ok(());
        }
        let held = self.w.account.quantities.iter().filter(|units| **units != N::ZERO).count();
        if settings.max_positions > 0 && deal.held == N::ZERO && held >= settings.max_positions as usize {
            return Err(Stop::Refused(Limit::MaxPositions));
        }
        let equity = self.equity_at_fill().max(N::ZERO);
        if settings.max_weight > 0.0 {
            self.cap_position(deal, N::of(settings.max_weight) * equity / price, Limit::MaxWeight)?;
        }
        if settings.max_leverage > 0.0 {
            let others = self.gross_at_fill() - deal.held.abs() * price;
            let room = (N::of(settings.max_leverage) * equity - others).max(N::ZERO) / price;
            self.cap_position(deal, room, Limit::MaxLeverage)?;
        }
        Ok(())
    }

    /// Cuts a deal so that the position after it is at most `most` units, but never into one against it.
    fn cap_position(&mut self, deal: &mut Deal<N>, most: N, limit: Limit) -> Result<(), Stop> {
        let after = deal.held + deal.quantity;
        if after.abs() <= most {
            return Ok(());
        }
        if self.settings.unaffordable == Unaffordable::Reject {
            return Err(Stop::Refused(limit));
        }
        let target = if after > N::ZERO { most } else { -most };
        let mut quantity = pricing::whole_lots(self.settings, target - deal.held);
        // A position that is over the cap already is not a reason to trade the other way.
        if (quantity > N::ZERO) != (deal.quantity > N::ZERO) {
            quantity = N::ZERO;
        }
        self.cut(deal, quantity, limit);
        if deal.quantity == N::ZERO { Err(Stop::Refused(limit)) } else { Ok(()) }
    }

    /// Cuts a deal to what the account can pay for.
    fn respect_cash(&mut self, deal: &mut Deal<N>, price: N) -> Result<(), Stop> {
        match self.settings.margin {
            Margin::None => Ok(()),
            Margin::Cash => self.respect_cash_account(deal, price),
            Margin::RegT => self.respect_margin_account(deal, price),
        }
    }

    fn respect_cash_account(&mut self, deal: &mut Deal<N>, price: N) -> Result<(), Stop> {
        let buys = deal.quantity > N::ZERO;
        let long = if buys { N::ZERO } else { deal.held.max(N::ZERO) };
        let wanted = deal.quantity.abs() - long;
        // A sale brings cash; a short one needs it only where its proceeds are locked.
        if !buys && (!self.settings.lock_short_cash || wanted <= N::ZERO) {
            return Ok(());
        }
        // What is sold of a long position pays for the short one beyond it.
        let cash = self.spendable(deal, price, buys && deal.held < N::ZERO) + self.proceeds(deal, long, price);
        let paid = pricing::affordable(self.settings, Some(wanted), price, cash, &deal.charge);
        if paid == wanted {
            return Ok(());
        }
        if self.settings.unaffordable == Unaffordable::Reject {
            return Err(Stop::Refused(Limit::Cash));
        }
        // The rounding noise that an all-cash purchase leaves in the account buys nothing.
        let paid = if paid < wanted * N::of(1e-9) { N::ZERO } else { paid };
        self.cut(deal, if buys { paid } else { -(paid + long) }, Limit::Cash);
        deal.later = N::ZERO;
        if deal.quantity == N::ZERO { Err(Stop::Refused(Limit::Cash)) } else { Ok(()) }
    }

    fn respect_unpaid_sale(&self, deal: &Deal<N>, price: N) -> Result<(), Stop> {
        if !self.settings.refuse_unpaid_sales || deal.quantity > N::ZERO {
            return Ok(());
        }
        let fee = deal.charge.commission(&self.settings.costs, deal.quantity, price);
        if -deal.quantity * price < fee { Err(Stop::Refused(Limit::UnpaidSale)) } else { Ok(()) }
    }

    /// What the sale of units brings, without the fixed part of the commission: an order pays that once.
    fn proceeds(&self, deal: &Deal<N>, units: N, price: N) -> N {
        if units <= N::ZERO {
            return N::ZERO;
        }
        let costs = &self.settings.costs;
        let fixed = deal.charge.commission(costs, N::ZERO, price);
        units * price - (deal.charge.commission(costs, units, price) - fixed)
    }

    /// Cash that an order may spend. Where short sales lock their proceeds and as much again, what covers the symbol's
    /// own short may use the part that this locks.
    fn spendable(&self, deal: &Deal<N>, price: N, covers: bool) -> N {
        let account = &self.w.account;
        if !self.settings.lock_short_cash {
            return account.cash;
        }
        let free = self.free_cash();
        if !covers {
            return free;
        }
        let costs = &self.settings.costs;
        let held = deal.held.abs();
        let own = N::of(2.0) * account.debt_of(deal.symbol);
        let all = held * price + deal.charge.commission(costs, held, price);
        let fixed = deal.charge.commission(costs, N::ZERO, price);
        let (unit, freed) = ((all - fixed) / held, own / held);
        if all <= free + own || unit <= freed {
            return (free + own).min(account.cash);
        }
        // A short that is not covered as a whole gives back its part of what is locked with each unit alone.
        ((free - fixed) / (unit - freed) * unit + fixed).min(account.cash)
    }

    /// Cash without the proceeds of short sales, and as much again.
    fn free_cash(&self) -> N {
        self.w.account.cash - N::of(2.0) * self.w.account.short_debt()
    }

    /// Value that equity still carries, before or after the part of a deal that closes a position.
    fn power(&self, deal: &Deal<N>, price: N, closed: bool) -> N {
        let mut gross = self.gross_at_fill();
        if closed && !self.settings.hedging {
            gross = gross - deal.held.abs().min(deal.quantity.abs()) * price;
        }
        let equity = self.equity_at_fill();
        ((equity - gross * N::of(self.settings.initial_margin)) / N::of(self.settings.initial_margin)).max(N::ZERO)
    }

    fn respect_margin_account(&mut self, deal: &mut Deal<N>, price: N) -> Result<(), Stop> {
        let zero = N::ZERO;
        let against = deal.held != zero && (deal.held > zero) != (deal.quantity > zero) && !self.settings.hedging;
        let closes = if deal.order.closes != 0 {
            deal.quantity.abs()
        } else if against {
            deal.held.abs().min(deal.quantity.abs())
        } else {
            zero
        };
        let opens = deal.quantity.abs() - closes;
        if opens <= zero {
            return Ok(());
        }
        let power = self.power(deal, price, closes > zero);
        let carried = pricing::affordable(self.settings, Some(opens), price, power, &deal.charge);
        if carried == opens {
            return Ok(());
        }
        let kept = if self.settings.unaffordable == Unaffordable::Reject { closes } else { closes + carried };
        if kept == zero {
            return Err(Stop::Refused(Limit::Margin));
        }
        self.cut(deal, if deal.quantity > zero { kept } else { -kept }, Limit::Margin);
        deal.later = zero;
        Ok(())
    }

    /// Sum of the absolute values of all positions at the prices of this bar's fills.
    pub(super) fn gross_at_fill(&self) -> N {
        let account = &self.w.account;
        let mut gross = N::ZERO;
        for symbol in 0..account.quantities.len() {
            let units = match self.settings.hedging {
                true => account.gross_units(symbol),
                false => account.quantities[symbol].abs(),
            };
            if units != N::ZERO {
                let price = self.row(symbol).map_or_else(|| N::of(account.closes[symbol]), |row| self.base_price(row));
                gross = gross + units * price;
            }
        }
        gross
    }

    /// Books a deal, and what follows from it for its order and the orders beside it.
    fn complete(&mut self, deal: &Deal<N>, price: N, entry: &Ready<N>) {
        let zero = N::ZERO;
        let entry_order = deal.order.role == Role::Strategy && deal.order.closes == 0;
        let beside = self.settings.hedging && entry_order && !matches!(deal.order.amount, Amount::Close);
        let booking = Booking { ticket: deal.order.ticket, closes: deal.order.closes, beside };
        let crosses = (deal.held + deal.quantity) != zero
            && deal.held != zero
            && ((deal.held + deal.quantity) > zero) != (deal.held > zero);
        let costs = &self.settings.costs;
        let mut left = *deal;
        if crosses && !beside && costs.spread_on == SpreadOn::Entry && (costs.spread > 0.0 || costs.spread_amount > 0.0)
        {
            // The part that closes pays no spread: it is a fill of its own.
            let closing = Deal { quantity: -deal.held, ..*deal };
            self.book(&closing, price, booking, entry);
            let paid = pricing::fill_price(costs, deal.base, deal.quantity > zero, true);
            left.charge = self.w.book.orders[deal.index].charge;
            left.quantity = deal.quantity + deal.held;
            self.book(&left, paid, booking, entry);
        } else {
            self.book(deal, price, booking, entry);
        }
        let order = &mut self.w.book.orders[deal.index];
        if deal.later == zero {
            order.done = true;
        } else {
            order.amount = Amount::Units(deal.later);
            self.w.counters.partial_fills += 1;
        }
        if self.w.book.orders.len() > 1 {
            self.cancel_others(deal);
        }
        let opened = self.w.account.left_of(deal.symbol, deal.order.ticket);
        if opened != zero && !deal.order.bracket.is_empty() {
            let level = self.entry_level(price, deal.base);
            let from = self.exits_from(deal.row, entry.moment);
            self.attach(&deal.order, opened > zero, level, from);
        }
    }

    fn book(&mut self, deal: &Deal<N>, price: N, booking: Booking, entry: &Ready<N>) {
        let costs = &self.settings.costs;
        let fee = deal.charge.commission(costs, deal.quantity, price);
        let fill = Fill { bar: self.t as u32, symbol: deal.order.symbol, quantity: deal.quantity, price, fee };
        self.w.account.book_as(fill, deal.row, booking);
        let units = deal.quantity.abs();
        self.w.traded[deal.symbol] = self.w.traded[deal.symbol] + units;
        self.w.month.1 = self.w.month.1 + units;
        self.w.bar_fills.push((deal.order.ticket, fill));
        let by_share = deal.charge.by_share(costs, deal.quantity);
        let charge = &mut self.w.book.orders[deal.index].charge;
        charge.units = charge.units + units;
        charge.by_share = by_share;
        if self.noting {
            let (symbol, ticket) = (deal.order.symbol, deal.order.ticket);
            self.note(Some(symbol), ticket, Happening::Filled { fill, market: entry.base, left: deal.later });
        }
    }

    /// Cancels the orders that a fill makes pointless: those of its group, and exits of entries that are over.
    fn cancel_others(&mut self, deal: &Deal<N>) {
        for index in 0..self.w.book.orders.len() {
            let other = &self.w.book.orders[index];
            if other.done || index == deal.index || other.symbol != deal.order.symbol && other.group != deal.order.group
            {
                continue;
            }
            let grouped = deal.order.group != 0 && other.group == deal.order.group && !other.role.is_exit();
            if grouped {
                self.drop_order(index, Cancel::Oco);
            } else if other.closes != 0 && self.w.account.left_of(other.symbol as usize, other.closes) == N::ZERO {
                let why = if other.group == deal.order.group { Cancel::Oco } else { Cancel::PositionClosed };
                self.drop_order(index, why);
            }
        }
    }

    fn units_this_month(&mut self) -> N {
        if self.settings.costs.tiers.as_slice().is_empty() {
            return N::ZERO;
        }
        let (year, month, _) = calendar::civil(self.session());
        let now = year * 12 + month as i32;
        if self.w.month.0 != now {
            self.w.month = (now, N::ZERO);
        }
        self.w.month.1
    }
}

/// Why an order does not fill.
enum Stop {
    /// It stays open.
    Waits(Wait),
    /// It is gone.
    Refused(Limit),
    /// What it would close is gone.
    Over,
}
