//! Decodes a bundle without doing I/O: the [`Reader`] says which byte ranges it needs, is given them, and in the end
//! gives the bundle.
//!
//! ```text
//! new(manifest) ─▶ step: Need(footers) ─▶ give ─▶ step: Need(column chunks) ─▶ give ─▶ step: Ready(bundle)
//! ```
//!
//! Nothing is decoded before its checksum was compared (footers against the manifest, column chunks against the
//! footer), and nothing is allocated on the word of a number that the length of the bytes does not bear out.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::push_decoder::ParquetPushDecoderBuilder;
use parquet::basic::Type;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};

use super::actions::check_actions;
use super::check::check_bars;
use super::draft::{actions_hash, bars_hash};
use super::groups::{self, Group};
use super::manifest::{FileEntry, FileKind, Manifest, SymbolEntry};
use super::pages::{Origin, check_pages};
use super::write::{CHUNK_SUM_DIGITS, CHUNK_SUMS_KEY, GROUP_ROWS_MAX, PAY_UNKNOWN, chunk_sum};
use super::{Action, Bars, Bundle, Field};
use crate::error::{Error, Result, nearest};

/// What to read of a bundle; the default is everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Only these symbols.
    pub symbols: Option<Vec<String>>,
    /// Only sessions from this date on (days since 1970-01-01).
    pub from: Option<i32>,
    /// Only sessions up to and including this date (days since 1970-01-01).
    pub to: Option<i32>,
    /// Only these columns; the others stay empty.
    pub fields: Option<Vec<Field>>,
    /// For a plan's warm-up: of each symbol also this many bars before `from` (or as many as it has), and symbols
    /// without a bar in the dates stay, with what they have.
    pub warmup_bars: Option<u32>,
}

impl Selection {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Whether a bundle cut to this holds everything that one cut to `other` does.
    pub fn covers(&self, other: &Selection) -> bool {
        let symbols = self.symbols.as_ref().is_none_or(|own| {
            other.symbols.as_ref().is_some_and(|wanted| wanted.iter().all(|symbol| own.contains(symbol)))
        });
        let from = self.from.is_none_or(|own| other.from.is_some_and(|wanted| wanted >= own));
        let to = self.to.is_none_or(|own| other.to.is_some_and(|wanted| wanted <= own));
        let fields = other.fields().iter().all(|field| self.fields().contains(field));
        // Bars before a later `from` are more, never fewer, than those before an earlier one.
        let warmup = self.from.is_none() || self.warmup_bars.unwrap_or(0) >= other.warmup_bars.unwrap_or(0);
        // Without a warm-up, symbols that have no bar in the dates were left out.
        let all_stay = self.warmup_bars.is_some() || (self.from.is_none() && self.to.is_none());
        symbols && from && to && fields && warmup && all_stay
    }

    pub(super) fn wants_date(&self, first: i32, last: i32) -> bool {
        self.from.is_none_or(|from| last >= from) && self.to.is_none_or(|to| first <= to)
    }

    fn fields(&self) -> Vec<Field> {
        match &self.fields {
            None => Field::ALL.to_vec(),
            Some(wanted) => Field::ALL.into_iter().filter(|field| wanted.contains(field)).collect(),
        }
    }
}

/// Some bytes of one of the bundle's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// File name inside the folder.
    pub file: String,
    /// First byte.
    pub start: u64,
    /// Byte after the last.
    pub end: u64,
}

/// What the reader wants next.
#[derive(Clone, Debug)]
pub enum Step {
    /// These bytes, each range by one [`Reader::give`], before the next step.
    Need(Vec<ByteRange>),
    /// Nothing more: here is the bundle.
    Ready(Bundle),
}

/// Reads a bundle, or a slice of it, from bytes that it asks for.
#[derive(Debug)]
pub struct Reader {
    manifest: Manifest,
    selection: Selection,
    fields: Vec<Field>,
    symbols: Vec<SymbolEntry>,
    files: Vec<Source>,
    stage: Stage,
    actions: Vec<Action>,
    thorough: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Footers,
    Chunks,
    Done,
}

