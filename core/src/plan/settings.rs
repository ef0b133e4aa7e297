//! The switches of one simulation, as `fill = "next_open"` and its neighbours in a study file set them.
//!
//! Given nothing, this file gives plain values that an engine copies into its loop. It never knows how they are used.

use serde::Serialize;

/// A closed set of words of the study file.
pub trait Words: Copy + Sized + 'static {
    /// All values with their spelling, the default first.
    const ALL: &'static [(&'static str, Self)];
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl Words for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($word, $name::$variant)),+];
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ALL[0].1
            }
        }

        impl $name {
            /// The word for this value in a study file.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }
    };
}

words! {
    /// At which price an order fills that was decided at a bar's close.
    Fill {
        /// At the next bar's open.
        NextOpen = "next_open",
        /// At the next bar's close.
        NextClose = "next_close",
        /// At the close that the decision saw.
        SameClose = "same_close",
    }
}

words! {
    /// When a weight or a fraction of equity becomes a number of units.
    SizeAt {
        /// At the decision, from the close and the equity that it saw.
        Decision = "decision",
        /// At the fill, from the price and the equity there.
        Fill = "fill",
        /// At the fill, one order after the other: from the price and the equity that the bar's earlier fills left.
        Order = "order",
    }
}

words! {
    /// In which order the orders of one bar are filled.
    Sequence {
        /// Sells before buys, then symbol order, then age.
        SellsFirst = "sells_first",
        /// By signed change of value, the most negative first, then symbol order.
        ByValue = "by_value",
        /// Symbol order, then age.
        Symbol = "symbol",
    }
}

words! {
    /// What limits a purchase.
    Margin {
        /// Cash: a buy is cut to what cash pays, commissions included.
        Cash = "cash",
        /// Nothing: cash may go negative.
        None = "none",
    }
}

words! {
    /// Which fills pay half the spread.
    SpreadOn {
        /// Every fill.
        Both = "both",
        /// Only fills that open or enlarge a position.
        Entry = "entry",
    }
}

words! {
    /// Where indicators start.
    Warmup {
        /// On the bundle's bars before the first date, as many as the strategy looks back.
        Auto = "auto",
        /// Cold, on the first bar of the dates.
        None = "none",
    }
}

words! {
    /// Which points of the space become trials.
    Method {
        /// All of them, in the order of their index.
        Grid = "grid",
        /// One: parameters that `[space]` does not fix have their default.
        Single = "single",
    }
}

words! {
    /// Which end of a metric is wanted.
    Direction {
        /// The largest value.
        Max = "max",
        /// The smallest value.
        Min = "min",
    }
}

/// What trading costs. All are at least 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Costs {
    /// Commission in money for each unit.
    pub per_share: f64,
    /// Least sum of `per_share` for one order, in money.
    pub per_share_minimum: f64,
    /// Commission in money for each order.
    pub per_trade: f64,
    /// Commission in basis points (1/10,000) of the value traded.
    pub bps: f64,
    /// Full spread as a fraction of the price; a buy pays half of it above, a sell half of it below.
    pub spread: f64,
    /// Which fills pay the spread.
    pub spread_on: SpreadOn,
    /// Slippage in basis points of the price, against the order.
    pub slippage_bps: f64,
}

/// Everything that the simulation of one trial is told besides prices and parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// Initial cash, in money, above 0.
    pub capital: f64,
    /// Price of fills.
    pub fill: Fill,
    /// When sizes are fixed.
    pub size_at: SizeAt,
    /// Order of the fills of one bar.
    pub sequence: Sequence,
    /// Whether positions may be negative.
    pub shorts: bool,
    /// What limits purchases.
    pub margin: Margin,
    /// Whether quantities may be fractions; if not, they are whole lots.
    pub fractional: bool,
    /// Units of one lot, above 0; 1 and without effect while `fractional`.
    pub lot: f64,
    /// Whether a quantity within 1e-4 of a whole number of lots counts as whole, so that 99.99999 is not cut to 99.
    pub lot_snap: bool,
    /// Whether a size in equity counts the costs of the entry, so that the whole of it can be paid.
    pub size_includes_costs: bool,
    /// Whether a bar without volume fills orders all the same.
    pub fill_without_volume: bool,
    /// Whether a sale whose proceeds do not cover its commission is refused.
    pub refuse_unpaid_sales: bool,
    /// Whether the last bar closes every position.
    pub close_at_end: bool,
    /// Whether that happens at the last bar's open instead of its close.
    pub end_at_open: bool,
    /// What trading costs.
    pub costs: Costs,
    /// Yearly rate of return without risk, as a fraction; for the metrics.
    pub risk_free: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            capital: 100_000.0,
            fill: Fill::default(),
            size_at: SizeAt::default(),
            sequence: Sequence::default(),
            shorts: true,
            margin: Margin::default(),
            fractional: true,
            lot: 1.0,
            lot_snap: true,
            size_includes_costs: false,
            fill_without_volume: false,
            refuse_unpaid_sales: false,
            close_at_end: false,
            end_at_open: false,
            costs: Costs::default(),
            risk_free: 0.0,
        }
    }
}
