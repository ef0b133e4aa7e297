//! `sandtable explain`: what happened at a bar, and why an order did not fill.

use std::path::{Path, PathBuf};

use clap::Args;
use sandtable_core::plan::PlanSpec;
use sandtable_core::run::Evaluator;
use sandtable_core::{Error, Result, error::nearest};
use serde_json::json;

use super::overrides::Overrides;
use crate::explain::{self, Look};
use crate::record::Phases;
use crate::reopen::reopen;
use crate::search::{self, Options};
use crate::study::read_text;
use crate::view::{Terminal, wrap};
use crate::{print, report};

/// Most bars that are explained at once.
const MOST_BARS: usize = 10_000;

const HELP: &str = "\
Examples:
  sandtable explain DIR TRIAL --at 2020-03-16            a trial of a study folder
  sandtable explain DIR --at 2020-03-16 --symbol AAPL    its best trial, one symbol
  sandtable explain --strategy sma_cross --bundle mag8 --param fast=10 --at 2020-03-16 --bars 3
  sandtable explain --study FILE --at 2022-01-03T14:35   a backtest without a folder, intraday

For each symbol it prints the bar, the values of all named columns and rules with their conditions one
by one, and why the rules led to no order; then everything that happened to orders and cash, with
the reason of every wait, cut and refusal; then what is still open.";

/// Arguments of `sandtable explain`.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct ExplainArgs {
    /// The study folder.
    pub dir: Option<PathBuf>,
    /// Index of the trial [default: the best one].
    pub trial: Option<u64>,
    /// The bar: YYYY-MM-DD, or YYYY-MM-DDTHH:MM (UTC, the bar's close) for intraday bars.
    #[arg(long, value_name = "DATE")]
    pub at: String,
    /// How many bars after it to explain as well.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub bars: usize,
    /// Only this symbol.
    #[arg(long, value_name = "SYMBOL")]
    pub symbol: Option<String>,
    /// A study file instead of a folder: one backtest at the defaults of its strategy, or at `--param`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dir", "strategy"])]
    pub study: Option<PathBuf>,
    /// A strategy file or a name of the gallery instead of a folder.
    #[arg(long, value_name = "STRATEGY", conflicts_with = "dir")]
    pub strategy: Option<String>,
    /// What to lay over the defaults (only `--bundle` for a study folder).
    #[command(flatten)]
    pub overrides: Overrides,
}

/// A trial to look at.
struct Chosen {
    evaluator: Evaluator,
    trial: Option<u64>,
    point: Vec<f64>,
}

/// Explains the bars.
///
/// # Errors
/// There is no such study, trial, bar or symbol.
pub fn run(args: &ExplainArgs, as_json: bool) -> Result<()> {
    let Chosen { evaluator, trial, point } = match &args.dir {
        Some(dir) => of_folder(args, dir)?,
        None => of_backtest(args, as_json)?,
    };
    let panel = &**evaluator.panel();
    let plan = &evaluator.plan;
    let symbol = args.symbol.as_deref().map(|name| symbol_of(&panel.symbols, name)).transpose()?;
    if args.bars > MOST_BARS {
        return Err(Error::plan(format!("`--bars {}` is more than {MOST_BARS}", args.bars)).help("ask for fewer"));
    }
    let found = explain::find(panel, &args.at)?;
    let bars = evaluator.inspect(&point, found.t..found.t + 1 + args.bars);
    let look = Look { symbol, width: Terminal::detect().line_width() };
    let summary = json!({
        "run_id": plan.id(),
        "strategy": plan.strategy().name,
        "trial": trial,
        "params": report::params_json(plan, &point),
        "note": found.note,
        "bars": bars.iter().map(|bar| explain::json(&evaluator, bar, look)).collect::<Vec<_>>(),
    });
    print::either(as_json, &summary, || {
        let of = trial.map(|trial| format!(", trial {trial}")).unwrap_or_default();
        let title = format!("{}{of}: {}", plan.strategy().name, report::parameters(plan, &point));
        let mut out = wrap::paragraph(&title, look.width, 2);
        if let Some(note) = &found.note {
            out += &wrap::paragraph(note, look.width, 2);
        }
        for bar in &bars {
            out += &format!("\n{}\n", "─".repeat(look.width.min(100)));
            out += &explain::text(&evaluator, bar, look);
        }
        out
    })
}

fn of_folder(args: &ExplainArgs, dir: &Path) -> Result<Chosen> {
    let Overrides { params, settings, symbols, start, end, capital, bundle } = &args.overrides;
    let given = [
        ("--param", !params.is_empty()),
        ("--set", !settings.is_empty()),
        ("--symbols", symbols.is_some()),
        ("--start", start.is_some()),
        ("--end", end.is_some()),
        ("--capital", capital.is_some()),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Error::plan(format!("`{option}` cannot change a trial of a finished study"))
            .help("leave it out, or explain a backtest with --study FILE or --strategy NAME"));
    }
    let study = reopen(dir, bundle.as_deref())?;
    let trial = match args.trial {
        Some(index) => study.trial(index)?,
        None => study.best(1).pop().ok_or_else(|| {
            Error::data(format!("no trial of `{}` has a score", dir.display()))
                .help("name one: `sandtable explain DIR TRIAL`")
        })?,
    };
    Ok(Chosen { evaluator: study.evaluator, trial: Some(trial.index), point: trial.point })
}

fn of_backtest(args: &ExplainArgs, as_json: bool) -> Result<Chosen> {
    let (mut spec, base) = match (&args.study, &args.strategy) {
        (Some(file), _) => {
            let spec = PlanSpec::parse(&read_text(file)?, &file.display().to_string())?;
            (spec, file.parent().unwrap_or(Path::new(".")).to_owned())
        }
        (None, Some(strategy)) => {
            let mut spec = PlanSpec::new("the command line");
            spec.strategy = Some(strategy.clone());
            (spec, PathBuf::from("."))
        }
        (None, None) => {
            return Err(Error::plan("nothing to explain is named")
                .help("name a study folder and a trial, `--study FILE`, or `--strategy NAME --bundle NAME`"));
        }
    };
    spec.set("search.method", "single")?;
    args.overrides.apply(&mut spec)?;
    if spec.bundle.is_none() {
        return Err(
            Error::plan("no bundle is named").help("add `--bundle NAME.bundle`, or the built-in `--bundle mag8`")
        );
    }
    let options = Options { base, threads: 1, quiet: true, json: as_json, ..Options::default() };
    let evaluator = search::resolve(&spec, &options, &mut Phases::start())?;
    if !as_json {
        for warning in evaluator.plan.warnings() {
            eprintln!("warning: {warning}");
        }
    }
    let space = evaluator.plan.space();
    let Some(index) = space.valid_in(0..space.size()).next() else {
        return Err(Error::plan("the parameters do not satisfy the conditions"));
    };
    let mut point = Vec::new();
    space.point(index, &mut point);
    Ok(Chosen { evaluator, trial: None, point })
}

fn symbol_of(symbols: &[String], name: &str) -> Result<u32> {
    if let Some(place) = symbols.iter().position(|symbol| symbol == name) {
        return Ok(place as u32);
    }
    let error = Error::plan(format!("the run does not trade `{name}`"));
    Err(match nearest(name, symbols.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("it trades {}", symbols.iter().take(12).cloned().collect::<Vec<_>>().join(", "))),
    })
}
