//! `manifest.json`: what a bundle holds, in which files, with which hashes.
//!
//! Hashes at three depths, so that each reader pays only for what it reads:
//! - `version` is over the *content* (settings, bars, actions): the same for the same data however they are encoded,
//!   another one when a single price is revised;
//! - each file's `blake3` is over all its bytes: `bundle verify` recomputes it;
//! - each file's `footer_blake3` is over its Parquet footer, which holds a checksum of every column chunk: ordinary
//!   opening verifies exactly the bytes that it was given.

use serde::{Deserialize, Serialize};

use super::draft::bars_hash;
use super::{Bars, Frequency, PriceBasis};
use crate::bundle::check::check_symbol;
use crate::calendar::{Calendar, format_date, parse_date};
use crate::error::{Error, Result};

/// The format that this version writes, and the only one that it reads.
pub const FORMAT: u32 = 1;

/// Name of the manifest inside a bundle's folder.
pub const MANIFEST_FILE: &str = "manifest.json";

/// No manifest may be longer: a bundle of 50,000 symbols takes a fifth of it.
pub const MANIFEST_BYTES: usize = 64 << 20;

/// The whole manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Number of the format, [`FORMAT`].
    pub format: u32,
    /// Short name for people.
    pub name: String,
    /// Content hash, hex.
    pub version: String,
    /// Bar spacing.
    pub frequency: Frequency,
    /// Sessions.
    pub calendar: Calendar,
    /// Price adjustment.
    pub prices: PriceBasis,
    /// Symbol that stands for the market.
    #[serde(default)]
    pub benchmark: Option<String>,
    /// Where the data come from.
    #[serde(default)]
    pub source: String,
    /// The terms under which they may be used.
    #[serde(default)]
    pub licence: String,
    /// Symbols in strictly ascending order.
    pub symbols: Vec<SymbolEntry>,
    /// The other files of the folder.
    pub files: Vec<FileEntry>,
    /// BLAKE3 (hex) of the table of actions.
    pub actions_blake3: String,
}

/// One symbol of the bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SymbolEntry {
    /// Its name.
    pub symbol: String,
    /// First session.
    #[serde(with = "civil_date")]
    pub first: i32,
    /// Last session.
    #[serde(with = "civil_date")]
    pub last: i32,
    /// Number of bars.
    pub rows: u64,
    /// BLAKE3 (hex) of its bars.
    pub blake3: String,
}

impl SymbolEntry {
    /// The entry that describes these bars.
    pub fn of(symbol: &str, bars: &Bars) -> Self {
        SymbolEntry {
            symbol: symbol.to_string(),
            first: bars.session.first().copied().unwrap_or_default(),
            last: bars.session.last().copied().unwrap_or_default(),
            rows: bars.len() as u64,
            blake3: bars_hash(bars),
        }
    }
}

/// What a file of the bundle holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// Bars, sorted by (symbol, timestamp).
    Bars,
    /// Splits and dividends.
    Actions,
}

/// One file of the bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Name inside the folder: letters, digits, `.`, `_` and `-` only.
    pub name: String,
    /// What it holds.
    pub kind: FileKind,
    /// Number of rows.
    pub rows: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// BLAKE3 (hex) of the whole file.
    pub blake3: String,
    /// Length of the Parquet footer at its end, its last eight bytes included.
    pub footer_bytes: u64,
    /// BLAKE3 (hex) of that footer.
    pub footer_blake3: String,
}

impl Manifest {
    /// Parses and checks a manifest.
    ///
    /// # Errors
    /// Not JSON, another format number, missing fields, unsafe file names, sizes that cannot be, or a `version` that
    /// is not the hash of what the manifest says.
    pub fn parse(bytes: &[u8]) -> Result<Manifest> {
        Self::parse_unplaced(bytes).map_err(|error| error.in_file(MANIFEST_FILE))
    }

