//! Lots of a position, first in first out, as `account.rs` books them: the oldest lot stands with its position, the
//! others wait in a list.

use super::super::trips::{self, Closed, Trips};
use super::fill::{Market, TINY};
use super::queue::Queue;
use super::state::{Book, State};
use crate::simd::{self, Eight};

/// A part of a position that was made by one fill.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Lot {
    /// Signed units.
    pub units: f64,
    /// Commission per unit.
    pub fee: f64,
    /// Price per unit.
    pub price: f64,
    /// Bar of the fill, a whole number.
    pub bar: f64,
}

impl Book {
    /// Makes a lot the oldest one of a trial.
    #[inline(always)]
    pub fn lead(&mut self, lane: usize, lot: Lot) {
        self.first_units[lane] = lot.units;
        self.first_price[lane] = lot.price;
        self.first_fee[lane] = lot.fee;
        self.first_bar[lane] = lot.bar;
    }

    /// The oldest lot of a trial.
    #[inline(always)]
    pub fn leader(&self, lane: usize) -> Lot {
        let [units, price, fee, bar] =
            [&self.first_units, &self.first_price, &self.first_fee, &self.first_bar].map(|lots| lots[lane]);
        Lot { units, fee, price, bar }
    }
}

/// What closes lots.
#[derive(Clone, Copy)]
pub(super) struct Exit {
    pub lane: usize,
    pub price: f64,
    pub fee_per_unit: f64,
}

