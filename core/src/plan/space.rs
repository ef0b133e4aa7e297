//! The parameter space: which points there are, and the number that names each of them.
//!
//! Given the parameters of a strategy and what the user typed about them, this file gives a [`Space`]: a mixed-radix
//! numbering (last parameter fastest) of the whole product of values, cut by conditions, never materialised. It never
//! knows which points are evaluated, or by whom.

use std::ops::Range;

use super::searching::Method;
use super::source::shorten;
use super::spec::{PlanSpec, SpaceEntry, name_of};
use crate::error::{Error, Result, nearest};
use crate::num;
use crate::strategy::{Domain, Kind, ParamDecl, ScalarExpr, Scale, parse_scalar};

/// Points visited at most when a space is checked for having a valid one.
const VISITS_FOR_ONE: u64 = 1 << 20;
/// Points drawn at most from a space that is too large to visit.
const DRAWS: u64 = 1 << 16;
/// Values of a parameter kept at most, since computing the decimals of one is slower than a look-up.
const MOST_KEPT: u64 = 1 << 16;

/// What a parameter's values are, for columns and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// Whole numbers.
    Int,
    /// Numbers.
    Float,
    /// Truth values, as 0 and 1.
    Bool,
}

impl ParamKind {
    /// `int`, `float` or `bool`.
    pub fn name(self) -> &'static str {
        match self {
            ParamKind::Int => "int",
            ParamKind::Float => "float",
            ParamKind::Bool => "bool",
        }
    }
}

/// One parameter of the space.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its name in the strategy.
    pub name: String,
    /// What its values are.
    pub kind: ParamKind,
    /// The values.
    pub domain: Domain,
    /// Number of values, at least 1.
    pub len: u64,
    /// Points from one value to the next: the product of the lengths after this axis.
    pub stride: u64,
    /// The values, if they are few.
    kept: Vec<f64>,
}

/// A condition that every trial satisfies.
#[derive(Clone, Debug)]
struct Condition {
    text: String,
    expr: ScalarExpr,
    /// Points that share all parameters which the condition reads: where it fails once, it fails for all of them.
    block: u64,
}

/// All points that a search may visit.
#[derive(Clone, Debug)]
pub struct Space {
    axes: Vec<Axis>,
    conditions: Vec<Condition>,
    size: u64,
}

/// A number of valid points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub points: u64,
    /// Whether they were counted; otherwise it is an estimate from evenly drawn points.
    pub exact: bool,
}

impl Space {
    /// The space of a study over a strategy's parameters. Beside it, warnings.
    ///
    /// # Errors
    /// An unknown parameter, values that do not fit the parameter, a continuous parameter of a grid, no values, more points
    /// than a 64-bit number can name, a condition that does not parse, conditions that no point satisfies.
    pub fn resolve(spec: &PlanSpec, params: &[ParamDecl], warnings: &mut Vec<String>) -> Result<Space> {
        if let Some(name) = spec.space.keys().find(|name| params.iter().all(|param| param.name != **name)) {
            return Err(unknown_parameter(spec, name, params));
        }
        let mut axes = params.iter().map(|param| axis(spec, param)).collect::<Result<Vec<Axis>>>()?;
        let mut size: u64 = 1;
        for axis in axes.iter_mut().rev() {
            axis.stride = size;
            size = size.saturating_mul(axis.len);
        }
        if size == u64::MAX {
            let lengths: Vec<String> = axes.iter().map(|axis| format!("{} ({})", axis.name, axis.len)).collect();
            let message = format!("the space has more points than a 64-bit number can name: {}", lengths.join(" × "));
            return Err(spec.fault("space", message).help("use larger steps or fix some parameters"));
        }
        let conditions = spec.conditions.iter().enumerate().map(|(number, text)| condition(spec, number, text, &axes));
        let mut conditions = conditions.collect::<Result<Vec<Condition>>>()?;
        // Those that reject the largest blocks first.
        conditions.sort_by_key(|condition| std::cmp::Reverse(condition.block));
        let space = Space { axes, conditions, size };
        space.check_not_empty(spec, warnings)?;
        Ok(space)
    }

    /// The parameters in order, the last one fastest.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The conditions as typed, those on the slowest parameters first.
    pub fn conditions(&self) -> impl ExactSizeIterator<Item = &str> {
        self.conditions.iter().map(|condition| condition.text.as_str())
    }

    /// Number of points before conditions; indices run from 0 to this.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Writes the values of the point with this index (taken modulo the size) into `point`, one for each parameter.
    pub fn point(&self, index: u64, point: &mut Vec<f64>) {
        point.clear();
        point.extend(self.axes.iter().map(|axis| axis.value(index / axis.stride % axis.len)));
    }

