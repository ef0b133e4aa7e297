//! Eight lanes on other machines: as the compiler sees fit.

use super::eight::{Plain, Work};

#[inline(always)]
pub(super) fn widest<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[inline(always)]
pub(super) fn run<W: Work>(work: W) -> W::Output {
    work.run::<Plain>()
}

pub(super) fn width() -> u32 {
    64
}

pub(super) fn limit(_bits: u32) {}
