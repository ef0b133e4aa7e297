//! Finished trials of a study before its space or its budget grew.
//!
//! Given the folders `earlier-ID` of a study, this file finds a trial by the values of its parameters and the part of
//! the data that it saw, bit for bit. The
//! plans differ in nothing else that decides a trial, so its numbers are those that it would have again. The folders are
//! removed once the larger study is complete. It never knows in which order trials are asked for.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sandtable_core::plan::Plan;
use sandtable_core::results::{Results, Schema};
use sandtable_core::run::Outcome;
use sandtable_core::{Error, Result};

use super::whole::{read_json, write_whole};
use super::{PLAN, RECORD, TRIALS, parts, schema_of};
use crate::files::sync_folder;

/// How the names of these folders start; the plan's id follows.
const EARLIER: &str = "earlier-";

/// Parts whose rows are kept in memory. A larger grid asks for the points of the smaller one mostly in their order.
const KEPT: usize = 4;

/// One part of an earlier plan.
#[derive(Debug)]
struct Source {
    trials: PathBuf,
    part: u64,
    schema: Arc<Schema>,
}

/// Trials of earlier plans.
#[derive(Debug)]
pub struct Earlier {
    sources: Vec<Source>,
    /// By the bits of the point and of the budget: source and row. Never walked through, so its order does not matter.
    places: HashMap<Box<[u64]>, (u32, u32)>,
    loaded: BTreeMap<u32, Results>,
    /// Sources in memory, the one that was loaded first in front.
    order: Vec<u32>,
}

/// The first folder of a study's earlier plan.
pub fn folder(study: &Path, plan: &str) -> PathBuf {
    study.join(format!("{EARLIER}{plan}"))
}

/// A folder of this plan that has no trials yet: a study may have been changed to and fro.
fn free_folder(study: &Path, plan: &str) -> PathBuf {
    let mut free = folder(study, plan);
    for more in 2.. {
        if !free.join(TRIALS).exists() {
            break;
        }
        free = study.join(format!("{EARLIER}{plan}-{more}"));
    }
    free
}

/// Whether a name is that of such a folder.
fn is_earlier(name: &str) -> bool {
    let Some((id, more)) = name.strip_prefix(EARLIER).and_then(|rest| rest.split_at_checked(32)) else { return false };
    let numbered = more.strip_prefix('-').is_some_and(|more| more.parse::<u32>().is_ok());
    id.bytes().all(|b| b.is_ascii_hexdigit()) && (more.is_empty() || numbered)
}

/// The folders of earlier plans, by name.
fn folders(study: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(study).into_iter().flatten().flatten();
    let earlier = entries.filter(|entry| is_earlier(&entry.file_name().to_string_lossy()));
    let mut paths: Vec<PathBuf> = earlier.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Puts the trials of a study aside for a larger one. Whenever the process ends, they are in one place or the other.
///
/// # Errors
/// A file cannot be written or renamed.
pub fn set_aside(study: &Path, plan: &str) -> Result<()> {
    let trials = study.join(TRIALS);
    if parts::list(&trials).is_empty() {
        return Ok(());
    }
    let (to, held) = (free_folder(study, plan), |name: &str| fs::read(study.join(name)).unwrap_or_default());
    for name in [RECORD, PLAN] {
        write_whole(&to.join(name), &held(name))?;
    }
    fs::rename(&trials, to.join(TRIALS)).map_err(|error| {
        Error::machine(format!("`{}` could not be moved into `{}`: {error}", trials.display(), to.display()))
            .help("name another folder with --out")
    })?;
    [to.as_path(), study].into_iter().try_for_each(sync_folder)
}

/// Removes the folders of earlier plans.
///
/// # Errors
/// A file cannot be removed.
pub fn remove(study: &Path) -> Result<()> {
    for folder in folders(study) {
        // The plan last: without it the folder would count for nothing while trials are in it.
        parts::discard(&folder.join(TRIALS))?;
        for name in [RECORD, PLAN] {
            let _ = fs::remove_file(folder.join(name));
        }
        let _ = fs::remove_dir(&folder);
    }
    Ok(())
}

/// Refuses a plan whose space has no place for a trial that is finished.
///
/// # Errors
/// There is such a trial, or a file is damaged.
pub fn check_all_fit(study: &Path, plan: &Plan) -> Result<()> {
    let space = plan.space();
    let current = sources_in(study)?;
    let all = current.into_iter().chain(sources(study)?);
    for source in all {
        let rows = parts::load(&source.trials, source.part, &source.schema)?.rows;
        let fits = |row: &usize| space.index_of(&rows.point(*row)).is_some_and(|index| space.is_valid(index));
        if let Some(row) = (0..rows.len()).find(|row| !fits(row)) {
            let named = source.schema.params.iter().zip(rows.point(row));
            let point: Vec<String> = named.map(|(param, value)| format!("{} = {value}", param.name)).collect();
            return Err(super::difference::another(
                study,
                &format!("its space no longer holds {}, which is finished there", point.join(", ")),
            ));
        }
    }
    Ok(())
}

/// The parts of the plan that a folder holds.
fn sources_in(folder: &Path) -> Result<Vec<Source>> {
    let trials = folder.join(TRIALS);
    let listed = parts::list(&trials);
    if listed.is_empty() {
        return Ok(Vec::new());
    }
    let schema = Arc::new(schema_of(&read_json(&folder.join(PLAN))?));
    Ok(listed.into_iter().map(|part| Source { trials: trials.clone(), part, schema: schema.clone() }).collect())
}

fn sources(study: &Path) -> Result<Vec<Source>> {
    let mut all = Vec::new();
    for folder in folders(study) {
        all.extend(sources_in(&folder)?);
    }
    Ok(all)
}

impl Earlier {
    /// The trials of a study's earlier plans, `None` if there are none.
    ///
    /// # Errors
    /// A file is damaged.
    pub fn of(study: &Path) -> Result<Option<Earlier>> {
        let sources = sources(study)?;
        if sources.is_empty() {
            return Ok(None);
        }
        let mut places = HashMap::new();
        for (number, source) in (0..).zip(&sources) {
            let rows = parts::load(&source.trials, source.part, &source.schema)?.rows;
            for row in 0..rows.len() {
                places.insert(key(&rows.point(row), rows.budget(row)), (number, row as u32));
            }
        }
        Ok(Some(Earlier { sources, places, loaded: BTreeMap::new(), order: Vec::new() }))
    }

    /// The trial of this point on this part of the data, under the index that it has now.
    ///
    /// # Errors
    /// A file is damaged or gone.
    pub fn outcome(&mut self, index: u64, point: &[f64], budget: f64) -> Result<Option<Outcome>> {
        let Some(&(number, row)) = self.places.get(&key(point, budget)) else { return Ok(None) };
        if !self.loaded.contains_key(&number) {
            if self.order.len() == KEPT {
                self.loaded.remove(&self.order.remove(0));
            }
            let Source { trials, part, schema } = &self.sources[number as usize];
            self.loaded.insert(number, parts::load(trials, *part, schema)?.rows);
            self.order.push(number);
        }
        let outcome = self.loaded.get(&number).and_then(|rows| Outcome::of_row(rows, row as usize));
        Ok(outcome.map(|outcome| Outcome { index, ..outcome }))
    }
}

fn key(point: &[f64], budget: f64) -> Box<[u64]> {
    point.iter().chain([&budget]).map(|value| value.to_bits()).collect()
}
