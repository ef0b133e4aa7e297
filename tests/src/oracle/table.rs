//! Stored tables of the oracle folders as plain named columns.
//!
//! Given the path of a Parquet file (any codec the build has, zstd included) or of a CSV panel, this module gives
//! columns of `f64`, `i64`, `bool`, text or time, and the bars of one symbol of a panel. It never knows what a
//! case compares. Every error is a sentence that names the file.

use std::fs::File;
use std::path::{Component, Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sandtable_core::bundle::Bars;
use sandtable_core::calendar::{DAY_MICROS, parse_date, utc_date};

/// One column of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Floats; a null is NaN.
    Float(Vec<f64>),
    /// Integers of any width; nulls make the column [`Column::Float`].
    Int(Vec<i64>),
    /// Truth values; a null is false.
    Bool(Vec<bool>),
    /// Text, dictionary-encoded or not; a null is empty.
    Text(Vec<String>),
    /// Dates and timestamps as microseconds since 1970-01-01 UTC; a null is `i64::MIN`.
    Time(Vec<i64>),
}

impl Column {
    fn kind(&self) -> &'static str {
        match self {
            Column::Float(_) => "floats",
            Column::Int(_) => "integers",
            Column::Bool(_) => "truth values",
            Column::Text(_) => "text",
            Column::Time(_) => "times",
        }
    }
}

/// A whole stored table in memory, rows in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// File name for messages.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Columns by name, in the order of the file.
    pub columns: Vec<(String, Column)>,
}

impl Table {
    /// Reads a Parquet file.
    pub fn read(path: &Path) -> Result<Table, String> {
        let name = path.display().to_string();
        let fail = |error: &dyn std::fmt::Display| format!("{name}: {error}");
        let file = File::open(path).map_err(|e| fail(&e))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(|builder| builder.with_batch_size(1 << 16).build())
            .map_err(|e| fail(&e))?;
        let fields = reader_schema_names(&reader);
        let mut table = Table { name: name.clone(), rows: 0, columns: Vec::new() };
        for batch in reader {
            let batch = batch.map_err(|e| fail(&e))?;
            table.rows += batch.num_rows();
            for (index, array) in batch.columns().iter().enumerate() {
                let part = convert(array).map_err(|e| format!("{name}, column `{}`: {e}", fields[index]))?;
                match table.columns.get_mut(index) {
                    Some((_, column)) => append(column, part),
                    None => table.columns.push((fields[index].clone(), part)),
                }
            }
        }
        Ok(table)
    }

    /// The column of that name, if there is one.
    pub fn get(&self, column: &str) -> Option<&Column> {
        self.columns.iter().find(|(name, _)| name == column).map(|(_, column)| column)
    }

    /// The column of that name.
    pub fn column(&self, column: &str) -> Result<&Column, String> {
        self.get(column).ok_or_else(|| {
            let known: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
            format!("{}: no column `{column}`, only {}", self.name, known.join(", "))
        })
    }

    /// Numbers as floats (integers are converted).
    pub fn floats(&self, column: &str) -> Result<Vec<f64>, String> {
        match self.column(column)? {
            Column::Float(values) => Ok(values.clone()),
            Column::Int(values) => Ok(values.iter().map(|&v| v as f64).collect()),
            other => Err(self.wrong(column, other, "floats")),
        }
    }

    /// Integers.
    pub fn ints(&self, column: &str) -> Result<&[i64], String> {
        match self.column(column)? {
            Column::Int(values) => Ok(values),
            other => Err(self.wrong(column, other, "integers")),
        }
    }

    /// Truth values.
    pub fn bools(&self, column: &str) -> Result<&[bool], String> {
        match self.column(column)? {
            Column::Bool(values) => Ok(values),
            other => Err(self.wrong(column, other, "truth values")),
        }
    }

    /// Text.
    pub fn texts(&self, column: &str) -> Result<&[String], String> {
        match self.column(column)? {
            Column::Text(values) => Ok(values),
            other => Err(self.wrong(column, other, "text")),
        }
    }

    /// Times in microseconds UTC.
    pub fn times(&self, column: &str) -> Result<&[i64], String> {
        match self.column(column)? {
            Column::Time(values) => Ok(values),
            other => Err(self.wrong(column, other, "times")),
        }
    }

