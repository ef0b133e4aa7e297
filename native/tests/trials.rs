//! Trials looked at again, as a user does it: in decimal arithmetic, and bar by bar in words.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn sandtable(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sandtable")).args(arguments).current_dir(folder).output().unwrap()
}

/// Runs and expects this exit code.
fn run(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let output = sandtable(folder, arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{err}");
    if code == 2 { err.into_owned() } else { out.into_owned() }
}

fn json(folder: &Path, code: i32, arguments: &[&str]) -> Value {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    serde_json::from_str(&run(folder, code, &arguments)).unwrap()
}

fn has(text: &str, words: &[&str]) {
    // Lines are wrapped where they are long.
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(flat.contains(word), "`{word}` is not in:\n{text}");
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// A bundle of one symbol, a bar each weekday from Monday 2024-04-01 on but for the 5th: open, high, low, close, volume.
fn hand_made(folder: &Path, name: &str, bars: &[[f64; 5]]) {
    let mut text = String::from("date,open,high,low,close,volume\n");
    let days = (1..=30).filter(|day| day % 7 != 6 && day % 7 != 0 && *day != 5);
    for (day, [open, high, low, close, volume]) in days.zip(bars) {
        writeln!(text, "2024-04-{day:02},{open},{high},{low},{close},{volume}").unwrap();
    }
    write(folder, "HAND.csv", &text);
    run(folder, 0, &["ingest", "HAND.csv", "--into", name]);
}

#[test]
fn brackets_costs_and_margin_agree_in_decimal_arithmetic() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "s.toml",
        r#"
bundle = "mag8"
start = 2012-01-01
end = 2016-12-31
margin = "reg_t"
volume_limit = 0.1
where = "fast < slow"
strategy_text = '''
name = "bracket"
[params]
fast = { type = "int", min = 5, max = 20, step = 5, default = 10 }
slow = { type = "choice", values = [20, 50], default = 50 }
part = { type = "float", min = 0.2, max = 0.3, default = 0.3 }
[rules]
enter_long = "sma(close, fast) > sma(close, slow) and close > close[1]"
enter_short = "close < close[1] and rsi(close, 3) < 20"
size = "part"
entry_limit = "close - 0.3 * atr(14)"
entry_bars = 3
stop_loss = "2 * atr(14)"
stop_loss_in = "amount"
take_profit = 0.06
trailing_stop = 0.08
time_stop = 20
'''
[space]
part = 0.3
[costs]
bps = 3
per_share = 0.005
per_share_minimum = 1
slippage_bps = 5
interest_bps = 100
borrow_bps = 50
sqrt_impact = 0.5
tiers = [{ from = 0, per_share = 0.001 }, { from = 100000, per_share = 0.0005 }]
"#,
    );
    // What is said on the command line is not in the study file that the folder keeps.
    run(folder.path(), 0, &["optimize", "s.toml", "--set", "capital=250000", "--quiet"]);
    let verified = json(folder.path(), 0, &["verify", "s", "--top", "3"]);
    assert_eq!(verified["agrees"], true);
    assert_eq!(verified["capital"], 250_000.0);
    let trials = verified["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 3);
    for trial in trials {
        assert!(trial["fills"]["float"].as_u64().unwrap() > 500, "{trial}");
        assert_eq!(trial["fills"]["float"], trial["fills"]["decimal"]);
        let largest = trial["largest_of_capital"].as_f64().unwrap();
        assert!(largest > 1e-18 && largest < 1e-11, "rounding shows, and is small: {largest}");
        assert!(trial["objective"]["difference"].as_f64().unwrap() < 1e-12);
    }
    let text = run(folder.path(), 0, &["verify", "s", "--trial", "0", "--trial", "1"]);
    has(&text, &["trial 0: the same fills", "trial 1: the same fills", "verified: every fill agrees"]);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    has(&run(folder.path(), 2, &["verify", "s", "--trial", "999"]), &["no trial 999", "show"]);
    has(&run(folder.path(), 2, &["verify", "nowhere"]), &["no study folder", "optimize"]);
}

#[test]
fn a_tie_that_rounding_decides_is_shown_with_its_bar() {
    let folder = tempfile::tempdir().unwrap();
    for (price, words) in [
        // 0.29 × 100 is a little less than 29 in floats: a lot less of many, or no lot at all.
        (
            1.0,
            ["on 2024-04-11 rounding decides a tie: in floats HAND buys 28 at 1.00; in decimals HAND buys 29 at 1.00"],
        ),
        (
            29.0,
            ["on 2024-04-10 rounding decides a tie: in floats HAND: no order: the position is at its target already"],
        ),
    ] {
        let bar = [price, price + 0.1, price - 0.1, price, 1000.0];
        hand_made(folder.path(), &format!("at{price}.bundle"), &[bar; 20]);
        let study = format!(
            "bundle = \"at{price}.bundle\"\ncapital = 100\nfractional = false\nlot_snap = false\nstrategy_text = '''\n\
             [params]\nweight = {{ type = \"float\", min = 0.28, max = 0.29, step = 0.01, default = 0.29 }}\n\
             [rules]\ntarget = \"if(day >= 10, weight, 0)\"\n'''\n"
        );
        write(folder.path(), "tie.toml", &study);
        run(folder.path(), 0, &["optimize", "tie.toml", "--quiet", "--force"]);
        let text = run(folder.path(), 1, &["verify", "tie"]);
        has(&text, &words);
        has(&text, &["trial 0: the same fills; rounding moves no amount at all", "NOT verified: 1 of 2"]);
        run(folder.path(), 0, &["verify", "tie", "--trial", "0"]);
    }
    // Another bundle under the same name is not the one of the study.
    let bar = [5.0, 5.0, 5.0, 5.0, 1000.0];
    std::fs::remove_dir_all(folder.path().join("at29.bundle")).unwrap();
    hand_made(folder.path(), "at29.bundle", &[bar; 20]);
    has(&run(folder.path(), 2, &["verify", "tie"]), &["not the one that `tie` was made from", "--bundle"]);
    std::fs::remove_dir_all(folder.path().join("at29.bundle")).unwrap();
    has(&run(folder.path(), 2, &["verify", "tie"]), &["no bundle", "--bundle"]);
}

#[test]
fn a_plan_is_read_back_from_its_folder_whatever_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let base = ["--set", "start=2018-01-01", "--set", "end=2018-12-31", "--quiet", "--force"];
    let variants: [&[&str]; 4] = [
        &["--set", "preset=zipline", "--symbols", "ALFA,DLTA", "--set", "warmup=none"],
        &["--set", "preset=vectorbt", "--set", "benchmark=ECHO", "--set", "objective=max_drawdown"],
        &["--set", "preset=backtesting.py", "--set", "seed=7", "--set", "top=3", "--set", "name=\"a, 'b'\""],
        &["--set", "where=fast < slow", "--param", "fast=5:20:5", "--param", "slow=22,52", "--set", "lot=3"],
    ];
    write(folder.path(), "s.toml", "bundle = \"mag8\"\nstrategy = \"sma_cross\"\n[space]\nslow = [52, 102]\n");
    for variant in variants {
        let mut arguments = vec!["optimize", "s.toml"];
        arguments.extend(base);
        arguments.extend(variant);
        run(folder.path(), 0, &arguments);
        let verified = json(folder.path(), 0, &["verify", "s", "--top", "1"]);
        let record: Value =
            serde_json::from_slice(&std::fs::read(folder.path().join("s/record.json")).unwrap()).unwrap();
        assert_eq!(verified["run_id"], record["run_id"], "{variant:?}");
    }
}

