//! The switches of trials: at which bar which symbol is to be held or left, in the order in which the orders fill.

use std::ops::Range;

use super::super::Grid;
use super::super::grid::Rows;
use super::super::lanes::word_at;
use super::MOST_SYMBOLS;
use crate::context::Choice;
use crate::plan::{Fill as FillAt, Sequence, Settings};
use crate::simd::LANES;

/// Bars of a word, and rows.
pub(super) const BARS: usize = 64;

/// Events of all trials of a group, and where each lane is.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    list: Vec<Event>,
    /// Where the events of each trial start, and where the last ones end.
    starts: Vec<usize>,
    /// The words of one trial, symbol after symbol: bars at which what is wanted changes, and bars at which the symbol is
    /// to be held; where that is undefined, what was wanted before.
    changed: Vec<u64>,
    held: Vec<u64>,
    next: [usize; LANES],
    end: [usize; LANES],
    trial: [usize; LANES],
}

/// A bar and a symbol that is to be held or left: 25, 6 and 1 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Event(u32);

impl Event {
    fn new(bar: usize, symbol: usize, held: bool) -> Event {
        Event((bar as u32) << 7 | (symbol as u32) << 1 | u32::from(held))
    }

    /// The bar at whose close it is decided.
    #[inline(always)]
    pub fn bar(self) -> usize {
        (self.0 >> 7) as usize
    }

    #[inline(always)]
    pub fn symbol(self) -> usize {
        (self.0 >> 1 & 63) as usize
    }

    /// 1 if the symbol is to be held.
    #[inline(always)]
    pub fn held(self) -> u8 {
        (self.0 & 1) as u8
    }
}

impl Events {
    /// Finds the switches of trials by their conditions.
    pub fn find(&mut self, grid: &Grid, settings: &Settings, choices: &[&Choice]) {
        self.list.clear();
        self.starts.clear();
        let sells_first = settings.sequence != Sequence::Symbol;
        // What is decided at the last bar of a symbol fills nowhere.
        let unfilled = usize::from(settings.fill != FillAt::SameClose);
        let words = grid.bars.div_ceil(BARS);
        for words_of in [&mut self.changed, &mut self.held] {
            words_of.resize(words * grid.symbols, 0);
        }
        for choice in choices {
            self.starts.push(self.list.len());
            let all = self.changed.chunks_exact_mut(words.max(1)).zip(self.held.chunks_exact_mut(words.max(1)));
            for (rows, (changed, held)) in grid.rows.iter().zip(all) {
                let rows = Rows { end: rows.end.saturating_sub(unfilled), ..*rows };
                Search { choice, rows, changed, held }.run();
            }
            self.bring_into_order(words, sells_first);
        }
        self.starts.push(self.list.len());
        // What a lane without a trial looks at: any event whose prices there are.
        self.list.push(self.list.first().copied().unwrap_or_default());
    }

    /// Lists the changes of a trial bar by bar, those of one bar as they fill.
    #[inline(never)]
    fn bring_into_order(&mut self, words: usize, sells_first: bool) {
        let changes = self.changed.iter().map(|word| word.count_ones() as usize).sum::<usize>();
        self.list.reserve(changes + 1);
        let (mut changed, mut held) = ([0; MOST_SYMBOLS], [0; MOST_SYMBOLS]);
        let symbols = (self.changed.len() / words.max(1)).min(MOST_SYMBOLS);
        for word in 0..words {
            let mut any = 0;
            for symbol in 0..symbols {
                changed[symbol] = self.changed[symbol * words + word];
                held[symbol] = self.held[symbol * words + word];
                any |= changed[symbol];
            }
            while any != 0 {
                let place = any.trailing_zeros();
                any &= any - 1;
                let mut found = 0_u64;
                for (symbol, changed) in changed[..symbols].iter().enumerate() {
                    found |= (changed >> place & 1) << symbol;
                }
                let start = self.list.len();
                while found != 0 {
                    let symbol = found.trailing_zeros() as usize;
                    found &= found - 1;
                    let held = held[symbol % MOST_SYMBOLS] >> place & 1 == 1;
                    self.list.push(Event::new(word * BARS + place as usize, symbol, held));
                }
                if sells_first && self.list.len() - start > 1 {
                    self.list[start..].sort_by_key(|event| event.held());
                }
            }
        }
    }

