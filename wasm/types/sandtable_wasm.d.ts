/* tslint:disable */
/* eslint-disable */

/** Every failure of this package. `message` is the whole sentence, as the native program prints it. */
export interface SandtableError extends Error {
    name: "SandtableError";
    kind: "data" | "strategy" | "plan" | "unsupported" | "machine";
    /** The sentence without place and way out. */
    sentence: string;
    place?: Place;
    /** The way out. */
    help?: string;
}
/** Gives the bytes of each range, in the same order. */
export type RangeReader = (ranges: ByteRange[]) => Uint8Array[] | Promise<Uint8Array[]>;
/** The object form of a study file; `catalog().keys` says what each key means. */
export interface Study {
    bundle?: string;
    strategy?: string;
    strategy_text?: string;
    symbols?: string[];
    start?: string;
    end?: string;
    capital?: number;
    fill?: string;
    costs?: Record<string, number | string>;
    space?: Record<string, unknown>;
    where?: string | string[];
    objective?: string;
    [key: string]: unknown;
}


/**
 * A bundle that is generated rather than read.
 */
export interface BuiltInBundle {
    /**
     * Name.
     */
    name: string;
    /**
     * What it holds.
     */
    doc: string;
}

/**
 * A bundle.
 */
export interface BundleInfo {
    /**
     * Name for people.
     */
    name: string;
    /**
     * Hash of its content.
     */
    version: string;
    /**
     * Bar spacing.
     */
    frequency: "daily" | "intraday" | "coarse";
    /**
     * Sessions.
     */
    calendar: string;
    /**
     * What was done to the prices.
     */
    prices: string;
    /**
     * Symbol that stands for the market.
     */
    benchmark?: string;
    /**
     * Where the data come from.
     */
    source: string;
    /**
     * Terms under which they may be used.
     */
    licence: string;
    /**
     * Bars of all symbols.
     */
    rows: number;
    /**
     * Symbols, ascending.
     */
    symbols: SymbolInfo[];
    /**
     * Its files; none of a bundle that was never written.
     */
    files: FileInfo[];
}

/**
 * A file in memory.
 */
export interface NamedBytes {
    /**
     * Name.
     */
    name: string;
    /**
     * Bytes.
     */
    bytes: Uint8Array;
}

/**
 * A file of a bundle.
 */
export interface FileInfo {
    /**
     * Name inside the folder.
     */
    name: string;
    /**
     * Length.
     */
    bytes: number;
    /**
     * Hash of its bytes.
     */
    blake3: string;
}

/**
 * A fold that was searched and tested.
 */
export interface FoldInfo {
    /**
     * First and last dates of each range of training.
     */
    train: [string, string][];
    /**
     * The same of the test.
     */
    test: [string, string][];
    /**
     * Trials of its search.
     */
    trials: number;
    /**
     * Parameter values of the choice, in order.
     */
    params: number[];
    /**
     * The objective of the choice in training.
     */
    trainObjective: number;
    /**
     * The objective of the choice in the test.
     */
    testObjective: number;
    /**
     * Metrics of the choice in training, in the catalog's order.
     */
    trainMetrics: Float64Array;
    /**
     * Metrics of the choice in the test.
     */
    testMetrics: Float64Array;
}

/**
 * A function that is no indicator.
 */
export interface FunctionInfo {
    /**
     * Name.
     */
    name: string;
    /**
     * How it is written.
     */
    usage: string;
    /**
     * What it is.
     */
    doc: string;
}

/**
 * A key of a study.
 */
export interface KeyInfo {
    /**
     * Name, with its table before a dot.
     */
    name: string;
    /**
     * What it means.
     */
    doc: string;
    /**
     * Default, as it would be written.
     */
    default: string;
}

/**
 * A metric over two parameters.
 */
export interface Heatmap {
    /**
     * Parameter across.
     */
    x: string;
    /**
     * Parameter down.
     */
    y: string;
    /**
     * Metric.
     */
    metric: string;
    /**
     * Which end of it is wanted.
     */
    direction: "max" | "min";
    /**
     * Values across.
     */
    xValues: Float64Array;
    /**
     * Values down.
     */
    yValues: Float64Array;
    /**
     * Row after row, NaN where there is no value (yet).
     */
    cells: Float64Array;
    /**
     * Median of each cell and its neighbours.
     */
    plateau: Float64Array;
    /**
     * Index of each cell's best trial, −1 where there is none.
     */
    trials: Float64Array;
    /**
     * Cells that have a value.
     */
    filled: number;
}

