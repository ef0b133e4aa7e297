//! Turns other people's files into a [`BundleDraft`], and says everything that was wrong with them.
//!
//! ```text
//! bytes ─▶ text or Parquet ─▶ rows (each judged) ─▶ series (sorted, checked against the calendar) ─▶ draft + report
//! ```
//!
//! Given bytes with names, not files: a browser can drop the same CSV here. What counts as a defect and what is done
//! about it stands in one table, [`Kind`]. Structure that cannot be understood refuses the input; a value with one
//! plain reading is repaired; a row that cannot be a bar is dropped; what is only suspicious is reported. Nothing is
//! ever mended silently.

mod actions;
#[cfg(test)]
mod cases;
mod columns;
mod convert;
mod csv;
mod defects;
mod foreign;
mod gather;
mod series;
mod text;
mod times;

pub use defects::{Defect, DefectGroup, DefectReport, Done, Kind};
pub use times::{DateFormat, Zone};

use bytes::Bytes;

use self::defects::Place;
use self::gather::Gather;
use super::check::check_symbol;
use super::{BundleDraft, Frequency, PriceBasis};
use crate::calendar::Calendar;
use crate::error::{self, Error, Result};

/// One input file.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name, for messages and, without a symbol column, for the symbol.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// What a timestamp of an intraday bar names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BarTime {
    /// The instant the bar closes.
    #[default]
    Close,
    /// The instant it starts: timestamps are moved by the length of a bar.
    Start,
}

/// Which of two rows of one time and different content is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// Neither: the input is refused.
    #[default]
    Refuse,
    /// The one that comes first.
    First,
    /// The one that comes last.
    Last,
}

/// How to read the inputs.
#[derive(Clone, Debug)]
pub struct IngestOptions {
    /// Name of the bundle.
    pub name: String,
    /// Refuse what would be repaired or dropped.
    pub strict: bool,
    /// (`time`, `symbol`, `open`, `high`, `low`, `close`, `volume` or `adj_close`, name of the column).
    pub map: Vec<(String, String)>,
    /// How dates are written, if the files do not tell.
    pub date_format: Option<DateFormat>,
    /// Zone of times that carry none.
    pub zone: Zone,
    /// What intraday timestamps name.
    pub bar_time: BarTime,
    /// Bar spacing, if the files do not tell.
    pub frequency: Option<Frequency>,
    /// Sessions, if the files do not tell.
    pub calendar: Option<Calendar>,
    /// What was done to the prices before.
    pub prices: PriceBasis,
    /// Scale open, high, low and close by adjusted close ÷ close, where there is such a column.
    pub use_adjusted: bool,
    /// Rows of one time that differ.
    pub duplicates: Duplicates,
    /// Symbol of files that name none.
    pub symbol: Option<String>,
    /// Symbol that stands for the market.
    pub benchmark: Option<String>,
    /// Where the data come from.
    pub source: String,
    /// The terms under which they may be used.
    pub licence: String,
    /// A CSV table of splits and dividends.
    pub actions: Option<Input>,
    /// Most bytes that one input may have when decompressed.
    pub limit: usize,
}

