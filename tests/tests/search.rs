//! Searches from study to results: the same trials for any number of threads and any step, and objectives, constraints
//! and early ends as the study says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sandtable::drive::{self, Pooled};
use sandtable::pool::pool;
use sandtable_core::bundle::{Bundle, synth};
use sandtable_core::cache::History;
use sandtable_core::metrics;
use sandtable_core::plan::{BundleFacts, Method, Plan, PlanSpec, Words};
use sandtable_core::results::{ParquetSink, Results, Schema, Status, TrialRow};
use sandtable_core::run::{Evaluator, Exploration, OneThread, Run, best_rows, front};
use sandtable_core::strategy::Strategy;

const STRATEGY: &str = r#"
[params]
fast = { type = "int", min = 2, max = 40, step = 1, default = 10 }
slow = { type = "int", min = 10, max = 120, step = 2, default = 60 }
band = { type = "float", min = 0, max = 0.05, default = 0 }
[rules]
target = "if(sma(close, fast) > (1 + band) * sma(close, slow), 1 / n_symbols, 0)"
"#;

fn evaluator(bundle: &Bundle, keys: &[(&str, &str)]) -> Evaluator {
    let mut spec = PlanSpec::new("search");
    spec.set("start", "2015-01-02").unwrap();
    spec.set("end", "2016-12-30").unwrap();
    spec.set("where", "fast < slow").unwrap();
    for (key, value) in keys {
        spec.set(key, value).unwrap_or_else(|error| panic!("{error}"));
    }
    let strategy = Strategy::parse(STRATEGY, "cross").unwrap();
    let plan = Plan::resolve(&spec, strategy, &BundleFacts::from(bundle)).unwrap_or_else(|error| panic!("{error}"));
    Evaluator::new(Arc::new(plan), bundle, Arc::new(History::new(1 << 26))).unwrap()
}

/// All trials of a plan on so many threads, in the order of their batches.
fn results(evaluator: &Evaluator, threads: usize) -> Results {
    let schema = Arc::new(Schema::of(&evaluator.plan));
    let mut results = Results::new(schema);
    let pool = pool(threads).unwrap();
    let mut run = Run::new(evaluator.plan.clone());
    drive::drive(evaluator, &mut run, &mut Pooled(&pool), &AtomicBool::new(false), |batch, outcomes, _| {
        for (outcome, point) in outcomes.iter().zip(&batch.points) {
            let (metrics, bars_read) = (&outcome.metrics, outcome.rows_read);
            results.push(TrialRow {
                index: outcome.index,
                params: point,
                metrics,
                budget: batch.budget,
                bars_read,
                status: Status::Ok,
            });
        }
        Ok(())
    })
    .unwrap();
    results
}

fn bytes(results: &Results) -> Vec<u8> {
    let mut sink = ParquetSink::new(Vec::new(), results.schema().clone()).unwrap();
    sink.append(results).unwrap();
    sink.finish().unwrap()
}

#[test]
fn every_method_gives_the_same_file_for_any_number_of_threads_and_any_step() {
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    for &(word, method) in Method::ALL.iter().filter(|(_, method)| method.is_guided()) {
        let objective = if method == Method::Nsga2 { "[\"sharpe\", \"max_drawdown\"]" } else { "sharpe" };
        let keys = [("search.method", word), ("search.trials", "70"), ("objective", objective), ("seed", "5")];
        let evaluator = evaluator(&bundle, &keys);
        let one = results(&evaluator, 1);
        // A refinement may end before.
        let planned = evaluator.plan.count_trials(u64::MAX).points as usize;
        assert!(one.len() == planned || method == Method::Local, "{word}: {} trials", one.len());
        assert!(planned == 70 || method.has_budgets(), "{word}: {planned}");
        let distinct: BTreeSet<(u64, u64)> =
            one.index().iter().enumerate().map(|(row, &index)| (index, one.budget(row).to_bits())).collect();
        assert_eq!(distinct.len(), one.len(), "{word}");
        let file = bytes(&one);
        for threads in [2, 7] {
            assert!(bytes(&results(&evaluator, threads)) == file, "{word} on {threads} threads");
        }
        for step in [1, 13, 1000] {
            let mut exploration = Exploration::new(evaluator_again(&evaluator, &bundle)).unwrap();
            while !exploration.step(step, &mut OneThread::default()).done {}
            assert!(bytes(exploration.results()) == file, "{word} in steps of {step}");
        }
    }
}

