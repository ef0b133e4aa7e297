//! What happened to orders and cash, noted on request: the answer to "why did it not fill?".

use serde::Serialize;

use super::book::Role;
use super::number::Number;
use super::order::{Distance, Kind, Size, TimeInForce};
use crate::ledger::{Fill, FlowKind};

/// Something that happened at a bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<N = f64> {
    /// Index of the bar on the run's timeline.
    pub bar: u32,
    /// Index of the symbol in the panel; `None` for the account as a whole.
    pub symbol: Option<u32>,
    /// The order that it happened to; 0 if to none.
    pub ticket: u32,
    /// What it was.
    pub what: Happening<N>,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Happening<N = f64> {
    /// An order was placed.
    Placed {
        /// Who placed it.
        role: Role,
        /// At what price it may fill.
        kind: Kind,
        /// How much it is for, as asked.
        size: Size,
        /// Signed units, if they are fixed already.
        units: Option<N>,
    },
    /// An open order could not fill.
    Waits(Wait),
    /// The stop of a stop-limit order was reached: it is a limit order from now on.
    Woken,
    /// An order was cut.
    Cut {
        /// Units before.
        from: N,
        /// Units after.
        to: N,
        /// Why.
        limit: Limit,
    },
    /// An order was refused and is gone.
    Refused(Limit),
    /// An order is gone without a fill.
    Cancelled(Cancel),
    /// An order filled, in part if some is left.
    Filled {
        /// The execution.
        fill: Fill<N>,
        /// The market's price, before slippage and impact.
        market: N,
        /// Signed units still open.
        left: N,
    },
    /// Cash or position changed without a fill.
    Flow {
        /// Why.
        kind: FlowKind,
        /// Money received.
        cash: N,
        /// Units received.
        units: N,
    },
    /// A stop and a target were both inside the bar, and nothing says which came first.
    Ambiguous,
    /// The rules asked for something that led to no order, or for nothing.
    Idle(Idle),
}

impl<N: Number> Event<N> {
    /// The same event in floats.
    pub fn float(&self) -> Event {
        let fill_of = |fill: &Fill<N>| Fill {
            bar: fill.bar,
            symbol: fill.symbol,
            quantity: fill.quantity.float(),
            price: fill.price.float(),
            fee: fill.fee.float(),
        };
        let what = match &self.what {
            Happening::Placed { role, kind, size, units } => {
                Happening::Placed { role: *role, kind: *kind, size: *size, units: units.map(N::float) }
            }
            Happening::Waits(wait) => Happening::Waits(*wait),
            Happening::Woken => Happening::Woken,
            Happening::Cut { from, to, limit } => Happening::Cut { from: from.float(), to: to.float(), limit: *limit },
            Happening::Refused(limit) => Happening::Refused(*limit),
            Happening::Cancelled(why) => Happening::Cancelled(*why),
            Happening::Filled { fill, market, left } => {
                Happening::Filled { fill: fill_of(fill), market: market.float(), left: left.float() }
            }
            Happening::Flow { kind, cash, units } => {
                Happening::Flow { kind: *kind, cash: cash.float(), units: units.float() }
            }
            Happening::Ambiguous => Happening::Ambiguous,
            Happening::Idle(idle) => Happening::Idle(*idle),
        };
        Event { bar: self.bar, symbol: self.symbol, ticket: self.ticket, what }
    }
}

/// An order as it stands in the book.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenOrder<N = f64> {
    /// Its ticket.
    pub ticket: u32,
    /// Index of the symbol in the panel.
    pub symbol: u32,
    /// What it is to the position.
    pub role: Role,
    /// Whether it buys; `None` while its size is not fixed and depends on what is held.
    pub buys: Option<bool>,
    /// Signed units that are left to fill, if they are fixed: an exit closes whatever is left of its entry.
    pub units: Option<N>,
    /// What it asks for, if its units are fixed at the fill only.
    pub size: Option<Size>,
    /// Limit price.
    pub limit: Option<N>,
    /// Stop price; of a trailing stop where it stands now.
    pub stop: Option<N>,
    /// Distance at which the stop follows the best price.
    pub trail: Option<Distance>,
    /// Profit at which the stop moves to the entry's price, while that is ahead.
    pub break_even: Option<Distance>,
    /// Whether its stop was reached, so that it is a limit order now.
    pub woken: bool,
    /// How long it stays open.
    pub time_in_force: TimeInForce,
    /// Bars in which it was tried, if it stays open for a number of bars.
    pub tried: u32,
    /// Index of the bar of its placing on the run's timeline.
    pub placed: u32,
    /// First row of the panel at which it can fill; 0 for any.
    pub from_row: usize,
}

/// Why an open order did not fill at a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// The symbol has no bar.
    NoBar,
    /// Nothing was traded in the bar.
    NoVolume,
    /// The account traded all that it may of the bar's volume.
    VolumeLimit,
    /// The price did not reach the limit.
    LimitNotReached,
    /// The price did not reach the stop.
    StopNotReached,
    /// The stop was reached, the limit after it was not, as far as the bar tells.
    LimitAfterStop,
    /// Slippage made the price worse than the limit.
    BeyondLimit,
    /// It is not open yet.
    NotYet,
}

/// What cut or refused an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Cash does not pay for it.
    Cash,
    /// Equity does not carry it.
    Margin,
    /// Short positions are not allowed.
    NoShorts,
    /// The bar's volume; the rest stays open.
    Volume,
    /// `max_positions`.
    MaxPositions,
    /// `max_weight`.
    MaxWeight,
    /// `max_leverage`.
    MaxLeverage,
    /// `max_order`.
    MaxOrder,
    /// `min_order`.
    MinOrder,
    /// There is nothing to trade: not a whole lot, or nothing left to close.
    Nothing,
    /// Size or price is not a number, or not positive where it must be.
    Undefined,
    /// The proceeds do not pay the commission.
    UnpaidSale,
    /// Entries are not allowed at this time of day.
    TradeWindow,
    /// The account was ruined.
    Ruined,
}

/// Why rules placed no order for a symbol at a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Idle {
    /// The target is undefined.
    TargetUndefined,
    /// The target is the one that was last acted upon.
    TargetUnchanged,
    /// It is not the time to rebalance.
    NotRebalanced,
    /// The position is at its target already.
    TargetReached,
    /// An entry is wanted, but a position is held, as large as entries may make it.
    Held,
    /// An entry is wanted, but an order of the symbol is still open.
    Pending,
    /// Both sides are to be entered at once, which says nothing.
    BothSides,
    /// An exit and an entry on the same side at once: the exit wins.
    ExitWins,
    /// An entry is wanted, but its size is undefined or not positive.
    Size,
    /// An entry is wanted, but its price or one of its exits is undefined or not positive.
    Level,
}

/// Why an order went without a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancel {
    /// The strategy cancelled it.
    ByStrategy,
    /// A newer order or an exit took its place.
    Replaced,
    /// The order beside it filled.
    Oco,
    /// What it would close is gone.
    PositionClosed,
    /// Its time was over.
    Expired,
    /// The symbol disappeared.
    Delisted,
}
