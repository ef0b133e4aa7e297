//! The account of the trial: key numbers, equity, drawdown, months, rolling figures, spread of returns.

use sandtable_core::{Result, metrics};

use super::Tearsheet;
use super::figures::{drawdowns, key_figures, months_block, with_unit};
use crate::view::document::{Block, Plot};
use crate::view::plot::{Histogram, Line, Reading, Series, Shape};

/// What the report starts with.
pub(super) const KEY: [&str; 10] = [
    "total_return",
    "cagr",
    "sharpe",
    "sortino",
    "volatility",
    "max_drawdown",
    "calmar",
    "max_drawdown_duration",
    "trades",
    "win_rate",
];

/// Fewest sessions of a rolling window.
const LEAST_WINDOW: usize = 20;

pub(super) fn blocks(sheet: &Tearsheet) -> Result<Vec<Block>> {
    let detail = &sheet.detail;
    let plan = &sheet.study.evaluator.plan;
    let capital = plan.settings().capital;
    let benchmark = plan.benchmark().unwrap_or("all symbols, held");
    let months = metrics::monthly_returns(capital, &detail.session_equity, &detail.sessions);
    let mut blocks = vec![
        Block::Figures(key_figures(&detail.metrics, &KEY)),
        Block::Heading("Account".into()),
        equity(sheet, benchmark)?,
        Block::Plots(pictures(sheet, benchmark)?),
        Block::Subheading("Returns by month, in percent".into()),
        months_block(&months),
        Block::Subheading("All metrics".into()),
    ];
    let row = |(metric, value): (&metrics::Metric, &f64)| vec![metric.title.to_owned(), with_unit(*value, metric.unit)];
    let rows = metrics::TABLE.iter().zip(&detail.metrics).map(row).collect();
    blocks.push(Block::table(&["metric", "value"], rows, 1));
    Ok(blocks)
}

fn equity(sheet: &Tearsheet, benchmark: &str) -> Result<Block> {
    let detail = &sheet.detail;
    let of = |shape: Shape, name: &str| -> Result<Plot> {
        let line = |name: &str, values: &[f64]| Line { name: name.to_owned(), values: values.to_vec() };
        let series = Series {
            dates: detail.sessions.clone(),
            lines: vec![line("equity", &detail.session_equity), line(benchmark, &detail.benchmark_equity)],
            reading: Reading::Money,
            shape,
        };
        let caption = format!("Equity at the end of each session against the same capital in: {benchmark}.");
        Ok(Plot { name: name.to_owned(), caption, svg: series.svg()? })
    };
    Ok(Block::Switch(vec![
        ("linear scale".into(), of(Shape::Linear, "equity")?),
        ("logarithmic scale".into(), of(Shape::Logarithmic, "equity-logarithmic")?),
    ]))
}

fn pictures(sheet: &Tearsheet, benchmark: &str) -> Result<Vec<Plot>> {
    let (detail, plan) = (&sheet.detail, &sheet.study.evaluator.plan);
    let capital = plan.settings().capital;
    let line = |name: &str, values: Vec<f64>| Line { name: name.to_owned(), values };
    let under = Series {
        dates: detail.sessions.clone(),
        lines: vec![
            line("equity", drawdowns(capital, &detail.session_equity)),
            line(benchmark, drawdowns(capital, &detail.benchmark_equity)),
        ],
        reading: Reading::Percent,
        shape: Shape::Depth,
    };
    let mut plots = vec![Plot {
        name: "underwater".into(),
        caption: "How far equity stands below its highest value until then.".into(),
        svg: under.svg()?,
    }];
    let window = window(detail.sessions.len(), plan.periods_per_year());
    if detail.sessions.len() > window {
        let rolling = Series {
            dates: detail.sessions.clone(),
            lines: vec![line(
                "Sharpe ratio",
                rolling_sharpe(&sheet.returns, window, plan.periods_per_year(), plan.risk_free_per_session()),
            )],
            reading: Reading::Number,
            shape: Shape::Linear,
        };
        plots.push(Plot {
            name: "rolling-sharpe".into(),
            caption: format!("Sharpe ratio of the last {window} sessions, a year."),
            svg: rolling.svg()?,
        });
    }
    let mut sorted: Vec<f64> = sheet.returns.iter().copied().filter(|r| r.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    if !sorted.is_empty() {
        let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
        let low = sandtable_core::analysis::percentile(&sorted, 0.05);
        let marks = vec![("5% quantile".to_owned(), low), ("mean".to_owned(), mean)];
        plots.push(Plot {
            name: "returns".into(),
            caption: format!("Returns of {} sessions; bars of equal width.", sorted.len()),
            svg: Histogram { values: sorted, marks }.svg()?,
        });
    }
    Ok(plots)
}

/// Sessions of a rolling window: a year, or a quarter of the run if that is shorter.
pub(super) fn window(sessions: usize, periods_per_year: f64) -> usize {
    (periods_per_year.round() as usize).min(sessions / 4).max(LEAST_WINDOW)
}

/// Annualised Sharpe ratio of the last `window` returns after each session; NaN before there are so many, and where they
/// do not vary.
pub fn rolling_sharpe(returns: &[f64], window: usize, periods_per_year: f64, risk_free: f64) -> Vec<f64> {
    let n = window as f64;
    let ratio = |part: &[f64]| {
        let mean = part.iter().sum::<f64>() / n;
        let variance = part.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / (n - 1.0);
        if variance.sqrt() > metrics::NOISE {
            (mean - risk_free) / (variance / periods_per_year).sqrt()
        } else {
            f64::NAN
        }
    };
    let before = std::iter::repeat_n(f64::NAN, returns.len().min(window.saturating_sub(1)));
    before.chain(returns.windows(window.max(1)).map(ratio)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rolling_windows_are_the_metric_of_their_sessions() {
        let returns: Vec<f64> = (0..40).map(|i| f64::from(i % 7) / 100.0 - 0.02).collect();
        let rolling = rolling_sharpe(&returns, 20, 252.0, 0.0001);
        assert_eq!(rolling.len(), 40);
        assert!(rolling[..19].iter().all(|r| r.is_nan()) && rolling[19..].iter().all(|r| r.is_finite()));
        let last = &returns[20..];
        let mean = last.iter().sum::<f64>() / 20.0;
        let deviation = (last.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 19.0).sqrt();
        assert!((rolling[39] - (mean - 0.0001) / deviation * 252.0_f64.sqrt()).abs() < 1e-12);
        assert!(rolling_sharpe(&[0.0; 30], 20, 252.0, 0.0)[29].is_nan());
        assert_eq!(rolling_sharpe(&[0.1; 5], 20, 252.0, 0.0).len(), 5);
    }

    #[test]
    fn windows_fit_the_run() {
        assert_eq!((window(5000, 252.0), window(400, 252.0), window(30, 252.0)), (252, 100, 20));
    }
}
