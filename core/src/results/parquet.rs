//! Results as Parquet bytes, and back.
//!
//! The bytes depend on the rows and their order alone: rows are collected into groups of a fixed number before
//! anything is encoded, the writer's name is fixed, and the metadata is a list in a fixed order.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, ArrowWriter, ArrowWriterOptions, compute_leaves};
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::columns::{Results, Schema, Status, TrialRow};
use super::seal::{self, Seal};
use crate::error::{Error, Result};
use crate::num;
use crate::plan::{ParamKind, canonical_json};

/// Rows of a row group; the last group of a file may have fewer. Part of the format: other groups are other bytes.
pub const ROWS_PER_GROUP: usize = 1 << 14;

/// Rows that wait together: a part of a row group, so that their memory, used over and over, need not grow by copies twice
/// as long. It changes no byte as long as it is a multiple of the writer's own steps of 1,024.
const ROWS_PER_PIECE: usize = 1 << 11;

/// Rows of a batch that [`Reader`] gives.
const ROWS_PER_BATCH: usize = 1 << 12;

/// Key of the schema in the file's metadata, as JSON: plan id, engine format, columns with units.
const SCHEMA_KEY: &str = "sandtable.schema";

/// Writes results as they come. Holds the rows of one row group and never more; a whole one is encoded column by column,
/// because encoders of all columns and what they come to would take twice the memory of its rows.
pub struct ParquetSink<W: Write + Send> {
    writer: SerializedFileWriter<Seal<W>>,
    encoders: ArrowRowGroupWriterFactory,
    schema: Arc<Schema>,
    fields: SchemaRef,
    /// Rows of the group under way: [`ROWS_PER_PIECE`] in each but the last that has any.
    pieces: Vec<Results>,
    /// How many they are.
    waiting: usize,
}

impl<W: Write + Send> ParquetSink<W> {
    /// A file with these columns.
    ///
    /// # Errors
    /// The writer failed.
    pub fn new(writer: W, schema: Arc<Schema>) -> Result<ParquetSink<W>> {
        let json = serde_json::to_value(&*schema).map_err(|error| Error::data(format!("the columns: {error}")))?;
        let metadata = [
            ("sandtable.plan_id", schema.plan.clone()),
            ("sandtable.engine_format", schema.engine_format.to_string()),
            (SCHEMA_KEY, canonical_json(&json, false)),
            ("sandtable.hash", seal::placeholder()),
        ];
        let metadata = metadata.map(|(key, value)| KeyValue::new(key.to_owned(), value)).to_vec();
        let mut properties = WriterProperties::builder()
            .set_created_by(String::from("sandtable"))
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_key_value_metadata(Some(metadata));
        // Values that hardly repeat are shorter without a dictionary.
        let unique = schema.metrics.iter().map(|metric| metric.name.as_str()).chain([super::columns::INDEX]);
        for column in unique {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
        }
        // Arrow's own copy of the schema adds nothing that readers need.
        let options = ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
        let fields = schema.arrow();
        let arrow = ArrowWriter::try_new_with_options(Seal::new(writer), fields.clone(), options).map_err(writing)?;
        let (writer, encoders) = arrow.into_serialized_writer().map_err(writing)?;
        Ok(ParquetSink { writer, encoders, schema, fields, pieces: Vec::new(), waiting: 0 })
    }

    /// Adds rows; full groups are written at once.
    ///
    /// # Errors
    /// The rows have other columns, or the writer failed.
    pub fn append(&mut self, results: &Results) -> Result<()> {
        results.must_have(&self.schema)?;
        let mut from = 0;
        while from < results.len() {
            let whole = from + ROWS_PER_GROUP;
            if self.waiting == 0 && whole <= results.len() {
                self.write_group(&[(results, from..whole)])?;
                from = whole;
                continue;
            }
            let (piece, held) = (self.waiting / ROWS_PER_PIECE, self.waiting % ROWS_PER_PIECE);
            let to = results.len().min(from + ROWS_PER_PIECE - held);
            if piece == self.pieces.len() {
                self.pieces.push(Results::new(self.schema.clone()));
            }
            self.pieces[piece].append(results, from..to)?;
            self.waiting += to - from;
            from = to;
            if self.waiting >= ROWS_PER_GROUP {
                self.write_waiting()?;
            }
        }
        Ok(())
    }

