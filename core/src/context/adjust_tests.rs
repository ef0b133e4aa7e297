//! The past as of each bar, held against the plainest way to compute it, and against other futures.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::Arc;

use super::{Adjust, Context, Panel, Prepared, Window};
use crate::bundle::{Action, Bars, Bundle, Field, Frequency, PriceBasis};
use crate::cache::History;
use crate::calendar::{Calendar, DAY_MICROS, weekday};
use crate::rng::Stream;
use crate::strategy::Strategy;

/// Columns that look back in every way there is; the last ones in two.
const COLUMNS: &[&str] = &[
    "close[1]",
    "close - close[3]",
    "sma(close, 5)",
    "ema(close, 4)",
    "sma(ema(close, 5), 4)",
    "atr(5)",
    "obv()",
    "volume / sma(volume, 3)",
    "if(cross_over(close, sma(close, 6)), 1, 0)",
    "since(close > close[2])",
    "rank(close / close[4])",
    "sma(rank(roc(close, 3)), 3)",
    "A.close",
    "sma(A.close / close, 3)",
    "A.close[2]",
    "weekly(close)",
    "weekly(sma(close, 2) + volume)",
    "weekly(A.close)",
    "highest(high, 7) - lowest(low, 7)",
    "sma(if(defined(A.close), A.close, close) * n_symbols, 3)",
];

fn strategy(column: &str) -> Strategy {
    let source = format!("name = \"test\"\n[columns]\nx = '{column}'\n[rules]\ntarget = \"x\"\n");
    Strategy::parse(&source, "test").unwrap()
}

/// Weekday bars with gaps and late listings, splits and dividends on days with and without a bar.
fn bundle(random: &mut Stream) -> Bundle {
    let days: Vec<i32> = (12_000..12_090).filter(|&day| weekday(day) < 5).collect();
    let symbols: Vec<String> = ["A", "B", "C"].map(String::from).to_vec();
    let mut actions = Vec::new();
    let mut bars = Vec::new();
    for symbol in &symbols {
        let mut own = Bars::default();
        let mut price = 50.0 + 50.0 * random.uniform();
        let listed = random.below(12) as usize;
        for &day in &days[listed..] {
            let last = price;
            let mut split = 1.0;
            for _ in 0..2 {
                if random.uniform() < 0.06 {
                    split = [2.0, 0.25, 1.5, 1.0][random.below(4) as usize];
                    let cash_dividend = if random.uniform() < 0.6 { last * 0.02 * random.uniform() } else { 0.0 };
                    let (ex_date, pay_date) = (day, Some(day + 10));
                    actions.push(Action {
                        symbol: symbol.clone(),
                        ex_date,
                        pay_date,
                        split_ratio: split,
                        cash_dividend,
                    });
                    price /= split;
                }
            }
            price *= 1.0 + 0.02 * random.normal();
            if random.uniform() < 0.1 {
                continue;
            }
            let open = price * (1.0 + 0.005 * random.normal());
            let (high, low) = (open.max(price) * 1.01, open.min(price) * 0.99);
            let volume = (1e4 * random.uniform() * split).floor();
            own.push(i64::from(day) * DAY_MICROS, day, [open, high, low, price, volume]);
        }
        bars.push(own);
    }
    Bundle {
        name: "raw".into(),
        version: "raw".into(),
        frequency: Frequency::Daily,
        calendar: Calendar::Weekdays,
        prices: PriceBasis::Raw,
        benchmark: None,
        symbols,
        bars,
        actions,
        records: Vec::new(),
    }
}

fn column(bundle: &Bundle, text: &str, adjust: Adjust) -> (Panel, Vec<f64>) {
    let window = Window { adjust, ..Window::default() };
    let panel = Panel::new(bundle, &[], &window, &["A".to_owned()]).unwrap();
    let context = Context::new(Arc::new(panel.clone()), "test", Arc::new(History::new(1 << 20)));
    let strategy = strategy(text);
    let (_, root) = strategy.columns[0];
    let mut workspace = super::Workspace::default();
    let rule = context.rule(&strategy, root, &[], &Prepared::default(), &mut workspace);
    let values = (0..panel.rows()).map(|row| rule.at(row, &super::PositionState::FLAT)).collect();
    (panel, values)
}

