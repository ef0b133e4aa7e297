//! Sums over the closed round trips of eight trials side by side, field by field those of [`TradeSums`].

use crate::metrics::TradeSums;
use crate::num::NAN;
use crate::simd::{Eight, LANES};

/// Numbers of all trials.
type Lanes = [f64; LANES];

/// The sums, lane by lane.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Trips {
    count: Lanes,
    wins: Lanes,
    losses: Lanes,
    won: Lanes,
    lost: Lanes,
    profit: Lanes,
    gains: Lanes,
    best: Lanes,
    worst: Lanes,
    holding: Lanes,
    traded: Lanes,
    near: Lanes,
    off: Lanes,
    squares: Lanes,
}

/// Round trips, of the lanes in which one closes.
#[derive(Clone, Copy)]
pub(super) struct Closed<E> {
    /// Profit after commissions.
    pub profit: E,
    /// Entry value.
    pub value: E,
    /// Bars from entry to exit.
    pub bars: E,
}

impl Default for Trips {
    fn default() -> Trips {
        let zero = [0.0; LANES];
        Trips {
            count: zero,
            wins: zero,
            losses: zero,
            won: zero,
            lost: zero,
            profit: zero,
            gains: zero,
            best: [f64::NEG_INFINITY; LANES],
            worst: [f64::INFINITY; LANES],
            holding: zero,
            traded: zero,
            near: zero,
            off: zero,
            squares: zero,
        }
    }
}

/// Adds to one of the sums.
#[inline(always)]
fn increase<E: Eight>(sums: &mut Lanes, by: E) {
    E::load(sums).add(by).store(sums);
}

/// Adds the first ones of a vector of round trips, at least one, to the sums of one trial, one after the other, as
/// [`TradeSums::add`] does.
#[inline(always)]
pub(super) fn add_in_turn<E: Eight>(sums: &mut TradeSums, closed: Closed<E>, count: usize) {
    let (zero, some) = (E::zero(), E::mask(((1_u16 << count) - 1) as u8));
    let profit = E::select(some, closed.profit, zero);
    let gain = closed.profit.div(closed.value);
    let (wins, losses) = (zero.lt(profit), profit.lt(zero));
    let (profits, gains) = (profit.array(), E::select(some, gain, zero).array());
    let (won, lost) = (E::select(wins, profit, zero).array(), E::select(losses, profit, zero).array());
    let values = E::select(some, closed.value, zero).array();
    sums.near = if sums.count == 0.0 { profits[0] } else { sums.near };
    let off = E::select(some, profit.sub(E::splat(sums.near)), zero);
    let (offs, squares) = (off.array(), off.mul(off).array());
    // Nothing added changes no sum: none of them is ever a negative zero.
    for k in 0..LANES {
        sums.won += won[k];
        sums.lost -= lost[k];
        sums.profit += profits[k];
        sums.gains += gains[k];
        sums.traded += values[k];
        sums.off += offs[k];
        sums.squares += squares[k];
    }
    let extremes = E::select(some, gain, E::splat(NAN)).array();
    for gain in extremes {
        sums.best = if gain > sums.best { gain } else { sums.best };
        sums.worst = if gain < sums.worst { gain } else { sums.worst };
    }
    // Whole numbers, whose sums are exact in any order.
    sums.count += count as f64;
    sums.wins += f64::from(E::bits(wins).count_ones());
    sums.losses += f64::from(E::bits(losses).count_ones());
    sums.holding += E::select(some, closed.bars, zero).array().iter().sum::<f64>();
}

impl Trips {
    /// Forgets the round trips of a lane.
    pub fn forget(&mut self, lane: usize) {
        self.set(lane, &TradeSums::default());
    }

    /// Adds a round trip where one closes, as [`TradeSums::add`] does.
    #[inline(always)]
    pub fn close<E: Eight>(&mut self, closes: E::Mask, closed: Closed<E>) {
        let (zero, one) = (E::zero(), E::splat(1.0));
        let profit = E::select(closes, closed.profit, zero);
        let gain = E::select(closes, closed.profit.div(closed.value), zero);
        let (wins, losses) = (zero.lt(profit), profit.lt(zero));
        let first = E::both(closes, E::load(&self.count).eq(zero));
        increase(&mut self.count, E::select(closes, one, zero));
        increase(&mut self.wins, E::select(wins, one, zero));
        increase(&mut self.won, E::select(wins, profit, zero));
        increase(&mut self.losses, E::select(losses, one, zero));
        E::load(&self.lost).sub(E::select(losses, profit, zero)).store(&mut self.lost);
        increase(&mut self.profit, profit);
        increase(&mut self.gains, gain);
        let (best, worst) = (E::load(&self.best), E::load(&self.worst));
        E::select(E::both(closes, best.lt(gain)), gain, best).store(&mut self.best);
        E::select(E::both(closes, gain.lt(worst)), gain, worst).store(&mut self.worst);
        increase(&mut self.holding, E::select(closes, closed.bars, zero));
        increase(&mut self.traded, E::select(closes, closed.value, zero));
        let near = E::select(first, profit, E::load(&self.near));
        near.store(&mut self.near);
        let off = E::select(closes, profit.sub(near), zero);
        increase(&mut self.off, off);
        increase(&mut self.squares, off.mul(off));
    }

    /// Sums over the round trips of a lane.
    pub fn of(&self, lane: usize) -> TradeSums {
        TradeSums {
            count: self.count[lane],
            wins: self.wins[lane],
            losses: self.losses[lane],
            won: self.won[lane],
            lost: self.lost[lane],
            profit: self.profit[lane],
            gains: self.gains[lane],
            best: self.best[lane],
            worst: self.worst[lane],
            holding: self.holding[lane],
            traded: self.traded[lane],
            near: self.near[lane],
            off: self.off[lane],
            squares: self.squares[lane],
        }
    }

    /// Puts the sums of a lane in the place of those that were there.
    pub fn set(&mut self, lane: usize, sums: &TradeSums) {
        let TradeSums {
            count,
            wins,
            losses,
            won,
            lost,
            profit,
            gains,
            best,
            worst,
            holding,
            traded,
            near,
            off,
            squares,
        } = *sums;
        self.count[lane] = count;
        self.wins[lane] = wins;
        self.losses[lane] = losses;
        self.won[lane] = won;
        self.lost[lane] = lost;
        self.profit[lane] = profit;
        self.gains[lane] = gains;
        self.best[lane] = best;
        self.worst[lane] = worst;
        self.holding[lane] = holding;
        self.traded[lane] = traded;
        self.near[lane] = near;
        self.off[lane] = off;
        self.squares[lane] = squares;
    }
}