impl Market<'_> {
    /// What a fill does to the position and the lots of one trial: `Account::book_as` for fills that close the oldest
    /// lots.
    pub fn change_position(&self, state: &mut State, lane: usize, units: f64, price: f64, fee: f64) {
        let book = &mut state.books[self.symbol];
        let (half, place) = (lane / simd::LANES, lane % simd::LANES);
        let queue = &mut state.queues[self.symbol][half];
        let before = book.units[lane];
        let mut after = before + units;
        if after.abs() <= 1e-12 * before.abs() {
            after = 0.0;
        }
        let fee_per_unit = fee / units.abs();
        let lot = Lot { units, fee: fee_per_unit, price, bar: self.bar as f64 };
        if before == 0.0 {
            queue.clear_lane(place);
            book.lead(lane, lot);
        } else if (before > 0.0) == (units > 0.0) {
            queue.push(place, lot);
        } else {
            let exit = Exit { lane, price, fee_per_unit };
            let over = after == 0.0 || (after > 0.0) != (before > 0.0);
            if over {
                self.close_all_lots(state, exit, units.abs().min(before.abs()));
                if after != 0.0 {
                    state.books[self.symbol].lead(lane, Lot { units: after, ..lot });
                }
            } else if self.close_lots(state, exit, units.abs()) {
                after = 0.0;
            }
        }
        let State { books, queues, money, .. } = state;
        let book = &mut books[self.symbol];
        book.units[lane] = after;
        let (queued, bit) = (&mut book.queued[half], 1 << place);
        *queued = if queues[self.symbol][half].is_empty(place) { *queued & !bit } else { *queued | bit };
        money.positions[lane] += f64::from(u8::from(after != 0.0)) - f64::from(u8::from(before != 0.0));
        state.shorts |= after < 0.0;
        state.exact |= after.abs() < TINY && after != 0.0;
    }

    /// Closes all lots of a position that is over, whatever rounding left in the last one: that one bears what is left
    /// of the commission.
    #[inline(always)]
    fn close_all_lots(&self, state: &mut State, exit: Exit, units: f64) {
        let Exit { lane, price, fee_per_unit } = exit;
        let State { books, queues, trips, .. } = state;
        let (half, place) = (lane / simd::LANES, lane % simd::LANES);
        let (book, queue) = (&mut books[self.symbol], &mut queues[self.symbol][half]);
        let trips = &mut trips[half];
        let mut sums = trips.of(place);
        let bar = self.bar as f64;
        let mut last = book.leader(lane);
        let mut left = units;
        for lot in queue.of(place) {
            let part = last.units.abs();
            let profit = last.units * (price - last.price) - part * (last.fee + fee_per_unit);
            sums.add(profit, part * last.price, bar - last.bar);
            left -= part;
            last = lot;
        }
        let part = last.units.abs();
        let fees = if left == part { part * (last.fee + fee_per_unit) } else { part * last.fee + left * fee_per_unit };
        sums.add(last.units * (price - last.price) - fees, part * last.price, bar - last.bar);
        trips.set(place, &sums);
        book.first_units[lane] = 0.0;
        queue.clear_lane(place);
    }

    /// The same for a long position with lots behind the oldest one, eight at a time.
    #[inline(always)]
    pub fn close_queue<E: Eight>(&self, oldest: Lot, queue: &mut Queue, trips: &mut Trips, exit: Exit, units: f64) {
        let Exit { lane, price, fee_per_unit } = exit;
        let place = lane % simd::LANES;
        let bar = self.bar as f64;
        let mut sums = trips.of(place);
        let gain = oldest.units * (price - oldest.price);
        let fees = oldest.units * (oldest.fee + fee_per_unit);
        sums.add(gain - fees, oldest.units * oldest.price, bar - oldest.bar);
        let mut left = units - oldest.units;
        let (mut row, mut waiting) = (queue.start(place), queue.count(place) as usize);
        while waiting != 0 {
            let (block, count) = queue.block(&mut row, place);
            waiting -= count;
            let (lots, paid) = (E::load(&block.units), E::load(&block.price));
            let gain = lots.mul(E::splat(price).sub(paid));
            let fees = lots.mul(E::load(&block.fee).add(E::splat(fee_per_unit)));
            let mut profits = gain.sub(fees).array();
            let others = if waiting == 0 { count - 1 } else { count };
            for part in &block.units[..others] {
                left -= part;
            }
            if others < count && left != block.units[others] {
                let part = block.units[others];
                profits[others] =
                    part * (price - block.price[others]) - (part * block.fee[others] + left * fee_per_unit);
            }
            let bars = E::splat(bar).sub(E::load(&block.bar));
            let closed = Closed { profit: E::load(&profits), value: lots.mul(paid), bars };
            trips::add_in_turn::<E>(&mut sums, closed, count);
        }
        trips.set(place, &sums);
        queue.clear_lane(place);
    }

    /// Closes lots, oldest first, until `left` units are closed. Whether none is left.
    #[inline(always)]
    fn close_lots(&self, state: &mut State, exit: Exit, mut left: f64) -> bool {
        let Exit { lane, price, fee_per_unit } = exit;
        let State { books, queues, trips, .. } = state;
        let (half, place) = (lane / simd::LANES, lane % simd::LANES);
        let (book, queue) = (&mut books[self.symbol], &mut queues[self.symbol][half]);
        let trips = &mut trips[half];
        let mut sums = trips.of(place);
        let mut lot = book.leader(lane);
        let is_over = loop {
            let size = lot.units.abs();
            let part = left.min(size);
            if part <= 0.0 {
                break false;
            }
            let signed = if lot.units < 0.0 { -part } else { part };
            let mut profit = signed * (price - lot.price) - part * (lot.fee + fee_per_unit);
            let (value, bars) = (part * lot.price, self.bar as f64 - lot.bar);
            left -= part;
            if part != size {
                sums.add(profit, value, bars);
                lot.units -= signed;
                break false;
            }
            let next = queue.pop(place);
            if next.is_none() && left > 0.0 {
                // What rounding left of the fill found no lot: its fee goes with the rest.
                profit -= left * fee_per_unit;
            }
            sums.add(profit, value, bars);
            match next {
                Some(next) => lot = next,
                None => {
                    lot.units = 0.0;
                    break true;
                }
            }
        };
        trips.set(place, &sums);
        book.lead(lane, lot);
        is_over
    }
}
