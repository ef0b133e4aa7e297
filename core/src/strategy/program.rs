//! The checked form of a strategy's expressions: a graph of typed nodes in evaluation order.

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
    /// `a ^ b`: power.
    Pow,
    /// `a < b`
    Lt,
    /// `a <= b`
    Le,
    /// `a > b`
    Gt,
    /// `a >= b`
    Ge,
    /// `a == b`
    Eq,
    /// `a != b`
    Ne,
    /// `a and b`
    And,
    /// `a or b`
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
    /// Smaller of two values.
    Min2,
    /// Larger of two values.
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
    /// `top(x, k)`: true for the `k` largest defined values.
    Top,
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
}

/// Coarser bars that an expression can be evaluated on; only completed ones are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// ISO weeks.
    Weekly,
    /// Civil months.
    Monthly,
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
    /// A price or volume of another symbol, as of this bar (its last bar at or before this timestamp).
    ForeignField {
        /// The other symbol's name.
        symbol: String,
        /// Its column.
        field: Field,
    },
    /// The operand some bars of this symbol ago; `bars` is a scalar node, a whole number ≥ 0.
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
        /// Operand columns, one for each of the indicator's `inputs`.
        inputs: Vec<NodeId>,
        /// Scalar parameters, one for each of the indicator's `params`.
        params: Vec<NodeId>,
        /// Which output.
        output: u8,
    },
    /// Function over the universe; `Top` has a second, scalar operand.
    CrossSection(CrossSection, Vec<NodeId>),
    /// The operand evaluated on coarser bars.
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
