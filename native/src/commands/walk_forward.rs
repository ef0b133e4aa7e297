//! `sandtable walk-forward`: search each training of a study's folds, and report the choices on the tests.

use std::path::{Path, PathBuf};

use clap::Args;
use sandtable_core::Result;
use sandtable_core::plan::PlanSpec;

use super::carrying_out::CarryingOut;
use super::overrides::Overrides;
use crate::search::Options;
use crate::{study, walk_forward};

/// Arguments of `sandtable walk-forward`.
#[derive(Args, Debug)]
pub struct WalkForwardArgs {
    /// The study file (TOML or JSON); its table `[folds]` says how sessions are divided [default: 24 months of training, then 6 of test].
    pub study: PathBuf,
    /// Folder for the results [default: the study's file name without extension, and `-walk`].
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Start anew, whatever walk-forward that folder holds. Without this, finished folds are kept.
    #[arg(long)]
    pub force: bool,
    /// No progress bar.
    #[arg(long, short)]
    pub quiet: bool,
    /// What to lay over the study.
    #[command(flatten)]
    pub overrides: Overrides,
    /// How it is carried out.
    #[command(flatten)]
    pub carrying_out: CarryingOut,
}

/// Walks.
///
/// # Errors
/// The study, its strategy, its bundle or its folds are not valid, or the results cannot be written.
pub fn run(args: &WalkForwardArgs, json: bool) -> Result<()> {
    let text = study::read_text(&args.study)?;
    let mut spec = PlanSpec::parse(&text, &args.study.display().to_string())?;
    args.overrides.apply(&mut spec)?;
    let stem = args.study.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let named = || PathBuf::from(format!("{}-walk", stem.as_deref().unwrap_or("study")));
    let options = Options {
        base: args.study.parent().unwrap_or(Path::new(".")).to_owned(),
        out: args.out.clone().unwrap_or_else(named),
        study_text: text,
        force: args.force,
        threads: args.carrying_out.threads,
        switches: args.carrying_out.caches.switches()?,
        engine: args.carrying_out.simulator()?,
        quiet: args.quiet,
        json,
        ..Options::default()
    };
    walk_forward::run(&spec, &options)
}
