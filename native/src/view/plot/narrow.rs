//! Pictures for a page: narrow, with large letters, so that they can be read on a phone. A heading stands in the page.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use sandtable_core::Result;

use super::{Drawn, Picture, svg_of_size, text};
use crate::view::Heatmap;

/// Pixels of a narrow picture's view box.
const SIZE: (u32, u32) = (560, 330);
/// The same of a heatmap, which needs height.
const HEATMAP: (u32, u32) = (560, 440);
/// Size of letters.
pub(super) const LETTERS: u32 = 16;
/// Height of the line that names what is drawn.
pub(super) const LEGEND: i32 = 30;
/// Width of the labels of y, and height of those of x.
pub(super) const Y_LABELS: u32 = 74;
pub(super) const X_LABELS: u32 = 32;

/// A picture of the narrow size.
pub(super) fn svg(picture: &impl Picture) -> Result<String> {
    svg_of_size(picture, SIZE)
}

/// A heatmap as a narrow SVG document.
///
/// # Errors
/// It cannot be drawn.
pub fn narrow_heatmap_svg(map: &Heatmap) -> Result<String> {
    svg_of_size(&super::heatmap::Narrow(map), HEATMAP)
}

/// Samples of colours with their names, from the left.
pub(super) fn legend<DB: DrawingBackend>(area: &DrawingArea<DB, Shift>, entries: &[(&str, RGBColor)]) -> Drawn<DB> {
    let mut left = Y_LABELS as i32;
    for (name, colour) in entries {
        area.draw(&Rectangle::new([(left, 13), (left + 20, 17)], colour.filled()))?;
        let style = text(LETTERS, BLACK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new((*name).to_string(), (left + 26, 15), style))?;
        // Letters of the embedded font are about six tenths of their size wide.
        left += 26 + (name.chars().count() as i32 * LETTERS as i32 * 6) / 10 + 18;
    }
    Ok(())
}
