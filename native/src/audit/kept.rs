//! The folder of an audit: raw measurements of every audit that was written into it, their index, and the report of the
//! last one.
//!
//! `runs/ID.json` holds one audit with every single measurement, `index.json` lists them, `report.md` and
//! `report.html` are about the last, `plots/ID/` and `flamegraphs/ID/` hold its pictures.

use std::path::{Path, PathBuf};

use sandtable_core::calendar::format_date;
use sandtable_core::{Error, Result};
use serde_json::{Value, json};

use crate::study;

/// Number of the format of `index.json` and `runs/ID.json`.
pub const FORMAT: u32 = 1;
/// The list of kept audits.
pub const INDEX: &str = "index.json";

/// A folder that holds audits, or will.
#[derive(Clone, Debug)]
pub struct Kept {
    path: PathBuf,
    audits: Vec<Value>,
}

impl Kept {
    /// Looks at the folder without writing: a new or empty one, or one that holds audits.
    ///
    /// # Errors
    /// It is no folder, holds something else, or its index is damaged.
    pub fn look(path: &Path) -> Result<Kept> {
        let (shown, index) = (path.display(), path.join(INDEX));
        let other = "name another folder with --output-dir";
        if path.exists() && !path.is_dir() {
            return Err(Error::machine(format!("`{shown}` is a file, not a folder")).help(other));
        }
        if !index.exists() {
            if path.is_dir() && std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(Error::plan(format!("`{shown}` is not empty and holds no audits")).help(other));
            }
            return Ok(Kept { path: path.to_owned(), audits: Vec::new() });
        }
        let held = study::read_json(&index)?;
        let (format, audits) = (held["format"].as_u64(), held["audits"].as_array());
        match (format, audits) {
            (Some(format), Some(audits)) if format == u64::from(FORMAT) => {
                Ok(Kept { path: path.to_owned(), audits: audits.clone() })
            }
            _ => Err(Error::data(format!("not an index of audits of format {FORMAT}"))
                .in_file(index.display().to_string())
                .help(other)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The audits that are listed, oldest first.
    pub fn audits(&self) -> &[Value] {
        &self.audits
    }

    /// A name for an audit of this kind that begins now (seconds since 1970 UTC): date, time, kind, and a number where
    /// that name is taken.
    pub fn name(&self, kind: &str, unix: u64) -> String {
        let day = i32::try_from(unix / 86_400).unwrap_or(i32::MAX);
        let (hour, minute, second) = (unix / 3600 % 24, unix / 60 % 60, unix % 60);
        let name = format!("{}T{hour:02}-{minute:02}-{second:02}Z-{kind}", format_date(day));
        let taken = |name: &str| self.audits.iter().any(|audit| audit["id"] == name);
        let numbered = (2..).map(|k: u32| format!("{name}-{k}")).find(|name| !taken(name));
        if taken(&name) { numbered.unwrap_or(name) } else { name }
    }

    /// Writes a file of the folder whole.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        study::write_whole(&self.path.join(name), bytes)
    }

    /// Writes an audit's measurements and lists it with its summary.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn add(&mut self, id: &str, raw: &Value, mut summary: Value) -> Result<()> {
        let file = format!("runs/{id}.json");
        self.write(&file, study::json_text(raw).as_bytes())?;
        summary["id"] = json!(id);
        summary["file"] = json!(file);
        self.audits.push(summary);
        let index = json!({ "format": FORMAT, "audits": self.audits });
        self.write(INDEX, study::json_text(&index).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn audits_are_listed_in_order_and_names_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let mut kept = Kept::look(&path).unwrap();
        assert!(!path.exists(), "looking writes nothing");
        let first = kept.name("full", 1_764_066_123);
        assert_eq!(first, "2025-11-25T10-22-03Z-full");
        kept.add(&first, &json!({"pairs": [1, 2]}), json!({"accepted": true})).unwrap();
        let second = kept.name("full", 1_764_066_123);
        assert_eq!(second, "2025-11-25T10-22-03Z-full-2");
        kept.add(&second, &json!({}), json!({"accepted": false})).unwrap();
        let again = Kept::look(&path).unwrap();
        assert_eq!(again.audits().len(), 2);
        assert_eq!(again.audits()[0]["file"], "runs/2025-11-25T10-22-03Z-full.json");
        assert!(path.join("runs/2025-11-25T10-22-03Z-full-2.json").is_file());
    }

    #[test]
    fn other_folders_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("thesis.txt");
        std::fs::write(&file, "years of work").unwrap();
        assert!(Kept::look(folder.path()).unwrap_err().to_string().contains("holds no audits"));
        assert!(Kept::look(&file).unwrap_err().to_string().contains("is a file"));
        for text in ["{", "{\"format\": 99, \"audits\": []}", "{\"format\": 1}"] {
            std::fs::write(folder.path().join(INDEX), text).unwrap();
            assert!(Kept::look(folder.path()).unwrap_err().to_string().contains(INDEX), "{text}");
        }
    }
}