    /// Indices of the rows whose text column has that value, ascending.
    pub fn rows_where(&self, column: &str, value: &str) -> Result<Vec<usize>, String> {
        let texts = self.texts(column)?;
        Ok((0..texts.len()).filter(|&row| texts[row] == value).collect())
    }

    fn wrong(&self, column: &str, found: &Column, wanted: &str) -> String {
        format!("{}: column `{column}` holds {}, not {wanted}", self.name, found.kind())
    }
}

fn reader_schema_names(reader: &impl arrow::array::RecordBatchReader) -> Vec<String> {
    reader.schema().fields().iter().map(|field| field.name().clone()).collect()
}

/// One Arrow array as a column.
fn convert(array: &dyn Array) -> Result<Column, String> {
    let cast = |to: &DataType| arrow::compute::cast(array, to).map_err(|e| e.to_string());
    let time = DataType::Timestamp(TimeUnit::Microsecond, None);
    Ok(match array.data_type() {
        DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Null => {
            float(&*cast(&DataType::Float64)?)
        }
        t if t.is_integer() && array.null_count() > 0 => float(&*cast(&DataType::Float64)?),
        t if t.is_integer() => Column::Int(cast(&DataType::Int64)?.as_primitive::<Int64Type>().values().to_vec()),
        DataType::Boolean => Column::Bool(array.as_boolean().iter().map(|v| v.unwrap_or(false)).collect()),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => {
            let cast = cast(&time)?;
            let times = cast.as_primitive::<TimestampMicrosecondType>();
            Column::Time(times.iter().map(|v| v.unwrap_or(i64::MIN)).collect())
        }
        _ => {
            let cast = cast(&DataType::Utf8)?;
            Column::Text(cast.as_string::<i32>().iter().map(|v| v.unwrap_or("").to_string()).collect())
        }
    })
}

fn float(array: &dyn Array) -> Column {
    Column::Float(array.as_primitive::<Float64Type>().iter().map(|v| v.unwrap_or(f64::NAN)).collect())
}

/// Appends the part of a later batch; integers that got nulls there become floats as a whole.
fn append(column: &mut Column, part: Column) {
    match (&mut *column, part) {
        (Column::Float(all), Column::Float(part)) => all.extend(part),
        (Column::Float(all), Column::Int(part)) => all.extend(part.iter().map(|&v| v as f64)),
        (Column::Int(all), Column::Int(part)) => all.extend(part),
        (Column::Int(all), Column::Float(part)) => {
            let floats = all.iter().map(|&v| v as f64).chain(part).collect();
            *column = Column::Float(floats);
        }
        (Column::Bool(all), Column::Bool(part)) => all.extend(part),
        (Column::Text(all), Column::Text(part)) => all.extend(part),
        (Column::Time(all), Column::Time(part)) => all.extend(part),
        // One column of one file has one type in every batch.
        (_, _) => {}
    }
}

/// Where a file named by a case lies: `data/…` under the data root, `oracles/…` under the oracles root, anything
/// else beside the case. Names that climb out of their root are refused.
pub fn locate(oracles: &Path, data: &Path, case: &Path, named: &str) -> Result<PathBuf, String> {
    let relative = Path::new(named);
    if relative.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(format!("the case names the file `{named}`, which leaves the folder of the data"));
    }
    Ok(if let Ok(rest) = relative.strip_prefix("data") {
        data.join(rest)
    } else if let Ok(rest) = relative.strip_prefix("oracles") {
        oracles.join(rest)
    } else {
        case.join(relative)
    })
}

/// A panel of bars: many symbols in one Parquet file, or one unnamed symbol in a CSV file.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Symbols in ascending order; one empty name if the file has no symbol column.
    pub symbols: Vec<String>,
    /// Bars, one entry per symbol in the same order, times as the file has them.
    pub bars: Vec<Bars>,
}

