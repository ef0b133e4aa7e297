//! The named workloads: what data, which strategy, which settings.

use std::sync::Arc;

use sandtable_core::Result;
use sandtable_core::bundle::{Bundle, synth};
use sandtable_core::cache::History;
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::run::Evaluator;
use sandtable_core::strategy::Strategy;

const GRID: &str = "{ type = \"int\", min = MIN, max = MAX, step = STEP }";

/// A strategy's text and the keys of a study over it.
struct Workload {
    strategy: String,
    settings: Vec<(&'static str, String)>,
}

fn range(min: i64, max: i64, step: i64) -> String {
    GRID.replace("MIN", &min.to_string()).replace("MAX", &max.to_string()).replace("STEP", &step.to_string())
}

fn settings_of(name: &str) -> Workload {
    let crossover = |average: &str, fast: String, slow: String, rebalance: &str| {
        format!(
            "name = \"crossover\"\n[params]\nfast = {fast}\nslow = {slow}\n[rules]\n\
             target = \"if({average}(close, fast) > {average}(close, slow), 1 / n_symbols, 0)\"\n\
             rebalance = \"{rebalance}\"\n"
        )
    };
    let costs = vec![("costs.bps", "5".to_string()), ("costs.slippage_bps", "2".to_string())];
    match name {
        "W1d" => {
            Workload { strategy: crossover("sma", range(5, 100, 5), range(22, 212, 10), "every_bar"), settings: costs }
        }
        "W2" => {
            let mut settings = costs;
            settings.extend([("start", "2019-01-02".to_string()), ("end", "2019-12-31".to_string())]);
            Workload { strategy: crossover("sma", range(10, 50, 10), range(20, 100, 20), "on_change"), settings }
        }
        "W7" => {
            let mut settings = costs;
            settings.push(("search.method", "single".to_string()));
            let one = |value: i64| value.to_string();
            Workload { strategy: crossover("ema", one(50), one(200), "on_change"), settings }
        }
        _ => {
            Workload { strategy: crossover("sma", range(5, 100, 5), range(22, 212, 10), "on_change"), settings: costs }
        }
    }
}

/// The generated data of a workload.
pub fn bundle(name: &str) -> Bundle {
    match name {
        "W7" => synth::long_series(1_000_000, 7).into_bundle(),
        _ => synth::mag8(synth::MAG8_SEED).into_bundle(),
    }
}

/// Everything that the trials of a workload share.
///
/// # Errors
/// The bundle does not hold what the workload needs.
pub fn evaluator(name: &str, bundle: &Bundle) -> Result<Evaluator> {
    let Workload { strategy, settings } = settings_of(name);
    let strategy = Strategy::parse(&strategy, name)?;
    let mut spec = PlanSpec::new(name);
    for (key, value) in settings {
        spec.set(key, &value)?;
    }
    let plan = Plan::resolve(&spec, strategy, &BundleFacts::from(bundle))?;
    Evaluator::new(Arc::new(plan), bundle, Arc::new(History::new(2_000_000_000)))
}
