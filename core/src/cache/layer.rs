//! A cache of whole things, bounded in number and in bytes: manifests, panels.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Counters;

/// Least-recently-used cache of shared values, safe to share between threads.
#[derive(Debug)]
pub struct Layer<V> {
    capacity: usize,
    budget: u64,
    inner: Mutex<Inner<V>>,
}

#[derive(Debug)]
struct Inner<V> {
    /// By key: the value, its bytes, when it was used.
    entries: BTreeMap<String, (Arc<V>, u64, u64)>,
    clock: u64,
    counters: Counters,
}

impl<V> Layer<V> {
    /// A cache of at most `capacity` values and `budget` bytes; 0 of either switches it off.
    pub fn new(capacity: usize, budget: u64) -> Self {
        let inner = Inner { entries: BTreeMap::new(), clock: 0, counters: Counters::default() };
        Layer { capacity, budget, inner: Mutex::new(inner) }
    }

    /// The value under `key`, made by `make` if it is not held. `bytes` says what a value weighs. Two threads that
    /// miss at once both make it, and the first one's stays.
    ///
    /// # Errors
    /// Those of `make`; nothing is kept then.
    pub fn get_or_make<E>(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<V, E>,
        bytes: impl FnOnce(&V) -> u64,
    ) -> Result<Arc<V>, E> {
        if let Some(found) = self.get(key) {
            return Ok(found);
        }
        let value = Arc::new(make()?);
        let weight = bytes(&value) + 2 * key.len() as u64 + 160;
        self.put(key, value.clone(), weight);
        Ok(value)
    }

    fn get(&self, key: &str) -> Option<Arc<V>> {
        let mut inner = self.lock();
        inner.clock += 1;
        let now = inner.clock;
        let found = inner.entries.get_mut(key).map(|(value, _, used)| {
            *used = now;
            value.clone()
        });
        match found {
            Some(_) => inner.counters.hits += 1,
            None => inner.counters.misses += 1,
        }
        found
    }

    fn put(&self, key: &str, value: Arc<V>, weight: u64) {
        let mut inner = self.lock();
        if weight > self.budget || self.capacity == 0 {
            inner.counters.too_large += 1;
            return;
        }
        inner.remove(key);
        while inner.entries.len() >= self.capacity || inner.counters.bytes + weight > self.budget {
            // At most a hundred entries: a walk over all of them is cheaper than a second index.
            let oldest = inner.entries.iter().min_by_key(|(_, (_, _, used))| *used).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            inner.remove(&oldest);
            inner.counters.evictions += 1;
        }
        inner.clock += 1;
        let used = inner.clock;
        inner.entries.insert(key.to_owned(), (value, weight, used));
        inner.counters.bytes += weight;
        inner.counters.entries += 1;
    }

    /// Drops everything; the counters of hits and misses stay.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.entries.clear();
        inner.counters.bytes = 0;
        inner.counters.entries = 0;
    }

    /// What it did so far.
    pub fn counters(&self) -> Counters {
        self.lock().counters
    }

    /// A panic elsewhere while the lock was held cannot have left the cache worse than incomplete: go on with it.
    fn lock(&self) -> MutexGuard<'_, Inner<V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Inner<V> {
    fn remove(&mut self, key: &str) {
        if let Some((_, bytes, _)) = self.entries.remove(key) {
            self.counters.bytes -= bytes;
            self.counters.entries -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(layer: &Layer<u64>, key: &str, value: u64) -> Result<Arc<u64>, ()> {
        layer.get_or_make(key, || Ok(value), |value| *value)
    }

    #[test]
    fn number_and_bytes_are_bounds_and_the_oldest_goes_first() -> Result<(), ()> {
        let layer = Layer::new(2, 10_000);
        for (key, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            get(&layer, key, value)?;
        }
        assert_eq!(*get(&layer, "a", 9)?, 1, "still the first one made");
        assert_eq!(*get(&layer, "b", 9)?, 9, "b was used least recently");
        assert_eq!(layer.counters().entries, 2);
        get(&layer, "huge", 20_000)?;
        assert_eq!((layer.counters().too_large, layer.counters().entries), (1, 2));
        get(&layer, "large", 9_800)?;
        assert_eq!(layer.counters().entries, 1, "room was made for it");
        layer.clear();
        assert_eq!((layer.counters().bytes, layer.counters().entries), (0, 0));
        Ok(())
    }

    #[test]
    fn what_fails_is_not_kept() {
        let layer: Layer<u64> = Layer::new(4, 1000);
        assert!(layer.get_or_make("a", || Err("no"), |_| 1).is_err());
        assert_eq!(layer.counters().entries, 0);
    }
}
