//! W3: five windows over a year. In each, five trials on 126 sessions; the best one goes on for the 25 sessions after.

use sandtable_core::Result;
use sandtable_core::calendar::{Calendar, format_date, parse_date};
use sandtable_core::metrics;
use sandtable_core::results::TopK;

use super::Settings;
use super::run::Bench;

/// Windows; each begins as many sessions after the one before as a test has.
const WINDOWS: usize = 5;
/// Sessions on which trials compete.
const TRAIN: usize = 126;
/// Sessions on which the best one is judged.
const TEST: usize = 25;

/// First and last session of (train, test) of every window.
fn windows() -> Vec<[String; 4]> {
    let (first, last) = (parse_date("2019-01-02").unwrap_or(0), parse_date("2019-12-31").unwrap_or(0));
    let sessions: Vec<i32> = (first..=last).filter(|&day| Calendar::Xnys.is_session(day)).collect();
    let of = |from: usize| sessions.get(from..from + TRAIN + TEST);
    let edges = |part: &[i32]| [part[0], part[TRAIN - 1], part[TRAIN], part[TRAIN + TEST - 1]].map(format_date);
    (0..WINDOWS).filter_map(|k| of(k * TEST)).map(edges).collect()
}

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let dates = |from: &str, to: &str| -> Settings { vec![("start", from.to_owned()), ("end", to.to_owned())] };
    let total_return = metrics::TABLE.iter().position(|metric| metric.name == "total_return").unwrap_or(0);
    for [train_from, train_to, test_from, test_to] in windows() {
        let train = bench.evaluator(&dates(&train_from, &train_to))?;
        let objective = train.plan.objective();
        let mut best = TopK::new(1, objective.direction);
        for (place, trial) in bench.grid(&train, None, true)?.into_iter().enumerate() {
            best.offer(place as u64, trial.metrics[objective.metric], || trial.point);
        }
        let Some((_, _, point)) = best.into_sorted().into_iter().next() else { continue };
        let mut settings = dates(&test_from, &test_to);
        settings.push(("search.method", "single".into()));
        settings.extend(["space.fast", "space.slow"].into_iter().zip(point.iter().map(f64::to_string)));
        let test = bench.evaluator(&settings)?;
        let reached = bench.grid(&test, None, true)?;
        bench.found.out_of_sample.extend(reached.iter().map(|trial| trial.metrics[total_return]));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_follow_each_other_and_their_training() {
        let windows = windows();
        assert_eq!(windows.len(), WINDOWS);
        assert_eq!(windows[0][0], "2019-01-02");
        for window in &windows {
            assert!(window.windows(2).all(|pair| pair[0] < pair[1]), "{window:?}");
        }
        for pair in windows.windows(2) {
            assert!(pair[0][3] < pair[1][2], "{pair:?}");
        }
    }
}
