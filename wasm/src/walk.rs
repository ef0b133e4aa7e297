//! Walk-forward: a plan's folds, searched and tested one after another.

use std::ops::Range;

use js_sys::Float64Array;
use sandtable_core::calendar::format_date;
use sandtable_core::run::{Evaluator, Tested, Walking};
use serde::Serialize;
use serde_wasm_bindgen::preserve;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::convert::{floats, to_js};
use crate::error::{OrThrow, Result};
use crate::pool::Workforce;
use crate::run::Run;

/// The folds of a plan. What they come to is the same for any size of steps.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Walk {
    walking: Walking,
    workforce: Workforce,
}

/// What a walk came to so far.
#[derive(Serialize, Tsify)]
pub struct WalkInfo {
    /// Number of folds.
    pub total: f64,
    /// Those that were tested, in their order.
    pub folds: Vec<FoldInfo>,
    /// How much of the objective in training is left in the tests; NaN unless training gains.
    pub efficiency: f64,
    /// Metrics of the tests joined to one course, in the catalog's order; empty before every fold is tested.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub joined: Float64Array,
}

/// A fold that was searched and tested.
#[derive(Serialize, Tsify)]
pub struct FoldInfo {
    /// First and last dates of each range of training.
    #[tsify(type = "[string, string][]")]
    pub train: Vec<[String; 2]>,
    /// The same of the test.
    #[tsify(type = "[string, string][]")]
    pub test: Vec<[String; 2]>,
    /// Trials of its search.
    pub trials: f64,
    /// Parameter values of the choice, in order.
    pub params: Vec<f64>,
    /// The objective of the choice in training.
    #[serde(rename = "trainObjective")]
    pub train_objective: f64,
    /// The objective of the choice in the test.
    #[serde(rename = "testObjective")]
    pub test_objective: f64,
    /// Metrics of the choice in training, in the catalog's order.
    #[serde(rename = "trainMetrics", with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub train_metrics: Float64Array,
    /// Metrics of the choice in the test.
    #[serde(rename = "testMetrics", with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub test_metrics: Float64Array,
}

impl Walk {
    pub(crate) fn of(walking: Walking) -> Walk {
        Walk { walking, workforce: Workforce::default() }
    }
}

#[wasm_bindgen]
impl Walk {
    /// Takes over what a run has prepared, as `Run.inherit` does.
    pub fn inherit(&mut self, before: &Run) -> bool {
        self.walking.inherit(before.exploration())
    }

    /// Evaluates up to so many more trials, at least one, of one training, and tests its choice when it is the last of
    /// them. Whether there is nothing left.
    ///
    /// # Errors
    /// A training without a trial.
    pub fn step(&mut self, trials: u32) -> Result<bool> {
        self.walking.step(trials as usize, &mut self.workforce).or_throw()
    }

    /// What it came to so far.
    ///
    /// # Errors
    /// None that a caller can cause.
    #[wasm_bindgen(unchecked_return_type = "WalkInfo")]
    pub fn info(&self) -> Result<JsValue> {
        let joined = self.walking.joined().or_throw()?;
        to_js(&WalkInfo {
            total: self.walking.len() as f64,
            folds: self.walking.tested().iter().map(|tested| fold(self.walking.whole(), tested)).collect(),
            efficiency: self.walking.efficiency(),
            joined: floats(joined.as_ref().map_or(&[], |detail| &detail.metrics)),
        })
    }
}

fn fold(whole: &Evaluator, tested: &Tested) -> FoldInfo {
    let dates = whole.sessions();
    let date = |range: &Range<usize>| [format_date(dates[range.start]), format_date(dates[range.end - 1])];
    let objective = |metrics: &[f64]| whole.plan.scoring().value(metrics);
    FoldInfo {
        train: tested.fold.train.iter().map(date).collect(),
        test: tested.fold.test.iter().map(date).collect(),
        trials: tested.trials as f64,
        params: tested.point.clone(),
        train_objective: objective(&tested.train),
        test_objective: objective(&tested.test),
        train_metrics: floats(&tested.train),
        test_metrics: floats(&tested.test),
    }
}
