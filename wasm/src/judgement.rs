//! The judgement of a search as a plain object.
//!
//! Given what the core says of a search, this gives its numbers side by side, so that JavaScript need not know how the
//! core groups them. It computes nothing.

use sandtable_core::analysis::{self, Grade};
use serde::Serialize;
use tsify::Tsify;

/// How far the best trial of a search can be believed. What could not be computed is NaN: of fewer than two trials all
/// that compares them.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// Index of the trial that the search chose, by its objective and constraints.
    pub best: f64,
    /// Trials that were tried and have returns.
    pub trials: f64,
    /// Trials that cross-validation and tests compare: all, or an even sample with the chosen one.
    pub compared: f64,
    /// Points among the trials that were passed over after a part of the sessions: they count, and are not compared.
    pub passed_over: f64,
    /// Sessions.
    pub sessions: f64,
    /// Annualised Sharpe ratio of the chosen trial.
    pub sharpe: f64,
    /// Probability that its true Sharpe ratio is above zero, were it the only trial.
    pub probability_above_zero: f64,
    /// Sessions needed to believe, with 95 % confidence, that it is above zero; infinite unless it is.
    pub minimum_sessions: f64,
    /// How many independent trials the search is worth.
    pub independent: f64,
    /// Annualised Sharpe ratio that the best of so many trials without skill is expected to have.
    pub threshold: f64,
    /// Probability that the chosen trial's true Sharpe ratio is above this threshold.
    pub deflated: f64,
    /// Years below which luck alone is expected to show its Sharpe ratio.
    pub minimum_years: f64,
    /// Probability of overfitting by cross-validation.
    pub pbo: f64,
    /// Probability that a trial chosen on one half of the sessions loses on the other.
    pub probability_of_loss: f64,
    /// Hansen's p-value against zero: consistent, by studentized means.
    pub spa: f64,
    /// White's p-value against zero.
    pub reality_check: f64,
    /// The verdict in a word.
    #[tsify(type = "\"believable\" | \"doubtful\" | \"likely-overfit\" | \"no-edge\" | \"unknown\"")]
    pub grade: String,
    /// The verdict in a sentence.
    pub sentence: String,
    /// What to do now.
    pub advice: String,
}

impl From<&analysis::Judgement> for Judgement {
    fn from(of: &analysis::Judgement) -> Judgement {
        let overfitting = |part: fn(&analysis::Overfitting) -> f64| of.overfitting.as_ref().map_or(f64::NAN, part);
        let superiority = |part: fn(&analysis::Superiority) -> f64| of.superiority.as_ref().map_or(f64::NAN, part);
        Judgement {
            best: of.best as f64,
            trials: of.trials as f64,
            compared: of.compared as f64,
            passed_over: of.passed_over as f64,
            sessions: of.sessions as f64,
            sharpe: of.sharpe,
            probability_above_zero: of.probability_above_zero,
            minimum_sessions: of.minimum_sessions,
            independent: of.deflation.independence.trials,
            threshold: of.deflation.threshold,
            deflated: of.deflation.deflated,
            minimum_years: of.deflation.minimum_years,
            pbo: overfitting(|found| found.pbo),
            probability_of_loss: overfitting(|found| found.probability_of_loss),
            spa: superiority(|tests| tests.studentized.consistent),
            reality_check: superiority(|tests| tests.raw.upper),
            grade: word(of.verdict.grade).to_owned(),
            sentence: of.verdict.sentence.clone(),
            advice: of.verdict.advice.to_owned(),
        }
    }
}

/// A grade as reports spell it.
fn word(grade: Grade) -> &'static str {
    match grade {
        Grade::Believable => "believable",
        Grade::Doubtful => "doubtful",
        Grade::LikelyOverfit => "likely-overfit",
        Grade::NoEdge => "no-edge",
        Grade::Unknown => "unknown",
    }
}
