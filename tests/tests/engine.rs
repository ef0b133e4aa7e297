//! Properties of the simulator over random strategies, data and settings: ledgers add up, nothing looks ahead, and the
//! way in which trials are batched or threaded changes nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sandtable::{drive, pool};
use sandtable_core::bundle::Bundle;
use sandtable_core::cache::History;
use sandtable_core::context::Prepared;
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::rng::Stream;
use sandtable_core::run::{Evaluator, Outcome, Run, Scratch};
use sandtable_core::strategy::{Strategy, gallery};
use sandtable_tests::random;

fn evaluator(bundle: &Bundle, strategy: &str, settings: &[(&str, String)], budget: u64) -> Option<Evaluator> {
    let strategy = Strategy::parse(strategy, "random").unwrap_or_else(|error| panic!("{error}\n{strategy}"));
    let mut spec = PlanSpec::new("random");
    for (key, value) in settings {
        spec.set(key, value).unwrap();
    }
    // A random window may hold no bar, a random lag may be out of range: those are refused, and that is right.
    let plan = Plan::resolve(&spec, strategy, &BundleFacts::from(bundle)).ok()?;
    Evaluator::new(Arc::new(plan), bundle, Arc::new(History::new(budget))).ok()
}

fn point(evaluator: &Evaluator, index: u64) -> Vec<f64> {
    let mut point = Vec::new();
    evaluator.plan.space().point(index, &mut point);
    point
}

#[test]
fn every_ledger_adds_up() {
    let (mut simulated, mut with_fills) = (0, 0);
    for case in 0..400 {
        let mut random = Stream::new(1, [case, 0]);
        let days = 60 + random.below(300) as usize;
        let symbols = 1 + random.below(5) as usize;
        let bundle = random::bundle(&mut random, symbols, days);
        let strategy = random::strategy(&mut random);
        let settings = random::settings(&mut random);
        let Some(run) = evaluator(&bundle, &strategy, &settings, 1 << 24) else { continue };
        let index = random.below(run.plan.space().size());
        let point = point(&run, index);
        run.check(&point).unwrap_or_else(|error| panic!("case {case}: {error}\n{strategy}\n{settings:?}"));
        let detail = run.detail(&point);
        simulated += 1;
        with_fills += u32::from(!detail.fills.is_empty());
        let panel = &run.context.panel;
        let settings = run.plan.settings();
        for fill in &detail.fills {
            let span = panel.spans[fill.symbol as usize];
            let row = span.rows().find(|&row| panel.row_time[row] as usize == fill.bar as usize + panel.start);
            let Some(row) = row else {
                assert!(
                    settings.close_at_end || span.delisted,
                    "case {case}: a fill where the symbol has no bar: {fill:?}"
                );
                continue;
            };
            // Costs move a price out of the bar's range by at most themselves.
            let costs = settings.costs.spread / 2.0 + settings.costs.slippage_bps * 1e-4 + 1e-12;
            let range = panel.low[row] * (1.0 - costs)..=panel.high[row] * (1.0 + costs);
            assert!(range.contains(&fill.price), "case {case}: {fill:?} outside of {range:?}");
            let at_end = settings.close_at_end && fill.bar as usize + panel.start + 1 == panel.timeline.len();
            assert!(at_end || panel.volume[row] > 0.0, "case {case}: {fill:?} without volume");
            assert!(fill.fee >= 0.0 && fill.quantity != 0.0);
        }
        if settings.margin == sandtable_core::plan::Margin::Cash && !settings.close_at_end && !settings.shorts {
            let mut cash = settings.capital;
            for fill in &detail.fills {
                cash -= fill.quantity * fill.price + fill.fee;
                let floor = -1e-6 * settings.capital - fill.fee;
                assert!(cash >= floor || fill.quantity < 0.0, "case {case}: cash {cash} after {fill:?}");
            }
        }
    }
    assert!(
        simulated > 300 && with_fills > 150,
        "too few cases say anything: {simulated} simulated, {with_fills} traded"
    );
}

