//! Parts of a batch that hold few columns at a time.
//!
//! Given the columns that each trial needs and how many may be held, this gives groups of trials: of a grid of two
//! averages, blocks of some of the one and some of the other, rather than a few of the one with all of the other. Every
//! column is then computed once for each block that it lies in. It never knows what a column is.

use std::collections::BTreeMap;

/// Positions of trials by tile, tiles and trials in ascending order. `ranks[node][trial]` numbers the distinct columns of
/// a node in the order of their first use; a tile needs at most `most` columns (but at least one of each node).
pub(super) fn tiles(ranks: &[Vec<u32>], trials: usize, most: usize) -> Vec<Vec<usize>> {
    let counts: Vec<usize> = ranks.iter().map(|of| of.iter().max().map_or(0, |&last| last as usize + 1)).collect();
    if counts.iter().sum::<usize>() <= most {
        return vec![(0..trials).collect()];
    }
    let quotas = quotas(&counts, most);
    let mut found: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
    for trial in 0..trials {
        let place = ranks.iter().zip(&quotas).map(|(of, &quota)| of[trial] / quota).collect();
        found.entry(place).or_default().push(trial);
    }
    found.into_values().collect()
}

/// How many columns of each node a tile may have. Those with few distinct columns come first, and what they leave goes to
/// the others: a block that is as wide as it is high computes each column least often.
fn quotas(counts: &[usize], most: usize) -> Vec<u32> {
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&node| (counts[node], node));
    let mut quotas = vec![1; counts.len()];
    let mut left = most;
    for (k, &node) in order.iter().enumerate() {
        let quota = (left / (counts.len() - k)).min(counts[node]).max(1);
        left = left.saturating_sub(quota);
        quotas[node] = quota as u32;
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grid of two parameters, the last one fastest: the ranks of a column by each.
    fn grid(first: u32, second: u32) -> Vec<Vec<u32>> {
        let of = |pick: fn((u32, u32)) -> u32| {
            (0..first).flat_map(|a| (0..second).map(move |b| (a, b))).map(pick).collect::<Vec<u32>>()
        };
        vec![of(|(a, _)| a), of(|(_, b)| b)]
    }

    fn columns(ranks: &[Vec<u32>], tile: &[usize]) -> usize {
        let distinct = |of: &Vec<u32>| {
            let mut seen: Vec<u32> = tile.iter().map(|&trial| of[trial]).collect();
            seen.sort_unstable();
            seen.dedup();
            seen.len()
        };
        ranks.iter().map(distinct).sum()
    }

    #[test]
    fn every_trial_is_in_one_tile_and_no_tile_needs_too_much() {
        for (first, second, most) in [(10, 100, 40), (3, 100, 40), (40, 40, 40), (1, 7, 2), (5, 5, 10), (5, 5, 1)] {
            let ranks = grid(first, second);
            let trials = (first * second) as usize;
            let tiles = tiles(&ranks, trials, most);
            let mut all: Vec<usize> = tiles.iter().flatten().copied().collect();
            assert!(tiles.iter().all(|tile| tile.is_sorted() && columns(&ranks, tile) <= most.max(2)));
            all.sort_unstable();
            assert_eq!(all, (0..trials).collect::<Vec<_>>());
        }
    }

    #[test]
    fn columns_are_computed_seldom() {
        let ranks = grid(10, 100);
        let computed = |most| tiles(&ranks, 1000, most).iter().map(|tile| columns(&ranks, tile)).sum::<usize>();
        assert_eq!((computed(110), computed(40)), (110, 140));
    }

    #[test]
    fn without_columns_there_is_one_tile() {
        assert_eq!(tiles(&[], 3, 0), [[0, 1, 2]]);
    }
}
