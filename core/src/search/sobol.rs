//! Scrambled Sobol points.
//!
//! Given a seed, this file gives points of the unit cube that fill it evenly: the sequence of Sobol with the direction
//! numbers of Joe and Kuo ("Constructing Sobol sequences with better two-dimensional projections", SIAM J. Sci.
//! Comput. 30, 2008, set new-joe-kuo-6), each dimension scrambled by a random lower triangular matrix and a random
//! digital shift (Matoušek, "On the L2-discrepancy for anchored boxes", J. Complexity 14, 1998). It never knows what
//! the points are for.

use crate::rng::Stream;

/// Binary digits of a coordinate; the sequence has as many points as these count.
const BITS: usize = 32;

/// Dimensions that the table covers.
pub const DIMENSIONS: usize = TABLE.len() + 1;

/// Degree, inner coefficients and first direction numbers of the second and all further dimensions.
#[rustfmt::skip]
static TABLE: [(u32, u32, &[u32]); 63] = [
    (1, 0, &[1]),
    (2, 1, &[1, 3]),
    (3, 1, &[1, 3, 1]),
    (3, 2, &[1, 1, 1]),
    (4, 1, &[1, 1, 3, 3]),
    (4, 4, &[1, 3, 5, 13]),
    (5, 2, &[1, 1, 5, 5, 17]),
    (5, 4, &[1, 1, 5, 5, 5]),
    (5, 7, &[1, 1, 7, 11, 19]),
    (5, 11, &[1, 1, 5, 1, 1]),
    (5, 13, &[1, 1, 1, 3, 11]),
    (5, 14, &[1, 3, 5, 5, 31]),
    (6, 1, &[1, 3, 3, 9, 7, 49]),
    (6, 13, &[1, 1, 1, 15, 21, 21]),
    (6, 16, &[1, 3, 1, 13, 27, 49]),
    (6, 19, &[1, 1, 1, 15, 7, 5]),
    (6, 22, &[1, 3, 1, 15, 13, 25]),
    (6, 25, &[1, 1, 5, 5, 19, 61]),
    (7, 1, &[1, 3, 7, 11, 23, 15, 103]),
    (7, 4, &[1, 3, 7, 13, 13, 15, 69]),
    (7, 7, &[1, 1, 3, 13, 7, 35, 63]),
    (7, 8, &[1, 3, 5, 9, 1, 25, 53]),
    (7, 14, &[1, 3, 1, 13, 9, 35, 107]),
    (7, 19, &[1, 3, 1, 5, 27, 61, 31]),
    (7, 21, &[1, 1, 5, 11, 19, 41, 61]),
    (7, 28, &[1, 3, 5, 3, 3, 13, 69]),
    (7, 31, &[1, 1, 7, 13, 1, 19, 1]),
    (7, 32, &[1, 3, 7, 5, 13, 19, 59]),
    (7, 37, &[1, 1, 3, 9, 25, 29, 41]),
    (7, 41, &[1, 3, 5, 13, 23, 1, 55]),
    (7, 42, &[1, 3, 7, 3, 13, 59, 17]),
    (7, 50, &[1, 3, 1, 3, 5, 53, 69]),
    (7, 55, &[1, 1, 5, 5, 23, 33, 13]),
    (7, 56, &[1, 1, 7, 7, 1, 61, 123]),
    (7, 59, &[1, 1, 7, 9, 13, 61, 49]),
    (7, 62, &[1, 3, 3, 5, 3, 55, 33]),
    (8, 14, &[1, 3, 1, 15, 31, 13, 49, 245]),
    (8, 21, &[1, 3, 5, 15, 31, 59, 63, 97]),
    (8, 22, &[1, 3, 1, 11, 11, 11, 77, 249]),
    (8, 38, &[1, 3, 1, 11, 27, 43, 71, 9]),
    (8, 47, &[1, 1, 7, 15, 21, 11, 81, 45]),
    (8, 49, &[1, 3, 7, 3, 25, 31, 65, 79]),
    (8, 50, &[1, 3, 1, 1, 19, 11, 3, 205]),
    (8, 52, &[1, 1, 5, 9, 19, 21, 29, 157]),
    (8, 56, &[1, 3, 7, 11, 1, 33, 89, 185]),
    (8, 67, &[1, 3, 3, 3, 15, 9, 79, 71]),
    (8, 70, &[1, 3, 7, 11, 15, 39, 119, 27]),
    (8, 84, &[1, 1, 3, 1, 11, 31, 97, 225]),
    (8, 97, &[1, 1, 1, 3, 23, 43, 57, 177]),
    (8, 103, &[1, 3, 7, 7, 17, 17, 37, 71]),
    (8, 115, &[1, 3, 1, 5, 27, 63, 123, 213]),
    (8, 122, &[1, 1, 3, 5, 11, 43, 53, 133]),
    (9, 8, &[1, 3, 5, 5, 29, 17, 47, 173, 479]),
    (9, 13, &[1, 3, 3, 11, 3, 1, 109, 9, 69]),
    (9, 16, &[1, 1, 1, 5, 17, 39, 23, 5, 343]),
    (9, 22, &[1, 3, 1, 5, 25, 15, 31, 103, 499]),
    (9, 25, &[1, 1, 1, 11, 11, 17, 63, 105, 183]),
    (9, 44, &[1, 1, 5, 11, 9, 29, 97, 231, 363]),
    (9, 47, &[1, 1, 5, 15, 19, 45, 41, 7, 383]),
    (9, 52, &[1, 3, 7, 7, 31, 19, 83, 137, 221]),
    (9, 55, &[1, 1, 1, 3, 23, 15, 111, 223, 83]),
    (9, 59, &[1, 1, 5, 13, 31, 15, 55, 25, 161]),
    (9, 62, &[1, 1, 3, 13, 25, 47, 39, 87, 257]),
];

