//! A study text as a tree of values that know where they stand.
//!
//! Given TOML or JSON text, this file gives [`Item`]s with byte spans and turns a span into a [`Place`]. It never
//! knows which keys a study has.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Place, Result};

/// No study is longer; the bound keeps the memory of parsing in proportion.
const LONGEST_TEXT: usize = 1 << 20;
/// No study nests deeper; the bound keeps the stack small.
const DEEPEST: usize = 8;
/// No table of a study has more keys.
const MOST_KEYS: usize = 4096;
/// Source lines longer than this are not repeated in errors.
const LONGEST_SHOWN: usize = 160;

/// A value and the bytes of the text that it was written in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub value: Value,
    pub span: Range<usize>,
}

/// A key and its value in a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub item: Item,
}

/// What a study file can say.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A TOML date or time, as written.
    Date(String),
    List(Vec<Item>),
    Table(Vec<Entry>),
}

impl Value {
    /// What this is, with an article, for "found …".
    pub fn noun(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Bool(_) => "a truth value",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The number, if this is one.
    pub fn number(&self) -> Option<f64> {
        match *self {
            // A study's whole numbers are small; one beyond 2^53 would be rounded and is refused.
            Value::Int(n) if n.unsigned_abs() <= 1 << 53 => Some(n as f64),
            Value::Float(x) => Some(x),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write!(f, "\"{}\"", shorten(text)),
            Value::Int(n) => write!(f, "{n}"),
            Value::Float(x) => write!(f, "{x:?}"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Date(date) => f.write_str(date),
            Value::List(_) | Value::Table(_) => f.write_str(self.noun()),
        }
    }
}

/// At most 40 characters of a text that is quoted in a message.
pub(super) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The top-level table of a study: JSON if the text starts with `{`, TOML otherwise.
pub(super) fn parse(text: &str, file: &str) -> Result<Vec<Entry>> {
    if text.len() > LONGEST_TEXT {
        let message = format!("the study has {} bytes; at most {LONGEST_TEXT} are read", text.len());
        return Err(Error::plan(message).in_file(file));
    }
    let item = if text.trim_start().starts_with('{') { json(text, file)? } else { toml_document(text, file)? };
    match item.value {
        Value::Table(entries) => Ok(entries),
        other => Err(Error::plan(format!("a study is a table of keys, found {}", other.noun())).in_file(file)),
    }
}

/// One value as the command line gives it: TOML if it parses as such, a bare text otherwise.
pub(super) fn parse_argument(text: &str) -> Value {
    let whole = 0..text.len();
    let parsed = if text.len() <= LONGEST_TEXT { DeValue::parse(text).ok() } else { None };
    let item = parsed.and_then(|value| toml_item(value.into_inner(), whole, "", "", 0).ok());
    item.map_or_else(|| Value::Text(text.to_owned()), |item| item.value)
}

/// A text and the name it has in messages.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub text: &'a str,
    pub name: &'a str,
}

impl File<'_> {
    /// Where a span is.
    pub fn place(&self, span: Range<usize>) -> Place {
        place(self.text, self.name, span)
    }

    /// Where the characters of a text value begin. If they are not written as they are read (escapes, several
    /// lines), there is no column to count from, and the place has none.
    pub fn place_inside(&self, item: &Item) -> Place {
        let place = self.place(item.span.clone());
        let Value::Text(text) = &item.value else { return place };
        let verbatim = self.text.get(item.span.start + 1..item.span.end.saturating_sub(1)) == Some(text.as_str());
        if verbatim && !text.contains('\n') {
            Place { column: place.column.saturating_add(1), width: 0, ..place }
        } else {
            Place { column: 0, width: 0, source_line: String::new(), ..place }
        }
    }
}

