//! Runs of backtesting.py: moving-average crossings and bands, trade by trade.
//!
//! Given a case folder (`case.json`, `trades.csv`, `equity.parquet`, or `grid.csv`), this module writes the case's
//! strategy in the expression language, sets the switches that stand for the program's conventions, and compares the
//! round trips, the equity at each bar and some statistics. Conventions: next open (`trade_on_close`: same close),
//! whole units sized at the fill from what the bar's earlier fills left, costs counted into the size, spread on
//! entries only, open positions closed at the last bar's open.

use std::collections::BTreeMap;
use std::path::Path;

use sandtable_core::bundle::Bundle;
use sandtable_core::metrics;
use sandtable_core::run::{Detail, Evaluator};
use serde_json::Value;

use super::simulated::{bundle, difference, evaluator, largest_difference, relative};
use super::table::{Panel, Table, locate};
use super::{CaseResult, Verdict};

const PEER: &str = "backtesting.py";

/// Money may differ by this part of the initial cash; prices and statistics by this part of themselves.
const TOLERANCE: f64 = 1e-9;

/// A strategy family: the class name in the case's source, and its rules over `fast`, `slow` or `n`, `k`.
struct Family {
    class: &'static str,
    columns: &'static str,
    rules: &'static str,
    /// Their parameters and ours.
    names: [(&'static str, &'static str); 2],
}

/// The crossing of averages that the peer computed itself, given to the strategy as two more symbols: where the
/// averages are equal in exact arithmetic, the last bit of a running sum decides, and its sums are not ours.
const GIVEN: &str = "a = \"FAST.close\"\nb = \"SLOW.close\"\n\
                     up = \"a[1] < b[1] and a > b\"\ndown = \"a[1] > b[1] and a < b\"\n";

const CROSS: &str = "a = \"sma(close, fast)\"\nb = \"sma(close, slow)\"\n\
                     up = \"a[1] < b[1] and a > b\"\ndown = \"a[1] > b[1] and a < b\"\n";

const FAMILIES: [Family; 4] = [
    Family {
        class: "SmaCross",
        columns: CROSS,
        rules: "enter_long = \"up\"\nenter_short = \"down\"\n",
        names: [("fast", "fast"), ("slow", "slow")],
    },
    Family {
        class: "SmaCrossReadme",
        columns: CROSS,
        rules: "enter_long = \"up\"\nenter_short = \"down\"\n",
        names: [("n1", "fast"), ("n2", "slow")],
    },
    Family {
        class: "SmaLong",
        columns: CROSS,
        rules: "enter_long = \"up\"\nexit_long = \"down\"\n",
        names: [("fast", "fast"), ("slow", "slow")],
    },
    Family {
        class: "Bollinger",
        columns: "mid = \"sma(close, n)\"\nsd = \"stddev(close, n)\"\n",
        rules: "enter_long = \"close < mid - k * sd\"\nexit_long = \"close > mid\"\n",
        names: [("n", "n"), ("k", "k")],
    },
];

/// Compares every case folder below `<oracles>/backtesting_py`.
pub fn run(oracles: &Path, data: &Path, filter: Option<&str>) -> Vec<CaseResult> {
    super::case_folders(&oracles.join("backtesting_py"), PEER, filter)
        .into_iter()
        .map(|(name, folder)| {
            let done = case(oracles, data, &folder);
            let (verdict, compared, largest) = done.unwrap_or_else(|verdict| (verdict, 0, f64::NAN));
            CaseResult { peer: PEER.into(), case: name, verdict, compared, largest_difference: largest }
        })
        .collect()
}

