//! Every file of the folder of damaged CSV files gets what its manifest says it deserves, by default and strictly;
//! and real data of the same folder go in and come out.
//!
//! The data are not part of the project: `SANDTABLE_DATA` names their folder, else `../shared/data` beside the
//! workspace is used; where neither exists the tests say so and pass.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

use std::path::PathBuf;

use sandtable::commands::ingest::{IngestArgs, run};
use sandtable::files;
use sandtable_core::bundle::ingest::{BarTime, IngestOptions, Ingested, Input, ingest};
use sandtable_core::bundle::read::Selection;
use sandtable_core::bundle::{BundleDraft, Frequency, PriceBasis};
use sandtable_core::calendar::{Calendar, format_date, parse_date};

fn data() -> Option<PathBuf> {
    let named = std::env::var_os("SANDTABLE_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    if !folder.is_dir() {
        println!("skipped: no data at {} (SANDTABLE_DATA names another folder)", folder.display());
        return None;
    }
    Some(folder)
}

fn input(path: PathBuf) -> Input {
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Input { name: path.file_name().unwrap().to_string_lossy().into_owned(), bytes: bytes.into() }
}

/// What is said of a file by default: (type, line, what is done) of each defect and note, and the rows that remain.
type Case = (&'static str, &'static [(&'static str, u32, &'static str)], Option<usize>);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("01_clean_control.csv", &[], Some(61)),
    ("02_duplicate_timestamp_same.csv", &[("duplicate_timestamp", 23, "dropped")], Some(61)),
    ("03_duplicate_timestamp_conflict.csv", &[("duplicate_timestamp", 23, "refused")], None),
    ("04_out_of_order.csv", &[("out_of_order", 22, "repaired"), ("out_of_order", 25, "repaired")], Some(61)),
    ("05_missing_session.csv", &[("missing_session", 0, "reported"), ("missing_session", 0, "reported")], Some(59)),
    ("06_nan_close.csv", &[("nan", 22, "dropped"), ("nan", 24, "dropped"), ("nan", 27, "dropped")], Some(58)),
    ("07_negative_price.csv", &[("negative_price", 22, "dropped")], Some(60)),
    ("08_high_below_low.csv", &[("high_below_low", 22, "repaired")], Some(61)),
    ("09_close_above_high.csv", &[("close_outside_range", 22, "repaired")], Some(61)),
    ("10_zero_volume.csv", &[("zero_volume", 22, "reported")], Some(61)),
    ("11_zero_price.csv", &[("zero_price", 22, "dropped")], Some(60)),
    ("12_wrong_column_name.csv", &[("missing_column", 1, "refused")], None),
    ("13_mixed_date_formats.csv", &[
        ("date_format", 22, "refused"), ("date_format", 23, "refused"), ("date_format", 24, "refused"),
        ("date_format", 25, "refused"), ("date_format", 26, "refused"), ("date_format", 27, "refused"),
        ("date_format", 28, "refused"), ("date_format", 29, "refused"), ("date_format", 30, "refused"),
        ("date_format", 31, "refused"),
    ], None),
    ("14_bom_crlf.csv", &[("bom", 1, "noted"), ("crlf", 0, "noted")], Some(61)),
    ("15_empty.csv", &[("empty_file", 0, "refused")], None),
    ("16_header_only.csv", &[("no_rows", 1, "refused")], None),
    ("17_valid_control.csv.gz", &[], Some(61)),
    ("18_truncated.csv.gz", &[("truncated_gzip", 0, "refused")], None),
    ("19_non_utf8.csv", &[("non_utf8", 22, "reported")], Some(61)),
    ("20_short_row.csv", &[("field_count", 22, "refused")], None),
    ("21_inf_price.csv", &[("inf", 22, "dropped")], Some(60)),
    ("22_not_a_number.csv", &[("parse_error", 22, "refused")], None),
    ("23_semicolon_decimal_comma.csv", &[("delimiter", 1, "noted")], Some(61)),
    ("24_unadjusted_split.csv", &[("price_jump", 37, "reported")], Some(61)),
    ("25_weekend_row.csv", &[("not_a_session", 24, "dropped")], Some(61)),
    ("26_stale_prices.csv", &[
        ("zero_volume", 22, "reported"), ("zero_volume", 23, "reported"), ("zero_volume", 24, "reported"),
        ("zero_volume", 25, "reported"), ("zero_volume", 26, "reported"), ("zero_volume", 27, "reported"),
        ("zero_volume", 28, "reported"), ("zero_volume", 29, "reported"), ("stale", 22, "reported"),
    ], Some(61)),
    ("27_header_repeated.csv", &[("header_in_body", 22, "dropped")], Some(61)),
    ("28_nul_byte.csv", &[("nul_byte", 22, "refused")], None),
    ("29_mixed_utc_offsets.csv", &[("timezone_mix", 3, "refused")], None),
    ("30_spike.csv", &[("price_spike", 22, "reported")], Some(61)),
    ("31_no_final_newline_truncated_line.csv", &[("truncated_line", 62, "dropped")], Some(60)),
];

