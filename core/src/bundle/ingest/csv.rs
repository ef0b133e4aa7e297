//! Reads delimited text: the header, the way dates and numbers are written, then row by row.

use std::borrow::Cow;

use super::columns::{Columns, find};
use super::defects::{DefectReport, Done, Kind, Place, shown};
use super::gather::{Candidate, Gather};
use super::text::{Line, Number, delimiter, fields, lines, number};
use super::times::{DateFormat, Offset, Shape, Stamp, parse, shape};
use super::{IngestOptions, file_symbol};
use crate::bundle::Field;
use crate::bundle::check::check_symbol;
use crate::error::Result;

/// Lines that are looked at to tell decimal commas.
const SAMPLE: usize = 200;

/// Reads one text file into `gather`.
///
/// # Errors
/// The mapping does not fit the header, or the table is of an unsupported kind; defects go to the report.
pub(super) fn read(
    gather: &mut Gather,
    file: u32,
    name: &str,
    text: &[u8],
    options: &IngestOptions,
    report: &mut DefectReport,
) -> Result<()> {
    if text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) {
        report.add(Kind::NonUtf8, Place::file(name, 1, "the text is UTF-16"));
        return Ok(());
    }
    let found = lines(name, text, report);
    let Some((header, body)) = found.split_first() else {
        if report.refusals().next().is_none() {
            report.add(Kind::EmptyFile, Place::file(name, 0, "no text"));
        }
        return Ok(());
    };
    let Some(mut table) = Table::open(name, header, body, options, report)? else { return Ok(()) };
    if body.is_empty() {
        report.add(Kind::NoRows, Place::file(name, header.number, "only a header line"));
        return Ok(());
    }
    table.find_decimal_comma(body, report);
    let Some(format) = table.date_format(body, options, report) else { return Ok(()) };
    let mut rows = Rows { gather, file, format, zone: None, least: [f64::INFINITY; 5], one_symbol: None, options };
    if table.columns.symbol.is_none() {
        rows.one_symbol = Some(rows.gather.symbol(&file_symbol(name, options)?));
    }
    for line in body {
        rows.read_line(&table, line, report);
    }
    rows.gather.adjusted |= table.scaled;
    Ok(())
}

/// What is known of the whole table.
struct Table<'a> {
    name: &'a str,
    header: Line<'a>,
    delimiter: u8,
    columns: Columns,
    decimal_comma: bool,
    /// Prices are to be scaled by adjusted close ÷ close.
    scaled: bool,
    /// The first row and the way it writes its date.
    first_date: (u32, String),
}

