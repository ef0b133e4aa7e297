//! One process at a time writes into a study folder.
//!
//! Given a folder, this file takes the system's advisory lock on its file `.lock`. The lock belongs to the open file, so
//! that it ends with the process, however that ends; the file itself is empty, stays, and means nothing without it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use sandtable_core::{Error, Result};

/// The file that is locked.
pub const LOCK: &str = ".lock";

/// Times that a lock which another process has is asked for: one that only looks has it for an instant.
const ATTEMPTS: usize = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// The right to write into a folder, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock of a folder.
///
/// # Errors
/// Another process has it, or the file cannot be made.
pub fn take(folder: &Path) -> Result<Lock> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
    let file = file.map_err(|error| {
        Error::machine(format!("`{}` could not be opened: {error}", path.display()))
            .help("name a folder that you may write to with --out")
    })?;
    for attempt in 1.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::machine(format!(
                    "another process is working on the study in `{}`",
                    folder.display()
                ))
                .help("wait for it or end it (its finished trials are kept), or name another folder with --out"));
            }
            // Some network file systems have no locks; there the user must see to it.
            Err(TryLockError::Error(error)) => {
                eprintln!("warning: `{}` cannot be locked: {error}", path.display());
                break;
            }
        }
    }
    Ok(Lock { _file: file })
}

/// Whether a process has the lock of a folder.
pub fn is_taken(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(LOCK)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_lock_is_had_once_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_taken(folder.path()));
        let held = take(folder.path()).unwrap();
        assert!(is_taken(folder.path()));
        let refused = take(folder.path()).unwrap_err();
        assert!(refused.message().contains("another process") && refused.way_out().unwrap().contains("--out"));
        drop(held);
        assert!(!is_taken(folder.path()));
        take(folder.path()).unwrap();
    }
}
