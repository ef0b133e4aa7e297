//! Reads a CSV table of splits and dividends: `symbol, ex_date, split_ratio, cash_dividend` and perhaps `pay_date`.
//!
//! Ratios are new shares per old share. An empty ratio means no split, an empty dividend none. Rows of one symbol and
//! ex-date are kept side by side (an ordinary and a special dividend may fall on one day).

use super::defects::{DefectReport, Kind, Place, shown};
use super::gather::Gather;
use super::text::{Number, decompressed, delimiter, fields, lines, number};
use super::times::{DateFormat, Shape, parse, shape};
use super::{IngestOptions, Input};
use crate::bundle::Action;
use crate::error::Result;

/// Reads the table; rows of symbols without bars are dropped and reported.
///
/// # Errors
/// None of its own: what is wrong is in the report.
pub(super) fn read(
    input: &Input,
    gather: &Gather,
    options: &IngestOptions,
    report: &mut DefectReport,
) -> Result<Vec<Action>> {
    let name = &input.name;
    let Some(text) = decompressed(name, &input.bytes, options.limit, report) else { return Ok(Vec::new()) };
    let text = text.as_deref().unwrap_or(&input.bytes);
    let found = lines(name, text, report);
    let Some((header, body)) = found.split_first() else {
        report.add(Kind::EmptyFile, Place::file(name, 0, "no text"));
        return Ok(Vec::new());
    };
    let delimiter = delimiter(header.bytes);
    let Some(columns) = columns(name, header.bytes, delimiter, report) else { return Ok(Vec::new()) };
    let mut format = options.date_format;
    let mut actions = Vec::new();
    for line in body {
        let split = fields(line.bytes, delimiter).unwrap_or_default();
        let text = |column: Option<usize>| -> String {
            let field = column.and_then(|column| split.get(column));
            field.map(|field| String::from_utf8_lossy(field).trim().to_string()).unwrap_or_default()
        };
        if split.len() <= columns.symbol.max(columns.ex_date) {
            report.add(Kind::FieldCount, Place::file(name, line.number, format!("{} fields", split.len())));
            continue;
        }
        let symbol = text(Some(columns.symbol));
        let row = read_row(name, line.number, &symbol, &text, &columns, &mut format, report);
        let Some(action) = row else { continue };
        if !gather.has(&symbol) {
            let place = Place::file(name, line.number, "no bars of this symbol").symbol(&symbol);
            report.add(Kind::UnknownSymbol, place.date(text(Some(columns.ex_date))));
            continue;
        }
        actions.push(action);
    }
    actions.sort_by(|a, b| (&a.symbol, a.ex_date).cmp(&(&b.symbol, b.ex_date)));
    Ok(actions)
}

struct ActionColumns {
    symbol: usize,
    ex_date: usize,
    split: Option<usize>,
    dividend: Option<usize>,
    pay_date: Option<usize>,
}

fn columns(name: &str, header: &[u8], delimiter: u8, report: &mut DefectReport) -> Option<ActionColumns> {
    let names: Vec<String> = fields(header, delimiter)
        .unwrap_or_default()
        .iter()
        .map(|field| String::from_utf8_lossy(field).trim().to_lowercase().replace(['_', '-'], " "))
        .collect();
    let find = |aliases: &[&str]| aliases.iter().find_map(|alias| names.iter().position(|name| name == alias));
    let columns = (
        find(&["symbol", "ticker"]),
        find(&["ex date", "exdate", "date"]),
        find(&["split ratio", "split", "ratio"]),
        find(&["cash dividend", "dividend", "dividends", "amount"]),
    );
    match columns {
        (Some(symbol), Some(ex_date), split, dividend) if split.or(dividend).is_some() => {
            Some(ActionColumns { symbol, ex_date, split, dividend, pay_date: find(&["pay date", "paydate"]) })
        }
        _ => {
            let found =
                format!("found {}; expected symbol, ex_date, split_ratio, cash_dividend", shown(&names.join(", ")));
            report.add(Kind::MissingColumn, Place { found, ..Place::file(name, 1, "") });
            None
        }
    }
}

fn read_row(
    name: &str,
    line: u32,
    symbol: &str,
    text: &dyn Fn(Option<usize>) -> String,
    columns: &ActionColumns,
    format: &mut Option<DateFormat>,
    report: &mut DefectReport,
) -> Option<Action> {
    let mut date = |column: Option<usize>, label: &str, report: &mut DefectReport| {
        let written = text(column);
        if let (None, Shape::Certain(found)) = (*format, shape(&written)) {
            *format = Some(found);
        }
        let stamp = format.and_then(|format| parse(&written, format));
        if stamp.is_none() {
            report.add(Kind::DateFormat, Place::file(name, line, written).symbol(symbol).column(label));
        }
        stamp.map(|stamp| stamp.date)
    };
    let ex_date = date(Some(columns.ex_date), "ex_date", report)?;
    let pay_date = match text(columns.pay_date).is_empty() {
        true => None,
        false => Some(date(columns.pay_date, "pay_date", report)?),
    };
    let mut value = |column: Option<usize>, label: &str, absent: f64, least: f64| {
        let written = text(column);
        match number(&written, false) {
            Number::Missing => Some(absent),
            Number::Value(value) if value >= least => Some(value),
            _ => {
                report.add(Kind::ParseError, Place::file(name, line, written).symbol(symbol).column(label));
                None
            }
        }
    };
    let split_ratio = value(columns.split, "split_ratio", 1.0, 1e-9)?;
    let cash_dividend = value(columns.dividend, "cash_dividend", 0.0, 0.0)?;
    Some(Action { symbol: symbol.to_string(), ex_date, pay_date, split_ratio, cash_dividend })
}
