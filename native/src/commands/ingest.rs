//! `sandtable ingest FILES… --into NAME.bundle`: other people's data become a bundle, and every defect is told.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use sandtable_core::bundle::ingest::{
    BarTime, DateFormat, DefectGroup, DefectReport, Done, Duplicates, IngestOptions, Input, Zone, ingest,
};
use sandtable_core::bundle::{BundleDraft, Frequency, PriceBasis, write::encode};
use sandtable_core::calendar::{Calendar, format_date};
use sandtable_core::{Error, Result};

use crate::files::{check_target, contained, machine, write_bundle, write_file};

/// Rows of the table of defects that a terminal shows; the file has all.
const SHOWN: usize = 20;

/// Name of the list of defects inside a bundle's folder.
pub const DEFECTS_FILE: &str = "defects.csv";

/// Turn CSV and Parquet files into a bundle.
#[derive(Args, Clone, Debug)]
pub struct IngestArgs {
    /// CSV (also gzip) or Parquet files: one symbol a file, or long format with a symbol column
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Folder to write, NAME.bundle
    #[arg(long, value_name = "NAME.bundle", required_unless_present = "check")]
    pub into: Option<PathBuf>,
    /// Only report what is wrong; write nothing
    #[arg(long)]
    pub check: bool,
    /// Replace the bundle if it exists
    #[arg(long)]
    pub force: bool,
    /// Refuse what would be repaired or dropped
    #[arg(long)]
    pub strict: bool,
    /// Name a column: time, symbol, open, high, low, close, volume or adj_close (repeat as needed)
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    pub map: Vec<String>,
    /// How dates are written: iso, yyyymmdd, mdy, dmy, d.m.y, unix
    #[arg(long, value_name = "FORMAT")]
    pub date_format: Option<String>,
    /// Zone of times without one: UTC, America/New_York or an offset like +02:00
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true)]
    pub time_zone: String,
    /// Whether intraday timestamps name the start or the close of a bar
    #[arg(long, value_enum, default_value_t = BarTimeArg::Close)]
    pub bar_time: BarTimeArg,
    /// Spacing of bars [default: from the data]
    #[arg(long, value_enum)]
    pub frequency: Option<FrequencyArg>,
    /// Trading days [default: from the data]
    #[arg(long, value_enum)]
    pub calendar: Option<CalendarArg>,
    /// What was done to the prices before
    #[arg(long, value_enum, default_value_t = PricesArg::Raw)]
    pub prices: PricesArg,
    /// Scale all prices by adjusted close ÷ close (then they are total return)
    #[arg(long)]
    pub use_adjusted: bool,
    /// What to do with two different rows of one time
    #[arg(long, value_enum, default_value_t = DuplicatesArg::Refuse)]
    pub duplicates: DuplicatesArg,
    /// Symbol of a file without a symbol column [default: the file's name]
    #[arg(long)]
    pub symbol: Option<String>,
    /// Symbol that stands for the market
    #[arg(long)]
    pub benchmark: Option<String>,
    /// CSV table of splits and dividends: symbol, ex_date, split_ratio, cash_dividend, pay_date
    #[arg(long, value_name = "FILE")]
    pub actions: Option<PathBuf>,
    /// Where the data come from, for the record
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub source: String,
    /// Terms under which the data may be used, for the record
    #[arg(long, alias = "license", value_name = "TEXT", default_value = "")]
    pub licence: String,
    /// Write the list of defects to this file too
    #[arg(long, value_name = "FILE")]
    pub defects: Option<PathBuf>,
}

/// What intraday timestamps name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BarTimeArg {
    /// The instant a bar closes
    Close,
    /// The instant a bar starts
    Start,
}

/// Spacing of bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FrequencyArg {
    /// One bar a session
    Daily,
    /// Several bars a session
    Intraday,
    /// Weeks or months
    Coarse,
}

/// Trading days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CalendarArg {
    /// New York Stock Exchange
    #[value(name = "XNYS", alias = "xnys")]
    Xnys,
    /// London Stock Exchange
    #[value(name = "XLON", alias = "xlon")]
    Xlon,
    /// Xetra, Frankfurt
    #[value(name = "XETR", alias = "xetr")]
    Xetr,
    /// Euronext Paris
    #[value(name = "XPAR", alias = "xpar")]
    Xpar,
    /// Tokyo Stock Exchange
    #[value(name = "XTKS", alias = "xtks")]
    Xtks,
    /// Toronto Stock Exchange
    #[value(name = "XTSE", alias = "xtse")]
    Xtse,
    /// Every weekday
    Weekdays,
    /// Every day
    #[value(name = "24/7", alias = "always")]
    AlwaysOpen,
}