    /// The index of a point, `None` if one of its values is not on the grid.
    pub fn index_of(&self, point: &[f64]) -> Option<u64> {
        if point.len() != self.axes.len() {
            return None;
        }
        self.axes.iter().zip(point).try_fold(0, |index, (axis, &value)| {
            let digit = axis.domain.index_of(value)?;
            (digit < axis.len).then(|| index + digit * axis.stride)
        })
    }

    /// Whether there is a point with this index and it satisfies all conditions.
    pub fn is_valid(&self, index: u64) -> bool {
        let mut point = Vec::with_capacity(self.axes.len());
        self.point(index, &mut point);
        index < self.size && self.failing(&point).is_none()
    }

    /// The valid indices of a range, ascending.
    pub fn valid_in(&self, range: Range<u64>) -> ValidIn<'_> {
        ValidIn { space: self, walk: Walk::new(self, range) }
    }

    /// Number of valid points: counted if the space has at most `limit` points, else estimated from about `limit`
    /// evenly drawn ones.
    pub fn count_valid(&self, limit: u64) -> Count {
        if self.conditions.is_empty() {
            return Count { points: self.size, exact: true };
        }
        if self.size <= limit {
            return Count { points: self.valid_in(0..self.size).count() as u64, exact: true };
        }
        let draws = limit.max(1);
        let valid = self.draws(draws).filter(|&index| self.is_valid(index)).count() as u64;
        let points = u128::from(self.size) * u128::from(valid) / u128::from(draws);
        Count { points: u64::try_from(points).unwrap_or(u64::MAX), exact: false }
    }

    /// The indices of shard `k` of `n`: contiguous, as equal as can be; all shards together are the space.
    /// Empty for `k ≥ n`.
    pub fn shard(&self, k: u64, n: u64) -> Range<u64> {
        if k >= n {
            return self.size..self.size;
        }
        // `k + 1 ≤ n`, so both quotients are at most the size.
        let cut = |k: u64| (u128::from(self.size) * u128::from(k) / u128::from(n)) as u64;
        cut(k)..cut(k + 1)
    }

    /// The first condition that a point does not satisfy. An undefined condition is not satisfied.
    fn failing(&self, point: &[f64]) -> Option<&Condition> {
        self.conditions.iter().find(|condition| !condition.holds(point))
    }

    /// Indices spread evenly over the space, by steps of the golden ratio.
    fn draws(&self, n: u64) -> impl Iterator<Item = u64> + '_ {
        let size = u128::from(self.size);
        (0..n).map(move |i| ((u128::from(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)) * size) >> 64) as u64)
    }

    fn check_not_empty(&self, spec: &PlanSpec, warnings: &mut Vec<String>) -> Result<()> {
        let mut walk = Walk::new(self, 0..self.size);
        let found = walk.next_within(self, VISITS_FOR_ONE);
        let all_visited = walk.next >= self.size;
        if found.is_some() || (!all_visited && self.draws(DRAWS).any(|index| self.is_valid(index))) {
            return Ok(());
        }
        if !all_visited {
            warnings.push(format!(
                "no valid point among the first {VISITS_FOR_ONE} and {DRAWS} drawn ones of {}: `where` may reject all",
                self.size
            ));
            return Ok(());
        }
        let alone = self.conditions.iter().find(|condition| {
            let only = Space { conditions: vec![(*condition).clone()], ..self.clone() };
            let mut walk = Walk::new(&only, 0..only.size);
            walk.next_within(&only, VISITS_FOR_ONE).is_none() && walk.next >= only.size
        });
        let rejecting = match alone {
            Some(condition) => format!("`{}`", condition.text),
            None => {
                let texts: Vec<String> = self.conditions().map(|text| format!("`{text}`")).collect();
                format!("together, {}", texts.join(" and "))
            }
        };
        let message = format!("`where` rejects every one of the {} points: {rejecting}", self.size);
        Err(spec.fault("where", message).help(format!("the parameters are {}", self.describe())))
    }

    /// The parameters and their ranges, for people.
    fn describe(&self) -> String {
        let one = |axis: &Axis| {
            let (low, high) = axis.extremes();
            if axis.len == 1 { format!("{} = {low}", axis.name) } else { format!("{} = {low} … {high}", axis.name) }
        };
        self.axes.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

impl Axis {
    /// The value with this index.
    pub fn value(&self, index: u64) -> f64 {
        // An index that does not fit is beyond what is kept.
        let kept = usize::try_from(index).ok().and_then(|index| self.kept.get(index));
        kept.copied().unwrap_or_else(|| self.domain.value(index))
    }

    /// Whether neighbouring indices are neighbouring values; the values of a list that goes up and down are mere names.
    pub fn is_ordered(&self) -> bool {
        match &self.domain {
            Domain::Int { .. } | Domain::Float { .. } => true,
            Domain::Choice { values } => values.is_sorted() || values.iter().rev().is_sorted(),
            Domain::Bool => false,
        }
    }

    /// Smallest and largest value.
    pub fn extremes(&self) -> (f64, f64) {
        self.domain.range().unwrap_or((0.0, 1.0))
    }
}

impl Condition {
    fn holds(&self, point: &[f64]) -> bool {
        let value = self.expr.eval(point);
        value != 0.0 && !value.is_nan()
    }
}

/// A walk over the valid points of a range that steps over whole blocks which a condition rejects.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    next: u64,
    end: u64,
    /// The values at `current`.
    point: Vec<f64>,
    current: Option<u64>,
}

