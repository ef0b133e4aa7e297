//! The one table of a study's keys: name, meaning, default, type and bounds.
//!
//! The parser, the command line and the documentation all read this table, so they cannot differ.

use super::folding::{Division, MOST_BLOCKS};
use super::presets::Conventions;
use super::searching::{Acquisition, MOST_GUIDED_TRIALS, Method, Refinement, Restarts};
use super::settings::{
    BeyondLimit, Costs, Direction, EntryBarExits, ExitFill, Fill, LevelsFrom, MOST_TIERS, Margin, Sequence, SizeAt,
    SplitCash, SpreadOn, StopLimitFill, Tier, Tiers, TiersBy, Touch, Unaffordable, Warmup, Words,
};
use super::source::{Item, Value, shorten};
use super::spec::PlanSpec;
use crate::calendar;
use crate::context::{Adjust, BarSize};
use crate::error::{Error, Result, nearest};
use crate::folds::Length;

/// One key of a study file.
#[derive(Clone, Copy)]
pub struct Key {
    /// Name, with its table before a dot: `costs.bps`.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Default, as it would be written; empty if there is none.
    pub default: &'static str,
    pub(super) read: Read,
}

/// How a key's value is read.
#[derive(Clone, Copy)]
pub(super) enum Read {
    Text(fn(&mut PlanSpec) -> &mut Option<String>),
    /// A list of texts, or one text.
    Texts(fn(&mut PlanSpec, Vec<String>)),
    /// A finite number within bounds (both reached unless the lowest must be exceeded).
    Number {
        low: f64,
        high: f64,
        above_low: bool,
        put: fn(&mut PlanSpec, f64),
    },
    /// A whole number of at least this.
    Whole(u64, fn(&mut PlanSpec) -> &mut u64),
    /// A whole number within bounds.
    Count {
        low: u64,
        high: u64,
        put: fn(&mut PlanSpec, u64),
    },
    Flag(fn(&mut PlanSpec) -> &mut bool),
    Date(fn(&mut PlanSpec) -> &mut Option<i32>),
    /// A length of time in sessions or calendar units.
    Length(fn(&mut PlanSpec, Length)),
    /// A time of day HH:MM, in minutes after midnight.
    Time(fn(&mut PlanSpec) -> &mut u32),
    /// The tiers of a commission.
    Tiers,
    Word {
        /// All words, for messages.
        words: fn() -> Vec<&'static str>,
        /// Stores the value with this index.
        put: fn(&mut PlanSpec, usize),
    },
}

const fn number(low: f64, high: f64, put: fn(&mut PlanSpec, f64)) -> Read {
    Read::Number { low, high, above_low: false, put }
}

const fn whole(low: u64, high: u64, put: fn(&mut PlanSpec, u64)) -> Read {
    Read::Count { low, high, put }
}

const fn above(low: f64, high: f64, put: fn(&mut PlanSpec, f64)) -> Read {
    Read::Number { low, high, above_low: true, put }
}

fn words<W: Words>() -> Vec<&'static str> {
    W::ALL.iter().map(|&(word, _)| word).collect()
}

/// Stores the word with an index that [`read`] found among [`words`].
fn pick<W: Words>(target: &mut W, index: usize) {
    if let Some(&(_, value)) = W::ALL.get(index) {
        *target = value;
    }
}

/// A key whose value is a word of a closed set.
macro_rules! choice {
    ($words:ty, $($field:ident).+) => {
        Read::Word { words: words::<$words>, put: |spec, i| pick(&mut spec.$($field).+, i) }
    };
}

const fn key(name: &'static str, default: &'static str, doc: &'static str, read: Read) -> Key {
    Key { name, doc, default, read }
}

/// Largest sum of money a study may name; far below where cents are lost in rounding.
const MOST_MONEY: f64 = 1e15;

/// Longest length in sessions.
const MOST_SESSIONS: i64 = 1_000_000;

