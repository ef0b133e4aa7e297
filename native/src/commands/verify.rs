//! `sandtable verify`: trials of a finished study once more in decimal arithmetic.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use sandtable_core::Result;
use sandtable_core::calendar::format_date;
use sandtable_core::engine::Number;
use sandtable_core::plan::Plan;
use sandtable_core::run::Evaluator;
use serde_json::{Value, json};

use crate::exact::Exact;
use crate::reopen::{Trial, reopen};
use crate::verify::{Audit, Fork, Gap, TOLERANCE, audit};
use crate::view::{Terminal, number, table, wrap};
use crate::{print, report};

const HELP: &str = "\
A search computes in 64-bit floats. This runs chosen trials again with the same simulator in decimal
numbers of 28 digits and compares the ledgers bar by bar. The same fills, and amounts that differ by
less than 1e-9 of the capital, mean that rounding did nothing. Where rounding decides a tie (a lot
more or less, an order that cash just pays for or just does not), it says so, and where. Rules and
indicators are evaluated in floats in both runs: what is compared is the account.

Exit code: 0 if every trial agrees, 1 if one does not, 2 for errors.";

/// Arguments of `sandtable verify`.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct VerifyArgs {
    /// The study folder.
    pub dir: PathBuf,
    /// How many of the best trials to verify.
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub top: usize,
    /// The trial with this index instead; may be repeated.
    #[arg(long, value_name = "INDEX")]
    pub trial: Vec<u64>,
    /// The bundle, if it is not where the study's record says.
    #[arg(long)]
    pub bundle: Option<String>,
}

/// A trial and what came out.
struct Verified {
    trial: Trial,
    audit: Audit,
}

/// Verifies; true if every trial agrees.
///
/// # Errors
/// The folder is no study folder, its bundle is not there, or there is no such trial.
pub fn run(args: &VerifyArgs, as_json: bool) -> Result<bool> {
    let study = reopen(&args.dir, args.bundle.as_deref())?;
    let trials = if args.trial.is_empty() {
        study.best(args.top)
    } else {
        args.trial.iter().map(|&index| study.trial(index)).collect::<Result<Vec<_>>>()?
    };
    let evaluator = &study.evaluator;
    let verified: Vec<Verified> =
        trials.into_iter().map(|trial| Verified { audit: audit(evaluator, &trial.point), trial }).collect();
    let agrees = verified.iter().all(|one| one.audit.passes());
    let summary = json!({
        "run_id": evaluator.plan.id(),
        "tolerance_of_capital": TOLERANCE,
        "capital": evaluator.plan.settings().capital,
        "agrees": agrees,
        "trials": verified.iter().map(|one| trial_json(evaluator, one)).collect::<Vec<_>>(),
    });
    print::either(as_json, &summary, || text(evaluator, &verified))?;
    Ok(agrees)
}

fn text(evaluator: &Evaluator, verified: &[Verified]) -> String {
    let plan = &evaluator.plan;
    let width = Terminal::detect().line_width();
    let mut out = format!(
        "{}: {} in decimal arithmetic beside floats, {} to {}, capital {}\n\n",
        plan.name(),
        if verified.len() == 1 { "1 trial".into() } else { format!("{} trials", verified.len()) },
        format_date(plan.start()),
        format_date(plan.end()),
        crate::words::money(plan.settings().capital),
    );
    if verified.is_empty() {
        return out + "no trial has a score\n";
    }
    out += "largest differences:\n";
    let objective = plan.objective().name;
    let heading = ["trial", "fills", "agrees", "quantity", "price", "fee", "cash", "equity", "of capital", objective];
    let rows = verified.iter().map(|Verified { trial, audit }| {
        let gap = |gap: &Gap| short(gap.amount);
        vec![
            trial.index.to_string(),
            audit.float_fills.to_string(),
            if audit.passes() { "yes" } else { "NO" }.to_string(),
            gap(&audit.quantity),
            gap(&audit.price),
            gap(&audit.fee),
            gap(&audit.cash),
            gap(&audit.equity),
            gap(&audit.of_capital),
            small(audit.metric_difference()),
        ]
    });
    out += &table::plain(&heading, rows, &[]);
    out.push('\n');
    for one in verified {
        let line = format!("trial {}: {}", one.trial.index, verdict(evaluator, &one.audit));
        out += &wrap::paragraph(&line, width, 2);
    }
    out.push('\n');
    let passed = verified.iter().filter(|one| one.audit.passes()).count();
    let _ = if passed == verified.len() {
        writeln!(out, "verified: every fill agrees, and no amount differs by {TOLERANCE:e} of the capital or more")
    } else {
        writeln!(out, "NOT verified: {} of {} trials depend on rounding", verified.len() - passed, verified.len())
    };
    out
}

/// A difference in three digits.
fn short(amount: Exact) -> String {
    if amount.is_defined() { small(amount.float()) } else { "undefined".into() }
}

fn small(value: f64) -> String {
    match value {
        0.0 => "0".into(),
        value if value >= 0.001 && value.is_finite() => number::units((value * 1e6).round() / 1e6),
        value if value.is_finite() => format!("{value:.1e}"),
        _ => "undefined".into(),
    }
}