/// One file on its way from bytes to row groups.
#[derive(Debug)]
struct Source {
    entry: FileEntry,
    footer: Option<Arc<ParquetMetaData>>,
    /// Row groups to decode, in file order, with the symbol each belongs to.
    groups: Vec<(usize, usize)>,
    wanted: BTreeMap<u64, u64>,
    given: BTreeMap<u64, Bytes>,
}

impl Reader {
    /// A reader for the bundle of this manifest.
    ///
    /// # Errors
    /// The manifest is damaged, or the selection names a symbol that it does not list, or dates in which it has none.
    pub fn new(manifest: &[u8], selection: Selection) -> Result<Reader> {
        Self::with_manifest(Manifest::parse(manifest)?, selection)
    }

    /// A reader for the bundle of a manifest that was parsed before.
    ///
    /// # Errors
    /// The selection names a symbol that the manifest does not list, or dates in which no symbol has bars.
    pub fn with_manifest(manifest: Manifest, selection: Selection) -> Result<Reader> {
        let symbols = chosen_symbols(&manifest, &selection)?;
        let fields = selection.fields();
        let files = manifest.files.iter().map(|entry| Source::new(entry.clone())).collect();
        Ok(Reader {
            manifest,
            selection,
            fields,
            symbols,
            files,
            stage: Stage::Footers,
            actions: Vec::new(),
            thorough: false,
        })
    }

