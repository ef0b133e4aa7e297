//! The `[params]` of a strategy file.
//!
//! Given TOML values, this gives declared parameters. It never knows what they are used for.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::check::is_reserved;
use super::file::{Pair, Reader, entries};
use super::lexer::is_name;
use super::{Domain, Kind, ParamDecl, Scale};
use crate::error::{Error, Result};

/// What a parameter's table may say, by type.
const TYPES: [(&str, &[&str]); 4] = [
    ("int", &["type", "min", "max", "step", "default"]),
    ("float", &["type", "min", "max", "step", "scale", "default"]),
    ("choice", &["type", "values", "default"]),
    ("bool", &["type", "default"]),
];

/// The declared parameters in their order, and whether each is a number or a truth value.
pub(super) fn params(reader: Reader<'_>, table: &DeTable<'_>) -> Result<Vec<(ParamDecl, Kind)>> {
    entries(table).into_iter().map(|entry| param(reader, &entry)).collect()
}

/// Checks that a name can be declared.
pub(super) fn check_name(reader: Reader<'_>, entry: &Pair<'_>, what: &str) -> Result<()> {
    if !is_name(entry.key) {
        return Err(reader
            .error(entry.key_span.clone(), format!("`{}` cannot be the name of a {what}", entry.key.escape_debug()))
            .help("a name has letters, digits and `_`, and does not begin with a digit"));
    }
    if is_reserved(entry.key) {
        return Err(reader
            .error(entry.key_span.clone(), format!("`{}` already has a meaning in the language", entry.key))
            .help(format!("choose another name for this {what}, for example `my_{}`", entry.key)));
    }
    Ok(())
}

fn param(reader: Reader<'_>, entry: &Pair<'_>) -> Result<(ParamDecl, Kind)> {
    check_name(reader, entry, "parameter")?;
    let name = entry.key.to_owned();
    match entry.value.get_ref() {
        DeValue::Boolean(value) => {
            let default = f64::from(u8::from(*value));
            Ok((ParamDecl { name, domain: Domain::fixed(default), default }, Kind::Bool))
        }
        DeValue::Integer(_) | DeValue::Float(_) => {
            let default = reader.number(entry.value, "a parameter")?;
            Ok((ParamDecl { name, domain: Domain::fixed(default), default }, Kind::Float))
        }
        DeValue::Table(table) => declared(reader, name, table, entry.value.span()),
        other => Err(reader
            .error(
                entry.value.span(),
                format!("parameter `{name}` is {}, expected a table or a number", article(other)),
            )
            .help(format!("write `{name} = {{ type = \"int\", min = 5, max = 100, step = 5, default = 20 }}`"))),
    }
}

fn declared(reader: Reader<'_>, name: String, table: &DeTable<'_>, span: Range<usize>) -> Result<(ParamDecl, Kind)> {
    let fields = Fields { reader, name: &name, table, span: span.clone() };
    let domain = fields.domain()?;
    domain.validate(&name).map_err(|error| restated(&error, reader, span))?;
    let default = match (table.get("default").map(|value| (value, value.get_ref())), &domain) {
        (None, _) => domain.value(0),
        (Some((_, DeValue::Boolean(value))), Domain::Bool) => f64::from(u8::from(*value)),
        (Some((value, _)), Domain::Bool) => {
            return Err(reader.error(value.span(), format!("the default of `{name}` must be true or false")));
        }
        (Some((value, _)), _) => fields.default(value, &domain)?,
    };
    let kind = if domain == Domain::Bool { Kind::Bool } else { Kind::Float };
    Ok((ParamDecl { name, domain, default }, kind))
}

/// A plan's sentence as one of the strategy, at a place.
fn restated(error: &Error, reader: Reader<'_>, span: Range<usize>) -> Error {
    let restated = reader.error(span, error.message());
    match error.way_out() {
        Some(help) => restated.help(help),
        None => restated,
    }
}

