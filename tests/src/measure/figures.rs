//! A workload, run once in this process, as one JSON object.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sandtable::study::write_whole;
use sandtable::{caches, source};
use sandtable_core::bundle::Bundle;
use sandtable_core::context::Prepared;
use sandtable_core::metrics;
use sandtable_core::run::{Batch, OneThread, Scratch, View};
use sandtable_core::{Error, Result, simd};
use serde_json::{Value, json};

use super::machine;
use crate::workload::{self, Asked, Data, Measured, Shape, Workload};

/// What is measured, and how.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The workload.
    pub workload: Workload,
    /// Worker threads; 0 for as many as the planner chooses.
    pub threads: usize,
    /// Stop after so many trials.
    pub trials: Option<u64>,
    /// Bundle to use instead of the generated one.
    pub bundle: Option<PathBuf>,
    /// Compare kept trials with the reference simulator.
    pub check: bool,
    /// Run it a second time, over memory that is in use.
    pub again: bool,
    /// File for every trial's parameters and a few metrics, as CSV.
    pub results: Option<PathBuf>,
}

/// Figures, and why they prove nothing, if so.
#[derive(Clone, Debug)]
pub struct Figures {
    /// One object.
    pub json: Value,
    /// What is wrong with them.
    pub void: Option<String>,
}

pub(super) fn open(ask: &Ask) -> Result<Arc<Bundle>> {
    match &ask.bundle {
        Some(path) => source::open_bundle(&path.display().to_string(), Path::new("."), &View::from(caches::caches())),
        None if ask.workload.data == Data::Mag8 => source::mag8(ask.threads).map(Arc::new),
        None => Ok(Arc::new(ask.workload.data.bundle())),
    }
}

/// Runs a workload once. The clock starts here and stops when the results are encoded.
///
/// # Errors
/// The bundle cannot be opened or does not hold what the workload needs, or the results cannot be written.
pub fn once(ask: &Ask) -> Result<Figures> {
    let began = Instant::now();
    let bundle = open(ask)?;
    let opened = began.elapsed().as_secs_f64();
    let asked = Asked { trials: ask.trials, keep_all: ask.results.is_some() };
    let found = workload::measure(&ask.workload, &bundle, ask.threads, &asked)?;
    let threads = found.threads.max(1);
    let wall = began.elapsed().as_secs_f64();
    let stopped = Instant::now();

    let inside = found.inside.as_secs_f64();
    let rows = found.rows_read as f64;
    let mut json = json!({
        "workload": ask.workload.name,
        "bars": found.bars,
        "trials": found.trials,
        "fills": found.fills,
        "bars_read": found.rows_read,
        "threads": threads,
        "wall_s": wall,
        "cpu_s": machine::cpu_seconds(),
        "open_s": opened,
        "from_bundle_s": wall - opened,
        "inside_s": inside,
        "columns_s": found.columns.as_secs_f64(),
        "bar_trials_per_s_per_core": rows / (wall * threads as f64),
        "inside_bar_trials_per_s_per_core": rows / (inside * threads as f64),
        "peak_rss_mb": machine::peak_rss_mb(),
        "results_hash": found.results_hash(),
        "reference_because": found.reference_because,
        "simd_width": simd::width(),
    });
    add_parts(&mut json, &found);
    let mut void = None;
    if ask.again {
        let began = Instant::now();
        let second = workload::measure(&ask.workload, &bundle, ask.threads, &asked)?;
        json["again_from_bundle_s"] = json!(began.elapsed().as_secs_f64());
        json["again_inside_s"] = json!(second.inside.as_secs_f64());
        let per_core = rows / (second.inside.as_secs_f64() * threads as f64);
        json["again_inside_bar_trials_per_s_per_core"] = json!(per_core);
        if second.results_hash() != found.results_hash() {
            void = Some(format!("{}: other results the second time", ask.workload.name));
        }
    }
    drop(bundle);
    if found.rows_read == 0 || found.fills == 0 {
        void = Some(format!("{}: {} bars read, {} fills", ask.workload.name, found.rows_read, found.fills));
    }
    if ask.check {
        let checked = workload::check(&found.sample);
        json["checked"] = json!({"trials": checked.trials, "equal": checked.equal});
        if checked.equal != checked.trials || checked.trials == 0 {
            let (name, equal, trials) = (ask.workload.name, checked.equal, checked.trials);
            void = Some(format!("{name}: {equal} of {trials} trials have the bits of the reference simulator"));
        }
    }
    json["void"] = json!(void);
    about(&mut json);
    if let Some(path) = &ask.results {
        write_whole(path, &table(&ask.workload, &found)?)?;
    }
    json["after_clock_s"] = json!(stopped.elapsed().as_secs_f64());
    Ok(Figures { json, void })
}

