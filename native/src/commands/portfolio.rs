//! `sandtable portfolio`: trials of study folders in one account.

use std::path::{Path, PathBuf};

use clap::Args;
use sandtable_core::portfolio::Scheme;
use sandtable_core::{Error, Result, error::nearest};
use serde_json::json;

use crate::portfolio::{Learn, Member, Named, Portfolio, Rebalance, Request, portfolio};
use crate::{export, print, report, study};

const HELP: &str = "\
Each member runs in an account of its own; the one account holds the sum of what they hold, times their
parts. Orders of different members cancel out, and costs are paid once. Weights are estimated from
sessions before the day on which they are decided, and the account trades only once there are enough:

  fixed               given parts, or the same for each member; nothing is estimated
  inverse-volatility  in proportion to one over the deviation of returns
  risk-parity         each member contributes the same risk
  kelly               --fraction of the bet with the largest growth; no borrowing, no short members
  mean-variance       the largest return for its deviation; no short members

A member's market orders fill at the same bar in the one account; what its stops and limits do inside a
bar reaches it at the next bar, at the market.";

/// Arguments of `sandtable portfolio`.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct PortfolioArgs {
    /// Study folders with the trials to combine: DIR for the best trial, DIR:TRIAL for another.
    #[arg(required = true, value_name = "DIR[:TRIAL]")]
    pub members: Vec<String>,
    /// How members are weighted.
    #[arg(long, default_value = "fixed", value_name = "SCHEME")]
    pub weights: String,
    /// Parts of the capital for `fixed` weights, as in 0.5,0.3 [default: the same for each].
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub parts: Option<Vec<f64>>,
    /// For kelly the part of the full bet [default: 0.5], for others the part of the capital that is invested [default: 1].
    #[arg(long, value_name = "F")]
    pub fraction: Option<f64>,
    /// When weights are estimated again and members brought back to them.
    #[arg(long, default_value = "monthly", value_name = "never|weekly|monthly|quarterly|yearly")]
    pub rebalance: String,
    /// What weights are estimated from: all sessions before, the first half, or so many sessions before.
    #[arg(long, default_value = "expanding", value_name = "expanding|first-half|SESSIONS")]
    pub learn: String,
    /// Initial cash [default: the first member's].
    #[arg(long)]
    pub capital: Option<f64>,
    /// Folder to write.
    #[arg(long, default_value = "portfolio", value_name = "DIR")]
    pub out: PathBuf,
    /// The bundle, if it is not where the studies' records say.
    #[arg(long)]
    pub bundle: Option<String>,
}

/// Simulates the portfolio, writes and shows it.
///
/// # Errors
/// An option is not valid, members do not fit together, or a file cannot be written.
pub fn run(args: &PortfolioArgs, as_json: bool) -> Result<()> {
    let request = request(args)?;
    if args.out.join(study::PLAN).exists() {
        return Err(
            Error::plan(format!("`{}` is a study folder", args.out.display())).help("name another folder with --out")
        );
    }
    let open = |text: &String| Named::parse(text).open(args.bundle.as_deref());
    let members: Vec<Member> = args.members.iter().map(open).collect::<Result<_>>()?;
    let portfolio = portfolio(&members, &request)?;
    let written = write(&portfolio, &members, &request, &args.out)?;
    let mut summary = portfolio.json(&members, &request);
    summary["written"] = json!(written);
    print::either(as_json, &summary, || {
        let names: Vec<&str> = FILES.to_vec();
        format!("{}written to {}: {}\n", portfolio.text(&members, &request), args.out.display(), names.join(", "))
    })
}

fn request(args: &PortfolioArgs) -> Result<Request> {
    let scheme = named(&args.weights, "--weights", Scheme::ALL.map(|scheme| (scheme.name(), scheme)))?;
    let all = [Rebalance::Never, Rebalance::Weekly, Rebalance::Monthly, Rebalance::Quarterly, Rebalance::Yearly];
    let usual = if scheme == Scheme::Kelly { 0.5 } else { 1.0 };
    if let Some(capital) = args.capital.filter(|capital| !(*capital > 0.0 && capital.is_finite())) {
        return Err(Error::plan(format!("`--capital {capital}` is no capital")).help("name an amount above 0"));
    }
    let fraction = args.fraction.unwrap_or(usual);
    if !(fraction > 0.0 && fraction <= 1.0) {
        return Err(Error::plan(format!("`--fraction {fraction}` is no fraction"))
            .help("name one above 0 and at most 1, such as 0.5"));
    }
    Ok(Request {
        scheme,
        parts: args.parts.clone(),
        fraction,
        rebalance: named(&args.rebalance, "--rebalance", all.map(|rebalance| (rebalance.name(), rebalance)))?,
        learn: Learn::parse(&args.learn)?,
        capital: args.capital,
    })
}

fn named<T: Copy, const N: usize>(word: &str, option: &str, all: [(&str, T); N]) -> Result<T> {
    if let Some((_, found)) = all.iter().find(|(name, _)| *name == word) {
        return Ok(*found);
    }
    let names = all.map(|(name, _)| name);
    let way_out = match nearest(word, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("say one of {}", names.join(", ")),
    };
    Err(Error::plan(format!("there is no `{option} {word}`")).help(way_out))
}

/// What a portfolio leaves in its folder.
const FILES: [&str; 5] = ["portfolio.json", "equity.svg", "equity.csv", "weights.csv", "trades.csv"];

fn write(portfolio: &Portfolio, members: &[Member], request: &Request, out: &Path) -> Result<Vec<PathBuf>> {
    let [record, picture, equity, weights, trades] = FILES.map(|name| out.join(name));
    let plan = &portfolio.evaluator.plan;
    let title = format!("{}, {} weights", plan.name(), request.scheme.name());
    report::equity_plot(&picture, &title, plan, &portfolio.detail)?;
    export::write(&equity, &portfolio.equity_table(members))?;
    export::write(&weights, &portfolio.weights_of(members))?;
    export::write(&trades, &export::trades(&portfolio.detail, &portfolio.evaluator.context.panel.symbols))?;
    study::write_whole(&record, study::json_text(&portfolio.json(members, request)).as_bytes())?;
    Ok(FILES.iter().map(|name| out.join(name)).collect())
}
