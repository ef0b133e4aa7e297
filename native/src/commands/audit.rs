//! `sandtable audit`: do caches, threads and the fast path pay, with the same bits?

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sandtable_core::bundle::{Manifest, synth, write::encode};
use sandtable_core::calendar::parse_date;
use sandtable_core::{Error, Result, error::nearest};
use serde_json::json;
use tempfile::TempDir;

use crate::audit::kept::Kept;
use crate::audit::report::{self, Report};
use crate::audit::variant::Variant;
use crate::audit::workload::{Data, Workload};
use crate::audit::{self, Audit, Request, flame};
use crate::pool::{self, Pool};
use crate::{files, print};

/// Pairs below which nothing is said without being told to.
const FEW_RUNS: u32 = 10;

/// Arguments of `sandtable audit`.
#[derive(Args, Debug)]
pub struct AuditArgs {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand, Debug)]
enum Kind {
    /// One grid of backtests over all dates.
    GridSearch {
        #[command(flatten)]
        grid: GridArgs,
        #[command(flatten)]
        common: Common,
    },
    /// Windows that walk through the dates: each searches one part and runs its best trial on the next.
    WalkForward {
        #[command(flatten)]
        windows: WindowArgs,
        #[command(flatten)]
        common: Common,
    },
    /// Both, with every layer also left out, and a sweep from 1 to 1000 backtests.
    Full {
        #[command(flatten)]
        grid: GridArgs,
        #[command(flatten)]
        windows: WindowArgs,
        #[command(flatten)]
        common: Common,
    },
}

/// The grid.
#[derive(Args, Debug)]
pub struct GridArgs {
    /// Backtests of a run of the grid search.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub num_backtests: u64,
}

/// The windows.
#[derive(Args, Debug)]
pub struct WindowArgs {
    /// Windows of a run of the walk-forward search.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub num_windows: u32,
    /// Trials that each window searches.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub trials_per_window: u64,
}

/// What every audit is told.
#[derive(Args, Debug)]
pub struct Common {
    /// Bundle: a folder, or the built-in `mag8`.
    pub bundle: String,
    /// Pairs of runs of each variant.
    #[arg(long, default_value_t = FEW_RUNS, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub num_runs: u32,
    /// Fewer than 10 pairs are enough.
    #[arg(long)]
    pub allow_few_runs: bool,
    /// Symbols, from the bundle's first [default: 8, or as many as there are].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub num_assets: Option<u32>,
    /// First date, YYYY-MM-DD [default: the bundle's].
    #[arg(long, value_name = "DATE")]
    pub start_date: Option<String>,
    /// Last date, YYYY-MM-DD [default: the bundle's].
    #[arg(long, value_name = "DATE")]
    pub end_date: Option<String>,
    /// Folder for report and measurements; audits that it holds stay.
    #[arg(long, default_value = "audit", value_name = "DIR")]
    pub output_dir: PathBuf,
    /// Worker threads of the pool [default: one per processor].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub threads: usize,
    /// Also draw a flame graph of each variant.
    #[arg(long)]
    pub flamegraph: bool,
    /// No progress bar.
    #[arg(long, short)]
    pub quiet: bool,
}

/// Measures, judges, writes the report; gives whether the audit is accepted.
///
/// # Errors
/// An argument or the bundle is not valid, or the report cannot be written.
pub fn run(args: &AuditArgs, as_json: bool) -> Result<bool> {
    let (kind, grid, windows, common) = match &args.kind {
        Kind::GridSearch { grid, common } => ("grid-search", Some(grid), None, common),
        Kind::WalkForward { windows, common } => ("walk-forward", None, Some(windows), common),
        Kind::Full { grid, windows, common } => ("full", Some(grid), Some(windows), common),
    };
    check_runs(common)?;
    let dates = [date("--start-date", common.start_date.as_deref())?, date("--end-date", common.end_date.as_deref())?];
    let mut kept = Kept::look(&common.output_dir)?;
    if common.flamegraph {
        flame::available()?;
    }
    let (path, _temporary) = folder_of(&common.bundle)?;
    let manifest: Manifest = files::read_manifest(&path)?;
    let assets = common.num_assets.map(|assets| assets as usize);
    let data = Data::select(&path, &manifest, assets, dates)?;
    let mut workloads = Vec::new();
    if let Some(grid) = grid {
        workloads.push(("grid-search", Workload::grid(&data, grid.num_backtests)?));
    }
    if let Some(WindowArgs { num_windows, trials_per_window }) = windows {
        workloads.push(("walk-forward", Workload::walk_forward(&data, *num_windows, *trials_per_window)?));
    }
    let request = Request {
        kind,
        bundle: common.bundle.clone(),
        data,
        workloads,
        runs: common.num_runs as usize,
        full: kind == "full",
        command: command_line(),
    };
    let pool = pool::pool(common.threads)?;
    let audit = audit::run(request, &|began| kept.name(kind, began), &pool, common.quiet || as_json)?;
    let graphs = if common.flamegraph { flame_graphs(&audit, &kept, &pool)? } else { Vec::new() };
    write(&audit, &mut kept, &graphs)?;
    show(&audit, &kept, as_json)?;
    Ok(audit.accepted())
}

