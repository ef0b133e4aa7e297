//! Tree-structured Parzen estimator, all parameters together.
//!
//! Given the trials so far, this file splits them into good and other ones, fits a mixture to each, and proposes, of some
//! points drawn from the good mixture, the one where it most exceeds the other (Bergstra et al., "Algorithms for
//! hyper-parameter optimization", NIPS 2011; the mixtures over all parameters as in BOHB, ICML 2018). Numbers of trials,
//! the weights of the other ones and widths by neighbours are those of Optuna 5, so that its users find what they know.
//! Good trials weigh by their rank and have kernels that may be narrower, so that a small budget comes closer to the best
//! point (compare Watanabe, "Tree-structured Parzen estimator: understanding its algorithm components", 2023). Trials
//! proposed in the same generation count as bad ones until their scores are told, so that a generation spreads out. It
//! never knows what a score means beyond which of two is better.

use super::cube::Cube;
use super::desk::Desk;
use super::score::{Told, ranking};
use super::spread::{Cover, Spread};
use crate::num;
use crate::rng::Stream;

/// The good ones are a tenth of all, at most so many.
const MOST_GOOD: usize = 25;
/// The latest trials that keep their full weight.
const FULL_WEIGHT: usize = 25;
/// The bound of the widths of `n` good trials' kernels is `n + 2` to minus this power.
const GOOD_POWER: f64 = 1.5;
/// The same for the other trials.
const OTHER_POWER: f64 = 1.0;
/// That bound is never below this.
const NARROWEST: f64 = 0.01;
/// Nor below this part of one value's, else a kernel would leave nothing to the neighbours.
const VALUE_SHARE: f64 = 0.25;
/// Below this length of an interval its probability is that of its middle, to the second order.
const SHORT: f64 = 0.3;
/// Times a value is drawn again because it fell outside the cube.
const REDRAWS: u32 = 64;

/// The method under way.
#[derive(Clone, Debug)]
pub struct Tpe {
    startup: usize,
    candidates: usize,
    first: Spread,
}

impl Tpe {
    /// After `startup` trials of a Latin hypercube, the best of `candidates` points each time.
    pub fn new(startup: usize, candidates: usize) -> Tpe {
        let first = Spread::new(Cover::LatinHypercube, startup as u64);
        Tpe { startup, candidates: candidates.max(1), first }
    }

    /// Asks for the next generation.
    pub fn propose(&mut self, desk: &mut Desk<'_>) -> Vec<u64> {
        let known = desk.told.len();
        if known < self.startup {
            return self.first.propose(desk, desk.most.min(self.startup - known));
        }
        let (good, ranks, mut other) = split(desk.told);
        let mut proposed = Vec::new();
        let good = Parzen::new(desk.cube, &good, &weights_by_rank(&ranks), GOOD_POWER);
        for slot in 0..desk.most {
            let mut stream = desk.stream(slot);
            let rest = Parzen::new(desk.cube, &other, &weights(other.len()), OTHER_POWER);
            let digits = best_candidate(desk, &good, &rest, self.candidates, &mut stream);
            let Some(index) = desk.visited.claim_near(desk.cube, &digits, &mut stream) else { break };
            proposed.push(index);
            other.push(desk.cube.digits(index));
        }
        proposed
    }
}

/// The digits of the good trials with their ranks, 0 the best, and the digits of the others, each in the order they were
/// told.
fn split(told: &[Told]) -> (Vec<Vec<u64>>, Vec<usize>, Vec<Vec<u64>>) {
    let count = told.len().div_ceil(10).min(MOST_GOOD);
    let mut rank = vec![told.len(); told.len()];
    ranking(told).into_iter().take(count).enumerate().for_each(|(nth, place)| rank[place] = nth);
    let of = |wanted: bool| {
        let chosen = told.iter().zip(&rank).filter(|(_, rank)| (**rank < count) == wanted);
        chosen.map(|(trial, _)| trial.digits.clone()).collect()
    };
    let ranks = rank.iter().copied().filter(|&rank| rank < count).collect();
    (of(true), ranks, of(false))
}

