//! The account of the fast path: cash, positions, and the round trips that their lots make.
//!
//! Given fills, this file books them as `account.rs` does, first in first out, with the same arithmetic. It knows no
//! hedging, tickets or splits, and keeps round trips only where they are recorded.

use std::collections::VecDeque;

use crate::ledger::{Fill, Trade};
use crate::metrics::TradeSums;

/// A part of a position that was bought (or sold short) by one fill.
#[derive(Clone, Copy, Debug, Default)]
struct Lot {
    bar: u32,
    quantity: f64,
    price: f64,
    fee_per_unit: f64,
}

/// The lots of one symbol, oldest first. Most positions have one.
#[derive(Clone, Debug, Default)]
struct Lots {
    first: Lot,
    count: usize,
    more: VecDeque<Lot>,
}

impl Lots {
    fn open(&mut self, lot: Lot) {
        self.first = lot;
        self.count = 1;
        self.more.clear();
    }

    fn add(&mut self, lot: Lot) {
        self.more.push_back(lot);
        self.count += 1;
    }

    fn remove_first(&mut self) {
        self.count -= 1;
        self.first = self.more.pop_front().unwrap_or_default();
    }
}

/// An account over several symbols. Reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub cash: f64,
    /// Signed units of each symbol.
    pub units: Vec<f64>,
    lots: Vec<Lots>,
    pub fees: f64,
    pub traded_value: f64,
    pub fill_count: u64,
    /// Sums over the closed round trips.
    pub sums: TradeSums,
    /// Executions and closed round trips, if they are recorded.
    pub record: bool,
    pub fills: Vec<Fill>,
    pub trades: Vec<Trade>,
}

impl Ledger {
    pub fn reset(&mut self, symbols: usize, cash: f64, record: bool) {
        self.cash = cash;
        self.units.clear();
        self.units.resize(symbols, 0.0);
        self.lots.resize_with(symbols, Lots::default);
        self.lots.iter_mut().for_each(|lots| lots.count = 0);
        (self.fees, self.traded_value, self.fill_count) = (0.0, 0.0, 0);
        self.sums.clear();
        self.record = record;
        self.fills.clear();
        self.trades.clear();
    }

    /// Books one execution: cash, position, and the round trips that it closes.
    #[inline]
    pub fn book(&mut self, fill: Fill) {
        let Fill { bar, symbol, quantity, price, fee } = fill;
        let value = quantity * price;
        self.cash -= value + fee;
        self.fees += fee;
        self.traded_value += value.abs();
        self.fill_count += 1;
        if self.record {
            self.fills.push(fill);
        }
        let symbol = symbol as usize;
        let before = self.units[symbol];
        let mut after = before + quantity;
        if after.abs() <= 1e-12 * before.abs() {
            // What is left is rounding of the fills that made the position: it is over.
            after = 0.0;
        }
        let lot = Lot { bar, quantity, price, fee_per_unit: fee / quantity.abs() };
        if before == 0.0 {
            self.lots[symbol].open(lot);
        } else if (before > 0.0) == (quantity > 0.0) {
            self.lots[symbol].add(lot);
        } else {
            after = self.close(symbol, lot, before, after);
        }
        self.units[symbol] = after;
    }

    /// Closes lots of a position against `against`, oldest first; gives the units that are left.
    #[inline]
    fn close(&mut self, symbol: usize, against: Lot, before: f64, after: f64) -> f64 {
        let Lot { bar, quantity, price, fee_per_unit } = against;
        let over = after == 0.0 || (after > 0.0) != (before > 0.0);
        let mut left = if over { quantity.abs().min(before.abs()) } else { quantity.abs() };
        let mut trade: Option<Trade> = None;
        while self.lots[symbol].count > 0 {
            let lots = &mut self.lots[symbol];
            let lot = lots.first;
            // A position that is over takes all its lots with it, whatever rounding left in the last one.
            let part = if over { lot.quantity.abs() } else { left.min(lot.quantity.abs()) };
            if part <= 0.0 {
                break;
            }
            let signed = if lot.quantity < 0.0 { -part } else { part };
            // The last lot of a position that is over bears what is left of the fee, not what rounding left of it.
            let bears_rest = over && lots.count == 1 && left != part;
            let fees = match bears_rest {
                true => part * lot.fee_per_unit + left * fee_per_unit,
                false => part * (lot.fee_per_unit + fee_per_unit),
            };
            left = if bears_rest { part } else { left } - part;
            if part == lot.quantity.abs() {
                lots.remove_first();
            } else {
                lots.first.quantity -= signed;
            }
            if let Some(trade) = trade.take() {
                self.list(&trade);
            }
            trade = Some(Trade {
                symbol: symbol as u32,
                quantity: signed,
                entry_bar: lot.bar,
                exit_bar: bar,
                entry_price: lot.price,
                exit_price: price,
                fees,
                profit: signed * (price - lot.price) - fees,
                open: false,
            });
        }
        if let Some(mut trade) = trade {
            if left > 0.0 && !(over && after != 0.0) {
                // What rounding left of the fill found no lot: its fee goes with the rest.
                trade.fees += left * fee_per_unit;
                trade.profit -= left * fee_per_unit;
            }
            self.list(&trade);
        }
        let lots = &mut self.lots[symbol];
        if over && after != 0.0 {
            lots.open(Lot { quantity: after, ..against });
            after
        } else if lots.count == 0 {
            // No lot, no position, whatever rounding left of it.
            0.0
        } else {
            after
        }
    }

    #[inline]
    fn list(&mut self, trade: &Trade) {
        let value = trade.quantity.abs() * trade.entry_price;
        self.sums.add(trade.profit, value, f64::from(trade.exit_bar.saturating_sub(trade.entry_bar)));
        if self.record {
            self.trades.push(*trade);
        }
    }

    /// Adds what is still open to the recorded trades, marked at the last closes.
    pub fn list_open(&mut self, bar: u32, closes: &[f64]) {
        for (symbol, (lots, &close)) in self.lots.iter().zip(closes).enumerate() {
            for lot in std::iter::once(&lots.first).chain(&lots.more).take(lots.count) {
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
