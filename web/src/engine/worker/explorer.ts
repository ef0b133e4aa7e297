// Runs studies over the current bundle, in chunks short enough that a newer study never waits long.

import type { Candles, Heatmap, Package, Plan, PlanInfo, Run, Study, Trial, TrialRow } from "../package.ts";
import { type Answers, errorOf, type ExportFormat, failure, type OpenedBundle, type RunStats, type View, type WorkerFrame } from "../protocol.ts";
import { backtest } from "./backtest.ts";
import { breath } from "./breath.ts";
import { loadFor, type Open } from "./bundles.ts";
import { walk } from "./walk.ts";

/** How long a chunk of trials should take. */
const CHUNK_MS = 10;
/** The same within a run that will be over before anybody can read a part of it: questions wait no longer than this. */
const SHORT_CHUNK_MS = 100;
/** Trials that a thread evaluates side by side where it can: a chunk is a multiple of that many for each thread. */
const LANES = 16;
/** Ten pictures a second show a grid filling; more would take the cores from computing it. */
const FRAME_MS = 100;
/** Making frames may take this share of the time. */
const FRAME_SHARE = 0.2;
/**
 * A run that takes no longer than this is finished before a newer one starts, else a pointer that moves faster than runs
 * complete would never show a complete one; and it is drawn once, when it is complete: drawing parts of it would take
 * the cores from computing the rest, and the last picture stays until then.
 */
const SHORT_RUN_MS = 300;
/** Rows of the list of best trials in a frame. */
const TOP = 50;

/** A run and what it came from. */
interface Current {
  study: Study;
  plan: Plan;
  info: PlanInfo;
  run: Run;
  began: number;
  elapsed: number;
}

interface Wanted {
  study: Study;
  done: () => void;
  failed: (error: unknown) => void;
}

export class Explorer {
  #open: Open | undefined;
  #current: Current | undefined;
  #view: View = { metric: "sharpe", aggregate: "best", fixed: {} };
  #wanted: Wanted | undefined;
  #stopping = false;
  #pump: Promise<void> | undefined;
  #chunk = 0;
  /** Milliseconds per trial, in the last chunk that was not the first of its run. */
  #pace = Infinity;
  #lastFrame = 0;
  #frameCost = 0;
  /** Counts what a walk gives way to. */
  #turn = 0;

  /** `pool` must have settled before the first trial; `send` takes the frames. */
  constructor(
    readonly sandtable: Package,
    readonly cores: number,
    readonly pool: Promise<void>,
    readonly send: (frame: WorkerFrame) => void,
  ) {}

  /** Makes this the current bundle; the current run ends. */
  async use(open: Open): Promise<OpenedBundle> {
    this.#turn += 1;
    this.#wanted?.done();
    this.#wanted = undefined;
    this.#stopping = true;
    await this.#pump;
    this.#drop();
    this.#open?.bundle.free();
    this.#open = open;
    this.#stopping = false;
    this.#start();
    return open.answer;
  }

  /** Runs a study instead of the current one; settles when it is done or has given way to a newer one. */
  explore(study: Study, view: View): Promise<undefined> {
    this.#turn += 1;
    return new Promise((done, failed) => {
      this.#wanted?.done();
      this.#wanted = { study, done: () => done(undefined), failed };
      this.#view = view;
      this.#start();
    });
  }

  /** Shows the current run in another way. */
  setView(view: View): void {
    this.#view = view;
    const current = this.#current;
    if (current) this.#frame(current);
  }

  trial(index: number): Trial {
    return this.#running().run.trial(index);
  }

  row(index: number): TrialRow | undefined {
    return this.#running().run.row(index);
  }

  candles(symbol: string): Candles {
    return this.#running().run.candles(symbol);
  }

  /** Judges the current run once it has ended. */
  judgement(): Answers["judgement"] {
    const { run, info } = this.#running();
    if (!run.progress().done) return undefined;
    const judgement = run.judgement();
    return { id: info.id, ...(judgement && { judgement }) };
  }

