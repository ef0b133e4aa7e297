//! The trial on bars with noise: a strategy that lives on the exact prices of one history falls apart on them.
//!
//! Given a bundle, this file makes others in memory whose returns are perturbed (the core's `with_noise`), every symbol by
//! a stream of its own, and runs the trial on each. Prices that are stored as traded jump at a split; noise is laid on the
//! prices without these jumps, and they are put back, so that a split is not taken for volatility. Dividends, volumes and
//! dates stay as they are.

use std::ops::Range;
use std::sync::Arc;

use sandtable_core::analysis::{LEVELS, Prices, percentile, with_noise};
use sandtable_core::bundle::{Action, Bars, Bundle, PriceBasis};
use sandtable_core::plan::Plan;
use sandtable_core::run::{Evaluator, Switches};
use sandtable_core::{Error, Result};
use serde_json::{Value, json};

use super::{Case, Finding, metric};
use crate::view::table;
use crate::{caches, pool};

/// Deviation of the noise as a share of that of the symbol's returns: mild, clear, hard.
const SHARES: [f64; 3] = [0.1, 0.25, 0.5];
/// Runs at each share unless it is said.
pub const DEFAULT_RUNS: &str = "50";
/// Most runs at each share.
const MOST_RUNS: u32 = 10_000;

/// Runs the trial so many times at each share of noise.
///
/// # Errors
/// A wrong number of runs, or the machine refuses to start threads.
pub fn find(case: &Case, runs: u32) -> Result<Finding> {
    if runs == 0 || runs > MOST_RUNS {
        return Err(Error::plan(format!("--noise {runs}: from 1 to {MOST_RUNS} runs are made")));
    }
    let levels = SHARES.iter().map(|&share| level(case, share, runs)).collect::<Result<Vec<Level>>>()?;
    let (score, sharpe) = (case.score(&case.detail.metrics), metric(&case.detail.metrics, "sharpe"));
    let json_of = |level: &Level| {
        json!({
            "share": level.share,
            "objective": level.scores.json(),
            "sharpe": level.sharpes.json(),
            "sharpe_above_zero": level.sharpes.share(|sharpe| sharpe > 0.0),
        })
    };
    Ok(Finding {
        key: "noise",
        json: json!({
            "runs": runs,
            "levels": LEVELS,
            "objective": score,
            "sharpe": sharpe,
            "shares": levels.iter().map(json_of).collect::<Vec<_>>(),
        }),
        text: text(case, runs, &levels),
        sound: true,
    })
}

/// What came out at one share.
struct Level {
    share: f64,
    scores: Sorted,
    sharpes: Sorted,
}

/// Numbers in ascending order, undefined ones left out.
struct Sorted(Vec<f64>);

impl Sorted {
    fn of(values: impl Iterator<Item = f64>) -> Sorted {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        Sorted(values)
    }

    fn share(&self, holds: impl Fn(f64) -> bool) -> f64 {
        self.0.iter().filter(|&&value| holds(value)).count() as f64 / self.0.len() as f64
    }

    fn json(&self) -> Value {
        json!({ "defined": self.0.len(), "quantiles": LEVELS.map(|level| percentile(&self.0, level)) })
    }
}

fn level(case: &Case, share: f64, runs: u32) -> Result<Level> {
    let portions: Vec<Range<usize>> = (0..runs as usize).map(|run| run..run + 1).collect();
    let one =
        |run: usize| run_once(&case.study.bundle, &case.study.evaluator.plan, &case.trial.point, share, run as u32);
    let made = pool::pool(0)?.map(&portions, |range, _| range.map(one).collect());
    let metrics = made.into_iter().collect::<Result<Vec<Vec<f64>>>>()?;
    Ok(Level {
        share,
        scores: Sorted::of(metrics.iter().map(|values| case.score(values))),
        sharpes: Sorted::of(metrics.iter().map(|values| metric(values, "sharpe"))),
    })
}

/// The trial's metrics on bars with noise.
fn run_once(bundle: &Bundle, plan: &Arc<Plan>, point: &[f64], share: f64, run: u32) -> Result<Vec<f64>> {
    let noisy = noisy(bundle, plan, share, run)?;
    // Nothing of it is worth keeping: no other run has these bars.
    let evaluator = Evaluator::cached(plan.clone(), &noisy, caches::caches().view(Switches::NONE))?;
    Ok(evaluator.detail(point).metrics)
}

