//! The layers that an audit switches, and the variants that it compares.

use sandtable_core::run::Switches;
use serde::{Serialize, Serializer};

/// One thing that makes a search faster and never changes its results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The bundle's manifest is parsed once.
    Assets,
    /// Columns are computed once and shared by all trials that want them.
    History,
    /// The bundle is opened, and its bars joined to a panel, once for each range of dates.
    Contexts,
    /// Trials are spread over all worker threads.
    Pool,
    /// Trials are simulated by the fast path where it covers them.
    Fast,
}

impl Layer {
    /// All of them, in the order of their data.
    pub const ALL: [Layer; 5] = [Layer::Assets, Layer::History, Layer::Contexts, Layer::Pool, Layer::Fast];

    /// Its name, as in the options of a search.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Assets => "assets",
            Layer::History => "history",
            Layer::Contexts => "contexts",
            Layer::Pool => "pool",
            Layer::Fast => "fast",
        }
    }

    /// What it does, as the end of a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Layer::Assets => "the bundle's manifest is parsed once",
            Layer::History => "indicator columns are computed once and shared by all backtests",
            Layer::Contexts => "the bundle is opened and its bars are joined once",
            Layer::Pool => "backtests are spread over all worker threads",
            Layer::Fast => "backtests take the fast path instead of the reference simulator",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Which layers are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layers(u8);

impl Layers {
    /// All of them.
    pub fn all() -> Layers {
        Layer::ALL.into_iter().fold(Layers::default(), Layers::with)
    }

    /// These and one more.
    pub fn with(self, layer: Layer) -> Layers {
        Layers(self.0 | layer.bit())
    }

    /// These but one.
    pub fn without(self, layer: Layer) -> Layers {
        Layers(self.0 & !layer.bit())
    }

    /// Those of the caches, as a run of the core takes them.
    pub fn switches(self) -> Switches {
        Switches {
            assets: self.has(Layer::Assets),
            history: self.has(Layer::History),
            contexts: self.has(Layer::Contexts),
        }
    }

    /// Whether a layer is on.
    pub fn has(self, layer: Layer) -> bool {
        self.0 & layer.bit() != 0
    }
}

impl Serialize for Layers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(Layer::ALL.into_iter().filter(|layer| self.has(*layer)).map(Layer::name))
    }
}

/// One way to do the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Nothing is on: the bundle is opened for every backtest, one thread, the reference simulator.
    Baseline,
    /// One layer on top of the baseline.
    Alone(Layer),
    /// All layers but one.
    Without(Layer),
    /// All layers.
    All,
}

impl Variant {
    /// All but the baseline; `ablation` adds the ones that lack a layer.
    pub fn compared(ablation: bool) -> Vec<Variant> {
        let mut list: Vec<Variant> = Layer::ALL.into_iter().map(Variant::Alone).collect();
        if ablation {
            list.extend(Layer::ALL.into_iter().map(Variant::Without));
        }
        list.push(Variant::All);
        list
    }

    /// What is on.
    pub fn layers(self) -> Layers {
        match self {
            Variant::Baseline => Layers::default(),
            Variant::Alone(layer) => Layers::default().with(layer),
            Variant::Without(layer) => Layers::all().without(layer),
            Variant::All => Layers::all(),
        }
    }

    /// Its name in tables.
    pub fn name(self) -> String {
        match self {
            Variant::Baseline => "baseline".into(),
            Variant::Alone(layer) => format!("{} alone", layer.name()),
            Variant::Without(layer) => format!("all without {}", layer.name()),
            Variant::All => "all layers".into(),
        }
    }

    /// Its name in file names: letters and hyphens.
    pub fn slug(self) -> String {
        self.name().replace(' ', "-")
    }
}

impl Serialize for Variant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_have_the_layers_of_their_names() {
        assert_eq!(Variant::Baseline.layers(), Layers::default());
        for layer in Layer::ALL {
            let (alone, without) = (Variant::Alone(layer).layers(), Variant::Without(layer).layers());
            for other in Layer::ALL {
                assert_eq!(alone.has(other), other == layer);
                assert_eq!(without.has(other), other != layer);
                assert!(Variant::All.layers().has(other));
            }
        }
        assert_eq!(Variant::compared(false).len(), 6);
        assert_eq!(Variant::compared(true).len(), 11);
        assert_eq!(Variant::Without(Layer::Fast).slug(), "all-without-fast");
    }
}