/// The table that declares one parameter.
struct Fields<'a> {
    reader: Reader<'a>,
    name: &'a str,
    table: &'a DeTable<'a>,
    span: Range<usize>,
}

impl Fields<'_> {
    fn domain(&self) -> Result<Domain> {
        let sorts = "\"int\", \"float\", \"choice\" or \"bool\"";
        let sort = self.required("type", &format!("type = {sorts}"))?;
        let Some((sort, keys)) =
            sort.get_ref().as_str().and_then(|found| TYPES.iter().find(|(sort, _)| *sort == found))
        else {
            return Err(self
                .reader
                .error(sort.span(), format!("parameter `{}` has no such type", self.name))
                .help(format!("write type = {sorts}")));
        };
        self.reader.check_keys(self.table, keys, &format!("a parameter of type \"{sort}\""))?;
        match *sort {
            "int" => Ok(Domain::Int {
                min: self.whole("min", None)?,
                max: self.whole("max", None)?,
                step: self.whole("step", Some(1))?,
            }),
            "float" => Ok(Domain::Float {
                min: self.number("min")?,
                max: self.number("max")?,
                step: match self.table.get("step") {
                    Some(step) => Some(self.reader.number(step, "`step`")?),
                    None => None,
                },
                scale: self.scale()?,
            }),
            "choice" => self.choice(),
            _ => Ok(Domain::Bool),
        }
    }

    fn required(&self, key: &str, example: &str) -> Result<&Spanned<DeValue<'_>>> {
        self.table.get(key).ok_or_else(|| {
            self.reader
                .error(self.span.clone(), format!("parameter `{}` has no `{key}`", self.name))
                .help(format!("add `{example}`"))
        })
    }

    fn number(&self, key: &str) -> Result<f64> {
        self.reader.number(self.required(key, &format!("{key} = 1.0"))?, &format!("`{key}`"))
    }

    fn whole(&self, key: &str, absent: Option<i64>) -> Result<i64> {
        if let (Some(absent), None) = (absent, self.table.get(key)) {
            return Ok(absent);
        }
        let value = self.required(key, &format!("{key} = 1"))?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok(),
            _ => None,
        };
        number.ok_or_else(|| {
            self.reader
                .error(value.span(), format!("`{key}` of parameter `{}` must be a whole number", self.name))
                .help("for other numbers use type = \"float\"")
        })
    }

    fn scale(&self) -> Result<Scale> {
        let Some(value) = self.table.get("scale") else { return Ok(Scale::Linear) };
        match value.get_ref().as_str() {
            Some("linear") => Ok(Scale::Linear),
            Some("log") => Ok(Scale::Log),
            _ => Err(self
                .reader
                .error(value.span(), format!("parameter `{}` has no such scale", self.name))
                .help("write scale = \"linear\" or \"log\"")),
        }
    }

    fn choice(&self) -> Result<Domain> {
        let value = self.required("values", "values = [5, 10, 15]")?;
        let DeValue::Array(values) = value.get_ref() else {
            return Err(self
                .reader
                .error(value.span(), format!("`values` of parameter `{}` must be a list", self.name))
                .help("write values = [5, 10, 15]"));
        };
        let values: &DeArray<'_> = values;
        let numbers = values.iter().map(|value| self.reader.number(value, "a value"));
        Ok(Domain::Choice { values: numbers.collect::<Result<_>>()? })
    }

    /// The default, as the domain itself spells it.
    fn default(&self, value: &Spanned<DeValue<'_>>, domain: &Domain) -> Result<f64> {
        let number = self.reader.number(value, "`default`")?;
        if !domain.contains(number) {
            return Err(self
                .reader
                .error(value.span(), format!("the default {number} of `{}` is not in its domain", self.name))
                .help("choose one of its values"));
        }
        Ok(domain.index_of(number).map_or(number, |index| domain.value(index)))
    }
}

/// "a string", "an integer" …
pub(super) fn article(value: &DeValue<'_>) -> String {
    let name = match value {
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::String(_) => "a text",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    name.to_owned()
}
