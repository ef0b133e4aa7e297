//! What an audit runs: crossovers of two averages, as one grid, over walking windows, or in growing numbers.

use std::path::{Path, PathBuf};

use sandtable_core::bundle::read::Selection;
use sandtable_core::bundle::write::encode;
use sandtable_core::bundle::{BundleDraft, Manifest};
use sandtable_core::calendar::{civil, date_of, format_date};
use sandtable_core::plan::{BundleFacts, Plan, PlanSpec};
use sandtable_core::strategy::Strategy;
use sandtable_core::{Error, Result};

use crate::files::{self, Opened};

/// No average of any grid is longer, in bars.
const SLOWEST: u32 = 250;
/// Days of a part of a walk-forward search, at least.
const MIN_SPAN_DAYS: i32 = 30;

/// A bundle's folder and what of it is used.
#[derive(Clone, Debug)]
pub struct Data {
    /// Where the bundle is.
    pub path: PathBuf,
    /// Symbols that are traded.
    pub symbols: Vec<String>,
    /// First and last date, days since 1970-01-01.
    pub dates: (i32, i32),
}

impl Data {
    /// The first `assets` symbols of a bundle (its first eight, or all, where nothing is said) between two dates (its
    /// own where nothing is said).
    ///
    /// # Errors
    /// The bundle has fewer symbols, or the dates are not its own or in the wrong order.
    pub fn select(path: &Path, manifest: &Manifest, assets: Option<usize>, dates: [Option<i32>; 2]) -> Result<Data> {
        let held = manifest.symbols.len();
        let wanted = assets.unwrap_or(held.min(8));
        if wanted > held || held == 0 {
            return Err(Error::plan(format!("`--num-assets {wanted}`: {} has {held} symbols", path.display()))
                .help(format!("ask for at most {held}, or leave the option out")));
        }
        let facts = BundleFacts::from(manifest);
        let (from, to) = (dates[0].unwrap_or(facts.first), dates[1].unwrap_or(facts.last));
        if from > to || from > facts.last || to < facts.first {
            return Err(Error::plan(format!(
                "no bars from {} to {}: {} has bars from {} to {}",
                format_date(from),
                format_date(to),
                path.display(),
                format_date(facts.first),
                format_date(facts.last)
            ))
            .help("choose other dates with --start-date and --end-date"));
        }
        let symbols = manifest.symbols.iter().take(wanted).map(|entry| entry.symbol.clone()).collect();
        Ok(Data { path: path.to_owned(), symbols, dates: (from.max(facts.first), to.min(facts.last)) })
    }

    /// One symbol over one year: the first symbol, in the last whole calendar year within the dates that it has bars
    /// for; all of its dates where there is no whole year.
    pub fn symbol_year(&self, manifest: &Manifest) -> Data {
        let symbol = self.symbols.first().cloned().unwrap_or_default();
        let held = manifest.symbols.iter().find(|entry| entry.symbol == symbol);
        let (first, last) = held.map_or(self.dates, |entry| (entry.first, entry.last));
        let (from, to) = (self.dates.0.max(first), self.dates.1.min(last));
        let year = (civil(from).0..=civil(to).0).rev().find_map(|year| {
            let (start, end) = (date_of(year, 1, 1)?, date_of(year, 12, 31)?);
            // The first and last sessions of a year lie up to four days inside it.
            (from <= start + 4 && end - 4 <= to).then_some((start, end))
        });
        let dates = year.unwrap_or(if from <= to { (from, to) } else { self.dates });
        Data { path: self.path.clone(), symbols: vec![symbol], dates }
    }
}

/// Writes a bundle of one symbol's year and the bars before it that averages start from into `folder`: what the sweep
/// opens, so that its set-up is that of its own data.
///
/// # Errors
/// The bundle cannot be read, or the folder not be written.
pub fn write_symbol_year(data: &Data, folder: &Path) -> Result<Data> {
    let year = data.symbol_year(&files::read_manifest(&data.path)?);
    let selection = Selection {
        symbols: Some(year.symbols.clone()),
        from: Some(year.dates.0),
        to: Some(year.dates.1),
        fields: None,
        warmup_bars: Some(SLOWEST),
    };
    let Opened { bundle, actions, .. } = files::open(&data.path, selection)?;
    let mut draft = BundleDraft::of(&bundle, "", "", &actions);
    draft.benchmark = draft.benchmark.filter(|symbol| draft.symbols.contains(symbol));
    let path = folder.join("year.bundle");
    files::write_bundle(&path, &encode(&draft)?, false)?;
    Ok(Data { path, ..year })
}

/// Backtests over the same bars: the first `trials` points of a grid of two parameters.
#[derive(Clone, Debug)]
pub struct Study {
    strategy: String,
    spec: PlanSpec,
    /// Number of backtests.
    pub trials: u64,
}

impl Study {
    /// So many crossovers of two moving averages, `sma(close, fast) > sma(close, slow)`, at 5 + 2 basis points.
    ///
    /// # Errors
    /// None that a caller can cause: settings that do not fit their keys.
    pub fn crossovers(data: &Data, dates: (i32, i32), trials: u64) -> Result<Study> {
        let mut spec = PlanSpec::new("audit");
        let settings = [
            ("symbols", data.symbols.join(",")),
            ("start", format_date(dates.0)),
            ("end", format_date(dates.1)),
            ("costs.bps", "5".to_owned()),
            ("costs.slippage_bps", "2".to_owned()),
        ];
        for (key, value) in settings {
            spec.set(key, &value)?;
        }
        let (fast, slow) = axes(trials);
        let strategy = format!(
            "name = \"crossover\"\n[params]\nfast = {fast}\nslow = {slow}\n[rules]\n\
             target = \"if(sma(close, fast) > sma(close, slow), 1 / n_symbols, 0)\"\nrebalance = \"on_change\"\n"
        );
        Ok(Study { strategy, spec, trials })
    }

