//! A fan: the spread of wealth over many courses, as bands between quantiles.

use plotters::coord::Shift;
use plotters::prelude::*;
use sandtable_core::Result;

use super::axis::Amounts;
use super::equity::{BLUE, ORANGE};
use super::narrow::{LEGEND, LETTERS, X_LABELS, Y_LABELS, legend, svg};
use super::{Drawn, GREY, Picture, text};
use crate::view::number;

/// Quantiles by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Fan {
    /// Steps done, such as trades, ascending.
    pub steps: Vec<f64>,
    /// At each step the 5 %, 25 %, 50 %, 75 % and 95 % quantiles.
    pub levels: Vec<[f64; 5]>,
}

impl Fan {
    /// The picture as a narrow SVG document.
    ///
    /// # Errors
    /// It cannot be drawn.
    pub fn svg(&self) -> Result<String> {
        svg(self)
    }
}

impl Picture for Fan {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let (above, below) = area.split_vertically(LEGEND);
        let pale = RGBColor(165, 189, 219);
        legend(&above, &[("median", ORANGE), ("half of all", BLUE), ("nine of ten", pale)])?;
        let across =
            Amounts::exactly(self.steps.first().copied().unwrap_or(0.0), self.steps.last().copied().unwrap_or(1.0));
        let mut chart = ChartBuilder::on(&below)
            .margin_top(8)
            .margin_right(22)
            .x_label_area_size(X_LABELS)
            .y_label_area_size(Y_LABELS)
            .build_cartesian_2d(across, Amounts::around(self.levels.iter().flatten().copied(), false))?;
        chart
            .configure_mesh()
            .x_labels(7)
            .y_labels(6)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .x_label_formatter(&|step| number::parameter(*step))
            .y_label_formatter(&|wealth| number::parameter(*wealth))
            .axis_style(GREY)
            .label_style(text(LETTERS, GREY))
            .draw()?;
        let line = |level: usize| {
            let points = self.steps.iter().zip(&self.levels).map(move |(&step, levels)| (step, levels[level]));
            points.filter(|(_, wealth)| wealth.is_finite()).collect::<Vec<_>>()
        };
        for (low, high, colour) in [(0, 4, pale.mix(0.6)), (1, 3, BLUE.mix(0.5))] {
            let outline: Vec<(f64, f64)> = line(low).into_iter().chain(line(high).into_iter().rev()).collect();
            chart.draw_series([Polygon::new(outline, colour)])?;
        }
        chart.draw_series([PathElement::new(line(2), ORANGE.stroke_width(2))])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn bands_and_median_are_drawn_whatever_there_is() {
        let levels = |step: f64| [0.9, 0.95, 1.0, 1.05, 1.1].map(|x: f64| x.powf(step));
        let steps: Vec<f64> = (0..20).map(f64::from).collect();
        let fan = Fan { levels: steps.iter().map(|&s| levels(s)).collect(), steps };
        let svg = fan.svg().unwrap();
        assert!(svg.contains("median") && svg.matches("<polygon").count() == 2, "{svg}");
        assert!(Fan { steps: Vec::new(), levels: Vec::new() }.svg().unwrap().starts_with("<svg"));
        assert!(Fan { steps: vec![0.0], levels: vec![[f64::NAN; 5]] }.svg().unwrap().starts_with("<svg"));
    }
}
