//! What an audit ran on: machine, system, compiler, version, and how busy the machine was.

use std::fs;
use std::process::Command;

use serde::Serialize;

use crate::pool;

/// The machine and the program, without names or paths of either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Environment {
    /// Name of the processor's model.
    pub processor: String,
    /// Processors that this process may use.
    pub cores: usize,
    /// Memory, in MB (10^6 bytes); null where the system does not say.
    pub memory_mb: Option<u64>,
    /// Name and release of the system.
    pub system: String,
    /// Processor architecture and system that the program was built for.
    pub target: &'static str,
    /// Compiler.
    pub compiler: &'static str,
    /// Build profile.
    pub profile: &'static str,
    /// Version of the program.
    pub version: &'static str,
    /// Commit of the checkout that the program lies in, with `-changed` where files differ from it; null outside of
    /// one. The program itself may have been built from an earlier one.
    pub commit: Option<String>,
    /// The one-minute load average before and after, as the system gives it.
    pub load: [Option<String>; 2],
}

impl Environment {
    /// Looks around; [`Environment::ended`] looks at the load again.
    pub fn look() -> Environment {
        Environment {
            processor: processor().unwrap_or_else(|| "unknown".into()),
            cores: pool::default_threads(),
            memory_mb: memory_mb(),
            system: system(),
            target: env!("SANDTABLE_TARGET"),
            compiler: env!("SANDTABLE_RUSTC"),
            profile: env!("SANDTABLE_PROFILE"),
            version: env!("CARGO_PKG_VERSION"),
            commit: commit(),
            load: [load(), None],
        }
    }

    /// Notes the load at the end.
    pub fn ended(&mut self) {
        self.load[1] = load();
    }

    /// Name and value, as people read them.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let [before, after] = self.load.clone().map(|load| load.unwrap_or_else(|| "unknown".into()));
        let memory = self.memory_mb.map_or("unknown".into(), |mb| format!("{:.1} GB", mb as f64 / 1e3));
        vec![
            ("processor", self.processor.clone()),
            ("cores", self.cores.to_string()),
            ("memory", memory),
            ("system", self.system.clone()),
            ("load before and after", format!("{before}, {after}")),
            ("program", format!("sandtable {}, {}", self.version, self.target)),
            ("compiler", format!("{}, {}", self.compiler, self.profile)),
            ("checkout", self.commit.clone().unwrap_or_else(|| "unknown".into())),
        ]
    }
}

/// The value of the first line `key : value` of a file of the kernel.
fn field(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let value = |line: &str| line.split_once(':').filter(|(name, _)| name.trim() == key).map(|(_, v)| v.trim().into());
    text.lines().find_map(value)
}

fn processor() -> Option<String> {
    if cfg!(target_os = "macos") {
        return output(Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]));
    }
    field("/proc/cpuinfo", "model name").or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok())
}

fn memory_mb() -> Option<u64> {
    let kilobytes: u64 = field("/proc/meminfo", "MemTotal")?.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024 / 1_000_000)
}

fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").ok();
    let pretty = release.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")));
    let name = pretty.map_or(std::env::consts::OS, |name| name.trim_matches('"'));
    match fs::read_to_string("/proc/sys/kernel/osrelease") {
        Ok(kernel) => format!("{name}, kernel {}", kernel.trim()),
        Err(_) => name.to_owned(),
    }
}

fn load() -> Option<String> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next().map(str::to_owned)
}

fn commit() -> Option<String> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    let git = |arguments: &[&str]| output(Command::new("git").arg("-C").arg(folder).args(arguments));
    let top = git(&["rev-parse", "--show-toplevel"])?;
    // The program may lie in a checkout of something else.
    let manifest = fs::read_to_string(std::path::Path::new(&top).join("native/Cargo.toml")).ok()?;
    if !manifest.contains("name = \"sandtable\"") {
        return None;
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|list| !list.is_empty());
    Some(format!("{commit}{}", if changed { "-changed" } else { "" }))
}

/// Standard output of a command that succeeds.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_value() {
        let mut environment = Environment::look();
        environment.ended();
        assert!(environment.cores > 0 && environment.compiler.starts_with("rustc "), "{environment:?}");
        for (name, value) in environment.lines() {
            assert!(!value.is_empty() && !value.contains('\n'), "{name}: {value}");
        }
    }
}
