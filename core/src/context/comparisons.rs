//! Comparisons that trials of a batch make between columns, all at once.
//!
//! A grid of two averages compares each of the one with each of the other: done trial by trial, every comparison would
//! fetch two whole columns from far away. Here rows go block by block, and a block of all columns stays near the
//! processor while it is compared. Averages that nobody else asks for are computed block by block as well and never kept:
//! that costs less than to write them and to read them again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::condition::{self, Condition, Nans, ROWS, Side};
use super::evaluate::{BoundColumn, Context, Prepared, bind};
use crate::bundle::Field;
use crate::cache::Column;
use crate::indicators::{self, Average, AverageKind, Averages, AveragesState, ROLLING_ROWS};
use crate::num::NAN;
use crate::simd::{self, Eight, Work};
use crate::strategy::{BinaryOp, Node, NodeId, Strategy};

/// Words of one block: 512 rows, 4 KB of a column, so that blocks of a hundred columns stay close to the processor.
const BLOCK: usize = ROLLING_ROWS / ROWS;

/// Where columns are NaN. A column goes through many batches, on several threads, and is looked through once.
#[derive(Debug, Default)]
pub(super) struct KnownNans(Mutex<Known>);

/// Columns by their addresses.
type Known = BTreeMap<usize, (Weak<Vec<f64>>, Nans)>;

/// Columns from which on those that nobody holds any more are forgotten.
const MOST_KNOWN: usize = 256;

impl KnownNans {
    /// Those of a column. It is known by its address, which no other one gets as long as it is remembered here.
    fn of(&self, column: &Column) -> Nans {
        let address = Arc::as_ptr(column).addr();
        if let Some((_, nans)) = self.known().get(&address) {
            return nans.clone();
        }
        let nans = Nans::of(column);
        let mut known = self.known();
        if known.len() >= MOST_KNOWN {
            known.retain(|_, (column, _)| column.strong_count() > 0);
        }
        known.insert(address, (Arc::downgrade(column), nans.clone()));
        nans
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One side of a comparison, as it is held.
#[derive(Debug)]
enum Operand<'a> {
    Held(Column),
    Borrowed(&'a [f64]),
    Scalar(f64),
    /// An average that is computed on the way: its field's place and its own place there.
    Average(usize, usize),
}

#[derive(Debug)]
struct Comparison<'a> {
    op: BinaryOp,
    left: Operand<'a>,
    right: Operand<'a>,
    nans: Nans,
}

/// Averages of one field that are computed on the way.
#[derive(Debug)]
struct Averaged<'a> {
    x: &'a [f64],
    runs: Vec<Range<usize>>,
    averages: Vec<Average>,
    /// Where each average is NaN.
    nans: Vec<Nans>,
}

/// Comparisons that are made block by block.
#[derive(Debug)]
pub struct Comparing<'a> {
    rows: usize,
    comparisons: Vec<Option<Comparison<'a>>>,
    averaged: Vec<Averaged<'a>>,
}

/// The words of each comparison that some blocks fill in.
pub type Part<'a> = Mutex<Vec<&'a mut [u64]>>;

/// How far averages are in front of each portion of blocks: one field's place, the place of a group, its states.
#[derive(Debug)]
pub struct States {
    field: usize,
    group: usize,
    states: Vec<AveragesState>,
}

/// Some blocks of all comparisons.
struct CompareAll<'a, 'b, 'c> {
    comparing: &'a Comparing<'b>,
    averages: Vec<Averages<'a>>,
    blocks: Range<usize>,
    truths: &'a mut [&'c mut [u64]],
}

impl Work for CompareAll<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<E: Eight>(self) {
        let CompareAll { comparing, mut averages, blocks, truths } = self;
        let (rows, start) = (comparing.rows, blocks.start);
        for block in blocks {
            let of = block * ROLLING_ROWS..rows.min((block + 1) * ROLLING_ROWS);
            for averages in &mut averages {
                averages.fill::<E>(of.clone());
            }
            let first = (block - start) * BLOCK;
            for (comparison, truth) in comparing.comparisons.iter().zip(&mut *truths) {
                let Some(comparison) = comparison else { continue };
                let truth = &mut truth[first..first + of.len().div_ceil(ROWS)];
                match (comparison.left.rows(&averages, &of), comparison.right.rows(&averages, &of)) {
                    (Side::Column(a), b) => Condition::hold::<E>(comparison.op, a, b, truth),
                    (a, Side::Column(b)) => Condition::hold::<E>(condition::mirrored(comparison.op), b, a, truth),
                    (Side::Scalar(a), Side::Scalar(b)) => {
                        let (a, b) = ([a; ROLLING_ROWS], Side::Scalar(b));
                        Condition::hold::<E>(comparison.op, &a[..of.len()], b, truth);
                    }
                }
            }
        }
    }
}

