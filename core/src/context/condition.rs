//! Conditions: two bits a row, whether it is true and whether it is undefined, and columns that choose by one.
//!
//! Most rules are comparisons, and most targets a choice between two weights: a condition takes a thirtieth of the
//! memory of numbers, logic handles 64 rows at once, and what is chosen is a table of three values. A choice means
//! exactly the column of numbers that the table makes of it, so nothing here can change a result.

use std::ops::{Deref, Range};
use std::sync::Arc;

use super::coded::Coded;
use super::rule;
use crate::num::NAN;
use crate::simd::{self, Eight, LANES, Work};
use crate::strategy::BinaryOp;

/// Rows of one word.
pub(super) const ROWS: usize = 64;

/// A truth value a row.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    rows: usize,
    /// Where it is true; nowhere where it is undefined, nor behind the last row.
    truth: Vec<u64>,
    /// Where it is undefined; often the same for many.
    undefined: Arc<Vec<u64>>,
    /// The words outside which it is undefined nowhere, where that is known.
    gaps: Option<Gaps>,
}

impl PartialEq for Condition {
    fn eq(&self, other: &Condition) -> bool {
        (self.rows, &self.truth, &self.undefined) == (other.rows, &other.truth, &other.undefined)
    }
}

/// Words of rows in which something may be undefined: bit `k` of the number `n` is word `64 n + k`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gaps(Vec<u64>);

impl Gaps {
    /// The words that are not zero.
    fn of(words: &[u64]) -> Gaps {
        let chunk = |words: &[u64]| {
            words.iter().enumerate().fold(0, |found, (place, word)| found | u64::from(*word != 0) << place)
        };
        Gaps(words.chunks(ROWS).map(chunk).collect())
    }

    /// Takes in the words of another one.
    pub(crate) fn add(&mut self, other: &Gaps) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        self.0.iter_mut().zip(&other.0).for_each(|(words, others)| *words |= others);
    }

    /// The last one of these words that is one of them.
    pub(crate) fn last_in(&self, words: Range<usize>) -> Option<usize> {
        let places = words.start / ROWS..self.0.len().min(words.end.div_ceil(ROWS));
        places.rev().find_map(|place| {
            let first = place * ROWS;
            let below =
                |word: usize| if word >= first + ROWS { u64::MAX } else { (1 << word.saturating_sub(first)) - 1 };
            let found = self.0[place] & below(words.end) & !below(words.start);
            (found != 0).then(|| first + ROWS - 1 - found.leading_zeros() as usize)
        })
    }

    /// Whether a word is one of them.
    #[inline(always)]
    pub(crate) fn has(&self, word: usize) -> bool {
        self.0.get(word / ROWS).is_some_and(|words| words >> (word % ROWS) & 1 == 1)
    }

    /// All of them, the first ones first.
    fn each(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(place, &words)| {
            let mut left = words;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(place * ROWS + bit)
            })
        })
    }
}

/// Where a column is NaN: a bit a row, none behind the last one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Nans {
    words: Arc<Vec<u64>>,
    /// The words with such a row.
    gaps: Gaps,
}

impl Nans {
    fn from(words: Vec<u64>) -> Nans {
        Nans { gaps: Gaps::of(&words), words: Arc::new(words) }
    }

    /// Those of a column.
    pub(super) fn of(column: &[f64]) -> Nans {
        Nans::from(simd::run(FindNans(column)))
    }

    /// None among so many rows.
    pub(super) fn nowhere(rows: usize) -> Nans {
        Nans::from(vec![0; rows.div_ceil(ROWS)])
    }

    /// Each of so many rows.
    pub(super) fn everywhere(rows: usize) -> Nans {
        Nans::but_for(rows, std::iter::empty())
    }

    /// Each of so many rows that is in none of the ranges `defined`.
    pub(super) fn but_for(rows: usize, defined: impl Iterator<Item = Range<usize>>) -> Nans {
        let mut words = vec![u64::MAX; rows.div_ceil(ROWS)];
        let mut clear = |range: Range<usize>| {
            let (first, last) = (range.start / ROWS, range.end / ROWS);
            let (from, to) = (u64::MAX << (range.start % ROWS), (1 << (range.end % ROWS)) - 1);
            if first == last {
                words.get_mut(first).into_iter().for_each(|word| *word &= !(from & to));
                return;
            }
            words[first] &= !from;
            words[first + 1..last].fill(0);
            words.get_mut(last).into_iter().for_each(|word| *word &= !to);
        };
        defined.filter(|range| !range.is_empty()).for_each(&mut clear);
        let behind = rows..rows.next_multiple_of(ROWS);
        if !behind.is_empty() {
            clear(behind);
        }
        Nans::from(words)
    }

