//! Entries and exits by rules, and the stop-losses, take-profits and time stops that entries bring, for all trials of a
//! group. Long positions only.
//!
//! A bar has three parts, as in the reference: what fills at its open (rules that leave, exits that the open is beyond,
//! entries), what the rest of the bar reaches (stops and targets, at their prices), and what rules decide at its close. A
//! trial that comes to something rare that only the sequential path knows is marked as unknown, and simulated again there.

use super::super::market;
use super::super::signals::Signals as Asked;
use super::fill::{Place, Venue};
use super::long;
use super::state::{Book, each};
use super::targets::{Turned, word_at};
use super::{Group, HALVES, LANES, Lanes, Memory, load, store};
use crate::context::PositionState;
use crate::engine::Decisions;
use crate::engine::decisions::{EntryRules, LevelRule};
use crate::plan::{BeyondLimit, EntryBarExits, Fill as FillAt, LevelsFrom, Sequence, Settings, SizeAt};
use crate::simd::{self, Eight};
use crate::strategy::{LevelIn, SizeIn};

/// Rows of one word.
const ROWS: usize = 64;

/// What rules ask for, and what is open of each symbol. Reused from group to group.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals {
    /// The rules of each trial, row by row.
    asked: Vec<Asked>,
    /// Where they ask to enter and to leave: 64 rows after 64 rows of one symbol, symbol after symbol.
    bits: Vec<[Turned; 2]>,
    desks: Vec<Desk>,
    /// Halves of books whose orders were filled at the open of a bar.
    seen: Vec<Place>,
    /// Trials that came to something that is not known here.
    pub unknown: [u8; HALVES],
}

/// One symbol.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Desk {
    /// Prices of the exits of open positions; beyond reach where there are none.
    stop: Lanes,
    target: Lanes,
    /// Bar from which a position is closed whatever happens.
    exit_bar: Lanes,
    /// Size of an open order to enter: units, or what they follow from at the fill.
    size: Lanes,
    /// The exits that it brings, as they were decided.
    stop_by: Lanes,
    target_by: Lanes,
    /// Trials with an open order to enter, and to leave; those that hold something; those whose exits are watched, and
    /// those of them that entered at this bar and are not tried at it.
    enters: [u8; HALVES],
    leaves: [u8; HALVES],
    held: [u8; HALVES],
    watched: [u8; HALVES],
    fresh: [u8; HALVES],
    /// Its bars.
    first_bar: usize,
    end_bar: usize,
    first_row: usize,
    /// Where its bits start.
    place: usize,
}

/// Whether signals can be simulated side by side under these settings.
///
/// # Errors
/// The reason why trials go one by one.
pub(super) fn covers(decisions: &Decisions, settings: &Settings) -> Result<(), &'static str> {
    let Decisions::Signals { enter_short, size_in, .. } = decisions else { return Ok(()) };
    if enter_short.is_some() {
        return Err("its rules enter short positions");
    }
    if matches!(size_in, SizeIn::BuyingPower | SizeIn::Volatility) {
        return Err("its sizes depend on more than equity, price and the stop-loss");
    }
    if settings.fill != FillAt::NextOpen || settings.sequence != Sequence::SellsFirst {
        return Err("its orders fill elsewhere than at the next open, sells first");
    }
    if settings.refuse_unpaid_sales || settings.size_includes_costs || !settings.exit_slippage {
        return Err("its sizes, sales or exits follow conventions of their own");
    }
    Ok(())
}

/// A value that an exit of an entry is decided with; `None` if there is to be no entry.
fn by(rule: Option<&LevelRule>, row: usize) -> Option<f64> {
    let value = rule.map_or(0.0, |rule| rule.value.at(row, &PositionState::FLAT));
    (rule.is_none() || (value > 0.0 && value.is_finite())).then_some(value)
}

/// Whether an exit is given as a fraction of the price.
fn is_fraction(rule: Option<&LevelRule>) -> bool {
    rule.is_some_and(|rule| rule.unit == LevelIn::Fraction)
}