const LIMIT: &str = "[rules]\nenter_long = \"day == 3\"\nsize = 0.5\nentry_limit = \"close - 2\"\nentry_bars = 2\n\
                     stop_loss = 0.1\ntake_profit = 0.2\n";

#[test]
fn an_order_that_does_not_fill_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    // The limit of 98 is missed on the 4th and 8th.
    let bars = [
        [100.0, 101.0, 99.0, 100.0, 1000.0],
        [100.0, 101.0, 99.0, 100.0, 1000.0],
        [100.0, 101.0, 99.0, 100.0, 1000.0],
        [100.0, 101.0, 98.5, 99.0, 1000.0],
        [99.0, 100.0, 98.25, 99.0, 1000.0],
        [99.0, 100.0, 95.0, 96.0, 1000.0],
    ];
    hand_made(folder.path(), "hand.bundle", &bars);
    write(folder.path(), "limit.toml", LIMIT);
    let explain = |at: &str| {
        run(folder.path(), 0, &["explain", "--strategy", "limit.toml", "--bundle", "hand.bundle", "--at", at])
    };
    has(
        &explain("2024-04-03"),
        &[
            "2024-04-03 (Wednesday), bar 3 of 6",
            "enter_long true day == 3 [3 == 3]",
            "entry_limit (price) 98 close - 2",
            "=> enter_long places order 1",
            "1. HAND: enter_long places order 1: buy 510.2041 (50% of equity) at the limit 98.00, for 2 bars",
            "1 HAND strategy buy 510.2041 limit 98.00 2024-04-03, for 2 more bars",
        ],
    );
    has(&explain("2024-04-04"), &["order 1 waits: the low 98.50 did not reach its limit 98.00", "for 1 more bar"]);
    has(&explain("2024-04-08"), &["order 1 waits: the low 98.25 did not reach its limit 98.00"]);
    has(
        &explain("2024-04-09"),
        &["order 1 is cancelled: it was open for 2 bars (entry_bars)", "=> no order: flat; enter_long is false"],
    );
    has(
        &run(
            folder.path(),
            2,
            &["explain", "--strategy", "limit.toml", "--bundle", "hand.bundle", "--at", "2024-04-05"],
        ),
        &["no symbol of the run has a bar on 2024-04-05 (Friday)", "the nearest bars are 2024-04-04 and 2024-04-08"],
    );
    has(
        &run(
            folder.path(),
            2,
            &["explain", "--strategy", "limit.toml", "--bundle", "hand.bundle", "--at", "2024-05-06"],
        ),
        &["2024-05-06 (Monday)", "the run ends on 2024-04-09"],
    );
    let bars = json(
        folder.path(),
        0,
        &["explain", "--strategy", "limit.toml", "--bundle", "hand.bundle", "--at", "2024-04-03", "--bars", "99"],
    );
    assert_eq!(bars["bars"].as_array().unwrap().len(), 4);
    assert_eq!(bars["bars"][0]["open_after"][0]["limit"], 98.0);
    assert_eq!(bars["bars"][1]["events"][0]["order"], 1);
}