impl Walk {
    pub(crate) fn new(space: &Space, range: Range<u64>) -> Walk {
        Walk { next: range.start, end: range.end.min(space.size), point: Vec::new(), current: None }
    }

    /// The first index that has not been walked over yet.
    pub(crate) fn position(&self) -> u64 {
        self.next.min(self.end)
    }

    pub(crate) fn next_valid(&mut self, space: &Space) -> Option<u64> {
        self.next_within(space, u64::MAX)
    }

    /// The next valid index, or `None` at the end or after `visits` points.
    fn next_within(&mut self, space: &Space, visits: u64) -> Option<u64> {
        for _ in 0..visits {
            if self.next >= self.end {
                return None;
            }
            let index = self.next;
            self.go_to(space, index);
            match space.failing(&self.point) {
                None => {
                    self.next = index + 1;
                    return Some(index);
                }
                Some(condition) => self.next = (index / condition.block + 1).saturating_mul(condition.block),
            }
        }
        None
    }

    /// Sets `point`; a step to the neighbour mostly changes the last parameter alone.
    fn go_to(&mut self, space: &Space, index: u64) {
        let neighbour = self.current.is_some_and(|current| current + 1 == index);
        match (space.axes.last(), self.point.last_mut()) {
            (Some(axis), Some(value)) if neighbour && !index.is_multiple_of(axis.len) => {
                *value = axis.value(index % axis.len);
            }
            _ => space.point(index, &mut self.point),
        }
        self.current = Some(index);
    }
}

/// Iterator over the valid indices of a range.
#[derive(Clone, Debug)]
pub struct ValidIn<'a> {
    space: &'a Space,
    walk: Walk,
}

impl Iterator for ValidIn<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.walk.next_valid(self.space)
    }
}

fn unknown_parameter(spec: &PlanSpec, name: &str, params: &[ParamDecl]) -> Error {
    let known: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
    let error = spec.fault(&name_of(name), format!("the strategy has no parameter `{}`", shorten(name)));
    error.help(match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "it has no parameters at all".into(),
        None => format!("it has {}", known.join(", ")),
    })
}

/// The values of one parameter.
fn axis(spec: &PlanSpec, param: &ParamDecl) -> Result<Axis> {
    let name = &param.name;
    let key = format!("space.{name}");
    let whole = |values: &[f64]| values.iter().all(|value| value.fract() == 0.0);
    let declared = match &param.domain {
        Domain::Int { .. } => ParamKind::Int,
        Domain::Float { .. } => ParamKind::Float,
        Domain::Bool => ParamKind::Bool,
        Domain::Choice { values } if whole(values) && param.default.fract() == 0.0 => ParamKind::Int,
        Domain::Choice { .. } => ParamKind::Float,
    };
    let domain = match (spec.space.get(name), spec.searching.method) {
        (Some(entry), _) => overriding(spec, param, entry)?,
        (None, Method::Single) => Domain::fixed(param.default),
        (None, _) => param.domain.clone(),
    };
    domain.validate(name).map_err(|error| error.at(spec.place_of(&key)))?;
    let domain = if spec.searching.method.is_guided() { in_steps(domain) } else { domain };
    let Some(len) = domain.len() else {
        let message = format!("parameter `{name}` is continuous: a grid needs a `step`, or a list of values");
        return Err(spec.fault(&key, message).help(format!("add a step to its range, or write `{name} = [ … ]`")));
    };
    if spec.searching.method == Method::Single && len != 1 {
        let message = format!("parameter `{name}` has {len} values, but a single backtest takes one");
        return Err(spec.fault(&key, message).help(format!("write `{name} = {}`", param.default)));
    }
    let all_whole = match &domain {
        Domain::Choice { values } => whole(values),
        Domain::Int { .. } | Domain::Bool => true,
        Domain::Float { .. } => false,
    };
    let kind = if declared == ParamKind::Int && !all_whole { ParamKind::Float } else { declared };
    let kept = if len <= MOST_KEPT { (0..len).map(|index| domain.value(index)).collect() } else { Vec::new() };
    Ok(Axis { name: name.clone(), kind, domain, len, stride: 1, kept })
}

