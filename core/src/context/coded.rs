//! Columns of few distinct values: a byte a row, and a table that says what it means.
//!
//! Most rules are comparisons, and most targets a choice between two weights: an eighth of the memory of numbers, and
//! an operation with a scalar touches the table alone. A coded column means exactly the column of numbers that the
//! table makes of it, so nothing here can change a result.

use super::rule::choose;
use crate::num::NAN;
use crate::strategy::BinaryOp;

/// Most distinct values of a coded column.
pub(super) const MOST: usize = 16;

/// What the codes of a column mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    len: usize,
    values: [f64; MOST],
}

/// A column of codes with its table.
#[derive(Clone, Debug)]
pub struct Coded {
    pub(crate) codes: Vec<u8>,
    pub(crate) table: Table,
}

impl Table {
    /// False, true, undefined.
    pub const TRUTH: Table = Table::new([0.0, 1.0, NAN]);

    const fn new<const N: usize>(first: [f64; N]) -> Table {
        let mut values = [NAN; MOST];
        let mut k = 0;
        while k < N {
            values[k] = first[k];
            k += 1;
        }
        Table { len: N, values }
    }

    /// The meaning of a code.
    #[inline(always)]
    pub fn value(&self, code: u8) -> f64 {
        self.values[code as usize % MOST]
    }

    /// The table of a function of the values.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Table {
        Table { len: self.len, values: self.values.map(f) }
    }

    /// Which codes mean a value that `hits`.
    pub fn matching(&self, hits: impl Fn(f64) -> bool) -> [bool; MOST] {
        let mut found = self.values.map(hits);
        found[self.len..].fill(false);
        found
    }

    fn is_truth(&self) -> bool {
        self.len == 3 && self.values[0] == 0.0 && self.values[1] == 1.0 && self.values[2].is_nan()
    }

    fn used(&self) -> &[f64] {
        &self.values[..self.len]
    }
}

impl Coded {
    /// The value at a row.
    #[inline(always)]
    pub fn at(&self, row: usize) -> f64 {
        self.table.value(self.codes[row])
    }

    /// The same column in numbers.
    pub(super) fn widen(&self, out: &mut [f64]) {
        for (out, &code) in out.iter_mut().zip(&self.codes) {
            *out = self.table.value(code);
        }
    }

    /// The same column with the codes of truth values; any number but 0 counts as true.
    fn into_truth(mut self) -> Coded {
        if !self.table.is_truth() {
            let means = self.table.values.map(truth_code);
            self.codes.iter_mut().for_each(|code| *code = means[*code as usize % MOST]);
            self.table = Table::TRUTH;
        }
        self
    }

    /// `not`.
    pub(super) fn not(self) -> Coded {
        let mut column = self.into_truth();
        column.codes.iter_mut().for_each(|code| *code ^= 1 & !(*code >> 1));
        column
    }

    /// `f` of two columns, into the first; gives them back if there would be too many distinct values.
    pub(super) fn zip(mut self, other: Coded, f: impl Fn(f64, f64) -> f64) -> Result<(Coded, Vec<u8>), (Coded, Coded)> {
        let width = other.table.len;
        if self.table.len * width > MOST {
            return Err((self, other));
        }
        let mut table = Table { len: self.table.len * width, values: [NAN; MOST] };
        for (i, &x) in self.table.used().iter().enumerate() {
            for (j, &y) in other.table.used().iter().enumerate() {
                table.values[i * width + j] = f(x, y);
            }
        }
        let width = width as u8;
        self.codes.iter_mut().zip(&other.codes).for_each(|(x, y)| *x = *x * width + *y);
        self.table = table;
        Ok((self, other.codes))
    }

    /// `and` or `or` of two columns, into the first; the other's memory is given back.
    pub(super) fn logic(self, other: Coded, op: BinaryOp) -> (Coded, Vec<u8>) {
        let (mut column, other) = (self.into_truth(), other.into_truth());
        // Undefined is bit 1; where it is set, bit 0 is not.
        let pairs = column.codes.iter_mut().zip(&other.codes);
        match op {
            BinaryOp::And => pairs.for_each(|(x, y)| *x = joined(*x, *y, *x & *y)),
            _ => pairs.for_each(|(x, y)| *x = joined(*x, *y, *x | *y)),
        }
        (column, other.codes)
    }

    /// `if(self, a, b)` with fixed branches.
    pub(super) fn choose(mut self, a: f64, b: f64) -> Coded {
        self.table = self.table.map(|c| choose(c, a, b));
        self
    }
}

#[inline(always)]
fn truth_code(x: f64) -> u8 {
    if x.is_nan() { 2 } else { u8::from(x != 0.0) }
}

#[inline(always)]
fn joined(x: u8, y: u8, both: u8) -> u8 {
    let undefined = (x | y) & 2;
    undefined | (both & 1 & !(undefined >> 1))
}

/// The codes of truth values of a column of numbers.
pub(super) fn encode(column: &[f64], codes: &mut [u8]) {
    for (code, &x) in codes.iter_mut().zip(column) {
        *code = u8::from((x < 0.0) | (x > 0.0)) | u8::from(x.is_nan()) << 1;
    }
}

/// The codes of a comparison of two columns, or `None` if `op` is not one.
pub(super) fn compare(op: BinaryOp, a: &[f64], b: Side, codes: &mut [u8]) -> bool {
    match op {
        BinaryOp::Lt => each(a, b, codes, |x, y| x < y),
        BinaryOp::Le => each(a, b, codes, |x, y| x <= y),
        BinaryOp::Gt => each(a, b, codes, |x, y| x > y),
        BinaryOp::Ge => each(a, b, codes, |x, y| x >= y),
        BinaryOp::Eq => each(a, b, codes, |x, y| x == y),
        BinaryOp::Ne => each(a, b, codes, |x, y| (x < y) | (x > y)),
        _ => return false,
    }
    true
}

/// The right side of a comparison.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side<'a> {
    Scalar(f64),
    Column(&'a [f64]),
}

#[inline(always)]
fn each(a: &[f64], b: Side, codes: &mut [u8], holds: impl Fn(f64, f64) -> bool) {
    let code = |x: f64, y: f64| u8::from(holds(x, y)) | u8::from(x.is_nan() | y.is_nan()) << 1;
    match b {
        Side::Scalar(y) => codes.iter_mut().zip(a).for_each(|(out, &x)| *out = code(x, y)),
        Side::Column(b) => codes.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (&x, &y))| *out = code(x, y)),
    }
}
