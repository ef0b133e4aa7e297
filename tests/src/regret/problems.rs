//! Problems whose best value is known: functions of the literature on grids, and a grid of backtests evaluated as a whole.

use std::f64::consts::PI;
use std::sync::atomic::AtomicBool;

use sandtable::crew::Crew;
use sandtable::drive;
use sandtable_core::plan::brackets::budgets;
use sandtable_core::plan::{PlanSpec, Space};
use sandtable_core::run::{Evaluator, Run};
use sandtable_core::strategy::{Domain, ParamDecl};
use sandtable_core::{Error, Result};
use serde_json::json;

use crate::workload;

/// Names with what they are.
pub const NAMES: [(&str, &str); 4] = [
    ("branin", "2 parameters of 1,001 values, three equal minima"),
    ("hartmann6", "6 parameters of 201 values, six local minima"),
    ("rastrigin10", "10 parameters of 81 values, a bowl with very many local minima, moved off the centre"),
    ("w4", "the 16,500 backtests of W4, by Sharpe ratio"),
];

/// Peaks of Hartmann's function (Dixon and Szegö 1978).
const HARTMANN_A: [[f64; 6]; 4] = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
];
const HARTMANN_P: [[f64; 6]; 4] = [
    [1312.0, 1696.0, 5569.0, 124.0, 8283.0, 5886.0],
    [2329.0, 4135.0, 8307.0, 3736.0, 1004.0, 9991.0],
    [2348.0, 1451.0, 3522.0, 2883.0, 3047.0, 6650.0],
    [4047.0, 8828.0, 8732.0, 5743.0, 1091.0, 381.0],
];
const HARTMANN_C: [f64; 4] = [1.0, 1.2, 3.0, 3.2];

/// Where Rastrigin's minimum is, in parts of an eighth of the range from the centre: a method that begins in the middle
/// must not begin at the end.
const SHIFT: [f64; 10] = [0.21, -0.47, 0.83, -0.12, 0.64, -0.91, 0.38, -0.29, 0.55, -0.73];

/// A problem.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Its name.
    pub name: &'static str,
    /// Its points.
    pub space: Space,
    /// A value that no point is below: of a function its minimum without a grid.
    pub least: f64,
    of: Of,
}

#[derive(Clone, Debug)]
enum Of {
    Function(fn(&[f64]) -> f64),
    /// Loss of every point on each part of the data, ascending, the last one all of it.
    Tables(Vec<(f64, Vec<f64>)>),
}

/// The problem of a name; a grid of backtests is evaluated on so many threads.
///
/// # Errors
/// There is none of this name, or the grid cannot be evaluated.
pub fn named(name: &str, threads: usize) -> Result<Problem> {
    match name {
        // The grid's own minima are above these by less than regrets are told apart.
        "branin" => function("branin", &[1001; 2], branin, 0.397_887_357_729_738),
        "hartmann6" => function("hartmann6", &[201; 6], hartmann6, -3.322_368_011_415_515),
        "rastrigin10" => function("rastrigin10", &[81; 10], rastrigin10, 0.0),
        "w4" => backtests(threads),
        other => {
            let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            Err(Error::plan(format!("there is no problem `{other}`")).help(format!("name one of {}", known.join(", "))))
        }
    }
}

impl Problem {
    /// Whether its points can be evaluated on parts of the data.
    pub fn has_parts(&self) -> bool {
        matches!(self.of, Of::Tables(_))
    }

    /// The loss of a point.
    pub fn loss(&self, index: u64) -> f64 {
        self.loss_in_part(index, 1.0)
    }

    /// The loss of a point on a part of the data; a function has none.
    pub fn loss_in_part(&self, index: u64, budget: f64) -> f64 {
        match &self.of {
            Of::Tables(tables) => {
                let table = tables.iter().find(|(part, _)| *part == budget);
                table.and_then(|(_, losses)| losses.get(index as usize).copied()).unwrap_or(f64::NAN)
            }
            Of::Function(function) => {
                let mut point = Vec::new();
                self.space.point(index, &mut point);
                let steps = self.space.axes().iter().map(|axis| (axis.len - 1).max(1) as f64);
                function(&point.iter().zip(steps).map(|(digit, steps)| digit / steps).collect::<Vec<f64>>())
            }
        }
    }

