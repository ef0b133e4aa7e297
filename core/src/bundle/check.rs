//! What bars must satisfy, whoever made them: the reader checks decoded bytes with it, the writer its draft.

use super::{Bars, Field};
use crate::calendar::{DAY_MICROS, format_date, utc_date};
use crate::error::{Error, Result};

/// Timestamps outside these years are taken for a mistake of unit: 1600-01-01 to 2400-01-01.
const TIME_RANGE: std::ops::Range<i64> = -135_140 * DAY_MICROS..157_054 * DAY_MICROS;

/// Longest symbol in bytes.
pub const SYMBOL_BYTES: usize = 64;

/// Checks one symbol's bars: columns of equal length (those of `fields`), time strictly ascending, sessions not
/// descending, prices finite and above 0, high and low around open and close, volume finite and not negative.
///
/// # Errors
/// A sentence that names the first bar that breaks a rule and what it holds.
pub fn check_bars(symbol: &str, bars: &Bars, fields: &[Field]) -> Result<()> {
    let rows = bars.len();
    let uneven = bars.session.len() != rows || fields.iter().any(|&field| bars.field(field).len() != rows);
    if uneven {
        return Err(Error::data(format!("{symbol}: columns differ in length; expected {rows} values in each")));
    }
    if let Some(i) = (0..rows).find(|&i| !TIME_RANGE.contains(&bars.time[i])) {
        return Err(Error::data(format!(
            "{symbol}: bar {i} has the timestamp {} µs since 1970, outside the years 1600 to 2400",
            bars.time[i]
        )));
    }
    if let Some(i) = (1..rows).find(|&i| bars.time[i] <= bars.time[i - 1] || bars.session[i] < bars.session[i - 1]) {
        return Err(Error::data(format!(
            "{symbol}: bar {i} of {} does not come after the bar of {} before it",
            format_date(utc_date(bars.time[i])),
            format_date(utc_date(bars.time[i - 1]))
        )));
    }
    for &field in fields {
        let good = |x: f64| if field == Field::Volume { x >= 0.0 } else { x > 0.0 };
        if let Some(i) = bars.field(field).iter().position(|&x| !(x.is_finite() && good(x))) {
            return Err(Error::data(format!(
                "{symbol}: {} of {} is {}; expected a finite number {}",
                field.name(),
                format_date(bars.session[i]),
                bars.field(field)[i],
                if field == Field::Volume { "of at least 0" } else { "above 0" }
            )));
        }
    }
    check_order(symbol, bars, fields)
}

/// Checks low ≤ open, close ≤ high for the pairs of columns that are present.
fn check_order(symbol: &str, bars: &Bars, fields: &[Field]) -> Result<()> {
    let pairs = [
        (Field::Low, Field::Open),
        (Field::Low, Field::Close),
        (Field::Low, Field::High),
        (Field::Open, Field::High),
        (Field::Close, Field::High),
    ];
    for (below, above) in pairs {
        if !fields.contains(&below) || !fields.contains(&above) {
            continue;
        }
        let (small, large) = (bars.field(below), bars.field(above));
        if let Some(i) = small.iter().zip(large).position(|(a, b)| a > b) {
            return Err(Error::data(format!(
                "{symbol}: on {} {} is {}, above {} {}",
                format_date(bars.session[i]),
                below.name(),
                small[i],
                above.name(),
                large[i]
            )));
        }
    }
    Ok(())
}

/// Checks a symbol's name: 1 to [`SYMBOL_BYTES`] bytes, printable, no space at either end.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn check_symbol(symbol: &str) -> Result<()> {
    let wrong = if symbol.is_empty() {
        "is empty"
    } else if symbol.len() > SYMBOL_BYTES {
        "is longer than 64 bytes"
    } else if symbol.chars().any(char::is_control) {
        "holds a control character"
    } else if symbol.trim() != symbol {
        "begins or ends with a space"
    } else {
        return Ok(());
    };
    let shown: String = symbol.chars().take(SYMBOL_BYTES).collect();
    Err(Error::data(format!("symbol {shown:?} {wrong}")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    fn bars() -> Bars {
        let mut bars = Bars::default();
        for day in 0..5 {
            bars.push(i64::from(day) * DAY_MICROS, day, [10.0, 12.0, 9.0, 11.0, 5.0]);
        }
        bars
    }

    #[test]
    fn every_rule_has_its_sentence() {
        assert_eq!(check_bars("A", &bars(), &Field::ALL), Ok(()));
        type Spoil = fn(&mut Bars);
        let cases: [(Spoil, &str); 10] = [
            (|b| b.close[2] = f64::NAN, "close of 1970-01-03 is NaN"),
            (|b| b.open[2] = 0.0, "open of 1970-01-03 is 0"),
            (|b| b.low[2] = -1.0, "low of 1970-01-03 is -1"),
            (|b| b.high[2] = f64::INFINITY, "high of 1970-01-03 is inf"),
            (|b| b.volume[1] = -1.0, "volume of 1970-01-02 is -1"),
            (|b| b.high[3] = 10.5, "close is 11, above high 10.5"),
            (|b| b.low[3] = 10.5, "low is 10.5, above open 10"),
            (|b| b.time[3] = b.time[2], "bar 3 of 1970-01-03 does not come after"),
            (|b| b.time[0] = i64::MIN, "outside the years"),
            (|b| b.volume.truncate(4), "columns differ in length"),
        ];
        for (spoil, expected) in cases {
            let mut bad = bars();
            spoil(&mut bad);
            let message = check_bars("A", &bad, &Field::ALL).unwrap_err().to_string();
            assert!(message.contains(expected), "{message} should contain {expected}");
        }
    }

    #[test]
    fn symbols() {
        assert!(check_symbol("BRK.B").is_ok() && check_symbol("EUR/USD").is_ok());
        for bad in ["", " A", "A\n", &"X".repeat(65)] {
            assert!(check_symbol(bad).is_err(), "{bad:?}");
        }
    }
}
