//! Tests and intervals by bootstrap: exact where the draws are stored, within both programs' noise where they are random.

use sandtable_core::analysis::{
    Alone, Draws, Interval, Panel, StationaryBootstrap, interval, optimal_block_length, percentile, resample,
    superior_columns, superiority as test,
};
use serde_json::Value;

use super::super::CaseResult;
use super::{Case, Source, count, float, list, sharpe, text};

/// Replications of our random runs, as many as the peer's three seeds have together.
const REPLICATIONS: u32 = 12_000;

pub(super) fn superiority(source: &Source) -> Result<Vec<CaseResult>, String> {
    let json = source.json("reality_check_spa")?;
    let mut results = exact(source, &json["exact"])?;
    for stored in list(&json, "/large")? {
        results.push(large(source, stored)?);
    }
    results.extend(steps(source, &json)?);
    Ok(results)
}

/// Stored row numbers, replication by replication.
fn stored_draws(source: &Source) -> Result<Vec<Vec<u32>>, String> {
    let table = source.table("bootstrap_indices_250x500")?;
    let rows = |k: usize| table.ints(&format!("r{k}")).map(|rows| rows.iter().map(|&row| row as u32).collect());
    (0..table.columns.len()).map(rows).collect()
}

fn last(values: &[f64], rows: usize) -> &[f64] {
    &values[values.len() - rows..]
}

/// Mean over all columns, row by row, of the last rows.
fn grid_mean(source: &Source, rows: usize) -> Vec<f64> {
    let n = source.columns.len() as f64;
    let mean = |row: usize| source.columns.iter().map(|(_, values)| last(values, rows)[row]).sum::<f64>() / n;
    (0..rows).map(mean).collect()
}

fn panel<C: AsRef<[f64]>>(columns: &[C]) -> Result<Panel, String> {
    Panel::new(columns, None).map_err(|error| error.to_string())
}

fn exact(source: &Source, json: &Value) -> Result<Vec<CaseResult>, String> {
    let drawn = stored_draws(source)?;
    let block = float(json, "block_size")?;
    let draws = Draws::given(250, drawn.iter().map(Vec::as_slice));
    let names = list(json, "/columns")?;
    let mean = grid_mean(source, 250);
    let mut results = Vec::new();
    for (name, benchmark) in [("versus_zero", vec![0.0; 250]), ("versus_grid_mean", mean)] {
        let stored = &json["cases"][name];
        let columns = names
            .iter()
            .map(|name| {
                let values = last(source.column(name.as_str().unwrap_or(""))?, 250);
                Ok(values.iter().zip(&benchmark).map(|(value, benchmark)| value - benchmark).collect())
            })
            .collect::<Result<Vec<Vec<f64>>, String>>()?;
        let panel = panel(&columns)?;
        let found = test(&panel, &draws, block, &mut Alone);
        let mut case = Case::default();
        case.same("replications", &draws.replications(), &count(json, "reps")?);
        for (place, ours) in [
            ("raw_lower", found.raw.lower),
            ("raw_consistent", found.raw.consistent),
            ("raw_upper", found.raw.upper),
            ("statistic_raw", found.largest_mean),
            ("studentized_lower", found.studentized.lower),
            ("studentized_consistent", found.studentized.consistent),
            ("studentized_upper", found.studentized.upper),
            ("statistic_studentized", found.largest_ratio),
            ("hansen_statistic", found.largest_ratio.max(0.0)),
        ] {
            case.number(place, ours, &stored["values"][place]);
        }
        // Means and variances are small: they are compared as shares of the stored ones.
        for (place, ours) in [("means", panel.means()), ("long_run_variance", panel.long_run_variances(block))] {
            for (ours, theirs) in ours.iter().zip(list(stored, &format!("/{place}"))?) {
                case.number(place, ours / theirs.as_f64().unwrap_or(f64::NAN), &1.0.into());
            }
        }
        results.push(case.done("arch", format!("reality_check_spa exact {name}")));
    }
    Ok(results)
}

