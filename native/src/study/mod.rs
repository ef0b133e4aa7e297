//! A study folder: what a search leaves on disk, and what it goes on from.
//!
//! | name | what it holds |
//! |---|---|
//! | `study.toml` | the study as given |
//! | `plan.json` | the resolved plan with its id; a folder without it holds no study |
//! | `record.json` | what the study is: versions, data, settings, counts, and whether it is complete |
//! | `trials/part-NNNNNN.parquet` | one row per trial, in the order in which the search asked for them; of a search by budgets, one for each part of the data that a trial saw |
//! | `trials/part-NNNNNN.journal` | the trials of a part that is not full yet |
//! | `front.json` | with several objectives, the trials that nothing beats |
//! | `best.json`, plots | the best trial, once the search has ended |
//! | `judgement.json` | how far it can be believed; not after `--no-judgement` |
//! | `judge.json` | what `sandtable judge` found when it was last asked |
//! | `report.html` | the report, once it was asked for |
//! | `runs.jsonl` | how it was carried out: one line for each process that worked on it and ended by itself |
//! | `earlier-ID/` | finished trials of the study before it grew |
//! | `.lock` | empty; locked by the process that works on the study |
//!
//! A process may end at any instant: the same command goes on with every batch that was finished, and the complete study
//! has the same bytes as one that was never ended. `runs.jsonl` alone is not the same: it holds times and machines.
//!
//! Given a folder and a plan, this room says what may be done there and does it. It never evaluates anything.

pub mod difference;
pub mod earlier;
pub mod journal;
pub mod lock;
pub mod parts;
pub mod store;
pub mod summary;
mod whole;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sandtable_core::plan::{Method, ParamKind, Words};
use sandtable_core::results::{self, Results, Schema};
use sandtable_core::run::Evaluator;
use sandtable_core::{Error, Result};
use serde_json::{Value, json};

use self::difference::{Relation, another, relation};
use self::lock::{LOCK, Lock};
use self::store::Store;
pub use self::whole::{json_text, read, read_json, read_text, write_remade, write_whole};
use crate::files::sync_folder;

/// Number of the layout of a study folder. Format 1 had all trials in one `results.parquet`.
pub const FORMAT: u32 = 2;

/// The resolved plan.
pub const PLAN: &str = "plan.json";
/// Folder of the trials.
pub const TRIALS: &str = "trials";
/// What the study is.
pub const RECORD: &str = "record.json";
/// The best trial.
pub const BEST: &str = "best.json";
/// How far the best trial can be believed.
pub const JUDGEMENT: &str = "judgement.json";
/// What further tests of a trial found.
pub const JUDGE: &str = "judge.json";
/// The trials that nothing beats, of a study with several objectives.
pub const FRONT: &str = "front.json";
/// The study as given.
pub const STUDY: &str = "study.toml";
/// How it was carried out.
pub const RUNS: &str = "runs.jsonl";
/// The report that was made of it.
pub const REPORT: &str = "report.html";
/// The trials of a folder of format 1.
const RESULTS_1: &str = "results.parquet";

/// What a folder comes to before a search writes into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing of this study is there.
    New,
    /// Some of its trials may be there.
    Begun,
    /// All of them are.
    Complete,
}

/// A folder that this process alone writes into.
#[derive(Debug)]
pub struct StudyFolder {
    path: PathBuf,
    state: State,
    _lock: Lock,
}

impl StudyFolder {
    /// Takes a folder for a study: an empty one, one that holds this study, or one that holds a smaller one, whose trials
    /// are then put aside to be taken over. With `force`, what is there of a study is removed first.
    ///
    /// # Errors
    /// The folder holds another study or something that is no study, another process works on it, or it cannot be
    /// written.
    pub fn open(path: &Path, evaluator: &Evaluator, force: bool) -> Result<StudyFolder> {
        let judge = || if force { no_file(path).map(|()| Held::Nothing) } else { held(path, evaluator) };
        judge()?;
        fs::create_dir_all(path).map_err(|error| {
            Error::machine(format!("folder `{}` could not be made: {error}", path.display()))
                .help("name a folder that you may write to with --out")
        })?;
        let lock = lock::take(path)?;
        // Again, because another process may have had it until now.
        let held = judge()?;
        whole::clear_temporary(path);
        whole::clear_temporary(&path.join(TRIALS));
        if force {
            discard(path)?;
        }
        let state = match held {
            Held::Nothing => State::New,
            Held::Same { complete: true } => State::Complete,
            Held::Same { complete: false } => State::Begun,
            Held::Smaller(id) => {
                earlier::set_aside(path, &id)?;
                State::Begun
            }
        };
        Ok(StudyFolder { path: path.to_owned(), state, _lock: lock })
    }

