//! Options that lay settings over a study.

use clap::Args;
use sandtable_core::plan::PlanSpec;
use sandtable_core::{Error, Result};

/// What can be said on the command line instead of in a study file.
#[derive(Args, Debug, Default)]
pub struct Overrides {
    /// Bundle: a folder, or the built-in `mag8`.
    #[arg(long)]
    pub bundle: Option<String>,
    /// A parameter: one value (`fast=10`), a list (`fast=5,10,20`) or a range (`fast=5:50:5`).
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// Any key of a study file, say `--set costs.bps=5` or `--set fill=same_close`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Symbols to trade, separated by commas.
    #[arg(long, value_name = "A,B,…")]
    pub symbols: Option<String>,
    /// First date, YYYY-MM-DD.
    #[arg(long)]
    pub start: Option<String>,
    /// Last date, YYYY-MM-DD.
    #[arg(long)]
    pub end: Option<String>,
    /// Initial cash.
    #[arg(long)]
    pub capital: Option<String>,
}

impl Overrides {
    /// Lays them over `spec`.
    ///
    /// # Errors
    /// An unknown key or a value that does not fit it.
    pub fn apply(&self, spec: &mut PlanSpec) -> Result<()> {
        if let Some(bundle) = &self.bundle {
            // What is typed is relative to where it is typed, not to the study's folder.
            let path = std::path::Path::new(bundle);
            let absolute = if path.exists() { std::path::absolute(path).ok() } else { None };
            spec.bundle = Some(absolute.map_or_else(|| bundle.clone(), |path| path.display().to_string()));
        }
        let named =
            [("symbols", &self.symbols), ("start", &self.start), ("end", &self.end), ("capital", &self.capital)];
        for (key, value) in named {
            if let Some(value) = value {
                spec.set(key, value)?;
            }
        }
        for setting in &self.settings {
            let (key, value) = split(setting, "--set")?;
            spec.set(key, value)?;
        }
        for param in &self.params {
            let (name, value) = split(param, "--param")?;
            spec.set(&format!("space.{name}"), value)?;
        }
        Ok(())
    }
}

fn split<'a>(text: &'a str, option: &str) -> Result<(&'a str, &'a str)> {
    text.split_once('=').map(|(key, value)| (key.trim(), value.trim())).ok_or_else(|| {
        Error::plan(format!("`{option} {text}` has no `=`")).help(format!("write `{option} NAME=VALUE`"))
    })
}
