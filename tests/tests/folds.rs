//! A range of a study's sessions comes to the bits of the study over those dates alone, sees nothing after its end, and
//! several ranges come to what they come to one by one.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::sync::Arc;

use sandtable_core::bundle::{Bundle, synth};
use sandtable_core::cache::History;
use sandtable_core::calendar::format_date;
use sandtable_core::context::Prepared;
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::rng::Stream;
use sandtable_core::run::{Batch, Detail, Evaluator, OneThread, Scratch, Workers};
use sandtable_core::strategy::{Strategy, gallery};
use sandtable_tests::random;

fn plan(bundle: &Bundle, strategy: &str, settings: &[(&str, String)]) -> Option<Plan> {
    let strategy = Strategy::parse(strategy, "random").unwrap_or_else(|error| panic!("{error}\n{strategy}"));
    let mut spec = PlanSpec::new("random");
    for (key, value) in settings {
        spec.set(key, value).unwrap();
    }
    Plan::resolve(&spec, strategy, &BundleFacts::from(bundle)).ok()
}

fn evaluator(plan: Plan, bundle: &Bundle) -> Option<Evaluator> {
    Evaluator::new(Arc::new(plan), bundle, Arc::new(History::new(1 << 24))).ok()
}

fn point(plan: &Plan, index: u64) -> Vec<f64> {
    let mut point = Vec::new();
    plan.space().point(index, &mut point);
    point
}

/// Debug prints every bit of a float, NaN included.
fn text(detail: &Detail) -> String {
    format!("{detail:?}")
}

/// Some range of so many sessions.
fn range(random: &mut Stream, sessions: usize) -> std::ops::Range<usize> {
    let start = random.below(sessions as u64) as usize;
    start..start + 1 + random.below((sessions - start) as u64) as usize
}

/// The bars as far as a date, as if the rest had not happened yet; symbols that would have none keep their first. Whether
/// a symbol is gone for good is said by its record, not by its bars.
fn until(bundle: &Bundle, to: i32) -> Bundle {
    let mut cut = bundle.clone();
    cut.records = (0..bundle.symbols.len()).filter_map(|place| bundle.record(place)).collect();
    for bars in &mut cut.bars {
        let end = bars.session.partition_point(|&session| session <= to).max(1);
        bars.time.truncate(end);
        bars.session.truncate(end);
        for column in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close, &mut bars.volume] {
            column.truncate(end);
        }
    }
    cut
}

#[test]
fn a_range_is_the_study_over_its_dates() {
    let (mut compared, mut traded, mut warm) = (0, 0, 0);
    for case in 0..600 {
        let mut random = Stream::new(23, [case, 0]);
        let days = 40 + random.below(260) as usize;
        let symbols = 1 + random.below(5) as usize;
        let bundle = random::bundle(&mut random, symbols, days);
        let strategy = random::strategy(&mut random);
        let mut settings = random::settings(&mut random);
        random::more_settings(&mut random, &bundle, &mut settings);
        settings.retain(|(key, _)| !["start", "end", "warmup"].contains(key));
        let Some(whole) = plan(&bundle, &strategy, &settings).and_then(|plan| evaluator(plan, &bundle)) else {
            continue;
        };
        let sessions = whole.sessions().to_vec();
        let range = range(&mut random, sessions.len());
        let part = whole.within(std::slice::from_ref(&range)).unwrap();
        // The whole study has no bar before its first, so every bar before the range warms up, and that many must be
        // asked for.
        let (from, to) = (sessions[range.start], sessions[range.end - 1]);
        let alone = [("start", format_date(from)), ("end", format_date(to))].map(|(key, date)| (key, date));
        let settings: Vec<(&str, String)> = settings.into_iter().chain(alone).collect();
        let Some(alone) = plan(&bundle, &strategy, &settings) else { continue };
        let Some(alone) = evaluator(alone.warmed_by(days as u64 * 2000), &bundle) else { continue };
        let index = random.below(whole.plan.space().size());
        let point = point(&whole.plan, index);
        let what = format!("case {case}, sessions {range:?}:\n{strategy}\n{settings:?}");
        let (a, b) = (part.detail(&point), alone.detail(&point));
        assert_eq!(text(&a), text(&b), "{what}");
        let (mut one, mut other) = (Scratch::default(), Scratch::default());
        let none = Prepared::default();
        let a_trial = part.trial(index, &point, &none, &mut one);
        let b_trial = part.reference_trial(index, &point, &none, &mut other);
        assert_eq!(format!("{:?}", a_trial.metrics), format!("{:?}", b_trial.metrics), "simulators, {what}");
        assert_eq!((a_trial.rows_read, a_trial.fills), (b_trial.rows_read, b_trial.fills), "{what}");
        compared += 1;
        traded += u32::from(!a.fills.is_empty());
        warm += u32::from(range.start > 0);
    }
    assert!(compared > 400 && traded > 200 && warm > 300, "{compared} compared, {traded} traded, {warm} warm");
}

