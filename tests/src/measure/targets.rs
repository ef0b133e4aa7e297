//! What the workloads should reach, beside what they reached.

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use super::repeats::{Case, Runs};

/// What a figure is counted in, and so which end of it is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Bar-trials a second and core, more is better.
    Rate,
    /// Seconds, less is better.
    Seconds,
    /// How many times as fast, more is better.
    Times,
    /// Time against the best fixed choice, less is better.
    Against,
    /// 10^6 bytes, less is better.
    Megabytes,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Target {
    /// What is measured.
    pub what: String,
    unit: Unit,
    must: f64,
    aim: Option<f64>,
    /// The figure; `None` if the workload was not run.
    pub measured: Option<f64>,
}

impl Unit {
    fn text(self, value: f64) -> String {
        match self {
            Unit::Rate => format!("{:.2} G/s", value / 1e9),
            Unit::Seconds if value < 1.0 => format!("{:.1} ms", value * 1e3),
            Unit::Seconds => format!("{value:.1} s"),
            Unit::Times => format!("{value:.2} ×"),
            Unit::Against => format!("{:+.1} %", (value - 1.0) * 100.0),
            Unit::Megabytes => format!("{value:.0} MB"),
        }
    }

    fn reached(self, value: f64, goal: f64) -> bool {
        match self {
            Unit::Rate | Unit::Times => value >= goal,
            Unit::Seconds | Unit::Against | Unit::Megabytes => value <= goal,
        }
    }

    fn sign(self) -> &'static str {
        if matches!(self, Unit::Rate | Unit::Times) { "≥" } else { "≤" }
    }
}

impl Target {
    fn verdict(&self) -> &'static str {
        match self.measured {
            None => "not measured",
            Some(value) if self.aim.is_some_and(|aim| self.unit.reached(value, aim)) => "aim",
            Some(value) if self.unit.reached(value, self.must) => "must",
            Some(_) => "no",
        }
    }
}

/// All lines, from the runs at hand.
pub fn targets(all: &[Runs]) -> Vec<Target> {
    let of =
        |name: &str, threads: usize| all.iter().find(|runs| runs.case.workload == name && runs.case.threads == threads);
    let median = |name: &str, threads: usize, key: &str| of(name, threads)?.median(key);
    let line = |what: &str, unit, must, aim, measured| Target { what: what.to_owned(), unit, must, aim, measured };
    let rate = |name: &str| median(name, 1, "inside_bar_trials_per_s_per_core");
    let rates = [("W1", 0.7e9, 1.2e9), ("W1d", 0.25e9, 0.5e9), ("W4", 0.15e9, 0.4e9), ("W5", 0.5e9, 0.8e9)];
    let mut lines: Vec<Target> = rates
        .iter()
        .map(|&(name, must, aim)| line(&format!("{name} inside, 1 thread"), Unit::Rate, must, Some(aim), rate(name)))
        .collect();
    let again = median("W1", 1, "again_inside_bar_trials_per_s_per_core");
    lines.insert(1, line("W1 inside, the second time in a process", Unit::Rate, 0.7e9, Some(1.2e9), again));
    lines.push(line(
        "W1 whole process, cold, 2 threads",
        Unit::Seconds,
        0.06,
        Some(0.03),
        median("W1", 2, "process_s"),
    ));
    lines.push(line("W5 peak memory", Unit::Megabytes, 200.0, None, median("W5", 2, "peak_rss_mb")));
    lines.push(line("W6 10^6 trials, 2 threads", Unit::Seconds, 120.0, Some(40.0), million(of("W6", 2))));
    let (large, small) = (median("W6", 2, "peak_rss_mb"), median("W1", 2, "peak_rss_mb"));
    let growth = large.zip(small).map(|(large, small)| large - small);
    lines.push(line("W6 peak memory above W1's", Unit::Megabytes, 20.0, None, growth));
    let single = median("W7x", 1, "from_bundle_s");
    lines.push(line("W7x 10^7 bars, from the bundle on", Unit::Seconds, 0.12, Some(0.06), single));
    lines.push(line("W7x 10^7 bars, inside", Unit::Seconds, 0.12, Some(0.06), median("W7x", 1, "inside_s")));
    for name in ["W1", "W4", "W5"] {
        let both = median(name, 1, "inside_s").zip(median(name, 2, "inside_s"));
        let what = format!("{name} inside, 2 threads against 1");
        lines.push(line(&what, Unit::Times, 1.85, Some(1.95), both.map(|(one, two)| one / two)));
    }
    for (name, trials) in [("W2", None), ("W9", Some(1)), ("W9", Some(5)), ("W9", Some(25))] {
        let what = trials.map_or(name.to_owned(), |trials| format!("{name}, {trials} backtests"));
        let what = format!("{what}: chosen threads against the better of 1 and 2");
        lines.push(line(&what, Unit::Against, 1.03, Some(1.01), against_fixed(all, name, trials)));
    }
    lines
}

