//! How much memory this process took, where the system says.

/// Most bytes that were resident at once so far; `None` where the kernel does not say.
pub fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// As megabytes (10^6 bytes) with one decimal.
pub fn peak_megabytes() -> Option<f64> {
    peak_bytes().map(|bytes| (bytes as f64 / 1e5).round() / 10.0)
}
