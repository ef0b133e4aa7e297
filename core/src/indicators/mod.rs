//! Indicators: one registry table of names, parameters, lookback, documentation and kernels.
//!
//! Given columns and periods, this room gives columns. It never knows who asks.
//!
//! Names, parameters and values are TA-Lib's. The kernels are our own: the additions that slide a window run in
//! fixed stripes and nothing is fused, so that every target gives the same bits.

mod averages;
mod channel;
mod direction;
mod momentum;
mod registry;
mod rolling;
mod statistics;
mod volume;
mod window;

#[cfg(test)]
mod cases;

use crate::bundle::Field;
use crate::num::{NAN, canonical};

pub use registry::REGISTRY;
pub(crate) use rolling::{Average, Averages, Kind as AverageKind, ROWS as ROLLING_ROWS, State as AveragesState};

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

/// Inputs, parameters, outputs: see [`Indicator::kernel`].
pub type Kernel = fn(inputs: &[&[f64]], params: &[f64], outputs: &mut [&mut [f64]]);

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
    /// `lookback` for windows that forget. Running totals (`obv`, `ad`) never forget: their level is set by the
    /// first bar whatever is read before, so they say `lookback` too.
    pub settle: fn(&[f64]) -> usize,
    /// Computes all outputs over defined inputs (finite, more rows than `lookback`, parameters that [`check_params`]
    /// passed), each output as long as the inputs; bars before `lookback` become NaN. Call it through [`compute`],
    /// which sees to that.
    pub kernel: Kernel,
}

impl std::fmt::Debug for Indicator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Indicator").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The indicator of that name (lower case) and its index in [`REGISTRY`].
pub fn find(name: &str) -> Option<(u16, &'static Indicator)> {
    let index = REGISTRY.binary_search_by(|indicator| indicator.name.cmp(name)).ok()?;
    Some((u16::try_from(index).ok()?, &REGISTRY[index]))
}

/// Whether an indicator takes these parameters; if not, a sentence with the name, what was found and what is allowed.
pub fn check_params(indicator: &Indicator, params: &[f64]) -> Result<(), String> {
    let specs = indicator.params;
    if params.len() != specs.len() {
        let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
        let list = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        return Err(format!("`{}` takes {} parameters{list}, found {}", indicator.name, specs.len(), params.len()));
    }
    for (spec, &value) in specs.iter().zip(params) {
        let whole = !spec.integer || value.fract() == 0.0;
        if !(whole && spec.min <= value && value <= spec.max) {
            let kind = if spec.integer { "a whole number" } else { "a number" };
            return Err(format!(
                "`{}` of `{}` must be {kind} from {} to {}, found {value}",
                spec.name,
                indicator.name,
                plain(spec.min),
                plain(spec.max),
            ));
        }
    }
    Ok(())
}

/// A bound as a person writes it.
fn plain(bound: f64) -> String {
    if bound.abs() < 1e9 { format!("{bound}") } else { format!("{bound:e}") }
}

/// Computes an indicator over columns that may have holes.
///
/// `inputs` are the operands' columns in the order of `indicator.inputs`, `outputs` as many columns as
/// `indicator.outputs`, all of one length. A row counts where every input is finite. NaN and infinity are holes: the
/// indicator starts anew after each, as if the data began there, and its values in the hole and during the lookback
/// after it are NaN (always [`NAN`]). Parameters that [`check_params`] refuses, or a wrong number of columns, give NaN
/// throughout; columns of different lengths are read as far as the shortest goes.
pub fn compute(indicator: &Indicator, inputs: &[&[f64]], params: &[f64], outputs: &mut [&mut [f64]]) {
    let fits = inputs.len() == indicator.inputs.len() && outputs.len() == indicator.outputs.len();
    if !fits || check_params(indicator, params).is_err() {
        outputs.iter_mut().for_each(|out| out.fill(NAN));
        return;
    }
    let rows = inputs.iter().map(|column| column.len()).chain(outputs.iter().map(|column| column.len())).min();
    let rows = rows.unwrap_or(0);
    let lookback = (indicator.lookback)(params);
    let mut done = 0;
    while let Some((start, end)) = next_run(inputs, done, rows) {
        outputs.iter_mut().for_each(|out| out[done..start].fill(NAN));
        if end - start > lookback {
            run_kernel(indicator, inputs, params, outputs, start, end);
        } else {
            outputs.iter_mut().for_each(|out| out[start..end].fill(NAN));
        }
        done = end;
    }
    outputs.iter_mut().for_each(|out| out[done..].fill(NAN));
}

/// The average that an indicator is, if [`Averages`] gives it too.
pub(crate) fn average_kind(index: u16) -> Option<AverageKind> {
    match REGISTRY.get(usize::from(index))?.name {
        "sma" => Some(AverageKind::Simple),
        "ema" => Some(AverageKind::Exponential),
        _ => None,
    }
}

/// The rows of `within` where a column is finite, run by run.
pub(crate) fn finite_runs(column: &[f64], within: std::ops::Range<usize>) -> Vec<std::ops::Range<usize>> {
    let (inputs, mut from) = ([&column[..within.end]], within.start);
    let mut runs = Vec::new();
    while let Some((start, end)) = next_run(&inputs, from, within.end) {
        runs.push(start..end);
        from = end;
    }
    runs
}

/// The next maximal run of rows, from `from` on, where all inputs are finite.
fn next_run(inputs: &[&[f64]], from: usize, rows: usize) -> Option<(usize, usize)> {
    let defined = |row: usize| inputs.iter().all(|column| column[row].is_finite());
    let start = (from..rows).find(|&row| defined(row))?;
    // Column by column, because that is fast over the usual long run.
    let end = inputs.iter().fold(rows, |end, column| start + finite_prefix(&column[start..end]));
    Some((start, end))
}

/// Values judged at once by [`all_finite`].
const BLOCK: usize = 64;

/// Whether all values are finite, without a branch for each, because long columns mostly are.
fn all_finite(block: &[f64]) -> bool {
    // Adding one to an exponent of all ones (infinity, NaN) carries into the sign's place, which was cleared.
    const ONE: u64 = 1 << 52;
    block.iter().fold(0, |carried, value| carried | (value.abs().to_bits() + ONE)) >> 63 == 0
}

/// How many values from the first on are finite.
fn finite_prefix(column: &[f64]) -> usize {
    let skip = column.chunks(BLOCK).take_while(|block| all_finite(block)).count() * BLOCK;
    let rest = column.get(skip..).unwrap_or_default();
    rest.iter().position(|value| !value.is_finite()).map_or(column.len(), |offset| skip + offset)
}

fn run_kernel(
    indicator: &Indicator,
    inputs: &[&[f64]],
    params: &[f64],
    outputs: &mut [&mut [f64]],
    start: usize,
    end: usize,
) {
    let inputs: Vec<&[f64]> = inputs.iter().map(|column| &column[start..end]).collect();
    let mut outputs: Vec<&mut [f64]> = outputs.iter_mut().map(|column| &mut column[start..end]).collect();
    (indicator.kernel)(&inputs, params, &mut outputs);
    for out in outputs {
        for block in out.chunks_mut(BLOCK).filter(|block| !all_finite(block)) {
            block.iter_mut().for_each(|value| *value = canonical(*value));
        }
    }
}
