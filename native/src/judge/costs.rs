//! The trial at higher costs: an edge that a little more slippage takes away is none.
//!
//! Given the study, this file scales all that trading costs, commission, spread, slippage, impact and loans, and resolves
//! and runs the plan again. Interest that is earned stays as it is. A study without any cost is asked instead how much
//! each trade may cost.

use std::sync::Arc;

use sandtable_core::Result;
use sandtable_core::plan::{BundleFacts, Costs, Plan, Tier, Tiers};
use sandtable_core::run::{Evaluator, View};
use serde_json::json;

use super::{Case, Finding, variants_json, variants_table};
use crate::caches;

/// Multiples of the study's costs.
const TIMES: [f64; 4] = [0.0, 1.0, 2.0, 3.0];
/// Basis points of the value traded, for a study without costs.
const POINTS: [f64; 4] = [0.0, 5.0, 10.0, 20.0];

/// Runs the trial at other costs.
///
/// # Errors
/// As for any plan; the study's own one resolved before.
pub fn find(case: &Case) -> Result<Finding> {
    let costs = case.plan().settings().costs;
    let free = is_free(&costs);
    let variants: Vec<(String, Costs)> = if free {
        POINTS.iter().map(|&bps| (format!("{bps} bps a trade"), Costs { bps, ..costs })).collect()
    } else {
        TIMES.iter().map(|&times| (format!("costs × {times}"), scaled(&costs, times))).collect()
    };
    let run = |(label, costs): (String, Costs)| Ok((label, at_costs(case, costs)?));
    let rows = variants.into_iter().map(run).collect::<Result<Vec<_>>>()?;
    let title = if free { "the study trades free of cost; what a cost would do" } else { "higher costs" };
    Ok(Finding {
        key: "costs",
        json: json!({ "free": free, "variants": variants_json(case, &rows) }),
        text: format!("{title}\n{}", variants_table(case, &rows)),
        sound: true,
    })
}

/// The trial's metrics under the same plan but for its costs.
fn at_costs(case: &Case, costs: Costs) -> Result<Vec<f64>> {
    let mut spec = case.study.spec.clone();
    spec.settings.costs = costs;
    let strategy = (**case.plan().strategy()).clone();
    let plan = Plan::resolve(&spec, strategy, &BundleFacts::from(&*case.study.bundle))?;
    let evaluator = Evaluator::cached(Arc::new(plan), &case.study.bundle, View::from(caches::caches()))?;
    Ok(evaluator.detail(&case.trial.point).metrics)
}

/// Whether nothing that trading costs is asked for.
fn is_free(costs: &Costs) -> bool {
    let kept = |costs: &Costs| Costs { spread_on: costs.spread_on, tiers_by: costs.tiers_by, ..Costs::default() };
    let interest = costs.interest_bps;
    *costs == Costs { interest_bps: interest, ..kept(costs) }
}

/// All that is paid, so many times.
fn scaled(costs: &Costs, times: f64) -> Costs {
    let tier = |tier: &Tier| Tier {
        from: tier.from,
        per_share: tier.per_share * times,
        per_trade: tier.per_trade * times,
        bps: tier.bps * times,
        minimum: tier.minimum * times,
    };
    let tiers: Vec<Tier> = costs.tiers.as_slice().iter().map(tier).collect();
    Costs {
        per_share: costs.per_share * times,
        per_share_minimum: costs.per_share_minimum * times,
        per_trade: costs.per_trade * times,
        bps: costs.bps * times,
        spread: costs.spread * times,
        spread_on: costs.spread_on,
        slippage_bps: costs.slippage_bps * times,
        spread_amount: costs.spread_amount * times,
        volume_impact: costs.volume_impact * times,
        sqrt_impact: costs.sqrt_impact * times,
        maker_bps: costs.maker_bps * times,
        taker_bps: costs.taker_bps * times,
        // Where they start stays, so they ascend as before.
        tiers: Tiers::new(&tiers).unwrap_or(costs.tiers),
        tiers_by: costs.tiers_by,
        borrow_bps: costs.borrow_bps * times,
        interest_bps: costs.interest_bps,
        debit_bps: costs.debit_bps * times,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn what_is_paid_is_scaled_and_what_is_earned_is_not() {
        let tiers =
            Tiers::new(&[Tier { bps: 2.0, ..Tier::default() }, Tier { from: 9.0, bps: 1.0, ..Tier::default() }]);
        let costs = Costs { bps: 5.0, interest_bps: 100.0, tiers: tiers.unwrap(), ..Costs::default() };
        let twice = scaled(&costs, 2.0);
        assert_eq!((twice.bps, twice.interest_bps), (10.0, 100.0));
        let tiers: Vec<(f64, f64)> = twice.tiers.as_slice().iter().map(|tier| (tier.from, tier.bps)).collect();
        assert_eq!(tiers, [(0.0, 4.0), (9.0, 2.0)]);
        assert_eq!(scaled(&costs, 1.0), costs);
        assert!(!is_free(&costs) && is_free(&Costs { interest_bps: 100.0, ..Costs::default() }));
    }
}
