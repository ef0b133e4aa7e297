//! A list of pairs of numbers for each trial of a group, in one piece of memory.

use std::ops::Range;

use super::{LANES, Lanes};

/// Pairs that a new list has room for.
const ROOM: usize = 64;

/// Lists to whose ends pairs are added and from whose starts they are taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    /// The lists one after the other, `room` places each.
    pairs: Vec<[f64; 2]>,
    room: usize,
    starts: [usize; LANES],
    ends: [usize; LANES],
    /// Pairs that can be added to any list before its room has to be looked at.
    spare: usize,
}

impl Lists {
    /// Empties all lists.
    pub fn clear(&mut self) {
        self.starts = [0; LANES];
        self.ends = [0; LANES];
        self.spare = self.room.saturating_sub(1);
    }

    /// Empties one list.
    pub fn clear_lane(&mut self, lane: usize) {
        self.starts[lane] = 0;
        self.ends[lane] = 0;
    }

    /// The pairs of one list.
    #[inline(always)]
    pub fn of(&self, lane: usize) -> &[[f64; 2]] {
        &self.pairs[self.range(lane)]
    }

    /// Number of pairs in one list.
    pub fn len(&self, lane: usize) -> usize {
        self.ends[lane] - self.starts[lane]
    }

    #[inline(always)]
    fn range(&self, lane: usize) -> Range<usize> {
        lane * self.room + self.starts[lane]..lane * self.room + self.ends[lane]
    }

    /// Adds a pair to each list that is set. The others are written behind their ends, where nobody looks: that costs
    /// less than to ask.
    #[inline(always)]
    pub fn push_where(&mut self, set: &[bool; LANES], first: &Lanes, second: &Lanes) {
        if self.spare == 0 {
            self.make_room(1);
        }
        self.spare -= 1;
        let pairs = &mut self.pairs[..LANES * self.room];
        for lane in 0..LANES {
            let end = self.ends[lane];
            pairs[lane * self.room + end] = [first[lane], second[lane]];
            self.ends[lane] = end + usize::from(set[lane]);
        }
    }

    /// Adds a pair to one list.
    #[inline(always)]
    pub fn push(&mut self, lane: usize, pair: [f64; 2]) {
        if self.spare == 0 {
            self.make_room(1);
        }
        self.spare -= 1;
        self.pairs[lane * self.room + self.ends[lane]] = pair;
        self.ends[lane] += 1;
    }

    /// Makes one list longer by so many pairs, which are to be written.
    #[inline(always)]
    pub fn extend(&mut self, lane: usize, count: usize) -> &mut [[f64; 2]] {
        if self.spare < count {
            self.make_room(count);
        }
        self.spare -= count;
        let start = lane * self.room + self.ends[lane];
        self.ends[lane] += count;
        &mut self.pairs[start..start + count]
    }

    /// The last pair of one list.
    pub fn last_mut(&mut self, lane: usize) -> Option<&mut [f64; 2]> {
        let range = self.range(lane);
        self.pairs[range].last_mut()
    }

    /// Takes the first pair of one list.
    pub fn pop(&mut self, lane: usize) -> Option<[f64; 2]> {
        let pair = self.of(lane).first().copied()?;
        self.starts[lane] += 1;
        if self.starts[lane] == self.ends[lane] {
            self.clear_lane(lane);
        }
        Some(pair)
    }

    /// Counts the spare room anew; where it is less than a quarter, moves the lists to their starts or to a larger room.
    #[cold]
    fn make_room(&mut self, count: usize) {
        let longest = |ends: &[usize; LANES]| ends.iter().copied().max().unwrap_or(0);
        if longest(&self.ends) + count + self.room / 4 >= self.room {
            for lane in 0..LANES {
                let range = self.range(lane);
                self.ends[lane] = range.len();
                self.starts[lane] = 0;
                self.pairs.copy_within(range, lane * self.room);
            }
        }
        if longest(&self.ends) + count + self.room / 4 >= self.room {
            let room = ((longest(&self.ends) + count) * 2).max(ROOM);
            self.pairs.resize(LANES * room, [0.0; 2]);
            for lane in (0..LANES).rev() {
                let range = self.range(lane);
                self.pairs.copy_within(range, lane * room);
            }
            self.room = room;
        }
        self.spare = self.room - 1 - longest(&self.ends);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_their_pairs_in_order() {
        let mut lists = Lists::default();
        let mut plain = vec![std::collections::VecDeque::new(); LANES];
        let mut seed = 1_u64;
        for step in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let lane = (seed >> 40) as usize % LANES;
            let value = f64::from(step);
            match (seed >> 60) % 8 {
                0..4 => {
                    let set = std::array::from_fn(|k| (seed >> k) & 1 == 1);
                    lists.push_where(&set, &[value; LANES], &[-value; LANES]);
                    (0..LANES).filter(|&k| set[k]).for_each(|k| plain[k].push_back([value, -value]));
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
            assert_eq!(lists.len(lane), plain[lane].len());
        }
        lists.clear();
        assert!((0..LANES).all(|lane| lists.of(lane).is_empty()));
    }
}
