//! A metric over two axes of a space, whole from the start: cells that no trial has reached yet are empty.
//!
//! Where [`Heatmap`](super::Heatmap) collects what a stream of results brings, this lays results that are in memory
//! over a space that is known, keeps the best trial of each cell, and smooths.

use super::columns::{Results, Status};
use super::heatmap::Aggregate;
use crate::error::{Error, Result, nearest};
use crate::metrics;
use crate::num;
use crate::plan::{Direction, Space};

/// More cells than this are no picture any more.
const MOST_CELLS: u64 = 1 << 20;

/// Stands for "no trial" in [`Surface::trials`].
pub const NO_TRIAL: u64 = u64::MAX;

/// What to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct SurfaceQuery {
    /// Parameter across.
    pub x: String,
    /// Parameter down.
    pub y: String,
    /// Metric of the cells.
    pub metric: String,
    /// Which end of the metric is wanted.
    pub direction: Direction,
    /// How the trials of one cell become one number.
    pub aggregate: Aggregate,
    /// Only trials in which these parameters have these values.
    pub fixed: Vec<(String, f64)>,
}

/// A metric over two parameters of a space.
#[derive(Clone, Debug, PartialEq)]
pub struct Surface {
    /// Values of `x`, in the order of the space.
    pub x_values: Vec<f64>,
    /// Values of `y`, in the order of the space.
    pub y_values: Vec<f64>,
    /// One row of `x_values.len()` cells for each value of `y`; NaN where there is no value (yet).
    pub cells: Vec<f64>,
    /// Index of the best trial of each cell, [`NO_TRIAL`] where there is none.
    pub trials: Vec<u64>,
}

impl Surface {
    /// Lays results over the space that they belong to; trials that saw a part of the data are left out.
    ///
    /// # Errors
    /// No such parameter or metric, the same parameter twice, or more cells than a picture can have.
    pub fn new(space: &Space, results: &Results, query: &SurfaceQuery) -> Result<Surface> {
        let (x, y) = (axis(space, &query.x)?, axis(space, &query.y)?);
        if x == y {
            let message = format!("a heatmap needs two different parameters, found `{}` twice", query.x);
            return Err(Error::plan(message));
        }
        let metric = metrics::index_of(&query.metric).ok_or_else(|| {
            missing("metric", &query.metric, metrics::TABLE.iter().map(|metric| metric.name).collect())
        })?;
        let fixed: Vec<(usize, f64)> =
            query.fixed.iter().map(|(name, value)| Ok((axis(space, name)?, *value))).collect::<Result<_>>()?;

        let axes = space.axes();
        let (width, height) = (axes[x].len, axes[y].len);
        if width.saturating_mul(height) > MOST_CELLS {
            let message = format!("a heatmap over `{}` and `{}` has {width} × {height} cells", query.x, query.y);
            return Err(Error::plan(message)
                .help(format!("at most {MOST_CELLS} are drawn: choose parameters with fewer values")));
        }
        let values = |axis: usize| (0..axes[axis].len).map(|i| axes[axis].value(i)).collect();
        let cells = (width * height) as usize;
        let mut gathered = vec![Vec::new(); if query.aggregate == Aggregate::Median { cells } else { 0 }];
        let mut sums = vec![(0u64, 0.0f64); if query.aggregate == Aggregate::Mean { cells } else { 0 }];
        let mut best = vec![num::NAN; cells];
        let mut trials = vec![NO_TRIAL; cells];
        for (row, &index) in results.index().iter().enumerate() {
            if !results.is_whole(row) || fixed.iter().any(|&(place, value)| results.param(place)[row] != value) {
                continue;
            }
            let digit = |axis: usize| index / axes[axis].stride % axes[axis].len;
            let cell = (digit(y) * width + digit(x)) as usize;
            let value = results.metric(metric)[row];
            if trials[cell] == NO_TRIAL {
                trials[cell] = index;
            }
            if value.is_nan() || results.status()[row] != Status::Ok {
                continue;
            }
            if best[cell].is_nan() || better(value, best[cell], query.direction) {
                best[cell] = value;
                trials[cell] = index;
            }
            if let Some(all) = gathered.get_mut(cell) {
                all.push(value);
            }
            if let Some((count, sum)) = sums.get_mut(cell) {
                *count += 1;
                *sum += value;
            }
        }
        let cells = match query.aggregate {
            Aggregate::Best(_) => best,
            Aggregate::Mean => sums.iter().map(|&(n, sum)| if n == 0 { num::NAN } else { sum / n as f64 }).collect(),
            Aggregate::Median => gathered.iter_mut().map(|all| median(all)).collect(),
        };
        Ok(Surface { x_values: values(x), y_values: values(y), cells, trials })
    }

    /// The median of each cell and its neighbours, diagonal ones included, over those that have a value; NaN where the
    /// cell itself has none. A peak that stands alone sinks; a plateau stays.
    pub fn plateau(&self) -> Vec<f64> {
        let (width, height) = (self.x_values.len(), self.y_values.len());
        let mut near = Vec::with_capacity(9);
        let mut smooth = Vec::with_capacity(self.cells.len());
        for y in 0..height {
            for x in 0..width {
                near.clear();
                for row in y.saturating_sub(1)..(y + 2).min(height) {
                    let from = row * width + x.saturating_sub(1);
                    let to = row * width + (x + 2).min(width);
                    near.extend(self.cells[from..to].iter().filter(|value| !value.is_nan()));
                }
                smooth.push(if self.cells[y * width + x].is_nan() { num::NAN } else { median(&mut near) });
            }
        }
        smooth
    }
}

