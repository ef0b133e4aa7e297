//! Bars of several symbols on one timeline.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::adjust::{Adjust, CorporateAction, Pending};
use super::fine::{BarSize, Coarser, Fine};
use crate::bundle::{Bars, Bundle, Field, Frequency, PriceBasis};
use crate::calendar::{self, Calendar};
use crate::error::{Error, Result, nearest};

/// Which part of a bundle a run sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// First simulated session; `None` = the first of the bundle.
    pub from: Option<i32>,
    /// Last simulated session; `None` = the last of the bundle.
    pub to: Option<i32>,
    /// Bars before `from` that each symbol's columns may start from.
    pub warmup_bars: u32,
    /// Which corporate actions adjust the past that a strategy sees, where prices are stored as traded.
    pub adjust: Adjust,
    /// Which bars the run has; not longer ones than the bundle's.
    pub bars: BarSize,
}

/// Where one symbol's rows lie in the flat columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First row.
    pub offset: usize,
    /// Number of rows.
    pub len: usize,
    /// Whether the symbol has volume at all; one that never has any is not treated as untradable.
    pub has_volume: bool,
    /// Whether the bundle's record of the symbol ends for good before the last timestamp of the run.
    pub delisted: bool,
}

impl Span {
    /// The rows as a range.
    pub fn rows(self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len
    }
}

/// The bars of a run: flat columns, symbol after symbol, and the timeline that joins them. A part of it by sessions
/// ([`Panel::within`]) shares its columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// The universe in ascending order.
    pub symbols: Vec<String>,
    /// One span per symbol.
    pub spans: Vec<Span>,
    /// Sorted union of the symbols' timestamps (microseconds), warm-up included.
    pub timeline: Vec<i64>,
    /// Session of each timestamp.
    pub sessions: Vec<i32>,
    /// Index of the first simulated timestamp.
    pub start: usize,
    /// Timeline index of each row.
    pub row_time: Arc<Vec<u32>>,
    /// Session of each row.
    pub row_session: Arc<Vec<i32>>,
    /// First prices, one per row.
    pub open: Arc<Vec<f64>>,
    /// Highest prices.
    pub high: Arc<Vec<f64>>,
    /// Lowest prices.
    pub low: Arc<Vec<f64>>,
    /// Last prices.
    pub close: Arc<Vec<f64>>,
    /// Units traded.
    pub volume: Arc<Vec<f64>>,
    /// The exchange's schedule.
    pub calendar: Calendar,
    /// Bar spacing.
    pub frequency: Frequency,
    /// Symbols outside the universe that expressions or benchmarks refer to.
    pub references: BTreeMap<String, Arc<Bars>>,
    /// The finer bars that the rows are made of, where the run's are not the bundle's own.
    pub fine: Option<Arc<Fine>>,
    /// Which actions adjust the past that expressions see. The columns above are as stored.
    pub adjust: Adjust,
    /// Each symbol's corporate actions by ex-date, those outside the run's dates included; none where the prices are
    /// stored adjusted, since they must not be applied again.
    pub actions: Vec<Vec<CorporateAction>>,
    /// The same of the symbols kept aside.
    pub reference_actions: BTreeMap<String, Vec<CorporateAction>>,
    /// Last session of each symbol's record in the bundle; none where that is not known.
    pub record_ends: Vec<Option<i32>>,
}

