//! The table of all metrics: the one place that gives them names, units, directions and formulas.

use super::Better::{self, Higher, Lower};
use super::Unit::{self, Bars, Count, Days, Money, Percent, Ratio, Sessions};
use super::{Inputs, Metric, growth, ratio};
use crate::num;

/// One line of the table.
const fn metric(
    name: &'static str,
    title: &'static str,
    unit: Unit,
    better: Better,
    doc: &'static str,
    compute: fn(&Inputs) -> f64,
) -> Metric {
    Metric { name, title, unit, better, doc, compute }
}

/// All metrics. Their order is that of result columns: new ones are added at the end of their group only together
/// with a new engine format number.
pub static TABLE: &[Metric] = &[
    // Growth.
    metric("total_return", "Total return", Percent, Higher, "W_n − 1.", |i| i.wealth() - 1.0),
    metric(
        "cagr",
        "Annual growth (CAGR)",
        Percent,
        Higher,
        "W_n^(A/n) − 1, as empyrical's annual_return; null for negative final equity.",
        Inputs::cagr,
    ),
    metric(
        "final_equity",
        "Final equity",
        Money,
        Higher,
        "Cash and positions at the last close after the last session.",
        |i| i.final_equity,
    ),
    // Risk and reward.
    metric("volatility", "Annual volatility", Percent, Lower, "sd(r, ddof 1) · √A; null below two sessions.", |i| {
        i.returns.deviation * num::sqrt(i.periods_per_year)
    }),
    metric(
        "sharpe",
        "Sharpe ratio",
        Ratio,
        Higher,
        "mean(r − rf) / sd(r − rf, ddof 1) · √A (Sharpe 1994); null without deviation.",
        |i| ratio((i.returns.mean - i.risk_free) * num::sqrt(i.periods_per_year), i.returns.deviation, 1.0),
    ),
    metric(
        "sortino",
        "Sortino ratio",
        Ratio,
        Higher,
        "mean(r − mar) · √A / √mean(min(r − mar, 0)²), all n sessions in the mean (Sortino and Price 1994); null \
         without a session below mar.",
        |i| ratio(i.returns.mean_over_mar * num::sqrt(i.periods_per_year), i.returns.downside, 1.0),
    ),
    metric(
        "calmar",
        "Calmar ratio",
        Ratio,
        Higher,
        "cagr / |max_drawdown| over the whole run, as empyrical; null without a drawdown.",
        |i| ratio(i.cagr(), i.drawdowns.deepest.abs(), 1.0),
    ),
    metric(
        "omega",
        "Omega ratio",
        Ratio,
        Higher,
        "Σ max(r − mar, 0) / Σ max(mar − r, 0) (Keating and Shadwick 2002); null without a session below mar.",
        |i| ratio(i.returns.gain, i.returns.loss, 1.0),
    ),
    // Drawdown.
    metric(
        "max_drawdown",
        "Maximum drawdown",
        Percent,
        Higher,
        "min over t of W_t / max(W_0 … W_t) − 1, W_0 = 1 counted; never above zero.",
        |i| i.drawdowns.deepest,
    ),
    metric(
        "max_drawdown_duration",
        "Longest drawdown",
        Sessions,
        Lower,
        "Longest run of sessions that end below the running peak of equity.",
        |i| i.drawdowns.longest,
    ),
    metric(
        "max_drawdown_duration_days",
        "Longest drawdown in days",
        Days,
        Lower,
        "Most calendar days from the first to the last session of a drawdown, both counted.",
        |i| i.drawdowns.longest_days,
    ),
    metric(
        "mean_drawdown_duration",
        "Mean drawdown length",
        Sessions,
        Lower,
        "Mean number of sessions of a drawdown, one that lasts to the end included; null without a drawdown.",
        |i| i.drawdowns.under / i.drawdowns.episodes,
    ),
    metric(
        "mean_drawdown_duration_days",
        "Mean drawdown length in days",
        Days,
        Lower,
        "Mean number of calendar days of a drawdown, first and last session counted; null without a drawdown.",
        |i| i.drawdowns.under_days / i.drawdowns.episodes,
    ),
    // Shape of the returns.
    metric(
        "tail_ratio",
        "Tail ratio",
        Ratio,
        Higher,
        "|p95(r)| / |p5(r)|, percentiles linear between ranks, as empyrical; null when p5 is zero.",
        |i| i.tails.ratio(),
    ),
    metric(
        "var_95",
        "Value at risk (95 %)",
        Percent,
        Higher,
        "p5(r), historical, linear between ranks, as empyrical's value_at_risk; a loss is negative.",
        |i| i.tails.low,
    ),
    metric(
        "cvar_95",
        "Conditional value at risk (95 %)",
        Percent,
        Higher,
        "Mean of the lowest ⌊(n − 1) · 0.05⌋ + 1 returns, as empyrical's conditional_value_at_risk.",
        |i| i.tails.low_mean,
    ),
    metric(
        "skew",
        "Skewness",
        Ratio,
        Better::None,
        "Bias-corrected skewness G1 of r (Joanes and Gill 1998), as pandas; null below three sessions.",
        |i| i.returns.skew,
    ),
    metric(
        "kurtosis",
        "Excess kurtosis",
        Ratio,
        Better::None,
        "Bias-corrected excess kurtosis G2 of r (Joanes and Gill 1998), 0 for a normal distribution, as pandas; null \
         below four sessions.",
        |i| i.returns.kurtosis,
    ),
    metric(
        "stability",
        "Stability",
        Ratio,
        Higher,
        "R² of the regression of ln W_t on t, as empyrical's stability_of_timeseries; null after a total loss.",
        |i| i.stability,
    ),
    // Against the benchmark.
    metric(
        "alpha",
        "Alpha",
        Percent,
        Higher,
        "(1 + mean((r − rf) − beta (f − rf)))^A − 1 over sessions where the benchmark has a return f, as empyrical.",
        |i| growth(1.0 + i.relative.alpha, i.periods_per_year),
    ),
    metric(
        "beta",
        "Beta",
        Ratio,
        Better::None,
        "cov(r, f) / var(f) over sessions where the benchmark has a return f; null if the benchmark does not move.",
        |i| i.relative.beta,
    ),
    metric(
        "information_ratio",
        "Information ratio",
        Ratio,
        Higher,
        "mean(r − f) / sd(r − f, ddof 1) per session, not annualised, as empyrical's excess_sharpe; null for the \
         benchmark itself.",
        |i| i.relative.information_ratio,
    ),
    // Activity.
    metric("exposure", "Exposure", Percent, Better::None, "Bars at whose close a position was open / bars.", |i| {
        i.counters.bars_in_market as f64 / i.counters.bars as f64
    }),
    metric(
        "turnover",
        "Annual turnover",
        Ratio,
        Lower,
        "Σ |quantity| × price over all fills / mean equity · A / n; null unless mean equity is positive.",
        |i| {
            let mean = if i.mean_equity > 0.0 { i.mean_equity } else { num::NAN };
            i.counters.traded_value / mean * (i.periods_per_year / i.sessions)
        },
    ),
    metric("max_leverage", "Maximum leverage", Ratio, Lower, "Largest Σ |position value| / equity at a close.", |i| {
        i.counters.max_leverage
    }),
    metric("fills", "Fills", Count, Better::None, "Number of executions.", |i| i.counters.fills as f64),
    metric("fees", "Fees", Money, Lower, "Σ commissions.", |i| i.counters.fees),
    // Closed round trips, commissions included.
    metric("trades", "Trades", Count, Better::None, "Number of closed round trips.", |i| i.round_trips.count),
    metric(
        "win_rate",
        "Win rate",
        Percent,
        Higher,
        "Share of closed round trips with a profit above zero after commissions.",
        |i| i.round_trips.wins / i.round_trips.count,
    ),
    metric(
        "profit_factor",
        "Profit factor",
        Ratio,
        Higher,
        "Σ profits / |Σ losses| of closed round trips, in money; null without a loss.",
        |i| i.round_trips.won / i.round_trips.lost,
    ),
    metric("expectancy", "Expectancy", Money, Higher, "Mean profit of a closed round trip.", |i| i.round_trips.profit),
    metric(
        "avg_trade",
        "Average trade",
        Percent,
        Higher,
        "Mean of profit / (|quantity| × entry price) over closed round trips.",
        |i| i.round_trips.mean_return,
    ),
    metric(
        "best_trade",
        "Best trade",
        Percent,
        Higher,
        "Largest profit / (|quantity| × entry price) of a closed round trip.",
        |i| i.round_trips.best_return,
    ),
    metric(
        "worst_trade",
        "Worst trade",
        Percent,
        Higher,
        "Smallest profit / (|quantity| × entry price) of a closed round trip.",
        |i| i.round_trips.worst_return,
    ),
    metric(
        "mean_holding",
        "Mean holding time",
        Bars,
        Better::None,
        "Mean number of bars from entry to exit of a closed round trip.",
        |i| i.round_trips.holding,
    ),
    metric(
        "sqn",
        "System quality number",
        Ratio,
        Higher,
        "√trades · mean(profit) / sd(profit, ddof 1) (Tharp 2008, without his cap); null below two trades or without \
         deviation.",
        |i| num::sqrt(i.round_trips.count) * i.round_trips.profit / i.round_trips.deviation,
    ),
    metric(
        "kelly",
        "Kelly fraction",
        Percent,
        Higher,
        "W − (1 − W) / (mean win / mean loss), W = win_rate (Kelly 1956); null without a win or without a loss.",
        |i| i.round_trips.kelly(),
    ),
    // Doubts.
    metric(
        "ambiguous_bars",
        "Ambiguous bars",
        Count,
        Lower,
        "Bars that touched a stop and a limit of one position without saying which came first.",
        |i| i.counters.ambiguous_bars as f64,
    ),
    metric("rejected_orders", "Rejected orders", Count, Lower, "Orders refused by cash, margin or rules.", |i| {
        i.counters.rejected_orders as f64
    }),
    metric("partial_fills", "Partial fills", Count, Lower, "Fills that left a rest of their order open.", |i| {
        i.counters.partial_fills as f64
    }),
];
