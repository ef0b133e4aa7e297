//! A straight line through measurements: time = set-up + number × each.
//!
//! Weighted least squares: the line for which the sum of squared deviations, each divided by the square of its point's
//! scale, is least. The scale is what a deviation is to be expected in proportion to: with times that grow a
//! thousandfold, equal weights would let the largest alone decide the set-up time. The variance is estimated from the
//! residuals with two degrees of freedom less than there are points (N. Draper and H. Smith, "Applied Regression
//! Analysis", 1998, chapters 1 and 9).

use super::{CONFIDENCE, quantile};

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Where: the number of backtests.
    pub x: f64,
    /// What was measured there.
    pub y: f64,
    /// What its deviation is expected in proportion to; above 0.
    pub scale: f64,
}

/// The fitted line with what its confidence needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Value at 0.
    pub intercept: f64,
    /// Rise for one more.
    pub slope: f64,
    centre: f64,
    weights: f64,
    spread: f64,
    variance: f64,
    t: f64,
}

impl Line {
    /// The line through `readings`; none through fewer than three, or if all stand at one place or one is not finite.
    pub fn through(readings: &[Reading]) -> Option<Line> {
        let weight = |r: &Reading| 1.0 / (r.scale * r.scale);
        let sum = |of: &dyn Fn(&Reading) -> f64| readings.iter().map(|r| weight(r) * of(r)).sum::<f64>();
        let weights = sum(&|_| 1.0);
        let (centre, level) = (sum(&|r| r.x) / weights, sum(&|r| r.y) / weights);
        let spread = sum(&|r| (r.x - centre) * (r.x - centre));
        if readings.len() < 3 || !weights.is_finite() || !level.is_finite() || spread.is_nan() || spread <= 0.0 {
            return None;
        }
        let slope = sum(&|r| (r.x - centre) * (r.y - level)) / spread;
        let intercept = level - slope * centre;
        let degrees = readings.len() as f64 - 2.0;
        let variance = sum(&|r| (r.y - intercept - slope * r.x).powi(2)) / degrees;
        let t = quantile(0.5 + CONFIDENCE / 2.0, degrees);
        Some(Line { intercept, slope, centre, weights, spread, variance, t })
    }

    /// The line's value at `x`.
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// Half of the width of the 95 % interval of the line at `x`; at 0 it is that of the intercept.
    pub fn half_width_at(&self, x: f64) -> f64 {
        let distance = x - self.centre;
        self.t * (self.variance * (1.0 / self.weights + distance * distance / self.spread)).sqrt()
    }

    /// Half of the width of the 95 % interval of the slope.
    pub fn half_width_of_slope(&self) -> f64 {
        self.t * (self.variance / self.spread).sqrt()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn readings(points: &[(f64, f64)], scale: impl Fn(f64) -> f64) -> Vec<Reading> {
        points.iter().map(|&(x, y)| Reading { x, y, scale: scale(x) }).collect()
    }

    #[test]
    fn a_straight_line_is_found_exactly_whatever_the_weights() {
        let points: Vec<(f64, f64)> = [1.0, 5.0, 25.0, 1000.0].map(|x| (x, 3.0 + 0.5 * x)).to_vec();
        for scale in [1.0, 0.01] {
            for line in [Line::through(&readings(&points, |_| scale)), Line::through(&readings(&points, |x| x))] {
                let line = line.unwrap();
                assert!((line.intercept - 3.0).abs() < 1e-9 && (line.slope - 0.5).abs() < 1e-9, "{line:?}");
                assert!(line.half_width_at(0.0) < 1e-6 && line.half_width_of_slope() < 1e-6);
            }
        }
    }

    #[test]
    fn a_textbook_fit_with_its_intervals() {
        // x 1..5, y 2 4 5 4 5: slope 0.6, intercept 2.2, residual variance 0.8, t(0.975, 3) = 3.18245.
        let points = [(1.0, 2.0), (2.0, 4.0), (3.0, 5.0), (4.0, 4.0), (5.0, 5.0)];
        let line = Line::through(&readings(&points, |_| 1.0)).unwrap();
        assert!((line.slope - 0.6).abs() < 1e-12 && (line.intercept - 2.2).abs() < 1e-12);
        assert!((line.half_width_of_slope() - 3.182_446 * 0.08_f64.sqrt()).abs() < 1e-5);
        assert!((line.half_width_at(0.0) - 3.182_446 * (0.8 * 1.1_f64).sqrt()).abs() < 1e-5);
        assert!((line.at(3.0) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn too_few_points_or_one_place_give_no_line() {
        assert!(Line::through(&[]).is_none());
        assert!(Line::through(&readings(&[(1.0, 1.0), (2.0, 2.0)], |_| 1.0)).is_none());
        assert!(Line::through(&readings(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)], |_| 1.0)).is_none());
        assert!(Line::through(&readings(&[(1.0, 1.0), (2.0, f64::NAN), (3.0, 3.0)], |_| 1.0)).is_none());
        assert!(Line::through(&readings(&[(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)], |_| 0.0)).is_none());
    }
}
