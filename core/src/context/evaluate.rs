//! Evaluation of a program's columns over a panel.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::coded::{self, Coded, Side, Table};
use super::panel::Panel;
use super::rule::{self, Code, Rule, Step};
use crate::bundle::Field;
use crate::cache::{Column, History};
use crate::calendar;
use crate::indicators::{self, REGISTRY};
use crate::num::{self, NAN};
use crate::strategy::{CalendarFunction, CrossSection, Function, Node, NodeId, Period, Strategy};

/// A panel with a cache for the columns computed over it. Shared by all trials, threads and runs.
#[derive(Debug)]
pub struct Context {
    /// The bars.
    pub panel: Arc<Panel>,
    /// Names the panel in cache keys: equal only for equal bars.
    id: String,
    history: Arc<History>,
    weekly: OnceLock<Box<Coarse>>,
    monthly: OnceLock<Box<Coarse>>,
    week_starts: OnceLock<Column>,
    month_starts: OnceLock<Column>,
}

#[derive(Debug)]
struct Coarse {
    context: Context,
    completed: Vec<u32>,
}

/// A heavy node with the values of the parameters that it depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BoundColumn {
    node: NodeId,
    /// Bits of the parameter values, in ascending order of the parameters.
    values: Vec<u64>,
}

/// Columns computed for a batch of trials.
#[derive(Clone, Debug, Default)]
pub struct Prepared(BTreeMap<BoundColumn, Column>);

impl Prepared {
    /// Adds a column that [`Context::compute`] gave.
    pub fn insert(&mut self, wanted: BoundColumn, column: Column) {
        self.0.insert(wanted, column);
    }

    /// Number of distinct columns.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Memory that evaluation reuses from trial to trial.
#[derive(Debug, Default)]
pub struct Workspace {
    values: Vec<Option<Value>>,
    uses: Vec<u32>,
    stack: Vec<NodeId>,
    pool: Vec<Vec<f64>>,
    codes: Vec<Vec<u8>>,
}

impl Workspace {
    /// Takes back a rule's memory once its trial is over.
    pub fn recycle(&mut self, rule: Rule) {
        match rule {
            Rule::Own(column) => self.pool.push(column),
            Rule::Coded(column) => self.codes.push(column.codes),
            Rule::Code(code) => code.columns.into_iter().for_each(|column| self.recycle(column)),
            Rule::Scalar(_) | Rule::Shared(_) => {}
        }
    }

    fn buffer(&mut self, len: usize) -> Vec<f64> {
        let mut buffer = self.pool.pop().unwrap_or_default();
        buffer.clear();
        buffer.resize(len, NAN);
        buffer
    }

    /// Codes for `len` rows, with whatever was left in them.
    fn code_buffer(&mut self, len: usize) -> Vec<u8> {
        let mut codes = self.codes.pop().unwrap_or_default();
        codes.resize(len, 0);
        codes
    }

    /// The value as numbers, if it was codes.
    fn widen(&mut self, value: Value) -> Value {
        let Value::Coded(column) = value else { return value };
        let mut out = self.buffer(column.codes.len());
        column.widen(&mut out);
        self.codes.push(column.codes);
        Value::Own(out)
    }

    /// Takes back a value's memory.
    fn give_back(&mut self, value: Value) {
        match value {
            Value::Own(buffer) => self.pool.push(buffer),
            Value::Coded(column) => self.codes.push(column.codes),
            Value::Scalar(_) | Value::Field(_) | Value::Shared(_) => {}
        }
    }
}

/// The value of a node while a trial is evaluated.
#[derive(Clone, Debug)]
enum Value {
    Scalar(f64),
    Field(Field),
    Shared(Column),
    Own(Vec<f64>),
    /// What only light nodes take; others see it widened.
    Coded(Coded),
}

impl Value {
    fn slice<'a>(&'a self, panel: &'a Panel) -> Option<&'a [f64]> {
        match self {
            Value::Scalar(_) | Value::Coded(_) => None,
            Value::Field(field) => Some(panel.field(*field)),
            Value::Shared(column) => Some(column),
            Value::Own(column) => Some(column),
        }
    }
}

/// Whether a node is computed once and shared, rather than evaluated for each trial.
fn is_heavy(node: &Node) -> bool {
    matches!(
        node,
        Node::ForeignField { .. }
            | Node::Lag { .. }
            | Node::Since(_)
            | Node::Indicator { .. }
            | Node::CrossSection(..)
            | Node::Coarse(..)
            | Node::Calendar(_)
    )
}

/// Calls `visit` for each operand that is evaluated over the same panel: that of a coarser expression is not.
fn operands(node: &Node, visit: impl FnMut(NodeId)) {
    if !matches!(node, Node::Coarse(..)) {
        node.for_each_operand(visit);
    }
}

impl Context {
    /// A context over `panel`, named `id` in the keys of `history`.
    pub fn new(panel: Arc<Panel>, id: String, history: Arc<History>) -> Context {
        Context {
            panel,
            id,
            history,
            weekly: OnceLock::new(),
            monthly: OnceLock::new(),
            week_starts: OnceLock::new(),
            month_starts: OnceLock::new(),
        }
    }

