//! The fast path against the reference simulator: the same fills, equity, counters and metrics, bit for bit, over
//! random strategies, settings, costs and data, over the shipped strategies, and over the named workloads.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::sync::Arc;

use sandtable_core::bundle::{Bundle, synth};
use sandtable_core::cache::History;
use sandtable_core::context::{self, Prepared};
use sandtable_core::engine::{self, Decisions, Record, Workspace, fast};
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::rng::Stream;
use sandtable_core::run::{Evaluator, Outcome, Scratch};
use sandtable_core::strategy::{Strategy, gallery};
use sandtable_tests::{random, workload};

fn evaluator(bundle: &Bundle, strategy: &str, settings: &[(&str, String)]) -> Option<Evaluator> {
    let strategy = Strategy::parse(strategy, "random").unwrap_or_else(|error| panic!("{error}\n{strategy}"));
    let mut spec = PlanSpec::new("random");
    for (key, value) in settings {
        spec.set(key, value).unwrap();
    }
    // A random window may hold no bar, a random lag may be out of range: those are refused, and that is right.
    let plan = Plan::resolve(&spec, strategy, &BundleFacts::from(bundle)).ok()?;
    Evaluator::new(Arc::new(plan), bundle, Arc::new(History::new(1 << 26))).ok()
}

