//! The cache layers of this process, shared by all of its runs.

use std::sync::LazyLock;

use sandtable_core::run::Caches;

/// Bytes that all layers may hold together.
pub const BUDGET: u64 = 2_000_000_000;

static CACHES: LazyLock<Caches> = LazyLock::new(|| Caches::new(BUDGET));

/// The layers of this process. A run takes a [`view`](Caches::view) of them.
pub fn caches() -> &'static Caches {
    &CACHES
}
