//! The commands, one file each: arguments as clap reads them, and what is done with them.

pub mod bundle;
pub mod ingest;