/// A bundle of the symbols that a plan loads, with noise on their bars. It has the dates and symbols that the plan was
/// resolved for.
///
/// # Errors
/// A share that is not in [0, 1].
pub fn noisy(bundle: &Bundle, plan: &Plan, share: f64, run: u32) -> Result<Bundle> {
    let loaded = plan.symbols_to_load();
    let places: Vec<usize> =
        (0..bundle.symbols.len()).filter(|&place| loaded.binary_search(&bundle.symbols[place]).is_ok()).collect();
    let bars = |&place: &usize| {
        let actions = match bundle.prices {
            PriceBasis::Raw => bundle.actions_of(&bundle.symbols[place]),
            PriceBasis::SplitAdjusted | PriceBasis::TotalReturn => &[],
        };
        with_noise_between_splits(&bundle.bars[place], actions, |prices| {
            with_noise(prices, share, plan.seed(), run, place as u32)
        })
    };
    Ok(Bundle {
        name: bundle.name.clone(),
        version: format!("{} with noise of {share}, run {run}", bundle.version),
        frequency: bundle.frequency,
        calendar: bundle.calendar,
        prices: bundle.prices,
        benchmark: bundle.benchmark.clone(),
        symbols: places.iter().map(|&place| bundle.symbols[place].clone()).collect(),
        bars: places.iter().map(bars).collect::<Result<_>>()?,
        actions: bundle.actions.iter().filter(|action| loaded.binary_search(&action.symbol).is_ok()).cloned().collect(),
        records: places.iter().filter_map(|&place| bundle.record(place)).collect(),
    })
}

/// Changes the prices of one symbol as if its shares had never been split.
fn with_noise_between_splits(
    bars: &Bars,
    actions: &[Action],
    change: impl FnOnce(&Prices) -> Result<Prices>,
) -> Result<Bars> {
    let shares = shares(&bars.session, actions);
    let times = |column: &[f64]| column.iter().zip(&shares).map(|(price, shares)| price * shares).collect();
    let whole =
        Prices { open: times(&bars.open), high: times(&bars.high), low: times(&bars.low), close: times(&bars.close) };
    let made = change(&whole)?;
    let per_share = |column: &[f64]| column.iter().zip(&shares).map(|(price, shares)| price / shares).collect();
    Ok(Bars {
        open: per_share(&made.open),
        high: per_share(&made.high),
        low: per_share(&made.low),
        close: per_share(&made.close),
        ..bars.clone()
    })
}

/// At each session, what one share of the first session has become.
fn shares(sessions: &[i32], actions: &[Action]) -> Vec<f64> {
    let (mut next, mut held) = (0, 1.0);
    let at = |&session: &i32| {
        while let Some(action) = actions.get(next).filter(|action| action.ex_date <= session) {
            held *= action.split_ratio;
            next += 1;
        }
        held
    };
    sessions.iter().map(at).collect()
}

fn text(case: &Case, runs: u32, levels: &[Level]) -> String {
    let objective = case.objective();
    let three = |value: f64| if value.is_finite() { format!("{value:.3}") } else { crate::view::number::NULL.into() };
    let row = |level: &Level| {
        let mut cells = vec![format!("{:.0} % of its volatility", level.share * 100.0)];
        cells.extend(LEVELS.map(|at| three(percentile(&level.scores.0, at))));
        cells.push(format!("{:.0} %", 100.0 * level.sharpes.share(|sharpe| sharpe > 0.0)));
        cells
    };
    format!(
        "noise on the bars: {objective} over {runs} runs each, {} without noise\n{}",
        three(case.score(&case.detail.metrics)),
        table::plain(&["noise", "5 %", "25 %", "50 %", "75 %", "95 %", "Sharpe > 0"], levels.iter().map(row), &[0]),
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_split_is_no_volatility_and_is_put_back() {
        let action = |ex_date, split_ratio| Action {
            symbol: "A".into(),
            ex_date,
            pay_date: None,
            split_ratio,
            cash_dividend: 0.0,
        };
        let close = vec![100.0, 102.0, 51.0, 50.0, 12.5];
        let bars = Bars {
            time: (0..5).collect(),
            session: vec![1, 2, 3, 4, 5],
            open: close.clone(),
            high: close.clone(),
            low: close.clone(),
            close,
            volume: vec![1.0; 5],
        };
        let actions = [action(3, 2.0), action(5, 4.0)];
        let seen = std::cell::RefCell::new(Vec::new());
        let same = with_noise_between_splits(&bars, &actions, |prices| {
            seen.borrow_mut().extend(prices.close.clone());
            Ok(prices.clone())
        });
        assert_eq!(*seen.borrow(), [100.0, 102.0, 102.0, 100.0, 100.0]);
        assert_eq!(same.unwrap(), bars);
    }
}
