//! Several objectives: which trials no other one beats, how crowded they are, and the volume they dominate.
//!
//! Given scores, this file compares them in all losses at once. A feasible trial beats every infeasible one, of two
//! infeasible ones the smaller violation wins, and a failed one loses to all (Deb et al., IEEE Trans. Evol. Comp. 6,
//! 2002). It never knows where scores come from.

use super::score::Score;
use crate::num;

/// Whether `a` beats `b`: it is nowhere worse and somewhere better.
pub fn dominates(a: &Score, b: &Score) -> bool {
    if !a.is_feasible() || !b.is_feasible() {
        return a.order(b).is_lt();
    }
    let pairs = || a.losses.iter().zip(&b.losses);
    pairs().all(|(a, b)| a <= b) && pairs().any(|(a, b)| a < b)
}

/// For each score the number of its front: 0 for those that nothing beats, 1 for those that only these beat, …
pub fn fronts(scores: &[&Score]) -> Vec<usize> {
    let count = scores.len();
    let mut beaten_by = vec![0_usize; count];
    let mut beats = vec![Vec::new(); count];
    for (better, losers) in scores.iter().zip(&mut beats) {
        losers.extend((0..count).filter(|&place| dominates(better, scores[place])));
        losers.iter().for_each(|&place: &usize| beaten_by[place] += 1);
    }
    let mut front_of = vec![0; count];
    let mut current: Vec<usize> = (0..count).filter(|&place| beaten_by[place] == 0).collect();
    let mut front = 0;
    while !current.is_empty() {
        let mut next = Vec::new();
        for &place in &current {
            front_of[place] = front;
            for &loser in &beats[place] {
                beaten_by[loser] -= 1;
                if beaten_by[loser] == 0 {
                    next.push(loser);
                }
            }
        }
        (current, front) = (next, front + 1);
    }
    front_of
}

/// For each score the room that its neighbours in the same front leave it, summed over objectives in parts of the
/// front's range; the ends have infinite room.
pub fn room(scores: &[&Score], front_of: &[usize]) -> Vec<f64> {
    let mut room = vec![0.0; scores.len()];
    let objectives = scores.iter().map(|score| score.losses.len()).max().unwrap_or(0);
    for front in 0..=front_of.iter().copied().max().unwrap_or(0) {
        for objective in 0..objectives {
            let loss = |place: usize| scores[place].losses.get(objective).copied().unwrap_or(num::NAN);
            let mut members: Vec<usize> = (0..scores.len()).filter(|&place| front_of[place] == front).collect();
            members.sort_by(|&a, &b| num::nan_last(loss(a), loss(b)).then(a.cmp(&b)));
            let (Some(&first), Some(&last)) = (members.first(), members.last()) else { continue };
            let range = loss(last) - loss(first);
            (room[first], room[last]) = (f64::INFINITY, f64::INFINITY);
            if range > 0.0 && range.is_finite() {
                members.windows(3).for_each(|three| room[three[1]] += (loss(three[2]) - loss(three[0])) / range);
            }
        }
    }
    room
}

/// Places of the feasible scores that nothing beats, in the order of the first loss, then of the place.
pub fn pareto_set(scores: &[Score]) -> Vec<usize> {
    let feasible: Vec<usize> = (0..scores.len()).filter(|&place| scores[place].is_feasible()).collect();
    let unbeaten = |&place: &usize| feasible.iter().all(|&other| !dominates(&scores[other], &scores[place]));
    let mut set: Vec<usize> = feasible.iter().copied().filter(unbeaten).collect();
    set.sort_by(|&a, &b| num::nan_last(scores[a].loss(), scores[b].loss()).then(a.cmp(&b)));
    set
}

/// The volume between the points and a reference that is nowhere better than they (Zitzler and Thiele, PPSN 1998), by
/// slices along the last objective (While et al., IEEE Trans. Evol. Comp. 10, 2006). Points beyond the reference add
/// nothing.
pub fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    let inside = points.iter().filter(|point| point.len() == reference.len());
    let inside = inside.filter(|point| point.iter().zip(reference).all(|(x, limit)| x < limit));
    sliced(inside.map(Vec::as_slice).collect(), reference)
}

fn sliced(mut points: Vec<&[f64]>, reference: &[f64]) -> f64 {
    let Some((&limit, others)) = reference.split_last() else { return 0.0 };
    let last = others.len();
    points.sort_by(|a, b| a[last].total_cmp(&b[last]));
    if last == 0 {
        return points.first().map_or(0.0, |best| limit - best[0]);
    }
    let mut volume = 0.0;
    for (place, point) in points.iter().enumerate() {
        let until = points.get(place + 1).map_or(limit, |next| next[last]);
        // A slice holds all points that begin below it.
        if until > point[last] {
            let below = points[..=place].iter().map(|point| &point[..last]).collect();
            volume += (until - point[last]) * sliced(below, others);
        }
    }
    volume
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(losses: &[f64]) -> Score {
        Score { losses: losses.to_vec(), violation: 0.0 }
    }

    #[test]
    fn fronts_are_peeled_one_after_another() {
        let scores =
            [score(&[1.0, 4.0]), score(&[2.0, 2.0]), score(&[3.0, 3.0]), score(&[4.0, 1.0]), score(&[5.0, 5.0])];
        let mut infeasible = score(&[0.0, 0.0]);
        infeasible.violation = 1.0;
        let failed = score(&[f64::NAN, 0.0]);
        let all: Vec<&Score> = scores.iter().chain([&infeasible, &failed]).collect();
        let front_of = fronts(&all);
        assert_eq!(front_of, [0, 0, 1, 0, 2, 3, 4]);
        let room = room(&all, &front_of);
        assert_eq!((room[0], room[3]), (f64::INFINITY, f64::INFINITY));
        assert!((room[1] - 2.0).abs() < 1e-12);
        let owned: Vec<Score> = all.into_iter().cloned().collect();
        assert_eq!(pareto_set(&owned), [0, 1, 3]);
    }

    #[test]
    fn volumes_are_those_of_the_boxes() {
        let points = [vec![1.0, 4.0], vec![2.0, 2.0], vec![4.0, 1.0], vec![3.0, 3.0], vec![9.0, 0.0]];
        assert_eq!(hypervolume(&points, &[5.0, 5.0]), 4.0 + 6.0 + 1.0);
        assert_eq!(hypervolume(&[vec![0.0, 0.0, 0.0]], &[1.0, 2.0, 3.0]), 6.0);
        let corners = [vec![0.0, 1.0, 1.0], vec![1.0, 0.0, 1.0], vec![1.0, 1.0, 0.0]];
        assert_eq!(hypervolume(&corners, &[2.0, 2.0, 2.0]), 4.0);
        assert_eq!(hypervolume(&[], &[1.0, 1.0]), 0.0);
    }
}
