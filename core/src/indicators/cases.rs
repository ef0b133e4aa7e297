//! Tests of the whole registry, and what the kernels' own tests share.
#![expect(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use proptest::prelude::*;

use super::*;

/// All outputs of a registry entry over whole columns.
pub(super) fn run(name: &str, inputs: &[&[f64]], params: &[f64]) -> Vec<Vec<f64>> {
    let (_, indicator) = find(name).expect("the name is in the registry");
    check_params(indicator, params).expect("the parameters are valid");
    columns(indicator, inputs, params)
}

fn columns(indicator: &Indicator, inputs: &[&[f64]], params: &[f64]) -> Vec<Vec<f64>> {
    let rows = inputs[0].len();
    // A pattern that no kernel may leave behind.
    let mut outputs = vec![vec![-12345.0; rows]; indicator.outputs.len()];
    let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    compute(indicator, inputs, params, &mut slices);
    outputs
}

/// Equal to 1e-12 of max(1, |expected|), NaN where NaN is expected.
pub(super) fn assert_close(found: &[f64], expected: &[f64]) {
    let same = |a: f64, b: f64| (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * b.abs().max(1.0);
    let all = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| same(*a, *b));
    assert!(all, "found {found:?}, expected {expected:?}");
}

fn bits(columns: &[Vec<f64>]) -> Vec<Vec<u64>> {
    columns.iter().map(|column| column.iter().map(|value| value.to_bits()).collect()).collect()
}

/// Columns for an indicator's inputs, cut from a pool.
fn operands<'a>(indicator: &Indicator, pool: &'a [Vec<f64>]) -> Vec<&'a [f64]> {
    (0..indicator.inputs.len()).map(|index| pool[index % pool.len()].as_slice()).collect()
}

/// Small periods, so that short columns reach past the lookback.
fn small_params(indicator: &Indicator, seed: u32) -> Vec<f64> {
    let mut seed = seed;
    let mut params = Vec::new();
    for spec in indicator.params {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let step = f64::from(seed >> 29);
        params.push(if spec.integer { spec.min + step } else { (spec.default + step / 8.0).clamp(spec.min, spec.max) });
    }
    params
}

#[test]
fn the_registry_is_sorted_and_consistent() {
    for pair in REGISTRY.windows(2) {
        assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
    }
    for indicator in REGISTRY {
        let name = indicator.name;
        assert_eq!(find(name).map(|(index, _)| REGISTRY[usize::from(index)].name), Some(name));
        let defaults: Vec<f64> = indicator.params.iter().map(|spec| spec.default).collect();
        assert_eq!(check_params(indicator, &defaults), Ok(()), "{name}");
        assert!((indicator.settle)(&defaults) >= (indicator.lookback)(&defaults), "{name}");
        assert!(indicator.doc.ends_with('.') && !indicator.outputs.is_empty(), "{name}");
        assert_eq!(indicator.outputs.len() == 1, indicator.outputs[0].is_empty(), "{name}");
    }
    assert!(find("smaa").is_none() && find("SMA").is_none());
}

#[test]
fn wrong_parameters_are_named() {
    let check = |name: &str, params: &[f64]| match find(name) {
        Some((_, indicator)) => check_params(indicator, params).err().unwrap_or_default(),
        None => panic!("{name} is missing"),
    };
    assert_eq!(check("rsi", &[1.0]), "`timeperiod` of `rsi` must be a whole number from 2 to 100000, found 1");
    assert_eq!(check("sma", &[2.5]), "`timeperiod` of `sma` must be a whole number from 1 to 100000, found 2.5");
    assert_eq!(
        check("bbands", &[20.0, f64::NAN, 2.0]),
        "`nbdevup` of `bbands` must be a number from -3e37 to 3e37, found NaN"
    );
    assert!(check("sma", &[f64::INFINITY]).ends_with("found inf"));
    assert_eq!(check("obv", &[1.0]), "`obv` takes 0 parameters, found 1");
    assert_eq!(check("macd", &[12.0]), "`macd` takes 3 parameters (fastperiod, slowperiod, signalperiod), found 1");
    assert_eq!(check("macd", &[26.0, 12.0, 9.0]), "");
}

