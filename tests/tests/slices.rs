//! A bundle cut to what a plan reads gives the bits of the whole bundle, and reads much less.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use sandtable_core::bundle::manifest::MANIFEST_FILE;
use sandtable_core::bundle::read::{Reader, Selection, Step};
use sandtable_core::bundle::write::encode;
use sandtable_core::bundle::{Bundle, BundleDraft, Manifest, synth};
use sandtable_core::cache::History;
use sandtable_core::plan::{BundleFacts, Plan};
use sandtable_core::run::{Caches, Evaluator};
use sandtable_tests::random;

struct Stored {
    manifest: Manifest,
    files: BTreeMap<String, Bytes>,
}

impl Stored {
    fn of(draft: &BundleDraft) -> Stored {
        let files: BTreeMap<String, Bytes> =
            encode(draft).unwrap().into_iter().map(|(name, bytes)| (name, Bytes::from(bytes))).collect();
        Stored { manifest: Manifest::parse(&files[MANIFEST_FILE]).unwrap(), files }
    }

    fn bars_bytes(&self) -> usize {
        self.files.iter().filter(|(name, _)| name.ends_with(".parquet")).map(|(_, bytes)| bytes.len()).sum()
    }

    fn read(&self, selection: Selection) -> (Bundle, usize) {
        let mut reader = Reader::with_manifest(self.manifest.clone(), selection).unwrap();
        let mut read = 0;
        loop {
            match reader.step().unwrap() {
                Step::Need(ranges) => {
                    for range in ranges {
                        let bytes = self.files[&range.file].slice(range.start as usize..range.end as usize);
                        read += bytes.len();
                        reader.give(&range.file, range.start, bytes).unwrap();
                    }
                }
                Step::Ready(bundle) => return (bundle, read),
            }
        }
    }
}

fn same_bits(study: &str, stored: &Stored, whole: &Bundle) -> usize {
    let facts = BundleFacts::from(whole);
    assert_eq!(facts, BundleFacts::from(&stored.manifest), "a manifest says what the bars say");
    let plan = Arc::new(Plan::from_study(study, "slices", &facts).unwrap_or_else(|error| panic!("{error}\n{study}")));
    let (slice, read) = stored.read(plan.selection());
    let history = || Arc::new(History::new(1 << 24));
    let of_whole = Evaluator::new(plan.clone(), whole, history()).unwrap_or_else(|error| panic!("{error}\n{study}"));
    let of_slice = Evaluator::new(plan.clone(), &slice, history()).unwrap_or_else(|error| panic!("{error}\n{study}"));
    let size = plan.space().size();
    for index in [0, size / 3, size - 1] {
        let mut point = Vec::new();
        plan.space().point(index, &mut point);
        // Debug prints every bit of a float, NaN included.
        let (a, b) = (of_whole.detail(&point), of_slice.detail(&point));
        assert_eq!(format!("{a:?}"), format!("{b:?}"), "trial {index} of\n{study}");
    }
    read
}

#[test]
fn a_slice_of_the_synthetic_bundle() {
    let draft = synth::mag8(synth::MAG8_SEED);
    let stored = Stored::of(&draft);
    let whole = draft.into_bundle();
    let names = whole.symbols.clone();
    let two = format!("symbols = [\"{}\", \"{}\"]\n", names[1], names[5]);
    let foreign = format!(
        "strategy_text = '''\nname = \"relative\"\n[rules]\n\
         target = \"if({}.close > sma({}.close, 50) and close > sma(close, 30), 1 / n_symbols, 0)\"\n'''\n",
        names[0], names[0]
    );
    let rest = "start = \"2015-06-01\"\nend = \"2019-03-29\"\n";
    let bytes = stored.bars_bytes();
    for (study, at_most) in [
        (format!("strategy = \"sma_cross\"\n{two}"), 0.4),
        (format!("strategy = \"sma_cross\"\n{two}{rest}"), 0.2),
        (format!("strategy = \"momentum_rotation\"\n{rest}"), 0.7),
        (format!("{foreign}{two}{rest}"), 0.3),
        (format!("strategy = \"bollinger\"\nbenchmark = \"{}\"\n{two}{rest}", names[7]), 0.3),
        (format!("strategy = \"rsi_mean_reversion\"\nwarmup = \"none\"\n{rest}"), 0.7),
        // Listed after the dates: it stays in the plan, without a bar.
        ("strategy = \"sma_cross\"\nstart = \"2003-01-02\"\nend = \"2005-12-30\"\n".to_owned(), 0.5),
    ] {
        let read = same_bits(&study, &stored, &whole);
        assert!((read as f64) < at_most * bytes as f64, "{read} of {bytes} bytes for\n{study}");
    }
}