/// Of points drawn from the good mixture, the one with the largest ratio; those that are not open are drawn once more.
fn best_candidate(desk: &Desk<'_>, good: &Parzen, other: &Parzen, count: usize, stream: &mut Stream) -> Vec<u64> {
    let mut best: Option<(bool, f64, Vec<u64>)> = None;
    for _ in 0..count {
        let mut digits = good.draw(desk.cube, stream);
        let mut open = desk.visited.is_open(desk.cube.index(&digits));
        if !open {
            digits = good.draw(desk.cube, stream);
            open = desk.visited.is_open(desk.cube.index(&digits));
        }
        let ratio = good.ln_mass(desk.cube, &digits) - other.ln_mass(desk.cube, &digits);
        let better = best.as_ref().is_none_or(|(known, largest, _)| (open, ratio) > (*known, *largest));
        if better {
            best = Some((open, ratio, digits));
        }
    }
    best.map_or_else(Vec::new, |(_, _, digits)| digits)
}

/// A mixture of products: one kernel for each trial and one, as wide as the cube, for what is not known.
struct Parzen {
    ln_weights: Vec<f64>,
    /// Weights summed up, for drawing.
    cumulative: Vec<f64>,
    /// Kernel by kernel, dimension by dimension.
    kernels: Vec<Kernel>,
    dimensions: usize,
}

/// One factor of a product.
#[derive(Clone, Copy, Debug)]
enum Kernel {
    /// A normal density cut to the unit interval, with the logarithm of what is left of it, and with the length of one
    /// value's part in widths and the logarithm of that.
    Normal { centre: f64, width: f64, ln_inside: f64, part: f64, ln_part: f64 },
    /// A name with its own probability, the others sharing the rest; `u64::MAX` if all are alike.
    Name { name: u64, ln_own: f64, ln_others: f64 },
}

impl Parzen {
    /// A mixture of kernels at the trials with these weights, the last one that of the kernel for what is not known.
    fn new(cube: &Cube, trials: &[Vec<u64>], weights: &[f64], power: f64) -> Parzen {
        let (count, dimensions) = (trials.len(), cube.len());
        let mut kernels = vec![Kernel::Name { name: 0, ln_own: 0.0, ln_others: 0.0 }; (count + 1) * dimensions];
        for (axis, dimension) in cube.dimensions().iter().enumerate() {
            let digits: Vec<u64> = trials.iter().map(|trial| trial[axis]).collect();
            let column = if dimension.ordered {
                let centres: Vec<f64> = digits.iter().map(|&digit| dimension.place(digit)).collect();
                normals(&centres, dimension.width(), power)
            } else {
                names(&digits, dimension.len)
            };
            for (row, kernel) in column.into_iter().enumerate() {
                kernels[row * dimensions + axis] = kernel;
            }
        }
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let cumulative = weights.iter().map(|weight| {
            sum += weight / total;
            sum
        });
        Parzen {
            cumulative: cumulative.collect(),
            ln_weights: weights.iter().map(|weight| num::ln(weight / total)).collect(),
            kernels,
            dimensions,
        }
    }

    fn draw(&self, cube: &Cube, stream: &mut Stream) -> Vec<u64> {
        let u = stream.uniform();
        let row = self.cumulative.iter().position(|&sum| u < sum).unwrap_or(self.cumulative.len() - 1);
        let kernels = &self.kernels[row * self.dimensions..][..self.dimensions];
        let digit = |(kernel, dimension): (&Kernel, &super::cube::Dimension)| match *kernel {
            Kernel::Normal { centre, width, .. } => dimension.digit(inside(centre, width, stream)),
            Kernel::Name { name, ln_own, .. } => {
                let own = name < dimension.len && stream.uniform() < num::exp(ln_own);
                if own { name } else { other_than(name, dimension.len, stream) }
            }
        };
        kernels.iter().zip(cube.dimensions()).map(digit).collect()
    }

