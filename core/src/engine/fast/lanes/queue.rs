//! Lots that wait behind the oldest one of a position, of eight trials and one symbol.
//!
//! Whoever buys more at a bar does so at the price of all others: a row holds the lots that trials bought together, and is
//! written at once. Eight rows lie together, so that a position that is over closes eight of its lots at once.

use super::lots::Lot;
use crate::simd::{Eight, LANES};

/// Blocks that a queue has room for at first.
const ROOM: usize = 8;

/// Eight rows of lots.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Rows {
    /// Row by row the signed units of each trial; 0 without a lot.
    units: [[f64; LANES]; LANES],
    /// Commission per unit.
    fee: [[f64; LANES]; LANES],
    /// Price per unit of each row.
    price: [f64; LANES],
    /// Bar of the fills of each row, a whole number.
    bar: [f64; LANES],
}

/// Up to eight lots of one trial, one after the other.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct Block {
    /// Signed units; 0 behind the last lot.
    pub units: [f64; LANES],
    /// Commission per unit, price per unit and bar; any numbers behind the last lot.
    pub fee: [f64; LANES],
    pub price: [f64; LANES],
    pub bar: [f64; LANES],
}

/// The lots of eight trials, first in first out.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    rows: Vec<Rows>,
    /// Number of rows.
    end: usize,
    /// The row from which on the lots of each trial are.
    starts: [usize; LANES],
    /// Number of lots of each trial.
    counts: [u32; LANES],
}

impl Queue {
    /// Empties the queues of all trials.
    pub fn clear(&mut self) {
        (self.end, self.starts, self.counts) = (0, [0; LANES], [0; LANES]);
    }

    /// Empties the queue of one trial.
    #[inline(always)]
    pub fn clear_lane(&mut self, place: usize) {
        self.counts[place] = 0;
        self.starts[place] = self.end;
        if self.counts == [0; LANES] {
            self.clear();
        }
    }

    /// Whether a trial has no other lot than the oldest one.
    #[inline(always)]
    pub fn is_empty(&self, place: usize) -> bool {
        self.counts[place] == 0
    }

    /// Number of lots of a trial.
    #[inline(always)]
    pub fn count(&self, place: usize) -> u32 {
        self.counts[place]
    }

    /// The lots of a trial.
    pub fn of(&self, place: usize) -> impl Iterator<Item = Lot> {
        let rows = self.starts[place]..self.end;
        rows.map(move |row| self.get(row, place)).filter(|lot| lot.units != 0.0)
    }

    #[inline(always)]
    fn get(&self, row: usize, place: usize) -> Lot {
        let (rows, k) = (&self.rows[row / LANES], row % LANES);
        Lot { units: rows.units[k][place], fee: rows.fee[k][place], price: rows.price[k], bar: rows.bar[k] }
    }

    /// The row from which on the lots of a trial are.
    #[inline(always)]
    pub fn start(&self, place: usize) -> usize {
        self.starts[place]
    }

    /// The next lots of a trial, eight or all from a row on; goes on to the row behind them.
    #[inline(always)]
    pub fn block(&self, row: &mut usize, place: usize) -> (Block, usize) {
        let (mut block, mut count) = (Block::default(), 0);
        while *row < self.end && count < LANES {
            // Every row is written down, and one without a lot is written over.
            let Lot { units, fee, price, bar } = self.get(*row, place);
            (block.units[count], block.fee[count]) = (units, fee);
            (block.price[count], block.bar[count]) = (price, bar);
            count += usize::from(units != 0.0);
            *row += 1;
        }
        (block, count)
    }

    /// Sees to it that so many rows can be added.
    #[inline(always)]
    pub fn expect(&mut self, rows: usize) {
        if self.rows.len() * LANES < self.end + rows {
            self.make_room();
        }
    }

    /// Adds a row with lots of some trials, all of the same price and bar; there must be room for it.
    #[inline(always)]
    pub fn push_some<E: Eight>(&mut self, some: E::Mask, units: E, fee: E, price: f64, bar: f64) {
        let (rows, k) = (&mut self.rows[self.end / LANES], self.end % LANES);
        E::select(some, units, E::zero()).store(&mut rows.units[k]);
        fee.store(&mut rows.fee[k]);
        (rows.price[k], rows.bar[k]) = (price, bar);
        self.end += 1;
        let bits = E::bits(some);
        for place in 0..LANES {
            self.counts[place] += u32::from(bits >> place & 1);
        }
    }

    /// Adds a lot of one trial.
    #[inline(always)]
    pub fn push(&mut self, place: usize, lot: Lot) {
        self.expect(1);
        if let Some(last) = self.end.checked_sub(1) {
            // Others bought at the same price just before.
            let (rows, k) = (&mut self.rows[last / LANES], last % LANES);
            let same = rows.price[k] == lot.price && rows.bar[k] == lot.bar;
            if same && (rows.units[k][place] == 0.0 || last < self.starts[place]) {
                (rows.units[k][place], rows.fee[k][place]) = (lot.units, lot.fee);
                self.starts[place] = self.starts[place].min(last);
                self.counts[place] += 1;
                return;
            }
        }
        let (rows, k) = (&mut self.rows[self.end / LANES], self.end % LANES);
        rows.units[k] = [0.0; LANES];
        (rows.units[k][place], rows.fee[k][place]) = (lot.units, lot.fee);
        (rows.price[k], rows.bar[k]) = (lot.price, lot.bar);
        self.end += 1;
        self.counts[place] += 1;
    }

