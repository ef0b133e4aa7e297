//! Which row groups of a bundle's files a selection needs.
//!
//! Given the footers' statistics, this gives the groups to read. It never sees a byte of the columns.

use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use super::manifest::{Manifest, SymbolEntry};
use super::read::{Selection, damaged};
use crate::error::{Error, Result};

/// One row group: the bars of one symbol over a span of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    /// Index of the symbol in the manifest.
    pub symbol: usize,
    /// First session.
    pub first: i32,
    /// Last session.
    pub last: i32,
    /// Place of its file in the manifest.
    pub file: usize,
    /// Place in its file.
    pub index: usize,
    /// Number of bars.
    pub rows: u64,
}

impl Group {
    /// What the statistics of a row group say.
    ///
    /// # Errors
    /// They are missing, or name no symbol that the manifest lists.
    pub fn of(file: usize, index: usize, group: &RowGroupMetaData, manifest: &Manifest) -> Result<Group> {
        let symbol = symbol(group, manifest)?;
        let (first, last) = sessions(group)?;
        Ok(Group { symbol, first, last, file, index, rows: group.num_rows().max(0) as u64 })
    }
}

/// Row groups of a symbol must hold as many rows as the manifest says, wherever they are.
///
/// # Errors
/// They do not.
pub(super) fn check_row_counts(all: &[Group], manifest: &Manifest) -> Result<()> {
    let mut rows = vec![0u64; manifest.symbols.len()];
    for group in all {
        rows[group.symbol] += group.rows;
    }
    match manifest.symbols.iter().zip(&rows).find(|(entry, rows)| entry.rows != **rows) {
        Some((entry, rows)) => {
            Err(Error::data(format!("{} has {rows} rows; the manifest says {}", entry.symbol, entry.rows)))
        }
        None => Ok(()),
    }
}

/// The groups of the chosen symbols in the wanted dates, and before them as many as the warm-up needs; in the order
/// of files and of groups in a file.
pub(super) fn choose(
    mut all: Vec<Group>,
    manifest: &Manifest,
    symbols: &[SymbolEntry],
    selection: &Selection,
) -> Vec<Group> {
    all.sort_unstable();
    let mut chosen: Vec<Group> = Vec::new();
    for of_symbol in all.chunk_by(|a, b| a.symbol == b.symbol) {
        let name = &manifest.symbols[of_symbol[0].symbol].symbol;
        if !symbols.iter().any(|entry| entry.symbol == *name) {
            continue;
        }
        let mut missing = u64::from(selection.warmup_bars.unwrap_or(0));
        // From the last to the first: the warm-up is what lies just before the dates.
        for group in of_symbol.iter().rev() {
            let before = selection.from.is_some_and(|from| group.last < from);
            if selection.wants_date(group.first, group.last) {
                chosen.push(*group);
            } else if before && missing > 0 {
                missing = missing.saturating_sub(group.rows);
                chosen.push(*group);
            }
        }
    }
    chosen.sort_unstable_by_key(|group| (group.file, group.index));
    chosen
}

/// The index in the manifest of the one symbol that a row group holds, by its statistics.
fn symbol(group: &RowGroupMetaData, manifest: &Manifest) -> Result<usize> {
    let statistics = group.columns().iter().find(|column| column.column_path().string() == "symbol");
    if let Some(Statistics::ByteArray(values)) = statistics.and_then(|column| column.statistics())
        && let (Some(least), Some(greatest)) = (values.min_bytes_opt(), values.max_bytes_opt())
        && least == greatest
        && let Ok(i) = manifest.symbols.binary_search_by(|entry| entry.symbol.as_bytes().cmp(least))
    {
        return Ok(i);
    }
    Err(damaged("a row group does not say which listed symbol it holds"))
}

fn sessions(group: &RowGroupMetaData) -> Result<(i32, i32)> {
    let column = group.columns().iter().find(|column| column.column_path().string() == "session");
    match column.and_then(|column| column.statistics()) {
        Some(Statistics::Int32(values)) => values.min_opt().copied().zip(values.max_opt().copied()),
        _ => None,
    }
    .ok_or_else(|| damaged("a row group does not say which sessions it holds"))
}
