//! What a search would cost, measured on some of its trials.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use sandtable_core::Result;
use sandtable_core::cache::{Column, Layer};
use sandtable_core::context::{BoundColumn, Condition, Prepared};
use sandtable_core::results::{ParquetSink, Results, Schema, TrialRow};
use sandtable_core::run::{Batch, Evaluator, Outcome, Scratch, Workers, planner};
use serde::Serialize;
use serde_json::{Value, json};

use crate::arrangement::{Arrangement, points};
use crate::crew::Crew;
use crate::record::Phases;
use crate::search::{Options, Resolved};
use crate::{caches, drive, memory, print};

/// Most trials of the sample: enough for portions on every thread.
const SAMPLE: u64 = 1024;
/// Neighbours that are sampled together, as a search evaluates them: they share columns, and go side by side.
const RUN: u64 = 16;
/// Seconds that timing trials may take, roughly.
const TIMING: f64 = 0.3;
/// Most times that the columns of the sample are computed over memory in use.
const ROUNDS: u32 = 4;
/// Results that wait before they are encoded and written: a group of rows.
const ROWS_HELD: u64 = 1 << 14;
/// The golden ratio's part behind the point, of 2^64: the places of its multiples are spread evenly, however many they are.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
/// Points whose columns are counted.
const COUNTED: u64 = 20_000;

/// What a search would take.
#[derive(Clone, Debug, Serialize)]
pub struct Estimate {
    /// Trials; of a search by budgets, one for each part of the data that a point sees.
    pub trials: u64,
    /// As many trials on all of the data would take as long.
    pub whole_trials: u64,
    /// Whether their number is exact.
    pub trials_exact: bool,
    /// Simulated rows of the panel.
    pub bars: u64,
    /// Rows times trials on all of the data.
    pub bar_trials: u64,
    /// Columns that are computed.
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

/// What trials of a plan would take, without opening it.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// Seconds of computing columns and comparing them.
    pub columns: f64,
    /// Seconds of evaluating trials.
    pub trials: f64,
    /// Seconds of encoding results.
    pub write: f64,
    /// Bytes of memory at most, all of the process.
    pub memory: u64,
    /// Columns that will be computed.
    pub computed: u64,
    /// Trials that were evaluated for it.
    pub sampled: usize,
}

/// A sample of the trials, evaluated.
struct Sample {
    points: Vec<Vec<f64>>,
    prepared: Prepared,
    outcomes: Vec<Outcome>,
    column_s: f64,
    comparison_s: f64,
    trial_s: f64,
}

/// What stretches of a search ask for, scaled to all of its trials.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    columns: u64,
    /// Columns that are computed while they are compared.
    passing: u64,
    comparisons: u64,
    /// Most bytes of columns and comparisons that are held together.
    held: u64,
    /// Parts of the search whose columns are held together.
    tiles: u64,
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
    let count = evaluator.plan.count_trials(1 << 20);
    let whole = evaluator.plan.count_whole_trials(1 << 20).points;
    let mut crew = Crew::new(options.threads, whole)?;
    let mut arrangement = resolved.arrangement.clone();
    let keeps = arrangement.layers.get(Layer::History.name()).is_some_and(|choice| choice.value);
    let mut costs = costs(evaluator, count.points, keeps, &mut crew)?;
    // The sample saw all of the data.
    costs.trials *= whole as f64 / count.points.max(1) as f64;
    arrangement.conclude(&crew, &resolved.view);

    let bars = evaluator.simulated_rows() as u64;
    let seconds = Seconds { open, columns: costs.columns, trials: costs.trials, write: costs.write };
    let estimate = Estimate {
        trials: count.points,
        whole_trials: whole,
        trials_exact: count.exact,
        bars,
        bar_trials: bars.saturating_mul(whole),
        columns: costs.computed,
        threads: crew.threads().value,
        seconds: seconds.open + seconds.columns + seconds.trials + seconds.write,
        phases: seconds,
        memory_mb: (costs.memory as f64 / 1e6).round(),
        sampled_trials: costs.sampled,
    };
    Ok((estimate, arrangement))
}

/// What so many trials of a plan would take; `keeps` says whether the history layer keeps their columns.
///
/// # Errors
/// The sample's results cannot be encoded.
pub fn costs(evaluator: &Evaluator, trials: u64, keeps: bool, crew: &mut Crew) -> Result<Costs> {
    let asked = asked(evaluator, trials);
    let sample = sample(evaluator, trials, keeps, asked.tiles < 2, crew);
    let computed = if keeps { distinct_columns(evaluator, trials).min(asked.columns) } else { asked.columns };
    let column = evaluator.context.panel.rows() as u64 * 8;
    let kept = if keeps { computed.saturating_mul(column).min(caches::caches().budget()) } else { 0 };
    let sampled = sample.prepared.len() as u64 * column;
    // Before rows are encoded to time that, all at once and in memory.
    let before = memory::peak_bytes().unwrap_or(column * 20 + sampled);
    let write = encoding(evaluator, &sample, trials)?;
    // Rows wait in memory until a group of them is whole and is encoded column by column.
    let row = 8 * sample.outcomes.first().map_or(0, |outcome| outcome.metrics.len()) as u64;
    let encoded = trials.min(ROWS_HELD).saturating_mul(row);
    Ok(Costs {
        columns: sample.column_s * computed as f64 + sample.comparison_s * compared(asked.comparisons, asked.passing),
        trials: sample.trial_s * trials as f64,
        write,
        memory: before.saturating_sub(sampled) + asked.held.max(sampled).max(kept) + encoded,
        computed: computed + asked.passing,
        sampled: sample.outcomes.len(),
    })
}