    /// Completes the file.
    ///
    /// # Errors
    /// The writer failed.
    pub fn finish(mut self) -> Result<W> {
        if self.waiting > 0 {
            self.write_waiting()?;
        }
        self.writer.inner_mut().hold();
        self.writer.into_inner().map_err(writing)?.finish().map_err(writing)
    }

    /// Writes the rows that wait as a group, and keeps their memory for the next ones.
    fn write_waiting(&mut self) -> Result<()> {
        let mut pieces = std::mem::take(&mut self.pieces);
        let rows: Vec<_> =
            pieces.iter().map(|piece| (piece, 0..piece.len())).filter(|(_, rows)| !rows.is_empty()).collect();
        let written = self.write_group(&rows);
        pieces.iter_mut().for_each(Results::clear);
        self.pieces = pieces;
        self.waiting = 0;
        written
    }

    /// Writes rows as a group, each column as soon as it is encoded.
    fn write_group(&mut self, pieces: &[(&Results, Range<usize>)]) -> Result<()> {
        let encoders = self.encoders.create_column_writers(self.writer.flushed_row_groups().len()).map_err(writing)?;
        let mut group = self.writer.next_row_group().map_err(writing)?;
        for (place, (field, mut encoder)) in self.fields.fields().iter().zip(encoders).enumerate() {
            for (results, rows) in pieces {
                for leaf in compute_leaves(field, &results.column(place, rows.clone())?).map_err(writing)? {
                    encoder.write(&leaf).map_err(writing)?;
                }
            }
            encoder.close().and_then(|chunk| chunk.append_to_row_group(&mut group)).map_err(writing)?;
        }
        group.close().map(|_| ()).map_err(writing)
    }
}

fn writing(error: impl std::fmt::Display) -> Error {
    Error::machine(format!("results could not be written: {error}"))
}

fn broken(what: impl std::fmt::Display) -> Error {
    Error::data(format!("not a readable results file: {what}"))
        .help("only the results of a study, written by this program, are read here")
}

/// Reads results batch by batch, so that memory does not grow with their number.
pub struct Reader {
    schema: Arc<Schema>,
    batches: ParquetRecordBatchReader,
    rows: u64,
}

impl Reader {
    /// Opens the bytes of a file.
    ///
    /// # Errors
    /// The bytes are not results that [`ParquetSink`] wrote, or not all of them are as it wrote them.
    pub fn open(bytes: Bytes) -> Result<Reader> {
        match seal::is_intact(&bytes) {
            Some(true) => {}
            Some(false) => return Err(broken("it was changed or damaged after it was written")),
            None => return Err(broken("it is incomplete, or another program wrote it")),
        }
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(broken)?;
        let metadata = builder.metadata().file_metadata();
        let rows = u64::try_from(metadata.num_rows()).map_err(|_| broken("it has a negative number of rows"))?;
        let entries = metadata.key_value_metadata().map_or(&[][..], Vec::as_slice);
        let json = entries.iter().find(|entry| entry.key == SCHEMA_KEY).and_then(|entry| entry.value.as_deref());
        let json = json.ok_or_else(|| broken(format!("it has no `{SCHEMA_KEY}` in its metadata")))?;
        let schema: Schema = serde_json::from_str(json).map_err(|error| broken(format!("`{SCHEMA_KEY}`: {error}")))?;
        // Status is written as plain text where Arrow has a dictionary; everything else must be as written.
        let expected = schema.arrow();
        let found = builder.schema();
        let same = expected.fields().len() == found.fields().len()
            && expected.fields().iter().zip(found.fields()).all(|(expected, found)| {
                let text =
                    matches!(expected.data_type(), DataType::Dictionary(..)) && *found.data_type() == DataType::Utf8;
                expected.name() == found.name() && (text || expected.data_type() == found.data_type())
            });
        if !same {
            return Err(broken("its columns are not those that its metadata name"));
        }
        let batches = builder.with_batch_size(ROWS_PER_BATCH).build().map_err(broken)?;
        Ok(Reader { schema: Arc::new(schema), batches, rows })
    }

