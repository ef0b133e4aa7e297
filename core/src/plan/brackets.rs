//! Brackets of a search on parts of the data: how many trials see how much, and what that comes to.
//!
//! Given what a search may spend, in trials on all of the data, this file gives the brackets of Hyperband (Li et al., JMLR
//! 18, 2018) one after another. A bracket begins with many trials on a small part; of each rung a third goes on to a part
//! three times as large, the last one to all of the data. Brackets differ in the part on which they begin. It never knows
//! which trials these are, nor which sessions a part has.

use super::{Method, Searching};

/// The smallest part of the data is one of so many.
const PARTS: u32 = 20;

/// The smallest part of the data.
pub const SMALLEST: f64 = 1.0 / PARTS as f64;

/// How many times larger the next part is, and of how many trials one goes on to it.
pub const ETA: usize = 3;

/// Rungs on which brackets of BOHB begin: those of small parts. The others hedge against small parts that say nothing of the
/// whole, at half of what is spent, by points that an estimator which saw few of them proposes.
const LOW: usize = 2;

/// Slack of sums of parts, far below any part.
const SLACK: f64 = 1e-9;

/// The parts of the data that trials are evaluated on, ascending: powers of three from the smallest on, and the whole.
pub fn budgets() -> Vec<f64> {
    // From whole numbers, so that 9 of 20 is the number that reads 0.45.
    let parts = std::iter::successors(Some(1), |part| Some(part * ETA as u32)).take_while(|&part| part < PARTS);
    parts.chain([PARTS]).map(|part| f64::from(part) / f64::from(PARTS)).collect()
}

/// Trials of a rung that go on to the next one: a third, but at least one, so that a small bracket reaches the whole too.
pub fn going_on(trials: usize) -> usize {
    (trials / ETA).max(1)
}

/// What a search has left to spend, and where its next bracket begins.
#[derive(Clone, Debug)]
pub struct Brackets {
    budgets: Vec<f64>,
    /// In trials on all of the data.
    left: f64,
    /// Rungs on which brackets begin, in turn.
    starts: usize,
    /// The rung on which the next bracket begins.
    start: usize,
}

impl Brackets {
    /// Brackets that cost as much as the search's trials on all of the data, and no more.
    pub fn new(searching: &Searching) -> Brackets {
        let budgets = budgets();
        let starts = if searching.method == Method::Bohb { LOW } else { budgets.len() };
        Brackets { budgets, left: searching.trials as f64, starts, start: 0 }
    }

    /// The parts of the data, ascending.
    pub fn budgets(&self) -> &[f64] {
        &self.budgets
    }

    /// Trials on all of the data that can still be paid.
    pub fn wholes_left(&self) -> usize {
        (self.left + SLACK) as usize
    }

    /// Pays for trials on a part.
    pub fn pay(&mut self, trials: usize, budget: f64) {
        self.left -= budget * trials as f64;
    }

    /// The rung on which the next bracket begins and the number of trials there; `None` if no bracket can be paid. One
    /// that cannot be paid as a whole is made smaller, or begins on a larger part: every bracket comes to its end.
    pub fn begin(&mut self) -> Option<(usize, usize)> {
        let last = self.budgets.len() - 1;
        for start in self.start..=last {
            let least = if start == last { 1 } else { ETA };
            let sizes = (least..=self.full_size(start)).rev();
            if let Some(size) = sizes.into_iter().find(|&size| self.cost(start, size) <= self.left + SLACK) {
                // The next one begins a rung higher, the one after the highest at the bottom.
                self.start = (start + 1) % self.starts;
                return Some((start, size));
            }
        }
        None
    }

    /// Trials on the first rung of a full bracket: those of Hyperband's table, about as much data for each bracket.
    fn full_size(&self, start: usize) -> usize {
        let above = self.budgets.len() - 1 - start;
        (self.budgets.len() * ETA.pow(above as u32)).div_ceil(above + 1)
    }

    /// What a bracket costs at most: less where all trials of a rung fail.
    fn cost(&self, start: usize, size: usize) -> f64 {
        let mut trials = size;
        let mut cost = 0.0;
        for (place, budget) in self.budgets[start..].iter().enumerate() {
            if place > 0 {
                trials = going_on(trials);
            }
            cost += budget * trials as f64;
        }
        cost
    }
}

/// What a search of a space of so many valid points comes to: the number of its evaluations,
/// each on one part, and what they cost in trials on all of the data. Both are exact where no trial fails.
pub fn planned(searching: &Searching, points: u64) -> (u64, f64) {
    let mut brackets = Brackets::new(searching);
    let (mut fresh, mut whole, mut evaluations) = (points, 0, 0);
    while let Some((start, size)) = brackets.begin() {
        let mut trials = (size as u64).min(fresh) as usize;
        if trials == 0 {
            break;
        }
        fresh -= trials as u64;
        for place in start..brackets.budgets.len() {
            if place > start {
                trials = going_on(trials);
            }
            brackets.pay(trials, brackets.budgets[place]);
            evaluations += trials as u64;
        }
        whole += trials as u64;
    }
    if fresh == 0 {
        // Every point was seen; what is left goes to the whole of those that were seen in part.
        let rest = (brackets.wholes_left() as u64).min(points - whole);
        brackets.pay(rest as usize, 1.0);
        evaluations += rest;
    }
    (evaluations, searching.trials as f64 - brackets.left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searching(method: Method, trials: u64) -> Searching {
        Searching { method, trials, ..Searching::default() }
    }

    #[test]
    fn brackets_cost_no_more_than_there_is_and_reach_the_whole() {
        let of = |method| [0, 1, 2, 3, 5, 18, 50, 1000].map(|trials| searching(method, trials));
        for searching in [Method::Hyperband, Method::Bohb].into_iter().flat_map(of) {
            let (trials, (evaluations, cost)) = (searching.trials, planned(&searching, u64::MAX));
            assert!(cost <= trials as f64 + 1e-6, "{trials}: {cost}");
            assert!(cost > trials as f64 - 1.0, "{trials}: {cost}");
            assert!(evaluations >= trials, "{trials}: {evaluations}");
        }
        assert_eq!(planned(&searching(Method::Bohb, 1), 100).0, 1);
    }

    #[test]
    fn a_small_space_is_seen_as_a_whole_in_the_end() {
        // Four points: 4 on the smallest part, one of them on each larger one, the other three on the whole.
        let searching = searching(Method::Hyperband, 100);
        assert_eq!(planned(&searching, 4).0, 4 + 1 + 1 + 1 + 3);
        assert_eq!(planned(&searching, 0), (0, 0.0));
    }

    #[test]
    fn full_brackets_are_those_of_the_table() {
        let begun = |method| {
            let mut brackets = Brackets::new(&searching(method, 1000));
            (0..5).filter_map(|_| brackets.begin()).collect::<Vec<_>>()
        };
        assert_eq!(begun(Method::Hyperband), [(0, 27), (1, 12), (2, 6), (3, 4), (0, 27)]);
        assert_eq!(begun(Method::Bohb), [(0, 27), (1, 12), (0, 27), (1, 12), (0, 27)]);
    }
}