#[test]
fn a_hole_starts_the_indicator_anew() {
    let x = [1.0, 2.0, 3.0, f64::NAN, 5.0, 7.0, f64::INFINITY, f64::NEG_INFINITY, 1.0];
    let out = &run("sma", &[&x], &[2.0])[0];
    assert_close(out, &[NAN, 1.5, 2.5, NAN, NAN, 6.0, NAN, NAN, NAN]);
    assert!(out.iter().filter(|v| v.is_nan()).all(|v| v.to_bits() == NAN.to_bits()));
    let high = [2.0, 3.0, 4.0, 5.0, 6.0];
    let low = [1.0, 2.0, NAN, 4.0, 5.0];
    assert_close(&run("trange", &[&high, &low, &high], &[])[0], &[NAN, 1.0, NAN, NAN, 1.0]);
    assert_close(&run("obv", &[&low, &high], &[])[0], &[2.0, 5.0, NAN, 5.0, 11.0]);
}

#[test]
fn the_first_defined_row_is_the_lookback() {
    let pool: Vec<Vec<f64>> =
        (0..4).map(|c| (0..400).map(|i| 50.0 + f64::from((i * 37 + c * 11) % 23)).collect()).collect();
    for indicator in REGISTRY {
        for seed in 0..20 {
            let params = small_params(indicator, seed);
            let lookback = (indicator.lookback)(&params);
            for out in columns(indicator, &operands(indicator, &pool), &params) {
                let first = out.iter().position(|value| !value.is_nan());
                assert_eq!(first, Some(lookback), "{} {params:?}", indicator.name);
            }
        }
    }
}

#[test]
fn after_settling_the_start_of_the_data_no_longer_matters() {
    // A wandering price with a range and a volume, long enough for the slowest average.
    let mut state = 7u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1u32 << 24)
    };
    let mut pool = vec![Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let mut price = 100.0;
    for _ in 0..6000 {
        price *= 1.0 + 0.02 * (noise() - 0.5);
        pool[0].push(price * (1.0 + 0.01 * noise()));
        pool[1].push(price * (1.0 - 0.01 * noise()));
        pool[2].push(price);
        pool[3].push(1e6 * (0.5 + noise()));
    }
    for indicator in REGISTRY.iter().filter(|indicator| !["obv", "ad"].contains(&indicator.name)) {
        let params: Vec<f64> = indicator.params.iter().map(|spec| spec.default).collect();
        let inputs = operands(indicator, &pool);
        let whole = columns(indicator, &inputs, &params);
        let settle = (indicator.settle)(&params);
        for start in [1, 500, 777] {
            let late: Vec<&[f64]> = inputs.iter().map(|column| &column[start..]).collect();
            for (whole, late) in whole.iter().zip(columns(indicator, &late, &params)) {
                let scale = whole[start + settle..].iter().fold(1e-3f64, |scale, value| scale.max(value.abs()));
                for (row, value) in late.iter().enumerate().skip(settle) {
                    let difference = (value - whole[start + row]).abs();
                    assert!(difference <= 2e-9 * scale, "{} row {row}: {difference} of {scale}", indicator.name);
                }
            }
        }
    }
}

#[test]
fn extreme_periods_and_short_columns_are_nan() {
    let pool = vec![vec![1.0, 2.0, 3.0]; 4];
    for indicator in REGISTRY {
        for take in 0..3 {
            let cut: Vec<Vec<f64>> = pool.iter().map(|column| column[..take].to_vec()).collect();
            for pick in [|spec: &ParamSpec| spec.min, |spec: &ParamSpec| spec.max] {
                let params: Vec<f64> = indicator.params.iter().map(pick).collect();
                let lookback = (indicator.lookback)(&params);
                for out in columns(indicator, &operands(indicator, &cut), &params) {
                    assert_eq!(out.len(), take);
                    assert!(out.iter().take(lookback).all(|value| value.is_nan()), "{}", indicator.name);
                }
            }
        }
    }
}

