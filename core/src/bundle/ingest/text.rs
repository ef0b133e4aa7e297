//! From a file's bytes to its lines: gzip, byte order mark, line ends, NUL bytes.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use super::defects::{DefectReport, Kind, Place};

/// Undoes gzip if the bytes are gzip, up to `limit` bytes.
///
/// `None` if the stream is damaged or longer, which the report then says.
pub(super) fn decompressed(
    file: &str,
    bytes: &[u8],
    limit: usize,
    report: &mut DefectReport,
) -> Option<Option<Vec<u8>>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Some(None);
    }
    let mut text = Vec::new();
    // One byte more than allowed tells "exactly the limit" from "too long".
    let read = MultiGzDecoder::new(bytes).take(limit as u64 + 1).read_to_end(&mut text);
    let found = match read {
        Ok(_) if text.len() <= limit => return Some(Some(text)),
        Ok(_) => format!("more than {limit} bytes when decompressed"),
        Err(error) => format!("{} bytes of gzip: {error}", bytes.len()),
    };
    report.add(Kind::TruncatedGzip, Place::file(file, 0, found));
    None
}

/// One physical line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// 1-based.
    pub number: u32,
    /// Its bytes without the line end.
    pub bytes: &'a [u8],
    /// Whether a line end follows.
    pub ended: bool,
}

/// The lines of a text that are not blank. Notes a byte order mark and carriage returns; a line with a NUL byte is a
/// defect and left out.
pub(super) fn lines<'a>(file: &str, text: &'a [u8], report: &mut DefectReport) -> Vec<Line<'a>> {
    let body = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if body.len() < text.len() {
        report.add(Kind::Bom, Place::file(file, 1, "UTF-8 byte order mark"));
    }
    let mut lines = Vec::new();
    let mut carriage_returns = 0u64;
    let mut rest = body;
    let mut number = 0u32;
    while !rest.is_empty() {
        number = number.saturating_add(1);
        let (line, ended) = match rest.iter().position(|&b| b == b'\n') {
            Some(at) => (&rest[..at], true),
            None => (rest, false),
        };
        rest = &rest[(line.len() + usize::from(ended))..];
        let stripped = line.strip_suffix(b"\r").unwrap_or(line);
        carriage_returns += u64::from(stripped.len() < line.len());
        if stripped.contains(&0) {
            report.add(Kind::NulByte, Place::file(file, number, String::from_utf8_lossy(stripped)));
        } else if !stripped.iter().all(u8::is_ascii_whitespace) {
            lines.push(Line { number, bytes: stripped, ended });
        }
    }
    if carriage_returns > 0 {
        report.add(Kind::Crlf, Place::file(file, 0, format!("{carriage_returns} lines")));
    }
    lines
}

/// Splits a line into fields; quotes (`"`) may surround a field and are doubled inside it.
///
/// `None` if a quote is not closed on the line.
pub(super) fn fields(line: &[u8], delimiter: u8) -> Option<Vec<std::borrow::Cow<'_, [u8]>>> {
    use std::borrow::Cow;
    if !line.contains(&b'"') {
        return Some(line.split(|&b| b == delimiter).map(Cow::Borrowed).collect());
    }
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let Some(quoted) = rest.strip_prefix(b"\"") else {
            let end = rest.iter().position(|&b| b == delimiter).unwrap_or(rest.len());
            fields.push(Cow::Borrowed(&rest[..end]));
            if end == rest.len() {
                return Some(fields);
            }
            rest = &rest[end + 1..];
            continue;
        };
        let mut field = Vec::new();
        let mut at = 0;
        loop {
            match (quoted.get(at)?, quoted.get(at + 1)) {
                (b'"', Some(b'"')) => {
                    field.push(b'"');
                    at += 2;
                }
                (b'"', next) => {
                    fields.push(Cow::Owned(field));
                    match next {
                        None => return Some(fields),
                        Some(&b) if b == delimiter => rest = &quoted[at + 2..],
                        Some(_) => return None,
                    }
                    break;
                }
                (&b, _) => {
                    field.push(b);
                    at += 1;
                }
            }
        }
    }
}

/// The delimiter of a header line: the most frequent of semicolon, tab, bar and comma outside quotes.
pub(super) fn delimiter(header: &[u8]) -> u8 {
    let mut counts = [(b';', 0u32), (b'\t', 0), (b'|', 0), (b',', 0)];
    let mut inside = false;
    for &b in header {
        inside ^= b == b'"';
        if let Some(count) = counts.iter_mut().find(|(delimiter, _)| !inside && *delimiter == b) {
            count.1 += 1;
        }
    }
    // The last of equals is the comma.
    counts.into_iter().max_by_key(|&(_, count)| count).map_or(b',', |(delimiter, _)| delimiter)
}

