//! Search: which trials come next.
//!
//! Given a space and the scores of earlier trials, this room gives the next trials. It never knows results or engines.
//!
//! Every method speaks in generations: [`Searcher::ask`] names the trials of one generation by their indices in the
//! space, ascending, and [`Searcher::tell`] takes all their scores back at once, in the same order. The size of a
//! generation belongs to the plan, never to the machine, so the number of threads cannot change which trials are asked
//! for. A trial that failed has the loss NaN; it never stops a search. No trial is asked for twice: a proposal that is
//! known or not valid is moved by one rule, the same for all methods.
//!
//! A generation of [`Hyperband`] sees a part of the data. Its points may be asked for again with a larger part; no point
//! is asked for twice with the same.

mod breeding;
mod cma;
mod cube;
mod descent;
mod desk;
mod ending;
mod evolution;
mod front;
mod genetic;
mod gp;
mod grid;
mod guided;
mod hyperband;
mod linear;
mod local;
mod nsga;
mod plateau;
mod process;
mod score;
mod simplex;
mod sobol;
mod spread;
mod tpe;
mod visited;

use std::ops::Range;

pub use front::{hypervolume, pareto_set};
pub use grid::Grid;
pub use guided::Guided;
pub use hyperband::Hyperband;
pub use plateau::standings;
pub use score::Score;

use crate::plan::{Method, Plan};

/// A search under way.
#[derive(Clone, Debug)]
pub enum Searcher {
    /// Every valid point in the order of its index; learns nothing from scores.
    Grid(Grid),
    /// A method that asks for some of the points.
    Guided(Box<Guided>),
    /// A method that evaluates points on parts of the data.
    Hyperband(Box<Hyperband>),
}

impl Searcher {
    /// The search that a plan asks for. A grid is walked over a range of indices (a shard, or what an earlier run left);
    /// other methods need the whole space.
    pub fn new(plan: &Plan, range: Range<u64>) -> Searcher {
        let (space, searching, target, seed) = (plan.space(), plan.searching(), plan.target_loss(), plan.seed());
        match plan.method() {
            Method::Grid | Method::Single => Searcher::Grid(Grid::new(space, range)),
            Method::Hyperband | Method::Bohb => {
                Searcher::Hyperband(Box::new(Hyperband::new(space, searching, target, seed)))
            }
            _ => Searcher::Guided(Box::new(Guided::new(space, searching, target, seed))),
        }
    }

    /// Clears `trials` and puts the next generation into it: of a grid `n` trials at most, of other methods as many as
    /// their generation has. It is left empty when the search is done. Gives the part of the data that they are to see:
    /// 1 for all of it.
    pub fn ask(&mut self, n: usize, trials: &mut Vec<u64>) -> f64 {
        match self {
            Searcher::Grid(grid) => grid.next_batch(n, trials),
            Searcher::Guided(guided) => guided.ask(trials),
            Searcher::Hyperband(hyperband) => return hyperband.ask(trials),
        }
        1.0
    }

    /// Whether it waits for scores.
    pub fn learns(&self) -> bool {
        !matches!(self, Searcher::Grid(_))
    }

    /// Takes the scores of the last generation, parallel to its trials; a score that is missing is that of a failed trial.
    pub fn tell(&mut self, trials: &[u64], scores: &[Score]) {
        match self {
            Searcher::Grid(_) => {}
            Searcher::Guided(guided) => guided.tell(trials, scores),
            Searcher::Hyperband(hyperband) => hyperband.tell(trials, scores),
        }
    }

    /// Points that were asked for and saw only a part of the data.
    pub fn seen_in_part(&self) -> u64 {
        match self {
            Searcher::Hyperband(hyperband) => hyperband.seen_in_part(),
            Searcher::Grid(_) | Searcher::Guided(_) => 0,
        }
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
