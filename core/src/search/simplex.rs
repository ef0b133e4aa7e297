//! A simplex that walks downhill (Nelder and Mead), evaluated where its corners' nearest points are.
//!
//! Given the scores that are known, this file says which points it needs next: first its corners, then the four moves of
//! its worst corner at once, then, if none of them helps, all corners drawn to the best. It never asks for a point twice.

use super::cube::Cube;
use super::local::Known;
use super::score::Score;
use super::visited::Visited;
use crate::num;

/// Where the worst corner goes, in parts of its way through the centre of the others: reflected, expanded, contracted
/// outside and inside.
const MOVES: [f64; 4] = [1.0, 2.0, 0.5, -0.5];
/// Moves on known scores alone, after which the simplex rests: it turns round on the spot.
const MOST_MOVES: u32 = 1000;

/// A simplex under way.
#[derive(Clone, Debug)]
pub struct Simplex {
    /// Corners with their scores, the best first once they are known.
    corners: Vec<(Vec<f64>, Option<Score>)>,
    /// The moves of the worst corner that wait for scores; empty while corners do.
    moves: Vec<Vec<f64>>,
    done: bool,
}

impl Simplex {
    /// A corner at `digits` and one at a step from it along each parameter.
    pub fn new(cube: &Cube, digits: &[u64], steps: &[u64]) -> Simplex {
        let centre = cube.place(digits);
        let mut corners = vec![(centre.clone(), None)];
        for (axis, dimension) in cube.dimensions().iter().enumerate() {
            let step = steps[axis] as f64 * dimension.width();
            let mut corner = centre.clone();
            corner[axis] += if corner[axis] + step < 1.0 { step } else { -step };
            corners.push((corner, None));
        }
        Simplex { corners, moves: Vec::new(), done: false }
    }

    /// The points whose scores are needed; none when it has shrunk to one point.
    pub(super) fn wanted(&mut self, known: &Known<'_>, visited: &Visited) -> Vec<Vec<u64>> {
        for _ in 0..MOST_MOVES {
            if self.done {
                return Vec::new();
            }
            let unknown = self.take_scores(known, visited);
            if !unknown.is_empty() {
                return unknown;
            }
            self.advance(known, visited);
        }
        self.done = true;
        Vec::new()
    }

    /// Fills in the scores of corners; gives the points, corners or moves, that have none.
    fn take_scores(&mut self, known: &Known<'_>, visited: &Visited) -> Vec<Vec<u64>> {
        let mut unknown = Vec::new();
        for (corner, score) in &mut self.corners {
            let digits = known.cube.nearest(corner);
            if score.is_none() {
                *score = known.score(&digits, visited);
            }
            if score.is_none() {
                unknown.push(digits);
            }
        }
        let moves = self.moves.iter().map(|place| known.cube.nearest(place));
        unknown.extend(moves.filter(|digits| known.score(digits, visited).is_none()));
        unknown
    }

    /// All scores are known: the next moves, or the outcome of the last ones.
    fn advance(&mut self, known: &Known<'_>, visited: &Visited) {
        let score = |corner: &(Vec<f64>, Option<Score>)| corner.1.clone().unwrap_or_else(|| Score::of(num::NAN));
        self.corners.sort_by(|a, b| score(a).order(&score(b)));
        if self.is_a_point(known.cube) {
            self.done = true;
            return;
        }
        let moves = std::mem::take(&mut self.moves);
        if moves.is_empty() {
            self.moves = self.possible_moves();
            return;
        }
        let best = (moves.into_iter())
            .filter_map(|place| Some((known.score(&known.cube.nearest(&place), visited)?, place)))
            .reduce(|best, other| if other.0.order(&best.0).is_lt() { other } else { best });
        let worst = self.corners.len() - 1;
        match best {
            Some((new, place)) if new.order(&score(&self.corners[worst])).is_lt() => {
                self.corners[worst] = (place, Some(new));
            }
            _ => self.shrink(),
        }
    }

    fn possible_moves(&self) -> Vec<Vec<f64>> {
        let Some(((worst, _), others)) = self.corners.split_last() else { return Vec::new() };
        let count = others.len().max(1) as f64;
        let centre = |axis: usize| others.iter().map(|(corner, _)| corner[axis]).sum::<f64>() / count;
        let place = |part: &f64| {
            let moved = |axis: usize| (centre(axis) + part * (centre(axis) - worst[axis])).clamp(0.0, 1.0);
            (0..worst.len()).map(moved).collect()
        };
        MOVES.iter().map(place).collect()
    }

    /// Every corner goes half its way to the best one.
    fn shrink(&mut self) {
        let Some((best, others)) = self.corners.split_first_mut() else { return };
        for (corner, score) in others {
            corner.iter_mut().zip(&best.0).for_each(|(x, best)| *x = (*x + best) / 2.0);
            *score = None;
        }
    }

    fn is_a_point(&self, cube: &Cube) -> bool {
        let first = self.corners.first().map(|(corner, _)| cube.nearest(corner));
        self.corners.iter().all(|(corner, _)| Some(cube.nearest(corner)) == first)
    }
}