fn better(value: f64, than: f64, direction: Direction) -> bool {
    match direction {
        Direction::Max => value > than,
        Direction::Min => value < than,
    }
}

/// The median, of an even number the mean of the middle two; NaN of none.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => num::NAN,
        n if n % 2 == 1 => values[half],
        _ => (values[half - 1] + values[half]) / 2.0,
    }
}

fn axis(space: &Space, name: &str) -> Result<usize> {
    let names = || space.axes().iter().map(|axis| axis.name.as_str());
    names().position(|known| known == name).ok_or_else(|| missing("parameter", name, names().collect()))
}

fn missing(what: &str, name: &str, known: Vec<&str>) -> Error {
    Error::plan(format!("there is no {what} `{name}`")).help(match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]

    use std::sync::Arc;

    use super::*;
    use crate::plan::PlanSpec;
    use crate::results::{Schema, TrialRow, heatmap};
    use crate::strategy::{Domain, ParamDecl};

    fn param(name: &str, values: &[f64]) -> ParamDecl {
        ParamDecl { name: name.into(), domain: Domain::Choice { values: values.to_vec() }, default: values[0] }
    }

    fn space() -> Space {
        let params = [param("a", &[1.0, 2.0]), param("b", &[5.0, 3.0, 4.0]), param("c", &[0.0, 1.0, 2.0])];
        Space::resolve(&PlanSpec::new("test"), &params, &mut Vec::new()).unwrap()
    }

    /// Every trial but those left out; its Sharpe ratio is a scrambled function of its index.
    fn results(space: &Space, skip: u64) -> Results {
        let kinds = space.axes().iter().map(|axis| (axis.name.as_str(), axis.kind)).collect::<Vec<_>>();
        let mut results = Results::new(Arc::new(Schema::new("plan", kinds)));
        let sharpe = metrics::index_of("sharpe").unwrap();
        for index in (0..space.size()).filter(|index| skip == 0 || index % skip != 0) {
            let mut point = Vec::new();
            space.point(index, &mut point);
            let mut row = vec![num::NAN; metrics::TABLE.len()];
            row[sharpe] = if index % 7 == 3 { num::NAN } else { (index * 37 % 11) as f64 };
            results.push(TrialRow {
                index,
                params: &point,
                metrics: &row,
                budget: 1.0,
                bars_read: 1,
                status: Status::Ok,
            });
        }
        results
    }

    fn query(x: &str, y: &str, aggregate: Aggregate) -> SurfaceQuery {
        let (x, y, metric) = (x.into(), y.into(), "sharpe".into());
        SurfaceQuery { x, y, metric, direction: Direction::Max, aggregate, fixed: Vec::new() }
    }

    #[test]
    fn it_agrees_with_the_heatmap_of_the_same_results() {
        let space = space();
        for aggregate in [Aggregate::Best(Direction::Max), Aggregate::Mean, Aggregate::Median] {
            let results = results(&space, 0);
            let surface = Surface::new(&space, &results, &query("b", "c", aggregate)).unwrap();
            let map = heatmap(&results, "b", "c", "sharpe", aggregate).unwrap();
            for (i, x) in surface.x_values.iter().enumerate() {
                for (j, y) in surface.y_values.iter().enumerate() {
                    let at = |values: &[f64], v: f64| values.iter().position(|&known| known == v).unwrap();
                    let expected = map.cell(at(&map.x_values, *x), at(&map.y_values, *y));
                    let found = surface.cells[j * surface.x_values.len() + i];
                    assert_eq!(found.to_bits(), expected.to_bits(), "{aggregate:?} {x} {y}");
                }
            }
        }
    }

    #[test]
    fn axes_are_whole_before_the_first_trial_and_cells_know_their_best_trial() {
        let space = space();
        let empty = Results::new(results(&space, 0).schema().clone());
        let surface = Surface::new(&space, &empty, &query("b", "a", Aggregate::Mean)).unwrap();
        assert_eq!((surface.x_values.as_slice(), surface.y_values.as_slice()), (&[5.0, 3.0, 4.0][..], &[1.0, 2.0][..]));
        assert!(surface.cells.iter().all(|cell| cell.is_nan()) && surface.trials.iter().all(|&t| t == NO_TRIAL));

        let results = results(&space, 0);
        let mut wanted = query("b", "a", Aggregate::Best(Direction::Max));
        wanted.fixed = vec![("c".into(), 1.0)];
        let surface = Surface::new(&space, &results, &wanted).unwrap();
        for (cell, &trial) in surface.trials.iter().enumerate() {
            let mut point = Vec::new();
            space.point(trial, &mut point);
            assert_eq!(point, [surface.y_values[cell / 3], surface.x_values[cell % 3], 1.0]);
        }
    }

    #[test]
    fn a_lone_peak_sinks_and_a_plateau_stays() {
        let wide = Surface {
            x_values: vec![0.0; 4],
            y_values: vec![0.0; 3],
            cells: vec![0.0, 0.0, 3.0, 3.0, 0.0, 9.0, 3.0, 3.0, 0.0, num::NAN, 3.0, 3.0],
            trials: vec![0; 12],
        };
        let smooth = wide.plateau();
        assert_eq!(smooth[5], 1.5, "median of 0 0 3 0 9 3 0 3");
        assert_eq!(smooth[7], 3.0);
        assert!(smooth[9].is_nan(), "an empty cell stays empty");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let space = space();
        let results = results(&space, 2);
        let fault = |x: &str, y: &str| Surface::new(&space, &results, &query(x, y, Aggregate::Mean)).unwrap_err();
        assert!(fault("bb", "a").to_string().contains("did you mean `b`"));
        assert!(fault("a", "a").to_string().contains("two different"));
    }
}
