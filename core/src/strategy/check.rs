//! Names, types and counts: from what is written to what it means.
//!
//! Given an [`Expr`] and the names in scope, this gives a node of the shared program. It never knows files.

use super::builder::Builder;
use super::builtins::{BUILTINS, Meaning, builtin};
use super::lexer::clip;
use super::parser::{Argument, Call, Expr, ExprKind};
use super::source::{Problem, Span};
use super::{BinaryOp, CrossSection, Function, Kind, Node, NodeId, ParamDecl, Period};
use crate::bundle::Field;
use crate::error::nearest;
use crate::indicators::{Input, REGISTRY, find};

/// Names that a strategy declares.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// Parameters, and whether each is a number or a truth value.
    pub params: &'a [(ParamDecl, Kind)],
    /// Their defaults, in the same order.
    pub defaults: &'a [f64],
    /// Columns declared so far.
    pub columns: &'a [(String, NodeId)],
    /// All columns, those declared later included.
    pub all_columns: &'a [String],
    /// Whether the rule may look at the position.
    pub position: bool,
    /// Whether there are no bars: only parameters, numbers and functions of them.
    pub scalars_only: bool,
}

/// Checks one expression.
pub(super) struct Checker<'a> {
    pub builder: &'a mut Builder,
    pub scope: Scope<'a>,
    /// The expression's text, for messages.
    pub text: &'a str,
    /// What the current operand is inside of, where the position cannot be looked at.
    pub inside: Option<String>,
}

pub(super) type Checked<T> = Result<T, Problem>;

