//! Study folders as users meet them: ended and gone on with, grown, refused, damaged, locked, listed.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const STUDY: &str = "bundle = \"mag8\"\nstrategy = \"sma_cross\"\nstart = 2016-01-01\nend = 2016-06-30\nsymbols = [\"ALFA\", \"BRVO\"]\n\
                     warmup = \"none\"\n[space]\nfast = { type = \"int\", min = 2, max = 21, step = 1 }\n\
                     slow = { type = \"int\", min = 30, max = 59, step = 1 }\n";

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

fn optimize(folder: &Path, code: i32, out: &str, more: &[&str]) -> String {
    run(folder, code, &[&["optimize", "s.toml", "--quiet", "--out", out][..], more].concat())
}

fn has(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}

/// All files of a study with their bytes, but for what says how it was carried out.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found.remove("runs.jsonl");
    found
}

fn same(folder: &Path, one: &str, other: &str) {
    let (one, other) = (files(&folder.join(one)), files(&folder.join(other)));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(other[name] == *bytes, "{name} differs");
    }
}

fn last_run(folder: &Path) -> Value {
    let runs = fs::read_to_string(folder.join("runs.jsonl")).unwrap();
    serde_json::from_str(runs.lines().last().unwrap()).unwrap()
}

/// A folder with a study of 600 trials, and a complete copy of it in `ref`.
fn studied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), STUDY).unwrap();
    optimize(folder.path(), 0, "ref", &[]);
    folder
}

/// The study of `ref` as a killed process leaves it: a journal of some of its trials, and no more.
fn killed(folder: &Path, name: &str, trials: usize) {
    use sandtable::study::{journal::Journal, results_in};
    let results = results_in(&folder.join("ref")).unwrap();
    let path = folder.join(name);
    fs::create_dir_all(path.join("trials")).unwrap();
    for file in ["study.toml", "plan.json"] {
        fs::copy(folder.join("ref").join(file), path.join(file)).unwrap();
    }
    let mut record: Value = serde_json::from_slice(&fs::read(folder.join("ref/record.json")).unwrap()).unwrap();
    record["complete"] = json!(false);
    fs::write(path.join("record.json"), record.to_string()).unwrap();
    let mut some = sandtable_core::results::Results::new(results.schema().clone());
    some.append(&results, 0..trials).unwrap();
    let journal = path.join("trials/part-000000.journal");
    Journal::open(&journal, results.schema(), 0).unwrap().append(0, &some).unwrap();
}

#[test]
fn a_complete_study_is_left_as_it_is() {
    let folder = studied();
    let before = files(&folder.path().join("ref"));
    let runs = fs::read(folder.path().join("ref/runs.jsonl")).unwrap();
    has(&optimize(folder.path(), 0, "ref", &[]), &["complete before: nothing was evaluated", "--force"]);
    assert!(files(&folder.path().join("ref")) == before);
    assert_eq!(fs::read(folder.path().join("ref/runs.jsonl")).unwrap(), runs);
    optimize(folder.path(), 0, "ref", &["--force"]);
    assert_eq!(last_run(&folder.path().join("ref"))["trials_evaluated"], 600);
    assert!(files(&folder.path().join("ref")) == before);
}

#[test]
fn a_killed_study_goes_on_with_what_is_whole() {
    let folder = studied();
    killed(folder.path(), "k", 300);
    // What the next batch had written of its record, and a file that never got its name.
    let journal = folder.path().join("k/trials/part-000000.journal");
    let mut torn = fs::read(&journal).unwrap();
    torn.extend_from_slice(&torn.clone()[100..5000]);
    fs::write(&journal, torn).unwrap();
    fs::write(folder.path().join("k/trials/.sandtable-x"), "half").unwrap();
    has(&run(folder.path(), 0, &["show", "k"]), &["300 trials of run", "(not complete)"]);
    has(&run(folder.path(), 0, &["verify", "k", "--top", "1"]), &["verified"]);
    has(&optimize(folder.path(), 0, "k", &[]), &["600 trials", "300 of the trials were finished before"]);
    let run = last_run(&folder.path().join("k"));
    assert_eq!((&run["trials_evaluated"], &run["trials_known"]), (&json!(300), &json!(300)));
    same(folder.path(), "ref", "k");
}