impl Operand<'_> {
    /// Its values at some rows, of which `averages` have theirs.
    #[inline(always)]
    fn rows<'a>(&'a self, averages: &'a [Averages], rows: &Range<usize>) -> Side<'a> {
        match self {
            Operand::Held(column) => Side::Column(&column[rows.clone()]),
            Operand::Borrowed(column) => Side::Column(&column[rows.clone()]),
            Operand::Scalar(x) => Side::Scalar(*x),
            Operand::Average(field, period) => Side::Column(&averages[*field].rows(*period)[..rows.len()]),
        }
    }
}

impl Comparing<'_> {
    /// Number of blocks of rows, each of which can be worked through by itself.
    pub fn blocks(&self) -> usize {
        self.rows.div_ceil(ROLLING_ROWS)
    }

    /// Memory for what [`Comparing::work`] finds.
    pub fn memory(&self) -> Vec<Vec<u64>> {
        self.comparisons.iter().map(|_| vec![0; self.rows.div_ceil(ROWS)]).collect()
    }

    /// That memory in parts: one for each of `portions`, which are all blocks one after another.
    pub fn parts<'a>(truths: &'a mut [Vec<u64>], portions: &[Range<usize>]) -> Vec<Part<'a>> {
        let mut parts: Vec<Vec<&mut [u64]>> = portions.iter().map(|_| Vec::with_capacity(truths.len())).collect();
        for truth in truths {
            let mut rest = &mut truth[..];
            for (portion, part) in portions.iter().zip(&mut parts) {
                let (words, behind) = rest.split_at_mut(rest.len().min(portion.len() * BLOCK));
                part.push(words);
                rest = behind;
            }
        }
        parts.into_iter().map(Mutex::new).collect()
    }

    /// Groups of averages whose values depend on all rows before, field by field: where there are several portions,
    /// [`Comparing::states`] says how far each is in front of them.
    pub fn endless(&self) -> Vec<(usize, usize)> {
        let of_field =
            |(field, averages): (usize, Averages)| averages.endless().into_iter().map(move |group| (field, group));
        self.all_averages().into_iter().enumerate().flat_map(of_field).collect()
    }

    /// How far some groups of averages are in front of each portion.
    pub fn states(&self, groups: &[(usize, usize)], portions: &[Range<usize>]) -> Vec<States> {
        let before: Vec<usize> = portions.iter().map(|portion| portion.start * ROLLING_ROWS).collect();
        let mut averages = self.all_averages();
        let of =
            |&(field, group): &(usize, usize)| States { field, group, states: averages[field].states(group, &before) };
        groups.iter().map(of).collect()
    }

    /// The averages of each field.
    fn all_averages(&self) -> Vec<Averages<'_>> {
        self.averaged.iter().map(|of| Averages::new(of.x, &of.runs, &of.averages)).collect()
    }

    /// Makes all comparisons over some blocks, the `portion`th portion of those that `states` are about.
    pub fn work(&self, portion: usize, blocks: Range<usize>, states: &[States], part: &Part) {
        let mut truths = part.lock().unwrap_or_else(PoisonError::into_inner);
        let mut averages = self.all_averages();
        for (field, averages) in averages.iter_mut().enumerate() {
            let of_field = states.iter().filter(|states| states.field == field);
            let known = of_field.filter_map(|of| Some((of.group, *of.states.get(portion)?)));
            averages.resume(blocks.start * ROLLING_ROWS, known);
        }
        simd::run(CompareAll { comparing: self, averages, blocks, truths: &mut truths });
    }

    /// The conditions, once all blocks are filled in.
    pub fn finish(self, truths: Vec<Vec<u64>>) -> Vec<Arc<Condition>> {
        let condition = |(comparison, truth): (Option<Comparison>, _)| {
            let nans = comparison.map_or_else(|| Nans::nowhere(self.rows), |comparison| comparison.nans);
            Arc::new(Condition::of(self.rows, truth, &nans))
        };
        self.comparisons.into_iter().zip(truths).map(condition).collect()
    }

    /// Averages that are computed on the way.
    #[cfg(test)]
    pub fn averages(&self) -> usize {
        self.averaged.iter().map(|of| of.averages.len()).sum()
    }
}

/// What is known while comparisons are laid out.
#[derive(Default)]
struct Seen<'a> {
    averaged: Vec<Averaged<'a>>,
    /// Their places.
    places: BTreeMap<(Field, Average), (usize, usize)>,
    fields: BTreeMap<Field, Nans>,
    everywhere: Option<Nans>,
    /// Where either of two is NaN, by their addresses; both are held, so that no other one gets an address.
    unions: BTreeMap<(usize, usize), [Nans; 3]>,
}