/**
 * A metric.
 */
export interface MetricInfo {
    /**
     * Name, in results and studies.
     */
    name: string;
    /**
     * Name for people.
     */
    title: string;
    /**
     * Unit.
     */
    unit: string;
    /**
     * Which end is wanted.
     */
    better: "higher" | "lower" | "neither";
    /**
     * Formula in words, with its source.
     */
    doc: string;
}

/**
 * A parameter of a strategy.
 */
export interface ParamInfo {
    /**
     * Name.
     */
    name: string;
    /**
     * Values to search when a study does not say otherwise.
     */
    domain: Domain;
    /**
     * Value of a single backtest.
     */
    default: number;
}

/**
 * A parameter of an indicator.
 */
export interface IndicatorParam {
    /**
     * Name.
     */
    name: string;
    /**
     * Value when it is left out.
     */
    default: number;
    /**
     * Smallest.
     */
    min: number;
    /**
     * Largest.
     */
    max: number;
    /**
     * Whether it is a whole number.
     */
    integer: boolean;
}

/**
 * A parameter's values in a plan; a single one means that it is fixed.
 */
export interface AxisInfo {
    /**
     * Name.
     */
    name: string;
    /**
     * Type.
     */
    kind: "int" | "float" | "bool";
    /**
     * Values in order, at most the first 10,000.
     */
    values: number[];
}

/**
 * A plan: a study held against a bundle.
 */
export interface PlanInfo {
    /**
     * Names the plan by its content; the native program gives the same.
     */
    id: string;
    /**
     * Name for people.
     */
    name: string;
    /**
     * Symbols to trade.
     */
    symbols: string[];
    /**
     * First session.
     */
    start: string;
    /**
     * Last session.
     */
    end: string;
    /**
     * Bars before the first session that indicators may need.
     */
    warmupBars: number;
    /**
     * Axes of the space in the strategy's order, the last one fastest.
     */
    params: AxisInfo[];
    /**
     * Conditions that cut the space.
     */
    where: string[];
    /**
     * Points before conditions.
     */
    size: number;
    /**
     * Points that satisfy them; an estimate for very large spaces.
     */
    valid: number;
    /**
     * What ranks trials.
     */
    objective: ObjectiveInfo;
    /**
     * Symbol that stands for the market.
     */
    benchmark?: string;
    /**
     * What is allowed but probably not meant.
     */
    warnings: string[];
}

/**
 * A strategy that comes with the package.
 */
export interface GalleryStrategy {
    /**
     * Name in a study.
     */
    name: string;
    /**
     * Its text.
     */
    source: string;
}

/**
 * A strategy that parsed.
 */
export interface StrategyInfo {
    /**
     * Name for people.
     */
    name: string;
    /**
     * What it does.
     */
    description: string;
    /**
     * Its parameters, in order.
     */
    params: ParamInfo[];
    /**
     * Names of its columns.
     */
    columns: string[];
    /**
     * Whether it says weights or entries and exits.
     */
    rules: "target" | "signals";
}

/**
 * A symbol of a bundle.
 */
export interface SymbolInfo {
    /**
     * Symbol.
     */
    symbol: string;
    /**
     * First session.
     */
    first: string;
    /**
     * Last session.
     */
    last: string;
    /**
     * Number of bars.
     */
    rows: number;
}

/**
 * An indicator.
 */
export interface IndicatorInfo {
    /**
     * TA-Lib's name, in lower case.
     */
    name: string;
    /**
     * What it is.
     */
    doc: string;
    /**
     * Operands that the caller writes.
     */
    inputs: string[];
    /**
     * Parameters after the operands.
     */
    params: IndicatorParam[];
    /**
     * Names of its outputs; more than one are chosen by a dot.
     */
    outputs: string[];
}

/**
 * Bars of a symbol, as columns.
 */
export interface Candles {
    /**
     * Instants of the closes.
     */
    time: Float64Array;
    /**
     * Open.
     */
    open: Float64Array;
    /**
     * High.
     */
    high: Float64Array;
    /**
     * Low.
     */
    low: Float64Array;
    /**
     * Close.
     */
    close: Float64Array;
    /**
     * Volume.
     */
    volume: Float64Array;
}

/**
 * Defects of one kind in one symbol of one file.
 */
