//! Trials side by side: each step of the simulation is done for all of them at once.
//!
//! Given a panel laid out as a [`Grid`], the rules of up to [`LANES`] trials and the run's settings, this folder
//! gives what the reference gives for each of them, bit for bit, as far as metrics read it. Where the sparse path asks
//! when a trial next does something, this one lets every trial look at every bar: prices are read once for all, and a
//! choice between two outcomes is a selection, not a branch. What happens seldom (a position opens, closes or turns,
//! cash does not pay) is done trial by trial, with the arithmetic of `account.rs` and `pricing.rs`.
//!
//! | file | what it does |
//! |---|---|
//! | `targets.rs` | the target weights of a block of bars, all trials of a bar side by side |
//! | `signals.rs` | entries and exits by rules, stop-losses, take-profits, time stops |
//! | `state.rs` | cash, positions and open orders |
//! | `decide.rs` | targets to orders, equity at a bar |
//! | `fill.rs` | orders to fills: what they cost, what cash pays, and what they do to cash and units |
//! | `long.rs` | the same where no position is short, with less to tell apart |
//! | `lots.rs`, `queue.rs` | lots of a position, first in first out |

mod decide;
mod fill;
mod long;
mod lots;
mod queue;
mod signals;
mod state;
mod targets;

use super::Grid;
use crate::context::Panel;
use crate::engine::Decisions;
use crate::metrics::{Counters, TradeSums};
use crate::plan::{Fill as FillAt, Sequence, Settings, SizeAt};
use crate::simd::{self, Eight, Plain, Work};
use decide::Page;
pub(super) use fill::{Costs, TINY, units_paid};
use fill::{Ready, Venue};
use signals::Signals;
pub(super) use state::SPARE;
use state::{State, each};
use targets::Targets;
pub(super) use targets::word_at;

/// Trials of a group. A multiple of every vector's width, and few enough for a group's state to stay close to the
/// processor.
pub const LANES: usize = 16;

/// Vectors of a group.
const HALVES: usize = LANES / simd::LANES;

/// Numbers of all trials of a group.
type Lanes = [f64; LANES];

/// One vector of them.
#[inline(always)]
fn load<E: Eight>(lanes: &Lanes, half: usize) -> E {
    E::load(&lanes.as_chunks().0[half])
}

/// Writes one vector of them.
#[inline(always)]
fn store<E: Eight>(values: E, lanes: &mut Lanes, half: usize) {
    values.store(&mut lanes.as_chunks_mut().0[half]);
}

/// Whether trials of a run can go side by side.
///
/// # Errors
/// The reason why they go one by one.
pub fn covers(decisions: &Decisions, settings: &Settings) -> Result<(), &'static str> {
    signals::covers(decisions, settings)?;
    if !settings.fractional {
        return Err("its lots are whole");
    }
    if settings.size_at == SizeAt::Order || settings.sequence == Sequence::ByValue {
        return Err("each of its fills depends on the ones before (size_at = \"order\", sequence = \"by_value\")");
    }
    Ok(())
}

/// Fewest trials that are worth a group.
const FEWEST: usize = 3;

/// Most rows of a panel whose trials go side by side: each of them may hold a column of its own.
pub(super) const MOST_ROWS: usize = 1 << 19;

/// Whether trials of a run may go side by side at all, before their rules are bound.
pub fn may_pay(panel: &Panel, trials: usize) -> bool {
    trials >= FEWEST && (2..=MOST_ROWS).contains(&panel.rows())
}

/// Whether these trials are simulated faster side by side than one by one. It says nothing about results, which are the
/// same.
pub fn pays(panel: &Panel, grid: &Grid, settings: &Settings, decisions: &[Decisions]) -> bool {
    may_pay(panel, decisions.len())
        && open_to(grid, decisions)
        && decisions.iter().all(|decisions| covers(decisions, settings).is_ok())
}

/// Whether these trials can be simulated over a grid: exits are sought row by row, and sales at any price are no sales.
pub fn open_to(grid: &Grid, decisions: &[Decisions]) -> bool {
    let targets = matches!(decisions.first(), Some(Decisions::Target { .. }));
    targets || (grid.payable && grid.rows.iter().all(|rows| rows.unbroken))
}

