//! Which layers a run uses.

use serde::Serialize;

use crate::error::{Error, Result, nearest};

/// A layer of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Manifests of bundles.
    Assets,
    /// Computed columns.
    History,
    /// Opened bundles and the panels made of them.
    Contexts,
}

impl Layer {
    /// All layers, from the bytes on.
    pub const ALL: [Layer; 3] = [Layer::Assets, Layer::History, Layer::Contexts];

    /// Its name, as options and records spell it.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Assets => "assets",
            Layer::History => "history",
            Layer::Contexts => "contexts",
        }
    }
}

/// The layers that a run uses: all of them unless it says otherwise. They never change a result, so they are no part of
/// a plan or its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Switches {
    /// Manifests of bundles.
    pub assets: bool,
    /// Computed columns.
    pub history: bool,
    /// Opened bundles and the panels made of them.
    pub contexts: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Switches::ALL
    }
}

impl Switches {
    /// Every layer.
    pub const ALL: Switches = Switches { assets: true, history: true, contexts: true };
    /// No layer.
    pub const NONE: Switches = Switches { assets: false, history: false, contexts: false };

    /// Whether a layer is used.
    pub fn is_on(&self, layer: Layer) -> bool {
        match layer {
            Layer::Assets => self.assets,
            Layer::History => self.history,
            Layer::Contexts => self.contexts,
        }
    }

    /// The same with one layer switched off.
    #[must_use]
    pub fn without(mut self, layer: Layer) -> Switches {
        match layer {
            Layer::Assets => self.assets = false,
            Layer::History => self.history = false,
            Layer::Contexts => self.contexts = false,
        }
        self
    }

    /// The layers that both use.
    #[must_use]
    pub fn and(self, other: Switches) -> Switches {
        Switches {
            assets: self.assets && other.assets,
            history: self.history && other.history,
            contexts: self.contexts && other.contexts,
        }
    }

    /// All layers without those named: `history`, several separated by commas, or `all`.
    ///
    /// # Errors
    /// A name that is none of them.
    pub fn without_named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Switches> {
        let mut switches = Switches::ALL;
        for name in names.into_iter().flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
            match Layer::ALL.into_iter().find(|layer| layer.name() == name) {
                Some(layer) => switches = switches.without(layer),
                None if name == "all" => switches = Switches::NONE,
                None => return Err(unknown(name)),
            }
        }
        Ok(switches)
    }
}

fn unknown(name: &str) -> Error {
    let shown: String = name.chars().take(40).collect();
    let error = Error::plan(format!("there is no cache layer `{shown}`"));
    match nearest(name, Layer::ALL.iter().map(|layer| layer.name())) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("the layers are assets, history and contexts; `all` names all three"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn layers_are_named_one_by_one_in_lists_or_all_together() {
        let named = |names: &[&str]| Switches::without_named(names.iter().copied());
        assert_eq!(named(&[]).unwrap(), Switches::ALL);
        assert_eq!(named(&["history"]).unwrap(), Switches { history: false, ..Switches::ALL });
        let two = Switches { assets: false, contexts: false, history: true };
        assert_eq!(named(&["assets, contexts"]).unwrap(), two);
        assert_eq!(named(&["assets", "contexts"]).unwrap(), two);
        assert_eq!(named(&["all"]).unwrap(), Switches::NONE);
        let error = named(&["assets,histroy"]).unwrap_err().to_string();
        assert!(error.contains("`histroy`") && error.contains("`history`"), "{error}");
        assert!(named(&["ram"]).unwrap_err().to_string().contains("`all` names all three"));
        assert_eq!(two.and(Switches::ALL.without(Layer::History)), Switches::NONE);
    }
}
