//! What a trial saw and did at some bars, in full: the answer to "why did it not fill?".
//!
//! Given an [`Evaluator`] and a point, this gives the values of every expression, the orders before and after, cash and
//! positions, and what happened in between. It runs the reference simulator as every trial does, and never knows how
//! any of it is shown.

use std::ops::Range;

use super::Evaluator;
use crate::bundle::Frequency;
use crate::context::{self, PositionState, Prepared, Rule};
use crate::engine::{self, Decisions, Desk, Event, Number, OpenOrder, Record};
use crate::metrics;
use crate::strategy::{BinaryOp, Kind, LevelIn, Node, NodeId, PriceLevel, Rebalance, Rules, SizeIn, Strategy};

/// Most conditions of one rule that are shown one by one.
const MOST_PARTS: usize = 16;

/// An account between two bars.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Books {
    /// Money not invested.
    pub cash: f64,
    /// Cash and positions at the last closes.
    pub equity: f64,
    /// Signed units of each symbol.
    pub positions: Vec<f64>,
}

/// An expression at a bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Name of the column or rule; empty for a part of one.
    pub name: String,
    /// The expression, parameters bound; for an operand that is a named column, its name.
    pub text: String,
    /// What it is; truth values are 1 and 0, undefined is NaN.
    pub value: f64,
    /// Number or truth value.
    pub kind: Kind,
    /// Whether it asks for the position.
    pub stateful: bool,
    /// Bars of the symbol before this one that it needs to be defined, as far as that is known without data.
    pub needs: Option<usize>,
    /// The sign of a comparison, whose `parts` are its two operands.
    pub comparison: Option<&'static str>,
    /// The conditions of a rule that has several, or the operands of a comparison.
    pub parts: Vec<Value>,
}

/// A symbol at a bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Row of its bar in the panel; `None` without one.
    pub row: Option<usize>,
    /// Bars of the symbol before this timestamp, warm-up included.
    pub bars_before: usize,
    /// What rules know of its position at this bar.
    pub state: PositionState,
    /// Named columns, then rules; empty without a bar.
    pub values: Vec<Value>,
}

/// One bar of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// Its index on the run's timeline.
    pub t: usize,
    /// The account before it.
    pub before: Books,
    /// The account after it.
    pub after: Books,
    /// Orders that were open before it, oldest first.
    pub orders_before: Vec<OpenOrder>,
    /// Orders that are open after it.
    pub orders_after: Vec<OpenOrder>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Each symbol of the panel.
    pub symbols: Vec<Seen>,
    /// Whether the account lost everything, so that the strategy is not asked any more.
    pub ruined: bool,
}

/// An expression that is asked at every bar.
struct Question {
    name: String,
    node: NodeId,
    text: String,
    rule: Rule,
    needs: Option<usize>,
    comparison: Option<&'static str>,
    parts: Vec<Question>,
}

/// The rules of a trial, remembering what they knew of each position.
struct Watched<'a> {
    rules: &'a Decisions,
    states: Vec<PositionState>,
}

impl engine::Strategy for Watched<'_> {
    fn next(&mut self, desk: &mut Desk<'_>) {
        self.states = (0..desk.symbols().len()).map(|symbol| desk.position_state(symbol)).collect();
        engine::Strategy::next(&mut self.rules, desk);
    }
}

impl Evaluator {
    /// The rules at a point, ready for a simulation.
    pub fn decisions(&self, point: &[f64]) -> Decisions {
        let mut memory = context::Workspace::default();
        Decisions::bind(&self.context, self.plan.strategy(), point, &Prepared::default(), &mut memory)
    }

    /// Metrics of a finished simulation in any kind of number, rounded to floats, under the plan's settings.
    pub fn metrics_of_run<N: Number>(&self, run: &engine::Workspace<N>) -> Vec<f64> {
        let equity: Vec<f64> = run.session_equity.iter().map(|equity| equity.float()).collect();
        let mut values = Vec::new();
        let account = metrics::Account {
            initial_cash: self.plan.settings().capital,
            equity: &equity,
            dates: &self.sessions.dates,
            benchmark: Some(&self.sessions.benchmark),
            trades: &run.trades,
            periods_per_year: self.plan.periods_per_year(),
            risk_free: self.plan.risk_free_per_session(),
            mar: 0.0,
            counters: run.counters,
        };
        metrics::evaluate(&account, &mut metrics::Workspace::default(), &mut values);
        values
    }

