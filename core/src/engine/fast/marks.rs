//! Equity at every bar, from the steps of cash and positions: symbol after symbol over the stretches in which a
//! position stands still, instead of bar after bar over all symbols.

use std::ops::Range;

use super::grid::Grid;
use crate::simd;

/// Steps of cash and positions in the order of time. Reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// Cash from a bar on.
    cash: Vec<Step>,
    /// Units held from a bar on, for each symbol.
    units: Vec<Vec<Step>>,
    /// Equity at each bar.
    pub equity: Vec<f64>,
    /// The step of each symbol that holds where a block begins.
    places: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    bar: usize,
    value: f64,
}

/// What the marks say of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Exposure {
    /// Bars at whose close a position was open.
    pub bars_in_market: u64,
    /// Largest gross value over equity.
    pub max_leverage: f64,
}

fn note(steps: &mut Vec<Step>, bar: usize, value: f64) {
    match steps.last_mut() {
        Some(last) if last.bar == bar => last.value = value,
        _ => steps.push(Step { bar, value }),
    }
}

/// Calls `visit` with each stretch of bars inside of `block` and the value that holds in it. `place` is the step that
/// holds where the block begins; it is left where the next block begins.
#[inline(always)]
fn stretches(steps: &[Step], place: &mut usize, block: Range<usize>, mut visit: impl FnMut(Range<usize>, f64)) {
    while let Some(step) = steps.get(*place) {
        let end = steps.get(*place + 1).map_or(usize::MAX, |next| next.bar);
        let bars = step.bar.max(block.start)..end.min(block.end);
        if !bars.is_empty() {
            visit(bars.start - block.start..bars.end - block.start, step.value);
        }
        if end > block.end {
            break;
        }
        *place += 1;
    }
}

impl Marks {
    pub fn reset(&mut self, symbols: usize, cash: f64) {
        self.cash.clear();
        self.cash.push(Step { bar: 0, value: cash });
        self.units.resize_with(symbols, Vec::new);
        self.units.iter_mut().for_each(Vec::clear);
    }

    /// Cash after the fills of a bar.
    #[inline]
    pub fn note_cash(&mut self, bar: usize, cash: f64) {
        note(&mut self.cash, bar, cash);
    }

    /// Units of a symbol after a fill.
    #[inline]
    pub fn note_units(&mut self, symbol: usize, bar: usize, units: f64) {
        note(&mut self.units[symbol], bar, units);
    }

    /// Fills in the equity of every bar: cash, and positions in the order of the symbols, as the reference adds them.
    /// A position of nothing adds nothing, because closes are finite. Block after block, so that sums stay close to the
    /// processor.
    pub(super) fn mark(&mut self, grid: &Grid) -> Exposure {
        simd::widest(
            #[inline(always)]
            || self.mark_all(grid),
        )
    }

    #[inline(always)]
    fn mark_all(&mut self, grid: &Grid) -> Exposure {
        let Marks { cash, units, equity, places } = self;
        equity.resize(grid.bars, 0.0);
        places.clear();
        places.resize(units.len(), 0);
        let (mut cash_place, mut exposure, mut gross) = (0, Lanes::default(), [0.0; BLOCK]);
        for (k, equity) in equity.chunks_mut(BLOCK).enumerate() {
            let block = k * BLOCK..k * BLOCK + equity.len();
            let gross = &mut gross[..equity.len()];
            stretches(cash, &mut cash_place, block.clone(), |bars, cash| equity[bars].fill(cash));
            gross.fill(0.0);
            for ((symbol, steps), place) in units.iter().enumerate().zip(places.iter_mut()) {
                let closes = &grid.closes_of(symbol)[block.clone()];
                stretches(steps, place, block.clone(), |bars, units| {
                    if units != 0.0 {
                        let sums = equity[bars.clone()].iter_mut().zip(&mut gross[bars.clone()]);
                        for ((equity, gross), close) in sums.zip(&closes[bars]) {
                            let value = units * close;
                            *equity += value;
                            *gross += value.abs();
                        }
                    }
                });
            }
            exposure.see(equity, gross);
        }
        exposure.total()
    }
}

/// Bars summed together.
const BLOCK: usize = 512;

const LANES: usize = 4;

/// Exposure so far, in lanes that the compiler fills side by side.
#[derive(Default)]
struct Lanes {
    open: [u64; LANES],
    most: [f64; LANES],
}

impl Lanes {
    #[inline(always)]
    fn see(&mut self, equity: &[f64], gross: &[f64]) {
        // The largest of numbers does not depend on their order.
        let mut see = |lane: usize, equity: f64, gross: f64| {
            self.open[lane] += u64::from(gross > 0.0);
            let leverage = if (gross > 0.0) & (equity > 0.0) { gross / equity } else { 0.0 };
            self.most[lane] = if leverage > self.most[lane] { leverage } else { self.most[lane] };
        };
        let (equities, rest) = equity.as_chunks::<LANES>();
        let (grosses, rest_gross) = gross.as_chunks::<LANES>();
        for (equity, gross) in equities.iter().zip(grosses) {
            for lane in 0..LANES {
                see(lane, equity[lane], gross[lane]);
            }
        }
        for (&equity, &gross) in rest.iter().zip(rest_gross) {
            see(0, equity, gross);
        }
    }

    fn total(&self) -> Exposure {
        let max_leverage = self.most.iter().copied().fold(0.0, f64::max);
        Exposure { bars_in_market: self.open.iter().sum(), max_leverage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cut_stretches_and_lose_none() {
        let steps = [3, 4, 8, 16, 17].map(|bar| Step { bar, value: f64::from(bar as u32) });
        for size in 1..20 {
            let (mut place, mut seen) = (0, vec![0.0; 24]);
            for start in (0..24).step_by(size) {
                let block = start..(start + size).min(24);
                stretches(&steps, &mut place, block, |bars, value| {
                    bars.for_each(|bar| seen[start + bar] += value);
                });
            }
            let holds = |bar: usize| steps.iter().rev().find(|step| step.bar <= bar).map_or(0.0, |step| step.value);
            assert_eq!(seen, (0..24).map(holds).collect::<Vec<_>>(), "blocks of {size}");
        }
    }
}
