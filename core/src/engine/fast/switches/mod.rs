//! Trials that hold either nothing or one weight of a symbol: from switch to switch.
//!
//! Given a panel laid out as a [`Grid`] and trials whose targets are a weight where a condition holds and nothing
//! elsewhere, this folder gives what the reference gives for each of them, bit for bit, as far as metrics read it.
//! Neighbouring trials seldom switch on the same day, so that most places of a vector stay empty where trials go through
//! the bars together ([`super::lanes`]). Here each lane goes through a trial of its own: all of them are at their next
//! switch, at whatever bar that is, and a lane whose trial is over takes the next one.
//!
//! An order fills all of a position or opens one, so a position has one lot. A trial that comes to anything else, and
//! one that switches so often that lanes are full anyway, is left to the other ways.
//!
//! | file | what it does |
//! |---|---|
//! | `events.rs` | the switches of a trial, in the order in which their orders fill |
//! | `accounts.rs` | cash, positions and round trips of each lane |
//! | `course.rs` | equity from fill to fill |
//! | `step.rs` | one switch of each lane: the order, what it costs, what cash pays, what it does to the account |

mod accounts;
mod course;
mod events;
mod step;

use super::Grid;
use super::lanes::{Costs, Finished};
use crate::context::{Choice, Panel, Rule};
use crate::engine::{Decisions, When};
use crate::plan::{Fill as FillAt, Sequence, Settings, SizeAt};
use crate::simd::{self, Eight, LANES, Work};
use accounts::Accounts;
use events::{BARS, Events};

/// Numbers of all lanes.
type Lanes = [f64; LANES];

/// Most symbols: a bit each.
const MOST_SYMBOLS: usize = 64;

/// Rows for each switch, on average, from which on this is faster than to go through the bars together.
pub const FEWEST_ROWS: usize = 16;

/// Memory of a group, reused from group to group.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    events: Events,
    accounts: Accounts,
    /// Units of each symbol, lane after lane.
    units: Vec<f64>,
    /// The lots that they are; of a symbol that is not held, whatever was left.
    lots: Vec<Lot>,
    /// Equity at the ends of sessions; while a lane's trial is under way, with room for a vector too much.
    courses: [Vec<f64>; LANES],
    /// What has to be added to a bar of each symbol to get its row.
    shifts: Vec<usize>,
}

/// A position of one fill.
#[derive(Clone, Copy, Debug, Default)]
struct Lot {
    price: f64,
    /// Commission per unit.
    fee: f64,
    /// Bar of the fill, a whole number.
    bar: f64,
}

/// The condition of a trial, if it holds one weight or nothing, and acts when that changes.
fn choice_of(decisions: &Decisions) -> Option<&Choice> {
    let Decisions::Target { weight: Rule::Choice(choice), when: When::OnChange } = decisions else { return None };
    let [no, yes, unknown] = choice.values;
    let one = |weight: f64, nothing: f64| nothing == 0.0 && weight > 0.0 && weight < f64::INFINITY;
    (!unknown.is_finite() && (one(yes, no) || one(no, yes))).then_some(choice)
}

/// Whether orders of such trials can only open positions and close them, and fill at the next bar.
fn is_plain(grid: &Grid, settings: &Settings) -> bool {
    let sequence = match settings.sequence {
        Sequence::SellsFirst | Sequence::Symbol => true,
        // Buys that are sized where they fill are all worth the same, so that only sells have to be sorted.
        Sequence::ByValue => settings.size_at == SizeAt::Fill,
        Sequence::Queue => false,
    };
    let orders = settings.fractional && settings.size_at != SizeAt::Order && sequence && !settings.close_at_end;
    let unbroken = grid.rows.iter().all(|rows| rows.unbroken);
    orders && grid.symbols <= MOST_SYMBOLS && grid.payable && grid.sound && grid.always_tradable && unbroken
}

/// Whether trials of a run can be simulated here, if they do not switch too often.
pub fn open_to(grid: &Grid, settings: &Settings, decisions: &[Decisions]) -> bool {
    is_plain(grid, settings) && decisions.iter().all(|decisions| choice_of(decisions).is_some())
}

