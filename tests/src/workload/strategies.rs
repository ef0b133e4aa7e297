//! The strategies of the workloads, as texts.

use super::Settings;

/// First, last value and step of a parameter.
pub type Range = (i64, i64, i64);

/// W9's averages: one pair; [`grid_of`] widens them.
pub const AVERAGES: [Range; 2] = [(5, 5, 2), (90, 90, 5)];

fn int((min, max, step): Range) -> String {
    format!("{{ type = \"int\", min = {min}, max = {max}, step = {step} }}")
}

fn crossover(average: &str, fast: &str, slow: &str, rebalance: &str) -> String {
    format!(
        "name = \"crossover\"\n[params]\nfast = {fast}\nslow = {slow}\n[rules]\n\
         target = \"if({average}(close, fast) > {average}(close, slow), 1 / n_symbols, 0)\"\n\
         rebalance = \"{rebalance}\"\n"
    )
}

/// SMA crossovers over two ranges of periods; orders when the signal changes.
pub fn pairs([fast, slow]: &[Range; 2]) -> String {
    crossover("sma", &int(*fast), &int(*slow), "on_change")
}

/// W1 and W1d.
pub fn production(rebalance: &str) -> String {
    crossover("sma", &int((5, 100, 5)), &int((22, 212, 10)), rebalance)
}

/// W2.
pub fn micro() -> String {
    pairs(&[(10, 50, 10), (20, 100, 20)])
}

/// W3: five trials a window.
pub fn micro_windows() -> String {
    pairs(&[(10, 50, 10), (60, 60, 20)])
}

/// W4. A symbol is held while its fast average is above the slow one and its average true range is below `threshold` of
/// the close. Its part of equity is 1/n, or less where a day ranges over more than `scaling` thousandths of the price, so
/// that the weight follows volatility from bar to bar.
pub fn heavy() -> String {
    let periods = |name: &str, range: Range| format!("{name} = {}\n", int(range));
    format!(
        "name = \"heavy\"\n[params]\n{}{}threshold = {{ type = \"float\", min = 0.01, max = 0.1, step = 0.01 }}\n{}\
         scaling = {{ type = \"choice\", values = [5, 10, 15] }}\n\
         [columns]\nvolatility = \"atr(period) / close\"\n\
         held = \"sma(close, fast) > sma(close, slow) and volatility < threshold\"\n\
         [rules]\ntarget = \"if(held, min(1, 0.001 * scaling / volatility) / n_symbols, 0)\"\n\
         rebalance = \"on_change\"\n",
        periods("fast", (5, 50, 5)),
        periods("slow", (50, 200, 15)),
        periods("period", (10, 50, 10)),
    )
}

/// W5.
pub fn sweep() -> String {
    pairs(&[(5, 104, 1), (110, 605, 5)])
}

/// W6: W1's grid with 2,500 stop-losses from 1 % to 50.98 %.
pub fn stopped() -> String {
    format!(
        "name = \"stopped\"\n[params]\nfast = {}\nslow = {}\n\
         stop = {{ type = \"float\", min = 0.01, max = 0.5098, step = 0.0002 }}\n\
         [rules]\nenter_long = \"sma(close, fast) > sma(close, slow)\"\n\
         exit_long = \"not (sma(close, fast) > sma(close, slow))\"\nsize = \"1 / n_symbols\"\nstop_loss = \"stop\"\n",
        int((5, 100, 5)),
        int((22, 212, 10)),
    )
}

/// W7.
pub fn single() -> String {
    crossover("ema", "50", "200", "on_change")
}

/// W8.
pub fn momentum() -> String {
    format!(
        "name = \"momentum\"\n[params]\nlookback = {}\nheld = {}\n\
         [rules]\ntarget = \"if(top(roc(close, lookback), held), 1 / held, 0)\"\nrebalance = \"monthly\"\n",
        int((21, 210, 21)),
        int((10, 50, 10)),
    )
}

/// Values of W9's parameters that make a grid of so many points (one of [`super::COUNTS`]).
pub fn grid_of(count: u64) -> Settings {
    let fast = match count {
        1 => 1,
        5 | 25 => 5,
        50 | 100 => 10,
        200 | 400 => 20,
        _ => 40,
    };
    let slow = count.div_ceil(fast);
    let values = |first: u64, step: u64, n: u64| format!("{first}:{}:{step}", first + step * (n - 1));
    vec![("space.fast", values(5, 2, fast)), ("space.slow", values(90, 5, slow))]
}