/// Defects of a file after which its rows are still those of the clean file.
const AS_CLEAN: [&str; 9] = [
    "02_duplicate_timestamp_same.csv",
    "04_out_of_order.csv",
    "08_high_below_low.csv",
    "14_bom_crlf.csv",
    "17_valid_control.csv.gz",
    "19_non_utf8.csv",
    "23_semicolon_decimal_comma.csv",
    "25_weekend_row.csv",
    "27_header_repeated.csv",
];

fn spy(strict: bool) -> IngestOptions {
    let calendar = Some(Calendar::Xnys);
    IngestOptions {
        symbol: Some("SPY".into()),
        frequency: Some(Frequency::Daily),
        calendar,
        strict,
        ..Default::default()
    }
}

fn said(ingested: &Ingested) -> Vec<(String, u32, String)> {
    let told = ingested.report.defects.iter().filter(|defect| defect.kind.name() != "assumed");
    told.map(|d| (d.kind.name().to_string(), d.line, d.done.name().to_string())).collect()
}

#[test]
fn every_dirty_file_gets_what_it_deserves() {
    let Some(data) = data() else { return };
    let clean = ingest(&[input(data.join("dirty/01_clean_control.csv"))], &spy(false)).unwrap().outcome.unwrap();
    for &(name, expected, rows) in CASES {
        let file = || input(data.join("dirty").join(name));
        let ingested = ingest(&[file()], &spy(false)).unwrap();
        let mut found = said(&ingested);
        if name.starts_with("29") {
            found.truncate(1);
        }
        let expected: Vec<_> = expected.iter().map(|&(kind, line, done)| (kind.into(), line, done.into())).collect();
        assert_eq!(found, expected, "{name}");
        let kept = ingested.outcome.as_ref().map(|draft| draft.bars[0].len()).ok();
        assert_eq!(kept, rows, "{name}");
        if AS_CLEAN.contains(&name) {
            assert_eq!(ingested.outcome.as_ref().unwrap().bars, clean.bars, "{name}");
        }
        if let Err(error) = &ingested.outcome {
            let text = error.to_string();
            assert!(text.starts_with(name) && text.contains("help: "), "{text}");
        }
        let strict = ingest(&[file()], &spy(true)).unwrap();
        let mended = expected.iter().any(|(_, _, done): &(_, _, String)| done == "repaired" || done == "dropped");
        assert_eq!(strict.outcome.is_err(), mended || rows.is_none(), "{name} --strict");
    }
}

/// The manifest of the folder itself: each defect it lists is reported with its type, line and date.
#[test]
fn the_manifest_of_the_dirty_files_is_met() {
    let Some(data) = data() else { return };
    let text = std::fs::read_to_string(data.join("dirty/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let mut checked = 0;
    for file in files {
        let name = file["file"].as_str().unwrap();
        let ingested = ingest(&[input(data.join("dirty").join(name))], &spy(false)).unwrap();
        for defect in file["defects"].as_array().unwrap() {
            let kind = defect["type"].as_str().unwrap();
            let line = defect["line"].as_u64();
            let date = defect["date"].as_str();
            // Text that cannot be read has no date to report.
            let dated = !["date_format", "non_utf8", "nul_byte", "truncated_line"].contains(&kind);
            let met = ingested.report.defects.iter().any(|found| {
                found.kind.name() == kind
                    && line.is_none_or(|line| u64::from(found.line) == line)
                    && (!dated || date.is_none_or(|date| found.date == date))
            });
            assert!(met, "{name}: {defect} among {:?}", ingested.report.defects);
            checked += 1;
        }
    }
    assert!(checked >= 40, "{checked} defects checked");
}

fn args(file: PathBuf, into: PathBuf) -> IngestArgs {
    use clap::Parser;
    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: IngestArgs,
    }
    Program::parse_from([PathBuf::from("ingest"), file, "--into".into(), into]).args
}

#[test]
fn refused_files_leave_nothing_behind() {
    let Some(data) = data() else { return };
    for &(name, _, rows) in CASES {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("x.bundle");
        let outcome = run(&args(data.join("dirty").join(name), into.clone()), true);
        assert_eq!(outcome.is_ok(), rows.is_some(), "{name}: {outcome:?}");
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, usize::from(rows.is_some()), "{name}");
        if let Some(rows) = rows {
            let bundle = files::open_bundle(&into, Selection::all()).unwrap();
            assert_eq!(bundle.rows(), rows, "{name}");
            files::verify_bundle(&into).unwrap();
        }
    }
}

