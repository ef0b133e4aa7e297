//! Replays of stored orders: what a peer's strategy asked for is placed again through the order API, and the simulator
//! decides what becomes of it.
//!
//! Given stored fills and series and what a run gave, this module compares them. It never knows whose they are.

use std::collections::BTreeMap;
use std::path::Path;

use sandtable_core::engine::{Desk, Ticket};
use sandtable_core::ledger::Fill;

use super::Verdict;
use super::simulated::difference;

/// Money may differ by this part of the initial cash; prices, quantities and fees by this part of themselves.
pub const TOLERANCE: f64 = 1e-9;

/// What a comparison comes to: verdict, numbers compared, largest difference.
pub type Compared = Result<(Verdict, u64, f64), Verdict>;

/// An error as a verdict.
pub fn failed(error: impl std::fmt::Display) -> Verdict {
    Verdict::Failed(error.to_string())
}

/// One row of a CSV file by the names of its columns.
#[derive(Clone, Debug)]
pub struct Row(BTreeMap<String, String>);

impl Row {
    /// A number; NaN where there is none.
    pub fn number(&self, name: &str) -> f64 {
        self.text(name).parse().unwrap_or(f64::NAN)
    }

    /// A number, if there is one.
    pub fn given(&self, name: &str) -> Option<f64> {
        self.text(name).parse().ok()
    }

    /// A number that counts something.
    pub fn count(&self, name: &str) -> Result<usize, Verdict> {
        let number = self.number(name);
        if number >= 0.0 && number.fract() == 0.0 {
            Ok(number as usize)
        } else {
            Err(failed(format!("column `{name}` holds `{}`, not a count", self.text(name))))
        }
    }

    /// Text; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// The rows of a CSV file with a header.
pub fn rows(path: &Path) -> Result<Vec<Row>, Verdict> {
    let name = |error: csv::Error| failed(format!("{}: {error}", path.display()));
    let mut reader = csv::Reader::from_path(path).map_err(name)?;
    reader.deserialize().map(|row| row.map(Row).map_err(name)).collect()
}

/// The contents of a case's `case.json`.
pub fn read_case(folder: &Path) -> Result<serde_json::Value, Verdict> {
    let path = folder.join("case.json");
    let text = std::fs::read_to_string(&path).map_err(|error| failed(format!("{}: {error}", path.display())))?;
    serde_json::from_str(&text).map_err(|error| failed(format!("{}: {error}", path.display())))
}

/// A fill to compare: which order it belongs to is the meaning of `key`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Bar of the run.
    pub bar: usize,
    /// Number of the order, or what else tells the fills of one bar apart.
    pub key: usize,
    /// Symbol.
    pub symbol: String,
    /// Signed quantity.
    pub quantity: f64,
    /// Price.
    pub price: f64,
    /// Commission.
    pub fee: f64,
}

/// Compares fills pair by pair, and gives the largest relative difference. A quantity or a fee that differs by less
/// money than the tolerance of the account counts as equal: the rest of a rebalance is a small difference of large
/// numbers.
pub fn same_fills(ours: &[Entry], theirs: &[Entry], capital: f64) -> Result<f64, String> {
    let mut largest: f64 = 0.0;
    for (k, (own, their)) in ours.iter().zip(theirs).enumerate() {
        if (own.bar, own.key, &own.symbol) != (their.bar, their.key, &their.symbol) {
            return Err(format!("fill {k} is {}, expected {}", shown(own), shown(their)));
        }
        let part = |a: f64, b: f64| difference(a, b) / b.abs().max(1e-300);
        let money = |units: f64, fee: f64| (units * their.price).abs().max(fee.abs()) / capital;
        let off_price = part(own.price, their.price);
        let off_quantity = part(own.quantity, their.quantity).min(money(own.quantity - their.quantity, 0.0));
        let off_fee = part(own.fee, their.fee).min(money(0.0, own.fee - their.fee));
        let off = off_price.max(off_quantity).max(off_fee);
        if off.is_nan() || off > TOLERANCE {
            return Err(format!("fill {k} is {}, expected {}", shown(own), shown(their)));
        }
        largest = largest.max(off);
    }
    match (ours.get(theirs.len()), theirs.get(ours.len())) {
        (Some(own), _) => Err(format!("{} fills, expected {}: {} is new", ours.len(), theirs.len(), shown(own))),
        (_, Some(their)) => {
            Err(format!("{} fills, expected {}: {} is missing", ours.len(), theirs.len(), shown(their)))
        }
        _ => Ok(largest),
    }
}

fn shown(entry: &Entry) -> String {
    let Entry { bar, key, symbol, quantity, price, fee } = entry;
    format!("{quantity} {symbol} at {price} (fee {fee}, bar {bar}, order {key})")
}

/// Compares two series in units of `scale`, and gives the largest difference.
pub fn same_series(what: &str, ours: &[f64], theirs: &[f64], scale: f64) -> Result<f64, String> {
    if ours.len() != theirs.len() {
        return Err(format!("{what} has {} values, expected {}", ours.len(), theirs.len()));
    }
    let mut largest: f64 = 0.0;
    for (bar, (&own, &their)) in ours.iter().zip(theirs).enumerate() {
        let off = difference(own, their) / scale;
        if off.is_nan() || off > TOLERANCE {
            return Err(format!("{what} at bar {bar} is {own}, expected {their}"));
        }
        largest = largest.max(off);
    }
    Ok(largest)
}

/// The largest difference of two series in units of `scale`, whatever it is.
pub fn distance(ours: &[f64], theirs: &[f64], scale: f64) -> f64 {
    ours.iter().zip(theirs).map(|(&a, &b)| difference(a, b) / scale).fold(0.0, f64::max)
}

/// What a replayed strategy saw, bar by bar.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Executions with their orders.
    pub fills: Vec<(Ticket, Fill)>,
    /// Equity.
    pub equity: Vec<f64>,
    /// Cash.
    pub cash: Vec<f64>,
    /// Units held of each symbol.
    pub positions: Vec<Vec<f64>>,
}

impl Seen {
    /// Notes what a strategy sees at a bar; call it first.
    pub fn look(&mut self, desk: &Desk<'_>) {
        self.fills.extend(desk.fills());
        self.equity.push(desk.equity());
        self.cash.push(desk.cash());
        self.positions.push((0..desk.symbols().len()).map(|symbol| desk.position(symbol)).collect());
    }
}
