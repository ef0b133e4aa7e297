//! What the user typed: a study file and the options laid over it, not yet held against a bundle and a strategy.
//!
//! Given text, this file gives a [`PlanSpec`] in which every key has its type, its bounds and its default, and every
//! mistake is reported at its place. It never knows whether a symbol, a parameter or a metric exists.

use std::collections::BTreeMap;

use super::folding::Folding;
use super::keys::{self, KEYS, Key, Read};
use super::presets::Conventions;
use super::searching::Searching;
use super::settings::{Direction, Settings, Warmup};
use super::source::{self, Entry, File, Item, Value, shorten};
use crate::cache::Switches;
use crate::context::{Adjust, BarSize};
use crate::error::{Error, Place, Result, nearest};
use crate::strategy::{Domain, Scale};

/// A parameter's values as `[space]` or `param NAME=…` gives them.
#[derive(Clone, Debug, PartialEq)]
pub enum SpaceEntry {
    /// One number, `fast = 10`.
    Number(f64),
    /// One truth value.
    Flag(bool),
    /// A list of numbers in the order to try them.
    Numbers(Vec<f64>),
    /// A list of truth values.
    Flags(Vec<bool>),
    /// `{ type = "int", min = 5, max = 50, step = 5 }`, on the command line also `5:50:5`.
    Domain(Domain),
}

