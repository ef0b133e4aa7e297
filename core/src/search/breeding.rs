//! Children of two points: what genetic algorithms share.
//!
//! Given parents, this file gives digits. It never knows how parents were chosen.

use super::cube::Cube;
use crate::rng::Stream;

/// How often two parents are crossed; otherwise the child is its first parent.
const CROSSOVER: f64 = 0.8;
/// How far beyond its parents a child may be, in parts of their distance (BLX-α, Eshelman and Schaffer 1993).
const BLEND: f64 = 0.5;
/// How often a parameter of a child is changed.
const MUTATION: f64 = 0.2;
/// Standard deviation of a change, in parts of the range; one step at least.
const CHANGE: f64 = 0.1;

/// The digits of a child.
pub fn child(cube: &Cube, first: &[u64], second: &[u64], stream: &mut Stream) -> Vec<u64> {
    let crossed = stream.uniform() < CROSSOVER;
    let gene = |(dimension, (&a, &b)): (&super::cube::Dimension, (&u64, &u64))| {
        let mut place = dimension.place(a);
        if crossed && dimension.ordered {
            let (low, high) = (dimension.place(a.min(b)), dimension.place(a.max(b)));
            let beyond = BLEND * (high - low);
            place = low - beyond + (high - low + 2.0 * beyond) * stream.uniform();
        } else if crossed && stream.below(2) == 1 {
            place = dimension.place(b);
        }
        if stream.uniform() < MUTATION {
            let changed = place + CHANGE.max(dimension.width()) * stream.normal();
            place = if dimension.ordered { changed } else { stream.uniform() };
        }
        dimension.digit(place)
    };
    cube.dimensions().iter().zip(first.iter().zip(second)).map(gene).collect()
}
