//! The named workloads: what data, which strategy, which settings, which trials.
//!
//! Given a name, this module gives a workload; given its bundle, what all its trials share. Data are generated from fixed
//! seeds, so that anyone has the same ones. `BENCHMARKS.md` says what each workload stands for.

mod run;
mod sample;
mod strategies;
mod windows;

use std::sync::Arc;

use sandtable::caches::BUDGET;
use sandtable_core::bundle::{Bundle, synth};
use sandtable_core::cache::History;
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::rng::Stream;
use sandtable_core::run::Evaluator;
use sandtable_core::strategy::Strategy;
use sandtable_core::{Error, Result};

pub use run::{Asked, Measured, Step, Trial, measure};
pub use sample::{Checked, Sample, check};
pub use strategies::{AVERAGES, grid_of, pairs};

/// Keys of a study with their values.
pub type Settings = Vec<(&'static str, String)>;

/// What prices a workload is simulated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Eight symbols, 40,987 daily bars.
    Mag8,
    /// One symbol, so many one-minute bars of New York sessions.
    Minutes(u64),
    /// One symbol, so many one-minute bars without a pause.
    Long(u64),
    /// 500 symbols, ten years of daily bars.
    Universe,
}

/// Which trials of its space a workload evaluates, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every point.
    Grid,
    /// So many points, drawn evenly: one of each of as many equal parts of the space.
    Sample(u64),
    /// One backtest that keeps equity, fills and round trips.
    Full,
    /// Windows over 2019: every point on the train sessions, the best one again on the test sessions after them.
    WalkForward,
    /// Grids of 1 to 1000 points, one after another, each set up anew.
    Counts,
}

/// A named workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub what: &'static str,
    /// Its prices.
    pub data: Data,
    /// Its strategy's text.
    pub strategy: String,
    /// Keys of its study.
    pub settings: Settings,
    /// Its trials.
    pub shape: Shape,
}

/// All names with what they stand for.
pub const NAMES: [(&str, &str); 12] = [
    ("W1", "400 SMA crossovers, 8 symbols × 25 years"),
    ("W1d", "the same, rebalanced at every bar"),
    ("W2", "25 SMA crossovers, 8 symbols, one year"),
    ("W3", "walk-forward: 5 windows × 5 trials, 8 symbols, one year"),
    ("W4", "100 points of five parameters, 8 symbols, 5 years"),
    ("W4full", "all 16,500 points of W4"),
    ("W5", "10,000 SMA pairs, 200,000 one-minute bars"),
    ("W6", "10^6 crossovers with a stop-loss, 8 symbols × 25 years"),
    ("W7", "one EMA crossover with round trips and equity, 10^6 bars"),
    ("W7x", "the same over 10^7 bars"),
    ("W8", "50 monthly momentum rankings, 500 symbols × 10 years"),
    ("W9", "1 to 1000 crossovers of one symbol, one year"),
];

/// Numbers of backtests of W9.
pub const COUNTS: [u64; 8] = [1, 5, 25, 50, 100, 200, 400, 1000];

/// Seed of the drawn points of W4.
const SAMPLE_SEED: u64 = 4;

/// The workload of a name.
///
/// # Errors
/// There is none of this name.
pub fn named(name: &str) -> Result<Workload> {
    let Some(&(name, what)) = NAMES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        return Err(
            Error::plan(format!("there is no workload `{name}`")).help(format!("name one of {}", known.join(", ")))
        );
    };
    let (data, strategy, shape) = match name {
        "W1d" => (Data::Mag8, strategies::production("every_bar"), Shape::Grid),
        "W2" => (Data::Mag8, strategies::micro(), Shape::Grid),
        "W3" => (Data::Mag8, strategies::micro_windows(), Shape::WalkForward),
        "W4" => (Data::Mag8, strategies::heavy(), Shape::Sample(100)),
        "W4full" => (Data::Mag8, strategies::heavy(), Shape::Grid),
        "W5" => (Data::Minutes(200_000), strategies::sweep(), Shape::Grid),
        "W6" => (Data::Mag8, strategies::stopped(), Shape::Grid),
        "W7" => (Data::Long(1_000_000), strategies::single(), Shape::Full),
        "W7x" => (Data::Long(10_000_000), strategies::single(), Shape::Full),
        "W8" => (Data::Universe, strategies::momentum(), Shape::Grid),
        "W9" => (Data::Mag8, pairs(&AVERAGES), Shape::Counts),
        _ => (Data::Mag8, strategies::production("on_change"), Shape::Grid),
    };
    Ok(Workload { name, what, data, strategy, settings: settings_of(name), shape })
}

