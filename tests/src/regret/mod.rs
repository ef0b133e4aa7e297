//! How far searches stay behind the best point: methods side by side on problems whose best value is known.
//!
//! Given methods, problems and seeds, this module gives the best value after each trial, for ours and for other
//! programs', and what tables and pictures say of it. Every search sees the same values at the same points.

mod picture;
mod problems;

use std::path::Path;
use std::process::Command;

use sandtable_core::analysis::normal;
use sandtable_core::plan::{Method, Score, Searching};
use sandtable_core::search::{Guided, Hyperband};
use sandtable_core::{Error, Result};

pub use picture::svg;
pub use problems::{NAMES, Problem, named};

/// Numbers of trials after which tables are read.
pub const BUDGETS: [usize; 3] = [50, 100, 200];

/// A method on a problem: for each seed the regret after each trial.
#[derive(Clone, Debug)]
pub struct Runs {
    /// Name of the problem.
    pub problem: String,
    /// Name of the method, with the program where it is another's.
    pub method: String,
    /// Regrets, seed by seed.
    pub regrets: Vec<Vec<f64>>,
}

impl Runs {
    /// The regret of each seed after so many trials, of shorter searches at their end; NaN where nothing was evaluated.
    fn after(&self, trials: usize) -> Vec<f64> {
        let at = |run: &Vec<f64>| run.get(trials.saturating_sub(1)).or(run.last()).copied().unwrap_or(f64::NAN);
        self.regrets.iter().map(at).collect()
    }

    /// Quantile of the regret over seeds after so many trials: 0.5 is the median, of two middle ones the lower.
    pub fn quantile(&self, trials: usize, part: f64) -> f64 {
        let mut values = self.after(trials);
        values.sort_by(f64::total_cmp);
        let place = (part * (values.len().saturating_sub(1)) as f64) as usize;
        values.get(place).copied().unwrap_or(f64::NAN)
    }
}

/// Runs one of our methods that evaluate points on parts of the data. The regret after a number of trials is that of the
/// best point seen on all of the data by the time as much of it was simulated as so many trials would; infinite before
/// there is one.
pub fn in_parts(problem: &Problem, method: Method, trials: u64, seeds: u64) -> Runs {
    let searching = Searching { method, trials, ..Searching::default() };
    let run = |seed: u64| {
        let mut search = Hyperband::new(&problem.space, &searching, None, seed);
        let (mut asked, mut best, mut spent, mut regrets) = (Vec::new(), f64::INFINITY, 0.0, Vec::new());
        loop {
            let budget = search.ask(&mut asked);
            if asked.is_empty() {
                regrets.resize(trials as usize, best - problem.least);
                return regrets;
            }
            let losses: Vec<f64> = asked.iter().map(|&index| problem.loss_in_part(index, budget)).collect();
            spent += budget * asked.len() as f64;
            // Trials that are paid for before this generation is.
            let paid = ((spent - 1e-9).ceil() as usize).saturating_sub(1).max(regrets.len());
            regrets.resize(paid, best - problem.least);
            if budget == 1.0 {
                best = losses.iter().copied().fold(best, f64::min);
            }
            search.tell(&asked, &losses.into_iter().map(Score::of).collect::<Vec<Score>>());
        }
    };
    Runs { problem: problem.name.into(), method: method.word().into(), regrets: (0..seeds).map(run).collect() }
}

/// The median over seeds of a method's best value as a part of another's with the same seed, after numbers of trials of
/// each: 0.98 is 2 % less. For problems whose least value is below zero, so that parts mean something.
pub fn part_of(problem: &Problem, one: &Runs, trials: usize, other: &Runs, their_trials: usize) -> f64 {
    let best = |runs: &Runs, trials: usize| runs.after(trials).into_iter().map(|regret| regret + problem.least);
    let pairs = best(one, trials).zip(best(other, their_trials));
    let mut parts: Vec<f64> = pairs.map(|(one, other)| one / other).collect();
    parts.sort_by(f64::total_cmp);
    parts.get(parts.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// Runs one of our methods, with the trials of a generation as the study would have them (0) or so many.
pub fn ours(problem: &Problem, method: Method, generation: u64, trials: u64, seeds: u64) -> Runs {
    let searching = Searching { method, generation, trials, ..Searching::default() };
    let run = |seed: u64| {
        let mut search = Guided::new(&problem.space, &searching, None, seed);
        let (mut asked, mut best, mut regrets) = (Vec::new(), f64::INFINITY, Vec::new());
        loop {
            search.ask(&mut asked);
            if asked.is_empty() {
                return regrets;
            }
            let losses: Vec<f64> = asked.iter().map(|&index| problem.loss(index)).collect();
            for &loss in &losses {
                best = best.min(loss);
                regrets.push(best - problem.least);
            }
            search.tell(&asked, &losses.into_iter().map(Score::of).collect::<Vec<Score>>());
        }
    };
    Runs { problem: problem.name.into(), method: method.word().into(), regrets: (0..seeds).map(run).collect() }
}

/// Runs another program's method by the script beside the other rivals; `scratch` is a folder for the known grid.
///
/// # Errors
/// The interpreter cannot be started, a package is not installed, or the script fails.
pub fn rival(problem: &Problem, method: &str, trials: u64, seeds: u64, python: &Path, scratch: &Path) -> Result<Runs> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("rivals/search_regret.py");
    let mut command = Command::new(python);
    command.arg(script).args(["--method", method, "--problem", problem.name]);
    command.args(["--trials", &trials.to_string(), "--seeds", &seeds.to_string()]);
    if let Some(table) = problem.table_json() {
        let path = scratch.join("known_grid.json");
        sandtable::study::write_whole(&path, table.as_bytes())?;
        command.arg("--table").arg(path);
    }
    let output = command
        .output()
        .map_err(|error| Error::machine(format!("`{}` cannot be started: {error}", python.display())))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        let last = told.lines().last().unwrap_or("it says nothing").to_owned();
        return Err(Error::machine(format!("{method} failed: {last}"))
            .help("install optuna, cmaes and for gp scipy and torch into the environment of --python"));
    }
    let best: Vec<Vec<f64>> = serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::data(format!("the answer of {method} is no list of runs: {error}")))?;
    let program = if method == "cmaes" { String::from("cmaes") } else { format!("optuna {method}") };
    let regrets = best.into_iter().map(|run| run.into_iter().map(|value| value - problem.least).collect()).collect();
    Ok(Runs { problem: problem.name.into(), method: program, regrets })
}

