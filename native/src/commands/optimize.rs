//! `sandtable optimize`: search a study's space into a study folder, or go on with one.

use std::path::{Path, PathBuf};

use clap::Args;
use sandtable_core::Result;
use sandtable_core::plan::PlanSpec;

use super::carrying_out::CarryingOut;
use super::overrides::Overrides;
use crate::search::{self, Options};
use crate::study;

/// Arguments of `sandtable optimize`.
#[derive(Args, Debug)]
pub struct OptimizeArgs {
    /// The study file (TOML or JSON). Paths in it are relative to its folder.
    pub study: PathBuf,
    /// Folder for the results [default: `output` of the study, or its file name without extension].
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Start anew, whatever study that folder holds. Without this, its finished trials are kept and not evaluated again.
    #[arg(long)]
    pub force: bool,
    /// Say what the search would cost, and stop.
    #[arg(long)]
    pub estimate: bool,
    /// Parameters of the heatmap, `x,y` [default: the first two that vary].
    #[arg(long, value_name = "X,Y")]
    pub heatmap: Option<String>,
    /// Do not judge how far the best trial can be believed.
    #[arg(long)]
    pub no_judgement: bool,
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

/// Runs the search.
///
/// # Errors
/// The study, its strategy or its bundle is not valid, or the results cannot be written.
pub fn run(args: &OptimizeArgs, json: bool) -> Result<()> {
    let text = study::read_text(&args.study)?;
    let mut spec = PlanSpec::parse(&text, &args.study.display().to_string())?;
    args.overrides.apply(&mut spec)?;
    let base = args.study.parent().unwrap_or(Path::new(".")).to_owned();
    let out = args.out.clone().or_else(|| spec.output.as_ref().map(PathBuf::from)).unwrap_or_else(|| {
        let stem = args.study.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        PathBuf::from(stem.unwrap_or_else(|| "study".into()))
    });
    let options = Options {
        base,
        out,
        study_text: text,
        force: args.force,
        estimate: args.estimate,
        threads: args.carrying_out.threads,
        switches: args.carrying_out.caches.switches()?,
        engine: args.carrying_out.simulator()?,
        judged: !args.no_judgement,
        heatmap: args.heatmap.clone(),
        quiet: args.quiet,
        json,
    };
    search::run(&spec, &options)
}
