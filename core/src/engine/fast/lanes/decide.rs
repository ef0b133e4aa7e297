//! From target weights to orders, for all trials at once: the arithmetic of `sizing.rs` without whole lots.

use super::state::{Asks, Book};
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

/// A half of one symbol's book, and where it is noted what is asked for.
pub(super) struct Page<'a> {
    pub book: &'a mut Book,
    pub asks: &'a mut Asks,
    /// The symbol among those of `asks`.
    pub bit: usize,
    pub half: usize,
}

impl Page<'_> {
    /// Puts orders for units in place of those that were there. Whether the units of any are no finite number.
    #[inline(always)]
    fn put<E: Eight>(&mut self, order: E) -> bool {
        store(order, &mut self.book.order, self.half);
        self.asks.note(self.bit, self.half, order);
        let finite = E::bits(order.abs().lt(E::splat(f64::INFINITY)));
        self.book.open[self.half] = E::bits(E::zero().lt(order.abs())) | !finite;
        finite != u8::MAX
    }
}

/// Orders of units, sized at this bar's close. Whether the units of any are no finite number.
#[inline(always)]
pub(super) fn units<E: Eight>(mut page: Page, targets: E, equity: E, close: f64, changes_only: bool) -> bool {
    let Page { book, half, .. } = &mut page;
    let half = *half;
    let held = load::<E>(&book.units, half);
    let acts = if changes_only {
        let last = load::<E>(&book.target, half);
        let acts = acts(targets, last, true);
        store(E::select(acts, targets, last), &mut book.target, half);
        acts
    } else {
        let zero = E::zero();
        let something = E::either(zero.lt(targets.abs()), zero.lt(held.abs()));
        if book.open[half] == 0 && E::bits(something) == 0 {
            // Nothing is held, wanted or ordered.
            return false;
        }
        acts(targets, targets, false)
    };
    if E::bits(acts) == 0 {
        return false;
    }
    let units = toward(targets, equity, E::splat(close), held);
    // A target of nothing where nothing is held gives no units; one that is acted upon replaces the open order.
    let order = E::select(acts, units, load::<E>(&book.order, half));
    page.put(order)
}

/// Orders of weights, to be sized when they fill.
#[inline(always)]
pub(super) fn weights<E: Eight>(page: Page, targets: E, changes_only: bool) {
    let Page { book, half, .. } = page;
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
pub(super) fn size<E: Eight>(mut page: Page, equity: E, price: f64) -> bool {
    let Page { book, half, .. } = &mut page;
    let half = *half;
    let weight = load::<E>(&book.weight, half);
    let held = load::<E>(&book.units, half);
    let units = toward(weight, equity, E::splat(price), held);
    let order = E::select(weight.unordered(weight), E::zero(), units);
    store(E::splat(NAN), &mut book.weight, half);
    page.put(order)
}
