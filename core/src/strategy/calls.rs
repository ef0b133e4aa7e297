//! Calls: which function or indicator a name with brackets means, and its arguments.
//!
//! Given a call, this gives the node of the function or of one output of the indicator.

use super::builtins::{BUILTINS, Builtin, Meaning, builtin};
use super::check::{Checked, Checker, is_nullary, positional, usage};
use super::lexer::clip;
use super::parser::{Argument, Call, Expr};
use super::source::{Problem, Span};
use super::{CrossSection, Function, Node, NodeId};
use crate::error::nearest;
use crate::indicators::{self, Indicator, Input, ParamSpec, REGISTRY};

/// An output's name and where it is written, if one is.
type Output<'a> = Option<(&'a str, Span)>;

impl Checker<'_> {
    /// The node of a call, with the output that is chosen from it.
    pub fn call(&mut self, call: &Call, output: Output<'_>, span: Span) -> Checked<NodeId> {
        let name = call.name.as_str();
        let Some(builtin) = builtin(name) else {
            return match indicators::find(name) {
                Some((index, entry)) => self.indicator(index, entry, call, output, span),
                None => Err(self.unknown_function(call)),
            };
        };
        match builtin.meaning {
            Meaning::Extreme(function) => self.extreme(function, builtin, call, output, span),
            Meaning::Alias(target) => self.alias(target, call, output, span),
            // Two arguments are the rolling indicator.
            Meaning::CrossSection(CrossSection::ZScore) if call.arguments.len() > 1 => {
                self.alias("zscore", call, output, span)
            }
            meaning => {
                only_output(call, output)?;
                self.builtin_call(builtin, meaning, call, span)
            }
        }
    }

    fn builtin_call(&mut self, builtin: &Builtin, meaning: Meaning, call: &Call, span: Span) -> Checked<NodeId> {
        let usage = builtin.usage;
        if is_nullary(meaning) {
            positional::<0>(call, usage)?;
            return self.word_call(&call.name, call.name_span);
        }
        if !matches!(meaning, Meaning::Function(_) | Meaning::If) {
            self.only_with_bars(span)?;
        }
        match meaning {
            Meaning::Function(function) => self.function(function, call, usage, span),
            Meaning::If => self.if_call(call, usage, span),
            Meaning::Cross(over) => self.cross(over, call, usage, span),
            Meaning::Since => self.since(call, usage, span),
            Meaning::CrossSection(function) => self.cross_section(function, call, usage, span),
            Meaning::Top => self.top(call, usage, span),
            Meaning::Coarse(period) => {
                let [operand] = positional(call, usage)?;
                self.coarse(period, call, operand, span)
            }
            Meaning::Minutes => self.minutes(call, usage, span),
            _ => Err(Problem::new(call.name_span, format!("`{}` is not a function", call.name))
                .help(format!("write `{usage}`; a value some bars ago is `{}[1]`", call.name))),
        }
    }

    /// `month_end()` is `month_end`.
    fn word_call(&mut self, name: &str, span: Span) -> Checked<NodeId> {
        let depth = 1;
        self.node(&Expr { span, depth, kind: super::parser::ExprKind::Name(name.to_owned()) })
    }

    /// `min` and `max`: over a window where the first operand is a column and the last a whole scalar or a named
    /// period, or where there is only one operand (TA-Lib's default period); element-wise otherwise.
    fn extreme(
        &mut self,
        function: Function,
        builtin: &Builtin,
        call: &Call,
        output: Output<'_>,
        span: Span,
    ) -> Checked<NodeId> {
        let name = builtin.name;
        let by_name = call.arguments.iter().any(|argument| argument.name.is_some());
        if by_name || call.arguments.len() == 1 {
            return self.alias(name, call, output, span);
        }
        let [a, b] = positional(call, builtin.usage)?;
        let user = format!("`{name}`");
        let (left, right) = (self.float(a, &user)?, self.float(b, &user)?);
        let (left_type, right_type) = (self.builder.node_type(left), self.builder.node_type(right));
        if !left_type.scalar && right_type.scalar && self.builder.traits(right).whole {
            return self.window(call, (a, left), b, output, span).map_err(|problem| {
                Problem::new(problem.span, problem.message).help(format!(
                    "`{name}(x, n)` is a window of n bars; the {} of two values is `{name}({}, {})`, the number first",
                    if function == Function::Min2 { "smaller" } else { "larger" },
                    self.source(b.span),
                    self.source(a.span),
                ))
            });
        }
        only_output(call, output)?;
        self.add(span, Node::Function(function, vec![left, right]))
    }

    /// The indicator `min` or `max` over an operand that is checked already: checking it again would take twice as
    /// long at every level of nested calls.
    fn window(
        &mut self,
        call: &Call,
        (operand, input): (&Expr, NodeId),
        period: &Expr,
        output: Output<'_>,
        span: Span,
    ) -> Checked<NodeId> {
        let Some((index, entry)) = indicators::find(&call.name) else {
            return self.alias(&call.name, call, output, span);
        };
        let [spec] = entry.params else { return self.alias(&call.name, call, output, span) };
        let user = format!("`{}`", call.name);
        if self.builder.node_type(input).stateful {
            return self.input(operand, &user, entry.name);
        }
        let output = chosen_output(entry, call, output)?;
        let params = vec![self.param(period, spec, &user)?];
        self.add(span, Node::Indicator { index, inputs: vec![input], params, output })
    }

    /// A call that means an indicator of another name.
    fn alias(&mut self, target: &str, call: &Call, output: Output<'_>, span: Span) -> Checked<NodeId> {
        match indicators::find(target) {
            Some((index, entry)) => self.indicator(index, entry, call, output, span),
            None => Err(Problem::new(call.name_span, format!("the indicator `{target}` is not in this build"))),
        }
    }

    fn unknown_function(&self, call: &Call) -> Problem {
        let name = call.name.as_str();
        let declared = self.scope.params.iter().any(|(param, _)| param.name == name)
            || self.scope.all_columns.iter().any(|column| column == name);
        if declared {
            return Problem::new(call.name_span, format!("`{name}` is a value, not a function"))
                .help(format!("a value some bars ago is `{name}[1]`; a product needs `*`"));
        }
        let functions = BUILTINS.iter().filter(|builtin| builtin.usage.contains('(')).map(|builtin| builtin.name);
        let known = functions.chain(REGISTRY.iter().map(|indicator| indicator.name));
        let problem = Problem::new(call.name_span, format!("unknown function `{}`", clip(name)));
        match nearest(name, known) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("indicators have their TA-Lib names in lower case: `sma`, `rsi`, `bbands`"),
        }
    }

    fn indicator(
        &mut self,
        index: u16,
        entry: &Indicator,
        call: &Call,
        output: Output<'_>,
        span: Span,
    ) -> Checked<NodeId> {
        self.only_with_bars(span)?;
        let user = format!("`{}`", call.name);
        let output = chosen_output(entry, call, output)?;
        let bound = bind(entry, call)?;
        let mut written = bound.inputs.into_iter();
        let mut inputs = Vec::with_capacity(entry.inputs.len());
        for input in entry.inputs {
            inputs.push(match input {
                Input::Implied(field) => self.add(span, Node::Field(*field))?,
                Input::Real(operand) => {
                    let Some(value) = written.next().flatten() else {
                        return Err(Problem::new(call.name_span, format!("{user} has no operand `{operand}`"))
                            .help(format!("write {}", usage(entry.name))));
                    };
                    self.input(value, &user, entry.name)?
                }
            });
        }
        let mut params = Vec::with_capacity(entry.params.len());
        for (spec, value) in entry.params.iter().zip(bound.params) {
            params.push(match value {
                Some(value) => self.param(value, spec, &user)?,
                None => self.add(span, Node::Number(spec.default))?,
            });
        }
        self.add(span, Node::Indicator { index, inputs, params, output })
    }

    fn input(&mut self, value: &Expr, user: &str, name: &str) -> Checked<NodeId> {
        self.inside(user, |checker| {
            let id = checker.float(value, user)?;
            checker
                .column(id, value, user)
                .map_err(|problem| Problem { help: None, ..problem }.help(format!("write {}", usage(name))))
        })
    }

    fn param(&mut self, value: &Expr, spec: &ParamSpec, user: &str) -> Checked<NodeId> {
        self.inside(user, |checker| {
            checker.period(value, &format!("`{}` of {user}", spec.name), (spec.min, spec.max), spec.integer)
        })
    }
}

