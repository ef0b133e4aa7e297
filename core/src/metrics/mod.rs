//! Metrics: what one trial was worth, as numbers.
//!
//! Given the equity per session, the round trips and the counters of a trial, this room gives one number for each
//! line of [`TABLE`]. It never knows strategies, plans, or how the equity came about.
//!
//! Conventions, for all lines:
//!
//! * Returns are simple returns per session, the first one against the initial cash. `n` is their number, `A` the
//!   sessions of a year. A return from a base of zero or less has no meaning, so an account that was ruined before
//!   its last session has no return-based metrics; its total return and drawdown remain.
//! * A metric that its data do not define is null ([`num::NAN`]): never zero, never infinite. A deviation (or a
//!   sum of losses, or a drawdown) below [`NOISE`] counts as zero, since it comes from rounding alone: a constant
//!   gain has no Sharpe ratio.
//! * Sums over sessions run in eight fixed stripes (`striped.rs`), sums over trades and running products in order,
//!   so the bits do not depend on the processor's lanes.

mod benchmark;
mod drawdown;
mod extremes;
mod months;
mod returns;
mod round_trips;
mod stability;
pub(crate) mod striped;
mod table;
mod tails;

pub use benchmark::{Benchmark, Relative};
pub use drawdown::{Drawdowns, drawdowns};
pub use months::{MonthReturn, monthly_returns};
pub use returns::Returns;
pub use round_trips::{NO_TRADES, RoundTrips, TradeSums};
pub use table::TABLE;
pub use tails::Tails;

use crate::num;
use crate::simd::{self, Eight, Work};

/// Relative size below which a deviation is rounding: each return is a ratio of two sums of rounded products, wrong
/// by a few 1e-16 times the leverage, and no strategy worth measuring moves its account by less than this a session.
pub const NOISE: f64 = 1e-13;

/// What a metric is measured in, for formatting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    Ratio,
    /// A fraction, shown as a percentage (0.05 is 5 %).
    Percent,
    /// Bars of the run's timeline.
    Bars,
    /// Trading sessions.
    Sessions,
    /// Calendar days.
    Days,
    /// A number of things.
    Count,
    /// An amount in the account's currency.
    Money,
}

impl Unit {
    /// Its name in results and catalogues.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Ratio => "ratio",
            Unit::Percent => "percent",
            Unit::Bars => "bars",
            Unit::Sessions => "sessions",
            Unit::Days => "days",
            Unit::Count => "count",
            Unit::Money => "money",
        }
    }
}

/// Which direction of a metric is the desirable one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Large values are better (also for losses that are stated as negative numbers).
    Higher,
    /// Small values are better.
    Lower,
    /// Neither: an objective over it has to say its direction.
    None,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Name in studies, result columns and JSON.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// Which direction is desirable.
    pub better: Better,
    /// Formula and source.
    pub doc: &'static str,
    /// The formula over sums that several metrics share; may give any non-finite number for "not defined".
    pub compute: fn(&Inputs) -> f64,
}

/// Place of a metric in [`TABLE`], and so of its number in the output of [`evaluate`].
pub fn index_of(name: &str) -> Option<usize> {
    TABLE.iter().position(|metric| metric.name == name)
}

/// Names of all metrics in the order of [`TABLE`].
pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
    TABLE.iter().map(|metric| metric.name)
}

/// What the engine counted while it simulated one trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// Bars of the timeline that were simulated.
    pub bars: u64,
    /// Those of them at whose close any position was open.
    pub bars_in_market: u64,
    /// Sum over fills of |quantity| × price.
    pub traded_value: f64,
    /// Largest gross position value over equity at a close.
    pub max_leverage: f64,
    /// Commissions paid.
    pub fees: f64,
    /// Fills.
    pub fills: u64,
    /// Bars in which a stop and a limit of one position were both touched and the data do not say which came first.
    pub ambiguous_bars: u64,
    /// Orders that were refused.
    pub rejected_orders: u64,
    /// Fills that left a rest of their order open.
    pub partial_fills: u64,
}

/// One trial's course, as the metrics read it.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Equity before the first session; positive.
    pub initial_cash: f64,
    /// Equity at the end of each session.
    pub equity: &'a [f64],
    /// Date of each session, in days since 1970-01-01, ascending. Without dates the durations in days are null.
    pub dates: &'a [i32],
    /// The benchmark over the same sessions.
    pub benchmark: Option<&'a Benchmark>,
    /// Sums over the closed round trips.
    pub trades: &'a TradeSums,
    /// Sessions a year.
    pub periods_per_year: f64,
    /// Riskless return per session, for Sharpe ratio and alpha.
    pub risk_free: f64,
    /// Minimal acceptable return per session, for Sortino ratio and omega.
    pub mar: f64,
    /// What the engine counted.
    pub counters: Counters,
}

