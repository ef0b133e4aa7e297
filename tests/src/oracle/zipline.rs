//! Runs of zipline: daily orders over several sessions, volume limits, slippage models, splits and dividends.
//!
//! Given a case folder (`case.json`, `submitted.csv`, `order_states.csv`, `orders.csv`, `equity.parquet`), this module
//! places what was submitted and cancels what was cancelled, session by session, under the switches of the preset and
//! the case's costs, and compares fills, equity, cash and positions.

use std::collections::BTreeMap;
use std::path::Path;

use sandtable_core::bundle::{Action, Bundle, PriceBasis};
use sandtable_core::calendar::parse_date;
use sandtable_core::context::{Panel as Joined, Window};
use sandtable_core::engine::{Desk, Kind, Order, Record, Size, Ticket, Workspace, simulate};
use sandtable_core::plan::{BeyondLimit, Conventions, Costs, Settings};
use serde_json::Value;

use super::replay::{Compared, Entry, Row, Seen, failed, read_case, rows, same_fills, same_series};
use super::simulated::bundle;
use super::table::{Panel, Table, locate};
use super::{CaseResult, Verdict};

const PEER: &str = "zipline";

/// Compares every case folder below `<oracles>/zipline`.
pub fn run(oracles: &Path, data: &Path, filter: Option<&str>) -> Vec<CaseResult> {
    super::case_folders(&oracles.join("zipline"), PEER, filter)
        .into_iter()
        .map(|(name, folder)| CaseResult::new(PEER, name, case(oracles, data, &folder)))
        .collect()
}

fn case(oracles: &Path, data: &Path, folder: &Path) -> Compared {
    let case = read_case(folder)?;
    let whole = case_bundle(oracles, data, folder, &case["data"])?;
    let date = |key: &str| case[key].as_str().and_then(|text| text.get(..10)).and_then(parse_date);
    let window = Window { from: date("start"), to: date("end"), ..Window::default() };
    let panel = Joined::new(&whole, &[], &window, &[]).map_err(failed)?;
    let settings = settings(&case)?;
    let submitted = Submitted::read(folder, &panel)?;

    let mut seen = Seen::default();
    let mut tickets: BTreeMap<usize, Ticket> = BTreeMap::new();
    let mut strategy = |desk: &mut Desk<'_>| {
        seen.look(desk);
        for number in submitted.cancelled.get(&desk.bar()).into_iter().flatten() {
            if let Some(&ticket) = tickets.get(number) {
                desk.cancel(ticket);
            }
        }
        for &(number, order) in submitted.placed.get(&desk.session()).into_iter().flatten() {
            if let Some(ticket) = desk.place(order) {
                tickets.insert(number, ticket);
            }
        }
    };
    simulate(&panel, &mut strategy, &settings, Record::default(), &mut Workspace::default());

    let number_of: BTreeMap<Ticket, usize> = tickets.iter().map(|(&number, &ticket)| (ticket, number)).collect();
    let mut ours: Vec<Entry> = seen
        .fills
        .iter()
        .map(|&(ticket, fill)| Entry {
            bar: fill.bar as usize - panel.start,
            key: number_of.get(&ticket).copied().unwrap_or(usize::MAX),
            symbol: panel.symbols[fill.symbol as usize].clone(),
            quantity: fill.quantity,
            price: fill.price,
            fee: fill.fee,
        })
        .collect();
    let mut theirs = rows(&folder.join("orders.csv"))?.iter().map(stored_fill).collect::<Result<Vec<_>, _>>()?;
    // Within a bar the order of the symbols changes nothing: there is no check of cash.
    for fills in [&mut ours, &mut theirs] {
        fills.sort_by_key(|fill| (fill.bar, fill.key));
    }
    let mut largest = same_fills(&ours, &theirs, settings.capital).map_err(failed)?;
    let mut compared = theirs.len() as u64 * 6;

    let table = Table::read(&folder.join("equity.parquet")).map_err(failed)?;
    let mut series = |what: &str, ours: &[f64], scale: f64| -> Result<(), Verdict> {
        let theirs = table.floats(what).map_err(failed)?;
        largest = largest.max(same_series(what, ours, &theirs, scale).map_err(failed)?);
        compared += theirs.len() as u64;
        Ok(())
    };
    series("equity", &seen.equity, settings.capital)?;
    series("cash", &seen.cash, settings.capital)?;
    for (symbol, name) in panel.symbols.iter().enumerate() {
        let column = format!("position_{name}");
        if table.get(&column).is_some() {
            let units: Vec<f64> = seen.positions.iter().map(|held| held[symbol]).collect();
            series(&column, &units, 1.0)?;
        }
    }
    Ok((Verdict::Exact, compared, largest))
}

