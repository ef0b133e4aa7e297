//! The equity curve's picture: the account against buying and holding the benchmark, drawdowns below.

use plotters::coord::Shift;
use plotters::prelude::*;
use sandtable_core::metrics::Unit;

use super::axis::{Amounts, Dates};
use super::{Drawn, GREY, Picture, heading, text};
use crate::view::number;

pub(super) const BLUE: RGBColor = RGBColor(31, 90, 166);
pub(super) const ORANGE: RGBColor = RGBColor(224, 130, 20);
pub(super) const RED_AREA: RGBColor = RGBColor(178, 50, 60);

/// More points than this are thinned to the extremes of neighbours, which no eye can tell.
const MOST_POINTS: usize = 2000;
/// From this ratio of highest to lowest equity the scale is logarithmic, so that early years can be read.
const LOGARITHMIC_FROM: f64 = 5.0;

/// An account's course.
#[derive(Clone, Debug, PartialEq)]
pub struct EquityCurve {
    /// Title of the image.
    pub title: String,
    /// Sentence below it, for the key numbers.
    pub sentence: String,
    /// Date of each session, in days since 1970-01-01, ascending.
    pub dates: Vec<i32>,
    /// Equity at the end of each session.
    pub equity: Vec<f64>,
    /// Name of the benchmark and what the same initial cash would be worth in it; NaN where it has no value.
    pub benchmark: Option<(String, Vec<f64>)>,
}

impl Picture for EquityCurve {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        heading(area, &self.title, &self.sentence)?;
        if self.dates.is_empty() {
            return Ok(());
        }
        let (_, below) = area.split_vertically(80);
        let height = below.dim_in_pixel().1 as i32;
        let (upper, lower) = below.split_vertically(height * 2 / 3);
        self.draw_equity(&upper)?;
        self.draw_drawdown(&lower)
    }
}

impl EquityCurve {
    fn draw_equity<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let dates = Dates::over(&self.dates);
        let holding = self.benchmark.as_ref().map_or(&[][..], |(_, values)| values);
        let values = || self.equity.iter().chain(holding).copied().filter(|v| v.is_finite());
        let (low, high) = values().fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        let amounts = Amounts::around(values(), low > 0.0 && high / low > LOGARITHMIC_FROM);
        let mut chart = ChartBuilder::on(area)
            .margin_left(20)
            .margin_right(30)
            .x_label_area_size(8)
            .y_label_area_size(92)
            .build_cartesian_2d(dates, amounts)?;
        chart
            .configure_mesh()
            .disable_x_axis()
            .x_labels(12)
            .y_labels(8)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.1))
            .y_label_formatter(&|value| money(*value))
            .axis_style(GREY)
            .label_style(text(15, GREY))
            .draw()?;
        let mut draw = |values: &[f64], name: &str, colour: RGBColor| -> Drawn<DB> {
            for line in lines(&self.dates, values) {
                chart.draw_series([PathElement::new(line, colour.stroke_width(1))])?;
            }
            // A series of its own for the legend, so that gaps do not repeat the name.
            let sample = move |(x, y): (i32, i32)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(3));
            chart.draw_series(std::iter::empty::<PathElement<(i32, f64)>>())?.label(name).legend(sample);
            Ok(())
        };
        if let Some((name, values)) = &self.benchmark {
            draw(values, &format!("{name}, buy and hold"), ORANGE)?;
        }
        draw(&self.equity, "equity", BLUE)?;
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .margin(12)
            .legend_area_size(30)
            .background_style(WHITE.mix(0.85))
            .label_font(text(16, BLACK))
            .draw()
    }

    fn draw_drawdown<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Drawn<DB> {
        let depths = drawdowns(&self.equity);
        let deepest = depths.iter().copied().filter(|d| d.is_finite()).fold(0.0, f64::min);
        let dates = Dates::over(&self.dates);
        let mut chart = ChartBuilder::on(area)
            .margin_left(20)
            .margin_right(30)
            .margin_bottom(14)
            .x_label_area_size(34)
            .y_label_area_size(92)
            .build_cartesian_2d(dates, Amounts::depth(deepest))?;
        chart
            .configure_mesh()
            .x_labels(12)
            .y_labels(5)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.1))
            .x_label_formatter(&|date| dates.label(*date))
            .y_label_formatter(&|depth| percent(*depth))
            .y_desc("drawdown")
            .axis_style(GREY)
            .label_style(text(15, GREY))
            .axis_desc_style(text(15, GREY))
            .draw()?;
        for line in lines(&self.dates, &depths) {
            let (Some(&(first, _)), Some(&(last, _))) = (line.first(), line.last()) else { continue };
            let outline = [(first, 0.0)].into_iter().chain(line.iter().copied()).chain([(last, 0.0)]);
            chart.draw_series([Polygon::new(outline.collect::<Vec<_>>(), RED_AREA.mix(0.25))])?;
            chart.draw_series([PathElement::new(line, RED_AREA.stroke_width(1))])?;
        }
        Ok(())
    }
}

