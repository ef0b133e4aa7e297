//! What a portfolio came to: its judgement, as JSON, as text, and as tables for files.

use std::fmt::Write as _;

use sandtable_core::analysis::{Convention, Moments, minimum_track_record};
use sandtable_core::calendar::{DAY_MICROS, format_date};
use sandtable_core::metrics;
use serde_json::{Value, json};

use super::{Member, Portfolio, Request};
use crate::export::{Column, Table};
use crate::search::metrics_json;
use crate::view::{number, table};

/// Confidence of the track record.
const ALPHA: f64 = 0.05;
/// Metrics of the account beside those of its members.
const COMPARED: [&str; 6] = ["total_return", "cagr", "volatility", "sharpe", "max_drawdown", "calmar"];
/// Days of weights that are listed in the terminal.
const LISTED: usize = 6;

/// How far the account's Sharpe ratio can be believed, were it the only one that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Annualised Sharpe ratio of the sessions' returns.
    pub sharpe: f64,
    /// Probability that the true one is above zero: probabilistic Sharpe ratio.
    pub probability_above_zero: f64,
    /// Sessions needed to believe that with 95 % confidence; infinite unless the ratio is above zero.
    pub minimum_sessions: f64,
    /// Sessions that there are.
    pub sessions: usize,
    /// The sentence.
    pub sentence: String,
}

impl Portfolio {
    /// Returns of the account's sessions.
    pub fn returns(&self) -> Vec<f64> {
        self.detail.session_returns(self.evaluator.plan.settings().capital)
    }

    /// Judges the account.
    pub fn judged(&self) -> Judged {
        let returns = self.returns();
        let moments = Moments::of(&returns, Convention::Plain);
        let sharpe = moments.sharpe * self.evaluator.plan.periods_per_year().sqrt();
        let probability = moments.probability_above(0.0);
        let needed = minimum_track_record(&moments, 0.0, ALPHA);
        let record = if needed.is_finite() {
            format!("{} sessions, {:.0} needed for 95%", returns.len(), needed)
        } else {
            format!("{} sessions, and no number of them is enough", returns.len())
        };
        let sentence = if sharpe.is_finite() {
            format!(
                "Sharpe ratio {sharpe:.2}: above zero with probability {probability:.2}, {record}. Its members were chosen by \
                 searches, which this does not count."
            )
        } else {
            "the account did not move, so that there is nothing to judge".to_owned()
        };
        Judged {
            sharpe,
            probability_above_zero: probability,
            minimum_sessions: needed,
            sessions: returns.len(),
            sentence,
        }
    }

    /// All of it as data.
    pub fn json(&self, members: &[Member], request: &Request) -> Value {
        let plan = &self.evaluator.plan;
        let judged = self.judged();
        let alone = |place: usize| {
            self.courses.metrics(place, self.first, plan.periods_per_year(), plan.risk_free_per_session())
        };
        let member = |(place, member): (usize, &Member)| {
            json!({
                "folder": member.dir,
                "run_id": member.study.evaluator.plan.id(),
                "trial": member.trial.index,
                "params": crate::report::params_json(&member.study.evaluator.plan, &member.trial.point),
                "alone": metrics_json(&alone(place)),
            })
        };
        let weights = self.weights.iter().map(|weights| {
            let seen = weights.seen.map(|(first, last)| json!([format_date(first), format_date(last)]));
            json!({ "from": format_date(weights.date), "seen": seen, "parts": weights.parts })
        });
        json!({
            "program": format!("sandtable {}", env!("CARGO_PKG_VERSION")),
            "bundle": { "name": plan.bundle().name, "version": plan.bundle().version },
            "weights_by": request.scheme.name(),
            "fraction": request.fraction,
            "rebalance": request.rebalance.name(),
            "learn": request.learn.name(),
            "capital": plan.settings().capital,
            "symbols": plan.symbols(),
            "start": format_date(plan.start()),
            "end": format_date(plan.end()),
            "members": members.iter().enumerate().map(member).collect::<Vec<_>>(),
            "mean_correlation": self.courses.mean_correlation(self.first),
            "weights": weights.collect::<Vec<_>>(),
            "metrics": metrics_json(&self.detail.metrics),
            "judgement": {
                "sentence": judged.sentence,
                "sharpe": judged.sharpe,
                "probability_above_zero": judged.probability_above_zero,
                "minimum_sessions": judged.minimum_sessions,
                "sessions": judged.sessions,
            },
        })
    }

