//! What a strategy needs before any data are read: how much history, which symbols, which parameters.
//!
//! Given a checked program and a point of the parameter space, this gives numbers of bars and names. It never knows
//! data; bounds that depend on the calendar are upper bounds, stated where they are.

use std::collections::BTreeSet;

use super::{Node, NodeId, ParamDecl, Period, Program, Rebalance, Rules, Strategy};
use crate::error::{Error, Result};
use crate::indicators::{Indicator, REGISTRY};

impl Period {
    /// Most bars that one period can have, on a calendar without closed days and where a session has up to
    /// `bars_per_session`, no two in one minute.
    pub fn most_bars(self, bars_per_session: usize) -> usize {
        let sessions = match self {
            Period::Minutes(minutes) => return usize::from(minutes).min(bars_per_session).max(1),
            Period::Daily => 1,
            Period::Weekly => 7,
            Period::Monthly => 31,
            Period::Quarterly => 92,
        };
        bars_per_session.saturating_mul(sessions)
    }
}

impl Program {
    /// Bars of the symbol's own history before the first bar on which the node can be defined, at a point of the
    /// parameter space; saturating. With `settle`, the bars after which recursive indicators have forgotten where
    /// they began.
    ///
    /// Other symbols' fields, the calendar and the position count 0. A coarse node counts its operand's periods, one
    /// that may be cut by the beginning and one that is not complete, each with the most *daily* bars it can have (7
    /// or 31): for intraday bars see [`Program::lookback_with`]. `since` counts what its condition needs, since
    /// nobody knows when that is first true.
    pub fn lookback(&self, node: NodeId, point: &[f64], settle: bool) -> usize {
        self.lookback_with(node, point, settle, 1)
    }

    /// [`Program::lookback`] where a session has up to `bars_per_session` bars.
    pub fn lookback_with(&self, node: NodeId, point: &[f64], settle: bool, bars_per_session: usize) -> usize {
        let mut bars: Vec<usize> = Vec::with_capacity(node.0 as usize + 1);
        for entry in self.nodes.iter().take(node.0 as usize + 1) {
            let mut longest = 0;
            entry.for_each_operand(|operand| longest = longest.max(bars.get(operand.0 as usize).copied().unwrap_or(0)));
            let own = match entry {
                Node::Lag { bars, .. } => self.scalar_value(*bars, point, None).map_or(0, |bars| bars as usize),
                Node::Indicator { index, params, .. } => self.indicator_lookback(*index, params, point, settle),
                _ => 0,
            };
            bars.push(match entry {
                Node::Coarse(period, _) => longest.saturating_add(2).saturating_mul(period.most_bars(bars_per_session)),
                _ => longest.saturating_add(own),
            });
        }
        bars.last().copied().unwrap_or(0)
    }

    fn indicator_lookback(&self, index: u16, params: &[NodeId], point: &[f64], settle: bool) -> usize {
        let Some(indicator) = REGISTRY.get(usize::from(index)) else { return 0 };
        // Values out of range are refused elsewhere (`check_point`); here they only must not reach the formulas.
        let values: Vec<f64> = indicator
            .params
            .iter()
            .zip(params)
            .map(|(spec, id)| {
                let value = self.scalar_value(*id, point, None).unwrap_or(spec.default);
                if value.is_nan() { spec.default } else { value.clamp(spec.min, spec.max) }
            })
            .collect();
        let first = (indicator.lookback)(&values);
        if settle { first.max((indicator.settle)(&values)) } else { first }
    }

    /// All nodes that a node is made of, itself included, in evaluation order.
    pub fn reachable(&self, node: NodeId) -> Vec<NodeId> {
        let mut seen = BTreeSet::from([node]);
        let mut open = vec![node];
        while let Some(id) = open.pop() {
            self.node(id).for_each_operand(|operand| {
                if seen.insert(operand) {
                    open.push(operand);
                }
            });
        }
        seen.into_iter().collect()
    }

    /// Indices of the parameters that a node depends on, ascending.
    pub fn param_dependence(&self, node: NodeId) -> Vec<u32> {
        let params = self.reachable(node).into_iter().filter_map(|id| match self.node(id) {
            Node::Param(index) => Some(*index),
            _ => None,
        });
        params.collect::<BTreeSet<u32>>().into_iter().collect()
    }
}

impl Rules {
    /// The nodes that the rules evaluate.
    pub fn nodes(&self) -> Vec<NodeId> {
        match self {
            Rules::Target { weight, rebalance: Rebalance::When(condition) } => vec![*weight, *condition],
            Rules::Target { weight, .. } => vec![*weight],
            Rules::Signals { enter_long, exit_long, enter_short, exit_short, size, entry, .. } => {
                let rules = [enter_long, exit_long, enter_short, exit_short, size].into_iter().filter_map(|rule| *rule);
                rules.chain(entry.roots()).collect()
            }
        }
    }
}

