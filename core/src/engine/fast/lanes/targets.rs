//! The target weights of a block of bars: from one column a trial to the numbers of all trials at one bar.
//!
//! Where the targets of all trials are choices by a condition, only the bits of the conditions are brought together.

use std::ops::Range;

use super::super::Grid;
use super::{LANES, Lanes};
use crate::context::{Choice, Panel, PositionState, Rule};
use crate::engine::{Decisions, When};
use crate::num::NAN;

/// Places of a block, a number for each trial: 128 KiB, beside the state of the group.
const PLACES: usize = 1024;

/// The bit of each lane.
const BITS: [u64; LANES] = {
    let mut bits = [0; LANES];
    let mut lane = 0;
    while lane < LANES {
        bits[lane] = 1 << lane;
        lane += 1;
    }
    bits
};

/// The bits of a bar that a symbol does not have: no condition is both true and undefined.
const ABSENT: [u32; 2] = [u32::MAX; 2];

/// Targets of a block of bars. What is not finite is no change.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets {
    /// Bar after bar of one symbol, symbol after symbol.
    values: Vec<Lanes>,
    /// The same as choices: for each trial a bit where its condition is true, and one where it is undefined.
    bits: Vec<[u32; 2]>,
    /// What the trials choose where their conditions are false, true and undefined.
    choices: [Lanes; 3],
    /// Whether all targets are choices.
    chosen: bool,
    /// Bars of the block.
    bars: Range<usize>,
    /// Whether only targets other than the last one are acted upon.
    pub changes_only: bool,
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

impl Targets {
    /// Looks at the rules of a group.
    pub fn reset(&mut self, grid: &Grid, decisions: &[Decisions]) {
        self.changes_only = matches!(decisions.first(), Some(Decisions::Target { when: When::OnChange, .. }));
        self.chosen = grid.rows.iter().all(|rows| rows.unbroken);
        self.choices = [[NAN; LANES]; 3];
        // Lanes without a trial keep what this puts there.
        self.values.clear();
        for (lane, decisions) in decisions.iter().enumerate().take(LANES) {
            match choice_of(decisions) {
                Some(choice) => (0..3).for_each(|k| self.choices[k][lane] = choice.values[k]),
                None => self.chosen = false,
            }
        }
    }

    /// Targets of one symbol at one bar of the block.
    #[inline(always)]
    pub fn at(&self, symbol: usize, bar: usize) -> Lanes {
        let place = symbol * self.bars.len() + bar - self.bars.start;
        if !self.chosen {
            return self.values[place];
        }
        let bits = self.bits[place];
        if bits == ABSENT {
            return [NAN; LANES];
        }
        let [no, yes, unknown] = &self.choices;
        let [truth, undefined] = bits.map(u64::from);
        let mut targets = [0.0; LANES];
        for lane in 0..LANES {
            let target = if truth & BITS[lane] != 0 { yes[lane] } else { no[lane] };
            targets[lane] = if undefined & BITS[lane] != 0 { unknown[lane] } else { target };
        }
        targets
    }

    /// Loads a block. A symbol without a bar, like a lane without a trial, has no target.
    #[inline(always)]
    pub fn load(&mut self, panel: &Panel, grid: &Grid, decisions: &[Decisions], bars: Range<usize>) {
        self.bars = bars.clone();
        let places = bars.len() * grid.symbols;
        self.bits.clear();
        self.bits.resize(if self.chosen { places } else { 0 }, ABSENT);
        if !self.chosen && self.values.len() < places {
            self.values.resize(places, [NAN; LANES]);
        }
        for symbol in 0..grid.symbols {
            let rows = grid.row_from(panel, symbol, bars.start)..grid.row_from(panel, symbol, bars.end);
            if !self.chosen && rows.len() < bars.len() {
                self.values[symbol * bars.len()..][..bars.len()].fill([NAN; LANES]);
            }
            if rows.is_empty() {
                continue;
            }
            let first = grid.bar_of(panel, symbol, rows.start) - bars.start;
            let last = grid.bar_of(panel, symbol, rows.end - 1) - bars.start;
            let places = symbol * bars.len();
            if self.chosen {
                gather(decisions, rows, &mut self.bits[places + first..=places + last]);
            } else if last - first + 1 == rows.len() {
                let values = &mut self.values[places + first..=places + last];
                for (lane, decisions) in decisions.iter().enumerate().take(LANES) {
                    spread(decisions, rows.clone(), values, lane);
                }
            } else {
                let values = &mut self.values[places..places + bars.len()];
                for row in rows {
                    let values = &mut values[grid.bar_of(panel, symbol, row) - bars.start];
                    decisions.iter().zip(values).for_each(|(decisions, value)| *value = target(decisions, row));
                }
            }
        }
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
fn word_at(words: &[u64], row: usize) -> u64 {
    let (place, skip) = (row / 64, row % 64);
    let word = |place: usize| words.get(place).copied().unwrap_or(0);
    if skip == 0 { word(place) } else { word(place) >> skip | word(place + 1) << (64 - skip) }
}

/// Brings the conditions of all trials together, row by row.
#[inline(always)]
fn gather(decisions: &[Decisions], rows: Range<usize>, bits: &mut [[u32; 2]]) {
    for (bits, row) in bits.chunks_mut(64).zip(rows.step_by(64)) {
        let mut words = [[0_u64; LANES]; 2];
        for (lane, choice) in decisions.iter().enumerate().take(LANES).filter_map(|(k, d)| Some((k, choice_of(d)?))) {
            words[0][lane] = word_at(choice.condition.truth(), row);
            words[1][lane] = word_at(choice.condition.undefined(), row);
        }
        for (kind, words) in words.iter().enumerate() {
            for first in (0..LANES).step_by(8) {
                let eight: [[u8; 8]; 8] = std::array::from_fn(|k| words[first + k].to_le_bytes());
                for (byte, bits) in bits.chunks_mut(8).enumerate() {
                    let turned = turn(u64::from_le_bytes(std::array::from_fn(|k| eight[k][byte])));
                    for (bits, turned) in bits.iter_mut().zip(turned.to_le_bytes()) {
                        let kept = if first == 0 { 0 } else { bits[kind] };
                        bits[kind] = kept | u32::from(turned) << first;
                    }
                }
            }
        }
    }
}

/// Eight bytes of eight bits as a matrix turned over its diagonal (Warren, Hacker's Delight, 7-3).
#[inline(always)]
fn turn(x: u64) -> u64 {
    let t = (x ^ (x >> 7)) & 0x00aa_00aa_00aa_00aa;
    let x = x ^ t ^ (t << 7);
    let t = (x ^ (x >> 14)) & 0x0000_cccc_0000_cccc;
    let x = x ^ t ^ (t << 14);
    let t = (x ^ (x >> 28)) & 0x0000_0000_f0f0_f0f0;
    x ^ t ^ (t << 28)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_matrix_has_rows_for_columns() {
        for row in 0..8 {
            for column in 0..8 {
                assert_eq!(turn(1 << (8 * row + column)), 1 << (8 * column + row));
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