    /// Logarithm of the probability of digits.
    fn ln_mass(&self, cube: &Cube, digits: &[u64]) -> f64 {
        let terms: Vec<f64> = (self.ln_weights.iter().zip(self.kernels.chunks(self.dimensions.max(1))))
            .map(|(ln_weight, kernels)| {
                let factors = kernels.iter().zip(cube.dimensions()).zip(digits);
                factors.fold(*ln_weight, |sum, ((kernel, dimension), &digit)| {
                    sum + match *kernel {
                        Kernel::Normal { centre, width, ln_inside, part, ln_part } => {
                            ln_mass_around((dimension.place(digit) - centre) / width, part, ln_part) - ln_inside
                        }
                        Kernel::Name { name, ln_own, .. } if name == digit => ln_own,
                        Kernel::Name { ln_others, .. } => ln_others,
                    }
                })
            })
            .collect();
        let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return largest;
        }
        largest + num::ln(terms.iter().map(|term| num::exp(term - largest)).sum())
    }
}

/// Weights of so many trials in the order they were told, and of the kernel for what is not known: older ones weigh less
/// where there are many.
fn weights(count: usize) -> Vec<f64> {
    let ramp = count.saturating_sub(FULL_WEIGHT);
    let weight = |place: usize| {
        if place >= ramp || count <= FULL_WEIGHT {
            return 1.0;
        }
        let first = 1.0 / count as f64;
        let step = if ramp > 1 { (1.0 - first) / (ramp - 1) as f64 } else { 0.0 };
        first + place as f64 * step
    };
    (0..count).map(weight).chain([1.0]).collect()
}

/// Weights of the good trials of these ranks and of the kernel for what is not known: they fall evenly from the best to
/// the worst, 1 on average.
fn weights_by_rank(ranks: &[usize]) -> Vec<f64> {
    let count = ranks.len() as f64;
    ranks.iter().map(|&rank| 2.0 * (count - rank as f64) / (count + 1.0)).chain([1.0]).collect()
}

/// A kernel at each centre, as wide as the farther of its two neighbours is away, above a bound that shrinks with this
/// power of their number; then the one for what is not known.
fn normals(centres: &[f64], step: f64, power: f64) -> Vec<Kernel> {
    let count = centres.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| centres[a].total_cmp(&centres[b]).then(a.cmp(&b)));
    let at = |rank: usize| centres[order[rank]];
    let narrowest = num::pow(count as f64 + 2.0, -power).max(NARROWEST).max(VALUE_SHARE * step);
    let mut kernels = vec![normal(0.5, 1.0, step); count + 1];
    for (rank, &place) in order.iter().enumerate() {
        let below = if rank > 0 { at(rank) - at(rank - 1) } else { at(rank) };
        let above = if rank + 1 < count { at(rank + 1) - at(rank) } else { 1.0 - at(rank) };
        // The ends of the range are no neighbours where there are others.
        let width = match rank {
            0 if count > 1 => above,
            _ if count > 1 && rank + 1 == count => below,
            _ => below.max(above),
        };
        kernels[place] = normal(at(rank), width.clamp(narrowest, 1.0), step);
    }
    kernels
}

fn normal(centre: f64, width: f64, step: f64) -> Kernel {
    let (part, ln_inside) = (step / width, ln_normal_mass(-centre / width, (1.0 - centre) / width));
    Kernel::Normal { centre, width, ln_inside, part, ln_part: num::ln(part) }
}

/// A kernel for each name, then the one for what is not known.
fn names(digits: &[u64], len: u64) -> Vec<Kernel> {
    let share = 1.0 / (digits.len() as f64 + 1.0);
    let total = 1.0 + share * len as f64;
    let kernel =
        |&name: &u64| Kernel::Name { name, ln_own: num::ln((1.0 + share) / total), ln_others: num::ln(share / total) };
    let even = -num::ln(len as f64);
    digits.iter().map(kernel).chain([Kernel::Name { name: u64::MAX, ln_own: even, ln_others: even }]).collect()
}

/// A name other than this one; any if it is none.
fn other_than(name: u64, len: u64, stream: &mut Stream) -> u64 {
    if name >= len {
        return stream.below(len);
    }
    (name + 1 + stream.below(len - 1)) % len
}

/// A normal draw inside the unit interval.
fn inside(centre: f64, width: f64, stream: &mut Stream) -> f64 {
    for _ in 0..REDRAWS {
        let u = centre + width * stream.normal();
        if (0.0..1.0).contains(&u) {
            return u;
        }
    }
    // A centre inside and a width of at most 1 leave a third inside, so this is next to never.
    stream.uniform()
}