impl Checker<'_> {
    /// The node of an expression.
    pub fn node(&mut self, expr: &Expr) -> Checked<NodeId> {
        match &expr.kind {
            ExprKind::Number(value) => self.add(expr.span, Node::Number(*value)),
            ExprKind::Flag(value) => self.add(expr.span, Node::Flag(*value)),
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Quoted(name) => {
                Err(Problem::new(expr.span, format!("the symbol `{}` is not a value", clip(name)))
                    .help("write which field of it: `\"BRK.B\".close`"))
            }
            ExprKind::Neg(operand) => {
                let operand = self.float(operand, "`-`")?;
                self.add(expr.span, Node::Neg(operand))
            }
            ExprKind::Not(operand) => {
                let operand = self.bool(operand, "`not`")?;
                self.add(expr.span, Node::Not(operand))
            }
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, expr.span),
            ExprKind::Call(call) => self.call(call, None, expr.span),
            ExprKind::Member(base, member, span) => self.member(base, member, *span, expr.span),
            ExprKind::Lag(base, bars) => self.lag(base, bars, expr.span),
        }
    }

    /// The node of an expression that must be a number.
    pub fn float(&mut self, expr: &Expr, user: &str) -> Checked<NodeId> {
        let id = self.node(expr)?;
        match self.builder.node_type(id).kind {
            Kind::Float => Ok(id),
            Kind::Bool => Err(Problem::new(
                expr.span,
                format!("{user} needs a number, but `{}` is a condition", self.source(expr.span)),
            )
            .help("`if(condition, 1, 0)` makes a number of it")),
        }
    }

    /// The node of an expression that must be a condition.
    pub fn bool(&mut self, expr: &Expr, user: &str) -> Checked<NodeId> {
        let id = self.node(expr)?;
        match self.builder.node_type(id).kind {
            Kind::Bool => Ok(id),
            Kind::Float => Err(Problem::new(
                expr.span,
                format!("{user} needs a condition, but `{}` is a number", self.source(expr.span)),
            )
            .help("compare it with something, for example `… > 0`")),
        }
    }

    pub fn add(&mut self, span: Span, node: Node) -> Checked<NodeId> {
        self.builder
            .add(node, self.scope.params)
            .map_err(|message| Problem::new(span, message).help("make the columns that it uses simpler"))
    }

    pub fn source(&self, span: Span) -> String {
        clip(self.text.get(span.start..span.end).unwrap_or_default())
    }

    fn name(&mut self, name: &str, span: Span) -> Checked<NodeId> {
        if let Some(index) = self.scope.params.iter().position(|(param, _)| param.name == name) {
            // A strategy file is too short for this to be cut.
            return self.add(span, Node::Param(u32::try_from(index).unwrap_or(u32::MAX)));
        }
        if let Some((_, id)) = self.scope.columns.iter().find(|(column, _)| column == name) {
            return Ok(*id);
        }
        if self.scope.all_columns.iter().any(|column| column == name) {
            return Err(Problem::new(span, format!("the column `{name}` is used before it is declared"))
                .help("a column may use those above it, and never itself: change their order"));
        }
        match builtin(name) {
            Some(builtin) if !self.scope.scalars_only => self.word(name, builtin.meaning, builtin.usage, span),
            Some(builtin) if builtin.usage.contains('(') => {
                Err(Problem::new(span, format!("`{name}` is a function")).help(format!("write `{}`", builtin.usage)))
            }
            _ => Err(self.unknown_name(name, span)),
        }
    }

    /// A built-in word without brackets.
    fn word(&mut self, name: &str, meaning: Meaning, usage: &str, span: Span) -> Checked<NodeId> {
        let node = match meaning {
            Meaning::Field(field) => Node::Field(field),
            Meaning::Calendar(function) => Node::Calendar(function),
            Meaning::SymbolCount => Node::SymbolCount,
            Meaning::State(variable) => {
                self.allow_position(name, span)?;
                Node::State(variable)
            }
            _ => {
                return Err(Problem::new(span, format!("`{name}` is a function")).help(format!("write `{usage}`")));
            }
        };
        self.add(span, node)
    }

    fn allow_position(&self, name: &str, span: Span) -> Checked<()> {
        if !self.scope.position {
            return Err(Problem::new(span, format!("`{name}` depends on the position, which is not known here"))
                .help("only enter and exit rules and `size` may use it"));
        }
        match &self.inside {
            Some(place) => {
                Err(Problem::new(span, format!("`{name}` depends on the position and has no past inside {place}"))
                    .help("compute the past of prices, and compare the result with the position outside"))
            }
            None => Ok(()),
        }
    }

    fn unknown_name(&self, name: &str, span: Span) -> Problem {
        if find(name).is_some() && !self.scope.scalars_only {
            return Problem::new(span, format!("`{name}` is an indicator"))
                .help(format!("write it as a call: {}", usage(name)));
        }
        let problem = Problem::new(span, format!("unknown name `{}`", clip(name)));
        match nearest(name, self.known_names()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None if self.scope.scalars_only => problem.help(self.listed_params()),
            None => {
                problem.help("names are fields, parameters, columns declared above, and the functions of the language")
            }
        }
    }

    fn listed_params(&self) -> String {
        const MOST: usize = 40;
        let names: Vec<_> = self.scope.params.iter().take(MOST).map(|(param, _)| param.name.as_str()).collect();
        match names.is_empty() {
            true => "there are no names here".to_owned(),
            false => format!("names here are {}", names.join(", ")),
        }
    }

    fn known_names(&self) -> Vec<&str> {
        let params = self.scope.params.iter().map(|(param, _)| param.name.as_str());
        let mut names: Vec<&str> = params.chain(self.scope.columns.iter().map(|(name, _)| name.as_str())).collect();
        let scalars_only = self.scope.scalars_only;
        names
            .extend(BUILTINS.iter().filter(|builtin| !scalars_only || is_scalar_word(builtin.meaning)).map(|b| b.name));
        if !scalars_only {
            names.extend(REGISTRY.iter().map(|indicator| indicator.name));
        }
        names
    }

    fn binary(&mut self, op: BinaryOp, a: &Expr, b: &Expr, span: Span) -> Checked<NodeId> {
        let user = format!("`{}`", op.sign());
        let (a, b) = match op {
            BinaryOp::And | BinaryOp::Or => (self.bool(a, &user)?, self.bool(b, &user)?),
            BinaryOp::Eq | BinaryOp::Ne => {
                let left = self.node(a)?;
                let right = match self.builder.node_type(left).kind {
                    Kind::Bool => self.bool(b, &user)?,
                    Kind::Float => self.float(b, &user)?,
                };
                (left, right)
            }
            _ => (self.float(a, &user)?, self.float(b, &user)?),
        };
        self.add(span, Node::Binary(op, a, b))
    }

    fn member(&mut self, base: &Expr, member: &str, member_span: Span, span: Span) -> Checked<NodeId> {
        let symbol = match &base.kind {
            ExprKind::Call(call) => return self.call(call, Some((member, member_span)), span),
            ExprKind::Quoted(symbol) => symbol,
            ExprKind::Name(name) if self.is_declared(name) => {
                return Err(Problem::new(
                    base.span,
                    format!("`{name}` is not a symbol, and a value has no `.{member}`"),
                )
                .help(format!(
                    "an output is chosen where the indicator is called; a symbol of that name is `\"{name}\".{member}`"
                )));
            }
            ExprKind::Name(symbol) => symbol,
            _ => {
                return Err(Problem::new(
                    member_span,
                    format!("`.{member}` follows neither an indicator nor a symbol"),
                )
                .help("write `macd(close).signal` or `SPY.close`"));
            }
        };
        self.only_with_bars(base.span)?;
        let Some(field) = Field::ALL.into_iter().find(|field| field.name() == member) else {
            let problem = Problem::new(member_span, format!("a symbol has no `{member}`"));
            return Err(match nearest(member, Field::ALL.map(Field::name)) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help("its fields are open, high, low, close and volume"),
            });
        };
        self.add(span, Node::ForeignField { symbol: symbol.clone(), field })
    }

    fn is_declared(&self, name: &str) -> bool {
        self.scope.params.iter().any(|(param, _)| param.name == name)
            || self.scope.all_columns.iter().any(|column| column == name)
            || is_reserved(name)
    }

    pub fn only_with_bars(&self, span: Span) -> Checked<()> {
        if !self.scope.scalars_only {
            return Ok(());
        }
        Err(Problem::new(span, format!("`{}` needs bars, and there are none here", self.source(span)))
            .help(self.listed_params()))
    }

    fn lag(&mut self, base: &Expr, bars: &Expr, span: Span) -> Checked<NodeId> {
        self.only_with_bars(span)?;
        let node = self.inside("a lag", |checker| {
            let id = checker.node(base)?;
            checker.column(id, base, "a lag")
        })?;
        let count = self.period(bars, "a lag", (0.0, f64::from(u32::MAX)), true)?;
        self.add(span, Node::Lag { node, bars: count })
    }

    /// Runs `check` for operands of something that has to be computed before the position is known.
    pub fn inside<T>(&mut self, place: &str, check: impl FnOnce(&mut Self) -> Checked<T>) -> Checked<T> {
        let outer = self.inside.replace(place.to_owned());
        let result = check(self);
        self.inside = outer;
        result
    }

    /// The node itself, where it must vary from bar to bar.
    pub fn column(&self, id: NodeId, expr: &Expr, user: &str) -> Checked<NodeId> {
        if self.builder.node_type(id).scalar {
            return Err(Problem::new(
                expr.span,
                format!("{user} needs a column, but `{}` is the same at every bar", self.source(expr.span)),
            )
            .help("a column is a field like `close`, or computed from one"));
        }
        Ok(id)
    }

    /// The node of an expression that must be one number for the whole run, inside a range at the parameters'
    /// defaults and at both ends of a parameter's own domain.
    pub fn period(&mut self, expr: &Expr, user: &str, (min, max): (f64, f64), whole: bool) -> Checked<NodeId> {
        let id = self.scalar(expr, user)?;
        if whole && !self.builder.traits(id).whole {
            let source = self.source(expr.span);
            return Err(Problem::new(expr.span, format!("{user} needs a whole number, which `{source}` need not be"))
                .help(format!("write `round({source})` or `floor({source})`")));
        }
        let Some(default) = self.builder.program().scalar_value(id, self.scope.defaults, None) else {
            return Err(Problem::new(expr.span, format!("{user} cannot depend on the number of symbols"))
                .help("how far back a value looks has to be known before the symbols are"));
        };
        let ends = match self.builder.program().node(id) {
            Node::Param(index) => self.scope.params.get(*index as usize).and_then(|(param, _)| param.domain.range()),
            _ => None,
        };
        let (low, high) = ends.unwrap_or((default, default));
        for value in [default, low, high] {
            if !(min..=max).contains(&value) {
                return Err(self.out_of_range(expr, user, value, (min, max), whole));
            }
        }
        Ok(id)
    }

    fn out_of_range(&self, expr: &Expr, user: &str, value: f64, (min, max): (f64, f64), whole: bool) -> Problem {
        let source = self.source(expr.span);
        let shown = if source == value.to_string() { source } else { format!("{source} = {value}") };
        if user == "a lag" && value < 0.0 {
            return Problem::new(
                expr.span,
                format!("`{shown}`: a negative lag would look ahead, which cannot be written"),
            )
            .help("`close[1]` is the bar before; signals act on the next bar by themselves");
        }
        let sort = if whole { "a whole number" } else { "a number" };
        Problem::new(expr.span, format!("`{shown}` is outside its range: {user} needs {sort} from {min} to {max}"))
            .help("choose a value in the range, for a parameter its default and both ends of its domain")
    }

    /// The node of an expression that must be one number for the whole run.
    pub fn scalar(&mut self, expr: &Expr, user: &str) -> Checked<NodeId> {
        let id = self.float(expr, user)?;
        if !self.builder.node_type(id).scalar {
            return Err(Problem::new(
                expr.span,
                format!(
                    "{user} needs one number for the whole run, but `{}` changes from bar to bar",
                    self.source(expr.span)
                ),
            )
            .help("use a number, a parameter, or arithmetic of them"));
        }
        Ok(id)
    }
}