/// What stays of a bundle up to a session, with all bars adjusted for the actions up to it.
fn prefix_as_of(bundle: &Bundle, session: i32, adjust: Adjust) -> Bundle {
    let mut past = bundle.clone();
    for (symbol, bars) in past.symbols.iter().zip(&mut past.bars) {
        let rows = bars.session.partition_point(|&s| s <= session);
        for field in Field::ALL {
            bars.field_mut(field).truncate(rows);
        }
        bars.time.truncate(rows);
        bars.session.truncate(rows);
        let actions = bundle.actions_of(symbol);
        let mut dates: Vec<i32> = actions.iter().map(|action| action.ex_date).filter(|&d| d <= session).collect();
        dates.dedup();
        for date in dates {
            let today = || actions.iter().filter(|action| action.ex_date == date);
            let ratio: f64 = today().map(|action| action.split_ratio).product();
            let cash: f64 = today().map(|action| action.cash_dividend).sum();
            let before = bars.session.partition_point(|&s| s < date);
            if before == 0 {
                continue;
            }
            let factor = if adjust == Adjust::All { 1.0 - cash / bars.close[before - 1] } else { 1.0 };
            for row in 0..before {
                for prices in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close] {
                    prices[row] = prices[row] * factor / ratio;
                }
                bars.volume[row] *= ratio;
            }
        }
    }
    past.prices = PriceBasis::TotalReturn;
    past.actions.clear();
    past
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

#[test]
fn every_value_is_that_of_the_prefix_adjusted_as_of_its_bar() {
    for seed in 0..3 {
        let bundle = bundle(&mut Stream::new(seed, [1, 0]));
        for adjust in [Adjust::All, Adjust::Splits] {
            let sessions = column(&bundle, "close", adjust).0.sessions;
            let fast: Vec<(Panel, Vec<f64>)> = COLUMNS.iter().map(|text| column(&bundle, text, adjust)).collect();
            let mut compared = 0;
            for (t, &session) in sessions.iter().enumerate().skip(15) {
                let past = prefix_as_of(&bundle, session, adjust);
                for (text, (panel, values)) in COLUMNS.iter().zip(&fast) {
                    if text.starts_with("sma(rank") {
                        // A rank of long ago is the one of then, which a prefix seen from now does not have.
                        continue;
                    }
                    let (prefix, expected) = column(&past, text, Adjust::None);
                    for (span, old) in panel.spans.iter().zip(&prefix.spans) {
                        let row = span.rows().find(|&row| panel.row_time[row] as usize == t);
                        let Some(row) = row else { continue };
                        let (found, expected) = (values[row], expected[old.offset + old.len - 1]);
                        assert!(same(found, expected), "{text}, seed {seed}, bar {t}: {found} {expected}");
                        compared += usize::from(!found.is_nan());
                    }
                }
            }
            assert!(compared > 1000, "{compared} values");
        }
    }
}

#[test]
fn the_history_of_rows_is_the_one_that_lags_see() {
    let bundle = bundle(&mut Stream::new(5, [1, 0]));
    for adjust in [Adjust::All, Adjust::Splits, Adjust::None] {
        for (field, name) in [(Field::Close, "close"), (Field::High, "high"), (Field::Volume, "volume")] {
            for bars in [1, 4, 20] {
                let (panel, values) = column(&bundle, &format!("{name}[{bars}]"), adjust);
                for (symbol, span) in panel.spans.iter().enumerate() {
                    for row in span.rows().skip(bars) {
                        let seen = panel.adjusted(symbol, field, row - bars..row + 1, panel.row_session[row]);
                        assert!(same(seen[0], values[row]), "{name}[{bars}] at {row}");
                        assert!(same(seen[bars], panel.field(field)[row]), "the bar itself");
                    }
                }
            }
        }
    }
}

#[test]
fn a_function_over_symbols_has_the_values_of_its_own_bars() {
    let bundle = bundle(&mut Stream::new(7, [1, 0]));
    let (panel, ranks) = column(&bundle, "rank(roc(close, 3))", Adjust::All);
    let (_, means) = column(&bundle, "sma(rank(roc(close, 3)), 2)", Adjust::All);
    for span in &panel.spans {
        for row in span.rows().skip(1) {
            let expected = (ranks[row - 1] + ranks[row]) / 2.0;
            assert!(same(means[row], expected), "{} {expected}", means[row]);
        }
    }
}

