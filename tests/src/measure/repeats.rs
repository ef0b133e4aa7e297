//! Repeats in fresh processes, interleaved: round by round each case once, so that a noisy minute meets all of them.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Instant;

use sandtable_core::{Error, Result};
use serde_json::{Value, json};

/// Something to be run by a process of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// Name of the workload.
    pub workload: String,
    /// Worker threads; 0 for what the program chooses.
    pub threads: usize,
    /// Only so many trials.
    pub trials: Option<u64>,
    /// More arguments.
    pub more: Vec<String>,
}

impl Case {
    /// A whole workload.
    pub fn new(workload: &str, threads: usize) -> Case {
        Case { workload: workload.to_owned(), threads, trials: None, more: Vec::new() }
    }

    /// The same with so many trials only.
    pub fn first(mut self, trials: u64) -> Case {
        self.trials = Some(trials);
        self
    }

    /// The arguments that make a process run it.
    fn arguments(&self) -> Vec<String> {
        let mut list = vec![self.workload.clone(), "--json".into(), "--threads".into(), self.threads.to_string()];
        list.extend(self.trials.into_iter().flat_map(|trials| ["--trials".to_owned(), trials.to_string()]));
        list.extend(self.more.iter().cloned());
        list
    }

    /// Name for people: workload, trials if not all, threads if not chosen by the program.
    pub fn label(&self) -> String {
        let trials = self.trials.map_or(String::new(), |trials| format!(", {trials} trials"));
        match self.threads {
            0 => format!("{}{trials}", self.workload),
            1 => format!("{}{trials}, 1 thread", self.workload),
            n => format!("{}{trials}, {n} threads", self.workload),
        }
    }
}

/// Everything that was measured of a case.
#[derive(Clone, Debug)]
pub struct Runs {
    /// What was run.
    pub case: Case,
    /// The object of each process, in order.
    pub runs: Vec<Value>,
}

impl Runs {
    /// Median of a figure over the runs; `None` where no run has it.
    pub fn median(&self, key: &str) -> Option<f64> {
        median(self.runs.iter().filter_map(|run| run[key].as_f64()).collect())
    }

    /// Case, medians of all numbers, raw objects.
    pub fn json(&self) -> Value {
        let keys = self.runs.iter().filter_map(Value::as_object).flat_map(|run| run.keys());
        let medians: BTreeMap<&String, f64> = keys.filter_map(|key| Some((key, self.median(key)?))).collect();
        json!({
            "case": self.case.label(),
            "workload": self.case.workload,
            "threads_asked": self.case.threads,
            "trials_asked": self.case.trials,
            "medians": medians,
            "runs": self.runs,
        })
    }
}

/// Median, of an even number the mean of the middle two; `None` of nothing.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some((values[low] + values[high]) / 2.0)
}

/// Runs every case once in each of `rounds`; `done` hears of each process, `after` of everything at the end of a round.
///
/// # Errors
/// A process fails, runs of one workload come to different results, or `after` fails.
pub fn rounds(
    cases: &[Case],
    rounds: usize,
    mut done: impl FnMut(&Case, &Value),
    mut after: impl FnMut(&[Runs]) -> Result<()>,
) -> Result<Vec<Runs>> {
    let mut all: Vec<Runs> = cases.iter().map(|case| Runs { case: case.clone(), runs: Vec::new() }).collect();
    for _ in 0..rounds.max(1) {
        for runs in &mut all {
            let figures = process(&runs.case)?;
            done(&runs.case, &figures);
            runs.runs.push(figures);
        }
        same_results(&all)?;
        after(&all)?;
    }
    Ok(all)
}

/// One process, timed from outside as well: `process_s` is from its start to its end.
pub(super) fn process(case: &Case) -> Result<Value> {
    let failed = |why: String| Error::machine(format!("{}: {why}", case.label()));
    let program =
        std::env::current_exe().map_err(|error| failed(format!("this program is not to be found: {error}")))?;
    let began = Instant::now();
    let output = Command::new(program)
        .args(case.arguments())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("the process did not start: {error}")))?;
    let seconds = began.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(mut figures) = text.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok()) else {
        return Err(failed(format!("no figures, but {}", String::from_utf8_lossy(&output.stderr).trim())));
    };
    if !output.status.success() {
        return Err(failed(figures["void"].as_str().unwrap_or("the process failed").to_owned()));
    }
    // Machine and commit are asked for after the clock stopped, and a comparison with the reference comes after it too.
    let after = figures["after_clock_s"].as_f64().unwrap_or(0.0);
    figures["process_s"] = json!(seconds - after);
    Ok(figures)
}

/// Results may depend on the workload and its number of trials, on nothing else.
fn same_results(all: &[Runs]) -> Result<()> {
    let mut known: BTreeMap<(&String, Option<u64>, &[String]), &Value> = BTreeMap::new();
    for (case, run) in all.iter().flat_map(|runs| runs.runs.iter().map(|run| (&runs.case, run))) {
        let first = known.entry((&case.workload, case.trials, &case.more)).or_insert(&run["results_hash"]);
        if **first != run["results_hash"] {
            return Err(Error::data(format!("{}: results {}, but {first} before", case.label(), run["results_hash"]))
                .help("the results of a workload must not depend on threads or on the process: this is a fault"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn results_that_differ_between_threads_are_refused() {
        let runs =
            |threads, hash: &str| Runs { case: Case::new("W1", threads), runs: vec![json!({"results_hash": hash})] };
        assert!(same_results(&[runs(1, "a"), runs(2, "a")]).is_ok());
        assert!(same_results(&[runs(1, "a"), runs(2, "b")]).is_err());
    }

    #[test]
    fn figures_are_medians_with_the_raw_ones_beside_them() {
        let runs = [1.0, 5.0, 2.0].map(|wall| json!({"wall_s": wall, "workload": "W1"}));
        let json = Runs { case: Case::new("W1", 2), runs: runs.to_vec() }.json();
        assert_eq!(json["medians"], json!({"wall_s": 2.0}));
        assert_eq!(json["runs"][1]["wall_s"], 5.0);
        assert_eq!(json["case"], "W1, 2 threads");
    }
}
