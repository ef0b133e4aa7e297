//! Sums over the closed round trips of a group. They are listed while it is simulated (profit and entry value), and
//! summed up afterwards, the lists of several trials side by side, each in its order.

use super::lists::Lists;
use crate::metrics::TradeSums;

/// Lists summed side by side.
const SIDE: usize = 8;

type Side = [f64; SIDE];

/// Running sums of some lists, field by field those of [`TradeSums`].
#[repr(align(64))]
struct Sums {
    wins: Side,
    losses: Side,
    won: Side,
    lost: Side,
    profit: Side,
    gains: Side,
    best: Side,
    worst: Side,
    traded: Side,
    squares: Side,
}

/// Sums of the lists of all trials; the bars held are left to the caller.
#[inline(always)]
pub(super) fn sum(lists: &Lists<[f64; 2]>, mut give: impl FnMut(usize, TradeSums)) {
    for first in (0..super::LANES).step_by(SIDE) {
        let sides = std::array::from_fn(|k| lists.of(first + k));
        let sums = sum_side(&sides);
        for (k, list) in sides.iter().enumerate() {
            let sums = TradeSums {
                count: list.len() as f64,
                wins: sums.wins[k],
                losses: sums.losses[k],
                won: sums.won[k],
                lost: sums.lost[k],
                profit: sums.profit[k],
                gains: sums.gains[k],
                best: sums.best[k],
                worst: sums.worst[k],
                traded: sums.traded[k],
                squares: Some(sums.squares[k]),
                ..TradeSums::default()
            };
            give(first + k, sums);
        }
    }
}

#[inline(always)]
fn sum_side(lists: &[&[[f64; 2]]; SIDE]) -> Sums {
    let zero = [0.0; SIDE];
    let mut sums = Sums {
        wins: zero,
        losses: zero,
        won: zero,
        lost: zero,
        profit: zero,
        gains: zero,
        best: [f64::NEG_INFINITY; SIDE],
        worst: [f64::INFINITY; SIDE],
        traded: zero,
        squares: zero,
    };
    let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
    let shortest = lists.iter().map(|list| list.len()).min().unwrap_or(0);
    for place in 0..shortest {
        for (k, list) in lists.iter().enumerate() {
            add(&mut sums, k, list[place]);
        }
    }
    for (k, list) in lists.iter().enumerate() {
        list[shortest..].iter().for_each(|&pair| add(&mut sums, k, pair));
    }
    let means: Side = std::array::from_fn(|k| sums.profit[k] / lists[k].len() as f64);
    for place in 0..longest {
        for k in 0..SIDE {
            let off = lists[k].get(place).map_or(0.0, |[profit, _]| profit - means[k]);
            sums.squares[k] += off * off;
        }
    }
    sums
}

/// Adds one round trip as `TradeSums::add` does.
#[inline(always)]
fn add(sums: &mut Sums, k: usize, [profit, value]: [f64; 2]) {
    let gain = profit / value;
    sums.wins[k] += if profit > 0.0 { 1.0 } else { 0.0 };
    sums.won[k] += if profit > 0.0 { profit } else { 0.0 };
    sums.losses[k] += if profit < 0.0 { 1.0 } else { 0.0 };
    sums.lost[k] -= if profit < 0.0 { profit } else { 0.0 };
    sums.profit[k] += profit;
    sums.gains[k] += gain;
    sums.best[k] = if gain > sums.best[k] { gain } else { sums.best[k] };
    sums.worst[k] = if gain < sums.worst[k] { gain } else { sums.worst[k] };
    sums.traded[k] += value;
}
