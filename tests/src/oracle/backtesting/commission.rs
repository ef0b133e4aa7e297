//! Commissions as backtesting.py takes them: a rate, a fixed part and a rate, or a Python function of size and price.
//!
//! Given the value in a case's settings, this module sets [`Costs`]. A function is read symbolically: what it returns
//! must be a sum of a constant, a part of the units and a part of the value, perhaps at least some amount, perhaps
//! different from some value on. It never runs anything.

use sandtable_core::plan::{Costs, Tier, Tiers, TiersBy};
use serde_json::Value;

/// Sets the commission of a case; the error names what is not understood.
pub fn set(costs: &mut Costs, given: &Value) -> Result<(), String> {
    match given {
        Value::Null => {}
        Value::Number(rate) => costs.bps = rate.as_f64().unwrap_or(0.0) * 1e4,
        Value::Array(parts) => {
            let part = |k: usize| parts.get(k).and_then(Value::as_f64).unwrap_or(0.0);
            costs.per_trade = part(0);
            costs.bps = part(1) * 1e4;
        }
        Value::String(source) => set_tiers(costs, &read_function(source)?)?,
        other => return Err(format!("a commission like {other}")),
    }
    Ok(())
}

/// Whether a part of the commission does not grow with the order.
pub fn has_fixed_part(costs: &Costs) -> bool {
    costs.per_trade > 0.0 || !costs.tiers.as_slice().is_empty()
}

fn set_tiers(costs: &mut Costs, pieces: &[Piece]) -> Result<(), String> {
    costs.tiers_by = TiersBy::OrderValue;
    let mut tiers = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let Sum { constant, units, value, other } = piece.sum;
        if other {
            return Err("a commission that is no sum of a constant, units and value".into());
        }
        let (per_trade, per_share, bps) = (constant, units, value * 1e4);
        tiers.push(Tier { from: piece.from, per_share, per_trade, bps, minimum: piece.minimum });
    }
    costs.tiers = Tiers::new(&tiers).ok_or_else(|| format!("a commission of {} pieces", tiers.len()))?;
    Ok(())
}

/// `constant + units × |size| + value × |size| × price`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    constant: f64,
    units: f64,
    value: f64,
    /// Whether there is a term that is none of these.
    other: bool,
}

/// From an order's value on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    from: f64,
    minimum: f64,
    sum: Sum,
}

/// What an expression stands for.
#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    /// The signed size.
    Size,
    /// The price.
    Price,
    /// What the pieces say.
    Pieces(Vec<Piece>),
}

fn plain(sum: Sum) -> Meaning {
    Meaning::Pieces(vec![Piece { from: 0.0, minimum: 0.0, sum }])
}

/// The one sum without a minimum that a meaning is.
fn as_sum(meaning: &Meaning) -> Result<Sum, String> {
    match meaning {
        Meaning::Pieces(pieces) => match pieces[..] {
            [Piece { minimum: 0.0, sum, .. }] => Ok(sum),
            _ => Err("arithmetic with a commission in pieces".into()),
        },
        Meaning::Size | Meaning::Price => Ok(Sum { other: true, ..Sum::default() }),
    }
}

fn as_constant(meaning: &Meaning) -> Option<f64> {
    let sum = as_sum(meaning).ok()?;
    (sum == Sum { constant: sum.constant, ..Sum::default() }).then_some(sum.constant)
}

/// Reads `def f(size, price):` with assignments and one `return`.
fn read_function(source: &str) -> Result<Vec<Piece>, String> {
    let (head, body) = match source.trim().strip_prefix("lambda ") {
        Some(rest) => rest.split_once(':').ok_or("a commission without a body")?,
        None => {
            let rest = source.trim().strip_prefix("def ").ok_or("a commission that is no function")?;
            let (head, body) = rest.split_once(':').ok_or("a commission without a body")?;
            (head.split_once('(').map_or(head, |(_, names)| names).trim_end_matches([')', ' ']), body)
        }
    };
    let mut names: Vec<(String, Meaning)> = Vec::new();
    let mut meanings = [Meaning::Size, Meaning::Price].into_iter();
    for name in head.split(',') {
        let name = name.split([':', '=']).next().unwrap_or_default().trim().to_string();
        names.push((name, meanings.next().ok_or("a commission of more than size and price")?));
    }
    let mut last = None;
    for line in body.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        if let Some(returned) = line.strip_prefix("return ") {
            last = Some(Reader::read(returned, &names)?);
            break;
        }
        match line.split_once('=').filter(|(name, _)| name.trim().chars().all(|c| c.is_alphanumeric() || c == '_')) {
            Some((name, value)) => {
                let meaning = Reader::read(value, &names)?;
                names.push((name.trim().to_string(), meaning));
            }
            None if line.is_empty() => {}
            None if source.trim_start().starts_with("lambda") => last = Some(Reader::read(line, &names)?),
            None => return Err(format!("the line `{line}` in a commission")),
        }
    }
    match last.ok_or("a commission that returns nothing")? {
        Meaning::Pieces(pieces) => Ok(pieces),
        _ => Err("a commission that returns size or price".into()),
    }
}

