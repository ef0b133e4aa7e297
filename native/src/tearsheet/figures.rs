//! Numbers that several parts of a report show.

use sandtable_core::metrics::{self, MonthReturn, Unit};

use crate::view::document::{Block, Shade};
use crate::view::number;

/// Names of the months as columns.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Key numbers of an account by title.
pub(super) fn key_figures(values: &[f64], names: &[&str]) -> Vec<(String, String)> {
    let figure = |name: &&str| {
        let place = metrics::index_of(name)?;
        let metric = &metrics::TABLE[place];
        Some((metric.title.to_owned(), with_unit(*values.get(place)?, metric.unit)))
    };
    names.iter().filter_map(figure).collect()
}

/// A metric's value, with the word for what it counts where its title does not say.
pub(super) fn with_unit(value: f64, unit: Unit) -> String {
    let text = number::metric(value, unit);
    match unit {
        Unit::Bars | Unit::Sessions | Unit::Days if value.is_finite() => format!("{text} {}", unit.name()),
        _ => text,
    }
}

/// Share below the running peak after each session; the first peak is `capital`.
pub fn drawdowns(capital: f64, equity: &[f64]) -> Vec<f64> {
    let mut peak = capital;
    equity
        .iter()
        .map(|&worth| {
            peak = if worth > peak { worth } else { peak };
            worth / peak - 1.0
        })
        .collect()
}

/// Returns by month, one row for each year with its own return, shaded by the largest of all.
pub fn months_block(months: &[MonthReturn]) -> Block {
    let largest = months.iter().map(|month| month.value.abs()).filter(|v| v.is_finite()).fold(0.0, f64::max);
    let shade = |value: f64| Shade {
        // A small loss is not -0.0.
        text: if value.is_finite() {
            format!("{:.1}", (1000.0 * value).round() / 10.0 + 0.0)
        } else {
            number::NULL.into()
        },
        share: if largest > 0.0 { value / largest } else { 0.0 },
    };
    let (first, last) = (months.first().map_or(0, |m| m.year), months.last().map_or(-1, |m| m.year));
    let rows = (first..=last).map(|year| {
        let of_year = || months.iter().filter(move |month| month.year == year);
        let month = |number: u32| {
            let found = of_year().find(|month| month.month == number);
            found.map_or(Shade { text: String::new(), share: 0.0 }, |month| shade(month.value))
        };
        let whole = of_year().fold(1.0, |worth, month| worth * (1.0 + month.value)) - 1.0;
        let whole = Shade { share: 0.0, ..shade(whole) };
        (year.to_string(), (1..=12).map(month).chain([whole]).collect())
    });
    let heading = [""].into_iter().chain(MONTHS).chain(["year"]).map(str::to_owned).collect();
    Block::Shaded { heading, rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_figure_is_a_metric() {
        let values = vec![1.0; metrics::TABLE.len()];
        for names in [&super::super::account::KEY[..], &super::super::trades::STATISTICS] {
            assert_eq!(key_figures(&values, names).len(), names.len());
        }
    }

    #[test]
    fn months_stand_in_their_columns() {
        let month = |year, month, value| MonthReturn { year, month, value };
        let block = months_block(&[month(2020, 11, 0.1), month(2020, 12, -0.05), month(2021, 2, f64::NAN)]);
        let Block::Shaded { heading, rows } = block else { return assert_eq!(1, 2, "no shaded table") };
        assert_eq!((heading.len(), rows.len(), rows[0].1.len()), (14, 2, 13));
        assert_eq!((rows[0].1[10].text.as_str(), rows[0].1[10].share), ("10.0", 1.0));
        assert_eq!((rows[0].1[11].share, rows[0].1[12].text.as_str()), (-0.5, "4.5"));
        assert_eq!((rows[1].1[0].text.as_str(), rows[1].1[1].text.as_str()), ("", "–"));
    }

    #[test]
    fn the_first_peak_is_the_capital() {
        assert_eq!(drawdowns(100.0, &[80.0, 120.0, 90.0]), [80.0 / 100.0 - 1.0, 0.0, -0.25]);
    }
}
