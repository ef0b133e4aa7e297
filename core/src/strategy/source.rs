//! Where things are: from a span of an expression to the line and column of the file it is written in.
//!
//! Given a file's text and byte spans, this gives [`Place`]s. It never knows what the text means.

use std::ops::Range;

use crate::error::{Error, ErrorKind, Place};

/// A source line longer than this is cut in messages.
const LONGEST_LINE: usize = 240;

/// Bytes `start..end` of an expression's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// From the start of this to the end of the other.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end }
    }
}

/// A mistake in an expression, before its place in a file is known.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub span: Span,
    pub message: String,
    pub help: Option<String>,
}

impl Problem {
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Problem { span, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.get_or_insert_with(|| help.into());
        self
    }

    /// The library's error, at a place.
    pub fn at(self, kind: ErrorKind, place: Place) -> Error {
        let error = Error::new(kind, self.message).at(place);
        match self.help {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

/// A file's name and text.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl File<'_> {
    /// The place of a span of bytes; a span that reaches over several lines is cut at the end of its first.
    pub fn place(&self, span: Range<usize>) -> Place {
        let start = self.floor(span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let line = self.text[line_start..line_end].trim_end_matches('\r');
        let line_end = line_start + line.len();
        let end = self.floor(span.end).clamp(start.min(line_end), line_end);
        let column = self.text[line_start..start].chars().count() + 1;
        Place {
            file: self.name.to_owned(),
            line: count(self.text[..line_start].matches('\n').count() + 1),
            column: count(column),
            width: count(self.text[start.min(end)..end].chars().count()),
            source_line: if column <= LONGEST_LINE { shown(line) } else { String::new() },
        }
    }

    /// The nearest character boundary at or before a byte offset.
    fn floor(&self, offset: usize) -> usize {
        (0..=offset.min(self.text.len())).rev().find(|&at| self.text.is_char_boundary(at)).unwrap_or(0)
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A line as it can stand above a caret: one printable character for each of the source.
fn shown(line: &str) -> String {
    line.chars().take(LONGEST_LINE).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// An expression and where in its file each of its bytes is written.
pub(super) struct Fragment<'a> {
    file: File<'a>,
    pub text: String,
    /// For each byte of `text`, and for its end, the offset in the file.
    offsets: Vec<usize>,
}

impl<'a> Fragment<'a> {
    /// A TOML string value: `span` is the literal with its quotation marks, `decoded` what it means.
    pub fn of_toml_string(file: File<'a>, span: Range<usize>, decoded: &str) -> Self {
        let mut raw = RawString::new(file.text, span);
        let mut offsets = Vec::with_capacity(decoded.len() + 1);
        for character in decoded.chars() {
            let at = raw.next_character();
            offsets.extend(std::iter::repeat_n(at, character.len_utf8()));
        }
        offsets.push(raw.position);
        Fragment { file, text: decoded.to_owned(), offsets }
    }

    /// Where a span is in the file.
    pub fn place(&self, span: Span) -> Place {
        let last = self.offsets.len() - 1;
        self.file.place(self.offsets[span.start.min(last)]..self.offsets[span.end.min(last)])
    }

    /// The library's error for a mistake.
    pub fn error(&self, problem: Problem) -> Error {
        let place = self.place(problem.span);
        problem.at(ErrorKind::Strategy, place)
    }
}

/// Walks through a TOML string literal character by decoded character.
struct RawString<'a> {
    text: &'a str,
    position: usize,
    end: usize,
    escapes: bool,
}

impl<'a> RawString<'a> {
    fn new(text: &'a str, span: Range<usize>) -> Self {
        let literal = text.get(span.clone()).unwrap_or_default();
        let quotes = if literal.starts_with("\"\"\"") || literal.starts_with("'''") { 3 } else { 1 };
        let mut position = span.start + quotes.min(literal.len());
        // The line break right after the opening quotation marks of a multi-line string is not part of it.
        if quotes == 3 {
            let rest = &literal[quotes..];
            position += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        }
        let end = span.end.saturating_sub(quotes).clamp(position.min(text.len()), text.len());
        RawString { text, position, end, escapes: literal.starts_with('"') }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..self.end).unwrap_or_default()
    }

    /// Where the next decoded character is written; steps behind it.
    fn next_character(&mut self) -> usize {
        self.skip_line_continuation();
        let at = self.position;
        let rest = self.rest();
        let mut characters = rest.chars();
        let length = match (characters.next(), characters.next()) {
            (Some('\\'), Some(kind)) if self.escapes => match kind {
                'x' => 4,
                'u' => 6,
                'U' => 10,
                _ => 1 + kind.len_utf8(),
            },
            (Some(character), _) => character.len_utf8(),
            (None, _) => 0,
        };
        self.position += length.min(rest.len());
        at
    }

    /// A backslash at the end of a line swallows the white space up to the next word.
    fn skip_line_continuation(&mut self) {
        while self.escapes
            && let Some(behind) = self.rest().strip_prefix('\\')
            && behind.starts_with(char::is_whitespace)
        {
            self.position += 1 + (behind.len() - behind.trim_start().len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column_of(toml: &str, value: &str, word: &str) -> (u32, u32, u32) {
        let file = File { name: "a.toml", text: toml };
        let start = toml.find(['"', '\'']).unwrap_or_default();
        let fragment = Fragment::of_toml_string(file, start..toml.len(), value);
        let at = value.find(word).unwrap_or_default();
        let place = fragment.place(Span { start: at, end: at + word.len() });
        (place.line, place.column, place.width)
    }

    #[test]
    fn columns_are_those_of_the_file_for_every_kind_of_string() {
        assert_eq!(column_of("x = 'a + bc'", "a + bc", "bc"), (1, 10, 2));
        assert_eq!(column_of("x = \"a + bc\"", "a + bc", "bc"), (1, 10, 2));
        assert_eq!(column_of("x = \"\\\"a\\\" + bc\"", "\"a\" + bc", "bc"), (1, 14, 2));
        assert_eq!(column_of("x = \"\\u00e9 + bc\"", "é + bc", "bc"), (1, 15, 2));
        assert_eq!(column_of("x = '''\n  a +\n  bc'''", "  a +\n  bc", "bc"), (3, 3, 2));
        assert_eq!(column_of("x = \"\"\"a + \\\n   bc\"\"\"", "a + bc", "bc"), (2, 4, 2));
    }

    #[test]
    fn a_span_past_the_end_is_the_end() {
        let file = File { name: "a", text: "ab\r\ncd" };
        assert_eq!(file.place(90..99).line, 2);
        assert_eq!(file.place(2..99).width, 0);
        assert_eq!(File { name: "a", text: "" }.place(0..1).column, 1);
    }
}
