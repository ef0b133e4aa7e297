//! A panel laid out for one set of fill rules: every symbol has a place at every bar.
//!
//! Given a panel and settings, this file gives prices by bar and by symbol. It never knows trials.

use std::sync::Arc;

use super::lanes;
use crate::context::{Panel, Span};
use crate::plan::{Fill, Settings};

/// Most places for one row of the panel: symbols that rarely trade at the same time would fill memory with gaps.
const MOST_PLACES_PER_ROW: usize = 8;

/// Prices of all symbols at all simulated bars. Shared by all trials of a run.
#[derive(Debug)]
pub struct Grid {
    /// Number of simulated bars.
    pub(super) bars: usize,
    /// Number of symbols.
    pub(super) symbols: usize,
    /// Simulated rows of each symbol.
    pub(super) rows: Vec<Rows>,
    prices: Prices,
    /// What a unit costs and brings where orders fill, costs of the price included; bar after bar. Only of a panel whose
    /// trials may go side by side.
    paid: Vec<[f64; 2]>,
    /// Whether a symbol's orders fill at a bar; bar after bar.
    tradable: Vec<bool>,
    /// Bars that end a session; `None` if all do.
    session_ends: Option<Vec<u32>>,
    /// Whether all closes are large enough for positions to be worth something.
    pub(super) sound: bool,
    /// Whether every symbol's orders fill at every bar that it has.
    pub(super) always_tradable: bool,
    /// Whether every unit costs and brings something, where that is known.
    pub(super) payable: bool,
}

/// Closes, and the prices where orders fill.
#[derive(Debug)]
enum Prices {
    /// The columns of a panel, of which every row from `first` on is a bar: those of a single symbol are not copied.
    Shared { fills: Arc<Vec<f64>>, closes: Arc<Vec<f64>>, first: usize },
    Own {
        /// Last close at or before each bar, 0 before the first; symbol after symbol.
        closes: Vec<f64>,
        /// Bar after bar, where its orders fill (the price of the bar, or the last close of a symbol without one), then the
        /// same closes: what one decision and its fill at the next bar read lies side by side.
        both: Vec<f64>,
    },
}

/// The least of such closes.
const LEAST_CLOSE: f64 = 1e-100;

/// The simulated rows of one symbol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// First row.
    pub first: usize,
    /// End of the rows.
    pub end: usize,
    /// Bar of the first row.
    pub first_bar: usize,
    /// Whether every bar from the first on has a row, up to the last one.
    pub unbroken: bool,
}

impl Rows {
    /// Bar of the last row, where there is one and no bar between has none.
    pub fn last_bar(self) -> usize {
        self.first_bar + self.end - 1 - self.first
    }

    fn of(panel: &Panel, span: Span, bars: usize) -> Rows {
        let (first, end) = (span.offset + panel.first_simulated(span), span.offset + span.len);
        let bar_of = |row: usize| panel.row_time[row] as usize - panel.start;
        let first_bar = if first < end { bar_of(first) } else { bars };
        let unbroken = first == end || bar_of(end - 1) - first_bar == end - 1 - first;
        Rows { first, end, first_bar, unbroken }
    }
}

impl Prices {
    fn of(panel: &Panel, settings: &Settings, rows: &[Rows], bars: usize) -> Prices {
        let fills = if settings.fill == Fill::NextOpen { &panel.open } else { &panel.close };
        if let [Rows { first, end, first_bar: 0, unbroken: true }] = rows
            && end - first == bars
        {
            return Prices::Shared { fills: fills.clone(), closes: panel.close.clone(), first: *first };
        }
        let symbols = rows.len();
        let (mut closes, mut both) = (vec![0.0; bars * symbols], vec![0.0; 2 * bars * symbols]);
        for (symbol, rows) in rows.iter().enumerate() {
            let (mut row, mut close) = (rows.first, 0.0);
            for bar in 0..bars {
                let mut fill = close;
                if row < rows.end && panel.row_time[row] as usize == panel.start + bar {
                    (fill, close) = (fills[row], panel.close[row]);
                    row += 1;
                }
                closes[symbol * bars + bar] = close;
                both[2 * bar * symbols + symbol] = fill;
                both[(2 * bar + 1) * symbols + symbol] = close;
            }
        }
        Prices::Own { closes, both }
    }
}

