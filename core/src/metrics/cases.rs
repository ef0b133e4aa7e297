//! Whole accounts as text, with the metrics they must have.
//!
//! A case is a line `# what it shows`, then lines `equity: …` (initial cash first; `a * g ^ n` is n steps of growth g
//! from a), and expectations `name = number` or `name = null`. Where no hand calculation is given, numbers are those
//! of empyrical-reloaded 0.7.1.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::ledger::Trade;

const CASES: &str = "
# one win, one loss; wealth 1 → 1.01 → 0.9898
equity: 1000 1010 989.8
total_return = -0.0102
cagr = -0.7252241032651303
final_equity = 989.8
volatility = 0.3367491648096548
sharpe = -3.7416573867739413
sortino = -5.612486080160911
calmar = -36.261205163256584
omega = 0.5
max_drawdown = -0.02
max_drawdown_duration = 1
mean_drawdown_duration = 1
max_drawdown_duration_days = 1
tail_ratio = 0.45945945945945943
var_95 = -0.0185
cvar_95 = -0.02
skew = null
kurtosis = null
stability = 1

# nothing happens: everything that divides by risk is null, the rest is zero
equity: 1000 * 1 ^ 30
total_return = 0
cagr = 0
volatility = 0
sharpe = null
sortino = null
calmar = null
omega = null
max_drawdown = 0
max_drawdown_duration = 0
mean_drawdown_duration = null
tail_ratio = null
var_95 = 0
cvar_95 = 0
skew = null
kurtosis = null
stability = null
trades = 0
win_rate = null
profit_factor = null
expectancy = null
avg_trade = null
best_trade = null
worst_trade = null
mean_holding = null
sqn = null
kelly = null
exposure = null
alpha = null
beta = null
information_ratio = null
turnover = 0
ambiguous_bars = 0

# a constant gain has no risk, only growth
equity: 1000 * 1.0004 ^ 252
total_return = 0.1060331166510915
cagr = 0.1060331166510915
volatility = 0
sharpe = null
sortino = null
calmar = null
omega = null
tail_ratio = 1
var_95 = 0.0004
stability = 1

# a single session has a return but no deviation
equity: 1000 1012.3
total_return = 0.0123
cagr = 20.77347193090924
volatility = null
sharpe = null
sortino = null
max_drawdown = 0
var_95 = 0.0123
stability = null

# no session at all
equity: 1000
total_return = null
cagr = null
final_equity = null
volatility = null
sharpe = null
max_drawdown = null
max_drawdown_duration = null
var_95 = null
turnover = null
trades = 0

# ruined in the middle: growth and drawdown stay, returns have no base
equity: 1000 1100 0 0
total_return = -1
cagr = -1
max_drawdown = -1
max_drawdown_duration = 2
calmar = -1
volatility = null
sharpe = null
omega = null
var_95 = null
skew = null
stability = null

# owing money at the end has no growth rate
equity: 1000 500 -100
total_return = -1.1
cagr = null
max_drawdown = -1.1
calmar = null
stability = null

# an engine that produced rubbish gets no numbers for it
equity: 1000 NaN 1001
total_return = null
final_equity = null
max_drawdown = null
sharpe = null
turnover = null
";

fn account<'a>(initial_cash: f64, equity: &'a [f64], dates: &'a [i32]) -> Account<'a> {
    Account {
        initial_cash,
        equity,
        dates,
        benchmark: None,
        trades: &NO_TRADES,
        periods_per_year: 252.0,
        risk_free: 0.0,
        mar: 0.0,
        counters: Counters::default(),
    }
}

fn equity(text: &str) -> Vec<f64> {
    let number = |word: &str| word.trim().parse::<f64>().unwrap();
    match text.split_once('*') {
        None => text.split_whitespace().map(number).collect(),
        Some((start, steps)) => {
            let (growth, n) = steps.split_once('^').unwrap();
            let next = |e: &f64| Some(e * number(growth));
            std::iter::successors(Some(number(start)), next).take(number(n) as usize + 1).collect()
        }
    }
}

#[test]
fn text_cases() {
    let mut checked = 0;
    for case in CASES.split("\n\n") {
        let mut lines = case.trim().lines();
        let title = lines.next().unwrap();
        let equity = equity(lines.next().unwrap().strip_prefix("equity:").unwrap());
        let dates: Vec<i32> = (0..equity.len() as i32 - 1).collect();
        let mut out = Vec::new();
        evaluate(&account(equity[0], &equity[1..], &dates), &mut Workspace::default(), &mut out);
        for line in lines {
            let (name, expected) = line.split_once(" = ").unwrap();
            let value = out[index_of(name).unwrap()];
            let agrees = match expected {
                "null" => value.to_bits() == num::NAN.to_bits(),
                number => {
                    let number: f64 = number.parse().unwrap();
                    (value - number).abs() <= 1e-11 * number.abs().max(1.0)
                }
            };
            assert!(agrees, "{title}\n{line}, found {value}");
            checked += 1;
        }
    }
    assert!(checked > 80, "the cases were read");
}

