//! Measures workloads: once in this process, repeatedly in fresh processes, and side by side with other programs.
//!
//! Given a workload, this module gives figures with everything that a claim needs: machine, commit, command, what was
//! read and done, and raw numbers. It never asserts a time.

pub mod estimates;
pub mod figures;
pub mod machine;
pub mod repeats;
pub mod rivals;
pub mod targets;