fn date(evaluator: &Evaluator, bar: usize) -> String {
    crate::explain::time_of(evaluator.panel(), bar)
}

fn fork_text(fork: &Fork) -> String {
    let said = |what: &Option<String>| what.clone().unwrap_or_else(|| "nothing more happens".into());
    format!("in floats {}; in decimals {}", said(&fork.float), said(&fork.exact))
}

/// What to make of a trial.
fn verdict(evaluator: &Evaluator, audit: &Audit) -> String {
    let worst = short(audit.of_capital.amount);
    let when = |bar| date(evaluator, bar);
    let metric = match audit.metric {
        (float, exact) if float.is_nan() && exact.is_nan() => String::new(),
        (float, exact) => format!("; {} {float:.6} in floats, {exact:.6} in decimals", objective(&evaluator.plan)),
    };
    if let Some(bar) = audit.out_of_range {
        return format!(
            "not comparable from {} on: an amount there is beyond the range of decimal numbers (7.9e28), or no number",
            when(bar)
        );
    }
    if let Some(apart) = &audit.first_apart {
        let cause = audit.first_fork.as_ref().filter(|fork| fork.bar <= apart.bar).unwrap_or(apart);
        return format!(
            "NOT the same fills: on {} rounding decides a tie: {}. Until then the ledgers agree {}; \
             fills differ on {} bars in all ({} fills in floats, {} in decimals), amounts by up to {worst} of the \
             capital on {}{metric}",
            when(cause.bar),
            fork_text(cause),
            until(audit),
            audit.bars_apart,
            audit.float_fills,
            audit.exact_fills,
            when(audit.of_capital.bar),
        );
    }
    let ties = match (&audit.first_fork, audit.forks) {
        (Some(fork), forks) => format!(
            "; on {forks} {} a tie falls the other way without changing which orders fill, first on {}: {}",
            if forks == 1 { "bar" } else { "bars" },
            when(fork.bar),
            fork_text(fork)
        ),
        (None, _) => String::new(),
    };
    if audit.passes() {
        return match worst.as_str() {
            "0" => format!("the same fills; rounding moves no amount at all{ties}"),
            _ => format!("the same fills; rounding moves no amount by more than {worst} of the capital{ties}"),
        };
    }
    let cause = match &audit.first_amount {
        Some(fork) => format!(
            "on {} rounding decides a tie: {}. Until then the ledgers agree {}; in all they",
            when(fork.bar),
            fork_text(fork),
            until(audit)
        ),
        None => "they".into(),
    };
    format!(
        "the same orders fill, but NOT for the same amounts: {cause} differ by up to {worst} of the capital on \
         {}{ties}{metric}",
        when(audit.of_capital.bar)
    )
}

/// How near the ledgers were before the first tie.
fn until(audit: &Audit) -> String {
    match short(audit.before_fork).as_str() {
        "0" => "to the last digit".into(),
        near => format!("to {near} of the capital"),
    }
}

fn objective(plan: &Plan) -> &'static str {
    plan.objective().name
}

fn trial_json(evaluator: &Evaluator, one: &Verified) -> Value {
    let Verified { trial, audit } = one;
    let capital = Exact::of(evaluator.plan.settings().capital);
    let gap = |gap: &Gap| {
        json!({
            "amount": gap.amount.float(),
            "exact": gap.amount.to_string(),
            "of_capital": (gap.amount / capital).float(),
            "at": date(evaluator, gap.bar),
        })
    };
    let fork = |fork: &Option<Fork>| {
        fork.as_ref().map(|fork| json!({ "at": date(evaluator, fork.bar), "float": fork.float, "decimal": fork.exact }))
    };
    json!({
        "index": trial.index,
        "params": report::params_json(&evaluator.plan, &trial.point),
        "agrees": audit.passes(),
        "same_fills": audit.same_fills(),
        "fills": { "float": audit.float_fills, "decimal": audit.exact_fills },
        "bars_with_other_fills": audit.bars_apart,
        "first_other_fill": fork(&audit.first_apart),
        "bars_with_ties": audit.forks,
        "first_tie": fork(&audit.first_fork),
        "first_other_amount": fork(&audit.first_amount),
        "before_first_tie_of_capital": audit.before_fork.float(),
        "quantity": { "amount": audit.quantity.amount.float(), "exact": audit.quantity.amount.to_string(),
            "at": date(evaluator, audit.quantity.bar) },
        "price": { "amount": audit.price.amount.float(), "exact": audit.price.amount.to_string(),
            "at": date(evaluator, audit.price.bar) },
        "fee": gap(&audit.fee),
        "cash": gap(&audit.cash),
        "equity": gap(&audit.equity),
        "largest_of_capital": audit.of_capital.amount.float(),
        "out_of_range_at": audit.out_of_range.map(|bar| date(evaluator, bar)),
        "objective": {
            "metric": objective(&evaluator.plan),
            "float": audit.metric.0,
            "decimal": audit.metric.1,
            "difference": audit.metric_difference(),
        },
        "verdict": verdict(evaluator, audit),
    })
}
