// The types of the WebAssembly package, as the rest of the page names them.

export interface Place { file: string; line: number; column: number; width: number; sourceLine: string }
export interface SandtableError extends Error {
  kind: "data" | "strategy" | "plan" | "unsupported" | "machine";
  sentence: string;
  place?: Place;
  help?: string;
}
export interface Catalog {
  version: string; engineFormat: number; threads: boolean; simd: boolean;
  indicators: { name: string; doc: string; inputs: string[]; params: { name: string; default: number; min: number; max: number; integer: boolean }[]; outputs: string[] }[];
  functions: { name: string; usage: string; doc: string }[];
  metrics: { name: string; title: string; unit: string; better: "higher" | "lower" | "neither"; doc: string }[];
  keys: { name: string; doc: string; default: string }[];
  gallery: { name: string; source: string }[];
  bundles: { name: string; doc: string }[];
}
export type Domain =
  | { type: "int"; min: number; max: number; step: number }
  | { type: "float"; min: number; max: number; step?: number; scale: "linear" | "log" }
  | { type: "choice"; values: number[] }
  | { type: "bool" };
export interface ParamInfo { name: string; domain: Domain; default: number }
export interface StrategyInfo { name: string; description: string; params: ParamInfo[]; columns: string[]; rules: "target" | "orders" }
export interface NamedBytes { name: string; bytes: Uint8Array }
export type RangeReader = (ranges: { file: string; start: number; end: number }[]) => Uint8Array[] | Promise<Uint8Array[]>;
export interface LoadInfo { bytesRead: number; rows: number }
export interface BundleInfo {
  name: string; version: string; frequency: string; calendar: string; prices: string; benchmark?: string; source: string; licence: string;
  rows: number; symbols: { symbol: string; first: string; last: string; rows: number }[];
  files: { name: string; bytes: number; blake3: string }[];
}
export interface IngestOptions { name?: string; strict?: boolean; map?: Record<string, string>; dateFormat?: string; symbol?: string; duplicates?: "refuse" | "first" | "last" }
export interface DefectInfo { symbol: string; file: string; kind: string; line: number; date: string; column: string; found: string; done: string; count: number; meaning: string }
export declare class Ingested { bundle(): Bundle; defects(): DefectInfo[]; readonly count: number; readonly csv: string | undefined; free(): void }
export interface PlanInfo {
  id: string; name: string; symbols: string[]; start: string; end: string; warmupBars: number;
  params: { name: string; kind: "int" | "float" | "bool"; values: number[] }[];
  where: string[]; size: number; valid: number; objective: { metric: string; direction: "max" | "min" };
  benchmark?: string; warnings: string[];
}
export interface Progress { done: boolean; trials: number; total: number; rowsRead: number; fills: number; columns: number }
export interface TrialRow { index: number; params: number[]; metrics: Float64Array }
export interface HeatmapQuery { x: string; y: string; metric: string; aggregate: "best" | "mean" | "median"; fixed?: Record<string, number> }
export interface Heatmap {
  x: string; y: string; metric: string; direction: "max" | "min"; xValues: Float64Array; yValues: Float64Array; cells: Float64Array;
  plateau: Float64Array; trials: Float64Array; filled: number;
}
export interface Trial {
  index: number; params: number[]; metrics: Float64Array; symbols: string[]; sessions: Float64Array; equity: Float64Array; drawdown: Float64Array;
  benchmark: Float64Array; benchmarkDrawdown: Float64Array; months: { year: number; month: number; value: number }[];
  trades: {
    symbol: Uint32Array; quantity: Float64Array; entryTime: Float64Array; exitTime: Float64Array; entryPrice: Float64Array; exitPrice: Float64Array;
    fees: Float64Array; profit: Float64Array; open: Uint8Array;
  };
  fills: { symbol: Uint32Array; time: Float64Array; quantity: Float64Array; price: Float64Array; fee: Float64Array };
}
export interface Candles { time: Float64Array; open: Float64Array; high: Float64Array; low: Float64Array; close: Float64Array; volume: Float64Array }
export interface LayerStats { hits: number; misses: number; evictions: number; entries: number; bytes: number }
export interface CacheStats { assets: LayerStats; history: LayerStats; contexts: LayerStats; budget: number; memory: number }
/** The object form of a study file. */
export interface Study {
  bundle?: string; strategy?: string; strategy_text?: string; symbols?: string[]; start?: string; end?: string; capital?: number; fill?: string;
  costs?: Record<string, number | string>; space?: Record<string, unknown>; where?: string | string[]; objective?: string;
  [key: string]: unknown;
}

export declare class Bundle {
  static builtIn(name: string): Bundle;
  static fromFiles(files: NamedBytes[]): Bundle;
  static open(manifest: Uint8Array, read: RangeReader): Bundle;
  static ingest(files: NamedBytes[], options?: IngestOptions): Ingested;
  info(): BundleInfo;
  plan(study: string | Study): Plan;
  load(plan: Plan): Promise<LoadInfo>;
  run(plan: Plan): Run;
  encode(): NamedBytes[];
  free(): void;
}
export declare class Plan { readonly id: string; info(): PlanInfo; toJson(): string; free(): void }
export declare class Run {
  step(trials: number): Progress;
  progress(): Progress;
  top(k: number, metric?: string): TrialRow[];
  row(index: number): TrialRow | undefined;
  heatmap(query: HeatmapQuery): Heatmap;
  trial(index: number): Trial;
  candles(symbol: string): Candles;
  column(name: string): Float64Array;
  parquet(): Uint8Array;
  csv(): string;
  arrow(): Uint8Array;
  free(): void;
}
/** What the glue module of either build exports. */
export interface Package {
  default(input?: unknown): Promise<unknown>;
  catalog(): Catalog;
  strategy(source: string, file?: string): StrategyInfo;
  studyToml(study: Study): string;
  cacheStats(): CacheStats;
  clearCache(): void;
  setCacheBudget(bytes: number): void;
  initThreadPool?(n: number): Promise<void>;
  Bundle: typeof Bundle;
}
