//! What a study is beside the one that a folder holds: the same, a larger one, or another.
//!
//! Given two resolved plans as JSON, this file names what differs. It never knows which trials are finished.

use std::path::Path;

use sandtable_core::Error;
use sandtable_core::plan::ENGINE_FORMAT;
use serde_json::Value;

/// Keys that name a plan or say how much of it is shown; no trial depends on them.
const NAMES: [&str; 5] = ["id", "name", "top", "bundle.name", "strategy.name"];

/// Keys that say which points are tried, not what a point comes to. Those of the space may change as long as every
/// finished trial is still in it.
const POINTS: [&str; 3] = ["space.size", "space.params", "space.where"];

/// Keys that say how many trials a search has: they may grow.
const BUDGETS: [&str; 1] = ["search.trials"];

/// The key whose change matters only where the bundle has bars before the first date.
pub const WARMUP: &str = "warmup_bars";

/// Most characters of a value in a message.
const MOST_SHOWN: usize = 40;

/// How a plan relates to the one that a folder holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Relation {
    /// The same trials.
    Same,
    /// The same but for more points or more trials, if every finished trial is still one of them.
    Grown {
        /// Whether trials may start from more bars before the first date than they did.
        other_warmup: bool,
    },
    /// Another one, with what differs first.
    Other(String),
}

/// Compares the plan that a folder holds with a new one.
pub fn relation(held: &Value, new: &Value) -> Relation {
    if held["id"] == new["id"] {
        return Relation::Same;
    }
    if held["engine_format"] != new["engine_format"] {
        return Relation::Other(format!(
            "engine format {} wrote it, and this program has {ENGINE_FORMAT}",
            shown(&held["engine_format"])
        ));
    }
    let mut differences = Vec::new();
    collect("", held, new, &mut differences);
    let mut other_warmup = false;
    for (key, held, new) in differences {
        let grown = BUDGETS.contains(&key.as_str()) && grows(held, new);
        other_warmup |= key == WARMUP;
        if grown || key == WARMUP || NAMES.contains(&key.as_str()) || is_point(&key, held, new) {
            continue;
        }
        return Relation::Other(sentence(&key, held, new));
    }
    Relation::Grown { other_warmup }
}

/// Whether a number is larger now.
fn grows(held: &Value, new: &Value) -> bool {
    held.as_f64().zip(new.as_f64()).is_some_and(|(held, new)| new > held)
}

/// Whether a difference is one of points: values of a parameter, but not which parameters there are.
fn is_point(key: &str, held: &Value, new: &Value) -> bool {
    let names = |params: &Value| -> Vec<Value> {
        params.as_array().into_iter().flatten().map(|param| param["name"].clone()).collect()
    };
    POINTS.contains(&key) && (key != "space.params" || names(held) == names(new))
}

/// Every key that differs, lists and the space's parts whole.
fn collect<'a>(path: &str, held: &'a Value, new: &'a Value, found: &mut Vec<(String, &'a Value, &'a Value)>) {
    match (held, new) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(&path, &held[key], &new[key], found);
            }
        }
        _ if held != new => found.push((path.to_owned(), held, new)),
        _ => {}
    }
}

fn sentence(key: &str, held: &Value, new: &Value) -> String {
    match key {
        "bundle.version" => "the bundle's content has changed since".into(),
        "strategy.source" => "the strategy's text is another".into(),
        _ => {
            let key = key.strip_prefix("settings.").unwrap_or(key);
            format!("`{key}` is {} there and {} here", shown(held), shown(new))
        }
    }
}

fn shown(value: &Value) -> String {
    if value.is_null() {
        return "not given".into();
    }
    let text = value.to_string();
    if text.chars().count() <= MOST_SHOWN { text } else { text.chars().take(MOST_SHOWN).chain(['…']).collect() }
}

/// The refusal to write over another study.
pub fn another(folder: &Path, what: &str) -> Error {
    Error::plan(format!("`{}` holds the results of another study: {what}", folder.display())).help(
        "name another folder with --out, or replace it with --force; only a larger space or budget goes on with it",
    )
}

#[cfg(test)]
mod tests {
    use sandtable_core::plan::Searching;
    use serde_json::json;

    use super::*;

    fn plan(id: &str) -> Value {
        json!({
            "id": id, "name": "n", "engine_format": ENGINE_FORMAT, "warmup_bars": 20,
            "bundle": {"version": "v", "name": "b"}, "strategy": {"source": "s", "name": "s"},
            "settings": {"capital": 100.0, "costs": {"bps": 5.0}},
            "space": {"size": 4, "where": [], "params": [{"name": "a", "values": [1, 2]}]},
            "search": {"method": "tpe", "trials": 10, "patience": 5},
        })
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut plan = plan("b");
        if let Some(place) = plan.pointer_mut(pointer) {
            *place = value;
        }
        plan
    }

    #[test]
    fn more_points_or_trials_are_growth_and_the_rest_is_named() {
        let held = plan("a");
        assert_eq!(relation(&held, &plan("a")), Relation::Same);
        let grown = Relation::Grown { other_warmup: false };
        assert_eq!(relation(&held, &with("/name", json!("m"))), grown);
        assert_eq!(relation(&held, &with("/space/params", json!([{"name": "a", "values": [1, 2, 3]}]))), grown);
        assert_eq!(relation(&held, &with("/space/where", json!(["a > 1"]))), grown);
        assert_eq!(relation(&held, &with("/search/trials", json!(11))), grown);
        assert_eq!(relation(&held, &with("/warmup_bars", json!(30))), Relation::Grown { other_warmup: true });
        // The keys are those of a resolved plan.
        let searching = serde_json::to_value(Searching::default()).unwrap_or_default();
        for key in BUDGETS {
            assert!(key.strip_prefix("search.").is_some_and(|name| searching[name].is_u64()), "{key}");
        }
        for (pointer, value, words) in [
            ("/search/trials", json!(9), "`search.trials` is 10 there and 9 here"),
            ("/search/trials", json!(null), "`search.trials` is 10 there and not given here"),
            ("/search/patience", json!(9), "`search.patience`"),
            ("/search/method", json!("random"), "`search.method`"),
            ("/space/params", json!([{"name": "b", "values": [1]}]), "`space.params`"),
            ("/settings/costs/bps", json!(6.0), "`costs.bps` is 5.0 there and 6.0 here"),
            ("/bundle/version", json!("w"), "the bundle's content"),
            ("/strategy/source", json!("t"), "the strategy's text"),
            ("/engine_format", json!(1), "engine format"),
        ] {
            match relation(&held, &with(pointer, value)) {
                Relation::Other(said) => assert!(said.contains(words), "{said}"),
                other => assert_eq!(other, Relation::Other(words.into()), "{pointer}"),
            }
        }
    }
}
