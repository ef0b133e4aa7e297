//! Trials that are kept while a workload is measured, to be simulated again by the reference simulator afterwards.

use std::sync::Arc;

use sandtable_core::context::Prepared;
use sandtable_core::run::{Evaluator, Outcome, Scratch};

/// Most trials that one evaluator's part of a workload keeps.
const MOST_KEPT: u64 = 16;

/// A trial as it was measured.
#[derive(Debug)]
pub struct Kept {
    /// What it was evaluated by.
    pub evaluator: Arc<Evaluator>,
    /// Its point.
    pub point: Vec<f64>,
    /// What it came to.
    pub outcome: Outcome,
}

/// Trials from all parts of a number of trials, without knowing how they were chosen.
#[derive(Debug, Default)]
pub struct Sample {
    /// The trials.
    pub kept: Vec<Kept>,
}

impl Sample {
    /// Offers the `nth` of `total` trials.
    pub fn offer(&mut self, nth: u64, total: u64, evaluator: &Arc<Evaluator>, point: &[f64], outcome: &Outcome) {
        // An odd step does not stay on one value of the fastest parameter.
        let step = (total / MOST_KEPT).max(1) | 1;
        if nth.is_multiple_of(step) {
            self.kept.push(Kept { evaluator: evaluator.clone(), point: point.to_vec(), outcome: outcome.clone() });
        }
    }
}

/// How many of the kept trials the reference simulator confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Trials simulated again.
    pub trials: usize,
    /// Those with the same bits in every metric, the same rows read and the same number of fills.
    pub equal: usize,
}

/// Simulates the kept trials by the reference simulator, columns computed anew, and compares bit for bit.
pub fn check(sample: &Sample) -> Checked {
    let mut scratch = Scratch::default();
    let mut again = |kept: &Kept| {
        let found = &kept.outcome;
        kept.evaluator.reference_trial(found.index, &kept.point, &Prepared::default(), &mut scratch)
    };
    let equal = sample.kept.iter().filter(|kept| same(&kept.outcome, &again(kept))).count();
    Checked { trials: sample.kept.len(), equal }
}

fn same(a: &Outcome, b: &Outcome) -> bool {
    let bits = |outcome: &Outcome| outcome.metrics.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
    bits(a) == bits(b) && (a.index, a.rows_read, a.fills) == (b.index, b.rows_read, b.fills)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::workload;

    #[test]
    fn a_last_bit_that_differs_is_found() {
        let evaluator = Arc::new(workload::evaluator("W2", &workload::bundle("W2")).unwrap());
        let point = vec![10.0, 40.0];
        let outcome = evaluator.trial(1, &point, &Prepared::default(), &mut Scratch::default());
        let mut sample = Sample::default();
        sample.offer(0, 1, &evaluator, &point, &outcome);
        assert_eq!(check(&sample), Checked { trials: 1, equal: 1 });
        let value = &mut sample.kept[0].outcome.metrics[0];
        *value = f64::from_bits(value.to_bits() ^ 1);
        assert_eq!(check(&sample), Checked { trials: 1, equal: 0 });
    }

    #[test]
    fn few_trials_are_all_kept_and_many_are_thinned() {
        let evaluator = Arc::new(workload::evaluator("W2", &workload::bundle("W2")).unwrap());
        let outcome = Outcome { index: 0, metrics: Vec::new(), rows_read: 0, fills: 0, by_reference: false };
        let kept = |total: u64| {
            let mut sample = Sample::default();
            (0..total).for_each(|nth| sample.offer(nth, total, &evaluator, &[], &outcome));
            sample.kept.len()
        };
        assert_eq!((kept(5), kept(25)), (5, 25));
        assert!((14..=16).contains(&kept(1000)));
    }
}
