//! The worker pools: each started once, kept until the program ends, shared by all runs that want as many threads.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};
use sandtable_core::bundle::EachSymbol;
use sandtable_core::run::{Scratch, workers};
use sandtable_core::{Error, Result};
use serde::Serialize;

use crate::place;

static POOLS: Mutex<BTreeMap<usize, Arc<Pool>>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// Each worker keeps its memory between trials, batches and runs.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Worker threads, and what they did so far.
#[derive(Debug)]
pub struct Pool {
    threads: usize,
    pool: ThreadPool,
    started: Instant,
    starting: Duration,
    batches: AtomicU64,
    tasks: AtomicU64,
    busy_nanoseconds: AtomicU64,
}

/// What a pool did so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Its threads.
    pub threads: usize,
    /// Lists of work that it was given.
    pub batches: u64,
    /// Portions of them that a thread took at a time.
    pub tasks: u64,
    /// Seconds that starting it took.
    pub starting_s: f64,
    /// Seconds since it was started.
    pub uptime_s: f64,
    /// Seconds of work, summed over its threads.
    pub busy_s: f64,
    /// Part of the threads' time since the start in which they worked.
    pub busy_share: f64,
}

impl Pool {
    fn start(threads: usize) -> Result<Pool> {
        let began = Instant::now();
        let here = place::here();
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|k| format!("sandtable-{k}"))
            .start_handler(move |k| {
                if let Some(here) = here {
                    place::away_from(here, k);
                }
            })
            .build()
            .map_err(|error| Error::machine(format!("{threads} worker threads could not be started: {error}")))?;
        Ok(Pool {
            threads,
            pool,
            started: Instant::now(),
            starting: began.elapsed(),
            batches: AtomicU64::new(0),
            tasks: AtomicU64::new(0),
            busy_nanoseconds: AtomicU64::new(0),
        })
    }

    /// Its threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Works through portions of a list, each by one thread, the first ones first; results are in the order of the items,
    /// whatever thread made them. A single portion is not worth waking anyone for.
    pub fn map<R: Send>(
        &self,
        portions: &[Range<usize>],
        work: impl Fn(Range<usize>, &mut Scratch) -> Vec<R> + Sync,
    ) -> Vec<R> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        let next = AtomicUsize::new(0);
        let timed = |range, scratch: &mut Scratch| {
            let began = Instant::now();
            let made = work(range, scratch);
            let nanoseconds = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.tasks.fetch_add(1, Ordering::Relaxed);
            self.busy_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
            made
        };
        let each = |scratch: &mut Scratch| workers::take_in_turn(&next, portions, |range| timed(range, scratch));
        if portions.len() < 2 {
            return workers::in_order(vec![SCRATCH.with_borrow_mut(each)]);
        }
        workers::in_order(self.pool.broadcast(|_| SCRATCH.with_borrow_mut(each)))
    }

    /// What it did so far.
    pub fn statistics(&self) -> Statistics {
        let (uptime, busy) = (self.started.elapsed(), self.busy_nanoseconds.load(Ordering::Relaxed));
        let (uptime_s, busy_s) = (uptime.as_secs_f64(), busy as f64 / 1e9);
        Statistics {
            threads: self.threads,
            batches: self.batches.load(Ordering::Relaxed),
            tasks: self.tasks.load(Ordering::Relaxed),
            starting_s: self.starting.as_secs_f64(),
            uptime_s,
            busy_s,
            busy_share: busy_s / (uptime_s * self.threads as f64).max(1e-9),
        }
    }
}

impl EachSymbol for Pool {
    fn each<R: Send>(&self, count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
        let portions: Vec<Range<usize>> = (0..count).map(|k| k..k + 1).collect();
        self.map(&portions, |range, _| range.map(&work).collect())
    }
}

/// The pool of `threads` workers (0 = one per processor). The same pool is given to every run that asks for as many.
///
/// # Errors
/// The machine refuses to start threads.
pub fn pool(threads: usize) -> Result<Arc<Pool>> {
    let threads = if threads == 0 { default_threads() } else { threads };
    let mut pools = pools();
    if let Some(pool) = pools.get(&threads) {
        return Ok(pool.clone());
    }
    let pool = Arc::new(Pool::start(threads)?);
    pools.insert(threads, pool.clone());
    Ok(pool)
}

/// Whether the pool of so many workers runs.
pub fn runs(threads: usize) -> bool {
    pools().contains_key(&threads)
}

/// What every pool of this process did so far, by number of threads.
pub fn statistics() -> Vec<Statistics> {
    pools().values().map(|pool| pool.statistics()).collect()
}

/// Workers when nothing is said: one per processor that this process may use.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn pools() -> MutexGuard<'static, BTreeMap<usize, Arc<Pool>>> {
    POOLS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn results_keep_their_order_and_work_is_counted() {
        let pool = Pool::start(3).unwrap();
        for portion in [1, 7, 1000] {
            let portions: Vec<Range<usize>> = (0..100).step_by(portion).map(|k| k..(k + portion).min(100)).collect();
            let doubled = pool.map(&portions, |range, _| range.map(|item| item * 2).collect());
            assert_eq!(doubled, (0..100).map(|item| item * 2).collect::<Vec<usize>>());
        }
        pool.map(&[0..1, 1..2], |_, _| {
            std::thread::sleep(Duration::from_millis(20));
            vec![()]
        });
        let did = pool.statistics();
        assert_eq!((did.threads, did.batches, did.tasks), (3, 4, 100 + 15 + 1 + 2));
        assert!(did.busy_s >= 0.04 && did.uptime_s >= 0.02 && did.busy_share > 0.0 && did.busy_share <= 1.0, "{did:?}");
    }

    #[test]
    fn runs_share_the_pool_of_their_size() {
        let (first, second) = (pool(5).unwrap(), pool(5).unwrap());
        assert!(Arc::ptr_eq(&first, &second) && runs(5) && !runs(4321));
        assert!(statistics().iter().any(|did| did.threads == 5));
    }
}
