//! What is kept of each trial while a search runs, so that it can be judged in the end: sums, never whole series.
//!
//! Given the returns of one trial after another, in any order, this keeps a fixed number of sums for at most a fixed number
//! of trials. It never knows who evaluates them: which trials are kept depends on their indices alone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{BlockSums, Panel, default_blocks};
use crate::error::{Error, Result};
use crate::metrics::{NOISE, striped};
use crate::num;
use crate::rng::Stream;
use crate::simd::{self, Eight, Work};

/// Name of the stream that draws the trials that are kept.
const STREAM: u32 = 0x6576_6964;

/// Cells in a block: what the bootstrap draws. Eight of them in each of 16 blocks are 128 rows.
const CELLS_IN_BLOCK: usize = 8;

/// Trials kept by default: 19 MB.
pub const DEFAULT_TRIALS: usize = 16_384;

/// Sums of trials over blocks and cells of sessions.
///
/// Blocks are equal, from the first session on; the rest that fills none is left out. Each is cut into up to eight cells
/// whose lengths differ by at most one session. Of more trials than can be kept, those with the smallest random keys are: a
/// fair sample, the same in whatever order and on however many threads the trials come.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    sessions: usize,
    blocks: usize,
    /// First session of each cell, and the end of the last.
    bounds: Vec<usize>,
    most: usize,
    seed: u64,
    seen: u64,
    /// Points among those seen that have no returns over all sessions.
    passed_over: u64,
    kept: BTreeMap<(u64, u64), Sums>,
}

/// What is kept of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums {
    /// Mean return over each cell, then sum of squares over each block.
    sums: Box<[f64]>,
    /// Sharpe ratio over all sessions, per return; NaN without deviation.
    sharpe: f64,
}

impl Evidence {
    /// Of trials over so many sessions: at most `most` are kept, drawn by `seed`.
    ///
    /// # Errors
    /// Fewer than eight sessions, or nothing may be kept.
    pub fn new(sessions: usize, most: usize, seed: u64) -> Result<Evidence> {
        let blocks = default_blocks(sessions);
        if blocks == 0 || most < 2 {
            let message = format!("{sessions} sessions and at most {most} trials cannot be judged");
            return Err(Error::plan(message).help("judgement needs at least 8 sessions and 2 trials"));
        }
        let length = sessions / blocks;
        let cells = CELLS_IN_BLOCK.min(length);
        let inside = |block: usize| (0..cells).map(move |cell| block * length + cell * length / cells);
        let bounds = (0..blocks).flat_map(inside).chain([blocks * length]).collect();
        Ok(Evidence { sessions, blocks, bounds, most, seed, seen: 0, passed_over: 0, kept: BTreeMap::new() })
    }

    /// Adds a trial by its index in the space and its returns; gives whether it can be judged. One with a return that is
    /// not finite, or with none in a ruined account, cannot; it does not count.
    ///
    /// # Errors
    /// A wrong number of returns.
    pub fn push(&mut self, index: u64, returns: &[f64]) -> Result<bool> {
        if returns.len() != self.sessions && !returns.is_empty() {
            let message = format!("trial {index} has {} returns, expected {}", returns.len(), self.sessions);
            return Err(Error::data(message));
        }
        let Some(trial) = self.measure(returns) else { return Ok(false) };
        self.add(index, trial);
        Ok(true)
    }

    /// Adds a trial by what [`Evidence::measure`] gave of it. One that is kept already, because it had to be evaluated
    /// twice, does not count again.
    pub fn add(&mut self, index: u64, trial: Sums) {
        let key = self.key(index);
        if self.kept.contains_key(&key) {
            return;
        }
        self.seen += 1;
        let full = self.kept.len() >= self.most;
        if !full || self.kept.last_key_value().is_some_and(|(last, _)| key < *last) {
            self.kept.insert(key, trial);
            self.shrink();
        }
    }

