//! Orders on bars made by hand: where each kind fills, what cancels what, and what an account may do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use sandtable_core::bundle::{Bars, Bundle, Frequency, PriceBasis};
use sandtable_core::calendar::{Calendar, DAY_MICROS};
use sandtable_core::context::{CorporateAction, Fine, Panel, Window};
use sandtable_core::engine::{
    Bracket, Cancel, Desk, Distance, Happening, Level, Limit, Order, Record, Size, Ticket, Wait, Workspace,
    check_ledger, simulate,
};
use sandtable_core::plan::{
    Costs, EntryBarExits, Fill, Margin, Sequence, Settings, SizeAt, SplitCash, StopLimitFill, Tier, Tiers, TiersBy,
    Touch, Unaffordable,
};

/// Open, high, low, close, volume of a bar.
type Row = [f64; 5];

/// A Monday.
const FIRST: i32 = 17_532;

fn panel(symbols: &[(&str, &[Row])]) -> Panel {
    let series = symbols.iter().map(|(name, rows)| ((*name).to_string(), bars(rows, 0)));
    let (names, bars) = series.unzip();
    let bundle = Bundle {
        name: "hand".into(),
        version: "hand".into(),
        frequency: Frequency::Daily,
        calendar: Calendar::AlwaysOpen,
        prices: PriceBasis::SplitAdjusted,
        benchmark: None,
        symbols: names,
        bars,
        actions: Vec::new(),
        records: Vec::new(),
    };
    Panel::new(&bundle, &[], &Window::default(), &[]).unwrap()
}

fn bars(rows: &[Row], from: i32) -> Bars {
    let mut bars = Bars::default();
    for (k, &[open, high, low, close, volume]) in rows.iter().enumerate() {
        let session = FIRST + from + k as i32;
        bars.time.push(i64::from(session) * DAY_MICROS);
        bars.session.push(session);
        bars.open.push(open);
        bars.high.push(high);
        bars.low.push(low);
        bars.close.push(close);
        bars.volume.push(volume);
    }
    bars
}

fn free() -> Settings {
    Settings { capital: 10_000.0, ..Settings::default() }
}

