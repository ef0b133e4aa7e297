//! A genetic algorithm.
//!
//! Given the members of its population, this file breeds the next generation: parents are the best of three drawn
//! members, children are blended and mutated, and a tenth of the members, the best, live on without being evaluated
//! again. It never knows what a score means beyond which of two is better.

use super::breeding::child;
use super::desk::Desk;
use super::score::Told;
use super::spread::{Cover, Spread};
use crate::rng::Stream;

/// Members, unless the study says otherwise.
const POPULATION: usize = 50;
/// Members that are drawn for the choice of a parent.
const TOURNAMENT: u32 = 3;

/// The method under way.
#[derive(Clone, Debug)]
pub struct Genetic {
    population: usize,
    /// The best first.
    members: Vec<Told>,
    first: Spread,
}

impl Genetic {
    /// A population of 0 is the default of 50.
    pub fn new(population: usize) -> Genetic {
        let population = if population == 0 { POPULATION } else { population };
        Genetic { population, members: Vec::new(), first: Spread::new(Cover::LatinHypercube, population as u64) }
    }

    /// Members that live on.
    fn elite(&self) -> usize {
        self.population.div_ceil(10)
    }

    /// Asks for the next generation.
    pub fn propose(&mut self, desk: &mut Desk<'_>) -> Vec<u64> {
        if self.members.is_empty() {
            return self.first.propose(desk, self.population.min(desk.most));
        }
        let children = (self.population - self.elite()).max(1).min(desk.most);
        let breed = |slot: usize| {
            let mut stream = desk.stream(slot);
            let (first, second) = (self.parent(&mut stream), self.parent(&mut stream));
            let digits = child(desk.cube, &first.digits, &second.digits, &mut stream);
            desk.visited.claim_near(desk.cube, &digits, &mut stream)
        };
        (0..children).map_while(breed).collect()
    }

    /// The best of three drawn members: they are ranked, so the smallest place wins.
    fn parent(&self, stream: &mut Stream) -> &Told {
        let count = self.members.len() as u64;
        let place = (0..TOURNAMENT).map(|_| stream.below(count)).min().unwrap_or(0);
        &self.members[place as usize]
    }

    /// Takes the scores of the last generation.
    pub fn learn(&mut self, told: &[Told]) {
        self.members.truncate(self.elite());
        self.members.extend_from_slice(told);
        self.members.sort_by(|a, b| a.score.order(&b.score).then(a.index.cmp(&b.index)));
    }
}
