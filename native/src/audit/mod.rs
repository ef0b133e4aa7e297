//! The audit: do cache layers, threads and the fast path pay, and do they leave every bit as it is?
//!
//! Given a bundle, this measures one workload with nothing switched on (the baseline), with each layer alone, and with
//! all of them; it compares the results' bits, judges the times, and keeps raw measurements and a report. It may fail:
//! a difference of one bit, or too little gained beyond chance, is a refusal.

pub mod comparison;
pub mod environment;
pub mod flame;
pub mod kept;
pub mod plots;
pub mod report;
pub mod runner;
pub mod statistics;
pub mod sweep;
pub mod variant;
pub mod workload;

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use indicatif::ProgressBar;
use sandtable_core::Result;
use sandtable_core::calendar::format_date;
use serde_json::{Value, json};

use comparison::{Comparison, Verdict};
use environment::Environment;
use sweep::Sweep;
use variant::Variant;
use workload::{Data, Workload};

use crate::pool::Pool;
use crate::{files, progress};

/// What an audit measures.
#[derive(Clone, Debug)]
pub struct Request {
    /// Name of the kind of audit: `grid-search`, `walk-forward`, `full`.
    pub kind: &'static str,
    /// The bundle as the user named it.
    pub bundle: String,
    /// Bundle, symbols and dates.
    pub data: Data,
    /// Workloads by name, each compared with its baseline.
    pub workloads: Vec<(&'static str, Workload)>,
    /// Pairs of each comparison, and rounds of the sweep.
    pub runs: usize,
    /// Also the variants that lack one layer, and the scale sweep.
    pub full: bool,
    /// The command line.
    pub command: String,
}

/// All comparisons of a workload.
#[derive(Clone, Debug)]
pub struct Section {
    /// Name of the workload.
    pub name: &'static str,
    /// The number of backtests of a run.
    pub backtests: u64,
    /// By variant; the last is all layers.
    pub comparisons: Vec<Comparison>,
    /// What they say.
    pub verdicts: Vec<Verdict>,
}

impl Section {
    /// The judgement of all layers together, which decides.
    pub fn decisive(&self) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.variant == Variant::All)
    }

    /// Whether all variants gave the same bits as each other.
    pub fn identical(&self) -> bool {
        let first = |c: &Comparison| c.warm_up.baseline.results_hash.clone();
        let expected = self.comparisons.first().map(first);
        self.verdicts.iter().all(|v| v.identical) && self.comparisons.iter().all(|c| Some(first(c)) == expected)
    }
}

/// A finished audit.
#[derive(Clone, Debug)]
pub struct Audit {
    /// What was asked for.
    pub request: Request,
    /// Its name in the folder.
    pub id: String,
    /// When it began, seconds since 1970 UTC.
    pub began: u64,
    /// How long it took, seconds.
    pub seconds: f64,
    /// Worker threads of the pool.
    pub threads: usize,
    /// The machine.
    pub environment: Environment,
    /// By workload.
    pub sections: Vec<Section>,
    /// The scale sweep of a full audit.
    pub sweep: Option<Sweep>,
}

/// Measures what is asked for.
///
/// # Errors
/// The bundle cannot be read, or lacks what a workload needs.
pub fn run(request: Request, id: &dyn Fn(u64) -> String, pool: &Pool, quiet: bool) -> Result<Audit> {
    let began = SystemTime::now().duration_since(UNIX_EPOCH).map(|t| t.as_secs()).unwrap_or(0);
    let clock = Instant::now();
    let mut environment = Environment::look();
    let variants = Variant::compared(request.full);
    let pairs = (request.runs + 1) * variants.len() * request.workloads.len();
    let rounds = if request.full { (request.runs + 1) * sweep::SIZES.len() } else { 0 };
    let bar = progress::steps((pairs + rounds) as u64, "measurements", quiet);
    let mut sections = Vec::new();
    for (name, workload) in &request.workloads {
        sections.push(section(name, workload, &variants, request.runs, pool, &bar)?);
    }
    let sweep = if request.full {
        bar.set_message("scale sweep");
        let folder =
            tempfile::tempdir().map_err(|error| files::machine("make", Path::new("a temporary folder"), &error))?;
        let year = workload::write_symbol_year(&request.data, folder.path())?;
        Some(Sweep::measure(&year, request.runs, pool, || bar.inc(1))?)
    } else {
        None
    };
    bar.finish_and_clear();
    environment.ended();
    let threads = pool.threads();
    let seconds = clock.elapsed().as_secs_f64();
    Ok(Audit { request, id: id(began), began, seconds, threads, environment, sections, sweep })
}

