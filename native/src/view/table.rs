//! Tables of trials and of one trial's metrics.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};
use sandtable_core::metrics::{self, Metric};

use super::number;
use super::terminal::{Colour, Terminal};

/// One line of [`top_trials`].
#[derive(Clone, Debug, PartialEq)]
pub struct TrialRow {
    /// Index of the trial in its search space.
    pub trial: u64,
    /// Parameters as text, in the order of the heading.
    pub parameters: Vec<String>,
    /// Values in the order of the chosen metrics.
    pub metrics: Vec<f64>,
}

/// The best trials, the first row being the best: rank, trial, parameters, metrics. Metrics that do not fit the
/// terminal's width are left out from the right and named below. Without rows only a sentence.
pub fn top_trials(parameters: &[&str], chosen: &[&Metric], rows: &[TrialRow], terminal: &Terminal) -> String {
    if rows.is_empty() {
        return "No trial has a score.\n".to_string();
    }
    let width = terminal.width.map_or(usize::MAX, usize::from);
    let fits = |text: &String| text.lines().all(|line| line.chars().count() <= width);
    let tables = (0..=chosen.len()).rev().map(|shown| (shown, top_table(parameters, &chosen[..shown], rows)));
    let fitting = tables.into_iter().find(|(_, text)| fits(text));
    let (shown, text) = fitting.unwrap_or_else(|| (0, top_table(parameters, &[], rows)));
    let mut text = emphasise_first(&text, terminal);
    if shown < chosen.len() {
        let missing: Vec<&str> = chosen[shown..].iter().map(|metric| metric.name).collect();
        text.push_str(&format!("not shown for lack of width: {}\n", missing.join(", ")));
    }
    text
}

fn top_table(parameters: &[&str], chosen: &[&Metric], rows: &[TrialRow]) -> String {
    let mut table = bare();
    let names = chosen.iter().map(|metric| metric.name);
    table.set_header(["#", "trial"].into_iter().chain(parameters.iter().copied()).chain(names));
    for (rank, row) in rows.iter().enumerate() {
        let mut cells = vec![(rank + 1).to_string(), row.trial.to_string()];
        cells.extend(row.parameters.iter().cloned());
        cells.extend(row.metrics.iter().zip(chosen).map(|(&value, metric)| number::metric(value, metric.unit)));
        table.add_row(cells);
    }
    align_right(&mut table, |_| true);
    table.trim_fmt()
}

/// All metrics of one trial (`values` in the order of [`metrics::TABLE`]) in as many blocks side by side as the
/// terminal is wide enough for, at most three.
pub fn all_metrics(values: &[f64], terminal: &Terminal) -> String {
    let blocks = match terminal.width {
        Some(width) if width < 80 => 1,
        Some(width) if width < 125 => 2,
        None => 2,
        Some(_) => 3,
    };
    let lines: Vec<(&Metric, f64)> = metrics::TABLE.iter().zip(values.iter().copied()).collect();
    let height = lines.len().div_ceil(blocks);
    let mut table = bare();
    table.load_style(presets::NOTHING);
    for row in 0..height {
        let cells = lines.iter().skip(row).step_by(height).enumerate().flat_map(|(block, (metric, value))| {
            let margin = if block == 0 { "" } else { "   " };
            [format!("{margin}{}", metric.title), number::metric(*value, metric.unit)]
        });
        table.add_row(cells.collect::<Vec<_>>());
    }
    align_right(&mut table, |column| column % 2 == 1);
    table.trim_fmt() + "\n"
}

/// A table of text, all columns to the right but those named by `left`.
pub fn plain(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>, left: &[usize]) -> String {
    let mut table = bare();
    table.set_header(heading.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    align_right(&mut table, |column| !left.contains(&column));
    table.trim_fmt() + "\n"
}

/// Names and values in two columns.
pub fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut table = bare();
    table.load_style(presets::NOTHING);
    for (name, value) in pairs {
        table.add_row([name.to_string(), value]);
    }
    table.trim_fmt() + "\n"
}

/// A table of its natural width with a line below the heading.
fn bare() -> Table {
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table
}

fn align_right(table: &mut Table, which: impl Fn(usize) -> bool) {
    for column in table.column_iter_mut() {
        if which(column.index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// The text with its first body line, the one below the rule, in bold, where colour is wanted.
fn emphasise_first(text: &str, terminal: &Terminal) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut below_rule = false;
    for line in text.lines() {
        if below_rule && terminal.colour != Colour::Plain {
            out.push_str(&format!("\x1b[1m{line}\x1b[0m\n"));
        } else {
            out.push_str(line);
            out.push('\n');
        }
        below_rule = line.starts_with('─');
    }
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn sample() -> (Vec<&'static Metric>, Vec<TrialRow>) {
        let chosen = ["sharpe", "max_drawdown", "trades"].map(|name| &metrics::TABLE[metrics::index_of(name).unwrap()]);
        let row = |trial: u64, fast: &str, values: [f64; 3]| TrialRow {
            trial,
            parameters: vec![fast.to_string(), "200".to_string()],
            metrics: values.to_vec(),
        };
        (chosen.to_vec(), vec![row(17, "5", [1.2345, -0.1, 42.0]), row(3, "10", [f64::NAN, -0.25, 0.0])])
    }

    #[test]
    fn the_best_trials_stand_in_columns() {
        let (chosen, rows) = sample();
        let text = top_trials(&["fast", "slow"], &chosen, &rows, &Terminal::PIPE);
        let words = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<_>>();
        let body: Vec<Vec<String>> = text.lines().filter(|line| !line.starts_with('─')).map(words).collect();
        assert_eq!(body[0], ["#", "trial", "fast", "slow", "sharpe", "max_drawdown", "trades"]);
        assert_eq!(body[1], ["1", "17", "5", "200", "1.234", "-10.00%", "42"]);
        assert_eq!(body[2], ["2", "3", "10", "200", "–", "-25.00%", "0"]);
        assert!(!text.contains('\x1b'));
        assert!(top_trials(&[], &chosen, &[], &Terminal::PIPE).contains("No trial"));
    }

    #[test]
    fn only_the_first_row_is_bold_and_only_with_colour() {
        let (chosen, rows) = sample();
        let terminal = Terminal { width: Some(80), colour: Colour::Indexed };
        let text = top_trials(&["fast", "slow"], &chosen, &rows, &terminal);
        let bold: Vec<&str> = text.lines().filter(|line| line.contains('\x1b')).collect();
        assert_eq!(bold.len(), 1);
        assert!(bold[0].contains("1.234"));
    }

    #[test]
    fn metrics_without_room_are_named() {
        let (chosen, rows) = sample();
        let text = top_trials(&["fast", "slow"], &chosen, &rows, &Terminal { width: Some(50), colour: Colour::Plain });
        assert!(text.ends_with("not shown for lack of width: trades\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 50));
    }

    #[test]
    fn all_metrics_appear_once_within_the_width() {
        let values: Vec<f64> = (0..metrics::TABLE.len()).map(|i| i as f64 / 7.0).collect();
        for width in [60, 80, 130] {
            let terminal = Terminal { width: Some(width), colour: Colour::Plain };
            let text = all_metrics(&values, &terminal);
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
            for metric in metrics::TABLE {
                assert!(text.contains(metric.title), "{} at width {width}\n{text}", metric.title);
            }
        }
    }
}
