//! The judgement in one sentence that a person can act on.
//!
//! Given the statistics of a search, this says how far its best trial can be believed, by stated thresholds. It never
//! computes a statistic.

use serde::Serialize;

/// A deflated Sharpe ratio from here on is significant: 95 %, as in the paper.
pub const DEFLATED_ENOUGH: f64 = 0.95;
/// A probability of overfitting up to here is small: in one split of five the chosen trial is below the median.
pub const OVERFITTING_SMALL: f64 = 0.2;
/// From here on choosing the best is no better than drawing a trial.
pub const OVERFITTING_COIN: f64 = 0.5;
/// A p-value up to here is significant.
pub const P_SMALL: f64 = 0.05;

/// How far the best trial can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Every test that could be made was passed.
    Believable,
    /// One test failed.
    Doubtful,
    /// Choosing the best is no better than drawing a trial, or luck explains the best and choosing it helps little.
    LikelyOverfit,
    /// Its mean return is not above zero, so there is nothing to believe.
    NoEdge,
    /// Nothing could be tested.
    Unknown,
}

impl Grade {
    /// The words of a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Grade::Believable => "believable",
            Grade::Doubtful => "doubtful",
            Grade::LikelyOverfit => "likely overfit",
            Grade::NoEdge => "no edge",
            Grade::Unknown => "cannot be judged",
        }
    }
}

/// What a verdict reads; NaN for what could not be computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Findings {
    /// Trials that were tried.
    pub trials: u64,
    /// Annualised Sharpe ratio of the best trial.
    pub sharpe: f64,
    /// Its deflated Sharpe ratio.
    pub deflated: f64,
    /// Probability of overfitting.
    pub pbo: f64,
    /// Hansen's consistent p-value by studentized means.
    pub p_value: f64,
    /// Sessions of the backtest.
    pub sessions: f64,
    /// Sessions that the best trial's record must have.
    pub sessions_needed: f64,
}

/// A grade, its sentence, and what to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// How far the best trial can be believed.
    pub grade: Grade,
    /// The numbers and the grade: "best Sharpe 1.31 of 400 trials; deflated 0.62; PBO 0.41; SPA p 0.210: likely overfit".
    pub sentence: String,
    /// What to do now.
    pub advice: &'static str,
}

impl Verdict {
    /// The verdict on these findings.
    pub fn of(findings: &Findings) -> Verdict {
        let grade = grade(findings);
        let mut parts = vec![match findings.trials {
            1 => format!("Sharpe {:.2} of one trial", findings.sharpe),
            trials => format!("best Sharpe {:.2} of {trials} trials", findings.sharpe),
        }];
        if findings.sharpe.is_nan() {
            parts = vec![format!("the best of {} trials has no Sharpe ratio", findings.trials)];
        }
        for (name, value, digits) in
            [("deflated", findings.deflated, 2), ("PBO", findings.pbo, 2), ("SPA p", findings.p_value, 3)]
        {
            if !value.is_nan() {
                parts.push(format!("{name} {value:.digits$}"));
            }
        }
        let sentence = format!("{}: {}", parts.join("; "), grade.words());
        Verdict { grade, sentence, advice: advice(grade, findings) }
    }
}

/// By the thresholds of this file; a NaN passes no test and fails none.
fn grade(findings: &Findings) -> Grade {
    let Findings { deflated, pbo, p_value, .. } = *findings;
    if [deflated, pbo, p_value].iter().all(|x| x.is_nan()) {
        return Grade::Unknown;
    }
    if findings.sharpe <= 0.0 {
        return Grade::NoEdge;
    }
    let explained = deflated < DEFLATED_ENOUGH || p_value > P_SMALL;
    if pbo >= OVERFITTING_COIN || explained && pbo > OVERFITTING_SMALL {
        return Grade::LikelyOverfit;
    }
    if explained || pbo > OVERFITTING_SMALL { Grade::Doubtful } else { Grade::Believable }
}

fn advice(grade: Grade, findings: &Findings) -> &'static str {
    match grade {
        Grade::Believable => "confirm it on data that the search has not seen",
        Grade::Doubtful if findings.sessions < findings.sessions_needed => {
            "the record is too short for this Sharpe ratio: test a longer range of dates"
        }
        Grade::Doubtful if findings.pbo > OVERFITTING_SMALL => {
            "take a point from a plateau instead of the best one, and test it out of sample"
        }
        Grade::Doubtful => "luck among so many trials can explain it: search a smaller space, or test out of sample",
        Grade::LikelyOverfit => "do not trade it: search a smaller space over a longer range, and choose on a plateau",
        Grade::NoEdge => "no trial earned anything: change the strategy, not its parameters",
        Grade::Unknown => "judgement needs at least 2 trials, 8 sessions and returns that vary",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Findings = Findings {
        trials: 400,
        sharpe: 1.31,
        deflated: 0.97,
        pbo: 0.1,
        p_value: 0.01,
        sessions: 2000.0,
        sessions_needed: 500.0,
    };

    #[test]
    fn the_sentence_has_the_numbers_and_the_grade() {
        let found = Verdict::of(&Findings { deflated: 0.62, pbo: 0.41, p_value: f64::NAN, ..GOOD });
        assert_eq!(found.sentence, "best Sharpe 1.31 of 400 trials; deflated 0.62; PBO 0.41: likely overfit");
        let one = Verdict::of(&Findings { trials: 1, pbo: f64::NAN, p_value: 0.012_34, ..GOOD });
        assert_eq!(one.sentence, "Sharpe 1.31 of one trial; deflated 0.97; SPA p 0.012: believable");
    }

    #[test]
    fn grades_follow_the_thresholds() {
        let nan = f64::NAN;
        for (deflated, pbo, p_value, expected) in [
            (0.97, 0.1, 0.01, Grade::Believable),
            (0.94, 0.1, 0.01, Grade::Doubtful),
            (0.97, 0.1, 0.06, Grade::Doubtful),
            (0.97, 0.3, 0.01, Grade::Doubtful),
            (0.94, 0.3, 0.01, Grade::LikelyOverfit),
            (0.97, 0.3, 0.06, Grade::LikelyOverfit),
            (0.99, 0.5, 0.00, Grade::LikelyOverfit),
            (nan, nan, nan, Grade::Unknown),
            (0.97, nan, nan, Grade::Believable),
        ] {
            assert_eq!(Verdict::of(&Findings { deflated, pbo, p_value, ..GOOD }).grade, expected);
        }
        assert_eq!(Verdict::of(&Findings { sharpe: -0.1, ..GOOD }).grade, Grade::NoEdge);
    }

    #[test]
    fn advice_names_what_failed() {
        let short = Verdict::of(&Findings { deflated: 0.9, sessions_needed: 3000.0, ..GOOD });
        assert!(short.advice.contains("longer range"));
        assert!(Verdict::of(&Findings { pbo: 0.3, ..GOOD }).advice.contains("plateau"));
    }
}
