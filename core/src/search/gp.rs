//! Search by a Gaussian process.
//!
//! Given the trials so far, this file fits a process to their losses and proposes where the expected improvement is
//! largest (Jones, Schonlau and Welch, J. Global Optimization 13, 1998; its logarithm, as in Ament et al., NeurIPS 2023)
//! or the lower bound smallest. Further trials of a generation are proposed as if those before had come out as expected.
//! It never knows how the process is fitted.

use super::cube::Cube;
use super::descent::minimise;
use super::desk::Desk;
use super::process::{Parameters, Process};
use super::score::{filled_losses, ranking};
use super::sobol::Sobol;
use super::spread::{Cover, Spread};
use super::visited::Visited;
use crate::num;
use crate::plan::Acquisition;
use crate::rng::Stream;

/// Trials that the process is fitted to at most: the best and the latest, as many of each. The time grows with the cube.
const MOST_TRIALS: usize = 400;
/// Places of which the walks to the maximum start.
const PLACES: u32 = 1024;
/// Places near the best trial among them.
const NEAR: usize = 64;
/// Walks to the maximum.
const WALKS: usize = 8;
/// Steps of one walk.
const STEPS: u32 = 40;
/// Rounds of moves by one value at the end.
const ROUNDS: usize = 30;
/// Standard deviations that the lower bound is below the mean.
const BELOW: f64 = 2.0;

/// The method under way.
#[derive(Clone, Debug)]
pub struct Gp {
    startup: usize,
    acquisition: Acquisition,
    first: Spread,
    parameters: Option<Parameters>,
}

impl Gp {
    /// After `startup` trials of a Latin hypercube, by the process.
    pub fn new(startup: usize, acquisition: Acquisition) -> Gp {
        let first = Spread::new(Cover::LatinHypercube, startup as u64);
        Gp { startup, acquisition, first, parameters: None }
    }

    /// Asks for the next generation.
    pub fn propose(&mut self, desk: &mut Desk<'_>) -> Vec<u64> {
        let known = desk.told.len();
        if known < self.startup {
            return self.first.propose(desk, desk.most.min(self.startup - known));
        }
        let mut fitted = self.fit(desk);
        let mut proposed = Vec::new();
        for slot in 0..desk.most {
            let mut stream = desk.stream(slot);
            // Without a process there is nothing to learn from: no trial is feasible, or all losses are equal.
            let digits = fitted.as_ref().map(|(process, best)| {
                Wish { process, best: *best, acquisition: self.acquisition }.maximum(desk, &mut stream)
            });
            let index = match digits {
                Some(digits) => desk.visited.claim_near(desk.cube, &digits, &mut stream),
                None => desk.visited.claim_any(&mut stream),
            };
            let Some(index) = index else { break };
            if let Some((process, _)) = &mut fitted {
                process.believe(&desk.cube.place(&desk.cube.digits(index)));
            }
            proposed.push(index);
        }
        proposed
    }

    /// The process of the trials so far, and the smallest of its values.
    fn fit(&mut self, desk: &Desk<'_>) -> Option<(Process, f64)> {
        if desk.cube.len() == 0 {
            return None;
        }
        let losses = filled_losses(desk.told)?;
        let chosen = chosen(desk);
        let x: Vec<f64> = chosen.iter().flat_map(|&place| desk.cube.place(&desk.told[place].digits)).collect();
        let y = standardised(&chosen.iter().map(|&place| losses[place]).collect::<Vec<f64>>())?;
        let best = y.iter().copied().fold(f64::MAX, f64::min);
        let ordered: Vec<bool> = desk.cube.dimensions().iter().map(|dimension| dimension.ordered).collect();
        let before = self.parameters.clone().unwrap_or_else(|| Parameters::unknown(ordered.len()));
        let process = Process::fit(&ordered, x, y, &before)?;
        self.parameters = Some(process.parameters().clone());
        Some((process, best))
    }
}

/// The trials that the process is fitted to, in the order they were told.
fn chosen(desk: &Desk<'_>) -> Vec<usize> {
    let known = desk.told.len();
    if known <= MOST_TRIALS {
        return (0..known).collect();
    }
    let mut keep = vec![false; known];
    ranking(desk.told).into_iter().take(MOST_TRIALS / 2).for_each(|place| keep[place] = true);
    keep[known - MOST_TRIALS / 2..].fill(true);
    (0..known).filter(|&place| keep[place]).collect()
}

/// Values with mean 0 and variance 1; `None` if they are all equal.
fn standardised(values: &[f64]) -> Option<Vec<f64>> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let spread = num::sqrt(variance);
    (spread > 0.0 && spread.is_finite()).then(|| values.iter().map(|x| (x - mean) / spread).collect())
}

/// What is looked for.
struct Wish<'a> {
    process: &'a Process,
    /// The smallest value so far.
    best: f64,
    acquisition: Acquisition,
}

