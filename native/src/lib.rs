//! Everything of sandtable that touches the machine: files, threads, terminal.
//!
//! The command line is a table of contents ([`commands`]); below it [`search`] goes from a study to a study folder,
//! [`drive`] evaluates batches by a [`crew`] that takes the worker [`pool`] where that pays, [`gather`] keeps what comes
//! out in a [`study`] folder that outlasts any end of the process, [`judge`] says how far the best trial can be believed,
//! [`reopen`] reads the folder back for [`verify`], [`explain`] and the report as a [`tearsheet`], [`portfolio`] puts
//! trials into one account, [`audit`] measures whether caches and threads pay, [`walk_forward`] searches the trainings
//! of folds and reports their tests, and [`view`]
//! turns plain data into text and pictures.

#[global_allocator]
static ALLOCATOR: allocator::BySize = allocator::BySize;

pub mod allocator;
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
mod place;
pub mod pool;
pub mod portfolio;
pub mod print;
pub mod progress;
pub mod record;
pub mod reopen;
pub mod report;
pub mod search;
pub mod source;
pub mod study;
pub mod tearsheet;
pub mod verify;
pub mod view;
pub mod walk_forward;
pub mod words;
