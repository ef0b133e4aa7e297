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

impl RoundTrips {
    pub(super) fn of(trades: &[Trade]) -> Self {
        let mut sums = RoundTrips {
            count: 0.0,
            wins: 0.0,
            losses: 0.0,
            won: 0.0,
            lost: 0.0,
            profit: 0.0,
            deviation: num::NAN,
            mean_return: 0.0,
            best_return: f64::NEG_INFINITY,
            worst_return: f64::INFINITY,
            holding: 0.0,
        };
        let mut traded = 0.0;
        for trade in closed(trades) {
            let value = trade.quantity.abs() * trade.entry_price;
            let gain = trade.profit / value;
            sums.count += 1.0;
            if trade.profit > 0.0 {
                sums.wins += 1.0;
                sums.won += trade.profit;
            } else if trade.profit < 0.0 {
                sums.losses += 1.0;
                sums.lost -= trade.profit;
            }
            sums.profit += trade.profit;
            sums.mean_return += gain;
            sums.best_return = sums.best_return.max(gain);
            sums.worst_return = sums.worst_return.min(gain);
            sums.holding += f64::from(trade.exit_bar.saturating_sub(trade.entry_bar));
            traded += value;
        }
        // 0 / 0 makes the means NaN; the extremes of nothing are infinite, which is stored as null.
        sums.profit /= sums.count;
        sums.mean_return /= sums.count;
        sums.holding /= sums.count;
        if sums.count >= 2.0 {
            let square = |sum: f64, trade: &Trade| sum + (trade.profit - sums.profit) * (trade.profit - sums.profit);
            let deviation = num::sqrt(closed(trades).fold(0.0, square) / (sums.count - 1.0));
            sums.deviation = if deviation <= NOISE * (traded / sums.count) { 0.0 } else { deviation };
        }
        sums
    }

    /// Kelly's fraction `W − (1 − W) / (mean win / mean loss)`; NaN without a win or without a loss.
    pub fn kelly(&self) -> f64 {
        let win_rate = self.wins / self.count;
        win_rate - (1.0 - win_rate) / ((self.won / self.wins) / (self.lost / self.losses))
    }
}

fn closed(trades: &[Trade]) -> impl Iterator<Item = &Trade> {
    trades.iter().filter(|trade| !trade.open)
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

    #[test]
    fn a_hand_made_list() {
        let trades = [
            trade(10.0, 100.0, 110.0, 0.0, 4, false),  // +100, 10 %
            trade(-5.0, 100.0, 110.0, 10.0, 2, false), // −60, −12 %
            trade(10.0, 50.0, 50.0, 0.0, 3, false),    // 0: neither won nor lost
            trade(1.0, 1.0, 1000.0, 0.0, 9, true),     // open: not counted
        ];
        let t = RoundTrips::of(&trades);
        assert_eq!((t.count, t.wins, t.losses, t.won, t.lost), (3.0, 1.0, 1.0, 100.0, 60.0));
        assert!((t.profit - 40.0 / 3.0).abs() < 1e-13 && (t.holding - 3.0).abs() < 1e-15);
        assert!((t.mean_return - (0.10 - 0.12) / 3.0).abs() < 1e-15);
        assert_eq!((t.best_return, t.worst_return), (0.1, -0.12));
        // statistics.stdev([100, -60, 0]) = 80.829...
        assert!((t.deviation - 80.829_037_686_547_6).abs() < 1e-10);
        assert!((t.kelly() - (1.0 / 3.0 - (2.0 / 3.0) / (100.0 / 60.0))).abs() < 1e-15);
    }

    #[test]
    fn commission_turns_a_gain_into_a_loss() {
        let t = RoundTrips::of(&[trade(10.0, 100.0, 100.5, 6.0, 1, false)]);
        assert_eq!((t.wins, t.losses, t.lost), (0.0, 1.0, 1.0));
    }

    #[test]
    fn undefined_without_trades_wins_or_losses() {
        let none = RoundTrips::of(&[]);
        assert!(
            none.profit.is_nan() && none.deviation.is_nan() && none.kelly().is_nan() && !none.best_return.is_finite()
        );
        let same = [trade(10.0, 100.0, 110.0, 0.0, 4, false); 3];
        let t = RoundTrips::of(&same);
        assert_eq!(t.deviation, 0.0);
        assert!(t.kelly().is_nan());
    }
}
