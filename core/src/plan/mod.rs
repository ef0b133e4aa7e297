//! Plans: what is to be computed, validated once.
//!
//! Given what the user typed ([`PlanSpec`]), a checked strategy and the facts of a bundle, this room gives a [`Plan`]:
//! the space of trials, the switches of the simulation, dates, symbols, objective, seed, and an id that names all of
//! it. After validation nothing here returns an error. It never knows how a trial is evaluated.

pub mod brackets;
mod canonical;
mod folding;
mod keys;
mod presets;
mod score;
mod scoring;
mod searching;
mod settings;
mod source;
mod space;
mod spec;

use std::sync::Arc;

use serde_json::{Value, json};

pub(crate) use canonical::to_string as canonical_json;
pub use folding::{Division, Folding};
pub use keys::{KEYS, Key};
pub use presets::Conventions;
pub use score::Score;
pub use scoring::Scoring;
pub use searching::{Acquisition, MOST_GUIDED_TRIALS, Method, Refinement, Restarts, Searching};
pub use settings::{
    BeyondLimit, Costs, Direction, EntryBarExits, ExitFill, Fill, LevelsFrom, MOST_TIERS, Margin, Sequence, Settings,
    SizeAt, SplitCash, SpreadOn, StopLimitFill, Tier, Tiers, TiersBy, Touch, Unaffordable, Warmup, Words,
};
pub(crate) use space::Walk;
pub use space::{Axis, Count, ParamKind, Space, ValidIn};
pub use spec::{PlanSpec, SpaceEntry, StrategySource};

use crate::bundle::read::Selection;
use crate::bundle::{Bundle, Frequency, Manifest};
use crate::calendar::{Calendar, format_date};
use crate::context::{Adjust, BarSize};
use crate::error::{Error, Result, nearest};
use crate::folds::{Folds, Gap};
use crate::metrics::{self, Better};
use crate::num;
use crate::strategy::{Rules, SizeIn, Strategy, from_gallery};

/// Number of the engine's meaning. It changes whenever the same plan would give other results.
pub const ENGINE_FORMAT: u32 = 3;

/// Trials of one batch. It belongs to the plan, not to the machine, so that batches are the same everywhere.
pub const BATCH: u32 = 256;

/// Parameters with more than one value whose combinations of extremes are all looked at: 2^10 corners.
const MOST_MOVING: usize = 10;

/// What a plan has to know of a bundle.
#[derive(Clone, Debug, PartialEq)]
pub struct BundleFacts {
    /// Content hash.
    pub version: String,
    /// Name for people.
    pub name: String,
    /// Symbols, ascending.
    pub symbols: Vec<String>,
    /// First session, days since 1970-01-01.
    pub first: i32,
    /// Last session.
    pub last: i32,
    /// Bar spacing.
    pub frequency: Frequency,
    /// Sessions.
    pub calendar: Calendar,
    /// Symbol that stands for the market, if one was named.
    pub benchmark: Option<String>,
}

impl From<&Bundle> for BundleFacts {
    fn from(bundle: &Bundle) -> Self {
        let sessions =
            || bundle.bars.iter().flat_map(|bars| bars.session.first().into_iter().chain(bars.session.last()));
        BundleFacts {
            version: bundle.version.clone(),
            name: bundle.name.clone(),
            symbols: bundle.symbols.clone(),
            first: sessions().copied().min().unwrap_or(0),
            last: sessions().copied().max().unwrap_or(0),
            frequency: bundle.frequency,
            calendar: bundle.calendar,
            benchmark: bundle.benchmark.clone(),
        }
    }
}

impl From<&Manifest> for BundleFacts {
    /// The same facts as those of the whole bundle, without its bars.
    fn from(manifest: &Manifest) -> Self {
        BundleFacts {
            version: manifest.version.clone(),
            name: manifest.name.clone(),
            symbols: manifest.symbols.iter().map(|entry| entry.symbol.clone()).collect(),
            first: manifest.symbols.iter().map(|entry| entry.first).min().unwrap_or(0),
            last: manifest.symbols.iter().map(|entry| entry.last).max().unwrap_or(0),
            frequency: manifest.frequency,
            calendar: manifest.calendar,
            benchmark: manifest.benchmark.clone(),
        }
    }
}

