//! The `sandtable` command: a table of contents of what it can do.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sandtable::commands::{
    audit, backtest, bundle, cache, demo, explain, generate, ingest, judge, lists, optimize, portfolio, report, show,
    studies, verify, walk_forward,
};

/// Rehearse trading strategies: backtest, search parameters, and learn whether the winner can be believed.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    /// Print machine-readable JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run 400 backtests of an SMA crossover on built-in synthetic data: table, heatmap, best trial's equity.
    Demo(demo::DemoArgs),
    /// Search a study's parameter space and write a study folder.
    Optimize(optimize::OptimizeArgs),
    /// Search each training of a study's folds and report the choices on the tests, joined out of sample.
    WalkForward(walk_forward::WalkForwardArgs),
    /// Run one backtest and print its metrics; optionally write its trades and equity.
    Backtest(backtest::BacktestArgs),
    /// Look at a study folder: best trials, heatmap, one trial.
    Show(show::ShowArgs),
    /// Write a study folder as one page, or its data as files.
    Report(report::ReportArgs),
    /// Put trials of study folders into one account.
    Portfolio(portfolio::PortfolioArgs),
    /// List study folders: trials done, best score, whether they are running, complete, interrupted or corrupt.
    Studies(studies::StudiesArgs),
    /// Say how far a study's best trial can be believed, and try it harder: noise, costs, delay, other courses of its trades.
    Judge(judge::JudgeArgs),
    /// Say what happened at a bar: values of every rule, orders, why each filled or not, cash and positions.
    Explain(explain::ExplainArgs),
    /// Run trials of a study folder again in decimal arithmetic: what did rounding do?
    Verify(verify::VerifyArgs),
    /// Measure whether caches, threads and the fast path pay, and check that they change no bit.
    Audit(audit::AuditArgs),
    /// Read CSV or Parquet files, check them, and write a bundle.
    Ingest(ingest::IngestArgs),
    /// Look at a bundle or check it against its hashes.
    Bundle(bundle::BundleArgs),
    /// Look at what caches and worker pools do for studies that share a process.
    Cache(cache::CacheArgs),
    /// Write a synthetic bundle.
    Generate(generate::GenerateArgs),
    /// List the gallery of strategies, or print one as a file to start from.
    Strategies(lists::StrategiesArgs),
    /// List the indicators of the expression language.
    Indicators(lists::IndicatorsArgs),
    /// List the metrics that every backtest reports.
    Metrics(lists::MetricsArgs),
}

fn main() -> ExitCode {
    let Cli { json, command } = Cli::parse();
    let mut code = ExitCode::SUCCESS;
    // A judgement that is negative, but no mistake.
    let mut refuse = |holds: bool| {
        if !holds {
            code = ExitCode::FAILURE;
        }
    };
    let done = match &command {
        Command::Demo(args) => demo::run(args, json),
        Command::Optimize(args) => optimize::run(args, json),
        Command::WalkForward(args) => walk_forward::run(args, json),
        Command::Backtest(args) => backtest::run(args, json),
        Command::Show(args) => show::run(args, json),
        Command::Report(args) => report::run(args, json),
        Command::Portfolio(args) => portfolio::run(args, json),
        Command::Studies(args) => studies::run(args, json),
        Command::Judge(args) => judge::run(args, json).map(&mut refuse),
        Command::Explain(args) => explain::run(args, json),
        Command::Verify(args) => verify::run(args, json).map(&mut refuse),
        Command::Audit(args) => audit::run(args, json).map(&mut refuse),
        Command::Ingest(args) => ingest::run(args, json),
        Command::Bundle(args) => bundle::run(args, json),
        Command::Cache(args) => cache::run(args, json),
        Command::Generate(args) => generate::run(args, json),
        Command::Strategies(args) => lists::strategies(args, json),
        Command::Indicators(args) => lists::indicators(args, json),
        Command::Metrics(args) => lists::metrics(args, json),
    };
    match done {
        Ok(()) => code,
        Err(error) => {
            if json {
                let place =
                    error.place().map(|p| serde_json::json!({"file": p.file, "line": p.line, "column": p.column}));
                println!("{}", serde_json::json!({"error": error.message(), "place": place, "help": error.way_out()}));
            } else {
                eprintln!("error: {error}");
            }
            ExitCode::from(2)
        }
    }
}
