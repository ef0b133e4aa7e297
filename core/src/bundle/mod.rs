//! Bars as an immutable, content-hashed [`Bundle`].
//!
//! Given bytes, this room gives a bundle, or says which byte ranges it needs next. It never knows files, URLs or
//! strategies.
//!
//! - [`ingest`](mod@ingest) turns other people's CSV and Parquet into a [`BundleDraft`] and a report of defects;
//! - [`synth`] invents one, by seed;
//! - [`write`](mod@write) encodes a draft into the files of a `NAME.bundle` folder;
//! - [`read`] decodes some symbols, dates and columns of such files, asking for byte ranges;
//! - [`manifest`] is the text that ties the files together, [`check`] what bars must satisfy.

pub mod actions;
pub mod check;
pub mod draft;
mod groups;
pub mod ingest;
pub mod manifest;
mod pages;
pub mod read;
#[cfg(test)]
mod round_trip;
pub mod synth;
pub mod write;

pub use actions::Action;
pub use draft::BundleDraft;
pub use manifest::Manifest;

use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;

/// A column of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// First price of the bar.
    Open,
    /// Highest price.
    High,
    /// Lowest price.
    Low,
    /// Last price.
    Close,
    /// Units traded.
    Volume,
}

impl Field {
    /// All fields, in the order of the columns.
    pub const ALL: [Field; 5] = [Field::Open, Field::High, Field::Low, Field::Close, Field::Volume];

    /// Lower-case name, as strategies and files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Field::Open => "open",
            Field::High => "high",
            Field::Low => "low",
            Field::Close => "close",
            Field::Volume => "volume",
        }
    }

    /// The field with this lower-case name.
    pub fn from_name(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// One symbol's bars in ascending time, columns of equal length. Volume may be all zero where the source has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// Timestamps, microseconds UTC: the close instant of an intraday bar, midnight UTC of the session of a daily bar.
    pub time: Vec<i64>,
    /// The session (civil date on the exchange, days since 1970-01-01) each bar belongs to.
    pub session: Vec<i32>,
    /// First price.
    pub open: Vec<f64>,
    /// Highest price.
    pub high: Vec<f64>,
    /// Lowest price.
    pub low: Vec<f64>,
    /// Last price.
    pub close: Vec<f64>,
    /// Units traded.
    pub volume: Vec<f64>,
}

impl Bars {
    /// Number of bars.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there is no bar.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// One column.
    pub fn field(&self, field: Field) -> &[f64] {
        match field {
            Field::Open => &self.open,
            Field::High => &self.high,
            Field::Low => &self.low,
            Field::Close => &self.close,
            Field::Volume => &self.volume,
        }
    }

    /// One column, to be filled.
    pub(crate) fn field_mut(&mut self, field: Field) -> &mut Vec<f64> {
        match field {
            Field::Open => &mut self.open,
            Field::High => &mut self.high,
            Field::Low => &mut self.low,
            Field::Close => &mut self.close,
            Field::Volume => &mut self.volume,
        }
    }

    /// Appends one bar.
    pub(crate) fn push(&mut self, time: i64, session: i32, [open, high, low, close, volume]: [f64; 5]) {
        self.time.push(time);
        self.session.push(session);
        self.open.push(open);
        self.high.push(high);
        self.low.push(low);
        self.close.push(close);
        self.volume.push(volume);
    }

    /// Empty columns with room for `rows` bars.
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Bars {
            time: Vec::with_capacity(rows),
            session: Vec::with_capacity(rows),
            open: Vec::with_capacity(rows),
            high: Vec::with_capacity(rows),
            low: Vec::with_capacity(rows),
            close: Vec::with_capacity(rows),
            volume: Vec::with_capacity(rows),
        }
    }
}

/// Somebody who does the same for each of some symbols, perhaps for several at the same time. This room starts no
/// threads: the caller does.
pub trait EachSymbol {
    /// What `work` gives for the places 0 to `count`, in order.
    fn each<R: Send>(&self, count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R>;
}

/// One symbol after another, on the calling thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct InTurn;

impl EachSymbol for InTurn {
    fn each<R: Send>(&self, count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
        (0..count).map(work).collect()
    }
}

/// How far apart bars are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// One bar a session.
    #[default]
    Daily,
    /// Several bars a session.
    Intraday,
    /// Less than one bar a week, say monthly bars.
    Coarse,
}

impl Frequency {
    /// Lower-case name, as manifests spell it.
    pub fn name(self) -> &'static str {
        match self {
            Frequency::Daily => "daily",
            Frequency::Intraday => "intraday",
            Frequency::Coarse => "coarse",
        }
    }
}

/// What was done to the stored prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// As traded; the actions table says what to apply.
    #[default]
    Raw,
    /// Splits are in the prices already.
    SplitAdjusted,
    /// Splits and dividends are in the prices already.
    TotalReturn,
}

impl PriceBasis {
    /// Lower-case name, as manifests spell it.
    pub fn name(self) -> &'static str {
        match self {
            PriceBasis::Raw => "raw",
            PriceBasis::SplitAdjusted => "split_adjusted",
            PriceBasis::TotalReturn => "total_return",
        }
    }
}

/// A bundle in memory: some or all symbols of the stored one, over some or all of its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// Short name for people.
    pub name: String,
    /// Content hash (hex) of the whole stored bundle that this was read from.
    pub version: String,
    /// Bar spacing.
    pub frequency: Frequency,
    /// Sessions.
    pub calendar: Calendar,
    /// Price adjustment.
    pub prices: PriceBasis,
    /// Symbol that stands for the market, if one was named.
    pub benchmark: Option<String>,
    /// Symbols in ascending order.
    pub symbols: Vec<String>,
    /// Bars, one entry per symbol in the same order.
    pub bars: Vec<Bars>,
    /// Corporate actions of these symbols, sorted by (symbol, ex-date): all of them, whatever dates the bars are cut to.
    pub actions: Vec<Action>,
    /// First and last session of each symbol's stored bars, in the same order, whatever dates they are cut to here. A
    /// symbol without an entry is held whole.
    pub records: Vec<(i32, i32)>,
}

impl Bundle {
    /// First and last session of all that the stored bundle holds of a symbol, by its place; `None` if it has no bars.
    pub fn record(&self, place: usize) -> Option<(i32, i32)> {
        let bars = self.bars.get(place);
        let held = || bars.and_then(|bars| Some((*bars.session.first()?, *bars.session.last()?)));
        self.records.get(place).copied().or_else(held)
    }

    /// The actions of one symbol, by ex-date.
    pub fn actions_of(&self, symbol: &str) -> &[Action] {
        let first = self.actions.partition_point(|action| action.symbol.as_str() < symbol);
        let count = self.actions[first..].partition_point(|action| action.symbol == symbol);
        &self.actions[first..first + count]
    }

    /// Number of bars over all symbols.
    pub fn rows(&self) -> usize {
        self.bars.iter().map(Bars::len).sum()
    }

    /// Bytes that it takes in memory, roughly.
    pub fn bytes(&self) -> u64 {
        (self.rows() * 52 + self.symbols.len() * 200 + self.actions.len() * 100) as u64
    }
}