/// What ranks trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objective {
    /// Index into [`metrics::TABLE`].
    pub metric: usize,
    /// Its name.
    pub name: &'static str,
    /// Which end of it is wanted.
    pub direction: Direction,
}

/// A validated study: everything that decides its results, and nothing else but names and how much to show.
#[derive(Clone, Debug)]
pub struct Plan {
    id: String,
    name: String,
    bundle: BundleFacts,
    strategy: Arc<Strategy>,
    space: Space,
    settings: Settings,
    symbols: Vec<String>,
    foreign: Vec<String>,
    start: i32,
    end: i32,
    warmup_bars: u64,
    adjust: Adjust,
    bars: BarSize,
    searching: Searching,
    folding: Option<Folding>,
    ranges: Vec<(i32, i32)>,
    scoring: Scoring,
    objective: Objective,
    seed: u64,
    benchmark: Option<String>,
    top: u64,
    output: Option<String>,
    warnings: Vec<String>,
}

/// Switches that contradict each other, the strategy or the bundle.
fn check_settings(
    spec: &PlanSpec,
    settings: &Settings,
    strategy: &Strategy,
    bundle: &BundleFacts,
    warnings: &mut Vec<String>,
) -> Result<()> {
    if settings.margin == Margin::RegT && settings.maintenance_margin > settings.initial_margin {
        return Err(spec
            .fault("maintenance_margin", "`maintenance_margin` is above `initial_margin`")
            .help("what may be opened must be allowed to be held"));
    }
    let intraday = bundle.frequency == crate::bundle::Frequency::Intraday;
    if !intraday && (settings.flat_at_close || settings.trade_from > 0 || settings.trade_until > 0) {
        warnings.push(String::from("keys of [session] have no effect: the bundle's bars are daily or coarser"));
    }
    if intraday && matches!(strategy.rules, Rules::Signals { size_in: SizeIn::Volatility, .. }) {
        return Err(Error::plan("`size_in = \"volatility\"` is for daily bars and coarser ones").help(
            "write the size as an expression, for example `0.1 / (stddev(roc(close, 1) / 100, 390) * sqrt(252 * 390))`",
        ));
    }
    Ok(())
}

/// What of `[search]` and the objectives does not go together.
fn check_searching(spec: &PlanSpec, scoring: &Scoring, warnings: &mut Vec<String>) -> Result<()> {
    let searching = &spec.searching;
    let method = searching.method.word();
    if scoring.goals() > 1 && searching.method != Method::Nsga2 {
        return Err(spec
            .fault("objective", format!("several objectives are not for the method \"{method}\""))
            .help("write `search.method = \"nsga-ii\"`, or one expression: `objective = \"cagr - 2 * volatility\"`"));
    }
    if searching.robust && (scoring.goals() > 1 || !searching.method.is_guided()) {
        return Err(spec
            .fault("search.robust", "`robust` is for a search with one objective that is no grid")
            .help("take a method as \"tpe\", or leave `robust` out"));
    }
    for key in Searching::optional_keys().filter(|key| spec.was_given(key) && !searching.heeds(key)) {
        warnings.push(format!("`{key}` has no effect with the method \"{method}\""));
    }
    Ok(())
}

/// What of `[folds]` does not go together.
fn check_folding(spec: &PlanSpec, scoring: &Scoring, warnings: &mut Vec<String>) -> Result<()> {
    let Some(folding) = &spec.folds else { return Ok(()) };
    folding.check().map_err(|error| error.at(spec.place_of("folds.test_blocks")))?;
    if scoring.goals() > 1 {
        let message = "folds choose one point of each training, and several objectives do not name one";
        return Err(spec
            .fault("objective", message)
            .help("write one expression: `objective = \"cagr - 2 * volatility\"`"));
    }
    for key in folding.idle_keys(|key| spec.was_given(key)) {
        warnings.push(format!("`{key}` has no effect with the scheme \"{}\"", folding.scheme.word()));
    }
    Ok(())
}

