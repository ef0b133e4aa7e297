//! What a fill costs: slippage, spread, commissions, whole lots, and what cash can pay.

use crate::plan::{Costs, Settings, SpreadOn};

/// A quantity within this distance of a whole number of lots counts as whole, so that 99.99999999 is not cut to 99.
const LOT_SNAP: f64 = 1e-4;

/// Price paid (`buys`) or received for one unit when the market's price is `base`.
pub fn fill_price(costs: &Costs, base: f64, buys: bool, opens: bool) -> f64 {
    let spread = if costs.spread_on == SpreadOn::Both || opens { costs.spread * 0.5 } else { 0.0 };
    let worse = spread + costs.slippage_bps * 1e-4;
    if buys { base * (1.0 + worse) } else { base * (1.0 - worse) }
}

/// Commission of one fill.
pub fn commission(costs: &Costs, quantity: f64, price: f64) -> f64 {
    let units = quantity.abs();
    let by_share = (costs.per_share * units).max(costs.per_share_minimum);
    by_share + costs.per_trade + costs.bps * 1e-4 * units * price
}

/// Whole lots, cut toward zero; the quantity itself where fractions are allowed.
pub fn whole_lots(settings: &Settings, quantity: f64) -> f64 {
    if settings.fractional {
        return quantity;
    }
    let lots = quantity / settings.lot;
    let nearest = lots.round();
    let snap = if settings.lot_snap { LOT_SNAP } else { 0.0 };
    let whole = if (lots - nearest).abs() < snap { nearest } else { lots.trunc() };
    whole * settings.lot
}

/// What one unit costs altogether when costs are counted into the size: price, share commission and value commission.
pub fn unit_cost(costs: &Costs, price: f64) -> f64 {
    price + price * (costs.bps * 1e-4) + costs.per_share
}

/// The largest quantity, at most `wanted`, that `cash` pays for at `price`, commissions included; 0 if none.
pub fn affordable(settings: &Settings, wanted: f64, price: f64, cash: f64) -> f64 {
    let costs = &settings.costs;
    let total = |quantity: f64| quantity * price + commission(costs, quantity, price);
    if total(wanted) <= cash {
        return wanted;
    }
    let left = cash - costs.per_trade;
    let per_value = price * (1.0 + costs.bps * 1e-4);
    // Either the share commission or its minimum binds; the smaller answer is payable under both.
    let by_share = left / (per_value + costs.per_share);
    let by_minimum = (left - costs.per_share_minimum) / per_value;
    let mut quantity = by_share.min(by_minimum).min(wanted);
    if !settings.fractional {
        quantity = (quantity / settings.lot).floor() * settings.lot;
    }
    // The division may round up by a last bit: step down until cash really pays.
    for _ in 0..16 {
        if quantity.is_nan() || quantity <= 0.0 {
            return 0.0;
        }
        if total(quantity) <= cash {
            return quantity;
        }
        quantity = if settings.fractional { quantity.next_down() } else { quantity - settings.lot };
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(costs: Costs, fractional: bool) -> Settings {
        Settings { costs, fractional, ..Settings::default() }
    }

    #[test]
    fn prices_are_worse_by_half_the_spread_and_the_slippage() {
        let costs = Costs { spread: 0.002, slippage_bps: 5.0, ..Costs::default() };
        assert_eq!(fill_price(&costs, 100.0, true, true), 100.0 * 1.0015);
        assert_eq!(fill_price(&costs, 100.0, false, true), 100.0 * 0.9985);
        let entry_only = Costs { spread_on: SpreadOn::Entry, ..costs };
        assert_eq!(fill_price(&entry_only, 100.0, false, false), 100.0 * 0.9995);
    }

    #[test]
    fn commissions_add_up_and_the_share_minimum_holds() {
        let costs = Costs { per_share: 0.01, per_share_minimum: 1.0, per_trade: 2.0, bps: 10.0, ..Costs::default() };
        assert_eq!(commission(&costs, -10.0, 50.0), 1.0 + 2.0 + 0.5);
        assert_eq!(commission(&costs, 1000.0, 50.0), 10.0 + 2.0 + 50.0);
    }

    #[test]
    fn whole_lots_are_cut_toward_zero_after_snapping() {
        let s = Settings { lot: 10.0, ..settings(Costs::default(), false) };
        assert_eq!(whole_lots(&s, 99.0), 90.0);
        assert_eq!(whole_lots(&s, -99.0), -90.0);
        assert_eq!(whole_lots(&s, 99.999_99), 100.0);
        assert_eq!(whole_lots(&settings(Costs::default(), true), 1.25), 1.25);
    }

    #[test]
    fn what_is_affordable_is_paid_and_nearly_all_of_the_cash() {
        for (per_share, minimum, per_trade, bps) in
            [(0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 10.0), (0.01, 1.0, 2.0, 7.0), (0.5, 0.0, 0.0, 0.0)]
        {
            let costs = Costs { per_share, per_share_minimum: minimum, per_trade, bps, ..Costs::default() };
            for fractional in [true, false] {
                let s = settings(costs, fractional);
                for price in [0.0003, 0.7, 13.37, 150.1, 99_999.0] {
                    let cash = 10_000.0;
                    let quantity = affordable(&s, 1e12, price, cash);
                    let paid = quantity * price + commission(&costs, quantity, price);
                    assert!(paid <= cash || quantity == 0.0, "{paid} for {price} {costs:?}");
                    if fractional {
                        assert!(paid > cash * (1.0 - 1e-12), "{paid} of {cash} at {price} {costs:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_is_affordable_without_cash() {
        let s = settings(Costs { per_trade: 5.0, ..Costs::default() }, true);
        assert_eq!(affordable(&s, 10.0, 100.0, 3.0), 0.0);
        assert_eq!(affordable(&s, 10.0, 100.0, -50.0), 0.0);
    }
}