    /// Adds all of what another part of the same search has kept.
    ///
    /// # Errors
    /// The parts are of different searches.
    pub fn merge(&mut self, other: Evidence) -> Result<()> {
        let same = |e: &Evidence| (e.sessions, e.most, e.seed);
        if same(self) != same(&other) {
            return Err(Error::data(
                "two parts of a search that are judged together have different sessions or settings",
            ));
        }
        self.seen += other.seen;
        self.passed_over += other.passed_over;
        self.kept.extend(other.kept);
        self.shrink();
        Ok(())
    }

    /// The same evidence in which a trial is kept for sure, and counted if it was not seen before; judgement asks for the
    /// chosen one. Most often it is kept already.
    ///
    /// # Errors
    /// A wrong number of returns.
    pub(super) fn with(&self, index: u64, returns: &[f64]) -> Result<Cow<'_, Evidence>> {
        if self.kept.contains_key(&self.key(index)) {
            return Ok(Cow::Borrowed(self));
        }
        let mut with = self.clone();
        // Beside what may be kept, room for one more.
        with.most += 1;
        with.push(index, returns)?;
        if self.kept.len() < self.seen as usize {
            // It was seen and left out of the sample.
            with.seen = self.seen;
        }
        Ok(Cow::Owned(with))
    }

    /// Counts trials that were seen elsewhere and that the sample does not hold.
    pub fn count(&mut self, trials: u64) {
        self.seen += trials;
    }

    /// Says how many points were passed over after they had seen a part of the data: the best trial was chosen among them
    /// too, so they count as seen. What was said before does not count any more.
    pub fn pass_over(&mut self, points: u64) {
        self.seen = self.seen - self.passed_over + points;
        self.passed_over = points;
    }

    /// Points that [`Evidence::pass_over`] counted.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// The random key of a trial, its index being the second part: of many, those with the smallest are kept.
    pub fn key(&self, index: u64) -> (u64, u64) {
        (Stream::new(self.seed ^ index, [STREAM, 0]).next_u64(), index)
    }

    fn shrink(&mut self) {
        while self.kept.len() > self.most {
            self.kept.pop_last();
        }
    }

    /// What is kept of a trial with these returns; none without returns, or where one is not finite.
    pub fn measure(&self, returns: &[f64]) -> Option<Sums> {
        let cells = self.bounds.len() - 1;
        // Those that fill no block count for the ratio alone.
        let rest = returns.get(self.bounds[cells]..)?;
        let mut sums = vec![0.0; cells + self.blocks];
        let in_block = cells / self.blocks;
        let [total, squares] = simd::run(Cells { bounds: &self.bounds, in_block, returns, rest, sums: &mut sums });
        let n = returns.len() as f64;
        let mean = total / n;
        let deviation = num::sqrt((squares - n * mean * mean) / (n - 1.0));
        let sharpe = if deviation > NOISE * mean.abs().max(1.0) { mean / deviation } else { num::NAN };
        // A sum of squares has no way back from infinity or NaN.
        squares.is_finite().then(|| Sums { sums: sums.into(), sharpe })
    }

    /// Sessions of every trial.
    pub fn sessions(&self) -> usize {
        self.sessions
    }

    /// Trials seen that can be judged.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Number of trials that are kept.
    pub fn compared(&self) -> usize {
        self.kept.len()
    }

    /// Indices of the trials that are kept, ascending: the columns of [`Evidence::panel`] and the trials of
    /// [`Evidence::block_sums`].
    pub fn indices(&self) -> Vec<u64> {
        self.ordered().map(|(index, _)| index).collect()
    }

    /// Trials by ascending index, so that sums over them do not depend on random keys either.
    fn ordered(&self) -> impl Iterator<Item = (u64, &Sums)> {
        let mut trials: Vec<(u64, &Sums)> = self.kept.iter().map(|((_, index), trial)| (*index, trial)).collect();
        trials.sort_unstable_by_key(|(index, _)| *index);
        trials.into_iter()
    }

    /// Mean sessions of a cell, in which the length of a bootstrap's blocks is to be stated.
    pub fn sessions_in_cell(&self) -> f64 {
        let cells = self.bounds.len() - 1;
        self.bounds[cells] as f64 / cells as f64
    }

    /// Mean returns over cells as rows, trials as columns.
    ///
    /// # Errors
    /// No trial was kept.
    pub fn panel(&self) -> Result<Panel> {
        let cells = self.bounds.len() - 1;
        let lengths: Vec<f64> = self.bounds.windows(2).map(|bounds| (bounds[1] - bounds[0]) as f64).collect();
        let columns: Vec<&[f64]> = self.ordered().map(|(_, trial)| &trial.sums[..cells]).collect();
        Panel::new(&columns, Some(&lengths))
    }

    /// Sums over blocks.
    ///
    /// # Errors
    /// Never for evidence that could be made; the type is that of [`BlockSums`].
    pub fn block_sums(&self) -> Result<BlockSums> {
        let cells = self.bounds.len() - 1;
        let mut all = BlockSums::new(self.blocks, self.sessions / self.blocks)?;
        let lengths: Vec<f64> = self.bounds.windows(2).map(|bounds| (bounds[1] - bounds[0]) as f64).collect();
        let in_block = cells / self.blocks;
        let total = |(means, lengths): (&[f64], &[f64])| -> f64 { means.iter().zip(lengths).map(|(a, b)| a * b).sum() };
        let mut sums = Vec::with_capacity(self.blocks);
        for (_, trial) in self.ordered() {
            sums.clear();
            sums.extend(trial.sums[..cells].chunks_exact(in_block).zip(lengths.chunks_exact(in_block)).map(total));
            all.push(&sums, &trial.sums[cells..])?;
        }
        Ok(all)
    }

    /// Variance (ddof 1) of the kept trials' Sharpe ratios, per return; NaN for fewer than two that have one.
    pub fn sharpe_variance(&self) -> f64 {
        let ratios: Vec<f64> = self.ordered().map(|(_, trial)| trial.sharpe).filter(|x| x.is_finite()).collect();
        let n = ratios.len() as f64;
        let mean = ratios.iter().sum::<f64>() / n;
        let squares = ratios.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
        if ratios.len() < 2 { num::NAN } else { squares / (n - 1.0) }
    }
}

