//! Programs over the order API: random ones keep every identity, see nothing ahead, and may be stopped and carried on;
//! a strategy written in the expression language and in Rust comes to the same ledger.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::sync::Arc;

use sandtable_core::bundle::{Bundle, Field, synth};
use sandtable_core::cache::History;
use sandtable_core::context::{CorporateAction, Panel, Window};
use sandtable_core::engine::{
    Bracket, Desk, Distance, Level, Order, Record, Size, Strategy, Workspace, advance, check_ledger, simulate,
};
use sandtable_core::plan::{
    BeyondLimit, BundleFacts, Costs, EntryBarExits, ExitFill, Fill, LevelsFrom, Margin, Plan, PlanSpec, Sequence,
    Settings, SizeAt, SplitCash, StopLimitFill, Tier, Tiers, TiersBy, Touch, Unaffordable,
};
use sandtable_core::rng::Stream;
use sandtable_core::run::Evaluator;
use sandtable_core::strategy;
use sandtable_tests::random::{self, pick};

fn chance(random: &mut Stream, probability: f64) -> bool {
    random.uniform() < probability
}

/// A strategy that draws its orders; the same draws at the same bar, whatever came before.
struct Drawn {
    seed: u32,
}

impl Strategy for Drawn {
    fn next(&mut self, desk: &mut Desk<'_>) {
        for symbol in 0..desk.symbols().len() {
            let mut random = Stream::new(u64::from(self.seed), [desk.session() as u32, symbol as u32]);
            if !desk.has_bar(symbol) || chance(&mut random, 0.6) {
                continue;
            }
            let price = desk.current(symbol, Field::Close).unwrap();
            if chance(&mut random, 0.1) {
                desk.cancel_all(symbol);
            }
            if chance(&mut random, 0.1) {
                let entries = desk.open_entries(symbol);
                if let Some((entry, _)) = entries.first() {
                    desk.move_stop(*entry, price * (0.9 + 0.2 * random.uniform()));
                    desk.place(Order::market(symbol, Size::Close).closing(*entry));
                }
            }
            let order = draw_order(&mut random, symbol, price);
            let ticket = desk.place(order);
            if let Some(ticket) = ticket.filter(|_| chance(&mut random, 0.1)) {
                desk.place(draw_order(&mut random, symbol, price).oco(ticket));
            }
        }
    }
}

fn draw_order(random: &mut Stream, symbol: usize, price: f64) -> Order {
    let side = if chance(random, 0.6) { 1.0 } else { -1.0 };
    let part = side * random.uniform();
    let size = match random.below(9) {
        0 => Size::Shares((part * 50_000.0 / price).round()),
        1 => Size::Value(part * 50_000.0),
        2 => Size::Percent(part * 1.5),
        3 => Size::BuyingPower(part),
        4 => Size::TargetPercent(part),
        5 => Size::TargetValue(part * 30_000.0),
        6 => Size::TargetShares(part * 10_000.0 / price),
        7 => Size::Risk(part * 0.05),
        _ => Size::Close,
    };
    let near = |random: &mut Stream| price * (0.97 + 0.06 * random.uniform());
    let mut order = Order::market(symbol, size);
    match random.below(6) {
        0 => order = order.limit(near(random)),
        1 => order = order.stop(near(random)),
        2 => order = order.stop(near(random)).limit(near(random)),
        3 => order = order.trailing(Distance::Fraction(0.01 + 0.05 * random.uniform())),
        _ => {}
    }
    match random.below(4) {
        0 => order = order.day(),
        1 => order = order.bars(1 + random.below(5) as u32),
        _ => {}
    }
    order.reverses = chance(random, 0.1);
    let level = |random: &mut Stream| match random.below(3) {
        0 => Level::Price(near(random)),
        1 => Level::From(Distance::Amount(price * 0.05 * random.uniform())),
        _ => Level::From(Distance::Fraction(0.05 * random.uniform())),
    };
    let mut bracket = Bracket::default();
    if chance(random, 0.5) || matches!(size, Size::Risk(_)) {
        bracket.stop_loss = Some(level(random));
    }
    if chance(random, 0.4) {
        bracket.take_profit = Some(level(random));
    }
    if chance(random, 0.2) {
        bracket.trailing = Some(Distance::Fraction(0.01 + 0.05 * random.uniform()));
    }
    if chance(random, 0.2) {
        bracket.break_even = Some(Distance::Fraction(0.03 * random.uniform()));
    }
    if chance(random, 0.2) {
        bracket.time_stop = Some(1 + random.below(10) as u32);
    }
    order.bracket(bracket)
}

