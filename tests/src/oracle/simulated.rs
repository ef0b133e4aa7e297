//! Our side of a comparison: a bundle, a strategy and settings made into runs.

use std::sync::Arc;

use sandtable_core::bundle::{Bars, Bundle, Frequency, PriceBasis};
use sandtable_core::cache::History;
use sandtable_core::calendar::Calendar;
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::run::Evaluator;
use sandtable_core::strategy::Strategy;

/// A daily bundle in memory from symbols with their bars.
pub fn bundle(mut series: Vec<(String, Bars)>) -> Bundle {
    series.sort_by(|a, b| a.0.cmp(&b.0));
    let (symbols, bars) = series.into_iter().unzip();
    Bundle {
        name: "oracle".into(),
        version: "oracle".into(),
        frequency: Frequency::Daily,
        calendar: Calendar::Xnys,
        prices: PriceBasis::SplitAdjusted,
        benchmark: None,
        symbols,
        bars,
        actions: Vec::new(),
        records: Vec::new(),
    }
}

/// Everything that trials of a strategy over a bundle share; `settings` are keys of a study file.
pub fn evaluator(bundle: &Bundle, strategy: &str, settings: &[(&str, String)]) -> Result<Evaluator, String> {
    let strategy = Strategy::parse(strategy, "strategy").map_err(|error| error.to_string())?;
    let mut spec = PlanSpec::new("oracle");
    for (key, value) in settings {
        spec.set(key, value).map_err(|error| error.to_string())?;
    }
    let plan = Plan::resolve(&spec, strategy, &BundleFacts::from(bundle)).map_err(|error| error.to_string())?;
    Evaluator::new(Arc::new(plan), bundle, Arc::new(History::new(1 << 28))).map_err(|error| error.to_string())
}

/// Largest absolute difference of two series of equal length in units of `scale`; infinite where one is NaN alone.
pub fn largest_difference(left: &[f64], right: &[f64], scale: f64) -> f64 {
    if left.len() != right.len() {
        return f64::INFINITY;
    }
    left.iter().zip(right).map(|(&a, &b)| difference(a, b) / scale).fold(0.0, f64::max)
}

/// Absolute difference; two NaN agree, one alone does not.
pub fn difference(a: f64, b: f64) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => 0.0,
        (false, false) => (a - b).abs(),
        _ => f64::INFINITY,
    }
}

/// Difference relative to the larger of the expected value and `floor`.
pub fn relative(found: f64, expected: f64, floor: f64) -> f64 {
    if expected.is_nan() {
        difference(found, expected)
    } else {
        difference(found, expected) / expected.abs().max(floor)
    }
}
