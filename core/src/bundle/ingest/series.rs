//! From each symbol's rows to its bars: spacing and calendar are found out, rows are sorted, doubles and strangers
//! removed, gaps and suspicious values reported.

use std::collections::{BTreeMap, BTreeSet};

use super::defects::{DefectReport, Done, Kind, Place};
use super::gather::{Gather, Row, Series};
use super::{BarTime, Duplicates, IngestOptions, refusal};
use crate::bundle::{Action, Bars, BundleDraft, Frequency, PriceBasis};
use crate::calendar::{Calendar, DAY_MICROS, HOUR_MICROS, format_date, new_york_local, utc_date, weekday};
use crate::error::{Error, Result};

/// A price that changes by this factor between two bars is a jump: the least common split is 3 for 2.
const JUMP: f64 = 1.45;

/// After a spike the price is back within this factor.
const BACK: f64 = 1.2;

/// Equal bars in a row that are called stale.
const STALE: usize = 5;

/// Builds the draft.
///
/// # Errors
/// The benchmark is not among the symbols; refused data is in the report, and the draft is then not to be used.
pub(super) fn draft(
    gather: Gather,
    actions: Vec<Action>,
    options: &IngestOptions,
    report: &mut DefectReport,
) -> Result<BundleDraft> {
    let Gather { files, mut series, adjusted, .. } = gather;
    series.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    let settings = Settings::find(&series, options, report);
    let mut draft = BundleDraft {
        name: options.name.clone(),
        frequency: settings.frequency,
        calendar: settings.calendar,
        prices: if adjusted { PriceBasis::TotalReturn } else { options.prices },
        benchmark: options.benchmark.clone(),
        source: options.source.clone(),
        licence: options.licence.clone(),
        actions,
        ..BundleDraft::default()
    };
    for Series { symbol, rows, dropped } in series {
        let splits = draft.actions.iter().filter(|action| action.symbol == symbol && action.split_ratio != 1.0);
        let splits = splits.map(|action| (action.ex_date, action.split_ratio)).collect();
        let mut finish = Finish { symbol: &symbol, files: &files, settings: &settings, splits, options, report };
        let bars = finish.bars(rows, dropped);
        if !bars.is_empty() {
            draft.symbols.push(symbol);
            draft.bars.push(bars);
        }
    }
    draft.actions.retain(|action| draft.symbols.contains(&action.symbol));
    if draft.symbols.is_empty() && refusal(report).is_none() {
        let file = files.first().map_or("", String::as_str);
        report.add(Kind::NoRows, Place::file(file, 0, "no row is left after dropping the defective ones"));
    }
    if let Some(name) = options.benchmark.as_ref().filter(|name| !draft.symbols.contains(name)) {
        return Err(Error::plan(format!("the benchmark {name} is not one of the symbols"))
            .help(format!("the symbols are {}", draft.symbols.join(", "))));
    }
    Ok(draft)
}

/// What holds for all symbols.
struct Settings {
    frequency: Frequency,
    calendar: Calendar,
    /// Added to intraday timestamps, so that they name the close of a bar.
    shift: i64,
}

impl Settings {
    fn find(series: &[Series], options: &IngestOptions, report: &mut DefectReport) -> Settings {
        let mut note = |column: &str, found: String, known: bool| {
            if !known {
                report.add(Kind::Assumed, Place::file("", 0, found).column(column));
            }
        };
        let steps = steps(series);
        let frequency = options.frequency.unwrap_or_else(|| frequency(series, &steps));
        note("frequency", format!("{}, from the spacing of rows", frequency.name()), options.frequency.is_some());
        let calendar = options.calendar.unwrap_or_else(|| calendar(series, frequency));
        note("calendar", format!("{}, from the days with rows", calendar.name()), options.calendar.is_some());
        let shift = match options.bar_time {
            BarTime::Start if frequency == Frequency::Intraday => {
                let length = most_frequent(&steps);
                note("bar_time", format!("bars of {} s, moved from start to close", length / 1_000_000), false);
                length
            }
            _ => 0,
        };
        Settings { frequency, calendar, shift }
    }
}

