#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::calendar::date_of;
use crate::rng::Stream;

const STRATEGY: &str = r#"
[params]
fast = { type = "int", min = 5, max = 50, step = 5, default = 10 }
slow = { type = "int", min = 20, max = 200, step = 20, default = 60 }
band = { type = "float", min = 0, max = 0.5, step = 0.1, default = 0 }
flip = { type = "bool", default = false }
[rules]
target = "if((sma(close, fast) > (1 + band) * sma(SPY.close, slow)) == flip, 1, 0)"
"#;

fn strategy() -> Strategy {
    Strategy::parse(STRATEGY, "cross.toml").unwrap()
}

fn facts() -> BundleFacts {
    BundleFacts {
        version: "v1".into(),
        name: "mag".into(),
        symbols: ["AAPL", "AMZN", "MSFT", "SPY"].map(String::from).to_vec(),
        first: date_of(2000, 1, 3).unwrap(),
        last: date_of(2024, 12, 31).unwrap(),
        frequency: Frequency::Daily,
        calendar: Calendar::Xnys,
        benchmark: Some("SPY".into()),
    }
}

fn plan_of(study: &str) -> Result<Plan> {
    let spec = PlanSpec::parse(study, "study.toml")?;
    spec.require_bundle()?;
    spec.require_strategy()?;
    Plan::resolve(&spec, strategy(), &facts())
}

fn plan(keys: &str) -> Plan {
    plan_of(&format!("bundle = 'b'\nstrategy = 's'\n{keys}")).unwrap()
}

/// `study_cases.txt`: a study after each `=== title`, what the user is told after `---`.
#[test]
fn what_the_user_is_told() {
    let mut told = String::new();
    for case in include_str!("study_cases.txt").split("=== ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let (study, _) = rest.split_once("---\n").unwrap();
        let answer = match plan_of(study) {
            Err(error) => error.to_string(),
            Ok(plan) if plan.warnings().is_empty() => String::from("fine"),
            Ok(plan) => format!("warning: {}", plan.warnings().join("\nwarning: ")),
        };
        told += &format!("=== {title}\n{study}---\n{answer}\n\n");
    }
    if told.trim_end() != include_str!("study_cases.txt").trim_end() {
        for (told, expected) in told.lines().zip(include_str!("study_cases.txt").lines()) {
            assert_eq!(told, expected, "\n{told}");
        }
    }
    assert_eq!(told.trim_end(), include_str!("study_cases.txt").trim_end());
}

#[test]
fn everything_has_a_default_but_bundle_and_strategy() {
    let plan = plan("");
    assert_eq!(*plan.settings(), Settings::default());
    assert_eq!((plan.symbols().len(), plan.seed(), plan.top(), plan.benchmark()), (4, 0, 10, Some("SPY")));
    assert_eq!((plan.start(), plan.end()), (facts().first, facts().last));
    assert_eq!((plan.objective().name, plan.objective().direction), ("sharpe", Direction::Max));
    assert_eq!(plan.space().size(), 10 * 10 * 6 * 2);
    assert_eq!(plan.warmup_bars(), 199);
    assert_eq!(plan.name(), "cross");
    assert!(plan.warnings().is_empty());
}

