// The engine as the page sees it: one object, promises for questions, callbacks for frames.
//
// Everything heavy happens in a worker (worker/worker.ts); this side never touches the WebAssembly module.

import type {
  CacheStats, Candles, Catalog, BundleInfo, Defect, Heatmap, IngestOptions, PlanInfo, Progress, SandtableError, StrategyInfo, Study, Trial, TrialRow,
} from "./package.ts";

export type * from "./package.ts";

/** Where a bundle comes from. */
export type BundleSource =
  | { kind: "builtIn"; name: string }
  | { kind: "url"; url: string }
  | { kind: "files"; files: File[]; folder?: string; ingest?: IngestOptions };

/** What the heatmap shows; `x` and `y` default to the first two parameters that vary. */
export interface View {
  x?: string;
  y?: string;
  metric: string;
  aggregate: "best" | "mean" | "median";
  fixed: Record<string, number>;
}

export interface RunStats {
  elapsedMs: number;
  barTrialsPerSecond: number;
  cores: number;
  cache: CacheStats;
  /** Bytes that came over the network or from a dropped file for the current bundle. */
  bytesRead: number;
  /** Bytes that an earlier visit had kept. */
  bytesFromStore: number;
}

/** A picture of the run in progress. */
export interface Frame {
  /** Counts frames, over restarts too. */
  serial: number;
  plan: PlanInfo;
  progress: Progress;
  /** Missing when fewer than one parameter varies. */
  heatmap?: Heatmap;
  top: TrialRow[];
  stats: RunStats;
  final: boolean;
}

export interface OpenedBundle {
  info: BundleInfo;
  defects?: Defect[];
  defectCount?: number;
}

export type ExportFormat = "parquet" | "csv" | "study.toml" | "plan.json";

export class Engine {
  declare readonly catalog: Catalog;
  declare readonly cores: number;
  declare readonly isolated: boolean;
  onFrame: (frame: Frame) => void = () => {};
  onError: (error: SandtableError) => void = () => {};
  onRestart: (why: string) => void = () => {};

  /** Starts the worker with the build that this page can run. */
  static start(): Promise<Engine> {
    return Promise.reject(new Error("not connected yet"));
  }

  declare open: (source: BundleSource) => Promise<OpenedBundle>;
  declare strategy: (source: string) => Promise<StrategyInfo>;
  declare explore: (study: Study, view: View) => void;
  declare setView: (view: View) => void;
  declare trial: (index: number) => Promise<Trial>;
  declare row: (index: number) => Promise<TrialRow | undefined>;
  declare candles: (symbol: string) => Promise<Candles>;
  declare export: (format: ExportFormat) => Promise<Blob>;
}
