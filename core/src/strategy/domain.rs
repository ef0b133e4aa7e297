//! Domains of parameters: their values in order, and the way back from a value to its place.
//!
//! Given a [`Domain`], this answers how many values there are, which one has an index, and whether a domain makes
//! sense. It never knows what a parameter is used for.

use super::Domain;
use super::Scale;
use crate::error::{Error, Result};

/// Whole numbers up to this are exact as floats, and no domain may have more values.
const LARGEST_WHOLE: i64 = 1 << 53;

/// How far from a value, in steps, a number may lie and still be that value.
const TOLERANCE: f64 = 1e-6;

impl Domain {
    /// A domain with one value.
    pub fn fixed(value: f64) -> Domain {
        Domain::Choice { values: vec![value] }
    }

    /// Number of values; `None` if the domain is continuous.
    pub fn len(&self) -> Option<u64> {
        match self {
            Domain::Int { min, max, step } => {
                let range = u64::try_from(max.saturating_sub(*min)).ok()?;
                Some(range / u64::try_from(*step).ok().filter(|step| *step > 0)? + 1)
            }
            Domain::Float { min, max, .. } if min == max => Some(1),
            Domain::Float { min, max, step, .. } => step.map(|step| ((max - min) / step).round() as u64 + 1),
            Domain::Choice { values } => Some(values.len() as u64),
            Domain::Bool => Some(2),
        }
    }

    /// Whether there is no value at all, which [`Domain::validate`] refuses.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The value with an index, the last one for an index past the end. Values on a decimal grid are the floats
    /// nearest to their decimals: 0.1 + 2 × 0.1 is 0.3. A continuous domain has only its ends: 0 and anything else.
    pub fn value(&self, index: u64) -> f64 {
        let last = self.len().unwrap_or(2).saturating_sub(1);
        let index = index.min(last);
        match self {
            Domain::Int { min, max, step } => {
                let offset = i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(*step);
                min.saturating_add(offset).min(*max) as f64
            }
            Domain::Float { min, .. } if index == 0 => *min,
            Domain::Float { max, .. } if index == last => *max,
            Domain::Float { min, max, step, .. } => {
                let step = step.unwrap_or(max - min);
                on_decimal_grid(*min + index as f64 * step, *min, step)
            }
            Domain::Choice { values } => values.get(index as usize).copied().unwrap_or(crate::num::NAN),
            Domain::Bool => index as f64,
        }
    }

    /// Smallest and largest value; `None` for truth values and an empty choice.
    pub fn range(&self) -> Option<(f64, f64)> {
        match self {
            Domain::Int { min, max, .. } => Some((*min as f64, *max as f64)),
            Domain::Float { min, max, .. } => Some((*min, *max)),
            Domain::Choice { values } => {
                let smallest = values.iter().copied().reduce(f64::min)?;
                Some((smallest, values.iter().copied().reduce(f64::max)?))
            }
            Domain::Bool => None,
        }
    }

    /// Whether a value is in the domain (within a millionth of a step of a float's grid).
    pub fn contains(&self, value: f64) -> bool {
        match (self, self.len()) {
            (Domain::Float { min, max, .. }, None) => (*min..=*max).contains(&value),
            _ => self.index_of(value).is_some(),
        }
    }

    /// The index of a value; `None` if it is not in the domain or the domain is continuous.
    pub fn index_of(&self, value: f64) -> Option<u64> {
        let len = self.len()?;
        let index = match self {
            Domain::Int { min, max, step } => {
                let inside = (*min as f64..=*max as f64).contains(&value) && value.fract() == 0.0;
                let offset = (value as i64).checked_sub(*min).filter(|_| inside)?;
                if offset % step != 0 {
                    return None;
                }
                u64::try_from(offset / step).ok()?
            }
            Domain::Float { min, step, .. } => {
                let step = step.unwrap_or(1.0);
                let place = ((value - min) / step).round();
                let index = (0.0..len as f64).contains(&place).then_some(place as u64)?;
                ((self.value(index) - value).abs() <= TOLERANCE * step).then_some(index)?
            }
            Domain::Choice { values } => values.iter().position(|known| *known == value)? as u64,
            Domain::Bool => (value == 0.0 || value == 1.0).then_some(value as u64)?,
        };
        (index < len).then_some(index)
    }

