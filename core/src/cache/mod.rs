//! Caches: computed columns ([`History`]) and whole things ([`Shelf`]) under hard byte budgets.
//!
//! Given keys and a byte budget, this room keeps what is likely to be asked for again. It never knows what it means,
//! and it never changes a result: what is not kept is made again. A run says by its [`Switches`] which [`Layer`]s it
//! uses, and reaches each through a [`Usage`] of its own, which gives up a layer that does not answer.

mod history;
mod shelf;
mod switches;
mod usage;

pub use history::{History, Key, RunHistory};
pub use shelf::Shelf;
pub use switches::{Layer, Switches};
pub use usage::Usage;

use std::ops::Add;
use std::sync::Arc;

/// A column shared by everyone who reads it. A vector, so that what was computed becomes a column without a copy, and the
/// memory of one that nobody reads any more can be used again.
pub type Column = Arc<Vec<f64>>;

/// What a cache did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counters {
    /// Look-ups answered.
    pub hits: u64,
    /// Look-ups not answered.
    pub misses: u64,
    /// Entries dropped for room.
    pub evictions: u64,
    /// Entries that were larger than the whole budget and so were not kept.
    pub too_large: u64,
    /// Entries held now.
    pub entries: u64,
    /// Bytes held now.
    pub bytes: u64,
    /// Look-ups that waited for another thread to make the same thing.
    pub single_flight_waits: u64,
    /// Entries that were moved or put among those kept longest.
    pub promoted: u64,
    /// Runs that gave the layer up because it answered next to nothing.
    pub switched_off: u64,
}

impl Counters {
    /// Look-ups.
    pub fn look_ups(&self) -> u64 {
        self.hits + self.misses
    }
}

impl Add for Counters {
    type Output = Counters;

    fn add(self, other: Counters) -> Counters {
        Counters {
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
            evictions: self.evictions + other.evictions,
            too_large: self.too_large + other.too_large,
            entries: self.entries + other.entries,
            bytes: self.bytes + other.bytes,
            single_flight_waits: self.single_flight_waits + other.single_flight_waits,
            promoted: self.promoted + other.promoted,
            switched_off: self.switched_off + other.switched_off,
        }
    }
}