fn draw_settings(random: &mut Stream) -> Settings {
    let fractional = chance(random, 0.5);
    let tier = |from: f64, bps: f64| Tier { from, bps, per_share: 0.001, per_trade: 0.1, minimum: 0.2 };
    let tiers =
        if chance(random, 0.3) { Tiers::new(&[tier(0.0, 3.0), tier(5000.0, 1.0)]).unwrap() } else { Tiers::default() };
    let some = |random: &mut Stream, most: f64| if chance(random, 0.4) { most * random.uniform() } else { 0.0 };
    let costs = Costs {
        per_share: some(random, 0.01),
        per_share_minimum: some(random, 2.0),
        per_trade: some(random, 2.0),
        bps: some(random, 20.0),
        spread: some(random, 0.002),
        slippage_bps: some(random, 10.0),
        volume_impact: some(random, 0.1),
        sqrt_impact: some(random, 0.5),
        maker_bps: some(random, 3.0),
        taker_bps: some(random, 6.0),
        borrow_bps: some(random, 300.0),
        interest_bps: some(random, 300.0),
        debit_bps: some(random, 700.0),
        tiers,
        tiers_by: *pick(random, &[TiersBy::MonthVolume, TiersBy::OrderValue]),
        ..Costs::default()
    };
    Settings {
        capital: *pick(random, &[1_000.0, 100_000.0, 12_345_678.9]),
        fill: *pick(random, &[Fill::NextOpen, Fill::NextOpen, Fill::NextClose, Fill::SameClose]),
        size_at: *pick(random, &[SizeAt::Decision, SizeAt::Fill, SizeAt::Order]),
        sequence: *pick(random, &[Sequence::SellsFirst, Sequence::ByValue, Sequence::Symbol, Sequence::Queue]),
        shorts: chance(random, 0.8),
        margin: *pick(random, &[Margin::Cash, Margin::Cash, Margin::RegT, Margin::None]),
        fractional,
        lot: if fractional { 1.0 } else { *pick(random, &[1.0, 10.0]) },
        touch: *pick(random, &[Touch::Ohlc, Touch::Ohlc, Touch::Close]),
        tick: *pick(random, &[0.0, 0.0, 0.01]),
        entry_bar_exits: *pick(random, &[EntryBarExits::Path, EntryBarExits::Market, EntryBarExits::Never]),
        stop_limit_fill: *pick(random, &[StopLimitFill::Path, StopLimitFill::Path, StopLimitFill::AtStop]),
        beyond_limit: *pick(random, &[BeyondLimit::Cap, BeyondLimit::Wait, BeyondLimit::Fill]),
        exit_fill: *pick(random, &[ExitFill::Level, ExitFill::Level, ExitFill::Close]),
        exit_slippage: chance(random, 0.7),
        levels_from: *pick(random, &[LevelsFrom::Fill, LevelsFrom::Market]),
        unaffordable: *pick(random, &[Unaffordable::Cut, Unaffordable::Cut, Unaffordable::Reject]),
        initial_margin: 0.5,
        maintenance_margin: *pick(random, &[0.0, 0.25]),
        lock_short_cash: chance(random, 0.2),
        max_positions: random.below(4) as u32,
        max_weight: some(random, 0.5),
        max_leverage: some(random, 2.0),
        max_order: some(random, 5000.0),
        volume_limit: some(random, 0.2),
        hedging: chance(random, 0.2),
        targets_count_orders: chance(random, 0.5),
        split_cash: *pick(random, &[SplitCash::LastPrice, SplitCash::CostBasis]),
        delisting_haircut: some(random, 0.5),
        close_at_end: chance(random, 0.3),
        costs,
        ..Settings::default()
    }
}

