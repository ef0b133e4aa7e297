//! Fingerprints of what the core computes, so that builds for different targets can be held against each other
//! bit by bit.
//!
//! Given nothing, this gives one hash for each function of the core's mathematics, for each kind of random draw, for
//! each indicator, and for whole runs, over arguments that it makes itself. It is compiled once natively and once to
//! WebAssembly and never knows on which it runs.

mod line;

use sandtable_core::Result;
use sandtable_core::bundle::{Bars, Field};
use sandtable_core::indicators::{Indicator, Input, REGISTRY, compute};
use sandtable_core::num;
use sandtable_core::rng::Stream;
use sandtable_core::run::Workers;

const SEED: u64 = 20_000_103;
/// Random arguments for each function of one argument.
const ARGUMENTS: usize = 20_000;
/// Draws of each kind.
const DRAWS: usize = 20_000;
/// Bars of the made-up symbol: more than the longest look back of any indicator's defaults.
const BARS: usize = 700;

/// Name and BLAKE3 hash (hex) of the bits of everything that is compared, in a fixed order. Whole grids are evaluated by
/// `workers`, `chunk` trials at a time, neither of which may change a bit.
///
/// # Errors
/// A strategy of the gallery that is not valid.
pub fn fingerprints(workers: &mut impl Workers, chunk: usize) -> Result<Vec<(String, String)>> {
    let mut all = mathematics();
    all.extend(draws());
    let bars = random_walk();
    all.extend(REGISTRY.iter().map(|indicator| (format!("indicator/{}", indicator.name), columns(indicator, &bars))));
    all.extend(line::line(workers, chunk)?);
    Ok(all)
}

/// Collects bits into a hash.
#[derive(Default)]
struct Bits(blake3::Hasher);

impl Bits {
    fn word(&mut self, word: u64) {
        self.0.update(&word.to_le_bytes());
    }

    fn floats(&mut self, values: &[f64]) {
        for value in values {
            self.word(value.to_bits());
        }
    }

    fn of_bytes(bytes: &[u8]) -> String {
        let mut bits = Bits::default();
        bits.0.update(bytes);
        bits.hex()
    }

