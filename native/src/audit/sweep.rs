//! The scale sweep: the same work in growing numbers, and what each layer costs, saves, and from where on it pays.

use std::collections::BTreeMap;

use sandtable_core::Result;
use serde::Serialize;

use super::runner::{self, Measured};
use super::statistics::{Line, Mean, Reading};
use super::variant::{Layer, Variant};
use super::workload::{Data, Workload};
use crate::pool::Pool;

/// Numbers of backtests.
pub const SIZES: [u64; 8] = [1, 5, 25, 50, 100, 200, 400, 1000];

/// All measurements of a sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Sweep {
    /// What was run.
    pub symbol: String,
    /// Numbers of backtests.
    pub sizes: Vec<u64>,
    /// Variants in the order of `runs`.
    pub variants: Vec<Variant>,
    /// By variant, size and round; the round that warms up is not among them.
    pub runs: Vec<Vec<Vec<Measured>>>,
}

/// What a variant's times come to: set-up and each backtest, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Time that does not depend on the number of backtests.
    pub set_up: f64,
    /// Half of its 95 % interval.
    pub set_up_half_width: f64,
    /// Time of each backtest.
    pub each: f64,
    /// Half of its 95 % interval.
    pub each_half_width: f64,
}

/// From which number of backtests on something pays. None: not within the numbers that were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BreakEven {
    /// Where the fitted saving turns positive for good.
    pub fitted: Option<u64>,
    /// Where it might turn positive, by the 95 % interval's upper end.
    pub earliest: Option<u64>,
    /// Where it is positive beyond doubt, by the interval's lower end.
    pub certain: Option<u64>,
}

/// What switching a layer on does to set-up and to each backtest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// Seconds that are saved before the first backtest; negative where set-up costs more.
    pub saved: Cost,
    /// From where on it pays.
    pub break_even: BreakEven,
}

/// A layer's gain, alone and beside the others.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LayerGain {
    /// Its name.
    pub layer: &'static str,
    /// On top of the baseline.
    pub alone: Option<Gain>,
    /// On top of all others.
    pub beside_others: Option<Gain>,
}

impl Sweep {
    /// Runs every variant at every size, `rounds` times after one round that warms up. The order of variants turns
    /// with the rounds, so that none is always first. `done` is called after each size of a round.
    ///
    /// # Errors
    /// As [`runner::run`].
    pub fn measure(data: &Data, rounds: usize, pool: &Pool, mut done: impl FnMut()) -> Result<Sweep> {
        let mut variants = vec![Variant::Baseline];
        variants.extend(Variant::compared(true));
        let mut runs = vec![vec![Vec::new(); SIZES.len()]; variants.len()];
        let workloads = SIZES.iter().map(|&size| Workload::grid(data, size)).collect::<Result<Vec<_>>>()?;
        for round in 0..=rounds {
            for (size, workload) in workloads.iter().enumerate() {
                for turn in 0..variants.len() {
                    let place = (turn + round) % variants.len();
                    let measured = runner::run(workload, variants[place].layers(), pool)?;
                    // The first round warms up.
                    if round > 0 {
                        runs[place][size].push(measured);
                    }
                }
                done();
            }
        }
        Ok(Sweep { symbol: data.symbols.join(", "), sizes: SIZES.to_vec(), variants, runs })
    }

    /// Whether every run of a size gave the same bits.
    pub fn identical(&self) -> bool {
        (0..self.sizes.len()).all(|size| {
            let mut all = self.runs.iter().flat_map(|variant| &variant[size]);
            let first = all.next();
            all.all(|run| {
                first.is_some_and(|first| (&first.results_hash, first.fills) == (&run.results_hash, run.fills))
            })
        })
    }

    /// Mean seconds of a variant at each size.
    pub fn means(&self, variant: Variant) -> Vec<(u64, Mean)> {
        let Some(runs) = self.of(variant) else { return Vec::new() };
        let seconds = |runs: &Vec<Measured>| Mean::of(&runs.iter().map(|run| run.seconds).collect::<Vec<_>>());
        self.sizes.iter().copied().zip(runs.iter().map(seconds)).collect()
    }

    /// Set-up and per-backtest time of a variant.
    pub fn cost(&self, variant: Variant) -> Option<Cost> {
        let runs = self.of(variant)?;
        let readings = self.sizes.iter().zip(runs).flat_map(|(&size, runs)| {
            let scale = Mean::of(&runs.iter().map(|run| run.seconds).collect::<Vec<_>>()).mean;
            runs.iter().map(move |run| Reading { x: size as f64, y: run.seconds, scale })
        });
        Line::through(&readings.collect::<Vec<_>>()).map(|line| cost(&line))
    }

    /// What each layer saves.
    pub fn gains(&self) -> Vec<LayerGain> {
        let gain = |layer: Layer| LayerGain {
            layer: layer.name(),
            alone: self.gain(Variant::Baseline, Variant::Alone(layer)),
            beside_others: self.gain(Variant::Without(layer), Variant::All),
        };
        Layer::ALL.into_iter().map(gain).collect()
    }

