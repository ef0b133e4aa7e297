//! What workloads are estimated to take, beside what they took: each in processes of its own.

use std::path::Path;
use std::time::Instant;

use comfy_table::{Table, presets};
use sandtable::caches::BUDGET;
use sandtable::crew::Crew;
use sandtable::{arrangement, estimate};
use sandtable_core::run::planner;
use sandtable_core::{Error, Result};
use serde_json::{Value, json};

use super::figures::{self, Ask};
use super::repeats::{self, Case};
use crate::workload::{self, Settings, Shape, named};

/// Workloads whose trials a search evaluates, so that `--estimate` speaks of them, with the number that is run of those
/// that take minutes.
const ESTIMATED: [(&str, Option<u64>); 8] = [
    ("W1", None),
    ("W1d", None),
    ("W2", None),
    ("W4", None),
    ("W4full", None),
    ("W5", None),
    ("W6", Some(20_480)),
    ("W8", None),
];

/// How far an estimate may be from the truth, as a part of the truth.
const NEAR: f64 = 0.3;

/// Estimates a workload in this process, as `optimize --estimate` would.
///
/// # Errors
/// Its trials are not those of one search, or its bundle does not hold what it needs.
pub fn estimated(ask: &Ask) -> Result<Value> {
    let began = Instant::now();
    let bundle = figures::open(ask)?;
    let name = ask.workload.name;
    let evaluator = ask.workload.evaluator(&bundle, &Settings::new(), &workload::history())?;
    let trials = match ask.workload.shape {
        Shape::Grid => ask.trials.unwrap_or_else(|| evaluator.plan.space().count_valid(1 << 20).points),
        Shape::Sample(points) => ask.trials.unwrap_or(points),
        Shape::Full | Shape::WalkForward | Shape::Counts => {
            let names: Vec<&str> = ESTIMATED.iter().map(|(name, _)| *name).collect();
            return Err(Error::plan(format!("{name} is not one search, so nothing is estimated of it"))
                .help(format!("name one of {}", names.join(", "))));
        }
    };
    let keeps = planner::history(true, arrangement::demand(&evaluator, BUDGET)).value;
    let open = began.elapsed().as_secs_f64();
    let mut crew = Crew::new(ask.threads, trials)?;
    let costs = estimate::costs(&evaluator, trials, keeps, &mut crew)?;
    Ok(json!({
        "workload": name,
        "trials": trials,
        "threads": crew.threads().value,
        "estimated_s": open + costs.columns + costs.trials + costs.write,
        "estimated_columns_s": costs.columns,
        "estimated_trials_s": costs.trials,
        "estimated_write_s": costs.write,
        "estimated_mb": costs.memory as f64 / 1e6,
        "columns": costs.computed,
        "sampled": costs.sampled,
        "took_s": began.elapsed().as_secs_f64() - open,
    }))
}

/// Estimates and truths of one workload, or of all that can be estimated, as a table and as JSON; medians of so many rounds.
///
/// # Errors
/// A process fails.
pub fn beside_truth(only: Option<&str>, threads: usize, rounds: usize) -> Result<(String, Value)> {
    let wanted = |(name, _): &&(&str, Option<u64>)| only.is_none_or(|only| only == *name);
    let chosen: Vec<&(&str, Option<u64>)> = ESTIMATED.iter().filter(wanted).collect();
    if let (Some(only), true) = (only, chosen.is_empty()) {
        named(only)?;
        return Err(Error::plan(format!("{only} is not one search, so nothing is estimated of it")));
    }
    let mut cases = Vec::new();
    for (name, trials) in chosen {
        let mut truth = Case::new(name, threads);
        truth.trials = *trials;
        let mut estimate = truth.clone();
        estimate.more.push("--estimate".into());
        cases.extend([estimate, truth]);
    }
    let all = repeats::rounds(&cases, rounds, |_, _| {}, |_| Ok(()))?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["what", "estimated", "true", "ratio", "within 30 %"]);
    let mut lines = Vec::new();
    for pair in all.as_chunks::<2>().0 {
        let [estimate, truth] = pair;
        for (what, estimated, taken) in [("s", "estimated_s", "wall_s"), ("MB", "estimated_mb", "peak_rss_mb")] {
            let (Some(estimated), Some(taken)) = (estimate.median(estimated), truth.median(taken)) else { continue };
            let ratio = estimated / taken;
            let near = (ratio - 1.0).abs() <= NEAR;
            let label = truth.case.label();
            table.add_row([
                format!("{label}, {what}"),
                format!("{estimated:.3}"),
                format!("{taken:.3}"),
                format!("{ratio:.2}"),
                if near { "yes" } else { "no" }.to_owned(),
            ]);
            lines.push(json!({"case": label, "unit": what, "estimated": estimated, "true": taken, "ratio": ratio}));
        }
    }
    Ok((table.to_string(), json!({ "rounds": rounds, "lines": lines })))
}

/// Writes what [`beside_truth`] gave as JSON.
///
/// # Errors
/// The file cannot be written.
pub fn write(into: &Path, json: &Value) -> Result<()> {
    sandtable::study::write_whole(into, sandtable::study::json_text(json).as_bytes())
}
