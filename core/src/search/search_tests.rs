#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;

use super::*;
use crate::num;
use crate::plan::{PlanSpec, Refinement, Searching, Space, Words};
use crate::strategy::{Domain, ParamDecl};

/// A space of whole numbers from 0 to below each length, cut by conditions; parameters are a, b, c, …
fn space(lens: &[i64], conditions: &[&str]) -> Space {
    let names = ["a", "b", "c", "d", "e", "f"];
    let param = |(name, len): (&&str, &i64)| ParamDecl {
        name: (*name).into(),
        domain: Domain::Int { min: 0, max: len - 1, step: 1 },
        default: 0.0,
    };
    let params: Vec<ParamDecl> = names.iter().zip(lens).map(param).collect();
    let mut spec = PlanSpec::default();
    spec.conditions = conditions.iter().map(|&text| text.into()).collect();
    Space::resolve(&spec, &params, &mut Vec::new()).unwrap()
}

fn guided_methods() -> impl Iterator<Item = Method> {
    Method::ALL.iter().map(|&(_, method)| method).filter(|method| method.is_guided())
}

/// A bowl with some failed and some infeasible points.
fn score(space: &Space, index: u64) -> Score {
    let mut point = Vec::new();
    space.point(index, &mut point);
    let bowl: f64 = point.iter().map(|x| (x - 3.0) * (x - 3.0)).sum();
    match index % 11 {
        3 => Score::of(num::NAN),
        5 => Score { losses: vec![bowl, -bowl], violation: 1.0 + bowl },
        _ => Score { losses: vec![bowl, point[0]], violation: 0.0 },
    }
}

/// All generations of a search.
fn generations(space: &Space, searching: &Searching, target: Option<f64>, seed: u64) -> Vec<Vec<u64>> {
    let mut search = Guided::new(space, searching, target, seed);
    let (mut all, mut trials) = (Vec::new(), Vec::new());
    loop {
        search.ask(&mut trials);
        if trials.is_empty() {
            return all;
        }
        let scores: Vec<Score> = trials.iter().map(|&index| score(space, index)).collect();
        search.tell(&trials, &scores);
        all.push(trials.clone());
    }
}

#[test]
fn every_method_asks_for_valid_points_once_and_ends_when_they_are_exhausted() {
    let spaces = [
        space(&[1], &[]),
        space(&[7], &[]),
        space(&[5, 4], &[]),
        space(&[9, 9], &["a < b"]),
        space(&[6, 30, 2], &["a < b", "a + b < 20"]),
    ];
    for (number, space) in spaces.iter().enumerate() {
        let valid = space.count_valid(u64::MAX).points;
        for method in guided_methods() {
            for (generation, refinement) in [(0, Refinement::Coordinate), (3, Refinement::NelderMead)] {
                let searching = Searching { method, trials: 60, generation, refinement, ..Searching::default() };
                let all = generations(space, &searching, None, 1);
                let case = format!("{} on space {number}", method.word());
                assert!(all.iter().all(|trials| trials.is_sorted()), "{case}");
                let flat: Vec<u64> = all.into_iter().flatten().collect();
                let distinct: BTreeSet<u64> = flat.iter().copied().collect();
                assert_eq!(flat.len(), distinct.len(), "{case}: a point twice");
                assert!(flat.iter().all(|&index| space.is_valid(index)), "{case}: a point that is not valid");
                // A refinement ends when nothing gets better.
                if method != Method::Local {
                    assert_eq!(flat.len() as u64, valid.min(60), "{case}");
                }
            }
        }
    }
}

#[test]
fn a_large_space_is_never_listed_and_a_seed_decides_everything() {
    let space = space(&[1000, 1000, 1000], &["a < b"]);
    for method in guided_methods() {
        let searching = Searching { method, trials: 60, ..Searching::default() };
        let first = generations(&space, &searching, None, 1);
        assert!(!first.is_empty());
        assert_eq!(first, generations(&space, &searching, None, 1), "{}", method.word());
        assert_ne!(first, generations(&space, &searching, None, 2), "{}", method.word());
    }
}

#[test]
fn methods_that_learn_come_closer_than_drawing() {
    let space = space(&[200, 200, 200], &[]);
    let best = |method: Method, seed: u64| {
        let searching = Searching { method, trials: 120, ..Searching::default() };
        let all = generations(&space, &searching, None, seed).into_iter().flatten();
        let scores: Vec<Score> = all.map(|index| score(&space, index)).collect();
        let feasible = scores.iter().filter(|score| score.is_feasible());
        feasible.map(Score::loss).fold(f64::MAX, f64::min)
    };
    let median = |method: Method| {
        let mut all: Vec<f64> = (0..5).map(|seed| best(method, seed)).collect();
        all.sort_by(f64::total_cmp);
        all[2]
    };
    let drawn = median(Method::Random);
    for method in [Method::Tpe, Method::Gp, Method::CmaEs, Method::De, Method::Ga, Method::Local] {
        let found = median(method);
        assert!(found < drawn, "{}: {found}, drawing {drawn}", method.word());
    }
}

