//! The cache layers that runs of one process share.

use std::sync::Arc;

use super::Panelled;
use crate::bundle::Manifest;
use crate::cache::{Counters, History, Layer};

/// Manifests that are kept.
const MANIFESTS: usize = 128;
/// Panels that are kept.
const PANELS: usize = 100;

/// Three layers under one byte budget. None of them changes a result.
#[derive(Debug)]
pub struct Caches {
    /// Parsed manifests, by bundle version.
    pub assets: Layer<Manifest>,
    /// Computed columns, by bundle version, panel and expression.
    pub history: Arc<History>,
    /// Joined panels, by bundle version, symbols and dates.
    pub contexts: Layer<Panelled>,
    budget: u64,
}

/// What the layers did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct CacheCounters {
    /// Manifests.
    pub assets: Counters,
    /// Columns.
    pub history: Counters,
    /// Panels.
    pub contexts: Counters,
}

impl Caches {
    /// Layers that together never hold more than `budget` bytes: a sixteenth for manifests, a quarter for panels, the
    /// rest for columns.
    pub fn new(budget: u64) -> Caches {
        let (assets, contexts) = (budget / 16, budget / 4);
        Caches {
            assets: Layer::new(MANIFESTS, assets),
            history: Arc::new(History::new(budget - assets - contexts)),
            contexts: Layer::new(PANELS, contexts),
            budget,
        }
    }

    /// Most bytes that all layers hold together.
    pub fn budget(&self) -> u64 {
        self.budget
    }

    /// What they did so far.
    pub fn counters(&self) -> CacheCounters {
        CacheCounters {
            assets: self.assets.counters(),
            history: self.history.counters(),
            contexts: self.contexts.counters(),
        }
    }

    /// Drops everything that they hold.
    pub fn clear(&self) {
        self.assets.clear();
        self.history.clear();
        self.contexts.clear();
    }
}
