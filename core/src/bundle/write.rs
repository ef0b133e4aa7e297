//! Encodes a draft into the files of a bundle, as bytes; who puts them where is not known here.
//!
//! `bars.parquet` has one row group per symbol and block of calendar years. The block is chosen once per bundle so
//! that a group has about [`GROUP_ROWS`] rows or more: a reader that wants two symbols and five years fetches little
//! else, and a bundle of daily bars stays at a few dozen groups. Floats are byte-stream split (their bytes compress
//! when like stands with like), times and sessions are delta-packed, everything is LZ4. The same draft gives the same
//! bytes on every machine.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field as Column, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, RowGroupMetaData, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::draft::actions_hash;
use super::manifest::{FORMAT, FileEntry, FileKind, MANIFEST_FILE, Manifest};
use super::{Action, Bars, BundleDraft, Field};
use crate::calendar::civil;
use crate::error::{Error, Result};

/// Rows that a row group has at least, where a symbol has as many.
pub const GROUP_ROWS: usize = 1000;

/// Rows that a row group has at most: a reader decodes one group at a time.
pub const GROUP_ROWS_MAX: usize = 1 << 17;

/// Key of the Parquet footer under which the checksum of every column chunk stands.
pub const CHUNK_SUMS_KEY: &str = "sandtable.chunks";

/// Stands in the column `pay_days` of `actions.parquet` where the pay date is not known.
pub const PAY_UNKNOWN: i32 = i32::MIN;

/// Hexadecimal digits of one column chunk's checksum.
pub(super) const CHUNK_SUM_DIGITS: usize = 16;

/// Encodes the draft: (file name, bytes) of each file, the manifest last.
///
/// # Errors
/// The draft breaks a rule of [`BundleDraft::check`].
pub fn encode(draft: &BundleDraft) -> Result<Vec<(String, Vec<u8>)>> {
    draft.check()?;
    let mut files = Vec::new();
    let mut entries = Vec::new();
    let bars = encode_bars(draft).map_err(encoding_failed)?;
    let rows = draft.bars.iter().map(|bars| bars.len() as u64).sum();
    entries.push(describe("bars.parquet", FileKind::Bars, rows, &bars));
    files.push(("bars.parquet".to_string(), bars));
    if !draft.actions.is_empty() {
        let bytes = encode_actions(&draft.actions).map_err(encoding_failed)?;
        entries.push(describe("actions.parquet", FileKind::Actions, draft.actions.len() as u64, &bytes));
        files.push(("actions.parquet".to_string(), bytes));
    }
    let mut manifest = Manifest {
        format: FORMAT,
        name: draft.name.clone(),
        version: String::new(),
        frequency: draft.frequency,
        calendar: draft.calendar,
        prices: draft.prices,
        benchmark: draft.benchmark.clone(),
        source: draft.source.clone(),
        licence: draft.licence.clone(),
        symbols: draft.symbol_entries(),
        files: entries,
        actions_blake3: actions_hash(&draft.actions),
    };
    manifest.version = manifest.expected_version();
    files.push((MANIFEST_FILE.to_string(), manifest.to_json()?));
    Ok(files)
}

fn encoding_failed(error: ParquetError) -> Error {
    Error::data(format!("the bundle could not be encoded as Parquet: {error}"))
}

/// The columns of `bars.parquet`.
fn bars_schema() -> SchemaRef {
    let mut columns = vec![
        Column::new("symbol", DataType::Utf8, false),
        Column::new("timestamp", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        Column::new("session", DataType::Date32, false),
    ];
    columns.extend(Field::ALL.map(|field| Column::new(field.name(), DataType::Float64, false)));
    Arc::new(Schema::new(columns))
}

fn encode_bars(draft: &BundleDraft) -> std::result::Result<Vec<u8>, ParquetError> {
    let schema = bars_schema();
    let mut properties = properties()
        .set_column_dictionary_enabled(ColumnPath::from("symbol"), true)
        .set_column_encoding(ColumnPath::from("timestamp"), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(ColumnPath::from("session"), Encoding::DELTA_BINARY_PACKED)
        .set_sorting_columns(Some(vec![ascending(0), ascending(1)]));
    for field in Field::ALL {
        properties = properties.set_column_encoding(ColumnPath::from(field.name()), Encoding::BYTE_STREAM_SPLIT);
    }
    let mut writer = new_writer(schema.clone(), properties.build())?;
    let span = span_years(&draft.bars);
    for (symbol, bars) in draft.symbols.iter().zip(&draft.bars) {
        for rows in groups(bars, span) {
            writer.write(&bars_batch(&schema, symbol, bars, rows)?)?;
            writer.flush()?;
        }
    }
    finish(writer)
}

fn encode_actions(actions: &[Action]) -> std::result::Result<Vec<u8>, ParquetError> {
    let schema = Arc::new(Schema::new(vec![
        Column::new("symbol", DataType::Utf8, false),
        Column::new("ex_date", DataType::Date32, false),
        Column::new("pay_days", DataType::Int32, false),
        Column::new("split_ratio", DataType::Float64, false),
        Column::new("cash_dividend", DataType::Float64, false),
    ]));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(actions.iter().map(|a| a.symbol.as_str()))),
        Arc::new(Date32Array::from_iter_values(actions.iter().map(|a| a.ex_date))),
        Arc::new(Int32Array::from_iter_values(actions.iter().map(pay_days))),
        Arc::new(Float64Array::from_iter_values(actions.iter().map(|a| a.split_ratio))),
        Arc::new(Float64Array::from_iter_values(actions.iter().map(|a| a.cash_dividend))),
    ];
    let properties = properties().set_sorting_columns(Some(vec![ascending(0), ascending(1)]));
    let mut writer = new_writer(schema.clone(), properties.build())?;
    writer.write(&RecordBatch::try_new(schema, columns)?)?;
    finish(writer)
}

