//! Runs of backtesting.py: what its strategies submitted, placed again order by order.
//!
//! Given a case folder (`case.json`, `submitted.csv`, `orders.csv`, `equity.parquet`), this module replays the
//! strategy's orders, moved stops, closings and cancellations under the switches of the preset and the case's settings,
//! and compares fills and equity. Exits that come with an order are the simulator's business. Where the peer sizes an
//! order by what the simulator refuses to know, the peer's own units are replayed and the verdict names the cause.

mod causes;
mod commission;
mod grid;
mod replay;

pub use grid::pandas_rolling_mean;

use std::path::Path;

use sandtable_core::bundle::Bundle;
use sandtable_core::context::{Panel as Joined, Window};
use sandtable_core::plan::{Conventions, Fill, Settings};
use serde_json::Value;

use super::CaseResult;
use super::Verdict;
use super::replay::{Compared, failed, read_case};
use super::simulated::bundle;
use super::table::{Panel, locate};

const PEER: &str = "backtesting.py";

/// Compares every case folder below `<oracles>/backtesting_py`.
pub fn run(oracles: &Path, data: &Path, filter: Option<&str>) -> Vec<CaseResult> {
    super::case_folders(&oracles.join("backtesting_py"), PEER, filter)
        .into_iter()
        .map(|(name, folder)| CaseResult::new(PEER, name, case(oracles, data, &folder)))
        .collect()
}

fn case(oracles: &Path, data: &Path, folder: &Path) -> Compared {
    let case = read_case(folder)?;
    let bundle = case_bundle(oracles, data, folder, &case["data"])?;
    if folder.join("grid.csv").exists() {
        return grid::compare(folder, &case, &bundle);
    }
    let panel = Joined::new(&bundle, &[], &Window::default(), &[]).map_err(failed)?;
    let settings = settings(&case["settings"])?;
    let peer = replay::Peer::read(folder)?;
    causes::judge(&panel, &settings, &peer)
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

/// The preset with the case's settings.
fn settings(given: &Value) -> Result<Settings, Verdict> {
    let flag = |key: &str| given[key].as_bool().unwrap_or(false);
    let number = |key: &str, default: f64| given[key].as_f64().unwrap_or(default);
    let mut settings = Settings {
        capital: number("cash", 10_000.0),
        fill: if flag("trade_on_close") { Fill::SameClose } else { Fill::NextOpen },
        lot: number("fractional_unit", 1.0),
        hedging: flag("hedging"),
        initial_margin: number("margin", 1.0),
        close_at_end: flag("finalize_trades"),
        ..Conventions::Backtesting.settings()
    };
    settings.costs.spread = 2.0 * number("spread", 0.0);
    commission::set(&mut settings.costs, &given["commission"]).map_err(Verdict::Unsupported)?;
    Ok(settings)
}
