//! What a search would cost, measured on some of its trials.

use std::sync::Arc;
use std::time::Instant;

use sandtable_core::Result;
use sandtable_core::context::Prepared;
use sandtable_core::results::{ParquetSink, Results, Schema, TrialRow};
use sandtable_core::run::{Evaluator, Outcome, Workers, planner};
use serde::Serialize;
use serde_json::{Value, json};

use crate::arrangement::{Arrangement, points};
use crate::crew::Crew;
use crate::record::Phases;
use crate::search::{Options, Resolved};
use crate::{caches, memory, print};

/// Most trials of the sample: enough for portions on every thread.
const SAMPLE: u64 = 64;
/// Seconds that timing trials may take, roughly.
const TIMING: f64 = 0.3;
/// Points whose columns are counted.
const COUNTED: u64 = 20_000;

/// What a search would take.
#[derive(Clone, Debug, Serialize)]
pub struct Estimate {
    /// Trials.
    pub trials: u64,
    /// Whether their number is exact.
    pub trials_exact: bool,
    /// Simulated rows of the panel.
    pub bars: u64,
    /// Rows times trials.
    pub bar_trials: u64,
    /// Distinct columns.
    pub columns: u64,
    /// Threads.
    pub threads: usize,
    /// Seconds from the start of the program to the last result.
    pub seconds: f64,
    /// Of these, by phase.
    pub phases: Seconds,
    /// Megabytes of memory at most.
    pub memory_mb: f64,
    /// Trials that were evaluated for it.
    pub sampled_trials: usize,
}

/// Seconds by phase.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Seconds {
    /// Opening the bundle and resolving the plan: already done.
    pub open: f64,
    /// Columns.
    pub columns: f64,
    /// Trials.
    pub trials: f64,
    /// Encoding results.
    pub write: f64,
}

/// A sample of the trials, evaluated.
struct Sample {
    indices: Vec<u64>,
    points: Vec<Vec<f64>>,
    prepared: Prepared,
    outcomes: Vec<Outcome>,
    column_s: f64,
    trial_s: f64,
}

/// Times a sample of the trials as the search would evaluate them, and prints what all of them would take.
///
/// # Errors
/// The machine refuses to start threads, or standard output cannot be written.
pub fn print(resolved: &Resolved, options: &Options, phases: &Phases) -> Result<()> {
    let open = phases.total().as_secs_f64();
    let (estimate, arrangement) = estimate(resolved, options, open)?;
    let mut report = serde_json::to_value(&estimate).unwrap_or_default();
    if let Value::Object(map) = &mut report {
        map.insert("planner".into(), json!(arrangement));
    }
    print::either(options.json, &report, || text(&estimate, &arrangement))
}

/// What a search would take on this machine, and how it would be carried out.
///
/// # Errors
/// The machine refuses to start threads.
pub fn estimate(resolved: &Resolved, options: &Options, open: f64) -> Result<(Estimate, Arrangement)> {
    let evaluator = &resolved.evaluator;
    let count = evaluator.plan.space().count_valid(1 << 20);
    let mut crew = Crew::new(options.threads, count.points)?;
    let sample = sample(evaluator, count.points, &mut crew);
    let mut arrangement = resolved.arrangement.clone();
    arrangement.conclude(&crew, &resolved.view);

    let columns = distinct_columns(evaluator, count.points);
    let panel = &evaluator.context.panel;
    let bars = panel.simulated_rows() as u64;
    let seconds = Seconds {
        open,
        columns: sample.column_s * columns as f64,
        trials: sample.trial_s * count.points as f64,
        write: encoding(evaluator, &sample, count.points)?,
    };
    let held = columns.saturating_sub(sample.prepared.len() as u64).saturating_mul(panel.rows() as u64 * 8);
    let before = memory::peak_bytes().unwrap_or_else(|| panel.rows() as u64 * 160);
    let memory = before.saturating_add(held.min(caches::caches().budget()));
    let estimate = Estimate {
        trials: count.points,
        trials_exact: count.exact,
        bars,
        bar_trials: bars.saturating_mul(count.points),
        columns,
        threads: crew.threads().value,
        seconds: seconds.open + seconds.columns + seconds.trials + seconds.write,
        phases: seconds,
        memory_mb: (memory as f64 / 1e6).round(),
        sampled_trials: sample.indices.len(),
    };
    Ok((estimate, arrangement))
}

fn text(estimate: &Estimate, arrangement: &Arrangement) -> String {
    let Seconds { open, columns, trials, write } = estimate.phases;
    let mut out = format!(
        "{}{} trials × {} bars; {} distinct columns\n\
         about {} on {} threads, about {:.0} MB of memory (from {} sampled trials)\n\
         of that {} to open, {} for columns, {} for trials, {} to write\n",
        if estimate.trials_exact { "" } else { "about " },
        estimate.trials,
        estimate.bars,
        estimate.columns,
        duration(estimate.seconds),
        estimate.threads,
        estimate.memory_mb,
        estimate.sampled_trials,
        duration(open),
        duration(columns),
        duration(trials),
        duration(write),
    );
    for line in arrangement.lines() {
        out += &line;
        out.push('\n');
    }
    out
}

