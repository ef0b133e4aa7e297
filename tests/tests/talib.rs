//! Every stored TA-Lib series agrees with the registry, or names what the registry lacks.

use std::path::{Path, PathBuf};

use sandtable_tests::oracle::{Verdict, talib};

/// Indicators of TA-Lib that are left out: the Hilbert transform family.
const LEFT_OUT: &str = "indicator HT_";

#[test]
fn every_series_agrees() {
    let oracles = match std::env::var_os("SANDTABLE_ORACLES") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracles"),
    };
    if !oracles.join("talib/case.json").exists() {
        println!("skipped: no oracle data at {}", oracles.display());
        return;
    }
    let results = talib::run(&oracles, &oracles.join("../data"), None);
    let mut exact = 0;
    let mut wrong = Vec::new();
    for result in &results {
        match &result.verdict {
            Verdict::Exact => exact += 1,
            Verdict::Unsupported(what) if what.starts_with(LEFT_OUT) => {}
            verdict => wrong.push(format!("{}: {verdict:?}", result.case)),
        }
    }
    let furthest = results.iter().max_by(|a, b| a.largest_difference.total_cmp(&b.largest_difference));
    if let Some(furthest) = furthest {
        let (case, difference) = (&furthest.case, furthest.largest_difference);
        println!("{} series, {exact} exact, largest difference {difference:.1e} in {case}", results.len());
    }
    assert!(exact > 0 && wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), results.len(), wrong.join("\n"));
}
