//! What a search would cost, measured on a few of its trials.

use std::collections::BTreeSet;
use std::time::Instant;

use sandtable_core::Result;
use sandtable_core::context::Prepared;
use sandtable_core::run::{Evaluator, Scratch};
use serde_json::json;

use crate::caches;
use crate::pool;
use crate::print;
use crate::search::Options;

/// Trials that are timed.
const SAMPLE: u64 = 12;

/// Times a sample of the trials on one thread and prints what all of them would take.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(evaluator: &Evaluator, options: &Options) -> Result<()> {
    let plan = &evaluator.plan;
    let count = plan.space().count_valid(1 << 20);
    let indices = sample(evaluator);
    let points: Vec<Vec<f64>> = indices.iter().map(|&index| point(evaluator, index)).collect();

    let began = Instant::now();
    let wanted = evaluator.wanted(&points);
    let mut prepared = Prepared::default();
    for (column, k) in &wanted {
        prepared.insert(column.clone(), evaluator.compute(column, &points[*k]));
    }
    let per_column = began.elapsed().as_secs_f64() / wanted.len().max(1) as f64;

    let mut scratch = Scratch::default();
    let mut times: Vec<f64> = indices
        .iter()
        .zip(&points)
        .map(|(&index, point)| {
            let began = Instant::now();
            evaluator.trial(index, point, &prepared, &mut scratch);
            began.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let per_trial = times.get(times.len() / 2).copied().unwrap_or(0.0);

    let columns = distinct_columns(evaluator, count.points);
    let threads = if options.threads == 0 { pool::default_threads() } else { options.threads };
    let seconds = (per_column * columns as f64 + per_trial * count.points as f64) / threads as f64;
    let panel = &evaluator.context.panel;
    let column_bytes = panel.rows() as f64 * 8.0;
    let memory = 12e6
        + 7.0 * column_bytes
        + (columns as f64 * column_bytes).min(caches::BUDGET as f64)
        + threads as f64 * 6.0 * column_bytes;
    let bars = panel.simulated_rows() as u64;
    let report = json!({
        "trials": count.points, "trials_exact": count.exact, "bars": bars,
        "bar_trials": bars.saturating_mul(count.points), "columns": columns, "threads": threads,
        "seconds": seconds, "memory_mb": (memory / 1e6).round(), "sampled_trials": indices.len(),
    });
    print::either(options.json, &report, || {
        format!(
            "{}{} trials × {bars} bars; {columns} distinct columns\n\
             about {} on {threads} threads, about {:.0} MB of memory (from {} sampled trials)\n",
            if count.exact { "" } else { "about " },
            count.points,
            duration(seconds),
            memory / 1e6,
            indices.len(),
        )
    })
}

fn point(evaluator: &Evaluator, index: u64) -> Vec<f64> {
    let mut point = Vec::new();
    evaluator.plan.space().point(index, &mut point);
    point
}

/// Valid trials spread evenly over the space.
fn sample(evaluator: &Evaluator) -> Vec<u64> {
    let space = evaluator.plan.space();
    let size = space.size();
    let mut chosen = BTreeSet::new();
    for k in 0..SAMPLE {
        let from = (u128::from(size) * u128::from(k) / u128::from(SAMPLE)) as u64;
        chosen.extend(space.valid_in(from..size).next());
    }
    chosen.into_iter().collect()
}

/// Distinct columns of the whole search: counted up to 20,000 trials, beyond that scaled from as many.
fn distinct_columns(evaluator: &Evaluator, trials: u64) -> u64 {
    const MOST: u64 = 20_000;
    let space = evaluator.plan.space();
    let step = (space.size() / MOST).max(1);
    let points: Vec<Vec<f64>> = (0..space.size())
        .step_by(usize::try_from(step).unwrap_or(usize::MAX))
        .filter(|&index| space.is_valid(index))
        .map(|index| point(evaluator, index))
        .collect();
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
