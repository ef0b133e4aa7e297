//! The fast path: the same simulation as the reference, but only where something happens.
//!
//! Given a panel laid out as a [`Grid`], a trial's rules and the run's settings, it gives what the reference gives, bit
//! for bit. A symbol *wakes* at the next row where its rule may ask for an order in the state that its position is in;
//! what lies between such bars and open orders is skipped. Equity is filled in afterwards (`marks.rs`).
//!
//! Several trials are simulated together where that is faster: bar by bar, each step for all of them at once (`lanes`), or
//! from switch to switch, each lane at a bar of its own (`switches`).
//!
//! Sizes and prices are those of `sizing.rs` and `pricing.rs`; round trips are booked as in `account.rs`, without what the
//! fast path does not know. [`covers`] and [`covers_run`] say which strategies and settings it takes, and a trial that
//! comes to something it does not know is left to the reference.

mod exits;
mod grid;
#[expect(clippy::needless_range_loop, reason = "a lane, or a half of them, is a place in several arrays at once")]
pub mod lanes;
mod ledger;
mod market;
mod marks;
mod run;
mod seek;
mod signals;
pub mod switches;
mod trips;

pub use grid::Grid;
pub(super) use run::Memory;
pub use run::simulate;

use super::Decisions;
use crate::context::Panel;
use crate::plan::{BeyondLimit, EntryBarExits, ExitFill, Margin, Sequence, Settings, SpreadOn, Touch};
use crate::strategy::{Entry, LevelIn, PriceLevel, Rules, SizeIn, Strategy};

/// Memory of trials that are simulated together, reused from group to group.
#[derive(Clone, Debug, Default)]
pub struct GroupMemory {
    lanes: lanes::Memory,
    switches: switches::Memory,
}

/// Whether these trials are simulated faster together than one by one. It says nothing about results, which are the same.
pub fn group_pays(panel: &Panel, grid: &Grid, settings: &Settings, decisions: &[Decisions]) -> bool {
    lanes::may_pay(panel, decisions.len())
        && (lanes::pays(panel, grid, settings, decisions) || switches::open_to(grid, settings, decisions))
}

/// Simulates up to [`lanes::LANES`] trials for which [`group_pays`], from switch to switch where that is open and bar by
/// bar elsewhere. `finished` has one place for each trial; where neither way is open they are unknown.
pub fn simulate_group(
    panel: &Panel,
    grid: &Grid,
    settings: &Settings,
    decisions: &[Decisions],
    memory: &mut GroupMemory,
    finished: &mut [lanes::Finished],
) {
    let (rows, switches) = (switches::FEWEST_ROWS, &mut memory.switches);
    if switches::simulate(panel, grid, settings, decisions, rows, switches, finished) {
        return;
    }
    if lanes::pays(panel, grid, settings, decisions) {
        lanes::simulate(panel, grid, settings, decisions, &mut memory.lanes, finished);
    } else {
        finished.iter_mut().for_each(|finished| finished.unknown = true);
    }
}

/// Whether a strategy can take the fast path.
///
/// # Errors
/// The reason why it takes the reference simulator.
pub fn covers(strategy: &Strategy) -> Result<(), &'static str> {
    let stateful = |root: &crate::strategy::NodeId| strategy.program.node_type(*root).stateful;
    if strategy.rules.nodes().iter().any(stateful) {
        return Err("its rules ask for the position (entry_price, bars_held, …)");
    }
    if let Rules::Signals { entry, size_in, .. } = &strategy.rules {
        let Entry { limit, stop, most, trailing_stop, break_even, stop_loss, take_profit, .. } = entry;
        if limit.is_some() || stop.is_some() || most.is_some() {
            return Err("its entries wait for a price, or add to positions (entry_limit, entry_stop, max_entries)");
        }
        if trailing_stop.is_some() || break_even.is_some() {
            return Err("its exits follow the price (trailing_stop, break_even)");
        }
        let priced = |level: &Option<PriceLevel>| level.is_some_and(|level| level.unit == LevelIn::Price);
        if priced(stop_loss) || priced(take_profit) {
            return Err("its exits are prices, which move from bar to bar (stop_loss_in = \"price\")");
        }
        if matches!(size_in, SizeIn::BuyingPower | SizeIn::Volatility) {
            return Err("its sizes depend on more than equity, price and the stop-loss");
        }
    }
    Ok(())
}

/// Whether a run's settings and bars can take the fast path.
///
/// # Errors
/// The reason why it takes the reference simulator.
pub fn covers_run(strategy: &Strategy, panel: &Panel, settings: &Settings) -> Result<(), &'static str> {
    let plain = Settings::default();
    let costs = &settings.costs;
    if settings.margin == Margin::RegT || settings.lock_short_cash || settings.unaffordable != plain.unaffordable {
        return Err("its account is on margin, or refuses orders instead of cutting them");
    }
    if settings.volume_limit > 0.0 || costs.volume_impact > 0.0 || costs.sqrt_impact > 0.0 {
        return Err("its fills depend on volume");
    }
    if !costs.tiers.as_slice().is_empty() || costs.maker_bps > 0.0 || costs.taker_bps > 0.0 {
        return Err("its commissions depend on more than the fill");
    }
    if costs.borrow_bps != 0.0 || costs.interest_bps != 0.0 || costs.debit_bps != 0.0 {
        return Err("cash and short positions earn or cost interest");
    }
    let limits = [settings.max_weight, settings.max_leverage, settings.max_order, settings.min_order];
    if settings.max_positions > 0 || limits.iter().any(|limit| *limit > 0.0) {
        return Err("its account has limits");
    }
    if settings.hedging || settings.sequence == Sequence::Queue || settings.flat_at_close {
        return Err("its orders follow rules of their own (hedging, queue, flat_at_close)");
    }
    if costs.spread_on == SpreadOn::Entry && (costs.spread > 0.0 || costs.spread_amount > 0.0) {
        return Err("only entries pay the spread, which splits what closes from what opens");
    }
    if settings.trade_from > 0 || settings.trade_until > 0 {
        return Err("its entries are limited to a time of day");
    }
    if panel.actions.iter().any(|actions| !actions.is_empty()) || panel.spans.iter().any(|span| span.delisted) {
        return Err("its symbols split, pay dividends or disappear");
    }
    match &strategy.rules {
        Rules::Signals { entry, .. } if *entry != Entry::default() => covers_exits(entry, panel, settings),
        _ => Ok(()),
    }
}

/// Whether the settings and bars are those of exits that the fast path knows.
fn covers_exits(entry: &Entry, panel: &Panel, settings: &Settings) -> Result<(), &'static str> {
    if settings.touch != Touch::Ohlc || settings.exit_fill != ExitFill::Level {
        return Err("its exits are judged at the close");
    }
    if settings.entry_bar_exits == EntryBarExits::Market {
        return Err("its exits are tried on the bar of their entry by another program's rules");
    }
    if settings.beyond_limit == BeyondLimit::Wait && entry.take_profit.is_some() {
        return Err("its take-profits wait where slippage goes beyond them");
    }
    if panel.fine.is_some() && settings.resolve && entry.stop_loss.is_some() && entry.take_profit.is_some() {
        return Err("finer bars decide between its exits");
    }
    Ok(())
}
