//! The core's tables as plain objects.

use sandtable_core::bundle::synth;
use sandtable_core::indicators::{Indicator, Input, REGISTRY};
use sandtable_core::metrics::{self, Better};
use sandtable_core::plan::{ENGINE_FORMAT, KEYS};
use sandtable_core::strategy::{self, BUILTINS, Rules, Strategy, gallery};

use crate::types::{
    BuiltInBundle, Catalog, Domain, FunctionInfo, GalleryStrategy, IndicatorInfo, IndicatorParam, KeyInfo, MetricInfo,
    ParamInfo, StrategyInfo,
};

/// Everything by name.
pub fn catalog() -> Catalog {
    Catalog {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        engine_format: ENGINE_FORMAT,
        threads: cfg!(feature = "threads"),
        simd: cfg!(target_feature = "simd128"),
        indicators: REGISTRY.iter().map(indicator).collect(),
        functions: BUILTINS
            .iter()
            .map(|builtin| FunctionInfo {
                name: builtin.name.to_owned(),
                usage: builtin.usage.to_owned(),
                doc: builtin.doc.to_owned(),
            })
            .collect(),
        metrics: metrics::TABLE
            .iter()
            .map(|metric| MetricInfo {
                name: metric.name.to_owned(),
                title: metric.title.to_owned(),
                unit: metric.unit.name().to_owned(),
                better: match metric.better {
                    Better::Higher => "higher",
                    Better::Lower => "lower",
                    Better::None => "neither",
                }
                .to_owned(),
                doc: metric.doc.to_owned(),
            })
            .collect(),
        keys: KEYS
            .iter()
            .map(|key| KeyInfo { name: key.name.to_owned(), doc: key.doc.to_owned(), default: key.default.to_owned() })
            .collect(),
        gallery: gallery()
            .iter()
            .map(|(name, source)| GalleryStrategy { name: (*name).to_owned(), source: (*source).to_owned() })
            .collect(),
        bundles: synth::BUILT_IN
            .iter()
            .map(|(name, doc)| BuiltInBundle { name: (*name).to_owned(), doc: (*doc).to_owned() })
            .collect(),
    }
}

fn indicator(indicator: &Indicator) -> IndicatorInfo {
    let operand = |input: &Input| match input {
        Input::Real(name) => Some((*name).to_owned()),
        Input::Implied(_) => None,
    };
    IndicatorInfo {
        name: indicator.name.to_owned(),
        doc: indicator.doc.to_owned(),
        inputs: indicator.inputs.iter().filter_map(operand).collect(),
        params: indicator
            .params
            .iter()
            .map(|param| IndicatorParam {
                name: param.name.to_owned(),
                default: param.default,
                min: param.min,
                max: param.max,
                integer: param.integer,
            })
            .collect(),
        outputs: indicator.outputs.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// A strategy that parsed.
pub fn strategy(strategy: &Strategy) -> StrategyInfo {
    StrategyInfo {
        name: strategy.name.clone(),
        description: strategy.description.clone(),
        params: strategy
            .params
            .iter()
            .map(|param| ParamInfo { name: param.name.clone(), domain: domain(&param.domain), default: param.default })
            .collect(),
        columns: strategy.columns.iter().map(|(name, _)| name.clone()).collect(),
        rules: match strategy.rules {
            Rules::Target { .. } => "target",
            Rules::Signals { .. } => "signals",
        }
        .to_owned(),
    }
}

fn domain(domain: &strategy::Domain) -> Domain {
    match domain {
        strategy::Domain::Int { min, max, step } => {
            Domain::Int { min: *min as f64, max: *max as f64, step: *step as f64 }
        }
        strategy::Domain::Float { min, max, step, scale } => Domain::Float {
            min: *min,
            max: *max,
            step: *step,
            scale: match scale {
                strategy::Scale::Linear => "linear",
                strategy::Scale::Log => "log",
            }
            .to_owned(),
        },
        strategy::Domain::Choice { values } => Domain::Choice { values: values.clone() },
        strategy::Domain::Bool => Domain::Bool,
    }
}