impl Default for IngestOptions {
    fn default() -> Self {
        IngestOptions {
            name: "bundle".to_string(),
            strict: false,
            map: Vec::new(),
            date_format: None,
            zone: Zone::Utc,
            bar_time: BarTime::Close,
            frequency: None,
            calendar: None,
            prices: PriceBasis::Raw,
            use_adjusted: false,
            duplicates: Duplicates::Refuse,
            symbol: None,
            benchmark: None,
            source: String::new(),
            licence: String::new(),
            actions: None,
            limit: 1 << 30,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Ingested {
    /// The draft, or the sentence that says why the input is refused.
    pub outcome: Result<BundleDraft>,
    /// Everything found, refused or not.
    pub report: DefectReport,
}

/// Reads all inputs into one draft.
///
/// # Errors
/// Only what is no property of the data: options that cannot be, no inputs, content of a kind that is not supported.
/// Refused data is an [`Ingested`] whose outcome is an error, so that the report can be shown with it.
pub fn ingest(inputs: &[Input], options: &IngestOptions) -> Result<Ingested> {
    if inputs.is_empty() {
        return Err(Error::plan("no files to ingest").help("name at least one CSV or Parquet file"));
    }
    let mut report = DefectReport::new(options.strict);
    let mut gather = Gather::default();
    for input in inputs {
        read_input(&mut gather, input, options, &mut report).map_err(|error| error.in_file(&input.name))?;
    }
    let actions = match &options.actions {
        Some(input) => actions::read(input, &gather, options, &mut report).map_err(|e| e.in_file(&input.name))?,
        None => Vec::new(),
    };
    let draft = match refusal(&report) {
        Some(_) => None,
        None => Some(series::draft(gather, actions, options, &mut report)?),
    };
    let outcome = match (refusal(&report), draft) {
        (None, Some(draft)) => draft.check().map(|()| draft),
        (Some(error), _) => Err(error),
        (None, None) => Err(Error::data("the input was refused")),
    };
    Ok(Ingested { outcome, report })
}

fn read_input(gather: &mut Gather, input: &Input, options: &IngestOptions, report: &mut DefectReport) -> Result<()> {
    let file = gather.add_file(&input.name);
    if input.bytes.is_empty() {
        report.add(Kind::EmptyFile, Place::file(&input.name, 0, "0 bytes"));
        return Ok(());
    }
    if input.bytes.starts_with(b"PAR1") {
        return foreign::read(gather, file, input, options, report);
    }
    let Some(decompressed) = text::decompressed(&input.name, &input.bytes, options.limit, report) else {
        return Ok(());
    };
    csv::read(gather, file, &input.name, decompressed.as_deref().unwrap_or(&input.bytes), options, report)
}

/// The symbol of a file without a symbol column.
fn file_symbol(file: &str, options: &IngestOptions) -> Result<String> {
    if let Some(symbol) = &options.symbol {
        check_symbol(symbol)?;
        return Ok(symbol.clone());
    }
    let mut stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
    for suffix in [".gz", ".csv", ".txt", ".tsv", ".parquet", ".pq"] {
        stem = stem.strip_suffix(suffix).unwrap_or(stem);
    }
    check_symbol(stem).map_err(|error| error.help("name the symbol with --symbol"))?;
    Ok(stem.to_string())
}

/// The first defect that refuses the input, as a sentence with the way out.
fn refusal(report: &DefectReport) -> Option<Error> {
    let first = report.refusals().next()?;
    let more = report.refusals().count() - 1;
    let column = if first.column.is_empty() { String::new() } else { format!("column {}: ", first.column) };
    let also = match more {
        0 => String::new(),
        1 => " (and 1 defect more)".to_string(),
        more => format!(" (and {more} defects more)"),
    };
    let sentence = format!("{column}{}: {}{also}", first.kind.meaning(), first.found);
    let place = error::Place { file: first.file.clone(), line: first.line, ..error::Place::default() };
    let error = Error::data(sentence).at(place);
    Some(if report.strict && first.kind.policy() != Done::Refused {
        error.help(format!("without --strict this is {}", first.kind.policy().name()))
    } else {
        error.help(way_out(first.kind))
    })
}

fn way_out(kind: Kind) -> &'static str {
    match kind {
        Kind::EmptyFile | Kind::NoRows => "get the file again: it should hold a header line and one line for each bar",
        Kind::TruncatedGzip => "get the file again: the download or copy did not finish",
        Kind::MissingColumn => {
            "a file needs a time column and open, high, low, close; name them with --map FIELD=COLUMN"
        }
        Kind::DateFormat => "write all dates of a file in one way, or name the way with --date-format",
        Kind::TimezoneMix => "write all timestamps of a file in one zone",
        Kind::FieldCount | Kind::ParseError | Kind::NulByte => {
            "correct or remove the line; the file may be damaged elsewhere too"
        }
        Kind::NonUtf8 | Kind::NonUtf8Ignored => "save the file as UTF-8",
        Kind::DuplicateConflict => "remove one of the rows, or choose with --duplicates first or --duplicates last",
        _ => "correct the file",
    }
}
