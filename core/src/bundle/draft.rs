//! A bundle before it is encoded: all its bars in memory, and the hash of what they say.

use super::actions::check_actions;
use super::check::{check_bars, check_symbol};
use super::manifest::{SymbolEntry, content_version};
use super::{Action, Bars, Bundle, EachSymbol, Field, Frequency, InTurn, PriceBasis};
use crate::calendar::Calendar;
use crate::error::{Error, Result};

/// Everything a bundle holds, complete, for [`encode`](super::write::encode) or for use as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BundleDraft {
    /// Short name for people; not part of the version.
    pub name: String,
    /// Bar spacing.
    pub frequency: Frequency,
    /// Sessions.
    pub calendar: Calendar,
    /// Price adjustment.
    pub prices: PriceBasis,
    /// Symbol that stands for the market.
    pub benchmark: Option<String>,
    /// Where the data come from; not part of the version.
    pub source: String,
    /// The terms under which they may be used; not part of the version.
    pub licence: String,
    /// Symbols in strictly ascending order.
    pub symbols: Vec<String>,
    /// Bars of each symbol, in the same order.
    pub bars: Vec<Bars>,
    /// Corporate actions, sorted by (symbol, ex-date).
    pub actions: Vec<Action>,
}

impl BundleDraft {
    /// A draft of a bundle in memory, with what the bundle does not carry.
    pub fn of(bundle: &Bundle, source: &str, licence: &str, actions: &[Action]) -> BundleDraft {
        BundleDraft {
            name: bundle.name.clone(),
            frequency: bundle.frequency,
            calendar: bundle.calendar,
            prices: bundle.prices,
            benchmark: bundle.benchmark.clone(),
            source: source.to_owned(),
            licence: licence.to_owned(),
            symbols: bundle.symbols.clone(),
            bars: bundle.bars.clone(),
            actions: actions.to_vec(),
        }
    }

    /// Checks every rule that a stored bundle obeys.
    ///
    /// # Errors
    /// A sentence about the first rule broken.
    pub fn check(&self) -> Result<()> {
        if self.symbols.is_empty() {
            return Err(Error::data("the bundle has no symbols; expected at least one"));
        }
        if self.symbols.len() != self.bars.len() {
            return Err(Error::data("the bundle has another number of symbols than of bar tables"));
        }
        if let Some(pair) = self.symbols.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(Error::data(format!("symbols are not in strict order: {} then {}", pair[0], pair[1])));
        }
        for (symbol, bars) in self.symbols.iter().zip(&self.bars) {
            check_symbol(symbol)?;
            if bars.is_empty() {
                return Err(Error::data(format!("{symbol} has no bars")));
            }
            check_bars(symbol, bars, &Field::ALL)?;
        }
        if let Some(benchmark) = self.benchmark.as_ref().filter(|name| !self.symbols.contains(name)) {
            return Err(Error::data(format!("the benchmark {benchmark} is not one of the symbols")));
        }
        check_actions(&self.actions)
    }

    /// One manifest entry per symbol, with the hash of its bars.
    pub fn symbol_entries(&self) -> Vec<SymbolEntry> {
        self.entries_by(&InTurn)
    }

    fn entries_by(&self, each: &impl EachSymbol) -> Vec<SymbolEntry> {
        each.each(self.symbols.len().min(self.bars.len()), |k| SymbolEntry::of(&self.symbols[k], &self.bars[k]))
    }

    /// The content hash that the bundle has in memory and on disk alike: over settings, bars and actions, not over
    /// the name nor over how the bytes are encoded.
    pub fn version(&self) -> String {
        self.version_by(&InTurn)
    }

    fn version_by(&self, each: &impl EachSymbol) -> String {
        content_version(
            self.frequency,
            self.calendar,
            self.prices,
            self.benchmark.as_deref(),
            &self.entries_by(each),
            &actions_hash(&self.actions),
        )
    }

    /// The draft as a bundle in memory, without going through bytes.
    pub fn into_bundle(self) -> Bundle {
        self.into_bundle_by(&InTurn)
    }

    /// The same, its symbols hashed by somebody.
    pub fn into_bundle_by(mut self, each: &impl EachSymbol) -> Bundle {
        let version = self.version_by(each);
        // As when it is read: the stored table may speak of other symbols too.
        self.actions.retain(|action| self.symbols.contains(&action.symbol));
        Bundle {
            version,
            name: self.name,
            frequency: self.frequency,
            calendar: self.calendar,
            prices: self.prices,
            benchmark: self.benchmark,
            records: record_ranges(&self.bars),
            symbols: self.symbols,
            bars: self.bars,
            actions: self.actions,
        }
    }
}

/// First and last session of each symbol.
fn record_ranges(bars: &[Bars]) -> Vec<(i32, i32)> {
    let of = |bars: &Bars| {
        (bars.session.first().copied().unwrap_or_default(), bars.session.last().copied().unwrap_or_default())
    };
    bars.iter().map(of).collect()
}

/// BLAKE3 (hex) of one symbol's bars: the little-endian values of each column in order.
pub fn bars_hash(bars: &Bars) -> String {
    // Values are hashed in blocks: per-value calls would cost more than the hash.
    const BLOCK: usize = 1024;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = Vec::with_capacity(BLOCK * 8);
    for block in bars.time.chunks(BLOCK) {
        buffer.clear();
        block.iter().for_each(|x| buffer.extend_from_slice(&x.to_le_bytes()));
        hasher.update(&buffer);
    }
    for block in bars.session.chunks(BLOCK) {
        buffer.clear();
        block.iter().for_each(|x| buffer.extend_from_slice(&x.to_le_bytes()));
        hasher.update(&buffer);
    }
    for field in Field::ALL {
        for block in bars.field(field).chunks(BLOCK) {
            buffer.clear();
            block.iter().for_each(|x| buffer.extend_from_slice(&x.to_bits().to_le_bytes()));
            hasher.update(&buffer);
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// BLAKE3 (hex) of a table of actions.
pub fn actions_hash(actions: &[Action]) -> String {
    let mut hasher = blake3::Hasher::new();
    for action in actions {
        hasher.update(&(action.symbol.len() as u64).to_le_bytes());
        hasher.update(action.symbol.as_bytes());
        hasher.update(&action.ex_date.to_le_bytes());
        hasher.update(&action.pay_date.unwrap_or(i32::MIN).to_le_bytes());
        hasher.update(&action.split_ratio.to_bits().to_le_bytes());
        hasher.update(&action.cash_dividend.to_bits().to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