impl Strategy {
    /// The longest [`Program::lookback`] of all rules.
    pub fn lookback(&self, point: &[f64], settle: bool) -> usize {
        self.lookback_with(point, settle, 1)
    }

    /// The longest [`Program::lookback_with`] of all rules.
    pub fn lookback_with(&self, point: &[f64], settle: bool, bars_per_session: usize) -> usize {
        let of = |node| self.program.lookback_with(node, point, settle, bars_per_session);
        self.rules.nodes().into_iter().map(of).max().unwrap_or(0)
    }

    /// Most bars that a position of one entry is held: what `time_stop` allows, 0 where there is none.
    pub fn longest_holding(&self, point: &[f64]) -> usize {
        match &self.rules {
            Rules::Signals { entry, .. } => {
                let stop = entry.time_stop.and_then(|node| self.program.scalar_value(node, point, None));
                // Saturates; NaN becomes 0.
                stop.map_or(0, |bars| bars as usize)
            }
            Rules::Target { .. } => 0,
        }
    }

    /// A word that the rules use and that means nothing on bars of a session or longer.
    pub fn needs_intraday(&self) -> Option<String> {
        let nodes = self.rules.nodes().into_iter().flat_map(|root| self.program.reachable(root));
        let word = |id: NodeId| match self.program.node(id) {
            Node::Calendar(function) if function.needs_intraday() => Some(self.short_display(id)),
            Node::Coarse(Period::Minutes(_), _) => Some(self.short_display(id)),
            _ => None,
        };
        nodes.filter_map(word).next()
    }

    /// Names of other symbols that the strategy looks at by name, ascending.
    pub fn used_symbols(&self) -> Vec<String> {
        let symbols = self.program.nodes.iter().filter_map(|node| match node {
            Node::ForeignField { symbol, .. } => Some(symbol.clone()),
            _ => None,
        });
        symbols.collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// The defaults of all parameters.
    pub fn default_point(&self) -> Vec<f64> {
        self.params.iter().map(|param| param.default).collect()
    }

    /// Whether every period, lag and count has a value in its range at a point of the parameter space. A trial at a
    /// point that is refused has no meaning: a lag could look ahead, a period could be 0. A count of symbols
    /// (`top(x, n_symbols / 2)`) is not known here and not checked.
    ///
    /// # Errors
    /// A sentence of kind [`crate::ErrorKind::Plan`] that names the call and the values.
    pub fn check_point(&self, point: &[f64]) -> Result<()> {
        if point.len() != self.params.len() {
            return Err(Error::plan(format!(
                "strategy `{}` has {} parameters, but the point has {} values",
                self.name,
                self.params.len(),
                point.len()
            )));
        }
        if let Some((param, value)) = self.params.iter().zip(point).find(|(_, value)| !value.is_finite()) {
            return Err(Error::plan(format!("parameter `{}` is {value}, but must be a finite number", param.name)));
        }
        (0..self.program.nodes.len()).try_for_each(|index| match u32::try_from(index) {
            Ok(index) => self.check_node(NodeId(index), point),
            Err(_) => Ok(()),
        })
    }

    fn check_node(&self, id: NodeId, point: &[f64]) -> Result<()> {
        match self.program.node(id) {
            Node::Lag { bars, .. } => self.check_scalar(id, "lag", *bars, (0.0, f64::from(u32::MAX), true), point),
            Node::Top { count, .. } => self.check_scalar(id, "count", *count, (1.0, f64::from(u32::MAX), true), point),
            Node::Indicator { index, params, .. } => {
                let specs = REGISTRY.get(usize::from(*index)).map_or(&[][..], |indicator: &Indicator| indicator.params);
                specs.iter().zip(params).try_for_each(|(spec, param)| {
                    self.check_scalar(id, spec.name, *param, (spec.min, spec.max, spec.integer), point)
                })
            }
            _ => Ok(()),
        }
    }

    fn check_scalar(
        &self,
        user: NodeId,
        what: &str,
        scalar: NodeId,
        (min, max, whole): (f64, f64, bool),
        point: &[f64],
    ) -> Result<()> {
        let Some(value) = self.program.scalar_value(scalar, point, None) else { return Ok(()) };
        if (min..=max).contains(&value) && (!whole || value.fract() == 0.0) {
            return Ok(());
        }
        let expression = super::lexer::clip(&self.program.display(user, None, &self.params));
        let at: Vec<String> = self
            .program
            .param_dependence(scalar)
            .into_iter()
            .filter_map(|index| Some((self.params.get(index as usize)?, point.get(index as usize)?)))
            .map(|(ParamDecl { name, .. }, value)| format!("{name} = {value}"))
            .collect();
        let sort = if whole { "a whole number" } else { "a number" };
        let at = if at.is_empty() { String::new() } else { format!(" at {}", at.join(", ")) };
        Err(Error::plan(format!("{what} of `{expression}` is {value}{at}, but must be {sort} from {min} to {max}"))
            .help("narrow the domain of the parameter, or cut the space with `where`"))
    }
}
