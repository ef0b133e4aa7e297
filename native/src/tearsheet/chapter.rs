//! Parts of the folder that other commands wrote as JSON: told in words and tables, whatever they hold.
//!
//! Objects become headings, plain values a table of two columns, lists of objects a table of many, fans of wealth a
//! picture. So a part that grows is shown whole before this file knows it.

use sandtable_core::{Result, metrics};
use serde_json::{Map, Value};

use super::{FOLDS, JUDGED, Tearsheet};
use crate::view::document::{Block, Plot};
use crate::view::number;
use crate::view::plot::Fan;

/// Rows of a table, entries of a list in a cell, and headings within each other, at most.
const MOST_ROWS: usize = 60;
const MOST_ENTRIES: usize = 12;
const MOST_DEPTH: usize = 4;
/// Names of texts that are told before everything else.
const SENTENCES: [&str; 4] = ["sentence", "verdict", "conclusion", "advice"];

pub(super) fn folds(sheet: &Tearsheet) -> Result<Vec<Block>> {
    let lacking = format!(
        "There are no folds: the folder has no {FOLDS}. `sandtable walk-forward STUDY.toml` searches again on one part of \
         the sessions and tells how the choice did on the next."
    );
    chapter("Folds", sheet.folds.as_ref(), &lacking)
}

pub(super) fn judged(sheet: &Tearsheet) -> Result<Vec<Block>> {
    let lacking = format!(
        "The trial was not put to the test: the folder has no {JUDGED}. `sandtable judge {}` draws its trades again, puts \
         noise on its bars and raises its costs.",
        sheet.dir.display()
    );
    chapter("Monte Carlo and stress", sheet.judged.as_ref(), &lacking)
}

fn chapter(title: &str, part: Option<&Value>, lacking: &str) -> Result<Vec<Block>> {
    let mut blocks = vec![Block::Heading(title.to_owned())];
    match part {
        None => blocks.push(Block::Missing(lacking.to_owned())),
        Some(part) => tell(part, 0, &mut blocks)?,
    }
    Ok(blocks)
}

/// Tells a value below the heading that names it.
fn tell(value: &Value, depth: usize, blocks: &mut Vec<Block>) -> Result<()> {
    match value {
        Value::Object(map) => tell_object(map, depth, blocks),
        Value::Array(list) => {
            blocks.extend(list_block(list));
            Ok(())
        }
        plain => {
            blocks.push(Block::Text(words("", plain)));
            Ok(())
        }
    }
}

fn tell_object(map: &Map<String, Value>, depth: usize, blocks: &mut Vec<Block>) -> Result<()> {
    let sentences = map.iter().filter(|(name, value)| SENTENCES.contains(&name.as_str()) && value.is_string());
    blocks.extend(sentences.map(|(name, value)| Block::Text(words(name, value))));
    let is_plain = |name: &str, value: &Value| !(value.is_object() || is_table(value) || SENTENCES.contains(&name));
    let fan = fan_of(map);
    let in_fan = |name: &str| fan.is_some() && ["fan", "trades"].contains(&name);
    let plain: Vec<Vec<String>> = map
        .iter()
        .filter(|(name, value)| is_plain(name, value) && !in_fan(name))
        .map(|(name, value)| vec![title(name), words(name, value)])
        .collect();
    if !plain.is_empty() {
        blocks.push(Block::table(&["what", "value"], plain, 2));
    }
    if let Some(fan) = &fan {
        let caption =
            "Wealth after so many trades, from 1: the median of all courses, half of them, nine of ten.".into();
        blocks.push(Block::Plot(Plot { name: format!("fan-{}", blocks.len()), caption, svg: fan.svg()? }));
    }
    let spreads: Vec<Vec<String>> = map.iter().filter_map(|(name, value)| spread(name, value)).collect();
    if !spreads.is_empty() {
        let heading = ["what", "observed", "5%", "25%", "median", "75%", "95%", "mean", "runs at most observed"];
        blocks.push(Block::table(&heading, spreads, 1));
    }
    for (name, value) in map {
        let nested = value.is_object() || is_table(value);
        if !nested || in_fan(name) || spread(name, value).is_some() {
            continue;
        }
        if depth >= MOST_DEPTH {
            blocks.push(Block::Text(format!("{}: in the file.", title(name))));
            continue;
        }
        blocks.push(Block::Subheading(title(name)));
        tell(value, depth + 1, blocks)?;
    }
    Ok(())
}