/// Days from the ex-date to the pay date, [`PAY_UNKNOWN`] if that is not known. No column of a bundle is nullable:
/// the Parquet decoder cannot be trusted with the levels that nulls need when bytes are made to mislead.
fn pay_days(action: &Action) -> i32 {
    action.pay_date.map_or(PAY_UNKNOWN, |date| date.saturating_sub(action.ex_date))
}

fn properties() -> parquet::file::properties::WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(None)
        .set_column_index_truncate_length(None)
        .set_max_row_group_row_count(Some(GROUP_ROWS_MAX))
        // Fixed, so that the bytes do not change with the library that wrote them.
        .set_created_by("sandtable".to_string())
}

fn ascending(column: i32) -> SortingColumn {
    SortingColumn { column_idx: column, descending: false, nulls_first: false }
}

fn new_writer(
    schema: SchemaRef,
    properties: WriterProperties,
) -> std::result::Result<ArrowWriter<Vec<u8>>, ParquetError> {
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(Vec::new(), schema, options)
}

/// Writes the checksums of all column chunks into the footer and closes the file.
fn finish(mut writer: ArrowWriter<Vec<u8>>) -> std::result::Result<Vec<u8>, ParquetError> {
    writer.flush()?;
    writer.sync()?;
    let sums = chunk_sums(writer.flushed_row_groups(), writer.inner());
    writer.append_key_value_metadata(KeyValue::new(CHUNK_SUMS_KEY.to_string(), sums));
    writer.into_inner()
}

fn chunk_sums(groups: &[RowGroupMetaData], bytes: &[u8]) -> String {
    let mut sums = String::new();
    for chunk in groups.iter().flat_map(RowGroupMetaData::columns) {
        let (start, length) = chunk.byte_range();
        let range = start as usize..(start + length) as usize;
        sums.push_str(&chunk_sum(bytes.get(range).unwrap_or_default()));
    }
    sums
}

/// Checksum of a column chunk's bytes: the first 64 bits of its BLAKE3, in hex.
pub(super) fn chunk_sum(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..CHUNK_SUM_DIGITS].to_string()
}

/// Calendar years of a row group, so that one has [`GROUP_ROWS`] rows or more on average.
fn span_years(bars: &[Bars]) -> i32 {
    let mut rows = 0usize;
    let mut years = 0usize;
    for bars in bars {
        if let (Some(&first), Some(&last)) = (bars.session.first(), bars.session.last()) {
            rows += bars.len();
            years += (civil(last).0 - civil(first).0).max(0) as usize + 1;
        }
    }
    // A hundredth of slack: 252 sessions a year make four-year blocks of 1008 rows, holidays or not.
    let wanted = (GROUP_ROWS * 99 / 100 * years).div_ceil(rows.max(1));
    wanted.clamp(1, 1000) as i32
}

/// Cuts one symbol's rows at the block boundaries, and where a group would grow over [`GROUP_ROWS_MAX`].
fn groups(bars: &Bars, span: i32) -> Vec<std::ops::Range<usize>> {
    let block = |i: usize| civil(bars.session[i]).0.div_euclid(span);
    let mut groups = Vec::new();
    let mut start = 0;
    for i in 1..=bars.len() {
        if i == bars.len() || i - start == GROUP_ROWS_MAX || block(i) != block(start) {
            groups.push(start..i);
            start = i;
        }
    }
    groups
}

fn bars_batch(
    schema: &SchemaRef,
    symbol: &str,
    bars: &Bars,
    rows: std::ops::Range<usize>,
) -> std::result::Result<RecordBatch, ParquetError> {
    let time = TimestampMicrosecondArray::from_iter_values(bars.time[rows.clone()].iter().copied());
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(symbol, rows.len()))),
        Arc::new(time.with_timezone("UTC")),
        Arc::new(Date32Array::from_iter_values(bars.session[rows.clone()].iter().copied())),
    ];
    for field in Field::ALL {
        columns.push(Arc::new(Float64Array::from_iter_values(bars.field(field)[rows.clone()].iter().copied())));
    }
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

fn describe(name: &str, kind: FileKind, rows: u64, bytes: &[u8]) -> FileEntry {
    let tail = bytes.len().saturating_sub(8);
    let length = bytes[tail..].first_chunk::<4>().map_or(0, |word| u64::from(u32::from_le_bytes(*word)));
    let footer_bytes = length + 8;
    let footer = &bytes[bytes.len().saturating_sub(footer_bytes as usize)..];
    FileEntry {
        name: name.to_string(),
        kind,
        rows,
        bytes: bytes.len() as u64,
        blake3: blake3::hash(bytes).to_hex().to_string(),
        footer_bytes,
        footer_blake3: blake3::hash(footer).to_hex().to_string(),
    }
}