/// What was done to prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PricesArg {
    /// As traded
    Raw,
    /// Splits are in the prices
    #[value(name = "split_adjusted", alias = "split-adjusted")]
    SplitAdjusted,
    /// Splits and dividends are in the prices
    #[value(name = "total_return", alias = "total-return")]
    TotalReturn,
}

/// What to do with two different rows of one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DuplicatesArg {
    /// Refuse the input
    Refuse,
    /// Take the first
    First,
    /// Take the last
    Last,
}

/// Runs the command.
///
/// # Errors
/// The options or the data are refused, or the machine cannot read or write. The table of defects is printed before.
pub fn run(args: &IngestArgs, json: bool) -> Result<()> {
    let options = options(args)?;
    if let Some(into) = args.into.as_ref().filter(|_| !args.check) {
        check_target(into, args.force)?;
    }
    let inputs = args.files.iter().map(|path| read_input(path)).collect::<Result<Vec<_>>>()?;
    let ingested = contained(Path::new(""), || ingest(&inputs, &options))?;
    if let (Some(path), Some(list)) = (&args.defects, ingested.report.to_csv()) {
        write_file(path, list.as_bytes())?;
    }
    let written = match (&ingested.outcome, &args.into) {
        (Ok(draft), Some(into)) if !args.check => Some(write(draft, &ingested.report, into, args.force)?),
        _ => None,
    };
    if json {
        print_json(&ingested.outcome, &ingested.report, written.as_ref());
    } else {
        print_text(&ingested.outcome, &ingested.report, written.as_ref());
    }
    ingested.outcome.map(|_| ())
}

/// A bundle that was written.
struct Written {
    path: PathBuf,
    bytes: u64,
}

fn write(draft: &BundleDraft, report: &DefectReport, into: &Path, force: bool) -> Result<Written> {
    let mut files = encode(draft)?;
    if let Some(list) = report.to_csv() {
        files.push((DEFECTS_FILE.to_string(), list.into_bytes()));
    }
    write_bundle(into, &files, force)?;
    let bytes = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    Ok(Written { path: into.to_path_buf(), bytes })
}

fn read_input(path: &Path) -> Result<Input> {
    let bytes = fs::read(path).map_err(|error| machine("read", path, &error))?;
    Ok(Input { name: path.display().to_string(), bytes: Bytes::from(bytes) })
}

fn options(args: &IngestArgs) -> Result<IngestOptions> {
    let date_format = match &args.date_format {
        None => None,
        Some(name) => Some(DateFormat::from_name(name).ok_or_else(|| {
            Error::plan(format!("--date-format {name} is unknown")).help("one of iso, yyyymmdd, mdy, dmy, d.m.y, unix")
        })?),
    };
    let zone = Zone::from_name(&args.time_zone).ok_or_else(|| {
        Error::plan(format!("--time-zone {} is unknown", args.time_zone))
            .help("UTC, America/New_York, or an offset like +02:00")
    })?;
    let mut map = Vec::new();
    for pair in &args.map {
        let (field, column) = pair.split_once('=').ok_or_else(|| {
            Error::plan(format!("--map {pair} has no ="))
                .help("write --map FIELD=COLUMN, for instance --map close=last")
        })?;
        map.push((field.to_string(), column.to_string()));
    }
    let stem = args.into.as_ref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
    Ok(IngestOptions {
        name: stem.unwrap_or_else(|| "bundle".to_string()),
        strict: args.strict,
        map,
        date_format,
        zone,
        bar_time: match args.bar_time {
            BarTimeArg::Close => BarTime::Close,
            BarTimeArg::Start => BarTime::Start,
        },
        frequency: args.frequency.map(|frequency| match frequency {
            FrequencyArg::Daily => Frequency::Daily,
            FrequencyArg::Intraday => Frequency::Intraday,
            FrequencyArg::Coarse => Frequency::Coarse,
        }),
        calendar: args.calendar.map(|calendar| match calendar {
            CalendarArg::Xnys => Calendar::Xnys,
            CalendarArg::Xlon => Calendar::Xlon,
            CalendarArg::Xetr => Calendar::Xetr,
            CalendarArg::Xpar => Calendar::Xpar,
            CalendarArg::Xtks => Calendar::Xtks,
            CalendarArg::Xtse => Calendar::Xtse,
            CalendarArg::Weekdays => Calendar::Weekdays,
            CalendarArg::AlwaysOpen => Calendar::AlwaysOpen,
        }),
        prices: match args.prices {
            PricesArg::Raw => PriceBasis::Raw,
            PricesArg::SplitAdjusted => PriceBasis::SplitAdjusted,
            PricesArg::TotalReturn => PriceBasis::TotalReturn,
        },
        use_adjusted: args.use_adjusted,
        duplicates: match args.duplicates {
            DuplicatesArg::Refuse => Duplicates::Refuse,
            DuplicatesArg::First => Duplicates::First,
            DuplicatesArg::Last => Duplicates::Last,
        },
        symbol: args.symbol.clone(),
        benchmark: args.benchmark.clone(),
        source: args.source.clone(),
        licence: args.licence.clone(),
        actions: args.actions.as_deref().map(read_input).transpose()?,
        ..IngestOptions::default()
    })
}