fn check_runs(common: &Common) -> Result<()> {
    if common.num_runs < FEW_RUNS && !common.allow_few_runs {
        return Err(Error::plan(format!(
            "`--num-runs {}`: fewer than {FEW_RUNS} pairs say little about a noisy machine",
            common.num_runs
        ))
        .help(format!("ask for {FEW_RUNS} or more, or add --allow-few-runs")));
    }
    Ok(())
}

fn date(option: &str, text: Option<&str>) -> Result<Option<i32>> {
    let Some(text) = text else { return Ok(None) };
    let date = parse_date(text);
    date.map(Some).ok_or_else(|| {
        Error::plan(format!("`{option} {text}` is no date")).help(format!("write `{option} 2019-12-31`"))
    })
}

/// The bundle's folder. The built-in bundle is written to a temporary one, so that it is opened as others are.
fn folder_of(name: &str) -> Result<(PathBuf, Option<TempDir>)> {
    let path = PathBuf::from(name);
    if path.exists() {
        return Ok((path, None));
    }
    if name != "mag8" {
        let near = nearest(name, synth::BUILT_IN.iter().map(|(name, _)| *name));
        let way_out = match near {
            Some(near) => format!("did you mean the built-in `{near}`?"),
            None => "make one with `sandtable ingest FILES… --into NAME.bundle`, or use the built-in `mag8`".into(),
        };
        return Err(Error::data(format!("there is no bundle `{name}`")).help(way_out));
    }
    let folder =
        tempfile::tempdir().map_err(|error| files::machine("make", Path::new("a temporary folder"), &error))?;
    let path = folder.path().join("mag8.bundle");
    files::write_bundle(&path, &encode(&synth::mag8(synth::MAG8_SEED))?, false)?;
    Ok((path, Some(folder)))
}

/// What was typed, with the program's name in place of its path.
fn command_line() -> String {
    let quoted = |word: String| {
        let plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
    };
    let typed = std::env::args_os().skip(1).map(|word| quoted(word.to_string_lossy().into_owned()));
    std::iter::once("sandtable".to_owned()).chain(typed).collect::<Vec<_>>().join(" ")
}

/// Draws each variant of each workload; gives files relative to the folder, with captions.
fn flame_graphs(audit: &Audit, kept: &Kept, pool: &Pool) -> Result<Vec<(String, String)>> {
    let mut written = Vec::new();
    for (name, workload) in &audit.request.workloads {
        for variant in std::iter::once(Variant::Baseline).chain(Variant::compared(audit.request.full)) {
            let file = format!("flamegraphs/{}/{name}-{}.svg", audit.id, variant.slug());
            kept.write(&file, &flame::graph(workload, variant, pool)?)?;
            written.push((file, format!("{}: {}", report::title(name), variant.name())));
        }
    }
    Ok(written)
}

fn write(audit: &Audit, kept: &mut Kept, flame_graphs: &[(String, String)]) -> Result<()> {
    let report = Report::of(audit, kept.audits(), flame_graphs)?;
    let plots = format!("plots/{}", audit.id);
    for (name, svg) in report.plots() {
        kept.write(&format!("{plots}/{name}.svg"), svg.as_bytes())?;
    }
    kept.write("report.md", report.markdown(&plots).as_bytes())?;
    kept.write("report.html", report.page().as_bytes())?;
    kept.add(&audit.id, &audit.raw(), audit.summary())
}

fn show(audit: &Audit, kept: &Kept, as_json: bool) -> Result<()> {
    let mut summary = audit.summary();
    summary["id"] = json!(audit.id);
    summary["folder"] = json!(kept.path());
    print::either(as_json, &summary, || {
        let folder = kept.path().display();
        format!(
            "{}\nwritten to {folder}: report.html, report.md, runs/{}.json, index.json\n",
            report::terminal(audit),
            audit.id
        )
    })
}