/// Evaluates valid trials spread evenly over the space, again and again until their time is known well enough.
fn sample(evaluator: &Evaluator, trials: u64, crew: &mut Crew) -> Sample {
    let space = evaluator.plan.space();
    let from = |k| (u128::from(space.size()) * u128::from(k) / u128::from(SAMPLE)) as u64;
    let mut indices: Vec<u64> = (0..SAMPLE).filter_map(|k: u64| space.valid_in(from(k)..space.size()).next()).collect();
    indices.dedup();
    let mut points = points_of(evaluator, &indices);
    let (prepared, column_s) = columns(evaluator, &points, crew);

    // The first ones say how many more can be afforded.
    let mut outcomes = Vec::new();
    let first = planner::first_trials(evaluator.context.panel.simulated_rows()).min(indices.len());
    let began = Instant::now();
    crew.trials(evaluator, &indices[..first], &points[..first], &prepared);
    let once = began.elapsed().as_secs_f64() / first.max(1) as f64;
    let affordable = (TIMING / once.max(1e-6)) as usize * crew.threads().value;
    let every = indices.len().div_ceil(affordable.max(1)).max(1);
    indices = indices.into_iter().step_by(every).collect();
    points = points.into_iter().step_by(every).collect();
    let (mut trial_s, mut spent, mut done) = (once, 0.0, 0);
    while !indices.is_empty() && spent < TIMING && (done == 0 || done < trials) {
        let began = Instant::now();
        outcomes = crew.trials(evaluator, &indices, &points, &prepared);
        let round = began.elapsed().as_secs_f64();
        spent += round;
        done += indices.len() as u64;
        trial_s = spent / done as f64;
    }
    Sample { indices, points, prepared, outcomes, column_s, trial_s }
}

fn points_of(evaluator: &Evaluator, indices: &[u64]) -> Vec<Vec<f64>> {
    let point = |&index: &u64| {
        let mut point = Vec::new();
        evaluator.plan.space().point(index, &mut point);
        point
    };
    indices.iter().map(point).collect()
}

/// The columns of a sample, and the seconds that one of them took.
fn columns(evaluator: &Evaluator, points: &[Vec<f64>], crew: &mut Crew) -> (Prepared, f64) {
    let wanted = evaluator.wanted(points);
    let began = Instant::now();
    let made = crew.columns(evaluator, &wanted, points);
    let seconds = began.elapsed().as_secs_f64() / wanted.len().max(1) as f64;
    let mut prepared = Prepared::default();
    for ((wanted, _), column) in wanted.into_iter().zip(made) {
        prepared.insert(wanted, column);
    }
    (prepared, seconds)
}

/// Seconds that encoding so many trials' results takes, from encoding the sample once and several times over.
fn encoding(evaluator: &Evaluator, sample: &Sample, trials: u64) -> Result<f64> {
    const TIMES: usize = 9;
    let schema = Arc::new(Schema::of(&evaluator.plan));
    let timed = |times: usize| -> Result<f64> {
        let began = Instant::now();
        let mut sink = ParquetSink::new(Vec::new(), schema.clone())?;
        let mut rows = Results::new(schema.clone());
        for (outcome, point) in (0..times).flat_map(|_| sample.outcomes.iter().zip(&sample.points)) {
            let (index, metrics) = (outcome.index, &outcome.metrics);
            rows.push(TrialRow {
                index,
                params: point,
                metrics,
                bars_read: outcome.rows_read,
                status: outcome.status(),
            });
        }
        sink.append(&rows)?;
        sink.finish()?;
        Ok(began.elapsed().as_secs_f64())
    };
    let (once, several) = (timed(1)?, timed(TIMES)?);
    let rows = (sample.outcomes.len() * (TIMES - 1)).max(1) as f64;
    let row = ((several - once) / rows).max(0.0);
    Ok(once + row * (trials as f64 - sample.outcomes.len() as f64).max(0.0))
}

/// Distinct columns of the whole search: counted up to 20,000 trials, beyond that scaled from as many.
fn distinct_columns(evaluator: &Evaluator, trials: u64) -> u64 {
    let space = evaluator.plan.space();
    let step = (space.size() / COUNTED).max(1);
    let points = points(evaluator, 0..space.size(), step, 2 * COUNTED);
    let seen = evaluator.wanted(&points).len() as u64;
    // Columns that hardly repeat among the points looked at will not repeat among the others either.
    if step > 1 && seen * 2 > points.len() as u64 {
        seen.saturating_mul(trials / (points.len() as u64).max(1))
    } else {
        seen
    }
}

/// Seconds as a person says them.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.1} minutes", s / 60.0),
        s => format!("{:.1} hours", s / 3600.0),
    }
}
