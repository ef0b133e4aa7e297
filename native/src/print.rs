//! Standard output: a closed pipe ends quietly, anything else is an error.

use std::io::{ErrorKind, Write};

use sandtable_core::{Error, Result};

use crate::study::json_text;

/// Prints text, with a final newline if it has none.
///
/// # Errors
/// Standard output cannot be written.
pub fn text(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{newline}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::machine(format!("the output could not be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints `json` if it is asked for, otherwise the text.
///
/// # Errors
/// Standard output cannot be written.
pub fn either(as_json: bool, json: &serde_json::Value, text_of: impl FnOnce() -> String) -> Result<()> {
    if as_json { text(&json_text(json)) } else { text(&text_of()) }
}
