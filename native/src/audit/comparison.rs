//! A variant against the baseline: interleaved pairs, and the judgement over them.

use sandtable_core::Result;
use serde::Serialize;

use super::runner::{self, Measured};
use super::statistics::{Mean, improvements, p_greater};
use super::variant::Variant;
use super::workload::Workload;
use crate::pool::Pool;

/// The least improvement that is accepted: a share of the baseline's time.
pub const LEAST_IMPROVEMENT: f64 = 0.4;
/// Where chance is no longer believed.
pub const SIGNIFICANCE: f64 = 0.05;

/// The baseline and a variant, one right after the other.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    /// Whether the baseline ran before the variant; it does in every other pair.
    pub baseline_first: bool,
    /// The baseline.
    pub baseline: Measured,
    /// The variant.
    pub variant: Measured,
}

/// All pairs of one variant.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// What is compared with the baseline.
    pub variant: Variant,
    /// The first pair, which warms the machine up and is not judged.
    pub warm_up: Pair,
    /// The pairs that are judged.
    pub pairs: Vec<Pair>,
}

/// What the pairs say.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// What was compared with the baseline.
    pub variant: Variant,
    /// Seconds of the baseline.
    pub baseline: Mean,
    /// Seconds of the variant.
    pub seconds: Mean,
    /// Share of the baseline's time that was saved, by pair.
    pub improvement: Mean,
    /// The baseline's mean time over the variant's.
    pub ratio: f64,
    /// One-tailed p of the paired t-test; null where one pair cannot tell.
    pub p: f64,
    /// Whether every run, of baseline and variant, gave the same bits.
    pub identical: bool,
    /// Whether it improved by enough, beyond chance, with the same bits.
    pub accepted: bool,
    /// Why it is accepted or not.
    pub reason: String,
}

impl Comparison {
    /// Runs `runs` pairs after one that warms up; `done` is called after each pair.
    ///
    /// # Errors
    /// As [`runner::run`].
    pub fn measure(
        workload: &Workload,
        variant: Variant,
        runs: usize,
        pool: &Pool,
        mut done: impl FnMut(),
    ) -> Result<Comparison> {
        let mut pair = |k: usize| {
            let run = |variant: Variant| runner::run(workload, variant.layers(), pool);
            let baseline_first = k.is_multiple_of(2);
            let pair = if baseline_first {
                let baseline = run(Variant::Baseline)?;
                Pair { baseline_first, baseline, variant: run(variant)? }
            } else {
                let measured = run(variant)?;
                Pair { baseline_first, baseline: run(Variant::Baseline)?, variant: measured }
            };
            done();
            Ok(pair)
        };
        let warm_up = pair(0)?;
        Ok(Comparison { variant, warm_up, pairs: (1..=runs).map(pair).collect::<Result<_>>()? })
    }

    /// Judges the pairs.
    pub fn verdict(&self) -> Verdict {
        let seconds = |of: fn(&Pair) -> &Measured| self.pairs.iter().map(|pair| of(pair).seconds).collect::<Vec<_>>();
        let (before, after) = (seconds(|pair| &pair.baseline), seconds(|pair| &pair.variant));
        let (baseline, variant) = (Mean::of(&before), Mean::of(&after));
        let improvement = Mean::of(&improvements(&before, &after));
        let p = p_greater(&before, &after);
        let identical = self.identical();
        let (accepted, reason) = judge(identical, improvement.mean, p);
        Verdict {
            variant: self.variant,
            baseline,
            seconds: variant,
            improvement,
            ratio: baseline.mean / variant.mean,
            p,
            identical,
            accepted,
            reason,
        }
    }

    /// Whether every run gave the bits of the first one, the warming-up runs included.
    pub fn identical(&self) -> bool {
        let results = |m: &Measured| (m.results_hash.clone(), m.backtests, m.rows_read, m.fills);
        let expected = results(&self.warm_up.baseline);
        let pairs = std::iter::once(&self.warm_up).chain(&self.pairs);
        pairs.flat_map(|pair| [&pair.baseline, &pair.variant]).all(|measured| results(measured) == expected)
    }
}

fn judge(identical: bool, improvement: f64, p: f64) -> (bool, String) {
    if !identical {
        return (false, "its results are not the baseline's, bit for bit: its times say nothing".into());
    }
    if p.is_nan() {
        return (false, "one pair tells nothing about chance".into());
    }
    if p >= SIGNIFICANCE {
        return (false, format!("not faster beyond chance (p = {p:.3}, below {SIGNIFICANCE} is needed)"));
    }
    if improvement < LEAST_IMPROVEMENT {
        let (found, needed) = (100.0 * improvement, 100.0 * LEAST_IMPROVEMENT);
        return (false, format!("faster, but by {found:.1} % only ({needed:.0} % is needed)"));
    }
    (true, "faster by enough, beyond chance, with the same bits".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::variant::Layer;

    fn measured(seconds: f64, hash: &str) -> Measured {
        Measured { seconds, backtests: 2, rows_read: 10, fills: 3, fast: 0, results_hash: hash.into() }
    }

    fn comparison(before: &[f64], after: &[f64]) -> Comparison {
        let pair = |(&before, &after): (&f64, &f64)| Pair {
            baseline_first: true,
            baseline: measured(before, "same"),
            variant: measured(after, "same"),
        };
        let warm_up = Pair { baseline_first: true, baseline: measured(9.0, "same"), variant: measured(9.0, "same") };
        Comparison {
            variant: Variant::Alone(Layer::Fast),
            warm_up,
            pairs: before.iter().zip(after).map(pair).collect(),
        }
    }

    #[test]
    fn enough_and_beyond_chance_is_accepted() {
        let verdict = comparison(&[1.0, 1.1, 0.9, 1.0], &[0.5, 0.52, 0.5, 0.48]).verdict();
        assert!(verdict.accepted && verdict.identical, "{verdict:?}");
        assert!(verdict.p < 1e-3 && (verdict.improvement.mean - 0.4979).abs() < 1e-3 && verdict.ratio > 1.99);
    }

    #[test]
    fn what_is_not_enough_or_may_be_chance_is_not() {
        let little = comparison(&[1.0, 1.1, 0.9, 1.0], &[0.8, 0.9, 0.7, 0.81]).verdict();
        assert!(!little.accepted && little.p < SIGNIFICANCE && little.reason.contains("only"), "{}", little.reason);
        let chance = comparison(&[1.0, 9.0, 1.0], &[0.9, 1.0, 1.1]).verdict();
        assert!(!chance.accepted && chance.reason.contains("beyond chance"), "{}", chance.reason);
        let one = comparison(&[1.0], &[0.1]).verdict();
        assert!(!one.accepted && one.p.is_nan(), "{}", one.reason);
    }

    #[test]
    fn one_different_bit_anywhere_is_refused_however_fast_it_was() {
        let fast = comparison(&[1.0, 1.1, 0.9, 1.0], &[0.1, 0.12, 0.1, 0.11]);
        assert!(fast.verdict().accepted);
        let changes: [fn(&mut Comparison); 4] = [
            |c| c.pairs[2].variant.results_hash = "other".into(),
            |c| c.pairs[0].baseline.results_hash = "other".into(),
            |c| c.warm_up.variant.results_hash = "other".into(),
            |c| c.pairs[3].variant.fills += 1,
        ];
        for change in changes {
            let mut changed = fast.clone();
            change(&mut changed);
            let verdict = changed.verdict();
            assert!(!verdict.identical && !verdict.accepted && verdict.reason.contains("bit"), "{}", verdict.reason);
        }
    }
}