fn point(evaluator: &Evaluator, index: u64) -> Vec<f64> {
    let mut point = Vec::new();
    evaluator.plan.space().point(index, &mut point);
    point
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// One trial by one of the simulators, in memory that earlier trials have used.
fn simulate(run: &Evaluator, grid: Option<&fast::Grid>, point: &[f64], workspace: &mut Workspace) -> bool {
    let record = Record { fills: true, bars: true, ..Record::default() };
    let (panel, settings) = (&*run.context.panel, run.plan.settings());
    let mut columns = context::Workspace::default();
    let decisions = Decisions::bind(&run.context, run.plan.strategy(), point, &Prepared::default(), &mut columns);
    let done = grid.is_some_and(|grid| fast::simulate(panel, grid, &decisions, settings, record.clone(), workspace));
    if !done {
        engine::simulate(panel, &mut &decisions, settings, record, workspace);
    }
    done
}

/// Both simulators over one point; what is compared is everything that a run leaves behind. Number of fills, and whether
/// the fast path came to its end.
fn compare(run: &Evaluator, point: &[f64], memory: &mut [Workspace; 2], what: &str) -> (usize, bool) {
    let [quick, plain] = memory;
    let grid = run.fast_path().unwrap_or_else(|reason| panic!("{what}: {reason}"));
    let done = simulate(run, Some(grid), point, quick);
    simulate(run, None, point, plain);
    assert_eq!(quick.account.fills, plain.account.fills, "fills, {what}");
    assert_eq!(quick.account.trades, plain.account.trades, "trades, {what}");
    assert_eq!(quick.account.cash.to_bits(), plain.account.cash.to_bits(), "cash, {what}");
    assert_eq!(bits(&quick.account.positions()), bits(&plain.account.positions()), "positions, {what}");
    assert_eq!(bits(&quick.bar_equity), bits(&plain.bar_equity), "equity at bars, {what}");
    assert_eq!(bits(&quick.session_equity), bits(&plain.session_equity), "equity at sessions, {what}");
    assert_eq!(quick.counters, plain.counters, "counters, {what}");
    assert_eq!(quick.rows_read, plain.rows_read, "rows, {what}");
    (plain.account.fills.len(), done)
}

fn same(quick: &Outcome, plain: &Outcome, what: &str) {
    assert_eq!(bits(&quick.metrics), bits(&plain.metrics), "metrics, {what}");
    assert_eq!((quick.index, quick.rows_read, quick.fills), (plain.index, plain.rows_read, plain.fills), "{what}");
}

#[test]
fn random_strategies_come_to_the_same_bits() {
    let (mut compared, mut with_fills, mut often, mut refused) = (0_u32, 0_u32, 0_u32, 0_u32);
    let mut memory = [Workspace::default(), Workspace::default()];
    let (mut quick, mut plain) = (Scratch::default(), Scratch::default());
    for case in 0..4000 {
        let mut random = Stream::new(11, [case, 0]);
        let days = 20 + random.below(300) as usize;
        let symbols = 1 + random.below(7) as usize;
        let bundle = random::bundle(&mut random, symbols, days);
        let strategy = random::strategy(&mut random);
        let mut settings = random::settings(&mut random);
        random::more_settings(&mut random, &bundle, &mut settings);
        let Some(run) = evaluator(&bundle, &strategy, &settings) else { continue };
        if run.fast_path().is_err() {
            refused += 1;
            continue;
        }
        let what = format!("case {case}:\n{strategy}\n{settings:?}");
        for _ in 0..2 {
            let index = random.below(run.plan.space().size());
            let point = point(&run, index);
            let (fills, done) = compare(&run, &point, &mut memory, &what);
            let none = Prepared::default();
            let (a, b) =
                (run.trial(index, &point, &none, &mut quick), run.reference_trial(index, &point, &none, &mut plain));
            same(&a, &b, &what);
            assert!(a.by_reference != done && b.by_reference, "who simulated it, {what}");
            compared += 1;
            with_fills += u32::from(fills > 0);
            often += u32::from(fills > 10);
        }
    }
    assert!(
        compared > 3000 && with_fills > 2000 && often > 1000 && refused > 100,
        "too few cases say anything: {compared} compared, {with_fills} traded, {often} traded often, {refused} refused"
    );
}

#[test]
fn shipped_strategies_come_to_the_same_bits() {
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    let mut memory = [Workspace::default(), Workspace::default()];
    let mut covered = 0_u32;
    for &(name, text) in gallery() {
        for fill in ["next_open", "next_close", "same_close"] {
            let settings = [("fill", fill.to_string()), ("costs.bps", "5".into()), ("start", "2004-03-05".into())];
            let run = evaluator(&bundle, text, &settings).unwrap();
            if run.fast_path().is_err() {
                assert!(["bracket_breakout", "rsi_mean_reversion"].contains(&name), "{name} asks for no position");
                continue;
            }
            let mut random = Stream::new(12, [covered, 0]);
            for _ in 0..3 {
                let point = point(&run, random.below(run.plan.space().size()));
                let (fills, _) = compare(&run, &point, &mut memory, &format!("{name}, {fill}, {point:?}"));
                covered += u32::from(fills > 0);
            }
        }
    }
    assert!(covered >= 50, "only {covered} trials traded");
}

#[test]
fn workloads_come_to_the_same_bits() {
    let mut memory = [Workspace::default(), Workspace::default()];
    for name in ["W1", "W1d", "W2"] {
        let run = workload::evaluator(name, &workload::bundle(name)).unwrap();
        let size = run.plan.space().size();
        let some = (0..size).step_by((size as usize / 12).max(1));
        let fills: usize = some.map(|index| compare(&run, &point(&run, index), &mut memory, name).0).sum();
        assert!(fills > 20, "{name}: {fills} fills");
    }
}

#[test]
fn what_is_not_covered_says_why() {
    let bundle = random::bundle(&mut Stream::new(13, [0, 0]), 2, 80);
    let text = "name = \"held\"\n[rules]\nenter_long = \"close > open\"\nexit_long = \"bars_held >= 3\"\n";
    let run = evaluator(&bundle, text, &[]).unwrap();
    assert!(run.fast_path().unwrap_err().contains("bars_held"));
}

#[test]
fn a_worker_keeps_as_much_memory_after_many_trials_as_after_a_few() {
    // A column that two operations read, a price as a rule of its own, and a choice that two rules share.
    let text = "name = \"r\"\n[params]\nperiod = { type = \"int\", min = 5, max = 64 }\n[columns]\n\
                volatility = \"atr(period) / close\"\ncalm = \"volatility < 0.03\"\n[rules]\n\
                enter_long = \"calm\"\nexit_long = \"not calm\"\nsize = \"min(1, 0.01 / volatility)\"\n\
                stop_loss = \"close * 0.1\"\nstop_loss_in = \"amount\"\n";
    let bundle = workload::bundle("W2");
    let run = evaluator(&bundle, text, &[("start", "2019-01-02".into())]).unwrap();
    let mut columns = context::Workspace::default();
    let mut held = Vec::new();
    for index in 0..run.plan.space().size() {
        let point = point(&run, index);
        let bound = Decisions::bind(&run.context, run.plan.strategy(), &point, &Prepared::default(), &mut columns);
        bound.recycle(&mut columns);
        held.push(columns.buffers());
    }
    assert!(held[4] > 0 && held.iter().skip(4).all(|&buffers| buffers == held[4]), "{held:?}");
}
