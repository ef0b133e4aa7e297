//! How a run is carried out, decided by the core's planner from what this machine measures.

use std::collections::BTreeMap;

use sandtable_core::Result;
use sandtable_core::run::planner::{self, Choice, Demand, Simulator};
use sandtable_core::run::{Evaluator, Layer, View};
use serde::Serialize;

use crate::crew::Crew;
use crate::drive;

/// Bar-trials from which on a run is large enough to count its columns beforehand.
const LARGE: u64 = 1_000_000_000;
/// Points whose columns are counted.
const COUNTED: u64 = 1000;

/// The decisions about one run, each with its reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arrangement {
    /// Fast path or reference.
    pub simulator: Choice<Simulator>,
    /// Threads that evaluated it.
    pub threads: Choice<usize>,
    /// Trials that a thread took at a time.
    pub portion: Choice<usize>,
    /// Layers of the cache, by name.
    pub layers: BTreeMap<&'static str, Choice<bool>>,
}

/// What can be decided before the first trial; a history layer that cannot help is switched off by this.
///
/// # Errors
/// The fast path is asked for and does not cover the study.
pub fn of(evaluator: &Evaluator, view: &View<'_>, wanted: Option<Simulator>) -> Result<Arrangement> {
    let simulator = planner::simulator(evaluator.fast_path().map(|_| ()), wanted)?;
    let switches = view.switches();
    let history = planner::history(switches.history, demand(evaluator, view.history_budget()));
    if !history.value {
        view.usage(Layer::History).switch_off();
    }
    let layers = [
        (Layer::Assets, planner::whole_things(switches.assets)),
        (Layer::History, history),
        (Layer::Contexts, planner::whole_things(switches.contexts)),
    ];
    let unknown = "decided while it runs, by what its first columns and trials take";
    Ok(Arrangement {
        simulator,
        threads: Choice::new(0, unknown),
        portion: Choice::new(0, unknown),
        layers: layers.into_iter().map(|(layer, choice)| (layer.name(), choice)).collect(),
    })
}

impl Arrangement {
    /// Adds what was decided on the way.
    pub fn conclude(&mut self, crew: &Crew, view: &View<'_>) {
        self.threads = crew.threads().clone();
        self.portion = crew.portion().clone();
        for (layer, sentence) in view.given_up() {
            self.layers.insert(layer.name(), Choice::new(false, sentence));
        }
    }

    /// The decisions as lines of text.
    pub fn lines(&self) -> Vec<String> {
        let layer = |(name, choice): (&&str, &Choice<bool>)| {
            format!("cache {name}: {} ({})", if choice.value { "on" } else { "off" }, choice.reason)
        };
        let mut lines = vec![
            format!("simulator: {} ({})", self.simulator.value.name(), self.simulator.reason),
            format!("threads: {} ({})", self.threads.value, self.threads.reason),
        ];
        lines.extend(self.layers.iter().map(layer));
        lines
    }
}

/// What a run asks of the history layer, counted where it is large: the columns of its tiles, scaled from those of the
/// first stretch, and the distinct ones of points spread over the space.
pub fn demand(evaluator: &Evaluator, budget: u64) -> Option<Demand> {
    let (space, panel) = (evaluator.plan.space(), evaluator.panel());
    let trials = evaluator.plan.count_whole_trials(1 << 16).points;
    if trials.saturating_mul(panel.simulated_rows() as u64) < LARGE {
        return None;
    }
    let first: Vec<Vec<f64>> = points(evaluator, 0..space.size(), 1, drive::STRETCH as u64);
    let step = (space.size() / COUNTED).max(1);
    let spread = points(evaluator, 0..space.size(), step, COUNTED);
    let (in_stretch, in_spread) = (in_tiles(evaluator, &first), evaluator.layout(&first).wanted(&spread).len() as u64);
    let scale = |count: u64, of: usize| count.saturating_mul(trials) / (of as u64).max(1);
    // Where few of the spread points bring columns of their own, the others bring none that are new either.
    let distinct = if in_spread * 2 > spread.len() as u64 { scale(in_spread, spread.len()) } else { in_spread };
    let asked = scale(in_stretch, first.len()).max(distinct);
    Some(Demand { asked, distinct, trials, bytes: panel.rows() as u64 * 8, budget })
}

/// Columns that points ask for when they are evaluated tile by tile, but for those that are computed on the way.
pub fn in_tiles(evaluator: &Evaluator, points: &[Vec<f64>]) -> u64 {
    let of = |tile: Vec<usize>| {
        let points: Vec<Vec<f64>> = tile.into_iter().map(|k| points[k].clone()).collect();
        evaluator.layout(&points).wanted(&points).len() as u64
    };
    evaluator.tiles(points, drive::COLUMN_BYTES).into_iter().map(of).sum()
}

/// At most `most` valid points of the space, every `step`th index.
pub fn points(evaluator: &Evaluator, range: std::ops::Range<u64>, step: u64, most: u64) -> Vec<Vec<f64>> {
    let space = evaluator.plan.space();
    let step = usize::try_from(step).unwrap_or(usize::MAX).max(1);
    let point = |index| {
        let mut point = Vec::new();
        space.point(index, &mut point);
        point
    };
    let valid = range.step_by(step).filter(|&index| space.is_valid(index));
    valid.take(usize::try_from(most).unwrap_or(usize::MAX)).map(point).collect()
}
