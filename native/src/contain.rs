//! Trials whose evaluation panics fail alone.
//!
//! Given trials, this file evaluates them as the core does; where that panics, it evaluates them once more, one at a time,
//! and those that panic again are failed trials. A panic is a mistake in this program, never in a study: it is told once,
//! and the search goes on. It never knows which thread it is on.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use sandtable_core::context::Prepared;
use sandtable_core::run::{Batch, Evaluator, Outcome, Scratch, Workers};

thread_local! {
    /// Whether a panic of this thread is caught below.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a contained panic has been told.
static TOLD: AtomicBool = AtomicBool::new(false);

/// Prepares what the trials of a batch share; where that panics they share nothing, and each finds out for itself.
pub fn prepare(evaluator: &Evaluator, batch: &Batch, workers: &mut impl Workers) -> Prepared {
    attempt(|| evaluator.prepare(batch, workers)).unwrap_or_default()
}

/// Evaluates trials as [`Evaluator::trials`] does.
pub fn trials(
    evaluator: &Evaluator,
    indices: &[u64],
    points: &[Vec<f64>],
    prepared: &Prepared,
    scratch: &mut Scratch,
) -> Vec<Outcome> {
    if let Some(outcomes) = attempt(|| evaluator.trials(indices, points, prepared, scratch)) {
        return outcomes;
    }
    let mut alone = |(&index, point): (&u64, &Vec<f64>)| {
        // What a panic left in the memory of the trial before is thrown away.
        *scratch = Scratch::default();
        attempt(|| evaluator.trial(index, point, prepared, scratch)).unwrap_or_else(|| Outcome::failed(index, 0))
    };
    let outcomes = indices.iter().zip(points).map(&mut alone).collect();
    *scratch = Scratch::default();
    outcomes
}

/// The value of `work`, `None` if it panics.
fn attempt<T>(work: impl FnOnce() -> T) -> Option<T> {
    tell_once();
    let before = CONTAINED.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(before);
    done.ok()
}

/// From now on, contained panics are told once in all and not each time.
fn tell_once() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            if !CONTAINED.get() {
                usual(what);
            } else if !TOLD.swap(true, Ordering::Relaxed) {
                eprintln!("warning: a trial failed by a mistake in this program, and others may: {what}");
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]

    use std::sync::Arc;

    use sandtable_core::bundle::synth;
    use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
    use sandtable_core::results::Status;
    use sandtable_core::run::Caches;
    use sandtable_core::strategy::from_gallery;

    use super::*;
    use crate::crew::Crew;
    use crate::drive::Pooled;
    use crate::pool;

    #[test]
    fn a_trial_that_panics_fails_alone_on_any_number_of_threads() {
        let bundle = synth::universe(2, 1, 1).into_bundle();
        let spec = PlanSpec::parse("bundle = \"b\"\nstrategy = \"sma_cross\"\n", "s.toml").unwrap();
        let plan = Plan::resolve(&spec, from_gallery("sma_cross").unwrap(), &BundleFacts::from(&bundle)).unwrap();
        let evaluator = Evaluator::cached(Arc::new(plan), &bundle, &Caches::new(1 << 20)).unwrap();
        let indices: Vec<u64> = (0..20).collect();
        let points: Vec<Vec<f64>> = (0..20_u8).map(|k| vec![f64::from(k + 2), f64::from(k + 30)]).collect();
        let prepared = Prepared::default();
        let good = Crew::new(1, 20).unwrap().trials(&evaluator, &indices, &points, &prepared);
        // A column that is too short for one trial: what reads it is out of bounds.
        let mut broken = Prepared::default();
        for (column, _) in evaluator.layout(&points[7..8]).wanted(&points[7..8]) {
            broken.insert(column, Arc::new(vec![1.0; 100]));
        }
        let pool = pool::pool(2).unwrap();
        for outcomes in [
            Crew::new(1, 20).unwrap().trials(&evaluator, &indices, &points, &broken),
            Pooled(&pool).trials(&evaluator, &indices, &points, &broken),
        ] {
            for (k, (outcome, good)) in outcomes.iter().zip(&good).enumerate() {
                assert_eq!(outcome.index, good.index);
                assert_eq!(outcome.status(), if k == 7 { Status::Failed } else { Status::Ok });
                if k != 7 {
                    let bits = |outcome: &Outcome| outcome.metrics.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    assert_eq!(bits(outcome), bits(good), "trial {k}");
                }
            }
        }
        let batch = Batch::whole(indices, points);
        let prepared = prepare(&evaluator, &batch, &mut Crew::new(1, 20).unwrap());
        assert_eq!(trials(&evaluator, &batch.indices, &batch.points, &prepared, &mut Scratch::default()).len(), 20);
    }
}
