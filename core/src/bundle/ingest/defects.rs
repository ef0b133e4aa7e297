//! What can be wrong with input data, and what is done about it: one table.

use serde::Serialize;

/// What ingest does about a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Done {
    /// All input is refused: what the file means cannot be known.
    Refused,
    /// The value was put right where there is one plain reading.
    Repaired,
    /// The row is left out.
    Dropped,
    /// The row is kept; a person should look.
    Reported,
    /// Nothing is wrong; said so that nobody wonders.
    Noted,
}

impl Done {
    /// Lower-case name for tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Done::Refused => "refused",
            Done::Repaired => "repaired",
            Done::Dropped => "dropped",
            Done::Reported => "reported",
            Done::Noted => "noted",
        }
    }
}

macro_rules! kinds {
    ($($(#[doc = $meaning:literal])+ $kind:ident = $name:literal, $done:ident, $strict:ident;)+) => {
        /// A sort of defect. The table, with the policy of each by default and under `--strict`:
        ///
        /// | name | default | strict | meaning |
        /// |---|---|---|---|
        $(#[doc = concat!("| `", $name, "` | ", stringify!($done), " | ", stringify!($strict), " |", $($meaning),+, " |")])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[doc = $meaning])+ $kind,)+
        }

        impl Kind {
            /// All kinds, in the order of the table.
            pub const ALL: &[Kind] = &[$(Kind::$kind),+];

            /// The name in tables and files.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name),+ }
            }

            /// What is done by default.
            pub fn policy(self) -> Done {
                match self { $(Kind::$kind => Done::$done),+ }
            }

            /// What is done under `--strict`: nothing is repaired or dropped there.
            pub fn strict_policy(self) -> Done {
                match self { $(Kind::$kind => Done::$strict),+ }
            }

            /// What it means, in a few words.
            pub fn meaning(self) -> &'static str {
                match self { $(Kind::$kind => concat!($($meaning),+).trim_ascii()),+ }
            }
        }
    };
}

kinds! {
    /// the file has no bytes
    EmptyFile = "empty_file", Refused, Refused;
    /// there is a header, but no row below it
    NoRows = "no_rows", Refused, Refused;
    /// the gzip stream ends before its end, or its checksum is wrong
    TruncatedGzip = "truncated_gzip", Refused, Refused;
    /// a needed column is not in the header
    MissingColumn = "missing_column", Refused, Refused;
    /// a date is not one, or is written in another way than the first row's
    DateFormat = "date_format", Refused, Refused;
    /// some timestamps carry one zone and some another, beyond summer time
    TimezoneMix = "timezone_mix", Refused, Refused;
    /// a row has another number of fields than the header
    FieldCount = "field_count", Refused, Refused;
    /// a value is not a number
    ParseError = "parse_error", Refused, Refused;
    /// a byte 0 stands in the text
    NulByte = "nul_byte", Refused, Refused;
    /// a used column is not UTF-8 text
    NonUtf8 = "non_utf8", Refused, Refused;
    /// a column that is not used is not UTF-8 text
    NonUtf8Ignored = "non_utf8", Reported, Reported;
    /// two rows of one time say different things
    DuplicateConflict = "duplicate_timestamp", Refused, Refused;
    /// two rows of one time say different things, and an option chose one
    DuplicateChosen = "duplicate_timestamp", Dropped, Refused;
    /// a row stands there twice
    DuplicateTimestamp = "duplicate_timestamp", Dropped, Refused;
    /// rows are not in the order of time
    OutOfOrder = "out_of_order", Repaired, Refused;
    /// high and low are exchanged, and fit when they are put back
    HighBelowLow = "high_below_low", Repaired, Refused;
    /// high is below low, and exchanging them does not help
    HighBelowLowHopeless = "high_below_low", Dropped, Refused;
    /// close is at most 1 % outside low to high: the range is widened
    CloseOutsideRange = "close_outside_range", Repaired, Refused;
    /// close is more than 1 % outside low to high
    CloseFarOutside = "close_outside_range", Dropped, Refused;
    /// open is at most 1 % outside low to high: the range is widened
    OpenOutsideRange = "open_outside_range", Repaired, Refused;
    /// open is more than 1 % outside low to high
    OpenFarOutside = "open_outside_range", Dropped, Refused;
    /// the header stands in the middle of the file again
    HeaderInBody = "header_in_body", Dropped, Refused;
    /// a price or volume is missing or not a number by name (NaN, null, empty)
    Nan = "nan", Dropped, Refused;
    /// a price or volume is infinite
    Inf = "inf", Dropped, Refused;
    /// a price is below 0
    NegativePrice = "negative_price", Dropped, Refused;
    /// a price is 0
    ZeroPrice = "zero_price", Dropped, Refused;
    /// a volume is missing: it is taken for 0
    MissingVolume = "missing_volume", Repaired, Refused;
    /// a volume is below 0
    NegativeVolume = "negative_volume", Dropped, Refused;
    /// a bar of a day on which the calendar has no session
    NotASession = "not_a_session", Dropped, Refused;
    /// the file ends inside its last row
    TruncatedLine = "truncated_line", Dropped, Refused;
    /// the file does not end in a newline; its last row looks whole
    NoFinalNewline = "no_final_newline", Noted, Noted;
    /// the calendar has a session, the file no bar
    MissingSession = "missing_session", Reported, Reported;
    /// volume 0 where other bars have some
    ZeroVolume = "zero_volume", Reported, Reported;
    /// a lasting jump of the price, as an unrecorded split makes it
    PriceJump = "price_jump", Reported, Reported;
    /// a price far off that is back at once
    PriceSpike = "price_spike", Reported, Reported;
    /// five or more bars repeat the same prices
    Stale = "stale", Reported, Reported;
    /// an action for a symbol that has no bars here
    UnknownSymbol = "unknown_symbol", Dropped, Refused;
    /// the text starts with a byte order mark
    Bom = "bom", Noted, Noted;
    /// lines end in carriage return and line feed
    Crlf = "crlf", Noted, Noted;
    /// another delimiter than the comma, perhaps with decimal commas
    Delimiter = "delimiter", Noted, Noted;
    /// a setting that was found out from the data, or a column that is not used
    Assumed = "assumed", Noted, Noted;
}

