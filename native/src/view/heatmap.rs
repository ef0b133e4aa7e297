//! A metric over two parameters, as a picture of text.
//!
//! Values of y grow upwards. Cells carry their number where there is room; a grid with more columns or rows than fit
//! is shown in blocks, each with the best of its cells. Without colour, digits from 0 (lowest) to 9 (highest) stand
//! for the shades.

use std::fmt::Write as _;

use sandtable_core::metrics::{Better, Unit};

use super::number;
use super::palette;
use super::terminal::{Colour, Terminal};

/// Most rows of text that a picture takes, so that it fits a screen.
const MOST_ROWS: usize = 40;

/// A metric over two parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    /// Parameter along x.
    pub x_name: String,
    /// Parameter along y.
    pub y_name: String,
    /// Values along x, ascending.
    pub x_values: Vec<f64>,
    /// Values along y, ascending.
    pub y_values: Vec<f64>,
    /// The metric, row by row: cell (x, y) is at `y × x_values.len() + x`. NaN (or a missing tail) is an empty cell.
    pub cells: Vec<f64>,
    /// The metric's title.
    pub title: String,
    /// What the metric is measured in.
    pub unit: Unit,
    /// Which direction is desirable; without one, the largest value is marked.
    pub better: Better,
}

impl Heatmap {
    /// The value of a cell, NaN if empty.
    pub fn cell(&self, x: usize, y: usize) -> f64 {
        let value = self.cells.get(y * self.x_values.len() + x).copied().unwrap_or(f64::NAN);
        if x < self.x_values.len() && value.is_finite() { value } else { f64::NAN }
    }

    /// Place (x, y) of the best cell, the first of equals; `None` if all are empty.
    pub fn best(&self) -> Option<(usize, usize)> {
        self.best_within(0..self.x_values.len(), 0..self.y_values.len())
    }

    /// Lowest and highest value, `None` if all cells are empty.
    pub fn range(&self) -> Option<(f64, f64)> {
        let mut values = self.places(0..self.x_values.len(), 0..self.y_values.len()).map(|(x, y)| self.cell(x, y));
        let first = values.next()?;
        Some(values.fold((first, first), |(low, high), v| (low.min(v), high.max(v))))
    }

    /// The sentence that names the best cell.
    pub fn best_sentence(&self) -> Option<String> {
        let (x, y) = self.best()?;
        Some(format!(
            "best: {} {}, {} {} with {} {}",
            self.x_name,
            number::parameter(self.x_values[x]),
            self.y_name,
            number::parameter(self.y_values[y]),
            self.title,
            number::metric(self.cell(x, y), self.unit)
        ))
    }

    fn places(&self, xs: std::ops::Range<usize>, ys: std::ops::Range<usize>) -> impl Iterator<Item = (usize, usize)> {
        ys.flat_map(move |y| xs.clone().map(move |x| (x, y))).filter(|&(x, y)| !self.cell(x, y).is_nan())
    }

    fn best_within(&self, xs: std::ops::Range<usize>, ys: std::ops::Range<usize>) -> Option<(usize, usize)> {
        let better = |a: f64, b: f64| if self.better == Better::Lower { a < b } else { a > b };
        self.places(xs, ys).reduce(|best, place| {
            if better(self.cell(place.0, place.1), self.cell(best.0, best.1)) { place } else { best }
        })
    }

    /// The picture, lines ended by a newline.
    pub fn render(&self, terminal: &Terminal) -> String {
        let mut out = format!("{} by {} and {}\n", self.title, self.x_name, self.y_name);
        let Some((low, high)) = self.range() else {
            out.push_str("no trial has a value\n");
            return out;
        };
        let layout = Layout::of(self, (low, high), terminal);
        for row in (0..self.y_values.len().div_ceil(layout.y_block)).rev() {
            layout.row(self, row, terminal.colour, &mut out);
        }
        layout.x_axis(self, &mut out);
        if layout.x_block * layout.y_block > 1 {
            let _ = writeln!(out, "each field is the best of {} × {} trials", layout.x_block, layout.y_block);
        }
        let (low, high) = (number::metric(low, self.unit), number::metric(high, self.unit));
        let digits = !layout.numbers && terminal.colour == Colour::Plain;
        let _ = match (terminal.colour, digits) {
            (Colour::Plain, true) => writeln!(out, "from 0 = {low} to 9 = {high}, · no value"),
            (Colour::Plain, false) => writeln!(out, "from {low} to {high}, · no value"),
            (colour, _) => writeln!(out, "{low} {} {high}", gradient(colour)),
        };
        if let Some(sentence) = self.best_sentence() {
            let _ = writeln!(out, "{sentence} (*)");
        }
        out
    }
}