    /// The plan over a bundle.
    ///
    /// # Errors
    /// The bundle lacks the symbols or the dates.
    pub fn plan(&self, facts: &BundleFacts) -> Result<Plan> {
        Plan::resolve(&self.spec, Strategy::parse(&self.strategy, "audit")?, facts)
    }
}

/// Two axes whose grid has at least so many points: few and far apart for few, as W2 and W1 of the workloads.
fn axes(trials: u64) -> (String, String) {
    let range = |min: u64, step: u64, count: u64| {
        format!("{{ type = \"int\", min = {min}, max = {}, step = {step} }}", min + step * (count - 1))
    };
    let fast = (1..).find(|side| side * side >= trials).unwrap_or(1);
    let slow = trials.div_ceil(fast).max(1);
    match fast {
        ..=5 => (range(10, 10, fast), range(20, 20, slow)),
        6..=20 => (range(5, 5, fast), range(22, 10, slow)),
        _ => (range(2, (100 / fast).max(1), fast), range(22, (210 / slow).max(1), slow)),
    }
}

/// What one measurement runs.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Bundle, symbols and dates.
    pub data: Data,
    /// Studies in order, each with the one over whose dates its best trial is run again.
    pub steps: Vec<(Study, Option<Study>)>,
}

impl Workload {
    /// One grid over all dates.
    ///
    /// # Errors
    /// As [`Study::crossovers`].
    pub fn grid(data: &Data, trials: u64) -> Result<Workload> {
        Ok(Workload { data: data.clone(), steps: vec![(Study::crossovers(data, data.dates, trials)?, None)] })
    }

    /// The dates cut into one part more than there are windows. Each window searches one part and runs the best trial
    /// on the next, which the following window then searches.
    ///
    /// # Errors
    /// Parts shorter than 30 days.
    pub fn walk_forward(data: &Data, windows: u32, trials: u64) -> Result<Workload> {
        let parts = i64::from(windows) + 1;
        let days = i64::from(data.dates.1) - i64::from(data.dates.0) + 1;
        if days / parts < i64::from(MIN_SPAN_DAYS) {
            return Err(Error::plan(format!(
                "{windows} windows cut {days} days into parts of {} days; each needs {MIN_SPAN_DAYS} at least",
                days / parts
            ))
            .help("ask for fewer with --num-windows, or for more dates with --start-date and --end-date"));
        }
        let edge = |part: i64| (i64::from(data.dates.0) + days * part / parts) as i32;
        let span = |part: i64| (edge(part), edge(part + 1) - 1);
        let window = |k: i64| {
            let test = Study::crossovers(data, span(k + 1), trials)?;
            Ok((Study::crossovers(data, span(k), trials)?, Some(test)))
        };
        Ok(Workload { data: data.clone(), steps: (0..i64::from(windows)).map(window).collect::<Result<_>>()? })
    }

    /// Number of backtests.
    pub fn backtests(&self) -> u64 {
        self.steps.iter().map(|(study, then)| study.trials + u64::from(then.is_some())).sum()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use sandtable_core::bundle::synth;
    use sandtable_core::calendar::parse_date;

    fn data() -> (Data, BundleFacts) {
        let bundle = synth::mag8(synth::MAG8_SEED).into_bundle();
        let facts = BundleFacts::from(&bundle);
        let dates = (parse_date("2010-01-01").unwrap(), parse_date("2015-12-31").unwrap());
        (Data { path: "mag8".into(), symbols: facts.symbols.clone(), dates }, facts)
    }

    #[test]
    fn grids_have_at_least_the_points_that_are_asked_for() {
        let (data, facts) = data();
        for trials in [1, 2, 5, 25, 26, 50, 100, 399, 400, 1000, 10_000] {
            let plan = Study::crossovers(&data, data.dates, trials).unwrap().plan(&facts).unwrap();
            let size = plan.space().size();
            assert!(size >= trials && size <= trials + 2 * trials.isqrt() + 1, "{trials}: {size}");
            assert!(plan.warmup_bars() <= u64::from(SLOWEST), "{trials}: {}", plan.warmup_bars());
        }
        assert_eq!(axes(25).0, "{ type = \"int\", min = 10, max = 50, step = 10 }");
        assert_eq!(axes(400).1, "{ type = \"int\", min = 22, max = 212, step = 10 }");
    }

    #[test]
    fn windows_meet_without_gaps_and_each_is_tested_on_the_next() {
        let (data, facts) = data();
        let workload = Workload::walk_forward(&data, 5, 4).unwrap();
        assert_eq!((workload.steps.len(), workload.backtests()), (5, 25));
        let dates = |study: &Study| {
            let plan = study.plan(&facts).unwrap();
            (plan.start(), plan.end())
        };
        for (k, (train, test)) in workload.steps.iter().enumerate() {
            let test = dates(test.as_ref().unwrap());
            assert!(dates(train).1 < test.0);
            if let Some((next, _)) = workload.steps.get(k + 1) {
                assert_eq!(dates(next), test);
            }
        }
        assert_eq!(dates(&workload.steps[0].0).0, data.dates.0);
        assert!(Workload::walk_forward(&data, 90, 4).unwrap_err().to_string().contains("--num-windows"));
    }
}
