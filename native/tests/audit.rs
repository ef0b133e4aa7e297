//! The audit as a user runs it: real processes over a generated bundle.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;
use std::process::{Command, Output};

use sandtable::audit::comparison::Comparison;
use sandtable::audit::runner;
use sandtable::audit::variant::{Layer, Layers, Variant};
use sandtable::audit::workload::{Data, Workload};
use sandtable::{files, pool};
use serde_json::Value;

fn sandtable(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sandtable")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with `small.bundle`: three symbols over three years.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["generate", "universe", "--symbols", "3", "--length", "3", "--into", "small.bundle"];
    assert!(sandtable(folder.path(), &arguments).status.success());
    folder
}

fn json(folder: &Path, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap()
}

/// Runs an audit with few pairs; gives its summary and exit code. Any code but 2 is a judgement.
fn audit(folder: &Path, arguments: &[&str]) -> (Value, i32) {
    let few = ["audit", arguments[0], "small.bundle", "--allow-few-runs", "--num-runs", "2", "--json"];
    let arguments = [&few[..], &arguments[1..]].concat();
    let output = sandtable(folder, &arguments);
    let code = output.status.code().unwrap();
    assert!(code == 0 || code == 1, "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    (serde_json::from_slice(&output.stdout).unwrap(), code)
}

#[test]
fn audits_are_judged_reported_and_kept() {
    let folder = folder();
    let (summary, code) = audit(folder.path(), &["grid-search", "--num-backtests", "4", "--output-dir", "kept"]);
    assert_eq!(summary["identical"], true, "{summary}");
    assert_eq!(code == 0, summary["accepted"] == true, "{summary}");
    let path = folder.path().join("kept");
    let raw = json(&path, &format!("runs/{}.json", summary["id"].as_str().unwrap()));
    let section = &raw["sections"][0];
    assert_eq!(section["backtests"], 4);
    let comparisons = section["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 6);
    for comparison in comparisons {
        let pairs = comparison["pairs"].as_array().unwrap();
        assert_eq!(pairs.len(), 2);
        assert_ne!(pairs[0]["baseline_first"], pairs[1]["baseline_first"]);
        for pair in pairs {
            let (baseline, variant) = (&pair["baseline"], &pair["variant"]);
            assert_eq!(baseline["results_hash"], variant["results_hash"]);
            assert!(baseline["seconds"].as_f64().unwrap() > 0.0 && baseline["rows_read"].as_u64().unwrap() > 1000);
            assert!(variant["fills"].as_u64().unwrap() > 10);
        }
    }
    let all = &comparisons[5];
    assert_eq!(all["variant"], "all layers");
    assert_eq!(all["pairs"][0]["variant"]["fast"], 4, "the fast path ran");
    assert_eq!(all["pairs"][0]["baseline"]["fast"], 0, "and not in the baseline");
    assert!(raw["environment"]["compiler"].as_str().unwrap().starts_with("rustc"));
    assert!(raw["command"].as_str().unwrap().starts_with("sandtable audit grid-search small.bundle"));

    let report = std::fs::read_to_string(path.join("report.html")).unwrap();
    assert!(report.matches("<svg").count() == 2 && !report.contains("src="), "pictures are inside");
    let conclusion = summary["conclusion"].as_str().unwrap();
    assert!(report.contains(&conclusion.replace('<', "&lt;")), "{conclusion}");
    let markdown = std::fs::read_to_string(path.join("report.md")).unwrap();
    for (start, _) in markdown.match_indices("](plots/") {
        let file = markdown[start + 2..].split(')').next().unwrap();
        assert!(path.join(file).is_file(), "{file}");
    }

    // A second audit in the same folder: both are kept, and the report is about the last.
    let walk = ["walk-forward", "--num-windows", "3", "--trials-per-window", "2", "--output-dir", "kept"];
    let (second, _) = audit(folder.path(), &walk);
    assert_eq!(second["identical"], true, "{second}");
    let index = json(&path, "index.json");
    let kept: Vec<&str> = index["audits"].as_array().unwrap().iter().map(|a| a["kind"].as_str().unwrap()).collect();
    assert_eq!(kept, ["grid-search", "walk-forward"]);
    let raw = json(&path, index["audits"][1]["file"].as_str().unwrap());
    assert_eq!(raw["sections"][0]["backtests"], 9, "three windows of two trials and a test");
    let markdown = std::fs::read_to_string(path.join("report.md")).unwrap();
    assert!(markdown.contains("# Audit: walk forward") && markdown.contains("Earlier audits"), "{markdown}");
}

#[test]
fn wrong_arguments_are_refused_and_write_nothing() {
    let folder = folder();
    let refuse = |arguments: &[&str], words: &[&str]| {
        let output = sandtable(folder.path(), &[&["audit"], arguments].concat());
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        for word in words {
            assert!(message.contains(word), "{arguments:?}: `{word}` is not in: {message}");
        }
    };
    refuse(&["grid-search", "small.bundle", "--num-runs", "9"], &["--num-runs 9", "--allow-few-runs"]);
    refuse(&["grid-search", "small.bundle", "--num-runs", "0"], &["--num-runs"]);
    refuse(&["grid-search", "none.bundle"], &["none.bundle"]);
    refuse(&["grid-search", "mag9"], &["mag9", "mag8"]);
    refuse(&["grid-search", "small.bundle", "--num-assets", "4"], &["--num-assets 4", "3 symbols"]);
    refuse(&["grid-search", "small.bundle", "--start-date", "2019"], &["--start-date 2019", "no date"]);
    refuse(&["grid-search", "small.bundle", "--end-date", "1970-01-01"], &["no bars", "--start-date"]);
    refuse(&["walk-forward", "small.bundle", "--num-windows", "200"], &["--num-windows"]);
    refuse(&["walk-forward", "small.bundle", "--num-backtests", "5"], &["--num-backtests"]);
    refuse(&["full"], &["BUNDLE"]);
    std::fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    refuse(&["full", "small.bundle", "--output-dir", "."], &["holds no audits", "--output-dir"]);
    refuse(&["full", "small.bundle", "--output-dir", "thesis.txt"], &["is a file"]);
    let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    left.sort();
    assert_eq!(left, ["small.bundle", "thesis.txt"]);
}

fn data(folder: &Path) -> Data {
    let path = folder.join("small.bundle");
    Data::select(&path, &files::read_manifest(&path).unwrap(), None, [None, None]).unwrap()
}

#[test]
fn every_combination_of_layers_gives_the_same_bits() {
    let folder = folder();
    let pool = pool::pool(2).unwrap();
    let data = data(folder.path());
    for workload in [Workload::grid(&data, 5).unwrap(), Workload::walk_forward(&data, 2, 3).unwrap()] {
        let expected = runner::run(&workload, Layers::default(), &pool).unwrap();
        assert_eq!(expected.backtests, workload.backtests());
        for set in 1_u32..32 {
            let on = Layer::ALL.into_iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0);
            let layers = on.fold(Layers::default(), |layers, (_, layer)| layers.with(layer));
            let measured = runner::run(&workload, layers, &pool).unwrap();
            assert_eq!(measured.results_hash, expected.results_hash, "{layers:?}");
            assert_eq!((measured.fills, measured.rows_read), (expected.fills, expected.rows_read), "{layers:?}");
        }
    }
}

#[test]
fn results_of_other_work_are_never_accepted() {
    let folder = folder();
    let pool = pool::pool(1).unwrap();
    let data = data(folder.path());
    let mut comparison =
        Comparison::measure(&Workload::grid(&data, 4).unwrap(), Variant::All, 3, &pool, || ()).unwrap();
    assert!(comparison.identical());
    // One run of a grid with another point in it stands for a layer that changes results.
    let other = runner::run(&Workload::grid(&data, 3).unwrap(), Variant::All.layers(), &pool).unwrap();
    comparison.pairs[1].variant.results_hash = other.results_hash;
    let verdict = comparison.verdict();
    assert!(!verdict.identical && !verdict.accepted && verdict.reason.contains("bit for bit"), "{}", verdict.reason);
}
