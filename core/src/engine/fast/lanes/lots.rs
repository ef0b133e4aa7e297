//! Lots of a position, first in first out, as `account.rs` books them: the oldest lot stands with its position, the
//! others wait in a list.

use super::fill::{Market, TINY};
use super::state::{Book, State};

/// A part of a position that was made by one fill.
#[derive(Clone, Copy, Debug, Default)]
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
    fn lead(&mut self, lane: usize, lot: Lot) {
        self.first_units[lane] = lot.units;
        self.first_price[lane] = lot.price;
        self.first_fee[lane] = lot.fee;
        self.first_bar[lane] = lot.bar;
    }

    /// The oldest lot of a trial.
    #[inline(always)]
    fn leader(&self, lane: usize) -> Lot {
        let [units, price, fee, bar] =
            [&self.first_units, &self.first_price, &self.first_fee, &self.first_bar].map(|lots| lots[lane]);
        Lot { units, fee, price, bar }
    }
}

/// What closes lots.
#[derive(Clone, Copy)]
struct Exit {
    lane: usize,
    price: f64,
    fee_per_unit: f64,
}

impl Market<'_> {
    /// What a fill does to the position and the lots of one trial: `Account::book_as` for fills that close the oldest
    /// lots.
    pub fn change_position(&self, state: &mut State, lane: usize, units: f64, price: f64, fee: f64) {
        let book = &mut state.books[self.symbol];
        let queue = &mut state.queues[self.symbol];
        let before = book.units[lane];
        let mut after = before + units;
        if after.abs() <= 1e-12 * before.abs() {
            after = 0.0;
        }
        let fee_per_unit = fee / units.abs();
        let lot = Lot { units, fee: fee_per_unit, price, bar: self.bar as f64 };
        if before == 0.0 {
            queue.clear_lane(lane);
            book.lead(lane, lot);
        } else if (before > 0.0) == (units > 0.0) {
            queue.push(lane, lot);
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
        let bit = 1 << (lane % 8);
        let queued = &mut book.queued[lane / 8];
        *queued = if queues[self.symbol].of(lane).is_empty() { *queued & !bit } else { *queued | bit };
        money.positions[lane] += f64::from(u8::from(after != 0.0)) - f64::from(u8::from(before != 0.0));
        state.shorts |= after < 0.0;
        state.exact |= after.abs() < TINY && after != 0.0;
    }

    /// Closes all lots of a position that is over, whatever rounding left in the last one: that one bears what is left
    /// of the commission.
    #[inline(always)]
    fn close_all_lots(&self, state: &mut State, exit: Exit, units: f64) {
        let Exit { lane, price, fee_per_unit } = exit;
        let State { books, queues, trips, money, .. } = state;
        let (book, queue) = (&mut books[self.symbol], &mut queues[self.symbol]);
        let lots = queue.of(lane);
        let listed = trips.extend(lane, lots.len() + 1);
        let bar = self.bar as f64;
        let trip = |lot: &Lot| {
            let part = lot.units.abs();
            [lot.units * (price - lot.price) - part * (lot.fee + fee_per_unit), part * lot.price]
        };
        let mut last = book.leader(lane);
        let (mut left, mut held) = (units, bar - last.bar);
        if let Some((oldest, others)) = listed.split_first_mut() {
            *oldest = trip(&last);
            for (listed, lot) in others.iter_mut().zip(lots) {
                *listed = trip(lot);
                left -= last.units.abs();
                held += bar - lot.bar;
                last = *lot;
            }
        }
        let part = last.units.abs();
        if left != part
            && let Some([profit, _]) = listed.last_mut()
        {
            *profit = last.units * (price - last.price) - (part * last.fee + left * fee_per_unit);
        }
        money.holding[lane] += held;
        book.first_units[lane] = 0.0;
        queue.clear_lane(lane);
    }

    /// Closes lots, oldest first, until `left` units are closed. Whether none is left.
    #[inline(always)]
    fn close_lots(&self, state: &mut State, exit: Exit, mut left: f64) -> bool {
        let Exit { lane, price, fee_per_unit } = exit;
        let State { books, queues, trips, money, .. } = state;
        let (book, queue) = (&mut books[self.symbol], &mut queues[self.symbol]);
        loop {
            let lot = book.first_units[lane];
            let part = left.min(lot.abs());
            if part <= 0.0 {
                return false;
            }
            let signed = if lot < 0.0 { -part } else { part };
            let entry = book.first_price[lane];
            let fees = part * (book.first_fee[lane] + fee_per_unit);
            trips.push(lane, [signed * (price - entry) - fees, part * entry]);
            money.holding[lane] += self.bar as f64 - book.first_bar[lane];
            left -= part;
            if part != lot.abs() {
                book.first_units[lane] = lot - signed;
                return false;
            }
            let Some(next) = queue.pop(lane) else { break };
            book.lead(lane, next);
        }
        book.first_units[lane] = 0.0;
        if left > 0.0
            && let Some([profit, _]) = trips.last_mut(lane)
        {
            // What rounding left of the fill found no lot: its fee goes with the rest.
            *profit -= left * fee_per_unit;
        }
        true
    }
}
