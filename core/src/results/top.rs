//! The best rows, found in one pass.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::columns::Results;
use crate::num;
use crate::plan::Direction;

/// The `k` best of a stream of scored trials, in memory of size `k`. NaN is worse than every number; of equal scores
/// the smaller index is the better, so the order in which trials come does not matter.
#[derive(Clone, Debug)]
pub struct TopK<T> {
    k: usize,
    direction: Direction,
    /// The worst one kept is on top.
    heap: BinaryHeap<Ranked<T>>,
}

#[derive(Clone, Debug)]
struct Ranked<T> {
    /// The score as ranked: negated where small ones are wanted last.
    key: f64,
    index: u64,
    score: f64,
    payload: T,
}

impl<T> Ord for Ranked<T> {
    /// Less is better.
    fn cmp(&self, other: &Self) -> Ordering {
        num::nan_last(self.key, other.key).then(self.index.cmp(&other.index))
    }
}

impl<T> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Ranked<T> {}

impl<T> TopK<T> {
    /// Keeps the best `k`.
    pub fn new(k: usize, direction: Direction) -> TopK<T> {
        TopK { k, direction, heap: BinaryHeap::new() }
    }

    /// Offers a trial; `payload` is only made if the trial is among the best so far.
    pub fn offer(&mut self, index: u64, score: f64, payload: impl FnOnce() -> T) {
        let key = match self.direction {
            Direction::Max => -score,
            Direction::Min => score,
        };
        let better = |worst: &Ranked<T>| num::nan_last(key, worst.key).then(index.cmp(&worst.index)).is_lt();
        if self.heap.len() >= self.k {
            if !self.heap.peek().is_some_and(better) {
                return;
            }
            self.heap.pop();
        }
        self.heap.push(Ranked { key, index, score: num::canonical(score), payload: payload() });
    }

    /// The best one so far: index and score.
    pub fn best(&self) -> Option<(u64, f64)> {
        self.heap.iter().min().map(|best| (best.index, best.score))
    }

    /// Index, score and payload, the best first.
    pub fn into_sorted(self) -> Vec<(u64, f64, T)> {
        let sorted = self.heap.into_sorted_vec();
        sorted.into_iter().map(|ranked| (ranked.index, ranked.score, ranked.payload)).collect()
    }
}

/// The rows of the `k` best trials by a metric, the best first, of those that saw all of the data.
pub fn top_rows(results: &Results, metric: usize, k: usize, direction: Direction) -> Vec<usize> {
    let mut top = TopK::new(k, direction);
    for (row, (&index, &score)) in results.index().iter().zip(results.metric(metric)).enumerate() {
        if results.is_whole(row) {
            top.offer(index, score, || row);
        }
    }
    top.into_sorted().into_iter().map(|(_, _, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn score() -> impl Strategy<Value = f64> {
        prop_oneof![Just(f64::NAN), (-3i32..3).prop_map(f64::from), any::<f64>()]
    }

    proptest! {
        #[test]
        fn the_top_is_the_head_of_the_sorted_list_in_any_order(
            scores in prop::collection::vec(score(), 0..60), k in 0usize..20, low in any::<bool>(), turn in 0usize..60,
        ) {
            let direction = if low { Direction::Min } else { Direction::Max };
            let mut sorted: Vec<(u64, f64)> = (0u64..).zip(scores.iter().copied()).collect();
            sorted.sort_by(|a, b| match (a.1.is_nan(), b.1.is_nan()) {
                (false, false) if low => a.1.partial_cmp(&b.1).unwrap_or(Ordering::Equal),
                (false, false) => b.1.partial_cmp(&a.1).unwrap_or(Ordering::Equal),
                (a, b) => a.cmp(&b),
            });
            let mut top = TopK::new(k, direction);
            let n = scores.len();
            for i in (0..n).map(|i| (i + turn) % n) {
                top.offer(i as u64, scores[i], || i);
            }
            prop_assert_eq!(top.best().map(|best| best.0), sorted.first().map(|first| first.0).filter(|_| k > 0));
            let found: Vec<u64> = top.into_sorted().iter().map(|entry| entry.0).collect();
            let expected: Vec<u64> = sorted.iter().take(k).map(|entry| entry.0).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