    fn parse_unplaced(bytes: &[u8]) -> Result<Manifest> {
        if bytes.len() > MANIFEST_BYTES {
            return Err(Error::data(format!("the manifest has {} bytes; expected less than 64 MiB", bytes.len())));
        }
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let json = |error: serde_json::Error| {
            Error::data(format!("not a bundle manifest: {error}"))
                .help("ingest the data again, or restore the folder from a copy")
        };
        let head: Head = serde_json::from_slice(bytes).map_err(json)?;
        if head.format != FORMAT {
            return Err(Error::unsupported(format!(
                "the bundle has format {}; this version reads format {FORMAT}",
                head.format
            ))
            .help("ingest the data again with this version"));
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(json)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        if self.symbols.is_empty() {
            return Err(Error::data("the bundle has no symbols"));
        }
        if let Some(pair) = self.symbols.windows(2).find(|pair| pair[0].symbol >= pair[1].symbol) {
            return Err(Error::data(format!(
                "symbols are not in strict order: {} then {}",
                pair[0].symbol, pair[1].symbol
            )));
        }
        for entry in &self.symbols {
            check_symbol(&entry.symbol)?;
            if entry.first > entry.last || entry.rows == 0 {
                return Err(Error::data(format!("{}: no rows, or its first session is after its last", entry.symbol)));
            }
        }
        for (i, file) in self.files.iter().enumerate() {
            file.check()?;
            if self.files[..i].iter().any(|other| other.name == file.name) {
                return Err(Error::data(format!("file {} is listed twice", file.name)));
            }
        }
        if self.benchmark.as_ref().is_some_and(|name| self.symbols.iter().all(|entry| entry.symbol != *name)) {
            return Err(Error::data("the benchmark is not one of the symbols"));
        }
        let by_symbol = self.symbols.iter().try_fold(0u64, |sum, entry| sum.checked_add(entry.rows));
        let bars = self.files.iter().filter(|file| file.kind == FileKind::Bars);
        let by_file = bars.clone().try_fold(0u64, |sum, file| sum.checked_add(file.rows));
        if by_symbol != by_file {
            return Err(Error::data("the row counts of symbols and of files differ"));
        }
        if self.files.len() - bars.count() > 1 {
            return Err(Error::data("more than one file of actions is listed"));
        }
        let version = self.expected_version();
        if self.version != version {
            return Err(Error::data(format!(
                "the version says {}, but the content listed has {version}",
                shortened(&self.version)
            ))
            .help("the manifest was edited or damaged: ingest the data again, or restore it from a copy"));
        }
        Ok(())
    }

    /// The version that the listed content has.
    pub fn expected_version(&self) -> String {
        content_version(
            self.frequency,
            self.calendar,
            self.prices,
            self.benchmark.as_deref(),
            &self.symbols,
            &self.actions_blake3,
        )
    }

    /// The manifest as JSON text, always the same for the same content.
    ///
    /// # Errors
    /// None in practice: every field is text or a number.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| Error::data(format!("manifest: {error}")))?;
        text.push(b'\n');
        Ok(text)
    }

    /// All bars of all symbols.
    pub fn rows(&self) -> u64 {
        self.symbols.iter().fold(0, |sum, entry| sum.saturating_add(entry.rows))
    }
}

impl FileEntry {
    fn check(&self) -> Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if self.name.is_empty() || self.name.starts_with('.') || self.name.len() > 128 || !self.name.chars().all(plain)
        {
            return Err(Error::data(format!(
                "file name {:?} is not a plain name inside the folder",
                shortened(&self.name)
            )));
        }
        if self.footer_bytes < 12 || self.footer_bytes > self.bytes || self.bytes > i64::MAX as u64 {
            return Err(Error::data(format!(
                "{}: a footer of {} bytes does not fit a file of {} bytes",
                self.name, self.footer_bytes, self.bytes
            )));
        }
        // The most that the codec and the encodings can compress a bar: LZ4 writes at least one byte for 255.
        if self.rows > self.bytes.saturating_mul(8) {
            return Err(Error::data(format!(
                "{}: {} rows cannot come from {} bytes",
                self.name, self.rows, self.bytes
            )));
        }
        Ok(())
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

/// The content hash of a bundle.
pub(super) fn content_version(
    frequency: Frequency,
    calendar: Calendar,
    prices: PriceBasis,
    benchmark: Option<&str>,
    symbols: &[SymbolEntry],
    actions: &str,
) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut text = |part: &str| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    };
    text("sandtable bundle content 1");
    text(frequency.name());
    text(calendar.name());
    text(prices.name());
    text(benchmark.unwrap_or_default());
    for entry in symbols {
        text(&entry.symbol);
        text(&format!("{} {} {}", entry.first, entry.last, entry.rows));
        text(&entry.blake3);
    }
    text(actions);
    hasher.finalize().to_hex().to_string()
}

/// Dates as `YYYY-MM-DD` in JSON.
mod civil_date {
    use super::{format_date, parse_date};
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(date: &i32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_date(*date))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_date(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a date YYYY-MM-DD")))
    }
}