/// How far a value stands between the lowest and the highest one; the middle if they are the same.
pub fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    if high > low { (value - low) / (high - low) } else { 0.5 }
}

/// How a grid is fitted into the terminal's columns.
struct Layout {
    /// Columns for the labels of y, space after them included.
    margin: usize,
    /// Columns of a cell.
    width: usize,
    /// Cells of the grid in one cell of the picture.
    x_block: usize,
    y_block: usize,
    /// Whether cells carry their numbers.
    numbers: bool,
    /// Lowest and highest value.
    range: (f64, f64),
    /// Place of the best cell.
    best: Option<(usize, usize)>,
}

impl Layout {
    fn of(map: &Heatmap, range: (f64, f64), terminal: &Terminal) -> Self {
        let label = |values: &[f64]| values.iter().map(|&v| number::parameter(v).chars().count()).max().unwrap_or(1);
        let margin = label(&map.y_values).max(map.y_name.chars().count().min(12)) + 1;
        let room = terminal.columns().saturating_sub(margin).max(8);
        let count = map.x_values.len().max(1);
        let number = map
            .places(0..map.x_values.len(), 0..map.y_values.len())
            .map(|(x, y)| number::metric(map.cell(x, y), map.unit).chars().count())
            .max()
            .unwrap_or(1);
        // One column for the mark of the best cell, one between neighbours.
        let with_numbers = number + 2;
        let numbers = count * with_numbers <= room;
        let x_block = count.div_ceil(room / 2);
        let width = if numbers { with_numbers } else { (room / count.div_ceil(x_block)).clamp(2, 4) };
        let y_block = map.y_values.len().div_ceil(MOST_ROWS).max(1);
        Layout { margin, width, x_block, y_block, numbers, range, best: map.best() }
    }

    fn row(&self, map: &Heatmap, row: usize, colour: Colour, out: &mut String) {
        let ys = row * self.y_block..((row + 1) * self.y_block).min(map.y_values.len());
        let label = number::parameter(map.y_values[ys.start]);
        let _ = write!(out, "{label:>width$} ", width = self.margin - 1);
        for column in 0..map.x_values.len().div_ceil(self.x_block) {
            let xs = column * self.x_block..((column + 1) * self.x_block).min(map.x_values.len());
            self.cell(map, map.best_within(xs, ys.clone()), colour, out);
        }
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    }

    fn cell(&self, map: &Heatmap, place: Option<(usize, usize)>, colour: Colour, out: &mut String) {
        let Some((x, y)) = place else {
            // Beside digits the dot stands where a digit would.
            let dot = if self.numbers || colour != Colour::Plain { "·" } else { "· " };
            let _ = write!(out, "{:^width$}", dot, width = self.width);
            return;
        };
        let value = map.cell(x, y);
        let share = share(value, self.range);
        let mark = if self.best == place { "*" } else { "" };
        let text = match (self.numbers, colour) {
            (true, _) => format!("{}{mark:<1}", number::metric(value, map.unit)),
            (false, Colour::Plain) => format!("{}{mark:<1}", digit(share)),
            (false, _) => mark.to_string(),
        };
        let padded = if self.numbers {
            format!("{text:>width$}", width = self.width)
        } else {
            format!("{text:^width$}", width = self.width)
        };
        paint(share, &padded, colour, out);
    }

    /// Labels of x below their cells, as many as fit with a space between them, and the parameter's name.
    fn x_axis(&self, map: &Heatmap, out: &mut String) {
        let mut line = String::new();
        let mut used = 0;
        for (column, values) in map.x_values.chunks(self.x_block).enumerate() {
            let label = number::parameter(values[0]);
            let length = label.chars().count();
            let middle = column * self.width + self.width / 2;
            let start = middle.saturating_sub(length / 2);
            if column > 0 && start <= used {
                continue;
            }
            line.extend(std::iter::repeat_n(' ', start - used));
            line.push_str(&label);
            used = start + length;
        }
        let y_name: String = map.y_name.chars().take(self.margin - 1).collect();
        let _ = writeln!(out, "{y_name:>width$} {line}  {}", map.x_name, width = self.margin - 1);
    }
}

/// The digit that stands for a share without colour.
fn digit(share: f64) -> u8 {
    (share * 10.0).clamp(0.0, 9.0) as u8
}

/// The palette from its lowest to its highest colour.
fn gradient(colour: Colour) -> String {
    let mut out = String::new();
    for step in 0..24 {
        paint(f64::from(step) / 23.0, " ", colour, &mut out);
    }
    out
}

