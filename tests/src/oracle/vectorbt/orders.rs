//! `Portfolio.from_orders`: one order for each size that is given.

use sandtable_core::bundle::Field;
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
            if let Some(size) = self.order_size(desk, symbol, size) {
                place(desk, self.inputs, Order::market(symbol, size));
            }
        }
    }

    fn order_size(&self, desk: &Desk<'_>, symbol: usize, size: f64) -> Option<Size> {
        let held = desk.position(symbol);
        let short = self.direction == "shortonly";
        // Sizes of a short account count units sold.
        let signed = if short { -size } else { size };
        let covers = short && signed > 0.0;
        let target = |x: f64| match &*self.direction {
            "longonly" => x.max(0.0),
            "shortonly" => x.min(0.0),
            _ => x,
        };
        if (covers || self.direction == "longonly" && signed < 0.0) && held == 0.0 && !self.size_type.contains("target")
        {
            return None;
        }
        // At a close that is seen, money is units.
        let price = desk.current(symbol, Field::Close).filter(|_| !self.inputs.at_open);
        // What goes against the only direction is cut to the position; sales of long ones the simulator cuts.
        let cut = |units: f64| {
            let beyond = units.is_finite() && units.abs() > held.abs();
            let against = covers || self.direction == "longonly" && units < 0.0;
            match against && beyond {
                true if !self.allow_partial => None,
                true if covers => Some(Size::Shares(-held)),
                _ => Some(units_or_all(units)),
            }
        };
        let whole = |units: f64| {
            let lots = units / desk.settings().lot;
            self.allow_partial || desk.settings().fractional || units.is_infinite() || lots == lots.trunc()
        };
        match &*self.size_type {
            "amount" if !whole(signed) => None,
            "amount" if covers && signed.is_infinite() => Some(Size::Close),
            "amount" => cut(signed),
            "value" => match price {
                _ if signed.is_infinite() => Some(units_or_all(signed)),
                Some(price) => cut(signed / price),
                None => Some(Size::Value(signed)),
            },
            "percent" if signed < 0.0 && self.direction == "longonly" => Some(Size::Shares(signed * held)),
            "percent" => match price {
                Some(price) if covers => {
                    let costs = &desk.settings().costs;
                    let paid = price * (1.0 + costs.slippage_bps * 1e-4) * (1.0 + costs.bps * 1e-4);
                    Some(Size::Shares(((signed.min(1.0) * desk.cash() - costs.per_trade) / paid).min(-held)))
                }
                _ => Some(Size::BuyingPower(signed.min(1.0))),
            },
            "targetamount" if !whole(target(signed) - held) => None,
            "targetamount" => Some(Size::TargetShares(target(signed))),
            "targetvalue" => Some(Size::TargetValue(target(signed))),
            _ => Some(Size::TargetPercent(target(signed))),
        }
    }
}
