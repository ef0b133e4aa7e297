//! The parameter grid of backtesting.py: a crossing of two averages, point by point.
//!
//! Given a case folder with `grid.csv`, this module runs every point twice: as rules of the expression language, and
//! where our averages tie and theirs do not (or the other way round), through the order API with the peer's own
//! averages. It compares return, number of round trips and win rate.

use std::path::Path;

use sandtable_core::bundle::Bundle;
use sandtable_core::context::{Panel, Window};
use sandtable_core::engine::{Desk, Order, Record, Size, Workspace, simulate};
use sandtable_core::ledger::Trade;
use sandtable_core::plan::Settings;
use serde_json::Value;

use crate::oracle::Verdict;
use crate::oracle::replay::{Compared, TOLERANCE, failed, rows};
use crate::oracle::simulated::{evaluator, relative};

/// All of the account but the last bit, which is the peer's default size.
const WHOLE: f64 = 1.0 - f64::EPSILON;

/// pandas' rolling mean to the last bit: a compensated (Kahan) running sum, values leaving before values entering, and
/// the value itself where a whole window repeats it.
pub fn pandas_rolling_mean(values: &[f64], n: usize) -> Vec<f64> {
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

/// Compares the stored grid.
pub fn compare(folder: &Path, case: &Value, bundle: &Bundle) -> Compared {
    let settings = super::settings(&case["settings"])?;
    let panel = Panel::new(bundle, &[], &Window::default(), &[]).map_err(failed)?;
    let names: Vec<String> = case["grid"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let [fast, slow] = &names[..] else { return Err(Verdict::Unsupported("a grid of other than two periods".into())) };
    let long_only = case["strategy"].as_str().is_some_and(|words| words.contains("Long"));
    let table = rows(&folder.join("grid.csv"))?;
    let (mut ties, mut at_end, mut largest) = (0, 0, 0.0f64);
    for row in &table {
        let (fast, slow) = (row.count(fast)?, row.count(slow)?);
        let expected = [row.number("Return [%]"), row.number("# Trades"), row.number("Win Rate [%]")];
        let off = |found: [f64; 3]| {
            found.iter().zip(&expected).map(|(&found, &expected)| relative(found, expected, 1.0)).fold(0.0, f64::max)
        };
        let mut difference = off(by_rules(bundle, case, &settings, fast, slow, long_only)?);
        if difference > TOLERANCE {
            ties += 1;
            difference = off(by_orders(&panel, &settings, fast, slow, long_only));
        }
        if difference > TOLERANCE {
            if !crosses_on_last_bar(&panel.close, fast, slow) {
                return Err(failed(format!("periods {fast} and {slow} differ by {difference:e}")));
            }
            at_end += 1;
            continue;
        }
        largest = largest.max(difference);
    }
    let verdict = match ties {
        0 => Verdict::Exact,
        _ => Verdict::Documented(format!(
            "{} of {} points agree{}; in {at_end} the averages cross on the last bar, and the peer's closing at the end \
             fills that order at the open of the bar that it was placed after",
            table.len() - at_end,
            table.len(),
            match ties - at_end {
                0 => String::new(),
                ties => format!(
                    " ({ties} of them with the peer's own averages: where two are equal in exact arithmetic, the last \
                     bit of a running sum decides whether they cross)"
                ),
            },
        )),
    };
    Ok((verdict, (table.len() * 3) as u64, largest))
}

/// Return in percent, closed round trips, win rate in percent.
fn summary(equity: Option<&f64>, trades: &[Trade], settings: &Settings) -> [f64; 3] {
    let closed: Vec<&Trade> = trades.iter().filter(|trade| !trade.open).collect();
    let won = closed.iter().filter(|trade| trade.profit > 0.0).count() as f64;
    let last = equity.copied().unwrap_or(settings.capital);
    [(last / settings.capital - 1.0) * 100.0, closed.len() as f64, won / closed.len() as f64 * 100.0]
}

/// A point as rules.
fn by_rules(
    bundle: &Bundle,
    case: &Value,
    settings: &Settings,
    fast: usize,
    slow: usize,
    long_only: bool,
) -> Result<[f64; 3], Verdict> {
    let down = if long_only { "exit_long" } else { "enter_short" };
    let text = format!(
        "name = \"case\"\n[columns]\na = \"sma(close, {fast})\"\nb = \"sma(close, {slow})\"\n\
         [rules]\nenter_long = \"a[1] < b[1] and a > b\"\n{down} = \"a[1] > b[1] and a < b\"\nsize = \"{WHOLE}\"\n"
    );
    let switches = [
        ("preset", "backtesting.py".to_string()),
        ("search.method", "single".into()),
        ("warmup", "none".into()),
        ("capital", settings.capital.to_string()),
        ("close_at_end", settings.close_at_end.to_string()),
        ("costs.spread", settings.costs.spread.to_string()),
        ("costs.bps", (case["settings"]["commission"].as_f64().unwrap_or(0.0) * 1e4).to_string()),
    ];
    let run = evaluator(bundle, &text, &switches).map_err(failed)?;
    let detail = run.detail(&[]);
    Ok(summary(detail.equity.last(), &detail.trades, settings))
}

/// A point through the order API, with the peer's averages.
fn by_orders(panel: &Panel, settings: &Settings, fast: usize, slow: usize, long_only: bool) -> [f64; 3] {
    let (a, b) = (pandas_rolling_mean(&panel.close, fast), pandas_rolling_mean(&panel.close, slow));
    let mut strategy = |desk: &mut Desk<'_>| {
        let Some(before) = desk.bar().checked_sub(1) else { return };
        let now = desk.bar();
        let up = a[before] < b[before] && a[now] > b[now];
        let down = a[before] > b[before] && a[now] < b[now];
        if up || down {
            desk.close(0);
        }
        if up || down && !long_only {
            desk.place(Order::market(0, Size::BuyingPower(if up { WHOLE } else { -WHOLE })));
        }
    };
    let mut workspace = Workspace::default();
    simulate(panel, &mut strategy, settings, Record { bars: true, ..Record::default() }, &mut workspace);
    summary(workspace.bar_equity.last(), &workspace.account.trades, settings)
}

/// Whether the peer's averages cross on the last bar.
fn crosses_on_last_bar(close: &[f64], fast: usize, slow: usize) -> bool {
    let (a, b) = (pandas_rolling_mean(close, fast), pandas_rolling_mean(close, slow));
    let [.., (a0, b0), (a1, b1)] = a.into_iter().zip(b).collect::<Vec<_>>()[..] else { return false };
    (a0 < b0 && a1 > b1) || (a0 > b0 && a1 < b1)
}
