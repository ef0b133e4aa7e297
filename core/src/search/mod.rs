//! Search: which trials come next.
//!
//! Given a space and the scores of earlier trials, this room gives the next trials. It never knows results or engines.
//!
//! Every method speaks in generations: [`Searcher::ask`] names the trials of one generation by their indices in the
//! space, and [`Searcher::tell`] takes all their scores back at once, in the order of the question. The size of a
//! generation belongs to the plan, never to the machine, so the number of threads cannot change which trials are
//! asked for. A trial that failed has the score NaN; it never stops a search.

mod grid;

use std::ops::Range;

pub use grid::Grid;

use crate::plan::{Method, Plan};

/// A search under way.
#[derive(Clone, Debug)]
pub enum Searcher {
    /// Every valid point in the order of its index; learns nothing from scores.
    Grid(Grid),
}

impl Searcher {
    /// The search that a plan asks for, over a range of indices (a shard, or what an earlier run left).
    pub fn new(plan: &Plan, range: Range<u64>) -> Searcher {
        match plan.method() {
            Method::Grid | Method::Single => Searcher::Grid(Grid::new(plan.space(), range)),
        }
    }

    /// Clears `trials` and puts the next generation into it, at most `n` trials; left empty when the search is done.
    pub fn ask(&mut self, n: usize, trials: &mut Vec<u64>) {
        match self {
            Searcher::Grid(grid) => grid.next_batch(n, trials),
        }
    }

    /// Takes the scores of the last generation, parallel to its trials.
    pub fn tell(&mut self, _trials: &[u64], _scores: &[f64]) {
        match self {
            Searcher::Grid(_) => {}
        }
    }
}
