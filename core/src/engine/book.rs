//! The open orders of a run.

use super::account::Account;
use super::desk::distance_of;
use super::event::OpenOrder;
use super::number::Number;
use super::order::{Bracket, Distance, Size, TimeInForce};
use super::pricing::{self, Charge};

/// How much an open order is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Amount<N> {
    /// Signed units that are left to fill.
    Units(N),
    /// Fixed when it fills.
    Later(Size),
    /// All of the position, or of the lots that the order closes.
    Close,
}

/// What an order is to the position of its symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Placed by the strategy.
    Strategy,
    /// Stop-loss of an entry.
    StopLoss,
    /// Trailing stop of an entry.
    TrailingStop,
    /// Take-profit of an entry.
    TakeProfit,
    /// Closing of an entry after some bars.
    TimeStop,
    /// Closing at the end of the session.
    SessionEnd,
    /// Forced by the margin rule.
    Liquidation,
}

impl Role {
    /// Whether it came with the fill of an entry.
    pub(super) fn is_exit(self) -> bool {
        matches!(self, Role::StopLoss | Role::TrailingStop | Role::TakeProfit | Role::TimeStop)
    }
}

/// An open order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting<N> {
    pub ticket: u32,
    pub symbol: u32,
    pub amount: Amount<N>,
    pub limit: Option<N>,
    pub stop: Option<N>,
    /// Distance at which the stop follows `best`.
    pub trail: Option<Distance>,
    /// Best price since a trailing stop was placed, or since the entry of an exit.
    pub best: N,
    /// Whether its stop was reached.
    pub woken: bool,
    /// Place in the queue: younger orders are behind older ones, exits may stand in front.
    pub rank: i64,
    /// Bar of its placing.
    pub placed: u32,
    /// Row from which it may be tried.
    pub from_row: usize,
    pub time_in_force: TimeInForce,
    /// Session in which it can first be filled.
    pub day: Option<i32>,
    /// Bars in which it was tried.
    pub tried: u32,
    /// Orders with the same number cancel each other; 0 for none.
    pub group: u32,
    /// The order whose lots it closes; 0 for any.
    pub closes: u32,
    pub reverses: bool,
    pub role: Role,
    pub bracket: Bracket,
    /// Entry price that its distances were measured from, for exits.
    pub entry: N,
    pub charge: Charge<N>,
    /// Filled or cancelled, and about to be removed.
    pub done: bool,
}

impl<N> Waiting<N> {
    /// Whether it waits at a price to end or reverse a position: an exit that came with an entry, or an order like one.
    pub fn leaves_at_level(&self) -> bool {
        let waits = self.limit.is_some() || self.stop.is_some() || self.trail.is_some();
        waits && (self.role.is_exit() || self.reverses || self.empties())
    }

    /// Whether it ends a position that goes wrong.
    pub fn stops_loss(&self) -> bool {
        let stop = self.stop.is_some() || self.trail.is_some();
        matches!(self.role, Role::StopLoss | Role::TrailingStop)
            || self.limit.is_none() && stop && (self.reverses || self.empties())
    }

    /// Whether nothing is left of the position after it.
    fn empties(&self) -> bool {
        match self.amount {
            Amount::Close => true,
            Amount::Later(Size::TargetShares(x) | Size::TargetValue(x) | Size::TargetPercent(x)) => x == 0.0,
            Amount::Later(_) | Amount::Units(_) => false,
        }
    }
}

impl<N: Number> Waiting<N> {
    /// Whether it buys; `None` where that depends on what is held when it fills.
    fn buys(&self, account: &Account<N>) -> Option<bool> {
        let symbol = self.symbol as usize;
        match self.amount {
            Amount::Units(units) => Some(units > N::ZERO),
            Amount::Close if self.closes != 0 => Some(account.left_of(symbol, self.closes) < N::ZERO),
            Amount::Close => Some(account.quantities[symbol] < N::ZERO),
            Amount::Later(size) => match size {
                Size::Shares(x) | Size::Value(x) | Size::Percent(x) => Some(x > 0.0),
                Size::BuyingPower(x) | Size::Risk(x) | Size::Volatility(x) => Some(x > 0.0),
                Size::TargetShares(_) | Size::TargetValue(_) | Size::TargetPercent(_) | Size::Close => None,
            },
        }
    }