/// Text on the colour of a share, in black or white, whichever reads better.
fn paint(share: f64, text: &str, colour: Colour, out: &mut String) {
    let _ = match colour {
        Colour::Plain => write!(out, "{text}"),
        Colour::Indexed => {
            let index = palette::indexed(share);
            let ink = if palette::wants_dark_text(palette::cube(index)) { 16 } else { 231 };
            write!(out, "\x1b[48;5;{index};38;5;{ink}m{text}\x1b[0m")
        }
        Colour::True => {
            let [r, g, b] = palette::viridis(share);
            let ink = if palette::wants_dark_text([r, g, b]) { "0;0;0" } else { "255;255;255" };
            write!(out, "\x1b[48;2;{r};{g};{b};38;2;{ink}m{text}\x1b[0m")
        }
    };
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A smooth hill with an empty corner where x ≥ y.
    pub(crate) fn hill(nx: usize, ny: usize) -> Heatmap {
        let x_values: Vec<f64> = (1..=nx).map(|x| x as f64 * 5.0).collect();
        let y_values: Vec<f64> = (1..=ny).map(|y| y as f64 * 10.0).collect();
        let value = |x: f64, y: f64| {
            let (u, v) = (x / (5.0 * nx as f64) - 0.3, y / (10.0 * ny as f64) - 0.6);
            if x >= y { f64::NAN } else { 1.2 - 3.0 * (u * u + v * v) - 0.1 * (x * 0.7).sin() }
        };
        Heatmap {
            x_name: "fast".into(),
            y_name: "slow".into(),
            cells: y_values.iter().flat_map(|&y| x_values.iter().map(move |&x| value(x, y))).collect(),
            x_values,
            y_values,
            title: "Sharpe ratio".into(),
            unit: Unit::Ratio,
            better: Better::Higher,
        }
    }

    #[test]
    fn a_small_grid_without_colour() {
        let map = Heatmap {
            x_values: vec![5.0, 10.0],
            y_values: vec![20.0, 50.0],
            cells: vec![0.1, f64::NAN, -0.25, 1.5],
            ..hill(1, 1)
        };
        let text = map.render(&Terminal::PIPE);
        let expected = "Sharpe ratio by fast and slow
  50  -0.250   1.500*
  20   0.100    ·
slow     5      10  fast
from -0.250 to 1.500, · no value
best: fast 10, slow 50 with Sharpe ratio 1.500 (*)
";
        assert_eq!(text, expected);
    }

    #[test]
    fn twenty_columns_fit_eighty_and_mark_the_best_once() {
        let map = hill(20, 20);
        let text = map.render(&Terminal::PIPE);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let grid: Vec<&str> = text.lines().skip(1).take(20).collect();
        assert_eq!(grid.iter().map(|line| line.matches('*').count()).sum::<usize>(), 1, "{text}");
        assert!(grid[0].trim_start().starts_with("200"), "the largest y is on top");
        assert!(grid.iter().any(|line| line.contains("9*")), "{text}");
    }

    #[test]
    fn colour_comes_in_two_kinds_and_is_always_reset() {
        for (colour, code) in [(Colour::Indexed, "\x1b[48;5;"), (Colour::True, "\x1b[48;2;")] {
            let text = hill(20, 10).render(&Terminal { width: Some(100), colour });
            assert!(text.contains(code));
            assert_eq!(text.matches("\x1b[48").count(), text.matches("\x1b[0m").count());
        }
    }

    #[test]
    fn a_large_grid_is_shown_in_blocks_with_their_best() {
        let map = hill(300, 90);
        let text = map.render(&Terminal::PIPE);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.lines().count() < 40 + 6);
        assert!(text.contains("each field is the best of"));
        assert_eq!(text.lines().filter(|line| line.contains("9*")).count(), 1, "{text}");
    }

    #[test]
    fn lower_is_better_marks_the_lowest() {
        let map = Heatmap { better: Better::Lower, ..hill(5, 9) };
        let lowest = map.range().map(|(low, _)| low);
        assert_eq!(map.best().map(|(x, y)| map.cell(x, y)), lowest);
    }

    #[test]
    fn nothing_to_show_is_said() {
        let mut map = hill(3, 3);
        map.cells = vec![f64::NAN; 9];
        assert!(map.render(&Terminal::PIPE).contains("no trial has a value"));
        map.cells.clear();
        map.x_values.clear();
        assert!(map.render(&Terminal::PIPE).contains("no trial has a value"));
        let flat = Heatmap { cells: vec![1.0; 9], ..hill(3, 3) };
        assert_eq!(flat.range().map(|range| share(1.0, range)), Some(0.5));
        assert!(flat.render(&Terminal::PIPE).contains("1.000*"));
    }
}
