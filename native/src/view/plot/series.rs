//! Numbers by date: equity on either scale, depth below the peak, rolling figures.

use plotters::coord::Shift;
use plotters::prelude::*;
use sandtable_core::Result;

use super::axis::{Amounts, Dates};
use super::equity::{BLUE, ORANGE, RED_AREA, lines, money, percent};
use super::narrow::{LEGEND, LETTERS, X_LABELS, Y_LABELS, legend, svg};
use super::{Drawn, GREY, Picture, text};
use crate::view::number;

/// How values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Amounts of money.
    Money,
    /// Fractions, as percentages.
    Percent,
    /// Plain numbers.
    Number,
}

/// What is drawn of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Lines.
    Linear,
    /// Lines on a logarithmic scale, if every value is positive.
    Logarithmic,
    /// Lines, the first of them an area up to zero: values are zero or less.
    Depth,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name; one line alone is not named.
    pub name: String,
    /// A value for each date; NaN where there is none.
    pub values: Vec<f64>,
}

/// Lines over the same dates: the first in the account's colour, the second in the benchmark's.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Days since 1970-01-01, ascending.
    pub dates: Vec<i32>,
    /// The lines, most important first; the third and later ones are grey.
    pub lines: Vec<Line>,
    /// How values are read.
    pub reading: Reading,
    /// What is drawn.
    pub shape: Shape,
}

impl Series {
    /// The picture as a narrow SVG document. Lines are thinned to 2,000 points; the extremes of neighbours stay.
    ///
    /// # Errors
    /// It cannot be drawn.
    pub fn svg(&self) -> Result<String> {
        svg(self)
    }

    fn amounts(&self) -> Amounts {
        let values = || self.lines.iter().flat_map(|line| line.values.iter().copied()).filter(|v| v.is_finite());
        match self.shape {
            Shape::Depth => Amounts::depth(values().fold(0.0, f64::min)),
            shape => Amounts::around(values(), shape == Shape::Logarithmic && values().all(|v| v > 0.0)),
        }
    }

    fn colours(&self) -> impl Iterator<Item = RGBColor> {
        let first = if self.shape == Shape::Depth { RED_AREA } else { BLUE };
        [first, ORANGE].into_iter().chain(std::iter::repeat(GREY))
    }
}

impl Picture for Series {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let mut below = area.clone();
        if self.lines.len() > 1 {
            let names: Vec<(&str, RGBColor)> =
                self.lines.iter().map(|line| line.name.as_str()).zip(self.colours()).collect();
            let (above, rest) = area.split_vertically(LEGEND);
            legend(&above, &names)?;
            below = rest;
        }
        let dates = Dates::over(&self.dates);
        let mut chart = ChartBuilder::on(&below)
            .margin_top(8)
            .margin_right(22)
            .x_label_area_size(X_LABELS)
            .y_label_area_size(Y_LABELS)
            .build_cartesian_2d(dates, self.amounts())?;
        let label = |value: &f64| match self.reading {
            Reading::Money => money(*value),
            Reading::Percent => percent(*value),
            Reading::Number => number::parameter(*value),
        };
        chart
            .configure_mesh()
            .x_labels(7)
            .y_labels(6)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .x_label_formatter(&|date| dates.label(*date))
            .y_label_formatter(&label)
            .axis_style(GREY)
            .label_style(text(LETTERS, GREY))
            .draw()?;
        // The most important one lies on top.
        for (place, (line, colour)) in
            self.lines.iter().zip(self.colours()).enumerate().collect::<Vec<_>>().into_iter().rev()
        {
            for run in lines(&self.dates, &line.values) {
                if let (Shape::Depth, 0, Some(&(first, _)), Some(&(last, _))) =
                    (self.shape, place, run.first(), run.last())
                {
                    let outline = [(first, 0.0)].into_iter().chain(run.iter().copied()).chain([(last, 0.0)]);
                    chart.draw_series([Polygon::new(outline.collect::<Vec<_>>(), colour.mix(0.25))])?;
                }
                chart.draw_series([PathElement::new(run, colour.stroke_width(if place == 0 { 2 } else { 1 }))])?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::equity::tests::walk;
    use super::*;

    fn series(sessions: usize, shape: Shape) -> Series {
        let curve = walk(sessions);
        let line = |name: &str, values: &[f64]| Line { name: name.into(), values: values.to_vec() };
        let lines = vec![line("account <a>", &curve.equity), line("SPY", &curve.benchmark.unwrap().1)];
        Series { dates: curve.dates, lines, reading: Reading::Money, shape }
    }

    #[test]
    fn both_lines_are_named_and_thinned() {
        let svg = series(20_000, Shape::Logarithmic).svg().unwrap();
        assert!(svg.contains("account &lt;a&gt;") && svg.contains("SPY") && svg.contains("20"), "{svg}");
        let points: usize = svg.matches("<polyline").count();
        assert!(points >= 2 && svg.len() < 80_000, "{}", svg.len());
    }

    #[test]
    fn whatever_the_values_there_is_a_picture() {
        for sessions in [0, 1, 2] {
            for shape in [Shape::Linear, Shape::Logarithmic, Shape::Depth] {
                assert!(series(sessions, shape).svg().unwrap().starts_with("<svg"));
            }
        }
        let mut broken = series(40, Shape::Logarithmic);
        broken.lines[0].values[3] = -1.0;
        broken.lines[1].values.fill(f64::NAN);
        assert!(broken.svg().unwrap().starts_with("<svg"));
    }
}
