//! A rule of one trial, ready to be asked bar by bar.

use super::coded::Coded;
use super::condition::Choice;
use crate::cache::Column;
use crate::num;
use crate::strategy::{BinaryOp, Function, StateVar};

/// What a rule may know of its symbol's position. All but `position` are NaN when flat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PositionState {
    /// Average entry price.
    pub entry_price: f64,
    /// Bars since the opening fill.
    pub bars_held: f64,
    /// Highest high since entry.
    pub highest: f64,
    /// Lowest low since entry.
    pub lowest: f64,
    /// Signed units.
    pub position: f64,
}

impl PositionState {
    /// No position.
    pub const FLAT: PositionState = PositionState {
        entry_price: num::NAN,
        bars_held: num::NAN,
        highest: num::NAN,
        lowest: num::NAN,
        position: 0.0,
    };
}

/// The value of a rule at a row: fixed, computed beforehand, or dependent on the position.
#[derive(Clone, Debug)]
pub enum Rule {
    /// The same everywhere.
    Scalar(f64),
    /// One value per row of the panel, owned by this trial.
    Own(Vec<f64>),
    /// One value per row, shared with other trials.
    Shared(Column),
    /// One code per row, owned by this trial.
    Coded(Coded),
    /// One of three values per row, by a condition.
    Choice(Choice),
    /// Evaluated when asked, because it depends on the position.
    Code(Code),
}

impl Rule {
    /// Value at a row; truth values are 1 and 0, undefined is NaN.
    pub fn at(&self, row: usize, state: &PositionState) -> f64 {
        match self {
            Rule::Scalar(value) => *value,
            Rule::Own(column) => column[row],
            Rule::Shared(column) => column[row],
            Rule::Coded(column) => column.at(row),
            Rule::Choice(choice) => choice.at(row),
            Rule::Code(code) => code.at(row, state),
        }
    }

    /// The values of all rows, if they are held as numbers.
    pub fn column(&self) -> Option<&[f64]> {
        match self {
            Rule::Own(column) => Some(column),
            Rule::Shared(column) => Some(column),
            Rule::Scalar(_) | Rule::Coded(_) | Rule::Choice(_) | Rule::Code(_) => None,
        }
    }

    /// Whether the rule is true at a row; undefined counts as false.
    pub fn is_true(&self, row: usize, state: &PositionState) -> bool {
        self.at(row, state) == 1.0
    }
}

/// Straight-line code over registers: step `i` writes register `i`.
#[derive(Clone, Debug, Default)]
pub struct Code {
    pub(super) steps: Vec<Step>,
    pub(super) columns: Vec<Rule>,
}

/// One step; operands are indices of earlier steps.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Column(u32),
    State(StateVar),
    Not(u32),
    Neg(u32),
    Binary(BinaryOp, u32, u32),
    If(u32, u32, u32),
    Function(Function, Vec<u32>),
}

impl Code {
    fn at(&self, row: usize, state: &PositionState) -> f64 {
        // Rules are short: their registers live on the stack unless someone wrote a very long one.
        let mut near = [0.0; 32];
        let mut far;
        let registers = if self.steps.len() <= near.len() {
            &mut near[..self.steps.len()]
        } else {
            far = vec![0.0; self.steps.len()];
            &mut far[..]
        };
        for (place, step) in self.steps.iter().enumerate() {
            let r = |index: &u32| registers[*index as usize];
            let value = match step {
                Step::Column(index) => self.columns[*index as usize].at(row, state),
                Step::State(var) => match var {
                    StateVar::EntryPrice => state.entry_price,
                    StateVar::BarsHeld => state.bars_held,
                    StateVar::HighestSinceEntry => state.highest,
                    StateVar::LowestSinceEntry => state.lowest,
                    StateVar::Position => state.position,
                },
                Step::Not(a) => not(r(a)),
                Step::Neg(a) => -r(a),
                Step::Binary(op, a, b) => op.apply(r(a), r(b)),
                Step::If(c, a, b) => choose(r(c), r(a), r(b)),
                Step::Function(function, operands) => {
                    let second = operands.get(1).map_or(num::NAN, r);
                    operands.first().map_or(num::NAN, |a| function.apply(r(a), second))
                }
            };
            registers[place] = value;
        }
        registers.last().copied().unwrap_or(num::NAN)
    }
}

/// Logical not.
#[inline(always)]
pub(super) fn not(a: f64) -> f64 {
    if a.is_nan() {
        num::NAN
    } else if a == 0.0 {
        1.0
    } else {
        0.0
    }
}

/// `if(c, a, b)`.
#[inline(always)]
pub(super) fn choose(c: f64, a: f64, b: f64) -> f64 {
    if c.is_nan() {
        num::NAN
    } else if c != 0.0 {
        a
    } else {
        b
    }
}
