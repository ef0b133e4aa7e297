//! Cash, positions and round trips of one account.

use std::collections::VecDeque;

use super::number::Number;
use crate::context::PositionState;
use crate::ledger::{Fill, Flow, Trade};

/// A part of a position that was bought (or sold short) by one fill.
#[derive(Clone, Copy, Debug)]
struct Lot<N> {
    bar: u32,
    /// The order that opened it.
    ticket: u32,
    quantity: N,
    price: N,
    fee_per_unit: N,
}

/// One symbol's holding.
#[derive(Clone, Debug)]
struct Holding<N> {
    average_price: N,
    /// Average price of additions, commissions included.
    average_cost: N,
    entry_row: usize,
    highest: f64,
    lowest: f64,
    lots: VecDeque<Lot<N>>,
}

/// How a fill meets the position that it finds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Booking {
    /// The order that is filled.
    pub ticket: u32,
    /// The order whose lots it closes before others; 0 for the oldest.
    pub closes: u32,
    /// Whether it stands beside lots of the other side instead of closing them.
    pub beside: bool,
}

/// An account over several symbols. Reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub struct Account<N = f64> {
    /// Money not invested.
    pub cash: N,
    /// Signed units of each symbol. Beside `closes`, not within `holdings`: both are read at every bar.
    pub(super) quantities: Vec<N>,
    /// Last close seen of each symbol; 0 before the first bar, when nothing can be held.
    pub(super) closes: Vec<f64>,
    holdings: Vec<Holding<N>>,
    /// Closed round trips in the order of their exits; after the run also the parts still open.
    pub trades: Vec<Trade<N>>,
    /// Executions in order, if they are recorded.
    pub fills: Vec<Fill<N>>,
    /// Changes without a fill in order, if fills are recorded.
    pub flows: Vec<Flow<N>>,
    pub(super) record_fills: bool,
    /// Sum of commissions.
    pub fees: N,
    /// Sum of absolute values traded.
    pub traded_value: N,
    /// Number of executions.
    pub fill_count: u64,
}

impl<N: Number> Default for Holding<N> {
    fn default() -> Self {
        let zero = N::ZERO;
        Holding {
            average_price: zero,
            average_cost: zero,
            entry_row: 0,
            highest: 0.0,
            lowest: 0.0,
            lots: VecDeque::new(),
        }
    }
}

impl<N: Number> Account<N> {
    pub(super) fn reset(&mut self, symbols: usize, cash: N, record_fills: bool) {
        self.cash = cash;
        self.quantities.clear();
        self.quantities.resize(symbols, N::ZERO);
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
        self.flows.clear();
        self.record_fills = record_fills;
        self.fees = N::ZERO;
        self.traded_value = N::ZERO;
        self.fill_count = 0;
    }

    /// Signed units held of each symbol.
    pub fn positions(&self) -> Vec<N> {
        self.quantities.clone()
    }

    /// Cash plus positions at their last closes, and the gross value of the positions.
    pub(super) fn mark(&self) -> (N, N) {
        let (mut equity, mut gross) = (self.cash, N::ZERO);
        for (quantity, close) in self.quantities.iter().zip(&self.closes) {
            let value = *quantity * N::of(*close);
            equity = equity + value;
            gross = gross + value.abs();
        }
        (equity, gross)
    }

    /// Takes notice of a bar while a position may be open.
    #[inline]
    pub(super) fn see_bar(&mut self, symbol: usize, high: f64, low: f64, close: f64) {
        self.closes[symbol] = close;
        if self.quantities[symbol] != N::ZERO {
            let holding = &mut self.holdings[symbol];
            holding.highest = holding.highest.max(high);
            holding.lowest = holding.lowest.min(low);
        }
    }

    /// What rules may know of a position at `row`.
    pub(super) fn state(&self, symbol: usize, row: usize) -> PositionState {
        let holding = &self.holdings[symbol];
        let position = self.quantities[symbol];
        if position == N::ZERO {
            return PositionState::FLAT;
        }
        PositionState {
            entry_price: holding.average_price.float(),
            bars_held: (row - holding.entry_row) as f64,
            highest: holding.highest,
            lowest: holding.lowest,
            position: position.float(),
        }
    }

    /// Average price of the additions to a position, commissions included.
    pub(super) fn average_cost(&self, symbol: usize) -> N {
        self.holdings[symbol].average_cost
    }

    /// Signed units that are left of what an order opened.
    pub(super) fn left_of(&self, symbol: usize, ticket: u32) -> N {
        let own = self.holdings[symbol].lots.iter().filter(|lot| lot.ticket == ticket);
        own.fold(N::ZERO, |sum, lot| sum + lot.quantity)
    }

