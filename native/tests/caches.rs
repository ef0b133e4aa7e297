//! Cache layers, pools and the planner as runs use them: the same bytes whatever is on, one opening for many threads.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Barrier};

use sandtable::files::{open_shared, write_bundle};
use sandtable::record::Phases;
use sandtable::search::{self, Options};
use sandtable_core::bundle::{synth, write::encode};
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::run::planner::Simulator;
use sandtable_core::run::{Caches, Evaluator, Layer, Switches, View};

const STUDY: &str = "bundle = \"mag8\"\nstrategy = \"sma_cross\"\nstart = 2015-01-01\nend = 2016-06-30\n";

fn bundle_at(path: &Path, symbols: u32) {
    write_bundle(path, &encode(&synth::universe(symbols, 2, 1)).unwrap(), true).unwrap();
}

fn results(out: &Path, options: Options) -> (Vec<u8>, serde_json::Value) {
    let spec = PlanSpec::parse(STUDY, "s.toml").unwrap();
    let options = Options { out: out.to_owned(), quiet: true, force: true, ..options };
    let mut phases = Phases::start();
    let resolved = search::open(&spec, &options, &mut phases).unwrap();
    search::search(resolved, &spec, &options, phases).unwrap();
    let runs = std::fs::read_to_string(out.join("runs.jsonl")).unwrap();
    let run = serde_json::from_str(runs.lines().last().unwrap()).unwrap();
    (std::fs::read(out.join("trials/part-000000.parquet")).unwrap(), run)
}

#[test]
fn the_same_bytes_whatever_layers_threads_and_simulator() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let (expected, record) = results(&out, Options { threads: 1, switches: Switches::NONE, ..Options::default() });
    assert_eq!(record["planner"]["layers"]["history"]["value"], false);
    let mut all = vec![Switches::ALL];
    for layer in Layer::ALL {
        all.push(Switches::ALL.without(layer));
        all.push(Layer::ALL.into_iter().filter(|other| *other != layer).fold(Switches::ALL, Switches::without));
    }
    for switches in all {
        for threads in [0, 1, 2, 7] {
            let (bytes, record) = results(&out, Options { threads, switches, ..Options::default() });
            assert!(bytes == expected, "{switches:?} on {threads} threads");
            assert_eq!(record["planner"]["simulator"]["value"], "fast");
            if threads > 0 {
                assert_eq!(record["threads"], threads);
            }
        }
    }
    let (bytes, record) = results(&out, Options { engine: Some(Simulator::Reference), ..Options::default() });
    assert!(bytes == expected, "by the reference simulator");
    assert_eq!(record["engine"], "reference");
    assert_eq!(record["engine_reason"], "--engine reference was asked for");
}

#[test]
fn eight_threads_open_a_bundle_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bundle");
    bundle_at(&path, 20);
    let (caches, barrier) = (Caches::new(1 << 30), Barrier::new(8));
    let opened: Vec<_> = std::thread::scope(|scope| {
        let open = || {
            barrier.wait();
            open_shared(&path, &View::from(&caches)).unwrap()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(opened.iter().all(|bundle| Arc::ptr_eq(bundle, &opened[0])));
    let counters = caches.counters();
    assert_eq!((counters.contexts.misses, counters.contexts.hits), (1, 7));
    assert_eq!((counters.assets.misses, counters.assets.hits), (1, 7));
}

#[test]
fn a_bundle_that_was_written_anew_is_noticed_and_one_that_was_not_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bundle");
    bundle_at(&path, 3);
    let caches = Caches::new(1 << 30);
    let open = || open_shared(&path, &View::from(&caches)).unwrap();
    let first = open();
    assert!(Arc::ptr_eq(&first, &open()));
    bundle_at(&path, 4);
    let revised = open();
    assert_eq!((first.symbols.len(), revised.symbols.len()), (3, 4));
    assert_ne!(first.version, revised.version);
    // The bars are gone, the manifest is there: what is kept needs no file.
    std::fs::remove_file(path.join("bars.parquet")).unwrap();
    assert!(Arc::ptr_eq(&revised, &open()));
    assert!(open_shared(&path, &caches.without(Layer::Contexts)).is_err());
    // What was there before is recognised when it comes back.
    bundle_at(&path, 3);
    assert!(Arc::ptr_eq(&first, &open()));
}

#[test]
fn a_layer_that_is_switched_off_stays_empty() {
    let bundle = synth::universe(3, 2, 1).into_bundle();
    for layer in Layer::ALL {
        let caches = Caches::new(1 << 30);
        let view = caches.without(layer);
        let plan = Plan::from_study("strategy = \"sma_cross\"\n", "s", &BundleFacts::from(&bundle)).unwrap();
        let evaluator = Evaluator::cached(Arc::new(plan), &bundle, &view).unwrap();
        evaluator.detail(&[10.0, 52.0]);
        let counters = caches.counters();
        assert_eq!(counters.of(layer), Default::default(), "{layer:?}");
        assert_eq!(counters.history.entries > 0, layer != Layer::History);
        assert_eq!(counters.contexts.entries > 0, layer != Layer::Contexts);
    }
}

#[test]
fn no_budget_is_exceeded_by_runs_at_once() {
    let bundle = synth::universe(3, 2, 1).into_bundle();
    let caches = Caches::new(100_000);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (caches, bundle) = (&caches, &bundle);
            scope.spawn(move || {
                for k in 0..20 {
                    let plan = Plan::from_study("strategy = \"sma_cross\"\n", "s", &BundleFacts::from(bundle)).unwrap();
                    let evaluator = Evaluator::cached(Arc::new(plan), bundle, caches).unwrap();
                    evaluator.detail(&[f64::from(5 + thread + k), f64::from(60 + k)]);
                    let held = Layer::ALL.map(|layer| caches.counters().of(layer).bytes);
                    assert!(held.iter().sum::<u64>() <= caches.budget(), "{held:?}");
                }
            });
        }
    });
    assert!(caches.counters().history.evictions > 0);
}

