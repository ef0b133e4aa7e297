//! Open orders against a bar: which of them it reaches, when, and in which order they fill.

use super::book::{Amount, Moment, Ready, Role, Waiting};
use super::desk::{Desk, distance_of};
use super::event::{Cancel, Happening, Limit, Wait};
use super::number::Number;
use super::order::{Order, Size, TimeInForce};
use super::sizing;
use crate::plan::{
    EntryBarExits, ExitFill, Fill as FillAt, LevelsFrom, Sequence, Settings, SizeAt, StopLimitFill, Touch,
};

/// The prices of a bar.
#[derive(Clone, Copy, Debug)]
struct Bar<N> {
    open: N,
    high: N,
    low: N,
    close: N,
}

/// Where a bar meets an order.
type Met<N> = Result<(Moment, N), Wait>;

impl<N: Number> Desk<'_, N> {
    /// Takes the bars of timestamp `t`.
    pub(super) fn see_bars(&mut self, t: usize) {
        self.t = t;
        self.noting = self.record.events.contains(&t);
        let w = &mut *self.w;
        for &(symbol, _) in &w.present {
            w.rows[symbol as usize] = super::desk::NO_ROW;
        }
        w.present.clear();
        for (symbol, (span, cursor)) in self.panel.spans.iter().zip(&mut w.cursors).enumerate() {
            let row = *cursor;
            if row < span.offset + span.len && self.panel.row_time[row] as usize == t {
                w.present.push((symbol as u32, row));
                w.rows[symbol] = row;
                w.traded[symbol] = N::ZERO;
                *cursor = row + 1;
            }
        }
        w.rows_read += w.present.len() as u64;
    }

    /// Lets go of the executions that the strategy has seen.
    pub(super) fn forget_fills(&mut self) {
        self.w.bar_fills.clear();
    }

    /// Tries the open orders against the bar, before its close is known to the strategy.
    pub(super) fn fill_at_bar(&mut self) {
        if !self.w.book.orders.is_empty() {
            self.fill_orders(false);
        }
    }

    /// Fills market orders at the close that the strategy saw.
    pub(super) fn fill_at_close(&mut self) {
        if !self.w.book.orders.is_empty() {
            self.fill_orders(true);
        }
    }

    /// Values positions at this bar's closes, and lets exits follow the price.
    pub(super) fn mark_bars(&mut self) {
        let panel = self.panel;
        let w = &mut *self.w;
        for &(symbol, row) in &w.present {
            w.account.see_bar(symbol as usize, panel.high[row], panel.low[row], panel.close[row]);
        }
        if self.w.book.orders.iter().any(|order| order.trail.is_some() || order.bracket.break_even.is_some()) {
            self.follow_prices();
        }
    }

    /// Moves trailing stops after the best price of the bar, and stop-losses to the entry once their profit is reached.
    fn follow_prices(&mut self) {
        for index in 0..self.w.book.orders.len() {
            let order = self.w.book.orders[index];
            let Some(row) = self.row(order.symbol as usize) else { continue };
            let long = match order.role.is_exit() {
                true => self.w.account.left_of(order.symbol as usize, order.closes) > N::ZERO,
                // A trailing order that sells follows the highest price, one that buys the lowest.
                false => !self.would_buy(&order),
            };
            // The path of the bar of the entry is known from its open on only if the entry was there.
            let whole = order.placed as usize != self.t || order.from_row == row;
            let (high, low, close) = (self.panel.high[row], self.panel.low[row], self.panel.close[row]);
            let reached = match (long, whole) {
                (true, true) => N::of(high),
                (false, true) => N::of(low),
                (_, false) => N::of(close),
            };
            let best = if long { order.best.max(reached) } else { order.best.min(reached) };
            let even = order.bracket.break_even.is_some_and(|by| {
                let distance = distance_of(by, order.entry);
                if long { best >= order.entry + distance } else { best <= order.entry - distance }
            });
            let order = &mut self.w.book.orders[index];
            order.best = best;
            if even && order.role == Role::StopLoss {
                let entry = order.entry;
                let better = |stop: N| if long { stop.max(entry) } else { stop.min(entry) };
                order.stop = Some(order.stop.map_or(entry, better));
                order.bracket.break_even = None;
            }
        }
    }

    /// Whether an open order would buy now.
    pub(super) fn would_buy(&self, order: &Waiting<N>) -> bool {
        let symbol = order.symbol as usize;
        match order.amount {
            Amount::Units(units) => units > N::ZERO,
            Amount::Close if order.closes != 0 => self.w.account.left_of(symbol, order.closes) < N::ZERO,
            Amount::Close => self.w.account.quantities[symbol] < N::ZERO,
            Amount::Later(size) => {
                let price = N::of(self.w.account.closes[symbol]);
                let request = Order { bracket: order.bracket, ..Order::market(symbol, size) };
                let measure = self.measure(&request, price, self.w.account.mark().0);
                sizing::value(size, measure) > N::ZERO
            }
        }
    }

    /// The price that a market order would trade at on this bar.
    pub(super) fn base_price(&self, row: usize) -> N {
        N::of(match self.settings.fill {
            FillAt::NextOpen => self.panel.open[row],
            FillAt::NextClose | FillAt::SameClose => self.panel.close[row],
        })
    }

    fn tradable(&self, symbol: usize, row: usize) -> bool {
        let span = self.panel.spans[symbol];
        !(self.panel.volume[row] == 0.0 && span.has_volume && !self.settings.fill_without_volume)
    }

    /// Fills what this bar reaches; at its close only market orders, which may have been placed right now.
    fn fill_orders(&mut self, at_close: bool) {
        self.scan(at_close);
        if self.w.book.ready.is_empty() {
            self.w.book.orders.retain(|order| !order.done);
            return;
        }
        let mut ready = std::mem::take(&mut self.w.book.ready);
        self.size_all(&mut ready);
        self.settle_exits(&mut ready);
        sort(self.settings, &mut ready);
        let mut place = 0;
        while place < ready.len() {
            let entry = ready[place];
            place += 1;
            if self.w.book.orders[entry.index].done {
                continue;
            }
            self.count_ambiguous(&entry, &ready[place..]);
            let first = self.w.book.orders.len();
            self.execute(&entry);
            if self.w.book.orders.len() > first && !at_close {
                self.try_new_exits(first, &entry, &mut ready);
                if entry.moment == Moment::Open {
                    self.settle_exits(&mut ready[place..]);
                }
                sort(self.settings, &mut ready[place..]);
            }
        }
        self.w.book.ready = ready;
        self.w.book.ready.clear();
        self.w.book.orders.retain(|order| !order.done);
    }

    /// Finds the orders that the bar reaches.
    fn scan(&mut self, at_close: bool) {
        let same_close = self.settings.fill == FillAt::SameClose;
        for index in 0..self.w.book.orders.len() {
            let order = &self.w.book.orders[index];
            let market = order.limit.is_none() && order.stop.is_none() && order.trail.is_none();
            if order.done || same_close && market != at_close {
                continue;
            }
            if order.role == Role::StopLoss && market {
                // It has no level before its break-even is reached.
                continue;
            }
            let (symbol, ticket) = (order.symbol as usize, order.ticket);
            let met = match self.row(symbol) {
                None => Err(Wait::NoBar),
                Some(row) if row < order.from_row => Err(Wait::NotYet),
                Some(_) if self.expires(index, at_close) => continue,
                Some(row) if !self.tradable(symbol, row) => Err(Wait::NoVolume),
                Some(row) if market => Ok((row, self.market_moment(), self.base_price(row))),
                Some(row) => self.meet(index, row, None).map(|(moment, price)| (row, moment, price)),
            };
            match met {
                Ok((row, moment, base)) => self.push_ready(index, row, moment, base),
                Err(wait) => self.note(Some(symbol as u32), ticket, Happening::Waits(wait)),
            }
        }
    }

    fn market_moment(&self) -> Moment {
        if self.settings.fill == FillAt::NextOpen { Moment::Open } else { Moment::Close }
    }

    fn push_ready(&mut self, index: usize, row: usize, moment: Moment, base: N) {
        let order = &self.w.book.orders[index];
        let priced = order.limit.is_some() || order.stop.is_some() || order.trail.is_some();
        let entry = Ready {
            index,
            symbol: order.symbol,
            row,
            moment,
            base,
            class: u8::from(!order.stops_loss()),
            buys: priced.then(|| self.would_buy(order)),
            settled: false,
            rank: order.rank,
            quantity: N::ZERO,
            value: N::ZERO,
        };
        self.w.book.ready.push(entry);
    }

    /// Removes an order whose time is over; true if it was.
    fn expires(&mut self, index: usize, at_close: bool) -> bool {
        let session = self.session();
        let order = &mut self.w.book.orders[index];
        let over = match order.time_in_force {
            TimeInForce::Gtc => false,
            TimeInForce::Day => *order.day.get_or_insert(session) < session,
            TimeInForce::Bars(bars) => {
                order.tried += 1;
                order.tried > bars.saturating_add(u32::from(at_close))
            }
        };
        if over {
            self.drop_order(index, Cancel::Expired);
        }
        over
    }

    fn prices(&self, row: usize) -> Bar<N> {
        let panel = self.panel;
        Bar {
            open: N::of(panel.open[row]),
            high: N::of(panel.high[row]),
            low: N::of(panel.low[row]),
            close: N::of(panel.close[row]),
        }
    }

    /// When the bar reaches an order that waits for a price, and at which price. `entered` is the entry of this
    /// bar that an exit closes, if it was in this bar.
    fn meet(&mut self, index: usize, row: usize, entered: Option<Ready<N>>) -> Met<N> {
        let bar = self.prices(row);
        let order = self.w.book.orders[index];
        let buys = self.would_buy(&order);
        let stop = match order.trail {
            Some(by) if buys => Some(self.on_tick_number(order.best + distance_of(by, order.best), false)),
            Some(by) => Some(self.on_tick_number(order.best - distance_of(by, order.best), true)),
            None => order.stop,
        };
        if self.settings.touch == Touch::Close {
            return self.meet_close(index, buys, stop, bar.close);
        }
        // After an entry inside the bar its open is past: what the price of the entry is beyond already fills there.
        let inside = entered.filter(|entry| entry.moment == Moment::Inside);
        let from = inside.map_or(bar.open, |entry| entry.base);
        let first = if inside.is_some() { Moment::Inside } else { Moment::Open };
        if let Some(stop) = stop.filter(|_| !order.woken) {
            let reached = if buys { bar.high >= stop } else { bar.low <= stop };
            if !reached {
                return Err(Wait::StopNotReached);
            }
            let gap = if buys { from >= stop } else { from <= stop };
            let met = if gap { (first, from) } else { (Moment::Inside, stop) };
            let Some(limit) = order.limit else { return Ok(self.exit_at(&order, met, bar)) };
            self.w.book.orders[index].woken = true;
            self.note(Some(order.symbol), order.ticket, Happening::Woken);
            return self.meet_stop_limit(buys, stop, limit, gap, bar);
        }
        let Some(limit) = order.limit else { return Err(Wait::NotYet) };
        let inside = if buys { bar.low <= limit } else { bar.high >= limit };
        let gap = if buys { from <= limit } else { from >= limit };
        match (gap, inside) {
            (true, _) => Ok(self.exit_at(&order, (first, from), bar)),
            (false, true) => Ok(self.exit_at(&order, (Moment::Inside, limit), bar)),
            _ => Err(Wait::LimitNotReached),
        }
    }

    /// A stop-limit order on the bar that reaches its stop.
    fn meet_stop_limit(&self, buys: bool, stop: N, limit: N, gap: bool, bar: Bar<N>) -> Met<N> {
        let inside = if buys { bar.low <= limit } else { bar.high >= limit };
        let allows = if buys { limit > stop } else { limit < stop };
        match self.settings.stop_limit_fill {
            StopLimitFill::AtStop if inside && allows => Ok((Moment::Inside, stop)),
            StopLimitFill::AtStop => Err(Wait::LimitAfterStop),
            StopLimitFill::Path if gap => {
                let at_once = if buys { bar.open <= limit } else { bar.open >= limit };
                match (at_once, inside) {
                    (true, _) => Ok((Moment::Open, bar.open)),
                    // The open is beyond the limit, so the price came back to it later.
                    (false, true) => Ok((Moment::Inside, limit)),
                    _ => Err(Wait::LimitAfterStop),
                }
            }
            // At the stop the limit allows to trade; otherwise nothing says that the price came back.
            StopLimitFill::Path if allows || limit == stop => Ok((Moment::Inside, stop)),
            StopLimitFill::Path => Err(Wait::LimitAfterStop),
        }
    }

    /// Orders that look at the close alone.
    fn meet_close(&mut self, index: usize, buys: bool, stop: Option<N>, close: N) -> Met<N> {
        let order = self.w.book.orders[index];
        if let Some(stop) = stop.filter(|_| !order.woken) {
            let reached = if buys { close >= stop } else { close <= stop };
            if !reached {
                return Err(Wait::StopNotReached);
            }
            self.w.book.orders[index].woken = true;
            if order.limit.is_some() {
                self.note(Some(order.symbol), order.ticket, Happening::Woken);
            }
        }
        match order.limit {
            None => Ok((Moment::Close, close)),
            Some(limit) if if buys { close <= limit } else { close >= limit } => Ok((Moment::Close, close)),
            Some(_) => Err(Wait::LimitNotReached),
        }
    }

    fn exit_at(&self, order: &Waiting<N>, met: (Moment, N), bar: Bar<N>) -> (Moment, N) {
        let at_close = self.settings.exit_fill == ExitFill::Close && order.leaves_at_level();
        if at_close { (Moment::Close, bar.close) } else { met }
    }

    fn on_tick_number(&self, price: N, rounds_down: bool) -> N {
        super::pricing::on_tick(self.settings.tick, price, rounds_down)
    }

    /// Tries the exits that came with a fill, from place `first` of the book on, against the rest of this bar.
    fn try_new_exits(&mut self, first: usize, entry: &Ready<N>, ready: &mut Vec<Ready<N>>) {
        let parent = self.w.book.orders[entry.index];
        let rests_at_limit = parent.limit.is_some() && parent.stop.is_none();
        let mut met_stop = false;
        // The stop decides whether a target may be tried: it is looked at first.
        let mut exits: Vec<usize> = (first..self.w.book.orders.len()).collect();
        exits.sort_by_key(|&index| self.w.book.orders[index].role == Role::TakeProfit);
        for index in exits {
            let target = self.w.book.orders[index].role == Role::TakeProfit;
            let timed = self.w.book.orders[index].role == Role::TimeStop;
            let tried = match (self.settings.entry_bar_exits, entry.moment) {
                (EntryBarExits::Never, _) | (_, Moment::Close) => false,
                (EntryBarExits::Path, Moment::Open) => true,
                (EntryBarExits::Path, Moment::Inside) => !(target && rests_at_limit),
                (EntryBarExits::Market, _) if parent.limit.is_some() => false,
                (EntryBarExits::Market, _) => parent.stop.is_none() || target && !met_stop,
            };
            // Whether the stop is touched must be known even where it waits itself.
            let market = self.settings.entry_bar_exits == EntryBarExits::Market;
            let looked_at = tried || market && parent.stop.is_some() && parent.limit.is_none();
            if timed || !looked_at {
                if !timed {
                    self.w.book.orders[index].from_row = entry.row + 1;
                }
                continue;
            }
            if self.w.book.orders[index].role == Role::StopLoss && self.w.book.orders[index].stop.is_none() {
                continue;
            }
            let met = self.meet(index, entry.row, Some(*entry));
            met_stop |= !target && met.is_ok();
            match met {
                Ok((moment, base)) if tried => {
                    self.push_ready(index, entry.row, moment, base);
                    ready.append(&mut self.w.book.ready);
                }
                Ok(_) => self.w.book.orders[index].from_row = entry.row + 1,
                Err(wait) => {
                    let (symbol, ticket) = (self.w.book.orders[index].symbol, self.w.book.orders[index].ticket);
                    self.note(Some(symbol), ticket, Happening::Waits(wait));
                }
            }
        }
    }

    /// Lets finer bars, where there are any, say whether a stop or the target beside it was touched first.
    fn settle_exits(&self, ready: &mut [Ready<N>]) {
        let Some(fine) = self.panel.fine.as_ref().filter(|_| self.settings.resolve) else { return };
        for place in 0..ready.len() {
            let target = &self.w.book.orders[ready[place].index];
            let Some(limit) = target.limit.filter(|_| target.role == Role::TakeProfit) else { continue };
            let beside = (0..ready.len()).find(|&other| {
                let order = &self.w.book.orders[ready[other].index];
                ready[other].class == 0 && order.group == target.group && ready[other].moment == Moment::Inside
            });
            let Some(beside) = beside.filter(|_| ready[place].moment == Moment::Inside) else { continue };
            let (stop, sells) = (ready[beside].base, !self.would_buy(target));
            let mut first = None;
            for row in fine.rows(ready[place].row) {
                let (high, low) = (N::of(fine.high[row]), N::of(fine.low[row]));
                let open = N::of(fine.open[row]);
                let (stopped, reached) =
                    if sells { (low <= stop, high >= limit) } else { (high >= stop, low <= limit) };
                let opened_beyond = if sells { open >= limit } else { open <= limit };
                let opened_behind = if sells { open <= stop } else { open >= stop };
                first = match (stopped, reached) {
                    (false, false) => continue,
                    (true, true) if opened_beyond => Some(true),
                    (true, true) if opened_behind => Some(false),
                    // Not even this bar tells.
                    (true, true) => None,
                    (_, reached) => Some(reached),
                };
                break;
            }
            let Some(target_first) = first else { continue };
            (ready[place].settled, ready[beside].settled) = (true, true);
            if target_first {
                (ready[place].class, ready[beside].class) = (0, 1);
                // One queue goes by rank alone.
                let ranks = (ready[beside].rank, ready[place].rank);
                (ready[place].rank, ready[beside].rank) = ranks;
            }
        }
    }

    /// Counts a bar in which a stop and a target of one position were both inside, with nothing to say which was first.
    fn count_ambiguous(&mut self, entry: &Ready<N>, rest: &[Ready<N>]) {
        let order = self.w.book.orders[entry.index];
        if entry.moment != Moment::Inside || !order.role.is_exit() || entry.settled {
            return;
        }
        let other = rest.iter().any(|other| {
            let beside = &self.w.book.orders[other.index];
            other.moment == Moment::Inside && beside.group == order.group && !beside.done
        });
        if other {
            self.w.counters.ambiguous_bars += 1;
            self.note(Some(order.symbol), order.ticket, Happening::Ambiguous);
        }
    }

    /// Sizes what is sized at the fill, and values orders where they are sorted by value.
    fn size_all(&mut self, ready: &mut [Ready<N>]) {
        // Orders that were sized at the decision ask for no equity.
        let late = self.settings.size_at != SizeAt::Decision;
        let equity = if late { self.equity_at_fill() } else { N::UNDEFINED };
        for entry in ready {
            let order = &self.w.book.orders[entry.index];
            let held = self.w.account.quantities[entry.symbol as usize];
            (entry.quantity, entry.value) = match order.amount {
                Amount::Units(units) => (units, units * entry.base),
                Amount::Close => (-held, -held * entry.base),
                Amount::Later(size) => {
                    let measure = self.measure_at_fill(order, entry.base, equity);
                    let value = sizing::value(size, measure);
                    // Only its side is known before its turn comes.
                    let later = matches!(size, Size::BuyingPower(_));
                    (if later { value } else { sizing::units(self.settings, size, measure) }, value)
                }
            };
        }
    }

    pub(super) fn measure_at_fill(&self, order: &Waiting<N>, price: N, equity: N) -> sizing::Measure<N> {
        let symbol = order.symbol as usize;
        let held = self.w.account.quantities[symbol];
        sizing::Measure { equity, price, held, risk: N::UNDEFINED, sigma: N::UNDEFINED }
    }

    /// Equity with every symbol that has a bar valued at the price of this bar's fills.
    pub(super) fn equity_at_fill(&self) -> N {
        let account = &self.w.account;
        let mut equity = account.cash;
        for (symbol, (quantity, close)) in account.quantities.iter().zip(&account.closes).enumerate() {
            let price = self.row(symbol).map_or_else(|| N::of(*close), |row| self.base_price(row));
            equity = equity + *quantity * price;
        }
        equity
    }

    /// The row from which the exits of an entry that filled at `moment` are tried.
    pub(super) fn exits_from(&self, row: usize, moment: Moment) -> usize {
        let now = moment == Moment::Open && self.settings.entry_bar_exits != EntryBarExits::Never;
        if now { row } else { row + 1 }
    }

    /// What distances of exits are measured from.
    pub(super) fn entry_level(&self, price: N, base: N) -> N {
        if self.settings.levels_from == LevelsFrom::Fill { price } else { base }
    }

    /// Takes an order off the book because it cannot be filled.
    pub(super) fn refuse(&mut self, index: usize, limit: Limit) {
        let order = &mut self.w.book.orders[index];
        order.done = true;
        let (symbol, ticket) = (order.symbol, order.ticket);
        if limit != Limit::Nothing {
            self.w.counters.rejected_orders += 1;
        }
        self.note(Some(symbol), ticket, Happening::Refused(limit));
    }
}

/// Brings the orders that a bar reaches into the order of their execution: by moment, then as the settings say. In the
/// queue, age alone decides.
fn sort<N: Number>(settings: &Settings, ready: &mut [Ready<N>]) {
    if ready.len() < 2 {
        return;
    }
    let by_value = |a: &Ready<N>, b: &Ready<N>| a.value.float().total_cmp(&b.value.float());
    ready.sort_by(|a, b| {
        let moment = || a.moment.cmp(&b.moment);
        let rest = || a.symbol.cmp(&b.symbol).then(a.class.cmp(&b.class)).then(a.rank.cmp(&b.rank));
        match settings.sequence {
            Sequence::Queue => a.rank.cmp(&b.rank),
            Sequence::SellsFirst => {
                moment().then_with(|| (a.quantity > N::ZERO).cmp(&(b.quantity > N::ZERO))).then_with(rest)
            }
            Sequence::Symbol => moment().then_with(rest),
            Sequence::ByValue => moment().then_with(|| by_value(a, b)).then_with(rest),
        }
    });
}