#[test]
fn nothing_after_a_range_is_seen() {
    let mut compared = 0;
    for case in 0..300 {
        let mut random = Stream::new(29, [case, 0]);
        let bundle = random::bundle(&mut random, 3, 200);
        let strategy = random::strategy(&mut random);
        let settings = random::settings(&mut random);
        let settings: Vec<_> =
            settings.into_iter().filter(|(key, _)| !["start", "end", "symbols"].contains(key)).collect();
        let Some(whole) = plan(&bundle, &strategy, &settings).and_then(|plan| evaluator(plan, &bundle)) else {
            continue;
        };
        let sessions = whole.sessions().to_vec();
        let range = 20..100.min(sessions.len());
        let part = whole.within(std::slice::from_ref(&range)).unwrap();
        let past = until(&bundle, sessions[range.end - 1]);
        let Some(past) = plan(&past, &strategy, &settings).and_then(|plan| evaluator(plan, &past)) else { continue };
        if past.sessions().get(..range.end) != Some(&sessions[..range.end]) {
            continue;
        }
        let past = past.within(std::slice::from_ref(&range)).unwrap();
        let point = point(&whole.plan, random.below(whole.plan.space().size()));
        let (a, b) = (part.detail(&point), past.detail(&point));
        assert_eq!(text(&a), text(&b), "case {case}:\n{strategy}\n{settings:?}");
        compared += 1;
    }
    assert!(compared > 150, "only {compared} cases say anything");
}

#[test]
fn several_ranges_are_joined_by_their_returns() {
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    for &(name, strategy) in gallery() {
        let settings = [("start", "2006-01-03".to_string()), ("end", "2010-12-31".into()), ("costs.bps", "5".into())];
        let Some(whole) = plan(&bundle, strategy, &settings).and_then(|plan| evaluator(plan, &bundle)) else {
            continue;
        };
        let ranges = [0..250, 400..401, 500..900];
        let joined = whole.within(&ranges).unwrap();
        let size = whole.plan.space().size();
        let indices: Vec<u64> = (0..20).map(|k| k * 7919 % size).collect();
        let points: Vec<Vec<f64>> = indices.iter().map(|&index| point(&whole.plan, index)).collect();
        let batch = Batch::whole(indices.clone(), points.clone());
        let prepared = joined.prepare(&batch, &mut OneThread::default());
        let outcomes = OneThread::default().trials(&joined, &indices, &points, &prepared);
        for (k, point) in points.iter().enumerate() {
            let detail = joined.detail(point);
            let same = |a: &[f64], b: &[f64]| a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits()));
            assert!(same(&outcomes[k].metrics, &detail.metrics), "{name}: batch and detail of point {point:?}");
            let parts: Vec<_> = ranges.iter().map(|range| (range.clone(), point.clone())).collect();
            assert_eq!(text(&whole.stitched(&parts).unwrap()), text(&detail), "{name}: the same point throughout");
            let mut returns = Vec::new();
            for range in &ranges {
                let alone = whole.within(std::slice::from_ref(range)).unwrap().detail(point);
                returns.extend(alone.session_returns(100_000.0));
            }
            let own = detail.session_returns(100_000.0);
            assert_eq!(own.len(), 651, "{name}");
            for (a, b) in own.iter().zip(&returns) {
                assert!((a - b).abs() < 1e-12, "{name}: {a} against {b}");
            }
        }
    }
}

#[test]
fn ranges_that_are_none_are_refused() {
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    let whole = evaluator(plan(&bundle, gallery()[0].1, &[]).unwrap(), &bundle).unwrap();
    let n = whole.sessions().len();
    for ranges in [&[][..], &[(3, 3)], &[(0, n + 1)], &[(5, 9), (8, 12)], &[(9, 12), (1, 3)]] {
        let ranges: Vec<_> = ranges.iter().map(|&(from, to)| from..to).collect();
        assert!(whole.within(&ranges).is_err(), "{ranges:?}");
    }
    assert_ne!(
        whole.within(std::slice::from_ref(&(0..n))).unwrap().plan.id(),
        whole.plan.id(),
        "ranges are part of a plan's name"
    );
}
