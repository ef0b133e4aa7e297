//! The one account: at each bar it asks for the sum of what its members hold, times their parts.

use sandtable_core::engine::{self, Decisions, Desk, OpenOrder, Record, Role, Size};
use sandtable_core::run::Evaluator;
use sandtable_core::{Error, Result};

use super::{Courses, Member, Request, Weights};

/// A member that runs beside the account, in an account of its own.
#[derive(Debug)]
struct Beside<'a> {
    evaluator: &'a Evaluator,
    decisions: Decisions,
    run: engine::Workspace,
    /// The next bar of its timeline.
    next: usize,
    /// Place of each of its symbols in the one account.
    places: Vec<usize>,
    /// Units of the one account for one of its own.
    scale: f64,
}

/// The strategy of the one account.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    members: Vec<Beside<'a>>,
    courses: &'a Courses,
    request: &'a Request,
    given: Option<Vec<f64>>,
    /// First session at which the account trades.
    first: usize,
    /// Units that were asked for last.
    asked: Vec<f64>,
    sum: Vec<f64>,
    weights: Vec<Weights>,
    failed: Option<Error>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        members: &'a [Member],
        account: &Evaluator,
        courses: &'a Courses,
        request: &'a Request,
        given: Option<Vec<f64>>,
    ) -> Result<Shared<'a>> {
        let symbols = &account.context.panel.symbols;
        let beside = |member: &'a Member| {
            let evaluator = &member.study.evaluator;
            let panel = &evaluator.context.panel;
            let place = |symbol: &String| symbols.iter().position(|known| known == symbol);
            let places: Option<Vec<usize>> = panel.symbols.iter().map(place).collect();
            let mut run = engine::Workspace::default();
            run.begin(panel, evaluator.plan.settings(), false);
            let decisions = evaluator.decisions(&member.trial.point);
            let places = places.ok_or_else(|| Error::data(format!("`{}` trades another symbol", member.name())))?;
            Ok(Beside { evaluator, decisions, run, next: panel.start, places, scale: 0.0 })
        };
        Ok(Shared {
            members: members.iter().map(beside).collect::<Result<_>>()?,
            courses,
            request,
            given,
            first: request.learn.first(request.scheme, courses.dates.len())?,
            asked: vec![0.0; symbols.len()],
            sum: vec![0.0; symbols.len()],
            weights: Vec::new(),
            failed: None,
        })
    }

    /// The weights that were acted upon.
    pub(super) fn finish(self) -> Result<Vec<Weights>> {
        self.failed.map_or(Ok(self.weights), Err)
    }

    /// Weighs the members anew, from sessions before this one.
    fn weigh(&mut self, session: i32, equity: f64) -> Result<()> {
        let now = self.courses.dates.partition_point(|&date| date < session).max(self.first);
        let seen = self.request.learn.seen(self.first, now);
        let returns: Vec<&[f64]> = self.courses.returns.iter().map(|returns| &returns[seen.clone()]).collect();
        let parts = match &self.given {
            Some(given) => given.iter().map(|part| part * self.request.fraction).collect(),
            None => self.request.scheme.weights(&returns, self.request.fraction)?,
        };
        for (member, part) in self.members.iter_mut().zip(&parts) {
            let worth = member.worth();
            member.scale = if worth > 0.0 { part * equity / worth } else { 0.0 };
        }
        let dates = &self.courses.dates;
        let seen = self.request.scheme.estimates().then(|| (dates[seen.start], dates[seen.end - 1]));
        self.weights.push(Weights { date: session, seen, parts });
        Ok(())
    }
}

impl engine::Strategy for Shared<'_> {
    fn next(&mut self, desk: &mut Desk<'_>) {
        let (time, session) = (desk.time(), desk.session());
        self.members.iter_mut().for_each(|member| member.run_to(time));
        let is_due = match self.weights.last() {
            None => true,
            Some(last) => self.request.rebalance.parts(last.date, session),
        };
        if is_due
            && self.failed.is_none()
            && let Err(error) = self.weigh(session, desk.equity())
        {
            self.failed = Some(error);
        }
        self.sum.fill(0.0);
        for member in &self.members {
            member.add(&mut self.sum);
        }
        for symbol in 0..self.sum.len() {
            let units = self.sum[symbol];
            if units != self.asked[symbol] {
                desk.cancel_all(symbol);
                desk.order_target(symbol, units);
                self.asked[symbol] = units;
            }
        }
    }
}

impl Beside<'_> {
    /// Simulates its bars up to a timestamp.
    fn run_to(&mut self, time: i64) {
        let (panel, settings) = (&self.evaluator.context.panel, self.evaluator.plan.settings());
        while panel.timeline.get(self.next).is_some_and(|&bar| bar <= time) {
            self.run.bar_equity.clear();
            let record = Record { bars: true, ..Record::default() };
            let bar = self.next..self.next + 1;
            engine::advance(panel, &mut &self.decisions, settings, record, &mut self.run, bar);
            self.next += 1;
        }
    }

    /// Its equity at its last bar.
    fn worth(&self) -> f64 {
        self.run.bar_equity.last().copied().unwrap_or_else(|| self.evaluator.plan.settings().capital)
    }

    /// Adds its units, as they are once its market orders have filled.
    fn add(&self, sum: &mut [f64]) {
        let mut units = self.run.account.positions();
        for order in self.run.open_orders(self.evaluator.plan.settings()) {
            let symbol = order.symbol as usize;
            units[symbol] = self.after(&order, units[symbol]);
        }
        for (place, units) in self.places.iter().zip(units) {
            sum[*place] += self.scale * units;
        }
    }

    /// The units of a symbol after a market order that fills at its next bar; other orders may never fill.
    fn after(&self, order: &OpenOrder, held: f64) -> f64 {
        let at_market = order.limit.is_none() && order.stop.is_none() && order.trail.is_none();
        let waits = matches!(order.role, Role::StopLoss | Role::TrailingStop | Role::TakeProfit | Role::TimeStop);
        if !at_market || waits {
            return held;
        }
        if let Some(units) = order.units {
            return held + units;
        }
        let price = self.last_close(order.symbol as usize);
        let worth = self.worth();
        match order.size {
            // Whatever is left of an entry; without several entries at once that is all.
            None | Some(Size::Close) => 0.0,
            Some(Size::Shares(units)) => held + units,
            Some(Size::TargetShares(units)) => units,
            // Fixed at the fill, so that here they are judged by the close.
            Some(Size::Value(money)) => held + money / price,
            Some(Size::TargetValue(money)) => money / price,
            Some(Size::Percent(part)) => held + part * worth / price,
            Some(Size::TargetPercent(part)) => part * worth / price,
            Some(Size::BuyingPower(part)) => held + part * self.run.account.cash / price,
            // They read more than the close: seen once they have filled.
            Some(Size::Risk(_) | Size::Volatility(_)) => held,
        }
    }

    /// The last close of a symbol among its bars so far.
    fn last_close(&self, symbol: usize) -> f64 {
        let panel = &self.evaluator.context.panel;
        let span = panel.spans[symbol];
        let seen = panel.row_time[span.rows()].partition_point(|&t| (t as usize) < self.next);
        if seen == 0 { f64::NAN } else { panel.close[span.offset + seen - 1] }
    }
}
