//! What lies around the best point, and how much of the landscape is nearly as good.

use std::collections::VecDeque;

use serde::Serialize;

use super::super::percentile;
use super::Landscape;
use crate::num;

/// Most axes in which diagonal neighbours count: 3^6 − 1 are 728. With more, only those along the axes do.
const DIAGONAL_AXES: usize = 6;

/// The points around a point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Neighbourhood {
    /// Neighbours that have a score: all that differ by at most one step in each parameter, or along one axis only where
    /// there are more than six.
    pub points: u64,
    /// Mean of their scores; NaN without neighbours.
    pub mean: f64,
    /// Median of their scores.
    pub median: f64,
    /// Lowest of their scores.
    pub worst: f64,
    /// Share of the point's score that their median keeps; NaN unless the score is positive.
    pub retained: f64,
    /// For each parameter, how much the score falls by one step, on average of both sides, in units of the deviation of all
    /// scores; NaN without neighbours or deviation. Free of the parameter's unit and of the score's.
    pub sensitivity: Vec<f64>,
}

/// Points nearly as good as a point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Plateau {
    /// Lowest score that belongs to it.
    pub threshold: f64,
    /// Share of all points that reach it.
    pub share: f64,
    /// Share of all points that reach it and hang together with the point by steps along axes.
    pub connected: f64,
}

impl Landscape<'_> {
    /// What lies around a row.
    pub fn neighbourhood(&self, row: usize) -> Neighbourhood {
        let score = self.scores[row];
        let mut scores: Vec<f64> = self.around(row).into_iter().map(|other| self.scores[other]).collect();
        scores.sort_unstable_by(f64::total_cmp);
        let median = percentile(&scores, 0.5);
        let deviation = self.deviation();
        let mut falls = vec![(0.0, 0.0); self.lengths.len()];
        for (axis, other) in self.steps(row) {
            falls[axis].0 += score - self.scores[other];
            falls[axis].1 += 1.0;
        }
        let unit_free = |(fall, count): (f64, f64)| {
            if count > 0.0 && deviation > 0.0 { fall / count / deviation } else { num::NAN }
        };
        Neighbourhood {
            points: scores.len() as u64,
            mean: num::canonical(scores.iter().sum::<f64>() / scores.len() as f64),
            median,
            worst: scores.first().copied().unwrap_or(num::NAN),
            retained: if score > 0.0 { median / score } else { num::NAN },
            sensitivity: falls.into_iter().map(unit_free).collect(),
        }
    }

    /// Points whose score is at least that of a row less `tolerance` of its distance to the median of all: 0.2 asks for
    /// four fifths of what the best point is better by.
    pub fn plateau(&self, row: usize, tolerance: f64) -> Plateau {
        let mut scores = self.present();
        scores.sort_unstable_by(f64::total_cmp);
        let (score, n) = (self.scores[row], scores.len() as f64);
        let threshold = score - tolerance * (score - percentile(&scores, 0.5));
        let reached = scores.len() - scores.partition_point(|&x| x < threshold);
        let mut seen = vec![false; self.scores.len()];
        let mut queue = VecDeque::from([row]);
        seen[row] = true;
        let mut connected = 0.0;
        while let Some(row) = queue.pop_front() {
            connected += 1.0;
            for (_, other) in self.steps(row) {
                if !seen[other] && self.scores[other] >= threshold {
                    seen[other] = true;
                    queue.push_back(other);
                }
            }
        }
        Plateau { threshold, share: reached as f64 / n, connected: connected / n }
    }

    /// Rows of the neighbours, diagonal ones included where these are not too many.
    fn around(&self, row: usize) -> Vec<usize> {
        if self.lengths.len() > DIAGONAL_AXES {
            return self.steps(row).map(|(_, other)| other).collect();
        }
        let mut near = vec![self.indices[row]];
        for (_, stride, length) in self.axes() {
            let sides = near.clone();
            for index in sides {
                let digit = index / stride % length;
                near.extend((digit > 0).then(|| index - stride));
                near.extend((digit + 1 < length).then(|| index + stride));
            }
        }
        near[1..].iter().filter_map(|&index| self.row(index)).collect()
    }
}
