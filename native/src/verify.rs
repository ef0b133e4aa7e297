//! One trial in floats and in decimal numbers, side by side: what rounding did.
//!
//! Given an evaluator and a point, this runs the same simulator over the same bars twice, a bar at a time, and compares
//! fills, cash, equity and every decision about an order. It never knows where the trial came from.
//!
//! Differences are taken in decimal numbers between the decimal ledger and what the float really is, so that a
//! difference of less than a float's last digit is seen too.

use sandtable_core::engine::{self, Decisions, Happening, Kind, Number, Record, Size, Workspace};
use sandtable_core::ledger::Fill;
use sandtable_core::run::Evaluator;

use crate::exact::Exact;
use crate::words;

/// Largest difference, in units of capital, that rounding may make in a trial that counts as verified.
pub const TOLERANCE: f64 = 1e-9;

/// The largest difference of some amount, and where it was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gap {
    /// How much.
    pub amount: Exact,
    /// Index of the bar on the run's timeline.
    pub bar: usize,
}

impl Gap {
    fn see(&mut self, difference: Exact, bar: usize) {
        let amount = difference.abs();
        if amount > self.amount {
            *self = Gap { amount, bar };
        }
    }
}

/// A bar at which the two runs decided differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Fork {
    /// Index of the bar on the run's timeline.
    pub bar: usize,
    /// What happened in floats, in words; `None` if nothing did.
    pub float: Option<String>,
    /// What happened in decimal numbers.
    pub exact: Option<String>,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Fills in floats.
    pub float_fills: u64,
    /// Fills in decimal numbers.
    pub exact_fills: u64,
    /// Bars whose fills are not those of the same symbols and sides in the same order.
    pub bars_apart: u64,
    /// The first of them, with the first fill that differs.
    pub first_apart: Option<Fork>,
    /// Bars at which a decision about an order fell the other way.
    pub forks: u64,
    /// The first of them.
    pub first_fork: Option<Fork>,
    /// The first fill whose amounts differ by [`TOLERANCE`] or more: orders are cut to other lots, or amounts drift.
    pub first_amount: Option<Fork>,
    /// Largest difference of all before the first fork, in units of capital: what a tie was decided by.
    pub before_fork: Exact,
    /// Units of a fill or of a position.
    pub quantity: Gap,
    /// Price of a fill.
    pub price: Gap,
    /// Commission of a fill.
    pub fee: Gap,
    /// Cash after a bar.
    pub cash: Gap,
    /// Equity after a bar.
    pub equity: Gap,
    /// The largest of all in money, in units of capital.
    pub of_capital: Gap,
    /// The first bar at which a decimal amount was out of range; what follows is not compared.
    pub out_of_range: Option<usize>,
    /// The objective in floats and in decimal numbers.
    pub metric: (f64, f64),
}

impl Audit {
    /// Whether fills are the same.
    pub fn same_fills(&self) -> bool {
        self.bars_apart == 0
    }

    /// Whether rounding changed nothing that matters.
    pub fn passes(&self) -> bool {
        self.same_fills() && self.out_of_range.is_none() && self.of_capital.amount < Exact::of(TOLERANCE)
    }

    /// The difference of the objective; NaN where one is undefined and the other is not.
    pub fn metric_difference(&self) -> f64 {
        let (float, exact) = self.metric;
        if float.is_nan() && exact.is_nan() { 0.0 } else { (float - exact).abs() }
    }
}

/// Both runs of one trial, and what was compared of them so far.
struct Pair<'a> {
    evaluator: &'a Evaluator,
    capital: Exact,
    float: Workspace<f64>,
    exact: Workspace<Exact>,
    audit: Audit,
}