/// All keys; parameters stand in `[space]` under their own names.
pub static KEYS: &[Key] = &[
    key(
        "preset",
        "\"sandtable\"",
        "Conventions that all switches follow unless they are given: \"sandtable\", \"zipline\", \"backtesting.py\" or \
         \"vectorbt\".",
        Read::Word {
            words: words::<Conventions>,
            put: |spec, i| {
                pick(&mut spec.preset, i);
                spec.follow_preset();
            },
        },
    ),
    Key {
        name: "bundle",
        doc: "Path of the bundle, or the name of a built-in one.",
        default: "",
        read: Read::Text(|spec| &mut spec.bundle),
    },
    Key {
        name: "strategy",
        doc: "Path of the strategy file, or the name of one of the gallery.",
        default: "",
        read: Read::Text(|spec| &mut spec.strategy),
    },
    Key {
        name: "strategy_text",
        doc: "The strategy itself, instead of `strategy`.",
        default: "",
        read: Read::Text(|spec| &mut spec.strategy_text),
    },
    Key {
        name: "name",
        doc: "Name of the study, for people.",
        default: "the strategy's name",
        read: Read::Text(|spec| &mut spec.name),
    },
    Key {
        name: "symbols",
        doc: "Symbols to trade, in one account.",
        default: "all of the bundle",
        read: Read::Texts(|spec, texts| spec.symbols = Some(texts)),
    },
    Key {
        name: "start",
        doc: "First session, YYYY-MM-DD.",
        default: "the bundle's first",
        read: Read::Date(|spec| &mut spec.start),
    },
    Key {
        name: "end",
        doc: "Last session, YYYY-MM-DD.",
        default: "the bundle's last",
        read: Read::Date(|spec| &mut spec.end),
    },
    Key {
        name: "capital",
        doc: "Initial cash.",
        default: "100000",
        read: above(0.0, MOST_MONEY, |spec, x| spec.settings.capital = x),
    },
    Key {
        name: "fill",
        doc: "Price of a fill: the next bar's open, its close, or the close that the decision saw.",
        default: "\"next_open\"",
        read: Read::Word { words: words::<Fill>, put: |spec, i| pick(&mut spec.settings.fill, i) },
    },
    Key {
        name: "size_at",
        doc: "When a weight becomes units: \"decision\" from the close and the equity that it saw, \"fill\" from \
              price and equity at the fill.",
        default: "\"decision\"",
        read: Read::Word { words: words::<SizeAt>, put: |spec, i| pick(&mut spec.settings.size_at, i) },
    },
    Key {
        name: "sequence",
        doc: "Order of the fills of one moment of a bar: sells before buys, by signed value, by symbol, or one queue.",
        default: "\"sells_first\"",
        read: Read::Word { words: words::<Sequence>, put: |spec, i| pick(&mut spec.settings.sequence, i) },
    },
    Key {
        name: "shorts",
        doc: "Whether positions may be negative.",
        default: "true",
        read: Read::Flag(|spec| &mut spec.settings.shorts),
    },
    Key {
        name: "margin",
        doc: "What limits positions: \"cash\" cuts a buy to what cash pays, \"reg_t\" lets equity carry more, \"none\" lets \
              cash go negative.",
        default: "\"cash\"",
        read: Read::Word { words: words::<Margin>, put: |spec, i| pick(&mut spec.settings.margin, i) },
    },
    Key {
        name: "fractional",
        doc: "Whether quantities may be fractions; if not, they are whole lots, truncated toward zero.",
        default: "true",
        read: Read::Flag(|spec| &mut spec.settings.fractional),
    },
    Key {
        name: "lot",
        doc: "Units of a lot when `fractional = false`.",
        default: "1",
        read: above(0.0, 1e9, |spec, x| {
            spec.settings.lot = x;
            spec.lot_given = true;
        }),
    },
    Key {
        name: "lot_snap",
        doc: "Whether a quantity within 1e-4 of a whole number of lots counts as whole.",
        default: "true",
        read: Read::Flag(|spec| &mut spec.settings.lot_snap),
    },
    Key {
        name: "size_includes_costs",
        doc: "Whether an entry's size in equity counts the costs of the entry.",
        default: "false",
        read: Read::Flag(|spec| &mut spec.settings.size_includes_costs),
    },
    Key {
        name: "fill_without_volume",
        doc: "Whether a bar without volume fills orders all the same.",
        default: "false",
        read: Read::Flag(|spec| &mut spec.settings.fill_without_volume),
    },
    Key {
        name: "refuse_unpaid_sales",
        doc: "Whether a sale whose proceeds do not cover its commission is refused.",
        default: "false",
        read: Read::Flag(|spec| &mut spec.settings.refuse_unpaid_sales),
    },
    Key {
        name: "warmup",
        doc: "Where indicators start: \"auto\" on the bars before `start`, \"none\" on the first bar of the dates.",
        default: "\"auto\"",
        read: Read::Word { words: words::<Warmup>, put: |spec, i| pick(&mut spec.warmup, i) },
    },
    Key {
        name: "adjust",
        doc: "Which corporate actions adjust the past that the strategy sees at a bar, where the bundle keeps prices as \
              traded: \"all\" effective by then, \"splits\" only, or \"none\".",
        default: "\"all\"",
        read: Read::Word { words: words::<Adjust>, put: |spec, i| pick(&mut spec.adjust, i) },
    },
    Key {
        name: "bars",
        doc: "Bars of the run: the bundle's, or longer ones made of them, \"5m\", \"15m\", \"30m\", \"1h\", \"daily\" or \
              \"weekly\".",
        default: "\"bundle\"",
        read: Read::Word { words: words::<BarSize>, put: |spec, i| pick(&mut spec.bars, i) },
    },
    Key {
        name: "close_at_end",
        doc: "Whether the last bar closes every position.",
        default: "false",
        read: Read::Flag(|spec| &mut spec.settings.close_at_end),
    },
    Key {
        name: "end_at_open",
        doc: "Whether `close_at_end` happens at the last bar's open instead of its close.",
        default: "false",
        read: Read::Flag(|spec| &mut spec.settings.end_at_open),
    },
    key(
        "touch",
        "\"ohlc\"",
        "What triggers orders that wait for a price: the bar's whole range (\"ohlc\") or its \"close\" alone.",
        choice!(Touch, settings.touch),
    ),
    key(
        "tick",
        "0",
        "Step of limit and stop prices in money; 0 for none.",
        number(0.0, 1e6, |spec, x| spec.settings.tick = x),
    ),
    key(
        "entry_bar_exits",
        "\"path\"",
        "Whether exits are tried on the bar of their entry: as far as its \"path\" is known, after \"market\" entries, or \
         \"never\".",
        choice!(EntryBarExits, settings.entry_bar_exits),
    ),
    key(
        "stop_limit_fill",
        "\"path\"",
        "Where a stop-limit order fills on the bar of its stop: where the \"path\" must lead, or \"at_stop\".",
        choice!(StopLimitFill, settings.stop_limit_fill),
    ),
    key(
        "beyond_limit",
        "\"cap\"",
        "A limit order whose slippage goes beyond its limit fills at the limit (\"cap\"), will \"wait\", or \"fill\" there.",
        choice!(BeyondLimit, settings.beyond_limit),
    ),
    key(
        "exit_fill",
        "\"level\"",
        "A touched stop-loss or take-profit fills at its \"level\" or at the \"close\" of the bar.",
        choice!(ExitFill, settings.exit_fill),
    ),
    key(
        "exit_slippage",
        "true",
        "Whether exits that fill at their level pay slippage.",
        Read::Flag(|spec| &mut spec.settings.exit_slippage),
    ),
    key(
        "levels_from",
        "\"fill\"",
        "What exits given as distances are measured from: the \"fill\" price, or the \"market\" price before slippage.",
        choice!(LevelsFrom, settings.levels_from),
    ),
    key(
        "resolve",
        "true",
        "Whether finer bars of the bundle decide whether a stop or a target was touched first.",
        Read::Flag(|spec| &mut spec.settings.resolve),
    ),
    key(
        "unaffordable",
        "\"cut\"",
        "An order that the account cannot pay for in full: \"cut\" it, or \"reject\" it.",
        choice!(Unaffordable, settings.unaffordable),
    ),
    key(
        "initial_margin",
        "0.5",
        "Part of a position that equity must cover when it is opened (margin = \"reg_t\").",
        above(0.0, 1.0, |spec, x| spec.settings.initial_margin = x),
    ),
    key(
        "maintenance_margin",
        "0.25",
        "Part of all positions that equity must cover at each close; below it they are sold off (margin = \"reg_t\").",
        number(0.0, 1.0, |spec, x| spec.settings.maintenance_margin = x),
    ),
    key(
        "negative_balance_protection",
        "false",
        "Whether the debt of an account that lost more than it had is forgiven (margin = \"reg_t\").",
        Read::Flag(|spec| &mut spec.settings.negative_balance_protection),
    ),
    key(
        "lock_short_cash",
        "false",
        "Whether the proceeds of a short sale, and as much again, are locked until it is covered.",
        Read::Flag(|spec| &mut spec.settings.lock_short_cash),
    ),
    key(
        "max_positions",
        "0",
        "Most symbols held at once; 0 for any number.",
        Read::Whole(0, |spec| &mut spec.max_positions),
    ),
    key(
        "max_weight",
        "0",
        "Largest position in one symbol as a fraction of equity; 0 for no limit.",
        number(0.0, 1e6, |spec, x| spec.settings.max_weight = x),
    ),
    key(
        "max_leverage",
        "0",
        "Largest sum of all positions as a multiple of equity; 0 for no limit.",
        number(0.0, 1e6, |spec, x| spec.settings.max_leverage = x),
    ),
    key(
        "max_order",
        "0",
        "Largest order in units; 0 for no limit.",
        number(0.0, MOST_MONEY, |spec, x| spec.settings.max_order = x),
    ),
    key(
        "min_order",
        "0",
        "Smallest order in units; 0 for no limit.",
        number(0.0, MOST_MONEY, |spec, x| spec.settings.min_order = x),
    ),
    key(
        "volume_limit",
        "0",
        "Part of a bar's volume that the account may trade; the rest of an order stays open. 0 for no limit.",
        number(0.0, 1.0, |spec, x| spec.settings.volume_limit = x),
    ),
    key(
        "hedging",
        "false",
        "Whether an entry against a position stands beside it instead of reducing it.",
        Read::Flag(|spec| &mut spec.settings.hedging),
    ),
    key(
        "targets_count_orders",
        "true",
        "Whether a target counts the symbol's open orders as held.",
        Read::Flag(|spec| &mut spec.settings.targets_count_orders),
    ),
    key(
        "split_cash",
        "\"last_price\"",
        "Price of the fraction of a share that a split leaves: \"last_price\" or \"cost_basis\".",
        choice!(SplitCash, settings.split_cash),
    ),
    key(
        "delisting_haircut",
        "0",
        "Part of the last price that is lost when a symbol disappears.",
        number(0.0, 1.0, |spec, x| spec.settings.delisting_haircut = x),
    ),
    key(
        "session.flat_at_close",
        "false",
        "Whether every position is closed at the close of its session (intraday bundles).",
        Read::Flag(|spec| &mut spec.settings.flat_at_close),
    ),
    key(
        "session.trade_from",
        "the session's open",
        "Local time HH:MM from which entries are allowed (intraday bundles).",
        Read::Time(|spec| &mut spec.settings.trade_from),
    ),
    key(
        "session.trade_until",
        "the session's close",
        "Local time HH:MM until which entries are allowed (intraday bundles).",
        Read::Time(|spec| &mut spec.settings.trade_until),
    ),
    Key {
        name: "costs.per_share",
        doc: "Commission for each unit, in money.",
        default: "0",
        read: number(0.0, MOST_MONEY, |spec, x| spec.settings.costs.per_share = x),
    },
    Key {
        name: "costs.per_share_minimum",
        doc: "Least sum of `per_share` for one order, in money.",
        default: "0",
        read: number(0.0, MOST_MONEY, |spec, x| spec.settings.costs.per_share_minimum = x),
    },
    Key {
        name: "costs.per_trade",
        doc: "Commission for each order, in money.",
        default: "0",
        read: number(0.0, MOST_MONEY, |spec, x| spec.settings.costs.per_trade = x),
    },
    Key {
        name: "costs.bps",
        doc: "Commission in basis points (1/10,000) of the value traded.",
        default: "0",
        read: number(0.0, 5_000.0, |spec, x| spec.settings.costs.bps = x),
    },
    Key {
        name: "costs.spread",
        doc: "Full spread as a fraction of the price; each side pays half.",
        default: "0",
        read: number(0.0, 0.5, |spec, x| spec.settings.costs.spread = x),
    },
    Key {
        name: "costs.spread_on",
        doc: "Which fills pay the spread: \"both\" sides of a trade, or its \"entry\" only.",
        default: "\"both\"",
        read: Read::Word { words: words::<SpreadOn>, put: |spec, i| pick(&mut spec.settings.costs.spread_on, i) },
    },
    Key {
        name: "costs.slippage_bps",
        doc: "Slippage in basis points of the price, against the order.",
        default: "0",
        read: number(0.0, 5_000.0, |spec, x| spec.settings.costs.slippage_bps = x),
    },
    key(
        "costs.spread_amount",
        "0",
        "Full spread in money for each unit; each side pays half.",
        number(0.0, 1e6, |spec, x| spec.settings.costs.spread_amount = x),
    ),
    key(
        "costs.volume_impact",
        "0",
        "Slippage as a part of the price: this times the square of the share in the bar's volume.",
        number(0.0, 1e3, |spec, x| spec.settings.costs.volume_impact = x),
    ),
    key(
        "costs.sqrt_impact",
        "0",
        "Slippage as a part of the price: this times sigma times the root of units over average volume, of 20 bars.",
        number(0.0, 1e3, |spec, x| spec.settings.costs.sqrt_impact = x),
    ),
    key(
        "costs.maker_bps",
        "0",
        "Further commission in basis points on limit orders that waited for their price.",
        number(0.0, 5_000.0, |spec, x| spec.settings.costs.maker_bps = x),
    ),
    key(
        "costs.taker_bps",
        "0",
        "Further commission in basis points on all other fills.",
        number(0.0, 5_000.0, |spec, x| spec.settings.costs.taker_bps = x),
    ),
    key(
        "costs.tiers",
        "none",
        "Further commission by tiers, ascending: [{ from = 0, per_share = 0.0035, per_trade = 0, bps = 0, minimum = 0.35 }, …].",
        Read::Tiers,
    ),
    key(
        "costs.tiers_by",
        "\"month_volume\"",
        "What chooses the tier: units traded in the month, or the value of the fill (\"order_value\").",
        choice!(TiersBy, settings.costs.tiers_by),
    ),
    key(
        "costs.borrow_bps",
        "0",
        "Fee on the value of short positions, in basis points a year.",
        number(0.0, 1e6, |spec, x| spec.settings.costs.borrow_bps = x),
    ),
    key(
        "costs.interest_bps",
        "0",
        "Interest on positive cash, in basis points a year.",
        number(-1e6, 1e6, |spec, x| spec.settings.costs.interest_bps = x),
    ),
    key(
        "costs.debit_bps",
        "0",
        "Interest paid on negative cash, in basis points a year.",
        number(0.0, 1e6, |spec, x| spec.settings.costs.debit_bps = x),
    ),
    Key {
        name: "where",
        doc: "Conditions over the parameters, one text or a list, that cut the space before anything is evaluated.",
        default: "none",
        read: Read::Texts(|spec, texts| spec.conditions = texts),
    },
    Key {
        name: "search.method",
        doc: "Which points become trials: \"grid\" for all, \"single\" for one at the defaults, or those that a search \
              finds: \"random\", \"lhs\" (Latin hypercube), \"sobol\", \"halton\", \"tpe\", \"gp\" (Gaussian process), \
              \"cma-es\", \"de\" (differential evolution), \"ga\" (genetic), \"nsga-ii\" (several objectives), \"local\", \
              \"hyperband\" or \"bohb\" (many points on parts of the sessions, the better ones on more; \"bohb\" learns).",
        default: "\"grid\"",
        read: Read::Word { words: words::<Method>, put: |spec, i| pick(&mut spec.searching.method, i) },
    },
    key(
        "search.trials",
        "200",
        "Most trials of a search that is no grid; \"hyperband\" and \"bohb\" simulate as much as so many trials on all \
         sessions would.",
        whole(1, MOST_GUIDED_TRIALS, |spec, n| spec.searching.trials = n),
    ),
    key(
        "search.generation",
        "of the method: 8 for \"tpe\", 4 for \"gp\", 256 for those that do not learn",
        "Trials that are asked for together, before the scores of any are known.",
        whole(1, 100_000, |spec, n| spec.searching.generation = n),
    ),
    key(
        "search.startup",
        "10",
        "Trials of a Latin hypercube before \"tpe\", \"gp\" or \"local\" learns.",
        whole(1, MOST_GUIDED_TRIALS, |spec, n| spec.searching.startup = n),
    ),
    key(
        "search.candidates",
        "24",
        "Points of which \"tpe\" and \"bohb\" propose the most promising.",
        whole(1, 100_000, |spec, n| spec.searching.candidates = n),
    ),
    key(
        "search.population",
        "of the method: 50 for \"ga\" and \"nsga-ii\"",
        "Members of the population of \"cma-es\", \"de\", \"ga\" and \"nsga-ii\".",
        whole(4, 100_000, |spec, n| spec.searching.population = n),
    ),
    key(
        "search.acquisition",
        "\"ei\"",
        "Where \"gp\" goes: to the largest expected improvement, or to the smallest lower bound (\"lcb\").",
        choice!(Acquisition, searching.acquisition),
    ),
    key(
        "search.restarts",
        "\"bipop\"",
        "What follows when \"cma-es\" has converged: small and larger populations in turn, \"ipop\" for larger ones only, \
         or \"none\".",
        choice!(Restarts, searching.restarts),
    ),
    key(
        "search.refinement",
        "\"coordinate\"",
        "How \"local\" refines: along each parameter, or by a simplex (\"nelder-mead\").",
        choice!(Refinement, searching.refinement),
    ),
    key(
        "search.keep",
        "3",
        "How many of the best first trials \"local\" refines.",
        whole(1, 1000, |spec, n| spec.searching.keep = n),
    ),
    key(
        "search.patience",
        "0",
        "Generations without improvement after which the search ends; 0 for any number. Of \"hyperband\" and \"bohb\", those \
         on all sessions: one a bracket.",
        Read::Whole(0, |spec| &mut spec.searching.patience),
    ),
    key(
        "search.target",
        "none",
        "Value of the objective at which the search ends; only trials on all sessions reach it.",
        number(-MOST_MONEY, MOST_MONEY, |spec, x| spec.searching.target = Some(x)),
    ),
    key(
        "search.robust",
        "false",
        "Whether a trial counts as the median of its neighbourhood, so that the search prefers plateaus to spikes.",
        Read::Flag(|spec| &mut spec.searching.robust),
    ),
    key(
        "folds.scheme",
        "\"rolling\"",
        "How `walk-forward` divides the sessions: training of one length that moves on with its test (\"rolling\"), training \
         that grows (\"anchored\"), one test at the end (\"holdout\"), each of some blocks (\"k-fold\") or each choice of \
         several blocks (\"combinatorial\") as the test.",
        Read::Word { words: words::<Division>, put: |spec, i| pick(&mut spec.folds.get_or_insert_default().scheme, i) },
    ),
    key(
        "folds.train",
        "\"24 months\"",
        "Length of training, in sessions or calendar units: 500, \"24 months\", \"8 quarters\", \"2 years\"; of \"anchored\", \
         of the first one.",
        Read::Length(|spec, length| spec.folds.get_or_insert_default().train = length),
    ),
    key(
        "folds.test",
        "\"6 months\"",
        "Length of a test, and how far the next one lies ahead.",
        Read::Length(|spec, length| spec.folds.get_or_insert_default().test = length),
    ),
    key(
        "folds.purge",
        "the most bars that `time_stop` allows, 0 without one",
        "Sessions next to a test, on both sides, that are not trained on. Every range is simulated by itself and ends with \
         its last close, so no outcome of training is known later than that.",
        whole(0, MOST_SESSIONS as u64, |spec, n| spec.folds.get_or_insert_default().purge = Some(n)),
    ),
    key(
        "folds.embargo",
        "as many as the strategy looks back",
        "Further sessions after a test that are not trained on, so that no indicator in training has seen the test.",
        whole(0, MOST_SESSIONS as u64, |spec, n| spec.folds.get_or_insert_default().embargo = Some(n)),
    ),
    key(
        "folds.blocks",
        "6",
        "Blocks of \"k-fold\" and \"combinatorial\".",
        whole(2, MOST_BLOCKS, |spec, n| spec.folds.get_or_insert_default().blocks = n),
    ),
    key(
        "folds.test_blocks",
        "2",
        "Blocks that are tested together by \"combinatorial\".",
        whole(1, MOST_BLOCKS, |spec, n| spec.folds.get_or_insert_default().test_blocks = n),
    ),
    key(
        "folds.from_end",
        "true",
        "Whether tests in sessions are laid from the last session back, so that what is left over lies at the beginning.",
        Read::Flag(|spec| &mut spec.folds.get_or_insert_default().from_end),
    ),
    Key {
        name: "objective",
        doc: "Metric that ranks the trials, or an expression over metrics, `sharpe - 0.5 * abs(max_drawdown)`; for \
              \"nsga-ii\" a list of them.",
        default: "\"sharpe\"",
        read: Read::Texts(|spec, texts| spec.objectives = texts),
    },
    key(
        "constraints",
        "none",
        "Conditions over metrics, one text or a list, `trades >= 30`: a trial that does not meet them ranks below all that do.",
        Read::Texts(|spec, texts| spec.constraints = texts),
    ),
    Key {
        name: "direction",
        doc: "Which end of the objective is wanted, \"max\" or \"min\".",
        default: "the metric's better end",
        read: Read::Word { words: words::<Direction>, put: |spec, i| pick(spec.direction.get_or_insert_default(), i) },
    },
    Key {
        name: "top",
        doc: "How many of the best trials to report.",
        default: "10",
        read: Read::Whole(1, |spec| &mut spec.top),
    },
    Key { name: "seed", doc: "Seed of every random draw.", default: "0", read: Read::Whole(0, |spec| &mut spec.seed) },
    Key {
        name: "benchmark",
        doc: "Symbol that stands for the market, for alpha, beta and the information ratio.",
        default: "the bundle's, if it names one",
        read: Read::Text(|spec| &mut spec.benchmark),
    },
    Key {
        name: "risk_free",
        doc: "Yearly rate of return without risk, as a fraction.",
        default: "0",
        read: number(-0.5, 10.0, |spec, x| spec.settings.risk_free = x),
    },
    Key { name: "output", doc: "Folder for the results.", default: "", read: Read::Text(|spec| &mut spec.output) },
    Key {
        name: "no_cache",
        doc: "Cache layers that the run goes round: \"assets\", \"history\", \"contexts\" or \"all\". No part of the plan: it \
              changes no result.",
        default: "none",
        read: Read::Texts(|spec, texts| spec.no_cache = texts),
    },
];

