//! Everything of sandtable that touches the machine: files, threads, terminal.
//!
//! The command line is a table of contents ([`commands`]); below it [`search`] goes from a study to a study folder,
//! [`drive`] evaluates batches by a [`crew`] that takes the worker [`pool`] where that pays, [`gather`] keeps what comes
//! out in a [`study`] folder that outlasts any end of the process, [`reopen`] reads it back for [`verify`] and [`explain`], [`judge`]
//! says how far the best trial can be believed, [`audit`] measures whether caches and threads pay, and [`view`]
//! turns plain data into text and pictures.

pub mod arrangement;
pub mod audit;
pub mod caches;
pub mod commands;
pub mod contain;
pub mod crew;
pub mod drive;
pub mod estimate;
pub mod exact;
pub mod explain;
pub mod export;
pub mod files;
pub mod gather;
pub mod interrupt;
pub mod judge;
pub mod memory;
pub mod pool;
pub mod print;
pub mod progress;
pub mod record;
pub mod reopen;
pub mod report;
pub mod search;
pub mod source;
pub mod study;
pub mod verify;
pub mod view;
pub mod words;
