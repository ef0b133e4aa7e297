//! The one table of a study's keys: name, meaning, default, type and bounds.
//!
//! The parser, the command line and the documentation all read this table, so they cannot differ.

use super::settings::{Direction, Fill, Margin, Method, Sequence, SizeAt, SpreadOn, Warmup, Words};
use super::source::{Value, shorten};
use super::spec::PlanSpec;
use crate::calendar;
use crate::error::{Error, Result, nearest};

/// One key of a study file.
#[derive(Clone, Copy)]
pub struct Key {
    /// Name, with its table before a dot: `costs.bps`.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Default, as it would be written; empty if there is none.
    pub default: &'static str,
    pub(super) read: Read,
}

/// How a key's value is read.
#[derive(Clone, Copy)]
pub(super) enum Read {
    Text(fn(&mut PlanSpec) -> &mut Option<String>),
    /// A text that always has a value.
    Name(fn(&mut PlanSpec) -> &mut String),
    /// A list of texts, or one text.
    Texts(fn(&mut PlanSpec, Vec<String>)),
    /// A finite number within bounds (both reached unless the lowest must be exceeded).
    Number {
        low: f64,
        high: f64,
        above_low: bool,
        put: fn(&mut PlanSpec, f64),
    },
    /// A whole number of at least this.
    Whole(u64, fn(&mut PlanSpec) -> &mut u64),
    Flag(fn(&mut PlanSpec) -> &mut bool),
    Date(fn(&mut PlanSpec) -> &mut Option<i32>),
    Word {
        /// All words, for messages.
        words: fn() -> Vec<&'static str>,
        /// Words that mean something which is not there yet.
        later: &'static [&'static str],
        /// Stores the value with this index.
        put: fn(&mut PlanSpec, usize),
    },
}

const fn number(low: f64, high: f64, put: fn(&mut PlanSpec, f64)) -> Read {
    Read::Number { low, high, above_low: false, put }
}

const fn above(low: f64, high: f64, put: fn(&mut PlanSpec, f64)) -> Read {
    Read::Number { low, high, above_low: true, put }
}

fn words<W: Words>() -> Vec<&'static str> {
    W::ALL.iter().map(|&(word, _)| word).collect()
}

/// Stores the word with an index that [`read`] found among [`words`].
fn pick<W: Words>(target: &mut W, index: usize) {
    if let Some(&(_, value)) = W::ALL.get(index) {
        *target = value;
    }
}

/// Largest sum of money a study may name; far below where cents are lost in rounding.
const MOST_MONEY: f64 = 1e15;