/// Runs a trial in floats and in decimal numbers.
pub fn audit(evaluator: &Evaluator, point: &[f64]) -> Audit {
    let (panel, settings) = (&**evaluator.panel(), evaluator.plan.settings());
    let decisions = evaluator.decisions(point);
    let mut pair = Pair {
        evaluator,
        capital: Exact::of(settings.capital),
        float: Workspace::default(),
        exact: Workspace::default(),
        audit: Audit::default(),
    };
    pair.float.begin(panel, settings, true);
    pair.exact.begin(panel, settings, true);
    for t in panel.start..panel.timeline.len() {
        step(evaluator, &decisions, &mut pair.float, t);
        step(evaluator, &decisions, &mut pair.exact, t);
        pair.compare(t);
        if pair.audit.out_of_range.is_some() {
            break;
        }
    }
    pair.finish()
}

/// Simulates one bar, and keeps of the bars before only what the account needs.
fn step<N: Number>(evaluator: &Evaluator, decisions: &Decisions, run: &mut Workspace<N>, t: usize) {
    run.events.clear();
    run.bar_equity.clear();
    run.account.fills.clear();
    run.account.flows.clear();
    let record = Record { fills: true, bars: true, events: t..t + 1 };
    let panel = evaluator.panel();
    engine::advance(panel, &mut &*decisions, evaluator.plan.settings(), record, run, t..t + 1);
}

impl Pair<'_> {
    fn compare(&mut self, t: usize) {
        let worst = self.audit.of_capital.amount;
        self.compare_branches(t, worst);
        self.compare_fills(t, worst);
        let gap = |float: f64, exact: Exact| Exact::binary(float) - exact;
        let audit = &mut self.audit;
        let held = self.float.account.positions().into_iter().zip(self.exact.account.positions());
        for (float, exact) in held.filter(|(float, exact)| *float != 0.0 || *exact != Exact::ZERO) {
            audit.quantity.see(gap(float, exact), t);
        }
        let cash = gap(self.float.account.cash, self.exact.account.cash);
        let last = |equity: Option<&f64>| equity.copied().unwrap_or(f64::NAN);
        let exact_equity = self.exact.bar_equity.last().copied().unwrap_or(Exact::UNDEFINED);
        let equity = gap(last(self.float.bar_equity.last()), exact_equity);
        audit.cash.see(cash, t);
        audit.equity.see(equity, t);
        for money in [cash, equity] {
            audit.of_capital.see(money / self.capital, t);
            if !money.is_defined() && audit.out_of_range.is_none() {
                audit.out_of_range = Some(t);
            }
        }
        if audit.forks == 0 && audit.first_amount.is_none() {
            audit.before_fork = audit.of_capital.amount;
        }
    }

    /// Compares what happened to orders, numbers aside.
    fn compare_branches(&mut self, t: usize, worst: Exact) {
        let (float, exact) = (&self.float.events, &self.exact.events);
        let same = |k: usize| match (float.get(k), exact.get(k)) {
            (Some(a), Some(b)) => a.symbol == b.symbol && branch(&a.what) == branch(&b.what),
            (None, None) => true,
            _ => false,
        };
        let Some(first) = (0..float.len().max(exact.len())).find(|&k| !same(k)) else { return };
        let audit = &mut self.audit;
        audit.forks += 1;
        if audit.first_fork.is_none() {
            let symbols = &self.evaluator.panel().symbols;
            audit.before_fork = worst;
            audit.first_fork = Some(Fork {
                bar: t,
                float: float.get(first).map(|event| words::event(event, symbols)),
                exact: exact.get(first).map(|event| words::event(&event.float(), symbols)),
            });
        }
    }

    fn compare_fills(&mut self, t: usize, worst: Exact) {
        let (float, exact) = (&self.float.account.fills, &self.exact.account.fills);
        let audit = &mut self.audit;
        audit.float_fills += float.len() as u64;
        audit.exact_fills += exact.len() as u64;
        let same = |k: usize| match (float.get(k), exact.get(k)) {
            (Some(a), Some(b)) => a.symbol == b.symbol && (a.quantity > 0.0) == (b.quantity > Exact::ZERO),
            _ => false,
        };
        if let Some(first) = (0..float.len().max(exact.len())).find(|&k| !same(k)) {
            audit.bars_apart += 1;
            let symbols = &self.evaluator.panel().symbols;
            let shown = |fill: Fill| words::fill(&fill, &symbols[fill.symbol as usize]);
            audit.first_apart.get_or_insert_with(|| Fork {
                bar: t,
                float: float.get(first).map(|fill| shown(*fill)),
                exact: exact.get(first).map(|fill| shown(in_floats(fill))),
            });
            return;
        }
        for (float, exact) in float.iter().zip(exact) {
            let quantity = (Exact::binary(float.quantity) - exact.quantity).abs();
            let price = (Exact::binary(float.price) - exact.price).abs();
            let fee = (Exact::binary(float.fee) - exact.fee).abs();
            audit.quantity.see(quantity, t);
            audit.price.see(price, t);
            audit.fee.see(fee, t);
            let mut matters = false;
            for money in [quantity * exact.price, price * exact.quantity, fee] {
                let part = (money / self.capital).abs();
                matters |= part >= Exact::of(TOLERANCE);
                audit.of_capital.see(part, t);
            }
            if matters && audit.first_amount.is_none() {
                let name = &self.evaluator.panel().symbols[float.symbol as usize];
                if audit.first_fork.as_ref().is_none_or(|fork| fork.bar == t) {
                    audit.before_fork = worst;
                }
                audit.first_amount = Some(Fork {
                    bar: t,
                    float: Some(words::fill(float, name)),
                    exact: Some(words::fill(&in_floats(exact), name)),
                });
            }
        }
    }

    fn finish(mut self) -> Audit {
        let panel = self.evaluator.panel();
        self.float.finish(panel);
        self.exact.finish(panel);
        let objective = self.evaluator.plan.objective().metric;
        let of = |values: Vec<f64>| values.get(objective).copied().unwrap_or(f64::NAN);
        let float = of(self.evaluator.metrics_of_run(&self.float));
        self.audit.metric = match self.audit.out_of_range {
            None => (float, of(self.evaluator.metrics_of_run(&self.exact))),
            Some(_) => (float, f64::NAN),
        };
        self.audit
    }
}

