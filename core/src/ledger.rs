//! What an account did: fills, and the round trips that they make first-in-first-out.

/// One execution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fill {
    /// Index of the bar on the run's timeline.
    pub bar: u32,
    /// Index of the symbol in the panel.
    pub symbol: u32,
    /// Signed quantity: positive buys.
    pub quantity: f64,
    /// Price paid or received for one unit, slippage included.
    pub price: f64,
    /// Commission charged for this fill.
    pub fee: f64,
}

/// One round trip (or, if `open`, the part of one that the last bar left open, marked at its last close).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trade {
    /// Index of the symbol in the panel.
    pub symbol: u32,
    /// Signed quantity: positive for long.
    pub quantity: f64,
    /// Bar of the entry fill.
    pub entry_bar: u32,
    /// Bar of the exit fill (of the mark, if open).
    pub exit_bar: u32,
    /// Entry price per unit.
    pub entry_price: f64,
    /// Exit price per unit (the last close, if open).
    pub exit_price: f64,
    /// Commissions of the entry, in proportion to the quantity, plus those of the exit.
    pub fees: f64,
    /// `quantity × (exit − entry) − fees`.
    pub profit: f64,
    /// Whether the position was still open at the end.
    pub open: bool,
}