/// Where a span of `text` is.
fn place(text: &str, file: &str, span: Range<usize>) -> Place {
    let clamp = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = clamp(span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = clamp(span.end).clamp(start, line_end);
    let count = |part: &str| u32::try_from(part.chars().count()).unwrap_or(0);
    let line = text[line_start..line_end].trim_end();
    let shown = if line.chars().count() <= LONGEST_SHOWN { line.replace('\t', " ") } else { String::new() };
    Place {
        file: file.to_owned(),
        line: u32::try_from(text[..start].matches('\n').count()).unwrap_or(0).saturating_add(1),
        column: count(&text[line_start..start]).saturating_add(1),
        width: count(&text[start..end]),
        source_line: shown,
    }
}

fn too_deep() -> Error {
    Error::plan("values are nested deeper here than any key of a study is")
}

fn toml_document(text: &str, file: &str) -> Result<Item> {
    let table = DeTable::parse(text).map_err(|error| {
        let message = format!("not valid TOML: {}", error.message().trim_end().replace('\n', ", "));
        let error_place = error.span().map(|span| place(text, file, span));
        Error::plan(message).at(error_place.unwrap_or_else(|| Place { file: file.into(), ..Place::default() }))
    })?;
    let span = table.span();
    toml_item(DeValue::Table(table.into_inner()), span, text, file, 0)
}

fn toml_item(value: DeValue<'_>, span: Range<usize>, text: &str, file: &str, depth: usize) -> Result<Item> {
    let wrong = |message: String| Err(Error::plan(message).at(place(text, file, span.clone())));
    if depth > DEEPEST {
        return Err(too_deep().at(place(text, file, span)));
    }
    let value = match value {
        DeValue::String(string) => Value::Text(string.into_owned()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => Value::Int(number),
            Err(_) => return wrong(format!("the whole number {} is out of range", shorten(integer.as_str()))),
        },
        DeValue::Float(float) => match float.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => return wrong(format!("`{}` is not a number", shorten(float.as_str()))),
        },
        DeValue::Boolean(flag) => Value::Bool(flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(array) => {
            let mut items = Vec::new();
            for element in array {
                let span = element.span();
                items.push(toml_item(element.into_inner(), span, text, file, depth + 1)?);
            }
            Value::List(items)
        }
        DeValue::Table(table) => {
            let mut entries = Vec::new();
            for (key, element) in table {
                let span = element.span();
                let item = toml_item(element.into_inner(), span, text, file, depth + 1)?;
                entries.push(Entry { key_span: key.span(), key: key.into_inner().into_owned(), item });
            }
            // The order of the text, whatever order the parser keeps them in.
            entries.sort_by_key(|entry| entry.key_span.start);
            Value::Table(entries)
        }
    };
    Ok(Item { value, span })
}

/// The entries of a JSON object in order, duplicates included.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

fn json(text: &str, file: &str) -> Result<Item> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
        let start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let at = start + error.column().saturating_sub(1);
        // serde_json repeats the place at the end of its sentence; ours comes first.
        let message = error.to_string();
        let sentence = message.rsplit_once(" at line ").map_or(message.as_str(), |(sentence, _)| sentence);
        Error::plan(format!("not valid JSON: {sentence}")).at(place(text, file, at..at + 1))
    })?;
    json_item(raw, text, file, 0)
}

