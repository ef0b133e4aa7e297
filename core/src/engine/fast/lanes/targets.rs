//! The target weights of a block of bars: from one column a trial to the numbers of all trials at one bar.

use std::ops::Range;

use super::super::Grid;
use super::{LANES, Lanes};
use crate::context::{Choice, Panel, PositionState, Rule};
use crate::engine::{Decisions, When};
use crate::num::NAN;

/// Places of a block, a number for each trial: 128 KiB, beside the state of the group.
const PLACES: usize = 1024;

/// Targets of a block of bars. What is not finite is no change.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets {
    /// Bar after bar of one symbol, symbol after symbol.
    values: Vec<Lanes>,
    /// Bars of the block.
    bars: Range<usize>,
    /// Whether only targets other than the last one are acted upon.
    pub changes_only: bool,
}

/// Bars of a block.
pub(super) fn block_of(symbols: usize) -> usize {
    (PLACES / symbols.max(1)).clamp(8, 256)
}

impl Targets {
    /// Targets of one symbol at one bar of the block.
    #[inline(always)]
    pub fn at(&self, symbol: usize, bar: usize) -> &Lanes {
        &self.values[symbol * self.bars.len() + bar - self.bars.start]
    }

    /// Loads a block. A symbol without a bar, like a lane without a trial, has no target.
    #[inline(always)]
    pub fn load(&mut self, panel: &Panel, grid: &Grid, decisions: &[Decisions], bars: Range<usize>) {
        self.bars = bars.clone();
        self.changes_only = matches!(decisions.first(), Some(Decisions::Target { when: When::OnChange, .. }));
        self.values.clear();
        self.values.resize(bars.len() * grid.symbols, [NAN; LANES]);
        for (symbol, values) in self.values.chunks_mut(bars.len().max(1)).enumerate() {
            let rows = grid.row_from(panel, symbol, bars.start)..grid.row_from(panel, symbol, bars.end);
            if rows.is_empty() {
                continue;
            }
            let first = grid.bar_of(panel, symbol, rows.start) - bars.start;
            let last = grid.bar_of(panel, symbol, rows.end - 1) - bars.start;
            let unbroken = last - first + 1 == rows.len();
            for (lane, decisions) in decisions.iter().enumerate().take(LANES) {
                let Decisions::Target { weight, when } = decisions else { continue };
                if unbroken {
                    let values = &mut values[first..=last];
                    spread(weight, rows.clone(), values, lane);
                    if let When::True(rule) = when {
                        mask(rule, rows.clone(), values, lane);
                    }
                    continue;
                }
                for row in rows.clone() {
                    let acts = match when {
                        When::True(rule) => rule.is_true(row, &PositionState::FLAT),
                        When::OnChange | When::EveryBar => true,
                    };
                    let target = if acts { weight.at(row, &PositionState::FLAT) } else { NAN };
                    values[grid.bar_of(panel, symbol, row) - bars.start][lane] = target;
                }
            }
        }
    }
}

/// Writes the values of one trial's rule into its lane.
#[inline(always)]
fn spread(rule: &Rule, rows: Range<usize>, values: &mut [Lanes], lane: usize) {
    match rule {
        Rule::Own(column) => spread_column(&column[rows], values, lane),
        Rule::Shared(column) => spread_column(&column[rows], values, lane),
        Rule::Choice(choice) => spread_choice(choice, rows, values, lane),
        Rule::Scalar(_) | Rule::Coded(_) | Rule::Code(_) => {
            for (values, row) in values.iter_mut().zip(rows) {
                values[lane] = rule.at(row, &PositionState::FLAT);
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

#[inline(always)]
fn spread_choice(choice: &Choice, rows: Range<usize>, values: &mut [Lanes], lane: usize) {
    let (truth, undefined) = (choice.condition.truth(), choice.condition.undefined());
    let [no, yes, unknown] = choice.values;
    let mut row = rows.start;
    let mut values = values.iter_mut();
    while row < rows.end {
        let (word, skip) = (row / 64, row % 64);
        let (mut truth, mut undefined) = (truth[word] >> skip, undefined[word] >> skip);
        let count = (64 - skip).min(rows.end - row);
        for values in values.by_ref().take(count) {
            let chosen = if truth & 1 == 1 { yes } else { no };
            values[lane] = if undefined & 1 == 1 { unknown } else { chosen };
            truth >>= 1;
            undefined >>= 1;
        }
        row += count;
    }
}

/// Takes the targets away where a rule is not true.
#[inline(always)]
fn mask(rule: &Rule, rows: Range<usize>, values: &mut [Lanes], lane: usize) {
    for (values, row) in values.iter_mut().zip(rows) {
        values[lane] = if rule.is_true(row, &PositionState::FLAT) { values[lane] } else { NAN };
    }
}
