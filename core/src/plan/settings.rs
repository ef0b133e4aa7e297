//! The switches of one simulation, as `fill = "next_open"` and its neighbours in a study file set them.
//!
//! Given nothing, this file gives plain values that an engine copies into its loop. It never knows how they are used.

use crate::context::{Adjust, BarSize};

/// A closed set of words of the study file.
pub trait Words: Copy + Sized + 'static {
    /// All values with their spelling, the default first.
    const ALL: &'static [(&'static str, Self)];
}

/// The spelling of a value.
pub(super) fn word_of<W: Words + PartialEq>(value: W) -> &'static str {
    W::ALL.iter().find(|&&(_, known)| known == value).map_or("", |&(word, _)| word)
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl Words for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($word, $name::$variant)),+];
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ALL[0].1
            }
        }

        impl $name {
            /// The word for this value in a study file.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }
    };
}

pub(super) use words;

words! {
    /// At which price an order fills that was decided at a bar's close.
    Fill {
        /// At the next bar's open.
        NextOpen = "next_open",
        /// At the next bar's close.
        NextClose = "next_close",
        /// At the close that the decision saw.
        SameClose = "same_close",
    }
}

words! {
    /// When a weight or a fraction of equity becomes a number of units.
    SizeAt {
        /// At the decision, from the close and the equity that it saw.
        Decision = "decision",
        /// At the fill, from the price and the equity there.
        Fill = "fill",
        /// At the fill, one order after the other: from the price and the equity that the bar's earlier fills left.
        Order = "order",
    }
}

words! {
    /// In which order the orders of one bar are filled.
    Sequence {
        /// Sells before buys, then symbol order, then age.
        SellsFirst = "sells_first",
        /// By signed change of value, the most negative first, then symbol order.
        ByValue = "by_value",
        /// Symbol order, then age.
        Symbol = "symbol",
        /// Age alone, exits first: one queue, tried order by order whatever the moment of the bar.
        Queue = "queue",
    }
}

words! {
    /// How a bar triggers orders that wait for a price.
    Touch {
        /// By its whole range; what gaps over a price fills at the open.
        Ohlc = "ohlc",
        /// By its close alone, at the close.
        Close = "close",
    }
}

words! {
    /// Whether the exits of an entry are tried on the bar that filled it.
    EntryBarExits {
        /// As far as the bar's path is known: all after an entry at the open; after a limit entry inside the bar the
        /// stop (the price went through the limit to reach it); after a stop entry both, the stop first.
        Path = "path",
        /// After a market order; after a stop order the target, if the stop is not touched.
        Market = "market",
        /// On the next bar.
        Never = "never",
    }
}

words! {
    /// Where a stop-limit order fills on the bar that triggers it.
    StopLimitFill {
        /// Where the bar's path must have reached the limit after the stop; otherwise it waits as a limit order.
        Path = "path",
        /// At the stop if the limit allows that price and lies inside the bar's range, even over a gap.
        AtStop = "at_stop",
    }
}

words! {
    /// What happens to a limit order when slippage makes its price worse than the limit.
    BeyondLimit {
        /// It fills at the limit.
        Cap = "cap",
        /// It waits.
        Wait = "wait",
        /// It fills beyond the limit.
        Fill = "fill",
    }
}

words! {
    /// Where a touched stop-loss or take-profit fills.
    ExitFill {
        /// At its level, or at the open that gapped over it.
        Level = "level",
        /// At the close of the bar that touched it.
        Close = "close",
    }
}

words! {
    /// What levels given as distances are measured from.
    LevelsFrom {
        /// The price paid.
        Fill = "fill",
        /// The market's price, before slippage.
        Market = "market",
    }
}

words! {
    /// What happens to an order that the account cannot pay for in full.
    Unaffordable {
        /// It is cut to what can be paid.
        Cut = "cut",
        /// It is refused.
        Reject = "reject",
    }
}

words! {
    /// At which price the fraction of a share that a split leaves is paid out where lots are whole.
    SplitCash {
        /// The last close, after the split.
        LastPrice = "last_price",
        /// The average price paid, commissions included, rounded to cents.
        CostBasis = "cost_basis",
    }
}

words! {
    /// What chooses the tier of a commission.
    TiersBy {
        /// Units traded in the calendar month so far, all symbols together.
        MonthVolume = "month_volume",
        /// Value of the fill.
        OrderValue = "order_value",
    }
}

words! {
    /// What limits a purchase.
    Margin {
        /// Cash: a buy is cut to what cash pays, commissions included.
        Cash = "cash",
        /// Equity: positions up to `1 / initial_margin` times it; below `maintenance_margin` they are sold off.
        RegT = "reg_t",
        /// Nothing: cash may go negative.
        None = "none",
    }
}

words! {
    /// Which fills pay half the spread.
    SpreadOn {
        /// Every fill.
        Both = "both",
        /// Only fills that open or enlarge a position.
        Entry = "entry",
    }
}

