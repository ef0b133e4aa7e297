//! What a search or a backtest shows: text for the terminal, JSON, and plots beside the results.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sandtable_core::bundle::{EachSymbol, InTurn};
use sandtable_core::calendar::format_date;
use sandtable_core::plan::{Direction, Plan};
use sandtable_core::results::Heatmap;
use sandtable_core::run::{Detail, Evaluator};
use sandtable_core::{Error, Result, metrics};
use serde_json::{Value, json};

use crate::estimate::duration;
use crate::search::{Best, Finished, Options, best_json};
use crate::study::State;
use crate::view::plot::{self, EquityCurve};
use crate::view::{self, Terminal, number, table};
use crate::{pool, print, study};

/// Metrics of the table of best trials, after the objective.
const LISTED: [&str; 7] = ["sharpe", "cagr", "volatility", "max_drawdown", "calmar", "trades", "win_rate"];

/// Plots in a study folder.
const PLOT_HEATMAP: &str = "heatmap.svg";
const PLOT_EQUITY: &str = "equity.svg";

/// Draws the plots into the study folder and prints the summary.
///
/// # Errors
/// A file or standard output cannot be written.
pub fn finished(finished: &Finished, options: &Options) -> Result<()> {
    let plan = &finished.evaluator.plan;
    let best = finished.top.first();
    let detail = finished.detail.as_ref();
    let title = best.map(|best| format!("{}: {}", plan.name(), parameters(plan, &best.point))).unwrap_or_default();
    let mut pictures: Vec<Box<dyn Fn() -> Result<()> + Sync + '_>> = Vec::new();
    for name in [PLOT_EQUITY, "equity.png"] {
        if let Some(detail) = detail {
            let title = &title;
            pictures.push(Box::new(move || {
                let bytes = equity_picture(Path::new(name), title, plan, detail)?;
                study::write_remade(&finished.folder.file(name), &bytes)
            }));
        }
    }
    for name in [PLOT_HEATMAP, "heatmap.png"] {
        if let Some(heatmap) = &finished.heatmap {
            let direction = plan.objective().direction;
            pictures.push(Box::new(move || {
                let bytes = heatmap_picture(Path::new(name), heatmap, direction)?;
                study::write_remade(&finished.folder.file(name), &bytes)
            }));
        }
    }
    draw(&pictures, finished.arrangement.threads.value)?;
    print::either(options.json, &summary(finished), || text(finished))
}

/// Draws pictures, several at a time where the run had several threads: they take as long as some searches.
fn draw(pictures: &[Box<dyn Fn() -> Result<()> + Sync + '_>], threads: usize) -> Result<()> {
    let one = |place: usize| pictures[place]();
    let drawn = match threads {
        0 | 1 => InTurn.each(pictures.len(), one),
        _ => pool::pool(threads)?.each(pictures.len(), one),
    };
    drawn.into_iter().collect()
}

fn summary(finished: &Finished) -> Value {
    let plan = &finished.evaluator.plan;
    json!({
        "run_id": plan.id(),
        "folder": finished.folder.path(),
        "trials": finished.tally.trials,
        "trials_in_part": finished.tally.in_part,
        "trials_by_reference": finished.tally.by_reference,
        "known_trials": finished.tally.known,
        "failed_trials": finished.failed,
        "interrupted": finished.tally.interrupted,
        "bars_read": finished.tally.rows_read,
        "fills": finished.tally.fills,
        "objective": { "metric": plan.objective().name, "direction": plan.objective().direction },
        "top": finished.top.iter().map(|best| best_json(plan, best)).collect::<Vec<_>>(),
        "judgement": finished.judgement,
        "milliseconds": finished.phases.json(),
    })
}

fn text(finished: &Finished) -> String {
    let plan = &finished.evaluator.plan;
    let panel = finished.evaluator.panel();
    let tally = &finished.tally;
    let seconds = (tally.preparing + tally.evaluating).as_secs_f64();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {} trials over {} bars of {} symbols, {} to {}",
        plan.name(),
        tally.trials,
        finished.evaluator.simulated_rows(),
        panel.symbols.len(),
        format_date(plan.start()),
        format_date(plan.end()),
    );
    if tally.in_part > 0 {
        let _ = writeln!(
            out,
            "{} of them on all sessions, the others on parts; together as many bars as {:.1} trials on all",
            tally.trials - tally.in_part,
            tally.rows_read as f64 / finished.evaluator.simulated_rows().max(1) as f64,
        );
    }
    if finished.has_evaluated() {
        let rows = tally.rows_read - tally.known_rows;
        let _ = writeln!(
            out,
            "{} in trials and columns ({:.1} million bar-trials a second), {} altogether; {} fills; run {}",
            duration(seconds),
            rows as f64 / seconds.max(1e-9) / 1e6,
            duration(finished.phases.total().as_secs_f64()),
            tally.fills,
            plan.id(),
        );
    }
    if tally.by_reference > 0 {
        let (some, all, why) = (tally.by_reference, tally.trials, finished.evaluator.by_reference_because());
        let _ = writeln!(out, "{some} of {all} trials took the reference simulator: {why}");
    }
    out += &standing(finished);
    let _ = writeln!(out, "\nbest by {}:", plan.scoring().texts().collect::<Vec<_>>().join(", "));
    let rows: Vec<(u64, Vec<f64>, Vec<f64>)> =
        finished.top.iter().map(|Best { index, point, metrics }| (*index, point.clone(), metrics.clone())).collect();
    let names: Vec<String> = plan.strategy().params.iter().map(|param| param.name.clone()).collect();
    out += &trials_table(&names, &rows, plan.objective().metric);
    out += &judgement(finished);
    if let Some(heatmap) = &finished.heatmap {
        out.push('\n');
        out += &heatmap_text(heatmap, plan.objective().direction);
    }
    if let Some(detail) = &finished.detail {
        let curve = curve(plan.name(), benchmark_name(plan), detail);
        let _ = writeln!(out, "\nbest trial: {}", curve.sentence);
    }
    let files = [study::TRIALS, study::FRONT, study::JUDGEMENT, study::RECORD, PLOT_HEATMAP, PLOT_EQUITY];
    let there: Vec<&str> = files.into_iter().filter(|name| finished.folder.file(name).exists()).collect();
    let _ = writeln!(out, "written to {}: {}", finished.folder.path().display(), there.join(", "));
    out
}