fn draw_panel(random: &mut Stream) -> Panel {
    let symbols = 1 + random.below(4) as usize;
    let days = 20 + random.below(200) as usize;
    let bundle = random::bundle(random, symbols, days);
    let mut panel = Panel::new(&bundle, &[], &Window::default(), &[]).unwrap();
    if chance(random, 0.4) {
        let sessions = panel.sessions.clone();
        panel.actions = vec![Vec::new(); panel.spans.len()];
        for actions in &mut panel.actions {
            let mut dates: Vec<i32> = (0..random.below(4)).map(|_| *pick(random, &sessions)).collect();
            dates.sort_unstable();
            dates.dedup();
            *actions = dates
                .into_iter()
                .map(|ex_date| CorporateAction {
                    ex_date,
                    previous_close: None,
                    pay_date: Some(ex_date + random.below(20) as i32),
                    split_ratio: *pick(random, &[1.0, 2.0, 1.5, 0.1]),
                    cash_dividend: *pick(random, &[0.0, 0.01, 0.3]),
                })
                .collect();
        }
    }
    if chance(random, 0.3) {
        let last = panel.timeline.len() as u32 - 1;
        for symbol in 0..panel.spans.len() {
            let span = panel.spans[symbol];
            panel.spans[symbol].delisted = panel.row_time[span.rows().end - 1] < last;
        }
    }
    panel
}

fn whole(panel: &Panel, settings: &Settings, seed: u32) -> Workspace {
    let mut workspace = Workspace::default();
    let record = Record { fills: true, bars: true, events: 0..0 };
    simulate(panel, &mut Drawn { seed }, settings, record, &mut workspace);
    workspace
}

/// Everything that a run leaves behind, as bits.
fn left_behind(done: &Workspace) -> String {
    let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let account = &done.account;
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        account.fills,
        account.flows,
        account.trades,
        bits(&done.bar_equity),
        bits(&done.session_equity),
        account.cash.to_bits(),
        done.counters
    )
}

#[test]
fn random_orders_keep_every_identity() {
    let (mut fills, mut flows, mut partial, mut ambiguous, mut rejected) = (0, 0, 0, 0, 0);
    for case in 0..3000 {
        let mut random = Stream::new(31, [case, 0]);
        let panel = draw_panel(&mut random);
        let settings = draw_settings(&mut random);
        let done = whole(&panel, &settings, case);
        let what = || format!("case {case}: {settings:?}");
        if done.bar_equity.iter().any(|equity| equity.abs() > 1e18) {
            // Without margin, sizes in risk compound beyond what floats resolve.
            assert!(settings.margin == Margin::None, "{}", what());
            continue;
        }
        check_ledger(&panel, &settings, &done).unwrap_or_else(|error| panic!("{error}\n{}", what()));
        check_fills(&panel, &settings, &done, &what);
        fills += done.account.fills.len();
        flows += done.account.flows.len();
        partial += done.counters.partial_fills;
        ambiguous += done.counters.ambiguous_bars;
        rejected += done.counters.rejected_orders;
    }
    assert!(
        fills > 50_000 && flows > 10_000 && partial > 1000 && ambiguous > 100 && rejected > 1000,
        "too little happened: {fills} fills, {flows} flows, {partial} partial, {ambiguous} ambiguous, {rejected} rejected"
    );
}