export interface DefectInfo {
    /**
     * File.
     */
    file: string;
    /**
     * Symbol, empty if the file as a whole is meant.
     */
    symbol: string;
    /**
     * Kind.
     */
    kind: string;
    /**
     * What the kind means.
     */
    meaning: string;
    /**
     * First line or row, 0 if none is meant.
     */
    line: number;
    /**
     * Its date.
     */
    date: string;
    /**
     * Its column.
     */
    column: string;
    /**
     * What was found.
     */
    found: string;
    /**
     * What was done.
     */
    done: string;
    /**
     * How many there are.
     */
    count: number;
}

/**
 * Everything that the package has by name.
 */
export interface Catalog {
    /**
     * Version of the package.
     */
    version: string;
    /**
     * Number of the engine's meaning: results of equal plans are equal under equal numbers.
     */
    engineFormat: number;
    /**
     * Whether this build has threads.
     */
    threads: boolean;
    /**
     * Whether this build uses SIMD.
     */
    simd: boolean;
    /**
     * Indicators of the expression language.
     */
    indicators: IndicatorInfo[];
    /**
     * Its other functions.
     */
    functions: FunctionInfo[];
    /**
     * Metrics, in the order of every list of metrics.
     */
    metrics: MetricInfo[];
    /**
     * Keys of a study.
     */
    keys: KeyInfo[];
    /**
     * Strategies that come with the package.
     */
    gallery: GalleryStrategy[];
    /**
     * Bundles that are generated rather than read.
     */
    bundles: BuiltInBundle[];
}

/**
 * Executions, as columns.
 */
export interface Fills {
    /**
     * Place of the symbol in the trial's list.
     */
    symbol: Uint32Array;
    /**
     * Instant of the bar.
     */
    time: Float64Array;
    /**
     * Units, negative for a sale.
     */
    quantity: Float64Array;
    /**
     * Price.
     */
    price: Float64Array;
    /**
     * Commission.
     */
    fee: Float64Array;
}

/**
 * How far a run is.
 */
export interface Progress {
    /**
     * Whether there is nothing left.
     */
    done: boolean;
    /**
     * Trials evaluated.
     */
    trials: number;
    /**
     * Trials of the plan.
     */
    total: number;
    /**
     * Bars that these trials simulated, over all symbols.
     */
    rowsRead: number;
    /**
     * Executions.
     */
    fills: number;
    /**
     * Columns prepared.
     */
    columns: number;
    /**
     * Trials that the reference simulator evaluated.
     */
    byReference: number;
    /**
     * Why, if there are any.
     */
    byReferenceBecause?: string;
}

/**
 * How far the best trial of a search can be believed. What could not be computed is NaN: of fewer than two trials all
 * that compares them.
 */
export interface Judgement {
    /**
     * Index of the trial that the search chose, by its objective and constraints.
     */
    best: number;
    /**
     * Trials that were tried and have returns.
     */
    trials: number;
    /**
     * Trials that cross-validation and tests compare: all, or an even sample with the chosen one.
     */
    compared: number;
    /**
     * Points among the trials that were passed over after a part of the sessions: they count, and are not compared.
     */
    passedOver: number;
    /**
     * Sessions.
     */
    sessions: number;
    /**
     * Annualised Sharpe ratio of the chosen trial.
     */
    sharpe: number;
    /**
     * Probability that its true Sharpe ratio is above zero, were it the only trial.
     */
    probabilityAboveZero: number;
    /**
     * Sessions needed to believe, with 95 % confidence, that it is above zero; infinite unless it is.
     */
    minimumSessions: number;
    /**
     * How many independent trials the search is worth.
     */
    independent: number;
    /**
     * Annualised Sharpe ratio that the best of so many trials without skill is expected to have.
     */
    threshold: number;
    /**
     * Probability that the chosen trial's true Sharpe ratio is above this threshold.
     */
    deflated: number;
    /**
     * Years below which luck alone is expected to show its Sharpe ratio.
     */
    minimumYears: number;
    /**
     * Probability of overfitting by cross-validation.
     */
    pbo: number;
    /**
     * Probability that a trial chosen on one half of the sessions loses on the other.
     */
    probabilityOfLoss: number;
    /**
     * Hansen's p-value against zero: consistent, by studentized means.
     */
    spa: number;
    /**
     * White's p-value against zero.
     */
    realityCheck: number;
    /**
     * The verdict in a word.
     */
    grade: "believable" | "doubtful" | "likely-overfit" | "no-edge" | "unknown";
    /**
     * The verdict in a sentence.
     */
    sentence: string;
    /**
     * What to do now.
     */
    advice: string;
}

