//! Scores by the value of each parameter, and how much of their variance it explains.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Landscape;
use crate::num;

/// Scores by the value of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// One entry for each value that occurs, ascending by its place.
    pub values: Vec<SliceValue>,
}

/// Scores of all points with one value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SliceValue {
    /// Place of the value among the parameter's values.
    pub place: u64,
    /// Points with a score.
    pub points: u64,
    /// Mean of their scores.
    pub mean: f64,
    /// Best of their scores.
    pub best: f64,
    /// Score of the point that differs from the best one in this parameter alone; NaN if it was not evaluated.
    pub through_best: f64,
}

/// How much of the variance of all scores each parameter explains.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// For each parameter its first-order share, `(SSB − (k − 1) MSW) / SST` over its k values: what is between the means
    /// of its values, less what chance would put there (ε², Kelley 1935); 0 where that is negative, NaN where scores do not
    /// vary. Where `where` conditions bind parameters together, shares overlap.
    pub shares: Vec<f64>,
    /// What parameters only explain together: 1 less all shares, at least 0.
    pub together: f64,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    points: u64,
    sum: f64,
    best: f64,
}

impl Landscape<'_> {
    /// Scores by value, for each parameter in order, with the slice through the point of row `best`.
    pub fn slices(&self, best: usize) -> Vec<Slice> {
        let center = self.indices[best];
        let mut slices: Vec<Slice> = self
            .axes()
            .map(|(_, stride, length)| {
                let through = |place: u64| {
                    let index = center - center / stride % length * stride + place * stride;
                    self.row(index).map_or(num::NAN, |row| self.scores[row])
                };
                let value = |(place, group): (u64, Group)| SliceValue {
                    place,
                    points: group.points,
                    mean: group.sum / group.points as f64,
                    best: group.best,
                    through_best: through(place),
                };
                Slice { values: self.groups(stride, length).into_iter().map(value).collect() }
            })
            .collect();
        slices.reverse();
        slices
    }

    /// How much of the variance each parameter explains.
    pub fn importance(&self) -> Importance {
        let scores = self.present();
        let n = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / n;
        let total: f64 = scores.iter().map(|x| (x - mean) * (x - mean)).sum();
        let mut shares: Vec<f64> = self
            .axes()
            .map(|(_, stride, length)| {
                let groups = self.groups(stride, length);
                let k = groups.len() as f64;
                let distance = |group: &Group| group.sum / group.points as f64 - mean;
                let between: f64 = groups.values().map(|g| g.points as f64 * distance(g) * distance(g)).sum();
                // With one point for each value there is no chance to subtract.
                let within = if n > k { (total - between).max(0.0) / (n - k) } else { 0.0 };
                if total > 0.0 { ((between - (k - 1.0) * within) / total).clamp(0.0, 1.0) } else { num::NAN }
            })
            .collect();
        shares.reverse();
        let together = num::canonical(1.0 - shares.iter().sum::<f64>());
        Importance { shares, together: if together < 0.0 { 0.0 } else { together } }
    }

    /// Scores by the digit of an axis.
    fn groups(&self, stride: u64, length: u64) -> BTreeMap<u64, Group> {
        let mut groups = BTreeMap::new();
        for (&index, &score) in self.indices.iter().zip(self.scores).filter(|(_, score)| !score.is_nan()) {
            let none = Group { points: 0, sum: 0.0, best: f64::NEG_INFINITY };
            let group: &mut Group = groups.entry(index / stride % length).or_insert(none);
            group.points += 1;
            group.sum += score;
            group.best = group.best.max(score);
        }
        groups
    }
}
