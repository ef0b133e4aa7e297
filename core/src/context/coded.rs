//! Columns of few distinct values, made of several conditions: a byte a row, and a table that says what it means.
//!
//! A coded column means exactly the column of numbers that the table makes of it, so nothing here can change a result.

use crate::num::NAN;

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
    #[cfg(test)]
    pub const TRUTH: Table = Table::new([0.0, 1.0, NAN]);

    /// A table of three values.
    pub(super) fn of(values: [f64; 3]) -> Table {
        Table::new(values)
    }

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

    /// `f` of every value.
    pub(super) fn means<T>(&self, f: impl Fn(f64) -> T) -> [T; MOST] {
        self.values.map(f)
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
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTHS: [f64; 3] = [0.0, 1.0, NAN];

    fn pairs<const N: usize>(values: [f64; N]) -> (Vec<f64>, Vec<f64>) {
        values.iter().flat_map(|&x| values.map(|y| (x, y))).unzip()
    }

    fn truths(column: &[f64]) -> Coded {
        let code = |x: &f64| if x.is_nan() { 2 } else { *x as u8 };
        Coded { codes: column.iter().map(code).collect(), table: Table::TRUTH }
    }

    fn same(coded: &Coded, expected: impl Iterator<Item = f64>, what: &str) {
        for (row, expected) in expected.enumerate() {
            let found = coded.at(row);
            assert!(found == expected || (found.is_nan() && expected.is_nan()), "{what}, {row}: {found} {expected}");
        }
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
}