fn run(panel: &Panel, settings: &Settings, mut decide: impl FnMut(&mut Desk<'_>)) -> Workspace {
    let mut workspace = Workspace::default();
    let record = Record { fills: true, bars: true, events: 0..panel.timeline.len() };
    simulate(panel, &mut decide, settings, record, &mut workspace);
    check_ledger(panel, settings, &workspace).unwrap_or_else(|error| panic!("{error}"));
    workspace
}

/// Fills as (bar, units, price).
fn fills(workspace: &Workspace) -> Vec<(u32, f64, f64)> {
    workspace.account.fills.iter().map(|fill| (fill.bar, fill.quantity, fill.price)).collect()
}

/// Places one order at bar 0 and gives the fills.
fn one(rows: &[Row], settings: &Settings, order: Order) -> Vec<(u32, f64, f64)> {
    let panel = panel(&[("A", rows)]);
    fills(&run(&panel, settings, |desk| {
        if desk.bar() == 0 {
            desk.place(order);
        }
    }))
}

fn shares(units: f64) -> Order {
    Order::market(0, Size::Shares(units))
}

const QUIET: Row = [100.0, 101.0, 99.0, 100.0, 1000.0];

#[test]
fn limits_fill_at_their_price_or_at_the_open_that_gaps_over_it() {
    let touched = [QUIET, [100.0, 103.0, 97.0, 101.0, 1000.0]];
    let gap_down = [QUIET, [95.0, 99.0, 94.0, 96.0, 1000.0]];
    let gap_up = [QUIET, [105.0, 106.0, 104.0, 105.0, 1000.0]];
    for (rows, order, expected) in [
        (&touched, shares(10.0).limit(98.0), vec![(1, 10.0, 98.0)]),
        (&touched, shares(10.0).limit(97.0), vec![(1, 10.0, 97.0)]),
        (&touched, shares(10.0).limit(96.9), vec![]),
        (&gap_down, shares(10.0).limit(98.0), vec![(1, 10.0, 95.0)]),
        (&touched, shares(-10.0).limit(102.0), vec![(1, -10.0, 102.0)]),
        (&gap_up, shares(-10.0).limit(102.0), vec![(1, -10.0, 105.0)]),
        (&touched, shares(-10.0).limit(103.1), vec![]),
    ] {
        assert_eq!(one(rows, &free(), order), expected, "{order:?}");
    }
}

#[test]
fn stops_fill_at_their_price_or_at_the_open_that_gaps_over_it() {
    let touched = [QUIET, [100.0, 103.0, 97.0, 101.0, 1000.0]];
    let gap_down = [QUIET, [95.0, 99.0, 94.0, 96.0, 1000.0]];
    let gap_up = [QUIET, [105.0, 106.0, 104.0, 105.0, 1000.0]];
    for (rows, order, expected) in [
        (&touched, shares(10.0).stop(102.0), vec![(1, 10.0, 102.0)]),
        (&touched, shares(10.0).stop(103.5), vec![]),
        (&gap_up, shares(10.0).stop(102.0), vec![(1, 10.0, 105.0)]),
        (&touched, shares(-10.0).stop(98.0), vec![(1, -10.0, 98.0)]),
        (&gap_down, shares(-10.0).stop(98.0), vec![(1, -10.0, 95.0)]),
    ] {
        assert_eq!(one(rows, &free(), order), expected, "{order:?}");
    }
    let close_only = Settings { touch: Touch::Close, fill: Fill::NextClose, ..free() };
    assert_eq!(one(&touched, &close_only, shares(10.0).stop(102.0)), [], "only the close counts");
    assert_eq!(one(&touched, &close_only, shares(10.0).stop(101.0)), [(1, 10.0, 101.0)]);
    assert_eq!(one(&gap_down, &close_only, shares(10.0).limit(97.0)), [(1, 10.0, 96.0)]);
}

#[test]
fn stop_limits_fill_only_where_the_path_of_the_bar_must_have_been() {
    let rises = [QUIET, [100.0, 106.0, 99.0, 104.0, 1000.0], [104.0, 105.0, 102.5, 103.0, 1000.0]];
    // The stop at 103 wakes it; a limit above is met at once.
    assert_eq!(one(&rises, &free(), shares(10.0).stop(103.0).limit(104.0)), [(1, 10.0, 103.0)]);
    // A limit below waits: nothing says that the price came back on the same bar.
    assert_eq!(one(&rises, &free(), shares(10.0).stop(103.0).limit(102.8)), [(2, 10.0, 102.8)]);
    let gap = [QUIET, [105.0, 106.0, 103.5, 104.0, 1000.0]];
    assert_eq!(one(&gap, &free(), shares(10.0).stop(103.0).limit(105.5)), [(1, 10.0, 105.0)]);
    // Opened beyond the limit and came back to it.
    assert_eq!(one(&gap, &free(), shares(10.0).stop(103.0).limit(104.0)), [(1, 10.0, 104.0)]);
    assert_eq!(one(&gap, &free(), shares(10.0).stop(103.0).limit(103.2)), []);
    let at_stop = Settings { stop_limit_fill: StopLimitFill::AtStop, ..free() };
    assert_eq!(one(&gap, &at_stop, shares(10.0).stop(103.0).limit(104.0)), [(1, 10.0, 103.0)]);
}

#[test]
fn trailing_stops_follow_the_best_price_of_earlier_bars() {
    let rows = [
        QUIET,
        [100.0, 101.0, 99.0, 100.0, 1000.0],
        [100.0, 110.0, 99.5, 109.0, 1000.0],
        [109.0, 109.5, 104.0, 105.0, 1000.0],
    ];
    let panel = panel(&[("A", &rows)]);
    for (by, expected) in [
        // 110 × 0.95 = 104.5 stands from the bar after the high on; the high of its own bar does not count.
        (Distance::Fraction(0.05), vec![(1, 10.0, 100.0), (3, -10.0, 104.5)]),
        (Distance::Amount(4.0), vec![(1, 10.0, 100.0), (3, -10.0, 106.0)]),
        (Distance::Amount(7.0), vec![(1, 10.0, 100.0)]),
    ] {
        let done = run(&panel, &free(), |desk| {
            if desk.bar() == 0 {
                desk.place(shares(10.0).bracket(Bracket { trailing: Some(by), ..Bracket::default() }));
            }
        });
        assert_eq!(fills(&done), expected, "{by:?}");
    }
    // As an order of its own, placed while the position is open.
    let done = run(&panel, &free(), |desk| match desk.bar() {
        0 => _ = desk.order(0, 10.0),
        1 => _ = desk.place(shares(-10.0).trailing(Distance::Amount(4.0))),
        _ => {}
    });
    assert_eq!(fills(&done), [(1, 10.0, 100.0), (3, -10.0, 106.0)]);
}

fn bracket(stop: f64, target: f64) -> Bracket {
    let level = |price| Some(Level::Price(price));
    Bracket { stop_loss: level(stop), take_profit: level(target), ..Bracket::default() }
}

#[test]
fn a_bracket_leaves_once_and_the_other_exit_goes() {
    let up = [QUIET, QUIET, [100.0, 106.0, 99.5, 105.0, 1000.0], [105.0, 106.0, 90.0, 91.0, 1000.0]];
    let down = [QUIET, QUIET, [100.0, 101.0, 94.0, 95.0, 1000.0], [95.0, 120.0, 94.0, 118.0, 1000.0]];
    let gap = [QUIET, QUIET, [92.0, 94.0, 91.0, 93.0, 1000.0], [93.0, 120.0, 92.0, 118.0, 1000.0]];
    for (rows, exit) in [(&up, (2, -10.0, 105.0)), (&down, (2, -10.0, 95.0)), (&gap, (2, -10.0, 92.0))] {
        assert_eq!(one(rows, &free(), shares(10.0).bracket(bracket(95.0, 105.0))), [(1, 10.0, 100.0), exit]);
    }
    let short = one(&down, &free(), shares(-10.0).bracket(bracket(105.0, 95.0)));
    assert_eq!(short, [(1, -10.0, 100.0), (2, 10.0, 95.0)]);
}

#[test]
fn a_bar_that_touches_both_exits_takes_the_stop_and_is_counted() {
    let wild = [QUIET, QUIET, [100.0, 106.0, 94.0, 100.0, 1000.0]];
    let panel = panel(&[("A", &wild)]);
    let done = run(&panel, &free(), |desk| {
        if desk.bar() == 0 {
            desk.place(shares(10.0).bracket(bracket(95.0, 105.0)));
        }
    });
    assert_eq!(fills(&done), [(1, 10.0, 100.0), (2, -10.0, 95.0)]);
    assert_eq!(done.counters.ambiguous_bars, 1);
    // An open beyond the target decides.
    let decided = [QUIET, QUIET, [106.0, 107.0, 94.0, 100.0, 1000.0]];
    assert_eq!(
        one(&decided, &free(), shares(10.0).bracket(bracket(95.0, 105.0))),
        [(1, 10.0, 100.0), (2, -10.0, 106.0)]
    );
}

#[test]
fn exits_on_the_bar_of_their_entry_go_as_far_as_its_path_is_known() {
    let wide = [QUIET, [100.0, 106.0, 94.0, 100.0, 1000.0], [100.0, 100.5, 99.5, 100.0, 1000.0]];
    let exits = bracket(95.0, 105.0);
    let with = |entry_bar_exits| Settings { entry_bar_exits, ..free() };
    // Entered at the open: the stop comes first.
    assert_eq!(one(&wide, &free(), shares(10.0).bracket(exits)), [(1, 10.0, 100.0), (1, -10.0, 95.0)]);
    assert_eq!(one(&wide, &with(EntryBarExits::Never), shares(10.0).bracket(exits)), [(1, 10.0, 100.0)]);
    // Bought at a limit of 98 on the way down to 94: the stop was reached after it, the target maybe before.
    let limit = shares(10.0).limit(98.0);
    assert_eq!(one(&wide, &free(), limit.bracket(exits)), [(1, 10.0, 98.0), (1, -10.0, 95.0)]);
    assert_eq!(one(&wide, &free(), limit.bracket(bracket(90.0, 105.0))), [(1, 10.0, 98.0)]);
    assert_eq!(one(&wide, &with(EntryBarExits::Market), limit.bracket(exits)), [(1, 10.0, 98.0)]);
    // Bought at a stop of 102 on the way up to 106: the target was reached after it.
    let stop = shares(10.0).stop(102.0);
    assert_eq!(one(&wide, &free(), stop.bracket(bracket(90.0, 105.0))), [(1, 10.0, 102.0), (1, -10.0, 105.0)]);
    assert_eq!(one(&wide, &free(), stop.bracket(exits)), [(1, 10.0, 102.0), (1, -10.0, 95.0)], "the worse one first");
    assert_eq!(one(&wide, &with(EntryBarExits::Market), stop.bracket(exits)), [(1, 10.0, 102.0)]);
}

#[test]
fn a_stop_moves_to_the_entry_once_its_profit_was_reached() {
    let rows = [
        QUIET,
        [100.0, 101.0, 99.0, 100.0, 1000.0],
        [100.0, 104.0, 99.0, 103.0, 1000.0],
        [103.0, 103.0, 98.0, 99.0, 1000.0],
    ];
    let even = Bracket {
        stop_loss: Some(Level::From(Distance::Fraction(0.1))),
        break_even: Some(Distance::Amount(4.0)),
        ..Bracket::default()
    };
    assert_eq!(one(&rows, &free(), shares(10.0).bracket(even)), [(1, 10.0, 100.0), (3, -10.0, 100.0)]);
    let later = Bracket { break_even: Some(Distance::Amount(5.0)), ..even };
    assert_eq!(one(&rows, &free(), shares(10.0).bracket(later)), [(1, 10.0, 100.0)]);
    let alone = Bracket { stop_loss: None, ..even };
    assert_eq!(one(&rows, &free(), shares(10.0).bracket(alone)), [(1, 10.0, 100.0), (3, -10.0, 100.0)]);
}

#[test]
fn a_time_stop_acts_as_a_rule_on_bars_held_would() {
    let rows = [QUIET; 6];
    let timed = Bracket { time_stop: Some(2), ..Bracket::default() };
    assert_eq!(one(&rows, &free(), shares(10.0).bracket(timed)), [(1, 10.0, 100.0), (4, -10.0, 100.0)]);
    let same = Settings { fill: Fill::SameClose, ..free() };
    assert_eq!(one(&rows, &same, shares(10.0).bracket(timed)), [(0, 10.0, 100.0), (2, -10.0, 100.0)]);
}

#[test]
fn orders_expire_and_cancel_each_other() {
    let rows = [QUIET, QUIET, [100.0, 106.0, 94.0, 100.0, 1000.0], QUIET];
    assert_eq!(one(&rows, &free(), shares(10.0).limit(95.0)), [(2, 10.0, 95.0)]);
    assert_eq!(one(&rows, &free(), shares(10.0).limit(95.0).day()), []);
    assert_eq!(one(&rows, &free(), shares(10.0).limit(95.0).bars(1)), []);
    assert_eq!(one(&rows, &free(), shares(10.0).limit(95.0).bars(2)), [(2, 10.0, 95.0)]);
    let panel = panel(&[("A", &rows)]);
    let done = run(&panel, &free(), |desk| {
        if desk.bar() == 0 {
            let below = desk.place(shares(10.0).limit(95.0)).unwrap();
            desk.place(shares(10.0).stop(105.0).oco(below));
        }
    });
    assert_eq!(fills(&done).len(), 1, "one of two");
    let cancelled = done.events.iter().filter(|event| event.what == Happening::Cancelled(Cancel::Oco));
    assert_eq!(cancelled.count(), 1);
    let done = run(&panel, &free(), |desk| match desk.bar() {
        0 => _ = desk.place(shares(10.0).limit(90.0)),
        1 => {
            let waiting: Vec<Ticket> = desk.open_orders(0);
            assert!(desk.replace(waiting[0], shares(5.0).limit(96.0)).is_some());
            assert!(!desk.cancel(waiting[0]), "it is gone");
        }
        _ => {}
    });
    assert_eq!(fills(&done), [(2, 5.0, 96.0)]);
}

#[test]
fn what_waits_says_why() {
    let rows = [QUIET, [100.0, 101.0, 99.0, 100.0, 0.0], QUIET, QUIET];
    let panel = panel(&[("A", &rows)]);
    let done = run(&panel, &free(), |desk| {
        if desk.bar() == 0 {
            desk.place(shares(10.0).limit(95.0));
            desk.place(shares(10.0).stop(120.0));
        }
    });
    let waits: Vec<(u32, Wait)> = done
        .events
        .iter()
        .filter_map(|event| if let Happening::Waits(wait) = event.what { Some((event.bar, wait)) } else { None })
        .collect();
    let at = |bar| [(bar, Wait::LimitNotReached), (bar, Wait::StopNotReached)];
    assert_eq!(waits, [[(1, Wait::NoVolume); 2], at(2), at(3)].concat());
}

#[test]
fn the_part_of_a_bars_volume_limits_and_the_rest_stays_open() {
    let rows = [QUIET; 6];
    let tenth = Settings { volume_limit: 0.1, fractional: false, margin: Margin::None, ..free() };
    let costs = Costs { per_share: 0.01, per_share_minimum: 3.0, ..Costs::default() };
    let panel = panel(&[("A", &rows)]);
    let done = run(&panel, &Settings { costs, ..tenth }, |desk| {
        if desk.bar() == 0 {
            desk.order(0, 250.0);
            desk.order(0, 30.0);
        }
    });
    // Of 1000 units a tenth; the younger order gets what the older one leaves.
    assert_eq!(fills(&done), [(1, 100.0, 100.0), (2, 100.0, 100.0), (3, 50.0, 100.0), (3, 30.0, 100.0)]);
    // The minimum of 3 is charged once over an order's life: 250 units cost 3, then nothing until 300 would be reached.
    let fees: Vec<f64> = done.account.fills.iter().map(|fill| fill.fee).collect();
    assert_eq!(fees, [3.0, 0.0, 0.0, 3.0]);
    assert_eq!(done.counters.partial_fills, 2);
}

#[test]
fn impact_grows_with_the_share_and_a_limit_holds() {
    let rows = [QUIET; 3];
    let share = Settings {
        volume_limit: 0.25,
        costs: Costs { volume_impact: 0.1, ..Costs::default() },
        margin: Margin::None,
        ..free()
    };
    assert_eq!(one(&rows, &share, shares(100.0)), [(1, 100.0, 100.0 * (1.0 + 0.1 * 0.1 * 0.1))]);
    assert_eq!(one(&rows, &share, shares(100.0).limit(100.05))[0].2, 100.05, "never beyond the limit");
    let many: Vec<Row> = (0..30)
        .map(|k| if k % 2 == 0 { [100.0, 101.0, 99.0, 100.0, 1000.0] } else { [100.0, 103.0, 99.0, 102.0, 1000.0] })
        .collect();
    let root = Settings { costs: Costs { sqrt_impact: 0.5, ..Costs::default() }, margin: Margin::None, ..free() };
    let panel = panel(&[("A", &many)]);
    let done = run(&panel, &root, |desk| {
        if desk.bar() == 28 {
            desk.order(0, 40.0);
        }
    });
    // Returns of ±2 %, about: sigma near 0.02; √(40 / 1000) = 0.2.
    let worse = done.account.fills[0].price / 100.0 - 1.0;
    assert!((0.0018..0.0023).contains(&worse), "{worse}");
}

#[test]
fn commissions_by_tier_and_by_side() {
    let rows = [QUIET; 4];
    let tiers = |by, second| {
        let list = [
            Tier { bps: 5.0, minimum: 1.0, ..Tier::default() },
            Tier { from: second, per_trade: 5.0, bps: 2.0, ..Tier::default() },
        ];
        Costs { tiers: Tiers::new(&list).unwrap(), tiers_by: by, ..Costs::default() }
    };
    let fees = |costs, orders: &[Order]| {
        let panel = panel(&[("A", &rows)]);
        let settings = Settings { costs, margin: Margin::None, ..free() };
        let done = run(&panel, &settings, |desk| {
            if let Some(order) = orders.get(desk.bar()) {
                desk.place(*order);
            }
        });
        done.account.fills.iter().map(|fill| fill.fee).collect::<Vec<f64>>()
    };
    let by_value = tiers(TiersBy::OrderValue, 20_000.0);
    assert_eq!(fees(by_value, &[shares(10.0), shares(100.0), shares(300.0)]), [1.0, 5.0, 5.0 + 6.0]);
    let by_month = tiers(TiersBy::MonthVolume, 100.0);
    assert_eq!(fees(by_month, &[shares(100.0), shares(100.0)]), [5.0, 5.0 + 2.0]);
    let sides = Costs { maker_bps: 1.0, taker_bps: 3.0, ..Costs::default() };
    let [taker, maker] = fees(sides, &[shares(100.0), shares(100.0).limit(99.5)])[..] else { panic!("two fills") };
    assert!((taker - 3.0).abs() < 1e-12 && (maker - 0.995).abs() < 1e-12, "{taker} {maker}");
}

#[test]
fn cash_margin_and_limits_cut_or_refuse() {
    let rows = [QUIET; 4];
    let cut = one(&rows, &free(), shares(150.0));
    assert_eq!(cut, [(1, 100.0, 100.0)]);
    let reject = Settings { unaffordable: Unaffordable::Reject, ..free() };
    assert_eq!(one(&rows, &reject, shares(150.0)), []);
    let margin = Settings { margin: Margin::RegT, initial_margin: 0.5, ..free() };
    assert_eq!(one(&rows, &margin, shares(300.0)), [(1, 200.0, 100.0)]);
    assert_eq!(one(&rows, &margin, shares(-300.0)), [(1, -200.0, 100.0)]);
    assert_eq!(one(&rows, &Settings { max_weight: 0.3, ..free() }, shares(80.0)), [(1, 30.0, 100.0)]);
    assert_eq!(one(&rows, &Settings { max_leverage: 0.5, ..free() }, shares(80.0)), [(1, 50.0, 100.0)]);
    assert_eq!(one(&rows, &Settings { max_order: 7.0, ..free() }, shares(80.0)), [(1, 7.0, 100.0)]);
    assert_eq!(one(&rows, &Settings { min_order: 90.0, ..free() }, shares(80.0)), []);
    assert_eq!(one(&rows, &Settings { shorts: false, ..free() }, shares(-80.0)), []);
    let panel = panel(&[("A", &rows), ("B", &rows), ("C", &rows)]);
    let done = run(&panel, &Settings { max_positions: 2, ..free() }, |desk| {
        if desk.bar() == 0 {
            (0..3).for_each(|symbol| _ = desk.order(symbol, 10.0));
        }
    });
    assert_eq!(done.account.positions(), [10.0, 10.0, 0.0]);
    assert!(done.events.iter().any(|event| event.what == Happening::Refused(Limit::MaxPositions)));
}

#[test]
fn a_margin_call_sells_off_and_ruin_ends_the_run() {
    let falls = [QUIET, QUIET, [100.0, 100.0, 60.0, 62.0, 1000.0], [62.0, 63.0, 61.0, 62.0, 1000.0], QUIET];
    let margin = Settings { margin: Margin::RegT, initial_margin: 0.5, maintenance_margin: 0.25, ..free() };
    let panel_ = panel(&[("A", &falls)]);
    let done = run(&panel_, &margin, |desk| {
        if desk.bar() == 0 {
            desk.order(0, 200.0);
        }
    });
    // Equity 2,400 carries 4,800 at the initial margin: of 12,400 the rest is sold at the next open.
    assert_eq!(fills(&done)[0], (1, 200.0, 100.0));
    assert_eq!((fills(&done)[1].0, fills(&done)[1].2), (3, 62.0));
    assert!((done.account.positions()[0] - 4800.0 / 62.0).abs() < 1e-9);
    let crash = [QUIET, QUIET, [100.0, 100.0, 40.0, 45.0, 1000.0], [45.0, 90.0, 44.0, 90.0, 1000.0]];
    let panel_ = panel(&[("A", &crash)]);
    let done = run(&panel_, &margin, |desk| {
        if desk.bar() % 2 == 0 {
            desk.order(0, 200.0);
        }
    });
    assert_eq!(fills(&done), [(1, 200.0, 100.0), (2, -200.0, 45.0)], "closed at the close that ruined it");
    assert_eq!(done.bar_equity[2..], [-1000.0, -1000.0]);
}

#[test]
fn sizes_of_every_kind() {
    let rows = [QUIET; 3];
    let stop = Bracket { stop_loss: Some(Level::From(Distance::Amount(5.0))), ..Bracket::default() };
    let sized = |settings: &Settings, size| one(&rows, settings, Order::market(0, size).bracket(stop))[0].1;
    for size_at in [SizeAt::Decision, SizeAt::Fill, SizeAt::Order] {
        let settings = Settings { size_at, ..free() };
        assert_eq!(sized(&settings, Size::Shares(7.0)), 7.0);
        assert_eq!(sized(&settings, Size::Value(5000.0)), 50.0);
        assert_eq!(sized(&settings, Size::Percent(0.25)), 25.0);
        assert_eq!(sized(&settings, Size::TargetPercent(0.25)), 25.0);
        assert_eq!(sized(&settings, Size::TargetValue(1000.0)), 10.0);
        assert_eq!(sized(&settings, Size::TargetShares(-3.0)), -3.0);
        assert_eq!(sized(&settings, Size::BuyingPower(0.5)), 50.0);
        assert_eq!(sized(&settings, Size::Risk(0.01)), 20.0, "100 of 10,000 are lost 5 below the entry");
    }
    let lots = Settings { fractional: false, lot: 10.0, ..free() };
    assert_eq!(sized(&lots, Size::Percent(0.29)), 20.0);
}

#[test]
fn targets_count_open_orders() {
    let rows = [QUIET; 4];
    let panel = panel(&[("A", &rows)]);
    let decide = |desk: &mut Desk<'_>| {
        if desk.bar() == 0 {
            desk.place(shares(30.0).limit(50.0));
            desk.order_target(0, 100.0);
        }
    };
    assert_eq!(run(&panel, &free(), decide).account.positions(), [70.0]);
    let ignored = Settings { targets_count_orders: false, ..free() };
    assert_eq!(run(&panel, &ignored, decide).account.positions(), [100.0]);
}

