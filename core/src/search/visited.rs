//! Which points were asked for: no point is evaluated twice.
//!
//! Given a proposal, this file gives a valid point that nobody asked for before, by one rule everywhere: the proposal
//! itself, else the nearest open point along an axis, else an evenly drawn one, else the next one in the order of
//! indices. When there is none, the space is exhausted. It never knows why a point was proposed.

use std::collections::BTreeSet;

use super::cube::Cube;
use crate::plan::{Space, Walk};
use crate::rng::Stream;

/// How far from a proposal, in values, an open neighbour is looked for.
const REACH: u64 = 8;
/// Even draws before the space is walked in order: they fail only where hardly one point in a thousand is open.
const DRAWS: u32 = 4096;

/// The points that were asked for.
#[derive(Clone, Debug)]
pub struct Visited {
    space: Space,
    seen: BTreeSet<u64>,
    /// Everything behind it is seen or not valid, so the whole space is walked over at most once.
    walk: Walk,
}

impl Visited {
    /// Nothing asked for yet.
    pub fn new(space: &Space) -> Visited {
        Visited { space: space.clone(), seen: BTreeSet::new(), walk: Walk::new(space, 0..space.size()) }
    }

    /// The space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Number of points asked for.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether a point is valid and was not asked for.
    pub fn is_open(&self, index: u64) -> bool {
        !self.seen.contains(&index) && self.space.is_valid(index)
    }

    /// Asks for a point; `false` if it is not open.
    pub fn claim(&mut self, index: u64) -> bool {
        let open = self.is_open(index);
        if open {
            self.seen.insert(index);
        }
        open
    }

    /// Asks for the point of `digits`, or for the nearest open one; `None` when the space is exhausted.
    pub fn claim_near(&mut self, cube: &Cube, digits: &[u64], stream: &mut Stream) -> Option<u64> {
        let index = cube.index(digits);
        if self.claim(index) {
            return Some(index);
        }
        if let Some(index) = self.neighbour(cube, digits, stream) {
            self.seen.insert(index);
            return Some(index);
        }
        self.claim_any(stream)
    }

    /// Asks for an evenly drawn open point; `None` when the space is exhausted.
    pub fn claim_any(&mut self, stream: &mut Stream) -> Option<u64> {
        for _ in 0..DRAWS {
            let index = stream.below(self.space.size());
            if self.claim(index) {
                return Some(index);
            }
        }
        loop {
            let index = self.walk.next_valid(&self.space)?;
            if self.seen.insert(index) {
                return Some(index);
            }
        }
    }

    /// The open point at the least number of values from `digits` along one axis. The stream says which axis and which
    /// side is tried first, so that moved proposals have no preferred direction.
    fn neighbour(&self, cube: &Cube, digits: &[u64], stream: &mut Stream) -> Option<u64> {
        let dimensions = cube.dimensions();
        let turn = stream.below(dimensions.len() as u64) as usize;
        let down_first = stream.below(2) == 0;
        let mut moved = digits.to_vec();
        for reach in 1..=REACH {
            for step in 0..dimensions.len() {
                let axis = (turn + step) % dimensions.len();
                let (len, from) = (dimensions[axis].len, digits[axis]);
                let (down, up) = (from.checked_sub(reach), from.checked_add(reach).filter(|&digit| digit < len));
                for digit in (if down_first { [down, up] } else { [up, down] }).into_iter().flatten() {
                    moved[axis] = digit;
                    let index = cube.index(&moved);
                    if self.is_open(index) {
                        return Some(index);
                    }
                }
                moved[axis] = from;
            }
        }
        None
    }
}