#[test]
fn slices_of_ragged_bundles() {
    let mut compared = 0;
    for case in 0..60 {
        let mut random = sandtable_core::rng::Stream::new(77, [case, 0]);
        let days = 200 + random.below(2_000) as usize;
        let symbols = 2 + random.below(4) as usize;
        let bundle = random::bundle(&mut random, symbols, days);
        let stored = Stored::of(&BundleDraft::of(&bundle, "", "", &[]));
        // Encoding names the content; the bundle in memory may have been named otherwise.
        let whole = stored.read(Selection::all()).0;
        let (first, last) = {
            let facts = BundleFacts::from(&whole);
            (facts.first, facts.last)
        };
        let span = (last - first).max(2) as u64;
        let from = first + random.below(span) as i32;
        let to = from + random.below(span) as i32;
        let date = sandtable_core::calendar::format_date;
        let study = format!(
            "strategy = \"sma_cross\"\nsymbols = [\"{}\"]\nstart = \"{}\"\nend = \"{}\"\n",
            whole.symbols[random.below(whole.symbols.len() as u64) as usize],
            date(from),
            date(to)
        );
        let facts = BundleFacts::from(&whole);
        let plan = Plan::from_study(&study, "slices", &facts);
        let Ok(plan) = plan else { continue };
        if Evaluator::new(Arc::new(plan), &whole, Arc::new(History::new(0))).is_err() {
            continue;
        }
        same_bits(&study, &stored, &whole);
        compared += 1;
    }
    assert!(compared > 30, "only {compared} cases say anything");
}

#[test]
fn a_cached_panel_changes_nothing_and_is_found_again() {
    let whole = synth::mag8(synth::MAG8_SEED).into_bundle();
    let caches = Caches::new(64 << 20);
    let detail = |costs: &str, cached: bool| {
        let study = format!("strategy = \"sma_cross\"\n[costs]\nbps = {costs}\n");
        let plan = Arc::new(Plan::from_study(&study, "cached", &BundleFacts::from(&whole)).unwrap());
        let evaluator = if cached {
            Evaluator::cached(plan, &whole, &caches).unwrap()
        } else {
            Evaluator::new(plan, &whole, Arc::new(History::new(0))).unwrap()
        };
        let mut point = Vec::new();
        evaluator.plan.space().point(5, &mut point);
        format!("{:?}", evaluator.detail(&point))
    };
    for costs in ["0", "5", "10"] {
        assert_eq!(detail(costs, true), detail(costs, false));
    }
    let counters = caches.counters();
    assert_eq!((counters.contexts.misses, counters.contexts.hits), (1, 2));
    assert!(counters.history.hits > 0, "{counters:?}");
}

#[test]
fn a_selection_covers_what_lies_inside_of_it() {
    let outer = Selection {
        symbols: Some(vec!["A".into(), "B".into()]),
        from: Some(100),
        to: Some(200),
        fields: None,
        warmup_bars: Some(20),
    };
    let inner = |change: &dyn Fn(&mut Selection)| {
        let mut selection = outer.clone();
        change(&mut selection);
        outer.covers(&selection)
    };
    assert!(inner(&|_| ()) && Selection::all().covers(&outer));
    assert!(inner(&|s| s.symbols = Some(vec!["B".into()])) && inner(&|s| s.from = Some(150)));
    assert!(inner(&|s| s.to = Some(150)) && inner(&|s| s.warmup_bars = Some(3)));
    assert!(!inner(&|s| s.symbols = None) && !inner(&|s| s.from = Some(99)) && !inner(&|s| s.from = None));
    assert!(!inner(&|s| s.to = Some(201)) && !inner(&|s| s.warmup_bars = Some(21)));
}
