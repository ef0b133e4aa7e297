//! A study folder: what a search leaves on disk.
//!
//! `study.toml` as given, `plan.json` (the resolved plan, its id), `results.parquet` (one row per trial), `best.json`, `front.json`,
//! `record.json` (what the run was: versions, settings, counts, times), and plots. Every file is written whole or not
//! at all.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sandtable_core::{Error, Result};

/// Names of the files in a study folder.
pub const PLAN: &str = "plan.json";
/// One row per trial.
pub const RESULTS: &str = "results.parquet";
/// What the run was.
pub const RECORD: &str = "record.json";
/// The best trial.
pub const BEST: &str = "best.json";
/// The trials that nothing beats, of a study with several objectives.
pub const FRONT: &str = "front.json";
/// The study as given.
pub const STUDY: &str = "study.toml";

/// A folder that a run writes into.
#[derive(Clone, Debug)]
pub struct StudyFolder {
    path: PathBuf,
}

impl StudyFolder {
    /// Makes the folder, or takes an existing one if it is empty or holds the same plan.
    ///
    /// # Errors
    /// The folder holds another study (and `force` is not set) or something that is no study, or cannot be made.
    pub fn create(path: &Path, plan_id: &str, force: bool) -> Result<StudyFolder> {
        if path.exists() && !path.is_dir() {
            return Err(Error::machine(format!("`{}` is a file, not a folder", path.display()))
                .help("name another folder with --out"));
        }
        if path.is_dir() {
            let plan = path.join(PLAN);
            if plan.exists() {
                let held = read_json(&plan).ok().and_then(|json| json["id"].as_str().map(str::to_owned));
                if held.as_deref() != Some(plan_id) && !force {
                    return Err(Error::plan(format!("`{}` holds the results of another study", path.display()))
                        .help("name another folder with --out, or replace it with --force"));
                }
            } else if !force && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(Error::plan(format!("`{}` is not empty and is no study folder", path.display()))
                    .help("name another folder with --out, or write into it with --force"));
            }
        }
        fs::create_dir_all(path).map_err(|error| {
            Error::machine(format!("folder `{}` could not be made: {error}", path.display()))
                .help("name a folder that you may write to with --out")
        })?;
        Ok(StudyFolder { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file whole: to a temporary name, synced, then renamed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_whole(&self.file(name), bytes)
    }

    /// Writes JSON, indented, with a final newline.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_json(&self, name: &str, value: &serde_json::Value) -> Result<()> {
        self.write(name, json_text(value).as_bytes())
    }

    /// A temporary file in the folder, for what is written bit by bit; see [`publish`].
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn temporary(&self) -> Result<tempfile::NamedTempFile> {
        temporary_in(&self.path)
    }
}

/// Gives a temporary file its name once it is whole.
///
/// # Errors
/// The file cannot be synced or renamed.
pub fn publish(file: tempfile::NamedTempFile, path: &Path) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::machine(format!("`{}` could not be written: {error}", path.display()))
            .help("check the free space and the rights of the folder")
    };
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error.error))?;
    // Temporary files are private to their owner; results are as readable as the user's other files.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o644));
    }
    Ok(())
}

/// Writes a file whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .map_err(|error| Error::machine(format!("folder `{}` could not be made: {error}", folder.display())))?;
    let mut file = temporary_in(folder)?;
    file.write_all(bytes)
        .map_err(|error| Error::machine(format!("`{}` could not be written: {error}", path.display())))?;
    publish(file, path)
}

fn temporary_in(folder: &Path) -> Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(".sandtable-").tempfile_in(folder).map_err(|error| {
        Error::machine(format!("no file could be made in `{}`: {error}", folder.display()))
            .help("check the free space and the rights of the folder")
    })
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
