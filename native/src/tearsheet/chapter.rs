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
/// What a fan is made of.
const IN_FAN: [&str; 2] = ["fan", "trades"];
/// Columns that name a row: they come first.
const LEADING: [&str; 8] = ["name", "fold", "trial", "parameter", "times", "delay", "part", "index"];
/// Names of texts that are told before everything else.
const SENTENCES: [&str; 4] = ["sentence", "verdict", "conclusion", "advice"];

pub(super) fn folds(sheet: &Tearsheet) -> Result<Vec<Block>> {
    let lacking = format!(
        "There are no folds: the folder has no {FOLDS}. `sandtable walk-forward STUDY.toml --out WALK` searches again on one \
         part of the sessions and tells how the choice did on the next; `--folds WALK` adds it to this report."
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
        Some(part) => tell(part, "", 0, &mut blocks)?,
    }
    Ok(blocks)
}

/// Tells a value; `path` names it below the chapter's heading.
fn tell(value: &Value, path: &str, depth: usize, blocks: &mut Vec<Block>) -> Result<()> {
    let mut own = match value {
        Value::Object(map) => own_blocks(map, blocks.len())?,
        Value::Array(list) => list_block(list),
        plain => vec![Block::Text(words("", plain))],
    };
    // What holds only parts is named by them.
    if !own.is_empty() && !path.is_empty() {
        blocks.push(Block::Subheading(path.to_owned()));
    }
    blocks.append(&mut own);
    let Value::Object(map) = value else { return Ok(()) };
    let fan = fan_of(map).is_some();
    for (name, value) in map {
        let nested = value.is_object() || is_table(value);
        if !nested || (fan && IN_FAN.contains(&name.as_str())) || spread(name, value).is_some() {
            continue;
        }
        let path = if path.is_empty() && name == "tests" {
            String::new()
        } else if path.is_empty() {
            capital(&title(name))
        } else {
            format!("{path}: {}", title(name))
        };
        if depth >= MOST_DEPTH {
            blocks.push(Block::Missing(format!("{path} is in the file.")));
            continue;
        }
        tell(value, &path, depth + 1, blocks)?;
    }
    Ok(())
}

/// What an object holds besides its parts: sentences, plain values, a fan, distributions.
fn own_blocks(map: &Map<String, Value>, number: usize) -> Result<Vec<Block>> {
    let sentences = map.iter().filter(|(name, value)| SENTENCES.contains(&name.as_str()) && value.is_string());
    let mut blocks: Vec<Block> = sentences.map(|(name, value)| Block::Text(words(name, value))).collect();
    let fan = fan_of(map);
    let is_plain = |name: &str, value: &Value| {
        let told = SENTENCES.contains(&name) || (fan.is_some() && IN_FAN.contains(&name));
        !(value.is_object() || is_table(value) || told)
    };
    let plain: Vec<Vec<String>> = map
        .iter()
        .filter(|(name, value)| is_plain(name, value))
        .map(|(name, value)| vec![title(name), words(name, value)])
        .collect();
    if !plain.is_empty() {
        blocks.push(Block::table(&["what", "value"], plain, 2));
    }
    if let Some(fan) = &fan {
        let caption =
            "Wealth after so many trades, from 1: the median of all courses, half of them, nine of ten.".into();
        blocks.push(Block::Plot(Plot { name: format!("fan-{number}"), caption, svg: fan.svg()? }));
    }
    let spreads: Vec<Vec<String>> = map.iter().filter_map(|(name, value)| spread(name, value)).collect();
    if !spreads.is_empty() {
        let heading = ["what", "observed", "5%", "25%", "median", "75%", "95%", "mean", "runs at most observed"];
        blocks.push(Block::table(&heading, spreads, 1));
    }
    Ok(blocks)
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
    names.sort_by_key(|name| LEADING.iter().position(|leading| leading == name).unwrap_or(LEADING.len()));
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

/// Plain values of an object by name, those of objects in it by all their names.
fn flattened(value: &Value) -> Vec<(String, String)> {
    let mut out = Vec::new();
    match value {
        Value::Object(map) => flatten(map, "", 0, &mut out),
        plain => out.push(("value".into(), words("", plain))),
    }
    out
}

fn flatten(map: &Map<String, Value>, path: &str, depth: usize, out: &mut Vec<(String, String)>) {
    // Of all metrics, those that every table of trials has.
    let has_metrics = metrics::names().all(|name| map.contains_key(name));
    for (name, value) in map {
        if has_metrics && !LISTED.contains(&name.as_str()) {
            continue;
        }
        let named = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path} {name}") };
        match value {
            // These words say nothing beside what they hold.
            Value::Object(inner) if ["metrics", "params"].contains(&name.as_str()) => flatten(inner, path, depth, out),
            Value::Object(inner) if depth < MOST_DEPTH => flatten(inner, &named(name), depth + 1, out),
            Value::Object(_) => {}
            plain if !is_table(plain) => out.push((named(name), words(name, plain))),
            Value::Array(list) if list.len() <= MOST_RANGES && list.iter().all(|entry| !entry.is_object()) => {
                let ranges: Vec<String> = list.iter().map(|range| words(name, range)).collect();
                out.push((named(name), ranges.join("; ")));
            }
            _ => {}
        }
    }
}

/// Lists within a list that fit a cell, such as ranges of dates.
const MOST_RANGES: usize = 3;

/// Metrics that a table shows of an object with all of them.
const LISTED: [&str; 4] = ["sharpe", "cagr", "max_drawdown", "trades"];

/// A name as people write it.
fn title(name: &str) -> String {
    name.replace(['_', '-'], " ")
}

/// The same with a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
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
        let all: Map<String, Value> = metrics::names().map(|name| (name.to_owned(), json!(0.5))).collect();
        let blocks = told(&json!({
            "verdict": "It holds.",
            "folds": [
                { "fold": 0, "chosen": { "params": { "fast": 5 } }, "test": { "metrics": all, "ranges": [["a", "b"]] } },
                { "fold": 1, "chosen": { "params": { "fast": 7 } }, "efficiency": null }
            ]
        }));
        assert_eq!(blocks[1], Block::Text("It holds.".into()));
        let (heading, rows) = &tables(&blocks)[0];
        let listed = ["test cagr", "test max drawdown", "test sharpe", "test trades"];
        assert_eq!(heading, &[&["fold", "chosen fast"][..], &listed, &["test ranges", "efficiency"]].concat());
        assert_eq!(rows[0], ["0", "5", "50.00%", "50.00%", "0.500", "0.5", "a, b", ""]);
        assert_eq!(rows[1], ["1", "7", "", "", "", "", "", "–"]);
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
