//! What folds say about a way of choosing: how much of training is left in the test, and how steady the choice is.

use crate::num;

/// Walk-forward efficiency: the mean of the objective over tests divided by its mean over training, both annualised or
/// per session, larger being better. Folds in which either is missing are left out.
///
/// NaN unless the mean over training is positive: a ratio to a loss has no meaning, and two losses would make a gain.
/// A negative efficiency is a loss in the test.
pub fn efficiency(train: &[f64], test: &[f64]) -> f64 {
    let pairs = train.iter().zip(test).filter(|(train, test)| train.is_finite() && test.is_finite());
    let (train, test) = pairs.fold((0.0, 0.0), |(a, b), (train, test)| (a + train, b + test));
    // The numbers of folds cancel.
    if train > 0.0 { test / train } else { num::NAN }
}

/// How steady the chosen value of one parameter is from fold to fold: 1 if it never changes, 0 if it jumps from one end
/// of its values to the other every time. `places` are positions among the parameter's `values` values.
///
/// `1 − mean |step| / (values − 1)`; NaN below two folds, 1 for a parameter with a single value.
pub fn stability(places: &[u64], values: u64) -> f64 {
    if places.len() < 2 {
        return num::NAN;
    }
    if values < 2 {
        return 1.0;
    }
    let steps: u64 = places.windows(2).map(|pair| pair[0].abs_diff(pair[1])).sum();
    1.0 - steps as f64 / (places.len() - 1) as f64 / (values - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn efficiency_is_safe_about_signs() {
        assert_eq!(efficiency(&[2.0, 2.0], &[1.0, 0.0]), 0.25);
        assert_eq!(efficiency(&[1.0], &[-0.5]), -0.5);
        assert_eq!(efficiency(&[1.0, num::NAN, 3.0], &[1.0, 9.0, 1.0]), 0.5);
        for (train, test) in [(&[-1.0][..], &[-1.0][..]), (&[0.0], &[1.0]), (&[], &[]), (&[num::NAN], &[1.0])] {
            assert!(efficiency(train, test).is_nan());
        }
    }

    #[test]
    fn stability_is_one_at_rest_and_zero_in_jumps() {
        assert_eq!(stability(&[3, 3, 3], 10), 1.0);
        assert_eq!(stability(&[0, 9, 0, 9], 10), 0.0);
        assert!((stability(&[0, 1, 2], 11) - 0.9).abs() < 1e-15);
        assert!(stability(&[4], 10).is_nan());
        assert_eq!(stability(&[0, 0], 1), 1.0);
    }
}
