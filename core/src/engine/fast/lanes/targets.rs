//! The target weights of a block of bars: from one column a trial to the numbers of all trials at one bar, and at
//! which bars a symbol has to be asked at all.
//!
//! Where the targets of all trials are choices by a condition, only the bits of the conditions are brought together, and
//! where only changes count, only rows at which a bit changes are asked.

use std::ops::Range;

use super::super::Grid;
use super::state::each;
use super::{HALVES, LANES, Lanes, load};
use crate::context::{Choice, Gaps, Panel, PositionState, Rule};
use crate::engine::{Decisions, When};
use crate::num::NAN;
use crate::simd::{self, Eight};

/// Places of a block, a number for each trial: 128 KiB, beside the state of the group.
const PLACES: usize = 1024;

/// Rows of one word.
const ROWS: usize = 64;

/// The bits of a symbol before its first row: no condition is both true and undefined.
const UNSEEN: [u16; 2] = [u16::MAX; 2];

/// Targets of a block of bars. What is not finite is no change.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets {
    /// Symbols that have to be asked at each bar: bit `k` of word `w` is symbol `64 w + k`.
    asked: Vec<u64>,
    /// Words for each bar.
    words: usize,
    /// Bar after bar of one symbol, symbol after symbol.
    values: Vec<Lanes>,
    /// The same as choices: where conditions are true and where they are undefined, 64 rows after 64 rows of one symbol,
    /// symbol after symbol.
    bits: Vec<[Turned; 2]>,
    /// What the trials choose where their conditions are false, true and undefined.
    choices: [Lanes; 3],
    /// Whether all targets are choices.
    chosen: bool,
    /// Of each symbol, its first bar in the block, and its bits where it was last looked at and last asked.
    symbols: Vec<Symbol>,
    /// Bars of the block.
    bars: Range<usize>,
    /// Halves that have trials.
    halves: usize,
    /// Whether only targets other than the last one are acted upon.
    pub changes_only: bool,
}

#[derive(Clone, Copy, Debug)]
struct Symbol {
    first_bar: usize,
    last: [u16; 2],
    asked: [u16; 2],
}

/// Bits of 64 rows of all lanes: those of row `r` are 16 bits from bit `r & 48` of word `r % 16` on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turned([u64; LANES]);

/// The conditions of all trials of a group.
pub(super) struct Words<'a> {
    /// The words in which they are true, and those in which they are undefined.
    lanes: [[&'a [u64]; 2]; LANES],
    /// The words in which any may be undefined; none where that is not known.
    gaps: Option<Gaps>,
}

impl Words<'_> {
    /// Whether any condition may be undefined in the 64 rows from `row` on.
    #[inline(always)]
    fn may_be_undefined(&self, row: usize) -> bool {
        let word = row / ROWS;
        self.gaps.as_ref().is_none_or(|gaps| gaps.has(word) || gaps.has(word + 1))
    }
}

/// Bars of a block.
pub(super) fn block_of(symbols: usize) -> usize {
    (PLACES / symbols.max(1)).clamp(8, 256)
}

/// The condition and the values of a trial's target, if it is a plain choice.
fn choice_of(decisions: &Decisions) -> Option<&Choice> {
    match decisions {
        Decisions::Target { weight: Rule::Choice(choice), when: When::OnChange | When::EveryBar } => Some(choice),
        _ => None,
    }
}

/// The words of a group's conditions over so many rows; none where targets are no choices.
pub(super) fn words_of(decisions: &[Decisions], rows: usize) -> Words<'_> {
    let words = rows.div_ceil(ROWS);
    let lanes = std::array::from_fn(|lane| match decisions.get(lane).and_then(choice_of) {
        Some(choice) => [&choice.condition.truth()[..words], &choice.condition.undefined()[..words]],
        None => [&[][..]; 2],
    });
    let mut gaps = Some(Gaps::default());
    for choice in decisions.iter().take(LANES).filter_map(choice_of) {
        match (choice.condition.gaps(), &mut gaps) {
            (Some(others), Some(gaps)) => gaps.add(others),
            _ => gaps = None,
        }
    }
    Words { lanes, gaps }
}

impl Targets {
    /// Looks at the rules of a group.
    pub fn reset(&mut self, grid: &Grid, decisions: &[Decisions]) {
        self.changes_only = matches!(decisions.first(), Some(Decisions::Target { when: When::OnChange, .. }));
        self.halves = decisions.len().div_ceil(simd::LANES).min(HALVES);
        self.chosen = grid.rows.iter().all(|rows| rows.unbroken);
        self.choices = [[NAN; LANES]; 3];
        self.words = grid.symbols.div_ceil(64);
        self.symbols.clear();
        self.symbols.resize(grid.symbols, Symbol { first_bar: 0, last: UNSEEN, asked: UNSEEN });
        // Lanes without a trial keep what this puts there.
        self.values.clear();
        for (lane, decisions) in decisions.iter().enumerate().take(LANES) {
            match choice_of(decisions) {
                Some(choice) => (0..3).for_each(|k| self.choices[k][lane] = choice.values[k]),
                None => self.chosen = false,
            }
        }
    }

