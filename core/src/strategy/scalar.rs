//! Expressions over a list of names, without bars: conditions on parameters, objectives over metrics.
//!
//! Given text and names, this gives a function of as many numbers. It never knows what the names stand for.

use super::builder::Builder;
use super::check::{Checker, Scope};
use super::parser::parse;
use super::source::Problem;
use super::{Domain, Kind, NodeId, ParamDecl, Program};
use crate::error::{Error, ErrorKind, Place, Result};
use crate::num;

/// A checked expression over named numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalarExpr {
    program: Program,
    root: NodeId,
    source: String,
}

impl ScalarExpr {
    /// The value where the names have these values, in the order of the names; conditions give 1 or 0. NaN is
    /// undefined, as is everything computed from it; a missing value is NaN.
    pub fn eval(&self, values: &[f64]) -> f64 {
        num::canonical(self.program.scalar_value(self.root, values, None).unwrap_or(num::NAN))
    }

    /// Whether it is a number (an objective) or a condition.
    pub fn kind(&self) -> Kind {
        self.program.node_type(self.root).kind
    }

    /// Indices of the names that it uses, ascending.
    pub fn uses(&self) -> Vec<u32> {
        self.program.param_dependence(self.root)
    }

    /// The text that it was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// Parses a condition or a number over `names`, all of which are numbers (`"fast < slow"`,
/// `"sharpe - 0.5 * abs(max_drawdown)"`): arithmetic, comparison, `and or not`, `if`, `abs sqrt exp log sign floor
/// ceil round`, `min`, `max`, `defined`. Which of the two it is says [`ScalarExpr::kind`].
///
/// `place` is where the text begins. With line, column and source line the error points into that line; without a
/// column it keeps the place as it is and shows the expression with a caret in the sentence.
///
/// # Errors
/// A sentence of kind [`ErrorKind::Plan`] that points at the mistake.
pub fn parse_scalar_condition(source: &str, names: &[&str], place: &Place) -> Result<ScalarExpr> {
    let typed: Vec<(&str, Kind)> = names.iter().map(|name| (*name, Kind::Float)).collect();
    parse_scalar(source, &typed, place)
}

/// [`parse_scalar_condition`] where some names are truth values, so that `flag and fast < slow` can be written.
///
/// # Errors
/// As [`parse_scalar_condition`].
pub fn parse_scalar(source: &str, names: &[(&str, Kind)], place: &Place) -> Result<ScalarExpr> {
    check(source, names).map_err(|problem| error(problem, source, place))
}

fn check(source: &str, names: &[(&str, Kind)]) -> std::result::Result<ScalarExpr, Problem> {
    let expr = parse(source)?;
    let params: Vec<(ParamDecl, Kind)> = names.iter().map(|(name, kind)| (any_number(name), *kind)).collect();
    let mut builder = Builder::default();
    let scope =
        Scope { params: &params, defaults: &[], columns: &[], all_columns: &[], position: false, scalars_only: true };
    let root = Checker { builder: &mut builder, scope, text: source, inside: None }.node(&expr)?;
    Ok(ScalarExpr { program: builder.finish(), root, source: source.to_owned() })
}

/// A declaration of which only the name matters.
fn any_number(name: &str) -> ParamDecl {
    let domain = Domain::Float { min: f64::MIN, max: f64::MAX, step: None, scale: super::Scale::Linear };
    ParamDecl { name: name.to_owned(), domain, default: 0.0 }
}

fn error(problem: Problem, source: &str, place: &Place) -> Error {
    let characters = |range: std::ops::Range<usize>| {
        u32::try_from(source.get(range).map_or(0, |text| text.chars().count())).unwrap_or(u32::MAX)
    };
    let before = characters(0..problem.span.start);
    let width = characters(problem.span.start..problem.span.end);
    let mut at = place.clone();
    let mut problem = problem;
    if place.column > 0 {
        (at.column, at.width) = (place.column.saturating_add(before), width);
    } else if source.lines().count() == 1 && source.len() <= 240 && !source.contains(char::is_control) {
        let (margin, carets) = (" ".repeat(before as usize), "^".repeat(width.max(1) as usize));
        problem.message.push_str(&format!("\n  | {source}\n  | {margin}{carets}"));
    }
    problem.at(ErrorKind::Plan, at)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn value(source: &str, values: &[f64]) -> f64 {
        parse_scalar_condition(source, &["fast", "slow"], &Place::default()).unwrap().eval(values)
    }

    #[test]
    fn conditions_and_numbers() {
        assert_eq!(value("fast < slow", &[5.0, 20.0]), 1.0);
        assert_eq!(value("fast < slow", &[20.0, 5.0]), 0.0);
        assert_eq!(value("fast - 0.5 * abs(slow)", &[1.0, -4.0]), -1.0);
        assert_eq!(value("2 ^ 3 ^ 2 - -2 ^ 2", &[0.0, 0.0]), 516.0);
        assert_eq!(value("min(fast, slow) + max(fast, 30)", &[5.0, 20.0]), 35.0);
        assert_eq!(value("if(fast >= 10 or not slow == 20, 7 % 4, -7 % 4)", &[5.0, 20.0]), 1.0);
        assert!(value("fast / slow", &[1.0, 0.0]).is_nan());
        assert!(value("fast < slow", &[f64::NAN, 1.0]).is_nan());
        assert_eq!(value("if(defined(fast), fast, 3)", &[f64::NAN, 1.0]), 3.0);
        assert!(value("fast", &[]).is_nan());
    }

    #[test]
    fn the_kind_and_the_names_used_are_known() {
        let expr = parse_scalar(
            "on and b > 2",
            &[("a", Kind::Float), ("b", Kind::Float), ("on", Kind::Bool)],
            &Place::default(),
        );
        let expr = expr.unwrap();
        assert_eq!((expr.kind(), expr.uses(), expr.source()), (Kind::Bool, vec![1, 2], "on and b > 2"));
    }

    #[test]
    fn errors_point_into_the_expression_or_into_the_line_it_stands_in() {
        let message = |source: &str, place: &Place| {
            parse_scalar_condition(source, &["fast", "slow"], place).unwrap_err().to_string()
        };
        let bare = Place { file: "study.toml".into(), ..Place::default() };
        assert_eq!(
            message("fast < slwo", &bare),
            "study.toml: unknown name `slwo`\n  | fast < slwo\n  |        ^^^^\n  help: did you mean `slow`?"
        );
        let line = "where = \"fast < close\"".to_owned();
        let exact = Place { file: "study.toml".into(), line: 4, column: 10, width: 0, source_line: line };
        assert_eq!(
            message("fast < close", &exact),
            "study.toml:4:17: unknown name `close`\n  | where = \"fast < close\"\n  |                 ^^^^^\n  help: names here are fast, slow"
        );
        assert_eq!(
            message("1 < rank(fast)", &bare),
            "study.toml: `rank(fast)` needs bars, and there are none here\n  | 1 < rank(fast)\n  |     ^^^^^^^^^^\n  help: names here are fast, slow"
        );
    }
}