fn with_actions(rows: &[Row], actions: Vec<CorporateAction>) -> Panel {
    let mut panel = panel(&[("A", rows)]);
    panel.actions = vec![actions];
    panel
}

fn action(day: i32, split_ratio: f64, cash_dividend: f64, pay: i32) -> CorporateAction {
    CorporateAction {
        ex_date: FIRST + day,
        pay_date: Some(FIRST + pay),
        split_ratio,
        cash_dividend,
        previous_close: Some(100.0),
    }
}

#[test]
fn dividends_are_earned_before_the_ex_date_and_paid_later() {
    let rows = [QUIET; 6];
    for (units, cash) in [(10.0, 12.5), (-10.0, -12.5)] {
        let panel = with_actions(&rows, vec![action(2, 1.0, 1.25, 4)]);
        let done = run(&panel, &free(), |desk| {
            if desk.bar() == 0 {
                desk.order(0, units);
            }
            if desk.bar() == 2 {
                desk.close(0);
            }
        });
        assert_eq!(done.bar_equity, [10_000.0, 10_000.0, 10_000.0, 10_000.0, 10_000.0 + cash, 10_000.0 + cash]);
    }
    // Bought at the open of the ex-date: too late.
    let panel = with_actions(&rows, vec![action(1, 1.0, 1.25, 1)]);
    let done = run(&panel, &free(), |desk| {
        if desk.bar() == 0 {
            desk.order(0, 10.0);
        }
    });
    assert_eq!(done.account.flows, []);
}

