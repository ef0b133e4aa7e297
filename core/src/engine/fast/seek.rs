//! The next row at which a rule asks for something: whole stretches of rows that say nothing are skipped.

use crate::context::Rule;

/// Rows looked at together.
const STRETCH: usize = 16;

/// The first place in `values` that `hits`.
#[inline(always)]
fn first_hit(values: &[f64], hits: impl Fn(f64) -> bool) -> Option<usize> {
    let mut at = 0;
    let (stretches, rest) = values.as_chunks::<STRETCH>();
    for stretch in stretches {
        // Without a branch per row, so that the compiler compares several at once.
        if stretch.iter().fold(false, |any, &x| any | hits(x)) {
            return stretch.iter().position(|&x| hits(x)).map(|k| at + k);
        }
        at += STRETCH;
    }
    rest.iter().position(|&x| hits(x)).map(|k| at + k)
}

/// The first row of `rows` whose value `hits`.
#[inline(always)]
fn next(rule: &Rule, rows: std::ops::Range<usize>, hits: impl Fn(f64) -> bool) -> Option<usize> {
    if rows.is_empty() {
        return None;
    }
    match rule {
        Rule::Scalar(x) => hits(*x).then_some(rows.start),
        Rule::Own(column) => first_hit(&column[rows.clone()], hits).map(|k| rows.start + k),
        Rule::Shared(column) => first_hit(&column[rows.clone()], hits).map(|k| rows.start + k),
        Rule::Coded(column) => {
            let places = rows.clone();
            next_code(&column.codes[places], &column.table.matching(hits)).map(|k| rows.start + k)
        }
        Rule::Choice(choice) => next_bit(choice.matching(hits), rows),
        // The fast path is not taken with rules that ask for the position.
        Rule::Code(_) => None,
    }
}

/// The first row whose bit is set in `words`.
#[inline(always)]
pub(super) fn next_bit(words: impl Fn(usize) -> u64, rows: std::ops::Range<usize>) -> Option<usize> {
    let mut word = rows.start / 64;
    let mut bits = words(word) & (u64::MAX << (rows.start % 64));
    loop {
        if bits != 0 {
            let row = word * 64 + bits.trailing_zeros() as usize;
            return (row < rows.end).then_some(row);
        }
        word += 1;
        if word * 64 >= rows.end {
            return None;
        }
        bits = words(word);
    }
}

/// The first code that `hits`.
fn next_code(codes: &[u8], hits: &[bool]) -> Option<usize> {
    let hits_at = |code: u8| hits.get(usize::from(code)) == Some(&true);
    let mut at = 0;
    while let Some(&code) = codes.get(at) {
        if hits_at(code) {
            return Some(at);
        }
        at += 1;
        // Codes come in runs: eight at a time as long as they stay the same.
        let run = u64::from_ne_bytes([code; 8]);
        while let Some(word) = codes.get(at..).and_then(<[u8]>::first_chunk)
            && u64::from_ne_bytes(*word) == run
        {
            at += word.len();
        }
    }
    None
}

/// Whether a target can be acted upon.
#[inline(always)]
fn finite(x: f64) -> bool {
    x.abs() < f64::INFINITY
}

/// The first row with a finite value other than `last`.
pub(super) fn change(rule: &Rule, rows: std::ops::Range<usize>, last: f64) -> Option<usize> {
    next(rule, rows, |x| (x != last) & finite(x))
}

/// The first row where a rule is true.
pub(super) fn truth(rule: &Rule, rows: std::ops::Range<usize>) -> Option<usize> {
    next(rule, rows, |x| x == 1.0)
}

/// Writes into words of 64 rows where a rule is true; nowhere without one.
pub(super) fn truths(rule: Option<&Rule>, rows: usize, words: &mut Vec<u64>) {
    words.clear();
    words.resize(rows.div_ceil(64), 0);
    let column = match rule {
        Some(Rule::Own(column)) => &column[..],
        Some(Rule::Shared(column)) => &column[..],
        Some(Rule::Choice(choice)) => {
            let truth = choice.matching(|x| x == 1.0);
            return words.iter_mut().enumerate().for_each(|(word, bits)| *bits = truth(word));
        }
        Some(Rule::Coded(column)) => {
            let hits = column.table.matching(|x| x == 1.0);
            let hits = |row: usize| hits.get(usize::from(column.codes[row])) == Some(&true);
            return (0..rows).for_each(|row| words[row / 64] |= u64::from(hits(row)) << (row % 64));
        }
        Some(Rule::Scalar(x)) if *x == 1.0 => {
            return words.fill(u64::MAX);
        }
        Some(Rule::Scalar(_) | Rule::Code(_)) | None => return,
    };
    for (bits, values) in words.iter_mut().zip(column.chunks(64)) {
        *bits = values.iter().enumerate().fold(0, |bits, (k, &x)| bits | u64::from(x == 1.0) << k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Coded, Table};
    use crate::num::NAN;

    #[test]
    fn hits_are_found_at_every_place_of_a_stretch_and_of_the_rest() {
        for len in 0..50 {
            for place in 0..len {
                let mut column = vec![0.5; len];
                column[place] = 1.0;
                let rule = Rule::Own(column);
                for from in 0..len {
                    let expected = (from <= place).then_some(place);
                    assert_eq!(truth(&rule, from..len), expected);
                    assert_eq!(change(&rule, from..len, 0.5), expected);
                }
            }
        }
    }

    #[test]
    fn undefined_and_infinite_targets_are_no_change() {
        let rule = Rule::Own(vec![NAN, f64::INFINITY, 0.5, 0.5, NAN, 0.25]);
        assert_eq!(change(&rule, 0..6, NAN), Some(2));
        assert_eq!(change(&rule, 3..6, 0.5), Some(5));
        assert_eq!(change(&Rule::Scalar(0.5), 3..6, 0.5), None);
        assert_eq!(change(&Rule::Scalar(0.5), 3..6, NAN), Some(3));
        assert_eq!(change(&rule, 6..6, NAN), None);
    }

    #[test]
    fn codes_are_sought_by_what_they_mean() {
        for place in 0..40 {
            let mut codes = vec![2; 40];
            codes[place..].fill(1);
            let rule = Rule::Coded(Coded { codes, table: Table::TRUTH });
            assert_eq!(change(&rule, 0..40, NAN), Some(place), "undefined is no target");
            assert_eq!(truth(&rule, 0..40), Some(place));
            assert_eq!(change(&rule, 0..40, 1.0), None);
            let mut words = Vec::new();
            truths(Some(&rule), 40, &mut words);
            assert_eq!(next_bit(|word| words[word], 0..40), Some(place));
        }
    }

    #[test]
    fn truths_are_those_of_the_rule() {
        let column: Vec<f64> = (0..150).map(|k| if k % 7 == 3 { 1.0 } else { f64::from(k % 3) * 0.25 }).collect();
        let mut words = Vec::new();
        truths(Some(&Rule::Own(column.clone())), column.len(), &mut words);
        for (row, x) in column.iter().enumerate() {
            assert_eq!(words[row / 64] >> (row % 64) & 1 == 1, *x == 1.0);
        }
        truths(Some(&Rule::Scalar(1.0)), 70, &mut words);
        assert_eq!(next_bit(|word| words[word], 69..70), Some(69));
        truths(None, 70, &mut words);
        assert_eq!(next_bit(|word| words[word], 0..70), None);
    }
}
