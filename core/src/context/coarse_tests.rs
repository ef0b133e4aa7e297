//! Longer bars: what they hold, when they are seen, and that no later bar shows in them.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::Arc;

use super::{Adjust, BarSize, Context, Panel, PositionState, Prepared, Window, Workspace};
use crate::bundle::{Action, Bars, Bundle, Frequency, PriceBasis};
use crate::cache::History;
use crate::calendar::{Calendar, DAY_MICROS, MINUTE_MICROS, date_of};
use crate::rng::Stream;
use crate::strategy::Strategy;

const EXPRESSIONS: &[&str] = &[
    "minutes(15, close)",
    "hourly(high - low)",
    "hourly(sma(close, 3))",
    "minutes(7, volume)",
    "daily(close)",
    "daily(sma(close, 2) + high[1])",
    "weekly(low)",
    "monthly(close)",
    "quarterly(open)",
    "hourly(A.close)",
    "daily(A.close)",
    "minutes_since_open + minutes_to_close + time_of_day",
    "if(session_start or session_end, 1, 0)",
];

/// Bars of `minutes` from before the open to after the close of New York's sessions, with gaps.
fn bundle(random: &mut Stream, calendar: Calendar, minutes: i64, from: i32, to: i32) -> Bundle {
    let symbols: Vec<String> = ["A", "B"].map(String::from).to_vec();
    let bars = symbols.iter().map(|_| {
        let mut own = Bars::default();
        let mut price = 100.0;
        for day in (from..=to).filter(|&day| calendar.is_session(day)) {
            let (open, close) = calendar.hours(day);
            let around = if calendar == Calendar::AlwaysOpen { 0 } else { 90 * MINUTE_MICROS };
            let mut time = open - around + minutes * MINUTE_MICROS;
            while time <= close + around {
                price *= 1.0 + 0.002 * random.normal();
                if random.uniform() < 0.95 {
                    let open = price * (1.0 + 0.001 * random.normal());
                    let (high, low) = (open.max(price) * 1.001, open.min(price) * 0.999);
                    own.push(time, day, [open, high, low, price, (1000.0 * random.uniform()).floor()]);
                }
                time += minutes * MINUTE_MICROS;
            }
        }
        own
    });
    Bundle {
        name: "intraday".into(),
        version: "intraday".into(),
        frequency: Frequency::Intraday,
        calendar,
        prices: PriceBasis::Raw,
        benchmark: None,
        bars: bars.collect(),
        symbols,
        actions: Vec::new(),
        records: Vec::new(),
    }
}

fn panel(bundle: &Bundle, bars: BarSize) -> Panel {
    let window = Window { bars, ..Window::default() };
    Panel::new(bundle, &[], &window, &["A".to_owned()]).unwrap()
}

fn column(panel: &Panel, text: &str) -> Vec<f64> {
    let source = format!("name = \"test\"\n[columns]\nx = '{text}'\n[rules]\ntarget = \"x\"\n");
    let strategy = Strategy::parse(&source, "test").unwrap();
    let context = Context::new(Arc::new(panel.clone()), "test", Arc::new(History::new(0)));
    let (_, root) = strategy.columns[0];
    let rule = context.rule(&strategy, root, &[], &Prepared::default(), &mut Workspace::default());
    (0..panel.rows()).map(|row| rule.at(row, &PositionState::FLAT)).collect()
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn day(year: i32, month: u32, day: u32) -> i32 {
    date_of(year, month, day).unwrap()
}

/// Moves every price after an instant.
fn perturbed(bundle: &Bundle, after: i64, random: &mut Stream) -> Bundle {
    let mut other = bundle.clone();
    for bars in &mut other.bars {
        for row in (0..bars.len()).filter(|&row| bars.time[row] > after) {
            let factor = 0.5 + random.uniform();
            for prices in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close, &mut bars.volume] {
                prices[row] *= factor;
            }
        }
    }
    other
}