impl Panel {
    /// Joins `symbols` (all of the bundle if empty) over `window`; `references` are kept aside for look-ups.
    ///
    /// # Errors
    /// An unknown symbol, or a window without a single bar.
    pub fn new(bundle: &Bundle, symbols: &[String], window: &Window, references: &[String]) -> Result<Panel> {
        let mut chosen: Vec<usize> = Vec::new();
        if symbols.is_empty() {
            chosen.extend(0..bundle.symbols.len());
        }
        for name in symbols {
            chosen.push(find_symbol(bundle, name)?);
        }
        chosen.sort_unstable();
        chosen.dedup();

        let names: Vec<String> = chosen.iter().map(|&s| bundle.symbols[s].clone()).collect();
        let mut own: Vec<Cow<Bars>> = chosen.iter().map(|&s| clip(&bundle.bars[s], window)).collect();
        let mut aside: BTreeMap<String, Arc<Bars>> = BTreeMap::new();
        for name in references {
            let bars = &bundle.bars[find_symbol(bundle, name)?];
            aside.insert(name.clone(), Arc::new(clip(bars, window).into_owned()));
        }
        // Prices that are stored adjusted must not be adjusted again.
        let actions_of = |name: &String, bars: &Bars| match bundle.prices {
            PriceBasis::Raw => CorporateAction::all(bundle.actions_of(name), bars),
            PriceBasis::SplitAdjusted | PriceBasis::TotalReturn => Vec::new(),
        };
        let actions: Vec<_> = names.iter().zip(&own).map(|(name, bars)| actions_of(name, bars)).collect();
        let reference_actions: BTreeMap<_, _> =
            aside.iter().map(|(name, bars)| (name.clone(), actions_of(name, bars))).collect();
        let last = own.iter().filter_map(|bars| bars.session.last()).max().copied().unwrap_or(i32::MIN);
        let record_ends = chosen.iter().map(|&place| bundle.record(place).map(|(_, end)| end)).collect();

        let (mut fine, mut frequency) = (None, bundle.frequency);
        let size = window.bars.over(bundle.frequency).unwrap_or_default();
        if let (Some(period), Some(coarser)) = (size.period(), size.frequency()) {
            let coarse = Coarser::new(bundle.calendar, bundle.frequency, period, own.iter().map(|bars| &**bars));
            let mut inside = Fine::default();
            for (bars, actions) in own.iter_mut().zip(&actions) {
                let (made, row_of, adjusted) = coarse.make(std::mem::take(bars).into_owned(), actions);
                inside.append(&adjusted, &row_of);
                *bars = Cow::Owned(made);
            }
            for (name, bars) in &mut aside {
                let actions = reference_actions.get(name).map_or(&[][..], Vec::as_slice);
                *bars = Arc::new(coarse.make(Arc::unwrap_or_clone(std::mem::take(bars)), actions).0);
            }
            (fine, frequency) = (Some(Arc::new(inside)), coarser);
        }
        let from = window.from.unwrap_or(i32::MIN);
        let mut panel = Panel::join(names, &own, from, bundle.calendar, frequency, aside);
        panel.record_ends = record_ends;
        panel.find_delisted(last);
        panel.fine = fine;
        panel.adjust = window.adjust;
        panel.actions = actions;
        panel.reference_actions = reference_actions;
        if panel.start >= panel.timeline.len() {
            let (first, last) = session_range(&bundle.bars);
            return Err(Error::plan(format!(
                "no bar lies between {} and {}",
                window.from.map_or("the start".into(), calendar::format_date),
                window.to.map_or("the end".into(), calendar::format_date),
            ))
            .help(format!(
                "bundle `{}` has bars from {} to {}",
                bundle.name,
                calendar::format_date(first),
                calendar::format_date(last)
            )));
        }
        Ok(panel)
    }

