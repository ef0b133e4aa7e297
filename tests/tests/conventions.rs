//! The order API, order by order: what each setting makes of a few bars.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use sandtable_core::bundle::{Bars, Bundle, Frequency, PriceBasis};
use sandtable_core::calendar::{Calendar, DAY_MICROS};
use sandtable_core::context::{Panel, Window};
use sandtable_core::engine::{Bracket, Desk, Distance, Level, Order, Record, Role, Size, Ticket, Workspace, simulate};
use sandtable_core::ledger::FlowKind;
use sandtable_core::plan::{BeyondLimit, Costs, EntryBarExits, ExitFill, Fill, Margin, Settings, Unaffordable};

/// One symbol with bars of open, high, low and close.
fn panel(prices: &[[f64; 4]]) -> Panel {
    let column = |k: usize| prices.iter().map(|bar| bar[k]).collect::<Vec<f64>>();
    let bars = Bars {
        time: (0..prices.len() as i64).map(|day| day * DAY_MICROS).collect(),
        session: (0..prices.len() as i32).collect(),
        open: column(0),
        high: column(1),
        low: column(2),
        close: column(3),
        volume: vec![1e6; prices.len()],
    };
    let bundle = Bundle {
        name: "orders".into(),
        version: "orders".into(),
        frequency: Frequency::Daily,
        calendar: Calendar::AlwaysOpen,
        prices: PriceBasis::SplitAdjusted,
        benchmark: None,
        symbols: vec!["A".into()],
        bars: vec![bars],
        actions: Vec::new(),
        records: Vec::new(),
    };
    Panel::new(&bundle, &[], &Window::default(), &[]).unwrap()
}

