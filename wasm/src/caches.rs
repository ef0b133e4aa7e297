//! The cache layers of this instance of the module.

use std::cell::RefCell;
use std::rc::Rc;

use sandtable_core::Error;
use sandtable_core::cache::Counters;
use sandtable_core::run::Caches;
use wasm_bindgen::prelude::*;

use crate::convert::to_js;
use crate::error::{Result, to_js_error};
use crate::types::{CacheStats, LayerStats};

/// Bytes that the layers may hold when nothing is said.
const BUDGET: u64 = 256 << 20;
/// The module's memory ends at 1 GB; more than this could not be held beside the rest.
const LARGEST_BUDGET: f64 = 768.0 * 1024.0 * 1024.0;

thread_local! {
    static CACHES: RefCell<Rc<Caches>> = RefCell::new(Rc::new(Caches::new(BUDGET)));
}

/// The layers of this instance.
pub fn caches() -> Rc<Caches> {
    CACHES.with_borrow(Rc::clone)
}

/// What the caches did and hold.
///
/// # Errors
/// None that a caller can cause.
#[wasm_bindgen(js_name = cacheStats, unchecked_return_type = "CacheStats")]
pub fn cache_stats() -> Result<JsValue> {
    let caches = caches();
    let counters = caches.counters();
    to_js(&CacheStats {
        assets: layer(counters.assets),
        history: layer(counters.history),
        contexts: layer(counters.contexts),
        budget: caches.budget() as f64,
        memory: memory(),
    })
}

/// Drops everything that the caches hold.
#[wasm_bindgen(js_name = clearCache)]
pub fn clear_cache() {
    caches().clear();
}

/// Sets the most bytes that the caches may hold together (256 MB at first) and empties them; 0 switches them off.
///
/// # Errors
/// A budget that is no number of bytes, or larger than the module's memory allows.
#[wasm_bindgen(js_name = setCacheBudget)]
pub fn set_cache_budget(bytes: f64) -> Result<()> {
    if !(0.0..=LARGEST_BUDGET).contains(&bytes) {
        let message = format!("a cache budget is a number of bytes from 0 to {LARGEST_BUDGET}, found {bytes}");
        return Err(to_js_error(&Error::plan(message)));
    }
    CACHES.with_borrow_mut(|caches| *caches = Rc::new(Caches::new(bytes as u64)));
    Ok(())
}

fn layer(counters: Counters) -> LayerStats {
    LayerStats {
        hits: counters.hits as f64,
        misses: counters.misses as f64,
        evictions: counters.evictions as f64,
        entries: counters.entries as f64,
        bytes: counters.bytes as f64,
        too_large: counters.too_large as f64,
        single_flight_waits: counters.single_flight_waits as f64,
        promoted: counters.promoted as f64,
        switched_off: counters.switched_off as f64,
    }
}

#[cfg(target_arch = "wasm32")]
fn memory() -> f64 {
    std::arch::wasm32::memory_size::<0>() as f64 * 65536.0
}

#[cfg(not(target_arch = "wasm32"))]
fn memory() -> f64 {
    0.0
}
