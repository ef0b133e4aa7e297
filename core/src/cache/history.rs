//! The history layer: computed columns in two tiers under one byte budget.
//!
//! What comes in is *cold*: the first to go when room is needed. What is asked for again becomes *hot* and goes only
//! when nothing cold is left; what was not used for longest goes first in both. A column whose window length (bars of
//! the past that it looks at) was asked for often enough starts hot: a length that recurs under one name or range
//! recurs under others. Three quarters of the budget at most are hot, so that new columns always get their chance.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Column, Counters, Usage};

/// Look-ups of a window length from which on its columns start hot.
const RECURS: u32 = 4;
/// Most window lengths that are counted.
const MOST_LENGTHS: usize = 4096;
/// Bookkeeping of an entry besides its numbers: two tree nodes with key, column and times.
const OVERHEAD: u64 = 192;

/// Names a column: a hash of all that its values follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of a text that says what a column is: equal texts are equal columns.
    pub fn of(text: &str) -> Key {
        Key(*blake3::hash(text.as_bytes()).as_bytes())
    }

    /// The key of what `text` names within `self`, say an expression over a panel.
    #[must_use]
    pub fn within(&self, text: &str) -> Key {
        Key(*blake3::keyed_hash(&self.0, text.as_bytes()).as_bytes())
    }
}

/// Cache of columns, safe to share between threads and runs.
#[derive(Debug)]
pub struct History {
    budget: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: BTreeMap<Key, Entry>,
    /// Keys by the time of their last use.
    cold: BTreeMap<u64, Key>,
    hot: BTreeMap<u64, Key>,
    hot_bytes: u64,
    /// How often each window length was asked for.
    lengths: BTreeMap<usize, u32>,
    clock: u64,
    counters: Counters,
}

#[derive(Debug)]
struct Entry {
    column: Column,
    used: u64,
    hot: bool,
}

fn charge(column: &Column) -> u64 {
    column.len() as u64 * 8 + OVERHEAD
}

impl History {
    /// A cache that never holds more than `budget` bytes; 0 switches it off.
    pub fn new(budget: u64) -> Self {
        History { budget, inner: Mutex::default() }
    }

    /// Most bytes that it holds.
    pub fn budget(&self) -> u64 {
        self.budget
    }

    /// The column under `key`, if it is held; `length` is its window length.
    pub fn get(&self, key: Key, length: usize) -> Option<Column> {
        let mut inner = self.lock();
        inner.note_length(length);
        let Some(entry) = inner.entries.get(&key) else {
            inner.counters.misses += 1;
            return None;
        };
        let (column, was_hot) = (entry.column.clone(), entry.hot);
        inner.file(key, true);
        inner.counters.promoted += u64::from(!was_hot);
        inner.counters.hits += 1;
        inner.cool_down(self.budget);
        Some(column)
    }

    /// Keeps `column` under `key`, dropping what is least likely to be asked for where room is needed.
    pub fn put(&self, key: Key, length: usize, column: Column) {
        let bytes = charge(&column);
        let mut inner = self.lock();
        if bytes > self.budget {
            inner.counters.too_large += 1;
            return;
        }
        inner.remove(key);
        while inner.counters.bytes + bytes > self.budget {
            let oldest = inner.cold.first_key_value().or_else(|| inner.hot.first_key_value());
            let Some((_, &oldest)) = oldest else { break };
            inner.remove(oldest);
            inner.counters.evictions += 1;
        }
        let hot = inner.lengths.get(&length).is_some_and(|times| *times >= RECURS);
        inner.entries.insert(key, Entry { column, used: 0, hot: false });
        inner.file(key, hot);
        inner.counters.promoted += u64::from(hot);
        inner.counters.bytes += bytes;
        inner.counters.entries += 1;
        inner.cool_down(self.budget);
    }

    /// Drops everything; the counters of hits and misses stay.
    pub fn clear(&self) {
        let mut inner = self.lock();
        let counters = Counters { bytes: 0, entries: 0, ..inner.counters };
        *inner = Inner { counters, clock: inner.clock, ..Inner::default() };
    }

    /// What it did so far.
    pub fn counters(&self) -> Counters {
        self.lock().counters
    }

