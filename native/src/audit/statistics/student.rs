//! Student's t distribution (W. S. Gosset, "The probable error of a mean", Biometrika 6, 1908).

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The value below which Student's t with so many degrees of freedom lies with the given probability; NaN without
/// degrees of freedom or for no probability.
pub fn quantile(probability: f64, degrees: f64) -> f64 {
    if !(probability > 0.0 && probability < 1.0) {
        return f64::NAN;
    }
    standard(degrees).map_or(f64::NAN, |t| t.inverse_cdf(probability))
}

/// The probability that Student's t exceeds `value`; NaN without degrees of freedom.
pub fn upper_tail(value: f64, degrees: f64) -> f64 {
    match standard(degrees) {
        Some(t) if value.is_finite() => t.sf(value),
        Some(_) if value == f64::INFINITY => 0.0,
        Some(_) if value == f64::NEG_INFINITY => 1.0,
        _ => f64::NAN,
    }
}

fn standard(degrees: f64) -> Option<StudentsT> {
    if degrees >= 1.0 { StudentsT::new(0.0, 1.0, degrees).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_printed_tables() {
        // Two-sided 95 %: the column 0.975 of any table of the distribution.
        for (degrees, value) in [(1.0, 12.7062), (2.0, 4.3027), (4.0, 2.7764), (9.0, 2.2622), (30.0, 2.0423)] {
            assert!((quantile(0.975, degrees) - value).abs() < 1e-4, "{degrees}");
            assert!((upper_tail(value, degrees) - 0.025).abs() < 1e-5, "{degrees}");
        }
        assert!(quantile(0.5, 7.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_not_defined_is_nan_and_infinity_is_certain() {
        assert!(quantile(0.975, 0.0).is_nan() && quantile(1.0, 5.0).is_nan() && quantile(f64::NAN, 5.0).is_nan());
        assert!(upper_tail(1.0, 0.0).is_nan() && upper_tail(f64::NAN, 5.0).is_nan());
        assert_eq!((upper_tail(f64::INFINITY, 3.0), upper_tail(f64::NEG_INFINITY, 3.0)), (0.0, 1.0));
    }
}