/// Where the strategy of a study comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrategySource<'a> {
    /// A path or the name of a built-in one.
    Named(&'a str),
    /// The text itself.
    Text(&'a str),
}

/// A study as typed. Everything has a default except the bundle and the strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanSpec {
    /// File name of the study for messages.
    pub file: String,
    /// Path or built-in name of the bundle.
    pub bundle: Option<String>,
    /// Path or built-in name of the strategy.
    pub strategy: Option<String>,
    /// The strategy's text, instead of `strategy`.
    pub strategy_text: Option<String>,
    /// Name of the study for people.
    pub name: Option<String>,
    /// Symbols to trade; `None` for all.
    pub symbols: Option<Vec<String>>,
    /// First session, days since 1970-01-01; `None` for the bundle's first.
    pub start: Option<i32>,
    /// Last session; `None` for the bundle's last.
    pub end: Option<i32>,
    /// Conventions that the switches follow unless they are given.
    pub preset: Conventions,
    /// The switches of the simulation.
    pub settings: Settings,
    /// Most symbols held at once.
    pub max_positions: u64,
    /// Whether `lot` was given, so that an effectless one can be pointed out.
    pub lot_given: bool,
    /// Where indicators start.
    pub warmup: Warmup,
    /// Which corporate actions adjust the past that the strategy sees.
    pub adjust: Adjust,
    /// Bars that the run is simulated on.
    pub bars: BarSize,
    /// Values of parameters, instead of those that the strategy declares.
    pub space: BTreeMap<String, SpaceEntry>,
    /// Conditions over parameters that every trial satisfies.
    pub conditions: Vec<String>,
    /// Which points become trials, and how they are found.
    pub searching: Searching,
    /// How the sessions are divided into training and test, if any key of `[folds]` is given.
    pub folds: Option<Folding>,
    /// Metrics that rank trials, or expressions over metrics.
    pub objectives: Vec<String>,
    /// Conditions over metrics that every trial should meet.
    pub constraints: Vec<String>,
    /// Which end of it is wanted; `None` for the metric's own better end.
    pub direction: Option<Direction>,
    /// How many of the best trials to report.
    pub top: u64,
    /// Seed of every random draw.
    pub seed: u64,
    /// Symbol that stands for the market; `None` for the bundle's.
    pub benchmark: Option<String>,
    /// Folder for the results.
    pub output: Option<String>,
    /// Cache layers that the run goes round; see [`PlanSpec::switches`].
    pub no_cache: Vec<String>,
    /// Keys that were given, in order.
    given: Vec<(&'static str, Value)>,
    /// Where each key was given.
    places: BTreeMap<String, Place>,
}

impl Default for PlanSpec {
    fn default() -> Self {
        PlanSpec {
            file: String::from("study"),
            bundle: None,
            strategy: None,
            strategy_text: None,
            name: None,
            symbols: None,
            start: None,
            end: None,
            preset: Conventions::default(),
            settings: Settings::default(),
            max_positions: 0,
            lot_given: false,
            warmup: Warmup::default(),
            adjust: Adjust::default(),
            bars: BarSize::default(),
            space: BTreeMap::new(),
            conditions: Vec::new(),
            searching: Searching::default(),
            folds: None,
            objectives: vec![String::from("sharpe")],
            constraints: Vec::new(),
            direction: None,
            top: 10,
            seed: 0,
            benchmark: None,
            output: None,
            no_cache: Vec::new(),
            given: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

impl PlanSpec {
    /// A study with every key at its default; `file` is the name for messages.
    pub fn new(file: &str) -> PlanSpec {
        PlanSpec { file: file.to_owned(), ..PlanSpec::default() }
    }

    /// Reads a study file: TOML, or JSON if the text starts with `{`. `file` is the name for messages.
    ///
    /// # Errors
    /// Text that does not parse, unknown keys, values of a wrong type or out of bounds, each at its place.
    pub fn parse(text: &str, file: &str) -> Result<PlanSpec> {
        // A byte order mark is what some editors put first; it means nothing.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut spec = PlanSpec::new(file);
        let mut entries = source::parse(text, file)?;
        // The preset is what the other keys are laid over, wherever it stands.
        entries.sort_by_key(|entry| entry.key != "preset");
        for entry in &entries {
            spec.read_entry(entry, "", File { text, name: file })?;
        }
        Ok(spec)
    }

    /// Sets every switch to the preset's value; keys that are given are laid over it.
    pub(super) fn follow_preset(&mut self) {
        let own = self.settings;
        self.settings = Settings { capital: own.capital, risk_free: own.risk_free, ..self.preset.settings() };
        for (key, value) in std::mem::take(&mut self.given) {
            if let Some(found) = keys::find(key) {
                // It was read once already.
                _ = keys::read(found, self, &value);
            }
            self.given.push((key, value));
        }
    }

    /// Remembers a key that was given, so that a preset that comes later does not replace it.
    fn remember(&mut self, key: &'static Key, value: &Value) {
        if key.name != "preset" {
            self.given.retain(|(known, _)| *known != key.name);
            self.given.push((key.name, value.clone()));
        }
    }

    /// Lays one option over the study: a key of [`KEYS`] as `costs.bps`, or a parameter as `space.fast`
    /// or `param.fast`. A value is written as in TOML or bare (`next_close`, `AAPL,MSFT`); a parameter also takes
    /// `min:max:step` and `5,10,15`. A key that was given before is replaced.
    ///
    /// # Errors
    /// As [`PlanSpec::parse`], with the option itself as the place.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let key = key.trim();
        let place = Place { file: format!("{key}={}", shorten(value)), ..Place::default() };
        let parameter = ["space.", "param.", "param "].iter().find_map(|prefix| key.strip_prefix(prefix));
        let done = if let Some(parameter) = parameter {
            let parameter = parameter.trim();
            space_argument(value.trim())
                .map(|entry| _ = self.space.insert(parameter.to_owned(), entry))
                .map(|()| format!("space.{parameter}"))
        } else {
            keys::find(key).ok_or_else(|| unknown_key(key, "")).and_then(|found| {
                let argument = match found.read {
                    Read::Text(_) => Value::Text(value.to_owned()),
                    Read::Texts(_) if !is_list_of_expressions(key) => Value::List(split_texts(value)),
                    _ => source::parse_argument(value.trim()),
                };
                keys::read(found, self, &argument)?;
                self.remember(found, &argument);
                Ok(key.to_owned())
            })
        };
        let path = done.map_err(|error| error.at(place.clone()))?;
        self.places.remove(&format!("{path}[name]"));
        if is_list_of_expressions(&path) {
            let own = format!("{path}[");
            self.places.retain(|known, _| !known.starts_with(&own));
        }
        self.places.insert(path, place);
        Ok(())
    }

    /// A study (JSON or TOML) as TOML, as a person would keep it: checked, long texts on lines of their own.
    ///
    /// # Errors
    /// As [`PlanSpec::parse`].
    pub fn to_toml(text: &str, file: &str) -> Result<String> {
        PlanSpec::parse(text, file)?;
        let unreadable = |why: String| Error::plan(format!("the study cannot be written as TOML: {why}")).in_file(file);
        let table: toml::Table = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?
        } else {
            toml::from_str(text).map_err(|error| unreadable(error.to_string()))?
        };
        toml::to_string_pretty(&table).map_err(|error| unreadable(error.to_string()))
    }

    /// The bundle's path or name.
    ///
    /// # Errors
    /// None was given.
    pub fn require_bundle(&self) -> Result<&str> {
        self.bundle.as_deref().ok_or_else(|| {
            Error::plan("no bundle is named")
                .in_file(&self.file)
                .help("add `bundle = \"NAME.bundle\"`, or a built-in one: `bundle = \"mag8\"`")
        })
    }

    /// The strategy's path, name or text.
    ///
    /// # Errors
    /// None was given, or both a name and a text.
    pub fn require_strategy(&self) -> Result<StrategySource<'_>> {
        match (&self.strategy, &self.strategy_text) {
            (Some(name), None) => Ok(StrategySource::Named(name)),
            (None, Some(text)) => Ok(StrategySource::Text(text)),
            (None, None) => Err(Error::plan("no strategy is named")
                .in_file(&self.file)
                .help("add `strategy = \"FILE.toml\"`, or its text as `strategy_text = '''…'''`")),
            (Some(_), Some(_)) => Err(self
                .fault("strategy_text", "both `strategy` and `strategy_text` are given")
                .help("keep one of them")),
        }
    }

    /// The cache layers that `no_cache` leaves on.
    ///
    /// # Errors
    /// It names a layer that there is none of.
    pub fn switches(&self) -> Result<Switches> {
        Switches::without_named(self.no_cache.iter().map(String::as_str)).map_err(|error| {
            let fault = self.fault("no_cache", error.message());
            error.way_out().map_or(fault.clone(), |help| fault.help(help))
        })
    }

    /// Where a key was given; the file alone if it was not. `where[0]` is the text of the first condition.
    pub fn place_of(&self, key: &str) -> Place {
        let whole = || key.split_once('[').and_then(|(list, _)| self.places.get(list));
        let place = self.places.get(key).or_else(whole).cloned();
        place.unwrap_or_else(|| Place { file: self.file.clone(), ..Place::default() })
    }

    /// Whether a key was given.
    pub fn was_given(&self, key: &str) -> bool {
        self.given.iter().any(|(known, _)| *known == key)
    }

    /// An error about a key, at the place where it was given.
    pub fn fault(&self, key: &str, message: impl Into<String>) -> Error {
        Error::plan(message).at(self.place_of(key))
    }

    fn read_entry(&mut self, entry: &Entry, table: &str, file: File<'_>) -> Result<()> {
        let path = if table.is_empty() { entry.key.clone() } else { format!("{table}.{}", entry.key) };
        let here = || file.place(entry.item.span.clone());
        if table.is_empty() && (path == "space" || keys::is_table(&path)) {
            let Value::Table(entries) = &entry.item.value else {
                let message = format!("`{path}` is a table, found {}", entry.item.value);
                return Err(Error::plan(message).at(here()).help(format!("write `[{path}]` and its keys below")));
            };
            return entries.iter().try_for_each(|inner| self.read_entry(inner, &path, file));
        }
        // Conditions cut the space, so many will write them there.
        let path = if path == "space.where" { String::from("where") } else { path };
        let path = match path.strip_prefix("search.") {
            Some(name) if OF_THE_STUDY.contains(&name) => name.to_owned(),
            _ => path,
        };
        if table == "space" && path != "where" {
            let read = space_entry(&entry.item).map_err(|(error, span)| error.at(file.place(span)))?;
            self.space.insert(entry.key.clone(), read);
            self.places.insert(name_of(&entry.key), file.place(entry.key_span.clone()));
        } else {
            let unknown = || unknown_key(&entry.key, table).at(file.place(entry.key_span.clone()));
            let key = keys::find(&path).ok_or_else(unknown)?;
            keys::read(key, self, &entry.item.value).map_err(|error| error.at(here()))?;
            self.remember(key, &entry.item.value);
        }
        if is_list_of_expressions(&path) {
            let items = match &entry.item.value {
                Value::List(items) => items.as_slice(),
                _ => std::slice::from_ref(&entry.item),
            };
            for (number, item) in items.iter().enumerate() {
                self.places.insert(format!("{path}[{number}]"), file.place_inside(item));
            }
        }
        self.places.insert(path, here());
        Ok(())
    }
}

/// The entry of [`PlanSpec::place_of`] for a parameter's name, where `space.NAME` is that of its values.
pub(super) fn name_of(parameter: &str) -> String {
    format!("space.{parameter}[name]")
}

/// Keys of the whole study that many will write into `[search]`.
const OF_THE_STUDY: [&str; 4] = ["objective", "direction", "constraints", "seed"];

/// Whether a key takes one expression or a list of them, each with a place of its own. They may hold commas.
fn is_list_of_expressions(key: &str) -> bool {
    ["where", "objective", "constraints"].contains(&key)
}

/// What to say of a key that no study has.
fn unknown_key(key: &str, table: &str) -> Error {
    let prefix = if table.is_empty() { String::new() } else { format!("{table}.") };
    let shown = shorten(key);
    let error = Error::plan(if table.is_empty() {
        format!("unknown key `{shown}`")
    } else {
        format!("unknown key `{shown}` in [{table}]")
    });
    // The right word in the wrong table is a likelier slip than a misspelling.
    if let Some(Key { name, .. }) = KEYS.iter().find(|known| known.name.rsplit('.').next() == Some(key)) {
        return error.help(format!("did you mean `{name}`?"));
    }
    let names = KEYS.iter().filter_map(|known| known.name.strip_prefix(&prefix)).filter(|name| !name.contains('.'));
    let tables = ["space", "costs", "session", "search", "folds"].into_iter().filter(|_| table.is_empty());
    let names: Vec<&str> = names.chain(tables).collect();
    match nearest(key, names.iter().copied()).or_else(|| nearest(key, KEYS.iter().map(|known| known.name))) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("known here: {}", names.join(", "))),
    }
}

