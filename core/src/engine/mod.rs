//! The simulation of one trial: a pure function of context, rules and settings.
//!
//! Given a panel, a trial's rules and the run's settings, this room gives fills, round trips, equity and counters. It
//! never knows threads or other trials.
//!
//! [`simulate`] is the reference: the plain event loop of one account over several symbols, written to be read. For each
//! timestamp it tries open orders against the bar, books the fills, marks positions to the close, records equity, and
//! lets the strategy see the bar and place orders, which are first tried at the next bar (or, with `same_close`, at this
//! close before equity is recorded). [`fast`] gives the same bits for most strategies in a fraction of the time.

mod account;
mod check;
mod decisions;
pub mod fast;
mod orders;
mod pricing;
mod reference;

pub use account::Account;
pub use check::check_ledger;
pub use decisions::{Decisions, When};
pub use reference::{Record, Workspace, simulate};
