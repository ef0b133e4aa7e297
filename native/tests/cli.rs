//! The program as a user runs it: real processes, real files.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;
use std::process::{Command, Output};

fn sandtable(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sandtable")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs and expects success.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = sandtable(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Runs and expects a refusal: exit code 2 and a sentence with these words.
fn refuse(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = sandtable(folder, arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments:?}: `{word}` is not in: {message}");
    }
}

#[test]
fn the_demo_twice_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let first = run(folder.path(), &["demo", "--out", "a", "--threads", "1"]);
    run(folder.path(), &["demo", "--out", "b", "--threads", "2", "--json"]);
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let part = "trials/part-000000.parquet";
    assert_eq!(read(&format!("a/{part}")), read(&format!("b/{part}")));
    assert_eq!(read("a/record.json"), read("b/record.json"));
    assert_eq!(read("a/plan.json"), read("b/plan.json"));
    assert_eq!(read("a/best.json"), read("b/best.json"));
    for name in ["study.toml", "runs.jsonl", "heatmap.svg", "heatmap.png", "equity.svg", "equity.png"] {
        assert!(!read(&format!("a/{name}")).is_empty(), "{name}");
    }
    assert!(first.contains("400 trials over 40987 bars of 8 symbols"), "{first}");
    let record: serde_json::Value = serde_json::from_slice(&read("a/record.json")).unwrap();
    assert_eq!(record["trials"], 400);
    assert_eq!(record["bars_read"], 400 * 40_987);
    assert!(record["fills"].as_u64().unwrap() > 10_000);
    let carried = carried_out(&read("a/runs.jsonl"));
    assert_eq!((&carried["trials_by_reference"], carried["by_reference_because"].is_null()), (&0.into(), true));
    assert!(!first.contains("reference simulator"), "{first}");
}

/// How the last process carried its part of a study out.
fn carried_out(runs: &[u8]) -> serde_json::Value {
    let last = runs.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).unwrap();
    serde_json::from_slice(last).unwrap()
}

#[test]
fn a_study_is_estimated_run_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("s.toml"),
        "bundle = \"mag8\"\nstrategy = \"rsi_mean_reversion\"\nstart = 2015-01-01\nend = 2016-12-31\n",
    )
    .unwrap();
    let estimate = run(folder.path(), &["optimize", "s.toml", "--estimate", "--json"]);
    let estimate: serde_json::Value = serde_json::from_str(&estimate).unwrap();
    let trials = estimate["trials"].as_u64().unwrap();
    assert!(trials > 1 && estimate["seconds"].as_f64().unwrap() > 0.0);
    assert!(!folder.path().join("s").exists(), "an estimate writes nothing");
    let told = run(folder.path(), &["optimize", "s.toml", "--quiet"]);
    assert!(told.contains(&format!("{trials} of {trials} trials took the reference simulator")), "{told}");
    let carried = carried_out(&std::fs::read(folder.path().join("s/runs.jsonl")).unwrap());
    assert_eq!(carried["trials_by_reference"].as_u64(), Some(trials));
    assert!(carried["by_reference_because"].as_str().unwrap().contains("position"), "{carried}");
    let shown: serde_json::Value =
        serde_json::from_str(&run(folder.path(), &["show", "s", "--top", "3", "--json"])).unwrap();
    assert_eq!(shown["trials"].as_u64(), Some(trials));
    assert_eq!(shown["top"].as_array().unwrap().len(), 3);
    // Another study is not written over it.
    refuse(folder.path(), &["optimize", "s.toml", "--set", "capital=5", "--quiet"], &["another study", "--force"]);
}

#[test]
fn one_backtest_writes_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "backtest",
        "sma_cross",
        "--bundle",
        "mag8",
        "--param",
        "fast=10",
        "--param",
        "slow=52",
        "--trades",
        "t.csv",
        "--equity",
        "e.parquet",
        "--fills",
        "f.json",
        "--plot",
        "p.svg",
        "--json",
    ];
    let summary: serde_json::Value = serde_json::from_str(&run(folder.path(), &arguments)).unwrap();
    assert_eq!(summary["params"]["fast"], 10.0);
    let trades = std::fs::read_to_string(folder.path().join("t.csv")).unwrap();
    let closed = trades.lines().skip(1).filter(|line| line.ends_with("false")).count();
    assert_eq!(summary["metrics"]["trades"].as_f64(), Some(closed as f64));
    let fills: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("f.json")).unwrap()).unwrap();
    assert_eq!(fills.as_array().unwrap().len() as f64, summary["metrics"]["fills"].as_f64().unwrap());
}

#[test]
fn own_data_become_a_bundle_and_a_backtest() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
    let files: Vec<String> = ["AAPL", "GOOG", "IBM", "MSFT"]
        .iter()
        .map(|name| {
            let entries = std::fs::read_dir(&sample).unwrap().flatten();
            let found = entries.map(|e| e.path()).find(|p| p.file_name().unwrap().to_string_lossy().starts_with(name));
            found.unwrap().display().to_string()
        })
        .collect();
    let mut arguments = vec!["ingest"];
    arguments.extend(files.iter().map(String::as_str));
    arguments.extend(["--into", "tech.bundle"]);
    run(folder.path(), &arguments);
    run(folder.path(), &["bundle", "verify", "tech.bundle"]);
    assert!(run(folder.path(), &["bundle", "info", "tech.bundle"]).contains("AAPL"));
    let shown = run(folder.path(), &["backtest", "macd_trend", "--bundle", "tech.bundle"]);
    assert!(shown.contains("Sharpe ratio"), "{shown}");
}

#[test]
fn mistakes_are_sentences_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    refuse(folder.path(), &["optimize", "none.toml"], &["none.toml"]);
    refuse(folder.path(), &["backtest", "sma_cros", "--bundle", "mag8"], &["sma_cros", "did you mean", "sma_cross"]);
    refuse(folder.path(), &["backtest", "sma_cross", "--bundle", "mag9"], &["mag9", "mag8"]);
    refuse(folder.path(), &["backtest", "sma_cross"], &["no bundle is named", "--bundle"]);
    refuse(folder.path(), &["backtest", "sma_cross", "--bundle", "mag8", "--param", "fats=5"], &["fats", "fast"]);
    write("ahead.toml", "name = \"a\"\n[rules]\ntarget = \"if(close[-1] > 0, 1, 0)\"\n");
    refuse(folder.path(), &["backtest", "ahead.toml", "--bundle", "mag8"], &["ahead.toml:3", "ahead"]);
    write("s.toml", "bundle = \"mag8\"\nstrategy = \"sma_cross\"\nobjectiv = \"sharpe\"\n");
    refuse(folder.path(), &["optimize", "s.toml"], &["s.toml:3", "objectiv", "objective"]);
    refuse(folder.path(), &["show", "."], &["no study folder"]);
    refuse(folder.path(), &["bundle", "info", "nowhere.bundle"], &["nowhere.bundle"]);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 2, "nothing is left behind: {left:?}");
}
