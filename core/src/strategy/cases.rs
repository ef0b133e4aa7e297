//! Cases in text: what an expression or a file means, or the message that it gets.
//!
//! A case of `cases/expressions.txt` is a line `> expression` and below it `number|condition column|scalar: canonical
//! text`, or the whole error. A case of `cases/files.txt` is a strategy file between `===` and `---`, and below it the
//! rules with their lookback, or the whole error. A failing test prints the table as it would be right now.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::builder::Builder;
use super::check::{Checker, Scope};
use super::parser::parse;
use super::source::{File, Fragment, Problem};
use super::{Domain, Kind, NodeId, ParamDecl, Program, Scale, Strategy, gallery};
use crate::ErrorKind;

/// Parameters and a column that the cases may use.
pub(super) struct Frame {
    params: Vec<(ParamDecl, Kind)>,
    defaults: Vec<f64>,
    pub builder: Builder,
    columns: Vec<(String, NodeId)>,
}

impl Frame {
    pub fn new() -> Self {
        let declare = |name: &str, domain, default| ParamDecl { name: name.to_owned(), domain, default };
        let level = Domain::Float { min: 0.0, max: 100.0, step: None, scale: Scale::Linear };
        let params = vec![
            (declare("fast", Domain::Int { min: 5, max: 100, step: 5 }, 20.0), Kind::Float),
            (declare("slow", Domain::Int { min: 22, max: 212, step: 10 }, 52.0), Kind::Float),
            (declare("level", level, 30.0), Kind::Float),
            (declare("flag", Domain::Bool, 0.0), Kind::Bool),
        ];
        let defaults = params.iter().map(|(param, _)| param.default).collect();
        let mut frame = Frame { params, defaults, builder: Builder::default(), columns: Vec::new() };
        let trend = frame.check("sma(close, fast)").unwrap_or_else(|problem| panic!("{}", problem.message));
        frame.columns.push(("trend".to_owned(), trend));
        frame
    }

    pub fn check(&mut self, text: &str) -> Result<NodeId, Problem> {
        let all_columns = ["trend".to_owned(), "later".to_owned()];
        let scope = Scope {
            params: &self.params,
            defaults: &self.defaults,
            columns: &self.columns,
            all_columns: &all_columns,
            position: true,
            scalars_only: false,
        };
        let expr = parse(text)?;
        Checker { builder: &mut self.builder, scope, text, inside: None }.node(&expr)
    }

    pub fn display(&self, id: NodeId, point: Option<&[f64]>) -> String {
        let params: Vec<ParamDecl> = self.params.iter().map(|(param, _)| param.clone()).collect();
        self.builder.program().display(id, point, &params)
    }

    pub fn program(&self) -> &Program {
        self.builder.program()
    }
}

fn judge_expression(source: &str) -> String {
    let mut frame = Frame::new();
    let toml = format!("'{source}'");
    match frame.check(source) {
        Ok(id) => {
            let node_type = frame.program().node_type(id);
            let kind = if node_type.kind == Kind::Bool { "condition" } else { "number" };
            let shape = if node_type.scalar { "scalar" } else { "column" };
            format!("{kind} {shape}: {}", frame.display(id, None))
        }
        Err(problem) => {
            let file = File { name: "case", text: &toml };
            Fragment::of_toml_string(file, 0..toml.len(), source).error(problem).to_string().replacen("case:1:", "", 1)
        }
    }
}

fn judge_file(source: &str) -> String {
    match Strategy::parse(source, "dir/case.toml") {
        Ok(strategy) => {
            let point = strategy.default_point();
            let rules = strategy.rules.nodes();
            let shown: Vec<String> =
                rules.iter().map(|id| strategy.program.display(*id, None, &strategy.params)).collect();
            format!("{}: {} bars: {}", strategy.name, strategy.lookback(&point, false), shown.join(" | "))
        }
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Strategy | ErrorKind::Unsupported));
            error.to_string()
        }
    }
}

fn compare(expected: &str, actual: &str) {
    if expected.trim_end() != actual.trim_end() {
        let first = expected.lines().zip(actual.lines()).find(|(a, b)| a != b);
        panic!("{actual}\n\nfirst difference: {first:#?}");
    }
}

#[test]
fn expressions() {
    let table = include_str!("cases/expressions.txt");
    let mut actual = String::new();
    for block in table.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let source = block.trim_start().lines().next().unwrap().strip_prefix("> ").unwrap();
        actual.push_str(&format!("> {source}\n{}\n\n", judge_expression(source)));
    }
    compare(table, &actual);
}

#[test]
fn files() {
    let table = include_str!("cases/files.txt");
    let mut actual = String::new();
    for block in table.split("===\n").skip(1) {
        let source = block.split("---\n").next().unwrap();
        actual.push_str(&format!("===\n{source}---\n{}\n", judge_file(source)));
    }
    compare(table, &actual);
}

