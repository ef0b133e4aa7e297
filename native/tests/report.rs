//! Reports of study folders as users meet them: one page, files, and errors.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const STUDY: &str = "name = \"Two averages <b>&\"\nbundle = \"mag8\"\nstrategy = \"sma_cross\"\nstart = 2014-01-01\n\
                     end = 2016-06-30\nsymbols = [\"ALFA\", \"BRVO\"]\n[space]\n\
                     fast = { type = \"int\", min = 2, max = 10, step = 2 }\n\
                     slow = { type = \"int\", min = 20, max = 60, step = 10 }\n";

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

fn studied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), STUDY).unwrap();
    run(folder.path(), 0, &["optimize", "s.toml", "--quiet", "--out", "st"]);
    folder
}

/// Elements without an end.
const VOID: [&str; 4] = ["meta", "input", "br", "!doctype"];

/// Checks that every tag of a page is closed by its own, in order, and gives the names of all.
fn tags(page: &str) -> Vec<String> {
    let (mut open, mut seen): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let end = at + rest[at..].find('>').unwrap();
        let inside = &rest[at + 1..end];
        let name = inside.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap().to_lowercase();
        if inside.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "{}", &rest[at..end + 1]);
        } else if !inside.ends_with('/') && !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        seen.push(name);
        rest = &rest[end + 1..];
        // What a style holds is no markup.
        if open.last().is_some_and(|name| name == "style") {
            rest = &rest[rest.find("</style>").unwrap()..];
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    seen
}

