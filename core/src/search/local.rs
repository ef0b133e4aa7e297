//! Refinement around the best points of a cover.
//!
//! Given the trials so far, this file takes the best of them as centres and improves each for itself, all in the same
//! generations: along each parameter in steps that are halved (coordinate search), or by a simplex (Nelder and Mead,
//! Computer Journal 7, 1965). Scores that are known are used, not asked for again. The search ends when no centre can be
//! improved by a step of one value. It never knows how the first trials were chosen.

use std::collections::BTreeMap;

use super::cube::Cube;
use super::desk::Desk;
use super::score::{Score, Told, ranking};
use super::simplex::Simplex;
use super::spread::{Cover, Spread};
use super::visited::Visited;
use crate::num;
use crate::plan::Refinement;

/// First steps are a range divided by this.
const FIRST_PART: u64 = 8;
/// Names of an unordered parameter that are tried at most, those after the centre's own.
const MOST_NAMES: u64 = 16;

/// What is known of the points.
pub(super) struct Known<'a> {
    pub cube: &'a Cube,
    places: BTreeMap<u64, &'a Score>,
}

impl<'a> Known<'a> {
    fn new(cube: &'a Cube, told: &'a [Told]) -> Known<'a> {
        Known { cube, places: told.iter().map(|trial| (trial.index, &trial.score)).collect() }
    }

    /// The score of digits: of a point that cannot be asked for, that of a failed trial; `None` if it is not known yet.
    pub fn score(&self, digits: &[u64], visited: &Visited) -> Option<Score> {
        let index = self.cube.index(digits);
        match self.places.get(&index) {
            Some(score) => Some((*score).clone()),
            None if visited.space().is_valid(index) => None,
            None => Some(Score::of(num::NAN)),
        }
    }
}

/// A centre that is refined along its parameters.
#[derive(Clone, Debug)]
struct Centre {
    digits: Vec<u64>,
    steps: Vec<u64>,
}

/// A point under refinement.
#[derive(Clone, Debug)]
enum Refined {
    Coordinate(Centre),
    Simplex(Simplex),
}

/// The method under way.
#[derive(Clone, Debug)]
pub struct Local {
    startup: usize,
    keep: usize,
    refinement: Refinement,
    first: Spread,
    refined: Option<Vec<Refined>>,
}

impl Local {
    /// After `startup` trials of a Latin hypercube, the best `keep` are refined.
    pub fn new(startup: usize, keep: usize, refinement: Refinement) -> Local {
        let first = Spread::new(Cover::LatinHypercube, startup as u64);
        Local { startup, keep, refinement, first, refined: None }
    }

    /// Asks for the next generation; nothing when all centres are as good as they get.
    pub fn propose(&mut self, desk: &mut Desk<'_>) -> Vec<u64> {
        let known = desk.told.len();
        if known < self.startup && self.refined.is_none() {
            let first = self.first.propose(desk, desk.most.min(self.startup - known));
            if !first.is_empty() {
                return first;
            }
        }
        let (told, cube) = (desk.told, desk.cube);
        let (keep, refinement) = (self.keep, self.refinement);
        let refined = self.refined.get_or_insert_with(|| {
            let best = ranking(told).into_iter().take(keep);
            best.map(|place| begin(cube, refinement, &told[place])).collect()
        });
        let known = Known::new(cube, told);
        let mut proposed = Vec::new();
        for one in refined {
            let wanted = match one {
                Refined::Coordinate(centre) => centre.wanted(&known, desk.visited),
                Refined::Simplex(simplex) => simplex.wanted(&known, desk.visited),
            };
            for digits in wanted {
                let index = cube.index(&digits);
                // Another centre may have asked for it in this generation already.
                if proposed.len() < desk.most && desk.visited.claim(index) {
                    proposed.push(index);
                }
            }
        }
        proposed
    }
}

fn begin(cube: &Cube, refinement: Refinement, trial: &Told) -> Refined {
    let steps: Vec<u64> = cube.dimensions().iter().map(|dimension| (dimension.len / FIRST_PART).max(1)).collect();
    match refinement {
        Refinement::Coordinate => Refined::Coordinate(Centre { digits: trial.digits.clone(), steps }),
        Refinement::NelderMead => Refined::Simplex(Simplex::new(cube, &trial.digits, &steps)),
    }
}

impl Centre {
    /// The neighbours whose scores are needed. While all are known, the centre moves to the best of them if that is
    /// better, and else its steps are halved.
    fn wanted(&mut self, known: &Known<'_>, visited: &Visited) -> Vec<Vec<u64>> {
        loop {
            let neighbours = self.neighbours(known.cube);
            let scored: Vec<(Option<Score>, Vec<u64>)> =
                neighbours.into_iter().map(|digits| (known.score(&digits, visited), digits)).collect();
            if scored.iter().any(|(score, _)| score.is_none()) {
                return scored.into_iter().filter(|(score, _)| score.is_none()).map(|(_, digits)| digits).collect();
            }
            let own = known.score(&self.digits, visited).unwrap_or_else(|| Score::of(num::NAN));
            let best = (scored.into_iter().filter_map(|(score, digits)| Some((score?, digits))))
                .reduce(|best, other| if other.0.order(&best.0).is_lt() { other } else { best });
            match best {
                Some((score, digits)) if score.order(&own).is_lt() => self.digits = digits,
                _ if self.steps.iter().all(|&step| step == 1) => return Vec::new(),
                _ => self.steps.iter_mut().for_each(|step| *step = (*step / 2).max(1)),
            }
        }
    }

    /// One step down and up along each parameter, and the other names of those without an order.
    fn neighbours(&self, cube: &Cube) -> Vec<Vec<u64>> {
        let mut neighbours = Vec::new();
        for (axis, dimension) in cube.dimensions().iter().enumerate() {
            let (own, step) = (self.digits[axis], self.steps[axis]);
            let others: Vec<u64> = if dimension.ordered {
                let up = own.checked_add(step).filter(|&digit| digit < dimension.len);
                own.checked_sub(step).into_iter().chain(up).collect()
            } else {
                (1..dimension.len.min(MOST_NAMES + 1)).map(|turn| (own + turn) % dimension.len).collect()
            };
            for digit in others {
                let mut digits = self.digits.clone();
                digits[axis] = digit;
                neighbours.push(digits);
            }
        }
        neighbours
    }
}
