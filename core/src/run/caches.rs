//! The cache layers that runs of one process share, and a run's view of them.

use std::sync::Arc;

use super::Panelled;
use crate::bundle::{Bundle, Manifest, manifest::MANIFEST_BYTES};
use crate::cache::{Counters, History, Layer, RunHistory, Shelf, Switches, Usage};
use crate::error::Result;

/// Manifests that are kept.
const MANIFESTS: usize = 128;
/// Contexts that are kept: bundles and panels, as many of each.
const CONTEXTS: usize = 100;

/// Three layers under one byte budget. None of them changes a result.
#[derive(Debug)]
pub struct Caches {
    assets: Shelf<Manifest>,
    history: Arc<History>,
    bundles: Shelf<Bundle>,
    panels: Shelf<Panelled>,
    budget: u64,
}

/// What the layers did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct CacheCounters {
    /// Manifests.
    pub assets: Counters,
    /// Columns.
    pub history: Counters,
    /// Opened bundles and panels together.
    pub contexts: Counters,
}

impl CacheCounters {
    /// Those of one layer.
    pub fn of(&self, layer: Layer) -> Counters {
        match layer {
            Layer::Assets => self.assets,
            Layer::History => self.history,
            Layer::Contexts => self.contexts,
        }
    }
}

impl Caches {
    /// Layers that together never hold more than `budget` bytes: a sixteenth for manifests, an eighth for bundles, a
    /// quarter for panels, the rest for columns.
    pub fn new(budget: u64) -> Caches {
        let (assets, bundles, panels) = (budget / 16, budget / 8, budget / 4);
        Caches {
            assets: Shelf::new(MANIFESTS, assets),
            history: Arc::new(History::new(budget - assets - bundles - panels)),
            bundles: Shelf::new(CONTEXTS, bundles),
            panels: Shelf::new(CONTEXTS, panels),
            budget,
        }
    }

    /// Most bytes that all layers hold together.
    pub fn budget(&self) -> u64 {
        self.budget
    }

    /// What a new run sees of them.
    pub fn view(&self, switches: Switches) -> View<'_> {
        let usage = |layer| Arc::new(Usage::new(switches.is_on(layer)));
        View {
            caches: self,
            assets: usage(Layer::Assets),
            history: usage(Layer::History),
            contexts: usage(Layer::Contexts),
        }
    }

    /// A view that goes round one layer for as long as it lives; other views are not affected.
    pub fn without(&self, layer: Layer) -> View<'_> {
        self.view(Switches::ALL.without(layer))
    }

    /// What they did so far.
    pub fn counters(&self) -> CacheCounters {
        CacheCounters {
            assets: self.assets.counters(),
            history: self.history.counters(),
            contexts: self.bundles.counters() + self.panels.counters(),
        }
    }

    /// Drops everything that they hold.
    pub fn clear(&self) {
        self.assets.clear();
        self.history.clear();
        self.bundles.clear();
        self.panels.clear();
    }
}

/// The layers as one run sees them: those that it switched off are gone round, and those that answer next to nothing
/// are given up on the way. Clones are the same run's.
#[derive(Clone, Debug)]
pub struct View<'a> {
    caches: &'a Caches,
    assets: Arc<Usage>,
    history: Arc<Usage>,
    contexts: Arc<Usage>,
}

impl<'a> From<&'a Caches> for View<'a> {
    fn from(caches: &'a Caches) -> View<'a> {
        caches.view(Switches::ALL)
    }
}

impl<'a> From<&View<'a>> for View<'a> {
    fn from(view: &View<'a>) -> View<'a> {
        view.clone()
    }
}

impl View<'_> {
    /// The manifest that `key` names (by its content), parsed at the first call.
    ///
    /// # Errors
    /// Those of `parse`.
    pub fn manifest(&self, key: &str, parse: impl FnOnce() -> Result<Manifest>) -> Result<Arc<Manifest>> {
        let bytes = |manifest: &Manifest| MANIFEST_BYTES.min(manifest.symbols.len() * 200 + 1000) as u64;
        self.caches.assets.get_or_make(&self.assets, key, parse, bytes)
    }

    /// The bundle that `key` names (by its content), opened at the first call.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn bundle(&self, key: &str, open: impl FnOnce() -> Result<Bundle>) -> Result<Arc<Bundle>> {
        self.caches.bundles.get_or_make(&self.contexts, key, open, Bundle::bytes)
    }

    pub(super) fn panel(&self, key: &str, join: impl FnOnce() -> Result<Panelled>) -> Result<Arc<Panelled>> {
        self.caches.panels.get_or_make(&self.contexts, key, join, Panelled::bytes)
    }

    /// The columns.
    pub fn history(&self) -> RunHistory {
        RunHistory::new(self.caches.history.clone(), self.history.clone())
    }

    /// How the run fared with a layer.
    pub fn usage(&self, layer: Layer) -> &Usage {
        match layer {
            Layer::Assets => &self.assets,
            Layer::History => &self.history,
            Layer::Contexts => &self.contexts,
        }
    }

    /// The layers that the run wants.
    pub fn switches(&self) -> Switches {
        let is_wanted = |layer| self.usage(layer).is_wanted();
        Switches {
            assets: is_wanted(Layer::Assets),
            history: is_wanted(Layer::History),
            contexts: is_wanted(Layer::Contexts),
        }
    }

    /// A sentence about each layer that was given up on the way.
    pub fn given_up(&self) -> Vec<(Layer, String)> {
        let given_up = Layer::ALL.into_iter().filter(|layer| self.usage(*layer).gave_up());
        given_up.map(|layer| (layer, given_up_sentence(layer, self.usage(layer)))).collect()
    }

    /// What the layers did so far, for all runs.
    pub fn counters(&self) -> CacheCounters {
        self.caches.counters()
    }

    /// Most bytes that the history layer holds.
    pub fn history_budget(&self) -> u64 {
        self.caches.history.budget()
    }
}

fn given_up_sentence(layer: Layer, usage: &Usage) -> String {
    format!(
        "the {} layer answered {} of {} look-ups and was switched off for the rest of the run",
        layer.name(),
        usage.hits(),
        usage.look_ups()
    )
}