/// Sums over the cells of a trial: fills `sums` as [`Sums`] has them, and gives the sum and the sum of squares of all
/// returns.
struct Cells<'a> {
    bounds: &'a [usize],
    in_block: usize,
    returns: &'a [f64],
    rest: &'a [f64],
    sums: &'a mut [f64],
}

impl Work for Cells<'_> {
    type Output = [f64; 2];

    #[inline(always)]
    fn run<E: Eight>(self) -> [f64; 2] {
        let Cells { bounds, in_block, returns, rest, sums } = self;
        let (means, blocks) = sums.split_at_mut(bounds.len() - 1);
        let (mut total, mut total_squares) = (0.0, 0.0);
        let cells = bounds.windows(2).map(|bounds| &returns[bounds[0]..bounds[1]]);
        // Squares are asked for block by block only: their stripes are not added up for each cell.
        let mut squares = Squares::<E>::none();
        for (cell, (returns, mean)) in cells.zip(means).enumerate() {
            let sum = squares.add(returns);
            *mean = sum / returns.len() as f64;
            total += sum;
            if (cell + 1).is_multiple_of(in_block) {
                let of_block = std::mem::replace(&mut squares, Squares::none()).sum();
                blocks[cell / in_block] = of_block;
                total_squares += of_block;
            }
        }
        total += squares.add(rest);
        [total, total_squares + squares.sum()]
    }
}

/// A sum of squares: in stripes, and of what fills no vector.
struct Squares<E> {
    stripes: E,
    rest: f64,
}

