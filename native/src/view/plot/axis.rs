//! Axes with ticks where a reader expects them: at cells, at round amounts, at the turn of years and months.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use sandtable_core::calendar;

/// `count` cells side by side; cell `i` reaches from `i` to `i + 1`, ticks stand at middles.
pub(super) struct Cells(pub(super) usize);

impl Ranged for Cells {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        linear(value / self.0.max(1) as f64, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let step = self.0.div_ceil(hint.max_num_points().max(1)).max(1);
        (0..self.0).step_by(step).map(|i| i as f64 + 0.5).collect()
    }

    fn range(&self) -> Range<f64> {
        0.0..self.0 as f64
    }
}

/// Amounts between two bounds; logarithmic if asked and both are positive.
#[derive(Clone, Copy)]
pub(super) struct Amounts {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Amounts {
    /// An axis around the values, widened by a small margin, never empty.
    pub(super) fn around(values: impl Iterator<Item = f64>, logarithmic: bool) -> Self {
        let range = |(low, high): (f64, f64), v: f64| (low.min(v), high.max(v));
        let (low, high) = values.filter(|v| v.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), range);
        if low > high {
            return Amounts { low: 0.0, high: 1.0, logarithmic: false };
        }
        if logarithmic && low > 0.0 {
            let margin = (high / low).powf(0.03).max(1.001);
            return Amounts { low: low / margin, high: high * margin, logarithmic: true };
        }
        let margin = ((high - low) * 0.03).max((high.abs() + low.abs()) * 1e-6).max(1e-9);
        Amounts { low: low - margin, high: high + margin, logarithmic: false }
    }

    /// From one bound to the other, without a margin; a little wider if they are the same.
    pub(super) fn exactly(low: f64, high: f64) -> Self {
        if high > low { Amounts { low, high, logarithmic: false } } else { Self::around([low].into_iter(), false) }
    }

    /// From a depth below zero to zero.
    pub(super) fn depth(deepest: f64) -> Self {
        Amounts { low: deepest.min(-0.001) * 1.08, high: 0.0, logarithmic: false }
    }
}

impl Ranged for Amounts {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = if self.logarithmic {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        linear(share, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let most = hint.max_num_points().clamp(2, 20);
        let decades = (self.high / self.low).log10();
        if self.logarithmic && decades > 0.7 {
            return round_multiples(self.low, self.high, most);
        }
        let raw = (self.high - self.low) / most as f64;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|&s| s >= raw).unwrap_or(raw);
        let first = (self.low / step).ceil();
        // The bound is for a range so narrow that steps vanish in rounding.
        (0..=most + 1).map(|i| (first + i as f64) * step).take_while(|&v| v <= self.high).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

/// 1, 2 and 5 times powers of ten (only powers, if that is too many) between two positive bounds.
fn round_multiples(low: f64, high: f64, most: usize) -> Vec<f64> {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let multiples: &[f64] = if powers.clone().count() * 3 <= most * 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let stride = powers.clone().count().div_ceil(most * 2).max(1);
    powers
        .step_by(stride)
        .flat_map(|power| multiples.iter().map(move |m| m * 10f64.powi(power)))
        .filter(|v| (low..=high).contains(v))
        .collect()
}

/// Dates as days since 1970-01-01.
#[derive(Clone, Copy)]
pub(super) struct Dates {
    first: i32,
    last: i32,
}

impl Dates {
    /// An axis over sorted dates, never empty.
    pub(super) fn over(dates: &[i32]) -> Self {
        let first = dates.first().copied().unwrap_or(0);
        Dates { first, last: dates.last().copied().unwrap_or(0).max(first.saturating_add(1)) }
    }

    fn days(&self) -> i64 {
        i64::from(self.last) - i64::from(self.first)
    }

    /// A tick's label: as precise as the distance of ticks.
    pub(super) fn label(&self, date: i32) -> String {
        let text = calendar::format_date(date);
        match self.days() {
            ..150 => text,
            150..1200 => text.get(..text.len().saturating_sub(3)).unwrap_or_default().to_string(),
            _ => text.get(..text.len().saturating_sub(6)).unwrap_or_default().to_string(),
        }
    }