/// Steps that a search makes of a continuous range.
const STEPS: u32 = 1000;
/// Equal ratios that it makes of one with a logarithmic scale.
const RATIOS: u32 = 200;

/// A continuous domain in steps, so that its points have numbers: a search that is no grid need not name them all.
fn in_steps(domain: Domain) -> Domain {
    match domain {
        Domain::Float { min, max, step: None, scale: Scale::Linear } if min < max => {
            Domain::Float { min, max, step: Some((max - min) / f64::from(STEPS)), scale: Scale::Linear }
        }
        Domain::Float { min, max, step: None, scale: Scale::Log } if min < max => {
            let (low, high) = (num::ln(min), num::ln(max));
            let value = |place: u32| match place {
                0 => min,
                RATIOS => max,
                place => num::exp(low + (high - low) * f64::from(place) / f64::from(RATIOS)),
            };
            let mut values: Vec<f64> = (0..=RATIOS).map(value).collect();
            // Ends that are hardly apart have fewer values between them.
            values.dedup();
            if values.is_sorted() { Domain::Choice { values } } else { Domain::Choice { values: vec![min, max] } }
        }
        other => other,
    }
}

/// The values that the study gives, if they fit the kind of parameter that the strategy declares.
fn overriding(spec: &PlanSpec, param: &ParamDecl, entry: &SpaceEntry) -> Result<Domain> {
    let name = &param.name;
    let wrong = |message: String| Err(spec.fault(&format!("space.{name}"), message));
    let as_number = |flag: &bool| f64::from(u8::from(*flag));
    let flags = matches!(entry, SpaceEntry::Flag(_) | SpaceEntry::Flags(_) | SpaceEntry::Domain(Domain::Bool));
    if flags != (param.domain == Domain::Bool) {
        let takes = if flags { "numbers, not truth values" } else { "true and false only" };
        return wrong(format!("parameter `{name}` takes {takes}"));
    }
    let domain = match entry {
        SpaceEntry::Number(value) => Domain::fixed(*value),
        SpaceEntry::Flag(flag) => Domain::fixed(as_number(flag)),
        SpaceEntry::Numbers(values) => Domain::Choice { values: values.clone() },
        SpaceEntry::Flags(flags) => Domain::Choice { values: flags.iter().map(as_number).collect() },
        SpaceEntry::Domain(domain) => domain.clone(),
    };
    match (&param.domain, domain) {
        (Domain::Int { .. }, Domain::Float { .. }) => {
            wrong(format!("parameter `{name}` is a whole number: `min`, `max` and `step` must be whole"))
        }
        (Domain::Int { .. }, Domain::Choice { values }) => match values.iter().find(|value| value.fract() != 0.0) {
            Some(value) => wrong(format!("parameter `{name}` is a whole number, found {value}")),
            None => Ok(Domain::Choice { values }),
        },
        // A range written without fractions for a parameter that may have them.
        (Domain::Float { .. }, Domain::Int { min, max, step }) => {
            Ok(Domain::Float { min: min as f64, max: max as f64, step: Some(step as f64), scale: Scale::Linear })
        }
        (_, domain) => Ok(domain),
    }
}

fn condition(spec: &PlanSpec, number: usize, text: &str, axes: &[Axis]) -> Result<Condition> {
    let kind = |axis: &Axis| if axis.kind == ParamKind::Bool { Kind::Bool } else { Kind::Float };
    let names: Vec<(&str, Kind)> = axes.iter().map(|axis| (axis.name.as_str(), kind(axis))).collect();
    let place = spec.place_of(&format!("where[{number}]"));
    let expr = parse_scalar(text, &names, &place)?;
    if expr.kind() != Kind::Bool {
        let message = format!("`{}` is a number, and `where` takes conditions", shorten(text));
        return Err(Error::plan(message).at(place).help("compare it with something: `fast < slow`"));
    }
    let deepest = expr.uses().into_iter().max();
    let block = deepest.map_or(u64::MAX, |param| axes.get(param as usize).map_or(1, |axis| axis.stride));
    Ok(Condition { text: text.to_owned(), expr, block })
}

#[cfg(test)]
#[path = "space_tests.rs"]
mod tests;
