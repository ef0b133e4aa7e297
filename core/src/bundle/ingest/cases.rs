//! Text cases: a small file, what the report says of it, and what becomes of the rows.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use bytes::Bytes;

use super::*;
use crate::bundle::{Bars, Field};
use crate::calendar::{DAY_MICROS, HOUR_MICROS, format_date, parse_date};

const HEADER: &str = "date,open,high,low,close,volume\n";

/// Six sessions that are in order, so that one row of a case stands among good ones.
const GOOD: &str = "2024-01-02,10,12,9,11,500\n2024-01-03,11,12,10,11.5,600\n2024-01-04,11,13,10,12,700\n";

fn input(name: &str, text: &[u8]) -> Input {
    Input { name: name.to_string(), bytes: Bytes::copy_from_slice(text) }
}

fn run(text: &str, options: &IngestOptions) -> Ingested {
    ingest(&[input("ABC.csv", text.as_bytes())], options).unwrap()
}

/// `type:line:done` of every defect that is more than a note.
fn said(report: &DefectReport) -> Vec<String> {
    let told = report.defects.iter().filter(|defect| defect.done != Done::Noted);
    told.map(|d| format!("{}:{}:{}", d.kind.name(), d.line, d.done.name())).collect()
}

fn close(ingested: &Ingested) -> Vec<f64> {
    ingested.outcome.as_ref().unwrap().bars[0].close.clone()
}

