//! The scores of a search as a landscape over its grid: is the best point a peak that stands alone, or a plateau?
//!
//! Given the lengths of the axes, and indices and scores of evaluated points, this gives neighbourhoods, plateaus, local
//! maxima, slices and the importance of parameters. It never knows what a score means: larger is better, NaN is none. A
//! grid in two dimensions for the eye is [`Surface`](crate::results::Surface); this counts in all dimensions.

mod plateau;
mod slices;

pub use plateau::{Neighbourhood, Plateau};
pub use slices::{Importance, Slice, SliceValue};

use serde::Serialize;

use super::percentile;
use crate::error::{Error, Result};
use crate::num;

/// Evaluated points of a grid. Points are named by their index: mixed radix, the last axis fastest.
#[derive(Clone, Copy, Debug)]
pub struct Landscape<'a> {
    lengths: &'a [u64],
    indices: &'a [u64],
    scores: &'a [f64],
    /// Whether every point of a range from 0 is there, so that a point's row is its index.
    dense: bool,
}

/// What is said of a landscape by default.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Terrain {
    /// Index of the point that is looked at: the best one, the first of equal ones, unless another was named.
    pub best: u64,
    /// Its score.
    pub score: f64,
    /// Points with a score.
    pub points: u64,
    /// Median of all scores.
    pub median: f64,
    /// Standard deviation of all scores, ddof 1.
    pub deviation: f64,
    /// What lies around the best point.
    pub neighbourhood: Neighbourhood,
    /// How much of the landscape is nearly as good.
    pub plateau: Plateau,
    /// Points without a better neighbour.
    pub local_maxima: u64,
    /// For each parameter, scores by its value.
    pub slices: Vec<Slice>,
    /// How much of the scores' variance each parameter explains.
    pub importance: Importance,
}

impl<'a> Landscape<'a> {
    /// Points of a grid whose axes have these lengths; `indices` ascending, one score for each.
    ///
    /// # Errors
    /// An axis without values, indices that do not ascend or lie beyond the grid, a wrong number of scores, no score at all.
    pub fn new(lengths: &'a [u64], indices: &'a [u64], scores: &'a [f64]) -> Result<Landscape<'a>> {
        let size = lengths.iter().try_fold(1_u64, |size, &length| size.checked_mul(length));
        let Some(size) = size.filter(|&size| size > 0) else {
            return Err(Error::plan(format!(
                "a grid of {lengths:?} values has no points, or more than can be counted"
            )));
        };
        let ascending = indices.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || indices.last().is_some_and(|&last| last >= size) || indices.len() != scores.len() {
            let message = format!("{} scores of {} points of {size}", scores.len(), indices.len());
            return Err(Error::data(message).help("indices ascend, lie below the size, and have one score each"));
        }
        if scores.iter().all(|score| score.is_nan()) {
            return Err(Error::data(format!("none of {} points has a score", scores.len())));
        }
        let dense = indices.first() == Some(&0) && indices.last() == Some(&(indices.len() as u64 - 1));
        Ok(Landscape { lengths, indices, scores, dense })
    }

    /// All of it around the best point, with plateaus of this tolerance (see [`Landscape::plateau`]).
    pub fn terrain(&self, tolerance: f64) -> Terrain {
        self.terrain_around(self.best(), tolerance)
    }

    /// All of it around the point with this index, which need not be the best one: a search may choose by more than the
    /// score. `None` if the point has no score.
    pub fn terrain_at(&self, index: u64, tolerance: f64) -> Option<Terrain> {
        self.row(index).map(|row| self.terrain_around(row, tolerance))
    }

    /// All of it around the point of a row.
    fn terrain_around(&self, best: usize, tolerance: f64) -> Terrain {
        let mut scores = self.present();
        scores.sort_unstable_by(f64::total_cmp);
        Terrain {
            best: self.indices[best],
            score: self.scores[best],
            points: scores.len() as u64,
            median: percentile(&scores, 0.5),
            deviation: self.deviation(),
            neighbourhood: self.neighbourhood(best),
            plateau: self.plateau(best, tolerance),
            local_maxima: self.local_maxima(),
            slices: self.slices(best),
            importance: self.importance(),
        }
    }

    /// Row of the best point, the first of equal ones.
    pub fn best(&self) -> usize {
        let rows = (0..self.scores.len()).filter(|&row| !self.scores[row].is_nan());
        rows.reduce(|best, row| if self.scores[row] > self.scores[best] { row } else { best }).unwrap_or(0)
    }

    /// Points without a better neighbour one step along an axis. Of equal neighbours only the first counts, so that a flat
    /// stretch along an axis is one maximum.
    pub fn local_maxima(&self) -> u64 {
        let is_maximum = |row: &usize| {
            let score = self.scores[*row];
            let higher = |other: usize| self.scores[other] > score || self.scores[other] == score && other < *row;
            !score.is_nan() && !self.steps(*row).any(|(_, other)| higher(other))
        };
        (0..self.scores.len()).filter(is_maximum).count() as u64
    }

    /// All scores that are there.
    fn present(&self) -> Vec<f64> {
        self.scores.iter().copied().filter(|score| !score.is_nan()).collect()
    }

    /// Standard deviation of all scores, ddof 1.
    fn deviation(&self) -> f64 {
        let scores = self.present();
        let n = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / n;
        num::canonical(num::sqrt(scores.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0)))
    }

    /// The row of a point that has a score.
    fn row(&self, index: u64) -> Option<usize> {
        let row = if self.dense { index as usize } else { self.indices.binary_search(&index).ok()? };
        self.scores.get(row).is_some_and(|score| !score.is_nan()).then_some(row)
    }

    /// Axes with the distance of their neighbours' indices and their lengths, the last axis first.
    fn axes(&self) -> impl Iterator<Item = (usize, u64, u64)> {
        let mut stride = 1;
        self.lengths.iter().enumerate().rev().map(move |(axis, &length)| {
            let this = stride;
            stride *= length;
            (axis, this, length)
        })
    }

    /// Neighbours one step along one axis that have a score: the axis and their rows.
    fn steps(&self, row: usize) -> impl Iterator<Item = (usize, usize)> {
        let index = self.indices[row];
        self.axes().flat_map(move |(axis, stride, length)| {
            let digit = index / stride % length;
            let before = (digit > 0).then(|| index - stride);
            let after = (digit + 1 < length).then(|| index + stride);
            [before, after].into_iter().flatten().filter_map(move |index| Some((axis, self.row(index)?)))
        })
    }
}

#[cfg(test)]
mod tests;
