//! Covariance matrix adaptation.
//!
//! Given the ranks of its last generation, this file moves and shapes a normal distribution over the unit cube and draws
//! the next generation from it (Hansen, "The CMA evolution strategy: a tutorial", 2016, with negative weights). Draws
//! outside the cube are made again. A parameter whose spread falls below its step keeps a quarter of a step, so that a
//! grid never freezes it. When the distribution has converged it starts anew, by the rules of IPOP (Auger and Hansen,
//! CEC 2005) or BIPOP (Hansen, GECCO 2009). It never looks at how much better one trial is than another.

use std::collections::BTreeMap;

use super::cube::Cube;
use super::desk::Desk;
use super::linear::eigen;
use super::score::Told;
use crate::num;
use crate::plan::{Restarts, Score};
use crate::rng::Stream;

/// Standard deviation at the start, in parts of a parameter's range.
const FIRST_SPREAD: f64 = 0.3;
/// Draws for a point inside the cube, before it is cut to the cube.
const REDRAWS: u32 = 100;
/// A parameter's spread is never below so many of its steps.
const LEAST_STEPS: f64 = 0.25;
/// The largest ratio of the distribution's axes, squared.
const MOST_CONDITION: f64 = 1e14;

/// The method under way.
#[derive(Clone, Debug)]
pub struct CmaEs {
    population: usize,
    restarts: Restarts,
    normal: Option<Normal>,
    /// Restarts with a larger population so far.
    enlarged: u32,
    /// Trials of large and of small populations so far.
    spent: [u64; 2],
    small: bool,
    /// The places from which the trials of the last generation were made.
    pending: BTreeMap<u64, Vec<f64>>,
    asked: usize,
    /// Whether more than half of them had to be moved to other points.
    crowded: bool,
    ended: bool,
}

impl CmaEs {
    /// A population of 0 is the default, `4 + ⌊3 ln n⌋` for `n` parameters.
    pub fn new(population: usize, restarts: Restarts) -> CmaEs {
        CmaEs {
            population,
            restarts,
            normal: None,
            enlarged: 0,
            spent: [0, 0],
            small: false,
            pending: BTreeMap::new(),
            asked: 0,
            crowded: false,
            ended: false,
        }
    }

    /// Asks for the next generation.
    pub fn propose(&mut self, desk: &mut Desk<'_>) -> Vec<u64> {
        if self.ended || desk.cube.len() == 0 {
            return self.without_dimensions(desk);
        }
        let own = self.default_population(desk.cube);
        let normal = self.normal.get_or_insert_with(|| {
            // The first distribution stands in the middle of what is not known.
            Normal::new(vec![0.5; desk.cube.len()], FIRST_SPREAD, own)
        });
        self.asked = normal.population;
        self.pending.clear();
        let (mut proposed, mut moved) = (Vec::new(), 0);
        for slot in 0..normal.population.min(desk.most) {
            let mut stream = desk.stream(slot);
            let place = normal.draw(desk.cube, &mut stream);
            let digits = desk.cube.nearest(&place);
            let Some(index) = desk.visited.claim_near(desk.cube, &digits, &mut stream) else { break };
            let kept = index == desk.cube.index(&digits);
            moved += usize::from(!kept);
            self.pending.insert(index, if kept { place } else { desk.cube.place(&desk.cube.digits(index)) });
            proposed.push(index);
        }
        self.crowded = 2 * moved > proposed.len();
        proposed
    }

    /// A space of one point has no distribution.
    fn without_dimensions(&self, desk: &mut Desk<'_>) -> Vec<u64> {
        let index = if self.ended { None } else { desk.visited.claim_any(&mut desk.whole_stream()) };
        index.into_iter().collect()
    }

    fn default_population(&self, cube: &Cube) -> usize {
        match self.population {
            0 => 4 + (3.0 * num::ln(cube.len() as f64)) as usize,
            given => given,
        }
    }

    /// Takes the scores of the last generation.
    pub fn learn(&mut self, cube: &Cube, told: &[Told], stream: &mut Stream) {
        let own = self.default_population(cube);
        let Some(normal) = &mut self.normal else { return };
        // A generation that the budget cut short is the last one.
        if told.len() < self.asked {
            return;
        }
        let mut ranked: Vec<(&Score, u64, &Vec<f64>)> = (told.iter())
            .filter_map(|trial| Some((&trial.score, trial.index, self.pending.get(&trial.index)?)))
            .collect();
        ranked.sort_by(|a, b| a.0.order(b.0).then(a.1.cmp(&b.1)));
        let places: Vec<&Vec<f64>> = ranked.iter().map(|&(_, _, place)| place).collect();
        normal.update(&places);
        normal.remember(ranked.first().map_or(num::NAN, |best| best.0.loss()));
        self.spent[usize::from(self.small)] += told.len() as u64;
        if self.crowded || normal.has_converged(cube) {
            self.restart(cube, own, stream);
        }
    }

