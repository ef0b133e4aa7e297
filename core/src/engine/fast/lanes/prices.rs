//! What one unit costs and brings at every bar, costs of the price included, symbol by symbol.

use super::super::Grid;
use super::fill::Costs;

/// Prices of fills.
#[derive(Clone, Debug, Default)]
pub(super) struct Prices {
    bought: Vec<f64>,
    sold: Vec<f64>,
    bars: usize,
}

impl Prices {
    /// Works out the prices of all bars.
    #[inline(always)]
    pub fn load(&mut self, grid: &Grid, costs: &Costs) {
        self.bars = grid.bars;
        self.bought.clear();
        self.sold.clear();
        for symbol in 0..grid.symbols {
            let bases = || (0..grid.bars).map(|bar| grid.fills_at(bar)[symbol]);
            self.bought.extend(bases().map(|base| costs.price(base, true)));
            self.sold.extend(bases().map(|base| costs.price(base, false)));
        }
    }

    /// What a unit of a symbol costs, bar after bar.
    #[inline(always)]
    pub fn bought(&self, symbol: usize) -> &[f64] {
        &self.bought[symbol * self.bars..][..self.bars]
    }

    /// What a unit of a symbol brings, bar after bar.
    #[inline(always)]
    pub fn sold(&self, symbol: usize) -> &[f64] {
        &self.sold[symbol * self.bars..][..self.bars]
    }
}
