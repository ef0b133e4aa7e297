//! Walk-forward as users meet it: folders, files, tables, mistakes, an end on the way.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const STUDY: &str = "bundle = \"mag8\"\nstrategy = \"sma_cross\"\nstart = 2014-01-02\nend = 2017-12-29\n\
                     symbols = [\"ALFA\", \"BRVO\"]\n\
                     [space]\nfast = { type = \"int\", min = 2, max = 20, step = 6 }\n\
                     slow = { type = \"int\", min = 30, max = 90, step = 20 }\n\
                     [folds]\ntrain = \"2 years\"\ntest = \"6 months\"\n";

fn sandtable(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sandtable")).args(arguments).current_dir(folder).output().unwrap()
}

/// Runs, expects this exit code, and gives everything that was said.
fn run(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let output = sandtable(folder, arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

fn walk(folder: &Path, code: i32, out: &str, more: &[&str]) -> String {
    run(folder, code, &[&["walk-forward", "s.toml", "--quiet", "--out", out][..], more].concat())
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn has(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}

fn study() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), STUDY).unwrap();
    folder
}

/// All files with their bytes, but for what says how they came about.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() != "runs.jsonl" {
                let name = entry.path().strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (files(one), files(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(other[name] == *bytes, "{name} differs");
    }
}

#[test]
fn folds_are_searched_tested_and_joined() {
    let folder = study();
    let said = walk(folder.path(), 0, "w", &[]);
    has(
        &said,
        &["4 folds rolling", "64 trials", "2014-01-02 – 2015-12-31", "2016-01-04 – 2016-06-30", "out of sample"],
    );
    let out = folder.path().join("w");
    let folds = json(&out.join("folds.json"));
    let list = folds["folds"].as_array().unwrap();
    assert_eq!(list.len(), 4);
    for fold in list {
        // The choice is the best of the fold's own study folder, which every other command reads.
        let study = out.join(fold["folder"].as_str().unwrap());
        let best = json(&study.join("best.json"));
        assert_eq!(best["index"], fold["chosen"]["index"]);
        assert_eq!(best["metrics"], fold["train"]["metrics"]);
        let (train, test) = (&fold["train"]["ranges"][0], &fold["test"]["ranges"][0]);
        assert!(train[1].as_str() < test[0].as_str(), "training ends before its test");
        // The test is what a backtest of the chosen parameters over these dates comes to: an average remembers no more
        // bars than its period, so that both are warm.
        let params: Vec<String> = fold["chosen"]["params"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let dates = ["--start", test[0].as_str().unwrap(), "--end", test[1].as_str().unwrap()];
        let mut arguments = vec!["backtest", "sma_cross", "--bundle", "mag8", "--symbols", "ALFA,BRVO", "--json"];
        arguments.extend(dates);
        params.iter().for_each(|param| arguments.extend(["--param", param]));
        let alone: Value = serde_json::from_slice(&sandtable(folder.path(), &arguments).stdout).unwrap();
        for name in ["total_return", "fills", "max_drawdown"] {
            let (a, b) = (alone["metrics"][name].as_f64().unwrap(), fold["test"]["metrics"][name].as_f64().unwrap());
            assert!((a - b).abs() < 1e-9, "{name}: {a} alone, {b} in the fold");
        }
    }
    let growth: f64 = list.iter().map(|fold| 1.0 + fold["test"]["metrics"]["total_return"].as_f64().unwrap()).product();
    let whole = folds["out_of_sample"][0]["metrics"]["total_return"].as_f64().unwrap();
    assert!((growth - 1.0 - whole).abs() < 1e-9, "tests are joined by their returns: {growth} and {whole}");
    let csv = fs::read_to_string(out.join("out-of-sample.csv")).unwrap();
    let sessions: u64 = list.iter().map(|fold| fold["test"]["sessions"].as_u64().unwrap()).sum();
    assert!(csv.starts_with("path,session,fold,equity\n1,2016-01-04,1,"), "{}", &csv[..80]);
    assert_eq!(csv.lines().count() as u64, sessions + 1);
    assert!(out.join("out-of-sample.parquet").exists() && out.join("out-of-sample.svg").exists());
    has(&run(folder.path(), 0, &["studies", "w"]), &["fold-01", "fold-04", "complete"]);
    has(&run(folder.path(), 0, &["show", "w/fold-02", "--top", "3"]), &["fast", "slow"]);
}

#[test]
fn a_walk_goes_on_where_it_ended_with_the_same_bytes() {
    let folder = study();
    walk(folder.path(), 0, "whole", &["--threads", "1"]);
    walk(folder.path(), 0, "ended", &[]);
    let ended = folder.path().join("ended");
    // As if it had been killed in the third fold.
    fs::remove_file(ended.join("folds.json")).unwrap();
    fs::remove_file(ended.join("out-of-sample.csv")).unwrap();
    fs::remove_dir_all(ended.join("fold-03")).unwrap();
    fs::remove_dir_all(ended.join("fold-04")).unwrap();
    let runs = |fold: &str| fs::read_to_string(ended.join(fold).join("runs.jsonl")).unwrap().lines().count();
    walk(folder.path(), 0, "ended", &["--threads", "2", "--no-cache", "all"]);
    assert_same(&folder.path().join("whole"), &ended);
    assert_eq!((runs("fold-01"), runs("fold-03")), (1, 1), "a finished fold is not searched again");
    let other = walk(folder.path(), 2, "ended", &["--set", "folds.test=1 year"]);
    has(&other, &["holds the results of another study", "folds.test"]);
    walk(folder.path(), 0, "ended", &["--set", "folds.test=1 year", "--force"]);
    assert!(!ended.join("fold-03").exists(), "two folds now");
}

#[test]
fn other_schemes_and_methods() {
    let folder = study();
    let combined = ["--set", "folds.scheme=combinatorial", "--set", "folds.blocks=4", "--json"];
    let folds: Value = serde_json::from_str(&walk(folder.path(), 0, "c", &combined)).unwrap();
    assert_eq!(folds, json(&folder.path().join("c/folds.json")));
    assert_eq!(folds["folds"].as_array().unwrap().len(), 6);
    assert_eq!(folds["out_of_sample"].as_array().unwrap().len(), 3, "four blocks, two at a time: three paths");
    assert!(folds["gap"]["after_test"].as_u64().unwrap() >= 89, "the embargo is the lookback: {}", folds["gap"]);
    has(&run(folder.path(), 0, &["show", "c/fold-02", "--top", "1"]), &["fast"]);
    has(
        &walk(folder.path(), 0, "c", &combined[..4]),
        &["6 folds combinatorial", "3 courses", "`folds.train` has no effect"],
    );
    let tpe = ["--set", "folds.scheme=anchored", "--set", "search.method=tpe", "--set", "search.trials=12"];
    has(&walk(folder.path(), 0, "t", &tpe), &["4 folds anchored", "48 trials"]);
    let holdout = ["--set", "folds.scheme=holdout", "--set", "folds.test=1 year"];
    has(&walk(folder.path(), 0, "h", &holdout), &["1 fold holdout", "2017-01-03 – 2017-12-29"]);
    has(&walk(folder.path(), 2, "x", &["--set", "folds.train=9 years"]), &["no room for training"]);
    has(&walk(folder.path(), 2, "x", &["--set", "folds.train=soon"]), &["length of time", "12 months"]);
    has(&run(folder.path(), 0, &["optimize", "s.toml", "-q", "--out", "o"]), &["sees every session"]);
    has(&walk(folder.path(), 2, "o", &["--force"]), &["holds a search over all sessions"]);
}

#[test]
fn a_walk_by_budgets_chooses_among_what_saw_the_whole_training() {
    let folder = study();
    let bohb = ["--set", "search.method=bohb", "--set", "search.trials=8"];
    walk(folder.path(), 0, "w", &[&bohb[..], &["--threads", "1"]].concat());
    let out = folder.path().join("w");
    let folds = json(&out.join("folds.json"));
    for fold in folds["folds"].as_array().unwrap() {
        let study = out.join(fold["folder"].as_str().unwrap());
        let results = sandtable::study::results_in(&study).unwrap();
        let whole = results.whole().unwrap();
        assert!(!whole.is_empty() && whole.len() < results.len(), "{} of {}", whole.len(), results.len());
        // The best of those that saw the whole training, whatever the others came to on their parts.
        let sharpe = whole.metric(whole.schema().metric("sharpe").unwrap());
        let most = sharpe.iter().copied().fold(f64::MIN, f64::max);
        assert_eq!(fold["train"]["metrics"]["sharpe"].as_f64().unwrap(), most);
        assert_eq!(json(&study.join("best.json"))["index"], fold["chosen"]["index"]);
    }
    // The same on two threads, and after an end in the second fold.
    walk(folder.path(), 0, "ended", &bohb);
    let ended = folder.path().join("ended");
    fs::remove_file(ended.join("folds.json")).unwrap();
    fs::remove_dir_all(ended.join("fold-02")).unwrap();
    walk(folder.path(), 0, "ended", &[&bohb[..], &["--threads", "2"]].concat());
    assert_same(&out, &ended);
}
