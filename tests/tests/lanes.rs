//! Trials side by side against the reference simulator: the same equity, round trips, counters and metrics, bit for
//! bit, over random target strategies, settings, costs and data, for groups of every size and vectors of every width.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::sync::Arc;

use sandtable_core::bundle::{Bundle, synth};
use sandtable_core::cache::History;
use sandtable_core::context::{self, Prepared};
use sandtable_core::engine::fast::lanes::{self, Finished, LANES};
use sandtable_core::engine::fast::switches;
use sandtable_core::engine::{self, Decisions, Record, Workspace};
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::rng::Stream;
use sandtable_core::run::{Evaluator, Scratch};
use sandtable_core::simd;
use sandtable_core::strategy::Strategy;
use sandtable_tests::random::{self, pick};
use sandtable_tests::workload;

fn evaluator(bundle: &Bundle, strategy: &str, settings: &[(&str, String)]) -> Option<Evaluator> {
    let strategy = Strategy::parse(strategy, "random").unwrap_or_else(|error| panic!("{error}\n{strategy}"));
    let mut spec = PlanSpec::new("random");
    for (key, value) in settings {
        spec.set(key, value).unwrap();
    }
    // A random window may hold no bar: that is refused, and that is right.
    let plan = Plan::resolve(&spec, strategy, &BundleFacts::from(bundle)).ok()?;
    Evaluator::new(Arc::new(plan), bundle, Arc::new(History::new(1 << 26))).ok()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// Points of the plan's space, and the decisions that they bind.
fn bound(run: &Evaluator, indices: &[u64]) -> (Vec<Vec<f64>>, Vec<Decisions>) {
    let mut columns = context::Workspace::default();
    let point = |&index: &u64| {
        let mut point = Vec::new();
        run.plan.space().point(index, &mut point);
        point
    };
    let points: Vec<Vec<f64>> = indices.iter().map(point).collect();
    let none = Prepared::default();
    let bind = |point: &Vec<f64>| Decisions::bind(&run.context, run.plan.strategy(), point, &none, &mut columns);
    let decisions = points.iter().map(bind).collect();
    (points, decisions)
}

/// What one run of the test goes on.
#[derive(Default)]
struct Used {
    lanes: lanes::Memory,
    switches: switches::Memory,
    plain: Workspace,
    /// Trials that were left to the sequential path.
    unknown: u64,
}

/// One group, bar by bar, against the reference. Number of fills; `None` if the group cannot be simulated side by side.
fn compare(run: &Evaluator, indices: &[u64], used: &mut Used, what: &str) -> Option<u64> {
    let (panel, settings) = (&*run.context.panel, run.plan.settings());
    let grid = run.fast_path().ok()?;
    let (_, decisions) = bound(run, indices);
    lanes::covers(&decisions[0], settings).ok()?;
    if !lanes::open_to(grid, &decisions) {
        return None;
    }
    let mut finished = vec![Finished::default(); indices.len()];
    lanes::simulate(panel, grid, settings, &decisions, &mut used.lanes, &mut finished);
    Some(check(run, indices, &decisions, &finished, used, what))
}

/// The same from switch to switch, however often they come; `None` if it is not open to the group.
fn compare_switches(run: &Evaluator, indices: &[u64], used: &mut Used, what: &str) -> Option<u64> {
    let (panel, settings) = (&*run.context.panel, run.plan.settings());
    let grid = run.fast_path().ok()?;
    let (_, decisions) = bound(run, indices);
    let mut finished = vec![Finished::default(); indices.len()];
    let memory = &mut used.switches;
    switches::simulate(panel, grid, settings, &decisions, 0, memory, &mut finished)
        .then(|| check(run, indices, &decisions, &finished, used, what))
}

/// What a group came to against the reference.
fn check(
    run: &Evaluator,
    indices: &[u64],
    decisions: &[Decisions],
    finished: &[Finished],
    used: &mut Used,
    what: &str,
) -> u64 {
    let (panel, settings) = (&*run.context.panel, run.plan.settings());
    let mut fills = 0;
    for ((mut decisions, found), index) in decisions.iter().zip(finished).zip(indices) {
        let what = format!("trial {index} of {}, {what}", indices.len());
        if found.unknown {
            used.unknown += 1;
            continue;
        }
        let plain = &mut used.plain;
        engine::simulate(panel, &mut decisions, settings, Record::default(), plain);
        assert_eq!(found.counters, plain.counters, "counters, {what}");
        assert_eq!(found.cash.to_bits(), plain.account.cash.to_bits(), "cash, {what}");
        assert_eq!(bits(&found.positions), bits(&plain.account.positions()), "positions, {what}");
        assert_eq!(bits(&found.session_equity), bits(&plain.session_equity), "equity, {what}");
        assert_eq!(found.trades, plain.trades, "round trips, {what}");
        assert_eq!(found.rows_read, run.context.panel.simulated_rows() as u64, "rows, {what}");
        fills += found.counters.fills;
    }
    fills
}

fn indices(run: &Evaluator, random: &mut Stream, most: u64) -> Vec<u64> {
    let count = 1 + random.below(most);
    (0..count).map(|_| random.below(run.plan.space().size())).collect()
}

/// A strategy of target weights, most of which trades often.
fn strategy(random: &mut Stream) -> String {
    let mut text = String::from(
        "name = \"random\"\n[params]\np = { type = \"int\", min = 2, max = 20, default = 5 }\n\
         q = { type = \"int\", min = 5, max = 60, step = 5, default = 10 }\n[rules]\n",
    );
    let (condition, other) = (random::condition(random, 1), random::condition(random, 1));
    let weight = match random.below(8) {
        0 => format!("if({condition}, 1 / n_symbols, 0)"),
        1 => format!("if({condition}, 0.3, if({other}, -0.3, 0))"),
        2 => format!("if({condition}, 1, -1) / n_symbols"),
        3 => "0.02 / (natr(p) * n_symbols)".into(),
        4 => format!("if({condition}, min(1, 1 / natr(p)), 0) / n_symbols"),
        5 => format!("{} / {}", random::number(random, 1), random::number(random, 1)),
        6 => format!("{} - {}", random::number(random, 1), random::number(random, 1)),
        _ => format!("{} / n_symbols", pick(random, &["1", "1.5", "-1", "0.5"])),
    };
    text += &format!("target = \"{weight}\"\n");
    let choice = *pick(random, &["on_change", "every_bar", "every_bar", "weekly", ""]);
    let rebalance = if choice.is_empty() { random::condition(random, 1) } else { choice.into() };
    text + &format!("rebalance = \"{rebalance}\"\n")
}

#[test]
fn random_groups_come_to_the_same_bits() {
    let mut used = Used::default();
    let (mut compared, mut often, mut refused) = (0_u32, 0_u32, 0_u32);
    for case in 0..6000 {
        let mut random = Stream::new(21, [case, 0]);
        let days = 10 + random.below(if case % 10 == 0 { 600 } else { 120 }) as usize;
        let symbols = 1 + random.below(if case % 20 == 0 { 40 } else { 6 }) as usize;
        let bundle = random::bundle(&mut random, symbols, days);
        let strategy = strategy(&mut random);
        let mut settings = random::settings(&mut random);
        random::more_settings(&mut random, &bundle, &mut settings);
        // What goes one by one is compared elsewhere.
        settings.retain(|(key, value)| {
            !matches!((*key, &value[..]), ("fractional" | "lot", _) | ("size_at", "order") | ("sequence", "by_value"))
        });
        let Some(run) = evaluator(&bundle, &strategy, &settings) else { continue };
        let group = indices(&run, &mut random, LANES as u64);
        simd::limit([64, 256, 512][case as usize % 3]);
        match compare(&run, &group, &mut used, &format!("case {case}:\n{strategy}\n{settings:?}")) {
            Some(fills) => {
                compared += 1;
                often += u32::from(fills > 10 * group.len() as u64);
            }
            None => refused += 1,
        }
    }
    simd::limit(0);
    assert!(
        compared > 4000 && often > 2000 && refused > 0,
        "too few cases say anything: {compared} compared, {often} traded often, {refused} refused"
    );
}

/// A strategy that holds one weight or nothing.
fn switching(random: &mut Stream) -> String {
    let condition = random::condition(random, 1);
    let weight = *pick(random, &["1 / n_symbols", "0.3", "1", "2 / n_symbols", "p / 20"]);
    let target = match random.below(4) {
        0 => format!("if({condition}, 0, {weight})"),
        _ => format!("if({condition}, {weight}, 0)"),
    };
    format!(
        "name = \"random\"\n[params]\np = {{ type = \"int\", min = 2, max = 20, default = 5 }}\n\
         q = {{ type = \"int\", min = 5, max = 60, step = 5, default = 10 }}\n[rules]\ntarget = \"{target}\"\n\
         rebalance = \"on_change\"\n"
    )
}

#[test]
fn random_switches_come_to_the_same_bits() {
    let mut used = Used::default();
    let (mut compared, mut often, mut refused, mut long) = (0_u32, 0_u32, 0_u32, 0_u32);
    for case in 0..6000 {
        let mut random = Stream::new(25, [case, 0]);
        let days = 10 + random.below(if case % 10 == 0 { 600 } else { 150 }) as usize;
        let symbols = 1 + random.below(if case % 20 == 0 { 70 } else { 10 }) as usize;
        let bundle = match case % 5 {
            // With missing bars.
            0 => random::bundle(&mut random, symbols, days),
            // Sessions of several bars.
            1 => synth::minute_bars(20 * days as u64, case.into()).into_bundle(),
            _ => synth::universe(symbols as u32, 1, case.into()).into_bundle(),
        };
        let strategy = switching(&mut random);
        let mut settings = random::settings(&mut random);
        random::more_settings(&mut random, &bundle, &mut settings);
        settings.retain(|(key, value)| {
            !matches!((*key, &value[..]), ("fractional" | "lot" | "close_at_end", _) | ("size_at", "order"))
        });
        if case % 4 == 3 {
            // What another program does by default.
            settings.extend([("size_at", "fill".to_string()), ("sequence", "by_value".into())]);
        }
        let Some(run) = evaluator(&bundle, &strategy, &settings) else { continue };
        let group = indices(&run, &mut random, LANES as u64);
        simd::limit([64, 256, 512][case as usize % 3]);
        match compare_switches(&run, &group, &mut used, &format!("case {case}:\n{strategy}\n{settings:?}")) {
            Some(fills) => {
                compared += 1;
                often += u32::from(fills > 10 * group.len() as u64);
                long += u32::from(group.len() > simd::LANES);
            }
            None => refused += 1,
        }
    }
    simd::limit(0);
    assert!(
        compared > 2000 && often > 700 && long > 500 && refused > 0,
        "too few cases say anything: {compared} compared, {often} traded often, {long} of more than a lane's trial, \
         {refused} refused"
    );
}

/// A strategy of long entries and exits.
fn signals(random: &mut Stream) -> String {
    let mut text = String::from(
        "name = \"random\"\n[params]\np = { type = \"int\", min = 2, max = 20, default = 5 }\n\
         q = { type = \"int\", min = 5, max = 60, step = 5, default = 10 }\n[rules]\n",
    );
    text += &format!("enter_long = \"{}\"\n", random::condition(random, 1));
    if random.below(4) > 0 {
        text += &format!("exit_long = \"{}\"\n", random::condition(random, 1));
    }
    let sizes =
        ["size = 10\nsize_in = \"shares\"\n", "size = \"3000 + 100 * p\"\nsize_in = \"value\"\n", "size = 0.4\n", ""];
    text += *pick(random, &sizes);
    if random.below(4) > 0 {
        let levels = [
            "stop_loss = 0.004\n",
            "stop_loss = \"p / 400\"\n",
            "stop_loss = \"atr(p)\"\nstop_loss_in = \"amount\"\n",
            "",
        ];
        let stop = *pick(random, &levels);
        text += stop;
        if stop.is_empty() || random.below(2) == 0 {
            text += *pick(
                random,
                &["take_profit = 0.006\n", "take_profit = \"2 * atr(q)\"\ntake_profit_in = \"amount\"\n"],
            );
        }
        text += *pick(random, &["time_stop = 4\n", "time_stop = \"p\"\n", "", ""]);
        if !stop.is_empty() && random.below(4) == 0 && !text.contains("size") {
            text += "size = 0.02\nsize_in = \"risk\"\n";
        }
    }
    text
}

#[test]
fn random_entries_and_exits_come_to_the_same_bits() {
    let mut used = Used::default();
    let (mut compared, mut often, mut refused, mut trials) = (0_u32, 0_u32, 0_u32, 0_u64);
    for case in 0..6000 {
        let mut random = Stream::new(24, [case, 0]);
        let days = 10 + random.below(if case % 10 == 0 { 600 } else { 150 }) as usize;
        let symbols = 1 + random.below(if case % 20 == 0 { 40 } else { 6 }) as usize;
        let bundle = match case % 3 {
            // Without a missing bar.
            0 => synth::universe(symbols as u32, 1, case.into()).into_bundle(),
            _ => random::bundle(&mut random, symbols, days),
        };
        let strategy = signals(&mut random);
        let mut settings = random::settings(&mut random);
        random::more_settings(&mut random, &bundle, &mut settings);
        // What goes one by one is compared elsewhere.
        settings.retain(|(key, value)| {
            !matches!(
                (*key, &value[..]),
                ("fractional" | "lot" | "fill" | "sequence" | "refuse_unpaid_sales" | "size_includes_costs", _)
                    | ("size_at", "order")
                    | ("exit_slippage", "false")
                    | ("entry_bar_exits", "market")
            )
        });
        let Some(run) = evaluator(&bundle, &strategy, &settings) else { continue };
        let group = indices(&run, &mut random, LANES as u64);
        simd::limit([64, 256, 512][case as usize % 3]);
        match compare(&run, &group, &mut used, &format!("case {case}:\n{strategy}\n{settings:?}")) {
            Some(fills) => {
                compared += 1;
                trials += group.len() as u64;
                often += u32::from(fills > 4 * group.len() as u64);
            }
            None => refused += 1,
        }
    }
    simd::limit(0);
    assert!(
        compared > 1500 && often > 700 && used.unknown * 10 < trials,
        "too few cases say anything: {compared} compared, {often} traded often, {refused} refused, {} of {trials} unknown",
        used.unknown
    );
}

#[test]
fn groups_of_any_size_come_to_the_outcomes_of_single_trials() {
    let (mut together, mut alone) = (Scratch::default(), Scratch::default());
    let mut compared = 0;
    for case in 0..300 {
        let mut random = Stream::new(22, [case, 0]);
        let days = 20 + random.below(200) as usize;
        let symbols = 1 + random.below(4) as usize;
        let bundle = random::bundle(&mut random, symbols, days);
        let strategy = match case % 4 {
            0 => random::strategy(&mut random),
            1 => signals(&mut random),
            _ => strategy(&mut random),
        };
        let settings = random::settings(&mut random);
        let Some(run) = evaluator(&bundle, &strategy, &settings) else { continue };
        let indices = indices(&run, &mut random, 20);
        let (points, _) = bound(&run, &indices);
        let none = Prepared::default();
        let outcomes = run.trials(&indices, &points, &none, &mut together);
        assert_eq!(outcomes.len(), indices.len());
        for ((found, point), &index) in outcomes.iter().zip(&points).zip(&indices) {
            let expected = run.reference_trial(index, point, &none, &mut alone);
            let what = format!("case {case}, trial {index}:\n{strategy}\n{settings:?}");
            assert_eq!(bits(&found.metrics), bits(&expected.metrics), "metrics, {what}");
            assert_eq!(
                (found.index, found.rows_read, found.fills),
                (index, expected.rows_read, expected.fills),
                "{what}"
            );
            compared += 1;
        }
    }
    assert!(compared > 1000, "only {compared} trials compared");
}

#[test]
fn workloads_come_to_the_same_bits_at_every_width() {
    const HEAVY: &str = "name = \"heavy\"\n[params]\nfast = { type = \"int\", min = 5, max = 50, step = 5 }\n\
         slow = { type = \"int\", min = 50, max = 200, step = 15 }\nthreshold = { type = \"float\", min = 0.01, max = 0.1, step = 0.01 }\n\
         window = { type = \"int\", min = 10, max = 50, step = 10 }\nscaling = { type = \"int\", min = 5, max = 15, step = 5 }\n\
         [rules]\ntarget = \"if(sma(close, fast) > sma(close, slow) and atr(window) / close < threshold, \
         min(1, 0.1 / (scaling * stddev(close, window) / close)) / n_symbols, 0)\"\n";
    let mut used = Used::default();
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    let dense = workload::evaluator("W1d", &bundle).unwrap();
    let costs = [("costs.bps", "5".to_string()), ("costs.slippage_bps", "2".to_string())];
    let heavy = evaluator(&bundle, HEAVY, &costs).unwrap();
    for (name, run) in [("W1d", &dense), ("W4", &heavy)] {
        let size = run.plan.space().size();
        let indices: Vec<u64> = (0..LANES as u64).map(|k| k * 7919 % size).collect();
        for width in [64, 256, 512] {
            simd::limit(width);
            let fills = compare(run, &indices, &mut used, &format!("{name}, {width} bits")).unwrap();
            assert!(fills > 10_000, "{name}: {fills} fills");
        }
        simd::limit(0);
        let (panel, settings) = (&*run.context.panel, run.plan.settings());
        assert!(
            lanes::pays(panel, run.fast_path().unwrap(), settings, &bound(run, &indices).1),
            "{name} is simulated one by one"
        );
    }
}

#[test]
fn crossovers_go_from_switch_to_switch_at_every_width() {
    let mut used = Used::default();
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    let minutes = synth::minute_bars(20_000, 5).into_bundle();
    for (name, bundle) in [("W1", &bundle), ("W5", &minutes)] {
        let run = workload::evaluator(name, bundle).unwrap();
        let indices: Vec<u64> = (0..LANES as u64).map(|k| k * 7919 % run.plan.space().size()).collect();
        for width in [64, 256, 512] {
            simd::limit(width);
            let fills = compare_switches(&run, &indices, &mut used, &format!("{name}, {width} bits")).unwrap();
            assert!(fills > 1_000, "{name}: {fills} fills");
        }
        simd::limit(0);
        let (panel, settings, decisions) = (&*run.context.panel, run.plan.settings(), bound(&run, &indices).1);
        let mut finished = vec![Finished::default(); LANES];
        let (rows, memory) = (switches::FEWEST_ROWS, &mut used.switches);
        let grid = run.fast_path().unwrap();
        assert!(
            switches::simulate(panel, grid, settings, &decisions, rows, memory, &mut finished),
            "{name} goes bar by bar"
        );
    }
}

#[test]
fn what_goes_one_by_one_says_why() {
    let bundle = random::bundle(&mut Stream::new(23, [0, 0]), 2, 80);
    let target = "name = \"t\"\n[rules]\ntarget = \"0.5\"\nrebalance = \"every_bar\"\n";
    let signals = "name = \"s\"\n[rules]\nenter_short = \"close > open\"\n";
    for (text, key, value, reason) in [
        (target, "fractional", "false", "whole"),
        (target, "size_at", "order", "depends on the ones before"),
        (target, "sequence", "by_value", "depends on the ones before"),
        (signals, "shorts", "true", "short positions"),
    ] {
        let run = evaluator(&bundle, text, &[(key, value.to_string())]).unwrap();
        let decisions = &bound(&run, &[0]).1[0];
        let why = lanes::covers(decisions, run.plan.settings()).unwrap_err();
        assert!(why.contains(reason), "{why}");
        assert!(!lanes::pays(
            &run.context.panel,
            run.fast_path().unwrap(),
            run.plan.settings(),
            &vec![decisions.clone(); LANES]
        ));
    }
}