    /// Which columns there are.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Number of rows that the file claims to have.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn convert(&self, batch: &RecordBatch) -> Result<Results> {
        let (params, metrics) = (self.schema.params.len(), self.schema.metrics.len());
        let columns = batch.columns();
        let nulls = |column: &ArrayRef| column.null_count() > 0;
        if columns[..=params].iter().chain(&columns[1 + params + metrics..]).any(nulls) {
            return Err(broken("a column that is always given has a null"));
        }
        let wrong = || broken("a column has another type than before");
        let index = columns[0].as_primitive_opt::<UInt64Type>().ok_or_else(wrong)?;
        let params: Vec<Vec<f64>> = self
            .schema
            .params
            .iter()
            .zip(&columns[1..])
            .map(|(param, column)| {
                let values = match param.kind {
                    ParamKind::Int => {
                        column.as_primitive_opt::<Int64Type>().map(|c| c.values().iter().map(|&x| x as f64).collect())
                    }
                    ParamKind::Float => column.as_primitive_opt::<Float64Type>().map(|c| c.values().to_vec()),
                    ParamKind::Bool => {
                        column.as_boolean_opt().map(|c| c.values().iter().map(|x| f64::from(u8::from(x))).collect())
                    }
                };
                values.ok_or_else(wrong)
            })
            .collect::<Result<_>>()?;
        let metrics: Vec<Vec<f64>> = columns[1 + params.len()..][..metrics]
            .iter()
            .map(|column| {
                let column = column.as_primitive_opt::<Float64Type>().ok_or_else(wrong)?;
                Ok(column.iter().map(|value| value.unwrap_or(num::NAN)).collect())
            })
            .collect::<Result<_>>()?;
        let budgets = if self.schema.budgets {
            Some(columns[columns.len() - 3].as_primitive_opt::<Float64Type>().ok_or_else(wrong)?)
        } else {
            None
        };
        let bars = columns[columns.len() - 2].as_primitive_opt::<UInt64Type>().ok_or_else(wrong)?;
        let status = columns[columns.len() - 1].as_any().downcast_ref::<StringArray>().ok_or_else(wrong)?;
        let mut results = Results::new(self.schema.clone());
        let (mut point, mut numbers) = (Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            point.clear();
            point.extend(params.iter().map(|column| column[row]));
            numbers.clear();
            numbers.extend(metrics.iter().map(|column| column[row]));
            let name = status.value(row);
            let status = Status::ALL.into_iter().find(|status| status.name() == name);
            results.push(TrialRow {
                index: index.value(row),
                params: &point,
                metrics: &numbers,
                budget: budgets.map_or(1.0, |budgets| budgets.value(row)),
                bars_read: bars.value(row),
                status: status.ok_or_else(|| broken("a row has an unknown status"))?,
            });
        }
        Ok(results)
    }
}

impl Iterator for Reader {
    type Item = Result<Results>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        Some(batch.map_err(broken).and_then(|batch| self.convert(&batch)))
    }
}

/// Reads all rows into memory.
///
/// # Errors
/// The bytes are not results that [`ParquetSink`] wrote.
pub fn decode(bytes: Bytes) -> Result<Results> {
    let reader = Reader::open(bytes)?;
    let mut all = Results::new(reader.schema().clone());
    for batch in reader {
        let batch = batch?;
        all.append(&batch, 0..batch.len())?;
    }
    Ok(all)
}

#[cfg(test)]
#[path = "results_tests.rs"]
mod tests;