    /// Checks that the domain makes sense: finite and ordered ends, a step that divides their distance, at least one
    /// value and none twice, a positive minimum on a logarithmic scale.
    ///
    /// # Errors
    /// A sentence of kind [`crate::ErrorKind::Plan`] that names the parameter and the way out.
    pub fn validate(&self, name: &str) -> Result<()> {
        match self {
            Domain::Int { min, max, step } => validate_int(name, *min, *max, *step),
            Domain::Float { min, max, step, scale } => validate_float(name, *min, *max, *step, *scale),
            Domain::Choice { values } => validate_choice(name, values),
            Domain::Bool => Ok(()),
        }
    }
}

fn validate_int(name: &str, min: i64, max: i64, step: i64) -> Result<()> {
    if min > max {
        return Err(reversed(name, &min, &max));
    }
    if min < -LARGEST_WHOLE || max > LARGEST_WHOLE {
        return Err(Error::plan(format!("parameter `{name}`: {min} to {max} is too wide"))
            .help(format!("whole numbers may go from -{LARGEST_WHOLE} to {LARGEST_WHOLE}")));
    }
    if step < 1 {
        return Err(Error::plan(format!("parameter `{name}`: step is {step}, but must be at least 1")));
    }
    let rest = (max - min) % step;
    if rest != 0 {
        return Err(Error::plan(format!(
            "parameter `{name}`: step {step} does not divide the range from {min} to {max}"
        ))
        .help(format!("the last value reached is {}: make it `max`, or change the step", max - rest)));
    }
    Ok(())
}

fn validate_float(name: &str, min: f64, max: f64, step: Option<f64>, scale: Scale) -> Result<()> {
    if !(min.is_finite() && max.is_finite() && (max - min).is_finite()) {
        return Err(Error::plan(format!("parameter `{name}`: min {min} and max {max} must be finite numbers")));
    }
    if min > max {
        return Err(reversed(name, &min, &max));
    }
    if scale == Scale::Log && min <= 0.0 {
        return Err(Error::plan(format!("parameter `{name}`: a logarithmic scale needs min above 0, found {min}"))
            .help("raise `min`, or use scale = \"linear\""));
    }
    let Some(step) = step else { return Ok(()) };
    if scale == Scale::Log {
        return Err(Error::plan(format!("parameter `{name}`: a logarithmic scale has no step"))
            .help("remove `step`, or use scale = \"linear\""));
    }
    if !(step > 0.0 && step.is_finite()) {
        return Err(Error::plan(format!("parameter `{name}`: step is {step}, but must be above 0")));
    }
    let steps = (max - min) / step;
    if steps > LARGEST_WHOLE as f64 {
        return Err(Error::plan(format!("parameter `{name}`: step {step} makes too many values"))
            .help("enlarge the step, or remove it for a continuous parameter"));
    }
    if (steps - steps.round()).abs() > TOLERANCE {
        let reached = on_decimal_grid(min + steps.floor() * step, min, step);
        return Err(Error::plan(format!(
            "parameter `{name}`: step {step} does not divide the range from {min} to {max}"
        ))
        .help(format!("the last value reached is {reached}: make it `max`, or change the step")));
    }
    Ok(())
}

fn validate_choice(name: &str, values: &[f64]) -> Result<()> {
    if values.is_empty() {
        return Err(Error::plan(format!("parameter `{name}`: there is no value to choose from"))
            .help("list at least one: values = [1, 2]"));
    }
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        return Err(Error::plan(format!("parameter `{name}`: {value} is not a finite number")));
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::plan(format!("parameter `{name}`: the value {} is listed twice", pair[0]))),
        None => Ok(()),
    }
}

fn reversed(name: &str, min: &dyn std::fmt::Display, max: &dyn std::fmt::Display) -> Error {
    Error::plan(format!("parameter `{name}`: min {min} is above max {max}")).help("exchange them")
}

/// `value` rounded to as many decimals as the minimum and the step have.
fn on_decimal_grid(value: f64, min: f64, step: f64) -> f64 {
    let decimals = decimals(min).max(decimals(step));
    // Powers of ten are exact up to 10^22; more decimals than this are no grid that a person wrote.
    if decimals > 15 {
        return value;
    }
    let scale = (0..decimals).fold(1.0, |scale, _| scale * 10.0);
    let scaled = value * scale;
    if scaled.abs() < LARGEST_WHOLE as f64 { scaled.round() / scale } else { value }
}

