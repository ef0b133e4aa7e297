//! The judgement of a search in words: a sentence to act on, and a line for each number behind it.
//!
//! Given the JSON that a study folder holds, this gives text. It never computes a statistic.

use serde_json::Value;

use super::number::NULL;
use super::terminal::{Colour, Terminal};
use super::wrap;

/// Width of the columns before the words, and of those of the names in them.
const NAMES: usize = 21;
const VALUES: usize = 14;

/// The block below the table of best trials.
pub fn text(found: &Value, terminal: &Terminal) -> String {
    let width = terminal.line_width();
    let mut out = String::new();
    let judged = &found["judgement"];
    if let Some(reason) = found["not_judged"].as_str() {
        out += &wrap::paragraph(&format!("not judged: {reason}"), width, 2);
    } else {
        let sentence = judged["verdict"]["sentence"].as_str().unwrap_or(NULL);
        let (bold, plain) = if terminal.colour == Colour::Plain { ("", "") } else { ("\x1b[1m", "\x1b[0m") };
        let headline = wrap::paragraph(&format!("judgement: {sentence}"), width, 2);
        out += &format!("{bold}{}{plain}\n", headline.trim_end());
        let advice = judged["verdict"]["advice"].as_str().unwrap_or(NULL);
        out += &wrap::paragraph(&format!("  {advice}"), width, 0);
        out.push('\n');
    }
    let lines = statistics(judged).into_iter().chain(surface(found));
    for (name, value, words) in lines {
        let line = format!("  {name:<NAMES$}{value:>VALUES$}  {words}");
        out += &wrap::paragraph(&line, width, NAMES + VALUES + 2);
    }
    if let Some(sampled) = sampled(judged) {
        out += &wrap::paragraph(&format!("  {sampled}"), width, 0);
    }
    out
}

type Line = (String, String, String);

fn line(name: &str, value: String, words: String) -> Line {
    (name.into(), value, words)
}

/// A line for each number of the judgement; none where there is no judgement.
fn statistics(judged: &Value) -> Vec<Line> {
    if judged.is_null() {
        return Vec::new();
    }
    let deflation = &judged["deflation"];
    let trials = judged["trials"].as_u64().unwrap_or(0);
    let effective = decimal(&deflation["independence"]["trials"], 1);
    let mut lines = vec![
        line(
            "deflated Sharpe",
            decimal(&deflation["deflated"], 3),
            format!(
                "probability that the true Sharpe ratio is above {}, which the best of so many trials without skill is \
                 expected to show; significant from 0.95 on",
                decimal(&deflation["threshold"], 2)
            ),
        ),
        line(
            "probabilistic Sharpe",
            decimal(&judged["probability_above_zero"], 3),
            "probability that it is above 0, had this been the only trial".into(),
        ),
    ];
    if let Some(overfitting) = judged["overfitting"].as_object() {
        let splits = overfitting["splits"].as_u64().unwrap_or(0);
        lines.push(line(
            "PBO",
            decimal(&overfitting["pbo"], 3),
            format!(
                "share of {splits} splits in which the best trial of one half of the sessions is at or below the median in \
                 the other half; 0.5 is a coin, up to 0.2 is small"
            ),
        ));
    }
    if let Some(tests) = judged["superiority"].as_object() {
        lines.push(line(
            "SPA p-value",
            decimal(&tests["studentized"]["consistent"], 3),
            "Hansen: how often trials without edge would have a best one as good as this; significant up to 0.05"
                .into(),
        ));
        lines.push(line(
            "reality check p-value",
            decimal(&tests["raw"]["upper"], 3),
            "White: the same by plain means, hopeless trials counted as if they were not".into(),
        ));
    }
    lines.push(track_record(judged));
    lines.push(line(
        "effective trials",
        effective,
        match trials {
            1 => "one trial: nothing was chosen".into(),
            _ => format!(
                "independent trials that the {} are worth; their returns correlate by {} on average",
                grouped(trials),
                decimal(&deflation["independence"]["average_correlation"], 2)
            ),
        },
    ));
    lines
}

fn track_record(judged: &Value) -> Line {
    let sessions = judged["sessions"].as_u64().unwrap_or(0);
    let words = match judged["minimum_sessions"].as_f64() {
        // It is infinite, or there is no deviation.
        None => format!("sessions: of the {sessions} that there are, no number would show a Sharpe ratio above 0"),
        Some(needed) => format!(
            "sessions needed to show, at 95 %, a Sharpe ratio above 0; there are {sessions}: {}",
            if needed <= sessions as f64 { "enough" } else { "too few" }
        ),
    };
    let needed = judged["minimum_sessions"].as_f64().map_or(NULL.into(), |needed| grouped(needed.ceil() as u64));
    line("minimum track record", needed, words)
}

