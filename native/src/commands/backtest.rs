//! `sandtable backtest`: one strategy, one set of parameters.

use std::path::PathBuf;

use clap::Args;
use sandtable_core::plan::PlanSpec;
use sandtable_core::{Error, Result};
use serde_json::json;

use super::carrying_out::CacheSwitches;
use super::overrides::Overrides;
use crate::export;
use crate::record::Phases;
use crate::search::{self, Options};
use crate::{print, report};

/// Arguments of `sandtable backtest`.
#[derive(Args, Debug)]
pub struct BacktestArgs {
    /// Strategy file, or a name of the gallery (see `sandtable strategies`).
    pub strategy: String,
    /// Write the executions to this file (.csv, .parquet or .json).
    #[arg(long, value_name = "FILE")]
    pub fills: Option<PathBuf>,
    /// Write the round trips to this file (.csv, .parquet or .json).
    #[arg(long, value_name = "FILE")]
    pub trades: Option<PathBuf>,
    /// Write the equity at each bar to this file (.csv, .parquet or .json).
    #[arg(long, value_name = "FILE")]
    pub equity: Option<PathBuf>,
    /// Draw equity and drawdown to this file (.svg or .png).
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// What to lay over the defaults.
    #[command(flatten)]
    pub overrides: Overrides,
    /// Cache layers to go round.
    #[command(flatten)]
    pub caches: CacheSwitches,
}

/// Runs one backtest.
///
/// # Errors
/// The strategy, a setting or the bundle is not valid, or a file cannot be written.
pub fn run(args: &BacktestArgs, as_json: bool) -> Result<()> {
    let mut spec = PlanSpec::new("the command line");
    spec.strategy = Some(args.strategy.clone());
    spec.set("search.method", "single")?;
    args.overrides.apply(&mut spec)?;
    if spec.bundle.is_none() {
        return Err(
            Error::plan("no bundle is named").help("add `--bundle NAME.bundle`, or the built-in `--bundle mag8`")
        );
    }
    for path in [&args.fills, &args.trades, &args.equity].into_iter().flatten() {
        export::format_of(path)?;
    }
    let options = Options {
        base: PathBuf::from("."),
        threads: 1,
        switches: args.caches.switches()?,
        quiet: true,
        json: as_json,
        ..Options::default()
    };
    let mut phases = Phases::start();
    let evaluator = search::resolve(&spec, &options, &mut phases)?;
    if !as_json {
        for warning in evaluator.plan.warnings() {
            eprintln!("warning: {warning}");
        }
    }
    let plan = &evaluator.plan;
    let mut point = Vec::new();
    let Some(index) = plan.space().valid_in(0..plan.space().size()).next() else {
        return Err(Error::plan("the parameters do not satisfy the conditions"));
    };
    plan.space().point(index, &mut point);
    let detail = evaluator.detail(&point);
    phases.end("trial");

    let symbols = &evaluator.panel().symbols;
    let mut written = Vec::new();
    let mut write = |path: &Option<PathBuf>, table: &dyn Fn() -> export::Table| -> Result<()> {
        if let Some(path) = path {
            export::write(path, &table())?;
            written.push(path.clone());
        }
        Ok(())
    };
    write(&args.fills, &|| export::fills(&detail, symbols))?;
    write(&args.trades, &|| export::trades(&detail, symbols))?;
    write(&args.equity, &|| export::equity(&detail))?;
    if let Some(path) = &args.plot {
        report::equity_plot(path, plan.name(), plan, &detail)?;
        written.push(path.clone());
    }
    let params: serde_json::Map<_, _> =
        plan.strategy().params.iter().zip(&point).map(|(p, v)| (p.name.clone(), json!(v))).collect();
    let summary = json!({
        "run_id": plan.id(),
        "strategy": plan.strategy().name,
        "bundle": { "name": plan.bundle().name, "version": plan.bundle().version },
        "params": params,
        "metrics": search::metrics_json(&detail.metrics),
        "bars": evaluator.simulated_rows(),
        "trades": detail.trades.iter().filter(|trade| !trade.open).count(),
        "fills": detail.fills.len(),
        "written": written,
        "milliseconds": phases.json(),
    });
    print::either(as_json, &summary, || report::single(&evaluator, &point, &detail, &written))
}
