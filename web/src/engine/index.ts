// The engine as the page sees it: one object, promises for questions, callbacks for frames.
//
// Everything heavy happens in a worker (worker/worker.ts); this side never touches the WebAssembly module.

import { keepOffline } from "./offline.ts";
import { type Build, compile, glueUrl, pickBuild } from "./module.ts";
import type { Candles, Catalog, SandtableError, StrategyInfo, Study, Trial, TrialRow } from "./package.ts";
import {
  type Answers, type Backtest, type BundleSource, errorOf, type ExportFormat, failure, type Frame, type Judged, type Message, type OpenedBundle,
  type Request, type View, type Walked,
} from "./protocol.ts";

export { chosen, dropped } from "./drop.ts";
export type * from "./package.ts";
export type { Backtest, BundleSource, ExportFormat, Frame, Judged, OpenedBundle, RunStats, View, Walked } from "./protocol.ts";

/** A request without its number. */
type Ask<T extends Request["type"]> = Omit<Extract<Request, { type: T }>, "id" | "type">;

interface Pending {
  resolve: (value: never) => void;
  reject: (error: SandtableError) => void;
}

/** A worker that ends this soon after it started is not replaced by another of the same kind. */
const HOPELESS_MS = 2_000;
/** A worker with work to do is asked this often whether it still listens, and replaced after so many silences. */
const PING_MS = 10_000;
const MOST_SILENCES = 6;

export class Engine {
  /** Called with each picture of the run in progress; the last one of a run is `final`. */
  onFrame: (frame: Frame) => void = () => {};
  /** Called when a study cannot be run; the previous run stays the current one. */
  onError: (error: SandtableError) => void = () => {};
  /** Called when the worker had to be replaced; the bundle has been opened again by then. */
  onRestart: (why: string) => void = () => {};

  readonly catalog: Catalog;
  readonly #link: Link;
  #settle = () => {};
  #serial = 0;
  #source: BundleSource | undefined;
  #last: { study: Study; view: View } | undefined;

