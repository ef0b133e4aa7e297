//! What the planner chooses for small searches, beside every fixed choice: it should cost next to nothing.

use comfy_table::{Table, presets};
use sandtable_core::{Error, Result};
use serde_json::{Value, json};

use super::repeats::{self, Case};

/// Searches that are over before a thread is awake: workload, number of trials where it is not all of them.
const SMALL: [(&str, Option<u64>); 4] = [("W2", None), ("W9", Some(1)), ("W9", Some(5)), ("W9", Some(25))];

/// How much longer the planner's choice may take than the best fixed one.
const MOST: f64 = 1.03;

/// Times of small searches with the planner's number of threads, with one and with two, round by round in fresh processes,
/// as a table and as JSON. What is compared is everything from the bundle on, in medians.
///
/// # Errors
/// A process fails.
pub fn beside_fixed(rounds: usize) -> Result<(String, Value)> {
    let mut cases = Vec::new();
    for (name, trials) in SMALL {
        for threads in 0..3 {
            let mut case = Case::new(name, threads);
            case.trials = trials;
            cases.push(case);
        }
    }
    let all = repeats::rounds(&cases, rounds, |_, _| {}, |_| Ok(()))?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["what", "planner, ms", "1 thread, ms", "2 threads, ms", "planner / best", "within 3 %"]);
    let mut lines = Vec::new();
    for three in all.as_chunks::<3>().0 {
        let [Some(planned), Some(one), Some(two)] = three.each_ref().map(|runs| runs.median("from_bundle_s")) else {
            return Err(Error::data(format!("{} has no time from the bundle on", three[0].case.label())));
        };
        let ratio = planned / one.min(two);
        let label = three[0].case.label();
        let within = if ratio <= MOST { "yes" } else { "no" };
        let milliseconds = [planned, one, two].map(|seconds| format!("{:.3}", seconds * 1e3));
        let mut row = vec![label.clone()];
        row.extend(milliseconds);
        row.extend([format!("{ratio:.3}"), within.to_owned()]);
        table.add_row(row);
        lines.push(json!({"case": label, "planner_s": planned, "one_s": one, "two_s": two, "ratio": ratio}));
    }
    Ok((table.to_string(), json!({ "rounds": rounds, "lines": lines })))
}
