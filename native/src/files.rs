//! Bundles as folders: positioned reads that feed the core's reader, and writes that leave nothing half done.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use sandtable_core::bundle::manifest::{MANIFEST_BYTES, MANIFEST_FILE};
use sandtable_core::bundle::read::{Reader, Selection, Step, verify_files};
use sandtable_core::bundle::{Action, Bundle, Manifest};
use sandtable_core::run::View;
use sandtable_core::{Error, Result};

/// A bundle read from disk, with what belongs to it.
#[derive(Debug)]
pub struct Opened {
    /// The bars.
    pub bundle: Bundle,
    /// Corporate actions of its symbols.
    pub actions: Vec<Action>,
    /// The manifest of the whole bundle.
    pub manifest: Manifest,
    /// Bytes read from its files, the manifest not counted.
    pub bytes_read: u64,
}

/// Reads some or all of the bundle in a folder.
///
/// # Errors
/// The folder is no bundle, a file is missing or damaged, or the selection names what it does not hold.
pub fn open_bundle(path: &Path, selection: Selection) -> Result<Bundle> {
    open(path, selection).map(|opened| opened.bundle)
}

/// As [`open_bundle`], with actions, manifest and the number of bytes read.
///
/// # Errors
/// As [`open_bundle`].
pub fn open(path: &Path, selection: Selection) -> Result<Opened> {
    contained(path, || feed(path, Reader::with_manifest(read_manifest(path)?, selection)?))
}

/// Reads the whole bundle in a folder, or takes it from the caches if its manifest is one that was seen before.
///
/// The manifest's bytes are read and hashed every time: they hold the hash of every file, so a bundle that was written
/// anew is another one, whatever times and sizes say, and one that was not is never read again.
///
/// # Errors
/// As [`open_bundle`].
pub fn open_shared(path: &Path, view: &View<'_>) -> Result<Arc<Bundle>> {
    let bytes = manifest_bytes(path)?;
    let key = blake3::hash(&bytes).to_hex();
    let manifest = view.manifest(&key, || parse_manifest(path, &bytes))?;
    view.bundle(&key, || {
        contained(path, || feed(path, Reader::with_manifest((*manifest).clone(), Selection::all())?))
            .map(|opened| opened.bundle)
    })
}

/// Feeds a reader from the folder until it has its bundle.
fn feed(path: &Path, mut reader: Reader) -> Result<Opened> {
    let mut files = OpenFiles { folder: path, open: BTreeMap::new(), bytes_read: 0 };
    loop {
        match reader.step()? {
            Step::Need(ranges) => {
                for range in ranges {
                    let bytes = files.read(reader.manifest(), &range.file, range.start, range.end)?;
                    reader.give(&range.file, range.start, bytes)?;
                }
            }
            Step::Ready(bundle) => {
                let (actions, manifest) = (reader.actions().to_vec(), reader.manifest().clone());
                return Ok(Opened { bundle, actions, manifest, bytes_read: files.bytes_read });
            }
        }
    }
}

/// Reads and checks the manifest of the bundle in a folder.
///
/// # Errors
/// There is no such folder, it is no bundle, or its manifest is damaged.
pub fn read_manifest(path: &Path) -> Result<Manifest> {
    parse_manifest(path, &manifest_bytes(path)?)
}

fn parse_manifest(path: &Path, bytes: &[u8]) -> Result<Manifest> {
    Manifest::parse(bytes).map_err(|error| in_folder(path, error))
}

fn manifest_bytes(path: &Path) -> Result<Vec<u8>> {
    let file = path.join(MANIFEST_FILE);
    if !file.is_file() {
        let what = if path.exists() { "is not a bundle: it holds no manifest.json" } else { "does not exist" };
        return Err(Error::data(format!("{} {what}", path.display()))
            .help("make one with `sandtable ingest FILES --into NAME.bundle`"));
    }
    let length = fs::metadata(&file).map_err(|error| machine("read", &file, &error))?.len();
    if length > MANIFEST_BYTES as u64 {
        return Err(Error::data(format!("{} has {length} bytes, too many for a manifest", file.display())));
    }
    fs::read(&file).map_err(|error| machine("read", &file, &error))
}

