//! Statistics of closed round trips, commissions included. A trade wins if its profit is above zero.
//!
//! Sums run in the order of the trades.

use super::NOISE;
use crate::ledger::Trade;
use crate::num;

/// Sums over the closed round trips; means and extremes are NaN without any.
#[derive(Clone, Copy, Debug)]
pub struct RoundTrips {
    /// How many.
    pub count: f64,
    /// How many with a profit above zero.
    pub wins: f64,
    /// How many with a profit below zero.
    pub losses: f64,
    /// Sum of the profits above zero, in money.
    pub won: f64,
    /// Sum of the losses, in money, as a positive number.
    pub lost: f64,
    /// Mean profit in money.
    pub profit: f64,
    /// Deviation of the profits (ddof 1), in money; 0 if it is rounding noise of the amounts traded; NaN below two.
    pub deviation: f64,
    /// Mean of profit over entry value.
    pub mean_return: f64,
    /// Largest profit over entry value.
    pub best_return: f64,
    /// Smallest profit over entry value.
    pub worst_return: f64,
    /// Mean number of bars from entry to exit.
    pub holding: f64,
}

/// Sums over the closed round trips of one account, taken in the order of their exits.
///
/// The engine adds round trips as they close, so that nothing keeps them.
#[derive(Clone, Copy, Debug)]
pub struct TradeSums {
    pub(crate) count: f64,
    pub(crate) wins: f64,
    pub(crate) losses: f64,
    pub(crate) won: f64,
    pub(crate) lost: f64,
    pub(crate) profit: f64,
    pub(crate) gains: f64,
    pub(crate) best: f64,
    pub(crate) worst: f64,
    pub(crate) holding: f64,
    /// Sum of the entry values.
    pub(crate) traded: f64,
    /// A number near the profits, for their deviation: the first one of them.
    pub(crate) near: f64,
    /// Sum of how far the profits are off it.
    pub(crate) off: f64,
    /// Sum of the squares of that.
    pub(crate) squares: f64,
}

impl PartialEq for TradeSums {
    /// Whether metrics cannot tell them apart.
    fn eq(&self, other: &TradeSums) -> bool {
        let all = |sums: &TradeSums| {
            let TradeSums { count, wins, losses, won, lost, profit, gains, best, worst, holding, traded, .. } = *sums;
            [count, wins, losses, won, lost, profit, gains, best, worst, holding, traded, sums.deviations()]
        };
        all(self).iter().zip(all(other)).all(|(a, b)| *a == b || (a.is_nan() && b.is_nan()))
    }
}

/// No round trips.
pub static NO_TRADES: TradeSums = TradeSums::NONE;

impl Default for TradeSums {
    fn default() -> Self {
        TradeSums::NONE
    }
}

impl TradeSums {
    const NONE: TradeSums = TradeSums {
        count: 0.0,
        wins: 0.0,
        losses: 0.0,
        won: 0.0,
        lost: 0.0,
        profit: 0.0,
        gains: 0.0,
        best: f64::NEG_INFINITY,
        worst: f64::INFINITY,
        holding: 0.0,
        traded: 0.0,
        near: 0.0,
        off: 0.0,
        squares: 0.0,
    };

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = TradeSums::NONE;
    }

    /// Adds a closed round trip: its profit after commissions and its entry value, both in money, and the bars from
    /// entry to exit.
    #[inline(always)]
    pub fn add(&mut self, profit: f64, value: f64, bars: f64) {
        let gain = profit / value;
        self.count += 1.0;
        self.wins += if profit > 0.0 { 1.0 } else { 0.0 };
        self.won += if profit > 0.0 { profit } else { 0.0 };
        self.losses += if profit < 0.0 { 1.0 } else { 0.0 };
        self.lost -= if profit < 0.0 { profit } else { 0.0 };
        self.profit += profit;
        self.gains += gain;
        self.best = if gain > self.best { gain } else { self.best };
        self.worst = if gain < self.worst { gain } else { self.worst };
        self.holding += bars;
        self.traded += value;
        self.near = if self.count == 1.0 { profit } else { self.near };
        let off = profit - self.near;
        self.off += off;
        self.squares += off * off;
    }

    /// Sum of the squared deviations of the profits around their mean, from sums around a number near them (Chan, Golub and
    /// LeVeque, "Algorithms for computing the sample variance", The American Statistician 37, 1983, shifted data). That
    /// number is one of the profits, which adds a part to their deviations itself: what cancels out is at most as many times
    /// the result as there are profits, and that only where all others are far away from it.
    fn deviations(&self) -> f64 {
        let deviations = self.squares - self.off * self.off / self.count;
        if deviations < 0.0 { 0.0 } else { deviations }
    }

    /// Adds the sums of an account that went on from this one with `worth` times its capital. Deviations are joined by
    /// their means (Chan, Golub and LeVeque, 1979).
    pub(crate) fn join(&mut self, part: &TradeSums, worth: f64) {
        if part.count == 0.0 {
            return;
        }
        let mut deviations = part.deviations() * worth * worth;
        if self.count > 0.0 {
            let apart = part.profit * worth / part.count - self.profit / self.count;
            deviations += self.deviations() + apart * apart * (self.count * part.count / (self.count + part.count));
        }
        self.count += part.count;
        self.wins += part.wins;
        self.losses += part.losses;
        self.won += part.won * worth;
        self.lost += part.lost * worth;
        self.profit += part.profit * worth;
        self.gains += part.gains;
        self.best = self.best.max(part.best);
        self.worst = self.worst.min(part.worst);
        self.holding += part.holding;
        self.traded += part.traded * worth;
        (self.near, self.off, self.squares) = (self.profit / self.count, 0.0, deviations);
    }

    /// The sums of a list; trades that are still open do not count.
    pub fn collect(&mut self, trades: &[Trade]) {
        self.clear();
        for trade in trades.iter().filter(|trade| !trade.open) {
            let value = trade.quantity.abs() * trade.entry_price;
            self.add(trade.profit, value, f64::from(trade.exit_bar.saturating_sub(trade.entry_bar)));
        }
    }
}

