//! Ctrl-C: the first asks a run to end with what is done, the second ends the program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use sandtable_core::{Error, Result};

static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// The flag that Ctrl-C (and SIGTERM) sets; the handler is installed at the first call.
///
/// # Errors
/// The system refuses the handler.
pub fn stop_flag() -> Result<Arc<AtomicBool>> {
    if let Some(flag) = STOP.get() {
        return Ok(flag.clone());
    }
    let flag = STOP.get_or_init(Arc::default).clone();
    let seen = flag.clone();
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            // 130 is what shells report for a program ended by Ctrl-C.
            std::process::exit(130);
        }
        eprintln!("\nending after the trials in hand; press Ctrl-C again to end at once");
    })
    .map_err(|error| Error::machine(format!("the handler for Ctrl-C could not be installed: {error}")))?;
    Ok(flag)
}
