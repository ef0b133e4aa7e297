//! A study folder read back: the plan that its trials were evaluated by, and their results.
//!
//! Given a folder, this gives an evaluator that would give the same results again. Nothing but the folder and the bundle
//! is needed: the plan holds the strategy's text and every switch, whatever was said on the command line included.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sandtable_core::bundle::Bundle;
use sandtable_core::plan::{BundleFacts, ENGINE_FORMAT, Plan, PlanSpec};
use sandtable_core::results::Results;
use sandtable_core::run::{Evaluator, View, best_rows};
use sandtable_core::strategy::Strategy;
use sandtable_core::{Error, Result};
use serde_json::{Map, Value, json};

pub use crate::study::results_in;
use crate::study::{self, read_json};
use crate::{caches, source};

/// A study, finished or not.
#[derive(Debug)]
pub struct Reopened {
    /// Plan and panel.
    pub evaluator: Evaluator,
    /// One row per trial that saw all of the data.
    pub results: Results,
    /// Points that saw only a part of it.
    pub passed_over: u64,
    /// The plan as it was written.
    pub(crate) written: Value,
    /// The study that resolves to the plan.
    pub spec: PlanSpec,
    /// The bundle that the plan was resolved for.
    pub bundle: Arc<Bundle>,
}

/// A trial of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Its index in the plan's space.
    pub index: u64,
    /// Its parameter values.
    pub point: Vec<f64>,
    /// Its metrics, in the order of the table.
    pub metrics: Vec<f64>,
}

/// Opens a study folder and the bundle that it was made from: the one that its record names, or `bundle`.
///
/// # Errors
/// It is no study folder, its bundle is not there or is another one now, or another version of the engine wrote it.
pub fn reopen(dir: &Path, bundle: Option<&str>) -> Result<Reopened> {
    let all = results_in(dir)?;
    let (results, passed_over) = (all.whole()?, all.seen_in_part());
    let plan_file = dir.join(study::PLAN);
    let written = read_json(&plan_file)?;
    let in_plan = |error: Error| error.in_file(plan_file.display().to_string());
    if written["engine_format"] != json!(ENGINE_FORMAT) {
        let found = &written["engine_format"];
        return Err(in_plan(Error::plan(format!(
            "written by engine format {found}, and this program has {ENGINE_FORMAT}"
        )))
        .help("run the study again with this program"));
    }
    let view = View::from(caches::caches());
    let bundle = match bundle {
        Some(name) => source::open_bundle(name, Path::new("."), &view)?,
        None => {
            let record = read_json(&dir.join(study::RECORD))?;
            let given = record["bundle"]["given"].as_str().unwrap_or_default();
            let base = PathBuf::from(record["bundle"]["base"].as_str().unwrap_or("."));
            source::open_bundle(given, &base, &view).map_err(|error| {
                Error::data(error.message()).help("if the bundle has moved, say where it is with --bundle")
            })?
        }
    };
    let facts = BundleFacts::from(&*bundle);
    let version = written["bundle"]["version"].as_str().unwrap_or_default();
    if facts.version != version {
        return Err(Error::data(format!(
            "bundle `{}` is not the one that `{}` was made from: its content is {}, the plan's is {}",
            facts.name,
            dir.display(),
            short(&facts.version),
            short(version),
        ))
        .help("name the bundle of then with --bundle, or run the study again"));
    }
    let (spec, mut plan) = resolved(&written, &study_of(&written), &plan_file.display().to_string(), &facts)?;
    if !written["ranges"].is_null() {
        plan = plan.within(ranges_of(&written["ranges"]).map_err(in_plan)?);
    }
    if written["id"].as_str() != Some(plan.id()) {
        return Err(in_plan(Error::plan(format!("the plan says it is {}, but comes to {}", written["id"], plan.id())))
            .help("it was changed, or another version of this program wrote it: run the study again"));
    }
    let evaluator = Evaluator::cached(Arc::new(plan), &bundle, &view)?;
    Ok(Reopened { evaluator, results, passed_over, written, spec, bundle })
}

/// A study, and the plan that it and the strategy of a written plan resolve to.
fn resolved(written: &Value, study: &Value, file: &str, facts: &BundleFacts) -> Result<(PlanSpec, Plan)> {
    let spec = PlanSpec::parse(&study.to_string(), file)?;
    let strategy = Strategy::parse(
        written["strategy"]["source"].as_str().unwrap_or_default(),
        written["strategy"]["name"].as_str().unwrap_or("strategy"),
    )?;
    let plan = Plan::resolve(&spec, strategy, facts)?;
    Ok((spec, plan))
}

