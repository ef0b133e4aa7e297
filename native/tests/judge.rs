//! Judgement as users meet it: after a search, in a folder, on request.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const STUDY: &str = "bundle = \"mag8\"\nstrategy = \"sma_cross\"\nstart = 2016-01-01\nend = 2016-12-30\nsymbols = [\"ALFA\", \"BRVO\"]\n\
                     [costs]\nbps = 5\n[space]\nfast = { type = \"int\", min = 2, max = 11, step = 1 }\n\
                     slow = { type = \"int\", min = 20, max = 39, step = 1 }\n";

/// Coins thrown by digits of prices: each parameter gives other ones, and none of them knows anything.
const COINS: &str = "bundle = \"mag8\"\nstart = 2015-01-01\nend = 2018-12-31\nstrategy_text = '''\nname = \"coins\"\n\
                     [params]\ncoin = { type = \"int\", min = 1, max = 100, default = 1 }\n[rules]\n\
                     target = \"if(floor(close * 100 * (31 + 2 * coin)) % 97 < 48, 1 / n_symbols, -1 / n_symbols)\"\n'''\n";

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

fn optimize(folder: &Path, out: &str, more: &[&str]) -> String {
    run(folder, 0, &[&["optimize", "s.toml", "--quiet", "--out", out][..], more].concat())
}

fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&run(folder, 0, &[arguments, &["--json"]].concat())).unwrap()
}

fn file(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
}

fn has(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}

/// A folder with this study.
fn folder_of(study: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), study).unwrap();
    folder
}

#[test]
fn every_search_is_judged_unless_it_is_told_not_to() {
    let folder = folder_of(STUDY);
    let path = folder.path();
    let said = optimize(path, "a", &[]);
    has(&said, &["judgement: best Sharpe", "of 200 trials", "deflated Sharpe", "PBO", "SPA p-value", "plateau"]);
    let bytes = fs::read(path.join("a/judgement.json")).unwrap();
    let found = file(path, "a/judgement.json");
    let sentence = found["judgement"]["verdict"]["sentence"].as_str().unwrap();
    has(&said, &[sentence]);
    assert_eq!((&found["judgement"]["trials"], &found["surface"]["whole"]), (&json!(200), &json!(true)));
    assert_eq!(found["judgement"]["best"], file(path, "a/best.json")["index"]);
    // It is shown again, in words and as data, and nothing is evaluated for it.
    has(&run(path, 0, &["show", "a"]), &[sentence]);
    has(&optimize(path, "a", &[]), &["complete before", sentence]);
    has(&run(path, 0, &["judge", "a"]), &[sentence, "--all"]);
    for arguments in [&["show", "a"][..], &["judge", "a"], &["optimize", "s.toml", "--quiet", "--out", "a"]] {
        let shown = json_of(path, arguments);
        assert_eq!(shown["judgement"]["judgement"]["verdict"], found["judgement"]["verdict"], "{arguments:?}");
    }
    assert!(fs::read(path.join("a/judgement.json")).unwrap() == bytes, "a complete study is left as it is");
    // Not asked for, it is not there; asked for later, it is the same.
    assert!(!optimize(path, "b", &["--no-judgement"]).contains("judge"));
    assert!(!path.join("b/judgement.json").exists());
    has(&optimize(path, "b", &[]), &["not judged yet", "sandtable judge b"]);
    has(&run(path, 0, &["judge", "b"]), &[sentence]);
    assert!(fs::read(path.join("a/judgement.json")).unwrap() == fs::read(path.join("b/judgement.json")).unwrap());
    // One trial is no search.
    let one = optimize(path, "one", &["--param", "fast=5", "--param", "slow=20"]);
    assert!(!one.contains("judge") && !path.join("one/judgement.json").exists(), "{one}");
}