    /// Looks closely at some bars of a trial: `bars` are indices on the run's timeline, from `panel.start` on; what lies
    /// outside is left out.
    pub fn inspect(&self, point: &[f64], bars: Range<usize>) -> Vec<Inspection> {
        let (panel, settings) = (&**self.panel(), self.plan.settings());
        let (from, to) = (bars.start.max(panel.start), bars.end.min(panel.timeline.len()));
        if from >= to {
            return Vec::new();
        }
        let rules = self.decisions(point);
        let questions = self.questions(point);
        let mut strategy = Watched { rules: &rules, states: vec![PositionState::FLAT; panel.symbols.len()] };
        let mut run = engine::Workspace::default();
        let record = |events: Range<usize>| Record { fills: false, bars: true, events };
        run.begin(panel, settings, false);
        engine::advance(panel, &mut strategy, settings, record(0..0), &mut run, panel.start..from);
        let mut last_equity = run.bar_equity.last().copied().unwrap_or(settings.capital);
        let mut inspected = Vec::new();
        for t in from..to {
            let before = books(&run, last_equity);
            let orders_before = run.open_orders(settings);
            run.events.clear();
            engine::advance(panel, &mut strategy, settings, record(t..t + 1), &mut run, t..t + 1);
            last_equity = run.bar_equity.last().copied().unwrap_or(last_equity);
            let symbols = (0..panel.symbols.len()).map(|symbol| {
                let span = panel.spans[symbol];
                let bars_before = panel.row_time[span.rows()].partition_point(|&time| (time as usize) < t);
                let next = span.offset + bars_before;
                let row = (bars_before < span.len && panel.row_time[next] as usize == t).then_some(next);
                let state = strategy.states[symbol];
                let ask = |row| questions.iter().map(|question| question.at(self, row, &state)).collect();
                Seen { row, bars_before, state, values: row.map(ask).unwrap_or_default() }
            });
            inspected.push(Inspection {
                t,
                symbols: symbols.collect(),
                before,
                after: books(&run, last_equity),
                orders_before,
                orders_after: run.open_orders(settings),
                events: std::mem::take(&mut run.events),
                ruined: run.is_ruined(),
            });
        }
        inspected
    }

    fn questions(&self, point: &[f64]) -> Vec<Question> {
        let strategy = self.plan.strategy();
        let columns = strategy.columns.iter().map(|(name, node)| (name.clone(), *node));
        let all: Vec<(String, NodeId)> = columns.chain(rules(strategy)).collect();
        all.into_iter().map(|(name, node)| self.question(name, node, point, true)).collect()
    }

    fn question(&self, name: String, node: NodeId, point: &[f64], with_parts: bool) -> Question {
        let strategy = self.plan.strategy();
        let program = &strategy.program;
        let rule = self.context.rule(strategy, node, point, &Prepared::default(), &mut context::Workspace::default());
        // Intraday, the number of bars in a longer one is known only as a bound far off.
        let known = self.context.panel.frequency != Frequency::Intraday
            || !program.reachable(node).iter().any(|&node| matches!(program.node(node), Node::Coarse(..)));
        let column = strategy.columns.iter().find(|(_, column)| *column == node).filter(|_| name.is_empty());
        let text = match column {
            Some((column, _)) => column.clone(),
            None => program.display(node, Some(point), &strategy.params),
        };
        let compared = program.node(node).comparison().filter(|_| with_parts);
        let comparison = compared.map(|(op, ..)| op.sign());
        let parts = match compared {
            _ if !with_parts => Vec::new(),
            Some((_, a, b)) => {
                [a, b].into_iter().map(|operand| self.question(String::new(), operand, point, false)).collect()
            }
            None => {
                let mut conditions = Vec::new();
                conditions_of(strategy, node, &mut conditions);
                conditions.retain(|&condition| condition != node);
                let shown = conditions.into_iter().take(MOST_PARTS);
                shown.map(|condition| self.question(String::new(), condition, point, true)).collect()
            }
        };
        let needs = known.then(|| program.lookback(node, point, false));
        Question { name, node, text, rule, needs, comparison, parts }
    }
}

