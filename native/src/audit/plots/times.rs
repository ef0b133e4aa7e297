//! The time of a run by variant: a dot with its 95 % interval, on a logarithmic axis.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use sandtable_core::Result;

use super::{Axis, BLUE, LETTERS, ORANGE, PALE, WIDTH, anchored};
use crate::audit::report::time;
use crate::audit::statistics::Mean;
use crate::view::plot::{Drawn, GREY, Picture, svg_of_size, text};

const ROW: i32 = 50;
const TOP: i32 = 12;

/// Times by name; the last one stands out.
#[derive(Clone, Debug)]
pub struct Times {
    /// Name and seconds.
    pub rows: Vec<(String, Mean)>,
}

impl Times {
    /// The picture as an SVG document.
    ///
    /// # Errors
    /// It cannot be drawn.
    pub fn svg(&self) -> Result<String> {
        svg_of_size(self, (WIDTH, (TOP + ROW * self.rows.len() as i32 + 38) as u32))
    }
}

impl Picture for Times {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let right = WIDTH as i32 - 26;
        let bottom = TOP + ROW * self.rows.len() as i32;
        let ends = self.rows.iter().flat_map(|(_, mean)| [mean.mean, mean.low(), mean.high()]);
        let axis = Axis::over(ends, 26, right);
        for tick in axis.ticks() {
            let x = axis.at(tick);
            area.draw(&PathElement::new([(x, TOP), (x, bottom + 4)], PALE))?;
            let style = text(LETTERS - 1, GREY).pos(anchored(HPos::Center, VPos::Top));
            area.draw(&Text::new(time(tick), (x, bottom + 8), style))?;
        }
        for (row, (name, mean)) in self.rows.iter().enumerate() {
            let top = TOP + ROW * row as i32;
            let colour = if row + 1 == self.rows.len() { ORANGE } else { BLUE };
            area.draw(&Text::new(name.clone(), (16, top + 4), text(LETTERS, BLACK)))?;
            let style = text(LETTERS, BLACK).pos(anchored(HPos::Right, VPos::Top));
            area.draw(&Text::new(time(mean.mean), (right, top + 4), style))?;
            let y = top + 35;
            if mean.half_width.is_finite() {
                let (low, high) = (axis.at(mean.low()), axis.at(mean.high()));
                area.draw(&PathElement::new([(low, y), (high, y)], colour.stroke_width(3)))?;
                for x in [low, high] {
                    area.draw(&PathElement::new([(x, y - 5), (x, y + 5)], colour.stroke_width(2)))?;
                }
            }
            area.draw(&Circle::new((axis.at(mean.mean), y), 5, colour.filled()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_row_is_named_whatever_its_interval() {
        let rows = vec![
            ("baseline".into(), Mean::of(&[0.3, 0.31, 0.29])),
            ("one".into(), Mean::of(&[0.001])),
            ("wide".into(), Mean::of(&[0.001, 9.0])),
        ];
        let svg = Times { rows }.svg().unwrap();
        for word in ["baseline", "one", "wide", "ms"] {
            assert!(svg.contains(word), "{word}");
        }
        assert!(Times { rows: Vec::new() }.svg().unwrap().starts_with("<svg"));
    }
}
