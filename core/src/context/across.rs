//! Functions over the symbols that have a bar at the same timestamp.

use super::evaluate::Context;
use super::workspace::{Value, Workspace};
use crate::num::{self, NAN};
use crate::strategy::CrossSection;

impl Context {
    pub(super) fn cross_section(
        &self,
        function: CrossSection,
        value: Value,
        k: f64,
        workspace: &mut Workspace,
    ) -> Value {
        let panel = &*self.panel;
        let mut out = workspace.buffer(panel.rows());
        let mut cursors: Vec<usize> = panel.spans.iter().map(|span| span.offset).collect();
        let mut present: Vec<(usize, f64)> = Vec::with_capacity(panel.spans.len());
        let mut order: Vec<usize> = Vec::with_capacity(panel.spans.len());
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
            across(function, &present, k, &mut order, &mut out);
        }
        Value::Own(out)
    }
}

/// One timestamp of a cross-sectional function: `present` holds (row, value) in symbol order.
fn across(function: CrossSection, present: &[(usize, f64)], k: f64, order: &mut Vec<usize>, out: &mut [f64]) {
    let defined = || present.iter().filter(|(_, x)| !x.is_nan());
    match function {
        CrossSection::Rank | CrossSection::Top => {
            order.clear();
            order.extend((0..present.len()).filter(|&i| !present[i].1.is_nan()));
            // A stable sort: ties stay in symbol order.
            order.sort_by(|&a, &b| present[b].1.total_cmp(&present[a].1));
            for (place, &i) in order.iter().enumerate() {
                let rank = place as f64 + 1.0;
                out[present[i].0] = match function {
                    CrossSection::Rank => rank,
                    _ if k.is_nan() => NAN,
                    _ if rank <= k => 1.0,
                    _ => 0.0,
                };
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
