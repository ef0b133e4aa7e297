//! Whether a strategy knew what had not happened yet.
//!
//! Given a bundle and a strategy, this file runs the strategy on all bars and again on bars that end earlier, at several
//! cuts: what it ordered up to the cut must be the same, order by order and bit by bit. The bar of the cut counts too: an
//! order that is placed there can only come from what was known there. Cuts are laid where the whole run placed orders, and
//! evenly between, so that a strategy that looks one bar ahead is caught at its own decisions.
//!
//! Strategies in the expression language cannot look ahead: for them this tests the program. It is made for strategies in
//! Rust, which [`check`] takes as a function; they may read anything, the whole file included.

use std::sync::Arc;

use sandtable_core::Result;
use sandtable_core::bundle::{Bars, Bundle};
use sandtable_core::engine::{Cancel, Event, Happening};
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::run::{Evaluator, Switches};
use sandtable_core::strategy::Strategy;
use serde::Serialize;
use serde_json::json;

use super::{Case, Finding};
use crate::caches;
use crate::explain::moment::time_of;
use crate::view::{Terminal, wrap};
use crate::words;

/// Cuts unless it is said.
pub const DEFAULT_CUTS: usize = 24;

/// A decision that was another one when the data ended earlier.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leak {
    /// The bar of the decision.
    pub bar: String,
    /// The last bar of the shorter data.
    pub cut: String,
    /// What happened on all data; none if nothing did.
    pub whole: Option<String>,
    /// What happened on the shorter data.
    pub cut_off: Option<String>,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LookAhead {
    /// Cuts that were tried.
    pub cuts: usize,
    /// Decisions and fills that were compared, summed over cuts.
    pub compared: usize,
    /// The first decision of each cut that was another one.
    pub leaks: Vec<Leak>,
}

/// Runs a strategy on all bars of a plan and on bars that end at `cuts` earlier ones. `events` runs it on an evaluator and
/// gives what happened: `|evaluator| evaluator.events_of(&mut MyStrategy::new())`. It is asked anew for each cut, and must
/// give a strategy that has seen nothing yet.
///
/// # Errors
/// The plan does not resolve.
pub fn check(
    bundle: &Bundle,
    spec: &PlanSpec,
    strategy: &Strategy,
    cuts: usize,
    events: impl Fn(&Evaluator) -> Vec<Event>,
) -> Result<LookAhead> {
    let mut spec = spec.clone();
    // Closing what is open at the end of the data is not a decision of the strategy.
    spec.settings.close_at_end = false;
    let open = |bundle: &Bundle| {
        let plan = Plan::resolve(&spec, strategy.clone(), &BundleFacts::from(bundle))?;
        Evaluator::cached(Arc::new(plan), bundle, caches::caches().view(Switches::NONE))
    };
    let whole = open(bundle)?;
    let panel = &whole.context.panel;
    let all = decisions(events(&whole));
    let mut found = LookAhead { cuts: 0, compared: 0, leaks: Vec::new() };
    for cut in cut_bars(&all, panel.start, panel.timeline.len(), cuts) {
        let shorter = open(&cut_at(bundle, panel.timeline[cut], panel.sessions[cut]))?;
        let seen = decisions(events(&shorter));
        let before = &all[..all.partition_point(|event| event.bar as usize <= cut)];
        found.cuts += 1;
        found.compared += before.len();
        let Some(place) = (0..before.len().max(seen.len())).find(|&k| !same(before.get(k), seen.get(k))) else {
            continue;
        };
        let bar = [before.get(place), seen.get(place)].into_iter().flatten().map(|event| event.bar).min();
        let shown = |event: Option<&Event>| event.map(|event| words::event(event, &panel.symbols));
        found.leaks.push(Leak {
            bar: time_of(panel, bar.unwrap_or(0) as usize),
            cut: time_of(panel, cut),
            whole: shown(before.get(place)),
            cut_off: shown(seen.get(place)),
        });
    }
    Ok(found)
}

/// The check of a trial of the expression language.
///
/// # Errors
/// As [`check`].
pub fn find(case: &Case) -> Result<Finding> {
    let point = &case.trial.point;
    let found = check(&case.study.bundle, &case.study.spec, case.plan().strategy(), DEFAULT_CUTS, |evaluator| {
        evaluator.events_of(&mut &evaluator.decisions(point))
    })?;
    Ok(Finding {
        key: "look_ahead",
        json: json!(found),
        text: found.text(&Terminal::detect()),
        sound: found.leaks.is_empty(),
    })
}

impl LookAhead {
    /// What came out, in words.
    pub fn text(&self, terminal: &Terminal) -> String {
        let mut out = format!(
            "look-ahead: {} of {} cuts changed an earlier decision; {} decisions and fills compared\n",
            self.leaks.len(),
            self.cuts,
            self.compared
        );
        for leak in &self.leaks {
            let told = |what: &Option<String>| what.clone().unwrap_or_else(|| "nothing".into());
            let line = format!(
                "  {}: {}; on data that end at {}: {}",
                leak.bar,
                told(&leak.whole),
                leak.cut,
                told(&leak.cut_off)
            );
            out += &wrap::paragraph(&line, terminal.line_width(), 4);
        }
        out
    }
}