impl Plan {
    /// Holds a study against a strategy and a bundle.
    ///
    /// # Errors
    /// Symbols, parameters or metrics that do not exist, dates without data, a space that is empty or has no end, a
    /// combination of parameters for which the strategy's lookback is not defined.
    pub fn resolve(spec: &PlanSpec, strategy: Strategy, bundle: &BundleFacts) -> Result<Plan> {
        let mut warnings = Vec::new();
        let symbols = symbols(spec, bundle, &mut warnings)?;
        let foreign = foreign(spec, &strategy, bundle)?;
        let (start, end) = dates(spec, bundle, &mut warnings)?;
        let space = Space::resolve(spec, &strategy.params, &mut warnings)?;
        check_corners(spec, &strategy, &space, &mut warnings)?;
        let bars = bar_size(spec, &strategy, bundle)?;
        let warmup_bars = match spec.warmup {
            Warmup::Auto => lookback(&strategy, &space, bars, bundle.frequency),
            Warmup::None => 0,
        };
        let mut settings = spec.settings;
        settings.max_positions = u32::try_from(spec.max_positions).unwrap_or(0);
        check_settings(spec, &settings, &strategy, bundle, &mut warnings)?;
        if settings.fractional {
            if spec.lot_given {
                warnings.push("`lot` has no effect while `fractional = true`: add `fractional = false`".into());
            }
            // So that settings which mean the same are the same.
            settings.lot = 1.0;
        }
        let scoring = Scoring::resolve(spec)?;
        check_searching(spec, &scoring, &mut warnings)?;
        check_folding(spec, &scoring, &mut warnings)?;
        let mut plan = Plan {
            id: String::new(),
            name: spec.name.clone().unwrap_or_else(|| strategy.name.clone()),
            bundle: bundle.clone(),
            strategy: Arc::new(strategy),
            space,
            settings,
            symbols,
            foreign,
            start,
            end,
            warmup_bars,
            adjust: spec.adjust,
            bars,
            searching: spec.searching,
            folding: spec.folds,
            ranges: Vec::new(),
            objective: scoring.objective(),
            scoring,
            seed: spec.seed,
            benchmark: benchmark(spec, bundle, &mut warnings)?,
            top: spec.top,
            output: spec.output.clone(),
            warnings,
        };
        plan.id = plan.compute_id();
        Ok(plan)
    }

    /// Reads a study (TOML, or JSON if the text starts with `{`) and holds it against a bundle. Its strategy is an inline
    /// text or one of the gallery; `file` is the name for messages.
    ///
    /// # Errors
    /// As [`PlanSpec::parse`], [`Strategy::parse`] and [`Plan::resolve`]; a strategy that the gallery does not have.
    pub fn from_study(text: &str, file: &str, bundle: &BundleFacts) -> Result<Plan> {
        let spec = PlanSpec::parse(text, file)?;
        let strategy = match spec.require_strategy()? {
            StrategySource::Text(source) => Strategy::parse(source, "strategy_text")?,
            StrategySource::Named(name) => from_gallery(name).map_err(|error| error.at(spec.place_of("strategy")))?,
        };
        Plan::resolve(&spec, strategy, bundle)
    }

    /// Names the plan by its content: 32 hex digits that depend on everything that decides results (the bundle's
    /// content, the strategy's text, the resolved settings, the engine's format) and on nothing else.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is known of the bundle.
    pub fn bundle(&self) -> &BundleFacts {
        &self.bundle
    }

    /// The strategy.
    pub fn strategy(&self) -> &Arc<Strategy> {
        &self.strategy
    }

    /// The parameter space; its axes are the strategy's parameters in order.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The switches of the simulation.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Symbols to trade, in the bundle's order, at least one.
    pub fn symbols(&self) -> &[String] {
        &self.symbols
    }

