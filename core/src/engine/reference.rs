//! The reference simulator: one trial, one event loop, written to be read.

use super::account::Account;
use super::book::Book;
use super::desk::{Desk, NO_ROW};
use super::event::{Event, OpenOrder};
use super::fast;
use super::number::Number;
use crate::context::Panel;
use crate::ledger::Fill;
use crate::metrics::{Counters, TradeSums};
use crate::plan::{Fill as FillAt, Settings};

/// What decides: rules of an expression, or code.
///
/// It is called once for each timestamp, after the bars of this timestamp are booked and marked, and sees no later
/// ones. Orders that it places are first tried at the next bar; with `fill = "same_close"` its market orders fill at
/// the close that it saw.
pub trait Strategy<N: Number = f64> {
    /// Looks at the bars up to now and places orders.
    fn next(&mut self, desk: &mut Desk<'_, N>);
}

impl<N: Number, S: FnMut(&mut Desk<'_, N>)> Strategy<N> for S {
    fn next(&mut self, desk: &mut Desk<'_, N>) {
        self(desk);
    }
}

/// What a run keeps besides its counters, session equity and round trips.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Every execution, and every change of cash without one.
    pub fills: bool,
    /// Equity at every bar of the timeline.
    pub bars: bool,
    /// What happens to orders, at these bars of the timeline.
    pub events: std::ops::Range<usize>,
}

/// Memory of a simulation, reused from trial to trial, and its result once [`simulate`] returns.
#[derive(Clone, Debug, Default)]
pub struct Workspace<N = f64> {
    /// Cash, positions, fills and round trips.
    pub account: Account<N>,
    /// Equity at the last bar of each session.
    pub session_equity: Vec<N>,
    /// Equity at each simulated bar, if recorded.
    pub bar_equity: Vec<N>,
    /// What happened to orders, if recorded.
    pub events: Vec<Event<N>>,
    /// Sums over the closed round trips.
    pub trades: TradeSums,
    /// What was counted.
    pub counters: Counters,
    /// Rows of the panel that were simulated.
    pub rows_read: u64,
    pub(super) book: Book<N>,
    /// Symbols that have a bar now, with its row, in order.
    pub(super) present: Vec<(u32, usize)>,
    /// Row of each symbol's bar now; `NO_ROW` without one.
    pub(super) rows: Vec<usize>,
    /// Row after the last bar of each symbol up to now.
    pub(super) cursors: Vec<usize>,
    /// Units traded of each symbol in this bar.
    pub(super) traded: Vec<N>,
    /// Executions that the strategy has not seen.
    pub(super) bar_fills: Vec<(u32, Fill<N>)>,
    /// Target that each symbol last acted upon.
    pub(super) last_target: Vec<f64>,
    /// Next corporate action of each symbol.
    pub(super) next_action: Vec<usize>,
    /// Dividends earned and not yet paid.
    pub(super) dues: Vec<Due<N>>,
    /// Units traded in the current month.
    pub(super) month: (i32, N),
    pub(super) ruined: bool,
    pub(super) fast: fast::Memory,
}

/// A dividend that was earned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due<N> {
    pub symbol: u32,
    pub pay_date: i32,
    pub cash: N,
}

/// Simulates one trial over `panel` from its start to its end; the result is in `workspace`.
pub fn simulate<N: Number, S: Strategy<N> + ?Sized>(
    panel: &Panel,
    strategy: &mut S,
    settings: &Settings,
    record: Record,
    workspace: &mut Workspace<N>,
) {
    workspace.begin(panel, settings, record.fills);
    advance(panel, strategy, settings, record, workspace, panel.start..panel.timeline.len());
    workspace.finish(panel);
}

/// Simulates some bars of the timeline, from the state that `workspace` is in: after [`Workspace::begin`], or after the
/// bars before these. A clone of the workspace is a checkpoint.
pub fn advance<N: Number, S: Strategy<N> + ?Sized>(
    panel: &Panel,
    strategy: &mut S,
    settings: &Settings,
    record: Record,
    workspace: &mut Workspace<N>,
    bars: std::ops::Range<usize>,
) {
    let mut desk = Desk::new(panel, settings, record, workspace);
    let same_close = settings.fill == FillAt::SameClose;
    for t in bars {
        desk.see_bars(t);
        desk.apply_actions();
        desk.accrue();
        desk.fill_at_bar();
        desk.mark_bars();
        desk.call_margin();
        if !desk.is_ruined() {
            strategy.next(&mut desk);
        }
        desk.forget_fills();
        if same_close {
            desk.fill_at_close();
        }
        desk.end_session();
        if settings.close_at_end && t + 1 == panel.timeline.len() {
            desk.close_all();
        }
        desk.record_equity();
    }
}

impl<N: Number> Workspace<N> {
    /// Empties the memory and opens an account with the capital of `settings`.
    pub fn begin(&mut self, panel: &Panel, settings: &Settings, record_fills: bool) {
        let symbols = panel.spans.len();
        self.account.reset(symbols, N::of(settings.capital), record_fills);
        self.session_equity.clear();
        self.bar_equity.clear();
        self.events.clear();
        self.counters = Counters::default();
        self.rows_read = 0;
        self.book.reset();
        self.present.clear();
        self.rows.clear();
        self.rows.resize(symbols, NO_ROW);
        self.traded.clear();
        self.traded.resize(symbols, N::ZERO);
        self.bar_fills.clear();
        self.last_target.clear();
        self.last_target.resize(symbols, f64::NAN);
        self.next_action.clear();
        self.next_action.resize(symbols, 0);
        self.dues.clear();
        self.month = (i32::MIN, N::ZERO);
        self.ruined = false;
        self.cursors.clear();
        self.cursors.extend(panel.spans.iter().map(|span| span.offset + panel.first_simulated(*span)));
    }

    /// The open orders, oldest first.
    pub fn open_orders(&self, settings: &Settings) -> Vec<OpenOrder<N>> {
        let open = self.book.orders.iter().filter(|order| !order.done);
        open.map(|order| order.shown(&self.account, settings.tick)).collect()
    }

    /// Whether the account lost everything and trades no more.
    pub fn is_ruined(&self) -> bool {
        self.ruined
    }

    /// Lists what is still open among the round trips, and counts.
    pub fn finish(&mut self, panel: &Panel) {
        let last = panel.timeline.len().saturating_sub(1) as u32;
        self.trades.clear();
        for trade in &self.account.trades {
            let value = (trade.quantity.abs() * trade.entry_price).float();
            self.trades.add(trade.profit.float(), value, f64::from(trade.exit_bar.saturating_sub(trade.entry_bar)));
        }
        self.account.list_open(last);
        self.counters.fees = self.account.fees.float();
        self.counters.fills = self.account.fill_count;
        self.counters.traded_value = self.account.traded_value.float();
    }
}
