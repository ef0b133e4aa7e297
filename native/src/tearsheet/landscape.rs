//! The objective over the parameters: pairs as heatmaps, each by itself, and what lies around the best.

use std::collections::BTreeMap;

use sandtable_core::analysis::Landscape;
use sandtable_core::metrics::{self, Better, Unit};
use sandtable_core::plan::Direction;
use sandtable_core::{Result, num};

use super::Tearsheet;
use crate::view::Heatmap;
use crate::view::document::{Block, Plot};
use crate::view::number;
use crate::view::plot::{Profile, ProfilePoint, narrow_heatmap_svg};

/// Parameters that are drawn against each other at most: six pairs.
const MOST_PARAMETERS: usize = 4;
/// Values of a parameter that stand by themselves at most.
const MOST_VALUES: usize = 40;
/// Parts that a parameter with more values is cut into.
const PARTS: usize = 20;
/// How much worse than the best a plateau may be, of the best's distance to the median.
const TOLERANCE: f64 = 0.2;

/// Scores of all trials, and where each trial stands on each parameter that varies.
struct Scores {
    title: String,
    unit: Unit,
    direction: Direction,
    /// NaN for trials without one.
    values: Vec<f64>,
    parameters: Vec<Parameter>,
}

/// A parameter that varies: its values, or the middles of its parts.
struct Parameter {
    name: String,
    values: Vec<f64>,
    /// Place of each trial among them.
    places: Vec<usize>,
    /// Its column in the results.
    column: usize,
    cut: bool,
}

pub(super) fn blocks(sheet: &Tearsheet) -> Result<Vec<Block>> {
    let scores = Scores::of(sheet);
    let heading = Block::Heading("Parameters".into());
    if scores.parameters.is_empty() {
        return Ok(vec![heading, Block::Missing("No parameter varies in this study.".into())]);
    }
    let mut blocks = vec![heading];
    blocks.extend(scores.pairs(sheet)?);
    blocks.push(Block::Subheading(format!("{} by each parameter", scores.title)));
    let profiles = scores.parameters.iter().map(|parameter| scores.profile(sheet, parameter));
    blocks.push(Block::Plots(profiles.collect::<Result<_>>()?));
    blocks.extend(terrain(sheet, &scores));
    Ok(blocks)
}

impl Scores {
    fn of(sheet: &Tearsheet) -> Scores {
        let (plan, results) = (&sheet.study.evaluator.plan, &sheet.study.results);
        let scoring = plan.scoring();
        let values = if scoring.is_metric() {
            results.metric(plan.objective().metric).to_vec()
        } else {
            (0..results.len()).map(|row| scoring.value(&results.metrics_of(row))).collect()
        };
        let known = scoring.is_metric().then(|| &metrics::TABLE[plan.objective().metric]);
        let names = results.schema().params.iter().enumerate();
        let parameters = names.filter_map(|(column, param)| Parameter::of(&param.name, column, results.param(column)));
        Scores {
            title: known.map_or_else(|| scoring.texts().next().unwrap_or("score").to_owned(), |m| m.title.to_owned()),
            unit: known.map_or(Unit::Ratio, |metric| metric.unit),
            direction: plan.objective().direction,
            values,
            parameters: parameters.collect(),
        }
    }

    fn better(&self, one: f64, other: f64) -> bool {
        match self.direction {
            Direction::Max => one > other,
            Direction::Min => one < other,
        }
    }

    fn pairs(&self, sheet: &Tearsheet) -> Result<Vec<Block>> {
        let shown = &self.parameters[..self.parameters.len().min(MOST_PARAMETERS)];
        let mut plots = Vec::new();
        for (place, x) in shown.iter().enumerate() {
            for y in &shown[place + 1..] {
                plots.push(self.pair(x, y, self.parameters.len() > 2)?);
            }
        }
        if plots.is_empty() {
            return Ok(Vec::new());
        }
        let mut blocks = vec![Block::Subheading(format!("{} by two parameters", self.title)), Block::Plots(plots)];
        if shown.len() < self.parameters.len() {
            let rest: Vec<&str> = self.parameters[shown.len()..].iter().map(|p| p.name.as_str()).collect();
            blocks.push(Block::Missing(format!(
                "Pairs with {} are left out: `sandtable show {} --heatmap X,Y` draws them.",
                rest.join(", "),
                sheet.dir.display()
            )));
        }
        Ok(blocks)
    }