    /// What `after` saves of `before`, from the differences within rounds.
    pub fn gain(&self, before: Variant, after: Variant) -> Option<Gain> {
        let (before, after) = (self.of(before)?, self.of(after)?);
        let readings = self.sizes.iter().zip(before.iter().zip(after)).flat_map(|(&size, (before, after))| {
            let scale = Mean::of(&before.iter().map(|run| run.seconds).collect::<Vec<_>>()).mean;
            let saved = before.iter().zip(after).map(|(before, after)| before.seconds - after.seconds);
            saved.map(move |y| Reading { x: size as f64, y, scale })
        });
        let line = Line::through(&readings.collect::<Vec<_>>())?;
        let largest = self.sizes.iter().copied().max()?;
        Some(Gain { saved: cost(&line), break_even: break_even(&line, largest) })
    }

    /// Costs of all variants and gains of all layers, for the record.
    pub fn summary(&self) -> serde_json::Value {
        let costs: BTreeMap<String, Option<Cost>> = self.variants.iter().map(|v| (v.name(), self.cost(*v))).collect();
        serde_json::json!({ "identical": self.identical(), "costs": costs, "gains": self.gains() })
    }

    fn of(&self, variant: Variant) -> Option<&Vec<Vec<Measured>>> {
        self.runs.get(self.variants.iter().position(|known| *known == variant)?)
    }
}

fn cost(line: &Line) -> Cost {
    Cost {
        set_up: line.intercept,
        set_up_half_width: line.half_width_at(0.0),
        each: line.slope,
        each_half_width: line.half_width_of_slope(),
    }
}

/// Where a line of savings turns positive and stays so up to `largest`.
fn break_even(line: &Line, largest: u64) -> BreakEven {
    // From the largest number down: the last one before the first that does not save.
    let from = |saving: &dyn Fn(f64) -> f64| (1..=largest).rev().take_while(|&n| saving(n as f64) > 0.0).last();
    BreakEven {
        fitted: from(&|n| line.at(n)),
        earliest: from(&|n| line.at(n) + line.half_width_at(n)),
        certain: from(&|n| line.at(n) - line.half_width_at(n)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// A sweep with these times: set-up and each, by variant, with a ripple of so many per cent.
    fn sweep(times: &[(Variant, f64, f64)], ripple: f64) -> Sweep {
        let run = |seconds: f64| Measured {
            seconds,
            backtests: 1,
            rows_read: 1,
            fills: 1,
            fast: 0,
            results_hash: String::new(),
        };
        let at = |set_up: f64, each: f64, size: u64| {
            [-1.0, 0.0, 1.0].map(|k| run((set_up + each * size as f64) * (1.0 + k * ripple))).to_vec()
        };
        Sweep {
            symbol: "A".into(),
            sizes: SIZES.to_vec(),
            variants: times.iter().map(|(variant, ..)| *variant).collect(),
            runs: times.iter().map(|(_, set_up, each)| SIZES.map(|size| at(*set_up, *each, size)).to_vec()).collect(),
        }
    }

    #[test]
    fn costs_and_break_even_are_those_of_the_lines() {
        // Set-up costs 10.5 more and each backtest 1 less: it pays from 11 on.
        let (before, after) = (Variant::Baseline, Variant::Alone(Layer::Pool));
        let sweep = sweep(&[(before, 1.0, 2.0), (after, 11.5, 1.0)], 0.001);
        let cost = sweep.cost(after).unwrap();
        assert!((cost.set_up - 11.5).abs() < 0.01 && (cost.each - 1.0).abs() < 1e-3, "{cost:?}");
        let gain = sweep.gain(before, after).unwrap();
        assert!((gain.saved.set_up + 10.5).abs() < 0.01 && (gain.saved.each - 1.0).abs() < 1e-3, "{gain:?}");
        let BreakEven { fitted, earliest, certain } = gain.break_even;
        assert_eq!(fitted, Some(11));
        assert!(earliest <= fitted && fitted <= certain && certain.unwrap() < 13, "{gain:?}");
        assert!(sweep.gains()[0].alone.is_none(), "what was not measured has no gain");
    }

    #[test]
    fn what_never_or_always_pays_says_so() {
        let (before, after) = (Variant::Baseline, Variant::All);
        let never = sweep(&[(before, 1.0, 1.0), (after, 2.0, 1.1)], 0.001).gain(before, after).unwrap();
        assert_eq!(never.break_even, BreakEven { fitted: None, earliest: None, certain: None });
        let always = sweep(&[(before, 2.0, 1.0), (after, 1.0, 0.5)], 0.001).gain(before, after).unwrap();
        assert_eq!(always.break_even, BreakEven { fitted: Some(1), earliest: Some(1), certain: Some(1) });
        // Equal but for the ripple: nothing is certain.
        let equal = sweep(&[(before, 1.0, 1.0), (after, 1.0, 1.0)], 0.1).gain(before, after).unwrap();
        assert_eq!(equal.break_even.certain, None);
    }

    #[test]
    fn a_different_bit_is_seen() {
        let mut sweep = sweep(&[(Variant::Baseline, 1.0, 1.0), (Variant::All, 1.0, 1.0)], 0.0);
        assert!(sweep.identical());
        sweep.runs[1][3][1].results_hash = "other".into();
        assert!(!sweep.identical());
    }
}
