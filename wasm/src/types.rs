//! The plain objects that cross the border. The package's TypeScript types are made from these.
//!
//! Columns are typed arrays; instants are milliseconds since 1970-01-01 UTC; dates are `YYYY-MM-DD`; an undefined number
//! is NaN in a column.

use js_sys::{Float64Array, Uint8Array, Uint32Array};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::preserve;
use tsify::Tsify;

/// Where in a text an error is; lines and columns count from 1, 0 is unknown.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Name of the text.
    pub file: String,
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
    /// Characters that are meant.
    pub width: u32,
    /// The line itself.
    pub source_line: String,
}

/// Everything that the package has by name.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Catalog {
    /// Version of the package.
    pub version: String,
    /// Number of the engine's meaning: results of equal plans are equal under equal numbers.
    pub engine_format: u32,
    /// Whether this build has threads.
    pub threads: bool,
    /// Whether this build uses SIMD.
    pub simd: bool,
    /// Indicators of the expression language.
    pub indicators: Vec<IndicatorInfo>,
    /// Its other functions.
    pub functions: Vec<FunctionInfo>,
    /// Metrics, in the order of every list of metrics.
    pub metrics: Vec<MetricInfo>,
    /// Keys of a study.
    pub keys: Vec<KeyInfo>,
    /// Strategies that come with the package.
    pub gallery: Vec<GalleryStrategy>,
    /// Bundles that are generated rather than read.
    pub bundles: Vec<BuiltInBundle>,
}

/// An indicator.
#[derive(Serialize, Tsify)]
pub struct IndicatorInfo {
    /// TA-Lib's name, in lower case.
    pub name: String,
    /// What it is.
    pub doc: String,
    /// Operands that the caller writes.
    pub inputs: Vec<String>,
    /// Parameters after the operands.
    pub params: Vec<IndicatorParam>,
    /// Names of its outputs; more than one are chosen by a dot.
    pub outputs: Vec<String>,
}

/// A parameter of an indicator.
#[derive(Serialize, Tsify)]
pub struct IndicatorParam {
    /// Name.
    pub name: String,
    /// Value when it is left out.
    pub default: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Whether it is a whole number.
    pub integer: bool,
}

/// A function that is no indicator.
#[derive(Serialize, Tsify)]
pub struct FunctionInfo {
    /// Name.
    pub name: String,
    /// How it is written.
    pub usage: String,
    /// What it is.
    pub doc: String,
}

/// A metric.
#[derive(Serialize, Tsify)]
pub struct MetricInfo {
    /// Name, in results and studies.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Unit.
    pub unit: String,
    /// Which end is wanted.
    #[tsify(type = "\"higher\" | \"lower\" | \"neither\"")]
    pub better: String,
    /// Formula in words, with its source.
    pub doc: String,
}

/// A key of a study.
#[derive(Serialize, Tsify)]
pub struct KeyInfo {
    /// Name, with its table before a dot.
    pub name: String,
    /// What it means.
    pub doc: String,
    /// Default, as it would be written.
    pub default: String,
}

/// A strategy that comes with the package.
#[derive(Serialize, Tsify)]
pub struct GalleryStrategy {
    /// Name in a study.
    pub name: String,
    /// Its text.
    pub source: String,
}

/// A bundle that is generated rather than read.
#[derive(Serialize, Tsify)]
pub struct BuiltInBundle {
    /// Name.
    pub name: String,
    /// What it holds.
    pub doc: String,
}

/// A strategy that parsed.
#[derive(Serialize, Tsify)]
pub struct StrategyInfo {
    /// Name for people.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Its parameters, in order.
    pub params: Vec<ParamInfo>,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Whether it says weights or entries and exits.
    #[tsify(type = "\"target\" | \"signals\"")]
    pub rules: String,
}

/// A parameter of a strategy.
#[derive(Serialize, Tsify)]
pub struct ParamInfo {
    /// Name.
    pub name: String,
    /// Values to search when a study does not say otherwise.
    pub domain: Domain,
    /// Value of a single backtest.
    pub default: f64,
}