#[test]
fn splits_scale_positions_orders_and_exits() {
    let after: Row = [25.0, 25.5, 24.5, 25.0, 4000.0];
    let rows = [QUIET, QUIET, after, [25.0, 26.5, 24.5, 26.0, 4000.0], after];
    let panel = with_actions(&rows, vec![action(2, 4.0, 0.0, 2)]);
    let done = run(&panel, &free(), |desk| {
        if desk.bar() == 0 {
            desk.place(shares(10.0).bracket(bracket(80.0, 104.0)));
            desk.place(shares(5.0).limit(97.0));
        }
    });
    assert_eq!(fills(&done), [(1, 10.0, 100.0), (3, -40.0, 26.0)], "the target of 104 is one of 26 after 4:1");
    let trade = done.account.trades[0];
    assert_eq!((trade.quantity, trade.entry_price, trade.profit), (40.0, 25.0, 40.0));
    assert_eq!(done.bar_equity[2], 10_000.0);
    // 15 old shares make 22.5 new ones: half a share is paid out at its price after the split.
    let split = [QUIET, QUIET, [66.0, 67.0, 65.0, 66.0, 4000.0], [66.0, 67.0, 65.0, 66.0, 4000.0]];
    let whole = Settings { fractional: false, ..free() };
    for (split_cash, expected) in [(SplitCash::LastPrice, 0.5 * 100.0 / 1.5), (SplitCash::CostBasis, 33.34)] {
        let panel = with_actions(&split, vec![action(2, 1.5, 0.0, 2)]);
        let done = run(&panel, &Settings { split_cash, ..whole }, |desk| {
            if desk.bar() == 0 {
                desk.order(0, 15.0);
            }
        });
        assert_eq!(done.account.positions(), [22.0]);
        assert!((done.account.cash - (8_500.0 + expected)).abs() < 1e-9, "{}", done.account.cash);
    }
}

