//! Return metrics against empyrical, quantstats and scipy.
//!
//! Given `metrics/metrics.json` and `metrics/series.parquet`, every series of returns becomes an account whose equity
//! compounds them, and each number of a peer that has the same definition is compared. One case is one series of one
//! peer. Where the conventions part, the cause is derived from the series itself, not from its name.

use std::path::Path;

use sandtable_core::metrics::{self, Account, Counters, Workspace};
use serde_json::Value;

use super::table::Table;
use super::{CaseResult, Verdict};

/// Numbers agree within this share of the peer's number, plus [`FLOOR`] of it absolutely.
const TOLERANCE: f64 = 1e-8;
/// Scale below which differences are taken absolutely (1e-8 × 1e-4 = 1e-12).
const FLOOR: f64 = 1e-4;

/// How a missing return is given to the account.
#[derive(Clone, Copy, PartialEq)]
enum Missing {
    /// As a session without change, as peers compound wealth.
    Flat,
    /// As no session, as peers take means.
    Dropped,
}

/// Settings of the account for one comparison.
#[derive(Clone, Copy, PartialEq)]
enum With {
    Defaults,
    RiskFree(f64),
    RiskFreeYear(f64),
    Mar(f64),
    MarYear(f64),
    /// Nothing is annualised.
    PeriodsPerYear(f64),
}

