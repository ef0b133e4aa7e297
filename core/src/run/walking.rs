//! Walk-forward in small steps whose results stay in memory: each fold's training is searched, and its choice tested.
//!
//! Given an [`Evaluator`] whose plan has folds and somebody who evaluates, this gives the tested folds one after another.
//! What is prepared for the first training serves the others, for all folds share panel and columns. It never chooses by
//! anything but the plan's objective over training.

use std::ops::Range;

use super::{Detail, Evaluator, Exploration, Workers, best_rows};
use crate::error::{Error, Result};
use crate::folds::{self, Fold, Folds};
use crate::plan::Direction;

/// A fold that was searched and tested.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// Its sessions, as places in [`Evaluator::sessions`] of the whole plan.
    pub fold: Fold,
    /// Trials of its search.
    pub trials: u64,
    /// Index of the choice in the plan's space.
    pub index: u64,
    /// Its parameter values.
    pub point: Vec<f64>,
    /// Its metrics in training.
    pub train: Vec<f64>,
    /// Its metrics in the test, several ranges joined.
    pub test: Vec<f64>,
}

/// A walk in progress.
#[derive(Debug)]
pub struct Walking {
    whole: Evaluator,
    folds: Folds,
    /// The search of the fold after the tested ones; of the last one when there is nothing left.
    training: Exploration,
    tested: Vec<Tested>,
}

impl Walking {
    /// All folds of the evaluator's plan, none of them searched yet.
    ///
    /// # Errors
    /// The folds do not fit into the plan's sessions, or its space has too many trials to be explored in memory.
    pub fn new(whole: Evaluator) -> Result<Walking> {
        let (folds, _) = whole.folds()?;
        let Some(first) = folds.folds.first() else { return Err(Error::plan("the plan has no fold")) };
        let training = Exploration::new(whole.within(&first.train)?)?;
        Ok(Walking { whole, folds, training, tested: Vec::new() })
    }

    /// Takes over what a run has prepared, as [`Exploration::inherit`] does.
    pub fn inherit(&mut self, before: &Exploration) -> bool {
        self.training.inherit(before)
    }

    /// Evaluates up to so many more trials, at least one, of one training; tests its choice when it is the last of them.
    /// Whether there is nothing left.
    ///
    /// # Errors
    /// A training without a trial.
    pub fn step(&mut self, trials: usize, workers: &mut impl Workers) -> Result<bool> {
        let place = self.tested.len();
        let Some(fold) = self.folds.folds.get(place) else { return Ok(true) };
        if !self.training.step(trials, workers).done {
            return Ok(false);
        }
        self.tested.push(self.test(fold)?);
        let Some(next) = self.folds.folds.get(place + 1) else { return Ok(true) };
        let mut training = Exploration::new(self.whole.within(&next.train)?)?;
        training.inherit(&self.training);
        self.training = training;
        Ok(false)
    }

    fn test(&self, fold: &Fold) -> Result<Tested> {
        let results = self.training.results();
        let Some(&row) = best_rows(&self.whole.plan, results, 1).first() else {
            return Err(Error::plan("a training has no trial").help("widen the space, or its conditions"));
        };
        let (point, train) = (results.point(row), results.metrics_of(row));
        let test = self.whole.within(&fold.test)?.detail(&point).metrics;
        let trials = self.training.progress().trials;
        Ok(Tested { fold: fold.clone(), trials, index: results.index()[row], point, train, test })
    }

    /// The plan over all its sessions.
    pub fn whole(&self) -> &Evaluator {
        &self.whole
    }

    /// Number of folds.
    pub fn len(&self) -> usize {
        self.folds.folds.len()
    }

    /// Whether there is none: never.
    pub fn is_empty(&self) -> bool {
        self.folds.folds.is_empty()
    }

    /// The folds that were tested so far, in their order.
    pub fn tested(&self) -> &[Tested] {
        &self.tested
    }

    /// How much of training is left in the tests so far, by the plan's objective; NaN unless training gains.
    pub fn efficiency(&self) -> f64 {
        let plan = &self.whole.plan;
        let sign = if plan.objective().direction == Direction::Min { -1.0 } else { 1.0 };
        let of = |metrics: &[f64]| sign * plan.scoring().value(metrics);
        let (train, test): (Vec<f64>, Vec<f64>) = self.tested.iter().map(|one| (of(&one.train), of(&one.test))).unzip();
        folds::efficiency(&train, &test)
    }

    /// The tests joined to the first course out of sample; `None` before every fold is tested.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn joined(&self) -> Result<Option<Detail>> {
        let Some(path) = self.folds.paths.first().filter(|_| self.tested.len() == self.len()) else { return Ok(None) };
        let stretch = |stretch: &folds::Stretch| (stretch.sessions.clone(), self.tested[stretch.fold].point.clone());
        let stretches: Vec<(Range<usize>, Vec<f64>)> = path.iter().map(stretch).collect();
        self.whole.stitched(&stretches).map(Some)
    }
}
