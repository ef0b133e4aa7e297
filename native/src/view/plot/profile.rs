//! A score by the value of one parameter: the mean and the best of all trials with it, and the slice through the best.

use plotters::coord::Shift;
use plotters::prelude::*;
use sandtable_core::Result;
use sandtable_core::metrics::Unit;

use super::axis::{Amounts, Cells};
use super::equity::{BLUE, ORANGE, percent};
use super::narrow::{LEGEND, LETTERS, X_LABELS, Y_LABELS, legend, svg};
use super::{Drawn, GREY, Picture, text};
use crate::view::number;

/// Scores of the trials with one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProfilePoint {
    /// The value.
    pub value: f64,
    /// Mean score.
    pub mean: f64,
    /// Best score.
    pub best: f64,
    /// Score of the trial that differs from the best one in this parameter alone; NaN without one.
    pub through: f64,
}

/// Scores by value.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// By ascending value, each as wide as the others.
    pub points: Vec<ProfilePoint>,
    /// What scores are measured in.
    pub unit: Unit,
}

impl Profile {
    /// The picture as a narrow SVG document.
    ///
    /// # Errors
    /// It cannot be drawn.
    pub fn svg(&self) -> Result<String> {
        svg(self)
    }
}

/// Name, colour and values of a line.
type Drawing = (&'static str, RGBColor, fn(&ProfilePoint) -> f64);

impl Picture for Profile {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let (above, below) = area.split_vertically(LEGEND);
        let lines: [Drawing; 3] = [
            ("best", ORANGE, |point| point.best),
            ("mean", GREY, |point| point.mean),
            ("through the chosen trial", BLUE, |point| point.through),
        ];
        let drawn: Vec<_> =
            lines.into_iter().filter(|(.., of)| self.points.iter().any(|p| of(p).is_finite())).collect();
        legend(&above, &drawn.iter().map(|(name, colour, _)| (*name, *colour)).collect::<Vec<_>>())?;
        let values = self.points.iter().flat_map(|point| [point.mean, point.best, point.through]);
        let mut chart = ChartBuilder::on(&below)
            .margin_top(8)
            .margin_right(22)
            .x_label_area_size(X_LABELS)
            .y_label_area_size(Y_LABELS)
            .build_cartesian_2d(Cells(self.points.len()), Amounts::around(values, false))?;
        let label = |at: &f64| self.points.get(*at as usize).map_or(String::new(), |p| number::parameter(p.value));
        let amount = |value: &f64| {
            if self.unit == Unit::Percent { percent(*value) } else { number::parameter(*value) }
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(8)
            .y_labels(6)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .x_label_formatter(&label)
            .y_label_formatter(&amount)
            .axis_style(GREY)
            .label_style(text(LETTERS, GREY))
            .draw()?;
        for (_, colour, of) in drawn {
            let at = |(place, point): (usize, &ProfilePoint)| (place as f64 + 0.5, of(point));
            let points: Vec<(f64, f64)> = self.points.iter().enumerate().map(at).collect();
            for run in points.split(|(_, score)| !score.is_finite()).filter(|run| !run.is_empty()) {
                chart.draw_series([PathElement::new(run.to_vec(), colour.stroke_width(2))])?;
                chart.draw_series(run.iter().map(|&point| Circle::new(point, 3, colour.filled())))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn lines_without_values_are_not_named() {
        let point = |value: f64| ProfilePoint { value, mean: value / 10.0, best: value / 5.0, through: f64::NAN };
        let profile = Profile { points: (1..9).map(|i| point(f64::from(i))).collect(), unit: Unit::Ratio };
        let svg = profile.svg().unwrap();
        assert!(svg.contains("best") && svg.contains("mean") && !svg.contains("through"), "{svg}");
        assert!(Profile { points: Vec::new(), unit: Unit::Ratio }.svg().unwrap().starts_with("<svg"));
    }
}