fn split_texts(list: &str) -> Vec<Item> {
    let texts = list.split(',').map(str::trim).filter(|text| !text.is_empty());
    texts.map(|text| Item { value: Value::Text(text.to_owned()), span: 0..0 }).collect()
}

/// A parameter's values from the command line.
fn space_argument(text: &str) -> Result<SpaceEntry> {
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    let whole = 0..text.len();
    let item = if parts.len() > 1 && !text.starts_with(['{', '[']) {
        let names = ["min", "max", "step"];
        if parts.len() > names.len() {
            return Err(Error::plan("a range is `min:max` or `min:max:step`"));
        }
        let entries = names.iter().zip(&parts).map(|(name, part)| Entry {
            key: (*name).to_owned(),
            key_span: whole.clone(),
            item: Item { value: source::parse_argument(part), span: whole.clone() },
        });
        Item { value: Value::Table(entries.collect()), span: whole }
    } else if text.contains(',') && !text.starts_with(['{', '[']) {
        let items =
            text.split(',').map(|part| Item { value: source::parse_argument(part.trim()), span: whole.clone() });
        Item { value: Value::List(items.collect()), span: whole }
    } else {
        Item { value: source::parse_argument(text), span: whole }
    };
    space_entry(&item).map_err(|(error, _)| error)
}

