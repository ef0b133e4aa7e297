//! The trials of a part that is not full yet.
//!
//! Given rows, this file appends them to `part-NNNNNN.journal`, each batch with its hash, and reads back those that are
//! whole. A batch that was being written when the process ended has no matching hash: it and what follows is cut off and
//! evaluated again. It never knows what a metric means. A journal lives until its part is written; a finished study has none.
//!
//! Layout, all numbers little-endian: a head of `MAGIC`, the plan's id (32 bytes), numbers of parameters and of metrics
//! (u32); then records of the number of rows (u32), the place of the first one in the part (u32), the columns one after
//! another (index u64, parameters f64, metrics f64, bars read u64, the part of the data f64 where the plan has parts,
//! status u8), and 32 bytes of BLAKE3 over all this.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sandtable_core::results::{Results, Schema, Status, TrialRow};
use sandtable_core::{Error, Result};

use super::whole::failed;

const MAGIC: &[u8; 8] = b"SANDJRN1";
const HASH: usize = 32;
/// Status codes, in the order of the format.
const STATUS: [Status; 2] = [Status::Ok, Status::Failed];

/// A journal that is written to.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
}

/// What a journal holds.
#[derive(Debug)]
pub struct Journalled {
    /// Place of the first row in the part.
    pub first: usize,
    /// The rows.
    pub rows: Results,
    /// Bytes that are whole: where the next record goes.
    pub bytes: u64,
}

impl Journal {
    /// Starts a journal, or goes on after `bytes` of one that is there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn open(path: &Path, schema: &Schema, bytes: u64) -> Result<Journal> {
        let start = || -> std::io::Result<File> {
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            file.set_len(bytes)?;
            file.seek(SeekFrom::Start(bytes))?;
            if bytes == 0 {
                file.write_all(&head(schema))?;
            }
            Ok(file)
        };
        Ok(Journal { file: start().map_err(|error| unwritten(path, &error))?, path: path.to_owned() })
    }

    /// Appends rows, of which the first has the place `first` in the part.
    ///
    /// # Errors
    /// The file cannot be written; what was written before is whole.
    pub fn append(&mut self, first: usize, rows: &Results) -> Result<()> {
        self.file.write_all(&record(first, rows)).map_err(|error| unwritten(&self.path, &error))
    }

    /// Makes what was appended outlast a power failure.
    ///
    /// # Errors
    /// The disk fails.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| unwritten(&self.path, &error))
    }
}

fn unwritten(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let reason = failed(path, error).message().to_owned();
    Error::machine(reason)
        .help("make room or give the right to write, and run the same command again: finished trials are kept")
}

fn head(schema: &Schema) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.extend_from_slice(schema.plan.as_bytes());
    for count in [schema.params.len(), schema.metrics.len()] {
        head.extend_from_slice(&(count as u32).to_le_bytes());
    }
    head
}

fn record(first: usize, rows: &Results) -> Vec<u8> {
    let schema = rows.schema();
    let mut bytes = Vec::with_capacity(8 + rows.len() * width(schema) + HASH);
    for count in [rows.len(), first] {
        bytes.extend_from_slice(&(count as u32).to_le_bytes());
    }
    let mut words =
        |column: &mut dyn Iterator<Item = u64>| column.for_each(|x| bytes.extend_from_slice(&x.to_le_bytes()));
    words(&mut rows.index().iter().copied());
    (0..schema.params.len()).for_each(|k| words(&mut rows.param(k).iter().map(|x| x.to_bits())));
    (0..schema.metrics.len()).for_each(|k| words(&mut rows.metric(k).iter().map(|x| x.to_bits())));
    words(&mut rows.bars_read().iter().copied());
    if schema.budgets {
        words(&mut (0..rows.len()).map(|row| rows.budget(row).to_bits()));
    }
    bytes.extend(rows.status().iter().map(|&status| code(status)));
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    bytes
}

/// Place in [`STATUS`].
fn code(status: Status) -> u8 {
    match status {
        Status::Ok => 0,
        Status::Failed => 1,
    }
}

/// Bytes of a row.
fn width(schema: &Schema) -> usize {
    8 * words_of(schema) + 1
}

/// Numbers of a row, the status aside.
fn words_of(schema: &Schema) -> usize {
    2 + schema.params.len() + schema.metrics.len() + usize::from(schema.budgets)
}

