//! What a call was fed: bars, arrays of arguments, and which columns share an account.

use std::path::Path;

use sandtable_core::bundle::{Bars, Bundle};
use serde_json::Value;

use crate::oracle::Verdict;
use crate::oracle::replay::failed;
use crate::oracle::simulated::bundle;
use crate::oracle::table::{Panel, Table, locate};

/// The columns of a case and their bars on one timeline.
pub struct Inputs {
    /// Names of the columns, in their order.
    pub symbols: Vec<String>,
    /// Whether orders fill at the open (or another given price) of the bar after the decision.
    pub at_open: bool,
    bars: Vec<Bars>,
    table: Table,
    stamps: Vec<i64>,
}

/// Columns that share one cash.
pub struct Account {
    /// Their places among all columns; the symbols of the account in their order.
    pub columns: Vec<usize>,
    number: usize,
    alone: bool,
}

/// An argument: one value, or one for each bar and column.
pub enum Argument {
    /// The same everywhere.
    One(f64),
    /// By column of the account, then bar.
    Many(Vec<Vec<f64>>),
}

impl Argument {
    /// Its value for a symbol of the account at a bar; NaN where there is none.
    pub fn at(&self, symbol: usize, bar: usize) -> f64 {
        match self {
            Argument::One(value) => *value,
            Argument::Many(columns) => columns[symbol].get(bar).copied().unwrap_or(f64::NAN),
        }
    }

    /// Whether it is true there.
    pub fn holds(&self, symbol: usize, bar: usize) -> bool {
        self.at(symbol, bar) == 1.0
    }
}

impl Inputs {
    /// Reads a case folder.
    pub fn read(oracles: &Path, data: &Path, folder: &Path, case: &Value) -> Result<Inputs, Verdict> {
        let (named, call) = (&case["data"], &case["call"]);
        let table = Table::read(&folder.join("inputs.parquet")).map_err(failed)?;
        let stamps = table.times("timestamp").map_err(failed)?.to_vec();
        let symbols: Vec<String> =
            named["symbols"].as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from).collect();
        let mut bars = series_of(oracles, data, folder, named)?;
        for (symbol, own) in symbols.iter().zip(&mut bars) {
            // Closes that were made for the call, say filled forward, stand beside the signals.
            if table.get(&format!("close_{symbol}")).is_some() {
                *own = of_closes(&stamps, &table.floats(&format!("close_{symbol}")).map_err(failed)?);
            }
        }
        let at_open = match call["price"].as_str() {
            None => false,
            Some(text) if text.ends_with(": close") => false,
            Some(text) if text.ends_with(": open") => true,
            Some(_) => {
                // A price of its own stands where the open would.
                for (symbol, own) in symbols.iter().zip(&mut bars) {
                    let prices = table.floats(&format!("price_{symbol}")).map_err(failed)?;
                    for (time, open) in own.time.iter().zip(&mut own.open) {
                        let place = stamps.binary_search(time).ok();
                        *open = place.and_then(|place| prices.get(place)).copied().unwrap_or(f64::NAN);
                    }
                }
                true
            }
        };
        if at_open {
            bars.iter_mut().for_each(|bars| lead_in(bars, &stamps));
        }
        Ok(Inputs { symbols, at_open, bars, table, stamps })
    }

    /// The place of a timestamp among the bars of the call; `None` for the bar put before them.
    pub fn place_of(&self, time: i64) -> Option<usize> {
        self.stamps.binary_search(&time).ok()
    }

    /// A series over some timestamps as one over all bars of the call: what is missing is as it was before.
    pub fn spread(&self, times: &[i64], values: &[f64], before: f64) -> Vec<f64> {
        let last = |stamp: i64| times.partition_point(|&time| time <= stamp).checked_sub(1);
        self.stamps.iter().map(|&stamp| last(stamp).and_then(|at| values.get(at)).copied().unwrap_or(before)).collect()
    }

    /// The accounts of the call.
    pub fn accounts(&self, call: &Value) -> Vec<Account> {
        let shared = call["cash_sharing"] == true;
        let all: Vec<usize> = (0..self.symbols.len()).collect();
        if !shared || self.symbols.len() == 1 {
            let alone = self.symbols.len() > 1;
            return all.iter().map(|&column| Account { columns: vec![column], number: column, alone }).collect();
        }
        let Some(groups) = call["group_by"].as_array() else {
            return vec![Account { columns: all, number: 0, alone: false }];
        };
        let mut names: Vec<&Value> = Vec::new();
        for group in groups {
            if !names.contains(&group) {
                names.push(group);
            }
        }
        let of = |name: &Value| all.iter().copied().filter(|&column| groups.get(column) == Some(name)).collect();
        names.iter().enumerate().map(|(number, name)| Account { columns: of(name), number, alone: false }).collect()
    }

    /// The bars of an account, named so that their order is that of the columns.
    pub fn bundle(&self, account: &Account) -> Bundle {
        let named = |(place, &column): (usize, &usize)| {
            (format!("{place:05} {}", self.symbols[column]), self.bars[column].clone())
        };
        bundle(account.columns.iter().enumerate().map(named).collect())
    }

    /// An argument of the call; `absent` where it is not given.
    pub fn argument(&self, call: &Value, name: &str, account: &Account, absent: f64) -> Result<Argument, Verdict> {
        let given = &call[name];
        Ok(match given {
            Value::Null => Argument::One(absent),
            Value::Bool(flag) => Argument::One(f64::from(u8::from(*flag))),
            Value::Number(number) => Argument::One(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) if text == "inf" => Argument::One(f64::INFINITY),
            Value::String(_) => {
                let mut columns = Vec::new();
                for &column in &account.columns {
                    columns.push(self.column(&format!("{name}_{}", self.symbols[column]))?);
                }
                Argument::Many(columns)
            }
            other => return Err(failed(format!("the argument {name} is {other}"))),
        })
    }

    fn column(&self, name: &str) -> Result<Vec<f64>, Verdict> {
        if let Ok(values) = self.table.floats(name) {
            return Ok(values);
        }
        let flags = self.table.bools(name).map_err(failed)?;
        Ok(flags.iter().map(|&flag| f64::from(u8::from(flag))).collect())
    }

    /// The bar of the call that a decision at this timestamp is for: with fills at the open the one after.
    pub fn bar_of(&self, time: i64) -> usize {
        let after = self.stamps.partition_point(|&stamp| stamp <= time);
        if self.at_open { after } else { after.saturating_sub(1) }
    }
}

