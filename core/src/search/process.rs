//! A Gaussian process over the unit cube.
//!
//! Given places with values, this file fits a Matérn 5/2 kernel with a length for each parameter (Rasmussen and Williams,
//! "Gaussian processes for machine learning", 2006, chapters 4 and 5) and gives mean and spread at any place, with their
//! slopes. Unordered parameters are equal or not. Lengths, scale and noise are those of the largest posterior density;
//! the priors are Optuna's. The level around which values vary is unknown too (chapter 2.7): trials crowd where values
//! are good, so their mean may be far better than what is to be expected elsewhere. How far is fitted as well: its variance
//! has the prior of the scale. It never knows what the values are.

use super::descent::minimise;
use super::linear::{cholesky, dot, inverse, solve_lower, solve_upper};
use crate::num;

/// Steps of the fit.
const STEPS: u32 = 40;
/// Least variance of the noise, in variances of the values.
const LEAST_NOISE: f64 = 1e-6;
const ROOT_5: f64 = 2.236_067_977_499_79;

/// A fitted process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Which parameters have an order.
    ordered: Vec<bool>,
    /// Places row by row.
    x: Vec<f64>,
    y: Vec<f64>,
    parameters: Parameters,
    lower: Vec<f64>,
    /// Inverse covariance times the values.
    alpha: Vec<f64>,
}

/// Kernel and noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// One over the square of each parameter's length.
    inverse_squares: Vec<f64>,
    scale: f64,
    noise: f64,
    /// Variance of the level.
    level: f64,
}

impl Parameters {
    /// Those before anything is known.
    pub fn unknown(dimensions: usize) -> Parameters {
        Parameters { inverse_squares: vec![1.0; dimensions], scale: 1.0, noise: 1e-4, level: 1.0 }
    }

    /// Variance of a value, without noise, before any other is known.
    fn variance(&self) -> f64 {
        self.level + self.scale
    }

    fn from_logs(logs: &[f64]) -> Parameters {
        let n = logs.len() - 3;
        Parameters {
            inverse_squares: logs[..n].iter().map(|&x| num::exp(x)).collect(),
            scale: num::exp(logs[n]),
            noise: num::exp(logs[n + 1]) + LEAST_NOISE,
            level: num::exp(logs[n + 2]),
        }
    }

    fn logs(&self) -> Vec<f64> {
        let all =
            self.inverse_squares.iter().copied().chain([self.scale, (self.noise - LEAST_NOISE).max(1e-12), self.level]);
        all.map(num::ln).collect()
    }
}

/// Mean and variance at a place, with their slopes.
#[derive(Clone, Debug, Default)]
pub struct Prediction {
    /// Expected value.
    pub mean: f64,
    /// Variance without noise, above 0.
    pub variance: f64,
    /// Slope of the mean along each parameter.
    pub mean_slope: Vec<f64>,
    /// Slope of the variance.
    pub variance_slope: Vec<f64>,
}

impl Process {
    /// Fits a process to values with mean 0 and variance 1, starting from what an earlier fit found. `None` if the
    /// places are so close that the covariance cannot be taken apart.
    pub fn fit(ordered: &[bool], x: Vec<f64>, y: Vec<f64>, before: &Parameters) -> Option<Process> {
        let dimensions = ordered.len();
        let unknown = Parameters { inverse_squares: vec![], scale: 0.0, noise: 0.0, level: 0.0 };
        let mut process =
            Process { ordered: ordered.to_vec(), x, y, parameters: unknown, lower: Vec::new(), alpha: Vec::new() };
        let mut bounds = vec![(num::ln(1e-3), num::ln(1e4)); dimensions];
        bounds.push((num::ln(1e-3), num::ln(1e3)));
        bounds.push((num::ln(1e-12), 0.0));
        bounds.push((num::ln(1e-4), num::ln(10.0)));
        let squares = process.squares();
        let loss = |logs: &[f64], slope: &mut [f64]| process.loss(&squares, logs, slope);
        let mut scratch = vec![0.0; dimensions + 3];
        // From the better of what was found before and what is assumed of nothing.
        let starts = [before.logs(), Parameters::unknown(dimensions).logs()];
        let losses: Vec<f64> = starts.iter().map(|start| loss(start, &mut scratch)).collect();
        let start = if losses[0] <= losses[1] { &starts[0] } else { &starts[1] };
        let (best, _) = minimise(loss, start, &bounds, STEPS);
        process.parameters = Parameters::from_logs(&best);
        process.factorise()?;
        Some(process)
    }