    /// The order as others may see it.
    pub fn shown(&self, account: &Account<N>, tick: f64) -> OpenOrder<N> {
        let buys = self.buys(account);
        let trailing = self.trail.zip(buys).map(|(by, buys)| {
            let distance = distance_of(by, self.best);
            let level = if buys { self.best + distance } else { self.best - distance };
            pricing::on_tick(tick, level, !buys)
        });
        OpenOrder {
            ticket: self.ticket,
            symbol: self.symbol,
            role: self.role,
            buys,
            units: if let Amount::Units(units) = self.amount { Some(units) } else { None },
            size: if let Amount::Later(size) = self.amount { Some(size) } else { None },
            limit: self.limit,
            stop: if self.trail.is_some() { trailing } else { self.stop },
            trail: self.trail,
            break_even: self.bracket.break_even,
            woken: self.woken,
            time_in_force: self.time_in_force,
            tried: self.tried,
            placed: self.placed,
            from_row: self.from_row,
        }
    }
}

/// The moment of a bar at which an order fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// At its first price.
    Open,
    /// When the price gets there.
    Inside,
    /// At its last price.
    Close,
}

/// An order that this bar can fill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready<N> {
    /// Place in the book.
    pub index: usize,
    pub symbol: u32,
    pub row: usize,
    pub moment: Moment,
    /// The market's price.
    pub base: N,
    /// What must happen first where the moment does not tell: 0 for stops against a position, 1 for the rest; a target
    /// that finer bars put before its stop changes places with it.
    pub class: u8,
    /// The side on which a price was reached; `None` for market orders.
    pub buys: Option<bool>,
    /// Whether finer bars decided between it and the exit beside it.
    pub settled: bool,
    pub rank: i64,
    pub quantity: N,
    /// Money that the order moves, before lots and cash cut it.
    pub value: N,
}

/// The open orders of a run, oldest first. Reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(super) struct Book<N> {
    pub orders: Vec<Waiting<N>>,
    pub ready: Vec<Ready<N>>,
    last_ticket: u32,
    last_rank: i64,
    first_rank: i64,
    last_group: u32,
}

impl<N: Number> Book<N> {
    pub fn reset(&mut self) {
        self.orders.clear();
        self.ready.clear();
        self.last_ticket = 0;
        self.last_rank = 0;
        self.first_rank = 0;
        self.last_group = 0;
    }

    pub fn next_ticket(&mut self) -> u32 {
        self.last_ticket += 1;
        self.last_ticket
    }

    pub fn next_group(&mut self) -> u32 {
        self.last_group += 1;
        self.last_group
    }

    /// The rank behind all others, or in front of them.
    pub fn next_rank(&mut self, in_front: bool) -> i64 {
        if in_front {
            self.first_rank -= 1;
            self.first_rank
        } else {
            self.last_rank += 1;
            self.last_rank
        }
    }

    /// A plain market order.
    pub fn market(&mut self, symbol: u32, amount: Amount<N>, placed: u32) -> Waiting<N> {
        Waiting {
            ticket: self.next_ticket(),
            symbol,
            amount,
            limit: None,
            stop: None,
            trail: None,
            best: N::ZERO,
            woken: false,
            rank: self.next_rank(false),
            placed,
            from_row: 0,
            time_in_force: TimeInForce::Gtc,
            day: None,
            tried: 0,
            group: 0,
            closes: 0,
            reverses: false,
            role: Role::Strategy,
            bracket: Bracket::default(),
            entry: N::ZERO,
            charge: Charge::default(),
            done: false,
        }
    }

    /// The open order with this ticket.
    pub fn find(&self, ticket: u32) -> Option<usize> {
        self.orders.iter().position(|order| order.ticket == ticket && !order.done)
    }

    /// Units that the open orders of a symbol would trade, those that are sized.
    pub fn open_units(&self, symbol: u32) -> N {
        let own = self.orders.iter().filter(|order| order.symbol == symbol && !order.done && !order.role.is_exit());
        own.fold(N::ZERO, |sum, order| if let Amount::Units(units) = order.amount { sum + units } else { sum })
    }
}
