//! The trial with one parameter a little aside, in terms that have no unit.
//!
//! Given a trial, this file evaluates the points one and two steps away along each parameter: a step is one value of the
//! space, or a twentieth of them where there are many. A move is stated as a share of the parameter's range, a change of
//! the objective as a share of its value and in standard deviations of all scores of the study. It never knows which
//! points the search has tried.

use sandtable_core::plan::Direction;
use serde_json::{Value, json};

use super::{Case, Finding};
use crate::view::{number, table};

/// A step is the number of values divided by this, if that is more than one value.
const PART: u64 = 20;

/// A point beside the trial.
struct Neighbour {
    parameter: String,
    from: f64,
    to: f64,
    /// Of the parameter's range; NaN where it has none.
    moved: f64,
    score: f64,
}

/// Evaluates the trial's neighbours along each parameter.
pub fn find(case: &Case) -> Finding {
    let deviation = deviation(case);
    let score = case.score(&case.detail.metrics);
    let neighbours = neighbours(case);
    let better = if case.plan().objective().direction == Direction::Max { 1.0 } else { -1.0 };
    let relative = |n: &Neighbour| better * (n.score - score) / score.abs();
    let deviations = |n: &Neighbour| better * (n.score - score) / deviation;
    let json_of = |n: &Neighbour| {
        json!({
            "parameter": n.parameter,
            "from": n.from,
            "to": n.to,
            "moved_of_range": n.moved,
            "objective": n.score,
            "better_by_share": relative(n),
            "better_by_deviations": deviations(n),
        })
    };
    let row = |n: &Neighbour| {
        vec![
            n.parameter.clone(),
            number::parameter(n.from),
            number::parameter(n.to),
            percent(n.moved),
            number::units((n.score * 1e6).round() / 1e6),
            percent(relative(n)),
            signed(deviations(n)),
        ]
    };
    let heading = ["parameter", "from", "to", "of its range", case.objective(), "change", "in deviations"];
    let worst = neighbours.iter().map(&deviations).filter(|value| value.is_finite()).fold(f64::INFINITY, f64::min);
    let summary = match (neighbours.is_empty(), worst.is_finite()) {
        (true, _) => "no parameter varies, or no neighbour satisfies the conditions\n".into(),
        (false, true) => format!(
            "the worst step changes it by {} standard deviations of the study's scores; below −1 the point stands on a slope\n",
            signed(worst)
        ),
        (false, false) => "the study's scores do not vary\n".into(),
    };
    Finding {
        key: "sensitivity",
        json: json!({
            "objective": score,
            "deviation_of_scores": deviation,
            "neighbours": neighbours.iter().map(json_of).collect::<Vec<Value>>(),
        }),
        text: format!(
            "one parameter aside: {} {:.3}\n{}{summary}",
            case.objective(),
            score,
            table::plain(&heading, neighbours.iter().map(row), &[0])
        ),
        sound: true,
    }
}

fn neighbours(case: &Case) -> Vec<Neighbour> {
    let space = case.plan().space();
    let mut found = Vec::new();
    for axis in space.axes().iter().filter(|axis| axis.len > 1) {
        let digit = case.trial.index / axis.stride % axis.len;
        let step = (axis.len / PART).max(1);
        let (low, high) = axis.extremes();
        for move_by in [-2_i64, -1, 1, 2] {
            let Some(other) = digit.checked_add_signed(move_by * step as i64).filter(|&other| other < axis.len) else {
                continue;
            };
            let index = case.trial.index - digit * axis.stride + other * axis.stride;
            if !space.is_valid(index) {
                continue;
            }
            let mut point = Vec::new();
            space.point(index, &mut point);
            let (from, to) = (axis.value(digit), axis.value(other));
            found.push(Neighbour {
                parameter: axis.name.clone(),
                from,
                to,
                moved: (to - from) / (high - low),
                score: case.score(&case.study.evaluator.detail(&point).metrics),
            });
        }
    }
    found
}

/// Standard deviation of the scores of all trials, ddof 1; NaN for fewer than two.
fn deviation(case: &Case) -> f64 {
    let results = &case.study.results;
    let scores: Vec<f64> =
        (0..results.len()).map(|row| case.score(&results.metrics_of(row))).filter(|score| score.is_finite()).collect();
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    (scores.iter().map(|score| (score - mean) * (score - mean)).sum::<f64>() / (n - 1.0)).sqrt()
}

fn percent(value: f64) -> String {
    if value.is_finite() { format!("{:+.1} %", value * 100.0) } else { number::NULL.into() }
}

fn signed(value: f64) -> String {
    if value.is_finite() { format!("{value:+.2}") } else { number::NULL.into() }
}