impl Context {
    /// The node as an average that comparisons can compute on the way, whatever its period: its kind, the field and the node
    /// of the period.
    pub(super) fn average_of(&self, strategy: &Strategy, id: NodeId) -> Option<(AverageKind, Field, NodeId)> {
        let Node::Indicator { index, inputs, params, .. } = strategy.program.node(id) else { return None };
        let ([input], [period]) = (&inputs[..], &params[..]) else { return None };
        let Node::Field(field) = strategy.program.node(*input) else { return None };
        let plain = matches!(strategy.program.node(*period), Node::Number(_) | Node::Param(_));
        let kind = indicators::average_kind(*index)?;
        (plain && !self.sees_adjusted_past() && !self.has_given(id)).then_some((kind, *field, *period))
    }

    /// Lays out comparisons, each bound at one of the points.
    pub fn comparing<'a>(
        &'a self,
        strategy: &Strategy,
        wanted: &[(BoundColumn, usize)],
        points: &[Vec<f64>],
        prepared: &Prepared,
    ) -> Comparing<'a> {
        let mut seen = Seen::default();
        let comparison =
            |(bound, k): &(BoundColumn, usize)| self.comparison(strategy, bound.node, &points[*k], prepared, &mut seen);
        let comparisons = wanted.iter().map(comparison).collect();
        Comparing { rows: self.panel.rows(), comparisons, averaged: seen.averaged }
    }

    fn comparison<'a>(
        &'a self,
        strategy: &Strategy,
        node: NodeId,
        point: &[f64],
        prepared: &Prepared,
        seen: &mut Seen<'a>,
    ) -> Option<Comparison<'a>> {
        let (op, a, b) = strategy.program.node(node).comparison()?;
        let (left, left_nans) = self.operand(strategy, a, point, prepared, seen);
        let (right, right_nans) = self.operand(strategy, b, point, prepared, seen);
        let nans = match (left_nans, right_nans) {
            (Some(a), Some(b)) => {
                let addresses = (a.address(), b.address());
                let [union, ..] = seen.unions.entry(addresses).or_insert_with(|| [a.or(&b), a, b]);
                union.clone()
            }
            (one, other) => one.or(other).unwrap_or_else(|| Nans::nowhere(self.panel.rows())),
        };
        Some(Comparison { op, left, right, nans })
    }

    /// A side of a comparison, and where it is NaN.
    fn operand<'a>(
        &'a self,
        strategy: &Strategy,
        id: NodeId,
        point: &[f64],
        prepared: &Prepared,
        seen: &mut Seen<'a>,
    ) -> (Operand<'a>, Option<Nans>) {
        let rows = self.panel.rows();
        let value = |id: NodeId| match strategy.program.node(id) {
            Node::Number(x) => Some(*x),
            Node::Param(index) => Some(point.get(*index as usize).copied().unwrap_or(NAN)),
            _ => None,
        };
        if let Some(x) = value(id) {
            let nans = x.is_nan().then(|| seen.everywhere.get_or_insert_with(|| Nans::everywhere(rows)).clone());
            return (Operand::Scalar(x), nans);
        }
        if let Node::Field(field) = strategy.program.node(id) {
            let column = self.panel.field(*field);
            let nans = seen.fields.entry(*field).or_insert_with(|| Nans::of(column)).clone();
            return (Operand::Borrowed(column), Some(nans));
        }
        let bound = bind(strategy, id, point);
        let column = match prepared.column(&bound) {
            Some(column) => column,
            None => {
                if let Some((kind, field, period)) = self.average_of(strategy, id)
                    && let Some(average) = value(period).and_then(|period| Average::of(kind, period))
                {
                    let (place, k) = self.average(field, average, seen);
                    return (Operand::Average(place, k), Some(seen.averaged[place].nans[k].clone()));
                }
                self.compute(strategy, &bound, point)
            }
        };
        let nans = self.known_nans.of(&column);
        (Operand::Held(column), Some(nans))
    }

    /// The place of an average that is computed on the way.
    fn average<'a>(&'a self, field: Field, average: Average, seen: &mut Seen<'a>) -> (usize, usize) {
        if let Some(place) = seen.places.get(&(field, average)) {
            return *place;
        }
        let x = self.panel.field(field);
        let known = seen.averaged.iter().position(|of| std::ptr::eq(of.x, x));
        let place = known.unwrap_or_else(|| {
            let spans = self.panel.spans.iter();
            let runs = spans.flat_map(|span| indicators::finite_runs(x, span.rows())).collect();
            seen.averaged.push(Averaged { x, runs, averages: Vec::new(), nans: Vec::new() });
            seen.averaged.len() - 1
        });
        let of = &mut seen.averaged[place];
        let defined = |run: &Range<usize>| run.end.min(run.start + average.period - 1)..run.end;
        of.averages.push(average);
        of.nans.push(Nans::but_for(x.len(), of.runs.iter().map(defined)));
        seen.places.insert((field, average), (place, of.averages.len() - 1));
        (place, of.averages.len() - 1)
    }
}
