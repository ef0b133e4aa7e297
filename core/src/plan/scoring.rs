//! How the metrics of a trial become its score: objectives and constraints.
//!
//! Given the study's texts, this file gives a [`Scoring`]: metrics or expressions over metrics, each with its wanted end,
//! and conditions over metrics. It never knows how trials are found or evaluated.

use super::Objective;
use super::score::Score;
use super::settings::Direction;
use super::source::shorten;
use super::spec::PlanSpec;
use crate::error::{Error, Result, nearest};
use crate::metrics::{self, Better};
use crate::num;
use crate::strategy::{Kind, ScalarExpr, parse_scalar_condition};

/// Most objectives: the volume that a front dominates is computed exactly, which takes long in many dimensions.
const MOST_GOALS: usize = 4;

/// One objective.
#[derive(Clone, Debug, PartialEq)]
struct Goal {
    /// As typed.
    text: String,
    of: Value,
    direction: Direction,
}

/// What a goal or a constraint computes.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Metric(usize),
    Expression(ScalarExpr),
}

impl Value {
    fn of(&self, metrics: &[f64]) -> f64 {
        match self {
            Value::Metric(place) => metrics.get(*place).copied().unwrap_or(num::NAN),
            Value::Expression(expression) => expression.eval(metrics),
        }
    }

    /// The metric that it is, or the first one that it reads.
    fn metric(&self) -> Option<usize> {
        match self {
            Value::Metric(place) => Some(*place),
            Value::Expression(expression) => expression.uses().first().map(|place| *place as usize),
        }
    }
}

/// A condition over metrics.
#[derive(Clone, Debug, PartialEq)]
struct Constraint {
    text: String,
    holds: ScalarExpr,
    /// Where it is a single comparison: the side that should be below, and the one that should be above.
    sides: Option<(ScalarExpr, ScalarExpr)>,
}

impl Constraint {
    /// 0 if it holds; else above 1 and below 2, the more the worse it fails.
    fn violation(&self, metrics: &[f64]) -> f64 {
        // An undefined condition does not hold.
        if self.holds.eval(metrics) == 1.0 {
            return 0.0;
        }
        let Some((below, above)) = &self.sides else { return 2.0 };
        let (below, above) = (below.eval(metrics), above.eval(metrics));
        let excess = (below - above) / (1.0 + below.abs().min(above.abs()));
        if excess.is_nan() { 2.0 } else { 1.0 + excess.max(0.0) / (1.0 + excess.max(0.0)) }
    }
}

/// How trials are judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Scoring {
    goals: Vec<Goal>,
    constraints: Vec<Constraint>,
}

impl Scoring {
    /// The objectives and constraints of a study.
    ///
    /// # Errors
    /// A metric that does not exist, an expression that does not parse, a goal without a better end, a condition that is
    /// a number or a number that is a condition, more than four objectives.
    pub fn resolve(spec: &PlanSpec) -> Result<Scoring> {
        let several = spec.objectives.len() > 1;
        if spec.objectives.is_empty() || spec.objectives.len() > MOST_GOALS {
            return Err(spec.fault("objective", format!("`objective` has 1 to {MOST_GOALS} texts")));
        }
        if several && spec.direction.is_some() {
            return Err(spec
                .fault("direction", "`direction` is for one objective, and there are several")
                .help("each takes the better end of its metric: write `-volatility` to turn one round"));
        }
        let goals = spec.objectives.iter().enumerate().map(|(number, text)| goal(spec, number, text));
        let constraints = spec.constraints.iter().enumerate().map(|(number, text)| constraint(spec, number, text));
        Ok(Scoring { goals: goals.collect::<Result<_>>()?, constraints: constraints.collect::<Result<_>>()? })
    }

    /// Number of objectives.
    pub fn goals(&self) -> usize {
        self.goals.len()
    }

