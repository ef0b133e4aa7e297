//! All that is said of a search by default, from its evidence and its best trial's returns.
//!
//! Given [`Evidence`] and the returns of the trial that the search chose, this computes the statistics of the other files
//! and a verdict. It never knows by which objective the trial was chosen.

use serde::Serialize;

use super::cscv::{Everyone, Halves, Selection};
use super::{
    Alone, BlockSums, Convention, Draws, Evidence, Findings, Hands, Independence, Moments, Overfitting, Panel,
    StationaryBootstrap, Superiority, Verdict, deflated_sharpe, expected_maximum_sharpe, minimum_backtest_years,
    minimum_track_record, optimal_block_length, superiority,
};
use crate::error::Result;
use crate::num;

/// Confidence of the track record, and size of the tests.
const ALPHA: f64 = 0.05;

/// How a search is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgementSettings {
    /// Sessions a year.
    pub periods_per_year: f64,
    /// Replications of the bootstrap: with 500 a p-value of 5 % has a standard error of 1 %.
    pub replications: u32,
    /// Splits of cross-validation that are asked for the trials' median and distribution.
    pub detailed_splits: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Default for JudgementSettings {
    fn default() -> Self {
        JudgementSettings { periods_per_year: 252.0, replications: 500, detailed_splits: 64, seed: 0 }
    }
}

/// What luck alone would have given the best trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Deflation {
    /// How many independent trials the search is worth.
    pub independence: Independence,
    /// Variance of the trials' Sharpe ratios, per return.
    pub variance: f64,
    /// Expected largest Sharpe ratio of trials without skill, annualised.
    pub threshold: f64,
    /// Deflated Sharpe ratio: the probability that the best trial's true Sharpe ratio is above the threshold.
    pub deflated: f64,
    /// Years below which luck alone is expected to show the best trial's Sharpe ratio; NaN unless that is positive.
    pub minimum_years: f64,
}

/// What can be said of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// Index of the trial that the search chose.
    pub best: u64,
    /// Trials that were tried and have returns.
    pub trials: u64,
    /// Trials that cross-validation and tests compare: all, or an even sample with the chosen one. Of a sample the tests'
    /// p-values are lower bounds, because a larger choice has a luckier best.
    pub compared: u64,
    /// Points among the trials that were passed over after a part of the sessions: they count, and are not compared.
    pub passed_over: u64,
    /// Sessions.
    pub sessions: u64,
    /// Annualised Sharpe ratio of the chosen trial.
    pub sharpe: f64,
    /// Moments of its returns.
    pub moments: Moments,
    /// Probability that its true Sharpe ratio is above zero, were it the only trial.
    pub probability_above_zero: f64,
    /// Sessions needed to believe, with 95 % confidence, that it is above zero; infinite unless it is.
    pub minimum_sessions: f64,
    /// The Sharpe ratio in the light of all trials.
    pub deflation: Deflation,
    /// Cross-validation; none for fewer than two trials.
    pub overfitting: Option<Overfitting>,
    /// White's and Hansen's tests against zero, by cells of sessions; none for fewer than two trials.
    pub superiority: Option<Superiority>,
    /// The sentence.
    pub verdict: Verdict,
}

impl Judgement {
    /// Judges a search whose chosen trial has index `best` and these returns.
    ///
    /// # Errors
    /// A wrong number of returns.
    pub fn of(
        evidence: &Evidence,
        best: u64,
        returns: &[f64],
        settings: &JudgementSettings,
        hands: &mut impl Hands,
    ) -> Result<Judgement> {
        let evidence = &*evidence.with(best, returns)?;
        let moments = Moments::of(returns, Convention::Plain);
        let annual = num::sqrt(settings.periods_per_year);
        let case = Case { evidence, returns, moments: &moments, annual, settings };
        let (overfitting, Others { deflation, superiority }) = case.answers(hands)?;
        let findings = Findings {
            trials: evidence.seen(),
            sharpe: moments.sharpe * annual,
            deflated: deflation.deflated,
            pbo: overfitting.as_ref().map_or(num::NAN, |overfitting| overfitting.pbo),
            p_value: superiority.as_ref().map_or(num::NAN, |tests| tests.studentized.consistent),
            sessions: evidence.sessions() as f64,
            sessions_needed: minimum_track_record(&moments, 0.0, ALPHA),
        };
        Ok(Judgement {
            best,
            trials: findings.trials,
            compared: evidence.compared() as u64,
            passed_over: evidence.passed_over(),
            sessions: evidence.sessions() as u64,
            sharpe: findings.sharpe,
            moments,
            probability_above_zero: moments.probability_above(0.0),
            minimum_sessions: findings.sessions_needed,
            deflation,
            overfitting,
            superiority,
            verdict: Verdict::of(&findings),
        })
    }
}

/// What is judged, and how.
#[derive(Clone, Copy)]
struct Case<'a> {
    evidence: &'a Evidence,
    /// Those of the chosen trial, and their moments.
    returns: &'a [f64],
    moments: &'a Moments,
    /// From a ratio per return to one per year.
    annual: f64,
    settings: &'a JudgementSettings,
}

