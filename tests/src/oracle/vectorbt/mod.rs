//! Portfolios of vectorbt: signals and sizes as a strategy over the order API, and its grids of moving averages.
//!
//! Given a case folder (`case.json`, `inputs.parquet`, `orders.csv`, `equity.parquet`, or the grid's tables), this module
//! makes the arguments of `Portfolio.from_signals` or `from_orders` into a strategy that sees bar after bar, sets the
//! switches of the preset and the call, and compares fills and equity. Where orders are given the open as their price,
//! the strategy decides one bar before: nothing is known of that bar then.

mod grid;
mod inputs;
mod orders;
mod signals;

use std::path::Path;

use sandtable_core::context::{Panel as Joined, Window};
use sandtable_core::engine::{Desk, Order, Record, Size, Workspace, simulate};
use sandtable_core::plan::{Conventions, ExitFill, Fill, LevelsFrom, Sequence, Settings, Unaffordable};
use serde_json::Value;

use super::replay::{Compared, Entry, Row, failed, read_case, rows, same_fills, same_series};
use super::table::Table;
use super::{CaseResult, Verdict};
use inputs::{Account, Inputs};

const PEER: &str = "vectorbt";

/// Compares every case folder below `<oracles>/vectorbt`.
pub fn run(oracles: &Path, data: &Path, filter: Option<&str>) -> Vec<CaseResult> {
    super::case_folders(&oracles.join("vectorbt"), PEER, filter)
        .into_iter()
        .flat_map(|(name, folder)| {
            let parts: Vec<(String, Compared)> = if folder.join("grid_grouped.parquet").is_file() {
                vec![
                    (format!("{name} grouped"), grid::compare(oracles, data, &folder, true)),
                    (format!("{name} per symbol"), grid::compare(oracles, data, &folder, false)),
                ]
            } else {
                vec![(name, case(oracles, data, &folder))]
            };
            parts.into_iter().map(|(case, done)| CaseResult::new(PEER, case, done))
        })
        .collect()
}

