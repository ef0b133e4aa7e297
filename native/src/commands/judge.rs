//! `sandtable judge`: try the winner of a study harder.

use std::path::{Path, PathBuf};

use clap::Args;
use sandtable_core::{Error, Result};
use serde_json::{Map, Value, json};

use crate::crew::Crew;
use crate::judge::{Case, Finding, by_default, costs, courses, delay, look_ahead, noise, sensitivity, surface};
use crate::reopen::{Reopened, Trial, reopen};
use crate::study::lock::Lock;
use crate::view::{self, Terminal};
use crate::{interrupt, print, report, study};

const HELP: &str = "\
Without a test, this shows the judgement that the search ended with, and makes it if the folder has
none. Each test runs one trial, the best one unless --trial names another, under other circumstances.
What was found is written to judge.json in the folder. native/JUDGEMENT.md of the source says what
each number means and when it misleads.

Exit code: 0, or 1 if a decision depended on later data, 2 for errors.";

/// Arguments of `sandtable judge`.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct JudgeArgs {
    /// The study folder.
    pub dir: PathBuf,
    /// The trial with this index instead of the best one.
    #[arg(long, value_name = "INDEX")]
    pub trial: Option<u64>,
    /// Draw the trial's trades again, so many times [default: 1000].
    #[arg(long, value_name = "RUNS", num_args = 0..=1, default_missing_value = courses::DEFAULT_RUNS)]
    pub monte_carlo: Option<u32>,
    /// Run it on bars with noise, so many times at each of three strengths [default: 50].
    #[arg(long, value_name = "RUNS", num_args = 0..=1, default_missing_value = noise::DEFAULT_RUNS)]
    pub noise: Option<u32>,
    /// Run it at no, twice and three times the costs.
    #[arg(long)]
    pub costs: bool,
    /// Run it with every order a bar late.
    #[arg(long)]
    pub delay: bool,
    /// Move each parameter a step or two aside.
    #[arg(long)]
    pub sensitivity: bool,
    /// Run it on data that end earlier, and compare what it decided before.
    #[arg(long)]
    pub look_ahead: bool,
    /// All of these.
    #[arg(long)]
    pub all: bool,
    /// The bundle, if it is not where the study's record says.
    #[arg(long)]
    pub bundle: Option<String>,
}

impl JudgeArgs {
    /// Runs of a test that has a number of them.
    fn runs(&self, asked: Option<u32>, usual: &str) -> Option<u32> {
        asked.or_else(|| if self.all { usual.parse().ok() } else { None })
    }

    fn findings(&self, case: &Case) -> Result<Vec<Finding>> {
        let mut found = Vec::new();
        if let Some(runs) = self.runs(self.monte_carlo, courses::DEFAULT_RUNS) {
            found.push(courses::find(case, runs)?);
        }
        if let Some(runs) = self.runs(self.noise, noise::DEFAULT_RUNS) {
            found.push(noise::find(case, runs)?);
        }
        if self.costs || self.all {
            found.push(costs::find(case)?);
        }
        if self.delay || self.all {
            found.push(delay::find(case));
        }
        if self.sensitivity || self.all {
            found.push(sensitivity::find(case));
        }
        if self.look_ahead || self.all {
            found.push(look_ahead::find(case)?);
        }
        Ok(found)
    }
}

/// Judges a study; true unless a decision depended on later data.
///
/// # Errors
/// The folder is no study folder, its bundle is not there, there is no such trial, a test cannot be made, or the folder
/// cannot be written.
pub fn run(args: &JudgeArgs, as_json: bool) -> Result<bool> {
    let study = reopen(&args.dir, args.bundle.as_deref())?;
    let lock = study::lock::take(&args.dir)?;
    let (study, judgement) = judgement(study, &args.dir, &lock)?;
    let chosen = match args.trial {
        Some(index) => study.trial(index)?,
        None => study.best(1).into_iter().next().ok_or_else(|| {
            Error::data(format!("`{}` holds no trial yet", args.dir.display()))
                .help("run the study's command again: it goes on")
        })?,
    };
    let case = Case::of(study, chosen);
    let findings = args.findings(&case)?;
    let plan = &case.study.evaluator.plan;
    let tests: Map<String, Value> = findings.iter().map(|found| (found.key.to_owned(), found.json.clone())).collect();
    let summary = json!({
        "run_id": plan.id(),
        "trial": case.trial.index,
        "params": report::params_json(plan, &case.trial.point),
        "tests": tests,
    });
    if !findings.is_empty() {
        study::write_whole(&args.dir.join(study::JUDGE), study::json_text(&summary).as_bytes())?;
    }
    let mut shown = summary;
    shown["judgement"] = judgement.clone();
    print::either(as_json, &shown, || text(args, &case, &judgement, &findings))?;
    Ok(findings.iter().all(|found| found.sound))
}

fn text(args: &JudgeArgs, case: &Case, judgement: &Value, findings: &[Finding]) -> String {
    let mut out = match judgement {
        Value::Null => "not judged: a search is judged when it has come to its end\n".to_owned(),
        found => view::judgement::text(found, &Terminal::detect()),
    };
    if findings.is_empty() {
        return out
            + "\ntry the trial harder with --monte-carlo, --noise, --costs, --delay, --sensitivity, --look-ahead, or --all\n";
    }
    let Trial { index, point, .. } = &case.trial;
    out += &format!("\ntrial {index}: {}\n", report::parameters(&case.study.evaluator.plan, point));
    for found in findings {
        out += &format!("\n{}", found.text);
    }
    out + &format!("\nwritten: {}\n", args.dir.join(study::JUDGE).display())
}

/// The judgement in the folder, made if it lacks; null for a study that is not complete.
fn judgement(study: Reopened, dir: &Path, _lock: &Lock) -> Result<(Reopened, Value)> {
    let held = study::judgement_in(dir)?;
    let plan = study.evaluator.plan.clone();
    let best = study.best(1).into_iter().next().filter(|_| plan.count_trials(2).points > 1);
    let (true, true, Some(best)) = (held.is_null(), study::is_complete(dir, plan.id()), best) else {
        return Ok((study, held));
    };
    let Reopened { evaluator, results, .. } = study;
    let evaluator = evaluator.judged();
    evaluator.passed_over(study.passed_over);
    let mut scores = surface::Scores::new(plan.objective().direction);
    for row in 0..results.len() {
        scores.add(results.index()[row], plan.scoring().value(&results.metrics_of(row)));
        sandtable_core::run::Outcome::of_row(&results, row).iter().for_each(|outcome| evaluator.recall(outcome));
    }
    let mut crew = Crew::new(0, results.len() as u64)?;
    if !by_default::complete_evidence(&evaluator, &mut crew, &*interrupt::stop_flag()?) {
        return Err(Error::machine("ended on request before the judgement was made"));
    }
    let made = by_default::judgement(&evaluator, best.index, &evaluator.detail(&best.point), scores, &mut crew)?;
    study::write_whole(&dir.join(study::JUDGEMENT), study::json_text(&made).as_bytes())?;
    Ok((Reopened { evaluator, results, ..study }, made))
}