#[test]
fn one_bad_row_among_good_ones() {
    // (row 5 of the file, what is said by default, closes that remain; none if refused)
    const GOOD_CLOSES: &[f64] = &[11.0, 11.5, 12.0];
    type Case = (&'static str, &'static [&'static str], Option<&'static [f64]>);
    const CASES: [Case; 22] = [
        ("2024-01-05,12,13,11,12.5,800\n", &[], Some(&[11.0, 11.5, 12.0, 12.5])),
        ("2024-01-04,11,13,10,12,700\n", &["duplicate_timestamp:5:dropped"], Some(GOOD_CLOSES)),
        ("2024-01-04,11,13,10,12.1,700\n", &["duplicate_timestamp:5:refused"], None),
        ("2024-01-05,12,13,11,NaN,800\n", &["nan:5:dropped"], Some(GOOD_CLOSES)),
        ("2024-01-05,12,13,11,,800\n", &["nan:5:dropped"], Some(GOOD_CLOSES)),
        ("2024-01-05,12,inf,11,12,800\n", &["inf:5:dropped"], Some(GOOD_CLOSES)),
        ("2024-01-05,12,13,-11,12,800\n", &["negative_price:5:dropped"], Some(GOOD_CLOSES)),
        ("2024-01-05,0,13,11,12,800\n", &["zero_price:5:dropped"], Some(GOOD_CLOSES)),
        ("2024-01-05,12,13,11,12,-800\n", &["negative_volume:5:dropped"], Some(GOOD_CLOSES)),
        (
            "2024-01-05,12,13,11,12,\n",
            &["missing_volume:5:repaired", "zero_volume:5:reported"],
            Some(&[11.0, 11.5, 12.0, 12.0]),
        ),
        ("2024-01-05,12,11,13,12.5,800\n", &["high_below_low:5:repaired"], Some(&[11.0, 11.5, 12.0, 12.5])),
        ("2024-01-05,12,13,11,13.1,800\n", &["close_outside_range:5:repaired"], Some(&[11.0, 11.5, 12.0, 13.1])),
        ("2024-01-05,12,13,11,14,800\n", &["close_outside_range:5:dropped"], Some(GOOD_CLOSES)),
        ("2024-01-05,14,13,11,12,800\n", &["open_outside_range:5:dropped"], Some(GOOD_CLOSES)),
        ("2024-01-05,12,13,11,12,0\n", &["zero_volume:5:reported"], Some(&[11.0, 11.5, 12.0, 12.0])),
        ("2024-01-06,12,13,11,12,800\n", &["not_a_session:5:dropped"], Some(GOOD_CLOSES)),
        ("2024-01-08,12,13,11,12,800\n", &["missing_session:0:reported"], Some(&[11.0, 11.5, 12.0, 12.0])),
        ("date,open,high,low,close,volume\n", &["header_in_body:5:dropped"], Some(GOOD_CLOSES)),
        ("2024-01-05,12,13,11\n", &["field_count:5:refused"], None),
        ("2024-01-05,12,13,11,12x,800\n", &["parse_error:5:refused"], None),
        ("01/05/2024,12,13,11,12,800\n", &["date_format:5:refused"], None),
        ("2024-01-05\0,12,13,11,12,800\n", &["nul_byte:5:refused"], None),
    ];
    for (row, expected, closes) in CASES {
        let text = format!("{HEADER}{GOOD}{row}");
        let ingested = run(&text, &IngestOptions::default());
        assert_eq!(said(&ingested.report), expected, "{row}");
        match closes {
            Some(closes) => assert_eq!(close(&ingested), closes, "{row}"),
            None => assert!(ingested.outcome.is_err(), "{row}"),
        }
        // Strictly, whatever would be repaired or dropped is refused, and nothing else changes.
        let strict = run(&text, &IngestOptions { strict: true, ..IngestOptions::default() });
        let mends = expected.iter().any(|said| said.ends_with("repaired") || said.ends_with("dropped"));
        assert_eq!(strict.outcome.is_err(), mends || closes.is_none(), "{row}");
    }
}

#[test]
fn whole_files() {
    let late = "2024-01-05,12,13,11,12.5,800\n2024-01-08,12,13,11,12.4,800\n";
    let cases: [(String, &[&str], Option<usize>); 12] = [
        (String::new(), &["empty_file:0:refused"], None),
        ("\n\n".to_string(), &["empty_file:0:refused"], None),
        (HEADER.to_string(), &["no_rows:1:refused"], None),
        (GOOD.to_string(), &["missing_column:1:refused"], None),
        (HEADER.replace("close", "last") + GOOD, &["missing_column:1:refused"], None),
        (format!("{HEADER}{late}{GOOD}"), &["out_of_order:2:repaired", "out_of_order:3:repaired"], Some(5)),
        (format!("\u{feff}{HEADER}{GOOD}").replace('\n', "\r\n"), &[], Some(3)),
        (format!("{HEADER}{GOOD}").trim_end().to_string(), &[], Some(3)),
        (format!("{HEADER}{GOOD}2024-01-05,12,13,11,12,8"), &["truncated_line:5:dropped"], Some(3)),
        (format!("{HEADER}{GOOD}2024-01-05,12,1"), &["truncated_line:5:dropped"], Some(3)),
        (format!("{HEADER}2024-01-02,NaN,1,1,1,1\n"), &["nan:2:dropped", "no_rows:0:refused"], None),
        (
            format!("{HEADER}{GOOD}").replace("2024-01-03", "2024-01-03T00:00:00-05:00"),
            &["timezone_mix:3:refused"],
            None,
        ),
    ];
    for (text, expected, rows) in cases {
        let ingested = run(&text, &IngestOptions::default());
        assert_eq!(said(&ingested.report), expected, "{text:?}");
        assert_eq!(ingested.outcome.as_ref().map(|draft| draft.bars[0].len()).ok(), rows, "{text:?}");
    }
}

/// `sessions` rows of an even price from a date on, with changes.
fn calm(sessions: usize, change: impl Fn(usize) -> f64) -> String {
    let mut text = HEADER.to_string();
    let mut day = parse_date("2024-01-02").unwrap();
    for i in 0..sessions {
        let price = (100.0 + i as f64 * 0.1) * change(i);
        text += &format!("{},{price},{},{},{price},{}\n", format_date(day), price + 1.0, price - 1.0, 1000 + i);
        day = Calendar::Xnys.next_session(day);
    }
    text
}

#[test]
fn what_is_suspicious_is_reported_and_kept() {
    let spike = run(&calm(20, |i| if i == 9 { 10.0 } else { 1.0 }), &IngestOptions::default());
    assert_eq!(said(&spike.report), ["price_spike:11:reported"]);
    let split = calm(20, |i| if i >= 9 { 0.25 } else { 1.0 });
    let jump = run(&split, &IngestOptions::default());
    assert_eq!(said(&jump.report), ["price_jump:11:reported"]);
    assert!(jump.report.defects.iter().any(|defect| defect.found.contains("4 for 1 split")));
    assert_eq!(close(&jump).len(), 20);
    // With the split in the table of actions nothing is strange any more.
    let actions =
        input("actions.csv", b"symbol,ex_date,split_ratio,cash_dividend\nABC,2024-01-16,4,\nXYZ,2024-01-16,,1\n");
    let known = run(&split, &IngestOptions { actions: Some(actions), ..IngestOptions::default() });
    assert_eq!(said(&known.report), ["unknown_symbol:3:dropped"]);
    assert_eq!(known.outcome.unwrap().actions.len(), 1);

    let mut stale = calm(4, |_| 1.0);
    for day in ["08", "09", "10", "11", "12"] {
        stale += &format!("2024-01-{day},100,101,99,100,0\n");
    }
    let report = run(&stale, &IngestOptions::default()).report;
    let kinds: Vec<&str> = report.groups().iter().map(|group| group.first.kind.name()).collect();
    assert!(kinds.contains(&"stale") && kinds.contains(&"zero_volume"), "{kinds:?}");
    assert_eq!(report.groups().iter().find(|g| g.first.kind == Kind::ZeroVolume).unwrap().count, 5);
}

#[test]
fn delimiters_dates_and_names() {
    let expected = run(&format!("{HEADER}{GOOD}"), &IngestOptions::default()).outcome.unwrap();
    let german = "Datum;Open;High;Low;Close;Volume\n02.01.2024;10;12;9;11;500\n03.01.2024;11;12;10;11,5;600\n04.01.2024;11;13;10;12;700\n";
    let options = IngestOptions { map: vec![("date".into(), "Datum".into())], ..IngestOptions::default() };
    let ingested = run(german, &options);
    assert_eq!(ingested.outcome.unwrap(), expected);
    assert!(ingested.report.defects.iter().any(|d| d.kind == Kind::Delimiter && d.found.contains("decimal comma")));

    let american = "Date,Open,High,Low,Close/Last,Volume\n01/04/2024,$11,$13,$10,$12,\"700\"\n01/03/2024,$11,$12,$10,$11.5,600\n01/02/2024,$10,$12,$9,$11,500\n";
    let unclear = run(american, &IngestOptions::default());
    let message = unclear.outcome.unwrap_err().to_string();
    assert!(message.contains("--date-format"), "{message}");
    let options = IngestOptions { date_format: Some(DateFormat::MonthDayYear), ..IngestOptions::default() };
    assert_eq!(run(american, &options).outcome.unwrap(), expected);
    let clear = format!("{american}12/29/2023,10,11,9,10,400\n");
    assert_eq!(run(&clear, &IngestOptions::default()).outcome.unwrap().bars[0].len(), 4);

    let long = "ticker,date,open,high,low,close\nB,2024-01-02,1,1,1,1\nA,2024-01-02,2,2,2,2\nB,2024-01-03,1,1,1,1\n";
    let draft = run(long, &IngestOptions::default()).outcome.unwrap();
    assert_eq!(draft.symbols, ["A", "B"]);
    assert_eq!(draft.bars.iter().map(Bars::len).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(draft.bars[0].field(Field::Volume), [0.0]);
}

#[test]
fn adjusted_close_scales_when_asked() {
    let text =
        "date,open,high,low,close,adj close,volume\n2024-01-02,10,12,9,11,5.5,500\n2024-01-03,10,12,9,11,11,500\n";
    let plain = run(text, &IngestOptions::default());
    assert!(plain.report.defects.iter().any(|defect| defect.column == "adj close"));
    assert_eq!(plain.outcome.unwrap().bars[0].open, [10.0, 10.0]);
    let scaled = run(text, &IngestOptions { use_adjusted: true, ..IngestOptions::default() }).outcome.unwrap();
    assert_eq!((scaled.bars[0].open[0], scaled.bars[0].close[0]), (5.0, 5.5));
    assert_eq!(scaled.prices, PriceBasis::TotalReturn);
}

#[test]
fn intraday_is_told_from_the_spacing() {
    let mut text = "time,open,high,low,close,volume\n".to_string();
    for minute in 30..40 {
        text += &format!("2024-01-02 09:{minute}:00,10,12,9,11,500\n");
    }
    let options = IngestOptions { zone: Zone::NewYork, bar_time: BarTime::Start, ..IngestOptions::default() };
    let draft = run(&text, &options).outcome.unwrap();
    let midnight = i64::from(parse_date("2024-01-02").unwrap()) * DAY_MICROS;
    assert_eq!(draft.frequency, Frequency::Intraday);
    assert_eq!(draft.bars[0].time[0], midnight + 14 * HOUR_MICROS + 31 * 60_000_000);
    assert_eq!(format_date(draft.bars[0].session[0]), "2024-01-02");

    let monthly = "date,open,high,low,close,volume\n2012-01-31,1,2,1,2,5\n2012-02-29,1,2,1,2,5\n2012-03-31,1,2,1,2,5\n";
    assert_eq!(run(monthly, &IngestOptions::default()).outcome.unwrap().frequency, Frequency::Coarse);
}

#[test]
fn doubles_that_differ_can_be_chosen() {
    let text = format!("{HEADER}{GOOD}2024-01-04,11,13,10,12.5,700\n");
    let last = |duplicates| run(&text, &IngestOptions { duplicates, ..IngestOptions::default() });
    assert_eq!(close(&last(Duplicates::First))[2], 12.0);
    assert_eq!(close(&last(Duplicates::Last))[2], 12.5);
    let message = last(Duplicates::Refuse).outcome.unwrap_err().to_string();
    assert!(message.starts_with("ABC.csv:5: column close:") && message.contains("line 4"), "{message}");
}

#[test]
fn sentences_name_file_line_and_way_out() {
    let text = format!("{HEADER}{GOOD}20240105,12,13,11,12,800\n");
    let message = run(&text, &IngestOptions::default()).outcome.unwrap_err().to_string();
    for part in ["ABC.csv:5", "20240105", "line 2 writes 2024-01-02", "help:"] {
        assert!(message.contains(part), "{message} should contain {part}");
    }
    let quotes = ingest(&[input("Q.csv", b"ts,bid,ask\n1,2,3\n")], &IngestOptions::default()).unwrap_err();
    assert!(quotes.to_string().starts_with("Q.csv: "), "{quotes}");
    assert!(ingest(&[], &IngestOptions::default()).is_err());
}

#[test]
fn the_list_of_defects_is_a_csv() {
    let text = format!("{HEADER}{GOOD}2024-01-05,12,13,11,\"a,b\",800\n");
    let list = run(&text, &IngestOptions::default()).report.to_csv().unwrap();
    let expected = "ABC.csv,ABC,parse_error,5,2024-01-05,close,\"a,b\",refused";
    assert!(list.replace(",ABC,", ",,").contains(&expected.replace(",ABC,", ",,")), "{list}");
    let clean = run(&format!("{HEADER}{GOOD}"), &IngestOptions::default()).report;
    assert!(clean.to_csv().is_none());
    // What was found out from the data is noted, each thing on its own line.
    let notes: Vec<String> = clean.groups().into_iter().map(|group| group.first.column).collect();
    assert_eq!(notes, ["frequency", "calendar"]);
}

#[test]
fn several_files_join_by_symbol() {
    let first = format!("{HEADER}{GOOD}");
    let second = format!("{HEADER}2024-01-04,11,13,10,12,700\n2024-01-05,12,13,11,12.5,800\n");
    let inputs = [input("a/ABC.csv", first.as_bytes()), input("b/ABC.csv", second.as_bytes())];
    let ingested = ingest(&inputs, &IngestOptions::default()).unwrap();
    assert_eq!(said(&ingested.report), ["duplicate_timestamp:2:dropped"]);
    assert_eq!(close(&ingested), [11.0, 11.5, 12.0, 12.5]);
}

#[test]
fn no_mutation_of_a_text_panics() {
    let text = format!("{HEADER}{GOOD}2024-01-05,12,13,11,12.5,800\n").into_bytes();
    let mut stream = crate::rng::Stream::new(4, [5, 6]);
    let spice = b"\n\r,;\"\0\xff-./:T9e+ ";
    for _ in 0..4000 {
        let mut bad = text.clone();
        for _ in 0..=stream.below(4) {
            let at = stream.below(bad.len() as u64) as usize;
            match stream.below(3) {
                0 => bad[at] = spice[stream.below(spice.len() as u64) as usize],
                1 => bad.insert(at, spice[stream.below(spice.len() as u64) as usize]),
                _ => drop(bad.remove(at)),
            }
        }
        let _ = ingest(&[input("ABC.csv", &bad)], &IngestOptions::default());
    }
}
