//! Sums over the closed round trips of a group. They are listed while it is simulated (profit and entry value), and
//! summed up afterwards, the lists of several trials side by side, each in its order.

use super::lists::Lists;
use crate::metrics::TradeSums;
use crate::num::NAN;
use crate::simd::{Eight, LANES};

/// Running sums of some lists, field by field those of [`TradeSums`].
#[derive(Clone, Copy)]
struct Sums<E> {
    wins: E,
    losses: E,
    won: E,
    lost: E,
    profit: E,
    gains: E,
    best: E,
    worst: E,
    traded: E,
}

/// Sums of the lists of all trials; the bars held are left to the caller.
#[inline(always)]
pub(super) fn sum<E: Eight>(lists: &Lists<[f64; 2]>, mut give: impl FnMut(usize, TradeSums)) {
    for first in (0..super::LANES).step_by(LANES) {
        let mut sides: [&[[f64; 2]]; LANES] = [&[]; LANES];
        for (k, side) in sides.iter_mut().enumerate() {
            *side = lists.of(first + k);
        }
        let counts = sides.map(|side| side.len());
        let (mut longest, mut lengths) = (0, [0.0; LANES]);
        for k in 0..LANES {
            longest = longest.max(counts[k]);
            lengths[k] = counts[k] as f64;
        }
        let lengths = E::load(&lengths);
        let zero = E::zero();
        let mut sums = Sums {
            wins: zero,
            losses: zero,
            won: zero,
            lost: zero,
            profit: zero,
            gains: zero,
            best: E::splat(f64::NEG_INFINITY),
            worst: E::splat(f64::INFINITY),
            traded: zero,
        };
        for place in 0..longest {
            let (mut profits, mut values) = ([NAN; LANES], [NAN; LANES]);
            for k in 0..LANES {
                if let Some(&[profit, value]) = sides[k].get(place) {
                    (profits[k], values[k]) = (profit, value);
                }
            }
            let listed = E::splat(place as f64).lt(lengths);
            sums = sums.add(listed, E::load(&profits), E::load(&values));
        }
        let mut means = [0.0; LANES];
        let profits = sums.profit.array();
        for k in 0..LANES {
            means[k] = profits[k] / counts[k] as f64;
        }
        let (means, mut squares) = (E::load(&means), zero);
        for place in 0..longest {
            let mut profits = [NAN; LANES];
            for k in 0..LANES {
                if let Some(&[profit, _]) = sides[k].get(place) {
                    profits[k] = profit;
                }
            }
            let off = E::load(&profits).sub(means);
            squares = E::select(E::splat(place as f64).lt(lengths), squares.add(off.mul(off)), squares);
        }
        let [wins, losses, won, lost] = [sums.wins, sums.losses, sums.won, sums.lost].map(E::array);
        let [gains, best, worst, traded] = [sums.gains, sums.best, sums.worst, sums.traded].map(E::array);
        let squares = squares.array();
        for k in 0..LANES {
            let sums = TradeSums {
                count: counts[k] as f64,
                wins: wins[k],
                losses: losses[k],
                won: won[k],
                lost: lost[k],
                profit: profits[k],
                gains: gains[k],
                best: best[k],
                worst: worst[k],
                traded: traded[k],
                squares: Some(squares[k]),
                ..TradeSums::default()
            };
            give(first + k, sums);
        }
    }
}

impl<E: Eight> Sums<E> {
    /// Adds one round trip of each list that has one, as `TradeSums::add` does; elsewhere both numbers are undefined.
    #[inline(always)]
    fn add(self, listed: E::Mask, profit: E, value: E) -> Sums<E> {
        let zero = E::zero();
        let (wins, losses) = (zero.lt(profit), profit.lt(zero));
        let gain = profit.div(value);
        Sums {
            wins: self.wins.add(E::select(wins, E::splat(1.0), zero)),
            losses: self.losses.add(E::select(losses, E::splat(1.0), zero)),
            won: self.won.add(E::select(wins, profit, zero)),
            lost: self.lost.sub(E::select(losses, profit, zero)),
            profit: self.profit.add(E::select(listed, profit, zero)),
            gains: self.gains.add(E::select(listed, gain, zero)),
            best: gain.max(self.best),
            worst: gain.min(self.worst),
            traded: self.traded.add(E::select(listed, value, zero)),
        }
    }
}
