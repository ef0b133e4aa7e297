//! Decimal numbers for a ledger: what a run comes to without the rounding of floats.
//!
//! Given floats, this gives numbers of 28 significant digits with exact decimal places, for the very simulator that
//! searches use. It never knows what they stand for.
//!
//! A sum of money such as 0.1 is exact here and is not in a float; a quotient such as 1/3 is rounded here too, at the
//! 28th digit instead of the 16th. Places beyond the 28th decimal are lost, so that numbers below 1e-28 are 0; numbers
//! from about 7.9e28 on are undefined.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

use rust_decimal::{Decimal, RoundingStrategy};
use sandtable_core::engine::Number;

/// Most decimal places.
const PLACES: u32 = Decimal::MAX_SCALE;

/// A decimal number, or an undefined one: the result of an overflow, of a division by zero, or of a float that is no
/// finite number. What is undefined compares false with everything, itself included, and stays undefined.
#[derive(Clone, Copy, Debug)]
pub struct Exact(Option<Decimal>);

impl Exact {
    /// One unit in the last place.
    const LAST: Exact = Exact(Some(Decimal::from_parts(1, 0, 0, false, PLACES)));

    /// What a float really is, to 28 digits: not the short decimal that it stands for, but the binary fraction.
    pub fn binary(value: f64) -> Exact {
        if !value.is_finite() {
            return Exact(None);
        }
        // The digits of a float's expansion are exact however many are asked for; those that do not fit are rounded.
        Exact(format!("{value:.28}").parse().ok())
    }

    fn with(self, other: Exact, operation: impl FnOnce(Decimal, Decimal) -> Option<Decimal>) -> Exact {
        Exact(self.0.zip(other.0).and_then(|(a, b)| operation(a, b)))
    }

    fn map(self, operation: impl FnOnce(Decimal) -> Decimal) -> Exact {
        Exact(self.0.map(operation))
    }
}

impl Default for Exact {
    fn default() -> Self {
        Exact::ZERO
    }
}

impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(value) => value.normalize().fmt(f),
            None => f.write_str("undefined"),
        }
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.0.zip(other.0).map(|(a, b)| a.cmp(&b))
    }
}

impl Add for Exact {
    type Output = Exact;
    fn add(self, other: Exact) -> Exact {
        self.with(other, Decimal::checked_add)
    }
}

impl Sub for Exact {
    type Output = Exact;
    fn sub(self, other: Exact) -> Exact {
        self.with(other, Decimal::checked_sub)
    }
}

impl Mul for Exact {
    type Output = Exact;
    fn mul(self, other: Exact) -> Exact {
        self.with(other, Decimal::checked_mul)
    }
}

impl Div for Exact {
    type Output = Exact;
    fn div(self, other: Exact) -> Exact {
        self.with(other, Decimal::checked_div)
    }
}

impl Neg for Exact {
    type Output = Exact;
    fn neg(self) -> Exact {
        self.map(Neg::neg)
    }
}

impl Number for Exact {
    const ZERO: Exact = Exact(Some(Decimal::ZERO));
    const UNDEFINED: Exact = Exact(None);

    fn of(value: f64) -> Exact {
        Exact(shortest(value))
    }

    fn float(self) -> f64 {
        // Reading the digits rounds once; a conversion by division could round twice.
        self.0.map_or(f64::NAN, |value| value.array_string().as_ref().parse().unwrap_or(f64::NAN))
    }

    fn is_defined(self) -> bool {
        self.0.is_some()
    }

    fn abs(self) -> Exact {
        self.map(|value| value.abs())
    }

    fn trunc(self) -> Exact {
        self.map(|value| value.trunc())
    }

    fn floor(self) -> Exact {
        self.map(|value| value.floor())
    }

    fn round(self) -> Exact {
        self.map(|value| value.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero))
    }

    fn sqrt(self) -> Exact {
        let value = match self.0 {
            Some(value) if value.is_zero() => return self,
            Some(value) if value.is_sign_positive() => value,
            _ => return Exact(None),
        };
        // Newton's steps double the digits: 15 of the float, 30, and one more for what the first one rounded.
        let step = |root: Decimal| value.checked_div(root)?.checked_add(root)?.checked_div(Decimal::TWO);
        Exact(shortest(self.float().sqrt()).and_then(step).and_then(step))
    }

    fn step_down(self) -> Exact {
        // A hundredth of a float's step: fine enough to tell, and coarse enough to get past what the last place rounds in a
        // product with a tiny price.
        let step = self.abs() * Exact::of(1e-18);
        self - if step > Exact::LAST { step } else { Exact::LAST }
    }

    fn max(self, other: Exact) -> Exact {
        if self > other || !other.is_defined() { self } else { other }
    }

    fn min(self, other: Exact) -> Exact {
        if self < other || !other.is_defined() { self } else { other }
    }
}

