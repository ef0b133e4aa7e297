//! Fingerprints of the whole line, from a made-up bundle to the bytes of its results.

use std::sync::Arc;

use sandtable_core::Result;
use sandtable_core::bundle::write::encode;
use sandtable_core::bundle::{Bundle, synth};
use sandtable_core::cache::History;
use sandtable_core::context::Prepared;
use sandtable_core::plan::{BundleFacts, Method, Plan, PlanSpec, Words};
use sandtable_core::results::ParquetSink;
use sandtable_core::run::{Detail, Evaluator, Exploration, Scratch, Workers};
use sandtable_core::strategy::{Strategy, gallery};

use super::Bits;

/// Trials of each strategy of the gallery, spread over its space.
const TRIALS: u64 = 5;

/// Bytes for columns: little enough that some are dropped on the way.
const HISTORY: u64 = 8_000_000;

/// Costs that touch every trade, so that each number has gone through a rounding.
const COSTS: &str = "[costs]\nbps = 5\nslippage_bps = 2\n";

/// What every study here begins with.
const STUDY: &str = "bundle = \"mag8\"\nstrategy = \"any\"\n";

/// Trials of a search that is no grid; of one by budgets, as much data.
const SEARCHED: u64 = 30;

/// A grid small enough to be evaluated whole.
const GRID: &str = "[space]\nfast = [5, 20, 45, 100]\nslow = [22, 52, 112, 212]\n";

/// The workload W1: 400 crossovers over the whole bundle.
const W1: &str = "[space]\nfast = { type = \"int\", min = 5, max = 100, step = 5 }\n\
                  slow = { type = \"int\", min = 22, max = 212, step = 10 }\n";

/// Name and hash of the files of a bundle, of trials of every strategy of the gallery, and of grids' results.
pub(super) fn line(workers: &mut impl Workers, chunk: usize) -> Result<Vec<(String, String)>> {
    let draft = synth::mag8(synth::MAG8_SEED);
    let mut all: Vec<(String, String)> =
        encode(&draft)?.iter().map(|(file, bytes)| (format!("bundle/{file}"), Bits::of_bytes(bytes))).collect();
    let bundle = draft.into_bundle();
    for (name, source) in gallery() {
        all.push((format!("trials/{name}"), trials(&evaluator(COSTS, source, name, &bundle)?)));
    }
    if let Some((name, source)) = gallery().iter().find(|(name, _)| *name == "sma_cross") {
        for (grid_name, space) in [("small", GRID), ("W1", W1)] {
            let evaluator = evaluator(&format!("{COSTS}{space}"), source, name, &bundle)?;
            let exploration = explored(evaluator, workers, chunk)?;
            all.push((format!("results/{grid_name}"), Bits::of_bytes(&parquet(&exploration)?)));
            all.push((format!("judgement/{grid_name}"), judgement(&exploration, workers)?));
        }
        for &(word, method) in Method::ALL.iter().filter(|(_, method)| method.is_guided()) {
            let objective = if method == Method::Nsga2 { "[\"sharpe\", \"max_drawdown\"]" } else { "\"sharpe\"" };
            let search = format!("objective = {objective}\n[search]\nmethod = \"{word}\"\ntrials = {SEARCHED}\n");
            let exploration =
                explored(evaluator(&format!("{search}{COSTS}{W1}"), source, name, &bundle)?, workers, chunk)?;
            all.push((format!("search/{word}"), Bits::of_bytes(&parquet(&exploration)?)));
        }
    }
    Ok(all)
}

fn evaluator(study: &str, source: &str, name: &str, bundle: &Bundle) -> Result<Evaluator> {
    let spec = PlanSpec::parse(&format!("{STUDY}{study}"), "parity.toml")?;
    let plan = Plan::resolve(&spec, Strategy::parse(source, name)?, &BundleFacts::from(bundle))?;
    Evaluator::new(Arc::new(plan), bundle, Arc::new(History::new(HISTORY)))
}