#[test]
fn every_key_reaches_its_setting() {
    let plan = plan(
        "name = 'n'\nsymbols = ['MSFT', 'AAPL']\nstart = 2010-01-04\nend = '2012-12-31'\ncapital = 5e4\n\
         fill = 'same_close'\nsize_at = 'fill'\nsequence = 'by_value'\nshorts = false\nmargin = 'none'\n\
         fractional = false\nlot = 100\nwarmup = 'none'\nclose_at_end = true\nwhere = 'fast < slow'\n\
         lot_snap = false\nsize_includes_costs = true\nfill_without_volume = true\nrefuse_unpaid_sales = true\nend_at_open = true\n\
         objective = 'max_drawdown'\ndirection = 'min'\ntop = 3\nseed = 7\nbenchmark = 'MSFT'\nrisk_free = 0.02\n\
         output = 'o'\nsearch = { method = 'grid' }\n[costs]\nper_share = 0.005\nper_share_minimum = 1\nper_trade = 2\n\
         bps = 3\nspread = 0.001\nspread_on = 'entry'\nslippage_bps = 4\n[space]\nfast = [5, 10]\nslow = 20\n\
         flip = true\nband = { min = 0, max = 1 }\n",
    );
    let costs = Costs {
        per_share: 0.005,
        per_share_minimum: 1.0,
        per_trade: 2.0,
        bps: 3.0,
        spread: 0.001,
        spread_on: SpreadOn::Entry,
        slippage_bps: 4.0,
        ..Costs::default()
    };
    let settings = Settings {
        capital: 50_000.0,
        fill: Fill::SameClose,
        size_at: SizeAt::Fill,
        sequence: Sequence::ByValue,
        shorts: false,
        margin: Margin::None,
        fractional: false,
        lot: 100.0,
        lot_snap: false,
        size_includes_costs: true,
        fill_without_volume: true,
        refuse_unpaid_sales: true,
        close_at_end: true,
        end_at_open: true,
        costs,
        risk_free: 0.02,
        ..Settings::default()
    };
    assert_eq!(*plan.settings(), settings);
    assert_eq!((plan.name(), plan.symbols()), ("n", ["AAPL", "MSFT"].map(String::from).as_slice()));
    assert_eq!(plan.symbols_to_load(), ["AAPL", "MSFT", "SPY"]);
    assert_eq!((format_date(plan.start()), format_date(plan.end())), ("2010-01-04".into(), "2012-12-31".into()));
    assert_eq!((plan.objective().name, plan.objective().direction), ("max_drawdown", Direction::Min));
    assert_eq!((plan.top(), plan.seed(), plan.benchmark(), plan.output()), (3, 7, Some("MSFT"), Some("o")));
    assert_eq!((plan.warmup_bars(), plan.space().size()), (0, 4));
    assert_eq!(plan.space().conditions().collect::<Vec<_>>(), ["fast < slow"]);
    assert!((plan.risk_free_per_session() - 7.858e-5).abs() < 1e-8);
}

#[test]
fn every_switch_of_orders_and_costs_reaches_its_setting() {
    let study = "touch = 'close'\ntick = 0.05\nentry_bar_exits = 'never'\nstop_limit_fill = 'at_stop'\n\
         beyond_limit = 'wait'\nexit_fill = 'close'\nexit_slippage = false\nlevels_from = 'market'\nresolve = false\n\
         unaffordable = 'reject'\nmargin = 'reg_t'\ninitial_margin = 0.4\nmaintenance_margin = 0.3\n\
         lock_short_cash = true\nmax_positions = 3\nmax_weight = 0.2\nmax_leverage = 2\nmax_order = 100\nmin_order = 5\n\
         volume_limit = 0.1\nhedging = true\ntargets_count_orders = false\nsplit_cash = 'cost_basis'\n\
         delisting_haircut = 0.3\nsequence = 'queue'\n[session]\nflat_at_close = true\ntrade_from = '09:45'\n\
         trade_until = '15:30'\n[costs]\nspread_amount = 0.02\nvolume_impact = 0.1\nsqrt_impact = 0.2\nmaker_bps = 1\n\
         taker_bps = 2\ntiers = [{ from = 0, per_share = 0.0035, minimum = 0.35 }, { from = 300000, bps = 2, per_trade = 1 }]\n\
         tiers_by = 'order_value'\nborrow_bps = 50\ninterest_bps = 100\ndebit_bps = 600\n";
    let plan = plan(study);
    let first = Tier { per_share: 0.0035, minimum: 0.35, ..Tier::default() };
    let second = Tier { from: 300_000.0, bps: 2.0, per_trade: 1.0, ..Tier::default() };
    let tiers = Tiers::new(&[first, second]).unwrap();
    let costs = Costs {
        spread_amount: 0.02,
        volume_impact: 0.1,
        sqrt_impact: 0.2,
        maker_bps: 1.0,
        taker_bps: 2.0,
        tiers,
        tiers_by: TiersBy::OrderValue,
        borrow_bps: 50.0,
        interest_bps: 100.0,
        debit_bps: 600.0,
        ..Costs::default()
    };
    let settings = Settings {
        touch: Touch::Close,
        tick: 0.05,
        entry_bar_exits: EntryBarExits::Never,
        stop_limit_fill: StopLimitFill::AtStop,
        beyond_limit: BeyondLimit::Wait,
        exit_fill: ExitFill::Close,
        exit_slippage: false,
        levels_from: LevelsFrom::Market,
        resolve: false,
        unaffordable: Unaffordable::Reject,
        margin: Margin::RegT,
        initial_margin: 0.4,
        maintenance_margin: 0.3,
        lock_short_cash: true,
        max_positions: 3,
        max_weight: 0.2,
        max_leverage: 2.0,
        max_order: 100.0,
        min_order: 5.0,
        volume_limit: 0.1,
        hedging: true,
        targets_count_orders: false,
        split_cash: SplitCash::CostBasis,
        delisting_haircut: 0.3,
        sequence: Sequence::Queue,
        flat_at_close: true,
        trade_from: 585,
        trade_until: 930,
        costs,
        ..Settings::default()
    };
    assert_eq!(*plan.settings(), settings);
    assert!(plan.warnings().iter().any(|warning| warning.contains("[session]")), "daily bars have no time of day");
}