    /// Where one of two columns is NaN. Where one of them says it all, it is that one's memory.
    pub(super) fn or(&self, other: &Nans) -> Nans {
        let within = |a: &Nans, b: &Nans| a.gaps.each().all(|word| a.words[word] & !b.words[word] == 0);
        if within(other, self) {
            return self.clone();
        }
        if within(self, other) {
            return other.clone();
        }
        let mut words = Vec::clone(&self.words);
        other.gaps.each().for_each(|word| words[word] |= other.words[word]);
        Nans::from(words)
    }

    /// What tells it from others as long as it is held.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.words).addr()
    }
}

/// A column that is looked through for NaN.
struct FindNans<'a>(&'a [f64]);

impl Work for FindNans<'_> {
    type Output = Vec<u64>;

    #[inline(always)]
    fn run<E: Eight>(self) -> Vec<u64> {
        let mut words = Vec::with_capacity(self.0.len().div_ceil(ROWS));
        for rows in self.0.chunks(ROWS) {
            let (vectors, rest) = rows.as_chunks::<LANES>();
            let mut word = 0;
            for (place, values) in vectors.iter().enumerate() {
                let values = E::load(values);
                word |= u64::from(E::bits(values.unordered(values))) << (place * LANES);
            }
            for (place, value) in rest.iter().enumerate() {
                word |= u64::from(value.is_nan()) << (vectors.len() * LANES + place);
            }
            words.push(word);
        }
        words
    }
}

/// A condition of this trial, or one shared with others.
#[derive(Clone, Debug)]
pub enum Held {
    /// Shared.
    Shared(Arc<Condition>),
    /// Owned.
    Own(Condition),
}

/// A column whose every row is one of three values, by a condition.
#[derive(Clone, Debug)]
pub struct Choice {
    /// By what it is chosen.
    pub(crate) condition: Held,
    /// The values where it is false, true and undefined.
    pub(crate) values: [f64; 3],
}

/// One side of a comparison.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side<'a> {
    Scalar(f64),
    Column(&'a [f64]),
}

impl Deref for Held {
    type Target = Condition;

    fn deref(&self) -> &Condition {
        match self {
            Held::Shared(condition) => condition,
            Held::Own(condition) => condition,
        }
    }
}

impl Condition {
    /// A condition over so many rows that is true where `truth` says so and undefined at `nans`.
    pub(super) fn of(rows: usize, truth: Vec<u64>, nans: &Nans) -> Condition {
        Condition { rows, truth, undefined: nans.words.clone(), gaps: Some(nans.gaps.clone()) }
    }

    /// Becomes the same as `other`, in the memory that it has.
    pub(super) fn copy_from(&mut self, other: &Condition) {
        self.rows = other.rows;
        self.truth.clone_from(&other.truth);
        self.undefined.clone_from(&other.undefined);
        self.gaps.clone_from(&other.gaps);
    }

    /// Makes it false over so many rows.
    pub(super) fn reset(&mut self, rows: usize) {
        self.rows = rows;
        self.gaps = None;
        if Arc::get_mut(&mut self.undefined).is_none() {
            self.undefined = Arc::default();
        }
        let undefined = Arc::make_mut(&mut self.undefined);
        for words in [&mut self.truth, undefined] {
            words.clear();
            words.resize(rows.div_ceil(ROWS), 0);
        }
    }

    /// Words in which it is true.
    #[inline]
    pub(crate) fn truth(&self) -> &[u64] {
        &self.truth
    }

    /// Words in which it is undefined.
    #[inline]
    pub(crate) fn undefined(&self) -> &[u64] {
        &self.undefined
    }

    /// The words outside which it is undefined nowhere; none where that is not known.
    pub(crate) fn gaps(&self) -> Option<&Gaps> {
        self.gaps.as_ref()
    }

    /// Both words around a row, for those who write them.
    pub(super) fn words_mut(&mut self, words: Range<usize>) -> (&mut [u64], &mut [u64]) {
        self.gaps = None;
        (&mut self.truth[words.clone()], &mut Arc::make_mut(&mut self.undefined)[words])
    }

