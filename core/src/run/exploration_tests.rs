//! What a run takes over from another changes nothing but what there is to compute.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::Arc;

use super::{Evaluator, Exploration, OneThread, Walking, best_rows};
use crate::bundle::{Bundle, synth};
use crate::cache::History;
use crate::plan::{BundleFacts, Plan};
use crate::results::to_csv;

const STUDY: &str = "bundle = \"mag8\"\nstrategy = \"sma_cross\"\nsymbols = [\"ALFA\", \"BRVO\"]\nend = 2004-12-31\n";
/// More than a batch, so that there are two.
const SPACE: &str =
    "[space]\nfast = { type = \"int\", min = 2, max = 20 }\nslow = { type = \"int\", min = 22, max = 60, step = 2 }\n";

fn bundle() -> Bundle {
    synth::mag8(synth::MAG8_SEED).into_bundle()
}

fn study(more: &str) -> String {
    format!("{STUDY}{more}{SPACE}")
}

/// A study that is not yet run, and the history layer that only it has.
fn explored(bundle: &Bundle, study: &str) -> (Exploration, Arc<History>) {
    let history = Arc::new(History::new(1 << 26));
    (Exploration::new(evaluator(bundle, study, &history)).unwrap(), history)
}

fn evaluator(bundle: &Bundle, study: &str, history: &Arc<History>) -> Evaluator {
    let plan = Plan::from_study(study, "study", &BundleFacts::from(bundle)).unwrap();
    Evaluator::new(Arc::new(plan), bundle, history.clone()).unwrap()
}

/// Everything that a run says, run to its end.
fn finish(run: &mut Exploration, step: usize) -> String {
    while !run.step(step, &mut OneThread::default()).done {}
    format!("{}{:?}{:?}", to_csv(run.results()), run.progress(), run.judgement().unwrap())
}

#[test]
fn other_costs_and_capital_take_over_every_column() {
    let bundle = bundle();
    let (mut before, _) = explored(&bundle, &study(""));
    let first = finish(&mut before, 90);
    assert!(before.progress().trials > 256, "there are several batches");
    for more in ["capital = 20000.0\n", "costs.bps = 25\n", "fill = \"next_close\"\ncosts.per_trade = 1\n"] {
        let alone = finish(&mut explored(&bundle, &study(more)).0, 64);
        assert_ne!(alone, first, "{more}");
        let (mut run, history) = explored(&bundle, &study(more));
        assert!(run.inherit(&before), "{more}");
        while !run.step(70, &mut OneThread::default()).done {}
        assert_eq!(history.counters().misses, 0, "{more}: a column was looked for");
        assert!(finish(&mut run, 70) == alone, "{more}");
        // What was taken over is handed on.
        before = run;
    }
}

#[test]
fn nothing_is_taken_from_another_strategy_other_bars_or_other_points() {
    let bundle = bundle();
    let (mut before, _) = explored(&bundle, &study(""));
    finish(&mut before, 1000);
    let other = |from: &str, to: &str| study("").replace(from, to);
    let text = "strategy_text = '''\nname = \"sma_cross\"\n[params]\nfast = { type = \"int\", min = 5, max = 100 }\n\
                slow = { type = \"int\", min = 22, max = 212 }\n[rules]\n\
                target = \"if(sma(close, fast) < sma(close, slow), 1 / n_symbols, 0)\"\n'''\n";
    for (changed, same) in [
        (other("2004-12-31", "2004-12-30"), false),
        (other("\"BRVO\"", "\"CHRL\""), false),
        // A study names symbols in any order.
        (other("[\"ALFA\", \"BRVO\"]", "[\"BRVO\", \"ALFA\"]"), true),
        (other("strategy = \"sma_cross\"\n", text), false),
        (other("min = 2,", "min = 3,"), true),
        (other("step = 2", "step = 1"), true),
    ] {
        let alone = finish(&mut explored(&bundle, &changed).0, 64);
        let (mut run, _) = explored(&bundle, &changed);
        assert_eq!(run.inherit(&before), same, "{changed}");
        assert!(finish(&mut run, 64) == alone, "{changed}");
    }
}

#[test]
fn both_runs_go_on_when_one_takes_over_on_the_way() {
    let bundle = bundle();
    let (costly, search) = ("costs.bps = 25\n", "search = { method = \"tpe\", trials = 60, generation = 20 }\n");
    for (one, other) in [(String::new(), costly.to_owned()), (search.to_owned(), format!("{costly}{search}"))] {
        let alone = [&one, &other].map(|more| finish(&mut explored(&bundle, &study(more)).0, 64));
        let (mut before, _) = explored(&bundle, &study(&one));
        before.step(30, &mut OneThread::default());
        let (mut run, _) = explored(&bundle, &study(&other));
        assert!(run.inherit(&before));
        run.step(10, &mut OneThread::default());
        assert!([finish(&mut before, 50), finish(&mut run, 40)] == alone);
    }
}

#[test]
fn a_walk_is_one_exploration_after_another() {
    let bundle = bundle();
    let folds = "folds = { scheme = \"anchored\", train = \"2 years\", test = \"1 year\" }\n";
    let (before, history) = explored(&bundle, &study(folds));
    let evaluator = || evaluator(&bundle, &study(folds), &history);
    let tested: Vec<_> = [7, 1000]
        .into_iter()
        .map(|step| {
            let mut walk = Walking::new(evaluator()).unwrap();
            assert!(walk.inherit(&before) && walk.joined().unwrap().is_none());
            while !walk.step(step, &mut OneThread::default()).unwrap() {}
            assert_eq!(walk.tested().len(), walk.len());
            assert!(walk.efficiency().is_finite());
            let joined = walk.joined().unwrap().unwrap();
            (walk.tested().to_vec(), format!("{:?}{joined:?}", walk.tested()))
        })
        .collect();
    assert!(tested[0].1 == tested[1].1, "steps of any size");
    let whole = evaluator();
    assert_eq!(tested[0].0.len(), 3);
    for one in &tested[0].0 {
        let mut alone = Exploration::new(whole.within(&one.fold.train).unwrap()).unwrap();
        finish(&mut alone, 1000);
        let row = best_rows(&whole.plan, alone.results(), 1)[0];
        assert_eq!((one.index, one.trials), (alone.results().index()[row], alone.progress().trials));
        // As text: a metric may be undefined.
        assert_eq!(format!("{:?}", one.train), format!("{:?}", alone.results().metrics_of(row)));
        let test = whole.within(&one.fold.test).unwrap().detail(&one.point).metrics;
        assert_eq!(format!("{:?}", one.test), format!("{test:?}"));
    }
}
