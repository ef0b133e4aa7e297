//! Other courses that the trial's trades could have taken.
//!
//! Given the round trips of a trial, this file draws them again: one by one, in blocks, and in another order. A trade's
//! return is its profit as a share of the equity before its entry, so that what trades come to compounds as the account
//! does; where positions overlap, this is near what the account did and not the same, and the text says how near. It never
//! knows prices: what trades of one day have in common is lost, so true spreads are wider.

use sandtable_core::Result;
use sandtable_core::analysis::{Compounding, Distribution, MonteCarlo, Resampling, monte_carlo, optimal_block_length};
use sandtable_core::metrics::Unit;
use sandtable_core::run::Detail;
use serde_json::json;

use super::{Case, Finding, metric};
use crate::view::{number, table};

/// Runs unless it is said.
pub const DEFAULT_RUNS: &str = "1000";

/// Draws the trial's closed trades again, so many times in each of three ways.
///
/// # Errors
/// No trade was closed, or a wrong number of runs.
pub fn find(case: &Case, runs: u32) -> Result<Finding> {
    let trades = returns(&case.detail, case.plan().settings().capital);
    let seed = case.plan().seed();
    let block = optimal_block_length(&trades).stationary.max(1.0);
    let draw = |resampling| monte_carlo(&trades, resampling, Compounding::Product, runs, seed);
    let (single, blocks) = (draw(Resampling::Bootstrap)?, draw(Resampling::Blocks(block))?);
    let order = draw(Resampling::Permutation)?;
    Ok(Finding {
        key: "monte_carlo",
        text: text(case, &trades, block, [&single, &blocks, &order]),
        json: json!({
            "trades": trades.len(),
            "levels": sandtable_core::analysis::LEVELS,
            "block_length": block,
            "bootstrap": single,
            "blocks": blocks,
            "permutation": order,
        }),
        sound: true,
    })
}

/// Profit of each closed trade as a share of the equity before its entry. An account without equity takes no trades.
fn returns(detail: &Detail, capital: f64) -> Vec<f64> {
    let before = |bar: u32| bar.checked_sub(1).and_then(|bar| detail.equity.get(bar as usize)).copied();
    let share = |entry: u32, profit: f64| {
        let equity = before(entry).unwrap_or(capital);
        (equity > 0.0).then_some(profit / equity)
    };
    detail.trades.iter().filter(|trade| !trade.open).filter_map(|trade| share(trade.entry_bar, trade.profit)).collect()
}

fn text(case: &Case, trades: &[f64], block: f64, [single, blocks, order]: [&MonteCarlo; 3]) -> String {
    let account = metric(&case.detail.metrics, "total_return");
    let percent = |value: f64| number::metric(value, Unit::Percent);
    let row = |label: &str, shift: f64, found: &Distribution| {
        let mut cells = vec![label.to_owned(), percent(found.observed - shift)];
        cells.extend(found.quantiles.iter().map(|value| percent(value - shift)));
        cells
    };
    let mut rows = Vec::new();
    for (label, found) in [("return, drawn one by one", single), ("return, in blocks", blocks)] {
        rows.extend(found.wealth.as_ref().map(|wealth| row(label, 1.0, wealth)));
    }
    for (label, found) in
        [("drawdown, drawn one by one", single), ("drawdown, in blocks", blocks), ("drawdown, in another order", order)]
    {
        rows.push(row(label, 0.0, &found.drawdown));
    }
    let loss = |found: &MonteCarlo| found.probability_of_loss.map_or(number::NULL.into(), percent);
    format!(
        "other courses of its {} closed trades, {} runs each; blocks of {block:.1} trades on average\n{}\
         drawdowns are those between closed trades; the account's own, bar by bar, are deeper\n\
         a loss in {} of the runs drawn one by one, in {} of those in blocks; another order cannot change the return\n\
         compounded one after the other the trades come to {}, the account to {}, open positions included\n",
        trades.len(),
        single.runs,
        table::plain(&["", "as it was", "5 %", "25 %", "50 %", "75 %", "95 %"], rows, &[0]),
        loss(single),
        loss(blocks),
        percent(single.wealth.as_ref().map_or(f64::NAN, |wealth| wealth.observed - 1.0)),
        percent(account),
    )
}
