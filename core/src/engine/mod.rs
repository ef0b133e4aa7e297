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
mod actions;
mod book;
mod check;
mod decisions;
mod desk;
mod event;
mod execution;
pub mod fast;
mod fills;
mod number;
mod order;
mod pricing;
mod reference;
mod rules;
mod sizing;

pub use account::Account;
pub use book::Role;
pub use check::check_ledger;
pub use decisions::{Decisions, EntryRules, LevelRule, When};
pub use desk::Desk;
pub use event::{Cancel, Event, Happening, Idle, Limit, OpenOrder, Wait};
pub use number::Number;
pub use order::{Bracket, Distance, Kind, Level, Order, Size, Ticket, TimeInForce};
pub use reference::{Record, Strategy, Workspace, advance, simulate};