words! {
    /// Where indicators start.
    Warmup {
        /// On the bundle's bars before the first date, as many as the strategy looks back.
        Auto = "auto",
        /// Cold, on the first bar of the dates.
        None = "none",
    }
}

words! {
    /// Which end of a metric is wanted.
    Direction {
        /// The largest value.
        Max = "max",
        /// The smallest value.
        Min = "min",
    }
}

impl Words for Adjust {
    const ALL: &'static [(&'static str, Self)] =
        &[("all", Adjust::All), ("splits", Adjust::Splits), ("none", Adjust::None)];
}

impl Words for BarSize {
    const ALL: &'static [(&'static str, Self)] = &[
        ("bundle", BarSize::Bundle),
        ("5m", BarSize::FiveMinutes),
        ("15m", BarSize::FifteenMinutes),
        ("30m", BarSize::ThirtyMinutes),
        ("1h", BarSize::Hour),
        ("daily", BarSize::Daily),
        ("weekly", BarSize::Weekly),
    ];
}

/// Most tiers that a commission may have.
pub const MOST_TIERS: usize = 8;

/// A step of a commission that depends on how much is traded.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Tier {
    /// From this many units a month, or this value of a fill, on.
    pub from: f64,
    /// Commission in money for each unit.
    pub per_share: f64,
    /// Commission in money for each fill.
    pub per_trade: f64,
    /// Commission in basis points of the value traded.
    pub bps: f64,
    /// Least commission of the fill, in money.
    pub minimum: f64,
}

/// The tiers of a commission, ascending; none by default.
#[derive(Clone, Copy, Default, PartialEq)]
pub struct Tiers {
    list: [Tier; MOST_TIERS],
    count: u8,
}

impl Tiers {
    /// These tiers; `None` if they are more than [`MOST_TIERS`] or not ascending from 0.
    pub fn new(tiers: &[Tier]) -> Option<Tiers> {
        let ascending = tiers.windows(2).all(|pair| pair[0].from < pair[1].from);
        if tiers.len() > MOST_TIERS || !ascending || tiers.first().is_some_and(|tier| tier.from != 0.0) {
            return None;
        }
        let mut list = [Tier::default(); MOST_TIERS];
        list[..tiers.len()].copy_from_slice(tiers);
        // At most MOST_TIERS.
        Some(Tiers { list, count: tiers.len() as u8 })
    }

    /// The tiers, ascending.
    pub fn as_slice(&self) -> &[Tier] {
        &self.list[..usize::from(self.count)]
    }
}

impl std::fmt::Debug for Tiers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

impl serde::Serialize for Tiers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

/// What trading costs. All are at least 0, but interest may have either sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Costs {
    /// Commission in money for each unit.
    pub per_share: f64,
    /// Least sum of `per_share` for one order, in money.
    pub per_share_minimum: f64,
    /// Commission in money for each order.
    pub per_trade: f64,
    /// Commission in basis points (1/10,000) of the value traded.
    pub bps: f64,
    /// Full spread as a fraction of the price; a buy pays half of it above, a sell half of it below.
    pub spread: f64,
    /// Which fills pay the spread.
    pub spread_on: SpreadOn,
    /// Slippage in basis points of the price, against the order.
    pub slippage_bps: f64,
    /// Full spread in money; a buy pays half of it above, a sell half of it below.
    pub spread_amount: f64,
    /// Slippage as a part of the price: this times the square of the fill's share in the bar's volume.
    pub volume_impact: f64,
    /// Slippage as a part of the price: this times sigma times √(units / ADV), both over the 20 bars before.
    pub sqrt_impact: f64,
    /// Further commission in basis points on fills of limit orders that waited for their price.
    pub maker_bps: f64,
    /// Further commission in basis points on all other fills.
    pub taker_bps: f64,
    /// Further commission that depends on how much is traded.
    pub tiers: Tiers,
    /// What chooses the tier.
    pub tiers_by: TiersBy,
    /// Fee on the value of short positions, in basis points a year.
    pub borrow_bps: f64,
    /// Interest on positive cash, in basis points a year.
    pub interest_bps: f64,
    /// Interest paid on negative cash, in basis points a year.
    pub debit_bps: f64,
}

