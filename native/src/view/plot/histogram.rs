//! How often values fall where: bars of equal width, with marked values.

use plotters::coord::Shift;
use plotters::prelude::*;
use sandtable_core::Result;

use super::axis::Amounts;
use super::equity::{BLUE, RED_AREA, percent};
use super::narrow::{LEGEND, LETTERS, X_LABELS, Y_LABELS, legend, svg};
use super::{Drawn, GREY, Picture, text};

/// Most bars.
const MOST_BARS: usize = 48;

/// Values and what is marked among them, all as fractions.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The values; those that are not finite are left out.
    pub values: Vec<f64>,
    /// Marked values by name.
    pub marks: Vec<(String, f64)>,
}

impl Histogram {
    /// The picture as a narrow SVG document.
    ///
    /// # Errors
    /// It cannot be drawn.
    pub fn svg(&self) -> Result<String> {
        svg(self)
    }

    /// Ends of the bars and how many values are in each, the highest end counted to the last; none without values.
    fn bars(&self) -> (f64, f64, Vec<u32>) {
        let finite: Vec<f64> = self.values.iter().copied().filter(|v| v.is_finite()).collect();
        let (low, high) = finite.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
        if finite.is_empty() {
            return (0.0, 1.0, Vec::new());
        }
        let bars = ((finite.len() as f64).sqrt().ceil() as usize).clamp(1, MOST_BARS);
        let width = ((high - low) / bars as f64).max(1e-12);
        let mut counts = vec![0; bars];
        for value in finite {
            counts[(((value - low) / width) as usize).min(bars - 1)] += 1;
        }
        (low, width, counts)
    }
}

impl Picture for Histogram {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let (low, width, counts) = self.bars();
        let most = counts.iter().copied().max().unwrap_or(1);
        let (above, below) = area.split_vertically(LEGEND);
        let named: Vec<String> = self.marks.iter().map(|(name, value)| format!("{name} {}", percent(*value))).collect();
        let colours = [RED_AREA, GREY, BLACK];
        legend(&above, &named.iter().map(String::as_str).zip(colours).collect::<Vec<_>>())?;
        let across = Amounts::exactly(low, low + width * counts.len().max(1) as f64);
        let mut chart = ChartBuilder::on(&below)
            .margin_top(8)
            .margin_right(22)
            .x_label_area_size(X_LABELS)
            .y_label_area_size(Y_LABELS)
            .build_cartesian_2d(across, 0.0..f64::from(most) * 1.05)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(7)
            .y_labels(5)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .x_label_formatter(&|value| percent(*value))
            .y_label_formatter(&|count| format!("{count:.0}"))
            .axis_style(GREY)
            .label_style(text(LETTERS, GREY))
            .draw()?;
        for (place, &count) in counts.iter().enumerate() {
            let (from, to) = (low + width * place as f64, low + width * (place as f64 + 0.92));
            chart.draw_series([Rectangle::new([(from, 0.0), (to, f64::from(count))], BLUE.filled())])?;
        }
        for ((_, value), colour) in self.marks.iter().zip(colours).filter(|((_, value), _)| value.is_finite()) {
            let line = vec![(*value, 0.0), (*value, f64::from(most) * 1.05)];
            chart.draw_series([PathElement::new(line, colour.stroke_width(2))])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_value_is_in_one_bar() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i % 37) / 37.0 - 0.5).chain([f64::NAN]).collect();
        let histogram = Histogram { values, marks: vec![("mean".into(), 0.01)] };
        assert_eq!(histogram.bars().2.iter().sum::<u32>(), 1000);
        assert!(histogram.svg().unwrap().contains("mean 1%"));
        for values in [vec![], vec![0.1], vec![0.2; 9], vec![f64::NAN]] {
            assert!(Histogram { values, marks: vec![("m".into(), f64::NAN)] }.svg().unwrap().starts_with("<svg"));
        }
    }
}