    /// Symbols whose bars are needed: those traded, those that expressions name, and the benchmark; ascending.
    pub fn symbols_to_load(&self) -> Vec<String> {
        let mut all: Vec<String> = self.symbols.iter().chain(&self.foreign).chain(&self.benchmark).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What of the bundle its evaluation reads: a bundle cut to this gives the same bits as the whole one.
    pub fn selection(&self) -> Selection {
        Selection {
            symbols: Some(self.symbols_to_load()),
            from: Some(self.start),
            to: Some(self.end),
            fields: None,
            warmup_bars: Some(u32::try_from(self.warmup_bars).unwrap_or(u32::MAX)),
        }
    }

    /// First session, within the bundle's dates.
    pub fn start(&self) -> i32 {
        self.start
    }

    /// Last session, not before the first.
    pub fn end(&self) -> i32 {
        self.end
    }

    /// Bars before the first session that indicators may need, the most of all points; 0 for a cold start.
    pub fn warmup_bars(&self) -> u64 {
        self.warmup_bars
    }

    /// Which corporate actions adjust the past that the strategy sees.
    pub fn adjust(&self) -> Adjust {
        self.adjust
    }

    /// Bars that the run is simulated on.
    pub fn bars(&self) -> BarSize {
        self.bars
    }

    /// Which points become trials.
    pub fn method(&self) -> Method {
        self.searching.method
    }

    /// How the points are found.
    pub fn searching(&self) -> &Searching {
        &self.searching
    }

    /// How its sessions are divided into training and test, if the study says so.
    pub fn folding(&self) -> Option<&Folding> {
        self.folding.as_ref()
    }

    /// First and last sessions of the ranges that are simulated, each by itself; none where all from [`Plan::start`] to
    /// [`Plan::end`] are, in one go.
    pub fn ranges(&self) -> &[(i32, i32)] {
        &self.ranges
    }

    /// The same plan over some ranges of its sessions, given by their first and last dates; it is divided no more.
    #[must_use]
    pub fn within(&self, ranges: Vec<(i32, i32)>) -> Plan {
        let mut plan = Plan { ranges, folding: None, ..self.clone() };
        plan.id = plan.compute_id();
        plan
    }

    /// The same plan whose indicators begin at least so many bars before the first session, where the bundle has them.
    #[must_use]
    pub fn warmed_by(&self, bars: u64) -> Plan {
        let mut plan = Plan { warmup_bars: self.warmup_bars.max(bars), ..self.clone() };
        plan.id = plan.compute_id();
        plan
    }

    /// Folds of sessions with these dates, which have at most so many of the run's bars each, with the gaps that were
    /// taken: the strategy's longest holding and its lookback where the study names none.
    ///
    /// # Errors
    /// As [`Folds::new`].
    pub fn folds(&self, dates: &[i32], bars_per_session: usize) -> Result<(Folds, Gap)> {
        let folding = self.folding.unwrap_or_default();
        let corners = corners(&self.space);
        let bars = |of: &dyn Fn(&Vec<f64>) -> usize| corners.iter().map(of).max().unwrap_or(0);
        let sessions = |bars: usize| bars.div_ceil(bars_per_session.max(1));
        let lookback = bars(&|corner| self.strategy.lookback_with(corner, true, bars_per_session));
        let holding = bars(&|corner| self.strategy.longest_holding(corner));
        let gap = folding.gap(sessions(holding), sessions(lookback));
        Ok((Folds::new(&folding.scheme(gap), dates)?, gap))
    }

    /// Number of trials that the plan may have: its valid points, counted as by [`Space::count_valid`], or fewer where a
    /// search ends before. A search may also end earlier by its own rules. Of a method with budgets, a point counts once
    /// for each part of the data that it sees, as if no trial failed.
    pub fn count_trials(&self, limit: u64) -> Count {
        let valid = self.space.count_valid(limit);
        if self.method().has_budgets() {
            return Count { points: brackets::planned(&self.searching, valid.points).0, exact: valid.exact };
        }
        if !self.method().is_guided() || (valid.exact && valid.points <= self.searching.trials) {
            return valid;
        }
        Count { points: self.searching.trials.min(self.space.size()), exact: valid.exact }
    }

    /// What [`Plan::count_trials`] trials simulate, in trials on all of the data, rounded up; the same number unless the
    /// method has budgets.
    pub fn count_whole_trials(&self, limit: u64) -> Count {
        let count = self.count_trials(limit);
        if !self.method().has_budgets() {
            return count;
        }
        let (_, cost) = brackets::planned(&self.searching, self.space.count_valid(limit).points);
        Count { points: cost.ceil() as u64, ..count }
    }

    /// The loss at which a search ends.
    pub fn target_loss(&self) -> Option<f64> {
        self.searching.target.map(|target| match self.objective.direction {
            Direction::Max => -target,
            Direction::Min => target,
        })
    }

    /// How metrics become scores.
    pub fn scoring(&self) -> &Scoring {
        &self.scoring
    }

    /// What ranks trials, as one metric: where it is an expression, the first metric that this reads.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// Which end of a metric is wanted: the objective's as the study says, another's by its own better end.
    ///
    /// # Errors
    /// There is no such metric, with the nearest name.
    pub fn direction_of(&self, metric: &str) -> Result<(usize, Direction)> {
        let index = metrics::index_of(metric).ok_or_else(|| {
            let error = Error::plan(format!("there is no metric `{}`", source::shorten(metric)));
            match nearest(metric, metrics::names()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("the metrics are {}", metrics::names().collect::<Vec<_>>().join(", "))),
            }
        })?;
        let direction = match metrics::TABLE[index].better {
            _ if index == self.objective.metric => self.objective.direction,
            Better::Lower => Direction::Min,
            Better::Higher | Better::None => Direction::Max,
        };
        Ok((index, direction))
    }

