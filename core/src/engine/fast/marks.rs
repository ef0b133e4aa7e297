//! Equity at every bar, from the steps of cash and positions: symbol after symbol over the stretches in which a
//! position stands still, instead of bar after bar over all symbols.

use super::grid::Grid;

/// Steps of cash and positions in the order of time. Reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// Cash from a bar on.
    cash: Vec<Step>,
    /// Units held from a bar on, for each symbol.
    units: Vec<Vec<Step>>,
    /// Equity at each bar.
    pub equity: Vec<f64>,
    gross: Vec<f64>,
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

/// Calls `visit` with each stretch of bars and the value that holds in it.
fn stretches(steps: &[Step], bars: usize, mut visit: impl FnMut(std::ops::Range<usize>, f64)) {
    for (k, step) in steps.iter().enumerate() {
        let end = steps.get(k + 1).map_or(bars, |next| next.bar);
        visit(step.bar..end, step.value);
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
    /// A position of nothing adds nothing, because closes are finite.
    pub(super) fn mark(&mut self, grid: &Grid) -> Exposure {
        let Marks { cash, units, equity, gross } = self;
        equity.resize(grid.bars, 0.0);
        gross.resize(grid.bars, 0.0);
        stretches(cash, grid.bars, |bars, cash| equity[bars].fill(cash));
        gross.fill(0.0);
        for (symbol, steps) in units.iter().enumerate() {
            let closes = grid.closes_of(symbol);
            stretches(steps, grid.bars, |bars, units| {
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
        exposure(equity, gross)
    }
}

fn exposure(equity: &[f64], gross: &[f64]) -> Exposure {
    const LANES: usize = 4;
    let (mut open, mut most) = ([0; LANES], [0.0; LANES]);
    // The largest of numbers does not depend on their order.
    let mut see = |lane: usize, equity: f64, gross: f64| {
        open[lane] += u64::from(gross > 0.0);
        let leverage = if (gross > 0.0) & (equity > 0.0) { gross / equity } else { 0.0 };
        most[lane] = if leverage > most[lane] { leverage } else { most[lane] };
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
    Exposure { bars_in_market: open.iter().sum(), max_leverage: most.into_iter().fold(0.0, f64::max) }
}
