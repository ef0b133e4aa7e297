// What page and worker say to each other: one union of requests, one table of their answers, one union of messages.

import type {
  BundleInfo, CacheStats, Candles, Catalog, DefectInfo, Heatmap, IngestOptions, Judgement, Place, PlanInfo, Progress, SandtableError, StrategyInfo,
  Study, Trial, TrialRow, WalkInfo,
} from "./package.ts";

/** Where a bundle comes from; an address names the folder or its manifest. */
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

/** What can be said of a search that has ended. */
export interface Judged {
  /** Id of its plan. */
  id: string;
  /** Missing where nothing can be judged: no trial, or fewer than eight sessions. */
  judgement?: Judgement;
}

/** The folds of a run's plan, searched and tested. */
export interface Walked {
  /** Id of the plan. */
  id: string;
  info: WalkInfo;
}

/** One backtest beside the current run. */
export interface Backtest {
  plan: PlanInfo;
  trial: Trial;
  /** Missing for fewer sessions than can be judged. */
  judgement?: Judgement;
}

export interface OpenedBundle {
  info: BundleInfo;
  defects?: DefectInfo[];
  defectCount?: number;
}

export type ExportFormat = "parquet" | "csv" | "study.toml" | "plan.json";

/** Everything that the page asks of the worker; `id` comes back with the answer. */
export type Request = { id: number } & (
  | { type: "start"; glue: string; module: WebAssembly.Module; threads: number }
  | { type: "open"; source: BundleSource; page: string }
  | { type: "strategy"; source: string }
  | { type: "explore"; study: Study; view: View }
  | { type: "setView"; view: View }
  | { type: "trial"; index: number }
  | { type: "row"; index: number }
  | { type: "candles"; symbol: string }
  | { type: "judgement" }
  | { type: "walk" }
  | { type: "backtest"; study: Study }
  | { type: "export"; format: ExportFormat }
  | { type: "clearCache" }
  | { type: "ping" }
);

/** What each request is answered with. */
export interface Answers {
  start: Catalog;
  open: OpenedBundle;
  strategy: StrategyInfo;
  /** Answered when the run ends or gives way to a newer one; its pictures come as frames. */
  explore: undefined;
  setView: undefined;
  trial: Trial;
  row: TrialRow | undefined;
  candles: Candles;
  /** Nothing while trials are left. */
  judgement: Judged | undefined;
  /** Nothing while trials are left, and where a newer study came before the end. */
  walk: Walked | undefined;
  backtest: Backtest;
  export: { bytes: Uint8Array | string; mime: string };
  clearCache: undefined;
  /** Says nothing but that the worker still listens. */
  ping: undefined;
}

export type Answer = Answers[keyof Answers];

/** A frame before the page numbers it. */
export type WorkerFrame = Omit<Frame, "serial">;

/** Everything that the worker says. */
export type Message =
  | { type: "answer"; id: number; value: Answer }
  | { type: "failure"; id: number; error: Failure }
  | { type: "frame"; frame: WorkerFrame }
  /** Threads could not be started: the page takes the other build. */
  | { type: "noThreads"; why: string }
  /** The module is broken beyond use: the page replaces the worker. `id` names the request that did it. */
  | { type: "trap"; id: number; why: string };

/** An error as plain data; `postMessage` keeps only an Error's message. */
export interface Failure {
  message: string;
  kind: SandtableError["kind"];
  sentence: string;
  place?: Place;
  help?: string;
}

/** The error as data, whatever was thrown. */
export function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) return failure(String(thrown));
  const { message, kind, sentence, place, help } = thrown as Partial<SandtableError> & Error;
  if (kind === undefined) return failure(message);
  return { message, kind, sentence: sentence ?? message, ...(place && { place }), ...(help !== undefined && { help }) };
}

/** A failure of the machine around the engine: network, memory, browser. */
export function failure(sentence: string, help?: string): Failure {
  const message = help === undefined ? sentence : `${sentence}\n  help: ${help}`;
  return { message, kind: "machine", sentence, ...(help !== undefined && { help }) };
}

/** The Error that the data describe. */
export function errorOf(data: Failure): SandtableError {
  return Object.assign(new Error(data.message), data, { name: "SandtableError" as const });
}