/// Everything that the simulation of one trial is told besides prices and parameters.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Settings {
    /// Initial cash, in money, above 0.
    pub capital: f64,
    /// Price of fills.
    pub fill: Fill,
    /// When sizes are fixed.
    pub size_at: SizeAt,
    /// Order of the fills of one bar.
    pub sequence: Sequence,
    /// Whether positions may be negative.
    pub shorts: bool,
    /// What limits purchases.
    pub margin: Margin,
    /// Whether quantities may be fractions; if not, they are whole lots.
    pub fractional: bool,
    /// Units of one lot, above 0; 1 and without effect while `fractional`.
    pub lot: f64,
    /// Whether a quantity within 1e-4 of a whole number of lots counts as whole, so that 99.99999 is not cut to 99.
    pub lot_snap: bool,
    /// Whether a size in equity counts the costs of the entry, so that the whole of it can be paid.
    pub size_includes_costs: bool,
    /// Whether a bar without volume fills orders all the same.
    pub fill_without_volume: bool,
    /// Whether a sale whose proceeds do not cover its commission is refused.
    pub refuse_unpaid_sales: bool,
    /// Whether the last bar closes every position.
    pub close_at_end: bool,
    /// Whether that happens at the last bar's open instead of its close.
    pub end_at_open: bool,
    /// What trading costs.
    pub costs: Costs,
    /// Yearly rate of return without risk, as a fraction; for the metrics.
    pub risk_free: f64,
    /// How bars trigger orders that wait for a price.
    pub touch: Touch,
    /// Step of limit and stop prices in money, 0 for none: limits are rounded to the better side, stops to the later.
    pub tick: f64,
    /// Whether exits are tried on the bar of their entry.
    pub entry_bar_exits: EntryBarExits,
    /// Where a stop-limit order fills on the bar that triggers it.
    pub stop_limit_fill: StopLimitFill,
    /// What slippage beyond a limit does.
    pub beyond_limit: BeyondLimit,
    /// Where touched exits fill.
    pub exit_fill: ExitFill,
    /// Whether exits that fill at their level pay slippage; orders that wait at a price to close or reverse a position
    /// are exits too.
    pub exit_slippage: bool,
    /// What levels given as distances are measured from.
    pub levels_from: LevelsFrom,
    /// Whether finer bars of the bundle, if there are any, decide what a bar touched first.
    pub resolve: bool,
    /// What happens to an order that cannot be paid in full.
    pub unaffordable: Unaffordable,
    /// Part of a position that equity must cover when it is opened, for `reg_t`.
    pub initial_margin: f64,
    /// Part of all positions that equity must cover at each close, for `reg_t`.
    pub maintenance_margin: f64,
    /// Whether the debt of an account that lost more than it had is forgiven, for `reg_t`.
    pub negative_balance_protection: bool,
    /// Whether the proceeds of a short sale, and as much again, are locked until it is covered.
    pub lock_short_cash: bool,
    /// Most symbols held at once; 0 for any number.
    pub max_positions: u32,
    /// Largest position in a symbol as a fraction of equity; 0 for no limit.
    pub max_weight: f64,
    /// Largest sum of all positions as a multiple of equity; 0 for no limit.
    pub max_leverage: f64,
    /// Largest order in units, larger ones are cut (refused if `unaffordable` says so); 0 for no limit.
    pub max_order: f64,
    /// Smallest order in units, smaller ones are refused; 0 for no limit.
    pub min_order: f64,
    /// Part of a bar's volume that the account may trade; what is left stays open. 0 for no limit.
    pub volume_limit: f64,
    /// Whether an entry against a position stands beside it instead of reducing it.
    pub hedging: bool,
    /// Whether a target counts the symbol's open orders as held.
    pub targets_count_orders: bool,
    /// Price of the fractions that splits leave.
    pub split_cash: SplitCash,
    /// Part of the last price that is lost when a symbol disappears.
    pub delisting_haircut: f64,
    /// Whether every position is closed at the close of its session (intraday bundles).
    pub flat_at_close: bool,
    /// Minutes of local time from which entries are allowed; 0 for the whole session.
    pub trade_from: u32,
    /// Minutes of local time until which entries are allowed; 0 for the whole session.
    pub trade_until: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            capital: 100_000.0,
            fill: Fill::default(),
            size_at: SizeAt::default(),
            sequence: Sequence::default(),
            shorts: true,
            margin: Margin::default(),
            fractional: true,
            lot: 1.0,
            lot_snap: true,
            size_includes_costs: false,
            fill_without_volume: false,
            refuse_unpaid_sales: false,
            close_at_end: false,
            end_at_open: false,
            costs: Costs::default(),
            risk_free: 0.0,
            touch: Touch::default(),
            tick: 0.0,
            entry_bar_exits: EntryBarExits::default(),
            stop_limit_fill: StopLimitFill::default(),
            beyond_limit: BeyondLimit::default(),
            exit_fill: ExitFill::default(),
            exit_slippage: true,
            levels_from: LevelsFrom::default(),
            resolve: true,
            unaffordable: Unaffordable::default(),
            initial_margin: 0.5,
            maintenance_margin: 0.25,
            negative_balance_protection: false,
            lock_short_cash: false,
            max_positions: 0,
            max_weight: 0.0,
            max_leverage: 0.0,
            max_order: 0.0,
            min_order: 0.0,
            volume_limit: 0.0,
            hedging: false,
            targets_count_orders: true,
            split_cash: SplitCash::default(),
            delisting_haircut: 0.0,
            flat_at_close: false,
            trade_from: 0,
            trade_until: 0,
        }
    }
}