/// Refuses an output of a call that gives one value.
fn only_output(call: &Call, output: Output<'_>) -> Checked<()> {
    let Some((member, span)) = output else { return Ok(()) };
    Err(Problem::new(span, format!("`{}` has no output `{}`: it gives one value", call.name, clip(member)))
        .help(format!("remove `.{}`", clip(member))))
}

/// Index of the output that a call means.
fn chosen_output(entry: &Indicator, call: &Call, output: Output<'_>) -> Checked<u8> {
    let listed = || entry.outputs.iter().map(|name| format!("`.{name}`")).collect::<Vec<_>>().join(", ");
    match (entry.outputs, output) {
        ([_], None) => Ok(0),
        ([_], Some((member, span))) => {
            Err(Problem::new(span, format!("`{}` has no output `{member}`: it gives one value", call.name))
                .help(format!("remove `.{}`", clip(member))))
        }
        (_, None) => Err(Problem::new(call.name_span, format!("`{}` has several outputs", call.name))
            .help(format!("choose one behind the call: {}", listed()))),
        (outputs, Some((member, span))) => {
            outputs.iter().position(|name| *name == member).and_then(|at| u8::try_from(at).ok()).ok_or_else(|| {
                Problem::new(span, format!("`{}` has no output `{member}`", call.name))
                    .help(format!("it has {}", listed()))
            })
        }
    }
}

