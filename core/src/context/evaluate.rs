//! Evaluation of a program's columns over a panel.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::coarse::Coarse;
use super::comparisons::KnownNans;
use super::condition::{Choice, Condition, Held};
use super::needs::Need;
use super::panel::Panel;
use super::rule::{self, Code, Rule, Step};
use super::workspace::{Operands, Value, Workspace};
use crate::cache::{Column, Key, RunHistory};
use crate::num::NAN;
use crate::strategy::{BinaryOp, CalendarFunction, Node, NodeId, Period, Strategy};

/// Buffers of intermediate results that are kept for the next column.
const SPARE: usize = 8;

/// A panel with a cache for the columns computed over it. Shared by all trials, threads and runs.
#[derive(Debug)]
pub struct Context {
    /// The bars.
    pub panel: Arc<Panel>,
    /// `n_symbols`: that of the run, also where the panel holds one symbol's past.
    symbol_count: usize,
    /// What names the panel in cache keys (equal only for equal bars) and the cache; none for bars that are soon
    /// others.
    history: Option<(Key, RunHistory)>,
    /// Values that were computed elsewhere, because the panel cannot tell them.
    given: BTreeMap<NodeId, Column>,
    coarse: Mutex<BTreeMap<Period, Arc<OnceLock<Coarse>>>>,
    /// Whether indicators see other prices than the panel's.
    pub(super) adjusted_past: OnceLock<bool>,
    week_starts: OnceLock<Column>,
    month_starts: OnceLock<Column>,
    /// Where columns that were compared are NaN.
    pub(super) known_nans: KnownNans,
    /// Memory of columns that nobody needs any more, for those that are computed next.
    spare: Mutex<Vec<Vec<f64>>>,
}

/// A heavy node with the values of the parameters that it depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BoundColumn {
    pub(super) node: NodeId,
    /// Bits of the parameter values, in ascending order of the parameters.
    pub(super) values: Vec<u64>,
}

/// Columns computed for a batch of trials.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    columns: BTreeMap<BoundColumn, Column>,
    /// Columns that were computed on the way and not kept.
    passing: usize,
    /// Light nodes whose values are among the columns, because many trials share them.
    shared: BTreeSet<NodeId>,
    conditions: BTreeMap<BoundColumn, Arc<Condition>>,
}

impl Prepared {
    /// Adds a column that [`Context::compute`] gave.
    pub fn insert(&mut self, wanted: BoundColumn, column: Column) {
        self.columns.insert(wanted, column);
    }

    /// Adds a comparison that [`Context::comparing`] leads to.
    pub fn insert_condition(&mut self, wanted: BoundColumn, condition: Arc<Condition>) {
        self.conditions.insert(wanted, condition);
    }

    /// Says that the columns of a light node are among those that were inserted.
    pub fn share(&mut self, need: &Need) {
        self.shared.insert(need.node());
    }

    fn shares(&self, id: NodeId) -> bool {
        self.shared.contains(&id)
    }

    pub(super) fn column(&self, bound: &BoundColumn) -> Option<Column> {
        self.columns.get(bound).cloned()
    }

    /// Says that so many columns more were computed, but are not held.
    pub fn add_passing(&mut self, columns: usize) {
        self.passing += columns;
    }

    /// Number of distinct columns that were computed, held or not.
    pub fn computed(&self) -> usize {
        self.columns.len() + self.passing
    }

    /// Number of distinct columns that are held.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Bytes that its columns and comparisons take over so many rows.
    pub fn bytes(&self, rows: usize) -> usize {
        self.columns.len() * rows * size_of::<f64>() + self.conditions.len() * (rows / 4)
    }
}

