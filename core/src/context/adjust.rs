//! The past as it looked at each bar: prices as traded, adjusted for the corporate actions effective by then.
//!
//! Given a panel of raw prices with its actions, this gives columns whose value at a bar is computed from bars that are
//! adjusted *as of* that bar. The actions of a symbol cut its bars into *epochs*; within one, nothing changes, so the
//! whole expression is evaluated once for each epoch over the bars up to its end, and the epoch's rows are kept.
//! Nothing is ever adjusted by a later action and corrected back: even the last bits know only the past.
//!
//! Before a split prices are divided by its ratio and volume is multiplied by it; before a cash dividend prices are
//! multiplied by 1 − dividend / previous close, and volume stays.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::evaluate::{Context, Prepared};
use super::panel::{Panel, Span};
use super::workspace::{Value, Workspace};
use crate::bundle::{Action, Bars, Field};
use crate::num::NAN;
use crate::strategy::{Node, NodeId, Program, Strategy};

/// Which actions adjust the past that a strategy sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adjust {
    /// Splits and cash dividends.
    #[default]
    All,
    /// Splits only.
    Splits,
    /// None: prices as they were traded.
    None,
}

/// What happened to a symbol's shares on an ex-date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CorporateAction {
    /// First session that trades without the right (days since 1970-01-01).
    pub ex_date: i32,
    /// Day on which a dividend is paid, if known.
    pub pay_date: Option<i32>,
    /// New shares per old share; 1 for no split.
    pub split_ratio: f64,
    /// Cash per share as traded before the ex-date; 0 for none.
    pub cash_dividend: f64,
    /// Last close before the ex-date, per share as traded then; `None` if the run has no bar before it.
    pub previous_close: Option<f64>,
}

impl CorporateAction {
    /// A symbol's actions, with the closes of its bars before them.
    pub(super) fn all(actions: &[Action], bars: &Bars) -> Vec<CorporateAction> {
        let mut all: Vec<CorporateAction> = Vec::with_capacity(actions.len());
        for &Action { ex_date, pay_date, split_ratio, cash_dividend, .. } in actions {
            let rows = bars.session.partition_point(|&session| session < ex_date);
            let last = rows.checked_sub(1).map(|row| (bars.session[row], bars.close[row]));
            let previous_close = last.map(|(session, close)| {
                // Without a bar between two dates, the later one finds what the earlier one left of the price.
                let mut between = Pending::new(&all[all.partition_point(|a| a.ex_date <= session)..], Adjust::All);
                let mut close = [close];
                while let Some(rescale) = between.next(ex_date - 1) {
                    rescale.prices(&mut close);
                }
                close[0]
            });
            all.push(CorporateAction { ex_date, pay_date, split_ratio, cash_dividend, previous_close });
        }
        all
    }

    /// Whether it changes how the past is seen.
    fn rescales(&self, adjust: Adjust) -> bool {
        match adjust {
            Adjust::All => self.split_ratio != 1.0 || self.cash_dividend > 0.0,
            Adjust::Splits => self.split_ratio != 1.0,
            Adjust::None => false,
        }
    }
}

/// A symbol's actions, taken up one ex-date after the other.
#[derive(Clone, Debug)]
pub(super) struct Pending<'a> {
    actions: &'a [CorporateAction],
    adjust: Adjust,
}

