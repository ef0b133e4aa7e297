// What the page knows, as signals: written by session.ts, read by every component.

import { computed, signal } from "@preact/signals";
import type { Backtest, BundleSource, Engine, Frame, Judged, OpenedBundle, PlanInfo, SandtableError, StrategyInfo, Trial, TrialRow, View, Walked } from "../engine/index.ts";
import type { Controls } from "../study.ts";
import type { Cell } from "./surface/plot.ts";
import type { Surface } from "./surface/surface.ts";
import { indexOf } from "./surface/surface.ts";

export interface Notice {
  id: number;
  kind: "note" | "warning" | "error";
  /** Notices of one topic replace each other. */
  topic: string;
  text: string;
  /** Lines that stand below the text, as a list. */
  lines?: string[];
}

/** A trial kept for comparison, with the numbers it had when it was pinned. */
export interface Pinned {
  trial: Trial;
  plan: PlanInfo;
}

export const engine = signal<Engine | undefined>(undefined);
export const source = signal<BundleSource>({ kind: "builtIn", name: "mag8" });
export const bundle = signal<OpenedBundle | undefined>(undefined);
export const opening = signal<string | undefined>(undefined);

/** The text in the editor; `controls` holds the last one that was understood. */
export const draft = signal("");
/** The text that was put into the editor last, by the gallery or a link; an object, because the same text may come again. */
export const loaded = signal({ text: "" });
export const strategy = signal<StrategyInfo | undefined>(undefined);
export const strategyError = signal<SandtableError | undefined>(undefined);
export const controls = signal<Controls | undefined>(undefined);
/** Why the controls as they are cannot be run. */
export const planError = signal<SandtableError | undefined>(undefined);
/** Trials asked for, if they are more than a page should run. */
export const tooMany = signal<number | undefined>(undefined);

export const view = signal<View>({ metric: "sharpe", aggregate: "best", fixed: {} });
export const frame = signal<Frame | undefined>(undefined);
export const surface = signal<Surface | undefined>(undefined);
export const hover = signal<Cell | undefined>(undefined);

/** Parameters of the trial that was chosen; undefined follows the best one. */
export const chosen = signal<Record<string, number> | undefined>(undefined);
/** Parameters of the best trial of the last run that ended: what is followed while another run is under way. */
export const best = signal<Record<string, number> | undefined>(undefined);
export const trial = signal<Trial | undefined>(undefined);
/** The plan that `trial` belongs to. */
export const trialPlan = signal<PlanInfo | undefined>(undefined);
export const pinned = signal<Pinned | undefined>(undefined);
export const hoverRow = signal<TrialRow | undefined>(undefined);

/** How far the run's best trial can be believed; that of the run before until this one is judged. */
export const judged = signal<Judged | undefined>(undefined);
/** The selected trial on the sessions that the search did not see, and which trial of which run it is. */
export const heldOut = signal<(Backtest & { key: string }) | undefined>(undefined);

/** What the folds came to; that of the run before until this one's are tested. `why` says why there are none. */
export const walked = signal<(Partial<Pick<Walked, "info">> & { id: string; why?: string }) | undefined>(undefined);

export const notices = signal<Notice[]>([]);
export const theme = signal<"auto" | "light" | "dark">("auto");
export const shortcutsShown = signal(false);

/** Index of the selected trial in the current plan, or -1. */
export const selected = computed(() => {
  const now = frame.value;
  if (!now) return -1;
  if (chosen.value) return indexOf(now.plan, chosen.value);
  const before = now.final || !best.value ? -1 : indexOf(now.plan, best.value);
  return before >= 0 ? before : (now.top[0]?.index ?? -1);
});

/** Metrics of the catalogue by name. */
export const metricsByName = computed(() => new Map((engine.value?.catalog.metrics ?? []).map((metric, at) => [metric.name, { ...metric, at }])));

let noticesGiven = 0;

/** Shows a notice, in the place of an earlier one on the same topic. */
export function notify(kind: Notice["kind"], topic: string, text: string, lines?: string[]): void {
  const notice: Notice = { id: ++noticesGiven, kind, topic, text, ...(lines && lines.length > 0 ? { lines } : {}) };
  notices.value = [...notices.value.filter((one) => one.topic !== topic), notice];
}

export function dismiss(topic: string): void {
  if (notices.value.some((one) => one.topic === topic)) notices.value = notices.value.filter((one) => one.topic !== topic);
}
