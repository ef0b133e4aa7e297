//! Random trials beside their decimal twins, and their bars told in words: nothing panics, and where rounding decides
//! something it is said.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::sync::Arc;

use sandtable::explain::{self, Look};
use sandtable::verify::audit;
use sandtable_core::cache::History;
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::rng::Stream;
use sandtable_core::run::Evaluator;
use sandtable_core::strategy::{Rules, Strategy};
use sandtable_tests::random::{self, pick};

fn random_trial(case: u32) -> Option<(Evaluator, Vec<f64>)> {
    let mut random = Stream::new(9, [case, 0]);
    let days = 60 + random.below(240) as usize;
    let symbols = 1 + random.below(4) as usize;
    let bundle = random::bundle(&mut random, symbols, days);
    let mut text = random::strategy(&mut random);
    let mut settings = random::settings(&mut random);
    random::more_settings(&mut random, &bundle, &mut settings);
    let has_exits = ["stop_loss", "take_profit", "trailing_stop", "time_stop"].iter().any(|exit| text.contains(exit));
    if text.contains("enter_long") && !has_exits && random.uniform() < 0.6 {
        const EXITS: [&str; 4] = [
            "stop_loss = 0.03\ntake_profit = 0.05\n",
            "entry_limit = \"close * 0.99\"\nentry_bars = 3\ntrailing_stop = 0.04\n",
            "entry_stop = \"high\"\nentry_limit = \"high * 1.01\"\ntime_stop = 4\nbreak_even = 0.02\nstop_loss = 0.05\n",
            "max_entries = 3\ntake_profit = 0.1\n",
        ];
        text += *pick(&mut random, &EXITS);
    }
    if random.uniform() < 0.4 {
        settings.push(("volume_limit", "0.01".into()));
        settings.push(("costs.sqrt_impact", "0.3".into()));
    }
    if random.uniform() < 0.3 {
        settings.retain(|(key, _)| *key != "margin");
        settings.push(("margin", "reg_t".into()));
        settings.push(("costs.interest_bps", "150".into()));
        settings.push(("costs.borrow_bps", "80".into()));
    }
    let strategy = Strategy::parse(&text, "random").unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut spec = PlanSpec::new("random");
    for (key, value) in &settings {
        spec.set(key, value).unwrap();
    }
    let plan = Plan::resolve(&spec, strategy, &BundleFacts::from(&bundle)).ok()?;
    let evaluator = Evaluator::new(Arc::new(plan), &bundle, Arc::new(History::new(1 << 24))).ok()?;
    let mut point = Vec::new();
    evaluator.plan.space().point(random.below(evaluator.plan.space().size()), &mut point);
    Some((evaluator, point))
}

#[test]
fn rounding_is_measured_and_its_ties_are_named() {
    let (mut passed, mut forked, mut traded) = (0, 0, 0);
    for case in 0..300 {
        let Some((evaluator, point)) = random_trial(case) else { continue };
        let audit = audit(&evaluator, &point);
        let detail = evaluator.detail(&point);
        assert_eq!(audit.float_fills, detail.fills.len() as u64, "case {case}: the floats are those of a search");
        let objective = evaluator.plan.objective().metric;
        let (found, told) = (detail.metrics[objective], audit.metric.0);
        assert!(found == told || found.is_nan() && told.is_nan(), "case {case}: {found} {told}");
        traded += u32::from(audit.float_fills > 0);
        if audit.passes() {
            passed += 1;
            continue;
        }
        forked += 1;
        let named = audit.first_apart.is_some() || audit.first_amount.is_some() || audit.out_of_range.is_some();
        assert!(named, "case {case}: {audit:?}");
    }
    assert!(traded > 150 && passed > 10 * forked, "{traded} traded, {passed} agree, {forked} do not");
}

#[test]
fn any_bar_can_be_told() {
    let (mut told, mut events) = (0, 0);
    for case in 0..120 {
        let Some((evaluator, point)) = random_trial(case) else { continue };
        let panel = &evaluator.context.panel;
        let detail = evaluator.detail(&point);
        for bar in evaluator.inspect(&point, panel.start..panel.timeline.len()) {
            let text = explain::text(&evaluator, &bar, Look { symbol: None, width: 100 });
            let json = explain::json(&evaluator, &bar, Look { symbol: Some(0), width: 100 });
            assert!(text.contains("cash") && json["symbols"].as_array().unwrap().len() == 1);
            let equity = detail.equity[bar.t - panel.start];
            assert!(bar.after.equity == equity || equity.is_nan(), "case {case}: {} {equity}", bar.after.equity);
            told += 1;
            events += bar.events.len();
            // Every symbol with a bar says what its rules came to.
            for (symbol, seen) in bar.symbols.iter().enumerate().filter(|(_, seen)| seen.row.is_some()) {
                let outcome = text.matches("  => ").count();
                assert!(outcome > 0, "case {case}, symbol {symbol}: {text}");
                let rules = if matches!(evaluator.plan.strategy().rules, Rules::Target { .. }) {
                    "target"
                } else {
                    "enter_long"
                };
                assert!(seen.values.iter().any(|value| value.name == rules));
            }
        }
    }
    assert!(told > 5_000 && events > 10_000, "{told} {events}");
}
