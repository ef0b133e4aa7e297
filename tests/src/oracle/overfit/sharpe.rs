//! Probabilistic and deflated Sharpe ratios, track records, lengths of backtests.

use sandtable_core::analysis::{
    Convention, Moments, deflated_sharpe, expected_maximum_sharpe, minimum_backtest_years, minimum_track_record,
};
use serde_json::Value;

use super::super::CaseResult;
use super::super::table::Panel;
use super::{Case, Source, count, float, list, text};

pub(super) fn run(source: &Source) -> Result<Vec<CaseResult>, String> {
    let json = source.json("sharpe_tests")?;
    let mut results = vec![grid(source, &json)?];
    for stored in list(&json, "/cases")? {
        let name = text(stored, "column")?;
        let returns = source.column(name)?;
        for (convention, tag, peer) in [(Convention::Plain, "A", "numpy"), (Convention::Corrected, "B", "purgedcv")] {
            let mut case = Case::default();
            column(&mut case, &Moments::of(returns, convention), &stored[tag])?;
            results.push(case.done(peer, format!("sharpe_tests {name}")));
        }
    }
    for stored in list(&json, "/price_series/cases")? {
        results.push(price_series(source, text(&json["price_series"], "file")?, stored)?);
    }
    results.push(formulas(&json)?);
    Ok(results)
}

/// Sharpe ratios of all columns, their variance, and the best.
fn grid(source: &Source, json: &Value) -> Result<CaseResult, String> {
    let mut case = Case::default();
    let ratios: Vec<f64> =
        source.columns.iter().map(|(_, returns)| Moments::of(returns, Convention::Plain).sharpe).collect();
    for ((name, _), ratio) in source.columns.iter().zip(&ratios) {
        case.number(name, *ratio, &json["sharpes"][name]);
    }
    let n = ratios.len() as f64;
    let mean = ratios.iter().sum::<f64>() / n;
    let variance = ratios.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    let stored = float(json, "sharpe_variance_across_columns_ddof1")?;
    // A variance of 1e-4 is compared on its own scale.
    case.number("variance / stored variance", variance / stored, &1.0.into());
    let best = (0..ratios.len()).max_by(|&a, &b| ratios[a].total_cmp(&ratios[b])).unwrap_or(0);
    case.same("best", &source.columns[best].0.as_str(), &text(json, "best_column")?);
    Ok(case.done("numpy", "sharpe_tests all columns".into()))
}

fn column(case: &mut Case, moments: &Moments, stored: &Value) -> Result<(), String> {
    for (name, ours) in [("sharpe", moments.sharpe), ("skew", moments.skew), ("kurtosis", moments.kurtosis)] {
        case.number(name, ours, &stored[name]);
    }
    let variance = float(stored, "sharpe_variance")?;
    for (benchmark, name) in [(0.0, "psr_0.0"), (0.02, "psr_0.02"), (0.05, "psr_0.05")] {
        case.number(name, moments.probability_above(benchmark), &stored[name]);
    }
    for trials in [1.0, 10.0, 400.0, 4000.0] {
        let (threshold, deflated) = (format!("expected_max_sharpe_{trials}"), format!("dsr_{trials}"));
        case.number(&threshold, expected_maximum_sharpe(trials, variance), &stored[&threshold]);
        case.number(&deflated, deflated_sharpe(moments, trials, variance), &stored[&deflated]);
    }
    for (alpha, target, tag) in [
        (0.05, 0.0, "0.05_target_0.0"),
        (0.05, 0.01, "0.05_target_0.01"),
        (0.01, 0.0, "0.01_target_0.0"),
        (0.01, 0.01, "0.01_target_0.01"),
    ] {
        let name = format!("min_trl_alpha_{tag}");
        case.number(&name, minimum_track_record(moments, target, alpha), &stored[&name]);
    }
    let rounded = &stored["min_trl_purgedcv_alpha_0.05_target_0"];
    if !rounded.is_null() {
        // The peer rounds up what is added to the first return.
        let ours = 1.0 + (minimum_track_record(moments, 0.0, 0.05) - 1.0).ceil();
        case.number("min_trl_purgedcv", ours, rounded);
    }
    Ok(())
}

/// Returns of closes between two dates.
pub(super) fn close_returns(source: &Source, file: &str, stored: &Value) -> Result<Vec<f64>, String> {
    let path = super::super::table::locate(&source.folder, &source.data, &source.folder, file)?;
    let bars =
        Panel::read(&path)?.between(text(stored, "symbol")?, stored["start"].as_str(), stored["end"].as_str())?;
    Ok(bars.close.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect())
}

fn price_series(source: &Source, file: &str, stored: &Value) -> Result<CaseResult, String> {
    let returns = close_returns(source, file, stored)?;
    let moments = Moments::of(&returns, Convention::Plain);
    let mut case = Case::default();
    case.same("n", &returns.len(), &count(stored, "n")?);
    for (name, ours) in [
        ("sharpe", moments.sharpe),
        ("skew", moments.skew),
        ("kurtosis", moments.kurtosis),
        ("psr_0", moments.probability_above(0.0)),
        ("min_trl_95", minimum_track_record(&moments, 0.0, 0.05)),
        ("dsr_100_var_0001", deflated_sharpe(&moments, 100.0, 0.0001)),
        ("dsr_7_var_0004", deflated_sharpe(&moments, 7.0, 0.0004)),
    ] {
        case.number(name, ours, &stored[name]);
    }
    Ok(case.done("numpy", format!("sharpe_tests {}", text(stored, "symbol")?)))
}

fn formulas(json: &Value) -> Result<CaseResult, String> {
    let mut case = Case::default();
    for stored in list(json, "/expected_max_sharpe")? {
        let (trials, variance) = (float(stored, "trials")?, float(stored, "variance")?);
        case.number("expected_max_sharpe", expected_maximum_sharpe(trials, variance), &stored["value"]);
    }
    for stored in list(json, "/minimum_backtest_length")? {
        let (trials, target) = (float(stored, "trials")?, float(stored, "target")?);
        case.number("minimum_backtest_length", minimum_backtest_years(trials, target), &stored["years"]);
    }
    Ok(case.done("purgedcv", "sharpe_tests formulas".into()))
}
