//! `sandtable generate`: write a synthetic bundle to a folder.

use std::path::PathBuf;

use clap::Args;
use sandtable_core::Result;
use sandtable_core::bundle::{synth, write::encode};
use serde_json::json;

use crate::{files, print};

/// Arguments of `sandtable generate`.
#[derive(Args, Debug)]
pub struct GenerateArgs {
    /// What to generate.
    #[arg(value_parser = ["mag8", "universe", "minute"])]
    pub kind: String,
    /// Seed of the random numbers.
    #[arg(long, default_value_t = synth::MAG8_SEED)]
    pub seed: u64,
    /// Number of symbols (not for mag8).
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub symbols: u32,
    /// Years of daily bars (universe), or sessions of one-minute bars (minute).
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub length: u32,
    /// Bundle folder to write.
    #[arg(long, value_name = "NAME.bundle")]
    pub into: PathBuf,
    /// Replace an existing bundle.
    #[arg(long)]
    pub force: bool,
}

/// Generates and writes the bundle.
///
/// # Errors
/// The folder cannot be written, or holds a bundle already.
pub fn run(args: &GenerateArgs, as_json: bool) -> Result<()> {
    files::check_target(&args.into, args.force)?;
    let mut draft = match args.kind.as_str() {
        "universe" => synth::universe(args.symbols, args.length, args.seed),
        "minute" => synth::minute(args.symbols, args.length, args.seed),
        _ => synth::mag8(args.seed),
    };
    if let Some(stem) = args.into.file_stem() {
        draft.name = stem.to_string_lossy().into_owned();
    }
    let rows: usize = draft.bars.iter().map(sandtable_core::bundle::Bars::len).sum();
    let symbols = draft.symbols.len();
    let version = draft.version();
    files::write_bundle(&args.into, &encode(&draft)?, args.force)?;
    let summary = json!({ "bundle": args.into, "symbols": symbols, "bars": rows, "version": version });
    print::either(as_json, &summary, || {
        format!(
            "{}: {symbols} symbols, {rows} bars, version {}\n",
            args.into.display(),
            &version[..16.min(version.len())]
        )
    })
}
