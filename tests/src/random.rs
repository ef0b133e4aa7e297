//! Seeded random bundles, strategies and settings for property tests: what a person would not think of.

use sandtable_core::bundle::{Bars, Bundle, Frequency, PriceBasis};
use sandtable_core::calendar::{Calendar, DAY_MICROS};
use sandtable_core::rng::Stream;

/// One of `choices`.
pub fn pick<'a, T>(random: &mut Stream, choices: &'a [T]) -> &'a T {
    &choices[random.below(choices.len() as u64) as usize]
}

fn chance(random: &mut Stream, probability: f64) -> bool {
    random.uniform() < probability
}

/// A daily bundle of `symbols` symbols over at most `days` weekdays: late listings, absent bars, zero volume, gaps,
/// prices from a thousandth to a million.
pub fn bundle(random: &mut Stream, symbols: usize, days: usize) -> Bundle {
    let first = 12_000 + random.below(4000) as i32;
    let sessions: Vec<i32> = (first..).filter(|&d| sandtable_core::calendar::weekday(d) < 5).take(days).collect();
    let names: Vec<String> = (0..symbols).map(|k| format!("S{k:02}")).collect();
    let bars = names.iter().map(|_| bars(random, &sessions)).collect();
    Bundle {
        name: "random".into(),
        version: format!("random-{:016x}", random.next_u64()),
        frequency: Frequency::Daily,
        calendar: Calendar::Weekdays,
        prices: PriceBasis::SplitAdjusted,
        benchmark: None,
        symbols: names,
        bars,
        actions: Vec::new(),
        records: Vec::new(),
    }
}

fn bars(random: &mut Stream, sessions: &[i32]) -> Bars {
    let mut bars = Bars::default();
    let listed = if chance(random, 0.3) { random.below(sessions.len() as u64 / 2 + 1) as usize } else { 0 };
    let absent = if chance(random, 0.4) { 0.1 } else { 0.0 };
    let silent = if chance(random, 0.4) { 0.1 } else { 0.0 };
    let flat = if chance(random, 0.2) { 0.5 } else { 0.02 };
    let daily = 0.002 + 0.04 * random.uniform();
    let scale = *pick(random, &[0.001, 0.5, 20.0, 100.0, 5000.0, 1_000_000.0]);
    let mut close: f64 = scale * (0.5 + random.uniform());
    for &session in &sessions[listed..] {
        if chance(random, absent) && !bars.is_empty() {
            continue;
        }
        let open = if chance(random, flat) { close } else { close * (1.0 + daily * 0.5 * random.normal()).max(0.2) };
        let gap = if chance(random, 0.01) { 0.5 + random.uniform() } else { 1.0 };
        let open = open * gap;
        let next = if chance(random, flat) { open } else { open * (1.0 + daily * random.normal()).max(0.2) };
        let high = open.max(next) * (1.0 + daily * random.uniform());
        let low = open.min(next) * (1.0 - 0.5 * daily * random.uniform());
        close = next.clamp(scale * 1e-3, scale * 1e3);
        bars.time.push(i64::from(session) * DAY_MICROS);
        bars.session.push(session);
        bars.open.push(open);
        bars.high.push(high.max(close).max(open));
        bars.low.push(low.min(close).min(open));
        bars.close.push(close);
        bars.volume.push(if chance(random, silent) { 0.0 } else { (1e5 * random.uniform()).floor() + 1.0 });
    }
    bars
}

