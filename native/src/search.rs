//! A search from study to study folder: resolve, evaluate what is not known yet, write, show.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::results::{Heatmap, Results, Schema};
use sandtable_core::run::planner::Simulator;
use sandtable_core::run::{Detail, Evaluator, Run, Switches, View, front};
use sandtable_core::{Error, Result, metrics};
use serde_json::{Value, json};

use crate::arrangement::{self, Arrangement};
use crate::crew::Crew;
use crate::drive::{self, Tally};
use crate::gather::{self, Gathered, Gathering};
use crate::judge::by_default;
use crate::record::{self, Phases};
use crate::study::{self, State, StudyFolder};
use crate::{caches, estimate, interrupt, print, progress, report, source};

/// How a search is run, besides what its study says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folder that paths of the study are relative to.
    pub base: PathBuf,
    /// Study folder to write.
    pub out: PathBuf,
    /// The study as given, kept beside the results.
    pub study_text: String,
    /// Start anew whatever is there.
    pub force: bool,
    /// Only say what it would cost.
    pub estimate: bool,
    /// Worker threads; 0 leaves their number to the planner.
    pub threads: usize,
    /// The simulator, instead of the planner's choice.
    pub engine: Option<Simulator>,
    /// Cache layers that the run uses, as far as its study agrees.
    pub switches: Switches,
    /// Whether the search is judged in its end.
    pub judged: bool,
    /// Axes of the heatmap, `x,y`.
    pub heatmap: Option<String>,
    /// No progress bar.
    pub quiet: bool,
    /// Print JSON.
    pub json: bool,
}

/// A finished (or interrupted) search, for those who show it.
#[derive(Debug)]
pub struct Finished {
    /// Plan and panel.
    pub evaluator: Evaluator,
    /// What was done.
    pub tally: Tally,
    /// How it was done, and why so.
    pub arrangement: Arrangement,
    /// The best trials, best first: index, score, parameters, metrics.
    pub top: Vec<Best>,
    /// The objective over two parameters, if two vary.
    pub heatmap: Option<Heatmap>,
    /// With several objectives, the trials that nothing beats.
    pub front: Option<Value>,
    /// The best trial in full.
    pub detail: Option<Detail>,
    /// How far it can be believed; null if that was not asked, or the search was interrupted.
    pub judgement: Value,
    /// Trials that failed.
    pub failed: u64,
    /// Where the results are.
    pub folder: StudyFolder,
    /// What was there before.
    pub before: State,
    /// Times.
    pub phases: Phases,
}

/// One of the best trials.
#[derive(Clone, Debug)]
pub struct Best {
    /// Index in the space.
    pub index: u64,
    /// Parameter values in order.
    pub point: Vec<f64>,
    /// Metrics in the order of the table.
    pub metrics: Vec<f64>,
}

/// Resolves `spec`, evaluates it and writes the study folder.
///
/// # Errors
/// The study, its strategy or its bundle is not valid, or the results cannot be written.
pub fn run(spec: &PlanSpec, options: &Options) -> Result<()> {
    let mut phases = Phases::start();
    let resolved = open(spec, options, &mut phases)?;
    if !options.json {
        for warning in resolved.evaluator.plan.warnings() {
            eprintln!("warning: {warning}");
        }
        if resolved.evaluator.plan.folding().is_some() {
            eprintln!("warning: `[folds]` is for `sandtable walk-forward`; this search sees every session");
        }
    }
    if options.estimate {
        return estimate::print(&resolved, options, &phases);
    }
    let finished = search(resolved, spec, options, phases)?;
    report::finished(&finished, options)
}

/// What a study comes to before its first trial.
#[derive(Debug)]
pub struct Resolved {
    /// Plan and panel.
    pub evaluator: Evaluator,
    /// How it will be carried out.
    pub arrangement: Arrangement,
    /// The run's view of the caches.
    pub view: View<'static>,
}