impl RoundTrips {
    pub(super) fn of(sums: &TradeSums) -> Self {
        let count = sums.count;
        // 0 / 0 makes the means NaN; the extremes of nothing are infinite, which is stored as null.
        let profit = sums.profit / count;
        let deviation = if count >= 2.0 {
            let deviation = num::sqrt(sums.deviations() / (count - 1.0));
            if deviation <= NOISE * (sums.traded / count) { 0.0 } else { deviation }
        } else {
            num::NAN
        };
        RoundTrips {
            count,
            wins: sums.wins,
            losses: sums.losses,
            won: sums.won,
            lost: sums.lost,
            profit,
            deviation,
            mean_return: sums.gains / count,
            best_return: sums.best,
            worst_return: sums.worst,
            holding: sums.holding / count,
        }
    }

    /// Kelly's fraction `W − (1 − W) / (mean win / mean loss)`; NaN without a win or without a loss.
    pub fn kelly(&self) -> f64 {
        let win_rate = self.wins / self.count;
        win_rate - (1.0 - win_rate) / ((self.won / self.wins) / (self.lost / self.losses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(quantity: f64, entry: f64, exit: f64, fees: f64, bars: u32, open: bool) -> Trade {
        Trade {
            symbol: 0,
            quantity,
            entry_bar: 10,
            exit_bar: 10 + bars,
            entry_price: entry,
            exit_price: exit,
            fees,
            profit: quantity * (exit - entry) - fees,
            open,
        }
    }

    fn of(trades: &[Trade]) -> RoundTrips {
        let mut sums = TradeSums::default();
        sums.collect(trades);
        RoundTrips::of(&sums)
    }

    #[test]
    fn a_hand_made_list() {
        let trades = [
            trade(10.0, 100.0, 110.0, 0.0, 4, false),  // +100, 10 %
            trade(-5.0, 100.0, 110.0, 10.0, 2, false), // −60, −12 %
            trade(10.0, 50.0, 50.0, 0.0, 3, false),    // 0: neither won nor lost
            trade(1.0, 1.0, 1000.0, 0.0, 9, true),     // open: not counted
        ];
        let t = of(&trades);
        assert_eq!((t.count, t.wins, t.losses, t.won, t.lost), (3.0, 1.0, 1.0, 100.0, 60.0));
        assert!((t.profit - 40.0 / 3.0).abs() < 1e-13 && (t.holding - 3.0).abs() < 1e-15);
        assert!((t.mean_return - (0.10 - 0.12) / 3.0).abs() < 1e-15);
        assert_eq!((t.best_return, t.worst_return), (0.1, -0.12));
        // statistics.stdev([100, -60, 0]) = 80.829...
        assert!((t.deviation - 80.829_037_686_547_6).abs() < 1e-10);
        assert!((t.kelly() - (1.0 / 3.0 - (2.0 / 3.0) / (100.0 / 60.0))).abs() < 1e-15);
    }

    #[test]
    fn deviations_are_those_around_the_mean_whatever_comes_first() {
        let plain = |profits: &[f64]| {
            let mean = profits.iter().sum::<f64>() / profits.len() as f64;
            profits.iter().map(|p| (p - mean) * (p - mean)).sum::<f64>()
        };
        let sums = |profits: &[f64]| {
            let mut sums = TradeSums::default();
            profits.iter().for_each(|profit| sums.add(*profit, 100.0, 1.0));
            sums
        };
        let wave: Vec<f64> = (0..2000).map(|k| 1e6 + f64::from(k % 17) * 1e-3).collect();
        // A first profit far from all others: the worst there is to measure the others by.
        let outlier: Vec<f64> = std::iter::once(-1e6).chain(wave.iter().copied()).collect();
        for (profits, off) in [(&wave, 1e-6), (&outlier, 1e-9)] {
            let (known, found) = (plain(profits), sums(profits).deviations());
            assert!((found / known - 1.0).abs() < off, "{found} is not {known}");
        }
        let mut joined = sums(&outlier[..700]);
        joined.join(&sums(&outlier[700..]), 1.0);
        assert!((joined.deviations() / plain(&outlier) - 1.0).abs() < 1e-9);
        assert_eq!(sums(&[7.0; 50]).deviations(), 0.0);
    }

    #[test]
    fn commission_turns_a_gain_into_a_loss() {
        let t = of(&[trade(10.0, 100.0, 100.5, 6.0, 1, false)]);
        assert_eq!((t.wins, t.losses, t.lost), (0.0, 1.0, 1.0));
    }

    #[test]
    fn undefined_without_trades_wins_or_losses() {
        let none = of(&[]);
        assert!(
            none.profit.is_nan() && none.deviation.is_nan() && none.kelly().is_nan() && !none.best_return.is_finite()
        );
        let same = [trade(10.0, 100.0, 110.0, 0.0, 4, false); 3];
        let t = of(&same);
        assert_eq!(t.deviation, 0.0);
        assert!(t.kelly().is_nan());
    }
}
