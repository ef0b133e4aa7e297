//! sandtable as a WebAssembly package: one thin binding over the core.
//!
//! Every function here takes values from JavaScript, calls the core and gives values back; it decides nothing. Small
//! values cross as plain objects ([`types`]), columns as typed arrays, bars as bytes. Every failure is thrown as an
//! `Error` with the sentence that the native program prints.

use std::collections::BTreeMap;

use sandtable_core::plan::PlanSpec;
use sandtable_core::strategy;
use wasm_bindgen::prelude::*;

mod bundle;
mod caches;
mod catalog;
mod convert;
mod error;
mod judgement;
pub mod parity;
mod plan;
mod pool;
mod run;
pub mod types;
mod walk;

pub use bundle::{Bundle, Ingested};
pub use caches::{cache_stats, clear_cache, set_cache_budget};
pub use plan::Plan;
pub use run::Run;
pub use walk::Walk;
#[cfg(feature = "threads")]
pub use wasm_bindgen_rayon::init_thread_pool;

use convert::{optional_text, study_text, text_of, to_js};
use error::{OrThrow, Result};

/// What JavaScript's types cannot say by themselves.
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Every failure of this package. `message` is the whole sentence, as the native program prints it. */
export interface SandtableError extends Error {
  name: "SandtableError";
  kind: "data" | "strategy" | "plan" | "unsupported" | "machine";
  /** The sentence without place and way out. */
  sentence: string;
  place?: Place;
  /** The way out. */
  help?: string;
}
/** Gives the bytes of each range, in the same order. */
export type RangeReader = (ranges: ByteRange[]) => Uint8Array[] | Promise<Uint8Array[]>;
/** The object form of a study file; `catalog().keys` says what each key means. */
export interface Study {
  bundle?: string;
  strategy?: string;
  strategy_text?: string;
  symbols?: string[];
  start?: string;
  end?: string;
  capital?: number;
  fill?: string;
  costs?: Record<string, number | string>;
  space?: Record<string, unknown>;
  where?: string | string[];
  objective?: string;
  [key: string]: unknown;
}
"#;

/// Indicators, functions, metrics, study keys, strategies and bundles that the package has.
///
/// # Errors
/// None that a caller can cause.
#[wasm_bindgen(unchecked_return_type = "Catalog")]
pub fn catalog() -> Result<JsValue> {
    to_js(&catalog::catalog())
}

/// Parses and checks a strategy; `file` is its name in messages.
///
/// # Errors
/// What is wrong with it, with its place.
#[wasm_bindgen(unchecked_return_type = "StrategyInfo")]
pub fn strategy(
    #[wasm_bindgen(unchecked_param_type = "string")] source: &JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "string")] file: &JsValue,
) -> Result<JsValue> {
    let source = text_of(source, "the strategy")?;
    let file = optional_text(file, "the name of the strategy")?.unwrap_or_else(|| "strategy".to_owned());
    to_js(&catalog::strategy(&strategy::Strategy::parse(&source, &file).or_throw()?))
}

/// A study as the TOML that the native program reads.
///
/// # Errors
/// What is wrong with it.
#[wasm_bindgen(js_name = studyToml)]
pub fn study_toml(#[wasm_bindgen(unchecked_param_type = "Study | string")] study: JsValue) -> Result<String> {
    PlanSpec::to_toml(&study_text(&study)?, "study").or_throw()
}

/// Name → hash of everything in [`parity::fingerprints`], as a plain object, evaluated by all workers. Two builds that give the same object
/// give the same bits; a native build has the same list.
///
/// # Errors
/// A sentence, if the package does not fit itself.
#[wasm_bindgen(unchecked_return_type = "Record<string, string>")]
pub fn fingerprints() -> Result<JsValue> {
    let named: BTreeMap<String, String> =
        parity::fingerprints(&mut pool::Workforce::default(), 50).or_throw()?.into_iter().collect();
    to_js(&named)
}
