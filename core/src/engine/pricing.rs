//! What a fill costs: slippage, spread, impact, commissions, whole lots, and what cash can pay.

use super::number::Number;
use crate::plan::{Costs, Settings, SpreadOn, Tier, TiersBy};

/// A quantity within this distance of a whole number of lots counts as whole, so that 99.99999999 is not cut to 99.
const LOT_SNAP: f64 = 1e-4;

/// Basis points as a fraction.
fn bps<N: Number>(points: f64) -> N {
    N::of(points) * N::of(1e-4)
}

/// Price paid (`buys`) or received for one unit when the market's price is `base`, market impact aside.
#[inline]
pub fn fill_price<N: Number>(costs: &Costs, base: N, buys: bool, opens: bool) -> N {
    let (one, half) = (N::of(1.0), N::of(0.5));
    let pays = costs.spread_on == SpreadOn::Both || opens;
    let spread = if pays { N::of(costs.spread) * half } else { N::ZERO };
    let amount = if pays { N::of(costs.spread_amount) * half } else { N::ZERO };
    let worse = spread + bps(costs.slippage_bps);
    if buys { base * (one + worse) + amount } else { base * (one - worse) - amount }
}

/// What the market was like before a bar, for its impact on a fill there.
#[derive(Clone, Copy, Debug)]
pub struct Liquidity {
    /// Units traded in the bar.
    pub volume: f64,
    /// Standard deviation of the returns of the 20 bars before; NaN if there are fewer.
    pub sigma: f64,
    /// Mean volume of the 20 bars before; NaN if there are fewer.
    pub adv: f64,
}

/// The price after market impact: `price × (1 ± volume_impact × share² ± sqrt_impact × sigma × √(units / ADV))`.
///
/// `units` is what the fill trades, `before` what the account traded in this bar already: the share is that of both,
/// at most the volume limit. The second term is the square-root law (Almgren et al. 2005, "Direct Estimation of Equity
/// Market Impact"); it is left out where the bars before do not define it.
pub fn impacted<N: Number>(settings: &Settings, price: N, buys: bool, units: N, before: N, market: Liquidity) -> N {
    let costs = &settings.costs;
    let mut worse = N::ZERO;
    if costs.volume_impact > 0.0 && market.volume > 0.0 {
        let mut share = (before + units.abs()) / N::of(market.volume);
        if settings.volume_limit > 0.0 {
            share = share.min(N::of(settings.volume_limit));
        }
        worse = worse + N::of(costs.volume_impact) * share * share;
    }
    if costs.sqrt_impact > 0.0 && market.sigma.is_finite() && market.adv > 0.0 {
        let part = (units.abs() / N::of(market.adv)).sqrt();
        worse = worse + N::of(costs.sqrt_impact) * N::of(market.sigma) * part;
    }
    let one = N::of(1.0);
    if buys { price * (one + worse) } else { price * (one - worse) }
}

/// Commission of a whole order that fills at once, tiers and the maker's or taker's part aside.
#[cfg(test)]
pub fn commission<N: Number>(costs: &Costs, quantity: N, price: N) -> N {
    let units = quantity.abs();
    let by_share = (N::of(costs.per_share) * units).max(N::of(costs.per_share_minimum));
    by_share + N::of(costs.per_trade) + bps::<N>(costs.bps) * units * price
}

/// What an order was charged so far, and how its next fill is charged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Charge<N> {
    /// Units filled so far.
    pub units: N,
    /// Commission by share so far.
    pub by_share: N,
    /// Whether the next fill waited for its price as a limit order.
    pub maker: bool,
    /// Units that the account traded in this month.
    pub month: N,
}

impl<N: Number> Charge<N> {
    /// Commission of a fill of `quantity` at `price`: a minimum and a fee per trade are charged once over an order's
    /// life. What is charged is never negative, even if a split left less to charge than was charged before.
    pub fn commission(&self, costs: &Costs, quantity: N, price: N) -> N {
        let units = quantity.abs();
        let by_share = self.by_share(costs, quantity) - self.by_share;
        let per_trade = if self.units == N::ZERO { N::of(costs.per_trade) } else { N::ZERO };
        let value = bps::<N>(costs.bps) * units * price;
        let mut total = by_share.max(N::ZERO) + per_trade + value;
        let side = if self.maker { costs.maker_bps } else { costs.taker_bps };
        if side > 0.0 {
            total = total + bps::<N>(side) * units * price;
        }
        if let Some(tier) = self.tier(costs, units * price) {
            let sum = N::of(tier.per_share) * units + N::of(tier.per_trade) + bps::<N>(tier.bps) * units * price;
            total = total + sum.max(N::of(tier.minimum));
        }
        total
    }

    /// Commission by share of the whole order once `quantity` more is filled.
    pub fn by_share(&self, costs: &Costs, quantity: N) -> N {
        (N::of(costs.per_share) * (self.units + quantity.abs())).max(N::of(costs.per_share_minimum))
    }

