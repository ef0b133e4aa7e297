//! Functions over the symbols that have a bar at the same timestamp.

use super::evaluate::Context;
use super::workspace::{Value, Workspace};
use crate::num::{self, NAN};
use crate::strategy::CrossSection;

impl Context {
    pub(super) fn cross_section(&self, function: CrossSection, value: Value, workspace: &mut Workspace) -> Value {
        let panel = &*self.panel;
        let mut out = workspace.buffer(panel.rows());
        let mut cursors: Vec<usize> = panel.spans.iter().map(|span| span.offset).collect();
        let mut present: Vec<(usize, f64)> = Vec::with_capacity(panel.spans.len());
        let mut order = Vec::with_capacity(panel.spans.len());
        for t in 0..panel.timeline.len() {
            present.clear();
            for (span, cursor) in panel.spans.iter().zip(&mut cursors) {
                if *cursor < span.offset + span.len && panel.row_time[*cursor] as usize == t {
                    let x = match &value {
                        Value::Scalar(x) => *x,
                        other => other.slice(panel).map_or(NAN, |column| column[*cursor]),
                    };
                    present.push((*cursor, x));
                    *cursor += 1;
                }
            }
            across(function, &present, &mut order, &mut out);
        }
        Value::Own(out)
    }
}

/// One timestamp of a cross-sectional function: `present` holds (row, value) in symbol order, which is that of rows.
fn across(function: CrossSection, present: &[(usize, f64)], order: &mut Vec<(i64, usize)>, out: &mut [f64]) {
    let defined = || present.iter().filter(|(_, x)| !x.is_nan());
    match function {
        CrossSection::Rank => {
            order.clear();
            order.extend(defined().map(|&(row, x)| (!ascending(x), row)));
            // Ties stay in symbol order by their rows.
            order.sort_unstable();
            for (place, &(_, row)) in order.iter().enumerate() {
                out[row] = place as f64 + 1.0;
            }
        }
        CrossSection::ZScore => {
            let n = defined().count() as f64;
            let mean = defined().map(|(_, x)| x).sum::<f64>() / n;
            let variance = defined().map(|(_, x)| (x - mean) * (x - mean)).sum::<f64>() / n;
            let deviation = num::sqrt(variance);
            // Equal values leave only rounding noise: no deviation.
            if deviation > mean.abs() * 1e-14 {
                for &(row, x) in defined() {
                    out[row] = (x - mean) / deviation;
                }
            }
        }
        CrossSection::Count => {
            if defined().next().is_some() {
                let count = defined().filter(|(_, x)| *x == 1.0).count() as f64;
                for &(row, _) in present {
                    out[row] = count;
                }
            }
        }
    }
}

/// A whole number for each number, in the order of [`f64::total_cmp`].
fn ascending(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_in_the_order_of_numbers() {
        let numbers = [f64::NEG_INFINITY, -1e300, -1.0, -1e-310, -0.0, 0.0, 1e-310, 0.5, 1.0, 1e300, f64::INFINITY];
        assert!(numbers.map(ascending).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn ranks_leave_out_what_is_undefined_and_ties_stay_in_order() {
        let present = [(3, 1.0), (7, NAN), (9, 5.0), (12, 1.0), (15, -2.0)];
        let mut out = [NAN; 16];
        across(CrossSection::Rank, &present, &mut Vec::new(), &mut out);
        assert_eq!(present.map(|(row, _)| out[row].to_string()), ["2", "NaN", "1", "3", "4"]);
    }
}