    /// What the terminal shows.
    pub fn text(&self, members: &[Member], request: &Request) -> String {
        let plan = &self.evaluator.plan;
        let mut out = String::new();
        let _ = writeln!(
            out,
            "{} members in one account by `{}` weights, {} to {}, {} symbols\n",
            members.len(),
            request.scheme.name(),
            format_date(plan.start()),
            format_date(plan.end()),
            plan.symbols().len(),
        );
        let names: Vec<String> = members.iter().map(Member::name).collect();
        out += &table::pairs(names.iter().map(String::as_str).zip(members.iter().map(Member::parameters)));
        out.push('\n');
        out += &self.comparison(members);
        let correlation = self.courses.mean_correlation(self.first);
        if correlation.is_finite() {
            let _ = writeln!(out, "mean correlation of the members' returns: {correlation:.2}");
        }
        let _ = writeln!(out, "\n{}", self.told(request));
        out += &self.weights_table(members);
        let _ = writeln!(out, "\n{}", self.judged().sentence);
        out
    }

    /// Members alone over the same sessions, then the account.
    fn comparison(&self, members: &[Member]) -> String {
        let plan = &self.evaluator.plan;
        let chosen: Vec<usize> = COMPARED.iter().filter_map(|name| metrics::index_of(name)).collect();
        let cells = |values: &[f64]| -> Vec<String> {
            chosen.iter().map(|&m| number::metric(values[m], metrics::TABLE[m].unit)).collect()
        };
        let last = self.weights.last();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (place, member) in members.iter().enumerate() {
            let alone = self.courses.metrics(place, self.first, plan.periods_per_year(), plan.risk_free_per_session());
            let part = last.map_or(number::NULL.into(), |weights| percent(weights.parts[place]));
            rows.push([vec![member.name(), part], cells(&alone)].concat());
        }
        rows.push([vec!["one account".into(), String::new()], cells(&self.detail.metrics)].concat());
        let heading: Vec<&str> = ["member", "last part"].into_iter().chain(COMPARED).collect();
        table::plain(&heading, rows, &[0])
    }

    fn told(&self, request: &Request) -> String {
        let times = self.weights.len();
        let often = if times == 1 { "once".to_owned() } else { format!("{times} times, {}", request.rebalance.name()) };
        match self.weights.first().and_then(|weights| weights.seen) {
            Some((first, last)) => format!(
                "weights were estimated {often}; the first ones from {} to {}, before the account traded:",
                format_date(first),
                format_date(last)
            ),
            None => format!("members were brought to their given parts {often}:"),
        }
    }

    /// The first and the last weights.
    fn weights_table(&self, members: &[Member]) -> String {
        let names: Vec<String> = members.iter().map(Member::name).collect();
        let heading: Vec<&str> = ["from"].into_iter().chain(names.iter().map(String::as_str)).chain(["cash"]).collect();
        let row = |weights: &super::Weights| {
            let cash = (1.0 - weights.parts.iter().sum::<f64>()).max(0.0);
            let parts = weights.parts.iter().map(|&part| percent(part));
            std::iter::once(format_date(weights.date)).chain(parts).chain([percent(cash)]).collect::<Vec<_>>()
        };
        let all = self.weights.len();
        if all <= LISTED {
            return table::plain(&heading, self.weights.iter().map(row), &[0]);
        }
        let gap = [vec!["…".to_owned()], vec![String::new(); members.len() + 1]].concat();
        let (head, tail) =
            (self.weights[..LISTED / 2].iter().map(row), self.weights[all - LISTED / 2..].iter().map(row));
        table::plain(&heading, head.chain([gap]).chain(tail), &[0])
    }

    /// Equity of the account and of each member by session.
    pub fn equity_table(&self, members: &[Member]) -> Table {
        let names: Vec<String> = members.iter().map(Member::name).collect();
        let dates = &self.courses.dates[self.first..];
        let mut columns = vec![
            ("session", Column::Time(self.detail.sessions.iter().map(|&day| i64::from(day) * DAY_MICROS).collect())),
            ("equity", Column::Number(self.detail.session_equity.clone())),
        ];
        for (place, name) in names.iter().enumerate() {
            // Sessions of the account that a member does not have are empty.
            let of = |day: &i32| match dates.binary_search(day) {
                Ok(found) => self.courses.equity[place][self.first + found],
                Err(_) => f64::NAN,
            };
            columns.push((name, Column::Number(self.detail.sessions.iter().map(of).collect())));
        }
        Table::new(columns)
    }

    /// The weights by the day from which they hold.
    pub fn weights_of(&self, members: &[Member]) -> Table {
        let names: Vec<String> = members.iter().map(Member::name).collect();
        let dates = self.weights.iter().map(|weights| i64::from(weights.date) * DAY_MICROS).collect();
        let mut columns = vec![("from", Column::Time(dates))];
        for (place, name) in names.iter().enumerate() {
            columns.push((name, Column::Number(self.weights.iter().map(|weights| weights.parts[place]).collect())));
        }
        Table::new(columns)
    }
}

fn percent(part: f64) -> String {
    number::metric(part, metrics::Unit::Percent)
}
