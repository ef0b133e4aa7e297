//! Nodes back to text: one canonical spelling for each expression.
//!
//! Given a node, this gives text that parses to the same node. Named columns are written out; brackets stand only
//! where the precedence needs them; numbers are the shortest that mean the same float.

use super::builtins::{Meaning, spelling};
use super::lexer::clip;
use super::parser::{NEGATION, NOT, POSTFIX, POWER};
use super::{BinaryOp, Function, Kind, Node, NodeId, ParamDecl, Period, Program};
use crate::indicators::{Input, REGISTRY};

impl Program {
    /// The canonical text of a node: equal expressions print equally, different ones differently, and the text
    /// parses to the same node.
    ///
    /// With a `point`, parameters are printed as their values and scalar arithmetic as its result (unless it depends
    /// on the number of symbols or is not finite), so that two points which mean the same column give the same text:
    /// a key for columns.
    pub fn display(&self, node: NodeId, point: Option<&[f64]>, params: &[ParamDecl]) -> String {
        let mut printer = Printer { program: self, point, params, text: String::new() };
        printer.node(node, 0);
        printer.text
    }
}

struct Printer<'a> {
    program: &'a Program,
    point: Option<&'a [f64]>,
    params: &'a [ParamDecl],
    text: String,
}

impl Printer<'_> {
    /// Prints a node where an operator of precedence `least` or tighter is expected.
    fn node(&mut self, id: NodeId, least: u8) {
        if let Some(value) = self.bound(id) {
            return self.value(value, self.program.node_type(id).kind, least);
        }
        // Nodes live in the program, not in the printer.
        let program = self.program;
        match program.node(id) {
            Node::Number(value) => self.value(*value, Kind::Float, least),
            Node::Flag(flag) => self.value(f64::from(u8::from(*flag)), Kind::Bool, least),
            Node::Param(index) => match self.params.get(*index as usize) {
                Some(param) => self.text.push_str(&param.name),
                None => self.text.push_str(&format!("parameter_{index}")),
            },
            Node::SymbolCount => self.text.push_str(spelling(Meaning::SymbolCount)),
            Node::Field(field) => self.text.push_str(field.name()),
            Node::ForeignField { symbol, field } => {
                self.text.push_str(&format!(
                    "\"{}\".{}",
                    symbol.replace('\\', "\\\\").replace('"', "\\\""),
                    field.name()
                ));
            }
            Node::Lag { node, bars } => {
                self.node(*node, POSTFIX);
                self.text.push('[');
                self.node(*bars, 0);
                self.text.push(']');
            }
            Node::Not(operand) => self.bracketed(NOT < least, |printer| {
                printer.text.push_str("not ");
                printer.node(*operand, NOT);
            }),
            Node::Neg(operand) => self.bracketed(NEGATION < least, |printer| {
                printer.text.push('-');
                printer.node(*operand, NEGATION);
            }),
            Node::Binary(op, a, b) => self.binary(*op, *a, *b, least),
            Node::If(condition, a, b) => self.call(spelling(Meaning::If), &[*condition, *a, *b]),
            Node::Function(function @ (Function::Min2 | Function::Max2), operands) => {
                self.call(spelling(Meaning::Extreme(*function)), operands);
            }
            Node::Function(function, operands) => self.call(spelling(Meaning::Function(*function)), operands),
            Node::Since(condition) => self.call(spelling(Meaning::Since), &[*condition]),
            Node::Indicator { index, inputs, params, output } => self.indicator(*index, inputs, params, *output),
            Node::CrossSection(function, operand) => self.call(spelling(Meaning::CrossSection(*function)), &[*operand]),
            Node::Top { rank, count } => {
                let ranked = if let Node::CrossSection(_, operand) = self.program.node(*rank) { operand } else { rank };
                self.call(spelling(Meaning::Top), &[*ranked, *count]);
            }
            Node::Coarse(Period::Minutes(minutes), operand) if *minutes != 60 => {
                self.text.push_str(&format!("{}({minutes}, ", spelling(Meaning::Minutes)));
                self.node(*operand, 0);
                self.text.push(')');
            }
            Node::Coarse(period, operand) => self.call(spelling(Meaning::Coarse(*period)), &[*operand]),
            Node::Calendar(function) => self.text.push_str(spelling(Meaning::Calendar(*function))),
            Node::State(variable) => self.text.push_str(spelling(Meaning::State(*variable))),
        }
    }

    /// The value of a scalar at the point, if there is a point.
    fn bound(&self, id: NodeId) -> Option<f64> {
        let point = self.point?;
        if !self.program.node_type(id).scalar {
            return None;
        }
        self.program.scalar_value(id, point, None).filter(|value| value.is_finite())
    }

    fn value(&mut self, value: f64, kind: Kind, least: u8) {
        match kind {
            Kind::Bool => self.text.push_str(if value == 0.0 { "false" } else { "true" }),
            Kind::Float => {
                let brackets = value.is_sign_negative() && NEGATION < least;
                self.bracketed(brackets, |printer| printer.text.push_str(&shortest(value)));
            }
        }
    }

    fn bracketed(&mut self, brackets: bool, print: impl FnOnce(&mut Self)) {
        if brackets {
            self.text.push('(');
        }
        print(self);
        if brackets {
            self.text.push(')');
        }
    }

    fn binary(&mut self, op: BinaryOp, a: NodeId, b: NodeId, least: u8) {
        let own = op.precedence();
        // Powers group to the right, comparisons not at all, everything else to the left.
        let (left, right) = match op {
            BinaryOp::Pow => (POWER + 1, NEGATION),
            _ if op.result() == Kind::Bool && !matches!(op, BinaryOp::And | BinaryOp::Or) => (own + 1, own + 1),
            _ => (own, own + 1),
        };
        self.bracketed(own < least, |printer| {
            printer.node(a, left);
            printer.text.push_str(&format!(" {} ", op.sign()));
            printer.node(b, right);
        });
    }

    fn call(&mut self, name: &str, operands: &[NodeId]) {
        self.text.push_str(name);
        self.text.push('(');
        for (index, operand) in operands.iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.node(*operand, 0);
        }
        self.text.push(')');
    }

    fn indicator(&mut self, index: u16, inputs: &[NodeId], params: &[NodeId], output: u8) {
        let Some(indicator) = REGISTRY.get(usize::from(index)) else {
            return self.call(&format!("indicator_{index}"), inputs);
        };
        let written = indicator.inputs.iter().zip(inputs).filter(|(input, _)| matches!(input, Input::Real(_)));
        let operands: Vec<NodeId> = written.map(|(_, id)| *id).chain(params.iter().copied()).collect();
        self.call(indicator.name, &operands);
        if let (false, Some(name)) = (indicator.outputs.len() == 1, indicator.outputs.get(usize::from(output))) {
            self.text.push('.');
            self.text.push_str(name);
        }
    }
}

/// The shortest decimal that reads as the same float, without an exponent for whole numbers of everyday size.
fn shortest(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value}") } else { format!("{value:?}") }
}

impl super::Strategy {
    /// A node in at most some 60 characters, for tables and messages.
    pub fn short_display(&self, node: NodeId) -> String {
        clip(&self.program.display(node, None, &self.params))
    }
}
