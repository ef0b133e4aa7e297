//! Options that switch cache layers off.

use clap::Args;
use sandtable_core::Result;
use sandtable_core::run::Switches;

/// Which cache layers a command goes round.
#[derive(Args, Debug, Default)]
pub struct CacheSwitches {
    /// Go round a cache layer: assets, history, contexts, or all; several with commas. No result changes.
    #[arg(long, value_name = "LAYER")]
    pub no_cache: Vec<String>,
}

impl CacheSwitches {
    /// The layers that are left.
    ///
    /// # Errors
    /// A name that is no layer.
    pub fn switches(&self) -> Result<Switches> {
        Switches::without_named(self.no_cache.iter().map(String::as_str)).map_err(|error| error.in_file("--no-cache"))
    }
}