impl<'a> Pending<'a> {
    pub fn new(actions: &'a [CorporateAction], adjust: Adjust) -> Pending<'a> {
        Pending { actions, adjust }
    }

    /// What is effective on `session` and was not given before, one ex-date at a time.
    pub fn next(&mut self, session: i32) -> Option<Rescale> {
        loop {
            let date = self.actions.first().map(|action| action.ex_date).filter(|&date| date <= session)?;
            let (today, later) = self.actions.split_at(self.actions.partition_point(|action| action.ex_date <= date));
            self.actions = later;
            // Both are per share as traded before the date, so that the order of a table's rows does not matter.
            let effective = || today.iter().filter(|action| action.rescales(self.adjust));
            let ratio = effective().fold(1.0, |product, action| product * action.split_ratio);
            let dividend = match self.adjust {
                Adjust::All => effective().fold(0.0, |sum, action| sum + action.cash_dividend),
                Adjust::Splits | Adjust::None => 0.0,
            };
            let factor = match today.first().and_then(|action| action.previous_close) {
                Some(close) if dividend > 0.0 => 1.0 - dividend / close,
                _ => 1.0,
            };
            // A dividend of the whole price leaves nothing to compare with: such a record is not applied.
            let factor = if factor > 0.0 { factor } else { 1.0 };
            if ratio != 1.0 || factor != 1.0 {
                return Some(Rescale { date, ratio, factor });
            }
        }
    }
}

/// What one ex-date does to the bars before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rescale {
    /// The ex-date.
    pub date: i32,
    /// Divides prices, multiplies volume.
    ratio: f64,
    /// Multiplies prices.
    factor: f64,
}

impl Rescale {
    /// Adjusts those of some bars in `rows` that are before the date.
    pub fn bars(self, bars: &mut Bars, rows: Range<usize>) {
        let rows = rows.start..rows.start + bars.session[rows].partition_point(|&session| session < self.date);
        for prices in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close] {
            self.prices(&mut prices[rows.clone()]);
        }
        self.volume(&mut bars.volume[rows]);
    }

    /// Adjusts all bars of a panel of one symbol, which lie before the date.
    fn panel(self, panel: &mut Panel) {
        for prices in [&mut panel.open, &mut panel.high, &mut panel.low, &mut panel.close] {
            self.prices(Arc::make_mut(prices).as_mut_slice());
        }
        self.volume(Arc::make_mut(&mut panel.volume).as_mut_slice());
    }

    /// Adjusts values of one column, all of which lie before the date.
    pub fn values(self, field: Field, values: &mut [f64]) {
        match field {
            Field::Volume => self.volume(values),
            Field::Open | Field::High | Field::Low | Field::Close => self.prices(values),
        }
    }

    fn prices(self, prices: &mut [f64]) {
        if self.factor != 1.0 {
            prices.iter_mut().for_each(|x| *x *= self.factor);
        }
        if self.ratio != 1.0 {
            prices.iter_mut().for_each(|x| *x /= self.ratio);
        }
    }

    fn volume(self, volume: &mut [f64]) {
        if self.ratio != 1.0 {
            volume.iter_mut().for_each(|x| *x *= self.ratio);
        }
    }
}

/// What an expression looks at, besides the results of functions over all symbols.
#[derive(Debug, Default)]
struct Reads {
    own: bool,
    foreign: BTreeSet<String>,
    /// Functions over all symbols: their values at each bar, not as of a later one.
    across: Vec<NodeId>,
}

impl Reads {
    fn of(program: &Program, root: NodeId) -> Reads {
        let mut reads = Reads::default();
        let mut seen = BTreeSet::from([root]);
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            match program.node(id) {
                Node::Field(_) => reads.own = true,
                Node::ForeignField { symbol, .. } => _ = reads.foreign.insert(symbol.clone()),
                Node::CrossSection(..) => reads.across.push(id),
                node => node.for_each_operand(|operand| {
                    if seen.insert(operand) {
                        stack.push(operand);
                    }
                }),
            }
        }
        reads.across.sort_unstable();
        reads
    }
}

impl Panel {
    /// Whether some action changes how the past of the panel's own symbols looks within it.
    fn has_epochs(&self) -> bool {
        let within = |span: &Span, action: &CorporateAction| {
            let sessions = &self.row_session[span.rows()];
            let row = sessions.partition_point(|&session| session < action.ex_date);
            row > 0 && row < sessions.len() && action.rescales(self.adjust)
        };
        self.spans.iter().zip(&self.actions).any(|(span, actions)| actions.iter().any(|action| within(span, action)))
    }

