//! Reads other people's Parquet: long format with a symbol column, or one symbol a file.
//!
//! Dates may be `date32`, `date64`, a timestamp of any unit with or without zone, whole numbers since 1970 or text;
//! prices any kind of number. Codecs that a build lacks are refused by name.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use super::columns::{Columns, find};
use super::convert::{self, Values};
use super::defects::{DefectReport, Kind, Place, shown};
use super::gather::{Candidate, Gather};
use super::times::{DateFormat, Shape, Stamp, Zone, parse, shape, unix_micros};
use super::{IngestOptions, Input, file_symbol};
use crate::bundle::Field;
use crate::bundle::check::check_symbol;
use crate::bundle::pages::{Origin, check_pages};
use crate::calendar::{DAY_MICROS, format_date, utc_date};
use crate::error::{Error, Result};

/// Rows decoded at a time.
const BATCH: usize = 65_536;

/// Reads one Parquet file into `gather`.
///
/// # Errors
/// The file is damaged, compressed with a codec that this build lacks, too large, or its columns are of no use.
pub(super) fn read(
    gather: &mut Gather,
    file: u32,
    input: &Input,
    options: &IngestOptions,
    report: &mut DefectReport,
) -> Result<()> {
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(input.bytes.clone(), ArrowReaderOptions::new())
        .map_err(undecodable)?;
    check_sizes(builder.metadata(), &input.bytes, options.limit)?;
    let names: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let columns = match find(&names, options)? {
        Ok(columns) => columns,
        Err(missing) => {
            let place = Place { found: missing.sentence, ..Place::file(&input.name, 0, "").column(missing.column) };
            report.add(Kind::MissingColumn, place);
            return Ok(());
        }
    };
    note_columns(&columns, input, options, report);
    let reader = builder.with_batch_size(BATCH).build().map_err(undecodable)?;
    let mut table = Table { input, columns, options, format: None, one_symbol: None, rows: 0 };
    if table.columns.symbol.is_none() {
        table.one_symbol = Some(gather.symbol(&file_symbol(&input.name, options)?));
    }
    for batch in reader {
        let batch = batch.map_err(|error| undecodable(error.into()))?;
        table.read_batch(gather, file, &batch, report)?;
    }
    if table.rows == 0 {
        report.add(Kind::NoRows, Place::file(&input.name, 0, "no rows"));
    }
    gather.adjusted |= options.use_adjusted && table.columns.adjusted.is_some();
    Ok(())
}

fn undecodable(error: ParquetError) -> Error {
    let text = error.to_string();
    if text.contains("Disabled feature") {
        return Error::unsupported(format!("this build does not read its compression ({})", shown(&text)))
            .help("write it with snappy, lz4_raw or no compression, or ingest it with the command line program");
    }
    Error::data(format!("not a readable Parquet file: {}", shown(&text))).help("get the file again, or write it anew")
}

/// Bounds what decoding will allocate by what the file claims, before anything is decoded.
fn check_sizes(metadata: &ParquetMetaData, bytes: &[u8], limit: usize) -> Result<()> {
    let damaged = || Error::data("not a readable Parquet file: a column lies outside it");
    let mut total = 0u64;
    for chunk in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let claimed = u64::try_from(chunk.uncompressed_size()).map_err(|_| damaged())?;
        total = total.saturating_add(claimed);
        let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
        let start = usize::try_from(start).map_err(|_| damaged())?;
        let length = usize::try_from(chunk.compressed_size()).map_err(|_| damaged())?;
        let pages = start.checked_add(length).and_then(|end| bytes.get(start..end)).ok_or_else(damaged)?;
        // Some writers count headers, some do not: twice the claim covers both.
        check_pages(pages, claimed.saturating_mul(2).saturating_add(1 << 16), Origin::Foreign)?;
    }
    if total > limit as u64 {
        return Err(Error::data(format!("its columns have {total} bytes; the limit is {limit}"))
            .help("split the file by year or by symbol"));
    }
    Ok(())
}

