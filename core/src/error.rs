//! The one error type of the library.
//!
//! An [`Error`] is a sentence for a person: where it happened, what was found, what was expected, and the way
//! out. Code asks it questions ([`Error::kind`]); it never matches on wording.

use std::fmt;

/// `Result` with the library's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What sort of mistake an [`Error`] reports, for code that has to react to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Input data (a bundle, a CSV or Parquet file) is not what it must be.
    Data,
    /// A strategy text does not parse or does not type-check.
    Strategy,
    /// A study, a plan, a parameter space or a command option is not valid.
    Plan,
    /// Valid input asks for something that this version or this build does not do.
    Unsupported,
    /// The machine failed: a file could not be read or written, memory was refused.
    Machine,
}

/// One error: a sentence, with the place it is about and the way out where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    message: String,
    place: Option<Place>,
    help: Option<String>,
}

/// Where in a text or file an error is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// File name, as the user gave it.
    pub file: String,
    /// 1-based line, 0 if unknown.
    pub line: u32,
    /// 1-based column in characters, 0 if unknown.
    pub column: u32,
    /// Number of characters that are meant, 0 if unknown.
    pub width: u32,
    /// The source line itself, for a caret below it; empty if unknown.
    pub source_line: String,
}

impl Error {
    /// A new error from a whole sentence.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, message: message.into(), place: None, help: None }))
    }

    /// Shorthand for [`ErrorKind::Data`].
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message)
    }

    /// Shorthand for [`ErrorKind::Strategy`].
    pub fn strategy(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Strategy, message)
    }

    /// Shorthand for [`ErrorKind::Plan`].
    pub fn plan(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Plan, message)
    }

    /// Shorthand for [`ErrorKind::Unsupported`].
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// Shorthand for [`ErrorKind::Machine`].
    pub fn machine(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Machine, message)
    }

    /// The same error with the place it is about (the first place given stays).
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.0.place.get_or_insert(place);
        self
    }

    /// The same error with only a file name as its place (the first place given stays).
    #[must_use]
    pub fn in_file(self, file: impl Into<String>) -> Self {
        self.at(Place { file: file.into(), ..Place::default() })
    }

    /// The same error with the way out (the first one given stays).
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help.get_or_insert_with(|| help.into());
        self
    }

    /// What sort of mistake this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence alone, without place and way out.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it is, if that is known.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The way out, if there is one.
    pub fn way_out(&self) -> Option<&str> {
        self.0.help.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(place) = &inner.place {
            write!(f, "{}", place.file)?;
            if place.line > 0 {
                write!(f, ":{}", place.line)?;
            }
            if place.column > 0 {
                write!(f, ":{}", place.column)?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}", inner.message)?;
        if let Some(place) = &inner.place
            && !place.source_line.is_empty()
            && place.column > 0
        {
            let margin = " ".repeat(place.column as usize - 1);
            let carets = "^".repeat(place.width.max(1) as usize);
            write!(f, "\n  | {}\n  | {margin}{carets}", place.source_line)?;
        }
        if let Some(help) = &inner.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The candidate nearest to `name` by edit distance, if one is near enough to be a likely slip of the pen
/// (at most a third of its letters wrong, and never more than three).
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let budget = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= budget)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Damerau–Levenshtein distance (optimal string alignment) between two short names.
fn edit_distance(a: &str, b: &str) -> usize {
    // Names longer than this are not a slip of the pen, and the table must stay small for any input.
    const LONGEST: usize = 64;
    let a: Vec<char> = a.chars().take(LONGEST).collect();
    let b: Vec<char> = b.chars().take(LONGEST).collect();
    let width = b.len() + 1;
    let mut table = vec![0usize; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let substitute = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (table[(i - 1) * width + j] + 1)
                    .min(table[i * width + j - 1] + 1)
                    .min(table[(i - 1) * width + j - 1] + substitute);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(table[(i - 2) * width + j - 2] + 1);
                }
                best
            };
        }
    }
    table[a.len() * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_slips_and_refuses_strangers() {
        assert_eq!(nearest("smaa", ["sma", "ema"]), Some("sma"));
        assert_eq!(nearest("colse", ["open", "close"]), Some("close"));
        assert_eq!(nearest("banana", ["sma", "ema"]), None);
    }

    #[test]
    fn an_error_reads_as_a_sentence_with_place_and_way_out() {
        let error = Error::strategy("unknown name `colse`")
            .at(Place { file: "a.toml".into(), line: 3, column: 5, width: 5, source_line: "x = colse".into() })
            .help("did you mean `close`?");
        assert_eq!(
            error.to_string(),
            "a.toml:3:5: unknown name `colse`\n  | x = colse\n  |     ^^^^^\n  help: did you mean `close`?"
        );
    }
}
