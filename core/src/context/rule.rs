//! A rule of one trial, ready to be asked bar by bar.

use super::coded::Coded;
use super::condition::Choice;
use super::panel::Span;
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

    /// The same rule told one bar later: at each bar of a symbol it says what it said at the bar before, and nothing at the
    /// first one. What it asks of the position stays that of the moment, since a position is known without delay.
    #[must_use]
    pub fn one_bar_later(self, spans: &[Span]) -> Rule {
        match self {
            Rule::Scalar(_) => self,
            Rule::Code(Code { steps, columns }) => {
                let columns = columns.into_iter().map(|column| column.one_bar_later(spans)).collect();
                Rule::Code(Code { steps, columns })
            }
            _ => {
                let rows = spans.iter().map(|span| span.offset + span.len).max().unwrap_or(0);
                let mut later = vec![num::NAN; rows];
                for row in spans.iter().flat_map(|span| span.rows().skip(1)) {
                    later[row] = self.at(row - 1, &PositionState::FLAT);
                }
                Rule::Own(later)
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_rule_says_what_it_said_a_bar_ago_and_knows_its_position_now() {
        let span = |offset, len| Span { offset, len, has_volume: true, delisted: false };
        let spans = [span(0, 3), span(3, 0), span(3, 2)];
        let later = Rule::Own(vec![1.0, 2.0, 3.0, 4.0, 5.0]).one_bar_later(&spans);
        let values: Vec<f64> = (0..5).map(|row| later.at(row, &PositionState::FLAT)).collect();
        assert!(values[0].is_nan() && values[3].is_nan(), "nothing is known before the first bar: {values:?}");
        assert_eq!([values[1], values[2], values[4]], [1.0, 2.0, 4.0]);
        let code = Code {
            steps: vec![Step::Column(0), Step::State(StateVar::Position), Step::Binary(BinaryOp::Add, 0, 1)],
            columns: vec![Rule::Own(vec![10.0, 20.0])],
        };
        let later = Rule::Code(code).one_bar_later(&[span(0, 2)]);
        assert_eq!(later.at(1, &PositionState { position: 7.0, ..PositionState::FLAT }), 17.0);
        assert_eq!(Rule::Scalar(3.0).one_bar_later(&spans).at(0, &PositionState::FLAT), 3.0);
    }
}