#[test]
fn a_symbol_that_disappears_is_paid_out() {
    let long = [QUIET; 6];
    let mut panel = panel(&[("A", &long[..3]), ("B", &long)]);
    panel.spans[0].delisted = true;
    let settings = Settings { delisting_haircut: 0.3, ..free() };
    let done = run(&panel, &settings, |desk| {
        if desk.bar() == 0 {
            desk.order(0, 10.0);
            desk.place(shares(10.0).limit(50.0));
        }
    });
    assert_eq!(fills(&done), [(1, 10.0, 100.0), (3, -10.0, 70.0)]);
    assert!(done.events.iter().any(|event| event.what == Happening::Cancelled(Cancel::Delisted)));
}

#[test]
fn interest_and_borrowing_accrue_by_the_calendar() {
    let rows = [QUIET; 3];
    let costs = Costs { interest_bps: 365.0, borrow_bps: 730.0, ..Costs::default() };
    let panel = panel(&[("A", &rows)]);
    let done = run(&panel, &Settings { costs, ..free() }, |desk| {
        if desk.bar() == 0 {
            desk.order(0, -10.0);
        }
    });
    // A day of 3.65 % a year on 10,000, then on 11,001; a day of 7.3 % on 1,000 short.
    assert!((done.account.cash - (11_001.0 + 1.1001 - 0.2)).abs() < 1e-9, "{}", done.account.cash);
}

