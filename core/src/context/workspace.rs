//! What one evaluation holds: values of nodes, and memory that goes from trial to trial.

use super::coded::{Coded, Table};
use super::condition::{Choice, Condition, Held, Side};
use super::panel::Panel;
use super::rule::Rule;
use crate::bundle::Field;
use crate::cache::Column;
use crate::num::NAN;
use crate::strategy::NodeId;

/// Memory that evaluation reuses from trial to trial.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(super) values: Vec<Option<Value>>,
    pub(super) uses: Vec<u32>,
    pub(super) stack: Vec<NodeId>,
    pub(super) pool: Vec<Vec<f64>>,
    pub(super) codes: Vec<Vec<u8>>,
    pub(super) conditions: Vec<Condition>,
}

impl Workspace {
    /// Buffers that it holds for later trials.
    pub fn buffers(&self) -> usize {
        self.pool.len() + self.codes.len() + self.conditions.len()
    }

    /// Takes back a rule's memory once its trial is over.
    pub fn recycle(&mut self, rule: Rule) {
        match rule {
            Rule::Own(column) => self.pool.push(column),
            Rule::Coded(column) => self.codes.push(column.codes),
            Rule::Choice(Choice { condition: Held::Own(condition), .. }) => self.conditions.push(condition),
            Rule::Code(code) => code.columns.into_iter().for_each(|column| self.recycle(column)),
            Rule::Scalar(_) | Rule::Shared(_) | Rule::Choice(_) => {}
        }
    }

    pub(super) fn buffer(&mut self, len: usize) -> Vec<f64> {
        let mut buffer = self.pool.pop().unwrap_or_default();
        buffer.clear();
        buffer.resize(len, NAN);
        buffer
    }

    /// Numbers for `len` rows, with whatever was left in them.
    pub(super) fn spare(&mut self, len: usize) -> Vec<f64> {
        // Fresh memory is zero already.
        let Some(mut buffer) = self.pool.pop() else { return vec![0.0; len] };
        buffer.resize(len, NAN);
        buffer
    }

    /// A column's values in memory of this workspace.
    pub(super) fn copy_of(&mut self, column: &[f64]) -> Vec<f64> {
        let mut buffer = self.pool.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(column);
        buffer
    }

    /// The same value once more. What it owns is copied into memory of this workspace: memory from elsewhere, given back
    /// trial after trial, would pile up here.
    pub(super) fn copy(&mut self, value: &Value) -> Value {
        match value {
            Value::Own(column) => Value::Own(self.copy_of(column)),
            Value::Coded(Coded { codes, table }) => {
                let mut copy = self.codes.pop().unwrap_or_default();
                copy.clone_from(codes);
                Value::Coded(Coded { codes: copy, table: *table })
            }
            Value::Choice(Choice { condition: Held::Own(condition), values }) => {
                let mut copy = self.conditions.pop().unwrap_or_default();
                copy.copy_from(condition);
                Value::Choice(Choice { condition: Held::Own(copy), values: *values })
            }
            shared => shared.clone(),
        }
    }

    /// Codes for `len` rows, with whatever was left in them.
    pub(super) fn code_buffer(&mut self, len: usize) -> Vec<u8> {
        let mut codes = self.codes.pop().unwrap_or_default();
        codes.resize(len, 0);
        codes
    }

    /// A condition over `rows` rows, false everywhere.
    pub(super) fn condition(&mut self, rows: usize) -> Condition {
        let mut condition = self.conditions.pop().unwrap_or_default();
        condition.reset(rows);
        condition
    }

    /// The value as codes, if it was a choice.
    pub(super) fn coded(&mut self, value: Value) -> Value {
        let Value::Choice(choice) = value else { return value };
        let mut codes = self.code_buffer(choice.rows());
        choice.codes(&mut codes);
        let table = Table::of(choice.values);
        self.give_back(Value::Choice(choice));
        Value::Coded(Coded { codes, table })
    }

    /// The value as numbers, if it was codes or a choice.
    pub(super) fn widen(&mut self, value: Value) -> Value {
        let out = match &value {
            Value::Choice(choice) => {
                let mut out = self.buffer(choice.rows());
                choice.widen(&mut out);
                out
            }
            Value::Coded(column) => {
                let mut out = self.buffer(column.codes.len());
                column.widen(&mut out);
                out
            }
            _ => return value,
        };
        self.give_back(value);
        Value::Own(out)
    }

    /// Takes back a value's memory.
    pub(super) fn give_back(&mut self, value: Value) {
        match value {
            Value::Own(buffer) => self.pool.push(buffer),
            Value::Coded(column) => self.codes.push(column.codes),
            Value::Choice(Choice { condition: Held::Own(condition), .. }) => self.conditions.push(condition),
            Value::Scalar(_) | Value::Field(_) | Value::Shared(_) | Value::Choice(_) => {}
        }
    }
}

/// The value of a node while a trial is evaluated.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(f64),
    Field(Field),
    Shared(Column),
    Own(Vec<f64>),
    /// What only light nodes take; others see it widened.
    Coded(Coded),
    /// The same of two values by a condition.
    Choice(Choice),
}

impl Value {
    /// Whether it has few distinct values, by conditions.
    pub(super) fn is_cases(&self) -> bool {
        matches!(self, Value::Coded(_) | Value::Choice(_))
    }

    /// The value at a row of numbers; codes are widened before.
    pub(super) fn at(&self, panel: &Panel, row: usize) -> f64 {
        match self {
            Value::Scalar(x) => *x,
            other => other.slice(panel).map_or(NAN, |column| column[row]),
        }
    }

    /// One side of an operation; codes are widened before.
    pub(super) fn side<'a>(&'a self, panel: &'a Panel) -> Side<'a> {
        match self {
            Value::Scalar(x) => Side::Scalar(*x),
            other => Side::Column(other.slice(panel).unwrap_or_default()),
        }
    }

    pub(super) fn slice<'a>(&'a self, panel: &'a Panel) -> Option<&'a [f64]> {
        match self {
            Value::Scalar(_) | Value::Coded(_) | Value::Choice(_) => None,
            Value::Field(field) => Some(panel.field(*field)),
            Value::Shared(column) => Some(column),
            Value::Own(column) => Some(column),
        }
    }
}

/// Operand values of one evaluation: moved out at their last use, copied before.
pub(super) struct Operands<'a> {
    pub values: &'a mut [Option<Value>],
    pub uses: &'a mut [u32],
}

impl Operands<'_> {
    pub(super) fn take(&mut self, id: NodeId, workspace: &mut Workspace) -> Value {
        let index = id.0 as usize;
        self.uses[index] = self.uses[index].saturating_sub(1);
        let value = match &self.values[index] {
            Some(value) if self.uses[index] > 0 => Some(workspace.copy(value)),
            _ => self.values[index].take(),
        };
        value.unwrap_or(Value::Scalar(NAN))
    }

    /// As [`Operands::take`], as numbers if it was codes or a choice.
    pub(super) fn take_wide(&mut self, id: NodeId, workspace: &mut Workspace) -> Value {
        let value = self.take(id, workspace);
        workspace.widen(value)
    }

    pub(super) fn scalar(&mut self, id: NodeId, workspace: &mut Workspace) -> f64 {
        if let Value::Scalar(x) = self.take(id, workspace) { x } else { NAN }
    }
}
