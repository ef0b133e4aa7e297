//! Simple and exponential averages of one column for several periods at once, some rows at a time and without keeping any.
//!
//! Given a column, this file gives rows of averages with the bits of [`super::window::sma`] and [`super::averages::ema`]: the
//! same operations in the same order. Eight periods advance together, because one alone would wait for its own
//! additions.

use std::ops::Range;

use super::averages::ema_weights;
use super::window::stripe;
use super::{check_params, find};
use crate::num::NAN;
use crate::simd::{Eight, LANES};

/// Most rows at a time.
pub(crate) const ROWS: usize = 512;

/// Periods that are not worth a whole group.
const FEW: usize = 2;

/// An average over a period of at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Average {
    pub kind: Kind,
    pub period: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Simple,
    Exponential,
}

/// Averages of one column.
#[derive(Debug)]
pub(crate) struct Averages<'a> {
    x: &'a [f64],
    /// Rows in which the column is finite, run by run: each average starts anew in each of them.
    runs: &'a [Range<usize>],
    groups: Vec<Group>,
    /// Group and lane of each average.
    places: Vec<(usize, usize)>,
    /// Behind the last row that was filled in.
    row: usize,
}

/// Up to eight periods of one kind.
#[derive(Debug)]
struct Group {
    kind: Kind,
    count: usize,
    periods: [usize; LANES],
    /// What the last average and the new value count, of exponential ones.
    weights: [[f64; LANES]; 2],
    state: State,
    rows: [[f64; ROWS]; LANES],
}

/// How far the averages of a group are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// Of simple ones, the sum of the window but for the value that enters next; of exponential ones, the last average.
    values: [f64; LANES],
    /// Row at which each starts anew; 0 where it is not under way.
    renewals: [usize; LANES],
    /// First row of the run that they are in.
    run: usize,
}

const IDLE: State = State { values: [0.0; LANES], renewals: [0; LANES], run: 0 };

impl Average {
    /// The average that this indicator gives with this period, if it is one of them and takes the period.
    pub fn of(kind: Kind, period: f64) -> Option<Average> {
        let (_, indicator) = find(match kind {
            Kind::Simple => "sma",
            Kind::Exponential => "ema",
        })?;
        check_params(indicator, &[period]).is_ok().then_some(Average { kind, period: period as usize })
    }
}

impl<'a> Averages<'a> {
    /// Averages of `x`; `runs` are all rows where `x` is finite.
    pub fn new(x: &'a [f64], runs: &'a [Range<usize>], averages: &[Average]) -> Averages<'a> {
        let mut places = vec![(0, 0); averages.len()];
        let mut groups = Vec::new();
        for kind in [Kind::Simple, Kind::Exponential] {
            let of_kind: Vec<usize> = (0..averages.len()).filter(|&k| averages[k].kind == kind).collect();
            for members in of_kind.chunks(LANES) {
                members.iter().enumerate().for_each(|(lane, &k)| places[k] = (groups.len(), lane));
                // Places that are left over repeat the last one.
                let member = |lane: usize| members[lane.min(members.len() - 1)];
                let periods: [usize; LANES] = std::array::from_fn(|lane| averages[member(lane)].period.max(1));
                let weights = periods.map(ema_weights);
                groups.push(Group {
                    kind,
                    count: if members.len() > FEW { LANES } else { FEW },
                    periods,
                    weights: [weights.map(|(keep, _)| keep), weights.map(|(_, take)| take)],
                    state: IDLE,
                    rows: [[NAN; ROWS]; LANES],
                });
            }
        }
        Averages { x, runs, groups, places, row: 0 }
    }

    /// Computes at most [`ROWS`] rows, fastest where they follow those of the last time.
    #[inline(always)]
    pub fn fill<E: Eight>(&mut self, rows: Range<usize>) {
        let follows = self.row == rows.start;
        self.row = rows.end;
        for group in &mut self.groups {
            if !follows {
                group.state = IDLE;
            }
            group.advance(self.x, self.runs, rows.clone());
            if group.kind == Kind::Exponential {
                continue;
            }
            for lane in 0..group.count {
                let count = E::splat(group.periods[lane] as f64);
                for sums in group.rows[lane].as_chunks_mut().0 {
                    E::load(sums).div(count).store(sums);
                }
            }
        }
    }

    /// The rows of the `k`th average that [`Averages::fill`] computed, NaN where it is undefined; what lies behind them
    /// means nothing.
    #[inline(always)]
    pub fn rows(&self, k: usize) -> &[f64; ROWS] {
        let (group, lane) = self.places[k];
        &self.groups[group].rows[lane]
    }

    /// The groups whose values depend on all rows of their run before.
    pub fn endless(&self) -> Vec<usize> {
        (0..self.groups.len()).filter(|&group| self.groups[group].kind == Kind::Exponential).collect()
    }

    /// How far a group is in front of each of some rows, which ascend.
    pub fn states(&mut self, group: usize, before: &[usize]) -> Vec<State> {
        let (group, mut row) = (&mut self.groups[group], 0);
        group.state = IDLE;
        let mut state_at = |end: usize| {
            while row < end {
                let next = end.min(row + ROWS);
                group.advance(self.x, self.runs, row..next);
                row = next;
            }
            group.state
        };
        before.iter().map(|&end| state_at(end)).collect()
    }

    /// Goes on at a row where groups are as far as this.
    pub fn resume(&mut self, row: usize, states: impl Iterator<Item = (usize, State)>) {
        self.row = row;
        self.groups.iter_mut().for_each(|group| group.state = IDLE);
        states.for_each(|(group, state)| self.groups[group].state = state);
    }
}

