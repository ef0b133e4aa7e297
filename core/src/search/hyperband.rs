//! Hyperband and BOHB: many trials on little data, the better ones on more.
//!
//! Given scores of trials that saw a part of the data, this file gives the next trials with the part that they are to
//! see, in the brackets of [`Brackets`]. New trials are drawn evenly, or, as BOHB has it, by a Parzen estimator over the
//! largest part on which enough trials were seen (Falkner et al., ICML 2018). Where every point was seen, what is left to
//! spend goes to all of the data for those that were seen in part, the best first. It never knows what a part of the data
//! is.

use std::collections::BTreeSet;

use super::cube::Cube;
use super::desk::Desk;
use super::ending::Ending;
use super::plateau;
use super::score::{Score, Told, ranking};
use super::tpe::Tpe;
use super::visited::Visited;
use crate::num;
use crate::plan::brackets::{Brackets, going_on};
use crate::plan::{Method, Searching, Space};

/// Of BOHB's new trials, one in so many is drawn evenly all the same.
const DRAWN: u64 = 3;

/// BOHB's estimator learns from the largest part with more trials than this: of ever fewer, the tenth that it takes for good
/// ones is two or a single one, and it asks for their neighbours alone.
const ENOUGH: usize = 30;

/// What was told of the trials on one part of the data.
#[derive(Clone, Debug, Default)]
struct Rung {
    /// Their losses smoothed under `robust`.
    told: Vec<Told>,
    /// Their losses as told.
    raw: Vec<f64>,
}

/// A search under way. The same point may come again with a larger part of the data, never with the same.
#[derive(Clone, Debug)]
pub struct Hyperband {
    searching: Searching,
    /// By what it finds on all of the data.
    ending: Ending,
    seed: u64,
    cube: Cube,
    visited: Visited,
    brackets: Brackets,
    rungs: Vec<Rung>,
    /// The rung of the last generation, and what goes on from it.
    rung: usize,
    promoted: Vec<u64>,
    generation: u32,
}

impl Hyperband {
    /// A search of a space that spends as much data as `searching.trials` trials on all of it; `target` is the loss at
    /// which it ends.
    pub fn new(space: &Space, searching: &Searching, target: Option<f64>, seed: u64) -> Hyperband {
        let brackets = Brackets::new(searching);
        Hyperband {
            searching: *searching,
            ending: Ending::new(searching, target),
            seed,
            cube: Cube::new(space),
            visited: Visited::new(space),
            rungs: vec![Rung::default(); brackets.budgets().len()],
            brackets,
            rung: 0,
            promoted: Vec::new(),
            generation: 0,
        }
    }

    /// Clears `trials` and puts the next generation, one rung of a bracket, into it, ascending; gives the part of the data
    /// that they are to see, above 0 and at most 1. Left empty when the search is done.
    pub fn ask(&mut self, trials: &mut Vec<u64>) -> f64 {
        trials.clear();
        if self.promoted.is_empty() {
            if !self.ending.has_come() {
                *trials = self.begin();
            }
        } else {
            self.rung += 1;
            trials.append(&mut self.promoted);
        }
        let budget = self.brackets.budgets()[self.rung];
        self.brackets.pay(trials.len(), budget);
        trials.sort_unstable();
        self.generation = self.generation.wrapping_add(1);
        budget
    }

    /// Takes the scores of the last generation, parallel to its trials.
    pub fn tell(&mut self, trials: &[u64], scores: &[Score]) {
        let failed = Score::of(num::NAN);
        let is_whole = self.is_whole();
        let rung = &mut self.rungs[self.rung];
        let new = rung.told.len();
        for (place, &index) in trials.iter().enumerate() {
            let score = scores.get(place).unwrap_or(&failed).clone();
            rung.raw.push(score.loss());
            rung.told.push(Told { index, digits: self.cube.digits(index), score });
        }
        if self.searching.robust {
            plateau::smooth(&self.cube, &mut rung.told, &rung.raw, new);
        }
        if is_whole {
            self.ending.look(&self.rungs[self.rung].told);
            return;
        }
        let told = &rung.told[new..];
        let best = ranking(told).into_iter().take(going_on(told.len()));
        self.promoted = best.filter(|&place| !told[place].score.failed()).map(|place| told[place].index).collect();
    }

    /// Points that were asked for and saw only a part of the data.
    pub fn seen_in_part(&self) -> u64 {
        let whole = self.rungs.last().map_or(0, |rung| rung.told.len());
        self.visited.len().saturating_sub(whole) as u64
    }

    /// Whether the last generation saw all of the data.
    fn is_whole(&self) -> bool {
        self.rung + 1 == self.rungs.len()
    }

    /// The first trials of the next bracket.
    fn begin(&mut self) -> Vec<u64> {
        let Some((start, size)) = self.brackets.begin() else { return Vec::new() };
        self.rung = start;
        let fresh = self.fresh(size);
        if !fresh.is_empty() {
            return fresh;
        }
        self.rung = self.rungs.len() - 1;
        self.rest()
    }

    /// New trials.
    fn fresh(&mut self, size: usize) -> Vec<u64> {
        let learns = self.searching.method == Method::Bohb;
        let enough = ENOUGH.max(self.cube.len() + 2);
        let model = self.rungs.iter().rposition(|rung| rung.told.len() > enough).filter(|_| learns);
        let mut desk = Desk {
            cube: &self.cube,
            visited: &mut self.visited,
            told: model.map_or(&[], |rung| &self.rungs[rung].told),
            generation: self.generation,
            most: size,
            seed: self.seed,
            method: self.searching.method.number(),
        };
        let mut fresh = Vec::new();
        let mut whole = desk.whole_stream();
        let by_model = (0..size).filter(|_| model.is_some() && whole.below(DRAWN) != 0).count();
        if by_model > 0 {
            desk.most = by_model;
            let candidates = usize::try_from(self.searching.candidates).unwrap_or(usize::MAX);
            fresh = Tpe::new(0, candidates).propose(&mut desk);
        }
        fresh.extend((fresh.len()..size).map_while(|_| desk.visited.claim_any(&mut whole)));
        fresh
    }

    /// Points that were seen in part and can still be paid, those of the largest part first, the best of each first.
    fn rest(&self) -> Vec<u64> {
        let Some((whole, parts)) = self.rungs.split_last() else { return Vec::new() };
        let mut seen: BTreeSet<u64> = whole.told.iter().map(|trial| trial.index).collect();
        let by_rung =
            parts.iter().rev().flat_map(|rung| ranking(&rung.told).into_iter().map(|place| &rung.told[place]));
        let open = by_rung.filter(|trial| !trial.score.failed() && seen.insert(trial.index));
        open.map(|trial| trial.index).take(self.brackets.wholes_left()).collect()
    }
}