#[test]
fn no_later_bar_shows_in_a_longer_one() {
    for (calendar, minutes) in [(Calendar::Xnys, 15), (Calendar::Xnys, 10), (Calendar::AlwaysOpen, 60)] {
        let bundle = bundle(&mut Stream::new(1, [0, 0]), calendar, minutes, day(2024, 6, 24), day(2024, 7, 9));
        let whole = panel(&bundle, BarSize::Bundle);
        let columns: Vec<Vec<f64>> = EXPRESSIONS.iter().map(|text| column(&whole, text)).collect();
        let mut random = Stream::new(2, [0, 0]);
        for t in (3..whole.timeline.len()).step_by(11) {
            let other = panel(&perturbed(&bundle, whole.timeline[t], &mut random), BarSize::Bundle);
            for (text, before) in EXPRESSIONS.iter().zip(&columns) {
                let after = column(&other, text);
                for row in (0..whole.rows()).filter(|&row| whole.row_time[row] as usize <= t) {
                    assert!(same(before[row], after[row]), "{text} at row {row}, bars after {t} changed");
                }
            }
        }
    }
}

#[test]
fn a_longer_bar_is_seen_from_the_bar_that_ends_it_by_the_schedule() {
    // The day before Independence Day 2024 closes at 13:00.
    let bundle = bundle(&mut Stream::new(3, [0, 0]), Calendar::Xnys, 15, day(2024, 7, 1), day(2024, 7, 8));
    let panel = panel(&bundle, BarSize::Bundle);
    let (hourly, daily, weekly) =
        (column(&panel, "hourly(close)"), column(&panel, "daily(close)"), column(&panel, "weekly(close)"));
    let (since, left) = (column(&panel, "minutes_since_open"), column(&panel, "minutes_to_close"));
    let ends = column(&panel, "if(session_end, 1, 0)");
    let mut seen = [0; 3];
    for row in panel.spans[0].rows().skip(1) {
        let within = since[row] > 0.0 && left[row] >= 0.0;
        if within && (since[row] % 60.0 == 0.0 || left[row] == 0.0) {
            assert_eq!(hourly[row], panel.close[row]);
            seen[0] += 1;
        }
        if left[row] == 0.0 {
            assert_eq!((daily[row], ends[row]), (panel.close[row], 1.0));
            seen[1] += 1;
            if panel.row_session[row] == day(2024, 7, 5) {
                assert_eq!(weekly[row], panel.close[row]);
                seen[2] += 1;
            }
        } else {
            assert_eq!(ends[row], 0.0);
        }
        if panel.row_session[row] == day(2024, 7, 3) && left[row] == 0.0 {
            assert_eq!(
                (since[row], panel.calendar.local_minutes(panel.timeline[panel.row_time[row] as usize])),
                (210.0, 780.0)
            );
        }
    }
    assert!(seen.iter().all(|&count| count > 0), "{seen:?}");
}

#[test]
fn a_run_on_longer_bars_has_their_finer_ones_inside() {
    let random = &mut Stream::new(5, [0, 0]);
    for (calendar, size) in [
        (Calendar::Xnys, BarSize::Hour),
        (Calendar::Xnys, BarSize::Daily),
        (Calendar::Xnys, BarSize::Weekly),
        (Calendar::AlwaysOpen, BarSize::ThirtyMinutes),
        (Calendar::AlwaysOpen, BarSize::Daily),
    ] {
        let bundle = bundle(random, calendar, 10, day(2024, 6, 24), day(2024, 7, 9));
        let panel = panel(&bundle, size);
        let fine = panel.fine.as_ref().unwrap();
        assert_eq!(fine.first.len(), panel.rows() + 1);
        assert_eq!(fine.time.len(), bundle.rows());
        for row in 0..panel.rows() {
            let inside = fine.rows(row);
            assert!(!inside.is_empty());
            let highest = fine.high[inside.clone()].iter().copied().fold(0.0, f64::max);
            let lowest = fine.low[inside.clone()].iter().copied().fold(f64::INFINITY, f64::min);
            assert_eq!((panel.high[row], panel.low[row]), (highest, lowest));
            assert_eq!((panel.open[row], panel.close[row]), (fine.open[inside.start], fine.close[inside.end - 1]));
            if size != BarSize::Daily && size != BarSize::Weekly {
                let time = panel.timeline[panel.row_time[row] as usize];
                assert!(fine.time[inside.end - 1] <= time && fine.time[inside.start] > time - 60 * MINUTE_MICROS);
            }
        }
        assert!(panel.spans.iter().all(|span| !span.delisted));
    }
}

