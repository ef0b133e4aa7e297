//! The named workloads inside one process: columns and trials on one thread, data and plan prepared beforehand.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use divan::Bencher;
use divan::counter::ItemsCount;
use sandtable_core::context::Prepared;
use sandtable_core::run::{Run, Scratch};
use sandtable_tests::workload;

fn main() {
    divan::main();
}

/// Items are bar-trials: rows of the panel times trials.
#[divan::bench(args = ["W1", "W1d", "W2", "W7"], sample_count = 5, sample_size = 1)]
fn one_thread(bencher: Bencher, name: &str) {
    let bundle = workload::bundle(name);
    let evaluator = workload::evaluator(name, &bundle).unwrap();
    let trials = evaluator.plan.space().count_valid(u64::MAX).points;
    let items = ItemsCount::new(trials as usize * evaluator.context.panel.simulated_rows());
    let mut scratch = Scratch::default();
    bencher.counter(items).bench_local(|| {
        let mut fills = 0;
        let mut steps = Run::new(evaluator.plan.clone());
        while let Some(batch) = steps.next_batch() {
            let mut prepared = Prepared::default();
            for (column, k) in evaluator.wanted(&batch.points) {
                let computed = evaluator.compute(&column, &batch.points[k]);
                prepared.insert(column, computed);
            }
            for (&index, point) in batch.indices.iter().zip(&batch.points) {
                fills += evaluator.trial(index, point, &prepared, &mut scratch).fills;
            }
        }
        fills
    });
}
