//! What one unit costs and brings at every bar, costs of the price included.

use super::super::Grid;
use super::fill::Costs;

/// Prices of fills: of a unit bought and of a unit sold, bar after bar and symbol by symbol.
#[derive(Clone, Debug, Default)]
pub(super) struct Prices {
    both: Vec<[f64; 2]>,
    symbols: usize,
}

impl Prices {
    /// Works out the prices of all bars.
    #[inline(always)]
    pub fn load(&mut self, grid: &Grid, costs: &Costs) {
        self.symbols = grid.symbols;
        self.both.clear();
        let prices = |base: &f64| [costs.price(*base, true), costs.price(*base, false)];
        (0..grid.bars).for_each(|bar| self.both.extend(grid.fills_at(bar).iter().map(prices)));
    }

    /// What a unit of a symbol costs and brings at a bar.
    #[inline(always)]
    pub fn at(&self, symbol: usize, bar: usize) -> [f64; 2] {
        self.both[bar * self.symbols + symbol]
    }
}
