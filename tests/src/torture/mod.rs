//! Ends the program at moments that nobody chose, and holds what comes of it against a study that was never ended.
//!
//! Given the program, this room starts it as a user does: real processes, real files, real signals. It looks at folders
//! and exit codes only, and never into the process. Moments are drawn from a seed; what the machine does in them is not.

pub mod disk;
pub mod ends;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandtable::study::{self, RUNS};
use sandtable_core::results::{Results, Schema};
use sandtable_core::{Error, Result};

/// 21,000 trials of one symbol: 83 batches in two parts, the second one not full.
const STUDY: &str = "bundle = \"mag8\"\nstrategy = \"sma_cross\"\nsymbols = [\"ALFA\"]\nstart = 2019-01-02\nend = 2019-06-28\n\
                     [space]\nfast = { type = \"int\", min = 2, max = 151, step = 1 }\n\
                     slow = { type = \"int\", min = 20, max = 159, step = 1 }\n";

/// Name of the study's file in the scratch folder.
const FILE: &str = "s.toml";

/// A scratch folder with a study and what it comes to when nobody ends it.
#[derive(Debug)]
pub struct Bench {
    program: PathBuf,
    scratch: PathBuf,
    expected: BTreeMap<String, Vec<u8>>,
    rows: Results,
    takes: Duration,
}

/// What came of some ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Processes that were ended before they were done.
    pub ends: u64,
    /// Those after which the study came out the same, byte for byte.
    pub identical: u64,
    /// Finished trials that were gone, or other ones, or evaluated again.
    pub lost: u64,
}

impl Count {
    /// Whether every study came out the same and nothing was lost.
    pub fn holds(&self) -> bool {
        self.identical == self.ends && self.lost == 0
    }
}

impl Bench {
    /// Runs the study to its end in a new scratch folder.
    ///
    /// # Errors
    /// The program cannot be started or fails.
    pub fn new(program: &Path, scratch: &Path) -> Result<Bench> {
        fs::write(scratch.join(FILE), STUDY).map_err(|error| machine("the study could not be written", &error))?;
        let out = scratch.join("reference");
        let rows = Results::new(Arc::new(Schema::new("", [])));
        let (program, scratch) = (program.to_owned(), scratch.to_owned());
        let bench = Bench { program, scratch, expected: BTreeMap::new(), rows, takes: Duration::ZERO };
        let began = Instant::now();
        bench.finish(&out)?;
        let takes = began.elapsed();
        Ok(Bench { expected: files(&out)?, rows: study::results_in(&out)?, takes, ..bench })
    }

    /// How long the study takes, and of how many trials it is.
    pub fn size(&self) -> (Duration, usize) {
        (self.takes, self.rows.len())
    }

    /// A folder in the scratch folder.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    fn command(&self, out: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.scratch).args(["optimize", FILE, "--quiet", "--json", "--out"]).arg(out);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, out: &Path) -> Result<Output> {
        self.command(out)
            .output()
            .map_err(|error| machine(&format!("`{}` did not start", self.program.display()), &error))
    }

    /// Runs the study to its end; gives how many of its trials were not evaluated again.
    fn finish(&self, out: &Path) -> Result<u64> {
        let output = self.run(out)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let summary: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
        match (output.status.success(), summary["known_trials"].as_u64()) {
            (true, Some(known)) => Ok(known),
            _ => Err(Error::machine(format!(
                "the study in `{}` did not come to its end: {said}{}",
                out.display(),
                String::from_utf8_lossy(&output.stderr)
            ))),
        }
    }

    /// Trials in a folder, and how many of them are not those of the study that was never ended.
    fn kept(&self, out: &Path) -> Result<(usize, u64)> {
        if !out.join(study::PLAN).exists() {
            return Ok((0, 0));
        }
        let rows = study::results_in(out)?;
        let other = (0..rows.len()).filter(|&row| row >= self.rows.len() || bits(&rows, row) != bits(&self.rows, row));
        Ok((rows.len(), other.count() as u64))
    }

    /// Lets the study in a folder come to its end, and counts what was lost of the `kept` trials that it had.
    fn judge(&self, out: &Path, kept: usize, count: &mut Count) -> Result<()> {
        let known = self.finish(out)?;
        count.lost += (kept as u64).saturating_sub(known);
        let found = files(out)?;
        if found == self.expected {
            count.identical += 1;
            return Ok(());
        }
        let names: std::collections::BTreeSet<&String> = found.keys().chain(self.expected.keys()).collect();
        let differ: Vec<&str> =
            names.into_iter().filter(|name| found.get(*name) != self.expected.get(*name)).map(String::as_str).collect();
        println!("  not the same in {}: {}", out.display(), differ.join(", "));
        Ok(())
    }
}

/// A row, bit for bit.
fn bits(rows: &Results, row: usize) -> (u64, Vec<u64>, u64) {
    let floats = rows.point(row).into_iter().chain(rows.metrics_of(row)).map(f64::to_bits);
    (rows.index()[row], floats.collect(), rows.bars_read()[row])
}

/// All files of a study with their bytes, but for the one that says how it was carried out.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
        let listed = fs::read_dir(folder).map_err(|error| machine(&folder.display().to_string(), &error))?;
        for path in listed.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                walk(root, &path, found)?;
                continue;
            }
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            if name != RUNS {
                found.insert(name, study::read(&path)?);
            }
        }
        Ok(())
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found)?;
    Ok(found)
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = |error: std::io::Error| machine(&format!("`{}` could not be copied", from.display()), &error);
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)?.flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to).map_err(failed)?;
        }
    }
    Ok(())
}

fn machine(what: &str, error: &std::io::Error) -> Error {
    Error::machine(format!("{what}: {error}"))
}