impl<'a> Table<'a> {
    /// Reads the header; `None` if it cannot be used, which the report then says.
    fn open(
        name: &'a str,
        header: &Line<'a>,
        body: &[Line<'_>],
        options: &IngestOptions,
        report: &mut DefectReport,
    ) -> Result<Option<Self>> {
        let delimiter = delimiter(header.bytes);
        let split = fields(header.bytes, delimiter).unwrap_or_default();
        let names: Option<Vec<String>> = split.iter().map(|field| String::from_utf8(field.to_vec()).ok()).collect();
        let Some(names) = names else {
            report.add(Kind::NonUtf8, Place::file(name, header.number, String::from_utf8_lossy(header.bytes)));
            return Ok(None);
        };
        let columns = match find(&names, options)? {
            Ok(columns) => columns,
            Err(missing) => {
                let is_data = names.first().is_some_and(|first| shape(first.trim()) != Shape::Nothing);
                let found =
                    if is_data { "the first line looks like data; add a header line".into() } else { missing.sentence };
                // The sentence is longer than what a row would show.
                let place = Place { found, ..Place::file(name, header.number, "").column(missing.column) };
                report.add(Kind::MissingColumn, place);
                return Ok(None);
            }
        };
        let note = |report: &mut DefectReport, column: &str, text: &str| {
            report.add(Kind::Assumed, Place::file(name, 0, text).column(column));
        };
        if columns.volume.is_none() {
            note(report, "volume", "no volume column: volume is 0");
        }
        let scaled = options.use_adjusted && columns.adjusted.is_some();
        if let Some(adjusted) = columns.adjusted.filter(|_| !scaled) {
            note(report, columns.name(adjusted), "not used; --use-adjusted scales all prices by it");
        }
        let first_date = (body.first().map_or(0, |line| line.number), String::new());
        let header = *header;
        Ok(Some(Table { name, header, delimiter, columns, decimal_comma: false, scaled, first_date }))
    }

    fn find_decimal_comma(&mut self, body: &[Line<'_>], report: &mut DefectReport) {
        if self.delimiter == b',' {
            return;
        }
        let (mut commas, mut points) = (0u32, 0u32);
        for line in body.iter().take(SAMPLE) {
            let Some(fields) = fields(line.bytes, self.delimiter) else { continue };
            for &column in &self.columns.prices {
                let field = fields.get(column).map_or(&b""[..], |field| field.as_ref());
                let last = field.iter().rposition(|&b| b == b',' || b == b'.').map(|at| field[at]);
                commas += u32::from(last == Some(b','));
                points += u32::from(last == Some(b'.'));
            }
        }
        self.decimal_comma = commas > points;
        let comma = if self.decimal_comma { ", decimal comma" } else { "" };
        let found = format!("{:?} between fields{comma}", char::from(self.delimiter));
        report.add(Kind::Delimiter, Place::file(self.name, self.header.number, found));
    }

    fn time_text<'b>(&self, fields: &'b [Cow<'_, [u8]>]) -> Option<Cow<'b, str>> {
        let text = |column: usize| Some(std::str::from_utf8(fields.get(column)?).ok()?.trim());
        let date = text(self.columns.time)?;
        match self.columns.clock {
            Some(clock) => Some(Cow::Owned(format!("{date} {}", text(clock)?))),
            None => Some(Cow::Borrowed(date)),
        }
    }

    /// The one way in which the file writes dates: the first row's, or for slashes what all rows together say.
    fn date_format(
        &mut self,
        body: &[Line<'_>],
        options: &IngestOptions,
        report: &mut DefectReport,
    ) -> Option<DateFormat> {
        let mut slashes: Option<(u32, String)> = None;
        for line in body {
            let Some(fields) = fields(line.bytes, self.delimiter) else { continue };
            let Some(text) = self.time_text(&fields) else { continue };
            let found = match (options.date_format, shape(&text)) {
                (_, Shape::Nothing) => continue,
                (Some(format), _) => Some(format),
                (None, Shape::Certain(format)) if slashes.is_none() => Some(format),
                (None, Shape::Certain(_)) => None,
                (None, Shape::Slashes(a, b)) => {
                    slashes.get_or_insert_with(|| (line.number, text.to_string()));
                    match (a > 12, b > 12) {
                        (false, true) => Some(DateFormat::MonthDayYear),
                        (true, false) => Some(DateFormat::DayMonthYear),
                        _ => None,
                    }
                }
            };
            if let Some(format) = found {
                self.first_date = slashes.unwrap_or_else(|| (line.number, text.to_string()));
                return Some(format);
            }
        }
        let place = match slashes {
            Some((line, text)) => {
                let found = format!("{text}: no row tells month from day; say --date-format mdy or dmy");
                Place::file(self.name, line, found)
            }
            None => Place::file(self.name, self.first_date.0, "no row has a date that can be read"),
        };
        report.add(Kind::DateFormat, place.column(self.columns.name(self.columns.time)));
        None
    }
}

/// The rows as they are read.
struct Rows<'a> {
    gather: &'a mut Gather,
    file: u32,
    format: DateFormat,
    /// The zone that the first row carries, and its line.
    zone: Option<(Option<Offset>, u32)>,
    /// Least value above 0 of each field, to tell a cut number.
    least: [f64; 5],
    /// The symbol of a file without a symbol column.
    one_symbol: Option<usize>,
    options: &'a IngestOptions,
}

impl Rows<'_> {
    fn read_line(&mut self, table: &Table<'_>, line: &Line<'_>, report: &mut DefectReport) {
        let place = |found: &str| Place::file(table.name, line.number, found);
        if line.bytes == table.header.bytes {
            report.add(Kind::HeaderInBody, place("the header again"));
            return;
        }
        let split = fields(line.bytes, table.delimiter);
        let fields = split.as_deref().unwrap_or_default();
        let width = table.columns.names.len();
        let surplus_is_empty = fields.get(width..).is_some_and(|rest| rest.iter().all(|field| field.is_empty()));
        if fields.len() < width || !surplus_is_empty {
            let found = match &split {
                Some(fields) => format!("{} fields instead of {width}", fields.len()),
                None => "a quote is not closed".to_string(),
            };
            let kind = if line.ended { Kind::FieldCount } else { Kind::TruncatedLine };
            report.add(kind, place(&found).date(table.time_text(fields).unwrap_or_default()));
            return;
        }
        if !self.check_text(table, line, fields, report) {
            return;
        }
        let Some(stamp) = self.read_time(table, line, fields, report) else { return };
        let Some(values) = self.read_values(table, line, fields, report) else { return };
        let Some(series) = self.read_symbol(table, line, fields, report) else { return };
        if !line.ended && self.cut_short(table, line, width, &values, stamp, report) {
            self.gather.series[series].dropped.insert(stamp.date);
            return;
        }
        for (least, value) in self.least.iter_mut().zip(values) {
            *least = if value > 0.0 { least.min(value) } else { *least };
        }
        let raw = |field: Field| {
            let column = table.columns.field(field);
            let text = column.and_then(|column| fields.get(column)).map(|field| String::from_utf8_lossy(field));
            text.filter(|text| !text.is_empty()).map_or_else(|| "(empty)".to_string(), Cow::into_owned)
        };
        let candidate = Candidate { file: self.file, line: line.number, stamp, values, raw: &raw };
        self.gather.push(series, candidate, self.options.zone, report);
    }

    /// Whether all used columns are UTF-8.
    fn check_text(
        &self,
        table: &Table<'_>,
        line: &Line<'_>,
        fields: &[Cow<'_, [u8]>],
        report: &mut DefectReport,
    ) -> bool {
        if line.bytes.is_ascii() {
            return true;
        }
        let mut good = true;
        for (column, field) in fields.iter().enumerate() {
            if std::str::from_utf8(field).is_err() {
                let used = table.columns.uses(column);
                let kind = if used { Kind::NonUtf8 } else { Kind::NonUtf8Ignored };
                let hex: Vec<String> = field.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
                let place = Place::file(table.name, line.number, format!("bytes {}", hex.join(" ")))
                    .column(table.columns.name(column))
                    .date(table.time_text(fields).unwrap_or_default());
                report.add(kind, place);
                good &= !used;
            }
        }
        good
    }

    fn read_time(
        &mut self,
        table: &Table<'_>,
        line: &Line<'_>,
        fields: &[Cow<'_, [u8]>],
        report: &mut DefectReport,
    ) -> Option<Stamp> {
        let column = table.columns.name(table.columns.time);
        let text = table.time_text(fields).unwrap_or_default();
        let Some(stamp) = parse(&text, self.format).filter(Stamp::is_plausible) else {
            let (first, example) = &table.first_date;
            let found = format!("{}, where line {first} writes {}", shown(&text), shown(example));
            report.add(Kind::DateFormat, Place::file(table.name, line.number, found).column(column));
            return None;
        };
        let (zone, first) = *self.zone.get_or_insert((stamp.offset, line.number));
        if !same_zone(zone, stamp.offset) {
            let found = format!("{}, unlike the zone of line {first}", shown(&text));
            let place = Place::file(table.name, line.number, found).column(column).date(text);
            report.add(Kind::TimezoneMix, place);
            return None;
        }
        Some(stamp)
    }

    fn read_values(
        &self,
        table: &Table<'_>,
        line: &Line<'_>,
        fields: &[Cow<'_, [u8]>],
        report: &mut DefectReport,
    ) -> Option<[f64; 5]> {
        let mut values = [0.0; 5];
        let mut good = true;
        let mut read = |column: usize, report: &mut DefectReport| {
            let text = fields.get(column).map_or(Cow::Borrowed(""), |field| String::from_utf8_lossy(field));
            match number(&text, table.decimal_comma) {
                Number::Value(value) => value,
                Number::Missing => f64::NAN,
                Number::Infinite => f64::INFINITY,
                Number::Bad => {
                    let place = Place::file(table.name, line.number, text)
                        .column(table.columns.name(column))
                        .date(table.time_text(fields).unwrap_or_default());
                    report.add(Kind::ParseError, place);
                    good = false;
                    0.0
                }
            }
        };
        for (field, value) in Field::ALL.into_iter().zip(&mut values) {
            if let Some(column) = table.columns.field(field) {
                *value = read(column, report);
            }
        }
        if let Some(adjusted) = table.columns.adjusted.filter(|_| table.scaled) {
            let factor = read(adjusted, report) / values[3];
            values[..4].iter_mut().for_each(|price| *price *= factor);
        }
        good.then_some(values)
    }

    fn read_symbol(
        &mut self,
        table: &Table<'_>,
        line: &Line<'_>,
        fields: &[Cow<'_, [u8]>],
        report: &mut DefectReport,
    ) -> Option<usize> {
        let Some(column) = table.columns.symbol else { return self.one_symbol };
        let text = fields.get(column).map_or(Cow::Borrowed(""), |field| String::from_utf8_lossy(field));
        if check_symbol(text.trim()).is_err() {
            let place = Place::file(table.name, line.number, format!("{} is no symbol", shown(&text)));
            report.add(Kind::ParseError, place.column(table.columns.name(column)));
            return None;
        }
        Some(self.gather.symbol(text.trim()))
    }

    /// Whether the last line, which no newline ends, stops inside its last number.
    fn cut_short(
        &self,
        table: &Table<'_>,
        line: &Line<'_>,
        width: usize,
        values: &[f64; 5],
        stamp: Stamp,
        report: &mut DefectReport,
    ) -> bool {
        let last = Field::ALL.into_iter().position(|field| table.columns.field(field) == Some(width - 1));
        let place = |found: String| {
            Place::file(table.name, line.number, found)
                .column(table.columns.name(width - 1))
                .date(crate::calendar::format_date(stamp.date))
        };
        // A number that lost digits is a tenth of the least one seen, or less.
        if let Some(field) = last
            && self.least[field].is_finite()
            && (values[field].is_nan() || values[field] * 10.0 < self.least[field])
        {
            let found = format!("{} at the end, where the least so far is {}", values[field], self.least[field]);
            return report.add(Kind::TruncatedLine, place(found)) != Done::Reported;
        }
        report.add(Kind::NoFinalNewline, place("no newline after the last row".to_string()));
        false
    }
}

/// Whether two timestamps can be of one place: both without a zone, or at most an hour (summer time) apart.
fn same_zone(a: Option<Offset>, b: Option<Offset>) -> bool {
    match (a, b) {
        (Some(Offset::Minutes(a)), Some(Offset::Minutes(b))) => (a - b).abs() <= 60,
        (Some(Offset::Zulu), Some(Offset::Minutes(m))) | (Some(Offset::Minutes(m)), Some(Offset::Zulu)) => m == 0,
        (a, b) => a == b,
    }
}