    /// The same reader, which also compares the bars decoded with the content hashes that the version is made of. Only
    /// somebody who means to mislead can make that fail after the checksums of the bytes were right.
    #[must_use]
    pub fn thorough(mut self) -> Self {
        self.thorough = true;
        self
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The actions of the symbols read, known once the bundle is ready; not cut to the dates of the selection.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Goes as far as the given bytes allow.
    ///
    /// # Errors
    /// The bytes given are damaged or do not agree with the manifest; asked again after the bundle was given.
    pub fn step(&mut self) -> Result<Step> {
        if self.stage == Stage::Footers {
            let need = self.missing();
            if !need.is_empty() {
                return Ok(Step::Need(need));
            }
            for i in 0..self.files.len() {
                self.open_file(i).map_err(|error| error.in_file(&self.files[i].entry.name))?;
            }
            self.choose_groups()?;
            self.stage = Stage::Chunks;
        }
        if self.stage == Stage::Chunks {
            let need = self.missing();
            if !need.is_empty() {
                return Ok(Step::Need(need));
            }
            self.stage = Stage::Done;
            return self.decode().map(Step::Ready);
        }
        Err(Error::data("the bundle was read already"))
    }

    /// Hands over the bytes of one range that [`Reader::step`] asked for.
    ///
    /// # Errors
    /// The range was not asked for, or has another length.
    pub fn give(&mut self, file: &str, start: u64, bytes: Bytes) -> Result<()> {
        let source = self.files.iter_mut().find(|source| source.entry.name == file);
        let wanted = source.and_then(|source| source.wanted.get(&start).copied().map(|end| (source, end)));
        match wanted {
            Some((source, end)) if end - start == bytes.len() as u64 => {
                source.wanted.remove(&start);
                source.given.insert(start, bytes);
                Ok(())
            }
            Some((_, end)) => Err(Error::data(format!(
                "{} bytes came for bytes {start}..{end}; is the file shorter than the manifest says?",
                bytes.len()
            ))
            .in_file(file)),
            None => Err(Error::data(format!("bytes from {start} on were not asked for")).in_file(file)),
        }
    }

    fn missing(&self) -> Vec<ByteRange> {
        let ranges = |source: &Source| {
            let file = source.entry.name.clone();
            let range = move |(&start, &end): (&u64, &u64)| ByteRange { file: file.clone(), start, end };
            source.wanted.iter().map(range).collect::<Vec<_>>()
        };
        self.files.iter().flat_map(ranges).collect()
    }

    fn open_file(&mut self, i: usize) -> Result<()> {
        let source = &mut self.files[i];
        match source.entry.kind {
            FileKind::Bars => source.open_footer(),
            FileKind::Actions => {
                let bytes = source.take(0, source.entry.bytes)?;
                let actions = decode_actions(&source.entry, &bytes)?;
                if actions_hash(&actions) != self.manifest.actions_blake3 {
                    return Err(Error::data("the actions are not those that the manifest lists"));
                }
                self.actions = actions
                    .into_iter()
                    .filter(|action| self.symbols.iter().any(|entry| entry.symbol == action.symbol))
                    .collect();
                Ok(())
            }
        }
    }

    /// Chooses the row groups to read by their statistics and asks for their bytes.
    fn choose_groups(&mut self) -> Result<()> {
        let mut all: Vec<Group> = Vec::new();
        for (file, source) in self.files.iter().enumerate() {
            for (index, group) in source.footer.iter().flat_map(|footer| footer.row_groups()).enumerate() {
                all.push(Group::of(file, index, group, &self.manifest).map_err(|e| e.in_file(&source.entry.name))?);
            }
        }
        groups::check_row_counts(&all, &self.manifest)?;
        for group in groups::choose(all, &self.manifest, &self.symbols, &self.selection) {
            self.files[group.file].groups.push((group.index, group.symbol));
        }
        for source in self.files.iter_mut().filter(|source| source.entry.kind == FileKind::Bars) {
            source.want_chunks(&self.fields).map_err(|error| error.in_file(&source.entry.name))?;
        }
        Ok(())
    }

    fn decode(&mut self) -> Result<Bundle> {
        let mut bars: Vec<Bars> = self.symbols.iter().map(|_| Bars::default()).collect();
        let names: Vec<&str> = self.manifest.symbols.iter().map(|entry| entry.symbol.as_str()).collect();
        for source in &mut self.files {
            let file = source.entry.name.clone();
            source
                .decode_groups(&self.fields, |symbol, batch| {
                    let place = self.symbols.iter().position(|entry| entry.symbol == names[symbol]);
                    place.map_or(Ok(()), |place| append(&mut bars[place], batch, &self.fields))
                })
                .map_err(|error| error.in_file(file))?;
        }
        for (entry, bars) in self.symbols.iter().zip(&mut bars) {
            check_bars(&entry.symbol, bars, &self.fields)?;
            self.check_whole(entry, bars)?;
            cut(bars, &self.selection);
        }
        let all_stay = self.selection.warmup_bars.is_some();
        let keep: Vec<bool> = bars.iter().map(|bars| all_stay || !bars.is_empty()).collect();
        let mut kept = keep.iter();
        bars.retain(|_| kept.next().copied().unwrap_or(false));
        let kept = || self.symbols.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(entry, _)| entry);
        let symbols: Vec<String> = kept().map(|entry| entry.symbol.clone()).collect();
        if symbols.is_empty() {
            return Err(no_bars_in_range(&self.manifest));
        }
        let actions = self.actions.iter().filter(|action| symbols.contains(&action.symbol)).cloned().collect();
        Ok(Bundle {
            name: self.manifest.name.clone(),
            version: self.manifest.version.clone(),
            frequency: self.manifest.frequency,
            calendar: self.manifest.calendar,
            prices: self.manifest.prices,
            benchmark: self.manifest.benchmark.clone(),
            records: kept().map(|entry| (entry.first, entry.last)).collect(),
            symbols,
            bars,
            actions,
        })
    }

    /// A symbol that was read whole must have the range that the manifest lists and, if that is asked for and all
    /// columns were read, the content.
    fn check_whole(&self, entry: &SymbolEntry, bars: &Bars) -> Result<()> {
        if bars.len() as u64 != entry.rows {
            return Ok(());
        }
        let (first, last) = (bars.session.first(), bars.session.last());
        let same = first == Some(&entry.first)
            && last == Some(&entry.last)
            && (!self.thorough || self.fields.len() < Field::ALL.len() || bars_hash(bars) == entry.blake3);
        if same {
            return Ok(());
        }
        Err(Error::data(format!("the bars of {} are not those that the manifest lists", entry.symbol))
            .help("ingest the data again, or restore the folder from a copy"))
    }
}