fn text(estimate: &Estimate, arrangement: &Arrangement) -> String {
    let Seconds { open, columns, trials, write } = estimate.phases;
    let mut out = format!(
        "{}{} trials{} × {} bars; {} columns\n\
         about {} on {} threads, about {:.0} MB of memory (from {} sampled trials)\n\
         of that {} to open, {} for columns, {} for trials, {} to write\n",
        if estimate.trials_exact { "" } else { "about " },
        estimate.trials,
        if estimate.whole_trials < estimate.trials {
            format!(" on parts of the data, as much as {} on all of it,", estimate.whole_trials)
        } else {
            String::new()
        },
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

/// So many parts of 2^64 of a number.
fn part(number: u64, of: u64) -> u64 {
    ((u128::from(number) * u128::from(of)) >> 64) as u64
}

/// Valid trials: runs of neighbours spread evenly over the space, with no more columns than a search holds at a time.
fn sampled(evaluator: &Evaluator, trials: u64) -> (Vec<u64>, Vec<Vec<f64>>) {
    let space = evaluator.plan.space();
    let columns = drive::COLUMN_BYTES / (evaluator.context.panel.rows() * 8).max(1);
    let mut most = SAMPLE.min(trials).max(1);
    loop {
        let runs = most.div_ceil(RUN);
        // All of a small space. Steps of equal width through a large one may meet the same value of a parameter every time.
        let all = runs * RUN >= space.size();
        let from = |k: u64| if all { k * RUN } else { part(space.size(), k.wrapping_mul(GOLDEN)) };
        let run = |k| space.valid_in(from(k)..space.size()).take(RUN.min(most) as usize);
        let mut indices: Vec<u64> = (0..runs).flat_map(run).collect();
        indices.sort_unstable();
        indices.dedup();
        let points = points_of(evaluator, &indices);
        if most <= 4 || evaluator.layout(&points).wanted(&points).len() <= columns {
            return (indices, points);
        }
        most /= 2;
    }
}

/// Evaluates a sample of trials, again and again until their time is known well enough. `keeps` says whether a cache keeps
/// columns, `once_only` whether the search computes each but once anyway.
fn sample(evaluator: &Evaluator, trials: u64, keeps: bool, once_only: bool, crew: &mut Crew) -> Sample {
    let (mut indices, mut points) = sampled(evaluator, trials);
    let mut timed = Timed { crew: &mut *crew, columns: (0, 0.0), comparisons: (0, 0.0) };
    let batch = Batch::whole(indices.clone(), points.clone());
    let mut prepared = evaluator.prepare(&batch, &mut timed);
    let first_s = [timed.columns.1, timed.comparisons.1];

    // The first ones say how many more can be afforded.
    let mut outcomes = Vec::new();
    let first = planner::first_trials(evaluator.simulated_rows()).min(indices.len());
    let mut time_first = || {
        let began = Instant::now();
        timed.crew.trials(evaluator, &indices[..first], &points[..first], &prepared);
        began.elapsed().as_secs_f64() / first.max(1) as f64
    };
    // The very first ones may wait for threads and fresh memory.
    let mut once = time_first();
    if once < TIMING {
        once = once.min(time_first());
    }
    let affordable = (TIMING / once.max(1e-6)) as usize * timed.crew.threads().value;
    let every = indices.len().div_ceil(affordable.max(1)).max(1);
    // Whole runs of neighbours, where there is time for some: those that are simulated together are neighbours in the search.
    let length = if affordable >= 2 * RUN as usize { RUN as usize } else { 1 };
    indices = indices.chunks(length).step_by(every).flatten().copied().collect();
    points = points.chunks(length).step_by(every).flatten().cloned().collect();
    let (mut best, mut spent, mut done) = (f64::INFINITY, 0.0, 0);
    while !indices.is_empty() && spent < TIMING && (done == 0 || done < trials) {
        let began = Instant::now();
        outcomes = timed.crew.trials(evaluator, &indices, &points, &prepared);
        let round = began.elapsed().as_secs_f64();
        spent += round;
        done += indices.len() as u64;
        best = f64::min(best, round / indices.len() as f64);
    }
    // The mean says what a busy machine takes, the best round what it can do: the search meets something between them.
    let mean = spent / done.max(1) as f64;
    let trial_s = if best.is_finite() { (best + mean) / 2.0 } else { once };

    // Columns that no cache keeps are computed again and again, over memory that is in use and on the threads that the
    // trials have called for.
    let (mut quickest, began) = ([f64::INFINITY; 2], Instant::now());
    for round in 0..ROUNDS {
        if round > 0 && began.elapsed().as_secs_f64() > TIMING {
            break;
        }
        evaluator.context.recycle(prepared);
        prepared = evaluator.prepare(&batch, &mut timed);
        quickest = [quickest[0].min(timed.columns.1), quickest[1].min(timed.comparisons.1)];
    }
    let passing = (prepared.computed() - prepared.len()) as u64;
    // What is computed but once has fresh memory, but the threads that were not there yet the first time.
    let passes = |k: usize| if once_only { (first_s[k] + quickest[k]) / 2.0 } else { quickest[k] };
    let comparison_s = passes(1) / compared(timed.comparisons.0 as u64, passing).max(1.0);
    let column_s = if keeps { first_s[0] } else { passes(0) } / timed.columns.0.max(1) as f64;
    Sample { points, prepared, outcomes, column_s, comparison_s, trial_s }
}

/// A crew on whose columns and comparisons a clock is held.
struct Timed<'a> {
    crew: &'a mut Crew,
    /// How many, and the seconds that they took.
    columns: (usize, f64),
    comparisons: (usize, f64),
}

impl Workers for Timed<'_> {
    fn threads(&self) -> usize {
        Workers::threads(self.crew)
    }

    fn map<R: Send>(
        &mut self,
        portions: &[Range<usize>],
        work: impl Fn(Range<usize>, &mut Scratch) -> Vec<R> + Sync,
    ) -> Vec<R> {
        self.crew.map(portions, work)
    }

    fn columns(&mut self, evaluator: &Evaluator, wanted: &[(BoundColumn, usize)], points: &[Vec<f64>]) -> Vec<Column> {
        let began = Instant::now();
        let made = self.crew.columns(evaluator, wanted, points);
        self.columns = (wanted.len(), began.elapsed().as_secs_f64());
        made
    }

    fn comparisons(
        &mut self,
        evaluator: &Evaluator,
        wanted: &[(BoundColumn, usize)],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Vec<Arc<Condition>> {
        let began = Instant::now();
        let made = self.crew.comparisons(evaluator, wanted, points, prepared);
        self.comparisons = (wanted.len(), began.elapsed().as_secs_f64());
        made
    }
}

/// Comparisons and the averages that are computed on the way, counted in comparisons: an average takes about as long as six.
fn compared(comparisons: u64, averages: u64) -> f64 {
    comparisons as f64 + 6.0 * averages as f64
}

/// What the first stretch asks for, tile by tile, scaled to all trials.
fn asked(evaluator: &Evaluator, trials: u64) -> Asked {
    let space = evaluator.plan.space();
    let first = points(evaluator, 0..space.size(), 1, (drive::STRETCH as u64).min(trials));
    let rows = evaluator.context.panel.rows() as u64;
    let mut asked = Asked::default();
    for tile in evaluator.tiles(&first, drive::COLUMN_BYTES) {
        let points: Vec<Vec<f64>> = tile.into_iter().map(|k| first[k].clone()).collect();
        let layout = evaluator.layout(&points);
        let (columns, comparisons) = (layout.wanted(&points).len(), layout.comparisons());
        asked.tiles += 1;
        asked.passing += layout.passing() as u64;
        asked.columns += columns as u64;
        asked.comparisons += comparisons as u64;
        asked.held = asked.held.max(columns as u64 * rows * 8 + comparisons as u64 * rows / 8);
    }
    let scale = |count: u64| (u128::from(count) * u128::from(trials) / (first.len() as u128).max(1)) as u64;
    Asked {
        columns: scale(asked.columns),
        passing: scale(asked.passing),
        comparisons: scale(asked.comparisons),
        held: asked.held,
        tiles: scale(asked.tiles),
    }
}

fn points_of(evaluator: &Evaluator, indices: &[u64]) -> Vec<Vec<f64>> {
    let point = |&index: &u64| {
        let mut point = Vec::new();
        evaluator.plan.space().point(index, &mut point);
        point
    };
    indices.iter().map(point).collect()
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
                budget: 1.0,
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

/// Distinct columns of the whole search that are held: counted up to 20,000 trials, beyond that scaled from as many.
fn distinct_columns(evaluator: &Evaluator, trials: u64) -> u64 {
    let space = evaluator.plan.space();
    let layout = evaluator.layout(&points(evaluator, 0..space.size(), 1, (drive::STRETCH as u64).min(trials)));
    let step = (space.size() / COUNTED).max(1);
    let points = points(evaluator, 0..space.size(), step, 2 * COUNTED);
    let seen = layout.wanted(&points).len() as u64;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_large_space_meet_all_values_of_a_parameter() {
        // 400 pairs of averages, each with 2,500 stops: 64 steps of equal width meet four of them.
        let mut fifths = [0; 5];
        for k in 0_u64..64 {
            let place = part(1_000_000, k.wrapping_mul(GOLDEN));
            fifths[place as usize % 2500 / 500] += 1;
        }
        assert!(fifths.iter().all(|met| *met >= 10), "{fifths:?}");
    }
}
