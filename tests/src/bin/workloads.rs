//! Runs a named workload once and ends with one JSON object of figures.
//!
//! Set-up is inside the clock: data are generated or read, the plan is resolved, every trial is simulated with fills
//! and metrics. Peak memory is that of the whole process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Parser;
use sandtable::crew::Crew;
use sandtable::{caches, drive, source};
use sandtable_core::Result;
use sandtable_core::bundle::Bundle;
use sandtable_core::results::{ParquetSink, Results, Schema, Status, TrialRow};
use sandtable_core::run::{OneThread, Run, Scratch, View};
use sandtable_tests::workload;
use serde_json::json;

/// Run a named workload.
#[derive(Parser)]
struct Arguments {
    /// W1 (400 SMA crossovers, 8 symbols × 25 years), W1d (the same, rebalanced at every bar), W2 (25 trials, one
    /// year), W7 (one EMA crossover over 10^6 bars).
    #[arg(value_parser = ["W1", "W1d", "W2", "W7"])]
    workload: String,
    /// Worker threads [default: one per processor].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Bundle to use instead of the workload's generated one.
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// Simulate every trial by the reference simulator, on one thread, and leave its results unwritten.
    #[arg(long)]
    reference: bool,
    /// Print only the JSON object.
    #[arg(long)]
    json: bool,
}

fn data(arguments: &Arguments) -> Result<Arc<Bundle>> {
    match (&arguments.bundle, arguments.workload.as_str()) {
        (Some(path), _) => {
            source::open_bundle(&path.display().to_string(), std::path::Path::new("."), &View::from(caches::caches()))
        }
        (None, name) => Ok(Arc::new(workload::bundle(name))),
    }
}

fn run(arguments: &Arguments) -> Result<serde_json::Value> {
    let began = Instant::now();
    let bundle = data(arguments)?;
    let opened = began.elapsed();
    let evaluator = workload::evaluator(&arguments.workload, &bundle)?;
    let plan = evaluator.plan.clone();
    drop(bundle);

    let mut crew = Crew::new(arguments.threads, plan.space().count_valid(1 << 16).points)?;
    let schema = Arc::new(Schema::of(&plan));
    let mut sink = ParquetSink::new(Vec::new(), schema.clone())?;
    let mut rows = Results::new(schema);
    let mut steps = Run::new(plan);
    let tally = drive::drive(&evaluator, &mut steps, &mut crew, &AtomicBool::new(false), |batch, outcomes, _| {
        rows.clear();
        for (outcome, point) in outcomes.iter().zip(&batch.points) {
            rows.push(TrialRow {
                index: outcome.index,
                params: point,
                metrics: &outcome.metrics,
                bars_read: outcome.rows_read,
                status: Status::Ok,
            });
        }
        sink.append(&rows)
    })?;
    let bytes = sink.finish()?;
    let threads = crew.threads().value;
    let wall = began.elapsed().as_secs_f64();
    let inside = (tally.preparing + tally.evaluating).as_secs_f64();
    Ok(json!({
        "workload": arguments.workload,
        "bars": evaluator.context.panel.simulated_rows(),
        "trials": tally.trials,
        "fills": tally.fills,
        "bars_read": tally.rows_read,
        "threads": threads,
        "wall_s": wall,
        "cpu_s": cpu_seconds(),
        "open_s": opened.as_secs_f64(),
        "inside_s": inside,
        "bar_trials_per_s_per_core": tally.rows_read as f64 / (wall * threads as f64),
        "inside_bar_trials_per_s_per_core": tally.rows_read as f64 / (inside * threads as f64),
        "peak_rss_mb": peak_rss_mb(),
        "results_hash": blake3::hash(&bytes).to_hex().to_string(),
    }))
}

/// The trials alone, by the reference simulator.
fn reference(arguments: &Arguments) -> Result<serde_json::Value> {
    let evaluator = workload::evaluator(&arguments.workload, &*data(arguments)?)?;
    let mut steps = Run::new(evaluator.plan.clone());
    let mut scratch = Scratch::default();
    let (mut trials, mut rows, mut fills, mut inside) = (0u64, 0, 0, 0.0);
    while let Some(batch) = steps.next_batch() {
        let prepared = evaluator.prepare(&batch, &mut OneThread::default());
        let began = Instant::now();
        for (index, point) in batch.indices.iter().zip(&batch.points) {
            let outcome = evaluator.reference_trial(*index, point, &prepared, &mut scratch);
            trials += 1;
            rows += outcome.rows_read;
            fills += outcome.fills;
        }
        inside += began.elapsed().as_secs_f64();
    }
    Ok(json!({
        "workload": arguments.workload,
        "simulator": "reference",
        "bars": evaluator.context.panel.simulated_rows(),
        "trials": trials,
        "fills": fills,
        "bars_read": rows,
        "threads": 1,
        "inside_s": inside,
        "inside_bar_trials_per_s_per_core": rows as f64 / inside,
    }))
}

/// User and system time of this process, from the kernel's accounting; null where it has none.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Fields after the command, which stands in brackets and may hold spaces: 14 and 15 of the whole are times.
    let rest: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |k: usize| rest.get(k)?.parse::<f64>().ok();
    // The kernel reports hundredths of a second whatever its own clock is.
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Peak resident memory in MB (10^6 bytes); null where the kernel does not say.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let fields: BTreeMap<&str, &str> = status.lines().filter_map(|line| line.split_once(':')).collect();
    let kilobytes: f64 = fields.get("VmHWM")?.split_whitespace().next()?.parse().ok()?;
    Some((kilobytes * 1024.0 / 1e5).round() / 10.0)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match if arguments.reference { reference(&arguments) } else { run(&arguments) } {
        Ok(figures) => {
            if !arguments.json {
                println!(
                    "{}: {} trials × {} bars, {} fills",
                    arguments.workload, figures["trials"], figures["bars"], figures["fills"]
                );
            }
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
