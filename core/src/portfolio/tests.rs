#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::*;
use crate::rng::Stream;

/// Returns of a member: `deviation` times noise, plus `common` times noise that all share, plus a mean.
fn member(seed: u64, sessions: usize, deviation: f64, common: f64, mean: f64) -> Vec<f64> {
    let (mut own, mut shared) = (Stream::new(seed, [1, 0]), Stream::new(99, [1, 1]));
    (0..sessions).map(|_| mean + deviation * own.normal() + common * shared.normal()).collect()
}

fn columns(members: &[Vec<f64>]) -> Vec<&[f64]> {
    members.iter().map(Vec::as_slice).collect()
}

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    let close = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance);
    assert!(close, "{found:?} is not near {expected:?}");
}

#[test]
fn the_covariance_of_two_by_hand() {
    // Centred columns (1, −1, 1, −1) and (2, 2, −2, −2): S = diag(1, 4), m = 2.5, ‖S − mI‖² = 4.5,
    // Σ_t ‖x_t x_t' − S‖² = 4 · 2 · (±2)² = 32, over n² = 2: δ = 2 / 4.5.
    let (one, other) = ([1.0, -1.0, 1.0, -1.0], [2.0, 2.0, -2.0, -2.0]);
    let found = ledoit_wolf(&[&one, &other]);
    let shrinkage = 2.0 / 4.5;
    assert!((found.shrinkage - shrinkage).abs() < 1e-15);
    near(&found.values, &[1.0 + shrinkage * 1.5, 0.0, 0.0, 4.0 - shrinkage * 1.5], 1e-14);
    // The same member twice: the direction without variance gets some.
    let noise = member(1, 60, 0.01, 0.0, 0.0);
    let twice = ledoit_wolf(&[&noise, &noise]);
    assert!(twice.shrinkage > 0.0 && twice.at(0, 0) > twice.at(0, 1), "{twice:?}");
}

#[test]
fn shrinkage_falls_with_the_number_of_sessions() {
    let of = |sessions: usize| {
        let members: Vec<Vec<f64>> = (0..5).map(|m| member(m, sessions, 0.01, 0.01, 0.0)).collect();
        ledoit_wolf(&columns(&members)).shrinkage
    };
    let (few, many) = (of(30), of(3000));
    assert!(few > many && few <= 1.0 && many > 0.0 && many < 0.05, "{few} {many}");
}

#[test]
fn inverse_volatility_by_hand() {
    near(&inverse_volatility(&[&[1.0, -1.0], &[3.0, -3.0]]), &[0.75, 0.25], 1e-15);
}

#[test]
fn risk_parity_contributes_equally_whatever_the_correlations() {
    let members: Vec<Vec<f64>> = [(0.01, 0.02, 1), (0.02, 0.0, 2), (0.005, -0.01, 3), (0.04, 0.01, 4)]
        .iter()
        .map(|&(deviation, common, seed)| member(seed, 500, deviation, common, 0.0))
        .collect();
    let covariance = ledoit_wolf(&columns(&members));
    let weights = equal_risk(&covariance);
    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-14 && weights.iter().all(|&w| w > 0.0));
    near(&covariance.contributions(&weights), &[0.25; 4], 1e-10);
    // Two members: inverse volatility, whatever their correlation (section 2.2 of the paper).
    let two = Covariance { size: 2, values: vec![0.04, 0.03, 0.03, 0.09], shrinkage: 0.0 };
    near(&equal_risk(&two), &[0.6, 0.4], 1e-12);
    // No correlation and equal correlation of equal members.
    let three = Covariance { size: 3, values: vec![1.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 16.0], shrinkage: 0.0 };
    near(&equal_risk(&three), &[4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0], 1e-12);
}

#[test]
fn the_largest_growth_is_where_no_step_helps() {
    // Without correlation the full bet is mean over variance, and a losing member gets nothing.
    let plain = Covariance { size: 3, values: vec![0.04, 0.0, 0.0, 0.0, 0.01, 0.0, 0.0, 0.0, 0.02], shrinkage: 0.0 };
    near(&growth(&[0.02, 0.01, -0.01], &plain), &[0.5, 1.0, 0.0], 1e-12);
    // Two members with correlation: Σ⁻¹μ by hand, all positive.
    let two = Covariance { size: 2, values: vec![2.0, 1.0, 1.0, 2.0], shrinkage: 0.0 };
    near(&growth(&[3.0, 3.0], &two), &[1.0, 1.0], 1e-10);
    // A poor copy of a good member is not held although its own mean is positive.
    near(&growth(&[3.0, 1.0], &two), &[1.5, 0.0], 1e-10);
}

