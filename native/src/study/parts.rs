//! The trials of a study as files: `part-NNNNNN.parquet`, each of [`ROWS_PER_PART`] trials but the last, and the journal
//! of the part under way.
//!
//! Given a folder, this file lists its parts and reads them. It never knows who writes them, or when.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sandtable_core::results::{ParquetSink, ROWS_PER_GROUP, Reader, Results, Schema};
use sandtable_core::{Error, Result};

use super::journal;
use super::whole::{self, read};
use crate::files::sync_folder;

/// Trials of a part, in the order in which the search asks for them: one row group. A million trials are 62 files, and
/// which trial is in which of them depends on nothing but its place.
pub const ROWS_PER_PART: usize = ROWS_PER_GROUP;

/// A part as it is on disk.
#[derive(Debug)]
pub struct Part {
    /// Its trials: those of the file, and after them those of the journal.
    pub rows: Results,
    /// How many of them are in the file.
    pub in_file: usize,
    /// Bytes of the journal that may stay; 0 if there is none.
    pub journal_bytes: u64,
}

/// The file of a part.
pub fn file(trials: &Path, part: u64) -> PathBuf {
    trials.join(format!("part-{part:06}.parquet"))
}

/// The journal of a part.
pub fn journal_file(trials: &Path, part: u64) -> PathBuf {
    trials.join(format!("part-{part:06}.journal"))
}

/// The number of the part that a file name stands for.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("part-")?;
    digits.strip_suffix(".parquet").or_else(|| digits.strip_suffix(".journal"))?.parse().ok()
}

/// Whether a name is that of a part or of its journal.
pub fn is_part(name: &str) -> bool {
    number(name).is_some()
}

/// Numbers of the parts in a folder, ascending; none if there is no folder.
pub fn list(trials: &Path) -> Vec<u64> {
    let names = fs::read_dir(trials).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut parts: Vec<u64> = names.filter_map(|name| number(&name.to_string_lossy())).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// Reads a part; without its files it is empty.
///
/// # Errors
/// A file is damaged or belongs to another plan.
pub fn load(trials: &Path, part: u64, schema: &Arc<Schema>) -> Result<Part> {
    let mut rows = Results::new(schema.clone());
    let path = file(trials, part);
    if path.exists() {
        for batch in open(&path, &schema.plan)? {
            let batch = batch.and_then(|batch| rows.append(&batch, 0..batch.len()).map(|()| batch));
            batch.map_err(|error| damaged(&path, &error))?;
        }
    }
    let in_file = rows.len();
    let mut part_rows = Part { rows, in_file, journal_bytes: 0 };
    let path = journal_file(trials, part);
    if path.exists() {
        let journalled = journal::read(&path, &read(&path)?, schema)?;
        let (end, held) = (journalled.first + journalled.rows.len(), in_file);
        // One whose rows the file has, or that leaves a gap, is left over: it is written anew.
        if journalled.first <= held && held < end && end <= ROWS_PER_PART {
            part_rows.rows.append(&journalled.rows, held - journalled.first..journalled.rows.len())?;
            part_rows.journal_bytes = journalled.bytes;
        }
    }
    Ok(part_rows)
}

/// Opens the file of a part of this plan.
///
/// # Errors
/// It is damaged or belongs to another plan.
pub fn open(path: &Path, plan: &str) -> Result<Reader> {
    let reader = Reader::open(read(path)?.into()).map_err(|error| damaged(path, &error))?;
    if reader.schema().plan != plan {
        return Err(damaged(
            path,
            &Error::data(format!("it belongs to the plan {}, not to {plan}", reader.schema().plan)),
        ));
    }
    if reader.rows() > ROWS_PER_PART as u64 {
        return Err(damaged(path, &Error::data(format!("{} trials where a part has {ROWS_PER_PART}", reader.rows()))));
    }
    Ok(reader)
}

fn damaged(path: &Path, error: &Error) -> Error {
    Error::data(error.message()).in_file(path.display().to_string()).help(
        "remove this file, and run the study's command again: it evaluates these trials anew and keeps all others",
    )
}

/// Writes the file of a part, whole.
///
/// # Errors
/// The file cannot be written.
pub fn write(trials: &Path, part: u64, rows: &Results) -> Result<()> {
    let mut sink = ParquetSink::new(Vec::new(), rows.schema().clone())?;
    sink.append(rows)?;
    whole::write_whole(&file(trials, part), &sink.finish()?)?;
    sync_folder(trials)
}

/// Removes parts, journals and what was never finished, and the folder if nothing else is in it.
///
/// # Errors
/// A file cannot be removed.
pub fn discard(trials: &Path) -> Result<()> {
    for entry in fs::read_dir(trials).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_part(&name) || whole::is_temporary(&name) {
            fs::remove_file(entry.path()).map_err(|error| {
                Error::machine(format!("`{}` could not be removed: {error}", entry.path().display()))
                    .help("give yourself the right to write into its folder")
            })?;
        }
    }
    let _ = fs::remove_dir(trials);
    Ok(())
}
