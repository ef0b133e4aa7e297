//! The trials of a study while it runs: what is known already, and what is added.
//!
//! Given the trials of a search in the order in which it asks for them, this file says which of them are on disk, and
//! keeps the others: each batch in a journal at once, each full part as a file. It never knows whether a trial comes from
//! a search that learns: the same search asks for the same trials again, and so a resumed one is a replayed one.
//!
//! What is kept outlasts the end of the process at once, and a power failure after at most a second.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandtable_core::results::{Results, Schema};
use sandtable_core::run::{Batch, Outcome};
use sandtable_core::{Error, Result};

use super::earlier::Earlier;
use super::journal::Journal;
use super::parts::{self, Part, ROWS_PER_PART};
use crate::files::sync_folder;

/// Longest time that finished trials are not synced. A sync may take as long as a batch, so not each has its own.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The trials of a study folder.
#[derive(Debug)]
pub struct Store {
    trials: PathBuf,
    schema: Arc<Schema>,
    /// Trials of the search that went by.
    position: u64,
    /// Parts under way: that of the position, and those that a batch reaches into.
    open: BTreeMap<u64, Part>,
    journal: Option<Journal>,
    synced: Instant,
    /// Rows of one batch that were not known.
    fresh: Results,
    earlier: Option<Earlier>,
}

impl Store {
    /// The trials in this folder, which is made if there is none.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(trials: &Path, schema: Arc<Schema>, earlier: Option<Earlier>) -> Result<Store> {
        std::fs::create_dir_all(trials).map_err(|error| {
            Error::machine(format!("folder `{}` could not be made: {error}", trials.display()))
                .help("name a folder that you may write to with --out")
        })?;
        Ok(Store {
            trials: trials.to_owned(),
            position: 0,
            open: BTreeMap::new(),
            journal: None,
            synced: Instant::now(),
            fresh: Results::new(schema.clone()),
            schema,
            earlier,
        })
    }

    /// What is known of the trials that the search asks for next.
    ///
    /// # Errors
    /// A file is damaged, or holds other trials than those that are asked for.
    pub fn known(&mut self, batch: &Batch) -> Result<Vec<Option<Outcome>>> {
        let mut known = Vec::with_capacity(batch.indices.len());
        for ((place, &index), point) in (self.position..).zip(&batch.indices).zip(&batch.points) {
            let (part, row) = Self::place(place);
            let rows = &self.part(part)?.rows;
            let (kept, budget) = (Outcome::of_row(rows, row), rows.budget(row));
            known.push(match kept {
                Some(outcome) if outcome.index == index && budget == batch.budget => Some(outcome),
                Some(outcome) => return Err(self.strange(part, outcome.index, index)),
                None => match &mut self.earlier {
                    Some(earlier) => earlier.outcome(index, point, batch.budget)?,
                    None => None,
                },
            });
        }
        Ok(known)
    }

    fn strange(&self, part: u64, held: u64, asked: u64) -> Error {
        Error::data(format!("it holds trial {held} where the search asks for trial {asked}"))
            .in_file(parts::file(&self.trials, part).display().to_string())
            .help("its files are not of one run: start anew with --force, or name another folder with --out")
    }

    /// Part and row of a place in the search's order.
    fn place(place: u64) -> (u64, usize) {
        let rows = ROWS_PER_PART as u64;
        (place / rows, (place % rows) as usize)
    }

    fn part(&mut self, part: u64) -> Result<&mut Part> {
        match self.open.entry(part) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(none) => Ok(none.insert(parts::load(&self.trials, part, &self.schema)?)),
        }
    }

    /// Takes the trials that the search asked for, all of them; those that are on disk already stay there.
    ///
    /// # Errors
    /// They cannot be written. What was taken before is kept.
    pub fn append(&mut self, rows: &Results) -> Result<()> {
        let mut from = 0;
        while from < rows.len() {
            let (part, row) = Self::place(self.position);
            let to = rows.len().min(from + ROWS_PER_PART - row);
            self.append_to(part, row, rows, from..to)?;
            self.position += (to - from) as u64;
            from = to;
            if self.position.is_multiple_of(ROWS_PER_PART as u64) {
                self.close(part)?;
            }
        }
        Ok(())
    }

    /// Adds those of some rows that a part does not have yet. `row` is the place of the first of them in the part.
    fn append_to(&mut self, part: u64, row: usize, rows: &Results, range: std::ops::Range<usize>) -> Result<()> {
        let held = self.part(part)?.rows.len();
        let skip = held.saturating_sub(row);
        if skip >= range.len() {
            return Ok(());
        }
        self.fresh.clear();
        self.fresh.append(rows, range.start + skip..range.end)?;
        let fresh = std::mem::replace(&mut self.fresh, Results::new(self.schema.clone()));
        let open = self.part(part)?;
        open.rows.append(&fresh, 0..fresh.len())?;
        let (full, bytes) = (open.rows.len() == ROWS_PER_PART, open.journal_bytes);
        if !full {
            self.journal(part, bytes, held, &fresh)?;
        }
        self.fresh = fresh;
        Ok(())
    }

    fn journal(&mut self, part: u64, bytes: u64, first: usize, rows: &Results) -> Result<()> {
        let journal = match &mut self.journal {
            Some(journal) => journal,
            none => none.insert(Journal::open(&parts::journal_file(&self.trials, part), &self.schema, bytes)?),
        };
        journal.append(first, rows)?;
        if self.synced.elapsed() >= SYNC_EVERY {
            journal.sync()?;
            sync_folder(&self.trials)?;
            self.synced = Instant::now();
        }
        Ok(())
    }

    /// Writes a part of which something is in the journal only, and forgets it.
    fn close(&mut self, part: u64) -> Result<()> {
        let Some(open) = self.open.remove(&part) else { return Ok(()) };
        if open.rows.len() > open.in_file {
            parts::write(&self.trials, part, &open.rows)?;
        }
        self.journal = None;
        let journal = parts::journal_file(&self.trials, part);
        if journal.exists() {
            std::fs::remove_file(&journal).map_err(|error| {
                Error::machine(format!("`{}` could not be removed: {error}", journal.display()))
                    .help("give yourself the right to write into its folder, and run the same command again")
            })?;
        }
        Ok(())
    }

    /// Ends: what is in a journal becomes a part, full or not.
    ///
    /// # Errors
    /// It cannot be written; the journal stays.
    pub fn finish(mut self) -> Result<()> {
        let open: Vec<u64> = self.open.keys().copied().collect();
        open.into_iter().try_for_each(|part| self.close(part))
    }
}
