//! Other courses that the same trades could have taken.
//!
//! Given the returns of closed trades in their order, this draws them again and again and gives the spread of what comes
//! out. It never knows prices: what trades have in common beyond their order is lost.

use serde::Serialize;

use super::{StationaryBootstrap, percentile};
use crate::error::{Error, Result};
use crate::num;
use crate::rng::Stream;

/// Name of the permutations' streams.
const STREAM: u32 = 0x7065_726d;

/// Most runs: memory is runs × points of the fan.
pub const MOST_RUNS: u32 = 10_000;

/// Points of a fan at most.
const POINTS: usize = 100;

/// Quantiles of fans and distributions.
pub const LEVELS: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// How trades are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resampling {
    /// Each independently, with repetition.
    Bootstrap,
    /// In blocks of so many trades on average, with repetition: keeps streaks.
    Blocks(f64),
    /// All of them once, in another order. It cannot change what they come to, only the way there.
    Permutation,
}

/// How trades add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compounding {
    /// Returns are shares of the wealth at the time: `w (1 + r)`. A loss of everything ends a run.
    Product,
    /// Returns are shares of the initial wealth: `w + r`.
    Sum,
}

/// A distribution over runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// What the trades came to in their own order.
    pub observed: f64,
    /// Mean over runs.
    pub mean: f64,
    /// Quantiles at [`LEVELS`].
    pub quantiles: [f64; 5],
    /// Share of runs at or below the observed value.
    pub at_most_observed: f64,
}

/// What the same trades could have come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MonteCarlo {
    /// Runs.
    pub runs: u32,
    /// Trades done at each point of the fan.
    pub trades: Vec<u64>,
    /// At each point, quantiles of wealth at [`LEVELS`], initial wealth being 1.
    pub fan: Vec<[f64; 5]>,
    /// Final wealth; none for permutations, which cannot change it.
    pub wealth: Option<Distribution>,
    /// Largest drawdown: of products a share of the peak, of sums a share of the initial wealth; positive.
    pub drawdown: Distribution,
    /// Longest number of trades below a peak.
    pub underwater: Distribution,
    /// Share of runs that end with a loss; none for permutations.
    pub probability_of_loss: Option<f64>,
}

/// Draws trades again `runs` times.
///
/// # Errors
/// No trades, one that is not finite, no runs or more than [`MOST_RUNS`].
pub fn monte_carlo(
    trades: &[f64],
    resampling: Resampling,
    compounding: Compounding,
    runs: u32,
    seed: u64,
) -> Result<MonteCarlo> {
    let rows = u32::try_from(trades.len()).unwrap_or(0);
    if rows == 0 || !trades.iter().all(|r| r.is_finite()) {
        let message =
            format!("{} trades cannot be drawn again: at least one with finite returns is needed", trades.len());
        return Err(Error::data(message));
    }
    if runs == 0 || runs > MOST_RUNS {
        return Err(Error::plan(format!("{runs} runs of trades: from 1 to {MOST_RUNS} are made")));
    }
    let points = points(trades.len());
    let mut by_point = vec![Vec::with_capacity(runs as usize); points.len()];
    let [mut wealth, mut drawdown, mut underwater] = [const { Vec::new() }; 3];
    let mut drawn = Vec::with_capacity(trades.len());
    for run in 0..runs {
        draw(trades, resampling, seed, run, rows, &mut drawn);
        let course = Course::of(&drawn, compounding, &points, |point, wealth| by_point[point].push(wealth));
        wealth.push(course.wealth);
        drawdown.push(course.drawdown);
        underwater.push(course.underwater);
    }
    let observed = Course::of(trades, compounding, &points, |_, _| {});
    let losses = wealth.iter().filter(|&&wealth| wealth < 1.0).count() as f64 / f64::from(runs);
    let ends_vary = resampling != Resampling::Permutation;
    let quantiles = |values: &mut Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        LEVELS.map(|level| percentile(values, level))
    };
    Ok(MonteCarlo {
        runs,
        trades: points.iter().map(|&point| point as u64).collect(),
        fan: by_point.iter_mut().map(quantiles).collect(),
        wealth: ends_vary.then(|| Distribution::of(wealth, observed.wealth)),
        drawdown: Distribution::of(drawdown, observed.drawdown),
        underwater: Distribution::of(underwater, observed.underwater),
        probability_of_loss: ends_vary.then_some(losses),
    })
}

/// Numbers of trades at which wealth is kept: at most [`POINTS`] steps, from 0 to all.
fn points(trades: usize) -> Vec<usize> {
    let steps = trades.min(POINTS);
    (0..=steps).map(|step| step * trades / steps).collect()
}

fn draw(trades: &[f64], resampling: Resampling, seed: u64, run: u32, rows: u32, drawn: &mut Vec<f64>) {
    drawn.clear();
    match resampling {
        Resampling::Permutation => {
            drawn.extend_from_slice(trades);
            let mut stream = Stream::new(seed, [STREAM, run]);
            for place in (1..drawn.len()).rev() {
                drawn.swap(place, stream.below(place as u64 + 1) as usize);
            }
        }
        Resampling::Bootstrap | Resampling::Blocks(_) => {
            let block = if let Resampling::Blocks(block) = resampling { block } else { 1.0 };
            StationaryBootstrap::new(seed, rows, block).draw(run, |row| drawn.push(trades[row as usize]));
        }
    }
}