fn note_columns(columns: &Columns, input: &Input, options: &IngestOptions, report: &mut DefectReport) {
    let mut note = |column: &str, text: &str| {
        report.add(Kind::Assumed, Place::file(&input.name, 0, text).column(column));
    };
    if columns.volume.is_none() {
        note("volume", "no volume column: volume is 0");
    }
    if let Some(adjusted) = columns.adjusted.filter(|_| !options.use_adjusted) {
        note(columns.name(adjusted), "not used; --use-adjusted scales all prices by it");
    }
}

struct Table<'a> {
    input: &'a Input,
    columns: Columns,
    options: &'a IngestOptions,
    /// Way of writing dates, if they are text, with the first row's.
    format: Option<(DateFormat, String)>,
    one_symbol: Option<usize>,
    rows: u64,
}

impl Table<'_> {
    fn read_batch(
        &mut self,
        gather: &mut Gather,
        file: u32,
        batch: &RecordBatch,
        report: &mut DefectReport,
    ) -> Result<()> {
        let stamps = self.stamps(batch, report)?;
        let symbols = match self.columns.symbol {
            Some(column) => Some(self.values(batch, column, "text", convert::texts)?),
            None => None,
        };
        let mut values: [Option<Values<f64>>; 5] = [const { None }; 5];
        for (field, slot) in Field::ALL.into_iter().zip(&mut values) {
            if let Some(column) = self.columns.field(field) {
                *slot = Some(self.values(batch, column, "numbers", convert::numbers)?);
            }
        }
        let adjusted = match self.columns.adjusted.filter(|_| self.options.use_adjusted) {
            Some(column) => Some(self.values(batch, column, "numbers", convert::numbers)?),
            None => None,
        };
        let float = |column: &Option<Values<f64>>, i: usize, absent: f64| match column {
            Some(column) => column[i].unwrap_or(f64::NAN),
            None => absent,
        };
        for (i, stamp) in stamps.into_iter().enumerate() {
            self.rows += 1;
            let Some(stamp) = stamp else { continue };
            let line = u32::try_from(self.rows).unwrap_or(u32::MAX);
            let series = match &symbols {
                None => self.one_symbol,
                Some(column) => self.symbol(gather, column[i].as_deref(), line, report),
            };
            let Some(series) = series else { continue };
            let mut row = [0.0; 5];
            for (value, array) in row.iter_mut().zip(&values) {
                *value = float(array, i, 0.0);
            }
            let factor = float(&adjusted, i, row[3]) / row[3];
            if adjusted.is_some() {
                row[..4].iter_mut().for_each(|price| *price *= factor);
            }
            let raw = |field: Field| {
                let at = Field::ALL.iter().position(|&other| other == field).unwrap_or_default();
                row[at].to_string()
            };
            gather.push(series, Candidate { file, line, stamp, values: row, raw: &raw }, self.options.zone, report);
        }
        Ok(())
    }

    fn symbol(&self, gather: &mut Gather, text: Option<&str>, line: u32, report: &mut DefectReport) -> Option<usize> {
        let text = text.unwrap_or_default().trim();
        if check_symbol(text).is_err() {
            let place = Place::file(&self.input.name, line, format!("{} is no symbol", shown(text)));
            report.add(Kind::ParseError, place);
            return None;
        }
        Some(gather.symbol(text))
    }

    fn values<T>(
        &self,
        batch: &RecordBatch,
        column: usize,
        wanted: &str,
        convert: fn(&ArrayRef) -> Option<Values<T>>,
    ) -> Result<Values<T>> {
        let array = batch.column(column);
        convert(array).ok_or_else(|| {
            let name = self.columns.name(column);
            Error::data(format!("the column {name} has the type {}; expected {wanted}", array.data_type()))
                .help("name another column with --map FIELD=COLUMN")
        })
    }

    /// The time of every row, `None` where it is missing or cannot be read, which the report then says.
    fn stamps(&mut self, batch: &RecordBatch, report: &mut DefectReport) -> Result<Vec<Option<Stamp>>> {
        let column = self.columns.time;
        let array = batch.column(column).clone();
        let stamps: Vec<Option<Stamp>> = match array.data_type() {
            DataType::Date32 | DataType::Date64 => {
                let day = |date: i32| Stamp { date, time_of_day: None, offset: None };
                let dates = self.values(batch, column, "dates", convert::dates)?;
                dates.into_iter().map(|date| date.map(day)).collect()
            }
            DataType::Timestamp(_, zone) => {
                let times = self.values(batch, column, "instants", convert::instants)?;
                let stamp = zone_of(zone.as_deref());
                times.into_iter().map(|time| time.map(&stamp)).collect()
            }
            kind if kind.is_integer() => {
                let times = self.values(batch, column, "numbers", convert::whole_numbers)?;
                let number = |value: i64| match value {
                    // Eight digits are a date, not a second of 1970.
                    10_000_101..=99_991_231 => parse(&value.to_string(), DateFormat::Compact),
                    value => Some(Stamp::of_instant(unix_micros(value))),
                };
                times.into_iter().map(|time| time.and_then(number)).collect()
            }
            _ => {
                let texts = self.values(batch, column, "dates", convert::texts)?;
                let texts = texts.into_iter().map(Option::unwrap_or_default).enumerate();
                texts.map(|(i, text)| self.text_stamp(&text, i, report)).collect()
            }
        };
        for (i, stamp) in stamps.iter().enumerate() {
            let readable = stamp.is_some_and(|stamp| stamp.is_plausible());
            if !readable && (stamp.is_some() || !array.data_type().is_string()) {
                let row = self.rows + i as u64 + 1;
                let line = u32::try_from(row).unwrap_or(u32::MAX);
                let found = stamp.map_or("no date".to_string(), |stamp| format_date(stamp.date));
                report.add(
                    Kind::DateFormat,
                    Place::file(&self.input.name, line, found).column(self.columns.name(column)),
                );
            }
        }
        Ok(stamps.into_iter().map(|stamp| stamp.filter(Stamp::is_plausible)).collect())
    }

    fn text_stamp(&mut self, text: &str, i: usize, report: &mut DefectReport) -> Option<Stamp> {
        let text = text.trim();
        if self.format.is_none() {
            let format = match (self.options.date_format, shape(text)) {
                (Some(format), _) | (None, Shape::Certain(format)) => Some(format),
                _ => None,
            };
            self.format = format.map(|format| (format, text.to_string()));
        }
        let stamp = self.format.as_ref().and_then(|(format, _)| parse(text, *format));
        if stamp.is_none() {
            let line = u32::try_from(self.rows + i as u64 + 1).unwrap_or(u32::MAX);
            let found = match &self.format {
                Some((_, example)) => format!("{}, where the first row writes {}", shown(text), shown(example)),
                None => format!("{}: say how dates are written with --date-format", shown(text)),
            };
            report.add(Kind::DateFormat, Place::file(&self.input.name, line, found));
        }
        stamp
    }
}