/// Steps of time between neighbouring rows, how often each occurs; times taken once each.
fn steps(series: &[Series]) -> BTreeMap<i64, u64> {
    let mut steps = BTreeMap::new();
    for series in series {
        let mut times: Vec<i64> = series.rows.iter().map(|row| row.time).collect();
        times.sort_unstable();
        times.dedup();
        for pair in times.windows(2) {
            *steps.entry(pair[1] - pair[0]).or_default() += 1;
        }
    }
    steps
}

fn most_frequent(steps: &BTreeMap<i64, u64>) -> i64 {
    steps.iter().max_by_key(|&(&step, &count)| (count, std::cmp::Reverse(step))).map_or(0, |(&step, _)| step)
}

fn median(steps: &BTreeMap<i64, u64>) -> i64 {
    let half = steps.values().sum::<u64>() / 2;
    let mut seen = 0;
    for (&step, &count) in steps {
        seen += count;
        if seen > half {
            return step;
        }
    }
    DAY_MICROS
}

fn frequency(series: &[Series], steps: &BTreeMap<i64, u64>) -> Frequency {
    let timed = series.iter().flat_map(|series| &series.rows).any(|row| row.timed);
    match median(steps) {
        step if step > 4 * DAY_MICROS => Frequency::Coarse,
        step if timed && step < 20 * HOUR_MICROS => Frequency::Intraday,
        _ => Frequency::Daily,
    }
}

/// The calendar that the days with rows follow: a market with weekends, one without New York's holidays, New York.
fn calendar(series: &[Series], frequency: Frequency) -> Calendar {
    let rows = || series.iter().flat_map(|series| &series.rows);
    let day = |row: &Row| if frequency == Frequency::Intraday { utc_date(row.time) } else { row.date };
    let days: BTreeSet<i32> = rows().map(day).collect();
    // Saturday is a seventh of the days of a market that never closes. Currencies trade on Sunday evening, never then;
    // one stray Saturday among daily rows is a mistake.
    let saturdays = days.iter().filter(|&&day| weekday(day) == 5).count();
    let stray = usize::from(frequency != Frequency::Intraday);
    if saturdays > stray && saturdays * 100 > days.len() * 7 {
        return Calendar::AlwaysOpen;
    }
    if frequency == Frequency::Intraday {
        // Trading around New York's night: currencies. Its extended hours are 4:00 to 20:00.
        let total = rows().count();
        let night =
            rows().filter(|row| !(4..=20).contains(&(new_york_local(row.time).rem_euclid(DAY_MICROS) / HOUR_MICROS)));
        return if night.count() * 10 > total { Calendar::Weekdays } else { Calendar::Xnys };
    }
    let (Some(&first), Some(&last)) = (days.first(), days.last()) else { return Calendar::Xnys };
    let holidays = (first..=last).filter(|&day| weekday(day) < 5 && !Calendar::Xnys.is_session(day));
    let (mut closed, mut open) = (0, 0);
    for day in holidays {
        closed += 1;
        open += usize::from(days.contains(&day));
    }
    if open >= 3 && open * 5 >= closed { Calendar::Weekdays } else { Calendar::Xnys }
}

/// One symbol on its way to bars.
struct Finish<'a> {
    symbol: &'a str,
    files: &'a [String],
    settings: &'a Settings,
    splits: BTreeMap<i32, f64>,
    options: &'a IngestOptions,
    report: &'a mut DefectReport,
}