/// Part of the file, place of the peer's number in it, our metric, treatment of missing returns, settings.
type Check = (&'static str, &'static str, &'static str, Missing, With);

use Missing::{Dropped, Flat};
use With::{Defaults, Mar, MarYear, PeriodsPerYear, RiskFree, RiskFreeYear};

const CHECKS: &[Check] = &[
    ("empyrical", "/cum_returns_final", "total_return", Flat, Defaults),
    ("empyrical", "/annual_return", "cagr", Flat, Defaults),
    ("empyrical", "/cagr", "cagr", Flat, Defaults),
    ("empyrical", "/annual_volatility", "volatility", Dropped, Defaults),
    ("empyrical", "/sharpe_ratio", "sharpe", Dropped, Defaults),
    ("empyrical", "/sharpe_ratio_rf_0.0001", "sharpe", Dropped, RiskFree(0.0001)),
    ("empyrical", "/sortino_ratio", "sortino", Dropped, Defaults),
    ("empyrical", "/sortino_ratio_req_0.0002", "sortino", Dropped, Mar(0.0002)),
    ("empyrical", "/calmar_ratio", "calmar", Flat, Defaults),
    ("empyrical", "/omega_ratio", "omega", Dropped, Defaults),
    ("empyrical", "/omega_ratio_req_0.05", "omega", Dropped, MarYear(0.05)),
    ("empyrical", "/max_drawdown", "max_drawdown", Flat, Defaults),
    ("empyrical", "/tail_ratio", "tail_ratio", Dropped, Defaults),
    ("empyrical", "/stability_of_timeseries", "stability", Dropped, Defaults),
    ("empyrical", "/value_at_risk_5", "var_95", Dropped, Defaults),
    ("empyrical", "/conditional_value_at_risk_5", "cvar_95", Dropped, Defaults),
    ("empyrical", "/alpha", "alpha", Dropped, Defaults),
    ("empyrical", "/beta", "beta", Dropped, Defaults),
    ("empyrical", "/excess_sharpe", "information_ratio", Dropped, Defaults),
    ("moments", "/std_ddof1", "volatility", Dropped, PeriodsPerYear(1.0)),
    ("moments", "/skew_unbiased", "skew", Dropped, Defaults),
    ("moments", "/pandas_skew", "skew", Dropped, Defaults),
    ("moments", "/kurtosis_excess_unbiased", "kurtosis", Dropped, Defaults),
    ("moments", "/pandas_kurt", "kurtosis", Dropped, Defaults),
    ("moments", "/percentile_1_5_50_95_99_linear/1", "var_95", Dropped, Defaults),
    ("moments", "/max_drawdown_duration_bars", "max_drawdown_duration", Flat, Defaults),
    ("quantstats", "/comp", "total_return", Flat, Defaults),
    ("quantstats", "/cagr", "cagr", Dropped, Defaults),
    ("quantstats", "/volatility", "volatility", Dropped, Defaults),
    ("quantstats", "/volatility_not_annualized", "volatility", Dropped, PeriodsPerYear(1.0)),
    ("quantstats", "/sharpe", "sharpe", Dropped, Defaults),
    ("quantstats", "/sharpe_rf_0.02", "sharpe", Dropped, RiskFreeYear(0.02)),
    ("quantstats", "/sortino", "sortino", Dropped, Defaults),
    ("quantstats", "/sortino_rf_0.02", "sortino", Dropped, MarYear(0.02)),
    ("quantstats", "/calmar", "calmar", Dropped, Defaults),
    ("quantstats", "/omega", "omega", Dropped, Defaults),
    ("quantstats", "/max_drawdown", "max_drawdown", Flat, Defaults),
    ("quantstats", "/tail_ratio", "tail_ratio", Dropped, Defaults),
    ("quantstats", "/skew", "skew", Dropped, Defaults),
    ("quantstats", "/kurtosis", "kurtosis", Dropped, Defaults),
    ("quantstats", "/information_ratio", "information_ratio", Dropped, Defaults),
    ("quantstats", "/greeks/beta", "beta", Dropped, Defaults),
    ("quantstats", "/drawdown_details/longest_days", "max_drawdown_duration_days", Dropped, Defaults),
    ("quantstats", "/drawdown_details/average_days", "mean_drawdown_duration_days", Dropped, Defaults),
];

/// Metrics that read the returns, and so have nothing to read after a total loss.
const FROM_WEALTH: &[&str] = &["total_return", "cagr", "calmar", "max_drawdown", "max_drawdown_duration"];

/// Compares all series of `oracles/metrics`; nothing if the folder does not exist. `filter` keeps the cases whose
/// `metrics/PEER/SERIES` contains it. The panel data are not needed.
pub fn run(oracles: &Path, _data: &Path, filter: Option<&str>) -> Vec<CaseResult> {
    let folder = oracles.join("metrics");
    if !folder.is_dir() {
        return Vec::new();
    }
    compare(&folder, filter).unwrap_or_else(|message| {
        vec![CaseResult {
            peer: "metrics".into(),
            case: "(all)".into(),
            verdict: Verdict::Failed(message),
            compared: 0,
            largest_difference: 0.0,
        }]
    })
}

fn compare(folder: &Path, filter: Option<&str>) -> Result<Vec<CaseResult>, String> {
    let path = folder.join("metrics.json");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let json: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let stored = json["series"].as_object().ok_or_else(|| format!("{}: no object `series`", path.display()))?;
    let table = Table::read(&folder.join("series.parquet"))?;
    let mut results = Vec::new();
    for (name, numbers) in stored {
        for (part, peer) in [("empyrical", "empyrical"), ("quantstats", "quantstats"), ("moments", "scipy")] {
            if filter.is_some_and(|filter| !format!("metrics/{peer}/{name}").contains(filter)) {
                continue;
            }
            let series = Series::read(&table, name)?;
            results.push(series.case(part, peer, &numbers[part]));
        }
    }
    Ok(results)
}

/// One stored series.
struct Series {
    name: String,
    dates: Vec<i32>,
    returns: Vec<f64>,
    benchmark: Vec<f64>,
}

impl Series {
    fn read(table: &Table, name: &str) -> Result<Self, String> {
        let rows = table.rows_where("series", name)?;
        let (dates, returns, benchmark) = (table.times("date")?, table.floats("ret")?, table.floats("benchmark")?);
        Ok(Series {
            name: name.to_string(),
            dates: rows.iter().map(|&row| sandtable_core::calendar::utc_date(dates[row])).collect(),
            returns: rows.iter().map(|&row| returns[row]).collect(),
            benchmark: rows.iter().map(|&row| benchmark[row]).collect(),
        })
    }

    fn case(&self, part: &str, peer: &str, numbers: &Value) -> CaseResult {
        let (mut compared, mut largest) = (0, 0.0_f64);
        let (mut failed, mut documented) = (Vec::new(), Vec::new());
        for &(_, place, metric, missing, with) in CHECKS.iter().filter(|check| check.0 == part) {
            let Some(stored) = numbers.pointer(place) else { continue };
            let ours = self.ours(metric, missing, with);
            compared += 1;
            match stored.as_f64() {
                Some(theirs) if ours.is_finite() => {
                    let difference = (ours - theirs).abs() / (theirs.abs() + FLOOR);
                    if difference <= TOLERANCE {
                        largest = largest.max(difference);
                    } else if let Some(cause) = self.why_different(part, metric) {
                        documented.push((metric, cause));
                    } else {
                        failed.push(format!("{place} is {theirs:e} there, {ours:e} here"));
                    }
                }
                None if stored.is_null() && ours.is_nan() => {}
                _ => match self.why_null(metric, stored).or_else(|| self.why_different(part, metric)) {
                    Some(cause) => documented.push((metric, cause)),
                    None => failed.push(format!("{place} is {stored} there, {ours:e} here")),
                },
            }
        }
        documented.dedup();
        let causes: Vec<String> = documented.iter().map(|(metric, cause)| format!("{metric}: {cause}")).collect();
        let verdict = match (failed.is_empty() && compared > 0, causes.is_empty()) {
            (true, true) => Verdict::Exact,
            (true, false) => Verdict::Documented(causes.join("; ")),
            (false, _) if compared == 0 => Verdict::Failed("the file has no number of this peer".into()),
            (false, _) => Verdict::Failed(failed.join("; ")),
        };
        CaseResult { peer: peer.into(), case: self.name.clone(), verdict, compared, largest_difference: largest }
    }

    /// Our number for the series.
    fn ours(&self, metric: &str, missing: Missing, with: With) -> f64 {
        let rows: Vec<usize> =
            (0..self.returns.len()).filter(|&i| missing == Flat || self.returns[i].is_finite()).collect();
        let initial_cash = 1e6;
        let mut equity = Vec::with_capacity(rows.len());
        let mut wealth = initial_cash;
        for &row in &rows {
            wealth *= 1.0 + if self.returns[row].is_finite() { self.returns[row] } else { 0.0 };
            equity.push(wealth);
        }
        let dates: Vec<i32> = rows.iter().map(|&row| self.dates[row]).collect();
        let benchmark: Vec<f64> = rows.iter().map(|&row| self.benchmark[row]).collect();
        let per_session = |year: f64| (1.0 + year).powf(1.0 / 252.0) - 1.0;
        let account = Account {
            initial_cash,
            equity: &equity,
            dates: &dates,
            benchmark: Some(&metrics::Benchmark::new(benchmark)),
            trades: &metrics::NO_TRADES,
            periods_per_year: if let PeriodsPerYear(periods) = with { periods } else { 252.0 },
            risk_free: match with {
                RiskFree(rate) => rate,
                RiskFreeYear(year) => per_session(year),
                _ => 0.0,
            },
            mar: match with {
                Mar(rate) => rate,
                MarYear(year) => per_session(year),
                _ => 0.0,
            },
            counters: Counters::default(),
        };
        let mut out = Vec::new();
        metrics::evaluate(&account, &mut Workspace::default(), &mut out);
        metrics::index_of(metric).map_or(f64::NAN, |index| out[index])
    }

    /// Why our number is null where the peer has one (or infinity, or an exception).
    fn why_null(&self, metric: &str, stored: &Value) -> Option<&'static str> {
        let present: Vec<f64> = self.returns.iter().copied().filter(|r| r.is_finite()).collect();
        let n = present.len();
        let deviation = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len() as f64).sqrt()
        };
        let ruined = present.iter().rev().skip(1).any(|&r| r <= -1.0);
        let still = deviation(&present) < 1e-14;
        let apart: Vec<f64> =
            self.returns.iter().zip(&self.benchmark).map(|(r, f)| r - f).filter(|d| d.is_finite()).collect();
        match metric {
            _ if stored.is_string() || stored.is_object() => Some("null, never infinity or an exception"),
            _ if ruined && !FROM_WEALTH.contains(&metric) => Some("after a total loss returns have no base"),
            "skew" if n < 3 => Some("the bias correction needs three values"),
            "kurtosis" if n < 4 => Some("the bias correction needs four values"),
            "volatility" | "sharpe" if n < 2 => Some("one return has no deviation"),
            "skew" | "kurtosis" | "sharpe" if still => Some("the deviation is rounding noise"),
            "alpha" | "beta" | "information_ratio" if apart.len() < 2 => Some("one session has no regression"),
            "information_ratio" if deviation(&apart) < 1e-14 => Some("the series is its benchmark"),
            "omega" | "sortino" if present.iter().all(|&r| r >= 0.0) => Some("no loss to divide by"),
            "calmar" if present.iter().all(|&r| r >= 0.0) => Some("no drawdown to divide by"),
            _ => None,
        }
    }

    /// Why two numbers differ.
    fn why_different(&self, part: &str, metric: &str) -> Option<&'static str> {
        let gaps = self.returns.iter().any(|r| !r.is_finite());
        match (part, metric) {
            ("empyrical", "var_95") if gaps => Some("the peer has no percentile of a series with a missing return"),
            _ => None,
        }
    }
}
