//! The best trials of the search.

use sandtable_core::{Result, metrics};

use super::{LISTED, Tearsheet};
use crate::view::document::Block;
use crate::view::number;

/// Metrics of the table of best trials, after the objective.
const COLUMNS: [&str; 7] = ["sharpe", "cagr", "volatility", "max_drawdown", "calmar", "trades", "win_rate"];

pub(super) fn blocks(sheet: &Tearsheet) -> Result<Vec<Block>> {
    let plan = &sheet.study.evaluator.plan;
    let (results, scoring) = (&sheet.study.results, plan.scoring());
    let objective = scoring.texts().collect::<Vec<_>>().join(", ");
    let mut chosen: Vec<usize> = if scoring.is_metric() { vec![plan.objective().metric] } else { Vec::new() };
    chosen.extend(COLUMNS.iter().filter_map(|name| metrics::index_of(name)));
    let mut seen = Vec::new();
    chosen.retain(|metric| !seen.contains(metric) && (seen.push(*metric), true).1);
    let named = plan.strategy().params.iter().map(|param| param.name.as_str());
    let mut heading: Vec<&str> = ["#", "trial"].into_iter().chain(named).collect();
    if !scoring.is_metric() {
        heading.push("score");
    }
    heading.extend(chosen.iter().map(|&metric| metrics::TABLE[metric].name));
    let best = sheet.study.best(LISTED);
    let rows = best.iter().enumerate().map(|(place, trial)| {
        let mut row = vec![(place + 1).to_string(), trial.index.to_string()];
        row.extend(trial.point.iter().map(|&value| number::parameter(value)));
        if !scoring.is_metric() {
            row.push(number::short(scoring.value(&trial.metrics)));
        }
        row.extend(chosen.iter().map(|&m| number::metric(trial.metrics[m], metrics::TABLE[m].unit)));
        row
    });
    let mut blocks = vec![
        Block::Heading("Search".into()),
        Block::Text(format!("{} trials; the best {} by {objective}:", results.len(), best.len())),
        Block::table(&heading, rows.collect(), 0),
    ];
    let incomplete = sheet.record["complete"] == serde_json::json!(false);
    if incomplete {
        blocks.push(Block::Missing(
            "The search is not complete: the study's command goes on with the trials that are left.".into(),
        ));
    }
    Ok(blocks)
}
