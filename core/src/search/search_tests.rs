#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;

use super::*;
use crate::num;
use crate::plan::brackets;
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
    Method::ALL.iter().map(|&(_, method)| method).filter(|method| method.is_guided() && !method.has_budgets())
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

/// A generation of a search by budgets: the part of the data, and the trials.
type Rung = (f64, Vec<u64>);

/// All generations of a search by budgets; `score` is told the part too.
fn rungs(
    space: &Space,
    searching: &Searching,
    target: Option<f64>,
    score: impl Fn(u64, f64) -> Score,
) -> (Hyperband, Vec<Rung>) {
    let mut search = Hyperband::new(space, searching, target, 1);
    let (mut all, mut trials) = (Vec::new(), Vec::new());
    loop {
        let budget = search.ask(&mut trials);
        if trials.is_empty() {
            return (search, all);
        }
        let scores: Vec<Score> = trials.iter().map(|&index| score(index, budget)).collect();
        search.tell(&trials, &scores);
        all.push((budget, trials.clone()));
    }
}

fn budgeted(method: Method, trials: u64) -> Searching {
    Searching { method, trials, ..Searching::default() }
}

#[test]
fn brackets_go_from_little_data_to_all_of_it() {
    let space = space(&[100, 100], &[]);
    for method in [Method::Hyperband, Method::Bohb] {
        let (search, all) = rungs(&space, &budgeted(method, 30), None, |index, _| Score::of(index as f64));
        let mut seen = BTreeSet::new();
        let flat =
            || all.iter().flat_map(|(budget, trials)| trials.iter().map(move |&index| (index, budget.to_bits())));
        assert!(flat().all(|trial| seen.insert(trial)), "a trial twice");
        assert!(all.iter().all(|(_, trials)| trials.is_sorted()));
        let spent: f64 = all.iter().map(|(budget, trials)| budget * trials.len() as f64).sum();
        assert!(spent <= 30.0 + 1e-6 && spent > 28.0, "{spent}");
        assert_eq!(brackets::planned(&budgeted(method, 30), 10_000).0, flat().count() as u64);
        let shape: Vec<(usize, f64)> = all.iter().map(|(budget, trials)| (trials.len(), *budget)).collect();
        let first = [(27, 0.05), (9, 0.15), (3, 0.45), (1, 1.0), (12, 0.15), (4, 0.45), (1, 1.0)];
        assert_eq!(shape[..7], first);
        // Of each rung the best go on.
        assert_eq!(all[1].1, all[0].1[..9]);
        let points: BTreeSet<u64> = flat().map(|(index, _)| index).collect();
        let whole = all.iter().filter(|(budget, _)| *budget == 1.0).map(|(_, trials)| trials.len()).sum::<usize>();
        assert_eq!(search.seen_in_part(), (points.len() - whole) as u64);
    }
}

#[test]
fn a_small_space_is_seen_as_a_whole_and_failures_stop_nothing() {
    let small = space(&[7, 3], &["a > b"]);
    let valid = small.count_valid(u64::MAX).points;
    for method in [Method::Hyperband, Method::Bohb] {
        let (search, all) = rungs(&small, &budgeted(method, 100), None, |index, _| Score::of(index as f64));
        let whole = all.iter().filter(|(budget, _)| *budget == 1.0).flat_map(|(_, trials)| trials.clone());
        assert_eq!(whole.collect::<BTreeSet<u64>>().len() as u64, valid, "{}", method.word());
        assert_eq!(search.seen_in_part(), 0);
        assert_eq!(
            all.iter().map(|(_, trials)| trials.len() as u64).sum::<u64>(),
            brackets::planned(&budgeted(method, 100), valid).0
        );
        let fails =
            |index: u64, _: f64| if index.is_multiple_of(3) { Score::of(num::NAN) } else { Score::of(index as f64) };
        let (_, some) = rungs(&space(&[50, 50], &[]), &budgeted(method, 20), None, fails);
        let spent: f64 = some.iter().map(|(budget, trials)| budget * trials.len() as f64).sum();
        assert!(spent > 15.0 && spent <= 20.0 + 1e-6, "{spent}");
        let (_, none) = rungs(&space(&[50, 50], &[]), &budgeted(method, 20), None, |_, _| Score::of(num::NAN));
        assert!(!none.is_empty(), "and it ends");
    }
}

#[test]
fn only_trials_on_all_of_the_data_end_a_search_by_budgets() {
    let space = space(&[100, 100], &[]);
    // On parts every trial would reach the target.
    let partly = |index: u64, budget: f64| Score::of(if budget < 1.0 { -100.0 } else { index as f64 });
    let until = rungs(&space, &budgeted(Method::Hyperband, 200), Some(2000.0), partly).1;
    let hit = |(budget, trials): &Rung| *budget == 1.0 && trials.iter().any(|&index| index <= 2000);
    assert_eq!(until.iter().position(hit), Some(until.len() - 1));
    // The first bracket finds the best; two more do not.
    let patient = Searching { patience: 2, ..budgeted(Method::Hyperband, 200) };
    let waited = rungs(&space, &patient, None, |_, _| Score::of(1.0)).1;
    assert_eq!(waited.iter().filter(|(budget, _)| *budget == 1.0).count(), 3);
}

#[test]
fn plateaus_go_on_to_more_data_where_they_are_wanted() {
    // One spike among points of a plateau: alone it would go on.
    let space = space(&[27], &[]);
    let spiked = |index: u64, _: f64| match index {
        3 => Score::of(-10.0),
        18..=26 => Score::of(-5.0),
        _ => Score::of(0.0),
    };
    let robust = Searching { robust: true, ..budgeted(Method::Hyperband, 6) };
    let going_on = |searching: &Searching| rungs(&space, searching, None, spiked).1[1].1.clone();
    assert!(going_on(&budgeted(Method::Hyperband, 6)).contains(&3));
    assert!(!going_on(&robust).contains(&3));
}
