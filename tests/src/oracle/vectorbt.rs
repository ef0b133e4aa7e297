//! Portfolios of vectorbt: signals and target weights, fill by fill, and its grid of moving averages.
//!
//! Given a case folder (`case.json`, `inputs.parquet`, `orders.csv`, `equity.parquet`, or the grid's tables), this
//! module feeds the stored signals or weights to the engine under switches that stand for the program's conventions:
//! fills at the same close (or the open of the bar after the signal), sizes at the bar's value, cash cut to the last
//! cent, fractions allowed, sells first by value where cash is shared.

use std::path::Path;

use sandtable_core::bundle::Bundle;
use sandtable_core::context::{Panel as Joined, Rule, Window};
use sandtable_core::engine::{Decisions, Record, When, Workspace, simulate};
use sandtable_core::ledger::Fill as Execution;
use sandtable_core::metrics;
use sandtable_core::plan::{Costs, Fill, Sequence, Settings, SizeAt};
use sandtable_core::strategy::SizeIn;
use serde_json::Value;

use super::backtesting::pandas_rolling_mean;
use super::simulated::{bundle, evaluator, largest_difference, relative};
use super::table::{Panel, Table, locate};
use super::{CaseResult, Verdict};

const PEER: &str = "vectorbt";

/// Money may differ by this part of the initial cash, prices, sizes and statistics by this part of themselves.
const TOLERANCE: f64 = 1e-9;

type Compared = Result<(Verdict, u64, f64), Verdict>;

fn failed(error: impl std::fmt::Display) -> Verdict {
    Verdict::Failed(error.to_string())
}

fn unsupported(reason: impl Into<String>) -> Verdict {
    Verdict::Unsupported(reason.into())
}

/// Compares every case folder below `<oracles>/vectorbt`.
pub fn run(oracles: &Path, data: &Path, filter: Option<&str>) -> Vec<CaseResult> {
    super::case_folders(&oracles.join("vectorbt"), PEER, filter)
        .into_iter()
        .flat_map(|(name, folder)| {
            let parts: Vec<(String, Compared)> = if folder.join("grid_grouped.parquet").is_file() {
                vec![
                    (format!("{name} grouped"), grid(oracles, data, &folder, true)),
                    (format!("{name} per symbol"), grid(oracles, data, &folder, false)),
                ]
            } else {
                vec![(name, case(oracles, data, &folder))]
            };
            parts.into_iter().map(|(case, done)| {
                let (verdict, compared, largest) = done.unwrap_or_else(|verdict| (verdict, 0, f64::NAN));
                CaseResult { peer: PEER.into(), case, verdict, compared, largest_difference: largest }
            })
        })
        .collect()
}

fn read_case(folder: &Path) -> Result<Value, Verdict> {
    let text = std::fs::read_to_string(folder.join("case.json")).map_err(failed)?;
    serde_json::from_str(&text).map_err(failed)
}

fn case_bundle(oracles: &Path, data: &Path, folder: &Path, named: &Value) -> Result<Bundle, Verdict> {
    let text = |key: &str| named[key].as_str();
    let path = locate(oracles, data, folder, text("file").unwrap_or_default()).map_err(failed)?;
    let panel = Panel::read(&path).map_err(failed)?;
    let symbols = named["symbols"].as_array().cloned().unwrap_or_default();
    let mut series = Vec::new();
    for symbol in symbols.iter().filter_map(Value::as_str) {
        series.push((symbol.to_string(), panel.between(symbol, text("start"), text("end")).map_err(failed)?));
    }
    Ok(bundle(series))
}