/// Arguments by what they are for.
struct Bound<'e> {
    inputs: Vec<Option<&'e Expr>>,
    params: Vec<Option<&'e Expr>>,
}

/// Which argument is which: operands, then parameters, then anything by name.
fn bind<'e>(entry: &Indicator, call: &'e Call) -> Checked<Bound<'e>> {
    let inputs: Vec<&str> = entry
        .inputs
        .iter()
        .filter_map(|input| match input {
            Input::Real(name) => Some(*name),
            Input::Implied(_) => None,
        })
        .collect();
    let names: Vec<&str> = inputs.iter().copied().chain(entry.params.iter().map(|spec| spec.name)).collect();
    let mut values: Vec<Option<&Expr>> = vec![None; names.len()];
    let mut named_before = false;
    for (position, argument) in call.arguments.iter().enumerate() {
        let slot = match &argument.name {
            Some((name, span)) => named_slot(name, *span, &names, call)?,
            None if named_before => {
                return Err(Problem::new(argument.value.span, "an argument without name follows one with a name")
                    .help("put arguments by name last"));
            }
            None => position,
        };
        named_before |= argument.name.is_some();
        match values.get_mut(slot) {
            Some(free @ None) => *free = Some(&argument.value),
            Some(Some(_)) => return Err(given_twice(argument, names[slot])),
            None => return Err(too_many(entry, call, argument, names.len())),
        }
    }
    let params = values.split_off(inputs.len());
    Ok(Bound { inputs: values, params })
}

fn named_slot(name: &str, span: Span, names: &[&str], call: &Call) -> Checked<usize> {
    names.iter().position(|known| *known == name).ok_or_else(|| {
        let problem = Problem::new(span, format!("`{}` has no parameter `{}`", call.name, clip(name)));
        match nearest(name, names.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None if names.is_empty() => problem.help("it has none"),
            None => problem.help(format!("it has {}", names.join(", "))),
        }
    })
}

fn given_twice(argument: &Argument, name: &str) -> Problem {
    let span = argument.name.as_ref().map_or(argument.value.span, |(_, span)| *span);
    Problem::new(span, format!("`{name}` is given twice")).help("an argument may be given by place or by name, once")
}

fn too_many(entry: &Indicator, call: &Call, argument: &Argument, most: usize) -> Problem {
    let implied: Vec<_> = entry
        .inputs
        .iter()
        .filter_map(|input| match input {
            Input::Implied(field) => Some(field.name()),
            Input::Real(_) => None,
        })
        .collect();
    let found = call.arguments.len();
    let most = if most == 1 { "one argument".to_owned() } else { format!("{most} arguments") };
    let problem = Problem::new(argument.value.span, format!("`{}` takes at most {most}, found {found}", call.name));
    match implied.is_empty() {
        true => problem.help(format!("write {}", usage(entry.name))),
        false => problem.help(format!("it reads {} by itself: {}", implied.join(", "), usage(entry.name))),
    }
}
