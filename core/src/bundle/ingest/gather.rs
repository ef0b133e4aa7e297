//! Rows of all inputs by symbol, each value judged as it comes in.

use std::collections::{BTreeMap, BTreeSet};

use super::defects::{DefectReport, Done, Kind, Place};
use super::times::{Stamp, Zone, format_instant};
use crate::bundle::Field;
use crate::calendar::format_date;

/// One row that can be a bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    /// The instant, microseconds UTC.
    pub time: i64,
    /// The date as written.
    pub date: i32,
    /// Whether a time of day was written.
    pub timed: bool,
    /// Index of its file.
    pub file: u32,
    /// Its line there.
    pub line: u32,
    /// Open, high, low, close, volume.
    pub values: [f64; 5],
}

impl Row {
    /// The time as a person reads it.
    pub fn when(&self) -> String {
        if self.timed { format_instant(self.time) } else { format_date(self.date) }
    }
}

/// All rows of one symbol, in the order of the files.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    pub symbol: String,
    pub rows: Vec<Row>,
    /// Dates whose rows were dropped, so that they are not called missing too.
    pub dropped: BTreeSet<i32>,
}

/// Everything read so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Gather {
    pub files: Vec<String>,
    pub series: Vec<Series>,
    index: BTreeMap<String, usize>,
    /// Whether prices were scaled to total return.
    pub adjusted: bool,
}

/// A row before it is judged.
pub(super) struct Candidate<'a> {
    pub file: u32,
    pub line: u32,
    pub stamp: Stamp,
    pub values: [f64; 5],
    /// The values as the file writes them, if it is text.
    pub raw: &'a dyn Fn(Field) -> String,
}

impl Gather {
    /// The index of a new input.
    pub fn add_file(&mut self, name: &str) -> u32 {
        self.files.push(name.to_string());
        (self.files.len() - 1) as u32
    }

    /// The index of a symbol.
    pub fn symbol(&mut self, symbol: &str) -> usize {
        if let Some(&at) = self.index.get(symbol) {
            return at;
        }
        self.series.push(Series { symbol: symbol.to_string(), ..Series::default() });
        self.index.insert(symbol.to_string(), self.series.len() - 1);
        self.series.len() - 1
    }

    /// Whether rows of this symbol came.
    pub fn has(&self, symbol: &str) -> bool {
        self.index.contains_key(symbol)
    }

    /// Judges a row, and keeps it if it can be a bar. Says whether it was kept.
    pub fn push(&mut self, series: usize, candidate: Candidate<'_>, zone: Zone, report: &mut DefectReport) -> bool {
        let Candidate { file, line, stamp, mut values, raw } = candidate;
        let row =
            Row { time: stamp.instant(zone), date: stamp.date, timed: stamp.time_of_day.is_some(), file, line, values };
        for _ in 0..JUDGEMENTS {
            let Some(verdict) = judge(&values) else { break };
            let place = Place::file(&self.files[file as usize], line, raw(verdict.field))
                .symbol(&self.series[series].symbol)
                .column(verdict.column)
                .date(row.when());
            match (report.add(verdict.kind, place), verdict.repaired) {
                (Done::Repaired, Some(repaired)) => values = repaired,
                _ => {
                    self.series[series].dropped.insert(stamp.date);
                    return false;
                }
            }
        }
        self.series[series].rows.push(Row { values, ..row });
        true
    }
}

/// A row has at most this many repairs: missing volume, exchanged range, open and close outside.
const JUDGEMENTS: usize = 5;

/// What is wrong with a row's values.
struct Verdict {
    kind: Kind,
    /// The value to show.
    field: Field,
    column: &'static str,
    repaired: Option<[f64; 5]>,
}

/// Prices outside the range by at most this share are rounding or a late print, and widen the range.
const NEAR: f64 = 0.01;

