//! sandtable as a WebAssembly package: one thin binding over the core.
//!
//! Every function here takes values from JavaScript, calls the core and gives values back; it decides nothing.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

pub mod parity;

/// Name → hash of everything in [`parity::fingerprints`], as a plain object. Two builds that give the same object
/// give the same bits; a native build has the same list.
///
/// # Errors
/// A sentence, if the package does not fit itself.
#[wasm_bindgen]
pub fn fingerprints() -> Result<JsValue, JsValue> {
    let named: BTreeMap<String, String> =
        parity::fingerprints().map_err(|error| error.to_string())?.into_iter().collect();
    Ok(named.serialize(&Serializer::json_compatible())?)
}
