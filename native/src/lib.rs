//! Everything of sandtable that touches the machine: files, threads, terminal.

pub mod commands;
pub mod files;