impl<E: Eight> Squares<E> {
    #[inline(always)]
    fn none() -> Squares<E> {
        Squares { stripes: E::zero(), rest: 0.0 }
    }

    /// Adds the squares of returns; gives the sum of these.
    #[inline(always)]
    fn add(&mut self, returns: &[f64]) -> f64 {
        let (vectors, rest) = returns.as_chunks();
        let mut stripes = E::zero();
        for vector in vectors {
            let r = E::load(vector);
            stripes = stripes.add(r);
            self.stripes = self.stripes.add(r.mul(r));
        }
        let mut sum = striped::fold(stripes.array());
        for r in rest {
            sum += r;
            self.rest += r * r;
        }
        sum
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        striped::fold(self.stripes.array()) + self.rest
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    fn returns(trial: u64, sessions: usize) -> Vec<f64> {
        let mut stream = Stream::new(trial, [5, 5]);
        (0..sessions).map(|_| 0.01 * stream.normal()).collect()
    }

    #[test]
    fn what_is_kept_does_not_depend_on_order_or_parts() {
        let sessions = 100;
        let mut forward = Evidence::new(sessions, 10, 3).unwrap();
        let (mut even, mut odd) = (forward.clone(), forward.clone());
        for trial in 0..60 {
            forward.push(trial, &returns(trial, sessions)).unwrap();
            let back = 59 - trial;
            if back % 2 == 0 { &mut even } else { &mut odd }.push(back, &returns(back, sessions)).unwrap();
        }
        even.merge(odd).unwrap();
        assert_eq!(even, forward);
        assert_eq!((forward.seen(), forward.indices().len()), (60, 10));
        assert!(forward.indices().is_sorted() && forward.indices() != (0..10).collect::<Vec<_>>());
        assert!(even.merge(Evidence::new(90, 10, 3).unwrap()).is_err());
    }

    #[test]
    fn its_sums_are_those_of_the_series() {
        for sessions in [8, 47, 100, 251, 2515] {
            let columns: Vec<Vec<f64>> = (0..3).map(|trial| returns(trial, sessions)).collect();
            let mut evidence = Evidence::new(sessions, 10, 0).unwrap();
            for (trial, column) in columns.iter().enumerate() {
                assert!(evidence.push(trial as u64, column).unwrap());
            }
            let sums = evidence.block_sums().unwrap();
            let direct = BlockSums::of_columns(&columns, sums.blocks()).unwrap();
            let panel = evidence.panel().unwrap();
            let used = sums.blocks() * sums.rows_in_block();
            let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
            for (trial, column) in columns.iter().enumerate() {
                let ((a, b), (c, d)) = (sums.trial(trial), direct.trial(trial));
                assert!(close(a, c) && close(b, d), "{sessions} sessions");
                let mean = column[..used].iter().sum::<f64>() / used as f64;
                assert!((panel.means()[trial] - mean).abs() < 1e-15, "{sessions} sessions");
            }
            assert!((evidence.sessions_in_cell() - used as f64 / panel.rows() as f64).abs() < 1e-12);
        }
    }

    #[test]
    fn what_cannot_be_judged_is_left_out() {
        let mut evidence = Evidence::new(20, 5, 0).unwrap();
        assert!(!evidence.push(0, &[]).unwrap(), "a ruined account has no returns");
        assert!(!evidence.push(1, &[f64::NAN; 20]).unwrap());
        assert!(evidence.push(2, &[0.0; 20]).unwrap() && evidence.push(2, &[0.0; 20]).unwrap());
        assert!(evidence.push(3, &[0.0; 19]).is_err());
        assert!(evidence.sharpe_variance().is_nan() && evidence.seen() == 1);
        evidence.count(4);
        assert_eq!((evidence.seen(), evidence.indices().len()), (5, 1));
        assert!(Evidence::new(7, 5, 0).is_err() && Evidence::new(20, 1, 0).is_err());
    }
}
