//! The folder of a walk-forward.
//!
//! Given a folder and a plan, this file says whether it holds this walk-forward, and writes what came out. Everything in
//! it is the same whether or not the process was ended on the way. It never evaluates anything.

use std::fs;
use std::path::{Path, PathBuf};

use sandtable_core::plan::Plan;
use sandtable_core::{Error, Result};
use serde_json::Value;

use super::Walked;
use crate::search::Options;
use crate::study::difference::{self, Relation};
use crate::study::lock::{self, LOCK, Lock};
use crate::study::{self, PLAN, STUDY, json_text, read_json, write_whole};
use crate::{export, report};

/// The resolved plan.
const WALK: &str = "walk-forward.json";
/// What came out.
const FOLDS: &str = "folds.json";
/// How the names of the folders of single folds start; their number follows.
const FOLD: &str = "fold-";

/// A folder that this process alone writes into.
#[derive(Debug)]
pub struct WalkFolder {
    path: PathBuf,
    _lock: Lock,
}

impl WalkFolder {
    /// Takes a folder: an empty one, one that holds this walk-forward, or, with `force`, that of another one, which is
    /// removed.
    ///
    /// # Errors
    /// It holds something else, another process works on it, or it cannot be written.
    pub fn open(path: &Path, plan: &Plan, options: &Options) -> Result<WalkFolder> {
        check(path, plan, options.force)?;
        fs::create_dir_all(path).map_err(|error| {
            Error::machine(format!("folder `{}` could not be made: {error}", path.display()))
                .help("name a folder that you may write to with --out")
        })?;
        let lock = lock::take(path)?;
        check(path, plan, options.force)?;
        if options.force {
            discard(path)?;
        }
        write_whole(&path.join(STUDY), options.study_text.as_bytes())?;
        write_whole(&path.join(WALK), plan.to_json().as_bytes())?;
        Ok(WalkFolder { path: path.to_owned(), _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of a fold, counted from 0, of so many.
    pub fn fold(&self, number: usize, of: usize) -> PathBuf {
        self.path.join(name(number, of))
    }

    /// Writes what came out.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, walked: &Walked) -> Result<()> {
        let courses = walked.courses();
        for ending in ["parquet", "csv"] {
            export::write(&self.path.join(format!("out-of-sample.{ending}")), &courses)?;
        }
        if let Some(path) = walked.paths.first() {
            let plan = &walked.whole.plan;
            let title = format!("{}: out of sample", plan.name());
            report::equity_plot(&self.path.join("out-of-sample.svg"), &title, plan, &path.detail)?;
        }
        // Last: what it says is there.
        write_whole(&self.path.join(FOLDS), json_text(&walked.to_json()).as_bytes())
    }
}

/// `fold-03`, with as many digits as the last one needs.
pub(super) fn name(number: usize, of: usize) -> String {
    let digits = of.to_string().len().max(2);
    format!("{FOLD}{:0digits$}", number + 1)
}

/// Refuses a folder that holds something else.
fn check(path: &Path, plan: &Plan, force: bool) -> Result<()> {
    if path.exists() && !path.is_dir() {
        return Err(Error::machine(format!("`{}` is a file, not a folder", path.display()))
            .help("name another folder with --out"));
    }
    if path.join(PLAN).exists() {
        return Err(Error::plan(format!("`{}` holds a search over all sessions", path.display()))
            .help("name another folder with --out"));
    }
    if force {
        return Ok(());
    }
    if !path.join(WALK).exists() {
        let foreign = |entry: fs::DirEntry| ![LOCK, STUDY].contains(&&*entry.file_name().to_string_lossy());
        if fs::read_dir(path).into_iter().flatten().flatten().any(foreign) {
            return Err(Error::plan(format!("`{}` is not empty and holds no walk-forward", path.display()))
                .help("name another folder with --out, or write into it with --force"));
        }
        return Ok(());
    }
    let held = read_json(&path.join(WALK)).map_err(|error| {
        error.help("it is damaged: start the walk-forward anew with --force, or name another folder with --out")
    })?;
    let new: Value = serde_json::from_str(&plan.to_json()).unwrap_or_default();
    match difference::relation(&held, &new) {
        Relation::Same => Ok(()),
        Relation::Other(what) => Err(difference::another(path, &what)),
        Relation::Grown { .. } => Err(difference::another(path, "its space or budget is another")),
    }
}

/// Removes what a walk-forward left. What else is in the folder stays.
fn discard(path: &Path) -> Result<()> {
    let failed = |path: &Path, error: &std::io::Error| {
        Error::machine(format!("`{}` could not be removed: {error}", path.display()))
            .help("give yourself the right to write into its folder")
    };
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let own = entry.file_name().to_string_lossy().strip_prefix(FOLD).is_some_and(|n| n.parse::<u32>().is_ok());
        if own && entry.path().join(study::PLAN).exists() {
            fs::remove_dir_all(entry.path()).map_err(|error| failed(&entry.path(), &error))?;
        }
    }
    for name in [WALK, FOLDS] {
        match fs::remove_file(path.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(&path.join(name), &error));
            }
            _ => {}
        }
    }
    Ok(())
}
