//! What a run keeps of its trials so that the search can be judged in the end.
//!
//! Given trials one after another, on any thread, this file keeps their [`Evidence`]; given the chosen trial, it gives the
//! [`Judgement`]. It never steers the search, and never knows how the judgement is shown.

use std::sync::{Mutex, PoisonError};

use super::{Detail, Evaluator, Scratch};
use crate::analysis::{DEFAULT_TRIALS, Evidence, Judgement, JudgementSettings};
use crate::error::Result;

/// Evidence that several threads add to.
#[derive(Debug)]
pub(super) struct Judging {
    /// Empty; says what to keep of a trial, which needs no lock.
    shape: Evidence,
    kept: Mutex<Evidence>,
}

impl Evaluator {
    /// The same, but what is needed to judge the search is kept of every trial that is evaluated. A run of fewer than
    /// eight sessions cannot be judged; then nothing is kept.
    #[must_use]
    pub fn judged(mut self) -> Evaluator {
        let evidence = Evidence::new(self.sessions.dates.len(), DEFAULT_TRIALS, self.plan.seed());
        self.judging = evidence.ok().map(|shape| Judging { kept: Mutex::new(shape.clone()), shape });
        self
    }

    /// Keeps what judgement needs of the trial whose metrics were computed last.
    pub(super) fn note(&self, index: u64, scratch: &Scratch) {
        let Some(judging) = &self.judging else { return };
        if let Some(sums) = judging.shape.measure(scratch.metrics.returns()) {
            judging.kept.lock().unwrap_or_else(PoisonError::into_inner).add(index, sums);
        }
    }

    /// Judges the trials evaluated so far; `best` is the one that the search chose, `detail` all of it. `None` where
    /// nothing was kept.
    ///
    /// # Errors
    /// `detail` is of another run.
    pub fn judgement(&self, best: u64, detail: &Detail) -> Result<Option<Judgement>> {
        let Some(judging) = &self.judging else { return Ok(None) };
        let evidence = judging.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let settings = JudgementSettings {
            periods_per_year: self.plan.periods_per_year(),
            seed: self.plan.seed(),
            ..JudgementSettings::default()
        };
        let returns = detail.session_returns(self.plan.settings().capital);
        Judgement::of(&evidence, best, &returns, &settings).map(Some)
    }
}

impl Detail {
    /// Return of each session, from `capital` on.
    pub fn session_returns(&self, capital: f64) -> Vec<f64> {
        super::returns(capital, &self.session_equity)
    }
}
