//! The median regret after each trial as a picture: one panel for each problem, one line for each method.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Runs;

const PANEL: (f64, f64) = (360.0, 260.0);
const MARGIN: f64 = 46.0;
/// Colours that stay apart for the colour-blind (Okabe and Ito), then again with dashes.
const COLOURS: [&str; 8] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"];

/// A picture in SVG. Regrets are on a logarithmic scale, those below a millionth at its foot.
pub fn svg(runs: &[Runs]) -> String {
    let problems: Vec<&str> = distinct(runs.iter().map(|run| run.problem.as_str()));
    let methods: Vec<&str> = distinct(runs.iter().map(|run| run.method.as_str()));
    let (width, height) = (PANEL.0 * problems.len() as f64, PANEL.1 + 20.0 * (1 + methods.len() / 6) as f64 + 20.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"11\"><rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for (place, problem) in problems.iter().enumerate() {
        let own: Vec<&Runs> = runs.iter().filter(|run| run.problem == *problem).collect();
        panel(&mut out, PANEL.0 * place as f64, problem, &own, &methods);
    }
    for (place, method) in methods.iter().enumerate() {
        let (x, y) = (MARGIN + 120.0 * (place % 6) as f64, PANEL.1 + 20.0 * (1 + place / 6) as f64);
        let _ = writeln!(
            out,
            "<path d=\"M{x} {} h18\" {}/><text x=\"{}\" y=\"{y}\">{method}</text>",
            y - 4.0,
            stroke(place),
            x + 22.0
        );
    }
    out + "</svg>\n"
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

fn stroke(place: usize) -> String {
    let dashes = if place >= COLOURS.len() { " stroke-dasharray=\"5 3\"" } else { "" };
    format!("fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\"{dashes}", COLOURS[place % COLOURS.len()])
}

fn panel(out: &mut String, left: f64, problem: &str, runs: &[&Runs], methods: &[&str]) {
    let trials = runs.iter().flat_map(|run| run.regrets.iter().map(Vec::len)).max().unwrap_or(1);
    let lines: Vec<(usize, Vec<f64>)> = (runs.iter())
        .map(|run| {
            let place = methods.iter().position(|method| *method == run.method).unwrap_or(0);
            (place, (1..=trials).map(|trial| run.quantile(trial, 0.5).max(1e-6).log10()).collect())
        })
        .collect();
    let all = || lines.iter().flat_map(|(_, line)| line.iter().copied()).filter(|value| value.is_finite());
    let (low, high) = (all().fold(f64::MAX, f64::min).floor(), all().fold(f64::MIN, f64::max).ceil());
    let (wide, tall) = (PANEL.0 - MARGIN - 10.0, PANEL.1 - MARGIN - 20.0);
    let x = |trial: f64| left + MARGIN + wide * trial / trials as f64;
    let y = |value: f64| 20.0 + tall * (high - value) / (high - low).max(1.0);
    let _ = writeln!(out, "<text x=\"{}\" y=\"14\" font-weight=\"bold\">{problem}</text>", left + MARGIN);
    for power in low as i64..=high as i64 {
        let at = y(power as f64);
        let _ = writeln!(
            out,
            "<path d=\"M{} {at:.1} h{wide}\" stroke=\"#dddddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">1e{power}</text>",
            left + MARGIN,
            left + MARGIN - 4.0,
            at + 4.0
        );
    }
    for trial in [0, trials / 2, trials] {
        let at = x(trial as f64);
        let _ = writeln!(out, "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{trial}</text>", PANEL.1 - 12.0);
    }
    for (place, line) in lines {
        let points =
            line.iter().enumerate().map(|(trial, value)| format!("{:.1} {:.1}", x(trial as f64 + 1.0), y(*value)));
        let _ = writeln!(out, "<path d=\"M{}\" {}/>", points.collect::<Vec<_>>().join(" L"), stroke(place));
    }
}