fn chosen_symbols(manifest: &Manifest, selection: &Selection) -> Result<Vec<SymbolEntry>> {
    let names = || manifest.symbols.iter().map(|entry| entry.symbol.as_str());
    for wanted in selection.symbols.iter().flatten() {
        if !names().any(|name| name == wanted) {
            let error = Error::data(format!("the bundle {} has no symbol {wanted}", manifest.name));
            return Err(match nearest(wanted, names()) {
                Some(near) => error.help(format!("did you mean {near}?")),
                None => error.help(format!("it has {}", listed(names(), 12))),
            });
        }
    }
    let chosen: Vec<SymbolEntry> = manifest
        .symbols
        .iter()
        .filter(|entry| selection.symbols.as_ref().is_none_or(|wanted| wanted.contains(&entry.symbol)))
        .filter(|entry| selection.warmup_bars.is_some() || selection.wants_date(entry.first, entry.last))
        .cloned()
        .collect();
    if chosen.is_empty() { Err(no_bars_in_range(manifest)) } else { Ok(chosen) }
}

fn listed<'a>(names: impl Iterator<Item = &'a str> + Clone, most: usize) -> String {
    let shown: Vec<&str> = names.clone().take(most).collect();
    let more = names.count() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

fn no_bars_in_range(manifest: &Manifest) -> Error {
    let first = manifest.symbols.iter().map(|entry| entry.first).min().unwrap_or_default();
    let last = manifest.symbols.iter().map(|entry| entry.last).max().unwrap_or_default();
    Error::data("no bar of the bundle lies in the dates asked for").help(format!(
        "it holds {} to {}",
        crate::calendar::format_date(first),
        crate::calendar::format_date(last)
    ))
}

impl Source {
    fn new(entry: FileEntry) -> Self {
        let first = match entry.kind {
            FileKind::Bars => entry.bytes.saturating_sub(entry.footer_bytes),
            FileKind::Actions => 0,
        };
        let wanted = BTreeMap::from([(first, entry.bytes)]);
        Source { entry, footer: None, groups: Vec::new(), wanted, given: BTreeMap::new() }
    }

    /// The given bytes of a range, which may be part of a longer one that was given.
    fn take(&self, start: u64, end: u64) -> Result<Bytes> {
        let found = self.given.range(..=start).next_back();
        let slice = found.and_then(|(&from, bytes)| {
            let range = usize::try_from(start - from).ok()?..usize::try_from(end.checked_sub(from)?).ok()?;
            (range.start <= range.end && range.end <= bytes.len()).then(|| bytes.slice(range))
        });
        slice.ok_or_else(|| Error::data(format!("bytes {start}..{end} are missing")))
    }

    fn open_footer(&mut self) -> Result<()> {
        let bytes = self.take(self.entry.bytes - self.entry.footer_bytes, self.entry.bytes)?;
        if blake3::hash(&bytes).to_hex().as_str() != self.entry.footer_blake3 {
            return Err(damaged("the footer is not the one that the manifest lists"));
        }
        let footer = decode_footer(&bytes, self.entry.bytes)?;
        if u64::try_from(footer.file_metadata().num_rows()) != Ok(self.entry.rows) {
            return Err(damaged("the number of rows is not the one that the manifest lists"));
        }
        self.footer = Some(Arc::new(footer));
        self.given.clear();
        Ok(())
    }

    /// Asks for the chunks of the chosen groups, neighbours as one range.
    fn want_chunks(&mut self, fields: &[Field]) -> Result<()> {
        let mut ranges: Vec<Range<u64>> = self.chunks(fields)?.into_iter().map(|(_, _, range)| range).collect();
        ranges.sort_by_key(|range| (range.start, range.end));
        let mut merged: Vec<Range<u64>> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start < last.end => {
                    return Err(damaged("two column chunks overlap"));
                }
                Some(last) if range.start == last.end => last.end = range.end,
                _ => merged.push(range),
            }
        }
        self.wanted = merged.into_iter().map(|range| (range.start, range.end)).collect();
        Ok(())
    }

    /// (row group, column, bytes) of every chunk to decode.
    fn chunks(&self, fields: &[Field]) -> Result<Vec<(usize, usize, Range<u64>)>> {
        let Some(footer) = &self.footer else { return Ok(Vec::new()) };
        let columns = column_indices(footer, fields)?;
        let mut chunks = Vec::new();
        for &(group, _) in &self.groups {
            for &column in &columns {
                let chunk = footer.row_group(group).column(column);
                chunks.push((group, column, chunk_range(chunk, self.entry.bytes)?));
            }
        }
        Ok(chunks)
    }

    fn decode_groups(
        &mut self,
        fields: &[Field],
        mut each: impl FnMut(usize, &RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let Some(footer) = self.footer.clone() else { return Ok(()) };
        let (mut ranges, mut buffers) = (Vec::new(), Vec::new());
        for (group, column, range) in self.chunks(fields)? {
            let bytes = self.take(range.start, range.end)?;
            check_chunk_sum(&footer, group, column, &bytes)?;
            check_pages(&bytes, page_limit(footer.row_group(group)), Origin::Ours)?;
            ranges.push(range);
            buffers.push(bytes);
        }
        self.given.clear();
        let metadata = ArrowReaderMetadata::try_new(footer.clone(), reader_options()).map_err(undecodable)?;
        let projection =
            ProjectionMask::leaves(footer.file_metadata().schema_descr(), column_indices(&footer, fields)?);
        let mut decoder = ParquetPushDecoderBuilder::new_with_metadata(metadata)
            .with_projection(projection)
            .with_row_groups(self.groups.iter().map(|&(group, _)| group).collect())
            .with_batch_size(GROUP_ROWS_MAX)
            .build()
            .map_err(undecodable)?;
        decoder.push_ranges(ranges, buffers).map_err(undecodable)?;
        for &(group, symbol) in &self.groups {
            let DecodeResult::Data(reader) = decoder.try_next_reader().map_err(undecodable)? else {
                return Err(damaged("a row group ends before its rows do"));
            };
            let mut rows = 0;
            for batch in reader {
                let batch = batch.map_err(|error| damaged(&error.to_string()))?;
                rows += batch.num_rows() as i64;
                each(symbol, &batch)?;
            }
            if rows != footer.row_group(group).num_rows() {
                return Err(damaged("a row group has fewer rows than its footer says"));
            }
        }
        Ok(())
    }
}

