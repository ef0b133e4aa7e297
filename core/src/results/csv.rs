//! Results as comma-separated values.

use std::fmt::Write;

use super::columns::Results;

/// One line for each trial under a header: index, parameters, metrics (empty for null), the part of the data
/// where trials saw different ones, bars read, status. Numbers are
/// the shortest text that reads back as the same bits.
pub fn to_csv(results: &Results) -> String {
    let schema = results.schema();
    let mut text = String::from("index");
    for name in schema.params.iter().map(|p| &p.column).chain(schema.metrics.iter().map(|m| &m.name)) {
        text.push(',');
        text.push_str(name);
    }
    if schema.budgets {
        text.push_str(",budget");
    }
    text.push_str(",bars_read,status\n");
    for (row, index) in results.index().iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "{index}");
        for value in results.point(row).into_iter().chain(results.metrics_of(row)) {
            let _ = if value.is_nan() { write!(text, ",") } else { write!(text, ",{value}") };
        }
        if schema.budgets {
            let _ = write!(text, ",{}", results.budget(row));
        }
        let _ = writeln!(text, ",{},{}", results.bars_read()[row], results.status()[row].name());
    }
    text
}