/// How far the best trial can be believed, or why that is not said.
fn judgement(finished: &Finished) -> String {
    if !finished.judgement.is_null() {
        return format!("\n{}", view::judgement::text(&finished.judgement, &Terminal::detect()));
    }
    let folder = finished.folder.path().display();
    match (finished.evaluator.is_judged(), finished.tally.interrupted) {
        (true, true) => "\nnot judged: a search is judged when it has come to its end\n".into(),
        (true, false) => format!("\nnot judged yet: `sandtable judge {folder}` does it\n"),
        (false, _) => String::new(),
    }
}

/// What went on from what, and what is left.
fn standing(finished: &Finished) -> String {
    let tally = &finished.tally;
    let mut out = String::new();
    if tally.interrupted {
        out +=
            "ended early on request: the folder holds the trials that were done; the same command goes on with them\n";
    } else if !finished.has_evaluated() && finished.before == State::Complete {
        let _ = writeln!(
            out,
            "complete before: nothing was evaluated; --force starts anew; run {}",
            finished.evaluator.plan.id()
        );
    }
    if tally.known > 0 && finished.has_evaluated() {
        let _ = writeln!(out, "{} of the trials were finished before and were not evaluated again", tally.known);
    }
    if finished.failed > 0 {
        let _ = writeln!(out, "{} trials failed: they have no scores", finished.failed);
    }
    out
}

/// The table of best trials: index, parameters, metrics.
pub fn trials_table(names: &[String], rows: &[(u64, Vec<f64>, Vec<f64>)], objective: usize) -> String {
    let mut chosen = vec![objective];
    chosen.extend(LISTED.iter().filter_map(|name| metrics::index_of(name)).filter(|&m| m != objective));
    let columns: Vec<&metrics::Metric> = chosen.iter().map(|&m| &metrics::TABLE[m]).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows: Vec<table::TrialRow> = rows
        .iter()
        .map(|(trial, point, values)| table::TrialRow {
            trial: *trial,
            parameters: point.iter().map(|&value| number::parameter(value)).collect(),
            metrics: chosen.iter().map(|&m| values[m]).collect(),
        })
        .collect();
    table::top_trials(&names, &columns, &rows, &Terminal::detect())
}

/// One backtest as text.
pub fn single(evaluator: &Evaluator, point: &[f64], detail: &Detail, written: &[PathBuf]) -> String {
    let plan = &evaluator.plan;
    let panel = evaluator.panel();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {}\n{} bars of {} symbols, {} to {}; {} fills; run {}\n",
        plan.strategy().name,
        parameters(plan, point),
        evaluator.simulated_rows(),
        panel.symbols.len(),
        format_date(plan.start()),
        format_date(plan.end()),
        detail.fills.len(),
        plan.id(),
    );
    out += &table::all_metrics(&detail.metrics, &Terminal::detect());
    for path in written {
        let _ = writeln!(out, "written: {}", path.display());
    }
    out
}

/// What equity is compared with: the benchmark symbol, or all symbols in equal parts.
fn benchmark_name(plan: &Plan) -> &str {
    plan.benchmark().unwrap_or("all symbols")
}

