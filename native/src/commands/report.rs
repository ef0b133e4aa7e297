//! `sandtable report`: a study folder as one page, or its data as files.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sandtable_core::Result;
use serde_json::json;

use crate::reopen::reopen;
use crate::tearsheet::Tearsheet;
use crate::{export, print, study};

const HELP: &str = "\
The page holds verdict, account, trades, best trials, parameters, folds, Monte Carlo and stress, and the
record. It needs no other file and no network, can be read on a phone and printed. What the folder does
not have is left out, with a sentence that says how to get it. With another format the data behind the
page are written as files into a folder.";

/// Arguments of `sandtable report`.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct ReportArgs {
    /// The study folder.
    pub dir: PathBuf,
    /// Where to write: a file for the page, a folder for data [default: report.html or report/ in the study folder].
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// The trial with this index [default: the best].
    #[arg(long, value_name = "INDEX")]
    pub trial: Option<u64>,
    /// The folder of a walk-forward of this study, whose folds the page is to tell.
    #[arg(long, value_name = "DIR")]
    pub folds: Option<PathBuf>,
    /// The page, or its data as files.
    #[arg(long, value_enum, default_value_t = Format::Html)]
    pub format: Format,
    /// The bundle, if it is not where the study's record says.
    #[arg(long)]
    pub bundle: Option<String>,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One page.
    Html,
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// JSON.
    Json,
}

/// Writes the report.
///
/// # Errors
/// The folder is no study folder, its bundle is not there, there is no such trial, or a file cannot be written.
pub fn run(args: &ReportArgs, as_json: bool) -> Result<()> {
    let study = reopen(&args.dir, args.bundle.as_deref())?;
    let sheet = Tearsheet::of(&args.dir, study, args.trial, args.folds.as_deref())?;
    let written = match args.format {
        Format::Html => {
            let path = args.out.clone().unwrap_or_else(|| args.dir.join(study::REPORT));
            study::write_whole(&path, sheet.page()?.as_bytes())?;
            vec![path]
        }
        Format::Csv => data(&sheet, args, "csv")?,
        Format::Parquet => data(&sheet, args, "parquet")?,
        Format::Json => data(&sheet, args, "json")?,
    };
    let bytes: u64 = written.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|file| file.len()).sum();
    let missing = sheet.missing();
    let summary = json!({ "trial": sheet.trial().index, "written": written, "bytes": bytes, "missing": missing });
    print::either(as_json, &summary, || {
        let mut text = format!("report of trial {}, {} kB:\n", sheet.trial().index, bytes.div_ceil(1000));
        written.iter().for_each(|path| text += &format!("  {}\n", path.display()));
        if !missing.is_empty() {
            text += &format!("left out, for they are not in the folder: {}\n", missing.join(", "));
        }
        text
    })
}

fn data(sheet: &Tearsheet, args: &ReportArgs, ending: &str) -> Result<Vec<PathBuf>> {
    let folder = args.out.clone().unwrap_or_else(|| args.dir.join("report"));
    let file = |(name, table): (&str, export::Table)| {
        let path = folder.join(format!("{name}.{ending}"));
        export::write(&path, &table).map(|()| path)
    };
    sheet.tables().into_iter().map(file).collect()
}