    /// Seed of every random draw.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Trials of one batch.
    pub fn batch(&self) -> usize {
        BATCH as usize
    }

    /// Symbol that stands for the market.
    pub fn benchmark(&self) -> Option<&str> {
        self.benchmark.as_deref()
    }

    /// Sessions a year; on weekly bars, weeks.
    pub fn periods_per_year(&self) -> f64 {
        match self.bars {
            BarSize::Weekly => 52.0,
            _ => self.bundle.calendar.periods_per_year(),
        }
    }

    /// The return without risk of one session, compounding to the yearly rate.
    pub fn risk_free_per_session(&self) -> f64 {
        match self.settings.risk_free {
            0.0 => 0.0,
            yearly => num::pow(1.0 + yearly, 1.0 / self.periods_per_year()) - 1.0,
        }
    }

    /// How many of the best trials to report.
    pub fn top(&self) -> u64 {
        self.top
    }

    /// Folder for the results, if one was named.
    pub fn output(&self) -> Option<&str> {
        self.output.as_deref()
    }

    /// What is allowed but probably not meant.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The resolved plan as JSON with sorted keys: the same plan gives the same text. The output folder is left out,
    /// so that a study may be moved.
    pub fn to_json(&self) -> String {
        let mut json = self.decisive();
        json["id"] = self.id.as_str().into();
        json["name"] = self.name.as_str().into();
        json["top"] = self.top.into();
        json["bundle"]["name"] = self.bundle.name.as_str().into();
        json["strategy"]["name"] = self.strategy.name.as_str().into();
        canonical_json(&json, true) + "\n"
    }

    /// Everything that decides results.
    fn decisive(&self) -> Value {
        let axis = |axis: &Axis| json!({"name": axis.name, "kind": axis.kind.name(), "values": axis.domain});
        let mut json = json!({
            "engine_format": ENGINE_FORMAT,
            "bundle": {
                "version": self.bundle.version,
                "frequency": self.bundle.frequency,
                "calendar": self.bundle.calendar,
            },
            "strategy": {"source": self.strategy.source},
            "symbols": self.symbols,
            "start": format_date(self.start),
            "end": format_date(self.end),
            "warmup_bars": self.warmup_bars,
            "adjust": settings::word_of(self.adjust),
            "bars": settings::word_of(self.bars),
            "settings": self.settings,
            "space": {
                "size": self.space.size(),
                "params": self.space.axes().iter().map(axis).collect::<Vec<Value>>(),
                "where": self.space.conditions().collect::<Vec<&str>>(),
            },
            "search": self.searching_json(),
            "objective": self.objective_json(),
            "seed": self.seed,
            "benchmark": self.benchmark,
        });
        // What a study does not use is not named, so that its id does not depend on what else there is.
        let constraints: Vec<&str> = self.scoring.constraints().collect();
        if !constraints.is_empty() {
            json["constraints"] = constraints.into();
        }
        if let Some(folding) = self.folding {
            json["folds"] = folding.to_json();
        }
        if !self.ranges.is_empty() {
            let dates = |&(from, to): &(i32, i32)| json!([format_date(from), format_date(to)]);
            json["ranges"] = self.ranges.iter().map(dates).collect();
        }
        json
    }

    /// The method, and its options where it heeds any.
    fn searching_json(&self) -> Value {
        let mut json = json!({"method": self.method(), "batch": BATCH});
        if let (true, Value::Object(all)) = (self.method().is_guided(), json!(self.searching)) {
            for (name, value) in all {
                if self.searching.heeds(&format!("search.{name}")) && !value.is_null() && value != json!(0) {
                    json[name] = value;
                }
            }
        }
        json
    }

