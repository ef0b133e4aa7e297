//! What an account did: fills, cash flows without a fill, and the round trips that fills make first-in-first-out.
//!
//! Amounts are of type `N`: `f64`, or the decimal numbers of a verification.

/// One execution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fill<N = f64> {
    /// Index of the bar on the run's timeline.
    pub bar: u32,
    /// Index of the symbol in the panel.
    pub symbol: u32,
    /// Signed quantity: positive buys.
    pub quantity: N,
    /// Price paid or received for one unit, slippage included.
    pub price: N,
    /// Commission charged for this fill.
    pub fee: N,
}

/// Why cash or a position changed without a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowKind {
    /// A cash dividend was paid (by a short position: paid out).
    Dividend,
    /// A split changed the units held, and paid out the fraction of a unit that was left.
    Split,
    /// Interest on cash, earned or paid.
    Interest,
    /// The fee for borrowed shares.
    Borrow,
    /// The debt of a ruined account was forgiven.
    Forgiven,
}

/// A change of cash or position without a fill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow<N = f64> {
    /// Index of the bar on the run's timeline before whose fills it was booked.
    pub bar: u32,
    /// Index of the symbol in the panel; `None` for the account as a whole.
    pub symbol: Option<u32>,
    /// Why.
    pub kind: FlowKind,
    /// Money received (paid, if negative).
    pub cash: N,
    /// Units received.
    pub units: N,
}

/// One round trip (or, if `open`, the part of one that the last bar left open, marked at its last close).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trade<N = f64> {
    /// Index of the symbol in the panel.
    pub symbol: u32,
    /// Signed quantity: positive for long. After a split, in new units.
    pub quantity: N,
    /// Bar of the entry fill.
    pub entry_bar: u32,
    /// Bar of the exit fill (of the mark, if open).
    pub exit_bar: u32,
    /// Entry price per unit. After a split, per new unit.
    pub entry_price: N,
    /// Exit price per unit (the last close, if open).
    pub exit_price: N,
    /// Commissions of the entry, in proportion to the quantity, plus those of the exit.
    pub fees: N,
    /// `quantity × (exit − entry) − fees`.
    pub profit: N,
    /// Whether the position was still open at the end.
    pub open: bool,
}
