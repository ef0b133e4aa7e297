//! Comparisons that trials of a batch make between prepared columns, all at once.
//!
//! A grid of two averages compares each of the one with each of the other: done trial by trial, every comparison would
//! fetch two whole columns from far away. Here rows go block by block, and a block of all columns stays near the
//! processor while it is compared.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::condition::{self, Condition, Gaps, ROWS, Side};
use super::evaluate::{BoundColumn, Context, Prepared, bind};
use crate::cache::Column;
use crate::num::NAN;
use crate::simd::{self, Eight, Work};
use crate::strategy::{BinaryOp, Node, NodeId, Strategy};

/// Words of one block: 512 rows, 4 KB of a column, so that blocks of a hundred columns stay close to the processor.
const BLOCK: usize = 8;

/// In which words columns may be NaN. A column goes through many batches, on several threads, and is looked through once.
#[derive(Debug, Default)]
pub(super) struct KnownGaps(Mutex<Known>);

/// Columns by their addresses.
type Known = BTreeMap<usize, (Weak<Vec<f64>>, Gaps)>;

/// Columns from which on those that nobody holds any more are forgotten.
const MOST_KNOWN: usize = 1024;

impl KnownGaps {
    /// Those of a column. It is known by its address, which no other one gets as long as it is remembered here.
    fn of(&self, column: &Column) -> Gaps {
        let address = Arc::as_ptr(column).addr();
        if let Some((_, gaps)) = self.known().get(&address) {
            return gaps.clone();
        }
        let gaps = Gaps::of(column);
        let mut known = self.known();
        if known.len() >= MOST_KNOWN {
            known.retain(|_, (column, _)| column.strong_count() > 0);
        }
        known.insert(address, (Arc::downgrade(column), gaps.clone()));
        gaps
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One side of a comparison, as it is held.
enum Operand<'a> {
    Held(Column),
    Borrowed(&'a [f64]),
    Scalar(f64),
}

impl Operand<'_> {
    fn column(&self) -> Option<&[f64]> {
        match self {
            Operand::Held(column) => Some(column),
            Operand::Borrowed(column) => Some(column),
            Operand::Scalar(_) => None,
        }
    }

    fn side(&self) -> Side<'_> {
        match self {
            Operand::Scalar(x) => Side::Scalar(*x),
            other => Side::Column(other.column().unwrap_or_default()),
        }
    }
}

struct Comparison<'a> {
    op: BinaryOp,
    left: Operand<'a>,
    right: Operand<'a>,
    /// The words in which it may be undefined.
    gaps: Gaps,
}

impl Comparison<'_> {
    /// The operation with a column on its left.
    fn sides(&self) -> (BinaryOp, &[f64], Side<'_>) {
        match self.left.column() {
            Some(column) => (self.op, column, self.right.side()),
            None => (condition::mirrored(self.op), self.right.column().unwrap_or_default(), self.left.side()),
        }
    }
}

/// All comparisons, block by block.
struct CompareAll<'a, 'b> {
    comparisons: &'a [Option<Comparison<'b>>],
    conditions: &'a mut [Condition],
    words: usize,
}

impl Work for CompareAll<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<E: Eight>(self) {
        for start in (0..self.words).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(self.words);
            for (comparison, condition) in self.comparisons.iter().zip(&mut *self.conditions) {
                if let Some(comparison) = comparison {
                    let (op, a, b) = comparison.sides();
                    let words = condition.words_mut(block.clone());
                    Condition::compare_with::<E>(op, a, b, block.clone(), &comparison.gaps, words);
                }
            }
        }
    }
}

impl Context {
    /// Makes comparisons, each bound at one of the points.
    pub fn compare_all(
        &self,
        strategy: &Strategy,
        wanted: &[(BoundColumn, usize)],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Vec<Arc<Condition>> {
        let rows = self.panel.rows();
        let mut known = BTreeMap::new();
        let comparisons: Vec<Option<Comparison>> = wanted
            .iter()
            .map(|(bound, k)| self.comparison(strategy, bound.node, &points[*k], prepared, &mut known))
            .collect();
        let mut conditions: Vec<Condition> = wanted.iter().map(|_| Condition::falsehood(rows)).collect();
        simd::run(CompareAll { comparisons: &comparisons, conditions: &mut conditions, words: rows.div_ceil(ROWS) });
        for (condition, comparison) in conditions.iter_mut().zip(comparisons) {
            condition.set_gaps(comparison.map_or_else(Gaps::default, |comparison| comparison.gaps));
        }
        conditions.into_iter().map(Arc::new).collect()
    }

    fn comparison<'a>(
        &'a self,
        strategy: &Strategy,
        node: NodeId,
        point: &[f64],
        prepared: &Prepared,
        known: &mut BTreeMap<*const f64, Gaps>,
    ) -> Option<Comparison<'a>> {
        let Node::Binary(op, a, b) = strategy.program.node(node) else { return None };
        let operand = |id: NodeId| match strategy.program.node(id) {
            Node::Number(x) => Operand::Scalar(*x),
            Node::Param(index) => Operand::Scalar(point.get(*index as usize).copied().unwrap_or(NAN)),
            Node::Field(field) => Operand::Borrowed(self.panel.field(*field)),
            _ => {
                let bound = bind(strategy, id, point);
                let column = prepared.column(&bound);
                Operand::Held(column.unwrap_or_else(|| self.compute(strategy, &bound, point)))
            }
        };
        let (left, right) = (operand(*a), operand(*b));
        let mut gaps = Gaps::default();
        for side in [&left, &right] {
            match (side, side.column()) {
                (Operand::Held(column), _) => gaps.add(&self.known_gaps.of(column)),
                (_, Some(column)) => gaps.add(known.entry(column.as_ptr()).or_insert_with(|| Gaps::of(column))),
                (_, None) if matches!(side, Operand::Scalar(x) if x.is_nan()) => {
                    gaps.add(&Gaps::everywhere(self.panel.rows()));
                }
                (_, None) => {}
            }
        }
        Some(Comparison { op: *op, left, right, gaps })
    }
}