/// A numeric expression of at most `depth` levels, over parameters `p` (2…20) and `q` (5…60).
pub fn number(random: &mut Stream, depth: u32) -> String {
    const LEAVES: [&str; 10] =
        ["close", "open", "high", "low", "volume", "close[1]", "close[p]", "S00.close", "weekday", "month"];
    const SERIES: [&str; 16] = [
        "sma({x}, p)",
        "ema({x}, q)",
        "wma({x}, p)",
        "rsi({x}, p)",
        "stddev({x}, q)",
        "highest({x}, p)",
        "lowest({x}, q)",
        "roc({x}, p)",
        "mom({x}, 3)",
        "zscore({x}, q)",
        "macd({x}, 5, 12, 4).hist",
        "bbands({x}, q).upper",
        "linearreg({x}, p)",
        "sum({x}, p)",
        "tema({x}, 4)",
        "kama({x}, p)",
    ];
    const BARS: [&str; 9] =
        ["atr(p)", "natr(q)", "adx(p)", "cci(q)", "stoch().slowk", "willr(p)", "mfi(p)", "donchian(p).upper", "sar()"];
    const ACROSS: [&str; 4] = ["rank({x})", "zscore({x})", "weekly(sma(close, p))", "monthly(roc(high, 3))"];
    const SHAPED: [&str; 8] = [
        "({x} + {y})",
        "({x} - {y})",
        "({x} * 0.5)",
        "({x} / {y})",
        "abs({x})",
        "min({x}, {y})",
        "min({y}, {x})",
        "-{x}",
    ];
    if depth == 0 || chance(random, 0.15) {
        return (*pick(random, &LEAVES)).to_string();
    }
    let form = match random.below(6) {
        0 | 1 => *pick(random, &SERIES),
        2 => *pick(random, &BARS),
        3 => *pick(random, &ACROSS),
        _ => *pick(random, &SHAPED),
    };
    fill(random, form, depth)
}

fn fill(random: &mut Stream, form: &str, depth: u32) -> String {
    let mut text = form.to_string();
    for hole in ["{x}", "{y}"] {
        if text.contains(hole) {
            let inner = number(random, depth - 1);
            text = text.replace(hole, &inner);
        }
    }
    text
}

/// A condition of at most `depth` levels.
pub fn condition(random: &mut Stream, depth: u32) -> String {
    let (x, y) = (number(random, depth), number(random, depth));
    match random.below(8) {
        0 => format!("cross_over({x}, {y})"),
        1 => format!("cross_under({x}, {y})"),
        2 => format!("top({x}, 2)"),
        3 if depth > 0 => format!("({} and {})", condition(random, depth - 1), condition(random, depth - 1)),
        4 if depth > 0 => format!("({} or not {})", condition(random, depth - 1), condition(random, depth - 1)),
        5 => format!("since({x} > {y}) > 3"),
        6 => "week_end".into(),
        _ => format!("{x} > {y}"),
    }
}

/// A whole strategy file.
pub fn strategy(random: &mut Stream) -> String {
    let mut text = String::from(
        "name = \"random\"\n[params]\np = { type = \"int\", min = 2, max = 20, default = 5 }\n\
         q = { type = \"int\", min = 5, max = 60, step = 5, default = 10 }\n[rules]\n",
    );
    if chance(random, 0.5) {
        let weight = match random.below(3) {
            0 => format!("if({}, 1 / n_symbols, 0)", condition(random, 2)),
            1 => format!("if({}, 0.3, if({}, -0.3, 0))", condition(random, 1), condition(random, 1)),
            _ => format!("if(top({}, 2), 0.5, 0)", number(random, 2)),
        };
        text += &format!("target = \"{weight}\"\n");
        let choice = *pick(random, &["on_change", "every_bar", "weekly", "monthly", ""]);
        let rebalance = if choice.is_empty() { condition(random, 1) } else { choice.into() };
        text += &format!("rebalance = \"{rebalance}\"\n");
    } else {
        text += &format!("enter_long = \"{}\"\n", condition(random, 2));
        if chance(random, 0.7) {
            let state = *pick(
                random,
                &[" or bars_held >= p", " or close < entry_price * 0.95", " or close < highest_since_entry * 0.9", ""],
            );
            text += &format!("exit_long = \"{}{state}\"\n", condition(random, 1));
        }
        if chance(random, 0.5) {
            text += &format!("enter_short = \"{}\"\n", condition(random, 1));
            let state = *pick(random, &[" or close > lowest_since_entry * 1.1", "", ""]);
            text += &format!("exit_short = \"{}{state}\"\n", condition(random, 1));
        }
        match random.below(4) {
            0 => text += "size = 10\nsize_in = \"shares\"\n",
            1 => text += "size = \"5000\"\nsize_in = \"value\"\n",
            2 => text += &format!("size = \"{}\"\n", 0.1 + 0.9 * random.uniform()),
            _ => {}
        }
    }
    if text.contains("enter_long") {
        text += &exits(random);
    }
    text
}