impl Wish<'_> {
    /// How much a place is wished for.
    fn at(&self, place: &[f64]) -> f64 {
        let (mean, variance) = self.process.at(place);
        let spread = num::sqrt(variance);
        match self.acquisition {
            Acquisition::LowerBound => BELOW * spread - mean,
            Acquisition::ExpectedImprovement => num::ln(spread) + gain((self.best - mean) / spread).0,
        }
    }

    /// The negative wish at a place, and its slope.
    fn loss(&self, place: &[f64], slope: &mut [f64]) -> f64 {
        let prediction = self.process.predict(place);
        let spread = num::sqrt(prediction.variance);
        let (value, by_mean, by_spread) = match self.acquisition {
            Acquisition::LowerBound => (BELOW * spread - prediction.mean, -1.0, BELOW),
            Acquisition::ExpectedImprovement => {
                let (ln_gain, below, density) = gain((self.best - prediction.mean) / spread);
                (num::ln(spread) + ln_gain, -below / spread, density / spread)
            }
        };
        for (axis, slope) in slope.iter_mut().enumerate() {
            let spread_slope = prediction.variance_slope[axis] / (2.0 * spread);
            *slope = -(by_mean * prediction.mean_slope[axis] + by_spread * spread_slope);
        }
        -value
    }

    /// The digits of the most wished for open point that is found.
    fn maximum(&self, desk: &Desk<'_>, stream: &mut Stream) -> Vec<u64> {
        let cube = desk.cube;
        let mut places: Vec<(f64, Vec<f64>)> =
            self.starts(desk, stream).into_iter().map(|place| (self.at(&place), place)).collect();
        places.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut best: Option<(f64, Vec<u64>)> = None;
        for (_, start) in places.iter().take(WALKS) {
            let bounds: Vec<(f64, f64)> = (cube.dimensions().iter().zip(start))
                .map(|(dimension, &u)| if dimension.ordered { (0.0, 1.0) } else { (u, u + 1e-300) })
                .collect();
            let (place, _) = minimise(|place, slope| self.loss(place, slope), start, &bounds, STEPS);
            let (wish, digits) = self.climb(cube, desk.visited, cube.nearest(&place));
            if best.as_ref().is_none_or(|(largest, _)| wish > *largest) {
                best = Some((wish, digits));
            }
        }
        best.map_or_else(|| vec![0; cube.len()], |(_, digits)| digits)
    }

    /// Places of points, spread over the cube and around the best trial.
    fn starts(&self, desk: &Desk<'_>, stream: &mut Stream) -> Vec<Vec<f64>> {
        let cube = desk.cube;
        let sobol = Sobol::new(stream.next_u64(), desk.method, cube.len());
        let centre = ranking(desk.told).first().map(|&place| cube.place(&desk.told[place].digits));
        let mut starts: Vec<Vec<f64>> = (0..PLACES).map(|number| sobol.point(number)).collect();
        for (place, distance) in centre.iter().flat_map(|centre| (0..NEAR).map(move |i| (centre, [0.1, 0.01][i % 2]))) {
            starts.push(place.iter().map(|u| (u + distance * stream.normal()).clamp(0.0, 1.0)).collect());
        }
        for start in &mut starts {
            while start.len() < cube.len() {
                start.push(stream.uniform());
            }
            // Names stand at their own places only.
            for (u, dimension) in start.iter_mut().zip(cube.dimensions()) {
                if !dimension.ordered {
                    *u = dimension.place(dimension.digit(*u));
                }
            }
        }
        starts
    }

    /// From a point to the best of its neighbours by one value, as long as that is better; points that are not open have
    /// no worth but may be passed over.
    fn climb(&self, cube: &Cube, visited: &Visited, mut digits: Vec<u64>) -> (f64, Vec<u64>) {
        let worth = |digits: &[u64]| {
            if visited.is_open(cube.index(digits)) { self.at(&cube.place(digits)) } else { f64::NEG_INFINITY }
        };
        let mut best = worth(&digits);
        for _ in 0..ROUNDS {
            let mut better: Option<(f64, Vec<u64>)> = None;
            for (axis, dimension) in cube.dimensions().iter().enumerate() {
                let own = digits[axis];
                let others = if dimension.ordered {
                    own.saturating_sub(1)..(own + 2).min(dimension.len)
                } else {
                    0..dimension.len.min(16)
                };
                for digit in others.filter(|&digit| digit != own) {
                    let mut moved = digits.clone();
                    moved[axis] = digit;
                    let found = worth(&moved);
                    if found > better.as_ref().map_or(best, |(largest, _)| *largest) {
                        better = Some((found, moved));
                    }
                }
            }
            let Some((found, moved)) = better else { break };
            (best, digits) = (found, moved);
        }
        (best, digits)
    }
}

/// For `z` standard deviations of room: the logarithm of the expected gain `g(z) = φ(z) + z Φ(z)`, and `Φ/g` and `φ/g`,
/// of which its slope is made.
fn gain(z: f64) -> (f64, f64, f64) {
    const LN_ROOT_TAU: f64 = 0.918_938_533_204_672_8;
    if z < -6.0 {
        // The first terms for large distances; the rest is below a hundredth.
        return (-z * z / 2.0 - LN_ROOT_TAU - 2.0 * num::ln(-z) + num::ln_1p(-3.0 / (z * z)), -z, z * z);
    }
    let density = num::exp(-z * z / 2.0 - LN_ROOT_TAU);
    let below = num::erfc(-z * std::f64::consts::FRAC_1_SQRT_2) / 2.0;
    let gain = density + z * below;
    (num::ln(gain), below / gain, density / gain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gain_is_smooth_where_its_formula_changes() {
        let (above, below) = (gain(-5.999_999), gain(-6.000_001));
        assert!((above.0 - below.0).abs() < 0.02, "{above:?} {below:?}");
        assert!((gain(0.0).0 - num::ln(0.398_942_280_401_432_7)).abs() < 1e-12);
        assert!((gain(30.0).0 - num::ln(30.0)).abs() < 1e-9);
        assert!(gain(-60.0).0.is_finite());
    }

    #[test]
    fn equal_values_have_no_scale() {
        assert_eq!(standardised(&[2.0, 2.0]), None);
        assert_eq!(standardised(&[1.0, 3.0]), Some(vec![-1.0, 1.0]));
    }
}