    /// The best score of all trials in each cell.
    fn pair(&self, x: &Parameter, y: &Parameter, others: bool) -> Result<Plot> {
        let width = x.values.len();
        let mut cells = vec![f64::NAN; width * y.values.len()];
        for ((&x, &y), &score) in x.places.iter().zip(&y.places).zip(&self.values) {
            let cell = &mut cells[y * width + x];
            if score.is_finite() && (cell.is_nan() || self.better(score, *cell)) {
                *cell = score;
            }
        }
        let map = Heatmap {
            x_name: x.name.clone(),
            y_name: y.name.clone(),
            x_values: x.values.clone(),
            y_values: y.values.clone(),
            cells,
            title: self.title.clone(),
            unit: self.unit,
            better: if self.direction == Direction::Max { Better::Higher } else { Better::Lower },
        };
        let mut caption = format!("{} by {} and {}", self.title, x.name, y.name);
        if others || x.cut || y.cut {
            caption += ", the best of all trials in each cell";
        }
        if let Some(sentence) = map.best_sentence() {
            caption += &format!("; {sentence}");
        }
        Ok(Plot {
            name: format!("heatmap-{}-{}", x.name, y.name),
            caption: caption + ".",
            svg: narrow_heatmap_svg(&map)?,
        })
    }

    fn profile(&self, sheet: &Tearsheet, parameter: &Parameter) -> Result<Plot> {
        let none = ProfilePoint { value: 0.0, mean: 0.0, best: f64::NAN, through: f64::NAN };
        let mut points: Vec<(ProfilePoint, f64)> =
            parameter.values.iter().map(|&value| (ProfilePoint { value, ..none }, 0.0)).collect();
        for (row, (&place, &score)) in parameter.places.iter().zip(&self.values).enumerate() {
            if !score.is_finite() {
                continue;
            }
            let (point, count) = &mut points[place];
            point.mean += score;
            *count += 1.0;
            if point.best.is_nan() || self.better(score, point.best) {
                point.best = score;
            }
            if self.beside(sheet, parameter, row) && (point.through.is_nan() || self.better(score, point.through)) {
                point.through = score;
            }
        }
        let finish = |(point, count): (ProfilePoint, f64)| ProfilePoint { mean: point.mean / count, ..point };
        let profile = Profile { points: points.into_iter().map(finish).collect(), unit: self.unit };
        let caption = if parameter.cut {
            format!("{} by {}, cut into {PARTS} parts named by their middles.", self.title, parameter.name)
        } else {
            format!("{} by {}.", self.title, parameter.name)
        };
        Ok(Plot { name: format!("profile-{}", parameter.name), caption, svg: profile.svg()? })
    }

    /// Whether a trial differs from the report's in this parameter alone.
    fn beside(&self, sheet: &Tearsheet, parameter: &Parameter, row: usize) -> bool {
        let (results, point) = (&sheet.study.results, &sheet.trial.point);
        (0..point.len()).all(|column| column == parameter.column || results.param(column)[row] == point[column])
    }
}

impl Parameter {
    fn of(name: &str, column: usize, given: &[f64]) -> Option<Parameter> {
        let mut values = given.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let (low, high) = (*values.first()?, *values.last()?);
        if values.len() < 2 {
            return None;
        }
        let cut = values.len() > MOST_VALUES;
        let width = (high - low) / PARTS as f64;
        let place = |value: &f64| match cut {
            true => (((value - low) / width) as usize).min(PARTS - 1),
            false => values.partition_point(|known| known < value),
        };
        let places = given.iter().map(place).collect();
        if cut {
            values = (0..PARTS).map(|part| rounded(low + width * (part as f64 + 0.5))).collect();
        }
        Some(Parameter { name: name.to_owned(), values, places, column, cut })
    }
}

