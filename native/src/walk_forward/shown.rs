//! A walk-forward for the terminal: a table of its folds and sentences to act on.
//!
//! Given what it came to, this file gives text. It never knows how it was computed.

use std::fmt::Write as _;
use std::ops::Range;

use sandtable_core::metrics::{self, Unit};
use sandtable_core::run::Detail;

use super::{Tested, Walked};
use crate::view::{number, table};

/// Most folds that are listed one by one.
const MOST_LISTED: usize = 30;

/// The table and the sentences.
pub(super) fn text(walked: &Walked, folder: &std::path::Path) -> String {
    let plan = &walked.whole.plan;
    let trials: u64 = walked.tested.iter().map(|tested| tested.trials).sum();
    let folding = plan.folding().copied().unwrap_or_default();
    let mut out = format!(
        "{}: {} {} of {} sessions, {} trials; run {}\n\n",
        plan.name(),
        words(walked.tested.len(), "fold"),
        folding.scheme.word(),
        walked.whole.sessions().len(),
        trials,
        plan.id(),
    );
    out += &folds_table(walked);
    if walked.tested.len() > MOST_LISTED {
        let _ = writeln!(out, "{} more folds are in folds.json", walked.tested.len() - MOST_LISTED);
    }
    let _ = writeln!(out, "\n{}", verdict(walked));
    let steady: Vec<String> = walked
        .stability()
        .into_iter()
        .map(|(name, x)| format!("{name} {}", number::metric(x, Unit::Percent)))
        .collect();
    if !steady.is_empty() && walked.tested.len() > 1 {
        let _ = writeln!(out, "steadiness of the choice from fold to fold (100 % never moves): {}", steady.join(", "));
    }
    let _ = writeln!(
        out,
        "written to {}: folds.json, out-of-sample.parquet, .csv, .svg and one study folder a fold",
        folder.display()
    );
    out
}

fn words(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn folds_table(walked: &Walked) -> String {
    let plan = &walked.whole.plan;
    let texts = plan.scoring().texts().next().unwrap_or_default();
    let objective = if plan.scoring().is_metric() { texts } else { "objective" };
    let names: Vec<&str> = plan.strategy().params.iter().map(|param| param.name.as_str()).collect();
    let (train, test) = (format!("train {objective}"), format!("test {objective}"));
    let mut heading = vec!["fold", "train", "test"];
    heading.extend(names);
    heading.extend([train.as_str(), test.as_str(), "test return", "test drawdown"]);
    let rows = walked.tested.iter().take(MOST_LISTED).enumerate().map(|(k, tested)| row(walked, k, tested));
    table::plain(&heading, rows, &[1, 2])
}

fn row(walked: &Walked, number: usize, tested: &Tested) -> Vec<String> {
    let Tested { fold, chosen, test, .. } = tested;
    let mut cells = vec![(number + 1).to_string(), ranges(walked, &fold.train), ranges(walked, &fold.test)];
    cells.extend(chosen.point.iter().map(|&value| number::parameter(value)));
    cells.extend([&chosen.metrics, test].map(|metrics| objective(walked, walked.objective(metrics))));
    cells.extend(["total_return", "max_drawdown"].map(|name| metric(test, name)));
    cells
}

/// `2010-01-04 – 2011-12-30`, and how many more ranges there are.
fn ranges(walked: &Walked, list: &[Range<usize>]) -> String {
    let Some(first) = list.first() else { return String::new() };
    let [from, to] = walked.dates(first);
    let more = if list.len() > 1 { format!(" and {} more", list.len() - 1) } else { String::new() };
    format!("{from} – {to}{more}")
}

fn metric(values: &[f64], name: &str) -> String {
    let Some(place) = metrics::index_of(name) else { return String::new() };
    number::metric(values.get(place).copied().unwrap_or(f64::NAN), metrics::TABLE[place].unit)
}

fn objective(walked: &Walked, value: f64) -> String {
    let scoring = walked.whole.plan.scoring();
    let unit =
        if scoring.is_metric() { metrics::TABLE[walked.whole.plan.objective().metric].unit } else { Unit::Ratio };
    number::metric(value, unit)
}

/// What the choice was worth where it had not been made.
fn verdict(walked: &Walked) -> String {
    let (train, test) = walked.means();
    let efficiency = walked.efficiency();
    let name = walked.whole.plan.scoring().texts().next().unwrap_or_default();
    let left = match efficiency {
        x if x.is_nan() => String::from("training gained nothing that a test could keep"),
        x if x < 0.0 => String::from("nothing of it was left"),
        x => format!("{} of it was left", number::metric(x, Unit::Percent)),
    };
    let means = [train, test].map(|value| objective(walked, value));
    let mut out = String::new();
    let Some(path) = walked.paths.first() else { return out };
    let course = if walked.paths.len() > 1 {
        format!("the first of {} courses", walked.paths.len())
    } else {
        "the whole course".into()
    };
    let _ = write!(
        out,
        "out of sample, {course}: {}.\n{name} is {} on average in training and {} in the tests: {left}",
        course_of(&path.detail),
        means[0],
        means[1],
    );
    if walked.paths.len() > 1 {
        let place = walked.whole.plan.objective().metric;
        let mut all: Vec<f64> = walked.paths.iter().map(|path| path.detail.metrics[place]).collect();
        all.sort_by(f64::total_cmp);
        let [worst, middle, best] =
            [0, all.len() / 2, all.len() - 1].map(|k| number::metric(all[k], metrics::TABLE[place].unit));
        let _ = write!(
            out,
            "\n{} of the {} courses: lowest {worst}, median {middle}, highest {best}",
            metrics::TABLE[place].name,
            all.len()
        );
    }
    out
}

fn course_of(detail: &Detail) -> String {
    let of = |name: &str| metric(&detail.metrics, name);
    format!(
        "total return {}, Sharpe ratio {}, maximum drawdown {}, {} trades",
        of("total_return"),
        of("sharpe"),
        of("max_drawdown"),
        of("trades")
    )
}