    /// Sum of the absolute units of a symbol's lots: more than the position where lots stand against each other.
    pub(super) fn gross_units(&self, symbol: usize) -> N {
        self.holdings[symbol].lots.iter().fold(N::ZERO, |sum, lot| sum + lot.quantity.abs())
    }

    /// The orders whose lots are open, oldest first.
    pub(super) fn open_tickets(&self, symbol: usize, mut visit: impl FnMut(u32, N)) {
        self.holdings[symbol].lots.iter().for_each(|lot| visit(lot.ticket, lot.quantity));
    }

    /// Value at the average entry price of what is held short.
    pub(super) fn short_debt(&self) -> N {
        (0..self.quantities.len()).fold(N::ZERO, |sum, symbol| sum + self.debt_of(symbol))
    }

    /// Value at the average entry price of what is held short of a symbol.
    pub(super) fn debt_of(&self, symbol: usize) -> N {
        let held = self.quantities[symbol];
        if held < N::ZERO { -held * self.holdings[symbol].average_price } else { N::ZERO }
    }

    /// Books an execution that closes what is oldest.
    #[cfg(test)]
    pub(super) fn book(&mut self, fill: Fill<N>, row: usize) {
        self.book_as(fill, row, Booking::default());
    }

    /// Books one execution: cash, position, and the round trips that it closes.
    pub(super) fn book_as(&mut self, fill: Fill<N>, row: usize, booking: Booking) {
        let Fill { bar, symbol, quantity, price, fee } = fill;
        self.cash = self.cash - (quantity * price + fee);
        self.fees = self.fees + fee;
        self.traded_value = self.traded_value + (quantity * price).abs();
        self.fill_count += 1;
        if self.record_fills {
            self.fills.push(fill);
        }

        let zero = N::ZERO;
        let holding = &mut self.holdings[symbol as usize];
        let before = self.quantities[symbol as usize];
        let mut after = before + quantity;
        if after.abs() <= N::of(1e-12) * before.abs() {
            // What is left is rounding of the fills that made the position: it is over.
            after = zero;
        }
        let fee_per_unit = fee / quantity.abs();
        let lot = Lot { bar, ticket: booking.ticket, quantity, price, fee_per_unit };
        if booking.beside {
            if holding.lots.is_empty() {
                holding.open(lot, row);
            } else {
                holding.lots.push_back(lot);
            }
        } else if booking.closes != 0 || (before != zero && (before > zero) != (quantity > zero)) {
            let mixed = holding.is_mixed();
            let listed = self.trades.len();
            let over = !mixed && (after == zero || (after > zero) != (before > zero));
            let mut left = if over { quantity.abs().min(before.abs()) } else { quantity.abs() };
            let next = |holding: &Holding<N>| {
                let own = holding.next_lot(booking.closes, mixed.then_some(quantity));
                // What rounding left in the lots of other orders goes with a position that is over.
                own.or_else(|| if over { holding.next_lot(0, None) } else { None })
            };
            while let Some(place) = next(holding) {
                let last = holding.lots.len() == 1;
                let lot = &mut holding.lots[place];
                // A position that is over takes all its lots with it, whatever rounding left in the last one.
                let part = if over { lot.quantity.abs() } else { left.min(lot.quantity.abs()) };
                if part <= zero {
                    break;
                }
                let signed = if lot.quantity < zero { -part } else { part };
                // The last lot of a position that is over bears what is left of the fee, not what rounding left of it.
                let bears_rest = over && last && left != part;
                let fees = match bears_rest {
                    true => part * lot.fee_per_unit + left * fee_per_unit,
                    false => part * (lot.fee_per_unit + fee_per_unit),
                };
                left = if bears_rest { part } else { left };
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
                left = left - part;
                if part == lot.quantity.abs() {
                    _ = holding.lots.remove(place);
                } else {
                    lot.quantity = lot.quantity - signed;
                }
            }
            if over && after != zero {
                holding.open(Lot { quantity: after, ..lot }, row);
            } else {
                if left > zero
                    && let Some(trade) = self.trades[listed..].last_mut()
                {
                    // What rounding left of the fill found no lot: its fee goes with the rest.
                    trade.fees = trade.fees + left * fee_per_unit;
                    trade.profit = trade.profit - left * fee_per_unit;
                }
                if holding.lots.is_empty() {
                    // No lot, no position, whatever rounding left of it.
                    after = zero;
                }
            }
        } else if before == zero {
            holding.open(lot, row);
        } else {
            holding.average_price = (holding.average_price * before + price * quantity) / after;
            holding.average_cost = (holding.average_cost * before.abs() + price * quantity.abs() + fee) / after.abs();
            holding.lots.push_back(lot);
        }
        if booking.beside || holding.is_mixed() {
            // Sides that stand beside each other cancel out to the last bit only if they are summed anew.
            after = holding.lots.iter().fold(zero, |sum, lot| sum + lot.quantity);
        }
        self.quantities[symbol as usize] = after;
    }