    /// A new distribution at a drawn place.
    fn restart(&mut self, cube: &Cube, own: usize, stream: &mut Stream) {
        let mean: Vec<f64> = (0..cube.len()).map(|_| stream.uniform()).collect();
        self.small = self.restarts == Restarts::Bipop && self.spent[1] < self.spent[0];
        let (spread, population) = match self.restarts {
            Restarts::None => {
                self.ended = true;
                return;
            }
            _ if self.small => {
                let u = stream.uniform();
                let ratio = f64::from(1_u32 << self.enlarged.min(20)) / 2.0;
                let population = (own as f64 * num::pow(ratio.max(1.0), u * u)) as usize;
                (FIRST_SPREAD * num::pow(10.0, -2.0 * stream.uniform()), population.max(own))
            }
            _ => {
                self.enlarged += 1;
                (FIRST_SPREAD, own << self.enlarged.min(10))
            }
        };
        self.normal = Some(Normal::new(mean, spread, population));
    }
}

/// The distribution and its strategy parameters, named as in the tutorial.
#[derive(Clone, Debug)]
struct Normal {
    population: usize,
    weights: Vec<f64>,
    mu_eff: f64,
    c_sigma: f64,
    d_sigma: f64,
    c_c: f64,
    c_1: f64,
    c_mu: f64,
    chi: f64,
    mean: Vec<f64>,
    sigma: f64,
    covariance: Vec<f64>,
    /// Roots of the eigenvalues, and the eigenvectors as columns.
    scales: Vec<f64>,
    vectors: Vec<f64>,
    path_sigma: Vec<f64>,
    path_c: Vec<f64>,
    generation: u32,
    /// The best loss of the latest generations.
    history: Vec<f64>,
}

impl Normal {
    fn new(mean: Vec<f64>, sigma: f64, population: usize) -> Normal {
        let n = mean.len();
        let dimensions = n as f64;
        let population = population.max(4);
        let raw: Vec<f64> =
            (1..=population).map(|i| num::ln((population as f64 + 1.0) / 2.0) - num::ln(i as f64)).collect();
        let half = population / 2;
        let effective = |raw: &[f64]| {
            let sum: f64 = raw.iter().sum();
            sum * sum / raw.iter().map(|w| w * w).sum::<f64>()
        };
        let (mu_eff, mu_eff_minus) = (effective(&raw[..half]), effective(&raw[half..]));
        let c_1 = 2.0 / ((dimensions + 1.3) * (dimensions + 1.3) + mu_eff);
        let c_mu =
            (2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((dimensions + 2.0) * (dimensions + 2.0) + mu_eff)).min(1.0 - c_1);
        let negative = (1.0 + c_1 / c_mu)
            .min(1.0 + 2.0 * mu_eff_minus / (mu_eff + 2.0))
            .min((1.0 - c_1 - c_mu) / (dimensions * c_mu));
        let positive_sum: f64 = raw.iter().filter(|w| **w > 0.0).sum();
        let negative_sum: f64 = raw.iter().filter(|w| **w < 0.0).map(|w| w.abs()).sum();
        let weights = raw.iter().map(|w| if *w >= 0.0 { w / positive_sum } else { w * negative / negative_sum });
        let c_sigma = (mu_eff + 2.0) / (dimensions + mu_eff + 5.0);
        let mut covariance = vec![0.0; n * n];
        (0..n).for_each(|i| covariance[i * n + i] = 1.0);
        Normal {
            population,
            weights: weights.collect(),
            mu_eff,
            c_sigma,
            d_sigma: 1.0 + 2.0 * (num::sqrt((mu_eff - 1.0) / (dimensions + 1.0)) - 1.0).max(0.0) + c_sigma,
            c_c: (4.0 + mu_eff / dimensions) / (dimensions + 4.0 + 2.0 * mu_eff / dimensions),
            c_1,
            c_mu,
            chi: num::sqrt(dimensions) * (1.0 - 1.0 / (4.0 * dimensions) + 1.0 / (21.0 * dimensions * dimensions)),
            mean,
            sigma,
            vectors: covariance.clone(),
            covariance,
            scales: vec![1.0; n],
            path_sigma: vec![0.0; n],
            path_c: vec![0.0; n],
            generation: 0,
            history: Vec::new(),
        }
    }

    /// Standard deviation along a parameter.
    fn spread(&self, axis: usize) -> f64 {
        self.sigma * num::sqrt(self.covariance[axis * self.mean.len() + axis])
    }

    /// A place inside the cube.
    fn draw(&self, cube: &Cube, stream: &mut Stream) -> Vec<f64> {
        let mut place = self.free_draw(cube, stream);
        for _ in 0..REDRAWS {
            if place.iter().all(|u| (0.0..1.0).contains(u)) {
                return place;
            }
            place = self.free_draw(cube, stream);
        }
        place.iter().map(|u| u.clamp(0.0, 1.0)).collect()
    }

