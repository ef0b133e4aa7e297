//! Flame graphs: where a variant's time goes, by sampling its stacks.

use sandtable_core::{Error, Result};

use super::runner;
use super::variant::Variant;
use super::workload::Workload;
use crate::pool::Pool;

/// How long a variant is sampled, in seconds, at least.
const SECONDS: f64 = 2.0;

/// Whether this system can be sampled.
///
/// # Errors
/// It cannot.
pub fn available() -> Result<()> {
    if cfg!(unix) {
        Ok(())
    } else {
        Err(Error::unsupported("`--flamegraph` samples by a signal that this system does not have")
            .help("leave the option out, or run the audit on Linux or macOS"))
    }
}

/// Runs a variant again and again for two seconds and gives its flame graph as SVG.
///
/// # Errors
/// The profiler cannot be started, or as [`runner::run`].
#[cfg(unix)]
pub fn graph(workload: &Workload, variant: Variant, pool: &Pool) -> Result<Vec<u8>> {
    // A prime number of samples a second does not march in step with anything periodic.
    const SAMPLES_PER_SECOND: i32 = 997;
    let failed = |error: pprof::Error| {
        Error::machine(format!("`{}` could not be profiled: {error}", variant.name()))
            .help("leave --flamegraph out to audit without flame graphs")
    };
    // Unwinding from inside of these libraries can wait for a lock that the interrupted code holds.
    let blocked = ["libc", "libgcc", "pthread", "vdso"];
    let guard = pprof::ProfilerGuardBuilder::default()
        .frequency(SAMPLES_PER_SECOND)
        .blocklist(&blocked)
        .build()
        .map_err(failed)?;
    let began = std::time::Instant::now();
    while began.elapsed().as_secs_f64() < SECONDS {
        runner::run(workload, variant.layers(), pool)?;
    }
    let report = guard.report().build().map_err(failed)?;
    let mut options = pprof::flamegraph::Options::default();
    options.title = format!("sandtable audit: {}", variant.name());
    let mut svg = Vec::new();
    report.flamegraph_with_options(&mut svg, &mut options).map_err(failed)?;
    if svg.is_empty() {
        return Err(Error::machine(format!("no sample of `{}` was taken", variant.name()))
            .help("leave --flamegraph out to audit without flame graphs"));
    }
    Ok(svg)
}

/// As on other systems, where there is nothing to sample with.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn graph(_: &Workload, _: Variant, _: &Pool) -> Result<Vec<u8>> {
    available()?;
    Ok(Vec::new())
}