/// Reads the whole records of a journal; those that do not follow the one before are the end of it.
///
/// # Errors
/// It belongs to another plan.
pub fn read(path: &Path, bytes: &[u8], schema: &Arc<Schema>) -> Result<Journalled> {
    let mut found = Journalled { first: 0, rows: Results::new(schema.clone()), bytes: 0 };
    let head = head(schema);
    let Some(written) = bytes.get(..head.len()) else { return Ok(found) };
    if written != head {
        return Err(Error::data("these trials belong to another plan, or another version of this program wrote them")
            .in_file(path.display().to_string())
            .help("remove the file, and run the study's command again: it evaluates its trials anew"));
    }
    let mut at = head.len();
    found.bytes = at as u64;
    while let Some(length) = whole_record(&bytes[at..], schema) {
        let body = &bytes[at..at + length];
        let first = number(body, 4) as usize;
        if found.rows.is_empty() {
            found.first = first;
        } else if first != found.first + found.rows.len() {
            break;
        }
        read_record(body, &mut found.rows);
        at += length;
        found.bytes = at as u64;
    }
    Ok(found)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// Length of the record that `bytes` start with, if it is whole.
fn whole_record(bytes: &[u8], schema: &Schema) -> Option<usize> {
    let rows = number(bytes.get(..8)?, 0) as usize;
    let end = rows.checked_mul(width(schema))?.checked_add(8)?;
    let hash = bytes.get(end..end.checked_add(HASH)?)?;
    (rows > 0 && blake3::hash(&bytes[..end]).as_bytes() == hash).then_some(end + HASH)
}

/// Adds the rows of a whole record.
fn read_record(record: &[u8], into: &mut Results) {
    let schema = into.schema().clone();
    let rows = number(record, 0) as usize;
    let word = |column: usize, row: usize| {
        let at = 8 + 8 * (column * rows + row);
        record.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    let (params, metrics) = (schema.params.len(), schema.metrics.len());
    let (columns, bars) = (words_of(&schema), 1 + params + metrics);
    for row in 0..rows {
        let floats = |columns: std::ops::Range<usize>| -> Vec<f64> {
            columns.map(|column| f64::from_bits(word(column, row))).collect()
        };
        let status = record.get(8 + 8 * columns * rows + row).and_then(|&code| STATUS.get(usize::from(code)));
        into.push(TrialRow {
            index: word(0, row),
            params: &floats(1..1 + params),
            metrics: &floats(1 + params..bars),
            budget: if schema.budgets { f64::from_bits(word(bars + 1, row)) } else { 1.0 },
            bars_read: word(bars, row),
            // Hashed with the rest, so it is a code of this format.
            status: status.copied().unwrap_or(Status::Failed),
        });
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use sandtable_core::plan::ParamKind;

    use super::*;

    fn rows(schema: &Arc<Schema>, from: u64, count: u64) -> Results {
        let mut rows = Results::new(schema.clone());
        for index in from..from + count {
            let metrics: Vec<f64> = (0..schema.metrics.len())
                .map(|k| if k == 2 { f64::NAN } else { (index + k as u64) as f64 / 3.0 })
                .collect();
            let status = STATUS[usize::from(index % 5 == 4)];
            rows.push(TrialRow {
                index,
                params: &[index as f64, 0.5],
                metrics: &metrics,
                budget: if schema.budgets { 0.05 } else { 1.0 },
                bars_read: index * 9,
                status,
            });
        }
        rows
    }

    fn bits(rows: &Results) -> Vec<Vec<u64>> {
        let row = |k: usize| {
            let floats = rows.point(k).into_iter().chain(rows.metrics_of(k)).map(f64::to_bits);
            let whole = [rows.index()[k], rows.bars_read()[k], rows.status()[k] as u64, rows.budget(k).to_bits()];
            whole.into_iter().chain(floats).collect()
        };
        (0..rows.len()).map(row).collect()
    }

    const PLAN: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn what_is_cut_or_changed_ends_the_journal_and_nothing_else() {
        let schema = Schema::new(PLAN, [("a", ParamKind::Int), ("b", ParamKind::Float)]);
        cut_and_change(Arc::new(schema.clone()));
        cut_and_change(Arc::new(schema.with_budgets()));
    }

    fn cut_and_change(schema: Arc<Schema>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part-000000.journal");
        let (one, two) = (rows(&schema, 0, 7), rows(&schema, 7, 4));
        let mut journal = Journal::open(&path, &schema, 0).unwrap();
        journal.append(3, &one).unwrap();
        journal.append(10, &two).unwrap();
        journal.sync().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let all = read(&path, &bytes, &schema).unwrap();
        let mut expected = one.clone();
        expected.append(&two, 0..4).unwrap();
        assert_eq!((all.first, all.bytes), (3, bytes.len() as u64));
        assert_eq!(bits(&all.rows), bits(&expected));
        let second = bytes.len() - 8 - 4 * width(&schema) - HASH;
        for end in 0..bytes.len() {
            let found = read(&path, &bytes[..end], &schema).unwrap();
            let head = head(&schema).len();
            let whole = if end >= second {
                (7, second)
            } else if end >= head {
                (0, head)
            } else {
                (0, 0)
            };
            assert_eq!((found.rows.len(), found.bytes), (whole.0, whole.1 as u64), "{end} bytes");
        }
        for at in (head(&schema).len()..bytes.len()).step_by(41) {
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            let found = read(&path, &changed, &schema).unwrap();
            assert_eq!(found.rows.len(), if at >= second { 7 } else { 0 }, "byte {at}");
        }
        // Going on after a cut gives the same file.
        std::fs::write(&path, &bytes[..second + 99]).unwrap();
        Journal::open(&path, &schema, second as u64).unwrap().append(10, &two).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        let other = Arc::new(Schema { plan: PLAN.replace('0', "9"), ..(*schema).clone() });
        assert!(read(&path, &bytes, &other).unwrap_err().message().contains("another plan"));
    }
}