/// Checks every byte of a bundle: all hashes, and that everything decodes and obeys the rules for bars.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify_bundle(path: &Path) -> Result<Manifest> {
    let manifest = read_manifest(path)?;
    verify_files(&manifest, |name| {
        let file = path.join(name);
        fs::read(&file).map(Bytes::from).map_err(|error| machine("read", &file, &error))
    })
    .map_err(|error| in_folder(path, error))?;
    contained(path, || feed(path, Reader::with_manifest(read_manifest(path)?, Selection::all())?.thorough()))
        .map(|opened| opened.manifest)
}

/// Writes a bundle's files into a folder that appears whole or not at all. A bundle that is there is replaced only if
/// `force`, and a folder that is no bundle never.
///
/// # Errors
/// The folder exists, or the machine cannot write.
pub fn write_bundle(path: &Path, files: &[(String, Vec<u8>)], force: bool) -> Result<()> {
    check_target(path, force)?;
    let parent = parent_of(path);
    fs::create_dir_all(&parent).map_err(|error| machine("make", &parent, &error))?;
    let temporary = tempfile::Builder::new()
        .prefix(".ingest-")
        .tempdir_in(&parent)
        .map_err(|error| machine("write in", &parent, &error))?;
    let fresh = temporary.path().join("new");
    fs::create_dir(&fresh).map_err(|error| machine("make", &fresh, &error))?;
    for (name, bytes) in files {
        write_synced(&fresh.join(name), bytes)?;
    }
    sync_folder(&fresh)?;
    // The old bundle moves aside first and is deleted with the temporary folder, after the new one is in place.
    let aside = temporary.path().join("old");
    let replaces = path.exists();
    if replaces {
        fs::rename(path, &aside).map_err(|error| machine("replace", path, &error))?;
    }
    if let Err(error) = fs::rename(&fresh, path) {
        if replaces {
            fs::rename(&aside, path).map_err(|error| machine("restore", path, &error))?;
        }
        return Err(machine("write", path, &error));
    }
    sync_folder(&parent)
}

/// Whether a bundle may be written to this path, asked before any work is done.
///
/// # Errors
/// The path exists and may not be replaced, with the way out.
pub fn check_target(path: &Path, force: bool) -> Result<()> {
    let shown = path.display();
    if path.file_name().is_none() {
        return Err(Error::plan(format!("{shown} names no folder to write")).help("say --into NAME.bundle"));
    }
    if !path.exists() {
        return Ok(());
    }
    let is_bundle = path.join(MANIFEST_FILE).is_file();
    let is_empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty || (is_bundle && force) {
        return Ok(());
    }
    Err(if is_bundle {
        Error::plan(format!("{shown} exists already")).help("replace it with --force, or name another folder")
    } else {
        Error::plan(format!("{shown} exists and is not a bundle")).help("name another folder")
    })
}

/// Writes a file under a temporary name beside it, syncs it and renames it into place.
///
/// # Errors
/// The machine cannot write.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = parent_of(path);
    let mut file = tempfile::NamedTempFile::new_in(&parent).map_err(|error| machine("write in", &parent, &error))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(|error| machine("write", path, &error))?;
    file.persist(path).map_err(|error| machine("write", path, &error.error))?;
    sync_folder(&parent)
}

/// Runs what decodes bytes of unknown origin, and turns a panic of the decoding libraries into an error. The core's
/// own code has no such panic; its reader compares checksums first, so only bytes made to mislead get here.
pub fn contained<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| in_folder(path, error)),
        Err(_) => Err(Error::data(format!(
            "{}: the file is damaged in a way that the decoder did not expect",
            path.display()
        ))
        .help("get the file again, or restore it from a copy")),
    }
}

/// The bundle's files, opened once each.
struct OpenFiles<'a> {
    folder: &'a Path,
    open: BTreeMap<String, File>,
    bytes_read: u64,
}

