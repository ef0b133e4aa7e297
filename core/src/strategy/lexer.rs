//! Text to tokens.
//!
//! Given an expression's text, this gives its tokens with their spans. It never knows what names mean.

use super::source::{Problem, Span};

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Number(f64),
    /// A name or one of the words `and or not true false`.
    Word(String),
    /// A symbol's name in quotation marks.
    Quoted(String),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// Operators and brackets; longer ones before their beginnings.
const SIGNS: [&str; 20] =
    ["<=", ">=", "==", "!=", "+", "-", "*", "/", "%", "^", "<", ">", "(", ")", "[", "]", ",", ".", "=", ":"];

/// What people write from other languages, and what it is here.
const FOREIGN_SIGNS: [(&str, &str); 13] = [
    ("&&", "and"),
    ("||", "or"),
    ("**", "^"),
    ("<>", "!="),
    ("=>", ">="),
    ("=<", "<="),
    ("&", "and"),
    ("|", "or"),
    ("!", "not"),
    ("≤", "<="),
    ("≥", ">="),
    ("−", "-"),
    ("×", "*"),
];

/// All tokens of a text, the last one [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::new();
    let mut position = 0;
    loop {
        let rest = &text[position..];
        position += rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { break };
        let (kind, length) = match first {
            '0'..='9' => number(rest, position)?,
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest, position)?,
            '"' | '\'' => quoted(rest, first, position)?,
            _ if is_word_start(first) => word(rest),
            _ => sign(rest, first, position)?,
        };
        tokens.push(Token { kind, span: Span { start: position, end: position + length } });
        position += length;
    }
    tokens.push(Token { kind: TokenKind::End, span: Span { start: position, end: position } });
    Ok(tokens)
}

/// Whether a text is a name: letters, digits and `_`, not beginning with a digit.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(is_word_start) && text.chars().all(is_word_part)
}

fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_word_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn word(rest: &str) -> (TokenKind, usize) {
    let length = rest.find(|c| !is_word_part(c)).unwrap_or(rest.len());
    (TokenKind::Word(rest[..length].to_owned()), length)
}

/// Length of the run of digits at the beginning.
fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
}

fn number(rest: &str, position: usize) -> Result<(TokenKind, usize), Problem> {
    let mut length = digits(rest);
    if rest[length..].starts_with('.') && digits(&rest[length + 1..]) > 0 {
        length += 1 + digits(&rest[length + 1..]);
    }
    if let Some(exponent) = rest[length..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let count = digits(&exponent[sign..]);
        length += if count > 0 { 1 + sign + count } else { 0 };
    }
    let span = Span { start: position, end: position + length };
    if rest[length..].starts_with(is_word_part) {
        let end = length + word(&rest[length..]).1;
        return Err(Problem::new(
            Span { end: position + end, ..span },
            format!("`{}` is not a number", clip(&rest[..end])),
        )
        .help("names begin with a letter, and a product needs `*`"));
    }
    match rest[..length].parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((TokenKind::Number(value), length)),
        _ => Err(Problem::new(span, "this number is too large").help("numbers go up to about 1.8e308")),
    }
}

/// A symbol's name between quotation marks; a backslash takes the next character as it is.
fn quoted(rest: &str, mark: char, position: usize) -> Result<(TokenKind, usize), Problem> {
    let mut name = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            _ if character == mark => return Ok((TokenKind::Quoted(name), at + mark.len_utf8())),
            _ => name.push(character),
        }
    }
    let span = Span { start: position, end: position + 1 };
    Err(Problem::new(span, "this quotation mark is not closed").help("a symbol's name is written `\"BRK.B\".close`"))
}

fn sign(rest: &str, first: char, position: usize) -> Result<(TokenKind, usize), Problem> {
    let span = |length| Span { start: position, end: position + length };
    // `!=` is ours although `!` alone is not, so our own two-character signs are tried first.
    let own = |length: usize| SIGNS.iter().find(|sign| sign.len() == length && rest.starts_with(**sign));
    if let Some(sign) = own(2) {
        return Ok((TokenKind::Sign(sign), 2));
    }
    if let Some((foreign, ours)) = FOREIGN_SIGNS.iter().find(|(foreign, _)| rest.starts_with(foreign)) {
        return Err(Problem::new(span(foreign.len()), format!("`{foreign}` is not an operator here"))
            .help(format!("write `{ours}`")));
    }
    if let Some(sign) = own(1) {
        return Ok((TokenKind::Sign(sign), 1));
    }
    Err(Problem::new(span(first.len_utf8()), format!("unexpected character `{}`", first.escape_debug())))
}

/// The beginning of a text, for messages.
pub(super) fn clip(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