#[test]
fn nothing_looks_ahead() {
    let mut compared = 0;
    let texts: Vec<String> = gallery().iter().map(|(_, text)| (*text).to_string()).collect();
    for case in 0..160 {
        let mut random = Stream::new(2, [case, 0]);
        let bundle = random::bundle(&mut random, 3, 260);
        let strategy = match texts.get(case as usize % (2 * texts.len())) {
            Some(text) => text.clone(),
            None => random::strategy(&mut random),
        };
        // The schedule of the whole run is known beforehand; prices, bars and volumes after the cut are not.
        let mut settings = random::settings(&mut random);
        settings.retain(|(key, _)| *key != "close_at_end");
        let cut = bundle.bars.iter().flat_map(|b| b.session.get(b.len() * 2 / 3)).max().copied().unwrap_or(0);
        let mut changed = bundle.clone();
        for bars in &mut changed.bars {
            let keep = bars.session.partition_point(|&session| session <= cut);
            for row in keep..bars.len() {
                let factor = 0.2 + 3.0 * random.uniform();
                for column in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close] {
                    column[row] *= factor;
                }
                bars.volume[row] = (bars.volume[row] * factor).ceil();
            }
        }
        let Some(run) = evaluator(&bundle, &strategy, &settings, 1 << 24) else { continue };
        let Some(other) = evaluator(&changed, &strategy, &settings, 1 << 24) else { continue };
        let index = random.below(run.plan.space().size());
        let (before, after) = (run.detail(&point(&run, index)), other.detail(&point(&other, index)));
        let last = before.time.partition_point(|&t| sandtable_core::calendar::utc_date(t) <= cut);
        assert_eq!(before.equity[..last], after.equity[..last], "case {case}:\n{strategy}\n{settings:?}");
        let early = |fills: &[sandtable_core::ledger::Fill]| {
            fills.iter().filter(|fill| (fill.bar as usize) < last).copied().collect::<Vec<_>>()
        };
        assert_eq!(early(&before.fills), early(&after.fills), "case {case}:\n{strategy}\n{settings:?}");
        compared += usize::from(!early(&before.fills).is_empty());
    }
    assert!(compared > 60, "only {compared} cases traded before the cut");
}

#[test]
fn threads_caches_and_batches_change_no_bit() {
    for case in 0..12 {
        let mut random = Stream::new(3, [case, 0]);
        let bundle = random::bundle(&mut random, 4, 200);
        let strategy = random::strategy(&mut random);
        let settings = random::settings(&mut random);
        let Some(run) = evaluator(&bundle, &strategy, &settings, 1 << 26) else { continue };
        let Some(uncached) = evaluator(&bundle, &strategy, &settings, 0) else { continue };
        let all = |evaluator: &Evaluator, threads: usize| -> Vec<Outcome> {
            let mut outcomes = Vec::new();
            let mut steps = Run::new(evaluator.plan.clone());
            let pool = pool::pool(threads).unwrap();
            let never = AtomicBool::new(false);
            drive::drive(evaluator, &mut steps, &mut drive::Pooled(&pool), &never, |_, batch, _| {
                outcomes.extend_from_slice(batch);
                Ok(())
            })
            .unwrap();
            outcomes
        };
        let reference = all(&run, 1);
        assert_eq!(bits(&reference), bits(&all(&run, 2)), "2 threads, case {case}");
        assert_eq!(bits(&reference), bits(&all(&uncached, 7)), "7 threads without cache, case {case}");
        // One at a time, in reverse, with nothing prepared.
        let mut scratch = Scratch::default();
        for outcome in reference.iter().rev().step_by(17) {
            let alone = uncached.trial(outcome.index, &point(&run, outcome.index), &Prepared::default(), &mut scratch);
            assert_eq!(bits(std::slice::from_ref(outcome)), bits(&[alone]), "alone, case {case}");
        }
    }
}

fn bits(outcomes: &[Outcome]) -> Vec<(u64, Vec<u64>, u64, u64)> {
    outcomes.iter().map(|o| (o.index, o.metrics.iter().map(|m| m.to_bits()).collect(), o.rows_read, o.fills)).collect()
}

