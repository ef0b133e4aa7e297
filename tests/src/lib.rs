//! The suites that hold core, native and wasm against each other and against the outside world.

pub mod measure;
pub mod oracle;
pub mod parity;
pub mod random;
pub mod regret;
pub mod torture;
pub mod workload;
