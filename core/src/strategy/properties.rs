//! Properties of all texts: nothing panics, everything ends, and what is printed reads back as the same.

use std::collections::BTreeMap;

use proptest::prelude::*;
// The trait of the same name as ours.
use proptest::strategy::Strategy as _;

use super::cases::Frame;
use super::parser::parse;
use super::{NodeId, Strategy, gallery, parse_scalar_condition};
use crate::error::Place;

/// Bits of the language and of TOML, to be thrown into valid texts.
const SCRAPS: [&str; 47] = [
    "(",
    ")",
    "[",
    "]",
    "[-1]",
    "[1]",
    ",",
    ".",
    "=",
    "==",
    "<",
    "<=",
    "-",
    "+",
    "^",
    "%",
    "and",
    "or",
    "not",
    "if(",
    "sma(",
    "macd(close)",
    ".signal",
    "close",
    "SPY.close",
    "\"",
    "'",
    "\"\"\"",
    "\n",
    "#",
    "1e999",
    "1e-320",
    "NaN",
    "weekly(",
    "minutes(15, ",
    "daily(",
    "session_end",
    "rank(",
    "entry_price",
    "min(close, ",
    "é",
    "\u{0}",
    "\\",
    "[rules]",
    "{ type = \"int\" }",
    "inf",
    "9223372036854775807",
];

/// Everything that must not panic, on one text.
fn swallow(text: &str) {
    let _ = parse(text);
    let _ = Frame::new().check(text);
    let _ = parse_scalar_condition(text, &["fast", "slow"], &Place::default()).map(|expr| expr.eval(&[1.0, f64::NAN]));
    if let Ok(strategy) = Strategy::parse(text, "any.toml") {
        let _ = strategy.lookback(&strategy.default_point(), true);
    }
    if let Err(error) = Strategy::parse(text, "any.toml") {
        let shown = error.to_string();
        assert!(shown.len() < 5_000, "{shown}");
    }
    let _ = Strategy::parse(&format!("[rules]\ntarget = '''{text}'''"), "any.toml").map_err(|error| error.to_string());
}

fn mutated(source: &str, edits: &[(usize, usize, usize)]) -> String {
    let mut text: Vec<char> = source.chars().collect();
    for &(place, length, scrap) in edits {
        let start = place % (text.len() + 1);
        let end = (start + length).min(text.len());
        text.splice(start..end, SCRAPS[scrap % SCRAPS.len()].chars());
    }
    text.into_iter().collect()
}

fn pick(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    proptest::sample::select(texts).prop_map(str::to_owned).boxed()
}

fn joined<const N: usize>(parts: [BoxedStrategy<String>; N], template: &'static str) -> BoxedStrategy<String> {
    parts
        .prop_map(move |parts| {
            let mut text = String::new();
            let mut pieces = template.split('$');
            text.push_str(pieces.next().unwrap_or_default());
            for (part, piece) in parts.iter().zip(pieces) {
                text.push_str(part);
                text.push_str(piece);
            }
            text
        })
        .boxed()
}

fn operator() -> BoxedStrategy<String> {
    pick(&["+", "-", "*", "/", "%", "^"])
}

fn comparison() -> BoxedStrategy<String> {
    pick(&["<", "<=", ">", ">=", "==", "!="])
}

fn number() -> BoxedStrategy<String> {
    prop_oneof![
        (0u32..60).prop_map(|n| n.to_string()),
        any::<f64>().prop_filter_map("finite", |value| { value.is_finite().then(|| format!("({value:?})")) })
    ]
    .boxed()
}

fn scalar(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![number(), pick(&["fast", "slow", "level", "n_symbols"])].boxed();
    if depth == 0 {
        return leaf;
    }
    let inner = || scalar(depth - 1);
    prop_oneof![
        leaf,
        joined([inner(), operator(), inner()], "($ $ $)"),
        joined([inner()], "-$"),
        joined([inner(), inner()], "max($, $)"),
    ]
    .boxed()
}

fn period() -> BoxedStrategy<String> {
    prop_oneof![
        (2u32..60).prop_map(|n| n.to_string()),
        pick(&["fast", "slow", "fast + 2", "round(level / 3)", "if(flag, fast, slow)", "abs(fast - slow)"])
    ]
    .boxed()
}

