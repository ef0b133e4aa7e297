//! Comparison with the stored outputs of other programs.

pub mod metrics;
pub mod table;
pub mod talib;

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