/**
 * How to read other people's files.
 */
export interface IngestOptions {
    /**
     * Name of the bundle.
     */
    name?: string;
    /**
     * Refuse what would be repaired or dropped.
     */
    strict?: boolean;
    /**
     * Column names by field: time, symbol, open, high, low, close, volume, adj_close.
     */
    map?: Record<string, string>;
    /**
     * How dates are written: iso, yyyymmdd, mdy, dmy, d.m.y, unix.
     */
    dateFormat?: string;
    /**
     * Symbol of a file without a symbol column.
     */
    symbol?: string;
    /**
     * Two different rows of one time.
     */
    duplicates?: "refuse" | "first" | "last";
}

/**
 * One layer of the cache.
 */
export interface LayerStats {
    /**
     * Look-ups answered.
     */
    hits: number;
    /**
     * Look-ups not answered.
     */
    misses: number;
    /**
     * Entries dropped for room.
     */
    evictions: number;
    /**
     * Entries held.
     */
    entries: number;
    /**
     * Bytes held.
     */
    bytes: number;
    /**
     * Entries that were larger than the whole budget and so were not kept.
     */
    tooLarge: number;
    /**
     * Look-ups that waited for another thread to make the same thing.
     */
    singleFlightWaits: number;
    /**
     * Entries that were moved or put among those kept longest.
     */
    promoted: number;
    /**
     * Runs that gave the layer up because it answered next to nothing.
     */
    switchedOff: number;
}

/**
 * One trial in a list.
 */
export interface TrialRow {
    /**
     * Index in the space.
     */
    index: number;
    /**
     * Parameter values in order.
     */
    params: number[];
    /**
     * Metrics in the catalog's order, NaN for undefined.
     */
    metrics: Float64Array;
}

/**
 * One trial in full.
 */
export interface Trial {
    /**
     * Index in the space.
     */
    index: number;
    /**
     * Parameter values in order.
     */
    params: number[];
    /**
     * Metrics in the catalog's order, NaN for undefined.
     */
    metrics: Float64Array;
    /**
     * Symbols that trades and fills count.
     */
    symbols: string[];
    /**
     * Sessions.
     */
    sessions: Float64Array;
    /**
     * Equity at the end of each.
     */
    equity: Float64Array;
    /**
     * Equity ÷ its peak − 1.
     */
    drawdown: Float64Array;
    /**
     * Worth of the benchmark, or of equal parts of all symbols held, from the same capital.
     */
    benchmark: Float64Array;
    /**
     * Its drawdown.
     */
    benchmarkDrawdown: Float64Array;
    /**
     * Returns by calendar month.
     */
    months: MonthReturn[];
    /**
     * Round trips, open ones last.
     */
    trades: Trades;
    /**
     * Executions.
     */
    fills: Fills;
}

/**
 * Round trips, as columns.
 */
export interface Trades {
    /**
     * Place of the symbol in the trial's list.
     */
    symbol: Uint32Array;
    /**
     * Units, negative for a short.
     */
    quantity: Float64Array;
    /**
     * Instant of the entry.
     */
    entryTime: Float64Array;
    /**
     * Instant of the exit, or of the last bar.
     */
    exitTime: Float64Array;
    /**
     * Price of the entry.
     */
    entryPrice: Float64Array;
    /**
     * Price of the exit, or the last close.
     */
    exitPrice: Float64Array;
    /**
     * Commissions of both sides.
     */
    fees: Float64Array;
    /**
     * Profit after commissions.
     */
    profit: Float64Array;
    /**
     * 1 if it is still open.
     */
    open: Uint8Array;
}

/**
 * Some bytes of a file, the end excluded.
 */
export interface ByteRange {
    /**
     * Name inside the folder.
     */
    file: string;
    /**
     * First byte.
     */
    start: number;
    /**
     * Byte after the last.
     */
    end: number;
}

/**
 * The return of a month.
 */
export interface MonthReturn {
    /**
     * Year.
     */
    year: number;
    /**
     * Month, 1 to 12.
     */
    month: number;
    /**
     * Return, as a fraction.
     */
    value: number;
}