/// Values that a parameter may take.
#[derive(Serialize, Tsify)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Domain {
    /// Whole numbers.
    Int {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Distance.
        step: f64,
    },
    /// Numbers.
    Float {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Distance; none means continuous.
        #[tsify(optional)]
        step: Option<f64>,
        /// Scale of a continuous one.
        #[tsify(type = "\"linear\" | \"log\"")]
        scale: String,
    },
    /// Listed numbers.
    Choice {
        /// The values.
        values: Vec<f64>,
    },
    /// False, true.
    Bool,
}

/// A bundle.
#[derive(Serialize, Tsify)]
pub struct BundleInfo {
    /// Name for people.
    pub name: String,
    /// Hash of its content.
    pub version: String,
    /// Bar spacing.
    #[tsify(type = "\"daily\" | \"intraday\" | \"coarse\"")]
    pub frequency: String,
    /// Sessions.
    pub calendar: String,
    /// What was done to the prices.
    pub prices: String,
    /// Symbol that stands for the market.
    #[tsify(optional)]
    pub benchmark: Option<String>,
    /// Where the data come from.
    pub source: String,
    /// Terms under which they may be used.
    pub licence: String,
    /// Bars of all symbols.
    pub rows: f64,
    /// Symbols, ascending.
    pub symbols: Vec<SymbolInfo>,
    /// Its files; none of a bundle that was never written.
    pub files: Vec<FileInfo>,
}

/// A symbol of a bundle.
#[derive(Serialize, Tsify)]
pub struct SymbolInfo {
    /// Symbol.
    pub symbol: String,
    /// First session.
    pub first: String,
    /// Last session.
    pub last: String,
    /// Number of bars.
    pub rows: f64,
}

/// A file of a bundle.
#[derive(Serialize, Tsify)]
pub struct FileInfo {
    /// Name inside the folder.
    pub name: String,
    /// Length.
    pub bytes: f64,
    /// Hash of its bytes.
    pub blake3: String,
}

/// Some bytes of a file, the end excluded.
#[derive(Serialize, Tsify)]
pub struct ByteRange {
    /// Name inside the folder.
    pub file: String,
    /// First byte.
    pub start: f64,
    /// Byte after the last.
    pub end: f64,
}

/// A file in memory.
#[derive(Serialize, Tsify)]
pub struct NamedBytes {
    /// Name.
    pub name: String,
    /// Bytes.
    #[serde(with = "preserve")]
    #[tsify(type = "Uint8Array")]
    pub bytes: Uint8Array,
}

/// What loading a plan's slice came to.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct LoadInfo {
    /// Bytes that were asked for.
    pub bytes_read: f64,
    /// Bars in memory for the plan.
    pub rows: f64,
}

/// How to read other people's files.
#[derive(Default, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct IngestOptions {
    /// Name of the bundle.
    #[tsify(optional)]
    pub name: Option<String>,
    /// Refuse what would be repaired or dropped.
    #[tsify(optional)]
    pub strict: bool,
    /// Column names by field: time, symbol, open, high, low, close, volume, adj_close.
    #[tsify(optional, type = "Record<string, string>")]
    pub map: std::collections::BTreeMap<String, String>,
    /// How dates are written: iso, yyyymmdd, mdy, dmy, d.m.y, unix.
    #[tsify(optional)]
    pub date_format: Option<String>,
    /// Symbol of a file without a symbol column.
    #[tsify(optional)]
    pub symbol: Option<String>,
    /// Two different rows of one time.
    #[tsify(optional, type = "\"refuse\" | \"first\" | \"last\"")]
    pub duplicates: Option<String>,
}

