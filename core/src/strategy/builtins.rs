//! The words of the language that are not indicators, in one table: name, how it is written, what it means.
//!
//! Given a name, this gives its meaning. Indicators are in [`crate::indicators::REGISTRY`]; where both know a name
//! (`min`, `floor`, …), the word of this table decides.

use super::{CalendarFunction, CrossSection, Function, Period, StateVar};
use crate::bundle::Field;

/// What a built-in word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A price or volume.
    Field(Field),
    /// An element-wise function of one number.
    Function(Function),
    /// `min` and `max`: element-wise, or the indicator of the same name where the last operand is a period.
    Extreme(Function),
    /// Another name of the indicator with this name.
    Alias(&'static str),
    /// `if`
    If,
    /// `cross_over` (true) and `cross_under` (false).
    Cross(bool),
    /// `since`
    Since,
    /// A function over the universe.
    CrossSection(CrossSection),
    /// Whether a symbol is among the largest.
    Top,
    /// Coarser bars.
    Coarse(Period),
    /// `minutes(n, x)`: bars of so many minutes.
    Minutes,
    /// What the calendar says.
    Calendar(CalendarFunction),
    /// What the position says.
    State(StateVar),
    /// `n_symbols`
    SymbolCount,
    /// A word of the grammar: `and or not true false`.
    Keyword,
}

/// One built-in word.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// The word.
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// What it stands for.
    pub meaning: Meaning,
}

const fn word(name: &'static str, usage: &'static str, doc: &'static str, meaning: Meaning) -> Builtin {
    Builtin { name, usage, doc, meaning }
}

