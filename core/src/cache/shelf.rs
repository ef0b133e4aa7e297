//! A cache of whole things, bounded in number and in bytes: manifests, bundles, panels.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::{Counters, Usage};

/// Least-recently-used cache of shared values, safe to share between threads.
///
/// Threads that want the same missing value at once make it once: the others wait for the first one.
#[derive(Debug)]
pub struct Shelf<V> {
    capacity: usize,
    budget: u64,
    inner: Mutex<Inner<V>>,
}

/// What a value under way becomes; locked by the thread that makes it.
type Flight<V> = Arc<Mutex<Option<Arc<V>>>>;

#[derive(Debug)]
struct Inner<V> {
    /// By key: the value, its bytes, when it was used.
    entries: BTreeMap<String, (Arc<V>, u64, u64)>,
    /// What is being made.
    flights: BTreeMap<String, Flight<V>>,
    clock: u64,
    counters: Counters,
}

/// What a look-up comes to.
enum Found<V> {
    Here(Arc<V>),
    UnderWay(Flight<V>),
}

impl<V> Shelf<V> {
    /// A cache of at most `capacity` values and `budget` bytes; 0 of either switches it off.
    pub fn new(capacity: usize, budget: u64) -> Self {
        let (entries, flights) = (BTreeMap::new(), BTreeMap::new());
        let inner = Inner { entries, flights, clock: 0, counters: Counters::default() };
        Shelf { capacity, budget, inner: Mutex::new(inner) }
    }

    /// The value under `key`, made by `make` if it is not held. `bytes` says what a value weighs. A run that does not
    /// use the layer makes its own, and leaves nothing here. `make` must not ask for the same key.
    ///
    /// # Errors
    /// Those of `make`; nothing is kept then, and whoever waited makes it again.
    pub fn get_or_make<E>(
        &self,
        usage: &Usage,
        key: &str,
        make: impl FnOnce() -> Result<V, E>,
        bytes: impl FnOnce(&V) -> u64,
    ) -> Result<Arc<V>, E> {
        if !usage.is_on() {
            return make().map(Arc::new);
        }
        let flight = match self.look(key) {
            Found::Here(value) => {
                self.note(usage, true);
                return Ok(value);
            }
            Found::UnderWay(flight) => flight,
        };
        let mut landed = self.board(&flight);
        if let Some(value) = &*landed {
            self.note(usage, true);
            return Ok(value.clone());
        }
        self.note(usage, false);
        let made = make().map(Arc::new);
        let kept = made.as_ref().ok().map(|value| (value.clone(), bytes(value) + 2 * key.len() as u64 + 160));
        *landed = made.as_ref().ok().cloned();
        self.land(key, &flight, kept);
        made
    }

    fn look(&self, key: &str) -> Found<V> {
        let mut inner = self.lock();
        inner.clock += 1;
        let now = inner.clock;
        if let Some((value, _, used)) = inner.entries.get_mut(key) {
            *used = now;
            return Found::Here(value.clone());
        }
        Found::UnderWay(inner.flights.entry(key.to_owned()).or_default().clone())
    }

    /// Waits for a value that another thread is making; holds the flight otherwise.
    fn board<'a>(&self, flight: &'a Flight<V>) -> MutexGuard<'a, Option<Arc<V>>> {
        match flight.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.lock().counters.single_flight_waits += 1;
                flight.lock().unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// Ends a flight: from here on the value is found on the shelf, if it was made and fits.
    fn land(&self, key: &str, flight: &Flight<V>, made: Option<(Arc<V>, u64)>) {
        let mut inner = self.lock();
        // After a failure somebody else may have started another one.
        if inner.flights.get(key).is_some_and(|known| Arc::ptr_eq(known, flight)) {
            inner.flights.remove(key);
        }
        if let Some((value, weight)) = made {
            inner.put(key, value, weight, self.capacity, self.budget);
        }
    }

    fn note(&self, usage: &Usage, hit: bool) {
        let given_up = usage.note(hit);
        let counters = &mut self.lock().counters;
        counters.hits += u64::from(hit);
        counters.misses += u64::from(!hit);
        counters.switched_off += u64::from(given_up);
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
    fn put(&mut self, key: &str, value: Arc<V>, weight: u64, capacity: usize, budget: u64) {
        if weight > budget || capacity == 0 {
            self.counters.too_large += 1;
            return;
        }
        self.remove(key);
        while self.entries.len() >= capacity || self.counters.bytes + weight > budget {
            // At most a hundred entries: a walk over all of them is cheaper than a second index.
            let oldest = self.entries.iter().min_by_key(|(_, (_, _, used))| *used).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            self.remove(&oldest);
            self.counters.evictions += 1;
        }
        self.clock += 1;
        self.entries.insert(key.to_owned(), (value, weight, self.clock));
        self.counters.bytes += weight;
        self.counters.entries += 1;
    }

    fn remove(&mut self, key: &str) {
        if let Some((_, bytes, _)) = self.entries.remove(key) {
            self.counters.bytes -= bytes;
            self.counters.entries -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    fn get(layer: &Shelf<u64>, key: &str, value: u64) -> Result<Arc<u64>, ()> {
        layer.get_or_make(&Usage::new(true), key, || Ok(value), |value| *value)
    }

    #[test]
    fn number_and_bytes_are_bounds_and_the_oldest_goes_first() -> Result<(), ()> {
        let layer = Shelf::new(2, 10_000);
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
        let layer: Shelf<u64> = Shelf::new(4, 1000);
        assert!(layer.get_or_make(&Usage::new(true), "a", || Err("no"), |_| 1).is_err());
        assert_eq!(layer.counters().entries, 0);
        assert_eq!(get(&layer, "a", 5), Ok(Arc::new(5)));
    }

    #[test]
    fn a_run_without_the_layer_makes_its_own_and_leaves_nothing() {
        let layer: Shelf<u64> = Shelf::new(4, 1000);
        let off = Usage::new(false);
        for value in [1, 2] {
            assert_eq!(*layer.get_or_make(&off, "a", || Ok::<_, ()>(value), |_| 1).unwrap(), value);
        }
        assert_eq!((layer.counters(), off.look_ups()), (Counters::default(), 0));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "only a test starts threads here")]
    fn eight_threads_that_want_the_same_make_it_once() {
        let (layer, made, barrier) = (Shelf::new(4, 1000), AtomicU64::new(0), Barrier::new(8));
        let usage = Usage::new(true);
        let slow = || {
            made.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(30));
            Ok::<u64, ()>(7)
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    assert_eq!(*layer.get_or_make(&usage, "a", slow, |_| 8).unwrap(), 7);
                });
            }
        });
        let counters = layer.counters();
        assert_eq!((made.into_inner(), counters.misses, counters.hits), (1, 1, 7));
        assert!(counters.single_flight_waits > 0, "{counters:?}");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "only a test starts threads here")]
    fn a_value_that_is_too_large_still_serves_those_who_waited() {
        let (layer, made, barrier) = (Shelf::new(4, 10), AtomicU64::new(0), Barrier::new(4));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    let make = || {
                        made.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(200));
                        Ok::<u64, ()>(7)
                    };
                    layer.get_or_make(&Usage::new(true), "a", make, |_| 800).unwrap();
                });
            }
        });
        assert_eq!((made.into_inner(), layer.counters().too_large, layer.counters().entries), (1, 1, 0));
    }
}