fn large(source: &Source, stored: &Value) -> Result<CaseResult, String> {
    let (name, block) = (text(stored, "case")?, float(stored, "block_size")?);
    let rows = if name.starts_with("last_500_rows") { 500 } else { source.columns[0].1.len() };
    let benchmark = if name.ends_with("grid_mean") { grid_mean(source, rows) } else { vec![0.0; rows] };
    let difference = |values: &[f64]| -> Vec<f64> {
        last(values, rows).iter().zip(&benchmark).map(|(value, benchmark)| value - benchmark).collect()
    };
    let columns: Vec<Vec<f64>> = source.columns.iter().map(|(_, values)| difference(values)).collect();
    let bootstrap = StationaryBootstrap::new(1, rows as u32, block);
    let found = test(&panel(&columns)?, &Draws::of(&bootstrap, rows, REPLICATIONS), block, &mut Alone);
    let mut case = Case::default();
    let ours = [found.raw.lower, found.raw.consistent, found.raw.upper];
    for (k, place) in ["arch_p_lower", "arch_p_consistent", "arch_p_upper_white_rc"].into_iter().enumerate() {
        // The stored tolerance is the peer's noise; ours is as large.
        let tolerance = stored["tolerance"][k].as_f64().unwrap_or(0.0) * std::f64::consts::SQRT_2;
        case.within(place, ours[k], &stored[place], tolerance);
    }
    let numpy = &stored["studentized_numpy_1500_reps"];
    case.number("statistic_raw", found.largest_mean, &numpy["statistic_raw"]);
    case.number("statistic_studentized", found.largest_ratio, &numpy["statistic_studentized"]);
    let ours = [found.studentized.lower, found.studentized.consistent, found.studentized.upper];
    let tolerance = float(stored, "studentized_tolerance")?;
    for (place, ours) in ["studentized_lower", "studentized_consistent", "studentized_upper"].into_iter().zip(ours) {
        case.within(place, ours, &numpy[place], tolerance);
    }
    Ok(case.done("arch", format!("reality_check_spa {name} block {block}")))
}

fn steps(source: &Source, json: &Value) -> Result<Vec<CaseResult>, String> {
    let stored = &json["stepm"];
    let (block, size) = (float(stored, "block_size")?, float(stored, "size")?);
    let names = list(stored, "/columns")?.iter().map(|name| name.as_str().unwrap_or(""));
    let columns = names.map(|name| source.column(name).map(<[f64]>::to_vec)).collect::<Result<Vec<_>, _>>()?;
    let rows = columns[0].len();
    let draws = Draws::of(&StationaryBootstrap::new(7, rows as u32, block), rows, count(stored, "reps")? as u32);
    let indices = |value: &Value| -> Vec<usize> {
        value.as_array().map_or(Vec::new(), |all| all.iter().filter_map(|k| Some(k.as_u64()? as usize)).collect())
    };
    let mut case = Case::default();
    let found = superior_columns(&panel(&columns)?, &draws, block, size);
    for theirs in list(stored, "/superior_models_by_seed")? {
        case.same("superior models", &found, &indices(theirs));
    }
    let mut results = vec![case.done("arch", "reality_check_spa stepm".into())];

    let mut planted = columns;
    for (place, column) in planted.iter_mut().enumerate() {
        let mean = column.iter().sum::<f64>() / rows as f64;
        column.iter_mut().for_each(|value| *value += if place < 10 { 0.001 } else { 0.0 } - mean);
    }
    let panel = panel(&planted)?;
    let mut case = Case::default();
    let stored = &json["stepm_planted"];
    case.same("superior models", &superior_columns(&panel, &draws, block, size), &indices(&stored["superior_models"]));
    let found = test(&panel, &draws, block, &mut Alone).raw;
    for (ours, theirs) in [found.lower, found.consistent, found.upper].iter().zip(list(stored, "/spa_p")?) {
        case.within("spa_p", *ours, theirs, 0.001);
    }
    results.push(case.done("arch", "reality_check_spa stepm_planted".into()));
    Ok(results)
}