/**
 * Values that a parameter may take.
 */
export type Domain = { type: "int"; min: number; max: number; step: number } | { type: "float"; min: number; max: number; step?: number; scale: "linear" | "log" } | { type: "choice"; values: number[] } | { type: "bool" };

/**
 * What a walk came to so far.
 */
export interface WalkInfo {
    /**
     * Number of folds.
     */
    total: number;
    /**
     * Those that were tested, in their order.
     */
    folds: FoldInfo[];
    /**
     * How much of the objective in training is left in the tests; NaN unless training gains.
     */
    efficiency: number;
    /**
     * Metrics of the tests joined to one course, in the catalog's order; empty before every fold is tested.
     */
    joined: Float64Array;
}

/**
 * What heatmap to draw.
 */
export interface HeatmapQuery {
    /**
     * Parameter across.
     */
    x: string;
    /**
     * Parameter down.
     */
    y: string;
    /**
     * Metric.
     */
    metric: string;
    /**
     * How the trials of a cell become one number.
     */
    aggregate: "best" | "mean" | "median";
    /**
     * Only trials in which these parameters have these values.
     */
    fixed?: Record<string, number>;
}

/**
 * What loading a plan's slice came to.
 */
export interface LoadInfo {
    /**
     * Bytes that were asked for.
     */
    bytesRead: number;
    /**
     * Bars in memory for the plan.
     */
    rows: number;
}

/**
 * What ranks trials.
 */
export interface ObjectiveInfo {
    /**
     * Metric.
     */
    metric: string;
    /**
     * Which end is wanted.
     */
    direction: "max" | "min";
}

/**
 * What the caches did and hold.
 */
export interface CacheStats {
    /**
     * Manifests.
     */
    assets: LayerStats;
    /**
     * Columns.
     */
    history: LayerStats;
    /**
     * Panels.
     */
    contexts: LayerStats;
    /**
     * Most bytes that all hold together.
     */
    budget: number;
    /**
     * Bytes of the module's memory.
     */
    memory: number;
}

/**
 * Where in a text an error is; lines and columns count from 1, 0 is unknown.
 */
export interface Place {
    /**
     * Name of the text.
     */
    file: string;
    /**
     * Line.
     */
    line: number;
    /**
     * Column, in characters.
     */
    column: number;
    /**
     * Characters that are meant.
     */
    width: number;
    /**
     * The line itself.
     */
    sourceLine: string;
}


/**
 * Bars of some symbols, whole in memory or read slice by slice.
 */
export class Bundle {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * One of `catalog().bundles`.
     *
     * # Errors
     * There is no such bundle.
     */
    static builtIn(name: string): Bundle;
    /**
     * The files of a bundle folder that holds this bundle.
     *
     * # Errors
     * The bundle is not whole in memory.
     */
    encode(): NamedBytes[];
    /**
     * A bundle from all files of its folder.
     *
     * # Errors
     * A file is missing or damaged.
     */
    static fromFiles(files: NamedBytes[]): Bundle;
    /**
     * What the bundle holds.
     *
     * # Errors
     * None that a caller can cause.
     */
    info(): BundleInfo;
    /**
     * A bundle from other people's CSV (also gzip) or Parquet files, and the defects found in them.
     *
     * # Errors
     * The options are not valid, or the files are not an array of `{ name, bytes }`. Data that are refused are no error
     * here: see [`Ingested`].
     */
    static ingest(files: NamedBytes[], options?: IngestOptions): Ingested;
    /**
     * Brings what a plan reads into memory: just the row groups of its symbols and dates, and none that is there.
     *
     * # Errors
     * The promise is rejected when the callback fails or its bytes are damaged.
     */
    load(plan: Plan): Promise<LoadInfo>;
    /**
     * A bundle of which only the manifest is at hand; the rest is asked for by [`Bundle::load`], as ranges of bytes.
     *
     * # Errors
     * The manifest is damaged.
     */
    static open(manifest: Uint8Array, read: RangeReader): Bundle;
    /**
     * Holds a study (its text, TOML or JSON, or its object form) against the bundle.
     *
     * # Errors
     * What is wrong with the study or its strategy, with its place.
     */
    plan(study: Study | string): Plan;
    /**
     * Starts the evaluation of a plan; nothing is evaluated yet.
     *
     * # Errors
     * The plan belongs to another bundle, its bars are not loaded, or it has more trials than are explored in memory.
     */
    run(plan: Plan): Run;
    /**
     * Starts the walk over a plan's folds; nothing is evaluated yet.
     *
     * # Errors
     * As `run`, and the folds do not fit into the plan's sessions.
     */
    walk(plan: Plan): Walk;
}

