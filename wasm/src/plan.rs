//! Plans.

use std::sync::Arc;

use sandtable_core::calendar::format_date;
use wasm_bindgen::prelude::*;

use crate::convert::to_js;
use crate::error::Result;
use crate::types::{AxisInfo, ObjectiveInfo, PlanInfo};

/// Values of an axis that are listed.
const MOST_VALUES: u64 = 10_000;
/// Points that are counted one by one.
const COUNTED: u64 = 1 << 20;

/// A study held against a bundle: validated, with an id that names its content.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Plan {
    pub(crate) inner: Arc<sandtable_core::plan::Plan>,
}

#[wasm_bindgen]
impl Plan {
    /// Names the plan by its content; the native program gives the same.
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> String {
        self.inner.id().to_owned()
    }

    /// What the plan says.
    ///
    /// # Errors
    /// None that a caller can cause.
    #[wasm_bindgen(unchecked_return_type = "PlanInfo")]
    pub fn info(&self) -> Result<JsValue> {
        let plan = &self.inner;
        let objective = plan.objective();
        to_js(&PlanInfo {
            id: self.id(),
            name: plan.name().to_owned(),
            symbols: plan.symbols().to_vec(),
            start: format_date(plan.start()),
            end: format_date(plan.end()),
            warmup_bars: plan.warmup_bars() as f64,
            params: plan
                .space()
                .axes()
                .iter()
                .map(|axis| AxisInfo {
                    name: axis.name.clone(),
                    kind: axis.kind.name().to_owned(),
                    values: (0..axis.len.min(MOST_VALUES)).map(|i| axis.value(i)).collect(),
                })
                .collect(),
            conditions: plan.space().conditions().map(str::to_owned).collect(),
            size: plan.space().size() as f64,
            valid: plan.space().count_valid(COUNTED).points as f64,
            objective: ObjectiveInfo {
                metric: objective.name.to_owned(),
                direction: objective.direction.word().to_owned(),
            },
            benchmark: plan.benchmark().map(str::to_owned),
            warnings: plan.warnings().to_vec(),
        })
    }

    /// The resolved plan as JSON, as the native program writes it.
    #[wasm_bindgen(js_name = toJson)]
    pub fn to_json(&self) -> String {
        self.inner.to_json()
    }
}