#[test]
fn a_search_ends_at_its_target_or_when_patience_runs_out() {
    let space = space(&[100, 100], &[]);
    let searching = Searching { method: Method::Random, trials: 5000, generation: 10, ..Searching::default() };
    let until = generations(&space, &searching, Some(50.0), 1);
    let hit = |trials: &Vec<u64>| {
        trials.iter().map(|&index| score(&space, index)).any(|score| score.is_feasible() && score.loss() <= 50.0)
    };
    assert_eq!(until.iter().position(hit), Some(until.len() - 1));
    let patient = Searching { patience: 3, ..searching };
    let waited = generations(&space, &patient, None, 1);
    assert!(waited.len() < 400, "{}", waited.len());
    let best = |trials: &[Vec<u64>]| {
        let scores = trials.iter().flatten().map(|&index| score(&space, index)).filter(Score::is_feasible);
        scores.map(|score| score.loss()).fold(f64::MAX, f64::min)
    };
    let last = waited.len() - 3;
    assert_eq!(best(&waited[..last]), best(&waited), "no improvement in the last three generations");
    assert!(best(&waited[..last - 1]) > best(&waited), "the one before improved");
}

#[test]
fn a_plateau_is_preferred_to_a_spike() {
    let space = space(&[21, 21], &[]);
    // A spike at (2, 2), and a plateau of less worth around (15, 15).
    let loss = |index: u64| {
        let mut point = Vec::new();
        space.point(index, &mut point);
        let on_plateau = (point[0] - 15.0).abs() <= 2.0 && (point[1] - 15.0).abs() <= 2.0;
        if point == [2.0, 2.0] {
            -10.0
        } else if on_plateau {
            -5.0
        } else {
            0.0
        }
    };
    let indices: Vec<u64> = (0..space.size()).collect();
    let scores: Vec<Score> = indices.iter().map(|&index| Score::of(loss(index))).collect();
    let standing = standings(&space, &indices, &scores);
    let at = |a: u64, b: u64| standing[(a * 21 + b) as usize];
    assert_eq!((at(2, 2), at(15, 15), at(10, 2)), (0.0, -5.0, 0.0));
    // Told generation by generation, the medians are the same in the end.
    let mut told = Vec::new();
    let mut raw = Vec::new();
    for trials in indices.chunks(37) {
        let new = told.len();
        for &index in trials {
            raw.push(loss(index));
            told.push(score::Told { index, digits: vec![index / 21, index % 21], score: Score::of(loss(index)) });
        }
        plateau::smooth(&cube::Cube::new(&space), &mut told, &raw, new);
    }
    assert!(told.iter().zip(&standing).all(|(trial, standing)| trial.score.loss() == *standing));
}

#[test]
fn brackets_go_from_little_data_to_all_of_it() {
    let space = space(&[100, 100], &[]);
    for bohb in [false, true] {
        let mut search = Hyperband::new(&space, 30, bohb, 1, 20);
        let (mut trials, mut shape, mut spent) = (Vec::new(), Vec::new(), 0.0);
        let mut seen = BTreeSet::new();
        loop {
            search.ask(&mut trials);
            let Some(first) = trials.first() else { break };
            shape.push((trials.len(), first.budget));
            spent += trials.iter().map(|trial| trial.budget).sum::<f64>();
            assert!(trials.iter().all(|trial| seen.insert((trial.index, trial.budget.to_bits()))), "a trial twice");
            let scores: Vec<Score> = trials.iter().map(|trial| Score::of(trial.index as f64)).collect();
            search.tell(&trials, &scores);
        }
        assert!(spent <= 30.0 + 1e-6 && spent > 28.0, "{spent}");
        let part = |rung: i32| SMALLEST * num::pow(3.0, f64::from(rung));
        let close = |found: &[(usize, f64)], expected: &[(usize, f64)]| {
            found.iter().zip(expected).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-12)
        };
        let first = [(27, part(0)), (9, part(1)), (3, part(2)), (1, 1.0), (12, part(1)), (4, part(2)), (1, 1.0)];
        assert!(close(&shape, &first), "{shape:?}");
    }
}
