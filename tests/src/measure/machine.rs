//! What a measurement was made on: processor, system, commit; and what this process used.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use sandtable_core::calendar::format_date;
use serde_json::{Value, json};

/// Processor, cores that this process may use, memory, system. What the system does not tell is null.
pub fn machine() -> Value {
    let cores = std::thread::available_parallelism().ok().map(usize::from);
    let kilobytes = field("/proc/meminfo", "MemTotal").and_then(|text| first_number(&text));
    json!({
        "processor": field("/proc/cpuinfo", "model name"),
        "architecture": std::env::consts::ARCH,
        "cores": cores,
        "memory_gb": kilobytes.map(|kilobytes| (kilobytes * 1024.0 / 1e8).round() / 10.0),
        "os": os(),
    })
}

/// The commit of the checkout in the current folder, and whether it was changed since; null without a repository.
pub fn commit() -> Value {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match git(&["rev-parse", "HEAD"]) {
        Some(id) => {
            let changed = git(&["status", "--porcelain", "--untracked-files=no"]).map(|list| !list.is_empty());
            json!({"id": id, "changed": changed})
        }
        None => Value::Null,
    }
}

/// The command line, the program by its name alone.
pub fn command() -> String {
    let rest = std::env::args()
        .skip(1)
        .map(|argument| if argument.contains(' ') { format!("'{argument}'") } else { argument });
    std::iter::once("workloads".to_owned()).chain(rest).collect::<Vec<_>>().join(" ")
}

/// Today in UTC, YYYY-MM-DD.
pub fn date() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    format_date(i32::try_from(seconds / 86_400).unwrap_or(i32::MAX))
}

/// User and system time of this process, from the kernel's accounting; null where it has none.
pub fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Fields after the command, which stands in brackets and may hold spaces: 14 and 15 of the whole are times.
    let rest: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |k: usize| rest.get(k)?.parse::<f64>().ok();
    // The kernel reports hundredths of a second whatever its own clock is.
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Peak resident memory in MB (10^6 bytes); null where the kernel does not say.
pub fn peak_rss_mb() -> Option<f64> {
    let kilobytes = first_number(&field("/proc/self/status", "VmHWM")?)?;
    Some((kilobytes * 1024.0 / 1e5).round() / 10.0)
}

fn os() -> Option<String> {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).map(|name| name.trim_matches('"'));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    let parts: Vec<&str> = name.into_iter().chain(kernel.as_deref().map(str::trim)).collect();
    if parts.is_empty() { Some(std::env::consts::OS.to_owned()) } else { Some(parts.join(", kernel ")) }
}

/// The value of a `name: value` line of a file.
fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let fields: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim())).collect();
    fields.get(name).map(|value| (*value).to_owned())
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}
