//! Images: a heatmap of two parameters, and an equity curve, each as SVG text or PNG bytes.
//!
//! Given plain data, this gives documents in memory. The letters come from an embedded font (DejaVu Sans), so an
//! image is the same on every machine and nothing has to be installed.

mod axis;
mod equity;
mod fan;
mod heatmap;
mod histogram;
mod narrow;
mod profile;
mod series;

use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;
use sandtable_core::{Error, Result};

use super::heatmap::Heatmap;
pub use equity::EquityCurve;
pub use fan::Fan;
pub use histogram::Histogram;
pub use narrow::narrow_heatmap_svg;
pub use profile::{Profile, ProfilePoint};
pub use series::{Line, Reading, Series, Shape};

/// Pixels of an image, and of the SVG's view box.
const SIZE: (u32, u32) = (1000, 700);

/// The heatmap as an SVG document.
pub fn heatmap_svg(map: &Heatmap) -> Result<String> {
    svg(map)
}

/// The heatmap as a PNG file.
pub fn heatmap_png(map: &Heatmap) -> Result<Vec<u8>> {
    png(map)
}

/// The equity curve as an SVG document.
pub fn equity_svg(curve: &EquityCurve) -> Result<String> {
    svg(curve)
}

/// The equity curve as a PNG file.
pub fn equity_png(curve: &EquityCurve) -> Result<Vec<u8>> {
    png(curve)
}

/// What drawing gives: the backend's own error.
pub(crate) type Drawn<DB> = std::result::Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// A picture that any backend can take.
pub(crate) trait Picture {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB>;
}

fn svg(picture: &impl Picture) -> Result<String> {
    svg_of_size(picture, SIZE)
}

/// A picture as an SVG document of so many pixels.
pub(crate) fn svg_of_size(picture: &impl Picture, size: (u32, u32)) -> Result<String> {
    load_font()?;
    let mut document = String::new();
    paint(SVGBackend::with_string(&mut document, size), picture)?;
    Ok(document)
}

fn png(picture: &impl Picture) -> Result<Vec<u8>> {
    load_font()?;
    let mut pixels = vec![255; SIZE.0 as usize * SIZE.1 as usize * 3];
    paint(BitMapBackend::with_buffer(&mut pixels, SIZE), picture)?;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|e| Error::machine(format!("the plot could not be encoded as PNG: {e}")))?;
    Ok(file)
}

fn paint<DB: DrawingBackend>(backend: DB, picture: &impl Picture) -> Result<()> {
    let area = backend.into_drawing_area();
    let drawn = area.fill(&WHITE).and_then(|()| picture.draw(&area)).and_then(|()| area.present());
    drawn.map_err(|e| Error::machine(format!("the plot could not be drawn: {e}")))
}

/// Registers the embedded font, once in the process.
fn load_font() -> Result<()> {
    static LOADED: OnceLock<bool> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()).is_ok());
    if *loaded { Ok(()) } else { Err(Error::machine("the embedded font could not be read")) }
}

/// Colour of secondary text and axes.
pub(crate) const GREY: RGBColor = RGBColor(90, 90, 90);

/// Letters of the embedded font.
pub(crate) fn text(size: u32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

/// Title and sentence in the left upper corner.
fn heading<DB: DrawingBackend>(area: &DrawingArea<DB, Shift>, title: &str, sentence: &str) -> Drawn<DB> {
    area.draw(&Text::new(title.to_string(), (24, 18), text(26, BLACK)))?;
    area.draw(&Text::new(sentence.to_string(), (24, 52), text(17, GREY)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::heatmap::tests::hill;
    use super::equity::tests::walk;
    use super::*;

    /// Width and height from a PNG file's header.
    fn png_size(file: &[u8]) -> (u32, u32) {
        assert_eq!(&file[..8], b"\x89PNG\r\n\x1a\n");
        let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
        (number(16), number(20))
    }

    #[test]
    fn images_have_their_format_and_size() {
        let (map, curve) = (hill(20, 20), walk(600));
        assert_eq!(png_size(&heatmap_png(&map).unwrap()), SIZE);
        assert_eq!(png_size(&equity_png(&curve).unwrap()), SIZE);
        for document in [heatmap_svg(&map).unwrap(), equity_svg(&curve).unwrap()] {
            assert!(document.starts_with("<svg") && document.trim_end().ends_with("</svg>"));
        }
    }

    #[test]
    fn a_heatmap_shows_title_names_and_the_best_cell() {
        let map = hill(20, 20);
        let document = heatmap_svg(&map).unwrap();
        for word in ["Sharpe ratio", "fast", "slow", &map.best_sentence().unwrap()] {
            assert!(document.contains(word), "{word}");
        }
        let cells = map.cells.iter().filter(|cell| cell.is_finite()).count();
        assert!(document.matches("<rect").count() > cells);
    }

    #[test]
    fn an_equity_curve_shows_both_lines_years_and_the_deepest_drawdown() {
        let document = equity_svg(&walk(1500)).unwrap();
        for word in ["SMA cross", "buy and hold", "2006", "drawdown"] {
            assert!(document.contains(word), "{word}");
        }
        assert!(document.matches("<polyline").count() >= 2);
    }

    #[test]
    fn degenerate_data_draw_something() {
        let mut empty = hill(3, 3);
        empty.cells.clear();
        let single = hill(1, 1);
        for map in [empty, single, super::super::Heatmap { cells: vec![f64::NAN; 9], ..hill(3, 3) }, hill(300, 150)] {
            assert!(heatmap_svg(&map).unwrap().contains("fast"));
        }
        for sessions in [0, 1, 2] {
            assert!(equity_svg(&walk(sessions)).unwrap().contains("SMA cross"));
        }
        let mut ruined = walk(50);
        ruined.equity[20] = -5.0;
        ruined.equity[30] = f64::NAN;
        assert!(equity_png(&ruined).unwrap().len() > 1000);
        let flat = EquityCurve { equity: vec![0.0; 50], benchmark: None, ..walk(50) };
        assert!(equity_png(&flat).unwrap().len() > 1000);
    }
}
