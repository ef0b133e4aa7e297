//! The scores of a search as a landscape over its space.
//!
//! Given scores by index as they come in, this file says in the end whether the chosen trial stands on a peak or on a
//! plateau, and which parameters matter. It never knows how points were found, only whether all of them were tried.

use sandtable_core::analysis::{Landscape, Terrain};
use sandtable_core::plan::{Direction, Plan};
use serde::Serialize;

/// Scores that are kept: 64 MB. A larger search has its trials on disk, and no surface.
pub const MOST_POINTS: usize = 1 << 22;

/// A plateau holds what is better than the median by four fifths of what the chosen trial is better by.
const TOLERANCE: f64 = 0.2;

/// Scores of trials by their index.
#[derive(Debug)]
pub struct Scores {
    direction: Direction,
    list: Vec<(u64, f64)>,
    too_many: bool,
}

/// What is said of the landscape.
#[derive(Debug, Serialize)]
pub struct Surface {
    /// The parameters in order: those of `slices`, `importance` and `sensitivity`.
    pub parameters: Vec<String>,
    /// Whether larger scores are better; if not, all scores in `terrain` have the other sign.
    pub larger_is_better: bool,
    /// Whether every point of the space was tried. If not, local maxima and shares are those among the points tried.
    pub whole: bool,
    /// The landscape around the chosen trial.
    pub terrain: Terrain,
}

impl Scores {
    /// None yet.
    pub fn new(direction: Direction) -> Scores {
        Scores { direction, list: Vec::new(), too_many: false }
    }

    /// Takes the objective of a trial.
    pub fn add(&mut self, index: u64, score: f64) {
        if self.list.len() < MOST_POINTS {
            let score = if self.direction == Direction::Max { score } else { -score };
            self.list.push((index, score));
        } else {
            self.too_many = true;
        }
    }

    /// The landscape around the chosen trial, or why there is none.
    pub fn surface(mut self, plan: &Plan, best: u64) -> Result<Surface, String> {
        if self.too_many {
            return Err(format!("more than {MOST_POINTS} points"));
        }
        self.list.sort_unstable_by_key(|(index, _)| *index);
        self.list.dedup_by_key(|(index, _)| *index);
        let axes = plan.space().axes();
        let lengths: Vec<u64> = axes.iter().map(|axis| axis.len).collect();
        let (indices, scores): (Vec<u64>, Vec<f64>) = self.list.into_iter().unzip();
        let landscape = Landscape::new(&lengths, &indices, &scores).map_err(|error| error.message().to_owned())?;
        let Some(terrain) = landscape.terrain_at(best, TOLERANCE) else {
            return Err("the chosen trial has no score".into());
        };
        let whole = !plan.method().is_guided();
        let alone = |(axis, &length): (usize, &u64)| length > 1 && !has_neighbour(&lengths, &indices, best, axis);
        if let Some((axis, _)) = lengths.iter().enumerate().find(|&entry| alone(entry)).filter(|_| !whole) {
            return Err(format!("no neighbour of the chosen trial along `{}` was tried", axes[axis].name));
        }
        let parameters = axes.iter().map(|axis| axis.name.clone()).collect();
        Ok(Surface { parameters, larger_is_better: self.direction == Direction::Max, whole, terrain })
    }
}

/// Whether a point one step from another along an axis was tried.
fn has_neighbour(lengths: &[u64], indices: &[u64], index: u64, axis: usize) -> bool {
    let stride: u64 = lengths[axis + 1..].iter().product();
    let digit = index / stride % lengths[axis];
    let tried = |index: u64| indices.binary_search(&index).is_ok();
    digit > 0 && tried(index - stride) || digit + 1 < lengths[axis] && tried(index + stride)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_step_away_on_the_same_line() {
        // Of a grid of 3 × 4: 5 is (1, 1), 6 its neighbour along the second axis, 9 along the first; 7 and 8 are none.
        let lengths = [3, 4];
        assert!(has_neighbour(&lengths, &[5, 6], 5, 1) && !has_neighbour(&lengths, &[5, 6], 5, 0));
        assert!(has_neighbour(&lengths, &[5, 9], 5, 0) && !has_neighbour(&lengths, &[5, 7], 5, 1));
        // 4 is at the start of its line: 3 is the end of the line before.
        assert!(!has_neighbour(&lengths, &[3, 4], 4, 1));
    }
}