/// All built-in words.
pub static BUILTINS: &[Builtin] = &[
    word("open", "open", "First price of the bar.", Meaning::Field(Field::Open)),
    word("high", "high", "Highest price of the bar.", Meaning::Field(Field::High)),
    word("low", "low", "Lowest price of the bar.", Meaning::Field(Field::Low)),
    word("close", "close", "Last price of the bar.", Meaning::Field(Field::Close)),
    word("volume", "volume", "Units traded.", Meaning::Field(Field::Volume)),
    word("abs", "abs(x)", "Absolute value.", Meaning::Function(Function::Abs)),
    word("sqrt", "sqrt(x)", "Square root; undefined below 0.", Meaning::Function(Function::Sqrt)),
    word("exp", "exp(x)", "Natural exponential.", Meaning::Function(Function::Exp)),
    word("log", "log(x)", "Natural logarithm; undefined at and below 0.", Meaning::Function(Function::Log)),
    word("sign", "sign(x)", "-1, 0 or 1.", Meaning::Function(Function::Sign)),
    word("floor", "floor(x)", "Largest whole number not above x.", Meaning::Function(Function::Floor)),
    word("ceil", "ceil(x)", "Smallest whole number not below x.", Meaning::Function(Function::Ceil)),
    word("round", "round(x)", "Nearest whole number, halves away from zero.", Meaning::Function(Function::Round)),
    word("defined", "defined(x)", "Whether x is defined; itself always defined.", Meaning::Function(Function::Defined)),
    word("min", "min(a, b)", "Smaller value; min(x, n) is the lowest of n bars.", Meaning::Extreme(Function::Min2)),
    word("max", "max(a, b)", "Larger value; max(x, n) is the highest of n bars.", Meaning::Extreme(Function::Max2)),
    word("lowest", "lowest(x, n)", "Lowest of the last n bars, this one included.", Meaning::Alias("min")),
    word("highest", "highest(x, n)", "Highest of the last n bars, this one included.", Meaning::Alias("max")),
    word("if", "if(c, a, b)", "a where c is true, b where it is false.", Meaning::If),
    word("cross_over", "cross_over(a, b)", "a > b and a[1] <= b[1].", Meaning::Cross(true)),
    word("cross_under", "cross_under(a, b)", "a < b and a[1] >= b[1].", Meaning::Cross(false)),
    word("since", "since(c)", "Bars since c was last true; undefined before the first time.", Meaning::Since),
    word(
        "rank",
        "rank(x)",
        "1 for the symbol with the largest x, 2 for the next.",
        Meaning::CrossSection(CrossSection::Rank),
    ),
    word(
        "zscore",
        "zscore(x)",
        "Deviations from the mean over symbols; zscore(x, n): over n bars.",
        Meaning::CrossSection(CrossSection::ZScore),
    ),
    word("top", "top(x, k)", "Whether x is among the k largest over symbols.", Meaning::Top),
    word("count", "count(c)", "Number of symbols for which c is true.", Meaning::CrossSection(CrossSection::Count)),
    word(
        "minutes",
        "minutes(n, x)",
        "x on bars of n minutes from the open, as of the last completed one.",
        Meaning::Minutes,
    ),
    word("hourly", "hourly(x)", "minutes(60, x).", Meaning::Coarse(Period::Minutes(60))),
    word("daily", "daily(x)", "x on daily bars, as of the last completed session.", Meaning::Coarse(Period::Daily)),
    word("weekly", "weekly(x)", "x on weekly bars, as of the last completed week.", Meaning::Coarse(Period::Weekly)),
    word(
        "monthly",
        "monthly(x)",
        "x on monthly bars, as of the last completed month.",
        Meaning::Coarse(Period::Monthly),
    ),
    word(
        "quarterly",
        "quarterly(x)",
        "x on quarterly bars, as of the last completed quarter.",
        Meaning::Coarse(Period::Quarterly),
    ),
    word("month_end", "month_end", "Last scheduled session of a month.", Meaning::Calendar(CalendarFunction::MonthEnd)),
    word("month_start", "month_start", "First bar of a month.", Meaning::Calendar(CalendarFunction::MonthStart)),
    word("week_end", "week_end", "Last scheduled session of a week.", Meaning::Calendar(CalendarFunction::WeekEnd)),
    word("week_start", "week_start", "First bar of a week.", Meaning::Calendar(CalendarFunction::WeekStart)),
    word("weekday", "weekday", "0 = Monday to 6 = Sunday.", Meaning::Calendar(CalendarFunction::Weekday)),
    word("month", "month", "1 to 12.", Meaning::Calendar(CalendarFunction::Month)),
    word("day", "day", "Day of the month.", Meaning::Calendar(CalendarFunction::Day)),
    word("year", "year", "Civil year.", Meaning::Calendar(CalendarFunction::Year)),
    word(
        "session_start",
        "session_start",
        "First bar of a session.",
        Meaning::Calendar(CalendarFunction::SessionStart),
    ),
    word(
        "session_end",
        "session_end",
        "Bar that closes at the session's scheduled close.",
        Meaning::Calendar(CalendarFunction::SessionEnd),
    ),
    word(
        "minutes_since_open",
        "minutes_since_open",
        "Minutes from the scheduled open to the bar's close.",
        Meaning::Calendar(CalendarFunction::MinutesSinceOpen),
    ),
    word(
        "minutes_to_close",
        "minutes_to_close",
        "Minutes from the bar's close to the scheduled close.",
        Meaning::Calendar(CalendarFunction::MinutesToClose),
    ),
    word(
        "time_of_day",
        "time_of_day",
        "Minutes from local midnight to the bar's close.",
        Meaning::Calendar(CalendarFunction::TimeOfDay),
    ),
    word("n_symbols", "n_symbols", "Number of symbols of the run.", Meaning::SymbolCount),
    word(
        "entry_price",
        "entry_price",
        "Average entry price; undefined when flat.",
        Meaning::State(StateVar::EntryPrice),
    ),
    word("bars_held", "bars_held", "Bars since entry; undefined when flat.", Meaning::State(StateVar::BarsHeld)),
    word(
        "highest_since_entry",
        "highest_since_entry",
        "Highest high since entry.",
        Meaning::State(StateVar::HighestSinceEntry),
    ),
    word(
        "lowest_since_entry",
        "lowest_since_entry",
        "Lowest low since entry.",
        Meaning::State(StateVar::LowestSinceEntry),
    ),
    word("position", "position", "Units held, negative when short, 0 when flat.", Meaning::State(StateVar::Position)),
    word("and", "a and b", "Both.", Meaning::Keyword),
    word("or", "a or b", "At least one.", Meaning::Keyword),
    word("not", "not a", "The opposite.", Meaning::Keyword),
    word("true", "true", "Always.", Meaning::Keyword),
    word("false", "false", "Never.", Meaning::Keyword),
];

/// The built-in word with this name.
pub fn builtin(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// The word with this meaning.
pub(super) fn spelling(meaning: Meaning) -> &'static str {
    BUILTINS.iter().find(|builtin| builtin.meaning == meaning).map_or("?", |builtin| builtin.name)
}