impl Finish<'_> {
    fn bars(&mut self, mut rows: Vec<Row>, mut dropped: BTreeSet<i32>) -> Bars {
        self.sort(&mut rows);
        let rows = self.without_doubles(rows);
        let (rows, bars) = self.sessions(rows, &mut dropped);
        self.find_gaps(&bars, &dropped);
        self.find_zero_volume(&rows);
        if self.settings.frequency != Frequency::Intraday {
            self.find_stale(&rows);
        }
        if self.settings.frequency != Frequency::Coarse {
            self.find_jumps(&rows, &bars);
        }
        bars
    }

    /// What orders rows: the date of a daily bar, the instant of others.
    fn key(&self, row: &Row) -> i64 {
        match self.settings.frequency {
            Frequency::Intraday => row.time,
            Frequency::Daily | Frequency::Coarse => i64::from(row.date),
        }
    }

    fn add(&mut self, kind: Kind, row: &Row, column: &str, found: String) -> Done {
        let file = &self.files[row.file as usize];
        self.report.add(kind, Place::file(file, row.line, found).symbol(self.symbol).column(column).date(row.when()))
    }

    /// Sorts by time, then file and line. A file that runs backwards from end to start is a habit, not a defect.
    fn sort(&mut self, rows: &mut [Row]) {
        for of_file in rows.chunk_by(|a, b| a.file == b.file) {
            let keys: Vec<i64> = of_file.iter().map(|row| self.key(row)).collect();
            if keys.is_sorted() {
                continue;
            }
            if keys.windows(2).all(|pair| pair[0] >= pair[1]) {
                self.add(Kind::Assumed, &of_file[0], "time", "newest rows first: turned round".to_string());
                continue;
            }
            for at in misplaced(&keys) {
                self.add(Kind::OutOfOrder, &of_file[at], "time", format!("{} is out of order", of_file[at].when()));
            }
        }
        rows.sort_by_key(|row| (self.key(row), row.file, row.line));
    }

    fn without_doubles(&mut self, rows: Vec<Row>) -> Vec<Row> {
        let mut kept: Vec<Row> = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(before) = kept.last().copied().filter(|before| self.key(before) == self.key(&row)) else {
                kept.push(row);
                continue;
            };
            let file = &self.files[before.file as usize];
            let other = if before.file == row.file { String::new() } else { format!(" of {file}") };
            if before.values == row.values {
                self.add(Kind::DuplicateTimestamp, &row, "", format!("the same as line {}{other}", before.line));
                continue;
            }
            let names = ["open", "high", "low", "close", "volume"];
            let at = (0..5).rev().find(|&i| before.values[i] != row.values[i] && i != 4).unwrap_or(4);
            let found = format!("{} where line {}{other} has {}", row.values[at], before.line, before.values[at]);
            match self.options.duplicates {
                Duplicates::Refuse => {
                    self.add(Kind::DuplicateConflict, &row, names[at], found);
                }
                Duplicates::First => {
                    self.add(Kind::DuplicateChosen, &row, names[at], found);
                }
                Duplicates::Last => {
                    self.add(Kind::DuplicateChosen, &before, names[at], found);
                    kept.pop();
                    kept.push(row);
                }
            }
        }
        kept
    }

    /// Gives every row its session, and drops those of days without one.
    fn sessions(&mut self, rows: Vec<Row>, dropped: &mut BTreeSet<i32>) -> (Vec<Row>, Bars) {
        let mut bars = Bars::with_capacity(rows.len());
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            let (time, session) = match self.settings.frequency {
                Frequency::Intraday => {
                    let time = row.time.saturating_add(self.settings.shift);
                    (time, self.settings.calendar.session_of_close(time))
                }
                Frequency::Daily | Frequency::Coarse => (i64::from(row.date) * DAY_MICROS, row.date),
            };
            if self.knows(session) && !self.settings.calendar.is_session(session) {
                let found =
                    format!("a {}, on which {} has no session", day_name(session), self.settings.calendar.name());
                self.add(Kind::NotASession, &row, "time", found);
                dropped.insert(session);
                continue;
            }
            bars.push(time, session, row.values);
            kept.push(row);
        }
        (kept, bars)
    }

    /// Whether the calendar can say which days are sessions.
    fn knows(&self, session: i32) -> bool {
        self.settings.frequency != Frequency::Coarse && session >= self.settings.calendar.exact_from()
    }

    fn find_gaps(&mut self, bars: &Bars, dropped: &BTreeSet<i32>) {
        for pair in bars.session.windows(2) {
            for day in pair[0] + 1..pair[1] {
                if self.knows(day) && self.settings.calendar.is_session(day) && !dropped.contains(&day) {
                    let file = if self.files.len() == 1 { self.files[0].as_str() } else { "" };
                    let place = Place::file(file, 0, "no bar").symbol(self.symbol).date(format_date(day));
                    self.report.add(Kind::MissingSession, place);
                }
            }
        }
    }

    /// Volume 0 is worth a word only where other bars have some.
    fn find_zero_volume(&mut self, rows: &[Row]) {
        if rows.iter().any(|row| row.values[4] > 0.0) {
            for row in rows.iter().filter(|row| row.values[4] == 0.0) {
                self.add(Kind::ZeroVolume, row, "volume", "0".to_string());
            }
        }
    }

    fn find_stale(&mut self, rows: &[Row]) {
        for run in rows.chunk_by(|a, b| a.values[..4] == b.values[..4]) {
            if run.len() >= STALE {
                let found = format!("{} rows up to {} repeat its prices", run.len(), run[run.len() - 1].when());
                self.add(Kind::Stale, &run[0], "", found);
            }
        }
    }

    fn find_jumps(&mut self, rows: &[Row], bars: &Bars) {
        let close = |i: usize| bars.close[i];
        let far = |ratio: f64| !(1.0 / JUMP..=JUMP).contains(&ratio);
        let mut after_spike = false;
        for i in 0..rows.len() {
            let before = if i > 0 { close(i - 1) * 1.0 / self.split_on(bars, i) } else { close(i) };
            let ratio = close(i) / before;
            let back = (i + 1 < rows.len()).then(|| close(i + 1) / before);
            if far(ratio) && !std::mem::take(&mut after_spike) {
                if back.is_some_and(|back| (1.0 / BACK..=BACK).contains(&back)) {
                    let found = format!("{} between {before} and {}", close(i), close(i + 1));
                    self.add(Kind::PriceSpike, &rows[i], "close", found);
                    after_spike = true;
                } else {
                    self.add(Kind::PriceJump, &rows[i], "close", jump_text(before, close(i)));
                }
                continue;
            }
            after_spike = false;
            let (top, bottom) = (bars.open[i].max(close(i)).max(before), bars.open[i].min(close(i)).min(before));
            if bars.high[i] > top * JUMP {
                self.add(Kind::PriceSpike, &rows[i], "high", format!("{} above {top}", bars.high[i]));
            }
            if bars.low[i] * JUMP < bottom {
                self.add(Kind::PriceSpike, &rows[i], "low", format!("{} below {bottom}", bars.low[i]));
            }
        }
    }

    /// New shares per old between bars i − 1 and i, where raw prices drop by it.
    fn split_on(&self, bars: &Bars, i: usize) -> f64 {
        if self.options.prices != PriceBasis::Raw {
            return 1.0;
        }
        let between = bars.session[i - 1] + 1..=bars.session[i];
        self.splits.range(between).map(|(_, ratio)| ratio).product()
    }
}

