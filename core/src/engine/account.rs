//! Cash, positions and round trips of one account.

use std::collections::VecDeque;

use crate::context::PositionState;
use crate::ledger::{Fill, Trade};

/// A part of a position that was bought (or sold short) by one fill.
#[derive(Clone, Copy, Debug)]
struct Lot {
    bar: u32,
    quantity: f64,
    price: f64,
    fee_per_unit: f64,
}

/// One symbol's holding.
#[derive(Clone, Debug, Default)]
struct Holding {
    average_price: f64,
    entry_row: usize,
    highest: f64,
    lowest: f64,
    lots: VecDeque<Lot>,
}

/// An account over several symbols. Reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Money not invested.
    pub cash: f64,
    /// Signed units of each symbol. Beside `closes`, not within `holdings`: both are read at every bar.
    pub(super) quantities: Vec<f64>,
    /// Last close seen of each symbol; 0 before the first bar, when nothing can be held.
    pub(super) closes: Vec<f64>,
    holdings: Vec<Holding>,
    /// Closed round trips in the order of their exits; after the run also the parts still open.
    pub trades: Vec<Trade>,
    /// Executions in order, if they are recorded.
    pub fills: Vec<Fill>,
    pub(super) record_fills: bool,
    /// Sum of commissions.
    pub fees: f64,
    /// Sum of absolute values traded.
    pub traded_value: f64,
    /// Number of executions.
    pub fill_count: u64,
}

impl Account {
    pub(super) fn reset(&mut self, symbols: usize, cash: f64, record_fills: bool) {
        self.cash = cash;
        self.quantities.clear();
        self.quantities.resize(symbols, 0.0);
        self.closes.clear();
        self.closes.resize(symbols, 0.0);
        self.holdings.resize_with(symbols, Holding::default);
        for holding in &mut self.holdings {
            let lots = std::mem::take(&mut holding.lots);
            *holding = Holding { lots, ..Holding::default() };
            holding.lots.clear();
        }
        self.trades.clear();
        self.fills.clear();
        self.record_fills = record_fills;
        self.fees = 0.0;
        self.traded_value = 0.0;
        self.fill_count = 0;
    }

    /// Signed units held of each symbol.
    pub fn positions(&self) -> Vec<f64> {
        self.quantities.clone()
    }

    /// Cash plus positions at their last closes, and the gross value of the positions.
    pub(super) fn mark(&self) -> (f64, f64) {
        let (mut equity, mut gross) = (self.cash, 0.0);
        for (quantity, close) in self.quantities.iter().zip(&self.closes) {
            let value = quantity * close;
            equity += value;
            gross += value.abs();
        }
        (equity, gross)
    }

    /// Takes notice of a bar while a position may be open.
    #[inline]
    pub(super) fn see_bar(&mut self, symbol: usize, high: f64, low: f64, close: f64) {
        self.closes[symbol] = close;
        if self.quantities[symbol] != 0.0 {
            let holding = &mut self.holdings[symbol];
            holding.highest = holding.highest.max(high);
            holding.lowest = holding.lowest.min(low);
        }
    }

    /// What rules may know of a position at `row`.
    pub(super) fn state(&self, symbol: usize, row: usize) -> PositionState {
        let holding = &self.holdings[symbol];
        let position = self.quantities[symbol];
        if position == 0.0 {
            return PositionState::FLAT;
        }
        PositionState {
            entry_price: holding.average_price,
            bars_held: (row - holding.entry_row) as f64,
            highest: holding.highest,
            lowest: holding.lowest,
            position,
        }
    }

