//! Judgement of a finished search: how far its winner can be believed.
//!
//! Given returns, scores and points of trials as slices, this room gives statistics with their sources, as data. It never
//! knows engines, how a plan is executed, or how a report looks, and it never steers a search. Nothing here is annualised
//! unless its name says so. What the numbers do not define is NaN.
//!
//! While a search runs, [`Evidence`] keeps a few sums of each trial; in the end [`Judgement::of`] makes all of the default
//! statistics and a [`Verdict`] of them. One statistic is one file: [`Moments`] and the probabilistic Sharpe ratio, the
//! deflated one and track records (`deflated.rs`), overfitting by cross-validation (`cscv/`), the tests of White and
//! Hansen (`superiority.rs`), the bootstrap that they draw from, the scores of a grid as a [`Landscape`], other courses of
//! the same trades (`monte_carlo.rs`), bars with noise (`bar_noise.rs`).

mod bar_noise;
mod block_length;
mod blocks;
mod bootstrap;
mod cscv;
mod deflated;
mod evidence;
mod hands;
mod independent;
mod judgement;
mod landscape;
mod monte_carlo;
pub mod normal;
mod panel;
mod sharpe;
mod superiority;
mod verdict;

pub use bar_noise::{Prices, with_noise};
pub use block_length::{BlockLength, optimal_block_length};
pub use blocks::{BlockSums, MOST_BLOCKS, default_blocks};
pub use bootstrap::{Interval, StationaryBootstrap, interval, percentile, resample};
pub use cscv::{Dominance, Histogram, Overfitting, Split, overfitting, splits};
pub use deflated::{deflated_sharpe, expected_maximum_sharpe, minimum_backtest_years, minimum_track_record};
pub use evidence::{DEFAULT_TRIALS, Evidence, Sums};
pub use hands::{Alone, Hands};
pub use independent::Independence;
pub use judgement::{Deflation, Judgement, JudgementSettings};
pub use landscape::{Importance, Landscape, Neighbourhood, Plateau, Slice, SliceValue, Terrain};
pub use monte_carlo::{Compounding, Distribution, LEVELS, MOST_RUNS, MonteCarlo, Resampling, monte_carlo};
pub use panel::Panel;
pub use sharpe::{Convention, Moments};
pub use superiority::{Draws, PValues, Superiority, superior_columns, superiority};
pub use verdict::{DEFLATED_ENOUGH, Findings, Grade, OVERFITTING_COIN, OVERFITTING_SMALL, P_SMALL, Verdict};