/// One defect at one place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Defect {
    /// Input file.
    pub file: String,
    /// Symbol, empty if the file as a whole is meant.
    pub symbol: String,
    /// Name of its kind.
    #[serde(serialize_with = "kind_name", rename = "type")]
    pub kind: Kind,
    /// 1-based physical line (CSV) or row (Parquet), 0 if no line is meant.
    pub line: u32,
    /// Date or time as a person reads it, empty if none.
    pub date: String,
    /// Column, empty if none.
    pub column: String,
    /// What was found.
    pub found: String,
    /// What was done.
    pub done: Done,
}

fn kind_name<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

/// Most defects kept one by one; the rest is only counted.
const KEPT: usize = 100_000;

/// All defects of an ingest.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DefectReport {
    /// One by one, in the order found.
    pub defects: Vec<Defect>,
    /// How many more were found than are listed, by (file, symbol, kind).
    #[serde(skip)]
    more: std::collections::BTreeMap<(String, String, Kind), u64>,
    /// Whether the strict policies hold.
    pub strict: bool,
}

/// One line of the summary: the defects of one kind in one symbol of one file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DefectGroup {
    /// The first of them.
    #[serde(flatten)]
    pub first: Defect,
    /// How many there are.
    pub count: u64,
}

impl DefectReport {
    /// An empty report.
    pub fn new(strict: bool) -> Self {
        DefectReport { strict, ..Self::default() }
    }

    /// What is done about a kind in this run.
    pub fn policy(&self, kind: Kind) -> Done {
        if self.strict { kind.strict_policy() } else { kind.policy() }
    }

    /// Adds a defect and says what is done about it.
    pub(super) fn add(&mut self, kind: Kind, place: Place<'_>) -> Done {
        let done = self.policy(kind);
        if self.defects.len() < KEPT {
            self.defects.push(Defect {
                file: place.file.to_string(),
                symbol: place.symbol.to_string(),
                kind,
                line: place.line,
                date: place.date,
                column: place.column.to_string(),
                found: place.found,
                done,
            });
        } else {
            *self.more.entry((place.file.to_string(), place.symbol.to_string(), kind)).or_default() += 1;
        }
        done
    }

    /// The summary: by file, symbol and kind, in the order of first appearance.
    pub fn groups(&self) -> Vec<DefectGroup> {
        let mut groups: Vec<DefectGroup> = Vec::new();
        let mut index = std::collections::BTreeMap::new();
        for defect in &self.defects {
            let key = (defect.file.clone(), defect.symbol.clone(), defect.kind);
            // Notes on different columns say different things.
            let column = (defect.done == Done::Noted).then(|| defect.column.clone());
            let at = *index.entry((key.clone(), column)).or_insert_with(|| {
                let more = self.more.get(&key).copied().unwrap_or_default();
                groups.push(DefectGroup { first: defect.clone(), count: more });
                groups.len() - 1
            });
            groups[at].count += 1;
        }
        groups
    }

    /// The defects that refuse the input.
    pub fn refusals(&self) -> impl Iterator<Item = &Defect> {
        self.defects.iter().filter(|defect| defect.done == Done::Refused)
    }

    /// Number of defects that are more than a note.
    pub fn count(&self) -> u64 {
        let listed = self.defects.iter().filter(|defect| defect.done != Done::Noted).count() as u64;
        listed + self.more.values().sum::<u64>()
    }

    /// The whole list as CSV, for `defects.csv`; none if there is nothing but notes.
    pub fn to_csv(&self) -> Option<String> {
        if self.count() == 0 {
            return None;
        }
        let mut text = String::from("file,symbol,type,line,date,column,found,done\n");
        for d in &self.defects {
            let line = if d.line == 0 { String::new() } else { d.line.to_string() };
            let fields = [&d.file, &d.symbol, d.kind.name(), &line, &d.date, &d.column, &d.found, d.done.name()];
            text.push_str(&fields.map(quoted).join(","));
            text.push('\n');
        }
        for ((file, symbol, kind), more) in &self.more {
            let found = format!("{more} more like this");
            let fields = [file, symbol, kind.name(), "", "", "", &found, self.policy(*kind).name()];
            text.push_str(&fields.map(quoted).join(","));
            text.push('\n');
        }
        Some(text)
    }
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_string()
    }
}

/// Where a defect is; see [`Defect`] for the fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Place<'a> {
    pub file: &'a str,
    pub symbol: &'a str,
    pub line: u32,
    pub date: String,
    pub column: &'a str,
    pub found: String,
}

impl<'a> Place<'a> {
    pub(super) fn file(file: &'a str, line: u32, found: impl Into<String>) -> Self {
        Place { file, line, found: shown(&found.into()), ..Place::default() }
    }

    pub(super) fn column(self, column: &'a str) -> Self {
        Place { column, ..self }
    }

    pub(super) fn date(self, date: impl Into<String>) -> Self {
        Place { date: shown(&date.into()), ..self }
    }

    pub(super) fn symbol(self, symbol: &'a str) -> Self {
        Place { symbol, ..self }
    }
}

/// At most 80 characters, control characters escaped.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(80)
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect();
    if text.chars().count() > 80 {
        shown.push('…');
    }
    shown
}
