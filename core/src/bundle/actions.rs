//! Corporate actions: splits and cash dividends, as facts; applying them is the simulator's business.

use serde::{Deserialize, Serialize};

use crate::calendar::format_date;
use crate::error::{Error, Result};

/// What happened to one symbol's shares on one ex-date: a split, a cash dividend, or both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The symbol.
    pub symbol: String,
    /// First session that trades without the right (days since 1970-01-01).
    pub ex_date: i32,
    /// Day on which a dividend is paid, if known (days since 1970-01-01).
    pub pay_date: Option<i32>,
    /// New shares per old share: 4 for a 4-for-1 split, 0.1 for a 1-for-10 reverse split, 1 for none.
    pub split_ratio: f64,
    /// Cash per share as traded before the ex-date, in the currency of the prices; 0 for none.
    pub cash_dividend: f64,
}

/// Checks a table of actions: sorted by (symbol, ex-date), ratios positive, dividends finite and not negative.
///
/// # Errors
/// A sentence about the first row that is wrong.
pub fn check_actions(actions: &[Action]) -> Result<()> {
    for action in actions {
        let what = || format!("action of {} on {}", action.symbol, format_date(action.ex_date));
        if !(action.split_ratio.is_finite() && action.split_ratio > 0.0) {
            return Err(Error::data(format!(
                "{}: the split ratio is {}; expected new shares per old share, above 0",
                what(),
                action.split_ratio
            )));
        }
        if !(action.cash_dividend.is_finite() && action.cash_dividend >= 0.0) {
            return Err(Error::data(format!(
                "{}: the cash dividend is {}; expected an amount per share, 0 or more",
                what(),
                action.cash_dividend
            )));
        }
    }
    let key = |a: &Action| (a.symbol.clone(), a.ex_date);
    match actions.windows(2).find(|pair| key(&pair[0]) > key(&pair[1])) {
        Some(pair) => Err(Error::data(format!(
            "actions are not sorted: {} {} comes after {} {}",
            pair[1].symbol,
            format_date(pair[1].ex_date),
            pair[0].symbol,
            format_date(pair[0].ex_date)
        ))),
        None => Ok(()),
    }
}