#[test]
fn a_report_is_one_whole_page() {
    let folder = studied();
    let said = run(folder.path(), 0, &["report", "st"]);
    assert!(said.contains("st/report.html") && said.contains("left out"), "{said}");
    let page = fs::read_to_string(folder.path().join("st/report.html")).unwrap();
    let tags = tags(&page);
    assert!(!tags.iter().any(|tag| ["script", "link", "img", "iframe", "b"].contains(&tag.as_str())), "{tags:?}");
    for outside in ["http:", "https:", "url(", "@import", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("Two averages &lt;b&gt;&amp;"), "text is text");
    for part in [
        "Account",
        "logarithmic scale",
        "below its highest value",
        "Returns by month",
        "All metrics",
        "By side",
        "best 10 by sharpe",
        "by fast and slow",
        "Around the best",
        "Best Sharpe",
        "sandtable walk-forward",
        "sandtable judge st",
        "bundle's content",
        "sandtable report st",
        "prefers-color-scheme: dark",
        "@media print",
        "max-width: 30rem",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // One plot for each of: equity twice, drawdown, rolling, returns, a pair, two parameters.
    assert_eq!(tags.iter().filter(|tag| *tag == "svg").count(), 2 * 8, "opened and closed");
    assert!(page.len() < 1_000_000, "{}", page.len());
    run(folder.path(), 0, &["report", "st", "--out", "again.html"]);
    assert_eq!(fs::read_to_string(folder.path().join("again.html")).unwrap(), page, "the same study, the same page");
}

#[test]
fn parts_that_are_there_are_told() {
    let folder = studied();
    let best: Value = serde_json::from_slice(&fs::read(folder.path().join("st/best.json")).unwrap()).unwrap();
    let judgement = json!({
        "best": best["index"], "trials": 25, "sessions": 628, "sharpe": 1.25, "probability_above_zero": 0.97,
        "minimum_sessions": null, "deflation": { "deflated": 0.62, "threshold": 0.9, "independence": { "trials": 7.5 } },
        "overfitting": { "pbo": 0.41 },
        "verdict": { "grade": "likely-overfit", "sentence": "best Sharpe 1.25 of 25 trials <x>", "advice": "Do not trade it." }
    });
    let courses: Vec<[f64; 5]> = (0..11).map(|i| [0.9, 0.95, 1.0, 1.1, 1.2].map(|x: f64| x.powi(i))).collect();
    let judge = json!({ "trial": 3, "monte_carlo": { "runs": 100, "trades": (0..11).collect::<Vec<_>>(), "fan": courses,
        "drawdown": { "observed": 0.2, "mean": 0.25, "quantiles": [0.1, 0.2, 0.3, 0.4, 0.5], "at_most_observed": 0.3 } },
        "costs": [{ "times": 1, "sharpe": 1.2 }, { "times": 3, "sharpe": 0.4 }] });
    let folds =
        json!({ "conclusion": "It kept half.", "folds": [{ "fold": 0, "params": { "fast": 4 }, "efficiency": 0.5 }] });
    // As `optimize` writes it: beside what else was looked at.
    let judgement = json!({ "run_id": "x", "judgement": judgement, "surface": null });
    for (name, part) in [("judgement.json", judgement), ("judge.json", judge), ("folds.json", folds)] {
        fs::write(folder.path().join("st").join(name), part.to_string()).unwrap();
    }
    let said = run(folder.path(), 0, &["report", "st"]);
    assert!(!said.contains("left out"), "{said}");
    let page = fs::read_to_string(folder.path().join("st/report.html")).unwrap();
    tags(&page);
    for part in [
        "class=\"judgement no\">Best Sharpe 1.25 of 25 trials &lt;x&gt;. Do not trade it.",
        "62.0%",
        "41.0%",
        "Wealth after so many trades",
        "<td class=\"word\">drawdown</td><td>0.2</td>",
        "It kept half.",
        "<th>efficiency</th>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // Folds of another folder come in their place.
    fs::create_dir(folder.path().join("walk")).unwrap();
    fs::write(folder.path().join("walk/folds.json"), "{\"conclusion\": \"It kept all.\"}").unwrap();
    run(folder.path(), 0, &["report", "st", "--folds", "walk", "--out", "walked.html"]);
    let page = fs::read_to_string(folder.path().join("walked.html")).unwrap();
    assert!(page.contains("It kept all.") && !page.contains("It kept half."));
    run(folder.path(), 2, &["report", "st", "--folds", "nowhere"]);
    // About another trial the verdict says so.
    run(folder.path(), 0, &["report", "st", "--trial", "0"]);
    let page = fs::read_to_string(folder.path().join("st/report.html")).unwrap();
    assert!(page.contains("this report is about trial 0") && page.contains("--trial 0"));
}

#[test]
fn the_data_behind_it_are_files() {
    let folder = studied();
    for format in ["csv", "json", "parquet"] {
        let said = run(folder.path(), 0, &["report", "st", "--format", format, "--out", "data"]);
        for name in ["trials", "metrics", "sessions", "months", "equity", "trades", "fills"] {
            let file = folder.path().join(format!("data/{name}.{format}"));
            assert!(said.contains(name) && fs::metadata(&file).unwrap().len() > 50, "{name}.{format}");
        }
    }
    let trials = fs::read_to_string(folder.path().join("data/trials.csv")).unwrap();
    assert_eq!(trials.lines().count(), 26);
    assert!(trials.starts_with("index,"), "{}", trials.lines().next().unwrap());
    let sessions: Value = serde_json::from_slice(&fs::read(folder.path().join("data/sessions.json")).unwrap()).unwrap();
    let metrics: Value = serde_json::from_slice(&fs::read(folder.path().join("data/metrics.json")).unwrap()).unwrap();
    let of =
        |name: &str| metrics.as_array().unwrap().iter().find(|m| m["name"] == name).unwrap()["value"].as_f64().unwrap();
    let all = sessions.as_array().unwrap();
    assert_eq!(all.last().unwrap()["equity"].as_f64().unwrap(), of("final_equity"));
    let deepest = all.iter().map(|row| row["drawdown"].as_f64().unwrap()).fold(0.0, f64::min);
    assert_eq!(deepest, of("max_drawdown"));
    assert!(all[0]["rolling_sharpe"].is_null());
    assert!(!folder.path().join("st/report").exists());
}

#[test]
fn what_cannot_be_reported_is_refused() {
    let folder = studied();
    let said = run(folder.path(), 2, &["report", "nothing"]);
    assert!(said.contains("is no study folder"), "{said}");
    let said = run(folder.path(), 2, &["report", "st", "--trial", "99"]);
    assert!(said.contains("no trial 99") && said.contains("sandtable show"), "{said}");
    let said = run(folder.path(), 2, &["report", "st", "--format", "pdf"]);
    assert!(said.contains("html, csv, parquet, json"), "{said}");
    fs::write(folder.path().join("st/folds.json"), "{ broken").unwrap();
    let said = run(folder.path(), 2, &["report", "st"]);
    assert!(said.contains("folds.json") && said.contains("no valid JSON"), "{said}");
    assert!(!folder.path().join("st/report.html").exists(), "nothing is half written");
}

#[test]
fn a_study_that_starts_anew_has_no_old_report() {
    let folder = studied();
    run(folder.path(), 0, &["report", "st"]);
    run(folder.path(), 0, &["optimize", "s.toml", "--quiet", "--out", "st", "--force"]);
    assert!(!folder.path().join("st/report.html").exists());
}
