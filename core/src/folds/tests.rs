#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use proptest::prelude::*;

use super::*;
use crate::calendar::{Calendar, parse_date};

/// Sessions of New York between two dates.
fn sessions(from: &str, to: &str) -> Vec<i32> {
    (parse_date(from).unwrap()..=parse_date(to).unwrap()).filter(|&date| Calendar::Xnys.is_session(date)).collect()
}

fn first_and_last(dates: &[i32], range: &Range<usize>) -> String {
    let text = |at: usize| crate::calendar::format_date(dates[at]);
    format!("{}..{}", text(range.start), text(range.end - 1))
}

fn walk(train: Length, test: Length) -> Walk {
    Walk { train, test, gap: 0, anchored: false, from_end: false }
}

#[test]
fn calendar_walks_keep_to_the_calendar_whatever_the_holidays() {
    let dates = sessions("2010-01-04", "2014-06-30");
    let made = Folds::new(&Scheme::WalkForward(walk(Length::Years(2), Length::Years(1))), &dates).unwrap();
    let text: Vec<String> = made
        .folds
        .iter()
        .map(|fold| format!("{} {}", first_and_last(&dates, &fold.train[0]), first_and_last(&dates, &fold.test[0])))
        .collect();
    assert_eq!(
        text,
        ["2010-01-04..2011-12-30 2012-01-03..2012-12-31", "2011-01-03..2012-12-31 2013-01-02..2013-12-31",],
        "the half year at the end is no whole test"
    );
    let quarters = Folds::new(&Scheme::WalkForward(walk(Length::Months(6), Length::Quarters(1))), &dates).unwrap();
    assert_eq!(quarters.folds.len(), 16);
    assert_eq!(first_and_last(&dates, &quarters.folds[15].test[0]), "2014-04-01..2014-06-30");
}

#[test]
fn a_started_unit_is_left_out_and_a_gap_is_given_up_by_training() {
    let dates = sessions("2010-02-16", "2012-03-12");
    let scheme = Walk { gap: 5, ..walk(Length::Months(12), Length::Months(3)) };
    let made = Folds::new(&Scheme::WalkForward(scheme), &dates).unwrap();
    let first = &made.folds[0];
    assert_eq!(first_and_last(&dates, &first.train[0]), "2010-03-01..2011-02-18");
    assert_eq!(first_and_last(&dates, &first.test[0]), "2011-03-01..2011-05-31");
    assert_eq!(first.test[0].start - first.train[0].end, 5);
    assert_eq!(made.folds.len(), 4, "March 2012 is not whole");
}

#[test]
fn lengths_of_both_kinds_go_together() {
    let dates = sessions("2010-01-04", "2012-12-31");
    let sessions_before = walk(Length::Sessions(100), Length::Quarters(1));
    let made = Folds::new(&Scheme::WalkForward(sessions_before), &dates).unwrap();
    assert_eq!(first_and_last(&dates, &made.folds[0].test[0]), "2010-07-01..2010-09-30");
    assert!(made.folds.iter().all(|fold| fold.train[0].len() == 100 && fold.train[0].end == fold.test[0].start));
    let months_before = walk(Length::Months(6), Length::Sessions(21));
    let made = Folds::new(&Scheme::WalkForward(months_before), &dates).unwrap();
    assert_eq!(first_and_last(&dates, &made.folds[0].train[0]), "2010-01-04..2010-06-30");
    // 2010-08-02 (the 42nd session of July and August counts from 1 July) is trained from half a year before.
    let second = &made.folds[1];
    assert_eq!(first_and_last(&dates, &second.train[0]), "2010-02-01..2010-07-30");
}

