//! How far the search's winner can be believed, as the folder's judgement says.

use sandtable_core::Result;
use serde_json::Value;

use super::chapter::capital;
use super::{JUDGEMENT, Tearsheet};
use crate::view::document::{Block, Tone};
use crate::view::number;

pub(super) fn blocks(sheet: &Tearsheet) -> Result<Vec<Block>> {
    let Some(judgement) = &sheet.judgement else {
        return Ok(vec![Block::Missing(format!(
            "The search was not judged: the folder has no {JUDGEMENT}. Run the study's command to its end without \
             --no-judgement to get a verdict."
        ))]);
    };
    // The file holds it beside what else was looked at.
    let judgement = judgement.get("judgement").filter(|inner| inner.is_object()).unwrap_or(judgement);
    let verdict = &judgement["verdict"];
    if !verdict.is_object() {
        let why = sheet.judgement.as_ref().and_then(|whole| whole["not_judged"].as_str());
        return Ok(vec![Block::Missing(format!(
            "The search could not be judged: {}.",
            why.unwrap_or("nothing was kept of it")
        ))]);
    }
    let text = |key: &str| verdict[key].as_str().unwrap_or_default();
    let tone = match text("grade") {
        "believable" => Tone::Yes,
        "likely-overfit" | "no-edge" => Tone::No,
        _ => Tone::Open,
    };
    let mut blocks = vec![Block::Judgement(tone, format!("{}. {}", capital(text("sentence")), text("advice")))];
    let about = judgement["best"].as_u64();
    if about != Some(sheet.trial.index) {
        blocks.push(Block::Text(format!(
            "The verdict is about the search and the trial that it chose, {}; this report is about trial {}.",
            about.map_or("–".into(), |index| index.to_string()),
            sheet.trial.index
        )));
    }
    blocks.push(Block::table(&["statistic", "value", "what it says"], rows(judgement), 3));
    Ok(blocks)
}

/// Statistics by name, with value and meaning; what was not computed is left out.
fn rows(judgement: &Value) -> Vec<Vec<String>> {
    let of = |path: &str| judgement.pointer(path).and_then(Value::as_f64);
    let share = |value: f64| format!("{:.1}%", 100.0 * value);
    let whole = |value: f64| format!("{value:.0}");
    let sessions = of("/sessions").map_or("–".into(), whole);
    let trials = of("/trials").map_or("–".into(), whole);
    type Form<'a> = &'a dyn Fn(f64) -> String;
    let lines: [(&str, &str, Form, String); 10] = [
        ("Sharpe ratio", "/sharpe", &number::short, "of the chosen trial, a year".into()),
        (
            "probabilistic Sharpe ratio",
            "/probability_above_zero",
            &share,
            "chance that the true ratio is above zero, were it the only trial".into(),
        ),
        (
            "deflated Sharpe ratio",
            "/deflation/deflated",
            &share,
            format!("the same against the luckiest of {trials} trials without skill; 95% is the usual bar"),
        ),
        ("luck alone", "/deflation/threshold", &number::short, "Sharpe ratio expected of the luckiest trial".into()),
        (
            "independent trials",
            "/deflation/independence/trials",
            &number::short,
            format!("what {trials} trials are worth"),
        ),
        (
            "track record needed",
            "/minimum_sessions",
            &whole,
            format!("sessions for 95% confidence; there are {sessions}"),
        ),
        (
            "probability of overfitting",
            "/overfitting/pbo",
            &share,
            "how often the best trial of one half is below the median in the other".into(),
        ),
        (
            "chance of a loss",
            "/overfitting/probability_of_loss",
            &share,
            "how often the best trial of one half loses in the other".into(),
        ),
        (
            "Hansen's test",
            "/superiority/studentized/consistent",
            &number::short,
            "p that no trial is better than nothing".into(),
        ),
        ("White's reality check", "/superiority/raw/upper", &number::short, "p of the same, by plain means".into()),
    ];
    let row =
        |(name, path, form, meaning): (&str, &str, Form, String)| Some(vec![name.to_owned(), form(of(path)?), meaning]);
    lines.into_iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use sandtable_core::analysis::{Alone, Evidence, Judgement, JudgementSettings};

    use super::*;

    #[test]
    fn every_statistic_of_a_judgement_has_its_line() {
        let series = |trial: u64| -> Vec<f64> {
            (0..400_u64).map(|i| ((i * (2 * trial + 7) + trial) % 29) as f64 / 1000.0 - 0.0138).collect()
        };
        let mut evidence = Evidence::new(400, 100, 1).unwrap();
        for trial in 0..20 {
            evidence.push(trial, &series(trial)).unwrap();
        }
        let judgement = Judgement::of(&evidence, 3, &series(3), &JudgementSettings::default(), &mut Alone).unwrap();
        let rows = rows(&serde_json::to_value(&judgement).unwrap());
        let expected = if judgement.sharpe > 0.0 { 10 } else { 9 };
        assert_eq!(rows.len(), expected, "{rows:?}");
        assert!(super::rows(&serde_json::json!({})).is_empty());
    }
}
