//! Combinatorially symmetric cross-validation, summary by summary and split by split.

use sandtable_core::analysis::{self, BlockSums};

use super::super::CaseResult;
use super::super::table::Table;
use super::{Case, Source, count, float, list, text};

pub(super) fn run(source: &Source) -> Result<Vec<CaseResult>, String> {
    let json = source.json("pbo")?;
    list(&json, "/cases")?.iter().map(|stored| compare(source, stored)).collect()
}

/// The matrix of a case, made as its name says.
fn matrix(source: &Source, name: &str) -> Vec<Vec<f64>> {
    let columns = source.columns.iter().map(|(_, returns)| returns);
    if name.starts_with("first_50_columns") {
        columns.take(50).cloned().collect()
    } else if name.starts_with("last_503_rows") {
        columns.map(|returns| returns[returns.len() - 503..].to_vec()).collect()
    } else if name.starts_with("demeaned") {
        let demean = |returns: &Vec<f64>| {
            let mean = returns.iter().sum::<f64>() / returns.len() as f64;
            returns.iter().map(|r| r - mean).collect()
        };
        columns.map(demean).collect()
    } else {
        columns.cloned().collect()
    }
}

fn compare(source: &Source, stored: &serde_json::Value) -> Result<CaseResult, String> {
    let (name, blocks) = (text(stored, "case")?, count(stored, "S")?);
    let columns = matrix(source, name);
    let all = BlockSums::of_columns(&columns, blocks).map_err(|error| error.to_string())?;
    let found = analysis::overfitting(&all, usize::MAX, &mut analysis::Alone).map_err(|error| error.to_string())?;
    let splits = analysis::splits(&all, &mut analysis::Alone).map_err(|error| error.to_string())?;
    let mut case = Case::default();
    case.same("rows", &columns[0].len(), &count(stored, "rows")?);
    case.same("rows_used", &(found.rows as usize), &count(stored, "rows_used")?);
    case.same("columns", &(found.trials as usize), &count(stored, "columns")?);
    case.same("combinations", &(found.splits as usize), &count(stored, "combinations")?);
    let share = |holds: fn(f64) -> bool| splits.iter().filter(|s| holds(s.logit)).count() as f64 / splits.len() as f64;
    let logits = splits.iter().map(|split| split.logit);
    for (place, ours) in [
        ("pbo", found.pbo),
        ("phacker_pbo", found.pbo),
        ("pbo_strict_below_zero", share(|logit| logit < 0.0)),
        ("logit_mean", found.logit_mean),
        ("logit_median", found.logit_median),
        ("logit_min", logits.clone().fold(f64::INFINITY, f64::min)),
        ("logit_max", logits.fold(f64::NEG_INFINITY, f64::max)),
        ("degradation_slope", found.slope),
        ("degradation_intercept", found.intercept),
        ("degradation_r2", found.r_squared),
        ("probability_of_oos_loss", found.probability_of_loss),
        ("mean_is_best_sharpe", found.mean_inside),
        ("mean_oos_of_best", found.mean_outside),
        ("mean_oos_median", found.mean_median),
        ("fraction_oos_best_above_median", found.above_median),
    ] {
        case.number(place, ours, &stored[place]);
    }
    let path = source.folder.join(format!("cscv_{name}.parquet"));
    if path.is_file() {
        compare_splits(&mut case, &splits, &Table::read(&path)?)?;
    }
    float(stored, "pbo")?;
    Ok(case.done("phacker", format!("pbo {name}")))
}

fn compare_splits(case: &mut Case, splits: &[analysis::Split], table: &Table) -> Result<(), String> {
    let (combinations, best, rank) = (table.texts("combination")?, table.ints("best_column")?, table.ints("oos_rank")?);
    let (inside, outside, logit) = (table.floats("is_sharpe")?, table.floats("oos_sharpe")?, table.floats("logit")?);
    case.same("stored splits", &splits.len(), &table.rows);
    for (row, split) in splits.iter().enumerate().take(table.rows) {
        let blocks: Vec<String> =
            (0..32).filter(|block| split.blocks >> block & 1 == 1).map(|block| block.to_string()).collect();
        case.same("combination", &blocks.join(" "), &combinations[row]);
        let place = format!("split {}", combinations[row]);
        case.same(&place, &(i64::from(split.best), i64::from(split.rank)), &(best[row], rank[row]));
        for (ours, theirs) in [(split.inside, inside[row]), (split.outside, outside[row]), (split.logit, logit[row])] {
            case.number(&place, ours, &theirs.into());
        }
    }
    Ok(())
}
