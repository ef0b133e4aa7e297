//! Returns by calendar month.

use crate::calendar::civil;

/// The return of one calendar month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MonthReturn {
    /// Year.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Equity at its last session ÷ equity at the last session before it (the initial cash at first) − 1.
    pub value: f64,
}

/// Returns by calendar month, in order; months without a session are left out. `equity` is at the end of each session,
/// `dates` are days since 1970-01-01.
pub fn monthly_returns(initial_cash: f64, equity: &[f64], dates: &[i32]) -> Vec<MonthReturn> {
    let mut months: Vec<MonthReturn> = Vec::new();
    let (mut before, mut last) = (initial_cash, initial_cash);
    for (&worth, &date) in equity.iter().zip(dates) {
        let (year, month, _) = civil(date);
        match months.last_mut() {
            Some(current) if (current.year, current.month) == (year, month) => current.value = worth / before - 1.0,
            _ => {
                before = last;
                months.push(MonthReturn { year, month, value: worth / before - 1.0 });
            }
        }
        last = worth;
    }
    months
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_date;

    #[test]
    fn months_chain_to_the_whole() {
        let dates: Vec<i32> =
            ["2020-01-30", "2020-01-31", "2020-03-02", "2020-03-31"].into_iter().filter_map(parse_date).collect();
        let months = monthly_returns(100.0, &[110.0, 120.0, 90.0, 150.0], &dates);
        assert_eq!(months.iter().map(|m| (m.year, m.month)).collect::<Vec<_>>(), [(2020, 1), (2020, 3)]);
        assert!((months[0].value - 0.2).abs() < 1e-15 && (months[1].value - 0.25).abs() < 1e-15);
        assert!(monthly_returns(100.0, &[], &[]).is_empty());
    }
}
