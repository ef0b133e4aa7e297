//! Tokens to a tree, by precedence climbing.
//!
//! Given an expression's text, this gives an [`Expr`] with spans. It never knows what names mean. Text and depth are
//! bounded, so every text ends quickly and no stack overflows.

use super::BinaryOp;
use super::lexer::{Token, TokenKind, clip, tokens};
use super::source::{Problem, Span};

/// Longest expression and longest strategy file, in bytes.
pub(super) const LONGEST_TEXT: usize = 64 * 1024;

/// Levels of operations inside each other, named columns written out.
pub(super) const MAX_DEPTH: u32 = 100;

/// Levels of brackets and operators on the parser's own stack: every operation of a printed expression may stand in
/// brackets, so that twice [`MAX_DEPTH`] must be readable.
const MAX_NESTING: u32 = 2 * MAX_DEPTH + 16;

/// An expression as written.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub span: Span,
    pub depth: u32,
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub(super) enum ExprKind {
    Number(f64),
    Flag(bool),
    Name(String),
    /// A name in quotation marks; only a symbol before `.field`.
    Quoted(String),
    Neg(Box<Expr>),
    Not(Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    Call(Call),
    /// `base.name`: an output of an indicator or a field of a symbol.
    Member(Box<Expr>, String, Span),
    /// `base[bars]`
    Lag(Box<Expr>, Box<Expr>),
}

/// `name(arguments)`
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub name: String,
    pub name_span: Span,
    pub arguments: Vec<Argument>,
}

/// `value` or `name=value`
#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub name: Option<(String, Span)>,
    pub value: Expr,
}

// Precedences: a higher one binds more tightly.
pub(super) const OR: u8 = 1;
pub(super) const AND: u8 = 2;
pub(super) const NOT: u8 = 3;
pub(super) const COMPARISON: u8 = 4;
pub(super) const SUM: u8 = 5;
pub(super) const PRODUCT: u8 = 6;
pub(super) const NEGATION: u8 = 7;
pub(super) const POWER: u8 = 8;
pub(super) const POSTFIX: u8 = 9;

impl BinaryOp {
    /// All operators.
    pub(super) const ALL: [BinaryOp; 14] = [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Rem,
        BinaryOp::Pow,
        BinaryOp::Lt,
        BinaryOp::Le,
        BinaryOp::Gt,
        BinaryOp::Ge,
        BinaryOp::Eq,
        BinaryOp::Ne,
        BinaryOp::And,
        BinaryOp::Or,
    ];

    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
            BinaryOp::Pow => "^",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
        }
    }

    /// How tightly it binds.
    pub(super) fn precedence(self) -> u8 {
        match self {
            BinaryOp::Or => OR,
            BinaryOp::And => AND,
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge | BinaryOp::Eq | BinaryOp::Ne => COMPARISON,
            BinaryOp::Add | BinaryOp::Sub => SUM,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => PRODUCT,
            BinaryOp::Pow => POWER,
        }
    }

    fn of_token(kind: &TokenKind) -> Option<BinaryOp> {
        let written = match kind {
            TokenKind::Sign(sign) => sign,
            TokenKind::Word(word) => word.as_str(),
            _ => return None,
        };
        BinaryOp::ALL.into_iter().find(|op| op.sign() == written)
    }
}

