#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::super::Alone;
use super::*;
use crate::rng::Stream;
use crate::simd;

/// Seeded noise with deviation 0.01, `edge` added to trial 0.
fn noise(seed: u64, trials: u32, rows: usize, edge: f64) -> Vec<Vec<f64>> {
    let series = |trial| {
        let mut stream = Stream::new(seed, [77, trial]);
        let plus = if trial == 0 { edge } else { 0.0 };
        (0..rows).map(|_| 0.01 * stream.normal() + plus).collect()
    };
    (0..trials).map(series).collect()
}

/// The definition, written plainly.
fn plainly(columns: &[Vec<f64>], blocks: usize) -> Vec<(u32, u32, u32)> {
    let rows = columns[0].len() / blocks;
    let mut found = Vec::new();
    for mask in (0..1_u32 << blocks).filter(|mask| mask.count_ones() as usize * 2 == blocks) {
        let half = |column: &[f64], wanted: u32| -> f64 {
            let picked: Vec<f64> =
                (0..rows * blocks).filter(|row| mask >> (row / rows) & 1 == wanted).map(|row| column[row]).collect();
            super::super::Moments::of(&picked, super::super::Convention::Plain).sharpe
        };
        let inside: Vec<f64> = columns.iter().map(|column| half(column, 1)).collect();
        let outside: Vec<f64> = columns.iter().map(|column| half(column, 0)).collect();
        let best = (0..columns.len()).rev().max_by(|&a, &b| inside[a].total_cmp(&inside[b])).unwrap();
        let rank = 1 + outside.iter().filter(|&&x| x < outside[best]).count() as u32;
        found.push((mask, best as u32, rank));
    }
    found.sort_by_key(|(mask, ..)| (0..blocks).filter(|block| mask >> block & 1 == 1).collect::<Vec<_>>());
    found
}

#[test]
fn it_does_what_the_definition_says() {
    // More trials than a chunk, not a multiple of the lanes, and rows that do not fill the blocks.
    for (trials, rows, blocks) in [(5, 43, 4), (13, 60, 6), (1101, 97, 8)] {
        let columns = noise(u64::from(trials), trials, rows, 0.0);
        let all = BlockSums::of_columns(&columns, blocks).unwrap();
        let found: Vec<_> = splits(&all, &mut Alone).unwrap().iter().map(|s| (s.blocks, s.best, s.rank)).collect();
        assert_eq!(found, plainly(&columns, blocks), "{trials} trials");
    }
}

#[test]
fn of_equal_trials_the_first_is_chosen_wherever_it_is_looked_for() {
    // Each series comes eight times, in turn: most halves have several best trials.
    let series = noise(3, 37, 90, 0.0);
    let columns: Vec<Vec<f64>> = (0..296).map(|trial| series[trial % 37].clone()).collect();
    let all = BlockSums::of_columns(&columns, 8).unwrap();
    let found: Vec<_> = splits(&all, &mut Alone).unwrap().iter().map(|s| (s.blocks, s.best, s.rank)).collect();
    assert_eq!(found, plainly(&columns, 8));
    assert!(found.iter().all(|(_, best, _)| *best < 37));
}

#[test]
fn sums_beyond_all_numbers_are_no_reason_to_stop() {
    let mut all = BlockSums::new(4, 2).unwrap();
    for trial in 0..40 {
        all.push(&[1e300 * f64::from(trial); 4], &[1e308; 4]).unwrap();
    }
    assert_eq!(splits(&all, &mut Alone).unwrap().len(), 6);
}

#[test]
fn every_width_of_vectors_gives_the_same_bits() {
    let all = BlockSums::of_columns(&noise(8, 1050, 200, 0.0), 8).unwrap();
    let runs = [64, 256, 512, 0].map(|bits| {
        simd::limit(bits);
        splits(&all, &mut Alone).unwrap()
    });
    assert!(runs.iter().all(|run| *run == runs[0]));
}

#[test]
fn on_noise_it_is_a_coin() {
    let repetitions = 200;
    let pbo = |seed| {
        let all = BlockSums::of_columns(&noise(seed, 30, 120, 0.0), 8).unwrap();
        overfitting(&all, 1, &mut Alone).unwrap().pbo
    };
    let mean = (0..repetitions).map(pbo).sum::<f64>() / repetitions as f64;
    assert!((mean - 0.5).abs() < 0.05, "{mean}");
}

#[test]
fn a_planted_edge_is_found() {
    // A daily Sharpe ratio of 0.25 among 49 trials without skill.
    let all = BlockSums::of_columns(&noise(4, 50, 1600, 0.0025), 16).unwrap();
    let found = overfitting(&all, usize::MAX, &mut Alone).unwrap();
    assert!(found.pbo < 0.01, "{}", found.pbo);
    assert_eq!((found.splits, found.rows, found.trials), (12_870, 1600, 50));
    assert!(found.probability_of_loss < 0.01 && found.above_median > 0.99);
    assert!(found.dominance.first_order && found.dominance.second_order);
    assert_eq!(found.logits.counts.iter().sum::<u64>(), 12_870);
    let first = splits(&all, &mut Alone).unwrap();
    assert!(first.iter().filter(|split| split.best == 0).count() > 12_000);
}

#[test]
fn a_trial_that_never_traded_is_in_the_middle_and_never_undefined() {
    let mut columns = noise(6, 4, 80, 0.0);
    columns.push(vec![0.0; 80]);
    // Another trades in the first half of the blocks only.
    columns.push(
        (0..80)
            .map(|row| if row < 40 { 0.01 } else { 0.0 } + f64::from(row % 3) * 1e-3 * f64::from(u8::from(row < 40)))
            .collect(),
    );
    let all = BlockSums::of_columns(&columns, 4).unwrap();
    for split in splits(&all, &mut Alone).unwrap() {
        assert!(split.logit.is_finite() && (1..=6).contains(&split.rank), "{split:?}");
    }
    let still = BlockSums::of_columns(&[vec![0.0; 8], vec![0.0; 8]], 2).unwrap();
    let found = overfitting(&still, 1, &mut Alone).unwrap();
    assert_eq!(found.pbo, 1.0, "equal trials: the chosen one has rank 1 of 2");
    assert!(found.slope.is_nan() && found.mean_inside.is_nan());
    assert!(splits(&BlockSums::of_columns(&[vec![0.0; 8]], 2).unwrap(), &mut Alone).is_err());
}