/// All keys; parameters stand in `[space]` under their own names.
pub static KEYS: &[Key] = &[
    Key {
        name: "bundle",
        doc: "Path of the bundle, or the name of a built-in one.",
        default: "",
        read: Read::Text(|spec| &mut spec.bundle),
    },
    Key {
        name: "strategy",
        doc: "Path of the strategy file, or the name of one of the gallery.",
        default: "",
        read: Read::Text(|spec| &mut spec.strategy),
    },
    Key {
        name: "strategy_text",
        doc: "The strategy itself, instead of `strategy`.",
        default: "",
        read: Read::Text(|spec| &mut spec.strategy_text),
    },
    Key {
        name: "name",
        doc: "Name of the study, for people.",
        default: "the strategy's name",
        read: Read::Text(|spec| &mut spec.name),
    },
    Key {
        name: "symbols",
        doc: "Symbols to trade, in one account.",
        default: "all of the bundle",
        read: Read::Texts(|spec, texts| spec.symbols = Some(texts)),
    },
    Key {
        name: "start",
        doc: "First session, YYYY-MM-DD.",
        default: "the bundle's first",
        read: Read::Date(|spec| &mut spec.start),
    },
    Key {
        name: "end",
        doc: "Last session, YYYY-MM-DD.",
        default: "the bundle's last",
        read: Read::Date(|spec| &mut spec.end),
    },
    Key {
        name: "capital",
        doc: "Initial cash.",
        default: "100000",
        read: above(0.0, MOST_MONEY, |spec, x| spec.settings.capital = x),
    },
    Key {
        name: "fill",
        doc: "Price of a fill: the next bar's open, its close, or the close that the decision saw.",
        default: "\"next_open\"",
        read: Read::Word { words: words::<Fill>, later: &[], put: |spec, i| pick(&mut spec.settings.fill, i) },
    },
    Key {
        name: "size_at",
        doc: "When a weight becomes units: \"decision\" from the close and the equity that it saw, \"fill\" from \
              price and equity at the fill.",
        default: "\"decision\"",
        read: Read::Word { words: words::<SizeAt>, later: &[], put: |spec, i| pick(&mut spec.settings.size_at, i) },
    },
    Key {
        name: "sequence",
        doc: "Order of the fills of one bar: sells before buys, by signed value, or by symbol.",
        default: "\"sells_first\"",
        read: Read::Word { words: words::<Sequence>, later: &[], put: |spec, i| pick(&mut spec.settings.sequence, i) },
    },
    Key {
        name: "shorts",
        doc: "Whether positions may be negative.",
        default: "true",
        read: Read::Flag(|spec| &mut spec.settings.shorts),
    },
    Key {
        name: "margin",
        doc: "What limits purchases: \"cash\" cuts a buy to what cash pays, \"none\" lets cash go negative.",
        default: "\"cash\"",
        read: Read::Word {
            words: words::<Margin>,
            later: &["reg_t"],
            put: |spec, i| pick(&mut spec.settings.margin, i),
        },
    },
    Key {
        name: "fractional",
        doc: "Whether quantities may be fractions; if not, they are whole lots, truncated toward zero.",
        default: "true",
        read: Read::Flag(|spec| &mut spec.settings.fractional),
    },
    Key {
        name: "lot",
        doc: "Units of a lot when `fractional = false`.",
        default: "1",
        read: above(0.0, 1e9, |spec, x| {
            spec.settings.lot = x;
            spec.lot_given = true;
        }),
    },
    Key {
        name: "lot_snap",
        doc: "Whether a quantity within 1e-4 of a whole number of lots counts as whole.",
        default: "true",
        read: Read::Flag(|spec| &mut spec.settings.lot_snap),
    },
    Key {
        name: "size_includes_costs",
        doc: "Whether an entry's size in equity counts the costs of the entry.",
        default: "false",
        read: Read::Flag(|spec| &mut spec.settings.size_includes_costs),
    },
    Key {
        name: "fill_without_volume",
        doc: "Whether a bar without volume fills orders all the same.",
        default: "false",
        read: Read::Flag(|spec| &mut spec.settings.fill_without_volume),
    },
    Key {
        name: "refuse_unpaid_sales",
        doc: "Whether a sale whose proceeds do not cover its commission is refused.",
        default: "false",
        read: Read::Flag(|spec| &mut spec.settings.refuse_unpaid_sales),
    },
    Key {
        name: "warmup",
        doc: "Where indicators start: \"auto\" on the bars before `start`, \"none\" on the first bar of the dates.",
        default: "\"auto\"",
        read: Read::Word { words: words::<Warmup>, later: &[], put: |spec, i| pick(&mut spec.warmup, i) },
    },
    Key {
        name: "close_at_end",
        doc: "Whether the last bar closes every position.",
        default: "false",
        read: Read::Flag(|spec| &mut spec.settings.close_at_end),
    },
    Key {
        name: "end_at_open",
        doc: "Whether `close_at_end` happens at the last bar's open instead of its close.",
        default: "false",
        read: Read::Flag(|spec| &mut spec.settings.end_at_open),
    },
    Key {
        name: "costs.per_share",
        doc: "Commission for each unit, in money.",
        default: "0",
        read: number(0.0, MOST_MONEY, |spec, x| spec.settings.costs.per_share = x),
    },
    Key {
        name: "costs.per_share_minimum",
        doc: "Least sum of `per_share` for one order, in money.",
        default: "0",
        read: number(0.0, MOST_MONEY, |spec, x| spec.settings.costs.per_share_minimum = x),
    },
    Key {
        name: "costs.per_trade",
        doc: "Commission for each order, in money.",
        default: "0",
        read: number(0.0, MOST_MONEY, |spec, x| spec.settings.costs.per_trade = x),
    },
    Key {
        name: "costs.bps",
        doc: "Commission in basis points (1/10,000) of the value traded.",
        default: "0",
        read: number(0.0, 5_000.0, |spec, x| spec.settings.costs.bps = x),
    },
    Key {
        name: "costs.spread",
        doc: "Full spread as a fraction of the price; each side pays half.",
        default: "0",
        read: number(0.0, 0.5, |spec, x| spec.settings.costs.spread = x),
    },
    Key {
        name: "costs.spread_on",
        doc: "Which fills pay the spread: \"both\" sides of a trade, or its \"entry\" only.",
        default: "\"both\"",
        read: Read::Word {
            words: words::<SpreadOn>,
            later: &[],
            put: |spec, i| pick(&mut spec.settings.costs.spread_on, i),
        },
    },
    Key {
        name: "costs.slippage_bps",
        doc: "Slippage in basis points of the price, against the order.",
        default: "0",
        read: number(0.0, 5_000.0, |spec, x| spec.settings.costs.slippage_bps = x),
    },
    Key {
        name: "where",
        doc: "Conditions over the parameters, one text or a list, that cut the space before anything is evaluated.",
        default: "none",
        read: Read::Texts(|spec, texts| spec.conditions = texts),
    },
    Key {
        name: "search.method",
        doc: "Which points become trials: \"grid\" for all, \"single\" for one at the defaults.",
        default: "\"grid\"",
        read: Read::Word {
            words: words::<Method>,
            later: &["random", "tpe", "gp", "cma-es", "de", "ga", "hyperband", "bohb", "nsga-ii", "local"],
            put: |spec, i| pick(&mut spec.method, i),
        },
    },
    Key {
        name: "objective",
        doc: "Metric that ranks the trials.",
        default: "\"sharpe\"",
        read: Read::Name(|spec| &mut spec.objective),
    },
    Key {
        name: "direction",
        doc: "Which end of the objective is wanted, \"max\" or \"min\".",
        default: "the metric's better end",
        read: Read::Word {
            words: words::<Direction>,
            later: &[],
            put: |spec, i| pick(spec.direction.get_or_insert_default(), i),
        },
    },
    Key {
        name: "top",
        doc: "How many of the best trials to report.",
        default: "10",
        read: Read::Whole(1, |spec| &mut spec.top),
    },
    Key { name: "seed", doc: "Seed of every random draw.", default: "0", read: Read::Whole(0, |spec| &mut spec.seed) },
    Key {
        name: "benchmark",
        doc: "Symbol that stands for the market, for alpha, beta and the information ratio.",
        default: "the bundle's, if it names one",
        read: Read::Text(|spec| &mut spec.benchmark),
    },
    Key {
        name: "risk_free",
        doc: "Yearly rate of return without risk, as a fraction.",
        default: "0",
        read: number(-0.5, 10.0, |spec, x| spec.settings.risk_free = x),
    },
    Key { name: "output", doc: "Folder for the results.", default: "", read: Read::Text(|spec| &mut spec.output) },
];