/// No fill outside of its bar's range (costs aside), none beyond the bar's volume, no cash spent that is not there.
fn check_fills(panel: &Panel, settings: &Settings, done: &Workspace, what: &dyn Fn() -> String) {
    // A stop-limit order that fills at its stop does so even where the bar opened beyond it.
    let free = settings.stop_limit_fill == StopLimitFill::Path
        && settings.costs.spread == 0.0
        && settings.costs.slippage_bps == 0.0
        && settings.costs.volume_impact == 0.0
        && settings.costs.sqrt_impact == 0.0;
    let row_of = |symbol: u32, t: u32| panel.spans[symbol as usize].rows().find(|&row| panel.row_time[row] == t);
    let mut volume = std::collections::BTreeMap::<(u32, u32), f64>::new();
    for fill in &done.account.fills {
        assert!(fill.price > 0.0 && fill.quantity != 0.0 && fill.fee >= 0.0, "{fill:?} {}", what());
        let Some(row) = row_of(fill.symbol, fill.bar) else {
            let delisted = panel.spans[fill.symbol as usize].delisted;
            assert!(
                delisted || settings.close_at_end || settings.margin == Margin::RegT,
                "{fill:?} without a bar, {}",
                what()
            );
            continue;
        };
        let (low, high) = (panel.low[row], panel.high[row]);
        let slack = 1e-9 * high;
        assert!(
            !free || (low - slack..=high + slack).contains(&fill.price),
            "{fill:?} outside {low}..{high}, {}",
            what()
        );
        *volume.entry((fill.symbol, fill.bar)).or_default() += fill.quantity.abs();
        if settings.margin == Margin::Cash && !settings.hedging && fill.quantity > 0.0 {
            assert!(fill.quantity * fill.price <= 1e15, "{}", what());
        }
    }
    let last = panel.timeline.len() as u32 - 1;
    for ((symbol, bar), traded) in volume {
        let forced = settings.margin == Margin::RegT || (settings.close_at_end && bar == last);
        if settings.volume_limit > 0.0 && !forced {
            let row = row_of(symbol, bar).unwrap();
            let most = settings.volume_limit * panel.volume[row];
            assert!(traded <= most * (1.0 + 1e-9), "{traded} of {most} units, {}", what());
        }
    }
    if settings.margin == Margin::Cash && settings.costs.debit_bps == 0.0 {
        check_cash(settings, done, what);
    }
}

/// On a cash account no purchase leaves cash below nothing: only what was not asked for (fees on short positions,
/// dividends on them, covering at the end, commissions of sales) may.
fn check_cash(settings: &Settings, done: &Workspace, what: &dyn Fn() -> String) {
    let mut cash = settings.capital;
    let mut flows = done.account.flows.iter().peekable();
    for (k, fill) in done.account.fills.iter().enumerate() {
        while let Some(flow) = flows.next_if(|flow| flow.bar <= fill.bar) {
            cash += flow.cash;
        }
        let before = cash;
        cash -= fill.quantity * fill.price + fill.fee;
        let forced = settings.close_at_end && fill.bar as usize + 1 == done.bar_equity.len();
        let paid_out = done.account.fills.get(k).is_some_and(|fill| fill.fee == 0.0);
        if fill.quantity > 0.0 && before > 0.0 && !forced && !paid_out {
            assert!(cash >= -1e-9 * before, "cash {cash} after {fill:?}, {}", what());
        }
    }
}

#[test]
fn programs_see_nothing_ahead() {
    let mut compared = 0;
    for case in 0..300 {
        let mut random = Stream::new(32, [case, 0]);
        let panel = draw_panel(&mut random);
        let settings = Settings { close_at_end: false, ..draw_settings(&mut random) };
        let cut = random.below(panel.timeline.len() as u64) as u32;
        let mut other = panel.clone();
        for row in 0..panel.rows() {
            if panel.row_time[row] > cut {
                let factor = 0.5 + random.uniform();
                for column in [&mut other.open, &mut other.high, &mut other.low, &mut other.close] {
                    Arc::make_mut(column)[row] *= factor;
                }
                Arc::make_mut(&mut other.volume)[row] = (panel.volume[row] * random.uniform()).floor();
            }
        }
        for actions in &mut other.actions {
            actions.retain(|action| action.ex_date <= panel.sessions[cut as usize]);
        }
        let (one, two) = (whole(&panel, &settings, case), whole(&other, &settings, case));
        let until = |done: &Workspace| {
            let fills: Vec<_> = done.account.fills.iter().filter(|fill| fill.bar <= cut).copied().collect();
            let flows: Vec<_> = done.account.flows.iter().filter(|flow| flow.bar <= cut).copied().collect();
            (fills, flows, done.bar_equity[..=cut as usize].to_vec())
        };
        assert_eq!(until(&one), until(&two), "case {case} at bar {cut}: {settings:?}");
        compared += until(&one).0.len();
    }
    assert!(compared > 3000, "{compared} fills");
}