/// Opens what a study names and holds it together.
///
/// # Errors
/// The study, its strategy or its bundle is not valid.
pub fn resolve(spec: &PlanSpec, options: &Options, phases: &mut Phases) -> Result<Evaluator> {
    open(spec, options, phases).map(|resolved| resolved.evaluator)
}

/// As [`resolve`], with what is decided before the first trial.
///
/// # Errors
/// As [`resolve`], or the fast path is asked for and does not cover the study.
pub fn open(spec: &PlanSpec, options: &Options, phases: &mut Phases) -> Result<Resolved> {
    let view = caches::caches().view(options.switches.and(spec.switches()?));
    let bundle = source::open_bundle_on(spec.require_bundle()?, &options.base, &view, options.threads)?;
    phases.end("open bundle");
    let strategy = source::load_strategy(spec.require_strategy()?, &options.base)?;
    let plan = Arc::new(Plan::resolve(spec, strategy, &BundleFacts::from(&*bundle))?);
    let mut evaluator = Evaluator::cached(plan, &bundle, &view)?;
    if options.engine == Some(Simulator::Reference) {
        evaluator = evaluator.by_reference();
    }
    if options.judged && evaluator.plan.count_trials(2).points > 1 {
        evaluator = evaluator.judged();
    }
    let arrangement = arrangement::of(&evaluator, &view, options.engine)?;
    phases.end("plan");
    Ok(Resolved { evaluator, arrangement, view })
}

/// Evaluates what was resolved and is not in the study folder yet, and completes the folder.
///
/// # Errors
/// The folder holds another study or is damaged, the results cannot be written, or the search was ended before its first
/// trial.
pub fn search(resolved: Resolved, spec: &PlanSpec, options: &Options, mut phases: Phases) -> Result<Finished> {
    let Resolved { evaluator, mut arrangement, view } = resolved;
    let plan = evaluator.plan.clone();
    let trials = plan.count_trials(1 << 16).points;
    let mut crew = Crew::new(options.threads, plan.count_whole_trials(1 << 16).points)?;
    let stop = interrupt::stop_flag()?;
    let heatmap = gather::heatmap(&plan, heatmap_axes(&plan, options.heatmap.as_deref())?.as_ref())?;
    let folder = StudyFolder::open(&options.out, &evaluator, options.force)?;
    let before = folder.state();
    if before != State::Complete {
        folder.begin(&options.study_text, &record::begun(&evaluator, spec, options, trials), &plan.to_json())?;
    }
    let store = folder.store(Arc::new(Schema::of(&plan)))?;
    let bar = progress::bar(trials, options.quiet || options.json);
    let judged = options.judged && before != State::Complete && trials > 1;
    let mut gathering = Gathering::new(&plan, store, heatmap, judged, bar);
    phases.end("study folder");

    let mut run = Run::new(plan.clone());
    let mut tally = drive::drive_kept(&evaluator, &mut run, &mut crew, &stop, &mut gathering)?;
    evaluator.passed_over(run.seen_in_part());
    arrangement.conclude(&crew, &view);
    phases.add("columns", tally.preparing);
    phases.add("trials", tally.evaluating);
    if tally.trials == 0 {
        return Err(Error::machine("the search was ended before its first trial; no result was written")
            .help("the same command starts it again"));
    }
    let writing = Instant::now();
    let Gathered { top, heatmap, failed, all, scores } = gathering.finish(&plan)?;
    let front = all.as_ref().filter(|_| plan.scoring().goals() > 1).map(|all| front_json(&plan, all));
    phases.add("write", writing.elapsed());
    let detail = top.first().map(|best| evaluator.detail(&best.point));
    phases.end("best trial");
    let judgement = match (top.first().zip(detail.as_ref()), scores) {
        (Some((best, detail)), Some(scores)) if !tally.interrupted => {
            tally.interrupted = !by_default::complete_evidence(&evaluator, &mut crew, &stop);
            if tally.interrupted {
                Value::Null
            } else {
                by_default::judgement(&evaluator, best.index, detail, scores, &mut crew)?
            }
        }
        _ if before == State::Complete && options.judged => study::judgement_in(&options.out)?,
        _ => Value::Null,
    };
    phases.end("judgement");
    let finished = Finished {
        evaluator,
        tally,
        arrangement,
        top,
        heatmap,
        front,
        detail,
        judgement,
        failed,
        folder,
        before,
        phases,
    };
    conclude(&finished, spec, options, trials)?;
    Ok(finished)
}

