//! Folds: which sessions a search trains on and which it is tested on, fixed before anything is evaluated.
//!
//! Given the dates of sessions and a [`Scheme`], this room gives ranges of session indices. It never knows strategies,
//! trials or scores; [`efficiency`] and [`stability`] only compare numbers that others have computed.
//!
//! Around each test range some sessions are taken out of training. The purge, before and after, is for positions that
//! reach across the border: their outcome would be known on both sides. The embargo, after, is for what is remembered
//! (indicators, serial correlation). A test range next to another counts as one with it.

mod blocks;
mod compare;
mod length;
mod walk;

pub use compare::{efficiency, stability};
pub use length::Length;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Most folds of one scheme: 2^20 choices of test blocks are no validation any more, and their memory is bounded.
pub const MOST_FOLDS: usize = 10_000;

/// One fold. Ranges are of session indices, ascending, not empty, not overlapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fold {
    /// Sessions to choose parameters on.
    pub train: Vec<Range<usize>>,
    /// Sessions to report.
    pub test: Vec<Range<usize>>,
}

/// Folds, and how their test ranges join to whole courses out of sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Folds {
    /// The folds, in time or in lexicographic order of their test blocks.
    pub folds: Vec<Fold>,
    /// Each path names, for one stretch of sessions after the other, the fold that tests it. Walk-forward has one path,
    /// combinatorial cross-validation several.
    pub paths: Vec<Vec<Stretch>>,
}

/// A stretch of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Its sessions.
    pub sessions: Range<usize>,
    /// The fold whose chosen parameters hold there.
    pub fold: usize,
}

/// Sessions taken out of training around a test range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Before it.
    pub before: usize,
    /// After it.
    pub after: usize,
}

impl Gap {
    /// Of a purge on both sides and an embargo that follows it; by default the longest holding and the strategy's
    /// lookback, in sessions.
    pub fn new(purge: usize, embargo: usize) -> Gap {
        Gap { before: purge, after: purge.saturating_add(embargo) }
    }
}

/// Where the sessions go that do not fill whole blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remainder {
    /// The last block is longer.
    #[default]
    Last,
    /// The first blocks are longer by one session each.
    Spread,
}

/// How walk-forward moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// Length of training; of an anchored walk, of the first one.
    pub train: Length,
    /// Length of a test, and how far a step goes.
    pub test: Length,
    /// Sessions between training and test. Training in sessions keeps its length, in calendar units it gives them up.
    pub gap: usize,
    /// Whether training starts at the first session in every fold, and so grows.
    pub anchored: bool,
    /// Whether tests in sessions are laid from the end, so that the latest sessions are tested and the first ones left
    /// out, instead of the other way round. Tests in calendar units lie on the calendar either way.
    pub from_end: bool,
}

/// How sessions are divided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// One fold: the last part is the test.
    Holdout {
        /// Length of the test.
        test: Length,
        /// Sessions between training and test.
        gap: usize,
    },
    /// Training and test move on together.
    WalkForward(Walk),
    /// Blocks of equal length, each the test once.
    KFold {
        /// Number of blocks.
        blocks: usize,
        /// Sessions taken out of training.
        gap: Gap,
        /// Where the rest goes.
        remainder: Remainder,
    },
    /// Every choice of so many blocks is the test of a fold (López de Prado, "Advances in Financial Machine Learning",
    /// 2018, chapter 12).
    Combinatorial {
        /// Number of blocks.
        blocks: usize,
        /// Blocks in a test.
        test_blocks: usize,
        /// Sessions taken out of training.
        gap: Gap,
        /// Where the rest goes.
        remainder: Remainder,
    },
}

impl Folds {
    /// The folds of a scheme over sessions with these dates (days since 1970-01-01, ascending).
    ///
    /// # Errors
    /// Lengths of zero, ranges that do not fit, a fold without training, more than [`MOST_FOLDS`] folds.
    pub fn new(scheme: &Scheme, dates: &[i32]) -> Result<Folds> {
        let made = match *scheme {
            Scheme::Holdout { test, gap } => walk::holdout(dates, test, gap)?,
            Scheme::WalkForward(walk) => walk::folds(dates, &walk)?,
            Scheme::KFold { blocks, gap, remainder } => blocks::folds(dates.len(), blocks, 1, gap, remainder)?,
            Scheme::Combinatorial { blocks, test_blocks, gap, remainder } => {
                blocks::folds(dates.len(), blocks, test_blocks, gap, remainder)?
            }
        };
        match made.folds.iter().position(|fold| fold.train.is_empty()) {
            Some(fold) => {
                let message = format!("fold {fold} of {} has no session left to train on", made.folds.len());
                Err(Error::plan(message).help("choose fewer or longer blocks, or a shorter purge and embargo"))
            }
            None => Ok(made),
        }
    }
}

#[cfg(test)]
mod tests;