/// A reader of Python expressions: numbers, names, `+ - * /`, `abs max min`, `a if x < y else b`.
struct Reader<'a> {
    tokens: Vec<String>,
    at: usize,
    names: &'a [(String, Meaning)],
}

impl Reader<'_> {
    fn read(text: &str, names: &[(String, Meaning)]) -> Result<Meaning, String> {
        let mut reader = Reader { tokens: tokens(text), at: 0, names };
        let meaning = reader.choice()?;
        match reader.peek() {
            "" => Ok(meaning),
            token => Err(format!("`{token}` in the commission `{text}`")),
        }
    }

    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek() == token;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("`{}` in a commission, expected `{token}`", self.peek())) }
    }

    fn choice(&mut self) -> Result<Meaning, String> {
        let then = self.sum()?;
        if !self.take("if") {
            return Ok(then);
        }
        let left = self.sum()?;
        let compare = self.peek().to_string();
        self.at += 1;
        let right = self.sum()?;
        self.expect("else")?;
        let other = self.choice()?;
        let (value, bound, compare) = match (as_constant(&left), as_constant(&right)) {
            (None, Some(bound)) => (left, bound, compare),
            (Some(bound), None) => (right, bound, compare.replace('<', "?").replace('>', "<").replace('?', ">")),
            _ => return Err("a comparison in a commission without a number on one side".into()),
        };
        if as_sum(&value)? != (Sum { value: 1.0, ..Sum::default() }) {
            return Err("a commission that depends on something else than the value".into());
        }
        // The bound itself belongs to the upper piece unless the comparison says otherwise.
        let above = f64::from_bits(bound.to_bits() + 1);
        let (below, from, upper) = match compare.as_str() {
            "<" => (then, bound, other),
            "<=" => (then, above, other),
            ">=" => (other, bound, then),
            ">" => (other, above, then),
            _ => return Err(format!("the comparison `{compare}` in a commission")),
        };
        let (Meaning::Pieces(below), Meaning::Pieces(upper)) = (below, upper) else {
            return Err("a commission that returns size or price".into());
        };
        let mut pieces: Vec<Piece> = below.into_iter().filter(|piece| piece.from < from).collect();
        let first = upper.iter().rposition(|piece| piece.from <= from).unwrap_or(0);
        pieces.extend(upper[first..].iter().map(|piece| Piece { from: piece.from.max(from), ..*piece }));
        Ok(Meaning::Pieces(pieces))
    }

    fn sum(&mut self) -> Result<Meaning, String> {
        let mut left = self.product()?;
        while matches!(self.peek(), "+" | "-") {
            let sign = if self.take("+") { 1.0 } else { -1.0 };
            self.at += usize::from(sign < 0.0);
            let (a, b) = (as_sum(&left)?, as_sum(&self.product()?)?);
            left = plain(Sum {
                constant: a.constant + sign * b.constant,
                units: a.units + sign * b.units,
                value: a.value + sign * b.value,
                other: a.other || b.other,
            });
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Meaning, String> {
        let mut left = self.factor()?;
        while matches!(self.peek(), "*" | "/") {
            let divides = self.take("/");
            self.at += usize::from(!divides);
            let right = self.factor()?;
            let scaled = |sum: Sum, by: f64| Sum {
                constant: sum.constant * by,
                units: sum.units * by,
                value: sum.value * by,
                other: sum.other,
            };
            let by_price = |sum: Sum| match sum {
                Sum { constant: 0.0, value: 0.0, other: false, units } => {
                    Ok(plain(Sum { value: units, ..Sum::default() }))
                }
                _ => Err("a product in a commission that is no value".to_string()),
            };
            left = match (as_constant(&left), as_constant(&right)) {
                (_, Some(by)) if divides => plain(scaled(as_sum(&left)?, 1.0 / by)),
                _ if divides => return Err("a division in a commission".into()),
                (_, Some(by)) => plain(scaled(as_sum(&left)?, by)),
                (Some(by), _) => plain(scaled(as_sum(&right)?, by)),
                _ if right == Meaning::Price => by_price(as_sum(&left)?)?,
                _ if left == Meaning::Price => by_price(as_sum(&right)?)?,
                _ => return Err("a product in a commission that is no value".into()),
            };
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Meaning, String> {
        if self.take("-") {
            let sum = as_sum(&self.factor()?)?;
            let Sum { constant, units, value, other } = sum;
            return Ok(plain(Sum { constant: -constant, units: -units, value: -value, other }));
        }
        if self.take("(") {
            let inside = self.choice()?;
            self.expect(")")?;
            return Ok(inside);
        }
        let token = self.peek().to_string();
        self.at += 1;
        if let Ok(constant) = token.replace('_', "").parse() {
            return Ok(plain(Sum { constant, ..Sum::default() }));
        }
        if !self.take("(") {
            let known = self.names.iter().rev().find(|(name, _)| *name == token);
            return known.map(|(_, meaning)| meaning.clone()).ok_or(format!("`{token}` in a commission"));
        }
        let mut arguments = vec![self.choice()?];
        while self.take(",") {
            arguments.push(self.choice()?);
        }
        self.expect(")")?;
        match (token.rsplit('.').next(), &arguments[..]) {
            (Some("abs"), [Meaning::Size]) => Ok(plain(Sum { units: 1.0, ..Sum::default() })),
            // A value is not negative, and a price is none.
            (Some("abs"), [other]) => Ok(other.clone()),
            (Some("max"), [a, b]) => {
                let (minimum, sum) = match (as_constant(a), as_constant(b)) {
                    (Some(minimum), _) => (minimum, as_sum(b)?),
                    (_, Some(minimum)) => (minimum, as_sum(a)?),
                    _ => return Err("the larger of two commissions".into()),
                };
                Ok(Meaning::Pieces(vec![Piece { from: 0.0, minimum, sum }]))
            }
            _ => Err(format!("the function `{token}` in a commission")),
        }
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut glue = false;
    for c in text.chars() {
        let word = c.is_alphanumeric() || c == '_' || c == '.';
        let last = tokens.last().and_then(|token| token.chars().last());
        let joins = match last {
            Some(last) if word => last.is_alphanumeric() || last == '_' || last == '.',
            Some(last) => c == '=' && matches!(last, '<' | '>' | '=' | '!'),
            None => false,
        };
        match tokens.last_mut() {
            Some(token) if glue && joins => token.push(c),
            _ if c.is_whitespace() => {}
            _ => tokens.push(c.to_string()),
        }
        glue = !c.is_whitespace();
    }
    tokens
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn tiers(source: &str) -> Vec<(f64, f64, f64, f64, f64)> {
        let mut costs = Costs::default();
        set(&mut costs, &Value::String(source.into())).unwrap();
        let tiers = costs.tiers.as_slice().iter();
        tiers.map(|t| (t.from, t.per_share, t.per_trade, t.bps, t.minimum)).collect()
    }

    #[test]
    fn functions_become_tiers() {
        assert_eq!(
            tiers(
                "def f(size, price):\n    v = abs(size) * price\n    return max(1.0, 0.0005 * v) if v < 20_000 else 5 + 0.0002 * v\n"
            ),
            [(0.0, 0.0, 0.0, 5.0, 1.0), (20_000.0, 0.0, 5.0, 2.0, 0.0)]
        );
        assert_eq!(tiers("lambda size, price: abs(size) * 0.005 + 2"), [(0.0, 0.005, 2.0, 0.0, 0.0)]);
        assert_eq!(
            tiers("def g(s, p):\n  return 1 if p * abs(s) < 100 else (2 if 1000 > abs(s) * p else 3)"),
            [(0.0, 0.0, 1.0, 0.0, 0.0), (100.0, 0.0, 2.0, 0.0, 0.0), (1000.0, 0.0, 3.0, 0.0, 0.0)]
        );
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for source in ["def f(size, price):\n  return min(5, abs(size))", "def f(size, price):\n  return size", "5"] {
            assert!(set(&mut Costs::default(), &Value::String(source.into())).is_err(), "{source}");
        }
    }
}