impl Panel {
    /// Reads a panel with columns `symbol` (optional), `date` or `ts` or `timestamp`, `open`, `high`, `low`, `close`,
    /// `volume` (optional) from Parquet, or the same from CSV, where the time may be the unnamed first column and
    /// capitals do not matter.
    pub fn read(path: &Path) -> Result<Panel, String> {
        let table = if path.extension().is_some_and(|e| e == "csv") { read_csv(path)? } else { Table::read(path)? };
        let time = ["date", "ts", "timestamp", "time", "datetime", ""]
            .iter()
            .find(|name| table.get(name).is_some())
            .ok_or_else(|| format!("{}: no column `date`, `ts` or `timestamp`", table.name))?;
        let time = table.times(time)?;
        let session = match table.get("session") {
            Some(Column::Time(session)) => session.as_slice(),
            _ => time,
        };
        // Quotes without trades are taken at the middle of bid and ask.
        let quoted = table.get("open").is_none() && table.get("bid_open").is_some();
        let price = |name: &str| match quoted {
            false => table.floats(name),
            true => {
                let (bid, ask) = (table.floats(&format!("bid_{name}"))?, table.floats(&format!("ask_{name}"))?);
                Ok(bid.iter().zip(&ask).map(|(bid, ask)| (bid + ask) / 2.0).collect())
            }
        };
        let prices = ["open", "high", "low", "close"].map(price);
        let [open, high, low, close] = prices;
        let (open, high, low, close) = (open?, high?, low?, close?);
        let volume =
            if table.get("volume").is_some() && !quoted { table.floats("volume")? } else { vec![0.0; table.rows] };
        let names: Vec<&str> = match table.get("symbol") {
            Some(_) => table.texts("symbol")?.iter().map(String::as_str).collect(),
            None => vec![""; table.rows],
        };
        let mut symbols: Vec<String> = Vec::new();
        for name in &names {
            if symbols.last().is_none_or(|last| last != name) {
                symbols.push((*name).to_string());
            }
        }
        symbols.sort();
        symbols.dedup();
        let mut bars = vec![Bars::default(); symbols.len()];
        for row in 0..table.rows {
            let Ok(index) = symbols.binary_search_by(|symbol| symbol.as_str().cmp(names[row])) else { continue };
            let into = &mut bars[index];
            into.time.push(time[row]);
            into.session.push(utc_date(session[row]));
            into.open.push(open[row]);
            into.high.push(high[row]);
            into.low.push(low[row]);
            into.close.push(close[row]);
            into.volume.push(volume[row]);
        }
        Ok(Panel { symbols, bars })
    }

    /// The bars of one symbol.
    pub fn bars(&self, symbol: &str) -> Result<&Bars, String> {
        let index = self.symbols.binary_search_by(|known| known.as_str().cmp(symbol));
        index
            .map(|index| &self.bars[index])
            .map_err(|_| format!("the panel has no symbol `{symbol}`, only {}", self.symbols.join(", ")))
    }

    /// The bars of one symbol whose session lies between two dates (`2014-01-02`), both included; an absent date
    /// does not limit.
    pub fn between(&self, symbol: &str, start: Option<&str>, end: Option<&str>) -> Result<Bars, String> {
        let bars = self.bars(symbol)?;
        let first = start.map_or(Ok(i32::MIN), day)?;
        let last = end.map_or(Ok(i32::MAX), day)?;
        let keep: Vec<usize> = (0..bars.len()).filter(|&i| (first..=last).contains(&bars.session[i])).collect();
        let pick = |column: &[f64]| keep.iter().map(|&i| column[i]).collect();
        Ok(Bars {
            time: keep.iter().map(|&i| bars.time[i]).collect(),
            session: keep.iter().map(|&i| bars.session[i]).collect(),
            open: pick(&bars.open),
            high: pick(&bars.high),
            low: pick(&bars.low),
            close: pick(&bars.close),
            volume: pick(&bars.volume),
        })
    }
}

/// The date that a text starts with.
fn day(text: &str) -> Result<i32, String> {
    text.get(..10).and_then(parse_date).ok_or_else(|| format!("`{text}` does not start with a date like 2014-01-02"))
}