/// The trials that nothing beats, and the volume that they dominate, as JSON.
fn front_json(plan: &Plan, rows: &Results) -> Value {
    let front = front(plan, rows);
    let trial = |&row: &usize| {
        let best = Best { index: rows.index()[row], point: rows.point(row), metrics: rows.metrics_of(row) };
        best_json(plan, &best)
    };
    json!({
        "objectives": plan.scoring().texts().collect::<Vec<_>>(),
        "hypervolume": front.hypervolume,
        "trials": front.rows.iter().map(trial).collect::<Vec<_>>(),
    })
}

/// Writes what is known at the end. A study that was complete before is left as it is.
fn conclude(finished: &Finished, spec: &PlanSpec, options: &Options, planned: u64) -> Result<()> {
    let Finished { evaluator, tally, top, front, folder, .. } = finished;
    let best = top.first().map(|best| (study::BEST, best_json(&evaluator.plan, best)));
    let front = front.clone().map(|front| (study::FRONT, front));
    // One that was read from the folder stays as it is: numbers need not have the same digits once they were read.
    let judgement = Some(&finished.judgement).filter(|made| !made.is_null() && finished.before != State::Complete);
    let judgement = judgement.map(|judgement| (study::JUDGEMENT, judgement.clone()));
    let results: Vec<_> = best.into_iter().chain(front).chain(judgement).collect();
    if tally.interrupted && finished.before == State::Complete {
        return Ok(());
    }
    let record = record::ended(record::begun(evaluator, spec, options, planned), finished);
    folder.end(&results, &record, !tally.interrupted)?;
    if finished.has_evaluated() { folder.add_run(&record::run(finished)) } else { Ok(()) }
}

impl Finished {
    /// Whether anything was evaluated, or everything was known.
    pub fn has_evaluated(&self) -> bool {
        self.tally.known < self.tally.trials
    }
}

/// One of the best trials as JSON; undefined metrics are null.
pub fn best_json(plan: &Plan, best: &Best) -> Value {
    let params: serde_json::Map<_, _> = plan
        .strategy()
        .params
        .iter()
        .zip(&best.point)
        .map(|(param, value)| (param.name.clone(), json!(value)))
        .collect();
    json!({ "index": best.index, "params": params, "metrics": metrics_json(&best.metrics) })
}

/// Metrics by name; undefined ones are null.
pub fn metrics_json(values: &[f64]) -> Value {
    let map: serde_json::Map<_, _> =
        metrics::TABLE.iter().zip(values).map(|(metric, value)| (metric.name.to_string(), json!(value))).collect();
    map.into()
}

/// The two parameters of the heatmap: those named, or the first two that vary.
fn heatmap_axes(plan: &Plan, named: Option<&str>) -> Result<Option<(String, String)>> {
    if let Some(named) = named {
        let Some((x, y)) = named.split_once(',') else {
            return Err(Error::plan(format!("`--heatmap {named}` does not name two parameters"))
                .help("write `--heatmap fast,slow`"));
        };
        return Ok(Some((x.trim().to_owned(), y.trim().to_owned())));
    }
    let mut varying = plan.space().axes().iter().filter(|axis| axis.len > 1).map(|axis| axis.name.clone());
    Ok(varying.next().zip(varying.next()))
}

/// Prints JSON or text to standard output.
///
/// # Errors
/// Standard output cannot be written.
pub fn output(options: &Options, json: &Value, text: impl FnOnce() -> String) -> Result<()> {
    print::either(options.json, json, text)
}
