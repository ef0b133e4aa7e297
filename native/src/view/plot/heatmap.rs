//! The heatmap's picture: cells, axes, colour bar, and a frame around the best cell.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{BoldPoints, Ranged};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{Amounts, Cells};
use super::{Drawn, GREY, Picture, heading, text};
use crate::view::heatmap::{Heatmap, share};
use crate::view::{number, palette};

/// Height of the title, and width of the colour bar with its labels.
const TOP: i32 = 84;
const BAR: i32 = 120;
/// Height of the labels of x, and of the margin below them.
const X_LABELS: i32 = 56;
const MARGIN: i32 = 16;
const BELOW: i32 = X_LABELS + MARGIN;

/// Ink of numbers in cells: black, but not the black of letters on the ground, which a page in the dark turns.
const INK: RGBColor = RGBColor(1, 1, 1);

/// A heatmap without its heading, for a page that has one.
pub(super) struct Narrow<'a>(pub(super) &'a Heatmap);

impl Picture for Narrow<'_> {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let Some(range) = self.0.range() else { return Ok(()) };
        let (_, below) = area.split_vertically(8);
        let width = below.dim_in_pixel().0 as i32;
        let (left, right) = below.split_horizontally(width - BAR);
        cells(self.0, range, &left)?;
        colour_bar(self.0, range, &right)
    }
}

impl Picture for Heatmap {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let title = format!("{} by {} and {}", self.title, self.x_name, self.y_name);
        let sentence = self.best_sentence().unwrap_or_else(|| "no trial has a value".to_string());
        heading(area, &title, &sentence)?;
        let Some(range) = self.range() else { return Ok(()) };
        let (_, below) = area.split_vertically(TOP);
        let width = below.dim_in_pixel().0 as i32;
        let (left, right) = below.split_horizontally(width - BAR);
        cells(self, range, &left)?;
        colour_bar(self, range, &right)
    }
}

fn rgb(share: f64) -> RGBColor {
    let [r, g, b] = palette::viridis(share);
    RGBColor(r, g, b)
}

fn cells<DB: DrawingBackend>(map: &Heatmap, range: (f64, f64), area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
    let (nx, ny) = (map.x_values.len(), map.y_values.len());
    let mut chart = ChartBuilder::on(area)
        .margin_left(20)
        .margin_right(10)
        .margin_bottom(MARGIN)
        .x_label_area_size(X_LABELS)
        .y_label_area_size(72)
        .build_cartesian_2d(Cells(nx), Cells(ny))?;
    let (width, height) = chart.plotting_area().dim_in_pixel();
    let longest = map.x_values.iter().map(|&v| number::parameter(v).len()).max().unwrap_or(1);
    let label = |values: &[f64], at: f64| values.get(at as usize).map_or(String::new(), |&v| number::parameter(v));
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels((width as usize / (longest * 9 + 14)).max(2))
        .y_labels((height as usize / 26).max(2))
        .x_label_formatter(&|at| label(&map.x_values, *at))
        .y_label_formatter(&|at| label(&map.y_values, *at))
        .x_desc(map.x_name.clone())
        .y_desc(map.y_name.clone())
        .axis_style(GREY)
        .label_style(text(15, GREY))
        .axis_desc_style(text(18, BLACK))
        .draw()?;
    let numbers = width as usize / nx.max(1) >= 52 && height as usize / ny.max(1) >= 20;
    for (x, y) in (0..ny).flat_map(|y| (0..nx).map(move |x| (x, y))) {
        let value = map.cell(x, y);
        if value.is_nan() {
            continue;
        }
        let (low, high) = ((x as f64, y as f64), (x as f64 + 1.0, y as f64 + 1.0));
        let colour = rgb(share(value, range));
        chart.draw_series([Rectangle::new([low, high], colour.filled())])?;
        if numbers {
            let ink = if palette::wants_dark_text([colour.0, colour.1, colour.2]) { INK } else { WHITE };
            let style = text(14, ink).pos(Pos::new(HPos::Center, VPos::Center));
            let middle = (x as f64 + 0.5, y as f64 + 0.5);
            chart.draw_series([Text::new(number::metric(value, map.unit), middle, style)])?;
        }
    }
    let Some((x, y)) = map.best() else { return Ok(()) };
    // Nested frames of one pixel: thick strokes are not symmetric in bitmaps.
    let corner = (x as f64, y as f64 + 1.0);
    let (left, top) = chart.backend_coord(&corner);
    let (right, bottom) = chart.backend_coord(&(x as f64 + 1.0, y as f64));
    // Around a small cell the frames stay outside, so that its colour is seen.
    let outwards = if (right - left).min(bottom - top) < 16 { 3 } else { 0 };
    for (inset, colour) in [(-2, BLACK), (-1, BLACK), (0, WHITE), (1, WHITE), (2, BLACK)] {
        let inset = inset - outwards;
        let frame = [(inset, inset), (right - left - 1 - inset, bottom - top - 1 - inset)];
        chart.draw_series([EmptyElement::at(corner) + Rectangle::new(frame, colour.stroke_width(1))])?;
    }
    Ok(())
}

/// The palette from the lowest value at the bottom to the highest at the top, beside the cells' full height.
fn colour_bar<DB: DrawingBackend>(map: &Heatmap, range: (f64, f64), area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
    let (from, to) = (10, 34);
    let bottom = area.dim_in_pixel().1 as i32 - BELOW;
    for row in 0..bottom {
        let colour = rgb(f64::from(bottom - 1 - row) / f64::from((bottom - 1).max(1)));
        area.draw(&Rectangle::new([(from, row), (to, row + 1)], colour.filled()))?;
    }
    let axis = Amounts::exactly(range.0, range.1);
    let style = text(15, GREY).pos(Pos::new(HPos::Left, VPos::Center));
    for value in axis.key_points(BoldPoints(8)) {
        let row = axis.map(&value, (bottom - 1, 0));
        area.draw(&PathElement::new([(to, row), (to + 5, row)], GREY))?;
        area.draw(&Text::new(number::metric(value, map.unit), (to + 9, row), style.clone()))?;
    }
    Ok(())
}