/// A number as text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// A finite number.
    Value(f64),
    /// Empty, or a word for nothing.
    Missing,
    /// Infinity, or beyond the range of floats.
    Infinite,
    /// Anything else.
    Bad,
}

/// Reads a number. A currency sign before it and thousands separators in their right places are accepted.
pub(super) fn number(text: &str, decimal_comma: bool) -> Number {
    let text = text.trim();
    let bare = text.strip_prefix('$').unwrap_or(text);
    const NOTHING: [&str; 10] = ["", "nan", "null", "na", "n/a", "#n/a", "none", "nil", "-", "<na>"];
    let lower = bare.to_ascii_lowercase();
    if NOTHING.contains(&lower.as_str()) {
        return Number::Missing;
    }
    if ["inf", "infinity"].contains(&lower.trim_start_matches(['+', '-'])) {
        return Number::Infinite;
    }
    let (decimal, thousands) = if decimal_comma { (',', '.') } else { ('.', ',') };
    let mut plain = bare.to_string();
    if bare.contains(thousands) {
        let whole = bare.split(decimal).next().unwrap_or_default();
        let mut groups = whole.trim_start_matches(['+', '-']).split(thousands);
        let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
        let in_decimals = bare.split(decimal).skip(1).any(|part| part.contains(thousands));
        if !first || in_decimals || !groups.all(|group| group.len() == 3) {
            return Number::Bad;
        }
        plain.retain(|c| c != thousands);
    }
    if decimal_comma {
        plain = plain.replace(',', ".");
    }
    if !plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E')) {
        return Number::Bad;
    }
    match plain.parse::<f64>() {
        Ok(value) if value.is_finite() => Number::Value(value),
        Ok(_) => Number::Infinite,
        Err(_) => Number::Bad,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn numbers() {
        use Number::*;
        let cases = [
            ("1.5", false, Value(1.5)),
            (" 2e3 ", false, Value(2000.0)),
            ("$12.25", false, Value(12.25)),
            ("1,234,567", false, Value(1_234_567.0)),
            ("1,234.5", false, Value(1234.5)),
            ("12,34", false, Bad),
            ("246,06", true, Value(246.06)),
            ("1.234,5", true, Value(1234.5)),
            ("246.06", true, Bad),
            ("-3", false, Value(-3.0)),
            ("1e999", false, Infinite),
            ("-inf", false, Infinite),
            ("NaN", false, Missing),
            ("", false, Missing),
            ("null", false, Missing),
            ("269.93x", false, Bad),
            ("0x10", false, Bad),
            ("1_000", false, Bad),
            ("1.2.3", false, Bad),
        ];
        for (text, decimal_comma, expected) in cases {
            assert_eq!(number(text, decimal_comma), expected, "{text}");
        }
    }

    #[test]
    fn quotes() {
        let split = |line: &str| -> Option<Vec<String>> {
            Some(fields(line.as_bytes(), b',')?.iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect())
        };
        assert_eq!(split("a,b,").unwrap(), ["a", "b", ""]);
        assert_eq!(split("\"a,b\",c").unwrap(), ["a,b", "c"]);
        assert_eq!(split("x,\"say \"\"hi\"\"\"").unwrap(), ["x", "say \"hi\""]);
        assert_eq!(split("a,\"b"), None);
        assert_eq!(split("a,\"b\"c"), None);
    }

    #[test]
    fn delimiters() {
        assert_eq!(delimiter(b"date;open;close"), b';');
        assert_eq!(delimiter(b"\"a;b;c\",d"), b',');
        assert_eq!(delimiter(b"date\topen"), b'\t');
        assert_eq!(delimiter(b"date"), b',');
    }

    #[test]
    fn a_gzip_bomb_stops_at_the_limit() {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&vec![b'0'; 1 << 20]).unwrap();
        let bytes = encoder.finish().unwrap();
        let mut report = DefectReport::new(false);
        assert!(decompressed("x.gz", &bytes, 1 << 10, &mut report).is_none());
        assert_eq!(report.defects[0].kind, Kind::TruncatedGzip);
        assert_eq!(decompressed("x.gz", &bytes, 1 << 20, &mut report).unwrap().unwrap().len(), 1 << 20);
    }
}