impl Group {
    /// Sums of the windows that end in `rows`, or averages; NaN where there is none.
    #[inline(never)]
    fn advance(&mut self, x: &[f64], runs: &[Range<usize>], rows: Range<usize>) {
        let mut row = rows.start;
        while row < rows.end {
            let place = row - rows.start;
            let mut end = rows.end;
            let run = &runs[runs.partition_point(|run| run.end <= row)..];
            let Some(run) = run.first().filter(|run| run.start <= row) else {
                end = run.first().map_or(end, |run| end.min(run.start));
                self.rows.iter_mut().for_each(|out| out[place..end - rows.start].fill(NAN));
                row = end;
                continue;
            };
            end = end.min(run.end);
            if self.state.run != run.start {
                self.state = State { run: run.start, ..IDLE };
            }
            // What an undefined one comes to does not matter: it starts anew as soon as its window is full.
            let (mut leaving, mut undefined, mut seeds) = ([row; LANES], [false; LANES], [None; LANES]);
            for lane in 0..self.count {
                let period = self.periods[lane];
                let first = run.start + (period - 1);
                undefined[lane] = row < first;
                if row < first {
                    end = end.min(first);
                    continue;
                }
                leaving[lane] = row + 1 - period;
                if self.state.renewals[lane] <= row {
                    match self.kind {
                        Kind::Simple => self.start(x, lane, row, (row - first) % stripe(period)),
                        Kind::Exponential => seeds[lane] = self.seed(x, lane, first, row),
                    }
                }
                end = if seeds[lane].is_some() { row + 1 } else { end.min(self.state.renewals[lane]) };
            }
            let n = end - row;
            let outs = self.rows.each_mut().map(|out| &mut out[place..place + n]);
            let (entering, values) = (&x[row..end], &mut self.state.values);
            match self.kind {
                Kind::Simple if self.count == LANES => {
                    slide::<LANES>(entering, leaving.map(|from| &x[from..from + n]), values, outs);
                }
                Kind::Simple => slide::<FEW>(entering, leaving.map(|from| &x[from..from + n]), values, outs),
                Kind::Exponential if self.count == LANES => smooth::<LANES>(entering, &self.weights, values, outs),
                Kind::Exponential => smooth::<FEW>(entering, &self.weights, values, outs),
            }
            for lane in 0..self.count {
                if let Some(seed) = seeds[lane] {
                    self.state.values[lane] = seed;
                    self.rows[lane][place] = seed;
                }
                if undefined[lane] {
                    self.rows[lane][place..place + n].fill(NAN);
                }
            }
            row = end;
        }
    }

    /// The sum of a window that ends at `row`, but for that value, as it is `into` rows after the beginning of its stripe.
    fn start(&mut self, x: &[f64], lane: usize, row: usize, into: usize) {
        let period = self.periods[lane];
        let begin = row - into + 1 - period;
        let mut total: f64 = 0.0;
        for value in &x[begin..begin + period - 1] {
            total += value;
        }
        for (entering, leaving) in x[row - into..row].iter().zip(&x[begin..]) {
            total += entering;
            total -= leaving;
        }
        self.state.values[lane] = total;
        self.state.renewals[lane] = row - into + stripe(period);
    }

    /// Begins an exponential average: gives it, if `row` is its first one, and goes as far as the row before otherwise.
    fn seed(&mut self, x: &[f64], lane: usize, first: usize, row: usize) -> Option<f64> {
        let period = self.periods[lane];
        let [keep, take] = self.weights.map(|weights| weights[lane]);
        let window = &x[first + 1 - period..=first];
        let mut average = window.iter().fold(0.0, |total, value| total + value) / period as f64;
        self.state.renewals[lane] = usize::MAX;
        if row == first {
            return Some(average);
        }
        for value in &x[first + 1..row] {
            average = keep * average + take * value;
        }
        self.state.values[lane] = average;
        None
    }
}

