//! From target weights to orders, for all trials at once: the arithmetic of `sizing.rs` without whole lots.

use super::state::Book;
use super::{load, store};
use crate::num::NAN;
use crate::simd::Eight;

/// Units from what is held to a weight of equity, as `sizing::toward` gives them.
#[inline(always)]
fn toward<E: Eight>(weight: E, equity: E, price: E, held: E) -> E {
    let zero = E::zero();
    let target = weight.mul(equity.max(zero)).div(price);
    let units = target.sub(held);
    let noise = E::splat(1e-12).mul(held.abs().max(target.abs()));
    let units = E::select(units.abs().le(noise), zero, units);
    // A weight of nothing says so itself: what its division makes of a price of nothing does not count.
    E::select(E::either(weight.eq(zero), target.eq(zero)), held.mul(E::splat(-1.0)), units)
}

/// Whether targets are acted upon: where they are finite, and not the last ones if those do not count again.
#[inline(always)]
fn acts<E: Eight>(target: E, last: E, changes_only: bool) -> E::Mask {
    let finite = target.abs().lt(E::splat(f64::INFINITY));
    if changes_only { E::without(finite, target.eq(last)) } else { finite }
}

/// Where there is an order.
#[inline(always)]
fn orders<E: Eight>(order: E) -> E::Mask {
    E::either(E::zero().lt(order.abs()), order.unordered(order))
}

/// Notes in which lanes of a half orders are open. Whether the units of any are no finite number.
#[inline(always)]
fn note<E: Eight>(book: &mut Book, order: E, half: usize) -> bool {
    book.open[half] = E::bits(orders(order));
    E::bits(order.abs().lt(E::splat(f64::INFINITY))) != u8::MAX
}

/// Orders of units, sized at this bar's close. Whether the units of any are no finite number.
#[inline(always)]
pub(super) fn units<E: Eight>(
    book: &mut Book,
    half: usize,
    targets: E,
    equity: E,
    close: f64,
    changes_only: bool,
) -> bool {
    let last = load::<E>(&book.target, half);
    let acts = acts(targets, last, changes_only);
    if E::bits(acts) == 0 {
        return false;
    }
    let units = toward(targets, equity, E::splat(close), load::<E>(&book.units, half));
    // A target of nothing where nothing is held gives no units; one that is acted upon replaces the open order.
    let order = E::select(acts, units, load::<E>(&book.order, half));
    store(E::select(acts, targets, last), &mut book.target, half);
    store(order, &mut book.order, half);
    note(book, order, half)
}

/// Orders of weights, to be sized when they fill.
#[inline(always)]
pub(super) fn weights<E: Eight>(book: &mut Book, half: usize, targets: E, changes_only: bool) {
    let (zero, last) = (E::zero(), load::<E>(&book.target, half));
    let acts = acts(targets, last, changes_only);
    if E::bits(acts) == 0 {
        return;
    }
    let nothing = E::both(targets.eq(zero), load::<E>(&book.units, half).eq(zero));
    let weight = E::select(nothing, E::splat(NAN), targets);
    let weight = E::select(acts, weight, load::<E>(&book.weight, half));
    store(E::select(acts, targets, last), &mut book.target, half);
    store(weight, &mut book.weight, half);
    book.open[half] = !E::bits(weight.unordered(weight));
}

/// Gives the orders of weights their units at the price where they fill. Whether the units of any are no finite number.
#[inline(always)]
pub(super) fn size<E: Eight>(book: &mut Book, half: usize, equity: E, price: f64) -> bool {
    let weight = load::<E>(&book.weight, half);
    let units = toward(weight, equity, E::splat(price), load::<E>(&book.units, half));
    let order = E::select(weight.unordered(weight), E::zero(), units);
    store(E::splat(NAN), &mut book.weight, half);
    store(order, &mut book.order, half);
    note(book, order, half)
}
