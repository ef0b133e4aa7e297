//! Sets of switches that follow the conventions of other programs, so that their results can be reproduced.
//!
//! Given a name, this file gives plain [`Settings`]; it is the only place of the core that knows these programs.

use super::settings::{
    BeyondLimit, Costs, EntryBarExits, Fill, LevelsFrom, Margin, Sequence, Settings, SizeAt, SplitCash, SpreadOn,
    StopLimitFill, Touch, Unaffordable, Words, words,
};

words! {
    /// A set of switches that follows the conventions of a program.
    Conventions {
        /// This program's own.
        Sandtable = "sandtable",
        /// zipline's: orders fill at the next close with 5 basis points of slippage.
        Zipline = "zipline",
        /// backtesting.py's: whole units at the next open, one queue of orders.
        Backtesting = "backtesting.py",
        /// vectorbt's: fractions at the close that gave the signal.
        Vectorbt = "vectorbt",
    }
}

impl Conventions {
    /// The switches of these conventions; capital, risk-free rate and everything a program leaves to its user keep
    /// their defaults.
    pub fn settings(self) -> Settings {
        let own = Settings::default();
        match self {
            Conventions::Sandtable => own,
            Conventions::Zipline => Settings {
                fill: Fill::NextClose,
                touch: Touch::Close,
                sequence: Sequence::Symbol,
                fractional: false,
                margin: Margin::None,
                tick: 0.01,
                beyond_limit: BeyondLimit::Fill,
                targets_count_orders: false,
                volume_limit: 0.1,
                split_cash: SplitCash::CostBasis,
                costs: Costs { slippage_bps: 5.0, per_share: 0.001, ..Costs::default() },
                ..own
            },
            Conventions::Backtesting => Settings {
                size_at: SizeAt::Order,
                sequence: Sequence::Queue,
                fractional: false,
                lot_snap: false,
                margin: Margin::RegT,
                initial_margin: 1.0,
                maintenance_margin: 0.0,
                negative_balance_protection: true,
                unaffordable: Unaffordable::Reject,
                size_includes_costs: true,
                fill_without_volume: true,
                entry_bar_exits: EntryBarExits::Market,
                stop_limit_fill: StopLimitFill::AtStop,
                beyond_limit: BeyondLimit::Fill,
                end_at_open: true,
                costs: Costs { spread_on: SpreadOn::Entry, ..Costs::default() },
                ..own
            },
            Conventions::Vectorbt => Settings {
                fill: Fill::SameClose,
                size_at: SizeAt::Fill,
                lot_snap: false,
                min_order: 1e-8,
                fill_without_volume: true,
                refuse_unpaid_sales: true,
                entry_bar_exits: EntryBarExits::Never,
                beyond_limit: BeyondLimit::Fill,
                exit_slippage: false,
                levels_from: LevelsFrom::Market,
                ..own
            },
        }
    }
}