/// Defects of one kind in one symbol of one file.
#[derive(Serialize, Tsify)]
pub struct DefectInfo {
    /// File.
    pub file: String,
    /// Symbol, empty if the file as a whole is meant.
    pub symbol: String,
    /// Kind.
    pub kind: String,
    /// What the kind means.
    pub meaning: String,
    /// First line or row, 0 if none is meant.
    pub line: u32,
    /// Its date.
    pub date: String,
    /// Its column.
    pub column: String,
    /// What was found.
    pub found: String,
    /// What was done.
    pub done: String,
    /// How many there are.
    pub count: f64,
}

/// A plan: a study held against a bundle.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct PlanInfo {
    /// Names the plan by its content; the native program gives the same.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Symbols to trade.
    pub symbols: Vec<String>,
    /// First session.
    pub start: String,
    /// Last session.
    pub end: String,
    /// Bars before the first session that indicators may need.
    pub warmup_bars: f64,
    /// Axes of the space in the strategy's order, the last one fastest.
    pub params: Vec<AxisInfo>,
    /// Conditions that cut the space.
    #[serde(rename = "where")]
    pub conditions: Vec<String>,
    /// Points before conditions.
    pub size: f64,
    /// Points that satisfy them; an estimate for very large spaces.
    pub valid: f64,
    /// What ranks trials.
    pub objective: ObjectiveInfo,
    /// Symbol that stands for the market.
    #[tsify(optional)]
    pub benchmark: Option<String>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<String>,
}

/// A parameter's values in a plan; a single one means that it is fixed.
#[derive(Serialize, Tsify)]
pub struct AxisInfo {
    /// Name.
    pub name: String,
    /// Type.
    #[tsify(type = "\"int\" | \"float\" | \"bool\"")]
    pub kind: String,
    /// Values in order, at most the first 10,000.
    pub values: Vec<f64>,
}

/// What ranks trials.
#[derive(Serialize, Tsify)]
pub struct ObjectiveInfo {
    /// Metric.
    pub metric: String,
    /// Which end is wanted.
    #[tsify(type = "\"max\" | \"min\"")]
    pub direction: String,
}

/// How far a run is.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Whether there is nothing left.
    pub done: bool,
    /// Trials evaluated.
    pub trials: f64,
    /// Trials of the plan.
    pub total: f64,
    /// Bars that these trials simulated, over all symbols.
    pub rows_read: f64,
    /// Executions.
    pub fills: f64,
    /// Columns prepared.
    pub columns: f64,
    /// Trials that the reference simulator evaluated.
    pub by_reference: f64,
    /// Why, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub by_reference_because: Option<String>,
}

/// One trial in a list.
#[derive(Serialize, Tsify)]
pub struct TrialRow {
    /// Index in the space.
    pub index: f64,
    /// Parameter values in order.
    pub params: Vec<f64>,
    /// Metrics in the catalog's order, NaN for undefined.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub metrics: Float64Array,
}

/// What heatmap to draw.
#[derive(Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct HeatmapQuery {
    /// Parameter across.
    pub x: String,
    /// Parameter down.
    pub y: String,
    /// Metric.
    pub metric: String,
    /// How the trials of a cell become one number.
    #[tsify(type = "\"best\" | \"mean\" | \"median\"")]
    pub aggregate: String,
    /// Only trials in which these parameters have these values.
    #[serde(default)]
    #[tsify(optional, type = "Record<string, number>")]
    pub fixed: std::collections::BTreeMap<String, f64>,
}

/// A metric over two parameters.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Heatmap {
    /// Parameter across.
    pub x: String,
    /// Parameter down.
    pub y: String,
    /// Metric.
    pub metric: String,
    /// Which end of it is wanted.
    #[tsify(type = "\"max\" | \"min\"")]
    pub direction: String,
    /// Values across.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub x_values: Float64Array,
    /// Values down.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub y_values: Float64Array,
    /// Row after row, NaN where there is no value (yet).
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub cells: Float64Array,
    /// Median of each cell and its neighbours.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub plateau: Float64Array,
    /// Index of each cell's best trial, −1 where there is none.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub trials: Float64Array,
    /// Cells that have a value.
    pub filled: f64,
}