/// The shortest decimal that reads as the float.
fn shortest(value: f64) -> Option<Decimal> {
    if !value.is_finite() {
        return None;
    }
    // `-1.2345e-7`: the shortest digits, then the exponent of the first one.
    let text = format!("{value:e}");
    let (written, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    let mut digits: i128 = whole.parse().ok()?;
    for digit in fraction.bytes() {
        digits = digits * 10 + if value < 0.0 { -1 } else { 1 } * i128::from(digit - b'0');
    }
    let mut places = i32::try_from(fraction.len()).ok()? - exponent;
    while places < 0 {
        digits = digits.checked_mul(10)?;
        places += 1;
    }
    while places > PLACES as i32 {
        // Digits beyond the last place: the one before the last decides how it is rounded.
        let rest = digits % 10;
        digits /= 10;
        places -= 1;
        if places == PLACES as i32 && rest.abs() >= 5 {
            digits += rest.signum();
        }
    }
    Decimal::try_from_i128_with_scale(digits, places as u32).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use sandtable_core::rng::Stream;

    use super::*;

    fn of(value: f64) -> Exact {
        Exact::of(value)
    }

    /// A float of any sign over 16 powers of ten around 1.
    fn random(stream: &mut Stream) -> f64 {
        let scale = 10f64.powi(stream.below(16) as i32 - 8);
        (stream.uniform() * 2.0 - 1.0) * scale
    }

    #[test]
    fn a_float_becomes_the_decimal_that_people_read() {
        for (value, text) in [
            (0.1, "0.1"),
            (-0.3, "-0.3"),
            (1e-7, "0.0000001"),
            (123_456.789, "123456.789"),
            (1e15, "1000000000000000"),
            (-2.5e-28, "-0.0000000000000000000000000003"),
            (1e-300, "0"),
            (-0.0, "0"),
        ] {
            assert_eq!(of(value).to_string(), text, "{value:e}");
        }
        assert_eq!(of(0.1) + of(0.2), of(0.3));
        assert_eq!(Exact::binary(0.1).to_string(), "0.1000000000000000055511151231");
        assert_eq!(Exact::binary(0.5), of(0.5));
        let mut stream = Stream::new(5, [0, 0]);
        for _ in 0..2000 {
            let value = random(&mut stream);
            assert_eq!(of(value).float(), value);
            assert!((Exact::binary(value) - of(value)).float().abs() <= value.abs() * f64::EPSILON);
        }
    }

    #[test]
    fn arithmetic_is_that_of_floats_within_their_rounding() {
        let mut stream = Stream::new(5, [1, 0]);
        for _ in 0..5000 {
            let (a, b) = (random(&mut stream), random(&mut stream));
            let (x, y) = (of(a), of(b));
            let near = |exact: Exact, float: f64| {
                // The last of 28 decimal places is what a small result may lack.
                let tolerance = 1e-14 * (a.abs() + b.abs()) + 1e-12 * float.abs() + 1e-26;
                assert!((exact.float() - float).abs() <= tolerance, "{a:e} {b:e}: {exact} or {float:e}");
            };
            near(x + y, a + b);
            near(x - y, a - b);
            near(x * y, a * b);
            near(x / y, a / b);
            near(-x, -a);
            near(x.abs(), a.abs());
            near(x.abs().sqrt(), a.abs().sqrt());
            near(x.floor(), a.floor());
            near(x.trunc(), a.trunc());
            near(x.round(), a.round());
            near(Number::max(x, y), a.max(b));
            near(Number::min(x, y), a.min(b));
            assert_eq!(x.partial_cmp(&y), a.partial_cmp(&b));
            let square = x.abs().sqrt();
            assert!(((square * square - x.abs()).abs() / x.abs()).float() < 1e-18, "{a:e}");
            assert!(x.step_down() < x);
            assert!((x - x.step_down()).float() <= 2e-18 * a.abs().max(1e-10), "{a:e}");
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (value, rounded) in [(0.5, 1.0), (1.5, 2.0), (-0.5, -1.0), (2.4, 2.0), (-2.6, -3.0)] {
            assert_eq!(of(value).round(), of(rounded), "{value}");
        }
        assert_eq!(of(-1.5).floor(), of(-2.0));
        assert_eq!(of(-1.5).trunc(), of(-1.0));
    }

    #[test]
    fn what_is_undefined_stays_so_and_compares_false() {
        let large = of(7e28);
        let undefined = [
            large + large,
            large * of(2.0),
            of(1.0) / of(0.0),
            of(0.0) / of(0.0),
            of(-1.0).sqrt(),
            of(f64::NAN),
            of(f64::INFINITY),
            of(1e29),
            of(f64::MAX),
            Exact::binary(f64::NAN),
            Exact::UNDEFINED,
        ];
        let one = of(1.0);
        for value in undefined {
            assert!(!value.is_defined(), "{value}");
            assert!(value.float().is_nan());
            for result in [value + one, one - value, value * Exact::ZERO, one / value, -value, value.sqrt()] {
                assert!(!result.is_defined());
            }
            for result in [value.abs(), value.floor(), value.round(), value.trunc(), value.step_down()] {
                assert!(!result.is_defined());
            }
            assert_eq!(value.partial_cmp(&one), None);
            assert!(value != one && value != value.abs());
            assert_eq!(Number::max(value, one), one);
            assert_eq!(Number::min(one, value), one);
        }
        assert_eq!(Exact::default(), Exact::ZERO);
        assert_eq!(of(4.0).sqrt(), of(2.0));
        assert_eq!(of(0.0).sqrt(), of(0.0));
        assert_eq!(of(2.0).sqrt().to_string().parse::<f64>().unwrap(), 2f64.sqrt());
    }
}