fn sandtable(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sandtable")).args(arguments).current_dir(folder).output().unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = sandtable(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn studies_of_one_process_share_layers_and_pools() {
    let folder = tempfile::tempdir().unwrap();
    // Columns of this one are held; those of crossovers pass by while they are compared.
    std::fs::write(folder.path().join("s.toml"), STUDY.replace("sma_cross", "rsi_mean_reversion")).unwrap();
    let study = |more: &[&str]| {
        let arguments = [&["cache", "stats", "s.toml", "s.toml", "--json"], more].concat();
        json(folder.path(), &arguments)
    };
    let reports = study(&["--threads", "2"]);
    let (first, second) = (&reports[0], &reports[1]);
    assert_eq!(first["trials"], second["trials"]);
    assert_eq!((&first["cache"]["contexts"]["misses"], &second["cache"]["contexts"]["misses"]), (&2.into(), &0.into()));
    assert_eq!(second["cache"]["contexts"]["hits"], 2);
    assert_eq!(second["cache"]["history"]["misses"], 0, "every column is there already");
    assert!(second["cache"]["history"]["promoted"].as_u64().unwrap() > 0);
    assert_eq!(second["pools"].as_array().unwrap().len(), 1);
    assert!(second["pools"][0]["tasks"].as_u64() > first["pools"][0]["tasks"].as_u64());

    let without = study(&["--no-cache=history,contexts", "--threads", "1"]);
    assert_eq!(without[1]["cache"]["history"]["entries"], 0);
    assert_eq!(without[1]["cache"]["contexts"]["hits"], 0);
    assert!(without[1]["pools"].as_array().unwrap().is_empty(), "one thread needs no pool");
    let text = String::from_utf8(sandtable(folder.path(), &["cache", "stats", "s.toml"]).stdout).unwrap();
    assert!(text.contains("promoted") && text.contains("threads:"), "{text}");
}

#[test]
fn mistakes_about_layers_and_simulators_are_sentences() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.toml"), format!("{STUDY}no_cache = [\"histroy\"]\n")).unwrap();
    std::fs::write(folder.path().join("b.toml"), STUDY.replace("sma_cross", "bracket_breakout")).unwrap();
    let cases: [(&[&str], &[&str]); 4] = [
        (&["optimize", "s.toml"], &["s.toml:5", "histroy", "did you mean `history`"]),
        (&["optimize", "b.toml", "--no-cache", "ram"], &["--no-cache", "`ram`", "assets, history and contexts"]),
        (&["optimize", "b.toml", "--engine", "fats"], &["--engine", "`fats`", "did you mean `fast`"]),
        (&["optimize", "b.toml", "--engine", "fast"], &["does not cover the study", "leave out `--engine fast`"]),
    ];
    for (arguments, words) in cases {
        let output = sandtable(folder.path(), arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
}

#[test]
fn an_estimate_says_how_and_why() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.toml"), STUDY).unwrap();
    let estimate = json(folder.path(), &["optimize", "s.toml", "--estimate", "--json"]);
    for key in ["open", "columns", "trials", "write"] {
        assert!(estimate["phases"][key].as_f64().unwrap() > 0.0, "{key}");
    }
    assert!(estimate["planner"]["threads"]["reason"].as_str().unwrap().len() > 10);
    assert!(estimate["planner"]["simulator"]["reason"].as_str().unwrap().contains("fast path"));
}
