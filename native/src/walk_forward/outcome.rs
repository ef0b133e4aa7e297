//! What a walk-forward came to, as data.
//!
//! Given the tested folds and the joined paths, this file compares training with test and gives JSON and tables. It never
//! knows where they are shown.

use std::ops::Range;

use sandtable_core::calendar::format_date;
use sandtable_core::folds::{self, Gap};
use sandtable_core::metrics;
use sandtable_core::plan::Direction;
use sandtable_core::run::Evaluator;
use serde_json::{Map, Value, json};

use super::{Path, Tested, folder};
use crate::export::{self, Course};
use crate::report::params_json;
use crate::search::metrics_json;

/// A finished walk-forward.
#[derive(Debug)]
pub struct Walked {
    /// The study over all its sessions.
    pub whole: Evaluator,
    /// Sessions that were taken out of training before and after tests.
    pub gap: Gap,
    /// The folds, in their order.
    pub tested: Vec<Tested>,
    /// The tests joined: one course, or several where folds test the same sessions.
    pub paths: Vec<Path>,
}

impl Walked {
    /// The objective of some metrics.
    pub fn objective(&self, metrics: &[f64]) -> f64 {
        self.whole.plan.scoring().value(metrics)
    }

    /// Objective of each fold in training and in test, turned so that larger is better.
    fn pairs(&self) -> (Vec<f64>, Vec<f64>) {
        let sign = if self.whole.plan.objective().direction == Direction::Min { -1.0 } else { 1.0 };
        let of = |metrics: &[f64]| sign * self.objective(metrics);
        self.tested.iter().map(|tested| (of(&tested.chosen.metrics), of(&tested.test))).unzip()
    }

    /// How much of training is left in the tests; NaN unless training gains.
    pub fn efficiency(&self) -> f64 {
        let (train, test) = self.pairs();
        folds::efficiency(&train, &test)
    }

    /// Mean of the objective over trainings and over tests, in its own direction; folds without either left out.
    pub fn means(&self) -> (f64, f64) {
        let sign = if self.whole.plan.objective().direction == Direction::Min { -1.0 } else { 1.0 };
        let (train, test) = self.pairs();
        let both: Vec<(f64, f64)> =
            train.into_iter().zip(test).filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
        let count = both.len() as f64;
        let sums = both.iter().fold((0.0, 0.0), |(a, b), (train, test)| (a + train, b + test));
        (sign * sums.0 / count, sign * sums.1 / count)
    }

    /// How steady each parameter is from fold to fold; those with a single value are left out.
    pub fn stability(&self) -> Vec<(&str, f64)> {
        let axes = self.whole.plan.space().axes();
        let moving = axes.iter().filter(|axis| axis.len > 1);
        let places = |axis: &sandtable_core::plan::Axis| -> Vec<u64> {
            self.tested.iter().map(|tested| tested.chosen.index / axis.stride % axis.len).collect()
        };
        moving.map(|axis| (axis.name.as_str(), folds::stability(&places(axis), axis.len))).collect()
    }

    /// Equity of all paths, session by session.
    pub fn courses(&self) -> export::Table {
        let course = |path: &Path| Course {
            sessions: path.detail.sessions.clone(),
            folds: path.stretches.iter().flat_map(|s| s.sessions.clone().map(|_| s.fold as u32 + 1)).collect(),
            equity: path.detail.session_equity.clone(),
        };
        export::courses(&self.paths.iter().map(course).collect::<Vec<_>>())
    }

    /// First and last dates of a range of sessions.
    pub fn dates(&self, range: &Range<usize>) -> [String; 2] {
        let dates = self.whole.sessions();
        [format_date(dates[range.start]), format_date(dates[range.end - 1])]
    }

    /// Everything but equity.
    pub fn to_json(&self) -> Value {
        let plan = &self.whole.plan;
        let stability: Map<_, _> = self.stability().into_iter().map(|(name, x)| (name.to_owned(), json!(x))).collect();
        let (train, test) = self.means();
        let fold = |(number, tested): (usize, &Tested)| self.fold_json(number, tested);
        let folding = plan.folding().copied().unwrap_or_default();
        json!({
            "run_id": plan.id(),
            "folds": self.tested.iter().enumerate().map(fold).collect::<Vec<_>>(),
            "scheme": folding.to_json(),
            "gap": {"before_test": self.gap.before, "after_test": if folding.scheme.is_walk() { 0 } else { self.gap.after }},
            "objective": plan.scoring().texts().next(),
            "mean_objective": {"train": train, "test": test},
            "efficiency": self.efficiency(),
            "stability": stability,
            "out_of_sample": self.paths.iter().map(|path| self.path_json(path)).collect::<Vec<_>>(),
        })
    }

    fn fold_json(&self, number: usize, tested: &Tested) -> Value {
        let ranges = |list: &[Range<usize>]| list.iter().map(|range| json!(self.dates(range))).collect::<Vec<_>>();
        let sessions = |list: &[Range<usize>]| list.iter().map(Range::len).sum::<usize>();
        let Tested { fold, trials, chosen, test } = tested;
        json!({
            "fold": number + 1,
            "folder": folder::name(number, self.tested.len()),
            "trials": trials,
            "chosen": {"index": chosen.index, "params": params_json(&self.whole.plan, &chosen.point)},
            "train": {
                "ranges": ranges(&fold.train), "sessions": sessions(&fold.train),
                "objective": self.objective(&chosen.metrics), "metrics": metrics_json(&chosen.metrics),
            },
            "test": {
                "ranges": ranges(&fold.test), "sessions": sessions(&fold.test),
                "objective": self.objective(test), "metrics": metrics_json(test),
            },
        })
    }

    fn path_json(&self, path: &Path) -> Value {
        let stretch = |stretch: &sandtable_core::folds::Stretch| {
            let [from, to] = self.dates(&stretch.sessions);
            json!({"from": from, "to": to, "fold": stretch.fold + 1})
        };
        json!({
            "stretches": path.stretches.iter().map(stretch).collect::<Vec<_>>(),
            "metrics": metrics_json(&path.detail.metrics),
        })
    }

    /// A metric of the first path.
    pub fn of_first(&self, name: &str) -> f64 {
        let value = |path: &Path| metrics::index_of(name).and_then(|place| path.detail.metrics.get(place).copied());
        self.paths.first().and_then(value).unwrap_or(f64::NAN)
    }
}