#[test]
fn misuse_gives_nan_instead_of_a_panic() {
    let Some((_, sma)) = find("sma") else { panic!("sma is missing") };
    let x = [1.0, 2.0, 3.0];
    let mut out = [0.0; 5];
    compute(sma, &[&x], &[0.0], &mut [&mut out]);
    assert!(out.iter().all(|value| value.is_nan()));
    compute(sma, &[], &[2.0], &mut [&mut out]);
    assert!(out.iter().all(|value| value.is_nan()));
    compute(sma, &[&x], &[2.0], &mut [&mut out]);
    assert_close(&out, &[NAN, 1.5, 2.5, NAN, NAN]);
}

/// Values that break careless arithmetic, among ordinary ones.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        12 => (-1000i32..1000).prop_map(|v| f64::from(v) / 8.0),
        2 => Just(0.0),
        1 => Just(-0.0),
        1 => Just(f64::NAN),
        1 => prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(f64::MAX), Just(f64::MIN_POSITIVE)],
        1 => any::<f64>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_kernel_panics_or_looks_ahead(
        rows in proptest::collection::vec([value(), value(), value(), value()], 0..90),
        cut in 0usize..90,
        changed in value(),
        seed in any::<u32>(),
    ) {
        let pool: Vec<Vec<f64>> = (0..4).map(|c| rows.iter().map(|row| row[c]).collect()).collect();
        let cut = cut.min(rows.len());
        let mut other = pool.clone();
        for (index, column) in other.iter_mut().enumerate() {
            for value in &mut column[cut..] {
                *value = changed * (index as f64 + 1.0) - *value;
            }
        }
        let shorter: Vec<Vec<f64>> = pool.iter().map(|column| column[..cut].to_vec()).collect();
        for indicator in REGISTRY {
            let params = small_params(indicator, seed);
            let found = bits(&columns(indicator, &operands(indicator, &pool), &params));
            let later = bits(&columns(indicator, &operands(indicator, &other), &params));
            let less = bits(&columns(indicator, &operands(indicator, &shorter), &params));
            for output in 0..found.len() {
                prop_assert_eq!(&found[output][..cut], &later[output][..cut], "{} {:?}", indicator.name, &params);
                prop_assert_eq!(&found[output][..cut], &less[output][..], "{} {:?}", indicator.name, &params);
                for &value in &found[output] {
                    prop_assert!(!f64::from_bits(value).is_nan() || value == NAN.to_bits());
                    prop_assert!(value != (-12345.0f64).to_bits(), "{} left a row", indicator.name);
                }
            }
        }
    }

    #[test]
    fn long_columns_do_not_look_ahead_across_stripes(len in 2000usize..5000, cut in 0usize..5000, seed in any::<u32>()) {
        let pool: Vec<Vec<f64>> = (0..4u32)
            .map(|c| (0..len as u32).map(|i| f64::from(i.wrapping_mul(2_654_435_761).wrapping_add(seed ^ c) >> 20)).collect())
            .collect();
        let cut = cut.min(len);
        let shorter: Vec<Vec<f64>> = pool.iter().map(|column| column[..cut].to_vec()).collect();
        for name in ["sma", "wma", "stddev", "linearreg", "correl", "mfi", "ultosc", "max", "aroon"] {
            let Some((_, indicator)) = find(name) else { panic!("{name} is missing") };
            let params = small_params(indicator, seed);
            let found = bits(&columns(indicator, &operands(indicator, &pool), &params));
            let less = bits(&columns(indicator, &operands(indicator, &shorter), &params));
            for output in 0..found.len() {
                prop_assert_eq!(&found[output][..cut], &less[output][..], "{}", name);
            }
        }
    }
}
