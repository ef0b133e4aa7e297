//! Runs named workloads and ends with JSON objects of figures: once, repeatedly in fresh processes, all of them against
//! what they should reach, or side by side with another program.
//!
//! Set-up is inside the clock: data are generated or read, the plan is resolved, every trial is simulated with fills
//! and metrics, results are encoded. Peak memory is that of the whole process.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use sandtable::study::{json_text, write_whole};
use sandtable_core::{Error, Result};
use sandtable_tests::measure::estimates;
use sandtable_tests::measure::figures::{self, Ask};
use sandtable_tests::measure::repeats::{self, Case, Runs};
use sandtable_tests::measure::rivals::{self, Rival};
use sandtable_tests::measure::{machine, targets};
use sandtable_tests::workload::{NAMES, Workload, named};
use serde_json::{Value, json};

/// Run a named workload.
#[derive(Parser)]
#[command(after_help = names())]
struct Arguments {
    /// Name of a workload, or `all` with --into.
    workload: Option<String>,
    /// Worker threads [default: as many as the planner chooses].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Bundle to use instead of the workload's generated one.
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// Stop after so many trials, up to a batch later; of W9, the only number of backtests.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// Bars of the generated series (W5, W7, W7x).
    #[arg(long, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    size: Option<u64>,
    /// Simulate every trial by the reference simulator, on one thread, and leave its results unencoded.
    #[arg(long)]
    reference: bool,
    /// Compare a sample of the trials with the reference simulator, bit for bit, after the clock has stopped.
    #[arg(long)]
    check: bool,
    /// Run it a second time in the same process, over memory that is in use: `again_…` are its figures.
    #[arg(long)]
    again: bool,
    /// Estimate it, as `optimize --estimate` would, and run nothing.
    #[arg(long)]
    estimate: bool,
    /// Estimates beside what it took, each in processes of its own; with `all`, of every workload that is one search.
    #[arg(long)]
    estimates: bool,
    /// Run so many times, each in a fresh process, and print medians with the raw figures.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1000))]
    repeat: Option<u64>,
    /// With `all` or --rival: the file for all raw figures, as JSON.
    #[arg(long)]
    into: Option<PathBuf>,
    /// With `all`: only the first trials of W5 and W6, and not the whole of W4.
    #[arg(long)]
    quick: bool,
    /// Side by side with this program, results compared before any time is: W1, W5, or both without a name.
    #[arg(long, value_enum)]
    rival: Option<Rival>,
    /// Folder for the rival's environment, data and tables [default: a folder for temporary files].
    #[arg(long)]
    scratch: Option<PathBuf>,
    /// Follow this program's conventions and strategy in the comparison.
    #[arg(long, value_enum, hide = true)]
    conventions: Option<Rival>,
    /// File for every trial's parameters, return, equity, fills and trades, as CSV.
    #[arg(long, hide = true)]
    results: Option<PathBuf>,
    /// Print only the JSON object.
    #[arg(long)]
    json: bool,
}

fn names() -> String {
    let lines: Vec<String> = NAMES.iter().map(|(name, what)| format!("  {name:<7} {what}")).collect();
    format!("Workloads:\n{}", lines.join("\n"))
}

/// The workload that was asked for, as it was asked for.
fn workload(arguments: &Arguments) -> Result<Workload> {
    let name = arguments.workload.as_deref().ok_or_else(|| {
        Error::plan("no workload is named").help("name one, `workloads W1`, or `all`; --help lists them")
    })?;
    let mut workload = match arguments.conventions {
        Some(rival) => rivals::workload(rival, name)?,
        None => named(name)?,
    };
    if let Some(bars) = arguments.size {
        workload = workload.with_bars(bars)?;
    }
    Ok(workload)
}

