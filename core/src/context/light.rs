//! Element-wise operations over whole columns: arithmetic, comparison, logic, choice.
//!
//! Given operands' values, this gives the value of the operation, in the operands' memory where it can.

use super::coded::Coded;
use super::condition::{self, Choice, Condition, Held, Side};
use super::evaluate::Context;
use super::rule;
use super::workspace::{Operands, Value, Workspace};
use crate::num::NAN;
use crate::strategy::{Function, NodeId};

impl Context {
    pub(super) fn map(&self, a: Value, workspace: &mut Workspace, f: impl Fn(f64) -> f64) -> Value {
        match a {
            Value::Scalar(x) => Value::Scalar(f(x)),
            Value::Choice(choice) => Value::Choice(choice.map(f)),
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
            (a, b) => match (workspace.coded(a), workspace.coded(b)) {
                (Value::Coded(a), Value::Coded(b)) if a.fits(&b) => {
                    let (column, rest) = a.zip(b, f);
                    workspace.codes.push(rest);
                    Value::Coded(column)
                }
                (a, b) => {
                    let (a, b) = (workspace.widen(a), workspace.widen(b));
                    self.zip_numbers(a, b, workspace, f)
                }
            },
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
                let (condition, rest) = a.logic(b, op, || workspace.conditions.pop().unwrap_or_default());
                workspace.conditions.extend(rest);
                return Value::Choice(Choice::of(condition));
            }
            B::Lt | B::Le | B::Gt | B::Ge | B::Eq | B::Ne => {
                if let Some(column) = self.compare(op, &a, &b, workspace) {
                    workspace.give_back(a);
                    workspace.give_back(b);
                    return Value::Choice(Choice::of(Held::Own(column)));
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

    /// A comparison of which at least one side is a column of numbers.
    fn compare(
        &self,
        op: crate::strategy::BinaryOp,
        a: &Value,
        b: &Value,
        workspace: &mut Workspace,
    ) -> Option<Condition> {
        let side = |value: &Value| match value {
            Value::Scalar(y) => Some(*y),
            _ => None,
        };
        let (op, left, right) = match (a.slice(&self.panel), b.slice(&self.panel)) {
            (Some(a), Some(b)) => (op, a, Side::Column(b)),
            (Some(a), None) => (op, a, Side::Scalar(side(b)?)),
            (None, Some(b)) => (condition::mirrored(op), b, Side::Scalar(side(a)?)),
            (None, None) => return None,
        };
        let mut out = workspace.condition(left.len());
        let words = 0..out.truth().len();
        let both = out.words_mut(words.clone());
        Condition::compare(op, left, right, words, both);
        Some(out)
    }

    /// A value as the condition that it is when it is asked for its truth.
    pub(super) fn encode(&self, value: Value, workspace: &mut Workspace) -> Held {
        let mut out = match value {
            Value::Choice(choice) => return choice.into_condition(),
            _ => workspace.conditions.pop().unwrap_or_default(),
        };
        match &value {
            Value::Coded(column) => out.encode_codes(column),
            other => out.encode(other.slice(&self.panel).unwrap_or_default()),
        }
        workspace.give_back(value);
        Held::Own(out)
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
            (c, Value::Scalar(x), Value::Scalar(y)) => {
                Value::Choice(Choice::of(self.encode(c, workspace)).choose(x, y))
            }
            (c, Value::Scalar(x), b) if c.is_cases() && b.is_cases() => {
                self.zip(c, b, workspace, |c, y| rule::choose(c, x, y))
            }
            (c, a, Value::Scalar(y)) if c.is_cases() && a.is_cases() => {
                self.zip(c, a, workspace, |c, x| rule::choose(c, x, y))
            }
            (c, a, b) => {
                let condition = self.encode(c, workspace);
                let [a, b] = [a, b].map(|value| workspace.widen(value));
                let mut out = workspace.spare(self.panel.rows());
                condition.choose(a.side(&self.panel), b.side(&self.panel), &mut out);
                for value in [Value::Choice(Choice::of(condition)), a, b] {
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
        let first = list.first().map_or(Value::Scalar(NAN), |&a| operands.take(a, workspace));
        match list.get(1) {
            None => self.map(first, workspace, |x| function.apply(x, NAN)),
            Some(&second) => {
                let second = operands.take(second, workspace);
                self.zip(first, second, workspace, |x, y| function.apply(x, y))
            }
        }
    }
}