    /// Number of all events.
    pub fn count(&self) -> usize {
        self.list.len() - 1
    }

    /// Lets a lane begin with the first event of a trial.
    pub fn start(&mut self, lane: usize, trial: usize) {
        self.trial[lane] = trial;
        self.next[lane] = self.starts[trial];
        self.end[lane] = self.starts[trial + 1];
    }

    /// Leaves a lane without a trial.
    pub fn rest(&mut self, lane: usize) {
        self.next[lane] = self.list.len() - 1;
        self.end[lane] = usize::MAX;
    }

    /// The trial of a lane.
    pub fn trial(&self, lane: usize) -> usize {
        self.trial[lane]
    }

    /// Lanes that have no event left.
    #[inline(always)]
    pub fn ended(&self) -> u8 {
        let mut ended = 0;
        for lane in 0..LANES {
            ended |= u8::from(self.next[lane] == self.end[lane]) << lane;
        }
        ended
    }

    /// The bar of the next event of a lane.
    pub fn next_bar(&self, lane: usize) -> usize {
        self.list[self.next[lane]].bar()
    }

    /// Sorts the sells of a lane's next bar by what they are worth: `value` of a symbol, the least first, of equal ones the
    /// first symbol.
    #[inline(never)]
    pub fn sort_sells(&mut self, lane: usize, value: impl Fn(usize) -> f64) {
        let events = &mut self.list[self.next[lane]..self.end[lane]];
        let Some(first) = events.first().copied() else { return };
        let sells = events.iter().take_while(|event| event.bar() == first.bar() && event.held() == 0).count();
        let by_value = |a: &Event, b: &Event| value(a.symbol()).total_cmp(&value(b.symbol()));
        events[..sells].sort_by(|a, b| by_value(a, b).then(a.symbol().cmp(&b.symbol())));
    }

    /// The next event of a lane, which is then behind it if it is `active`.
    #[inline(always)]
    pub fn take(&mut self, lane: usize, active: bool) -> Event {
        let next = self.next[lane];
        self.next[lane] = next + usize::from(active);
        self.list[next]
    }
}

/// A symbol's condition, which is looked through for changes.
struct Search<'a> {
    choice: &'a Choice,
    rows: Rows,
    /// What is found, for each word of bars.
    changed: &'a mut [u64],
    held: &'a mut [u64],
}