/**
 * What became of other people's files: a bundle or the sentence that refuses them, and every defect.
 */
export class Ingested {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The bundle.
     *
     * # Errors
     * Why the data are refused.
     */
    bundle(): Bundle;
    /**
     * The defects, by file, symbol and kind.
     *
     * # Errors
     * None that a caller can cause.
     */
    defects(): DefectInfo[];
    /**
     * Number of defects that are more than a note.
     */
    readonly count: number;
    /**
     * The whole list as CSV; undefined if there is nothing but notes.
     */
    readonly csv: string | undefined;
}

/**
 * A study held against a bundle: validated, with an id that names its content.
 */
export class Plan {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * What the plan says.
     *
     * # Errors
     * None that a caller can cause.
     */
    info(): PlanInfo;
    /**
     * The resolved plan as JSON, as the native program writes it.
     */
    toJson(): string;
    /**
     * Names the plan by its content; the native program gives the same.
     */
    readonly id: string;
}

/**
 * The evaluation of a plan. Results grow in index order and are the same for any size of steps.
 */
export class Run {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The simulated bars of one of the plan's symbols.
     *
     * # Errors
     * The plan does not trade it.
     */
    candles(symbol: string): Candles;
    /**
     * A column of the results, one value for each evaluated trial: `index`, a parameter or a metric.
     *
     * # Errors
     * There is no such column.
     */
    column(name: string): Float64Array;
    /**
     * The results as comma-separated values.
     */
    csv(): string;
    /**
     * Evaluates everything that is left, `chunk` trials at a time; `progress` is called after each chunk and ends the
     * run by giving `false`.
     *
     * # Errors
     * Whatever the callback throws; what was evaluated before stays.
     */
    finish(chunk: number, callback?: (progress: Progress) => boolean | void): Progress;
    /**
     * A metric over two parameters; the axes are whole from the start.
     *
     * # Errors
     * There is no such parameter or metric, or the picture would have too many cells.
     */
    heatmap(query: HeatmapQuery): Heatmap;
    /**
     * Takes over what another run has prepared, if it is of the same strategy over the same bars: a run that differs in
     * costs or capital then begins with its trials at once. Whether it is. No result depends on it, and the other run
     * stays as it is; call it before the first step.
     */
    inherit(before: Run): boolean;
    /**
     * How far the best of the evaluated trials can be believed; undefined where nothing can be judged: no trial, or fewer
     * than eight sessions. It takes about as long as a few hundred trials.
     *
     * # Errors
     * None that a caller can cause.
     */
    judgement(): Judgement | undefined;
    /**
     * The results as the Parquet file that the native program writes: the same bytes for a finished run.
     *
     * # Errors
     * None that a caller can cause.
     */
    parquet(): Uint8Array;
    /**
     * How far it is.
     *
     * # Errors
     * None that a caller can cause.
     */
    progress(): Progress;
    /**
     * An evaluated trial by its index; undefined if it is not evaluated (yet).
     *
     * # Errors
     * None that a caller can cause.
     */
    row(index: number): TrialRow | undefined;
    /**
     * Evaluates up to so many more trials, at least one; between steps the caller may look, draw, or drop the run.
     *
     * # Errors
     * None that a caller can cause.
     */
    step(trials: number): Progress;
    /**
     * The best of the evaluated trials, best first, by the objective or another metric.
     *
     * # Errors
     * There is no such metric.
     */
    top(k: number, metric?: string): TrialRow[];
    /**
     * One trial in full, computed anew.
     *
     * # Errors
     * The plan has no such trial.
     */
    trial(index: number): Trial;
}

/**
 * The folds of a plan. What they come to is the same for any size of steps.
 */
export class Walk {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * What it came to so far.
     *
     * # Errors
     * None that a caller can cause.
     */
    info(): WalkInfo;
    /**
     * Takes over what a run has prepared, as `Run.inherit` does.
     */
    inherit(before: Run): boolean;
    /**
     * Evaluates up to so many more trials, at least one, of one training, and tests its choice when it is the last of
     * them. Whether there is nothing left.
     *
     * # Errors
     * A training without a trial.
     */
    step(trials: number): boolean;
}