    /// The objectives as typed.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.goals.iter().map(|goal| goal.text.as_str())
    }

    /// The constraints as typed.
    pub fn constraints(&self) -> impl ExactSizeIterator<Item = &str> {
        self.constraints.iter().map(|constraint| constraint.text.as_str())
    }

    /// Whether the objective is one metric, and nothing constrains it: what a table's column says.
    pub fn is_metric(&self) -> bool {
        self.constraints.is_empty() && matches!(self.goals.as_slice(), [Goal { of: Value::Metric(_), .. }])
    }

    /// The first objective's value, in its own direction; NaN for a trial that failed or violates a constraint.
    pub fn value(&self, metrics: &[f64]) -> f64 {
        if self.violation(metrics) > 0.0 {
            return num::NAN;
        }
        self.goals.first().map_or(num::NAN, |goal| goal.of.of(metrics))
    }

    /// The score of a trial with these metrics, in the order of [`metrics::TABLE`].
    pub fn score(&self, metrics: &[f64]) -> Score {
        let loss = |goal: &Goal| match goal.direction {
            Direction::Max => -goal.of.of(metrics),
            Direction::Min => goal.of.of(metrics),
        };
        Score { losses: self.goals.iter().map(loss).collect(), violation: self.violation(metrics) }
    }

    /// The score of a trial that saw a part of the data: counts (trades, fills) are first scaled to all of it, so that
    /// `trades >= 30` asks a twentieth of the data for a twentieth of the trades. Other metrics are taken as they are.
    pub fn score_in_part(&self, metrics: &[f64], budget: f64) -> Score {
        let scaled = |(metric, &value): (&metrics::Metric, &f64)| match metric.unit {
            metrics::Unit::Count => value / budget,
            _ => value,
        };
        self.score(&metrics::TABLE.iter().zip(metrics).map(scaled).collect::<Vec<f64>>())
    }

    fn violation(&self, metrics: &[f64]) -> f64 {
        self.constraints.iter().map(|constraint| constraint.violation(metrics)).sum()
    }

    /// The first objective as one metric: that of its expression which is read first, where it is none itself.
    pub(super) fn objective(&self) -> Objective {
        let first = self.goals.first();
        let metric = first.and_then(|goal| goal.of.metric()).unwrap_or(0);
        let direction = first.map_or(Direction::Max, |goal| goal.direction);
        Objective { metric, name: metrics::TABLE.get(metric).map_or("", |metric| metric.name), direction }
    }
}

/// Key of the objective with a number, for its place.
fn key_of(list: &str, number: usize) -> String {
    format!("{list}[{number}]")
}

fn goal(spec: &PlanSpec, number: usize, text: &str) -> Result<Goal> {
    let key = key_of("objective", number);
    let Some(metric) = metrics::index_of(text) else { return expression(spec, &key, text) };
    let direction = match (spec.direction, metrics::TABLE[metric].better) {
        (Some(direction), _) => direction,
        (None, Better::Higher) => Direction::Max,
        (None, Better::Lower) => Direction::Min,
        (None, Better::None) => {
            let message = format!("neither end of the metric `{text}` is the better one");
            return Err(spec.fault("objective", message).help("add `direction = \"max\"` or `direction = \"min\"`"));
        }
    };
    Ok(Goal { text: text.to_owned(), of: Value::Metric(metric), direction })
}

fn expression(spec: &PlanSpec, key: &str, text: &str) -> Result<Goal> {
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let turned = text.strip_prefix('-').filter(|rest| metrics::index_of(rest).is_some());
    if is_name(text) || (turned.is_some() && spec.objectives.len() == 1) {
        let error = spec.fault("objective", format!("there is no metric `{}`", shorten(text)));
        return Err(match turned {
            Some(rest) => error.help(format!("write `objective = \"{rest}\"` and `direction = \"min\"`")),
            None => error.help(match nearest(text, metrics::names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the metrics are {}", metrics::names().collect::<Vec<_>>().join(", ")),
            }),
        });
    }
    let names: Vec<&str> = metrics::names().collect();
    let place = spec.place_of(key);
    let expression = parse_scalar_condition(text, &names, &place)?;
    if expression.kind() == Kind::Bool {
        let message = format!("`{}` is a condition, and `objective` takes a number", shorten(text));
        return Err(Error::plan(message).at(place).help("conditions that trials must meet stand in `constraints`"));
    }
    if expression.uses().is_empty() {
        let message = format!("`{}` reads no metric: all trials would be equal", shorten(text));
        return Err(Error::plan(message).at(place));
    }
    let direction = spec.direction.unwrap_or(Direction::Max);
    Ok(Goal { text: text.to_owned(), of: Value::Expression(expression), direction })
}