#[test]
fn every_strategy_of_the_gallery_parses_under_its_own_name() {
    for (stem, source) in gallery() {
        let strategy = Strategy::parse(source, "gallery.toml").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(strategy.name, *stem);
        assert!(strategy.description.contains("Source:"), "{stem}");
        strategy.check_point(&strategy.default_point()).unwrap();
        for corner in [0, u64::MAX] {
            let point: Vec<f64> = strategy.params.iter().map(|param| param.domain.value(corner)).collect();
            strategy.check_point(&point).unwrap();
        }
    }
}

#[test]
fn the_grid_of_the_crossover_has_400_points_and_its_lookback_is_that_of_the_slow_average() {
    let (_, source) = gallery().iter().find(|(stem, _)| *stem == "sma_cross").unwrap();
    let strategy = Strategy::parse(source, "sma_cross.toml").unwrap();
    assert_eq!(strategy.params.iter().map(|param| param.domain.len().unwrap()).product::<u64>(), 400);
    assert_eq!(strategy.default_point(), [20.0, 52.0]);
    assert_eq!(strategy.lookback(&[20.0, 52.0], true), 51);
    assert_eq!(strategy.lookback(&[100.0, 52.0], false), 99);
    let weight = strategy.rules.nodes()[0];
    assert_eq!(strategy.program.param_dependence(weight), [0, 1]);
    assert_eq!(
        strategy.program.display(weight, Some(&[5.0, 22.0]), &strategy.params),
        "if(sma(close, 5) > sma(close, 22), 1 / n_symbols, 0)"
    );
}

#[test]
fn five_parameter_grid_of_the_volatility_filter_has_the_size_that_is_said_of_it() {
    let (_, source) = gallery().iter().find(|(stem, _)| *stem == "atr_volatility_filter").unwrap();
    let strategy = Strategy::parse(source, "a.toml").unwrap();
    let lengths: Vec<u64> = strategy.params.iter().map(|param| param.domain.len().unwrap()).collect();
    assert_eq!(lengths, [10, 11, 1000, 5, 3]);
}

#[test]
fn equal_expressions_are_one_node() {
    let mut frame = Frame::new();
    let a = frame.check("sma(close, timeperiod=fast) + 1.0").unwrap_or_else(|problem| panic!("{}", problem.message));
    let nodes = frame.program().nodes.len();
    let b = frame.check("(trend) + 1").unwrap_or_else(|problem| panic!("{}", problem.message));
    assert_eq!((a, nodes), (b, frame.program().nodes.len()));
}

#[test]
fn lookback_adds_what_is_nested_and_takes_the_longest_of_what_is_beside() {
    let cases = [
        ("close", 0),
        ("close[fast]", 20),
        ("sma(sma(close, fast), 10)[5]", 19 + 9 + 5),
        ("sma(close, slow) > sma(close, fast)[100]", 19 + 100),
        ("donchian(20).upper[1]", 20),
        ("SPY.close", 0),
        ("SPY.close[3]", 3),
        ("weekly(sma(close, 10))", (9 + 2) * 7),
        ("monthly(close[1])[2]", (1 + 2) * 31 + 2),
        ("since(close > close[4])", 4),
        ("rank(roc(close, 10))", 10),
        ("cross_over(close, 5)", 1),
        ("month_end and bars_held > 5", 0),
    ];
    for (source, bars) in cases {
        let mut frame = Frame::new();
        let id = frame.check(source).unwrap_or_else(|problem| panic!("{}", problem.message));
        assert_eq!(frame.program().lookback(id, &[20.0, 52.0, 30.0, 0.0], false), bars, "{source}");
    }
    let mut frame = Frame::new();
    let id = frame.check("ema(close, 20)").unwrap_or_else(|problem| panic!("{}", problem.message));
    assert!(frame.program().lookback(id, &[], true) > frame.program().lookback(id, &[], false));
}

#[test]
fn bound_expressions_print_what_they_mean_so_that_points_share_columns() {
    let mut frame = Frame::new();
    let mut bound = |source: &str, point: [f64; 4]| {
        let id = frame.check(source).unwrap_or_else(|problem| panic!("{}", problem.message));
        frame.display(id, Some(&point))
    };
    let point = [20.0, 52.0, 0.1 + 0.2, 1.0];
    assert_eq!(bound("sma(close, fast * 2)", point), "sma(close, 40)");
    assert_eq!(bound("sma(close, fast * 2)", point), bound("sma(close, slow - 12)", point));
    assert_eq!(bound("close > level", point), "close > 0.30000000000000004");
    assert_eq!(bound("if(flag and fast < slow, close, -close)", point), "if(true, close, -close)");
    assert_eq!(bound("close ^ (fast - slow) + (fast - slow) ^ 2 * close", point), "close ^ -32 + 1024 * close");
    assert_eq!(bound("top(close, max(1, floor(n_symbols / 5)))", point), "top(close, max(1, floor(n_symbols / 5)))");
    // The smaller of two values must not look like a window.
    assert_eq!(bound("min(rsi(close), level)", [20.0, 52.0, 30.0, 1.0]), "min(30, rsi(close, 14))");
}

