//! Numbers as people read them.

use sandtable_core::metrics::Unit;

/// What stands for a metric that its data do not define.
pub const NULL: &str = "–";

/// A metric's value: percentages with two decimals, ratios with three, money with two and thousands separated,
/// counts and durations whole where they are whole; [`NULL`] for a null.
pub fn metric(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return NULL.to_string();
    }
    match unit {
        Unit::Ratio => fixed(value, 3),
        Unit::Percent => fixed(value * 100.0, 2) + "%",
        Unit::Money => fixed(value, 2),
        Unit::Bars | Unit::Sessions | Unit::Days | Unit::Count => {
            fixed(value, if value.fract() == 0.0 { 0 } else { 1 })
        }
    }
}

/// A parameter's value: as short as it can be, up to six decimals.
pub fn parameter(value: f64) -> String {
    if !value.is_finite() {
        return NULL.to_string();
    }
    let text = format!("{value:.6}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    match short {
        // Too small or too large for a fixed point.
        "0" | "-0" if value != 0.0 => format!("{value:e}"),
        _ if short.len() > 15 => format!("{value:e}"),
        "-0" => "0".to_string(),
        _ => short.to_string(),
    }
}

/// A price: at least two decimals and about seven significant digits.
pub fn price(value: f64) -> String {
    significant(value, 7, 2)
}

/// A number of units, or any number whose size is not known: about seven significant digits.
pub fn units(value: f64) -> String {
    significant(value, 7, 0)
}

/// A number that is an aside: three significant digits.
pub fn short(value: f64) -> String {
    significant(value, 3, 0)
}

/// So many significant digits, without zeros at the end beyond the least number of decimals.
fn significant(value: f64, digits: i32, least: usize) -> String {
    if !value.is_finite() {
        return NULL.to_string();
    }
    if value != 0.0 && value.abs() < 1e-6 {
        return format!("{value:.3e}");
    }
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    let text = fixed(value, (digits - 1 - magnitude).clamp(least as i32, 12) as usize);
    let Some(point) = text.find('.').filter(|_| !text.contains('e')) else { return text };
    let kept = text.trim_end_matches('0').len().max(point + 1 + least);
    text[..kept].trim_end_matches('.').to_string()
}

/// Fixed decimals, thousands separated by commas, no negative zero; very large numbers in powers of ten.
fn fixed(value: f64, decimals: usize) -> String {
    if value.abs() >= 1e15 {
        return format!("{value:.3e}");
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::with_capacity(text.len() + whole.len() / 3 + 1);
    if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        grouped.push('-');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_has_its_decimals() {
        assert_eq!(metric(0.12345, Unit::Percent), "12.35%");
        assert_eq!(metric(-0.5, Unit::Ratio), "-0.500");
        assert_eq!(metric(1_234_567.891, Unit::Money), "1,234,567.89");
        assert_eq!(metric(-999.5, Unit::Money), "-999.50");
        assert_eq!(metric(12.0, Unit::Count), "12");
        assert_eq!(metric(12.25, Unit::Bars), "12.2");
        assert_eq!(metric(-1e-9, Unit::Ratio), "0.000");
        assert_eq!(metric(1e300, Unit::Ratio), "1.000e300");
        for undefined in [f64::NAN, f64::INFINITY] {
            assert_eq!(metric(undefined, Unit::Percent), "–");
        }
    }

    #[test]
    fn prices_and_units_have_the_digits_that_matter() {
        for (value, text) in [
            (100.5, "100.50"),
            (0.0, "0.00"),
            (1_234.567_891, "1,234.568"),
            (0.000_312_345_678, "0.0003123457"),
            (1e-9, "1.000e-9"),
            (12_345_678_901.0, "12,345,678,901.00"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(price(value), text);
        }
        for (value, text) in [(120.0, "120"), (-0.5, "-0.5"), (0.0, "0"), (1.0 / 3.0, "0.3333333")] {
            assert_eq!(units(value), text);
        }
    }

    #[test]
    fn parameters_are_short() {
        assert_eq!(parameter(20.0), "20");
        assert_eq!(parameter(0.05), "0.05");
        assert_eq!(parameter(0.1 + 0.2), "0.3");
        assert_eq!(parameter(-0.0), "0");
        assert_eq!(parameter(1e-9), "1e-9");
        assert_eq!(parameter(1e30), "1e30");
    }
}