/// Machine, commit and command.
fn about(json: &mut Value) {
    json["machine"] = machine::machine();
    json["commit"] = machine::commit();
    json["command"] = json!(machine::command());
}

/// What only some workloads have.
fn add_parts(json: &mut Value, found: &Measured) {
    if let Some(detail) = &found.detail {
        json["round_trips"] = json!(detail.trades.len());
        json["equity_points"] = json!(detail.equity.len());
    }
    if !found.out_of_sample.is_empty() {
        json["out_of_sample_returns"] = json!(found.out_of_sample);
    }
    let step = |step: &workload::Step| {
        let (set_up, work) = (step.set_up.as_secs_f64(), step.work.as_secs_f64());
        let each = (set_up + work) / step.backtests as f64;
        json!({"backtests": step.backtests, "set_up_s": set_up, "work_s": work, "per_backtest_s": each})
    };
    if !found.steps.is_empty() {
        json["counts"] = found.steps.iter().map(step).collect();
    }
}

/// Metrics of the table that is written for comparison with other programs.
const WRITTEN: [&str; 4] = ["total_return", "final_equity", "fills", "trades"];

fn table(workload: &Workload, found: &Measured) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| Error::machine(format!("the table of {}: {error}", workload.name));
    let place = |name: &&str| metrics::TABLE.iter().position(|metric| metric.name == *name);
    let places: Vec<usize> = WRITTEN.iter().filter_map(place).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let params = found.all.first().map_or(0, |trial| trial.point.len());
    let header = (0..params).map(|k| format!("p{k}")).chain(WRITTEN.map(str::to_owned));
    writer.write_record(header).map_err(failed)?;
    for trial in &found.all {
        let values = trial.point.iter().copied().chain(places.iter().map(|&place| trial.metrics[place]));
        writer.write_record(values.map(|value| value.to_string())).map_err(failed)?;
    }
    let mut bytes = writer.into_inner().map_err(|error| Error::machine(error.to_string()))?;
    bytes.flush().map_err(|error| Error::machine(error.to_string()))?;
    Ok(bytes)
}

/// The trials alone, by the reference simulator on one thread; windows and counts of W3 and W9 are left out.
///
/// # Errors
/// As [`once`].
pub fn reference(ask: &Ask) -> Result<Figures> {
    let bundle = open(ask)?;
    let evaluator = ask.workload.evaluator(&bundle, &[], &workload::history())?;
    let (plan, most) = (&evaluator.plan, ask.trials.unwrap_or(u64::MAX));
    let indices: Vec<u64> = match ask.workload.shape {
        Shape::Sample(points) => Workload::sample(points.min(most), plan.space().size()),
        _ => plan.space().valid_in(0..plan.space().size()).take(usize::try_from(most).unwrap_or(usize::MAX)).collect(),
    };
    let mut scratch = Scratch::default();
    let (mut rows, mut fills, mut inside) = (0, 0, 0.0);
    for part in indices.chunks(plan.batch().max(1)) {
        let mut points = vec![Vec::new(); part.len()];
        part.iter().zip(&mut points).for_each(|(&index, point)| plan.space().point(index, point));
        let batch = Batch::whole(part.to_vec(), points);
        let prepared: Prepared = evaluator.prepare(&batch, &mut OneThread::default());
        let began = Instant::now();
        for (index, point) in batch.indices.iter().zip(&batch.points) {
            let outcome = evaluator.reference_trial(*index, point, &prepared, &mut scratch);
            rows += outcome.rows_read;
            fills += outcome.fills;
        }
        inside += began.elapsed().as_secs_f64();
    }
    let mut json = json!({
        "workload": ask.workload.name,
        "simulator": "reference",
        "bars": evaluator.context.panel.simulated_rows(),
        "trials": indices.len(),
        "fills": fills,
        "bars_read": rows,
        "threads": 1,
        "inside_s": inside,
        "inside_bar_trials_per_s_per_core": rows as f64 / inside,
        "peak_rss_mb": machine::peak_rss_mb(),
    });
    about(&mut json);
    Ok(Figures { json, void: None })
}
