//! The Sharpe ratio of the best of many trials, deflated by what luck alone gives the best.
//!
//! Given the variance of the trials' Sharpe ratios and how many independent ones they are worth, this gives the
//! threshold that the best must pass. It never sees the trials: how many they are worth is `independent.rs`.

use super::{Moments, normal};
use crate::num;

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// Expected largest Sharpe ratio of so many independent trials without skill, whose Sharpe ratios have this
/// `variance`; 0 for one trial or fewer. `trials` may be a fraction, since it is an estimate.
///
/// `√V ((1 − γ) z(1 − 1/N) + γ z(1 − 1/(N e)))`: Bailey and López de Prado, "The Deflated Sharpe Ratio", Journal of
/// Portfolio Management 40(5), 2014.
pub fn expected_maximum_sharpe(trials: f64, variance: f64) -> f64 {
    if trials.is_nan() || variance.is_nan() || variance < 0.0 {
        return num::NAN;
    }
    if trials <= 1.0 {
        return 0.0;
    }
    // −z(q) = z(1 − q), exact where q is tiny.
    let largest = -(1.0 - EULER) * normal::quantile(1.0 / trials)
        - EULER * normal::quantile(1.0 / (trials * std::f64::consts::E));
    // Between one trial and two the formula dips below zero.
    num::sqrt(variance) * largest.max(0.0)
}

/// Deflated Sharpe ratio: the probability that the best trial's true Sharpe ratio is above what the best of `trials`
/// independent ones without skill was expected to show. Significant from 0.95 on.
pub fn deflated_sharpe(best: &Moments, trials: f64, variance: f64) -> f64 {
    best.probability_above(expected_maximum_sharpe(trials, variance))
}

/// Minimum track record length: how many returns like these must be seen to believe, with confidence `1 − alpha`, in
/// a Sharpe ratio above `target` (per return). Infinite where the ratio is not above it.
///
/// `1 + (1 − g3 S + (g4 − 1)/4 S²) (z(1 − α) / (S − b))²`: Bailey and López de Prado 2012.
pub fn minimum_track_record(moments: &Moments, target: f64, alpha: f64) -> f64 {
    if moments.sharpe <= target {
        return f64::INFINITY;
    }
    let z = normal::quantile(1.0 - alpha) / (moments.sharpe - target);
    num::canonical(1.0 + moments.variance_of_estimate() * z * z)
}

/// Minimum backtest length in years: with fewer, the best of `trials` independent ones without skill is expected to
/// show an annualised Sharpe ratio of `target`.
///
/// Bailey, Borwein, López de Prado and Zhu, "Pseudo-Mathematics and Financial Charlatanism", Notices of the AMS
/// 61(5), 2014. NaN unless `target` is positive.
pub fn minimum_backtest_years(trials: f64, target: f64) -> f64 {
    if target <= 0.0 || target.is_nan() {
        return num::NAN;
    }
    let years = expected_maximum_sharpe(trials, 1.0) / target;
    years * years
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEST: Moments = Moments { count: 1000.0, sharpe: 0.08, skew: -0.5, kurtosis: 6.0 };

    #[test]
    fn one_trial_is_not_deflated_and_more_are_ever_more() {
        assert_eq!(deflated_sharpe(&BEST, 1.0, 1e-3), BEST.probability_above(0.0));
        let deflated = [1.0, 1.5, 2.0, 10.0, 1e3, 1e6, 1e9].map(|trials| deflated_sharpe(&BEST, trials, 1e-3));
        assert!(deflated.windows(2).all(|pair| pair[0] >= pair[1]), "{deflated:?}");
        assert_eq!(expected_maximum_sharpe(100.0, 0.0), 0.0);
        assert!(expected_maximum_sharpe(num::NAN, 1.0).is_nan() && expected_maximum_sharpe(9.0, -1.0).is_nan());
    }

    #[test]
    fn a_track_record_is_as_long_as_it_must_be() {
        let needed = minimum_track_record(&BEST, 0.0, 0.05);
        let just = Moments { count: needed, ..BEST };
        assert!((just.probability_above(0.0) - 0.95).abs() < 1e-12);
        assert_eq!(minimum_track_record(&BEST, 0.08, 0.05), f64::INFINITY);
        assert!(minimum_track_record(&Moments { sharpe: num::NAN, ..BEST }, 0.0, 0.05).is_nan());
    }

    #[test]
    fn more_trials_need_longer_backtests() {
        // The paper's abstract: five years allow at most 45 independent configurations at an expected ratio of 1.
        assert!((minimum_backtest_years(45.0, 1.0) - 5.0).abs() < 0.1);
        assert!(minimum_backtest_years(45.0, 0.0).is_nan());
    }
}