    fn free_draw(&self, cube: &Cube, stream: &mut Stream) -> Vec<f64> {
        let n = self.mean.len();
        let z: Vec<f64> = self.scales.iter().map(|scale| scale * stream.normal()).collect();
        let along = |axis: usize| {
            let away: f64 = self.vectors[axis * n..(axis + 1) * n].iter().zip(&z).map(|(b, z)| b * z).sum();
            let (spread, least) = (self.spread(axis), LEAST_STEPS * cube.dimensions()[axis].width());
            self.mean[axis] + self.sigma * away * if spread < least { least / spread } else { 1.0 }
        };
        (0..n).map(along).collect()
    }

    /// Takes the places of a generation, the best first.
    fn update(&mut self, ranked: &[&Vec<f64>]) {
        let n = self.mean.len();
        self.generation += 1;
        let steps: Vec<Vec<f64>> = ranked
            .iter()
            .map(|place| place.iter().zip(&self.mean).map(|(x, m)| (x - m) / self.sigma).collect())
            .collect();
        let half = self.population / 2;
        let mut step = vec![0.0; n];
        for (weight, y) in self.weights.iter().zip(&steps).take(half) {
            step.iter_mut().zip(y).for_each(|(sum, y)| *sum += weight * y);
        }
        self.mean.iter_mut().zip(&step).for_each(|(m, y)| *m = (*m + self.sigma * y).clamp(0.0, 1.0));
        let white = self.whiten(&step);
        let gain = num::sqrt(self.c_sigma * (2.0 - self.c_sigma) * self.mu_eff);
        self.path_sigma.iter_mut().zip(&white).for_each(|(p, w)| *p = (1.0 - self.c_sigma) * *p + gain * w);
        let length = num::sqrt(self.path_sigma.iter().map(|p| p * p).sum());
        self.sigma *= num::exp((self.c_sigma / self.d_sigma * (length / self.chi - 1.0)).min(1.0));
        let forgotten = 1.0 - num::pow(1.0 - self.c_sigma, 2.0 * f64::from(self.generation));
        let steady = length / num::sqrt(forgotten) < (1.4 + 2.0 / (n as f64 + 1.0)) * self.chi;
        let gain = if steady { num::sqrt(self.c_c * (2.0 - self.c_c) * self.mu_eff) } else { 0.0 };
        self.path_c.iter_mut().zip(&step).for_each(|(p, y)| *p = (1.0 - self.c_c) * *p + gain * y);
        self.shape(&steps, steady);
    }

    /// Adapts the covariance and takes it apart again.
    fn shape(&mut self, steps: &[Vec<f64>], steady: bool) {
        let n = self.mean.len();
        let missing = if steady { 0.0 } else { self.c_c * (2.0 - self.c_c) };
        let weights: Vec<f64> = (self.weights.iter().zip(steps))
            .map(|(&weight, y)| {
                let length: f64 = self.whiten(y).iter().map(|x| x * x).sum();
                if weight >= 0.0 { weight } else { weight * n as f64 / (length + 1e-8) }
            })
            .collect();
        let keep = 1.0 + self.c_1 * missing - self.c_1 - self.c_mu * self.weights.iter().sum::<f64>();
        for i in 0..n {
            for j in 0..=i {
                let rank_mu: f64 = weights.iter().zip(steps).map(|(weight, y)| weight * y[i] * y[j]).sum();
                let value = keep * self.covariance[i * n + j]
                    + self.c_1 * self.path_c[i] * self.path_c[j]
                    + self.c_mu * rank_mu;
                self.covariance[i * n + j] = value;
                self.covariance[j * n + i] = value;
            }
        }
        let (values, vectors) = eigen(&self.covariance, n);
        self.scales = values.iter().map(|value| num::sqrt(value.max(1e-20))).collect();
        self.vectors = vectors;
    }

    /// A step in coordinates in which the distribution is round.
    fn whiten(&self, y: &[f64]) -> Vec<f64> {
        let n = y.len();
        let inner: Vec<f64> =
            (0..n).map(|k| (0..n).map(|i| self.vectors[i * n + k] * y[i]).sum::<f64>() / self.scales[k]).collect();
        (0..n).map(|i| (0..n).map(|k| self.vectors[i * n + k] * inner[k]).sum()).collect()
    }

    fn remember(&mut self, best: f64) {
        self.history.push(best);
        let most = 10 + (30 * self.mean.len()).div_ceil(self.population);
        if self.history.len() > most {
            self.history.remove(0);
        }
    }

    /// Whether nothing new is to be expected: no parameter's spread reaches half a step, the latest generations were
    /// equally good, or the distribution is too thin to be drawn from.
    fn has_converged(&self, cube: &Cube) -> bool {
        let narrow = (0..self.mean.len()).all(|axis| self.spread(axis) < 0.5 * cube.dimensions()[axis].width());
        let (low, high) = self.history.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let most = 10 + (30 * self.mean.len()).div_ceil(self.population);
        let flat = self.history.len() >= most && high - low <= 1e-12 * high.abs().max(1e-12);
        let longest = self.scales.iter().copied().fold(0.0, f64::max);
        let shortest = self.scales.iter().copied().fold(f64::MAX, f64::min);
        narrow || flat || longest * longest > MOST_CONDITION * shortest * shortest || !self.sigma.is_finite()
    }
}