    /// What the history cache did so far.
    pub fn history_counters(&self) -> crate::cache::Counters {
        self.history.counters()
    }

    /// True at each symbol's first bar of a period.
    pub fn period_starts(&self, period: Period) -> Column {
        let (cell, function) = match period {
            Period::Weekly => (&self.week_starts, CalendarFunction::WeekStart),
            Period::Monthly => (&self.month_starts, CalendarFunction::MonthStart),
        };
        let compute = || match self.calendar(function, &mut Workspace::default()) {
            Value::Own(column) => column.into(),
            _ => Arc::from([]),
        };
        cell.get_or_init(compute).clone()
    }

    /// The heavy columns that `roots` need at `point`, added to `wanted` (sorted, each once).
    pub fn wanted(
        &self,
        strategy: &Strategy,
        roots: &[NodeId],
        point: &[f64],
        wanted: &mut std::collections::BTreeSet<BoundColumn>,
    ) {
        let mut seen = vec![false; strategy.program.nodes.len()];
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            let node = strategy.program.node(id);
            if is_heavy(node) {
                wanted.insert(bind(strategy, id, point));
            } else {
                operands(node, |operand| stack.push(operand));
            }
        }
    }

    /// Computes one wanted column, through the cache. `point` is any point with the bound values.
    pub fn compute(&self, strategy: &Strategy, wanted: &BoundColumn, point: &[f64]) -> Column {
        let mut workspace = Workspace::default();
        let mut values = self.evaluate(strategy, &[wanted.node], point, &Prepared::default(), &mut workspace);
        match values.pop().map(|value| workspace.widen(value)) {
            Some(Value::Shared(column)) => column,
            Some(Value::Own(column)) => column.into(),
            Some(Value::Field(field)) => self.panel.field(field).into(),
            Some(Value::Scalar(value)) => vec![value; self.panel.rows()].into(),
            Some(Value::Coded(_)) | None => Arc::from([]),
        }
    }

    /// The rule `root` at `point`, ready for a simulation.
    pub fn rule(
        &self,
        strategy: &Strategy,
        root: NodeId,
        point: &[f64],
        prepared: &Prepared,
        workspace: &mut Workspace,
    ) -> Rule {
        let program = &strategy.program;
        if !program.node_type(root).stateful {
            let value = self.evaluate(strategy, &[root], point, prepared, workspace).pop();
            return self.to_rule(value.unwrap_or(Value::Scalar(NAN)));
        }
        // Registers hold the nodes that depend on the position; everything below them becomes a column.
        let mut registers: BTreeMap<NodeId, u32> = BTreeMap::new();
        let mut stack = vec![root];
        let mut needed = std::collections::BTreeSet::new();
        while let Some(id) = stack.pop() {
            if needed.insert(id) && program.node_type(id).stateful {
                operands(program.node(id), |operand| stack.push(operand));
            }
        }
        let mut code = Code::default();
        for id in needed {
            let register = |id: &NodeId| registers.get(id).copied().unwrap_or(0);
            let step = if program.node_type(id).stateful {
                match program.node(id) {
                    Node::State(var) => Step::State(*var),
                    Node::Not(a) => Step::Not(register(a)),
                    Node::Neg(a) => Step::Neg(register(a)),
                    Node::Binary(op, a, b) => Step::Binary(*op, register(a), register(b)),
                    Node::If(c, a, b) => Step::If(register(c), register(a), register(b)),
                    Node::Function(function, list) => Step::Function(*function, list.iter().map(register).collect()),
                    // The type check lets no other node depend on the position.
                    _ => Step::State(crate::strategy::StateVar::EntryPrice),
                }
            } else {
                let value = self.evaluate(strategy, &[id], point, prepared, workspace).pop();
                code.columns.push(self.to_rule(value.unwrap_or(Value::Scalar(NAN))));
                Step::Column(code.columns.len() as u32 - 1)
            };
            registers.insert(id, code.steps.len() as u32);
            code.steps.push(step);
        }
        Rule::Code(code)
    }