/// The study of `from` as a killed process leaves it: a journal of some of its trials, and no more.
fn killed(folder: &Path, from: &str, name: &str, trials: usize) {
    use sandtable::study::{journal::Journal, results_in};
    let results = results_in(&folder.join(from)).unwrap();
    let path = folder.join(name);
    fs::create_dir_all(path.join("trials")).unwrap();
    for file in ["study.toml", "plan.json"] {
        fs::copy(folder.join(from).join(file), path.join(file)).unwrap();
    }
    let mut record = file(folder, &format!("{from}/record.json"));
    record["complete"] = json!(false);
    fs::write(path.join("record.json"), record.to_string()).unwrap();
    let mut some = sandtable_core::results::Results::new(results.schema().clone());
    some.append(&results, 0..trials).unwrap();
    let journal = path.join("trials/part-000000.journal");
    Journal::open(&journal, results.schema(), 0).unwrap().append(0, &some).unwrap();
}

#[test]
fn a_search_that_was_ended_is_judged_as_one_that_was_not() {
    let studies: [&[&str]; 4] = [
        &[],
        &["--set", "search.method=tpe", "--set", "search.trials=60"],
        &["--set", "objective=calmar", "--set", "constraints=trades >= 5"],
        &[
            "--set",
            "search.method=nsga-ii",
            "--set",
            "search.trials=100",
            "--set",
            "objective=[\"cagr\", \"-volatility\"]",
        ],
    ];
    let folder = folder_of(STUDY);
    let path = folder.path();
    for (number, more) in studies.iter().enumerate() {
        let (whole, parts) = (format!("whole-{number}"), format!("parts-{number}"));
        optimize(path, &whole, more);
        let trials = sandtable::study::results_in(&path.join(&whole)).unwrap().len();
        assert_eq!(
            file(path, &format!("{whole}/judgement.json"))["judgement"]["best"],
            file(path, &format!("{whole}/best.json"))["index"]
        );
        for done in [1, trials / 2, trials] {
            let _ = fs::remove_dir_all(path.join(&parts));
            killed(path, &whole, &parts, done);
            has(&run(path, 0, &["judge", &parts]), &["not judged: a search is judged when it has come to its end"]);
            optimize(path, &parts, more);
            let bytes = [&whole, &parts].map(|out| fs::read(path.join(out).join("judgement.json")).unwrap());
            assert!(bytes[0] == bytes[1], "{more:?}, {done} of {trials} trials known");
        }
    }
    // A study that grows is judged anew, and one that is not asked for loses what is no longer true.
    let larger = ["--param", "fast=2:12:1"];
    optimize(path, "fresh", &larger);
    optimize(path, "whole-0", &larger);
    let bytes = ["fresh", "whole-0"].map(|out| fs::read(path.join(out).join("judgement.json")).unwrap());
    assert!(bytes[0] == bytes[1]);
    optimize(path, "whole-0", &["--param", "fast=2:13:1", "--no-judgement"]);
    assert!(!path.join("whole-0/judgement.json").exists());
}

#[test]
fn coins_are_called_out() {
    let folder = folder_of(COINS);
    let said = optimize(folder.path(), "coins", &[]);
    let grade = &file(folder.path(), "coins/judgement.json")["judgement"]["verdict"]["grade"];
    assert!(["likely-overfit", "no-edge", "doubtful"].iter().any(|word| grade == word), "{said}");
    has(&said, &["of 100 trials"]);
    assert!(!said.contains(": believable"), "{said}");
    // The same coins, tried harder: they follow every digit, so noise makes other coins of them.
    let found = json_of(folder.path(), &["judge", "coins", "--noise", "20"]);
    let hard = &found["tests"]["noise"]["shares"][2];
    let median = hard["sharpe"]["quantiles"][2].as_f64().unwrap();
    assert!(median < 0.5 * found["tests"]["noise"]["sharpe"].as_f64().unwrap(), "{hard}");
}

