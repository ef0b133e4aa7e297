//! Comparisons of a batch are what each trial finds for itself, whichever of their averages are held.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::Arc;

use super::{Comparing, Condition, Context, Need, Panel, Prepared, Window};
use crate::bundle::{Field, synth};
use crate::cache::History;
use crate::context::Workspace;
use crate::num::NAN;
use crate::strategy::{Node, Strategy};

const RULES: &[&str] = &[
    "sma(close, a) > sma(close, b)",
    "sma(close, a) <= close",
    "close != sma(close, b) and sma(open, a) < sma(close, b)",
    "sma(volume, a) >= 1000 or sma(close, b) == sma(close, a)",
    "ema(close, a) < sma(close, b) and sma(close, a) > a",
    "sma(close, 20) > ema(close, b) or a < sma(high, b)",
    "ema(low, a) > ema(close, b) and trima(close, 20) < ema(low, b)",
];

fn strategy(rule: &str) -> Strategy {
    let text = format!(
        "name = \"s\"\n[params]\na = {{ type = \"int\", min = 1, max = 400 }}\nb = {{ type = \"int\", min = 1, max = 400 }}\n\
         [rules]\ntarget = \"if({rule}, 1, 0)\"\n"
    );
    Strategy::parse(&text, "s").unwrap()
}

/// Two symbols of some years, with holes in their prices and volumes.
fn context() -> Context {
    let bundle = synth::universe(2, 5, 3).into_bundle();
    let mut panel = Panel::new(&bundle, &[], &Window::default(), &[]).unwrap();
    let rows = panel.rows();
    Arc::make_mut(&mut panel.close)[rows / 3] = NAN;
    Arc::make_mut(&mut panel.close)[rows - 20] = f64::INFINITY;
    Arc::make_mut(&mut panel.volume)[..rows / 2].fill(NAN);
    assert!(panel.field(Field::Close)[rows / 3].is_nan());
    Context::new(Arc::new(panel), "holes", Arc::new(History::new(0)))
}

/// Conditions in so many portions of blocks.
fn compared(comparing: Comparing, portions: usize) -> Vec<Arc<Condition>> {
    let blocks = comparing.blocks();
    let cut: Vec<_> = (0..portions).map(|k| blocks * k / portions..blocks * (k + 1) / portions).collect();
    let mut truths = comparing.memory();
    let parts = Comparing::parts(&mut truths, &cut);
    let states = comparing.states(&comparing.endless(), &cut);
    // The last portion first: none needs another one.
    for (k, (blocks, part)) in cut.iter().zip(&parts).enumerate().rev() {
        comparing.work(k, blocks.clone(), if portions == 2 { &[] } else { &states }, part);
    }
    drop(parts);
    comparing.finish(truths)
}

#[test]
fn comparisons_of_a_batch_are_those_of_each_trial() {
    let context = context();
    let points: Vec<Vec<f64>> = [1, 2, 5, 30, 31, 210]
        .iter()
        .flat_map(|&a| [3, 30, 212, 400].map(|b| vec![f64::from(a), f64::from(b)]))
        .collect();
    for rule in RULES {
        let strategy = strategy(rule);
        let roots = strategy.rules.nodes();
        let (columns, needs) = (Need::columns(&strategy, &roots), Need::comparisons(&strategy, &roots, &[]));
        let averages = Need::averages(&context, &strategy, &roots, &columns, &needs);
        assert!(!averages.is_empty(), "{rule}");
        let wanted: Vec<_> = needs.iter().flat_map(|need| need.bindings(&points).distinct).collect();
        let held = |needs: &[&Need]| {
            let mut prepared = Prepared::default();
            for (bound, k) in needs.iter().flat_map(|need| need.bindings(&points).distinct) {
                prepared.insert(bound.clone(), context.compute(&strategy, &bound, &points[k]));
            }
            prepared
        };
        let others: Vec<&Need> = columns.iter().filter(|need| !averages.contains(need)).collect();
        let (some, all) = (held(&others), held(&columns.iter().collect::<Vec<_>>()));
        let comparing = |prepared| context.comparing(&strategy, &wanted, &points, prepared);
        assert_eq!(comparing(&all).averages(), 0, "{rule}");
        assert!(comparing(&some).averages() > 0, "{rule}");
        let expected = compared(comparing(&all), 1);
        for ((bound, k), expected) in wanted.iter().zip(&expected) {
            assert!(matches!(strategy.program.node(bound.node), Node::Binary(..)));
            let mut workspace = Workspace::default();
            let alone = context.rule(&strategy, bound.node, &points[*k], &Prepared::default(), &mut workspace);
            for row in 0..context.panel.rows() {
                let bit = |words: &[u64]| words[row / 64] >> (row % 64) & 1 == 1;
                let found = [0.0, 1.0, NAN][if bit(expected.undefined()) { 2 } else { bit(expected.truth()).into() }];
                let wanted = alone.at(row, &super::PositionState::FLAT);
                assert!(found == wanted || found.is_nan() && wanted.is_nan(), "{rule} {:?} row {row}", points[*k]);
            }
        }
        for portions in [1, 2, 5] {
            assert_eq!(compared(comparing(&some), portions), expected, "{rule} in {portions} portions");
        }
    }
}

