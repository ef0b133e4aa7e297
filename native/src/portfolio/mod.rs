//! One account for several trials.
//!
//! Given trials of study folders over the same bundle and settings, this weighs them by what was seen before, adds up what
//! they hold, and lets the engine trade the sum: orders of different members cancel out, and costs are paid once. It never
//! searches, and no weight sees a session on or after the day on which it is decided.
//!
//! A member runs in an account of its own with its own capital, bar by bar beside the one account, which asks at each bar
//! for the sum of the members' positions times their parts. Market orders that a member placed at this bar count as
//! done, so that both fill at the same bar. Stops and limits wait in the member's account: what they do inside a bar
//! reaches the one account at the next bar, at the market. So does a cut: an order that the member's own cash did not pay
//! whole is first traded whole and brought to what it got one bar later.

mod account;
mod courses;
mod member;
mod outcome;
mod schedule;

use sandtable_core::portfolio::Scheme;
use sandtable_core::run::Detail;
use sandtable_core::{Error, Result};
use serde_json::json;

use account::Shared;
pub use courses::Courses;
pub use member::{Member, Named};
pub use outcome::Judged;
pub use schedule::{Learn, Rebalance};

use crate::reopen::Reopened;
use sandtable_core::run::Evaluator;

/// How a portfolio is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// How members are weighted.
    pub scheme: Scheme,
    /// Parts that are given, one for each member; only with [`Scheme::Fixed`], and equal where there are none.
    pub parts: Option<Vec<f64>>,
    /// For Kelly's scheme the part of the full bet, for others the part of the capital that is invested.
    pub fraction: f64,
    /// When weights are estimated again and members brought back to them.
    pub rebalance: Rebalance,
    /// From which sessions they are estimated.
    pub learn: Learn,
    /// Capital; that of the first member if it is not said.
    pub capital: Option<f64>,
}

/// Weights from a day on.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// First session at which they hold, days since 1970-01-01.
    pub date: i32,
    /// Sessions that they were estimated from, first and last; `None` where nothing was estimated.
    pub seen: Option<(i32, i32)>,
    /// Part of the capital of each member.
    pub parts: Vec<f64>,
}

/// A portfolio that was simulated.
#[derive(Debug)]
pub struct Portfolio {
    /// Symbols, dates and settings of the one account.
    pub evaluator: Evaluator,
    /// The account in full.
    pub detail: Detail,
    /// The weights, in order.
    pub weights: Vec<Weights>,
    /// What each member did alone over all sessions that they share.
    pub courses: Courses,
    /// The first of these sessions at which the account trades.
    pub first: usize,
}

/// Makes and simulates a portfolio.
///
/// # Errors
/// Members that do not fit together, too few sessions, or parts that are no parts.
pub fn portfolio(members: &[Member], request: &Request) -> Result<Portfolio> {
    let first_member = members.first().ok_or_else(|| Error::plan("a portfolio needs a member"))?;
    members[1..].iter().try_for_each(|other| first_member.check_fits(other))?;
    let given = parts(request, members.len())?;
    let courses = Courses::of(members)?;
    let first = request.learn.first(request.scheme, courses.dates.len())?;
    let evaluator = one_account(members, &first_member.study, &courses, first, request.capital)?;
    let mut shared = Shared::new(members, &evaluator, &courses, request, given)?;
    let detail = evaluator.detail_of(&mut shared);
    let weights = shared.finish()?;
    Ok(Portfolio { evaluator, detail, weights, courses, first })
}

/// The parts that were given, checked.
fn parts(request: &Request, members: usize) -> Result<Option<Vec<f64>>> {
    let Some(parts) = &request.parts else { return Ok(None) };
    if request.scheme != Scheme::Fixed {
        return Err(Error::plan(format!("parts are given and `{}` would estimate them", request.scheme.name()))
            .help("leave out --parts, or say `--weights fixed`"));
    }
    let all: f64 = parts.iter().sum();
    let sound = parts.iter().all(|part| part.is_finite() && *part >= 0.0) && all > 0.0 && all <= 1.0 + 1e-12;
    if parts.len() != members || !sound {
        return Err(Error::plan(format!("{} parts for {members} members, {all} in all", parts.len()))
            .help("give each member a part of 0 or more, at most 1 in all, as in `--parts 0.5,0.3`"));
    }
    Ok(Some(parts.clone()))
}

/// A plan over all symbols of the members, from the first session at which the account trades.
fn one_account(
    members: &[Member],
    study: &Reopened,
    courses: &Courses,
    first: usize,
    capital: Option<f64>,
) -> Result<Evaluator> {
    let mut symbols: Vec<&str> = Vec::new();
    for symbol in members.iter().flat_map(|member| member.study.evaluator.plan.symbols()) {
        if !symbols.contains(&symbol.as_str()) {
            symbols.push(symbol);
        }
    }
    let date = |day: Option<&i32>| day.map(|&day| sandtable_core::calendar::format_date(day));
    let mut changes = json!({
        "name": format!("portfolio of {}", members.len()),
        "symbols": symbols,
        "start": date(courses.dates.get(first)),
        "end": date(courses.dates.last()),
        "warmup": "none",
    });
    if let Some(capital) = capital {
        changes["capital"] = json!(capital);
    }
    study.changed(&changes)
}
