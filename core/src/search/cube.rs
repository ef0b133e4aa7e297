//! Points as digits and as places in the unit cube, the two forms in which methods move.
//!
//! Given a space, this file translates between an index, the digits of the parameters that have more than one value, and
//! numbers in (0, 1): value `d` of `n` stands at `(d + ½) / n`, so equal steps are equal distances. It never knows which
//! points were evaluated.

use crate::plan::Space;

/// A parameter with more than one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Number of values, at least 2.
    pub len: u64,
    /// Whether neighbouring digits are neighbouring values; if not, digits are mere names.
    pub ordered: bool,
    stride: u64,
}

impl Dimension {
    /// Where a digit stands in (0, 1).
    pub fn place(&self, digit: u64) -> f64 {
        (digit as f64 + 0.5) / self.len as f64
    }

    /// The digit whose part of [0, 1] holds `u`; numbers outside belong to the ends.
    pub fn digit(&self, u: f64) -> u64 {
        // The cast cuts toward zero and takes NaN and negative numbers to 0.
        ((u * self.len as f64) as u64).min(self.len - 1)
    }

    /// Width of one digit's part.
    pub fn width(&self) -> f64 {
        1.0 / self.len as f64
    }
}

/// The moving parameters of a space.
#[derive(Clone, Debug)]
pub struct Cube {
    dimensions: Vec<Dimension>,
}

impl Cube {
    /// The parameters of `space` that have more than one value, in its order.
    pub fn new(space: &Space) -> Cube {
        let moving = space.axes().iter().filter(|axis| axis.len > 1);
        let dimension =
            |axis: &crate::plan::Axis| Dimension { len: axis.len, ordered: axis.is_ordered(), stride: axis.stride };
        Cube { dimensions: moving.map(dimension).collect() }
    }

    /// The dimensions in the order of the space.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// Number of dimensions.
    pub fn len(&self) -> usize {
        self.dimensions.len()
    }

    /// The digits of an index.
    pub fn digits(&self, index: u64) -> Vec<u64> {
        self.dimensions.iter().map(|dimension| index / dimension.stride % dimension.len).collect()
    }

    /// The index of digits.
    pub fn index(&self, digits: &[u64]) -> u64 {
        self.dimensions.iter().zip(digits).map(|(dimension, digit)| digit * dimension.stride).sum()
    }

    /// Where the digits stand in the unit cube.
    pub fn place(&self, digits: &[u64]) -> Vec<f64> {
        self.dimensions.iter().zip(digits).map(|(dimension, &digit)| dimension.place(digit)).collect()
    }

    /// The digits nearest to a place.
    pub fn nearest(&self, place: &[f64]) -> Vec<u64> {
        self.dimensions.iter().zip(place).map(|(dimension, &u)| dimension.digit(u)).collect()
    }
}