#[test]
fn the_table_is_well_formed() {
    for (i, metric) in TABLE.iter().enumerate() {
        assert_eq!(index_of(metric.name), Some(i), "{} appears once", metric.name);
        assert!(metric.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
        assert!(metric.doc.ends_with('.'), "{}", metric.name);
    }
    assert_eq!(index_of("shrape"), None);
    assert_eq!(names().len(), TABLE.len());
}

#[test]
fn counters_and_trades_reach_their_metrics() {
    let trade = |profit: f64, open: bool| Trade {
        symbol: 0,
        quantity: 10.0,
        entry_bar: 0,
        exit_bar: 5,
        entry_price: 100.0,
        exit_price: 100.0 + profit / 10.0,
        fees: 0.0,
        profit,
        open,
    };
    let trades = [trade(100.0, false), trade(-50.0, false), trade(70.0, true)];
    let counters = Counters {
        bars: 40,
        bars_in_market: 10,
        traded_value: 5050.0,
        max_leverage: 0.9,
        fees: 12.5,
        fills: 5,
        ambiguous_bars: 1,
        rejected_orders: 2,
        partial_fills: 3,
    };
    let mut sums = TradeSums::default();
    sums.collect(&trades);
    let account = Account { trades: &sums, counters, ..account(1000.0, &[1000.0, 1020.0], &[]) };
    let mut out = Vec::new();
    evaluate(&account, &mut Workspace::default(), &mut out);
    let value = |name: &str| out[index_of(name).unwrap()];
    assert_eq!(value("exposure"), 0.25);
    assert_eq!(value("turnover"), 5.0 * 126.0);
    assert_eq!((value("max_leverage"), value("fees"), value("fills")), (0.9, 12.5, 5.0));
    assert_eq!((value("ambiguous_bars"), value("rejected_orders"), value("partial_fills")), (1.0, 2.0, 3.0));
    assert_eq!((value("trades"), value("win_rate"), value("profit_factor")), (2.0, 0.5, 2.0));
    assert_eq!((value("expectancy"), value("avg_trade"), value("mean_holding")), (25.0, 0.025, 5.0));
    assert_eq!((value("best_trade"), value("worst_trade"), value("kelly")), (0.1, -0.05, 0.25));
    // mean 25, deviation √((75² + 75²) / 1) = 106.066…
    assert!((value("sqn") - 2.0_f64.sqrt() * 25.0 / 106.066_017_177_982_13).abs() < 1e-14);
    assert!(value("max_drawdown_duration_days").is_nan(), "no dates, no days");
}

#[test]
fn a_used_workspace_changes_nothing_and_does_not_grow() {
    let mut rng = 12345_u64;
    let mut step = || {
        rng = rng.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (rng >> 40) as f64 / (1u64 << 24) as f64 - 0.499
    };
    let mut equity = vec![1e6];
    for k in 0..2000 {
        equity.push(equity[k] * (1.0 + 0.02 * step()));
    }
    let benchmark: Vec<f64> = (0..2000).map(|_| 0.02 * step()).collect();
    let first = Benchmark::new(benchmark[..99].to_vec());
    let benchmark = Benchmark::new(benchmark);
    let dates: Vec<i32> = (0..2000).collect();
    let long = Account { benchmark: Some(&benchmark), ..account(equity[0], &equity[1..], &dates) };
    let short = Account { benchmark: Some(&first), ..account(equity[0], &equity[1..100], &dates[..99]) };
    let mut workspace = Workspace::default();
    let (mut fresh, mut reused) = (Vec::new(), Vec::new());
    evaluate(&long, &mut workspace, &mut reused);
    let capacity = (workspace.returns.capacity(), workspace.logs.capacity());
    for account in [&short, &long, &short] {
        evaluate(account, &mut workspace, &mut reused);
        evaluate(account, &mut Workspace::default(), &mut fresh);
        let bits = |out: &[f64]| out.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&fresh), bits(&reused));
    }
    assert_eq!(capacity, (workspace.returns.capacity(), workspace.logs.capacity()));
}
