//! The checked form of a strategy's expressions: a graph of typed nodes in evaluation order.
//!
//! Undefined is NaN, for numbers and for truth values. Every element-wise operation but `if` and `defined` is
//! undefined where one of its operands is, `and` and `or` included: while an indicator of a rule is warming up, the
//! whole rule is undefined, and an undefined rule is not acted upon. What one operation does to one bar is written
//! once, in `BinaryOp::apply` and `Function::apply` (`arithmetic.rs`).

use crate::bundle::Field;

/// Index of a node in [`Program::nodes`]; a node's operands always have smaller indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// Arithmetic, comparison and logic of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BinaryOp {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`; undefined where `b` is 0.
    Div,
    /// `a % b`: remainder with the sign of `b` (floored); undefined where `b` is 0.
    Rem,
    /// `a ^ b`: power, by [`crate::num::pow`].
    Pow,
    /// `a < b`
    Lt,
    /// `a <= b`
    Le,
    /// `a > b`
    Gt,
    /// `a >= b`
    Ge,
    /// `a == b`, of two numbers or two truth values.
    Eq,
    /// `a != b`
    Ne,
    /// `a and b`; undefined where either is.
    And,
    /// `a or b`; undefined where either is.
    Or,
}

/// Element-wise functions of one or more numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Absolute value.
    Abs,
    /// Square root; undefined below 0.
    Sqrt,
    /// Natural exponential.
    Exp,
    /// Natural logarithm; undefined at and below 0.
    Log,
    /// −1, 0 or 1.
    Sign,
    /// Largest integer not above.
    Floor,
    /// Smallest integer not below.
    Ceil,
    /// Nearest integer, halves away from zero.
    Round,
    /// Smaller of two values. A scalar operand comes first (the checker orders them).
    Min2,
    /// Larger of two values. A scalar operand comes first (the checker orders them).
    Max2,
    /// 1 (true) where the operand is defined: the only function that never is undefined itself.
    Defined,
}

/// Functions over all symbols that have a bar at the same timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrossSection {
    /// 1 for the largest defined value, 2 for the next …; ties go to the earlier symbol.
    Rank,
    /// (value − mean) / standard deviation (ddof 0) over the defined values; undefined where the deviation is 0.
    ZScore,
    /// Number of symbols for which the condition is true; the same for every symbol.
    Count,
}

/// What the calendar says of a bar. All are known in advance from the exchange's schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CalendarFunction {
    /// Bar of the last scheduled session of a month (bool).
    MonthEnd,
    /// First bar of a month on the symbol's record (bool).
    MonthStart,
    /// Bar of the last scheduled session of a week (bool).
    WeekEnd,
    /// First bar of a week (bool).
    WeekStart,
    /// 0 = Monday … 6 = Sunday.
    Weekday,
    /// 1 … 12.
    Month,
    /// Day of the month, 1 … 31.
    Day,
    /// Civil year.
    Year,
    /// First bar of a session on the symbol's record (bool).
    SessionStart,
    /// Bar that closes at the scheduled close of its session (bool).
    SessionEnd,
    /// Minutes from the scheduled open to the bar's close, negative before the open.
    MinutesSinceOpen,
    /// Minutes from the bar's close to the scheduled close, negative after it.
    MinutesToClose,
    /// Minutes from local midnight to the bar's close, above 0 and up to 1440.
    TimeOfDay,
}

impl CalendarFunction {
    /// Whether it says something only of bars shorter than a session.
    pub fn needs_intraday(self) -> bool {
        use CalendarFunction::{MinutesSinceOpen, MinutesToClose, TimeOfDay};
        matches!(self, MinutesSinceOpen | MinutesToClose | TimeOfDay)
    }
}

/// Coarser bars that an expression can be evaluated on; only completed ones are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// So many minutes (1 to 1440), counted from the scheduled open; the last of a session ends at the scheduled close.
    Minutes(u16),
    /// Sessions.
    Daily,
    /// ISO weeks.
    Weekly,
    /// Civil months.
    Monthly,
    /// Quarters of the civil year.
    Quarterly,
}

