//! From what a strategy asks for to signed units.

use super::number::Number;
use super::order::Size;
use super::pricing;
use crate::plan::Settings;

/// What a size is measured against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure<N> {
    /// Worth of the account.
    pub equity: N,
    /// Price of one unit.
    pub price: N,
    /// Signed units held, open orders counted if the settings say so.
    pub held: N,
    /// Distance from the price to the order's stop-loss; undefined without one.
    pub risk: N,
    /// Standard deviation of the symbol's returns in a year; undefined where it has too few bars.
    pub sigma: N,
}

/// Units of an order; undefined where what it is measured against is.
pub(super) fn units<N: Number>(settings: &Settings, size: Size, measure: Measure<N>) -> N {
    let Measure { equity, price, held, risk, sigma } = measure;
    let worth = equity.max(N::ZERO);
    match size {
        Size::Shares(units) => pricing::whole_lots(settings, N::of(units)),
        Size::Value(value) => pricing::whole_lots(settings, N::of(value) / price),
        Size::Percent(part) => percent(settings, N::of(part), equity, price),
        Size::Risk(part) => pricing::whole_lots(settings, N::of(part) * worth / risk),
        Size::Volatility(part) => pricing::whole_lots(settings, N::of(part) * worth / (sigma * price)),
        Size::TargetShares(units) => difference(settings, N::of(units), held),
        Size::TargetValue(value) => difference(settings, N::of(value) / price, held),
        Size::TargetPercent(weight) => toward(settings, N::of(weight), equity, price, held),
        // Known when its turn comes.
        Size::BuyingPower(_) => N::UNDEFINED,
        Size::Close => -held,
    }
}

/// Units that a fraction of equity buys.
#[inline]
pub(super) fn percent<N: Number>(settings: &Settings, part: N, equity: N, price: N) -> N {
    let worth = equity.max(N::ZERO);
    let units = if settings.size_includes_costs {
        let costs = &settings.costs;
        let paid = pricing::fill_price(costs, price, part > N::ZERO, true);
        part * worth / pricing::unit_cost(costs, paid)
    } else {
        part * worth / price
    };
    pricing::whole_lots(settings, units)
}

/// Units from what is held to a weight of equity; noise of the last bits is no order.
#[inline]
pub(super) fn toward<N: Number>(settings: &Settings, weight: N, equity: N, price: N, held: N) -> N {
    if weight == N::ZERO {
        return -held;
    }
    difference(settings, weight * equity.max(N::ZERO) / price, held)
}

fn difference<N: Number>(settings: &Settings, target: N, held: N) -> N {
    if target == N::ZERO {
        return -held;
    }
    let units = target - held;
    if units.abs() <= N::of(1e-12) * held.abs().max(target.abs()) {
        return N::ZERO;
    }
    pricing::whole_lots(settings, units)
}

/// Money that an order moves at a price, signed, before lots cut it. Equal targets give equal bits, so that ties stay
/// ties.
pub(super) fn value<N: Number>(size: Size, measure: Measure<N>) -> N {
    let Measure { equity, price, held, risk, sigma } = measure;
    match size {
        Size::Shares(units) => N::of(units) * price,
        Size::Value(value) => N::of(value),
        Size::Percent(part) | Size::BuyingPower(part) => N::of(part) * equity,
        Size::Risk(part) => N::of(part) * equity / risk * price,
        Size::Volatility(part) => N::of(part) * equity / sigma,
        Size::TargetShares(units) => (N::of(units) - held) * price,
        Size::TargetValue(value) => N::of(value) - held * price,
        Size::TargetPercent(weight) => N::of(weight) * equity - held * price,
        Size::Close => -held * price,
    }
}