fn section(
    name: &'static str,
    workload: &Workload,
    variants: &[Variant],
    runs: usize,
    pool: &Pool,
    bar: &ProgressBar,
) -> Result<Section> {
    let measure = |&variant: &Variant| {
        bar.set_message(format!("{name}: {}", variant.name()));
        Comparison::measure(workload, variant, runs, pool, || bar.inc(1))
    };
    let comparisons = variants.iter().map(measure).collect::<Result<Vec<_>>>()?;
    let verdicts = comparisons.iter().map(Comparison::verdict).collect();
    Ok(Section { name, backtests: workload.backtests(), comparisons, verdicts })
}

impl Audit {
    /// Whether every run gave the same bits.
    pub fn identical(&self) -> bool {
        self.sections.iter().all(Section::identical) && self.sweep.as_ref().is_none_or(Sweep::identical)
    }

    /// Whether all layers together are accepted on every workload, with the same bits everywhere.
    pub fn accepted(&self) -> bool {
        self.identical() && self.sections.iter().all(|section| section.decisive().is_some_and(|v| v.accepted))
    }

    /// The audit in a sentence that says what to do.
    pub fn conclusion(&self) -> String {
        report::conclusion(self)
    }

    /// Every measurement and what follows from them.
    pub fn raw(&self) -> Value {
        let section = |section: &Section| {
            json!({
                "workload": section.name,
                "backtests": section.backtests,
                "identical": section.identical(),
                "verdicts": section.verdicts,
                "comparisons": section.comparisons,
            })
        };
        let data = &self.request.data;
        json!({
            "format": kept::FORMAT,
            "id": self.id,
            "summary": self.summary(),
            "command": self.request.command,
            "environment": self.environment,
            "threads": self.threads,
            "data": {
                "bundle": self.request.bundle,
                "symbols": data.symbols,
                "start": format_date(data.dates.0),
                "end": format_date(data.dates.1),
            },
            "criteria": {
                "least_improvement": comparison::LEAST_IMPROVEMENT,
                "significance": comparison::SIGNIFICANCE,
                "confidence": statistics::CONFIDENCE,
            },
            "sections": self.sections.iter().map(section).collect::<Vec<_>>(),
            "sweep": self.sweep,
            "sweep_summary": self.sweep.as_ref().map(Sweep::summary),
        })
    }

    /// What the index says of it.
    pub fn summary(&self) -> Value {
        let decisive = |section: &Section| {
            let verdict = section.decisive();
            json!({
                "workload": section.name,
                "improvement": verdict.map(|v| v.improvement.mean),
                "improvement_half_width": verdict.map(|v| v.improvement.half_width),
                "ratio": verdict.map(|v| v.ratio),
                "p": verdict.map(|v| v.p),
            })
        };
        json!({
            "kind": self.request.kind,
            "began_unix": self.began,
            "seconds": self.seconds,
            "bundle": self.request.bundle,
            "runs": self.request.runs,
            "accepted": self.accepted(),
            "identical": self.identical(),
            "all_layers": self.sections.iter().map(decisive).collect::<Vec<_>>(),
            "conclusion": self.conclusion(),
        })
    }
}
