//! The context of a run: an aligned panel plus prepared columns, read-only and shared by all trials.
//!
//! Given a bundle, a window, the columns wanted and a cache, this room gives columns. It never knows plans or engines.
//!
//! Expressions are of two sorts. *Heavy* nodes (indicators, lags, cross-sections, coarser bars …) are computed once for
//! each distinct binding of the parameters that they depend on, and shared: a 20 × 20 grid of two averages needs 40
//! columns, not 800. *Light* nodes (arithmetic, comparison, logic) are evaluated for each trial, over whole columns; comparisons
//! and what is chosen by them are columns of codes ([`Coded`]).

mod coded;
mod evaluate;
mod panel;
mod rule;

pub use coded::Coded;
#[cfg(test)]
pub(crate) use coded::Table;
pub use evaluate::{BoundColumn, Context, Prepared, Workspace};
pub use panel::{Panel, Span, Window};
pub use rule::{PositionState, Rule};