/// Metrics of some trials, and everything of the last one.
fn trials(evaluator: &Evaluator) -> String {
    let mut bits = Bits::default();
    let mut scratch = Scratch::default();
    let (size, mut point) = (evaluator.plan.space().size(), Vec::new());
    for index in (0..TRIALS).map(|k| spread(k, size)) {
        evaluator.plan.space().point(index, &mut point);
        let outcome = evaluator.trial(index, &point, &Prepared::default(), &mut scratch);
        bits.floats(&outcome.metrics);
        bits.word(outcome.rows_read);
        bits.word(outcome.fills);
    }
    whole(&evaluator.detail(&point), &mut bits);
    bits.hex()
}

fn whole(detail: &Detail, bits: &mut Bits) {
    detail.time.iter().for_each(|time| bits.word(*time as u64));
    for series in [&detail.equity, &detail.session_equity, &detail.benchmark_equity] {
        bits.floats(series);
    }
    for fill in &detail.fills {
        bits.word(u64::from(fill.bar) << 32 | u64::from(fill.symbol));
        bits.floats(&[fill.quantity, fill.price, fill.fee]);
    }
    for trade in &detail.trades {
        bits.word(u64::from(trade.entry_bar) << 32 | u64::from(trade.exit_bar));
        bits.floats(&[trade.quantity, trade.entry_price, trade.exit_price, trade.fees, trade.profit]);
    }
}

/// All trials of a plan.
fn explored(evaluator: Evaluator, workers: &mut impl Workers, chunk: usize) -> Result<Exploration> {
    let mut exploration = Exploration::new(evaluator)?;
    while !exploration.step(chunk, workers).done {}
    Ok(exploration)
}

/// The bytes of one file of results.
fn parquet(exploration: &Exploration) -> Result<Vec<u8>> {
    let mut sink = ParquetSink::new(Vec::new(), exploration.results().schema().clone())?;
    sink.append(exploration.results())?;
    sink.finish()
}

/// All that is said of a search: each number and each word of it, those that are added later too. A number's text is the
/// shortest one that only its bits have.
fn judgement(exploration: &Exploration, workers: &mut impl Workers) -> Result<String> {
    let found = exploration.judgement(workers)?;
    Ok(Bits::of_bytes(format!("{found:?}").as_bytes()))
}

/// The k-th of a few indices that differ in every parameter, not only in the slowest one.
fn spread(k: u64, size: u64) -> u64 {
    // Multiples of a prime near the golden section of 2^32.
    (k + 1) * 2_654_435_761 % size
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail")]

    use super::*;
    use sandtable_core::run::OneThread;

    #[test]
    fn what_is_compared_has_traded() {
        let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
        for (name, source) in gallery() {
            let evaluator = evaluator(COSTS, source, name, &bundle).unwrap();
            let mut fills = 0;
            for k in 0..TRIALS {
                let mut point = Vec::new();
                evaluator.plan.space().point(spread(k, evaluator.plan.space().size()), &mut point);
                let detail = evaluator.detail(&point);
                fills += detail.fills.len();
                assert!(detail.equity.iter().all(|equity| equity.is_finite()), "{name}");
            }
            assert!(fills > 100, "{name}: {fills} fills");
        }
        let (name, source) = gallery().iter().find(|(name, _)| *name == "sma_cross").unwrap();
        let evaluator = evaluator(&format!("{COSTS}{GRID}"), source, name, &bundle).unwrap();
        assert_eq!(evaluator.plan.space().size(), 16);
        let exploration = explored(evaluator, &mut OneThread::default(), 5).unwrap();
        let judgement = exploration.judgement(&mut OneThread::default()).unwrap().unwrap();
        assert_eq!((judgement.trials, judgement.compared), (16, 16));
        assert!(judgement.overfitting.is_some() && judgement.superiority.is_some());
    }
}