/// Every page of one of our row groups fits in this many bytes, decompressed.
fn page_limit(group: &RowGroupMetaData) -> u64 {
    // Rows of at most 8 bytes (a symbol's dictionary holds one entry), plus headers.
    group.num_rows().clamp(0, GROUP_ROWS_MAX as i64) as u64 * 16 + 4096
}

fn reader_options() -> ArrowReaderOptions {
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

pub(super) fn damaged(what: &str) -> Error {
    Error::data(format!("the file is damaged: {what}"))
        .help("`sandtable bundle verify` checks every byte; ingest the data again, or restore the folder from a copy")
}

fn undecodable(error: ParquetError) -> Error {
    damaged(&error.to_string())
}

/// Parses a footer whose bytes are the last ones of a file of `file_bytes` bytes.
fn decode_footer(bytes: &Bytes, file_bytes: u64) -> Result<ParquetMetaData> {
    let body = bytes.len().checked_sub(8).ok_or_else(|| damaged("the footer is too short"))?;
    if bytes[body..].last_chunk::<4>() != Some(b"PAR1") {
        return Err(damaged("it does not end in PAR1"));
    }
    let length = bytes[body..].first_chunk::<4>().map_or(0, |word| u32::from_le_bytes(*word) as usize);
    if length != body {
        return Err(damaged("the length of the footer is wrong"));
    }
    let footer = ParquetMetaDataReader::decode_metadata(&bytes[..body]).map_err(undecodable)?;
    let mut rows = 0i64;
    for group in footer.row_groups() {
        if group.num_columns() != footer.file_metadata().schema_descr().num_columns() {
            return Err(damaged("a row group has another number of columns than the schema"));
        }
        if !(1..=GROUP_ROWS_MAX as i64).contains(&group.num_rows()) {
            return Err(damaged("a row group has an impossible number of rows"));
        }
        rows = rows.saturating_add(group.num_rows());
        for chunk in group.columns() {
            chunk_range(chunk, file_bytes)?;
            if chunk.num_values() != group.num_rows() {
                return Err(damaged("a column has another number of values than its row group has rows"));
            }
        }
    }
    if rows != footer.file_metadata().num_rows() {
        return Err(damaged("its row groups do not add up to its number of rows"));
    }
    Ok(footer)
}

/// Where a column chunk lies, checked against the file: `byte_range` of the library trusts its numbers.
fn chunk_range(chunk: &ColumnChunkMetaData, file_bytes: u64) -> Result<Range<u64>> {
    let wrong = || damaged("a column chunk lies outside the file");
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let start = u64::try_from(start).map_err(|_| wrong())?;
    let length = u64::try_from(chunk.compressed_size()).map_err(|_| wrong())?;
    let end = start.checked_add(length).filter(|&end| end <= file_bytes && length > 0).ok_or_else(wrong)?;
    Ok(start..end)
}

fn check_chunk_sum(footer: &ParquetMetaData, group: usize, column: usize, bytes: &[u8]) -> Result<()> {
    let columns = footer.file_metadata().schema_descr().num_columns();
    let at = (group * columns + column) * CHUNK_SUM_DIGITS;
    let listed = footer
        .file_metadata()
        .key_value_metadata()
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == CHUNK_SUMS_KEY))
        .and_then(|pair| pair.value.as_ref()?.get(at..at + CHUNK_SUM_DIGITS));
    match listed {
        Some(sum) if *sum == chunk_sum(bytes) => Ok(()),
        Some(_) => Err(damaged("a column chunk's checksum is wrong")),
        None => Err(damaged("the checksums of its column chunks are missing")),
    }
}

