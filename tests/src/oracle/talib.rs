//! Indicator series of TA-Lib against the registry.
//!
//! Given `talib/case.json` and `talib/talib.parquet` below the oracles and the panel that the case names, this module
//! gives one [`CaseResult`] per (symbol, indicator, parameters). A series agrees if it is undefined on the same bars
//! and every value lies within [`TOLERANCE`] of max(1, |TA-Lib's|). The bound is the one its README gives for what
//! TA-Lib computes by sliding sums (deviation, correlation, slope); the others agree to about 1e-12.

use std::collections::BTreeMap;
use std::path::Path;

use sandtable_core::bundle::{Bars, Field};
use sandtable_core::indicators::{Indicator, Input, check_params, compute, find};
use serde::Deserialize;
use serde_json::Value;

use super::table::{Panel, Table, locate};
use super::{CaseResult, Verdict};

/// Largest accepted difference, relative to max(1, |value|).
pub const TOLERANCE: f64 = 1e-9;

const PEER: &str = "TA-Lib";

/// `case.json`, as far as it is needed.
#[derive(Deserialize)]
struct Case {
    data: Data,
    #[serde(default)]
    series: Vec<SeriesName>,
}

#[derive(Deserialize)]
struct Data {
    file: String,
    start: Option<String>,
    end: Option<String>,
}

/// Which series a value belongs to; parameters as JSON with sorted keys.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct SeriesName {
    symbol: String,
    indicator: String,
    #[serde(deserialize_with = "normalised")]
    params: String,
}

/// One stored series.
#[derive(Default)]
struct Series {
    time: Vec<i64>,
    value: Vec<f64>,
}

fn normalised<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Value::deserialize(deserializer).map(|value| value.to_string())
}

impl SeriesName {
    /// `AAPL BBANDS.upper(nbdevdn=2.0, …)`.
    fn label(&self) -> String {
        let params = self.params.trim_matches(['{', '}']).replace('"', "").replace(':', "=").replace(',', ", ");
        format!("{} {}({params})", self.symbol, self.indicator)
    }
}

/// Compares every series whose label contains `filter` (capitals do not matter; `talib` and `TA-Lib` name them all).
/// Without a folder `talib` there are no cases.
pub fn run(oracles: &Path, data: &Path, filter: Option<&str>) -> Vec<CaseResult> {
    let folder = oracles.join("talib");
    if !folder.join("case.json").exists() {
        return Vec::new();
    }
    let filter = filter.map(str::to_lowercase);
    let wanted = |label: &str| {
        filter.as_ref().is_none_or(|filter| format!("talib/{PEER} {label}").to_lowercase().contains(filter.as_str()))
    };
    match load(&folder, oracles, data) {
        Err(message) => vec![result("case.json", Verdict::Failed(message), 0, 0.0)],
        Ok((stored, panel, case)) => stored
            .iter()
            .map(|(name, series)| (name.label(), name, series))
            .filter(|(label, _, _)| wanted(label))
            .map(|(label, name, series)| compare(&label, name, series, &panel, &case.data))
            .collect(),
    }
}

fn result(case: &str, verdict: Verdict, compared: u64, largest_difference: f64) -> CaseResult {
    CaseResult { peer: PEER.to_string(), case: case.to_string(), verdict, compared, largest_difference }
}

/// The stored series by name, the panel they were computed from, and the case.
type Loaded = (BTreeMap<SeriesName, Series>, Panel, Case);

fn load(folder: &Path, oracles: &Path, data: &Path) -> Result<Loaded, String> {
    let path = folder.join("case.json");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let case: Case = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let panel = Panel::read(&locate(oracles, data, folder, &case.data.file)?)?;
    let mut stored = read_series(&Table::read(&folder.join("talib.parquet"))?)?;
    // A series that is promised and missing is an empty one, which agrees with nothing.
    for name in &case.series {
        stored.entry(name.clone()).or_default();
    }
    Ok((stored, panel, case))
}

fn read_series(table: &Table) -> Result<BTreeMap<SeriesName, Series>, String> {
    let (symbols, indicators) = (table.texts("symbol")?, table.texts("indicator")?);
    let (params, times, values) = (table.texts("params")?, table.times("date")?, table.floats("value")?);
    let mut stored: BTreeMap<SeriesName, Series> = BTreeMap::new();
    let mut row = 0;
    while row < table.rows {
        // Rows of one series follow each other; a name is built once for all of them.
        let same =
            |r: &usize| symbols[*r] == symbols[row] && indicators[*r] == indicators[row] && params[*r] == params[row];
        let end = row + (row..table.rows).take_while(same).count();
        let parsed: Value =
            serde_json::from_str(&params[row]).map_err(|e| format!("{}, row {row}: parameters: {e}", table.name))?;
        let (symbol, indicator) = (symbols[row].clone(), indicators[row].clone());
        let series = stored.entry(SeriesName { symbol, indicator, params: parsed.to_string() }).or_default();
        series.time.extend(&times[row..end]);
        series.value.extend(&values[row..end]);
        row = end;
    }
    Ok(stored)
}