/// Share below the running peak; NaN where equity is, or while no peak is above zero.
pub(super) fn drawdowns(equity: &[f64]) -> Vec<f64> {
    let mut peak = f64::NEG_INFINITY;
    let depth = |&value: &f64| {
        if value.is_finite() {
            peak = peak.max(value);
        }
        if peak > 0.0 { (value / peak - 1.0).max(-2.0) } else { f64::NAN }
    };
    equity.iter().map(depth).collect()
}

/// The runs of finite values as lines, thinned to what the image can show.
pub(super) fn lines(dates: &[i32], values: &[f64]) -> Vec<Vec<(i32, f64)>> {
    let points: Vec<(i32, f64)> = dates.iter().copied().zip(values.iter().copied()).collect();
    let runs = points.split(|(_, value)| !value.is_finite()).filter(|run| !run.is_empty());
    let block = (points.len() * 2).div_ceil(MOST_POINTS).max(1);
    runs.map(|run| if block <= 2 { run.to_vec() } else { thin(run, block) }).collect()
}

/// The lowest and the highest point of each block, in their order; the first and last of all stay.
fn thin(run: &[(i32, f64)], block: usize) -> Vec<(i32, f64)> {
    let mut kept: Vec<usize> = vec![0];
    for start in (0..run.len()).step_by(block) {
        let within = start..(start + block).min(run.len());
        let by_value = |&a: &usize, &b: &usize| run[a].1.total_cmp(&run[b].1);
        kept.extend(within.clone().min_by(by_value));
        kept.extend(within.max_by(by_value));
    }
    kept.push(run.len() - 1);
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|i| run[i]).collect()
}

/// An amount on an axis: `1.25M`, `250k`, `980`.
pub(super) fn money(value: f64) -> String {
    let scaled = |scale: f64, suffix: &str| format!("{}{suffix}", number::parameter(value / scale));
    match value.abs() {
        1e9.. => scaled(1e9, "bn"),
        1e6.. => scaled(1e6, "M"),
        1e4.. => scaled(1e3, "k"),
        _ => number::parameter(value),
    }
}

pub(super) fn percent(share: f64) -> String {
    let text = number::metric(share, Unit::Percent);
    text.strip_suffix(".00%").map_or(text.clone(), |whole| format!("{whole}%"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A seeded random walk from 2004-01-02 with a steadier benchmark that starts late.
    pub(crate) fn walk(sessions: usize) -> EquityCurve {
        let mut state = 88_172_645_463_325_252_u64;
        let mut step = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        };
        let mut grow = |drift: f64| {
            let mut value = 100_000.0;
            let grown = (0..sessions).map(|_| {
                value *= 1.0 + drift + 0.03 * step();
                value
            });
            grown.collect::<Vec<f64>>()
        };
        let (equity, mut holding) = (grow(0.0006), grow(0.0003));
        for value in holding.iter_mut().take(sessions / 10) {
            *value = f64::NAN;
        }
        EquityCurve {
            title: "SMA cross: fast 15, slow 120".into(),
            sentence: "Sharpe ratio 0.812, maximum drawdown -23.10%, 148 trades".into(),
            dates: (0..sessions as i32).map(|i| 12_419 + i * 7 / 5).collect(),
            equity,
            benchmark: Some(("SPY".into(), holding)),
        }
    }

    #[test]
    fn thinning_keeps_extremes_and_ends() {
        let mut run: Vec<(i32, f64)> = (0..10_000).map(|i| (i, f64::from(i % 10))).collect();
        run[5003].1 = 99.0;
        run[7001].1 = -99.0;
        let kept = thin(&run, 50);
        assert!(kept.len() < 500);
        assert!(kept.contains(&(5003, 99.0)) && kept.contains(&(7001, -99.0)));
        assert_eq!((kept[0], kept[kept.len() - 1]), (run[0], run[9999]));
        assert!(kept.is_sorted_by_key(|point| point.0));
    }

    #[test]
    fn gaps_split_the_line() {
        let parts = lines(&[1, 2, 3, 4], &[f64::NAN, 1.0, f64::NAN, 2.0]);
        assert_eq!(parts, [vec![(2, 1.0)], vec![(4, 2.0)]]);
    }

    #[test]
    fn axis_labels_are_short() {
        assert_eq!((money(1_250_000.0), money(250_000.0), money(980.0)), ("1.25M".into(), "250k".into(), "980".into()));
        assert_eq!((percent(-0.2), percent(-0.125)), ("-20%".into(), "-12.50%".into()));
    }
}
