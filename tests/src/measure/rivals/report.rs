//! A comparison as a table.

use comfy_table::{Table, presets};
use serde_json::Value;

/// What both programs took, and how many times the other one's each of ours is.
pub fn text(part: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parity = &part["parity"];
    let mut lines = vec![format!(
        "{} ({}): {} of {} trials agree (return, final equity, fills), largest relative difference {:.1e}",
        word(&part["workload"]),
        word(&part["part"]),
        parity["equal"],
        parity["trials"],
        parity["largest_relative_difference"].as_f64().unwrap_or(f64::NAN),
    )];
    for difference in parity["different"].as_array().into_iter().flatten() {
        let (point, ties) = (&difference["point"], &difference["exact_ties"]);
        lines.push(format!("  differs at {point}, {ties} exact ties: {}", word(&difference["what"])));
    }
    if part["theirs"].is_null() {
        lines.push(
            "  not timed: half of the trials differ, or one without an exact tie, which is a difference of meaning"
                .into(),
        );
        return lines.join("\n");
    }
    lines.push(times(part).to_string());
    lines.join("\n")
}

fn times(part: &Value) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["", "whole process", "from prices in memory", "a backtest", "peak memory"]);
    let theirs = &part["theirs"]["medians"];
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let trials = number(&theirs["trials"]);
    let about = &part["theirs"]["runs"][0];
    let name = |key: &str| about[key].as_str().unwrap_or_default().to_owned();
    let [whole, memory] = ["process_s", "peak_rss_mb"].map(|key| number(&theirs[key]));
    let warm = number(&theirs["warm_s"]);
    table.add_row([
        format!("{} {}, {}", name("program"), name("version"), name("engine")),
        seconds(whole),
        seconds(warm),
        seconds(warm / trials),
        format!("{memory:.0} MB"),
    ]);
    for ours in part["ours"].as_array().into_iter().flatten() {
        let figure = |key: &str| number(&ours["medians"][key]);
        let (process, inner, peak) = (figure("process_s"), figure("again_from_bundle_s"), figure("peak_rss_mb"));
        let against = |theirs: f64, ours: f64| format!("{:.0} ×", theirs / ours);
        table.add_row([
            format!("sandtable, {} threads", ours["threads_asked"]),
            format!("{} ({})", seconds(process), against(whole, process)),
            format!("{} ({})", seconds(inner), against(warm, inner)),
            seconds(inner / trials),
            format!("{peak:.0} MB ({})", against(memory, peak)),
        ]);
    }
    table
}

fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}
