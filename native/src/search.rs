//! A search from study to study folder: resolve, evaluate, write, show.

use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::results::{
    Aggregate, Heatmap, HeatmapBuilder, ParquetSink, Results, Schema, Status, TopK, TrialRow,
};
use sandtable_core::run::planner::Simulator;
use sandtable_core::run::{Evaluator, Run, Switches, View, best_rows, front};
use sandtable_core::{Error, Result, metrics};
use serde_json::json;

use crate::arrangement::{self, Arrangement};
use crate::crew::Crew;
use crate::drive::{self, Tally};
use crate::record::{Phases, record};
use crate::study::{self, StudyFolder};
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
    /// Replace what is there.
    pub force: bool,
    /// Only say what it would cost.
    pub estimate: bool,
    /// Worker threads; 0 leaves their number to the planner.
    pub threads: usize,
    /// The simulator, instead of the planner's choice.
    pub engine: Option<Simulator>,
    /// Cache layers that the run uses, as far as its study agrees.
    pub switches: Switches,
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
    /// Where the results are.
    pub folder: StudyFolder,
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
    let arrangement = arrangement::of(&evaluator, &view, options.engine)?;
    phases.end("plan");
    Ok(Resolved { evaluator, arrangement, view })
}

/// Evaluates what was resolved and writes the study folder.
///
/// # Errors
/// The results cannot be written, or the search was ended before its first trial.
pub fn search(resolved: Resolved, spec: &PlanSpec, options: &Options, mut phases: Phases) -> Result<Finished> {
    let Resolved { evaluator, mut arrangement, view } = resolved;
    let plan = evaluator.plan.clone();
    let trials = plan.count_trials(1 << 16).points;
    let mut crew = Crew::new(options.threads, trials)?;
    let stop = interrupt::stop_flag()?;
    let schema = Arc::new(Schema::of(&plan));
    let axes = heatmap_axes(&plan, options.heatmap.as_deref())?;
    let folder = StudyFolder::create(&options.out, plan.id(), options.force)?;

    let mut sink = ParquetSink::new(BufWriter::new(folder.temporary()?), schema.clone())?;
    let mut rows = Results::new(schema.clone());
    let objective = plan.objective();
    let goal = plan.scoring().texts().collect::<Vec<_>>().join(", ");
    let mut top = TopK::new(usize::try_from(plan.top()).unwrap_or(usize::MAX).max(1), objective.direction);
    let mut heatmap = match &axes {
        Some((x, y)) => Some(HeatmapBuilder::new(&schema, x, y, objective.name, Aggregate::Best(objective.direction))?),
        None => None,
    };
    let bar = progress::bar(trials, options.quiet || options.json);
    let mut run = Run::new(plan.clone());
    // Under `robust`, and with several objectives, a trial's standing is known when all are: then all are kept.
    let keeps_all = plan.searching().robust || plan.scoring().goals() > 1;
    let mut all = keeps_all.then(|| Results::new(schema.clone()));
    let tally = drive::drive(&evaluator, &mut run, &mut crew, &stop, |batch, outcomes, tally| {
        rows.clear();
        for (outcome, point) in outcomes.iter().zip(&batch.points) {
            let metrics = &outcome.metrics;
            rows.push(TrialRow {
                index: outcome.index,
                params: point,
                metrics,
                bars_read: outcome.rows_read,
                status: Status::Ok,
            });
            top.offer(outcome.index, plan.scoring().value(metrics), || (point.clone(), metrics.clone()));
        }
        if let Some(heatmap) = &mut heatmap {
            heatmap.add(&rows)?;
        }
        if let Some(all) = &mut all {
            all.append(&rows, 0..rows.len())?;
        }
        bar.set_position(tally.trials);
        if let Some((_, score)) = top.best() {
            bar.set_message(format!("best {goal} {score:.4}"));
        }
        sink.append(&rows)
    })?;
    bar.finish_and_clear();
    arrangement.conclude(&crew, &view);
    phases.add("columns", tally.preparing);
    phases.add("trials", tally.evaluating);
    if tally.trials == 0 {
        return Err(Error::machine("the search was ended before its first trial; nothing was written"));
    }

    let writing = Instant::now();
    let file = sink
        .finish()?
        .into_inner()
        .map_err(|error| Error::machine(format!("the results could not be written: {}", error.error())))?;
    study::publish(file, &folder.file(study::RESULTS))?;
    let top: Vec<Best> = match &all {
        Some(all) => best_of(&plan, all),
        None => {
            let best = |(index, _, (point, metrics))| Best { index, point, metrics };
            top.into_sorted().into_iter().map(best).collect()
        }
    };
    write_small_files(&folder, &evaluator, &top, options)?;
    if let Some(all) = all.as_ref().filter(|_| plan.scoring().goals() > 1) {
        folder.write_json(study::FRONT, &front_json(&plan, all))?;
    }
    phases.add("write", writing.elapsed());

    let heatmap = heatmap.map(HeatmapBuilder::finish).transpose()?;
    let finished = Finished { evaluator, tally, arrangement, top, heatmap, folder, phases };
    let record = record(&finished, spec, options);
    finished.folder.write_json(study::RECORD, &record)?;
    Ok(finished)
}

/// The trials that nothing beats, and the volume that they dominate, as JSON.
fn front_json(plan: &Plan, rows: &Results) -> serde_json::Value {
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

/// The best of all rows, as many as the plan reports.
fn best_of(plan: &Plan, rows: &Results) -> Vec<Best> {
    let most = usize::try_from(plan.top()).unwrap_or(usize::MAX).min(rows.len());
    let best = |row: usize| Best { index: rows.index()[row], point: rows.point(row), metrics: rows.metrics_of(row) };
    best_rows(plan, rows, most).into_iter().map(best).collect()
}

fn write_small_files(folder: &StudyFolder, evaluator: &Evaluator, top: &[Best], options: &Options) -> Result<()> {
    folder.write(study::STUDY, options.study_text.as_bytes())?;
    folder.write(study::PLAN, evaluator.plan.to_json().as_bytes())?;
    if let Some(best) = top.first() {
        folder.write_json(study::BEST, &best_json(&evaluator.plan, best))?;
    }
    Ok(())
}

/// One of the best trials as JSON; undefined metrics are null.
pub fn best_json(plan: &Plan, best: &Best) -> serde_json::Value {
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
pub fn metrics_json(values: &[f64]) -> serde_json::Value {
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
pub fn output(options: &Options, json: &serde_json::Value, text: impl FnOnce() -> String) -> Result<()> {
    print::either(options.json, json, text)
}