#[test]
fn a_search_by_budgets_goes_on_with_what_is_whole_and_grows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let searched = STUDY.replace("[space]", "[search]\nmethod = \"bohb\"\ntrials = 20\n[space]");
    fs::write(path.join("s.toml"), searched).unwrap();
    has(&optimize(path, 0, "ref", &["--threads", "1"]), &["of them on all sessions, the others on parts"]);
    let results = sandtable::study::results_in(&path.join("ref")).unwrap();
    let whole = (0..results.len()).filter(|&row| results.is_whole(row)).count();
    assert!(whole > 2 && whole < results.len() / 2, "{whole} of {}", results.len());
    for (done, threads) in [(1, "2"), (30, "1"), (results.len() - 1, "7")] {
        killed(path, "k", done);
        has(&optimize(path, 0, "k", &["--threads", threads]), &[&format!("{done} of the trials were finished before")]);
        same(path, "ref", "k");
        fs::remove_dir_all(path.join("k")).unwrap();
    }
    // What is listed as the best saw all sessions, and is the best of those.
    let listed: Value = serde_json::from_str(&run(path, 0, &["show", "ref", "--top", "100", "--json"])).unwrap();
    assert_eq!(listed["top"].as_array().unwrap().len(), whole);
    assert_eq!(listed["trials"], json!(results.len()));
    let best: Value = serde_json::from_slice(&fs::read(path.join("ref/best.json")).unwrap()).unwrap();
    assert_eq!(best["index"], listed["top"][0]["index"]);
    let of_whole = results.whole().unwrap();
    let sharpe = of_whole.metric(of_whole.schema().metric("sharpe").unwrap());
    assert_eq!(best["metrics"]["sharpe"], json!(sharpe.iter().copied().fold(f64::MIN, f64::max)));
    // Whoever chose among points on parts is not told that it chose among the others alone.
    let judged = &listed["judgement"]["judgement"];
    assert_eq!(judged["trials"], json!(whole as u64 + results.seen_in_part()), "{judged}");
    assert_eq!(judged["passed_over"], json!(results.seen_in_part()));
    has(&run(path, 0, &["show", "ref"]), &[&format!("compare the {whole} trials on all sessions")]);
    let estimate: Value = serde_json::from_str(&run(path, 0, &["optimize", "s.toml", "--estimate", "--json"])).unwrap();
    assert_eq!((&estimate["trials"], &estimate["whole_trials"]), (&json!(results.len()), &json!(20)));
    // More to spend: what was evaluated on a part is known on that part.
    let more = ["--set", "search.trials=40"];
    optimize(path, 0, "fresh", &more);
    optimize(path, 0, "ref", &more);
    let run = last_run(&path.join("ref"));
    assert!(run["trials_known"].as_u64().unwrap() * 10 >= results.len() as u64 * 9, "{run}");
    same(path, "ref", "fresh");
}

#[test]
fn a_larger_space_takes_over_every_finished_trial() {
    let folder = studied();
    let larger = [
        "--param",
        "fast=1:24:1",
        "--param",
        "slow=30,31,32,33,35,34,36,37,38,39,40,41,42,43,44,45,46,47,48,49,\
                   50,51,52,53,54,55,56,57,58,59,70",
    ];
    optimize(folder.path(), 0, "fresh", &larger);
    killed(folder.path(), "k", 450);
    has(&optimize(folder.path(), 0, "k", &larger), &["744 trials", "450 of the trials were finished before"]);
    same(folder.path(), "fresh", "k");
    // A complete study grows too, and not back: trials that are finished are not thrown away.
    has(&optimize(folder.path(), 0, "ref", &larger), &["600 of the trials were finished before"]);
    same(folder.path(), "fresh", "ref");
    let refused = optimize(folder.path(), 2, "ref", &[]);
    has(&refused, &["another study", "its space no longer holds fast = 1, slow = 30", "--out", "--force"]);
    same(folder.path(), "fresh", "ref");
}