#[test]
fn a_preset_lies_under_the_other_keys_wherever_it_stands() {
    for study in ["preset = 'zipline'\nvolume_limit = 0.2", "volume_limit = 0.2\npreset = 'zipline'"] {
        let zipline = Conventions::Zipline.settings();
        assert_eq!(*plan(study).settings(), Settings { volume_limit: 0.2, ..zipline });
    }
    let mut spec =
        PlanSpec::parse("bundle = 'b'\nstrategy = 's'\ncapital = 5\nlot = 10\n[costs]\nbps = 1", "s").unwrap();
    spec.set("preset", "backtesting.py").unwrap();
    let peer = Conventions::Backtesting.settings();
    let costs = Costs { bps: 1.0, ..peer.costs };
    assert_eq!(spec.settings, Settings { capital: 5.0, lot: 10.0, costs, ..peer });
}

#[test]
fn conditions_may_stand_in_the_space() {
    let spec =
        PlanSpec::parse("bundle = 'b'\nstrategy = 's'\n[space]\nfast = [5, 10]\nwhere = 'fast < 7'", "s").unwrap();
    assert_eq!(spec.conditions, ["fast < 7"]);
    assert_eq!(spec.space.len(), 1);
}

#[test]
fn options_are_laid_over_the_study() {
    let mut spec = PlanSpec::parse("bundle = 'b'\nstrategy = 's'\n[costs]\nbps = 1\n[space]\nfast = 5", "s").unwrap();
    for (key, value) in [
        ("costs.bps", "5"),
        ("space.fast", "5:100:5"),
        ("param slow", "40"),
        ("param.band", "0.1,0.2"),
        ("space.flip", "true"),
        ("fill", "next_close"),
        ("symbols", "AAPL, MSFT"),
        ("start", "2015-01-02"),
        ("name", "10"),
        ("where", "fast < slow"),
        ("search.method", "grid"),
    ] {
        spec.set(key, value).unwrap();
    }
    let plan = Plan::resolve(&spec, strategy(), &facts()).unwrap();
    assert_eq!((plan.settings().costs.bps, plan.settings().fill), (5.0, Fill::NextClose));
    assert_eq!((plan.space().size(), plan.name(), plan.symbols().len()), (40, "10", 2));
    assert_eq!(format_date(plan.start()), "2015-01-02");
    let mut wrong = |key: &str, value: &str| spec.set(key, value).unwrap_err().to_string();
    assert_eq!(wrong("fil", "x"), "fil=x: unknown key `fil`\n  help: did you mean `fill`?");
    assert_eq!(wrong("costs.bps", "-1"), "costs.bps=-1: `costs.bps` is a number from 0 to 5000, found -1");
    assert_eq!(wrong("space.fast", "1:2:3:4"), "space.fast=1:2:3:4: a range is `min:max` or `min:max:step`");
    assert_eq!(wrong("space.fast", "1:x"), "space.fast=1:x: expected a finite number, found \"x\"");
    spec.set("space.fast", "7:9:5").unwrap();
    assert_eq!(
        Plan::resolve(&spec, strategy(), &facts()).unwrap_err().to_string(),
        "space.fast=7:9:5: parameter `fast`: step 5 does not divide the range from 7 to 9\n  help: the last value \
         reached is 7: make it `max`, or change the step"
    );
}

