//! A metric over two parameters, the others folded together.

use std::collections::BTreeMap;

use super::columns::{Results, Schema};
use crate::error::{Error, Result, nearest};
use crate::num;
use crate::plan::Direction;

/// More cells than this are no picture any more; the bound keeps memory in proportion.
const MOST_CELLS: usize = 1 << 22;

/// How the trials of one cell become one number. Nulls are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// The best of them, in the objective's direction.
    Best(Direction),
    /// Their arithmetic mean.
    Mean,
    /// Their median; of an even number, the mean of the middle two.
    Median,
}

/// A metric over two parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    /// Parameter across.
    pub x: String,
    /// Parameter down.
    pub y: String,
    /// Metric of the cells.
    pub metric: String,
    /// Values of `x`, ascending.
    pub x_values: Vec<f64>,
    /// Values of `y`, ascending.
    pub y_values: Vec<f64>,
    /// One row of `x_values.len()` cells for each value of `y`; NaN where there is no trial with a value.
    pub cells: Vec<f64>,
}

impl Heatmap {
    /// The cell at these positions, NaN where there is none.
    pub fn cell(&self, x: usize, y: usize) -> f64 {
        if x >= self.x_values.len() {
            return num::NAN;
        }
        self.cells.get(y * self.x_values.len() + x).copied().unwrap_or(num::NAN)
    }
}

/// A float as an integer of the same order, so that it can be a key. Zero has one sign.
fn order_key(x: f64) -> i64 {
    let bits = (x + 0.0).to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

fn from_order_key(key: i64) -> f64 {
    f64::from_bits((key ^ ((key >> 63) as u64 >> 1) as i64) as u64)
}

/// Collects a heatmap from batches of results. Memory grows with the cells, for the median with the trials.
#[derive(Clone, Debug)]
pub struct HeatmapBuilder {
    map: Heatmap,
    places: [usize; 3],
    aggregate: Aggregate,
    /// By (y, x): number of values, their sum or the best, and all of them for the median.
    cells: BTreeMap<(i64, i64), Cell>,
}

#[derive(Clone, Debug, Default)]
struct Cell {
    count: u64,
    value: f64,
    all: Vec<f64>,
}

impl HeatmapBuilder {
    /// A heatmap of `metric` over the parameters `x` and `y`.
    ///
    /// # Errors
    /// There is no such parameter or metric, or both parameters are the same.
    pub fn new(schema: &Schema, x: &str, y: &str, metric: &str, aggregate: Aggregate) -> Result<HeatmapBuilder> {
        let missing = |what: &str, name: &str, known: Vec<&str>| {
            Error::plan(format!("the results have no {what} `{name}`")).help(
                match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("they have {}", known.join(", ")),
                },
            )
        };
        let params = || schema.params.iter().map(|param| param.name.as_str()).collect();
        let metrics = || schema.metrics.iter().map(|metric| metric.name.as_str()).collect();
        let param = |name: &str| schema.param(name).ok_or_else(|| missing("parameter", name, params()));
        let places = [param(x)?, param(y)?, schema.metric(metric).ok_or_else(|| missing("metric", metric, metrics()))?];
        if places[0] == places[1] {
            return Err(Error::plan(format!("a heatmap needs two different parameters, found `{x}` twice")));
        }
        let map = Heatmap {
            x: x.to_owned(),
            y: y.to_owned(),
            metric: metric.to_owned(),
            x_values: Vec::new(),
            y_values: Vec::new(),
            cells: Vec::new(),
        };
        Ok(HeatmapBuilder { map, places, aggregate, cells: BTreeMap::new() })
    }

    /// Adds rows; those of trials that saw a part of the data are left out.
    ///
    /// # Errors
    /// There are more cells than a picture can have.
    pub fn add(&mut self, results: &Results) -> Result<()> {
        let [x, y, metric] = self.places;
        let rows = results.param(x).iter().zip(results.param(y)).zip(results.metric(metric));
        for (_, ((&x, &y), &value)) in rows.enumerate().filter(|(row, _)| results.is_whole(*row)) {
            let cell = self.cells.entry((order_key(y), order_key(x))).or_default();
            if !value.is_nan() {
                cell.add(value, self.aggregate);
            }
            if self.cells.len() > MOST_CELLS {
                return Err(self.too_many(self.cells.len()));
            }
        }
        Ok(())
    }

    /// The heatmap of the rows added so far.
    ///
    /// # Errors
    /// There are more cells than a picture can have.
    pub fn finish(mut self) -> Result<Heatmap> {
        let distinct = |mut keys: Vec<i64>| {
            keys.sort_unstable();
            keys.dedup();
            keys
        };
        let ys = distinct(self.cells.keys().map(|&(y, _)| y).collect());
        let xs = distinct(self.cells.keys().map(|&(_, x)| x).collect());
        if xs.len().saturating_mul(ys.len()) > MOST_CELLS {
            return Err(self.too_many(xs.len().saturating_mul(ys.len())));
        }
        self.map.cells = vec![num::NAN; xs.len() * ys.len()];
        for (&(y, x), cell) in &mut self.cells {
            if let (Ok(y), Ok(x)) = (ys.binary_search(&y), xs.binary_search(&x)) {
                self.map.cells[y * xs.len() + x] = cell.aggregated(self.aggregate);
            }
        }
        self.map.x_values = xs.into_iter().map(from_order_key).collect();
        self.map.y_values = ys.into_iter().map(from_order_key).collect();
        Ok(self.map)
    }

    fn too_many(&self, cells: usize) -> Error {
        let message = format!("a heatmap over `{}` and `{}` has {cells} cells or more", self.map.x, self.map.y);
        Error::plan(message).help(format!("at most {MOST_CELLS} are drawn: choose parameters with fewer values"))
    }
}

impl Cell {
    fn add(&mut self, value: f64, aggregate: Aggregate) {
        self.count += 1;
        match aggregate {
            Aggregate::Mean => self.value += value,
            Aggregate::Median => self.all.push(value),
            Aggregate::Best(direction) => {
                let better = match direction {
                    Direction::Max => value > self.value,
                    Direction::Min => value < self.value,
                };
                if self.count == 1 || better {
                    self.value = value;
                }
            }
        }
    }

    fn aggregated(&mut self, aggregate: Aggregate) -> f64 {
        if self.count == 0 {
            return num::NAN;
        }
        match aggregate {
            Aggregate::Best(_) => self.value,
            Aggregate::Mean => self.value / self.count as f64,
            Aggregate::Median => {
                self.all.sort_by(|&a, &b| num::nan_last(a, b));
                let middle = self.all.len() / 2;
                if self.all.len() % 2 == 1 { self.all[middle] } else { (self.all[middle - 1] + self.all[middle]) / 2.0 }
            }
        }
    }
}

/// The heatmap of results that are in memory.
///
/// # Errors
/// As [`HeatmapBuilder`].
pub fn heatmap(results: &Results, x: &str, y: &str, metric: &str, aggregate: Aggregate) -> Result<Heatmap> {
    let mut builder = HeatmapBuilder::new(results.schema(), x, y, metric, aggregate)?;
    builder.add(results)?;
    builder.finish()
}
