//! What a strategy may ask for: an order, and the exits that its fill brings with it.
//!
//! Given nothing, this file gives plain values. What becomes of them is the simulator's business.

use serde::Serialize;

/// Names an order of one run; tickets count from 1 in the order of placing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ticket(pub u32);

/// At what price an order may fill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// At the market's.
    #[default]
    Market,
    /// At this price or a better one.
    Limit(f64),
    /// At the market's, once the market reaches this price from the other side.
    Stop(f64),
    /// As a limit order, once the market reaches the stop.
    StopLimit {
        /// What wakes it.
        stop: f64,
        /// What it then waits for.
        limit: f64,
    },
    /// A stop that follows the best price since it was placed at this distance.
    Trailing(Distance),
}

/// A distance from a price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// In money.
    Amount(f64),
    /// As a fraction of the price.
    Fraction(f64),
}

/// A price, or a distance from the price of the entry on the side that the exit needs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// This price.
    Price(f64),
    /// This far from the entry.
    From(Distance),
}

/// How much an order is for. Positive buys, negative sells; a *target* is the position to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Units.
    Shares(f64),
    /// Money.
    Value(f64),
    /// Fraction of equity.
    Percent(f64),
    /// Fraction of what the account can still spend: cash, or under `reg_t` what equity still carries. What a sale can
    /// spend is the long position, and what its proceeds and cash sell short beyond it; the proceeds of other short
    /// sales, and as much again, do not count.
    BuyingPower(f64),
    /// Fraction of equity that is lost if the order's stop-loss is hit.
    Risk(f64),
    /// Fraction of equity that the position may move by in a year, one standard deviation, judged by 20 bars.
    Volatility(f64),
    /// Position in units.
    TargetShares(f64),
    /// Position in money.
    TargetValue(f64),
    /// Position as a fraction of equity.
    TargetPercent(f64),
    /// The whole position, or all that is left of the lots that [`Order::closes`] names.
    Close,
}

/// How long an order stays open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeInForce {
    /// Until it is cancelled.
    #[default]
    Gtc,
    /// Until the end of the first session in which it can be filled.
    Day,
    /// For this many bars of its symbol.
    Bars(u32),
}

/// Exits that come to life when an entry fills, and cancel each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bracket {
    /// Stop order against the position.
    pub stop_loss: Option<Level>,
    /// Limit order that takes the profit.
    pub take_profit: Option<Level>,
    /// Stop that follows the best price since the entry.
    pub trailing: Option<Distance>,
    /// Profit at which the stop-loss moves to the entry's price (one is made if there is none).
    pub break_even: Option<Distance>,
    /// Bars after which the position is closed at the market.
    pub time_stop: Option<u32>,
}

impl Bracket {
    /// Whether there is no exit at all.
    pub fn is_empty(&self) -> bool {
        *self == Bracket::default()
    }
}

/// An order to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Order {
    /// Index of the symbol in the panel.
    pub symbol: usize,
    /// How much.
    pub size: Size,
    /// At what price.
    pub kind: Kind,
    /// How long it stays open.
    pub time_in_force: TimeInForce,
    /// What its fill brings with it.
    pub bracket: Bracket,
    /// An order that is cancelled when this one fills, and the other way round.
    pub oco: Option<Ticket>,
    /// The order whose lots it closes, and no others.
    pub closes: Option<Ticket>,
    /// Whether an order against the position first closes it and is then for its full size beyond.
    pub reverses: bool,
}

impl Order {
    /// A market order.
    pub fn market(symbol: usize, size: Size) -> Order {
        Order {
            symbol,
            size,
            kind: Kind::Market,
            time_in_force: TimeInForce::Gtc,
            bracket: Bracket::default(),
            oco: None,
            closes: None,
            reverses: false,
        }
    }

    /// The same order with a limit price; one with a stop becomes a stop-limit order.
    #[must_use]
    pub fn limit(self, limit: f64) -> Order {
        let kind = match self.kind {
            Kind::Stop(stop) | Kind::StopLimit { stop, .. } => Kind::StopLimit { stop, limit },
            _ => Kind::Limit(limit),
        };
        Order { kind, ..self }
    }

    /// The same order with a stop price; one with a limit becomes a stop-limit order.
    #[must_use]
    pub fn stop(self, stop: f64) -> Order {
        let kind = match self.kind {
            Kind::Limit(limit) | Kind::StopLimit { limit, .. } => Kind::StopLimit { stop, limit },
            _ => Kind::Stop(stop),
        };
        Order { kind, ..self }
    }

    /// The same order as a trailing stop.
    #[must_use]
    pub fn trailing(self, by: Distance) -> Order {
        Order { kind: Kind::Trailing(by), ..self }
    }

    /// The same order with exits.
    #[must_use]
    pub fn bracket(self, bracket: Bracket) -> Order {
        Order { bracket, ..self }
    }

    /// The same order, open for the next session only.
    #[must_use]
    pub fn day(self) -> Order {
        Order { time_in_force: TimeInForce::Day, ..self }
    }

    /// The same order, open for some bars.
    #[must_use]
    pub fn bars(self, bars: u32) -> Order {
        Order { time_in_force: TimeInForce::Bars(bars), ..self }
    }

    /// The same order; when it or `other` fills, the other one is cancelled.
    #[must_use]
    pub fn oco(self, other: Ticket) -> Order {
        Order { oco: Some(other), ..self }
    }

    /// The same order, closing only what `entry` opened.
    #[must_use]
    pub fn closing(self, entry: Ticket) -> Order {
        Order { closes: Some(entry), ..self }
    }
}
