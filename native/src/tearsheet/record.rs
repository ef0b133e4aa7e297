//! What the study is made of, so that anyone can do it again.

use serde_json::{Value, json};

use super::Tearsheet;
use crate::study::{self, read_text};
use crate::view::document::Block;
use crate::view::number;

/// Symbols that are named.
const MOST_SYMBOLS: usize = 20;

pub(super) fn blocks(sheet: &Tearsheet) -> Vec<Block> {
    let (record, plan) = (&sheet.record, &sheet.record["plan"]);
    let mut blocks = vec![Block::Heading("Record".into()), what(sheet)];
    let warnings = record["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    blocks.extend(warnings.map(|warning| Block::Text(format!("Warning: {warning}"))));
    blocks.push(Block::Subheading("Settings".into()));
    let mut settings = Vec::new();
    for part in ["settings", "search", "objective", "constraints", "folds"] {
        flatten(part, &plan[part], &mut settings);
    }
    // Within their part settings need no name of it.
    let rows = settings
        .into_iter()
        .map(|(name, value)| vec![name.strip_prefix("settings.").map_or(name.clone(), str::to_owned), value]);
    blocks.push(Block::table(&["setting", "value"], rows.collect(), 2));
    if let Some(source) = plan["strategy"]["source"].as_str() {
        blocks.push(Block::Subheading("Strategy".into()));
        blocks.push(Block::Code(source.trim_end().to_owned()));
    }
    if let Ok(study) = read_text(&sheet.dir.join(study::STUDY))
        && !study.trim().is_empty()
    {
        blocks.push(Block::Subheading("Study".into()));
        blocks.push(Block::Code(study.trim_end().to_owned()));
    }
    blocks.push(Block::Subheading("To do it again".into()));
    blocks.push(Block::Code(commands(sheet)));
    blocks
}

fn what(sheet: &Tearsheet) -> Block {
    let (record, plan) = (&sheet.record, &sheet.study.evaluator.plan);
    let text = |path: &str| match record.pointer(path) {
        None | Some(Value::Null) => number::NULL.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let symbols = match plan.symbols() {
        few if few.len() <= MOST_SYMBOLS => few.join(", "),
        many => format!("{}, … ({} in all)", many[..MOST_SYMBOLS].join(", "), many.len()),
    };
    let lines = [
        ("program", text("/program")),
        ("run", text("/run_id")),
        ("engine format", text("/engine_format")),
        ("study format", text("/study_format")),
        ("bundle", text("/bundle/name")),
        ("bundle's content", text("/bundle/version")),
        ("symbols", symbols),
        ("dates", format!("{} to {}", date(plan.start()), date(plan.end()))),
        ("bars", format!("{} and {} before the first date", text("/panel/bars"), text("/panel/warmup_bars"))),
        ("seed", text("/seed")),
        ("trials", text("/trials")),
        ("failed trials", text("/failed_trials")),
        ("complete", if record["complete"] == json!(true) { "yes".into() } else { "no".into() }),
    ];
    Block::table(&["what", "value"], lines.map(|(name, value)| vec![name.to_owned(), value]).to_vec(), 2)
}

fn date(days: i32) -> String {
    sandtable_core::calendar::format_date(days)
}

/// Plain values by their path.
fn flatten(path: &str, value: &Value, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| flatten(&format!("{path}.{name}"), value, out)),
        Value::Null => {}
        Value::String(text) => out.push((path.to_owned(), text.clone())),
        other => out.push((path.to_owned(), other.to_string())),
    }
}

/// The search (for a folder with a study in it) and this report.
fn commands(sheet: &Tearsheet) -> String {
    let dir = quoted(&sheet.dir.display().to_string());
    let trial = match sheet.rank {
        Some(1) => String::new(),
        _ => format!(" --trial {}", sheet.trial.index),
    };
    format!("sandtable optimize {dir}/{} --out again\nsandtable report {dir}{trial}", study::STUDY)
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_named_by_their_path() {
        let mut out = Vec::new();
        flatten(
            "settings",
            &json!({ "costs": { "bps": 5.0, "tiers": [] }, "adjust": null, "fill": "next_open" }),
            &mut out,
        );
        let expected = [("settings.costs.bps", "5.0"), ("settings.costs.tiers", "[]"), ("settings.fill", "next_open")];
        assert_eq!(out, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((quoted("a/b"), quoted("a b'c")), ("a/b".into(), r"'a b'\''c'".into()));
    }
}
