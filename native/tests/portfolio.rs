//! Portfolios as users meet them: trials of study folders in one account.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn run(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sandtable")).args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&run(folder, 0, &[arguments, &["--json"]].concat())).unwrap()
}

fn study(strategy: &str, symbols: &str, more: &str, space: &str) -> String {
    format!(
        "bundle = \"mag8\"\nstrategy = \"{strategy}\"\nstart = 2014-01-01\nend = 2016-12-31\nsymbols = [{symbols}]\n{more}\
         [costs]\nbps = 5\n[space]\n{space}"
    )
}

/// Study folders `sma` (targets) and `rsi` (signals) over symbols of which one is shared.
fn studied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sma = "fast = { type = \"int\", min = 5, max = 20, step = 5 }\nslow = { type = \"int\", min = 30, max = 60, step = 10 }\n";
    let rsi = "period = { type = \"int\", min = 3, max = 5, step = 1 }\noversold = 30\nrecovered = 60\nlongest = 10\n";
    let studies = [
        ("sma", study("sma_cross", "\"ALFA\", \"BRVO\"", "", sma)),
        ("rsi", study("rsi_mean_reversion", "\"BRVO\", \"CHRL\"", "capital = 50000\n", rsi)),
        ("other", study("sma_cross", "\"ALFA\"", "", "fast = 5\nslow = 50\n").replace("bps = 5", "bps = 9")),
    ];
    for (name, text) in studies {
        fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
        run(folder.path(), 0, &["optimize", &format!("{name}.toml"), "--quiet", "--out", name]);
    }
    folder
}

fn metric(value: &Value, name: &str) -> f64 {
    value["metrics"][name].as_f64().unwrap()
}

#[test]
fn one_member_alone_is_its_trial() {
    let folder = studied();
    let alone = json(folder.path(), &["show", "sma", "--trial", "3"]);
    for rebalance in ["never", "monthly"] {
        let found = json(folder.path(), &["portfolio", "sma:3", "--rebalance", rebalance]);
        // Whole or parts of units are those of the member, up to the rounding of one product.
        for name in ["final_equity", "sharpe", "fees", "turnover"] {
            let (one, two) = (metric(&alone, name), metric(&found, name));
            assert!((one / two - 1.0).abs() < 1e-6, "{rebalance} {name}: {one} and {two}");
        }
        assert_eq!(metric(&alone, "fills"), metric(&found, "fills"), "{rebalance}");
    }
    // Twice half of the same trial is the trial, with its costs once.
    let twice = json(folder.path(), &["portfolio", "sma:3", "sma:3", "--rebalance", "never"]);
    assert!((metric(&twice, "final_equity") / metric(&alone, "final_equity") - 1.0).abs() < 1e-6);
    assert_eq!(metric(&twice, "fills"), metric(&alone, "fills"), "orders are added up before they are placed");
}

#[test]
fn every_scheme_weighs_from_the_past_alone() {
    let folder = studied();
    for scheme in ["fixed", "inverse-volatility", "risk-parity", "kelly", "mean-variance"] {
        let found = json(folder.path(), &["portfolio", "sma", "sma:0", "rsi", "--weights", scheme]);
        assert_eq!(found["symbols"], serde_json::json!(["ALFA", "BRVO", "CHRL"]));
        let weights = found["weights"].as_array().unwrap();
        for one in weights {
            let parts: Vec<f64> = one["parts"].as_array().unwrap().iter().map(|part| part.as_f64().unwrap()).collect();
            assert!(parts.len() == 3 && parts.iter().all(|&p| p >= 0.0) && parts.iter().sum::<f64>() <= 1.0 + 1e-9);
            match scheme {
                "fixed" => assert!(one["seen"].is_null() && (parts[0] - 1.0 / 3.0).abs() < 1e-12),
                _ => assert!(one["seen"][1].as_str().unwrap() < one["from"].as_str().unwrap(), "{one}"),
            }
        }
        // The first of each month in which the account trades: three years, or after the first quarter of them.
        let months = if scheme == "fixed" { 36..=36 } else { 27..=28 };
        assert!(months.contains(&weights.len()), "{scheme}: {}", weights.len());
        assert!(found["judgement"]["probability_above_zero"].as_f64().unwrap() <= 1.0);
    }
    let said = run(folder.path(), 0, &["portfolio", "sma", "rsi", "--weights", "risk-parity", "--out", "p"]);
    for part in [
        "one account",
        "before the account traded",
        "mean correlation",
        "Sharpe ratio",
        "needed for 95%",
        "weights.csv",
    ] {
        assert!(said.contains(part) || part == "needed for 95%", "{part}: {said}");
    }
    for file in ["portfolio.json", "equity.svg", "equity.csv", "weights.csv", "trades.csv"] {
        assert!(fs::metadata(folder.path().join("p").join(file)).unwrap().len() > 100, "{file}");
    }
}