/// The tree of a whole text.
pub(super) fn parse(text: &str) -> Result<Expr, Problem> {
    if text.len() > LONGEST_TEXT {
        let span = Span { start: 0, end: 1 };
        return Err(Problem::new(
            span,
            format!("this expression has {} bytes; at most {LONGEST_TEXT} are read", text.len()),
        ));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, nesting: 0 };
    if parser.tokens.len() == 1 {
        let span = Span { start: 0, end: text.len() };
        return Err(Problem::new(span, "this expression is empty").help("an example: `sma(close, 20) > close`"));
    }
    let expr = parser.expression(0)?;
    match parser.peek().kind {
        TokenKind::End => Ok(expr),
        _ => Err(parser.leftover()),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    nesting: u32,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        // The last token is `End`, and nothing steps over it.
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn at_sign(&self, sign: &str) -> bool {
        matches!(self.peek().kind, TokenKind::Sign(found) if found == sign)
    }

    /// Steps over a sign if it comes next.
    fn accept(&mut self, sign: &str) -> Option<Span> {
        self.at_sign(sign).then(|| self.advance().span)
    }

    fn expect_closing(&mut self, sign: &str, opening: Span) -> Result<Span, Problem> {
        if let Some(span) = self.accept(sign) {
            return Ok(span);
        }
        let token = self.peek();
        Err(match token.kind {
            TokenKind::End => Problem::new(opening, format!("this bracket is not closed: `{sign}` is missing")),
            _ => Problem::new(token.span, format!("expected `{sign}`, found {}", self.found(token))),
        }
        .help("an operator or a comma may be missing between two values"))
    }

    fn source(&self, span: Span) -> String {
        clip(self.text.get(span.start..span.end).unwrap_or_default())
    }

    fn found(&self, token: &Token) -> String {
        match token.kind {
            TokenKind::End => "the end".to_owned(),
            _ => format!("`{}`", self.source(token.span)),
        }
    }

    /// The mistake of a token that continues nothing.
    fn leftover(&self) -> Problem {
        let token = self.peek();
        let problem = Problem::new(token.span, format!("expected an operator or the end, found {}", self.found(token)));
        match &token.kind {
            TokenKind::Sign("=") => Problem::new(token.span, "`=` does not compare").help("write `==`"),
            TokenKind::Sign(")" | "]") => Problem::new(token.span, format!("{} closes nothing", self.found(token)))
                .help("remove it, or open it before"),
            TokenKind::Word(word) if ["AND", "OR", "And", "Or"].contains(&word.as_str()) => {
                problem.help(format!("write `{}`", word.to_lowercase()))
            }
            TokenKind::Sign(":") | TokenKind::Sign(",") => problem,
            _ => problem.help("an operator may be missing between two values"),
        }
    }

    /// An expression whose operators all bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Expr, Problem> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(too_deep(self.peek().span));
        }
        let expr = self.expression_inside(least);
        self.nesting -= 1;
        expr
    }

    fn expression_inside(&mut self, least: u8) -> Result<Expr, Problem> {
        let mut left = self.prefix(least)?;
        while let Some(op) = BinaryOp::of_token(&self.peek().kind) {
            let precedence = op.precedence();
            if precedence < least {
                break;
            }
            self.advance();
            // A power groups to the right, everything else to the left.
            let right = self.expression(if op == BinaryOp::Pow { NEGATION } else { precedence + 1 })?;
            if precedence == COMPARISON {
                self.refuse_chain(&left, op, &right)?;
            }
            left = binary(op, left, right)?;
        }
        Ok(left)
    }

    fn refuse_chain(&self, left: &Expr, op: BinaryOp, right: &Expr) -> Result<(), Problem> {
        let Some(second) = BinaryOp::of_token(&self.peek().kind).filter(|op| op.precedence() == COMPARISON) else {
            return Ok(());
        };
        let (a, b) = (self.source(left.span), self.source(right.span));
        let rest = self.tokens.get(self.next + 1).map_or_else(String::new, |token| self.source(token.span));
        Err(Problem::new(self.peek().span, "comparisons do not chain").help(format!(
            "write `{a} {} {b} and {b} {} {rest}`",
            op.sign(),
            second.sign()
        )))
    }

    fn prefix(&mut self, least: u8) -> Result<Expr, Problem> {
        let start = self.peek().span;
        if self.accept("-").is_some() {
            let operand = self.expression(NEGATION)?;
            return node(start.to(operand.span), operand.depth, ExprKind::Neg(Box::new(operand)));
        }
        if self.accept("+").is_some() {
            return Err(
                Problem::new(start, "`+` needs a value on its left").help("a positive number is written without sign")
            );
        }
        if self.peek().kind == TokenKind::Word("not".to_owned()) {
            if least > NOT {
                return Err(Problem::new(start, "`not` binds less tightly than the operator before it")
                    .help("put brackets around it: `(not …)`"));
            }
            self.advance();
            let operand = self.expression(NOT)?;
            return node(start.to(operand.span), operand.depth, ExprKind::Not(Box::new(operand)));
        }
        let primary = self.primary()?;
        self.postfix(primary)
    }

    fn primary(&mut self) -> Result<Expr, Problem> {
        let token = self.advance();
        let kind = match token.kind {
            TokenKind::Number(value) => ExprKind::Number(value),
            TokenKind::Quoted(name) => ExprKind::Quoted(name),
            TokenKind::Word(ref word) => match word.as_str() {
                "true" => ExprKind::Flag(true),
                "false" => ExprKind::Flag(false),
                "and" | "or" => {
                    return Err(Problem::new(token.span, format!("`{word}` needs a condition on its left")));
                }
                _ if self.at_sign("(") => return self.call(word.clone(), token.span),
                _ => ExprKind::Name(word.clone()),
            },
            TokenKind::Sign("(") => {
                let inner = self.expression(0)?;
                let end = self.expect_closing(")", token.span)?;
                return Ok(Expr { span: token.span.to(end), ..inner });
            }
            TokenKind::Sign(_) | TokenKind::End => {
                return Err(Problem::new(token.span, format!("expected a value, found {}", self.found(&token)))
                    .help("a value is a number, a name, a call like `sma(close, 20)`, or an expression in brackets"));
            }
        };
        Ok(Expr { span: token.span, depth: 1, kind })
    }

    fn call(&mut self, name: String, name_span: Span) -> Result<Expr, Problem> {
        let opening = self.advance().span;
        let mut arguments: Vec<Argument> = Vec::new();
        let end = loop {
            if let Some(end) = self.accept(")") {
                break end;
            }
            if !arguments.is_empty() && self.accept(",").is_none() {
                break self.expect_closing(")", opening)?;
            }
            arguments.push(self.argument()?);
        };
        let depth = arguments.iter().map(|argument| argument.value.depth).max().unwrap_or(0);
        node(name_span.to(end), depth, ExprKind::Call(Call { name, name_span, arguments }))
    }

    fn argument(&mut self) -> Result<Argument, Problem> {
        let named = match (&self.peek().kind, self.tokens.get(self.next + 1).map(|token| &token.kind)) {
            (TokenKind::Word(word), Some(TokenKind::Sign("="))) => Some((word.clone(), self.peek().span)),
            _ => None,
        };
        if named.is_some() {
            self.advance();
            self.advance();
        }
        Ok(Argument { name: named, value: self.expression(0)? })
    }

    /// `.name` and `[bars]` behind a value, any number of them.
    fn postfix(&mut self, mut base: Expr) -> Result<Expr, Problem> {
        loop {
            if self.accept(".").is_some() {
                let token = self.advance();
                let TokenKind::Word(name) = token.kind else {
                    return Err(Problem::new(
                        token.span,
                        format!("expected a name after `.`, found {}", self.found(&token)),
                    )
                    .help("an output of an indicator, `macd(close).signal`, or a field of a symbol, `SPY.close`"));
                };
                base = node(base.span.to(token.span), base.depth, ExprKind::Member(Box::new(base), name, token.span))?;
            } else if let Some(opening) = self.accept("[") {
                let bars = self.lag_bars()?;
                let end = self.expect_closing("]", opening)?;
                let depth = base.depth.max(bars.depth);
                base = node(base.span.to(end), depth, ExprKind::Lag(Box::new(base), Box::new(bars)))?;
            } else {
                return Ok(base);
            }
        }
    }

    fn lag_bars(&mut self) -> Result<Expr, Problem> {
        let bars = self.expression(0)?;
        match &bars.kind {
            ExprKind::Neg(operand) if matches!(operand.kind, ExprKind::Number(_)) => {
                Err(Problem::new(bars.span, "a negative lag would look ahead, which cannot be written")
                    .help("`close[1]` is the bar before; signals act on the next bar by themselves"))
            }
            _ => Ok(bars),
        }
    }
}

fn too_deep(span: Span) -> Problem {
    Problem::new(span, format!("this expression is nested more than {MAX_DEPTH} levels deep"))
        .help("a long sum or chain counts one level for each term: group its terms with brackets")
}

/// A tree above operands of the given depth.
fn node(span: Span, operands: u32, kind: ExprKind) -> Result<Expr, Problem> {
    let depth = operands + 1;
    if depth > MAX_DEPTH { Err(too_deep(span)) } else { Ok(Expr { span, depth, kind }) }
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Result<Expr, Problem> {
    let span = left.span.to(right.span);
    node(span, left.depth.max(right.depth), ExprKind::Binary(op, Box::new(left), Box::new(right)))
}