/**
 * What the caches did and hold.
 *
 * # Errors
 * None that a caller can cause.
 */
export function cacheStats(): CacheStats;

/**
 * Indicators, functions, metrics, study keys, strategies and bundles that the package has.
 *
 * # Errors
 * None that a caller can cause.
 */
export function catalog(): Catalog;

/**
 * Drops everything that the caches hold.
 */
export function clearCache(): void;

/**
 * Name → hash of everything in [`parity::fingerprints`], as a plain object, evaluated by all workers. Two builds that give the same object
 * give the same bits; a native build has the same list.
 *
 * # Errors
 * A sentence, if the package does not fit itself.
 */
export function fingerprints(): Record<string, string>;

/**
 * Sets the most bytes that the caches may hold together (256 MB at first) and empties them; 0 switches them off.
 *
 * # Errors
 * A budget that is no number of bytes, or larger than the module's memory allows.
 */
export function setCacheBudget(bytes: number): void;

/**
 * Parses and checks a strategy; `file` is its name in messages.
 *
 * # Errors
 * What is wrong with it, with its place.
 */
export function strategy(source: string, file?: string): StrategyInfo;

/**
 * A study as the TOML that the native program reads.
 *
 * # Errors
 * What is wrong with it.
 */
export function studyToml(study: Study | string): string;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_bundle_free: (a: number, b: number) => void;
    readonly __wbg_ingested_free: (a: number, b: number) => void;
    readonly __wbg_plan_free: (a: number, b: number) => void;
    readonly __wbg_run_free: (a: number, b: number) => void;
    readonly __wbg_walk_free: (a: number, b: number) => void;
    readonly bundle_builtIn: (a: any) => [number, number, number];
    readonly bundle_encode: (a: number) => [number, number, number];
    readonly bundle_fromFiles: (a: any) => [number, number, number];
    readonly bundle_info: (a: number) => [number, number, number];
    readonly bundle_ingest: (a: any, b: any) => [number, number, number];
    readonly bundle_load: (a: number, b: number) => any;
    readonly bundle_open: (a: any, b: any) => [number, number, number];
    readonly bundle_plan: (a: number, b: any) => [number, number, number];
    readonly bundle_run: (a: number, b: number) => [number, number, number];
    readonly bundle_walk: (a: number, b: number) => [number, number, number];
    readonly cacheStats: () => [number, number, number];
    readonly catalog: () => [number, number, number];
    readonly clearCache: () => void;
    readonly fingerprints: () => [number, number, number];
    readonly ingested_bundle: (a: number) => [number, number, number];
    readonly ingested_count: (a: number) => number;
    readonly ingested_csv: (a: number) => [number, number];
    readonly ingested_defects: (a: number) => [number, number, number];
    readonly plan_id: (a: number) => [number, number];
    readonly plan_info: (a: number) => [number, number, number];
    readonly plan_toJson: (a: number) => [number, number];
    readonly run_candles: (a: number, b: any) => [number, number, number];
    readonly run_column: (a: number, b: any) => [number, number, number];
    readonly run_csv: (a: number) => [number, number];
    readonly run_finish: (a: number, b: number, c: any) => [number, number, number];
    readonly run_heatmap: (a: number, b: any) => [number, number, number];
    readonly run_inherit: (a: number, b: number) => number;
    readonly run_judgement: (a: number) => [number, number, number];
    readonly run_parquet: (a: number) => [number, number, number];
    readonly run_progress: (a: number) => [number, number, number];
    readonly run_row: (a: number, b: number) => [number, number, number];
    readonly run_step: (a: number, b: number) => [number, number, number];
    readonly run_top: (a: number, b: number, c: any) => [number, number, number];
    readonly run_trial: (a: number, b: number) => [number, number, number];
    readonly setCacheBudget: (a: number) => [number, number];
    readonly strategy: (a: any, b: any) => [number, number, number];
    readonly studyToml: (a: any) => [number, number, number, number];
    readonly walk_info: (a: number) => [number, number, number];
    readonly walk_inherit: (a: number, b: number) => number;
    readonly walk_step: (a: number, b: number) => [number, number, number];
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __wbindgen_exn_store: (a: number) => void;
    readonly __externref_table_alloc: () => number;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __wbindgen_destroy_closure: (a: number, b: number) => void;
    readonly __externref_table_dealloc: (a: number) => void;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
