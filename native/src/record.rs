//! The record of a study: what it was, so that anyone can repeat it, and how each run of it was carried out.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sandtable_core::plan::{ENGINE_FORMAT, PlanSpec};
use sandtable_core::run::Evaluator;
use serde_json::{Value, json};

use crate::search::{Finished, Options};
use crate::{caches, memory, pool, study};

/// Time by phase.
#[derive(Clone, Debug)]
pub struct Phases {
    began: Instant,
    last: Instant,
    list: Vec<(&'static str, Duration)>,
}

impl Phases {
    /// Starts the clock.
    pub fn start() -> Phases {
        let now = Instant::now();
        Phases { began: now, last: now, list: Vec::new() }
    }

    /// Ends the phase that has been under way since the last end.
    pub fn end(&mut self, name: &'static str) {
        let now = Instant::now();
        self.list.push((name, now - self.last));
        self.last = now;
    }

    /// Adds a phase that was measured elsewhere.
    pub fn add(&mut self, name: &'static str, time: Duration) {
        self.list.push((name, time));
        self.last = Instant::now();
    }

    /// Time since the start.
    pub fn total(&self) -> Duration {
        self.began.elapsed()
    }

    /// Milliseconds by phase.
    pub fn json(&self) -> Value {
        let milliseconds = |time: &Duration| json!((time.as_secs_f64() * 1e6).round() / 1e3);
        let mut map: serde_json::Map<_, _> =
            self.list.iter().map(|(name, time)| ((*name).to_string(), milliseconds(time))).collect();
        map.insert("total".into(), milliseconds(&self.total()));
        map.into()
    }
}

/// The record of a study before its first trial: what it is, the same for every process that works on it.
pub fn begun(evaluator: &Evaluator, spec: &PlanSpec, options: &Options, planned: u64) -> Value {
    let plan = &evaluator.plan;
    let resolved: Value = serde_json::from_str(&plan.to_json()).unwrap_or_default();
    json!({
        "program": format!("sandtable {}", env!("CARGO_PKG_VERSION")),
        "study_format": study::FORMAT,
        "engine_format": ENGINE_FORMAT,
        "run_id": plan.id(),
        "bundle": {
            "given": spec.bundle,
            "base": options.base.display().to_string(),
            "name": plan.bundle().name,
            "version": plan.bundle().version,
        },
        "plan": resolved,
        "warnings": plan.warnings(),
        "seed": plan.seed(),
        "panel": study::panel_json(evaluator),
        "planned_trials": planned,
        "complete": false,
    })
}

/// The same after the last trial, with what they came to.
pub fn ended(mut record: Value, finished: &Finished) -> Value {
    let tally = &finished.tally;
    record["complete"] = json!(!tally.interrupted);
    record["trials"] = json!(tally.trials);
    record["failed_trials"] = json!(finished.failed);
    record["bars_read"] = json!(tally.rows_read);
    record["fills"] = json!(tally.fills);
    record
}

/// How a process carried out its part of a study.
pub fn run(finished: &Finished) -> Value {
    let tally = &finished.tally;
    json!({
        "run_id": finished.evaluator.plan.id(),
        "program": format!("sandtable {}", env!("CARGO_PKG_VERSION")),
        "engine": finished.arrangement.simulator.value,
        "engine_reason": finished.arrangement.simulator.reason,
        "planner": finished.arrangement,
        "trials_evaluated": tally.trials - tally.known,
        "trials_known": tally.known,
        "trials_by_reference": tally.by_reference,
        "by_reference_because": (tally.by_reference > 0).then(|| finished.evaluator.by_reference_because()),
        "bars_read": tally.rows_read - tally.known_rows,
        "interrupted": tally.interrupted,
        "columns_computed": tally.columns,
        "cache": caches::caches().counters(),
        "cache_budget": caches::caches().budget(),
        "threads": finished.arrangement.threads.value,
        "pools": pool::statistics(),
        "milliseconds": finished.phases.json(),
        "finished_unix": SystemTime::now().duration_since(UNIX_EPOCH).map(|t| t.as_secs()).unwrap_or(0),
        "machine": { "os": std::env::consts::OS, "arch": std::env::consts::ARCH, "processors": pool::default_threads() },
        "peak_memory_mb": memory::peak_megabytes(),
    })
}