    /// One objective with its direction, or the texts of several, each with its own better end.
    fn objective_json(&self) -> Value {
        let texts: Vec<&str> = self.scoring.texts().collect();
        match texts.as_slice() {
            [one] => json!({"metric": one, "direction": self.objective.direction}),
            several => json!({"metric": several}),
        }
    }

    fn compute_id(&self) -> String {
        let mut hash = blake3::Hasher::new();
        let plan = canonical_json(&self.decisive(), false);
        for part in [self.bundle.version.as_bytes(), self.strategy.source.as_bytes(), plan.as_bytes()] {
            // Lengths first, so that no two lists of parts are the same bytes.
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(&ENGINE_FORMAT.to_le_bytes());
        hash.finalize().to_hex().chars().take(32).collect()
    }
}

fn unknown_symbol(error: Error, symbol: &str, bundle: &BundleFacts) -> Error {
    let symbols = || bundle.symbols.iter().map(String::as_str);
    error.help(match nearest(symbol, symbols()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let some: Vec<&str> = symbols().take(10).collect();
            let more = if bundle.symbols.len() > some.len() { ", …" } else { "" };
            format!("it has {} symbols: {}{more}", bundle.symbols.len(), some.join(", "))
        }
    })
}

fn symbols(spec: &PlanSpec, bundle: &BundleFacts, warnings: &mut Vec<String>) -> Result<Vec<String>> {
    let Some(wanted) = &spec.symbols else {
        if bundle.symbols.is_empty() {
            return Err(Error::data(format!("the bundle `{}` has no symbols", bundle.name)));
        }
        return Ok(bundle.symbols.clone());
    };
    let mut found = Vec::new();
    for symbol in wanted {
        if !bundle.symbols.contains(symbol) {
            let message = format!("the bundle `{}` has no symbol `{}`", bundle.name, source::shorten(symbol));
            return Err(unknown_symbol(spec.fault("symbols", message), symbol, bundle));
        }
        if found.contains(symbol) {
            warnings.push(format!("the symbol `{symbol}` is named twice in `symbols`; once is enough"));
        } else {
            found.push(symbol.clone());
        }
    }
    // The bundle's order, whatever order they were named in: the order of fills in one bar depends on it.
    found.sort_by_key(|symbol| bundle.symbols.iter().position(|known| known == symbol));
    Ok(found)
}

/// The symbols that expressions name.
fn foreign(spec: &PlanSpec, strategy: &Strategy, bundle: &BundleFacts) -> Result<Vec<String>> {
    let used = strategy.used_symbols();
    if let Some(symbol) = used.iter().find(|symbol| !bundle.symbols.contains(symbol)) {
        let message = format!("the strategy reads `{symbol}`, but the bundle `{}` has no such symbol", bundle.name);
        return Err(unknown_symbol(spec.fault("strategy", message), symbol, bundle));
    }
    Ok(used)
}

fn dates(spec: &PlanSpec, bundle: &BundleFacts, warnings: &mut Vec<String>) -> Result<(i32, i32)> {
    let (start, end) = (spec.start.unwrap_or(bundle.first), spec.end.unwrap_or(bundle.last));
    let has =
        || format!("the bundle `{}` has {} to {}", bundle.name, format_date(bundle.first), format_date(bundle.last));
    if spec.start.is_some() && start > bundle.last {
        let message = format!("`start` {} is after the last session", format_date(start));
        return Err(spec.fault("start", message).help(has()));
    }
    if spec.end.is_some() && end < bundle.first {
        let message = format!("`end` {} is before the first session", format_date(end));
        return Err(spec.fault("end", message).help(has()));
    }
    if start > end {
        let message = format!("`start` {} is after `end` {}", format_date(start), format_date(end));
        return Err(spec.fault(if spec.end.is_some() { "end" } else { "start" }, message).help(has()));
    }
    for (key, date, outside) in [("start", start, start < bundle.first), ("end", end, end > bundle.last)] {
        if outside {
            warnings.push(format!("`{key}` {} is outside the data: {}", format_date(date), has()));
        }
    }
    Ok((start.max(bundle.first), end.min(bundle.last)))
}

