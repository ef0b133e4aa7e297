//! Blocks of sessions, one or several of which are a test.

use std::ops::Range;

use super::{Fold, Folds, Gap, MOST_FOLDS, Remainder, Stretch};
use crate::error::{Error, Result};

/// A fold for each choice of `test_blocks` of the blocks, in lexicographic order.
pub(super) fn folds(
    sessions: usize,
    blocks: usize,
    test_blocks: usize,
    gap: Gap,
    remainder: Remainder,
) -> Result<Folds> {
    if blocks < 2 || test_blocks == 0 || test_blocks >= blocks {
        let message = format!("{test_blocks} test blocks of {blocks}: at least one block must test and one train");
        return Err(Error::plan(message));
    }
    if sessions < blocks {
        return Err(Error::plan(format!("{blocks} blocks of {sessions} sessions: every block needs a session")));
    }
    let count = choices(blocks, test_blocks);
    if count > MOST_FOLDS {
        let message = format!("{test_blocks} test blocks of {blocks} can be chosen in more than {MOST_FOLDS} ways");
        return Err(Error::plan(message).help("choose fewer blocks"));
    }
    let ranges = ranges(sessions, blocks, remainder);
    let mut paths = vec![Vec::with_capacity(blocks); count * test_blocks / blocks];
    // How many folds have tested each block so far: the path of the next one.
    let mut tested = vec![0; blocks];
    let mut stretches: Vec<(usize, usize, Stretch)> = Vec::new();
    let mut folds = Vec::with_capacity(count);
    let mut chosen: Vec<usize> = (0..test_blocks).collect();
    for fold in 0..count {
        for &block in &chosen {
            stretches.push((tested[block], block, Stretch { sessions: ranges[block].clone(), fold }));
            tested[block] += 1;
        }
        let test: Vec<Range<usize>> = chosen.iter().map(|&block| ranges[block].clone()).collect();
        folds.push(Fold { train: train(sessions, &test, gap), test });
        advance(&mut chosen, blocks);
    }
    stretches.sort_by_key(|&(path, block, _)| (path, block));
    for (path, _, stretch) in stretches {
        paths[path].push(stretch);
    }
    Ok(Folds { folds, paths })
}

/// Number of ways to choose `k` of `n`, or a number above [`MOST_FOLDS`].
fn choices(n: usize, k: usize) -> usize {
    let mut ways = 1_usize;
    for step in 0..k.min(n - k) {
        // Exact: the product of so many neighbours is divisible. It grows with each step, so that stopping is safe.
        ways = ways.saturating_mul(n - step) / (step + 1);
        if ways > MOST_FOLDS {
            return ways;
        }
    }
    ways
}

/// The next choice in lexicographic order; the last one stays.
fn advance(chosen: &mut [usize], blocks: usize) {
    let k = chosen.len();
    if let Some(place) = (0..k).rev().find(|&place| chosen[place] < blocks - k + place) {
        chosen[place] += 1;
        for later in place + 1..k {
            chosen[later] = chosen[later - 1] + 1;
        }
    }
}

fn ranges(sessions: usize, blocks: usize, remainder: Remainder) -> Vec<Range<usize>> {
    let (length, rest) = (sessions / blocks, sessions % blocks);
    let start = |block: usize| match remainder {
        Remainder::Last if block == blocks => sessions,
        Remainder::Last => block * length,
        Remainder::Spread => block * length + block.min(rest),
    };
    (0..blocks).map(|block| start(block)..start(block + 1)).collect()
}

/// All sessions without the test ranges (ascending) and their gaps.
pub(super) fn train(sessions: usize, test: &[Range<usize>], gap: Gap) -> Vec<Range<usize>> {
    let mut train = Vec::new();
    let mut from = 0;
    for (place, range) in test.iter().enumerate() {
        let until = range.start.saturating_sub(gap.before);
        if from < until {
            train.push(from..until);
        }
        let adjacent = test.get(place + 1).is_some_and(|next| next.start == range.end);
        from = if adjacent { range.end } else { range.end.saturating_add(gap.after) };
    }
    if from < sessions {
        train.push(from..sessions);
    }
    train
}
