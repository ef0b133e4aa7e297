//! Options about how a command is carried out: none of them changes a result.

use clap::Args;
use sandtable_core::run::Switches;
use sandtable_core::run::planner::Simulator;
use sandtable_core::{Error, Result, error::nearest};

/// Which cache layers a command goes round.
#[derive(Args, Debug, Default)]
pub struct CacheSwitches {
    /// Go round a cache layer: assets, history, contexts, or all; several with commas. No result changes.
    #[arg(long, value_name = "LAYER")]
    pub no_cache: Vec<String>,
}

/// What the planner decides about a search unless it is said.
#[derive(Args, Debug, Default)]
pub struct CarryingOut {
    /// Cache layers to go round.
    #[command(flatten)]
    pub caches: CacheSwitches,
    /// Worker threads [default: one per processor where the work pays for them].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub threads: usize,
    /// Simulate by the fast path or the reference simulator [default: fast where it covers the study]. No result changes.
    #[arg(long, value_name = "fast|reference")]
    pub engine: Option<String>,
}

impl CacheSwitches {
    /// The cache layers that are left.
    ///
    /// # Errors
    /// A name that is no layer.
    pub fn switches(&self) -> Result<Switches> {
        Switches::without_named(self.no_cache.iter().map(String::as_str)).map_err(|error| error.in_file("--no-cache"))
    }
}

impl CarryingOut {
    /// The simulator that was asked for.
    ///
    /// # Errors
    /// There is no such simulator.
    pub fn simulator(&self) -> Result<Option<Simulator>> {
        let Some(name) = &self.engine else { return Ok(None) };
        let names = || Simulator::ALL.iter().map(|simulator| simulator.name());
        let found = Simulator::ALL.into_iter().find(|simulator| simulator.name() == name);
        found.map(Some).ok_or_else(|| {
            let error = Error::plan(format!("there is no simulator `{name}`")).in_file("--engine");
            match nearest(name, names()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("say `--engine fast` or `--engine reference`"),
            }
        })
    }
}