/// How an instant in a column of this zone is read: without zone as written, with one as the local date there where
/// the zone is known, else as UTC.
fn zone_of(zone: Option<&str>) -> impl Fn(i64) -> Stamp {
    let known = zone.map(|name| Zone::from_name(name).unwrap_or(Zone::Utc));
    move |time: i64| match known {
        None => Stamp { offset: None, ..Stamp::of_instant(time) },
        Some(Zone::NewYork) => local(time, crate::calendar::new_york_offset_hours(time) as i32 * 60),
        Some(Zone::Fixed(minutes)) => local(time, minutes),
        Some(Zone::Utc) => Stamp::of_instant(time),
    }
}

fn local(time: i64, minutes: i32) -> Stamp {
    let there = time.saturating_add(i64::from(minutes) * 60_000_000);
    Stamp {
        date: utc_date(there),
        time_of_day: Some(there.rem_euclid(DAY_MICROS)),
        offset: Some(super::times::Offset::Minutes(minutes)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::super::{BarTime, ingest};
    use super::*;
    use crate::bundle::Frequency;
    use crate::calendar::{Calendar, HOUR_MICROS, date_of};
    use arrow_array::{Date32Array, Float32Array, Float64Array, Int64Array, StringArray, TimestampMillisecondArray};
    use bytes::Bytes;
    use parquet::arrow::ArrowWriter;
    use std::sync::Arc;

    fn parquet(columns: Vec<(&str, ArrayRef)>) -> Input {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        Input { name: "dir/ABC.parquet".into(), bytes: Bytes::from(writer.into_inner().unwrap()) }
    }

    fn prices(rows: usize) -> Vec<(&'static str, ArrayRef)> {
        let price = |p: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![p; rows])) };
        let low: ArrayRef = Arc::new(Float32Array::from(vec![9.0f32; rows]));
        let volume: ArrayRef = Arc::new(Int64Array::from(vec![7; rows]));
        vec![("Open", price(10.0)), ("high", price(12.0)), ("low", low), ("Close", price(11.0)), ("Volume", volume)]
    }

    #[test]
    fn long_format_with_dates() {
        let day = date_of(2024, 1, 2).unwrap();
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("ticker", Arc::new(StringArray::from(vec!["B", "A", "B", "A"]))),
            ("date", Arc::new(Date32Array::from(vec![day, day, day + 1, day + 1]))),
        ];
        columns.extend(prices(4));
        let ingested = ingest(&[parquet(columns)], &IngestOptions::default()).unwrap();
        let draft = ingested.outcome.unwrap();
        assert_eq!(draft.symbols, ["A", "B"]);
        assert_eq!(draft.frequency, Frequency::Daily);
        assert_eq!(draft.bars[0].session, [day, day + 1]);
        assert_eq!((draft.bars[1].low[0], draft.bars[1].volume[0]), (9.0, 7.0));
    }

    #[test]
    fn one_symbol_a_file_with_bar_starts() {
        let start = i64::from(date_of(2024, 1, 2).unwrap()) * DAY_MICROS + 14 * HOUR_MICROS + HOUR_MICROS / 2;
        let millis: Vec<i64> = (0..5).map(|k| (start + k * 60_000_000) / 1000).collect();
        let mut columns: Vec<(&str, ArrayRef)> =
            vec![("ts", Arc::new(TimestampMillisecondArray::from(millis).with_timezone("UTC")))];
        columns.extend(prices(5));
        let options = IngestOptions { bar_time: BarTime::Start, ..IngestOptions::default() };
        let draft = ingest(&[parquet(columns)], &options).unwrap().outcome.unwrap();
        assert_eq!(draft.symbols, ["ABC"]);
        assert_eq!((draft.frequency, draft.calendar), (Frequency::Intraday, Calendar::Xnys));
        assert_eq!(draft.bars[0].time[0], start + 60_000_000);
    }

    #[test]
    fn damage_is_an_error() {
        let mut columns: Vec<(&str, ArrayRef)> = vec![("date", Arc::new(Date32Array::from(vec![1, 2, 5])))];
        columns.extend(prices(3));
        let good = parquet(columns);
        let mut stream = crate::rng::Stream::new(3, [1, 1]);
        for _ in 0..2000 {
            let mut bytes = good.bytes.to_vec();
            for _ in 0..=stream.below(3) {
                let at = stream.below(bytes.len() as u64) as usize;
                bytes[at] = stream.next_u32() as u8;
            }
            let bad = Input { name: good.name.clone(), bytes: Bytes::from(bytes) };
            let _ = ingest(&[bad], &IngestOptions::default());
        }
        let mut empty: Vec<(&str, ArrayRef)> = vec![("date", Arc::new(Date32Array::from(Vec::<i32>::new())))];
        empty.extend(prices(0));
        let ingested = ingest(&[parquet(empty)], &IngestOptions::default()).unwrap();
        assert!(ingested.outcome.unwrap_err().to_string().contains("no rows"));
    }

    #[test]
    fn nulls_and_ends_of_time() {
        let mut columns: Vec<(&str, ArrayRef)> =
            vec![("date", Arc::new(Date32Array::from(vec![Some(19_724), None, Some(i32::MAX)])))];
        columns.extend(prices(3));
        let ingested = ingest(&[parquet(columns)], &IngestOptions::default()).unwrap();
        assert!(ingested.outcome.is_err());
        assert_eq!(ingested.report.defects.iter().filter(|d| d.kind == Kind::DateFormat).count(), 2);
    }
}