    /// The code of a row: 0 false, 1 true, 2 undefined.
    #[inline(always)]
    fn code(&self, row: usize) -> usize {
        let (word, bit) = (row / ROWS, row % ROWS);
        let undefined = self.undefined[word] >> bit & 1;
        ((self.truth[word] >> bit & 1) | undefined << 1) as usize
    }

    /// `and` or `or` with another one.
    fn combine(&mut self, other: &Condition, op: BinaryOp) {
        self.gaps = match (self.gaps.take(), &other.gaps) {
            (Some(mut gaps), Some(others)) => {
                gaps.add(others);
                Some(gaps)
            }
            _ => None,
        };
        let all = matches!(op, BinaryOp::And);
        // Conditions over the same columns are often undefined at the same rows: then that is shared on.
        if !Arc::ptr_eq(&self.undefined, &other.undefined) && self.undefined != other.undefined {
            let undefined = Arc::make_mut(&mut self.undefined);
            undefined.iter_mut().zip(other.undefined.iter()).for_each(|(undefined, other)| *undefined |= other);
        }
        for ((truth, other), undefined) in self.truth.iter_mut().zip(&other.truth).zip(self.undefined.iter()) {
            *truth = if all { *truth & other } else { *truth | other } & !undefined;
        }
    }

    /// Makes it true where it was false, and the other way round.
    fn negate(&mut self) {
        for (truth, undefined) in self.truth.iter_mut().zip(self.undefined.iter()) {
            *truth = !(*truth | undefined);
        }
        self.cut();
    }

    /// Clears what lies behind the last row.
    fn cut(&mut self) {
        let rest = self.rows % ROWS;
        if let (true, Some(last)) = (rest > 0, self.truth.last_mut()) {
            *last &= (1 << rest) - 1;
        }
    }

    /// Writes a comparison of the rows of some words.
    pub(super) fn compare(
        op: BinaryOp,
        a: &[f64],
        b: Side,
        words: Range<usize>,
        (truth, undefined): (&mut [u64], &mut [u64]),
    ) {
        let rows = words.start * ROWS..(words.end * ROWS).min(a.len());
        let b = match b {
            Side::Scalar(y) => Side::Scalar(y),
            Side::Column(b) => Side::Column(&b[rows.clone()]),
        };
        simd::run(Compare { op, a: &a[rows], b, truth, undefined: Some(undefined) });
    }

    /// Writes where a comparison of some rows holds, inside of work over vectors.
    #[inline(always)]
    pub(super) fn hold<E: Eight>(op: BinaryOp, a: &[f64], b: Side, truth: &mut [u64]) {
        Compare { op, a, b, truth, undefined: None }.run::<E>();
    }

    /// `if(self, a, b)`, row by row.
    pub(super) fn choose(&self, a: Side, b: Side, out: &mut [f64]) {
        simd::run(Select { condition: self, a, b, out });
    }

    /// The truth values of a column of numbers; any number but 0 counts as true.
    pub(super) fn encode(&mut self, column: &[f64]) {
        self.reset(column.len());
        let words = 0..self.truth.len();
        Condition::compare(BinaryOp::Ne, column, Side::Scalar(0.0), words.clone(), self.words_mut(words));
    }

    /// The truth values of a column of codes.
    pub(super) fn encode_codes(&mut self, column: &Coded) {
        self.reset(column.codes.len());
        let means = column.table.means(truth_code);
        let undefined = Arc::make_mut(&mut self.undefined);
        for (word, codes) in column.codes.chunks(ROWS).enumerate() {
            for (bit, &code) in codes.iter().enumerate() {
                let meant = means[usize::from(code) % means.len()];
                self.truth[word] |= u64::from(meant & 1) << bit;
                undefined[word] |= u64::from(meant >> 1) << bit;
            }
        }
    }
}

/// The comparison that says the same with its sides exchanged.
pub(super) fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Lt => BinaryOp::Gt,
        BinaryOp::Le => BinaryOp::Ge,
        BinaryOp::Gt => BinaryOp::Lt,
        BinaryOp::Ge => BinaryOp::Le,
        same => same,
    }
}

fn truth_code(x: f64) -> u8 {
    if x.is_nan() { 2 } else { u8::from(x != 0.0) }
}