fn in_floats(fill: &Fill<Exact>) -> Fill {
    let Fill { bar, symbol, quantity, price, fee } = *fill;
    Fill { bar, symbol, quantity: quantity.float(), price: price.float(), fee: fee.float() }
}

/// An event without its numbers: what was decided, not how much.
fn branch<N: Number>(what: &Happening<N>) -> Happening {
    let sign = |number: N| match number {
        number if number > N::ZERO => 1.0,
        number if number < N::ZERO => -1.0,
        _ => 0.0,
    };
    match *what {
        Happening::Placed { role, kind, .. } => {
            let kind = match kind {
                Kind::Market => Kind::Market,
                Kind::Limit(_) => Kind::Limit(0.0),
                Kind::Stop(_) | Kind::Trailing(_) => Kind::Stop(0.0),
                Kind::StopLimit { .. } => Kind::StopLimit { stop: 0.0, limit: 0.0 },
            };
            Happening::Placed { role, kind, size: Size::Close, units: None }
        }
        Happening::Cut { limit, .. } => Happening::Cut { from: 0.0, to: 0.0, limit },
        Happening::Filled { fill, left, .. } => {
            let fill = Fill { bar: 0, symbol: fill.symbol, quantity: sign(fill.quantity), price: 0.0, fee: 0.0 };
            Happening::Filled { fill, market: 0.0, left: sign(left) }
        }
        Happening::Flow { kind, .. } => Happening::Flow { kind, cash: 0.0, units: 0.0 },
        Happening::Waits(wait) => Happening::Waits(wait),
        Happening::Refused(limit) => Happening::Refused(limit),
        Happening::Cancelled(why) => Happening::Cancelled(why),
        Happening::Idle(idle) => Happening::Idle(idle),
        Happening::Woken => Happening::Woken,
        Happening::Ambiguous => Happening::Ambiguous,
    }
}