#[test]
fn a_single_backtest_is_one_point_at_the_defaults() {
    let single = plan("search.method = 'single'\nspace = { slow = 41 }");
    let mut point = Vec::new();
    single.space().point(0, &mut point);
    assert_eq!((single.space().size(), point), (1, vec![10.0, 41.0, 0.0, 0.0]));
    assert_eq!(single.warmup_bars(), 40);
}

#[test]
fn json_and_toml_studies_are_the_same_plan() {
    let json =
        r#"{"bundle": "b", "strategy": "s", "costs": {"bps": 5}, "space": {"fast": [5, 10]}, "start": "2010-01-04"}"#;
    let toml = "bundle = 'b'\nstrategy = 's'\nstart = 2010-01-04\ncosts.bps = 5\n[space]\nfast = [5, 10]";
    assert_eq!(plan_of(json).unwrap().to_json(), plan_of(toml).unwrap().to_json());
}

#[test]
fn the_id_depends_on_what_decides_results_and_on_nothing_else() {
    let id = plan("").id().to_owned();
    assert_eq!(id.len(), 32);
    assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let same = [
        "",
        "top = 5\noutput = 'elsewhere'\nname = 'x'",
        "symbols = ['SPY', 'MSFT', 'AMZN', 'AAPL']",
        "start = 2000-01-03",
        "start = 1999-01-04",
        "benchmark = 'SPY'",
        "direction = 'max'",
        "lot = 100",
        "capital = 100_000.0",
        "fill = 'next_open'",
        "constraints = []",
        "objective = ['sharpe']",
        "search = { method = 'grid', trials = 5, candidates = 5 }",
    ];
    for keys in same {
        assert_eq!(plan(keys).id(), id, "{keys}");
    }
    let mut ids = vec![id];
    let others = [
        "symbols = ['SPY']",
        "start = 2000-01-04",
        "end = 2000-01-04",
        "capital = 100000.01",
        "fill = 'same_close'",
        "costs.bps = 1",
        "costs.slippage_bps = 1",
        "seed = 1",
        "objective = 'cagr'",
        "direction = 'min'",
        "warmup = 'none'",
        "where = 'fast < slow'",
        "space.fast = [10, 5]",
        "space.fast = [5, 10]",
        "benchmark = 'MSFT'",
        "risk_free = 0.01",
        "fractional = false",
        "constraints = 'trades > 5'",
        "objective = 'sharpe + 0'",
        "search.method = 'random'",
        "search = { method = 'random', trials = 100 }",
        "search = { method = 'random', patience = 5 }",
        "search = { method = 'random', robust = true }",
        "search = { method = 'tpe' }",
        "search = { method = 'tpe', generation = 1 }",
        "search = { method = 'tpe', candidates = 5 }",
        "search = { method = 'tpe', target = 1 }",
        "search = { method = 'hyperband' }",
        "search = { method = 'bohb' }",
        "search = { method = 'bohb', candidates = 5 }",
    ];
    ids.extend(others.iter().map(|keys| plan(keys).id().to_owned()));
    let spec = PlanSpec::default();
    let other_bundle = BundleFacts { version: "v2".into(), ..facts() };
    ids.push(Plan::resolve(&spec, strategy(), &other_bundle).unwrap().id().to_owned());
    let other_text = Strategy::parse(&format!("{STRATEGY}# a remark\n"), "cross.toml").unwrap();
    ids.push(Plan::resolve(&spec, other_text, &facts()).unwrap().id().to_owned());
    let renamed = BundleFacts { name: "other".into(), ..facts() };
    assert_eq!(Plan::resolve(&spec, strategy(), &renamed).unwrap().id(), ids[0]);
    let n = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), n);
}

#[test]
fn a_search_makes_steps_of_continuous_ranges() {
    let text = "[params]\na = { type = \"float\", min = 1, max = 100, scale = \"log\", default = 10 }\n\
                b = { type = \"float\", min = 0, max = 0.5, default = 0 }\n[rules]\ntarget = \"if(close > a + b, 1, 0)\"";
    let resolve = |method: &str| {
        let mut spec = PlanSpec::default();
        spec.set("search.method", method).unwrap();
        Plan::resolve(&spec, Strategy::parse(text, "s").unwrap(), &facts())
    };
    assert!(resolve("grid").unwrap_err().message().contains("a grid needs a `step`"));
    let plan = resolve("tpe").unwrap();
    let (a, b) = (&plan.space().axes()[0], &plan.space().axes()[1]);
    assert_eq!((a.len, a.value(0), a.value(200)), (201, 1.0, 100.0));
    assert!((a.value(100) - 10.0).abs() < 1e-12 && a.is_ordered());
    assert_eq!((b.len, b.value(1), b.value(1000)), (1001, 0.0005, 0.5));
    assert_eq!(plan.count_trials(1 << 16), Count { points: 200, exact: true });
    let plan = resolve("bohb").unwrap();
    assert_eq!(plan.count_whole_trials(1 << 16), Count { points: 200, exact: true });
    assert!(plan.count_trials(1 << 16).points > 600, "each on its part of the data");
}

