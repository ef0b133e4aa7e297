//! How far the winner of a search can be believed.
//!
//! After every search, [`by_default`] judges it by what was kept of its trials and looks at the [`surface`] of its scores.
//! On request a trial is tried harder: other courses of its trades ([`courses`]), bars with noise ([`noise`]), higher
//! [`costs`], orders a bar later ([`delay`]), parameters a step aside ([`sensitivity`]), and data that end earlier, which
//! must not change what was decided before ([`look_ahead`]).
//!
//! Given a study folder that was read back, this room gives findings as JSON and text. It never steers a search, and never
//! knows how a trial is simulated.

pub mod by_default;
pub mod costs;
pub mod courses;
pub mod delay;
pub mod look_ahead;
pub mod noise;
pub mod sensitivity;
pub mod surface;

use sandtable_core::metrics;
use sandtable_core::plan::Plan;
use sandtable_core::run::Detail;
use serde_json::{Value, json};

use crate::reopen::{Reopened, Trial};
use crate::search::metrics_json;
use crate::view::{number, table};

/// Metrics of a table of variants, after the objective.
const LISTED: [&str; 5] = ["sharpe", "cagr", "max_drawdown", "trades", "total_return"];

/// A trial of a study that is tried harder.
#[derive(Debug)]
pub struct Case {
    /// The study.
    pub study: Reopened,
    /// The trial.
    pub trial: Trial,
    /// All of it.
    pub detail: Detail,
}

/// What a test found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its name in JSON.
    pub key: &'static str,
    /// What came out, as data.
    pub json: Value,
    /// What came out, in words.
    pub text: String,
    /// Whether it found no mistake: a weak trial is none.
    pub sound: bool,
}

impl Case {
    /// A trial of a study.
    pub fn of(study: Reopened, trial: Trial) -> Case {
        let detail = study.evaluator.detail(&trial.point);
        Case { study, trial, detail }
    }

    fn plan(&self) -> &Plan {
        &self.study.evaluator.plan
    }

    /// The first objective, in its own direction.
    fn score(&self, metrics: &[f64]) -> f64 {
        self.plan().scoring().value(metrics)
    }

    /// The first objective as typed.
    fn objective(&self) -> &str {
        self.plan().scoring().texts().next().unwrap_or("score")
    }
}

/// A number by the name of its metric; NaN for a name that there is none of.
fn metric(values: &[f64], name: &str) -> f64 {
    metrics::index_of(name).and_then(|place| values.get(place).copied()).unwrap_or(f64::NAN)
}

/// The trial under other circumstances, one a line: what was changed, the objective, and what most people look at.
fn variants_table(case: &Case, rows: &[(String, Vec<f64>)]) -> String {
    let objective = case.objective();
    let listed: Vec<&metrics::Metric> = LISTED
        .iter()
        .filter(|name| **name != objective)
        .filter_map(|name| metrics::index_of(name))
        .map(|m| &metrics::TABLE[m])
        .collect();
    let mut heading = vec!["", objective];
    heading.extend(listed.iter().map(|metric| metric.name));
    let unit = metrics::index_of(objective).map_or(metrics::Unit::Ratio, |m| metrics::TABLE[m].unit);
    let row = |(label, values): &(String, Vec<f64>)| {
        let mut cells = vec![label.clone(), number::metric(case.score(values), unit)];
        cells.extend(listed.iter().map(|m| number::metric(metric(values, m.name), m.unit)));
        cells
    };
    table::plain(&heading, rows.iter().map(row), &[0])
}

/// The same as data.
fn variants_json(case: &Case, rows: &[(String, Vec<f64>)]) -> Value {
    let row = |(label, values): &(String, Vec<f64>)| json!({ "variant": label, "objective": case.score(values), "metrics": metrics_json(values) });
    rows.iter().map(row).collect::<Vec<_>>().into()
}