/// The key with this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether a top-level name is a table of keys.
pub(super) fn is_table(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.split_once('.').is_some_and(|(table, _)| table == name))
}

/// Reads `value` into the field of `key`.
///
/// # Errors
/// The value has another type, is out of bounds, or is a word that is not known.
pub(super) fn read(key: &Key, spec: &mut PlanSpec, value: &Value) -> Result<()> {
    let name = key.name;
    let wrong = |expected: &str| Err(Error::plan(format!("`{name}` is {expected}, found {value}")));
    match (key.read, value) {
        (Read::Text(field), Value::Text(text)) if !text.trim().is_empty() => *field(spec) = Some(text.clone()),
        (Read::Text(_), _) => return wrong("a text that is not empty"),
        (Read::Texts(put), value) => put(spec, texts(name, value)?),
        (Read::Number { low, high, above_low, put }, value) => match value.number() {
            Some(x) if x <= high && x >= low && !(above_low && x == low) => put(spec, x),
            _ if above_low => return wrong(&format!("a number above {low} and at most {high}")),
            _ => return wrong(&format!("a number from {low} to {high}")),
        },
        (Read::Whole(least, field), value) => match value {
            Value::Int(number) if u64::try_from(*number).is_ok_and(|number| number >= least) => {
                *field(spec) = number.unsigned_abs();
            }
            _ => return wrong(&format!("a whole number of at least {least}")),
        },
        (Read::Count { low, high, put }, value) => match value {
            Value::Int(number) if u64::try_from(*number).is_ok_and(|n| (low..=high).contains(&n)) => {
                put(spec, number.unsigned_abs());
            }
            _ => return wrong(&format!("a whole number from {low} to {high}")),
        },
        (Read::Flag(field), Value::Bool(flag)) => *field(spec) = *flag,
        (Read::Flag(_), _) => return wrong("true or false"),
        (Read::Date(field), Value::Date(text) | Value::Text(text)) => match calendar::parse_date(text.trim()) {
            Some(date) => *field(spec) = Some(date),
            None => return wrong("a date that exists, YYYY-MM-DD"),
        },
        (Read::Date(_), _) => return wrong("a date, YYYY-MM-DD"),
        (Read::Length(put), Value::Text(text)) => match Length::parse(text) {
            Ok(length) => put(spec, length),
            Err(_) => {
                return wrong("a length of time: 250, \"250 sessions\", \"12 months\", \"2 quarters\" or \"1 year\"");
            }
        },
        (Read::Length(put), Value::Int(sessions)) if (1..=MOST_SESSIONS).contains(sessions) => {
            put(spec, Length::Sessions(sessions.unsigned_abs() as usize));
        }
        (Read::Length(_), _) => {
            return wrong("a length of time: 250, \"250 sessions\", \"12 months\", \"2 quarters\" or \"1 year\"");
        }
        (Read::Time(field), Value::Text(text)) => match minutes(text) {
            Some(minutes) => *field(spec) = minutes,
            None => return wrong("a time of day, \"HH:MM\""),
        },
        (Read::Time(_), _) => return wrong("a time of day, \"HH:MM\""),
        (Read::Tiers, Value::List(items)) => tiers(name, items, &mut spec.settings.costs)?,
        (Read::Tiers, _) => return wrong("a list of tables, [{ from = 0, bps = 5 }, …]"),
        (Read::Word { words, put }, value) => put(spec, word(name, &words(), value)?),
    }
    Ok(())
}

