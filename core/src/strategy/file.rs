//! The strategy file: TOML with parameters, named columns and rules.
//!
//! Given the file's text, this gives a checked [`Strategy`]; every mistake is reported at its line and column.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::builder::Builder;
use super::check::{Checker, Scope, is_reserved};
use super::lexer::is_name;
use super::param::{article, check_name, params};
use super::parser::{LONGEST_TEXT, parse as parse_expression};
use super::source::{File, Fragment, Problem};
use super::{Entry, Kind, LevelIn, Node, NodeId, ParamDecl, PriceLevel, Rebalance, Rules, SizeIn, Strategy};
use crate::error::{Error, Result, nearest};

const TOP: [&str; 5] = ["name", "description", "params", "columns", "rules"];
const TARGET: [&str; 2] = ["target", "rebalance"];
const SIGNALS: [&str; 21] = [
    "enter_long",
    "exit_long",
    "enter_short",
    "exit_short",
    "size",
    "size_in",
    "entry_limit",
    "entry_limit_in",
    "entry_stop",
    "entry_stop_in",
    "entry_bars",
    "max_entries",
    "stop_loss",
    "stop_loss_in",
    "take_profit",
    "take_profit_in",
    "trailing_stop",
    "trailing_stop_in",
    "break_even",
    "break_even_in",
    "time_stop",
];

/// Units of `size`.
const SIZES: [(&str, SizeIn); 6] = [
    ("equity", SizeIn::Equity),
    ("shares", SizeIn::Shares),
    ("value", SizeIn::Value),
    ("buying_power", SizeIn::BuyingPower),
    ("risk", SizeIn::Risk),
    ("volatility", SizeIn::Volatility),
];

/// How a price level may be meant.
const LEVELS: [(&str, LevelIn); 3] =
    [("fraction", LevelIn::Fraction), ("amount", LevelIn::Amount), ("price", LevelIn::Price)];

const REBALANCE_MODES: [(&str, Rebalance); 4] = [
    ("on_change", Rebalance::OnChange),
    ("every_bar", Rebalance::EveryBar),
    ("weekly", Rebalance::Weekly),
    ("monthly", Rebalance::Monthly),
];

/// The strategy that a text describes.
pub(super) fn parse(source: &str, file: &str) -> Result<Strategy> {
    if source.len() > LONGEST_TEXT {
        return Err(Error::strategy(format!("a strategy of {} bytes is too long", source.len()))
            .in_file(file)
            .help(format!("at most {LONGEST_TEXT} bytes are read: is this the right file?")));
    }
    let reader = Reader { file: File { name: file, text: source } };
    let document = DeTable::parse(source).map_err(|error| reader.toml_error(&error))?;
    let document = document.get_ref();
    reader.check_keys(document, &TOP, "a strategy")?;
    let params = match reader.table(document, "params")? {
        Some(table) => params(reader, table)?,
        None => Vec::new(),
    };
    let mut draft = Draft {
        reader,
        defaults: params.iter().map(|(param, _)| param.default).collect(),
        params,
        ..Draft::new(reader)
    };
    if let Some(table) = reader.table(document, "columns")? {
        draft.columns(table)?;
    }
    let Some(rules) = reader.table(document, "rules")? else {
        return Err(Error::strategy("this strategy has no rules")
            .in_file(file)
            .help("add a table `[rules]` with `target`, or with `enter_long` and `exit_long`"));
    };
    let rules = draft.rules(rules, document)?;
    Ok(Strategy {
        name: reader.text(document, "name")?.unwrap_or_else(|| stem(file)),
        description: reader.text(document, "description")?.unwrap_or_default(),
        params: draft.params.into_iter().map(|(param, _)| param).collect(),
        columns: draft.columns,
        program: draft.builder.finish(),
        rules,
        source: source.to_owned(),
    })
}

/// A file's name without folder and extension.
fn stem(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".toml").unwrap_or(name).to_owned()
}

/// One `key = value`.
pub(super) struct Pair<'t> {
    pub key: &'t str,
    pub key_span: Range<usize>,
    pub value: &'t Spanned<DeValue<'t>>,
}

/// A table's entries in the order of the file.
pub(super) fn entries<'t>(table: &'t DeTable<'_>) -> Vec<Pair<'t>> {
    let mut entries: Vec<Pair<'t>> =
        table.iter().map(|(key, value)| Pair { key: key.get_ref().as_ref(), key_span: key.span(), value }).collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}

/// Reads values and reports mistakes of one file.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    file: File<'a>,
}

impl<'a> Reader<'a> {
    pub fn error(&self, span: Range<usize>, message: impl Into<String>) -> Error {
        Error::strategy(message).at(self.file.place(span))
    }