/// The grid of averages against its tables: total return, Sharpe ratio at 365 and 252 periods, drawdown, volatility.
fn grid(oracles: &Path, data: &Path, folder: &Path, grouped: bool) -> Compared {
    let case = read_case(folder)?;
    let whole = case_bundle(oracles, data, folder, &case["data"])?;
    let file = if grouped { "grid_grouped.parquet" } else { "grid_per_symbol.parquet" };
    let table = Table::read(&folder.join(file)).map_err(failed)?;
    let column = |name: &str| table.floats(name).map_err(failed);
    let (fast, slow) = (column("fast")?, column("slow")?);
    let number = |key: &str, default: f64| case[key].as_f64().unwrap_or(default);
    let switches = vec![
        ("warmup", "none".to_string()),
        ("capital", number("init_cash", 100_000.0).to_string()),
        ("fill", "same_close".into()),
        ("size_at", "fill".into()),
        ("sequence", "by_value".into()),
        ("fill_without_volume", "true".into()),
        ("costs.bps", (number("fees", 0.0) * 1e4).to_string()),
        ("space.fast", "2".into()),
        ("space.slow", "3".into()),
    ];
    let (held, rebalance) = if grouped { ("1 / n_symbols", "every_bar") } else { ("1", "on_change") };
    let text = format!(
        "name = \"grid\"\n[params]\nfast = {{ type = \"int\", min = 1, max = 100000 }}\n\
         slow = {{ type = \"int\", min = 1, max = 100000 }}\n[rules]\n\
         target = \"if(sma(close, fast) > sma(close, slow), {held}, 0)\"\nrebalance = \"{rebalance}\"\n"
    );
    // One account for all symbols together, or one for each.
    let mut accounts = Vec::new();
    if grouped {
        accounts.push((String::new(), evaluator(&whole, &text, &switches).map_err(failed)?));
    } else {
        for symbol in &whole.symbols {
            let mut own = switches.clone();
            own.push(("symbols", symbol.clone()));
            accounts.push((symbol.clone(), evaluator(&whole, &text, &own).map_err(failed)?));
        }
    }
    let symbols =
        if grouped { vec![String::new(); table.rows] } else { table.texts("symbol").map_err(failed)?.to_vec() };
    let expected: Vec<Vec<f64>> = CHECKED.iter().map(|(name, _, _)| column(name)).collect::<Result<_, _>>()?;
    let (mut largest, mut ties) = (0.0f64, 0);
    for row in 0..table.rows {
        let Some((_, run)) = accounts.iter().find(|(name, _)| *name == symbols[row]) else {
            return Err(failed(format!("no account for {}", symbols[row])));
        };
        let expected: Vec<f64> = expected.iter().map(|column| column[row]).collect();
        let mut off = furthest(&run.detail(&[fast[row], slow[row]]).metrics, &expected);
        if off.0 > TOLERANCE {
            ties += 1;
            let weight = if grouped { 1.0 / whole.symbols.len() as f64 } else { 1.0 };
            let column = their_weights(&run.context.panel, fast[row] as usize, slow[row] as usize, weight);
            let when = if grouped { When::EveryBar } else { When::OnChange };
            off = furthest(&run.metrics_of(&Decisions::Target { weight: Rule::Own(column), when }), &expected);
        }
        if off.0 > TOLERANCE {
            return Err(failed(format!(
                "fast {} slow {} {}: {} differs by {:e}",
                fast[row], slow[row], symbols[row], off.1, off.0
            )));
        }
        largest = largest.max(off.0);
    }
    let verdict = match ties {
        0 => Verdict::Exact,
        _ => Verdict::Documented(format!(
            "{} of {} rows agree with our averages; in the other {ties}, averages that are equal in exact arithmetic cross \
             or not by the last bit of a running sum; with the peer's own averages as input they agree too",
            table.rows - ties,
            table.rows
        )),
    };
    Ok((verdict, (table.rows * CHECKED.len()) as u64, largest))
}

/// Their column, our metric, and the periods a year that theirs was annualised with.
const CHECKED: [(&str, &str, f64); 6] = [
    ("total_return", "total_return", 252.0),
    ("sharpe_365", "sharpe", 365.0),
    ("sharpe_252", "sharpe", 252.0),
    ("sortino_365", "sortino", 365.0),
    ("max_drawdown", "max_drawdown", 252.0),
    ("volatility_365", "volatility", 365.0),
];

/// The largest relative difference, and in which column.
fn furthest(metrics: &[f64], expected: &[f64]) -> (f64, &'static str) {
    let mut worst = (0.0, "");
    for ((theirs, ours, periods), &expected) in CHECKED.iter().zip(expected) {
        // Ours are for 252 periods a year; what is annualised by a square root is moved to theirs by one.
        let value = metrics::index_of(ours).map_or(f64::NAN, |m| metrics[m]) * (periods / 252.0f64).sqrt();
        // A trial that never trades has no Sharpe ratio here and an infinite one there.
        let expected = if expected.is_infinite() { f64::NAN } else { expected };
        let off = relative(value, expected, 1e-3);
        if off > worst.0 {
            worst = (off, theirs);
        }
    }
    worst
}

/// `weight` while the peer's fast average is above its slow one, else 0; one value per row.
fn their_weights(panel: &Joined, fast: usize, slow: usize, weight: f64) -> Vec<f64> {
    let mut column = Vec::with_capacity(panel.rows());
    for span in &panel.spans {
        let close = &panel.close[span.rows()];
        let (fast, slow) = (pandas_rolling_mean(close, fast), pandas_rolling_mean(close, slow));
        column.extend(fast.iter().zip(&slow).map(|(a, b)| if a > b { weight } else { 0.0 }));
    }
    column
}

