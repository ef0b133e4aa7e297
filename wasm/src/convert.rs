//! Values across the border: small ones by serde, columns as typed arrays.

use js_sys::{Float64Array, JSON, Reflect, Uint8Array, Uint32Array};
use sandtable_core::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

use crate::error::{Result, to_js_error, unfit};
use crate::types::NamedBytes;

/// Most bytes that one file handed over may have.
const MOST_BYTES: u32 = 1 << 30;

/// A small value as a plain object.
pub fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue> {
    value
        .serialize(&Serializer::new().serialize_maps_as_objects(true))
        .map_err(|error| to_js_error(&Error::machine(format!("a result could not be handed over: {error}"))))
}

/// A plain object as a value; `what` begins the sentence of the error.
pub fn from_js<T: DeserializeOwned>(value: JsValue, what: &str) -> Result<T> {
    serde_wasm_bindgen::from_value(value).map_err(|error| unfit(what, &error))
}

/// A study: its text as it is, an object as JSON.
pub fn study_text(study: &JsValue) -> Result<String> {
    if let Some(text) = study.as_string() {
        return Ok(text);
    }
    let refused = || to_js_error(&Error::plan("the study is neither a text nor an object that JSON can hold"));
    if !study.is_object() {
        return Err(refused());
    }
    JSON::stringify(study).ok().and_then(|text| text.as_string()).ok_or_else(refused)
}

/// A text. The glue code would make memory of anything that is no string, so texts come as values and are looked at.
pub fn text_of(value: &JsValue, what: &str) -> Result<String> {
    value.as_string().ok_or_else(|| to_js_error(&Error::plan(format!("{what} is no text"))))
}

/// A text that may be left out.
pub fn optional_text(value: &JsValue, what: &str) -> Result<Option<String>> {
    if value.is_undefined() || value.is_null() { Ok(None) } else { text_of(value, what).map(Some) }
}

/// Bytes of a `Uint8Array`.
pub fn bytes_of(value: &JsValue, name: &str) -> Result<Vec<u8>> {
    let refused = |what: String| Err(to_js_error(&Error::data(what).in_file(name)));
    let Some(array) = value.dyn_ref::<Uint8Array>() else {
        return refused("the bytes are not a Uint8Array".to_owned());
    };
    if array.length() > MOST_BYTES {
        return refused(format!("{} bytes are more than a browser's memory can take", array.length()));
    }
    Ok(array.to_vec())
}

/// Files handed over as `{ name, bytes }[]`.
pub fn files_of(value: &JsValue) -> Result<Vec<(String, Vec<u8>)>> {
    let Some(list) = value.dyn_ref::<js_sys::Array>() else {
        return Err(to_js_error(&Error::data("the files are not an array of { name, bytes }")));
    };
    list.iter()
        .map(|entry| {
            let field = |key: &str| Reflect::get(&entry, &key.into()).unwrap_or(JsValue::UNDEFINED);
            let Some(name) = field("name").as_string() else {
                return Err(to_js_error(&Error::data("a file has no name: files are an array of { name, bytes }")));
            };
            let bytes = bytes_of(&field("bytes"), &name)?;
            Ok((name, bytes))
        })
        .collect()
}

/// Files to hand over.
pub fn named(files: Vec<(String, Vec<u8>)>) -> Vec<NamedBytes> {
    files.into_iter().map(|(name, bytes)| NamedBytes { name, bytes: Uint8Array::from(bytes.as_slice()) }).collect()
}

/// A column.
pub fn floats(values: &[f64]) -> Float64Array {
    Float64Array::from(values)
}

/// A column made on the way.
pub fn floats_of(values: impl Iterator<Item = f64>) -> Float64Array {
    floats(&values.collect::<Vec<f64>>())
}

/// Instants in microseconds as JavaScript's milliseconds.
pub fn millis_of(micros: impl Iterator<Item = i64>) -> Float64Array {
    floats_of(micros.map(|t| t as f64 / 1000.0))
}

/// Indices.
pub fn indices_of(values: impl Iterator<Item = u32>) -> Uint32Array {
    Uint32Array::from(values.collect::<Vec<u32>>().as_slice())
}

/// Flags, 0 or 1.
pub fn flags_of(values: impl Iterator<Item = bool>) -> Uint8Array {
    Uint8Array::from(values.map(u8::from).collect::<Vec<u8>>().as_slice())
}
