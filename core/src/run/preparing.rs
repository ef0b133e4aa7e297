//! What the trials of a batch share, and how much of it is held at the same time.
//!
//! Given points, this file says which columns and comparisons they need, and has them computed. Averages that are
//! only compared are computed while they are ([`Comparing`]), where enough comparisons share them; a few trials find
//! theirs in the history layer faster.

use super::{Batch, Evaluator, OneThread, Workers, tiles};
use crate::context::{BoundColumn, Comparing, Need, Prepared};

/// Bytes that the comparisons of one batch may take.
const MOST_CONDITION_BYTES: usize = 64_000_000;

/// Comparisons for each average from which on averages are computed on the way.
const COMPARED_BY: usize = 2;

/// Bytes of averages that are held at most, however few comparisons share them.
const MOST_HELD: usize = 64_000_000;

/// Rows from which on a single trial computes averages on the way too: columns so long are seldom kept until someone asks
/// again, and fresh memory for one takes longer than to compute it.
const LONG: usize = 1 << 19;

/// What a batch shares.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Columns that are computed and held.
    columns: Vec<Need>,
    /// Light nodes whose values are held as well.
    light: Vec<Need>,
    /// The distinct comparisons that are made beforehand, each with the position of a point that binds it.
    comparisons: Vec<(BoundColumn, usize)>,
    /// Distinct averages that are computed on the way.
    passing: usize,
}

impl Layout {
    /// The distinct columns that points need, each with the position of a point that binds it.
    pub fn wanted(&self, points: &[Vec<f64>]) -> Vec<(BoundColumn, usize)> {
        distinct(&self.columns, points)
    }

    /// Columns that are computed on the way and not held.
    pub fn passing(&self) -> usize {
        self.passing
    }

    /// The comparisons that are made beforehand.
    pub fn comparisons(&self) -> usize {
        self.comparisons.len()
    }
}

impl Evaluator {
    /// What the trials at these points share.
    pub fn layout(&self, points: &[Vec<f64>]) -> Layout {
        // A comparison that one trial makes alone is not worth it.
        self.lay_out(points, if points.len() > 1 { 1 } else { 2 })
    }

    /// The same; `least` comparisons are worth to be made beforehand.
    fn lay_out(&self, points: &[Vec<f64>], least: usize) -> Layout {
        let (strategy, rows) = (self.plan.strategy(), self.context.panel.rows());
        let roots = strategy.rules.nodes();
        let light = Need::light(strategy, &roots, points);
        let made;
        let needs = match &light[..] {
            [] => &self.comparisons,
            light => {
                made = Need::comparisons(strategy, &roots, light);
                &made
            }
        };
        let mut comparisons = distinct(needs, points);
        // More would take memory that a batch should not have.
        if comparisons.len() < least || comparisons.len().saturating_mul(rows / 4) > MOST_CONDITION_BYTES {
            comparisons.clear();
            return Layout { columns: self.columns.clone(), light, comparisons, passing: 0 };
        }
        let averages = Need::averages(&self.context, strategy, &roots, &self.columns, needs);
        let passing = distinct(&averages, points).len();
        let shared = comparisons.len() >= passing * COMPARED_BY || rows >= LONG || passing * rows * 8 > MOST_HELD;
        let (passing, averages) = if shared { (passing, averages) } else { (0, Vec::new()) };
        let columns = self.columns.iter().filter(|need| !averages.contains(need)).cloned().collect();
        Layout { columns, light, comparisons, passing }
    }

    /// Positions of a batch's trials in groups whose columns take at most `bytes`, if they are more than one column of
    /// each kind: all in one where they take no more, so that what a batch holds depends neither on the number of its
    /// trials nor on that of its bars. Groups are evaluated one after another; no result depends on them.
    pub fn tiles(&self, points: &[Vec<f64>], bytes: usize) -> Vec<Vec<usize>> {
        let most = bytes / (self.context.panel.rows() * 8).max(1);
        let tiles = |needs: &[Need]| {
            let ranks: Vec<Vec<u32>> = needs.iter().map(|need| need.bindings(points).ranks).collect();
            tiles::tiles(&ranks, points.len(), most)
        };
        let all = tiles(&self.columns);
        if all.len() < 2 { all } else { tiles(&self.layout(points).columns) }
    }

    /// Computes all columns that a batch needs, and makes the comparisons.
    pub fn prepare(&self, batch: &Batch, workers: &mut impl Workers) -> Prepared {
        self.prepare_as(self.layout(&batch.points), &batch.points, workers)
    }

    /// What a single trial computes on the way.
    pub(super) fn alone(&self, point: &[f64]) -> Prepared {
        if self.context.panel.rows() < LONG {
            return Prepared::default();
        }
        let points = [point.to_vec()];
        let layout = self.lay_out(&points, 1);
        if layout.passing == 0 {
            Prepared::default()
        } else {
            self.prepare_as(layout, &points, &mut OneThread::default())
        }
    }

    fn prepare_as(&self, layout: Layout, points: &[Vec<f64>], workers: &mut impl Workers) -> Prepared {
        let strategy = self.plan.strategy();
        let wanted = layout.wanted(points);
        let columns = workers.columns(self, &wanted, points);
        let mut prepared = Prepared::default();
        for ((wanted, _), column) in wanted.into_iter().zip(columns) {
            prepared.insert(wanted, column);
        }
        for need in &layout.light {
            for (wanted, position) in need.bindings(points).distinct {
                let column = self.context.compute_given(strategy, &wanted, &points[position], &prepared);
                prepared.insert(wanted, column);
            }
            prepared.share(need);
        }
        if !layout.comparisons.is_empty() {
            let conditions = workers.comparisons(self, &layout.comparisons, points, &prepared);
            for ((wanted, _), condition) in layout.comparisons.into_iter().zip(conditions) {
                prepared.insert_condition(wanted, condition);
            }
        }
        prepared.add_passing(layout.passing);
        prepared
    }

    /// Lays out comparisons of a batch.
    pub fn comparing<'a>(
        &'a self,
        wanted: &[(BoundColumn, usize)],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Comparing<'a> {
        self.context.comparing(self.plan.strategy(), wanted, points, prepared)
    }
}

/// The distinct bindings of some needs.
fn distinct(needs: &[Need], points: &[Vec<f64>]) -> Vec<(BoundColumn, usize)> {
    needs.iter().flat_map(|need| need.bindings(points).distinct).collect()
}