    /// The parameters, for the next fit.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn len(&self) -> usize {
        self.y.len()
    }

    /// Squared differences of all pairs below the diagonal, pair by pair.
    fn squares(&self) -> Vec<f64> {
        let d = self.ordered.len();
        let mut squares = Vec::with_capacity(self.len() * self.len() / 2 * d);
        for i in 0..self.len() {
            for j in 0..i {
                let (a, b) = (&self.x[i * d..(i + 1) * d], &self.x[j * d..(j + 1) * d]);
                squares.extend((0..d).map(|axis| self.square(axis, a[axis], b[axis])));
            }
        }
        squares
    }

    fn square(&self, axis: usize, a: f64, b: f64) -> f64 {
        if self.ordered[axis] { (a - b) * (a - b) } else { f64::from(u8::from(a != b)) }
    }

    /// The negative logarithm of the posterior density and its slope, over the logarithms of the parameters.
    fn loss(&self, squares: &[f64], logs: &[f64], slope: &mut [f64]) -> f64 {
        let (n, d) = (self.len(), self.ordered.len());
        let parameters = Parameters::from_logs(logs);
        let weights = &parameters.inverse_squares;
        let mut covariance = vec![0.0; n * n];
        let mut bends = vec![0.0; n * (n - 1) / 2];
        let mut pair = 0;
        for i in 0..n {
            for j in 0..i {
                let (value, bend) = matern(dot(weights, &squares[pair * d..(pair + 1) * d]));
                covariance[i * n + j] = parameters.level + parameters.scale * value;
                bends[pair] = parameters.scale * bend;
                pair += 1;
            }
            covariance[i * n + i] = parameters.variance() + parameters.noise;
        }
        let Some(lower) = cholesky(&covariance, n) else { return f64::INFINITY };
        let mut alpha = self.y.clone();
        solve_lower(&lower, n, &mut alpha);
        let fit = dot(&alpha, &alpha);
        solve_upper(&lower, n, &mut alpha);
        let ln_det: f64 = (0..n).map(|i| num::ln(lower[i * n + i])).sum();
        let inverse = inverse(&lower, n);
        slope.fill(0.0);
        pair = 0;
        for i in 0..n {
            for j in 0..i {
                // Both halves of the symmetric matrix, and half of each.
                let pull = inverse[i * n + j] - alpha[i] * alpha[j];
                let along = pull * bends[pair];
                let own = &squares[pair * d..(pair + 1) * d];
                slope.iter_mut().zip(own).for_each(|(slope, square)| *slope += along * square);
                slope[d] += pull * (covariance[i * n + j] - parameters.level);
                slope[d + 2] += pull * parameters.level;
                pair += 1;
            }
            let pull = 0.5 * (inverse[i * n + i] - alpha[i] * alpha[i]);
            slope[d] += pull * parameters.scale;
            slope[d + 2] += pull * parameters.level;
            slope[d + 1] += pull * (parameters.noise - LEAST_NOISE);
        }
        slope[..d].iter_mut().zip(weights).for_each(|(slope, weight)| *slope *= weight);
        0.5 * fit + ln_det + prior(&parameters, slope)
    }

    /// Takes the covariance apart under the fitted parameters.
    fn factorise(&mut self) -> Option<()> {
        let (n, d) = (self.len(), self.ordered.len());
        let mut covariance = vec![0.0; n * n];
        for i in 0..n {
            for (j, value) in self.covariances(&self.x[i * d..(i + 1) * d], i).into_iter().enumerate() {
                covariance[i * n + j] = value;
            }
            covariance[i * n + i] = self.parameters.variance() + self.parameters.noise;
        }
        self.lower = cholesky(&covariance, n)?;
        self.solve();
        Some(())
    }

    fn solve(&mut self) {
        self.alpha.clone_from(&self.y);
        solve_lower(&self.lower, self.y.len(), &mut self.alpha);
        solve_upper(&self.lower, self.y.len(), &mut self.alpha);
    }

    /// Covariances of a place with the first so many places.
    fn covariances(&self, place: &[f64], count: usize) -> Vec<f64> {
        let d = self.ordered.len();
        let of = |row: &[f64]| self.parameters.level + self.parameters.scale * matern(self.distance(place, row)).0;
        self.x.chunks(d).take(count).map(of).collect()
    }

    fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
        let weights = &self.parameters.inverse_squares;
        (0..a.len()).map(|axis| weights[axis] * self.square(axis, a[axis], b[axis])).sum()
    }

    /// Adds a place as if it had its expected value, so that the next proposal goes elsewhere.
    pub fn believe(&mut self, place: &[f64]) {
        let n = self.len();
        let mut row = self.covariances(place, n);
        let mean = dot(&row, &self.alpha);
        solve_lower(&self.lower, n, &mut row);
        let rest = self.parameters.variance() + self.parameters.noise - dot(&row, &row);
        let mut lower = vec![0.0; (n + 1) * (n + 1)];
        for i in 0..n {
            lower[i * (n + 1)..i * (n + 1) + n].copy_from_slice(&self.lower[i * n..(i + 1) * n]);
        }
        lower[n * (n + 1)..n * (n + 1) + n].copy_from_slice(&row);
        lower[n * (n + 1) + n] = num::sqrt(rest.max(LEAST_NOISE));
        self.lower = lower;
        self.x.extend_from_slice(place);
        self.y.push(mean);
        self.solve();
    }

    /// Mean and variance at a place.
    pub fn at(&self, place: &[f64]) -> (f64, f64) {
        let mut row = self.covariances(place, self.len());
        let mean = dot(&row, &self.alpha);
        solve_lower(&self.lower, self.len(), &mut row);
        (mean, (self.parameters.variance() - dot(&row, &row)).max(1e-12))
    }

    /// Mean and variance at a place, with their slopes.
    pub fn predict(&self, place: &[f64]) -> Prediction {
        let (n, d) = (self.len(), self.ordered.len());
        let mut row = self.covariances(place, n);
        let mean = dot(&row, &self.alpha);
        solve_lower(&self.lower, n, &mut row);
        let variance = (self.parameters.variance() - dot(&row, &row)).max(1e-12);
        solve_upper(&self.lower, n, &mut row);
        let (mut mean_slope, mut variance_slope) = (vec![0.0; d], vec![0.0; d]);
        for (i, other) in self.x.chunks(d).enumerate() {
            let bend = self.parameters.scale * matern(self.distance(place, other)).1;
            for axis in (0..d).filter(|&axis| self.ordered[axis]) {
                let slope = bend * 2.0 * self.parameters.inverse_squares[axis] * (place[axis] - other[axis]);
                mean_slope[axis] += self.alpha[i] * slope;
                variance_slope[axis] -= 2.0 * row[i] * slope;
            }
        }
        Prediction { mean, variance, mean_slope, variance_slope }
    }
}

