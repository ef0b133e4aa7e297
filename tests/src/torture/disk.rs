//! A disk that is full at some point of the study: a small file system in memory, made larger afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;

use sandtable_core::rng::Stream;
use sandtable_core::{Error, Result};

use super::{Bench, Count, machine};

/// Kilobytes of the smallest file system, and of one that holds the whole study.
const SMALLEST: u64 = 64;
const ENOUGH: u64 = 64_000;

/// A mounted file system, gone when this is.
#[derive(Debug)]
struct Disk {
    path: PathBuf,
}

impl Disk {
    /// A file system of so many kilobytes; why there is none, if the system refuses.
    fn mount(path: &Path, kilobytes: u64) -> std::result::Result<Disk, String> {
        std::fs::create_dir_all(path).map_err(|error| error.to_string())?;
        call("mount", &["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs", &path.display().to_string()])?;
        Ok(Disk { path: path.to_owned() })
    }

    fn enlarge(&self, kilobytes: u64) -> std::result::Result<(), String> {
        call("mount", &["-o", &format!("remount,size={kilobytes}k"), &self.path.display().to_string()])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = call("umount", &[&self.path.display().to_string()]);
    }
}

fn call(program: &str, arguments: &[&str]) -> std::result::Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// Runs the study on `disks` file systems that are too small for it, then makes each larger. `Ok(Err(_))` says why it was
/// not tried.
///
/// # Errors
/// The program ends otherwise than with exit code 2 and a sentence about the disk.
pub fn run(bench: &Bench, disks: u64, seed: u64) -> Result<std::result::Result<Count, String>> {
    let mut random = Stream::new(seed, [2, 0]);
    let mut count = Count::default();
    let needed = bench.expected.values().map(|bytes| bytes.len() as u64).sum::<u64>() / 1024;
    for _ in 0..disks {
        let kilobytes = SMALLEST + random.below(needed.saturating_sub(SMALLEST).max(1));
        let disk = match Disk::mount(&bench.folder("disk"), kilobytes) {
            Ok(disk) => disk,
            Err(why) => return Ok(Err(why)),
        };
        let out = disk.path.join("study");
        let output = bench.run(&out)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        // Errors are JSON too, because the program was asked for it.
        if output.status.code() != Some(2) || !said.contains("No space left") || !said.contains("\"help\"") {
            return Err(Error::data(format!("on a disk of {kilobytes} kB: exit {:?}: {said}", output.status.code())));
        }
        count.ends += 1;
        let (kept, other) = bench.kept(&out)?;
        count.lost += other;
        disk.enlarge(ENOUGH).map_err(|why| machine("the disk could not be enlarged", &std::io::Error::other(why)))?;
        bench.judge(&out, kept, &mut count)?;
    }
    Ok(Ok(count))
}