/// Decimals of the shortest decimal that means this float.
fn decimals(value: f64) -> usize {
    value.to_string().split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn float(min: f64, max: f64, step: f64) -> Domain {
        Domain::Float { min, max, step: Some(step), scale: Scale::Linear }
    }

    #[test]
    fn values_and_indices_are_a_bijection() {
        let domains = [
            Domain::Int { min: 5, max: 100, step: 5 },
            Domain::Int { min: -3, max: -3, step: 7 },
            float(0.01, 10.0, 0.01),
            float(-0.3, 0.3, 0.1),
            float(1e-7, 9e-7, 1e-7),
            Domain::Choice { values: vec![5.0, 1.0, 15.0] },
            Domain::Bool,
        ];
        for domain in domains {
            domain.validate("p").unwrap();
            for index in 0..domain.len().unwrap() {
                let value = domain.value(index);
                assert_eq!(domain.index_of(value), Some(index), "{domain:?} {value}");
                assert!(domain.contains(value));
            }
            assert_eq!(domain.value(u64::MAX), domain.value(domain.len().unwrap() - 1));
        }
    }

    #[test]
    fn grid_values_are_the_decimals_that_a_person_writes() {
        let domain = float(0.01, 10.0, 0.01);
        assert_eq!(domain.len(), Some(1000));
        assert_eq!((domain.value(2), domain.value(28), domain.value(999)), (0.03, 0.29, 10.0));
        assert_eq!(float(0.1, 0.5, 0.1).value(2), 0.3);
    }

    #[test]
    fn strangers_have_no_index() {
        let domain = Domain::Int { min: 5, max: 100, step: 5 };
        assert_eq!([4.0, 7.0, 5.5, 105.0, f64::NAN, f64::INFINITY].map(|v| domain.index_of(v)), [None; 6]);
        assert_eq!(float(0.0, 1.0, 0.25).index_of(0.3), None);
        assert_eq!(Domain::Bool.index_of(2.0), None);
        let continuous = Domain::Float { min: 0.0, max: 1.0, step: None, scale: Scale::Linear };
        assert_eq!((continuous.len(), continuous.index_of(0.5), continuous.contains(0.5)), (None, None, true));
        assert!(!continuous.contains(1.5) && !continuous.contains(f64::NAN));
    }

    #[test]
    fn domains_without_sense_are_refused_with_the_way_out() {
        let log = |min, step| Domain::Float { min, max: 1.0, step, scale: Scale::Log };
        let cases: [(Domain, &str); 11] = [
            (Domain::Int { min: 5, max: 4, step: 1 }, "parameter `p`: min 5 is above max 4\n  help: exchange them"),
            (Domain::Int { min: 5, max: 9, step: 0 }, "parameter `p`: step is 0, but must be at least 1"),
            (
                Domain::Int { min: 5, max: 99, step: 5 },
                "parameter `p`: step 5 does not divide the range from 5 to 99\n  help: the last value reached is 95: make it `max`, or change the step",
            ),
            (
                Domain::Int { min: i64::MIN, max: i64::MAX, step: 1 },
                "parameter `p`: -9223372036854775808 to 9223372036854775807 is too wide\n  help: whole numbers may go from -9007199254740992 to 9007199254740992",
            ),
            (
                float(0.0, 1.0, 0.3),
                "parameter `p`: step 0.3 does not divide the range from 0 to 1\n  help: the last value reached is 0.9: make it `max`, or change the step",
            ),
            (float(0.0, f64::INFINITY, 0.3), "parameter `p`: min 0 and max inf must be finite numbers"),
            (float(0.0, 1.0, f64::NAN), "parameter `p`: step is NaN, but must be above 0"),
            (
                log(0.0, None),
                "parameter `p`: a logarithmic scale needs min above 0, found 0\n  help: raise `min`, or use scale = \"linear\"",
            ),
            (
                log(0.5, Some(0.5)),
                "parameter `p`: a logarithmic scale has no step\n  help: remove `step`, or use scale = \"linear\"",
            ),
            (
                Domain::Choice { values: vec![] },
                "parameter `p`: there is no value to choose from\n  help: list at least one: values = [1, 2]",
            ),
            (Domain::Choice { values: vec![1.0, 2.0, 1.0] }, "parameter `p`: the value 1 is listed twice"),
        ];
        for (domain, expected) in cases {
            assert_eq!(domain.validate("p").unwrap_err().to_string(), expected);
        }
    }
}