/// What is asked besides cross-validation.
struct Others {
    deflation: Deflation,
    superiority: Option<Superiority>,
}

/// One of both halves of the work.
enum Answer<'a> {
    Selection(Result<Selection<'a>>),
    Rest(Box<Everyone>, Result<Others>),
}

impl Case<'_> {
    /// Answers everything. Two hands take about half of the work each, which leaves nothing for them to wait for; more
    /// share the splits and the replications.
    fn answers(&self, hands: &mut impl Hands) -> Result<(Option<Overfitting>, Others)> {
        // Without a choice there is nothing to cross-validate.
        if self.evidence.compared() < 2 {
            return Ok((None, self.others(hands)?));
        }
        let blocks = &self.evidence.block_sums()?;
        let halves = &Halves::of(blocks.blocks());
        if hands.count() != 2 {
            let selection = Selection::of(blocks, halves, hands)?;
            let everyone = self.everyone(blocks, halves, hands);
            return Ok((Some(selection.beside(&everyone)), self.others(hands)?));
        }
        let answer = |question: usize| match question {
            0 => Answer::Selection(selection_alone(blocks, halves)),
            _ => self.rest_alone(blocks, halves),
        };
        let (mut selection, mut rest) = (None, None);
        for answer in hands.map(2, 1, |range| range.map(answer).collect()) {
            match answer {
                Answer::Selection(found) => selection = Some(found?),
                Answer::Rest(everyone, others) => rest = Some((everyone, others?)),
            }
        }
        let selection = selection.map_or_else(|| selection_alone(blocks, halves), Ok)?;
        let (everyone, others) = match rest {
            Some((everyone, others)) => (*everyone, others),
            None => (self.everyone(blocks, halves, &mut Alone), self.others(&mut Alone)?),
        };
        Ok((Some(selection.beside(&everyone)), others))
    }

    fn everyone(&self, blocks: &BlockSums, halves: &Halves, hands: &mut impl Hands) -> Everyone {
        Everyone::of(blocks, halves, self.settings.detailed_splits, hands)
    }

    // Compiled here and not where somebody's hands take them up.

    #[inline(never)]
    fn rest_alone(&self, blocks: &BlockSums, halves: &Halves) -> Answer<'static> {
        Answer::Rest(Box::new(self.everyone(blocks, halves, &mut Alone)), self.others(&mut Alone))
    }

    fn others(&self, hands: &mut impl Hands) -> Result<Others> {
        // Where nothing was kept the chosen trial could not be judged either.
        let panel = self.evidence.panel().ok();
        let is_choice = self.evidence.compared() > 1;
        let superiority = panel.as_ref().filter(|_| is_choice).map(|panel| self.tests(panel, hands));
        Ok(Others { deflation: self.deflation(panel.as_ref()), superiority })
    }

    /// The chosen trial's Sharpe ratio beside what luck makes of so many trials.
    fn deflation(&self, panel: Option<&Panel>) -> Deflation {
        let Case { evidence, moments, annual, .. } = *self;
        let unknown = Independence { average_correlation: num::NAN, trials: num::NAN, participation: num::NAN };
        let independence = panel.map_or(unknown, |panel| Independence::of(panel, evidence.seen()));
        // One trial alone is not deflated.
        let variance = if evidence.seen() == 1 { 0.0 } else { evidence.sharpe_variance() };
        Deflation {
            independence,
            variance,
            threshold: expected_maximum_sharpe(independence.trials, variance) * annual,
            deflated: deflated_sharpe(moments, independence.trials, variance),
            minimum_years: minimum_backtest_years(independence.trials, moments.sharpe * annual),
        }
    }

    /// The tests over cells, with blocks as long as the chosen trial's own returns ask for.
    fn tests(&self, panel: &Panel, hands: &mut impl Hands) -> Superiority {
        let Case { evidence, returns, settings, .. } = *self;
        let block = (optimal_block_length(returns).stationary / evidence.sessions_in_cell()).max(1.0);
        let bootstrap = StationaryBootstrap::new(settings.seed, panel.rows() as u32, block);
        superiority(panel, &Draws::of(&bootstrap, panel.rows(), settings.replications), block, hands)
    }
}

