//! Study folders at a glance.
//!
//! Given a folder, this file says whose study it holds, how far it is, and whether a process works on it. It reads, never
//! writes, and a folder that is damaged is an answer, not an error.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sandtable_core::plan::Direction;
use sandtable_core::results;
use sandtable_core::{Result, metrics};
use serde_json::{Value, json};

use super::whole::read_json;
use super::{BEST, PLAN, RECORD, TRIALS, format_of, lock, parts, results_in};

/// How a study stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A process works on it.
    Running,
    /// Every trial is there.
    Complete,
    /// Some trials are missing, and nobody works on it.
    Interrupted,
    /// A file of it is damaged, or this program cannot read it.
    Corrupt,
}

impl Standing {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Running => "running",
            Standing::Complete => "complete",
            Standing::Interrupted => "interrupted",
            Standing::Corrupt => "corrupt",
        }
    }
}

/// A study folder at a glance.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The folder.
    pub path: PathBuf,
    /// The plan as it was resolved; null if it cannot be read.
    pub plan: Value,
    /// How it stands.
    pub standing: Standing,
    /// What is damaged, and the way out.
    pub damage: Option<String>,
    /// Trials that are there.
    pub done: u64,
    /// Trials that there will be, as far as that is known.
    pub total: Option<u64>,
    /// The objective's best value so far.
    pub best: Option<f64>,
    /// When a file of it last changed, seconds since 1970.
    pub changed: Option<u64>,
    /// Bytes of all its files.
    pub bytes: u64,
}

/// The study folders in a folder, by name; the folder itself if it is one.
///
/// # Errors
/// It cannot be listed.
pub fn in_folder(folder: &Path) -> Result<Vec<Summary>> {
    if folder.join(PLAN).exists() {
        return Ok(vec![of(folder)]);
    }
    let listed = fs::read_dir(folder).map_err(|error| {
        sandtable_core::Error::machine(format!("`{}` could not be listed: {error}", folder.display()))
            .help("name a folder that holds study folders")
    })?;
    let mut paths: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.join(PLAN).exists());
    paths.sort();
    Ok(paths.iter().map(|path| of(path)).collect())
}

/// One study folder.
pub fn of(path: &Path) -> Summary {
    let plan = read_json(&path.join(PLAN));
    let (mut bytes, mut changed) = (0, None);
    measure(path, &mut bytes, &mut changed);
    let mut summary = Summary {
        path: path.to_owned(),
        plan: plan.as_ref().cloned().unwrap_or_default(),
        standing: Standing::Corrupt,
        damage: None,
        done: 0,
        total: None,
        best: None,
        changed,
        bytes,
    };
    let looked = plan.and_then(|plan| look(path, &plan, &mut summary));
    if let Err(error) = looked {
        // A file that a running process replaces may be gone for an instant.
        let running = lock::is_taken(path);
        summary.standing = if running { Standing::Running } else { Standing::Corrupt };
        summary.damage = (!running).then(|| error.to_string());
    }
    summary
}

fn look(path: &Path, plan: &Value, summary: &mut Summary) -> Result<()> {
    let format = format_of(path)?;
    let record = read_json(&path.join(RECORD))?;
    let of_plan = record["run_id"] == plan["id"];
    let complete =
        of_plan && if format == 1 { record["interrupted"] == json!(false) } else { record["complete"] == json!(true) };
    let metric = plan["objective"]["metric"].as_str().unwrap_or_default();
    if complete && format > 1 {
        summary.done = count(&path.join(TRIALS), plan["id"].as_str().unwrap_or_default())?;
        summary.total = record["trials"].as_u64();
        summary.best = read_json(&path.join(BEST))?["metrics"][metric].as_f64();
    } else {
        let rows = results_in(path)?;
        summary.done = rows.len() as u64;
        summary.total = if complete { Some(summary.done) } else { record["planned_trials"].as_u64() };
        let direction = if plan["objective"]["direction"] == json!("min") { Direction::Min } else { Direction::Max };
        let best = metrics::index_of(metric).and_then(|m| {
            results::top_rows(&rows, m, 1, direction).first().and_then(|&row| rows.metric(m).get(row).copied())
        });
        summary.best = best.filter(|value| value.is_finite());
    }
    summary.standing = if lock::is_taken(path) {
        Standing::Running
    } else if complete && summary.total == Some(summary.done) {
        Standing::Complete
    } else {
        Standing::Interrupted
    };
    Ok(())
}

/// Trials of the parts in a folder, each checked against its hash.
fn count(trials: &Path, plan: &str) -> Result<u64> {
    parts::list(trials)
        .into_iter()
        .try_fold(0, |sum, part| Ok(sum + parts::open(&parts::file(trials, part), plan)?.rows()))
}

/// Adds up the sizes of all files below, and finds the last change.
fn measure(path: &Path, bytes: &mut u64, changed: &mut Option<u64>) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            measure(&entry.path(), bytes, changed);
            continue;
        }
        *bytes += metadata.len();
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).ok();
        *changed = (*changed).max(metadata.modified().ok().and_then(since));
    }
}
