//! A list for each trial of a group, all in one piece of memory.

use std::ops::Range;

use super::LANES;
use super::state::each;

/// Items that a new list has room for.
const ROOM: usize = 64;

/// Lists to whose ends items are added and from whose starts they are taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists<T> {
    /// The lists one after the other, `room` places each.
    items: Vec<T>,
    room: usize,
    /// Where each list starts and ends in `items`.
    starts: [usize; LANES],
    ends: [usize; LANES],
    /// Items that can be added to any list before its room has to be looked at.
    spare: usize,
}

impl<T: Copy + Default> Lists<T> {
    /// Empties all lists.
    pub fn clear(&mut self) {
        self.starts = std::array::from_fn(|lane| lane * self.room);
        self.ends = self.starts;
        self.spare = self.room.saturating_sub(1);
    }

    /// Makes room for so many items in each list, all of which are empty: a list that doubles again and again leaves behind
    /// a trail of memory that was cleared for it.
    pub fn expect(&mut self, items: usize) {
        if self.room < items {
            self.room = items;
            self.items.resize(LANES * items, T::default());
        }
        self.clear();
    }

    /// Empties one list.
    pub fn clear_lane(&mut self, lane: usize) {
        self.starts[lane] = lane * self.room;
        self.ends[lane] = lane * self.room;
    }

    /// The items of one list.
    #[inline(always)]
    pub fn of(&self, lane: usize) -> &[T] {
        &self.items[self.range(lane)]
    }

    #[inline(always)]
    fn range(&self, lane: usize) -> Range<usize> {
        self.starts[lane]..self.ends[lane]
    }

    /// Adds an item to each list from `first` on whose bit is set.
    #[inline(always)]
    pub fn push_some(&mut self, first: usize, set: u8, item: impl Fn(usize) -> T) {
        if self.spare == 0 {
            self.make_room(1);
        }
        self.spare -= 1;
        let items = &mut self.items[..];
        each(set.into(), |place| {
            let end = &mut self.ends[first + place];
            items[*end] = item(place);
            *end += 1;
        });
    }

    /// Adds an item to one list.
    #[inline(always)]
    pub fn push(&mut self, lane: usize, item: T) {
        if self.spare == 0 {
            self.make_room(1);
        }
        self.spare -= 1;
        self.items[self.ends[lane]] = item;
        self.ends[lane] += 1;
    }

    /// Makes one list longer by so many items, which are to be written.
    #[inline(always)]
    pub fn extend(&mut self, lane: usize, count: usize) -> &mut [T] {
        if self.spare < count {
            self.make_room(count);
        }
        self.spare -= count;
        let start = self.ends[lane];
        self.ends[lane] += count;
        &mut self.items[start..start + count]
    }

    /// The last item of one list.
    pub fn last_mut(&mut self, lane: usize) -> Option<&mut T> {
        let range = self.range(lane);
        self.items[range].last_mut()
    }

    /// Takes the first item of one list.
    pub fn pop(&mut self, lane: usize) -> Option<T> {
        let item = self.of(lane).first().copied()?;
        self.starts[lane] += 1;
        if self.starts[lane] == self.ends[lane] {
            self.clear_lane(lane);
        }
        Some(item)
    }

    /// Counts the spare room anew; where it is less than a quarter, moves the lists to their starts or to a larger room.
    #[cold]
    fn make_room(&mut self, count: usize) {
        let longest = |lists: &Lists<T>| (0..LANES).map(|k| lists.ends[k] - k * lists.room).max().unwrap_or(0);
        if longest(self) + count + self.room / 4 >= self.room {
            self.move_to(self.room);
        }
        if longest(self) + count + self.room / 4 >= self.room {
            let room = ((longest(self) + count) * 2).max(ROOM);
            self.items.resize(LANES * room, T::default());
            self.move_to(room);
        }
        self.spare = self.room - 1 - longest(self);
    }

    /// Moves every list to the start of its room, which is not smaller than before.
    fn move_to(&mut self, room: usize) {
        for lane in (0..LANES).rev() {
            let range = self.range(lane);
            self.starts[lane] = lane * room;
            self.ends[lane] = lane * room + range.len();
            self.items.copy_within(range, lane * room);
        }
        self.room = room;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_their_items_in_order() {
        let mut lists = Lists::<[f64; 2]>::default();
        let mut plain = vec![std::collections::VecDeque::new(); LANES];
        let mut seed = 1_u64;
        for step in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let lane = (seed >> 40) as usize % LANES;
            let value = f64::from(step);
            match (seed >> 60) % 8 {
                0..4 => {
                    let (first, set) = ((seed >> 50) as usize % 2 * 8, seed as u8);
                    lists.push_some(first, set, |_| [value, -value]);
                    (0..8).filter(|k| set >> k & 1 == 1).for_each(|k| plain[first + k].push_back([value, -value]));
                }
                4 => {
                    lists.push(lane, [value, 0.0]);
                    plain[lane].push_back([value, 0.0]);
                }
                5 => {
                    lists.extend(lane, 5).fill([value, 1.0]);
                    plain[lane].extend([[value, 1.0]; 5]);
                }
                6 if seed >> 50 & 15 == 0 => {
                    lists.clear_lane(lane);
                    plain[lane].clear();
                }
                _ => (0..8).for_each(|_| assert_eq!(lists.pop(lane), plain[lane].pop_front())),
            }
            assert_eq!(lists.of(lane), plain[lane].iter().copied().collect::<Vec<_>>());
        }
        lists.clear();
        assert!((0..LANES).all(|lane| lists.of(lane).is_empty()));
    }
}