fn compare(label: &str, name: &SeriesName, series: &Series, panel: &Panel, data: &Data) -> CaseResult {
    let bars = match panel.between(&name.symbol, data.start.as_deref(), data.end.as_deref()) {
        Ok(bars) => bars,
        Err(message) => return result(label, Verdict::Failed(message), 0, 0.0),
    };
    let found = match ours(name, &bars) {
        Ok(found) => found,
        Err(missing) => return result(label, Verdict::Unsupported(missing), 0, 0.0),
    };
    if bars.time != series.time {
        let message = format!("the panel has {} bars, the series {}, or other dates", bars.len(), series.time.len());
        return result(label, Verdict::Failed(message), 0, 0.0);
    }
    let (largest, at) = largest_difference(&found, &series.value);
    let verdict = match at {
        Some(row) if largest > TOLERANCE => Verdict::Failed(format!(
            "bar {row}: found {}, TA-Lib has {} ({largest:.1e} apart)",
            found[row], series.value[row]
        )),
        _ => Verdict::Exact,
    };
    result(label, verdict, series.value.len() as u64, largest)
}

/// Largest difference relative to max(1, |expected|) and its row; infinite where only one of the two is defined.
fn largest_difference(found: &[f64], expected: &[f64]) -> (f64, Option<usize>) {
    let mut largest = (0.0, None);
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = if found == expected || (found.is_nan() && expected.is_nan()) {
            0.0
        } else if found.is_finite() && expected.is_finite() {
            (found - expected).abs() / expected.abs().max(1.0)
        } else {
            f64::INFINITY
        };
        if difference > largest.0 {
            largest = (difference, Some(row));
        }
    }
    largest
}

/// The registry's column for a series, or what is missing for it.
fn ours(name: &SeriesName, bars: &Bars) -> Result<Vec<f64>, String> {
    let (function, output) = name.indicator.split_once('.').unwrap_or((&name.indicator, ""));
    let (_, indicator) = find(&function.to_lowercase()).ok_or_else(|| format!("indicator {function}"))?;
    let output = indicator
        .outputs
        .iter()
        .position(|known| *known == output)
        .ok_or_else(|| format!("output `{output}` of {function}"))?;
    let given: BTreeMap<String, Value> =
        serde_json::from_str(&name.params).map_err(|e| format!("parameters {}: {e}", name.params))?;
    let params = parameters(indicator, &given)?;
    let inputs = operands(indicator, &given, bars)?;
    let mut columns = vec![vec![0.0; bars.len()]; indicator.outputs.len()];
    let mut outputs: Vec<&mut [f64]> = columns.iter_mut().map(Vec::as_mut_slice).collect();
    compute(indicator, &inputs, &params, &mut outputs);
    Ok(columns.swap_remove(output))
}

/// The series' parameters in the registry's order.
fn parameters(indicator: &Indicator, given: &BTreeMap<String, Value>) -> Result<Vec<f64>, String> {
    for (name, value) in given.iter().filter(|(_, value)| value.is_number()) {
        let known = indicator.params.iter().any(|spec| spec.name == name);
        // Kind 0 is the simple average, the only one there is inside other indicators.
        let simple = name.ends_with("matype") && value.as_f64() == Some(0.0);
        if !known && !simple {
            return Err(format!("{name} = {value} of {}", indicator.name));
        }
    }
    let value = |name: &str| given.get(name).and_then(Value::as_f64);
    let params: Vec<f64> = indicator.params.iter().map(|spec| value(spec.name).unwrap_or(spec.default)).collect();
    check_params(indicator, &params).map(|()| params)
}

/// The columns an indicator reads: its implied fields, and for operands the field that the series names or the close.
fn operands<'a>(
    indicator: &Indicator,
    given: &BTreeMap<String, Value>,
    bars: &'a Bars,
) -> Result<Vec<&'a [f64]>, String> {
    let named = |operand: &str| match given.get(operand).and_then(Value::as_str) {
        None => Ok(Field::Close),
        Some(field) => Field::ALL
            .into_iter()
            .find(|known| known.name() == field)
            .ok_or_else(|| format!("operand `{field}` of {}", indicator.name)),
    };
    indicator
        .inputs
        .iter()
        .map(|input| match input {
            Input::Implied(field) => Ok(bars.field(*field)),
            Input::Real(operand) => named(operand).map(|field| bars.field(field)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_one_side_only_is_an_infinite_difference() {
        assert_eq!(largest_difference(&[f64::NAN, 2.0], &[f64::NAN, 2.0]), (0.0, None));
        assert_eq!(largest_difference(&[f64::NAN, 2.0], &[1.0, 2.0]), (f64::INFINITY, Some(0)));
        assert_eq!(largest_difference(&[1.0, 300.0], &[1.0, 200.0]), (0.5, Some(1)));
    }

    #[test]
    fn labels_read_like_calls() {
        let name = SeriesName {
            symbol: "SPY".into(),
            indicator: "T3".into(),
            params: r#"{"timeperiod":5,"vfactor":0.7}"#.into(),
        };
        assert_eq!(name.label(), "SPY T3(timeperiod=5, vfactor=0.7)");
    }

    #[test]
    fn what_the_registry_lacks_is_named() {
        let name = |indicator: &str, params: &str| SeriesName {
            symbol: "SPY".into(),
            indicator: indicator.into(),
            params: params.into(),
        };
        let bars = Bars::default();
        assert_eq!(ours(&name("HT_SINE.sine", "{}"), &bars), Err("indicator HT_SINE".to_string()));
        let apo = name("APO", r#"{"fastperiod":2,"matype":1,"slowperiod":3}"#);
        assert_eq!(ours(&apo, &bars), Err("matype = 1 of apo".to_string()));
        assert_eq!(ours(&name("SMA", r#"{"timeperiod":2}"#), &bars), Ok(Vec::new()));
    }
}
