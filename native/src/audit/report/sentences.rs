//! Numbers and judgements of an audit as words.

use crate::audit::comparison::{SIGNIFICANCE, Verdict};
use crate::audit::statistics::Mean;
use crate::audit::sweep::{Cost, Gain, LayerGain};
use crate::audit::variant::{Layer, Variant};
use crate::audit::{Audit, Section};
use crate::view::number::{self, NULL};

/// Name of a workload as the beginning of a sentence.
pub fn title(name: &str) -> String {
    let mut words = name.replace('-', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// Unit of a time and how many of it a second has.
fn unit(seconds: f64) -> (&'static str, f64) {
    match seconds.abs() {
        s if s >= 1.0 => ("s", 1.0),
        s if s >= 1e-3 => ("ms", 1e3),
        _ => ("µs", 1e6),
    }
}

/// A time with three significant digits.
pub fn time(seconds: f64) -> String {
    let (unit, factor) = unit(seconds);
    if seconds.is_finite() { format!("{} {unit}", number::short(seconds * factor)) } else { NULL.into() }
}

/// A time with half of its interval, in the unit of the larger.
pub fn time_within(seconds: f64, half_width: f64) -> String {
    if !half_width.is_finite() {
        return time(seconds);
    }
    let (unit, factor) = unit(seconds.abs().max(half_width));
    format!("{} ± {} {unit}", number::short(seconds * factor), number::short(half_width * factor))
}

/// A mean time with its interval.
pub fn mean_time(mean: &Mean) -> String {
    time_within(mean.mean, mean.half_width)
}

/// A share as a percentage with one decimal.
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1} %", share * 100.0) } else { NULL.into() }
}

/// A probability as it is quoted.
pub fn p_value(p: f64) -> String {
    match p {
        p if p.is_nan() => NULL.into(),
        p if p < 0.001 => "< 0.001".into(),
        p => format!("{p:.3}"),
    }
}

/// A verdict in a word or two.
pub fn verdict_word(verdict: &Verdict) -> String {
    match verdict {
        v if !v.identical => "other bits",
        v if v.accepted => "accepted",
        v if v.p.is_nan() => "one pair only",
        v if v.p >= SIGNIFICANCE && v.improvement.mean < 0.0 => "not faster",
        v if v.p >= SIGNIFICANCE => "may be chance",
        _ => "faster, not enough",
    }
    .into()
}

/// What a layer saves: before the first backtest, and at each.
pub fn gain_of(gain: Option<&Gain>) -> String {
    let Some(Gain { saved: Cost { set_up, set_up_half_width, each, each_half_width }, .. }) = gain else {
        return NULL.into();
    };
    format!("{}, {} each", time_within(*set_up, *set_up_half_width), time_within(*each, *each_half_width))
}

/// From how many backtests a layer pays.
pub fn break_even(gain: Option<&Gain>) -> String {
    let Some(Gain { break_even, .. }) = gain else { return NULL.into() };
    let number = |n: Option<u64>| n.map_or("never".into(), |n| n.to_string());
    match (break_even.fitted, break_even.earliest, break_even.certain) {
        (Some(fitted), Some(earliest), Some(certain)) if fitted == certain && earliest == fitted => fitted.to_string(),
        (None, None, _) => "never".into(),
        (fitted, earliest, certain) => {
            format!("{} ({} to {})", number(fitted), number(earliest), number(certain))
        }
    }
}

/// The audit in a sentence or two that say what to do.
pub fn conclusion(audit: &Audit) -> String {
    if let Some(section) = audit.sections.iter().find(|section| !section.identical()) {
        return differing(section);
    }
    if !audit.identical() {
        return "Not accepted: in the scale sweep some variants gave other results than others. Their times say nothing; \
                report this with the file of the audit, and use the reference simulator until it is mended."
            .into();
    }
    let refused = |section: &&Section| section.decisive().is_none_or(|verdict| !verdict.accepted);
    if let Some(section) = audit.sections.iter().find(refused) {
        return too_little(section);
    }
    let parts: Vec<String> = audit.sections.iter().filter_map(accepted).collect();
    format!("Accepted: {}; the results are the same, bit for bit. {}", parts.join(", "), advice(audit))
}

