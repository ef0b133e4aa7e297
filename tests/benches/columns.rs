//! What a trial is made of, on its own and on one thread: columns of indicators, and the rules over them.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use divan::Bencher;
use divan::counter::ItemsCount;
use sandtable_core::bundle::synth;
use sandtable_core::context::{self, Prepared};
use sandtable_core::engine::Decisions;
use sandtable_core::indicators;
use sandtable_core::run::{Batch, OneThread};
use sandtable_tests::workload;

fn main() {
    divan::main();
}

/// Bars of a column.
const BARS: usize = 200_000;

/// One column of an indicator of the close, all of its periods' parameters being 20. Items are bars.
#[divan::bench(args = ["sma", "ema", "rsi", "stddev", "max"])]
fn column(bencher: Bencher, name: &str) {
    let (_, indicator) = indicators::find(name).unwrap();
    let bundle = synth::minute_bars(BARS as u64, 5).into_bundle();
    let close = &bundle.bars[0].close;
    let params: Vec<f64> =
        indicator.params.iter().map(|param| if param.name == "timeperiod" { 20.0 } else { param.default }).collect();
    let mut out = vec![0.0; close.len()];
    indicators::compute(indicator, &[close], &params, &mut [&mut out]);
    assert!(out[close.len() - 1].is_finite());
    bencher.counter(ItemsCount::new(close.len())).bench_local(|| {
        indicators::compute(indicator, &[close], &params, &mut [&mut out]);
        out[close.len() - 1]
    });
}

/// The rules of one trial over columns that are there: what `if(a > b, …)` costs. Items are rows of the panel.
#[divan::bench(args = ["W1", "W4", "W8"])]
fn rules(bencher: Bencher, name: &str) {
    let evaluator = workload::evaluator(name, &workload::bundle(name)).unwrap();
    let mut point = Vec::new();
    evaluator.plan.space().point(0, &mut point);
    let batch = Batch::whole(vec![0], vec![point]);
    let prepared: Prepared = evaluator.prepare(&batch, &mut OneThread::default());
    let (strategy, point) = (evaluator.plan.strategy(), &batch.points[0]);
    let mut memory = context::Workspace::default();
    bencher.counter(ItemsCount::new(evaluator.context.panel.simulated_rows())).bench_local(|| {
        let decisions = Decisions::bind(&evaluator.context, strategy, point, &prepared, &mut memory);
        decisions.recycle(&mut memory);
    });
}