impl Grid {
    /// Lays `panel` out.
    ///
    /// # Errors
    /// The reason why it cannot be.
    pub fn new(panel: &Panel, settings: &Settings) -> Result<Grid, &'static str> {
        let bars = panel.timeline.len() - panel.start.min(panel.timeline.len());
        let symbols = panel.spans.len();
        if bars.saturating_mul(symbols) > panel.rows().saturating_mul(MOST_PLACES_PER_ROW) {
            return Err("its symbols seldom have bars at the same time");
        }
        if !(panel.close.iter().chain(panel.open.iter()).all(|price| price.is_finite())) {
            return Err("its prices are not all finite");
        }
        let rows: Vec<Rows> = panel.spans.iter().map(|span| Rows::of(panel, *span, bars)).collect();
        let mut grid = Grid {
            bars,
            symbols,
            prices: Prices::of(panel, settings, &rows, bars),
            rows,
            paid: Vec::new(),
            tradable: vec![false; bars * symbols],
            session_ends: None,
            always_tradable: true,
            payable: false,
            sound: panel.close.iter().all(|close| *close > LEAST_CLOSE),
        };
        for symbol in 0..symbols {
            grid.note_tradable(panel, settings, symbol);
        }
        if panel.rows() <= lanes::MOST_ROWS {
            let costs = lanes::Costs::new(&settings.costs);
            let price = |base: &f64| [costs.price(*base, true), costs.price(*base, false)];
            let mut paid = Vec::with_capacity(bars * symbols);
            (0..bars).for_each(|bar| paid.extend(grid.fills_at(bar).iter().map(price)));
            grid.paid = paid;
            let places = grid.paid.iter().zip(&grid.tradable).filter(|(_, tradable)| **tradable);
            grid.payable = places.flat_map(|(paid, _)| paid).all(|price| *price > 0.0 && *price < f64::INFINITY);
        }
        let ends = (panel.start..panel.timeline.len()).filter(|&t| panel.ends_session(t));
        let ends: Vec<u32> = ends.map(|t| (t - panel.start) as u32).collect();
        grid.session_ends = (ends.len() != bars).then_some(ends);
        Ok(grid)
    }

    /// Notes at which bars a symbol's orders fill.
    fn note_tradable(&mut self, panel: &Panel, settings: &Settings, symbol: usize) {
        let (span, Rows { first, end, .. }) = (panel.spans[symbol], self.rows[symbol]);
        let always = !span.has_volume || settings.fill_without_volume;
        for row in first..end {
            let place = self.bar_of(panel, symbol, row) * self.symbols + symbol;
            self.tradable[place] = always || panel.volume[row] != 0.0;
            self.always_tradable &= self.tradable[place];
        }
    }

    /// Closes of one symbol from a bar on, and whatever follows.
    pub(super) fn closes_from(&self, symbol: usize, bar: usize) -> &[f64] {
        match &self.prices {
            Prices::Shared { closes, first, .. } => &closes[first + bar..],
            Prices::Own { closes, .. } => &closes[symbol * self.bars + bar..],
        }
    }

    /// Closes at every bar, symbol after symbol.
    #[inline]
    pub(super) fn closes_by_symbol(&self) -> &[f64] {
        match &self.prices {
            Prices::Shared { closes, first, .. } => &closes[*first..],
            Prices::Own { closes, .. } => closes,
        }
    }

    /// Closes of all symbols at one bar.
    #[inline]
    pub(super) fn closes_at(&self, bar: usize) -> &[f64] {
        match &self.prices {
            Prices::Shared { closes, first, .. } => &closes[first + bar..][..1],
            Prices::Own { both, .. } => &both[(2 * bar + 1) * self.symbols..][..self.symbols],
        }
    }

    /// Prices of all symbols where the orders of one bar fill.
    #[inline]
    pub(super) fn fills_at(&self, bar: usize) -> &[f64] {
        match &self.prices {
            Prices::Shared { fills, first, .. } => &fills[first + bar..][..1],
            Prices::Own { both, .. } => &both[2 * bar * self.symbols..][..self.symbols],
        }
    }

    /// What a unit of each symbol costs and brings where the orders of one bar fill.
    #[inline]
    pub(super) fn paid_at(&self, bar: usize) -> &[[f64; 2]] {
        &self.paid[bar * self.symbols..][..self.symbols]
    }

    /// Which symbols' orders fill at one bar.
    #[inline]
    pub(super) fn tradable_at(&self, bar: usize) -> &[bool] {
        &self.tradable[bar * self.symbols..][..self.symbols]
    }

    /// Bars that end a session; `None` if all do.
    pub(super) fn session_ends(&self) -> Option<&[u32]> {
        self.session_ends.as_deref()
    }

    /// The first row of a symbol at or after a bar.
    #[inline]
    pub(super) fn row_from(&self, panel: &Panel, symbol: usize, bar: usize) -> usize {
        let rows = self.rows[symbol];
        if rows.unbroken {
            return (rows.first + bar.saturating_sub(rows.first_bar)).min(rows.end);
        }
        let times = &panel.row_time[rows.first..rows.end];
        rows.first + times.partition_point(|&t| (t as usize) < panel.start + bar)
    }

    /// The bar of a simulated row. Where no bar is missing it is counted, not looked up: the rows that are asked for lie
    /// far apart.
    #[inline]
    pub(super) fn bar_of(&self, panel: &Panel, symbol: usize, row: usize) -> usize {
        let rows = self.rows[symbol];
        if rows.unbroken { rows.first_bar + row - rows.first } else { panel.row_time[row] as usize - panel.start }
    }

    /// Simulated rows of all symbols.
    pub(super) fn row_count(&self) -> u64 {
        self.rows.iter().map(|rows| (rows.end - rows.first) as u64).sum()
    }
}
