//! sandtable's core: everything between bytes and analysis, without I/O, clock or threads.
//!
//! ```text
//! bytes ─▶ Bundle ─▶ Context ─▶ Plan ─▶ evaluate ─▶ Results ─▶ Analysis
//! ```
//!
//! Data moves one way. A room knows what is on its left and nothing on its right:
//!
//! | room | is given | gives | never knows |
//! |---|---|---|---|
//! | [`bundle`] | bytes | an immutable bundle, or the byte ranges it needs next | files, URLs, strategies |
//! | [`indicators`] | columns, periods | columns; one registry table | who asks |
//! | [`strategy`] | source text | a checked program: typed columns, parameters, lookback | data, orders |
//! | [`context`] | bundle, window, the columns wanted, cache | the aligned panel plus prepared columns | plans, engines |
//! | [`metrics`] | equity, trades | numbers; one table | strategies |
//! | [`folds`] | dates of sessions, a scheme | ranges of sessions to train and test on | trials, scores |
//! | [`plan`] | what the user typed | a validated plan: space, costs, objective, seed, id | how a trial is evaluated |
//! | [`search`] | trials and scores | the next trials (ask/tell) | results, engines |
//! | [`engine`] | context, program, costs, trial | the trial's outcome, a pure function | threads, other trials |
//! | [`results`] | outcomes by index | columnar results: append, top-k, encode | statistics of overfitting |
//! | [`analysis`] | returns, scores, points of trials | judgement as data | engines, plans, rendering |
//! | [`run`] | plan, outcomes | the next batch, or done: a state machine without threads or clock | who evaluates |
//!
//! Below them lie the leaves that any room may use: [`error`], [`num`], [`simd`], [`rng`],
//! [`calendar`], [`cache`], [`ledger`].

pub mod analysis;
pub mod bundle;
pub mod cache;
pub mod calendar;
pub mod context;
pub mod engine;
pub mod error;
pub mod folds;
pub mod indicators;
pub mod ledger;
pub mod metrics;
pub mod num;
pub mod plan;
pub mod results;
pub mod rng;
pub mod run;
pub mod search;
pub mod simd;
pub mod strategy;

pub use error::{Error, ErrorKind, Result};