fn judge(values: &[f64; 5]) -> Option<Verdict> {
    let wrong = |kind: Kind, field: Field| Some(Verdict { kind, field, column: field.name(), repaired: None });
    for (field, &value) in Field::ALL.into_iter().zip(values) {
        let price = field != Field::Volume;
        if value.is_nan() && price {
            return wrong(Kind::Nan, field);
        } else if value.is_infinite() {
            return wrong(Kind::Inf, field);
        } else if value < 0.0 {
            return wrong(if price { Kind::NegativePrice } else { Kind::NegativeVolume }, field);
        } else if value == 0.0 && price {
            return wrong(Kind::ZeroPrice, field);
        }
    }
    let [open, high, low, close, volume] = *values;
    if volume.is_nan() {
        let repaired = Some([open, high, low, close, 0.0]);
        return Some(Verdict { kind: Kind::MissingVolume, field: Field::Volume, column: "volume", repaired });
    }
    if high < low {
        let fits = high <= open.min(close) && low >= open.max(close);
        let kind = if fits { Kind::HighBelowLow } else { Kind::HighBelowLowHopeless };
        let repaired = fits.then_some([open, low, high, close, volume]);
        return Some(Verdict { kind, field: Field::High, column: "high,low", repaired });
    }
    let outside = |price: f64| (low - price).max(price - high).max(0.0) / price;
    let widened = |price: f64| [open, high.max(price), low.min(price), close, volume];
    let range = |field: Field, price: f64, near: Kind, far: Kind| {
        let kind = if outside(price) <= NEAR { near } else { far };
        Some(Verdict { kind, field, column: field.name(), repaired: (kind == near).then(|| widened(price)) })
    };
    if outside(close) > 0.0 {
        return range(Field::Close, close, Kind::CloseOutsideRange, Kind::CloseFarOutside);
    }
    if outside(open) > 0.0 {
        return range(Field::Open, open, Kind::OpenOutsideRange, Kind::OpenFarOutside);
    }
    None
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn verdicts() {
        let nan = f64::NAN;
        type Expected = Option<(Kind, Option<[f64; 5]>)>;
        let cases: [([f64; 5], Expected); 13] = [
            ([10.0, 12.0, 9.0, 11.0, 5.0], None),
            ([10.0, 10.0, 10.0, 10.0, 0.0], None),
            ([10.0, 12.0, 9.0, nan, 5.0], Some((Kind::Nan, None))),
            ([10.0, f64::INFINITY, 9.0, 11.0, 5.0], Some((Kind::Inf, None))),
            ([10.0, 12.0, -9.0, 11.0, 5.0], Some((Kind::NegativePrice, None))),
            ([0.0, 12.0, 9.0, 11.0, 5.0], Some((Kind::ZeroPrice, None))),
            ([10.0, 12.0, 9.0, 11.0, -5.0], Some((Kind::NegativeVolume, None))),
            ([10.0, 12.0, 9.0, 11.0, nan], Some((Kind::MissingVolume, Some([10.0, 12.0, 9.0, 11.0, 0.0])))),
            ([10.0, 9.0, 12.0, 11.0, 5.0], Some((Kind::HighBelowLow, Some([10.0, 12.0, 9.0, 11.0, 5.0])))),
            ([10.0, 9.0, 10.5, 11.0, 5.0], Some((Kind::HighBelowLowHopeless, None))),
            ([10.0, 12.0, 9.0, 12.1, 5.0], Some((Kind::CloseOutsideRange, Some([10.0, 12.1, 9.0, 12.1, 5.0])))),
            ([10.0, 12.0, 9.0, 13.0, 5.0], Some((Kind::CloseFarOutside, None))),
            ([8.95, 12.0, 9.0, 11.0, 5.0], Some((Kind::OpenOutsideRange, Some([8.95, 12.0, 8.95, 11.0, 5.0])))),
        ];
        for (values, expected) in cases {
            let found = judge(&values).map(|verdict| (verdict.kind, verdict.repaired));
            assert_eq!(found, expected, "{values:?}");
        }
        assert_eq!(judge(&[5.0, 12.0, 9.0, 11.0, 5.0]).unwrap().kind, Kind::OpenFarOutside);
    }
}