    fn toml_error(&self, error: &toml::de::Error) -> Error {
        let sentence = format!("this is not TOML: {}", error.message());
        let error = match error.span() {
            Some(span) => self.error(span, sentence),
            None => Error::strategy(sentence).in_file(self.file.name),
        };
        match error.message().contains("quoted") {
            true => error.help("an expression is written in quotation marks: target = \"close > open\""),
            false => error,
        }
    }

    /// Refuses keys that mean nothing.
    pub fn check_keys(&self, table: &DeTable<'_>, known: &[&str], what: &str) -> Result<()> {
        let Some(entry) = entries(table).into_iter().find(|entry| !known.contains(&entry.key)) else { return Ok(()) };
        let error = self.error(entry.key_span, format!("{what} has no `{}`", entry.key.escape_debug()));
        Err(match nearest(entry.key, known.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("it may have {}", known.join(", "))),
        })
    }

    fn table<'t>(&self, document: &'t DeTable<'a>, key: &str) -> Result<Option<&'t DeTable<'a>>> {
        match document.get(key).map(|value| (value.span(), value.get_ref())) {
            None => Ok(None),
            Some((_, DeValue::Table(table))) => Ok(Some(table)),
            Some((span, other)) => Err(self
                .error(span, format!("`{key}` is {}, expected a table", article(other)))
                .help(format!("write a line `[{key}]` and its entries below"))),
        }
    }

    fn text(&self, document: &DeTable<'_>, key: &str) -> Result<Option<String>> {
        match document.get(key).map(|value| (value.span(), value.get_ref())) {
            None => Ok(None),
            Some((_, DeValue::String(text))) => Ok(Some(text.to_string())),
            Some((span, other)) => Err(self
                .error(span, format!("`{key}` is {}, expected a text", article(other)))
                .help(format!("write {key} = \"…\""))),
        }
    }

    /// A finite number.
    pub fn number(&self, value: &Spanned<DeValue<'_>>, what: &str) -> Result<f64> {
        let number = match value.get_ref() {
            DeValue::Integer(integer) => {
                // Larger whole numbers are not exact as floats.
                let exact = |number: &i64| number.unsigned_abs() <= 1 << 53;
                i64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(exact).map(|number| number as f64)
            }
            DeValue::Float(float) => float.as_str().parse::<f64>().ok().filter(|number| number.is_finite()),
            other => {
                return Err(self
                    .error(value.span(), format!("{what} is {}, expected a number", article(other)))
                    .help("numbers stand without quotation marks"));
            }
        };
        number.ok_or_else(|| {
            self.error(value.span(), format!("{what} must be a finite number"))
                .help("whole numbers may go up to 2^53 on either side of 0")
        })
    }
}

/// A strategy while its file is read.
struct Draft<'a> {
    reader: Reader<'a>,
    params: Vec<(ParamDecl, Kind)>,
    defaults: Vec<f64>,
    columns: Vec<(String, NodeId)>,
    all_columns: Vec<String>,
    builder: Builder,
}

impl<'a> Draft<'a> {
    fn new(reader: Reader<'a>) -> Self {
        let (params, defaults, columns, all_columns) = Default::default();
        Draft { reader, params, defaults, columns, all_columns, builder: Builder::default() }
    }

    fn columns(&mut self, table: &DeTable<'_>) -> Result<()> {
        let entries = entries(table);
        self.all_columns = entries.iter().map(|entry| entry.key.to_owned()).collect();
        for entry in entries {
            check_name(self.reader, &entry, "column")?;
            if self.params.iter().any(|(param, _)| param.name == entry.key) {
                return Err(self
                    .reader
                    .error(entry.key_span, format!("`{}` is already the name of a parameter", entry.key))
                    .help("choose another name for this column"));
            }
            let id = self.expression(&entry, None, false)?;
            self.columns.push((entry.key.to_owned(), id));
        }
        Ok(())
    }

    /// The node of a value that is an expression; plain numbers and truth values may stand without quotation marks.
    fn expression(&mut self, entry: &Pair<'_>, kind: Option<Kind>, position: bool) -> Result<NodeId> {
        let (span, user) = (entry.value.span(), format!("`{}`", entry.key));
        let (node, text) = match entry.value.get_ref() {
            DeValue::String(text) => {
                let fragment = Fragment::of_toml_string(self.reader.file, span, text);
                return self.checked(&fragment, &user, kind, position).map_err(|problem| fragment.error(problem));
            }
            DeValue::Boolean(flag) => (Node::Flag(*flag), Kind::Bool),
            DeValue::Integer(_) | DeValue::Float(_) => {
                (Node::Number(self.reader.number(entry.value, &user)?), Kind::Float)
            }
            other => {
                return Err(self
                    .reader
                    .error(span, format!("{user} is {}, expected an expression", article(other)))
                    .help("write it in quotation marks: \"close > open\""));
            }
        };
        match kind {
            Some(kind) if kind != text => {
                let wanted = if kind == Kind::Bool { "a condition" } else { "a number" };
                Err(self.reader.error(span, format!("{user} must be {wanted}")))
            }
            _ => self.builder.add(node, &self.params).map_err(|message| self.reader.error(span, message)),
        }
    }