/// An error and the part of the text that it is about.
type Fault = (Error, std::ops::Range<usize>);

/// A parameter's values from the tree.
fn space_entry(item: &Item) -> std::result::Result<SpaceEntry, Fault> {
    let fault = |message: String| Err((Error::plan(message), item.span.clone()));
    match &item.value {
        Value::Bool(flag) => Ok(SpaceEntry::Flag(*flag)),
        Value::Table(entries) => domain(item, entries).map(SpaceEntry::Domain),
        Value::List(items) if items.is_empty() => fault("the list is empty: there is nothing to try".into()),
        Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Bool(_))) => {
            Ok(SpaceEntry::Flags(items.iter().map(|item| item.value == Value::Bool(true)).collect()))
        }
        Value::List(items) => items.iter().map(finite).collect::<std::result::Result<_, _>>().map(SpaceEntry::Numbers),
        Value::Int(_) | Value::Float(_) => finite(item).map(SpaceEntry::Number),
        other => match other {
            Value::Text(_) | Value::Date(_) => Err((
                Error::plan(format!("expected the values of a parameter, found {other}"))
                    .help("write one number, a list `[5, 10]`, or `{ type = \"int\", min = 5, max = 50, step = 5 }`"),
                item.span.clone(),
            )),
            _ => fault(format!("expected the values of a parameter, found {other}")),
        },
    }
}

