//! `sandtable demo`: the main job on built-in data.

use std::path::PathBuf;

use clap::Args;
use sandtable_core::Result;
use sandtable_core::plan::PlanSpec;

use super::carrying_out::CarryingOut;
use crate::search::{self, Options};

/// Arguments of `sandtable demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Folder for the results.
    #[arg(long, default_value = "sandtable-demo")]
    pub out: PathBuf,
    /// Do not judge how far the best trial can be believed.
    #[arg(long)]
    pub no_judgement: bool,
    /// No progress bar.
    #[arg(long, short)]
    pub quiet: bool,
    /// How it is carried out.
    #[command(flatten)]
    pub carrying_out: CarryingOut,
}

/// The study that the demo runs: 20 × 20 moving averages over eight synthetic symbols.
pub const STUDY: &str = include_str!("demo.toml");

/// Runs the demo.
///
/// # Errors
/// The results cannot be written.
pub fn run(args: &DemoArgs, json: bool) -> Result<()> {
    let spec = PlanSpec::parse(STUDY, "demo.toml")?;
    let options = Options {
        base: PathBuf::from("."),
        out: args.out.clone(),
        study_text: STUDY.into(),
        force: true,
        estimate: false,
        threads: args.carrying_out.threads,
        switches: args.carrying_out.caches.switches()?,
        engine: args.carrying_out.simulator()?,
        judged: !args.no_judgement,
        heatmap: None,
        quiet: args.quiet,
        json,
    };
    search::run(&spec, &options)
}
