//! Equity at every bar, from the steps of cash and positions: symbol after symbol over the stretches in which a
//! position stands still, instead of bar after bar over all symbols.

use std::ops::Range;

use super::grid::Grid;
use crate::simd::{self, Eight, LANES, Work};

/// Steps of cash and positions in the order of time. Reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
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
        simd::run(Mark { marks: self, grid })
    }
}

struct Mark<'a> {
    marks: &'a mut Marks,
    grid: &'a Grid,
}

impl Work for Mark<'_> {
    type Output = Exposure;

    #[inline(always)]
    fn run<E: Eight>(self) -> Exposure {
        let Marks { cash, units, equity, places } = self.marks;
        if equity.capacity() == 0 {
            // Fresh memory is zero already.
            *equity = vec![0.0; self.grid.bars];
        }
        equity.resize(self.grid.bars, 0.0);
        places.clear();
        places.resize(units.len(), 0);
        let (mut cash_place, mut exposure) = (0, Exposure::default());
        // A vector more than a block, which stretches may write into.
        let (mut sums, mut gross, mut last) = ([0.0; BLOCK + LANES], [0.0; BLOCK + LANES], [0.0; BLOCK + LANES]);
        for (k, equity) in equity.chunks_mut(BLOCK).enumerate() {
            let block = k * BLOCK..k * BLOCK + equity.len();
            stretches(cash, &mut cash_place, block.clone(), |bars, cash| sums[bars].fill(cash));
            gross.fill(0.0);
            for ((symbol, steps), place) in units.iter().enumerate().zip(places.iter_mut()) {
                let mut closes = self.grid.closes_from(symbol, block.start);
                if closes.len() < last.len() {
                    // Vectors reach beyond the last close.
                    last[..closes.len()].copy_from_slice(closes);
                    closes = &last;
                }
                stretches(
                    steps,
                    place,
                    block.clone(),
                    #[inline(always)]
                    |bars, units| {
                        if units != 0.0 {
                            add_values::<E>(bars, units, closes, &mut sums, &mut gross);
                        }
                    },
                );
            }
            exposure.see::<E>(&sums, &gross, equity.len());
            equity.copy_from_slice(&sums[..equity.len()]);
        }
        exposure
    }
}

/// Adds the value of a position at some bars of a block to their sums.
#[inline(always)]
fn add_values<E: Eight>(
    bars: Range<usize>,
    units: f64,
    closes: &[f64],
    sums: &mut [f64; BLOCK + LANES],
    gross: &mut [f64; BLOCK + LANES],
) {
    let held = E::splat(units);
    let len = bars.len();
    let (Some(closes), Some(sums), Some(gross)) = (
        closes.get(bars.start..bars.start + len.next_multiple_of(LANES)),
        sums.get_mut(bars.start..bars.start + len.next_multiple_of(LANES)),
        gross.get_mut(bars.start..bars.start + len.next_multiple_of(LANES)),
    ) else {
        return;
    };
    let (closes, sums, gross) = (closes.as_chunks().0, sums.as_chunks_mut().0, gross.as_chunks_mut().0);
    let whole = len / LANES;
    for ((close, sum), gross) in closes.iter().zip(&mut *sums).zip(&mut *gross).take(whole) {
        let value = held.mul(E::load(close));
        E::load(sum).add(value).store(sum);
        E::load(gross).add(value.abs()).store(gross);
    }
    let rest = len % LANES;
    if let (true, Some(close), Some(sum), Some(gross)) =
        (rest > 0, closes.get(whole), sums.get_mut(whole), gross.get_mut(whole))
    {
        // The stretch ends within this vector.
        let counts = E::load(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).lt(E::splat(rest as f64));
        let value = held.mul(E::load(close));
        let (before, gross_before) = (E::load(sum), E::load(gross));
        E::select(counts, before.add(value), before).store(sum);
        E::select(counts, gross_before.add(value.abs()), gross_before).store(gross);
    }
}

/// Bars summed together.
const BLOCK: usize = 512;

impl Exposure {
    /// Looks at the first `len` bars of a block.
    #[inline(always)]
    fn see<E: Eight>(&mut self, equity: &[f64; BLOCK + LANES], gross: &[f64; BLOCK + LANES], len: usize) {
        let mut most = E::splat(self.max_leverage * BELOW);
        let (equities, grosses) = (equity.as_chunks::<LANES>().0, gross.as_chunks::<LANES>().0);
        for (k, (equities, grosses)) in equities.iter().zip(grosses).enumerate().take(len.div_ceil(LANES)) {
            let (equity, gross) = (E::load(equities), E::load(grosses));
            // Behind the block nothing is open: what was written there was not counted.
            let valid = if len - k * LANES < LANES { (1u8 << (len - k * LANES)) - 1 } else { u8::MAX };
            let open = E::bits(E::zero().lt(gross)) & valid;
            self.bars_in_market += u64::from(open.count_ones());
            // Only what comes near the most so far is divided.
            if E::bits(most.mul(equity).le(gross)) & open != 0 {
                for lane in (0..LANES).filter(|lane| open >> lane & 1 == 1 && equities[*lane] > 0.0) {
                    self.max_leverage = self.max_leverage.max(grosses[lane] / equities[lane]);
                }
                most = E::splat(self.max_leverage * BELOW);
            }
        }
    }
}

/// A little less than 1: more than the rounding of two products.
const BELOW: f64 = 1.0 - 1e-14;

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
