//! Walk-forward: a search on each fold's training, and what its choice came to in the test.
//!
//! Given a study with folds, this room searches each training as a study of its own, in a folder of its own, and simulates
//! the chosen points over the tests. Where the process ends, the same command goes on: a finished fold is read, not
//! searched. It never chooses by anything but the plan's objective over training.
//!
//! | name | what it holds |
//! |---|---|
//! | `study.toml` | the study as given |
//! | `walk-forward.json` | the resolved plan |
//! | `fold-NN/` | the search of a training: a study folder |
//! | `folds.json` | ranges, choices, metrics, efficiency, stability, paths |
//! | `out-of-sample.parquet`, `.csv` | equity of the tests, joined to whole courses |
//! | `out-of-sample.svg` | the first of these courses |

mod folder;
mod outcome;
mod shown;

use std::ops::Range;

use sandtable_core::folds::{Fold, Folds, Gap, Stretch};
use sandtable_core::plan::PlanSpec;
use sandtable_core::run::{Detail, Evaluator};
use sandtable_core::{Error, Result};

pub use outcome::Walked;

use self::folder::WalkFolder;
use crate::record::Phases;
use crate::search::{self, Best, Options};
use crate::{arrangement, caches, print, progress};

/// A fold that was searched and tested.
#[derive(Clone, Debug)]
pub struct Tested {
    /// Its sessions.
    pub fold: Fold,
    /// Trials of its search.
    pub trials: u64,
    /// The choice, with its metrics in training.
    pub chosen: Best,
    /// Metrics of the choice in the test, several ranges joined.
    pub test: Vec<f64>,
}

/// A whole course out of sample.
#[derive(Clone, Debug)]
pub struct Path {
    /// Which fold's choice holds when.
    pub stretches: Vec<Stretch>,
    /// What it comes to.
    pub detail: Detail,
}

/// Searches and tests every fold of a study, and writes and shows what comes out.
///
/// # Errors
/// The study, its strategy, its bundle or its folds are not valid, the folder holds another one, or it cannot be written.
pub fn run(spec: &PlanSpec, options: &Options) -> Result<()> {
    let mut spec = spec.clone();
    spec.folds.get_or_insert_default();
    let mut phases = Phases::start();
    let whole = search::open(&spec, options, &mut phases)?.evaluator;
    if !options.json {
        for warning in whole.plan.warnings() {
            eprintln!("warning: {warning}");
        }
    }
    let (folds, gap) = whole.folds()?;
    let folder = WalkFolder::open(&options.out, &whole.plan, options)?;
    let Some(tested) = search_all(&whole, &folds, &spec, options, &folder)? else {
        return print::either(options.json, &serde_json::json!({"interrupted": true}), || {
            "ended early on request: finished folds are kept; the same command goes on with the others\n".into()
        });
    };
    let walked = conclude(whole, &folds, gap, tested)?;
    folder.write(&walked)?;
    print::either(options.json, &walked.to_json(), || shown::text(&walked, folder.path()))
}

/// Each fold in turn; `None` if the user ended it before the last one.
fn search_all(
    whole: &Evaluator,
    folds: &Folds,
    spec: &PlanSpec,
    options: &Options,
    folder: &WalkFolder,
) -> Result<Option<Vec<Tested>>> {
    let bar = progress::steps(folds.folds.len() as u64, "folds", options.quiet || options.json);
    let mut tested = Vec::with_capacity(folds.folds.len());
    for (number, fold) in folds.folds.iter().enumerate() {
        let options = Options {
            out: folder.fold(number, folds.folds.len()),
            quiet: true,
            heatmap: None,
            estimate: false,
            ..options.clone()
        };
        let Some((trials, chosen)) = search_one(whole.within(&fold.train)?, spec, &options)? else { return Ok(None) };
        let test = whole.within(&fold.test)?.detail(&chosen.point).metrics;
        tested.push(Tested { fold: fold.clone(), trials, chosen, test });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Some(tested))
}

/// Searches one training and gives the number of its trials and its choice; `None` if the user ended it.
fn search_one(training: Evaluator, spec: &PlanSpec, options: &Options) -> Result<Option<(u64, Best)>> {
    let view = caches::caches().view(options.switches.and(spec.switches()?));
    let arrangement = arrangement::of(&training, &view, options.engine)?;
    let resolved = search::Resolved { evaluator: training, arrangement, view };
    let finished = search::search(resolved, spec, options, Phases::start())?;
    if finished.tally.interrupted {
        return Ok(None);
    }
    match finished.top.into_iter().next() {
        Some(best) => Ok(Some((finished.tally.trials, best))),
        None => Err(Error::data(format!("the training in `{}` has no trial", options.out.display()))
            .help("widen the space, or its conditions")),
    }
}

/// Joins the tests to paths.
fn conclude(whole: Evaluator, folds: &Folds, gap: Gap, tested: Vec<Tested>) -> Result<Walked> {
    let mut paths = Vec::with_capacity(folds.paths.len());
    for stretches in &folds.paths {
        let point = |stretch: &Stretch| tested[stretch.fold].chosen.point.clone();
        let parts: Vec<(Range<usize>, Vec<f64>)> =
            stretches.iter().map(|stretch| (stretch.sessions.clone(), point(stretch))).collect();
        paths.push(Path { stretches: stretches.clone(), detail: whole.stitched(&parts)? });
    }
    Ok(Walked { whole, gap, tested, paths })
}