/// Buffers that live from one evaluation to the next, so that only the first (and a longer one) allocates.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    returns: Vec<f64>,
    extremes: Vec<extremes::Extremes>,
    lows: Vec<f64>,
    highs: Vec<f64>,
    logs: Vec<f64>,
}

impl Workspace {
    /// Returns of the sessions of the account that was evaluated last.
    pub fn returns(&self) -> &[f64] {
        &self.returns
    }
}

/// The sums that the metrics share: everything that needs a pass over sessions or trades.
#[derive(Clone, Copy, Debug)]
pub struct Inputs {
    /// Number of sessions.
    pub sessions: f64,
    /// Sessions a year.
    pub periods_per_year: f64,
    /// Equity before the first session.
    pub initial_cash: f64,
    /// Equity after the last session; NaN without sessions.
    pub final_equity: f64,
    /// Mean equity over the ends of sessions.
    pub mean_equity: f64,
    /// Riskless return per session.
    pub risk_free: f64,
    /// Moments of the returns.
    pub returns: Returns,
    /// Quantiles of the returns.
    pub tails: Tails,
    /// R² of the logarithm of wealth on time.
    pub stability: f64,
    /// Episodes below the running peak.
    pub drawdowns: Drawdowns,
    /// Regression on the benchmark.
    pub relative: Relative,
    /// Closed round trips.
    pub round_trips: RoundTrips,
    /// What the engine counted.
    pub counters: Counters,
}

impl Inputs {
    /// Final wealth per unit of initial cash.
    pub fn wealth(&self) -> f64 {
        self.final_equity / self.initial_cash
    }

    /// Growth a year, `W_n^(A/n) − 1`; NaN for negative wealth.
    pub fn cagr(&self) -> f64 {
        growth(self.wealth(), self.periods_per_year / self.sessions)
    }

    #[inline(always)]
    fn of<E: Eight>(account: &Account, workspace: &mut Workspace) -> Self {
        let Workspace { returns, extremes, lows, highs, logs } = workspace;
        let first = returns::fill::<E>(account.initial_cash, account.equity, returns);
        let equity = if first.finite { account.equity } else { &[] };
        let apart = account.benchmark.and_then(|benchmark| benchmark.complete(returns.len()));
        let moments = Returns::of::<E>(returns, first.returns, account.mar, apart);
        extremes::of_blocks::<E>(equity, extremes);
        let sessions = equity.len() as f64;
        Inputs {
            sessions,
            periods_per_year: account.periods_per_year,
            initial_cash: account.initial_cash,
            final_equity: equity.last().copied().unwrap_or(num::NAN),
            mean_equity: if first.finite { first.mean } else { num::NAN },
            risk_free: account.risk_free,
            returns: moments,
            tails: Tails::of::<E>(returns, &moments, lows, highs),
            stability: stability::r_squared::<E>(if returns.is_empty() { &[] } else { equity }, extremes, logs),
            drawdowns: Drawdowns::of::<E>(account.initial_cash, equity, extremes, account.dates),
            relative: match account.benchmark {
                Some(benchmark) => Relative::of::<E>(returns, &moments, benchmark, account.risk_free),
                None => Relative::UNDEFINED,
            },
            round_trips: RoundTrips::of(account.trades),
            counters: account.counters,
        }
    }
}

/// The pass over one account, over lanes.
struct Pass<'a, 'b>(&'a Account<'b>, &'a mut Workspace);

impl Work for Pass<'_, '_> {
    type Output = Inputs;

    #[inline(always)]
    fn run<E: Eight>(self) -> Inputs {
        Inputs::of::<E>(self.0, self.1)
    }
}

/// Computes all metrics of one trial: `out` is cleared and receives one number per line of [`TABLE`], null as
/// [`num::NAN`]. Equity with a value that is not finite makes everything null that reads equity.
pub fn evaluate(account: &Account, workspace: &mut Workspace, out: &mut Vec<f64>) {
    let inputs = simd::run(Pass(account, workspace));
    out.clear();
    out.extend(TABLE.iter().map(|metric| stored((metric.compute)(&inputs))));
}

/// A number as it is stored: null unless finite, and no negative zero.
fn stored(x: f64) -> f64 {
    if x.is_finite() { x + 0.0 } else { num::NAN }
}

/// `wealth^periods − 1`, null for negative wealth, which an even power would turn into a gain.
fn growth(wealth: f64, periods: f64) -> f64 {
    if wealth >= 0.0 { num::pow(wealth, periods) - 1.0 } else { num::NAN }
}

/// `a / b`, null when `b` is zero or rounding noise on the scale of `scale`.
fn ratio(a: f64, b: f64, scale: f64) -> f64 {
    if b.abs() > NOISE * scale { a / b } else { num::NAN }
}

#[cfg(test)]
mod cases;
