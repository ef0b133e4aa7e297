//! Compares sandtable with the stored outputs of other programs, case by case, and prints a table.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{Table, presets};
use sandtable_tests::oracle::{self, CaseResult, Verdict};

/// Compare sandtable with the stored outputs of other programs.
#[derive(Parser)]
struct Arguments {
    /// Folder of the cases: `talib`, `metrics`, `backtesting_py`, `vectorbt`, … below it.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/oracles"))]
    oracles: PathBuf,
    /// Folder of the input data [default: `data` beside the cases].
    #[arg(long)]
    data: Option<PathBuf>,
    /// List every case, not only those that are not exact.
    #[arg(long)]
    all: bool,
    /// Only cases whose "PROGRAM CASE" contains this.
    filter: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let data = arguments.data.unwrap_or_else(|| arguments.oracles.join("../data"));
    if !arguments.oracles.is_dir() {
        eprintln!("error: there is no folder {}\n  help: name one with --oracles DIR", arguments.oracles.display());
        return ExitCode::from(2);
    }
    let results = oracle::run_all(&arguments.oracles, &data, arguments.filter.as_deref());
    println!("{}", by_program(&results));
    println!("{}", by_case(&results, arguments.all));
    let count = |wanted: fn(&Verdict) -> bool| results.iter().filter(|result| wanted(&result.verdict)).count();
    let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
    println!(
        "oracles: {} cases, {} exact, {} documented, {failed} failed, {} unsupported",
        results.len(),
        count(|verdict| matches!(verdict, Verdict::Exact)),
        count(|verdict| matches!(verdict, Verdict::Documented(_))),
        count(|verdict| matches!(verdict, Verdict::Unsupported(_))),
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn by_program(results: &[CaseResult]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "program",
        "cases",
        "exact",
        "documented",
        "failed",
        "unsupported",
        "numbers",
        "largest difference",
    ]);
    let mut peers: Vec<&str> = Vec::new();
    for result in results {
        if !peers.contains(&result.peer.as_str()) {
            peers.push(&result.peer);
        }
    }
    for peer in peers {
        let own: Vec<&CaseResult> = results.iter().filter(|result| result.peer == peer).collect();
        let count = |wanted: fn(&Verdict) -> bool| own.iter().filter(|r| wanted(&r.verdict)).count().to_string();
        let exact = own.iter().filter(|result| result.verdict == Verdict::Exact);
        let largest = exact.map(|result| result.largest_difference).filter(|x| x.is_finite()).fold(0.0, f64::max);
        table.add_row([
            peer.to_string(),
            own.len().to_string(),
            count(|verdict| matches!(verdict, Verdict::Exact)),
            count(|verdict| matches!(verdict, Verdict::Documented(_))),
            count(|verdict| matches!(verdict, Verdict::Failed(_))),
            count(|verdict| matches!(verdict, Verdict::Unsupported(_))),
            own.iter().map(|result| result.compared).sum::<u64>().to_string(),
            format!("{largest:.1e}"),
        ]);
    }
    table
}

fn by_case(results: &[CaseResult], all: bool) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    // A pipe has no width of its own.
    if table.width().is_none() {
        table.set_width(120);
    }
    table.set_header(["case", "verdict", "why"]);
    for result in results {
        let (verdict, why) = match &result.verdict {
            Verdict::Exact => ("exact", String::new()),
            Verdict::Documented(why) => ("documented", why.clone()),
            Verdict::Failed(why) => ("failed", why.clone()),
            Verdict::Unsupported(why) => ("unsupported", why.clone()),
        };
        if all || result.verdict != Verdict::Exact {
            table.add_row([format!("{} {}", result.peer, result.case), verdict.to_string(), why]);
        }
    }
    table
}
