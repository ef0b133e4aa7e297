#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use proptest::prelude::*;

use super::*;
use crate::strategy::Scale;

fn int(name: &str, min: i64, max: i64, step: i64) -> ParamDecl {
    ParamDecl { name: name.into(), domain: Domain::Int { min, max, step }, default: min as f64 }
}

fn space(params: &[ParamDecl], conditions: &[&str]) -> Result<(Space, Vec<String>)> {
    let mut spec = PlanSpec::default();
    spec.conditions.extend(conditions.iter().map(|&condition| condition.to_owned()));
    let mut warnings = Vec::new();
    Ok((Space::resolve(&spec, params, &mut warnings)?, warnings))
}

fn domain() -> impl Strategy<Value = Domain> {
    prop_oneof![
        (-20i64..20, 1i64..7, 0i64..6).prop_map(|(min, step, n)| Domain::Int { min, max: min + n * step, step }),
        (-20i32..20, 1i32..50, 0i32..6).prop_map(|(min, step, n)| Domain::Float {
            min: f64::from(min) / 10.0,
            max: f64::from(min * 10 + n * step) / 100.0,
            step: Some(f64::from(step) / 100.0),
            scale: Scale::Linear,
        }),
        prop::collection::btree_set(-50i32..50, 1..6)
            .prop_map(|set| Domain::Choice { values: set.into_iter().rev().map(f64::from).collect() }),
        Just(Domain::Bool),
    ]
}

fn params() -> impl Strategy<Value = Vec<ParamDecl>> {
    let param = |(i, domain): (usize, Domain)| {
        let default = domain.value(0);
        ParamDecl { name: format!("p{i}"), domain, default }
    };
    prop::collection::vec(domain(), 0..5).prop_map(move |all| all.into_iter().enumerate().map(param).collect())
}

proptest! {
    #[test]
    fn points_and_indices_are_a_bijection_with_the_last_parameter_fastest(params in params()) {
        let (space, _) = space(&params, &[]).unwrap();
        let mut point = Vec::new();
        let mut earlier: Option<Vec<u64>> = None;
        for index in 0..space.size() {
            space.point(index, &mut point);
            prop_assert_eq!(space.index_of(&point), Some(index));
            let digits: Vec<u64> =
                point.iter().zip(&params).map(|(&value, param)| param.domain.index_of(value).unwrap()).collect();
            prop_assert!(earlier.is_none_or(|earlier| earlier < digits));
            earlier = Some(digits);
        }
        prop_assert_eq!(space.size(), params.iter().map(|param| param.domain.len().unwrap()).product::<u64>());
    }

    #[test]
    fn conditions_skip_exactly_the_points_that_fail(params in params(), limit in -50i32..50, first in 0usize..5) {
        prop_assume!(params.iter().all(|param| param.domain != Domain::Bool) && !params.is_empty());
        let first = first % params.len();
        let texts = [format!("p{first} < {limit}"), format!("p0 + p{first} > -40")];
        let Ok((space, _)) = space(&params, &[&texts[0], &texts[1]]) else { return Ok(()) };
        let mut point = Vec::new();
        let by_hand: Vec<u64> = (0..space.size()).filter(|&index| {
            space.point(index, &mut point);
            point[first] < f64::from(limit) && point[0] + point[first] > -40.0
        }).collect();
        prop_assert!((0..space.size()).all(|index| space.is_valid(index) == by_hand.binary_search(&index).is_ok()));
        prop_assert_eq!(space.count_valid(u64::MAX), Count { points: by_hand.len() as u64, exact: true });
        prop_assert_eq!(space.valid_in(0..space.size()).collect::<Vec<u64>>(), by_hand);
    }

    #[test]
    fn shards_are_the_space_without_overlap(params in params(), n in 1u64..9) {
        let condition = if params.iter().any(|p| p.domain == Domain::Bool) || params.len() < 2 { "1 < 2" } else { "p0 < p1" };
        let Ok((space, _)) = space(&params, &[condition]) else { return Ok(()) };
        let mut union = Vec::new();
        let mut end = 0;
        for k in 0..n {
            let shard = space.shard(k, n);
            prop_assert_eq!(shard.start, end);
            end = shard.end;
            prop_assert!(shard.end - shard.start <= space.size() / n + 1);
            union.extend(space.valid_in(shard));
        }
        prop_assert_eq!(end, space.size());
        prop_assert!(space.shard(n, n).is_empty());
        prop_assert_eq!(union, space.valid_in(0..space.size()).collect::<Vec<u64>>());
    }
}

#[test]
fn a_space_of_a_billion_points_is_numbered_and_cut_without_being_made() {
    let params: Vec<ParamDecl> = ["a", "b", "c"].map(|name| int(name, 1, 1000, 1)).to_vec();
    // Only a = 1000 leaves room: whole blocks of a million points are stepped over.
    let (space, warnings) = space(&params, &["a + b + c > 2999", "b > 999", "a > 999"]).unwrap();
    assert!(warnings.is_empty());
    assert_eq!(space.size(), 1_000_000_000);
    assert_eq!(space.valid_in(0..space.size()).collect::<Vec<u64>>(), [999_999_999]);
    let mut point = Vec::new();
    space.point(123_456_789, &mut point);
    assert_eq!(point, [124.0, 457.0, 790.0]);
    assert_eq!(space.index_of(&point), Some(123_456_789));
    assert_eq!(space.shard(1, 3), 333_333_333..666_666_666);
}

#[test]
fn a_count_that_would_take_too_long_is_estimated() {
    let params: Vec<ParamDecl> = ["a", "b", "c"].map(|name| int(name, 1, 1000, 1)).to_vec();
    let (space, _) = space(&params, &["a < b", "b < c"]).unwrap();
    let count = space.count_valid(100_000);
    assert!(!count.exact);
    let truth = 1000.0 * 999.0 * 998.0 / 6.0;
    assert!((count.points as f64 / truth - 1.0).abs() < 0.02, "{count:?}");
}

#[test]
fn a_space_that_may_be_empty_warns_and_one_that_is_empty_is_refused() {
    let params: Vec<ParamDecl> = ["a", "b", "c"].map(|name| int(name, 1, 1000, 1)).to_vec();
    let (_, warnings) = space(&params, &["a + b + c > 3000"]).unwrap();
    assert!(warnings[0].contains("`where` may reject all"), "{warnings:?}");
    let error = space(&params, &["a > b", "b > 1000"]).unwrap_err().to_string();
    assert!(error.contains("rejects every one of the 1000000000 points: `b > 1000`"), "{error}");
    let error = space(&params[..2], &["a > b", "b > a"]).unwrap_err().to_string();
    assert!(error.contains("together, `a > b` and `b > a`"), "{error}");
}

#[test]
fn more_points_than_numbers_are_refused() {
    let params: Vec<ParamDecl> = (0..5).map(|i| int(&format!("p{i}"), 1, 100_000, 1)).collect();
    let error = space(&params, &[]).unwrap_err().to_string();
    assert!(error.contains("more points than a 64-bit number can name: p0 (100000) × p1 (100000)"), "{error}");
    assert!(space(&params[..3], &[]).is_ok());
}

#[test]
fn a_space_without_parameters_has_one_point() {
    let (space, _) = space(&[], &[]).unwrap();
    assert_eq!((space.size(), space.index_of(&[]), space.is_valid(0)), (1, Some(0), true));
    assert_eq!(space.valid_in(0..9).collect::<Vec<u64>>(), [0]);
}