fn is_scalar_word(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Function(_) | Meaning::Extreme(_) | Meaning::If | Meaning::Keyword)
}

/// Whether a name belongs to the language, so that a parameter or column cannot have it.
pub(super) fn is_reserved(name: &str) -> bool {
    builtin(name).is_some() || find(name).is_some()
}

/// How an indicator is called, with its defaults: `sma(real, timeperiod=30)`.
pub(super) fn usage(name: &str) -> String {
    let Some((_, indicator)) = find(name) else { return format!("`{name}(…)`") };
    let inputs = indicator.inputs.iter().filter_map(|input| match input {
        Input::Real(name) => Some((*name).to_owned()),
        Input::Implied(_) => None,
    });
    let params = indicator.params.iter().map(|param| format!("{}={}", param.name, param.default));
    let output = match indicator.outputs {
        [_] | [] => String::new(),
        outputs => format!(".{}", outputs[0]),
    };
    format!("`{name}({}){output}`", inputs.chain(params).collect::<Vec<_>>().join(", "))
}

/// Arguments by position only, for the functions that are not indicators.
pub(super) fn positional<'e, const N: usize>(call: &'e Call, usage: &str) -> Checked<[&'e Expr; N]> {
    if let Some(Argument { name: Some((name, span)), .. }) = call.arguments.iter().find(|a| a.name.is_some()) {
        return Err(Problem::new(*span, format!("`{}` takes no argument by name, found `{name}`", call.name))
            .help(format!("write `{usage}`")));
    }
    let values: Vec<&Expr> = call.arguments.iter().map(|argument| &argument.value).collect();
    values.try_into().map_err(|found: Vec<_>| {
        let wanted = if N == 1 { "one argument".to_owned() } else { format!("{N} arguments") };
        Problem::new(call.name_span, format!("`{}` takes {wanted}, found {}", call.name, found.len()))
            .help(format!("write `{usage}`"))
    })
}

