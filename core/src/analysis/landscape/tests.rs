#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::*;

/// All points of a grid with a score by their digits.
fn grid(lengths: &[u64], score: impl Fn(&[u64]) -> f64) -> (Vec<u64>, Vec<f64>) {
    let size: u64 = lengths.iter().product();
    let digits = |mut index: u64| {
        let mut digits: Vec<u64> = lengths
            .iter()
            .rev()
            .map(|length| {
                let digit = index % length;
                index /= length;
                digit
            })
            .collect();
        digits.reverse();
        digits
    };
    ((0..size).collect(), (0..size).map(|index| score(&digits(index))).collect())
}

#[test]
fn a_lone_peak_and_a_plateau_are_told_apart() {
    let peak = |d: &[u64]| if d == [2, 2] { 9.0 } else { 1.0 };
    let (indices, scores) = grid(&[5, 5], peak);
    let terrain = Landscape::new(&[5, 5], &indices, &scores).unwrap().terrain(0.2);
    assert_eq!((terrain.best, terrain.score, terrain.points), (12, 9.0, 25));
    assert_eq!((terrain.neighbourhood.points, terrain.neighbourhood.median), (8, 1.0));
    assert!((terrain.neighbourhood.retained - 1.0 / 9.0).abs() < 1e-15);
    assert_eq!((terrain.plateau.share, terrain.plateau.connected), (0.04, 0.04));

    let plateau = |d: &[u64]| if d[0] < 3 && d[1] < 3 { 3.0 } else { 1.0 } + if d == [4, 4] { 3.0 } else { 0.0 };
    let (indices, scores) = grid(&[5, 5], plateau);
    let land = Landscape::new(&[5, 5], &indices, &scores).unwrap();
    let found = land.plateau(6, 0.2);
    assert_eq!((found.share, found.connected), (0.4, 0.36), "the far corner is as good, but elsewhere");
    assert!(land.neighbourhood(6).sensitivity.iter().all(|&fall| fall == 0.0));
    assert_eq!(land.neighbourhood(0).points, 3, "a corner has three neighbours");
}

#[test]
fn maxima_are_counted_once() {
    let waves = |d: &[u64]| [0.0, 1.0, 0.0, 2.0, 2.0, 0.0][d[0] as usize];
    let (indices, scores) = grid(&[6], waves);
    let land = Landscape::new(&[6], &indices, &scores).unwrap();
    assert_eq!(land.local_maxima(), 2);
    assert_eq!(land.best(), 3);
}

#[test]
fn importance_is_where_the_variance_is() {
    // The first axis explains all of it, the second nothing, the third works only together with the second.
    let (indices, scores) = grid(&[4, 6, 5], |d| d[0] as f64);
    let land = Landscape::new(&[4, 6, 5], &indices, &scores).unwrap();
    let importance = land.importance();
    assert!((importance.shares[0] - 1.0).abs() < 1e-12 && importance.shares[1] == 0.0, "{importance:?}");
    assert!(importance.together < 1e-12);
    let (indices, scores) = grid(&[4, 6, 6], |d| f64::from(u8::from((d[1] + d[2]) % 2 == 0)));
    let mixed = Landscape::new(&[4, 6, 6], &indices, &scores).unwrap().importance();
    assert_eq!((mixed.shares, mixed.together), (vec![0.0; 3], 1.0));
    let line = Landscape::new(&[3], &[0, 1, 2], &[1.0, 5.0, 2.0]).unwrap().importance();
    assert_eq!(line.shares, [1.0]);
    let flat = Landscape::new(&[3], &[0, 1, 2], &[1.0; 3]).unwrap().importance();
    assert!(flat.shares[0].is_nan() && flat.together.is_nan());
}

#[test]
fn slices_have_every_value_and_pass_through_the_best() {
    let (indices, scores) = grid(&[2, 3], |d| (d[0] * 10 + d[1]) as f64);
    let land = Landscape::new(&[2, 3], &indices, &scores).unwrap();
    let slices = land.slices(land.best());
    assert_eq!(slices[0].values.len(), 2);
    let last = slices[1].values[2];
    assert_eq!((last.place, last.points, last.mean, last.best, last.through_best), (2, 2, 7.0, 12.0, 12.0));
    assert_eq!(slices[0].values[0].through_best, 2.0);
}

#[test]
fn holes_in_the_grid_are_no_neighbours() {
    // Points 0, 1, 4, 7, 8 of 3 × 3, one without a score.
    let land = Landscape::new(&[3, 3], &[0, 1, 4, 7, 8], &[1.0, 2.0, 5.0, num::NAN, 3.0]).unwrap();
    let terrain = land.terrain(0.5);
    assert_eq!((terrain.best, terrain.points), (4, 4));
    assert_eq!(terrain.neighbourhood.points, 3, "0 and 8 are diagonal, 7 has no score");
    assert_eq!(terrain.local_maxima, 2, "4, and 8 whose neighbours are not there");
    assert!(terrain.slices[0].values[2].through_best.is_nan());
    // Seven axes: neighbours along the axes only.
    let (indices, scores) = grid(&[3; 7], |d| d.iter().sum::<u64>() as f64);
    let wide = Landscape::new(&[3; 7], &indices, &scores).unwrap();
    assert_eq!(wide.neighbourhood(1093).points, 14);
}

#[test]
fn what_is_no_landscape_is_refused() {
    for (lengths, indices, scores) in [
        (&[0, 3][..], &[][..], &[][..]),
        (&[3], &[0, 0], &[1.0, 1.0]),
        (&[3], &[3], &[1.0]),
        (&[3], &[0, 1], &[1.0]),
        (&[3], &[0], &[f64::NAN]),
        (&[3], &[], &[]),
        (&[u64::MAX, 2], &[0], &[1.0]),
    ] {
        assert!(Landscape::new(lengths, indices, scores).is_err(), "{lengths:?} {indices:?}");
    }
}
