//! The library's error as a JavaScript `Error`.

use js_sys::{Error as JsError, Reflect};
use sandtable_core::{Error, ErrorKind};
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::convert::to_js;
use crate::types::Place;

/// What the functions of this package give.
pub type Result<T> = std::result::Result<T, JsValue>;

/// The error as JavaScript sees it: `message` is the sentence that the native program prints, `name` is
/// `SandtableError`, and `kind`, `sentence`, `place` and `help` are its parts.
pub fn to_js_error(error: &Error) -> JsValue {
    let thrown = JsError::new(&error.to_string());
    thrown.set_name("SandtableError");
    let kind = match error.kind() {
        ErrorKind::Data => "data",
        ErrorKind::Strategy => "strategy",
        ErrorKind::Plan => "plan",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Machine => "machine",
    };
    set(&thrown, "kind", &kind);
    set(&thrown, "sentence", &error.message());
    if let Some(place) = error.place() {
        set(
            &thrown,
            "place",
            &Place {
                file: place.file.clone(),
                line: place.line,
                column: place.column,
                width: place.width,
                source_line: place.source_line.clone(),
            },
        );
    }
    if let Some(help) = error.way_out() {
        set(&thrown, "help", &help);
    }
    thrown.into()
}

fn set(target: &JsError, key: &str, value: &impl Serialize) {
    // An error object is extensible and a part of plain text converts, so neither can fail.
    if let Ok(value) = to_js(value) {
        let _ = Reflect::set(target, &key.into(), &value);
    }
}

/// What came from JavaScript and is not what the function takes.
pub fn unfit(what: &str, found: &serde_wasm_bindgen::Error) -> JsValue {
    to_js_error(&Error::plan(format!("{what}: {found}")).help("the package's types say what it takes"))
}

/// The error of a core function, thrown.
pub trait OrThrow<T> {
    /// The value, or the error as JavaScript sees it.
    ///
    /// # Errors
    /// The error itself.
    fn or_throw(self) -> Result<T>;
}

impl<T> OrThrow<T> for sandtable_core::Result<T> {
    fn or_throw(self) -> Result<T> {
        self.map_err(|error| to_js_error(&error))
    }
}