/// What a strategy asked for and what came of it. Interest and the like at the end of a session is left out: whether a bar
/// ends its session is not known before the next one.
fn decisions(mut events: Vec<Event>) -> Vec<Event> {
    events.retain(|event| {
        matches!(
            event.what,
            Happening::Placed { .. }
                | Happening::Filled { .. }
                | Happening::Cancelled(Cancel::ByStrategy | Cancel::Replaced)
        )
    });
    events
}

/// Whether two events are the same, undefined numbers being equal.
fn same(a: Option<&Event>, b: Option<&Event>) -> bool {
    a == b || format!("{a:?}") == format!("{b:?}")
}

/// At most so many bars before the last: half of them where orders were placed, the others evenly spread.
fn cut_bars(events: &[Event], start: usize, end: usize, most: usize) -> Vec<usize> {
    let mut placed: Vec<usize> = events
        .iter()
        .filter(|event| matches!(event.what, Happening::Placed { .. }))
        .map(|event| event.bar as usize)
        .filter(|&bar| bar + 1 < end)
        .collect();
    placed.dedup();
    let half = most.div_ceil(2).min(placed.len());
    let mut cuts: Vec<usize> = (0..half).map(|k| placed[k * placed.len() / half]).collect();
    let rest = most - half;
    let bars = (end - start).saturating_sub(1);
    cuts.extend((1..=rest).map(|k| start + k * bars / (rest + 1)));
    cuts.sort_unstable();
    cuts.dedup();
    cuts.retain(|&bar| bar + 1 < end);
    cuts
}

/// A bundle as it was when the bar of this time had closed. That a symbol goes on later is kept: it is no news of the
/// strategy that the data end.
fn cut_at(bundle: &Bundle, time: i64, session: i32) -> Bundle {
    let cut = |bars: &Bars| {
        let rows = bars.time.partition_point(|&t| t <= time);
        let upto = |column: &[f64]| column[..rows].to_vec();
        Bars {
            time: bars.time[..rows].to_vec(),
            session: bars.session[..rows].to_vec(),
            open: upto(&bars.open),
            high: upto(&bars.high),
            low: upto(&bars.low),
            close: upto(&bars.close),
            volume: upto(&bars.volume),
        }
    };
    Bundle {
        name: bundle.name.clone(),
        version: format!("{} up to {time}", bundle.version),
        frequency: bundle.frequency,
        calendar: bundle.calendar,
        prices: bundle.prices,
        benchmark: bundle.benchmark.clone(),
        symbols: bundle.symbols.clone(),
        bars: bundle.bars.iter().map(cut).collect(),
        actions: bundle.actions.iter().filter(|action| action.ex_date <= session).cloned().collect(),
        records: (0..bundle.symbols.len()).map(|place| bundle.record(place).unwrap_or((i32::MAX, i32::MAX))).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use sandtable_core::bundle::Field;
    use sandtable_core::bundle::synth;
    use sandtable_core::engine::Desk;
    use sandtable_core::strategy::from_gallery;

    use super::*;

    fn plan_of(bundle: &str) -> PlanSpec {
        let mut spec = PlanSpec::new("test");
        for (key, value) in
            [("bundle", bundle), ("symbols", "ALFA,BRVO"), ("start", "2018-01-02"), ("end", "2018-12-31")]
        {
            spec.set(key, value).unwrap();
        }
        spec.set("search.method", "single").unwrap();
        spec
    }

    #[test]
    fn a_strategy_that_peeks_one_bar_ahead_is_caught_and_one_that_does_not_is_not() {
        let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
        let strategy = from_gallery("sma_cross").unwrap();
        let peek = |ahead: usize| {
            check(&bundle, &plan_of("mag8"), &strategy, 12, |evaluator| {
                let panel = evaluator.context.panel.clone();
                let mut cheat = move |desk: &mut Desk<'_>| {
                    let span = panel.spans[0];
                    let now = panel.start + desk.bar();
                    let row = span.offset + panel.row_time[span.rows()].partition_point(|&t| (t as usize) < now);
                    let next = (row + ahead).min(span.offset + span.len - 1);
                    let close = desk.current(0, Field::Close).unwrap_or(f64::NAN);
                    let weight = if panel.close[next] > close { 0.5 } else { 0.1 };
                    desk.order_target_percent(0, weight);
                };
                evaluator.events_of(&mut cheat)
            })
            .unwrap()
        };
        let caught = peek(1);
        assert!(!caught.leaks.is_empty() && caught.compared > 100, "{caught:?}");
        assert_eq!(caught.leaks[0].bar, caught.leaks[0].cut, "one bar ahead shows at the cut alone");
        let honest = peek(0);
        assert!(honest.leaks.is_empty() && honest.cuts == 12, "{honest:?}");
    }

    #[test]
    fn cuts_lie_where_orders_are_placed_and_before_the_last_bar() {
        assert_eq!(cut_bars(&[], 10, 21, 4), [12, 14, 16, 18]);
        assert!(cut_bars(&[], 0, 1, 4).is_empty());
    }
}