    /// What was there.
    pub fn state(&self) -> State {
        self.state
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes what is known before the first trial: study, record and, last, the plan that makes it a study folder.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn begin(&self, study: &str, record: &Value, plan: &str) -> Result<()> {
        // They speak of trials that were all there: of a smaller study, or of one whose record is not written yet.
        [JUDGEMENT, JUDGE].into_iter().try_for_each(|name| remove(&self.file(name)))?;
        write_remade(&self.file(STUDY), study.as_bytes())?;
        write_remade(&self.file(RECORD), json_text(record).as_bytes())?;
        if fs::read(self.file(PLAN)).is_ok_and(|held| held == plan.as_bytes()) {
            return Ok(());
        }
        write_whole(&self.file(PLAN), plan.as_bytes())
    }

    /// The trials in it.
    ///
    /// # Errors
    /// A file is damaged or the folder cannot be made.
    pub fn store(&self, schema: Arc<Schema>) -> Result<Store> {
        Store::open(&self.file(TRIALS), schema, earlier::Earlier::of(&self.path)?)
    }

    /// Writes what is known after the last trial, `results` by the names of their files; `complete` studies need their earlier trials no more.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn end(&self, results: &[(&str, Value)], record: &Value, complete: bool) -> Result<()> {
        if complete {
            earlier::remove(&self.path)?;
        }
        let mut written = false;
        for (name, result) in results {
            written |= self.replace(name, &json_text(result))?;
        }
        if written {
            sync_folder(&self.path)?;
        }
        // The record last: what it says is there.
        if self.replace(RECORD, &json_text(record))? { sync_folder(&self.path) } else { Ok(()) }
    }

    /// Writes a file unless it holds this text already; gives whether it did.
    fn replace(&self, name: &str, text: &str) -> Result<bool> {
        let path = self.file(name);
        let differs = !fs::read(&path).is_ok_and(|held| held == text.as_bytes());
        if differs {
            write_whole(&path, text.as_bytes())?;
        }
        Ok(differs)
    }

    /// Adds a line about this run.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add_run(&self, run: &Value) -> Result<()> {
        let path = self.file(RUNS);
        let add = || -> std::io::Result<()> {
            let mut file = fs::OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(format!("{run}\n").as_bytes())
        };
        add().map_err(|error| whole::failed(&path, &error))
    }
}

/// What a folder holds beside the study that is to be written into it.
enum Held {
    Nothing,
    Same {
        complete: bool,
    },
    /// The plan of a study that this one goes on from.
    Smaller(String),
}

fn no_file(path: &Path) -> Result<()> {
    if path.exists() && !path.is_dir() {
        return Err(Error::machine(format!("`{}` is a file, not a folder", path.display()))
            .help("name another folder with --out"));
    }
    Ok(())
}

fn held(path: &Path, evaluator: &Evaluator) -> Result<Held> {
    no_file(path)?;
    if !path.join(PLAN).exists() {
        let begun = path.join(LOCK).exists();
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let foreign = entries.map(|entry| entry.file_name()).find(|name| !(begun && is_own(&name.to_string_lossy())));
        if foreign.is_some() {
            return Err(Error::plan(format!("`{}` is not empty and is no study folder", path.display()))
                .help("name another folder with --out, or write into it with --force"));
        }
        return Ok(Held::Nothing);
    }
    let plan = read_json(&path.join(PLAN)).map_err(|error| {
        error.help("it is damaged: start the study anew with --force, or name another folder with --out")
    })?;
    format_of(path)?;
    if path.join(RESULTS_1).exists() {
        return Err(another(path, &format!("its layout is format 1 ({RESULTS_1}), and this program writes {FORMAT}")));
    }
    let new: Value = serde_json::from_str(&evaluator.plan.to_json()).unwrap_or_default();
    match relation(&plan, &new) {
        Relation::Same => Ok(Held::Same { complete: is_complete(path, evaluator.plan.id()) }),
        Relation::Other(what) => Err(another(path, &what)),
        Relation::Grown { other_warmup } => {
            let id = plan["id"].as_str().unwrap_or_default().to_owned();
            if other_warmup && panel_of(path, &id) != Some(panel_json(evaluator)) {
                let (before, now) = (&plan[difference::WARMUP], &new[difference::WARMUP]);
                return Err(another(
                    path,
                    &format!("trials started {before} bars before the first date and would start {now} bars before it"),
                ));
            }
            earlier::check_all_fit(path, &evaluator.plan)?;
            Ok(Held::Smaller(id))
        }
    }
}

/// Whether a name is one that a search gives before it writes the plan.
fn is_own(name: &str) -> bool {
    [LOCK, STUDY, RECORD, RUNS].contains(&name) || whole::is_temporary(name)
}

/// Removes what a study left, the plan first: what remains after that is no study.
fn discard(path: &Path) -> Result<()> {
    for name in [PLAN, RECORD, BEST, FRONT, JUDGEMENT, JUDGE, RUNS, RESULTS_1] {
        remove(&path.join(name))?;
    }
    // A report of what was there says nothing of what will be.
    let _ = fs::remove_file(path.join(REPORT));
    parts::discard(&path.join(TRIALS))?;
    earlier::remove(path)
}