impl Default for Desk {
    fn default() -> Desk {
        Desk {
            stop: [f64::NEG_INFINITY; LANES],
            target: [f64::INFINITY; LANES],
            exit_bar: [f64::INFINITY; LANES],
            size: [0.0; LANES],
            stop_by: [0.0; LANES],
            target_by: [0.0; LANES],
            enters: [0; HALVES],
            leaves: [0; HALVES],
            held: [0; HALVES],
            watched: [0; HALVES],
            fresh: [0; HALVES],
            first_bar: 0,
            end_bar: 0,
            first_row: 0,
            place: 0,
        }
    }
}

impl Desk {
    /// Whether anything may fill.
    #[inline(always)]
    fn is_busy(&self) -> bool {
        let mut busy = 0;
        for half in 0..HALVES {
            busy |= self.enters[half] | self.leaves[half] | self.watched[half];
        }
        busy != 0
    }

    /// Looks at what is held after fills.
    #[inline(always)]
    fn look<E: Eight>(&mut self, book: &mut Book, half: usize) {
        let held = !E::bits(load::<E>(&book.units, half).eq(E::zero()));
        self.held[half] = held;
        self.watched[half] &= held;
        store(E::zero(), &mut book.order, half);
    }
}

impl Group<'_> {
    /// The rules of all trials, ready to be asked.
    #[inline(always)]
    pub(super) fn load_signals(&mut self) {
        let Signals { asked, bits, desks, unknown, .. } = &mut self.memory.signals;
        *unknown = [0; HALVES];
        asked.resize_with(LANES, Asked::default);
        let rows = self.panel.rows();
        let mut words: [[&[u64]; 2]; LANES] = [[&[]; 2]; LANES];
        for (asked, decisions) in asked.iter_mut().zip(self.decisions) {
            if let Decisions::Signals { enter_long, exit_long, .. } = decisions {
                asked.set([enter_long.as_ref(), exit_long.as_ref(), None, None], rows);
            }
        }
        for (words, asked) in words.iter_mut().zip(&*asked).take(self.decisions.len()) {
            *words = asked.long();
        }
        desks.clear();
        desks.resize_with(self.grid.symbols, Desk::default);
        bits.clear();
        for (symbol, desk) in desks.iter_mut().enumerate() {
            let rows = self.grid.rows[symbol];
            desk.place = bits.len();
            desk.first_row = rows.first;
            if rows.first < rows.end {
                desk.first_bar = self.grid.bar_of(self.panel, symbol, rows.first);
                desk.end_bar = desk.first_bar + rows.end - rows.first;
            }
            for start in (rows.first..rows.end).step_by(ROWS) {
                let mut turned = [Turned::default(); 2];
                for kind in 0..2 {
                    let mut lanes = [0; LANES];
                    for lane in 0..LANES {
                        lanes[lane] = word_at(words[lane][kind], start);
                    }
                    turned[kind] = Turned::of(lanes);
                }
                bits.push(turned);
            }
        }
    }

    /// One bar of all trials; gives their equity at its end.
    #[inline(always)]
    pub(super) fn signal_step<E: Eight, const BY_VALUE: bool>(&mut self, bar: usize) -> [E; HALVES] {
        self.fill_at_open::<E, BY_VALUE>(bar);
        self.fill_inside::<E, BY_VALUE>(bar);
        let closes = self.grid.closes_at(bar);
        let mut equity = self.memory.state.worth::<E>(closes);
        self.ask(bar, &equity);
        if self.settings.close_at_end && bar + 1 == self.grid.bars {
            self.close_all(bar);
            equity = self.memory.state.worth(closes);
        }
        self.memory.state.expose(&equity, closes);
        equity
    }

    /// The entry rules of the strategy; values differ between trials, but not which there are.
    #[inline(always)]
    fn entry(&self) -> Option<&EntryRules> {
        match self.decisions.first() {
            Some(Decisions::Signals { entry, .. }) => entry.as_deref(),
            _ => None,
        }
    }

    fn size_in(&self) -> SizeIn {
        match self.decisions.first() {
            Some(Decisions::Signals { size_in, .. }) => *size_in,
            _ => SizeIn::Shares,
        }
    }

    /// Whether orders get their units when they fill.
    fn sized_late(&self) -> bool {
        self.settings.size_at != SizeAt::Decision && !matches!(self.size_in(), SizeIn::Shares | SizeIn::Risk)
    }

    /// Fills what fills at the open: rules that leave and exits that the open is beyond, then entries.
    #[inline(always)]
    fn fill_at_open<E: Eight, const BY_VALUE: bool>(&mut self, bar: usize) {
        let (late, size_in) = (self.sized_late(), self.size_in());
        let Group { costs, settings, grid, panel, .. } = *self;
        let (tradable, opens) = (grid.tradable_at(bar), grid.fills_at(bar));
        let Memory { state, ready, signals, .. } = &mut *self.memory;
        let Signals { desks, unknown, seen, .. } = signals;
        seen.clear();
        ready.words.clear();
        ready.words.resize(state.asks.len(), u64::MAX);
        for symbol in 0..desks.len() {
            let desk = &mut desks[symbol];
            if !tradable[symbol] || !desk.is_busy() {
                continue;
            }
            let row = desk.first_row + bar - desk.first_bar;
            let (open, low, high) = (E::splat(opens[symbol]), E::splat(panel.low[row]), E::splat(panel.high[row]));
            for half in 0..HALVES {
                let book = &mut state.books[symbol];
                let mut sells = desk.leaves[half];
                if desk.watched[half] != 0 {
                    let (stop, target) = (load::<E>(&desk.stop, half), load::<E>(&desk.target, half));
                    let (fallen, risen) = (low.le(stop), target.le(high));
                    let below = E::bits(E::both(fallen, open.le(stop)));
                    let above = E::bits(E::both(E::either(fallen, risen), target.le(open)));
                    let over = E::bits(load::<E>(&desk.exit_bar, half).le(E::splat(bar as f64)));
                    let watched = desk.watched[half];
                    if settings.beyond_limit == BeyondLimit::Cap {
                        // Slippage would go beyond the target, which caps it: a price of its own.
                        let sold = E::splat(grid.paid_at(bar)[symbol][1]);
                        unknown[half] |= above & !below & !over & watched & E::bits(sold.lt(target));
                    }
                    sells |= watched & (below | above | over);
                }
                let buys = desk.enters[half];
                if sells | buys == 0 {
                    continue;
                }
                let held = load::<E>(&book.units, half);
                let mut order = E::select(E::mask(sells), held.mul(E::splat(-1.0)), E::zero());
                if buys != 0 {
                    let mut units = load::<E>(&desk.size, half);
                    if late {
                        units = match size_in {
                            SizeIn::Equity => {
                                let worth = state.worth::<E>(opens)[half];
                                units.mul(worth.max(E::zero())).div(open)
                            }
                            _ => units.div(open),
                        };
                    }
                    order = E::select(E::mask(buys), units, order);
                    unknown[half] |= buys & !E::bits(units.abs().lt(E::splat(f64::INFINITY)));
                }
                store(order, &mut state.books[symbol].order, half);
                desk.leaves[half] = 0;
                state.asks[symbol / 64].note(symbol % 64, half, order);
                seen.push(Place { symbol: symbol as u32, half: half as u32 });
            }
        }
        if seen.is_empty() {
            return;
        }
        let venue = Venue { costs: &costs, settings, bar, paid: grid.paid_at(bar) };
        for half in 0..HALVES {
            long::fill::<E, BY_VALUE>(state, half, &ready.words, venue);
        }
        state.asks.iter_mut().for_each(|asks| asks.forget(u64::MAX));
        self.attach::<E>(bar);
    }

    /// Looks at what the fills of the open made of positions, and gives new ones their exits.
    #[inline(always)]
    fn attach<E: Eight>(&mut self, bar: usize) {
        let entry = self.entry();
        let (stops, targets) = (entry.and_then(|e| e.stop_loss.as_ref()), entry.and_then(|e| e.take_profit.as_ref()));
        let (stop_fraction, target_fraction) = (is_fraction(stops), is_fraction(targets));
        let (has_stop, has_target) = (stops.is_some(), targets.is_some());
        let time_stop = entry.and_then(|entry| entry.time_stop).is_some();
        let watches = has_stop || has_target || time_stop;
        let tried = self.settings.entry_bar_exits != EntryBarExits::Never;
        let from_fill = self.settings.levels_from == LevelsFrom::Fill;
        let mut time_stops = [f64::INFINITY; LANES];
        if time_stop {
            for (bars, decisions) in time_stops.iter_mut().zip(self.decisions) {
                if let Decisions::Signals { entry: Some(entry), .. } = decisions {
                    *bars = entry.time_stop.map_or(f64::INFINITY, f64::from);
                }
            }
        }
        let Group { grid, panel, .. } = *self;
        let opens = grid.fills_at(bar);
        let Memory { state, signals, .. } = &mut *self.memory;
        let Signals { desks, unknown, seen, .. } = signals;
        for place in &*seen {
            let (symbol, half) = (place.symbol as usize, place.half as usize);
            let (desk, book) = (&mut desks[symbol], &mut state.books[symbol]);
            let enters = std::mem::take(&mut desk.enters[half]);
            desk.look::<E>(book, half);
            let entered = enters & desk.held[half];
            if entered == 0 || !watches {
                continue;
            }
            let mask = E::mask(entered);
            let base = if from_fill { grid.paid_at(bar)[symbol][0] } else { opens[symbol] };
            let level = E::splat(base);
            let (stop_by, target_by) = (load::<E>(&desk.stop_by, half), load::<E>(&desk.target_by, half));
            let stop_by = if stop_fraction { level.mul(stop_by) } else { stop_by };
            let target_by = if target_fraction { level.mul(target_by) } else { target_by };
            let stop = if has_stop { level.sub(stop_by) } else { E::splat(f64::NEG_INFINITY) };
            let target = if has_target { level.add(target_by) } else { E::splat(f64::INFINITY) };
            let exit_bar = E::splat(bar as f64).add(load::<E>(&time_stops, half)).add(E::splat(1.0));
            store(E::select(mask, stop, load(&desk.stop, half)), &mut desk.stop, half);
            store(E::select(mask, target, load(&desk.target, half)), &mut desk.target, half);
            store(E::select(mask, exit_bar, load(&desk.exit_bar, half)), &mut desk.exit_bar, half);
            desk.watched[half] |= entered;
            if tried {
                // Levels that the open of the entry is beyond fill among the rest of the open.
                let row = desk.first_row + bar - desk.first_bar;
                let (open, low) = (E::splat(opens[symbol]), E::splat(panel.low[row]));
                let beyond = E::either(E::both(low.le(stop), open.le(stop)), target.le(open));
                unknown[half] |= entered & E::bits(beyond);
            } else {
                desk.fresh[half] |= entered;
            }
        }
    }

    /// Fills the exits that the rest of the bar reaches.
    #[inline(always)]
    fn fill_inside<E: Eight, const BY_VALUE: bool>(&mut self, bar: usize) {
        let Group { costs, settings, grid, panel, .. } = *self;
        let tradable = grid.tradable_at(bar);
        let Memory { state, signals, .. } = &mut *self.memory;
        let Signals { desks, unknown, .. } = signals;
        for symbol in 0..desks.len() {
            let desk = &mut desks[symbol];
            let fresh = std::mem::take(&mut desk.fresh);
            if !tradable[symbol] || desk.watched == [0; HALVES] {
                continue;
            }
            let row = desk.first_row + bar - desk.first_bar;
            let (low, high) = (E::splat(panel.low[row]), E::splat(panel.high[row]));
            for half in 0..HALVES {
                let (stop, target) = (load::<E>(&desk.stop, half), load::<E>(&desk.target, half));
                let (fallen, risen) = (low.le(stop), target.le(high));
                let watched = desk.watched[half] & !fresh[half];
                let hit = watched & E::bits(E::either(fallen, risen));
                if hit == 0 {
                    continue;
                }
                let mask = E::mask(hit);
                super::state::count::<E>(&mut state.money.ambiguous, half, E::both(mask, E::both(fallen, risen)));
                let slipped = costs.sold_at(E::select(fallen, stop, target));
                // Slippage takes a target no further than its own price, where that caps it.
                let capped = settings.beyond_limit == BeyondLimit::Cap;
                let price = if capped { E::select(fallen, slipped, target.max(slipped)) } else { slipped };
                unknown[half] |= hit & !E::bits(E::zero().lt(price));
                let order = E::select(mask, load::<E>(&state.books[symbol].units, half).mul(E::splat(-1.0)), E::zero());
                let venue = Venue { costs: &costs, settings, bar, paid: grid.paid_at(bar) };
                let market = venue.market(symbol);
                market.sell_at::<E, BY_VALUE>(state, half, order, price);
                desk.look::<E>(&mut state.books[symbol], half);
                desk.leaves[half] &= !hit;
            }
        }
    }

    /// Lets the rules of a bar place orders.
    #[inline(always)]
    fn ask<E: Eight>(&mut self, bar: usize, equity: &[E; HALVES]) {
        for symbol in 0..self.memory.signals.desks.len() {
            let Signals { desks, bits, .. } = &mut self.memory.signals;
            let desk = &mut desks[symbol];
            if bar < desk.first_bar || bar >= desk.end_bar {
                continue;
            }
            let row = bar - desk.first_bar;
            let [enter, leave] = &bits[desk.place + row / ROWS];
            let (enter, leave) = (enter.at(row % ROWS), leave.at(row % ROWS));
            for half in 0..HALVES {
                let desk = &mut self.memory.signals.desks[symbol];
                let (enter, leave) = ((enter >> (8 * half)) as u8, (leave >> (8 * half)) as u8);
                desk.leaves[half] |= leave & desk.held[half];
                let flat = enter & !desk.held[half] & !desk.enters[half];
                if flat != 0 {
                    self.enter(bar, symbol, half, flat, &equity[half].array());
                }
            }
        }
    }

    /// Places orders to enter.
    #[inline(never)]
    fn enter(&mut self, bar: usize, symbol: usize, half: usize, flat: u8, equity: &[f64; simd::LANES]) {
        let (late, close, settings) = (self.sized_late(), self.grid.closes_at(bar)[symbol], self.settings);
        let Signals { desks, unknown, .. } = &mut self.memory.signals;
        let desk = &mut desks[symbol];
        let row = desk.first_row + bar - desk.first_bar;
        let decisions = self.decisions;
        each(flat.into(), |place| {
            let lane = half * simd::LANES + place;
            let Decisions::Signals { size, size_in, entry, .. } = &decisions[lane] else { return };
            let amount = size.at(row, &PositionState::FLAT);
            if !(amount > 0.0 && amount.is_finite()) {
                return;
            }
            let (stops, targets) = match entry.as_deref() {
                Some(entry) => (entry.stop_loss.as_ref(), entry.take_profit.as_ref()),
                None => (None, None),
            };
            let (Some(stop_by), Some(target_by)) = (by(stops, row), by(targets, row)) else { return };
            let worth = equity[place];
            let units = match size_in {
                _ if late => amount,
                SizeIn::Risk => {
                    // Without a stop-loss there is no risk to measure by.
                    let risk = if is_fraction(stops) { close * stop_by } else { stop_by };
                    let risk = if stops.is_some() { risk } else { crate::num::NAN };
                    market::at_risk(settings, amount, worth, risk)
                }
                unit => market::sized(settings, amount, *unit, worth, close),
            };
            if !units.is_finite() {
                unknown[half] |= 1 << place;
            }
            if units == 0.0 && entry.is_some() {
                return;
            }
            (desk.size[lane], desk.stop_by[lane], desk.target_by[lane]) = (units, stop_by, target_by);
            desk.enters[half] |= 1 << place;
        });
    }

    /// Whether a trial came to something that is not known here.
    pub(super) fn is_unknown(&self, lane: usize) -> bool {
        self.memory.signals.unknown[lane / simd::LANES] >> (lane % simd::LANES) & 1 == 1
    }
}