impl Search<'_> {
    #[inline(never)]
    fn run(mut self) {
        self.held.fill(0);
        self.changed.fill(0);
        if self.rows.first >= self.rows.end {
            return;
        }
        let (first, last) = (self.rows.first_bar / BARS, self.rows.last_bar() / BARS);
        let defined_from = self.last_undefined_word().map_or(first, |word| word + 1);
        // A word after one that is known, where every bar has a row and the condition is defined.
        let plain = (defined_from + 1).min(last)..last;
        let mut known = Known::default();
        (first..plain.start).for_each(|word| self.look(word, &mut known));
        if !plain.is_empty() {
            self.look_at_all(plain.clone());
            known.last = self.held[plain.end - 1] >> (BARS - 1);
        }
        self.look(last, &mut known);
    }

    /// The last word of bars in which the condition may be undefined, if there is any.
    fn last_undefined_word(&self) -> Option<usize> {
        let Rows { first, end, first_bar, .. } = self.rows;
        let words = first / BARS..(end - 1) / BARS + 1;
        let word = match self.choice.condition.gaps() {
            Some(gaps) => gaps.last_in(words)?,
            None => words.end - 1,
        };
        let row = (word * BARS + BARS - 1).clamp(first, end - 1);
        Some((first_bar + row - first) / BARS)
    }

    /// A weight that is held where the condition does not hold is the other way round.
    fn turned(&self) -> u64 {
        if self.choice.values[0] == 0.0 { 0 } else { u64::MAX }
    }

    /// Words all of whose bars have rows, where the condition is defined; the word before them is known.
    #[inline(never)]
    fn look_at_all(&mut self, words: Range<usize>) {
        let Rows { first, first_bar, .. } = self.rows;
        let (row, turned) = (first + words.start * BARS - first_bar, self.turned());
        let (from, skip) = (row / BARS, row % BARS);
        let truth = &self.choice.condition.truth()[from..];
        let held = &mut self.held[words.clone()];
        if skip == 0 {
            held.iter_mut().zip(truth).for_each(|(held, word)| *held = word ^ turned);
        } else {
            let (pairs, back) = (truth.iter().zip(&truth[1..]), BARS - skip);
            held.iter_mut().zip(pairs).for_each(|(held, (low, high))| *held = (low >> skip | high << back) ^ turned);
        }
        let (before, held) = (&self.held[words.start - 1..words.end - 1], &self.held[words.clone()]);
        for ((changed, held), before) in self.changed[words].iter_mut().zip(held).zip(before) {
            *changed = held ^ (held << 1 | before >> (BARS - 1));
        }
    }

    /// One word, whatever is in it.
    fn look(&mut self, word: usize, known: &mut Known) {
        let Rows { first, end, first_bar, .. } = self.rows;
        let bar = (word * BARS).max(first_bar);
        let (skip, row) = (bar % BARS, first + bar - first_bar);
        let seen = u64::MAX >> (BARS - (BARS - skip).min(end - row)) << skip;
        let condition = &self.choice.condition;
        let defined = seen & !(word_at(condition.undefined(), row) << skip);
        let held = (word_at(condition.truth(), row) ^ self.turned()) << skip & defined;
        let held = carry_over(held, defined, seen, known.last);
        let mut changed = (held ^ (held << 1 | known.last << skip)) & seen;
        if !known.any {
            // The first target is another one than none.
            changed |= defined & defined.wrapping_neg();
            known.any = defined != 0;
        }
        known.last = held >> (BARS - 1 - seen.leading_zeros() as usize) & 1;
        (self.changed[word], self.held[word]) = (changed, held);
    }
}

/// What was wanted of a symbol so far: whether anything was, and what was last.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    any: bool,
    last: u64,
}

/// Fills the undefined ones of the places that are seen with the bit before each of them, the first ones with `last`.
#[inline(always)]
fn carry_over(mut bits: u64, defined: u64, seen: u64, last: u64) -> u64 {
    let mut undefined = seen & !defined;
    if last == 0 {
        // What lies below the first defined place stays 0.
        let first = defined & defined.wrapping_neg();
        undefined &= !first.wrapping_sub(1);
    }
    while undefined != 0 {
        let place = undefined.trailing_zeros();
        undefined &= undefined - 1;
        let before = if place == 0 { last } else { bits >> (place - 1) & 1 };
        bits |= before << place;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_places_keep_what_was_before() {
        let mut seed = 7_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed ^ seed >> 29
        };
        for case in 0..2_000 {
            let (bits, mut defined, last) = (next(), next(), case & 1);
            match case % 5 {
                0 => defined = 0,
                1 => defined <<= 20,
                _ => {}
            }
            let found = carry_over(bits & defined, defined, u64::MAX, last);
            let mut before = last;
            for place in 0..64 {
                if defined >> place & 1 == 1 {
                    before = bits >> place & 1;
                }
                assert_eq!(found >> place & 1, before, "place {place} of case {case}");
            }
        }
    }
}