/// Removes a file if it is there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::machine(format!("`{}` could not be removed: {error}", path.display()))
                .help("give yourself the right to write into its folder"))
        }
        _ => Ok(()),
    }
}

/// The judgement that a folder holds; null if it holds none.
///
/// # Errors
/// It is damaged.
pub fn judgement_in(path: &Path) -> Result<Value> {
    let file = path.join(JUDGEMENT);
    if file.exists() {
        return read_json(&file)
            .map_err(|error| error.help("remove this file: `sandtable judge DIR` makes the judgement again"));
    }
    Ok(Value::Null)
}

/// The rows and bars that a plan is simulated on: those of the same plan but for its space are the same, if these are.
pub fn panel_json(evaluator: &Evaluator) -> Value {
    let panel = &evaluator.context.panel;
    let simulated = evaluator.simulated_rows();
    json!({ "symbols": panel.symbols.len(), "bars": simulated, "warmup_bars": panel.rows() - simulated })
}

/// The panel of a plan whose record is still there.
fn panel_of(path: &Path, plan: &str) -> Option<Value> {
    let records = [path.join(RECORD), earlier::folder(path, plan).join(RECORD)];
    let known = records.iter().filter_map(|record| read_json(record).ok());
    known.into_iter().find(|record| record["run_id"] == json!(plan)).map(|record| record["panel"].clone())
}

/// Whether a folder's record says that all trials of this plan are there.
pub fn is_complete(path: &Path, plan: &str) -> bool {
    read_json(&path.join(RECORD))
        .is_ok_and(|record| record["complete"] == json!(true) && record["run_id"] == json!(plan))
}

/// The layout of a study folder, checked.
///
/// # Errors
/// A later program wrote it.
pub fn format_of(path: &Path) -> Result<u32> {
    let record = read_json(&path.join(RECORD)).unwrap_or_default();
    let unnamed = if path.join(RESULTS_1).exists() { 1 } else { FORMAT };
    let format = record["study_format"].as_u64().map_or(unnamed, |format| u32::try_from(format).unwrap_or(u32::MAX));
    if format > FORMAT {
        return Err(Error::unsupported(format!(
            "`{}` is a study of format {format}, and this program reads formats 1 to {FORMAT}",
            path.display()
        ))
        .help("take the program that wrote it, or a later one; or name another folder with --out"));
    }
    Ok(format)
}

/// The columns of a plan's trials, from the plan as JSON.
fn schema_of(plan: &Value) -> Schema {
    let kinds = [ParamKind::Int, ParamKind::Float, ParamKind::Bool];
    let params = plan["space"]["params"].as_array().map_or(&[][..], Vec::as_slice);
    let axis = |param: &Value| {
        let kind = kinds.into_iter().find(|kind| param["kind"] == json!(kind.name())).unwrap_or(ParamKind::Float);
        (param["name"].as_str().unwrap_or_default().to_owned(), kind)
    };
    let axes: Vec<(String, ParamKind)> = params.iter().map(axis).collect();
    let id = plan["id"].as_str().unwrap_or_default();
    let schema = Schema::new(id, axes.iter().map(|(name, kind)| (name.as_str(), *kind)));
    let has_budgets = |(word, method): &(&str, Method)| method.has_budgets() && plan["search"]["method"] == json!(word);
    if Method::ALL.iter().any(has_budgets) { schema.with_budgets() } else { schema }
}

/// All trials that a study folder holds, finished or not: those of its parts, then those of its journal; of a search by
/// budgets, those on parts of the data too.
///
/// # Errors
/// It is no study folder, a later program wrote it, or its results are damaged.
pub fn results_in(path: &Path) -> Result<Results> {
    if !path.join(PLAN).exists() {
        return Err(Error::data(format!("`{}` is no study folder: it has no {PLAN}", path.display()))
            .help("name a folder that `sandtable optimize` or `sandtable demo` wrote"));
    }
    if format_of(path)? == 1 {
        let file = path.join(RESULTS_1);
        return results::decode(read(&file)?.into()).map_err(|error| error.in_file(file.display().to_string()));
    }
    let (plan, trials) = (read_json(&path.join(PLAN))?, path.join(TRIALS));
    let listed = parts::list(&trials);
    // The columns of a folder from another engine are those that its parts name.
    let named = listed.iter().map(|&part| parts::file(&trials, part)).find(|file| file.exists());
    let schema = match named {
        Some(file) => parts::open(&file, plan["id"].as_str().unwrap_or_default())?.schema().clone(),
        None => Arc::new(schema_of(&plan)),
    };
    let mut all = Results::new(schema.clone());
    for part in listed {
        let rows = parts::load(&trials, part, &schema)?.rows;
        all.append(&rows, 0..rows.len())?;
    }
    Ok(all)
}
