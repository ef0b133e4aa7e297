//! The context of a run: an aligned panel plus prepared columns, read-only and shared by all trials.
//!
//! Given a bundle, a window, the columns wanted and a cache, this room gives columns. It never knows plans or engines.
//!
//! Expressions are of two sorts. *Heavy* nodes (indicators, lags, cross-sections, coarser bars …) are computed once for
//! each distinct binding of the parameters that they depend on, and shared: a 20 × 20 grid of two averages needs 40
//! columns, not 800. *Light* nodes (arithmetic, comparison, logic) are evaluated for each trial, over whole columns; comparisons
//! and what is chosen by them take two bits a row ([`Condition`]).
//!
//! Where prices are stored as traded, the past that a heavy node looks at is adjusted for the splits and dividends that
//! were effective at the bar that looks, and for no later ones (`adjust.rs`).

mod across;
mod adjust;
mod coarse;
mod coded;
mod comparisons;
mod condition;
mod dates;
mod evaluate;
mod fine;
mod heavy;
mod light;
mod needs;
mod panel;
mod rule;
mod workspace;

#[cfg(test)]
mod adjust_tests;
#[cfg(test)]
mod coarse_tests;
#[cfg(test)]
mod comparisons_tests;

pub use adjust::{Adjust, CorporateAction};
pub use coded::Coded;
#[cfg(test)]
pub(crate) use coded::Table;
pub use comparisons::{Comparing, Part, States};
pub use condition::{Choice, Condition, Gaps, Held};
pub use evaluate::{BoundColumn, Context, Prepared};
pub use fine::{BarSize, Fine};
pub use needs::{Bindings, Need};
pub use panel::{Panel, Span, Window};
pub use rule::{PositionState, Rule};
pub use workspace::Workspace;