#[test]
fn a_study_that_grew_may_be_ended_and_may_grow_again() {
    let folder = studied();
    let sizes = ["2:22:1", "2:23:1", "2:24:1"].map(|fast| format!("fast={fast}"));
    // Ended just after its trials were put aside: the old plan, no trials.
    killed(folder.path(), "k", 450);
    let plan: Value = serde_json::from_slice(&fs::read(folder.path().join("k/plan.json")).unwrap()).unwrap();
    let earlier = folder.path().join(format!("k/earlier-{}", plan["id"].as_str().unwrap()));
    fs::create_dir(&earlier).unwrap();
    for name in ["record.json", "plan.json"] {
        fs::copy(folder.path().join("k").join(name), earlier.join(name)).unwrap();
    }
    fs::rename(folder.path().join("k/trials"), earlier.join("trials")).unwrap();
    // And ended again after some of the larger one, by a folder that cannot be written.
    let trials = folder.path().join("k/trials");
    fs::write(&trials, "in the way").unwrap();
    has(&optimize(folder.path(), 2, "k", &["--param", &sizes[0]]), &["trials", "could not be made"]);
    fs::remove_file(&trials).unwrap();
    for (size, expected) in sizes.iter().zip([(450, 180), (630, 30), (660, 30)]) {
        optimize(folder.path(), 0, "k", &["--param", size]);
        let run = last_run(&folder.path().join("k"));
        assert_eq!(
            (&run["trials_known"], &run["trials_evaluated"]),
            (&json!(expected.0), &json!(expected.1)),
            "{size}"
        );
    }
    optimize(folder.path(), 0, "fresh", &["--param", &sizes[2]]);
    same(folder.path(), "fresh", "k");
}

#[test]
fn another_study_is_refused_with_what_differs() {
    let folder = studied();
    let refused = |more: &[&str], word: &str| {
        let said = optimize(folder.path(), 2, "ref", more);
        has(&said, &["`ref` holds the results of another study", word, "--out", "--force"]);
    };
    refused(&["--set", "capital=5"], "`capital` is 100000.0 there and 5.0 here");
    refused(&["--set", "objective=calmar"], "`objective.metric` is \"sharpe\" there and \"calmar\" here");
    refused(&["--param", "fast=2:20:1"], "its space no longer holds fast = 21, slow = 30");
    // Indicators would start from other bars, and some never forget the first.
    fs::write(folder.path().join("s.toml"), STUDY.replace("warmup = \"none\"\n", "")).unwrap();
    optimize(folder.path(), 0, "warm", &[]);
    let said = optimize(folder.path(), 2, "warm", &["--param", "slow=30:61:1"]);
    has(&said, &["trials started", "bars before the first date", "--force"]);
    // Names may change.
    optimize(folder.path(), 0, "warm", &["--set", "top=3"]);
}

#[test]
fn damage_is_named_and_costs_no_more_than_its_file() {
    let folder = studied();
    let part = folder.path().join("ref/trials/part-000000.parquet");
    let expected = files(&folder.path().join("ref"));
    let mut bytes = fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&part, &bytes).unwrap();
    for arguments in [&["show", "ref"][..], &["verify", "ref"], &["optimize", "s.toml", "--out", "ref"]] {
        has(&run(folder.path(), 2, arguments), &["part-000000.parquet", "changed or damaged", "remove this file"]);
    }
    has(&run(folder.path(), 0, &["studies"]), &["corrupt", "part-000000.parquet"]);
    fs::remove_file(&part).unwrap();
    has(&run(folder.path(), 0, &["studies"]), &["0/600", "interrupted"]);
    optimize(folder.path(), 0, "ref", &[]);
    assert!(files(&folder.path().join("ref")) == expected);
    // A part of another study.
    optimize(folder.path(), 0, "other", &["--set", "capital=5"]);
    fs::copy(folder.path().join("other/trials/part-000000.parquet"), &part).unwrap();
    has(&optimize(folder.path(), 2, "ref", &[]), &["part-000000.parquet", "belongs to the plan"]);
    fs::write(folder.path().join("other/plan.json"), "{\"id\":").unwrap();
    has(
        &optimize(folder.path(), 2, "other", &["--set", "capital=5"]),
        &["other/plan.json", "no valid JSON", "--force"],
    );
    has(&run(folder.path(), 0, &["studies"]), &["other/plan.json", "corrupt"]);
    optimize(folder.path(), 0, "other", &["--set", "capital=5", "--force"]);
}

