//! One run's use of a layer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Look-ups after which a layer that answers next to nothing is given up.
const ENOUGH: u64 = 1000;
/// One look-up in so many must be answered: fewer do not pay for keys and locks.
const ONE_IN: u64 = 50;

/// Whether one run uses a layer, and how it fared. Shared by the threads of the run.
///
/// A layer that answered less than 2 % of a thousand look-ups is given up for the rest of the run: nothing more is
/// asked of it or put into it. Other runs are not affected.
#[derive(Debug, Default)]
pub struct Usage {
    wanted: AtomicBool,
    gave_up: AtomicBool,
    hits: AtomicU64,
    look_ups: AtomicU64,
}

impl Usage {
    /// A run that has not asked anything yet.
    pub fn new(wanted: bool) -> Usage {
        Usage { wanted: AtomicBool::new(wanted), ..Usage::default() }
    }

    /// Whether the layer is used: wanted and not given up.
    pub fn is_on(&self) -> bool {
        self.is_wanted() && !self.gave_up()
    }

    /// Whether the run wants it at all.
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Leaves the layer alone from here on.
    pub fn switch_off(&self) {
        self.wanted.store(false, Ordering::Relaxed);
    }

    /// Whether it was given up because it did not answer.
    pub fn gave_up(&self) -> bool {
        self.gave_up.load(Ordering::Relaxed)
    }

    /// Look-ups of this run that were answered.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Look-ups of this run.
    pub fn look_ups(&self) -> u64 {
        self.look_ups.load(Ordering::Relaxed)
    }

    /// Counts a look-up; `true` if the layer is given up by it, which happens once.
    pub fn note(&self, hit: bool) -> bool {
        let hits = self.hits.fetch_add(u64::from(hit), Ordering::Relaxed) + u64::from(hit);
        let look_ups = self.look_ups.fetch_add(1, Ordering::Relaxed) + 1;
        let useless = look_ups >= ENOUGH && hits < look_ups / ONE_IN;
        useless && !self.gave_up.swap(true, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_does_not_answer_is_given_up_once() {
        let usage = Usage::new(true);
        let given_up = (0..3000).filter(|_| usage.note(false)).count();
        assert!(given_up == 1 && usage.gave_up() && !usage.is_on() && usage.is_wanted());
    }

    #[test]
    fn a_layer_that_answers_now_and_then_stays() {
        let usage = Usage::new(true);
        assert!(!(0..3000).any(|k| usage.note(k % 40 == 0)) && usage.is_on());
        assert_eq!((usage.hits(), usage.look_ups()), (75, 3000));
        assert!(!Usage::new(false).is_on());
    }
}
