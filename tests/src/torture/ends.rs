//! Ends by signal, each at a moment drawn from a seed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use sandtable_core::Result;
use sandtable_core::rng::Stream;

use super::{Bench, Count, copy, machine};

/// How a process is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// At once, by SIGKILL.
    Kill,
    /// On request, by SIGTERM.
    Term,
}

/// One folder that is ended again and again until its study is complete, then a new one.
#[derive(Debug)]
struct Victim {
    folder: PathBuf,
    /// Trials that were kept at the last end.
    kept: usize,
}

/// Ends `ends` processes. After each, a copy of the folder is let come to its end.
///
/// # Errors
/// The program cannot be started, or fails where it was not ended.
pub fn run(bench: &Bench, signal: Signal, ends: u64, seed: u64) -> Result<Count> {
    let mut random = Stream::new(seed, [signal as u32, 0]);
    let (mut count, mut folders) = (Count::default(), 0);
    let mut victim = new_victim(bench, signal, &mut folders);
    while count.ends < ends {
        let (takes, trials) = bench.size();
        let left = 1.0 - victim.kept as f64 / trials as f64;
        // A little longer than what is left, so that every moment up to the last file is drawn.
        let most = takes.mul_f64(left + 0.2);
        let wait = most.mul_f64(random.below(1 << 20) as f64 / f64::from(1 << 20));
        if !end_one(bench, &victim.folder, signal, wait)? {
            // It was done before: the folder must be as it should.
            let mut whole = Count { ends: 1, ..Count::default() };
            bench.judge(&victim.folder, trials, &mut whole)?;
            count.lost += u64::from(!whole.holds());
            clear(&victim.folder)?;
            victim = new_victim(bench, signal, &mut folders);
            continue;
        }
        count.ends += 1;
        let (kept, other) = bench.kept(&victim.folder)?;
        count.lost += other + victim.kept.saturating_sub(kept) as u64;
        victim.kept = kept;
        let twin = bench.folder("twin");
        // The copy's lock is its own; a folder that was not made yet has nothing to copy.
        if victim.folder.exists() {
            copy(&victim.folder, &twin)?;
        }
        bench.judge(&twin, kept, &mut count)?;
        clear(&twin)?;
        if kept == trials {
            clear(&victim.folder)?;
            victim = new_victim(bench, signal, &mut folders);
        }
    }
    clear(&victim.folder)?;
    Ok(count)
}

fn new_victim(bench: &Bench, signal: Signal, folders: &mut u64) -> Victim {
    *folders += 1;
    Victim { folder: bench.folder(&format!("{signal:?}-{folders}")), kept: 0 }
}

fn clear(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).map_err(|error| machine(&format!("`{}` could not be removed", folder.display()), &error))
}

/// Starts the program and ends it after `wait`; `false` if it was done by then.
fn end_one(bench: &Bench, folder: &Path, signal: Signal, wait: Duration) -> Result<bool> {
    let failed = |error: std::io::Error| machine("the program could not be started or ended", &error);
    let began = Instant::now();
    let mut child = bench.command(folder).spawn().map_err(failed)?;
    std::thread::sleep(wait.saturating_sub(began.elapsed()));
    if child.try_wait().map_err(failed)?.is_some() {
        return Ok(false);
    }
    match signal {
        Signal::Kill => child.kill().map_err(failed)?,
        Signal::Term => terminate(&child).map_err(failed)?,
    }
    let output = child.wait_with_output().map_err(failed)?;
    Ok(match signal {
        // It may have been done between the look and the signal.
        Signal::Kill => !output.status.success(),
        Signal::Term => !completed(&output),
    })
}

/// Asks a process to end.
fn terminate(child: &Child) -> std::io::Result<()> {
    Command::new("sh").arg("-c").arg(format!("kill -TERM {}", child.id())).status().map(|_| ())
}

/// Whether a process that was asked to end had come to the end of its study all the same.
fn completed(output: &Output) -> bool {
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    summary["interrupted"] == serde_json::json!(false)
}