impl Reopened {
    /// The plan as it was written, as JSON.
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// The same strategy on the same bundle by a study in which some keys are others.
    ///
    /// # Errors
    /// The keys do not fit the study.
    pub fn changed(&self, changes: &Value) -> Result<Evaluator> {
        let mut study = study_of(&self.written);
        for (key, value) in changes.as_object().into_iter().flatten() {
            study[key.as_str()] = value.clone();
        }
        let facts = BundleFacts::from(&*self.bundle);
        let (_, plan) = resolved(&self.written, &study, "the changed study", &facts)?;
        Evaluator::cached(Arc::new(plan), &self.bundle, View::from(caches::caches()))
    }

    /// The trial with this index.
    ///
    /// # Errors
    /// The results do not hold it.
    pub fn trial(&self, index: u64) -> Result<Trial> {
        match self.results.index().iter().position(|&known| known == index) {
            Some(row) => Ok(self.row(row)),
            None => {
                let most = self.results.index().last().map_or(0, |&last| last);
                Err(Error::plan(format!("the results hold no trial {index}; they have {}", self.results.len()))
                    .help(format!("their indices go up to {most}: list the best with `sandtable show DIR --top 20`")))
            }
        }
    }

    /// The best trials by the study's objective, best first.
    pub fn best(&self, most: usize) -> Vec<Trial> {
        let rows = best_rows(&self.evaluator.plan, &self.results, most);
        rows.into_iter().map(|row| self.row(row)).collect()
    }

    fn row(&self, row: usize) -> Trial {
        let Reopened { results, .. } = self;
        Trial { index: results.index()[row], point: results.point(row), metrics: results.metrics_of(row) }
    }
}

fn short(version: &str) -> &str {
    version.get(..12).unwrap_or(version)
}

/// The ranges of sessions that a plan names.
fn ranges_of(ranges: &Value) -> Result<Vec<(i32, i32)>> {
    let date = |date: &Value| date.as_str().and_then(sandtable_core::calendar::parse_date);
    let range = |range: &Value| Some((date(&range[0])?, date(&range[1])?)).filter(|(from, to)| from <= to);
    let read: Option<Vec<(i32, i32)>> = ranges.as_array().and_then(|ranges| ranges.iter().map(range).collect());
    let sound = read.filter(|ranges| !ranges.is_empty() && ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
    sound.ok_or_else(|| {
        Error::data("its `ranges` are no ascending list of first and last dates").help("run the study again")
    })
}

/// The study that resolves to a plan.
fn study_of(plan: &Value) -> Value {
    let mut study = Map::new();
    let mut session = Map::new();
    let fractional = plan["settings"]["fractional"] == json!(true);
    for (key, value) in plan["settings"].as_object().into_iter().flatten() {
        let minutes = value.as_u64().unwrap_or(0);
        match key.as_str() {
            "flat_at_close" => _ = session.insert(key.clone(), value.clone()),
            // Minutes after midnight; 0 is none.
            "trade_from" | "trade_until" if minutes == 0 => {}
            "trade_from" | "trade_until" => {
                _ = session.insert(key.clone(), json!(format!("{:02}:{:02}", minutes / 60, minutes % 60)));
            }
            "lot" if fractional => {}
            "costs" => {
                let mut costs = value.clone();
                if let Some(costs) = costs.as_object_mut() {
                    // Tiers that are given are at least one.
                    costs.retain(|key, value| key != "tiers" || *value != json!([]));
                }
                study.insert(key.clone(), costs);
            }
            _ => _ = study.insert(key.clone(), value.clone()),
        }
    }
    study.insert("session".into(), session.into());
    for key in ["name", "symbols", "start", "end", "adjust", "bars", "seed", "top", "benchmark"] {
        if !plan[key].is_null() {
            study.insert(key.into(), plan[key].clone());
        }
    }
    study.insert("warmup".into(), json!(if plan["warmup_bars"] == json!(0) { "none" } else { "auto" }));
    let mut search = plan["search"].clone();
    if let Some(search) = search.as_object_mut() {
        search.remove("batch");
    }
    study.insert("search".into(), search);
    study.insert("objective".into(), plan["objective"]["metric"].clone());
    // Several objectives have a better end each.
    if !plan["objective"]["direction"].is_null() {
        study.insert("direction".into(), plan["objective"]["direction"].clone());
    }
    if !plan["constraints"].is_null() {
        study.insert("constraints".into(), plan["constraints"].clone());
    }
    if !plan["folds"].is_null() {
        study.insert("folds".into(), plan["folds"].clone());
    }
    study.insert("where".into(), plan["space"]["where"].clone());
    let mut space = Map::new();
    for param in plan["space"]["params"].as_array().into_iter().flatten() {
        let mut values = param["values"].clone();
        if let Some(domain) = values.as_object_mut() {
            domain.retain(|_, value| !value.is_null());
        }
        space.insert(param["name"].as_str().unwrap_or_default().to_owned(), values);
    }
    study.insert("space".into(), space.into());
    study.into()
}
