//! What one run leaves to the next: the columns and comparisons of its batches.
//!
//! Given batches with what was prepared for them, this file keeps them up to a number of bytes and finds them again by
//! their points. It never knows whose they are: the runs see to it that panel and strategy are the same.

use std::sync::Arc;

use super::Batch;
use crate::context::Prepared;

/// Most bytes that are kept: the columns and comparisons of a thousand trials over fifty thousand bars. Columns count in
/// full, although the history layer mostly holds them as well.
const MOST_BYTES: usize = 64 << 20;

/// Batches with what was prepared for them.
#[derive(Debug, Default)]
pub(super) struct Kept {
    ready: Vec<(Arc<Batch>, Arc<Prepared>)>,
    bytes: usize,
}

impl Kept {
    /// Keeps what was prepared for a batch over so many rows, if there is room. The first ones stay, because a search
    /// that is run again asks for them first.
    pub fn keep(&mut self, batch: &Arc<Batch>, prepared: &Arc<Prepared>, rows: usize) {
        let bytes = prepared.bytes(rows);
        if self.bytes + bytes <= MOST_BYTES && self.find(batch).is_none() {
            self.bytes += bytes;
            self.ready.push((batch.clone(), prepared.clone()));
        }
    }

    /// Keeps what others keep, as far as there is room.
    pub fn take_over(&mut self, others: &Kept, rows: usize) {
        for (batch, prepared) in &others.ready {
            self.keep(batch, prepared, rows);
        }
    }

    /// What was prepared for the points of a batch.
    pub fn find(&self, batch: &Batch) -> Option<Arc<Prepared>> {
        let found = self.ready.iter().find(|(known, _)| known.points == batch.points);
        found.map(|(_, prepared)| prepared.clone())
    }
}