/// Leaf indices of time, session and the wanted fields, whose types must be ours.
fn column_indices(footer: &ParquetMetaData, fields: &[Field]) -> Result<Vec<usize>> {
    [("timestamp", Type::INT64), ("session", Type::INT32)]
        .into_iter()
        .chain(fields.iter().map(|field| (field.name(), Type::DOUBLE)))
        .map(|(name, kind)| column_index(footer, name, kind))
        .collect()
}

/// The index of a top-level column, which must be stored in this type and without nulls.
fn column_index(footer: &ParquetMetaData, name: &str, kind: Type) -> Result<usize> {
    let columns = footer.file_metadata().schema_descr().columns();
    let found = columns.iter().position(|column| column.path().parts().len() == 1 && column.name() == name);
    found
        .filter(|&i| columns[i].physical_type() == kind && columns[i].max_rep_level() == 0)
        .filter(|&i| columns[i].max_def_level() == 0)
        .ok_or_else(|| damaged(&format!("the column {name} is missing or has another type than bundles have")))
}

fn append(bars: &mut Bars, batch: &RecordBatch, fields: &[Field]) -> Result<()> {
    bars.time.extend_from_slice(times(batch)?);
    bars.session.extend_from_slice(dates(batch, "session")?.values());
    for &field in fields {
        bars.field_mut(field).extend_from_slice(floats(batch, field.name())?);
    }
    Ok(())
}

fn typed<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T> {
    batch
        .column_by_name(name)
        .and_then(|array| array.as_any().downcast_ref::<T>())
        .ok_or_else(|| damaged(&format!("the column {name} has another type than bundles have")))
}

fn no_nulls<'a>(array: &'a dyn Array, name: &str) -> Result<&'a dyn Array> {
    if array.null_count() == 0 { Ok(array) } else { Err(damaged(&format!("the column {name} holds nulls"))) }
}

fn times(batch: &RecordBatch) -> Result<&[i64]> {
    let array: &TimestampMicrosecondArray = typed(batch, "timestamp")?;
    no_nulls(array, "timestamp")?;
    if *array.data_type() != DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())) {
        return Err(damaged("the column timestamp is not in microseconds UTC"));
    }
    Ok(array.values())
}

fn dates<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Date32Array> {
    let array: &Date32Array = typed(batch, name)?;
    no_nulls(array, name)?;
    Ok(array)
}

fn floats<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a [f64]> {
    let array: &Float64Array = typed(batch, name)?;
    no_nulls(array, name)?;
    Ok(array.values())
}

/// Cuts the bars to the dates of the selection.
fn cut(bars: &mut Bars, selection: &Selection) {
    let first = selection.from.map_or(0, |from| bars.session.partition_point(|&session| session < from));
    let start = first.saturating_sub(selection.warmup_bars.unwrap_or(0) as usize);
    let end = selection.to.map_or(bars.len(), |to| bars.session.partition_point(|&session| session <= to));
    if (start, end) == (0, bars.len()) {
        return;
    }
    let keep = start..end.max(start);
    bars.time = bars.time[keep.clone()].to_vec();
    bars.session = bars.session[keep.clone()].to_vec();
    for field in Field::ALL {
        let column = bars.field_mut(field);
        if !column.is_empty() {
            *column = column[keep.clone()].to_vec();
        }
    }
}

