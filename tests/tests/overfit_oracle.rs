//! Statistics of overfitting and index ranges against the stored results of other programs, where these are at hand.

use std::path::PathBuf;

use sandtable_tests::oracle::{Verdict, overfit};

#[test]
fn judgement_agrees_with_its_peers() {
    let oracles = std::env::var_os("SANDTABLE_ORACLES")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracles"));
    let results = overfit::run(&oracles, &oracles.join("../data"), None);
    if results.is_empty() {
        println!("skipped: no overfit folder under {}", oracles.display());
        return;
    }
    let mut failed = 0;
    for result in &results {
        println!(
            "{:<12} {:<50} {:>6} numbers, largest difference {:.1e}: {:?}",
            result.peer, result.case, result.compared, result.largest_difference, result.verdict
        );
        failed += u32::from(!matches!(result.verdict, Verdict::Exact | Verdict::Documented(_)));
    }
    assert_eq!(failed, 0, "{failed} of {} cases differ without a documented cause", results.len());
}