/// One trial in full.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// Index in the space.
    pub index: f64,
    /// Parameter values in order.
    pub params: Vec<f64>,
    /// Metrics in the catalog's order, NaN for undefined.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub metrics: Float64Array,
    /// Symbols that trades and fills count.
    pub symbols: Vec<String>,
    /// Sessions.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub sessions: Float64Array,
    /// Equity at the end of each.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub equity: Float64Array,
    /// Equity ÷ its peak − 1.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub drawdown: Float64Array,
    /// Worth of the benchmark, or of equal parts of all symbols held, from the same capital.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub benchmark: Float64Array,
    /// Its drawdown.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub benchmark_drawdown: Float64Array,
    /// Returns by calendar month.
    pub months: Vec<MonthReturn>,
    /// Round trips, open ones last.
    pub trades: Trades,
    /// Executions.
    pub fills: Fills,
}

/// The return of a month.
#[derive(Serialize, Tsify)]
pub struct MonthReturn {
    /// Year.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Return, as a fraction.
    pub value: f64,
}

/// Round trips, as columns.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct Trades {
    /// Place of the symbol in the trial's list.
    #[serde(with = "preserve")]
    #[tsify(type = "Uint32Array")]
    pub symbol: Uint32Array,
    /// Units, negative for a short.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub quantity: Float64Array,
    /// Instant of the entry.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub entry_time: Float64Array,
    /// Instant of the exit, or of the last bar.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub exit_time: Float64Array,
    /// Price of the entry.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub entry_price: Float64Array,
    /// Price of the exit, or the last close.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub exit_price: Float64Array,
    /// Commissions of both sides.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub fees: Float64Array,
    /// Profit after commissions.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub profit: Float64Array,
    /// 1 if it is still open.
    #[serde(with = "preserve")]
    #[tsify(type = "Uint8Array")]
    pub open: Uint8Array,
}

/// Executions, as columns.
#[derive(Serialize, Tsify)]
pub struct Fills {
    /// Place of the symbol in the trial's list.
    #[serde(with = "preserve")]
    #[tsify(type = "Uint32Array")]
    pub symbol: Uint32Array,
    /// Instant of the bar.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub time: Float64Array,
    /// Units, negative for a sale.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub quantity: Float64Array,
    /// Price.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub price: Float64Array,
    /// Commission.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub fee: Float64Array,
}

/// Bars of a symbol, as columns.
#[derive(Serialize, Tsify)]
pub struct Candles {
    /// Instants of the closes.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub time: Float64Array,
    /// Open.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub open: Float64Array,
    /// High.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub high: Float64Array,
    /// Low.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub low: Float64Array,
    /// Close.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub close: Float64Array,
    /// Volume.
    #[serde(with = "preserve")]
    #[tsify(type = "Float64Array")]
    pub volume: Float64Array,
}

/// What the caches did and hold.
#[derive(Serialize, Tsify)]
pub struct CacheStats {
    /// Manifests.
    pub assets: LayerStats,
    /// Columns.
    pub history: LayerStats,
    /// Panels.
    pub contexts: LayerStats,
    /// Most bytes that all hold together.
    pub budget: f64,
    /// Bytes of the module's memory.
    pub memory: f64,
}

/// One layer of the cache.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct LayerStats {
    /// Look-ups answered.
    pub hits: f64,
    /// Look-ups not answered.
    pub misses: f64,
    /// Entries dropped for room.
    pub evictions: f64,
    /// Entries held.
    pub entries: f64,
    /// Bytes held.
    pub bytes: f64,
    /// Entries that were larger than the whole budget and so were not kept.
    pub too_large: f64,
    /// Look-ups that waited for another thread to make the same thing.
    pub single_flight_waits: f64,
    /// Entries that were moved or put among those kept longest.
    pub promoted: f64,
    /// Runs that gave the layer up because it answered next to nothing.
    pub switched_off: f64,
}