/// Exits that come with entries, or none.
fn exits(random: &mut Stream) -> String {
    let mut text = String::new();
    if chance(random, 0.5) {
        return text;
    }
    for name in ["stop_loss", "take_profit"] {
        if chance(random, 0.6) {
            if chance(random, 0.5) {
                text += &format!("{name} = {}\n", 0.002 + 0.1 * random.uniform());
            } else {
                text += &format!("{name} = \"{} * atr(p)\"\n{name}_in = \"amount\"\n", 0.5 + 3.0 * random.uniform());
            }
        }
    }
    if chance(random, 0.4) {
        text += &format!("time_stop = {}\n", 1 + random.below(12));
    }
    if chance(random, 0.1) {
        text += "trailing_stop = 0.05\n";
    }
    text
}

/// Overrides of a study, as key and value.
pub fn settings(random: &mut Stream) -> Vec<(&'static str, String)> {
    let mut list = vec![
        ("fill", (*pick(random, &["next_open", "next_close", "same_close"])).to_string()),
        ("size_at", (*pick(random, &["decision", "fill"])).to_string()),
        ("sequence", (*pick(random, &["sells_first", "by_value", "symbol"])).to_string()),
        ("margin", (*pick(random, &["cash", "cash", "none"])).to_string()),
        ("shorts", chance(random, 0.8).to_string()),
        ("close_at_end", chance(random, 0.3).to_string()),
        ("capital", (*pick(random, &["1000", "100000", "12345678.9"])).to_string()),
    ];
    if chance(random, 0.3) {
        list.push(("fractional", "false".into()));
        list.push(("lot", (*pick(random, &["1", "10", "100"])).to_string()));
    }
    if chance(random, 0.7) {
        list.push(("costs.bps", (20.0 * random.uniform()).to_string()));
        list.push(("costs.slippage_bps", (10.0 * random.uniform()).to_string()));
        list.push(("costs.spread", (0.002 * random.uniform()).to_string()));
    }
    if chance(random, 0.3) {
        list.push(("costs.per_share", "0.005".into()));
        list.push(("costs.per_share_minimum", "1".into()));
        list.push(("costs.per_trade", "0.5".into()));
    }
    list
}

/// Further overrides, rarer ones: the switches of presets, and dates inside the bundle's.
pub fn more_settings(random: &mut Stream, bundle: &Bundle, list: &mut Vec<(&'static str, String)>) {
    if chance(random, 0.3) {
        list.retain(|(key, _)| *key != "size_at");
        list.push(("size_at", "order".into()));
    }
    for (key, probability) in
        [("size_includes_costs", 0.2), ("fill_without_volume", 0.2), ("refuse_unpaid_sales", 0.2), ("end_at_open", 0.3)]
    {
        if chance(random, probability) {
            list.push((key, "true".into()));
        }
    }
    if chance(random, 0.2) {
        list.push(("lot_snap", "false".into()));
    }
    if chance(random, 0.2) {
        list.push(("costs.spread_on", "entry".into()));
    }
    if chance(random, 0.5) {
        list.push(("entry_bar_exits", (*pick(random, &["path", "never", "market"])).to_string()));
        list.push(("beyond_limit", (*pick(random, &["cap", "wait", "fill"])).to_string()));
        list.push(("exit_slippage", chance(random, 0.5).to_string()));
        list.push(("levels_from", (*pick(random, &["fill", "market"])).to_string()));
    }
    let sessions = || bundle.bars.iter().flat_map(|bars| bars.session.iter().copied());
    if let (true, Some(first), Some(last)) = (chance(random, 0.4), sessions().min(), sessions().max()) {
        let start = first + random.below((last - first + 1) as u64 / 2 + 1) as i32;
        list.push(("start", sandtable_core::calendar::format_date(start)));
    }
}