#[test]
fn kelly_takes_a_fraction_and_never_borrows() {
    let members = [member(1, 2000, 0.01, 0.0, 0.0002), member(2, 2000, 0.02, 0.0, -0.01)];
    let full = kelly(&columns(&members), 1.0);
    assert_eq!(full[1], 0.0);
    let tenth = kelly(&columns(&members), 0.01);
    assert!(full[0] <= 1.0 && tenth[0] > 0.0 && tenth[0] < full[0], "{full:?} {tenth:?}");
    let steep = [member(1, 500, 0.001, 0.0, 0.01), member(2, 500, 0.001, 0.0, 0.01)];
    assert!((kelly(&columns(&steep), 0.5).iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn mean_variance_beats_other_weights_in_its_own_sessions() {
    let members: Vec<Vec<f64>> =
        (0..4).map(|m| member(m, 800, 0.01 + 0.005 * m as f64, 0.005, 0.0005 * m as f64)).collect();
    let best = mean_variance(&columns(&members));
    let covariance = ledoit_wolf(&columns(&members));
    let ratio = |weights: &[f64]| {
        let mean: f64 = members.iter().zip(weights).map(|(returns, w)| w * super::mean(returns)).sum();
        let variance: f64 = (0..4).map(|m| weights[m] * covariance.with_portfolio(m, weights)).sum();
        mean / crate::num::sqrt(variance)
    };
    assert!((best.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    for one in 0..4 {
        for other in 0..4 {
            let mut moved = best.clone();
            let step = moved[one].min(0.01);
            moved[one] -= step;
            moved[other] += step;
            assert!(ratio(&moved) <= ratio(&best) + 1e-12, "{best:?}");
        }
    }
    let losing = [member(1, 100, 0.001, 0.0, -0.01), member(2, 100, 0.001, 0.0, -0.01)];
    assert_eq!(mean_variance(&columns(&losing)), [0.0, 0.0], "all is cash");
}

#[test]
fn every_scheme_keeps_its_bounds_on_any_members() {
    let still = vec![0.0; 60];
    let members = [member(1, 60, 0.01, 0.01, 0.001), member(1, 60, 0.01, 0.01, 0.001), still];
    for scheme in Scheme::ALL {
        let weights = scheme.weights(&columns(&members), 0.5).unwrap();
        let sum: f64 = weights.iter().sum();
        assert!(weights.iter().all(|&w| (0.0..=1.0).contains(&w)) && sum <= 1.0 + 1e-12, "{scheme:?} {weights:?}");
        assert_eq!(weights[2] == 0.0, scheme.estimates(), "a member that never traded: {scheme:?}");
        assert!((weights[0] - weights[1]).abs() < 1e-6 || scheme != Scheme::RiskParity, "{weights:?}");
        let one = scheme.weights(&columns(&members[..1]), 1.0).unwrap();
        assert!(scheme == Scheme::Kelly || (one[0] - 1.0).abs() < 1e-12, "{scheme:?} {one:?}");
    }
    let cash = Scheme::RiskParity.weights(&[&[0.0; 30]], 1.0).unwrap();
    assert_eq!(cash, [0.0]);
}

#[test]
fn what_cannot_be_weighted_is_refused() {
    let good = [0.01; 30];
    let short = [0.01; 19];
    let broken = [f64::NAN; 30];
    assert!(Scheme::RiskParity.weights(&[], 1.0).is_err());
    assert!(Scheme::RiskParity.weights(&[&good, &short], 1.0).is_err());
    assert!(Scheme::RiskParity.weights(&[&short], 1.0).is_err());
    assert!(Scheme::Fixed.weights(&[&short], 1.0).is_ok());
    assert!(Scheme::Kelly.weights(&[&broken], 1.0).is_err());
    for fraction in [0.0, -1.0, 1.5, f64::NAN] {
        assert!(Scheme::Fixed.weights(&[&good], fraction).is_err(), "{fraction}");
    }
}