    pub(super) fn join(
        symbols: Vec<String>,
        bars: &[Cow<Bars>],
        from: i32,
        calendar: Calendar,
        frequency: Frequency,
        references: BTreeMap<String, Arc<Bars>>,
    ) -> Panel {
        let (timeline, sessions) = union(bars);
        let start = sessions.partition_point(|&session| session < from);
        let rows = bars.iter().map(|bars| bars.len()).sum();
        let mut spans = Vec::with_capacity(bars.len());
        let mut row_time = Vec::with_capacity(rows);
        for bars in bars {
            let has_volume = bars.volume.iter().any(|&v| v > 0.0);
            spans.push(Span { offset: row_time.len(), len: bars.len(), has_volume, delisted: false });
            let mut t = 0;
            for &time in &bars.time {
                while timeline[t] < time {
                    t += 1;
                }
                row_time.push(t as u32);
            }
        }
        let flat = |column: fn(&Bars) -> &Vec<f64>| {
            let mut flat = Vec::with_capacity(rows);
            bars.iter().for_each(|bars| flat.extend_from_slice(column(bars)));
            Arc::new(flat)
        };
        let mut row_session = Vec::with_capacity(rows);
        bars.iter().for_each(|bars| row_session.extend_from_slice(&bars.session));
        Panel {
            symbols,
            spans,
            timeline,
            sessions,
            start,
            row_time: Arc::new(row_time),
            row_session: Arc::new(row_session),
            open: flat(|bars| &bars.open),
            high: flat(|bars| &bars.high),
            low: flat(|bars| &bars.low),
            close: flat(|bars| &bars.close),
            volume: flat(|bars| &bars.volume),
            calendar,
            frequency,
            references,
            fine: None,
            adjust: Adjust::default(),
            actions: vec![Vec::new(); bars.len()],
            reference_actions: BTreeMap::new(),
            record_ends: vec![None; bars.len()],
        }
    }

    /// Says of each symbol whether its record ends before `last`, the last session of the run.
    fn find_delisted(&mut self, last: i32) {
        for (span, end) in self.spans.iter_mut().zip(&self.record_ends) {
            span.delisted = end.is_some_and(|end| end < last);
        }
    }

    /// The same bars as far as session `to`, simulated from session `from` on: what a run over those dates sees whose
    /// warm-up begins where this panel begins. The columns are shared, so rows keep their places and expressions over
    /// the whole panel hold for the part; its spans end earlier.
    #[must_use]
    pub fn within(&self, from: i32, to: i32) -> Panel {
        let mut part = self.clone();
        let end = self.sessions.partition_point(|&session| session <= to);
        part.timeline.truncate(end);
        part.sessions.truncate(end);
        part.start = self.start.max(self.sessions.partition_point(|&session| session < from)).min(end);
        let mut last = i32::MIN;
        for span in &mut part.spans {
            let rows = span.rows();
            span.len = self.row_time[rows.clone()].partition_point(|&t| (t as usize) < end);
            span.has_volume = self.volume[span.rows()].iter().any(|&v| v > 0.0);
            last = span.rows().last().map_or(last, |row| last.max(self.row_session[row]));
        }
        part.find_delisted(last);
        part
    }

    /// Number of rows over all symbols, warm-up included.
    pub fn rows(&self) -> usize {
        self.close.len()
    }

    /// Number of simulated rows.
    pub fn simulated_rows(&self) -> usize {
        self.spans.iter().map(|span| span.len - self.first_simulated(*span)).sum()
    }

    /// How many of a span's rows lie before the simulation starts.
    pub fn first_simulated(&self, span: Span) -> usize {
        self.row_time[span.rows()].partition_point(|&t| (t as usize) < self.start)
    }

    /// One flat column.
    pub fn field(&self, field: Field) -> &[f64] {
        match field {
            Field::Open => &self.open,
            Field::High => &self.high,
            Field::Low => &self.low,
            Field::Close => &self.close,
            Field::Volume => &self.volume,
        }
    }

    /// Whether `t` is the last simulated timestamp of its session.
    pub fn ends_session(&self, t: usize) -> bool {
        self.sessions.get(t + 1) != Some(&self.sessions[t])
    }

    /// Values of some rows of one symbol, seen as of a session: adjusted for the actions effective by then, as a
    /// strategy sees its past.
    pub fn adjusted(&self, symbol: usize, field: Field, rows: std::ops::Range<usize>, session: i32) -> Vec<f64> {
        let mut values = self.field(field)[rows.clone()].to_vec();
        let mut pending = Pending::new(self.actions.get(symbol).map_or(&[][..], Vec::as_slice), self.adjust);
        while let Some(rescale) = pending.next(session) {
            let before = self.row_session[rows.clone()].partition_point(|&session| session < rescale.date);
            rescale.values(field, &mut values[..before]);
        }
        values
    }

