//! The ablation: how many times as fast each layer makes the work, alone and beside the others.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use sandtable_core::Result;

use super::{Axis, BLUE, LETTERS, ORANGE, PALE, WIDTH, anchored};
use crate::view::number;
use crate::view::plot::{Drawn, GREY, Picture, svg_of_size, text};

const BAR: i32 = 22;
/// Room for a name above its bars.
const NAME: i32 = 38;
const TOP: i32 = 38;

/// Factors by layer: on top of nothing, and on top of everything else where that was measured.
#[derive(Clone, Debug)]
pub struct Bars {
    /// Name, factor alone, factor beside the others.
    pub rows: Vec<(String, f64, Option<f64>)>,
}

impl Bars {
    /// The picture as an SVG document.
    ///
    /// # Errors
    /// It cannot be drawn.
    pub fn svg(&self) -> Result<String> {
        svg_of_size(self, (WIDTH, (TOP + self.row() * self.rows.len() as i32 + 38) as u32))
    }

    /// Whether any layer was measured beside the others.
    fn both(&self) -> bool {
        self.rows.iter().any(|(_, _, beside)| beside.is_some())
    }

    /// Height of a row.
    fn row(&self) -> i32 {
        NAME + if self.both() { 2 * BAR } else { BAR }
    }
}

impl Picture for Bars {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let bottom = TOP + self.row() * self.rows.len() as i32;
        let factors = self.rows.iter().flat_map(|(_, alone, beside)| [Some(*alone), *beside]).flatten();
        // The room on the right is for the number behind the longest bar.
        let axis = Axis::over(factors.chain([1.0, 2.0]), 26, WIDTH as i32 - 80);
        legend(area, self.both())?;
        for tick in axis.ticks() {
            let x = axis.at(tick);
            area.draw(&PathElement::new([(x, TOP), (x, bottom + 4)], if tick == 1.0 { GREY } else { PALE }))?;
            let style = text(LETTERS - 1, GREY).pos(anchored(HPos::Center, VPos::Top));
            area.draw(&Text::new(factor(tick), (x, bottom + 8), style))?;
        }
        for (row, (name, alone, beside)) in self.rows.iter().enumerate() {
            let top = TOP + self.row() * row as i32;
            area.draw(&Text::new(name.clone(), (16, top + 6), text(LETTERS, BLACK)))?;
            bar(area, &axis, top + 28, *alone, BLUE)?;
            if let Some(beside) = beside {
                bar(area, &axis, top + 28 + BAR, *beside, ORANGE)?;
            }
        }
        Ok(())
    }
}

/// A bar from 1 to the factor, which may lie on either side, with its number behind it.
fn bar<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    axis: &Axis,
    top: i32,
    value: f64,
    colour: RGBColor,
) -> Drawn<DB> {
    let (one, end) = (axis.at(1.0), axis.at(value));
    // A factor of one is seen as a line.
    let (left, right) = (one.min(end), one.max(end).max(one.min(end) + 2));
    area.draw(&Rectangle::new([(left, top), (right, top + BAR - 4)], colour.filled()))?;
    let style = text(LETTERS - 1, BLACK).pos(anchored(HPos::Left, VPos::Top));
    area.draw(&Text::new(factor(value), (right + 6, top), style))
}

fn legend<DB: DrawingBackend>(area: &DrawingArea<DB, Shift>, both: bool) -> Drawn<DB> {
    let kinds = [(16, BLUE, "alone"), (116, ORANGE, "on top of all other layers")];
    for (left, colour, name) in kinds.into_iter().take(if both { 2 } else { 1 }) {
        area.draw(&Rectangle::new([(left, 10), (left + 14, 24)], colour.filled()))?;
        area.draw(&Text::new(name, (left + 20, 7), text(LETTERS, BLACK)))?;
    }
    Ok(())
}

/// `2.5×`.
fn factor(value: f64) -> String {
    format!("{}×", number::short(value))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn factors_on_both_sides_of_one_are_drawn() {
        let rows = vec![("pool".into(), 1.9, Some(0.5)), ("fast".into(), 1.0, None), ("odd".into(), f64::NAN, None)];
        let svg = Bars { rows }.svg().unwrap();
        for word in ["pool", "1.9×", "0.5×", "fast", "alone"] {
            assert!(svg.contains(word), "{word}");
        }
    }
}