/// A choice between two sides.
struct Select<'a> {
    condition: &'a Condition,
    a: Side<'a>,
    b: Side<'a>,
    out: &'a mut [f64],
}

/// Eight values of a side from a row on.
#[inline(always)]
fn eight<E: Eight>(side: Side, row: usize) -> E {
    match side {
        Side::Scalar(x) => E::splat(x),
        Side::Column(column) => match column[row..].first_chunk() {
            Some(values) => E::load(values),
            None => {
                let mut values = [NAN; LANES];
                values[..column.len() - row].copy_from_slice(&column[row..]);
                E::load(&values)
            }
        },
    }
}

impl Work for Select<'_> {
    type Output = ();

    #[inline(always)]
    fn run<E: Eight>(self) {
        let Select { condition, a, b, out } = self;
        for (place, out) in out.chunks_mut(LANES).enumerate() {
            let row = place * LANES;
            let bits = |words: &[u64]| (words[row / ROWS] >> (row % ROWS)) as u8;
            let (truth, undefined) = (E::mask(bits(&condition.truth)), E::mask(bits(&condition.undefined)));
            let chosen = E::select(truth, eight(a, row), eight(b, row));
            let values = E::select(undefined, E::splat(NAN), chosen);
            match out.first_chunk_mut() {
                Some(out) => values.store(out),
                None => out.copy_from_slice(&values.array()[..out.len()]),
            }
        }
    }
}

/// A comparison of some rows, word by word, and where it is undefined, if that is asked.
struct Compare<'a> {
    op: BinaryOp,
    a: &'a [f64],
    b: Side<'a>,
    truth: &'a mut [u64],
    undefined: Option<&'a mut [u64]>,
}

impl Work for Compare<'_> {
    type Output = ();

    #[inline(always)]
    fn run<E: Eight>(self) {
        match self.op {
            BinaryOp::Lt => self.each::<E, LT>(),
            BinaryOp::Le => self.each::<E, LE>(),
            BinaryOp::Gt => self.each::<E, GT>(),
            BinaryOp::Ge => self.each::<E, GE>(),
            BinaryOp::Eq => self.each::<E, EQ>(),
            _ => self.each::<E, NE>(),
        }
    }
}

const LT: u8 = 0;
const LE: u8 = 1;
const GT: u8 = 2;
const GE: u8 = 3;
const EQ: u8 = 4;
const NE: u8 = 5;

impl Compare<'_> {
    #[inline(always)]
    fn each<E: Eight, const OP: u8>(self) {
        let Compare { a, b, truth, mut undefined, .. } = self;
        let (blocks, rest) = a.as_chunks::<ROWS>();
        match b {
            Side::Scalar(y) => {
                let y = [y; ROWS];
                for (word, x) in blocks.iter().enumerate() {
                    write::<E, OP>(word, x, &y, u64::MAX, truth, &mut undefined);
                }
            }
            Side::Column(b) => {
                for (word, (x, y)) in blocks.iter().zip(b.as_chunks::<ROWS>().0).enumerate() {
                    write::<E, OP>(word, x, y, u64::MAX, truth, &mut undefined);
                }
            }
        }
        if !rest.is_empty() {
            let (mut x, mut y) = ([0.0; ROWS], [0.0; ROWS]);
            x[..rest.len()].copy_from_slice(rest);
            match b {
                Side::Scalar(scalar) => y = [scalar; ROWS],
                Side::Column(b) => y[..rest.len()].copy_from_slice(&b[b.len() - rest.len()..]),
            }
            // What the last word was filled up with is cut off.
            write::<E, OP>(blocks.len(), &x, &y, (1 << rest.len()) - 1, truth, &mut undefined);
        }
    }
}

/// Writes the word of 64 rows, of which those of `mask` are there.
#[inline(always)]
fn write<E: Eight, const OP: u8>(
    word: usize,
    x: &[f64; ROWS],
    y: &[f64; ROWS],
    mask: u64,
    truth: &mut [u64],
    undefined: &mut Option<&mut [u64]>,
) {
    truth[word] = holds::<E, OP>(x, y) & mask;
    if let Some(undefined) = undefined {
        undefined[word] = unordered::<E>(x, y) & mask;
    }
}