    /// Symbols that have to be asked at a bar of the block, 64 a word.
    #[inline(always)]
    pub fn asked(&self, bar: usize) -> &[u64] {
        &self.asked[(bar - self.bars.start) * self.words..][..self.words]
    }

    /// The bits of a symbol at a bar.
    #[inline(always)]
    fn bits_at(&self, symbol: usize, bar: usize) -> [u16; 2] {
        let row = bar - self.symbols[symbol].first_bar;
        let places = self.bars.len().div_ceil(ROWS);
        let [truth, undefined] = &self.bits[symbol * places + row / ROWS];
        [truth.at(row % ROWS), undefined.at(row % ROWS)]
    }

    /// Targets of one symbol at a bar at which it is asked: `give(half, targets)` for each half in which some may be
    /// acted upon.
    #[inline(always)]
    pub fn give<E: Eight>(&mut self, symbol: usize, bar: usize, mut give: impl FnMut(usize, E)) {
        if !self.chosen {
            let values = &self.values[symbol * self.bars.len() + bar - self.bars.start];
            for half in 0..self.halves {
                give(half, load::<E>(values, half));
            }
            return;
        }
        let bits = self.bits_at(symbol, bar);
        let [truth, undefined] = bits;
        let before = std::mem::replace(&mut self.symbols[symbol].asked, bits);
        let changed = (truth ^ before[0]) | (undefined ^ before[1]);
        let changed = if before == UNSEEN || !self.changes_only { u16::MAX } else { changed };
        for half in 0..self.halves {
            let of_half = |bits: u16| (bits >> (8 * half)) as u8;
            if of_half(changed) == 0 {
                continue;
            }
            let [no, yes, unknown] = &self.choices;
            let (no, yes, unknown) = (load::<E>(no, half), load::<E>(yes, half), load::<E>(unknown, half));
            let targets = E::select(E::mask(of_half(truth)), yes, no);
            give(half, E::select(E::mask(of_half(undefined)), unknown, targets));
        }
    }

    /// Loads a block. A symbol without a bar is not asked; a lane without a trial has no target.
    #[inline(always)]
    pub fn load(&mut self, panel: &Panel, grid: &Grid, decisions: &[Decisions], words: &Words, bars: Range<usize>) {
        self.bars = bars.clone();
        self.asked.clear();
        self.asked.resize(bars.len() * self.words, 0);
        if self.chosen {
            self.bits.resize(bars.len().div_ceil(ROWS) * grid.symbols, Default::default());
        } else {
            self.values.resize(self.values.len().max(bars.len() * grid.symbols), [NAN; LANES]);
        }
        for symbol in 0..grid.symbols {
            let rows = grid.row_from(panel, symbol, bars.start)..grid.row_from(panel, symbol, bars.end);
            if rows.is_empty() {
                continue;
            }
            self.symbols[symbol].first_bar = grid.bar_of(panel, symbol, rows.start);
            if self.chosen {
                self.gather(words, symbol, rows);
                continue;
            }
            let bar_of = |row: usize| grid.bar_of(panel, symbol, row) - bars.start;
            let (first, last) = (bar_of(rows.start), bar_of(rows.end - 1));
            let values = &mut self.values[symbol * bars.len()..][..bars.len()];
            if last - first + 1 == rows.len() {
                for (lane, decisions) in decisions.iter().enumerate().take(LANES) {
                    spread(decisions, rows.clone(), &mut values[first..=last], lane);
                }
            } else {
                for row in rows.clone() {
                    let values = &mut values[bar_of(row)];
                    decisions.iter().zip(values).for_each(|(decisions, value)| *value = target(decisions, row));
                }
            }
            rows.for_each(|row| self.ask(symbol, bar_of(row)));
        }
    }

    /// Notes that a symbol has to be asked at a bar, counted from the first one of the block.
    #[inline(always)]
    fn ask(&mut self, symbol: usize, bar: usize) {
        self.asked[bar * self.words + symbol / 64] |= 1 << (symbol % 64);
    }

