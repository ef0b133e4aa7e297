//! Bundles and strategies by name or path.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sandtable_core::bundle::{Bundle, synth};
use sandtable_core::plan::StrategySource;
use sandtable_core::run::View;
use sandtable_core::strategy::{Strategy, gallery};
use sandtable_core::{Error, Result, error::nearest};

use crate::{files, pool, study};

/// Opens a bundle: a built-in name, or a folder relative to `base`. A bundle that another run opened and that has not
/// been written anew since is the same one.
///
/// # Errors
/// There is no such bundle, or it is damaged.
pub fn open_bundle(name: &str, base: &Path, view: &View<'_>) -> Result<Arc<Bundle>> {
    open_bundle_on(name, base, view, 1)
}

/// The same on so many threads (0: one per processor), as far as more than one of them helps.
///
/// # Errors
/// As [`open_bundle`].
pub fn open_bundle_on(name: &str, base: &Path, view: &View<'_>, threads: usize) -> Result<Arc<Bundle>> {
    let path = base.join(name);
    if name == "mag8" && !path.exists() {
        return view.bundle("built-in mag8", || mag8(threads));
    }
    if !path.exists() {
        let error = Error::data(format!("there is no bundle `{}`", path.display()));
        return Err(match nearest(name, synth::BUILT_IN.iter().map(|(name, _)| *name)) {
            Some(near) => error.help(format!("did you mean the built-in `{near}`?")),
            None => {
                error.help("make one with `sandtable ingest FILES… --into NAME.bundle`, or use the built-in `mag8`")
            }
        });
    }
    files::open_shared(&path, view)
}

/// The built-in bundle. Drawing its symbols takes longer than starting the threads that share them.
///
/// # Errors
/// The machine refuses to start the threads.
pub fn mag8(threads: usize) -> Result<Bundle> {
    let threads = if threads == 0 { pool::default_threads() } else { threads };
    if threads < 2 {
        return Ok(synth::mag8(synth::MAG8_SEED).into_bundle());
    }
    let pool = pool::pool(threads)?;
    Ok(synth::mag8_by(synth::MAG8_SEED, &*pool).into_bundle_by(&*pool))
}

/// Loads a strategy: inline text, a file relative to `base`, or the name of a gallery strategy.
///
/// # Errors
/// There is no such strategy, or it does not parse.
pub fn load_strategy(source: StrategySource<'_>, base: &Path) -> Result<Strategy> {
    match source {
        StrategySource::Text(text) => Strategy::parse(text, "strategy_text"),
        StrategySource::Named(name) => {
            let path: PathBuf = base.join(name);
            if path.is_file() {
                return Strategy::parse(&study::read_text(&path)?, &path.display().to_string());
            }
            if let Some((_, text)) = gallery().iter().find(|(stem, _)| *stem == name) {
                return Strategy::parse(text, name);
            }
            let names = gallery().iter().map(|(stem, _)| *stem);
            let error = Error::strategy(format!("there is no strategy file `{}`", path.display()));
            Err(match nearest(name, names.clone()) {
                Some(near) => error.help(format!("did you mean the gallery's `{near}`?")),
                None => error.help(format!("the gallery has {}", names.collect::<Vec<_>>().join(", "))),
            })
        }
    }
}
