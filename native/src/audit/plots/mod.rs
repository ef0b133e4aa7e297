//! Pictures of an audit as SVG: narrow, with large letters, so that they can be read on a phone.

mod bars;
mod scale;
mod times;

use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub use bars::Bars;
pub use scale::Scale;
pub use times::Times;

/// Width of a picture in pixels of its view box.
const WIDTH: u32 = 480;
/// Size of letters.
const LETTERS: u32 = 18;

const BLUE: RGBColor = RGBColor(31, 90, 166);
const ORANGE: RGBColor = RGBColor(214, 112, 10);
const PALE: RGBColor = RGBColor(222, 222, 222);

/// A logarithmic axis from left to right.
#[derive(Clone, Copy, Debug)]
struct Axis {
    low: f64,
    high: f64,
    left: i32,
    right: i32,
}

impl Axis {
    /// An axis over the positive values, with whole decades or their thirds at its ends.
    fn over(values: impl Iterator<Item = f64>, left: i32, right: i32) -> Axis {
        let range = |(low, high): (f64, f64), v: f64| (low.min(v), high.max(v));
        let positive = values.filter(|v| v.is_finite() && *v > 0.0);
        let (low, high) = positive.fold((f64::INFINITY, f64::NEG_INFINITY), range);
        if low > high {
            return Axis { low: 0.1, high: 10.0, left, right };
        }
        let below = marks(low, 0.0).rev().find(|mark| *mark <= low).unwrap_or(low);
        let above = marks(high, 1.0).find(|mark| *mark >= high && *mark > below).unwrap_or(high * 2.0);
        Axis { low: below, high: above, left, right }
    }

    fn at(&self, value: f64) -> i32 {
        let share = (value.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        self.left + (share.clamp(0.0, 1.0) * f64::from(self.right - self.left)).round() as i32
    }

    /// Round values with room for their labels: 1, 2 and 5 of each decade, or only the decades.
    fn ticks(&self) -> Vec<f64> {
        let decades = (self.high / self.low).log10();
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let steps: &[f64] = if decades <= 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let all = (first..=last).flat_map(|decade| steps.iter().map(move |step| step * 10.0_f64.powi(decade)));
        all.filter(|tick| *tick >= self.low * 0.999 && *tick <= self.high * 1.001).collect()
    }
}

/// 1, 2 and 5 of the decades around a value.
fn marks(value: f64, shift: f64) -> impl DoubleEndedIterator<Item = f64> {
    let decade = (value.log10().floor() + shift) as i32;
    (decade - 1..=decade + 1).flat_map(|decade| [1.0, 2.0, 5.0].map(|step| step * 10.0_f64.powi(decade)))
}

fn anchored(horizontal: HPos, vertical: VPos) -> Pos {
    Pos::new(horizontal, vertical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_its_values_between_round_ends() {
        let axis = Axis::over([0.003, 0.7, f64::NAN, 0.0].into_iter(), 10, 110);
        assert!(axis.low <= 0.003 && axis.low >= 0.001 && axis.high >= 0.7 && axis.high <= 1.0, "{axis:?}");
        assert_eq!((axis.at(axis.low), axis.at(axis.high), axis.at(f64::INFINITY)), (10, 110, 110));
        assert!(axis.ticks().len() >= 2);
        let one = Axis::over([1.0].into_iter(), 0, 100);
        assert!(one.low <= 1.0 && one.high > one.low && !one.ticks().is_empty(), "{one:?}");
        assert!(Axis::over(std::iter::empty(), 0, 100).ticks().len() > 2);
    }
}
