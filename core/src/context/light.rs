//! Element-wise operations over whole columns: arithmetic, comparison, logic, choice.
//!
//! Given operands' values, this gives the value of the operation, in the operands' memory where it can.

use super::coded::{self, Coded, Side, Table};
use super::evaluate::Context;
use super::rule;
use super::workspace::{Operands, Value, Workspace};
use crate::num::NAN;
use crate::strategy::{Function, NodeId};

impl Context {
    pub(super) fn map(&self, a: Value, workspace: &mut Workspace, f: impl Fn(f64) -> f64) -> Value {
        match a {
            Value::Scalar(x) => Value::Scalar(f(x)),
            Value::Coded(Coded { codes, table }) => Value::Coded(Coded { codes, table: table.map(f) }),
            Value::Own(mut column) => {
                column.iter_mut().for_each(|x| *x = f(*x));
                Value::Own(column)
            }
            other => {
                let source = other.slice(&self.panel).unwrap_or_default();
                let mut column = workspace.buffer(source.len());
                column.iter_mut().zip(source).for_each(|(y, x)| *y = f(*x));
                Value::Own(column)
            }
        }
    }

    /// `f` of two values; each shape has its own loop, so that the compiler can vectorise it.
    #[inline(always)]
    pub(super) fn zip(&self, a: Value, b: Value, workspace: &mut Workspace, f: impl Fn(f64, f64) -> f64) -> Value {
        match (a, b) {
            (Value::Scalar(x), Value::Scalar(y)) => Value::Scalar(f(x, y)),
            (Value::Scalar(x), b) => self.map(b, workspace, |y| f(x, y)),
            (a, Value::Scalar(y)) => self.map(a, workspace, |x| f(x, y)),
            (Value::Coded(a), Value::Coded(b)) if a.fits(&b) => {
                let (column, rest) = a.zip(b, f);
                workspace.codes.push(rest);
                Value::Coded(column)
            }
            (a, b) => {
                let (a, b) = (workspace.widen(a), workspace.widen(b));
                self.zip_numbers(a, b, workspace, f)
            }
        }
    }

    /// The same of two columns of numbers.
    #[inline(always)]
    pub(super) fn zip_numbers(
        &self,
        a: Value,
        b: Value,
        workspace: &mut Workspace,
        f: impl Fn(f64, f64) -> f64,
    ) -> Value {
        match (a, b) {
            (Value::Own(mut column), b) => {
                let other = b.slice(&self.panel).unwrap_or_default();
                column.iter_mut().zip(other).for_each(|(x, y)| *x = f(*x, *y));
                if let Value::Own(buffer) = b {
                    workspace.pool.push(buffer);
                }
                Value::Own(column)
            }
            (a, Value::Own(mut column)) => {
                let other = a.slice(&self.panel).unwrap_or_default();
                column.iter_mut().zip(other).for_each(|(y, x)| *y = f(*x, *y));
                Value::Own(column)
            }
            (a, b) => {
                let (x, y) = (a.slice(&self.panel).unwrap_or_default(), b.slice(&self.panel).unwrap_or_default());
                let mut column = workspace.buffer(x.len());
                column.iter_mut().zip(x.iter().zip(y)).for_each(|(z, (x, y))| *z = f(*x, *y));
                Value::Own(column)
            }
        }
    }

    pub(super) fn binary(&self, op: crate::strategy::BinaryOp, a: Value, b: Value, workspace: &mut Workspace) -> Value {
        use crate::strategy::BinaryOp as B;
        let scalar = matches!(a, Value::Scalar(_)) || matches!(b, Value::Scalar(_));
        match op {
            B::And | B::Or if !scalar => {
                let (a, b) = (self.encode(a, workspace), self.encode(b, workspace));
                let (column, rest) = a.logic(b, op);
                workspace.codes.push(rest);
                return Value::Coded(column);
            }
            B::Lt | B::Le | B::Gt | B::Ge | B::Eq | B::Ne => {
                if let Some(column) = self.compare(op, &a, &b, workspace) {
                    workspace.give_back(a);
                    workspace.give_back(b);
                    return Value::Coded(column);
                }
            }
            _ => {}
        }
        macro_rules! each {
            ($($op:ident),*) => {
                match op { $(B::$op => self.zip(a, b, workspace, |x, y| B::$op.apply(x, y)),)* }
            };
        }
        each!(Add, Sub, Mul, Div, Rem, Pow, Lt, Le, Gt, Ge, Eq, Ne, And, Or)
    }

