//! `Portfolio.from_orders`: one order for each size that is given.

use sandtable_core::engine::{Desk, Order, Size};
use serde_json::Value;

use super::inputs::{Account, Argument, Inputs};
use super::{place, take_back, units_or_all};
use crate::oracle::Verdict;

/// The call as a strategy.
pub struct Orders<'a> {
    inputs: &'a Inputs,
    account: &'a Account,
    size: Argument,
    size_type: String,
    direction: String,
    allow_partial: bool,
}

impl<'a> Orders<'a> {
    /// Reads the call's arguments.
    pub fn new(call: &Value, inputs: &'a Inputs, account: &'a Account) -> Result<Orders<'a>, Verdict> {
        let word = |key: &str, default: &str| call[key].as_str().unwrap_or(default).to_lowercase();
        Ok(Orders {
            inputs,
            account,
            size: inputs.argument(call, "size", account, f64::INFINITY)?,
            size_type: word("size_type", "amount"),
            direction: word("direction", "both"),
            allow_partial: call["allow_partial"] != false,
        })
    }

    /// Places the orders of a bar.
    pub fn next(&mut self, desk: &mut Desk<'_>) {
        take_back(desk, self.account);
        let bar = self.inputs.bar_of(desk.time());
        for symbol in 0..self.account.columns.len() {
            let size = self.size.at(symbol, bar);
            if size.is_nan() {
                continue;
            }
            if let Some(size) = self.order_size(size, desk.position(symbol)) {
                // All that can be sold short comes on top of what is held.
                let reverses = matches!(size, Size::BuyingPower(part) if part < 0.0);
                place(desk, self.inputs, Order { reverses, ..Order::market(symbol, size) });
            }
        }
    }

    fn order_size(&self, size: f64, held: f64) -> Option<Size> {
        let short = self.direction == "shortonly";
        // Sizes of a short account count units sold.
        let signed = if short { -size } else { size };
        let against = match &*self.direction {
            "longonly" => signed < 0.0,
            "shortonly" => signed > 0.0,
            _ => false,
        };
        // What goes against the only direction is cut to the position.
        let cut = |units: f64| {
            let most = held.abs();
            if units.abs() > most && units.is_finite() && !self.allow_partial {
                None
            } else {
                Some(units.abs().min(most) * units.signum())
            }
        };
        match &*self.size_type {
            "amount" if against => cut(signed).filter(|&units| units != 0.0).map(Size::Shares),
            "amount" => Some(units_or_all(signed)),
            "value" if signed.is_infinite() => Some(units_or_all(signed)),
            "value" => Some(Size::Value(signed)),
            "percent" if signed < 0.0 && held > 0.0 || signed > 0.0 && held < 0.0 && short => {
                Some(Size::Shares(signed * held.abs()))
            }
            "percent" => Some(Size::BuyingPower(signed)),
            "targetamount" => Some(Size::TargetShares(signed)),
            "targetvalue" => Some(Size::TargetValue(signed)),
            _ => Some(Size::TargetPercent(signed)),
        }
    }
}