    /// Books one execution: cash, position, and the round trips that it closes, first in first out.
    pub(super) fn book(&mut self, fill: Fill, row: usize) {
        let Fill { bar, symbol, quantity, price, fee } = fill;
        self.cash -= quantity * price + fee;
        self.fees += fee;
        self.traded_value += (quantity * price).abs();
        self.fill_count += 1;
        if self.record_fills {
            self.fills.push(fill);
        }

        let holding = &mut self.holdings[symbol as usize];
        let before = self.quantities[symbol as usize];
        let after = before + quantity;
        let fee_per_unit = fee / quantity.abs();
        if before != 0.0 && (before > 0.0) != (quantity > 0.0) {
            let flat_or_flipped = after == 0.0 || (after > 0.0) != (before > 0.0);
            let mut left = quantity.abs();
            while let Some(lot) = holding.lots.front_mut() {
                // A position that is over takes all its lots with it, whatever rounding left in the last one.
                let part = if flat_or_flipped { lot.quantity.abs() } else { left.min(lot.quantity.abs()) };
                if part <= 0.0 {
                    break;
                }
                let signed = part.copysign(lot.quantity);
                let fees = part * (lot.fee_per_unit + fee_per_unit);
                self.trades.push(Trade {
                    symbol,
                    quantity: signed,
                    entry_bar: lot.bar,
                    exit_bar: bar,
                    entry_price: lot.price,
                    exit_price: price,
                    fees,
                    profit: signed * (price - lot.price) - fees,
                    open: false,
                });
                left -= part;
                if part == lot.quantity.abs() {
                    holding.lots.pop_front();
                } else {
                    lot.quantity -= signed;
                }
            }
            if flat_or_flipped && after != 0.0 {
                holding.open(bar, row, after, price, fee_per_unit);
            }
        } else if before == 0.0 {
            holding.open(bar, row, after, price, fee_per_unit);
        } else {
            holding.average_price = (holding.average_price * before + price * quantity) / after;
            holding.lots.push_back(Lot { bar, quantity, price, fee_per_unit });
        }
        self.quantities[symbol as usize] = after;
    }

    /// Adds what is still open to the trades, marked at the last closes.
    pub(super) fn list_open(&mut self, bar: u32) {
        for (symbol, (holding, &close)) in self.holdings.iter().zip(&self.closes).enumerate() {
            for lot in &holding.lots {
                let fees = lot.quantity.abs() * lot.fee_per_unit;
                self.trades.push(Trade {
                    symbol: symbol as u32,
                    quantity: lot.quantity,
                    entry_bar: lot.bar,
                    exit_bar: bar,
                    entry_price: lot.price,
                    exit_price: close,
                    fees,
                    profit: lot.quantity * (close - lot.price) - fees,
                    open: true,
                });
            }
        }
    }
}

impl Holding {
    fn open(&mut self, bar: u32, row: usize, quantity: f64, price: f64, fee_per_unit: f64) {
        self.lots.clear();
        self.lots.push_back(Lot { bar, quantity, price, fee_per_unit });
        self.average_price = price;
        self.entry_row = row;
        self.highest = f64::NEG_INFINITY;
        self.lowest = f64::INFINITY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buy(account: &mut Account, bar: u32, quantity: f64, price: f64, fee: f64) {
        account.book(Fill { bar, symbol: 0, quantity, price, fee }, bar as usize);
    }

    #[test]
    fn round_trips_are_first_in_first_out_with_their_share_of_the_fees() {
        let mut account = Account::default();
        account.reset(1, 1000.0, true);
        buy(&mut account, 0, 8.0, 10.0, 1.0);
        buy(&mut account, 1, 8.0, 20.0, 2.0);
        buy(&mut account, 2, -12.0, 30.0, 3.0);
        let trades: Vec<(f64, f64, f64, f64)> =
            account.trades.iter().map(|t| (t.quantity, t.entry_price, t.fees, t.profit)).collect();
        assert_eq!(trades, [(8.0, 10.0, 3.0, 157.0), (4.0, 20.0, 2.0, 38.0)]);
        assert_eq!(account.cash, 1000.0 - 81.0 - 162.0 + 357.0);
        account.list_open(2);
        assert_eq!(account.trades.last().map(|t| (t.quantity, t.open)), Some((4.0, true)));
    }

    #[test]
    fn one_fill_can_close_and_reverse() {
        let mut account = Account::default();
        account.reset(1, 1000.0, false);
        buy(&mut account, 0, 4.0, 10.0, 0.0);
        buy(&mut account, 3, -10.0, 12.0, 0.0);
        assert_eq!(account.positions(), [-6.0]);
        assert_eq!(account.trades.len(), 1);
        assert_eq!(account.trades[0].profit, 8.0);
        assert_eq!(account.state(0, 5).bars_held, 2.0);
        assert_eq!(account.state(0, 5).entry_price, 12.0);
    }

    #[test]
    fn a_position_closed_to_zero_leaves_no_lot_behind() {
        let mut account = Account::default();
        account.reset(1, 1000.0, false);
        for k in 0..3 {
            buy(&mut account, k, 0.1, 10.0, 0.0);
        }
        let held = account.positions()[0];
        buy(&mut account, 9, -held, 11.0, 0.0);
        assert_eq!(account.positions(), [0.0]);
        account.list_open(9);
        assert!(account.trades.iter().all(|t| !t.open));
    }
}
