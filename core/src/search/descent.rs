//! The minimum of a smooth function in a box.
//!
//! Given a function with its gradient, this file walks downhill by quasi-Newton steps (BFGS), each cut to the box. It
//! never knows what the function is.

use super::linear::dot;

/// What a step must gain, in parts of what the slope promises (Armijo).
const GAIN: f64 = 1e-4;
/// Halvings of a step before the walk ends.
const HALVINGS: u32 = 25;

/// The place reached from `start` after at most so many steps, with its value. Where the function is not finite it counts
/// as infinitely high, so a walk never enters there.
pub fn minimise(
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
    start: &[f64],
    bounds: &[(f64, f64)],
    steps: u32,
) -> (Vec<f64>, f64) {
    let n = start.len();
    let inside = |x: f64, axis: usize| x.clamp(bounds[axis].0, bounds[axis].1);
    let mut x: Vec<f64> = (0..n).map(|axis| inside(start[axis], axis)).collect();
    let mut gradient = vec![0.0; n];
    let mut value = function(&x, &mut gradient);
    if !value.is_finite() {
        return (x, value);
    }
    let mut curvature = identity(n);
    let mut fresh = true;
    for _ in 0..steps {
        // What pushes against a wall does not move.
        let is_free = |axis: usize| {
            let (low, high) = bounds[axis];
            !((x[axis] <= low && gradient[axis] > 0.0) || (x[axis] >= high && gradient[axis] < 0.0))
        };
        let free: Vec<f64> = (0..n).map(|axis| if is_free(axis) { gradient[axis] } else { 0.0 }).collect();
        if free.iter().all(|slope| slope.abs() < 1e-8) {
            break;
        }
        let mut direction: Vec<f64> = (0..n)
            .map(|axis| if free[axis] == 0.0 { 0.0 } else { -dot(&curvature[axis * n..(axis + 1) * n], &free) })
            .collect();
        if dot(&direction, &free) >= 0.0 {
            direction = free.iter().map(|slope| -slope).collect();
            (curvature, fresh) = (identity(n), true);
        }
        // A first step knows no scale: it is at most a tenth of the box.
        let longest = (0..n).map(|axis| direction[axis].abs() / (bounds[axis].1 - bounds[axis].0)).fold(0.0, f64::max);
        let mut length = if fresh && longest > 0.1 { 0.1 / longest } else { 1.0 };
        let mut next = Vec::new();
        let mut next_gradient = vec![0.0; n];
        let mut found = None;
        for _ in 0..HALVINGS {
            next = (0..n).map(|axis| inside(x[axis] + length * direction[axis], axis)).collect();
            let promised: f64 = (0..n).map(|axis| (next[axis] - x[axis]) * free[axis]).sum();
            let reached = function(&next, &mut next_gradient);
            if reached.is_finite() && reached <= value + GAIN * promised {
                found = Some(reached);
                break;
            }
            length /= 2.0;
        }
        let Some(reached) = found else { break };
        let step: Vec<f64> = (0..n).map(|axis| next[axis] - x[axis]).collect();
        let bend: Vec<f64> = (0..n).map(|axis| next_gradient[axis] - gradient[axis]).collect();
        update(&mut curvature, &step, &bend, fresh);
        fresh = false;
        let gained = value - reached;
        (x, gradient, value) = (next, next_gradient, reached);
        if gained <= 1e-9 * value.abs().max(1.0) {
            break;
        }
    }
    (x, value)
}

fn identity(n: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; n * n];
    (0..n).for_each(|i| matrix[i * n + i] = 1.0);
    matrix
}

/// The update of Broyden, Fletcher, Goldfarb and Shanno of the inverse curvature, where the step bends upward.
fn update(inverse: &mut [f64], step: &[f64], bend: &[f64], fresh: bool) {
    let n = step.len();
    let along = dot(step, bend);
    if along <= 1e-12 * dot(bend, bend) {
        return;
    }
    if fresh {
        let scale = along / dot(bend, bend);
        (0..n).for_each(|i| inverse[i * n + i] = scale);
    }
    let moved: Vec<f64> = (0..n).map(|i| dot(&inverse[i * n..(i + 1) * n], bend)).collect();
    let factor = (1.0 + dot(bend, &moved) / along) / along;
    for i in 0..n {
        for j in 0..n {
            inverse[i * n + j] += factor * step[i] * step[j] - (moved[i] * step[j] + step[i] * moved[j]) / along;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curved_valley_is_followed_to_its_end_and_a_wall_stops() {
        let valley = |x: &[f64], gradient: &mut [f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            gradient[0] = -2.0 * a - 400.0 * b * x[0];
            gradient[1] = 200.0 * b;
            a * a + 100.0 * b * b
        };
        let (x, value) = minimise(valley, &[-1.2, 1.0], &[(-2.0, 2.0), (-2.0, 2.0)], 200);
        assert!(value < 1e-8 && (x[0] - 1.0).abs() < 1e-3, "{x:?} {value}");
        let (x, _) = minimise(valley, &[-1.2, 1.0], &[(-2.0, 0.5), (-2.0, 2.0)], 200);
        assert!((x[0] - 0.5).abs() < 1e-6 && (x[1] - 0.25).abs() < 1e-4, "{x:?}");
    }

    #[test]
    fn undefined_values_are_not_entered() {
        let half = |x: &[f64], gradient: &mut [f64]| {
            gradient[0] = 2.0 * (x[0] + 1.0);
            if x[0] < 0.3 { f64::NAN } else { (x[0] + 1.0) * (x[0] + 1.0) }
        };
        let (x, value) = minimise(half, &[0.9], &[(-1.0, 1.0)], 50);
        assert!(x[0] >= 0.3 && value.is_finite());
    }
}
