//! `sandtable cache stats`: what cache layers and worker pools do for several studies in one process.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};
use sandtable_core::Result;
use sandtable_core::cache::Counters;
use sandtable_core::plan::PlanSpec;
use sandtable_core::run::{CacheCounters, Layer, Run};
use serde_json::{Value, json};

use super::carrying_out::CarryingOut;
use crate::crew::Crew;
use crate::drive::{self, Tally};
use crate::estimate::duration;
use crate::record::Phases;
use crate::search::{self, Options, Resolved};
use crate::view::table;
use crate::{caches, interrupt, pool, print, study};

/// Look at the caches.
#[derive(Args, Debug)]
pub struct CacheArgs {
    /// What to do
    #[command(subcommand)]
    pub command: CacheCommand,
}

/// What to do with the caches.
#[derive(Subcommand, Debug)]
pub enum CacheCommand {
    /// Evaluate studies one after the other in one process, and say after each what caches and pools did
    Stats(StatsArgs),
}

/// Arguments of `sandtable cache stats`.
#[derive(Args, Debug)]
pub struct StatsArgs {
    /// Study files; name one twice to see what the second run finds.
    #[arg(required = true, value_name = "STUDY.toml")]
    pub studies: Vec<PathBuf>,
    /// How they are carried out.
    #[command(flatten)]
    pub carrying_out: CarryingOut,
}

/// Runs the command.
///
/// # Errors
/// A study, its strategy or its bundle is not valid, or standard output cannot be written.
pub fn run(args: &CacheArgs, as_json: bool) -> Result<()> {
    let CacheCommand::Stats(args) = &args.command;
    let mut reports = Vec::new();
    for path in &args.studies {
        let report = evaluate(path, &args.carrying_out)?;
        if !as_json {
            print::text(&text(&report))?;
        }
        reports.push(report);
    }
    if as_json {
        print::text(&study::json_text(&json!(reports.iter().map(json_of).collect::<Vec<_>>())))
    } else {
        Ok(())
    }
}

/// What one study did.
struct Report {
    study: String,
    tally: Tally,
    seconds: f64,
    planner: Vec<String>,
    /// What the layers did for this study; entries and bytes are what they hold after it.
    counters: CacheCounters,
    pools: Vec<pool::Statistics>,
}

/// Evaluates every trial of a study and keeps nothing but the counts.
fn evaluate(path: &Path, carrying_out: &CarryingOut) -> Result<Report> {
    let spec = PlanSpec::parse(&study::read_text(path)?, &path.display().to_string())?;
    let options = Options {
        base: path.parent().unwrap_or(Path::new(".")).to_owned(),
        threads: carrying_out.threads,
        switches: carrying_out.caches.switches()?,
        engine: carrying_out.simulator()?,
        ..Options::default()
    };
    let (before, began) = (caches::caches().counters(), Instant::now());
    let Resolved { evaluator, mut arrangement, view } = search::open(&spec, &options, &mut Phases::start())?;
    let mut steps = Run::new(evaluator.plan.clone());
    let mut crew = Crew::new(options.threads, evaluator.plan.count_whole_trials(1 << 16).points)?;
    let tally = drive::drive(&evaluator, &mut steps, &mut crew, &*interrupt::stop_flag()?, |_, _, _| Ok(()))?;
    arrangement.conclude(&crew, &view);
    let now = caches::caches().counters();
    Ok(Report {
        study: path.display().to_string(),
        tally,
        seconds: began.elapsed().as_secs_f64(),
        planner: arrangement.lines(),
        counters: CacheCounters {
            assets: since(before.assets, now.assets),
            history: since(before.history, now.history),
            contexts: since(before.contexts, now.contexts),
        },
        pools: pool::statistics(),
    })
}

/// What was counted in between; what is held is that of now.
fn since(before: Counters, now: Counters) -> Counters {
    Counters {
        hits: now.hits - before.hits,
        misses: now.misses - before.misses,
        evictions: now.evictions - before.evictions,
        too_large: now.too_large - before.too_large,
        single_flight_waits: now.single_flight_waits - before.single_flight_waits,
        promoted: now.promoted - before.promoted,
        switched_off: now.switched_off - before.switched_off,
        ..now
    }
}

fn json_of(report: &Report) -> Value {
    json!({
        "study": report.study,
        "trials": report.tally.trials,
        "seconds": report.seconds,
        "planner": report.planner,
        "cache": report.counters,
        "cache_budget": caches::caches().budget(),
        "pools": report.pools,
    })
}

fn text(report: &Report) -> String {
    let mut out = format!("{}: {} trials in {}\n", report.study, report.tally.trials, duration(report.seconds));
    for line in &report.planner {
        let _ = writeln!(out, "{line}");
    }
    out.push('\n');
    let heading =
        ["layer", "hits", "misses", "entries", "MB", "evictions", "too large", "waits", "promoted", "switched off"];
    let row = |layer: Layer| {
        let c = report.counters.of(layer);
        let counts = [c.evictions, c.too_large, c.single_flight_waits, c.promoted, c.switched_off];
        let mut cells = vec![layer.name().to_owned(), c.hits.to_string(), c.misses.to_string(), c.entries.to_string()];
        cells.push(format!("{:.1}", c.bytes as f64 / 1e6));
        cells.extend(counts.map(|count| count.to_string()));
        cells
    };
    out += &table::plain(&heading, Layer::ALL.map(row), &[0]);
    out.push('\n');
    if report.pools.is_empty() {
        out.push_str("no pool was started\n");
        return out + "\n";
    }
    let heading = ["threads", "batches", "tasks", "uptime s", "busy s", "busy share"];
    let row = |pool: &pool::Statistics| {
        vec![
            pool.threads.to_string(),
            pool.batches.to_string(),
            pool.tasks.to_string(),
            format!("{:.3}", pool.uptime_s),
            format!("{:.3}", pool.busy_s),
            format!("{:.0} %", pool.busy_share * 100.0),
        ]
    };
    out += &table::plain(&heading, report.pools.iter().map(row), &[]);
    out.push('\n');
    out
}