#[test]
fn too_few_sessions_are_said_to_be_too_few() {
    let folder = folder_of(&STUDY.replace("2016-12-30", "2016-01-08"));
    has(&optimize(folder.path(), "short", &["--set", "warmup=none"]), &["not judged: 5 sessions are too few"]);
}

#[test]
fn the_winner_is_tried_harder_on_request() {
    let folder = folder_of(STUDY);
    let path = folder.path();
    optimize(path, "a", &[]);
    let arguments = ["judge", "a", "--all", "--monte-carlo", "300", "--noise", "4"];
    let said = run(path, 0, &arguments);
    let told = [
        "other courses of its",
        "noise on the bars",
        "costs × 3",
        "one bar later",
        "one parameter aside",
        "look-ahead: 0 of",
        "judge.json",
    ];
    has(&said, &told);
    let tests = &file(path, "a/judge.json")["tests"];
    assert_eq!(*tests, json_of(path, &arguments)["tests"], "the same every time");
    let best = file(path, "a/best.json");
    let objective = &best["metrics"]["sharpe"];
    // What the study paid is one of the variants, and more is worse.
    let costs: Vec<f64> =
        (0..4).map(|k| tests["costs"]["variants"][k]["metrics"]["total_return"].as_f64().unwrap()).collect();
    assert_eq!(tests["costs"]["variants"][1]["objective"], *objective);
    assert!(costs.is_sorted_by(|a, b| a > b), "{costs:?}");
    assert_eq!(tests["delay"]["variants"][0]["objective"], *objective);
    assert_ne!(tests["delay"]["variants"][1]["metrics"], tests["delay"]["variants"][0]["metrics"]);
    // Neighbours are points of the study: their scores are those of its trials.
    let neighbours = tests["sensitivity"]["neighbours"].as_array().unwrap();
    assert!(neighbours.len() >= 4);
    let results = sandtable::study::results_in(&path.join("a")).unwrap();
    let sharpes = results.metric(sandtable_core::metrics::index_of("sharpe").unwrap()).to_vec();
    let is_known = |score: f64| sharpes.iter().any(|sharpe| (sharpe - score).abs() < 1e-12);
    assert!(neighbours.iter().all(|n| is_known(n["objective"].as_f64().unwrap())), "{neighbours:?}");
    let fan = tests["monte_carlo"]["bootstrap"]["fan"].as_array().unwrap();
    assert_eq!(fan[0], json!([1.0, 1.0, 1.0, 1.0, 1.0]));
    assert!(tests["monte_carlo"]["permutation"]["wealth"].is_null(), "another order ends where it ends");
    assert!(tests["look_ahead"]["compared"].as_u64().unwrap() > 100);
    // Another trial, one test.
    let other = json_of(path, &["judge", "a", "--trial", "0", "--delay"]);
    assert_eq!((&other["trial"], other["tests"].as_object().unwrap().len()), (&json!(0), 1));
}

#[test]
fn what_cannot_be_judged_is_refused_in_a_sentence() {
    let folder = folder_of(STUDY);
    let path = folder.path();
    optimize(path, "a", &["--no-judgement"]);
    for (arguments, words) in [
        (&["judge", "nothing"][..], &["no study folder"][..]),
        (&["judge", "a", "--trial", "9999"], &["no trial 9999", "sandtable show"]),
        (&["judge", "a", "--noise", "0"], &["--noise 0", "from 1 to"]),
        (&["judge", "a", "--monte-carlo", "0"], &["0 runs", "from 1 to"]),
        (&["judge", "a", "--noise", "many"], &["many"]),
        (&["judge", "a", "--bundle", "gone.bundle"], &["gone.bundle"]),
    ] {
        has(&run(path, 2, arguments), words);
    }
    assert!(!path.join("a/judge.json").exists());
    fs::write(path.join("a/judgement.json"), "{\"judgement\":").unwrap();
    has(&run(path, 2, &["show", "a"]), &["judgement.json", "no valid JSON", "sandtable judge DIR"]);
}