    /// Bytes of the hot tier.
    pub fn hot_bytes(&self) -> u64 {
        self.lock().hot_bytes
    }

    fn note_given_up(&self) {
        self.lock().counters.switched_off += 1;
    }

    /// A panic elsewhere while the lock was held cannot have left the cache worse than incomplete: go on with it.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn note_length(&mut self, length: usize) {
        if let Some(times) = self.lengths.get_mut(&length) {
            *times = times.saturating_add(1);
        } else if self.lengths.len() < MOST_LENGTHS {
            self.lengths.insert(length, 1);
        }
    }

    /// Puts an entry into a tier as the one used last.
    fn file(&mut self, key: Key, hot: bool) {
        self.clock += 1;
        let now = self.clock;
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let bytes = charge(&entry.column);
        let (before, was_hot) = (entry.used, entry.hot);
        entry.used = now;
        entry.hot = hot;
        self.unfile(before, was_hot, bytes);
        if hot {
            self.hot.insert(now, key);
            self.hot_bytes += bytes;
        } else {
            self.cold.insert(now, key);
        }
    }

    fn unfile(&mut self, used: u64, hot: bool, bytes: u64) {
        if hot {
            if self.hot.remove(&used).is_some() {
                self.hot_bytes -= bytes;
            }
        } else {
            self.cold.remove(&used);
        }
    }

    fn remove(&mut self, key: Key) {
        if let Some(entry) = self.entries.remove(&key) {
            let bytes = charge(&entry.column);
            self.unfile(entry.used, entry.hot, bytes);
            self.counters.bytes -= bytes;
            self.counters.entries -= 1;
        }
    }

    /// Keeps the hot tier within its share: what was not used for longest becomes the newest of the cold.
    fn cool_down(&mut self, budget: u64) {
        while self.hot_bytes > budget / 4 * 3 {
            let Some((_, &oldest)) = self.hot.first_key_value() else { break };
            self.file(oldest, false);
        }
    }
}

/// The history layer as one run sees it.
#[derive(Clone, Debug)]
pub struct RunHistory {
    history: Arc<History>,
    usage: Arc<Usage>,
}

impl RunHistory {
    /// A run's way to `history`.
    pub fn new(history: Arc<History>, usage: Arc<Usage>) -> RunHistory {
        RunHistory { history, usage }
    }

    /// Whether anything is asked of it: keys need not be made otherwise.
    pub fn is_on(&self) -> bool {
        self.usage.is_on()
    }

    /// As [`History::get`]; nothing where the run does not use the layer.
    pub fn get(&self, key: Key, length: usize) -> Option<Column> {
        if !self.is_on() {
            return None;
        }
        let found = self.history.get(key, length);
        if self.usage.note(found.is_some()) {
            self.history.note_given_up();
        }
        found
    }

    /// As [`History::put`]; nothing is kept where the run does not use the layer.
    pub fn put(&self, key: Key, length: usize, column: Column) {
        if self.is_on() {
            self.history.put(key, length, column);
        }
    }

    /// What the layer did so far, for all runs.
    pub fn counters(&self) -> Counters {
        self.history.counters()
    }

    /// How this run fared with it.
    pub fn usage(&self) -> &Arc<Usage> {
        &self.usage
    }
}

