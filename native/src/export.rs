//! Fills, trades and equity as files: CSV, Parquet or JSON, by the ending of the name.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use sandtable_core::calendar::{self, DAY_MICROS};
use sandtable_core::run::Detail;
use sandtable_core::{Error, Result};
use serde_json::json;

use crate::study;

/// A file format for tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// An array of objects.
    Json,
}

/// The format that a file's name asks for.
///
/// # Errors
/// Another ending, or none.
pub fn format_of(path: &Path) -> Result<Format> {
    match path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase).as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("parquet") => Ok(Format::Parquet),
        Some("json") => Ok(Format::Json),
        _ => Err(Error::plan(format!("`{}` ends in no known format", path.display()))
            .help("end the name in .csv, .parquet or .json")),
    }
}

/// A column of a table.
#[derive(Clone, Debug)]
pub enum Column {
    /// Timestamps, microseconds UTC.
    Time(Vec<i64>),
    /// Words.
    Text(Vec<String>),
    /// Whole numbers.
    Index(Vec<u32>),
    /// Numbers; NaN is null.
    Number(Vec<f64>),
    /// Yes or no.
    Flag(Vec<bool>),
}

/// Named columns of equal length.
#[derive(Clone, Debug)]
pub struct Table {
    rows: usize,
    columns: Vec<(String, Column)>,
}

impl Table {
    /// A table of columns; rows beyond the shortest column are left out.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Column)>) -> Table {
        let columns: Vec<(String, Column)> =
            columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect();
        Table { rows: columns.iter().map(|(_, column)| column.len()).min().unwrap_or(0), columns }
    }
}

/// Executions: bar, time, symbol, side, quantity (positive), price, fee.
pub fn fills(detail: &Detail, symbols: &[String]) -> Table {
    let fills = &detail.fills;
    let side = |quantity: f64| if quantity > 0.0 { "buy" } else { "sell" };
    Table::new(vec![
        ("bar", Column::Index(fills.iter().map(|f| f.bar).collect())),
        ("time", Column::Time(fills.iter().map(|f| time(detail, f.bar)).collect())),
        ("symbol", Column::Text(fills.iter().map(|f| symbols[f.symbol as usize].clone()).collect())),
        ("side", Column::Text(fills.iter().map(|f| side(f.quantity).to_string()).collect())),
        ("quantity", Column::Number(fills.iter().map(|f| f.quantity.abs()).collect())),
        ("price", Column::Number(fills.iter().map(|f| f.price).collect())),
        ("fee", Column::Number(fills.iter().map(|f| f.fee).collect())),
    ])
}

/// Round trips, first in first out; `open` ones are marked at the last close.
pub fn trades(detail: &Detail, symbols: &[String]) -> Table {
    let trades = &detail.trades;
    let side = |quantity: f64| if quantity > 0.0 { "long" } else { "short" };
    let number = |f: &dyn Fn(&sandtable_core::ledger::Trade) -> f64| Column::Number(trades.iter().map(f).collect());
    Table::new(vec![
        ("symbol", Column::Text(trades.iter().map(|t| symbols[t.symbol as usize].clone()).collect())),
        ("side", Column::Text(trades.iter().map(|t| side(t.quantity).to_string()).collect())),
        ("quantity", number(&|t| t.quantity.abs())),
        ("entry_bar", Column::Index(trades.iter().map(|t| t.entry_bar).collect())),
        ("entry_time", Column::Time(trades.iter().map(|t| time(detail, t.entry_bar)).collect())),
        ("entry_price", number(&|t| t.entry_price)),
        ("exit_bar", Column::Index(trades.iter().map(|t| t.exit_bar).collect())),
        ("exit_time", Column::Time(trades.iter().map(|t| time(detail, t.exit_bar)).collect())),
        ("exit_price", number(&|t| t.exit_price)),
        ("fees", number(&|t| t.fees)),
        ("profit", number(&|t| t.profit)),
        ("return", number(&|t| t.profit / (t.quantity.abs() * t.entry_price))),
        ("open", Column::Flag(trades.iter().map(|t| t.open).collect())),
    ])
}

/// Equity at each simulated bar.
pub fn equity(detail: &Detail) -> Table {
    Table::new([("time", Column::Time(detail.time.to_vec())), ("equity", Column::Number(detail.equity.clone()))])
}

/// A course by sessions, each under a fold's choice.
#[derive(Clone, Debug)]
pub struct Course {
    /// Dates of its sessions.
    pub sessions: Vec<i32>,
    /// Number of the fold of each.
    pub folds: Vec<u32>,
    /// Equity at the end of each.
    pub equity: Vec<f64>,
}

/// Courses one after another: path (from 1), session, fold, equity.
pub fn courses(courses: &[Course]) -> Table {
    let paths = courses.iter().enumerate().flat_map(|(k, course)| course.sessions.iter().map(move |_| k as u32 + 1));
    let midnight = |&date: &i32| i64::from(date) * DAY_MICROS;
    Table {
        rows: courses.iter().map(|course| course.sessions.len()).sum(),
        columns: vec![
            ("path".to_string(), Column::Index(paths.collect())),
            (
                "session".to_string(),
                Column::Time(courses.iter().flat_map(|course| course.sessions.iter().map(midnight)).collect()),
            ),
            (
                "fold".to_string(),
                Column::Index(courses.iter().flat_map(|course| course.folds.iter().copied()).collect()),
            ),
            (
                "equity".to_string(),
                Column::Number(courses.iter().flat_map(|course| course.equity.iter().copied()).collect()),
            ),
        ],
    }
}