/// Where a comparison of 64 rows holds.
#[inline(always)]
fn holds<E: Eight, const OP: u8>(x: &[f64; ROWS], y: &[f64; ROWS]) -> u64 {
    let mut truth = 0u64;
    for (k, (x, y)) in x.as_chunks::<LANES>().0.iter().zip(y.as_chunks::<LANES>().0).enumerate() {
        let (x, y) = (E::load(x), E::load(y));
        let bits = match OP {
            LT => E::bits(x.lt(y)),
            LE => E::bits(x.le(y)),
            GT => E::bits(y.lt(x)),
            GE => E::bits(y.le(x)),
            EQ => E::bits(x.eq(y)),
            _ => E::bits(x.lt(y)) | E::bits(y.lt(x)),
        };
        truth |= u64::from(bits) << (k * LANES);
    }
    truth
}

/// Where one of 64 rows is NaN.
#[inline(always)]
fn unordered<E: Eight>(x: &[f64; ROWS], y: &[f64; ROWS]) -> u64 {
    let mut undefined = 0u64;
    for (k, (x, y)) in x.as_chunks::<LANES>().0.iter().zip(y.as_chunks::<LANES>().0).enumerate() {
        undefined |= u64::from(E::bits(E::load(x).unordered(E::load(y)))) << (k * LANES);
    }
    undefined
}

impl Choice {
    /// False, true, undefined.
    pub const TRUTH: [f64; 3] = [0.0, 1.0, NAN];

    /// The column of a condition's truth values.
    pub(super) fn of(condition: Held) -> Choice {
        Choice { condition, values: Choice::TRUTH }
    }

    /// The value at a row.
    #[inline(always)]
    pub fn at(&self, row: usize) -> f64 {
        self.values[self.condition.code(row)]
    }

    /// The same column in numbers.
    pub(super) fn widen(&self, out: &mut [f64]) {
        for (row, out) in out.iter_mut().enumerate() {
            *out = self.at(row);
        }
    }

    /// The same column in codes.
    pub(super) fn codes(&self, codes: &mut [u8]) {
        for (row, code) in codes.iter_mut().enumerate() {
            *code = self.condition.code(row) as u8;
        }
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.condition.rows
    }

    /// `f` of every value.
    pub(super) fn map(self, f: impl Fn(f64) -> f64) -> Choice {
        Choice { values: self.values.map(f), ..self }
    }

    /// The words of rows with a value that `hits`.
    pub(crate) fn matching(&self, hits: impl Fn(f64) -> bool) -> impl Fn(usize) -> u64 + '_ {
        let [no, yes, unknown] = self.values.map(|value| if hits(value) { u64::MAX } else { 0 });
        let condition = &*self.condition;
        let (truth, undefined) = (condition.truth(), condition.undefined());
        move |word| {
            let (t, u) = (truth[word], undefined[word]);
            (t & yes) | (u & unknown) | (!(t | u) & no)
        }
    }

    /// The condition that a column of numbers is when it is asked for its truth.
    pub(super) fn into_condition(self) -> Held {
        let [no, yes, unknown] = self.values.map(truth_code);
        match ([no, yes, unknown], self.condition) {
            ([0, 1, 2], condition) => condition,
            (codes, condition) => {
                let mut other = Condition::clone(&condition);
                let bits = |code: u8, bit: u8| if codes[usize::from(code)] & bit != 0 { u64::MAX } else { 0 };
                let Condition { truth, undefined, .. } = &mut other;
                for (truth, undefined) in truth.iter_mut().zip(Arc::make_mut(undefined)) {
                    let (t, u) = (*truth, *undefined);
                    let f = !(t | u);
                    *truth = (f & bits(0, 1)) | (t & bits(1, 1)) | (u & bits(2, 1));
                    *undefined = (f & bits(0, 2)) | (t & bits(1, 2)) | (u & bits(2, 2));
                }
                let rest = other.rows % ROWS;
                if let (true, Some(last)) = (rest > 0, Arc::make_mut(&mut other.undefined).last_mut()) {
                    *last &= (1 << rest) - 1;
                }
                other.cut();
                Held::Own(other)
            }
        }
    }

    /// `if(self, a, b)` with fixed branches.
    pub(super) fn choose(self, a: f64, b: f64) -> Choice {
        self.map(|c| rule::choose(c, a, b))
    }
}

impl Held {
    /// One that may be written to; `memory` is used where it was shared.
    fn own(self, memory: impl FnOnce() -> Condition) -> Condition {
        match self {
            Held::Own(condition) => condition,
            Held::Shared(condition) => {
                let mut own = memory();
                own.clone_from(&condition);
                own
            }
        }
    }