/// Whether a list is of objects, or too long for a cell.
fn is_table(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().any(|entry| entry.is_object() || entry.is_array()))
}

/// A fan, if the object has the quantiles of one.
fn fan_of(map: &Map<String, Value>) -> Option<Fan> {
    let steps: Vec<f64> = map.get("trades")?.as_array()?.iter().map(|v| v.as_f64()).collect::<Option<_>>()?;
    let level = |levels: &Value| -> Option<[f64; 5]> {
        let numbers: Vec<f64> = levels.as_array()?.iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect();
        numbers.try_into().ok()
    };
    let levels: Vec<[f64; 5]> = map.get("fan")?.as_array()?.iter().map(level).collect::<Option<_>>()?;
    (steps.len() == levels.len() && !steps.is_empty()).then_some(Fan { steps, levels })
}

/// The line of a distribution: observed value, quantiles, mean.
fn spread(name: &str, value: &Value) -> Option<Vec<String>> {
    let quantiles = value.get("quantiles")?.as_array().filter(|list| list.len() == 5)?;
    let number = |value: &Value| value.as_f64().map_or(number::NULL.to_owned(), plain_number);
    let mut row = vec![title(name), number(value.get("observed")?)];
    row.extend(quantiles.iter().map(number));
    row.extend(["mean", "at_most_observed"].map(|key| value.get(key).map_or(number::NULL.to_owned(), number)));
    Some(row)
}

/// A list as a table of its objects, or of its entries.
fn list_block(list: &[Value]) -> Vec<Block> {
    let mut names: Vec<String> = Vec::new();
    let flat: Vec<Vec<(String, String)>> = list.iter().take(MOST_ROWS).map(flattened).collect();
    for (name, _) in flat.iter().flatten() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let cell = |row: &[(String, String)], name: &String| {
        row.iter().find(|(known, _)| known == name).map_or(String::new(), |(_, text)| text.clone())
    };
    let rows: Vec<Vec<String>> = flat.iter().map(|row| names.iter().map(|name| cell(row, name)).collect()).collect();
    let heading: Vec<String> = names.iter().map(|name| title(name)).collect();
    let mut blocks = vec![Block::Table { heading, rows, words: 1 }];
    if list.len() > MOST_ROWS {
        blocks.push(Block::Missing(format!("{} more are in the file.", list.len() - MOST_ROWS)));
    }
    blocks
}

/// Plain values of an object by name, those of objects in it by both names.
fn flattened(value: &Value) -> Vec<(String, String)> {
    let Value::Object(map) = value else { return vec![("value".into(), words("", value))] };
    let mut out = Vec::new();
    for (name, value) in map {
        match value {
            Value::Object(inner) => {
                let plain = inner.iter().filter(|(_, value)| !value.is_object() && !is_table(value));
                // Of all metrics, those that every table of trials has.
                let listed = |key: &str| metrics::index_of(key).is_none() || LISTED.contains(&key);
                let kept = plain.filter(|(key, _)| listed(key));
                out.extend(kept.map(|(key, value)| (format!("{name} {key}"), words(key, value))));
            }
            plain if !is_table(plain) => out.push((name.clone(), words(name, plain))),
            _ => {}
        }
    }
    out
}

/// Metrics that a table shows of an object with all of them.
const LISTED: [&str; 4] = ["sharpe", "cagr", "max_drawdown", "trades"];

/// A name as people write it.
fn title(name: &str) -> String {
    name.replace(['_', '-'], " ")
}