    fn hex(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

fn hash_of(words: impl Iterator<Item = u64>) -> String {
    let mut bits = Bits::default();
    words.for_each(|word| bits.word(word));
    bits.hex()
}

/// Every function of the core's one door to mathematics.
fn mathematics() -> Vec<(String, String)> {
    type Unary = (&'static str, fn(f64) -> f64);
    const UNARY: [Unary; 11] = [
        ("exp", num::exp),
        ("ln", num::ln),
        ("ln_1p", num::ln_1p),
        ("log10", num::log10),
        ("sin", num::sin),
        ("cos", num::cos),
        ("tan", num::tan),
        ("atan", num::atan),
        ("erfc", num::erfc),
        ("sqrt", num::sqrt),
        ("canonical", num::canonical),
    ];
    let arguments = arguments();
    let pairs = || arguments.iter().zip(arguments.iter().rev());
    // Which NaN a function gives is the processor's choice: that is why stored numbers are canonical.
    let stored = |value: f64| num::canonical(value).to_bits();
    let mut all: Vec<(String, String)> = UNARY
        .iter()
        .map(|(name, function)| (format!("num/{name}"), hash_of(arguments.iter().map(|&x| stored(function(x))))))
        .collect();
    all.push(("num/pow".into(), hash_of(pairs().map(|(&x, &y)| stored(num::pow(x, y))))));
    let both = arguments.iter().map(|&x| num::sin_cos(x)).flat_map(|(sin, cos)| [stored(sin), stored(cos)]);
    all.push(("num/sin_cos".into(), hash_of(both)));
    all.push(("num/nan_last".into(), hash_of(pairs().map(|(&x, &y)| num::nan_last(x, y) as u64))));
    all
}

/// Arguments where functions change their method: special values, powers of two, the ranges that prices and returns
/// live in, and arbitrary bits.
fn arguments() -> Vec<f64> {
    let special = [
        0.0,
        1.0,
        0.5,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
        f64::EPSILON,
        std::f64::consts::PI,
        std::f64::consts::E,
        std::f64::consts::LN_2,
        709.78,
        745.13,
    ];
    let powers = (1..=2046_u64).map(|exponent| f64::from_bits(exponent << 52));
    let mut stream = Stream::new(SEED, [1, 0]);
    let random = (0..ARGUMENTS).map(|index| match index % 4 {
        0 => stream.uniform() * 2.0 - 1.0,
        1 => (stream.uniform() - 0.5) * 80.0,
        2 => (stream.uniform() - 0.5) * 2e6,
        _ => f64::from_bits(stream.next_u64()),
    });
    special.into_iter().chain(powers).flat_map(|x| [x, -x]).chain(random).collect()
}

/// Every kind of random draw.
fn draws() -> Vec<(String, String)> {
    type Draw = (&'static str, fn(&mut Stream) -> u64);
    const KINDS: [Draw; 6] = [
        ("next_u32", |stream| u64::from(stream.next_u32())),
        ("next_u64", Stream::next_u64),
        ("uniform", |stream| stream.uniform().to_bits()),
        ("below", |stream| stream.below(1_000_003)),
        ("normal", |stream| stream.normal().to_bits()),
        ("student_t", |stream| stream.student_t(4).to_bits()),
    ];
    KINDS
        .iter()
        .map(|(name, draw)| {
            let mut stream = Stream::new(SEED, [2, 7]);
            (format!("rng/{name}"), hash_of((0..DRAWS).map(|_| draw(&mut stream))))
        })
        .collect()
}

/// A symbol whose price wanders, with gaps, flat bars and bars without volume.
fn random_walk() -> Bars {
    let mut stream = Stream::new(SEED, [3, 0]);
    let mut bars = Bars::default();
    let mut last = 100.0;
    for day in 0..BARS as i32 {
        let flat = stream.below(50) == 0;
        let mut step = |scale: f64| if flat { 1.0 } else { num::exp(scale * stream.student_t(4)) };
        let open = last * step(0.005);
        let close = open * step(0.01);
        let high = open.max(close) * step(0.003).max(1.0);
        let low = open.min(close) * step(0.003).min(1.0);
        bars.time.push(i64::from(day) * 86_400_000_000);
        bars.session.push(day);
        bars.open.push(open);
        bars.high.push(high);
        bars.low.push(low);
        bars.close.push(close);
        bars.volume.push(if flat { 0.0 } else { 1_000.0 + stream.below(1_000_000) as f64 });
        last = close;
    }
    bars
}

/// Hash of one indicator's outputs over `bars`, with its default parameters and with the smallest allowed ones.
fn columns(indicator: &Indicator, bars: &Bars) -> String {
    let mut bits = Bits::default();
    for parameters in [
        indicator.params.iter().map(|p| p.default).collect::<Vec<f64>>(),
        indicator.params.iter().map(|p| p.min).collect::<Vec<f64>>(),
    ] {
        outputs(indicator, &parameters, bars).iter().for_each(|output| bits.floats(output));
    }
    bits.hex()
}

/// An indicator's outputs over `bars`; operands that the caller chooses are prices.
fn outputs(indicator: &Indicator, parameters: &[f64], bars: &Bars) -> Vec<Vec<f64>> {
    const REAL: [Field; 4] = [Field::Close, Field::Open, Field::High, Field::Low];
    let mut reals = REAL.iter().cycle();
    let inputs: Vec<&[f64]> = indicator
        .inputs
        .iter()
        .map(|input| match input {
            Input::Implied(field) => bars.field(*field),
            Input::Real(_) => bars.field(*reals.next().unwrap_or(&Field::Close)),
        })
        .collect();
    let mut outputs = vec![vec![0.0; bars.len()]; indicator.outputs.len()];
    let mut views: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    compute(indicator, &inputs, parameters, &mut views);
    outputs
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail")]

    use sandtable_core::run::OneThread;

    use super::*;

    #[test]
    fn what_is_compared_are_numbers() {
        let bars = random_walk();
        for indicator in REGISTRY {
            let defaults: Vec<f64> = indicator.params.iter().map(|p| p.default).collect();
            let smallest: Vec<f64> = indicator.params.iter().map(|p| p.min).collect();
            for parameters in [defaults, smallest] {
                for output in outputs(indicator, &parameters, &bars) {
                    let defined = output.iter().filter(|value| value.is_finite()).count();
                    assert!(defined > BARS / 2, "{} {parameters:?}: {defined} of {BARS}", indicator.name);
                }
            }
        }
    }

    #[test]
    fn every_name_is_there_once_and_every_hash_stays() {
        let all = fingerprints(&mut OneThread::default(), 7).unwrap();
        let names: std::collections::BTreeSet<&String> = all.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), all.len());
        assert!(all.iter().any(|(name, _)| name == "num/pow") && all.iter().any(|(name, _)| name == "rng/student_t"));
        assert_eq!(all, fingerprints(&mut OneThread::default(), 100).unwrap(), "fingerprints depend on nothing");
    }
}