impl From<Arc<History>> for RunHistory {
    fn from(history: Arc<History>) -> RunHistory {
        RunHistory::new(history, Arc::new(Usage::new(true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(n: usize) -> Column {
        vec![1.0; n].into()
    }

    fn key(name: &str) -> Key {
        Key::of("panel").within(name)
    }

    #[test]
    fn the_budget_is_never_exceeded_and_the_oldest_goes_first() {
        let one = charge(&column(100));
        let cache = History::new(2 * one);
        for name in ["a", "b"] {
            cache.put(key(name), 1, column(100));
        }
        assert!(cache.get(key("a"), 1).is_some());
        cache.put(key("c"), 2, column(100));
        assert!(cache.get(key("b"), 1).is_none(), "b was never used again");
        assert!(cache.get(key("a"), 1).is_some() && cache.get(key("c"), 2).is_some());
        let counters = cache.counters();
        assert_eq!((counters.entries, counters.evictions, counters.bytes), (2, 1, 2 * one));
    }

    #[test]
    fn a_scan_of_new_columns_leaves_what_is_used_again() {
        let one = charge(&column(100));
        let cache = History::new(8 * one);
        for name in ["a", "b", "c"] {
            cache.put(key(name), 7, column(100));
            assert!(cache.get(key(name), 7).is_some());
        }
        for k in 0..100 {
            cache.put(key(&format!("new {k}")), 100 + k, column(100));
            assert!(cache.counters().bytes <= 8 * one);
        }
        assert!(["a", "b", "c"].iter().all(|name| cache.get(key(name), 7).is_some()));
        assert_eq!(cache.counters().promoted, 3);
    }

    #[test]
    fn columns_of_a_window_length_that_recurs_start_hot() {
        let one = charge(&column(100));
        let cache = History::new(4 * one);
        for _ in 0..RECURS {
            assert!(cache.get(key("sma(close, 20)"), 20).is_none());
        }
        cache.put(key("ema(close, 20)"), 20, column(100));
        assert_eq!((cache.counters().promoted, cache.hot_bytes()), (1, one));
        for k in 0..10 {
            cache.put(key(&format!("new {k}")), 100 + k, column(100));
        }
        assert!(cache.get(key("ema(close, 20)"), 20).is_some());
    }

    #[test]
    fn the_hot_tier_leaves_room_for_what_is_new() {
        let one = charge(&column(100));
        let cache = History::new(8 * one);
        for k in 0..8 {
            let key = key(&k.to_string());
            cache.put(key, k, column(100));
            assert!(cache.get(key, k).is_some());
        }
        assert_eq!((cache.hot_bytes(), cache.counters().bytes), (6 * one, 8 * one));
    }

    #[test]
    fn an_entry_larger_than_the_budget_is_not_kept_and_evicts_nothing() {
        let cache = History::new(charge(&column(10)));
        cache.put(key("a"), 1, column(10));
        cache.put(key("b"), 1, column(1000));
        assert!(cache.get(key("a"), 1).is_some() && cache.get(key("b"), 1).is_none());
        assert_eq!(cache.counters().too_large, 1);
    }

    #[test]
    fn replacing_a_key_keeps_the_books_straight() {
        let cache = History::new(10_000);
        cache.put(key("a"), 1, column(10));
        cache.put(key("a"), 1, column(20));
        assert_eq!(cache.counters().bytes, charge(&column(20)));
        cache.clear();
        assert_eq!((cache.counters().bytes, cache.counters().entries), (0, 0));
    }

    #[test]
    fn a_run_without_the_layer_leaves_it_empty_and_one_that_gains_nothing_gives_up() {
        let history = Arc::new(History::new(1 << 20));
        let off = RunHistory::new(history.clone(), Arc::new(Usage::new(false)));
        off.put(key("a"), 1, column(10));
        assert!(off.get(key("a"), 1).is_none());
        assert_eq!(history.counters(), Counters::default());

        let run = RunHistory::from(history.clone());
        for k in 0..1500 {
            assert!(run.get(key(&k.to_string()), 1).is_none());
        }
        assert!(!run.is_on() && run.usage().look_ups() < 1100);
        assert_eq!(history.counters().switched_off, 1);
        assert!(RunHistory::from(history).is_on(), "another run asks again");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "only a test starts threads here")]
    fn threads_never_push_it_over_its_budget() {
        let one = charge(&column(100));
        let cache = History::new(5 * one);
        std::thread::scope(|scope| {
            for thread in 0..8_usize {
                let cache = &cache;
                scope.spawn(move || {
                    for k in 0..300 {
                        let key = key(&((thread + k) % 23).to_string());
                        if cache.get(key, k % 11).is_none() {
                            cache.put(key, k % 11, column(50 + k % 50));
                        }
                        assert!(cache.counters().bytes <= 5 * one);
                    }
                });
            }
        });
        let mut held = 0;
        let inner = cache.lock();
        inner.entries.values().for_each(|entry| held += charge(&entry.column));
        assert_eq!((held, inner.entries.len()), (inner.counters.bytes, inner.counters.entries as usize));
        assert_eq!(inner.hot.len() + inner.cold.len(), inner.entries.len());
    }
}
