//! What the rules of a strategy need that trials share: columns, and comparisons between them.
//!
//! Given rules, this gives the nodes to compute beforehand with the parameters that each depends on; given points, the
//! distinct bindings among them. It never computes any.

use std::collections::BTreeMap;

use super::evaluate::{BoundColumn, Context, is_heavy, operands};
use crate::num::NAN;
use crate::strategy::{Kind, Node, NodeId, Strategy};

/// Fewest trials, on average, that share a light column.
const SHARED_BY: usize = 4;

/// A node whose values trials share, and what they depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    node: NodeId,
    /// Parameters that it depends on, ascending.
    params: Vec<u32>,
}

/// The bindings of one need among points.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    /// The distinct ones in the order of their first use, each with the position of the first point that has it.
    pub distinct: Vec<(BoundColumn, usize)>,
    /// Place in `distinct` for each point.
    pub ranks: Vec<u32>,
}

impl Need {
    fn of(strategy: &Strategy, node: NodeId) -> Need {
        Need { node, params: strategy.program.param_dependence(node) }
    }

    /// The columns that `roots` need, whatever the point.
    pub fn columns(strategy: &Strategy, roots: &[NodeId]) -> Vec<Need> {
        let mut found = Vec::new();
        visit(strategy, roots, |id| {
            let heavy = is_heavy(strategy.program.node(id));
            found.extend(heavy.then(|| Need::of(strategy, id)));
            !heavy
        });
        found
    }

    /// Those of `columns` that only sides of `compared` read and that comparisons can compute on the way.
    pub fn averages(
        context: &Context,
        strategy: &Strategy,
        roots: &[NodeId],
        columns: &[Need],
        compared: &[Need],
    ) -> Vec<Need> {
        let can = |id: NodeId| context.average_of(strategy, id).is_some();
        let mut elsewhere = roots.to_vec();
        visit(strategy, roots, |id| {
            let node = strategy.program.node(id);
            if is_heavy(node) {
                return false;
            }
            let in_passing = compared.iter().any(|need| need.node == id);
            operands(node, |operand| elsewhere.extend((!(in_passing && can(operand))).then_some(operand)));
            true
        });
        columns.iter().filter(|need| can(need.node) && !elsewhere.contains(&need.node)).cloned().collect()
    }

    /// The outermost light numbers of `roots` that are the same for many of `points`, so that it pays to compute them once.
    pub fn light(strategy: &Strategy, roots: &[NodeId], points: &[Vec<f64>]) -> Vec<Need> {
        let program = &strategy.program;
        let mut found = Vec::new();
        visit(strategy, roots, |id| {
            let (node, kind) = (program.node(id), program.node_type(id));
            if is_heavy(node) || kind.scalar {
                return false;
            }
            let number = kind.kind == Kind::Float && !kind.stateful;
            if number && matches!(node, Node::Binary(..) | Node::Neg(_) | Node::Function(..)) {
                let need = Need::of(strategy, id);
                if need.bindings(points).distinct.len() * SHARED_BY <= points.len() {
                    found.push(need);
                    return false;
                }
            }
            true
        });
        found
    }

    /// The node.
    pub(super) fn node(&self) -> NodeId {
        self.node
    }

    /// The comparisons between columns (or of one with a number) that `roots` make; `light` are light nodes that are
    /// columns too.
    pub fn comparisons(strategy: &Strategy, roots: &[NodeId], light: &[Need]) -> Vec<Need> {
        let program = &strategy.program;
        let scalar = |id: NodeId| matches!(program.node(id), Node::Number(_) | Node::Param(_));
        let simple = |id: NodeId| {
            let node = program.node(id);
            is_heavy(node) || scalar(id) || light.iter().any(|need| need.node == id) || matches!(node, Node::Field(_))
        };
        let mut found = Vec::new();
        visit(strategy, roots, |id| {
            let node = program.node(id);
            let made = node.comparison().is_some_and(|(_, a, b)| simple(a) && simple(b) && !(scalar(a) && scalar(b)));
            found.extend(made.then(|| Need::of(strategy, id)));
            !made && !is_heavy(node)
        });
        found
    }

    /// Its bindings at `points`. Neighbours often share one, which is then not looked up.
    pub fn bindings(&self, points: &[Vec<f64>]) -> Bindings {
        let mut known: BTreeMap<BoundColumn, u32> = BTreeMap::new();
        let mut found = Bindings { distinct: Vec::new(), ranks: Vec::with_capacity(points.len()) };
        for (position, point) in points.iter().enumerate() {
            if position > 0 && self.agree(&points[position - 1], point) {
                found.ranks.push(found.ranks[position - 1]);
                continue;
            }
            let next = found.distinct.len() as u32;
            let bound = self.bind(point);
            let rank = *known.entry(bound).or_insert_with_key(|bound| {
                found.distinct.push((bound.clone(), position));
                next
            });
            found.ranks.push(rank);
        }
        found
    }

    fn value(&self, param: u32, point: &[f64]) -> u64 {
        point.get(param as usize).copied().unwrap_or(NAN).to_bits()
    }

    fn agree(&self, a: &[f64], b: &[f64]) -> bool {
        self.params.iter().all(|&param| self.value(param, a) == self.value(param, b))
    }

    fn bind(&self, point: &[f64]) -> BoundColumn {
        BoundColumn { node: self.node, values: self.params.iter().map(|&param| self.value(param, point)).collect() }
    }
}

/// Visits each node below `roots` once; `visit` says whether its operands are visited too.
fn visit(strategy: &Strategy, roots: &[NodeId], mut visit: impl FnMut(NodeId) -> bool) {
    let mut seen = vec![false; strategy.program.nodes.len()];
    let mut stack = roots.to_vec();
    while let Some(id) = stack.pop() {
        if !std::mem::replace(&mut seen[id.0 as usize], true) && visit(id) {
            operands(strategy.program.node(id), |operand| stack.push(operand));
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    fn strategy(target: &str) -> Strategy {
        let text = format!(
            "name = \"s\"\n[params]\na = {{ type = \"int\", min = 2, max = 9 }}\nb = {{ type = \"int\", min = 2, max = 9 }}\n\
             [rules]\ntarget = \"{target}\"\n"
        );
        Strategy::parse(&text, "s").unwrap()
    }

    #[test]
    fn distinct_bindings_of_a_grid() {
        let strategy = strategy("if(sma(close, a) > ema(close, b) and close > 5, 1, 0)");
        let roots = strategy.rules.nodes();
        let points: Vec<Vec<f64>> =
            (2..5).flat_map(|a| (2..6).map(move |b| vec![f64::from(a), f64::from(b)])).collect();
        let mut counts: Vec<(usize, u32)> = Vec::new();
        for need in Need::columns(&strategy, &roots) {
            let found = need.bindings(&points);
            assert!(
                found
                    .ranks
                    .iter()
                    .zip(&points)
                    .all(|(&rank, point)| { found.distinct[rank as usize].0 == need.bind(point) })
            );
            counts.push((found.distinct.len(), *found.ranks.iter().max().unwrap()));
        }
        counts.sort_unstable();
        assert_eq!(counts, [(3, 2), (4, 3)]);
        let comparisons = Need::comparisons(&strategy, &roots, &[]);
        let mut distinct: Vec<usize> = comparisons.iter().map(|need| need.bindings(&points).distinct.len()).collect();
        distinct.sort_unstable();
        assert_eq!(distinct, [1, 12]);
    }
}
