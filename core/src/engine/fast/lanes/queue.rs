//! Lots that wait behind the oldest one of a position: a queue for each trial of a group, all in one piece of memory.
//! Eight lots of a trial lie side by side, so that a position that is over closes eight at once.

use std::ops::Range;

use super::LANES;
use super::lots::Lot;
use super::state::each;
use crate::simd;

/// Blocks that a new queue has room for.
const ROOM: usize = 8;

/// Eight lots of one trial, in their order.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(super) struct Block {
    /// Signed units.
    pub units: [f64; simd::LANES],
    /// Commission per unit.
    pub fee: [f64; simd::LANES],
    /// Price per unit.
    pub price: [f64; simd::LANES],
    /// Bar of the fill, a whole number.
    pub bar: [f64; simd::LANES],
}

/// The lots of one symbol behind the oldest ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Queues {
    /// Queue after queue, `room` blocks each.
    blocks: Vec<Block>,
    room: usize,
    /// Where each queue starts and ends, in lots from the first place of the first queue on.
    starts: [usize; LANES],
    ends: [usize; LANES],
    /// Lots that can be added to any queue before its room has to be looked at.
    spare: usize,
}

impl Queues {
    /// Empties all queues.
    pub fn clear(&mut self) {
        self.starts = std::array::from_fn(|lane| self.place(lane));
        self.ends = self.starts;
        self.spare = (self.room * simd::LANES).saturating_sub(1);
    }

    /// The first place of a queue.
    #[inline(always)]
    fn place(&self, lane: usize) -> usize {
        lane * self.room * simd::LANES
    }

    /// Empties one queue.
    #[inline(always)]
    pub fn clear_lane(&mut self, lane: usize) {
        self.starts[lane] = self.place(lane);
        self.ends[lane] = self.starts[lane];
    }

    /// Whether a trial has no other lot than the oldest one.
    #[inline(always)]
    pub fn is_empty(&self, lane: usize) -> bool {
        self.starts[lane] == self.ends[lane]
    }

    /// The lots of one queue.
    pub fn of(&self, lane: usize) -> impl Iterator<Item = Lot> {
        (self.starts[lane]..self.ends[lane]).map(|place| self.get(place))
    }

    /// The blocks of one queue, each with the places that its lots have in it.
    #[inline(always)]
    pub fn blocks(&self, lane: usize) -> impl Iterator<Item = (&Block, Range<usize>)> {
        let (start, end) = (self.starts[lane], self.ends[lane]);
        let first = start / simd::LANES;
        let blocks = self.blocks[first..end.div_ceil(simd::LANES).max(first)].iter().enumerate();
        blocks.map(move |(k, block)| {
            let place = (first + k) * simd::LANES;
            (block, start.saturating_sub(place)..(end - place).min(simd::LANES))
        })
    }

    #[inline(always)]
    fn get(&self, place: usize) -> Lot {
        let (block, k) = (&self.blocks[place / simd::LANES], place % simd::LANES);
        Lot { units: block.units[k], fee: block.fee[k], price: block.price[k], bar: block.bar[k] }
    }

    #[inline(always)]
    fn set(&mut self, place: usize, lot: Lot) {
        let (block, k) = (&mut self.blocks[place / simd::LANES], place % simd::LANES);
        (block.units[k], block.fee[k], block.price[k], block.bar[k]) = (lot.units, lot.fee, lot.price, lot.bar);
    }

    /// Sees to it that so many lots can be added to each queue.
    #[inline(always)]
    pub fn expect(&mut self, lots: usize) {
        if self.spare < lots {
            self.make_room();
        }
    }

    /// Adds a lot to each queue from `first` on whose bit is set; there must be room for it.
    #[inline(always)]
    pub fn push_some(&mut self, first: usize, set: u8, lot: impl Fn(usize) -> Lot) {
        self.spare = self.spare.saturating_sub(1);
        each(set.into(), |place| {
            let end = self.ends[first + place];
            self.set(end, lot(place));
            self.ends[first + place] = end + 1;
        });
    }

