//! A genetic algorithm for several objectives (NSGA-II, Deb et al., IEEE Trans. Evol. Comp. 6, 2002).
//!
//! Given a population, this file breeds as many children, and keeps of both the fronts that nothing beats, the less
//! crowded of the last one first. It never weighs one objective against another.

use super::breeding::child;
use super::desk::Desk;
use super::front::{fronts, room};
use super::score::{Score, Told};
use super::spread::{Cover, Spread};
use crate::rng::Stream;

/// Members, unless the study says otherwise.
const POPULATION: usize = 50;

/// The method under way.
#[derive(Clone, Debug)]
pub struct Nsga {
    population: usize,
    /// The better first: by front, then by room.
    members: Vec<Told>,
    first: Spread,
}

impl Nsga {
    /// A population of 0 is the default of 50.
    pub fn new(population: usize) -> Nsga {
        let population = if population == 0 { POPULATION } else { population };
        Nsga { population, members: Vec::new(), first: Spread::new(Cover::LatinHypercube, population as u64) }
    }

    /// Asks for the next generation.
    pub fn propose(&mut self, desk: &mut Desk<'_>) -> Vec<u64> {
        let size = self.population.min(desk.most);
        if self.members.is_empty() {
            return self.first.propose(desk, size);
        }
        let breed = |slot: usize| {
            let mut stream = desk.stream(slot);
            let (first, second) = (self.parent(&mut stream), self.parent(&mut stream));
            let digits = child(desk.cube, &first.digits, &second.digits, &mut stream);
            desk.visited.claim_near(desk.cube, &digits, &mut stream)
        };
        (0..size).map_while(breed).collect()
    }

    /// The better of two drawn members.
    fn parent(&self, stream: &mut Stream) -> &Told {
        let count = self.members.len() as u64;
        let place = stream.below(count).min(stream.below(count));
        &self.members[place as usize]
    }

    /// Takes the scores of the last generation.
    pub fn learn(&mut self, told: &[Told]) {
        self.members.extend_from_slice(told);
        let scores: Vec<&Score> = self.members.iter().map(|member| &member.score).collect();
        let front_of = fronts(&scores);
        let room = room(&scores, &front_of);
        let mut order: Vec<usize> = (0..self.members.len()).collect();
        order.sort_by(|&a, &b| {
            let by_index = self.members[a].index.cmp(&self.members[b].index);
            front_of[a].cmp(&front_of[b]).then(room[b].total_cmp(&room[a])).then(by_index)
        });
        self.members = order.into_iter().take(self.population).map(|place| self.members[place].clone()).collect();
    }
}
