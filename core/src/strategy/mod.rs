//! Strategies as data: source text becomes a checked [`Strategy`].
//!
//! Given text, this room gives typed columns, parameters and rules. It never knows data or orders.
//!
//! ```text
//! file ─▶ TOML table ─▶ expressions: tokens ─▶ tree ─▶ checked nodes of one shared Program
//! ```
#![doc = include_str!("../../LANGUAGE.md")]

mod arithmetic;
mod builder;
mod builtins;
mod calls;
mod check;
mod display;
mod domain;
mod file;
mod gallery;
mod history;
mod lexer;
mod param;
mod parser;
mod program;
mod scalar;
mod source;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod properties;

use serde::{Deserialize, Serialize};

pub use builtins::{BUILTINS, Builtin, Meaning, builtin};
pub use gallery::{from_gallery, gallery};
pub use program::{
    BinaryOp, CalendarFunction, CrossSection, Function, Kind, Node, NodeId, NodeType, Period, Program, StateVar,
};
pub use scalar::{ScalarExpr, parse_scalar, parse_scalar_condition};

/// The values that a parameter may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Domain {
    /// Whole numbers `min, min + step, … max`.
    Int {
        /// Smallest.
        min: i64,
        /// Largest, reached exactly.
        max: i64,
        /// Distance, at least 1.
        #[serde(default = "one")]
        step: i64,
    },
    /// Numbers; a grid needs `step`.
    Float {
        /// Smallest.
        min: f64,
        /// Largest, reached exactly (within rounding) when there is a step.
        max: f64,
        /// Distance; none means continuous.
        #[serde(default)]
        step: Option<f64>,
        /// Even on a linear or on a logarithmic scale (continuous ones only).
        #[serde(default)]
        scale: Scale,
    },
    /// The listed numbers, in this order.
    Choice {
        /// The values.
        values: Vec<f64>,
    },
    /// `false`, `true`.
    Bool,
}

fn one() -> i64 {
    1
}

/// Scale of a continuous parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Even in the value.
    #[default]
    Linear,
    /// Even in its logarithm.
    Log,
}

/// A declared parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamDecl {
    /// Name in expressions.
    pub name: String,
    /// Values to search when a study does not say otherwise.
    pub domain: Domain,
    /// Value for a single backtest, one of the domain's (booleans are 0 or 1).
    pub default: f64,
}

/// When a target weight becomes orders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rebalance {
    /// When the symbol's target differs from the one last acted upon.
    OnChange,
    /// At every bar, so that drift is corrected.
    EveryBar,
    /// At the first bar of each ISO week.
    Weekly,
    /// At the first bar of each month.
    Monthly,
    /// At bars where this condition is true.
    When(NodeId),
}

/// How `size` is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeIn {
    /// Fraction of equity (default).
    #[default]
    Equity,
    /// Units.
    Shares,
    /// Money.
    Value,
    /// Fraction of what the account can still spend: cash, or what equity still carries on margin.
    BuyingPower,
    /// Fraction of equity that is lost if the stop-loss is hit.
    Risk,
    /// Fraction of equity that the position may move by in a year, judged by its last 20 bars (daily or coarser ones).
    Volatility,
}

/// How a price level of an order is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelIn {
    /// Distance as a fraction of the price that it is measured from.
    Fraction,
    /// Distance in money.
    Amount,
    /// The price itself.
    Price,
}

/// A price level of an order: an expression and how it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceLevel {
    /// The expression.
    pub value: NodeId,
    /// How it is meant.
    pub unit: LevelIn,
}

/// Prices and exits that entries come with. Distances are taken at the bar that decides the entry, and measured from
/// its close (`limit`, `stop`) or from the price paid (exits), on the side that the order needs. A stop-loss or
/// take-profit given as a price follows its expression from bar to bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Enter at this price or a better one.
    pub limit: Option<PriceLevel>,
    /// Enter once the market gets there.
    pub stop: Option<PriceLevel>,
    /// Bars for which an entry with a price waits; `None` means 1.
    pub bars: Option<NodeId>,
    /// Most entries on one side at a time; `None` means 1.
    pub most: Option<NodeId>,
    /// Leave at a loss.
    pub stop_loss: Option<PriceLevel>,
    /// Leave with a profit.
    pub take_profit: Option<PriceLevel>,
    /// Leave when the price falls back from its best by this distance.
    pub trailing_stop: Option<PriceLevel>,
    /// Profit at which the stop-loss moves to the entry's price.
    pub break_even: Option<PriceLevel>,
    /// Leave after so many bars.
    pub time_stop: Option<NodeId>,
}

impl Entry {
    /// The expressions in it.
    pub fn roots(&self) -> impl Iterator<Item = NodeId> {
        let levels = [self.limit, self.stop, self.stop_loss, self.take_profit, self.trailing_stop, self.break_even];
        let levels = levels.into_iter().flatten().map(|level| level.value);
        levels.chain([self.bars, self.most, self.time_stop].into_iter().flatten())
    }
}

/// What the strategy does.
#[derive(Clone, Debug, PartialEq)]
pub enum Rules {
    /// A weight of equity per symbol, negative for short.
    Target {
        /// The weight.
        weight: NodeId,
        /// When it is acted upon.
        rebalance: Rebalance,
    },
    /// Entries and exits per symbol. Without a rule for leaving a side, an entry on the other side leaves it.
    Signals {
        /// Open a long position.
        enter_long: Option<NodeId>,
        /// Close a long position.
        exit_long: Option<NodeId>,
        /// Open a short position.
        enter_short: Option<NodeId>,
        /// Close a short position.
        exit_short: Option<NodeId>,
        /// Size of an entry; `None` means 1 / n_symbols of equity.
        size: Option<NodeId>,
        /// Unit of `size`.
        size_in: SizeIn,
        /// Prices and exits of entries.
        entry: Entry,
    },
}

/// A checked strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    /// Short name.
    pub name: String,
    /// What it does, for people; may be empty.
    pub description: String,
    /// Parameters in order of declaration.
    pub params: Vec<ParamDecl>,
    /// Named columns in order of declaration, for charts and explanations.
    pub columns: Vec<(String, NodeId)>,
    /// All expressions.
    pub program: Program,
    /// What is done with them.
    pub rules: Rules,
    /// The source text.
    pub source: String,
}

impl Strategy {
    /// Parses and checks a strategy file; `file` is its name for messages and, without its folder and extension, the
    /// strategy's name if the text gives none. The text is at most 64 KiB long.
    ///
    /// # Errors
    /// A sentence with file, line, column and caret: of kind [`crate::ErrorKind::Strategy`], or
    /// [`crate::ErrorKind::Unsupported`] for rules that exist in the language but not in this version.
    pub fn parse(source: &str, file: &str) -> crate::Result<Strategy> {
        file::parse(source, file)
    }
}
