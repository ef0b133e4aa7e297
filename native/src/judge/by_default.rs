//! What is said of every search in its end: the judgement of its chosen trial and the surface of its scores.
//!
//! Given an evaluator that kept evidence, this file completes the evidence of trials that earlier processes evaluated and
//! makes one JSON value of all, the same whatever was ended and gone on with. It never steers the search, and never knows
//! how the value is shown.

use std::sync::atomic::{AtomicBool, Ordering};

use sandtable_core::Result;
use sandtable_core::run::{Batch, Detail, Evaluator, Workers};
use serde_json::{Value, json};

use super::surface::Scores;
use crate::drive;

/// Evaluates again those trials whose evidence the judgement needs and that earlier processes evaluated. Gives whether it
/// came to its end; `stop` ends it before.
pub fn complete_evidence(evaluator: &Evaluator, workers: &mut impl Workers, stop: &AtomicBool) -> bool {
    let lacking = evaluator.lacking();
    lacking.chunks(drive::STRETCH).all(|indices| {
        let point = |&index: &u64| {
            let mut point = Vec::new();
            evaluator.plan.space().point(index, &mut point);
            point
        };
        let goes_on = !stop.load(Ordering::Relaxed);
        if goes_on {
            drive::again(evaluator, &Batch::whole(indices.to_vec(), indices.iter().map(point).collect()), workers);
        }
        goes_on
    })
}

/// The judgement of a finished search as JSON; what is not defined is null.
///
/// # Errors
/// `detail` is of another run.
pub fn judgement(
    evaluator: &Evaluator,
    best: u64,
    detail: &Detail,
    scores: Scores,
    workers: &mut impl Workers,
) -> Result<Value> {
    let plan = &evaluator.plan;
    let judgement = evaluator.judgement(best, detail, workers)?;
    let surface = scores.surface(plan, best);
    Ok(json!({
        "run_id": plan.id(),
        "objective": plan.scoring().texts().collect::<Vec<_>>(),
        "not_judged": judgement.is_none().then_some(format!(
            "{} sessions are too few: judgement needs at least 8", detail.sessions.len()
        )),
        "judgement": judgement,
        "no_surface": surface.as_ref().err(),
        "surface": surface.ok(),
    }))
}