#[test]
fn a_strategy_that_never_trades_keeps_exactly_its_cash() {
    let mut random = Stream::new(4, [0, 0]);
    let bundle = random::bundle(&mut random, 3, 100);
    let text = "name = \"idle\"\n[rules]\ntarget = \"if(close < 0, 1, 0)\"\n";
    let run = evaluator(&bundle, text, &[("capital", "12345.67".into())], 0).unwrap();
    let detail = run.detail(&[]);
    assert!(detail.fills.is_empty());
    assert!(detail.equity.iter().all(|&equity| equity == 12345.67));
}

/// Three bars, one symbol: prices that make every rule of the fill visible.
fn three_bars() -> Bundle {
    let mut bundle = random::bundle(&mut Stream::new(5, [0, 0]), 1, 4);
    let bars = &mut bundle.bars[0];
    bars.open = vec![10.0, 11.0, 12.0, 13.0];
    bars.close = vec![10.5, 11.5, 12.5, 13.5];
    bars.high = vec![11.0, 12.0, 13.0, 14.0];
    bars.low = vec![9.0, 10.0, 11.0, 12.0];
    bars.volume = vec![1.0; 4];
    bundle
}

fn fills(strategy: &str, settings: &[(&str, String)]) -> Vec<(u32, f64, f64, f64)> {
    let run = evaluator(&three_bars(), strategy, settings, 0).unwrap();
    run.detail(&[]).fills.iter().map(|f| (f.bar, f.quantity, f.price, f.fee)).collect()
}

#[test]
fn orders_fill_where_the_settings_say() {
    let always = "name = \"hold\"\n[rules]\ntarget = \"1\"\n";
    let case =
        |fill: &str| fills(always, &[("fill", fill.into()), ("capital", "1050".into()), ("margin", "none".into())]);
    // The count of shares comes from the close that the decision saw: 1050 / 10.5 = 100.
    assert_eq!(case("next_open"), [(1, 100.0, 11.0, 0.0)]);
    assert_eq!(case("next_close"), [(1, 100.0, 11.5, 0.0)]);
    assert_eq!(case("same_close"), [(0, 100.0, 10.5, 0.0)]);
    // Cash pays for fewer at the higher open; sized at the fill, the whole of it is spent.
    let cut = fills(always, &[("capital", "1050".into())]);
    assert!((cut[0].1 * 11.0 - 1050.0).abs() < 1e-9 && cut[0].1 < 100.0);
    assert_eq!(fills(always, &[("capital", "1100".into()), ("size_at", "fill".into())]), [(1, 100.0, 11.0, 0.0)]);
    assert_eq!(
        fills(always, &[("capital", "1050".into()), ("fractional", "false".into()), ("lot", "10".into())]),
        [(1, 90.0, 11.0, 0.0)]
    );
}

#[test]
fn exits_and_reversals_follow_the_rules() {
    let reversal = "name = \"r\"\n[rules]\nenter_long = \"close == 10.5\"\nenter_short = \"close == 11.5\"\nsize = 10\nsize_in = \"shares\"\n";
    assert_eq!(
        fills(reversal, &[("capital", "1000".into())]),
        [(1, 10.0, 11.0, 0.0), (2, -10.0, 12.0, 0.0), (2, -10.0, 12.0, 0.0)]
    );
    let held = "name = \"h\"\n[rules]\nenter_long = \"close == 10.5\"\nexit_long = \"bars_held >= 1\"\nsize = 10\nsize_in = \"shares\"\n";
    // Filled at bar 1; at bar 2 one bar has passed since; the exit fills at bar 3.
    assert_eq!(fills(held, &[("capital", "1000".into())]), [(1, 10.0, 11.0, 0.0), (3, -10.0, 13.0, 0.0)]);
    assert_eq!(
        fills(held, &[("capital", "1000".into()), ("shorts", "false".into()), ("costs.per_trade", "1".into())]),
        [(1, 10.0, 11.0, 1.0), (3, -10.0, 13.0, 1.0)]
    );
}
