//! How a study is divided into training and test, as `[folds]` sets it.
//!
//! Given nothing, this file holds the values; given what a strategy remembers, it gives a scheme over sessions. It never
//! knows dates.

use serde_json::{Value, json};

use super::settings::{Words, words};
use crate::error::{Error, Result};
use crate::folds::{Gap, Length, Remainder, Scheme, Walk};

words! {
    /// How training and test lie to each other.
    Division {
        /// Training of one length moves on with the test that follows it.
        Rolling = "rolling",
        /// Training starts at the first session and grows.
        Anchored = "anchored",
        /// The last part is the test.
        Holdout = "holdout",
        /// Each block is the test once.
        KFold = "k-fold",
        /// Each choice of several blocks is the test once.
        Combinatorial = "combinatorial",
    }
}

impl Division {
    /// Whether tests follow training, so that nothing is trained on after a test.
    pub fn is_walk(self) -> bool {
        matches!(self, Division::Rolling | Division::Anchored | Division::Holdout)
    }
}

/// Most blocks of a division.
pub const MOST_BLOCKS: u64 = 1000;

/// What `[folds]` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Folding {
    /// The division.
    pub scheme: Division,
    /// Length of training; of an anchored walk, of the first one.
    pub train: Length,
    /// Length of a test.
    pub test: Length,
    /// Sessions that training keeps from a test on both sides; by default the longest holding that the strategy's
    /// `time_stop` allows.
    pub purge: Option<u64>,
    /// Sessions more that training keeps after a test; by default as many as the strategy looks back.
    pub embargo: Option<u64>,
    /// Blocks of k-fold and combinatorial.
    pub blocks: u64,
    /// Blocks in a test of combinatorial.
    pub test_blocks: u64,
    /// Whether tests in sessions are laid from the end.
    pub from_end: bool,
}

impl Default for Folding {
    fn default() -> Self {
        Folding {
            scheme: Division::default(),
            train: Length::Months(24),
            test: Length::Months(6),
            purge: None,
            embargo: None,
            blocks: 6,
            test_blocks: 2,
            from_end: true,
        }
    }
}

/// Keys of `[folds]` that mean something for some divisions only.
const OPTIONS: [(&str, &[Division]); 6] = [
    ("folds.train", &[Division::Rolling, Division::Anchored]),
    ("folds.test", &[Division::Rolling, Division::Anchored, Division::Holdout]),
    ("folds.embargo", &[Division::KFold, Division::Combinatorial]),
    ("folds.blocks", &[Division::KFold, Division::Combinatorial]),
    ("folds.test_blocks", &[Division::Combinatorial]),
    ("folds.from_end", &[Division::Rolling, Division::Anchored]),
];

impl Folding {
    /// Keys that were given and have no effect under the division.
    pub fn idle_keys(&self, was_given: impl Fn(&str) -> bool) -> Vec<&'static str> {
        let idle = OPTIONS.into_iter().filter(|(key, divisions)| was_given(key) && !divisions.contains(&self.scheme));
        idle.map(|(key, _)| key).collect()
    }

    /// Refuses blocks of which none would be left to train on.
    ///
    /// # Errors
    /// As many test blocks as blocks.
    pub fn check(&self) -> Result<()> {
        if self.scheme == Division::Combinatorial && self.test_blocks >= self.blocks {
            let message = format!("{} test blocks of {} leave none to train on", self.test_blocks, self.blocks);
            return Err(Error::plan(message).help("choose fewer `folds.test_blocks`, or more `folds.blocks`"));
        }
        Ok(())
    }

    /// Sessions between training and the test after it, and from a test to training after it, for a strategy that holds
    /// a position for at most so many sessions and looks back at so many.
    pub fn gap(&self, holding: usize, lookback: usize) -> Gap {
        let given = |value: Option<u64>, default| value.map_or(default, |n| usize::try_from(n).unwrap_or(usize::MAX));
        let embargo = if self.scheme.is_walk() { 0 } else { given(self.embargo, lookback) };
        Gap::new(given(self.purge, holding), embargo)
    }

    /// The scheme with these gaps.
    pub fn scheme(&self, gap: Gap) -> Scheme {
        let (blocks, remainder) = (self.blocks as usize, Remainder::Spread);
        let walk = Walk {
            train: self.train,
            test: self.test,
            gap: gap.before,
            anchored: self.scheme == Division::Anchored,
            from_end: self.from_end,
        };
        match self.scheme {
            Division::Rolling | Division::Anchored => Scheme::WalkForward(walk),
            Division::Holdout => Scheme::Holdout { test: self.test, gap: gap.before },
            Division::KFold => Scheme::KFold { blocks, gap, remainder },
            Division::Combinatorial => {
                Scheme::Combinatorial { blocks, test_blocks: self.test_blocks as usize, gap, remainder }
            }
        }
    }

    /// The keys that have an effect, as a study file would give them.
    pub fn to_json(self) -> Value {
        let mut json = json!({"scheme": self.scheme.word()});
        let all = [
            ("folds.train", json!(self.train.to_string())),
            ("folds.test", json!(self.test.to_string())),
            ("folds.embargo", json!(self.embargo)),
            ("folds.blocks", json!(self.blocks)),
            ("folds.test_blocks", json!(self.test_blocks)),
            ("folds.from_end", json!(self.from_end)),
        ];
        let idle = self.idle_keys(|_| true);
        for (key, value) in all.into_iter().chain([("folds.purge", json!(self.purge))]) {
            if !idle.contains(&key) && !value.is_null() {
                json[key.trim_start_matches("folds.")] = value;
            }
        }
        json
    }
}