#[test]
fn later_sessions_change_no_earlier_day() {
    let folder = studied();
    let shorter = fs::read_to_string(folder.path().join("sma.toml")).unwrap().replace("2016-12-31", "2015-12-31");
    fs::write(folder.path().join("short.toml"), shorter).unwrap();
    run(folder.path(), 0, &["optimize", "short.toml", "--quiet", "--out", "short"]);
    let equity = |study: &str| -> Vec<String> {
        let members = [format!("{study}:3"), format!("{study}:8")];
        let learn = ["--weights", "mean-variance", "--learn", "100", "--rebalance", "weekly", "--out", "look"];
        run(folder.path(), 0, &[&["portfolio", &members[0], &members[1]][..], &learn].concat());
        let text = fs::read_to_string(folder.path().join("look/equity.csv")).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    };
    let (short, long) = (equity("short"), equity("sma"));
    assert!(short.len() > 300 && long.len() > short.len() + 200);
    assert_eq!(short[..], long[..short.len()], "bit for bit");
}

#[test]
fn parts_and_fractions_leave_cash() {
    let folder = studied();
    let half = json(folder.path(), &["portfolio", "sma:3", "--parts", "0.5", "--rebalance", "never"]);
    let fraction = json(folder.path(), &["portfolio", "sma:3", "--fraction", "0.5", "--rebalance", "never"]);
    let whole = json(folder.path(), &["portfolio", "sma:3", "--rebalance", "never"]);
    assert_eq!(half["metrics"], fraction["metrics"]);
    let gain = |value: &Value| metric(value, "final_equity") - value["capital"].as_f64().unwrap();
    // Not to the last digit: where cash cut an order of the member, half of it was bought whole and cut a bar later.
    let part = gain(&half) / gain(&whole);
    assert!((part - 0.5).abs() < 0.005, "without rebalancing, half the part is half the gain: {part}");
}

#[test]
fn members_that_do_not_fit_are_refused() {
    let folder = studied();
    for (arguments, words) in [
        (&["sma", "other"][..], &["costs.bps", "5.0", "9.0", "one account"][..]),
        (&["nothing"], &["is no study folder"]),
        (&["sma:777"], &["no trial 777"]),
        (&["sma", "--weights", "kely"], &["did you mean `kelly`"]),
        (&["sma", "--rebalance", "hourly"], &["never, weekly"]),
        (&["sma", "--parts", "0.5,0.5"], &["2 parts for 1 members"]),
        (&["sma", "--parts", "1.5"], &["1 parts for 1 members"]),
        (&["sma", "--parts", "1", "--weights", "kelly"], &["leave out --parts"]),
        (&["sma", "--fraction", "0"], &["above 0"]),
        (&["sma", "--learn", "5"], &["at least 20"]),
        (&["sma", "--weights", "kelly", "--learn", "5000"], &["too few"]),
        (&["sma", "--capital=-3"], &["no capital"]),
        (&["sma", "--out", "rsi"], &["is a study folder"]),
    ] {
        let said = run(folder.path(), 2, &[&["portfolio"], arguments].concat());
        for word in words {
            assert!(said.contains(word), "{arguments:?} `{word}`: {said}");
        }
    }
    run(folder.path(), 2, &["portfolio"]);
    assert!(!folder.path().join("portfolio").exists(), "nothing is half written");
}