    /// Whether some action changes how the past of another symbol looks.
    fn has_foreign_epochs(&self, symbol: &str) -> bool {
        let actions = self.reference_actions.get(symbol).map_or(&[][..], Vec::as_slice);
        let first = self.references.get(symbol).and_then(|bars| bars.session.first());
        actions.iter().any(|action| action.rescales(self.adjust) && first.is_some_and(|&first| first < action.ex_date))
    }

    /// One symbol's bars before any.
    fn nothing_of(&self, symbol: usize, foreign: &BTreeSet<String>) -> Panel {
        let held = |name: &&String| self.references.contains_key(*name);
        let foreign = foreign.iter().filter(held).map(|name| (name.clone(), self.references[name].clone()));
        let span = Span { offset: 0, len: 0, ..self.spans[symbol] };
        Panel {
            symbols: vec![self.symbols[symbol].clone()],
            spans: vec![span],
            timeline: Vec::with_capacity(self.spans[symbol].len),
            sessions: Vec::with_capacity(self.spans[symbol].len),
            start: 0,
            row_time: Arc::new(Vec::with_capacity(self.spans[symbol].len)),
            row_session: Arc::new(Vec::with_capacity(self.spans[symbol].len)),
            open: Arc::new(Vec::with_capacity(self.spans[symbol].len)),
            high: Arc::new(Vec::with_capacity(self.spans[symbol].len)),
            low: Arc::new(Vec::with_capacity(self.spans[symbol].len)),
            close: Arc::new(Vec::with_capacity(self.spans[symbol].len)),
            volume: Arc::new(Vec::with_capacity(self.spans[symbol].len)),
            calendar: self.calendar,
            frequency: self.frequency,
            references: foreign.collect(),
            fine: None,
            adjust: Adjust::None,
            actions: Vec::new(),
            reference_actions: BTreeMap::new(),
            record_ends: Vec::new(),
        }
    }

    /// Appends rows of another panel's symbol, as they were traded.
    fn append(&mut self, from: &Panel, rows: Range<usize>) {
        let row_time = Arc::make_mut(&mut self.row_time);
        for row in rows.clone() {
            row_time.push(self.timeline.len() as u32);
            self.timeline.push(from.timeline[from.row_time[row] as usize]);
        }
        self.sessions.extend_from_slice(&from.row_session[rows.clone()]);
        Arc::make_mut(&mut self.row_session).extend_from_slice(&from.row_session[rows.clone()]);
        Arc::make_mut(&mut self.open).extend_from_slice(&from.open[rows.clone()]);
        Arc::make_mut(&mut self.high).extend_from_slice(&from.high[rows.clone()]);
        Arc::make_mut(&mut self.low).extend_from_slice(&from.low[rows.clone()]);
        Arc::make_mut(&mut self.close).extend_from_slice(&from.close[rows.clone()]);
        Arc::make_mut(&mut self.volume).extend_from_slice(&from.volume[rows]);
        self.spans[0].len = self.close.len();
    }
}

impl Context {
    /// Whether what looks back at a symbol's own prices sees other ones than the panel has.
    pub(super) fn sees_adjusted_past(&self) -> bool {
        let adjusted = || self.panel.adjust != Adjust::None && self.panel.has_epochs();
        *self.adjusted_past.get_or_init(adjusted)
    }

