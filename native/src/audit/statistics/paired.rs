//! The paired comparison of two ways to do the same work.
//!
//! Each pair is a time before and a time after, taken one right after the other, so that what slows the machine slows
//! both. The test is Student's paired t-test, one-tailed: t is the mean of the differences (before less after) over its
//! standard error (deviation with ddof 1 over the root of the number), and p the probability that t with one degree
//! of freedom less than there are pairs is as large by chance alone.

use super::{Mean, upper_tail};

/// Probability that `before` is longer than `after` by as much as it is, or more, if the two were the same. Pairs that
/// all differ by the same amount leave no doubt: 0 if they are longer, 1 if not. NaN of fewer than two pairs.
pub fn p_greater(before: &[f64], after: &[f64]) -> f64 {
    let differences: Vec<f64> = before.iter().zip(after).map(|(before, after)| before - after).collect();
    let difference = Mean::of(&differences);
    if differences.len() < 2 || !difference.mean.is_finite() {
        return f64::NAN;
    }
    let n = differences.len() as f64;
    let error = difference.deviation / n.sqrt();
    if error == 0.0 {
        return if difference.mean > 0.0 { 0.0 } else { 1.0 };
    }
    upper_tail(difference.mean / error, n - 1.0)
}

/// By what share of the time before each pair became shorter: 0.4 is 40 % less; below 0 it became longer.
pub fn improvements(before: &[f64], after: &[f64]) -> Vec<f64> {
    before.iter().zip(after).map(|(before, after)| 1.0 - after / before).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_textbook_comparison() {
        // Differences 1, 2, 3, 4, 5: mean 3, standard error sqrt(2.5 / 5), t = 4.24264 with 4 degrees; p = 0.0066178.
        let (before, after) = ([2.0, 4.0, 6.0, 8.0, 10.0], [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert!((p_greater(&before, &after) - 0.006_618).abs() < 1e-6, "{}", p_greater(&before, &after));
        assert!((p_greater(&after, &before) - (1.0 - 0.006_618)).abs() < 1e-6);
        assert_eq!(improvements(&before, &after), [0.5; 5]);
    }

    #[test]
    fn equal_samples_constant_differences_and_single_pairs() {
        assert_eq!(p_greater(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), 1.0);
        assert_eq!(p_greater(&[2.0, 3.0], &[1.0, 2.0]), 0.0);
        assert_eq!(p_greater(&[1.0, 2.0], &[2.0, 3.0]), 1.0);
        assert!(p_greater(&[2.0], &[1.0]).is_nan() && p_greater(&[], &[]).is_nan());
        assert_eq!(improvements(&[2.0], &[3.0]), [-0.5]);
    }
}
