//! The scale sweep: time against the number of backtests, both logarithmic, one line for each variant.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use sandtable_core::Result;

use super::{Axis, BLUE, LETTERS, ORANGE, PALE, WIDTH, anchored};
use crate::audit::report::time;
use crate::audit::statistics::Mean;
use crate::view::plot::{Drawn, GREY, Picture, svg_of_size, text};

const HEIGHT: i32 = 380;
const LEGEND_ROW: i32 = 26;
const COLOURS: [RGBColor; 7] = [
    BLACK,
    RGBColor(0, 140, 110),
    RGBColor(150, 60, 160),
    BLUE,
    RGBColor(120, 120, 120),
    RGBColor(190, 40, 60),
    ORANGE,
];

/// Times by name and number of backtests.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Name, and number and seconds in ascending order of numbers.
    pub lines: Vec<(String, Vec<(u64, Mean)>)>,
}

impl Scale {
    /// The picture as an SVG document.
    ///
    /// # Errors
    /// It cannot be drawn.
    pub fn svg(&self) -> Result<String> {
        let legend = LEGEND_ROW * self.lines.len().div_ceil(2) as i32;
        svg_of_size(self, (WIDTH, (HEIGHT + legend) as u32))
    }

    /// The vertical axis, turned: its left end is the bottom.
    fn seconds(&self) -> Axis {
        let all = self.lines.iter().flat_map(|(_, points)| points.iter().map(|(_, mean)| mean.mean));
        Axis::over(all, HEIGHT - 58, 14)
    }

    fn numbers(&self) -> Axis {
        let all = self.lines.iter().flat_map(|(_, points)| points.iter().map(|(n, _)| *n as f64));
        Axis::over(all, 84, WIDTH as i32 - 26)
    }
}

impl Picture for Scale {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let (across, up) = (self.numbers(), self.seconds());
        for tick in across.ticks() {
            let x = across.at(tick);
            area.draw(&PathElement::new([(x, up.left), (x, up.right)], PALE))?;
            let style = text(LETTERS - 1, GREY).pos(anchored(HPos::Center, VPos::Top));
            area.draw(&Text::new(tick.to_string(), (x, up.left + 6), style))?;
        }
        for tick in up.ticks() {
            let y = up.at(tick);
            area.draw(&PathElement::new([(across.left, y), (across.right, y)], PALE))?;
            let style = text(LETTERS - 1, GREY).pos(anchored(HPos::Right, VPos::Center));
            area.draw(&Text::new(time(tick), (across.left - 6, y), style))?;
        }
        let style = text(LETTERS, GREY).pos(anchored(HPos::Center, VPos::Top));
        area.draw(&Text::new("backtests", ((across.left + across.right) / 2, up.left + 28), style))?;
        for (place, (name, points)) in self.lines.iter().enumerate() {
            let colour = COLOURS[place % COLOURS.len()];
            let line: Vec<(i32, i32)> = points.iter().map(|(n, s)| (across.at(*n as f64), up.at(s.mean))).collect();
            for point in &line {
                area.draw(&Circle::new(*point, 3, colour.filled()))?;
            }
            area.draw(&PathElement::new(line, colour.stroke_width(2)))?;
            let (left, top) = (16 + 230 * (place as i32 % 2), HEIGHT + LEGEND_ROW * (place as i32 / 2));
            area.draw(&Rectangle::new([(left, top + 6), (left + 22, top + 11)], colour.filled()))?;
            area.draw(&Text::new(name.clone(), (left + 30, top), text(LETTERS, BLACK)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn lines_are_named_and_axes_labelled() {
        let line = |factor: f64| [1, 5, 25, 1000].map(|n| (n, Mean::of(&[factor * n as f64 + 0.001]))).to_vec();
        let svg = Scale { lines: vec![("baseline".into(), line(0.002)), ("all layers".into(), line(1e-5))] }.svg();
        let svg = svg.unwrap();
        for word in ["baseline", "all layers", "backtests", "1000", "ms"] {
            assert!(svg.contains(word), "{word}");
        }
        assert!(svg.matches("<polyline").count() >= 2);
    }
}