fn benchmark(spec: &PlanSpec, bundle: &BundleFacts, warnings: &mut Vec<String>) -> Result<Option<String>> {
    match (&spec.benchmark, &bundle.benchmark) {
        (Some(symbol), _) if !bundle.symbols.contains(symbol) => {
            let message = format!("the bundle `{}` has no benchmark `{}`", bundle.name, source::shorten(symbol));
            Err(unknown_symbol(spec.fault("benchmark", message), symbol, bundle))
        }
        (None, Some(symbol)) if !bundle.symbols.contains(symbol) => {
            warnings.push(format!("the bundle names `{symbol}` as its benchmark but does not have it; none is used"));
            Ok(None)
        }
        (given, own) => Ok(given.clone().or_else(|| own.clone())),
    }
}

/// The corners of the space: every combination of smallest and largest values, conditions left aside. With very many
/// parameters, only the one where each is largest.
fn corners(space: &Space) -> Vec<Vec<f64>> {
    let extremes: Vec<(f64, f64)> = space.axes().iter().map(Axis::extremes).collect();
    let moving: Vec<usize> = (0..extremes.len()).filter(|&i| extremes[i].0 != extremes[i].1).collect();
    let largest: Vec<f64> = extremes.iter().map(|&(_, high)| high).collect();
    if moving.len() > MOST_MOVING {
        return vec![largest];
    }
    let corner = |bits: u32| {
        let mut point = largest.clone();
        for (bit, &i) in moving.iter().enumerate() {
            if bits >> bit & 1 == 1 {
                point[i] = extremes[i].0;
            }
        }
        point
    };
    (0..1u32 << moving.len()).map(corner).collect()
}

/// Refuses a single point that has no meaning for the strategy, and warns of some in a larger space.
fn check_corners(spec: &PlanSpec, strategy: &Strategy, space: &Space, warnings: &mut Vec<String>) -> Result<()> {
    for corner in corners(space) {
        // A corner that `where` cuts off is no trial.
        if !space.index_of(&corner).is_some_and(|index| space.is_valid(index)) {
            continue;
        }
        match strategy.check_point(&corner) {
            Ok(()) => {}
            Err(error) if space.size() == 1 => return Err(error.at(spec.place_of("space"))),
            Err(error) => {
                warnings.push(format!("some trials will fail: {}", error.message()));
                break;
            }
        }
    }
    Ok(())
}

/// The bars of the run, which the bundle must have or be finer than, and the strategy's words must mean something on.
fn bar_size(spec: &PlanSpec, strategy: &Strategy, bundle: &BundleFacts) -> Result<BarSize> {
    let Some(bars) = spec.bars.over(bundle.frequency) else {
        let message = format!(
            "`bars = \"{}\"` asks for shorter bars than the bundle `{}` has, which are {}",
            settings::word_of(spec.bars),
            bundle.name,
            bundle.frequency.name()
        );
        return Err(spec.fault("bars", message).help("longer bars can be made of shorter ones, not the reverse"));
    };
    let short = match bars {
        BarSize::Bundle => bundle.frequency == Frequency::Intraday,
        bars => !matches!(bars, BarSize::Daily | BarSize::Weekly),
    };
    match strategy.needs_intraday() {
        Some(word) if !short => {
            let message = format!("`{word}` means nothing on bars of a session or longer");
            Err(spec.fault("strategy", message).help("take an intraday bundle, or another condition"))
        }
        _ => Ok(bars),
    }
}

/// Most bars of the bundle that the strategy looks back at any corner of the space. An intraday bundle says nowhere how
/// many bars it has in a session: no two are taken to be in one minute.
fn lookback(strategy: &Strategy, space: &Space, bars: BarSize, frequency: Frequency) -> u64 {
    const MINUTES: usize = 24 * 60;
    let of_bundle = if frequency == Frequency::Intraday { MINUTES } else { 1 };
    let of_run = if matches!(bars, BarSize::Daily | BarSize::Weekly) { 1 } else { of_bundle };
    let own = corners(space).iter().map(|corner| strategy.lookback_with(corner, true, of_run)).max().unwrap_or(0);
    // One more, because the window may cut the first of the longer bars.
    let each = bars.period().map(|period| period.most_bars(of_bundle));
    each.map_or(own, |each| own.saturating_add(1).saturating_mul(each)) as u64
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