  /** Walks over the folds of the current plan once its run has ended; nothing where a newer study comes meanwhile. */
  async walk(): Promise<Answers["walk"]> {
    const { run, plan, info } = this.#running();
    if (!this.#open || !run.progress().done) return undefined;
    const turn = ++this.#turn;
    const found = await walk(this.#open, plan, run, LANES * this.cores, () => turn === this.#turn);
    return found && { id: info.id, info: found };
  }

  /** One backtest over the current bundle; the current run stays. */
  backtest(study: Study): Promise<Answers["backtest"]> {
    if (!this.#open) throw errorOf(failure("no bundle is open"));
    return backtest(this.#open, study, this.pool);
  }

  export(format: ExportFormat): Answers["export"] {
    const { run, plan, study } = this.#running();
    switch (format) {
      case "parquet":
        return { bytes: run.parquet(), mime: "application/vnd.apache.parquet" };
      case "csv":
        return { bytes: run.csv(), mime: "text/csv" };
      case "study.toml":
        return { bytes: this.sandtable.studyToml(study), mime: "application/toml" };
      case "plan.json":
        return { bytes: plan.toJson(), mime: "application/json" };
    }
  }

  #start(): void {
    const wanted = this.#wanted;
    if (!wanted || this.#pump || this.#stopping) return;
    this.#wanted = undefined;
    this.#pump = this.#run(wanted.study)
      .then(wanted.done, wanted.failed)
      .finally(() => {
        this.#pump = undefined;
        this.#start();
      });
  }

  async #run(study: Study): Promise<void> {
    const began = performance.now();
    const current = await this.#begin(study, began);
    if (!current) return;
    await this.pool;
    for (let progress = current.run.progress(); !progress.done; ) {
      const before = performance.now();
      const done = progress.trials;
      progress = current.run.step(this.#groups(this.#chunk));
      const now = performance.now();
      const took = Math.max(now - before, 0.05);
      current.elapsed = now - began;
      if (progress.done) break;
      if (done > 0) this.#pace = took / (progress.trials - done);
      const total = current.elapsed + (progress.total - progress.trials) * this.#pace;
      const one = total <= SHORT_RUN_MS && this.#lastFrame > 0;
      const wanted = one ? SHORT_CHUNK_MS : CHUNK_MS;
      this.#chunk = clamp(this.#groups(this.#chunk) * clamp(wanted / took, 0.25, 4), 1, 65_536);
      if (!one && now - this.#lastFrame >= Math.max(FRAME_MS, this.#frameCost / FRAME_SHARE)) this.#frame(current);
      await breath();
      if (this.#stopping || (this.#wanted && total > SHORT_RUN_MS)) return;
    }
    current.elapsed = performance.now() - began;
    this.#frame(current);
  }

  /** Resolves a study and reads what it needs; nothing if a newer one came meanwhile. */
  async #begin(study: Study, began: number): Promise<Current | undefined> {
    const open = this.#open;
    if (!open) throw errorOf(failure("no bundle is open"));
    const plan = open.bundle.plan(study);
    try {
      await loadFor(open, plan);
      if (this.#stopping || this.#wanted) {
        plan.free();
        return undefined;
      }
      const run = open.bundle.run(plan);
      // A moved slider mostly changes costs or capital: columns and comparisons stay.
      if (this.#current) run.inherit(this.#current.run);
      this.#drop();
      return (this.#current = { study, plan, info: plan.info(), run, began, elapsed: 0 });
    } catch (error) {
      plan.free();
      throw error;
    }
  }

  /** So many trials or somewhat more, such that no thread evaluates a part of a group. */
  #groups(trials: number): number {
    const group = LANES * this.cores;
    return Math.max(Math.ceil(trials / group), 1) * group;
  }

  #drop(): void {
    this.#current?.run.free();
    this.#current?.plan.free();
    this.#current = undefined;
  }

  #running(): Current {
    if (!this.#current) throw errorOf(failure("nothing has been run yet"));
    return this.#current;
  }

  #frame(current: Current): void {
    const before = performance.now();
    const progress = current.run.progress();
    const heatmap = this.#heatmap(current);
    this.send({
      plan: current.info,
      progress,
      ...(heatmap && { heatmap }),
      top: current.run.top(TOP),
      stats: this.#stats(current, progress.rowsRead),
      final: progress.done,
    });
    this.#lastFrame = performance.now();
    this.#frameCost = this.#lastFrame - before;
  }

  #heatmap({ run, info }: Current): Heatmap | undefined {
    const { x, y } = axesOf(info, this.#view);
    if (x === undefined || y === undefined) return undefined;
    const { metric, aggregate } = this.#view;
    const fixed: Record<string, number> = {};
    for (const { name, values } of info.params) {
      const value = this.#view.fixed[name];
      if (name !== x && name !== y && value !== undefined && values.includes(value)) fixed[name] = value;
    }
    return run.heatmap({ x, y, metric, aggregate, fixed });
  }

  #stats({ elapsed }: Current, rowsRead: number): RunStats {
    return {
      elapsedMs: elapsed,
      barTrialsPerSecond: elapsed > 0 ? (rowsRead * 1000) / elapsed : 0,
      cores: this.cores,
      cache: this.sandtable.cacheStats(),
      bytesRead: this.#open?.source?.counts.read ?? 0,
      bytesFromStore: this.#open?.source?.counts.fromStore ?? 0,
    };
  }
}

/** The view's axes where the plan has them, else its first two parameters that vary, else any two. */
export function axesOf(plan: PlanInfo, view: Pick<View, "x" | "y">): { x?: string; y?: string } {
  const names = [...plan.params.filter((p) => p.values.length > 1), ...plan.params.filter((p) => p.values.length <= 1)].map((p) => p.name);
  const known = (name: string | undefined) => (name !== undefined && names.includes(name) ? name : undefined);
  const wantedY = known(view.y);
  const x = known(view.x) ?? names.find((name) => name !== wantedY);
  const y = wantedY !== x ? (wantedY ?? names.find((name) => name !== x)) : names.find((name) => name !== x);
  return { ...(x !== undefined && { x }), ...(y !== undefined && { y }) };
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}