/// What a trial leaves behind for its metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finished {
    /// Equity at the last bar of each session.
    pub session_equity: Vec<f64>,
    /// Sums over the closed round trips.
    pub trades: TradeSums,
    /// What was counted.
    pub counters: Counters,
    /// Rows of the panel that were simulated.
    pub rows_read: u64,
    /// Money not invested.
    pub cash: f64,
    /// Signed units of each symbol.
    pub positions: Vec<f64>,
    /// Whether it came to something that is not known side by side: then none of the rest says anything.
    pub unknown: bool,
}

/// Memory of a group, reused from group to group.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    state: State,
    targets: Targets,
    /// Equity of all trials at the last ends of sessions.
    equity: Vec<Lanes>,
    /// What a bar fills.
    ready: Ready,
    signals: Signals,
}

/// Ends of sessions that are kept together before each trial gets its own.
const KEPT: usize = 64;

/// Simulates up to [`LANES`] trials whose rules and settings [`covers`] accepts, besides what the fast path asks of
/// them. `finished` has one place for each trial.
pub fn simulate(
    panel: &Panel,
    grid: &Grid,
    settings: &Settings,
    decisions: &[Decisions],
    memory: &mut Memory,
    finished: &mut [Finished],
) {
    let costs = Costs::new(&settings.costs);
    memory.state.halves = decisions.len().div_ceil(simd::LANES).min(HALVES);
    memory.state.reset(grid.symbols, settings.capital, grid.payable, !grid.sound);
    memory.equity.clear();
    memory.ready.reset(grid.symbols);
    let sessions = grid.session_ends().map_or(grid.bars, <[u32]>::len);
    for Finished { session_equity, .. } in finished.iter_mut() {
        session_equity.clear();
        session_equity.reserve_exact(sessions);
    }
    simd::run(Group { panel, grid, settings, costs, decisions, memory, finished });
}

struct Group<'a> {
    panel: &'a Panel,
    grid: &'a Grid,
    settings: &'a Settings,
    costs: Costs,
    decisions: &'a [Decisions],
    memory: &'a mut Memory,
    finished: &'a mut [Finished],
}

impl Work for Group<'_> {
    type Output = ();

    #[inline(always)]
    fn run<E: Eight>(mut self) {
        if self.costs.by_value_only {
            self.all::<E, true>();
        } else {
            self.all::<E, false>();
        }
        for lane in 0..self.finished.len().min(LANES) {
            self.finish(lane);
        }
    }
}

