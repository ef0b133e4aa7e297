//! What rules of entry and exit say, row by row, in words of 64 rows.

use super::seek;
use crate::context::Rule;

/// Rows at which rules ask to enter or to leave; bit `k` of word `w` is row `64 w + k`.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals {
    /// Enter a long position, and not a short one.
    enter_long: Vec<u64>,
    /// Enter a short position, and not a long one.
    enter_short: Vec<u64>,
    leave_long: Vec<u64>,
    leave_short: Vec<u64>,
}

impl Signals {
    /// Takes the rules of a trial: enter long, exit long, enter short, exit short.
    pub fn set(&mut self, rules: [Option<&Rule>; 4], rows: usize) {
        let [enter_long, exit_long, enter_short, exit_short] = rules;
        seek::truths(enter_long, rows, &mut self.enter_long);
        seek::truths(enter_short, rows, &mut self.enter_short);
        for (long, short) in self.enter_long.iter_mut().zip(&mut self.enter_short) {
            // Both entries at once say nothing.
            let both = *long & *short;
            (*long, *short) = (*long & !both, *short & !both);
        }
        // Without a rule for leaving a side, an entry on the other side leaves it.
        match exit_long {
            Some(_) => seek::truths(exit_long, rows, &mut self.leave_long),
            None => self.leave_long.clone_from(&self.enter_short),
        }
        match exit_short {
            Some(_) => seek::truths(exit_short, rows, &mut self.leave_short),
            None => self.leave_short.clone_from(&self.enter_long),
        }
    }

    /// Words of the rows at which the rules ask to enter a long position, and to leave one.
    pub fn long(&self) -> [&[u64]; 2] {
        [&self.enter_long, &self.leave_long]
    }

    /// The side that the rules ask to enter at a row: 1, −1, or 0 for none.
    pub fn side(&self, row: usize) -> f64 {
        let bit = |words: &[u64]| words[row / 64] >> (row % 64) & 1;
        match (bit(&self.enter_long), bit(&self.enter_short)) {
            (1, _) => 1.0,
            (_, 1) => -1.0,
            _ => 0.0,
        }
    }

    /// The next row at which a flat account may enter, or one that holds something leaves.
    pub fn next(&self, held: f64, rows: std::ops::Range<usize>) -> Option<usize> {
        if rows.is_empty() {
            return None;
        }
        if held > 0.0 {
            seek::next_bit(|word| self.leave_long[word], rows)
        } else if held < 0.0 {
            seek::next_bit(|word| self.leave_short[word], rows)
        } else {
            seek::next_bit(|word| self.enter_long[word] | self.enter_short[word], rows)
        }
    }
}
