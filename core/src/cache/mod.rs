//! Caches: computed columns ([`History`]) and whole things ([`Layer`]) under hard byte budgets.
//!
//! Given keys and a byte budget, this room keeps what was used last. It never knows what it means, and it never
//! changes a result: what is not kept is made again.

mod layer;

pub use layer::Layer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A column shared by everyone who reads it.
pub type Column = Arc<[f64]>;

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
}

/// Least-recently-used cache of columns, safe to share between threads.
#[derive(Debug)]
pub struct History {
    budget: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: BTreeMap<String, Entry>,
    by_use: BTreeMap<u64, String>,
    clock: u64,
    counters: Counters,
}

#[derive(Debug)]
struct Entry {
    column: Column,
    used: u64,
}

/// Bytes that an entry is charged: its numbers, its key twice, and the bookkeeping of two tree nodes.
fn charge(key: &str, column: &Column) -> u64 {
    (column.len() * 8 + key.len() * 2 + 160) as u64
}

impl History {
    /// A cache that never holds more than `budget` bytes; 0 switches it off.
    pub fn new(budget: u64) -> Self {
        History { budget, inner: Mutex::default() }
    }

    /// The column under `key`, if it is held.
    pub fn get(&self, key: &str) -> Option<Column> {
        let mut inner = self.lock();
        inner.clock += 1;
        let now = inner.clock;
        let Some(entry) = inner.entries.get_mut(key) else {
            inner.counters.misses += 1;
            return None;
        };
        let before = std::mem::replace(&mut entry.used, now);
        let column = entry.column.clone();
        if let Some(name) = inner.by_use.remove(&before) {
            inner.by_use.insert(now, name);
        }
        inner.counters.hits += 1;
        Some(column)
    }

    /// Keeps `column` under `key`, dropping what was not used for longest where room is needed.
    pub fn put(&self, key: String, column: Column) {
        let bytes = charge(&key, &column);
        let mut inner = self.lock();
        if bytes > self.budget {
            inner.counters.too_large += 1;
            return;
        }
        inner.remove(&key);
        while inner.counters.bytes + bytes > self.budget {
            let Some((_, oldest)) = inner.by_use.pop_first() else { break };
            inner.remove(&oldest);
            inner.counters.evictions += 1;
        }
        inner.clock += 1;
        let used = inner.clock;
        inner.by_use.insert(used, key.clone());
        inner.entries.insert(key, Entry { column, used });
        inner.counters.bytes += bytes;
        inner.counters.entries += 1;
    }

    /// Drops everything; the counters of hits and misses stay.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.entries.clear();
        inner.by_use.clear();
        inner.counters.bytes = 0;
        inner.counters.entries = 0;
    }

    /// What it did so far.
    pub fn counters(&self) -> Counters {
        self.lock().counters
    }

    /// A panic elsewhere while the lock was held cannot have left the cache worse than incomplete: go on with it.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.by_use.remove(&entry.used);
            self.counters.bytes -= charge(key, &entry.column);
            self.counters.entries -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(n: usize) -> Column {
        vec![1.0; n].into()
    }

    #[test]
    fn the_budget_is_never_exceeded_and_the_oldest_goes_first() {
        let one = charge("a", &column(100));
        let cache = History::new(2 * one);
        cache.put("a".into(), column(100));
        cache.put("b".into(), column(100));
        assert!(cache.get("a").is_some());
        cache.put("c".into(), column(100));
        assert!(cache.get("b").is_none(), "b was used least recently");
        assert!(cache.get("a").is_some() && cache.get("c").is_some());
        let counters = cache.counters();
        assert_eq!((counters.entries, counters.evictions, counters.bytes), (2, 1, 2 * one));
    }

    #[test]
    fn an_entry_larger_than_the_budget_is_not_kept_and_evicts_nothing() {
        let cache = History::new(charge("a", &column(10)));
        cache.put("a".into(), column(10));
        cache.put("b".into(), column(1000));
        assert!(cache.get("a").is_some() && cache.get("b").is_none());
        assert_eq!(cache.counters().too_large, 1);
    }

    #[test]
    fn replacing_a_key_keeps_the_books_straight() {
        let cache = History::new(10_000);
        cache.put("a".into(), column(10));
        cache.put("a".into(), column(20));
        assert_eq!(cache.counters().bytes, charge("a", &column(20)));
        cache.clear();
        assert_eq!((cache.counters().bytes, cache.counters().entries), (0, 0));
    }
}
