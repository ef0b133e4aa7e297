//! What a run keeps of its trials so that the search can be judged in the end.
//!
//! Given trials one after another, on any thread, this file keeps their [`Evidence`]; given the chosen trial, it gives the
//! [`Judgement`]. It never steers the search, and never knows how the judgement is shown.
//!
//! A trial that an earlier process evaluated has numbers but no evidence. The run is told of it by [`Evaluator::recall`];
//! [`Evaluator::lacking`] names those among them whose evidence would be kept, and no others have to be evaluated again.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Detail, Evaluator, Outcome, Scratch, Workers, planner};
use crate::analysis::{DEFAULT_TRIALS, Evidence, Hands, Judgement, JudgementSettings};
use crate::error::Result;
use crate::metrics;

/// The metric that a trial has if and only if it has returns whose squares are finite: what judgement needs.
const NEEDED: &str = "volatility";

/// Evidence that several threads add to.
#[derive(Debug)]
pub(super) struct Judging {
    /// Empty; says what to keep of a trial, which needs no lock.
    shape: Evidence,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    evidence: Evidence,
    /// Trials that are known without evidence: how many, and the keys of those that might be kept.
    known: u64,
    known_keys: BTreeSet<(u64, u64)>,
}

impl Judging {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Evaluator {
    /// The same, but what is needed to judge the search is kept of every trial that is evaluated. A run of fewer than
    /// eight sessions cannot be judged; then nothing is kept.
    #[must_use]
    pub fn judged(mut self) -> Evaluator {
        let evidence = Evidence::new(self.sessions.dates.len(), DEFAULT_TRIALS, self.plan.seed());
        let kept = |evidence| Kept { evidence, known: 0, known_keys: BTreeSet::new() };
        self.judging = evidence.ok().map(|shape| Judging { kept: Mutex::new(kept(shape.clone())), shape });
        self
    }

    /// Whether what judgement needs is kept.
    pub fn is_judged(&self) -> bool {
        self.judging.is_some()
    }

    /// Keeps what judgement needs of the trial whose metrics were computed last.
    pub(super) fn note(&self, index: u64, scratch: &Scratch) {
        let Some(judging) = &self.judging else { return };
        if let Some(sums) = judging.shape.measure(scratch.metrics.returns()) {
            judging.kept().evidence.add(index, sums);
        }
    }

    /// Takes note of a trial that an earlier process evaluated.
    pub fn recall(&self, outcome: &Outcome) {
        let Some(judging) = &self.judging else { return };
        let needed = metrics::index_of(NEEDED).and_then(|place| outcome.metrics.get(place));
        if needed.is_none_or(|value| value.is_nan()) {
            return;
        }
        let mut kept = judging.kept();
        kept.known += 1;
        let key = kept.evidence.key(outcome.index);
        kept.known_keys.insert(key);
        if kept.known_keys.len() > DEFAULT_TRIALS {
            kept.known_keys.pop_last();
        }
    }

    /// Says how many points were passed over after they had seen a part of the data: the best trial was chosen among them
    /// too, so the judgement counts them, though it has no returns of theirs over all sessions.
    pub fn passed_over(&self, points: u64) {
        if let Some(judging) = &self.judging {
            judging.kept().evidence.pass_over(points);
        }
    }

    /// The trials among those recalled whose evidence belongs into the sample, ascending: to be evaluated again, for the
    /// evidence alone. The others count as seen from now on; nothing is recalled any more.
    pub fn lacking(&self) -> Vec<u64> {
        let Some(judging) = &self.judging else { return Vec::new() };
        let mut kept = judging.kept();
        let keys = std::mem::take(&mut kept.known_keys);
        let mut sample: Vec<((u64, u64), bool)> = keys.into_iter().map(|key| (key, true)).collect();
        let here = kept.evidence.indices();
        sample.extend(here.into_iter().map(|index| (kept.evidence.key(index), false)));
        sample.sort_unstable();
        sample.truncate(DEFAULT_TRIALS);
        let lacks = |((_, index), lacks): ((u64, u64), bool)| lacks.then_some(index);
        let mut lacking: Vec<u64> = sample.into_iter().filter_map(lacks).collect();
        lacking.sort_unstable();
        let others = kept.known - lacking.len() as u64;
        kept.evidence.count(others);
        kept.known = 0;
        lacking
    }

    /// Judges the trials evaluated so far; `best` is the one that the search chose, `detail` all of it. `None` where
    /// nothing was kept.
    ///
    /// # Errors
    /// `detail` is of another run.
    pub fn judgement(&self, best: u64, detail: &Detail, workers: &mut impl Workers) -> Result<Option<Judgement>> {
        let Some(judging) = &self.judging else { return Ok(None) };
        let settings = JudgementSettings {
            periods_per_year: self.plan.periods_per_year(),
            seed: self.plan.seed(),
            ..JudgementSettings::default()
        };
        let returns = detail.session_returns(self.plan.settings().capital);
        Judgement::of(&judging.kept().evidence, best, &returns, &settings, &mut Portions(workers)).map(Some)
    }
}

/// Those who evaluate trials, for other work.
struct Portions<'a, W>(&'a mut W);

impl<W: Workers> Hands for Portions<'_, W> {
    fn count(&self) -> usize {
        self.0.threads()
    }

    fn map<R: Send>(&mut self, items: usize, least: usize, work: impl Fn(Range<usize>) -> Vec<R> + Sync) -> Vec<R> {
        let portions = planner::portions(items, self.0.threads(), least, 1);
        self.0.map(&portions, |range, _| work(range))
    }
}

impl Detail {
    /// Return of each session, from `capital` on; none, as for the metrics, where an account was ruined or its equity is
    /// not a number.
    pub fn session_returns(&self, capital: f64) -> Vec<f64> {
        let bases = std::iter::once(&capital).chain(&self.session_equity).take(self.session_equity.len());
        let positive = bases.into_iter().all(|&base| base > 0.0);
        let finite = self.session_equity.iter().all(|equity| equity.is_finite());
        if positive && finite { super::returns(capital, &self.session_equity) } else { Vec::new() }
    }
}
