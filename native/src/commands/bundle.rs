//! `sandtable bundle info | verify`: what a bundle holds, and whether every byte of it is right.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use sandtable_core::Result;
use sandtable_core::bundle::Manifest;
use sandtable_core::calendar::format_date;

use super::ingest::DEFECTS_FILE;
use crate::files::{read_manifest, verify_bundle};

/// Symbols that a terminal shows; `--json` has all.
const SHOWN: usize = 20;

/// Look at a bundle.
#[derive(Args, Clone, Debug)]
pub struct BundleArgs {
    /// What to do
    #[command(subcommand)]
    pub command: BundleCommand,
}

/// What to do with a bundle.
#[derive(Subcommand, Clone, Debug)]
pub enum BundleCommand {
    /// Say what a bundle holds
    Info {
        /// Folder NAME.bundle
        path: PathBuf,
    },
    /// Check every byte of a bundle: hashes, decoding, the rules for bars
    Verify {
        /// Folder NAME.bundle
        path: PathBuf,
    },
}

/// Runs the command.
///
/// # Errors
/// The folder is no bundle, or something in it is wrong.
pub fn run(args: &BundleArgs, json: bool) -> Result<()> {
    match &args.command {
        BundleCommand::Info { path } => info(path, json),
        BundleCommand::Verify { path } => verify(path, json),
    }
}

fn info(path: &Path, json: bool) -> Result<()> {
    let manifest = read_manifest(path)?;
    if json {
        print!("{}", String::from_utf8_lossy(&manifest.to_json()?));
        return Ok(());
    }
    println!("{}", heading(&manifest));
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["symbol", "first", "last", "rows"]);
    for entry in manifest.symbols.iter().take(SHOWN) {
        table.add_row([
            entry.symbol.clone(),
            format_date(entry.first),
            format_date(entry.last),
            entry.rows.to_string(),
        ]);
    }
    println!("{table}");
    if manifest.symbols.len() > SHOWN {
        println!("and {} symbols more (--json shows all)", manifest.symbols.len() - SHOWN);
    }
    for file in &manifest.files {
        println!("{}: {} rows, {} bytes", file.name, file.rows, file.bytes);
    }
    if path.join(DEFECTS_FILE).is_file() {
        println!("{DEFECTS_FILE}: what was wrong with the source");
    }
    Ok(())
}

fn heading(manifest: &Manifest) -> String {
    let mut lines = vec![
        format!(
            "{}: {} symbols, {} {} bars",
            manifest.name,
            manifest.symbols.len(),
            manifest.rows(),
            manifest.frequency.name()
        ),
        format!("calendar {}, prices {}", manifest.calendar.name(), manifest.prices.name()),
        format!("version {}", manifest.version),
    ];
    if let Some(benchmark) = &manifest.benchmark {
        lines.push(format!("benchmark {benchmark}"));
    }
    for (label, text) in [("source", &manifest.source), ("licence", &manifest.licence)] {
        if !text.is_empty() {
            lines.push(format!("{label}: {text}"));
        }
    }
    lines.join("\n")
}

fn verify(path: &Path, json: bool) -> Result<()> {
    let manifest = verify_bundle(path)?;
    if json {
        let value = serde_json::json!({
            "valid": true, "name": manifest.name, "version": manifest.version,
            "symbols": manifest.symbols.len(), "rows": manifest.rows(),
        });
        println!("{value:#}");
    } else {
        println!("{}: every byte is right; version {}", path.display(), manifest.version);
    }
    Ok(())
}