#[test]
fn stops_gaps_volume_and_cash_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    // Bought at the open of the 2nd; the stop-loss at 90 is touched on the 4th, or gapped over on the 8th.
    let calm = [100.0, 101.0, 99.0, 100.0, 1000.0];
    let touched = [calm, calm, calm, [99.0, 99.5, 89.0, 95.0, 1000.0]];
    let gapped = [calm, calm, calm, calm, [85.0, 86.0, 84.0, 85.0, 1000.0]];
    write(
        folder.path(),
        "stop.toml",
        "[rules]\nenter_long = \"day == 1\"\nsize = 100\nsize_in = \"shares\"\nstop_loss = 0.1\ntake_profit = 0.2\n",
    );
    let explain = |bundle: &str, more: &[&str]| {
        let mut arguments = vec!["explain", "--strategy", "stop.toml", "--bundle", bundle];
        arguments.extend(more);
        run(folder.path(), 0, &arguments)
    };
    hand_made(folder.path(), "touched.bundle", &touched);
    hand_made(folder.path(), "gapped.bundle", &gapped);
    has(
        &explain("touched.bundle", &["--at", "2024-04-02", "--set", "costs.slippage_bps=10", "--set", "costs.bps=10"]),
        &[
            "order 1 buys 100 at 100.10 (market 100.00, +0.1 for spread, slippage and impact: 10 bps); 10,010.00 paid, \
             commission 10.01, cash now 89,979.99",
            "the entry gets a stop-loss (order 3) at the stop 90.09",
            "holds 100 at 100.10 on average for 0 bars",
        ],
    );
    has(
        &explain("touched.bundle", &["--at", "2024-04-04"]),
        &[
            "take-profit (order 2) waits: the high 99.50 did not reach its limit 120.00",
            "stop-loss (order 3) sells 100 at 90.00 (its stop); 9,000.00 received",
            "take-profit (order 2) is cancelled: the order beside it filled",
            "no order is open after this bar",
        ],
    );
    has(
        &explain("gapped.bundle", &["--at", "2024-04-08"]),
        &["stop-loss (order 3) sells 100 at 85.00 (the open, past its stop 90.00)"],
    );
    has(
        &explain("gapped.bundle", &["--at", "2024-04-02", "--set", "volume_limit=0.04"]),
        &[
            "order 1 is cut from 100 to 40: what it may trade, 4% of the bar's volume 1,000 = 40, allows no more",
            "; 60 of it still open",
        ],
    );
    has(
        &explain("gapped.bundle", &["--at", "2024-04-02", "--capital", "8000"]),
        &["order 1 is cut from 100 to 80: cash pays for no more (cash now: 8,000.00)"],
    );
    let fee = ["--at", "2024-04-02", "--capital", "8000", "--set", "costs.per_trade=9000"];
    has(&explain("gapped.bundle", &fee), &["order 1 is refused: cash does not pay for any of it (cash now: 8,000.00)"]);
    let reject = ["--at", "2024-04-02", "--capital", "8000", "--set", "unaffordable=reject"];
    has(&explain("gapped.bundle", &reject), &["order 1 is refused: cash does not pay for any of it"]);
}