  private constructor(link: Link, catalog: Catalog) {
    this.#link = link;
    this.catalog = catalog;
    link.onFrame = (frame) => {
      this.onFrame({ ...frame, serial: ++this.#serial });
      if (frame.final) this.#settle();
    };
    link.onRestart = (why, guilty) => void this.#reopen(why, guilty);
    // Offline use is prepared when the first run is done: until then it would only be in the way.
    void keepOffline(new Promise<void>((resolve) => (this.#settle = resolve)));
  }

  /** Starts the worker with the build that this page can run. */
  static async start(): Promise<Engine> {
    const link = new Link(pickBuild());
    return new Engine(link, await link.start());
  }

  /** Threads that evaluate trials. */
  get cores(): number {
    return this.#link.cores;
  }

  /** Whether the page may share memory between threads. */
  get isolated(): boolean {
    return globalThis.crossOriginIsolated;
  }

  /** Opens a bundle; it becomes the current one, unless it cannot be opened. */
  async open(source: BundleSource): Promise<OpenedBundle> {
    const opened = await this.#link.ask("open", { source, page: document.baseURI });
    this.#source = source;
    this.#last = undefined;
    return opened;
  }

  /** Parses and checks a strategy. */
  strategy(source: string): Promise<StrategyInfo> {
    return this.#link.ask("strategy", { source });
  }

  /** Runs a study over the current bundle instead of the one before. */
  explore(study: Study, view: View): void {
    const before = this.#last;
    this.#last = { study, view };
    this.#link.ask("explore", { study, view }).catch((error: SandtableError) => {
      if (this.#last?.study === study) this.#last = before;
      this.onError(error);
    });
  }

  /** Shows the current run in another way; nothing is run again. */
  setView(view: View): void {
    if (this.#last) this.#last = { ...this.#last, view };
    this.#link.ask("setView", { view }).catch((error: SandtableError) => this.onError(error));
  }

  trial(index: number): Promise<Trial> {
    return this.#link.ask("trial", { index });
  }

  /** Nothing where the trial has not been evaluated yet. */
  row(index: number): Promise<TrialRow | undefined> {
    return this.#link.ask("row", { index });
  }

  candles(symbol: string): Promise<Candles> {
    return this.#link.ask("candles", { symbol });
  }

  /** How far the best trial of the current run can be believed; nothing while trials are left. It takes a moment, so ask when nothing else is wanted. */
  judgement(): Promise<Judged | undefined> {
    return this.#link.ask("judgement", {});
  }

  /** Walks over the folds of the current run's plan; nothing while trials are left, and where a newer study comes before the end. */
  walk(): Promise<Walked | undefined> {
    return this.#link.ask("walk", {});
  }

  /** The first trial of a study over the current bundle, beside the current run, which stays. */
  backtest(study: Study): Promise<Backtest> {
    return this.#link.ask("backtest", { study });
  }

  /** The results, the study or the plan of the current run as a file. */
  async export(format: ExportFormat): Promise<Blob> {
    const { bytes, mime } = await this.#link.ask("export", { format });
    return new Blob([bytes as BlobPart], { type: mime });
  }

  /** Empties the engine's caches, for measurements. */
  async clearCache(): Promise<void> {
    await this.#link.ask("clearCache", {});
  }

  async #reopen(why: string, guilty: string): Promise<void> {
    const { onError } = this;
    try {
      if (this.#source) await this.#link.ask("open", { source: this.#source, page: document.baseURI });
      // A study that broke the engine would break it again.
      if (this.#last && guilty !== "explore") this.explore(this.#last.study, this.#last.view);
      this.onRestart(why);
    } catch (error) {
      onError(error as SandtableError);
    }
  }
}

/** The worker of the moment and the questions that it has not answered. */
class Link {
  onFrame: (frame: Omit<Frame, "serial">) => void = () => {};
  onRestart: (why: string, guilty: string) => void = () => {};
  cores = 1;
  #build: Build;
  #worker: Worker | undefined;
  #module: Promise<WebAssembly.Module> | undefined;
  #pending = new Map<number, Pending & { type: Request["type"] }>();
  #id = 0;
  #began = 0;
  #silences = 0;

  constructor(build: Build) {
    this.#build = build;
    setInterval(() => this.#ping(), PING_MS);
  }

  /** Starts a worker; what is asked meanwhile waits in its queue. */
  async start(): Promise<Catalog> {
    this.#began = performance.now();
    const worker = new Worker(new URL("./worker/worker.ts", import.meta.url), { type: "module", name: "sandtable" });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data);
    worker.onerror = (event) => this.#replace(event.message || "its program could not be loaded", "start");
    this.#module ??= compile(this.#build);
    const module = await this.#module;
    const threads = navigator.hardwareConcurrency || 1;
    this.cores = this.#build === "threads" ? threads : 1;
    return this.ask("start", { glue: glueUrl(this.#build), module, threads });
  }

  ask<T extends Request["type"]>(type: T, request: Ask<T>): Promise<Answers[T]> {
    return new Promise((resolve, reject) => {
      const id = ++this.#id;
      if (!this.#worker) return reject(errorOf(failure("the engine has stopped", "load the page again")));
      this.#pending.set(id, { type, resolve, reject });
      this.#worker.postMessage({ id, type, ...request });
    });
  }

  /** A thread that breaks leaves the worker waiting for ever, so its silence is all that can be noticed. */
  #ping(): void {
    const [oldest] = this.#pending.values();
    if (!oldest) return;
    if (this.#silences >= MOST_SILENCES) return this.#replace("it no longer answers", oldest.type);
    this.#silences += 1;
    this.ask("ping", {}).catch(() => undefined);
  }

  #hear(message: Message): void {
    this.#silences = 0;
    switch (message.type) {
      case "frame":
        return this.onFrame(message.frame);
      case "answer":
        return this.#take(message.id)?.resolve(message.value as never);
      case "failure":
        return this.#take(message.id)?.reject(errorOf(message.error));
      case "noThreads":
        this.#build = "single";
        this.#module = undefined;
        return this.#replace(`threads did not start: ${message.why}`, "threads");
      case "trap":
        return this.#replace(message.why, this.#pending.get(message.id)?.type ?? "");
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  /** Ends the worker, answers what is open with an error, and starts another worker unless that is in vain. */
  #replace(why: string, guilty: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#silences = 0;
    const error = errorOf(failure(`the engine stopped: ${why}`, "it was started again; this request was not repeated"));
    const hopeless = guilty === "start" && performance.now() - this.#began < HOPELESS_MS;
    const starting: Pending[] = [];
    for (const pending of this.#pending.values()) {
      if (pending.type === "start" && !hopeless) starting.push(pending);
      else pending.reject(error);
    }
    this.#pending.clear();
    if (hopeless) return;
    this.start().then(
      (catalog) => {
        for (const { resolve } of starting) resolve(catalog as never);
        this.onRestart(why, guilty);
      },
      (failed: SandtableError) => {
        this.#worker = undefined;
        for (const { reject } of starting) reject(failed);
      },
    );
  }
}