    fn checked(
        &mut self,
        fragment: &Fragment<'_>,
        user: &str,
        kind: Option<Kind>,
        position: bool,
    ) -> std::result::Result<NodeId, Problem> {
        let expr = parse_expression(&fragment.text)?;
        let scope = Scope {
            params: &self.params,
            defaults: &self.defaults,
            columns: &self.columns,
            all_columns: &self.all_columns,
            position,
            scalars_only: false,
        };
        let mut checker = Checker { builder: &mut self.builder, scope, text: &fragment.text, inside: None };
        match kind {
            None => checker.node(&expr),
            Some(Kind::Float) => checker.float(&expr, user),
            Some(Kind::Bool) => checker.bool(&expr, user),
        }
    }

    fn rules(&mut self, table: &DeTable<'_>, document: &DeTable<'_>) -> Result<Rules> {
        let entries = entries(table);
        let known: Vec<&str> = TARGET.iter().chain(&SIGNALS).copied().collect();
        self.reader.check_keys(table, &known, "`[rules]`")?;
        let find = |key: &str| entries.iter().find(|entry| entry.key == key);
        if let Some(target) = find("target") {
            if let Some(other) = entries.iter().find(|entry| SIGNALS.contains(&entry.key)) {
                return Err(self
                    .reader
                    .error(other.key_span.clone(), format!("`{}` cannot stand beside `target`", other.key))
                    .help("rules are either `target` with `rebalance`, or entries and exits with `size`"));
            }
            let weight = self.expression(target, Some(Kind::Float), false)?;
            let rebalance = find("rebalance").map_or(Ok(Rebalance::OnChange), |entry| self.rebalance(entry))?;
            return Ok(Rules::Target { weight, rebalance });
        }
        if let Some(entry) = find("rebalance") {
            return Err(self
                .reader
                .error(entry.key_span.clone(), "`rebalance` needs a `target`")
                .help("entries and exits act when they become true: remove `rebalance`"));
        }
        if find("enter_long").is_none() && find("enter_short").is_none() {
            let place = document.get_key_value("rules").map(|(key, _)| key.span()).unwrap_or_default();
            return Err(self
                .reader
                .error(place, "these rules never open a position")
                .help("add `target`, or `enter_long`, or `enter_short`"));
        }
        self.signals(&entries)
    }

