//! Comparison with the stored outputs of other programs.

pub mod backtesting;
pub mod metrics;
pub mod overfit;
pub mod replay;
pub mod simulated;
pub mod table;
pub mod talib;
pub mod vectorbt;
pub mod zipline;

/// What became of one case.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Agrees to the stated tolerance.
    Exact,
    /// Differs for a named cause; the text names it.
    Documented(String),
    /// Differs and nobody knows why, or an error.
    Failed(String),
    /// Needs something that this version does not do; the text names it.
    Unsupported(String),
}

/// One line of the comparison table.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// Program the case comes from.
    pub peer: String,
    /// Name of the case (folder, or series within a file).
    pub case: String,
    /// What became of it.
    pub verdict: Verdict,
    /// How many numbers were compared.
    pub compared: u64,
    /// Largest difference found, relative to the scale that the tolerance is stated in.
    pub largest_difference: f64,
}

impl CaseResult {
    /// The line of a case from what its comparison came to.
    pub fn new(peer: &str, case: String, compared: replay::Compared) -> CaseResult {
        let (verdict, compared, largest_difference) = compared.unwrap_or_else(|verdict| (verdict, 0, f64::NAN));
        CaseResult { peer: peer.into(), case, verdict, compared, largest_difference }
    }
}

/// The case folders below `root`, by name, those that contain `filter` in "PEER NAME".
pub fn case_folders(root: &std::path::Path, peer: &str, filter: Option<&str>) -> Vec<(String, std::path::PathBuf)> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let mut folders: Vec<_> = entries
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(_, path)| path.join("case.json").is_file())
        .filter(|(name, _)| filter.is_none_or(|filter| format!("{peer} {name}").contains(filter)))
        .collect();
    folders.sort();
    folders
}

/// Every comparison there is, program after program.
pub fn run_all(oracles: &std::path::Path, data: &std::path::Path, filter: Option<&str>) -> Vec<CaseResult> {
    let suites = [talib::run, metrics::run, backtesting::run, vectorbt::run, zipline::run, overfit::run];
    suites.iter().flat_map(|suite| suite(oracles, data, filter)).collect()
}