/// Keys of a study with their values.
type Switches = Vec<(&'static str, String)>;

type Compared = Result<(Verdict, u64, f64), Verdict>;

fn failed(error: impl std::fmt::Display) -> Verdict {
    Verdict::Failed(error.to_string())
}

fn unsupported(reason: impl Into<String>) -> Verdict {
    Verdict::Unsupported(reason.into())
}

fn case(oracles: &Path, data: &Path, folder: &Path) -> Compared {
    let text = std::fs::read_to_string(folder.join("case.json")).map_err(failed)?;
    let case: Value = serde_json::from_str(&text).map_err(failed)?;
    let bundle = case_bundle(oracles, data, folder, &case["data"])?;
    if folder.join("grid.csv").exists() {
        return grid(folder, &case, &bundle);
    }
    let source = case["source"].as_str().unwrap_or_default();
    let class = source.trim_start().strip_prefix("class ").and_then(|rest| rest.split('(').next()).unwrap_or_default();
    let Some(family) = FAMILIES.iter().find(|family| family.class == class) else {
        return Err(unsupported(format!("strategy class {class} needs resting orders, margin or hedging")));
    };
    let (settings, params) = (&case["settings"], &case["params"]);
    let switches = switches(settings, params)?;
    let run = evaluator(&bundle, &strategy(family, family.columns, params)?, &switches).map_err(failed)?;
    let own = compare(folder, &run, &run.detail(&only_point(&run)), settings);
    if own.is_ok() || family.columns != CROSS {
        return own;
    }
    let (with_theirs, switches) = with_their_averages(&bundle, family, params, switches)?;
    let run = evaluator(&with_theirs, &strategy(family, GIVEN, params)?, &switches).map_err(failed)?;
    let (_, compared, largest) = compare(folder, &run, &run.detail(&only_point(&run)), settings)?;
    Ok((Verdict::Documented(TIES.into()), compared, largest))
}

const TIES: &str = "averages that are equal in exact arithmetic cross or not by the last bit of a running sum; with the \
                    peer's own averages as input, everything agrees";

/// The bundle with the peer's two averages as symbols, and the switches that leave them untraded.
fn with_their_averages(
    bundle: &Bundle,
    family: &Family,
    params: &Value,
    mut switches: Switches,
) -> Result<(Bundle, Switches), Verdict> {
    let bars = &bundle.bars[0];
    let mut series = vec![(bundle.symbols[0].clone(), bars.clone())];
    for (name, (theirs, _)) in ["FAST", "SLOW"].into_iter().zip(family.names) {
        let n = params[theirs].as_f64().ok_or_else(|| failed(format!("the case has no parameter {theirs}")))? as usize;
        let mean = pandas_rolling_mean(&bars.close, n);
        let first = n.saturating_sub(1).min(bars.len());
        let column = mean[first..].to_vec();
        series.push((
            name.to_string(),
            sandtable_core::bundle::Bars {
                time: bars.time[first..].to_vec(),
                session: bars.session[first..].to_vec(),
                open: column.clone(),
                high: column.clone(),
                low: column.clone(),
                volume: vec![0.0; column.len()],
                close: column,
            },
        ));
    }
    switches.push(("symbols", bundle.symbols[0].clone()));
    Ok((super::simulated::bundle(series), switches))
}

/// pandas' rolling mean to the last bit: a compensated (Kahan) running sum, values leaving before values entering, and
/// the value itself where a whole window repeats it.
pub(super) fn pandas_rolling_mean(values: &[f64], n: usize) -> Vec<f64> {
    let (mut sum, mut add_rest, mut remove_rest) = (0.0f64, 0.0f64, 0.0f64);
    let mut same = 0usize;
    let mut mean = vec![f64::NAN; values.len()];
    for (i, &value) in values.iter().enumerate() {
        if i >= n {
            let y = -values[i - n] - remove_rest;
            let t = sum + y;
            remove_rest = t - sum - y;
            sum = t;
        }
        let y = value - add_rest;
        let t = sum + y;
        add_rest = t - sum - y;
        sum = t;
        same = if i > 0 && values[i - 1] == value { same + 1 } else { 1 };
        if i + 1 >= n {
            mean[i] = if same >= n { value } else { sum / n as f64 };
        }
    }
    mean
}

fn case_bundle(oracles: &Path, data: &Path, folder: &Path, named: &Value) -> Result<Bundle, Verdict> {
    let text = |key: &str| named[key].as_str();
    let path = locate(oracles, data, folder, text("file").unwrap_or_default()).map_err(failed)?;
    let symbol = text("symbol").unwrap_or_default();
    let panel = Panel::read(&path).map_err(failed)?;
    // A file of one series does not say whose it is.
    let stored = if panel.symbols == [""] { "" } else { symbol };
    let bars = panel.between(stored, text("start"), text("end")).map_err(failed)?;
    Ok(bundle(vec![(symbol.to_string(), bars)]))
}

/// The strategy file, parameters written in.
fn strategy(family: &Family, columns: &str, params: &Value) -> Result<String, Verdict> {
    let mut text = String::from("name = \"case\"\n[params]\n");
    for (theirs, ours) in family.names {
        let value = params[theirs].as_f64().ok_or_else(|| failed(format!("the case has no parameter {theirs}")))?;
        text += &format!("{ours} = {value}\n");
    }
    text += &format!("[columns]\n{columns}[rules]\n{}", family.rules);
    text += &match params["size"].as_f64() {
        Some(units) if units >= 1.0 => format!("size = \"{units}\"\nsize_in = \"shares\"\n"),
        Some(fraction) => format!("size = \"{fraction}\"\n"),
        // The default size is all of the equity but the last bit.
        None => String::from("size = \"0.9999999999999998\"\n"),
    };
    Ok(text)
}

/// The program's conventions as switches.
fn switches(settings: &Value, params: &Value) -> Result<Switches, Verdict> {
    let flag = |key: &str| settings[key].as_bool().unwrap_or(false);
    let number = |key: &str, default: f64| settings[key].as_f64().unwrap_or(default);
    if flag("hedging") || number("margin", 1.0) != 1.0 {
        return Err(unsupported("margin and hedging"));
    }
    let mut list = vec![
        ("search.method", "single".to_string()),
        ("warmup", "none".into()),
        ("capital", number("cash", 10_000.0).to_string()),
        ("fill", if flag("trade_on_close") { "same_close" } else { "next_open" }.into()),
        ("size_at", "order".into()),
        ("size_includes_costs", "true".into()),
        ("fractional", "false".into()),
        ("lot", number("fractional_unit", 1.0).to_string()),
        ("lot_snap", "false".into()),
        ("fill_without_volume", "true".into()),
        ("close_at_end", flag("finalize_trades").to_string()),
        ("end_at_open", "true".into()),
        ("costs.spread", (2.0 * number("spread", 0.0)).to_string()),
        ("costs.spread_on", "entry".into()),
    ];
    match &settings["commission"] {
        Value::Number(rate) => list.push(("costs.bps", (rate.as_f64().unwrap_or(0.0) * 1e4).to_string())),
        Value::Array(parts) if params["size"].as_f64().is_some_and(|size| size >= 1.0) => {
            let part = |k: usize| parts.get(k).and_then(Value::as_f64).unwrap_or(0.0);
            list.push(("costs.per_trade", part(0).to_string()));
            list.push(("costs.bps", (part(1) * 1e4).to_string()));
        }
        Value::Array(_) => return Err(unsupported("a fixed commission counted once per share into a fractional size")),
        Value::Null => {}
        _ => return Err(unsupported("commission as a function")),
    }
    Ok(list)
}

/// The one point of a space whose parameters are all fixed.
fn only_point(run: &Evaluator) -> Vec<f64> {
    let mut point = Vec::new();
    run.plan.space().point(0, &mut point);
    point
}

/// Round trips, equity and statistics against the stored ones.
fn compare(folder: &Path, run: &Evaluator, detail: &Detail, settings: &Value) -> Compared {
    let capital = run.plan.settings().capital;
    let trades = csv_rows(&folder.join("trades.csv"))?;
    let closed: Vec<_> = detail.trades.iter().filter(|trade| !trade.open).collect();
    if trades.len() != closed.len() {
        return Err(failed(format!("{} round trips, expected {}", closed.len(), trades.len())));
    }
    let mut largest: f64 = 0.0;
    let at_close = settings["trade_on_close"] == true;
    for (k, (theirs, ours)) in trades.iter().zip(&closed).enumerate() {
        if at_close && settings["finalize_trades"] == true && k + 1 == trades.len() {
            // Closing at the end has no next bar: the peer goes back to the close before the last, we do not.
            continue;
        }
        let field = |name: &str| theirs.get(name).and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
        if field("EntryBar") != f64::from(ours.entry_bar) || field("ExitBar") != f64::from(ours.exit_bar) {
            return Err(failed(format!(
                "round trip {k}: bars {} to {}, expected {} to {}",
                ours.entry_bar,
                ours.exit_bar,
                field("EntryBar"),
                field("ExitBar")
            )));
        }
        let off = relative(ours.quantity, field("Size"), 1e-9)
            .max(relative(ours.entry_price, field("EntryPrice"), 1e-9))
            .max(relative(ours.exit_price, field("ExitPrice"), 1e-9))
            .max(difference(ours.profit, field("PnL")) / capital);
        if off > TOLERANCE {
            return Err(failed(format!("round trip {k} differs by {off:e}: {ours:?}")));
        }
        largest = largest.max(off);
    }
    let mut compared = trades.len() as u64 * 6;
    let equity = Table::read(&folder.join("equity.parquet")).and_then(|t| t.floats("equity")).map_err(failed)?;
    let off = largest_difference(&detail.equity, &equity, capital);
    if at_close {
        return Ok((
            Verdict::Documented(format!(
                "round trips agree but for the closing of the last one, which the peer puts at the close before the last \
                 bar; equity differs by at most {off:.1e} of the capital, because the peer books a fill at the close one \
                 bar later"
            )),
            compared,
            off,
        ));
    }
    if off > TOLERANCE {
        return Err(failed(format!("equity differs by {off:e} of the capital")));
    }
    compared += equity.len() as u64;
    Ok((Verdict::Exact, compared, largest.max(off)))
}

/// The stored parameter grid: total return, number of round trips, win rate, best and worst trade.
fn grid(folder: &Path, case: &Value, bundle: &Bundle) -> Compared {
    let rows = csv_rows(&folder.join("grid.csv"))?;
    let mut largest: f64 = 0.0;
    let (mut ties, mut reopened, mut at_end) = (0, 0, 0);
    let checked =
        [("Return [%]", "total_return", 100.0), ("# Trades", "trades", 1.0), ("Win Rate [%]", "win_rate", 100.0)];
    for row in &rows {
        let field = |name: &str| row.get(name).and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
        let params = serde_json::json!({ "fast": field("fast"), "slow": field("slow") });
        let family = &FAMILIES[0];
        let off = |run: &Evaluator| {
            let values = run.detail(&only_point(run)).metrics;
            let one = |(theirs, ours, scale): &(&str, &str, f64)| {
                let value = metrics::index_of(ours).map_or(f64::NAN, |m| values[m]) * scale;
                relative(value, field(theirs), 1.0)
            };
            checked.iter().map(one).fold(0.0, f64::max)
        };
        let switches = switches(&case["settings"], &params)?;
        let own = evaluator(bundle, &strategy(family, family.columns, &params)?, &switches).map_err(failed)?;
        let mut difference = off(&own);
        if difference > TOLERANCE {
            ties += 1;
            let (with_theirs, switches) = with_their_averages(bundle, family, &params, switches)?;
            let run = evaluator(&with_theirs, &strategy(family, GIVEN, &params)?, &switches).map_err(failed)?;
            difference = off(&run);
        }
        if difference > TOLERANCE {
            // After a crossing that a tie hid, the next one finds a position on its own side: the peer closes and
            // reopens it, we keep it.
            let close = &bundle.bars[0].close;
            let (fast, slow) = (field("fast") as usize, field("slow") as usize);
            if crosses_on_last_bar(close, fast, slow) {
                at_end += 1;
            } else if has_tie(close, fast, slow) {
                reopened += 1;
            } else {
                return Err(failed(format!("{params} differs by {difference:e}")));
            }
            continue;
        }
        largest = largest.max(difference);
    }
    let verdict = match ties {
        0 => Verdict::Exact,
        _ => Verdict::Documented(format!(
            "{} of {} points agree with our averages; in {}, {TIES}; in {reopened}, a tie hides a crossing, and at the \
             next one the peer closes and reopens a position that we keep; in {at_end}, the averages cross on the last bar, \
             and closing at the end lets the peer trade once more on that bar",
            rows.len() - ties,
            rows.len(),
            ties - reopened - at_end,
        )),
    };
    Ok((verdict, (rows.len() * checked.len()) as u64, largest))
}

/// Whether the peer's averages cross on the last bar, where an order can only be filled by the extra pass that its
/// closing at the end makes.
fn crosses_on_last_bar(close: &[f64], fast: usize, slow: usize) -> bool {
    let (a, b) = (pandas_rolling_mean(close, fast), pandas_rolling_mean(close, slow));
    let [.., (a0, b0), (a1, b1)] = a.into_iter().zip(b).collect::<Vec<_>>()[..] else { return false };
    (a0 < b0 && a1 > b1) || (a0 > b0 && a1 < b1)
}

/// Whether the peer's two averages are equal to the last bit anywhere.
fn has_tie(close: &[f64], fast: usize, slow: usize) -> bool {
    pandas_rolling_mean(close, fast).iter().zip(pandas_rolling_mean(close, slow)).any(|(a, b)| *a == b)
}

fn csv_rows(path: &Path) -> Result<Vec<BTreeMap<String, String>>, Verdict> {
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    reader.deserialize().map(|row| row.map_err(failed)).collect()
}