#[test]
fn a_run_may_be_stopped_and_carried_on() {
    for case in 0..300 {
        let mut random = Stream::new(33, [case, 0]);
        let panel = draw_panel(&mut random);
        let settings = draw_settings(&mut random);
        let middle = panel.start + random.below((panel.timeline.len() - panel.start) as u64) as usize;
        let record = || Record { fills: true, bars: true, events: 0..0 };
        let mut first = Workspace::default();
        first.begin(&panel, &settings, true);
        advance(&panel, &mut Drawn { seed: case }, &settings, record(), &mut first, panel.start..middle);
        let mut second = first.clone();
        advance(&panel, &mut Drawn { seed: case }, &settings, record(), &mut second, middle..panel.timeline.len());
        second.finish(&panel);
        assert_eq!(
            left_behind(&second),
            left_behind(&whole(&panel, &settings, case)),
            "case {case} stopped at {middle}"
        );
    }
}

fn evaluator(bundle: &Bundle, text: &str, keys: &[(&str, &str)]) -> Evaluator {
    let strategy = strategy::Strategy::parse(text, "strategy").unwrap_or_else(|error| panic!("{error}"));
    let mut spec = PlanSpec::new("study");
    for (key, value) in keys {
        spec.set(key, value).unwrap();
    }
    let plan = Plan::resolve(&spec, strategy, &BundleFacts::from(bundle)).unwrap();
    Evaluator::new(Arc::new(plan), bundle, Arc::new(History::new(1 << 26))).unwrap()
}

/// The average of the last `n` closes, by the indicator that expressions use.
fn mean(closes: &[f64], n: usize) -> f64 {
    let (_, indicator) = sandtable_core::indicators::find("sma").unwrap();
    let mut column = vec![0.0; closes.len()];
    sandtable_core::indicators::compute(indicator, &[closes], &[n as f64], &mut [&mut column]);
    column.last().copied().unwrap_or(f64::NAN)
}

#[test]
fn the_crossover_in_rust_and_in_the_language_have_one_ledger() {
    let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
    let text = "[rules]\ntarget = 'if(sma(close, 20) > sma(close, 50), 1 / n_symbols, 0)'";
    for (fill, size_at) in [("next_open", "decision"), ("next_close", "fill"), ("same_close", "decision")] {
        let keys =
            [("fill", fill), ("size_at", size_at), ("costs.bps", "5"), ("start", "2018-01-02"), ("warmup", "auto")];
        let run = evaluator(&bundle, text, &keys);
        let ours = run.detail(&[]);
        let mut last = [f64::NAN; 8];
        let mut crossover = |desk: &mut Desk<'_>| {
            for symbol in (0..8).filter(|&symbol| desk.has_bar(symbol)).collect::<Vec<_>>() {
                let closes = desk.history(symbol, Field::Close, usize::MAX);
                let (fast, slow) = (mean(&closes, 20), mean(&closes, 50));
                if slow.is_nan() {
                    continue;
                }
                let target = if fast > slow { 1.0 / 8.0 } else { 0.0 };
                if target != last[symbol] {
                    last[symbol] = target;
                    desk.cancel_all(symbol);
                    if target != 0.0 || desk.position(symbol) != 0.0 {
                        desk.order_target_percent(symbol, target);
                    }
                }
            }
        };
        let theirs = run.detail_of(&mut crossover);
        assert!(ours.fills.len() > 100);
        assert_eq!(ours, theirs, "{fill} {size_at}");
    }
}