#[test]
fn later_actions_and_bars_change_nothing_before_them() {
    let bundle = bundle(&mut Stream::new(11, [1, 0]));
    for text in COLUMNS {
        let (panel, values) = column(&bundle, text, Adjust::All);
        for t in (10..panel.timeline.len()).step_by(7) {
            let session = panel.sessions[t];
            let mut other = bundle.clone();
            let mut random = Stream::new(t as u64, [2, 0]);
            for action in other.actions.iter_mut().filter(|action| action.ex_date > session) {
                action.split_ratio = 0.1 + 3.0 * random.uniform();
                action.cash_dividend = 5.0 * random.uniform();
            }
            for bars in &mut other.bars {
                for row in (0..bars.len()).filter(|&row| bars.session[row] > session) {
                    let factor = 0.2 + 3.0 * random.uniform();
                    for prices in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close] {
                        prices[row] *= factor;
                    }
                }
            }
            let (_, changed) = column(&other, text, Adjust::All);
            for row in (0..panel.rows()).filter(|&row| panel.row_time[row] as usize <= t) {
                assert!(same(values[row], changed[row]), "{text}, bar {t}, row {row}");
            }
        }
    }
}

#[test]
fn a_split_leaves_no_jump_and_a_dividend_is_a_return() {
    let mut bars = Bars::default();
    for day in 0..60 {
        let price = if day < 30 { 400.0 } else { 100.0 } - if day >= 45 { 2.0 } else { 0.0 };
        bars.push(i64::from(day) * DAY_MICROS, day, [price, price + 1.0, price - 1.0, price, 1000.0]);
    }
    let action = |ex_date, split_ratio, cash_dividend| Action {
        symbol: "A".into(),
        ex_date,
        pay_date: None,
        split_ratio,
        cash_dividend,
    };
    let bundle = Bundle {
        name: "split".into(),
        version: "split".into(),
        frequency: Frequency::Daily,
        calendar: Calendar::AlwaysOpen,
        prices: PriceBasis::Raw,
        benchmark: None,
        symbols: vec!["A".into()],
        bars: vec![bars],
        actions: vec![action(30, 4.0, 0.0), action(45, 1.0, 2.0)],
        records: Vec::new(),
    };
    let at = |text: &str, adjust, row: usize| column(&bundle, text, adjust).1[row];
    assert_eq!(at("sma(close, 20)", Adjust::All, 29), 400.0);
    for row in 30..45 {
        assert_eq!(at("sma(close, 20)", Adjust::All, row), 100.0, "row {row}");
    }
    assert_eq!(at("sma(volume, 2)", Adjust::All, 30), 2500.0);
    assert_eq!(at("close[1]", Adjust::All, 45), 98.0);
    assert_eq!(at("close[1]", Adjust::Splits, 45), 100.0);
    assert_eq!(at("close[1]", Adjust::None, 30), 400.0);
    assert_eq!(at("close", Adjust::All, 29), 400.0, "a bar itself is as traded");
    let (panel, _) = column(&bundle, "close", Adjust::All);
    assert_eq!((panel.actions[0].len(), panel.actions[0][1].cash_dividend), (2, 2.0));
    let adjusted = Bundle { prices: PriceBasis::TotalReturn, ..bundle.clone() };
    assert!(column(&adjusted, "close", Adjust::All).0.actions.iter().all(Vec::is_empty));
}

#[test]
fn a_symbol_is_delisted_where_its_record_ends_and_not_where_a_window_does() {
    let mut bundle = bundle(&mut Stream::new(3, [1, 0]));
    let gone = bundle.bars[1].len() - 20;
    let bars = &mut bundle.bars[1];
    bars.time.truncate(gone);
    bars.session.truncate(gone);
    for field in Field::ALL {
        bars.field_mut(field).truncate(gone);
    }
    // The others end on the same session.
    let end = bundle.bars.iter().filter_map(|bars| bars.session.last()).max().copied().unwrap();
    for place in [0, 2] {
        bundle.bars[place].push(i64::from(end + 1) * DAY_MICROS, end + 1, [1.0; 5]);
    }
    let delisted = |bundle: &Bundle, to: Option<i32>| {
        let panel = Panel::new(bundle, &[], &Window { to, ..Window::default() }, &[]).unwrap();
        panel.spans.iter().map(|span| span.delisted).collect::<Vec<bool>>()
    };
    assert_eq!(delisted(&bundle, None), [false, true, false]);
    let last = *bundle.bars[1].session.last().unwrap();
    assert_eq!(delisted(&bundle, Some(last)), [false, false, false]);
    // A slice that cuts bars says the same as the whole.
    bundle.records = (0..3).map(|place| bundle.record(place).unwrap()).collect();
    for place in [0, 1, 2] {
        let rows = bundle.bars[place].session.partition_point(|&s| s <= last - 5);
        let bars = &mut bundle.bars[place];
        bars.time.truncate(rows);
        bars.session.truncate(rows);
        for field in Field::ALL {
            bars.field_mut(field).truncate(rows);
        }
    }
    assert_eq!(delisted(&bundle, None), [false, false, false]);
}