/// The id of one plan, written down: it may change only together with [`ENGINE_FORMAT`].
#[test]
fn the_id_is_the_same_on_every_machine() {
    assert_eq!(plan("costs.bps = 5").id(), "5fdb7c9a3c05f68f763ec95591ab2ab8");
}

#[test]
fn the_warm_up_is_the_longest_over_the_corners() {
    let text = "[params]\na = { type = \"int\", min = 5, max = 50, default = 10 }\n[rules]\ntarget = \"if(close > sma(close, 60 - a), 1, 0)\"";
    let strategy = Strategy::parse(text, "s").unwrap();
    let plan = Plan::resolve(&PlanSpec::default(), strategy, &facts()).unwrap();
    assert_eq!(plan.warmup_bars(), 54);
}

#[test]
fn points_without_meaning_are_pointed_out() {
    let text = "[params]\na = { type = \"int\", min = 1, max = 50, default = 10 }\n[rules]\ntarget = \"if(close > sma(close, a - 5), 1, 0)\"";
    let resolve = |spec: &PlanSpec| Plan::resolve(spec, Strategy::parse(text, "s").unwrap(), &facts());
    let mut spec = PlanSpec::default();
    assert!(resolve(&spec).unwrap().warnings()[0].starts_with("some trials will fail: "));
    spec.set("where", "a > 10").unwrap();
    assert!(resolve(&spec).unwrap().warnings().is_empty());
    spec.set("where", "a > 0").unwrap();
    spec.set("param.a", "2").unwrap();
    assert!(resolve(&spec).unwrap_err().message().contains("but must be a whole number"));
}

/// Random damage to a study: an error or a plan, never a panic, and quickly.
#[test]
fn damaged_studies_do_no_harm() {
    let toml = "bundle = 'b'\nstrategy = 's'\nsymbols = ['AAPL']\nstart = 2010-01-04\nlot = 1e2\nwhere = [\"fast < slow\"]\n\
                search = { method = \"grid\" }\n[costs]\nbps = 0x5\n[space]\nfast = { min = 5, max = 50, step = 5 }\n\
                band = [0.1, 2.5]\nslow = 40\n";
    let json = r#"{"bundle": "b", "strategy": "s", "space": {"fast": {"min": 5, "max": 50}, "band": [0.5]}, "top": 3}"#;
    let pieces = [
        "\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        "=",
        "\n",
        "-",
        "9",
        "e9",
        "999999999999",
        "ü",
        "\u{0}",
        "true",
        ".",
        "nan",
        "inf",
    ];
    let mut accepted = 0;
    let mut random = Stream::new(1, [0, 0]);
    let mut draw = |n: usize| random.below(n as u64) as usize;
    for trial in 0..4000 {
        let mut text: Vec<char> = if trial % 2 == 0 { toml } else { json }.chars().collect();
        for _ in 0..=draw(3) {
            let at = draw(text.len());
            match draw(4) {
                _ if text.is_empty() => break,
                0 => drop(text.remove(at)),
                1 => {
                    let with = draw(text.len());
                    text.swap(at, with);
                }
                2 if draw(8) == 0 => text.truncate(at + 1),
                _ => drop(text.splice(at..at, pieces[draw(pieces.len())].chars())),
            }
        }
        let text: String = text.into_iter().collect();
        accepted += u32::from(plan_of(&text).is_ok());
        let mut spec = PlanSpec::default();
        let (key, value) = text.split_once('=').unwrap_or((&text, ""));
        let _ = spec.set(key, value);
        let _ = spec.set("space.fast", value);
    }
    assert!(accepted > 100, "{accepted} accepted: the damage leaves nothing to test");
}