impl Account {
    /// The column of a table of equities that is this account's.
    pub fn equity_column(&self, table: &Table, inputs: &Inputs) -> String {
        let own = if self.alone {
            format!("equity_{}", inputs.symbols[self.columns[0]])
        } else {
            format!("equity_{}", self.number)
        };
        if table.get(&own).is_some() { own } else { "equity".into() }
    }
}

/// The bars of a case's data file, one entry for each of its symbols in their order.
fn series_of(oracles: &Path, data: &Path, folder: &Path, named: &Value) -> Result<Vec<Bars>, Verdict> {
    let text = |key: &str| named[key].as_str();
    let path = locate(oracles, data, folder, text("file").unwrap_or_default()).map_err(failed)?;
    let panel = Panel::read(&path).map_err(failed)?;
    let symbols = named["symbols"].as_array().cloned().unwrap_or_default();
    let mut series = Vec::new();
    for symbol in symbols.iter().filter_map(Value::as_str) {
        let stored = if panel.symbols == [""] { "" } else { symbol };
        series.push(panel.between(stored, text("start"), text("end")).map_err(failed)?);
    }
    Ok(series)
}

/// The bars of a case's data file as a bundle.
pub fn bundle_of(oracles: &Path, data: &Path, folder: &Path, named: &Value) -> Result<Bundle, Verdict> {
    let series = series_of(oracles, data, folder, named)?;
    let symbols = named["symbols"].as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from);
    Ok(bundle(symbols.zip(series).collect()))
}

fn of_closes(stamps: &[i64], closes: &[f64]) -> Bars {
    let known = || stamps.iter().zip(closes).filter(|(_, close)| !close.is_nan());
    let close: Vec<f64> = known().map(|(_, &close)| close).collect();
    Bars {
        time: known().map(|(&time, _)| time).collect(),
        session: known().map(|(&time, _)| sandtable_core::calendar::utc_date(time)).collect(),
        open: close.clone(),
        high: close.clone(),
        low: close.clone(),
        volume: vec![1.0; close.len()],
        close,
    }
}

/// Puts a bar before the first of the call, at the first open, where the series begins with the call.
fn lead_in(bars: &mut Bars, stamps: &[i64]) {
    let (Some(&first), Some(&own)) = (stamps.first(), bars.time.first()) else { return };
    let price = if own == first { bars.open[0] } else { bars.close[0] };
    // A symbol that begins later has no price yet, and no order: its size is undefined there.
    if own == first {
        bars.time.insert(0, first - 1);
        bars.session.insert(0, bars.session[0]);
        for column in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close] {
            column.insert(0, price);
        }
        bars.volume.insert(0, 1.0);
    }
}