impl Group<'_> {
    #[inline(always)]
    fn all<E: Eight, const BY_VALUE: bool>(&mut self) {
        let signals = matches!(self.decisions.first(), Some(Decisions::Signals { .. }));
        if signals {
            self.load_signals();
        } else {
            self.memory.targets.reset(self.grid, self.decisions);
        }
        let words = targets::words_of(self.decisions, self.panel.rows());
        let block = targets::block_of(self.grid.symbols);
        let mut ends = self.grid.session_ends().map(|ends| ends.iter().copied());
        let mut next_end = ends.as_mut().and_then(Iterator::next);
        for start in (0..self.grid.bars).step_by(block) {
            let bars = start..(start + block).min(self.grid.bars);
            if !signals {
                self.memory.targets.load(self.panel, self.grid, self.decisions, &words, bars.clone());
            }
            for bar in bars {
                let equity = if signals { self.signal_step::<E, BY_VALUE>(bar) } else { self.step::<E, BY_VALUE>(bar) };
                match &mut ends {
                    None => self.keep(&equity),
                    Some(ends) if next_end == Some(bar as u32) => {
                        self.keep(&equity);
                        next_end = ends.next();
                    }
                    Some(_) => {}
                }
            }
        }
        self.hand_out();
    }

    /// Keeps the equity at the end of a session.
    #[inline(always)]
    fn keep<E: Eight>(&mut self, equity: &[E; HALVES]) {
        let kept = &mut self.memory.equity;
        kept.push([0.0; LANES]);
        if let Some(last) = kept.last_mut() {
            for half in 0..HALVES {
                store(equity[half], last, half);
            }
        }
        if kept.len() == KEPT {
            self.hand_out();
        }
    }

    /// Gives each trial its part of the equity that is kept.
    #[inline(never)]
    fn hand_out(&mut self) {
        let kept = &mut self.memory.equity;
        for (half, finished) in self.finished.chunks_mut(simd::LANES).enumerate().take(HALVES) {
            for (lane, finished) in finished.iter_mut().enumerate() {
                let of_lane = |equity: &Lanes| equity.as_chunks::<{ simd::LANES }>().0[half][lane];
                finished.session_equity.extend(kept.iter().map(of_lane));
            }
        }
        kept.clear();
    }

    /// One bar of all trials; gives their equity at its end.
    #[inline(always)]
    fn step<E: Eight, const BY_VALUE: bool>(&mut self, bar: usize) -> [E; HALVES] {
        let same_close = self.settings.fill == FillAt::SameClose;
        let last = self.settings.close_at_end && bar + 1 == self.grid.bars;
        let closes = self.grid.closes_at(bar);
        let mut equity = [E::zero(); HALVES];
        // Once in the text, for it is compiled for every kind of vectors and costs.
        for fills in [!same_close, same_close] {
            if fills {
                self.fill_orders::<E, BY_VALUE>(bar);
            }
            if fills != same_close {
                equity = self.memory.state.worth::<E>(closes);
                self.decide(bar, &equity);
            }
        }
        if last {
            self.close_all(bar);
        }
        if same_close || last {
            equity = self.memory.state.worth(closes);
        }
        self.memory.state.expose(&equity, closes);
        equity
    }

    /// Turns the targets of a bar into orders.
    #[inline(always)]
    fn decide<E: Eight>(&mut self, bar: usize, equity: &[E; HALVES]) {
        let closes = self.grid.closes_at(bar);
        let Memory { state, targets, .. } = &mut *self.memory;
        let at_decision = self.settings.size_at == SizeAt::Decision;
        let changes_only = targets.changes_only;
        for word in 0..state.asks.len() {
            let mut asked = targets.asked(bar)[word];
            // A copy, which stays in registers.
            let mut asks = state.asks[word];
            while asked != 0 {
                let place = asked.trailing_zeros() as usize;
                let symbol = word * 64 + place;
                asked &= asked - 1;
                let book = &mut state.books[symbol];
                let (close, odd, turns) = (closes[symbol], &mut state.odd, &mut state.turns);
                targets.give::<E>(
                    symbol,
                    bar,
                    #[inline(always)]
                    |half, targets| {
                        let page = Page { book: &mut *book, asks: &mut asks, bit: place, half };
                        // Towards a weight of at least nothing, no order sells more than is held, however it is rounded.
                        *turns |= E::bits(targets.lt(E::zero())) != 0;
                        if at_decision {
                            *odd |= decide::units(page, targets, equity[half], close, changes_only);
                        } else {
                            decide::weights(page, targets, changes_only);
                        }
                    },
                );
                asks.keep_open(place, book.open.iter().any(|open| *open != 0));
            }
            state.asks[word] = asks;
        }
    }

    /// Tries the open orders against a bar.
    #[inline(always)]
    fn fill_orders<E: Eight, const BY_VALUE: bool>(&mut self, bar: usize) {
        let tradable = self.grid.tradable_at(bar);
        let Group { costs, settings, grid, .. } = *self;
        let Memory { state, ready, .. } = &mut *self.memory;
        if state.asks.iter().all(|asks| asks.open == 0) {
            return;
        }
        ready.words.clear();
        for (word, asks) in state.asks.iter().enumerate() {
            let mut fills = 0;
            if asks.open != 0 {
                let tradable = tradable[word * 64..].iter().take(64);
                fills = asks.open & tradable.rev().fold(0, |bits, &tradable| bits << 1 | u64::from(tradable));
            }
            ready.words.push(fills);
        }
        let venue = Venue { costs: &costs, settings, bar, paid: grid.paid_at(bar) };
        if settings.size_at == SizeAt::Fill {
            self.size_orders::<E>(bar);
        }
        let Memory { state, ready, .. } = &mut *self.memory;
        // Where prices are sound, any sale is allowed and no order is odd, there is nothing to refuse.
        if !grid.payable || !settings.shorts || settings.refuse_unpaid_sales || state.odd {
            for word in 0..ready.words.len() {
                each(ready.words[word], |place| {
                    let symbol = word * 64 + place;
                    venue.market(symbol).screen::<BY_VALUE>(state);
                    let (book, asks) = (&state.books[symbol], &mut state.asks[word]);
                    for half in 0..HALVES {
                        // A few of them, one by one: this is no vector's work.
                        asks.note::<Plain>(place, half, load(&book.order, half));
                    }
                });
            }
        }
        if settings.sequence != Sequence::Symbol && !state.turns && !state.shorts {
            for half in 0..state.halves {
                long::fill::<E, BY_VALUE>(state, half, &ready.words, venue);
            }
        } else {
            self.fill_any::<E, BY_VALUE>(venue);
        }
        let Memory { state, ready, .. } = &mut *self.memory;
        for (word, &fills) in ready.words.iter().enumerate() {
            each(fills, |place| state.books[word * 64 + place].forget_orders());
            state.asks[word].forget(fills);
        }
    }

    /// Gives orders of weights their units, where they fill at this bar.
    #[inline(always)]
    fn size_orders<E: Eight>(&mut self, bar: usize) {
        let Memory { state, ready, .. } = &mut *self.memory;
        let bases = self.grid.fills_at(bar);
        let equity = state.worth::<E>(bases);
        for (word, &fills) in ready.words.iter().enumerate() {
            let mut left = fills;
            while left != 0 {
                let place = left.trailing_zeros() as usize;
                left &= left - 1;
                let symbol = word * 64 + place;
                for half in 0..HALVES {
                    let (book, asks) = (&mut state.books[symbol], &mut state.asks[word]);
                    if book.open[half] != 0 {
                        let page = Page { book, asks, bit: place, half };
                        state.odd |= decide::size(page, equity[half], bases[symbol]);
                    }
                }
            }
        }
    }

    /// Fills the orders of a bar, positions being long or short.
    #[inline(always)]
    fn fill_any<E: Eight, const BY_VALUE: bool>(&mut self, venue: Venue) {
        let Memory { state, ready, .. } = &mut *self.memory;
        ready.sort::<E>(&state.books);
        if venue.settings.sequence == Sequence::Symbol {
            for &symbol in &ready.symbols {
                for half in 0..HALVES {
                    venue.market(symbol as usize).trade::<E, BY_VALUE, false>(state, half, true);
                    venue.market(symbol as usize).trade::<E, BY_VALUE, true>(state, half, true);
                    venue.market(symbol as usize).settle_both::<E, BY_VALUE>(state, half);
                }
            }
            return;
        }
        // Where no position is short, only sells close round trips: a half with both changes its positions once, and
        // so do all others of the bar, which keeps the order of the round trips.
        let later = ready.is_mixed() & !state.shorts;
        for place in ready.sells() {
            venue.market(place.symbol as usize).trade::<E, BY_VALUE, false>(state, place.half as usize, later);
        }
        for place in ready.buys() {
            venue.market(place.symbol as usize).trade::<E, BY_VALUE, true>(state, place.half as usize, later);
        }
        if later {
            for place in ready.all() {
                venue.market(place.symbol as usize).settle_both::<E, BY_VALUE>(state, place.half as usize);
            }
        }
    }

    /// Closes every position at the last bar.
    fn close_all(&mut self, bar: usize) {
        let venue = Venue { costs: &self.costs, settings: self.settings, bar, paid: self.grid.paid_at(bar) };
        let state = &mut self.memory.state;
        for symbol in 0..self.grid.symbols {
            let Some(row) = self.grid.rows[symbol].end.checked_sub(1) else { continue };
            let base = if self.settings.end_at_open { self.panel.open[row] } else { self.panel.close[row] };
            let market = venue.market(symbol).at(base);
            for lane in 0..LANES {
                market.close(state, lane);
            }
        }
    }

    fn finish(&mut self, lane: usize) {
        let unknown = self.is_unknown(lane) && matches!(self.decisions.first(), Some(Decisions::Signals { .. }));
        let State { books, money, trips, .. } = &self.memory.state;
        let finished = &mut self.finished[lane];
        finished.trades = trips[lane / simd::LANES].of(lane % simd::LANES);
        finished.unknown = unknown;
        finished.rows_read = self.grid.row_count();
        finished.cash = money.cash[lane];
        finished.positions.clear();
        finished.positions.extend(books.iter().map(|book| book.units[lane]));
        finished.counters = Counters {
            bars: self.grid.bars as u64,
            // Counted in whole numbers far below 2^53.
            bars_in_market: money.bars_in_market[lane] as u64,
            traded_value: money.traded[lane],
            max_leverage: money.leverage[lane],
            fees: money.fees[lane],
            fills: money.fills[lane] as u64,
            rejected_orders: money.rejected[lane] as u64,
            ambiguous_bars: money.ambiguous[lane] as u64,
            ..Counters::default()
        };
    }
}