    /// First days of every `step`-th month.
    fn months(&self, step: i32) -> Vec<i32> {
        let (year, month, _) = calendar::civil(self.first);
        let start = (year * 12 + month as i32 - 1).div_euclid(step) * step;
        let turn = |k: i32| {
            let month = start + k * step;
            calendar::date_of(month.div_euclid(12), month.rem_euclid(12) as u32 + 1, 1)
        };
        (0..=60).map_while(turn).filter(|date| (self.first..=self.last).contains(date)).collect()
    }
}

impl Ranged for Dates {
    type FormatOption = DefaultFormatting;
    type ValueType = i32;

    fn map(&self, date: &i32, limit: (i32, i32)) -> i32 {
        linear((i64::from(*date) - i64::from(self.first)) as f64 / self.days() as f64, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<i32> {
        let most = hint.max_num_points().clamp(2, 50) as i64;
        if self.days() < 150 {
            let step = [1, 7, 14, 28].into_iter().find(|step| self.days() / step < most).unwrap_or(28);
            // Weekly ticks fall on Mondays.
            let offset = if step == 1 { 0 } else { (7 - calendar::weekday(self.first) as usize) % 7 };
            return (self.first..=self.last).skip(offset).step_by(step as usize).collect();
        }
        let whole_years = self.days() >= 1200;
        let steps = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600].into_iter().filter(|step| !whole_years || *step >= 12);
        let mut fitting = steps.filter(|step| self.days() / (i64::from(*step) * 30) < most);
        self.months(fitting.next().unwrap_or(1200))
    }

    fn range(&self) -> Range<i32> {
        self.first..self.last
    }
}

fn linear(share: f64, (from, to): (i32, i32)) -> i32 {
    from + (f64::from(to - from) * share.clamp(-1.0, 2.0)).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks<T: Ranged>(axis: &T, most: usize) -> Vec<T::ValueType> {
        axis.key_points(plotters::coord::ranged1d::BoldPoints(most))
    }

    #[test]
    fn cells_have_ticks_in_their_middles() {
        assert_eq!(ticks(&Cells(3), 10), [0.5, 1.5, 2.5]);
        assert_eq!(ticks(&Cells(100), 10).len(), 10);
        assert_eq!(Cells(4).map(&2.0, (100, 200)), 150);
    }

    #[test]
    fn amounts_have_round_ticks() {
        assert_eq!(ticks(&Amounts::around([0.0, 100.0].into_iter(), false), 6), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks(&Amounts::around([90.0, 1100.0].into_iter(), true), 8), [100.0, 200.0, 500.0, 1000.0]);
        for value in [0.0, 1.0, -3.0, 1e12, 1e-12] {
            let axis = Amounts::around([value].into_iter(), true);
            assert!(axis.high > axis.low && ticks(&axis, 8).len() <= 12, "{value}");
        }
        assert!(!Amounts::around([-5.0, 10.0].into_iter(), true).logarithmic);
        assert!(ticks(&Amounts::around([1e-3, 1e15].into_iter(), true), 6).len() <= 12);
    }

    #[test]
    fn dates_have_ticks_at_turns_and_labels_to_match() {
        let day = |y, m, d| calendar::date_of(y, m, d).unwrap_or_default();
        let axis = Dates::over(&[day(2000, 1, 3), day(2020, 10, 5)]);
        let labels = |axis: &Dates, most| ticks(axis, most).iter().map(|&d| axis.label(d)).collect::<Vec<_>>();
        assert_eq!(labels(&axis, 12)[..3], ["2002", "2004", "2006"]);
        let axis = Dates::over(&[day(2019, 1, 2), day(2019, 12, 31)]);
        assert_eq!(labels(&axis, 8)[..2], ["2019-03", "2019-05"]);
        let axis = Dates::over(&[day(2019, 1, 2), day(2019, 2, 1)]);
        assert_eq!(labels(&axis, 8)[..2], ["2019-01-07", "2019-01-14"]);
        assert!(ticks(&Dates::over(&[0]), 8).len() <= 2);
        assert!(ticks(&Dates::over(&[i32::MIN, i32::MAX]), 8).len() <= 61, "no endless loop");
    }
}
