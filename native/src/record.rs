//! The record of a run: what it was, so that anyone can repeat it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sandtable_core::plan::{ENGINE_FORMAT, PlanSpec};
use serde_json::{Value, json};

use crate::search::{Finished, Options};
use crate::{caches, memory, pool};

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

/// The record of a finished search.
pub fn record(finished: &Finished, spec: &PlanSpec, options: &Options) -> Value {
    let plan = &finished.evaluator.plan;
    let tally = &finished.tally;
    let panel = &finished.evaluator.context.panel;
    let resolved: Value = serde_json::from_str(&plan.to_json()).unwrap_or_default();
    json!({
        "program": format!("sandtable {}", env!("CARGO_PKG_VERSION")),
        "engine_format": ENGINE_FORMAT,
        "engine": finished.arrangement.simulator.value,
        "engine_reason": finished.arrangement.simulator.reason,
        "planner": finished.arrangement,
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
        "trials": tally.trials,
        "trials_by_reference": tally.by_reference,
        "by_reference_because": (tally.by_reference > 0).then(|| finished.evaluator.by_reference_because()),
        "interrupted": tally.interrupted,
        "panel": { "symbols": panel.symbols.len(), "bars": panel.simulated_rows(), "warmup_bars": panel.rows() - panel.simulated_rows() },
        "bars_read": tally.rows_read,
        "fills": tally.fills,
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