#[inline(never)]
fn selection_alone<'a>(blocks: &BlockSums, halves: &'a Halves) -> Result<Selection<'a>> {
    Selection::of(blocks, halves, &mut Alone)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::super::Grade;
    use super::*;
    use crate::rng::Stream;

    const SETTINGS: JudgementSettings =
        JudgementSettings { periods_per_year: 252.0, replications: 200, detailed_splits: 4, seed: 1 };

    /// Trials of noise, `edge` added to trial 3; the judgement of the one with the best Sharpe ratio.
    fn judged(seed: u64, trials: u64, sessions: usize, edge: f64, most: usize) -> Judgement {
        let mut evidence = Evidence::new(sessions, most, seed).unwrap();
        let series = |trial: u64| -> Vec<f64> {
            let mut stream = Stream::new(seed, [9, trial as u32]);
            (0..sessions).map(|_| 0.01 * stream.normal() + if trial == 3 { edge } else { 0.0 }).collect()
        };
        let columns: Vec<Vec<f64>> = (0..trials).map(series).collect();
        let mut best = (f64::NEG_INFINITY, 0);
        for (index, column) in columns.iter().enumerate() {
            evidence.push(index as u64, column).unwrap();
            let sharpe = Moments::of(column, Convention::Plain).sharpe;
            best = if sharpe > best.0 { (sharpe, index) } else { best };
        }
        Judgement::of(&evidence, best.1 as u64, &columns[best.1], &SETTINGS, &mut Alone).unwrap()
    }

    /// So many hands, one after another.
    struct Several(usize);

    impl Hands for Several {
        fn count(&self) -> usize {
            self.0
        }

        fn map<R: Send>(
            &mut self,
            items: usize,
            _least: usize,
            work: impl Fn(std::ops::Range<usize>) -> Vec<R> + Sync,
        ) -> Vec<R> {
            (0..self.0).flat_map(|hand| work(items * hand / self.0..items * (hand + 1) / self.0)).collect()
        }
    }

    #[test]
    fn any_number_of_hands_comes_to_the_same() {
        let evidence = |trials: u64| {
            let mut evidence = Evidence::new(300, 100, 3).unwrap();
            let returns = |trial: u64| -> Vec<f64> {
                let mut stream = Stream::new(3, [9, trial as u32]);
                (0..300).map(|_| stream.normal()).collect()
            };
            assert!((0..trials).all(|trial| evidence.push(trial, &returns(trial)).unwrap()));
            (evidence, returns(0))
        };
        for trials in [1, 2, 40] {
            let (evidence, returns) = evidence(trials);
            let judged = |hands: usize| {
                let hands = &mut Several(hands);
                Judgement::of(&evidence, 0, &returns, &SETTINGS, hands).unwrap()
            };
            // As texts: what is not defined equals itself there.
            let [one, two, three] = [1, 2, 3].map(|hands| format!("{:?}", judged(hands)));
            assert_eq!((&one, &one), (&two, &three), "{trials} trials");
        }
    }

    #[test]
    fn luck_is_not_deflated_to_skill() {
        let repetitions = 1000;
        let significant = (0..repetitions).filter(|&seed| {
            let mut trials: Vec<f64> = Vec::new();
            let mut best = Moments { count: 0.0, sharpe: f64::NEG_INFINITY, skew: 0.0, kurtosis: 3.0 };
            for trial in 0..20 {
                let mut stream = Stream::new(seed, [11, trial]);
                let returns: Vec<f64> = (0..100).map(|_| stream.normal()).collect();
                let moments = Moments::of(&returns, Convention::Plain);
                trials.push(moments.sharpe);
                best = if moments.sharpe > best.sharpe { moments } else { best };
            }
            let mean = trials.iter().sum::<f64>() / 20.0;
            let variance = trials.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 19.0;
            deflated_sharpe(&best, 20.0, variance) > 0.95
        });
        assert!(significant.count() <= repetitions as usize / 20);
    }

    #[test]
    fn noise_is_not_believed() {
        let believed = (0..20).filter(|&seed| judged(seed, 40, 300, 0.0, 100).verdict.grade == Grade::Believable);
        assert_eq!(believed.count(), 0);
    }

    #[test]
    fn a_planted_edge_is_believed() {
        let found = judged(1, 40, 1000, 0.003, 100);
        assert_eq!((found.best, found.verdict.grade), (3, Grade::Believable), "{found:?}");
        assert!(found.overfitting.unwrap().pbo < 0.01);
        assert!(found.deflation.deflated > 0.99 && found.superiority.unwrap().studentized.consistent < 0.01);
        assert!(found.deflation.independence.trials > 35.0 && found.minimum_sessions < 1000.0);
    }

    #[test]
    fn a_sample_keeps_the_chosen_trial() {
        let found = judged(2, 300, 120, 0.02, 30);
        assert_eq!((found.best, found.trials), (3, 300));
        assert!((30..=31).contains(&found.compared), "{}", found.compared);
        assert!(found.overfitting.unwrap().pbo < 0.05, "the edge is compared");
    }

    #[test]
    fn one_trial_or_none_that_moves_is_judged_as_far_as_it_goes() {
        let one = judged(5, 1, 250, 0.0, 10);
        assert!(one.overfitting.is_none() && one.superiority.is_none());
        assert_eq!(one.deflation.deflated, one.probability_above_zero);
        let still = Evidence::new(50, 10, 0).unwrap();
        let still = Judgement::of(&still, 0, &[0.0; 50], &SETTINGS, &mut Alone).unwrap();
        assert_eq!((still.verdict.grade, still.trials), (Grade::Unknown, 1));
        let ruined = Judgement::of(&Evidence::new(50, 10, 0).unwrap(), 0, &[], &SETTINGS, &mut Alone).unwrap();
        assert_eq!((ruined.verdict.grade, ruined.trials), (Grade::Unknown, 0));
        assert!(Judgement::of(&Evidence::new(50, 10, 0).unwrap(), 0, &[0.0; 49], &SETTINGS, &mut Alone).is_err());
    }
}
