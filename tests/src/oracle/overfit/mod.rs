//! Statistics of overfitting and index ranges against purgedcv, phacker, arch, skfolio, scikit-learn and plain numpy.
//!
//! Given the folder `overfit`, each stored case is computed again from the stored returns and compared. Where a peer is
//! random, the tolerance is the noise of both. This module never knows how a statistic is computed.

mod pbo;
mod resampling;
mod sharpe;
mod splits;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::table::Table;
use super::{CaseResult, Verdict};

/// Numbers agree within this share of the peer's number, plus [`FLOOR`] of it absolutely.
const TOLERANCE: f64 = 1e-9;
/// Scale below which differences are taken absolutely.
const FLOOR: f64 = 1e-4;

/// The folder, and the returns that most cases start from.
struct Source {
    folder: PathBuf,
    data: PathBuf,
    /// Names and returns of the trials.
    columns: Vec<(String, Vec<f64>)>,
}

impl Source {
    fn read(folder: PathBuf, data: &Path) -> Result<Source, String> {
        let table = Table::read(&folder.join("grid_returns_400.parquet"))?;
        let names = table.columns.iter().map(|(name, _)| name).filter(|name| *name != "timestamp");
        let columns = names.map(|name| Ok((name.clone(), table.floats(name)?))).collect::<Result<_, String>>()?;
        Ok(Source { folder, data: data.to_path_buf(), columns })
    }

    fn json(&self, name: &str) -> Result<Value, String> {
        let path = self.folder.join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn table(&self, name: &str) -> Result<Table, String> {
        Table::read(&self.folder.join(format!("{name}.parquet")))
    }

    fn column(&self, name: &str) -> Result<&[f64], String> {
        let found = self.columns.iter().find(|(known, _)| known == name);
        found.map(|(_, values)| values.as_slice()).ok_or_else(|| format!("the grid has no column `{name}`"))
    }
}

/// The comparison of one case: numbers in, a line of the table out.
#[derive(Default)]
struct Case {
    compared: u64,
    largest: f64,
    failed: Vec<String>,
    causes: Vec<String>,
}

impl Case {
    /// Two numbers that must agree; a stored `inf` is a text, an undefined number null.
    fn number(&mut self, place: &str, ours: f64, theirs: &Value) {
        let theirs = match (theirs.as_f64(), theirs.as_str()) {
            (Some(number), _) => number,
            (None, Some("inf")) => f64::INFINITY,
            (None, _) if theirs.is_null() => f64::NAN,
            _ => return self.failed.push(format!("{place} is not a number there: {theirs}")),
        };
        self.compared += 1;
        if ours == theirs || ours.is_nan() && theirs.is_nan() {
            return;
        }
        let difference = (ours - theirs).abs() / (theirs.abs() + FLOOR);
        if difference <= TOLERANCE {
            self.largest = self.largest.max(difference);
        } else {
            self.failed.push(format!("{place} is {theirs:e} there, {ours:e} here"));
        }
    }

    /// Numbers with noise: they agree within an absolute tolerance.
    fn within(&mut self, place: &str, ours: f64, theirs: &Value, tolerance: f64) {
        self.compared += 1;
        match theirs.as_f64() {
            Some(theirs) if (ours - theirs).abs() <= tolerance => {}
            _ => self.failed.push(format!("{place} is {theirs} ± {tolerance:e} there, {ours:e} here")),
        }
    }

    /// Anything that must be the same.
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, place: &str, ours: &T, theirs: &T) {
        self.compared += 1;
        if ours != theirs {
            self.failed.push(format!("{place} is {theirs:?} there, {ours:?} here"));
        }
    }

    fn done(self, peer: &str, case: String) -> CaseResult {
        let more = self.failed.len().saturating_sub(3);
        let mut failed = self.failed[..self.failed.len() - more].join("; ");
        if more > 0 {
            failed.push_str(&format!("; and {more} more"));
        }
        let verdict = match (failed.is_empty(), self.compared, self.causes.is_empty()) {
            (false, ..) => Verdict::Failed(failed),
            (_, 0, _) => Verdict::Failed("the case has no number".into()),
            (.., true) => Verdict::Exact,
            (.., false) => Verdict::Documented(self.causes.join("; ")),
        };
        CaseResult { peer: peer.into(), case, verdict, compared: self.compared, largest_difference: self.largest }
    }
}

/// The elements of an array of the stored JSON.
fn list<'a>(value: &'a Value, place: &str) -> Result<&'a [Value], String> {
    let found = value.pointer(place).and_then(Value::as_array);
    found.map(Vec::as_slice).ok_or_else(|| format!("the file has no array at `{place}`"))
}

/// A text of the stored JSON.
fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    value[name].as_str().ok_or_else(|| format!("a case has no text `{name}`"))
}

/// A number of the stored JSON.
fn float(value: &Value, name: &str) -> Result<f64, String> {
    value[name].as_f64().ok_or_else(|| format!("a case has no number `{name}`"))
}

/// A count of the stored JSON.
fn count(value: &Value, name: &str) -> Result<usize, String> {
    let found = value[name].as_u64().and_then(|n| usize::try_from(n).ok());
    found.ok_or_else(|| format!("a case has no count `{name}`"))
}

/// A line for a file that could not be compared at all.
fn broken(file: &str, message: String) -> CaseResult {
    let verdict = Verdict::Failed(message);
    CaseResult { peer: "overfit".into(), case: file.into(), verdict, compared: 0, largest_difference: 0.0 }
}

/// One file of cases.
type Part = fn(&Source) -> Result<Vec<CaseResult>, String>;

/// The files of cases.
const PARTS: [(&str, Part); 5] = [
    ("sharpe_tests", sharpe::run),
    ("pbo", pbo::run),
    ("reality_check_spa", resampling::superiority),
    ("bootstrap", resampling::bootstrap),
    ("splits", splits::run),
];

/// Compares all of `oracles/overfit`; nothing if the folder does not exist. `filter` keeps the cases whose "PEER CASE"
/// contains it; names of cases start with the name of their file, so that a file can be asked for alone.
pub fn run(oracles: &Path, data: &Path, filter: Option<&str>) -> Vec<CaseResult> {
    let folder = oracles.join("overfit");
    if !folder.is_dir() {
        return Vec::new();
    }
    let source = match Source::read(folder, data) {
        Ok(source) => source,
        Err(message) => return vec![broken("grid_returns_400", message)],
    };
    let results =
        PARTS.iter().flat_map(|(file, part)| part(&source).unwrap_or_else(|message| vec![broken(file, message)]));
    let wanted =
        |result: &CaseResult| filter.is_none_or(|text| format!("{} {}", result.peer, result.case).contains(text));
    results.filter(wanted).collect()
}