impl OpenFiles<'_> {
    fn read(&mut self, manifest: &Manifest, name: &str, start: u64, end: u64) -> Result<Bytes> {
        let path = self.folder.join(name);
        if !self.open.contains_key(name) {
            let file = File::open(&path).map_err(|error| machine("open", &path, &error))?;
            let length = file.metadata().map_err(|error| machine("read", &path, &error))?.len();
            let listed = manifest.files.iter().find(|entry| entry.name == name).map(|entry| entry.bytes);
            if listed != Some(length) {
                return Err(Error::data(format!(
                    "{} has {length} bytes; the manifest says {}",
                    path.display(),
                    listed.unwrap_or_default()
                ))
                .help("ingest the data again, or restore the folder from a copy"));
            }
            self.open.insert(name.to_string(), file);
        }
        let Some(file) = self.open.get_mut(name) else {
            return Err(Error::machine(format!("{} is not open", path.display())));
        };
        // The reader asks only for ranges inside the length that was just compared.
        let mut bytes = vec![0; (end - start) as usize];
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|error| machine("read", &path, &error))?;
        self.bytes_read += end - start;
        Ok(Bytes::from(bytes))
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    File::create(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|error| machine("write", path, &error))
}

/// Makes renames in a folder survive a crash, where the system can.
///
/// # Errors
/// The disk fails.
pub fn sync_folder(path: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| machine("sync", path, &error))?;
    }
    Ok(())
}

fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// A failure of the machine as a sentence.
pub fn machine(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::machine(format!("cannot {what} {}: {error}", path.display()))
}

/// The error with the folder before its file name.
fn in_folder(path: &Path, error: Error) -> Error {
    let Some(place) = error.place().filter(|place| !Path::new(&place.file).starts_with(path)) else {
        return error;
    };
    let mut place = place.clone();
    place.file = path.join(&place.file).display().to_string();
    let moved = Error::new(error.kind(), error.message()).at(place);
    match error.way_out() {
        Some(help) => moved.help(help),
        None => moved,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use sandtable_core::bundle::{synth, write::encode};

    #[test]
    fn a_bundle_goes_to_disk_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.bundle");
        let draft = synth::universe(3, 2, 1);
        let files = encode(&draft).unwrap();
        write_bundle(&path, &files, false).unwrap();
        assert_eq!(open_bundle(&path, Selection::all()).unwrap(), draft.clone().into_bundle());
        assert_eq!(verify_bundle(&path).unwrap().version, draft.version());

        let again = write_bundle(&path, &files, false).unwrap_err().to_string();
        assert!(again.contains("exists already") && again.contains("--force"), "{again}");
        let revised = encode(&synth::universe(4, 2, 1)).unwrap();
        write_bundle(&path, &revised, true).unwrap();
        assert_eq!(read_manifest(&path).unwrap().symbols.len(), 4);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary folder stays");

        // Renaming the folder changes nothing; a byte in the middle does.
        let moved = folder.path().join("moved.bundle");
        fs::rename(&path, &moved).unwrap();
        assert!(verify_bundle(&moved).is_ok());
        let bars = moved.join("bars.parquet");
        let mut bytes = fs::read(&bars).unwrap();
        bytes[1000] ^= 1;
        fs::write(&bars, &bytes).unwrap();
        let damaged = verify_bundle(&moved).unwrap_err().to_string();
        assert!(damaged.contains("moved.bundle") && damaged.contains("bars.parquet"), "{damaged}");
        assert!(open_bundle(&moved, Selection::all()).unwrap_err().to_string().contains("checksum"));
        fs::write(&bars, &bytes[..bytes.len() - 1]).unwrap();
        assert!(open_bundle(&moved, Selection::all()).unwrap_err().to_string().contains("the manifest says"));
    }

    #[test]
    fn what_is_no_bundle_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
        let files = encode(&synth::universe(1, 1, 1)).unwrap();
        let refused = write_bundle(folder.path(), &files, true).unwrap_err().to_string();
        assert!(refused.contains("not a bundle"), "{refused}");
        assert!(read_manifest(folder.path()).unwrap_err().to_string().contains("no manifest.json"));
        assert!(read_manifest(&folder.path().join("none")).unwrap_err().to_string().contains("does not exist"));
    }
}