fn column(depth: u32) -> BoxedStrategy<String> {
    let leaf = pick(&[
        "open",
        "high",
        "low",
        "close",
        "volume",
        "trend",
        "SPY.close",
        "'BR\"K.B'.high",
        "weekday",
        "year",
        "atr(14)",
        "donchian(fast).upper[1]",
    ]);
    if depth == 0 {
        return leaf;
    }
    let inner = || column(depth - 1);
    prop_oneof![
        leaf,
        joined([inner(), operator(), inner()], "($ $ $)"),
        joined([inner(), operator(), scalar(2)], "($ $ $)"),
        joined([scalar(2), operator(), inner()], "($ $ $)"),
        joined([inner()], "-$"),
        joined([inner()], "(- -$)"),
        joined([pick(&["abs", "sqrt", "exp", "log", "sign", "floor", "ceil", "round"]), inner()], "$($)"),
        joined([inner(), inner()], "min($, $)"),
        joined([scalar(1), inner()], "min($, $)"),
        joined([inner()], "max($, level)"),
        joined([inner(), period()], "($)[$]"),
        joined([inner(), period()], "max($, $)"),
        joined([inner(), period()], "lowest($, $)"),
        joined([inner(), period()], "sma($, timeperiod=$)"),
        joined([inner()], "macd($, slowperiod=fast + 30).signal"),
        joined([inner()], "bbands($, 20, level, 1.5).lower"),
        joined([inner()], "rank($)"),
        joined([inner()], "zscore($)"),
        joined([condition(depth - 1)], "count(close > 1 or $)"),
        joined([condition(depth - 1)], "since(close > 1 and $)"),
        joined([condition(depth - 1), inner(), scalar(2)], "if($, $, $)"),
    ]
    .boxed()
}

fn condition(depth: u32) -> BoxedStrategy<String> {
    let leaf = pick(&["true", "flag", "month_end", "week_start()", "fast < slow"]);
    if depth == 0 {
        return leaf;
    }
    let inner = || condition(depth - 1);
    prop_oneof![
        leaf,
        joined([column(depth - 1), comparison(), column(depth - 1)], "($ $ $)"),
        joined([column(depth - 1), comparison(), scalar(1)], "($ $ $)"),
        joined([inner(), pick(&["and", "or", "==", "!="]), inner()], "(($) $ ($))"),
        joined([inner()], "(not $)"),
        joined([column(depth - 1)], "defined($)"),
        joined([column(depth - 1), scalar(1)], "cross_over($, $)"),
        joined([column(depth - 1)], "top($, fast)"),
        joined([inner(), inner(), inner()], "if($, $, $)"),
    ]
    .boxed()
}

/// Checks a text that must be valid.
fn checked(frame: &mut Frame, text: &str) -> Result<NodeId, TestCaseError> {
    frame.check(text).map_err(|problem| TestCaseError::fail(format!("{text}: {}", problem.message)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,80}") {
        swallow(&text);
    }

    #[test]
    fn heaps_of_scraps_never_panic(scraps in prop::collection::vec(0usize..SCRAPS.len(), 0..40)) {
        swallow(&scraps.iter().map(|&index| SCRAPS[index]).collect::<Vec<_>>().join(" "));
    }

    #[test]
    fn mutated_strategies_never_panic(
        which in 0usize..8,
        edits in prop::collection::vec((any::<u16>(), 0usize..12, 0usize..SCRAPS.len()), 1..6),
    ) {
        let edits: Vec<_> = edits.into_iter().map(|(place, length, scrap)| (usize::from(place), length, scrap)).collect();
        swallow(&mutated(gallery()[which].1, &edits));
    }

    #[test]
    fn printed_expressions_read_back_as_the_same_node(texts in prop::collection::vec(prop_oneof![column(3), condition(3)], 1..4)) {
        let mut frame = Frame::new();
        let mut printed: BTreeMap<String, NodeId> = BTreeMap::new();
        for text in &texts {
            let id = checked(&mut frame, text)?;
            let shown = frame.display(id, None);
            prop_assert_eq!(checked(&mut frame, &shown)?, id, "{} printed as {}", text, shown);
            // Different nodes print differently.
            prop_assert_eq!(*printed.entry(shown).or_insert(id), id);
        }
        let all: Vec<String> = (0..frame.program().nodes.len() as u32).map(|at| frame.display(NodeId(at), None)).collect();
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        prop_assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn bound_expressions_read_back_as_themselves(text in prop_oneof![column(3), condition(3)]) {
        let mut frame = Frame::new();
        let id = checked(&mut frame, &text)?;
        let shown = frame.display(id, Some(&[20.0, 52.0, 30.0, 1.0]));
        let again = checked(&mut frame, &shown)?;
        prop_assert_eq!(frame.display(again, None), shown.clone());
        prop_assert_eq!(frame.display(again, Some(&[])), shown);
        prop_assert!(frame.program().param_dependence(again).is_empty());
    }

    #[test]
    fn operands_come_before_users(text in column(3)) {
        let mut frame = Frame::new();
        let id = checked(&mut frame, &text)?;
        for (at, node) in frame.program().nodes.iter().enumerate() {
            let mut before = true;
            node.for_each_operand(|operand| before &= (operand.0 as usize) < at);
            prop_assert!(before, "{node:?}");
        }
        let reachable = frame.program().reachable(id);
        prop_assert_eq!(reachable.last(), Some(&id));
    }
}
