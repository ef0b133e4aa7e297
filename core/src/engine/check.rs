//! The identities that every ledger keeps.

use super::reference::Workspace;
use crate::context::Panel;
use crate::error::{Error, Result};
use crate::ledger::FlowKind;
use crate::plan::Settings;

/// Re-derives cash, positions, profit and equity of a finished run from its fills and flows alone.
///
/// The run must have recorded fills and bars. Sums may differ by rounding, at most 1e-9 of the largest amount of money
/// that moved; a run without fills must end with exactly its initial cash.
///
/// # Errors
/// The first identity that does not hold, with both sides.
pub fn check_ledger(panel: &Panel, settings: &Settings, workspace: &Workspace) -> Result<()> {
    let account = &workspace.account;
    let moved = account.fills.iter().map(|f| (f.quantity * f.price).abs()).fold(settings.capital, f64::max);
    let count = account.fills.len() + account.flows.len();
    let tolerance = 1e-9 * moved * (1.0 + count as f64 / 1000.0);
    let same = |what: &str, left: f64, right: f64| {
        if (left - right).abs() <= tolerance {
            Ok(())
        } else {
            Err(Error::data(format!("ledger: {what}: {left} is not {right}")))
        }
    };

    let mut cash = settings.capital;
    let mut positions = vec![0.0; panel.spans.len()];
    let mut last_close = vec![0.0; panel.spans.len()];
    let mut cursors: Vec<usize> = panel.spans.iter().map(|span| span.offset + panel.first_simulated(*span)).collect();
    let mut fills = account.fills.iter().peekable();
    let mut flows = account.flows.iter().peekable();
    let mut flowed = 0.0;
    for (k, t) in (panel.start..panel.timeline.len()).enumerate() {
        while let Some(flow) = flows.next_if(|flow| flow.bar as usize == t) {
            cash += flow.cash;
            // What a split pays out is the price of a round trip.
            flowed += if flow.kind == FlowKind::Split { 0.0 } else { flow.cash };
            if let Some(symbol) = flow.symbol.map(|symbol| symbol as usize).filter(|_| flow.units != 0.0) {
                let before = positions[symbol];
                positions[symbol] = before + flow.units;
            }
        }
        for (symbol, actions) in panel.actions.iter().enumerate() {
            // A split is the only thing that changes a last close without a bar.
            let begins = t == panel.start || panel.sessions[t - 1] != panel.sessions[t];
            let now = actions.iter().filter(|action| begins && action.ex_date <= panel.sessions[t]);
            let before = if t == panel.start { i32::MIN } else { panel.sessions[t - 1] };
            for action in now.filter(|action| action.ex_date > before) {
                last_close[symbol] /= action.split_ratio;
            }
        }
        while let Some(fill) = fills.next_if(|fill| fill.bar as usize == t) {
            cash -= fill.quantity * fill.price + fill.fee;
            positions[fill.symbol as usize] += fill.quantity;
        }
        let mut equity = cash;
        for (symbol, span) in panel.spans.iter().enumerate() {
            let row = cursors[symbol];
            if row < span.offset + span.len && panel.row_time[row] as usize == t {
                last_close[symbol] = panel.close[row];
                cursors[symbol] += 1;
            }
            equity += positions[symbol] * last_close[symbol];
        }
        if let Some(&recorded) = workspace.bar_equity.get(k) {
            same(&format!("equity at bar {t}"), recorded, equity)?;
        }
    }
    if fills.next().is_some() || flows.next().is_some() {
        return Err(Error::data("ledger: fills or flows are not in the order of time"));
    }
    same("cash", account.cash, cash)?;
    for (symbol, (held, derived)) in account.positions().iter().zip(&positions).enumerate() {
        same(
            &format!("position of {}", panel.symbols[symbol]),
            held * last_close[symbol],
            derived * last_close[symbol],
        )?;
    }

    let profit: f64 = account.trades.iter().map(|trade| trade.profit).sum();
    let value: f64 = positions.iter().zip(&last_close).map(|(q, p)| q * p).sum();
    same("profit of the round trips", profit + flowed, cash + value - settings.capital)?;
    if account.fills.is_empty() && account.flows.is_empty() && account.cash != settings.capital {
        return Err(Error::data("ledger: a run without fills changed its cash"));
    }
    Ok(())
}