fn differing(section: &Section) -> String {
    let names: Vec<String> = section.verdicts.iter().filter(|v| !v.identical).map(|v| v.variant.name()).collect();
    let who = if names.is_empty() { "a baseline".into() } else { names.join(", ") };
    format!(
        "Not accepted: in the {} {who} gave other results than the baseline. Its times say nothing; report this with the \
         file of the audit, and leave what differs switched off until it is mended.",
        section.name.replace('-', " ")
    )
}

fn too_little(section: &Section) -> String {
    let reason = section.decisive().map_or("it was not measured", |verdict| verdict.reason.as_str());
    format!(
        "Not accepted: in the {} all layers together were {reason}. Ask for more backtests or pairs, and for a machine \
         that does nothing else; if it stays, work of this size does not need the layers.",
        section.name.replace('-', " ")
    )
}

fn accepted(section: &Section) -> Option<String> {
    let verdict = section.decisive()?;
    Some(format!(
        "the {} of {} backtests takes {} instead of {} ({} times as fast, p {})",
        section.name.replace('-', " "),
        section.backtests,
        time(verdict.seconds.mean),
        time(verdict.baseline.mean),
        number::short(verdict.ratio),
        if verdict.p < 0.001 { "< 0.001".into() } else { format!("= {:.3}", verdict.p) }
    ))
}

/// Which layer did most, and from where on each pays if that is known.
fn advice(audit: &Audit) -> String {
    let ratio = |layer: Layer| {
        let alone = audit.sections.iter().flat_map(|section| &section.verdicts);
        let ratios = alone.filter(|v| v.variant == Variant::Alone(layer)).map(|v| v.ratio);
        ratios.fold(0.0, f64::max)
    };
    let most = Layer::ALL.into_iter().max_by(|a, b| ratio(*a).total_cmp(&ratio(*b)));
    let most = most.map_or(String::new(), |layer| format!("Alone, {} does most: {}.", layer.name(), layer.meaning()));
    let Some(sweep) = &audit.sweep else {
        return format!("Leave all layers on. {most}");
    };
    let gains = sweep.gains();
    let certain = |gain: &LayerGain| gain.beside_others.and_then(|gain| gain.break_even.certain);
    let pays = gains.iter().filter_map(|gain| Some(format!("{} from {}", gain.layer, certain(gain)?)));
    let open = gains.iter().filter(|gain| certain(gain).is_none()).map(|gain| gain.layer.to_owned());
    let (pays, open) = (listed(&pays.collect::<Vec<_>>()), listed(&open.collect::<Vec<_>>()));
    let pays = pays.map(|list| format!("what pays beyond doubt on top of the others is {list} backtests"));
    let open = open.map(|list| format!("of {list} that cannot be said up to 1000"));
    let parts: Vec<String> = [pays, open].into_iter().flatten().collect();
    format!("Leave all layers on. {most} For one year of one symbol, {}.", parts.join("; "))
}

/// `a, b and c`; nothing of nothing.
fn listed(names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(one.clone()),
        [first @ .., last] => Some(format!("{} and {last}", first.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::sweep::BreakEven;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        for (seconds, text) in [(12.345, "12.3 s"), (0.012345, "12.3 ms"), (1.5e-6, "1.5 µs"), (-0.5, "-500 ms")] {
            assert_eq!(time(seconds), text);
        }
        assert_eq!(time(f64::NAN), "–");
        assert_eq!(time_within(0.0012, 0.0001), "1.2 ± 0.1 ms");
        assert_eq!(time_within(0.0012, f64::NAN), "1.2 ms");
        assert_eq!((p_value(0.0001), p_value(0.25), p_value(f64::NAN)), ("< 0.001".into(), "0.250".into(), "–".into()));
        assert_eq!((title("walk-forward"), title("")), ("Walk forward".into(), String::new()));
    }

    #[test]
    fn break_even_says_what_is_certain() {
        let cost = Cost { set_up: 0.0, set_up_half_width: 0.0, each: 0.0, each_half_width: 0.0 };
        let said = |fitted, earliest, certain| {
            break_even(Some(&Gain { saved: cost, break_even: BreakEven { fitted, earliest, certain } }))
        };
        assert_eq!(said(Some(1), Some(1), Some(1)), "1");
        assert_eq!(said(Some(9), Some(5), Some(20)), "9 (5 to 20)");
        assert_eq!(said(None, Some(5), None), "never (5 to never)");
        assert_eq!(said(None, None, None), "never");
        assert_eq!(break_even(None), "–");
    }
}