/// Lines about the landscape of scores, or why there is none.
fn surface(found: &Value) -> Vec<Line> {
    let surface = &found["surface"];
    if surface.is_null() {
        let reason = found["no_surface"].as_str().unwrap_or("no scores");
        return vec![line("surface", NULL.into(), format!("not looked at: {reason}"))];
    }
    let terrain = &surface["terrain"];
    let points = terrain["points"].as_u64().unwrap_or(0);
    let of = if surface["whole"] == true { "of all points" } else { "of the points tried" };
    let mut lines = Vec::new();
    let around = &terrain["neighbourhood"];
    if around["points"].as_u64().unwrap_or(0) > 0 {
        let retained = &around["retained"];
        lines.push(line(
            "neighbourhood",
            if retained.is_null() { decimal(&around["median"], 3) } else { percent(retained) },
            format!(
                "{} at the {} points around it, at the median; the worst of them has {}, it has {}",
                if retained.is_null() { "score" } else { "share of its score that is kept" },
                around["points"],
                signed(surface, &around["worst"]),
                signed(surface, &terrain["score"])
            ),
        ));
    }
    lines.push(line(
        "plateau",
        percent(&terrain["plateau"]["share"]),
        format!(
            "{of} reach four fifths of its lead over the median; {} hang together with it",
            percent(&terrain["plateau"]["connected"])
        ),
    ));
    lines.push(line(
        "local maxima",
        terrain["local_maxima"].to_string(),
        format!("among {} points: many small peaks are noise", grouped(points)),
    ));
    lines.extend(importance(surface));
    lines
}

/// How much each parameter that varies explains, the most important one first.
fn importance(surface: &Value) -> Option<Line> {
    let importance = &surface["terrain"]["importance"];
    let names = surface["parameters"].as_array()?.iter().filter_map(Value::as_str);
    let shares = importance["shares"].as_array()?.iter();
    let slices = surface["terrain"]["slices"].as_array()?.iter();
    let varies = |slice: &Value| slice["values"].as_array().is_some_and(|values| values.len() > 1);
    let mut list: Vec<(&str, f64)> = names
        .zip(shares)
        .zip(slices)
        .filter(|(_, slice)| varies(slice))
        .filter_map(|((n, s), _)| Some((n, s.as_f64()?)))
        .collect();
    list.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (first, share) = *list.first()?;
    let rest: Vec<String> = list[1..].iter().map(|(name, share)| format!("{name} {:.0} %", share * 100.0)).collect();
    let rest = if rest.is_empty() { String::new() } else { format!(", {}", rest.join(", ")) };
    Some(line(
        "importance",
        format!("{:.0} %", share * 100.0),
        format!(
            "of the scores' variance is explained by {first} alone{rest}; only together {}",
            percent(&importance["together"])
        ),
    ))
}

/// Trials that are counted and not compared.
fn sampled(judged: &Value) -> Option<String> {
    let (trials, compared) = (judged["trials"].as_u64()?, judged["compared"].as_u64()?);
    let left_out = judged["passed_over"].as_u64().unwrap_or(0);
    let (all, some) = (grouped(trials), grouped(compared));
    let lower = "a p-value is then a lower bound";
    if compared >= trials {
        None
    } else if compared + left_out >= trials {
        Some(format!(
            "PBO and p-values compare the {some} trials on all sessions, the chosen one among them, and not the {} that saw only \
             a part: {lower}",
            grouped(left_out)
        ))
    } else {
        Some(format!(
            "PBO and p-values compare an even sample of {some} of the {all} trials, the chosen one among them: {lower}"
        ))
    }
}

/// A score with the sign that the study gives it.
fn signed(surface: &Value, score: &Value) -> String {
    let sign = if surface["larger_is_better"] == false { -1.0 } else { 1.0 };
    score.as_f64().map_or(NULL.into(), |score| format!("{:.3}", sign * score + 0.0))
}

fn decimal(value: &Value, digits: usize) -> String {
    value.as_f64().map_or(NULL.into(), |value| format!("{value:.digits$}"))
}

fn percent(value: &Value) -> String {
    value.as_f64().map_or(NULL.into(), |value| format!("{:.0} %", value * 100.0))
}

/// A count with its thousands separated.
fn grouped(count: u64) -> String {
    super::number::units(count as f64)
}