fn print_json(outcome: &Result<BundleDraft>, report: &DefectReport, written: Option<&Written>) {
    let bundle = outcome.as_ref().ok().map(|draft| {
        let symbols: Vec<_> = draft
            .symbol_entries()
            .into_iter()
            .map(|entry| {
                serde_json::json!({
                    "symbol": entry.symbol, "first": format_date(entry.first),
                    "last": format_date(entry.last), "rows": entry.rows,
                })
            })
            .collect();
        serde_json::json!({
            "name": draft.name, "version": draft.version(), "frequency": draft.frequency.name(),
            "calendar": draft.calendar.name(), "prices": draft.prices.name(),
            "rows": draft.bars.iter().map(|bars| bars.len()).sum::<usize>(),
            "actions": draft.actions.len(), "symbols": symbols,
        })
    });
    let value = serde_json::json!({
        "accepted": outcome.is_ok(),
        "error": outcome.as_ref().err().map(|error| error.to_string()),
        "bundle": bundle,
        "path": written.map(|written| written.path.display().to_string()),
        "bytes": written.map(|written| written.bytes),
        "defects": report.groups(),
    });
    println!("{value:#}");
}

fn print_text(outcome: &Result<BundleDraft>, report: &DefectReport, written: Option<&Written>) {
    let (notes, defects): (Vec<_>, Vec<_>) = report.groups().into_iter().partition(|g| g.first.done == Done::Noted);
    if !defects.is_empty() {
        println!("{}", defect_table(&defects));
        let hidden = defects.len().saturating_sub(SHOWN);
        let all = match (hidden, written.is_some()) {
            (0, false) => String::new(),
            (0, true) => format!("every defect, row by row: {DEFECTS_FILE} in the bundle"),
            (_, true) => format!("and {hidden} lines more: all in {DEFECTS_FILE} in the bundle"),
            (_, false) => format!("and {hidden} lines more: --defects FILE writes all"),
        };
        if !all.is_empty() {
            println!("{all}");
        }
    }
    for note in notes.iter().take(SHOWN) {
        let d = &note.first;
        let file = if d.file.is_empty() { String::new() } else { format!("{}: ", d.file) };
        let column = if d.column.is_empty() { String::new() } else { format!("{}: ", d.column) };
        let times = if note.count > 1 { format!(" (×{})", note.count) } else { String::new() };
        println!("note: {file}{column}{}{times}", d.found);
    }
    if let Ok(draft) = outcome {
        let rows: usize = draft.bars.iter().map(|bars| bars.len()).sum();
        let target = match written {
            Some(written) => format!("{} ({} kB): ", written.path.display(), written.bytes.div_ceil(1000)),
            None => "not written (--check): ".to_string(),
        };
        println!(
            "{target}{} symbols, {rows} {} bars, {} actions, calendar {}, prices {}",
            draft.symbols.len(),
            draft.frequency.name(),
            draft.actions.len(),
            draft.calendar.name(),
            draft.prices.name()
        );
    }
}

/// The table of defects, at most [`SHOWN`] rows, what refuses the input first.
fn defect_table(groups: &[DefectGroup]) -> Table {
    let mut ordered: Vec<&DefectGroup> = groups.iter().collect();
    ordered.sort_by_key(|group| group.first.done);
    let several = groups.iter().any(|group| group.first.file != groups[0].first.file);
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    let mut header = vec!["symbol", "type", "line", "date", "count", "done", "first found"];
    if several {
        header.insert(0, "file");
    }
    table.set_header(header);
    for group in ordered.into_iter().take(SHOWN) {
        let d = &group.first;
        let line = if d.line == 0 { String::new() } else { d.line.to_string() };
        let found = if d.column.is_empty() { d.found.clone() } else { format!("{} {}", d.column, d.found) };
        let mut row = vec![
            d.symbol.clone(),
            d.kind.name().to_string(),
            line,
            d.date.clone(),
            group.count.to_string(),
            d.done.name().to_string(),
            found,
        ];
        if several {
            row.insert(0, d.file.clone());
        }
        table.add_row(row);
    }
    table
}