#[test]
fn real_panels_go_in_and_come_out() {
    let Some(data) = data() else { return };
    let take = |names: &[&str], options: IngestOptions| -> BundleDraft {
        let inputs: Vec<Input> = names.iter().map(|name| input(data.join(name))).collect();
        ingest(&inputs, &options).unwrap().outcome.unwrap_or_else(|error| panic!("{names:?}: {error}"))
    };
    let split = IngestOptions { prices: PriceBasis::SplitAdjusted, ..Default::default() };
    let panel = take(&["us8_daily.parquet"], split);
    assert_eq!(panel.bars.iter().map(|bars| bars.len()).sum::<usize>(), 40_984);
    assert_eq!((panel.frequency, panel.calendar, panel.symbols.len()), (Frequency::Daily, Calendar::Xnys, 8));

    let names = ["AAPL", "AIG", "BAC", "EEM", "IBM", "IWM", "SPY", "WM"].map(|name| format!("us8_raw/{name}.csv"));
    let raw = IngestOptions { actions: Some(input(data.join("us8_actions.csv"))), ..Default::default() };
    let raw = take(&names.each_ref().map(String::as_str), raw);
    assert_eq!(raw.bars.iter().map(|bars| bars.len()).sum::<usize>(), 40_984);
    assert!(raw.actions.len() > 300, "{} actions", raw.actions.len());

    let start = || IngestOptions { bar_time: BarTime::Start, ..Default::default() };
    let minutes = take(&["us_minute.parquet"], start());
    assert_eq!((minutes.frequency, minutes.calendar, minutes.symbols.len()), (Frequency::Intraday, Calendar::Xnys, 4));
    let days: std::collections::BTreeSet<i32> = minutes.bars[0].session.iter().copied().collect();
    assert_eq!(days.len(), 6);
    let hours = take(&["us_hour.parquet"], start());
    assert_eq!((hours.frequency, hours.calendar, hours.symbols.len()), (Frequency::Intraday, Calendar::Xnys, 5));
    let bitcoin = take(&["btcusd_minute.parquet"], start());
    assert_eq!((bitcoin.frequency, bitcoin.symbols.len()), (Frequency::Intraday, 1));

    assert_eq!(take(&["bt_GOOG_daily.csv"], Default::default()).frequency, Frequency::Daily);
    assert_eq!(take(&["bt_BTCUSD_monthly.csv"], Default::default()).frequency, Frequency::Coarse);
    let euro = take(&["bt_EURUSD_hourly.csv"], Default::default());
    assert_eq!((euro.frequency, euro.calendar), (Frequency::Intraday, Calendar::Weekdays));

    let quotes = ingest(&[input(data.join("eurusd_minute_quotes.parquet"))], &IngestOptions::default()).unwrap_err();
    assert!(quotes.to_string().contains("quotes"), "{quotes}");
}

/// The New York calendar against the days on which SPY really traded.
#[test]
fn the_calendar_agrees_with_twenty_years_of_trading() {
    let Some(data) = data() else { return };
    let text = std::fs::read_to_string(data.join("us8_raw/SPY.csv")).unwrap();
    let days: Vec<i32> =
        text.lines().skip(1).map(|line| parse_date(line.split(',').next().unwrap()).unwrap()).collect();
    let (first, last) = (days[0], days[days.len() - 1]);
    let expected: Vec<String> = (first..=last).filter(|&day| Calendar::Xnys.is_session(day)).map(format_date).collect();
    let traded: Vec<String> = days.into_iter().map(format_date).collect();
    assert_eq!(traded, expected);
}

/// The sample that the project ships is clean but for what its README says.
#[test]
fn the_sample_is_as_its_readme_says() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../native/sample");
    let inputs: Vec<Input> =
        ["AAPL", "GOOG", "IBM", "MSFT"].iter().map(|symbol| input(folder.join(format!("{symbol}.csv.gz")))).collect();
    let options = IngestOptions { actions: Some(input(folder.join("actions.csv"))), ..Default::default() };
    let ingested = ingest(&inputs, &options).unwrap();
    let told: Vec<_> = ingested.report.groups().into_iter().filter(|g| g.first.done.name() != "noted").collect();
    let kinds: Vec<_> =
        told.iter().map(|g| (g.first.symbol.as_str(), g.first.kind.name(), g.first.date.as_str())).collect();
    assert_eq!(kinds, [("AAPL", "price_jump", "2000-09-29")], "{told:?}");
    let draft = ingested.outcome.unwrap();
    assert_eq!(draft.bars.iter().map(|bars| bars.len()).collect::<Vec<_>>(), [3270, 2148, 3270, 3270]);
    assert_eq!(draft.actions.len(), 95);
}