    fn to_rule(&self, value: Value) -> Rule {
        match value {
            Value::Scalar(value) => Rule::Scalar(value),
            Value::Shared(column) => Rule::Shared(column),
            Value::Own(column) => Rule::Own(column),
            Value::Coded(column) => Rule::Coded(column),
            Value::Field(field) => Rule::Own(self.panel.field(field).to_vec()),
        }
    }

    /// Values of `roots` at `point`: operands before users, each node once, buffers reused after the last use.
    fn evaluate(
        &self,
        strategy: &Strategy,
        roots: &[NodeId],
        point: &[f64],
        prepared: &Prepared,
        workspace: &mut Workspace,
    ) -> Vec<Value> {
        let program = &strategy.program;
        let count = program.nodes.len();
        let mut values = std::mem::take(&mut workspace.values);
        let mut uses = std::mem::take(&mut workspace.uses);
        let mut stack = std::mem::take(&mut workspace.stack);
        values.clear();
        values.resize(count, None);
        uses.clear();
        uses.resize(count, 0);
        stack.clear();
        stack.extend_from_slice(roots);
        for root in roots {
            uses[root.0 as usize] += 1;
        }
        let mut visited = vec![false; count];
        let mut highest = 0;
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut visited[id.0 as usize], true) {
                continue;
            }
            highest = highest.max(id.0 as usize);
            let node = program.node(id);
            if is_heavy(node)
                && let Some(column) = self.look_up(strategy, id, point, prepared)
            {
                values[id.0 as usize] = Some(Value::Shared(column));
                continue;
            }
            operands(node, |operand| {
                uses[operand.0 as usize] += 1;
                stack.push(operand);
            });
        }
        for index in 0..=highest {
            if !visited[index] || values[index].is_some() {
                continue;
            }
            let id = NodeId(index as u32);
            let value =
                self.node_value(strategy, id, point, &mut Operands { values: &mut values, uses: &mut uses }, workspace);
            let value = if is_heavy(program.node(id)) { self.keep(strategy, id, point, value) } else { value };
            values[index] = Some(value);
        }
        let mut rest = Operands { values: &mut values, uses: &mut uses };
        let results = roots.iter().map(|&root| rest.take(root)).collect();
        for value in values.drain(..).flatten() {
            workspace.give_back(value);
        }
        workspace.values = values;
        workspace.uses = uses;
        workspace.stack = stack;
        results
    }

    fn look_up(&self, strategy: &Strategy, id: NodeId, point: &[f64], prepared: &Prepared) -> Option<Column> {
        if !prepared.0.is_empty()
            && let Some(column) = prepared.0.get(&bind(strategy, id, point))
        {
            return Some(column.clone());
        }
        self.history.get(&self.key(strategy, id, point))
    }

    fn keep(&self, strategy: &Strategy, id: NodeId, point: &[f64], value: Value) -> Value {
        let column: Column = match value {
            Value::Own(column) => column.into(),
            Value::Shared(column) => column,
            other => return other,
        };
        self.history.put(self.key(strategy, id, point), column.clone());
        Value::Shared(column)
    }

    fn key(&self, strategy: &Strategy, id: NodeId, point: &[f64]) -> String {
        format!("{}|{}", self.id, strategy.program.display(id, Some(point), &strategy.params))
    }

    fn node_value(
        &self,
        strategy: &Strategy,
        id: NodeId,
        point: &[f64],
        operands: &mut Operands,
        workspace: &mut Workspace,
    ) -> Value {
        let panel = &*self.panel;
        match strategy.program.node(id) {
            Node::Number(value) => Value::Scalar(*value),
            Node::Flag(value) => Value::Scalar(if *value { 1.0 } else { 0.0 }),
            Node::Param(index) => Value::Scalar(point.get(*index as usize).copied().unwrap_or(NAN)),
            Node::SymbolCount => Value::Scalar(panel.symbols.len() as f64),
            Node::Field(field) => Value::Field(*field),
            Node::Not(a) => {
                let a = operands.take(*a);
                match a {
                    Value::Coded(column) => Value::Coded(column.not()),
                    a => self.map(a, workspace, rule::not),
                }
            }
            Node::Neg(a) => {
                let a = operands.take(*a);
                self.map(a, workspace, |x| -x)
            }
            Node::Binary(op, a, b) => {
                let (a, b) = (operands.take(*a), operands.take(*b));
                self.binary(*op, a, b, workspace)
            }
            Node::If(c, a, b) => {
                let (c, a, b) = (operands.take(*c), operands.take(*a), operands.take(*b));
                self.choose(c, a, b, workspace)
            }
            Node::Function(function, list) => self.function(*function, list, operands, workspace),
            Node::ForeignField { symbol, field } => self.foreign(symbol, *field, workspace),
            Node::Lag { node, bars } => {
                let (value, bars) = (workspace.widen(operands.take(*node)), operands.scalar(*bars));
                self.lag(value, bars, workspace)
            }
            Node::Since(condition) => {
                let condition = workspace.widen(operands.take(*condition));
                self.since(condition, workspace)
            }
            Node::Indicator { index, inputs, params, output } => {
                let inputs: Vec<Value> = inputs.iter().map(|&input| workspace.widen(operands.take(input))).collect();
                let params: Vec<f64> = params.iter().map(|&param| operands.scalar(param)).collect();
                self.indicator(*index, inputs, &params, *output, workspace)
            }
            Node::CrossSection(function, list) => {
                let value = list.first().map_or(Value::Scalar(NAN), |&first| operands.take(first));
                let value = workspace.widen(value);
                let k = list.get(1).map_or(NAN, |&second| operands.scalar(second));
                self.cross_section(*function, value, k, workspace)
            }
            Node::Coarse(period, inner) => self.coarse_value(strategy, *period, *inner, point, workspace),
            Node::Calendar(function) => self.calendar(*function, workspace),
            // Rules that depend on the position are not evaluated as columns.
            Node::State(_) => Value::Scalar(NAN),
        }
    }

    fn map(&self, a: Value, workspace: &mut Workspace, f: impl Fn(f64) -> f64) -> Value {
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
    fn zip(&self, a: Value, b: Value, workspace: &mut Workspace, f: impl Fn(f64, f64) -> f64) -> Value {
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
    fn zip_numbers(&self, a: Value, b: Value, workspace: &mut Workspace, f: impl Fn(f64, f64) -> f64) -> Value {
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

    fn binary(&self, op: crate::strategy::BinaryOp, a: Value, b: Value, workspace: &mut Workspace) -> Value {
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
    fn compare(&self, op: crate::strategy::BinaryOp, a: &Value, b: &Value, workspace: &mut Workspace) -> Option<Coded> {
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
    fn encode(&self, value: Value, workspace: &mut Workspace) -> Coded {
        if let Value::Coded(column) = value {
            return column;
        }
        let column = value.slice(&self.panel).unwrap_or_default();
        let mut codes = workspace.code_buffer(column.len());
        coded::encode(column, &mut codes);
        workspace.give_back(value);
        Coded { codes, table: Table::TRUTH }
    }

    fn choose(&self, c: Value, a: Value, b: Value, workspace: &mut Workspace) -> Value {
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

    fn function(
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

    /// The other symbol's last value at or before each row's timestamp.
    fn foreign(&self, symbol: &str, field: Field, workspace: &mut Workspace) -> Value {
        let panel = &*self.panel;
        let mut out = workspace.buffer(panel.rows());
        let Some(bars) = panel.references.get(symbol) else { return Value::Own(out) };
        let source = bars.field(field);
        for span in &panel.spans {
            let mut seen = 0;
            for row in span.rows() {
                let now = panel.timeline[panel.row_time[row] as usize];
                while seen < bars.len() && bars.time[seen] <= now {
                    seen += 1;
                }
                if seen > 0 {
                    out[row] = source[seen - 1];
                }
            }
        }
        Value::Own(out)
    }

    fn lag(&self, value: Value, bars: f64, workspace: &mut Workspace) -> Value {
        let panel = &*self.panel;
        let Some(source) = value.slice(panel) else { return value };
        let mut out = workspace.buffer(panel.rows());
        // A lag that is no whole number of bars, or longer than any series, leaves everything undefined.
        if bars >= 0.0 && bars.floor() == bars && bars < panel.rows() as f64 {
            let k = bars as usize;
            for span in &panel.spans {
                if span.len > k {
                    let end = span.offset + span.len;
                    out[span.offset + k..end].copy_from_slice(&source[span.offset..end - k]);
                }
            }
        }
        Value::Own(out)
    }

    fn since(&self, condition: Value, workspace: &mut Workspace) -> Value {
        let panel = &*self.panel;
        let mut out = workspace.buffer(panel.rows());
        for span in &panel.spans {
            let mut count = NAN;
            for row in span.rows() {
                let now = match &condition {
                    Value::Scalar(x) => *x,
                    other => other.slice(panel).map_or(NAN, |column| column[row]),
                };
                count = if now == 1.0 { 0.0 } else { count + 1.0 };
                out[row] = num::canonical(count);
            }
        }
        Value::Own(out)
    }

    fn indicator(
        &self,
        index: u16,
        inputs: Vec<Value>,
        params: &[f64],
        output: u8,
        workspace: &mut Workspace,
    ) -> Value {
        let panel = &*self.panel;
        let indicator = &REGISTRY[index as usize];
        let rows = panel.rows();
        if indicators::check_params(indicator, params).is_err() {
            // A point outside an indicator's range has no value; the plan has warned of it.
            return Value::Own(workspace.buffer(rows));
        }
        let constants: Vec<Vec<f64>> =
            inputs.iter().map(|input| if let Value::Scalar(x) = input { vec![*x; rows] } else { Vec::new() }).collect();
        let columns: Vec<&[f64]> =
            inputs.iter().zip(&constants).map(|(input, constant)| input.slice(panel).unwrap_or(constant)).collect();
        let mut outputs: Vec<Vec<f64>> = indicator.outputs.iter().map(|_| workspace.buffer(rows)).collect();
        for span in &panel.spans {
            let inputs: Vec<&[f64]> = columns.iter().map(|column| &column[span.rows()]).collect();
            let mut parts: Vec<&mut [f64]> = outputs.iter_mut().map(|out| &mut out[span.rows()]).collect();
            indicators::compute(indicator, &inputs, params, &mut parts);
        }
        let chosen = outputs.swap_remove((output as usize).min(outputs.len() - 1));
        workspace.pool.append(&mut outputs);
        for input in inputs {
            if let Value::Own(buffer) = input {
                workspace.pool.push(buffer);
            }
        }
        Value::Own(chosen)
    }

    fn cross_section(&self, function: CrossSection, value: Value, k: f64, workspace: &mut Workspace) -> Value {
        let panel = &*self.panel;
        let mut out = workspace.buffer(panel.rows());
        let mut cursors: Vec<usize> = panel.spans.iter().map(|span| span.offset).collect();
        let mut present: Vec<(usize, f64)> = Vec::with_capacity(panel.spans.len());
        let mut order: Vec<usize> = Vec::with_capacity(panel.spans.len());
        for t in 0..panel.timeline.len() {
            present.clear();
            for (span, cursor) in panel.spans.iter().zip(&mut cursors) {
                if *cursor < span.offset + span.len && panel.row_time[*cursor] as usize == t {
                    let x = match &value {
                        Value::Scalar(x) => *x,
                        other => other.slice(panel).map_or(NAN, |column| column[*cursor]),
                    };
                    present.push((*cursor, x));
                    *cursor += 1;
                }
            }
            across(function, &present, k, &mut order, &mut out);
        }
        Value::Own(out)
    }

    fn coarse_value(
        &self,
        strategy: &Strategy,
        period: Period,
        inner: NodeId,
        point: &[f64],
        workspace: &mut Workspace,
    ) -> Value {
        let cell = match period {
            Period::Weekly => &self.weekly,
            Period::Monthly => &self.monthly,
        };
        let coarse = cell.get_or_init(|| {
            let (panel, completed) = self.panel.coarsen(period);
            let id = format!("{}:{period:?}", self.id);
            Box::new(Coarse { context: Context::new(Arc::new(panel), id, self.history.clone()), completed })
        });
        let mut apart = Workspace::default();
        let value = coarse
            .context
            .evaluate(strategy, &[inner], point, &Prepared::default(), &mut apart)
            .pop()
            .map_or(Value::Scalar(NAN), |value| apart.widen(value));
        let mut out = workspace.buffer(self.panel.rows());
        for (out, &completed) in out.iter_mut().zip(&coarse.completed) {
            if completed > 0 {
                let row = completed as usize - 1;
                *out = match &value {
                    Value::Scalar(x) => *x,
                    other => other.slice(&coarse.context.panel).map_or(NAN, |column| column[row]),
                };
            }
        }
        Value::Own(out)
    }

    fn calendar(&self, function: CalendarFunction, workspace: &mut Workspace) -> Value {
        use CalendarFunction as C;
        let panel = &*self.panel;
        let mut out = workspace.buffer(panel.rows());
        let flag = |b: bool| if b { 1.0 } else { 0.0 };
        let week = |session: i32| session.wrapping_add(3).div_euclid(7);
        for span in &panel.spans {
            for row in span.rows() {
                let session = panel.row_session[row];
                let before = (row > span.offset).then(|| panel.row_session[row - 1]);
                let (year, month, day) = calendar::civil(session);
                out[row] = match function {
                    C::MonthEnd => flag(panel.calendar.ends_month(session)),
                    C::WeekEnd => flag(panel.calendar.ends_week(session)),
                    C::MonthStart => flag(before.is_none_or(|b| {
                        let (y, m, _) = calendar::civil(b);
                        (y, m) != (year, month)
                    })),
                    C::WeekStart => flag(before.is_none_or(|b| week(b) != week(session))),
                    C::Weekday => f64::from(calendar::weekday(session)),
                    C::Month => f64::from(month),
                    C::Day => f64::from(day),
                    C::Year => f64::from(year),
                };
            }
        }
        Value::Own(out)
    }
}

/// Operand values of one evaluation: moved out at their last use, cloned before.
struct Operands<'a> {
    values: &'a mut [Option<Value>],
    uses: &'a mut [u32],
}

impl Operands<'_> {
    fn take(&mut self, id: NodeId) -> Value {
        let index = id.0 as usize;
        self.uses[index] = self.uses[index].saturating_sub(1);
        let value = if self.uses[index] == 0 { self.values[index].take() } else { self.values[index].clone() };
        value.unwrap_or(Value::Scalar(NAN))
    }

    fn scalar(&mut self, id: NodeId) -> f64 {
        if let Value::Scalar(x) = self.take(id) { x } else { NAN }
    }
}

fn bind(strategy: &Strategy, node: NodeId, point: &[f64]) -> BoundColumn {
    let dependence = strategy.program.param_dependence(node);
    let values = dependence.iter().map(|&p| point.get(p as usize).copied().unwrap_or(NAN).to_bits()).collect();
    BoundColumn { node, values }
}

/// One timestamp of a cross-sectional function: `present` holds (row, value) in symbol order.
fn across(function: CrossSection, present: &[(usize, f64)], k: f64, order: &mut Vec<usize>, out: &mut [f64]) {
    let defined = || present.iter().filter(|(_, x)| !x.is_nan());
    match function {
        CrossSection::Rank | CrossSection::Top => {
            order.clear();
            order.extend((0..present.len()).filter(|&i| !present[i].1.is_nan()));
            // A stable sort: ties stay in symbol order.
            order.sort_by(|&a, &b| present[b].1.total_cmp(&present[a].1));
            for (place, &i) in order.iter().enumerate() {
                let rank = place as f64 + 1.0;
                out[present[i].0] = match function {
                    CrossSection::Rank => rank,
                    _ if k.is_nan() => NAN,
                    _ if rank <= k => 1.0,
                    _ => 0.0,
                };
            }
        }
        CrossSection::ZScore => {
            let n = defined().count() as f64;
            let mean = defined().map(|(_, x)| x).sum::<f64>() / n;
            let variance = defined().map(|(_, x)| (x - mean) * (x - mean)).sum::<f64>() / n;
            let deviation = num::sqrt(variance);
            // Equal values leave only rounding noise: no deviation.
            if deviation > mean.abs() * 1e-14 {
                for &(row, x) in defined() {
                    out[row] = (x - mean) / deviation;
                }
            }
        }
        CrossSection::Count => {
            if defined().next().is_some() {
                let count = defined().filter(|(_, x)| *x == 1.0).count() as f64;
                for &(row, _) in present {
                    out[row] = count;
                }
            }
        }
    }
}