    /// The column of a node that looks at the past, seen as of each bar; `None` where no action makes a difference.
    pub(super) fn as_of(&self, strategy: &Strategy, id: NodeId, point: &[f64]) -> Option<Vec<f64>> {
        let panel = &*self.panel;
        if panel.adjust == Adjust::None || !looks_back(strategy.program.node(id)) {
            return None;
        }
        let mut reads = Reads::of(&strategy.program, id);
        reads.foreign.retain(|symbol| panel.references.contains_key(symbol));
        let foreign = reads.foreign.iter().any(|symbol| panel.has_foreign_epochs(symbol));
        if !(foreign || reads.own && panel.has_epochs()) {
            return None;
        }
        let across = self.evaluate(strategy, &reads.across, point, &Prepared::default(), &mut Workspace::default());
        let mut out = vec![NAN; panel.rows()];
        for symbol in 0..panel.spans.len() {
            let mut past = Past::new(panel, symbol, &reads.foreign);
            while let Some(rows) = past.advance() {
                let own = panel.spans[symbol].offset..panel.spans[symbol].offset + rows.end;
                let given = reads.across.iter().zip(&across);
                let given =
                    given.filter_map(|(&id, value)| Some((id, value.slice(panel)?[own.clone()].to_vec().into())));
                let context = Context::passing(Arc::new(past.panel), self.symbol_count(), given.collect());
                let mut workspace = Workspace::default();
                let mut values = context.evaluate(strategy, &[id], point, &Prepared::default(), &mut workspace);
                let value = values.pop().map_or(Value::Scalar(NAN), |value| workspace.widen(value));
                for row in rows {
                    out[panel.spans[symbol].offset + row] = value.at(&context.panel, row);
                }
                past.panel = Arc::try_unwrap(context.panel).unwrap_or_else(|shared| (*shared).clone());
            }
        }
        Some(out)
    }
}

/// Whether a node's value at a bar is computed from other bars.
fn looks_back(node: &Node) -> bool {
    matches!(
        node,
        Node::ForeignField { .. } | Node::Lag { .. } | Node::Since(_) | Node::Indicator { .. } | Node::Coarse(..)
    )
}

/// One symbol's bars up to the end of an epoch, seen as of that epoch.
struct Past<'a> {
    source: &'a Panel,
    span: Span,
    /// First row of each epoch, and the number of rows.
    bounds: Vec<usize>,
    /// Epochs begun.
    begun: usize,
    own: Pending<'a>,
    foreign: Vec<(String, Pending<'a>)>,
    panel: Panel,
}

impl<'a> Past<'a> {
    fn new(source: &'a Panel, symbol: usize, foreign: &BTreeSet<String>) -> Past<'a> {
        let span = source.spans[symbol];
        let own = source.actions.get(symbol).map_or(&[][..], Vec::as_slice);
        let of = |name: &String| source.reference_actions.get(name).map_or(&[][..], Vec::as_slice);
        let all = own.iter().chain(foreign.iter().flat_map(of)).filter(|action| action.rescales(source.adjust));
        let sessions = &source.row_session[span.rows()];
        let first_row = |action: &CorporateAction| sessions.partition_point(|&session| session < action.ex_date);
        let mut bounds: Vec<usize> = all.map(first_row).chain([0, span.len]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        Past {
            source,
            span,
            bounds,
            begun: 0,
            own: Pending::new(own, source.adjust),
            foreign: foreign.iter().map(|name| (name.clone(), Pending::new(of(name), source.adjust))).collect(),
            panel: source.nothing_of(symbol, foreign),
        }
    }

    /// Goes to the next epoch, and gives its rows, counted from the symbol's first.
    fn advance(&mut self) -> Option<Range<usize>> {
        let &[start, end] = self.bounds.get(self.begun..self.begun + 2)? else { return None };
        self.begun += 1;
        // The same for all bars of the epoch.
        let session = self.source.row_session[self.span.offset + start];
        while let Some(rescale) = self.own.next(session) {
            rescale.panel(&mut self.panel);
        }
        for (name, pending) in &mut self.foreign {
            while let Some(rescale) = pending.next(session) {
                if let Some(bars) = self.panel.references.get_mut(name) {
                    let rows = bars.len();
                    rescale.bars(Arc::make_mut(bars), 0..rows);
                }
            }
        }
        self.panel.append(self.source, self.span.offset + start..self.span.offset + end);
        Some(start..end)
    }
}