/// Whether a node is computed once and shared, rather than evaluated for each trial.
pub(super) fn is_heavy(node: &Node) -> bool {
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
pub(super) fn operands(node: &Node, visit: impl FnMut(NodeId)) {
    if !matches!(node, Node::Coarse(..)) {
        node.for_each_operand(visit);
    }
}

impl Context {
    /// A context over `panel`, named `id` in the keys of `history`.
    pub fn new(panel: Arc<Panel>, id: &str, history: impl Into<RunHistory>) -> Context {
        let symbol_count = panel.symbols.len();
        Context::over(panel, symbol_count, Some((Key::of(id), history.into())), BTreeMap::new())
    }

    /// A context without a cache, over bars that are soon others; `given` are values that the panel cannot tell.
    pub(super) fn passing(panel: Arc<Panel>, symbol_count: usize, given: BTreeMap<NodeId, Column>) -> Context {
        Context::over(panel, symbol_count, None, given)
    }

    fn over(
        panel: Arc<Panel>,
        symbol_count: usize,
        history: Option<(Key, RunHistory)>,
        given: BTreeMap<NodeId, Column>,
    ) -> Context {
        Context {
            panel,
            symbol_count,
            history,
            given,
            coarse: Mutex::default(),
            adjusted_past: OnceLock::new(),
            week_starts: OnceLock::new(),
            month_starts: OnceLock::new(),
            known_nans: KnownNans::default(),
            spare: Mutex::default(),
        }
    }

    /// The same symbols on coarser bars, laid out at the first call.
    pub(super) fn coarser(&self, period: Period) -> Arc<OnceLock<Coarse>> {
        let mut cells = self.coarse.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = cells.entry(period).or_default().clone();
        drop(cells);
        cell.get_or_init(|| {
            let (panel, completed) = self.panel.coarsen(period);
            let coarser = |(id, history): &(Key, RunHistory)| (id.within(&format!("{period:?}")), history.clone());
            let history = self.history.as_ref().map(coarser);
            let context = Context::over(Arc::new(panel), self.symbol_count, history, BTreeMap::new());
            Coarse { context, completed }
        });
        cell
    }

    /// Whether the value of a node was computed elsewhere.
    pub(super) fn has_given(&self, id: NodeId) -> bool {
        self.given.contains_key(&id)
    }

    /// `n_symbols` of the run.
    pub(super) fn symbol_count(&self) -> usize {
        self.symbol_count
    }

    /// Whether both name the same bars, so that a column of one is a column of the other.
    pub fn is_same_as(&self, other: &Context) -> bool {
        let name = |context: &Context| context.history.as_ref().map(|(key, _)| *key);
        name(self).is_some() && name(self) == name(other)
    }

    /// The history layer as the run uses it; none over bars that are soon others.
    pub fn history(&self) -> Option<&RunHistory> {
        self.history.as_ref().map(|(_, history)| history)
    }

    /// True at each symbol's first bar of a period.
    pub fn period_starts(&self, period: Period) -> Column {
        let (cell, function) = match period {
            Period::Weekly => (&self.week_starts, CalendarFunction::WeekStart),
            Period::Monthly => (&self.month_starts, CalendarFunction::MonthStart),
            Period::Minutes(_) | Period::Daily | Period::Quarterly => return self.starts_of(period),
        };
        let compute = || match self.calendar(function, &mut Workspace::default()) {
            Value::Own(column) => column.into(),
            _ => Column::default(),
        };
        cell.get_or_init(compute).clone()
    }

    /// Computes one wanted column, through the cache. `point` is any point with the bound values.
    pub fn compute(&self, strategy: &Strategy, wanted: &BoundColumn, point: &[f64]) -> Column {
        self.compute_given(strategy, wanted, point, &Prepared::default())
    }

    /// The same, given columns that are computed already.
    pub fn compute_given(
        &self,
        strategy: &Strategy,
        wanted: &BoundColumn,
        point: &[f64],
        prepared: &Prepared,
    ) -> Column {
        let mut workspace = Workspace::default();
        workspace.pool.extend(self.spare().pop());
        let mut values = self.evaluate(strategy, &[wanted.node], point, prepared, &mut workspace);
        let column = match values.pop().map(|value| workspace.widen(value)) {
            Some(Value::Shared(column)) => column,
            Some(Value::Own(column)) => column.into(),
            Some(Value::Field(field)) => workspace.copy_of(self.panel.field(field)).into(),
            Some(Value::Scalar(value)) => vec![value; self.panel.rows()].into(),
            Some(Value::Coded(_) | Value::Choice(_)) | None => Column::default(),
        };
        let mut spare = self.spare();
        let room = SPARE.saturating_sub(spare.len());
        spare.extend(workspace.pool.into_iter().take(room));
        drop(spare);
        column
    }

    /// Takes back the memory of a batch's columns, those aside that a cache still holds: fresh memory costs more than
    /// most columns do.
    pub fn recycle(&self, prepared: Prepared) {
        let unused = prepared.columns.into_values().filter_map(Arc::into_inner);
        self.spare().extend(unused);
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<f64>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
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
            return self.to_rule(value.unwrap_or(Value::Scalar(NAN)), workspace);
        }
        // Registers hold the nodes that depend on the position; everything below them becomes a column.
        let mut registers: BTreeMap<NodeId, u32> = BTreeMap::new();
        let mut stack = vec![root];
        let mut needed = BTreeSet::new();
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
                code.columns.push(self.to_rule(value.unwrap_or(Value::Scalar(NAN)), workspace));
                Step::Column(code.columns.len() as u32 - 1)
            };
            registers.insert(id, code.steps.len() as u32);
            code.steps.push(step);
        }
        Rule::Code(code)
    }

    fn to_rule(&self, value: Value, workspace: &mut Workspace) -> Rule {
        match value {
            Value::Scalar(value) => Rule::Scalar(value),
            Value::Shared(column) => Rule::Shared(column),
            Value::Own(column) => Rule::Own(column),
            Value::Coded(column) => Rule::Coded(column),
            Value::Choice(choice) => Rule::Choice(choice),
            Value::Field(field) => Rule::Own(workspace.copy_of(self.panel.field(field))),
        }
    }

    /// Values of `roots` at `point`: operands before users, each node once, buffers reused after the last use.
    pub(super) fn evaluate(
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
        // Names of the columns that were looked for in vain: they are kept under them.
        let mut missed: BTreeMap<NodeId, Named> = BTreeMap::new();
        let mut highest = 0;
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut visited[id.0 as usize], true) {
                continue;
            }
            highest = highest.max(id.0 as usize);
            let node = program.node(id);
            if let Some(column) = self.given.get(&id) {
                values[id.0 as usize] = Some(Value::Shared(column.clone()));
                continue;
            }
            if is_heavy(node) {
                let name = match self.look_up(strategy, id, point, prepared) {
                    Ok(column) => {
                        values[id.0 as usize] = Some(Value::Shared(column));
                        continue;
                    }
                    Err(name) => name,
                };
                if let Some(column) = self.as_of(strategy, id, point) {
                    values[id.0 as usize] = Some(self.keep(name, Value::Own(column)));
                    continue;
                }
                missed.extend(name.map(|name| (id, name)));
            }
            if prepared.shares(id)
                && let Some(column) = prepared.columns.get(&bind(strategy, id, point))
            {
                values[id.0 as usize] = Some(Value::Shared(column.clone()));
                continue;
            }
            if !prepared.conditions.is_empty()
                && node.comparison().is_some()
                && let Some(condition) = prepared.conditions.get(&bind(strategy, id, point))
            {
                values[id.0 as usize] = Some(Value::Choice(Choice::of(Held::Shared(condition.clone()))));
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
            let value = if is_heavy(program.node(id)) { self.keep(missed.remove(&id), value) } else { value };
            values[index] = Some(value);
        }
        let mut rest = Operands { values: &mut values, uses: &mut uses };
        let results = roots.iter().map(|&root| rest.take(root, workspace)).collect();
        for value in values.drain(..).flatten() {
            workspace.give_back(value);
        }
        workspace.values = values;
        workspace.uses = uses;
        workspace.stack = stack;
        results
    }

    /// A heavy column, from the batch or the history layer.
    ///
    /// # Errors
    /// It is in neither; where the layer is in use, the name to keep it under, which is made but once.
    fn look_up(
        &self,
        strategy: &Strategy,
        id: NodeId,
        point: &[f64],
        prepared: &Prepared,
    ) -> Result<Column, Option<Named>> {
        if !prepared.columns.is_empty()
            && let Some(column) = prepared.columns.get(&bind(strategy, id, point))
        {
            return Ok(column.clone());
        }
        let Some((panel, history)) = self.history.as_ref().filter(|(_, history)| history.is_on()) else {
            return Err(None);
        };
        let name = Named {
            key: panel.within(&strategy.program.display(id, Some(point), &strategy.params)),
            length: strategy.program.lookback(id, point, false),
        };
        history.get(name.key, name.length).ok_or(Some(name))
    }

    fn keep(&self, name: Option<Named>, value: Value) -> Value {
        let column: Column = match value {
            Value::Own(column) => column.into(),
            Value::Shared(column) => column,
            other => return other,
        };
        if let (Some(name), Some((_, history))) = (name, &self.history) {
            history.put(name.key, name.length, column.clone());
        }
        Value::Shared(column)
    }

    fn node_value(
        &self,
        strategy: &Strategy,
        id: NodeId,
        point: &[f64],
        operands: &mut Operands,
        workspace: &mut Workspace,
    ) -> Value {
        match strategy.program.node(id) {
            Node::Number(value) => Value::Scalar(*value),
            Node::Flag(value) => Value::Scalar(if *value { 1.0 } else { 0.0 }),
            Node::Param(index) => Value::Scalar(point.get(*index as usize).copied().unwrap_or(NAN)),
            Node::SymbolCount => Value::Scalar(self.symbol_count as f64),
            Node::Field(field) => Value::Field(*field),
            Node::Not(a) => {
                let a = operands.take(*a, workspace);
                if a.is_cases() {
                    let condition = self.encode(a, workspace);
                    let not = condition.not(|| workspace.conditions.pop().unwrap_or_default());
                    return Value::Choice(Choice::of(not));
                }
                self.map(a, workspace, rule::not)
            }
            Node::Neg(a) => {
                let a = operands.take(*a, workspace);
                self.map(a, workspace, |x| -x)
            }
            Node::Binary(op, a, b) => {
                let (a, b) = (operands.take(*a, workspace), operands.take(*b, workspace));
                self.binary(*op, a, b, workspace)
            }
            Node::If(c, a, b) => {
                let (c, a, b) =
                    (operands.take(*c, workspace), operands.take(*a, workspace), operands.take(*b, workspace));
                self.choose(c, a, b, workspace)
            }
            Node::Function(function, list) => self.function(*function, list, operands, workspace),
            Node::ForeignField { symbol, field } => self.foreign(symbol, *field, workspace),
            Node::Lag { node, bars } => {
                let (value, bars) = (operands.take_wide(*node, workspace), operands.scalar(*bars, workspace));
                self.lag(value, bars, workspace)
            }
            Node::Since(condition) => {
                let condition = operands.take_wide(*condition, workspace);
                self.since(condition, workspace)
            }
            Node::Indicator { index, inputs, params, output } => {
                let inputs: Vec<Value> = inputs.iter().map(|&input| operands.take_wide(input, workspace)).collect();
                let params: Vec<f64> = params.iter().map(|&param| operands.scalar(param, workspace)).collect();
                self.indicator(*index, inputs, &params, *output, workspace)
            }
            Node::CrossSection(function, operand) => {
                let value = operands.take_wide(*operand, workspace);
                self.cross_section(*function, value, workspace)
            }
            Node::Top { rank, count } => {
                let (rank, count) = (operands.take(*rank, workspace), operands.take(*count, workspace));
                self.binary(BinaryOp::Le, rank, count, workspace)
            }
            Node::Coarse(period, inner) => self.coarse_value(strategy, *period, *inner, point, workspace),
            Node::Calendar(function) => self.calendar(*function, workspace),
            // Rules that depend on the position are not evaluated as columns.
            Node::State(_) => Value::Scalar(NAN),
        }
    }
}

/// A column's name in the history layer.
#[derive(Clone, Copy, Debug)]
struct Named {
    key: Key,
    /// Bars of the past that it looks at.
    length: usize,
}

pub(super) fn bind(strategy: &Strategy, node: NodeId, point: &[f64]) -> BoundColumn {
    let dependence = strategy.program.param_dependence(node);
    let values = dependence.iter().map(|&p| point.get(p as usize).copied().unwrap_or(NAN).to_bits()).collect();
    BoundColumn { node, values }
}
