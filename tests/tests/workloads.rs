//! The program that measures workloads, as a process: its figures are whole, and mistakes are sentences.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::process::{Command, Output};

use serde_json::Value;

fn workloads(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_workloads")).args(arguments).output().unwrap()
}

fn last_line(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

#[test]
fn figures_carry_what_a_claim_needs() {
    for (name, trials) in [("W2", 25), ("W3", 30), ("W4", 100), ("W9", 1781)] {
        let figures = last_line(&workloads(&[name, "--check", "--json"]));
        assert_eq!((figures["workload"].as_str(), figures["trials"].as_u64()), (Some(name), Some(trials)));
        let bars_read = figures["bars_read"].as_u64().unwrap();
        assert!(bars_read > 0 && figures["fills"].as_u64().unwrap() > 0, "{figures}");
        assert_eq!(figures["checked"]["trials"], figures["checked"]["equal"]);
        assert!(figures["checked"]["trials"].as_u64().unwrap() >= 14);
        assert!(figures["machine"]["cores"].as_u64().unwrap() > 0 && figures["simd_width"].as_u64().unwrap() >= 64);
        let [wall, open, inside] = ["wall_s", "open_s", "inside_s"].map(|key| figures[key].as_f64().unwrap());
        assert!(inside > 0.0 && open + inside <= wall);
        let rate = figures["bar_trials_per_s_per_core"].as_f64().unwrap();
        let threads = figures["threads"].as_f64().unwrap();
        assert!((rate * wall * threads / bars_read as f64 - 1.0).abs() < 1e-9);
    }
}

#[test]
fn a_single_backtest_keeps_equity_and_round_trips() {
    let figures = last_line(&workloads(&["W7", "--size", "20000", "--check", "--json"]));
    assert_eq!(figures["equity_points"], 20_000);
    assert!(figures["round_trips"].as_u64().unwrap() > 10);
    assert_eq!(figures["checked"]["equal"], 1);
}

#[test]
fn results_do_not_depend_on_threads_or_on_how_they_are_repeated() {
    let hash = |figures: &Value| figures["results_hash"].as_str().unwrap().to_owned();
    let one = last_line(&workloads(&["W2", "--threads", "1"]));
    let repeated = last_line(&workloads(&["W2", "--threads", "3", "--repeat", "3", "--json"]));
    let runs = repeated["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    assert!(runs.iter().all(|run| hash(run) == hash(&one) && run["process_s"].as_f64() > run["inside_s"].as_f64()));
    let mut walls: Vec<f64> = runs.iter().map(|run| run["wall_s"].as_f64().unwrap()).collect();
    walls.sort_by(f64::total_cmp);
    assert_eq!(repeated["medians"]["wall_s"].as_f64(), Some(walls[1]));
}

#[test]
fn a_part_of_a_workload_says_so() {
    let part = last_line(&workloads(&["W6", "--trials", "300", "--check", "--json"]));
    assert_eq!(part["trials"], 1024, "whole batches, as many as are evaluated together");
    assert_eq!(part["checked"]["trials"], part["checked"]["equal"]);
    let one = last_line(&workloads(&["W9", "--trials", "25", "--json"]));
    assert_eq!((&one["trials"], one["counts"].as_array().map(Vec::len)), (&Value::from(25), Some(1)));
}

#[test]
fn a_workload_is_estimated_and_its_columns_are_those_that_are_computed() {
    let estimate = last_line(&workloads(&["W2", "--estimate"]));
    assert_eq!((&estimate["trials"], &estimate["columns"]), (&Value::from(25), &Value::from(10)));
    let [seconds, megabytes] = ["estimated_s", "estimated_mb"].map(|key| estimate[key].as_f64().unwrap());
    assert!(seconds > 0.0 && megabytes > 1.0, "{estimate}");
}

#[test]
fn mistakes_end_with_2_and_the_way_out() {
    let cases: [(&[&str], &str); 8] = [
        (&[], "name one"),
        (&["W11"], "name one of W1,"),
        (&["all"], "--into"),
        (&["W1", "--size", "5000"], "--size with W5"),
        (&["W9", "--trials", "7"], "1, 5, 25"),
        (&["W2", "--rival", "vectorbt"], "choose W1 or W5"),
        (&["W2", "--reference", "--repeat", "2"], "without --repeat"),
        (&["W3", "--estimate"], "name one of W1,"),
    ];
    for (arguments, way_out) in cases {
        let output = workloads(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(way_out), "{arguments:?}: {said}");
    }
}