/// One portfolio from stored signals or weights.
fn case(oracles: &Path, data: &Path, folder: &Path) -> Compared {
    let case = read_case(folder)?;
    let call = &case["call"];
    refuse_what_is_missing(call)?;
    if case["data"]["note"].is_string() {
        return Err(unsupported("closes that were filled forward before the run"));
    }
    let whole = case_bundle(oracles, data, folder, &case["data"])?;
    let inputs = Table::read(&folder.join("inputs.parquet")).map_err(failed)?;
    let shared = call["cash_sharing"] == true || whole.symbols.len() == 1;
    let accounts: Vec<Vec<String>> =
        if shared { vec![whole.symbols.clone()] } else { whole.symbols.iter().map(|s| vec![s.clone()]).collect() };
    let settings = switches(call)?;
    let equity = Table::read(&folder.join("equity.parquet")).map_err(failed)?;
    let orders = read_orders(&folder.join("orders.csv"))?;
    let (mut compared, mut largest) = (0, 0.0f64);
    for symbols in accounts {
        let panel = Joined::new(&whole, &symbols, &Window::default(), &[]).map_err(failed)?;
        let decisions = decisions(call, &inputs, &panel)?;
        let mut workspace = Workspace::default();
        let record = Record { fills: true, bars: true, ..Record::default() };
        simulate(&panel, &mut &decisions, &settings, record, &mut workspace);
        let own: Vec<&Order> = orders.iter().filter(|order| symbols.contains(&order.symbol)).collect();
        largest = largest.max(same_fills(&panel, &workspace.account.fills, &own)?);
        let name = if shared { "equity".to_string() } else { format!("equity_{}", symbols[0]) };
        let theirs = equity.floats(&name).map_err(failed)?;
        let off = largest_difference(&workspace.bar_equity, &theirs, settings.capital);
        if off > TOLERANCE {
            return Err(failed(format!("{name} differs by {off:e} of the capital")));
        }
        largest = largest.max(off);
        compared += (own.len() * 5 + theirs.len()) as u64;
    }
    Ok((Verdict::Exact, compared, largest))
}

/// Names what this version of the engine cannot express.
fn refuse_what_is_missing(call: &Value) -> Result<(), Verdict> {
    let given = |key: &str| !call[key].is_null() && call[key] != false;
    for (key, reason) in [
        ("sl_stop", "stop orders"),
        ("tp_stop", "stop orders"),
        ("accumulate", "adding to a position on repeated signals"),
        ("upon_long_conflict", "a choice between entry and exit on one bar"),
        ("upon_opposite_entry", "a choice for entries against a position"),
        ("lock_cash", "cash locked by shorts"),
        ("short_entries", "separate signals for shorts"),
        ("max_size", "limits of order size"),
    ] {
        if given(key) {
            return Err(unsupported(reason));
        }
    }
    match call["size_type"].as_str() {
        Some("percent") => return Err(unsupported("sizes in percent of cash")),
        Some("targetamount" | "targetvalue") => return Err(unsupported("targets in units or money")),
        Some("amount") if call["method"] == "Portfolio.from_orders" => {
            return Err(unsupported("a schedule of units bought and sold"));
        }
        _ => {}
    }
    if call["direction"] == "both" {
        return Err(unsupported("reversal by one order"));
    }
    Ok(())
}

/// The program's conventions as switches.
fn switches(call: &Value) -> Result<Settings, Verdict> {
    let number = |key: &str| call[key].as_f64().unwrap_or(0.0);
    let granularity = number("size_granularity");
    Ok(Settings {
        capital: call["init_cash"].as_f64().unwrap_or(100.0),
        fill: if call["price"].is_string() { Fill::NextOpen } else { Fill::SameClose },
        size_at: SizeAt::Fill,
        sequence: if call["call_seq"] == "auto" { Sequence::ByValue } else { Sequence::Symbol },
        fractional: granularity == 0.0,
        lot: if granularity == 0.0 { 1.0 } else { granularity },
        lot_snap: false,
        fill_without_volume: true,
        refuse_unpaid_sales: true,
        costs: Costs {
            bps: number("fees") * 1e4,
            per_trade: number("fixed_fees"),
            slippage_bps: number("slippage") * 1e4,
            ..Costs::default()
        },
        ..Settings::default()
    })
}