fn jump_text(before: f64, after: f64) -> String {
    let ratio = if after < before { before / after } else { after / before };
    let whole = ratio.round();
    let like_split = (ratio / whole - 1.0).abs() < 0.1;
    let guess = match (like_split, after < before) {
        (true, true) => format!(": a {whole} for 1 split without its action?"),
        (true, false) => format!(": a 1 for {whole} split without its action?"),
        _ => String::new(),
    };
    format!("{before} to {after}{guess}")
}

fn day_name(date: i32) -> &'static str {
    const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    NAMES[weekday(date) as usize % 7]
}

/// The fewest positions whose removal leaves the keys in order: all but a longest non-descending subsequence.
fn misplaced(keys: &[i64]) -> Vec<usize> {
    // tails[k] is the position of the least key that ends an ordered run of k + 1 keys.
    let mut tails: Vec<usize> = Vec::new();
    let mut before = vec![usize::MAX; keys.len()];
    for (i, key) in keys.iter().enumerate() {
        let k = tails.partition_point(|&at| keys[at] <= *key);
        if k > 0 {
            before[i] = tails[k - 1];
        }
        if k == tails.len() { tails.push(i) } else { tails[k] = i }
    }
    let mut in_order = vec![false; keys.len()];
    let mut at = tails.last().copied().unwrap_or(usize::MAX);
    while at != usize::MAX {
        in_order[at] = true;
        at = before[at];
    }
    (0..keys.len()).filter(|&i| !in_order[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_rows_are_called_misplaced() {
        assert_eq!(misplaced(&[1, 2, 6, 4, 5, 3, 7]), [2, 5]);
        assert_eq!(misplaced(&[5, 1, 2, 3]), [0]);
        assert_eq!(misplaced(&[1, 2, 2, 3]), [0usize; 0]);
    }

    #[test]
    fn jumps_name_the_split_they_look_like() {
        assert_eq!(jump_text(280.0, 70.5), "280 to 70.5: a 4 for 1 split without its action?");
        assert_eq!(jump_text(2.0, 20.0), "2 to 20: a 1 for 10 split without its action?");
        assert_eq!(jump_text(100.0, 68.0), "100 to 68");
    }
}
