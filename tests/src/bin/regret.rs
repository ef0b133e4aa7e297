//! Compares search methods by their median regret, on functions and on a known grid of backtests, and side by side with
//! Optuna and cmaes where an interpreter has them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use sandtable::study::write_whole;
use sandtable_core::plan::{Method, Words};
use sandtable_core::{Error, Result};
use sandtable_tests::regret::{self, BUDGETS, NAMES, Problem, Runs};

/// Compare search methods by their median regret.
#[derive(Parser)]
struct Arguments {
    /// Methods, separated by commas [default: all with one objective].
    #[arg(long, value_delimiter = ',')]
    methods: Vec<String>,
    /// Problems, separated by commas: branin, hartmann6, rastrigin10, w4 [default: all].
    #[arg(long, value_delimiter = ',')]
    problems: Vec<String>,
    /// Seeds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
    /// Trials of each search; tables show those after 50, 100 and 200, as far as they go.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(50..=200))]
    trials: u64,
    /// Trials of one generation of tpe and gp; 0 for the number that a study has, 1 for what other programs do.
    #[arg(long, default_value_t = 1)]
    generation: u64,
    /// Threads for the grid of backtests [default: as many as the planner chooses].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// An interpreter whose environment has optuna and cmaes (and scipy and torch for gp), to run them too.
    #[arg(long)]
    python: Option<PathBuf>,
    /// Methods of the other programs, separated by commas: tpe, gp, cmaes.
    #[arg(long, value_delimiter = ',', default_values_t = ["tpe", "gp", "cmaes"].map(String::from))]
    rivals: Vec<String>,
    /// Folder for regret.csv and regret.svg.
    #[arg(long)]
    into: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(asked: &Arguments) -> Result<()> {
    let methods = methods(&asked.methods)?;
    let trials = asked.trials;
    let budgets: Vec<usize> = BUDGETS.into_iter().filter(|&budget| budget as u64 <= trials).collect();
    let scratch = std::env::temp_dir().join("sandtable-regret");
    let all = || NAMES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let problems: Vec<String> = if asked.problems.is_empty() { all() } else { asked.problems.clone() };
    let mut runs = Vec::new();
    for name in &problems {
        let problem = regret::named(name, asked.threads)?;
        let before = runs.len();
        for &method in methods.iter().filter(|method| problem.has_parts() || !method.has_budgets()) {
            if method.has_budgets() {
                runs.push(regret::in_parts(&problem, method, trials, asked.seeds));
                continue;
            }
            let generation = if matches!(method, Method::Tpe | Method::Gp) { asked.generation } else { 0 };
            runs.push(regret::ours(&problem, method, generation, trials, asked.seeds));
        }
        for rival in asked.rivals.iter().filter(|_| asked.python.is_some()) {
            let python = asked.python.clone().unwrap_or_default();
            match regret::rival(&problem, rival, trials, asked.seeds, &python, &scratch) {
                Ok(run) => runs.push(run),
                // One that is not installed leaves its line out.
                Err(error) => eprintln!("{error}"),
            }
        }
        println!("{name}\n{}", table(&runs[before..], &budgets));
        print_behind(&runs[before..], &budgets);
        if problem.has_parts() {
            print_parts(&problem, &runs[before..], &budgets);
        }
        if let Some(folder) = &asked.into {
            write_whole(&folder.join("regret.csv"), regret::csv(&runs).as_bytes())?;
            write_whole(&folder.join("regret.svg"), regret::svg(&runs).as_bytes())?;
        }
    }
    Ok(())
}

fn methods(names: &[String]) -> Result<Vec<Method>> {
    let known = || Method::ALL.iter().filter(|(_, method)| method.is_guided() && *method != Method::Nsga2);
    if names.is_empty() {
        return Ok(known().map(|&(_, method)| method).collect());
    }
    let find = |name: &String| {
        known().find(|(word, _)| word == name).map(|&(_, method)| method).ok_or_else(|| {
            let words: Vec<&str> = known().map(|&(word, _)| word).collect();
            Error::plan(format!("there is no method `{name}`")).help(format!("name one of {}", words.join(", ")))
        })
    };
    names.iter().map(find).collect()
}

/// Whether a method is behind another program's by more than chance.
fn print_behind(runs: &[Runs], budgets: &[usize]) {
    for (own, rival) in [("tpe", "optuna tpe"), ("gp", "optuna gp"), ("cma-es", "cmaes")] {
        let of = |method: &str| runs.iter().find(|run| run.method == method);
        let Some((own, rival)) = of(own).zip(of(rival)) else { continue };
        let p = |&trials: &usize| format!("{:.2} at {trials}", regret::behind(own, rival, trials));
        let all: Vec<String> = budgets.iter().map(p).collect();
        println!("{} behind {} by chance: p = {}", own.method, rival.method, all.join(", "));
    }
}

/// What methods that see parts of the data find for a quarter of the bars that drawing has.
fn print_parts(problem: &Problem, runs: &[Runs], budgets: &[usize]) {
    let of = |method: Method| runs.iter().find(|run| run.method == method.word());
    let Some(random) = of(Method::Random) else { return };
    for run in [Method::Hyperband, Method::Bohb].into_iter().filter_map(of) {
        for &trials in budgets.iter().filter(|trials| **trials % 4 == 0) {
            println!(
                "{}, as many bars as {} trials: {:.2} % of the best of {trials} drawn ones (median; target 98)",
                run.method,
                trials / 4,
                100.0 * regret::part_of(problem, run, trials / 4, random, trials),
            );
        }
    }
}

/// Median regret, and the middle half of the seeds at the end.
fn table(runs: &[Runs], budgets: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    let last = budgets.last().copied().unwrap_or(0);
    let mut header = vec![String::from("method")];
    header.extend(budgets.iter().map(|trials| format!("median at {trials}")));
    header.push(format!("middle half at {last}"));
    table.set_header(header);
    for run in runs {
        let mut row = vec![run.method.clone()];
        row.extend(budgets.iter().map(|&trials| format!("{:.5}", run.quantile(trials, 0.5))));
        row.push(format!("{:.5} … {:.5}", run.quantile(last, 0.25), run.quantile(last, 0.75)));
        table.add_row(row);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}
