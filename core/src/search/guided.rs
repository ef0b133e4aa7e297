//! A search that asks for some of the points: what all methods but the grid share.
//!
//! Given a space and the options of a study, this file runs a method generation by generation: it counts trials,
//! remembers all that was asked and told, smooths scores where plateaus are wanted, and ends on the budget, on the
//! target, when patience runs out, or when the space is exhausted. It never knows who evaluates.

use super::cma::CmaEs;
use super::cube::Cube;
use super::desk::Desk;
use super::ending::Ending;
use super::evolution::Evolution;
use super::genetic::Genetic;
use super::gp::Gp;
use super::local::Local;
use super::nsga::Nsga;
use super::plateau;
use super::score::{Score, Told};
use super::spread::{Cover, Spread};
use super::tpe::Tpe;
use super::visited::Visited;
use crate::num;
use crate::plan::{Method, Searching, Space};
use crate::rng::Stream;

/// The trial number of draws that a method makes when it is told scores.
const RESTARTS: u32 = u32::MAX - 1;

/// A method with its state.
#[derive(Clone, Debug)]
enum Proposer {
    Spread(Spread),
    Tpe(Tpe),
    CmaEs(Box<CmaEs>),
    Evolution(Evolution),
    Genetic(Genetic),
    Gp(Box<Gp>),
    Local(Local),
    Nsga(Nsga),
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct Guided {
    searching: Searching,
    ending: Ending,
    seed: u64,
    cube: Cube,
    visited: Visited,
    proposer: Proposer,
    generation: u32,
    /// All trials told, their losses smoothed under `robust`.
    told: Vec<Told>,
    /// Their losses as told.
    raw: Vec<f64>,
}

impl Guided {
    /// A search of a space; `target` is the loss at which it ends.
    pub fn new(space: &Space, searching: &Searching, target: Option<f64>, seed: u64) -> Guided {
        let cube = Cube::new(space);
        Guided {
            proposer: proposer(searching),
            searching: *searching,
            ending: Ending::new(searching, target),
            seed,
            visited: Visited::new(space),
            cube,
            generation: 0,
            told: Vec::new(),
            raw: Vec::new(),
        }
    }

    /// Clears `trials` and puts the next generation into it, ascending; left empty when the search is done.
    pub fn ask(&mut self, trials: &mut Vec<u64>) {
        trials.clear();
        let left = self.searching.trials.saturating_sub(self.visited.len() as u64);
        if left == 0 || self.ending.has_come() {
            return;
        }
        let mut desk = Desk {
            cube: &self.cube,
            visited: &mut self.visited,
            told: &self.told,
            generation: self.generation,
            most: usize::try_from(left).unwrap_or(usize::MAX),
            seed: self.seed,
            method: self.searching.method.number(),
        };
        let size = usize::try_from(self.searching.generation_size()).unwrap_or(usize::MAX).min(desk.most);
        *trials = match &mut self.proposer {
            Proposer::Spread(spread) => spread.propose(&mut desk, size),
            Proposer::Tpe(tpe) => {
                desk.most = size;
                tpe.propose(&mut desk)
            }
            Proposer::Gp(gp) => {
                desk.most = size;
                gp.propose(&mut desk)
            }
            Proposer::CmaEs(cma) => cma.propose(&mut desk),
            Proposer::Evolution(evolution) => evolution.propose(&mut desk),
            Proposer::Genetic(genetic) => genetic.propose(&mut desk),
            Proposer::Nsga(nsga) => nsga.propose(&mut desk),
            Proposer::Local(local) => local.propose(&mut desk),
        };
        trials.sort_unstable();
        self.generation = self.generation.wrapping_add(1);
    }

    /// Takes the scores of the last generation, parallel to its trials.
    pub fn tell(&mut self, trials: &[u64], scores: &[Score]) {
        let failed = Score::of(num::NAN);
        let new = self.told.len();
        for (place, &index) in trials.iter().enumerate() {
            let score = scores.get(place).unwrap_or(&failed).clone();
            self.raw.push(score.loss());
            self.told.push(Told { index, digits: self.cube.digits(index), score });
        }
        if self.searching.robust {
            plateau::smooth(&self.cube, &mut self.told, &self.raw, new);
        }
        self.learn(new);
        self.ending.look(&self.told);
    }

    /// Shows the trials from `new` on to the methods that keep a state of their own.
    fn learn(&mut self, new: usize) {
        match &mut self.proposer {
            Proposer::CmaEs(cma) => {
                let key = [(self.searching.method.number() << 24) ^ self.generation, RESTARTS];
                cma.learn(&self.cube, &self.told[new..], &mut Stream::new(self.seed, key));
            }
            Proposer::Evolution(evolution) => evolution.learn(&self.told[new..]),
            Proposer::Genetic(genetic) => genetic.learn(&self.told[new..]),
            Proposer::Nsga(nsga) => nsga.learn(&self.told[new..]),
            Proposer::Spread(_) | Proposer::Tpe(_) | Proposer::Gp(_) | Proposer::Local(_) => {}
        }
    }
}

fn proposer(searching: &Searching) -> Proposer {
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let startup = size(searching.startup.min(searching.trials));
    match searching.method {
        Method::LatinHypercube => Proposer::Spread(Spread::new(Cover::LatinHypercube, searching.trials)),
        Method::Sobol => Proposer::Spread(Spread::new(Cover::Sobol, searching.trials)),
        Method::Halton => Proposer::Spread(Spread::new(Cover::Halton, searching.trials)),
        Method::Tpe => Proposer::Tpe(Tpe::new(startup, size(searching.candidates))),
        Method::Gp => Proposer::Gp(Box::new(Gp::new(startup, searching.acquisition))),
        Method::CmaEs => Proposer::CmaEs(Box::new(CmaEs::new(size(searching.population), searching.restarts))),
        Method::De => Proposer::Evolution(Evolution::new(size(searching.population))),
        Method::Ga => Proposer::Genetic(Genetic::new(size(searching.population))),
        Method::Nsga2 => Proposer::Nsga(Nsga::new(size(searching.population))),
        Method::Local => Proposer::Local(Local::new(startup, size(searching.keep), searching.refinement)),
        _ => Proposer::Spread(Spread::new(Cover::Random, searching.trials)),
    }
}