fn constraint(spec: &PlanSpec, number: usize, text: &str) -> Result<Constraint> {
    let names: Vec<&str> = metrics::names().collect();
    let place = spec.place_of(&key_of("constraints", number));
    let holds = parse_scalar_condition(text, &names, &place)?;
    if holds.kind() != Kind::Bool {
        let message = format!("`{}` is a number, and `constraints` takes conditions", shorten(text));
        return Err(Error::plan(message).at(place).help("compare it with something: `trades >= 30`"));
    }
    let side = |text: &str| {
        parse_scalar_condition(text, &names, &place).ok().filter(|expression| expression.kind() == Kind::Float)
    };
    let sides = comparison(text).and_then(|(below, above)| Some((side(below)?, side(above)?)));
    Ok(Constraint { text: text.to_owned(), holds, sides })
}

/// The two sides of a single comparison, the one that should be below first.
fn comparison(text: &str) -> Option<(&str, &str)> {
    for sign in ["<=", ">=", "<", ">"] {
        if let Some((left, right)) = text.split_once(sign) {
            return Some(if sign.starts_with('<') { (left, right) } else { (right, left) });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn scoring(objectives: &[&str], constraints: &[&str]) -> Result<Scoring> {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let mut spec = PlanSpec::default();
        spec.objectives = owned(objectives);
        spec.constraints = owned(constraints);
        Scoring::resolve(&spec)
    }

    fn metrics_with(values: &[(&str, f64)]) -> Vec<f64> {
        let mut all = vec![f64::NAN; metrics::TABLE.len()];
        for (name, value) in values {
            all[metrics::index_of(name).unwrap()] = *value;
        }
        all
    }

    #[test]
    fn an_expression_is_its_value_and_its_loss_the_reverse() {
        let scoring = scoring(&["sharpe - 0.5 * abs(max_drawdown)"], &[]).unwrap();
        let metrics = metrics_with(&[("sharpe", 1.5), ("max_drawdown", -0.2)]);
        assert_eq!(scoring.value(&metrics), 1.4);
        assert_eq!(scoring.score(&metrics), Score::of(-1.4));
        assert_eq!(scoring.objective().name, "sharpe");
        assert!(!scoring.is_metric());
    }

    #[test]
    fn constraints_make_infeasible_by_how_much_they_fail() {
        let scoring = scoring(&["sharpe"], &["trades >= 30", "volatility < 0.5 and trades < 1000"]).unwrap();
        let score =
            |trades: f64| scoring.score(&metrics_with(&[("sharpe", 1.0), ("trades", trades), ("volatility", 0.1)]));
        assert_eq!(score(30.0).violation, 0.0);
        assert!(score(30.0).is_feasible() && !score(29.0).is_feasible());
        assert!(score(29.0).violation < score(5.0).violation && score(5.0).violation < 2.0);
        assert!(score(f64::NAN).violation > 2.0, "undefined metrics do not satisfy");
        assert!(score(2000.0).violation == 2.0);
        assert!(scoring.value(&metrics_with(&[("sharpe", 1.0), ("trades", 5.0)])).is_nan());
    }

    #[test]
    fn a_part_of_the_data_is_asked_for_its_part_of_the_trades() {
        let scoring = scoring(&["sharpe"], &["trades >= 30"]).unwrap();
        let metrics = |trades: f64| metrics_with(&[("sharpe", 1.0), ("trades", trades)]);
        assert!(scoring.score_in_part(&metrics(3.0), 0.1).is_feasible());
        assert!(!scoring.score_in_part(&metrics(2.0), 0.1).is_feasible());
        assert_eq!(scoring.score_in_part(&metrics(29.0), 1.0), scoring.score(&metrics(29.0)));
    }

    #[test]
    fn several_objectives_have_a_loss_each() {
        let scoring = scoring(&["cagr", "volatility", "-trades"], &[]).unwrap();
        let metrics = metrics_with(&[("cagr", 0.1), ("volatility", 0.2), ("trades", 7.0)]);
        assert_eq!(scoring.score(&metrics).losses, [-0.1, 0.2, 7.0]);
        assert!(super::tests::scoring(&["cagr"; 5], &[]).is_err());
        assert!(super::tests::scoring(&["cagr > 1"], &[]).is_err());
        assert!(super::tests::scoring(&["cagr"], &["trades"]).is_err());
    }
}
