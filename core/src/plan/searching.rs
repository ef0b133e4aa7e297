//! How the points of a study are searched, as `[search]` sets it.
//!
//! Given nothing, this file gives plain values that a search reads once. It never knows how a method uses them.

use super::settings::{Words, words};

words! {
    /// Which points of the space become trials.
    Method {
        /// All of them, in the order of their index.
        Grid = "grid",
        /// One: parameters that `[space]` does not fix have their default.
        Single = "single",
        /// Evenly drawn ones, none twice.
        Random = "random",
        /// A Latin hypercube.
        LatinHypercube = "lhs",
        /// A scrambled Sobol sequence.
        Sobol = "sobol",
        /// A scrambled Halton sequence.
        Halton = "halton",
        /// Tree-structured Parzen estimator.
        Tpe = "tpe",
        /// A Gaussian process with expected improvement.
        Gp = "gp",
        /// Covariance matrix adaptation.
        CmaEs = "cma-es",
        /// Differential evolution.
        De = "de",
        /// A genetic algorithm.
        Ga = "ga",
        /// A genetic algorithm for several objectives.
        Nsga2 = "nsga-ii",
        /// Refinement around the best of a cover.
        Local = "local",
        /// Many points on little of the data, the better ones on more.
        Hyperband = "hyperband",
        /// The same with a Parzen estimator that proposes the points.
        Bohb = "bohb",
    }
}

impl Method {
    /// Whether it is told scores or ends before the space does, so that `trials` bounds it.
    pub fn is_guided(self) -> bool {
        !matches!(self, Method::Grid | Method::Single)
    }

    /// Whether its trials see parts of the data, each named by its budget.
    pub fn has_budgets(self) -> bool {
        matches!(self, Method::Hyperband | Method::Bohb)
    }

    /// Its number in the names of random streams; it may never change.
    pub fn number(self) -> u32 {
        self as u32
    }
}

words! {
    /// What a Gaussian process is asked where to go.
    Acquisition {
        /// Where the expected improvement is largest.
        ExpectedImprovement = "ei",
        /// Where the mean less two standard deviations is smallest.
        LowerBound = "lcb",
    }
}

words! {
    /// What follows when a covariance matrix adaptation has converged.
    Restarts {
        /// Larger and small populations in turn, whichever has had less trials so far.
        Bipop = "bipop",
        /// Twice the population.
        Ipop = "ipop",
        /// The end of the search.
        None = "none",
    }
}

words! {
    /// How a point is refined.
    Refinement {
        /// Along each parameter, in steps that are halved.
        Coordinate = "coordinate",
        /// By a simplex (Nelder and Mead).
        NelderMead = "nelder-mead",
    }
}

/// Most trials of a search that is no grid: all of them are remembered.
pub const MOST_GUIDED_TRIALS: u64 = 1_000_000;

/// How a study is searched. A number of 0 leaves the choice to the method.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Searching {
    /// The method.
    pub method: Method,
    /// Most trials; of a method with budgets, as much data as so many trials on all of it.
    pub trials: u64,
    /// Trials that are asked for together.
    pub generation: u64,
    /// Trials before the method learns.
    pub startup: u64,
    /// Points of which TPE and BOHB propose the best.
    pub candidates: u64,
    /// Members of a population.
    pub population: u64,
    /// What a Gaussian process is asked.
    pub acquisition: Acquisition,
    /// What follows on convergence.
    pub restarts: Restarts,
    /// How points are refined.
    pub refinement: Refinement,
    /// Points that are refined.
    pub keep: u64,
    /// Generations without improvement after which the search ends; 0 for any number. Of a method with budgets, those on
    /// all of the data.
    pub patience: u64,
    /// Value of the objective at which the search ends.
    pub target: Option<f64>,
    /// Whether a point's score is the median of its neighbourhood.
    pub robust: bool,
}

impl Default for Searching {
    fn default() -> Self {
        Searching {
            method: Method::default(),
            trials: 200,
            generation: 0,
            startup: 10,
            candidates: 24,
            population: 0,
            acquisition: Acquisition::default(),
            restarts: Restarts::default(),
            refinement: Refinement::default(),
            keep: 3,
            patience: 0,
            target: None,
            robust: false,
        }
    }
}

/// Keys of `[search]` that mean something for some methods only.
const OPTIONS: [(&str, &[Method]); 8] = [
    ("search.startup", &[Method::Tpe, Method::Gp, Method::Local]),
    ("search.candidates", &[Method::Tpe, Method::Bohb]),
    ("search.population", &[Method::CmaEs, Method::De, Method::Ga, Method::Nsga2]),
    ("search.acquisition", &[Method::Gp]),
    ("search.restarts", &[Method::CmaEs]),
    ("search.refinement", &[Method::Local]),
    ("search.keep", &[Method::Local]),
    (
        "search.generation",
        &[Method::Random, Method::LatinHypercube, Method::Sobol, Method::Halton, Method::Tpe, Method::Gp],
    ),
];

/// Keys of `[search]` that mean something for every method but a grid.
const GUIDED_OPTIONS: [&str; 4] = ["search.trials", "search.patience", "search.target", "search.robust"];

impl Searching {
    /// Whether a key has an effect under the method.
    pub fn heeds(&self, key: &str) -> bool {
        match OPTIONS.iter().find(|(name, _)| *name == key) {
            Some((_, methods)) => methods.contains(&self.method),
            None => self.method.is_guided() || !GUIDED_OPTIONS.contains(&key),
        }
    }

    /// All keys that [`Searching::heeds`] may say no to.
    pub fn optional_keys() -> impl Iterator<Item = &'static str> {
        OPTIONS.iter().map(|(name, _)| *name).chain(GUIDED_OPTIONS)
    }

    /// Trials of one generation, where the method itself does not say.
    pub fn generation_size(&self) -> u64 {
        match (self.generation, self.method) {
            (0, Method::Tpe) => 8,
            (0, Method::Gp) => 4,
            (0, _) => 256,
            (given, _) => given,
        }
    }
}