/// Logarithm of the standard normal probability of an interval of length `part` around `middle`. A short one takes the
/// density at its middle with the term of second order, which is an order of magnitude faster.
fn ln_mass_around(middle: f64, part: f64, ln_part: f64) -> f64 {
    if part > SHORT {
        return ln_normal_mass(middle - part / 2.0, middle + part / 2.0);
    }
    let bend = part * part / 24.0 * (middle * middle - 1.0);
    ln_part - middle * middle / 2.0 - LN_ROOT_TAU + num::ln_1p(bend)
}

/// Logarithm of the standard normal probability between `a` and `b`, for `a < b`.
fn ln_normal_mass(a: f64, b: f64) -> f64 {
    // On the left side, where the distribution function keeps its digits.
    let (a, b) = if a > 0.0 { (-b, -a) } else { (a, b) };
    let below = |x: f64| num::erfc(-x * std::f64::consts::FRAC_1_SQRT_2) / 2.0;
    let mass = below(b) - below(a);
    if mass > 0.0 { num::ln(mass) } else { -b * b / 2.0 - LN_ROOT_TAU }
}

/// ln √(2π).
const LN_ROOT_TAU: f64 = 0.918_938_533_204_672_8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_rise_to_the_latest_trials() {
        assert_eq!(weights(0), [1.0]);
        assert_eq!(weights(24), [1.0; 25]);
        let many = weights(40);
        assert_eq!((many.len(), many[0], many[14], many[40]), (41, 1.0 / 40.0, 1.0, 1.0));
        assert!(many[..15].is_sorted());
    }

    #[test]
    fn better_trials_weigh_more() {
        assert_eq!(weights_by_rank(&[]), [1.0]);
        assert_eq!(weights_by_rank(&[2, 0, 1]), [0.5, 1.5, 1.0, 1.0]);
    }

    #[test]
    fn widths_are_the_distances_to_the_farther_neighbour() {
        let width = |kernel: &Kernel| match kernel {
            Kernel::Normal { width, .. } => *width,
            Kernel::Name { .. } => f64::NAN,
        };
        let widths: Vec<f64> = normals(&[0.5, 0.1, 0.9], 0.01, 1.0).iter().map(width).collect();
        assert!((widths[0] - 0.4).abs() < 1e-12 && (widths[1] - 0.4).abs() < 1e-12 && widths[3] == 1.0, "{widths:?}");
        // Two at the same place are as narrow as the bound.
        let widths: Vec<f64> = normals(&[0.5, 0.5], 0.01, 1.0).iter().map(width).collect();
        assert_eq!(widths[..2], [0.25, 0.25]);
        let widths: Vec<f64> = normals(&[0.5, 0.5], 0.01, 1.5).iter().map(width).collect();
        assert_eq!(widths[..2], [0.125, 0.125]);
        // Nor narrower than a quarter of one value.
        let widths: Vec<f64> = normals(&[0.25, 0.25], 0.8, 1.5).iter().map(width).collect();
        assert_eq!(widths[..2], [0.2, 0.2]);
    }

    #[test]
    fn masses_of_all_digits_sum_to_one() {
        for len in [1, 2, 7, 20, 5000] {
            let kernel = normal(0.3, 0.2, 1.0 / len as f64);
            let Kernel::Normal { centre, width, ln_inside, part, ln_part } = kernel else { return };
            let mass = |digit: u64| {
                let place = (digit as f64 + 0.5) / len as f64;
                num::exp(ln_mass_around((place - centre) / width, part, ln_part) - ln_inside)
            };
            let sum: f64 = (0..len).map(mass).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{len}: {sum}");
        }
        let names = names(&[2], 4);
        let Kernel::Name { ln_own, ln_others, .. } = names[0] else { return };
        assert!((num::exp(ln_own) + 3.0 * num::exp(ln_others) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn far_tails_have_a_logarithm() {
        assert!(ln_normal_mass(50.0, 51.0).is_finite());
        assert!((ln_normal_mass(-1.0, 1.0) - num::ln(0.682_689_492_137_086)).abs() < 1e-12);
    }
}
