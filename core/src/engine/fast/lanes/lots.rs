//! Lots of a position, first in first out, as `account.rs` books them: the oldest lot stands with its position, the
//! others wait in a list of signed units and bars. The bar of a lot says its price, and that its commission.

use super::fill::Market;
use super::state::{Book, State};

impl Book {
    /// Makes a lot the oldest one of a trial.
    #[inline(always)]
    fn lead(&mut self, lane: usize, units: f64, price: f64, fee: f64, bar: f64) {
        self.first_units[lane] = units;
        self.first_price[lane] = price;
        self.first_fee[lane] = fee;
        self.first_bar[lane] = bar;
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
    #[inline(always)]
    pub fn change_position<const BY_VALUE: bool>(
        &self,
        state: &mut State,
        lane: usize,
        units: f64,
        price: f64,
        fee: f64,
    ) {
        let book = &mut state.books[self.symbol];
        let queue = &mut state.queues[self.symbol];
        let before = book.units[lane];
        let mut after = before + units;
        if after.abs() <= 1e-12 * before.abs() {
            after = 0.0;
        }
        let fee_per_unit = fee / units.abs();
        let bar = self.bar as f64;
        if before == 0.0 {
            queue.clear_lane(lane);
            book.lead(lane, units, price, fee_per_unit, bar);
        } else if (before > 0.0) == (units > 0.0) {
            queue.push(lane, [units, bar]);
        } else {
            let exit = Exit { lane, price, fee_per_unit };
            let over = after == 0.0 || (after > 0.0) != (before > 0.0);
            if over {
                self.close_all_lots::<BY_VALUE>(state, exit, units.abs().min(before.abs()));
                if after != 0.0 {
                    state.books[self.symbol].lead(lane, after, price, fee_per_unit, bar);
                }
            } else if self.close_lots::<BY_VALUE>(state, exit, units.abs()) {
                after = 0.0;
            }
        }
        state.books[self.symbol].units[lane] = after;
        state.shorts |= after < 0.0;
    }

    /// Price and commission per unit of a lot in the queue.
    #[inline(always)]
    fn entry<const BY_VALUE: bool>(&self, units: f64, bar: f64) -> (f64, f64) {
        // Bars are whole numbers that once were indices.
        let base = self.grid.fills_at(bar as usize)[self.symbol];
        let price = self.costs.price(base, units > 0.0);
        (price, self.costs.fee::<BY_VALUE>(units, price) / units.abs())
    }

    /// Closes all lots of a position that is over, whatever rounding left in the last one: that one bears what is left
    /// of the commission.
    #[inline(always)]
    fn close_all_lots<const BY_VALUE: bool>(&self, state: &mut State, exit: Exit, units: f64) {
        let Exit { lane, price, fee_per_unit } = exit;
        let State { books, queues, trips, money, .. } = state;
        let (book, queue) = (&mut books[self.symbol], &mut queues[self.symbol]);
        let lots = queue.of(lane);
        let listed = trips.extend(lane, lots.len() + 1);
        let bar = self.bar as f64;
        let mut left = units;
        let mut held = bar - book.first_bar[lane];
        let (mut signed, mut entry, mut lot_fee) =
            (book.first_units[lane], book.first_price[lane], book.first_fee[lane]);
        for (listed, &[next, next_bar]) in listed.iter_mut().zip(lots) {
            let part = signed.abs();
            *listed = [signed * (price - entry) - part * (lot_fee + fee_per_unit), part * entry];
            left -= part;
            held += bar - next_bar;
            signed = next;
            (entry, lot_fee) = self.entry::<BY_VALUE>(next, next_bar);
        }
        let part = signed.abs();
        let fees = if left != part { part * lot_fee + left * fee_per_unit } else { part * (lot_fee + fee_per_unit) };
        if let Some(listed) = listed.last_mut() {
            *listed = [signed * (price - entry) - fees, part * entry];
        }
        money.holding[lane] += held;
        book.first_units[lane] = 0.0;
        queue.clear_lane(lane);
    }

    /// Closes lots, oldest first, until `left` units are closed. Whether none is left.
    #[inline(always)]
    fn close_lots<const BY_VALUE: bool>(&self, state: &mut State, exit: Exit, mut left: f64) -> bool {
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
            let Some([next, bar]) = queue.pop(lane) else { break };
            let (price, fee) = self.entry::<BY_VALUE>(next, bar);
            book.lead(lane, next, price, fee, bar);
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
