//! Who evaluates: one thread or a pool.
//!
//! Given a list of work cut into portions, somebody who can [`map`](Workers::map) gives the results in the order of the
//! list; what a column, a comparison and a trial come to is said here once, for everyone. This file never knows how
//! threads are started or woken.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::planner;
use super::{Evaluator, Outcome, Scratch};
use crate::cache::Column;
use crate::context::{BoundColumn, Comparing, Condition, Prepared};
use crate::engine::fast::lanes::LANES;

/// Fewest blocks of rows that are compared together: before the first one, the averages of the rows before are made up.
const BLOCKS: usize = 8;

/// Those who evaluate. Whoever works through what, results come in the order of the items.
pub trait Workers {
    /// How many work at the same time.
    fn threads(&self) -> usize;

    /// Works through `portions` of a list, each by one thread with memory of its own, the first ones first; the results
    /// of all portions, in order.
    fn map<R: Send>(
        &mut self,
        portions: &[Range<usize>],
        work: impl Fn(Range<usize>, &mut Scratch) -> Vec<R> + Sync,
    ) -> Vec<R>;

    /// Evaluates some trials on one thread.
    fn evaluate(
        evaluator: &Evaluator,
        indices: &[u64],
        points: &[Vec<f64>],
        prepared: &Prepared,
        scratch: &mut Scratch,
    ) -> Vec<Outcome> {
        evaluator.trials(indices, points, prepared, scratch)
    }

    /// Computes each of the wanted columns.
    fn columns(&mut self, evaluator: &Evaluator, wanted: &[(BoundColumn, usize)], points: &[Vec<f64>]) -> Vec<Column> {
        columns(self, evaluator, wanted, points)
    }

    /// Makes each of the comparisons between prepared columns.
    fn comparisons(
        &mut self,
        evaluator: &Evaluator,
        wanted: &[(BoundColumn, usize)],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Vec<Arc<Condition>> {
        let comparing = evaluator.comparing(wanted, points, prepared);
        let portions = planner::portions(comparing.blocks(), self.threads(), BLOCKS, 1);
        let endless = if portions.len() > 1 { comparing.endless() } else { Vec::new() };
        let cut = planner::portions(endless.len(), self.threads(), 1, 1);
        let states = self.map(&cut, |range, _| comparing.states(&endless[range], &portions));
        let mut truths = comparing.memory();
        let parts = Comparing::parts(&mut truths, &portions);
        let numbers: Vec<Range<usize>> = (0..portions.len()).map(|number| number..number + 1).collect();
        self.map(&numbers, |range, _| {
            range.for_each(|k| comparing.work(k, portions[k].clone(), &states, &parts[k]));
            Vec::<()>::new()
        });
        drop(parts);
        comparing.finish(truths)
    }

    /// Evaluates each trial.
    fn trials(
        &mut self,
        evaluator: &Evaluator,
        indices: &[u64],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Vec<Outcome> {
        trials(self, evaluator, indices, points, prepared, 1)
    }
}

/// [`Workers::columns`] as it is unless somebody has more to say: one column at a time.
pub fn columns<W: Workers + ?Sized>(
    workers: &mut W,
    evaluator: &Evaluator,
    wanted: &[(BoundColumn, usize)],
    points: &[Vec<f64>],
) -> Vec<Column> {
    let portions = planner::portions(wanted.len(), workers.threads(), 1, 1);
    workers.map(&portions, |range, _| {
        wanted[range].iter().map(|(column, k)| evaluator.compute(column, &points[*k])).collect()
    })
}

/// [`Workers::trials`] as it is unless somebody has more to say: at least `least` trials at a time, and whole groups of
/// those that go side by side.
pub fn trials<W: Workers + ?Sized>(
    workers: &mut W,
    evaluator: &Evaluator,
    indices: &[u64],
    points: &[Vec<f64>],
    prepared: &Prepared,
    least: usize,
) -> Vec<Outcome> {
    // Lanes that stay empty cost as much as full ones; with less than a group for each thread they are the smaller evil.
    let grouped = indices.len() >= workers.threads() * LANES && evaluator.side_by_side_pays(points, prepared);
    let portions = planner::portions(indices.len(), workers.threads(), least, if grouped { LANES } else { 1 });
    workers.map(&portions, |range, scratch| {
        W::evaluate(evaluator, &indices[range.clone()], &points[range], prepared, scratch)
    })
}

/// What one thread of a pool does: takes the next portion until none is left. `next` counts those that were taken.
pub fn take_in_turn<R>(
    next: &AtomicUsize,
    portions: &[Range<usize>],
    mut work: impl FnMut(Range<usize>) -> Vec<R>,
) -> Vec<(usize, Vec<R>)> {
    let mut made = Vec::new();
    loop {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let Some(range) = portions.get(place) else { return made };
        made.push((place, work(range.clone())));
    }
}

/// What the threads of a pool made by [`take_in_turn`], in the order of the items.
pub fn in_order<R>(made: Vec<Vec<(usize, Vec<R>)>>) -> Vec<R> {
    let mut parts: Vec<(usize, Vec<R>)> = made.into_iter().flatten().collect();
    parts.sort_unstable_by_key(|(place, _)| *place);
    let mut all = Vec::with_capacity(parts.iter().map(|(_, part)| part.len()).sum());
    parts.iter_mut().for_each(|(_, part)| all.append(part));
    all
}

/// The calling thread.
#[derive(Debug, Default)]
pub struct OneThread(Scratch);

impl OneThread {
    /// Its memory.
    pub fn memory(&mut self) -> &mut Scratch {
        &mut self.0
    }
}

impl Workers for OneThread {
    fn threads(&self) -> usize {
        1
    }

    fn map<R: Send>(
        &mut self,
        portions: &[Range<usize>],
        work: impl Fn(Range<usize>, &mut Scratch) -> Vec<R> + Sync,
    ) -> Vec<R> {
        match portions {
            [all] => work(all.clone(), &mut self.0),
            _ => portions.iter().flat_map(|range| work(range.clone(), &mut self.0)).collect(),
        }
    }
}
