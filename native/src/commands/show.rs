//! `sandtable show`: look at a study folder.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use sandtable_core::plan::Direction;
use sandtable_core::results::{self, Aggregate, Results};
use sandtable_core::{Error, Result, error::nearest, metrics};
use serde_json::json;

use crate::study::{self, read_json, results_in};
use crate::view::{self, Terminal, table};
use crate::{print, report};

/// Arguments of `sandtable show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The study folder.
    pub dir: PathBuf,
    /// How many of the best trials to list.
    #[arg(long, default_value_t = 10)]
    pub top: usize,
    /// Metric to rank by [default: the study's objective].
    #[arg(long)]
    pub metric: Option<String>,
    /// Heatmap over two parameters, `x,y`.
    #[arg(long, value_name = "X,Y")]
    pub heatmap: Option<String>,
    /// What a cell shows when other parameters vary too.
    #[arg(long, default_value = "best", value_parser = ["best", "mean", "median"])]
    pub aggregate: String,
    /// All metrics of the trial with this index.
    #[arg(long, value_name = "INDEX")]
    pub trial: Option<u64>,
    /// Draw the heatmap to this file (.svg or .png).
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
}

/// Shows the folder.
///
/// # Errors
/// It is no study folder, or names something that its results do not have.
pub fn run(args: &ShowArgs, as_json: bool) -> Result<()> {
    let all = results_in(&args.dir)?;
    let (results, in_part) = (all.whole()?, all.seen_in_part());
    let record = read_json(&args.dir.join(study::RECORD))?;
    let objective = record["plan"]["objective"]["metric"].as_str().unwrap_or("sharpe").to_owned();
    let name = args.metric.clone().unwrap_or(objective.clone());
    let metric = metrics::index_of(&name).ok_or_else(|| unknown_metric(&name))?;
    let direction = if name == objective && record["plan"]["objective"]["direction"] == "min"
        || name != objective && metrics::TABLE[metric].better == metrics::Better::Lower
    {
        Direction::Min
    } else {
        Direction::Max
    };

    if let Some(index) = args.trial {
        return show_trial(&results, index, as_json);
    }
    let rows = results::top_rows(&results, metric, args.top, direction);
    let heatmap = match &args.heatmap {
        Some(axes) => {
            let Some((x, y)) = axes.split_once(',') else {
                return Err(Error::plan(format!("`--heatmap {axes}` does not name two parameters"))
                    .help("write `--heatmap fast,slow`"));
            };
            let aggregate = match args.aggregate.as_str() {
                "mean" => Aggregate::Mean,
                "median" => Aggregate::Median,
                _ => Aggregate::Best(direction),
            };
            Some(results::heatmap(&results, x.trim(), y.trim(), &name, aggregate)?)
        }
        None => None,
    };
    if let (Some(path), Some(heatmap)) = (&args.plot, &heatmap) {
        report::heatmap_plot(path, heatmap, direction)?;
    } else if args.plot.is_some() {
        return Err(Error::plan("--plot needs --heatmap").help("add `--heatmap x,y`"));
    }

    // Format 1 said so itself.
    let incomplete = record["interrupted"] == json!(true) || record["complete"] == json!(false);
    let judgement = study::judgement_in(&args.dir)?;
    let schema = results.schema().clone();
    let names: Vec<String> = schema.params.iter().map(|param| param.name.clone()).collect();
    let listed: Vec<(u64, Vec<f64>, Vec<f64>)> =
        rows.iter().map(|&row| (results.index()[row], results.point(row), results.metrics_of(row))).collect();
    let summary = json!({
        "run_id": record["run_id"],
        "trials": all.len(),
        "points_in_part": in_part,
        "interrupted": incomplete,
        "metric": name,
        "top": listed.iter().map(|(index, point, metrics)| {
            let params: serde_json::Map<_, _> =
                names.iter().cloned().zip(point.iter().map(|v| json!(v))).collect();
            json!({ "index": index, "params": params, "metrics": crate::search::metrics_json(metrics) })
        }).collect::<Vec<_>>(),
        "judgement": judgement,
        "heatmap": heatmap.as_ref().map(report::heatmap_json),
    });
    print::either(as_json, &summary, || {
        let mut text = format!(
            "{} trials{} of run {}{}\n\n",
            all.len(),
            if all.len() > results.len() { format!(", {} on all sessions,", results.len()) } else { String::new() },
            record["run_id"].as_str().unwrap_or("?"),
            if incomplete { " (not complete)" } else { "" }
        );
        text += &report::trials_table(&names, &listed, metric);
        if !judgement.is_null() {
            text.push('\n');
            text += &view::judgement::text(&judgement, &Terminal::detect());
        }
        if let Some(heatmap) = &heatmap {
            text.push('\n');
            text += &report::heatmap_text(heatmap, direction);
        }
        text
    })
}

fn show_trial(results: &Results, index: u64, as_json: bool) -> Result<()> {
    let Some(row) = results.index().iter().position(|&i| i == index) else {
        return Err(Error::plan(format!("the results hold no trial {index} on all sessions"))
            .help("list trials with `sandtable show DIR --top 20`"));
    };
    let schema = Arc::clone(results.schema());
    let point = results.point(row);
    let metrics = results.metrics_of(row);
    let params: serde_json::Map<_, _> =
        schema.params.iter().zip(&point).map(|(param, value)| (param.name.clone(), json!(value))).collect();
    let summary = json!({ "index": index, "params": params, "metrics": crate::search::metrics_json(&metrics) });
    print::either(as_json, &summary, || {
        let settings: Vec<String> =
            schema.params.iter().zip(&point).map(|(param, value)| format!("{} = {value}", param.name)).collect();
        format!("trial {index}: {}\n\n{}", settings.join(", "), table::all_metrics(&metrics, &Terminal::detect()))
    })
}

fn unknown_metric(name: &str) -> Error {
    let error = Error::plan(format!("there is no metric `{name}`"));
    match nearest(name, metrics::TABLE.iter().map(|metric| metric.name)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("list them with `sandtable metrics`"),
    }
}