/// A time like `2014-01-02`, `2014-01-02 15:30`, `2014-01-02T15:30:00` or with a zero offset, in microseconds UTC.
pub fn parse_time(text: &str) -> Option<i64> {
    let date = text.get(..10).and_then(parse_date)?;
    let clock = text.get(10..)?.trim_end_matches("+00:00").trim_end_matches('Z');
    let clock = clock.trim_start_matches(['T', ' ']);
    let mut micros = i64::from(date) * DAY_MICROS;
    if !clock.is_empty() {
        let scales = [3_600_000_000i64, 60_000_000, 1_000_000];
        let parts: Vec<&str> = clock.split(':').collect();
        if !(2..=3).contains(&parts.len()) {
            return None;
        }
        for (part, scale) in parts.iter().zip(scales) {
            let value: f64 = part.parse().ok().filter(|v| (0.0..60.0).contains(v))?;
            micros += (value * scale as f64).round() as i64;
        }
    }
    Some(micros)
}

/// A CSV file with a header: the first column is time, `symbol` is text, the others are numbers.
fn read_csv(path: &Path) -> Result<Table, String> {
    let name = path.display().to_string();
    let mut reader = csv::Reader::from_path(path).map_err(|e| format!("{name}: {e}"))?;
    let header: Vec<String> =
        reader.headers().map_err(|e| format!("{name}: {e}"))?.iter().map(|h| h.trim().to_lowercase()).collect();
    let mut columns: Vec<Column> = header
        .iter()
        .enumerate()
        .map(|(index, head)| match head.as_str() {
            "symbol" => Column::Text(Vec::new()),
            "date" | "ts" | "timestamp" | "time" | "datetime" => Column::Time(Vec::new()),
            _ if index == 0 => Column::Time(Vec::new()),
            _ => Column::Float(Vec::new()),
        })
        .collect();
    let mut rows = 0;
    for record in reader.records() {
        let record = record.map_err(|e| format!("{name}: {e}"))?;
        rows += 1;
        for (column, cell) in columns.iter_mut().zip(record.iter()) {
            let bad = || format!("{name}, row {rows}: `{cell}` is not a value of its column");
            match column {
                Column::Text(values) => values.push(cell.to_string()),
                Column::Time(values) => values.push(parse_time(cell.trim()).ok_or_else(bad)?),
                Column::Float(values) if cell.trim().is_empty() => values.push(f64::NAN),
                Column::Float(values) => values.push(cell.trim().parse().map_err(|_| bad())?),
                Column::Int(_) | Column::Bool(_) => {}
            }
        }
    }
    Ok(Table { name, rows, columns: header.into_iter().zip(columns).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_forms_that_files_have() {
        assert_eq!(parse_time("1970-01-02"), Some(DAY_MICROS));
        assert_eq!(parse_time("1970-01-01 01:02:03"), Some(3_723_000_000));
        assert_eq!(parse_time("1970-01-01T00:00:00.5+00:00"), Some(500_000));
        assert_eq!(parse_time("1970-01-01 25"), None);
        assert_eq!(parse_time("monday"), None);
    }

    #[test]
    fn files_are_found_under_their_root_and_nowhere_else() {
        let at = |named| locate(Path::new("o"), Path::new("d"), Path::new("o/case"), named);
        assert_eq!(at("data/x.parquet"), Ok(PathBuf::from("d/x.parquet")));
        assert_eq!(at("oracles/zipline/y"), Ok(PathBuf::from("o/zipline/y")));
        assert_eq!(at("inputs.parquet"), Ok(PathBuf::from("o/case/inputs.parquet")));
        assert!(at("data/../../etc/passwd").is_err());
        assert!(at("/etc/passwd").is_err());
    }

    #[test]
    fn a_csv_panel_with_an_unnamed_time_column_is_read() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("one.csv");
        std::fs::write(&path, ",Open,High,Low,Close,Volume\n2012-01-31,1,2,0.5,1.5,7\n2012-02-29,2,3,1,2,\n")?;
        let panel = Panel::read(&path)?;
        assert_eq!(panel.symbols, [""]);
        let bars = panel.between("", Some("2012-02-01"), None)?;
        assert_eq!((bars.len(), bars.close[0]), (1, 2.0));
        assert!(bars.volume[0].is_nan());
        Ok(())
    }
}
