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
use std::slice::from_ref;

use sandtable_core::context::{Panel as Joined, Window};
use sandtable_core::engine::{Desk, Order, Record, Size, Workspace, simulate};
use sandtable_core::plan::{Conventions, ExitFill, Fill, LevelsFrom, Sequence, Settings, Unaffordable};
use serde_json::Value;

use super::replay::{Compared, Entry, Row, distance, failed, read_case, rows, same_fills, same_series};
use super::table::Table;
use super::{CaseResult, Verdict};
use inputs::{Account, Inputs};
use signals::Known;

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
    let stops = !(call["sl_stop"].is_null() && call["tp_stop"].is_null());
    let at_price = call["stop_exit_price"].as_str().is_some_and(|word| word.eq_ignore_ascii_case("price"));
    let (mut compared, mut largest, mut replaced, mut natural) = (0, 0.0f64, 0, 0.0f64);
    for account in inputs.accounts(call) {
        let own = |row: &&Row| account.columns.iter().any(|&column| inputs.symbols[column] == row.text("symbol"));
        let theirs: Vec<Entry> = stored.iter().filter(own).map(|row| entry(row, &inputs)).collect::<Result<_, _>>()?;
        let expected = equity.floats(&account.equity_column(&equity, &inputs)).map_err(failed)?;
        let (mut known, mut first) = (Known::new(), None);
        loop {
            let (ours, found) = portfolio(call, &inputs, &account, &settings, &known)?;
            let agreed = same_fills(&ours, &theirs, settings.capital)
                .and_then(|fills| Ok(fills.max(same_series("equity", &found, &expected, settings.capital)?)));
            if known.is_empty() {
                natural = natural.max(distance(&found, &expected, settings.capital));
            }
            let difference = match agreed {
                Ok(off) => {
                    largest = largest.max(off);
                    break;
                }
                Err(difference) => difference,
            };
            first.get_or_insert(difference.clone());
            // A stop of the peer that is touched during a bar may have taken the turn of an order at its open.
            let stopped = |place: &(usize, usize)| theirs.iter().any(|fill| (fill.key, fill.bar) == *place);
            let place = first_difference(&ours, &theirs, settings.capital)
                .filter(|place| stops && inputs.at_open && stopped(place) && !known.contains_key(place));
            match place {
                Some(place) => known.insert(place, at_price),
                None => return Err(failed(first.unwrap_or(difference))),
            };
        }
        replaced += known.len();
        compared += (theirs.len() * 5 + expected.len()) as u64;
    }
    let verdict = match replaced {
        0 => Verdict::Exact,
        _ => Verdict::Documented(format!(
            "at {replaced} bars the peer lets a stop that is touched during the bar take the turn of the signals, which \
             fill at the open before it{}; told of these bars, everything agrees, without that equity differs by at most \
             {natural:.1e} of the capital",
            if at_price { ", and closes at that open" } else { "" },
        )),
    };
    Ok((verdict, compared, largest))
}

/// Fills and equity of one account.
fn portfolio(
    call: &Value,
    inputs: &Inputs,
    account: &Account,
    settings: &Settings,
    known: &Known,
) -> Result<(Vec<Entry>, Vec<f64>), Verdict> {
    let panel = Joined::new(&inputs.bundle(account), &[], &Window::default(), &[]).map_err(failed)?;
    let mut workspace = Workspace::default();
    let record = Record { fills: true, bars: true, ..Record::default() };
    if call["method"] == "Portfolio.from_orders" {
        let mut strategy = orders::Orders::new(call, inputs, account)?;
        simulate(&panel, &mut |desk: &mut Desk<'_>| strategy.next(desk), settings, record, &mut workspace);
    } else {
        let mut strategy = signals::Signals::new(call, inputs, account, known)?;
        simulate(&panel, &mut |desk: &mut Desk<'_>| strategy.next(desk), settings, record, &mut workspace);
    }
    let mut fills: Vec<Entry> = Vec::new();
    for fill in &workspace.account.fills {
        let column = account.columns[fill.symbol as usize];
        fills.push(Entry {
            bar: inputs.place_of(panel.timeline[fill.bar as usize]).unwrap_or(usize::MAX),
            key: column,
            symbol: inputs.symbols[column].clone(),
            quantity: fill.quantity,
            price: fill.price,
            fee: fill.fee,
        });
    }
    Ok((fills, inputs.spread(&panel.timeline, &workspace.bar_equity, settings.capital)))
}

/// Column and bar of the first fill that differs.
fn first_difference(ours: &[Entry], theirs: &[Entry], capital: f64) -> Option<(usize, usize)> {
    let same = |own: &Entry, their: &Entry| same_fills(from_ref(own), from_ref(their), capital).is_ok();
    let agreed = ours.iter().zip(theirs).take_while(|(own, their)| same(own, their)).count();
    let next = [ours.get(agreed), theirs.get(agreed)].into_iter().flatten();
    next.min_by_key(|fill| fill.bar).map(|fill| (fill.key, fill.bar))
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
