//! Who does what can be cut into parts: statistics over thousands of splits or replications need not wait for one thread.
//!
//! Given a number of items and work that takes any range of them, somebody gives what it makes of each, in order. Nothing
//! here starts a thread, and no result depends on where ranges are cut.

use std::ops::Range;

/// Those who do it.
pub trait Hands {
    /// How many parts are worked on at the same time.
    fn count(&self) -> usize;

    /// What `work` gives of each range, one after the other. Ranges of fewer than `least` items are not worth handing out.
    fn map<R: Send>(&mut self, items: usize, least: usize, work: impl Fn(Range<usize>) -> Vec<R> + Sync) -> Vec<R>;
}

/// The caller, all at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Hands for Alone {
    fn count(&self) -> usize {
        1
    }

    fn map<R: Send>(&mut self, items: usize, _least: usize, work: impl Fn(Range<usize>) -> Vec<R> + Sync) -> Vec<R> {
        work(0..items)
    }
}
