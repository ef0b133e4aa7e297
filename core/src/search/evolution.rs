//! Differential evolution.
//!
//! Given its population, this file makes one rival for each member from differences of others, and keeps the better of
//! the two (Storn and Price, J. Global Optimization 11, 1997: current-to-best/1/bin with a factor drawn anew for each
//! rival). It never knows what a score means beyond which of two is better.

use std::collections::BTreeMap;

use super::cube::Cube;
use super::desk::Desk;
use super::score::Told;
use super::spread::{Cover, Spread};
use crate::rng::Stream;

/// How often a parameter is the mutant's.
const CROSSOVER: f64 = 0.9;
/// Members for each parameter, and their bounds, unless the study says otherwise.
const PER_DIMENSION: usize = 5;
const BOUNDS: (usize, usize) = (10, 50);

/// The method under way.
#[derive(Clone, Debug)]
pub struct Evolution {
    population: usize,
    members: Vec<Told>,
    first: Option<Spread>,
    /// Which member each rival was made for.
    rivals: BTreeMap<u64, usize>,
}

impl Evolution {
    /// A population of 0 is the default: five for each parameter, 10 to 50.
    pub fn new(population: usize) -> Evolution {
        Evolution { population, members: Vec::new(), first: None, rivals: BTreeMap::new() }
    }

    /// Asks for the next generation.
    pub fn propose(&mut self, desk: &mut Desk<'_>) -> Vec<u64> {
        let size = match self.population {
            0 => (PER_DIMENSION * desk.cube.len()).clamp(BOUNDS.0, BOUNDS.1),
            given => given,
        };
        if self.members.len() < 4 {
            let first = self.first.get_or_insert_with(|| Spread::new(Cover::LatinHypercube, size as u64));
            return first.propose(desk, size.min(desk.most));
        }
        self.rivals.clear();
        let mut proposed = Vec::new();
        for member in 0..self.members.len().min(desk.most) {
            let mut stream = desk.stream(member);
            let place = self.rival(desk.cube, member, &mut stream);
            let digits = desk.cube.nearest(&place);
            let Some(index) = desk.visited.claim_near(desk.cube, &digits, &mut stream) else { break };
            self.rivals.insert(index, member);
            proposed.push(index);
        }
        proposed
    }

    fn rival(&self, cube: &Cube, member: usize, stream: &mut Stream) -> Vec<f64> {
        let place = |member: usize| cube.place(&self.members[member].digits);
        let (own, best) = (place(member), place(self.best()));
        let one = self.another(&[member], stream);
        let two = self.another(&[member, one], stream);
        let (one, two) = (place(one), place(two));
        let factor = 0.5 + 0.5 * stream.uniform();
        let always = stream.below(cube.len().max(1) as u64) as usize;
        (0..cube.len())
            .map(|axis| {
                if axis != always && stream.uniform() >= CROSSOVER {
                    return own[axis];
                }
                let u = own[axis] + factor * (best[axis] - own[axis]) + factor * (one[axis] - two[axis]);
                match u {
                    // Back inside, between the member and the wall that was passed.
                    u if u < 0.0 => own[axis] * stream.uniform(),
                    u if u >= 1.0 => own[axis] + (1.0 - own[axis]) * stream.uniform(),
                    u => u,
                }
            })
            .collect()
    }

    fn best(&self) -> usize {
        let order = |&a: &usize, &b: &usize| self.members[a].score.order(&self.members[b].score).then(a.cmp(&b));
        (0..self.members.len()).min_by(order).unwrap_or(0)
    }

    /// A drawn member that is none of these.
    fn another(&self, others: &[usize], stream: &mut Stream) -> usize {
        loop {
            let member = stream.below(self.members.len() as u64) as usize;
            // At least four members, at most two excluded.
            if !others.contains(&member) {
                return member;
            }
        }
    }

    /// Takes the scores of the last generation.
    pub fn learn(&mut self, told: &[Told]) {
        for rival in told {
            match self.rivals.get(&rival.index) {
                Some(&member) if rival.score.order(&self.members[member].score).is_le() => {
                    self.members[member] = rival.clone();
                }
                Some(_) => {}
                None => self.members.push(rival.clone()),
            }
        }
    }
}