/// Moves windows on, row by row.
fn slide<const N: usize>(
    entering: &[f64],
    leaving: [&[f64]; LANES],
    totals: &mut [f64; LANES],
    outs: [&mut [f64]; LANES],
) {
    let count = entering.len();
    let leaving = leaving.map(|values| &values[..count]);
    let outs = outs.map(|out| &mut out[..count]);
    let mut sums = *totals;
    for row in 0..count {
        for lane in 0..N {
            sums[lane] += entering[row];
            outs[lane][row] = sums[lane];
            sums[lane] -= leaving[lane][row];
        }
    }
    *totals = sums;
}

/// Moves exponential averages on, row by row.
fn smooth<const N: usize>(
    entering: &[f64],
    [keep, take]: &[[f64; LANES]; 2],
    averages: &mut [f64; LANES],
    outs: [&mut [f64]; LANES],
) {
    let count = entering.len();
    let outs = outs.map(|out| &mut out[..count]);
    let mut values = *averages;
    for row in 0..count {
        for lane in 0..N {
            values[lane] = keep[lane] * values[lane] + take[lane] * entering[row];
            outs[lane][row] = values[lane];
        }
    }
    *averages = values;
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::indicators::{compute, finite_runs};
    use crate::rng::Stream;
    use crate::simd::{self, Work};

    struct Fill<'a, 'b>(&'b mut Averages<'a>, Range<usize>);

    impl Work for Fill<'_, '_> {
        type Output = ();

        fn run<E: Eight>(self) {
            self.0.fill::<E>(self.1);
        }
    }

    #[test]
    fn rows_at_a_time_are_the_rows_of_the_indicator_wherever_one_begins() {
        let mut random = Stream::new(7, [1, 2]);
        for case in 0..60 {
            let len = 1 + (random.uniform() * 6000.0) as usize;
            let mut x: Vec<f64> = (0..len).map(|_| 100.0 * random.uniform() - 30.0).collect();
            for _ in 0..case % 5 {
                x[(random.uniform() * len as f64) as usize] = [NAN, f64::INFINITY][case % 2];
            }
            let cut = (random.uniform() * len as f64) as usize;
            let spans = [0..cut, cut..len];
            let runs: Vec<Range<usize>> = spans.iter().flat_map(|span| finite_runs(&x, span.clone())).collect();
            let count = 1 + case % 19;
            let periods: Vec<usize> = (0..count)
                .map(|_| {
                    1 + (random.uniform() * random.uniform() * if case.is_multiple_of(3) { 900.0 } else { 70.0 })
                        as usize
                })
                .collect();
            let kind = |k: usize| if (k + case).is_multiple_of(3) { Kind::Exponential } else { Kind::Simple };
            let wanted: Vec<Average> =
                periods.iter().enumerate().map(|(k, &period)| Average { kind: kind(k), period }).collect();
            let columns: Vec<Vec<f64>> = wanted
                .iter()
                .map(|average| {
                    let name = if average.kind == Kind::Simple { "sma" } else { "ema" };
                    let (_, indicator) = find(name).unwrap();
                    let mut column = vec![0.0; len];
                    for span in &spans {
                        let period = average.period as f64;
                        compute(indicator, &[&x[span.clone()]], &[period], &mut [&mut column[span.clone()]]);
                    }
                    column
                })
                .collect();
            let mut averages = Averages::new(&x, &runs, &wanted);
            // From the first row on, and again from somewhere else, knowing how far it is there or not.
            let somewhere = (random.uniform() * len as f64) as usize;
            for (first, known) in [(0, false), (somewhere, false), (len / 2, false), (somewhere, true), (len / 3, true)]
            {
                if known {
                    let states: Vec<(usize, State)> = averages
                        .endless()
                        .into_iter()
                        .map(|group| (group, averages.states(group, &[first / 2, first])[1]))
                        .collect();
                    averages.resume(first, states.into_iter());
                }
                let mut row = first;
                while row < len {
                    let end = len.min(row + 1 + (random.uniform() * ROWS as f64) as usize);
                    simd::run(Fill(&mut averages, row..end));
                    for (k, column) in columns.iter().enumerate() {
                        let bits = |values: &[f64]| {
                            values.iter().map(|x| crate::num::canonical(*x).to_bits()).collect::<Vec<_>>()
                        };
                        let found = &averages.rows(k)[..end - row];
                        assert!(bits(found) == bits(&column[row..end]), "case {case}, {:?}, rows {row}", wanted[k]);
                    }
                    row = end;
                }
            }
        }
    }
}
