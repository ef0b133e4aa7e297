//! JSON with one spelling: keys in ascending order, whatever order they were put in.
//!
//! The JSON library sorts keys only until some other crate of a build asks it not to, and a plan's id must not depend
//! on who else is in the build.

use serde_json::Value;

/// `value` as JSON with sorted keys; indented by two spaces if `pretty`.
pub(crate) fn to_string(value: &Value, pretty: bool) -> String {
    let mut out = String::new();
    write(value, pretty.then_some(0), &mut out);
    out
}

fn write(value: &Value, indent: Option<usize>, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|&(key, _)| key);
            list(out, indent, ['{', '}'], entries.into_iter(), |(key, value), indent, out| {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(if indent.is_some() { ": " } else { ":" });
                write(value, indent, out);
            });
        }
        Value::Array(items) if !items.is_empty() => list(out, indent, ['[', ']'], items.iter(), write),
        other => out.push_str(&other.to_string()),
    }
}

fn list<T>(
    out: &mut String,
    indent: Option<usize>,
    [open, close]: [char; 2],
    items: impl Iterator<Item = T>,
    mut one: impl FnMut(T, Option<usize>, &mut String),
) {
    let line = |out: &mut String, depth: Option<usize>| {
        if let Some(depth) = depth {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    };
    out.push(open);
    let inner = indent.map(|depth| depth + 1);
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        line(out, inner);
        one(item, inner, out);
    }
    line(out, indent);
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value = serde_json::json!({"b": [1, {"z": null, "a": "\"ü\n"}], "a": {}, "c": []});
        assert_eq!(to_string(&value, false), r#"{"a":{},"b":[1,{"a":"\"ü\n","z":null}],"c":[]}"#);
        assert_eq!(
            to_string(&value, true),
            "{\n  \"a\": {},\n  \"b\": [\n    1,\n    {\n      \"a\": \"\\\"ü\\n\",\n      \"z\": null\n    }\n  ],\n  \"c\": []\n}"
        );
    }
}