/// Parameters by name.
pub fn params_json(plan: &Plan, point: &[f64]) -> Value {
    let params = plan.strategy().params.iter().zip(point);
    params.map(|(param, value)| (param.name.clone(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}

/// `fast = 20, slow = 52`.
pub fn parameters(plan: &Plan, point: &[f64]) -> String {
    let one = |(param, value): (&sandtable_core::strategy::ParamDecl, &f64)| {
        format!("{} = {}", param.name, number::parameter(*value))
    };
    let all: Vec<String> = plan.strategy().params.iter().zip(point).map(one).collect();
    if all.is_empty() { "no parameters".into() } else { all.join(", ") }
}

fn curve(title: &str, benchmark: &str, detail: &Detail) -> EquityCurve {
    let metric = |name: &str| {
        let place = metrics::index_of(name);
        let value = place.and_then(|m| detail.metrics.get(m).copied()).unwrap_or(f64::NAN);
        place.map_or(String::new(), |m| number::metric(value, metrics::TABLE[m].unit))
    };
    EquityCurve {
        title: title.into(),
        sentence: format!(
            "total return {}, Sharpe ratio {}, maximum drawdown {}, {} trades",
            metric("total_return"),
            metric("sharpe"),
            metric("max_drawdown"),
            metric("trades")
        ),
        dates: detail.sessions.clone(),
        equity: detail.session_equity.clone(),
        benchmark: Some((benchmark.into(), detail.benchmark_equity.clone())),
    }
}

/// Draws equity against its benchmark, with drawdown, to an .svg or .png file.
///
/// # Errors
/// Another ending, or the file cannot be written.
pub fn equity_plot(path: &Path, title: &str, plan: &Plan, detail: &Detail) -> Result<()> {
    study::write_whole(path, &equity_picture(path, title, plan, detail)?)
}

fn equity_picture(path: &Path, title: &str, plan: &Plan, detail: &Detail) -> Result<Vec<u8>> {
    let curve = curve(title, benchmark_name(plan), detail);
    Ok(match ending(path)? {
        Picture::Svg => plot::equity_svg(&curve)?.into_bytes(),
        Picture::Png => plot::equity_png(&curve)?,
    })
}

/// Draws a heatmap to an .svg or .png file.
///
/// # Errors
/// Another ending, or the file cannot be written.
pub fn heatmap_plot(path: &Path, heatmap: &Heatmap, direction: Direction) -> Result<()> {
    study::write_whole(path, &heatmap_picture(path, heatmap, direction)?)
}

fn heatmap_picture(path: &Path, heatmap: &Heatmap, direction: Direction) -> Result<Vec<u8>> {
    let picture = view_of(heatmap, direction);
    Ok(match ending(path)? {
        Picture::Svg => plot::heatmap_svg(&picture)?.into_bytes(),
        Picture::Png => plot::heatmap_png(&picture)?,
    })
}

/// A heatmap for the terminal.
pub fn heatmap_text(heatmap: &Heatmap, direction: Direction) -> String {
    view_of(heatmap, direction).render(&Terminal::detect())
}

/// A heatmap as JSON: `cells[y][x]`, null where there is no trial.
pub fn heatmap_json(heatmap: &Heatmap) -> Value {
    json!({
        "x": heatmap.x, "y": heatmap.y, "metric": heatmap.metric,
        "x_values": heatmap.x_values, "y_values": heatmap.y_values,
        "cells": heatmap.cells.chunks(heatmap.x_values.len().max(1)).collect::<Vec<_>>(),
    })
}

fn view_of(heatmap: &Heatmap, direction: Direction) -> view::Heatmap {
    let metric = metrics::index_of(&heatmap.metric).map(|m| &metrics::TABLE[m]);
    view::Heatmap {
        x_name: heatmap.x.clone(),
        y_name: heatmap.y.clone(),
        x_values: heatmap.x_values.clone(),
        y_values: heatmap.y_values.clone(),
        cells: heatmap.cells.clone(),
        title: metric.map_or_else(|| heatmap.metric.clone(), |metric| metric.title.to_string()),
        unit: metric.map_or(metrics::Unit::Ratio, |metric| metric.unit),
        better: match direction {
            Direction::Max => metrics::Better::Higher,
            Direction::Min => metrics::Better::Lower,
        },
    }
}

enum Picture {
    Svg,
    Png,
}

fn ending(path: &Path) -> Result<Picture> {
    match path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase).as_deref() {
        Some("svg") => Ok(Picture::Svg),
        Some("png") => Ok(Picture::Png),
        _ => Err(Error::plan(format!("`{}` ends in no known picture format", path.display()))
            .help("end the name in .svg or .png")),
    }
}