fn finite(item: &Item) -> std::result::Result<f64, Fault> {
    let number = item.value.number().filter(|number| number.is_finite());
    number.ok_or_else(|| (Error::plan(format!("expected a finite number, found {}", item.value)), item.span.clone()))
}

/// `{ type = …, … }`; without a type, whole `min`, `max` and `step` mean `int`, `values` mean `choice`.
fn domain(item: &Item, entries: &[Entry]) -> std::result::Result<Domain, Fault> {
    let names: &[&str] = &["type", "min", "max", "step", "scale", "values"];
    let mut given: BTreeMap<&str, &Item> = BTreeMap::new();
    for entry in entries {
        if !names.contains(&entry.key.as_str()) {
            let error = Error::plan(format!("unknown key `{}` of a domain", shorten(&entry.key)));
            let known = nearest(&entry.key, names.iter().copied());
            let way_out =
                known.map_or_else(|| format!("known: {}", names.join(", ")), |n| format!("did you mean `{n}`?"));
            return Err((error.help(way_out), entry.key_span.clone()));
        }
        given.insert(&entry.key, &entry.item);
    }
    let word = |name: &str| match given.get(name).map(|item| (&item.value, item)) {
        None => Ok(None),
        Some((Value::Text(word), _)) => Ok(Some(word.as_str())),
        Some((other, at)) => Err((Error::plan(format!("`{name}` is a word, found {other}")), at.span.clone())),
    };
    let whole = ["min", "max", "step"]
        .iter()
        .all(|name| given.get(name).is_none_or(|item| matches!(item.value, Value::Int(_))));
    let kind = match word("type")? {
        Some(kind) => kind,
        None if given.contains_key("values") => "choice",
        None if whole => "int",
        None => "float",
    };
    let allowed: &[&str] = match kind {
        "int" => &["type", "min", "max", "step"],
        "float" => &["type", "min", "max", "step", "scale"],
        "choice" => &["type", "values"],
        "bool" => &["type"],
        other => {
            let message = format!("`type` is \"int\", \"float\", \"choice\" or \"bool\", found \"{}\"", shorten(other));
            return Err((Error::plan(message), given.get("type").map_or(item.span.clone(), |item| item.span.clone())));
        }
    };
    if let Some((name, at)) = given.iter().find(|(name, _)| !allowed.contains(name)) {
        return Err((Error::plan(format!("`{name}` means nothing for type \"{kind}\"")), at.span.clone()));
    }
    let need = |name: &str| {
        let missing = || (Error::plan(format!("type \"{kind}\" needs `{name}`")), item.span.clone());
        given.get(name).copied().ok_or_else(missing)
    };
    let integer = |item: &Item| match item.value {
        Value::Int(number) if number.unsigned_abs() <= 1 << 53 => Ok(number),
        _ => Err((Error::plan(format!("expected a whole number, found {}", item.value)), item.span.clone())),
    };
    Ok(match kind {
        "int" => Domain::Int {
            min: integer(need("min")?)?,
            max: integer(need("max")?)?,
            step: given.get("step").map_or(Ok(1), |item| integer(item))?,
        },
        "float" => Domain::Float {
            min: finite(need("min")?)?,
            max: finite(need("max")?)?,
            step: given.get("step").map(|item| finite(item)).transpose()?,
            scale: match word("scale")? {
                None | Some("linear") => Scale::Linear,
                Some("log") => Scale::Log,
                Some(other) => {
                    let message = format!("`scale` is \"linear\" or \"log\", found \"{}\"", shorten(other));
                    return Err((Error::plan(message), item.span.clone()));
                }
            },
        },
        "choice" => match &need("values")?.value {
            Value::List(items) if !items.is_empty() => {
                Domain::Choice { values: items.iter().map(finite).collect::<std::result::Result<_, _>>()? }
            }
            other => {
                let message = format!("`values` is a list with at least one number, found {other}");
                return Err((Error::plan(message), item.span.clone()));
            }
        },
        _ => Domain::Bool,
    })
}
