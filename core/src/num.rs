//! The only door to floating-point functions.
//!
//! Addition, subtraction, multiplication, division, square root and rounding are exact by IEEE 754 and may be
//! used anywhere. Everything else (`exp`, `ln`, powers, trigonometry) differs between platforms' libraries in the
//! last bit, so it comes from the `libm` crate, pure Rust, through this module; clippy bans the rest in this
//! crate. Fused multiply-add is not offered: it would change bits between targets.

/// Natural exponential.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// Natural logarithm.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// `ln(1 + x)`, accurate near zero.
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// Base-10 logarithm.
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// `x` to the power `y`.
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// Sine of an angle in radians.
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}

/// Cosine of an angle in radians.
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// Sine and cosine of an angle in radians, with the bits of [`sin`] and [`cos`].
pub fn sin_cos(x: f64) -> (f64, f64) {
    libm::sincos(x)
}

/// Tangent of an angle in radians.
pub fn tan(x: f64) -> f64 {
    libm::tan(x)
}

/// Arc tangent in radians.
pub fn atan(x: f64) -> f64 {
    libm::atan(x)
}

/// Complementary error function `1 − erf(x)`, accurate where it is small.
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// Square root: exact by IEEE 754, the same bits everywhere.
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// The one NaN that is ever stored, so that equal results are equal bytes (payload and sign of a computed NaN
/// differ between processors).
pub const NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0000);

/// `x`, with every NaN replaced by [`NAN`].
pub fn canonical(x: f64) -> f64 {
    if x.is_nan() { NAN } else { x }
}

/// Total order for sorting by a float with NaN last, equal values left to the caller's tie break.
pub fn nan_last(a: f64, b: f64) -> std::cmp::Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => std::cmp::Ordering::Equal,
        (true, false) => std::cmp::Ordering::Greater,
        (false, true) => std::cmp::Ordering::Less,
        (false, false) => a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal),
    }
}