/// Simulates trials of a run whose settings the fast path accepts. `finished` has one place for each trial. Whether it did: if not, what it left there says nothing. Trials with less than `fewest_rows` rows for
/// each switch are not simulated.
#[must_use]
pub fn simulate(
    panel: &Panel,
    grid: &Grid,
    settings: &Settings,
    decisions: &[Decisions],
    fewest_rows: usize,
    memory: &mut Memory,
    finished: &mut [Finished],
) -> bool {
    if !is_plain(grid, settings) {
        return false;
    }
    let Some(choices) = decisions.iter().map(choice_of).collect::<Option<Vec<_>>>() else { return false };
    // A condition that does not reach to the last row is a mistake, which the other ways do not pass over either.
    if choices.iter().any(|choice| choice.condition.truth().len() * BARS < panel.rows()) {
        return false;
    }
    memory.events.find(grid, settings, &choices);
    if memory.events.count() * fewest_rows > panel.simulated_rows() * choices.len() {
        return false;
    }
    memory.reset(grid);
    let fills = if settings.fill == FillAt::NextOpen { &panel.open } else { &panel.close };
    let weights: Vec<f64> = choices.iter().map(|choice| choice.values[0].max(choice.values[1])).collect();
    let costs = Costs::new(&settings.costs);
    simd::run(Group { grid, settings, costs, fills, weights, odd: false, memory, finished })
}

/// Trials that are simulated.
struct Group<'a> {
    grid: &'a Grid,
    settings: &'a Settings,
    costs: Costs,
    /// The market's price where orders fill, row by row.
    fills: &'a [f64],
    /// The weight that each trial holds.
    weights: Vec<f64>,
    /// Whether a trial came to something that is not known here.
    odd: bool,
    memory: &'a mut Memory,
    finished: &'a mut [Finished],
}

impl Memory {
    fn reset(&mut self, grid: &Grid) {
        self.units.clear();
        self.units.resize(grid.symbols * LANES, 0.0);
        self.lots.resize(grid.symbols * LANES, Lot::default());
        self.shifts.clear();
        self.shifts.extend(grid.rows.iter().map(|rows| rows.first.wrapping_sub(rows.first_bar)));
    }
}

impl Work for Group<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<E: Eight>(mut self) -> bool {
        if self.costs.by_value_only {
            self.all::<E, true>();
        } else {
            self.all::<E, false>();
        }
        !self.odd
    }
}

impl Group<'_> {
    #[inline(always)]
    fn all<E: Eight, const BY_VALUE: bool>(&mut self) {
        let (mut given, mut active) = (0, 0_u8);
        for lane in 0..LANES {
            active |= u8::from(self.take_next(lane, &mut given)) << lane;
        }
        while active != 0 && !self.odd {
            let ended = self.memory.events.ended() & active;
            if ended == 0 {
                self.step::<E, BY_VALUE>(active);
                continue;
            }
            for lane in (0..LANES).filter(|lane| ended >> lane & 1 == 1) {
                self.mark::<E>(lane, self.grid.bars);
                self.finish(lane);
                if !self.take_next(lane, &mut given) {
                    active &= !(1 << lane);
                }
            }
        }
    }

    /// Gives a lane the next trial. Whether there is one.
    fn take_next(&mut self, lane: usize, given: &mut usize) -> bool {
        let trial = *given;
        let Some(&weight) = self.weights.get(trial) else {
            self.memory.events.rest(lane);
            return false;
        };
        *given += 1;
        let Memory { events, accounts, units, courses, .. } = &mut *self.memory;
        events.start(lane, trial);
        accounts.open(lane, self.settings.capital, weight);
        units[lane * self.grid.symbols..][..self.grid.symbols].fill(0.0);
        let course = &mut courses[lane];
        std::mem::swap(course, &mut self.finished[trial].session_equity);
        match self.grid.session_ends() {
            None => course.resize(self.grid.bars + course::TOO_MUCH, 0.0),
            Some(ends) => {
                course.clear();
                course.reserve_exact(ends.len());
            }
        }
        true
    }

    /// Writes down what the trial of a lane came to.
    fn finish(&mut self, lane: usize) {
        let Memory { events, accounts, units, courses, .. } = &mut *self.memory;
        let finished = &mut self.finished[events.trial(lane)];
        let course = &mut courses[lane];
        if self.grid.session_ends().is_none() {
            course.truncate(self.grid.bars);
        }
        std::mem::swap(course, &mut finished.session_equity);
        finished.trades = accounts.trips.of(lane);
        finished.counters = accounts.counters(lane, self.grid.bars);
        finished.cash = accounts.cash[lane];
        finished.positions.clear();
        finished.positions.extend_from_slice(&units[lane * self.grid.symbols..][..self.grid.symbols]);
        finished.rows_read = self.grid.row_count();
        finished.unknown = false;
    }
}