    /// Whether `t` closes its session: at the scheduled close, or with the last bar of a session that ended before it.
    pub fn closes_session(&self, t: usize) -> bool {
        if self.frequency != Frequency::Intraday {
            return self.ends_session(t);
        }
        let (time, session) = (self.timeline[t], self.sessions[t]);
        let close = self.calendar.hours(session).1;
        let over = self.sessions.get(t + 1).is_some_and(|&next| next != session);
        time == close || (time < close && over)
    }

    pub(super) fn span_bars(&self, span: Span) -> Bars {
        let rows = span.rows();
        Bars {
            time: self.row_time[rows.clone()].iter().map(|&t| self.timeline[t as usize]).collect(),
            session: self.row_session[rows.clone()].to_vec(),
            open: self.open[rows.clone()].to_vec(),
            high: self.high[rows.clone()].to_vec(),
            low: self.low[rows.clone()].to_vec(),
            close: self.close[rows.clone()].to_vec(),
            volume: self.volume[rows].to_vec(),
        }
    }
}

fn find_symbol(bundle: &Bundle, name: &str) -> Result<usize> {
    bundle.symbols.binary_search_by(|symbol| symbol.as_str().cmp(name)).map_err(|_| {
        let error = Error::plan(format!("bundle `{}` has no symbol `{name}`", bundle.name));
        match nearest(name, bundle.symbols.iter().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("it has {}", list_some(&bundle.symbols))),
        }
    })
}

fn list_some(names: &[String]) -> String {
    let shown = names.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 12 { format!("{shown} and {} more", names.len() - 12) } else { shown }
}

fn session_range(bars: &[Bars]) -> (i32, i32) {
    let first = bars.iter().filter_map(|b| b.session.first()).min().copied().unwrap_or(0);
    let last = bars.iter().filter_map(|b| b.session.last()).max().copied().unwrap_or(0);
    (first, last)
}

/// The bars of a window; those of the bundle where that is all of them, which copies nothing.
fn clip<'a>(bars: &'a Bars, window: &Window) -> Cow<'a, Bars> {
    let begin = window
        .from
        .map_or(0, |from| bars.session.partition_point(|&s| s < from).saturating_sub(window.warmup_bars as usize));
    let end = window.to.map_or(bars.len(), |to| bars.session.partition_point(|&s| s <= to)).max(begin);
    if (begin, end) == (0, bars.len()) {
        return Cow::Borrowed(bars);
    }
    Cow::Owned(Bars {
        time: bars.time[begin..end].to_vec(),
        session: bars.session[begin..end].to_vec(),
        open: bars.open[begin..end].to_vec(),
        high: bars.high[begin..end].to_vec(),
        low: bars.low[begin..end].to_vec(),
        close: bars.close[begin..end].to_vec(),
        volume: bars.volume[begin..end].to_vec(),
    })
}

/// Sorted union of all timestamps, with the session of each.
fn union(bars: &[Cow<Bars>]) -> (Vec<i64>, Vec<i32>) {
    // Most symbols of a bundle share their timestamps: start from the longest and add what it lacks.
    let Some(longest) = bars.iter().max_by_key(|b| b.len()) else { return (Vec::new(), Vec::new()) };
    let mut extra: Vec<(i64, i32)> = Vec::new();
    for bars in bars {
        let mut at = 0;
        for (&time, &session) in bars.time.iter().zip(&bars.session) {
            while at < longest.len() && longest.time[at] < time {
                at += 1;
            }
            if longest.time.get(at) != Some(&time) {
                extra.push((time, session));
            }
        }
    }
    if extra.is_empty() {
        return (longest.time.clone(), longest.session.clone());
    }
    extra.extend(longest.time.iter().copied().zip(longest.session.iter().copied()));
    extra.sort_unstable();
    extra.dedup_by_key(|entry| entry.0);
    extra.into_iter().unzip()
}