    /// Takes the first lot of a trial.
    #[inline(always)]
    pub fn pop(&mut self, place: usize) -> Option<Lot> {
        if self.counts[place] == 0 {
            return None;
        }
        let mut row = self.starts[place];
        let mut lot = self.get(row, place);
        while lot.units == 0.0 {
            row += 1;
            lot = self.get(row, place);
        }
        self.starts[place] = row + 1;
        self.counts[place] -= 1;
        if self.counts[place] == 0 {
            self.clear_lane(place);
        }
        Some(lot)
    }

    /// Leaves out rows whose lots are all gone; where that frees less than half, makes room for as many more.
    #[cold]
    fn make_room(&mut self) {
        let (mut end, mut starts) = (0, [usize::MAX; LANES]);
        for row in 0..self.end {
            let mut units = self.rows[row / LANES].units[row % LANES];
            for place in 0..LANES {
                let is_gone = row < self.starts[place] || self.counts[place] == 0;
                units[place] = if is_gone { 0.0 } else { units[place] };
            }
            if units == [0.0; LANES] {
                continue;
            }
            let Rows { fee, price, bar, .. } = self.rows[row / LANES];
            let (rows, k) = (&mut self.rows[end / LANES], end % LANES);
            (rows.units[k], rows.fee[k]) = (units, fee[row % LANES]);
            (rows.price[k], rows.bar[k]) = (price[row % LANES], bar[row % LANES]);
            for (start, units) in starts.iter_mut().zip(units) {
                *start = if units == 0.0 { *start } else { end.min(*start) };
            }
            end += 1;
        }
        (self.end, self.starts) = (end, starts.map(|start| start.min(end)));
        if self.rows.len() * LANES < 2 * end.max(1) {
            self.rows.resize((2 * self.rows.len()).max(ROOM), Rows::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Plain;
    use std::collections::VecDeque;

    /// A row is pushed for the trials whose bits are set.
    fn push_some(queue: &mut Queue, set: u8, value: f64) {
        let (units, fee) = (Plain::splat(value), Plain::splat(-value));
        queue.push_some::<Plain>(Plain::mask(set), units, fee, value + 0.5, value * 2.0);
    }

    #[test]
    fn queues_keep_their_lots_in_order() {
        let mut queue = Queue::default();
        let mut plain = vec![VecDeque::new(); LANES];
        let (mut seed, mut most) = (1_u64, ROOM * LANES);
        let lot = |value: f64| Lot { units: value, fee: -value, price: value + 0.5, bar: value * 2.0 };
        for step in 1..40_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = (seed >> 40) as usize % LANES;
            // Two steps in a row have the price of the same row, as fills of single trials do.
            let value = f64::from(step / 2 * 2 + 1);
            match (seed >> 60) % 8 {
                0..3 => {
                    let set = seed as u8;
                    queue.expect(1);
                    push_some(&mut queue, set, value);
                    (0..LANES).filter(|k| set >> k & 1 == 1).for_each(|k| plain[k].push_back(lot(value)));
                }
                3..5 => {
                    queue.push(place, lot(value));
                    plain[place].push_back(lot(value));
                }
                5 if seed >> 50 & 15 == 0 => {
                    queue.clear_lane(place);
                    plain[place].clear();
                }
                // The last trial seldom sells: its lots keep rows alive.
                _ => (0..LANES - usize::from(step % 64 != 0))
                    .for_each(|k| assert_eq!(queue.pop(k), plain[k].pop_front())),
            }
            let lots: Vec<Lot> = plain[place].iter().copied().collect();
            assert_eq!(queue.of(place).collect::<Vec<_>>(), lots);
            assert_eq!((queue.count(place) as usize, queue.is_empty(place)), (lots.len(), lots.is_empty()));
            let (mut found, mut row) = (Vec::new(), queue.start(place));
            while found.len() < lots.len() {
                let (block, count) = queue.block(&mut row, place);
                let lot = |k: usize| [block.units[k], block.fee[k], block.price[k], block.bar[k]];
                found.extend((0..count).map(lot).map(|[units, fee, price, bar]| Lot { units, fee, price, bar }));
                assert!(block.units[count..].iter().all(|units| *units == 0.0) && count > 0);
            }
            assert_eq!(found, lots);
            most = most.max(plain.iter().map(VecDeque::len).sum());
        }
        // A row is left out when all its lots are gone.
        assert!(queue.rows.len() * LANES <= 4 * most, "{} blocks, at most {most} lots", queue.rows.len());
        queue.clear();
        assert!((0..LANES).all(|place| queue.is_empty(place) && queue.of(place).next().is_none()));
    }
}