fn case_bundle(oracles: &Path, data: &Path, folder: &Path, named: &Value) -> Result<Bundle, Verdict> {
    let file = named["file"].as_str().unwrap_or_default();
    let panel = Panel::read(&locate(oracles, data, folder, file).map_err(failed)?).map_err(failed)?;
    let listed: Vec<&str> = named["symbols"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let listed = if listed.is_empty() { panel.symbols.iter().map(String::as_str).collect() } else { listed };
    let mut series = Vec::new();
    for symbol in listed {
        series.push((symbol.to_string(), panel.bars(symbol).map_err(failed)?.clone()));
    }
    let whole = bundle(series);
    let actions = match named["actions"].as_str() {
        Some(file) => actions(&locate(oracles, data, folder, file).map_err(failed)?, &whole.symbols)?,
        None => Vec::new(),
    };
    Ok(Bundle { prices: PriceBasis::Raw, actions, ..whole })
}

/// Splits and cash dividends, ascending by symbol and date.
fn actions(path: &Path, symbols: &[String]) -> Result<Vec<Action>, Verdict> {
    let mut actions = Vec::new();
    for row in rows(path)? {
        let Some(symbol) = symbols.iter().find(|symbol| symbol.as_str() == row.text("symbol")) else { continue };
        let date = |name: &str| row.text(name).get(..10).and_then(parse_date);
        actions.push(Action {
            symbol: symbol.clone(),
            ex_date: date("ex_date").ok_or_else(|| failed(format!("{}: an action without a date", path.display())))?,
            pay_date: date("pay_date"),
            split_ratio: row.given("split_ratio").unwrap_or(1.0),
            cash_dividend: row.given("cash").unwrap_or(0.0),
        });
    }
    // On one day dividends come before splits: they are paid on the shares held before.
    actions.sort_by(|a, b| {
        let key = |action: &Action| (action.symbol.clone(), action.ex_date, action.split_ratio != 1.0);
        key(a).cmp(&key(b))
    });
    Ok(actions)
}

fn stored_fill(row: &Row) -> Result<Entry, Verdict> {
    let sign = if row.text("side") == "buy" { 1.0 } else { -1.0 };
    Ok(Entry {
        bar: row.count("bar")?,
        key: row.count("order")?,
        symbol: row.text("symbol").to_string(),
        quantity: sign * row.number("size"),
        price: row.number("price"),
        fee: row.number("fee"),
    })
}

/// What the strategy did: orders by session, cancellations by bar.
struct Submitted {
    placed: BTreeMap<i32, Vec<(usize, Order)>>,
    cancelled: BTreeMap<usize, Vec<usize>>,
}

impl Submitted {
    fn read(folder: &Path, panel: &Joined) -> Result<Submitted, Verdict> {
        let mut placed: BTreeMap<i32, Vec<(usize, Order)>> = BTreeMap::new();
        for row in rows(&folder.join("submitted.csv"))? {
            let session = row.text("session").get(..10).and_then(parse_date);
            let session = session.ok_or_else(|| failed("submitted.csv: a row without a session"))?;
            let symbol = panel.symbols.iter().position(|symbol| symbol == row.text("symbol"));
            let symbol = symbol.ok_or_else(|| failed(format!("submitted.csv: no symbol {}", row.text("symbol"))))?;
            let kind = match (row.given("limit"), row.given("stop")) {
                (None, None) => Kind::Market,
                (Some(limit), None) => Kind::Limit(limit),
                (None, Some(stop)) => Kind::Stop(stop),
                (Some(limit), Some(stop)) => Kind::StopLimit { stop, limit },
            };
            let order = Order { kind, ..Order::market(symbol, Size::Shares(row.number("amount"))) };
            placed.entry(session).or_default().push((row.count("order")?, order));
        }
        let mut cancelled: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for row in rows(&folder.join("order_states.csv"))? {
            if row.text("status").eq_ignore_ascii_case("cancelled") {
                cancelled.entry(row.count("bar")?).or_default().push(row.count("order")?);
            }
        }
        Ok(Submitted { placed, cancelled })
    }
}

/// The preset with the case's capital, commission and slippage.
fn settings(case: &Value) -> Result<Settings, Verdict> {
    let mut settings = Conventions::Zipline.settings();
    settings.capital = case["initial_cash"].as_f64().unwrap_or(100_000.0);
    settings.costs = Costs::default();
    settings.volume_limit = 0.0;
    let text = |key: &str| case["costs"][key].as_str().unwrap_or_default();
    commission(&Model::parse(text("commission")), &mut settings.costs)?;
    slippage(&Model::parse(text("slippage")), &mut settings)?;
    Ok(settings)
}

fn commission(model: &Model, costs: &mut Costs) -> Result<(), Verdict> {
    match model.name.as_str() {
        "PerShare" | "" => {
            costs.per_share = model.argument(&["cost"], 0, 0.001);
            costs.per_share_minimum = model.argument(&["min"], 1, 0.0);
        }
        "PerTrade" => costs.per_trade = model.argument(&["cost"], 0, 0.0),
        "PerDollar" => costs.bps = 1e4 * model.argument(&["cost"], 0, 0.0015),
        "NoCommission" => {}
        other => return Err(Verdict::Unsupported(format!("the commission model {other}"))),
    }
    Ok(())
}

fn slippage(model: &Model, settings: &mut Settings) -> Result<(), Verdict> {
    match model.name.as_str() {
        "FixedSlippage" => settings.costs.spread_amount = model.argument(&["spread"], 0, 0.0),
        "FixedBasisPointsSlippage" | "" => {
            settings.costs.slippage_bps = model.argument(&["basis", "bps"], 0, 5.0);
            settings.volume_limit = model.argument(&["vol"], 1, 0.1);
        }
        "VolumeShareSlippage" => {
            settings.volume_limit = model.argument(&["vol"], 0, 0.025);
            settings.costs.volume_impact = model.argument(&["impact"], 1, 0.1);
            settings.beyond_limit = BeyondLimit::Wait;
        }
        "NoSlippage" => {}
        other => return Err(Verdict::Unsupported(format!("the slippage model {other}"))),
    }
    Ok(())
}

/// A model as Python writes it: `PerShare(cost_per_share=0.001, min_trade_cost=1.0)`, arguments named or in order.
#[derive(Debug, PartialEq)]
struct Model {
    name: String,
    arguments: Vec<(Option<String>, f64)>,
}

impl Model {
    fn parse(text: &str) -> Model {
        let text = text.strip_prefix("default:").unwrap_or(text).trim();
        let (name, rest) = text.split_once('(').unwrap_or((text, ""));
        let inside = rest.rsplit_once(')').map_or(rest, |(inside, _)| inside);
        let parts = inside.split(',').map(str::trim).filter(|part| !part.is_empty());
        let arguments = parts.map(|part| {
            let (key, value) = match part.split_once('=') {
                Some((key, value)) => (Some(key.trim().to_lowercase()), value),
                None => (None, part),
            };
            (key, value.trim().trim_start_matches('$').replace('_', "").parse().unwrap_or(f64::NAN))
        });
        let name = name.rsplit('.').next().unwrap_or_default().trim().to_string();
        Model { name, arguments: arguments.collect() }
    }

    /// The argument whose name contains one of `names`, or without a name the one in this place.
    fn argument(&self, names: &[&str], place: usize, default: f64) -> f64 {
        let named = self.arguments.iter().find(|(key, _)| {
            key.as_ref().is_some_and(|key| {
                // `min_trade_cost` names a cost too.
                names.iter().any(|name| key.contains(name)) && (key.contains("min") == names.contains(&"min"))
            })
        });
        let placed = self.arguments.get(place).filter(|(key, _)| key.is_none());
        named.or(placed).map_or(default, |&(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_read_with_named_and_placed_arguments() {
        let model = Model::parse("default: PerShare(cost=0.001, min_trade_cost=2)");
        assert_eq!((model.argument(&["cost"], 0, 9.0), model.argument(&["min"], 1, 9.0)), (0.001, 2.0));
        let model = Model::parse("slippage.VolumeShareSlippage( 0.02, price_impact=0.15, )");
        assert_eq!(model.name, "VolumeShareSlippage");
        assert_eq!((model.argument(&["vol"], 0, 9.0), model.argument(&["impact"], 1, 9.0)), (0.02, 0.15));
        assert_eq!(Model::parse("PerTrade(1_000)").argument(&["cost"], 0, 9.0), 1000.0);
        assert_eq!(Model::parse("FixedSlippage()").argument(&["spread"], 0, 0.5), 0.5);
        assert_eq!(Model::parse("PerShare(min_trade_cost=3)").argument(&["cost"], 0, 0.001), 0.001);
    }
}
