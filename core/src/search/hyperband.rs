//! Hyperband and BOHB: many trials on little data, the better ones on more.
//!
//! Given scores of trials that saw a part of the data, this file gives the next trials with the part that they are to
//! see (Li et al., JMLR 18, 2018). A bracket starts with many trials on a small part, and a third of each rung goes on
//! to a three times larger one; brackets differ in where they start. New trials are drawn evenly, or, as BOHB has it, by
//! a Parzen estimator over the largest part on which enough trials were seen (Falkner et al., ICML 2018). It never knows
//! what a part of the data is: sessions, symbols or both.

use super::cube::Cube;
use super::desk::Desk;
use super::score::{Score, Told, ranking};
use super::tpe::Tpe;
use super::visited::Visited;
use crate::plan::Space;

/// The smallest part of the data.
pub const SMALLEST: f64 = 0.05;
/// How many times larger the next part is, and of how many trials one goes on to it.
pub const ETA: usize = 3;
/// Of BOHB's new trials, one in so many is drawn evenly all the same.
const DRAWN: u64 = 3;
/// Candidates of its estimator.
const CANDIDATES: usize = 24;

/// A trial and the part of the data that it is to see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// Its index in the space.
    pub index: u64,
    /// Above 0 and at most 1. The same index may come again with a larger part, never with the same.
    pub budget: f64,
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct Hyperband {
    cube: Cube,
    visited: Visited,
    seed: u64,
    method: u32,
    /// Parts of the data, ascending, the last one 1.
    rungs: Vec<f64>,
    /// Whether new trials are proposed by an estimator.
    learns: bool,
    /// Trials told on each rung.
    told: Vec<Vec<Told>>,
    /// Data that may still be spent, in wholes.
    left: f64,
    /// The rung on which the bracket under way started, the rung of the last generation, and what goes on from it.
    start: usize,
    rung: usize,
    promoted: Option<Vec<u64>>,
    generation: u32,
}

impl Hyperband {
    /// A search that spends as much data as `trials` trials on all of it. `bohb` says whether it learns.
    pub fn new(space: &Space, trials: u64, bohb: bool, seed: u64, method: u32) -> Hyperband {
        let rungs = rungs();
        Hyperband {
            cube: Cube::new(space),
            visited: Visited::new(space),
            seed,
            method,
            told: vec![Vec::new(); rungs.len()],
            rungs,
            learns: bohb,
            left: trials as f64,
            start: 0,
            rung: 0,
            promoted: None,
            generation: 0,
        }
    }

    /// The parts of the data, ascending.
    pub fn rungs(&self) -> &[f64] {
        &self.rungs
    }

    /// Clears `trials` and puts the next generation, one rung of a bracket, into it, ascending; left empty when the data
    /// to spend or the space is exhausted.
    pub fn ask(&mut self, trials: &mut Vec<Trial>) {
        trials.clear();
        let indices = match self.promoted.take() {
            Some(promoted) if !promoted.is_empty() => promoted,
            _ => {
                self.rung = self.start;
                self.fresh()
            }
        };
        let budget = self.rungs[self.rung];
        let affordable = ((self.left + 1e-9) / budget) as usize;
        trials.extend(indices.into_iter().take(affordable).map(|index| Trial { index, budget }));
        trials.sort_by_key(|trial| trial.index);
        self.left -= budget * trials.len() as f64;
        self.generation = self.generation.wrapping_add(1);
    }

    /// Takes the scores of the last generation, parallel to its trials.
    pub fn tell(&mut self, trials: &[Trial], scores: &[Score]) {
        let told: Vec<Told> = (trials.iter().zip(scores))
            .map(|(trial, score)| Told {
                index: trial.index,
                digits: self.cube.digits(trial.index),
                score: score.clone(),
            })
            .collect();
        let last = self.rung + 1 == self.rungs.len();
        let going_on = if last { 0 } else { told.len() / ETA };
        let best = ranking(&told).into_iter().take(going_on).filter(|&place| !told[place].score.failed());
        let best: Vec<u64> = best.map(|place| told[place].index).collect();
        self.told[self.rung].extend(told);
        if best.is_empty() {
            // The next bracket starts a rung higher, the one after the highest at the bottom.
            self.start = (self.start + 1) % self.rungs.len();
        } else {
            self.rung += 1;
            self.promoted = Some(best);
        }
    }

    /// Trials of the first rung of the bracket under way: those of Hyperband's table, as much data for each bracket.
    fn first_size(&self) -> usize {
        let above = self.rungs.len() - 1 - self.start;
        (self.rungs.len() * ETA.pow(above as u32)).div_ceil(above + 1)
    }

    /// New trials.
    fn fresh(&mut self) -> Vec<u64> {
        let size = self.first_size();
        let enough = self.cube.len() + 2;
        let model = self.told.iter().rposition(|told| told.len() > enough).filter(|_| self.learns);
        let mut desk = Desk {
            cube: &self.cube,
            visited: &mut self.visited,
            told: model.map_or(&[], |rung| &self.told[rung]),
            generation: self.generation,
            most: size,
            seed: self.seed,
            method: self.method,
        };
        let mut fresh = Vec::new();
        let mut whole = desk.whole_stream();
        let by_model = (0..size).filter(|_| model.is_some() && whole.below(DRAWN) != 0).count();
        if by_model > 0 {
            desk.most = by_model;
            fresh = Tpe::new(0, CANDIDATES).propose(&mut desk);
        }
        fresh.extend((fresh.len()..size).map_while(|_| desk.visited.claim_any(&mut whole)));
        fresh
    }
}

/// Powers of three from the smallest part on, and the whole.
fn rungs() -> Vec<f64> {
    let mut rungs = Vec::new();
    let mut part = SMALLEST;
    while part < 1.0 - 1e-9 {
        rungs.push(part);
        part *= ETA as f64;
    }
    rungs.push(1.0);
    rungs
}