/// Trials of a rung see just their part of the sessions, and the best trials are among those that saw all of them.
#[test]
fn a_budget_is_a_part_of_the_sessions_with_warm_indicators() {
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    let keys = [("search.method", "bohb"), ("search.trials", "12"), ("constraints", "trades >= 20")];
    let evaluator = evaluator(&bundle, &keys);
    let results = results(&evaluator, 2);
    let whole = (0..results.len()).filter(|&row| results.is_whole(row)).count();
    assert!(whole > 1 && whole < results.len() / 2, "{whole} of {}", results.len());
    let all = evaluator.simulated_rows() as f64;
    for row in 0..results.len() {
        let part = results.bars_read()[row] as f64 / all;
        assert!((part - results.budget(row)).abs() < 0.01, "{part} of the bars for {}", results.budget(row));
        // The same bits as a plan over the part's sessions alone.
        let point = results.point(row);
        let alone = evaluator.at(results.budget(row)).detail(&point);
        let bits = |metrics: &[f64]| metrics.iter().map(|value| value.to_bits()).collect::<Vec<u64>>();
        assert_eq!(bits(&alone.metrics), bits(&results.metrics_of(row)));
        let indicator = evaluator.at(results.budget(row)).panel().start;
        assert!(indicator >= evaluator.plan.warmup_bars() as usize, "indicators are warm");
    }
    let best = best_rows(&evaluator.plan, &results, results.len());
    assert_eq!(best.len(), whole);
    assert!(best.iter().all(|&row| results.is_whole(row)));
    let spent: f64 = (0..results.len()).map(|row| results.budget(row)).sum();
    assert!(spent <= 12.0 + 1e-6 && spent > 11.0, "{spent}");
}

/// An evaluator of the same plan with nothing cached.
fn evaluator_again(evaluator: &Evaluator, bundle: &Bundle) -> Evaluator {
    Evaluator::new(evaluator.plan.clone(), bundle, Arc::new(History::new(1 << 26))).unwrap()
}

#[test]
fn the_best_trials_are_those_of_the_expression_that_meet_the_constraints() {
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    let text = "cagr - 0.5 * abs(max_drawdown)";
    let keys =
        [("search.method", "tpe"), ("search.trials", "60"), ("objective", text), ("constraints", "trades >= 150")];
    let evaluator = evaluator(&bundle, &keys);
    let results = results(&evaluator, 2);
    let column = |name: &str| results.metric(metrics::index_of(name).unwrap());
    let (cagr, drawdown, trades) = (column("cagr"), column("max_drawdown"), column("trades"));
    let feasible: Vec<usize> = (0..results.len()).filter(|&row| trades[row] >= 150.0).collect();
    assert!(!feasible.is_empty() && feasible.len() < results.len(), "{} of {}", feasible.len(), results.len());
    let value = |row: usize| cagr[row] - 0.5 * drawdown[row].abs();
    let best = feasible.iter().copied().max_by(|&a, &b| value(a).total_cmp(&value(b))).unwrap();
    let found = best_rows(&evaluator.plan, &results, results.len());
    assert_eq!(value(found[0]), value(best));
    assert!(found[..feasible.len()].iter().all(|&row| trades[row] >= 150.0), "infeasible trials come last");
}

#[test]
fn a_search_ends_early_as_the_study_says() {
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    let count = |keys: &[(&str, &str)]| {
        let method = [("search.method", "random"), ("search.trials", "200"), ("search.generation", "10")];
        let all: Vec<(&str, &str)> = method.iter().chain(keys).copied().collect();
        results(&evaluator(&bundle, &all), 2).len()
    };
    assert_eq!(count(&[]), 200);
    assert_eq!(count(&[("search.target", "-100")]), 10);
    let patient = count(&[("search.patience", "2")]);
    assert!((30..200).contains(&patient) && patient % 10 == 0, "{patient}");
}

#[test]
fn a_front_holds_what_nothing_beats() {
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    let keys = [("search.method", "nsga-ii"), ("search.trials", "120"), ("objective", "[\"cagr\", \"volatility\"]")];
    let evaluator = evaluator(&bundle, &keys);
    let results = results(&evaluator, 2);
    let front = front(&evaluator.plan, &results);
    let column = |name: &str| results.metric(metrics::index_of(name).unwrap());
    let (cagr, volatility) = (column("cagr"), column("volatility"));
    assert!(front.rows.len() > 1 && front.hypervolume > 0.0);
    for &row in &front.rows {
        let beaten = |other: usize| {
            cagr[other] >= cagr[row]
                && volatility[other] <= volatility[row]
                && (cagr[other] > cagr[row] || volatility[other] < volatility[row])
        };
        assert!(!(0..results.len()).any(beaten));
    }
}