/// Three significant digits, for the name of a part.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// What lies around the best point, where enough of the grid was evaluated to say so.
fn terrain(sheet: &Tearsheet, scores: &Scores) -> Vec<Block> {
    let (plan, results) = (&sheet.study.evaluator.plan, &sheet.study.results);
    let lengths: Vec<u64> = plan.space().axes().iter().map(|axis| axis.len).collect();
    let sign = if scores.direction == Direction::Max { 1.0 } else { -1.0 };
    let by_index: BTreeMap<u64, f64> =
        results.index().iter().zip(&scores.values).map(|(&index, &score)| (index, sign * score)).collect();
    let (indices, values): (Vec<u64>, Vec<f64>) = by_index.into_iter().map(|(i, v)| (i, num::canonical(v))).unzip();
    let half = plan.space().count_valid(2 * results.len() as u64 + 1).points <= 2 * results.len() as u64;
    let Some(landscape) = Landscape::new(&lengths, &indices, &values).ok().filter(|_| half) else {
        return vec![Block::Missing(
            "Neighbourhood and importance are left out: less than half of the grid was evaluated, or nothing has a score."
                .into(),
        )];
    };
    let terrain = landscape.terrain(TOLERANCE);
    let share = |value: f64| number::metric(value, Unit::Percent);
    let value = |value: f64| number::metric(sign * value, scores.unit);
    let rows = [
        ("best", value(terrain.score), String::new()),
        ("median of all", value(terrain.median), String::new()),
        (
            "median of its neighbours",
            value(terrain.neighbourhood.median),
            format!("{} trials at most one step away in each parameter", terrain.neighbourhood.points),
        ),
        ("worst of its neighbours", value(terrain.neighbourhood.worst), String::new()),
        (
            "plateau",
            share(terrain.plateau.connected),
            format!(
                "of all trials hang together with the best and reach {}, a fifth of the way to the median",
                value(terrain.plateau.threshold)
            ),
        ),
        ("local maxima", terrain.local_maxima.to_string(), "trials without a better neighbour along an axis".into()),
    ];
    let rows = rows.map(|(name, value, meaning)| vec![name.to_owned(), value, meaning]);
    let axes = plan.space().axes().iter().zip(&terrain.importance.shares).zip(&terrain.neighbourhood.sensitivity);
    let varying = axes.filter(|((axis, _), _)| axis.len > 1);
    let importance = varying.map(|((axis, part), fall)| vec![axis.name.clone(), share(*part), number::short(*fall)]);
    vec![
        Block::Subheading("Around the best".into()),
        Block::table(&["what", "value", ""], rows.to_vec(), 3),
        Block::table(
            &["parameter", "explains of the variance", "fall by one step, in deviations"],
            importance.collect(),
            1,
        ),
        Block::Text(format!("Only together they explain {}.", share(terrain.importance.together))),
    ]
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn parameters_with_many_values_are_cut_into_parts() {
        let few = Parameter::of("a", 0, &[3.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((few.values, few.places, few.cut), (vec![1.0, 2.0, 3.0], vec![2, 0, 1, 2], false));
        let many: Vec<f64> = (0..1000).map(|i| f64::from(i) / 999.0).collect();
        let cut = Parameter::of("b", 1, &many).unwrap();
        assert_eq!((cut.values.len(), cut.places[0], cut.places[999], cut.cut), (PARTS, 0, PARTS - 1, true));
        assert_eq!(cut.values[0], 0.025);
        assert!(Parameter::of("c", 2, &[1.0, 1.0]).is_none() && Parameter::of("d", 3, &[]).is_none());
    }
}