#[test]
fn lots_of_both_sides_may_stand_beside_each_other() {
    let rows = [QUIET, QUIET, [100.0, 112.0, 99.0, 110.0, 1000.0], [110.0, 111.0, 109.0, 110.0, 1000.0], QUIET];
    let panel = panel(&[("A", &rows)]);
    let hedged = Settings { hedging: true, ..free() };
    let done = run(&panel, &hedged, |desk| match desk.bar() {
        0 => {
            desk.order(0, 10.0);
            desk.order(0, -4.0);
        }
        2 => {
            let entries = desk.open_entries(0);
            assert_eq!(entries.len(), 2);
            let (short, units) = *entries.iter().find(|(_, units)| *units < 0.0).unwrap();
            assert_eq!(units, -4.0);
            desk.place(Order::market(0, Size::Close).closing(short));
        }
        _ => {}
    });
    assert_eq!(done.account.positions(), [10.0]);
    assert_eq!(done.account.trades[0].profit, -40.0);
}

#[test]
fn one_queue_takes_orders_by_age_and_exits_first() {
    let rows = [QUIET; 4];
    let panel = panel(&[("A", &rows), ("B", &rows)]);
    let queue = Settings { sequence: Sequence::Queue, ..free() };
    let order = |settings: &Settings| {
        let done = run(&panel, settings, |desk| match desk.bar() {
            0 => _ = desk.order(0, 50.0),
            1 => {
                desk.order(1, 80.0);
                desk.order(0, -50.0);
            }
            _ => {}
        });
        fills(&done)[1..].to_vec()
    };
    // By age, the purchase comes before the sale that would pay for it, and is cut.
    assert_eq!(order(&queue), [(2, 50.0, 100.0), (2, -50.0, 100.0)]);
    assert_eq!(order(&free()), [(2, -50.0, 100.0), (2, 80.0, 100.0)]);
}