fn run(prices: &[[f64; 4]], settings: &Settings, mut strategy: impl FnMut(&mut Desk<'_>)) -> Workspace {
    let mut workspace = Workspace::default();
    let record = Record { fills: true, bars: true, ..Record::default() };
    simulate(&panel(prices), &mut strategy, settings, record, &mut workspace);
    workspace
}

/// Bar, quantity, price.
fn fills(workspace: &Workspace) -> Vec<(u32, f64, f64)> {
    workspace.account.fills.iter().map(|fill| (fill.bar, fill.quantity, fill.price)).collect()
}

fn bracket(stop: f64, target: f64) -> Bracket {
    Bracket { stop_loss: Some(Level::Price(stop)), take_profit: Some(Level::Price(target)), ..Bracket::default() }
}

const FLAT: [f64; 4] = [10.0, 10.0, 10.0, 10.0];

#[test]
fn a_strategy_sees_what_filled_at_the_close_after_it_looked() {
    let settings = Settings { fill: Fill::SameClose, ..Settings::default() };
    let mut seen: Vec<(usize, Ticket, u32)> = Vec::new();
    let mut placed = None;
    run(&[FLAT, FLAT, FLAT], &settings, |desk| {
        seen.extend(desk.fills().map(|(ticket, fill)| (desk.bar(), ticket, fill.bar)));
        if desk.bar() == 0 {
            placed = desk.order(0, 5.0);
        }
    });
    assert_eq!(seen, [(1, placed.unwrap(), 0)]);
}

#[test]
fn with_exits_after_market_orders_a_limit_entry_waits_for_the_next_bar_even_if_it_gapped() {
    let settings = Settings { entry_bar_exits: EntryBarExits::Market, ..Settings::default() };
    let bars = [FLAT, [8.0, 12.0, 8.0, 10.0], [11.0, 11.0, 11.0, 11.0]];
    let limit = run(&bars, &settings, |desk| {
        if desk.bar() == 0 {
            desk.place(Order::market(0, Size::Shares(1.0)).limit(9.0).bracket(bracket(5.0, 10.5)));
        }
    });
    assert_eq!(fills(&limit), [(1, 1.0, 8.0), (2, -1.0, 11.0)]);
    let market = run(&bars, &settings, |desk| {
        if desk.bar() == 0 {
            desk.place(Order::market(0, Size::Shares(1.0)).bracket(bracket(5.0, 10.5)));
        }
    });
    assert_eq!(fills(&market), [(1, 1.0, 8.0), (1, -1.0, 10.5)]);
}

#[test]
fn a_stop_entry_that_gapped_reaches_its_target_only_if_the_stop_is_not_touched() {
    let settings = Settings { entry_bar_exits: EntryBarExits::Market, ..Settings::default() };
    for (low, expected) in [(10.5, vec![(1, 1.0, 11.0), (1, -1.0, 12.0)]), (8.0, vec![(1, 1.0, 11.0), (2, -1.0, 7.0)])]
    {
        let bars = [FLAT, [11.0, 13.0, low, 11.0], [7.0, 7.0, 7.0, 7.0]];
        let done = run(&bars, &settings, |desk| {
            if desk.bar() == 0 {
                desk.place(Order::market(0, Size::Shares(1.0)).stop(10.5).bracket(bracket(9.0, 12.0)));
            }
        });
        assert_eq!(fills(&done), expected);
    }
}

#[test]
fn an_exit_that_is_put_off_to_the_close_is_not_held_to_its_level() {
    let costs = Costs { slippage_bps: 100.0, ..Costs::default() };
    let bars = [FLAT, FLAT, [10.0, 12.0, 10.0, 10.0]];
    let exit_at = |exit_fill: ExitFill| {
        let settings = Settings { exit_fill, costs, beyond_limit: BeyondLimit::Cap, ..Settings::default() };
        let done = run(&bars, &settings, |desk| {
            if desk.bar() == 0 {
                desk.place(Order::market(0, Size::Shares(1.0)).bracket(bracket(5.0, 11.0)));
            }
        });
        fills(&done).last().copied().unwrap()
    };
    assert_eq!(exit_at(ExitFill::Level), (2, -1.0, 11.0));
    assert_eq!(exit_at(ExitFill::Close), (2, -1.0, 9.9));
}

#[test]
fn an_order_that_reverses_at_a_level_is_an_exit_too() {
    let costs = Costs { slippage_bps: 100.0, ..Costs::default() };
    let settings = Settings { exit_slippage: false, costs, fill: Fill::SameClose, ..Settings::default() };
    let done = run(&[FLAT, [10.0, 10.0, 8.0, 9.0]], &settings, |desk| {
        if desk.bar() == 0 {
            desk.order(0, 2.0);
            desk.place(Order { reverses: true, ..Order::market(0, Size::Shares(-3.0)).stop(9.0) });
        }
    });
    assert_eq!(fills(&done), [(0, 2.0, 10.1), (1, -5.0, 9.0)]);
}

#[test]
fn all_of_the_account_sold_short_counts_what_the_long_position_brings() {
    let costs = Costs { bps: 100.0, per_trade: 1.0, ..Costs::default() };
    let settings = Settings { capital: 1011.0, costs, fill: Fill::SameClose, ..Settings::default() };
    let done = run(&[FLAT, FLAT], &settings, |desk| match desk.bar() {
        0 => {
            desk.order(0, 100.0);
        }
        _ => {
            desk.place(Order::market(0, Size::BuyingPower(-1.0)));
        }
    });
    // 100 are closed for 990; of that 1 is the fixed commission, and a unit costs 10.10.
    let (_, quantity, _) = fills(&done)[1];
    assert!((quantity + 100.0 + 989.0 / 10.1).abs() < 1e-9, "{quantity}");
}

#[test]
fn locked_proceeds_are_counted_at_the_average_entry() {
    let settings = Settings { lock_short_cash: true, capital: 100.0, fill: Fill::SameClose, ..Settings::default() };
    let bars = [FLAT, [20.0, 20.0, 20.0, 20.0], FLAT, FLAT];
    let done = run(&bars, &settings, |desk| {
        let sizes = [-2.0, -1.0, 1.5, -1000.0];
        desk.order(0, sizes[desk.bar()]);
    });
    // Shorts of 2 at 10 and 1 at 20 stand at 40 / 3 each; half is bought back at 10, the other half still locks 2 × 20.
    // 100 + 20 + 20 - 15 - 40 are free for shorts at 10.
    assert!((fills(&done)[3].1 + 8.5).abs() < 1e-9, "{:?}", fills(&done));
}

#[test]
fn a_locked_short_that_cannot_be_covered_as_a_whole_pays_unit_by_unit() {
    let settings = Settings { lock_short_cash: true, capital: 100.0, fill: Fill::SameClose, ..Settings::default() };
    let bars = [FLAT, [30.0, 30.0, 30.0, 30.0]];
    let done = run(&bars, &settings, |desk| {
        desk.order(0, [-8.0, 8.0][desk.bar()]);
    });
    // 180 of cash lock 160; each unit bought for 30 frees 20 more, so that the 20 that are free pay for two.
    assert_eq!(fills(&done), [(0, -8.0, 10.0), (1, 2.0, 30.0)]);
}

#[test]
fn lots_finer_than_floats_are_not_lost() {
    let settings = Settings { fractional: false, lot: 0.001, lot_snap: false, ..Settings::default() };
    let done = run(&[FLAT, FLAT], &settings, |desk| {
        desk.order(0, 43.14);
    });
    assert_eq!(fills(&done), [(1, 43.14, 10.0)]);
}

#[test]
fn a_ruined_account_owes_nothing_if_it_is_protected() {
    for protected in [false, true] {
        let settings = Settings {
            capital: 100.0,
            margin: Margin::RegT,
            initial_margin: 0.1,
            maintenance_margin: 0.0,
            unaffordable: Unaffordable::Reject,
            negative_balance_protection: protected,
            ..Settings::default()
        };
        let done = run(&[FLAT, FLAT, [5.0, 5.0, 5.0, 5.0], FLAT], &settings, |desk| {
            if desk.bar() == 0 {
                desk.order(0, 90.0);
            }
        });
        assert_eq!(fills(&done), [(1, 90.0, 10.0), (2, -90.0, 5.0)]);
        assert_eq!(done.bar_equity.last(), Some(&if protected { 0.0 } else { -350.0 }));
        assert_eq!(
            done.account.flows.iter().filter(|flow| flow.kind == FlowKind::Forgiven).count(),
            usize::from(protected)
        );
    }
}

#[test]
fn exits_of_an_entry_can_be_found_and_cancelled() {
    let mut entry = None;
    let done =
        run(&[FLAT, FLAT, [10.0, 10.0, 4.0, 10.0], [10.0, 30.0, 10.0, 10.0]], &Settings::default(), |desk| {
            match (desk.bar(), entry) {
                (0, _) => {
                    let exits = Bracket { trailing: Some(Distance::Fraction(0.9)), ..bracket(5.0, 20.0) };
                    entry = desk.place(Order::market(0, Size::Shares(1.0)).bracket(exits));
                }
                (1, Some(entry)) => {
                    for (role, ticket) in desk.exits(entry) {
                        if role == Role::StopLoss {
                            assert!(desk.cancel(ticket));
                        }
                    }
                }
                _ => {}
            }
        });
    assert_eq!(fills(&done), [(1, 1.0, 10.0), (3, -1.0, 20.0)]);
}