fn time(detail: &Detail, bar: u32) -> i64 {
    detail.time.get(bar as usize).copied().unwrap_or(0)
}

/// Writes a table whole, in the format that the name asks for.
///
/// # Errors
/// The format is not known or the file cannot be written.
pub fn write(path: &Path, table: &Table) -> Result<()> {
    let bytes = match format_of(path)? {
        Format::Csv => csv(table).into_bytes(),
        Format::Json => study::json_text(&json_rows(table)).into_bytes(),
        Format::Parquet => parquet_bytes(table)
            .map_err(|error| Error::machine(format!("`{}` could not be encoded: {error}", path.display())))?,
    };
    study::write_whole(path, &bytes)
}

/// `2020-01-31` at midnight, otherwise `2020-01-31T15:30:00Z`.
pub fn timestamp(micros: i64) -> String {
    let date = calendar::format_date(calendar::utc_date(micros));
    let rest = micros.rem_euclid(DAY_MICROS) / 1_000_000;
    if rest == 0 {
        return date;
    }
    format!("{date}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Column::Time(values) => values.len(),
            Column::Text(values) => values.len(),
            Column::Index(values) => values.len(),
            Column::Number(values) => values.len(),
            Column::Flag(values) => values.len(),
        }
    }

    fn text(&self, row: usize) -> String {
        match self {
            Column::Time(values) => timestamp(values[row]),
            Column::Text(values) => quoted(&values[row]),
            Column::Index(values) => values[row].to_string(),
            Column::Number(values) if values[row].is_nan() => String::new(),
            Column::Number(values) => values[row].to_string(),
            Column::Flag(values) => values[row].to_string(),
        }
    }

    fn json(&self, row: usize) -> serde_json::Value {
        match self {
            Column::Time(values) => json!(timestamp(values[row])),
            Column::Text(values) => json!(values[row]),
            Column::Index(values) => json!(values[row]),
            Column::Number(values) => json!(values[row]),
            Column::Flag(values) => json!(values[row]),
        }
    }

    fn arrow(&self) -> ArrayRef {
        match self {
            Column::Time(values) => Arc::new(TimestampMicrosecondArray::from(values.clone()).with_timezone("UTC")),
            Column::Text(values) => Arc::new(StringArray::from_iter_values(values)),
            Column::Index(values) => Arc::new(UInt32Array::from(values.clone())),
            Column::Number(values) => Arc::new(Float64Array::from(values.clone())),
            Column::Flag(values) => Arc::new(BooleanArray::from(values.clone())),
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Column::Time(_) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Column::Text(_) => DataType::Utf8,
            Column::Index(_) => DataType::UInt32,
            Column::Number(_) => DataType::Float64,
            Column::Flag(_) => DataType::Boolean,
        }
    }
}

/// A field of comma-separated values: symbols may hold a comma or a quote.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn csv(table: &Table) -> String {
    let mut text = table.columns.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(",") + "\n";
    for row in 0..table.rows {
        let fields: Vec<String> = table.columns.iter().map(|(_, column)| column.text(row)).collect();
        text += &fields.join(",");
        text.push('\n');
    }
    text
}

fn json_rows(table: &Table) -> serde_json::Value {
    let row = |row: usize| -> serde_json::Value {
        let map: serde_json::Map<_, _> =
            table.columns.iter().map(|(name, column)| (name.clone(), column.json(row))).collect();
        map.into()
    };
    (0..table.rows).map(row).collect()
}

fn parquet_bytes(table: &Table) -> parquet::errors::Result<Vec<u8>> {
    let fields: Vec<Field> =
        table.columns.iter().map(|(name, column)| Field::new(name, column.data_type(), false)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), table.columns.iter().map(|(_, column)| column.arrow()).collect())?;
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_created_by("sandtable".into()).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail() -> Detail {
        Detail {
            metrics: Vec::new(),
            time: vec![0, 86_400_000_000 + 3_600_000_000].into(),
            equity: vec![100.0, 101.5],
            sessions: Vec::new(),
            session_equity: Vec::new(),
            benchmark_equity: Vec::new(),
            fills: vec![sandtable_core::ledger::Fill { bar: 1, symbol: 0, quantity: -2.0, price: 5.0, fee: 0.25 }],
            trades: Vec::new(),
        }
    }

    #[test]
    fn csv_and_json_say_the_same() {
        let table = fills(&detail(), &["A,B".into()]);
        assert_eq!(
            csv(&table),
            "bar,time,symbol,side,quantity,price,fee\n1,1970-01-02T01:00:00Z,\"A,B\",sell,2,5,0.25\n"
        );
        assert_eq!(json_rows(&table)[0]["symbol"], "A,B");
        assert_eq!(csv(&equity(&detail())), "time,equity\n1970-01-01,100\n1970-01-02T01:00:00Z,101.5\n");
    }

    #[test]
    fn unknown_endings_are_refused() {
        assert!(format_of(Path::new("x.xls")).is_err());
        assert!(matches!(format_of(Path::new("x.CSV")), Ok(Format::Csv)));
    }
}