    /// Books a change of cash or position without a fill.
    pub(super) fn flow(&mut self, flow: Flow<N>) {
        self.cash = self.cash + flow.cash;
        if self.record_fills {
            self.flows.push(flow);
        }
    }

    /// Turns every old unit into `ratio` new ones, and gives the change of the units held.
    pub(super) fn split(&mut self, symbol: usize, ratio: N) -> N {
        let holding = &mut self.holdings[symbol];
        for lot in &mut holding.lots {
            lot.quantity = lot.quantity * ratio;
            lot.price = lot.price / ratio;
            lot.fee_per_unit = lot.fee_per_unit / ratio;
        }
        holding.average_price = holding.average_price / ratio;
        holding.average_cost = holding.average_cost / ratio;
        holding.highest /= ratio.float();
        holding.lowest /= ratio.float();
        self.closes[symbol] /= ratio.float();
        let before = self.quantities[symbol];
        self.quantities[symbol] = before * ratio;
        self.quantities[symbol] - before
    }

    /// Cuts a position to `units` of the same sign at a price: what the youngest lots lose is a round trip. The cash for
    /// it is booked by its flow.
    pub(super) fn cut(&mut self, symbol: usize, units: N, bar: u32, price: N) {
        let holding = &mut self.holdings[symbol];
        let mut excess = (self.quantities[symbol] - units).abs();
        while let Some(lot) = holding.lots.back_mut() {
            if excess <= N::ZERO {
                break;
            }
            let part = excess.min(lot.quantity.abs());
            let signed = if lot.quantity < N::ZERO { -part } else { part };
            let fees = part * lot.fee_per_unit;
            self.trades.push(Trade {
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
            lot.quantity = lot.quantity - signed;
            excess = excess - part;
            if lot.quantity == N::ZERO {
                holding.lots.pop_back();
            }
        }
        self.quantities[symbol] = units;
    }

    /// Signed units once every lot is cut on its own by `whole`, for lots that stand beside each other.
    pub(super) fn whole_by_lot(&self, symbol: usize, whole: impl Fn(N) -> N) -> N {
        self.holdings[symbol].lots.iter().fold(N::ZERO, |sum, lot| sum + whole(lot.quantity))
    }

    /// Cuts every lot by `whole` at a price: what they lose are round trips.
    pub(super) fn cut_lots(&mut self, symbol: usize, bar: u32, price: N, whole: impl Fn(N) -> N) {
        let holding = &mut self.holdings[symbol];
        for lot in &mut holding.lots {
            let kept = whole(lot.quantity);
            let lost = lot.quantity - kept;
            if lost == N::ZERO {
                continue;
            }
            let fees = lost.abs() * lot.fee_per_unit;
            self.trades.push(Trade {
                symbol: symbol as u32,
                quantity: lost,
                entry_bar: lot.bar,
                exit_bar: bar,
                entry_price: lot.price,
                exit_price: price,
                fees,
                profit: lost * (price - lot.price) - fees,
                open: false,
            });
            lot.quantity = kept;
        }
        holding.lots.retain(|lot| lot.quantity != N::ZERO);
        self.quantities[symbol] = holding.lots.iter().fold(N::ZERO, |sum, lot| sum + lot.quantity);
    }

    /// Adds what is still open to the trades, marked at the last closes.
    pub(super) fn list_open(&mut self, bar: u32) {
        for (symbol, (holding, &close)) in self.holdings.iter().zip(&self.closes).enumerate() {
            let close = N::of(close);
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

impl<N: Number> Holding<N> {
    fn open(&mut self, lot: Lot<N>, row: usize) {
        self.lots.clear();
        self.lots.push_back(lot);
        self.average_price = lot.price;
        self.average_cost = lot.price + lot.fee_per_unit;
        self.entry_row = row;
        self.highest = f64::NEG_INFINITY;
        self.lowest = f64::INFINITY;
    }

    /// Whether lots of both sides stand beside each other.
    #[inline]
    fn is_mixed(&self) -> bool {
        self.lots.len() > 1 && self.lots.iter().any(|lot| (lot.quantity > N::ZERO) != (self.lots[0].quantity > N::ZERO))
    }

    /// Where the next lot to be closed is: the oldest, or the oldest that `ticket` opened; where lots are mixed, the
    /// oldest that a fill `against` it closes.
    #[inline]
    fn next_lot(&self, ticket: u32, against: Option<N>) -> Option<usize> {
        match (ticket, against) {
            (0, None) => (!self.lots.is_empty()).then_some(0),
            (0, Some(units)) => self.lots.iter().position(|lot| (lot.quantity > N::ZERO) != (units > N::ZERO)),
            _ => self.lots.iter().position(|lot| lot.ticket == ticket),
        }
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
