//! Equity between fills: cash, and positions in the order of the symbols, as the reference adds them. A symbol that is
//! not held adds nothing, because closes are finite.

use super::super::lanes::SPARE;
use super::{Group, Memory};
use crate::simd::{Eight, LANES};

/// Bars filled in together; what lies behind the last one that counts is written over by what follows.
const STRETCH: usize = 2 * LANES;

/// Room behind the last bar of a course.
pub(super) const TOO_MUCH: usize = STRETCH;

impl Group<'_> {
    /// Fills in the equity of a lane up to a bar: at every bar, or where sessions end.
    #[inline(always)]
    pub(super) fn mark<E: Eight>(&mut self, lane: usize, until: usize) {
        let accounts = &mut self.memory.accounts;
        let from = std::mem::replace(&mut accounts.marked[lane], until);
        let invested = accounts.held[lane] != 0;
        accounts.bars_in_market[lane] += if invested { (until - from) as f64 } else { 0.0 };
        let looks = invested && self.may_rise(lane);
        let Some(ends) = self.grid.session_ends() else {
            return self.values::<E, true>(lane, from, until, looks);
        };
        if looks {
            self.values::<E, false>(lane, from, until, true);
        }
        while let Some(&end) = ends.get(self.memory.courses[lane].len())
            && (end as usize) < until
        {
            let equity = self.equity_at(lane, end as usize);
            self.memory.courses[lane].push(equity);
        }
    }

    /// Whether the largest leverage may still rise. Where cash is not negative and no position is short, no sum of
    /// positions is larger than that of positions and cash, whatever is rounded.
    #[inline(always)]
    fn may_rise(&self, lane: usize) -> bool {
        let accounts = &self.memory.accounts;
        accounts.cash[lane] < 0.0 || accounts.leverage[lane] < 1.0
    }

    /// Equity at a bar, position by position.
    #[inline(always)]
    pub(super) fn equity_at(&self, lane: usize, bar: usize) -> f64 {
        let (closes, bars) = (self.grid.closes_by_symbol(), self.grid.bars);
        let units = self.memory.units[lane * self.grid.symbols..][..self.grid.symbols].iter().enumerate();
        units.fold(self.memory.accounts.cash[lane], |sum, (symbol, units)| sum + units * closes[symbol * bars + bar])
    }

    /// Equity at the bars from `from` to `until`, which is written down where `WRITES`, and the largest leverage in them
    /// where that may rise.
    #[inline(always)]
    fn values<E: Eight, const WRITES: bool>(&mut self, lane: usize, from: usize, until: usize, looks: bool) {
        let (closes, bars, symbols) = (self.grid.closes_by_symbol(), self.grid.bars, self.grid.symbols);
        for bar in (from..until).step_by(STRETCH) {
            let memory = &mut *self.memory;
            let (held, cash) = (memory.accounts.held[lane], memory.accounts.cash[lane]);
            let units = &memory.units[lane * symbols..][..symbols];
            let mut sums = [E::splat(cash); STRETCH / LANES];
            if bar + STRETCH > bars {
                return self.values_one_by_one::<WRITES>(lane, bar, until);
            }
            let mut left = held;
            while left != 0 {
                let symbol = left.trailing_zeros() as usize;
                left &= left - 1;
                let units = E::splat(units[symbol]);
                let closes = closes[symbol * bars + bar..][..STRETCH].as_chunks::<LANES>().0;
                for (sum, closes) in sums.iter_mut().zip(closes) {
                    *sum = sum.add(units.mul(E::load(closes)));
                }
            }
            if WRITES {
                let course = memory.courses[lane][bar..][..STRETCH].as_chunks_mut::<LANES>().0;
                sums.iter().zip(course).for_each(|(sum, equity)| sum.store(equity));
            }
            if looks {
                for (k, sum) in sums.into_iter().enumerate() {
                    self.lever::<E>(lane, bar + k * LANES, until, sum);
                }
                if !WRITES && !self.may_rise(lane) {
                    return;
                }
            }
        }
    }

    /// Notes the largest gross value over equity in a vector of bars, as far as they lie before `until`.
    #[inline(always)]
    fn lever<E: Eight>(&mut self, lane: usize, bar: usize, until: usize, equity: E) {
        let counted = until.saturating_sub(bar);
        let counted = if counted < LANES { (1_u8 << counted) - 1 } else { u8::MAX };
        let accounts = &self.memory.accounts;
        // The part of equity that is cash says how much is invested, up to rounding. Only what comes near the most so far
        // is looked at.
        let spare = E::splat(SPARE - accounts.leverage[lane]).max(E::zero()).mul(equity);
        if !E::bits(spare.le(E::splat(accounts.cash[lane]))) & counted == 0 {
            return;
        }
        let (closes, bars, symbols) = (self.grid.closes_by_symbol(), self.grid.bars, self.grid.symbols);
        let (mut gross, mut left) = (E::zero(), accounts.held[lane]);
        while left != 0 {
            let symbol = left.trailing_zeros() as usize;
            left &= left - 1;
            let units = E::splat(self.memory.units[lane * symbols + symbol]);
            let closes = &closes[symbol * bars + bar..][..LANES].as_chunks::<LANES>().0[0];
            gross = gross.add(units.mul(E::load(closes)).abs());
        }
        let sound = E::both(E::mask(counted), E::zero().lt(equity));
        let found = E::select(sound, gross.div(equity), E::zero()).array();
        let most = &mut self.memory.accounts.leverage[lane];
        *most = found.into_iter().fold(*most, |most, found| if found > most { found } else { most });
    }

    /// The same bar by bar, at the end of the bars, where no vector fits.
    #[inline(never)]
    fn values_one_by_one<const WRITES: bool>(&mut self, lane: usize, from: usize, until: usize) {
        let (closes, bars, symbols) = (self.grid.closes_by_symbol(), self.grid.bars, self.grid.symbols);
        for bar in from..until {
            let equity = self.equity_at(lane, bar);
            let Memory { units, courses, accounts, .. } = &mut *self.memory;
            let units = units[lane * symbols..][..symbols].iter().enumerate();
            let gross = units.fold(0.0, |sum, (symbol, units)| sum + (units * closes[symbol * bars + bar]).abs());
            if WRITES {
                courses[lane][bar] = equity;
            }
            let leverage = gross / equity;
            if equity > 0.0 && leverage > accounts.leverage[lane] {
                accounts.leverage[lane] = leverage;
            }
        }
    }
}