/// Mean of the values.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let center = mean(values);
    let squares: f64 = values.iter().map(|x| (x - center) * (x - center)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

/// Sharpe ratio of a year of 252 sessions.
fn annual_sharpe(values: &[f64]) -> f64 {
    mean(values) / deviation(values) * 252.0_f64.sqrt()
}

pub(super) fn bootstrap(source: &Source) -> Result<Vec<CaseResult>, String> {
    let json = source.json("bootstrap")?;
    let mut results = vec![exact_intervals(source, &json["exact_from_given_indices"])?];
    let file = text(&json, "file")?;
    for stored in list(&json, "/optimal_block_length")? {
        results.push(block_length(source, file, stored)?);
    }
    for stored in list(&json, "/intervals")? {
        results.push(random_interval(source, stored)?);
    }
    Ok(results)
}

fn exact_intervals(source: &Source, stored: &Value) -> Result<CaseResult, String> {
    let values = last(source.column(text(stored, "column")?)?, 250);
    let drawn = stored_draws(source)?;
    let statistics = |statistic: fn(&[f64]) -> f64| -> Vec<f64> {
        let series = |rows: &Vec<u32>| rows.iter().map(|&row| values[row as usize]).collect::<Vec<f64>>();
        drawn.iter().map(|rows| statistic(&series(rows))).collect()
    };
    let mut case = Case::default();
    let mut means = statistics(mean);
    case.number("mean_std_ddof1", deviation(&means), &stored["mean_std_ddof1"]);
    for (place, statistic, resampled) in [
        ("mean_percentiles_2_5_97_5", mean as fn(&[f64]) -> f64, &mut means),
        ("sharpe_percentiles_2_5_97_5", annual_sharpe, &mut statistics(annual_sharpe)),
    ] {
        let ours = interval(values, statistic, resampled, Interval::Percentile, 0.95);
        for (ours, theirs) in ours.iter().zip(list(stored, &format!("/{place}"))?) {
            case.number(place, *ours, theirs);
        }
        case.number(place, percentile(resampled, 0.025), &stored[place][0]);
    }
    Ok(case.done("arch", "bootstrap exact".into()))
}

fn block_length(source: &Source, file: &str, stored: &Value) -> Result<CaseResult, String> {
    let mut series = sharpe::close_returns(source, file, stored)?;
    let kind = text(stored, "series")?;
    for value in &mut series {
        *value = match kind {
            "squared" => *value * *value,
            "absolute" => value.abs(),
            _ => *value,
        };
    }
    let found = optimal_block_length(&series);
    let mut case = Case::default();
    case.same("n", &series.len(), &count(stored, "n")?);
    case.number("stationary", found.stationary, &stored["stationary"]);
    case.number("circular", found.circular, &stored["circular"]);
    Ok(case.done("arch", format!("bootstrap block length {} {kind}", text(stored, "symbol")?)))
}

fn random_interval(source: &Source, stored: &Value) -> Result<CaseResult, String> {
    let (column, name, method) = (text(stored, "column")?, text(stored, "statistic")?, text(stored, "method")?);
    let (block, level) = (float(stored, "block_size")?, float(stored, "size")?);
    let values = source.column(column)?;
    let statistic = if name == "sharpe" { annual_sharpe } else { mean as fn(&[f64]) -> f64 };
    let kind = match method {
        "basic" => Interval::Basic,
        "bca" => Interval::BiasCorrected,
        _ => Interval::Percentile,
    };
    // As many replications as the peer's three seeds together.
    let replications = 3 * count(stored, "reps")? as u32;
    let mut resampled =
        resample(values, statistic, &StationaryBootstrap::new(11, values.len() as u32, block), replications);
    let ours = interval(values, statistic, &mut resampled, kind, level);
    let (lower, upper) = (float(stored, "lower")?, float(stored, "upper")?);
    // A 2.5 % quantile of 9,000 draws has a standard error of 0.72 % of the interval's width; two of them, four times.
    let noise = 4.0 * 0.0072 * std::f64::consts::SQRT_2 * (upper - lower);
    let mut case = Case::default();
    case.number("value", statistic(values), &stored["value"]);
    for (k, (place, ours)) in ["lower", "upper"].into_iter().zip(ours).enumerate() {
        let spread = stored["spread_between_seeds"][k].as_f64().unwrap_or(0.0);
        case.within(place, ours, &stored[place], noise.max(3.0 * spread));
    }
    Ok(case.done("arch", format!("bootstrap {column} {name} block {block} {method}")))
}