fn decode_actions(entry: &FileEntry, bytes: &Bytes) -> Result<Vec<Action>> {
    if blake3::hash(bytes).to_hex().as_str() != entry.blake3 {
        return Err(damaged("its hash is not the one that the manifest lists"));
    }
    let footer = decode_footer(&bytes.slice(bytes.len() - entry.footer_bytes as usize..), entry.bytes)?;
    if u64::try_from(footer.file_metadata().num_rows()) != Ok(entry.rows) {
        return Err(damaged("the number of rows is not the one that the manifest lists"));
    }
    let columns = [
        ("symbol", Type::BYTE_ARRAY),
        ("ex_date", Type::INT32),
        ("pay_days", Type::INT32),
        ("split_ratio", Type::DOUBLE),
        ("cash_dividend", Type::DOUBLE),
    ];
    for (name, kind) in columns {
        column_index(&footer, name, kind)?;
    }
    let mut ranges = Vec::new();
    for group in footer.row_groups() {
        for chunk in group.columns() {
            let range = chunk_range(chunk, entry.bytes)?;
            // A symbol of 64 bytes and its length, per row, at most.
            let limit = group.num_rows().max(0) as u64 * 80 + 4096;
            check_pages(&bytes[range.start as usize..range.end as usize], limit, Origin::Ours)?;
            ranges.push(range);
        }
    }
    let buffers = ranges.iter().map(|range| bytes.slice(range.start as usize..range.end as usize)).collect();
    let metadata = ArrowReaderMetadata::try_new(Arc::new(footer), reader_options()).map_err(undecodable)?;
    let mut decoder = ParquetPushDecoderBuilder::new_with_metadata(metadata)
        .with_batch_size(GROUP_ROWS_MAX)
        .build()
        .map_err(undecodable)?;
    decoder.push_ranges(ranges, buffers).map_err(undecodable)?;
    let mut actions = Vec::new();
    while let DecodeResult::Data(batch) = decoder.try_decode().map_err(undecodable)? {
        append_actions(&mut actions, &batch)?;
    }
    check_actions(&actions)?;
    if actions.len() as u64 != entry.rows {
        return Err(damaged("it has fewer rows than its footer says"));
    }
    Ok(actions)
}

fn append_actions(actions: &mut Vec<Action>, batch: &RecordBatch) -> Result<()> {
    let symbols: &StringArray = typed(batch, "symbol")?;
    no_nulls(symbols, "symbol")?;
    let ex_dates = dates(batch, "ex_date")?;
    let pay_days: &Int32Array = typed(batch, "pay_days")?;
    no_nulls(pay_days, "pay_days")?;
    let (splits, dividends) = (floats(batch, "split_ratio")?, floats(batch, "cash_dividend")?);
    for i in 0..batch.num_rows() {
        actions.push(Action {
            symbol: symbols.value(i).to_string(),
            ex_date: ex_dates.value(i),
            pay_date: match pay_days.value(i) {
                PAY_UNKNOWN => None,
                days => Some(ex_dates.value(i).saturating_add(days)),
            },
            split_ratio: splits[i],
            cash_dividend: dividends[i],
        });
    }
    Ok(())
}

/// Checks every byte of a bundle against the hashes of its manifest, file by file. Decoding and the rules for bars are
/// [`Reader::step`]'s.
///
/// # Errors
/// The first file that is missing, or has another length or hash.
pub fn verify_files(manifest: &Manifest, mut file: impl FnMut(&str) -> Result<Bytes>) -> Result<()> {
    for entry in &manifest.files {
        let bytes = file(&entry.name)?;
        let check = || {
            if bytes.len() as u64 != entry.bytes {
                return Err(damaged(&format!("it has {} bytes; the manifest says {}", bytes.len(), entry.bytes)));
            }
            if blake3::hash(&bytes).to_hex().as_str() != entry.blake3 {
                return Err(damaged("its hash is not the one that the manifest lists"));
            }
            Ok(())
        };
        check().map_err(|error| error.in_file(&entry.name))?;
    }
    Ok(())
}
