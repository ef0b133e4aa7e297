//! The targets that must give the same bits, and the difference between what they give.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sandtable::drive::Pooled;
use sandtable::pool;
use sandtable_core::run::OneThread;
use sandtable_wasm::parity;

/// Name of a case and hash of its bits.
pub type Fingerprints = BTreeMap<String, String>;

/// Threads of the native run with several; more than a small machine has processors.
const THREADS: usize = 3;

/// What compiled and ran the cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Natively, on the calling thread.
    NativeOne,
    /// Natively, on a pool.
    NativeMany,
    /// The package without threads, in Node.js.
    Node,
    /// The package without threads, in headless Chromium.
    BrowserSingle,
    /// The package with threads, in headless Chromium.
    BrowserThreads,
}

impl Target {
    /// All of them, the reference first.
    pub const ALL: [Target; 5] =
        [Target::NativeOne, Target::NativeMany, Target::Node, Target::BrowserSingle, Target::BrowserThreads];

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Target::NativeOne => "native, 1 thread",
            Target::NativeMany => "native, 3 threads",
            Target::Node => "Node.js",
            Target::BrowserSingle => "Chromium, single",
            Target::BrowserThreads => "Chromium, threads",
        }
    }

    /// Runs all cases there.
    ///
    /// # Errors
    /// What is missing or went wrong.
    pub fn run(self) -> Result<Fingerprints, String> {
        let native = |result: sandtable_core::Result<Vec<(String, String)>>| {
            result.map(|list| list.into_iter().collect()).map_err(|error| error.to_string())
        };
        // Chunks of different sizes: how a grid is cut must not matter either.
        match self {
            Target::NativeOne => native(parity::fingerprints(&mut OneThread::default(), 64)),
            Target::NativeMany => {
                let pool = pool::pool(THREADS).map_err(|error| error.to_string())?;
                native(parity::fingerprints(&mut Pooled(&pool), 33))
            }
            Target::Node => script("parity.mjs", &package("single")?, &[]),
            Target::BrowserSingle => script("chromium.mjs", &package("single")?, &[]),
            Target::BrowserThreads => script("chromium.mjs", &package("threads")?, &["--threads"]),
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn package(name: &str) -> Result<PathBuf, String> {
    let folder = root().join("web/pkg").join(name);
    if folder.join("sandtable_wasm_bg.wasm").is_file() {
        Ok(folder)
    } else {
        Err("the package is not built: run .ci/wasm-package".to_owned())
    }
}

fn script(name: &str, package: &Path, options: &[&str]) -> Result<Fingerprints, String> {
    let script = root().join("tests/node").join(name);
    let json = last_line(name, Command::new("node").arg(script).arg(package).args(options).output())?;
    serde_json::from_str(&json).map_err(|error| format!("{name} printed no object of strings: {error}"))
}

/// The last line a script printed, or why there is none.
fn last_line(program: &str, output: std::io::Result<Output>) -> Result<String, String> {
    let output = output.map_err(|error| format!("{program} cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim_end().lines().last() {
        Some(line) if output.status.success() => Ok(line.to_owned()),
        _ => Err(format!(
            "{program} ended with {}:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        )),
    }
}

/// One line for each name whose hash differs or that only one side has.
pub fn differences(reference: &Fingerprints, other: &Fingerprints) -> Vec<String> {
    let names: BTreeSet<&String> = reference.keys().chain(other.keys()).collect();
    names
        .into_iter()
        .filter(|name| reference.get(*name) != other.get(*name))
        .map(|name| format!("{name}: {:?}, reference {:?}", other.get(name), reference.get(name)))
        .collect()
}