    fn tier(&self, costs: &Costs, value: N) -> Option<Tier> {
        let tiers = costs.tiers.as_slice();
        let traded = if costs.tiers_by == TiersBy::MonthVolume { self.month } else { value };
        tiers.iter().rev().find(|tier| N::of(tier.from) <= traded).copied()
    }
}

/// Whole lots, cut toward zero; the quantity itself where fractions are allowed.
pub fn whole_lots<N: Number>(settings: &Settings, quantity: N) -> N {
    if settings.fractional {
        return quantity;
    }
    let lot = N::of(settings.lot);
    let lots = quantity / lot;
    let nearest = lots.round();
    let snap = N::of(if settings.lot_snap { LOT_SNAP } else { 0.0 });
    if (lots - nearest).abs() < snap {
        return nearest * lot;
    }
    // The division may round down from a whole number of lots: 43.14 are 43140 lots of 0.001.
    let next = if quantity < N::ZERO { lots.trunc() - N::of(1.0) } else { lots.trunc() + N::of(1.0) };
    if (next * lot).abs() <= quantity.abs() { next * lot } else { lots.trunc() * lot }
}

/// What one unit costs altogether when costs are counted into the size: price, share commission and value commission.
pub fn unit_cost<N: Number>(costs: &Costs, price: N) -> N {
    price + price * bps(costs.bps) + N::of(costs.per_share)
}

/// The largest quantity, at most `wanted` if that is given, that `cash` pays for at `price`, with the commissions of
/// `charge`; 0 if none.
#[inline]
pub fn affordable<N: Number>(settings: &Settings, wanted: Option<N>, price: N, cash: N, charge: &Charge<N>) -> N {
    let costs = &settings.costs;
    let total = |quantity: N| quantity * price + charge.commission(costs, quantity, price);
    if let Some(wanted) = wanted
        && total(wanted) <= cash
    {
        return wanted;
    }
    let mut quantity = payable(settings, price, cash);
    if let Some(wanted) = wanted {
        quantity = quantity.min(wanted);
    }
    if !settings.fractional {
        quantity = (quantity / N::of(settings.lot)).floor() * N::of(settings.lot);
    }
    // The division may round up by a last bit: step down until cash really pays. Where tiers raise the commission, the
    // step is as long as what is missing.
    for _ in 0..64 {
        if quantity <= N::ZERO || !quantity.is_defined() {
            return N::ZERO;
        }
        let missing = total(quantity) - cash;
        if missing <= N::ZERO {
            return quantity;
        }
        let long = !costs.tiers.as_slice().is_empty() && missing > cash * N::of(1e-12);
        let less = if long { quantity - missing / price } else { quantity.step_down() };
        quantity = match settings.fractional {
            true => less,
            false if long => (less / N::of(settings.lot)).floor() * N::of(settings.lot),
            false => quantity - N::of(settings.lot),
        };
    }
    N::ZERO
}

/// What cash pays for under the commissions that hold for every quantity.
fn payable<N: Number>(settings: &Settings, price: N, cash: N) -> N {
    let costs = &settings.costs;
    let left = cash - N::of(costs.per_trade);
    let side = costs.maker_bps.max(costs.taker_bps);
    let per_value = price * (N::of(1.0) + bps(costs.bps + side));
    // Either the share commission or its minimum binds; the smaller answer is payable under both.
    let by_share = left / (per_value + N::of(costs.per_share));
    let by_minimum = (left - N::of(costs.per_share_minimum)) / per_value;
    by_share.min(by_minimum)
}

/// A limit price on a tick: a buy's is rounded down, a sell's up, but for a twentieth of a tick; a stop's the other way
/// round, because a stop that triggers late does not trigger by mistake.
pub fn on_tick<N: Number>(tick: f64, price: N, rounds_down: bool) -> N {
    if tick <= 0.0 || !price.is_defined() {
        return price;
    }
    let (step, near) = (N::of(tick), N::of(0.05));
    let steps = price / step;
    let below = steps.floor();
    let over = steps - below;
    let up = if rounds_down { over > N::of(1.0) - near } else { over > near };
    let whole = if up { below + N::of(1.0) } else { below };
    whole * step
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
        let fine = Settings { lot: 0.001, lot_snap: false, ..settings(Costs::default(), false) };
        for lots in [1.0, 7.0, 43_140.0, 38_322.0, 99_999.0] {
            assert_eq!(whole_lots(&fine, lots * 0.001), lots * 0.001);
            assert_eq!(whole_lots(&fine, -lots * 0.001), -lots * 0.001);
        }
        assert_eq!(whole_lots(&fine, 43.139_999), 43_139.0 * 0.001);
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
                    let quantity = affordable(&s, Some(1e12), price, cash, &Charge::default());
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
        assert_eq!(affordable(&s, Some(10.0), 100.0, 3.0, &Charge::default()), 0.0);
        assert_eq!(affordable(&s, Some(10.0), 100.0, -50.0, &Charge::default()), 0.0);
    }
}