/// A plain value: a metric by its unit, other numbers as short as they can be.
fn words(name: &str, value: &Value) -> String {
    match value {
        Value::Null => number::NULL.to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => {
            let value = number.as_f64().unwrap_or(f64::NAN);
            match metrics::index_of(name) {
                Some(metric) => number::metric(value, metrics::TABLE[metric].unit),
                None if number.is_u64() => number.to_string(),
                None => plain_number(value),
            }
        }
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let shown: Vec<String> = list.iter().take(MOST_ENTRIES).map(|entry| words(name, entry)).collect();
            let rest = list.len().saturating_sub(MOST_ENTRIES);
            if rest > 0 { format!("{}, and {rest} more", shown.join(", ")) } else { shown.join(", ") }
        }
        Value::Object(_) => String::new(),
    }
}

/// Four significant digits for an aside of unknown size; amounts from a thousand on are whole.
fn plain_number(value: f64) -> String {
    if value.abs() >= 1000.0 {
        return number::metric(value.round(), metrics::Unit::Count);
    }
    number::parameter(format!("{value:.3e}").parse().unwrap_or(value))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use sandtable_core::analysis::{Compounding, Resampling, monte_carlo};
    use serde_json::json;

    use super::*;

    fn told(value: &Value) -> Vec<Block> {
        chapter("Title", Some(value), "").unwrap()
    }

    fn tables(blocks: &[Block]) -> Vec<(Vec<String>, Vec<Vec<String>>)> {
        let table = |block: &Block| match block {
            Block::Table { heading, rows, .. } => Some((heading.clone(), rows.clone())),
            _ => None,
        };
        blocks.iter().filter_map(table).collect()
    }

    #[test]
    fn what_is_lacking_is_said() {
        assert_eq!(chapter("T", None, "none").unwrap()[1], Block::Missing("none".into()));
    }

    #[test]
    fn courses_of_trades_are_a_fan_and_a_table() {
        let trades: Vec<f64> = (0..50).map(|i| f64::from(i % 9) / 100.0 - 0.03).collect();
        let runs = monte_carlo(&trades, Resampling::Bootstrap, Compounding::Product, 100, 1).unwrap();
        let blocks = told(&json!({ "monte_carlo": { "bootstrap": runs } }));
        assert_eq!(blocks.iter().flat_map(Block::plots).count(), 1);
        let spreads = &tables(&blocks)[1];
        let names: Vec<&str> = spreads.1.iter().map(|row| row[0].as_str()).collect();
        assert_eq!((names, spreads.0.len()), (vec!["drawdown", "underwater", "wealth"], 9));
        assert!(spreads.1.iter().all(|row| row.len() == 9));
    }

    #[test]
    fn lists_of_objects_are_tables_with_every_name() {
        let blocks = told(&json!({
            "verdict": "It holds.",
            "folds": [
                { "fold": 0, "params": { "fast": 5 }, "test": { "sharpe": 1.23456, "volatility": 0.2, "cagr": 0.1 } },
                { "fold": 1, "params": { "fast": 7 }, "efficiency": null }
            ]
        }));
        assert_eq!(blocks[1], Block::Text("It holds.".into()));
        let (heading, rows) = &tables(&blocks)[0];
        assert_eq!(heading, &["fold", "params fast", "test cagr", "test sharpe", "efficiency"]);
        assert_eq!(rows[0], ["0", "5", "10.00%", "1.235", ""]);
        assert_eq!(rows[1], ["1", "7", "", "", "–"]);
    }

    #[test]
    fn whatever_json_there_is_it_ends() {
        let mut deep = json!(1);
        for _ in 0..40 {
            deep = json!({ "a": deep, "fan": [1], "trades": "x", "quantiles": [1, 2] });
        }
        assert!(told(&deep).len() < 40);
        for value in [json!([]), json!(null), json!([[1, 2], [3]]), json!({ "fan": [], "trades": [] }), json!("text")] {
            assert!(!told(&value).is_empty());
        }
        let long: Vec<Value> = (0..500).map(|i| json!({ "i": i })).collect();
        assert_eq!(tables(&told(&json!({ "long": long })))[0].1.len(), MOST_ROWS);
        assert_eq!(words("x", &json!(vec![1; 20])), "1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, and 8 more");
    }
}
