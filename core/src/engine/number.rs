//! The arithmetic of a ledger, so that one simulator serves two kinds of numbers.
//!
//! Searches run in `f64`. A run that is to be verified runs the very same code in decimal numbers: what differs then
//! is what rounding did.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Money, prices and quantities. Prices and rules come as `f64`; everything that is derived from them is a `Number`.
///
/// A number may be *undefined* (NaN, or out of range): it compares false with everything and stays undefined in
/// arithmetic.
pub trait Number:
    Copy
    + Debug
    + Default
    + PartialEq
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Send
    + Sync
    + 'static
{
    /// Nothing.
    const ZERO: Self;
    /// No number.
    const UNDEFINED: Self;

    /// The number that a float stands for: the shortest decimal that reads as it.
    fn of(value: f64) -> Self;

    /// The nearest float; NaN if undefined.
    fn float(self) -> f64;

    /// Whether it is a finite number.
    fn is_defined(self) -> bool;

    /// Without its sign.
    fn abs(self) -> Self;

    /// The whole number toward zero.
    fn trunc(self) -> Self;

    /// The largest whole number not above.
    fn floor(self) -> Self;

    /// The nearest whole number, halves away from zero.
    fn round(self) -> Self;

    /// Square root; undefined below 0.
    fn sqrt(self) -> Self;

    /// A slightly smaller number: the next one, for floats.
    fn step_down(self) -> Self;

    /// The larger one; the other where one is undefined.
    fn max(self, other: Self) -> Self;

    /// The smaller one; the other where one is undefined.
    fn min(self, other: Self) -> Self;
}

impl Number for f64 {
    const ZERO: f64 = 0.0;
    const UNDEFINED: f64 = f64::NAN;

    #[inline(always)]
    fn of(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn float(self) -> f64 {
        self
    }

    #[inline(always)]
    fn is_defined(self) -> bool {
        self.is_finite()
    }

    #[inline(always)]
    fn abs(self) -> f64 {
        f64::abs(self)
    }

    #[inline(always)]
    fn trunc(self) -> f64 {
        f64::trunc(self)
    }

    #[inline(always)]
    fn floor(self) -> f64 {
        f64::floor(self)
    }

    #[inline(always)]
    fn round(self) -> f64 {
        f64::round(self)
    }

    #[inline(always)]
    fn sqrt(self) -> f64 {
        crate::num::sqrt(self)
    }

    #[inline(always)]
    fn step_down(self) -> f64 {
        self.next_down()
    }

    #[inline(always)]
    fn max(self, other: f64) -> f64 {
        f64::max(self, other)
    }

    #[inline(always)]
    fn min(self, other: f64) -> f64 {
        f64::min(self, other)
    }
}
