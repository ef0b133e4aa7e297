//! Files that are there whole or not at all.
//!
//! Given names and bytes, this file writes each under a temporary name, syncs it and gives it its name. It never knows what
//! the bytes mean. A process that is killed leaves at most temporary files, which [`clear_temporary`] takes away.

use std::fs;
use std::io::Write;
use std::path::Path;

use sandtable_core::{Error, Result};

/// How names of temporary files start.
const TEMPORARY: &str = ".sandtable-";

/// Writes a file whole or not at all, and makes its folder if there is none.
///
/// # Errors
/// The file cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = staged(path, bytes)?;
    file.as_file().sync_all().map_err(|error| failed(path, &error))?;
    name(file, path)
}

/// As [`write_whole`], for a file that the same command writes again where it is not as it should be: it is whole whenever
/// the process ends, but a power failure may take it. A sync costs more than most of these files.
///
/// # Errors
/// The file cannot be written.
pub fn write_remade(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|held| held == bytes) {
        return Ok(());
    }
    name(staged(path, bytes)?, path)
}

fn staged(path: &Path, bytes: &[u8]) -> Result<tempfile::NamedTempFile> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(|error| {
        Error::machine(format!("folder `{}` could not be made: {error}", folder.display()))
            .help("name a folder that you may write to")
    })?;
    let mut file = temporary_in(folder)?;
    file.write_all(bytes).map_err(|error| failed(path, &error))?;
    Ok(file)
}

/// Gives a temporary file its name.
fn name(file: tempfile::NamedTempFile, path: &Path) -> Result<()> {
    // Temporary files are private to their owner; results are as readable as the user's other files.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _ = file.as_file().set_permissions(fs::Permissions::from_mode(0o644));
    }
    file.persist(path).map_err(|error| failed(path, &error.error))?;
    Ok(())
}

/// Takes away what a killed process left unfinished in a folder.
pub fn clear_temporary(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_temporary(&entry.file_name().to_string_lossy()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file of this name is one that was never finished.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary_in(folder: &Path) -> Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder).map_err(|error| {
        Error::machine(format!("no file could be made in `{}`: {error}", folder.display()))
            .help("check the free space and the rights of the folder")
    })
}

/// A file that could not be written.
pub fn failed(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::machine(format!("`{}` could not be written: {error}", path.display()))
        .help("check the free space and the rights of the folder")
}

/// JSON as text: indented, with a final newline.
pub fn json_text(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads a JSON file.
///
/// # Errors
/// The file is missing or no JSON.
pub fn read_json(path: &Path) -> Result<serde_json::Value> {
    let bytes = read(path)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::data(format!("no valid JSON: {error}")).in_file(path.display().to_string()))
}

/// Reads a file whole.
///
/// # Errors
/// The file cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path)
        .map_err(|error| Error::machine(format!("could not be read: {error}")).in_file(path.display().to_string()))
}

/// Reads a text file.
///
/// # Errors
/// The file cannot be read or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|error| {
        Error::data(format!("not UTF-8 text (byte {})", error.utf8_error().valid_up_to()))
            .in_file(path.display().to_string())
            .help("save the file as UTF-8")
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_file_is_there_whole_or_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write_whole(&path("a"), b"1").unwrap();
        write_remade(&path("new/b"), b"2").unwrap();
        assert_eq!((fs::read(path("a")).unwrap(), fs::read(path("new/b")).unwrap()), (b"1".to_vec(), b"2".to_vec()));
        // A folder in the way.
        fs::create_dir(path("c")).unwrap();
        fs::write(path("c/inside"), "").unwrap();
        assert!(write_whole(&path("c"), b"4").is_err() && write_remade(&path("c"), b"4").is_err());
        fs::write(path(".sandtable-left"), "half").unwrap();
        clear_temporary(folder.path());
        let mut left: Vec<String> =
            fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["a", "c", "new"]);
    }
}
