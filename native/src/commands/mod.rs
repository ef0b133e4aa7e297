//! One file per command: its options and what it does with them.

pub mod audit;
pub mod backtest;
pub mod bundle;
pub mod cache;
pub mod carrying_out;
pub mod demo;
pub mod explain;
pub mod generate;
pub mod ingest;
pub mod judge;
pub mod lists;
pub mod optimize;
pub mod overrides;
pub mod portfolio;
pub mod report;
pub mod show;
pub mod studies;
pub mod verify;
pub mod walk_forward;