/// Whether each row's close is among the `k` largest of its timestamp, counted one by one; of equal ones the first symbol's.
fn among_largest(panel: &Panel, k: usize) -> Vec<f64> {
    let close = panel.field(Field::Close);
    let before = |a: usize, b: usize| close[a] > close[b] || (close[a] == close[b] && a < b);
    let together = |row: usize| (0..panel.rows()).filter(move |other| panel.row_time[*other] == panel.row_time[row]);
    let one = |row: usize| match close[row].is_nan() {
        true => NAN,
        false => f64::from(together(row).filter(|&other| before(other, row)).count() < k),
    };
    (0..panel.rows()).map(one).collect()
}

#[test]
fn the_largest_share_their_ranks() {
    let bundle = synth::universe(5, 2, 3).into_bundle();
    let mut panel = Panel::new(&bundle, &[], &Window::default(), &[]).unwrap();
    for (row, close) in Arc::make_mut(&mut panel.close).iter_mut().enumerate() {
        // Ties, and some that are undefined.
        *close = if row % 11 == 0 { NAN } else { (*close / 40.0).round() };
    }
    let context = Context::new(Arc::new(panel), "ties", Arc::new(History::new(0)));
    let strategy = strategy("top(close, a) and a > 0");
    let roots = strategy.rules.nodes();
    let points: Vec<Vec<f64>> = (1..=6).map(|a| vec![f64::from(a), 1.0]).collect();
    let columns: Vec<_> =
        Need::columns(&strategy, &roots).iter().flat_map(|need| need.bindings(&points).distinct).collect();
    assert_eq!(columns.len(), 1, "one column of ranks for all");
    let mut prepared = Prepared::default();
    for (bound, k) in columns {
        prepared.insert(bound.clone(), context.compute(&strategy, &bound, &points[k]));
    }
    let needs = Need::comparisons(&strategy, &roots, &[]);
    let wanted: Vec<_> = needs.iter().flat_map(|need| need.bindings(&points).distinct).collect();
    assert_eq!(wanted.len(), points.len());
    let made = compared(context.comparing(&strategy, &wanted, &points, &prepared), 2);
    for (((bound, k), made), point) in wanted.iter().zip(&made).zip(&points) {
        let expected = among_largest(&context.panel, point[0] as usize);
        let mut workspace = Workspace::default();
        let alone = context.rule(&strategy, bound.node, &points[*k], &Prepared::default(), &mut workspace);
        assert!(expected.iter().any(|x| x.is_nan()) && expected.contains(&1.0));
        for (row, expected) in expected.into_iter().enumerate() {
            let bit = |words: &[u64]| words[row / 64] >> (row % 64) & 1 == 1;
            let together = [0.0, 1.0, NAN][if bit(made.undefined()) { 2 } else { bit(made.truth()).into() }];
            for found in [together, alone.at(row, &super::PositionState::FLAT)] {
                assert!(found == expected || found.is_nan() && expected.is_nan(), "{point:?} row {row}: {found}");
            }
        }
    }
}