/// One run in this process.
fn once(arguments: &Arguments) -> Result<ExitCode> {
    let ask = Ask {
        workload: workload(arguments)?,
        threads: arguments.threads,
        trials: arguments.trials,
        bundle: arguments.bundle.clone(),
        check: arguments.check,
        again: arguments.again,
        results: arguments.results.clone(),
    };
    if arguments.estimate {
        println!("{}", estimates::estimated(&ask)?);
        return Ok(ExitCode::SUCCESS);
    }
    let figures = if arguments.reference { figures::reference(&ask)? } else { figures::once(&ask)? };
    let json = &figures.json;
    if !arguments.json {
        println!("{} ({})", ask.workload.name, ask.workload.what);
        println!("{} trials × {} bars, {} fills", json["trials"], json["bars"], json["fills"]);
        for part in json["counts"].as_array().into_iter().flatten() {
            let milliseconds = |key: &str| part[key].as_f64().unwrap_or(f64::NAN) * 1e3;
            println!(
                "{:>5} backtests: set-up {:.3} ms, work {:.3} ms, {:.4} ms each",
                part["backtests"],
                milliseconds("set_up_s"),
                milliseconds("work_s"),
                milliseconds("per_backtest_s"),
            );
        }
    }
    println!("{json}");
    if let Some(void) = &figures.void {
        eprintln!("void: {void}");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Says on standard error what a process came to.
fn progress(case: &Case, figures: &Value) {
    let number = |key: &str| figures[key].as_f64().unwrap_or(f64::NAN);
    eprintln!(
        "{}: process {:.3} s, from the bundle on {:.4} s, inside {:.4} s, {:.0} MB",
        case.label(),
        number("process_s"),
        number("from_bundle_s"),
        number("inside_s"),
        number("peak_rss_mb"),
    );
}

/// One workload in several processes.
fn repeated(arguments: &Arguments, times: u64) -> Result<ExitCode> {
    let name = workload(arguments)?.name;
    if arguments.reference || arguments.results.is_some() {
        return Err(Error::plan("--repeat does not go with --reference").help("run it without --repeat"));
    }
    let mut case = Case::new(name, arguments.threads);
    case.trials = arguments.trials;
    case.more.extend(arguments.check.then(|| "--check".into()));
    case.more.extend(arguments.again.then(|| "--again".into()));
    case.more.extend(arguments.size.into_iter().flat_map(|bars| ["--size".into(), bars.to_string()]));
    let bundle = arguments.bundle.iter().map(|path| path.display().to_string());
    case.more.extend(bundle.flat_map(|path| ["--bundle".into(), path]));
    let done = |case: &Case, figures: &Value| {
        if !arguments.json {
            progress(case, figures);
        }
    };
    let all = repeats::rounds(&[case], times as usize, done, |_| Ok(()))?;
    all.iter().for_each(|runs| println!("{}", runs.json()));
    Ok(ExitCode::SUCCESS)
}

/// Medians and raw figures of all cases, and what they were measured on.
fn write_all(into: &Path, all: &[Runs]) -> Result<()> {
    let json = json!({
        "date": machine::date(),
        "machine": machine::machine(),
        "commit": machine::commit(),
        "command": machine::command(),
        "rounds": all.first().map_or(0, |runs| runs.runs.len()),
        "targets": targets::json(&targets::targets(all)),
        "cases": all.iter().map(Runs::json).collect::<Vec<_>>(),
    });
    write_whole(into, json_text(&json).as_bytes())
}

/// All workloads, their figures in a file, and the table of what they should reach.
fn all(arguments: &Arguments) -> Result<ExitCode> {
    let Some(into) = &arguments.into else {
        return Err(Error::plan("`all` has many figures, and no file to put them into").help("add --into results.json"));
    };
    let rounds = arguments.repeat.unwrap_or(5);
    let mut cases = targets::cases(arguments.quick);
    if arguments.check {
        cases.iter_mut().for_each(|case| case.more.push("--check".into()));
    }
    // Written after every round: what is measured is kept, whatever happens to a later one.
    let all = repeats::rounds(&cases, rounds as usize, progress, |all| write_all(into, all))?;
    let lines = targets::targets(&all);
    println!("{}", targets::text(&lines));
    println!("raw figures of {rounds} rounds: {}", into.display());
    Ok(ExitCode::SUCCESS)
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(rival) = arguments.rival {
        let rounds = arguments.repeat.unwrap_or(3) as usize;
        let scratch = arguments.scratch.clone().unwrap_or_else(|| std::env::temp_dir().join("sandtable-rivals"));
        return rivals::side_by_side(rival, arguments.workload.as_deref(), rounds, &scratch, arguments.into.as_deref());
    }
    if arguments.estimates {
        let only = arguments.workload.as_deref().filter(|name| *name != "all");
        let rounds = arguments.repeat.unwrap_or(3) as usize;
        let (text, json) = estimates::beside_truth(only, arguments.threads, rounds)?;
        println!("{text}");
        return arguments
            .into
            .as_deref()
            .map_or(Ok(()), |into| estimates::write(into, &json))
            .map(|()| ExitCode::SUCCESS);
    }
    match (arguments.workload.as_deref(), arguments.repeat) {
        (Some("all"), _) => all(arguments),
        (_, Some(times)) => repeated(arguments, times),
        _ => once(arguments),
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
