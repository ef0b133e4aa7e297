//! Columns of few distinct values: a byte a row, and a table that says what it means.
//!
//! Most rules are comparisons, and most targets a choice between two weights: an eighth of the memory of numbers, and
//! an operation with a scalar touches the table alone. A coded column means exactly the column of numbers that the
//! table makes of it, so nothing here can change a result.

use super::rule::choose;
use crate::num::NAN;
use crate::strategy::BinaryOp;

/// Rows that are coded together.
const BLOCK: usize = 8;

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
        let mut found = [false; MOST];
        for (found, &value) in found.iter_mut().zip(self.used()) {
            *found = hits(value);
        }
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

    /// Whether all pairs of two columns' values can be coded.
    pub(super) fn fits(&self, other: &Coded) -> bool {
        self.table.len * other.table.len <= MOST
    }

    /// `f` of two columns that fit each other, into the first; the other's memory is given back.
    pub(super) fn zip(mut self, other: Coded, f: impl Fn(f64, f64) -> f64) -> (Coded, Vec<u8>) {
        let width = other.table.len;
        let mut table = Table { len: self.table.len * width, values: [NAN; MOST] };
        for (i, &x) in self.table.used().iter().enumerate() {
            for (j, &y) in other.table.used().iter().enumerate() {
                table.values[(i * width + j) % MOST] = f(x, y);
            }
        }
        let width = width as u8;
        self.codes.iter_mut().zip(&other.codes).for_each(|(x, y)| *x = *x * width + *y);
        self.table = table;
        (self, other.codes)
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
    each(column, Side::Scalar(0.0), codes, |x, y| (x < y) | (x > y));
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
    let code = |x: f64, y: f64| i64::from(holds(x, y)) | i64::from(x.is_nan() | y.is_nan()) << 1;
    let (blocks, rest) = a.as_chunks::<BLOCK>();
    let (out, out_rest) = codes.as_chunks_mut::<BLOCK>();
    match b {
        Side::Scalar(y) => {
            out.iter_mut().zip(blocks).for_each(|(out, x)| narrow(out, |k| code(x[k], y)));
            out_rest.iter_mut().zip(rest).for_each(|(out, &x)| *out = code(x, y) as u8);
        }
        Side::Column(b) => {
            let (others, others_rest) = b.as_chunks::<BLOCK>();
            let pairs = out.iter_mut().zip(blocks.iter().zip(others));
            pairs.for_each(|(out, (x, y))| narrow(out, |k| code(x[k], y[k])));
            let pairs = out_rest.iter_mut().zip(rest.iter().zip(others_rest));
            pairs.for_each(|(out, (&x, &y))| *out = code(x, y) as u8);
        }
    }
}

/// Codes of one block. As wide as the numbers first and narrowed together: so the compiler compares and packs several
/// at once, in a third of the time of one loop over bytes.
#[inline(always)]
fn narrow(out: &mut [u8; BLOCK], code: impl Fn(usize) -> i64) {
    let mut wide = [0; BLOCK];
    for (k, wide) in wide.iter_mut().enumerate() {
        *wide = code(k);
    }
    *out = wide.map(|code| code as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [f64; 7] = [NAN, 0.0, -0.0, 1.0, -2.5, f64::INFINITY, 0.5];
    const TRUTHS: [f64; 3] = [0.0, 1.0, NAN];

    fn pairs<const N: usize>(values: [f64; N]) -> (Vec<f64>, Vec<f64>) {
        values.iter().flat_map(|&x| values.map(|y| (x, y))).unzip()
    }

    fn truths(column: &[f64]) -> Coded {
        let mut codes = vec![9; column.len()];
        encode(column, &mut codes);
        Coded { codes, table: Table::TRUTH }
    }

    fn same(coded: &Coded, expected: impl Iterator<Item = f64>, what: &str) {
        for (row, expected) in expected.enumerate() {
            let found = coded.at(row);
            assert!(found == expected || (found.is_nan() && expected.is_nan()), "{what}, {row}: {found} {expected}");
        }
    }

    #[test]
    fn comparisons_mean_what_the_operation_means() {
        let (a, b) = pairs(VALUES);
        for op in [BinaryOp::Lt, BinaryOp::Le, BinaryOp::Gt, BinaryOp::Ge, BinaryOp::Eq, BinaryOp::Ne] {
            let mut codes = vec![0; a.len()];
            assert!(compare(op, &a, Side::Column(&b), &mut codes));
            let coded = Coded { codes, table: Table::TRUTH };
            same(&coded, a.iter().zip(&b).map(|(&x, &y)| op.apply(x, y)), &format!("{op:?}"));
            for y in VALUES {
                let mut codes = vec![0; a.len()];
                assert!(compare(op, &a, Side::Scalar(y), &mut codes));
                let coded = Coded { codes, table: Table::TRUTH };
                same(&coded, a.iter().map(|&x| op.apply(x, y)), &format!("{op:?} {y}"));
            }
        }
    }

    #[test]
    fn logic_is_that_of_truth_values_however_they_are_coded() {
        let (a, b) = pairs(TRUTHS);
        for op in [BinaryOp::And, BinaryOp::Or] {
            let (coded, _) = truths(&a).logic(truths(&b), op);
            same(&coded, a.iter().zip(&b).map(|(&x, &y)| op.apply(x, y)), &format!("{op:?}"));
            // `1 - x` has another table.
            let flipped = Coded { table: Table::TRUTH.map(|x| 1.0 - x), ..truths(&a) };
            let (coded, _) = flipped.logic(truths(&b), op);
            same(&coded, a.iter().zip(&b).map(|(&x, &y)| op.apply(1.0 - x, y)), &format!("flipped {op:?}"));
        }
        same(&truths(&a).not(), a.iter().map(|&x| if x.is_nan() { NAN } else { 1.0 - x }), "not");
    }

    #[test]
    fn two_columns_of_few_values_make_one_until_they_are_too_many() {
        let (a, b) = pairs(TRUTHS);
        let sum = |x: f64, y: f64| 10.0 * x + y;
        let (both, _) = truths(&a).zip(truths(&b), sum);
        same(&both, a.iter().zip(&b).map(|(&x, &y)| sum(x, y)), "pairs");
        let mut wide = vec![0.0; a.len()];
        both.widen(&mut wide);
        same(&both, wide.into_iter(), "widened");
        assert!(truths(&a).fits(&truths(&b)) && !both.fits(&truths(&a)), "9 values do, 27 do not");
    }

    #[test]
    fn a_choice_changes_the_table_alone() {
        let column = truths(&TRUTHS).choose(0.125, -7.0);
        same(&column, [-7.0, 0.125, NAN].into_iter(), "chosen");
        assert_eq!(column.codes, truths(&TRUTHS).codes);
    }
}