    /// A comparison of columns of numbers, or of one with a scalar on the right.
    pub(super) fn compare(
        &self,
        op: crate::strategy::BinaryOp,
        a: &Value,
        b: &Value,
        workspace: &mut Workspace,
    ) -> Option<Coded> {
        let left = a.slice(&self.panel)?;
        let right = match b {
            Value::Scalar(y) => Side::Scalar(*y),
            b => Side::Column(b.slice(&self.panel)?),
        };
        let mut codes = workspace.code_buffer(left.len());
        coded::compare(op, left, right, &mut codes);
        Some(Coded { codes, table: Table::TRUTH })
    }

    /// A condition as codes of truth values.
    pub(super) fn encode(&self, value: Value, workspace: &mut Workspace) -> Coded {
        if let Value::Coded(column) = value {
            return column;
        }
        let column = value.slice(&self.panel).unwrap_or_default();
        let mut codes = workspace.code_buffer(column.len());
        coded::encode(column, &mut codes);
        workspace.give_back(value);
        Coded { codes, table: Table::TRUTH }
    }

    pub(super) fn choose(&self, c: Value, a: Value, b: Value, workspace: &mut Workspace) -> Value {
        match (c, a, b) {
            (Value::Scalar(c), a, b) => {
                let (taken, left) = if c.is_nan() {
                    (Value::Scalar(NAN), None)
                } else if c != 0.0 {
                    (a, Some(b))
                } else {
                    (b, Some(a))
                };
                if let Some(left) = left {
                    workspace.give_back(left);
                }
                taken
            }
            (c, Value::Scalar(x), Value::Scalar(y)) => Value::Coded(self.encode(c, workspace).choose(x, y)),
            (Value::Coded(c), Value::Scalar(x), Value::Coded(b)) => {
                self.zip(Value::Coded(c), Value::Coded(b), workspace, |c, y| rule::choose(c, x, y))
            }
            (Value::Coded(c), Value::Coded(a), Value::Scalar(y)) => {
                self.zip(Value::Coded(c), Value::Coded(a), workspace, |c, x| rule::choose(c, x, y))
            }
            (c, a, b) => {
                let [c, a, b] = [c, a, b].map(|value| workspace.widen(value));
                let panel = &*self.panel;
                let mut out = workspace.buffer(panel.rows());
                let condition = c.slice(panel).unwrap_or_default();
                let (x, y) = (a.slice(panel), b.slice(panel));
                let fixed = |value: &Value| if let Value::Scalar(x) = value { *x } else { NAN };
                let (fixed_x, fixed_y) = (fixed(&a), fixed(&b));
                for (row, (out, c)) in out.iter_mut().zip(condition).enumerate() {
                    *out = rule::choose(*c, x.map_or(fixed_x, |x| x[row]), y.map_or(fixed_y, |y| y[row]));
                }
                for value in [c, a, b] {
                    workspace.give_back(value);
                }
                Value::Own(out)
            }
        }
    }

    pub(super) fn function(
        &self,
        function: Function,
        list: &[NodeId],
        operands: &mut Operands,
        workspace: &mut Workspace,
    ) -> Value {
        let first = list.first().map_or(Value::Scalar(NAN), |&a| operands.take(a));
        match list.get(1) {
            None => self.map(first, workspace, |x| function.apply(x, NAN)),
            Some(&second) => {
                let second = operands.take(second);
                self.zip(first, second, workspace, |x, y| function.apply(x, y))
            }
        }
    }
}