impl Question {
    fn at(&self, evaluator: &Evaluator, row: usize, state: &PositionState) -> Value {
        let known = evaluator.plan.strategy().program.node_type(self.node);
        Value {
            name: self.name.clone(),
            text: self.text.clone(),
            value: self.rule.at(row, state),
            kind: known.kind,
            stateful: known.stateful,
            needs: self.needs,
            comparison: self.comparison,
            parts: self.parts.iter().map(|part| part.at(evaluator, row, state)).collect(),
        }
    }
}

fn books(run: &engine::Workspace, equity: f64) -> Books {
    Books { cash: run.account.cash, equity, positions: run.account.positions() }
}

/// The conditions that an expression is decided by, in the order in which they are written, each once.
fn conditions_of(strategy: &Strategy, node: NodeId, found: &mut Vec<NodeId>) {
    let program = &strategy.program;
    match program.node(node) {
        Node::Binary(BinaryOp::And | BinaryOp::Or, a, b) => {
            conditions_of(strategy, *a, found);
            conditions_of(strategy, *b, found);
        }
        Node::Not(a) => conditions_of(strategy, *a, found),
        Node::If(condition, a, b) => {
            for node in [condition, a, b] {
                conditions_of(strategy, *node, found);
            }
        }
        Node::Flag(_) | Node::Param(_) => {}
        _ if program.node_type(node).kind == Kind::Bool && !found.contains(&node) => found.push(node),
        _ => {}
    }
}

/// The expressions of a strategy's rules under the names that a strategy file gives them.
fn rules(strategy: &Strategy) -> Vec<(String, NodeId)> {
    let mut list: Vec<(&str, NodeId)> = Vec::new();
    match &strategy.rules {
        Rules::Target { weight, rebalance } => {
            list.push(("target", *weight));
            if let Rebalance::When(condition) = rebalance {
                list.push(("rebalance", *condition));
            }
        }
        Rules::Signals { enter_long, exit_long, enter_short, exit_short, size, size_in, entry } => {
            let conditions = [
                ("enter_long", enter_long),
                ("exit_long", exit_long),
                ("enter_short", enter_short),
                ("exit_short", exit_short),
            ];
            list.extend(conditions.into_iter().filter_map(|(name, node)| node.map(|node| (name, node))));
            if let Some(size) = size {
                let name = match size_in {
                    SizeIn::Equity => "size",
                    SizeIn::Shares => "size (shares)",
                    SizeIn::Value => "size (value)",
                    SizeIn::BuyingPower => "size (buying power)",
                    SizeIn::Risk => "size (risk)",
                    SizeIn::Volatility => "size (volatility)",
                };
                list.push((name, *size));
            }
            let levels = [
                ("entry_limit", entry.limit),
                ("entry_stop", entry.stop),
                ("stop_loss", entry.stop_loss),
                ("take_profit", entry.take_profit),
                ("trailing_stop", entry.trailing_stop),
                ("break_even", entry.break_even),
            ];
            let mut named: Vec<(String, NodeId)> = list.into_iter().map(|(name, node)| (name.into(), node)).collect();
            for (name, level) in levels {
                if let Some(PriceLevel { value, unit }) = level {
                    let unit = match unit {
                        LevelIn::Fraction => "fraction",
                        LevelIn::Amount => "amount",
                        LevelIn::Price => "price",
                    };
                    named.push((format!("{name} ({unit})"), value));
                }
            }
            let counts = [("time_stop", entry.time_stop), ("entry_bars", entry.bars), ("max_entries", entry.most)];
            named.extend(counts.into_iter().filter_map(|(name, node)| node.map(|node| (name.into(), node))));
            return named;
        }
    }
    list.into_iter().map(|(name, node)| (name.into(), node)).collect()
}
