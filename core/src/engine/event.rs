//! What happened to orders and cash, noted on request: the answer to "why did it not fill?".

use serde::Serialize;

use super::book::Role;
use super::order::{Kind, Size};
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