fn json_item(raw: &RawValue, text: &str, file: &str, depth: usize) -> Result<Item> {
    let source = raw.get();
    // `raw` borrows from `text`, so the difference of the addresses is its offset.
    let start = (source.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let span = start..start + source.len();
    let fault = |message: String| Error::plan(message).at(place(text, file, span.clone()));
    let broken = |error: serde_json::Error| fault(format!("not valid JSON: {error}"));
    if depth > DEEPEST {
        return Err(too_deep().at(place(text, file, span)));
    }
    let value = match source.as_bytes().first() {
        Some(b'{') => {
            let Entries(pairs) = serde_json::from_str(source).map_err(broken)?;
            let mut entries: Vec<Entry> = Vec::new();
            for (key, raw) in pairs {
                let item = json_item(raw, text, file, depth + 1)?;
                let key_span = json_key_span(text, item.span.start, &key);
                if entries.iter().any(|entry| entry.key == key) {
                    let message = format!("the key `{}` is given twice", shorten(&key));
                    return Err(Error::plan(message).at(place(text, file, key_span)));
                }
                if entries.len() >= MOST_KEYS {
                    return Err(fault(format!("more than {MOST_KEYS} keys in one table")));
                }
                entries.push(Entry { key, key_span, item });
            }
            Value::Table(entries)
        }
        Some(b'[') => {
            let raws: Vec<&RawValue> = serde_json::from_str(source).map_err(broken)?;
            Value::List(raws.into_iter().map(|raw| json_item(raw, text, file, depth + 1)).collect::<Result<_>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str(source).map_err(broken)?),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => return Err(fault("`null` says nothing here: leave the key out for its default".into())),
        _ => match source.parse::<i64>() {
            Ok(number) => Value::Int(number),
            Err(_) => Value::Float(serde_json::from_str(source).map_err(broken)?),
        },
    };
    Ok(Item { value, span })
}

/// The span of the key that stands before a value, quotation marks left out.
fn json_key_span(text: &str, value_start: usize, key: &str) -> Range<usize> {
    let before = text[..value_start].trim_end().trim_end_matches(':').trim_end();
    let end = before.len().saturating_sub(1);
    end.saturating_sub(key.len())..end
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn toml_and_json_give_the_same_tree_with_places() {
        let toml = "bundle = \"b\"\n[costs]\nbps = 5\n";
        let json = "{\n  \"bundle\": \"b\",\n  \"costs\": {\"bps\": 5}\n}";
        for (text, line, column) in [(toml, 3, 7), (json, 3, 20)] {
            let entries = parse(text, "s").unwrap();
            assert_eq!(entries[0].item.value, Value::Text("b".into()));
            let Value::Table(costs) = &entries[1].item.value else { unreachable!() };
            assert_eq!((costs[0].key.as_str(), &costs[0].item.value), ("bps", &Value::Int(5)));
            let place = place(text, "s", costs[0].item.span.clone());
            assert_eq!((place.line, place.column, place.width), (line, column, 1));
            assert_eq!(&text[costs[0].key_span.clone()], "bps");
        }
    }

    #[test]
    fn broken_text_is_refused_at_its_place() {
        for (text, line, column) in
            [("a = 1\nb = = 2\n", 2, 5), ("{\"a\": 1,\n \"b\" 2}", 2, 6), ("{\"a\": 1, \"a\": 2}", 1, 11)]
        {
            let error = parse(text, "s.toml").unwrap_err();
            let place = error.place().unwrap();
            assert_eq!((place.line, place.column), (line, column), "{error}");
        }
    }

    #[test]
    fn nothing_that_nests_is_followed_far() {
        let deep = [
            "[".repeat(100_000),
            format!("a = {}", "[".repeat(100_000)),
            format!("a = {}", "{b=".repeat(100_000)),
            format!("{}=1", vec!["a"; 3000].join(".")),
            format!("{}=1", vec!["a"; 300_000].join(".")),
            format!("[{}]", vec!["a"; 300_000].join(".")),
            format!("{}1{}", format!("a = {{{}=", vec!["a"; 79].join(".")).repeat(79), "}".repeat(79)),
            format!("a = {}1{}", format!("{{{}=", vec!["a"; 79].join(".")).repeat(78), "}".repeat(78)),
            format!("{{\"a\": {}", "[".repeat(100_000)),
            format!("{{\"a\": {}1{}}}", "[".repeat(100), "]".repeat(100)),
        ];
        for text in deep {
            assert!(parse(&text, "s").is_err());
        }
        assert!(matches!(parse_argument(&"[".repeat(100_000)), Value::Text(_)));
    }

    #[test]
    fn an_argument_is_a_value_or_a_bare_text() {
        assert_eq!(parse_argument("0.5"), Value::Float(0.5));
        assert_eq!(parse_argument("true"), Value::Bool(true));
        assert_eq!(parse_argument("next_close"), Value::Text("next_close".into()));
        assert_eq!(parse_argument("2015-01-02"), Value::Date("2015-01-02".into()));
        assert!(matches!(parse_argument("[1, 2]"), Value::List(_)));
    }

    #[test]
    fn a_place_counts_characters() {
        let text = "\"ü\" = \"é\"";
        let entries = parse(text, "s").unwrap();
        assert_eq!(place(text, "s", entries[0].item.span.clone()).column, 7);
    }
}
