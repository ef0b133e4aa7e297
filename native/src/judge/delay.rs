//! The trial with every order a bar late: a strategy that needs the very next bar is hard to follow.
//!
//! Given the trial's rules, this file lets them say at each bar what they said at the symbol's bar before, so that each
//! order is placed, and fills, one bar later than it would have. What a rule knows of its own position is not delayed, nor
//! are exits that wait in the market. Weekly and monthly rebalances come one bar later too.

use serde_json::json;

use super::{Case, Finding, variants_json, variants_table};

/// Runs the trial a bar late.
pub fn find(case: &Case) -> Finding {
    let evaluator = &case.study.evaluator;
    let later = evaluator.decisions(&case.trial.point).one_bar_later(&evaluator.context.panel);
    let rows = [
        ("as it was".to_owned(), case.detail.metrics.clone()),
        ("one bar later".to_owned(), evaluator.metrics_of(&later)),
    ];
    Finding {
        key: "delay",
        json: json!({ "variants": variants_json(case, &rows) }),
        text: format!("orders one bar later\n{}", variants_table(case, &rows)),
        sound: true,
    }
}