/// One portfolio.
fn case(oracles: &Path, data: &Path, folder: &Path) -> Compared {
    let case = read_case(folder)?;
    let call = &case["call"];
    let inputs = Inputs::read(oracles, data, folder, &case)?;
    let settings = settings(call, &inputs);
    let equity = Table::read(&folder.join("equity.parquet")).map_err(failed)?;
    let stored = rows(&folder.join("orders.csv"))?;
    let (mut compared, mut largest) = (0, 0.0f64);
    for account in inputs.accounts(call) {
        let panel = Joined::new(&inputs.bundle(&account), &[], &Window::default(), &[]).map_err(failed)?;
        let mut workspace = Workspace::default();
        let record = Record { fills: true, bars: true, ..Record::default() };
        if call["method"] == "Portfolio.from_orders" {
            let mut strategy = orders::Orders::new(call, &inputs, &account)?;
            simulate(&panel, &mut |desk: &mut Desk<'_>| strategy.next(desk), &settings, record, &mut workspace);
        } else {
            let mut strategy = signals::Signals::new(call, &inputs, &account)?;
            simulate(&panel, &mut |desk: &mut Desk<'_>| strategy.next(desk), &settings, record, &mut workspace);
        }
        let lead = inputs.lead();
        let mut ours: Vec<Entry> = Vec::new();
        for fill in &workspace.account.fills {
            let symbol = account.columns[fill.symbol as usize];
            let entry = Entry {
                bar: fill.bar as usize - lead,
                key: symbol,
                symbol: inputs.symbols[symbol].clone(),
                quantity: fill.quantity,
                price: fill.price,
                fee: fill.fee,
            };
            // What one stop closes, fills once for each entry that it closes here.
            match ours.last_mut().filter(|last| {
                (last.bar, last.key, last.price) == (entry.bar, entry.key, entry.price)
                    && (last.quantity > 0.0) == (entry.quantity > 0.0)
            }) {
                Some(last) => {
                    last.quantity += entry.quantity;
                    last.fee += entry.fee;
                }
                None => ours.push(entry),
            }
        }
        let own = |row: &&Row| account.columns.iter().any(|&column| inputs.symbols[column] == row.text("symbol"));
        let theirs: Vec<Entry> = stored.iter().filter(own).map(|row| entry(row, &inputs)).collect::<Result<_, _>>()?;
        largest = largest.max(same_fills(&ours, &theirs, settings.capital).map_err(failed)?);
        let expected = equity.floats(&account.equity_column(&equity, &inputs)).map_err(failed)?;
        let found = workspace.bar_equity.get(lead..).unwrap_or_default();
        largest = largest.max(same_series("equity", found, &expected, settings.capital).map_err(failed)?);
        compared += (theirs.len() * 5 + expected.len()) as u64;
    }
    Ok((Verdict::Exact, compared, largest))
}

fn entry(row: &Row, inputs: &Inputs) -> Result<Entry, Verdict> {
    let sign = if row.text("side") == "buy" { 1.0 } else { -1.0 };
    let symbol = row.text("symbol");
    Ok(Entry {
        bar: row.count("bar")?,
        key: inputs.symbols.iter().position(|known| known == symbol).unwrap_or(usize::MAX),
        symbol: symbol.to_string(),
        quantity: sign * row.number("size"),
        price: row.number("price"),
        fee: row.number("fee"),
    })
}

/// The preset with the call's arguments.
fn settings(call: &Value, inputs: &Inputs) -> Settings {
    let number = |key: &str| call[key].as_f64().unwrap_or(0.0);
    let granularity = number("size_granularity");
    let own = Conventions::Vectorbt.settings();
    let exit_price = call["stop_exit_price"].as_str().unwrap_or("stoplimit").to_lowercase();
    let longs_only = match call["direction"].as_str().map(str::to_lowercase).as_deref() {
        Some("longonly") => true,
        // Without separate signals the default of signals is long only.
        None => call["method"] != "Portfolio.from_orders" && call["short_entries"].is_null(),
        _ => false,
    };
    let mut settings = Settings {
        capital: call["init_cash"].as_f64().unwrap_or(100.0),
        fill: if inputs.at_open { Fill::NextOpen } else { Fill::SameClose },
        sequence: if call["call_seq"] == "auto" { Sequence::ByValue } else { Sequence::Symbol },
        shorts: !longs_only || call["upon_stop_exit"].as_str().is_some_and(|upon| upon.starts_with("reverse")),
        fractional: granularity == 0.0,
        lot: if granularity == 0.0 { 1.0 } else { granularity },
        min_order: call["min_size"].as_f64().unwrap_or(own.min_order),
        max_order: number("max_size"),
        unaffordable: if call["allow_partial"] == false { Unaffordable::Reject } else { Unaffordable::Cut },
        lock_short_cash: call["lock_cash"] == true,
        exit_fill: if matches!(&*exit_price, "close" | "price") { ExitFill::Close } else { ExitFill::Level },
        exit_slippage: exit_price != "stoplimit",
        levels_from: if call["stop_entry_price"] == "fillprice" { LevelsFrom::Fill } else { LevelsFrom::Market },
        ..own
    };
    settings.costs.bps = number("fees") * 1e4;
    settings.costs.per_trade = number("fixed_fees");
    settings.costs.slippage_bps = number("slippage") * 1e4;
    settings
}

/// A size that may be infinite: then it is all that the account can pay for.
fn units_or_all(units: f64) -> Size {
    if units.is_infinite() { Size::BuyingPower(units.signum()) } else { Size::Shares(units) }
}

/// Takes back what did not fill at the bar that it was meant for.
fn take_back(desk: &mut Desk<'_>, account: &Account) {
    for symbol in 0..account.columns.len() {
        for ticket in desk.open_orders(symbol) {
            desk.cancel(ticket);
        }
    }
}

/// Places an order where the bar that it is meant for exists, as far as can be known.
fn place(desk: &mut Desk<'_>, inputs: &Inputs, order: Order) -> Option<sandtable_core::engine::Ticket> {
    if inputs.at_open || desk.has_bar(order.symbol) { desk.place(order) } else { None }
}
