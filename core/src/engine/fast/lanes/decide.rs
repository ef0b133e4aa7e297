//! From target weights to orders, for all trials at once: the arithmetic of `sizing.rs` without whole lots.

use super::Lanes;
use super::state::Book;
use crate::num::NAN;

/// Units from what is held to a weight of equity, as `sizing::toward` gives them.
#[inline(always)]
fn toward(weight: f64, equity: f64, price: f64, held: f64) -> f64 {
    let worth = if equity > 0.0 { equity } else { 0.0 };
    let target = weight * worth / price;
    let units = target - held;
    let (wide, other) = (held.abs(), target.abs());
    let wide = if wide > other { wide } else { other };
    let units = if units.abs() <= 1e-12 * wide { 0.0 } else { units };
    // A weight of nothing says so itself: what its division makes of a price of nothing does not count.
    if (weight == 0.0) | (target == 0.0) { -held } else { units }
}

/// Bits of a number without its sign; as whole numbers they are in the order of the numbers' sizes.
const SIZE: u64 = u64::MAX >> 1;

/// From here on there are infinity and what is no number.
const INFINITE: u64 = f64::INFINITY.to_bits();

/// Whether a target is acted upon.
#[inline(always)]
fn acts<const CHANGES_ONLY: bool>(target: f64, last: f64) -> bool {
    let finite = target.abs() < f64::INFINITY;
    if CHANGES_ONLY { finite & (target != last) } else { finite }
}

/// Orders of units, sized at this bar's close.
#[inline(always)]
pub(super) fn units<const CHANGES_ONLY: bool>(book: &mut Book, targets: &Lanes, equity: &Lanes, close: f64) {
    let mut largest = 0;
    for (lane, &target) in targets.iter().enumerate() {
        let acts = acts::<CHANGES_ONLY>(target, book.target[lane]);
        let units = toward(target, equity[lane], close, book.units[lane]);
        // A target of nothing where nothing is held gives no units; one that is acted upon replaces the open order.
        let order = if acts { units } else { book.order[lane] };
        if CHANGES_ONLY {
            book.target[lane] = if acts { target } else { book.target[lane] };
        }
        book.order[lane] = order;
        let size = order.to_bits() & SIZE;
        largest = if size > largest { size } else { largest };
    }
    book.pending = largest != 0;
    book.odd = largest >= INFINITE;
}

/// Orders of weights, to be sized when they fill.
#[inline(always)]
pub(super) fn weights<const CHANGES_ONLY: bool>(book: &mut Book, targets: &Lanes) {
    let mut any = 0_u64;
    for (lane, &target) in targets.iter().enumerate() {
        let acts = acts::<CHANGES_ONLY>(target, book.target[lane]);
        let nothing = (target == 0.0) & (book.units[lane] == 0.0);
        let weight = if nothing { NAN } else { target };
        let weight = if acts { weight } else { book.weight[lane] };
        book.target[lane] = if acts { target } else { book.target[lane] };
        book.weight[lane] = weight;
        any |= u64::from(!weight.is_nan());
    }
    book.pending = any != 0;
}

/// Gives the orders of weights their units at the price where they fill.
#[inline(always)]
pub(super) fn size(book: &mut Book, equity: &Lanes, price: f64) {
    let mut largest = 0;
    for (lane, &equity) in equity.iter().enumerate() {
        let weight = book.weight[lane];
        let units = toward(weight, equity, price, book.units[lane]);
        let order = if weight.is_nan() { 0.0 } else { units };
        book.order[lane] = order;
        let size = order.to_bits() & SIZE;
        largest = if size > largest { size } else { largest };
    }
    book.odd = largest >= INFINITE;
}