#[test]
fn anchored_walks_grow_and_holdouts_are_the_end() {
    let dates = sessions("2010-01-04", "2011-12-30");
    let scheme = Walk { anchored: true, ..walk(Length::Sessions(200), Length::Sessions(100)) };
    let made = Folds::new(&Scheme::WalkForward(scheme), &dates).unwrap();
    assert_eq!(made.folds.iter().map(|fold| fold.train[0].clone()).collect::<Vec<_>>(), [0..200, 0..300, 0..400]);
    assert_eq!(made.paths[0].iter().map(|s| s.sessions.clone()).collect::<Vec<_>>(), [200..300, 300..400, 400..500]);
    let holdout = Folds::new(&Scheme::Holdout { test: Length::Quarters(2), gap: 10 }, &dates).unwrap();
    let fold = &holdout.folds[0];
    assert_eq!(first_and_last(&dates, &fold.test[0]), "2011-07-01..2011-12-30");
    assert_eq!(fold.train, vec![0..fold.test[0].start - 10]);
    let last = Folds::new(&Scheme::Holdout { test: Length::Sessions(50), gap: 0 }, &dates).unwrap();
    assert_eq!(last.folds[0].test, vec![dates.len() - 50..dates.len()]);
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let dates = sessions("2010-01-04", "2010-12-31");
    let gap = Gap::default();
    let remainder = Remainder::Last;
    for scheme in [
        Scheme::WalkForward(walk(Length::Years(1), Length::Years(1))),
        Scheme::WalkForward(walk(Length::Sessions(0), Length::Sessions(5))),
        Scheme::WalkForward(walk(Length::Sessions(5), Length::Months(0))),
        Scheme::WalkForward(walk(Length::Sessions(usize::MAX), Length::Sessions(usize::MAX))),
        Scheme::Holdout { test: Length::Sessions(0), gap: 0 },
        Scheme::Holdout { test: Length::Years(u32::MAX), gap: 0 },
        Scheme::Holdout { test: Length::Sessions(10), gap: usize::MAX },
        Scheme::KFold { blocks: 1, gap, remainder },
        Scheme::KFold { blocks: 1000, gap, remainder },
        Scheme::KFold { blocks: 2, gap: Gap { before: usize::MAX, after: usize::MAX }, remainder },
        Scheme::Combinatorial { blocks: 10, test_blocks: 10, gap, remainder },
        Scheme::Combinatorial { blocks: 200, test_blocks: 100, gap, remainder },
    ] {
        let error = Folds::new(&scheme, &dates).unwrap_err();
        assert!(error.message().len() > 30, "{scheme:?}: {error}");
        assert!(Folds::new(&scheme, &[]).is_err(), "{scheme:?} of nothing");
    }
}

proptest! {
    #[test]
    fn training_keeps_its_distance_and_every_path_is_whole(
        count in 30_usize..200, blocks in 2_usize..9, test_blocks in 1_usize..4,
        purge in 0_usize..4, embargo in 0_usize..5, spread: bool,
    ) {
        let dates: Vec<i32> = (0..count as i32).collect();
        let remainder = if spread { Remainder::Spread } else { Remainder::Last };
        let gap = Gap::new(purge, embargo);
        let made = Folds::new(&Scheme::Combinatorial { blocks, test_blocks, gap, remainder }, &dates);
        prop_assume!(made.is_ok());
        let made = made.unwrap();
        for fold in &made.folds {
            prop_assert_eq!(fold.test.len(), test_blocks);
            for session in fold.train.iter().cloned().flatten() {
                for test in &fold.test {
                    let clear = session + purge < test.start || session >= test.end;
                    prop_assert!(clear, "{} trains before {:?}", session, test);
                    let follows = fold.test.iter().any(|next| next.start == test.end);
                    prop_assert!(session < test.start || follows || session >= test.end + purge + embargo);
                }
            }
        }
        for path in &made.paths {
            let mut next = 0;
            for stretch in path {
                prop_assert_eq!(stretch.sessions.start, next);
                prop_assert!(made.folds[stretch.fold].test.contains(&stretch.sessions));
                next = stretch.sessions.end;
            }
            prop_assert_eq!(next, count);
        }
        let tested: usize = made.folds.iter().map(|fold| fold.test.len()).sum();
        prop_assert_eq!(tested, made.paths.iter().map(Vec::len).sum::<usize>());
    }
}