#[test]
fn formats_are_read_or_refused_by_name() {
    let folder = studied();
    let (path, record) = (folder.path().join("ref"), folder.path().join("ref/record.json"));
    let held: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    let mut later = held.clone();
    later["study_format"] = json!(3);
    fs::write(&record, later.to_string()).unwrap();
    for arguments in [&["show", "ref"][..], &["optimize", "s.toml", "--out", "ref"]] {
        has(&run(folder.path(), 2, arguments), &["a study of format 3", "reads formats 1 to 2"]);
    }
    has(&run(folder.path(), 0, &["studies"]), &["format 3", "corrupt"]);
    // Another engine's trials are shown, but not gone on with.
    fs::write(&record, held.to_string()).unwrap();
    let plan = fs::read_to_string(path.join("plan.json")).unwrap();
    let engine = sandtable_core::plan::ENGINE_FORMAT;
    let older = plan.replace(&format!("\"engine_format\": {engine}"), "\"engine_format\": 1");
    let older = older.replacen("\"id\": \"", "\"id\": \"0", 1);
    fs::write(path.join("plan.json"), older).unwrap();
    has(&optimize(folder.path(), 2, "ref", &[]), &["engine format 1 wrote it"]);
    fs::write(path.join("plan.json"), plan).unwrap();
    // Format 1 had one file and said that it was whole by not being interrupted.
    fs::rename(path.join("trials/part-000000.parquet"), path.join("results.parquet")).unwrap();
    let mut first = held;
    first.as_object_mut().unwrap().retain(|key, _| key != "study_format" && key != "complete");
    first["interrupted"] = json!(false);
    fs::write(&record, first.to_string()).unwrap();
    has(&run(folder.path(), 0, &["show", "ref"]), &["600 trials of run"]);
    has(&run(folder.path(), 0, &["studies"]), &["600/600", "complete"]);
    has(&optimize(folder.path(), 2, "ref", &[]), &["format 1 (results.parquet)", "writes 2", "--force"]);
    optimize(folder.path(), 0, "ref", &["--force"]);
    assert!(!path.join("results.parquet").exists());
}

#[test]
fn one_process_at_a_time_and_the_lock_ends_with_it() {
    let folder = studied();
    killed(folder.path(), "k", 100);
    let lock = sandtable::study::lock::take(&folder.path().join("k")).unwrap();
    has(&optimize(folder.path(), 2, "k", &[]), &["another process is working on the study in `k`", "--out"]);
    has(&run(folder.path(), 0, &["studies"]), &["running", "100/600"]);
    drop(lock);
    has(&run(folder.path(), 0, &["studies"]), &["interrupted", "100/600"]);
    optimize(folder.path(), 0, "k", &[]);
    same(folder.path(), "ref", "k");
    let listed: Value = serde_json::from_str(&run(folder.path(), 0, &["studies", "--json"])).unwrap();
    let study = &listed[0];
    assert_eq!(
        (&study["state"], &study["trials"], &study["planned_trials"]),
        (&json!("complete"), &json!(600), &json!(600))
    );
    let best: Value = serde_json::from_slice(&fs::read(folder.path().join("k/best.json")).unwrap()).unwrap();
    assert_eq!(study["best"], best["metrics"]["sharpe"]);
    assert!(study["bytes"].as_u64().unwrap() > 10_000 && study["changed_unix"].as_u64().unwrap() > 1_700_000_000);
}

#[test]
fn a_bundle_that_is_gone_costs_nothing() {
    let folder = studied();
    run(folder.path(), 0, &["generate", "mag8", "--into", "small.bundle"]);
    fs::write(folder.path().join("s.toml"), STUDY.replace("\"mag8\"", "\"small.bundle\"")).unwrap();
    optimize(folder.path(), 0, "own", &[]);
    let before = files(&folder.path().join("own"));
    fs::rename(folder.path().join("small.bundle"), folder.path().join("moved.bundle")).unwrap();
    has(&optimize(folder.path(), 2, "own", &[]), &["small.bundle"]);
    assert!(files(&folder.path().join("own")) == before);
    // A folder that is no study is not touched.
    fs::create_dir(folder.path().join("foreign")).unwrap();
    fs::write(folder.path().join("foreign/notes.txt"), "mine").unwrap();
    has(&optimize(folder.path(), 2, "foreign", &["--bundle", "moved.bundle"]), &["no study folder", "--force"]);
    assert_eq!(fs::read_dir(folder.path().join("foreign")).unwrap().count(), 1);
}
