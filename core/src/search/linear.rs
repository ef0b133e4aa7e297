//! The little linear algebra that methods need: square matrices as rows of numbers, sums in a fixed order.
//!
//! Given numbers, this file gives numbers. It never knows what they stand for.

use crate::num;

/// Sweeps of the eigenvalue iteration at most; a dozen are enough for the sizes of a parameter space.
const SWEEPS: u32 = 60;

/// The lower triangle `L` with `L Lᵀ = a`, row by row with zeros above the diagonal; `None` if `a` is not positive
/// definite. `a` has `n` rows of `n` numbers, of which the lower triangle is read.
pub fn cholesky(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let (before, row) = l.split_at_mut(i * n);
            let other = if j < i { &before[j * n..j * n + j] } else { &[] };
            if j < i {
                let sum = a[i * n + j] - dot(&row[..j], other);
                row[j] = sum / before[j * n + j];
            } else {
                let pivot = a[i * n + i] - dot(&row[..i], &row[..i]);
                if !(pivot > 0.0 && pivot.is_finite()) {
                    return None;
                }
                row[i] = num::sqrt(pivot);
            }
        }
    }
    Some(l)
}

/// The sum of products, in four stripes so that it runs wide and is the same everywhere.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut stripes = [0.0; 4];
    let (wide_a, wide_b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = wide_a.remainder().iter().zip(wide_b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in wide_a.zip(wide_b) {
        stripes.iter_mut().zip(x.iter().zip(y)).for_each(|(stripe, (x, y))| *stripe += x * y);
    }
    (stripes[0] + stripes[1]) + (stripes[2] + stripes[3]) + rest
}

/// Solves `L x = b` in place.
pub fn solve_lower(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        b[i] = (b[i] - dot(&l[i * n..i * n + i], &b[..i])) / l[i * n + i];
    }
}

/// Solves `Lᵀ x = b` in place.
pub fn solve_upper(l: &[f64], n: usize, b: &mut [f64]) {
    for i in (0..n).rev() {
        b[i] /= l[i * n + i];
        let known = b[i];
        for (target, factor) in b[..i].iter_mut().zip(&l[i * n..i * n + i]) {
            *target -= factor * known;
        }
    }
}

/// The inverse of `L Lᵀ`, whole.
pub fn inverse(l: &[f64], n: usize) -> Vec<f64> {
    // Columns of the inverse of L as rows, so that products run along memory.
    let mut rows = vec![0.0; n * n];
    let mut column = vec![0.0; n];
    for j in 0..n {
        column.iter_mut().for_each(|x| *x = 0.0);
        column[j] = 1.0;
        for i in j..n {
            column[i] = (column[i] - dot(&l[i * n + j..i * n + i], &column[j..i])) / l[i * n + i];
        }
        rows[j * n..(j + 1) * n].copy_from_slice(&column);
    }
    let mut inverse = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let value = dot(&rows[i * n + i..(i + 1) * n], &rows[j * n + i..(j + 1) * n]);
            inverse[i * n + j] = value;
            inverse[j * n + i] = value;
        }
    }
    inverse
}

/// Eigenvalues and eigenvectors of a symmetric matrix, by rotations (Jacobi 1846, cyclic): vector `k` is column `k` of
/// the second part.
pub fn eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = a.to_vec();
    let mut vectors = vec![0.0; n * n];
    (0..n).for_each(|i| vectors[i * n + i] = 1.0);
    for _ in 0..SWEEPS {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i * n + j] * a[i * n + j]).sum();
        let on: f64 = (0..n).map(|i| a[i * n + i] * a[i * n + i]).sum();
        if off <= 1e-30 * on || off == 0.0 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, n, p, q);
            }
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), vectors)
}

/// One rotation that makes the element (p, q) zero.
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, p: usize, q: usize) {
    let element = a[p * n + q];
    if element == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * element);
    let t = theta.signum() / (theta.abs() + num::sqrt(theta * theta + 1.0));
    let c = 1.0 / num::sqrt(t * t + 1.0);
    let s = t * c;
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for k in 0..n {
        let (x, y) = (a[p * n + k], a[q * n + k]);
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
        let (x, y) = (vectors[k * n + p], vectors[k * n + q]);
        vectors[k * n + p] = c * x - s * y;
        vectors[k * n + q] = s * x + c * y;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::rng::Stream;

    /// A random positive definite matrix.
    fn matrix(n: usize) -> Vec<f64> {
        let mut stream = Stream::new(n as u64, [0, 0]);
        let b: Vec<f64> = (0..n * n).map(|_| stream.normal()).collect();
        let at = |i: usize, j: usize| dot(&b[i * n..(i + 1) * n], &b[j * n..(j + 1) * n]) + f64::from(u8::from(i == j));
        (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| at(i, j)).collect()
    }

    #[test]
    fn solutions_satisfy_their_equations() {
        for n in [1, 2, 5, 17] {
            let a = matrix(n);
            let l = cholesky(&a, n).unwrap();
            let b: Vec<f64> = (0..n).map(|i| i as f64 - 1.5).collect();
            let mut x = b.clone();
            solve_lower(&l, n, &mut x);
            solve_upper(&l, n, &mut x);
            let inverse = inverse(&l, n);
            for i in 0..n {
                assert!((dot(&a[i * n..(i + 1) * n], &x) - b[i]).abs() < 1e-8);
                assert!((dot(&inverse[i * n..(i + 1) * n], &b) - x[i]).abs() < 1e-8);
            }
        }
        assert!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
    }

    #[test]
    fn eigenvectors_are_stretched_by_their_eigenvalues() {
        for n in [1, 2, 5, 17] {
            let a = matrix(n);
            let (values, vectors) = eigen(&a, n);
            for k in 0..n {
                let vector: Vec<f64> = (0..n).map(|i| vectors[i * n + k]).collect();
                assert!((dot(&vector, &vector) - 1.0).abs() < 1e-9);
                for i in 0..n {
                    assert!((dot(&a[i * n..(i + 1) * n], &vector) - values[k] * vector[i]).abs() < 1e-7);
                }
            }
        }
    }
}