    /// Adds a lot to one queue.
    #[inline(always)]
    pub fn push(&mut self, lane: usize, lot: Lot) {
        self.expect(1);
        self.push_some(lane, 1, |_| lot);
    }

    /// Takes the first lot of one queue.
    #[inline(always)]
    pub fn pop(&mut self, lane: usize) -> Option<Lot> {
        if self.is_empty(lane) {
            return None;
        }
        let lot = self.get(self.starts[lane]);
        self.starts[lane] += 1;
        if self.is_empty(lane) {
            self.clear_lane(lane);
        }
        Some(lot)
    }

    /// Counts the spare room anew; where it is less than a quarter, moves the queues to their starts or to a larger room.
    #[cold]
    fn make_room(&mut self) {
        let longest = |queues: &Queues| (0..LANES).map(|k| queues.ends[k] - queues.place(k)).max().unwrap_or(0);
        let is_short = |queues: &Queues| {
            let room = queues.room * simd::LANES;
            longest(queues) + 1 + room / 4 >= room
        };
        if is_short(self) {
            self.move_to(self.room);
        }
        if is_short(self) {
            let room = (longest(self) * 2).div_ceil(simd::LANES).max(ROOM);
            self.blocks.resize(LANES * room, Block::default());
            self.move_to(room);
        }
        self.spare = self.room * simd::LANES - 1 - longest(self);
    }

    /// Moves every queue to the start of its room, which is not smaller than before.
    fn move_to(&mut self, room: usize) {
        for lane in (0..LANES).rev() {
            let (start, end, to) = (self.starts[lane], self.ends[lane], lane * room * simd::LANES);
            // Backwards where the new place lies behind the old one, so that no lot is written over before it is moved.
            let count = end - start;
            let shift = |queues: &mut Queues, k: usize| {
                let lot = queues.get(start + k);
                queues.set(to + k, lot);
            };
            if to > start {
                (0..count).rev().for_each(|k| shift(self, k));
            } else {
                (0..count).for_each(|k| shift(self, k));
            }
            (self.starts[lane], self.ends[lane]) = (to, to + count);
        }
        self.room = room;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_keep_their_lots_in_order() {
        let mut queues = Queues::default();
        let mut plain = vec![std::collections::VecDeque::new(); LANES];
        let mut seed = 1_u64;
        let lot = |value: f64| Lot { units: value, fee: -value, price: value + 0.5, bar: value * 2.0 };
        for step in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let lane = (seed >> 40) as usize % LANES;
            let value = f64::from(step);
            match (seed >> 60) % 8 {
                0..4 => {
                    let (first, set) = ((seed >> 50) as usize % 2 * 8, seed as u8);
                    queues.expect(1);
                    queues.push_some(first, set, |_| lot(value));
                    (0..8).filter(|k| set >> k & 1 == 1).for_each(|k| plain[first + k].push_back(lot(value)));
                }
                4 => {
                    queues.push(lane, lot(value));
                    plain[lane].push_back(lot(value));
                }
                5 if seed >> 50 & 15 == 0 => {
                    queues.clear_lane(lane);
                    plain[lane].clear();
                }
                _ => (0..8).for_each(|_| assert_eq!(queues.pop(lane), plain[lane].pop_front())),
            }
            assert_eq!(queues.of(lane).collect::<Vec<_>>(), plain[lane].iter().copied().collect::<Vec<_>>());
            let by_blocks = queues.blocks(lane).flat_map(|(block, places)| places.map(|k| block.units[k]));
            assert_eq!(by_blocks.collect::<Vec<_>>(), plain[lane].iter().map(|lot| lot.units).collect::<Vec<_>>());
        }
        queues.clear();
        assert!((0..LANES).all(|lane| queues.is_empty(lane)));
    }
}