/// Words that are called but have no operands.
pub(super) fn is_nullary(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Calendar(_) | Meaning::State(_) | Meaning::SymbolCount)
}

// The calls themselves.
impl Checker<'_> {
    pub fn function(&mut self, function: Function, call: &Call, usage: &str, span: Span) -> Checked<NodeId> {
        let [operand] = positional(call, usage)?;
        let user = format!("`{}`", call.name);
        let id = match function {
            Function::Defined => self.node(operand)?,
            _ => self.float(operand, &user)?,
        };
        self.add(span, Node::Function(function, vec![id]))
    }

    pub fn if_call(&mut self, call: &Call, usage: &str, span: Span) -> Checked<NodeId> {
        let [condition, a, b] = positional(call, usage)?;
        let condition = self.bool(condition, "`if`")?;
        let left = self.node(a)?;
        let user = format!("`if` whose first branch is `{}`", self.source(a.span));
        let right = match self.builder.node_type(left).kind {
            Kind::Bool => self.bool(b, &user)?,
            Kind::Float => self.float(b, &user)?,
        };
        self.add(span, Node::If(condition, left, right))
    }

    /// `cross_over(a, b)` is `a > b and a[1] <= b[1]`; a scalar was the same one bar ago.
    pub fn cross(&mut self, over: bool, call: &Call, usage: &str, span: Span) -> Checked<NodeId> {
        let [a, b] = positional(call, usage)?;
        let user = format!("`{}`", call.name);
        let (left, right) = self.inside(&user, |checker| Ok((checker.float(a, &user)?, checker.float(b, &user)?)))?;
        let is_scalar = |id: NodeId| self.builder.node_type(id).scalar;
        if is_scalar(left) && is_scalar(right) {
            return Err(Problem::new(span, format!("{user} needs a column on at least one side"))
                .help("two constants never cross"));
        }
        let one = self.add(span, Node::Number(1.0))?;
        let mut before = |id: NodeId| match self.builder.node_type(id).scalar {
            true => Ok(id),
            false => self.add(span, Node::Lag { node: id, bars: one }),
        };
        let (left_before, right_before) = (before(left)?, before(right)?);
        let (now, then) = if over { (BinaryOp::Gt, BinaryOp::Le) } else { (BinaryOp::Lt, BinaryOp::Ge) };
        let now = self.add(span, Node::Binary(now, left, right))?;
        let then = self.add(span, Node::Binary(then, left_before, right_before))?;
        self.add(span, Node::Binary(BinaryOp::And, now, then))
    }

    pub fn since(&mut self, call: &Call, usage: &str, span: Span) -> Checked<NodeId> {
        let [condition] = positional(call, usage)?;
        let id = self.inside("`since`", |checker| {
            let id = checker.bool(condition, "`since`")?;
            checker.column(id, condition, "`since`")
        })?;
        self.add(span, Node::Since(id))
    }

    pub fn cross_section(&mut self, function: CrossSection, call: &Call, usage: &str, span: Span) -> Checked<NodeId> {
        let user = format!("`{}`", call.name);
        let [operand] = positional(call, usage)?;
        let id = self.inside(&user, |checker| {
            let id = match function {
                CrossSection::Count => checker.bool(operand, &user)?,
                _ => checker.float(operand, &user)?,
            };
            checker.column(id, operand, &user)
        })?;
        self.add(span, Node::CrossSection(function, id))
    }

    pub fn top(&mut self, call: &Call, usage: &str, span: Span) -> Checked<NodeId> {
        let [operand, count] = positional(call, usage)?;
        let id = self.inside("`top`", |checker| {
            let id = checker.float(operand, "`top`")?;
            checker.column(id, operand, "`top`")
        })?;
        let rank = self.add(span, Node::CrossSection(CrossSection::Rank, id))?;
        let count = self.top_count(count)?;
        self.add(span, Node::Top { rank, count })
    }

    /// The `k` of `top(x, k)`: the one scalar that may depend on the number of symbols.
    fn top_count(&mut self, count: &Expr) -> Checked<NodeId> {
        let id = self.scalar(count, "`top`")?;
        match self.builder.program().scalar_value(id, self.scope.defaults, None) {
            Some(_) => self.period(count, "`top`", (1.0, f64::from(u32::MAX)), true),
            None if self.builder.traits(id).whole => Ok(id),
            None => {
                let source = self.source(count.span);
                Err(Problem::new(count.span, format!("`top` needs a whole number, which `{source}` need not be"))
                    .help(format!("write `ceil({source})`")))
            }
        }
    }

    /// `minutes(n, x)`: the number is written out, because a panel of such bars is made before any trial.
    pub fn minutes(&mut self, call: &Call, usage: &str, span: Span) -> Checked<NodeId> {
        let [count, operand] = positional(call, usage)?;
        let minutes = match count.kind {
            ExprKind::Number(value) if (1.0..=1440.0).contains(&value) && value.fract() == 0.0 => value as u16,
            _ => {
                return Err(Problem::new(
                    count.span,
                    format!(
                        "`minutes` needs a whole number from 1 to 1440, written out, found `{}`",
                        self.source(count.span)
                    ),
                )
                .help("write `minutes(15, close)`; choose between several with `if`"));
            }
        };
        self.coarse(Period::Minutes(minutes), call, operand, span)
    }

    pub fn coarse(&mut self, period: Period, call: &Call, operand: &Expr, span: Span) -> Checked<NodeId> {
        let user = format!("`{}`", call.name);
        let id = self.inside(&user, |checker| {
            let id = checker.node(operand)?;
            checker.column(id, operand, &user)
        })?;
        if let Some(what) = self.builder.traits(id).not_coarse {
            return Err(Problem::new(operand.span, format!("{user} cannot have {what} inside"))
                .help(format!("use it outside: {user} computes each symbol's own longer bars")));
        }
        self.add(span, Node::Coarse(period, id))
    }
}
