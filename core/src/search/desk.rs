//! What every method has before it when a generation is asked for.

use super::cube::Cube;
use super::score::Told;
use super::visited::Visited;
use crate::rng::Stream;

/// The trial number of draws that belong to a whole generation.
const WHOLE: u32 = u32::MAX;

/// The state of a search, as its method sees it.
#[derive(Debug)]
pub struct Desk<'a> {
    /// The moving parameters.
    pub cube: &'a Cube,
    /// The points that were asked for.
    pub visited: &'a mut Visited,
    /// All trials told so far, in the order they were told.
    pub told: &'a [Told],
    /// Which generation is asked for, from 0.
    pub generation: u32,
    /// Most trials that this generation may have.
    pub most: usize,
    /// Seed of the plan.
    pub seed: u64,
    /// Number of the method, so that two methods draw other numbers.
    pub method: u32,
}

impl Desk<'_> {
    /// The random stream of a trial of this generation.
    pub fn stream(&self, trial: usize) -> Stream {
        let trial = u32::try_from(trial).unwrap_or(WHOLE - 1);
        Stream::new(self.seed, [(self.method << 24) ^ self.generation, trial])
    }

    /// The random stream of the generation as a whole.
    pub fn whole_stream(&self) -> Stream {
        Stream::new(self.seed, [(self.method << 24) ^ self.generation, WHOLE])
    }
}