    /// Lengths and losses of a known grid, for other programs; undefined losses are its largest.
    pub fn table_json(&self) -> Option<String> {
        let Of::Tables(tables) = &self.of else { return None };
        let (_, losses) = tables.last()?;
        let worst = losses.iter().copied().filter(|loss| loss.is_finite()).fold(f64::MIN, f64::max);
        let finite: Vec<f64> = losses.iter().map(|&loss| if loss.is_finite() { loss } else { worst }).collect();
        let lens: Vec<u64> = self.space.axes().iter().map(|axis| axis.len).collect();
        Some(json!({ "lens": lens, "losses": finite }).to_string())
    }
}

fn function(name: &'static str, lens: &[i64], of: fn(&[f64]) -> f64, least: f64) -> Result<Problem> {
    let param = |(place, len): (usize, &i64)| ParamDecl {
        name: format!("p{place}"),
        domain: Domain::Int { min: 0, max: len - 1, step: 1 },
        default: 0.0,
    };
    let params: Vec<ParamDecl> = lens.iter().enumerate().map(param).collect();
    let space = Space::resolve(&PlanSpec::default(), &params, &mut Vec::new())?;
    Ok(Problem { name, space, least, of: Of::Function(of) })
}

/// Every point of W4, evaluated on each part of the data.
fn backtests(threads: usize) -> Result<Problem> {
    let evaluator = workload::evaluator("W4full", &workload::bundle("W4full"))?;
    let table = |budget: f64| Ok((budget, losses(evaluator.at(budget), threads)?));
    let tables: Vec<(f64, Vec<f64>)> = budgets().into_iter().map(table).collect::<Result<_>>()?;
    let whole = tables.iter().flat_map(|(budget, losses)| losses.iter().filter(|_| *budget == 1.0));
    let least = whole.copied().filter(|loss| loss.is_finite()).fold(f64::MAX, f64::min);
    Ok(Problem { name: "w4", space: evaluator.plan.space().clone(), least, of: Of::Tables(tables) })
}

/// The loss of every point of a plan.
fn losses(evaluator: &Evaluator, threads: usize) -> Result<Vec<f64>> {
    let plan = evaluator.plan.clone();
    let mut losses = vec![f64::NAN; plan.space().size() as usize];
    let mut crew = Crew::new(threads, plan.space().size())?;
    let never = AtomicBool::new(false);
    drive::drive(evaluator, &mut Run::new(plan.clone()), &mut crew, &never, |_, outcomes, _| {
        for outcome in outcomes {
            losses[outcome.index as usize] = plan.scoring().score(&outcome.metrics).loss();
        }
        Ok(())
    })?;
    Ok(losses)
}

fn branin(u: &[f64]) -> f64 {
    let (x, y) = (15.0 * u[0] - 5.0, 15.0 * u[1]);
    let bend = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    bend * bend + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0
}

fn hartmann6(u: &[f64]) -> f64 {
    let term = |(c, (row, peak)): (&f64, (&[f64; 6], &[f64; 6]))| {
        let part = |axis: usize| row[axis] * (u[axis] - 1e-4 * peak[axis]) * (u[axis] - 1e-4 * peak[axis]);
        c * (-(0..6).map(part).sum::<f64>()).exp()
    };
    -HARTMANN_C.iter().zip(HARTMANN_A.iter().zip(&HARTMANN_P)).map(term).sum::<f64>()
}

fn rastrigin10(u: &[f64]) -> f64 {
    let term = |(u, shift): (&f64, &f64)| {
        let x = 10.24 * u - 5.12 - 1.28 * shift;
        x * x - 10.0 * (2.0 * PI * x).cos() + 10.0
    };
    u.iter().zip(&SHIFT).map(term).sum()
}