/// Seconds that a million trials take, by proportion where fewer were run.
fn million(runs: Option<&Runs>) -> Option<f64> {
    let runs = runs?;
    let (opened, wall, trials) = (runs.median("open_s")?, runs.median("wall_s")?, runs.median("trials")?);
    Some(opened + (wall - opened) * 1e6 / trials)
}

/// Time from the first line to the results with the program's own choice of threads, as a part of the better fixed choice's.
/// The data are in it: a clock that starts after them would leave out what a second thread gains while it makes them.
fn against_fixed(all: &[Runs], name: &str, trials: Option<u64>) -> Option<f64> {
    let time = |threads: usize| {
        let wanted = |case: &Case| case.workload == name && case.trials == trials && case.threads == threads;
        all.iter().find(|runs| wanted(&runs.case))?.median("wall_s")
    };
    Some(time(0)? / time(1)?.min(time(2)?))
}

/// The lines as a table for people.
pub fn text(lines: &[Target]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["what", "must", "aim", "measured", "reached"]);
    for line in lines {
        let goal = |value: f64| format!("{} {}", line.unit.sign(), line.unit.text(value));
        table.add_row([
            line.what.clone(),
            goal(line.must),
            line.aim.map_or(String::new(), goal),
            line.measured.map_or(String::new(), |value| line.unit.text(value)),
            line.verdict().to_owned(),
        ]);
    }
    table
}

/// The lines as JSON.
pub fn json(lines: &[Target]) -> Value {
    let one = |line: &Target| json!({"what": line.what, "must": line.must, "aim": line.aim, "measured": line.measured, "reached": line.verdict()});
    lines.iter().map(one).collect()
}

/// What `all` runs: everything that a line needs, and the workloads without one once. `quick` cuts the two that take
/// minutes and leaves out the whole of W4.
pub fn cases(quick: bool) -> Vec<Case> {
    let both = |name: &str| [Case::new(name, 1), Case::new(name, 2)];
    let mut cases = Vec::new();
    cases.extend(["W1", "W1d", "W4"].iter().flat_map(|name| both(name)));
    cases.iter_mut().for_each(|case| case.more.push("--again".into()));
    cases.extend(both("W5").map(|case| if quick { case.first(512) } else { case }));
    cases.push(if quick { Case::new("W6", 2).first(2560) } else { Case::new("W6", 2) });
    cases.extend([Case::new("W3", 0), Case::new("W7", 1), Case::new("W7x", 1), Case::new("W9", 0)]);
    cases.extend(both("W8"));
    cases.extend((!quick).then(|| Case::new("W4full", 2)));
    for threads in [0, 1, 2] {
        cases.push(Case::new("W2", threads));
        cases.extend([1, 5, 25].map(|trials| Case::new("W9", threads).first(trials)));
    }
    cases
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    fn runs(case: Case, figures: Value) -> Runs {
        Runs { case, runs: vec![figures] }
    }

    #[test]
    fn lines_say_what_was_reached() {
        let all = [
            runs(Case::new("W1", 1), json!({"inside_s": 0.02, "inside_bar_trials_per_s_per_core": 0.8e9})),
            runs(Case::new("W1", 2), json!({"inside_s": 0.012, "process_s": 0.02, "peak_rss_mb": 30.0})),
            runs(
                Case::new("W6", 2).first(1000),
                json!({"open_s": 1.0, "wall_s": 1.1, "trials": 1000.0, "peak_rss_mb": 60.0}),
            ),
            runs(Case::new("W2", 0), json!({"wall_s": 0.010_2})),
            runs(Case::new("W2", 1), json!({"wall_s": 0.010})),
            runs(Case::new("W2", 2), json!({"wall_s": 0.015})),
        ];
        let lines = targets(&all);
        let reached = |what: &str| lines.iter().find(|line| line.what.starts_with(what)).unwrap().verdict();
        assert_eq!(reached("W1 inside, 1 thread"), "must");
        assert_eq!(reached("W1 whole"), "aim");
        assert_eq!(reached("W1 inside, 2"), "no");
        assert_eq!(reached("W6 10^6"), "must");
        assert_eq!(reached("W6 peak"), "no");
        assert_eq!(reached("W2"), "must");
        assert_eq!(reached("W7x"), "not measured");
        assert!(text(&lines).to_string().contains("101.0 s"));
    }

    #[test]
    fn every_line_has_its_cases() {
        let figures = json!({
            "inside_s": 1.0, "wall_s": 1.0, "open_s": 0.1, "from_bundle_s": 0.9, "process_s": 1.0, "trials": 1.0,
            "peak_rss_mb": 1.0, "inside_bar_trials_per_s_per_core": 1.0, "again_inside_bar_trials_per_s_per_core": 1.0,
        });
        for quick in [false, true] {
            let all: Vec<Runs> = cases(quick).into_iter().map(|case| runs(case, figures.clone())).collect();
            assert!(targets(&all).iter().all(|line| line.measured.is_some()));
        }
    }
}