/// The Matérn 5/2 function of a squared distance, and its slope.
fn matern(squared: f64) -> (f64, f64) {
    let distance = ROOT_5 * num::sqrt(squared);
    let decay = num::exp(-distance);
    (decay * (distance * distance / 3.0 + distance + 1.0), -5.0 / 6.0 * (distance + 1.0) * decay)
}

/// Adds the slope of the priors over logarithms; gives their negative logarithm. A length hardly shorter than a tenth of
/// the cube or longer than ten of it is unlikely, scale and level are about 1, noise is small.
fn prior(parameters: &Parameters, slope: &mut [f64]) -> f64 {
    let d = parameters.inverse_squares.len();
    let mut loss = 0.0;
    for (slope, weight) in slope.iter_mut().zip(&parameters.inverse_squares) {
        loss += 0.1 / weight + 0.1 * weight;
        *slope += -0.1 / weight + 0.1 * weight;
    }
    loss += parameters.scale - num::ln(parameters.scale);
    slope[d] += parameters.scale - 1.0;
    loss += 30.0 * parameters.noise - 0.1 * num::ln(parameters.noise);
    slope[d + 1] += (30.0 - 0.1 / parameters.noise) * (parameters.noise - LEAST_NOISE);
    loss += parameters.level - num::ln(parameters.level);
    slope[d + 2] += parameters.level - 1.0;
    loss
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::rng::Stream;

    fn data(n: usize) -> (Vec<f64>, Vec<f64>) {
        let mut stream = Stream::new(3, [0, 0]);
        let x: Vec<f64> = (0..2 * n).map(|_| stream.uniform()).collect();
        let y = x.chunks(2).map(|p| num::sin(6.0 * p[0]) + 0.1 * p[1]).collect();
        (x, y)
    }

    #[test]
    fn slopes_are_those_of_small_differences() {
        let (x, y) = data(12);
        let process = Process::fit(&[true, true], x, y, &Parameters::unknown(2)).unwrap();
        let squares = process.squares();
        let logs = [0.3, -0.4, 0.2, -3.0, -0.7];
        let (mut slope, mut other) = (vec![0.0; 5], vec![0.0; 5]);
        process.loss(&squares, &logs, &mut slope);
        for axis in 0..5 {
            let mut at = |step: f64| {
                let mut moved = logs.to_vec();
                moved[axis] += step;
                process.loss(&squares, &moved, &mut other)
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((difference - slope[axis]).abs() < 1e-5 * slope[axis].abs().max(1.0), "{axis}");
        }
        let prediction = process.predict(&[0.3, 0.6]);
        assert_eq!(process.at(&[0.3, 0.6]), (prediction.mean, prediction.variance));
        let (high, low) = (process.at(&[0.3 + 1e-6, 0.6]), process.at(&[0.3 - 1e-6, 0.6]));
        assert!(((high.0 - low.0) / 2e-6 - prediction.mean_slope[0]).abs() < 1e-4);
        assert!(((high.1 - low.1) / 2e-6 - prediction.variance_slope[0]).abs() < 1e-4);
    }

    #[test]
    fn the_fit_finds_which_parameter_matters_and_goes_through_the_values() {
        let (x, y) = data(30);
        let process = Process::fit(&[true, true], x.clone(), y.clone(), &Parameters::unknown(2)).unwrap();
        assert!(process.parameters.inverse_squares[0] > 4.0 * process.parameters.inverse_squares[1]);
        for (place, value) in x.chunks(2).zip(&y) {
            assert!((process.at(place).0 - value).abs() < 0.02);
        }
        let (mean, variance) = process.at(&[0.5, 0.5]);
        assert!((mean - num::sin(3.0) - 0.05).abs() < 0.1 && variance < 0.05);
    }

    #[test]
    fn where_nothing_is_known_values_are_not_as_good_as_where_trials_crowd() {
        let mut stream = Stream::new(5, [0, 0]);
        // A narrow valley with most of the trials in it, and a few elsewhere.
        let mut x: Vec<f64> = (0..60).map(|_| 0.5 + 0.02 * stream.normal()).collect();
        x.extend([0.9, 0.1, 0.1, 0.9, 0.9, 0.9]);
        let depth = |p: &[f64]| -num::exp(-50.0 * ((p[0] - 0.5) * (p[0] - 0.5) + (p[1] - 0.5) * (p[1] - 0.5)));
        let y: Vec<f64> = x.chunks(2).map(depth).collect();
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        let spread = num::sqrt(y.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / y.len() as f64);
        let y = y.iter().map(|y| (y - mean) / spread).collect();
        let process = Process::fit(&[true, true], x, y, &Parameters::unknown(2)).unwrap();
        // Expected is about what the few say, far from the mean of all.
        let elsewhere = process.at(&[0.1, 0.1]).0 * spread + mean;
        assert!(elsewhere > -0.35 && mean < -0.8, "{elsewhere} {mean}");
    }

    #[test]
    fn a_place_that_is_believed_keeps_the_mean_and_loses_its_variance() {
        let (x, y) = data(8);
        let mut process = Process::fit(&[true, true], x, y, &Parameters::unknown(2)).unwrap();
        let place = [0.91, 0.07];
        let before = process.at(&place);
        process.believe(&place);
        let after = process.at(&place);
        assert!((before.0 - after.0).abs() < 1e-6 && after.1 < 0.1 * before.1 + 1e-3);
    }
}