#[test]
fn finer_bars_decide_which_exit_came_first() {
    let wild = [QUIET, QUIET, [100.0, 106.0, 94.0, 100.0, 1000.0]];
    let with_fine = |inside: [[f64; 4]; 2]| {
        let mut panel = panel(&[("A", &wild)]);
        let column = |k: usize| -> Vec<f64> {
            wild[..2].iter().map(|row| row[k]).chain(inside.iter().map(|bar| bar[k])).collect()
        };
        let (open, high, low, close) = (column(0), column(1), column(2), column(3));
        let fine = Fine { first: vec![0, 1, 2, 4], time: vec![0, 1, 2, 3], open, high, low, close };
        panel.fine = Some(fine.into());
        panel
    };
    let exits = |panel: &Panel, settings: &Settings| {
        let done = run(panel, settings, |desk| {
            if desk.bar() == 0 {
                desk.place(shares(10.0).bracket(bracket(95.0, 105.0)));
            }
        });
        (fills(&done)[1].2, done.counters.ambiguous_bars)
    };
    let up_first = with_fine([[100.0, 106.0, 99.0, 104.0], [104.0, 104.0, 94.0, 100.0]]);
    assert_eq!(exits(&up_first, &free()), (105.0, 0));
    assert_eq!(
        exits(&up_first, &Settings { resolve: false, ..free() }),
        (95.0, 1),
        "unless the settings say otherwise"
    );
    assert_eq!(exits(&up_first, &Settings { sequence: Sequence::Queue, ..free() }), (105.0, 0));
    let down_first = with_fine([[100.0, 101.0, 94.0, 96.0], [96.0, 106.0, 96.0, 100.0]]);
    assert_eq!(exits(&down_first, &free()), (95.0, 0));
    // A finer bar that holds both leaves the doubt.
    let both = with_fine([[100.0, 106.0, 94.0, 96.0], [96.0, 100.0, 96.0, 100.0]]);
    assert_eq!(exits(&both, &free()), (95.0, 1));
}