/// The key with this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether a top-level name is a table of keys.
pub(super) fn is_table(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.split_once('.').is_some_and(|(table, _)| table == name))
}

/// Reads `value` into the field of `key`.
///
/// # Errors
/// The value has another type, is out of bounds, or is a word that is not known.
pub(super) fn read(key: &Key, spec: &mut PlanSpec, value: &Value) -> Result<()> {
    let name = key.name;
    let wrong = |expected: &str| Err(Error::plan(format!("`{name}` is {expected}, found {value}")));
    match (key.read, value) {
        (Read::Text(field), Value::Text(text)) if !text.trim().is_empty() => *field(spec) = Some(text.clone()),
        (Read::Name(field), Value::Text(text)) if !text.trim().is_empty() => text.trim().clone_into(field(spec)),
        (Read::Text(_) | Read::Name(_), _) => return wrong("a text that is not empty"),
        (Read::Texts(put), value) => put(spec, texts(name, value)?),
        (Read::Number { low, high, above_low, put }, value) => match value.number() {
            Some(x) if x <= high && x >= low && !(above_low && x == low) => put(spec, x),
            _ if above_low => return wrong(&format!("a number above {low} and at most {high}")),
            _ => return wrong(&format!("a number from {low} to {high}")),
        },
        (Read::Whole(least, field), value) => match value {
            Value::Int(number) if u64::try_from(*number).is_ok_and(|number| number >= least) => {
                *field(spec) = number.unsigned_abs();
            }
            _ => return wrong(&format!("a whole number of at least {least}")),
        },
        (Read::Flag(field), Value::Bool(flag)) => *field(spec) = *flag,
        (Read::Flag(_), _) => return wrong("true or false"),
        (Read::Date(field), Value::Date(text) | Value::Text(text)) => match calendar::parse_date(text.trim()) {
            Some(date) => *field(spec) = Some(date),
            None => return wrong("a date that exists, YYYY-MM-DD"),
        },
        (Read::Date(_), _) => return wrong("a date, YYYY-MM-DD"),
        (Read::Word { words, later, put }, value) => put(spec, word(name, &words(), later, value)?),
    }
    Ok(())
}

fn texts(name: &str, value: &Value) -> Result<Vec<String>> {
    let one = |value: &Value| match value {
        Value::Text(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        other => Err(Error::plan(format!("`{name}` takes texts that are not empty, found {other}"))),
    };
    match value {
        Value::List(items) if !items.is_empty() || name == "where" => {
            items.iter().map(|item| one(&item.value)).collect()
        }
        Value::List(_) => {
            Err(Error::plan(format!("`{name}` is an empty list")).help("leave the key out for its default"))
        }
        other => one(other).map(|text| vec![text]),
    }
}

/// Index of a word in `words`.
fn word(name: &str, words: &[&str], later: &[&str], value: &Value) -> Result<usize> {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let list = match quoted.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => quoted.concat(),
    };
    let Value::Text(text) = value else {
        return Err(Error::plan(format!("`{name}` is {list}, found {value}")));
    };
    if let Some(index) = words.iter().position(|word| word == text) {
        return Ok(index);
    }
    if later.contains(&text.as_str()) {
        return Err(Error::unsupported(format!("`{name} = \"{text}\"` is not supported by this version"))
            .help(format!("use {list}")));
    }
    let error = Error::plan(format!("`{name}` is {list}, found \"{}\"", shorten(text)));
    Err(match nearest(text, words.iter().copied()) {
        Some(near) => error.help(format!("did you mean \"{near}\"?")),
        None => error,
    })
}
