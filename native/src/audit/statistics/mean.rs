//! A mean with its confidence interval.
//!
//! The standard deviation divides by one less than the number of values (ddof 1). The interval reaches from the mean
//! by that deviation over the root of the number, times the 97.5 % point of Student's t with one degree of freedom
//! less than there are values.

use serde::Serialize;

use super::{CONFIDENCE, quantile};

/// A mean and how far it can be believed, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// Arithmetic mean; NaN of nothing.
    pub mean: f64,
    /// Standard deviation with ddof 1; NaN of fewer than two values.
    pub deviation: f64,
    /// Half of the 95 % interval's width; NaN of fewer than two values.
    pub half_width: f64,
    /// Number of values.
    pub values: usize,
}

impl Mean {
    /// Mean and interval of the values.
    pub fn of(values: &[f64]) -> Mean {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let deviation = if values.len() < 2 { f64::NAN } else { (squares / (n - 1.0)).sqrt() };
        let half_width = quantile(0.5 + CONFIDENCE / 2.0, n - 1.0) * deviation / n.sqrt();
        Mean { mean, deviation, half_width, values: values.len() }
    }

    /// Lower end of the interval.
    pub fn low(&self) -> f64 {
        self.mean - self.half_width
    }

    /// Upper end of the interval.
    pub fn high(&self) -> f64 {
        self.mean + self.half_width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_textbook_sample() {
        // Ten values of mean 5.5 and variance 55/6; t(0.975, 9) = 2.26216.
        let mean = Mean::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        assert!((mean.mean - 5.5).abs() < 1e-12 && (mean.deviation - (55.0_f64 / 6.0).sqrt()).abs() < 1e-12);
        assert!((mean.half_width - 2.262_157 * (55.0_f64 / 60.0).sqrt()).abs() < 1e-5);
        assert!((mean.low() + mean.high() - 11.0).abs() < 1e-12);
    }

    #[test]
    fn one_value_has_no_interval_and_equal_values_have_none_to_speak_of() {
        let one = Mean::of(&[3.0]);
        assert!(one.mean == 3.0 && one.deviation.is_nan() && one.half_width.is_nan());
        assert!(Mean::of(&[]).mean.is_nan());
        let equal = Mean::of(&[2.0; 5]);
        assert_eq!((equal.mean, equal.deviation, equal.half_width), (2.0, 0.0, 0.0));
    }
}
