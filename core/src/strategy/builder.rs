//! Nodes into a [`Program`], equal ones once.
//!
//! Given operations over nodes that it has, this gives nodes with types. It never knows names or text.

use std::collections::BTreeMap;

use super::parser::MAX_DEPTH;
use super::{BinaryOp, Domain, Kind, Node, NodeId, NodeType, ParamDecl, Program};

/// Nodes of one expression with all named columns written out: bounds its printed form.
const LARGEST_EXPRESSION: u32 = 10_000;

/// What is known of a node besides its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits {
    /// Nodes of the expression, shared ones counted each time.
    size: u32,
    /// Levels of the expression.
    depth: u32,
    /// Whether it is a whole number at every point of the declared domains.
    pub whole: bool,
    /// What in it cannot be evaluated on coarser bars.
    pub not_coarse: Option<&'static str>,
}

/// A program under construction.
#[derive(Default)]
pub(super) struct Builder {
    program: Program,
    traits: Vec<Traits>,
    /// Nodes by their printed structure, in which operands are numbers of nodes and floats are exact.
    known: BTreeMap<String, NodeId>,
}

impl Builder {
    pub fn program(&self) -> &Program {
        &self.program
    }

    pub fn finish(self) -> Program {
        self.program
    }

    pub fn node_type(&self, id: NodeId) -> NodeType {
        self.program.node_type(id)
    }

    pub fn traits(&self, id: NodeId) -> Traits {
        self.traits[id.0 as usize]
    }

    /// A node; `params` are those that [`Node::Param`] counts. The error is the sentence for an expression that is
    /// too large.
    pub fn add(&mut self, node: Node, params: &[(ParamDecl, Kind)]) -> Result<NodeId, String> {
        let node = self.normal(node);
        let key = format!("{node:?}");
        if let Some(&id) = self.known.get(&key) {
            return Ok(id);
        }
        let (node_type, traits) = (self.type_of(&node, params), self.traits_of(&node, params));
        if traits.size > LARGEST_EXPRESSION {
            return Err(format!(
                "with its named columns written out, this has more than {LARGEST_EXPRESSION} operations"
            ));
        }
        if traits.depth > MAX_DEPTH {
            return Err(format!(
                "with its named columns written out, this is nested more than {MAX_DEPTH} levels deep"
            ));
        }
        let index =
            u32::try_from(self.program.nodes.len()).map_err(|_| "this strategy has too many operations".to_owned())?;
        self.program.nodes.push(node);
        self.program.types.push(node_type);
        self.traits.push(traits);
        self.known.insert(key, NodeId(index));
        Ok(NodeId(index))
    }

    /// The form of a node in which equal meanings are equal: a negated number is a number, a scalar operand of a
    /// smaller or larger value comes first.
    fn normal(&self, node: Node) -> Node {
        match node {
            Node::Neg(a) => match self.program.node(a) {
                Node::Number(value) => Node::Number(-value),
                _ => node,
            },
            Node::Function(function, operands) if operands.len() == 2 => {
                let scalar = |at: usize| self.node_type(operands[at]).scalar;
                let swap = scalar(1) && !scalar(0);
                Node::Function(function, if swap { vec![operands[1], operands[0]] } else { operands })
            }
            _ => node,
        }
    }

    fn type_of(&self, node: &Node, params: &[(ParamDecl, Kind)]) -> NodeType {
        let (mut scalar, mut stateful) = (true, false);
        node.for_each_operand(|id| {
            scalar &= self.node_type(id).scalar;
            stateful |= self.node_type(id).stateful;
        });
        let kind_of = |id: NodeId| self.node_type(id).kind;
        let kind = match node {
            Node::Flag(_) | Node::Not(_) => Kind::Bool,
            Node::Param(index) => params.get(*index as usize).map_or(Kind::Float, |(_, kind)| *kind),
            Node::Lag { node, .. } | Node::Coarse(_, node) => kind_of(*node),
            Node::Binary(op, ..) => op.result(),
            Node::If(_, a, _) => kind_of(*a),
            Node::Function(super::Function::Defined, _) => Kind::Bool,
            Node::Top { .. } => Kind::Bool,
            Node::Calendar(function) => function.kind(),
            _ => Kind::Float,
        };
        match node {
            Node::Field(_) | Node::ForeignField { .. } | Node::Calendar(_) => scalar = false,
            Node::Lag { .. } | Node::Since(_) | Node::Indicator { .. } => scalar = false,
            Node::CrossSection(..) | Node::Coarse(..) => scalar = false,
            Node::State(_) => (scalar, stateful) = (false, true),
            _ => {}
        }
        NodeType { kind, scalar, stateful }
    }

    fn traits_of(&self, node: &Node, params: &[(ParamDecl, Kind)]) -> Traits {
        let mut traits = Traits { size: 1, depth: 0, whole: false, not_coarse: None };
        node.for_each_operand(|id| {
            let operand = self.traits(id);
            traits.size = traits.size.saturating_add(operand.size);
            traits.depth = traits.depth.max(operand.depth);
            traits.not_coarse = traits.not_coarse.or(operand.not_coarse);
        });
        traits.depth += 1;
        traits.whole = self.is_whole(node, params);
        match node {
            Node::Calendar(_) => traits.not_coarse = Some("a calendar function"),
            Node::CrossSection(..) => traits.not_coarse = Some("a function over all symbols"),
            Node::Coarse(..) => traits.not_coarse = Some("other longer bars"),
            _ => {}
        }
        traits
    }

    fn is_whole(&self, node: &Node, params: &[(ParamDecl, Kind)]) -> bool {
        use super::Function::{Abs, Ceil, Floor, Max2, Min2, Round, Sign};
        let whole = |id: &NodeId| self.traits(*id).whole;
        match node {
            Node::Number(value) => value.fract() == 0.0,
            Node::SymbolCount => true,
            Node::Param(index) => params.get(*index as usize).is_some_and(|(param, _)| param.domain.is_whole()),
            Node::Neg(a) => whole(a),
            Node::Binary(BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Rem, a, b) => whole(a) && whole(b),
            Node::If(_, a, b) => whole(a) && whole(b),
            Node::Function(Floor | Ceil | Round | Sign, _) => true,
            Node::Function(Abs | Min2 | Max2, operands) => operands.iter().all(whole),
            _ => false,
        }
    }
}

impl BinaryOp {
    /// Whether the result is a number or a truth value.
    pub(super) fn result(self) -> Kind {
        match self {
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem | BinaryOp::Pow => {
                Kind::Float
            }
            _ => Kind::Bool,
        }
    }
}

impl super::CalendarFunction {
    fn kind(self) -> Kind {
        use super::CalendarFunction::{MonthEnd, MonthStart, SessionEnd, SessionStart, WeekEnd, WeekStart};
        let condition = matches!(self, MonthEnd | MonthStart | WeekEnd | WeekStart | SessionStart | SessionEnd);
        if condition { Kind::Bool } else { Kind::Float }
    }
}

impl Domain {
    /// Whether all values are whole numbers.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Domain::Int { .. } => true,
            Domain::Float { min, step, .. } => min.fract() == 0.0 && step.is_some_and(|step| step.fract() == 0.0),
            Domain::Choice { values } => values.iter().all(|value| value.fract() == 0.0),
            Domain::Bool => false,
        }
    }
}
