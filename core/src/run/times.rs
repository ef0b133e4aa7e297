//! Timestamps of the bars that a run simulated.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::context::Panel;

/// Timestamps, microseconds UTC: those of a panel from some bar on, without a copy, or those of several ranges.
#[derive(Clone)]
pub struct Times(Held);

#[derive(Clone)]
enum Held {
    Panel(Arc<Panel>),
    Own(Vec<i64>),
}

impl Times {
    /// Those of the simulated bars of each panel, one after the other.
    pub(super) fn of<'a>(panels: impl ExactSizeIterator<Item = &'a Arc<Panel>>) -> Times {
        let panels: Vec<&Arc<Panel>> = panels.collect();
        match panels[..] {
            [panel] => Times(Held::Panel(panel.clone())),
            _ => Times(Held::Own(panels.iter().flat_map(|panel| &panel.timeline[panel.start..]).copied().collect())),
        }
    }
}

impl From<Vec<i64>> for Times {
    fn from(times: Vec<i64>) -> Times {
        Times(Held::Own(times))
    }
}

impl Deref for Times {
    type Target = [i64];

    fn deref(&self) -> &[i64] {
        match &self.0 {
            Held::Panel(panel) => panel.timeline.get(panel.start..).unwrap_or_default(),
            Held::Own(times) => times,
        }
    }
}

impl fmt::Debug for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for Times {
    fn eq(&self, other: &Times) -> bool {
        **self == **other
    }
}
