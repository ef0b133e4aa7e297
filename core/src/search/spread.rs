//! Searches that learn nothing: points that cover the space.
//!
//! Given a number of trials, this file gives evenly drawn points, a Latin hypercube, a scrambled Sobol or Halton
//! sequence. It never looks at scores. The methods that learn take their first trials from here too.

use super::desk::Desk;
use super::sobol::{DIMENSIONS, Sobol};
use crate::rng::Stream;

/// Points of a sequence that are passed over in a row before one is drawn instead: where conditions reject nearly
/// everything.
const MOST_SKIPPED: u32 = 1 << 14;

/// Which cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// Evenly drawn points.
    Random,
    /// A Latin hypercube: each parameter's range in as many parts as there are trials, one trial in each.
    LatinHypercube,
    /// A scrambled Sobol sequence.
    Sobol,
    /// A scrambled Halton sequence.
    Halton,
}

/// A cover under way.
#[derive(Clone, Debug)]
pub struct Spread {
    cover: Cover,
    /// Trials that the cover is made for.
    trials: u32,
    /// Points of the sequence that were used or passed over.
    next: u32,
    made: Option<Made>,
}

#[derive(Clone, Debug)]
enum Made {
    Sobol(Sobol),
    /// For each dimension its base and the order of its digits.
    Halton(Vec<(u32, Vec<u32>)>),
    /// For each dimension the part of each trial.
    Latin(Vec<Vec<u32>>),
}

impl Spread {
    /// A cover of about so many trials.
    pub fn new(cover: Cover, trials: u64) -> Spread {
        Spread { cover, trials: u32::try_from(trials).unwrap_or(u32::MAX), next: 0, made: None }
    }

    /// Asks for up to `count` points that nobody asked for before; fewer where the space is exhausted.
    pub fn propose(&mut self, desk: &mut Desk<'_>, count: usize) -> Vec<u64> {
        let cover = self.cover;
        (0..count)
            .map_while(|slot| {
                let mut stream = desk.stream(slot);
                match cover {
                    Cover::Random => desk.visited.claim_any(&mut stream),
                    Cover::LatinHypercube => {
                        let place = self.point(desk, &mut stream);
                        desk.visited.claim_near(desk.cube, &desk.cube.nearest(&place), &mut stream)
                    }
                    Cover::Sobol | Cover::Halton => self.next_open(desk, &mut stream),
                }
            })
            .collect()
    }

    /// The next point of a sequence that is open. Those that are not are passed over: moving them to a neighbour would
    /// heap points up along the edge that a condition cuts.
    fn next_open(&mut self, desk: &mut Desk<'_>, stream: &mut Stream) -> Option<u64> {
        for _ in 0..MOST_SKIPPED {
            let place = self.point(desk, stream);
            let index = desk.cube.index(&desk.cube.nearest(&place));
            if desk.visited.claim(index) {
                return Some(index);
            }
        }
        desk.visited.claim_any(stream)
    }

    /// The next point of the cover; coordinates that it has none for are drawn.
    fn point(&mut self, desk: &Desk<'_>, stream: &mut Stream) -> Vec<f64> {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let (cover, trials) = (self.cover, self.trials);
        let made = self.made.get_or_insert_with(|| make(cover, trials, desk));
        let mut place = match made {
            Made::Sobol(sobol) => sobol.point(number),
            Made::Halton(bases) => bases.iter().map(|(base, order)| radical_inverse(number, *base, order)).collect(),
            Made::Latin(parts) => parts
                .iter()
                .map_while(|parts| parts.get(number as usize).map(|part| (part, parts.len() as f64)))
                .map(|(&part, parts)| (f64::from(part) + stream.uniform()) / parts)
                .collect(),
        };
        while place.len() < desk.cube.len() {
            place.push(stream.uniform());
        }
        place
    }
}

fn make(cover: Cover, trials: u32, desk: &Desk<'_>) -> Made {
    let dimensions = 0..desk.cube.len();
    let stream = |dimension: usize| Stream::new(desk.seed, [desk.method << 24 | 0x00ff_ffff, dimension as u32]);
    match cover {
        Cover::Sobol => Made::Sobol(Sobol::new(desk.seed, desk.method, desk.cube.len().min(DIMENSIONS))),
        Cover::Halton => Made::Halton(
            primes(desk.cube.len())
                .into_iter()
                .zip(dimensions)
                .map(|(base, dimension)| (base, permutation(base, &mut stream(dimension))))
                .collect(),
        ),
        Cover::Random | Cover::LatinHypercube => {
            Made::Latin(dimensions.map(|dimension| permutation(trials, &mut stream(dimension))).collect())
        }
    }
}

/// The numbers below `n` in a random order.
fn permutation(n: u32, stream: &mut Stream) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, stream.below(last as u64 + 1) as usize);
    }
    order
}

/// The digits of `number` in a base, permuted and mirrored at the point (Halton 1960; one random permutation of the
/// digits for each base). The digits after the last one count as zeros, which a permutation moves too.
fn radical_inverse(number: u32, base: u32, order: &[u32]) -> f64 {
    let digit = |rest: u32| f64::from(order.get((rest % base) as usize).copied().unwrap_or(0));
    let (mut rest, mut scale, mut inverse) = (number, 1.0, 0.0);
    // 32 bits at most, and beyond a millionth no grid tells points apart.
    while scale > 1e-12 {
        scale /= f64::from(base);
        inverse += digit(rest) * scale;
        rest /= base;
    }
    inverse.min(1.0 - 1e-12)
}

/// The first `n` primes.
fn primes(n: usize) -> Vec<u32> {
    let mut primes: Vec<u32> = Vec::new();
    let mut candidate = 2;
    while primes.len() < n {
        if primes.iter().take_while(|&&prime| prime * prime <= candidate).all(|prime| candidate % prime != 0) {
            primes.push(candidate);
        }
        candidate += 1;
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_and_radical_inverses_are_those_of_the_definition() {
        assert_eq!(primes(8), [2, 3, 5, 7, 11, 13, 17, 19]);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-11;
        assert!(close(radical_inverse(6, 2, &[0, 1]), 0.375));
        assert!(close(radical_inverse(5, 3, &[0, 1, 2]), 2.0 / 3.0 + 1.0 / 9.0));
        assert!(close(radical_inverse(0, 3, &[0, 2, 1]), 0.0));
    }

    #[test]
    fn permutations_hold_every_number() {
        let mut order = permutation(100, &mut Stream::new(1, [0, 0]));
        assert_ne!(order, (0..100).collect::<Vec<u32>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<u32>>());
    }
}
