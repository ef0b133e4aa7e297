//! Indicators: one registry table of names, parameters, lookback, documentation and kernels.
//!
//! Given columns and periods, this room gives columns. It never knows who asks.

use crate::bundle::Field;

/// What an indicator reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// An expression given by the caller, `sma(X, …)`; the name is for documentation.
    Real(&'static str),
    /// A field of the symbol itself, not written by the caller: `atr(14)` reads high, low and close.
    Implied(Field),
}

/// One parameter of an indicator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec {
    /// TA-Lib's name in lower case: `timeperiod`, `fastperiod`, `nbdevup` …
    pub name: &'static str,
    /// TA-Lib's default.
    pub default: f64,
    /// Smallest allowed value.
    pub min: f64,
    /// Largest allowed value (bounds memory and time for any input).
    pub max: f64,
    /// Whether it must be a whole number.
    pub integer: bool,
}

/// One indicator.
#[derive(Clone, Copy)]
pub struct Indicator {
    /// Name in expressions: TA-Lib's in lower case.
    pub name: &'static str,
    /// One sentence with the formula.
    pub doc: &'static str,
    /// Operands.
    pub inputs: &'static [Input],
    /// Parameters, all with defaults, after the operands.
    pub params: &'static [ParamSpec],
    /// Names of the outputs; one empty name for a single output.
    pub outputs: &'static [&'static str],
    /// Index of the first defined value over defined inputs.
    pub lookback: fn(&[f64]) -> usize,
    /// Bars after which the choice of the first bar moves a value by less than about 1e-9 of its scale; equal to
    /// `lookback` for windows that forget.
    pub settle: fn(&[f64]) -> usize,
    /// Computes all outputs over defined inputs (no NaN inside), each output as long as the inputs; bars before
    /// `lookback` become NaN.
    pub kernel: fn(inputs: &[&[f64]], params: &[f64], outputs: &mut [&mut [f64]]),
}

/// All indicators, sorted by name.
pub static REGISTRY: &[Indicator] = &[];