    /// `and` or `or`; the memory that is left over is given back.
    pub(super) fn logic(
        self,
        other: Held,
        op: BinaryOp,
        memory: impl FnOnce() -> Condition,
    ) -> (Held, Option<Condition>) {
        match (self, other) {
            (Held::Shared(a), Held::Own(mut b)) => {
                b.combine(&a, op);
                (Held::Own(b), None)
            }
            (a, b) => {
                let mut own = a.own(memory);
                own.combine(&b, op);
                let left = if let Held::Own(b) = b { Some(b) } else { None };
                (Held::Own(own), left)
            }
        }
    }

    /// `not`.
    pub(super) fn not(self, memory: impl FnOnce() -> Condition) -> Held {
        let mut own = self.own(memory);
        own.negate();
        Held::Own(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::coded::Table;

    #[test]
    fn the_last_gap_of_some_words_is_found() {
        let mut column = vec![0.0; 64 * 200];
        for word in [3, 64, 130] {
            column[word * 64 + 5] = NAN;
        }
        let gaps = Nans::of(&column).gaps;
        for (start, end) in [(0, 200), (0, 130), (4, 64), (4, 65), (64, 65), (65, 130), (131, 200), (0, 3), (5, 5)] {
            let expected = (start..end).rev().find(|word| gaps.has(*word));
            assert_eq!(gaps.last_in(start..end), expected, "{start}..{end}");
        }
    }

    const VALUES: [f64; 7] = [NAN, 0.0, -0.0, 1.0, -2.5, f64::INFINITY, 0.5];
    const TRUTHS: [f64; 3] = [0.0, 1.0, NAN];

    /// All pairs, often enough to fill some words and a part of one.
    fn pairs<const N: usize>(values: [f64; N]) -> (Vec<f64>, Vec<f64>) {
        let all: Vec<_> = values.iter().flat_map(|&x| values.map(|y| (x, y))).collect();
        all.iter().cycle().take(64 * 3 + 21).copied().unzip()
    }

    fn truths(column: &[f64]) -> Held {
        let mut condition = Condition::default();
        condition.encode(column);
        Held::Own(condition)
    }

    fn same(choice: &Choice, expected: impl Iterator<Item = f64>, what: &str) {
        let last = choice.condition.truth.last().copied().unwrap_or(0)
            | choice.condition.undefined.last().copied().unwrap_or(0);
        assert_eq!(last >> (choice.rows() % ROWS), 0, "{what}: bits behind the end");
        let mut rows = 0;
        for (row, expected) in expected.enumerate() {
            let found = choice.at(row);
            assert!(found == expected || (found.is_nan() && expected.is_nan()), "{what}, {row}: {found} {expected}");
            rows += 1;
        }
        assert_eq!(rows, choice.rows());
    }

    #[test]
    fn comparisons_mean_what_the_operation_means() {
        let (a, b) = pairs(VALUES);
        for op in [BinaryOp::Lt, BinaryOp::Le, BinaryOp::Gt, BinaryOp::Ge, BinaryOp::Eq, BinaryOp::Ne] {
            let compared = |side| {
                let mut condition = Condition::default();
                condition.reset(a.len());
                let words = 0..condition.truth.len();
                let both = condition.words_mut(words.clone());
                Condition::compare(op, &a, side, words, both);
                Choice::of(Held::Own(condition))
            };
            same(&compared(Side::Column(&b)), a.iter().zip(&b).map(|(&x, &y)| op.apply(x, y)), &format!("{op:?}"));
            for y in VALUES {
                let by_scalar = compared(Side::Scalar(y));
                same(&by_scalar, a.iter().map(|&x| op.apply(x, y)), &format!("{op:?} {y}"));
                assert!(a.iter().all(|&x| op.apply(x, y).to_bits() == mirrored(op).apply(y, x).to_bits()
                    || y.is_nan()
                    || x.is_nan()));
            }
        }
    }

    #[test]
    fn gaps_are_the_words_with_a_nan() {
        let mut column = vec![1.0; 64 * 130 + 5];
        let odd = [0, 64 * 3 + 63, 64 * 64, 64 * 130 + 4];
        for row in odd {
            column[row] = NAN;
        }
        let nans = Nans::of(&column);
        assert_eq!(nans.gaps.each().collect::<Vec<_>>(), [0, 3, 64, 130]);
        let is_nan = |row: usize| nans.words[row / ROWS] >> (row % ROWS) & 1 == 1;
        assert!((0..131 * 64).all(|row| is_nan(row) == odd.contains(&row)));
        let mut both = Nans::of(&column[..64]).gaps;
        both.add(&nans.gaps);
        assert_eq!(both, nans.gaps);
        let everywhere = Nans::everywhere(column.len());
        assert_eq!(everywhere.gaps.each().count(), 131);
        assert_eq!(everywhere.words.last(), Some(&0b11111), "none behind the last row");
    }

    #[test]
    fn where_a_column_is_defined_it_is_not_nan_and_one_that_says_it_all_is_shared() {
        let column = |defined: &[Range<usize>], rows: usize| {
            let mut column = vec![NAN; rows];
            defined.iter().for_each(|range| column[range.clone()].fill(1.0));
            column
        };
        for rows in [1, 63, 64, 65, 128, 300] {
            let nothing = rows / 2..rows / 2;
            for ranges in
                [[0..0, 0..0], [0..rows, 0..0], [0..0, 1..rows], [0..rows / 3, rows / 2..rows], [nothing, 0..0]]
            {
                let made = Nans::but_for(rows, ranges.iter().cloned());
                assert_eq!(made, Nans::of(&column(&ranges, rows)), "{ranges:?} of {rows}");
            }
        }
        let [few, many] = [20..300, 70..300].map(|range| Nans::but_for(300, std::iter::once(range)));
        assert_eq!([few.or(&many).address(), many.or(&few).address()], [many.address(); 2]);
        let other = Nans::but_for(300, std::iter::once(0..250));
        assert_eq!(few.or(&other), Nans::but_for(300, std::iter::once(20..250)));
    }

    #[test]
    fn logic_is_that_of_truth_values_shared_or_not() {
        let (a, b) = pairs(TRUTHS);
        for op in [BinaryOp::And, BinaryOp::Or] {
            let expected: Vec<f64> = a.iter().zip(&b).map(|(&x, &y)| op.apply(x, y)).collect();
            let share = |held: Held| Held::Shared(Arc::new(Condition::clone(&held)));
            for (left, right) in [
                (truths(&a), truths(&b)),
                (share(truths(&a)), truths(&b)),
                (truths(&a), share(truths(&b))),
                (share(truths(&a)), share(truths(&b))),
            ] {
                let (both, _) = left.logic(right, op, Condition::default);
                same(&Choice::of(both), expected.iter().copied(), &format!("{op:?}"));
            }
        }
        let not = |x: f64| if x.is_nan() { NAN } else { 1.0 - x };
        same(&Choice::of(truths(&a).not(Condition::default)), a.iter().map(|&x| not(x)), "not");
    }

    #[test]
    fn any_choice_is_a_condition_again() {
        let (a, _) = pairs(TRUTHS);
        for values in [[1.0, 0.0, NAN], [NAN, 2.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, NAN]] {
            let choice = Choice::of(truths(&a)).map(|x| if x.is_nan() { values[2] } else { values[x as usize] });
            let expected: Vec<f64> = (0..a.len()).map(|row| choice.at(row)).collect();
            let truth = |x: f64| if x.is_nan() { NAN } else { f64::from(u8::from(x != 0.0)) };
            same(&Choice::of(choice.into_condition()), expected.iter().map(|&x| truth(x)), &format!("{values:?}"));
        }
    }

    #[test]
    fn codes_are_conditions_by_what_they_mean() {
        let column = Coded { codes: (0..100).map(|k| k % 3).collect(), table: Table::TRUTH };
        let mut condition = Condition::default();
        condition.encode_codes(&column);
        same(&Choice::of(Held::Own(condition)), (0..100).map(|row| column.at(row)), "codes");
    }

    #[test]
    fn matching_words_are_those_of_the_values() {
        let (a, _) = pairs(TRUTHS);
        let choice = Choice::of(truths(&a)).choose(0.5, -1.0);
        for hits in [[true, false, false], [false, true, true], [true, true, false]] {
            let hit = |x: f64| hits[if x.is_nan() { 2 } else { usize::from(x > 0.0) }];
            let words = choice.matching(hit);
            for row in 0..a.len() {
                assert_eq!(words(row / ROWS) >> (row % ROWS) & 1 == 1, hit(choice.at(row)), "row {row}");
            }
        }
    }
}