#[test]
fn points_at_which_a_period_has_no_meaning_are_refused_with_the_values() {
    let source = "[params]\nfast = { type = \"int\", min = 5, max = 50, default = 20 }\n\
                  slow = { type = \"int\", min = 5, max = 50, default = 30 }\n\
                  [rules]\ntarget = \"if(close[slow - fast] > rsi(close, fast), 1, 0)\"\n";
    let strategy = Strategy::parse(source, "a.toml").unwrap();
    strategy.check_point(&[20.0, 20.0]).unwrap();
    let message = |point: &[f64]| strategy.check_point(point).unwrap_err().to_string();
    assert_eq!(
        message(&[20.0, 10.0]),
        "lag of `close[slow - fast]` is -10 at fast = 20, slow = 10, but must be a whole number from 0 to 4294967295\n  \
         help: narrow the domain of the parameter, or cut the space with `where`"
    );
    assert!(
        message(&[1.0, 10.0]).starts_with("timeperiod of `rsi(close, fast)` is 1 at fast = 1, but must be a whole")
    );
    assert!(message(&[5.5, 10.5]).starts_with("timeperiod of `rsi(close, fast)` is 5.5 at fast = 5.5"));
    assert!(message(&[f64::NAN, 10.0]).starts_with("parameter `fast` is NaN"));
    assert!(message(&[5.0]).contains("has 2 parameters, but the point has 1"));
}

#[test]
fn other_symbols_are_listed_once() {
    let source = "[rules]\ntarget = \"if(SPY.close > 'BRK.B'.open and SPY.high > 1, 1, 0)\"";
    assert_eq!(Strategy::parse(source, "a.toml").unwrap().used_symbols(), ["BRK.B", "SPY"]);
}

#[test]
fn expressions_that_would_be_huge_when_written_out_are_refused() {
    let mut source = "[columns]\nc0 = \"close + close\"\n".to_owned();
    for i in 1..60 {
        source.push_str(&format!("c{i} = \"c{} + c{}\"\n", i - 1, i - 1));
    }
    let error = Strategy::parse(&source, "a.toml").unwrap_err();
    assert!(error.message().contains("more than 10000 operations"), "{error}");
    let mut source = "[columns]\nc0 = \"close\"\n".to_owned();
    for i in 1..200 {
        source.push_str(&format!("c{i} = \"abs(c{})\"\n", i - 1));
    }
    let error = Strategy::parse(&source, "a.toml").unwrap_err();
    assert!(error.message().contains("more than 100 levels"), "{error}");
    let error = Strategy::parse(&" ".repeat(70_000), "a.toml").unwrap_err();
    assert!(error.message().contains("70000 bytes is too long"), "{error}");
}

#[test]
fn nesting_is_bounded_before_the_stack_is() {
    for (open, close) in
        [("(", ")"), ("abs(", ")"), ("-", ""), ("not ", ""), ("2 ^ ", ""), ("close[", "]"), ("1 + ", "")]
    {
        let text = format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
        let problem = parse(&text).unwrap_err();
        assert!(problem.message.contains("nested more than 100 levels"), "{open}: {}", problem.message);
    }
    let sum = vec!["close"; 100].join(" + ");
    assert!(parse(&sum).is_ok());
}

#[test]
fn every_operand_is_checked_once_however_deep_calls_are_nested() {
    let shapes = [
        ("sma(", ", 5)"),
        ("max(", ", 5)"),
        ("min(0.5, ", ")"),
        ("abs(", ")[1]"),
        ("rank(", ")"),
        ("macd(", ").signal"),
        ("count(since(close > ", ") > 1)"),
        ("if(close > 1, ", ", 1)"),
        ("max(close, round(level + ", "))"),
    ];
    for (open, close) in shapes {
        let levels = 30;
        let inner = if open.starts_with("max(close") { "1" } else { "volume" };
        let text = format!("{}{inner}{}", open.repeat(levels), close.repeat(levels));
        // Checking twice at each level would take a billion steps; whether it is valid does not matter here.
        let _ = Frame::new().check(&text);
    }
}

#[test]
fn the_language_page_names_every_built_in_word() {
    let page = include_str!("../../LANGUAGE.md");
    let missing: Vec<&str> = super::BUILTINS.iter().map(|word| word.name).filter(|word| !page.contains(word)).collect();
    assert_eq!(missing, [""; 0]);
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    Strategy::parse(example, "page.toml").unwrap();
}