    /// Brings the conditions of all trials together for the rows of a symbol.
    #[inline(always)]
    fn gather(&mut self, words: &Words, symbol: usize, rows: Range<usize>) {
        let places = symbol * self.bars.len().div_ceil(ROWS);
        let first = self.symbols[symbol].first_bar - self.bars.start;
        for (place, start) in rows.clone().step_by(ROWS).enumerate() {
            let count = (rows.end - start).min(ROWS);
            let known = u64::MAX >> (ROWS - count);
            let last = self.symbols[symbol].last;
            let mut changed = u64::from(last == UNSEEN);
            let mut bits = [Turned::default(); 2];
            for kind in 0..if words.may_be_undefined(start) { 2 } else { 1 } {
                let mut lanes = [0; LANES];
                for lane in 0..LANES {
                    let word = word_at(words.lanes[lane][kind], start);
                    changed |= word ^ (word << 1 | u64::from(last[kind] >> lane & 1));
                    lanes[lane] = word;
                }
                bits[kind] = Turned::of(lanes);
            }
            // Where nothing is undefined, the first row is the first one that is defined again.
            changed |= u64::from(last[1] & !bits[1].at(0) != 0);
            self.bits[places + place] = bits;
            self.symbols[symbol].last = [bits[0].at(count - 1), bits[1].at(count - 1)];
            let asked = if self.changes_only { changed & known } else { known };
            each(asked, |row| self.ask(symbol, first + place * ROWS + row));
        }
    }
}

impl Turned {
    /// Turns the words of all lanes: four squares of 16 bits by 16, over their diagonals (Warren, Hacker's Delight, 7-3).
    #[inline(always)]
    pub fn of(mut words: [u64; LANES]) -> Turned {
        if words.iter().fold(0, |any, word| any | word) == 0 {
            return Turned(words);
        }
        for (step, low) in [
            (8, 0x00ff_00ff_00ff_00ff),
            (4, 0x0f0f_0f0f_0f0f_0f0f),
            (2, 0x3333_3333_3333_3333),
            (1, 0x5555_5555_5555_5555),
        ] {
            for row in (0..LANES).filter(|row| row & step == 0) {
                let (a, b) = (words[row], words[row + step]);
                let t: u64 = ((a >> step) ^ b) & low;
                words[row] = a ^ t << step;
                words[row + step] = b ^ t;
            }
        }
        Turned(words)
    }

    /// The bits of all lanes at a row.
    #[inline(always)]
    pub fn at(&self, row: usize) -> u16 {
        (self.0[row % LANES] >> (row & 48)) as u16
    }
}

/// The target of one trial at one row; NaN where it is not acted upon.
fn target(decisions: &Decisions, row: usize) -> f64 {
    let Decisions::Target { weight, when } = decisions else { return NAN };
    match when {
        When::True(rule) if !rule.is_true(row, &PositionState::FLAT) => NAN,
        _ => weight.at(row, &PositionState::FLAT),
    }
}

/// Writes the targets of one trial into its lane.
#[inline(always)]
fn spread(decisions: &Decisions, rows: Range<usize>, values: &mut [Lanes], lane: usize) {
    match decisions {
        Decisions::Target { weight: Rule::Own(column), when: When::OnChange | When::EveryBar } => {
            spread_column(&column[rows], values, lane);
        }
        Decisions::Target { weight: Rule::Shared(column), when: When::OnChange | When::EveryBar } => {
            spread_column(&column[rows], values, lane);
        }
        _ => {
            for (values, row) in values.iter_mut().zip(rows) {
                values[lane] = target(decisions, row);
            }
        }
    }
}

#[inline(always)]
fn spread_column(column: &[f64], values: &mut [Lanes], lane: usize) {
    for (values, &value) in values.iter_mut().zip(column) {
        values[lane] = value;
    }
}

/// Sixty-four rows of a word of bits from `row` on; what lies behind the last word is not set.
#[inline(always)]
pub(in super::super) fn word_at(words: &[u64], row: usize) -> u64 {
    let (place, skip) = (row / 64, row % 64);
    let (low, high) = match words.get(place..) {
        Some([low, high, ..]) => (*low, *high),
        Some([low]) => (*low, 0),
        _ => (0, 0),
    };
    // Two shifts, for a shift by 64 is none.
    low >> skip | high << 1 << (63 - skip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turned_words_hold_the_bits_of_all_lanes_row_by_row() {
        let words: [u64; LANES] =
            std::array::from_fn(|k| 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(k as u64 * k as u64 + 3));
        let turned = Turned::of(words);
        for row in 0..64 {
            for (lane, word) in words.iter().enumerate() {
                assert_eq!(turned.at(row) >> lane & 1, (word >> row & 1) as u16, "row {row}, lane {lane}");
            }
        }
    }

    #[test]
    fn words_are_cut_out_at_any_row() {
        let words = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 5];
        let bit = |row: usize| words.get(row / 64).is_some_and(|word: &u64| word >> (row % 64) & 1 == 1);
        for row in 0..200 {
            let word = word_at(&words, row);
            (0..64).for_each(|k| assert_eq!(word >> k & 1 == 1, bit(row + k), "row {row}, bit {k}"));
        }
    }
}
