//! The grids of vectorbt: weights by two averages for every pair of periods, one account for all symbols or one for each.
//!
//! Given a case folder with `grid_grouped.parquet` and `grid_per_symbol.parquet`, this module runs every pair as a target
//! of the expression language and compares its metrics.

use std::path::Path;

use sandtable_core::context::{Panel as Joined, Rule};
use sandtable_core::engine::{Decisions, When};
use sandtable_core::metrics;

use super::inputs;
use crate::oracle::Verdict;
use crate::oracle::backtesting::pandas_rolling_mean;
use crate::oracle::replay::{Compared, TOLERANCE, failed, read_case};
use crate::oracle::simulated::{evaluator, relative};
use crate::oracle::table::Table;

/// The grid of averages against its tables: total return, Sharpe ratio at 365 and 252 periods, drawdown, volatility.
pub fn compare(oracles: &Path, data: &Path, folder: &Path, grouped: bool) -> Compared {
    let case = read_case(folder)?;
    let whole = inputs::bundle_of(oracles, data, folder, &case["data"])?;
    let file = if grouped { "grid_grouped.parquet" } else { "grid_per_symbol.parquet" };
    let table = Table::read(&folder.join(file)).map_err(failed)?;
    let column = |name: &str| table.floats(name).map_err(failed);
    let (fast, slow) = (column("fast")?, column("slow")?);
    let number = |key: &str, default: f64| case[key].as_f64().unwrap_or(default);
    let switches = vec![
        ("preset", "vectorbt".to_string()),
        ("warmup", "none".into()),
        ("capital", number("init_cash", 100_000.0).to_string()),
        ("sequence", "by_value".into()),
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