fn settings_of(name: &str) -> Settings {
    let mut settings: Settings = vec![("costs.bps", "5".into()), ("costs.slippage_bps", "2".into())];
    let year: [(&'static str, String); 2] = [("start", "2019-01-02".into()), ("end", "2019-12-31".into())];
    match name {
        "W2" | "W3" => settings.extend(year),
        "W4" | "W4full" => settings.extend([("start", "2015-01-02".into()), ("end", "2019-12-31".into())]),
        "W7" | "W7x" => settings.push(("search.method", "single".into())),
        "W9" => {
            settings.extend(year);
            settings.push(("symbols", "ALFA".into()));
        }
        _ => {}
    }
    settings
}

impl Data {
    /// Makes the prices.
    pub fn bundle(self) -> Bundle {
        let draft = match self {
            Data::Mag8 => synth::mag8(synth::MAG8_SEED),
            Data::Minutes(bars) => synth::minute_bars(bars, 5),
            Data::Long(bars) => synth::long_series(bars, 7),
            Data::Universe => synth::universe(500, 10, 8),
        };
        draft.into_bundle()
    }
}

impl Workload {
    /// The same workload over so many bars, where its data are one generated series.
    ///
    /// # Errors
    /// Its data have another shape.
    pub fn with_bars(mut self, bars: u64) -> Result<Workload> {
        self.data = match self.data {
            Data::Minutes(_) => Data::Minutes(bars),
            Data::Long(_) => Data::Long(bars),
            Data::Mag8 | Data::Universe => {
                return Err(Error::plan(format!(
                    "the bars of {} are not one series, so their number is fixed",
                    self.name
                ))
                .help("use --size with W5, W7 or W7x"));
            }
        };
        Ok(self)
    }

    /// The same workload with other keys laid over its own.
    pub fn with(mut self, settings: &[(&'static str, String)]) -> Workload {
        self.settings.extend_from_slice(settings);
        self
    }

    /// Everything that the trials of the workload share; `more` are keys laid over its own.
    ///
    /// # Errors
    /// The bundle does not hold what the workload needs.
    pub fn evaluator(
        &self,
        bundle: &Bundle,
        more: &[(&'static str, String)],
        history: &Arc<History>,
    ) -> Result<Evaluator> {
        let strategy = Strategy::parse(&self.strategy, self.name)?;
        let mut spec = PlanSpec::new(self.name);
        for (key, value) in self.settings.iter().chain(more) {
            spec.set(key, value)?;
        }
        let plan = Plan::resolve(&spec, strategy, &BundleFacts::from(bundle))?;
        Evaluator::new(Arc::new(plan), bundle, history.clone())
    }

    /// Indices of the drawn points, ascending.
    pub fn sample(points: u64, size: u64) -> Vec<u64> {
        let mut random = Stream::new(SAMPLE_SEED, [0, 0]);
        let edge = |k: u64| (u128::from(k) * u128::from(size) / u128::from(points.max(1))) as u64;
        (0..points)
            .map(|k| (edge(k), edge(k + 1)))
            .filter(|(a, b)| a < b)
            .map(|(a, b)| a + random.below(b - a))
            .collect()
    }
}

/// A cache of columns as a run of the program has it.
pub fn history() -> Arc<History> {
    Arc::new(History::new(BUDGET))
}

/// The generated data of a workload; of a name that is none, those of W1.
pub fn bundle(name: &str) -> Bundle {
    named(name).map_or(Data::Mag8, |workload| workload.data).bundle()
}

/// Everything that the trials of a workload share.
///
/// # Errors
/// There is no workload of this name, or the bundle does not hold what it needs.
pub fn evaluator(name: &str, bundle: &Bundle) -> Result<Evaluator> {
    named(name)?.evaluator(bundle, &[], &history())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn spaces_have_their_sizes() {
        let sizes =
            [("W1", 400), ("W1d", 400), ("W2", 25), ("W3", 5), ("W4full", 16_500), ("W6", 1_000_000), ("W9", 1)];
        let bundle = Data::Mag8.bundle();
        for (name, size) in sizes {
            assert_eq!(evaluator(name, &bundle).unwrap().plan.space().size(), size, "{name}");
        }
        let minutes = Data::Minutes(5_000).bundle();
        assert_eq!(evaluator("W5", &minutes).unwrap().plan.space().size(), 10_000);
        for count in COUNTS {
            let workload = named("W9").unwrap();
            let run = workload.evaluator(&bundle, &strategies::grid_of(count), &history()).unwrap();
            assert_eq!(run.plan.space().size(), count);
            assert_eq!(run.context.panel.simulated_rows(), 252);
        }
    }

    #[test]
    fn drawn_points_are_spread_and_repeatable() {
        let drawn = Workload::sample(100, 16_500);
        assert_eq!(drawn, Workload::sample(100, 16_500));
        assert!(drawn.iter().enumerate().all(|(k, &index)| index / 165 == k as u64));
        assert_eq!(Workload::sample(10, 4).len(), 4);
    }

    #[test]
    fn unknown_names_and_sizes_are_refused() {
        assert!(named("W11").unwrap_err().way_out().is_some());
        assert!(named("W1").unwrap().with_bars(10).is_err());
    }
}