/// A scrambled sequence.
#[derive(Clone, Debug)]
pub struct Sobol {
    /// Scrambled direction numbers of each dimension.
    directions: Vec<[u32; BITS]>,
    shifts: Vec<u32>,
}

impl Sobol {
    /// The sequence of a seed in so many dimensions, at most [`DIMENSIONS`]; those beyond are left out.
    pub fn new(seed: u64, method: u32, dimensions: usize) -> Sobol {
        let dimensions = dimensions.min(DIMENSIONS);
        let mut sobol = Sobol { directions: Vec::new(), shifts: Vec::new() };
        for dimension in 0..dimensions {
            let mut stream = Stream::new(seed, [method << 24 | 0x00ff_ffff, dimension as u32]);
            let plain = plain(dimension);
            let matrix = scrambling(&mut stream);
            sobol.directions.push(plain.map(|direction| times(&matrix, direction)));
            sobol.shifts.push(stream.next_u32());
        }
        sobol
    }

    /// The point with a number, one coordinate in (0, 1) for each dimension.
    pub fn point(&self, number: u32) -> Vec<f64> {
        let gray = number ^ (number >> 1);
        let coordinate = |(directions, shift): (&[u32; BITS], &u32)| {
            let chosen = directions.iter().enumerate().filter(|(bit, _)| gray >> bit & 1 == 1);
            let bits = chosen.fold(*shift, |bits, (_, direction)| bits ^ direction);
            // Half a unit up, so that no coordinate is 0.
            (f64::from(bits) + 0.5) / 4_294_967_296.0
        };
        self.directions.iter().zip(&self.shifts).map(coordinate).collect()
    }
}

/// Direction numbers of a dimension before scrambling, the first one in the highest bit.
fn plain(dimension: usize) -> [u32; BITS] {
    let mut directions = [0; BITS];
    let Some((degree, inner, first)) = dimension.checked_sub(1).and_then(|row| TABLE.get(row)) else {
        // The first dimension is the sequence of van der Corput.
        return std::array::from_fn(|bit| 1 << (BITS - 1 - bit));
    };
    let degree = *degree as usize;
    for bit in 0..BITS {
        directions[bit] = match first.get(bit) {
            Some(number) => number << (BITS - 1 - bit),
            None => {
                let mut direction = directions[bit - degree] ^ (directions[bit - degree] >> degree);
                for back in 1..degree {
                    if inner >> (degree - 1 - back) & 1 == 1 {
                        direction ^= directions[bit - back];
                    }
                }
                direction
            }
        };
    }
    directions
}

/// Rows of a random lower triangular matrix with ones on its diagonal, the highest bit first.
fn scrambling(stream: &mut Stream) -> [u32; BITS] {
    std::array::from_fn(|row| {
        let diagonal = 1_u32 << (BITS - 1 - row);
        let before = !(diagonal | (diagonal - 1));
        diagonal | (stream.next_u32() & before)
    })
}

/// A matrix over two elements times a vector of bits.
fn times(matrix: &[u32; BITS], vector: u32) -> u32 {
    matrix
        .iter()
        .enumerate()
        .fold(0, |bits, (row, coefficients)| bits | ((coefficients & vector).count_ones() & 1) << (BITS - 1 - row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_points_without_scrambling_are_the_published_ones() {
        // The first points of the tables in three dimensions: 0, ½, ¾ ¼ ¼, ¼ ¾ ¾, …
        let point = |number: u32| -> Vec<f64> {
            let gray = number ^ (number >> 1);
            (0..3)
                .map(|dimension| {
                    let directions = plain(dimension);
                    let bits = (0..BITS).filter(|bit| gray >> bit & 1 == 1).fold(0, |bits, bit| bits ^ directions[bit]);
                    f64::from(bits) / 4_294_967_296.0
                })
                .collect()
        };
        assert_eq!(point(0), [0.0, 0.0, 0.0]);
        assert_eq!(point(1), [0.5, 0.5, 0.5]);
        assert_eq!(point(2), [0.75, 0.25, 0.25]);
        assert_eq!(point(3), [0.25, 0.75, 0.75]);
        assert_eq!(point(4), [0.375, 0.375, 0.625]);
        assert_eq!(point(5), [0.875, 0.875, 0.125]);
    }

    #[test]
    fn every_dimension_puts_one_point_into_each_part() {
        let sobol = Sobol::new(7, 4, DIMENSIONS);
        for dimension in 0..DIMENSIONS {
            let mut parts: Vec<u64> = (0..256).map(|number| (sobol.point(number)[dimension] * 256.0) as u64).collect();
            parts.sort_unstable();
            assert_eq!(parts, (0..256).collect::<Vec<u64>>(), "dimension {dimension}");
        }
    }

    #[test]
    fn another_seed_gives_other_points() {
        assert_eq!(Sobol::new(1, 4, 3).point(9), Sobol::new(1, 4, 3).point(9));
        assert_ne!(Sobol::new(1, 4, 3).point(9), Sobol::new(2, 4, 3).point(9));
    }
}