#[test]
fn warming_up_and_conditions_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 0, &["demo", "--out", "d", "--quiet", "--json"]);
    let text = run(folder.path(), 0, &["explain", "d", "7", "--at", "2004-08-25", "--symbol", "ECHO"]);
    has(
        &text,
        &[
            "sma_cross, trial 7: fast = 5, slow = 92",
            "warming up: ECHO has 4 bars before this one, the first on 2004-08-19",
            "target undefined if(sma(close, 5) > sma(close, 92), 1 / n_symbols, 0)",
            "(needs 91 bars before this one)",
            "=> no order: the target is undefined, which means no change",
        ],
    );
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    has(
        &run(folder.path(), 0, &["explain", "d", "--at", "2004-08-02", "--symbol", "ECHO"]),
        &["ECHO no bar here: its first is 2004-08-19"],
    );
    write(
        folder.path(),
        "exit.toml",
        "[columns]\nup = \"close > sma(close, 50)\"\n[rules]\nenter_long = \"up\"\nexit_long = \"bars_held >= 400 or not up\"\n",
    );
    let at = ["--at", "2018-01-03", "--symbol", "ALFA"];
    let mut arguments = vec!["explain", "--strategy", "exit.toml", "--bundle", "mag8"];
    arguments.extend(at);
    let text = run(folder.path(), 0, &arguments);
    has(
        &text,
        &[
            "exit_long",
            "false: up [119.8 > 122.258]",
            "undefined: bars_held >= 400 (asks for the position, and there is none)",
        ],
    );
    for (arguments, words) in [
        (vec!["explain", "d", "400", "--at", "2004-08-25"], ["no trial 400", "399"]),
        (vec!["explain", "d", "--at", "soon"], ["`--at soon` is no date", "2020-03-16"]),
        (vec!["explain", "d", "--at", "2004-08-25T10:00"], ["not intraday", "--at 2004-08-25"]),
        (vec!["explain", "d", "--at", "2004-08-25", "--symbol", "ECHOO"], ["does not trade `ECHOO`", "`ECHO`"]),
        (vec!["explain", "d", "--at", "2004-08-25", "--param", "fast=5"], ["--param", "--strategy"]),
        (vec!["explain", "--at", "2004-08-25"], ["nothing to explain", "--study"]),
    ] {
        has(&run(folder.path(), 2, &arguments), &words);
    }
}