/// One course of wealth.
struct Course {
    wealth: f64,
    drawdown: f64,
    underwater: f64,
}

impl Course {
    fn of(trades: &[f64], compounding: Compounding, points: &[usize], mut keep: impl FnMut(usize, f64)) -> Course {
        let (mut wealth, mut peak, mut drawdown) = (1.0_f64, 1.0_f64, 0.0_f64);
        let (mut below, mut longest, mut point) = (0_u32, 0_u32, 0);
        for done in 0..=trades.len() {
            if points.get(point) == Some(&done) {
                keep(point, wealth);
                point += 1;
            }
            let Some(r) = trades.get(done) else { break };
            wealth = match compounding {
                Compounding::Product => wealth * (1.0 + r).max(0.0),
                Compounding::Sum => wealth + r,
            };
            below = if wealth < peak { below + 1 } else { 0 };
            longest = longest.max(below);
            peak = peak.max(wealth);
            let fall = match compounding {
                Compounding::Product => 1.0 - wealth / peak,
                Compounding::Sum => peak - wealth,
            };
            drawdown = drawdown.max(fall);
        }
        Course { wealth, drawdown, underwater: f64::from(longest) }
    }
}

impl Distribution {
    fn of(mut values: Vec<f64>, observed: f64) -> Distribution {
        values.sort_unstable_by(f64::total_cmp);
        let n = values.len() as f64;
        Distribution {
            observed,
            mean: num::canonical(values.iter().sum::<f64>() / n),
            quantiles: LEVELS.map(|level| percentile(&values, level)),
            at_most_observed: values.partition_point(|&value| value <= observed) as f64 / n,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    fn trades() -> Vec<f64> {
        let mut stream = Stream::new(4, [0, 0]);
        (0..250).map(|_| 0.02 * stream.normal() + 0.003).collect()
    }

    #[test]
    fn a_permutation_changes_the_way_and_never_the_end() {
        let trades = trades();
        let found = monte_carlo(&trades, Resampling::Permutation, Compounding::Product, 500, 1).unwrap();
        assert!(found.wealth.is_none() && found.probability_of_loss.is_none());
        let end = found.fan.last().unwrap();
        assert!(end[4] - end[0] < 1e-12, "{end:?}");
        assert!(found.drawdown.quantiles[4] > found.drawdown.quantiles[0]);
        assert_eq!((found.trades[0], found.fan[0]), (0, [1.0; 5]));
        assert_eq!((found.trades.len(), *found.trades.last().unwrap()), (101, 250));
    }

    #[test]
    fn a_bootstrap_spreads_around_what_was_observed() {
        let trades = trades();
        for resampling in [Resampling::Bootstrap, Resampling::Blocks(10.0)] {
            let found = monte_carlo(&trades, resampling, Compounding::Sum, 2000, 1).unwrap();
            let wealth = found.wealth.unwrap();
            let total = 1.0 + trades.iter().sum::<f64>();
            assert!((wealth.observed - total).abs() < 1e-12);
            // A sum of 250 trades with deviation 0.02 has one of 0.32; the mean over runs one of 0.007.
            assert!((wealth.mean - total).abs() < 0.03, "{wealth:?}");
            assert!((0.4..0.6).contains(&wealth.at_most_observed));
            assert!(wealth.quantiles.is_sorted());
        }
    }

    #[test]
    fn blocks_keep_streaks() {
        // Losses come in streaks of ten: drawn one by one, the drawdowns are smaller.
        let trades: Vec<f64> = (0..200).map(|k| if k / 10 % 2 == 0 { 0.01 } else { -0.01 }).collect();
        let drawdown =
            |resampling| monte_carlo(&trades, resampling, Compounding::Sum, 500, 2).unwrap().drawdown.quantiles[2];
        assert!(drawdown(Resampling::Blocks(5.0)) > 1.3 * drawdown(Resampling::Bootstrap));
    }

    #[test]
    fn a_total_loss_ends_a_run_and_bad_input_is_refused() {
        let found = monte_carlo(&[-1.5, 0.5], Resampling::Permutation, Compounding::Product, 50, 0).unwrap();
        assert_eq!((found.drawdown.mean, found.fan.last().unwrap()[4]), (1.0, 0.0));
        let winning = monte_carlo(&[0.1; 5], Resampling::Bootstrap, Compounding::Product, 10, 0).unwrap();
        assert_eq!(
            (winning.drawdown.mean, winning.underwater.mean, winning.probability_of_loss),
            (0.0, 0.0, Some(0.0))
        );
        for (trades, runs) in [(&[][..], 10), (&[f64::NAN], 10), (&[0.1], 0), (&[0.1], MOST_RUNS + 1)] {
            assert!(monte_carlo(trades, Resampling::Bootstrap, Compounding::Sum, runs, 0).is_err());
        }
    }
}