/// Whether one method's regrets after so many trials are larger than another's by more than chance: the p-value of the
/// one-sided rank-sum test (Mann and Whitney 1947; normal approximation with corrections for ties and continuity, as
/// `scipy.stats.mannwhitneyu`). A small one says that it is worse.
pub fn behind(one: &Runs, other: &Runs, trials: usize) -> f64 {
    let (own, others) = (one.after(trials), other.after(trials));
    let (m, n) = (own.len() as f64, others.len() as f64);
    // Each pair counts for the larger one, ties for both by half.
    let half = |holds: bool| f64::from(u8::from(holds)) / 2.0;
    let wins = |x: &f64| others.iter().map(|y| half(x > y) + half(x >= y)).sum::<f64>();
    let larger: f64 = own.iter().map(wins).sum();
    let mut all: Vec<f64> = own.iter().chain(&others).copied().collect();
    all.sort_by(f64::total_cmp);
    let tied = all.chunk_by(|a, b| a == b).map(|tied| tied.len() as f64).map(|t| t * t * t - t).sum::<f64>();
    let total = m + n;
    let variance = m * n / 12.0 * (total + 1.0 - tied / (total * (total - 1.0)));
    1.0 - normal::cdf((larger - m * n / 2.0 - 0.5) / variance.sqrt())
}

/// The runs as a table of CSV: problem, method, seed, trial, regret.
pub fn csv(runs: &[Runs]) -> String {
    let mut text = String::from("problem,method,seed,trial,regret\n");
    for run in runs {
        for (seed, regrets) in run.regrets.iter().enumerate() {
            for (trial, regret) in regrets.iter().enumerate() {
                text.push_str(&format!("{},{},{seed},{},{regret}\n", run.problem, run.method, trial + 1));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn the_least_values_are_below_all_that_searches_find() {
        for name in ["branin", "hartmann6", "rastrigin10"] {
            let problem = named(name, 1).unwrap();
            let runs = ours(&problem, Method::Local, 0, 400, 2);
            assert!(runs.regrets.iter().flatten().all(|&regret| regret >= 0.0), "{name}");
            assert!(runs.quantile(400, 0.5) < runs.quantile(10, 0.5), "{name}");
        }
    }

    #[test]
    fn ranks_say_who_is_behind_as_scipy_does() {
        let runs = |values: &[f64]| Runs {
            problem: "p".into(),
            method: "m".into(),
            regrets: values.iter().map(|&value| vec![value]).collect(),
        };
        let (one, other) = (runs(&[1.0, 2.0, 2.0, 7.0, 9.0]), runs(&[2.0, 3.0, 3.5, 0.4, 0.5, 1.0]));
        // scipy.stats.mannwhitneyu(one, other, alternative="greater", method="asymptotic").pvalue, and exchanged.
        assert!((behind(&one, &other, 1) - 0.133_907_233_859_466_12).abs() < 1e-12, "{}", behind(&one, &other, 1));
        assert!((behind(&other, &one, 1) - 0.901_958_942_487_443_3).abs() < 1e-12);
    }

    #[test]
    fn a_median_is_one_of_the_runs() {
        let regrets = vec![vec![3.0, 1.0], vec![5.0, 5.0], vec![4.0]];
        let runs = Runs { problem: "p".into(), method: "m".into(), regrets };
        assert_eq!((runs.quantile(1, 0.5), runs.quantile(2, 0.5), runs.quantile(2, 1.0)), (4.0, 4.0, 5.0));
        assert_eq!(csv(&[runs]).lines().nth(2), Some("p,m,0,2,1"));
    }
}