    fn signals(&mut self, entries: &[Pair<'_>]) -> Result<Rules> {
        let find = |key: &str| entries.iter().find(|entry| entry.key == key);
        for (exit, enter) in [("exit_long", "enter_long"), ("exit_short", "enter_short")] {
            if let (Some(entry), None) = (find(exit), find(enter)) {
                return Err(self
                    .reader
                    .error(entry.key_span.clone(), format!("`{exit}` never acts without `{enter}`"))
                    .help(format!("add `{enter}`, or remove `{exit}`")));
            }
        }
        let entry = Entry {
            limit: self.level(entries, "entry_limit", LevelIn::Price)?,
            stop: self.level(entries, "entry_stop", LevelIn::Price)?,
            stop_loss: self.level(entries, "stop_loss", LevelIn::Fraction)?,
            take_profit: self.level(entries, "take_profit", LevelIn::Fraction)?,
            trailing_stop: self.level(entries, "trailing_stop", LevelIn::Fraction)?,
            break_even: self.level(entries, "break_even", LevelIn::Fraction)?,
            bars: self.count(entries, "entry_bars")?,
            most: self.count(entries, "max_entries")?,
            time_stop: self.count(entries, "time_stop")?,
        };
        if let (Some(key), None, None) = (find("entry_bars"), entry.limit, entry.stop) {
            return Err(self
                .reader
                .error(key.key_span.clone(), "`entry_bars` needs an `entry_limit` or an `entry_stop`")
                .help("an entry at the market fills at the next bar: remove `entry_bars`"));
        }
        for (key, level) in [("trailing_stop", entry.trailing_stop), ("break_even", entry.break_even)] {
            if let (Some(unit), Some(LevelIn::Price)) = (find(&format!("{key}_in")), level.map(|level| level.unit)) {
                return Err(self
                    .reader
                    .error(unit.value.span(), format!("`{key}` is a distance, not a price"))
                    .help("write \"fraction\" or \"amount\"; a stop that follows an expression is `stop_loss` with `stop_loss_in = \"price\"`"));
            }
        }
        let size_in = self.size_in(find("size_in"), find("size").is_some())?;
        if let (SizeIn::Risk, None, None, Some(key)) = (size_in, entry.stop_loss, entry.trailing_stop, find("size_in"))
        {
            return Err(self
                .reader
                .error(key.value.span(), "a size in risk needs a `stop_loss` or a `trailing_stop`")
                .help("it is the fraction of equity that is lost when the stop is hit"));
        }
        let mut rule = |key: &str, kind| find(key).map(|entry| self.expression(entry, Some(kind), true)).transpose();
        Ok(Rules::Signals {
            entry,
            size_in,
            enter_long: rule("enter_long", Kind::Bool)?,
            exit_long: rule("exit_long", Kind::Bool)?,
            enter_short: rule("enter_short", Kind::Bool)?,
            exit_short: rule("exit_short", Kind::Bool)?,
            size: rule("size", Kind::Float)?,
        })
    }

    /// A price level with its unit.
    fn level(&mut self, entries: &[Pair<'_>], key: &str, default: LevelIn) -> Result<Option<PriceLevel>> {
        let find = |key: &str| entries.iter().find(|entry| entry.key == key);
        let unit_key = format!("{key}_in");
        let Some(entry) = find(key) else {
            return match find(&unit_key) {
                Some(unit) => Err(self
                    .reader
                    .error(unit.key_span.clone(), format!("`{unit_key}` needs a `{key}`"))
                    .help(format!("add `{key}`, or remove `{unit_key}`"))),
                None => Ok(None),
            };
        };
        let value = self.expression(entry, Some(Kind::Float), true)?;
        let unit = match find(&unit_key) {
            Some(unit) => self.word(unit, &LEVELS, "unit of a price level")?,
            None => default,
        };
        Ok(Some(PriceLevel { value, unit }))
    }

    /// A number of bars or entries: a scalar.
    fn count(&mut self, entries: &[Pair<'_>], key: &str) -> Result<Option<NodeId>> {
        let Some(entry) = entries.iter().find(|entry| entry.key == key) else { return Ok(None) };
        let id = self.expression(entry, Some(Kind::Float), false)?;
        if !self.builder.node_type(id).scalar {
            return Err(self
                .reader
                .error(entry.value.span(), format!("`{key}` must be one number for the whole run"))
                .help("use a number, a parameter, or arithmetic of them"));
        }
        Ok(Some(id))
    }

    /// One word of a list.
    fn word<T: Copy>(&self, entry: &Pair<'_>, words: &[(&str, T)], what: &str) -> Result<T> {
        let text = entry.value.get_ref().as_str();
        if let Some((_, value)) = words.iter().find(|(word, _)| Some(*word) == text) {
            return Ok(*value);
        }
        let names: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        Err(self.reader.error(entry.value.span(), format!("there is no such {what}")).help(format!(
            "write {} = {}",
            entry.key,
            names.join(" or ")
        )))
    }

    fn size_in(&self, entry: Option<&Pair<'_>>, has_size: bool) -> Result<SizeIn> {
        let Some(entry) = entry else { return Ok(SizeIn::Equity) };
        if !has_size {
            return Err(self
                .reader
                .error(entry.key_span.clone(), "`size_in` needs a `size`")
                .help("without `size` an entry takes 1 / n_symbols of equity"));
        }
        self.word(entry, &SIZES, "unit of `size`")
    }

    fn rebalance(&mut self, entry: &Pair<'_>) -> Result<Rebalance> {
        let text = entry.value.get_ref().as_str().unwrap_or_default().trim();
        if let Some((_, mode)) = REBALANCE_MODES.iter().find(|(name, _)| *name == text) {
            return Ok(*mode);
        }
        let near_mode =
            nearest(text, REBALANCE_MODES.map(|(name, _)| name)).filter(|_| is_name(text) && !is_reserved(text));
        match (self.expression(entry, Some(Kind::Bool), false), near_mode) {
            (Ok(condition), _) => Ok(Rebalance::When(condition)),
            (Err(_), Some(near)) => Err(self
                .reader
                .error(entry.value.span(), format!("there is no rebalance mode `{text}`"))
                .help(format!("did you mean `{near}`?"))),
            (Err(error), None) => {
                Err(error.help("modes are on_change, every_bar, weekly and monthly; or write a condition"))
            }
        }
    }
}
