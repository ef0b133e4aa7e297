//! Plateaus before spikes: a trial counts as the median of its neighbourhood.
//!
//! Given trials as they are told, this file keeps for each the median loss of the told trials around it. A neighbourhood
//! is a box: in every parameter at most one value away, or a twentieth of its range if that is more; other names of an
//! unordered parameter are no neighbours. It never knows how trials were found.

use super::cube::Cube;
use super::score::{Score, Told};
use crate::num;
use crate::plan::Space;

/// A neighbour is at most the range divided by this away.
const PART: u64 = 20;

/// The losses by which trials rank when plateaus are wanted: of each the median of its neighbourhood; NaN for a trial
/// that is not feasible.
pub fn standings(space: &Space, indices: &[u64], scores: &[Score]) -> Vec<f64> {
    let cube = Cube::new(space);
    let trial = |(&index, score): (&u64, &Score)| Told { index, digits: cube.digits(index), score: score.clone() };
    let mut told: Vec<Told> = indices.iter().zip(scores).map(trial).collect();
    let raw: Vec<f64> = told.iter().map(|trial| trial.score.loss()).collect();
    smooth(&cube, &mut told, &raw, 0);
    let standing = |trial: &Told| if trial.score.is_feasible() { trial.score.loss() } else { num::NAN };
    told.iter().map(standing).collect()
}

/// Whether two trials are in each other's neighbourhood.
fn neighbours(cube: &Cube, a: &Told, b: &Told) -> bool {
    let pairs = a.digits.iter().zip(&b.digits);
    cube.dimensions().iter().zip(pairs).all(|(dimension, (a, b))| {
        let reach = if dimension.ordered { (dimension.len / PART).max(1) } else { 0 };
        a.abs_diff(*b) <= reach
    })
}

/// Sets the loss of the trials from `new` on, and of all in whose neighbourhood they are, to the median of the raw
/// losses around them. Trials that are not feasible keep their score and are in no median.
pub fn smooth(cube: &Cube, told: &mut [Told], raw: &[f64], new: usize) {
    let changed: Vec<usize> = (0..told.len())
        .filter(|&place| place >= new || told[new..].iter().any(|added| neighbours(cube, &told[place], added)))
        .filter(|&place| told[place].score.is_feasible())
        .collect();
    for place in changed {
        let around = told.iter().zip(raw).filter(|(trial, _)| trial.score.is_feasible());
        let mut losses: Vec<f64> =
            around.filter(|(trial, _)| neighbours(cube, &told[place], trial)).map(|(_, &loss)| loss).collect();
        losses.sort_by(f64::total_cmp);
        told[place].score.losses = vec![median(&losses)];
    }
}

/// Of sorted numbers; the mean of the middle two of an even number.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => num::NAN,
        n if n % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}