#[test]
fn weekly_runs_are_stamped_with_the_last_scheduled_session_and_end_with_the_data() {
    let mut bars = Bars::default();
    for day in (day(2024, 3, 18)..=day(2024, 4, 10)).filter(|&day| Calendar::Xnys.is_session(day)) {
        bars.push(i64::from(day) * DAY_MICROS, day, [1.0, 2.0, 0.5, 1.5, 10.0]);
    }
    let bundle = Bundle {
        name: "daily".into(),
        version: "daily".into(),
        frequency: Frequency::Daily,
        calendar: Calendar::Xnys,
        prices: PriceBasis::Raw,
        benchmark: None,
        symbols: vec!["A".into()],
        bars: vec![bars],
        actions: Vec::new(),
        records: Vec::new(),
    };
    let panel = panel(&bundle, BarSize::Weekly);
    // Good Friday is 29 March; the last week is cut by the data.
    assert_eq!(panel.sessions, [day(2024, 3, 22), day(2024, 3, 28), day(2024, 4, 5), day(2024, 4, 10)]);
    assert_eq!(*panel.volume, [50.0, 40.0, 50.0, 30.0]);
    assert_eq!(column(&panel, "weekly(close)"), column(&panel, "close"));
}

#[test]
fn a_split_inside_a_longer_bar_leaves_it_in_one_unit() {
    let mut bars = Bars::default();
    for day in day(2024, 1, 1)..=day(2024, 1, 28) {
        let price = if day < date_of(2024, 1, 17).unwrap() { 400.0 } else { 100.0 };
        bars.push(i64::from(day) * DAY_MICROS, day, [price, price + 4.0, price - 4.0, price, 10.0]);
    }
    let split =
        Action { symbol: "A".into(), ex_date: day(2024, 1, 17), pay_date: None, split_ratio: 4.0, cash_dividend: 0.0 };
    let bundle = Bundle {
        name: "split".into(),
        version: "split".into(),
        frequency: Frequency::Daily,
        calendar: Calendar::AlwaysOpen,
        prices: PriceBasis::Raw,
        benchmark: None,
        symbols: vec!["A".into()],
        bars: vec![bars],
        actions: vec![split],
        records: Vec::new(),
    };
    let panel = panel(&bundle, BarSize::Weekly);
    assert_eq!(*panel.open, [400.0, 400.0, 100.0, 100.0]);
    assert_eq!(*panel.high, [404.0, 404.0, 104.0, 104.0]);
    assert_eq!(panel.volume[2], 2.0 * 40.0 + 5.0 * 10.0);
    let fine = panel.fine.as_ref().unwrap();
    assert!(fine.close[fine.rows(2)].iter().all(|&close| close == 100.0));
    let mut averages = column(&panel, "sma(close, 2)");
    assert!(averages.remove(0).is_nan());
    assert_eq!(averages, [400.0, 100.0, 100.0]);
    let raw = Window { bars: BarSize::Weekly, adjust: Adjust::None, ..Window::default() };
    let raw = Panel::new(&bundle, &[], &raw, &[]).unwrap();
    assert_eq!(column(&raw, "sma(close, 2)")[2], 250.0);
    // The same word on the daily bars.
    let daily = Panel::new(&bundle, &[], &Window::default(), &[]).unwrap();
    let weekly = column(&daily, "weekly(sma(close, 2))");
    assert_eq!((weekly[13], weekly[16], weekly[27]), (400.0, 100.0, 100.0));
}