/// Hourly bars of three New York sessions in winter, stamped at their closes from 10:30 to 16:00.
fn hourly() -> Panel {
    let minute = 60_000_000;
    let mut bars = Bars::default();
    for session in [FIRST + 1, FIRST + 2, FIRST + 3] {
        for k in 0..6 {
            // 10:30 in New York is 15:30 in UTC; the last bar is half an hour longer.
            let close = 15 * 60 + 30 + 60 * k + if k == 5 { 30 } else { 0 };
            bars.time.push(i64::from(session) * DAY_MICROS + close * minute);
            bars.session.push(session);
            let price = 100.0 + k as f64;
            bars.open.push(price);
            bars.high.push(price + 0.75);
            bars.low.push(price - 0.75);
            bars.close.push(price + 0.5);
            bars.volume.push(1000.0);
        }
    }
    let bundle = Bundle {
        name: "hourly".into(),
        version: "hourly".into(),
        frequency: Frequency::Intraday,
        calendar: Calendar::Xnys,
        prices: PriceBasis::SplitAdjusted,
        benchmark: None,
        symbols: vec!["A".into()],
        bars: vec![bars],
        actions: Vec::new(),
        records: Vec::new(),
    };
    Panel::new(&bundle, &[], &Window::default(), &[]).unwrap()
}

#[test]
fn positions_are_flat_at_the_close_of_each_session() {
    let panel = hourly();
    let flat = Settings { flat_at_close: true, ..free() };
    let done = run(&panel, &flat, |desk| {
        if desk.starts_session(0) {
            desk.order(0, 10.0);
        }
    });
    let session = |k: u32| [(6 * k + 1, 10.0, 101.0), (6 * k + 5, -10.0, 105.5)];
    assert_eq!(fills(&done), [session(0), session(1), session(2)].concat());
}

#[test]
fn entries_keep_to_the_hours_of_trading() {
    let panel = hourly();
    // From 11:00 to 13:00: of the bars that close at 10:30, 11:30, 12:30, 13:30 … the second and third.
    let hours = Settings { trade_from: 11 * 60, trade_until: 13 * 60, ..free() };
    let done = run(&panel, &hours, |desk| {
        if desk.bar() < 6 {
            desk.order(0, 1.0);
        }
    });
    let bars: Vec<u32> = fills(&done).iter().map(|fill| fill.0).collect();
    assert_eq!(bars, [1, 2]);
    assert!(done.events.iter().any(|event| event.what == Happening::Refused(Limit::TradeWindow)));
    let leaves = run(&panel, &hours, |desk| match desk.bar() {
        0 => _ = desk.order(0, 1.0),
        3 => _ = desk.close(0),
        _ => {}
    });
    assert_eq!(fills(&leaves).len(), 2, "a position may be left at any time");
}

#[test]
fn a_size_by_volatility_takes_the_last_twenty_bars() {
    let rows: Vec<Row> = (0..30)
        .map(|k| {
            let price = if k % 2 == 0 { 100.0 } else { 101.0 };
            [price, price + 1.0, price - 1.0, price, 1000.0]
        })
        .collect();
    let panel = panel(&[("A", &rows)]);
    let done = run(&panel, &Settings { margin: Margin::None, ..free() }, |desk| {
        if desk.bar() == 24 {
            desk.place(Order::market(0, Size::Volatility(0.1)));
        }
    });
    // Returns of +1 % and -0.99 %: a deviation of 1.02 % a bar, 19.5 % in 365 of them.
    let sigma = 0.0102 * 365f64.sqrt();
    let expected = 0.1 * 10_000.0 / (sigma * 100.0);
    assert!((done.account.fills[0].quantity / expected - 1.0).abs() < 0.01, "{:?}", done.account.fills);
}
