//! Operations over a symbol's past: lags, counts since, indicators, other symbols' prices.
//!
//! Given operands' values over the rows of a panel, this gives one value for each row, from that row and earlier ones
//! of the same symbol alone.

use super::evaluate::Context;
use super::workspace::{Value, Workspace};
use crate::bundle::Field;
use crate::indicators::{self, REGISTRY};
use crate::num::{self, NAN};

impl Context {
    /// The other symbol's last value at or before each row's timestamp.
    pub(super) fn foreign(&self, symbol: &str, field: Field, workspace: &mut Workspace) -> Value {
        let panel = &*self.panel;
        let mut out = workspace.buffer(panel.rows());
        let Some(bars) = panel.references.get(symbol) else { return Value::Own(out) };
        let source = bars.field(field);
        for span in &panel.spans {
            let mut seen = 0;
            for row in span.rows() {
                let now = panel.timeline[panel.row_time[row] as usize];
                while seen < bars.len() && bars.time[seen] <= now {
                    seen += 1;
                }
                if seen > 0 {
                    out[row] = source[seen - 1];
                }
            }
        }
        Value::Own(out)
    }

    pub(super) fn lag(&self, value: Value, bars: f64, workspace: &mut Workspace) -> Value {
        let panel = &*self.panel;
        let Some(source) = value.slice(panel) else { return value };
        let mut out = workspace.buffer(panel.rows());
        // A lag that is no whole number of bars, or longer than any series, leaves everything undefined.
        if bars >= 0.0 && bars.floor() == bars && bars < panel.rows() as f64 {
            let k = bars as usize;
            for span in &panel.spans {
                if span.len > k {
                    let end = span.offset + span.len;
                    out[span.offset + k..end].copy_from_slice(&source[span.offset..end - k]);
                }
            }
        }
        Value::Own(out)
    }

    pub(super) fn since(&self, condition: Value, workspace: &mut Workspace) -> Value {
        let panel = &*self.panel;
        let mut out = workspace.buffer(panel.rows());
        for span in &panel.spans {
            let mut count = NAN;
            for row in span.rows() {
                let now = match &condition {
                    Value::Scalar(x) => *x,
                    other => other.slice(panel).map_or(NAN, |column| column[row]),
                };
                count = if now == 1.0 { 0.0 } else { count + 1.0 };
                out[row] = num::canonical(count);
            }
        }
        Value::Own(out)
    }

    pub(super) fn indicator(
        &self,
        index: u16,
        inputs: Vec<Value>,
        params: &[f64],
        output: u8,
        workspace: &mut Workspace,
    ) -> Value {
        let panel = &*self.panel;
        let indicator = &REGISTRY[index as usize];
        let rows = panel.rows();
        if indicators::check_params(indicator, params).is_err() {
            // A point outside an indicator's range has no value; the plan has warned of it.
            return Value::Own(workspace.buffer(rows));
        }
        let constants: Vec<Vec<f64>> =
            inputs.iter().map(|input| if let Value::Scalar(x) = input { vec![*x; rows] } else { Vec::new() }).collect();
        let columns: Vec<&[f64]> =
            inputs.iter().zip(&constants).map(|(input, constant)| input.slice(panel).unwrap_or(constant)).collect();
        // Every row is one of a span, and is written.
        let mut outputs: Vec<Vec<f64>> = indicator.outputs.iter().map(|_| workspace.spare(rows)).collect();
        for span in &panel.spans {
            let inputs: Vec<&[f64]> = columns.iter().map(|column| &column[span.rows()]).collect();
            let mut parts: Vec<&mut [f64]> = outputs.iter_mut().map(|out| &mut out[span.rows()]).collect();
            indicators::compute(indicator, &inputs, params, &mut parts);
        }
        let chosen = outputs.swap_remove((output as usize).min(outputs.len() - 1));
        workspace.pool.append(&mut outputs);
        for input in inputs {
            if let Value::Own(buffer) = input {
                workspace.pool.push(buffer);
            }
        }
        Value::Own(chosen)
    }
}
