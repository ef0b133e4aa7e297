//! The named workloads inside one process: columns and trials on one thread, data and plan prepared beforehand.
//!
//! Workloads that take minutes are cut: the items of each bench are the bar-trials that it evaluates, so its rate stands
//! for the whole. The commands of the `workloads` program measure whole processes.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use divan::Bencher;
use divan::counter::ItemsCount;
use sandtable_core::bundle::Bundle;
use sandtable_core::run::{Evaluator, OneThread, Run, Scratch};
use sandtable_tests::workload::{self, Asked, COUNTS, Workload, grid_of, history};

fn main() {
    divan::main();
}

fn bar_trials(evaluator: &Evaluator, trials: u64) -> ItemsCount {
    ItemsCount::new(trials as usize * evaluator.context.panel.simulated_rows())
}

/// Columns and trials of a grid as the program evaluates them, without the results' encoding.
fn evaluate(evaluator: &Evaluator, scratch: &mut Scratch) -> u64 {
    let mut fills = 0;
    let mut steps = Run::new(evaluator.plan.clone());
    while let Some(batch) = steps.next_batch() {
        let prepared = evaluator.prepare(&batch, &mut OneThread::default());
        let outcomes = evaluator.trials(&batch.indices, &batch.points, &prepared, scratch);
        fills += outcomes.iter().map(|outcome| outcome.fills).sum::<u64>();
    }
    fills
}

fn grid(bencher: Bencher, evaluator: &Evaluator) {
    let trials = evaluator.plan.space().count_valid(u64::MAX).points;
    let mut scratch = Scratch::default();
    bencher.counter(bar_trials(evaluator, trials)).bench_local(|| evaluate(evaluator, &mut scratch));
}

/// Everything from the plan to the encoded results, over a bundle in memory.
fn whole(bencher: Bencher, workload: &Workload, bundle: &Bundle, trials: Option<u64>) {
    let asked = Asked { trials, ..Asked::default() };
    let once = || workload::measure(workload, bundle, 1, &asked).unwrap();
    bencher.counter(ItemsCount::new(once().rows_read as usize)).bench_local(once);
}

#[divan::bench(args = ["W1", "W1d", "W2"], sample_count = 5, sample_size = 1)]
fn one_thread(bencher: Bencher, name: &str) {
    grid(bencher, &workload::evaluator(name, &workload::bundle(name)).unwrap());
}

#[divan::bench(args = ["W1", "W2", "W3", "W4"], sample_count = 5, sample_size = 1)]
fn from_the_bundle(bencher: Bencher, name: &str) {
    let workload = workload::named(name).unwrap();
    whole(bencher, &workload, &workload.data.bundle(), None);
}

/// 256 of 10,000 pairs.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn w5_first_pairs(bencher: Bencher) {
    let workload = workload::named("W5").unwrap();
    whole(bencher, &workload, &workload.data.bundle(), Some(256));
}

/// 256 of 10^6 trials.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn w6_first_trials(bencher: Bencher) {
    let workload = workload::named("W6").unwrap();
    whole(bencher, &workload, &workload.data.bundle(), Some(256));
}

/// One backtest with round trips and equity; items are bars.
#[divan::bench(args = [100_000, 1_000_000], sample_count = 5, sample_size = 1)]
fn w7_bars(bencher: Bencher, bars: u64) {
    let workload = workload::named("W7").unwrap().with_bars(bars).unwrap();
    whole(bencher, &workload, &workload.data.bundle(), None);
}

/// One of five holdings: 10 of 50 trials.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn w8_one_holding(bencher: Bencher) {
    let workload = workload::named("W8").unwrap().with(&[("space.held", "20".into())]);
    let evaluator = workload.evaluator(&workload.data.bundle(), &[], &history()).unwrap();
    grid(bencher, &evaluator);
}

/// Grids of one symbol and year.
#[divan::bench(args = COUNTS, sample_count = 20, sample_size = 1)]
fn w9_backtests(bencher: Bencher, count: u64) {
    let workload = workload::named("W9").unwrap();
    let evaluator = workload.evaluator(&workload.data.bundle(), &grid_of(count), &history()).unwrap();
    grid(bencher, &evaluator);
}