/// What a rule may know of the symbol's own position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateVar {
    /// Average entry price of the open position; undefined when flat.
    EntryPrice,
    /// Bars of this symbol since the position was opened (0 at the bar of the fill); undefined when flat.
    BarsHeld,
    /// Highest high since entry, the entry bar included; undefined when flat.
    HighestSinceEntry,
    /// Lowest low since entry, the entry bar included; undefined when flat.
    LowestSinceEntry,
    /// Signed units held, 0 when flat.
    Position,
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// The strategy's parameter with this index in [`super::Strategy::params`].
    Param(u32),
    /// `n_symbols`: number of symbols of the run's universe.
    SymbolCount,
    /// A price or volume of the symbol itself.
    Field(Field),
    /// A price or volume of another symbol, as of this bar (its last bar at or before this timestamp). Inside
    /// [`Node::Coarse`] it is the other symbol's coarse field, as of the coarse bar.
    ForeignField {
        /// The other symbol's name.
        symbol: String,
        /// Its column.
        field: Field,
    },
    /// The operand some bars of this symbol ago; `bars` is a scalar node, a whole number ≥ 0 at every point that
    /// [`super::Strategy::check_point`] accepts.
    Lag {
        /// What is looked back at.
        node: NodeId,
        /// How far.
        bars: NodeId,
    },
    /// Logical not.
    Not(NodeId),
    /// Minus.
    Neg(NodeId),
    /// Two operands.
    Binary(BinaryOp, NodeId, NodeId),
    /// `if(condition, a, b)`: undefined where the condition is, otherwise the branch taken.
    If(NodeId, NodeId, NodeId),
    /// Element-wise function.
    Function(Function, Vec<NodeId>),
    /// Bars since the condition was last true (0 on such a bar); undefined before the first.
    Since(NodeId),
    /// An indicator of the registry.
    Indicator {
        /// Index into [`crate::indicators::REGISTRY`].
        index: u16,
        /// Operand columns, one for each of the indicator's `inputs` (a [`Node::Field`] for an implied one).
        inputs: Vec<NodeId>,
        /// Scalar parameters, one for each of the indicator's `params`; inside their ranges at every point that
        /// [`super::Strategy::check_point`] accepts.
        params: Vec<NodeId>,
        /// Which output.
        output: u8,
    },
    /// Function over the universe.
    CrossSection(CrossSection, NodeId),
    /// `top(x, k)`: whether a symbol is among the `k` largest, by its rank, which all `k` share.
    Top {
        /// [`CrossSection::Rank`] of the operand.
        rank: NodeId,
        /// Scalar: a whole number, at least 1.
        count: NodeId,
    },
    /// The operand evaluated on coarser bars (first open, highest high, lowest low, last close, sum of volumes), as
    /// of the last completed one. No other coarse node, calendar function or cross-section is inside.
    Coarse(Period, NodeId),
    /// What the calendar says.
    Calendar(CalendarFunction),
    /// What the position says.
    State(StateVar),
}

/// Number or truth value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number; NaN where undefined.
    Float,
    /// A truth value, stored as 1.0, 0.0, or NaN where undefined.
    Bool,
}

/// What is known of a node before any data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeType {
    /// Number or truth value.
    pub kind: Kind,
    /// Whether it is one value for the whole run (numbers, parameters and arithmetic of them).
    pub scalar: bool,
    /// Whether it depends on the position, so that it cannot be computed before the simulation.
    pub stateful: bool,
}

impl Node {
    /// Calls `visit` for each operand, in the order in which they are written.
    pub fn for_each_operand(&self, mut visit: impl FnMut(NodeId)) {
        match self {
            Node::Number(_)
            | Node::Flag(_)
            | Node::Param(_)
            | Node::SymbolCount
            | Node::Field(_)
            | Node::ForeignField { .. }
            | Node::Calendar(_)
            | Node::State(_) => {}
            Node::Lag { node, bars } => [*node, *bars].into_iter().for_each(visit),
            Node::Not(a) | Node::Neg(a) | Node::Since(a) | Node::Coarse(_, a) | Node::CrossSection(_, a) => visit(*a),
            Node::Binary(_, a, b) | Node::Top { rank: a, count: b } => [*a, *b].into_iter().for_each(visit),
            Node::If(c, a, b) => [*c, *a, *b].into_iter().for_each(visit),
            Node::Function(_, operands) => operands.iter().copied().for_each(visit),
            Node::Indicator { inputs, params, .. } => inputs.iter().chain(params).copied().for_each(visit),
        }
    }

    /// What is compared how, where that is all the node does.
    pub fn comparison(&self) -> Option<(BinaryOp, NodeId, NodeId)> {
        use BinaryOp::{Eq, Ge, Gt, Le, Lt, Ne};
        match *self {
            Node::Binary(op @ (Lt | Le | Gt | Ge | Eq | Ne), a, b) => Some((op, a, b)),
            Node::Top { rank, count } => Some((Le, rank, count)),
            _ => None,
        }
    }
}

/// All expressions of one strategy. Equal expressions are one node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// Operations, operands before users.
    pub nodes: Vec<Node>,
    /// Types, parallel to `nodes`.
    pub types: Vec<NodeType>,
}

impl Program {
    /// One node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Its type.
    pub fn node_type(&self, id: NodeId) -> NodeType {
        self.types[id.0 as usize]
    }
}