/// The stored arrays as rules. Arrays that were moved one bar for fills at the next open are moved back.
fn decisions(call: &Value, inputs: &Table, panel: &Joined) -> Result<Decisions, Verdict> {
    let shift = usize::from(call["price"].is_string());
    let timeline: Vec<usize> = {
        let stamps = inputs.times("timestamp").map_err(failed)?;
        panel.timeline.iter().map(|time| stamps.iter().position(|stamp| stamp == time).unwrap_or(usize::MAX)).collect()
    };
    let rule = |argument: &str| -> Result<Rule, Verdict> {
        let mut column = vec![f64::NAN; panel.rows()];
        for (symbol, span) in panel.symbols.iter().zip(&panel.spans) {
            let name = format!("{argument}_{symbol}");
            let stored: Vec<f64> = match inputs.floats(&name) {
                Ok(values) => values,
                Err(_) => {
                    let flags = inputs.bools(&name).map_err(failed)?;
                    flags.iter().map(|&flag| if flag { 1.0 } else { 0.0 }).collect()
                }
            };
            for row in span.rows() {
                let place = timeline[panel.row_time[row] as usize].saturating_add(shift);
                column[row] = stored.get(place).copied().unwrap_or(f64::NAN);
            }
        }
        Ok(Rule::Own(column))
    };
    if call["method"] == "Portfolio.from_orders" {
        return Ok(Decisions::Target { weight: rule("size")?, when: When::EveryBar });
    }
    let (enter, exit) = (Some(rule("entries")?), Some(rule("exits")?));
    let size = call["size"].as_f64();
    let size_in = match (size, call["size_type"].as_str()) {
        (None, _) => SizeIn::Equity,
        (_, Some("value")) => SizeIn::Value,
        _ => SizeIn::Shares,
    };
    let short = call["direction"] == "shortonly";
    if short && size.is_none() {
        return Err(unsupported("a short of all cash, commission included"));
    }
    let (long_sides, short_sides) = if short { ((None, None), (enter, exit)) } else { ((enter, exit), (None, None)) };
    Ok(Decisions::Signals {
        enter_long: long_sides.0,
        exit_long: long_sides.1,
        enter_short: short_sides.0,
        exit_short: short_sides.1,
        size: Rule::Scalar(size.unwrap_or(1.0)),
        size_in,
        entry: None,
    })
}

/// A stored fill.
struct Order {
    bar: u32,
    symbol: String,
    quantity: f64,
    price: f64,
    fee: f64,
}

fn read_orders(path: &Path) -> Result<Vec<Order>, Verdict> {
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    let mut orders = Vec::new();
    for row in reader.deserialize::<std::collections::BTreeMap<String, String>>() {
        let row = row.map_err(failed)?;
        let number = |name: &str| row.get(name).and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
        let sign = if row.get("side").is_some_and(|side| side == "buy") { 1.0 } else { -1.0 };
        orders.push(Order {
            bar: number("bar") as u32,
            symbol: row.get("symbol").cloned().unwrap_or_default(),
            quantity: sign * number("size"),
            price: number("price"),
            fee: number("fee"),
        });
    }
    Ok(orders)
}

/// Fills one by one: bar, symbol, quantity, price, fee.
fn same_fills(panel: &Joined, ours: &[Execution], theirs: &[&Order]) -> Result<f64, Verdict> {
    let mut largest: f64 = 0.0;
    for (k, (own, order)) in ours.iter().zip(theirs).enumerate() {
        let symbol = &panel.symbols[own.symbol as usize];
        if own.bar != order.bar || *symbol != order.symbol {
            return Err(failed(format!(
                "fill {k}: {symbol} {} at bar {}, expected {} {} at bar {}",
                own.quantity, own.bar, order.symbol, order.quantity, order.bar
            )));
        }
        let off = relative(own.quantity, order.quantity, 1e-9)
            .max(relative(own.price, order.price, 1e-9))
            .max(relative(own.fee, order.fee, 1e-9));
        // The rest of a rebalance is a small difference of large numbers: its error counts against the position's value.
        let money = ((own.quantity - order.quantity) * order.price).abs();
        if off > TOLERANCE && money > 1e-7 {
            return Err(failed(format!(
                "fill {k}: {symbol} {own:?}, expected {} at {} fee {}",
                order.quantity, order.price, order.fee
            )));
        }
        largest = largest.max(off.min(TOLERANCE));
    }
    if ours.len() != theirs.len() {
        return Err(failed(format!("{} fills, expected {}", ours.len(), theirs.len())));
    }
    Ok(largest)
}