/// Minutes after midnight of `HH:MM`.
fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// The tiers of a commission.
fn tiers(name: &str, items: &[Item], costs: &mut Costs) -> Result<()> {
    let wrong = |message: String| Err(Error::plan(format!("`{name}` {message}")));
    if items.is_empty() || items.len() > MOST_TIERS {
        return wrong(format!("has {} tiers, expected 1 to {MOST_TIERS}", items.len()));
    }
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        let Value::Table(entries) = &item.value else {
            return wrong(format!("takes tables, found {}", item.value));
        };
        let mut tier = Tier::default();
        for entry in entries {
            let field = match entry.key.as_str() {
                "from" => &mut tier.from,
                "per_share" => &mut tier.per_share,
                "per_trade" => &mut tier.per_trade,
                "bps" => &mut tier.bps,
                "minimum" => &mut tier.minimum,
                other => {
                    let other = shorten(other);
                    return wrong(format!("has no `{other}`; a tier has from, per_share, per_trade, bps, minimum"));
                }
            };
            match entry.item.value.number() {
                Some(x) if (0.0..=MOST_MONEY).contains(&x) => *field = x,
                _ => return wrong(format!("takes numbers from 0 to {MOST_MONEY}, found {}", entry.item.value)),
            }
        }
        if tier.bps > 5_000.0 {
            return wrong(String::from("takes at most 5000 basis points"));
        }
        list.push(tier);
    }
    match Tiers::new(&list) {
        Some(tiers) => costs.tiers = tiers,
        None => return wrong(String::from("must begin with `from = 0` and ascend from there")),
    }
    Ok(())
}

fn texts(name: &str, value: &Value) -> Result<Vec<String>> {
    let one = |value: &Value| match value {
        Value::Text(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        other => Err(Error::plan(format!("`{name}` takes texts that are not empty, found {other}"))),
    };
    match value {
        Value::List(items) if !items.is_empty() || name == "where" || name == "constraints" => {
            items.iter().map(|item| one(&item.value)).collect()
        }
        Value::List(_) => {
            Err(Error::plan(format!("`{name}` is an empty list")).help("leave the key out for its default"))
        }
        other => one(other).map(|text| vec![text]),
    }
}

/// Index of a word in `words`.
fn word(name: &str, words: &[&str], value: &Value) -> Result<usize> {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let list = match quoted.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => quoted.concat(),
    };
    let Value::Text(text) = value else {
        return Err(Error::plan(format!("`{name}` is {list}, found {value}")));
    };
    if let Some(index) = words.iter().position(|word| word == text) {
        return Ok(index);
    }
    let error = Error::plan(format!("`{name}` is {list}, found \"{}\"", shorten(text)));
    Err(match nearest(text, words.iter().copied()) {
        Some(near) => error.help(format!("did you mean \"{near}\"?")),
        None => error,
    })
}
