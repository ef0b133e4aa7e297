//! Sums of each trial's returns over blocks of sessions: all that combinatorially symmetric cross-validation needs.
//!
//! Given returns trial by trial, this keeps two numbers for each block and trial. It never knows what is asked of them.

use crate::error::{Error, Result};

/// Most blocks: half of 16 can be chosen in 12,870 ways, and each more pair of blocks makes that four times as many.
pub const MOST_BLOCKS: usize = 16;

/// Sessions that a block should have at least: a month.
const MONTH: usize = 21;

/// How many blocks so many sessions are cut into by default: 16, or as many as leave a month for each, at least 4.
/// Zero below eight sessions, where a block would be a single session.
///
/// Two years of daily returns have 16 blocks. A shorter search is also a faster one, and 12 blocks need a fourteenth
/// of the time of 16.
pub fn default_blocks(sessions: usize) -> usize {
    if sessions < 8 {
        return 0;
    }
    (sessions / MONTH).clamp(4, MOST_BLOCKS) / 2 * 2
}

/// Sums and sums of squares of the returns of many trials over equal blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockSums {
    blocks: usize,
    rows_in_block: usize,
    /// For each trial the sums of its blocks, then the sums of squares.
    sums: Vec<f64>,
}

impl BlockSums {
    /// No trials yet. `blocks` of `rows_in_block` returns each.
    ///
    /// # Errors
    /// `blocks` is odd, below 2 or above [`MOST_BLOCKS`], or blocks have fewer than two rows.
    pub fn new(blocks: usize, rows_in_block: usize) -> Result<BlockSums> {
        if !blocks.is_multiple_of(2) || !(2..=MOST_BLOCKS).contains(&blocks) {
            let message =
                format!("cross-validation over {blocks} blocks: an even number from 2 to {MOST_BLOCKS} is needed");
            return Err(Error::plan(message));
        }
        if rows_in_block < 2 {
            let message = format!("{blocks} blocks of {rows_in_block} returns: a block needs at least 2");
            return Err(Error::plan(message).help("choose fewer blocks or a longer range of dates"));
        }
        Ok(BlockSums { blocks, rows_in_block, sums: Vec::new() })
    }

    /// Sums of series of equal length, cut to a multiple of `blocks` (the first rows are kept).
    ///
    /// # Errors
    /// As [`BlockSums::new`] and [`BlockSums::push`], or the series have different lengths.
    pub fn of_columns<C: AsRef<[f64]>>(columns: &[C], blocks: usize) -> Result<BlockSums> {
        let rows = columns.first().map_or(0, |column| column.as_ref().len());
        let mut all = BlockSums::new(blocks, rows / blocks.max(1))?;
        let (mut sums, mut squares) = (vec![0.0; blocks], vec![0.0; blocks]);
        for column in columns.iter().map(AsRef::as_ref) {
            if column.len() != rows {
                return Err(Error::data(format!("trials with {rows} and {} returns cannot be compared", column.len())));
            }
            for (block, values) in column.chunks_exact(all.rows_in_block).take(blocks).enumerate() {
                sums[block] = values.iter().sum();
                squares[block] = values.iter().map(|x| x * x).sum();
            }
            all.push(&sums, &squares)?;
        }
        Ok(all)
    }

    /// Adds a trial by its sums and sums of squares, one of each for every block.
    ///
    /// # Errors
    /// A wrong number of sums, or one that is not finite.
    pub fn push(&mut self, sums: &[f64], squares: &[f64]) -> Result<()> {
        let complete = sums.len() == self.blocks && squares.len() == self.blocks;
        if !complete || !sums.iter().chain(squares).all(|x| x.is_finite()) {
            let found = format!("{} sums and {} sums of squares", sums.len(), squares.len());
            return Err(Error::data(format!("a trial has {found}, expected {} finite ones of each", self.blocks)));
        }
        self.sums.extend_from_slice(sums);
        self.sums.extend_from_slice(squares);
        Ok(())
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// Returns in a block.
    pub fn rows_in_block(&self) -> usize {
        self.rows_in_block
    }

    /// Number of trials.
    pub fn trials(&self) -> usize {
        self.sums.len() / (2 * self.blocks)
    }

    /// A trial's sums and sums of squares; empty for one that there is not.
    pub fn trial(&self, trial: usize) -> (&[f64], &[f64]) {
        let at = trial * 2 * self.blocks;
        self.sums.get(at..at + 2 * self.blocks).unwrap_or(&[]).split_at_checked(self.blocks).unwrap_or((&[], &[]))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn sums_are_those_of_the_first_rows() {
        let sums = BlockSums::of_columns(&[[1.0, 2.0, 3.0, 4.0, 9.0], [0.5; 5]], 2).unwrap();
        assert_eq!((sums.trials(), sums.rows_in_block()), (2, 2));
        assert_eq!(sums.trial(0), (&[3.0, 7.0][..], &[5.0, 25.0][..]));
        assert_eq!(sums.trial(1), (&[1.0, 1.0][..], &[0.5, 0.5][..]));
        assert_eq!(sums.trial(2), (&[][..], &[][..]));
    }

    #[test]
    fn what_cannot_be_halved_is_refused() {
        for (blocks, rows) in [(3, 10), (0, 10), (18, 10), (4, 1)] {
            assert!(BlockSums::new(blocks, rows).is_err(), "{blocks} blocks of {rows}");
        }
        assert!(BlockSums::of_columns(&[vec![0.0; 8], vec![0.0; 9]], 2).is_err());
        assert!(BlockSums::of_columns(&[[0.0, f64::NAN, 1.0, 1.0]], 2).is_err());
        let none: [Vec<f64>; 0] = [];
        assert!(BlockSums::of_columns(&none, 4).is_err());
    }

    #[test]
    fn short_searches_get_fewer_blocks() {
        let sessions = [0, 7, 8, 100, 126, 252, 336, 335, 2515];
        assert_eq!(sessions.map(default_blocks), [0, 0, 4, 4, 6, 12, 16, 14, 16]);
    }
}
